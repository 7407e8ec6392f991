//! One session: what is known of it, what it asks, and what its process says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agent_client_protocol::v1::schema::RequestPermissionRequest;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{broadcast, oneshot};
use tokio::time::Instant;

use crate::acp::link::{Hears, Link};
use crate::acp::offers::Offered;
use crate::acp::updates::Calls;
use crate::held::Held;
use crate::news::News;
use crate::timeline::TIMELINE_LIMIT;
use crate::types::{
    AgentEvent, AgentId, AgentInfo, AgentStatus, BackendId, Outcome, PermissionRequest, ToolCall,
    ToolDetail, ToolStatus, Usage,
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
    pub(super) offered: Offered,
    /// What a person chose, which another process is told again.
    pub(super) chosen: BTreeMap<String, String>,
    pub(super) usage: Option<Usage>,
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
    pub(super) early: Mutex<Vec<Value>>,
}

impl Ear {
    pub(super) fn bind(&self, session: &Arc<Session>) {
        *self.session.lock() = Some(session.clone());
        for update in std::mem::take(&mut *self.early.lock()) {
            session.update(update);
        }
    }
}

impl Hears for Ear {
    fn update(&self, update: Value) {
        let session = self.session.lock().clone();
        match session {
            Some(session) => session.update(update),
            None => {
                let mut early = self.early.lock();
                if early.len() < TIMELINE_LIMIT {
                    early.push(update);
                }
            }
        }
    }

    fn asks(&self, request: RequestPermissionRequest) -> oneshot::Receiver<Option<String>> {
        let (answer, answered) = oneshot::channel();
        // Without a session there is nobody to ask: the answer is dropped, which cancels.
        if let Some(session) = self.session.lock().clone() {
            session.asks(&request, answer);
        }
        answered
    }

    fn writes(&self, path: &Path) {
        if let Some(session) = self.session.lock().clone() {
            session.writes(path);
        }
    }

    fn wrote(&self, path: &Path, written: Result<(), String>) {
        if let Some(session) = self.session.lock().clone() {
            session.wrote(path, written);
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
                offered: Offered::default(),
                chosen: BTreeMap::new(),
                usage: None,
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
        let state = self.state.lock();
        let pending = state.pending.iter().map(|(request, _)| request.clone());
        let offers = state.offered.offers.clone();
        let model = offers
            .settings
            .iter()
            .find(|setting| setting.category.as_deref() == Some("model"));
        AgentInfo {
            permissions: pending.collect(),
            model: model.map(|setting| setting.current.clone()),
            offers,
            usage: state.usage.clone(),
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
        self.state.lock().held.status = status;
        self.changed();
    }

    /// Takes what the agent said as it made or loaded the session.
    pub(super) fn made(&self, made: &Value, link: &Link) {
        let mut state = self.state.lock();
        state.offered.made(made);
        state.offered.offers.images = link.sees();
    }

    fn update(&self, update: Value) {
        let kind = update["sessionUpdate"].as_str().unwrap_or_default();
        let told = match kind {
            "session_info_update" => update["title"].as_str().map(|title| {
                self.state.lock().held.title = Some(title.to_owned());
            }),
            "available_commands_update" => {
                let commands = &update["availableCommands"];
                self.state.lock().offered.commands(commands);
                Some(())
            }
            "config_option_update" => {
                let options = &update["configOptions"];
                self.state.lock().offered.options(options);
                Some(())
            }
            "current_mode_update" => update["currentModeId"].as_str().map(|mode| {
                self.state.lock().offered.note("mode", mode);
            }),
            "usage_update" => {
                self.used(context(&update));
                Some(())
            }
            _ => {
                let event = self.state.lock().calls.read(update);
                self.happened(event);
                return;
            }
        };
        if told.is_some() {
            self.changed();
        }
    }

    /// Takes note of what was used.
    pub(super) fn used(&self, usage: Usage) {
        {
            let mut state = self.state.lock();
            let before = state.usage.take().unwrap_or_default();
            state.usage = Some(before.and(usage.clone()));
        }
        self.happened(AgentEvent::Usage { usage });
    }

    pub(super) fn happened(&self, event: AgentEvent) {
        let position = {
            let mut state = self.state.lock();
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
        let (call, asked, ends) = {
            let mut state = self.state.lock();
            if state.held.writer.is_none() && !state.held.status.is_busy() {
                return; // No turn runs: dropping the answer cancels the request.
            }
            state.asked += 1;
            let id = format!("p{}", state.asked);
            let (call, asked) = state.calls.asks(id, request);
            state.pending.push((asked.clone(), answer));
            state.held.status = AgentStatus::NeedsYou;
            (call, asked, state.stop_at_permission)
        };
        // What it is about stays in the conversation when the question is gone.
        self.happened(AgentEvent::Tool { call });
        self.happened(AgentEvent::Permission { request: asked });
        self.changed();
        if ends && let Some(writer) = self.state.lock().held.writer.take() {
            writer.end(Outcome::NeedsPermission);
        }
    }

    /// It is about to write a file; told of, unless one of its own calls does.
    fn writes(&self, path: &Path) {
        let path = path.display().to_string();
        if !self.state.lock().calls.tells_of(&path) {
            self.write(&path, ToolStatus::Running, None);
        }
    }

    /// It has written a file, or why not.
    fn wrote(&self, path: &Path, written: Result<(), String>) {
        let path = path.display().to_string();
        let told = self.state.lock().calls.tells_of(&path);
        match written {
            Ok(()) if told => {}
            Ok(()) => self.write(&path, ToolStatus::Completed, None),
            Err(reason) => self.write(&path, ToolStatus::Failed, Some(reason)),
        }
    }

    fn write(&self, path: &str, status: ToolStatus, error: Option<String>) {
        self.happened(AgentEvent::Tool {
            call: ToolCall {
                id: format!("write:{path}"),
                name: "write".into(),
                title: Some(format!("write {path}")),
                status,
                detail: Some(ToolDetail {
                    kind: "write".into(),
                    paths: vec![path.to_owned()],
                    ..ToolDetail::default()
                }),
                error,
            },
        });
    }

    /// Ends the tool calls of which no end was told: nothing goes on any more.
    pub(super) fn end_calls(&self, status: &ToolStatus) {
        let ended = self.state.lock().calls.end(status);
        for call in ended {
            self.happened(AgentEvent::Tool { call });
        }
    }

    /// Takes back every question that nobody answered.
    pub(super) fn cancel_pending(&self) {
        let pending = std::mem::take(&mut self.state.lock().pending);
        for (request, answer) in pending {
            let _ = answer.send(None);
            self.happened(AgentEvent::PermissionResolved {
                id: request.id,
                answer: None,
            });
        }
    }

    /// Ends the turn that runs, for everyone who follows it.
    pub(super) fn finish(&self, outcome: Outcome) {
        self.cancel_pending();
        self.end_calls(match outcome {
            Outcome::Completed => &ToolStatus::Completed,
            _ => &ToolStatus::Cancelled,
        });
        let ended = AgentEvent::Ended {
            outcome: outcome.clone(),
        };
        let (writer, position) = {
            let mut state = self.state.lock();
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
            let ended = link.ended().clone();
            drop(link);
            let _ = tokio::time::timeout(Duration::from_secs(3), ended.cancelled()).await;
        }
    }
}

/// How full the context is, and what the session has cost.
fn context(update: &Value) -> Usage {
    let cost = &update["cost"];
    Usage {
        context_used: update["used"].as_u64(),
        context_size: update["size"].as_u64(),
        cost: cost["amount"]
            .as_f64()
            .zip(cost["currency"].as_str())
            .map(|(amount, currency)| {
                format!("{} {currency}", (amount * 10_000.0).round() / 10_000.0)
            }),
        ..Usage::default()
    }
}
