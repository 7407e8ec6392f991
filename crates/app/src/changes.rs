//! What worktrees changed: asked when somebody looks, of whichever worktree.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::changes::{
    ActRequest, ChangesError, DiffQuestion, FileDiff, SnapshotId, Snapshots, View, Worktree,
    WorktreeChanges,
};
use clock::Clock;
use git::Program;

use crate::blocking::blocking;
use crate::{App, Code, Error};

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
        let snapshots = self.snapshots();
        blocking(move || {
            let now = Clock::system().now_ms();
            let worktree = open(&worktree)?;
            let done = worktree.act(&request, &snapshots, now).map_err(told)?;
            if done.is_some()
                && let Err(error) = snapshots.prune(now)
            {
                tracing::warn!("snapshots that are too old are still there: {error}");
            }
            Ok(done)
        })
        .await
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
        let snapshots = self.snapshots();
        blocking(move || {
            let restored =
                snapshots.restore(&open(&worktree)?, &snapshot, Clock::system().now_ms());
            restored.map_err(told)
        })
        .await
    }

    fn snapshots(&self) -> Snapshots {
        Snapshots::new(self.0.paths.data().join("snapshots"), program())
    }
}

fn open(directory: &Path) -> Result<Worktree, Error> {
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

fn told(error: ChangesError) -> Error {
    let code = match error {
        ChangesError::NoWorktree { .. } | ChangesError::NoSnapshot { .. } => Code::BadId,
        ChangesError::NoBase { .. } => Code::BadParams,
        ChangesError::Moved { .. }
        | ChangesError::Refused { .. }
        | ChangesError::NotKept { .. } => Code::Refused,
        ChangesError::Git { .. } | ChangesError::Write { .. } => Code::Failed,
    };
    Error::from_chain(code, &error)
}
