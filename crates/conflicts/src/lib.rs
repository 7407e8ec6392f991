//! The `conflicts` room: says, while there is still time, that two worktrees change the same lines.
//!
//! Three names to know: [`ConflictWatcher`] watches all worktrees of one repository; a [`Verdict`] is
//! what it says of one file and one pair of them; a [`ConflictEvent`] is raised once when a verdict
//! appears, changes or no longer holds. [`look`] and [`look_at`] answer once, without watching.
//!
//! It promises: committed, staged, unstaged and untracked work all count; lines are counted at the
//! merge base, so an insertion above shifts nothing; [`Verdict::would_conflict`] is what git's own
//! merge of the two contents would say; the picture is the one a fresh start would give, or
//! [`Health`] says why it may not be. It only reads: no lock and no write in a repository. Where a merge hangs on more
//! than one file, or a program converts files, `git` itself is asked, in a place of our own.
//!
//! What to do about a verdict is left to others; a write is never blocked. Which agent works where is
//! told to the room, and what a person wants to be quiet about is kept by whoever embeds it.

mod breaks;
mod compare;
mod diff;
mod git;
mod groups;
mod index;
mod outline;
mod quiet;
mod survey;
mod types;
mod watch;
mod watcher;
mod words;

pub use ::git::RepoPath;
pub use git::{OpenError, RepositoryPlace, repository_at, worktree_at, worktree_of};
pub use groups::grouped;
pub use quiet::{BadGlob, Quiet, QuietAbout, QuietUntil};
pub use survey::AskError;
pub use types::*;
pub use watch::{Deliver, Notice, Notifier, SystemNotifier, WatchDirs, WatchError};
pub use watcher::{ConflictWatcher, LookError, StartError, WatchConfig, look, look_at};
pub use words::lines_in_words;
