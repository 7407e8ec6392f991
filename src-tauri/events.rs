//! `App`'s events, to the page; and the bytes of panes, through channels.

use agents::AgentsEvent;
use app::{App, AppEvent, ConflictNews, HostState, RepositoryView, Settings};
use flow::RunChange;
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::AppHandle;
use tauri::ipc::{InvokeResponseBody, IpcResponse};
use tauri_specta::Event;
use terminal::PaneEvent;

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

/// Tells the page everything that `app` tells, for as long as the window lives.
pub(crate) fn forward(app: &App, handle: AppHandle) {
    forward_conflicts(app, handle.clone());
    let mut events = app.events();
    tauri::async_runtime::spawn(async move {
        use tokio::sync::broadcast::error::RecvError;
        loop {
            let told = match events.recv().await {
                Ok(AppEvent::Pane(event)) => PaneHappened(event).emit(&handle),
                Ok(AppEvent::Settings(settings)) => SettingsChanged(SettingsNews::Applied {
                    settings: Box::new(settings),
                })
                .emit(&handle),
                Ok(AppEvent::SettingsRefused(error)) => SettingsChanged(SettingsNews::Refused {
                    message: error.message,
                })
                .emit(&handle),
                Ok(AppEvent::Host(state)) => HostChanged(state).emit(&handle),
                Ok(AppEvent::Repositories(all)) => RepositoriesChanged(all).emit(&handle),
                // The agents' own task waits for it.
                Ok(AppEvent::AgentsUsable) => Ok(()),
                Err(RecvError::Lagged(_)) => PaneHappened(PaneEvent::Lagged).emit(&handle),
                Err(RecvError::Closed) => break,
            };
            if let Err(error) = told {
                tracing::warn!("the page was not told: {error}");
            }
        }
    });
}

fn forward_conflicts(app: &App, handle: AppHandle) {
    let mut news = app.conflict_news();
    tauri::async_runtime::spawn(async move {
        use tokio::sync::broadcast::error::RecvError;
        loop {
            let happened = match news.recv().await {
                Ok(news) => ConflictsHappened::News { news },
                Err(RecvError::Lagged(_)) => ConflictsHappened::Lagged,
                Err(RecvError::Closed) => break,
            };
            if let Err(error) = ConflictsChanged(happened).emit(&handle) {
                tracing::warn!("the page was not told of conflicts: {error}");
            }
        }
    });
}

/// Tells the page what happens to agents. What is said in their conversations is told to those who follow them.
pub(crate) fn forward_agents(app: App, handle: AppHandle) {
    tauri::async_runtime::spawn(async move {
        use tokio::sync::broadcast::error::RecvError;
        let mut usable = app.events();
        let mut events = loop {
            match app.agent_events().await {
                Ok(events) => break events,
                // The page says what is wrong with the file; saving it well is told.
                Err(error) => tracing::warn!("agents: {error}"),
            }
            loop {
                match usable.recv().await {
                    Ok(AppEvent::AgentsUsable) => break,
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        };
        let tell = |event: AgentsEvent| {
            if let Err(error) = AgentsHappened(event).emit(&handle) {
                tracing::warn!("the page was not told: {error}");
            }
        };
        let all = async || {
            for listed in app.known_agents().await.unwrap_or_default() {
                tell(AgentsEvent::Listed { listed });
            }
        };
        all().await;
        loop {
            match events.recv().await {
                Ok(AgentsEvent::Conversation { .. } | AgentsEvent::Edit { .. }) => {}
                Ok(event) => tell(event),
                Err(RecvError::Lagged(_)) => all().await,
                Err(RecvError::Closed) => break,
            }
        }
    });
}

/// Tells the page what changes about runs, whichever process drives them.
pub(crate) fn forward_runs(app: &App, handle: AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut runs = match app.follow_runs().await {
            Ok(runs) => runs,
            Err(error) => {
                tracing::warn!("runs can't be followed: {}", error.message);
                return;
            }
        };
        while let Some(changes) = runs.next().await {
            if let Err(error) = RunsChanged(changes).emit(&handle) {
                tracing::warn!("the page was not told: {error}");
            }
        }
    });
}
