//! The asking side: the methods of [`Panes`](terminal::Panes), asynchronous, over the socket.

mod attachment;
mod connection;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use terminal::{
    AttachOptions, ClosedPane, CommandMark, Line, OpenPane, PaneEvent, PaneId, PaneInfo, PaneSize,
    ReadLines, Recording, SearchAnswer, SearchProgress, SearchRequest, Theme,
};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::timeout;

pub use self::attachment::{AckHandle, HostAttachment};
use self::connection::Connection;
use crate::paths::HostPaths;
use crate::protocol::{HostHealth, Purpose, Reply, Request};
use crate::refusal::Refusal;
use crate::start::{self, ConnectError};

/// How long an answer may take before the host counts as hanging. The slowest honest answer is a
/// search over a large history, which ends itself after ten seconds.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);
/// How many events may wait for a reader before it is told that it missed some.
const EVENTS: usize = 1024;

/// Why a request to the host was not answered as hoped.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HostError {
    /// The host understood, and refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The connection to the host is gone. Programs may well run on: connect again.
    #[error("the connection to the pane host is gone: {message}")]
    Down {
        /// How it ended.
        message: String,
    },
    /// The host holds the connection and does not answer.
    #[error("the pane host has not answered for {} seconds", .after.as_secs())]
    NoAnswer {
        /// How long it was given.
        after: Duration,
    },
    /// The host answered something else than what was asked.
    #[error("the pane host gave an answer that does not fit: {message}")]
    Protocol {
        /// What did not fit.
        message: String,
    },
}

/// What a client is told without asking.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are about panes; a box would cost each of them an allocation"
)]
pub enum HostEvent {
    /// Something happened to a pane.
    Pane(PaneEvent),
    /// The connection is gone. Requests fail with [`HostError::Down`] until [`HostClient::reconnect`].
    Down {
        /// How it ended.
        message: String,
    },
    /// There is a connection again: list the panes anew.
    Up {
        /// It is another host process: panes of the former one are gone, their history is not.
        restarted: bool,
    },
}

/// A connection to the pane host, shared by all its clones.
///
/// Dropping the last clone hangs up; the panes go on.
#[derive(Clone)]
pub struct HostClient {
    inner: Arc<Inner>,
}

struct Inner {
    paths: HostPaths,
    /// What to start when no host answers; none: only ever connect.
    exe: Option<PathBuf>,
    connection: Mutex<Arc<Connection>>,
    reconnecting: tokio::sync::Mutex<()>,
    events: broadcast::Sender<HostEvent>,
}

impl std::fmt::Debug for HostClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let connection = self.connection();
        f.debug_struct("HostClient")
            .field("socket", &self.inner.paths.socket())
            .field("host", &connection.welcome.pid)
            .finish_non_exhaustive()
    }
}

impl HostClient {
    /// Connects to the host that runs; starts none.
    ///
    /// # Errors
    ///
    /// [`ConnectError::NotRunning`] when there is none, [`ConnectError::OtherVersion`] when it
    /// speaks another protocol.
    pub async fn connect(paths: &HostPaths) -> Result<Self, ConnectError> {
        Self::establish(paths, None).await
    }

    /// Connects to the host that runs, or starts `exe host --detached` and connects to that.
    ///
    /// The environment of this process is what a new host, and so its panes, will have.
    ///
    /// # Errors
    ///
    /// Besides those of [`connect`](Self::connect): [`ConnectError::Start`] with the words of the
    /// host's log when it did not come up within ten seconds.
    pub async fn connect_or_start(paths: &HostPaths, exe: &Path) -> Result<Self, ConnectError> {
        Self::establish(paths, Some(exe.to_owned())).await
    }

    async fn establish(paths: &HostPaths, exe: Option<PathBuf>) -> Result<Self, ConnectError> {
        let events = broadcast::Sender::new(EVENTS);
        let (stream, welcome) = start::reach(paths, exe.as_deref()).await?;
        let connection = Connection::begin(stream, welcome, events.clone());
        Ok(Self {
            inner: Arc::new(Inner {
                paths: paths.clone(),
                exe,
                connection: Mutex::new(connection),
                reconnecting: tokio::sync::Mutex::new(()),
                events,
            }),
        })
    }

    /// Makes a new connection if this one is gone, in the way in which the first was made, and says
    /// [`HostEvent::Up`]. Attachments of the old one have ended: attach again.
    ///
    /// # Errors
    ///
    /// As for the first connection.
    pub async fn reconnect(&self) -> Result<(), ConnectError> {
        let _one_at_a_time = self.inner.reconnecting.lock().await;
        let former = self.connection();
        if !former.is_down() {
            return Ok(());
        }
        let (stream, welcome) = start::reach(&self.inner.paths, self.inner.exe.as_deref()).await?;
        let restarted =
            (welcome.pid, welcome.started_at) != (former.welcome.pid, former.welcome.started_at);
        let connection = Connection::begin(stream, welcome, self.inner.events.clone());
        *lock(&self.inner.connection) = connection;
        let _ = self.inner.events.send(HostEvent::Up { restarted });
        Ok(())
    }

    /// Whether the connection is gone.
    pub fn is_down(&self) -> bool {
        self.connection().is_down()
    }

    /// The process that serves, and the version of its program.
    pub fn host(&self) -> (u32, String) {
        let connection = self.connection();
        (connection.welcome.pid, connection.welcome.version.clone())
    }

    /// What happens from now on, to the panes and to the connection.
    pub fn events(&self) -> broadcast::Receiver<HostEvent> {
        self.inner.events.subscribe()
    }

    /// Opens a pane. See [`Panes::open`](terminal::Panes::open).
    ///
    /// # Errors
    ///
    /// [`Refusal::NotStarted`] when the program or the directory is not there.
    pub async fn open(&self, request: OpenPane) -> Result<PaneInfo, HostError> {
        match self.ask(Request::Open(Box::new(request))).await? {
            Reply::Pane(pane) => Ok(pane),
            other => Err(misfit(&other)),
        }
    }

    /// Opens a pane that is recorded. See [`Panes::open_recorded`](terminal::Panes::open_recorded).
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub async fn open_recorded(
        &self,
        request: OpenPane,
        recording: Recording,
    ) -> Result<PaneInfo, HostError> {
        let request = Request::OpenRecorded(Box::new(request), recording);
        match self.ask(request).await? {
            Reply::Pane(pane) => Ok(pane),
            other => Err(misfit(&other)),
        }
    }

    /// Every pane that is open.
    ///
    /// # Errors
    ///
    /// Only when the host can't be asked.
    pub async fn list(&self) -> Result<Vec<PaneInfo>, HostError> {
        match self.ask(Request::List).await? {
            Reply::Panes(panes) => Ok(panes),
            other => Err(misfit(&other)),
        }
    }

    /// What is known of one pane.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownPane`].
    pub async fn info(&self, pane: PaneId) -> Result<PaneInfo, HostError> {
        match self.ask(Request::Info(pane)).await? {
            Reply::Pane(pane) => Ok(pane),
            other => Err(misfit(&other)),
        }
    }

    /// Types `bytes` into a pane. Writes of one client arrive in the order in which they were made.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownPane`]; [`Refusal::NotReading`] when the program has not read for so long
    /// that no more can wait for it.
    pub async fn write(&self, pane: PaneId, bytes: Vec<u8>) -> Result<(), HostError> {
        self.tell(Request::Write(pane, bytes)).await
    }

    /// Gives a pane another size.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownPane`]; [`Refusal::BadParams`] when the size is out of range.
    pub async fn resize(&self, pane: PaneId, size: PaneSize) -> Result<(), HostError> {
        self.tell(Request::Resize(pane, size)).await
    }

    /// Gives a pane a name, or none.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownPane`].
    pub async fn rename(&self, pane: PaneId, name: Option<String>) -> Result<(), HostError> {
        self.tell(Request::Rename(pane, name)).await
    }

    /// Notes that the person looks at a pane.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownPane`].
    pub async fn seen(&self, pane: PaneId) -> Result<(), HostError> {
        self.tell(Request::Seen(pane)).await
    }

    /// Ends a pane's programs and removes it from the list. Its history stays.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownPane`].
    pub async fn close(&self, pane: PaneId) -> Result<(), HostError> {
        self.tell(Request::Close(pane)).await
    }

    /// Lines that a pane printed; a closed one's as well.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownPane`] when not even history knows it.
    pub async fn read(&self, pane: PaneId, lines: ReadLines) -> Result<Vec<Line>, HostError> {
        match self.ask(Request::Read(pane, lines)).await? {
            Reply::Lines(lines) => Ok(lines),
            other => Err(misfit(&other)),
        }
    }

    /// The commands that ran in a pane, as its shell marked them.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownPane`].
    pub async fn marks(&self, pane: PaneId) -> Result<Vec<CommandMark>, HostError> {
        match self.ask(Request::Marks(pane)).await? {
            Reply::Marks(marks) => Ok(marks),
            other => Err(misfit(&other)),
        }
    }

    /// Searches. `found` is called with what is found, as it is found; the answer has it all again.
    ///
    /// Dropping the future cancels the search.
    ///
    /// # Errors
    ///
    /// [`Refusal::BadParams`], [`Refusal::BadQuery`], [`Refusal::UnknownPane`].
    pub async fn search(
        &self,
        request: SearchRequest,
        mut found: impl FnMut(SearchProgress) + Send,
    ) -> Result<SearchAnswer, HostError> {
        let (progress, mut reports) = mpsc::unbounded_channel();
        let connection = self.connection();
        let mut asked = connection.ask(Request::Search(Box::new(request)), Some(progress))?;
        let waiting = async {
            loop {
                tokio::select! {
                    biased;
                    Some(report) = reports.recv() => found(report),
                    reply = &mut asked.reply => break reply,
                }
            }
        };
        let reply = asked_within(waiting, &connection).await?;
        asked.answered = true;
        while let Ok(report) = reports.try_recv() {
            found(report);
        }
        match reply? {
            Reply::Found(answer) => Ok(answer),
            other => Err(misfit(&other)),
        }
    }

    /// Panes that only live in history.
    ///
    /// # Errors
    ///
    /// Only when the host can't be asked.
    pub async fn closed(&self) -> Result<Vec<ClosedPane>, HostError> {
        match self.ask(Request::Closed).await? {
            Reply::Closed(panes) => Ok(panes),
            other => Err(misfit(&other)),
        }
    }

    /// Removes the history of one pane, or of all, at once.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownPane`]; [`Refusal::Failed`] when a file can't be removed.
    pub async fn purge(&self, pane: Option<PaneId>) -> Result<(), HostError> {
        self.tell(Request::Purge(pane)).await
    }

    /// Sets the colours that programs are told when they ask, in all panes and those to come.
    ///
    /// # Errors
    ///
    /// Only when the host can't be asked.
    pub async fn set_theme(&self, theme: Theme) -> Result<(), HostError> {
        self.tell(Request::Theme(theme.into())).await
    }

    /// How the host is.
    ///
    /// # Errors
    ///
    /// Only when the host can't be asked.
    pub async fn health(&self) -> Result<HostHealth, HostError> {
        match self.ask(Request::Health).await? {
            Reply::Health(health) => Ok(health),
            other => Err(misfit(&other)),
        }
    }

    /// Shows a pane: its snapshot first, then what it prints.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownPane`]; [`HostError::Down`] when the host can't be reached any more.
    pub async fn attach(
        &self,
        pane: PaneId,
        options: AttachOptions,
    ) -> Result<HostAttachment, HostError> {
        let purpose = Purpose::Attach {
            pane,
            scrollback_rows: options.scrollback_rows,
            high_water: options.high_water,
        };
        match start::greet(&self.inner.paths, &purpose).await {
            Ok((stream, _)) => Ok(HostAttachment::begin(stream)),
            Err(ConnectError::Refused(refusal)) => Err(refusal.into()),
            Err(error) => Err(HostError::Down {
                message: error.to_string(),
            }),
        }
    }

    async fn tell(&self, request: Request) -> Result<(), HostError> {
        match self.ask(request).await? {
            Reply::Done => Ok(()),
            other => Err(misfit(&other)),
        }
    }

    async fn ask(&self, request: Request) -> Result<Reply, HostError> {
        let connection = self.connection();
        let mut asked = connection.ask(request, None)?;
        let reply = asked_within(async { (&mut asked.reply).await }, &connection).await?;
        asked.answered = true;
        Ok(reply?)
    }

    fn connection(&self) -> Arc<Connection> {
        Arc::clone(&lock(&self.inner.connection))
    }
}

async fn asked_within<T>(
    waiting: impl Future<Output = Result<T, oneshot::error::RecvError>>,
    connection: &Connection,
) -> Result<T, HostError> {
    match timeout(ANSWER_DEADLINE, waiting).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(_)) => Err(connection.down()),
        Err(_) => Err(HostError::NoAnswer {
            after: ANSWER_DEADLINE,
        }),
    }
}

fn misfit(reply: &Reply) -> HostError {
    let text = format!("{reply:?}");
    let name = text.split(['(', ' ']).next().unwrap_or_default();
    HostError::Protocol {
        message: format!("`{name}`"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
