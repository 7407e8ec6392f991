//! All backends at once: which there are, how they are, and which session belongs to whom.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use specta::Type;
use tokio::sync::broadcast;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::backend::{AgentBackend, News};
use crate::error::AgentError;
use crate::sessions::{SessionRow, SessionStatus, Sessions};
use crate::turn::Turn;
use crate::types::{
    AgentEvent, AgentId, AgentInfo, Archived, BackendId, BackendInfo, ImportSession, ListAgents,
    NewAgent, PermissionAnswer, Prompt, TimelineEntry,
};

/// What time it is, in milliseconds since 1970; handed in, so that tests can turn it.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What happened, for the window. A reader that fell behind lists anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AgentsEvent {
    /// A backend came, went up or down, or became busy or free.
    Backend {
        /// How it is now.
        backend: BackendInfo,
    },
    /// An agent appeared or changed.
    Changed {
        /// What is known of it now.
        agent: AgentInfo,
    },
    /// An agent is gone.
    Removed {
        /// Where it was.
        backend: BackendId,
        /// Which.
        agent: AgentId,
    },
    /// Something happened in a conversation.
    Conversation {
        /// Where.
        backend: BackendId,
        /// Whose.
        agent: AgentId,
        /// What.
        happened: AgentEvent,
    },
    /// An agent announced that it changes a file, which may not be on disk yet.
    Edit {
        /// Where.
        backend: BackendId,
        /// Whose.
        agent: AgentId,
        /// The directory that it works in, as far as is known.
        cwd: String,
        /// The file.
        path: String,
    },
    /// The list of a backend's agents may have changed in ways that were not told.
    ListAgain {
        /// Which.
        backend: BackendId,
    },
}

/// The agents of one backend, or why they can't be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BackendAgents {
    /// The backend.
    pub backend: BackendInfo,
    /// Its agents; empty when it is down.
    pub agents: Vec<AgentInfo>,
    /// Why there are none.
    pub error: Option<String>,
}

/// How often, and how patiently, backends are asked how they are.
#[derive(Debug, Clone)]
pub struct AgentsConfig {
    /// The time between two health ticks.
    pub tick: Duration,
    /// How long a listing waits for one backend before it goes on without it.
    pub patience: Duration,
}

impl Default for AgentsConfig {
    fn default() -> Self {
        Self {
            tick: Duration::from_secs(15),
            patience: Duration::from_secs(60),
        }
    }
}

struct Added {
    backend: Arc<dyn AgentBackend>,
    /// Ends what follows the backend, when it is removed.
    _follow: DropGuard,
}

/// All backends and the sessions at them. Cheap to clone.
#[derive(Clone)]
pub struct Agents {
    inner: Arc<Inner>,
}

struct Inner {
    config: AgentsConfig,
    sessions: Arc<dyn Sessions>,
    clock: Clock,
    backends: RwLock<BTreeMap<BackendId, Added>>,
    /// Where agents work, as last heard, so that an announced edit can say it.
    places: Mutex<HashMap<(BackendId, AgentId), String>>,
    events: broadcast::Sender<AgentsEvent>,
}

impl Agents {
    /// Makes an empty collection that keeps its rows in `sessions`.
    pub fn new(config: AgentsConfig, sessions: Arc<dyn Sessions>, clock: Clock) -> Self {
        Self {
            inner: Arc::new(Inner {
                config,
                sessions,
                clock,
                backends: RwLock::default(),
                places: Mutex::default(),
                events: broadcast::channel(4096).0,
            }),
        }
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<AgentsEvent> {
        self.inner.events.subscribe()
    }

    /// Adds a backend, in place of one with the same id: asks it how it is from time to time, and
    /// passes its news on.
    pub fn add(&self, backend: Arc<dyn AgentBackend>) {
        let stop = CancellationToken::new();
        let weak = Arc::downgrade(&self.inner);
        let id = backend.id().clone();
        let mut news = backend.news();
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
            while let Some(news) = news.next().await {
                let Some(inner) = weak.upgrade() else {
                    return;
                };
                inner.pass_on(&id, news);
            }
        }));
        tokio::spawn(
            stop.clone()
                .run_until_cancelled_owned(tick(Arc::downgrade(&self.inner), backend.clone())),
        );
        let added = Added {
            backend: backend.clone(),
            _follow: stop.drop_guard(),
        };
        let mut backends = self
            .inner
            .backends
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        backends.insert(backend.id().clone(), added);
    }

    /// Removes a backend and ends what it had started here, unless a turn runs at it.
    ///
    /// # Errors
    ///
    /// [`AgentError::Refused`] while it is busy.
    pub async fn remove(&self, id: &BackendId) -> Result<(), AgentError> {
        let backend = self.backend(id)?;
        if backend.busy() {
            return Err(AgentError::Refused {
                what: format!("removing {id}"),
                code: "busy".into(),
                message: "a turn runs there; stop it first".into(),
            });
        }
        self.inner
            .backends
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
        backend.dispose().await
    }

    /// The backend named `id`.
    pub fn backend(&self, id: &BackendId) -> Result<Arc<dyn AgentBackend>, AgentError> {
        let backends = self
            .inner
            .backends
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        backends
            .get(id)
            .map(|added| added.backend.clone())
            .ok_or_else(|| AgentError::UnknownBackend {
                backend: id.clone(),
            })
    }

    fn all(&self) -> Vec<Arc<dyn AgentBackend>> {
        let backends = self
            .inner
            .backends
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        backends
            .values()
            .map(|added| added.backend.clone())
            .collect()
    }

    /// Every backend as it was when last asked. Never waits.
    pub fn backends(&self) -> Vec<BackendInfo> {
        self.all()
            .iter()
            .map(|backend| info(backend.as_ref()))
            .collect()
    }

    /// Asks every backend how it is, all at once; each within its own deadline.
    pub async fn check(&self) -> Vec<BackendInfo> {
        let backends = self.all();
        join_all(backends.iter().map(|backend| backend.check())).await;
        self.backends()
    }

    /// Lists the agents of every backend, all at once. One that hangs or is down costs only its own.
    pub async fn list(&self, which: ListAgents) -> Vec<BackendAgents> {
        let patience = self.inner.config.patience;
        join_all(self.all().into_iter().map(|backend| {
            let which = which.clone();
            let inner = self.inner.clone();
            async move {
                let listed = tokio::time::timeout(patience, backend.list(which))
                    .await
                    .unwrap_or_else(|_| {
                        Err(AgentError::Timeout {
                            what: format!("listing the agents of {}", backend.id()),
                            after: patience,
                        })
                    });
                let (agents, error) = match listed {
                    Ok(agents) => (agents, None),
                    Err(error) => (Vec::new(), Some(error.to_string())),
                };
                for agent in &agents {
                    inner.remember_place(agent);
                }
                BackendAgents {
                    backend: info(backend.as_ref()),
                    agents,
                    error,
                }
            }
        }))
        .await
    }

    /// Looks at one agent; `name` is an id, a unique prefix of one, or an exact title.
    pub async fn inspect(&self, backend: &BackendId, name: &str) -> Result<AgentInfo, AgentError> {
        let agent = self.backend(backend)?.inspect(name).await?;
        self.inner.remember_place(&agent);
        Ok(agent)
    }

    /// Finds which backend has the agent that `name` means.
    ///
    /// # Errors
    ///
    /// [`AgentError::Ambiguous`] when several agents answer to it, at one backend or at two;
    /// [`AgentError::UnknownAgent`] when none does. A backend that is down is passed over, and its
    /// reason returned when nobody else has the agent.
    pub async fn find(&self, name: &str) -> Result<AgentInfo, AgentError> {
        let backends = self.all();
        let answers = join_all(backends.iter().map(|backend| backend.inspect(name))).await;
        let mut found = Vec::new();
        let mut ambiguous = Vec::new();
        let mut reason = None;
        for answer in answers {
            match answer {
                Ok(agent) => found.push(agent),
                Err(AgentError::UnknownAgent { .. }) => {}
                Err(AgentError::Ambiguous { matches, .. }) => ambiguous.extend(matches),
                Err(error @ AgentError::BadRequest { .. }) => return Err(error),
                Err(error) => reason = reason.or(Some(error)),
            }
        }
        if found.len() + ambiguous.len() > 1 {
            ambiguous.extend(
                found
                    .iter()
                    .map(|agent| format!("{} at {}", agent.id, agent.backend)),
            );
            return Err(AgentError::Ambiguous {
                prefix: name.into(),
                matches: ambiguous,
            });
        }
        match found.pop() {
            Some(agent) => Ok(agent),
            None => Err(reason.unwrap_or(AgentError::UnknownAgent { agent: name.into() })),
        }
    }

    /// Makes a new agent.
    pub async fn start(
        &self,
        backend: &BackendId,
        agent: NewAgent,
    ) -> Result<AgentInfo, AgentError> {
        let agent = self.backend(backend)?.start(agent).await?;
        self.inner.changed(&agent);
        Ok(agent)
    }

    /// Takes over an existing conversation of a provider.
    pub async fn import(
        &self,
        backend: &BackendId,
        session: ImportSession,
    ) -> Result<AgentInfo, AgentError> {
        let agent = self.backend(backend)?.import(session).await?;
        self.inner.changed(&agent);
        Ok(agent)
    }

    /// The session of (`owner`, `agent`): found again if it still lives, else made from `new`.
    ///
    /// # Errors
    ///
    /// When the backend is down, its reason: a session is only replaced when the backend says that
    /// it is gone.
    pub async fn ensure(
        &self,
        owner: &str,
        agent: &str,
        backend: &BackendId,
        new: NewAgent,
    ) -> Result<AgentInfo, AgentError> {
        let at = self.backend(backend)?;
        if let Some(row) = self.row(owner, agent).await?
            && row.status == SessionStatus::Open
            && row.backend == *backend
        {
            match at.resume(&row.session, &row.worktree).await {
                Ok(info) => {
                    self.inner.remember_place(&info);
                    self.write(owner, agent, &info, SessionStatus::Open).await?;
                    return Ok(info);
                }
                Err(AgentError::UnknownAgent { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let info = self.start(backend, new).await?;
        self.write(owner, agent, &info, SessionStatus::Open).await?;
        Ok(info)
    }

    /// The row of (`owner`, `agent`), if there is one.
    pub async fn row(&self, owner: &str, agent: &str) -> Result<Option<SessionRow>, AgentError> {
        self.inner
            .sessions
            .find(owner, agent)
            .await
            .map_err(|reason| AgentError::Sessions { reason })
    }

    /// All rows, most recently used first.
    pub async fn rows(&self) -> Result<Vec<SessionRow>, AgentError> {
        self.inner
            .sessions
            .all()
            .await
            .map_err(|reason| AgentError::Sessions { reason })
    }

    async fn write(
        &self,
        owner: &str,
        agent: &str,
        info: &AgentInfo,
        status: SessionStatus,
    ) -> Result<(), AgentError> {
        self.inner
            .sessions
            .put(SessionRow {
                owner: owner.into(),
                agent: agent.into(),
                backend: info.backend.clone(),
                session: info.id.clone(),
                worktree: info.cwd.clone(),
                status,
                last_activity: (self.inner.clock)(),
            })
            .await
            .map_err(|reason| AgentError::Sessions { reason })
    }

    /// Says something to an agent, and streams what it does.
    pub async fn prompt(
        &self,
        backend: &BackendId,
        agent: &AgentId,
        prompt: Prompt,
    ) -> Result<Turn, AgentError> {
        let at = self.backend(backend)?;
        let turn = at.prompt(agent, prompt).await?;
        for mut row in self
            .rows()
            .await?
            .into_iter()
            .filter(|row| row.session == *agent && row.backend == *backend)
        {
            row.last_activity = (self.inner.clock)();
            self.inner
                .sessions
                .put(row)
                .await
                .map_err(|reason| AgentError::Sessions { reason })?;
        }
        self.inner.backend_changed(at.as_ref());
        Ok(turn)
    }

    /// Stops the turn that runs; `false` if none did.
    pub async fn stop(&self, backend: &BackendId, agent: &AgentId) -> Result<bool, AgentError> {
        self.backend(backend)?.stop(agent).await
    }

    /// Answers what an agent asked.
    pub async fn answer(
        &self,
        backend: &BackendId,
        agent: &AgentId,
        permission: &str,
        answer: PermissionAnswer,
    ) -> Result<(), AgentError> {
        self.backend(backend)?
            .answer(agent, permission, answer)
            .await
    }

    /// Reads a conversation back.
    pub async fn timeline(
        &self,
        backend: &BackendId,
        agent: &AgentId,
    ) -> Result<Vec<TimelineEntry>, AgentError> {
        self.backend(backend)?.timeline(agent).await
    }

    /// Puts an agent away, and closes the rows of those who talked to it.
    pub async fn archive(
        &self,
        backend: &BackendId,
        agent: &AgentId,
        force: bool,
    ) -> Result<Archived, AgentError> {
        let archived = self.backend(backend)?.close(agent, force).await?;
        for mut row in self
            .rows()
            .await?
            .into_iter()
            .filter(|row| row.session == *agent && row.backend == *backend)
        {
            row.status = SessionStatus::Closed;
            self.inner
                .sessions
                .put(row)
                .await
                .map_err(|reason| AgentError::Sessions { reason })?;
        }
        let _ = self.inner.events.send(AgentsEvent::ListAgain {
            backend: backend.clone(),
        });
        Ok(archived)
    }

    /// Ends every connection and process that the backends started here.
    pub async fn shutdown(&self) {
        let backends = self.all();
        self.inner
            .backends
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        for ended in join_all(backends.iter().map(|backend| backend.dispose())).await {
            if let Err(error) = ended {
                tracing::warn!(%error, "a backend did not end well");
            }
        }
    }
}

impl Inner {
    fn remember_place(&self, agent: &AgentInfo) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.insert((agent.backend.clone(), agent.id.clone()), agent.cwd.clone());
    }

    fn changed(&self, agent: &AgentInfo) {
        self.remember_place(agent);
        let _ = self.events.send(AgentsEvent::Changed {
            agent: agent.clone(),
        });
    }

    fn backend_changed(&self, backend: &dyn AgentBackend) {
        let _ = self.events.send(AgentsEvent::Backend {
            backend: info(backend),
        });
    }

    fn conversation(&self, backend: &BackendId, agent: &AgentId, happened: AgentEvent) {
        if let AgentEvent::Tool { call } = &happened
            && let Some(detail) = call.detail.as_ref().filter(|detail| detail.is_edit())
            && let Some(path) = &detail.path
        {
            let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            let cwd = places
                .get(&(backend.clone(), agent.clone()))
                .cloned()
                .unwrap_or_default();
            drop(places);
            let _ = self.events.send(AgentsEvent::Edit {
                backend: backend.clone(),
                agent: agent.clone(),
                cwd,
                path: path.clone(),
            });
        }
        let _ = self.events.send(AgentsEvent::Conversation {
            backend: backend.clone(),
            agent: agent.clone(),
            happened,
        });
    }

    fn pass_on(&self, backend: &BackendId, news: News) {
        match news {
            News::Changed(agent) => self.changed(&agent),
            News::Removed(agent) => {
                let _ = self.events.send(AgentsEvent::Removed {
                    backend: backend.clone(),
                    agent,
                });
            }
            News::Event(agent, event) => self.conversation(backend, &agent, *event),
            News::ListAgain => {
                let _ = self.events.send(AgentsEvent::ListAgain {
                    backend: backend.clone(),
                });
            }
        }
    }
}

fn info(backend: &dyn AgentBackend) -> BackendInfo {
    BackendInfo {
        id: backend.id().clone(),
        kind: backend.kind(),
        health: backend.health(),
        busy: backend.busy(),
    }
}

/// Asks one backend, for ever, how it is; says so when it changed. One that hangs holds up nobody else.
async fn tick(inner: std::sync::Weak<Inner>, backend: Arc<dyn AgentBackend>) {
    let mut before = None;
    loop {
        backend.check().await;
        let Some(inner) = inner.upgrade() else {
            return;
        };
        let now = info(backend.as_ref());
        if before.as_ref() != Some(&now) {
            let _ = inner.events.send(AgentsEvent::Backend {
                backend: now.clone(),
            });
            before = Some(now);
        }
        let pause = inner.config.tick;
        drop(inner);
        tokio::time::sleep(pause).await;
    }
}
