//! The workspace around the panes: layout, settings, clipboard, links, notifications.

use app::{
    App, Code, Draft, Error, FilePlace, FolderLook, FrameState, MeasuredDrawing, MemoryUse,
    Settings, StartNotices, WindowState,
};
use serde::Serialize;
use specta::Type;
use tauri::{AppHandle, Manager as _, State, WebviewWindow};
use tauri_specta::Event as _;
use terminal::{PaneId, PaneInfo};

use crate::events::DraftChanged;
use crate::windows::{Windows, id_of};
use crate::{clipboard, renderer};

/// Reads the layout that this window saved last. See [`App::load_session`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn load_session(
    window: WebviewWindow,
    app: State<'_, App>,
) -> Result<Option<String>, Error> {
    app.load_session(id_of(&window)).await
}

/// Keeps the layout of this window for the next start. See [`App::save_session`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn save_session(
    window: WebviewWindow,
    app: State<'_, App>,
    json: String,
) -> Result<(), Error> {
    app.save_session(id_of(&window), json).await
}

/// How the person left the window. See [`App::window_state`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn window_state(app: State<'_, App>) -> Result<WindowState, Error> {
    app.window_state().await
}

/// Keeps a pattern that was searched for; answers with all that are kept. See [`App::remember_search`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn remember_search(
    app: State<'_, App>,
    pattern: String,
) -> Result<Vec<String>, Error> {
    app.remember_search(pattern).await
}

/// Keeps a folder that was opened; answers with all that are kept. See [`App::remember_folder`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn remember_folder(
    app: State<'_, App>,
    path: String,
) -> Result<Vec<String>, Error> {
    app.remember_folder(path).await
}

/// Where a path leads that is being typed. See [`App::look_for_folders`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn look_for_folders(
    app: State<'_, App>,
    typed: String,
) -> Result<FolderLook, Error> {
    app.look_for_folders(typed).await
}

/// Keeps what is around the tabs. See [`App::save_frame`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn save_frame(app: State<'_, App>, frame: FrameState) -> Result<(), Error> {
    app.save_frame(frame).await
}

/// Keeps what was measured of drawing. See [`App::save_drawing`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn save_drawing(
    app: State<'_, App>,
    drawing: MeasuredDrawing,
) -> Result<(), Error> {
    app.save_drawing(drawing).await
}

/// All that was typed and not yet sent, saved or started. See [`App::drafts`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_drafts(app: State<'_, App>) -> Result<Vec<Draft>, Error> {
    app.drafts().await
}

/// Keeps what is typed in one place. See [`App::keep_draft`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn keep_draft(
    window: WebviewWindow,
    app: State<'_, App>,
    draft: Draft,
) -> Result<(), Error> {
    app.keep_draft(draft.clone()).await?;
    tell_of_draft(&window, draft.place.clone(), Some(draft));
    Ok(())
}

/// Forgets what was typed in one place. See [`App::drop_draft`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn drop_draft(
    window: WebviewWindow,
    app: State<'_, App>,
    place: String,
) -> Result<(), Error> {
    app.drop_draft(place.clone()).await?;
    tell_of_draft(&window, place, None);
    Ok(())
}

/// Tells the other windows what is typed here: the same place may be seen in them.
fn tell_of_draft(window: &WebviewWindow, place: String, draft: Option<Draft>) {
    let changed = DraftChanged {
        window: id_of(window),
        place,
        draft,
    };
    if let Err(error) = changed.emit(window.app_handle()) {
        tracing::warn!("other windows were not told of what is typed: {error}");
    }
}

/// The settings in force, keys included.
#[tauri::command]
#[specta::specta]
pub(crate) async fn load_settings(app: State<'_, App>) -> Result<Settings, Error> {
    Ok(app.settings())
}

/// What a person should be told about the start, in the first window. See [`App::notices`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn startup_notices(
    window: WebviewWindow,
    windows: State<'_, Windows>,
    app: State<'_, App>,
) -> Result<StartNotices, Error> {
    if windows.is_first(id_of(&window)) {
        app.notices().await
    } else {
        Ok(StartNotices::default())
    }
}

/// Where the person edits settings and keys.
#[derive(Debug, Serialize, Type)]
pub(crate) struct SettingsFiles {
    settings: String,
    keys: String,
    agents: String,
}

/// The files that hold settings and keys.
#[tauri::command]
#[specta::specta]
pub(crate) async fn settings_files(app: State<'_, App>) -> Result<SettingsFiles, Error> {
    let paths = app.paths();
    Ok(SettingsFiles {
        settings: paths.settings_file().display().to_string(),
        keys: paths.keys_file().display().to_string(),
        agents: paths.agents_file().display().to_string(),
    })
}

/// The text on the clipboard; empty when there is none.
#[tauri::command]
#[specta::specta]
pub(crate) async fn read_clipboard(
    clipboard: State<'_, clipboard::Clipboard>,
) -> Result<String, Error> {
    clipboard.read()
}

/// Puts text on the clipboard.
#[tauri::command]
#[specta::specta]
pub(crate) async fn write_clipboard(
    clipboard: State<'_, clipboard::Clipboard>,
    text: String,
) -> Result<(), Error> {
    clipboard.write(text)
}

/// Which of the files are there that a pane's output names. See [`App::find_files`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn find_files(
    app: State<'_, App>,
    pane: PaneId,
    names: Vec<String>,
) -> Result<Vec<Option<String>>, Error> {
    app.find_files(pane, names).await
}

/// Opens a file in the person's editor, in a pane. See [`App::open_in_editor`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_in_editor(
    app: State<'_, App>,
    place: FilePlace,
) -> Result<PaneInfo, Error> {
    app.open_in_editor(place).await
}

/// Opens a link in the person's browser: `http` and `https` only.
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_link(url: String) -> Result<(), Error> {
    let parsed = tauri::Url::parse(&url)
        .map_err(|error| Error::new(Code::BadParams, format!("`url` is not a link: {error}")))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(Error::new(
            Code::Refused,
            format!(
                "`url` is `{}:`; only http and https links are opened",
                parsed.scheme()
            ),
        ));
    }
    open::that_detached(parsed.as_str()).map_err(|error| {
        Error::new(
            Code::Failed,
            format!("no browser opened `{parsed}`: {error}"),
        )
    })
}

/// Shows a desktop notification, when the person may not be looking at the window.
#[tauri::command]
#[specta::specta]
pub(crate) async fn notify_person(title: String, body: String) -> Result<(), Error> {
    crate::window::notify(&title, &body).await
}

/// What the page should know of the machine and of this program.
#[derive(Debug, Serialize, Type)]
pub(crate) struct Platform {
    version: String,
    home: String,
    /// Whether panes outlive the window.
    host: HostKind,
    /// Whether WebGL would be drawn by software.
    software_rendering: bool,
}

/// Where the panes live.
#[derive(Debug, Serialize, Type)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HostKind {
    /// In a process of their own.
    Detached,
    /// In the window's process: they end with it.
    InProcess,
}

/// What the page should know of the machine and of this program.
#[tauri::command]
#[specta::specta]
pub(crate) async fn platform(app: State<'_, App>) -> Result<Platform, Error> {
    Ok(Platform {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        home: std::env::var("HOME").unwrap_or_default(),
        host: if app.panes_outlive_us() {
            HostKind::Detached
        } else {
            HostKind::InProcess
        },
        software_rendering: !renderer::has_gpu(),
    })
}

/// How much memory is in use. See [`App::memory_use`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn memory_use(app: State<'_, App>) -> Result<Option<MemoryUse>, Error> {
    app.memory_use().await
}

/// Saves text that the person asked to save, in their downloads directory; returns where.
#[tauri::command]
#[specta::specta]
pub(crate) async fn save_text(
    app: State<'_, App>,
    name: String,
    text: String,
) -> Result<String, Error> {
    app.save_text(&name, text).await
}

/// Notes that the first prompt is on screen: the end of the start, for people and for measurements.
#[tauri::command]
#[specta::specta]
pub(crate) async fn prompt_on_screen(handle: AppHandle) -> Result<(), Error> {
    crate::window::prompt_on_screen(&handle);
    Ok(())
}
