//! Conversations that an agent remembers: listed, and forked.

use std::sync::Arc;

use agent_client_protocol::v1::schema::ForkSessionRequest;
use serde_json::{Value, json};

use super::session::Ear;
use super::{Asker, Inner, session_of};
use crate::error::AgentError;
use crate::types::{AgentId, AgentInfo, KnownSession};

/// How many conversations that an agent remembers are listed.
const SESSIONS_LIMIT: usize = 1_000;

impl Inner {
    /// The conversations that the agent remembers of a directory; a process is started to ask it.
    pub(super) async fn sessions(
        &self,
        cwd: &str,
        asker: &Asker,
    ) -> Result<Vec<KnownSession>, AgentError> {
        let link = self.open(cwd, asker, Arc::default()).await?;
        if !link.lists() {
            return Err(AgentError::Unsupported {
                backend: self.id.0.clone(),
                what: "list conversations".into(),
                reason: format!(
                    "{} does not offer that; name the one that is to be taken over by its id",
                    self.config.name
                ),
            });
        }
        let mut found = Vec::new();
        let mut cursor = Value::Null;
        while found.len() < SESSIONS_LIMIT {
            let mut params = json!({ "cwd": cwd });
            if !cursor.is_null() {
                params["cursor"] = cursor;
            }
            let page = self.ask(&link, "session/list", &params).await?;
            let before = found.len();
            let sessions = page["sessions"].as_array().into_iter().flatten();
            found.extend(sessions.filter_map(known_session));
            cursor = page["nextCursor"].clone();
            // An agent that gives a cursor and nothing with it would be asked for ever.
            if cursor.is_null() || found.len() == before {
                break;
            }
        }
        found.truncate(SESSIONS_LIMIT);
        Ok(found)
    }

    /// Another session that knows what this one knows, in a process of its own; the agent has what was said on its disk.
    pub(super) async fn fork(
        self: &Arc<Self>,
        agent: &AgentId,
        asker: &Asker,
    ) -> Result<AgentInfo, AgentError> {
        let forked = self.find(agent)?;
        let (title, labels) = {
            let held = &forked.state.lock().held;
            if held.status.is_busy() {
                return Err(AgentError::Busy {
                    agent: agent.clone(),
                });
            }
            (held.title.clone(), held.labels.clone())
        };
        let ear = Arc::new(Ear::default());
        let link = self.open(&forked.cwd, asker, ear.clone()).await?;
        if !link.forks() {
            return Err(AgentError::Unsupported {
                backend: self.id.0.clone(),
                what: "fork a conversation".into(),
                reason: format!("{} does not offer that; start a new one", self.config.name),
            });
        }
        let request = ForkSessionRequest::new(forked.id.clone(), &forked.cwd)
            .mcp_servers(self.config.mcp_servers());
        let made = self.ask(&link, "session/fork", &request).await?;
        let id = session_of(&made, "session/fork")?;
        let session = self.add(&id, &forked.cwd, title, labels);
        session.made(&made, &link);
        let chosen = forked.state.lock().chosen.clone();
        session.state.lock().chosen = chosen;
        self.choose_again(&session, &link).await;
        // An agent may tell what was said, as it does of a session that it loads; else it is known from the other one.
        if ear.early.lock().is_empty() {
            let said = forked.state.lock().held.timeline.entries();
            session.state.lock().held.timeline.replace(said);
        }
        ear.bind(&session);
        let link = Arc::new(link);
        self.watch(&session, &link);
        *session.link.lock().await = Some(link);
        self.cool().await;
        session.changed();
        Ok(session.info())
    }
}

fn known_session(told: &Value) -> Option<KnownSession> {
    let text = |name: &str| told[name].as_str().map(str::to_owned);
    Some(KnownSession {
        id: text("sessionId")?,
        cwd: text("cwd").unwrap_or_default(),
        title: text("title"),
        updated_at: text("updatedAt"),
    })
}
