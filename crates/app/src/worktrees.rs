//! Worktrees, made for somebody who is to work in one, listed with what would be lost with each, and ended.

mod set_up;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use ::agents::AgentStatus;
use ::changes::{ListedWorktree, NewWorktree, Removal, Removed, Worktree};
use clock::Clock;
use serde::{Deserialize, Serialize};
use specta::Type;
use terminal::ask::{Close, List};
use terminal::{PaneId, PaneInfo, PaneState};

use crate::blocking::blocking;
use crate::changes::{open, snapshots, told};
use crate::{App, Code, Error};

/// A worktree that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct MadeWorktree {
    /// Its directory.
    pub path: String,
    /// The branch that it is on.
    pub branch: String,
    /// What was copied into it from the main worktree.
    pub copied: Vec<String>,
    /// What was not, and why.
    pub left_out: Vec<String>,
    /// The command lines that are to be run in it, one after the other, as the repository says. They were not run.
    pub run: Vec<String>,
}

/// What works in a worktree, and would be pulled the ground from under.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AtWork {
    /// Panes whose program runs: a name for each.
    pub panes: Vec<String>,
    /// Agents in the middle of a turn: a name for each.
    pub agents: Vec<String>,
}

/// A worktree, with what works in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WorktreeRow {
    /// The worktree.
    #[serde(flatten)]
    pub worktree: ListedWorktree,
    /// What works there.
    pub at_work: AtWork,
}

/// How a worktree is to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct RemoveWorktree {
    /// Its branch goes as well.
    pub branch: bool,
    /// Also what is nowhere else; files are kept for a month.
    pub lose: bool,
    /// The panes in it are closed, and the turns of agents are stopped.
    pub close: bool,
}

/// A worktree that is merged, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PrunedWorktree {
    /// Where it is, or was.
    pub path: String,
    /// Its branch.
    pub branch: Option<String>,
    /// Why it stays; none: it went, or would go.
    pub stays: Option<String>,
}

impl AtWork {
    fn is_nobody(&self) -> bool {
        self.panes.is_empty() && self.agents.is_empty()
    }

    fn in_words(&self) -> String {
        self.panes
            .iter()
            .chain(&self.agents)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl App {
    /// Makes a worktree with a branch of its own, beside the main checkout: `name` names both.
    ///
    /// # Errors
    ///
    /// As [`App::make_worktree`].
    pub async fn add_worktree(&self, directory: &str, name: &str) -> Result<MadeWorktree, Error> {
        let new = NewWorktree {
            branch: name.to_owned(),
            base: None,
            path: None,
        };
        self.make_worktree(directory.into(), new, false).await
    }

    /// Makes a worktree of the repository that `directory` is in. `set_up`: with what `.switchyard/worktree.yaml` of the main
    /// worktree says; the commands in it are told, and not run.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when `directory` is in no repository, [`Code::BadParams`] when the name can't name a branch,
    /// [`Code::BadFile`] when the set-up can't be read, [`Code::Refused`] with git's words. Then nothing was made.
    pub async fn make_worktree(
        &self,
        directory: PathBuf,
        new: NewWorktree,
        set_up: bool,
    ) -> Result<MadeWorktree, Error> {
        blocking(move || make_worktree(&open(&directory)?, &new, set_up)).await
    }

    /// Lists the worktrees of the repository that `directory` is in, with what would be lost with each, and what works there.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when `directory` is in no repository, [`Code::Failed`] when git does not answer.
    pub async fn list_worktrees(&self, directory: PathBuf) -> Result<Vec<WorktreeRow>, Error> {
        let listed = blocking(move || list_worktrees(&open(&directory)?)).await?;
        let mut rows = Vec::new();
        for worktree in listed {
            let at_work = self.at_work(&worktree.path).await?;
            rows.push(WorktreeRow { worktree, at_work });
        }
        Ok(rows)
    }

    /// How many bytes a worktree takes on the disk.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is none.
    pub async fn worktree_size(&self, worktree: PathBuf) -> Result<u64, Error> {
        blocking(move || Ok(open(&worktree)?.size())).await
    }

    /// Gives a worktree's branch another name.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when it can't name a branch, [`Code::Refused`] with git's words.
    pub async fn rename_worktree(&self, worktree: PathBuf, branch: String) -> Result<(), Error> {
        blocking(move || rename_worktree(&open(&worktree)?, &branch)).await
    }

    /// Ends a worktree. What is nowhere else and what works there keep it from that, unless they are said to go.
    ///
    /// # Errors
    ///
    /// [`Code::Refused`] says what would be lost, or what works there; then nothing was done. Else as
    /// [`App::worktree_changes`].
    pub async fn remove_worktree(
        &self,
        worktree: PathBuf,
        how: RemoveWorktree,
    ) -> Result<Removed, Error> {
        let asked = worktree.clone();
        let told_of = blocking(move || open(&asked)?.told().map_err(told)).await?;
        let at_work = self.at_work(&told_of.path).await?;
        if !at_work.is_nobody() && !how.close {
            return Err(Error::new(
                Code::Refused,
                format!(
                    "could not remove the worktree `{}`: there is work in it: {}",
                    told_of.path,
                    at_work.in_words()
                ),
            ));
        }
        let removal = Removal {
            branch: how.branch,
            lose: how.lose,
        };
        if !at_work.is_nobody() {
            // What would be lost is said while all still works.
            let asked = worktree.clone();
            blocking(move || open(&asked)?.may_be_removed(removal).map_err(told)).await?;
            self.end_work(&told_of.path).await?;
        }
        let paths = self.0.paths.clone();
        blocking(move || {
            let now = Clock::system().now_ms();
            let kept = snapshots(&paths);
            open(&worktree)?.remove(removal, &kept, now).map_err(told)
        })
        .await
    }

    /// Ends the worktrees whose work is merged, with their branches, when nothing in them is nowhere else and nobody works
    /// there; and has git forget those whose directories are gone. `really`: else it only says which.
    ///
    /// # Errors
    ///
    /// As [`App::list_worktrees`].
    pub async fn prune_worktrees(
        &self,
        directory: PathBuf,
        really: bool,
    ) -> Result<Vec<PrunedWorktree>, Error> {
        let mut all = Vec::new();
        for row in self.list_worktrees(directory.clone()).await? {
            let one = row.worktree;
            if one.main || (one.present && !one.merged.is_all_there()) {
                continue;
            }
            let stays = match (&one.locked, &one.unknown) {
                (Some(_), _) => Some("it is locked".to_owned()),
                (_, Some(why)) => Some(why.clone()),
                _ if !one.holds.is_nothing() => Some(format!("it holds {}", one.holds)),
                _ if !row.at_work.is_nobody() => {
                    Some(format!("there is work in it: {}", row.at_work.in_words()))
                }
                _ => None,
            };
            let mut pruned = PrunedWorktree {
                path: one.path,
                branch: one.branch,
                stays,
            };
            if really && one.present && pruned.stays.is_none() {
                let how = RemoveWorktree {
                    branch: true,
                    ..RemoveWorktree::default()
                };
                let done = self.remove_worktree(PathBuf::from(&pruned.path), how).await;
                pruned.stays = done.err().map(|error| error.message);
            }
            all.push(pruned);
        }
        if really {
            blocking(move || open(&directory)?.forget_missing().map_err(told)).await?;
        }
        Ok(all)
    }

    /// What works below a directory.
    async fn at_work(&self, root: &str) -> Result<AtWork, Error> {
        let panes = self.panes_below(root).await?;
        let panes = panes.iter().map(|pane| {
            let program = pane
                .program
                .first()
                .map_or("", |name| name.rsplit('/').next().unwrap_or(name));
            let name = pane.name.as_deref().unwrap_or(program);
            format!("pane {} ({name})", pane.id.0)
        });
        let agents = self.agents_below(root).await;
        let agents = agents.iter().map(|agent| match &agent.title {
            Some(title) => format!("the agent “{title}”"),
            None => format!("an agent of {}", agent.provider),
        });
        Ok(AtWork {
            panes: panes.collect(),
            agents: agents.collect(),
        })
    }

    async fn panes_below(&self, root: &str) -> Result<Vec<PaneInfo>, Error> {
        let mut panes = self.ask(List).await?;
        panes.retain(|pane| {
            matches!(pane.state, PaneState::Running { .. })
                && Path::new(&pane.cwd).starts_with(root)
        });
        Ok(panes)
    }

    /// The agents in the middle of a turn; none are known when their file can't be used.
    async fn agents_below(&self, root: &str) -> Vec<::agents::AgentInfo> {
        let known = self.known_agents().await.unwrap_or_default();
        let agents = known.into_iter().flat_map(|backend| backend.agents);
        agents
            .filter(|agent| {
                let works = matches!(
                    agent.status,
                    AgentStatus::Starting | AgentStatus::Working | AgentStatus::NeedsYou
                );
                works && Path::new(&agent.cwd).starts_with(root)
            })
            .collect()
    }

    /// Closes the panes below a directory, and stops the turns of agents there.
    async fn end_work(&self, root: &str) -> Result<(), Error> {
        for agent in self.agents_below(root).await {
            self.stop_agent(&agent.backend, &agent.id).await?;
        }
        for pane in self.panes_below(root).await? {
            self.close(pane.id).await?;
        }
        Ok(())
    }

    async fn close(&self, pane: PaneId) -> Result<(), Error> {
        match self.ask(Close(pane)).await {
            // It has ended meanwhile.
            Err(error) if error.code == Code::BadId => Ok(()),
            closed => closed,
        }
    }
}

/// Makes a worktree, without an [`App`].
///
/// # Errors
///
/// As [`App::make_worktree`].
pub fn make_worktree(
    from: &Worktree,
    new: &NewWorktree,
    with_set_up: bool,
) -> Result<MadeWorktree, Error> {
    let main = from.main().map_err(told)?;
    // What is wrong with it is said before there is anything.
    let set_up = match with_set_up {
        true => set_up::read(main.root())?,
        false => set_up::SetUp::default(),
    };
    let made = from.add(new).map_err(told)?;
    let set_up::Copied { copied, left_out } = set_up.copy(main.root(), made.root());
    Ok(MadeWorktree {
        path: made.root().display().to_string(),
        branch: new.branch.trim().to_owned(),
        copied,
        left_out,
        run: set_up.run().to_vec(),
    })
}

/// Gives a worktree's branch another name, without an [`App`].
///
/// # Errors
///
/// As [`App::rename_worktree`].
pub fn rename_worktree(worktree: &Worktree, branch: &str) -> Result<(), Error> {
    worktree.rename(branch).map_err(told)
}

/// Lists worktrees, without an [`App`], and so without what works there.
///
/// # Errors
///
/// [`Code::Failed`] when git does not answer.
pub fn list_worktrees(of: &Worktree) -> Result<Vec<ListedWorktree>, Error> {
    of.all().map_err(told)
}

/// Makes a worktree at `path` with a new branch, of the repository that `directory` is in.
///
/// # Errors
///
/// [`Code::Refused`] with git's words.
pub(crate) async fn add(directory: &Path, branch: &str, path: &Path) -> Result<(), Error> {
    let adding = ["worktree", "add", "-b", branch, "--"].map(OsStr::new);
    git(directory, adding.into_iter().chain([path.as_os_str()]))
        .await
        .map(drop)
        .map_err(|error| Error::new(Code::Refused, error.message))
}

/// Runs git in a directory; what it prints, or its last words as an error.
pub(crate) async fn git(
    directory: &Path,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<String, Error> {
    let ran = tokio::process::Command::new("git")
        .args(args)
        .current_dir(directory)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| {
            Error::new(
                Code::BadParams,
                format!("git could not be run in `{}`: {error}", directory.display()),
            )
        })?;
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    Err(Error::new(
        Code::BadParams,
        format!(
            "`{}`: {}",
            directory.display(),
            said.trim().lines().last().unwrap_or("git failed")
        ),
    ))
}

/// The main checkout, which `git worktree list --porcelain -z` names first.
pub(crate) fn main_of(listed: &str) -> Option<&Path> {
    listed
        .split('\0')
        .find_map(|line| line.strip_prefix("worktree "))
        .map(Path::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_checkout_is_named_first() {
        let listed = "worktree /w/ma in\0HEAD 1\0branch refs/heads/main\0\0worktree /w/b\0HEAD 2\0detached\0\0";
        assert_eq!(main_of(listed), Some(Path::new("/w/ma in")));
        assert_eq!(main_of(""), None);
    }
}
