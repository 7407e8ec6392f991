//! [`Panes`]: the room's door.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::attach::{AttachOptions, Stream};
use crate::attachment::Attachment;
use crate::earlier::Earlier;
use crate::history::{ClosedPane, History, HistoryBudget, HistoryError};
use crate::ids::Ids;
use crate::image::PlacedImage;
use crate::input::Refused;
use crate::lines::PaneText;
use crate::pane::{Common, LastKey, Pane, Setup};
use crate::pty::{self, Command};
use crate::screen::Colours;
use crate::scrollback::ScrollbackLimits;
use crate::search::{
    Cancel, Query, Scope, SearchAnswer, SearchError, SearchProgress, SearchRequest, search,
};
use crate::shell_integration;
use crate::shells;
use crate::timer::Timer;
use crate::types::{
    CellSize, CommandMark, CommandOutput, Line, LineId, OpenPane, PaneEvent, PaneId, PaneInfo,
    PaneSize, PanesHealth, ReadLines, Recording, ScreenText,
};
use clock::Clock;

/// Beside the histories: what shells read to learn to mark their prompts.
const SCRIPTS: &str = "shell-integration";

/// How panes are kept.
#[derive(Debug, Clone)]
pub struct PanesConfig {
    /// Where history is kept, and the scripts of shell integration; none: nothing is kept on disk, and shells are
    /// left as they are.
    pub history_dir: Option<PathBuf>,
    /// How long and how much of it, over all panes.
    pub history: HistoryBudget,
    /// What a pane keeps in memory, unless it asks for something else.
    pub scrollback: ScrollbackLimits,
    /// How long a program that was hung up on has to end by itself.
    pub grace: Duration,
    /// What time it is.
    pub clock: Clock,
    /// The colours that programs are told when they ask.
    pub theme: Colours,
}

impl Default for PanesConfig {
    fn default() -> Self {
        Self {
            history_dir: None,
            history: HistoryBudget::default(),
            scrollback: ScrollbackLimits::default(),
            grace: Duration::from_secs(2),
            clock: Clock::system(),
            theme: Colours::default(),
        }
    }
}

/// Why the panes could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory for history can't be used.
    #[error("could not use `{path}` for the panes' history")]
    HistoryDir {
        /// Which directory.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The history can't be kept there.
    #[error("could not open the panes' history")]
    History(#[source] HistoryError),
    /// The system gives no more threads.
    #[error("could not start the panes' timer")]
    Thread(#[source] io::Error),
}

/// Why a pane did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenPaneError {
    /// A value in the request is out of range.
    #[error("bad `{field}`: {message}")]
    BadRequest {
        /// Which field.
        field: &'static str,
        /// What is wrong with it, and what would be right.
        message: String,
    },
    /// The directory to start in is not there.
    #[error("`cwd`: `{cwd}` is not a directory; name one that exists")]
    NoCwd {
        /// The directory that was asked for.
        cwd: String,
    },
    /// There is no such program.
    #[error(
        "`program`: found no program `{program}`; give the path of an executable file, or the name of one on the PATH"
    )]
    NoProgram {
        /// The program that was asked for.
        program: String,
    },
    /// The program could not be started.
    #[error("could not start `{program}` in `{cwd}`")]
    Start {
        /// Which program.
        program: String,
        /// Where.
        cwd: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No new id could be written down.
    #[error("could not give the pane an id")]
    Id(#[source] io::Error),
}

/// Why something could not be done with a pane.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaneError {
    /// There is no such pane.
    #[error("there is no pane `{pane}`")]
    Unknown {
        /// The id that was given.
        pane: PaneId,
    },
    /// The size is out of range.
    #[error("bad `{field}`: {value}; it must be from {least} to {most}")]
    BadSize {
        /// Which field of the size.
        field: &'static str,
        /// What was given.
        value: u16,
        /// The smallest that would do.
        least: u16,
        /// The greatest that would do.
        most: u16,
    },
    /// The program does not read what was written to it before.
    #[error(
        "the program of pane `{pane}` does not read its input; {waiting} bytes wait for it already"
    )]
    WriteQueueFull {
        /// Which pane.
        pane: PaneId,
        /// How much waits.
        waiting: usize,
    },
    /// The program has ended.
    #[error("the program of pane `{pane}` has ended")]
    Ended {
        /// Which pane.
        pane: PaneId,
    },
}

/// All panes. Cheap to clone; every clone is the same panes.
#[derive(Clone)]
pub struct Panes(Arc<Inner>);

struct Inner {
    config: PanesConfig,
    common: Arc<Common>,
    panes: Mutex<BTreeMap<PaneId, Arc<Pane>>>,
    ids: Ids,
    history: Option<History>,
}

impl Panes {
    /// No panes yet.
    ///
    /// # Errors
    ///
    /// [`StartError`] when the history's directory can't be made or used.
    pub fn new(config: PanesConfig) -> Result<Panes, StartError> {
        let ids =
            Ids::open(config.history_dir.as_deref(), config.clock.clone()).map_err(|source| {
                StartError::HistoryDir {
                    path: config
                        .history_dir
                        .as_deref()
                        .unwrap_or(Path::new(""))
                        .display()
                        .to_string(),
                    source,
                }
            })?;
        let events = broadcast::channel(1024).0;
        let history = match &config.history_dir {
            None => None,
            Some(dir) => {
                let events = events.clone();
                let warn = Box::new(move |id, message| {
                    // Nobody listening is not an error.
                    let _ = events.send(PaneEvent::Warned { id, message });
                });
                let history = History::open(dir, config.history, config.clock.clone(), warn)
                    .map_err(StartError::History)?;
                Some(history)
            }
        };
        let common = Arc::new(Common {
            events,
            timer: Timer::start().map_err(StartError::Thread)?,
            clock: config.clock.clone(),
            grace: config.grace,
            theme: Mutex::new(config.theme),
            last_key: LastKey::default(),
        });
        Ok(Panes(Arc::new(Inner {
            config,
            common,
            panes: Mutex::new(BTreeMap::new()),
            ids,
            history,
        })))
    }

    /// Starts a program in a new pane.
    ///
    /// # Errors
    ///
    /// [`OpenPaneError`] says which part of the request can't be met, and what would be right.
    pub fn open(&self, request: OpenPane) -> Result<PaneInfo, OpenPaneError> {
        self.start(request, None)
    }

    /// Starts a program in a new pane, and keeps what it writes to its standard output and how it ends: see
    /// [`Recording`]. The pane closes itself once the program has ended well.
    ///
    /// # Errors
    ///
    /// As for [`Panes::open`].
    pub fn open_recorded(
        &self,
        request: OpenPane,
        recording: Recording,
    ) -> Result<PaneInfo, OpenPaneError> {
        self.start(request, Some(recording))
    }

    fn start(
        &self,
        request: OpenPane,
        recording: Option<Recording>,
    ) -> Result<PaneInfo, OpenPaneError> {
        let env = environment(&request);
        let (program, cwd) = what_runs(&request, &env)?;
        let id = self.0.ids.next().map_err(OpenPaneError::Id)?;
        let setup = self.setup(id, program.clone(), cwd.clone(), env, request, recording);
        let failed = |source| OpenPaneError::Start {
            program,
            cwd: cwd.display().to_string(),
            source,
        };
        let (pane, running) = match Pane::open(setup, Arc::clone(&self.0.common)) {
            Ok(opened) => opened,
            Err(source) => return Err(failed(source)),
        };
        let info = pane.info();
        // Known before it is read, so that whatever is told of it comes after this.
        self.0.panes.lock().insert(id, Arc::clone(&pane));
        self.send(PaneEvent::Opened { pane: info.clone() });
        let panes = Arc::downgrade(&self.0);
        let ended_well = move || {
            if let Some(inner) = panes.upgrade()
                && let Err(error) = Panes(inner).close(id)
            {
                tracing::debug!(%error, "somebody closed it");
            }
        };
        if let Err(source) = pane.follow(running, ended_well) {
            let _ = self.close(id);
            return Err(failed(source));
        }
        Ok(info)
    }

    /// What a pane is made of, from a request whose parts were checked.
    fn setup(
        &self,
        id: PaneId,
        program: String,
        cwd: PathBuf,
        mut env: BTreeMap<OsString, OsString>,
        request: OpenPane,
        recording: Option<Recording>,
    ) -> Setup {
        env.insert("SWITCHYARD_PANE".into(), id.to_string().into());
        let is_shell = shells::is_typed_into(&program, &request.args);
        let history = self.0.history.as_ref();
        let earlier = history
            .zip(request.continues)
            .map(|(history, pane)| Earlier::read(history, pane))
            .unwrap_or_default();
        let mut shown = vec![program.clone()];
        shown.extend(request.args.clone());
        let mut limits = self.0.config.scrollback;
        if let Some(lines) = request.scrollback_lines {
            limits.lines = lines;
        }
        let mut command = Command {
            program,
            args: request.args,
            cwd,
            env,
            stdin: recording
                .as_ref()
                .and_then(|recording| recording.stdin.clone()),
            stdout_apart: recording.is_some(),
        };
        if is_shell
            && !request.no_shell_integration
            && let Some(dir) = &self.0.config.history_dir
            && let Err(error) = shell_integration::teach(&mut command, &dir.join(SCRIPTS))
        {
            // The shell works without.
            tracing::warn!(%error, "could not set up shell integration");
        }
        Setup {
            id,
            command,
            program: shown,
            is_shell,
            role: request.role,
            name: request.name,
            private: request.private,
            profile: request.profile,
            size: request.size,
            limits,
            earlier,
            history: self.0.history.clone().filter(|_| !request.private),
            recording,
        }
    }

    /// All panes, oldest first.
    pub fn list(&self) -> Vec<PaneInfo> {
        let panes: Vec<_> = self.0.panes.lock().values().cloned().collect();
        panes.iter().map(|pane| pane.info()).collect()
    }

    /// What is known of one pane.
    ///
    /// # Errors
    ///
    /// [`PaneError::Unknown`].
    pub fn info(&self, pane: PaneId) -> Result<PaneInfo, PaneError> {
        Ok(self.pane(pane)?.info())
    }

    /// Gives the program input. Returns at once; the bytes wait in a queue.
    ///
    /// # Errors
    ///
    /// [`PaneError::WriteQueueFull`] when the program does not read and the queue is full: nothing of `bytes` is
    /// queued then. [`PaneError::Ended`], [`PaneError::Unknown`].
    pub fn write(&self, pane: PaneId, bytes: Vec<u8>) -> Result<(), PaneError> {
        let it = self.pane(pane)?;
        it.write(&bytes).map_err(|refused| match refused {
            Refused::Full => PaneError::WriteQueueFull {
                pane,
                waiting: it.waiting(),
            },
            Refused::Over => PaneError::Ended { pane },
        })
    }

    /// Gives the pane a size, and tells its program.
    ///
    /// # Errors
    ///
    /// [`PaneError::BadSize`] names the field and its range; [`PaneError::Unknown`].
    pub fn resize(&self, pane: PaneId, size: PaneSize) -> Result<(), PaneError> {
        let pane = self.pane(pane)?;
        check_size(size)?;
        pane.resize(size);
        Ok(())
    }

    /// Tells the pane how large a window draws its cells: programs that draw pictures ask for it.
    ///
    /// # Errors
    ///
    /// [`PaneError::Unknown`].
    pub fn set_cell(&self, pane: PaneId, cell: CellSize) -> Result<(), PaneError> {
        self.pane(pane)?.set_cell(cell);
        Ok(())
    }

    /// The image of which a window has found a tile with this number; none: it is forgotten.
    ///
    /// # Errors
    ///
    /// [`PaneError::Unknown`].
    pub fn image(&self, pane: PaneId, image: u32) -> Result<Option<PlacedImage>, PaneError> {
        Ok(self.pane(pane)?.image(image))
    }

    /// Gives the pane a name; none: it is shown by its title.
    ///
    /// # Errors
    ///
    /// [`PaneError::Unknown`].
    pub fn rename(&self, pane: PaneId, name: Option<String>) -> Result<(), PaneError> {
        let pane = self.pane(pane)?;
        let name = name
            .map(|name| crate::osc::clean(name.trim(), 256))
            .filter(|name| !name.is_empty());
        pane.rename(name);
        Ok(())
    }

    /// Says that the person looks at the pane: what was asked, done or failed is known.
    ///
    /// # Errors
    ///
    /// [`PaneError::Unknown`].
    pub fn seen(&self, pane: PaneId) -> Result<(), PaneError> {
        self.pane(pane)?.seen();
        Ok(())
    }

    /// Ends the pane: hangs up on its program and all that it started, and kills after the grace period what is
    /// left of them. The pane is gone from the list at once; its history stays.
    ///
    /// # Errors
    ///
    /// [`PaneError::Unknown`].
    pub fn close(&self, pane: PaneId) -> Result<(), PaneError> {
        let it = self
            .0
            .panes
            .lock()
            .remove(&pane)
            .ok_or(PaneError::Unknown { pane })?;
        it.close();
        self.send(PaneEvent::Closed { id: pane });
        Ok(())
    }

    /// Streams the pane to a window: a snapshot, then what its program writes.
    ///
    /// # Errors
    ///
    /// [`PaneError::Unknown`].
    pub fn attach(&self, pane: PaneId, options: AttachOptions) -> Result<Attachment, PaneError> {
        let pane = self.pane(pane)?;
        let stream = Stream::new(options);
        pane.attach(Arc::clone(&stream));
        Ok(Attachment::new(pane, stream))
    }

    /// Reads lines of a pane, oldest first: what is in memory, on screen and in its history. A closed pane has its
    /// history.
    ///
    /// # Errors
    ///
    /// [`PaneError::Unknown`].
    pub fn read(&self, pane: PaneId, lines: ReadLines) -> Result<Vec<Line>, PaneError> {
        Ok(self.content(pane)?.read(lines))
    }

    /// Searches what panes printed and showed: see [`SearchRequest`]. `found` is told of matches as they are found,
    /// in order. Blocks until the search is over; `cancel` ends it at the next block.
    ///
    /// # Errors
    ///
    /// [`SearchError`] names the field, the pane, or the position in the pattern; nothing was searched then.
    pub fn search(
        &self,
        request: &SearchRequest,
        cancel: &Cancel,
        found: &mut dyn FnMut(SearchProgress),
    ) -> Result<SearchAnswer, SearchError> {
        let query = Query::new(request)?;
        let live = || -> Vec<PaneText> {
            let panes: Vec<_> = self.0.panes.lock().values().cloned().collect();
            let wanted = panes.iter().filter(|pane| {
                // A pane is asked where it works only when that matters: the system is.
                request.directory.is_none() || query.wants(&pane.info().cwd)
            });
            wanted.map(|pane| pane.content()).collect()
        };
        let closed = || -> Vec<PaneText> {
            let Some(history) = &self.0.history else {
                return Vec::new();
            };
            let closed = history.closed().into_iter();
            closed
                .filter(|pane| query.wants(&pane.cwd))
                .filter_map(|pane| history.reader(pane.id).map(PaneText::closed))
                .collect()
        };
        let panes = match request.scope {
            Scope::Pane { id } => {
                let content = self.content(id);
                let mut panes = vec![content.map_err(|_| SearchError::BadId { pane: id })?];
                // Lines are numbered in each pane by itself.
                if request.lines.is_none() {
                    panes.extend(self.standing_above(id));
                }
                panes
            }
            Scope::Live => live(),
            Scope::Closed => closed(),
            Scope::All => {
                let mut panes = live();
                // A pane that was closed just now is in both.
                for pane in closed() {
                    if panes.iter().all(|known| known.pane != pane.pane) {
                        panes.push(pane);
                    }
                }
                panes
            }
        };
        Ok(search(&query, panes, cancel, found))
    }

    /// The panes that only live in history, newest first.
    pub fn closed(&self) -> Vec<ClosedPane> {
        let history = self.0.history.as_ref();
        history.map(History::closed).unwrap_or_default()
    }

    /// Removes the history of one pane, or of all, from disk, at once. What is in memory stays.
    ///
    /// # Errors
    ///
    /// Some of it could not be removed; the rest was.
    pub fn purge(&self, pane: Option<PaneId>) -> Result<(), HistoryError> {
        match &self.0.history {
            Some(history) => history.purge(pane),
            None => Ok(()),
        }
    }

    /// The closed panes whose lines stand above those of a live one.
    fn standing_above(&self, pane: PaneId) -> Vec<PaneText> {
        let (Ok(pane), Some(history)) = (self.pane(pane), &self.0.history) else {
            return Vec::new();
        };
        let earlier = pane.earlier_panes().into_iter();
        earlier
            .filter_map(|closed| history.reader(closed).map(PaneText::closed))
            .collect()
    }

    /// What a pane holds, live or closed.
    fn content(&self, pane: PaneId) -> Result<PaneText, PaneError> {
        match self.pane(pane) {
            Ok(pane) => Ok(pane.content()),
            Err(error) => {
                let history = self.0.history.as_ref();
                history
                    .and_then(|history| history.reader(pane))
                    .map(PaneText::closed)
                    .ok_or(error)
            }
        }
    }

    /// Sets the colours that programs are told when they ask, in all panes and those to come.
    pub fn set_colours(&self, theme: Colours) {
        *self.0.common.theme.lock() = theme;
        let panes: Vec<_> = self.0.panes.lock().values().cloned().collect();
        for pane in panes {
            pane.set_colours(theme);
        }
    }

    /// The commands that the pane's shell marked, oldest first.
    ///
    /// # Errors
    ///
    /// [`PaneError::Unknown`].
    pub fn marks(&self, pane: PaneId) -> Result<Vec<CommandMark>, PaneError> {
        Ok(self.pane(pane)?.marks())
    }

    /// What a command has printed, by the line of its prompt; nothing when no command is marked there any more.
    ///
    /// # Errors
    ///
    /// [`PaneError::Unknown`].
    pub fn output(&self, pane: PaneId, prompt: LineId) -> Result<Option<CommandOutput>, PaneError> {
        let pane = self.pane(pane)?;
        let mark = pane.marks().into_iter().find(|mark| mark.prompt == prompt);
        Ok(mark.map(|mark| pane.content().output_of(mark)))
    }

    /// What is on a pane's screen, as plain text.
    ///
    /// # Errors
    ///
    /// [`PaneError::Unknown`].
    pub fn screen_text(&self, pane: PaneId) -> Result<ScreenText, PaneError> {
        Ok(self.pane(pane)?.screen_text())
    }

    /// What happens to panes, from now on.
    pub fn events(&self) -> broadcast::Receiver<PaneEvent> {
        self.0.common.events.subscribe()
    }

    /// How the panes are.
    pub fn health(&self) -> PanesHealth {
        let panes: Vec<_> = self.0.panes.lock().values().cloned().collect();
        PanesHealth {
            panes: panes.len() as u32,
            stuck_writers: panes
                .iter()
                .filter(|pane| pane.waiting() > 64 * 1024)
                .map(|pane| pane.id)
                .collect(),
            scrollback_bytes: panes.iter().map(|pane| pane.memory() as u64).sum(),
        }
    }

    /// Ends all panes: hangs up, waits for the grace period at most, kills what is left.
    pub fn shutdown(&self) {
        let panes = std::mem::take(&mut *self.0.panes.lock());
        for pane in panes.values() {
            pane.close();
        }
        let grace = Instant::now() + self.0.config.grace;
        for pane in panes.values() {
            pane.wait_ended(grace);
            pane.kill();
        }
        let dead = Instant::now() + Duration::from_secs(2);
        for (id, pane) in &panes {
            if !pane.wait_ended(dead) {
                tracing::warn!(pane = %id, "its program did not end, not even killed");
            }
            self.send(PaneEvent::Closed { id: *id });
        }
    }

    fn pane(&self, pane: PaneId) -> Result<Arc<Pane>, PaneError> {
        self.0
            .panes
            .lock()
            .get(&pane)
            .cloned()
            .ok_or(PaneError::Unknown { pane })
    }

    fn send(&self, event: PaneEvent) {
        // Nobody listening is not an error.
        let _ = self.0.common.events.send(event);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for pane in self.panes.lock().values() {
            pane.close();
            pane.kill();
        }
    }
}

/// All that the program of a request finds in its environment, but for the pane's id.
fn environment(request: &OpenPane) -> BTreeMap<OsString, OsString> {
    let mut env = request.environment.in_a_pane();
    let own = [
        ("TERM", "xterm-256color"),
        ("COLORTERM", "truecolor"),
        ("TERM_PROGRAM", "switchyard"),
    ];
    let added = request.env.iter();
    let added = added.map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.into_iter().chain(added) {
        env.insert(name.into(), value.into());
    }
    if !env.contains_key(OsStr::new("SHELL")) {
        env.insert("SHELL".into(), pty::login_shell(&env).into());
    }
    env
}

/// The program of a request and its directory, once nothing is wrong with the request.
fn what_runs(
    request: &OpenPane,
    env: &BTreeMap<OsString, OsString>,
) -> Result<(String, PathBuf), OpenPaneError> {
    if let Err(PaneError::BadSize {
        field,
        value,
        least,
        most,
    }) = check_size(request.size)
    {
        return Err(OpenPaneError::BadRequest {
            field: if field == "cols" {
                "size.cols"
            } else {
                "size.rows"
            },
            message: format!("{value}; it must be from {least} to {most}"),
        });
    }
    check_texts(request)?;
    let cwd = match &request.cwd {
        Some(cwd) => PathBuf::from(cwd),
        None => home(env),
    };
    if !cwd.is_absolute() {
        return Err(OpenPaneError::BadRequest {
            field: "cwd",
            message: format!(
                "`{}` is relative; give a path that begins with `/`",
                cwd.display()
            ),
        });
    }
    if !cwd.is_dir() {
        return Err(OpenPaneError::NoCwd {
            cwd: cwd.display().to_string(),
        });
    }
    let shell = || pty::login_shell(env);
    let program = request.program.clone().unwrap_or_else(shell);
    if pty::find_program(&program, &cwd, env).is_none() {
        return Err(OpenPaneError::NoProgram { program });
    }
    Ok((program, cwd))
}

fn check_size(size: PaneSize) -> Result<(), PaneError> {
    for (field, value, least, most) in [("cols", size.cols, 2, 1_000), ("rows", size.rows, 1, 500)]
    {
        if !(least..=most).contains(&value) {
            return Err(PaneError::BadSize {
                field,
                value,
                least,
                most,
            });
        }
    }
    Ok(())
}

/// What can't be handed to a program, and what nobody means.
fn check_texts(request: &OpenPane) -> Result<(), OpenPaneError> {
    let bad = |field, message: &str| {
        Err(OpenPaneError::BadRequest {
            field,
            message: message.to_owned(),
        })
    };
    if request.program.as_deref() == Some("") {
        return bad("program", "it is empty; leave it out for the login shell");
    }
    if request.program.iter().any(|text| text.contains('\0')) {
        return bad("program", "it may not hold a NUL character");
    }
    if request.args.iter().any(|text| text.contains('\0')) {
        return bad("args", "none may hold a NUL character");
    }
    if request.cwd.iter().any(|text| text.contains('\0')) {
        return bad("cwd", "it may not hold a NUL character");
    }
    for (name, value) in &request.env {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return bad(
                "env",
                "a name may not be empty or hold `=`, and nothing may hold a NUL character",
            );
        }
    }
    Ok(())
}

fn home(env: &BTreeMap<OsString, OsString>) -> PathBuf {
    let theirs = env.get(OsStr::new("HOME")).map(PathBuf::from);
    theirs
        .or_else(std::env::home_dir)
        .filter(|home| home.is_dir())
        .unwrap_or_else(|| PathBuf::from("/"))
}
