//! The pane host: the one process that must not die, and the way to reach it.
//!
//! Windows come and go; the programs in their panes should not. So the panes live in a process of
//! their own, which knows panes and nothing else. [`Host`] serves one [`Panes`](terminal::Panes)
//! value on a socket that only its owner can open; [`HostClient`] asks the questions of [`terminal::ask`]
//! on the other side, and finds or starts the host; [`HostPaths`] says where the two meet. Panes that live
//! in the client's own process are served by the same code, over socket pairs: [`HostHere`].
//!
//! What it promises:
//!
//! - A client that is killed, hangs or never reads costs other clients and the panes nothing: each
//!   connection has bounded queues and tasks of its own, and a stream to a window holds back at
//!   most what that window has not acknowledged.
//! - At most one host serves a directory, however many are started at once; what a dead one left
//!   behind is replaced.
//! - A client of another protocol version is told so in words, and the panes go on.
//! - With no client and no program left it ends by itself.
//!
//! What it leaves to others: what a pane is (`terminal`), where the directories are, what to do
//! when the host is gone (`app`).
//!
//! What else is to outlive a window is a [`Service`]: the same finding, starting, greeting and ending, for other messages.
//!
//! A client has one control connection, on which questions are told apart by a number and events
//! are pushed, and one data connection for each pane that it shows; `protocol.rs` has the details.

mod client;
mod paths;
mod protocol;
mod server;
mod start;

pub use client::{
    AckHandle, Dial, Dialled, DialledStream, HostAttachment, HostClient, HostError, HostEvent,
};
pub use paths::{HostFile, HostPaths};
pub use protocol::{HostHealth, PROTOCOL};
pub use server::{Hears, Host, HostHere, HostOptions, Says, ServeEach, ServeError};
pub use start::{ConnectError, PANES, Service, detach, stop_running, until_told_to_end};
