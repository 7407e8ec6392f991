//! ACP agents in a process of their own: the agent host. It holds the conversations, so that they outlive the command and
//! the window that began them, and each has one owner however many faces look (decision 0037).
//!
//! [`serve`] is that process; [`AgentHost`] finds or starts it, and [`Away`] is one of its backends, as any other.

mod client;
mod server;

use std::collections::BTreeMap;
use std::path::PathBuf;

use agents::{
    AcpConfig, AgentError, AgentEvent, AgentId, BackendId, ImportSession, ListAgents, McpServer,
    NewAgent, News, PermissionAnswer, Position, Prompt, SessionRow, TimelineEntry,
};
use host::Service;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use terminal::Environment;

pub(crate) use client::AgentHost;
pub(super) use client::Away;
pub(crate) use server::serve;

/// The agent host, as it is found and started.
pub(crate) static AGENTS: Service = Service {
    name: "agent host",
    args: &["host", "--agents", "--detached"],
    end: "switchyard host --agents --stop",
    // 2: a client says in which environment it asks; an older host would hand on its own. 3: servers of MCP, and forks.
    protocol: 3,
};

/// What a backend is made from: two that are equal are the same backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    name: String,
    program: PathBuf,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    mcp: Vec<McpServer>,
}

impl From<&AcpConfig> for Made {
    fn from(config: &AcpConfig) -> Self {
        Self {
            name: config.name.clone(),
            program: config.program.clone(),
            args: config.args.clone(),
            env: config.env.clone(),
            mcp: config.mcp.clone(),
        }
    }
}

impl From<Made> for AcpConfig {
    fn from(made: Made) -> Self {
        let mut config = AcpConfig::new(made.name, made.program, &[]);
        config.args = made.args;
        config.env = made.env;
        config.mcp = made.mcp;
        config
    }
}

/// What is asked of one backend.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ask {
    List(ListAgents),
    Inspect(String),
    Start(NewAgent),
    Resume {
        agent: AgentId,
        cwd: String,
    },
    Import(ImportSession),
    Sessions {
        cwd: String,
    },
    Fork(AgentId),
    Prompt {
        agent: AgentId,
        prompt: Prompt,
    },
    Choose {
        agent: AgentId,
        setting: String,
        value: String,
    },
    Stop(AgentId),
    Answer {
        agent: AgentId,
        permission: String,
        answer: PermissionAnswer,
    },
    Timeline(AgentId),
    Close {
        agent: AgentId,
        force: bool,
    },
    Check,
}

/// What a client says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ToHost {
    /// In this environment is asked what follows.
    Here { environment: Environment },
    /// There is to be this backend, with these sessions of earlier days.
    Use { made: Made, known: Vec<SessionRow> },
    /// To be answered with the same id.
    Ask {
        id: u64,
        backend: BackendId,
        ask: Ask,
    },
    /// The turn that was asked for under this id is to be stopped.
    Cancel { id: u64 },
}

/// What the agent host says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ToClient {
    Done {
        id: u64,
        value: Value,
    },
    Refused {
        id: u64,
        error: AgentError,
    },
    /// Something happened in the turn that was asked for under this id.
    Turn {
        id: u64,
        event: AgentEvent,
    },
    News {
        backend: BackendId,
        news: News,
    },
}

/// An entry of a conversation with its place, which the page never sees.
#[derive(Debug, Serialize, Deserialize)]
struct Placed {
    entry: TimelineEntry,
    position: Option<Position>,
}
