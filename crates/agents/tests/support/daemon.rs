//! A stand-in for the Paseo daemon: it answers as a running one was recorded to.

#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// What is wrong with the daemon.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// It takes connections and says nothing.
    pub(crate) silent: bool,
    /// It upgrades the connection and never greets.
    pub(crate) no_greeting: bool,
    /// It never answers requests of these types.
    pub(crate) mute: HashSet<String>,
    /// It sends things that are no messages before each answer.
    pub(crate) garbage: bool,
    /// It closes the connection at the greeting.
    pub(crate) close: Option<(u16, &'static str)>,
    /// It speaks plain HTTP only.
    pub(crate) plain_http: bool,
    /// It answers the health check with this status.
    pub(crate) health: Option<&'static str>,
}

#[derive(Default)]
struct World {
    agents: Vec<StandInAgent>,
    sockets: HashMap<u64, (mpsc::UnboundedSender<Message>, bool)>,
    next: u64,
    faults: Faults,
    password: Option<String>,
    requests: Vec<String>,
    /// Told whenever something about an agent has changed.
    changed: watch::Sender<()>,
}

struct StandInAgent {
    id: String,
    title: Option<String>,
    provider: String,
    cwd: String,
    status: String,
    labels: BTreeMap<String, String>,
    archived_at: Option<String>,
    last_error: Option<String>,
    attention: Option<String>,
    permissions: Vec<Value>,
    answers: HashMap<String, oneshot::Sender<Value>>,
    timeline: Vec<Value>,
    epoch: String,
    cancel: Arc<Notify>,
    turn: u64,
}

/// A daemon on a port of its own. It ends with the value.
pub(crate) struct Daemon {
    world: Arc<Mutex<World>>,
    pub(crate) port: u16,
    cut: watch::Sender<u64>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut.send_modify(|cut| *cut += 1);
    }
}

impl Daemon {
    pub(crate) async fn start() -> Self {
        Self::start_at(0, Arc::default()).await
    }

    pub(crate) async fn start_at_port(port: u16) -> Self {
        Self::start_at(port, Arc::default()).await
    }

    async fn start_at(port: u16, world: Arc<Mutex<World>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, cuts) = watch::channel(0);
        let accepted = world.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, accepted.clone(), cuts.clone()));
            }
        });
        Self {
            world,
            port,
            cut,
            accepting,
        }
    }

    pub(crate) fn with_password(self, password: &str) -> Self {
        self.world.lock().unwrap().password = Some(password.into());
        self
    }

    pub(crate) fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.world.lock().unwrap().faults);
    }

    /// Breaks every connection without a word.
    pub(crate) fn cut_connections(&self) {
        self.cut.send_modify(|cut| *cut += 1);
    }

    /// Ends like a daemon that is stopped, and comes back as one that was started: every agent is
    /// asleep, turns are gone, and conversations are counted anew.
    pub(crate) fn restart(&self) {
        self.restart_as("closed");
    }

    /// As [`Daemon::restart`], with every agent loaded again before anybody looks, as whoever reads it makes it be.
    pub(crate) fn restart_awake(&self) {
        self.restart_as("idle");
    }

    fn restart_as(&self, status: &str) {
        {
            let mut world = self.world.lock().unwrap();
            for agent in &mut world.agents {
                agent.status = status.into();
                agent.turn += 1;
                agent.epoch = uuid::Uuid::new_v4().to_string();
                agent.permissions.clear();
                agent.cancel.notify_waiters();
                agent.answers.clear();
            }
        }
        self.cut_connections();
    }

    /// Stops listening, and returns what brings it back at the same port.
    pub(crate) async fn stop(self) -> Stopped {
        let world = self.world.clone();
        let port = self.port;
        drop(self);
        Stopped { world, port }
    }

    /// Adds an agent and returns its id.
    pub(crate) fn add(&self, title: &str) -> String {
        self.add_with(|agent| agent["title"] = json!(title))
    }

    pub(crate) fn add_with(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut wanted = json!({
            "id": uuid::Uuid::new_v4().to_string(), "title": null, "provider": "fake",
            "cwd": "/srv/demo/work/a", "status": "idle", "labels": {},
        });
        change(&mut wanted);
        let mut world = self.world.lock().unwrap();
        let mut agent = fresh_agent(&wanted["provider"], &wanted["cwd"]);
        agent.id = wanted["id"].as_str().unwrap().into();
        agent.title = wanted["title"].as_str().map(str::to_owned);
        agent.status = wanted["status"].as_str().unwrap().into();
        agent.labels = serde_json::from_value(wanted["labels"].clone()).unwrap();
        let id = agent.id.clone();
        let update = json!({"kind": "upsert", "agent": agent.json()});
        world.agents.push(agent);
        broadcast(&world, "agent_update", &update, true);
        id
    }

    /// The types of the requests that came so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.world.lock().unwrap().requests.clone()
    }

    /// What every prompt to an agent said.
    pub(crate) fn prompts(&self, id: &str) -> Vec<String> {
        let world = self.world.lock().unwrap();
        let agent = world.agents.iter().find(|agent| agent.id == id).unwrap();
        agent
            .timeline
            .iter()
            .filter(|item| item["type"] == "user_message")
            .map(|item| item["text"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until the turn of an agent is over.
    pub(crate) async fn rests(&self, id: &str) {
        let mut changed = self.world.lock().unwrap().changed.subscribe();
        while self.status(id) == "running" {
            changed.changed().await.unwrap();
        }
    }

    pub(crate) fn status(&self, id: &str) -> String {
        let world = self.world.lock().unwrap();
        world
            .agents
            .iter()
            .find(|agent| agent.id == id)
            .unwrap()
            .status
            .clone()
    }

    /// Answers a permission as someone else would.
    pub(crate) fn answer_elsewhere(&self, id: &str) {
        let pending = {
            let mut world = self.world.lock().unwrap();
            let agent = world
                .agents
                .iter_mut()
                .find(|agent| agent.id == id)
                .unwrap();
            agent.permissions.clear();
            std::mem::take(&mut agent.answers)
        };
        for (request, answer) in pending {
            answer.send(json!({"behavior": "allow"})).unwrap();
            resolved(&self.world, id, &request, &json!({"behavior": "allow"}));
        }
    }
}

/// A daemon that does not listen at the moment.
pub(crate) struct Stopped {
    world: Arc<Mutex<World>>,
    port: u16,
}

impl Stopped {
    pub(crate) async fn start(self) -> Daemon {
        Daemon::start_at(self.port, self.world).await
    }
}

fn fresh_agent(provider: &Value, cwd: &Value) -> StandInAgent {
    StandInAgent {
        id: uuid::Uuid::new_v4().to_string(),
        title: None,
        provider: provider.as_str().unwrap_or("fake").into(),
        cwd: cwd.as_str().unwrap_or("/srv/demo/work/a").into(),
        status: "idle".into(),
        labels: BTreeMap::new(),
        archived_at: None,
        last_error: None,
        attention: None,
        permissions: Vec::new(),
        answers: HashMap::new(),
        timeline: Vec::new(),
        epoch: uuid::Uuid::new_v4().to_string(),
        cancel: Arc::default(),
        turn: 0,
    }
}

impl StandInAgent {
    fn json(&self) -> Value {
        json!({
            "id": self.id, "provider": self.provider, "cwd": self.cwd, "model": "fake-1",
            "thinkingOptionId": null, "effectiveThinkingOptionId": null,
            "runtimeInfo": {"provider": self.provider, "sessionId": format!("fake-{}", self.id), "model": "fake-1"},
            "createdAt": "2026-11-22T09:18:47.692Z", "updatedAt": "2026-11-22T09:18:48.267Z",
            "lastUserMessageAt": null, "status": self.status,
            "capabilities": {"supportsStreaming": true},
            "currentModeId": "ask", "availableModes": [], "features": [],
            "pendingPermissions": self.permissions,
            "persistence": {"provider": self.provider, "sessionId": format!("fake-{}", self.id)},
            "title": self.title, "labels": self.labels, "lastError": self.last_error,
            "requiresAttention": self.attention.is_some(), "attentionReason": self.attention,
            "attentionTimestamp": null, "archivedAt": self.archived_at,
            "aFieldOfALaterVersion": {"deep": [1, 2, 3]},
        })
    }
}

type Shared = Arc<Mutex<World>>;

async fn serve(stream: TcpStream, world: Shared, mut cuts: watch::Receiver<u64>) {
    let faults = world.lock().unwrap().faults.clone();
    cuts.mark_unchanged();
    let work = async {
        if faults.silent {
            std::future::pending::<()>().await;
        }
        let mut start = [0; 64];
        let peeked = stream.peek(&mut start).await.unwrap_or(0);
        let wants_health = String::from_utf8_lossy(&start[..peeked]).starts_with("GET /api/health");
        if wants_health || faults.plain_http {
            http(stream, faults.health).await;
        } else {
            websocket(stream, world, faults).await;
        }
    };
    tokio::select! {
        () = work => {}
        _ = cuts.changed() => {}
    }
}

async fn http(mut stream: TcpStream, status: Option<&'static str>) {
    let mut request = [0; 1024];
    let _ = stream.read(&mut request).await;
    let body = r#"{"status":"ok","timestamp":"2026-11-22T09:22:36.514Z"}"#;
    let answer = format!(
        "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        status.unwrap_or("200 OK"),
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

async fn websocket(stream: TcpStream, world: Shared, faults: Faults) {
    let offered = Arc::new(Mutex::new(None));
    let seen = offered.clone();
    #[allow(clippy::result_large_err, reason = "the signature is tungstenite's")]
    let negotiate = move |request: &Request, mut response: Response| {
        if let Some(protocol) = request.headers().get("Sec-WebSocket-Protocol") {
            *seen.lock().unwrap() = Some(protocol.to_str().unwrap().to_owned());
            response
                .headers_mut()
                .insert("Sec-WebSocket-Protocol", protocol.clone());
        }
        Ok(response)
    };
    let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, negotiate).await else {
        return;
    };
    let (mut sink, mut source) = socket.split();
    let Some(Ok(Message::Text(hello))) = source.next().await else {
        return;
    };
    let close = |code: u16, reason: &str| {
        Message::Close(Some(CloseFrame {
            code: code.into(),
            reason: reason.to_owned().into(),
        }))
    };
    let hello: Value = serde_json::from_str(&hello).unwrap_or_default();
    let password = world.lock().unwrap().password.clone();
    if let Some(password) = password {
        let given = offered.lock().unwrap().clone();
        let refusal = match given
            .as_deref()
            .and_then(|given| given.strip_prefix("paseo.bearer."))
        {
            None => Some("Password required"),
            Some(given) if given != password => Some("Incorrect password"),
            Some(_) => None,
        };
        if let Some(reason) = refusal {
            let _ = sink.send(close(4401, reason)).await;
            return;
        }
    }
    if let Some((code, reason)) = faults.close {
        let _ = sink.send(close(code, reason)).await;
        return;
    }
    if hello["type"] != "hello" || hello["clientId"].as_str().unwrap_or_default().is_empty() {
        let _ = sink.send(close(4002, "Invalid hello")).await;
        return;
    }
    if hello["protocolVersion"] != 1 {
        let _ = sink
            .send(close(4003, "Incompatible protocol version"))
            .await;
        return;
    }
    if faults.no_greeting {
        std::future::pending::<()>().await;
    }
    let (out, mut outgoing) = mpsc::unbounded_channel::<Message>();
    let id = {
        let mut world = world.lock().unwrap();
        world.next += 1;
        let id = world.next;
        world.sockets.insert(id, (out.clone(), false));
        id
    };
    send(
        &out,
        "status",
        json!({
            "status": "server_info", "serverId": "srv_A5xARogHX06e", "hostname": "workstation",
            "version": "0.1.65-beta.5", "capabilities": {}, "features": {"providersSnapshot": true},
        }),
    );
    let writing = async {
        while let Some(message) = outgoing.recv().await {
            if sink.send(message).await.is_err() {
                return;
            }
        }
    };
    let reading = async {
        while let Some(Ok(message)) = source.next().await {
            let Message::Text(text) = message else {
                continue;
            };
            let frame: Value = serde_json::from_str(&text).unwrap_or_default();
            if frame["type"] == "ping" {
                let _ = out.send(Message::text(r#"{"type":"pong"}"#));
            } else if frame["type"] == "session" {
                let garbage = world.lock().unwrap().faults.garbage;
                if garbage {
                    for text in [
                        "not json",
                        "{\"type\":",
                        "[]",
                        "null",
                        r#"{"type":"session"}"#,
                        r#"{"type":"session","message":{"type":"agent_stream","payload":{"event":7}}}"#,
                    ] {
                        let _ = out.send(Message::text(text));
                    }
                    let _ = out.send(Message::binary(vec![0, 159, 146, 150]));
                }
                request(&world, id, &out, &frame["message"]);
            }
        }
    };
    tokio::select! {
        () = writing => {}
        () = reading => {}
    }
    world.lock().unwrap().sockets.remove(&id);
}

fn send(out: &mpsc::UnboundedSender<Message>, kind: &str, payload: Value) {
    let _ = out.send(Message::text(
        json!({"type": "session", "message": {"type": kind, "payload": payload}}).to_string(),
    ));
}

/// Tells every socket; `subscribed` frames only those that asked for updates.
fn broadcast(world: &World, kind: &str, payload: &Value, subscribed: bool) {
    for (out, wants) in world.sockets.values() {
        if *wants || !subscribed {
            send(out, kind, payload.clone());
        }
    }
}

fn stream(world: &Shared, id: &str, event: Value) {
    let world = world.lock().unwrap();
    broadcast(
        &world,
        "agent_stream",
        &json!({"agentId": id, "event": event, "timestamp": "2026-11-22T09:18:47.701Z"}),
        false,
    );
}

fn item(world: &Shared, id: &str, item: Value) {
    let mut world = world.lock().unwrap();
    let Some(agent) = world.agents.iter_mut().find(|agent| agent.id == id) else {
        return;
    };
    agent.timeline.push(item.clone());
    let payload = json!({
        "agentId": id, "event": {"type": "timeline", "provider": "fake", "item": item},
        "timestamp": "2026-11-22T09:18:47.701Z", "seq": agent.timeline.len(), "epoch": agent.epoch,
    });
    broadcast(&world, "agent_stream", &payload, false);
}

fn update(world: &Shared, id: &str, change: impl FnOnce(&mut StandInAgent)) {
    let mut world = world.lock().unwrap();
    let Some(agent) = world.agents.iter_mut().find(|agent| agent.id == id) else {
        return;
    };
    change(agent);
    let agent = agent.json();
    world.changed.send_replace(());
    broadcast(
        &world,
        "agent_update",
        &json!({"kind": "upsert", "agent": agent}),
        true,
    );
}

fn resolved(world: &Shared, id: &str, request: &str, resolution: &Value) {
    stream(
        world,
        id,
        json!({"type": "permission_resolved", "provider": "fake", "requestId": request, "resolution": resolution}),
    );
    let world = world.lock().unwrap();
    let payload = json!({"agentId": id, "requestId": request, "resolution": resolution});
    broadcast(&world, "agent_permission_resolved", &payload, false);
}

fn request(world: &Shared, socket: u64, out: &mpsc::UnboundedSender<Message>, message: &Value) {
    let kind = message["type"].as_str().unwrap_or_default().to_owned();
    let request = message["requestId"].as_str().unwrap_or_default().to_owned();
    let mut state = world.lock().unwrap();
    state.requests.push(kind.clone());
    if state.faults.mute.contains(&kind) {
        return;
    }
    let named = message["agentId"].as_str().unwrap_or_default().to_owned();
    let found = state
        .agents
        .iter()
        .find(|agent| agent.id == named)
        .map(|agent| agent.id.clone());
    let rpc_error = |error: &str, code: &str| {
        send(
            out,
            "rpc_error",
            json!({"requestId": request, "requestType": kind, "error": error, "code": code}),
        );
    };
    match kind.as_str() {
        "fetch_agents_request" => {
            if message
                .pointer("/page/limit")
                .and_then(Value::as_u64)
                .unwrap_or(0)
                > 200
            {
                return rpc_error("Unknown request schema", "unknown_schema");
            }
            if message.get("subscribe").is_some()
                && let Some((_, wants)) = state.sockets.get_mut(&socket)
            {
                *wants = true;
            }
            let from: usize = message
                .pointer("/page/cursor")
                .and_then(Value::as_str)
                .and_then(|cursor| cursor.parse().ok())
                .unwrap_or(0);
            let archived = message.pointer("/filter/includeArchived") == Some(&json!(true));
            let labels: BTreeMap<String, String> = message
                .pointer("/filter/labels")
                .map(|labels| serde_json::from_value(labels.clone()).unwrap())
                .unwrap_or_default();
            let all: Vec<_> = state
                .agents
                .iter()
                .filter(|agent| archived || agent.archived_at.is_none())
                .filter(|agent| {
                    labels
                        .iter()
                        .all(|(name, value)| agent.labels.get(name) == Some(value))
                })
                .collect();
            let entries: Vec<_> = all
                .iter()
                .skip(from)
                .take(200)
                .map(|agent| json!({"agent": agent.json(), "project": {"projectKey": agent.cwd, "projectName": "a"}}))
                .collect();
            let more = from + entries.len() < all.len();
            let next = more.then(|| (from + entries.len()).to_string());
            send(
                out,
                "fetch_agents_response",
                json!({
                    "requestId": request, "entries": entries,
                    "pageInfo": {"nextCursor": next, "prevCursor": null, "hasMore": more},
                }),
            );
        }
        "fetch_agent_request" => {
            let agent = state
                .agents
                .iter()
                .find(|agent| agent.id == named)
                .map(StandInAgent::json);
            let error = agent.is_none().then(|| format!("Agent not found: {named}"));
            send(
                out,
                "fetch_agent_response",
                json!({"requestId": request, "agent": agent, "project": null, "error": error}),
            );
        }
        "create_agent_request" | "import_agent_request" => {
            let config = if kind == "create_agent_request" {
                &message["config"]
            } else {
                message
            };
            if config["provider"] == "nosuch" || message["sessionId"] == "no-such-session" {
                let error = if config["provider"] == "nosuch" {
                    "No client registered for provider 'nosuch'"
                } else {
                    "[object Object]"
                };
                return send(
                    out,
                    "status",
                    json!({"status": "agent_create_failed", "requestId": request, "error": error}),
                );
            }
            let mut agent = fresh_agent(&config["provider"], &config["cwd"]);
            agent.title = config["title"].as_str().map(str::to_owned);
            agent.labels = serde_json::from_value(message["labels"].clone()).unwrap_or_default();
            let status = if kind == "create_agent_request" {
                "agent_created"
            } else {
                "agent_resumed"
            };
            let answer = json!({"status": status, "agentId": agent.id, "requestId": request, "timelineSize": 4, "agent": agent.json()});
            state.agents.push(agent);
            send(out, "status", answer);
        }
        "send_agent_message_request" => {
            let Some(id) = found else {
                return send(
                    out,
                    "send_agent_message_response",
                    json!({
                        "requestId": request, "agentId": named, "accepted": false, "error": format!("Agent not found: {named}"),
                    }),
                );
            };
            drop(state);
            let text = message["text"].as_str().unwrap_or_default().to_owned();
            begin(world, &id, &text, message.get("messageId").cloned());
            send(
                out,
                "send_agent_message_response",
                json!({"requestId": request, "agentId": id, "accepted": true, "error": null}),
            );
        }
        "wait_for_finish_request" => {
            let Some(id) = found else {
                return rpc_error(
                    &format!("Request failed: Agent not found: {named}"),
                    "handler_error",
                );
            };
            drop(state);
            let (world, out) = (world.clone(), out.clone());
            tokio::spawn(async move {
                loop {
                    let (status, pending, error, agent) = {
                        let world = world.lock().unwrap();
                        let Some(agent) = world.agents.iter().find(|agent| agent.id == id) else {
                            return;
                        };
                        (
                            agent.status.clone(),
                            !agent.permissions.is_empty(),
                            agent.last_error.clone(),
                            agent.json(),
                        )
                    };
                    let word = match status.as_str() {
                        "running" if pending => "permission",
                        "running" => {
                            tokio::time::sleep(Duration::from_millis(5)).await;
                            continue;
                        }
                        "error" => "error",
                        _ => "idle",
                    };
                    send(
                        &out,
                        "wait_for_finish_response",
                        json!({
                            "requestId": request, "status": word, "final": agent, "error": error, "lastMessage": "The answer is 42.",
                        }),
                    );
                    return;
                }
            });
        }
        "fetch_agent_timeline_request" => {
            let Some(id) = found else {
                return send(
                    out,
                    "fetch_agent_timeline_response",
                    json!({
                        "requestId": request, "agentId": named, "agent": null, "entries": [], "error": format!("Agent not found: {named}"),
                    }),
                );
            };
            let agent = state.agents.iter().find(|agent| agent.id == id).unwrap();
            let epoch = message.pointer("/cursor/epoch").and_then(Value::as_str);
            let stale = epoch.is_some_and(|epoch| epoch != agent.epoch);
            let after = message
                .pointer("/cursor/seq")
                .and_then(Value::as_u64)
                .filter(|_| !stale)
                .unwrap_or(0);
            let entries: Vec<_> = (1u64..)
                .zip(&agent.timeline)
                .filter(|(seq, _)| *seq > after)
                .map(|(seq, item)| json!({"provider": "fake", "item": item, "timestamp": "2026-11-22T09:18:47.701Z", "seqStart": seq, "seqEnd": seq, "collapsed": []}))
                .collect();
            send(
                out,
                "fetch_agent_timeline_response",
                json!({
                    "requestId": request, "agentId": id, "agent": agent.json(), "epoch": agent.epoch,
                    "reset": stale, "staleCursor": stale, "gap": false, "entries": entries, "error": null,
                }),
            );
        }
        "cancel_agent_request" => {
            // With an id that is not known there is no answer at all.
            let Some(id) = found else { return };
            let agent = state
                .agents
                .iter_mut()
                .find(|agent| agent.id == id)
                .unwrap();
            let ran = agent.status == "running";
            agent.turn += 1;
            agent.status = "idle".into();
            agent.permissions.clear();
            agent.answers.clear();
            agent.cancel.notify_waiters();
            let answer = json!({"requestId": request, "agentId": id, "agent": agent.json()});
            drop(state);
            if ran {
                stream(
                    world,
                    &id,
                    json!({"type": "turn_canceled", "provider": "fake", "reason": "Interrupted"}),
                );
            }
            update(world, &id, |_| {});
            send(out, "cancel_agent_response", answer);
        }
        "agent_permission_response" => {
            let agent = state.agents.iter_mut().find(|agent| agent.id == named);
            let answer = agent.and_then(|agent| {
                agent
                    .permissions
                    .retain(|pending| pending["id"] != json!(request));
                agent.answers.remove(&request)
            });
            match answer {
                Some(answer) => {
                    drop(state);
                    let _ = answer.send(message["response"].clone());
                    resolved(world, &named, &request, &message["response"]);
                }
                None => rpc_error(
                    &format!("Request failed: No pending permission request with id '{request}'"),
                    "handler_error",
                ),
            }
        }
        "archive_agent_request" => {
            let Some(id) = found else {
                return rpc_error(
                    &format!("Request failed: Agent not found: {named}"),
                    "handler_error",
                );
            };
            let agent = state
                .agents
                .iter_mut()
                .find(|agent| agent.id == id)
                .unwrap();
            agent.status = "closed".into();
            agent.turn += 1;
            agent.cancel.notify_waiters();
            let at = agent
                .archived_at
                .get_or_insert("2026-11-22T09:19:21.705Z".into())
                .clone();
            drop(state);
            update(world, &id, |_| {});
            send(
                out,
                "agent_archived",
                json!({"agentId": id, "archivedAt": at, "requestId": request}),
            );
        }
        _ => rpc_error("Unknown request schema", "unknown_schema"),
    }
}

/// Begins a turn; one that runs is cancelled, as the daemon does.
fn begin(world: &Shared, id: &str, text: &str, message: Option<Value>) {
    let mut said = json!({"type": "user_message", "text": text});
    if let Some(message) = message {
        said["messageId"] = message;
    }
    item(world, id, said);
    let (turn, cancel, ran) = {
        let mut world = world.lock().unwrap();
        let agent = world
            .agents
            .iter_mut()
            .find(|agent| agent.id == id)
            .unwrap();
        let ran = agent.status == "running";
        agent.turn += 1;
        agent.cancel.notify_waiters();
        agent.permissions.clear();
        agent.answers.clear();
        agent.cancel = Arc::default();
        agent.archived_at = None;
        agent.attention = None;
        agent.last_error = None;
        agent.status = "running".into();
        if agent.title.is_none() {
            agent.title = Some(text.chars().take(40).collect());
        }
        (agent.turn, agent.cancel.clone(), ran)
    };
    if ran {
        stream(
            world,
            id,
            json!({"type": "turn_canceled", "provider": "fake", "reason": "Interrupted"}),
        );
    }
    stream(
        world,
        id,
        json!({"type": "turn_started", "provider": "fake"}),
    );
    update(world, id, |_| {});
    let (world, id, text) = (world.clone(), id.to_owned(), text.to_owned());
    tokio::spawn(async move {
        let cancelled = cancel.notified();
        tokio::select! {
            () = cancelled => {}
            () = act(&world, &id, &text, turn) => {}
        }
    });
}

async fn act(world: &Shared, id: &str, text: &str, turn: u64) {
    let say = |text: &str| {
        item(
            world,
            id,
            json!({"type": "assistant_message", "text": text}),
        )
    };
    let think = |text: &str| item(world, id, json!({"type": "reasoning", "text": text}));
    let tool = |name: &str, detail: Value, status: &str| {
        item(
            world,
            id,
            json!({
                "type": "tool_call", "callId": format!("tc-{name}"), "name": name, "detail": detail,
                "metadata": {"kind": name, "title": name}, "status": status, "error": null,
            }),
        );
    };
    let over = |status: &str, error: Option<&str>, event: Value| {
        let current = {
            let mut world = world.lock().unwrap();
            let agent = world
                .agents
                .iter_mut()
                .find(|agent| agent.id == id)
                .unwrap();
            if agent.turn == turn {
                agent.status = status.into();
                agent.last_error = error.map(str::to_owned);
                agent.attention = Some(if error.is_some() { "error" } else { "finished" }.into());
            }
            agent.turn == turn
        };
        if current {
            stream(world, id, event);
            update(world, id, |_| {});
        }
    };
    let completed = || json!({"type": "turn_completed", "provider": "fake", "usage": {"inputTokens": 11, "cachedInputTokens": 5, "outputTokens": 22}});
    let word = text.split_whitespace().next().unwrap_or_default();
    match word {
        "FAIL" => {
            say("Working on it... ");
            say("[System Error] [object Object]");
            over(
                "error",
                Some("[object Object]"),
                json!({"type": "turn_failed", "provider": "fake", "error": "[object Object]", "diagnostic": "[object Object]"}),
            );
        }
        "CRASH" => {
            say("soon gone");
            over(
                "error",
                Some("ACP agent exited unexpectedly (3)"),
                json!({"type": "turn_failed", "provider": "fake", "error": "ACP agent exited unexpectedly (3)"}),
            );
        }
        "SLEEP" => {
            think("This will take a while.");
            for tick in 1..=3 {
                say(&format!("tick {tick}/20\n"));
            }
            std::future::pending::<()>().await;
        }
        "HANG" => std::future::pending::<()>().await,
        "SLOW" => {
            // Goes on after a pause that is long enough for a connection to break and come back.
            for tick in 1..=10 {
                say(&format!("tick {tick}\n"));
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
            over("idle", None, completed());
        }
        "PERMIT" => {
            say("I need permission.\n");
            tool(
                "execute",
                json!({"type": "shell", "command": "rm -rf build/"}),
                "running",
            );
            let request = uuid::Uuid::new_v4().to_string();
            let options = json!([
                {"kind": "allow_once", "name": "Allow once", "optionId": "opt-allow"},
                {"kind": "allow_always", "name": "Always allow", "optionId": "opt-always"},
                {"kind": "reject_once", "name": "Reject", "optionId": "opt-reject"},
            ]);
            let pending = json!({
                "id": request, "provider": "acp", "name": "execute", "kind": "tool", "title": "rm -rf build/",
                "detail": {"type": "shell", "command": "rm -rf build/"}, "metadata": {"toolCallId": "tc-execute", "options": options},
            });
            let (answer, answered) = oneshot::channel();
            update(world, id, |agent| {
                agent.permissions.push(pending.clone());
                agent.answers.insert(request.clone(), answer);
            });
            stream(
                world,
                id,
                json!({"type": "permission_requested", "provider": "fake", "request": pending}),
            );
            let Ok(response) = answered.await else { return };
            let allowed = response["behavior"] == "allow";
            tool(
                "execute",
                json!({"type": "shell", "command": "rm -rf build/", "output": "removed"}),
                if allowed { "completed" } else { "failed" },
            );
            say(&format!(
                "Permission outcome: {}\n",
                if allowed { "opt-allow" } else { "opt-reject" }
            ));
            over("idle", None, completed());
        }
        "EDIT" => {
            tool(
                "edit",
                json!({"type": "edit", "filePath": "src/lib.rs", "oldString": "a", "newString": "b"}),
                "running",
            );
            over("idle", None, completed());
        }
        "BIG" => {
            for _ in 0..30 {
                say(&"0123456789".repeat(1_000));
            }
            over("idle", None, completed());
        }
        _ => {
            think("Let me think. I have an idea.");
            say(&format!("ECHO {} bytes\nFirst I will ", text.len()));
            say("read a file.\n");
            tool(
                "read",
                json!({"type": "read", "filePath": "README.md"}),
                "running",
            );
            tool(
                "read",
                json!({"type": "read", "filePath": "README.md", "content": "# README\nhello"}),
                "completed",
            );
            item(
                world,
                id,
                json!({"type": "todo", "items": [{"text": "read", "completed": true}, {"text": "answer", "completed": false}]}),
            );
            say("The answer is 42.");
            over("idle", None, completed());
        }
    }
}
