//! What worktrees changed.

use app::{App, Error, ForgePage, LookedAt, Remark, RemarkChange, RemarkId, RemarkedLines};
use changes::{
    ActRequest, Chosen, CommitRequest, Committed, DiffQuestion, FileDiff, FilePictures, Landed,
    Landing, Moment, Outlook, Snapshot, SnapshotId, TakenBack, View, Way, WorktreeChanges,
};
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

/// Stages, unstages or discards changes. See [`App::act_on_changes`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn act_on_changes(
    app: State<'_, App>,
    worktree: String,
    request: ActRequest,
) -> Result<Option<SnapshotId>, Error> {
    app.act_on_changes(worktree.into(), request).await
}

/// Gives back what was discarded. See [`App::restore_changes`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn restore_changes(
    app: State<'_, App>,
    worktree: String,
    snapshot: SnapshotId,
) -> Result<SnapshotId, Error> {
    app.restore_changes(worktree.into(), snapshot).await
}

/// Lists what was discarded. See [`App::list_snapshots`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_snapshots(
    app: State<'_, App>,
    worktree: String,
) -> Result<Vec<Snapshot>, Error> {
    app.list_snapshots(worktree.into()).await
}

/// Commits. See [`App::commit_changes`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn commit_changes(
    app: State<'_, App>,
    worktree: String,
    request: CommitRequest,
) -> Result<Committed, Error> {
    app.commit_changes(worktree.into(), request).await
}

/// Gives the message of the last commit. See [`App::last_message`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn last_message(
    app: State<'_, App>,
    worktree: String,
) -> Result<Option<String>, Error> {
    app.last_message(worktree.into()).await
}

/// Tells what landing and updating would come to. See [`App::landing_outlook`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn landing_outlook(
    app: State<'_, App>,
    worktree: String,
) -> Result<Vec<Outlook>, Error> {
    app.landing_outlook(worktree.into()).await
}

/// Lands a branch in its base, or updates it from there. See [`App::land_changes`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn land_changes(
    app: State<'_, App>,
    worktree: String,
    landing: Landing,
) -> Result<Landed, Error> {
    app.land_changes(worktree.into(), landing).await
}

/// Takes the last landing or update back. See [`App::take_back_landing`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn take_back_landing(
    app: State<'_, App>,
    worktree: String,
    way: Way,
) -> Result<TakenBack, Error> {
    app.take_back_landing(worktree.into(), way).await
}

/// Keeps that files were looked at. See [`App::look_at`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn look_at(
    app: State<'_, App>,
    worktree: String,
    view: View,
    files: Vec<String>,
    looked: bool,
) -> Result<(), Error> {
    app.look_at(worktree.into(), view, files, looked).await
}

/// Lists the files that were looked at. See [`App::looked_at`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn looked_at(
    app: State<'_, App>,
    worktree: String,
) -> Result<Vec<LookedAt>, Error> {
    app.looked_at(worktree.into()).await
}

/// Lists the remarks on what a worktree changed. See [`App::list_remarks`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_remarks(
    app: State<'_, App>,
    worktree: String,
) -> Result<Vec<Remark>, Error> {
    app.list_remarks(worktree.into()).await
}

/// Keeps a remark. See [`App::add_remark`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn add_remark(
    app: State<'_, App>,
    worktree: String,
    about: RemarkedLines,
    text: String,
) -> Result<RemarkId, Error> {
    app.add_remark(worktree.into(), about, text).await
}

/// Changes remarks, or takes them away. See [`App::change_remarks`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn change_remarks(
    app: State<'_, App>,
    worktree: String,
    remarks: Vec<RemarkId>,
    change: RemarkChange,
) -> Result<(), Error> {
    app.change_remarks(worktree.into(), remarks, change).await
}

/// Marks what was handed to somebody as answered. See [`App::answered_remarks`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn answered_remarks(app: State<'_, App>, to: String) -> Result<(), Error> {
    app.answered_remarks(to).await
}

/// Keeps what a worktree is now. See [`App::remember_moment`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn remember_moment(
    app: State<'_, App>,
    worktree: String,
) -> Result<SnapshotId, Error> {
    app.remember_moment(worktree.into(), None).await
}

/// Lists the moments of a worktree. See [`App::list_moments`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_moments(
    app: State<'_, App>,
    worktree: String,
) -> Result<Vec<Moment>, Error> {
    app.list_moments(worktree.into()).await
}

/// Lists what changed since a moment. See [`App::changes_since`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn changes_since(
    app: State<'_, App>,
    worktree: String,
    since: SnapshotId,
) -> Result<WorktreeChanges, Error> {
    app.changes_since(worktree.into(), since).await
}

/// Tells which lines of a file changed since a moment. See [`App::diff_since`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn diff_since(
    app: State<'_, App>,
    worktree: String,
    since: SnapshotId,
    question: DiffQuestion,
) -> Result<FileDiff, Error> {
    app.diff_since(worktree.into(), since, question).await
}

/// Makes files what they were at a moment. See [`App::restore_to_moment`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn restore_to_moment(
    app: State<'_, App>,
    worktree: String,
    since: SnapshotId,
    files: Option<Vec<Chosen>>,
) -> Result<Option<SnapshotId>, Error> {
    app.restore_to_moment(worktree.into(), since, files).await
}

/// Tells how the page of a branch is opened. See [`App::forge_page`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn forge_page(
    app: State<'_, App>,
    worktree: String,
) -> Result<Option<ForgePage>, Error> {
    app.forge_page(worktree.into()).await
}

/// Gives a file that changed as pictures. See [`App::file_pictures`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn file_pictures(
    app: State<'_, App>,
    worktree: String,
    since: Option<SnapshotId>,
    question: DiffQuestion,
) -> Result<FilePictures, Error> {
    app.file_pictures(worktree.into(), since, question).await
}
