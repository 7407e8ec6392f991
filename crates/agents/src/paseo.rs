//! One Paseo daemon, through its WebSocket or through the `paseo` program: the same results and errors.

mod address;
mod attach;
mod frames;
mod process;
#[cfg(test)]
mod recorded;
mod socket;
mod turns;
mod wire;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde_json::{Value, json};
use tokio::sync::{OnceCell, broadcast};

pub use address::{AddressError, HostAddress};

use crate::backend::{AgentBackend, Answer, News, check_prompt, news_of, resolve, sort_for_people};
use crate::error::AgentError;
use crate::process::Limits;
use crate::secret::{PasswordRef, Secret, read_password};
use crate::turn::Turn;
use crate::types::{
    AgentId, AgentInfo, AgentStatus, Archived, BackendId, BackendKind, Health, ImportSession,
    ListAgents, NewAgent, PermissionAnswer, Prompt, TimelineEntry,
};
use process::{Call, Cli};
use socket::{Socket, Told};

/// The most agents that the daemon gives at once.
const PAGE: usize = 200;

/// How to reach a daemon.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, specta::Type,
)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// The socket; the program where the socket can't be used or is not understood.
    #[default]
    Auto,
    /// The socket only.
    Socket,
    /// The program only: seconds per call.
    Program,
}

/// How long each stage may take.
#[derive(Debug, Clone)]
pub struct Deadlines {
    /// Connecting, up to the daemon's greeting.
    pub connect: Duration,
    /// One request over the socket.
    pub request: Duration,
    /// Making or importing an agent, which starts a program at the daemon.
    pub start: Duration,
    /// One call of the `paseo` program.
    pub program: Duration,
    /// Silence on the socket, pings included, after which it counts as lost.
    pub quiet: Duration,
    /// How long a turn waits for a lost connection to come back.
    pub reconnect: Duration,
    /// How long an agent that was told to stop may take.
    pub stop: Duration,
    /// A turn of which nothing is heard for so long is stopped, and failed.
    pub silent_turn: Duration,
    /// How often the program is asked whether a permission was answered.
    pub poll: Duration,
    /// How long `paseo attach` may take to be quiet before, and to be complete after a turn.
    pub settle: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(15),
            start: Duration::from_secs(60),
            program: Duration::from_secs(45),
            quiet: Duration::from_secs(45),
            reconnect: Duration::from_secs(60),
            stop: Duration::from_secs(5),
            silent_turn: Duration::from_secs(30 * 60),
            poll: Duration::from_secs(10),
            settle: Duration::from_millis(600),
        }
    }
}

/// One daemon and how to reach it.
#[derive(Debug, Clone)]
pub struct PaseoConfig {
    /// Where it listens.
    pub address: HostAddress,
    /// Where its password is kept, if it has one.
    pub password: Option<PasswordRef>,
    /// How to reach it.
    pub transport: Transport,
    /// The `paseo` program.
    pub program: PathBuf,
    /// How long each stage may take.
    pub deadlines: Deadlines,
}

impl PaseoConfig {
    /// The daemon at `address`, with defaults for all the rest.
    pub fn new(address: HostAddress) -> Self {
        Self {
            address,
            password: None,
            transport: Transport::Auto,
            program: "paseo".into(),
            deadlines: Deadlines::default(),
        }
    }
}

/// A client of one Paseo daemon. Cheap to clone; all clones share one connection.
#[derive(Debug, Clone)]
pub struct Paseo {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    id: BackendId,
    host: String,
    config: PaseoConfig,
    socket: Socket,
    secret: OnceCell<Option<Secret>>,
    health: Mutex<Health>,
    turns: AtomicUsize,
    in_use: AtomicU8,
    /// What the turns over the program tell, which no socket does.
    program_told: broadcast::Sender<News>,
}

/// How a call goes.
enum Route {
    Socket(Option<Secret>),
    Program(Cli),
}

const UNDECIDED: u8 = 0;
const SOCKET: u8 = 1;
const PROGRAM: u8 = 2;

impl Paseo {
    /// Makes a client. Nothing is connected or started before it is needed.
    pub fn new(config: PaseoConfig) -> Self {
        let host = config.address.to_string();
        let first = match config.transport {
            Transport::Program => PROGRAM,
            Transport::Auto if !config.address.has_socket() => PROGRAM,
            Transport::Auto | Transport::Socket => UNDECIDED,
        };
        Self {
            inner: Arc::new(Inner {
                id: BackendId::new(BackendKind::Paseo, &host),
                socket: Socket::new(config.address.clone(), config.deadlines.clone()),
                host,
                config,
                secret: OnceCell::new(),
                health: Mutex::new(Health::Unknown),
                turns: AtomicUsize::new(0),
                in_use: AtomicU8::new(first),
                program_told: broadcast::channel(1024).0,
            }),
        }
    }

    /// How the daemon is reached at the moment: `socket` or `program`.
    pub fn transport(&self) -> &'static str {
        match self.inner.in_use.load(Ordering::Relaxed) {
            PROGRAM => "program",
            _ => "socket",
        }
    }
}

impl Inner {
    async fn secret(&self) -> Result<Option<Secret>, AgentError> {
        let read = async {
            match &self.config.password {
                Some(reference) => read_password(reference).await.map(Some),
                None => Ok(None),
            }
        };
        self.secret.get_or_try_init(|| read).await.cloned()
    }

    fn program(&self, secret: Option<&Secret>) -> Cli {
        Cli::new(&self.config.program, &self.config.address, secret)
    }

    /// Decides how this call goes; over the socket, the connection stands when this returns.
    async fn route(&self) -> Result<Route, AgentError> {
        let secret = self.secret().await?;
        if self.in_use.load(Ordering::Relaxed) == PROGRAM {
            return Ok(Route::Program(self.program(secret.as_ref())));
        }
        match self.socket.connect(secret.as_ref()).await {
            Ok(version) => {
                self.in_use.store(SOCKET, Ordering::Relaxed);
                self.remember(Health::Up {
                    version,
                    transport: "socket".into(),
                });
                Ok(Route::Socket(secret))
            }
            Err(error) if error.is_not_understood() && self.config.transport == Transport::Auto => {
                let program = self.program(secret.as_ref());
                // Where there is no program, the socket's own reason helps more.
                if program
                    .version(self.config.deadlines.program)
                    .await
                    .is_err()
                {
                    return Err(self.down(error));
                }
                tracing::warn!(host = self.host, %error, "the socket is not understood, so the program is used");
                self.in_use.store(PROGRAM, Ordering::Relaxed);
                Ok(Route::Program(program))
            }
            Err(error) => Err(self.down(error)),
        }
    }

    fn remember(&self, health: Health) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }

    fn down(&self, error: AgentError) -> AgentError {
        self.remember(Health::Down {
            reason: error.to_string(),
        });
        error
    }

    fn limits(&self) -> Limits {
        Limits::within(self.config.deadlines.program)
    }

    async fn ask(
        &self,
        secret: Option<&Secret>,
        kind: &str,
        body: Value,
    ) -> Result<Value, AgentError> {
        self.socket
            .request(kind, body, secret, self.config.deadlines.request)
            .await
    }

    /// Runs a call of the program and reads the document that it prints.
    async fn call(&self, cli: &Cli, about: &str, call: Call<'_>) -> Result<Value, AgentError> {
        let command = call.command.join(" ");
        let output = cli.run(&call, &self.limits()).await?;
        wire::document(
            wire::Asked {
                command: &command,
                host: &self.host,
                about,
            },
            &output,
        )
        .inspect_err(|error| {
            if matches!(
                error,
                AgentError::Unreachable { .. } | AgentError::Password { .. }
            ) {
                self.remember(Health::Down {
                    reason: error.to_string(),
                });
            }
        })
    }

    async fn list(&self, which: ListAgents, subscribe: bool) -> Result<Vec<AgentInfo>, AgentError> {
        let mut agents = match self.route().await? {
            Route::Socket(secret) => self.list_socket(secret.as_ref(), &which, subscribe).await?,
            Route::Program(cli) => self.list_program(&cli, &which).await?,
        };
        sort_for_people(&mut agents);
        Ok(agents)
    }

    async fn list_socket(
        &self,
        secret: Option<&Secret>,
        which: &ListAgents,
        subscribe: bool,
    ) -> Result<Vec<AgentInfo>, AgentError> {
        let mut agents = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut body = json!({"page": {"limit": PAGE}});
            if let Some(cursor) = &cursor {
                body["page"]["cursor"] = json!(cursor);
            } else if subscribe {
                body["subscribe"] = json!({});
            }
            let mut filter = json!({});
            if which.archived {
                filter["includeArchived"] = json!(true);
            }
            if !which.labels.is_empty() {
                filter["labels"] = json!(which.labels);
            }
            body["filter"] = filter;
            let mut payload = self.ask(secret, "fetch_agents_request", body).await?;
            let next = payload
                .pointer("/pageInfo/nextCursor")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let Some(Value::Array(entries)) = payload.get_mut("entries").map(Value::take) else {
                return Err(self.garbled("fetch_agents_request", "it has no `entries`", &payload));
            };
            for mut entry in entries {
                let agent = entry.get_mut("agent").map(Value::take).unwrap_or_default();
                agents.push(self.read_agent("fetch_agents_request", agent)?);
            }
            // A cursor that does not move would never end.
            match next {
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                _ => return Ok(agents),
            }
        }
    }

    async fn list_program(
        &self,
        cli: &Cli,
        which: &ListAgents,
    ) -> Result<Vec<AgentInfo>, AgentError> {
        // Archived agents come as asleep: the program does not tell them apart.
        let mut options: Vec<String> = Vec::new();
        if which.archived {
            options.push("-a".into());
        }
        for (name, value) in &which.labels {
            options.extend(["--label".into(), format!("{name}={value}")]);
        }
        let (listed, permits) = tokio::join!(
            self.call(
                cli,
                "",
                Call {
                    command: &["ls"],
                    options,
                    ..Call::default()
                }
            ),
            self.call(
                cli,
                "",
                Call {
                    command: &["permit", "ls"],
                    ..Call::default()
                }
            ),
        );
        let home = std::env::var("HOME").ok();
        let mut agents = wire::list(&self.id, listed?, home.as_deref())?;
        // What waits is an addition: a version without `permit ls` still lists its agents.
        for (id, request) in permits.and_then(wire::permits).unwrap_or_default() {
            if let Some(agent) = agents.iter_mut().find(|agent| agent.id == id) {
                agent.permissions.push(request);
                if agent.status == AgentStatus::Working {
                    agent.status = AgentStatus::NeedsYou;
                }
            }
        }
        Ok(agents)
    }

    fn garbled(&self, what: &str, reason: impl std::fmt::Display, got: &Value) -> AgentError {
        AgentError::Garbled {
            what: what.into(),
            reason: reason.to_string(),
            got: crate::secret::redacted(&crate::error::capped(&got.to_string(), 200)),
        }
    }

    fn read_agent(&self, what: &str, agent: Value) -> Result<AgentInfo, AgentError> {
        serde_json::from_value::<frames::Agent>(agent)
            .map_err(|error| self.garbled(what, error, &Value::Null))
            .and_then(|agent| {
                if agent.id.is_empty() {
                    Err(self.garbled(what, "an agent without an `id`", &Value::Null))
                } else {
                    Ok(agent.info(&self.id))
                }
            })
    }

    /// One agent by its full id.
    async fn get(&self, route: &Route, id: &str) -> Result<AgentInfo, AgentError> {
        match route {
            Route::Socket(secret) => {
                let mut payload = self
                    .ask(
                        secret.as_ref(),
                        "fetch_agent_request",
                        json!({"agentId": id}),
                    )
                    .await?;
                match payload.get_mut("agent").map(Value::take) {
                    Some(agent @ Value::Object(_)) => self.read_agent("fetch_agent_request", agent),
                    _ => Err(AgentError::UnknownAgent { agent: id.into() }),
                }
            }
            Route::Program(cli) => {
                let value = self
                    .call(
                        cli,
                        id,
                        Call {
                            command: &["inspect"],
                            operands: vec![id.into()],
                            ..Call::default()
                        },
                    )
                    .await?;
                wire::inspect(&self.id, value, std::env::var("HOME").ok().as_deref())
            }
        }
    }

    async fn inspect(&self, name: &str) -> Result<AgentInfo, AgentError> {
        let route = self.route().await?;
        if is_full_id(name) {
            return self.get(&route, name).await;
        }
        // A prefix is resolved here, so that one that fits two agents is refused in the same words
        // by both transports.
        let which = ListAgents {
            archived: true,
            ..ListAgents::default()
        };
        let agents = self.list(which, false).await?;
        let id = resolve(&agents, name)?.id.clone();
        self.get(&route, &id.0).await
    }

    async fn start(&self, agent: NewAgent) -> Result<AgentInfo, AgentError> {
        check_cwd(&agent.cwd)?;
        if agent.provider.trim().is_empty() {
            return Err(AgentError::BadRequest {
                field: "provider",
                message: "is empty; name one that the daemon has: `claude`, `codex`, `opencode`"
                    .into(),
            });
        }
        match self.route().await? {
            Route::Socket(secret) => {
                let mut config = json!({"provider": agent.provider, "cwd": agent.cwd});
                for (name, value) in [
                    ("title", &agent.title),
                    ("model", &agent.model),
                    ("modeId", &agent.mode),
                ] {
                    if let Some(value) = value {
                        config[name] = json!(value);
                    }
                }
                let payload = self
                    .socket
                    .request(
                        "create_agent_request",
                        json!({"config": config, "labels": agent.labels}),
                        secret.as_ref(),
                        self.config.deadlines.start,
                    )
                    .await?;
                self.made("create_agent_request", payload)
            }
            // `run` can't make an agent without a first prompt.
            Route::Program(_) => Err(AgentError::Unsupported {
                backend: self.id.0.clone(),
                what: "start an agent without a prompt",
                reason: "the `paseo` program always prompts; reach the daemon over its socket"
                    .into(),
            }),
        }
    }

    fn made(&self, what: &str, mut payload: Value) -> Result<AgentInfo, AgentError> {
        match payload.get_mut("agent").map(Value::take) {
            Some(agent @ Value::Object(_)) => self.read_agent(what, agent),
            _ => Err(AgentError::Refused {
                what: what.into(),
                code: payload
                    .get("status")
                    .and_then(Value::as_str)
                    .unwrap_or("no agent")
                    .into(),
                message: frames::readable(
                    payload
                        .get("error")
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                ),
            }),
        }
    }

    async fn import(&self, session: ImportSession) -> Result<AgentInfo, AgentError> {
        for (field, value) in [
            ("provider", &session.provider),
            ("session", &session.session),
        ] {
            if value.trim().is_empty() {
                return Err(AgentError::BadRequest {
                    field,
                    message: "is empty".into(),
                });
            }
        }
        if let Some(cwd) = &session.cwd {
            check_cwd(cwd)?;
        }
        if let Some(name) = session
            .labels
            .keys()
            .find(|name| name.is_empty() || name.contains('='))
        {
            return Err(AgentError::BadRequest {
                field: "labels",
                message: format!("has the name `{name}`; a name is not empty and holds no `=`"),
            });
        }
        match self.route().await? {
            Route::Socket(secret) => {
                let mut body = json!({
                    "provider": session.provider,
                    "sessionId": session.session,
                    "labels": session.labels,
                });
                if let Some(cwd) = &session.cwd {
                    body["cwd"] = json!(cwd);
                }
                let payload = self
                    .socket
                    .request(
                        "import_agent_request",
                        body,
                        secret.as_ref(),
                        self.config.deadlines.start,
                    )
                    .await?;
                self.made("import_agent_request", payload)
            }
            Route::Program(cli) => {
                let mut options = vec!["--provider".into(), session.provider.clone()];
                if let Some(cwd) = &session.cwd {
                    options.extend(["--cwd".into(), cwd.clone()]);
                }
                for (name, value) in &session.labels {
                    options.extend(["--label".into(), format!("{name}={value}")]);
                }
                let call = Call {
                    command: &["import"],
                    options,
                    operands: vec![session.session.clone()],
                    prompt: None,
                };
                let value = self.call(&cli, &session.session, call).await?;
                let said = wire::said("import", value)?;
                let id = said.agent.ok_or_else(|| {
                    self.garbled("paseo import", "it has no `agentId`", &Value::Null)
                })?;
                let mut agent = self.get(&Route::Program(cli), &id).await?;
                // The program does not print labels back; these are the ones it was given.
                agent.labels = session.labels;
                Ok(agent)
            }
        }
    }

    async fn stop(&self, id: &AgentId) -> Result<bool, AgentError> {
        let route = self.route().await?;
        match &route {
            Route::Socket(secret) => {
                // A cancel of an unknown agent is never answered, so the agent is looked up first.
                let ran = self.get(&route, &id.0).await?.status.is_busy();
                if ran {
                    self.ask(
                        secret.as_ref(),
                        "cancel_agent_request",
                        json!({"agentId": id.0}),
                    )
                    .await?;
                }
                Ok(ran)
            }
            Route::Program(cli) => {
                let call = Call {
                    command: &["stop"],
                    operands: vec![id.0.clone()],
                    ..Call::default()
                };
                wire::stopped(&self.call(cli, &id.0, call).await?)
            }
        }
    }

    async fn answer(
        &self,
        id: &AgentId,
        permission: &str,
        answer: PermissionAnswer,
    ) -> Result<(), AgentError> {
        let gone = || AgentError::PermissionGone {
            permission: permission.into(),
        };
        match self.route().await? {
            Route::Socket(secret) => {
                // The daemon answers for a permission under the permission's own id, so it must be
                // the full one.
                let agent = self.get(&Route::Socket(secret.clone()), &id.0).await?;
                let full = agent
                    .permissions
                    .iter()
                    .find(|pending| !permission.is_empty() && pending.id.starts_with(permission))
                    .map(|pending| pending.id.clone())
                    .ok_or_else(gone)?;
                let response = match answer {
                    PermissionAnswer::Allow => json!({"behavior": "allow"}),
                    PermissionAnswer::AllowAlways => {
                        let always = agent
                            .permissions
                            .iter()
                            .find(|pending| pending.id == full)
                            .and_then(|pending| {
                                pending
                                    .options
                                    .iter()
                                    .find(|option| option.kind == "allow_always")
                            });
                        match always {
                            Some(option) => {
                                json!({"behavior": "allow", "selectedActionId": option.id})
                            }
                            None => json!({"behavior": "allow"}),
                        }
                    }
                    PermissionAnswer::Deny { message, interrupt } => {
                        let mut response = json!({"behavior": "deny"});
                        if let Some(message) = message {
                            response["message"] = json!(message);
                        }
                        if interrupt {
                            response["interrupt"] = json!(true);
                        }
                        response
                    }
                };
                let body = json!({"agentId": id.0, "requestId": full, "response": response});
                match self
                    .ask(secret.as_ref(), "agent_permission_response", body)
                    .await
                {
                    Ok(_) => Ok(()),
                    Err(AgentError::Refused { message, .. })
                        if message.contains("No pending permission") =>
                    {
                        Err(gone())
                    }
                    Err(error) => Err(error),
                }
            }
            Route::Program(cli) => {
                // The program knows requests by the first eight characters of their ids.
                let short: String = permission.chars().take(8).collect();
                let mut options = Vec::new();
                let command: &[&str] = match &answer {
                    PermissionAnswer::Allow | PermissionAnswer::AllowAlways => &["permit", "allow"],
                    PermissionAnswer::Deny { message, interrupt } => {
                        if let Some(message) = message {
                            // One word with its option, so that a leading dash is part of the message.
                            options.push(format!("--message={message}"));
                        }
                        if *interrupt {
                            options.push("--interrupt".into());
                        }
                        &["permit", "deny"]
                    }
                };
                let call = Call {
                    command,
                    options,
                    operands: vec![id.0.clone(), short],
                    prompt: None,
                };
                self.call(&cli, permission, call).await.map(|_| ())
            }
        }
    }

    async fn timeline(&self, id: &AgentId) -> Result<Vec<TimelineEntry>, AgentError> {
        match self.route().await? {
            Route::Socket(secret) => {
                let body = json!({"agentId": id.0, "direction": "tail", "limit": 0, "projection": "projected"});
                let payload = self.ask(secret.as_ref(), "fetch_agent_timeline_request", body).await?;
                let timeline: frames::Timeline = serde_json::from_value(payload)
                    .map_err(|error| self.garbled("fetch_agent_timeline_request", error, &Value::Null))?;
                if let Some(error) = timeline.error {
                    return Err(if error.contains("not found") {
                        AgentError::UnknownAgent { agent: id.0.clone() }
                    } else {
                        AgentError::Refused {
                            what: "fetch_agent_timeline_request".into(),
                            code: "error".into(),
                            message: error,
                        }
                    });
                }
                let epoch = timeline.epoch.as_deref();
                Ok(timeline.entries.into_iter().filter_map(|entry| entry.read_back(epoch)).collect())
            }
            Route::Program(_) => Err(AgentError::Unsupported {
                backend: self.id.0.clone(),
                what: "read a conversation back",
                reason: "the `paseo` program prints it for people only; reach the daemon over its socket".into(),
            }),
        }
    }

    async fn close(&self, id: &AgentId, force: bool) -> Result<Archived, AgentError> {
        let route = self.route().await?;
        match &route {
            Route::Socket(secret) => {
                let agent = self.get(&route, &id.0).await?;
                let already = agent.status == AgentStatus::Archived;
                if agent.status.is_busy() && !force {
                    return Err(AgentError::Busy { agent: id.clone() });
                }
                let payload = self
                    .ask(
                        secret.as_ref(),
                        "archive_agent_request",
                        json!({"agentId": id.0}),
                    )
                    .await?;
                Ok(Archived {
                    at: payload
                        .get("archivedAt")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                    already,
                })
            }
            Route::Program(cli) => {
                // The program also takes a part of a title; only a full id can't hit another agent.
                if !is_full_id(&id.0) {
                    return Err(AgentError::UnknownAgent {
                        agent: id.0.clone(),
                    });
                }
                let call = Call {
                    command: &["archive"],
                    options: if force {
                        vec!["--force".into()]
                    } else {
                        Vec::new()
                    },
                    operands: vec![id.0.clone()],
                    prompt: None,
                };
                let output = cli.run(&call, &self.limits()).await?;
                if let Some(at) = wire::archived_before(&output) {
                    return Ok(Archived { at, already: true });
                }
                let value = wire::document(
                    wire::Asked {
                        command: "archive",
                        host: &self.host,
                        about: &id.0,
                    },
                    &output,
                )?;
                Ok(Archived {
                    at: value
                        .get("archivedAt")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                    already: false,
                })
            }
        }
    }

    async fn check(&self) -> Health {
        let within = self.config.deadlines.connect;
        let asked = async {
            if self.config.address.has_socket() && self.config.transport != Transport::Program {
                socket::http_health(&self.config.address, within).await?;
                match self.route().await? {
                    Route::Socket(secret) => {
                        let version = self.socket.connect(secret.as_ref()).await?;
                        return Ok(Health::Up {
                            version,
                            transport: "socket".into(),
                        });
                    }
                    Route::Program(_) => {}
                }
            }
            let secret = self.secret().await?;
            let cli = self.program(secret.as_ref());
            self.call(
                &cli,
                "",
                Call {
                    command: &["ls"],
                    ..Call::default()
                },
            )
            .await?;
            let version = cli.version(self.config.deadlines.program).await.ok();
            Ok(Health::Up {
                version,
                transport: "program".into(),
            })
        };
        let health = asked
            .await
            .unwrap_or_else(|error: AgentError| Health::Down {
                reason: error.to_string(),
            });
        self.remember(health.clone());
        health
    }
}

/// A full id as the daemon makes them: a UUID.
fn is_full_id(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok() && text.len() == 36
}

fn check_cwd(cwd: &str) -> Result<(), AgentError> {
    if cwd.starts_with('/') {
        Ok(())
    } else {
        Err(AgentError::BadRequest {
            field: "cwd",
            message: format!("is `{cwd}`; give an absolute path"),
        })
    }
}

impl AgentBackend for Paseo {
    fn kind(&self) -> BackendKind {
        BackendKind::Paseo
    }

    fn id(&self) -> &BackendId {
        &self.inner.id
    }

    fn health(&self) -> Health {
        self.inner
            .health
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn check(&self) -> std::pin::Pin<Box<dyn Future<Output = Health> + Send + '_>> {
        Box::pin(self.inner.check())
    }

    fn busy(&self) -> bool {
        self.inner.turns.load(Ordering::Relaxed) > 0
    }

    fn list(&self, which: ListAgents) -> Answer<'_, Vec<AgentInfo>> {
        Box::pin(self.inner.list(which, false))
    }

    fn watch(&self) -> Answer<'_, Vec<AgentInfo>> {
        Box::pin(self.inner.list(ListAgents::default(), true))
    }

    fn live(&self) -> bool {
        self.inner.in_use.load(Ordering::Relaxed) != PROGRAM
    }

    fn inspect<'a>(&'a self, name: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(self.inner.inspect(name))
    }

    fn start(&self, agent: NewAgent) -> Answer<'_, AgentInfo> {
        Box::pin(self.inner.start(agent))
    }

    fn resume<'a>(&'a self, agent: &'a AgentId, _cwd: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(self.inner.inspect(&agent.0))
    }

    fn import(&self, session: ImportSession) -> Answer<'_, AgentInfo> {
        Box::pin(self.inner.import(session))
    }

    fn prompt<'a>(&'a self, agent: &'a AgentId, prompt: Prompt) -> Answer<'a, Turn> {
        Box::pin(async move {
            check_prompt(&prompt)?;
            turns::prompt(self.inner.clone(), agent.clone(), prompt).await
        })
    }

    fn stop<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, bool> {
        Box::pin(self.inner.stop(agent))
    }

    fn answer<'a>(
        &'a self,
        agent: &'a AgentId,
        permission: &'a str,
        answer: PermissionAnswer,
    ) -> Answer<'a, ()> {
        Box::pin(self.inner.answer(agent, permission, answer))
    }

    fn timeline<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, Vec<TimelineEntry>> {
        Box::pin(self.inner.timeline(agent))
    }

    fn close<'a>(&'a self, agent: &'a AgentId, force: bool) -> Answer<'a, Archived> {
        Box::pin(self.inner.close(agent, force))
    }

    fn dispose(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.inner.socket.disconnect().await;
            Ok(())
        })
    }

    /// Over the program, only the turns that were begun here are told.
    fn news(&self) -> BoxStream<'static, News> {
        let backend = self.inner.id.clone();
        let told = self.inner.socket.subscribe();
        let socket = stream::unfold((told, backend), |(mut told, backend)| async move {
            loop {
                let news = match told.recv().await {
                    Ok(Told::Changed(agent)) => News::Changed(Box::new(agent.info(&backend))),
                    Ok(Told::Removed(id)) => News::Removed(AgentId(id)),
                    Ok(Told::Stream(stream)) => match turns::event(stream.event) {
                        Some(event) => News::Event {
                            agent: AgentId(stream.agent),
                            event: Box::new(event),
                            position: stream.position,
                        },
                        None => continue,
                    },
                    Ok(Told::Up | Told::Down) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        News::ListAgain
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                };
                return Some((news, (told, backend)));
            }
        });
        let program = news_of(self.inner.program_told.subscribe());
        stream::select(socket, program).boxed()
    }
}
