//! One conversation, followed: what was said, then what is being said, without a gap and without a repeat.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use specta::Type;
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};

use crate::happened::AgentsEvent;
use crate::shared::Shared;
use crate::types::{AgentEvent, AgentId, BackendId, Position, TimelineEntry};

/// How many events are told at once at most; more wait in the room's own queue.
const BATCH: usize = 512;

/// A step of a conversation that is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum ConversationStep {
    /// Everything that was said so far, in place of what was told before.
    Whole {
        /// Oldest first.
        entries: Vec<TimelineEntry>,
    },
    /// What was said since; text that came in pieces is joined.
    More {
        /// In order.
        events: Vec<AgentEvent>,
    },
    /// What was said can't be read back; what is said from now on is still told.
    Unread {
        /// Why, and what to do.
        reason: String,
    },
}

/// Follows one agent's conversation for as long as it is held. Made by [`Agents::follow`](crate::Agents::follow).
#[derive(Debug)]
pub struct Conversation {
    agents: Arc<Shared>,
    backend: BackendId,
    agent: AgentId,
    events: broadcast::Receiver<AgentsEvent>,
    /// Whether what was said is to be read back, at first and after a gap.
    unread: bool,
    /// How far it was read back: what is heard of before that is a repeat.
    read_to: Option<Position>,
}

impl Conversation {
    pub(crate) fn new(agents: Arc<Shared>, backend: BackendId, agent: AgentId) -> Self {
        Self {
            // Listening begins before reading back, so that nothing falls between the two.
            events: agents.events.subscribe(),
            agents,
            backend,
            agent,
            unread: true,
            read_to: None,
        }
    }

    /// Waits for what comes next; `None` once the agents are no more.
    ///
    /// Whoever asks slowly gets fewer and longer steps, and after a gap the whole anew.
    pub async fn next(&mut self) -> Option<ConversationStep> {
        loop {
            if std::mem::take(&mut self.unread) {
                return Some(self.read_back().await);
            }
            let mut events = Vec::new();
            match self.events.recv().await {
                Ok(event) => self.take(event, &mut events),
                Err(RecvError::Lagged(_)) => self.unread = true,
                Err(RecvError::Closed) => return None,
            }
            while !self.unread && events.len() < BATCH {
                match self.events.try_recv() {
                    Ok(event) => self.take(event, &mut events),
                    Err(TryRecvError::Lagged(_)) => self.unread = true,
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
            // What was heard before a gap is read back with the rest.
            if !self.unread && !events.is_empty() {
                return Some(ConversationStep::More { events });
            }
        }
    }

    async fn read_back(&mut self) -> ConversationStep {
        match self.agents.timeline(&self.backend, &self.agent).await {
            Ok(entries) => {
                self.read_to = entries
                    .iter()
                    .rev()
                    .find_map(|entry| entry.position.clone());
                ConversationStep::Whole { entries }
            }
            Err(error) => ConversationStep::Unread {
                reason: error.to_string(),
            },
        }
    }

    fn take(&mut self, event: AgentsEvent, events: &mut Vec<AgentEvent>) {
        match event {
            AgentsEvent::Conversation {
                backend,
                agent,
                happened,
                position,
            } if backend == self.backend && agent == self.agent => {
                let repeated = position.is_some_and(|position| {
                    self.read_to.as_ref().is_some_and(|read| {
                        read.epoch == position.epoch && position.seq <= read.seq
                    })
                });
                if !repeated {
                    join(events, happened);
                }
            }
            // The connection was made anew, or the backend's own queue ran over.
            AgentsEvent::Listed { listed }
                if listed.backend.id == self.backend && listed.anew && listed.error.is_none() =>
            {
                self.unread = true;
            }
            _ => {}
        }
    }
}

fn join(events: &mut Vec<AgentEvent>, event: AgentEvent) {
    match (events.last_mut(), event) {
        (Some(AgentEvent::Text { text: last }), AgentEvent::Text { text })
        | (Some(AgentEvent::Reasoning { text: last }), AgentEvent::Reasoning { text }) => {
            last.push_str(&text);
        }
        (_, event) => events.push(event),
    }
}
