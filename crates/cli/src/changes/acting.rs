//! `changes stage`, `unstage`, `discard`, `snapshots`, `undo`, `commit`: what becomes of changes.

use std::io;

use app::Paths;
use changes::{
    Act, ActRequest, ChangedFile, Chosen, CommitRequest, Snapshot, SnapshotId, SnapshotReason, View,
};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{is_below, shown, worktree};
use crate::failure::Failure;
use crate::output::{Output, short};
use crate::table::{Cell, Table, Tone};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Stage(Stage),
    Unstage(Unstage),
    Discard(Discard),
    Snapshots(Snapshots),
    Undo(Undo),
    Commit(Commit),
    Land(super::landing::Land),
    Update(super::landing::Update),
    Remember(super::moments::Remember),
    Moments(super::moments::Moments),
    Restore(super::moments::Restore),
    Looked(super::looking::Looked),
}

/// Which files, and of which worktree.
#[derive(Debug, Args)]
struct Files {
    /// These files, and all below these directories; relative to the root of the worktree, `.` for all
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<String>,

    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
pub(super) struct Of {
    /// The worktree: a directory in it, its name or its branch; the current one if not given
    #[arg(long, value_name = "WORKTREE")]
    pub(super) worktree: Option<String>,
}

/// Put files into the index, new ones included
#[derive(Debug, Args)]
pub(super) struct Stage {
    #[command(flatten)]
    files: Files,
}

/// Take files out of the index; they stay as they are
#[derive(Debug, Args)]
pub(super) struct Unstage {
    #[command(flatten)]
    files: Files,
}

/// Take away what is not staged; it is kept for a month, and `changes undo` gives it back
#[derive(Debug, Args)]
pub(super) struct Discard {
    #[command(flatten)]
    files: Files,

    /// Also files that git does not know
    #[arg(long)]
    untracked: bool,
}

/// List what was discarded and is still kept, the newest first
#[derive(Debug, Args)]
pub(super) struct Snapshots {
    #[command(flatten)]
    of: Of,

    /// Of all worktrees
    #[arg(long, conflicts_with = "worktree")]
    all: bool,
}

/// Give back what was discarded, where it was; what stands there now is kept in turn
#[derive(Debug, Args)]
pub(super) struct Undo {
    /// Which, as `changes snapshots` and `changes discard` say
    #[arg(value_name = "ID")]
    id: String,
}

/// Commit what is staged; all that changed, new files included, when nothing is
#[derive(Debug, Args)]
#[command(after_help = "\
Git makes the commit: your hooks run, it is signed as you have it, and what they print is printed.
When it does not come to that, what is staged is what was staged before.")]
pub(super) struct Commit {
    /// The message; several make paragraphs
    #[arg(short, long, value_name = "TEXT", required_unless_present = "amend")]
    message: Vec<String>,

    /// In the place of the last commit: with what is staged, and with its message unless there is another
    #[arg(long)]
    amend: bool,

    #[command(flatten)]
    of: Of,
}

/// For programs: what was done.
#[derive(Serialize)]
struct Done {
    files: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    snapshots: Vec<SnapshotId>,
}

impl Command {
    pub(super) fn run(
        self,
        paths: impl FnOnce() -> io::Result<Paths>,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        match self {
            Self::Stage(Stage { files }) => {
                files.act(Act::Stage, &[View::Unstaged, View::Untracked], paths, out)
            }
            Self::Unstage(Unstage { files }) => {
                files.act(Act::Unstage, &[View::Staged], paths, out)
            }
            Self::Discard(Discard { files, untracked }) => {
                let views = match untracked {
                    true => &[View::Unstaged, View::Untracked][..],
                    false => &[View::Unstaged],
                };
                files.act(Act::Discard, views, paths, out)
            }
            Self::Snapshots(snapshots) => snapshots.run(&paths()?, out),
            Self::Undo(undo) => undo.run(&paths()?, out),
            Self::Commit(commit) => commit.run(out),
            Self::Land(land) => land.run(out),
            Self::Update(update) => update.run(out),
            Self::Remember(remember) => remember.run(&paths()?, out),
            Self::Moments(moments) => moments.run(&paths()?, out),
            Self::Restore(restore) => restore.run(&paths()?, out),
            // Served by `run_in`.
            Self::Looked(_) => Ok(()),
        }
    }
}

impl Files {
    fn act(
        &self,
        act: Act,
        views: &[View],
        paths: impl FnOnce() -> io::Result<Paths>,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let worktree = worktree(self.of.worktree.as_deref())?;
        let listed = app::list_changes(&worktree, views, None)?;
        let paths = paths()?;
        let mut done = Done {
            files: 0,
            snapshots: Vec::new(),
        };
        for view in listed.views {
            let files: Vec<_> = view.files.iter().filter(|file| self.has(file)).collect();
            if files.is_empty() {
                continue;
            }
            done.files += files.len();
            let request = ActRequest {
                act,
                view: view.view,
                files: files.into_iter().map(all_of).collect(),
            };
            done.snapshots
                .extend(app::act_on(&worktree, &request, &paths)?);
        }
        if done.files == 0 {
            let views: Vec<_> = views.iter().map(|view| view.word()).collect();
            return Err(Failure::failed(format!(
                "nothing that is {} is in `{}`",
                views.join(" or "),
                self.paths.join("`, `")
            )));
        }
        if out.json() {
            return Ok(out.value(&done)?);
        }
        let word = match act {
            Act::Stage => "Staged",
            Act::Unstage => "Unstaged",
            Act::Discard => "Discarded",
        };
        out.line(&format!("{word} {}.", files(done.files)))?;
        for id in &done.snapshots {
            out.line(&format!("Back with it: switchyard changes undo {id}"))?;
        }
        Ok(())
    }

    fn has(&self, file: &ChangedFile) -> bool {
        is_below(file, &self.paths)
    }
}

pub(super) fn all_of(file: &ChangedFile) -> Chosen {
    Chosen {
        path: file.path.clone(),
        from: file.from.clone(),
        hunks: Vec::new(),
    }
}

fn files(count: usize) -> String {
    match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    }
}

impl Snapshots {
    fn run(self, paths: &Paths, out: &mut Output<'_>) -> Result<(), Failure> {
        let of = match self.all {
            true => None,
            false => Some(worktree(self.of.worktree.as_deref())?),
        };
        let all = app::list_snapshots(paths, of.as_ref())?;
        if out.json() {
            return Ok(out.value(&all)?);
        }
        if all.is_empty() {
            return Ok(out.line("Nothing that was discarded is kept.")?);
        }
        let mut table = Table::new(["ID", "BEFORE", "FILES", "WORKTREE"]);
        for Snapshot { id, kept, .. } in &all {
            let before = match kept.reason {
                SnapshotReason::Discarded => "a discard",
                SnapshotReason::Restored => "an undo",
                SnapshotReason::Removed => "its end",
            };
            let named: Vec<_> = kept.files.iter().take(3).map(|file| shown(file)).collect();
            let more = (kept.count as usize).saturating_sub(named.len());
            let more = match more {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            table.row([
                Cell::new(id.to_string()),
                Cell::new(before).tone(Tone::Faint),
                Cell::new(format!("{}{more}", named.join(", "))),
                Cell::new(short(&kept.worktree)).tone(Tone::Faint),
            ]);
        }
        Ok(out.table(&table)?)
    }
}

impl Undo {
    fn run(self, paths: &Paths, out: &mut Output<'_>) -> Result<(), Failure> {
        let id = SnapshotId::from(self.id.as_str());
        let all = app::list_snapshots(paths, None)?;
        let Some(found) = all.into_iter().find(|one| one.id == id) else {
            return Err(Failure::failed(format!(
                "nothing that was discarded is kept as `{id}`; `switchyard changes snapshots --all` lists what is"
            )));
        };
        let worktree = worktree(Some(&found.kept.worktree))?;
        let before = app::restore(paths, &worktree, &id)?;
        if out.json() {
            return Ok(out.value(&Done {
                files: found.kept.count as usize,
                snapshots: vec![before],
            })?);
        }
        let (count, place) = (
            files(found.kept.count as usize),
            short(&found.kept.worktree),
        );
        out.line(&format!("Gave back {count} in {place}."))?;
        Ok(out.line(&format!(
            "Away with it again: switchyard changes undo {before}"
        ))?)
    }
}

impl Commit {
    fn run(self, out: &mut Output<'_>) -> Result<(), Failure> {
        let worktree = worktree(self.of.worktree.as_deref())?;
        let listed = app::list_changes(&worktree, &[View::Staged], None)?;
        let nothing = listed.views.iter().all(|view| view.files.is_empty());
        let request = CommitRequest {
            message: self.message.join("\n\n"),
            amend: self.amend,
            // What ends a merge may stage nothing, and an amended commit may get but other words.
            all: nothing && !self.amend && listed.doing.is_none(),
        };
        let made = app::commit(&worktree, &request)?;
        if out.json() {
            return Ok(out.value(&made)?);
        }
        if !made.said.is_empty() {
            out.line(&printed(&made.said))?;
        }
        let id: String = made.commit.chars().take(10).collect();
        let what = if request.all { "all, as " } else { "" };
        Ok(out.line(&format!("Committed {what}{id}: {}", shown(&made.subject)))?)
    }
}

/// What a hook printed, line by line.
pub(super) fn printed(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n")
}
