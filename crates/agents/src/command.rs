//! Any program in a pane: each prompt is one start of it, its output is the answer, its exit the end.

mod stream;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::backend::{AgentBackend, Answer, check_prompt, no_images, resolve, sort_for_people};
use crate::command::stream::{Kind, Reader};
use crate::error::AgentError;
use crate::held::Held;
use crate::news::{News, news_of};
use crate::process::sleep;
use crate::program;
use crate::sessions::SessionRow;
use crate::turn::{Turn, TurnWriter, turn};
use crate::types::{
    AgentEvent, AgentId, AgentInfo, AgentStatus, Archived, BackendId, BackendKind, Health,
    ImportSession, ListAgents, NewAgent, Outcome, PermissionAnswer, Prompt, TimelineEntry, Usage,
};

/// The longest single argument that Linux takes, with room to spare.
const ARGUMENT_LIMIT: usize = 120_000;

/// What this room needs of terminals; `app` answers with panes.
pub trait Terminals: Send + Sync {
    /// Opens a pane that runs `program` in `cwd`, and follows it.
    fn open<'a>(
        &'a self,
        program: &'a [String],
        cwd: &'a str,
        name: &'a str,
    ) -> Answer<'a, Box<dyn Terminal>>;
}

/// One program in a pane.
pub trait Terminal: Send {
    /// The pane's number, for going there.
    fn pane(&self) -> u32;
    /// Waits for what happens next; `None` once the program has ended and all was told.
    fn next(
        &mut self,
    ) -> std::pin::Pin<Box<dyn Future<Output = Option<TerminalEvent>> + Send + '_>>;
    /// Ends the program and all that it started. Its pane and its output stay.
    fn stop(&self) -> Answer<'_, ()>;
}

/// What happens in a pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalEvent {
    /// The program printed text; without colours and cursor movements.
    Output(String),
    /// It waits for a person (a bell, OSC 9, 777, 99); the words that came with it.
    NeedsYou(String),
    /// It goes on.
    Working,
    /// It ended.
    Exited {
        /// Its exit status, if it ended by itself.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<String>,
    },
}

/// A program and how it takes a prompt.
#[derive(Debug, Clone)]
pub struct CommandConfig {
    /// Its name among the backends.
    pub name: String,
    /// The program and its arguments. `{prompt}` in one of them is where the prompt goes; without
    /// it, the prompt is the last argument.
    pub program: Vec<String>,
    /// How long it may print nothing before it is stopped, unless it waits for a person.
    pub silent_turn: Duration,
}

/// One program as an agent backend. Cheap to clone.
#[derive(Clone)]
pub struct Command {
    inner: Arc<Inner>,
}

struct Inner {
    id: BackendId,
    config: CommandConfig,
    terminals: Arc<dyn Terminals>,
    sessions: Mutex<HashMap<String, Session>>,
    health: Mutex<Health>,
    news: broadcast::Sender<News>,
}

struct Session {
    held: Held,
    cwd: String,
    pane: Option<u32>,
    /// The program's own name of the conversation, to go on with.
    conversation: Option<String>,
    usage: Option<Usage>,
}

impl Command {
    /// Makes the backend; its programs run in `terminals`.
    ///
    /// # Errors
    ///
    /// [`AgentError::BadRequest`] when the program is empty.
    pub fn new(config: CommandConfig, terminals: Arc<dyn Terminals>) -> Result<Self, AgentError> {
        if config
            .program
            .first()
            .is_none_or(|program| program.is_empty())
        {
            return Err(AgentError::BadRequest {
                field: "program".into(),
                message: "is empty; give a program and its arguments".into(),
            });
        }
        Ok(Self {
            inner: Arc::new(Inner {
                id: BackendId::new(BackendKind::Command, &config.name),
                config,
                terminals,
                sessions: Mutex::default(),
                health: Mutex::new(Health::Unknown),
                news: broadcast::channel(1024).0,
            }),
        })
    }
}

/// Puts the prompt into the program's arguments; nothing in it is read by a shell.
fn arguments(program: &[String], prompt: &str) -> Result<Vec<String>, AgentError> {
    if prompt.len() > ARGUMENT_LIMIT {
        return Err(AgentError::BadRequest {
            field: "prompt".into(),
            message: format!(
                "has {} bytes, and a program takes at most {ARGUMENT_LIMIT} as an argument; put it in a file and name that",
                prompt.len()
            ),
        });
    }
    if prompt.contains('\0') {
        return Err(AgentError::BadRequest {
            field: "prompt".into(),
            message: "holds a NUL byte, which no argument can".into(),
        });
    }
    let mut taken = false;
    let mut args: Vec<String> = program
        .iter()
        .enumerate()
        .map(|(at, arg)| {
            if at > 0 && arg.contains("{prompt}") {
                taken = true;
                arg.replace("{prompt}", prompt)
            } else {
                arg.clone()
            }
        })
        .collect();
    if !taken {
        // A blank in front keeps a leading dash from being read as an option.
        args.push(if prompt.starts_with('-') {
            format!(" {prompt}")
        } else {
            prompt.to_owned()
        });
    }
    Ok(args)
}

impl Inner {
    fn info(&self, id: &str, session: &Session) -> AgentInfo {
        AgentInfo {
            session: session.pane.map(|pane| format!("pane {pane}")),
            usage: session.usage.clone(),
            ..session
                .held
                .info(&self.id, id, &self.config.name, &session.cwd)
        }
    }

    fn infos(&self) -> Vec<AgentInfo> {
        let mut agents: Vec<_> = self
            .sessions
            .lock()
            .iter()
            .map(|(id, session)| self.info(id, session))
            .collect();
        agents.sort_by(|a, b| a.id.cmp(&b.id));
        agents
    }

    fn with<T>(
        &self,
        agent: &AgentId,
        change: impl FnOnce(&mut Session) -> T,
    ) -> Result<T, AgentError> {
        self.sessions
            .lock()
            .get_mut(&agent.0)
            .map(change)
            .ok_or_else(|| AgentError::UnknownAgent {
                agent: agent.0.clone(),
            })
    }

    fn changed(&self, agent: &AgentId) {
        let info = self
            .sessions
            .lock()
            .get(&agent.0)
            .map(|session| self.info(&agent.0, session));
        if let Some(info) = info {
            let _ = self.news.send(News::Changed(Box::new(info)));
        }
    }

    fn happened(&self, agent: &AgentId, event: AgentEvent) {
        let kept = self.with(agent, |session| session.held.add(&event));
        if let Ok(position) = kept {
            let _ = self.news.send(News::Event {
                agent: agent.clone(),
                event: Box::new(event),
                position: Some(position),
            });
        }
    }

    fn add(&self, id: String, session: Session) -> AgentInfo {
        let info = self.info(&id, &session);
        self.sessions.lock().insert(id, session);
        let _ = self.news.send(News::Changed(Box::new(info.clone())));
        info
    }

    async fn prompt(self: &Arc<Self>, agent: &AgentId, prompt: Prompt) -> Result<Turn, AgentError> {
        let (cwd, busy, conversation) = self.with(agent, |session| {
            let busy = session.held.status.is_busy();
            (session.cwd.clone(), busy, session.conversation.clone())
        })?;
        let program = &self.config.program;
        let kind = Kind::of(program);
        let args = match kind.zip(conversation) {
            Some((kind, session)) => arguments(&kind.going_on(program, &session), &prompt.text)?,
            None => arguments(program, &prompt.text)?,
        };
        if busy {
            if !prompt.replace {
                return Err(AgentError::Busy {
                    agent: agent.clone(),
                });
            }
            self.stop(agent).await?;
        }
        let terminal = self.terminals.open(&args, &cwd, &self.config.name).await?;
        let (turn, writer) = turn();
        self.with(agent, |session| {
            session.pane = Some(terminal.pane());
            session.held.begin(&writer, &prompt.text);
        })?;
        self.happened(agent, AgentEvent::Prompt { text: prompt.text });
        self.happened(agent, AgentEvent::Started);
        self.changed(agent);
        let inner = self.clone();
        let agent = agent.clone();
        let timeout = prompt.timeout_ms.map(Duration::from_millis);
        let stop_at_permission = prompt.stop_at_permission;
        tokio::spawn(async move {
            inner
                .follow(agent, terminal, kind, writer, timeout, stop_at_permission)
                .await
        });
        Ok(turn)
    }

    async fn follow(
        self: Arc<Self>,
        agent: AgentId,
        mut terminal: Box<dyn Terminal>,
        kind: Option<Kind>,
        writer: TurnWriter,
        timeout: Option<Duration>,
        stop_at_permission: bool,
    ) {
        let timed_out = sleep(timeout);
        tokio::pin!(timed_out);
        let mut waits = false;
        let mut events = kind.map(Reader::new);
        let outcome = loop {
            let silent = (!waits).then_some(self.config.silent_turn);
            tokio::select! {
                event = terminal.next() => match event {
                    Some(TerminalEvent::Output(text)) => match &mut events {
                        Some(reader) => self.heard(&agent, reader.read(&text)),
                        None => self.happened(&agent, AgentEvent::Text { text }),
                    },
                    Some(TerminalEvent::NeedsYou(message)) => {
                        waits = true;
                        let _ = self.with(&agent, |session| session.held.status = AgentStatus::NeedsYou);
                        if !message.is_empty() {
                            self.happened(&agent, AgentEvent::Notice { text: message });
                        }
                        self.changed(&agent);
                        if stop_at_permission {
                            writer.end(Outcome::NeedsPermission);
                        }
                    }
                    Some(TerminalEvent::Working) => {
                        waits = false;
                        let _ = self.with(&agent, |session| session.held.status = AgentStatus::Working);
                        self.changed(&agent);
                    }
                    Some(TerminalEvent::Exited { code: Some(0), .. }) => break Outcome::Completed,
                    Some(TerminalEvent::Exited { code, signal }) => {
                        break Outcome::Failed {
                            message: match (code, signal) {
                                (Some(code), _) => format!("the program ended with exit status {code}"),
                                (None, Some(signal)) => format!("the program was ended by {signal}"),
                                (None, None) => "the program ended".into(),
                            },
                        };
                    }
                    None => break Outcome::Failed { message: "the pane was closed".into() },
                },
                () = writer.cancelled().cancelled() => break Outcome::Cancelled,
                () = &mut timed_out => break Outcome::TimedOut,
                () = sleep(silent) => break Outcome::Failed {
                    message: format!(
                        "the program printed nothing for {} s, so it was stopped",
                        self.config.silent_turn.as_secs_f32()
                    ),
                },
            }
        };
        let outcome = match &mut events {
            Some(reader) => {
                self.heard(&agent, reader.finish());
                let _ = self.with(&agent, |session| {
                    session.conversation = reader.session.take().or(session.conversation.take());
                });
                match (outcome, reader.failed.take()) {
                    (Outcome::Completed | Outcome::Failed { .. }, Some(message)) => {
                        Outcome::Failed { message }
                    }
                    (outcome, _) => outcome,
                }
            }
            None => outcome,
        };
        if let Err(error) = terminal.stop().await {
            tracing::debug!(%error, "a program that ended could not be stopped");
        }
        let _ = self.with(&agent, |session| session.held.finish(&outcome));
        self.happened(
            &agent,
            AgentEvent::Ended {
                outcome: outcome.clone(),
            },
        );
        self.changed(&agent);
        writer.end(outcome);
    }

    /// Takes what a program told as events.
    fn heard(&self, agent: &AgentId, events: Vec<AgentEvent>) {
        for event in events {
            if let AgentEvent::Usage { usage } = &event {
                let _ = self.with(agent, |session| {
                    let before = session.usage.take().unwrap_or_default();
                    session.usage = Some(before.and(usage.clone()));
                });
            }
            self.happened(agent, event);
        }
    }

    async fn stop(&self, agent: &AgentId) -> Result<bool, AgentError> {
        let mut told = self.news.subscribe();
        let writer = self.with(agent, |session| session.held.writer.clone())?;
        let Some(writer) = writer else {
            return Ok(false);
        };
        writer.cancelled().cancel();
        let ended = async {
            while self
                .with(agent, |session| session.held.writer.is_some())
                .unwrap_or(false)
            {
                if let Err(broadcast::error::RecvError::Closed) = told.recv().await {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(10), ended).await;
        Ok(true)
    }
}

fn session(cwd: &str, title: Option<String>, labels: BTreeMap<String, String>) -> Session {
    Session {
        held: Held::new(title, labels),
        cwd: cwd.into(),
        pane: None,
        conversation: None,
        usage: None,
    }
}

impl AgentBackend for Command {
    fn kind(&self) -> BackendKind {
        BackendKind::Command
    }

    fn id(&self) -> &BackendId {
        &self.inner.id
    }

    fn health(&self) -> Health {
        self.inner.health.lock().clone()
    }

    fn check(&self) -> std::pin::Pin<Box<dyn Future<Output = Health> + Send + '_>> {
        Box::pin(async {
            let program = &self.inner.config.program[0];
            let health = match program::missing(Path::new(program)) {
                Some(reason) => Health::Down { reason },
                None => Health::Up {
                    version: None,
                    transport: "pane".into(),
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
            .any(|session| session.held.status.is_busy())
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
        let known = self.inner.sessions.lock().contains_key(&row.session.0);
        if !known {
            self.inner.add(
                row.session.0.clone(),
                session(&row.worktree, row.title.clone(), BTreeMap::new()),
            );
        }
    }

    fn inspect<'a>(&'a self, name: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(async move { resolve(&self.inner.infos(), name).cloned() })
    }

    fn start(&self, agent: NewAgent) -> Answer<'_, AgentInfo> {
        Box::pin(async move {
            if let Some((what, value)) = [("model", &agent.model), ("mode", &agent.mode)]
                .into_iter()
                .find_map(|(what, value)| Some((what, value.as_ref()?)))
            {
                return Err(AgentError::Unsupported {
                    backend: self.inner.id.0.clone(),
                    what: format!("begin with the {what} `{value}`").into(),
                    reason: "a program takes it among its arguments, in agents.json".into(),
                });
            }
            if !Path::new(&agent.cwd).is_absolute() {
                return Err(AgentError::BadRequest {
                    field: "cwd".into(),
                    message: format!("is `{}`; give an absolute path", agent.cwd),
                });
            }
            let id = uuid::Uuid::new_v4().to_string();
            Ok(self
                .inner
                .add(id, session(&agent.cwd, agent.title, agent.labels)))
        })
    }

    /// A program keeps nothing between prompts, so a session is as good as it was.
    fn resume<'a>(&'a self, agent: &'a AgentId, cwd: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(async move {
            let known = self
                .inner
                .sessions
                .lock()
                .get(&agent.0)
                .map(|session| self.inner.info(&agent.0, session));
            Ok(known.unwrap_or_else(|| {
                self.inner
                    .add(agent.0.clone(), session(cwd, None, BTreeMap::new()))
            }))
        })
    }

    fn import(&self, _session: ImportSession) -> Answer<'_, AgentInfo> {
        Box::pin(async {
            Err(AgentError::Unsupported {
                backend: self.inner.id.0.clone(),
                what: "take over a conversation".into(),
                reason: "a program in a pane has none; use an ACP agent or Paseo".into(),
            })
        })
    }

    fn prompt<'a>(&'a self, agent: &'a AgentId, prompt: Prompt) -> Answer<'a, Turn> {
        Box::pin(async move {
            check_prompt(&prompt)?;
            no_images(&self.inner.id, &prompt)?;
            self.inner.prompt(agent, prompt).await
        })
    }

    fn stop<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, bool> {
        Box::pin(self.inner.stop(agent))
    }

    fn answer<'a>(
        &'a self,
        agent: &'a AgentId,
        _permission: &'a str,
        _answer: PermissionAnswer,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let pane = self.inner.with(agent, |session| session.pane)?;
            Err(AgentError::Unsupported {
                backend: self.inner.id.0.clone(),
                what: "answer for you".into(),
                reason: match pane {
                    Some(pane) => format!("type the answer in pane {pane}"),
                    None => "it runs no program".into(),
                },
            })
        })
    }

    fn timeline<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, Vec<TimelineEntry>> {
        Box::pin(async move {
            self.inner
                .with(agent, |session| session.held.timeline.entries())
        })
    }

    fn close<'a>(&'a self, agent: &'a AgentId, force: bool) -> Answer<'a, Archived> {
        Box::pin(async move {
            let status = self
                .inner
                .with(agent, |session| session.held.status.clone())?;
            if status.is_busy() {
                if !force {
                    return Err(AgentError::Busy {
                        agent: agent.clone(),
                    });
                }
                self.inner.stop(agent).await?;
            }
            self.inner
                .with(agent, |session| session.held.status = AgentStatus::Archived)?;
            self.inner.changed(agent);
            Ok(Archived {
                at: None,
                already: status == AgentStatus::Archived,
            })
        })
    }

    /// Programs run on in their panes; whoever owns the panes ends them.
    fn dispose(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.inner.sessions.lock().clear();
            Ok(())
        })
    }

    fn news(&self) -> BoxStream<'static, News> {
        news_of(self.inner.news.subscribe())
    }
}
