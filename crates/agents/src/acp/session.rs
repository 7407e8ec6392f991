//! One session: what is known of it, what it asks, and what its process says.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent_client_protocol::v1::schema::{RequestPermissionRequest, SessionUpdate};
use tokio::sync::{broadcast, oneshot};
use tokio::time::Instant;

use crate::acp::link::{Hears, Link};
use crate::acp::updates::{Calls, permission};
use crate::held::{Held, lock};
use crate::news::News;
use crate::timeline::TIMELINE_LIMIT;
use crate::types::{
    AgentEvent, AgentId, AgentInfo, AgentStatus, BackendId, Outcome, PermissionRequest, ToolCall,
    ToolDetail, ToolStatus,
};

/// One conversation with an agent, and the process that it is held with.
pub(super) struct Session {
    pub(super) id: String,
    pub(super) backend: BackendId,
    pub(super) provider: String,
    pub(super) cwd: String,
    /// The process, if it is warm. Held while one is started, so that two prompts start one.
    pub(super) link: tokio::sync::Mutex<Option<Arc<Link>>>,
    pub(super) state: Mutex<State>,
    pub(super) news: broadcast::Sender<News>,
}

pub(super) struct State {
    pub(super) held: Held,
    pub(super) calls: Calls,
    pub(super) pending: Vec<(PermissionRequest, oneshot::Sender<Option<String>>)>,
    pub(super) stop_at_permission: bool,
    pub(super) deaths: u32,
    pub(super) not_before: Option<Instant>,
    pub(super) used: Instant,
    pub(super) asked: u64,
    pub(super) heard: Arc<tokio::sync::Notify>,
}

/// What a process says before it is known which session it serves; afterwards it goes there.
#[derive(Default)]
pub(super) struct Ear {
    session: Mutex<Option<Arc<Session>>>,
    pub(super) early: Mutex<Vec<SessionUpdate>>,
}

impl Ear {
    pub(super) fn bind(&self, session: &Arc<Session>) {
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
    /// A session without a process.
    pub(super) fn new(
        (id, cwd): (&str, &str),
        (backend, provider): (&BackendId, &str),
        held: Held,
        news: broadcast::Sender<News>,
    ) -> Self {
        Self {
            id: id.to_owned(),
            backend: backend.clone(),
            provider: provider.to_owned(),
            cwd: cwd.to_owned(),
            link: tokio::sync::Mutex::new(None),
            state: Mutex::new(State {
                held,
                calls: Calls::default(),
                pending: Vec::new(),
                stop_at_permission: false,
                deaths: 0,
                not_before: None,
                used: Instant::now(),
                asked: 0,
                heard: Arc::default(),
            }),
            news,
        }
    }

    pub(super) fn info(&self) -> AgentInfo {
        let state = lock(&self.state);
        let pending = state.pending.iter().map(|(request, _)| request.clone());
        AgentInfo {
            permissions: pending.collect(),
            session: Some(self.id.clone()),
            ..state
                .held
                .info(&self.backend, &self.id, &self.provider, &self.cwd)
        }
    }

    pub(super) fn changed(&self) {
        let _ = self.news.send(News::Changed(Box::new(self.info())));
    }

    pub(super) fn set_status(&self, status: AgentStatus) {
        lock(&self.state).held.status = status;
        self.changed();
    }

    fn update(&self, update: SessionUpdate) {
        if let SessionUpdate::SessionInfoUpdate(update) = &update {
            if let Some(title) = update.title.value() {
                lock(&self.state).held.title = Some(title.clone());
                self.changed();
            }
            return;
        }
        let event = lock(&self.state).calls.read(update);
        if let Some(event) = event {
            self.happened(event);
        }
    }

    pub(super) fn happened(&self, event: AgentEvent) {
        let position = {
            let mut state = lock(&self.state);
            state.heard.notify_one();
            state.held.add(&event)
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
            if state.held.writer.is_none() && !state.held.status.is_busy() {
                return; // No turn runs: dropping the answer cancels the request.
            }
            state.asked += 1;
            let asked = permission(format!("p{}", state.asked), request);
            state.pending.push((asked.clone(), answer));
            state.held.status = AgentStatus::NeedsYou;
            (asked, state.stop_at_permission)
        };
        self.happened(AgentEvent::Permission { request: asked });
        self.changed();
        if ends && let Some(writer) = lock(&self.state).held.writer.take() {
            writer.end(Outcome::NeedsPermission);
        }
    }

    /// Takes back every question that nobody answered.
    pub(super) fn cancel_pending(&self) {
        let pending = std::mem::take(&mut lock(&self.state).pending);
        for (request, answer) in pending {
            let _ = answer.send(None);
            self.happened(AgentEvent::PermissionResolved { id: request.id });
        }
    }

    /// Ends the turn that runs, for everyone who follows it.
    pub(super) fn finish(&self, outcome: Outcome) {
        self.cancel_pending();
        let ended = AgentEvent::Ended {
            outcome: outcome.clone(),
        };
        let (writer, position) = {
            let mut state = lock(&self.state);
            let position = state.held.timeline.add(&ended);
            state.stop_at_permission = false;
            (state.held.finish(&outcome), position)
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

    /// Ends its process and waits until it is gone.
    pub(super) async fn end(&self) {
        if let Some(link) = self.link.lock().await.take() {
            let ended = link.ended.clone();
            drop(link);
            let _ = tokio::time::timeout(Duration::from_secs(3), ended.cancelled()).await;
        }
    }
}
