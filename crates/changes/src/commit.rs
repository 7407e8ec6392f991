//! Commits: git makes them, with the person's hooks, signing and name.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::index::Staged;
use crate::worktree::{ChangesError, Worktree, said, text_of};

/// What is to be committed, and with which words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CommitRequest {
    /// The message; empty, for an amended commit: the one that it has.
    pub message: String,
    /// In the place of the last commit.
    #[serde(default)]
    pub amend: bool,
    /// All that changed, new files included, in the place of what is staged.
    #[serde(default)]
    pub all: bool,
}

/// A commit that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Committed {
    /// Its id.
    pub commit: String,
    /// The first line of its message, as the hooks left it.
    pub subject: String,
    /// What the hooks printed, and git.
    pub said: String,
}

impl Worktree {
    /// Has git commit, as the person would. When it does not come to that, because a hook says no, for one, what is staged is what
    /// was staged before.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NotCommitted`] with all that git and the hooks printed.
    pub fn commit(&self, request: &CommitRequest) -> Result<Committed, ChangesError> {
        let not = |why: String| ChangesError::NotCommitted {
            worktree: self.root().to_owned(),
            why,
        };
        let keeps_its_words = request.message.trim().is_empty();
        if keeps_its_words && !request.amend {
            return Err(not("a commit needs a message".to_owned()));
        }
        let before = match request.all {
            true => Some(self.stage_all().map_err(not)?),
            false => None,
        };
        let mut args = vec!["commit", "--quiet"];
        if request.amend {
            args.push("--amend");
        }
        args.extend(match keeps_its_words {
            true => &["--no-edit"][..],
            false => &["--file=-"],
        });
        let done = self.act_at_length(&args, request.message.as_bytes());
        let made = done.and_then(|output| match output.status.success() {
            true => Ok(said(&output)),
            false => Err(match said(&output) {
                told if told.is_empty() => format!("git ended with {}", output.status),
                told => told,
            }),
        });
        let said = match (made, before) {
            (Ok(said), _) => said,
            (Err(why), None) => return Err(not(why)),
            (Err(why), Some(before)) => {
                let put_back = before.put_back();
                let more = put_back.map_or_else(
                    |error| format!("\nall is staged now: {error}"),
                    |()| String::new(),
                );
                return Err(not(format!("{why}{more}")));
            }
        };
        let told = self
            .ask(["log", "-1", "--format=%H%n%s"])
            .map_err(self.refused("name the commit"))?;
        let told = text_of(&told);
        let (commit, subject) = told.split_once('\n').unwrap_or((&told, ""));
        Ok(Committed {
            commit: commit.to_owned(),
            subject: subject.to_owned(),
            said,
        })
    }

    /// Gives the message of the last commit; none before the first.
    pub fn last_message(&self) -> Option<String> {
        let told = self.ask(["log", "-1", "--format=%B"]);
        told.ok().map(|told| text_of(&told))
    }

    /// Stages all that changed; gives what was staged before.
    fn stage_all(&self) -> Result<Staged, String> {
        let unmerged = self.ask(["ls-files", "--unmerged", "-z"])?;
        if !unmerged.is_empty() {
            return Err(
                "a merge left files to be resolved: stage them, one by one, when they are"
                    .to_owned(),
            );
        }
        let before = Staged::read(self.index_place()?);
        let before = before.map_err(|error| format!("the index can't be read: {error}"))?;
        self.act_with(&["add", "--all"], &[])?;
        Ok(before)
    }
}
