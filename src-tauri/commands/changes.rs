//! What worktrees changed.

use app::{App, Error};
use changes::{DiffQuestion, FileDiff, View, WorktreeChanges};
use tauri::State;

/// Lists what a worktree changed. See [`App::worktree_changes`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn worktree_changes(
    app: State<'_, App>,
    worktree: String,
    views: Vec<View>,
    base: Option<String>,
) -> Result<WorktreeChanges, Error> {
    app.worktree_changes(worktree.into(), views, base).await
}

/// Tells which lines of a file changed. See [`App::file_diff`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn file_diff(
    app: State<'_, App>,
    worktree: String,
    question: DiffQuestion,
) -> Result<FileDiff, Error> {
    app.file_diff(worktree.into(), question).await
}
