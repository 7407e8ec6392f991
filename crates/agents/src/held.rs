//! What this process knows of a session that it holds itself, whichever way its agent is driven.

use std::collections::BTreeMap;

use crate::error::capped;
use crate::timeline::Timeline;
use crate::turn::TurnWriter;
use crate::types::{
    AgentEvent, AgentId, AgentInfo, AgentStatus, BackendId, Offers, Outcome, Position,
};

/// How much of a first prompt becomes a session's title, in bytes.
const TITLE_LIMIT: usize = 80;

/// What is known, and what was said.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) title: Option<String>,
    pub(crate) status: AgentStatus,
    pub(crate) last_error: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) timeline: Timeline,
    /// The turn that runs.
    pub(crate) writer: Option<TurnWriter>,
}

impl Held {
    /// A session that waits for a prompt.
    pub(crate) fn new(title: Option<String>, labels: BTreeMap<String, String>) -> Self {
        Self {
            title,
            status: AgentStatus::Idle,
            last_error: None,
            labels,
            timeline: Timeline::new(),
            writer: None,
        }
    }

    /// The session as others see it.
    pub(crate) fn info(
        &self,
        backend: &BackendId,
        id: &str,
        provider: &str,
        cwd: &str,
    ) -> AgentInfo {
        AgentInfo {
            backend: backend.clone(),
            id: AgentId(id.to_owned()),
            title: self.title.clone(),
            provider: provider.to_owned(),
            model: None,
            status: self.status.clone(),
            cwd: cwd.to_owned(),
            created_at: None,
            updated_at: None,
            labels: self.labels.clone(),
            permissions: Vec::new(),
            last_error: self.last_error.clone(),
            session: None,
            offers: Offers::default(),
            usage: None,
        }
    }

    /// A turn begins. The first line of what is asked is the title of a session without one.
    pub(crate) fn begin(&mut self, writer: &TurnWriter, prompt: &str) {
        self.writer = Some(writer.clone());
        self.status = AgentStatus::Working;
        self.last_error = None;
        if self.title.is_none() {
            self.title = prompt.lines().next().map(|line| capped(line, TITLE_LIMIT));
        }
    }

    /// Something happened: kept for reading back, and told to who follows the turn.
    pub(crate) fn add(&mut self, event: &AgentEvent) -> Position {
        if let Some(writer) = &self.writer {
            writer.push(event.clone());
        }
        self.timeline.add(event)
    }

    /// A turn ended: what the session is now. The writer is the caller's to end, once others were told.
    pub(crate) fn finish(&mut self, outcome: &Outcome) -> Option<TurnWriter> {
        (self.status, self.last_error) = match outcome {
            Outcome::Completed => (AgentStatus::Done, None),
            Outcome::Cancelled | Outcome::TimedOut => (AgentStatus::Idle, None),
            Outcome::NeedsPermission => (AgentStatus::NeedsYou, None),
            Outcome::Failed { message } => (AgentStatus::Failed, Some(message.clone())),
        };
        self.writer.take()
    }
}
