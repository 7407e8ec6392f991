//! All backends at once: which there are, how they are, and which session belongs to whom.

use std::sync::Arc;

use clock::Clock;
use futures_util::future::join_all;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::backend::AgentBackend;
use crate::conversation::Conversation;
use crate::error::AgentError;
use crate::happened::{AgentsEvent, BackendAgents};
use crate::keeper::{Keeper, tick};
use crate::sessions::{SessionRow, SessionStatus, Sessions};
use crate::shared::{Added, AgentsConfig, Shared};
use crate::turn::Turn;
use crate::types::{
    AgentId, AgentInfo, Archived, BackendId, BackendInfo, ImportSession, KnownSession, ListAgents,
    NewAgent, PermissionAnswer, Prompt, TimelineEntry,
};

/// All backends and the sessions at them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Agents {
    inner: Arc<Shared>,
}

impl Agents {
    /// Makes an empty collection that keeps its rows in `sessions`.
    pub fn new(config: AgentsConfig, sessions: Arc<dyn Sessions>, clock: Clock) -> Self {
        Self {
            inner: Arc::new(Shared {
                config,
                sessions,
                clock,
                backends: RwLock::default(),
                roster: Mutex::default(),
                kept: watch::Sender::new(false),
                events: broadcast::channel(4096).0,
            }),
        }
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<AgentsEvent> {
        self.inner.events.subscribe()
    }

    /// Keeps a list of every backend's agents from now on, for [`Agents::known`] and the events. Whoever asks once and
    /// goes needs none, and a list can cost a process.
    pub fn keep_lists(&self) {
        self.inner.kept.send_replace(true);
    }

    /// Adds a backend, in place of one with the same id: asks it how it is from time to time, and passes its news on.
    pub fn add(&self, backend: Arc<dyn AgentBackend>) {
        self.add_as(backend, false);
    }

    /// As [`Agents::add`], for one that nobody asked for: it was found, or may be there.
    pub fn add_found(&self, backend: Arc<dyn AgentBackend>) {
        self.add_as(backend, true);
    }

    fn add_as(&self, backend: Arc<dyn AgentBackend>, found: bool) {
        let stop = CancellationToken::new();
        let again = Arc::new(Notify::new());
        let added = Added {
            backend: backend.clone(),
            found,
            again: again.clone(),
            _follow: stop.clone().drop_guard(),
        };
        let mut backends = self.inner.backends.write();
        backends.insert(backend.id().clone(), added);
        drop(backends);
        self.inner.backend_changed(backend.as_ref());
        // The news are listened to from here on, not from when the task first runs.
        let keeper = Keeper {
            news: backend.news(),
            inner: Arc::downgrade(&self.inner),
            backend: backend.clone(),
            again,
            kept: self.inner.kept.subscribe(),
        };
        tokio::spawn(stop.clone().run_until_cancelled_owned(keeper.run()));
        tokio::spawn(stop.run_until_cancelled_owned(tick(Arc::downgrade(&self.inner), backend)));
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
        self.inner.backends.write().remove(id);
        self.inner.roster().forget(id);
        let _ = self.inner.events.send(AgentsEvent::Gone {
            backend: id.clone(),
        });
        backend.dispose().await
    }

    /// The backend named `id`.
    pub fn backend(&self, id: &BackendId) -> Result<Arc<dyn AgentBackend>, AgentError> {
        self.inner.backend(id)
    }

    fn all(&self) -> Vec<Arc<dyn AgentBackend>> {
        let backends = self.inner.backends.read();
        backends
            .values()
            .map(|added| added.backend.clone())
            .collect()
    }

    /// Every backend as it was when last asked. Never waits.
    pub fn backends(&self) -> Vec<BackendInfo> {
        self.all()
            .iter()
            .map(|backend| self.inner.info(backend.as_ref()))
            .collect()
    }

    /// The agents of every backend as far as they are known. Never waits.
    pub fn known(&self) -> Vec<BackendAgents> {
        let backends = self.all();
        backends
            .iter()
            .map(|backend| self.inner.known(backend.as_ref(), true))
            .collect()
    }

    /// Follows one agent's conversation: what was said, then what is being said.
    pub fn follow(&self, backend: &BackendId, agent: &AgentId) -> Conversation {
        Conversation::new(self.inner.clone(), backend.clone(), agent.clone())
    }

    /// Knows the sessions of earlier runs again, so that they are listed before anybody talks to them.
    pub async fn recall(&self) -> Result<(), AgentError> {
        let rows = self.rows().await?;
        for row in rows.iter().filter(|row| row.status == SessionStatus::Open) {
            // A row whose backend is gone from the settings waits for it to come back.
            if let Ok(backend) = self.backend(&row.backend) {
                backend.recall(row);
            }
        }
        Ok(())
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
                    inner.remember(agent);
                }
                BackendAgents {
                    backend: inner.info(backend.as_ref()),
                    agents,
                    error,
                    anew: false,
                }
            }
        }))
        .await
    }

    /// Looks at one agent; `name` is an id, a unique prefix of one, or an exact title.
    pub async fn inspect(&self, backend: &BackendId, name: &str) -> Result<AgentInfo, AgentError> {
        let agent = self.backend(backend)?.inspect(name).await?;
        self.inner.remember(&agent);
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

    /// Makes another agent that knows what this one knows.
    pub async fn fork(
        &self,
        backend: &BackendId,
        agent: &AgentId,
    ) -> Result<AgentInfo, AgentError> {
        let fork = self.backend(backend)?.fork(agent).await?;
        self.inner.changed(&fork);
        Ok(fork)
    }

    /// The conversations that a provider remembers of a directory.
    pub async fn sessions(
        &self,
        backend: &BackendId,
        cwd: &str,
    ) -> Result<Vec<KnownSession>, AgentError> {
        self.backend(backend)?.sessions(cwd).await
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
                    self.inner.remember(&info);
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

    /// Writes down a session that belongs to nobody but the person, so that it is found again after a restart.
    pub async fn keep(&self, agent: &AgentInfo) -> Result<(), AgentError> {
        let owner = format!("chat:{}", agent.id);
        self.write(&owner, "main", agent, SessionStatus::Open).await
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
                title: info.title.clone(),
                status,
                last_activity: self.inner.clock.now_ms(),
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
            row.last_activity = self.inner.clock.now_ms();
            if row.title.is_none() {
                row.title = self.inner.title(backend, agent);
            }
            self.inner
                .sessions
                .put(row)
                .await
                .map_err(|reason| AgentError::Sessions { reason })?;
        }
        self.inner.backend_changed(at.as_ref());
        self.look_again(backend);
        Ok(turn)
    }

    /// Lists a backend anew where it does not tell of changes by itself.
    fn look_again(&self, backend: &BackendId) {
        let backends = self.inner.backends.read();
        if let Some(added) = backends.get(backend)
            && !added.backend.live()
        {
            added.again.notify_one();
        }
    }

    /// Chooses one of what an agent offers.
    pub async fn choose(
        &self,
        backend: &BackendId,
        agent: &AgentId,
        setting: &str,
        value: &str,
    ) -> Result<AgentInfo, AgentError> {
        let agent = self.backend(backend)?.choose(agent, setting, value).await?;
        self.inner.changed(&agent);
        Ok(agent)
    }

    /// Stops the turn that runs; `false` if none did.
    pub async fn stop(&self, backend: &BackendId, agent: &AgentId) -> Result<bool, AgentError> {
        let stopped = self.backend(backend)?.stop(agent).await?;
        self.look_again(backend);
        Ok(stopped)
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
            .await?;
        self.look_again(backend);
        Ok(())
    }

    /// Reads a conversation back.
    pub async fn timeline(
        &self,
        backend: &BackendId,
        agent: &AgentId,
    ) -> Result<Vec<TimelineEntry>, AgentError> {
        self.inner.timeline(backend, agent).await
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
        self.inner.removed(backend, agent.clone());
        Ok(archived)
    }

    /// Ends every connection and process that the backends started here.
    pub async fn shutdown(&self) {
        let backends = self.all();
        self.inner.backends.write().clear();
        for ended in join_all(backends.iter().map(|backend| backend.dispose())).await {
            if let Err(error) = ended {
                tracing::warn!(%error, "a backend did not end well");
            }
        }
    }
}
