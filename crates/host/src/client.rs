//! The asking side: the methods of [`Panes`](terminal::Panes), asynchronous, over the socket.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use terminal::{
    AttachOptions, ClosedPane, CommandMark, Frame, Line, OpenPane, PaneEvent, PaneId, PaneInfo,
    PaneSize, ReadLines, SearchAnswer, SearchProgress, SearchRequest, Theme,
};
use tokio::io::{AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::paths::HostPaths;
use crate::protocol::{
    self, HostHealth, MAX_FRAME, MAX_REPLY, MAX_REQUEST, Purpose, Reply, Request, ToClient, ToHost,
    Welcome,
};
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

/// One control connection: what was asked and not answered yet, and the tasks that move messages.
struct Connection {
    welcome: Welcome,
    shared: Arc<Waiting>,
    /// Messages as they travel.
    outgoing: mpsc::UnboundedSender<Vec<u8>>,
    next: AtomicU64,
    tasks: [AbortHandle; 2],
}

/// Who waits for one answer.
struct Answer {
    reply: oneshot::Sender<Result<Reply, Refusal>>,
    progress: Option<mpsc::UnboundedSender<SearchProgress>>,
}

/// What the reading task needs; it must not keep the connection alive.
#[derive(Default)]
struct Waiting {
    asked: Mutex<HashMap<u64, Answer>>,
    /// How the connection ended, once it has.
    down: Mutex<Option<String>>,
}

/// A question under way. Dropped before the answer, it is withdrawn.
struct Asked<'a> {
    connection: &'a Connection,
    id: u64,
    search: bool,
    reply: oneshot::Receiver<Result<Reply, Refusal>>,
    answered: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        lock(&self.connection.shared.asked).remove(&self.id);
        if self.search {
            let cancel = ToHost::Cancel { id: self.id };
            if let Ok(message) = protocol::encode(&cancel, MAX_REQUEST) {
                let _ = self.connection.outgoing.send(message);
            }
        }
    }
}

impl Connection {
    fn begin(
        stream: UnixStream,
        welcome: Welcome,
        events: broadcast::Sender<HostEvent>,
    ) -> Arc<Self> {
        let (read, write) = stream.into_split();
        let (outgoing, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Waiting::default());
        let waiting = Arc::clone(&shared);
        let reader = tokio::spawn(async move {
            let message = match read_messages(read, &waiting, &events).await {
                Ok(()) => "the host hung up".to_owned(),
                Err(error) => error.to_string(),
            };
            waiting.end(&message);
            let _ = events.send(HostEvent::Down { message });
        });
        let writer = tokio::spawn(write_messages(write, queue));
        Arc::new(Self {
            welcome,
            shared,
            outgoing,
            next: AtomicU64::new(1),
            tasks: [reader.abort_handle(), writer.abort_handle()],
        })
    }

    fn ask(
        &self,
        request: Request,
        progress: Option<mpsc::UnboundedSender<SearchProgress>>,
    ) -> Result<Asked<'_>, HostError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let message =
            protocol::encode(&ToHost::Request { id, request }, MAX_REQUEST).map_err(|error| {
                Refusal::BadParams {
                    field: "request".to_owned(),
                    message: error.to_string(),
                }
            })?;
        let (sender, reply) = oneshot::channel();
        let search = progress.is_some();
        let answer = Answer {
            reply: sender,
            progress,
        };
        lock(&self.shared.asked).insert(id, answer);
        let asked = Asked {
            connection: self,
            id,
            search,
            reply,
            answered: false,
        };
        // Looked at after the question is in the table: the end of the connection empties the table last.
        if self.is_down() || self.outgoing.send(message).is_err() {
            return Err(self.down());
        }
        Ok(asked)
    }

    fn is_down(&self) -> bool {
        lock(&self.shared.down).is_some()
    }

    fn down(&self) -> HostError {
        HostError::Down {
            message: lock(&self.shared.down)
                .clone()
                .unwrap_or_else(|| "it was closed".to_owned()),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Waiting {
    /// Notes how the connection ended and lets go of all who wait for an answer.
    fn end(&self, message: &str) {
        *lock(&self.down) = Some(message.to_owned());
        lock(&self.asked).clear();
    }
}

async fn read_messages(
    read: OwnedReadHalf,
    waiting: &Waiting,
    events: &broadcast::Sender<HostEvent>,
) -> io::Result<()> {
    let mut read = BufReader::with_capacity(64 * 1024, read);
    let mut bytes = Vec::new();
    while protocol::receive_bytes(&mut read, MAX_REPLY, &mut bytes).await? {
        let message = match serde_json::from_slice(&bytes) {
            Ok(message) => message,
            Err(error) => {
                waiting.leave_out(&bytes, &error)?;
                continue;
            }
        };
        match message {
            ToClient::Reply { id, reply } => waiting.settle(id, Ok(*reply)),
            ToClient::Refused { id, refusal } => waiting.settle(id, Err(refusal)),
            ToClient::Progress { id, progress } => {
                if let Some(Answer {
                    progress: Some(reports),
                    ..
                }) = lock(&waiting.asked).get(&id)
                {
                    let _ = reports.send(progress);
                }
            }
            ToClient::Event(event) => {
                let _ = events.send(HostEvent::Pane(*event));
            }
        }
    }
    Ok(())
}

/// What is left of a message whose content is not understood: a newer host may know more than we do.
#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unknown {
    Reply { id: u64 },
    Refused { id: u64 },
    Progress {},
    Event(serde::de::IgnoredAny),
}

impl Waiting {
    /// Passes over a message that is not understood; who waits for it is told so.
    fn leave_out(&self, bytes: &[u8], error: &serde_json::Error) -> io::Result<()> {
        tracing::warn!(%error, "a message of the pane host was not understood");
        match serde_json::from_slice(bytes)? {
            Unknown::Reply { id } | Unknown::Refused { id } => {
                let message = format!("the pane host's answer was not understood: {error}");
                self.settle(id, Err(Refusal::Failed { message }));
            }
            Unknown::Progress {} | Unknown::Event(_) => {}
        }
        Ok(())
    }

    fn settle(&self, id: u64, result: Result<Reply, Refusal>) {
        // None: it was withdrawn.
        if let Some(answer) = lock(&self.asked).remove(&id) {
            let _ = answer.reply.send(result);
        }
    }
}

async fn write_messages(write: OwnedWriteHalf, mut queue: mpsc::UnboundedReceiver<Vec<u8>>) {
    let mut write = BufWriter::with_capacity(64 * 1024, write);
    while let Some(message) = queue.recv().await {
        let sent = async {
            write.write_all(&message).await?;
            if queue.is_empty() {
                write.flush().await?;
            }
            io::Result::Ok(())
        };
        if let Err(error) = sent.await {
            // The reading task sees the end of the connection, and tells everyone.
            tracing::debug!(%error, "could not send to the pane host");
            return;
        }
    }
}

/// The stream of one pane, from the host.
///
/// Dropping it ends the stream; the pane goes on.
#[derive(Debug)]
pub struct HostAttachment {
    frames: mpsc::Receiver<Received>,
    acks: AckHandle,
    /// The reading and the acknowledging task; with them goes the connection.
    tasks: [AbortHandle; 2],
    lost: bool,
}

#[derive(Debug)]
enum Received {
    Frame(Vec<u8>),
    Lost,
}

/// Tells the host how much of a stream its view has parsed. Clones are the same handle.
#[derive(Debug, Clone)]
pub struct AckHandle(Arc<Acks>);

#[derive(Debug, Default)]
struct Acks {
    bytes: AtomicU64,
    added: Notify,
}

impl AckHandle {
    /// Notes that the view has parsed so many more payload bytes. Never waits.
    pub fn ack(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.0.added.notify_one();
    }
}

impl HostAttachment {
    fn begin(stream: UnixStream) -> Self {
        let (read, mut write) = stream.into_split();
        let acks = AckHandle(Arc::default());
        let handle = acks.clone();
        let acking = tokio::spawn(async move {
            loop {
                handle.0.added.notified().await;
                let bytes = handle.0.bytes.swap(0, Ordering::Relaxed);
                if bytes > 0 && write.write_u64_le(bytes).await.is_err() {
                    return;
                }
            }
        });
        // Few: what may be under way is bounded by what is not acknowledged, not by this queue.
        let (sender, frames) = mpsc::channel(4);
        let reading = tokio::spawn(read_frames(read, sender));
        Self {
            frames,
            acks,
            tasks: [acking.abort_handle(), reading.abort_handle()],
            lost: false,
        }
    }

    /// The next frame, decoded; `None` when the pane was closed or the host is gone.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Frame> {
        let bytes = self.next_encoded().await?;
        match Frame::decode(&bytes) {
            Ok(frame) => Some(frame),
            Err(error) => {
                tracing::warn!(%error, "a frame of a pane can't be read");
                self.lost = true;
                None
            }
        }
    }

    /// The next frame as it travels, ready to be handed on.
    pub async fn next_encoded(&mut self) -> Option<Vec<u8>> {
        match self.frames.recv().await? {
            Received::Frame(bytes) => Some(bytes),
            Received::Lost => {
                self.lost = true;
                None
            }
        }
    }

    /// Whether the stream ended because the host is gone, not because the pane was closed.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Notes that the view has parsed so many more payload bytes. Never waits.
    pub fn ack(&self, bytes: u64) {
        self.acks.ack(bytes);
    }

    /// A handle that can be given to another task.
    pub fn ack_handle(&self) -> AckHandle {
        self.acks.clone()
    }
}

impl Drop for HostAttachment {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn read_frames(read: OwnedReadHalf, frames: mpsc::Sender<Received>) {
    let mut read = BufReader::with_capacity(256 * 1024, read);
    loop {
        let mut bytes = Vec::new();
        let received = match protocol::receive_bytes(&mut read, MAX_FRAME, &mut bytes).await {
            // A frame of no bytes says that the pane is gone.
            Ok(true) if bytes.is_empty() => return,
            Ok(true) => Received::Frame(bytes),
            Ok(false) | Err(_) => Received::Lost,
        };
        let over = matches!(received, Received::Lost);
        if frames.send(received).await.is_err() || over {
            return;
        }
    }
}
