//! The pane host and its clients over real sockets, with real programs in the panes.
#![allow(clippy::unwrap_used, reason = "a test that fails here has said enough")]

mod serving;
mod starting;
mod support;
