//! Why questions are refused.

use crate::types::WorktreeId;
use ::git::RepoPath;

/// Why a question could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The worktree is not one of this repository.
    #[error("`{worktree}` is no worktree of this repository; it has {known}")]
    UnknownWorktree {
        /// As it was given.
        worktree: String,
        /// Those that would be right.
        known: String,
    },
    /// The file lies outside of the worktree.
    #[error("file `{file}` is not inside the worktree `{worktree}`")]
    OutsideWorktree {
        /// As it was given.
        file: String,
        /// The worktree's root.
        worktree: WorktreeId,
    },
    /// The file is one of git's own.
    #[error("`{file}` belongs to git itself: no worktree keeps it")]
    GitsOwn {
        /// As it was given.
        file: String,
    },
    /// The file is a directory.
    #[error(
        "`{file}` is a directory: a check is about one file, and `switchyard conflicts {file}` lists all"
    )]
    Directory {
        /// As it was given.
        file: String,
    },
    /// The lines are not a range.
    #[error(
        "lines `{start}` to `{end}` are no range: the first is 1, and the end is not before the start"
    )]
    BadLines {
        /// The first line.
        start: u32,
        /// The line after the last.
        end: u32,
    },
    /// No such verdict holds now.
    #[error("nothing is said of `{path}` in this pair of worktrees any more")]
    NoVerdict {
        /// The file.
        path: RepoPath,
    },
    /// A glob of the filter can't be matched.
    #[error(transparent)]
    Glob(#[from] crate::quiet::BadGlob),
}
