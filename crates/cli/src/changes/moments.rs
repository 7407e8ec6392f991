//! `changes --since`, `remember`, `moments`, `restore`: what a worktree was, and the way back to it.

use app::Paths;
use changes::{ChangedFile, Moment, SnapshotId, Worktree};
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::acting::{Of, all_of};
use super::{is_below, shown, worktree};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table, Tone};

/// The moment that was remembered last.
const LAST: &str = "last";

/// Remember what the worktree is now, for a month: `changes --since last` compares with it
#[derive(Debug, Args)]
pub(super) struct Remember {
    /// What to call it
    #[arg(value_name = "TEXT")]
    label: Option<String>,

    #[command(flatten)]
    of: Of,
}

/// List the moments of the worktree that are remembered: those of yours, and one before each prompt
#[derive(Debug, Args)]
pub(super) struct Moments {
    #[command(flatten)]
    of: Of,
}

/// Make files what they were at a moment; `changes undo` takes it back
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The moment: `last`, or its id as `changes moments` says
    #[arg(long, value_name = "MOMENT")]
    since: String,

    /// These files, and all below these directories; relative to the root of the worktree, `.` for all
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<String>,

    #[command(flatten)]
    of: Of,
}

/// For programs: what was remembered.
#[derive(Serialize)]
struct Remembered {
    moment: SnapshotId,
}

/// For programs: what was restored.
#[derive(Serialize)]
struct Restored {
    files: usize,
    undo: Option<SnapshotId>,
}

/// The moment that is meant.
pub(super) fn moment(
    paths: &Paths,
    worktree: &Worktree,
    name: &str,
) -> Result<SnapshotId, Failure> {
    if name != LAST {
        return Ok(SnapshotId::from(name));
    }
    let all = app::list_moments(paths, worktree)?;
    match all.into_iter().next() {
        Some(last) => Ok(last.id),
        None => Err(Failure::failed(
            "no moment of this worktree is remembered; `switchyard changes remember` does",
        )),
    }
}

impl Remember {
    pub(super) fn run(self, paths: &Paths, out: &mut Output<'_>) -> Result<(), Failure> {
        let worktree = worktree(self.of.worktree.as_deref())?;
        let moment = app::remember(paths, &worktree, self.label.as_deref())?;
        if out.json() {
            return Ok(out.value(&Remembered { moment })?);
        }
        out.line(&format!("Remembered as {moment}."))?;
        Ok(out.line("What changes from now on: switchyard changes --since last")?)
    }
}

impl Moments {
    pub(super) fn run(self, paths: &Paths, out: &mut Output<'_>) -> Result<(), Failure> {
        let worktree = worktree(self.of.worktree.as_deref())?;
        let all = app::list_moments(paths, &worktree)?;
        if out.json() {
            return Ok(out.value(&all)?);
        }
        if all.is_empty() {
            return Ok(out.line("No moment of this worktree is remembered.")?);
        }
        let mut table = Table::new(["ID", "WHEN", "WHAT"]);
        for Moment { id, taken_ms, kept } in &all {
            table.row([
                Cell::new(id.to_string()),
                Cell::new(when(*taken_ms)).tone(Tone::Faint),
                Cell::new(shown(&kept.label)),
            ]);
        }
        Ok(out.table(&table)?)
    }
}

fn when(at_ms: u64) -> String {
    let at = i64::try_from(at_ms).ok();
    let at = at.and_then(|at| Timestamp::from_millisecond(at).ok());
    at.map_or_else(String::new, |at| {
        let at = at.to_zoned(TimeZone::system());
        at.strftime("%Y-%m-%d %H:%M:%S").to_string()
    })
}

impl Restore {
    pub(super) fn run(self, paths: &Paths, out: &mut Output<'_>) -> Result<(), Failure> {
        let worktree = worktree(self.of.worktree.as_deref())?;
        let since = moment(paths, &worktree, &self.since)?;
        let listed = app::changes_since(paths, &worktree, &since)?;
        let changed = listed.views.iter().flat_map(|view| &view.files);
        let chosen: Vec<&ChangedFile> =
            changed.filter(|file| is_below(file, &self.paths)).collect();
        let chosen: Vec<_> = chosen.into_iter().map(all_of).collect();
        let undo = app::restore_to_moment(paths, &worktree, &since, Some(&chosen))?;
        let files = chosen.len();
        if out.json() {
            return Ok(out.value(&Restored { files, undo })?);
        }
        let Some(undo) = undo else {
            return Ok(out.line("Nothing changed there since then.")?);
        };
        out.line(&match files {
            1 => "1 file is what it was then.".to_owned(),
            files => format!("{files} files are what they were then."),
        })?;
        Ok(out.line(&format!("Back: switchyard changes undo {undo}"))?)
    }
}
