//! One turn of an agent, as its caller sees it: a stream of events, a cancel, a result.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

use crate::news::News;
use crate::types::{AgentEvent, AgentId, Outcome, TurnResult, Usage};

/// How much unread text a turn holds before the oldest of it is dropped.
const UNREAD_LIMIT: usize = 8 << 20;
/// How much of the answer is kept for the result.
const ANSWER_LIMIT: usize = 32 << 20;
/// How many unread events a turn holds before the oldest is dropped.
const EVENT_LIMIT: usize = 16_384;

/// A turn that runs. Dropping it lets the agent go on; [`Turn::canceller`] stops it.
#[derive(Debug)]
pub struct Turn {
    shared: Arc<Shared>,
    cancel: CancellationToken,
}

/// Stops a turn, from wherever it is held.
#[derive(Debug, Clone)]
pub struct Canceller(CancellationToken);

impl Canceller {
    /// Asks the agent to stop. The turn ends with [`Outcome::Cancelled`] once it has, or when it does not.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

/// The side of a turn that goes on in another process: what is heard of it is told here.
#[derive(Debug)]
pub struct Relay(TurnWriter);

impl Relay {
    /// Passes on what was heard. [`AgentEvent::Ended`] ends the turn; the first end counts.
    pub fn tell(&self, event: AgentEvent) {
        match event {
            AgentEvent::Ended { outcome } => self.0.end(outcome),
            event => self.0.push(event),
        }
    }

    /// Ends when the caller wants the turn stopped.
    pub async fn cancelled(&self) {
        self.0.cancel.cancelled().await;
    }
}

/// The side of a turn that a backend fills.
#[derive(Debug, Clone)]
pub(crate) struct TurnWriter {
    shared: Arc<Shared>,
    cancel: CancellationToken,
    /// Who else is told, and as whose conversation.
    told: Option<(AgentId, broadcast::Sender<News>)>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    unread: VecDeque<AgentEvent>,
    unread_bytes: usize,
    missed: u64,
    text: String,
    answer_from: usize,
    truncated: bool,
    usage: Option<Usage>,
    best_effort: bool,
    outcome: Option<Outcome>,
    ended_told: bool,
    /// The turn was dropped: nobody reads any more.
    dropped: bool,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.dropped = true;
        state.unread = VecDeque::new();
        state.text = String::new();
    }
}

/// Makes the two sides of one turn.
pub(crate) fn turn() -> (Turn, TurnWriter) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State::default()),
        changed: Notify::new(),
    });
    let cancel = CancellationToken::new();
    (
        Turn {
            shared: shared.clone(),
            cancel: cancel.clone(),
        },
        TurnWriter {
            shared,
            cancel,
            told: None,
        },
    )
}

impl Turn {
    /// A turn that goes on elsewhere.
    pub fn relayed() -> (Self, Relay) {
        let (turn, writer) = turn();
        (turn, Relay(writer))
    }

    /// Waits for the next event. `None` once [`AgentEvent::Ended`] was returned.
    ///
    /// Text that nobody has read yet is joined, so a slow reader gets fewer and longer pieces; past
    /// 8 MiB of unread text the oldest is dropped, and an [`AgentEvent::Missed`] says so.
    pub async fn next(&mut self) -> Option<AgentEvent> {
        loop {
            let changed = self.shared.changed.notified();
            {
                let mut state = self.shared.state.lock();
                if state.missed > 0 {
                    let bytes = std::mem::take(&mut state.missed);
                    return Some(AgentEvent::Missed { bytes });
                }
                if let Some(event) = state.unread.pop_front() {
                    state.unread_bytes -= size(&event);
                    return Some(event);
                }
                if let Some(outcome) = state.outcome.clone() {
                    if state.ended_told {
                        return None;
                    }
                    state.ended_told = true;
                    return Some(AgentEvent::Ended { outcome });
                }
            }
            changed.await;
        }
    }

    /// Waits for the end, dropping the events, and says what came of the turn.
    pub async fn result(mut self) -> TurnResult {
        while self.next().await.is_some() {}
        self.so_far()
    }

    /// What is known of the turn now; once it has ended, its result.
    pub fn so_far(&self) -> TurnResult {
        let state = self.shared.state.lock();
        let answer = state.text[state.answer_from..].trim();
        TurnResult {
            outcome: state.outcome.clone().unwrap_or(Outcome::Cancelled),
            text: state.text.clone(),
            answer: if answer.is_empty() {
                state.text.trim()
            } else {
                answer
            }
            .to_owned(),
            usage: state.usage.clone(),
            best_effort: state.best_effort || state.truncated,
        }
    }

    /// A handle that stops this turn.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.cancel.clone())
    }
}

impl TurnWriter {
    /// Tells everything as the backend's news as well.
    pub(crate) fn told_to(mut self, agent: AgentId, news: broadcast::Sender<News>) -> Self {
        self.told = Some((agent, news));
        self
    }

    fn tell(&self, event: &AgentEvent) {
        if let Some((agent, news)) = &self.told {
            // Nobody listening is fine.
            let _ = news.send(News::Event {
                agent: agent.clone(),
                event: Box::new(event.clone()),
                position: None,
            });
        }
    }

    /// Adds what happened. After the end, nothing is added any more.
    pub(crate) fn push(&self, event: AgentEvent) {
        let mut state = self.shared.state.lock();
        if state.outcome.is_some() {
            return;
        }
        self.tell(&event);
        if state.dropped {
            return;
        }
        match &event {
            AgentEvent::Text { text } => {
                if state.text.len() + text.len() <= ANSWER_LIMIT {
                    state.text.push_str(text);
                } else {
                    state.truncated = true;
                }
            }
            AgentEvent::Tool { .. } => state.answer_from = state.text.len(),
            AgentEvent::Usage { usage } => {
                let before = state.usage.take().unwrap_or_default();
                state.usage = Some(before.and(usage.clone()));
            }
            _ => {}
        }
        state.unread_bytes += size(&event);
        match (state.unread.back_mut(), event) {
            (Some(AgentEvent::Text { text: last }), AgentEvent::Text { text })
            | (Some(AgentEvent::Reasoning { text: last }), AgentEvent::Reasoning { text }) => {
                last.push_str(&text);
            }
            (_, event) => state.unread.push_back(event),
        }
        while state.unread_bytes > UNREAD_LIMIT || state.unread.len() > EVENT_LIMIT {
            let Some(dropped) = state.unread.pop_front() else {
                break;
            };
            let bytes = size(&dropped);
            state.unread_bytes -= bytes;
            state.missed += bytes as u64;
        }
        drop(state);
        self.shared.changed.notify_waiters();
    }

    /// Ends the turn; the first end counts.
    pub(crate) fn end(&self, outcome: Outcome) {
        let mut state = self.shared.state.lock();
        if state.outcome.is_none() {
            self.tell(&AgentEvent::Ended {
                outcome: outcome.clone(),
            });
            state.outcome = Some(outcome);
        }
        drop(state);
        self.shared.changed.notify_waiters();
    }

    /// Says that the text is cut from output meant for people.
    pub(crate) fn best_effort(&self) {
        self.shared.state.lock().best_effort = true;
    }

    /// Ends when the caller wants the turn stopped.
    pub(crate) fn cancelled(&self) -> &CancellationToken {
        &self.cancel
    }
}

fn size(event: &AgentEvent) -> usize {
    const FIXED: usize = 64;
    FIXED
        + match event {
            AgentEvent::Text { text }
            | AgentEvent::Reasoning { text }
            | AgentEvent::Prompt { text }
            | AgentEvent::Other { text, .. }
            | AgentEvent::Notice { text } => text.len(),
            AgentEvent::Tool { call } => call.detail.as_ref().map_or(0, |detail| {
                let changes = detail.changes.iter();
                let changed = changes.flat_map(|change| [&change.old_text, &change.new_text]);
                [&detail.output, &detail.input]
                    .into_iter()
                    .chain(changed)
                    .flatten()
                    .map(String::len)
                    .sum()
            }),
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> AgentEvent {
        AgentEvent::Text { text: text.into() }
    }

    #[tokio::test]
    async fn unread_text_is_joined_and_the_end_comes_last() {
        let (mut turn, writer) = turn();
        writer.push(text("one "));
        writer.push(text("two"));
        writer.end(Outcome::Completed);
        writer.push(text("too late"));
        assert_eq!(turn.next().await, Some(text("one two")));
        assert_eq!(
            turn.next().await,
            Some(AgentEvent::Ended {
                outcome: Outcome::Completed
            })
        );
        assert_eq!(turn.next().await, None);
        assert_eq!(turn.so_far().text, "one two");
    }

    #[tokio::test]
    async fn a_flood_that_nobody_reads_is_bounded_and_said() {
        let (mut turn, writer) = turn();
        let piece = "x".repeat(1 << 20);
        for _ in 0..12 {
            writer.push(text(&piece));
            writer.push(AgentEvent::Started);
        }
        writer.end(Outcome::Completed);
        let Some(AgentEvent::Missed { bytes }) = turn.next().await else {
            panic!("nothing was missed");
        };
        assert!(bytes >= 4 << 20, "{bytes}");
        let result = turn.result().await;
        assert_eq!(result.text.len(), 12 << 20, "the result keeps all of it");
    }

    #[tokio::test]
    async fn the_answer_is_what_follows_the_last_tool_call() {
        let (turn, writer) = turn();
        writer.push(text("First I will read a file.\n"));
        writer.push(AgentEvent::Tool {
            call: crate::types::ToolCall {
                id: "1".into(),
                name: "read".into(),
                title: None,
                status: crate::types::ToolStatus::Completed,
                detail: None,
                error: None,
            },
        });
        writer.push(text("The answer is 42."));
        writer.end(Outcome::Completed);
        let result = turn.result().await;
        assert_eq!(result.answer, "The answer is 42.");
        assert_eq!(result.text, "First I will read a file.\nThe answer is 42.");
    }
}
