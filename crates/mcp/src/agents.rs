//! Agents: listed, and prompted. What they ask is a person's to answer.

use std::fmt::Write as _;
use std::time::Duration;

use agents::{AgentInfo, ListAgents, Outcome, Prompt};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::timeout;

use crate::caller::Caller;
use crate::words::{Answer, Printed, cut, listed, within};

/// Agents that are told of at once.
const MOST: usize = 100;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Send {
    /// The beginning of its id, or its title
    agent: String,
    text: String,
    /// 0 to 3600
    #[serde(default)]
    seconds: u32,
}

pub(crate) async fn list(caller: &Caller) -> Answer {
    let hosts = caller.app.list_agents(ListAgents::default()).await?;
    let mut rows = Vec::new();
    for host in &hosts {
        if let Some(error) = &host.error {
            rows.push(format!("{}: {}", host.backend.id.0, cut(error)));
        }
        rows.extend(host.agents.iter().map(row));
    }
    Ok(listed(rows, MOST, "There are no agents."))
}

fn row(agent: &AgentInfo) -> String {
    let status = serde_json::to_value(&agent.status).unwrap_or_default();
    let status = status["state"]
        .as_str()
        .unwrap_or("unknown")
        .replace('_', " ");
    let mut row = format!("{}: {}, {status}", cut(&agent.id.0), cut(&agent.provider));
    if let Some(title) = &agent.title {
        let _ = write!(row, ", {}", cut(title));
    }
    let _ = write!(row, "; in {}", cut(&agent.cwd));
    row
}

pub(crate) async fn send(caller: &Caller, asked: Send) -> Answer {
    let agent = caller.app.find_agent(None, &asked.agent).await?;
    let prompt = Prompt::new(asked.text);
    let turn = caller
        .app
        .prompt_agent(&agent.backend, &agent.id, prompt)
        .await?;
    if asked.seconds == 0 {
        // Its events are kept by whoever shows the conversation.
        tokio::spawn(turn.result());
        return Ok("It was said.".to_owned());
    }
    let limit = Duration::from_secs(within("seconds", asked.seconds, 3_600)?.into());
    let waiting = tokio::spawn(turn.result());
    let Ok(ended) = timeout(limit, waiting).await else {
        return Ok(format!("It still works after {} seconds.", asked.seconds));
    };
    let ended = ended.map_err(|error| crate::words::Refused(error.to_string()))?;
    let mut printed = Printed::default();
    ended.answer.lines().for_each(|line| printed.line(line));
    let how = match &ended.outcome {
        Outcome::Completed => "It answered.".to_owned(),
        Outcome::Failed { message } => format!("It failed: {}", cut(message)),
        Outcome::NeedsPermission => "It asks a person for something.".to_owned(),
        Outcome::TimedOut => "It took too long.".to_owned(),
        Outcome::Cancelled => "It was stopped.".to_owned(),
    };
    Ok(format!("{}{how}", printed.told()))
}
