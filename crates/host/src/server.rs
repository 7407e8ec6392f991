//! The serving side: one task per connection, nothing shared between them but the panes.
//!
//! A connection's queues are bounded and its requests counted, so a client that asks without
//! reading stops being read itself, and nobody else notices. Whatever may take its time runs on
//! threads for blocking work; the loop only moves messages.

mod connection;
mod here;
mod requests;
mod service;

use std::future::Future;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use terminal::{PaneState, Panes};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior};

use self::connection::serve_connection;
pub use self::here::HostHere;
pub use self::service::{Hears, Says, ServeEach};
use crate::paths::{HostFile, HostPaths};
use crate::protocol::{HostHealth, PROTOCOL, VERSION, Welcome};
use crate::start::Service;

/// How often to see whether the socket is still where clients look for it.
const LOOK_AFTER_SOCKET: Duration = Duration::from_secs(3);

/// Why a host did not begin to serve, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another host serves this directory; it is the one to talk to.
    #[error("{} {} runs already{}", article(.service), .service.name, .pid.map(|pid| format!(", as process {pid}")).unwrap_or_default())]
    AlreadyRunning {
        /// Which host.
        service: &'static Service,
        /// Its process, if its note could be read.
        pid: Option<u32>,
    },
    /// The runtime directory can't be used.
    #[error("the {} can't use its runtime directory", .service.name)]
    Directory {
        /// Which host.
        service: &'static Service,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The socket can't be listened on.
    #[error("the {} can't listen on `{socket}`", .service.name)]
    Listen {
        /// Which host.
        service: &'static Service,
        /// The socket.
        socket: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

fn article(service: &Service) -> &'static str {
    if service.name.starts_with('a') {
        "an"
    } else {
        "a"
    }
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
    service: &'static Service,
    paths: HostPaths,
    /// Held, never read: the lock goes when the file is closed.
    _lock: std::fs::File,
}

impl Host {
    /// Claims the directory for a service. Open the panes' files only after this: now nobody else writes them.
    ///
    /// # Errors
    ///
    /// [`ServeError::AlreadyRunning`] when a host serves it; [`ServeError::Directory`] when it
    /// can't be made, belongs to someone else, or has a path too long for a socket.
    pub fn claim(service: &'static Service, paths: &HostPaths) -> Result<Self, ServeError> {
        let unusable = |source| ServeError::Directory { service, source };
        paths.prepare().map_err(unusable)?;
        match paths.lock().map_err(unusable)? {
            Some(lock) => Ok(Self {
                service,
                paths: paths.clone(),
                _lock: lock,
            }),
            None => Err(ServeError::AlreadyRunning {
                service,
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
        let door = Door::open(self.service, &self.paths)?;
        let shared = Shared::new(panes, options.started_at);
        self.leave_note(&shared.welcome);
        let mut connections = JoinSet::new();
        let begin = |stream, connections: &mut JoinSet<()>| {
            begin_connection(stream, &shared, connections);
        };
        tokio::select! {
            () = stop => tracing::info!("told to end"),
            () = unneeded(&shared, options.idle_after) => tracing::info!("nobody needs me: ending"),
            () = accept(door, begin, &mut connections) => {}
        }
        // First the way in, so that nobody new finds a host that is on its way out.
        self.paths.remove();
        connections.shutdown().await;
        end_panes(&shared).await;
        tracing::info!("ended");
        Ok(())
    }

    /// Says who serves, for whoever looks at the directory.
    fn leave_note(&self, welcome: &Welcome) {
        let note = HostFile {
            pid: welcome.pid,
            started_at: welcome.started_at,
            version: VERSION.to_owned(),
            protocol: welcome.protocol,
        };
        if let Err(error) = self.paths.write_note(&note) {
            tracing::warn!(%error, "the host's note is missing");
        }
        tracing::info!(pid = note.pid, version = VERSION, "serving");
    }
}

/// The socket, as long as it is the one that its path leads to.
struct Door {
    service: &'static Service,
    paths: HostPaths,
    listener: UnixListener,
    /// Device and inode of the socket's file.
    identity: (u64, u64),
}

impl Door {
    fn open(service: &'static Service, paths: &HostPaths) -> Result<Self, ServeError> {
        let socket = paths.socket();
        let open = || {
            let listener = UnixListener::bind(&socket)?;
            std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
            Ok((listener, identity(&socket)?))
        };
        let (listener, identity) = open().map_err(|source| ServeError::Listen {
            service,
            socket: socket.display().to_string(),
            source,
        })?;
        Ok(Self {
            service,
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
        let service = self.service;
        self.paths
            .prepare()
            .map_err(|source| ServeError::Directory { service, source })?;
        // We hold the lock, so whatever is there serves nobody.
        let _ = std::fs::remove_file(self.paths.socket());
        *self = Self::open(service, &self.paths)?;
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

impl Shared {
    fn new(panes: Panes, started_at: u64) -> Arc<Self> {
        Arc::new(Self {
            panes,
            since: Instant::now(),
            welcome: Welcome::of(PROTOCOL, started_at),
            connections: watch::Sender::new(0),
            clients: AtomicU32::new(0),
            attachments: AtomicU32::new(0),
        })
    }
}

/// Hangs up the programs and waits for their end and for the history.
async fn end_panes(shared: &Shared) {
    let panes = shared.panes.clone();
    if spawn_blocking(move || panes.shutdown()).await.is_err() {
        tracing::error!("the panes did not shut down in order");
    }
}

/// Serves a connection in a task of its own.
fn begin_connection(stream: UnixStream, shared: &Arc<Shared>, connections: &mut JoinSet<()>) {
    let shared = Arc::clone(shared);
    // Counted before the task first runs: the host must not end in between.
    let counted = Counted::new(&shared.connections);
    connections.spawn(async move {
        if let Err(error) = serve_connection(stream, &shared).await {
            tracing::warn!(%error, "a connection ended badly");
        }
        drop(counted);
    });
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
async fn accept(
    mut door: Door,
    mut begin: impl FnMut(UnixStream, &mut JoinSet<()>),
    connections: &mut JoinSet<()>,
) {
    let mut check = tokio::time::interval(LOOK_AFTER_SOCKET);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut troubled = false;
    loop {
        tokio::select! {
            accepted = door.listener.accept() => match accepted {
                Ok((stream, _)) => {
                    troubled = false;
                    begin(stream, connections);
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
    fn new(connections: &watch::Sender<u32>) -> Self {
        connections.send_modify(|count| *count += 1);
        Self(connections.clone())
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
