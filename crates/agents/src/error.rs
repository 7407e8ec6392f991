//! Why a request to an agent backend failed: one closed list, whatever the transport.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::types::{AgentId, BackendId};

/// Why a backend did not do what it was asked.
///
/// A password never appears in any of these, nor does a URL that holds one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum AgentError {
    /// No backend of this name was added.
    #[error("no agent backend is named `{backend}`")]
    UnknownBackend {
        /// The name.
        backend: BackendId,
    },
    /// The program is not on the PATH, or may not be executed.
    #[error("could not start `{program}`: {reason}")]
    ProgramMissing {
        /// The program.
        program: String,
        /// The system's words.
        reason: String,
    },
    /// Nothing answers there.
    #[error("`{host}` does not answer: {reason}")]
    Unreachable {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
    /// The host wants a password, or another one.
    #[error("`{host}` refused the password: {reason}")]
    Password {
        /// The host.
        host: String,
        /// The host's words.
        reason: String,
    },
    /// The reference to a password led nowhere.
    #[error("the password `{reference}` could not be read: {reason}")]
    Secret {
        /// Where it should be.
        reference: String,
        /// Why not.
        reason: String,
    },
    /// The host speaks another version of its protocol.
    #[error("`{host}` is not understood: {reason}")]
    Protocol {
        /// The host.
        host: String,
        /// What it said.
        reason: String,
    },
    /// No agent has this id.
    #[error("no agent is named `{agent}`")]
    UnknownAgent {
        /// What was asked for.
        agent: String,
    },
    /// Several agents begin like this.
    #[error("`{prefix}` names more than one agent: {}", .matches.join(", "))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The ids that it could mean.
        matches: Vec<String>,
    },
    /// A turn runs, and the request would cancel it.
    #[error("agent `{agent}` is working; stop it first, or say that its turn may be cancelled")]
    Busy {
        /// Which agent.
        agent: AgentId,
    },
    /// The permission was answered meanwhile, or never existed.
    #[error("permission `{permission}` is no longer asked for")]
    PermissionGone {
        /// Which request.
        permission: String,
    },
    /// A field of the request can't be right.
    #[error("`{field}` {message}")]
    BadRequest {
        /// The field.
        field: Cow<'static, str>,
        /// What would be right.
        message: String,
    },
    /// This backend, or this transport, can't do it.
    #[error("{backend} can't {what}: {reason}")]
    Unsupported {
        /// Which.
        backend: String,
        /// What was asked.
        what: Cow<'static, str>,
        /// Why not, and what can.
        reason: String,
    },
    /// No answer came in time.
    #[error("`{what}` did not answer within {} s", .after.as_secs_f32())]
    Timeout {
        /// What was being done.
        what: String,
        /// The deadline.
        after: Duration,
    },
    /// The caller gave up.
    #[error("`{what}` was cancelled")]
    Cancelled {
        /// What was being done.
        what: String,
    },
    /// The backend understood, and refused.
    #[error("{what} was refused ({code}): {message}")]
    Refused {
        /// What was asked.
        what: String,
        /// The backend's code for it.
        code: String,
        /// The backend's words.
        message: String,
    },
    /// A program ended badly, without an error that could be read.
    #[error("`{command}` ended with {exit}{}", if .text.is_empty() { String::new() } else { format!(": {}", .text) })]
    Program {
        /// The command, without prompts and secrets.
        command: String,
        /// `exit status 1`, `signal 9`.
        exit: String,
        /// What it printed to its standard error, capped.
        text: String,
    },
    /// An answer came that could not be read.
    #[error("the answer to `{what}` could not be read: {reason}: `{got}`")]
    Garbled {
        /// What was asked.
        what: String,
        /// What is wrong with it.
        reason: String,
        /// How it begins.
        got: String,
    },
    /// The connection or the process ended while the answer was awaited.
    #[error("`{host}` went away while `{what}` was awaited: {reason}")]
    Lost {
        /// Who.
        host: String,
        /// What was awaited.
        what: String,
        /// What is known of the reason.
        reason: String,
    },
    /// The record of sessions could not be read or written.
    #[error("the record of agent sessions failed: {reason}")]
    Sessions {
        /// The store's words.
        reason: String,
    },
}

impl AgentError {
    /// Whether another transport to the same host might do better: somebody answers there, in a way that
    /// this client does not understand. Where nobody does, no other client reaches it either.
    pub(crate) fn is_not_understood(&self) -> bool {
        matches!(self, AgentError::Protocol { .. })
    }
}

/// Cuts `text` to about `limit` bytes, at a character's border, and says that it did.
pub(crate) fn capped(text: &str, limit: usize) -> String {
    let text = text.trim();
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}
