//! A server of OpenCode (`opencode serve`): its sessions over HTTP, and what happens in them as a stream of events.
//!
//! The server owns the conversations: whoever else talks to it, in its own terminal face or in a browser, sees the same
//! ones, and what they do is told here as what we do is told there.

mod events;
mod hearing;
mod http;
mod session;
mod turns;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use clock::Clock;
use futures_util::future::join_all;
use futures_util::stream::BoxStream;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::address::HostAddress;
use crate::backend::{AgentBackend, Answer, check_prompt, resolve, sort_for_people};
use crate::error::AgentError;
use crate::news::{News, news_of};
use crate::opencode::hearing::Link;
use crate::opencode::http::{Ask, Http};
use crate::opencode::session::{Asked, Question, Session, Told};
use crate::opencode::wire::{Info, LABELS};
use crate::secret::{PasswordRef, Secret, read_password};
use crate::turn::Turn;
use crate::types::{
    AgentId, AgentInfo, Archived, BackendId, BackendKind, Health, ImportSession, KnownSession,
    ListAgents, NewAgent, Offers, Outcome, PermissionAnswer, Prompt, TimelineEntry,
};

/// How many sessions are listed, the newest first.
const SESSIONS_LIMIT: usize = 200;
/// In how many directories is asked what runs there: the server makes itself at home in each that is named.
const DIRECTORIES_LIMIT: usize = 8;

/// How long each stage may take.
#[derive(Debug, Clone)]
pub struct OpenCodeDeadlines {
    /// One request. The first in a directory waits until the server has made itself at home there.
    pub request: Duration,
    /// Silence on the stream of events after which it counts as lost; the server says something every ten seconds.
    pub silence: Duration,
    /// How long a turn waits for a lost server to come back.
    pub reconnect: Duration,
    /// How long an agent that was told to stop may take.
    pub stop: Duration,
}

impl Default for OpenCodeDeadlines {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            silence: Duration::from_secs(45),
            reconnect: Duration::from_secs(20),
            stop: Duration::from_secs(10),
        }
    }
}

/// A server and how to reach it.
#[derive(Debug, Clone)]
pub struct OpenCodeConfig {
    /// Where it listens.
    pub address: HostAddress,
    /// Where its password is kept, if it has one.
    pub password: Option<PasswordRef>,
    /// How long each stage may take.
    pub deadlines: OpenCodeDeadlines,
}

impl OpenCodeConfig {
    /// The server at `address`, with defaults for all the rest.
    pub fn new(address: HostAddress) -> Self {
        Self {
            address,
            password: None,
            deadlines: OpenCodeDeadlines::default(),
        }
    }
}

/// A client of one server. Cheap to clone; all clones share one stream of events.
#[derive(Clone)]
pub struct OpenCode {
    inner: Arc<Inner>,
}

struct Inner {
    id: BackendId,
    config: OpenCodeConfig,
    clock: Clock,
    http: Http,
    secret: Mutex<Option<Secret>>,
    sessions: Mutex<BTreeMap<String, Session>>,
    /// Sessions that agents began for themselves, and whose they are in the end.
    children: Mutex<HashMap<String, String>>,
    /// What can be chosen, by directory.
    offered: Mutex<HashMap<String, Arc<Offered>>>,
    link: tokio::sync::Mutex<Option<Link>>,
    health: Mutex<Health>,
    news: broadcast::Sender<News>,
}

/// What the server offers in a directory, as it told.
#[derive(Debug)]
struct Offered {
    providers: Value,
    agents: Value,
    commands: Value,
}

impl OpenCode {
    /// Makes a client. Nothing is connected before it is needed; `clock` says when something was put away.
    ///
    /// # Errors
    ///
    /// [`AgentError::BadRequest`] for an encrypted address, which this can't speak to.
    pub fn new(config: OpenCodeConfig, clock: Clock) -> Result<Self, AgentError> {
        if !config.address.has_socket() {
            return Err(AgentError::BadRequest {
                field: "address".into(),
                message: format!(
                    "is `{}`, and encrypted servers are not reached; use a tunnel: `ssh -L 4096:localhost:4096 …`, and `localhost:4096`",
                    config.address
                ),
            });
        }
        Ok(Self {
            inner: Arc::new(Inner {
                id: BackendId::new(BackendKind::OpenCode, &config.address.to_string()),
                http: Http {
                    address: config.address.clone(),
                    deadline: config.deadlines.request,
                    silence: config.deadlines.silence,
                },
                clock,
                secret: Mutex::default(),
                sessions: Mutex::default(),
                children: Mutex::default(),
                offered: Mutex::default(),
                link: tokio::sync::Mutex::default(),
                health: Mutex::new(Health::Unknown),
                news: broadcast::channel(4096).0,
                config,
            }),
        })
    }
}

/// Whether this can be the id of a session: only such a one is made part of a path.
fn is_id(text: &str) -> bool {
    text.starts_with("ses_")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn unknown(agent: &str) -> AgentError {
    AgentError::UnknownAgent {
        agent: agent.to_owned(),
    }
}

/// The server has nothing of this name.
fn is_gone(error: &AgentError) -> bool {
    matches!(error, AgentError::Refused { code, .. } if code == "404")
}

impl Inner {
    async fn password(&self) -> Result<Option<Secret>, AgentError> {
        let Some(reference) = &self.config.password else {
            return Ok(None);
        };
        if let Some(secret) = self.secret.lock().clone() {
            return Ok(Some(secret));
        }
        let secret = read_password(reference).await?;
        *self.secret.lock() = Some(secret.clone());
        Ok(Some(secret))
    }

    async fn ask(
        &self,
        method: &'static str,
        path: &str,
        cwd: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, AgentError> {
        let password = self.password().await?;
        let ask = Ask {
            method,
            path,
            cwd,
            body,
        };
        let answer = self.http.ask(ask, password.as_ref()).await;
        if matches!(answer, Err(AgentError::Password { .. })) {
            // Another one may be kept there by now.
            *self.secret.lock() = None;
        }
        answer
    }

    async fn get(&self, path: &str, cwd: &str) -> Result<Value, AgentError> {
        self.ask("GET", path, Some(cwd), None).await
    }

    /// Changes one session, and tells what came of it.
    fn with<T>(
        &self,
        id: &str,
        change: impl FnOnce(&mut Session, &mut Told) -> T,
    ) -> Result<T, AgentError> {
        let mut told = Told::default();
        let value = {
            let mut sessions = self.sessions.lock();
            let session = sessions.get_mut(id).ok_or_else(|| unknown(id))?;
            let value = change(session, &mut told);
            if told.again {
                session.forget_texts();
            }
            value
        };
        self.tell(told);
        Ok(value)
    }

    fn tell(&self, told: Told) {
        for news in told.news {
            // Nobody listening is fine.
            let _ = self.news.send(news);
        }
        if told.again {
            let _ = self.news.send(News::ListAgain);
        }
        for (writer, outcome) in told.ends {
            writer.end(outcome);
        }
    }

    fn root(&self, id: &str) -> String {
        let children = self.children.lock();
        children.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    fn asked(&self, told: &Value, question: Option<Question>) {
        let Some(id) = told["sessionID"].as_str() else {
            return;
        };
        let request = match &question {
            Some(question) => wire::question(&question.told, question.answers.len()),
            None => wire::permission(told),
        };
        if let Some(request) = request {
            let call = told["tool"]["callID"].as_str();
            let backend = self.id.clone();
            let _ = self.with(&self.root(id), |session, out| {
                session.working(&backend, out);
                session.asks(Asked { request, question }, call, &backend, out);
            });
        }
    }

    /// Takes what is told of a session, and keeps those that a person began.
    fn know(&self, info: Info) {
        if let Some(parent) = &info.parent {
            let root = self.root(parent);
            self.children.lock().insert(info.id.clone(), root);
            return;
        }
        let mut told = Told::default();
        {
            let mut sessions = self.sessions.lock();
            let session = match sessions.get_mut(&info.id) {
                Some(session) => {
                    session.know(info);
                    session
                }
                None => sessions
                    .entry(info.id.clone())
                    .or_insert_with(|| Session::new(info)),
            };
            session.changed(&self.id, &mut told);
        }
        self.tell(told);
    }

    fn gone(&self, id: &str) {
        if let Some(mut session) = self.sessions.lock().remove(id) {
            let mut told = Told::default();
            session.cut_off("the session was deleted", &self.id, &mut told);
            told.news.push(News::Removed(AgentId(id.to_owned())));
            self.tell(told);
        }
    }

    fn info(&self, id: &str) -> Result<AgentInfo, AgentError> {
        let sessions = self.sessions.lock();
        let session = sessions.get(id).ok_or_else(|| unknown(id))?;
        Ok(session.agent(&self.id))
    }

    fn cwd(&self, id: &str) -> Result<String, AgentError> {
        let sessions = self.sessions.lock();
        let session = sessions.get(id).ok_or_else(|| unknown(id))?;
        Ok(session.info.cwd.clone())
    }

    /// Asks for one session, and knows it from then on.
    async fn fetch(self: &Arc<Self>, id: &str) -> Result<AgentInfo, AgentError> {
        if !is_id(id) {
            return Err(unknown(id));
        }
        let told = self.ask("GET", &format!("/session/{id}"), None, None).await;
        let told = told.map_err(|error| match is_gone(&error) {
            true => unknown(id),
            false => error,
        })?;
        let info = wire::info(&told).ok_or_else(|| unknown(id))?;
        let cwd = info.cwd.clone();
        self.know(info);
        self.look(&cwd).await?;
        self.info(id)
    }

    async fn ensure(self: &Arc<Self>, id: &str) -> Result<(), AgentError> {
        self.link().await?;
        if self.sessions.lock().contains_key(id) {
            return Ok(());
        }
        self.fetch(id).await.map(drop)
    }

    /// Asks what runs, and what is asked, in a directory.
    async fn look(&self, cwd: &str) -> Result<(), AgentError> {
        let (status, permissions, questions) = tokio::join!(
            self.get("/session/status", cwd),
            self.get("/permission", cwd),
            self.get("/question", cwd),
        );
        let status = status?;
        for (id, state) in status.as_object().into_iter().flatten() {
            if state["type"] != "idle" {
                let _ = self.with(id, |session, out| session.working(&self.id, out));
            }
        }
        for told in permissions?.as_array().into_iter().flatten() {
            self.asked(told, None);
        }
        // Older servers ask no questions.
        let questions = questions.unwrap_or_default();
        for told in questions.as_array().into_iter().flatten() {
            let question = Question {
                told: told.clone(),
                answers: Vec::new(),
            };
            self.asked(told, Some(question));
        }
        Ok(())
    }

    async fn list(self: &Arc<Self>, which: &ListAgents) -> Result<Vec<AgentInfo>, AgentError> {
        let listed = self.list_again(which.archived).await;
        self.note_health(listed.as_ref().err());
        listed?;
        let sessions = self.sessions.lock();
        let mut agents: Vec<_> = sessions.values().collect();
        agents.sort_by_key(|session| std::cmp::Reverse(session.info.updated_ms));
        let mut agents: Vec<_> = agents
            .into_iter()
            .map(|session| session.agent(&self.id))
            .filter(|agent| which.fits(agent))
            .collect();
        sort_for_people(&mut agents);
        Ok(agents)
    }

    async fn list_again(self: &Arc<Self>, archived: bool) -> Result<(), AgentError> {
        self.link().await?;
        let query = format!("roots=true&limit={SESSIONS_LIMIT}");
        let all = format!("/experimental/session?{query}&archived={archived}");
        let told = match self.ask("GET", &all, None, None).await {
            // Only those of the server's own project, then.
            Err(error) if is_gone(&error) => {
                let path = format!("/session?{query}");
                self.ask("GET", &path, None, None).await?
            }
            told => told?,
        };
        let infos = told.as_array().into_iter().flatten();
        let mut infos: Vec<_> = infos.filter_map(wire::info).collect();
        infos.sort_by_key(|info| std::cmp::Reverse(info.updated_ms));
        let mut directories: Vec<String> = Vec::new();
        for info in infos.iter().filter(|info| !info.archived) {
            if directories.len() < DIRECTORIES_LIMIT && !directories.contains(&info.cwd) {
                directories.push(info.cwd.clone());
            }
        }
        {
            let mut sessions = self.sessions.lock();
            let listed = |id: &String| infos.iter().any(|info| info.id == *id);
            sessions.retain(|id, session| listed(id) || session.run.is_some());
            for info in infos {
                match sessions.get_mut(&info.id) {
                    Some(session) => session.know(info),
                    None if info.parent.is_none() => {
                        sessions.insert(info.id.clone(), Session::new(info));
                    }
                    None => {}
                }
            }
        }
        let looks = directories.iter().map(|cwd| self.look(cwd));
        for (cwd, looked) in directories.iter().zip(join_all(looks).await) {
            // A directory that is no more must not hide what happens in the others.
            if let Err(error) = looked {
                tracing::debug!(%error, cwd, "what runs there is not told");
            }
        }
        Ok(())
    }

    fn note_health(&self, error: Option<&AgentError>) {
        if let Some(error) = error {
            *self.health.lock() = Health::Down {
                reason: error.to_string(),
            };
        }
    }

    async fn check(&self) -> Health {
        let health = match self.ask("GET", "/global/health", None, None).await {
            Ok(told) => Health::Up {
                version: told["version"].as_str().map(str::to_owned),
                transport: "http".into(),
            },
            Err(error) if is_gone(&error) => Health::Down {
                reason: format!(
                    "`{}` is no OpenCode server of version 1.0 or later",
                    self.config.address
                ),
            },
            Err(error) => Health::Down {
                reason: error.to_string(),
            },
        };
        *self.health.lock() = health.clone();
        health
    }

    /// What can be chosen in a directory, asked for once.
    async fn offered(&self, cwd: &str) -> Result<Arc<Offered>, AgentError> {
        if let Some(offered) = self.offered.lock().get(cwd) {
            return Ok(Arc::clone(offered));
        }
        let (providers, agents, commands) = tokio::join!(
            self.get("/config/providers", cwd),
            self.get("/agent", cwd),
            self.get("/command", cwd),
        );
        let offered = Arc::new(Offered {
            providers: providers?,
            agents: agents?,
            commands: commands?,
        });
        let kept = Arc::clone(&offered);
        self.offered.lock().insert(cwd.to_owned(), kept);
        Ok(offered)
    }

    /// Notes what a session offers.
    async fn offer(&self, id: &str) -> Result<(), AgentError> {
        let offered = self.offered(&self.cwd(id)?).await?;
        self.with(id, |session, _| {
            let in_force = (session.info.model.as_deref(), session.info.mode.as_deref());
            session.offers = offered.offers(in_force);
            let size = in_force
                .0
                .and_then(|model| wire::context_size(&offered.providers, model));
            session.usage.context_size = size.or(session.usage.context_size);
        })
    }

    async fn start(self: &Arc<Self>, agent: NewAgent) -> Result<AgentInfo, AgentError> {
        if !agent.cwd.starts_with('/') {
            return Err(AgentError::BadRequest {
                field: "cwd".into(),
                message: format!("is `{}`; give an absolute path", agent.cwd),
            });
        }
        self.link().await?;
        let mut body = json!({ "metadata": { LABELS: agent.labels } });
        if let Some(title) = &agent.title {
            body["title"] = json!(title);
        }
        if agent.model.is_some() || agent.mode.is_some() {
            let offers = self.offered(&agent.cwd).await?.offers((None, None));
            if let Some(model) = &agent.model {
                let model = choice(&offers, "model", model)?.1;
                body["model"] = model_body(&model, "id");
            }
            if let Some(mode) = &agent.mode {
                body["agent"] = json!(choice(&offers, "mode", mode)?.1);
            }
        }
        let made = self
            .ask("POST", "/session", Some(&agent.cwd), Some(&body))
            .await?;
        let mut info = wire::info(&made).ok_or_else(|| AgentError::Garbled {
            what: "POST /session".into(),
            reason: "it has no `id`".into(),
            got: crate::error::capped(&made.to_string(), 200),
        })?;
        let id = info.id.clone();
        if info.labels.is_empty() {
            info.labels = agent.labels;
        }
        self.know(info);
        let _ = self.with(&id, |session, _| session.read = true);
        self.offer(&id).await?;
        self.info(&id)
    }

    async fn choose(
        self: &Arc<Self>,
        agent: &AgentId,
        setting: &str,
        value: &str,
    ) -> Result<AgentInfo, AgentError> {
        self.ensure(&agent.0).await?;
        self.offer(&agent.0).await?;
        let offers = self.info(&agent.0)?.offers;
        let (setting, value) = choice(&offers, setting, value)?;
        self.with(&agent.0, |session, _| match setting.as_str() {
            "model" => session.info.model = Some(value),
            _ => session.info.mode = Some(value),
        })?;
        self.offer(&agent.0).await?;
        self.with(&agent.0, |session, out| session.changed(&self.id, out))?;
        self.info(&agent.0)
    }

    /// Asks what was said so far.
    async fn read_back(&self, id: &str) -> Result<(), AgentError> {
        let cwd = self.cwd(id)?;
        self.with(id, |session, _| session.reads())?;
        let messages = self.get(&format!("/session/{id}/message"), &cwd).await;
        self.with(id, |session, _| session.has_read(messages.as_ref().ok()))?;
        messages.map(drop)
    }

    async fn timeline(self: &Arc<Self>, id: &str) -> Result<Vec<TimelineEntry>, AgentError> {
        self.ensure(id).await?;
        if !self.with(id, |session, _| session.read)? {
            self.read_back(id).await?;
            // What can be chosen is wanted as soon as a conversation is open, and is no reason not to show it.
            if self.offer(id).await.is_ok() {
                let _ = self.with(id, |session, out| session.changed(&self.id, out));
            }
        }
        self.with(id, |session, _| session.held.timeline.entries())
    }

    async fn close(self: &Arc<Self>, id: &str, force: bool) -> Result<Archived, AgentError> {
        self.ensure(id).await?;
        let info = self.info(id)?;
        if info.status == crate::types::AgentStatus::Archived {
            return Ok(Archived {
                at: None,
                already: true,
            });
        }
        if info.status.is_busy() {
            if !force {
                return Err(AgentError::Busy { agent: info.id });
            }
            self.stop(id, Outcome::Cancelled).await?;
        }
        let now = json!(self.clock.now_ms());
        let body = json!({ "time": { "archived": now } });
        let path = format!("/session/{id}");
        let told = self
            .ask("PATCH", &path, Some(&info.cwd), Some(&body))
            .await?;
        if let Some(info) = wire::info(&told) {
            self.know(info);
        }
        Ok(Archived {
            at: wire::at(&now),
            already: false,
        })
    }

    async fn fork(self: &Arc<Self>, id: &str) -> Result<AgentInfo, AgentError> {
        self.ensure(id).await?;
        let info = self.info(id)?;
        if info.status.is_busy() {
            return Err(AgentError::Busy { agent: info.id });
        }
        let path = format!("/session/{id}/fork");
        let made = self
            .ask("POST", &path, Some(&info.cwd), Some(&json!({})))
            .await?;
        let mut fork = wire::info(&made).ok_or_else(|| unknown(id))?;
        fork.model = fork.model.or(info.model);
        fork.labels = info.labels;
        let id = fork.id.clone();
        self.know(fork);
        self.offer(&id).await?;
        self.info(&id)
    }
}

impl Offered {
    fn offers(&self, in_force: (Option<&str>, Option<&str>)) -> Offers {
        wire::offers(&self.providers, &self.agents, &self.commands, in_force)
    }
}

fn model_body(model: &str, field: &str) -> Value {
    let (provider, model) = model.split_once('/').unwrap_or(("", model));
    json!({ "providerID": provider, field: model })
}

/// The setting and the value that are meant, by their ids.
fn choice(offers: &Offers, setting: &str, value: &str) -> Result<(String, String), AgentError> {
    let names = |names: Vec<&str>| {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let mut known = offers.settings.iter();
    let found = known.find(|known| known.id == setting || known.name == setting);
    let found = found.ok_or_else(|| AgentError::BadRequest {
        field: "setting".into(),
        message: format!(
            "is `{setting}`; what can be chosen are {}",
            names(offers.settings.iter().map(|known| &*known.id).collect())
        ),
    })?;
    let mut choices = found.choices.iter();
    let choice = choices.find(|choice| choice.value == value || choice.name == value);
    let choice = choice.ok_or_else(|| AgentError::BadRequest {
        field: found.id.clone().into(),
        message: format!(
            "is `{value}`, which is not offered; there are {}",
            names(found.choices.iter().map(|choice| &*choice.value).collect())
        ),
    })?;
    Ok((found.id.clone(), choice.value.clone()))
}

impl AgentBackend for OpenCode {
    fn kind(&self) -> BackendKind {
        BackendKind::OpenCode
    }

    fn id(&self) -> &BackendId {
        &self.inner.id
    }

    fn health(&self) -> Health {
        self.inner.health.lock().clone()
    }

    fn check(&self) -> std::pin::Pin<Box<dyn Future<Output = Health> + Send + '_>> {
        Box::pin(self.inner.check())
    }

    fn busy(&self) -> bool {
        let sessions = self.inner.sessions.lock();
        sessions
            .values()
            .any(|session| session.held.writer.is_some())
    }

    fn list(&self, which: ListAgents) -> Answer<'_, Vec<AgentInfo>> {
        Box::pin(async move { self.inner.list(&which).await })
    }

    fn inspect<'a>(&'a self, name: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(async move {
            self.inner.link().await?;
            if is_id(name) && !self.inner.sessions.lock().contains_key(name) {
                // It may be older than what is listed, or no more than the beginning of an id.
                match self.inner.fetch(name).await {
                    Err(AgentError::UnknownAgent { .. } | AgentError::Refused { .. }) => {}
                    fetched => drop(fetched?),
                }
            }
            let which = ListAgents {
                archived: true,
                ..ListAgents::default()
            };
            let known = self.inner.info(name);
            let agent = match known {
                Ok(agent) => agent,
                Err(_) => resolve(&self.inner.list(&which).await?, name).cloned()?,
            };
            self.inner.offer(&agent.id.0).await?;
            self.inner.info(&agent.id.0)
        })
    }

    fn start(&self, agent: NewAgent) -> Answer<'_, AgentInfo> {
        Box::pin(self.inner.start(agent))
    }

    fn resume<'a>(&'a self, agent: &'a AgentId, _cwd: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(async move {
            self.inner.link().await?;
            self.inner.fetch(&agent.0).await
        })
    }

    fn import(&self, session: ImportSession) -> Answer<'_, AgentInfo> {
        Box::pin(async move {
            self.inner.link().await?;
            self.inner.fetch(&session.session).await
        })
    }

    fn sessions<'a>(&'a self, cwd: &'a str) -> Answer<'a, Vec<KnownSession>> {
        Box::pin(async move {
            let path = format!("/session?roots=true&limit={SESSIONS_LIMIT}");
            let told = self.inner.get(&path, cwd).await?;
            let infos = told.as_array().into_iter().flatten();
            Ok(infos
                .filter_map(wire::info)
                .map(|info| KnownSession {
                    id: info.id,
                    cwd: info.cwd,
                    title: info.title,
                    updated_at: info.updated,
                })
                .collect())
        })
    }

    fn prompt<'a>(&'a self, agent: &'a AgentId, prompt: Prompt) -> Answer<'a, Turn> {
        Box::pin(async move {
            check_prompt(&prompt)?;
            self.inner.prompt(agent, prompt).await
        })
    }

    fn choose<'a>(
        &'a self,
        agent: &'a AgentId,
        setting: &'a str,
        value: &'a str,
    ) -> Answer<'a, AgentInfo> {
        Box::pin(self.inner.choose(agent, setting, value))
    }

    fn fork<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, AgentInfo> {
        Box::pin(self.inner.fork(&agent.0))
    }

    fn stop<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, bool> {
        Box::pin(async move {
            self.inner.ensure(&agent.0).await?;
            self.inner.stop(&agent.0, Outcome::Cancelled).await
        })
    }

    fn answer<'a>(
        &'a self,
        agent: &'a AgentId,
        permission: &'a str,
        answer: PermissionAnswer,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            self.inner.ensure(&agent.0).await?;
            self.inner.answer(&agent.0, permission, answer).await
        })
    }

    fn timeline<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, Vec<TimelineEntry>> {
        Box::pin(self.inner.timeline(&agent.0))
    }

    fn close<'a>(&'a self, agent: &'a AgentId, force: bool) -> Answer<'a, Archived> {
        Box::pin(self.inner.close(&agent.0, force))
    }

    /// The server goes on; only what connects us to it ends.
    fn dispose(&self) -> Answer<'_, ()> {
        Box::pin(async {
            *self.inner.link.lock().await = None;
            self.inner
                .cut_off("Switchyard ends; the agent goes on at its server");
            Ok(())
        })
    }

    fn news(&self) -> BoxStream<'static, News> {
        news_of(self.inner.news.subscribe())
    }
}
