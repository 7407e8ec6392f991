//! Moments that worktrees can be compared with, and taken back to: kept when a person says so, and before each prompt.

use std::path::PathBuf;
use std::time::Duration;

use ::changes::{
    Chosen, DiffQuestion, FileDiff, FilePictures, Moment, SnapshotId, Worktree, WorktreeChanges,
};
use agents::{AgentId, BackendId};
use clock::Clock;

use crate::blocking::blocking;
use crate::changes::{open, snapshots, told};
use crate::{App, Error, News, Paths};

/// A prompt waits so long at most for what the worktree is before it.
const PROMPT_WAITS: Duration = Duration::from_secs(2);

/// What a moment is called that a person asked for without a word.
const BY_HAND: &str = "a moment of yours";

impl App {
    /// Keeps what a worktree is now, for a month, so that what changes from then on can be seen and taken back.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`](crate::Code::BadId) when `worktree` is in none, [`Code::Refused`](crate::Code::Refused) when it can't be kept.
    pub async fn remember_moment(
        &self,
        worktree: PathBuf,
        label: Option<String>,
    ) -> Result<SnapshotId, Error> {
        let paths = self.0.paths.clone();
        let (root, id) = blocking(move || {
            let worktree = open(&worktree)?;
            let id = remember(&paths, &worktree, label.as_deref())?;
            Ok((worktree.root().display().to_string(), id))
        })
        .await?;
        self.emit(News::Touched(Some(vec![root])));
        Ok(id)
    }

    /// Lists the moments of a worktree that are kept, the newest first.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`](crate::Code::BadId) when `worktree` is in none, [`Code::Failed`](crate::Code::Failed) when they can't be read.
    pub async fn list_moments(&self, worktree: PathBuf) -> Result<Vec<Moment>, Error> {
        let paths = self.0.paths.clone();
        blocking(move || list_moments(&paths, &open(&worktree)?)).await
    }

    /// Lists what changed in a worktree since a moment, as one view.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`](crate::Code::BadId) when the moment is not kept any more. Else as [`App::worktree_changes`].
    pub async fn changes_since(
        &self,
        worktree: PathBuf,
        since: SnapshotId,
    ) -> Result<WorktreeChanges, Error> {
        let paths = self.0.paths.clone();
        blocking(move || changes_since(&paths, &open(&worktree)?, &since)).await
    }

    /// Tells which lines of a file changed since a moment.
    ///
    /// # Errors
    ///
    /// As [`App::changes_since`].
    pub async fn diff_since(
        &self,
        worktree: PathBuf,
        since: SnapshotId,
        question: DiffQuestion,
    ) -> Result<FileDiff, Error> {
        let paths = self.0.paths.clone();
        blocking(move || diff_since(&paths, &open(&worktree)?, &since, &question)).await
    }

    /// Gives a file that changed, since a moment or as its view says, as the pictures that it was and is.
    ///
    /// # Errors
    ///
    /// As [`App::changes_since`].
    pub async fn file_pictures(
        &self,
        worktree: PathBuf,
        since: Option<SnapshotId>,
        question: DiffQuestion,
    ) -> Result<FilePictures, Error> {
        let paths = self.0.paths.clone();
        blocking(move || {
            let worktree = open(&worktree)?;
            match since {
                Some(since) => {
                    let since = snapshots(&paths).since(&worktree, &since).map_err(told)?;
                    Ok(since.pictures(&question))
                }
                None => worktree.pictures(&question).map_err(told),
            }
        })
        .await
    }

    /// Makes files what they were at a moment, or takes some hunks back; all that changed since, when none is named. What stood there is kept for a month:
    /// the snapshot is returned.
    ///
    /// # Errors
    ///
    /// As [`App::changes_since`] and [`App::act_on_changes`].
    pub async fn restore_to_moment(
        &self,
        worktree: PathBuf,
        since: SnapshotId,
        files: Option<Vec<Chosen>>,
    ) -> Result<Option<SnapshotId>, Error> {
        let paths = self.0.paths.clone();
        blocking(move || restore_to_moment(&paths, &open(&worktree)?, &since, files.as_deref()))
            .await
    }

    /// Keeps what the worktree of an agent is before it is told something. A prompt does not fail for that, nor wait for long.
    pub(crate) async fn remember_before_prompt(&self, backend: &BackendId, agent: &AgentId) {
        // Asked of it alone: whoever only sends a prompt keeps no lists, and starts nothing for them.
        let Ok(info) = self.find_agent(Some(backend), &agent.0).await else {
            return;
        };
        let name = info.title.unwrap_or_else(|| info.provider.clone());
        let label = format!("a prompt to {name}");
        let taken = self.remember_moment(info.cwd.into(), Some(label));
        match tokio::time::timeout(PROMPT_WAITS, taken).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::info!("no moment before a prompt: {}", error.message),
            Err(_) => tracing::info!("a moment before a prompt takes longer than the prompt waits"),
        }
    }
}

/// Keeps what a worktree is now, without an [`App`].
///
/// # Errors
///
/// As [`App::remember_moment`].
pub fn remember(
    paths: &Paths,
    worktree: &Worktree,
    label: Option<&str>,
) -> Result<SnapshotId, Error> {
    let label = label.map(str::trim).filter(|label| !label.is_empty());
    let (kept, now) = (snapshots(paths), Clock::system().now_ms());
    let id = kept.remember(worktree, label.unwrap_or(BY_HAND), now);
    let id = id.map_err(told)?;
    let pruned = kept.prune_moments().and_then(|()| kept.prune(now));
    if let Err(error) = pruned {
        tracing::warn!("moments that are too old are still there: {error}");
    }
    Ok(id)
}

/// Lists the moments of a worktree, without an [`App`].
///
/// # Errors
///
/// As [`App::list_moments`].
pub fn list_moments(paths: &Paths, worktree: &Worktree) -> Result<Vec<Moment>, Error> {
    snapshots(paths).moments(worktree).map_err(told)
}

/// Lists what changed since a moment, without an [`App`].
///
/// # Errors
///
/// As [`App::changes_since`].
pub fn changes_since(
    paths: &Paths,
    worktree: &Worktree,
    since: &SnapshotId,
) -> Result<WorktreeChanges, Error> {
    let since = snapshots(paths).since(worktree, since).map_err(told)?;
    since.list().map_err(told)
}

/// Tells which lines of a file changed since a moment, without an [`App`].
///
/// # Errors
///
/// As [`App::changes_since`].
pub fn diff_since(
    paths: &Paths,
    worktree: &Worktree,
    since: &SnapshotId,
    question: &DiffQuestion,
) -> Result<FileDiff, Error> {
    let since = snapshots(paths).since(worktree, since).map_err(told)?;
    since.diff(question).map_err(told)
}

/// Makes files what they were at a moment, without an [`App`].
///
/// # Errors
///
/// As [`App::restore_to_moment`].
pub fn restore_to_moment(
    paths: &Paths,
    worktree: &Worktree,
    since: &SnapshotId,
    files: Option<&[Chosen]>,
) -> Result<Option<SnapshotId>, Error> {
    let kept = snapshots(paths);
    let since = kept.since(worktree, since).map_err(told)?;
    let restored = since.restore(files, &kept, Clock::system().now_ms());
    restored.map_err(told)
}
