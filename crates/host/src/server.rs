//! The serving side: one task per connection, nothing shared between them but the panes.
//!
//! A connection's queues are bounded and its requests counted, so a client that asks without
//! reading stops being read itself, and nobody else notices. Whatever may take its time runs on
//! threads for blocking work; the loop only moves messages.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use terminal::{
    AttachOptions, Cancel, Match, PaneEvent, PaneId, PaneState, Panes, SearchProgress,
    SearchRequest,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, timeout};

use crate::paths::{HostFile, HostPaths};
use crate::protocol::{
    self, Hello, HostHealth, MAX_GREETING, MAX_REPLY, MAX_REQUEST, NotWelcome, PROTOCOL, Purpose,
    Reply, Request, ToClient, ToHost, VERSION, Welcome,
};
use crate::refusal::Refusal;

/// How long a connection may take to say what it wants.
const GREETING_DEADLINE: Duration = Duration::from_secs(10);
/// How often to see whether the socket is still where clients look for it.
const LOOK_AFTER_SOCKET: Duration = Duration::from_secs(3);
/// How many requests of one client are worked on at a time.
const REQUESTS_AT_ONCE: usize = 32;
/// How many messages wait for a client that reads slowly.
const OUTGOING: usize = 64;

/// Why a host did not begin to serve, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another host serves this directory; it is the one to talk to.
    #[error("a pane host runs already{}", .pid.map(|pid| format!(", as process {pid}")).unwrap_or_default())]
    AlreadyRunning {
        /// Its process, if its note could be read.
        pid: Option<u32>,
    },
    /// The runtime directory can't be used.
    #[error("the pane host can't use its runtime directory")]
    Directory(#[source] io::Error),
    /// The socket can't be listened on.
    #[error("the pane host can't listen on `{socket}`")]
    Listen {
        /// The socket.
        socket: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// How a host serves.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// How long it stays with no client and no running program.
    pub idle_after: Duration,
    /// The time at which it starts, in milliseconds since 1970; tells two hosts with one process id apart.
    pub started_at: u64,
}

/// The claim to be the one host of a directory. It is held until the value is dropped.
#[derive(Debug)]
pub struct Host {
    paths: HostPaths,
    /// Held, never read: the lock goes when the file is closed.
    _lock: std::fs::File,
}

impl Host {
    /// Claims the directory. Open the panes' files only after this: now nobody else writes them.
    ///
    /// # Errors
    ///
    /// [`ServeError::AlreadyRunning`] when a host serves it; [`ServeError::Directory`] when it
    /// can't be made, belongs to someone else, or has a path too long for a socket.
    pub fn claim(paths: &HostPaths) -> Result<Self, ServeError> {
        paths.prepare().map_err(ServeError::Directory)?;
        match paths.lock().map_err(ServeError::Directory)? {
            Some(lock) => Ok(Self {
                paths: paths.clone(),
                _lock: lock,
            }),
            None => Err(ServeError::AlreadyRunning {
                pid: paths.note().map(|note| note.pid),
            }),
        }
    }

    /// Serves `panes` until `stop` is ready, or until nobody needs it: no client and no running
    /// program for [`HostOptions::idle_after`].
    ///
    /// Either way the programs are hung up, the history is written out, and socket and note are
    /// gone when it returns.
    ///
    /// # Errors
    ///
    /// [`ServeError::Listen`] when the socket can't be made.
    pub async fn serve(
        self,
        panes: Panes,
        options: HostOptions,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        // We hold the lock, so a socket that is there was left behind.
        self.paths.remove();
        let door = Door::open(&self.paths)?;
        let note = HostFile {
            pid: std::process::id(),
            started_at: options.started_at,
            version: VERSION.to_owned(),
            protocol: PROTOCOL,
        };
        if let Err(error) = self.paths.write_note(&note) {
            tracing::warn!(%error, "the host's note is missing");
        }
        let shared = Arc::new(Shared {
            panes,
            since: Instant::now(),
            welcome: Welcome {
                protocol: PROTOCOL,
                version: note.version,
                pid: note.pid,
                started_at: note.started_at,
                refused: None,
            },
            connections: watch::Sender::new(0),
            clients: AtomicU32::new(0),
            attachments: AtomicU32::new(0),
        });
        tracing::info!(pid = note.pid, version = VERSION, "serving");
        let mut connections = JoinSet::new();
        tokio::select! {
            () = stop => tracing::info!("told to end"),
            () = unneeded(&shared, options.idle_after) => tracing::info!("nobody needs me: ending"),
            () = accept(door, &shared, &mut connections) => {}
        }
        // First the way in, so that nobody new finds a host that is on its way out.
        self.paths.remove();
        connections.shutdown().await;
        let panes = shared.panes.clone();
        if spawn_blocking(move || panes.shutdown()).await.is_err() {
            tracing::error!("the panes did not shut down in order");
        }
        tracing::info!("ended");
        Ok(())
    }
}

/// The socket, as long as it is the one that its path leads to.
struct Door {
    paths: HostPaths,
    listener: UnixListener,
    /// Device and inode of the socket's file.
    identity: (u64, u64),
}

impl Door {
    fn open(paths: &HostPaths) -> Result<Self, ServeError> {
        let socket = paths.socket();
        let open = || {
            let listener = UnixListener::bind(&socket)?;
            std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
            Ok((listener, identity(&socket)?))
        };
        let (listener, identity) = open().map_err(|source| ServeError::Listen {
            socket: socket.display().to_string(),
            source,
        })?;
        Ok(Self {
            paths: paths.clone(),
            listener,
            identity,
        })
    }

    /// Makes the socket again if its file is gone or another one is in its place: the runtime
    /// directory went with a logout, or somebody cleaned up. Programs must not be lost for that.
    fn mend(&mut self) -> Result<(), ServeError> {
        if identity(&self.paths.socket()).is_ok_and(|identity| identity == self.identity) {
            return Ok(());
        }
        self.paths.prepare().map_err(ServeError::Directory)?;
        // We hold the lock, so whatever is there serves nobody.
        let _ = std::fs::remove_file(self.paths.socket());
        *self = Self::open(&self.paths)?;
        tracing::warn!("the socket was gone; made it again");
        Ok(())
    }
}

fn identity(file: &std::path::Path) -> io::Result<(u64, u64)> {
    let about = std::fs::symlink_metadata(file)?;
    Ok((about.dev(), about.ino()))
}

/// What every connection sees.
struct Shared {
    panes: Panes,
    since: Instant,
    welcome: Welcome,
    /// How many connections there are, of either kind; the end of the host waits for none.
    connections: watch::Sender<u32>,
    clients: AtomicU32,
    attachments: AtomicU32,
}

/// Waits until there has been neither a connection nor a running program for `idle_after`.
async fn unneeded(shared: &Shared, idle_after: Duration) {
    let mut connections = shared.connections.subscribe();
    let mut events = shared.panes.events();
    loop {
        if connections.wait_for(|count| *count == 0).await.is_err() {
            return;
        }
        let live = shared
            .panes
            .list()
            .iter()
            .any(|pane| matches!(pane.state, PaneState::Running { .. }));
        if live {
            tokio::select! {
                _ = connections.changed() => {}
                event = events.recv() => if matches!(event, Err(RecvError::Closed)) { return },
            }
        } else {
            tokio::select! {
                () = tokio::time::sleep(idle_after) => return,
                _ = connections.changed() => {}
            }
        }
    }
}

/// Takes connections for as long as it is polled.
async fn accept(mut door: Door, shared: &Arc<Shared>, connections: &mut JoinSet<()>) {
    let mut check = tokio::time::interval(LOOK_AFTER_SOCKET);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut troubled = false;
    loop {
        tokio::select! {
            accepted = door.listener.accept() => match accepted {
                Ok((stream, _)) => {
                    troubled = false;
                    let shared = Arc::clone(shared);
                    // Counted before the task first runs: the host must not end in between.
                    let counted = Counted::new(&shared);
                    connections.spawn(async move {
                        if let Err(error) = serve_connection(stream, &shared).await {
                            tracing::warn!(%error, "a connection ended badly");
                        }
                        drop(counted);
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely: those who wait will be served when one is free.
                    if !troubled {
                        tracing::warn!(%error, "could not take a connection");
                    }
                    troubled = true;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            _ = check.tick() => if let Err(error) = door.mend() {
                // At the next login, perhaps. Said once.
                if !troubled {
                    tracing::warn!(%error, "the socket is gone");
                }
                troubled = true;
            },
            // Ended tasks are collected as they end.
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    tracing::error!(%error, "a connection's task failed");
                }
            }
        }
    }
}

/// One connection in the count of those that keep the host alive.
struct Counted(watch::Sender<u32>);

impl Counted {
    fn new(shared: &Shared) -> Self {
        shared.connections.send_modify(|count| *count += 1);
        Self(shared.connections.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// One more in a number that the health check reports.
struct Tally<'a>(&'a AtomicU32);

impl<'a> Tally<'a> {
    fn new(number: &'a AtomicU32) -> Self {
        number.fetch_add(1, Ordering::Relaxed);
        Self(number)
    }
}

impl Drop for Tally<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Greets a client and serves what it came for.
async fn serve_connection(mut stream: UnixStream, shared: &Arc<Shared>) -> io::Result<()> {
    // The directory is closed to others already; this is the second door.
    let uid = stream.peer_cred()?.uid();
    if uid != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("a process of user {uid} connected"),
        ));
    }
    let hello = timeout(
        GREETING_DEADLINE,
        protocol::receive::<Hello>(&mut stream, MAX_GREETING),
    );
    let hello = match hello.await {
        Ok(Ok(Some(hello))) => hello,
        // Only looked whether someone is there.
        Ok(Ok(None)) => return Ok(()),
        Ok(Err(error)) => return Err(error),
        Err(_) => return Err(io::Error::new(io::ErrorKind::TimedOut, "no greeting came")),
    };
    if hello.protocol != PROTOCOL {
        let refusal = NotWelcome::Protocol(format!(
            "this pane host is Switchyard {VERSION} and speaks protocol {PROTOCOL}; the client is \
             Switchyard {} and speaks protocol {}",
            hello.version, hello.protocol
        ));
        return refuse(&mut stream, shared, &refusal).await;
    }
    match serde_json::from_value(hello.purpose)? {
        Purpose::Control => control(stream, shared).await,
        Purpose::Attach {
            pane,
            scrollback_rows,
            high_water,
        } => {
            let options = AttachOptions {
                scrollback_rows,
                high_water,
            };
            data(stream, shared, pane, options).await
        }
    }
}

async fn refuse(stream: &mut UnixStream, shared: &Shared, why: &NotWelcome) -> io::Result<()> {
    let welcome = Welcome {
        refused: Some(serde_json::to_value(why)?),
        ..shared.welcome.clone()
    };
    protocol::send(stream, &welcome).await
}

/// The stream of one pane to one window.
async fn data(
    mut stream: UnixStream,
    shared: &Arc<Shared>,
    pane: PaneId,
    options: AttachOptions,
) -> io::Result<()> {
    let panes = shared.panes.clone();
    let mut attachment = match blocking(move || panes.attach(pane, options)).await {
        Ok(attachment) => attachment,
        Err(refusal) => return refuse(&mut stream, shared, &NotWelcome::Pane(refusal)).await,
    };
    let _tally = Tally::new(&shared.attachments);
    protocol::send(&mut stream, &shared.welcome).await?;
    let (read, mut write) = stream.into_split();
    let handle = attachment.ack_handle();
    let acks = async move {
        let mut read = BufReader::new(read);
        // Ends when the window is gone, and the stream with it.
        while let Ok(bytes) = read.read_u64_le().await {
            handle.ack(bytes);
        }
    };
    let frames = async move {
        while let Some(frame) = attachment.next().await {
            let encoded = frame.encode();
            let length = u32::try_from(encoded.len()).map_err(io::Error::other)?;
            write_both(&mut write, &length.to_le_bytes(), &encoded).await?;
        }
        write.write_all(&0_u32.to_le_bytes()).await
    };
    tokio::select! {
        () = acks => Ok(()),
        sent = frames => match sent {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            sent => sent,
        },
    }
}

/// Writes a header and a body with one system call, as long as the socket takes them.
async fn write_both(to: &mut OwnedWriteHalf, header: &[u8], body: &[u8]) -> io::Result<()> {
    let mut sent = 0;
    while sent < header.len() {
        let parts = [io::IoSlice::new(&header[sent..]), io::IoSlice::new(body)];
        let wrote = to.write_vectored(&parts).await?;
        if wrote == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        sent += wrote;
    }
    to.write_all(&body[sent - header.len()..]).await
}

/// The control connection of one client.
async fn control(mut stream: UnixStream, shared: &Arc<Shared>) -> io::Result<()> {
    let _tally = Tally::new(&shared.clients);
    // Before the welcome: whoever lists the panes after it misses nothing.
    let events = shared.panes.events();
    protocol::send(&mut stream, &shared.welcome).await?;
    let (read, write) = stream.into_split();
    let (outgoing, queue) = mpsc::channel(OUTGOING);
    let mut tasks = JoinSet::new();
    tasks.spawn(forward_events(events, outgoing.clone()));
    let (in_order, requests) = mpsc::channel(REQUESTS_AT_ONCE);
    tasks.spawn(serve_in_order(
        Arc::clone(shared),
        requests,
        outgoing.clone(),
    ));
    let session = Session {
        shared: Arc::clone(shared),
        outgoing,
        in_order,
        slots: Arc::new(Semaphore::new(REQUESTS_AT_ONCE)),
        searches: Searches::default(),
    };
    // When either ends, dropping `session` cancels its searches, and dropping `tasks` ends them.
    tokio::select! {
        read = session.read(read) => read,
        written = write_messages(write, queue) => match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        },
    }
}

/// Writes what is queued, and flushes when nothing is left.
async fn write_messages(
    write: OwnedWriteHalf,
    mut queue: mpsc::Receiver<ToClient>,
) -> io::Result<()> {
    let mut write = BufWriter::with_capacity(64 * 1024, write);
    while let Some(message) = queue.recv().await {
        let encoded = match (protocol::encode(&message, MAX_REPLY), &message) {
            (Ok(encoded), _) => encoded,
            (Err(error), ToClient::Reply { id, .. }) => {
                let refusal = Refusal::Failed {
                    message: format!("the answer is too long: {error}: ask for less at a time"),
                };
                protocol::encode(&ToClient::Refused { id: *id, refusal }, MAX_REPLY)?
            }
            (Err(error), _) => {
                tracing::warn!(%error, "left out of a client's stream");
                continue;
            }
        };
        write.write_all(&encoded).await?;
        if queue.is_empty() {
            write.flush().await?;
        }
    }
    Ok(())
}

/// Tells a client what happens to the panes; one that falls behind is told to list them anew.
async fn forward_events(
    mut events: tokio::sync::broadcast::Receiver<PaneEvent>,
    outgoing: mpsc::Sender<ToClient>,
) {
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(_)) => PaneEvent::Lagged,
            Err(RecvError::Closed) => return,
        };
        if outgoing
            .send(ToClient::Event(Box::new(event)))
            .await
            .is_err()
        {
            return;
        }
    }
}

/// Works off the requests whose order matters (what is typed, above all), one after another.
async fn serve_in_order(
    shared: Arc<Shared>,
    mut requests: mpsc::Receiver<(u64, Request)>,
    outgoing: mpsc::Sender<ToClient>,
) {
    while let Some((id, request)) = requests.recv().await {
        let panes = shared.panes.clone();
        let done = blocking(move || match request {
            Request::Write(pane, bytes) => panes.write(pane, bytes),
            Request::Resize(pane, size) => panes.resize(pane, size),
            Request::Rename(pane, name) => panes.rename(pane, name),
            Request::Seen(pane) => panes.seen(pane),
            _ => Ok(()),
        });
        let message = answer(id, done.await.map(|()| Reply::Done));
        if outgoing.send(message).await.is_err() {
            return;
        }
    }
}

fn answer(id: u64, result: Result<Reply, Refusal>) -> ToClient {
    match result {
        Ok(reply) => ToClient::Reply {
            id,
            reply: Box::new(reply),
        },
        Err(refusal) => ToClient::Refused { id, refusal },
    }
}

/// Runs `work` where it may block. A panic in it is an answer, not the end of the host.
async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Refusal>
where
    T: Send + 'static,
    E: Into<Refusal> + Send + 'static,
{
    match spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(error) => {
            tracing::error!(%error, "a request failed");
            Err(Refusal::Failed {
                message: "the pane host failed at this; its log says where".to_owned(),
            })
        }
    }
}

/// One client's requests.
struct Session {
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<ToClient>,
    in_order: mpsc::Sender<(u64, Request)>,
    slots: Arc<Semaphore>,
    searches: Searches,
}

impl Session {
    async fn read(&self, read: OwnedReadHalf) -> io::Result<()> {
        let mut read = BufReader::with_capacity(64 * 1024, read);
        let mut bytes = Vec::new();
        while protocol::receive_bytes(&mut read, MAX_REQUEST, &mut bytes).await? {
            match serde_json::from_slice(&bytes) {
                Ok(ToHost::Request { id, request }) => self.take(id, request).await,
                Ok(ToHost::Cancel { id }) => self.searches.cancel(id),
                Err(error) => match serde_json::from_slice(&bytes) {
                    // A request that a newer client knows and we do not.
                    Ok(Unknown::Request { id }) => {
                        let refusal = Refusal::Failed {
                            message: format!(
                                "the pane host (Switchyard {VERSION}) does not know this request: {error}"
                            ),
                        };
                        let _ = self.outgoing.send(ToClient::Refused { id, refusal }).await;
                    }
                    Err(_) => return Err(error.into()),
                },
            }
            // One big paste must not keep its memory for the life of the window.
            if bytes.capacity() > 1024 * 1024 {
                bytes = Vec::new();
            }
        }
        Ok(())
    }

    /// Starts on one request. Waits when too many of this client's are under way.
    async fn take(&self, id: u64, request: Request) {
        if matches!(
            request,
            Request::Write(..) | Request::Resize(..) | Request::Rename(..) | Request::Seen(..)
        ) {
            let _ = self.in_order.send((id, request)).await;
            return;
        }
        let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
            return;
        };
        let shared = Arc::clone(&self.shared);
        let outgoing = self.outgoing.clone();
        // Not in the session's set: an open or a close goes through even if its client is gone.
        if let Request::Search(request) = request {
            // Known before the next message is read, which may be its cancellation.
            let cancel = self.searches.begin(id);
            let searches = self.searches.clone();
            tokio::spawn(async move {
                let result = search(&shared.panes, id, *request, cancel, &outgoing).await;
                searches.end(id);
                let _ = outgoing.send(answer(id, result)).await;
                drop(slot);
            });
        } else {
            tokio::spawn(async move {
                let result = blocking(move || serve_request(&shared, request)).await;
                let _ = outgoing.send(answer(id, result)).await;
                drop(slot);
            });
        }
    }
}

/// What is left of a request whose content is not understood.
#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unknown {
    Request { id: u64 },
}

fn serve_request(shared: &Shared, request: Request) -> Result<Reply, Refusal> {
    let panes = &shared.panes;
    Ok(match request {
        Request::Open(request) => Reply::Pane(panes.open(*request)?),
        Request::List => Reply::Panes(panes.list()),
        Request::Info(pane) => Reply::Pane(panes.info(pane)?),
        Request::Close(pane) => {
            panes.close(pane)?;
            Reply::Done
        }
        Request::Read(pane, lines) => Reply::Lines(panes.read(pane, lines)?),
        Request::Marks(pane) => Reply::Marks(panes.marks(pane)?),
        Request::Closed => Reply::Closed(panes.closed()),
        Request::Purge(pane) => {
            panes.purge(pane)?;
            Reply::Done
        }
        Request::Theme(colours) => {
            panes.set_theme(colours.into());
            Reply::Done
        }
        Request::Health => Reply::Health(health(shared)),
        Request::Write(..)
        | Request::Resize(..)
        | Request::Rename(..)
        | Request::Seen(..)
        | Request::Search(..) => {
            return Err(Refusal::Failed {
                message: "this request goes another way".to_owned(),
            });
        }
    })
}

fn health(shared: &Shared) -> HostHealth {
    let panes = shared.panes.health();
    HostHealth {
        pid: shared.welcome.pid,
        version: shared.welcome.version.clone(),
        uptime_ms: shared
            .since
            .elapsed()
            .as_millis()
            .try_into()
            .unwrap_or(u64::MAX),
        panes: panes.panes,
        stuck_writers: panes.stuck_writers,
        scrollback_bytes: panes.scrollback_bytes,
        memory_bytes: memory_bytes(),
        clients: shared.clients.load(Ordering::Relaxed),
        attachments: shared.attachments.load(Ordering::Relaxed),
    }
}

/// What this process holds in memory, where `/proc` says so.
fn memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The searches of one client that are under way. They are cancelled when the client is gone.
#[derive(Clone, Default)]
struct Searches(Arc<Mutex<HashMap<u64, Cancel>>>);

impl Searches {
    fn begin(&self, id: u64) -> Cancel {
        let cancel = Cancel::default();
        lock(&self.0).insert(id, cancel.clone());
        cancel
    }

    fn end(&self, id: u64) {
        lock(&self.0).remove(&id);
    }

    fn cancel(&self, id: u64) {
        if let Some(cancel) = lock(&self.0).get(&id) {
            cancel.cancel();
        }
    }

    fn cancel_all(&self) {
        for cancel in lock(&self.0).values() {
            cancel.cancel();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.searches.cancel_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Searches, and sends on what is found as fast as the client takes it.
///
/// The search itself never waits for the client: what it finds meanwhile is put together, and can't
/// be more than its answer will hold.
async fn search(
    panes: &Panes,
    id: u64,
    request: SearchRequest,
    cancel: Cancel,
    outgoing: &mpsc::Sender<ToClient>,
) -> Result<Reply, Refusal> {
    let pending = Arc::new(Pending::default());
    let panes = panes.clone();
    let found = Arc::clone(&pending);
    let work =
        blocking(move || panes.search(&request, &cancel, &mut |progress| found.add(progress)));
    let forward = async {
        loop {
            pending.added.notified().await;
            for progress in pending.take() {
                if outgoing
                    .send(ToClient::Progress { id, progress })
                    .await
                    .is_err()
                {
                    // Nobody listens any more; the session's end cancels the search.
                    std::future::pending::<()>().await;
                }
            }
        }
    };
    let result = tokio::select! {
        result = work => result,
        () = forward => Err(Refusal::Failed { message: "the search was given up".to_owned() }),
    };
    for progress in pending.take() {
        let _ = outgoing.send(ToClient::Progress { id, progress }).await;
    }
    result.map(Reply::Found)
}

/// What a search has found and its client was not told yet.
#[derive(Default)]
struct Pending {
    progress: Mutex<(Vec<Match>, Option<SearchProgress>)>,
    added: Notify,
}

impl Pending {
    fn add(&self, progress: SearchProgress) {
        {
            let mut pending = lock(&self.progress);
            match progress {
                SearchProgress::Found { matches } => pending.0.extend(matches),
                // Only the latest count means anything.
                count @ SearchProgress::Count { .. } => pending.1 = Some(count),
            }
        }
        self.added.notify_one();
    }

    fn take(&self) -> Vec<SearchProgress> {
        let (matches, count) = std::mem::take(&mut *lock(&self.progress));
        let mut progress = Vec::new();
        if !matches.is_empty() {
            progress.push(SearchProgress::Found { matches });
        }
        progress.extend(count);
        progress
    }
}
