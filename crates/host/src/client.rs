//! The asking side: the questions of [`terminal::ask`], over the socket.

mod attachment;
mod connection;

use std::io;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use terminal::ask::{Ask, Search};
use terminal::{
    AttachOptions, PaneEvent, PaneId, Refusal, SearchAnswer, SearchProgress, SearchRequest,
};
use tokio::net::UnixStream;
use tokio::sync::{broadcast, mpsc};

pub use self::attachment::{AckHandle, HostAttachment};
use self::connection::Connection;
use crate::paths::HostPaths;
use crate::protocol::{HostHealth, Purpose, Welcome};
use crate::server::HostHere;
use crate::start::{self, ConnectError, PANES};

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

/// Where the host is met.
#[derive(Debug)]
enum Door {
    /// At its socket; `exe` is what to start when nobody listens there, none: only ever connect.
    Socket {
        paths: HostPaths,
        exe: Option<PathBuf>,
    },
    /// In this process.
    Here(HostHere),
    /// Where only somebody else knows the way to.
    Elsewhere(Arc<dyn Dial>),
}

/// The way to a host that has no socket here.
pub trait Dial: std::fmt::Debug + Send + Sync {
    /// What is at its end, for messages: `the machine build`.
    fn name(&self) -> String;

    /// A new connection to the host.
    fn dial(&self, purpose: Dialled) -> DialledStream<'_>;
}

/// What a connection is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialled {
    /// What is asked and told: it may have to be found or started first, and should not wait for what is shown.
    Control,
    /// What a pane shows, of a host that was reached before.
    Stream,
}

/// A connection under way.
pub type DialledStream<'a> = Pin<Box<dyn Future<Output = io::Result<UnixStream>> + Send + 'a>>;

impl Door {
    /// A control connection to the host that runs, or else to one that is started now.
    async fn reach(&self) -> Result<(UnixStream, Welcome), ConnectError> {
        match self {
            Self::Socket { paths, exe } => {
                let purpose = Purpose::Control.travelling();
                start::reach(&PANES, paths, exe.as_deref(), &purpose).await
            }
            Self::Here(_) | Self::Elsewhere(_) => self.greet(&Purpose::Control).await,
        }
    }

    /// A connection for `purpose` to the host that runs.
    async fn greet(&self, purpose: &Purpose) -> Result<(UnixStream, Welcome), ConnectError> {
        match self {
            Self::Socket { paths, .. } => start::greet(&PANES, paths, &purpose.travelling()).await,
            Self::Here(host) => {
                let purpose = purpose.travelling();
                start::greet_on(&PANES, host.connect(), "this process", &purpose).await
            }
            Self::Elsewhere(dial) => {
                let dialled = match purpose {
                    Purpose::Control => Dialled::Control,
                    Purpose::Attach { .. } => Dialled::Stream,
                };
                let connected = dial.dial(dialled).await;
                start::greet_on(&PANES, connected, &dial.name(), &purpose.travelling()).await
            }
        }
    }
}

struct Inner {
    door: Door,
    connection: Mutex<Arc<Connection>>,
    reconnecting: tokio::sync::Mutex<()>,
    events: broadcast::Sender<HostEvent>,
}

impl std::fmt::Debug for HostClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let connection = self.connection();
        f.debug_struct("HostClient")
            .field("door", &self.inner.door)
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
        Self::establish(Door::Socket {
            paths: paths.clone(),
            exe: None,
        })
        .await
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
        Self::establish(Door::Socket {
            paths: paths.clone(),
            exe: Some(exe.to_owned()),
        })
        .await
    }

    /// Connects to a host in this process.
    ///
    /// # Errors
    ///
    /// [`ConnectError::NotRunning`] when it has ended.
    pub async fn connect_here(host: &HostHere) -> Result<Self, ConnectError> {
        Self::establish(Door::Here(host.clone())).await
    }

    /// Connects to a host elsewhere, by the way that `dial` knows.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect); what the way itself says is the cause of [`ConnectError::Io`].
    pub async fn connect_through(dial: Arc<dyn Dial>) -> Result<Self, ConnectError> {
        Self::establish(Door::Elsewhere(dial)).await
    }

    async fn establish(door: Door) -> Result<Self, ConnectError> {
        let events = broadcast::Sender::new(EVENTS);
        let (stream, welcome) = door.reach().await?;
        let connection = Connection::begin(stream, welcome, events.clone());
        Ok(Self {
            inner: Arc::new(Inner {
                door,
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
        let (stream, welcome) = self.inner.door.reach().await?;
        let restarted =
            (welcome.pid, welcome.started_at) != (former.welcome.pid, former.welcome.started_at);
        let connection = Connection::begin(stream, welcome, self.inner.events.clone());
        *self.inner.connection.lock() = connection;
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

    /// Asks, and waits for the answer.
    ///
    /// What is asked and told is done in the order in which this was called, as far as it is done [at
    /// once](Ask::AT_ONCE). Dropping the future withdraws the question, which may have been done by then.
    ///
    /// # Errors
    ///
    /// [`HostError::Refused`] as the question says; the others when the host can't be asked.
    pub async fn ask<A: Ask>(&self, question: A) -> Result<A::Answer, HostError> {
        self.connection().ask(question, None)?.answer().await
    }

    /// Asks for something to be done, and does not wait: keys follow each other like this. Refused, it is told of with
    /// a [`PaneEvent::Warned`] to this client alone.
    ///
    /// # Errors
    ///
    /// [`HostError::Down`]; [`Refusal::BadParams`] when it is too long to be sent.
    pub fn tell(&self, question: impl Ask<Answer = ()>) -> Result<(), HostError> {
        self.connection().tell(question)
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
        let asked = connection.ask(Search(request), Some(progress))?;
        let mut answer = pin!(asked.answer());
        let answer = loop {
            tokio::select! {
                biased;
                Some(report) = reports.recv() => found(report),
                answer = &mut answer => break answer,
            }
        };
        while let Ok(report) = reports.try_recv() {
            found(report);
        }
        answer
    }

    /// How the host is.
    ///
    /// # Errors
    ///
    /// Only when the host can't be asked.
    pub async fn health(&self) -> Result<HostHealth, HostError> {
        self.connection().health()?.answer().await
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
        match self.inner.door.greet(&purpose).await {
            Ok((stream, _)) => Ok(HostAttachment::begin(stream)),
            Err(ConnectError::Refused(refusal)) => Err(refusal.into()),
            Err(error) => Err(HostError::Down {
                message: error.to_string(),
            }),
        }
    }

    fn connection(&self) -> Arc<Connection> {
        Arc::clone(&self.inner.connection.lock())
    }
}
