//! The wire: what is said in which order, and how a message is cut out of the stream.
//!
//! Every connection begins with a [`Hello`] from the client and a [`Welcome`] from the host; these
//! two keep their shape through all versions, so that each side can at least refuse the other in
//! words. Then:
//!
//! - on a *control* connection both sides send JSON messages, each after its length (u32, little
//!   endian): [`ToHost`] one way, [`ToClient`] the other;
//! - on a *data* connection the host sends encoded [`terminal::Frame`]s, each after its length, and
//!   a length of 0 when the pane is gone; the client sends how many payload bytes its view has
//!   parsed (u64, little endian), as often as it likes.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use specta::Type;
use terminal::ask::Question;
use terminal::{PaneEvent, PaneId, Refusal, SearchProgress};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The version of the protocol. It grows when an older program could misread a newer one; new
/// requests alone do not need it, an older host refuses them by name.
///
/// 3: a recording says which values are to be covered; an older host would show and keep them.
///
/// 4: a recording may have an answer in memory; an older host would not tell programs of it.
///
/// 5: a frame says what has changed on screen, and no longer what the program wrote.
///
/// 6: what is opened says in which environment; an older host would hand on its own.
///
/// 7: a pane is told how large a window draws its cells; an older host would not know what that is.
pub const PROTOCOL: u32 = 7;

/// The version of this program, for people to read.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A greeting is small; whoever sends more speaks something else.
pub(crate) const MAX_GREETING: u32 = 16 * 1024;
/// The largest request: a big paste, escaped.
pub(crate) const MAX_REQUEST: u32 = 16 * 1024 * 1024;
/// The largest reply: many long lines.
pub(crate) const MAX_REPLY: u32 = 64 * 1024 * 1024;
/// The largest frame of a pane's stream: a snapshot with much scrollback.
pub(crate) const MAX_FRAME: u32 = 256 * 1024 * 1024;

/// The first words of a client.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) protocol: u32,
    pub(crate) version: String,
    /// Read only when the protocol is ours: another one may have other purposes.
    pub(crate) purpose: serde_json::Value,
}

/// What a connection is for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    Control,
    Attach {
        pane: PaneId,
        scrollback_rows: u32,
        high_water: u32,
    },
}

impl Purpose {
    /// As it stands in a greeting.
    pub(crate) fn travelling(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("its fields are numbers")
    }
}

/// The first words of the host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Welcome {
    pub(crate) protocol: u32,
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) started_at: u64,
    /// Why it goes no further, if it does not: the client's version, or the pane.
    #[serde(default)]
    pub(crate) refused: Option<serde_json::Value>,
}

impl Welcome {
    /// The words of this process.
    pub(crate) fn of(protocol: u32, started_at: u64) -> Self {
        Self {
            protocol,
            version: VERSION.to_owned(),
            pid: std::process::id(),
            started_at,
            refused: None,
        }
    }
}

/// What a client says on its control connection.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToHost {
    /// To be answered with the same id.
    Ask { id: u64, question: Question },
    /// To be done, and only spoken of when it is refused.
    Tell { question: Question },
    /// How the host is; to be answered with the same id.
    Health { id: u64 },
    /// The answer to this question is no longer wanted.
    Cancel { id: u64 },
}

/// What the host says on a control connection.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToClient {
    /// The answer, which whoever asked can read.
    Reply {
        id: u64,
        reply: Box<RawValue>,
    },
    Refused {
        id: u64,
        refusal: Refusal,
    },
    /// What a search has found so far.
    Progress {
        id: u64,
        progress: SearchProgress,
    },
    Event(Box<PaneEvent>),
}

/// How the host is: what to look at when keys stop arriving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct HostHealth {
    /// The host's process id.
    pub pid: u32,
    /// The version of its program, which may be older than the client's.
    pub version: String,
    /// How long it has been serving, in milliseconds.
    #[specta(type = u32)]
    pub uptime_ms: u64,
    /// Panes that are open.
    pub panes: u32,
    /// The panes whose programs do not read what was written to them.
    pub stuck_writers: Vec<PaneId>,
    /// What the scrollback of all panes takes in memory, in bytes.
    #[specta(type = u32)]
    pub scrollback_bytes: u64,
    /// What the whole process takes in memory, in bytes, where the system says.
    #[specta(type = Option<u32>)]
    pub memory_bytes: Option<u64>,
    /// Clients that are connected: windows and command lines.
    pub clients: u32,
    /// Panes on show: streams to windows.
    pub attachments: u32,
}

/// What the host tells a client of another protocol, under the key `protocol`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NotWelcome {
    /// The client speaks another protocol.
    Protocol(String),
    /// The pane can't be attached to.
    Pane(Refusal),
}

/// Writes one JSON message after its length.
pub(crate) async fn send<T: Serialize>(
    to: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> io::Result<()> {
    to.write_all(&encode(message, u32::MAX)?).await?;
    to.flush().await
}

/// One JSON message after its length; an error when it is longer than `limit`.
pub(crate) fn encode<T: Serialize>(message: &T, limit: u32) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    match u32::try_from(bytes.len() - 4) {
        Ok(length) if length <= limit => {
            bytes[..4].copy_from_slice(&length.to_le_bytes());
            Ok(bytes)
        }
        _ => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!(
                "a message of {} bytes is longer than the {limit} that may be sent",
                bytes.len() - 4
            ),
        )),
    }
}

/// Reads one JSON message of at most `limit` bytes; `None` when the other side has hung up.
pub(crate) async fn receive<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
    limit: u32,
) -> io::Result<Option<T>> {
    let mut bytes = Vec::new();
    if !receive_bytes(from, limit, &mut bytes).await? {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// Reads the bytes of one message into `bytes`; false when the other side has hung up between two.
///
/// Memory grows with what arrives, not with what was announced.
pub(crate) async fn receive_bytes(
    from: &mut (impl AsyncRead + Unpin),
    limit: u32,
    bytes: &mut Vec<u8>,
) -> io::Result<bool> {
    bytes.clear();
    let mut length = [0; 4];
    if let Err(error) = from.read_exact(&mut length).await {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Ok(false),
            _ => Err(error),
        };
    }
    let length = u32::from_le_bytes(length);
    if length > limit {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a message of {length} bytes was announced, and {limit} are allowed"),
        ));
    }
    let length = length as usize;
    bytes.reserve(length.min(1024 * 1024));
    let got = (&mut *from).take(length as u64).read_to_end(bytes).await?;
    if got < length {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("a message of {length} bytes ended after {got}"),
        ));
    }
    Ok(true)
}
