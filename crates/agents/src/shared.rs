//! What all who look after the backends share: who is there, what is known of their agents, and who is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clock::Clock;
use parking_lot::{Mutex, MutexGuard, RwLock};
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::DropGuard;

use crate::backend::{AgentBackend, sort_for_people};
use crate::error::AgentError;
use crate::happened::{AgentsEvent, BackendAgents};
use crate::news::News;
use crate::roster::Roster;
use crate::sessions::Sessions;
use crate::types::{
    AgentEvent, AgentId, AgentInfo, AgentStatus, BackendId, BackendInfo, Position, TimelineEntry,
    ToolStatus,
};

/// How often, and how patiently, backends are asked how they are.
#[derive(Debug, Clone)]
pub struct AgentsConfig {
    /// The time between two health ticks.
    pub tick: Duration,
    /// How long a listing waits for one backend before it goes on without it.
    pub patience: Duration,
    /// The time between two listings of a backend that does not tell of changes.
    pub relist: Duration,
    /// The pause before a backend that could not be listed is asked again; doubled each time, up to `tick`.
    pub retry: Duration,
}

impl Default for AgentsConfig {
    fn default() -> Self {
        Self {
            tick: Duration::from_secs(15),
            patience: Duration::from_secs(60),
            relist: Duration::from_secs(120),
            retry: Duration::from_millis(250),
        }
    }
}

pub(crate) struct Added {
    pub(crate) backend: Arc<dyn AgentBackend>,
    pub(crate) found: bool,
    /// Asks for a fresh list.
    pub(crate) again: Arc<Notify>,
    /// Ends what follows the backend, when it is removed.
    pub(crate) _follow: DropGuard,
}

/// What all clones share, and those who keep the lists.
pub(crate) struct Shared {
    pub(crate) config: AgentsConfig,
    pub(crate) sessions: Arc<dyn Sessions>,
    pub(crate) clock: Clock,
    pub(crate) backends: RwLock<BTreeMap<BackendId, Added>>,
    pub(crate) roster: Mutex<Roster>,
    /// Somebody wants the lists to be kept.
    pub(crate) kept: watch::Sender<bool>,
    pub(crate) events: broadcast::Sender<AgentsEvent>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock()
    }

    pub(crate) fn now(&self) -> String {
        i64::try_from(self.clock.now_ms())
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .unwrap_or_default()
            .to_string()
    }

    pub(crate) fn remember(&self, agent: &AgentInfo) {
        let now = self.now();
        self.roster().changed(&mut agent.clone(), &now);
    }

    pub(crate) fn title(&self, backend: &BackendId, agent: &AgentId) -> Option<String> {
        self.roster().get(backend, agent)?.title.clone()
    }

    pub(crate) fn changed(&self, agent: &AgentInfo) {
        let now = self.now();
        let mut agent = agent.clone();
        if agent.status == AgentStatus::Archived {
            self.removed(&agent.backend, agent.id.clone());
            return;
        }
        self.roster().changed(&mut agent, &now);
        let _ = self.events.send(AgentsEvent::Changed { agent });
    }

    pub(crate) fn removed(&self, backend: &BackendId, agent: AgentId) {
        self.roster().removed(backend, &agent);
        let _ = self.events.send(AgentsEvent::Removed {
            backend: backend.clone(),
            agent,
        });
    }

    pub(crate) fn backend(&self, id: &BackendId) -> Result<Arc<dyn AgentBackend>, AgentError> {
        self.backends
            .read()
            .get(id)
            .map(|added| added.backend.clone())
            .ok_or_else(|| AgentError::UnknownBackend {
                backend: id.clone(),
            })
    }

    pub(crate) async fn timeline(
        &self,
        backend: &BackendId,
        agent: &AgentId,
    ) -> Result<Vec<TimelineEntry>, AgentError> {
        self.backend(backend)?.timeline(agent).await
    }

    pub(crate) fn info(&self, backend: &dyn AgentBackend) -> BackendInfo {
        let backends = self.backends.read();
        BackendInfo {
            id: backend.id().clone(),
            kind: backend.kind(),
            health: backend.health(),
            busy: backend.busy(),
            found: backends.get(backend.id()).is_some_and(|added| added.found),
        }
    }

    pub(crate) fn known(&self, backend: &dyn AgentBackend, anew: bool) -> BackendAgents {
        let (mut agents, error) = self.roster().of(backend.id());
        sort_for_people(&mut agents);
        BackendAgents {
            backend: self.info(backend),
            agents,
            error,
            anew,
        }
    }

    pub(crate) fn backend_changed(&self, backend: &dyn AgentBackend) {
        let _ = self.events.send(AgentsEvent::Backend {
            backend: self.info(backend),
        });
    }

    fn conversation(
        &self,
        backend: &BackendId,
        agent: &AgentId,
        happened: AgentEvent,
        position: Option<Position>,
    ) {
        if let AgentEvent::Tool { call } = &happened
            && call.status == ToolStatus::Running
            && let Some(detail) = &call.detail
            && let edited = detail.edited()
            && !edited.is_empty()
        {
            let (cwd, title) = self
                .roster()
                .get(backend, agent)
                .map(|agent| (agent.cwd.clone(), agent.title.clone()))
                .unwrap_or_default();
            for (path, old_text) in edited {
                let _ = self.events.send(AgentsEvent::Edit {
                    backend: backend.clone(),
                    agent: agent.clone(),
                    title: title.clone(),
                    cwd: cwd.clone(),
                    path: path.to_owned(),
                    old_text: old_text.map(str::to_owned),
                });
            }
        }
        let _ = self.events.send(AgentsEvent::Conversation {
            backend: backend.clone(),
            agent: agent.clone(),
            happened,
            position,
        });
    }

    pub(crate) fn pass_on(&self, backend: &BackendId, news: News) {
        match news {
            News::Changed(agent) => self.changed(&agent),
            News::Removed(agent) => self.removed(backend, agent),
            News::Event {
                agent,
                event,
                position,
            } => self.conversation(backend, &agent, *event, position),
            // The keeper lists again.
            News::ListAgain => {}
        }
    }
}
