//! What a person has to say about lines that a worktree changed: kept until it is answered, or taken away.

use std::path::PathBuf;

use clock::Clock;
use serde::{Deserialize, Serialize};
use specta::Type;
use store::sql::{OptionalExtension as _, Transaction, params};
use store::{Schema, StoreError};

use crate::blocking::blocking;
use crate::changes::open;
use crate::window_state::{json, read};
use crate::{App, Code, Error, News};

/// Where they are kept, by the root of the worktree.
pub(crate) const SCHEMA: Schema = Schema {
    room: "remarks",
    migrations: &["CREATE TABLE remarks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        worktree TEXT NOT NULL,
        remark TEXT NOT NULL,
        answered_ms INTEGER
    );
    CREATE INDEX remarks_of ON remarks (worktree)"],
};

/// A remark of this size is no longer written by a person, nor are the lines that it is about chosen by one.
const TEXT_LIMIT: usize = 64 << 10;

/// So many are kept of one worktree.
const MOST: i64 = 1000;

/// Remarks that were answered are kept this long.
const KEPT_MS: u64 = 30 * 24 * 3600 * 1000;

/// Names a remark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct RemarkId(#[specta(type = u32)] pub i64);

/// On which side of a change lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ChangeSide {
    /// As they were.
    Old,
    /// As they are.
    New,
}

/// The lines that a remark is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RemarkedLines {
    /// The file.
    pub path: String,
    /// On which side of the change.
    pub side: ChangeSide,
    /// The number of the first one.
    pub first: u32,
    /// Each of them, as it was when the remark was written: a remark stays with its lines, whatever their numbers.
    pub lines: Vec<String>,
}

/// A remark on lines that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Remark {
    /// Its name.
    pub id: RemarkId,
    /// What of it is kept.
    #[serde(flatten)]
    pub kept: KeptRemark,
    /// When it was answered, in milliseconds since 1970.
    pub answered_ms: Option<u64>,
}

/// What is kept of a remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct KeptRemark {
    /// What it is about.
    pub about: RemarkedLines,
    /// What the person says.
    pub text: String,
    /// To whom it was handed.
    pub sent: Option<SentRemark>,
}

/// To whom a remark was handed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SentRemark {
    /// Who it is, in the page's words.
    pub to: String,
    /// What people call them.
    pub name: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

/// What becomes of remarks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum RemarkChange {
    /// It says something else, and has not been sent.
    Text {
        /// What it says.
        text: String,
    },
    /// They were handed to somebody.
    Sent {
        /// Who it is, in the page's words.
        to: String,
        /// What people call them.
        name: String,
    },
    /// They are answered.
    Answered,
    /// They are taken away.
    Gone,
}

impl App {
    /// Lists the remarks on what a worktree changed, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when `worktree` is in none, [`Code::Store`] when they can't be read.
    pub async fn list_remarks(&self, worktree: PathBuf) -> Result<Vec<Remark>, Error> {
        let root = root_of(worktree).await?;
        let read = self.0.store.read(move |connection| {
            let mut rows = connection.prepare(
                "SELECT id, remark, answered_ms FROM remarks WHERE worktree = ?1 ORDER BY id",
            )?;
            let rows = rows.query_map([root], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok(rows.collect::<Result<Vec<(i64, String, Option<i64>)>, _>>()?)
        });
        let rows = read.await.map_err(of_store)?;
        // What another version kept and this one can't read is not shown, and not lost.
        let remarks = rows.into_iter().filter_map(|(id, kept, answered)| {
            Some(Remark {
                id: RemarkId(id),
                kept: read_kept(kept)?,
                answered_ms: answered.and_then(|at| u64::try_from(at).ok()),
            })
        });
        Ok(remarks.collect())
    }

    /// Keeps a remark on lines that a worktree changed. When this returns `Ok`, it survives the end of the process.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when it says nothing, is about no line, or is too large; [`Code::Refused`] when there are
    /// too many. Else as [`App::list_remarks`].
    pub async fn add_remark(
        &self,
        worktree: PathBuf,
        about: RemarkedLines,
        text: String,
    ) -> Result<RemarkId, Error> {
        check_text(&text)?;
        if about.lines.is_empty() || about.first == 0 {
            return Err(bad("`about` names no line"));
        }
        let bytes: usize = about.lines.iter().map(|line| line.len() + 1).sum();
        if bytes + about.path.len() > TEXT_LIMIT {
            let told = format!("`about` has {bytes} bytes of lines, at most {TEXT_LIMIT} are kept");
            return Err(bad(&told));
        }
        let root = root_of(worktree).await?;
        let kept = KeptRemark {
            about,
            text,
            sent: None,
        };
        let of = root.clone();
        let written = self.0.store.write(move |transaction| {
            let count: i64 = transaction.query_row(
                "SELECT count(*) FROM remarks WHERE worktree = ?1",
                [&of],
                |row| row.get(0),
            )?;
            if count >= MOST {
                return Ok(None);
            }
            transaction.execute(
                "INSERT INTO remarks (worktree, remark) VALUES (?1, ?2)",
                params![of, json(&kept)],
            )?;
            Ok(Some(transaction.last_insert_rowid()))
        });
        let Some(id) = written.await.map_err(of_store)? else {
            let told = format!("there are {MOST} remarks on this worktree already");
            return Err(Error::new(Code::Refused, told));
        };
        self.emit(News::Touched(Some(vec![root])));
        Ok(RemarkId(id))
    }

    /// Changes remarks of a worktree; those that are gone are passed over.
    ///
    /// # Errors
    ///
    /// As [`App::add_remark`].
    pub async fn change_remarks(
        &self,
        worktree: PathBuf,
        remarks: Vec<RemarkId>,
        change: RemarkChange,
    ) -> Result<(), Error> {
        if let RemarkChange::Text { text } = &change {
            check_text(text)?;
        }
        let root = root_of(worktree).await?;
        let of = root.clone();
        let now_ms = Clock::system().now_ms();
        let written = self.0.store.write(move |transaction| {
            for RemarkId(id) in remarks {
                change_one(transaction, &of, id, &change, now_ms)?;
            }
            let oldest = whole(now_ms.saturating_sub(KEPT_MS));
            transaction.execute("DELETE FROM remarks WHERE answered_ms < ?1", [oldest])?;
            Ok(())
        });
        written.await.map_err(of_store)?;
        self.emit(News::Touched(Some(vec![root])));
        Ok(())
    }

    /// Marks all that was handed to somebody, in whichever worktree, as answered: they came to an end with it.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when it can't be written.
    pub async fn answered_remarks(&self, to: String) -> Result<(), Error> {
        let now = whole(Clock::system().now_ms());
        let written = self.0.store.write(move |transaction| {
            let mut rows = transaction.prepare(
                "UPDATE remarks SET answered_ms = ?1
                 WHERE answered_ms IS NULL AND remark ->> '$.sent.to' = ?2 RETURNING worktree",
            )?;
            let worktrees = rows.query_map(params![now, to], |row| row.get(0))?;
            Ok(worktrees.collect::<Result<Vec<String>, _>>()?)
        });
        let mut worktrees = written.await.map_err(of_store)?;
        worktrees.sort();
        worktrees.dedup();
        if !worktrees.is_empty() {
            self.emit(News::Touched(Some(worktrees)));
        }
        Ok(())
    }
}

fn change_one(
    transaction: &Transaction<'_>,
    root: &str,
    id: i64,
    change: &RemarkChange,
    now_ms: u64,
) -> Result<(), StoreError> {
    let found = transaction.query_row(
        "SELECT remark FROM remarks WHERE id = ?1 AND worktree = ?2",
        params![id, root],
        |row| row.get(0),
    );
    let Some(mut kept) = found.optional()?.and_then(read_kept) else {
        return Ok(());
    };
    match change {
        RemarkChange::Gone => {
            transaction.execute("DELETE FROM remarks WHERE id = ?1", [id])?;
            return Ok(());
        }
        RemarkChange::Answered => {
            let now = whole(now_ms);
            transaction.execute(
                "UPDATE remarks SET answered_ms = ?2 WHERE id = ?1",
                params![id, now],
            )?;
            return Ok(());
        }
        RemarkChange::Text { text } => {
            kept.text.clone_from(text);
            kept.sent = None;
        }
        RemarkChange::Sent { to, name } => {
            kept.sent = Some(SentRemark {
                to: to.clone(),
                name: name.clone(),
                at_ms: now_ms,
            });
        }
    }
    // What is said anew is to be answered anew.
    transaction.execute(
        "UPDATE remarks SET remark = ?2, answered_ms = NULL WHERE id = ?1",
        params![id, json(&kept)],
    )?;
    Ok(())
}

fn read_kept(kept: String) -> Option<KeptRemark> {
    read(Some(kept))
}

fn check_text(text: &str) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(bad("`text` says nothing"));
    }
    if text.len() > TEXT_LIMIT {
        let bytes = text.len();
        let told = format!("`text` has {bytes} bytes, at most {TEXT_LIMIT} are kept as a remark");
        return Err(bad(&told));
    }
    Ok(())
}

async fn root_of(worktree: PathBuf) -> Result<String, Error> {
    blocking(move || Ok(open(&worktree)?.root().display().to_string())).await
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn bad(message: &str) -> Error {
    Error::new(Code::BadParams, message)
}

fn of_store(error: StoreError) -> Error {
    Error::from_chain(Code::Store, &error)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::testing::opened;
    use crate::worktrees::git;

    async fn repository(home: &Path) -> PathBuf {
        let root = home.join("shop");
        std::fs::create_dir(&root).expect("made");
        git(&root, ["init", "-q", "."]).await.expect("a repository");
        root
    }

    fn about(path: &str, lines: &[&str]) -> RemarkedLines {
        RemarkedLines {
            path: path.to_owned(),
            side: ChangeSide::New,
            first: 7,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    /// What each says, to whom it went, and whether it is answered.
    async fn told(app: &App, root: &Path) -> Vec<(String, Option<String>, bool)> {
        let listed = app.list_remarks(root.to_owned()).await.expect("listed");
        listed
            .into_iter()
            .map(|one| {
                let to = one.kept.sent.map(|sent| sent.to);
                (one.kept.text, to, one.answered_ms.is_some())
            })
            .collect()
    }

    fn row(text: &str, to: Option<&str>, answered: bool) -> (String, Option<String>, bool) {
        (text.to_owned(), to.map(str::to_owned), answered)
    }

    #[tokio::test]
    async fn a_remark_is_kept_sent_and_answered_and_is_there_after_a_restart() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let root = repository(home.path()).await;
        let data = home.path().join("data");
        let app = opened(&data).await;
        let add = async |text: &str| {
            let about = about("src/a.rs", &["let a = 1;", ""]);
            let added = app.add_remark(root.clone(), about, text.to_owned()).await;
            added.expect("kept")
        };
        let change = async |app: &App, ids: &[RemarkId], change| {
            let done = app.change_remarks(root.clone(), ids.to_vec(), change).await;
            done.expect("changed");
        };
        let [one, two, three] = [add("One").await, add("Two").await, add("Three").await];
        let sent = RemarkChange::Sent {
            to: "agent-x".to_owned(),
            name: "X".to_owned(),
        };
        change(&app, &[one, two, RemarkId(99)], sent.clone()).await;
        change(&app, &[three], RemarkChange::Gone).await;
        app.shutdown().await;
        drop(app);

        let app = opened(&data).await;
        app.answered_remarks("agent-y".to_owned())
            .await
            .expect("nobody's");
        let both = |answered| {
            vec![
                row("One", Some("agent-x"), answered),
                row("Two", Some("agent-x"), answered),
            ]
        };
        assert_eq!(told(&app, &root).await, both(false));
        app.answered_remarks("agent-x".to_owned())
            .await
            .expect("answered");
        assert_eq!(told(&app, &root).await, both(true));
        // What is said anew has not been sent, and waits for an answer of its own.
        let text = "Once more".to_owned();
        change(&app, &[one], RemarkChange::Text { text }).await;
        change(&app, &[two], sent).await;
        assert_eq!(
            told(&app, &root).await,
            [
                row("Once more", None, false),
                row("Two", Some("agent-x"), false)
            ]
        );
        change(&app, &[two], RemarkChange::Answered).await;
        assert!(told(&app, &root).await[1].2);
    }

    #[tokio::test]
    async fn what_says_nothing_or_is_too_large_is_refused_with_its_field() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let root = repository(home.path()).await;
        let app = opened(&home.path().join("data")).await;
        let large = "x".repeat(TEXT_LIMIT + 1);
        for (about, text, said) in [
            (about("a", &["x"]), " \n", "`text` says nothing"),
            (about("a", &["x"]), &*large, "`text` has 65537 bytes"),
            (about("a", &[]), "Why?", "`about` names no line"),
            (about("a", &[&large]), "Why?", "`about` has 65538 bytes"),
        ] {
            let refused = app.add_remark(root.clone(), about, text.to_owned()).await;
            let error = refused.expect_err("refused");
            assert_eq!(error.code, Code::BadParams);
            assert!(error.message.contains(said), "{}", error.message);
        }
        assert_eq!(told(&app, &root).await, []);
        let nowhere = app.list_remarks(home.path().join("nowhere")).await;
        assert_eq!(nowhere.expect_err("no worktree").code, Code::BadId);
    }
}
