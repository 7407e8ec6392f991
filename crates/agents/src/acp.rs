//! Agents that speak the Agent Client Protocol over their standard input and output.
//!
//! Each session has a process of its own, kept warm between prompts and ended with the session; one
//! that dies is started again, after a pause that grows, when it is next needed.

mod files;
mod link;
mod offers;
mod presets;
mod remembered;
mod session;
mod turns;
mod updates;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use agent_client_protocol::UntypedMessage;
use agent_client_protocol::v1::schema::{self, LoadSessionRequest, NewSessionRequest};
use futures_util::stream::BoxStream;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::acp::link::{DYING, Link, lost};
use crate::acp::session::{Ear, Session};
use crate::backend::{AgentBackend, Answer, check_prompt, resolve, sort_for_people};
use crate::error::AgentError;
use crate::held::Held;
use crate::news::{News, news_of};
use crate::process::Variables;
use crate::program;
use crate::sessions::SessionRow;
use crate::turn::Turn;
use crate::types::{
    AgentEvent, AgentId, AgentInfo, AgentStatus, Archived, BackendId, BackendKind, Health,
    ImportSession, KnownSession, ListAgents, NewAgent, PermissionAnswer, Prompt, TimelineEntry,
    ToolStatus,
};

pub use presets::{AcpPreset, presets};

/// How long each stage may take.
#[derive(Debug, Clone)]
pub struct AcpDeadlines {
    /// Starting the program, up to its greeting; also making or loading a session.
    pub start: Duration,
    /// How long an agent that was told to stop may take before its process is ended.
    pub stop: Duration,
    /// A turn of which nothing is heard for so long is stopped, and failed.
    pub silent_turn: Duration,
    /// The pause before a program that died is started again; doubled with each death in a row.
    pub backoff: Duration,
    /// The longest such pause.
    pub backoff_limit: Duration,
}

impl Default for AcpDeadlines {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(60),
            stop: Duration::from_secs(5),
            silent_turn: Duration::from_secs(30 * 60),
            backoff: Duration::from_millis(500),
            backoff_limit: Duration::from_secs(60),
        }
    }
}

/// A server of the Model Context Protocol, which an agent starts and asks over its standard input and output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpServer {
    /// What the agent calls it.
    pub name: String,
    /// The program: a path, or a name on the PATH.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Added to its environment.
    pub env: BTreeMap<String, String>,
}

impl McpServer {
    /// As the protocol has it, which wants the program's path.
    fn told(&self) -> schema::McpServer {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = program::find(&self.program, &path).unwrap_or_else(|| self.program.clone());
        let variable = |(name, value): (&String, &String)| schema::EnvVariable::new(name, value);
        let server = schema::McpServerStdio::new(&self.name, program)
            .args(self.args.clone())
            .env(self.env.iter().map(variable).collect());
        schema::McpServer::Stdio(server)
    }
}

/// An agent's program and how it is treated.
#[derive(Debug, Clone)]
pub struct AcpConfig {
    /// Its name: `claude`, `codex`.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Added to its environment.
    pub env: BTreeMap<String, String>,
    /// The servers of the Model Context Protocol that each of its sessions is told of.
    pub mcp: Vec<McpServer>,
    /// How long each stage may take.
    pub deadlines: AcpDeadlines,
    /// How many idle processes are kept warm; the one unused for longest ends first.
    pub warm: usize,
}

impl AcpConfig {
    /// The agent `name`, started as `program` with `args`.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>, args: &[&str]) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            args: args.iter().map(|&arg| arg.into()).collect(),
            env: BTreeMap::new(),
            mcp: Vec::new(),
            deadlines: AcpDeadlines::default(),
            warm: 4,
        }
    }

    /// The id of the backend that is made from this.
    pub fn id(&self) -> BackendId {
        BackendId::new(BackendKind::Acp, &self.name)
    }

    fn mcp_servers(&self) -> Vec<schema::McpServer> {
        self.mcp.iter().map(McpServer::told).collect()
    }

    /// Why its program can't be started, in words for a person; none when it is there.
    pub fn missing(&self) -> Option<String> {
        program::missing(&self.program)
    }
}

/// One kind of ACP agent, with any number of sessions. Cheap to clone.
#[derive(Clone)]
pub struct Acp {
    inner: Arc<Inner>,
    asker: Option<Variables>,
}

/// The environment of who asks; none: this process's own.
type Asker = Option<Variables>;

struct Inner {
    id: BackendId,
    config: AcpConfig,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    trouble: Mutex<Option<String>>,
    health: Mutex<Health>,
    news: broadcast::Sender<News>,
}

impl Acp {
    /// Makes the backend. No process is started before a session needs one.
    pub fn new(config: AcpConfig) -> Self {
        Self {
            inner: Arc::new(Inner {
                id: config.id(),
                config,
                sessions: Mutex::default(),
                trouble: Mutex::default(),
                health: Mutex::new(Health::Unknown),
                news: broadcast::channel(1024).0,
            }),
            asker: None,
        }
    }

    /// The same backend, for somebody who has this environment: so has each process that is started for them. It holds keys
    /// and tokens, and is never shown.
    pub fn asked_by(&self, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            asker: Some(Arc::new(environment.into_iter().collect())),
        }
    }

    /// Whether something would be lost if this process ended: a turn that runs, or a conversation that its agent can't load
    /// again.
    pub fn holds(&self) -> bool {
        self.inner.sessions.lock().values().any(|session| {
            let state = session.state.lock();
            // A link that is being made is as good as a turn.
            state.held.status.is_busy()
                || session
                    .link
                    .try_lock()
                    .map_or(true, |link| link.as_ref().is_some_and(|link| !link.loads()))
        })
    }
}

impl Inner {
    fn find(&self, agent: &AgentId) -> Result<Arc<Session>, AgentError> {
        self.sessions
            .lock()
            .get(&agent.0)
            .cloned()
            .ok_or_else(|| AgentError::UnknownAgent {
                agent: agent.0.clone(),
            })
    }

    fn infos(&self) -> Vec<AgentInfo> {
        let sessions = self.sessions.lock();
        let mut agents: Vec<_> = sessions.values().map(|session| session.info()).collect();
        agents.sort_by(|a, b| a.id.cmp(&b.id));
        agents
    }

    /// Starts a process in `cwd`; its trouble is this backend's health.
    async fn open(&self, cwd: &str, asker: &Asker, ear: Arc<Ear>) -> Result<Link, AgentError> {
        if !cwd.starts_with('/') {
            return Err(AgentError::BadRequest {
                field: "cwd".into(),
                message: format!("is `{cwd}`; give an absolute path"),
            });
        }
        let opened = Link::start(&self.config, cwd, asker.clone(), ear).await;
        *self.trouble.lock() = opened.as_ref().err().map(ToString::to_string);
        opened
    }

    async fn within<T>(
        &self,
        what: &str,
        link: &Link,
        request: impl Future<Output = Result<T, agent_client_protocol::Error>>,
    ) -> Result<T, AgentError> {
        let after = self.config.deadlines.start;
        match tokio::time::timeout(after, request).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.refused(what, link, error).await),
            Err(_) => Err(AgentError::Timeout {
                what: format!("{what} at {}", self.config.name),
                after,
            }),
        }
    }

    /// Asks an agent something, and takes the answer as it comes: more may be in it than the library knows.
    async fn ask(
        &self,
        link: &Link,
        method: &str,
        params: &impl Serialize,
    ) -> Result<Value, AgentError> {
        let request = UntypedMessage::new(method, params).map_err(|error| AgentError::Garbled {
            what: method.into(),
            reason: error.message,
            got: String::new(),
        })?;
        let answer = link.agent.send_request(request).block_task();
        self.within(method, link, answer).await
    }

    async fn load_on(&self, link: &Link, id: &str, cwd: &str) -> Result<Value, AgentError> {
        let request =
            LoadSessionRequest::new(id.to_owned(), cwd).mcp_servers(self.config.mcp_servers());
        self.ask(link, "session/load", &request).await
    }

    /// Chooses what an agent offers, at a process that runs.
    async fn choose_on(
        &self,
        session: &Session,
        link: &Link,
        setting: &str,
        value: &str,
    ) -> Result<(), AgentError> {
        let (known, chosen, request) =
            session
                .state
                .lock()
                .offered
                .find(&session.id, setting, value)?;
        let method = request.method.clone();
        let answer = link.agent.send_request(request).block_task();
        let answer: Value = self.within(&method, link, answer).await?;
        let mut state = session.state.lock();
        state.offered.options(&answer["configOptions"]);
        state.offered.note(&known.id, &chosen);
        state.chosen.insert(known.id, chosen);
        Ok(())
    }

    /// Tells a process that was started again what a person had chosen.
    async fn choose_again(&self, session: &Session, link: &Link) {
        let chosen = session.state.lock().chosen.clone();
        for (setting, value) in chosen {
            if let Err(error) = self.choose_on(session, link, &setting, &value).await {
                session.happened(AgentEvent::Notice {
                    text: format!("its process was started again, and: {error}"),
                });
            }
        }
    }

    async fn choose(
        self: &Arc<Self>,
        agent: &AgentId,
        setting: &str,
        value: &str,
        asker: &Asker,
    ) -> Result<AgentInfo, AgentError> {
        let session = self.find(agent)?;
        let link = self.warm(&session, asker).await?;
        self.choose_on(&session, &link, setting, value).await?;
        if session.state.lock().held.status == AgentStatus::Asleep {
            session.set_status(AgentStatus::Idle);
        } else {
            session.changed();
        }
        Ok(session.info())
    }

    /// Why a request failed: the process may have ended, or the agent said no.
    async fn refused(
        &self,
        what: &str,
        link: &Link,
        error: agent_client_protocol::Error,
    ) -> AgentError {
        let over = tokio::time::timeout(DYING, link.ended().cancelled()).await;
        if over.is_ok() || link.agent.is_incoming_closed() {
            let _ = tokio::time::timeout(Duration::from_secs(2), link.ended().cancelled()).await;
            return lost(&self.config.name, what, &link.reason());
        }
        let details = match &error.data {
            Some(serde_json::Value::String(text)) => format!("{}: {text}", error.message),
            Some(data) if !data.is_null() => format!("{}: {data}", error.message),
            _ => error.message.clone(),
        };
        AgentError::Refused {
            what: what.into(),
            code: i32::from(error.code).to_string(),
            message: crate::error::capped(&details, 1_000),
        }
    }

    fn add(
        &self,
        id: &str,
        cwd: &str,
        title: Option<String>,
        labels: BTreeMap<String, String>,
    ) -> Arc<Session> {
        let session = Arc::new(Session::new(
            (id, cwd),
            (&self.id, &self.config.name),
            Held::new(title, labels),
            self.news.clone(),
        ));
        self.sessions.lock().insert(id.to_owned(), session.clone());
        session
    }

    /// Watches the process of a session, and says so when it dies.
    fn watch(self: &Arc<Self>, session: &Arc<Session>, link: &Arc<Link>) {
        let ended = link.ended().clone();
        let (session, link) = (Arc::downgrade(session), Arc::downgrade(link));
        tokio::spawn(async move {
            ended.cancelled().await;
            let (Some(session), Some(link)) = (session.upgrade(), link.upgrade()) else {
                return;
            };
            let mut held = session.link.lock().await;
            if held.as_ref().is_some_and(|now| Arc::ptr_eq(now, &link)) {
                *held = None;
                if !session.state.lock().held.status.is_busy() {
                    session.set_status(AgentStatus::Asleep);
                }
            }
        });
    }

    /// The warm process of a session, started again if it ended.
    async fn warm(
        self: &Arc<Self>,
        session: &Arc<Session>,
        asker: &Asker,
    ) -> Result<Arc<Link>, AgentError> {
        let mut held = session.link.lock().await;
        if let Some(link) = held.as_ref().filter(|link| !link.ended().is_cancelled()) {
            return Ok(link.clone());
        }
        *held = None;
        let not_before = session.state.lock().not_before;
        if let Some(instant) = not_before {
            tokio::time::sleep_until(instant).await;
        }
        let ear = Arc::new(Ear::default());
        let link = self
            .open(&session.cwd, asker, ear.clone())
            .await
            .inspect_err(|_| self.died(session))?;
        if !link.loads() {
            return Err(AgentError::Unsupported {
                backend: self.id.0.clone(),
                what: "go on with a conversation whose process ended".into(),
                reason: format!("{} can't load sessions; start a new one", self.config.name),
            });
        }
        let loaded = self
            .load_on(&link, &session.id, &session.cwd)
            .await
            .inspect_err(|_| self.died(session))?;
        // What it replays is known already, unless this side was started anew.
        if !session.state.lock().held.timeline.is_empty() {
            ear.early.lock().clear();
        }
        ear.bind(session);
        // What was at work in an earlier process does not go on.
        session.end_calls(&ToolStatus::Cancelled);
        session.made(&loaded, &link);
        self.choose_again(session, &link).await;
        let link = Arc::new(link);
        self.watch(session, &link);
        *held = Some(link.clone());
        Ok(link)
    }

    /// Makes a session whose process is not there ready again; one that its agent has forgotten is gone.
    async fn wake(
        self: &Arc<Self>,
        session: &Arc<Session>,
        asker: &Asker,
    ) -> Result<AgentInfo, AgentError> {
        if session.state.lock().held.status == AgentStatus::Asleep {
            match self.warm(session, asker).await {
                Ok(_) => session.set_status(AgentStatus::Idle),
                Err(AgentError::Refused { .. } | AgentError::Unsupported { .. }) => {
                    self.sessions.lock().remove(&session.id);
                    let agent = AgentId(session.id.clone());
                    let _ = self.news.send(News::Removed(agent));
                    return Err(AgentError::UnknownAgent {
                        agent: session.id.clone(),
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(session.info())
    }

    fn died(&self, session: &Session) {
        let mut state = session.state.lock();
        state.deaths = (state.deaths + 1).min(16);
        let pause = self.config.deadlines.backoff * 2u32.pow(state.deaths - 1);
        state.not_before = Some(Instant::now() + pause.min(self.config.deadlines.backoff_limit));
    }

    /// Ends the idle processes that were unused for longest, when there are too many.
    async fn cool(&self) {
        let mut idle: Vec<_> = self
            .sessions
            .lock()
            .values()
            .filter(|session| {
                let state = session.state.lock();
                !state.held.status.is_busy() && state.held.writer.is_none()
            })
            .cloned()
            .collect();
        idle.sort_by_key(|session| std::cmp::Reverse(session.state.lock().used));
        for session in idle.into_iter().skip(self.config.warm) {
            // One that is being started right now is not idle any more.
            if let Ok(mut held) = session.link.try_lock()
                && !session.state.lock().held.status.is_busy()
                && held.as_ref().is_some_and(|link| link.loads())
            {
                *held = None;
                session.set_status(AgentStatus::Asleep);
            }
        }
    }

    async fn start(
        self: &Arc<Self>,
        agent: NewAgent,
        asker: &Asker,
    ) -> Result<AgentInfo, AgentError> {
        let ear = Arc::new(Ear::default());
        let link = self.open(&agent.cwd, asker, ear.clone()).await?;
        let request =
            NewSessionRequest::new(agent.cwd.clone()).mcp_servers(self.config.mcp_servers());
        let made = self.ask(&link, "session/new", &request).await?;
        let id = session_of(&made, "session/new")?;
        let link = Arc::new(link);
        let session = self.add(&id, &agent.cwd, agent.title, agent.labels);
        session.made(&made, &link);
        let wanted = [("model", &agent.model), ("mode", &agent.mode)];
        for (setting, value) in wanted {
            if let Some(value) = value
                && let Err(error) = self.choose_on(&session, &link, setting, value).await
            {
                // Nobody asked for an agent without it.
                self.sessions.lock().remove(&session.id);
                return Err(error);
            }
        }
        ear.bind(&session);
        self.watch(&session, &link);
        *session.link.lock().await = Some(link);
        self.cool().await;
        session.changed();
        Ok(session.info())
    }

    async fn load(
        self: &Arc<Self>,
        id: &str,
        cwd: &str,
        labels: BTreeMap<String, String>,
        asker: &Asker,
    ) -> Result<AgentInfo, AgentError> {
        let ear = Arc::new(Ear::default());
        let link = self.open(cwd, asker, ear.clone()).await?;
        if !link.loads() {
            return Err(AgentError::UnknownAgent { agent: id.into() });
        }
        let loaded = self
            .load_on(&link, id, cwd)
            .await
            .map_err(|error| match error {
                AgentError::Refused { .. } => AgentError::UnknownAgent { agent: id.into() },
                other => other,
            })?;
        let session = self.add(id, cwd, None, labels);
        ear.bind(&session);
        session.end_calls(&ToolStatus::Cancelled);
        session.made(&loaded, &link);
        let link = Arc::new(link);
        self.watch(&session, &link);
        *session.link.lock().await = Some(link);
        self.cool().await;
        session.changed();
        Ok(session.info())
    }

    async fn close(&self, agent: &AgentId, force: bool) -> Result<Archived, AgentError> {
        let session = self.find(agent)?;
        let status = session.state.lock().held.status.clone();
        if status == AgentStatus::Archived {
            return Ok(Archived {
                at: None,
                already: true,
            });
        }
        if status.is_busy() {
            if !force {
                return Err(AgentError::Busy {
                    agent: agent.clone(),
                });
            }
            self.stop(agent).await?;
        }
        session.end().await;
        session.set_status(AgentStatus::Archived);
        Ok(Archived {
            at: None,
            already: false,
        })
    }
}

/// The session that an agent says it made.
fn session_of(made: &Value, asked: &str) -> Result<String, AgentError> {
    let id = made["sessionId"].as_str();
    id.map(str::to_owned).ok_or_else(|| AgentError::Garbled {
        what: asked.into(),
        reason: "it has no `sessionId`".into(),
        got: crate::error::capped(&made.to_string(), 200),
    })
}

impl AgentBackend for Acp {
    fn kind(&self) -> BackendKind {
        BackendKind::Acp
    }

    fn id(&self) -> &BackendId {
        &self.inner.id
    }

    fn health(&self) -> Health {
        self.inner.health.lock().clone()
    }

    fn check(&self) -> std::pin::Pin<Box<dyn Future<Output = Health> + Send + '_>> {
        Box::pin(async {
            let trouble = self
                .inner
                .config
                .missing()
                .or_else(|| self.inner.trouble.lock().clone());
            let health = match trouble {
                Some(reason) => Health::Down { reason },
                None => Health::Up {
                    version: None,
                    transport: "stdio".into(),
                },
            };
            *self.inner.health.lock() = health.clone();
            health
        })
    }

    fn busy(&self) -> bool {
        self.inner
            .sessions
            .lock()
            .values()
            .any(|session| session.state.lock().held.status.is_busy())
    }

    fn list(&self, which: ListAgents) -> Answer<'_, Vec<AgentInfo>> {
        Box::pin(async move {
            let mut agents = self.inner.infos();
            agents.retain(|agent| which.fits(agent));
            sort_for_people(&mut agents);
            Ok(agents)
        })
    }

    fn recall(&self, row: &SessionRow) {
        if self.inner.sessions.lock().contains_key(&row.session.0) {
            return;
        }
        let labels = BTreeMap::new();
        let session = self
            .inner
            .add(&row.session.0, &row.worktree, row.title.clone(), labels);
        session.set_status(AgentStatus::Asleep);
    }

    fn inspect<'a>(&'a self, name: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(async move { resolve(&self.inner.infos(), name).cloned() })
    }

    fn start(&self, agent: NewAgent) -> Answer<'_, AgentInfo> {
        Box::pin(self.inner.start(agent, &self.asker))
    }

    fn resume<'a>(&'a self, agent: &'a AgentId, cwd: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(async move {
            match self.inner.find(agent) {
                Ok(session) => self.inner.wake(&session, &self.asker).await,
                Err(_) => {
                    self.inner
                        .load(&agent.0, cwd, BTreeMap::new(), &self.asker)
                        .await
                }
            }
        })
    }

    fn import(&self, session: ImportSession) -> Answer<'_, AgentInfo> {
        Box::pin(async move {
            let cwd = session.cwd.ok_or_else(|| AgentError::BadRequest {
                field: "cwd".into(),
                message: "is missing; say in which directory the session works".into(),
            })?;
            self.inner
                .load(&session.session, &cwd, session.labels, &self.asker)
                .await
        })
    }

    fn sessions<'a>(&'a self, cwd: &'a str) -> Answer<'a, Vec<KnownSession>> {
        Box::pin(self.inner.sessions(cwd, &self.asker))
    }

    fn fork<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, AgentInfo> {
        Box::pin(self.inner.fork(agent, &self.asker))
    }

    fn prompt<'a>(&'a self, agent: &'a AgentId, prompt: Prompt) -> Answer<'a, Turn> {
        Box::pin(async move {
            check_prompt(&prompt)?;
            self.inner.prompt(agent, prompt, &self.asker).await
        })
    }

    fn choose<'a>(
        &'a self,
        agent: &'a AgentId,
        setting: &'a str,
        value: &'a str,
    ) -> Answer<'a, AgentInfo> {
        Box::pin(self.inner.choose(agent, setting, value, &self.asker))
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
        Box::pin(async move {
            if self.inner.answer(agent, permission, answer)? {
                self.inner.stop(agent).await?;
            }
            Ok(())
        })
    }

    fn timeline<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, Vec<TimelineEntry>> {
        Box::pin(async move {
            let session = self.inner.find(agent)?;
            let unread = {
                let state = session.state.lock();
                state.held.timeline.is_empty() && state.held.status == AgentStatus::Asleep
            };
            if unread {
                // The agent tells what was said when its session is loaded.
                self.inner.wake(&session, &self.asker).await?;
            }
            Ok(session.state.lock().held.timeline.entries())
        })
    }

    fn close<'a>(&'a self, agent: &'a AgentId, force: bool) -> Answer<'a, Archived> {
        Box::pin(self.inner.close(agent, force))
    }

    fn dispose(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let sessions: Vec<_> = self
                .inner
                .sessions
                .lock()
                .drain()
                .map(|(_, session)| session)
                .collect();
            futures_util::future::join_all(sessions.iter().map(|session| session.end())).await;
            Ok(())
        })
    }

    fn news(&self) -> BoxStream<'static, News> {
        news_of(self.inner.news.subscribe())
    }
}
