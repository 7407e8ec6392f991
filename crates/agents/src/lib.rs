//! Drives coding agents: through Paseo daemons, servers of OpenCode, the Agent Client Protocol, and as plain programs.
//!
//! [`Agents`] holds all backends at once and remembers which session belongs to whom;
//! [`AgentBackend`] is what each of them can be asked; a [`Turn`] is one prompt and what follows it.
//!
//! A backend that is down, hangs or floods costs its own calls and nothing else: each call has a
//! deadline, ends what it started when it is dropped, and says in one line what is wrong. Passwords
//! are references ([`PasswordRef`]); none is ever part of a message or of an argument list.
//!
//! This room knows nothing of panes, of flows, or of the database: it asks for a pane through
//! [`Terminals`] and keeps its rows through [`Sessions`], and `app` answers both.

mod acp;
mod address;
mod agents;
mod backend;
mod command;
mod conversation;
mod error;
mod happened;
mod held;
mod keeper;
mod news;
mod offered;
mod opencode;
mod paseo;
mod process;
mod program;
mod redact;
mod roster;
mod secret;
mod sessions;
mod shared;
mod timeline;
mod tools;
mod turn;
mod types;

pub use acp::{Acp, AcpConfig, AcpDeadlines, AcpPreset, McpServer, presets};
pub use address::{AddressError, HostAddress};
pub use agents::Agents;
pub use backend::{AgentBackend, Answer};
pub use command::{Command, CommandConfig, Terminal, TerminalEvent, Terminals};
pub use conversation::{Conversation, ConversationStep};
pub use error::AgentError;
pub use happened::{AgentsEvent, BackendAgents};
pub use news::News;
pub use opencode::{OpenCode, OpenCodeConfig, OpenCodeDeadlines};
pub use paseo::{Deadlines, Paseo, PaseoConfig, Transport};
pub use program::find as find_program;
pub use secret::{PasswordRef, Secret, read_password};
pub use sessions::{Kept, MemorySessions, SessionRow, SessionStatus, Sessions};
pub use shared::AgentsConfig;
pub use turn::{Canceller, Relay, Turn};
pub use types::*;
