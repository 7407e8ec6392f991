//! What happens to agents and their backends, as the window is told.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::types::{AgentEvent, AgentId, AgentInfo, BackendId, BackendInfo, Position};

/// What happened, for the window. A reader that fell behind lists anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AgentsEvent {
    /// A backend came, went up or down, or became busy or free.
    Backend {
        /// How it is now.
        backend: BackendInfo,
    },
    /// An agent appeared or changed.
    Changed {
        /// What is known of it now.
        agent: AgentInfo,
    },
    /// An agent is gone.
    Removed {
        /// Where it was.
        backend: BackendId,
        /// Which.
        agent: AgentId,
    },
    /// Something happened in a conversation.
    Conversation {
        /// Where.
        backend: BackendId,
        /// Whose.
        agent: AgentId,
        /// What.
        happened: AgentEvent,
        /// Where it stands among what is read back.
        #[serde(skip)]
        position: Option<Position>,
    },
    /// An agent announced that it changes a file, which may not be on disk yet.
    Edit {
        /// Where.
        backend: BackendId,
        /// Whose.
        agent: AgentId,
        /// What people call it.
        title: Option<String>,
        /// The directory that it works in, as far as is known.
        cwd: String,
        /// The file.
        path: String,
        /// The text that it replaces, if it tells.
        old_text: Option<String>,
    },
    /// The agents of a backend were listed anew: what is not in the list is gone.
    Listed {
        /// The backend and its agents.
        listed: BackendAgents,
    },
    /// A backend is no more: it was taken out of the settings.
    Gone {
        /// Which.
        backend: BackendId,
    },
}

/// The agents of one backend, or why they can't be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BackendAgents {
    /// The backend.
    pub backend: BackendInfo,
    /// Its agents; while it is down, those that were known of it last.
    pub agents: Vec<AgentInfo>,
    /// Why they can't be told.
    pub error: Option<String>,
    /// Something may have been missed before this list.
    #[serde(skip)]
    pub(crate) anew: bool,
}
