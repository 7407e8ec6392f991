//! The list of a daemon's agents, over each transport.

use serde_json::{Value, json};

use crate::backend::sort_for_people;
use crate::error::AgentError;
use crate::paseo::process::{Call, Cli};
use crate::paseo::{Inner, Route, wire};
use crate::secret::Secret;
use crate::types::{AgentInfo, AgentStatus, ListAgents};

/// The most agents that the daemon gives at once.
const PAGE: usize = 200;

impl Inner {
    /// Every agent that is wanted; with `subscribe`, the socket tells of changes from then on.
    pub(super) async fn list(
        &self,
        which: ListAgents,
        subscribe: bool,
    ) -> Result<Vec<AgentInfo>, AgentError> {
        let mut agents = match self.route().await? {
            Route::Socket(secret) => self.list_socket(secret.as_ref(), &which, subscribe).await?,
            Route::Program(cli) => self.list_program(&cli, &which).await?,
        };
        sort_for_people(&mut agents);
        Ok(agents)
    }

    async fn list_socket(
        &self,
        secret: Option<&Secret>,
        which: &ListAgents,
        subscribe: bool,
    ) -> Result<Vec<AgentInfo>, AgentError> {
        let mut agents = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut body = json!({"page": {"limit": PAGE}});
            if let Some(cursor) = &cursor {
                body["page"]["cursor"] = json!(cursor);
            } else if subscribe {
                body["subscribe"] = json!({});
            }
            let mut filter = json!({});
            if which.archived {
                filter["includeArchived"] = json!(true);
            }
            if !which.labels.is_empty() {
                filter["labels"] = json!(which.labels);
            }
            body["filter"] = filter;
            let mut payload = self.ask(secret, "fetch_agents_request", body).await?;
            let next = payload
                .pointer("/pageInfo/nextCursor")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let Some(Value::Array(entries)) = payload.get_mut("entries").map(Value::take) else {
                return Err(self.garbled("fetch_agents_request", "it has no `entries`", &payload));
            };
            for mut entry in entries {
                let agent = entry.get_mut("agent").map(Value::take).unwrap_or_default();
                agents.push(self.read_agent("fetch_agents_request", agent)?);
            }
            // A cursor that does not move would never end.
            match next {
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                _ => return Ok(agents),
            }
        }
    }

    async fn list_program(
        &self,
        cli: &Cli,
        which: &ListAgents,
    ) -> Result<Vec<AgentInfo>, AgentError> {
        // Archived agents come as asleep: the program does not tell them apart.
        let mut options: Vec<String> = Vec::new();
        if which.archived {
            options.push("-a".into());
        }
        for (name, value) in &which.labels {
            options.extend(["--label".into(), format!("{name}={value}")]);
        }
        let (listed, permits) = tokio::join!(
            self.call(
                cli,
                "",
                Call {
                    command: &["ls"],
                    options,
                    ..Call::default()
                }
            ),
            self.call(
                cli,
                "",
                Call {
                    command: &["permit", "ls"],
                    ..Call::default()
                }
            ),
        );
        let home = std::env::var("HOME").ok();
        let mut agents = wire::list(&self.id, listed?, home.as_deref())?;
        // What waits is an addition: a version without `permit ls` still lists its agents.
        for (id, request) in permits.and_then(wire::permits).unwrap_or_default() {
            if let Some(agent) = agents.iter_mut().find(|agent| agent.id == id) {
                agent.permissions.push(request);
                if agent.status == AgentStatus::Working {
                    agent.status = AgentStatus::NeedsYou;
                }
            }
        }
        Ok(agents)
    }
}
