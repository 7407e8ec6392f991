//! What a person has looked at of what worktrees changed: a file counts as that until its content is another.

use std::path::PathBuf;

use ::changes::{Look, View, Worktree};
use clock::Clock;
use git::RepoPath;
use serde::{Deserialize, Serialize};
use specta::Type;
use store::sql::params;
use store::{Schema, StoreError};

use crate::blocking::blocking;
use crate::changes::{open, told};
use crate::window_state::{json, read};
use crate::{App, Code, Error};

/// Where it is kept, by the root of the worktree and the path in it.
pub(crate) const SCHEMA: Schema = Schema {
    room: "looks",
    migrations: &["CREATE TABLE looked_at (
        worktree TEXT NOT NULL,
        path BLOB NOT NULL,
        look TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (worktree, path)
    ) WITHOUT ROWID"],
};

/// Looks are kept this long.
const KEPT_MS: u64 = 180 * 24 * 3600 * 1000;

/// A file that a person looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct LookedAt {
    /// The file.
    pub path: String,
    /// It is still what it was then.
    pub still: bool,
}

impl App {
    /// Keeps that a person looked at files as they are now, or that they did not. When this returns `Ok`, it is kept for half a
    /// year.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when `worktree` is in none, [`Code::Store`] when it can't be written.
    pub async fn look_at(
        &self,
        worktree: PathBuf,
        view: View,
        files: Vec<String>,
        looked: bool,
    ) -> Result<(), Error> {
        let now = Clock::system().now_ms();
        let (root, looks) = blocking(move || {
            let worktree = open(&worktree)?;
            let looks = files.iter().map(|name| {
                let path = worktree.path_of(view, name).map_err(told)?;
                let look = looked.then(|| worktree.look(&path, now));
                Ok((path, look))
            });
            let looks: Vec<_> = looks.collect::<Result<_, Error>>()?;
            Ok((root_of(&worktree), looks))
        })
        .await?;
        self.write_looks(root, looks, now).await
    }

    /// Lists the files of a worktree that a person looked at, and whether they are still what they were then.
    ///
    /// A file that nobody wrote since is not read again.
    ///
    /// # Errors
    ///
    /// As [`App::look_at`].
    pub async fn looked_at(&self, worktree: PathBuf) -> Result<Vec<LookedAt>, Error> {
        let worktree = blocking(move || open(&worktree)).await?;
        let root = root_of(&worktree);
        let kept = self.0.store.read({
            let root = root.clone();
            move |connection| {
                let mut rows = connection.prepare(
                    "SELECT path, look FROM looked_at WHERE worktree = ?1 ORDER BY path",
                )?;
                let rows = rows.query_map([root], |row| {
                    Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?))
                })?;
                Ok(rows.collect::<Result<Vec<_>, _>>()?)
            }
        });
        let kept = kept.await.map_err(of_store)?;
        let now = Clock::system().now_ms();
        let (listed, newer) = blocking(move || {
            let (mut listed, mut newer) = (Vec::new(), Vec::new());
            for (path, look) in kept {
                // What another version kept and this one can't read is as if nobody had looked.
                let (path, Some(look)) = (RepoPath::new(path), read::<Look>(Some(look))) else {
                    continue;
                };
                let (still, look) = worktree.is_still(&path, &look, now);
                listed.push(LookedAt {
                    path: path.to_string(),
                    still,
                });
                newer.extend(look.map(|look| (path, Some(look))));
            }
            Ok((listed, newer))
        })
        .await?;
        if !newer.is_empty() {
            self.write_looks(root, newer, now).await?;
        }
        Ok(listed)
    }

    async fn write_looks(
        &self,
        root: String,
        looks: Vec<(RepoPath, Option<Look>)>,
        now_ms: u64,
    ) -> Result<(), Error> {
        let written = self.0.store.write(move |transaction| {
            let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
            for (path, look) in &looks {
                match look {
                    Some(look) => transaction.execute(
                        "INSERT OR REPLACE INTO looked_at (worktree, path, look, at_ms) VALUES (?1, ?2, ?3, ?4)",
                        params![root, path.as_bytes(), json(look), now],
                    )?,
                    None => transaction.execute(
                        "DELETE FROM looked_at WHERE worktree = ?1 AND path = ?2",
                        params![root, path.as_bytes()],
                    )?,
                };
            }
            let oldest = i64::try_from(now_ms.saturating_sub(KEPT_MS)).unwrap_or(0);
            transaction.execute("DELETE FROM looked_at WHERE at_ms < ?1", [oldest])?;
            Ok(())
        });
        written.await.map_err(of_store)
    }
}

fn root_of(worktree: &Worktree) -> String {
    worktree.root().display().to_string()
}

fn of_store(error: StoreError) -> Error {
    Error::from_chain(Code::Store, &error)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::testing::opened;
    use crate::worktrees::git;

    async fn looked(app: &App, root: &Path) -> Vec<(String, bool)> {
        let listed = app.looked_at(root.to_owned()).await.expect("listed");
        listed
            .into_iter()
            .map(|one| (one.path, one.still))
            .collect()
    }

    #[tokio::test]
    async fn a_file_was_looked_at_until_its_content_is_another_and_after_a_restart() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let root = home.path().join("shop");
        fs::create_dir(&root).expect("made");
        git(&root, ["init", "-q", "."]).await.expect("a repository");
        for name in ["a", "b", "c"] {
            fs::write(root.join(name), name).expect("written");
        }
        let app = opened(&home.path().join("data")).await;
        let look = async |app: &App, names: &[&str], looked| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            app.look_at(root.clone(), View::Untracked, names, looked)
                .await
                .expect("kept");
        };
        look(&app, &["a", "b", "c", "gone"], true).await;
        look(&app, &["c"], false).await;
        app.shutdown().await;
        drop(app);

        let app = opened(&home.path().join("data")).await;
        let told = |a, b, gone| {
            [("a", a), ("b", b), ("gone", gone)].map(|(name, still)| (name.to_owned(), still))
        };
        assert_eq!(looked(&app, &root).await, told(true, true, true));
        // As many bytes, in the same moment; the same ones, written again; one that came.
        fs::write(root.join("a"), "A").expect("written");
        fs::write(root.join("b"), "b").expect("written");
        fs::write(root.join("gone"), "").expect("written");
        assert_eq!(looked(&app, &root).await, told(false, true, false));
        // What it was is what was looked at.
        fs::write(root.join("a"), "a").expect("written");
        assert_eq!(looked(&app, &root).await, told(true, true, false));
    }
}
