//! The conversation of a session that lives in this process, kept for reading back.

use crate::types::{AgentEvent, Position, TimelineEntry};

/// How many entries are kept; past that the oldest quarter goes.
pub(crate) const TIMELINE_LIMIT: usize = 4_000;
/// How long one entry of text may grow before the next piece begins another.
const TEXT_LIMIT: usize = 1 << 20;
/// How far back a tool call is looked for.
const LOOK_BACK: usize = 200;

/// What was said so far, oldest first.
#[derive(Debug)]
pub(crate) struct Timeline {
    epoch: String,
    said: u64,
    entries: Vec<TimelineEntry>,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self {
            epoch: uuid::Uuid::new_v4().to_string(),
            said: 0,
            entries: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn entries(&self) -> Vec<TimelineEntry> {
        self.entries.clone()
    }

    /// Takes what was read back in place of what was kept. What was told before stands before all of it.
    pub(crate) fn replace(&mut self, read: Vec<TimelineEntry>) {
        let position = self.position();
        self.entries.clear();
        let from = read.len().saturating_sub(TIMELINE_LIMIT);
        for mut entry in read.into_iter().skip(from) {
            entry.position = Some(position.clone());
            self.entries.push(entry);
        }
    }

    fn position(&self) -> Position {
        Position {
            epoch: self.epoch.clone(),
            seq: self.said,
        }
    }

    /// Adds an event, and says where it stands. Text goes on where text ended; a tool call that is known is
    /// replaced where it began.
    pub(crate) fn add(&mut self, event: &AgentEvent) -> Position {
        self.said += 1;
        let position = self.position();
        match self.entry_for(event) {
            Some(entry) => {
                match (&mut entry.event, event) {
                    (AgentEvent::Text { text: last }, AgentEvent::Text { text })
                    | (AgentEvent::Reasoning { text: last }, AgentEvent::Reasoning { text })
                    | (AgentEvent::Prompt { text: last }, AgentEvent::Prompt { text }) => {
                        last.push_str(text);
                    }
                    (known, event) => *known = event.clone(),
                }
                entry.position = Some(position.clone());
            }
            None => self.entries.push(TimelineEntry {
                at: None,
                event: event.clone(),
                position: Some(position.clone()),
            }),
        }
        if self.entries.len() > TIMELINE_LIMIT {
            self.entries.drain(..TIMELINE_LIMIT / 4);
        }
        position
    }

    /// The entry that `event` goes on with, if there is one.
    fn entry_for(&mut self, event: &AgentEvent) -> Option<&mut TimelineEntry> {
        if let AgentEvent::Tool { call } = event {
            return self.entries.iter_mut().rev().take(LOOK_BACK).find(
                |entry| matches!(&entry.event, AgentEvent::Tool { call: known } if known.id == call.id),
            );
        }
        self.entries
            .last_mut()
            .filter(|entry| match (&entry.event, event) {
                (AgentEvent::Text { text: last }, AgentEvent::Text { .. })
                | (AgentEvent::Reasoning { text: last }, AgentEvent::Reasoning { .. })
                | (AgentEvent::Prompt { text: last }, AgentEvent::Prompt { .. }) => {
                    last.len() < TEXT_LIMIT
                }
                _ => false,
            })
    }
}
