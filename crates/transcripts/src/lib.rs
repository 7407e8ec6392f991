//! Transcripts: what coding agents write down of their conversations, on this machine's disk, searched and read.
//!
//! [`search`] looks through all of them, newest first, and tells what it finds as it finds it; [`read`] gives the messages
//! around one. [`Places`] says where each agent keeps its own.
//!
//! The files are another program's: they are opened for reading, nothing of them is copied or kept, and they may be torn,
//! growing, or of a version that is not known here. What can't be read is left out, and said. A file of any size is read in
//! pieces; a line of it is parsed only when what is looked for may be in it, as it was written.
//!
//! Each format is one file below `format`: it says what a line of JSON means. OpenCode's is a database.

mod contract;
mod format;
mod hits;
mod lines;
mod opencode;
mod page;
mod places;
mod search;
mod text;

pub use contract::{
    ReadError, SearchError, TranscriptAgent, TranscriptAnswer, TranscriptConversation,
    TranscriptHit, TranscriptMessage, TranscriptPage, TranscriptPart, TranscriptPlace,
    TranscriptProgress, TranscriptRange, TranscriptRequest, TranscriptRole,
};
pub use page::read;
pub use places::Places;
pub use search::{Stop, search};
