//! One running ACP agent: its process, and the protocol over its input and output.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
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
use futures_util::{sink, stream};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::acp::AcpConfig;
use crate::acp::files::{self, FileError};
use crate::error::{AgentError, capped};
use crate::process::{Program, describe};

/// The longest line that is taken from an agent.
const LINE_LIMIT: u64 = 32 << 20;
/// How long an agent that has closed its output may take to end, and then what it said last to arrive.
const LAST_WORDS: Duration = Duration::from_millis(200);

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
    /// Done once the process has ended, for whatever reason.
    pub(super) ended: CancellationToken,
    reason: Arc<Mutex<String>>,
    _end: DropGuard,
}

impl Link {
    /// Starts the agent in `cwd` and greets it.
    pub(super) async fn start(
        config: &AcpConfig,
        cwd: &str,
        hears: Arc<dyn Hears>,
    ) -> Result<Self, AgentError> {
        let mut program = Program::new(&config.program).cwd(cwd.as_ref());
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

        let last_words = Arc::new(Mutex::new(VecDeque::new()));
        let listening = tokio::spawn(keep_last(errors, last_words.clone()));

        let outgoing = sink::unfold(input, |mut input, line: String| async move {
            input.write_all(line.as_bytes()).await?;
            input.write_all(b"\n").await?;
            input.flush().await?;
            Ok::<_, io::Error>(input)
        });
        let too_long = Arc::new(Mutex::new(None));
        let incoming = stream::unfold(
            (BufReader::new(output), too_long.clone()),
            |(mut output, too_long)| async move {
                loop {
                    match next_line(&mut output).await {
                        Ok(None) => return None,
                        // Programs like to print a greeting or a warning first.
                        Ok(Some(line)) if !line.trim_start().starts_with('{') => {
                            tracing::debug!(
                                bytes = line.len(),
                                "a line that is no message was passed over"
                            );
                        }
                        Ok(Some(line)) => return Some((Ok(line), (output, too_long))),
                        Err(error) => {
                            *too_long.lock().unwrap_or_else(PoisonError::into_inner) =
                                Some(error.to_string());
                            return None;
                        }
                    }
                }
            },
        );

        let end = CancellationToken::new();
        let ended = CancellationToken::new();
        let reason = Arc::new(Mutex::new(String::new()));
        let (ready, connected) = oneshot::channel();
        let root = PathBuf::from(cwd);
        let lines = Lines::new(Box::pin(outgoing), Box::pin(incoming));
        let stop = end.clone();
        let (told_reason, told_ended) = (reason.clone(), ended.clone());
        tokio::spawn(async move {
            let outcome = serve(lines, hears, root, ready, stop).await;
            let status = tokio::time::timeout(LAST_WORDS, group.child.wait()).await;
            group.end().await;
            // What it said last may still be in the pipe. Whoever left its group may hold that open for ever.
            let _ = tokio::time::timeout(LAST_WORDS, listening).await;
            let words = {
                let words = last_words.lock().unwrap_or_else(PoisonError::into_inner);
                String::from_utf8_lossy(&words.iter().copied().collect::<Vec<u8>>())
                    .trim()
                    .to_owned()
            };
            let unreadable = too_long
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let mut text = match (unreadable, status, outcome) {
                (Some(error), _, _) => error,
                (None, Ok(Ok(status)), _) => format!("its process ended with {}", describe(status)),
                (None, _, Err(error)) => error.message.clone(),
                (None, _, Ok(())) => "it was ended".to_owned(),
            };
            if !words.is_empty() {
                text = format!("{text}: {}", capped(&words, 1_000));
            }
            *told_reason.lock().unwrap_or_else(PoisonError::into_inner) = text;
            told_ended.cancel();
        });

        let guard = end.drop_guard();
        let within = config.deadlines.start;
        let greet = async {
            let agent = connected.await.map_err(|_| ())?;
            let hello = InitializeRequest::new(ProtocolVersion::V1)
                .client_capabilities(
                    ClientCapabilities::new().fs(FileSystemCapabilities::new()
                        .read_text_file(true)
                        .write_text_file(true)),
                )
                .client_info(Implementation::new("switchyard", env!("CARGO_PKG_VERSION")));
            let knows = agent.send_request(hello).block_task().await;
            Ok::<_, ()>((agent, knows))
        };
        let greeted = tokio::select! {
            greeted = greet => greeted,
            () = ended.cancelled() => Err(()),
            () = tokio::time::sleep(within) => {
                return Err(AgentError::Timeout { what: format!("starting {}", config.name), after: within });
            }
        };
        let said_reason = || {
            reason
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        match greeted {
            Ok((agent, Ok(knows))) => {
                if knows.protocol_version != ProtocolVersion::V1 {
                    return Err(AgentError::Protocol {
                        host: config.name.clone(),
                        reason: format!(
                            "it speaks version {} of the protocol, not 1",
                            knows.protocol_version
                        ),
                    });
                }
                Ok(Self {
                    agent,
                    knows,
                    ended,
                    reason,
                    _end: guard,
                })
            }
            Ok((_, Err(error))) => {
                // When the process ended, that is the better reason.
                if tokio::time::timeout(Duration::from_millis(300), ended.cancelled())
                    .await
                    .is_ok()
                {
                    return Err(lost(&config.name, "starting it", &said_reason()));
                }
                Err(AgentError::Protocol {
                    host: config.name.clone(),
                    reason: format!(
                        "it answered the greeting with `{}`; does it speak version 1 of the protocol?",
                        error.message
                    ),
                })
            }
            Err(()) => {
                let _ = tokio::time::timeout(Duration::from_secs(1), ended.cancelled()).await;
                Err(lost(&config.name, "starting it", &said_reason()))
            }
        }
    }

    /// Why it ended.
    pub(super) fn reason(&self) -> String {
        self.reason
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether it looks at images.
    pub(super) fn sees(&self) -> bool {
        self.knows.agent_capabilities.prompt_capabilities.image
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

/// Drives the connection until the process or this side ends it; what it hears goes to `hears`.
async fn serve<O, I>(
    lines: Lines<O, I>,
    hears: Arc<dyn Hears>,
    root: PathBuf,
    ready: oneshot::Sender<ConnectionTo<Agent>>,
    end: CancellationToken,
) -> Result<(), Error>
where
    O: futures_util::Sink<String, Error = io::Error> + Send + 'static,
    I: futures_util::Stream<Item = io::Result<String>> + Send + 'static,
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
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&buffer[..read]);
        let excess = kept.len().saturating_sub(KEPT);
        kept.drain(..excess);
    }
}
