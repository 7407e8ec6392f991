//! One running ACP agent: its process, and the protocol over its input and output.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use agent_client_protocol::schema::ProtocolVersion;
use agent_client_protocol::v1::ConnectionTo;
use agent_client_protocol::v1::schema::{
    ClientCapabilities, FileSystemCapabilities, Implementation, InitializeRequest,
    InitializeResponse, ReadTextFileRequest, ReadTextFileResponse, RequestPermissionOutcome,
    RequestPermissionRequest, RequestPermissionResponse, SelectedPermissionOutcome,
    WriteTextFileRequest, WriteTextFileResponse,
};
use agent_client_protocol::{Agent, Client, Error, ErrorCode, Lines, UntypedMessage};
use futures_util::{Sink, Stream, sink, stream};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::acp::AcpConfig;
use crate::acp::files::{self, FileError};
use crate::error::{AgentError, capped};
use crate::process::{Group, Program, Variables, describe};

/// The longest line that is taken from an agent.
const LINE_LIMIT: u64 = 32 << 20;
/// How long an agent that has closed its output may take to end, and then what it said last to arrive.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How long an agent that refused may take to end, which then is the reason.
pub(super) const DYING: Duration = Duration::from_millis(300);

/// What the agent says and asks, as it comes.
pub(super) trait Hears: Send + Sync + 'static {
    /// Something happened in its session: an update as it came.
    fn update(&self, update: Value);
    /// It asks for a permission; the option that was chosen, or nothing when it was cancelled.
    fn asks(&self, request: RequestPermissionRequest) -> oneshot::Receiver<Option<String>>;
    /// It is about to write a file.
    fn writes(&self, path: &Path);
    /// It has written it, or why not.
    fn wrote(&self, path: &Path, written: Result<(), String>);
}

/// A running agent. Dropping it ends the process and all that it started.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) agent: ConnectionTo<Agent>,
    pub(super) knows: InitializeResponse,
    process: Process,
}

/// The process of an agent, as far as it is known from outside.
#[derive(Debug)]
struct Process {
    /// Done once it has ended, for whatever reason.
    ended: CancellationToken,
    reason: Arc<Mutex<String>>,
    _end: DropGuard,
}

/// What tells why a process ended.
struct Ending {
    last_words: Arc<Mutex<VecDeque<u8>>>,
    /// What it printed that can't be read, in words.
    unreadable: Arc<Mutex<Option<String>>>,
}

impl Ending {
    /// Ends what is left of the process, and says why it is over.
    async fn reason(
        &self,
        mut group: Group,
        listening: JoinHandle<()>,
        outcome: Result<(), Error>,
    ) -> String {
        let status = tokio::time::timeout(LAST_WORDS, group.child.wait()).await;
        group.end().await;
        // What it said last may still be in the pipe. Whoever left its group may hold that open for ever.
        let _ = tokio::time::timeout(LAST_WORDS, listening).await;
        let unreadable = self.unreadable.lock().clone();
        let text = match (unreadable, status, outcome) {
            (Some(error), _, _) => error,
            (None, Ok(Ok(status)), _) => format!("its process ended with {}", describe(status)),
            (None, _, Err(error)) => error.message.clone(),
            (None, _, Ok(())) => "it was ended".to_owned(),
        };
        let words: Vec<u8> = self.last_words.lock().iter().copied().collect();
        match String::from_utf8_lossy(&words).trim() {
            "" => text,
            words => format!("{text}: {}", capped(words, 1_000)),
        }
    }
}

impl Link {
    /// Starts the agent in `cwd` and greets it.
    pub(super) async fn start(
        config: &AcpConfig,
        cwd: &str,
        variables: Option<Variables>,
        hears: Arc<dyn Hears>,
    ) -> Result<Self, AgentError> {
        let mut program = Program::new(&config.program)
            .variables(variables)
            .cwd(cwd.as_ref());
        for (name, value) in &config.env {
            program = program.env(name, value);
        }
        let mut group = program.start(&config.args, Stdio::piped())?;
        let (Some(input), Some(output), Some(errors)) = (
            group.child.stdin.take(),
            group.child.stdout.take(),
            group.child.stderr.take(),
        ) else {
            return Err(lost(&config.name, "starting it", "its pipes are missing"));
        };

        let end = CancellationToken::new();
        let process = Process {
            ended: CancellationToken::new(),
            reason: Arc::default(),
            _end: end.clone().drop_guard(),
        };
        let (ready, connected) = oneshot::channel();
        let ending = Ending {
            last_words: Arc::default(),
            unreadable: Arc::default(),
        };
        let listening = tokio::spawn(keep_last(errors, ending.last_words.clone()));
        let lines = Lines::new(
            Box::pin(written_to(input)),
            Box::pin(read_from(output, ending.unreadable.clone())),
        );
        let (reason, ended) = (process.reason.clone(), process.ended.clone());
        let root = PathBuf::from(cwd);
        tokio::spawn(async move {
            let outcome = serve(lines, hears, root, ready, end).await;
            *reason.lock() = ending.reason(group, listening, outcome).await;
            ended.cancel();
        });

        let (agent, knows) = greeted(config, connected, &process).await?;
        Ok(Self {
            agent,
            knows,
            process,
        })
    }

    /// Done once the process has ended, for whatever reason.
    pub(super) fn ended(&self) -> &CancellationToken {
        &self.process.ended
    }

    /// Why it ended.
    pub(super) fn reason(&self) -> String {
        self.process.reason.lock().clone()
    }

    /// Whether it looks at images.
    pub(super) fn sees(&self) -> bool {
        self.knows.agent_capabilities.prompt_capabilities.image
    }

    /// Whether it tells which sessions it remembers.
    pub(super) fn lists(&self) -> bool {
        let sessions = &self.knows.agent_capabilities.session_capabilities;
        sessions.list.is_some()
    }

    /// Whether it makes another session of one.
    pub(super) fn forks(&self) -> bool {
        let sessions = &self.knows.agent_capabilities.session_capabilities;
        sessions.fork.is_some()
    }

    /// Whether it can continue a session of an earlier process.
    pub(super) fn loads(&self) -> bool {
        self.knows.agent_capabilities.load_session
    }
}

pub(super) fn lost(host: &str, what: &str, reason: &str) -> AgentError {
    AgentError::Lost {
        host: host.into(),
        what: what.into(),
        reason: reason.into(),
    }
}

/// Greets an agent once it is connected: how to reach it, and what it says that it can.
async fn greeted(
    config: &AcpConfig,
    connected: oneshot::Receiver<ConnectionTo<Agent>>,
    process: &Process,
) -> Result<(ConnectionTo<Agent>, InitializeResponse), AgentError> {
    let within = config.deadlines.start;
    let host = config.name.as_str();
    let over = || lost(host, "starting it", &process.reason.lock());
    let refused = |reason| AgentError::Protocol {
        host: host.to_owned(),
        reason,
    };
    let greet = async {
        let agent = connected.await.map_err(|_| ())?;
        // We have no text that is not on disk, so there is nothing to read from us; and Gemini CLI 0.61 can't tell a file
        // that is missing from one that can't be read, whatever it is answered, and then makes none.
        let files = FileSystemCapabilities::new().write_text_file(true);
        let hello = InitializeRequest::new(ProtocolVersion::V1)
            .client_capabilities(ClientCapabilities::new().fs(files))
            .client_info(Implementation::new("switchyard", env!("CARGO_PKG_VERSION")));
        let knows = agent.send_request(hello).block_task().await;
        Ok::<_, ()>((agent, knows))
    };
    let greeted = tokio::select! {
        greeted = greet => greeted,
        () = process.ended.cancelled() => Err(()),
        () = tokio::time::sleep(within) => {
            return Err(AgentError::Timeout { what: format!("starting {host}"), after: within });
        }
    };
    match greeted {
        Ok((agent, Ok(knows))) if knows.protocol_version == ProtocolVersion::V1 => {
            Ok((agent, knows))
        }
        Ok((_, Ok(knows))) => Err(refused(format!(
            "it speaks version {} of the protocol, not 1",
            knows.protocol_version
        ))),
        Ok((_, Err(error))) => {
            // When the process ended, that is the better reason.
            let ended = tokio::time::timeout(DYING, process.ended.cancelled()).await;
            Err(match ended {
                Ok(()) => over(),
                Err(_) => refused(format!(
                    "it answered the greeting with `{}`; does it speak version 1 of the protocol?",
                    error.message
                )),
            })
        }
        Err(()) => {
            let _ = tokio::time::timeout(Duration::from_secs(1), process.ended.cancelled()).await;
            Err(over())
        }
    }
}

/// Takes what is said to a program, a line each.
fn written_to(input: ChildStdin) -> impl Sink<String, Error = io::Error> {
    sink::unfold(input, |mut input, line: String| async move {
        input.write_all(line.as_bytes()).await?;
        input.write_all(b"\n").await?;
        input.flush().await?;
        Ok::<_, io::Error>(input)
    })
}

/// The messages of a program; why there are no more goes to `unreadable`, if it is for what it printed.
fn read_from(
    output: ChildStdout,
    unreadable: Arc<Mutex<Option<String>>>,
) -> impl Stream<Item = io::Result<String>> {
    stream::unfold(
        (BufReader::new(output), unreadable),
        |(mut output, unreadable)| async move {
            loop {
                match next_line(&mut output).await {
                    Ok(None) => return None,
                    // Programs like to print a greeting or a warning first.
                    Ok(Some(line)) if !line.trim_start().starts_with('{') => {
                        let bytes = line.len();
                        tracing::debug!(bytes, "a line that is no message was passed over");
                    }
                    Ok(Some(line)) => return Some((Ok(line), (output, unreadable))),
                    Err(error) => {
                        *unreadable.lock() = Some(error.to_string());
                        return None;
                    }
                }
            }
        },
    )
}

/// Drives the connection until the process or this side ends it; what it hears goes to `hears`.
async fn serve<O, I>(
    lines: Lines<O, I>,
    hears: Arc<dyn Hears>,
    root: PathBuf,
    ready: oneshot::Sender<ConnectionTo<Agent>>,
    end: CancellationToken,
) -> Result<(), Error>
where
    O: Sink<String, Error = io::Error> + Send + 'static,
    I: Stream<Item = io::Result<String>> + Send + 'static,
{
    let updates = hears.clone();
    let writes = hears.clone();
    let read_root = root.clone();
    Client
        .v1()
        .name("switchyard")
        .on_receive_notification(
            // As it comes: what the library does not know is shown as well.
            async move |mut told: UntypedMessage, _| {
                if told.method == "session/update"
                    && let Some(update) = told
                        .params
                        .get_mut("update")
                        .filter(|update| update.is_object())
                {
                    updates.update(update.take());
                }
                Ok(())
            },
            agent_client_protocol::on_receive_notification!(),
        )
        .on_receive_request(
            async move |request: RequestPermissionRequest,
                        responder,
                        connection: ConnectionTo<Agent>| {
                let answered = hears.asks(request);
                // A person may take hours: the connection must not wait for it.
                connection.spawn(async move {
                    let outcome = match answered.await {
                        Ok(Some(option)) => RequestPermissionOutcome::Selected(
                            SelectedPermissionOutcome::new(option),
                        ),
                        Ok(None) | Err(_) => RequestPermissionOutcome::Cancelled,
                    };
                    responder.respond(RequestPermissionResponse::new(outcome))
                })
            },
            agent_client_protocol::on_receive_request!(),
        )
        .on_receive_request(
            async move |request: ReadTextFileRequest,
                        responder,
                        connection: ConnectionTo<Agent>| {
                let root = read_root.clone();
                connection.spawn(async move {
                    let read = tokio::task::spawn_blocking(move || {
                        files::read(&root, &request.path, request.line, request.limit)
                    });
                    responder
                        .respond_with_result(flatten(read.await).map(ReadTextFileResponse::new))
                })
            },
            agent_client_protocol::on_receive_request!(),
        )
        .on_receive_request(
            async move |request: WriteTextFileRequest,
                        responder,
                        connection: ConnectionTo<Agent>| {
                let root = root.clone();
                let hears = writes.clone();
                connection.spawn(async move {
                    hears.writes(&request.path);
                    let path = request.path.clone();
                    let written = tokio::task::spawn_blocking(move || {
                        files::write(&root, &request.path, &request.content)
                    });
                    let written = flatten(written.await);
                    let told = written.as_ref().map_err(|error| error.message.clone());
                    hears.wrote(&path, told.copied());
                    responder.respond_with_result(written.map(|()| WriteTextFileResponse::new()))
                })
            },
            agent_client_protocol::on_receive_request!(),
        )
        .connect_with(lines, async move |connection: ConnectionTo<Agent>| {
            // Nobody listens any more when the start was given up.
            let _ = ready.send(connection.clone());
            tokio::select! {
                () = end.cancelled() => {}
                () = connection.incoming_closed() => {}
            }
            Ok(())
        })
        .await
}

/// What came of a file, in the protocol's terms. Agents show the message and little else, so the words are there.
fn flatten<T>(done: Result<Result<T, FileError>, tokio::task::JoinError>) -> Result<T, Error> {
    let (code, message) = match done {
        Ok(Ok(value)) => return Ok(value),
        // Agents that make new files look for these very words to see that there is none yet.
        Ok(Err(FileError::NotFound { shown })) => (
            ErrorCode::RESOURCE_NOT_FOUND,
            format!("Resource not found: `{shown}` does not exist"),
        ),
        Ok(Err(FileError::Refused(reason))) => (ErrorCode::INVALID_PARAMS, reason),
        Ok(Err(FileError::Failed(reason))) => (ErrorCode::INTERNAL_ERROR, reason),
        Err(error) => (ErrorCode::INTERNAL_ERROR, error.to_string()),
    };
    Err(Error::new(code, message))
}

/// Reads one line, without its end; an error for one that never ends.
async fn next_line(output: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = (&mut *output)
        .take(LINE_LIMIT)
        .read_until(b'\n', &mut line)
        .await?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if read as u64 >= LINE_LIMIT {
        return Err(io::Error::other(format!(
            "it printed a line of more than {} MB",
            LINE_LIMIT >> 20
        )));
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

/// Keeps the end of what a program prints to its standard error.
async fn keep_last(mut errors: impl AsyncRead + Unpin, kept: Arc<Mutex<VecDeque<u8>>>) {
    const KEPT: usize = 4096;
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = errors.read(&mut buffer).await {
        let mut kept = kept.lock();
        kept.extend(&buffer[..read]);
        let excess = kept.len().saturating_sub(KEPT);
        kept.drain(..excess);
    }
}
