//! What is asked of transcripts, and what is answered: the same for the window, the command line and tests.

use pattern::{Case, PatternError};
use serde::{Deserialize, Serialize};
use specta::Type;

/// What to look for in transcripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TranscriptRequest {
    /// What to look for: 1 to 200 characters.
    pub pattern: String,
    /// It is a regular expression, as Rust's `regex` has them; else it is looked for as it is.
    pub regex: bool,
    /// Whether `a` finds `A`.
    pub case: Case,
    /// The match must neither begin nor end within a word.
    pub whole_word: bool,
    /// How many lines to return, 1 to 500.
    pub limit: u32,
    /// Begin with the conversation that was written to first.
    pub oldest_first: bool,
    /// Only what was said then or later, in milliseconds since 1970.
    #[specta(type = Option<u32>)]
    pub since: Option<u64>,
    /// Only what was said earlier, in milliseconds since 1970.
    #[specta(type = Option<u32>)]
    pub before: Option<u64>,
    /// Only conversations in this directory or below it; absolute.
    pub directory: Option<String>,
}

impl TranscriptRequest {
    /// Looks for `pattern`, as it is; the newest 50 lines.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            regex: false,
            case: Case::default(),
            whole_word: false,
            limit: 50,
            oldest_first: false,
            since: None,
            before: None,
            directory: None,
        }
    }
}

/// Whose transcripts are known.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type,
)]
#[serde(rename_all = "snake_case")]
pub enum TranscriptAgent {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// Qwen Code.
    Qwen,
    /// OpenCode.
    Opencode,
}

impl TranscriptAgent {
    /// What it is called.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Claude => "Claude Code",
            Self::Codex => "Codex",
            Self::Gemini => "Gemini CLI",
            Self::Qwen => "Qwen Code",
            Self::Opencode => "OpenCode",
        }
    }
}

/// Which conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TranscriptConversation {
    /// Whose.
    pub agent: TranscriptAgent,
    /// The file that holds it; a database holds several.
    pub file: String,
    /// What its agent calls it.
    pub session: String,
    /// Where its agent worked.
    pub directory: Option<String>,
    /// How it began, or what its agent calls it for people.
    pub title: Option<String>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TranscriptRole {
    /// The person.
    Person,
    /// The agent.
    Agent,
    /// The agent, to itself.
    Thought,
    /// The agent, to a tool.
    Tool,
    /// A tool.
    Output,
    /// The agent's program, which tells it where it is and what it may do.
    Context,
}

impl TranscriptRole {
    /// A word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Agent => "agent",
            Self::Thought => "thought",
            Self::Tool => "tool",
            Self::Output => "output",
            Self::Context => "context",
        }
    }
}

/// A line of a message in which the pattern occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TranscriptHit {
    /// In which conversation.
    pub conversation: TranscriptConversation,
    /// Which message: only [`read`](crate::read) knows what it means.
    pub message: String,
    /// Who says it.
    pub role: TranscriptRole,
    /// When it was said, in milliseconds since 1970.
    #[specta(type = Option<u32>)]
    pub when: Option<u64>,
    /// The line's text; a very long one is cut around the first occurrence, and `…` stands for the rest.
    pub content: String,
    /// Where in it the pattern occurs.
    pub ranges: Vec<TranscriptRange>,
}

/// Where in a line the pattern occurs, in UTF-16 code units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TranscriptRange {
    /// Where it begins.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
}

/// What a search tells while it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TranscriptProgress {
    /// The next lines of the answer, in order.
    pub hits: Vec<TranscriptHit>,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TranscriptAnswer {
    /// The lines, in the order that was asked for.
    pub hits: Vec<TranscriptHit>,
    /// How many lines were found in what was searched.
    #[specta(type = u32)]
    pub total: u64,
    /// In how many conversations.
    pub conversations: u32,
    /// There are or may be more than are returned.
    pub truncated: bool,
    /// Why there are, and what could not be read.
    pub reason: Option<String>,
}

/// A place in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TranscriptPlace {
    /// Whose.
    pub agent: TranscriptAgent,
    /// In which file, as a [`TranscriptHit`] has it.
    pub file: String,
    /// Which message, as a [`TranscriptHit`] or a [`TranscriptPage`] has it.
    pub message: String,
    /// How many messages before it.
    pub before: u32,
    /// How many behind it.
    pub after: u32,
}

/// Some messages of a conversation, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TranscriptPage {
    /// Which conversation.
    pub conversation: TranscriptConversation,
    /// The messages.
    pub messages: Vec<TranscriptMessage>,
    /// There are earlier ones.
    pub earlier: bool,
    /// There are later ones.
    pub later: bool,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TranscriptMessage {
    /// Which.
    pub key: String,
    /// When, in milliseconds since 1970.
    #[specta(type = Option<u32>)]
    pub when: Option<u64>,
    /// What it says.
    pub parts: Vec<TranscriptPart>,
}

/// A part of a message: one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TranscriptPart {
    /// Who says it.
    pub role: TranscriptRole,
    /// The tool, and which of its fields.
    pub name: Option<String>,
    /// What is said; a very long one is cut.
    pub text: String,
}

/// Why nothing was searched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// A field of the request is out of its range.
    #[error("bad `{field}`: {message}")]
    BadParams {
        /// Which field.
        field: &'static str,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// The pattern can't be searched for.
    #[error("bad pattern: {message}")]
    BadQuery {
        /// What is wrong.
        message: String,
        /// Where in the pattern, in UTF-16 code units from 0.
        position: u32,
    },
}

impl From<PatternError> for SearchError {
    fn from(error: PatternError) -> Self {
        match error {
            PatternError::Length(_) => Self::BadParams {
                field: "pattern",
                message: error.to_string(),
            },
            PatternError::Bad { message, position } => Self::BadQuery { message, position },
        }
    }
}

/// Why a conversation could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is none of the agent's transcripts.
    #[error("`{0}` is not a transcript of this agent")]
    NoTranscript(String),
    /// There is no such message any more.
    #[error("there is no message `{message}` in `{file}`")]
    NoMessage {
        /// Which file.
        file: String,
        /// Which message.
        message: String,
    },
    /// It is written in a way that is not known here.
    #[error("`{0}` is of a version that is not known here")]
    Unknown(String),
    /// It could not be read.
    #[error("could not read `{file}`")]
    Io {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database could not be read.
    #[error("could not read `{file}`")]
    Database {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
}
