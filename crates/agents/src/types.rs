//! The plain values that cross the room's door: agents, what they do, how a turn ended.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
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
    /// A server of OpenCode (`opencode serve`), on this machine or another.
    #[serde(rename = "opencode")]
    OpenCode,
    /// Any program in a pane.
    Command,
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BackendKind::Paseo => "paseo",
            BackendKind::Acp => "acp",
            BackendKind::OpenCode => "opencode",
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
    /// What can be chosen, and what may be asked of it.
    pub offers: Offers,
    /// What it has cost so far, and how full its context is.
    pub usage: Option<Usage>,
}

/// What an agent offers beside answers, where it tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct Offers {
    /// What can be chosen: its model, its mode, and what else it has.
    pub settings: Vec<AgentSetting>,
    /// The commands that a prompt may begin with, after a `/`.
    pub commands: Vec<AgentCommand>,
    /// Images may be part of a prompt.
    pub images: bool,
}

/// Something that can be chosen for an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AgentSetting {
    /// Names it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// `model`, `mode`, `thought_level`, where it is one of these.
    pub category: Option<String>,
    /// The value of the choice that is in force.
    pub current: String,
    /// What it can be.
    pub choices: Vec<SettingChoice>,
}

/// One value of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SettingChoice {
    /// Names it.
    pub value: String,
    /// What people call it.
    pub name: String,
    /// What it means.
    pub description: Option<String>,
}

/// A command that a prompt may begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AgentCommand {
    /// Its name, without the `/`.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What is to follow its name.
    pub hint: Option<String>,
}

impl AgentInfo {
    /// An agent of which nothing is known but its name: no process holds it.
    pub fn asleep(backend: BackendId, id: AgentId) -> Self {
        Self {
            backend,
            id,
            title: None,
            provider: String::new(),
            model: None,
            status: AgentStatus::Asleep,
            cwd: String::new(),
            created_at: None,
            updated_at: None,
            labels: BTreeMap::new(),
            permissions: Vec::new(),
            last_error: None,
            offers: Offers::default(),
            usage: None,
            session: None,
        }
    }
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
    /// One of the answers that the agent offers, whatever it means by it.
    Choose {
        /// The id of the option.
        option: String,
    },
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
    /// The files that it touches, each once.
    pub paths: Vec<String>,
    /// The command that it runs.
    pub command: Option<String>,
    /// What it printed or read, capped.
    pub output: Option<String>,
    /// What it changes, file by file.
    pub changes: Vec<FileChange>,
    /// What it was given, as JSON, when nothing else here says what it is about.
    pub input: Option<String>,
}

/// What a tool call changes in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct FileChange {
    /// The file, if told.
    pub path: Option<String>,
    /// The text before.
    pub old_text: Option<String>,
    /// The text after, or a unified diff when only that is told.
    pub new_text: Option<String>,
}

impl ToolDetail {
    /// The files that the call changes, and what is replaced in each, as far as is told.
    pub fn edited(&self) -> Vec<(&str, Option<&str>)> {
        let told: Vec<_> = self
            .changes
            .iter()
            .filter_map(|change| Some((change.path.as_deref()?, change.old_text.as_deref())))
            .collect();
        let changes = matches!(self.kind.as_str(), "edit" | "write" | "delete" | "move");
        if told.is_empty() && (changes || !self.changes.is_empty()) {
            return self
                .paths
                .iter()
                .map(|path| (path.as_str(), None))
                .collect();
        }
        told
    }

    /// Notes a file that the call touches.
    pub(crate) fn touches(&mut self, path: String) {
        if !self.paths.contains(&path) {
            self.paths.push(path);
        }
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
    /// How it stands.
    pub state: PlanState,
}

/// How a line of a plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    /// It is still to be done.
    Waiting,
    /// The agent is at it.
    Working,
    /// It is done.
    Done,
}

/// What was used so far. What is not told is 0, or absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
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
    /// Tokens that the conversation takes of the model's context.
    #[specta(type = Option<u32>)]
    pub context_used: Option<u64>,
    /// How many it could take.
    #[specta(type = Option<u32>)]
    pub context_size: Option<u64>,
    /// What the session has cost, with its currency: `0.12 USD`.
    pub cost: Option<String>,
}

impl Usage {
    /// What a later word adds: what it does not say stands.
    pub(crate) fn and(self, later: Usage) -> Usage {
        let told = |later: u64, before: u64| if later > 0 { later } else { before };
        Usage {
            input_tokens: told(later.input_tokens, self.input_tokens),
            output_tokens: told(later.output_tokens, self.output_tokens),
            cached_tokens: told(later.cached_tokens, self.cached_tokens),
            context_used: later.context_used.or(self.context_used),
            context_size: later.context_size.or(self.context_size),
            cost: later.cost.or(self.cost),
        }
    }
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
        /// What was answered, for a person; none when it was taken back, or is not told.
        #[serde(default)]
        answer: Option<String>,
    },
    /// What the turn has cost.
    Usage {
        /// The counts.
        usage: Usage,
    },
    /// Something that this version does not know, as the agent told it.
    Other {
        /// The agent's word for it.
        kind: String,
        /// All of it, as JSON.
        text: String,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// A conversation that a provider remembers, and that can be taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct KnownSession {
    /// The provider's own id of it.
    pub id: String,
    /// The directory that it works in.
    pub cwd: String,
    /// What it is about, if told.
    pub title: Option<String>,
    /// When something last happened in it, in ISO 8601, if told.
    pub updated_at: Option<String>,
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
    /// Images that go with it, where the agent takes any.
    pub images: Vec<PromptImage>,
    /// Cancels a turn that runs. Without it, a prompt to a busy agent is refused.
    pub replace: bool,
    /// Ends the turn at this side, with `NeedsPermission`, as soon as the agent asks for one.
    pub stop_at_permission: bool,
    /// Stops the agent after so many milliseconds; none: never.
    #[specta(type = Option<u32>)]
    pub timeout_ms: Option<u64>,
}

/// An image that is part of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PromptImage {
    /// `image/png`.
    pub mime_type: String,
    /// Its bytes, in base64.
    pub data: String,
}

impl PromptImage {
    /// The image that these bytes are.
    pub fn new(mime_type: &str, bytes: &[u8]) -> Self {
        Self {
            mime_type: mime_type.into(),
            data: STANDARD.encode(bytes),
        }
    }
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
