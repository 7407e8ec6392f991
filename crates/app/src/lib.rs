//! Where the rooms meet: [`App`] is everything that Switchyard can do, without a window.
//!
//! The desktop shell and the command line are two thin faces of it. [`App::start`] opens what is kept on disk,
//! finds the pane host or starts it, and reads the settings; [`App::news`] tells what happens;
//! [`App::shutdown`] ends it all in order. Panes live in the pane host, so dropping `App` ends none of them.
//!
//! Each subject is a file: `panes`, `search`, `conflicts`, `session`, `settings`, `flow`. Every failure leaves as one [`Error`].

mod agents;
mod blocking;
mod changes;
mod colour;
mod config_file;
mod conflicts;
mod drafts;
mod editing;
mod error;
mod fields;
mod flow;
mod folders;
mod fonts;
mod forge;
mod layouts;
mod looks;
mod machines;
mod memory;
mod moments;
mod news;
mod one_pane;
mod pane_host;
mod pane_names;
mod panes;
mod paths;
mod profiles;
mod remarks;
mod search;
mod session;
mod settings;
#[cfg(test)]
mod testing;
mod themes;
mod tmux;
mod whole_file;
mod window_state;
mod windows;
mod wishes;
mod worktrees;

use std::sync::Arc;
use std::time::Duration;

use self::config_file::ConfigWatch;
use clock::Clock;
use host::{HostClient, HostHere, ServeError};
use serde::{Deserialize, Serialize};
use specta::Type;
use store::Store;
use terminal::{HistoryBudget, Panes, PanesConfig};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

pub use self::conflicts::{
    ConflictNews, RepositoryConflicts, RepositoryState, RepositoryView, WorktreeView,
    announce_from_outside, check_change, look_for_conflicts, watch_config,
};
pub use agents::{Persona, Personas, StartedAgent};
pub use changes::{
    act_on, commit, find_worktree, land, list_changes, list_snapshots, restore, take_back,
    tell_diff,
};
pub use colour::Colour;
pub use drafts::Draft;
pub use editing::FilePlace;
pub use error::{Code, Error};
pub use flow::{
    CancelWhat, ExportTo, FlowCheck, FlowFile, FlowFileWatch, FlowSummary, Mark, OutputLine,
    OutputLines, OutputPiece, OutputPlace, RunWorktree, StepDetail, check_flow_in, check_flow_text,
    export_flow_text, flow_schema, simulate_flow_text,
};
pub use folders::{FolderBelow, FolderLook};
pub use forge::ForgePage;
pub use host::{AckHandle, HostAttachment};
pub use layouts::{Layout, LayoutNode, LayoutPane, LayoutPart, LayoutSummary, WantedLayout};
pub use looks::LookedAt;
pub use machines::{
    MachineAsks, MachineId, MachineLink, MachineView, MachineWay, PANES_PER_MACHINE, number_there,
    serve_pipe,
};
pub use memory::MemoryUse;
pub use moments::{changes_since, diff_since, list_moments, remember, restore_to_moment};
pub use news::{News, NewsReader, Subject};
pub use pane_host::{
    IDLE_AFTER, Served, host_health, serve_agents, serve_host, serve_host_until, stop_agents,
    stop_host,
};
pub use paths::Paths;
pub use profiles::Profile;
pub use remarks::{
    ChangeSide, KeptRemark, Remark, RemarkChange, RemarkId, RemarkedLines, SentRemark,
};
use settings::Loaded;
pub use settings::{
    ClipboardWrites, CursorStyle, FlowSettings, HistorySettings, Renderer, SearchSettings, Setting,
    SettingChange, SettingMistake, SettingTakes, SettingValue, SettingWord, Settings, SettingsFile,
    SettingsSheet, SettingsText, Theme,
};
pub use themes::{ImportedTheme, ThemeColours};
pub use tmux::layout_of_tmux;
pub use window_state::{DrawnBy, FrameState, MeasuredDrawing, WindowState};
pub use windows::{Errand, WindowId, WindowsClaim};
pub use wishes::Wish;
pub use worktrees::{
    AtWork, MadeWorktree, PrunedWorktree, RemoveWorktree, WorktreeRow, list_worktrees,
    make_worktree, rename_worktree,
};

/// What [`App::start`] needs to know.
#[derive(Debug, Clone)]
pub struct AppConfig {
    /// Where things are kept.
    pub paths: Paths,
    /// Where the panes live.
    pub host: HostMode,
}

/// Where the panes live.
#[derive(Debug, Clone)]
pub enum HostMode {
    /// In a process of their own, which is found or else started: they outlive us.
    Detached {
        /// The executable that is started as `PROGRAM host`.
        program: std::path::PathBuf,
    },
    /// In this process: they end with it.
    InProcess,
}

/// Whether the pane host can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum HostState {
    /// It can.
    Up,
    /// It can't, and what that means for a person.
    Down {
        /// What happened, and what will happen next.
        message: String,
    },
    /// It ended with its panes, and another one was started.
    Restarted {
        /// What was lost and what was kept.
        message: String,
    },
}

/// What a person should be told about the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
pub struct StartNotices {
    /// What is wrong in the files of the settings. It is told again, or not any more, when they are saved.
    pub about_settings: Vec<String>,
    /// A damaged database, and the like.
    pub others: Vec<String>,
}

/// Everything that Switchyard can do. Clones are the same `App`.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    paths: Paths,
    store: Store,
    panes: HostClient,
    /// The host that this process is itself, when panes live in it.
    here: Option<HostHere>,
    machines: self::machines::Machines,
    /// The runs; opened on first use.
    flows: std::sync::OnceLock<::flow::Flows>,
    conflicts: self::conflicts::Repositories,
    /// What a person should be told about the start, but for the database.
    notices: StartNotices,
    settings: watch::Sender<Settings>,
    /// Held while one of the files of the settings is read, changed and written.
    settings_edit: parking_lot::Mutex<()>,
    news: broadcast::Sender<News>,
    /// Those who wait for one pane.
    awaited: Arc<one_pane::Awaited>,
    /// The agents' backends, made when they are first asked for.
    agents: tokio::sync::OnceCell<self::agents::Backends>,
    /// The process that holds ACP agents, when it is not this one.
    agent_host: Option<Arc<agents::AgentHost>>,
    /// Somebody wants to be told of agents, once their file can be used.
    tells_of_agents: std::sync::atomic::AtomicBool,
    /// Where [`App::start`] was called, and what runs beside the commands runs.
    runtime: tokio::runtime::Handle,
    /// What runs beside the commands; ended by [`App::shutdown`].
    tasks: parking_lot::Mutex<JoinSet<()>>,
}

impl App {
    /// Finds or starts the pane host, and reads the settings. The database is opened by the first who uses it: panes need none.
    ///
    /// # Errors
    ///
    /// When a directory can't be used, or no pane host answers; [`Code::Refused`] when panes are to
    /// live in this process and a pane host has them already. Settings that are
    /// wrong are not an error: the defaults are used, and [`App::notices`] says why.
    pub async fn start(config: AppConfig) -> Result<Self, Error> {
        let AppConfig { paths, host } = config;
        paths
            .create()
            .map_err(|error| Error::new(Code::Failed, error.to_string()))?;
        if let Err(error) = settings::create_files(&paths) {
            tracing::warn!("the settings' files could not be written: {error}");
        }
        let mut notices = StartNotices::default();
        let settings = match Settings::load(&paths, &Settings::default()) {
            Ok(Loaded { settings, mistakes }) => {
                notices.about_settings = mistakes;
                settings
            }
            Err(error) => {
                notices.about_settings.push(error.message);
                Settings::default()
            }
        };
        let schemas = [
            agents::SCHEMA,
            drafts::SCHEMA,
            looks::SCHEMA,
            remarks::SCHEMA,
            ::flow::SCHEMA,
        ];
        let store = Store::lazily(&paths.database(), &schemas)
            .map_err(|error| Error::from_chain(Code::Store, &error))?;
        let agent_host = match &host {
            HostMode::InProcess => None,
            HostMode::Detached { program } => {
                let at = agent_host_paths(&paths);
                Some(agents::AgentHost::new(at, program.clone()))
            }
        };
        let own = match &host {
            HostMode::Detached { program } => program.clone(),
            HostMode::InProcess => std::env::current_exe().unwrap_or_default(),
        };
        let programs = ::machines::Programs::new(own, paths.programs(), env!("CARGO_PKG_VERSION"));
        let (panes, here) = match host {
            HostMode::InProcess => {
                // Before any of the panes' files is opened: two who write them would spoil them.
                let claim = claim_panes(&paths)?;
                let panes = Panes::new(panes_config(&paths, &settings))
                    .map_err(|error| Error::from_chain(Code::Failed, &error))?;
                let here = claim.serve_here(panes, Clock::system().now_ms());
                (HostClient::connect_here(&here).await?, Some(here))
            }
            HostMode::Detached { program } => {
                let paths = host_paths(&paths);
                (HostClient::connect_or_start(&paths, &program).await?, None)
            }
        };
        let app = Self(Arc::new(Inner {
            paths,
            store,
            panes,
            here,
            machines: self::machines::Machines::new(programs),
            flows: std::sync::OnceLock::new(),
            conflicts: self::conflicts::Repositories::default(),
            notices,
            settings: watch::Sender::new(settings),
            settings_edit: parking_lot::Mutex::default(),
            news: broadcast::Sender::new(news::KEPT),
            awaited: Arc::default(),
            agents: tokio::sync::OnceCell::new(),
            agent_host,
            tells_of_agents: false.into(),
            runtime: tokio::runtime::Handle::current(),
            tasks: parking_lot::Mutex::new(JoinSet::new()),
        }));
        app.follow_panes();
        app.follow_settings();
        if let Err(error) = app.load_machines() {
            app.0.machines.is_wrong(error.message);
        }
        Ok(app)
    }

    /// Where things are kept.
    pub fn paths(&self) -> &Paths {
        &self.0.paths
    }

    /// What a person should be told about the start: settings that can't be used, a damaged database, a full disk. Opens
    /// the database.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when the database can't be used, and nothing but another program can change that.
    pub async fn notices(&self) -> Result<StartNotices, Error> {
        let mut notices = self.0.notices.clone();
        match self.0.store.opened().await {
            Ok(None) => {}
            Ok(Some(aside)) => notices.others.push(format!(
                "the database was damaged: it is kept as `{}`, and a new one was begun",
                aside.display()
            )),
            Err(error) if error.is_passing() => {
                let error = Error::from_chain(Code::Store, &error);
                notices.others.push(format!(
                    "{}. Terminals work all the same; what is changed in the window, flows and agents are kept again once that works",
                    error.message
                ));
            }
            Err(error) => return Err(Error::from_chain(Code::Store, &error)),
        }
        Ok(notices)
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        self.0.settings.borrow().clone()
    }

    /// Ends what runs here, in order: runs pause at a journaled point, agents, no more events, then
    /// panes that live in this process, then the database. Panes in a host of their own go on.
    pub async fn shutdown(&self) {
        self.0.stop_flows().await;
        let mut tasks = std::mem::take(&mut *self.0.tasks.lock());
        if let Some(agents) = self.0.agents.get() {
            agents.shutdown().await;
        }
        tasks.shutdown().await;
        if let Some(here) = &self.0.here {
            here.end().await;
        }
    }

    /// Runs `task` until [`App::shutdown`], wherever this is called from.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.lock().spawn_on(task, &self.0.runtime);
    }

    /// Applies what a person saves in the settings' files.
    fn follow_settings(&self) {
        let (config, themes) = (self.0.paths.config(), self.0.paths.themes());
        let watched = ConfigWatch::new(config).and_then(|watch| watch.and(&themes));
        let mut watch = match watched {
            Ok(watch) => watch,
            Err(error) => {
                tracing::warn!("settings are read at the start only: {error}");
                return;
            }
        };
        let app = Arc::downgrade(&self.0);
        self.spawn(async move {
            while watch.changed().await.is_some() {
                let Some(inner) = app.upgrade() else { break };
                let app = Self(inner);
                app.reload_settings();
                app.reload_machines();
                app.reload_agents().await;
            }
        });
    }

    fn reload_settings(&self) {
        match Settings::load(&self.0.paths, &self.settings()) {
            Ok(Loaded { settings, mistakes }) => {
                if settings.conflicts != self.settings().conflicts {
                    self.look_for_breaks(settings.conflicts.breaks);
                }
                self.0.settings.send_if_modified(|current| {
                    let changed = *current != settings;
                    current.clone_from(&settings);
                    changed
                });
                // Told also when nothing has changed: what was said of earlier mistakes has lost its reason.
                self.emit(News::Settings(settings));
                if !mistakes.is_empty() {
                    let error = Error::new(Code::BadFile, mistakes.join("\n"));
                    self.emit(News::SettingsRefused(error));
                }
            }
            Err(error) => self.emit(News::SettingsRefused(error)),
        }
    }
}

/// What the panes of this user are kept with; the pane host uses the same.
pub(crate) fn panes_config(paths: &Paths, settings: &Settings) -> PanesConfig {
    PanesConfig {
        history_dir: (settings.history.keep_days > 0).then(|| paths.history()),
        history: HistoryBudget {
            max_age: Duration::from_secs(u64::from(settings.history.keep_days) * 24 * 60 * 60),
            max_bytes: u64::from(settings.history.max_mb) * 1024 * 1024,
        },
        ..PanesConfig::default()
    }
}

/// Claims the panes' files for this process.
fn claim_panes(paths: &Paths) -> Result<host::Host, Error> {
    host::Host::claim(&host::PANES, &host_paths(paths)).map_err(|error| match error {
        ServeError::AlreadyRunning { .. } => Error::new(
            Code::Refused,
            format!(
                "panes can't live in this process: {error}, and it keeps its panes in `{}`. Use it, or end it and its \
                 programs first with `switchyard host --stop`",
                paths.data().display()
            ),
        ),
        error => Error::from_chain(Code::Failed, &error),
    })
}

fn host_paths(paths: &Paths) -> host::HostPaths {
    host::HostPaths::new(paths.runtime(), paths.data())
}

fn agent_host_paths(paths: &Paths) -> host::HostPaths {
    host::HostPaths::new(paths.runtime().join("agents"), paths.data().join("agents"))
}
