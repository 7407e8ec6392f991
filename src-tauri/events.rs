//! `App`'s events, to the page; and the bytes of panes, through channels.

use agents::AgentsEvent;
use app::{
    App, ConflictNews, Draft, Errand, Error, HostState, MachineView, News, RepositoryView,
    Settings, Subject, WindowId, Wish,
};
use flow::RunChange;
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::ipc::{InvokeResponseBody, IpcResponse};
use tauri::{AppHandle, Manager as _};
use tauri_specta::Event;
use terminal::PaneEvent;

use crate::taskbar::Taskbar;
use crate::windows::{self, OpenWindows, WindowShows};

/// Something happened to a pane.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct PaneHappened(pub(crate) PaneEvent);

/// The person saved the settings or the keys.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct SettingsChanged(pub(crate) SettingsNews);

/// What came of reading the settings anew.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum SettingsNews {
    /// They are in force.
    Applied {
        /// The settings, keys included.
        settings: Box<Settings>,
    },
    /// A file is wrong; the last good settings stay in force.
    Refused {
        /// Which file, and what is wrong with it.
        message: String,
    },
}

/// The pane host went away or came back.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct HostChanged(pub(crate) HostState);

/// Other machines are known, or the link to one is in another state: all of them, as they are now.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct MachinesChanged(pub(crate) Vec<MachineView>);

/// Somebody outside of the window wants a layout to be opened: it is there to be taken.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct LayoutWanted;

/// Other windows are open than before, or they show something else: all of them, as they are now.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct WindowsChanged(pub(crate) OpenWindows);

/// A window was closed while others are open, and can be brought back.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct WindowGone {
    pub(crate) id: WindowId,
    /// What it showed.
    pub(crate) shows: WindowShows,
}

/// Something is to be done in one window.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct ErrandCame {
    /// In which.
    pub(crate) window: WindowId,
    pub(crate) errand: Errand,
}

/// What is typed in one place is other than before.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct DraftChanged {
    /// The window in which it was typed, which knows.
    pub(crate) window: WindowId,
    pub(crate) place: String,
    /// None: nothing is kept there any more.
    pub(crate) draft: Option<Draft>,
}

/// The workspace holds other repositories or worktrees, or they are in another state: all of them, as they are now.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct RepositoriesChanged(pub(crate) Vec<RepositoryView>);

/// Something changed about the conflicts of one repository.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct ConflictsChanged(pub(crate) ConflictsHappened);

/// What changed about conflicts.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(tag = "happened", rename_all = "snake_case")]
pub(crate) enum ConflictsHappened {
    /// In one repository.
    News {
        /// What.
        news: ConflictNews,
    },
    /// Too much to tell: what is shown is to be asked for anew.
    Lagged,
}

/// Something was touched in these worktrees, so that what was read of them may be old; none: perhaps in all.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct WorktreesTouched(pub(crate) Option<Vec<String>>);

/// Something happened to agents or their backends.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct AgentsHappened(pub(crate) AgentsEvent);

/// Runs are other than before: what changed of each, as it is now.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub(crate) struct RunsChanged(pub(crate) Vec<RunChange>);

/// One frame of a pane, as bytes: it reaches the page as an `ArrayBuffer`, not as JSON.
pub(crate) struct PaneBytes(pub(crate) Vec<u8>);

impl IpcResponse for PaneBytes {
    fn body(self) -> tauri::Result<InvokeResponseBody> {
        Ok(InvokeResponseBody::Raw(self.0))
    }
}

impl Type for PaneBytes {
    fn definition(_types: &mut specta::Types) -> specta::datatype::DataType {
        specta::datatype::DataType::Reference(specta_typescript::define("ArrayBuffer"))
    }
}

/// Tells the page everything that happens, for as long as the window lives. What was missed is told as it is now, or is
/// for the page to ask for anew.
pub(crate) fn forward(app: App, handle: AppHandle) {
    let told = handle.clone();
    let followed = app.follow_wishes(move |wish| match wish {
        Wish::Layout => {
            if let Err(error) = LayoutWanted.emit(&told) {
                tracing::warn!("the page was not told: {error}");
            }
        }
        Wish::Window => open_wanted(&told),
    });
    if let Err(error) = followed {
        tracing::warn!("what is wanted of windows is done at the next start: {error}");
    }
    tauri::async_runtime::spawn(async move {
        let mut news = match app.news().with_runs(&app).await {
            Ok(news) => news,
            Err(error) => {
                tracing::warn!("runs can't be followed: {error}");
                app.news()
            }
        };
        app.tell_of_agents().await;
        let mut taskbar = Taskbar::default();
        while let Some(news) = news.next().await {
            match &news {
                News::Pane(event) => taskbar.follow(event),
                News::Missed(Subject::Panes) => {
                    taskbar.begin_anew(&app.panes_everywhere().await.unwrap_or_default());
                }
                _ => {}
            }
            let told = match news {
                News::Pane(event) => PaneHappened(event).emit(&handle),
                News::Host(state) => HostChanged(state).emit(&handle),
                News::Settings(settings) => applied(settings).emit(&handle),
                News::SettingsRefused(Error { message, .. }) => {
                    SettingsChanged(SettingsNews::Refused { message }).emit(&handle)
                }
                News::Repositories(all) => RepositoriesChanged(all).emit(&handle),
                News::Conflicts(news) => {
                    ConflictsChanged(ConflictsHappened::News { news }).emit(&handle)
                }
                News::Touched(worktrees) => WorktreesTouched(worktrees).emit(&handle),
                News::Machines(all) => MachinesChanged(all).emit(&handle),
                News::Missed(Subject::Machines) => MachinesChanged(app.machines()).emit(&handle),
                News::Agents(event) => AgentsHappened(*event).emit(&handle),
                News::Runs(changes) => RunsChanged(changes).emit(&handle),
                News::Missed(Subject::Panes) => PaneHappened(PaneEvent::Lagged).emit(&handle),
                News::Missed(Subject::Host) => HostChanged(app.host_state()).emit(&handle),
                News::Missed(Subject::Settings) => applied(app.settings()).emit(&handle),
                News::Missed(Subject::Repositories) => {
                    RepositoriesChanged(app.list_repositories()).emit(&handle)
                }
                News::Missed(Subject::Conflicts) => {
                    ConflictsChanged(ConflictsHappened::Lagged).emit(&handle)
                }
                News::Missed(Subject::Changes) => WorktreesTouched(None).emit(&handle),
                News::Missed(Subject::Agents) => {
                    let known = app.known_agents().await.unwrap_or_default();
                    known
                        .into_iter()
                        .map(|listed| AgentsEvent::Listed { listed })
                        .try_for_each(|event| AgentsHappened(event).emit(&handle))
                }
            };
            if let Err(error) = told {
                tracing::warn!("the page was not told: {error}");
            }
        }
    });
}

/// Opens the window that somebody outside wants.
pub(crate) fn open_wanted(handle: &AppHandle) {
    let handle = handle.clone();
    let app = handle.state::<App>().inner().clone();
    let Some(errand) = app.take_wanted_window() else {
        return;
    };
    tauri::async_runtime::spawn(async move {
        if let Err(error) = windows::open_another(&handle, errand).await {
            tracing::warn!("no other window was opened: {}", error.message);
        }
    });
}

fn applied(settings: Settings) -> SettingsChanged {
    let settings = Box::new(settings);
    SettingsChanged(SettingsNews::Applied { settings })
}
