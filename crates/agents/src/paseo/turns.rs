//! One prompt and what follows it, over each transport.

mod program;
mod socket;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::error::AgentError;
use crate::paseo::frames::{self, StreamEvent};
use crate::paseo::{Inner, Route};
use crate::turn::{Turn, turn};
use crate::types::{AgentEvent, AgentId, Prompt};
use program::program_turn;
use socket::Following;

/// The event that a person sees, if the frame is one.
pub(super) fn event(event: StreamEvent) -> Option<AgentEvent> {
    Some(match event {
        StreamEvent::Said { text, .. } => AgentEvent::Prompt { text },
        StreamEvent::Started => AgentEvent::Started,
        StreamEvent::Event(event) => event,
        StreamEvent::Ended(outcome, _) => AgentEvent::Ended { outcome },
        StreamEvent::Other => return None,
    })
}

/// Counts a turn while it lives, so that its backend is known to be busy.
struct Running(Arc<Inner>);

impl Running {
    fn new(inner: &Arc<Inner>) -> Self {
        inner.turns.fetch_add(1, Ordering::Relaxed);
        Self(inner.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.turns.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends the prompt, and returns once the daemon has taken it (socket) or the program runs.
pub(super) async fn prompt(
    inner: Arc<Inner>,
    agent: AgentId,
    prompt: Prompt,
) -> Result<Turn, AgentError> {
    let route = inner.route().await?;
    let known = inner.get(&route, &agent.0).await?;
    if known.status.is_busy() && !prompt.replace {
        return Err(AgentError::Busy { agent });
    }
    let (turn, writer) = turn();
    let running = Running::new(&inner);
    match route {
        Route::Socket(secret) => {
            let message = uuid::Uuid::new_v4().to_string();
            // Listening begins before the prompt leaves: its answer may be faster than the reply.
            let listener = inner.socket.listen(&agent.0);
            let body = json!({"agentId": agent.0, "text": prompt.text, "messageId": message});
            let sent = inner
                .socket
                .request(
                    "send_agent_message_request",
                    body,
                    secret.as_ref(),
                    inner.config.deadlines.start,
                )
                .await;
            let unsure = match sent {
                Ok(payload) if payload.get("accepted") == Some(&Value::Bool(false)) => {
                    let error = payload
                        .get("error")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    return Err(if error.contains("not found") {
                        AgentError::UnknownAgent { agent: agent.0 }
                    } else {
                        AgentError::Refused {
                            what: "send_agent_message_request".into(),
                            code: "not accepted".into(),
                            message: frames::readable(error.to_owned()),
                        }
                    });
                }
                Ok(_) => false,
                // It may have been taken: that is found out once the connection is back, and the
                // prompt is never sent twice.
                Err(AgentError::Lost { .. }) => true,
                Err(error) => return Err(error),
            };
            let following = Following {
                inner: inner.clone(),
                agent,
                secret,
                message,
                text: prompt.text.clone(),
                writer,
                listener,
                accepted: !unsure,
                mine: false,
                started: false,
                position: None,
                asked: HashSet::new(),
                stop_at_permission: prompt.stop_at_permission,
            };
            tokio::spawn(async move {
                let _running = running;
                following.run(prompt.timeout_ms, unsure).await;
            });
        }
        Route::Program(cli) => {
            let writer = writer.told_to(agent.clone(), inner.program_told.clone());
            tokio::spawn(async move {
                let _running = running;
                program_turn(&inner, &cli, &agent, &prompt, &writer).await;
            });
        }
    }
    Ok(turn)
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
