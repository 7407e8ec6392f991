//! Finding the host, or starting one.

use std::fs::File;
use std::future::Future;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use terminal::Refusal;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::paths::HostPaths;
use crate::protocol::{self, Hello, MAX_GREETING, NotWelcome, PROTOCOL, VERSION, Welcome};

/// How long a new host may take until it answers.
const START_DEADLINE: Duration = Duration::from_secs(10);
/// How long to wait, after a new host found that another one holds the lock, until the next is started.
const START_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// How long a host that runs may take to say who it is.
const GREETING_DEADLINE: Duration = Duration::from_secs(5);

/// A process of this program that others find at a socket, or start.
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    /// What it is called in messages.
    pub name: &'static str,
    /// What follows the executable to become it, away from the terminal.
    pub args: &'static [&'static str],
    /// The command that ends it.
    pub end: &'static str,
    /// The version of what is said to it.
    pub protocol: u32,
}

/// The host of the panes.
pub static PANES: Service = Service {
    name: "pane host",
    args: &["host", "--detached"],
    end: "switchyard host --stop",
    protocol: PROTOCOL,
};

/// Why there is no connection to a host.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No host runs.
    #[error("no {} is running (nobody listens on `{socket}`)", .service.name)]
    NotRunning {
        /// Which host.
        service: &'static Service,
        /// Where it would listen.
        socket: String,
    },
    /// A host runs, of another version. Its programs are alive.
    #[error(
        "the {} that runs (process {pid}) is of another version: {message}. Its programs go on \
         running; reach them with that version of Switchyard, or end them all with `{}` and start again",
        .service.name, .service.end
    )]
    OtherVersion {
        /// Which host.
        service: &'static Service,
        /// The host's process.
        pid: u32,
        /// The version of its program.
        version: String,
        /// Its own words.
        message: String,
    },
    /// The host refused what the connection was for.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The process that listens is not a host of this user, or does not answer as one.
    #[error("whoever listens on `{socket}` does not answer as a {}: {message}", .service.name)]
    NotAHost {
        /// Which host.
        service: &'static Service,
        /// Where it listens.
        socket: String,
        /// What it did instead.
        message: String,
    },
    /// A host was started and did not come up.
    #[error("the {} did not start: {message}", .service.name)]
    Start {
        /// Which host.
        service: &'static Service,
        /// Why, as far as is known: the last words of its log.
        message: String,
    },
    /// A host was told to end and has not.
    #[error("the {} (process {pid}) was told to end, and still runs after {} seconds", .service.name, .after.as_secs())]
    NotEnded {
        /// Which host.
        service: &'static Service,
        /// The host's process.
        pid: u32,
        /// How long it was given.
        after: Duration,
    },
    /// The runtime directory, the socket or the log can't be used.
    #[error("could not reach the host")]
    Io(#[source] io::Error),
}

/// Connects to `service` and greets for `purpose`.
pub(crate) async fn greet(
    service: &'static Service,
    paths: &HostPaths,
    purpose: &Value,
) -> Result<(UnixStream, Welcome), ConnectError> {
    let socket = paths.socket();
    let connected = UnixStream::connect(&socket).await;
    greet_on(service, connected, &socket.display().to_string(), purpose).await
}

/// Greets for `purpose` on a connection to `socket`, if it was made.
pub(crate) async fn greet_on(
    service: &'static Service,
    connected: io::Result<UnixStream>,
    socket: &str,
    purpose: &Value,
) -> Result<(UnixStream, Welcome), ConnectError> {
    let name = || socket.to_owned();
    let mut stream = connected.map_err(|error| {
        if nobody_there(&error) {
            ConnectError::NotRunning {
                service,
                socket: name(),
            }
        } else {
            ConnectError::Io(io::Error::new(
                error.kind(),
                format!("could not connect to `{socket}`: {error}"),
            ))
        }
    })?;
    let not_a_host = |message: String| ConnectError::NotAHost {
        service,
        socket: name(),
        message,
    };
    let uid = stream.peer_cred().map_err(ConnectError::Io)?.uid();
    if uid != rustix::process::geteuid().as_raw() {
        return Err(not_a_host(format!("it belongs to user {uid}")));
    }
    let greeting = async {
        let hello = Hello {
            protocol: service.protocol,
            version: VERSION.to_owned(),
            purpose: purpose.clone(),
        };
        protocol::send(&mut stream, &hello).await?;
        protocol::receive::<Welcome>(&mut stream, MAX_GREETING).await
    };
    let welcome = match timeout(GREETING_DEADLINE, greeting).await {
        Ok(Ok(Some(welcome))) => welcome,
        // It was on its way out.
        Ok(Ok(None)) => {
            return Err(ConnectError::NotRunning {
                service,
                socket: name(),
            });
        }
        Ok(Err(error)) if nobody_there(&error) => {
            return Err(ConnectError::NotRunning {
                service,
                socket: name(),
            });
        }
        Ok(Err(error)) => return Err(not_a_host(error.to_string())),
        Err(_) => {
            return Err(not_a_host(format!(
                "no greeting within {} seconds",
                GREETING_DEADLINE.as_secs()
            )));
        }
    };
    let Some(refused) = &welcome.refused else {
        return Ok((stream, welcome));
    };
    match serde_json::from_value(refused.clone()) {
        Ok(NotWelcome::Pane(refusal)) if welcome.protocol == service.protocol => {
            Err(refusal.into())
        }
        Ok(NotWelcome::Protocol(message)) => Err(ConnectError::OtherVersion {
            service,
            pid: welcome.pid,
            version: welcome.version,
            message,
        }),
        // Another version may have reasons that we do not know.
        _ => Err(ConnectError::OtherVersion {
            service,
            pid: welcome.pid,
            version: welcome.version,
            message: refused.to_string(),
        }),
    }
}

fn nobody_there(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}

/// A connection for `purpose` to the host that runs, or else to one that is started now.
pub(crate) async fn reach(
    service: &'static Service,
    paths: &HostPaths,
    exe: Option<&Path>,
    purpose: &Value,
) -> Result<(UnixStream, Welcome), ConnectError> {
    let first = greet(service, paths, purpose).await;
    let (Err(ConnectError::NotRunning { .. }), Some(exe)) = (&first, exe) else {
        return first;
    };
    paths.prepare().map_err(ConnectError::Io)?;
    let mut launch = Launch::new(service, paths, exe)?;
    let deadline = Instant::now() + START_DEADLINE;
    let mut pause = Duration::from_millis(2);
    loop {
        match greet(service, paths, purpose).await {
            Err(ConnectError::NotRunning { .. }) => {}
            reached => return reached,
        }
        if Instant::now() >= deadline {
            return Err(launch.failed("it did not answer within 10 seconds"));
        }
        launch.look(paths, exe)?;
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// A host that was started and is waited for.
struct Launch {
    service: &'static Service,
    child: Child,
    began: Instant,
    /// Another process holds the lock: a host that comes up, that ends, or that lost its socket.
    locked_out: bool,
    paths: HostPaths,
    /// How long the log was before.
    log_from: u64,
}

impl Launch {
    fn new(service: &'static Service, paths: &HostPaths, exe: &Path) -> Result<Self, ConnectError> {
        // A full disk is no reason to have no panes.
        let log = paths
            .open_log()
            .or_else(|error| {
                tracing::warn!(%error, "what the host says is lost");
                File::options().write(true).open("/dev/null")
            })
            .map_err(ConnectError::Io)?;
        let log_from = log.metadata().map_or(0, |about| about.len());
        Ok(Self {
            service,
            child: spawn(service, exe, log)?,
            began: Instant::now(),
            locked_out: false,
            paths: paths.clone(),
            log_from,
        })
    }

    /// Sees to it that there still is a process that could come up.
    fn look(&mut self, paths: &HostPaths, exe: &Path) -> Result<(), ConnectError> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            // It found another host, which is coming up, or just ending: then ours is wanted after all.
            Ok(Some(status)) if status.success() => {
                if self.began.elapsed() >= START_AGAIN_AFTER {
                    *self = Self {
                        locked_out: true,
                        ..Self::new(self.service, paths, exe)?
                    };
                }
                self.locked_out = true;
                Ok(())
            }
            Ok(Some(status)) => Err(self.failed(&format!("it ended with {status}"))),
            Err(error) => Err(ConnectError::Io(error)),
        }
    }

    fn failed(&self, how: &str) -> ConnectError {
        let log = self.paths.log_since(self.log_from);
        if self.locked_out {
            let pid = self
                .paths
                .note()
                .map_or_else(String::new, |note| format!(", process {}", note.pid));
            return ConnectError::Start {
                service: self.service,
                message: format!(
                    "{how}; another one{pid} holds the lock and can't be reached at `{}`: end that process first",
                    self.paths.socket().display()
                ),
            };
        }
        let message = if log.is_empty() {
            format!("{how}; its log is `{}`", self.paths.log().display())
        } else {
            format!("{how}: {log}")
        };
        ConnectError::Start {
            service: self.service,
            message,
        }
    }
}

/// Starts `exe` as the service, away from this process: no terminal, no directory in use, its
/// words in the log.
///
/// It makes a session of its own (see [`detach`]) as soon as it runs, so it outlives the window
/// and the terminal that started it.
fn spawn(service: &'static Service, exe: &Path, log: File) -> Result<Child, ConnectError> {
    let start = || {
        let errors = log.try_clone()?;
        // A descriptor that we inherited, a pipe of the script that ran us, would stay open as long as the host.
        close_fds::set_fds_cloexec(3, &[]);
        Command::new(exe)
            .args(service.args)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .kill_on_drop(false)
            .spawn()
    };
    start().map_err(|error| ConnectError::Start {
        service,
        message: format!("could not run `{} host`: {error}", exe.display()),
    })
}

/// Leaves the session of the process that started this one, so that neither its end nor a key
/// pressed in its terminal reaches us. Does nothing when this process leads a group already.
pub fn detach() {
    if let Err(error) = rustix::process::setsid() {
        tracing::debug!(%error, "no session of our own");
    }
}

/// Waits until the process is told to end: by SIGTERM, or by SIGINT. From the call on, SIGHUP means
/// nothing to it: the terminal that it was started from may go.
///
/// # Errors
///
/// When the system does not let signals be caught.
pub fn until_told_to_end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = hangup.recv() => {}
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
            }
        }
    })
}

/// Asks the host that runs to end, its programs with it, whatever version it is; waits until it
/// has. Returns its process id, or `None` when no host runs.
///
/// # Errors
///
/// When whoever listens is not ours, or has not ended within `patience`.
pub async fn stop_running(
    service: &'static Service,
    paths: &HostPaths,
    patience: Duration,
) -> Result<Option<u32>, ConnectError> {
    let stream = match UnixStream::connect(paths.socket()).await {
        Ok(stream) => stream,
        Err(error) if nobody_there(&error) => return Ok(None),
        Err(error) => return Err(ConnectError::Io(error)),
    };
    // The process at the other end of the socket, so never one that merely inherited a number.
    let peer = stream.peer_cred().map_err(ConnectError::Io)?;
    let pid = peer.pid().and_then(rustix::process::Pid::from_raw);
    let Some(pid) = pid.filter(|_| peer.uid() == rustix::process::geteuid().as_raw()) else {
        return Err(ConnectError::NotAHost {
            service,
            socket: paths.socket().display().to_string(),
            message: format!("it belongs to user {}", peer.uid()),
        });
    };
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)
        .map_err(|error| ConnectError::Io(error.into()))?;
    let number = pid.as_raw_nonzero().get().unsigned_abs();
    let deadline = Instant::now() + patience;
    loop {
        // Its lock goes with it; a window that waits may have started the next host already.
        let gone = rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
        if gone || matches!(paths.lock(), Ok(Some(_))) {
            return Ok(Some(number));
        }
        if Instant::now() >= deadline {
            return Err(ConnectError::NotEnded {
                service,
                pid: number,
                after: patience,
            });
        }
        sleep(Duration::from_millis(20)).await;
    }
}
