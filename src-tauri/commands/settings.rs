//! Settings one by one, themes, fonts.

use app::{App, Error, ImportedTheme, SettingChange, SettingsFile, SettingsSheet};
use tauri::State;

/// Every setting, with what it takes, and how the files stand. See [`App::settings_sheet`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn settings_sheet(app: State<'_, App>) -> Result<SettingsSheet, Error> {
    app.settings_sheet()
}

/// Sets one field of a file, or takes it out; answers when it is in force. See [`App::change_setting`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn change_setting(
    app: State<'_, App>,
    file: SettingsFile,
    name: String,
    change: SettingChange,
) -> Result<(), Error> {
    app.change_setting(file, &name, change)
}

/// Takes over the themes in another terminal's file. See [`App::import_themes`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn import_themes(
    app: State<'_, App>,
    file: String,
    text: String,
) -> Result<Vec<ImportedTheme>, Error> {
    app.import_themes(&file, &text)
}

/// Removes a theme of the person's own. See [`App::remove_theme`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn remove_theme(app: State<'_, App>, name: String) -> Result<(), Error> {
    app.remove_theme(&name)
}

/// The fonts that panes can be drawn with. See [`App::monospace_fonts`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn monospace_fonts(app: State<'_, App>) -> Result<Vec<String>, Error> {
    app.monospace_fonts().await
}
