//! What worktrees changed: asked when somebody looks, of whichever worktree.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::changes::{
    ActRequest, ChangesError, CommitRequest, Committed, DiffQuestion, FileDiff, Landed, Landing,
    Outlook, Snapshot, SnapshotId, Snapshots, TakenBack, View, Way, Worktree, WorktreeChanges,
};
use clock::Clock;
use git::Program;

use crate::blocking::blocking;
use crate::{App, Code, Error, Paths};

/// How long git may take for one answer.
const DEADLINE: Duration = Duration::from_secs(60);

impl App {
    /// Lists what a worktree changed, in each of these views. [`News::Touched`](crate::News::Touched) says when to ask again.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when `worktree` is in none, [`Code::BadParams`] when there is no such `base`, [`Code::Failed`] when git does
    /// not answer.
    pub async fn worktree_changes(
        &self,
        worktree: PathBuf,
        views: Vec<View>,
        base: Option<String>,
    ) -> Result<WorktreeChanges, Error> {
        blocking(move || list_changes(&open(&worktree)?, &views, base.as_deref())).await
    }

    /// Tells which lines of a file of a worktree changed.
    ///
    /// # Errors
    ///
    /// As [`App::worktree_changes`].
    pub async fn file_diff(
        &self,
        worktree: PathBuf,
        question: DiffQuestion,
    ) -> Result<FileDiff, Error> {
        blocking(move || tell_diff(&open(&worktree)?, &question)).await
    }

    /// Stages, unstages or discards changes of a worktree. What is discarded is kept before, for a month: the snapshot is returned.
    ///
    /// # Errors
    ///
    /// [`Code::Refused`] when it can't be done with what is there now, or could not be kept: then nothing was done.
    /// Else as [`App::worktree_changes`].
    pub async fn act_on_changes(
        &self,
        worktree: PathBuf,
        request: ActRequest,
    ) -> Result<Option<SnapshotId>, Error> {
        let paths = self.0.paths.clone();
        blocking(move || act_on(&open(&worktree)?, &request, &paths)).await
    }

    /// Lists what was discarded in a worktree and is still kept, the newest first.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when `worktree` is in none, [`Code::Failed`] when what is kept can't be read.
    pub async fn list_snapshots(&self, worktree: PathBuf) -> Result<Vec<Snapshot>, Error> {
        let paths = self.0.paths.clone();
        blocking(move || list_snapshots(&paths, Some(&open(&worktree)?))).await
    }

    /// Gives back what was discarded. What stands there now is kept as well: the snapshot is returned.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is no such snapshot any more. Else as [`App::act_on_changes`].
    pub async fn restore_changes(
        &self,
        worktree: PathBuf,
        snapshot: SnapshotId,
    ) -> Result<SnapshotId, Error> {
        let paths = self.0.paths.clone();
        blocking(move || restore(&paths, &open(&worktree)?, &snapshot)).await
    }

    /// Has git commit what a person decided on, with their hooks, signing and name.
    ///
    /// # Errors
    ///
    /// [`Code::Refused`] with all that git and the hooks printed. Else as [`App::worktree_changes`].
    pub async fn commit_changes(
        &self,
        worktree: PathBuf,
        request: CommitRequest,
    ) -> Result<Committed, Error> {
        blocking(move || commit(&open(&worktree)?, &request)).await
    }

    /// Gives the message of a worktree's last commit; none before the first.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when `worktree` is in none.
    pub async fn last_message(&self, worktree: PathBuf) -> Result<Option<String>, Error> {
        blocking(move || Ok(open(&worktree)?.last_message())).await
    }

    /// Tells what landing a worktree's branch, and updating it, would come to.
    ///
    /// # Errors
    ///
    /// As [`App::worktree_changes`].
    pub async fn landing_outlook(&self, worktree: PathBuf) -> Result<Vec<Outlook>, Error> {
        blocking(move || open(&worktree)?.outlook(None).map_err(told)).await
    }

    /// Merges a worktree's branch into its base, or its base into it. See [`land`].
    ///
    /// # Errors
    ///
    /// As [`land`].
    pub async fn land_changes(&self, worktree: PathBuf, landing: Landing) -> Result<Landed, Error> {
        blocking(move || land(&open(&worktree)?, &landing)).await
    }

    /// Takes the last landing or update of a worktree back. See [`take_back`].
    ///
    /// # Errors
    ///
    /// As [`land`].
    pub async fn take_back_landing(&self, worktree: PathBuf, way: Way) -> Result<TakenBack, Error> {
        blocking(move || take_back(&open(&worktree)?, way, None)).await
    }
}

/// Stages, unstages or discards, without an [`App`].
///
/// # Errors
///
/// As [`App::act_on_changes`].
pub fn act_on(
    worktree: &Worktree,
    request: &ActRequest,
    paths: &Paths,
) -> Result<Option<SnapshotId>, Error> {
    let (kept, now) = (snapshots(paths), Clock::system().now_ms());
    let done = worktree.act(request, &kept, now).map_err(told)?;
    if done.is_some()
        && let Err(error) = kept.prune(now)
    {
        tracing::warn!("snapshots that are too old are still there: {error}");
    }
    Ok(done)
}

/// Lists what was discarded, of one worktree or of all, without an [`App`].
///
/// # Errors
///
/// [`Code::Failed`] when it can't be read.
pub fn list_snapshots(paths: &Paths, worktree: Option<&Worktree>) -> Result<Vec<Snapshot>, Error> {
    let listed = snapshots(paths).list(worktree.map(Worktree::root));
    listed.map_err(told)
}

/// Gives back what was discarded, without an [`App`].
///
/// # Errors
///
/// As [`App::restore_changes`].
pub fn restore(paths: &Paths, worktree: &Worktree, id: &SnapshotId) -> Result<SnapshotId, Error> {
    let restored = snapshots(paths).restore(worktree, id, Clock::system().now_ms());
    restored.map_err(told)
}

/// Commits, without an [`App`].
///
/// # Errors
///
/// As [`App::commit_changes`].
pub fn commit(worktree: &Worktree, request: &CommitRequest) -> Result<Committed, Error> {
    worktree.commit(request).map_err(told)
}

/// Merges a worktree's branch into its base, or its base into it, without an [`App`].
///
/// # Errors
///
/// [`Code::Refused`] says what is in the way; then nothing was done. [`Code::BadParams`] when there is no such base.
pub fn land(worktree: &Worktree, landing: &Landing) -> Result<Landed, Error> {
    worktree.land(landing).map_err(told)
}

/// Takes the last landing or update back, without an [`App`].
///
/// # Errors
///
/// As [`land`].
pub fn take_back(worktree: &Worktree, way: Way, base: Option<&str>) -> Result<TakenBack, Error> {
    worktree.take_back(way, base).map_err(told)
}

pub(crate) fn snapshots(paths: &Paths) -> Snapshots {
    Snapshots::new(paths.data().join("snapshots"), program())
}

pub(crate) fn open(directory: &Path) -> Result<Worktree, Error> {
    Worktree::open(directory, program()).map_err(told)
}

/// Finds a worktree: the one that `directory` is in, or the one of the same repository that is called `name`.
///
/// # Errors
///
/// [`Code::BadId`] when there is none.
pub fn find_worktree(directory: &Path, name: Option<&str>) -> Result<Worktree, Error> {
    match name {
        Some(name) => Worktree::named(directory, name, program()).map_err(told),
        None => open(directory),
    }
}

/// Lists what a worktree changed, without an [`App`].
///
/// # Errors
///
/// As [`App::worktree_changes`].
pub fn list_changes(
    worktree: &Worktree,
    views: &[View],
    base: Option<&str>,
) -> Result<WorktreeChanges, Error> {
    worktree.list(views, base).map_err(told)
}

/// Tells which lines of a file changed, without an [`App`].
///
/// # Errors
///
/// As [`App::worktree_changes`].
pub fn tell_diff(worktree: &Worktree, question: &DiffQuestion) -> Result<FileDiff, Error> {
    worktree.diff(question).map_err(told)
}

fn program() -> Program {
    Program {
        path: PathBuf::from("git"),
        deadline: DEADLINE,
    }
}

pub(crate) fn told(error: ChangesError) -> Error {
    let code = match error {
        ChangesError::NoWorktree { .. } | ChangesError::NoSnapshot { .. } => Code::BadId,
        ChangesError::NoBase { .. } | ChangesError::BadName { .. } => Code::BadParams,
        ChangesError::Moved { .. }
        | ChangesError::Refused { .. }
        | ChangesError::NotCommitted { .. }
        | ChangesError::NotDone { .. }
        | ChangesError::NotKept { .. } => Code::Refused,
        ChangesError::Git { .. } | ChangesError::NotListed { .. } | ChangesError::Write { .. } => {
            Code::Failed
        }
    };
    Error::from_chain(code, &error)
}
