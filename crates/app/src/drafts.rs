//! What a person has typed and not yet sent, saved or started: kept as it is typed, so that neither a closed tab nor a
//! killed window loses it. A place is where it is typed, in the page's words (`flow:/repo/ship.flow.yaml`).

use serde::{Deserialize, Serialize};
use specta::Type;
use store::sql::params;
use store::{Schema, StoreError};

use crate::{App, Code, Error};

/// Where drafts are kept; the one that was written last has the highest turn.
pub(crate) const SCHEMA: Schema = Schema {
    room: "drafts",
    // What is counted comes before the texts, which are long: counting does not read them.
    migrations: &["CREATE TABLE drafts (
        turn INTEGER PRIMARY KEY AUTOINCREMENT,
        place TEXT NOT NULL UNIQUE,
        bytes INTEGER NOT NULL,
        text TEXT NOT NULL,
        basis TEXT
    )"],
};

const PLACE_LIMIT: usize = 4 << 10;
/// A draft of this size is no longer typed by a person.
const TEXT_LIMIT: usize = 2 << 20;
/// So many drafts are kept, those that were written last.
const KEPT: usize = 500;
/// And so much of them.
const KEPT_BYTES: usize = 16 << 20;

/// What was typed in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Draft {
    /// Where.
    pub place: String,
    /// What.
    pub text: String,
    /// The text that it was made from, where there was one: a file's, as it was on disk.
    pub basis: Option<String>,
}

impl App {
    /// All drafts, the one that was written last first.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when the database can't be read.
    pub async fn drafts(&self) -> Result<Vec<Draft>, Error> {
        let read = self.0.store.read(|connection| {
            let mut rows =
                connection.prepare("SELECT place, text, basis FROM drafts ORDER BY turn DESC")?;
            let drafts = rows.query_map([], |row| {
                Ok(Draft {
                    place: row.get(0)?,
                    text: row.get(1)?,
                    basis: row.get(2)?,
                })
            })?;
            Ok(drafts.collect::<Result<_, _>>()?)
        });
        read.await.map_err(of_store)
    }

    /// Keeps `draft` in the place of what was typed there before. When this returns `Ok`, it survives the end of the
    /// process. Of all drafts the last 500 are kept, and of those the last 16 MiB.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when it is larger than 2 MiB with what it was made from, or its place has no name or one of more
    /// than 4 KiB; [`Code::Store`] when it can't be written.
    pub async fn keep_draft(&self, draft: Draft) -> Result<(), Error> {
        let bytes = draft.text.len() + draft.basis.as_ref().map_or(0, String::len);
        if bytes > TEXT_LIMIT {
            return Err(too_large("text", bytes, TEXT_LIMIT));
        }
        if draft.place.is_empty() {
            return Err(Error::new(
                Code::BadParams,
                "`place` is empty: a draft is kept under a name",
            ));
        }
        if draft.place.len() > PLACE_LIMIT {
            return Err(too_large("place", draft.place.len(), PLACE_LIMIT));
        }
        self.write_drafts(move |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO drafts (place, bytes, text, basis) VALUES (?1, ?2, ?3, ?4)",
                params![draft.place, whole(bytes), draft.text, draft.basis],
            )?;
            Ok(())
        })
        .await
    }

    /// Forgets what was typed in a place: it was sent, saved or thrown away.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when the database can't be written.
    pub async fn drop_draft(&self, place: String) -> Result<(), Error> {
        self.write_drafts(move |transaction| {
            transaction.execute("DELETE FROM drafts WHERE place = ?1", [place])?;
            Ok(())
        })
        .await
    }

    /// Changes the drafts and lets the oldest go until the others are few and small enough.
    async fn write_drafts<F>(&self, change: F) -> Result<(), Error>
    where
        F: FnOnce(&store::sql::Transaction<'_>) -> Result<(), StoreError> + Send + 'static,
    {
        let written = self.0.store.write(move |transaction| {
            change(transaction)?;
            transaction.execute(
                "DELETE FROM drafts WHERE turn <= (
                     SELECT max(turn) FROM (
                         SELECT turn,
                             row_number() OVER newest AS nth,
                             sum(bytes) OVER newest AS together
                         FROM drafts WINDOW newest AS (ORDER BY turn DESC)
                     ) WHERE nth > ?1 OR together > ?2
                 )",
                [whole(KEPT), whole(KEPT_BYTES)],
            )?;
            Ok(())
        });
        written.await.map_err(of_store)
    }
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn too_large(field: &str, bytes: usize, limit: usize) -> Error {
    Error::new(
        Code::BadParams,
        format!("`{field}` has {bytes} bytes, at most {limit} are kept as a draft"),
    )
}

fn of_store(error: StoreError) -> Error {
    Error::from_chain(Code::Store, &error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::opened;

    fn draft(place: &str, text: &str) -> Draft {
        Draft {
            place: place.to_owned(),
            text: text.to_owned(),
            basis: None,
        }
    }

    async fn places(app: &App) -> Vec<String> {
        let drafts = app.drafts().await.expect("read");
        drafts.into_iter().map(|draft| draft.place).collect()
    }

    #[tokio::test]
    async fn what_was_typed_is_there_after_a_restart_until_it_is_dropped() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let flow = Draft {
            basis: Some("name: ship".to_owned()),
            ..draft("flow:/a", "name: ship it")
        };
        let app = opened(home.path()).await;
        assert_eq!(app.drafts().await, Ok(Vec::new()));
        app.keep_draft(draft("flow:/a", "name: s"))
            .await
            .expect("kept");
        app.keep_draft(draft("agent:b", "look at"))
            .await
            .expect("kept");
        app.keep_draft(flow.clone()).await.expect("kept");
        app.shutdown().await;
        drop(app);

        let again = opened(home.path()).await;
        let both = vec![flow, draft("agent:b", "look at")];
        assert_eq!(again.drafts().await, Ok(both));
        again
            .drop_draft("flow:/a".to_owned())
            .await
            .expect("dropped");
        again.drop_draft("nobody's".to_owned()).await.expect("fine");
        assert_eq!(places(&again).await, ["agent:b"]);
    }

    #[tokio::test]
    async fn the_oldest_go_when_there_are_too_many_or_too_much() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        for number in 0..=KEPT {
            app.keep_draft(draft(&number.to_string(), ""))
                .await
                .expect("kept");
        }
        let kept = places(&app).await;
        assert_eq!((kept.len(), kept[KEPT - 1].as_str()), (KEPT, "1"));
        // What is written again is new.
        app.keep_draft(draft("1", "again")).await.expect("kept");
        app.keep_draft(draft("more", "")).await.expect("kept");
        let kept = places(&app).await;
        assert_eq!(kept[..3], ["more", "1", "500"]);
        assert_eq!(kept.last().map(String::as_str), Some("3"));

        let large = "x".repeat(TEXT_LIMIT);
        for number in 0..=(KEPT_BYTES / TEXT_LIMIT) {
            app.keep_draft(draft(&format!("large {number}"), &large))
                .await
                .expect("kept");
        }
        let kept = places(&app).await;
        assert_eq!(kept.len(), KEPT_BYTES / TEXT_LIMIT);
        assert_eq!(kept.last().map(String::as_str), Some("large 1"));
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused_with_its_field() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        let with_basis = Draft {
            basis: Some("x".to_owned()),
            ..draft("flow:/a", &"x".repeat(TEXT_LIMIT))
        };
        let long_place = draft(&"x".repeat(PLACE_LIMIT + 1), "");
        for (refused, said) in [
            (with_basis, "`text` has 2097153 bytes"),
            (long_place, "`place` has 4097 bytes"),
            (draft("", "text"), "`place` is empty"),
        ] {
            let error = app.keep_draft(refused).await.expect_err("refused");
            assert_eq!(error.code, Code::BadParams);
            assert!(error.message.contains(said), "{}", error.message);
        }
        assert_eq!(places(&app).await, [""; 0]);
    }
}
