//! One turn over the socket: heard from our own prompt to its own end, also across a connection that breaks.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::error::AgentError;
use crate::paseo::frames::{self, StreamEvent};
use crate::paseo::socket::{Heard, Listener};
use crate::paseo::turns::until;
use crate::paseo::{Inner, Route};
use crate::process::sleep;
use crate::secret::Secret;
use crate::turn::TurnWriter;
use crate::types::{AgentEvent, AgentId, AgentStatus, Outcome, Position};

/// Follows one turn over the socket.
pub(super) struct Following {
    pub(super) inner: Arc<Inner>,
    pub(super) agent: AgentId,
    pub(super) secret: Option<Secret>,
    pub(super) message: String,
    pub(super) text: String,
    pub(super) writer: TurnWriter,
    pub(super) listener: Listener,
    /// The daemon said that it has taken the prompt.
    pub(super) accepted: bool,
    /// Our own prompt came by in the stream.
    pub(super) mine: bool,
    /// After it, a turn began: what comes now is ours.
    pub(super) started: bool,
    pub(super) position: Option<Position>,
    pub(super) asked: HashSet<String>,
    pub(super) stop_at_permission: bool,
}

/// Why a turn is being stopped from this side.
enum Stopping {
    Cancelled,
    TimedOut,
    Silent(Duration),
}

impl Following {
    pub(super) async fn run(mut self, timeout: Option<u64>, lost: bool) {
        let deadlines = self.inner.config.deadlines.clone();
        let timeout = timeout.map(|ms| Instant::now() + Duration::from_millis(ms));
        if lost && !self.catch_up().await {
            return;
        }
        loop {
            let silent = if self.asked.is_empty() {
                Some(deadlines.silent_turn)
            } else {
                None // It waits for a person, who may take a night.
            };
            let stopping = tokio::select! {
                heard = self.listener.heard.recv() => match heard {
                    Some(Heard::Stream(stream)) => {
                        if stream.position.is_some() {
                            self.position = stream.position;
                        }
                        if self.take(stream.event) {
                            return;
                        }
                        continue;
                    }
                    Some(Heard::Lost) | None => {
                        if self.catch_up().await {
                            continue;
                        }
                        return;
                    }
                },
                () = self.writer.cancelled().clone().cancelled_owned() => Stopping::Cancelled,
                () = until(timeout) => Stopping::TimedOut,
                () = sleep(silent) => Stopping::Silent(deadlines.silent_turn),
            };
            self.stop(stopping).await;
            return;
        }
    }

    /// Takes one event; `true` when it ended the turn.
    fn take(&mut self, event: StreamEvent) -> bool {
        match event {
            StreamEvent::Said { text, message } => {
                let ours = match &message {
                    Some(message) => *message == self.message,
                    None => text == self.text,
                };
                if ours && !self.mine {
                    self.mine = true;
                    self.accepted = true;
                    self.writer.push(AgentEvent::Prompt { text });
                }
            }
            StreamEvent::Started if self.mine => {
                if !self.started {
                    self.started = true;
                    self.writer.push(AgentEvent::Started);
                }
            }
            // After our prompt and before our turn, an end is that of the turn which we replaced.
            StreamEvent::Ended(outcome, usage) if self.started => {
                if let Some(usage) = usage {
                    self.writer.push(AgentEvent::Usage { usage });
                }
                self.writer.end(outcome);
                return true;
            }
            StreamEvent::Event(event) if self.started => {
                let asks = match &event {
                    AgentEvent::Permission { request } => self.asked.insert(request.id.clone()),
                    AgentEvent::PermissionResolved { id, .. } => {
                        self.asked.remove(id);
                        false
                    }
                    _ => false,
                };
                self.writer.push(event);
                if asks && self.stop_at_permission {
                    self.writer.end(Outcome::NeedsPermission);
                    return true;
                }
            }
            StreamEvent::Started
            | StreamEvent::Ended(..)
            | StreamEvent::Event(_)
            | StreamEvent::Other => {}
        }
        false
    }

    /// Tells the agent to stop, hears its last words, and ends the turn whatever it says.
    async fn stop(mut self, why: Stopping) {
        let within = self.inner.config.deadlines.stop;
        let inner = self.inner.clone();
        let body = json!({"agentId": self.agent.0});
        let secret = self.secret.clone();
        let cancel = inner.ask(secret.as_ref(), "cancel_agent_request", body);
        let (outcome, last) = match why {
            Stopping::Cancelled => (Outcome::Cancelled, false),
            Stopping::TimedOut => (Outcome::TimedOut, false),
            Stopping::Silent(after) => (
                Outcome::Failed {
                    message: format!(
                        "nothing was heard of the agent for {} s, so it was stopped; its process may have ended",
                        after.as_secs_f32()
                    ),
                },
                true,
            ),
        };
        let words = async {
            let mut told = false;
            tokio::pin!(cancel);
            loop {
                tokio::select! {
                    // An agent that was not stopped at the daemon is said to be so.
                    answer = &mut cancel, if !told => {
                        told = true;
                        if answer.is_err() || last {
                            return;
                        }
                    }
                    heard = self.listener.heard.recv() => match heard {
                        Some(Heard::Stream(stream)) => {
                            if let StreamEvent::Ended(..) = stream.event {
                                if told || self.started {
                                    return;
                                }
                            } else if let StreamEvent::Event(event) = stream.event {
                                self.writer.push(event);
                            }
                        }
                        Some(Heard::Lost) | None => return,
                    },
                }
            }
        };
        let _ = tokio::time::timeout(within, words).await;
        self.writer.end(outcome);
    }

    /// Connects again and reads what was missed; `false` when the turn ended thereby.
    async fn catch_up(&mut self) -> bool {
        let give_up = Instant::now() + self.inner.config.deadlines.reconnect;
        let mut pause = Duration::from_millis(50);
        let cancelled = self.writer.cancelled().clone();
        loop {
            match self.read_missed().await {
                Ok(goes_on) => return goes_on,
                Err(error) => {
                    let lasting = matches!(
                        error,
                        AgentError::Password { .. } | AgentError::UnknownAgent { .. }
                    );
                    if lasting || Instant::now() + pause > give_up {
                        self.writer.end(Outcome::Failed {
                            message: format!("the connection was lost in mid-turn: {error}"),
                        });
                        return false;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = cancelled.cancelled() => {
                            self.writer.end(Outcome::Cancelled);
                            return false;
                        }
                    }
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
            }
        }
    }

    async fn read_missed(&mut self) -> Result<bool, AgentError> {
        let inner = self.inner.clone();
        inner.socket.connect(self.secret.as_ref()).await?;
        // From here on new frames reach the listener; what they repeat is recognised by its number.
        let mut body = json!({"agentId": self.agent.0, "limit": 0, "projection": "canonical", "direction": "tail"});
        if let Some(position) = &self.position {
            body["direction"] = json!("after");
            body["cursor"] = json!({"epoch": position.epoch, "seq": position.seq});
        }
        let payload = inner
            .ask(self.secret.as_ref(), "fetch_agent_timeline_request", body)
            .await?;
        let timeline: frames::Timeline = serde_json::from_value(payload)
            .map_err(|error| inner.garbled("fetch_agent_timeline_request", error, &Value::Null))?;
        let counted = self.position.as_ref().zip(timeline.epoch.as_ref());
        if counted.is_some_and(|(position, epoch)| position.epoch != *epoch) {
            // It counts anew since it was started again, and what was under way then is gone: whatever the agent is at
            // now, it is not our turn.
            self.cut_off();
            return Ok(false);
        }
        let continues = !timeline.reset && !timeline.stale_cursor;
        if continues {
            let after = self.position.as_ref().map_or(0, |position| position.seq);
            for entry in timeline
                .entries
                .iter()
                .filter(|entry| entry.seq_end > after)
            {
                let said = frames::item(&entry.item);
                // A timeline has no `turn_started`: whatever follows our prompt is ours.
                if self.mine && !self.started && matches!(said, StreamEvent::Event(_)) {
                    self.take(StreamEvent::Started);
                }
                if self.take(said) {
                    return Ok(false);
                }
                if let Some(epoch) = &timeline.epoch {
                    self.position = Some(Position {
                        epoch: epoch.clone(),
                        seq: entry.seq_end,
                    });
                }
            }
            if self.drop_repeated() {
                return Ok(false);
            }
        }
        let agent = match timeline.agent {
            Some(agent) if !agent.id.is_empty() => agent.info(&inner.id),
            _ => {
                inner
                    .get(&Route::Socket(self.secret.clone()), &self.agent.0)
                    .await?
            }
        };
        if !self.mine && !self.accepted {
            self.writer.end(Outcome::Failed {
                message: "the connection was lost before the prompt was taken; send it again"
                    .into(),
            });
            return Ok(false);
        }
        Ok(match agent.status {
            AgentStatus::Working
            | AgentStatus::NeedsYou
            | AgentStatus::Starting
            | AgentStatus::Unknown { .. } => {
                self.mine = true;
                self.take(StreamEvent::Started);
                for request in agent.permissions {
                    if !self.asked.contains(&request.id)
                        && self.take(StreamEvent::Event(AgentEvent::Permission { request }))
                    {
                        return Ok(false);
                    }
                }
                true
            }
            AgentStatus::Failed => {
                self.writer.end(Outcome::Failed {
                    message: frames::readable(agent.last_error.unwrap_or_default()),
                });
                false
            }
            AgentStatus::Asleep | AgentStatus::Archived => {
                self.cut_off();
                false
            }
            AgentStatus::Done => {
                self.writer.end(Outcome::Completed);
                false
            }
            AgentStatus::Idle if self.position.is_some() => {
                self.writer.end(Outcome::Completed);
                false
            }
            AgentStatus::Idle => {
                self.writer.end(Outcome::Failed {
                    message: "the connection was lost as the turn began, and what came of it can't be told; \
                              its conversation shows what was said"
                        .into(),
                });
                false
            }
        })
    }

    fn cut_off(&self) {
        self.writer.end(Outcome::Failed {
            message: "the daemon was restarted in mid-turn, and the turn was cut off".into(),
        });
    }

    /// Passes over frames that arrived while the same items were read back; `true` when one of the
    /// others ended the turn.
    fn drop_repeated(&mut self) -> bool {
        let Some(read) = self.position.clone() else {
            return false;
        };
        let mut fresh = Vec::new();
        while let Ok(heard) = self.listener.heard.try_recv() {
            match heard {
                Heard::Stream(stream) => {
                    let repeated = stream.position.as_ref().is_some_and(|position| {
                        position.epoch == read.epoch && position.seq <= read.seq
                    });
                    if !repeated {
                        fresh.push(stream);
                    }
                }
                // An older loss than the connection that stands now.
                Heard::Lost => {}
            }
        }
        for stream in fresh {
            if stream.position.is_some() {
                self.position = stream.position;
            }
            if self.take(stream.event) {
                return true;
            }
        }
        false
    }
}
