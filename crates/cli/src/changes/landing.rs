//! `changes land`, `update`: a worktree's branch into its base, its base into it, and back.

use changes::{Landed, Landing, LandingEnd, TakenBack, Way};
use clap::Args;

use super::acting::{Of, printed};
use super::{shown, worktree};
use crate::failure::Failure;
use crate::output::{Output, short};

/// Merge the worktree's branch into the one that it began at
#[derive(Debug, Args)]
#[command(after_help = "\
Git merges where that branch is checked out, with your hooks and signing; where it is checked out
nowhere, the branch alone is moved. When a merge would stop at something, nothing is done, and the
files are listed.")]
pub(super) struct Land {
    /// The branch to land in, in the place of the one that is found
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,

    /// The message, should a commit have to be made
    #[arg(short, long, value_name = "TEXT", conflicts_with = "undo")]
    message: Option<String>,

    /// Also when something is not committed, which stays where it is
    #[arg(long, conflicts_with = "undo")]
    without_uncommitted: bool,

    /// Take the last landing back
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    of: Of,
}

/// Merge the branch that the worktree began at into the worktree's
#[derive(Debug, Args)]
pub(super) struct Update {
    /// The branch or commit to update from, in the place of the one that is found
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,

    /// The message, should a commit have to be made
    #[arg(short, long, value_name = "TEXT", conflicts_with = "undo")]
    message: Option<String>,

    /// When the merge stops at something, leave it to be resolved in the worktree
    #[arg(long, conflicts_with = "undo")]
    leave_conflicts: bool,

    /// Take the last update back
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    of: Of,
}

impl Land {
    pub(super) fn run(self, out: &mut Output<'_>) -> Result<(), Failure> {
        let landing = Landing {
            way: Way::Land,
            base: self.base,
            message: self.message,
            without_uncommitted: self.without_uncommitted,
            leave_conflicts: false,
        };
        run(&self.of, &landing, self.undo, out)
    }
}

impl Update {
    pub(super) fn run(self, out: &mut Output<'_>) -> Result<(), Failure> {
        let landing = Landing {
            way: Way::Update,
            base: self.base,
            message: self.message,
            without_uncommitted: false,
            leave_conflicts: self.leave_conflicts,
        };
        run(&self.of, &landing, self.undo, out)
    }
}

fn run(of: &Of, landing: &Landing, undo: bool, out: &mut Output<'_>) -> Result<(), Failure> {
    let worktree = worktree(of.worktree.as_deref())?;
    if undo {
        let back = app::take_back(&worktree, landing.way, landing.base.as_deref())?;
        if out.json() {
            return Ok(out.value(&back)?);
        }
        let TakenBack { branch, now, .. } = back;
        return Ok(out.line(&format!("{} is at {} again.", shown(&branch), id(&now)))?);
    }
    let landed = app::land(&worktree, landing)?;
    let Landed { from, into, at, .. } = &landed;
    let (from, into) = (shown(from), shown(into));
    let stopped = match &landed.end {
        LandingEnd::Conflicts { files, left } => {
            let names: Vec<_> = files.iter().map(|file| shown(&file.to_string())).collect();
            let names = names.join(", ");
            let told = match left {
                true => format!(
                    "the merge of {from} into {into} stopped, and waits for these to be resolved: {names}"
                ),
                false => {
                    format!("nothing was done: a merge of {from} into {into} would stop at {names}")
                }
            };
            Some(Failure::failed(told))
        }
        LandingEnd::Nothing | LandingEnd::Done { .. } => None,
    };
    if out.json() {
        out.value(&landed)?;
    } else if let LandingEnd::Done { after, said, .. } = &landed.end {
        if !said.is_empty() {
            out.line(&printed(said))?;
        }
        let place = at.as_ref().map_or_else(
            || "which is checked out nowhere".to_owned(),
            |at| format!("in {}", short(at)),
        );
        out.line(&format!("{from} is in {into} ({}), {place}.", id(after)))?;
        out.line("Back: the same with --undo")?;
    } else if stopped.is_none() {
        out.line(&format!("All of {from} was in {into} already."))?;
    }
    stopped.map_or(Ok(()), Err)
}

/// A commit, as people call it.
fn id(commit: &str) -> String {
    commit.chars().take(10).collect()
}
