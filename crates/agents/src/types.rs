//! The plain values that cross the room's door: agents, what they do, how a turn ended.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use specta::Type;

/// What kind of backend drives an agent.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type,
)]
#[serde(rename_all = "snake_case")]
pub enum BackendKind {
    /// A Paseo daemon, on this machine or another.
    Paseo,
    /// An agent that speaks the Agent Client Protocol over its standard input and output.
    Acp,
    /// Any program in a pane.
    Command,
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BackendKind::Paseo => "paseo",
            BackendKind::Acp => "acp",
            BackendKind::Command => "command",
        })
    }
}

/// Names one backend: its kind, and the host or the program it drives: `paseo:localhost:6767`, `acp:codex`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct BackendId(pub String);

impl BackendId {
    /// Makes the id of the backend of `kind` that drives `name`.
    pub fn new(kind: BackendKind, name: &str) -> Self {
        Self(format!("{kind}:{name}"))
    }

    /// What follows the kind: the host's address, the agent's name.
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(_, name)| name)
    }
}

impl fmt::Display for BackendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one agent at its backend, in full; a prefix is resolved before it becomes one of these.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct AgentId(pub String);

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an agent is doing, and whether it needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AgentStatus {
    /// It is being started.
    Starting,
    /// A turn runs.
    Working,
    /// A turn waits for an answer from a person.
    NeedsYou,
    /// A turn ended well, and nobody has looked since.
    Done,
    /// It waits for a prompt.
    Idle,
    /// Its last turn failed.
    Failed,
    /// It exists, but its process is not loaded; a prompt wakes it.
    Asleep,
    /// It was put away; a prompt would bring it back.
    Archived,
    /// The backend said a word that this version does not know.
    Unknown {
        /// The word, as it came.
        word: String,
    },
}

impl AgentStatus {
    /// Whether a turn is under way, so that a second prompt would cancel it.
    pub fn is_busy(&self) -> bool {
        matches!(
            self,
            AgentStatus::Starting | AgentStatus::Working | AgentStatus::NeedsYou
        )
    }

    /// One word for a person, the same in the hub and on the command line.
    pub fn word(&self) -> &str {
        match self {
            AgentStatus::Starting => "starting",
            AgentStatus::Working => "working",
            AgentStatus::NeedsYou => "needs you",
            AgentStatus::Done => "done",
            AgentStatus::Idle => "idle",
            AgentStatus::Failed => "failed",
            AgentStatus::Asleep => "asleep",
            AgentStatus::Archived => "archived",
            AgentStatus::Unknown { word } => word,
        }
    }
}

/// Everything that is known of one agent. What a transport does not tell is absent, never invented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AgentInfo {
    /// The backend that drives it.
    pub backend: BackendId,
    /// Its full id at that backend.
    pub id: AgentId,
    /// Its title, if it has one.
    pub title: Option<String>,
    /// Who makes it: `claude`, `codex`, an ACP agent's name.
    pub provider: String,
    /// The model, when one was chosen or told.
    pub model: Option<String>,
    /// What it is doing.
    pub status: AgentStatus,
    /// The directory that it works in.
    pub cwd: String,
    /// When it was created, in ISO 8601, or in the words of the transport.
    pub created_at: Option<String>,
    /// When something last happened to it.
    pub updated_at: Option<String>,
    /// Labels that were given to it.
    pub labels: BTreeMap<String, String>,
    /// What it waits for a person to allow.
    pub permissions: Vec<PermissionRequest>,
    /// Why its last turn failed.
    pub last_error: Option<String>,
    /// The provider's own id of the conversation.
    pub session: Option<String>,
}

/// What an agent asks a person to allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PermissionRequest {
    /// Names the request until it is answered.
    pub id: String,
    /// The tool that asks: `execute`, `edit`.
    pub tool: String,
    /// One line that says what is to be allowed, if the transport tells.
    pub title: Option<String>,
    /// The details: the command, the file, the diff.
    pub detail: Option<ToolDetail>,
    /// The answers that the agent offers, when it says which.
    pub options: Vec<PermissionOption>,
}

/// One answer that an agent offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PermissionOption {
    /// Names the option.
    pub id: String,
    /// What a person reads.
    pub name: String,
    /// `allow_once`, `allow_always`, `reject_once`, `reject_always`.
    pub kind: String,
}

/// A person's answer to a permission request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum PermissionAnswer {
    /// Go ahead, this once.
    Allow,
    /// Go ahead, and do not ask for the like again. Where the backend can't, it is an `Allow`.
    AllowAlways,
    /// Don't.
    Deny {
        /// Said to the agent, when it can be told.
        message: Option<String>,
        /// Ends the turn as well.
        interrupt: bool,
    },
}

/// How a tool call stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ToolStatus {
    /// Announced, or at work.
    Running,
    /// Ended well.
    Completed,
    /// Ended badly.
    Failed,
    /// Ended by a cancel.
    Cancelled,
}

/// What a tool call is about, as far as the agent tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct ToolDetail {
    /// `shell`, `read`, `edit`, `write`, `search`, or the agent's own word.
    pub kind: String,
    /// The file that it touches.
    pub path: Option<String>,
    /// The command that it runs.
    pub command: Option<String>,
    /// What it printed or read, capped.
    pub output: Option<String>,
    /// The text before an edit.
    pub old_text: Option<String>,
    /// The text after an edit, or a unified diff when only that is told.
    pub new_text: Option<String>,
}

impl ToolDetail {
    /// Whether the call changes the file that it names.
    pub fn is_edit(&self) -> bool {
        self.path.is_some()
            && (matches!(self.kind.as_str(), "edit" | "write" | "delete" | "move")
                || self.new_text.is_some())
    }
}

/// One use of a tool by an agent. The same id comes again whenever something about it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ToolCall {
    /// Names the call within its session.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// One line for a person.
    pub title: Option<String>,
    /// How it stands.
    pub status: ToolStatus,
    /// What it is about.
    pub detail: Option<ToolDetail>,
    /// Why it failed.
    pub error: Option<String>,
}

/// One line of an agent's plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PlanItem {
    /// What is to be done.
    pub text: String,
    /// Whether it is done.
    pub done: bool,
}

/// What a turn has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct Usage {
    /// Tokens read.
    #[specta(type = u32)]
    pub input_tokens: u64,
    /// Tokens written.
    #[specta(type = u32)]
    pub output_tokens: u64,
    /// Tokens read from a cache.
    #[specta(type = u32)]
    pub cached_tokens: u64,
}

/// One thing that happened in a conversation, live or read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AgentEvent {
    /// A person, or a flow, said something.
    Prompt {
        /// What was said.
        text: String,
    },
    /// A turn began.
    Started,
    /// A piece of the answer; pieces are joined without anything between them.
    Text {
        /// The piece.
        text: String,
    },
    /// A piece of the agent's thoughts.
    Reasoning {
        /// The piece.
        text: String,
    },
    /// A tool call began, went on, or ended.
    Tool {
        /// What is known of it now.
        call: ToolCall,
    },
    /// The agent's plan, replacing the one before.
    Plan {
        /// The whole plan.
        items: Vec<PlanItem>,
    },
    /// The agent waits for a person's answer.
    Permission {
        /// What it asks.
        request: PermissionRequest,
    },
    /// A permission was answered, here or elsewhere.
    PermissionResolved {
        /// Which request.
        id: String,
    },
    /// What the turn has cost.
    Usage {
        /// The counts.
        usage: Usage,
    },
    /// Something a person should know that is not the agent's answer.
    Notice {
        /// What.
        text: String,
    },
    /// The reader was too slow, and this much text was dropped before what follows.
    Missed {
        /// How many bytes.
        #[specta(type = u32)]
        bytes: u64,
    },
    /// The turn ended; nothing follows.
    Ended {
        /// How.
        outcome: Outcome,
    },
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The agent ended its turn.
    Completed,
    /// The agent waits for an answer, and the caller asked not to wait for it.
    NeedsPermission,
    /// The turn failed.
    Failed {
        /// Why, in the backend's words.
        message: String,
    },
    /// The deadline passed; the agent was told to stop.
    TimedOut,
    /// Someone stopped it.
    Cancelled,
}

/// What became of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TurnResult {
    /// How it ended.
    pub outcome: Outcome,
    /// Everything that the agent said in it, thoughts and tools left out.
    pub text: String,
    /// The text after the last tool call: what most people mean by "the answer".
    pub answer: String,
    /// What it cost, if told.
    pub usage: Option<Usage>,
    /// The text was cut from output meant for people, and may be incomplete.
    pub best_effort: bool,
}

/// Where in its conversation something stands, so that what is read back and what is heard live fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Changes when the backend counts anew: after a restart of it.
    pub epoch: String,
    /// Only grows within an epoch.
    pub seq: u64,
}

/// One entry of a conversation that was read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TimelineEntry {
    /// When, in ISO 8601, if told.
    pub at: Option<String>,
    /// What.
    pub event: AgentEvent,
    /// Where the last piece of it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

/// Whether a backend answers, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Health {
    /// Nobody has asked yet.
    Unknown,
    /// It answers.
    Up {
        /// Its version, if it tells.
        version: Option<String>,
        /// How it is reached: `socket`, `program`, `stdio`, `pane`.
        transport: String,
    },
    /// It does not answer, or refuses.
    Down {
        /// Why, and what to do, in one line.
        reason: String,
    },
}

impl Health {
    /// Whether it answered when last asked.
    pub fn is_up(&self) -> bool {
        matches!(self, Health::Up { .. })
    }
}

/// A backend as the hub shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BackendInfo {
    /// Which.
    pub id: BackendId,
    /// What kind.
    pub kind: BackendKind,
    /// How it was when last asked.
    pub health: Health,
    /// Whether a turn runs that was started from here.
    pub busy: bool,
    /// It was found or assumed, and nobody asked for it: that it is down is no trouble.
    pub found: bool,
}

/// What to start an agent with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct NewAgent {
    /// Who makes it: `claude`, `codex`; for an ACP or command backend it may stay empty.
    pub provider: String,
    /// The directory that it works in.
    pub cwd: String,
    /// A title for people.
    pub title: Option<String>,
    /// The model; none: the provider's own choice.
    pub model: Option<String>,
    /// The provider's mode: `plan`, `yolo`.
    pub mode: Option<String>,
    /// Labels to give it.
    pub labels: BTreeMap<String, String>,
}

/// An existing conversation of a provider, to be driven from here on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct ImportSession {
    /// Who made it.
    pub provider: String,
    /// The provider's own id of the conversation.
    pub session: String,
    /// The directory that it works in; none: the one the provider remembers.
    pub cwd: Option<String>,
    /// Labels to give it: `origin`, `project`, `chat`, `worktree`, `agent`.
    pub labels: BTreeMap<String, String>,
}

/// Which agents to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct ListAgents {
    /// Archived agents too.
    pub archived: bool,
    /// Only those that carry all of these labels.
    pub labels: BTreeMap<String, String>,
}

impl ListAgents {
    /// Whether an agent is among those that are wanted.
    pub(crate) fn fits(&self, agent: &AgentInfo) -> bool {
        (self.archived || agent.status != AgentStatus::Archived)
            && self
                .labels
                .iter()
                .all(|(name, value)| agent.labels.get(name) == Some(value))
    }
}

/// What to say to an agent, and how long to wait.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct Prompt {
    /// The text, of any size and content, not blank.
    pub text: String,
    /// Cancels a turn that runs. Without it, a prompt to a busy agent is refused.
    pub replace: bool,
    /// Ends the turn at this side, with `NeedsPermission`, as soon as the agent asks for one.
    pub stop_at_permission: bool,
    /// Stops the agent after so many milliseconds; none: never.
    #[specta(type = Option<u32>)]
    pub timeout_ms: Option<u64>,
}

impl Prompt {
    /// Says `text` to an idle agent and waits for as long as it takes.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }
}

/// What came of putting an agent away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Archived {
    /// When, if told.
    pub at: Option<String>,
    /// It had been archived before.
    pub already: bool,
}
