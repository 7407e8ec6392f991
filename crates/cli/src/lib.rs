//! The command line: everything that `switchyard` does without a window.
//!
//! [`run`] takes arguments and an [`Output`], and returns the exit status; it needs no display. It is
//! a thin face of [`App`](app::App): a subcommand unpacks its arguments, asks, and prints, for people
//! as text or, with `--json`, for programs.
//!
//! Each subject has a file with its arguments and what they do; a new one is a file and a line in
//! `Command`. Exit statuses: 0, it was done; 1, it could not be done; 2, the command line is wrong.

mod agent_files;
mod agents;
mod changes;
mod command;
mod completions;
mod conflicts;
mod failure;
mod flow;
mod history;
mod host;
mod import;
mod layouts;
mod machines;
mod man;
mod mcp;
mod output;
mod panes;
mod search;
mod table;
#[cfg(test)]
mod tests;
mod when;
mod window;
mod worktrees;

use std::ffi::OsString;

use app::Paths;

pub use output::Output;

/// Does what `arguments` say (the first is the program's name), and returns the exit status.
///
/// It makes a runtime of its own, so it must not be called from within one.
pub fn run(arguments: impl IntoIterator<Item = OsString>, out: &mut Output<'_>) -> u8 {
    command::run(arguments, Paths::of_user, out)
}
