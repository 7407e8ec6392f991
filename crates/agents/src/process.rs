//! Child processes of this room: each in a process group of its own that ends as one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::error::{AgentError, capped};
use crate::redact::redacted;

/// How much of a program's answer is read; more is refused rather than kept.
const STDOUT_LIMIT: u64 = 64 << 20;
/// How much of its error text is kept.
const STDERR_LIMIT: u64 = 64 << 10;
/// How long a process group may take to end after it was asked to.
const END_GRACE: Duration = Duration::from_millis(500);

/// An environment as a whole: names and values, whatever bytes they are. It holds keys and tokens, and is never shown.
pub(crate) type Variables = Arc<BTreeMap<OsString, OsString>>;

/// A program and what is always given to it.
#[derive(Clone)]
pub(crate) struct Program {
    path: PathBuf,
    /// Instead of this process's environment.
    variables: Option<Variables>,
    env: BTreeMap<String, String>,
    cwd: Option<PathBuf>,
}

/// What a program gave back.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: ExitStatus,
}

/// How long a program may take, and who may end it earlier.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) deadline: Option<Duration>,
    pub(crate) cancel: CancellationToken,
}

impl Limits {
    pub(crate) fn within(deadline: Duration) -> Self {
        Self {
            deadline: Some(deadline),
            cancel: CancellationToken::new(),
        }
    }
}

impl Output {
    pub(crate) fn success(&self) -> bool {
        self.status.success()
    }

    /// `exit status 1`, `signal 9`.
    pub(crate) fn exit(&self) -> String {
        describe(self.status)
    }
}

/// Says in words how a process ended.
pub(crate) fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".into(),
    }
}

impl fmt::Debug for Program {
    /// Leaves the environment out: passwords travel in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Program {
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            variables: None,
            env: BTreeMap::new(),
            cwd: None,
        }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Gives it these variables, and none of this process.
    pub(crate) fn variables(mut self, variables: Option<Variables>) -> Self {
        self.variables = variables;
        self
    }

    pub(crate) fn cwd(mut self, cwd: &Path) -> Self {
        self.cwd = Some(cwd.into());
        self
    }

    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Starts it, leading a process group of its own, with all three streams as pipes.
    pub(crate) fn start(&self, args: &[String], stdin: Stdio) -> Result<Group, AgentError> {
        let mut command = Command::new(&self.path);
        if let Some(variables) = &self.variables {
            command.env_clear().envs(variables.iter());
        }
        command
            .args(args)
            .envs(&self.env)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        // Without a directory of its own it starts where nothing can vanish below it.
        command.current_dir(self.cwd.as_deref().unwrap_or(Path::new("/")));
        let child = command.spawn().map_err(|error| {
            let missing_dir = self.cwd.as_ref().filter(|cwd| !cwd.is_dir());
            AgentError::ProgramMissing {
                program: self.name(),
                reason: match missing_dir {
                    Some(cwd) => format!("the directory `{}` does not exist", cwd.display()),
                    None if error.kind() == io::ErrorKind::NotFound => {
                        "it is not on the PATH; install it, or say in the settings where it is"
                            .into()
                    }
                    None => error.to_string(),
                },
            }
        })?;
        Ok(Group::new(child))
    }

    /// Runs it to its end, feeding `stdin`, and collects what it prints.
    ///
    /// When the deadline passes, the caller cancels, or the future is dropped, its whole process
    /// group is ended before this returns.
    pub(crate) async fn run(
        &self,
        args: &[String],
        stdin: Option<&[u8]>,
        limits: &Limits,
    ) -> Result<Output, AgentError> {
        let what = || {
            let shown = args.iter().take(2).cloned().collect::<Vec<_>>().join(" ");
            redacted(&format!("{} {}", self.name(), capped(&shown, 80)))
        };
        let mut group = self.start(
            args,
            if stdin.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            },
        )?;
        let stdout = group.child.stdout.take();
        let stderr = group.child.stderr.take();
        let input = group.child.stdin.take();
        let finished = async {
            let feed = async {
                if let (Some(mut input), Some(bytes)) = (input, stdin) {
                    // A program that ends without reading everything is judged by what it prints.
                    let _ = input.write_all(bytes).await;
                    let _ = input.shutdown().await;
                }
            };
            let ((), stdout, stderr, status) = tokio::join!(
                feed,
                read_all(stdout, STDOUT_LIMIT),
                read_all(stderr, STDERR_LIMIT),
                group.child.wait(),
            );
            let status = status.map_err(|error| AgentError::Program {
                command: what(),
                exit: "an unknown status".into(),
                text: error.to_string(),
            })?;
            if stdout.len() as u64 >= STDOUT_LIMIT {
                return Err(AgentError::Garbled {
                    what: what(),
                    reason: format!("it is longer than {} MB", STDOUT_LIMIT >> 20),
                    got: String::new(),
                });
            }
            Ok(Output {
                stdout: String::from_utf8_lossy(&stdout).into_owned(),
                stderr: String::from_utf8_lossy(&stderr).into_owned(),
                status,
            })
        };
        let outcome = tokio::select! {
            output = finished => output,
            () = limits.cancel.cancelled() => Err(AgentError::Cancelled { what: what() }),
            () = sleep(limits.deadline) => Err(AgentError::Timeout {
                what: what(),
                after: limits.deadline.unwrap_or_default(),
            }),
        };
        group.end().await;
        outcome
    }
}

/// Waits for `deadline`, or for ever.
pub(crate) async fn sleep(deadline: Option<Duration>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(deadline).await,
        None => std::future::pending().await,
    }
}

async fn read_all(stream: Option<impl AsyncRead + Unpin>, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        let _ = (&mut stream).take(limit).read_to_end(&mut bytes).await;
        // Past the limit it is read and forgotten, so that the program is not stuck on a full pipe.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    bytes
}

/// A child that leads a process group. Dropping it kills the whole group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) child: Child,
    leader: Option<rustix::process::Pid>,
}

impl Group {
    fn new(child: Child) -> Self {
        let leader = child
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        Self { child, leader }
    }

    /// Sends a signal to every process of the group.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        if let Some(leader) = self.leader {
            // A group that has ended is no error.
            let _ = rustix::process::kill_process_group(leader, signal);
        }
    }

    /// Ends the group: asks it, waits a moment for its leader, then kills what is left.
    pub(crate) async fn end(&mut self) {
        if self.leader.is_none() {
            return;
        }
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.signal(rustix::process::Signal::TERM);
            let _ = tokio::time::timeout(END_GRACE, self.child.wait()).await;
        }
        self.signal(rustix::process::Signal::KILL);
        let _ = tokio::time::timeout(END_GRACE, self.child.wait()).await;
        self.leader = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(rustix::process::Signal::KILL);
    }
}
