//! `changes`: what a worktree changed, and what becomes of it. Works by itself: no pane host, no window.

mod acting;
mod landing;
mod looking;
mod moments;

use std::io;
use std::path::{Component, Path, PathBuf};

use app::{App, Paths};
use changes::{
    ChangedFile, DiffContent, DiffQuestion, FileChangeKind, FileDiff, FileKind, Hunk, SnapshotId,
    TextEncoding, View, Worktree, WorktreeChanges,
};
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table, Tone, paint};

/// What a worktree changed: staged, unstaged, new, and committed since it began; and what becomes of it
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
A file that is called like one of the commands is written with `./` before it.

Commits are compared with the branch of the main worktree, else with the one that the remote calls
its own, else with main or master, at the commit where both began; `--base` names another one.

Examples:
  switchyard changes                           All of this worktree
  switchyard changes --worktree app-2          Of another one, by its name, branch or path
  switchyard changes --view staged --diff      The lines of what is staged
  switchyard changes --view whole src --json   All since the beginning, below src, for programs
  switchyard changes --since last --diff       The lines since the last prompt
  switchyard changes discard src/parse.rs      Away with it; `changes undo` gives it back
  switchyard changes commit -m 'Read faster'   What is staged; all, when nothing is
  switchyard changes land --worktree app-2     Its commits into the branch that it began at"
)]
pub(crate) struct Changes {
    #[command(subcommand)]
    command: Option<acting::Command>,

    /// Only these files and directories; relative to the root of the worktree
    #[arg(value_name = "PATH")]
    paths: Vec<String>,

    /// The worktree: a directory in it, its name or its branch; the current one if not given
    #[arg(long, value_name = "WORKTREE")]
    worktree: Option<String>,

    /// The branch or commit that its commits are compared with
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,

    /// What changed since a moment that is remembered: its id, or `last`; in one view, as `whole`
    #[arg(long, value_name = "MOMENT", conflicts_with_all = ["base", "view"])]
    since: Option<String>,

    /// Only this: staged, unstaged, untracked, committed; or whole, which is all of it in one
    #[arg(long, value_name = "VIEW")]
    view: Vec<View>,

    /// Print the lines, too
    #[arg(long)]
    diff: bool,

    /// Leave out what differs in white space alone, of the lines
    #[arg(long, requires = "diff")]
    ignore_space: bool,
}

/// The views that are shown unless others are asked for.
const USUAL: [View; 4] = [
    View::Staged,
    View::Unstaged,
    View::Untracked,
    View::Committed,
];

/// For programs: what changed, with its lines.
#[derive(Serialize)]
struct WithLines<'a> {
    #[serde(flatten)]
    changes: &'a WorktreeChanges,
    diffs: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    view: View,
    #[serde(flatten)]
    diff: FileDiff,
}

impl Changes {
    /// Whether it needs no `App`.
    pub(crate) fn is_pure(&self) -> bool {
        !matches!(self.command, Some(acting::Command::Looked(_)))
    }

    /// What needs one.
    pub(crate) async fn run_in(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        match self.command {
            Some(acting::Command::Looked(looked)) => looked.run(app, out).await,
            _ => Ok(()),
        }
    }

    pub(crate) fn run(
        self,
        paths: impl FnOnce() -> io::Result<Paths>,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        if let Some(command) = self.command {
            return command.run(paths, out);
        }
        let worktree = worktree(self.worktree.as_deref())?;
        let views = match self.view.as_slice() {
            [] => &USUAL[..],
            chosen => chosen,
        };
        let since = match &self.since {
            Some(name) => {
                let paths = paths()?;
                let id = moments::moment(&paths, &worktree, name)?;
                Some((paths, id))
            }
            None => None,
        };
        let mut changes = match &since {
            Some((paths, id)) => app::changes_since(paths, &worktree, id)?,
            None => app::list_changes(&worktree, views, self.base.as_deref())?,
        };
        for view in &mut changes.views {
            view.files.retain(|file| self.wants(file));
        }
        let diffs = match self.diff {
            true => self.diffs(&worktree, &changes, since.as_ref())?,
            false => Vec::new(),
        };
        if out.json() {
            match self.diff {
                true => out.value(&WithLines {
                    changes: &changes,
                    diffs,
                })?,
                false => out.value(&changes)?,
            }
            return Ok(());
        }
        list(&changes, &self.paths, out)?;
        for told in &diffs {
            print(told, out)?;
        }
        Ok(())
    }

    fn wants(&self, file: &ChangedFile) -> bool {
        self.paths.is_empty() || is_below(file, &self.paths)
    }

    fn diffs(
        &self,
        worktree: &Worktree,
        changes: &WorktreeChanges,
        since: Option<&(Paths, SnapshotId)>,
    ) -> Result<Vec<Told>, Failure> {
        let files = changes
            .views
            .iter()
            .flat_map(|view| view.files.iter().map(|file| (view.view, file)));
        let told = files.map(|(view, file)| {
            let question = DiffQuestion {
                view,
                path: file.path.clone(),
                from: file.from.clone(),
                base: self.base.clone(),
                context: Some(3),
                ignore_space: self.ignore_space,
            };
            let diff = match since {
                Some((paths, id)) => app::diff_since(paths, worktree, id, &question)?,
                None => app::tell_diff(worktree, &question)?,
            };
            Ok(Told { view, diff })
        });
        told.collect()
    }
}

/// The worktree that is meant: of this name, else the one here.
fn worktree(name: Option<&str>) -> Result<Worktree, Failure> {
    Ok(app::find_worktree(&std::env::current_dir()?, name)?)
}

/// Whether a file is one of these, or in one of these directories.
fn is_below(file: &ChangedFile, wanted: &[String]) -> bool {
    wanted.iter().any(|wanted| {
        let steps = Path::new(wanted).components();
        let wanted: PathBuf = steps.filter(|step| *step != Component::CurDir).collect();
        let mut paths = std::iter::once(&file.path).chain(&file.from);
        paths.any(|path| path.to_path().starts_with(&wanted))
    })
}

fn list(changes: &WorktreeChanges, below: &[String], out: &mut Output<'_>) -> Result<(), Failure> {
    let on = changes.branch.as_deref().unwrap_or("no branch");
    let base = changes.base.as_ref().map_or_else(String::new, |base| {
        let behind = match base.behind {
            0 => String::new(),
            behind => format!(", {behind} behind"),
        };
        format!(": {} since {}{behind}", commits(base.ahead), base.name)
    });
    let doing = changes.doing.map_or_else(String::new, |doing| {
        format!("; in the middle of {}", doing.in_words())
    });
    out.line(&format!("{on}{base}{doing}"))?;
    for note in &changes.notes {
        out.error(note);
    }
    let mut table = Table::new(["VIEW", "CHANGE", "FILE", "ADDED", "REMOVED"]);
    let mut any = false;
    for view in &changes.views {
        for file in &view.files {
            any = true;
            let name = match &file.from {
                Some(from) => format!("{from} → {}", file.path),
                None => file.path.to_string(),
            };
            let count = |count: Option<u32>, tone| {
                let text = count.map_or_else(String::new, |count| count.to_string());
                Cell::new(text).tone(tone).right()
            };
            let (change, tone) = change(file);
            table.row([
                Cell::new(view.view.word()).tone(Tone::Faint),
                Cell::new(change).tone(tone),
                Cell::new(name),
                count(file.lines.map(|lines| lines.added), Tone::Good),
                count(file.lines.map(|lines| lines.removed), Tone::Bad),
            ]);
        }
    }
    match any {
        true => out.table(&table)?,
        false if below.is_empty() => out.line("Nothing changed.")?,
        false => out.line(&format!("Nothing changed in `{}`.", below.join("`, `")))?,
    }
    Ok(())
}

fn commits(count: u32) -> String {
    match count {
        0 => "no commits".to_owned(),
        1 => "1 commit".to_owned(),
        count => format!("{count} commits"),
    }
}

fn change(file: &ChangedFile) -> (&'static str, Tone) {
    match file.kind {
        FileChangeKind::Added | FileChangeKind::Untracked => ("new", Tone::Good),
        FileChangeKind::Modified if file.old != file.new => ("mode", Tone::Plain),
        FileChangeKind::Modified => ("changed", Tone::Plain),
        FileChangeKind::Deleted => ("deleted", Tone::Bad),
        FileChangeKind::Renamed => ("renamed", Tone::Plain),
        FileChangeKind::Copied => ("copied", Tone::Plain),
        FileChangeKind::TypeChanged => ("another kind", Tone::Plain),
        FileChangeKind::Unmerged => ("not merged", Tone::Urgent),
    }
}

/// Prints the lines of one file, as `git diff` would.
fn print(told: &Told, out: &mut Output<'_>) -> Result<(), Failure> {
    // It changed back meanwhile.
    let Some(file) = &told.diff.file else {
        return Ok(());
    };
    let (view, (change, _)) = (told.view, change(file));
    let path = shown(&file.path.to_string());
    out.line(&format!("\n{view}: {path} ({change})"))?;
    if let (Some(old), Some(new)) = (file.old, file.new)
        && old != new
    {
        out.line(&format!("{} → {}", kind(old), kind(new)))?;
    }
    match &told.diff.content {
        DiffContent::Binary => out.line("not text")?,
        DiffContent::TooLarge { bytes } => out.line(&format!("too large: {bytes} bytes"))?,
        DiffContent::Text {
            hunks,
            encoding,
            cut,
        } => {
            if *encoding == TextEncoding::Latin1 {
                out.line("not UTF-8: read as ISO 8859-1")?;
            }
            for hunk in hunks {
                print_hunk(hunk, out)?;
            }
            if *cut {
                out.line("… the rest is too large to be shown")?;
            }
        }
    }
    Ok(())
}

fn kind(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "file",
        FileKind::Executable => "executable file",
        FileKind::Link => "symbolic link",
        FileKind::Repository => "repository",
    }
}

fn print_hunk(hunk: &Hunk, out: &mut Output<'_>) -> Result<(), Failure> {
    let (old, new) = (
        (hunk.old_start, hunk.old_lines),
        (hunk.new_start, hunk.new_lines),
    );
    let range = format!("@@ -{},{} +{},{} @@", old.0, old.1, new.0, new.1);
    let colour = out.colour();
    let painted = |line: &str, tone| match colour {
        true => paint(line, tone),
        false => line.to_owned(),
    };
    let range = painted(&range, Tone::Active);
    match hunk.heading.as_str() {
        "" => out.line(&range)?,
        heading => out.line(&format!("{range} {}", shown(heading)))?,
    }
    for line in hunk.text.split('\n') {
        let tone = match line.as_bytes().first() {
            Some(b'+') => Tone::Good,
            Some(b'-') => Tone::Bad,
            Some(b'\\') => Tone::Faint,
            _ => Tone::Plain,
        };
        out.line(&painted(&shown(line), tone))?;
    }
    Ok(())
}

/// A line of a file, which must not move the cursor of the person who reads it.
fn shown(line: &str) -> String {
    line.chars()
        .map(|char| match char {
            '\t' => '\t',
            '\r' => '␍',
            char if char.is_control() => '\u{fffd}',
            char => char,
        })
        .collect()
}
