//! The windows that are open: opened, brought forward, closed; and what each of them shows.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use app::{App, Errand, Paths, WindowId};
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::{
    AppHandle, Manager, Runtime, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent, Wry,
};
use tauri_specta::Event as _;
use terminal::PaneId;

use crate::commands::{agents::Followed, flow::FollowedFiles, search::Searches, terminal::Views};
use crate::events::{WindowGone, WindowsChanged};

/// Windows that are closed within this time of the last one were closed together with it: by the desktop, mostly.
const TOGETHER: Duration = Duration::from_secs(3);

/// What a window tells the others of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub(crate) struct WindowShows {
    /// What it is called.
    title: String,
    /// How many tabs it has.
    tabs: u32,
    /// The panes that have a tab in it.
    panes: Vec<PaneId>,
}

/// A window that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub(crate) struct OpenWindow {
    id: WindowId,
    shows: WindowShows,
}

/// All windows that are open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub(crate) struct OpenWindows {
    /// By their numbers.
    windows: Vec<OpenWindow>,
    /// The one that the person turned to last.
    front: WindowId,
}

/// What a window should know of itself when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub(crate) struct ThisWindow {
    id: WindowId,
    /// Whether it is the one that tells what there is to be said about the start of the program.
    first: bool,
    /// What is to be done in it at once.
    errand: Option<Errand>,
    all: OpenWindows,
}

/// The windows that are open, and those that are just being closed.
#[derive(Default)]
pub(crate) struct Windows(Mutex<State>);

#[derive(Default)]
struct State {
    open: BTreeMap<WindowId, WindowShows>,
    errands: HashMap<WindowId, Errand>,
    first: Option<WindowId>,
    front: Option<WindowId>,
    closed: Vec<(Instant, WindowId)>,
    /// All of them are being closed: each is opened again by the next start.
    ending: bool,
}

/// What is to be kept of a window that is closed.
#[derive(Debug, PartialEq, Eq)]
enum Closing {
    /// It is gone, and can be brought back.
    Gone,
    /// It was the last one: it and these, which were closed with it, are opened by the next start.
    Last(Vec<WindowId>),
    /// All are closed, and are opened by the next start.
    Ending,
}

impl State {
    fn opened(&mut self, id: WindowId, errand: Option<Errand>) {
        self.open.insert(id, WindowShows::default());
        self.first.get_or_insert(id);
        self.errands.extend(errand.map(|errand| (id, errand)));
    }

    fn all(&self) -> OpenWindows {
        let windows = self.open.iter();
        OpenWindows {
            windows: windows
                .map(|(&id, shows)| OpenWindow {
                    id,
                    shows: shows.clone(),
                })
                .collect(),
            front: self
                .front
                .or_else(|| self.open.keys().next().copied())
                .unwrap_or(WindowId::FIRST),
        }
    }

    fn closed(&mut self, id: WindowId, now: Instant) -> (Closing, WindowShows) {
        let shows = self.open.remove(&id).unwrap_or_default();
        self.errands.remove(&id);
        self.front = self.front.filter(|front| *front != id);
        self.closed
            .retain(|(at, _)| now.saturating_duration_since(*at) < TOGETHER);
        let closing = if self.ending {
            Closing::Ending
        } else if self.open.is_empty() {
            Closing::Last(self.closed.drain(..).map(|(_, id)| id).collect())
        } else {
            self.closed.push((now, id));
            Closing::Gone
        };
        (closing, shows)
    }
}

impl Windows {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|lock| lock.into_inner())
    }

    /// What the page of a window should know when it begins.
    pub(crate) fn this(&self, id: WindowId) -> ThisWindow {
        let mut state = self.lock();
        ThisWindow {
            id,
            first: state.first == Some(id),
            errand: state.errands.remove(&id),
            all: state.all(),
        }
    }

    /// Whether a window is the one that tells what there is to be said about the start of the program.
    pub(crate) fn is_first(&self, id: WindowId) -> bool {
        self.lock().first == Some(id)
    }

    /// Notes what a window shows.
    pub(crate) fn shows(&self, id: WindowId, shows: WindowShows) -> OpenWindows {
        let mut state = self.lock();
        if let Some(before) = state.open.get_mut(&id) {
            *before = shows;
        }
        state.all()
    }

    /// Notes that the person turned to a window.
    pub(crate) fn turned_to(&self, id: WindowId) -> OpenWindows {
        let mut state = self.lock();
        if state.open.contains_key(&id) {
            state.front = Some(id);
        }
        state.all()
    }

    /// Has every window that is closed from now on come back with the next start.
    pub(crate) fn end(&self) {
        self.lock().ending = true;
    }
}

/// The number of a window, from what Tauri calls it.
pub(crate) fn id_of<R: Runtime>(window: &WebviewWindow<R>) -> WindowId {
    numbered(window.label())
}

fn numbered(label: &str) -> WindowId {
    let number = label.strip_prefix("window-");
    number
        .and_then(|number| number.parse().ok())
        .map_or(WindowId::FIRST, WindowId)
}

fn label_of(id: WindowId) -> String {
    match id {
        WindowId::FIRST => "main".to_owned(),
        WindowId(number) => format!("window-{number}"),
    }
}

/// The window of that number, if it is open.
pub(crate) fn window_of(handle: &AppHandle, id: WindowId) -> Option<WebviewWindow> {
    handle.get_webview_window(&label_of(id))
}

/// Brings a window before the others.
pub(crate) fn bring_forward(window: &WebviewWindow) {
    let brought = window.unminimize().and_then(|()| window.set_focus());
    if let Err(error) = brought {
        tracing::warn!("the window `{}` is not in front: {error}", window.label());
    }
}

/// Opens a window that has a number, and tells the others.
///
/// # Errors
///
/// When the system opens none.
pub(crate) fn open(
    handle: &AppHandle,
    id: WindowId,
    errand: Option<Errand>,
) -> tauri::Result<WebviewWindow> {
    let windows = handle.state::<Windows>();
    windows.lock().opened(id, errand);
    let paths = handle.state::<App>().paths().clone();
    let label = label_of(id);
    let builder = WebviewWindowBuilder::new(handle, label, WebviewUrl::App("index.html".into()));
    let built = keeping(builder, &paths)
        .title("Switchyard")
        .inner_size(1280.0, 800.0)
        .min_inner_size(480.0, 320.0)
        .on_navigation(|url| {
            // Only bundled files, and Vite's while developing.
            url.scheme() == "tauri"
                || (cfg!(dev) && url.host_str() == Some("localhost"))
                || url.as_str() == "about:blank"
        })
        .build();
    match &built {
        Ok(window) => {
            let closing = handle.clone();
            window.on_window_event(move |event| {
                if let WindowEvent::Destroyed = event {
                    closed(&closing, id);
                }
            });
            tell(handle, windows.turned_to(id));
        }
        Err(_) => closed(handle, id),
    }
    built
}

/// Opens another window, with a new number.
///
/// # Errors
///
/// When its number can't be written, or the system opens none.
pub(crate) async fn open_another(
    handle: &AppHandle,
    errand: Errand,
) -> Result<WindowId, app::Error> {
    let app = handle.state::<App>().inner().clone();
    let id = app.add_window().await?;
    match open(handle, id, Some(errand)) {
        Ok(_) => Ok(id),
        Err(error) => {
            let message = format!("the window could not be opened: {error}");
            Err(app::Error::new(app::Code::Failed, message))
        }
    }
}

/// Tells all windows which there are.
pub(crate) fn tell(handle: &AppHandle, all: OpenWindows) {
    if let Err(error) = WindowsChanged(all).emit(handle) {
        tracing::warn!("the pages were not told of windows: {error}");
    }
}

/// Ends what a window had begun, and keeps what is needed to bring it back.
fn closed(handle: &AppHandle, id: WindowId) {
    handle.state::<Views>().end(id);
    handle.state::<Followed>().end(id);
    handle.state::<FollowedFiles>().end(id);
    handle.state::<Searches>().end(id);
    let windows = handle.state::<Windows>();
    let (closing, shows, all) = {
        let mut state = windows.lock();
        let (closing, shows) = state.closed(id, Instant::now());
        (closing, shows, state.all())
    };
    let app = handle.state::<App>().inner().clone();
    // The process may end with this window: what is kept is kept before that.
    let kept = tauri::async_runtime::block_on(async {
        match &closing {
            Closing::Gone => app.window_closed(id, shows.tabs == 0).await,
            Closing::Last(others) if others.is_empty() => Ok(()),
            Closing::Last(others) => app.reopen_windows(others.clone()).await,
            Closing::Ending => Ok(()),
        }
    });
    if let Err(error) = kept {
        tracing::warn!("the windows that are open were not written down: {error}");
    }
    if closing == Closing::Gone {
        tell(handle, all);
        if let Err(error) = (WindowGone { id, shows }).emit(handle) {
            tracing::warn!("the pages were not told of a closed window: {error}");
        }
    }
}

/// Has the web view keep what is its own in the first of these directories that can be made: on a full disk that may be
/// another than the first. Where none can, it keeps nothing.
fn keeping<'a, M: Manager<Wry>>(
    window: WebviewWindowBuilder<'a, Wry, M>,
    paths: &Paths,
) -> WebviewWindowBuilder<'a, Wry, M> {
    for directory in [paths.webview(), paths.runtime().join("webview")] {
        match std::fs::create_dir_all(&directory) {
            // Else it lies in a place of the user's, which windows of different homes would share.
            Ok(()) => return window.data_directory(directory),
            Err(error) => {
                let directory = directory.display();
                tracing::warn!("the web view can't keep anything in `{directory}`: {error}");
            }
        }
    }
    window.incognito(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(ids: &[u32]) -> State {
        let mut state = State::default();
        ids.iter().for_each(|&id| state.opened(WindowId(id), None));
        state
    }

    #[test]
    fn windows_that_are_closed_one_after_the_other_at_once_come_back_together() {
        let mut state = with(&[1, 2, 3]);
        let start = Instant::now();
        let mut close = |id, ms| {
            state
                .closed(WindowId(id), start + Duration::from_millis(ms))
                .0
        };
        assert_eq!(close(2, 0), Closing::Gone);
        assert_eq!(close(1, 5_000), Closing::Gone);
        assert_eq!(close(3, 5_100), Closing::Last(vec![WindowId(1)]));
    }

    #[test]
    fn who_ends_the_program_closes_no_window_for_good() {
        let mut state = with(&[1, 2]);
        state.ending = true;
        let now = Instant::now();
        assert_eq!(state.closed(WindowId(1), now).0, Closing::Ending);
        assert_eq!(state.closed(WindowId(2), now).0, Closing::Ending);
    }

    #[test]
    fn the_window_in_front_is_the_one_turned_to_last_and_never_a_closed_one() {
        let windows = Windows::default();
        *windows.lock() = with(&[2, 5]);
        assert_eq!(windows.this(WindowId(5)).all.front, WindowId(2));
        assert_eq!(windows.turned_to(WindowId(5)).front, WindowId(5));
        assert_eq!(windows.turned_to(WindowId(9)).front, WindowId(5));
        windows.lock().closed(WindowId(5), Instant::now());
        assert_eq!(windows.this(WindowId(2)).all.front, WindowId(2));
    }

    #[test]
    fn an_errand_is_done_once_and_the_start_is_told_of_by_one_window() {
        let windows = Windows::default();
        let errand = Errand::Terminal { cwd: None };
        windows.lock().opened(WindowId(1), None);
        windows.lock().opened(WindowId(2), Some(errand.clone()));
        let this = windows.this(WindowId(2));
        assert_eq!((this.first, this.errand), (false, Some(errand)));
        assert_eq!(windows.this(WindowId(2)).errand, None);
        assert!(windows.this(WindowId(1)).first);
    }

    #[test]
    fn a_window_is_called_by_its_number() {
        for number in [1, 2, 30] {
            assert_eq!(numbered(&label_of(WindowId(number))), WindowId(number));
        }
    }
}
