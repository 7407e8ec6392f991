//! The `git` room: the program git, asked with a deadline, and paths as it writes them.
//!
//! Three names to know: [`Program`] runs git; a [`Question`] is what it is asked; a [`RepoPath`] is a path inside a repository.
//!
//! What git's answers mean is left to who asks: `conflicts` for what two worktrees make of each other, `changes` for what one
//! worktree did.

mod path;
mod program;

pub use path::RepoPath;
pub use program::{Program, Question, refusal};
