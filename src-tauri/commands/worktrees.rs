//! The worktrees of repositories.

use app::{App, Error, MadeWorktree, PrunedWorktree, RemoveWorktree, WorktreeRow};
use changes::{NewWorktree, Removed};
use tauri::State;

/// Makes a worktree. See [`App::make_worktree`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn make_worktree(
    app: State<'_, App>,
    directory: String,
    wanted: NewWorktree,
    set_up: bool,
) -> Result<MadeWorktree, Error> {
    app.make_worktree(directory.into(), wanted, set_up).await
}

/// Lists worktrees with what would be lost with each. See [`App::list_worktrees`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_worktrees(
    app: State<'_, App>,
    directory: String,
) -> Result<Vec<WorktreeRow>, Error> {
    app.list_worktrees(directory.into()).await
}

/// Tells what a worktree takes on the disk. See [`App::worktree_size`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn worktree_size(app: State<'_, App>, worktree: String) -> Result<u64, Error> {
    app.worktree_size(worktree.into()).await
}

/// Gives a worktree's branch another name. See [`App::rename_worktree`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn rename_worktree(
    app: State<'_, App>,
    worktree: String,
    branch: String,
) -> Result<(), Error> {
    app.rename_worktree(worktree.into(), branch).await
}

/// Ends a worktree. See [`App::remove_worktree`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn remove_worktree(
    app: State<'_, App>,
    worktree: String,
    how: RemoveWorktree,
) -> Result<Removed, Error> {
    app.remove_worktree(worktree.into(), how).await
}

/// Ends the worktrees that are merged. See [`App::prune_worktrees`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn prune_worktrees(
    app: State<'_, App>,
    directory: String,
    really: bool,
) -> Result<Vec<PrunedWorktree>, Error> {
    app.prune_worktrees(directory.into(), really).await
}
