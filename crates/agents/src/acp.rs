//! Agents that speak the Agent Client Protocol over their standard input and output.
//!
//! Each session has a process of its own, kept warm between prompts and ended with the session; one
//! that dies is started again, after a pause that grows, when it is next needed.

mod files;
mod link;
mod updates;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agent_client_protocol::v1::schema::{
    CancelNotification, ContentBlock, LoadSessionRequest, NewSessionRequest, PermissionOptionKind,
    PromptRequest, RequestPermissionRequest, SessionUpdate, StopReason, TextContent,
};
use futures_util::stream::BoxStream;
use tokio::sync::{broadcast, oneshot};
use tokio::time::Instant;

use crate::acp::link::{Hears, Link, lost};
use crate::acp::updates::{Calls, permission};
use crate::backend::{AgentBackend, Answer, News, check_prompt, news_of, resolve, sort_for_people};
use crate::error::AgentError;
use crate::process::sleep;
use crate::sessions::SessionRow;
use crate::timeline::{TIMELINE_LIMIT, Timeline};
use crate::turn::{Turn, TurnWriter, turn};
use crate::types::{
    AgentEvent, AgentId, AgentInfo, AgentStatus, Archived, BackendId, BackendKind, Health,
    ImportSession, ListAgents, NewAgent, Outcome, PermissionAnswer, PermissionRequest, Prompt,
    TimelineEntry, ToolCall, ToolDetail, ToolStatus,
};

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
            deadlines: AcpDeadlines::default(),
            warm: 4,
        }
    }
}

/// A well-known agent that speaks the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcpPreset {
    /// Its name here.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The program that was found.
    pub program: PathBuf,
    /// The arguments that make it speak the protocol.
    pub args: &'static [&'static str],
}

const KNOWN: [(&str, &str, &str, &[&str]); 8] = [
    ("claude", "Claude Code", "claude-agent-acp", &[]),
    ("claude", "Claude Code", "claude-code-acp", &[]),
    ("codex", "Codex", "codex-acp", &[]),
    ("gemini", "Gemini CLI", "gemini", &["--experimental-acp"]),
    ("opencode", "OpenCode", "opencode", &["acp"]),
    ("goose", "Goose", "goose", &["acp"]),
    ("qwen", "Qwen Code", "qwen", &["--experimental-acp"]),
    ("copilot", "GitHub Copilot", "copilot", &["--acp"]),
];

/// The well-known agents whose programs are on `path`. None is required.
pub fn presets(path: &OsStr) -> Vec<AcpPreset> {
    let mut found: Vec<AcpPreset> = Vec::new();
    for (name, title, program, args) in KNOWN {
        if found.iter().any(|preset| preset.name == name) {
            continue;
        }
        if let Some(program) = find_program(Path::new(program), path) {
            found.push(AcpPreset {
                name,
                title,
                program,
                args,
            });
        }
    }
    found
}

/// Where a program is: the path itself if it has a directory, else the first on `path`.
pub(crate) fn find_program(program: &Path, path: &OsStr) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let runs = |at: &Path| {
        at.metadata()
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    if program.components().count() > 1 {
        return runs(program).then(|| program.to_owned());
    }
    std::env::split_paths(path)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(program))
        .find(|at| runs(at))
}

/// One kind of ACP agent, with any number of sessions. Cheap to clone.
#[derive(Clone)]
pub struct Acp {
    inner: Arc<Inner>,
}

struct Inner {
    id: BackendId,
    config: AcpConfig,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    trouble: Mutex<Option<String>>,
    health: Mutex<Health>,
    news: broadcast::Sender<News>,
}

struct Session {
    id: String,
    backend: BackendId,
    provider: String,
    cwd: String,
    /// The process, if it is warm. Held while one is started, so that two prompts start one.
    link: tokio::sync::Mutex<Option<Arc<Link>>>,
    state: Mutex<State>,
    news: broadcast::Sender<News>,
}

struct State {
    title: Option<String>,
    status: AgentStatus,
    last_error: Option<String>,
    labels: BTreeMap<String, String>,
    timeline: Timeline,
    calls: Calls,
    writer: Option<TurnWriter>,
    pending: Vec<(PermissionRequest, oneshot::Sender<Option<String>>)>,
    stop_at_permission: bool,
    deaths: u32,
    not_before: Option<Instant>,
    used: Instant,
    asked: u64,
    heard: Arc<tokio::sync::Notify>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a process says before it is known which session it serves; afterwards it goes there.
#[derive(Default)]
struct Ear {
    session: Mutex<Option<Arc<Session>>>,
    early: Mutex<Vec<SessionUpdate>>,
}

impl Ear {
    fn bind(&self, session: &Arc<Session>) {
        *lock(&self.session) = Some(session.clone());
        for update in std::mem::take(&mut *lock(&self.early)) {
            session.update(update);
        }
    }
}

impl Hears for Ear {
    fn update(&self, _session: &str, update: SessionUpdate) {
        let session = lock(&self.session).clone();
        match session {
            Some(session) => session.update(update),
            None => {
                let mut early = lock(&self.early);
                if early.len() < TIMELINE_LIMIT {
                    early.push(update);
                }
            }
        }
    }

    fn asks(&self, request: RequestPermissionRequest) -> oneshot::Receiver<Option<String>> {
        let (answer, answered) = oneshot::channel();
        // Without a session there is nobody to ask: the answer is dropped, which cancels.
        if let Some(session) = lock(&self.session).clone() {
            session.asks(&request, answer);
        }
        answered
    }

    fn wrote(&self, _session: &str, path: PathBuf) {
        if let Some(session) = lock(&self.session).clone() {
            let path = path.display().to_string();
            session.happened(AgentEvent::Tool {
                call: ToolCall {
                    id: format!("write:{path}"),
                    name: "write".into(),
                    title: Some(format!("write {path}")),
                    status: ToolStatus::Running,
                    detail: Some(ToolDetail {
                        kind: "write".into(),
                        path: Some(path),
                        ..ToolDetail::default()
                    }),
                    error: None,
                },
            });
        }
    }
}

impl Session {
    fn info(&self) -> AgentInfo {
        let state = lock(&self.state);
        AgentInfo {
            backend: self.backend.clone(),
            id: AgentId(self.id.clone()),
            title: state.title.clone(),
            provider: self.provider.clone(),
            model: None,
            status: state.status.clone(),
            cwd: self.cwd.clone(),
            created_at: None,
            updated_at: None,
            labels: state.labels.clone(),
            permissions: state
                .pending
                .iter()
                .map(|(request, _)| request.clone())
                .collect(),
            last_error: state.last_error.clone(),
            session: Some(self.id.clone()),
        }
    }

    fn changed(&self) {
        let _ = self.news.send(News::Changed(Box::new(self.info())));
    }

    fn set_status(&self, status: AgentStatus) {
        lock(&self.state).status = status;
        self.changed();
    }

    fn update(&self, update: SessionUpdate) {
        if let SessionUpdate::SessionInfoUpdate(update) = &update {
            if let Some(title) = update.title.value() {
                lock(&self.state).title = Some(title.clone());
                self.changed();
            }
            return;
        }
        let event = lock(&self.state).calls.read(update);
        if let Some(event) = event {
            self.happened(event);
        }
    }

    fn happened(&self, event: AgentEvent) {
        let position = {
            let mut state = lock(&self.state);
            state.heard.notify_one();
            if let Some(writer) = &state.writer {
                writer.push(event.clone());
            }
            state.timeline.add(&event)
        };
        let _ = self.news.send(News::Event {
            agent: AgentId(self.id.clone()),
            event: Box::new(event),
            position: Some(position),
        });
    }

    fn asks(&self, request: &RequestPermissionRequest, answer: oneshot::Sender<Option<String>>) {
        let (asked, ends) = {
            let mut state = lock(&self.state);
            if state.writer.is_none() && !state.status.is_busy() {
                return; // No turn runs: dropping the answer cancels the request.
            }
            state.asked += 1;
            let asked = permission(format!("p{}", state.asked), request);
            state.pending.push((asked.clone(), answer));
            state.status = AgentStatus::NeedsYou;
            (asked, state.stop_at_permission)
        };
        self.happened(AgentEvent::Permission { request: asked });
        self.changed();
        if ends && let Some(writer) = lock(&self.state).writer.take() {
            writer.end(Outcome::NeedsPermission);
        }
    }

    /// Takes back every question that nobody answered.
    fn cancel_pending(&self) {
        let pending = std::mem::take(&mut lock(&self.state).pending);
        for (request, answer) in pending {
            let _ = answer.send(None);
            self.happened(AgentEvent::PermissionResolved { id: request.id });
        }
    }

    /// Ends the turn that runs, for everyone who follows it.
    fn finish(&self, outcome: Outcome) {
        self.cancel_pending();
        let ended = AgentEvent::Ended {
            outcome: outcome.clone(),
        };
        let (writer, position) = {
            let mut state = lock(&self.state);
            let position = state.timeline.add(&ended);
            state.stop_at_permission = false;
            (state.status, state.last_error) = match &outcome {
                Outcome::Completed => (AgentStatus::Done, None),
                Outcome::Cancelled | Outcome::TimedOut => (AgentStatus::Idle, None),
                Outcome::NeedsPermission => (AgentStatus::NeedsYou, None),
                Outcome::Failed { message } => (AgentStatus::Failed, Some(message.clone())),
            };
            (state.writer.take(), position)
        };
        let _ = self.news.send(News::Event {
            agent: AgentId(self.id.clone()),
            event: Box::new(ended),
            position: Some(position),
        });
        self.changed();
        if let Some(writer) = writer {
            writer.end(outcome);
        }
    }
}

impl Acp {
    /// Makes the backend. No process is started before a session needs one.
    pub fn new(config: AcpConfig) -> Self {
        Self {
            inner: Arc::new(Inner {
                id: BackendId::new(BackendKind::Acp, &config.name),
                config,
                sessions: Mutex::default(),
                trouble: Mutex::default(),
                health: Mutex::new(Health::Unknown),
                news: broadcast::channel(1024).0,
            }),
        }
    }
}

impl Inner {
    fn find(&self, agent: &AgentId) -> Result<Arc<Session>, AgentError> {
        lock(&self.sessions)
            .get(&agent.0)
            .cloned()
            .ok_or_else(|| AgentError::UnknownAgent {
                agent: agent.0.clone(),
            })
    }

    /// Starts a process in `cwd`; its trouble is this backend's health.
    async fn open(&self, cwd: &str, ear: Arc<Ear>) -> Result<Link, AgentError> {
        if !cwd.starts_with('/') {
            return Err(AgentError::BadRequest {
                field: "cwd",
                message: format!("is `{cwd}`; give an absolute path"),
            });
        }
        let opened = Link::start(&self.config, cwd, ear).await;
        *lock(&self.trouble) = opened.as_ref().err().map(ToString::to_string);
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

    /// Why a request failed: the process may have ended, or the agent said no.
    async fn refused(
        &self,
        what: &str,
        link: &Link,
        error: agent_client_protocol::Error,
    ) -> AgentError {
        let over = tokio::time::timeout(Duration::from_millis(300), link.ended.cancelled()).await;
        if over.is_ok() || link.agent.is_incoming_closed() {
            let _ = tokio::time::timeout(Duration::from_secs(2), link.ended.cancelled()).await;
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
        let session = Arc::new(Session {
            id: id.to_owned(),
            backend: self.id.clone(),
            provider: self.config.name.clone(),
            cwd: cwd.to_owned(),
            link: tokio::sync::Mutex::new(None),
            state: Mutex::new(State {
                title,
                status: AgentStatus::Idle,
                last_error: None,
                labels,
                timeline: Timeline::new(),
                calls: Calls::default(),
                writer: None,
                pending: Vec::new(),
                stop_at_permission: false,
                deaths: 0,
                not_before: None,
                used: Instant::now(),
                asked: 0,
                heard: Arc::default(),
            }),
            news: self.news.clone(),
        });
        lock(&self.sessions).insert(id.to_owned(), session.clone());
        session
    }

    /// Watches the process of a session, and says so when it dies.
    fn watch(self: &Arc<Self>, session: &Arc<Session>, link: &Arc<Link>) {
        let ended = link.ended.clone();
        let (session, link) = (Arc::downgrade(session), Arc::downgrade(link));
        tokio::spawn(async move {
            ended.cancelled().await;
            let (Some(session), Some(link)) = (session.upgrade(), link.upgrade()) else {
                return;
            };
            let mut held = session.link.lock().await;
            if held.as_ref().is_some_and(|now| Arc::ptr_eq(now, &link)) {
                *held = None;
                if !lock(&session.state).status.is_busy() {
                    session.set_status(AgentStatus::Asleep);
                }
            }
        });
    }

    /// The warm process of a session, started again if it ended.
    async fn warm(self: &Arc<Self>, session: &Arc<Session>) -> Result<Arc<Link>, AgentError> {
        let mut held = session.link.lock().await;
        if let Some(link) = held.as_ref().filter(|link| !link.ended.is_cancelled()) {
            return Ok(link.clone());
        }
        *held = None;
        let not_before = lock(&session.state).not_before;
        if let Some(instant) = not_before {
            tokio::time::sleep_until(instant).await;
        }
        let ear = Arc::new(Ear::default());
        let link = self
            .open(&session.cwd, ear.clone())
            .await
            .inspect_err(|_| self.died(session))?;
        if !link.loads() {
            return Err(AgentError::Unsupported {
                backend: self.id.0.clone(),
                what: "go on with a conversation whose process ended",
                reason: format!("{} can't load sessions; start a new one", self.config.name),
            });
        }
        let request = LoadSessionRequest::new(session.id.clone(), session.cwd.clone());
        let loading = link.agent.send_request(request).block_task();
        self.within("session/load", &link, loading)
            .await
            .inspect_err(|_| self.died(session))?;
        // What it replays is known already, unless this side was started anew.
        if !lock(&session.state).timeline.is_empty() {
            lock(&ear.early).clear();
        }
        ear.bind(session);
        let link = Arc::new(link);
        self.watch(session, &link);
        *held = Some(link.clone());
        Ok(link)
    }

    fn died(&self, session: &Session) {
        let mut state = lock(&session.state);
        state.deaths = (state.deaths + 1).min(16);
        let pause = self.config.deadlines.backoff * 2u32.pow(state.deaths - 1);
        state.not_before = Some(Instant::now() + pause.min(self.config.deadlines.backoff_limit));
    }

    /// Ends the idle processes that were unused for longest, when there are too many.
    async fn cool(&self) {
        let mut idle: Vec<_> = lock(&self.sessions)
            .values()
            .filter(|session| {
                let state = lock(&session.state);
                !state.status.is_busy() && state.writer.is_none()
            })
            .cloned()
            .collect();
        idle.sort_by_key(|session| std::cmp::Reverse(lock(&session.state).used));
        for session in idle.into_iter().skip(self.config.warm) {
            // One that is being started right now is not idle any more.
            if let Ok(mut held) = session.link.try_lock()
                && !lock(&session.state).status.is_busy()
                && held.as_ref().is_some_and(|link| link.loads())
            {
                *held = None;
                session.set_status(AgentStatus::Asleep);
            }
        }
    }

    async fn start(self: &Arc<Self>, agent: NewAgent) -> Result<AgentInfo, AgentError> {
        let ear = Arc::new(Ear::default());
        let link = self.open(&agent.cwd, ear.clone()).await?;
        let request = NewSessionRequest::new(agent.cwd.clone());
        let making = link.agent.send_request(request).block_task();
        let made = self.within("session/new", &link, making).await?;
        let session = self.add(&made.session_id.0, &agent.cwd, agent.title, agent.labels);
        ear.bind(&session);
        let link = Arc::new(link);
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
    ) -> Result<AgentInfo, AgentError> {
        let ear = Arc::new(Ear::default());
        let link = self.open(cwd, ear.clone()).await?;
        if !link.loads() {
            return Err(AgentError::UnknownAgent { agent: id.into() });
        }
        let loading = link
            .agent
            .send_request(LoadSessionRequest::new(id.to_owned(), cwd))
            .block_task();
        self.within("session/load", &link, loading)
            .await
            .map_err(|error| match error {
                AgentError::Refused { .. } => AgentError::UnknownAgent { agent: id.into() },
                other => other,
            })?;
        let session = self.add(id, cwd, None, labels);
        ear.bind(&session);
        let link = Arc::new(link);
        self.watch(&session, &link);
        *session.link.lock().await = Some(link);
        self.cool().await;
        session.changed();
        Ok(session.info())
    }

    async fn prompt(self: &Arc<Self>, agent: &AgentId, prompt: Prompt) -> Result<Turn, AgentError> {
        let session = self.find(agent)?;
        let busy = lock(&session.state).status.is_busy();
        if busy {
            if !prompt.replace {
                return Err(AgentError::Busy {
                    agent: agent.clone(),
                });
            }
            self.stop(agent).await?;
        }
        let link = self.warm(&session).await?;
        let (turn, writer) = turn();
        {
            let mut state = lock(&session.state);
            if state.status.is_busy() {
                return Err(AgentError::Busy {
                    agent: agent.clone(),
                });
            }
            state.writer = Some(writer.clone());
            state.status = AgentStatus::Working;
            state.stop_at_permission = prompt.stop_at_permission;
            state.used = Instant::now();
            if state.title.is_none() {
                state.title = prompt
                    .text
                    .lines()
                    .next()
                    .map(|line| crate::error::capped(line, 80));
            }
        }
        session.happened(AgentEvent::Prompt {
            text: prompt.text.clone(),
        });
        session.happened(AgentEvent::Started);
        session.changed();
        let inner = self.clone();
        tokio::spawn(async move { inner.follow(session, link, writer, prompt).await });
        Ok(turn)
    }

    async fn follow(
        self: Arc<Self>,
        session: Arc<Session>,
        link: Arc<Link>,
        writer: TurnWriter,
        prompt: Prompt,
    ) {
        let deadlines = &self.config.deadlines;
        let request = PromptRequest::new(
            session.id.clone(),
            vec![ContentBlock::Text(TextContent::new(prompt.text))],
        );
        let answer = link.agent.send_request(request).block_task();
        tokio::pin!(answer);
        let timeout = prompt.timeout_ms.map(Duration::from_millis);
        let timed_out = sleep(timeout);
        tokio::pin!(timed_out);
        let heard = lock(&session.state).heard.clone();
        let stopped = loop {
            let waits = !lock(&session.state).pending.is_empty();
            let silent = (!waits).then_some(deadlines.silent_turn);
            tokio::select! {
                answered = &mut answer => {
                    let outcome = match answered {
                        Ok(response) => {
                            lock(&session.state).deaths = 0;
                            lock(&session.state).not_before = None;
                            match response.stop_reason {
                                StopReason::EndTurn => Outcome::Completed,
                                StopReason::Cancelled => Outcome::Cancelled,
                                StopReason::MaxTokens => failed("the agent ran out of tokens"),
                                StopReason::MaxTurnRequests => failed("the agent reached its limit of requests in one turn"),
                                StopReason::Refusal => failed("the agent refused to go on"),
                                _ => Outcome::Completed,
                            }
                        }
                        Err(error) => {
                            let error = self.refused("session/prompt", &link, error).await;
                            if matches!(error, AgentError::Lost { .. }) {
                                self.died(&session);
                                *session.link.lock().await = None;
                            }
                            failed(&error.to_string())
                        }
                    };
                    session.finish(outcome);
                    return;
                }
                () = writer.cancelled().cancelled() => break Outcome::Cancelled,
                () = &mut timed_out => break Outcome::TimedOut,
                () = heard.notified() => {}
                () = sleep(silent) => break failed(&format!(
                    "nothing was heard of the agent for {} s, so it was stopped",
                    deadlines.silent_turn.as_secs_f32()
                )),
            }
        };
        session.cancel_pending();
        // An agent that can't even be told is ended below.
        let _ = link
            .agent
            .send_notification(CancelNotification::new(session.id.clone()));
        if tokio::time::timeout(deadlines.stop, answer).await.is_err() {
            tracing::warn!(
                agent = self.config.name,
                "an agent did not stop when told to; its process is ended"
            );
            *session.link.lock().await = None;
        }
        session.finish(stopped);
    }

    async fn stop(&self, agent: &AgentId) -> Result<bool, AgentError> {
        let session = self.find(agent)?;
        let mut told = session.news.subscribe();
        let writer = {
            let state = lock(&session.state);
            if !state.status.is_busy() {
                return Ok(false);
            }
            state.writer.clone()
        };
        match writer {
            Some(writer) => writer.cancelled().cancel(),
            // Its caller left when a permission was asked: the turn is ended with its questions.
            None => session.cancel_pending(),
        }
        let ended = async {
            while lock(&session.state).status.is_busy() {
                if let Err(broadcast::error::RecvError::Closed) = told.recv().await {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(self.config.deadlines.stop * 2, ended).await;
        Ok(true)
    }

    fn answer(
        &self,
        agent: &AgentId,
        id: &str,
        answer: PermissionAnswer,
    ) -> Result<bool, AgentError> {
        let session = self.find(agent)?;
        let (request, reply) = {
            let mut state = lock(&session.state);
            let at = state
                .pending
                .iter()
                .position(|(request, _)| request.id == id)
                .ok_or_else(|| AgentError::PermissionGone {
                    permission: id.into(),
                })?;
            let taken = state.pending.remove(at);
            if state.pending.is_empty() {
                state.status = AgentStatus::Working;
            }
            taken
        };
        let first = |kinds: &[PermissionOptionKind]| {
            kinds.iter().find_map(|kind| {
                let word = match kind {
                    PermissionOptionKind::AllowOnce => "allow_once",
                    PermissionOptionKind::AllowAlways => "allow_always",
                    PermissionOptionKind::RejectOnce => "reject_once",
                    _ => "reject_always",
                };
                request
                    .options
                    .iter()
                    .find(|option| option.kind == word)
                    .map(|option| option.id.clone())
            })
        };
        use PermissionOptionKind as K;
        let (chosen, interrupt) = match answer {
            PermissionAnswer::Allow => (first(&[K::AllowOnce, K::AllowAlways]), false),
            PermissionAnswer::AllowAlways => (first(&[K::AllowAlways, K::AllowOnce]), false),
            PermissionAnswer::Deny { interrupt, .. } => {
                (first(&[K::RejectOnce, K::RejectAlways]), interrupt)
            }
        };
        if reply.send(chosen).is_err() {
            return Err(AgentError::PermissionGone {
                permission: id.into(),
            });
        }
        session.happened(AgentEvent::PermissionResolved { id: id.into() });
        session.changed();
        Ok(interrupt)
    }

    async fn close(&self, agent: &AgentId, force: bool) -> Result<Archived, AgentError> {
        let session = self.find(agent)?;
        let status = lock(&session.state).status.clone();
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
        end(&session).await;
        session.set_status(AgentStatus::Archived);
        Ok(Archived {
            at: None,
            already: false,
        })
    }
}

/// Ends the process of a session and waits until it is gone.
async fn end(session: &Session) {
    if let Some(link) = session.link.lock().await.take() {
        let ended = link.ended.clone();
        drop(link);
        let _ = tokio::time::timeout(Duration::from_secs(3), ended.cancelled()).await;
    }
}

fn failed(message: &str) -> Outcome {
    Outcome::Failed {
        message: message.into(),
    }
}

impl AgentBackend for Acp {
    fn kind(&self) -> BackendKind {
        BackendKind::Acp
    }

    fn id(&self) -> &BackendId {
        &self.inner.id
    }

    fn health(&self) -> Health {
        lock(&self.inner.health).clone()
    }

    fn check(&self) -> std::pin::Pin<Box<dyn Future<Output = Health> + Send + '_>> {
        Box::pin(async {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let found = find_program(&self.inner.config.program, &path);
            let trouble = lock(&self.inner.trouble).clone();
            let health = match (found, trouble) {
                (None, _) => Health::Down {
                    reason: format!(
                        "`{}` is not on the PATH; install it, or say in the settings where it is",
                        self.inner.config.program.display()
                    ),
                },
                (Some(_), Some(reason)) => Health::Down { reason },
                (Some(_), None) => Health::Up {
                    version: None,
                    transport: "stdio".into(),
                },
            };
            *lock(&self.inner.health) = health.clone();
            health
        })
    }

    fn busy(&self) -> bool {
        lock(&self.inner.sessions)
            .values()
            .any(|session| lock(&session.state).status.is_busy())
    }

    fn list(&self, which: ListAgents) -> Answer<'_, Vec<AgentInfo>> {
        Box::pin(async move {
            let mut agents: Vec<_> = lock(&self.inner.sessions)
                .values()
                .map(|session| session.info())
                .filter(|agent| which.archived || agent.status != AgentStatus::Archived)
                .filter(|agent| {
                    which
                        .labels
                        .iter()
                        .all(|(name, value)| agent.labels.get(name) == Some(value))
                })
                .collect();
            agents.sort_by(|a, b| a.id.cmp(&b.id));
            sort_for_people(&mut agents);
            Ok(agents)
        })
    }

    fn recall(&self, row: &SessionRow) {
        if lock(&self.inner.sessions).contains_key(&row.session.0) {
            return;
        }
        let labels = BTreeMap::new();
        let session = self
            .inner
            .add(&row.session.0, &row.worktree, row.title.clone(), labels);
        session.set_status(AgentStatus::Asleep);
    }

    fn inspect<'a>(&'a self, name: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(async move {
            let agents: Vec<_> = lock(&self.inner.sessions)
                .values()
                .map(|session| session.info())
                .collect();
            resolve(&agents, name).cloned()
        })
    }

    fn start(&self, agent: NewAgent) -> Answer<'_, AgentInfo> {
        Box::pin(self.inner.start(agent))
    }

    fn resume<'a>(&'a self, agent: &'a AgentId, cwd: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(async move {
            match self.inner.find(agent) {
                Ok(session) => Ok(session.info()),
                Err(_) => self.inner.load(&agent.0, cwd, BTreeMap::new()).await,
            }
        })
    }

    fn import(&self, session: ImportSession) -> Answer<'_, AgentInfo> {
        Box::pin(async move {
            let cwd = session.cwd.ok_or_else(|| AgentError::BadRequest {
                field: "cwd",
                message: "is missing; say in which directory the session works".into(),
            })?;
            self.inner
                .load(&session.session, &cwd, session.labels)
                .await
        })
    }

    fn prompt<'a>(&'a self, agent: &'a AgentId, prompt: Prompt) -> Answer<'a, Turn> {
        Box::pin(async move {
            check_prompt(&prompt)?;
            self.inner.prompt(agent, prompt).await
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
                let state = lock(&session.state);
                state.timeline.is_empty() && state.status == AgentStatus::Asleep
            };
            if unread {
                // The agent tells what was said when its session is loaded.
                self.inner.warm(&session).await?;
                session.set_status(AgentStatus::Idle);
            }
            Ok(lock(&session.state).timeline.entries())
        })
    }

    fn close<'a>(&'a self, agent: &'a AgentId, force: bool) -> Answer<'a, Archived> {
        Box::pin(self.inner.close(agent, force))
    }

    fn dispose(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let sessions: Vec<_> = lock(&self.inner.sessions)
                .drain()
                .map(|(_, session)| session)
                .collect();
            futures_util::future::join_all(sessions.iter().map(|session| end(session))).await;
            Ok(())
        })
    }

    fn news(&self) -> BoxStream<'static, News> {
        news_of(self.inner.news.subscribe())
    }
}
