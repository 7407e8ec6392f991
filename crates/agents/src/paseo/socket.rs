//! The daemon's WebSocket: one connection per host, shared by all requests and turns.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::address::{Channel, HostAddress};
use crate::error::{AgentError, capped};
use crate::paseo::Deadlines;
use crate::paseo::frames::{self, Stream};
use crate::redact::redacted;
use crate::secret::Secret;

/// The version of the client that the daemon is told; below 0.1.45 it hides most agents.
const APP_VERSION: &str = "0.1.65";
/// The largest message that is taken: a whole conversation read back.
const MESSAGE_LIMIT: usize = 256 << 20;

/// What the socket tells those who did not ask.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    /// An agent appeared or changed.
    Changed(Box<frames::Agent>),
    /// An agent is gone.
    Removed(String),
    /// Something happened in a conversation.
    Stream(Box<Stream>),
    /// The connection was made.
    Up,
    /// The connection was lost.
    Down,
}

/// What a turn is told.
#[derive(Debug)]
pub(crate) enum Heard {
    Stream(Box<Stream>),
    Lost,
}

/// The connection to one daemon, made on first need and made again after it was lost.
#[derive(Debug)]
pub(crate) struct Socket {
    address: HostAddress,
    host: String,
    client: String,
    deadlines: Deadlines,
    link: tokio::sync::Mutex<Option<Link>>,
    router: Arc<Router>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Link {
    outgoing: mpsc::Sender<Message>,
    closed: CancellationToken,
    version: Option<String>,
    /// Ends the tasks of the connection with the value.
    _end: DropGuard,
}

#[derive(Debug)]
struct Router {
    pending: Mutex<HashMap<String, oneshot::Sender<Result<Value, Refusal>>>>,
    listeners: Mutex<HashMap<u64, (String, mpsc::UnboundedSender<Heard>)>>,
    told: broadcast::Sender<Told>,
}

/// Why the daemon did not do it.
#[derive(Debug)]
enum Refusal {
    Rpc { code: String, message: String },
    Lost { reason: String },
}

/// Hears one agent's stream until it is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    id: u64,
    router: Arc<Router>,
    pub(crate) heard: mpsc::UnboundedReceiver<Heard>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.router.listeners.lock().remove(&self.id);
    }
}

/// Removes a request that nobody waits for any more.
struct Awaited<'a> {
    router: &'a Router,
    id: String,
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.router.pending.lock().remove(&self.id);
    }
}

impl Socket {
    pub(crate) fn new(address: HostAddress, deadlines: Deadlines) -> Self {
        Self {
            host: address.to_string(),
            address,
            client: format!("cid_{}", uuid::Uuid::new_v4().simple()),
            deadlines,
            link: tokio::sync::Mutex::new(None),
            router: Arc::new(Router {
                pending: Mutex::default(),
                listeners: Mutex::default(),
                told: broadcast::channel(1024).0,
            }),
            next: AtomicU64::new(1),
        }
    }

    /// What happens at the daemon, for whoever is interested.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Told> {
        self.router.told.subscribe()
    }

    /// Hears what happens to one agent from now on.
    pub(crate) fn listen(&self, agent: &str) -> Listener {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, heard) = mpsc::unbounded_channel();
        self.router
            .listeners
            .lock()
            .insert(id, (agent.to_owned(), sender));
        Listener {
            id,
            router: self.router.clone(),
            heard,
        }
    }

    /// Connects if need be; the version of the daemon, if it tells.
    pub(crate) async fn connect(
        &self,
        password: Option<&Secret>,
    ) -> Result<Option<String>, AgentError> {
        self.link(password).await.map(|(_, _, version)| version)
    }

    /// Ends the connection; the next request makes a new one.
    pub(crate) async fn disconnect(&self) {
        *self.link.lock().await = None;
    }

    /// Sends a request and waits for its answer. A `requestId` that is not in `body` is added.
    pub(crate) async fn request(
        &self,
        kind: &str,
        mut body: Value,
        password: Option<&Secret>,
        deadline: Duration,
    ) -> Result<Value, AgentError> {
        let (outgoing, closed, _) = self.link(password).await?;
        let id = match body.get("requestId").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => {
                let id = format!("req_{}", self.next.fetch_add(1, Ordering::Relaxed));
                body["requestId"] = json!(id);
                id
            }
        };
        body["type"] = json!(kind);
        let (answer, answered) = oneshot::channel();
        self.router.pending.lock().insert(id.clone(), answer);
        let _awaited = Awaited {
            router: &self.router,
            id,
        };
        let frame = json!({"type": "session", "message": body}).to_string();
        let exchange = async {
            let lost = |reason: &str| AgentError::Lost {
                host: self.host.clone(),
                what: kind.to_owned(),
                reason: reason.to_owned(),
            };
            tokio::select! {
                sent = outgoing.send(Message::text(frame)) => {
                    sent.map_err(|_| lost("the connection ended"))?;
                }
                () = closed.cancelled() => return Err(lost("the connection ended")),
            }
            match answered.await {
                Ok(Ok(payload)) => Ok(payload),
                Ok(Err(Refusal::Rpc { code, message })) => Err(AgentError::Refused {
                    what: kind.to_owned(),
                    code,
                    message,
                }),
                Ok(Err(Refusal::Lost { reason })) => Err(lost(&reason)),
                Err(_) => Err(lost("the connection ended")),
            }
        };
        tokio::time::timeout(deadline, exchange)
            .await
            .unwrap_or_else(|_| {
                Err(AgentError::Timeout {
                    what: format!("{kind} at {}", self.host),
                    after: deadline,
                })
            })
    }

    async fn link(
        &self,
        password: Option<&Secret>,
    ) -> Result<(mpsc::Sender<Message>, CancellationToken, Option<String>), AgentError> {
        let mut link = self.link.lock().await;
        if link.as_ref().is_none_or(|link| link.closed.is_cancelled()) {
            *link = None;
            let within = self.deadlines.connect;
            let fresh = tokio::time::timeout(within, self.open(password))
                .await
                .unwrap_or_else(|_| {
                    Err(AgentError::Unreachable {
                        host: self.host.clone(),
                        reason: format!(
                            "something listens there, but said nothing for {} s",
                            within.as_secs_f32()
                        ),
                    })
                })?;
            *link = Some(fresh);
            let _ = self.router.told.send(Told::Up);
        }
        match link.as_ref() {
            Some(link) => Ok((
                link.outgoing.clone(),
                link.closed.clone(),
                link.version.clone(),
            )),
            None => Err(self.unreachable("the connection ended")),
        }
    }

    fn unreachable(&self, reason: impl std::fmt::Display) -> AgentError {
        AgentError::Unreachable {
            host: self.host.clone(),
            reason: redacted(&reason.to_string()),
        }
    }

    async fn open(&self, password: Option<&Secret>) -> Result<Link, AgentError> {
        let channel = self.address.connect().await.map_err(|error| {
            self.unreachable(format!(
                "{error}; is the daemon running? `paseo daemon start` starts it"
            ))
        })?;
        let mut request = format!("ws://{}/ws", self.address.http_host())
            .into_client_request()
            .map_err(|error| self.unreachable(error))?;
        if let Some(password) = password {
            let value = HeaderValue::from_str(&format!("paseo.bearer.{}", password.expose()))
                .ok()
                .filter(|_| usable(password))
                .ok_or_else(|| AgentError::Password {
                    host: self.host.clone(),
                    reason: "it holds one of `/ = ? @ : ,` or a blank, which can't be sent; set another one".into(),
                })?;
            request
                .headers_mut()
                .insert("Sec-WebSocket-Protocol", value);
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_LIMIT))
            .max_frame_size(Some(MESSAGE_LIMIT));
        let (mut stream, _) =
            tokio_tungstenite::client_async_with_config(request, channel, Some(config))
                .await
                .map_err(|error| self.handshake_failed(error))?;
        let hello = json!({
            "type": "hello",
            "clientId": self.client,
            "clientType": "cli",
            "protocolVersion": 1,
            "appVersion": APP_VERSION,
            "capabilities": {"reasoning_merge_enum": true},
        });
        stream
            .send(Message::text(hello.to_string()))
            .await
            .map_err(|error| self.unreachable(error))?;
        let info = loop {
            match stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                    let payload = frame.pointer("/message/payload");
                    if payload
                        .and_then(|p| p.get("status"))
                        .and_then(Value::as_str)
                        == Some("server_info")
                    {
                        break payload.cloned().unwrap_or_default();
                    }
                }
                Some(Ok(Message::Close(close))) => {
                    let (code, reason) = close.map_or((1005, String::new()), |close| {
                        (close.code.into(), close.reason.to_string())
                    });
                    return Err(self.closed(code, &reason));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(self.unreachable(error)),
                None => return Err(self.unreachable("it ended the connection at once")),
            }
        };
        Ok(self.run(
            stream,
            info.get("version")
                .and_then(Value::as_str)
                .map(str::to_owned),
        ))
    }

    fn handshake_failed(&self, error: tungstenite::Error) -> AgentError {
        match error {
            tungstenite::Error::Http(response) => AgentError::Protocol {
                host: self.host.clone(),
                reason: format!(
                    "it answers with HTTP {}, not as a Paseo daemon",
                    response.status()
                ),
            },
            tungstenite::Error::Io(error) => self.unreachable(error),
            other => AgentError::Protocol {
                host: self.host.clone(),
                reason: redacted(&other.to_string()),
            },
        }
    }

    fn closed(&self, code: u16, reason: &str) -> AgentError {
        let host = self.host.clone();
        match code {
            4401 => AgentError::Password {
                host,
                reason: capped(reason, 200),
            },
            4001..=4003 => AgentError::Protocol {
                host,
                reason: format!("{} ({code})", capped(reason, 200)),
            },
            _ => self.unreachable(format!(
                "it closed the connection ({code}) {}",
                capped(reason, 200)
            )),
        }
    }

    fn run(&self, stream: WebSocketStream<Box<dyn Channel>>, version: Option<String>) -> Link {
        let (mut sink, mut source) = stream.split();
        let (outgoing, mut to_send) = mpsc::channel::<Message>(64);
        let closed = CancellationToken::new();
        let end = CancellationToken::new();
        let router = self.router.clone();
        let quiet = self.deadlines.quiet;

        let writer_closed = closed.clone();
        let writer_end = end.clone();
        tokio::spawn(async move {
            let mut beat = tokio::time::interval(quiet / 3);
            beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            beat.reset();
            loop {
                let message = tokio::select! {
                    message = to_send.recv() => match message {
                        Some(message) => message,
                        None => break,
                    },
                    _ = beat.tick() => Message::text(r#"{"type":"ping"}"#),
                    () = writer_end.cancelled() => break,
                    () = writer_closed.cancelled() => break,
                };
                if tokio::time::timeout(quiet, sink.send(message))
                    .await
                    .is_err()
                {
                    writer_closed.cancel();
                    break;
                }
            }
            // The other side may be gone already.
            let _ = tokio::time::timeout(Duration::from_millis(200), sink.close()).await;
        });

        let reader_closed = closed.clone();
        let reader_end = end.clone();
        tokio::spawn(async move {
            let reason = loop {
                let message = tokio::select! {
                    message = tokio::time::timeout(quiet, source.next()) => message,
                    () = reader_end.cancelled() => break "it was closed from this side".to_owned(),
                    () = reader_closed.cancelled() => break "nothing could be sent any more".to_owned(),
                };
                match message {
                    Err(_) => break format!("nothing was heard for {} s", quiet.as_secs_f32()),
                    Ok(None) => break "the connection ended".into(),
                    Ok(Some(Err(error))) => break redacted(&error.to_string()),
                    Ok(Some(Ok(Message::Text(text)))) => router.frame(&text),
                    Ok(Some(Ok(Message::Close(close)))) => {
                        break close.map_or("the daemon closed the connection".into(), |close| {
                            format!("closed with {} {}", u16::from(close.code), close.reason)
                        });
                    }
                    Ok(Some(Ok(_))) => {}
                }
            };
            reader_closed.cancel();
            router.lost(&reason);
        });
        Link {
            outgoing,
            closed,
            version,
            _end: end.drop_guard(),
        }
    }
}

/// Whether a password can travel as the name of a sub-protocol.
fn usable(password: &Secret) -> bool {
    password.expose().bytes().all(|byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'/' | b'=' | b'?' | b'@' | b':' | b',')
    })
}

impl Router {
    /// Gives a frame to whoever waits for it. What is not understood is passed over.
    fn frame(&self, text: &str) {
        let Ok(mut frame) = serde_json::from_str::<Value>(text) else {
            tracing::debug!(
                bytes = text.len(),
                "a frame that is not JSON was passed over"
            );
            return;
        };
        let Some(message) = frame.get_mut("message").map(Value::take) else {
            return;
        };
        let kind = message
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let Value::Object(mut message) = message else {
            return;
        };
        let payload = message.remove("payload").unwrap_or_default();
        match kind.as_str() {
            "agent_stream" => {
                let Some(stream) = frames::stream(payload) else {
                    return;
                };
                self.listeners.lock().retain(|_, (agent, sender)| {
                    *agent != stream.agent
                        || sender.send(Heard::Stream(Box::new(stream.clone()))).is_ok()
                });
                let _ = self.told.send(Told::Stream(Box::new(stream)));
            }
            "agent_update" => {
                let told = match payload.get("kind").and_then(Value::as_str) {
                    Some("upsert") => payload
                        .get("agent")
                        .and_then(|agent| serde::Deserialize::deserialize(agent).ok())
                        .map(|agent| Told::Changed(Box::new(agent))),
                    Some("remove") => payload
                        .get("agentId")
                        .and_then(Value::as_str)
                        .map(|id| Told::Removed(id.to_owned())),
                    _ => None,
                };
                if let Some(told) = told {
                    let _ = self.told.send(told);
                }
            }
            _ => {
                let Some(id) = payload.get("requestId").and_then(Value::as_str) else {
                    return;
                };
                let Some(waiting) = self.pending.lock().remove(id) else {
                    return;
                };
                let text = |name: &str| {
                    payload
                        .get(name)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                let _ = waiting.send(if kind == "rpc_error" {
                    Err(Refusal::Rpc {
                        code: text("code"),
                        message: redacted(&text("error")),
                    })
                } else {
                    Ok(payload)
                });
            }
        }
    }

    fn lost(&self, reason: &str) {
        let pending = std::mem::take(&mut *self.pending.lock());
        for (_, waiting) in pending {
            let _ = waiting.send(Err(Refusal::Lost {
                reason: reason.to_owned(),
            }));
        }
        self.listeners
            .lock()
            .retain(|_, (_, sender)| sender.send(Heard::Lost).is_ok());
        let _ = self.told.send(Told::Down);
    }
}

/// Asks `GET /api/health`, which needs no password and takes two milliseconds.
pub(crate) async fn http_health(
    address: &HostAddress,
    deadline: Duration,
) -> Result<(), AgentError> {
    let host = address.to_string();
    let unreachable = |reason: String| AgentError::Unreachable {
        host: host.clone(),
        reason,
    };
    let ask = async {
        let mut channel = address.connect().await.map_err(|error| {
            unreachable(format!(
                "{error}; is the daemon running? `paseo daemon start` starts it"
            ))
        })?;
        let request = format!(
            "GET /api/health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            address.http_host()
        );
        channel
            .write_all(request.as_bytes())
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let mut answer = vec![0; 4096];
        let mut filled = 0;
        // The status line is all that counts; a proxy may never close the connection.
        while filled < answer.len() && !answer[..filled].contains(&b'\n') {
            match channel.read(&mut answer[filled..]).await {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) => return Err(unreachable(error.to_string())),
            }
        }
        let text = String::from_utf8_lossy(&answer[..filled]);
        let status = text.lines().next().unwrap_or_default();
        if status.starts_with("HTTP/1.1 200") || status.starts_with("HTTP/1.0 200") {
            Ok(())
        } else {
            Err(AgentError::Protocol {
                host: host.clone(),
                reason: format!("its health check says `{}`", capped(status, 80)),
            })
        }
    };
    tokio::time::timeout(deadline, ask)
        .await
        .unwrap_or_else(|_| {
            Err(unreachable(format!(
                "something listens there, but said nothing for {} s",
                deadline.as_secs_f32()
            )))
        })
}
