//! The windows of the program, and what they ask of one another.

use app::{App, Code, Errand, Error, WindowId};
use tauri::{AppHandle, Manager, State, WebviewWindow};
use tauri_specta::Event as _;

use crate::events::ErrandCame;
use crate::windows::{self, ThisWindow, WindowShows, Windows};

/// What a window should know of itself when it begins. Its errand is told once.
#[tauri::command]
#[specta::specta]
pub(crate) async fn this_window(
    window: WebviewWindow,
    windows: State<'_, Windows>,
) -> Result<ThisWindow, Error> {
    Ok(windows.this(windows::id_of(&window)))
}

/// Tells the other windows what this one shows.
#[tauri::command]
#[specta::specta]
pub(crate) async fn window_shows(
    window: WebviewWindow,
    windows: State<'_, Windows>,
    shows: WindowShows,
) -> Result<(), Error> {
    let all = windows.shows(windows::id_of(&window), shows);
    windows::tell(window.app_handle(), all);
    Ok(())
}

/// Says that the person turned to this window.
#[tauri::command]
#[specta::specta]
pub(crate) async fn turned_to_window(
    window: WebviewWindow,
    windows: State<'_, Windows>,
) -> Result<(), Error> {
    let all = windows.turned_to(windows::id_of(&window));
    windows::tell(window.app_handle(), all);
    Ok(())
}

/// Opens another window, in which something is to be done.
#[tauri::command]
#[specta::specta]
pub(crate) async fn new_window(handle: AppHandle, errand: Errand) -> Result<WindowId, Error> {
    windows::open_another(&handle, errand).await
}

/// Has something done in another window, which comes to the front.
#[tauri::command]
#[specta::specta]
pub(crate) async fn send_to_window(
    handle: AppHandle,
    window: WindowId,
    errand: Errand,
) -> Result<(), Error> {
    let Some(there) = windows::window_of(&handle, window) else {
        let message = format!("no window `{}` is open", window.0);
        return Err(Error::new(Code::BadId, message));
    };
    windows::bring_forward(&there);
    let sent = ErrandCame { window, errand }.emit(&handle);
    sent.map_err(|error| {
        let message = format!("the window could not be told: {error}");
        Error::new(Code::Failed, message)
    })
}

/// Opens the window anew that was closed last; says whether there was one.
#[tauri::command]
#[specta::specta]
pub(crate) async fn reopen_window(handle: AppHandle, app: State<'_, App>) -> Result<bool, Error> {
    let Some(id) = app.reopen_window().await? else {
        return Ok(false);
    };
    let opened = windows::open(&handle, id, None);
    opened.map(|_| true).map_err(|error| {
        let message = format!("the window could not be opened: {error}");
        Error::new(Code::Failed, message)
    })
}

/// Closes this window; its panes go on.
#[tauri::command]
#[specta::specta]
pub(crate) async fn close_window(window: WebviewWindow) -> Result<(), Error> {
    close(&window)
}

/// Closes all windows: the next start opens them again.
#[tauri::command]
#[specta::specta]
pub(crate) async fn close_all_windows(
    handle: AppHandle,
    windows: State<'_, Windows>,
) -> Result<(), Error> {
    windows.end();
    handle.webview_windows().values().try_for_each(close)
}

fn close(window: &WebviewWindow) -> Result<(), Error> {
    window.close().map_err(|error| {
        let message = format!("the window was not closed: {error}");
        Error::new(Code::Failed, message)
    })
}
