//! Arrangements of panes by name.

use app::{App, Error, Layout, LayoutSummary, WantedLayout};
use tauri::State;

/// The layouts that are kept. See [`App::layouts`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_layouts(app: State<'_, App>) -> Result<Vec<LayoutSummary>, Error> {
    app.layouts().await
}

/// A layout by its name. See [`App::layout`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn load_layout(app: State<'_, App>, name: String) -> Result<Layout, Error> {
    app.layout(&name).await
}

/// Keeps a layout under a name. See [`App::save_layout`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn save_layout(
    app: State<'_, App>,
    name: String,
    layout: Layout,
) -> Result<(), Error> {
    app.save_layout(&name, layout).await
}

/// Forgets a layout. See [`App::remove_layout`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn remove_layout(app: State<'_, App>, name: String) -> Result<(), Error> {
    app.remove_layout(&name).await
}

/// Takes the layout that somebody outside wants to see here, if any. See [`App::take_wanted_layout`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn take_wanted_layout(app: State<'_, App>) -> Result<Option<WantedLayout>, Error> {
    Ok(app.take_wanted_layout())
}
