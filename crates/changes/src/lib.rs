//! The `changes` room: what one worktree changed, file by file and line by line.
//!
//! Three names to know: a [`Worktree`] is asked; a [`View`] says between which two states of it; a [`FileDiff`] has the lines.
//!
//! It promises: what a view lists, and what it counts, is what `git diff` and `git status` list and count there, since git itself
//! is asked, with the person's own settings where these change what is a change, and with none that change how it is written. To ask only reads: no lock
//! is taken, nothing is written, no hook, no external diff and no text conversion runs, nothing is fetched. What a person decides is done
//! by git in the index, and in one step for each file; what is discarded is kept by [`Snapshots`] before, in a repository of our own. What programs wrote is
//! hostile: a symbolic link is shown and never followed, a pipe is never opened, a file that is too large is said to be that.
//!
//! It keeps nothing between two questions and watches nothing; who asks knows when to ask again.

mod act;
mod commit;
mod diff;
mod disk;
mod index;
mod land;
mod list;
mod looked;
mod moment;
mod patch;
mod picture;
mod snapshot;
mod types;
mod untracked;
mod worktree;
mod worktrees;

pub use commit::{CommitRequest, Committed};
pub use land::{Landed, Landing, LandingEnd, Outlook, Prospect, TakenBack, Way};
pub use looked::Look;
pub use moment::{KeptMoment, Moment, Since};
pub use picture::{FilePicture, FilePictures};
pub use snapshot::{Kept, Snapshot, SnapshotId, SnapshotReason, Snapshots};
pub use types::*;
pub use worktree::{ChangesError, Worktree};
pub use worktrees::{Holds, ListedWorktree, Merged, NewWorktree, Removal, Removed};
