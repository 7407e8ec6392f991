//! `conflicts`: where worktrees change the same lines. Works by itself: no pane host, no window.

use std::path::{Path, PathBuf};

use app::Paths;
use clap::{Args, Subcommand};
use conflicts::{
    ChangeKind, CheckAnswer, ConflictEvent, ConflictFilter, ConflictWatcher, LineRange, Picture,
    ProposedChange, Severity, Status, Verdict, WatchConfig,
};
use tokio::sync::broadcast::error::RecvError;

use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table, Tone};

/// Where worktrees of a repository change the same lines
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Committed, staged, unstaged and untracked work all count. Lines are counted at the merge base of
each pair of worktrees. Exit status: 0 nothing found, 1 found, 2 could not be done.

Examples:
  switchyard conflicts                        All of this repository
  switchyard conflicts src docs/guide.md      Only these files and directories
  switchyard conflicts --at-least same_line   Only what meets on the same lines
  switchyard conflicts --watch                Keep watching, a line per change
  switchyard conflicts check src/main.rs:10-20 --worktree ."
)]
pub(crate) struct Conflicts {
    #[command(subcommand)]
    command: Option<Command>,

    /// Only these files, directories and globs; relative to the repository
    #[arg(value_name = "PATH")]
    paths: Vec<String>,

    /// Any directory in the repository; the current one if not given
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,

    /// Only this severity and worse: identical, different_area, adjacent_line, same_line
    #[arg(long, value_name = "SEVERITY")]
    at_least: Option<Severity>,

    /// Only verdicts that this worktree has a part in: its path, its name or its branch
    #[arg(long, value_name = "WORKTREE")]
    worktree: Option<String>,

    /// Keep watching, and print each change
    #[arg(long)]
    watch: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Check),
}

/// Before an edit: does another worktree change the same lines?
#[derive(Debug, Args)]
#[command(after_help = "\
Made for an agent's hook: the window that watches answers; without one, that one file is read in
all worktrees.
With lines, exit status 1 means that another worktree changes lines at most 5 lines away; without,
that another worktree changes the file at all. `--at-least` says otherwise.

Examples:
  switchyard conflicts check src/main.rs:10-20
  switchyard conflicts check src/main.rs --replacing 'let limit = 10;'
  switchyard conflicts check src/main.rs --worktree ~/src/app-2 --json")]
struct Check {
    /// The file, and the lines that are about to change: FILE or FILE:LINE or FILE:START-END
    #[arg(value_name = "FILE[:START-END]")]
    target: String,

    /// The text that is about to be replaced: its lines, where the file has it, in place of START-END
    #[arg(long, value_name = "TEXT")]
    replacing: Option<String>,

    /// The worktree that is about to be changed: a directory in it; the one that FILE lies in if not given
    #[arg(long, value_name = "WORKTREE")]
    worktree: Option<PathBuf>,

    /// Exit with 1 from this severity on
    #[arg(long, value_name = "SEVERITY")]
    at_least: Option<Severity>,
}

impl Conflicts {
    /// `paths`: where a window that watches would be found.
    pub(crate) async fn run(
        self,
        paths: Option<&Paths>,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        if let Some(Command::Check(check)) = self.command {
            return check.run(paths, out);
        }
        let directory = self
            .repository
            .clone()
            .map_or_else(std::env::current_dir, Ok)?;
        let filter = ConflictFilter {
            paths: self.paths,
            worktree: self.worktree,
            at_least: self.at_least,
            quiet_too: false,
        };
        if self.watch {
            return watch(&directory, &filter, out).await;
        }
        let picture = app::look_for_conflicts(&directory, &filter).map_err(refused)?;
        let found = !picture.verdicts.is_empty();
        if out.json() {
            out.value(&picture)?;
        } else {
            list(&picture, out)?;
        }
        if found {
            Err(Failure::silent())
        } else {
            Ok(())
        }
    }
}

impl Check {
    fn run(self, paths: Option<&Paths>, out: &mut Output<'_>) -> Result<(), Failure> {
        let (file, lines) = target(&self.target)?;
        let here = std::env::current_dir()?.join(&file);
        let worktree = match &self.worktree {
            Some(directory) => worktree_root(directory)?,
            None => worktree_root(nearest_directory(&here))?,
        };
        // As the person sees it: relative to where they are, unless that is nowhere in the worktree.
        let file = match self.worktree.is_none() || here.exists() && is_below(&here, &worktree) {
            true => here.to_string_lossy().into_owned(),
            false => file,
        };
        let lines = lines.or_else(|| {
            let text = std::fs::read_to_string(worktree.join(&file)).ok()?;
            lines_of(&text, self.replacing.as_deref()?)
        });
        let change = ProposedChange {
            file,
            lines,
            worktree: worktree.to_string_lossy().into_owned(),
        };
        let answer = app::check_change(paths, &change).map_err(refused)?;
        if out.json() {
            out.value(&answer)?;
        } else {
            tell(&answer, out)?;
        }
        let from = self.at_least.unwrap_or(match lines {
            Some(_) => Severity::AdjacentLine,
            None => Severity::DifferentArea,
        });
        match answer.severity {
            Some(severity) if severity >= from => Err(Failure::silent()),
            _ => Ok(()),
        }
    }
}

/// Everything that goes wrong here is told apart from "found".
fn refused(error: app::Error) -> Failure {
    Failure::usage(error.message)
}

fn is_below(file: &Path, root: &Path) -> bool {
    file.canonicalize().is_ok_and(|file| file.starts_with(root))
}

/// The directory that a file lies in; of those that are there, if it would still have to be made.
fn nearest_directory(file: &Path) -> &Path {
    let mut directories = file.ancestors().skip(1);
    directories.find(|place| place.is_dir()).unwrap_or(file)
}

/// The lines of `text` in which `part` is, from 1; none when it is nowhere in it.
fn lines_of(text: &str, part: &str) -> Option<LineRange> {
    let at = text.find(part).filter(|_| !part.is_empty())?;
    let lines = |text: &str| u32::try_from(text.matches('\n').count()).ok();
    let start = lines(&text[..at])? + 1;
    // An end of line at its end begins no further line.
    let more = lines(part.strip_suffix('\n').unwrap_or(part))?;
    Some(LineRange {
        start,
        end: start + more + 1,
    })
}

/// The root of the worktree that a directory is in: the nearest one with a `.git`.
fn worktree_root(directory: &Path) -> Result<PathBuf, Failure> {
    let directory = directory.canonicalize().map_err(|error| {
        Failure::usage(format!(
            "worktree `{}` can't be used: {error}",
            directory.display()
        ))
    })?;
    let root = directory
        .ancestors()
        .find(|directory| directory.join(".git").exists());
    root.map(Path::to_owned).ok_or_else(|| {
        Failure::usage(format!(
            "`{}` is not in a git worktree",
            directory.display()
        ))
    })
}

/// Reads `FILE`, `FILE:LINE` or `FILE:START-END`; lines count from 1, and the last one is included.
fn target(target: &str) -> Result<(String, Option<LineRange>), Failure> {
    let Some((file, lines)) = target.rsplit_once(':') else {
        return Ok((target.to_owned(), None));
    };
    let (start, end) = lines.split_once('-').unwrap_or((lines, lines));
    match (start.parse::<u32>(), end.parse::<u32>()) {
        (Ok(start), Ok(end)) if start >= 1 && end >= start && end < u32::MAX => Ok((
            file.to_owned(),
            Some(LineRange {
                start,
                end: end + 1,
            }),
        )),
        // A file may have a colon in its name.
        _ if Path::new(target).exists() => Ok((target.to_owned(), None)),
        _ => Err(Failure::usage(format!(
            "lines `{lines}` are not `LINE` or `START-END`, counted from 1"
        ))),
    }
}

fn list(picture: &Picture, out: &mut Output<'_>) -> Result<(), Failure> {
    for note in &picture.notes {
        out.error(note);
    }
    if picture.verdicts.is_empty() {
        let worktrees = match picture.worktrees.len() {
            0 => return Ok(out.line("The repository has no worktrees.")?),
            1 => {
                return Ok(
                    out.line("The repository has one worktree: there is nothing to compare.")?
                );
            }
            count => format!("{count} worktrees"),
        };
        let limits = match picture.notes.is_empty() {
            true => "",
            false => ", as far as they could be compared",
        };
        out.line(&format!("No conflicts between {worktrees}{limits}."))?;
        return Ok(());
    }
    let mut table = Table::new(["SEVERITY", "MERGE", "FILE", "LINES", "WORKTREES"]);
    for verdict in &picture.verdicts {
        table.row(row(verdict));
    }
    out.table(&table)?;
    Ok(())
}

fn row(verdict: &Verdict) -> Vec<Cell> {
    let tone = match verdict.severity {
        Severity::SameLine => Tone::Bad,
        Severity::AdjacentLine => Tone::Urgent,
        Severity::DifferentArea | Severity::Identical => Tone::Faint,
    };
    let overlaps = || {
        let lines: Vec<_> = verdict.overlaps.iter().map(ToString::to_string).collect();
        lines.join(", ")
    };
    let lines = verdict.note.clone().unwrap_or_else(overlaps);
    let merge = if verdict.would_conflict {
        Cell::new("conflict").tone(Tone::Bad)
    } else {
        Cell::new("clean")
    };
    vec![
        Cell::new(verdict.severity.as_str()).tone(tone),
        merge,
        Cell::new(verdict.path.to_string()),
        Cell::new(lines),
        Cell::new(format!("{}, {}", verdict.left.name, verdict.right.name)),
    ]
}

fn tell(answer: &CheckAnswer, out: &mut Output<'_>) -> Result<(), Failure> {
    for note in &answer.notes {
        out.error(note);
    }
    if answer.touches.is_empty() {
        out.line(&format!("No other worktree changes {}.", answer.path))?;
    }
    for touch in &answer.touches {
        let ranges: Vec<_> = touch.side.ranges.iter().map(ToString::to_string).collect();
        let whole = matches!(touch.side.change, ChangeKind::Create | ChangeKind::Delete);
        let lines = match touch.side.ranges.as_slice() {
            _ if whole => String::new(),
            [] => String::new(),
            [one] if one.end == one.start => format!(" {one}"),
            [one] if one.end == one.start + 1 => format!(" line {one}"),
            _ => format!(" lines {}", ranges.join(", ")),
        };
        let (name, path) = (&touch.side.name, &answer.path);
        let who = match &touch.side.agent {
            Some(agent) => format!("{agent} in {name}"),
            None => name.clone(),
        };
        let does = match (touch.side.status, &touch.side.change) {
            (Status::Pending, _) => "is about to change",
            (_, ChangeKind::Create) => "creates",
            (_, ChangeKind::Delete) => "deletes",
            (_, ChangeKind::Rename { .. }) => "renames",
            _ => "changes",
        };
        out.line(&format!("{}: {who} {does} {path}{lines}", touch.severity))?;
    }
    Ok(())
}

async fn watch(
    directory: &Path,
    filter: &ConflictFilter,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let watcher = ConflictWatcher::open(directory, WatchConfig::new(app::system_clock()))
        .map_err(|error| Failure::usage(error.to_string()))?;
    let mut events = watcher.events();
    let listed = |watcher: &ConflictWatcher| {
        watcher
            .conflicts(filter)
            .map_err(|error| Failure::usage(error.to_string()))
    };
    for verdict in listed(&watcher)? {
        print(
            &ConflictEvent::Verdict {
                verdict: Box::new(verdict),
            },
            out,
        )?;
    }
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(_)) => {
                for verdict in listed(&watcher)? {
                    print(
                        &ConflictEvent::Verdict {
                            verdict: Box::new(verdict),
                        },
                        out,
                    )?;
                }
                continue;
            }
            Err(RecvError::Closed) => return Ok(()),
        };
        match &event {
            // The filter is asked again, so that both ways of listing agree.
            ConflictEvent::Verdict { verdict }
                if !listed(&watcher)?
                    .iter()
                    .any(|other| other.key() == verdict.key()) => {}
            ConflictEvent::Worktrees | ConflictEvent::Contents { .. } => {}
            event => print(event, out)?,
        }
    }
}

fn print(event: &ConflictEvent, out: &mut Output<'_>) -> Result<(), Failure> {
    if out.json() {
        out.json_line(event)?;
        return Ok(());
    }
    match event {
        ConflictEvent::Verdict { verdict } => {
            let merge = if verdict.would_conflict {
                ", would conflict"
            } else {
                ""
            };
            let (left, right) = (&verdict.left.name, &verdict.right.name);
            out.line(&format!(
                "{}{merge}: {} in {left} and {right}",
                verdict.severity, verdict.path
            ))?;
        }
        ConflictEvent::Resolved { key } => {
            let name = |id: &conflicts::WorktreeId| {
                Path::new(&id.0)
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default()
            };
            out.line(&format!(
                "resolved: {} in {} and {}",
                key.path,
                name(&key.left),
                name(&key.right)
            ))?;
        }
        ConflictEvent::Health { health } => {
            let words = if health.reasons.is_empty() {
                "watching live".to_owned()
            } else {
                health.reasons.join("; ")
            };
            out.error(&words);
        }
        ConflictEvent::Worktrees | ConflictEvent::Contents { .. } => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;
    use std::process::Command;

    use crate::{Output, command};

    fn git(directory: &Path, arguments: &[&str]) {
        let output = Command::new("git")
            .current_dir(directory)
            .args(["-c", "user.name=a", "-c", "user.email=a@b"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}");
    }

    /// Runs a command that needs no host; gives its status and what it printed.
    fn run(arguments: &[&str]) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let all = ["switchyard", "conflicts"].iter().chain(arguments);
        let status = command::run(
            all.map(Into::into),
            || Err(io::Error::other("no host is needed")),
            &mut Output::to(&mut out, &mut err),
        );
        let text = [out, err].map(|bytes| String::from_utf8(bytes).unwrap());
        format!("{status}\n{}{}", text[0], text[1])
    }

    #[test]
    fn a_repository_with_nothing_to_compare_is_told_as_that() {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q", "--bare", "bare.git"]);
        git(dir.path(), &["init", "-q", "-b", "main", "alone"]);
        let list = |name: &str| run(&["--repository", dir.path().join(name).to_str().unwrap()]);
        insta::assert_snapshot!(list("bare.git"), @r"
        0
        The repository has no worktrees.
        ");
        insta::assert_snapshot!(list("alone"), @r"
        0
        The repository has one worktree: there is nothing to compare.
        ");
        let alone = dir.path().join("alone");
        git(&alone, &["commit", "-q", "--allow-empty", "-m", "x"]);
        git(
            &alone,
            &["worktree", "add", "-q", "--orphan", "-b", "new", "../new"],
        );
        insta::assert_snapshot!(list("alone"), @r"
        0
        No conflicts between 2 worktrees, as far as they could be compared.
        switchyard: `alone` and `new` are not compared: there is no commit yet
        ");
    }

    #[test]
    fn conflicts_are_listed_and_checked_without_a_host() {
        let dir = tempfile::tempdir().unwrap();
        let main = dir.path().join("main");
        std::fs::create_dir(&main).unwrap();
        git(&main, &["init", "-q"]);
        let lines = |edit: &str| format!("1\n2\n{edit}\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
        std::fs::write(main.join("f"), lines("3")).unwrap();
        git(&main, &["add", "-A"]);
        git(&main, &["commit", "-q", "-m", "x"]);
        for name in ["one", "two"] {
            git(
                &main,
                &["worktree", "add", "-q", "-b", name, &format!("../{name}")],
            );
        }
        let repository = main.to_string_lossy().into_owned();
        insta::assert_snapshot!(run(&["--repository", &repository]), @r"
        0
        No conflicts between 3 worktrees.
        ");
        for name in ["one", "two"] {
            std::fs::write(dir.path().join(name).join("f"), lines(name)).unwrap();
        }
        insta::assert_snapshot!(run(&["--repository", &repository]), @r"
        1
        SEVERITY   MERGE     FILE  LINES  WORKTREES
        same_line  conflict  f     3      one, two
        ");
        let check = |target: &str| run(&["check", target, "--worktree", &repository]);
        insta::assert_snapshot!(check("f:3"), @r"
        1
        same_line: one changes f line 3
        same_line: two changes f line 3
        ");
        insta::assert_snapshot!(check("f:12"), @r"
        0
        different_area: one changes f line 3
        different_area: two changes f line 3
        ");
        insta::assert_snapshot!(check("g"), @r"
        0
        No other worktree changes g.
        ");
        // Without a worktree it is the file's own, also when the file's directory is still to be made.
        let one = dir.path().join("one");
        let place = |file: &str| one.join(file).to_string_lossy().into_owned();
        insta::assert_snapshot!(run(&["check", &place("f"), "--replacing", "one\n4\n"]), @r"
        1
        same_line: two changes f line 3
        ");
        insta::assert_snapshot!(run(&["check", &place("f"), "--replacing", "11"]), @r"
        0
        different_area: two changes f line 3
        ");
        insta::assert_snapshot!(run(&["check", &place("f"), "--replacing", "not there"]), @r"
        1
        same_line: two changes f line 3
        ");
        std::fs::create_dir(dir.path().join("two/new")).unwrap();
        std::fs::write(dir.path().join("two/new/file"), "x\n").unwrap();
        insta::assert_snapshot!(run(&["check", &place("new/file")]), @r"
        1
        different_area: two creates new/file
        ");
        insta::assert_snapshot!(check("f:0-3"), @r"
        2
        switchyard: lines `0-3` are not `LINE` or `START-END`, counted from 1
        ");
    }
}
