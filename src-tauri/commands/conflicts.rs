//! Repositories, their worktrees, and conflicts between these.

use app::{App, Error, RepositoryConflicts, RepositoryView};
use conflicts::{Picture, Quiet, QuietAbout, VerdictDetails, VerdictKey};
use tauri::State;

/// Lists the repositories of the workspace with their worktrees. See [`App::list_repositories`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_repositories(app: State<'_, App>) -> Result<Vec<RepositoryView>, Error> {
    Ok(app.list_repositories())
}

/// Adds the repository that a directory is in to the workspace. See [`App::add_repository`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn add_repository(
    app: State<'_, App>,
    path: String,
) -> Result<RepositoryView, Error> {
    app.add_repository(path.into()).await
}

/// Takes a repository out of the workspace. See [`App::remove_repository`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn remove_repository(
    app: State<'_, App>,
    repository: String,
) -> Result<(), Error> {
    app.remove_repository(repository).await
}

/// Looks at all files of a repository again. See [`App::rescan_repository`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn rescan_repository(
    app: State<'_, App>,
    repository: String,
) -> Result<(), Error> {
    app.rescan_repository(&repository).await
}

/// Tells all that is known of a repository, each touched file included. See [`App::repository_picture`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn repository_picture(
    app: State<'_, App>,
    repository: String,
) -> Result<Picture, Error> {
    app.repository_picture(&repository).await
}

/// Lists what is said of all repositories. See [`App::list_conflicts`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_conflicts(app: State<'_, App>) -> Result<Vec<RepositoryConflicts>, Error> {
    app.list_conflicts().await
}

/// Shows both sides of a verdict, and what a merge would write. See [`App::conflict_details`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn conflict_details(
    app: State<'_, App>,
    repository: String,
    key: VerdictKey,
) -> Result<VerdictDetails, Error> {
    app.conflict_details(&repository, key).await
}

/// Snoozes, acknowledges or mutes verdicts. See [`App::quiet_conflicts`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn quiet_conflicts(
    app: State<'_, App>,
    repository: String,
    quiet: Quiet,
) -> Result<(), Error> {
    app.quiet_conflicts(&repository, quiet).await
}

/// Takes a wish for quiet back; says whether there was one. See [`App::unquiet_conflicts`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn unquiet_conflicts(
    app: State<'_, App>,
    repository: String,
    about: QuietAbout,
) -> Result<bool, Error> {
    app.unquiet_conflicts(&repository, about).await
}
