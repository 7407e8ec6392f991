//! `conflicts`: where worktrees change the same lines. Works by itself: no pane host, no window.

mod hook;
mod install;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use app::Paths;
use clap::{Args, Subcommand};
use conflicts::{
    CheckAnswer, ConflictEvent, ConflictFilter, ConflictGroup, ConflictWatcher, LineRange, Picture,
    ProposedChange, Severity, WatchConfig,
};
use tokio::sync::broadcast::error::RecvError;

use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table, Tone};

/// Worktrees of one row that are named.
const NAMED: usize = 4;

/// Where worktrees of a repository change the same lines
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Committed, staged, unstaged and untracked work all count. Lines are counted at the merge base of
each pair of worktrees. Exit status: 0 nothing found, 1 found, 2 could not be done: also when
nothing was found in what could be compared, and something could not.

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

    /// Only this severity and worse: identical, different_area, adjacent_line, breaks, same_line
    #[arg(long, value_name = "SEVERITY")]
    at_least: Option<Severity>,

    /// Only verdicts that this worktree has a part in: its path, its name or its branch
    #[arg(long, value_name = "WORKTREE")]
    worktree: Option<String>,

    /// Also what was snoozed, acknowledged or muted in a window
    #[arg(long)]
    all: bool,

    /// Also what one worktree changes or removes and another one's change uses, in Rust, TypeScript, Python and Go
    #[arg(long)]
    breaks: bool,

    /// Keep watching, and print each change
    #[arg(long)]
    watch: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Check),
    Hook(hook::Hook),
}

/// Before an edit: does another worktree change the same lines?
#[derive(Debug, Args)]
#[command(after_help = "\
Made for an agent's hook: the window that watches answers; without one, that one file is read in
all worktrees.
With lines, exit status 1 means that another worktree changes lines at most 5 lines away; without,
that another worktree changes the file at all. `--at-least` says otherwise. Exit status 2: could
not be told.

Examples:
  switchyard conflicts check src/main.rs:10-20
  switchyard conflicts check src/main.rs --replacing 'let limit = 10;'
  switchyard conflicts check src/main.rs --worktree ~/src/app-2 --json")]
struct Check {
    /// The file, and the lines that are about to change: FILE or FILE:LINE or FILE:START-END
    #[arg(value_name = "FILE[:START-END]")]
    target: String,

    /// The text that is about to be replaced: its lines, wherever the file has it, in place of START-END
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    replacing: Option<String>,

    /// The same, from a file; `-` is the standard input
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "replacing",
        allow_hyphen_values = true
    )]
    replacing_from: Option<PathBuf>,

    /// The worktree that is about to be changed: a directory in it; the one that FILE lies in if not given
    #[arg(long, value_name = "WORKTREE")]
    worktree: Option<PathBuf>,

    /// Exit with 1 from this severity on
    #[arg(long, value_name = "SEVERITY")]
    at_least: Option<Severity>,

    /// Also look for what others change or remove and these lines use
    #[arg(long)]
    breaks: bool,
}

impl Conflicts {
    /// `paths`: where a window that watches would be found.
    pub(crate) async fn run(
        self,
        paths: Option<&Paths>,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        match self.command {
            Some(Command::Check(check)) => return check.run(paths, out),
            Some(Command::Hook(hook)) => return hook.run(paths, out),
            None => {}
        }
        let directory = self
            .repository
            .clone()
            .map_or_else(std::env::current_dir, Ok)?;
        let filter = ConflictFilter {
            paths: self.paths,
            worktree: self.worktree,
            at_least: self.at_least,
            quiet_too: self.all || !self.watch,
        };
        let mut config = app::watch_config(paths, &directory);
        config.breaks |= self.breaks;
        if self.watch {
            return watch(config, &directory, &filter, out).await;
        }
        let mut picture = app::look_for_conflicts(&config, &directory, &filter).map_err(refused)?;
        let all = picture.verdicts.len();
        if !self.all {
            picture.verdicts.retain(|verdict| !verdict.quiet);
            picture.groups.retain(|group| !group.quiet);
        }
        let quiet = all - picture.verdicts.len();
        let (found, incomplete) = (!picture.verdicts.is_empty(), picture.incomplete);
        if out.json() {
            out.value(&picture)?;
        } else {
            list(&picture, quiet, out)?;
        }
        end(found, incomplete)
    }
}

impl Check {
    fn run(self, paths: Option<&Paths>, out: &mut Output<'_>) -> Result<(), Failure> {
        let (file, lines) = target(&self.target, self.worktree.as_deref())?;
        let here = std::env::current_dir()?.join(&file);
        let worktree = match &self.worktree {
            Some(directory) => worktree(directory, conflicts::worktree_at(directory))?,
            None => worktree(&here, conflicts::worktree_of(&here))?,
        };
        if !here.exists() && file.contains(['*', '?']) {
            return Err(Failure::usage(format!(
                "`{file}` is a glob: a check is about one file, and `switchyard conflicts '{file}'` lists all"
            )));
        }
        // As the person sees it: relative to where they are, unless that is nowhere in the worktree.
        let file = match self.worktree.is_none() || here.exists() && is_below(&here, &worktree) {
            true => here.to_string_lossy().into_owned(),
            false => file,
        };
        let lines = match (lines, self.replaced()?) {
            (Some(lines), _) => vec![lines],
            (None, Some(part)) => {
                let text = std::fs::read(worktree.join(&file)).unwrap_or_default();
                places_of(&text, &part)
            }
            (None, None) => Vec::new(),
        };
        let from = self.at_least.unwrap_or(match lines.as_slice() {
            [] => Severity::DifferentArea,
            _ => Severity::AdjacentLine,
        });
        let change = ProposedChange {
            file,
            lines,
            worktree: worktree.to_string_lossy().into_owned(),
            new_text: None,
        };
        let answer = app::check_change(paths, &change, self.breaks).map_err(refused)?;
        if out.json() {
            out.value(&answer)?;
        } else {
            tell(&answer, out)?;
        }
        let found = answer.severity.is_some_and(|severity| severity >= from);
        end(found, answer.incomplete)
    }

    /// The text that is about to be replaced, from wherever it was given.
    fn replaced(&self) -> Result<Option<Vec<u8>>, Failure> {
        let unread =
            |error| Failure::usage(format!("the text to be replaced can't be read: {error}"));
        match (&self.replacing, &self.replacing_from) {
            (Some(text), _) => Ok(Some(text.clone().into_bytes())),
            (None, Some(file)) if file.as_os_str() == "-" => {
                let mut text = Vec::new();
                std::io::stdin().read_to_end(&mut text).map_err(unread)?;
                Ok(Some(text))
            }
            (None, Some(file)) => Ok(Some(std::fs::read(file).map_err(unread)?)),
            (None, None) => Ok(None),
        }
    }
}

/// How a look ends: what was found is told first, then whether something could not be told.
fn end(found: bool, incomplete: bool) -> Result<(), Failure> {
    match (found, incomplete) {
        (true, _) => Err(Failure::silent()),
        // The notes said what, and why.
        (false, true) => Err(Failure::status(2)),
        (false, false) => Ok(()),
    }
}

/// Everything that goes wrong here is told apart from "found".
fn refused(error: app::Error) -> Failure {
    Failure::usage(error.message)
}

fn is_below(file: &Path, root: &Path) -> bool {
    file.canonicalize().is_ok_and(|file| file.starts_with(root))
}

/// The lines of `text` in which `part` is, from 1, at each of its places; none when it is nowhere in it.
fn places_of(text: &[u8], part: &[u8]) -> Vec<LineRange> {
    if part.is_empty() {
        return Vec::new();
    }
    let feeds = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count() as u32;
    // An end of line at its end begins no further line.
    let more = feeds(part.strip_suffix(b"\n").unwrap_or(part));
    let (mut line, mut counted) = (1, 0);
    let place = |at: usize| {
        line += feeds(&text[counted..at]);
        counted = at;
        LineRange {
            start: line,
            end: line + more + 1,
        }
    };
    memchr::memmem::find_iter(text, part).map(place).collect()
}

/// The worktree that was found for a place, or what to say of it.
pub(crate) fn worktree(
    place: &Path,
    found: io::Result<Option<PathBuf>>,
) -> Result<PathBuf, Failure> {
    let place = place.display();
    match found {
        Ok(Some(root)) => Ok(root),
        Ok(None) => Err(Failure::usage(format!(
            "`{place}` is not in a git worktree"
        ))),
        Err(error) => Err(Failure::usage(format!(
            "worktree `{place}` can't be used: {error}"
        ))),
    }
}

/// Reads `FILE`, `FILE:LINE` or `FILE:START-END`; lines count from 1, and the last one is included.
fn target(target: &str, worktree: Option<&Path>) -> Result<(String, Option<LineRange>), Failure> {
    let Some((file, lines)) = target.rsplit_once(':') else {
        return Ok((target.to_owned(), None));
    };
    // A file may have a colon in its name.
    let is_file = |name: &str| {
        Path::new(name).exists() || worktree.is_some_and(|worktree| worktree.join(name).exists())
    };
    if is_file(target) {
        return Ok((target.to_owned(), None));
    }
    let (start, end) = lines.split_once('-').unwrap_or((lines, lines));
    match (start.parse::<u32>(), end.parse::<u32>()) {
        (Ok(start), Ok(end)) if start >= 1 && end >= start && end < u32::MAX => Ok((
            file.to_owned(),
            Some(LineRange {
                start,
                end: end + 1,
            }),
        )),
        _ => Err(Failure::usage(format!(
            "lines `{lines}` are not `LINE` or `START-END`, counted from 1"
        ))),
    }
}

/// Prints what there is to see; `quiet`: how many more there are that a person does not want to hear of.
fn list(picture: &Picture, quiet: usize, out: &mut Output<'_>) -> Result<(), Failure> {
    for note in &picture.notes {
        out.error(note);
    }
    if picture.groups.is_empty() {
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
    } else {
        let mut table = Table::new(["SEVERITY", "MERGE", "FILE", "LINES", "WORKTREES"]);
        for group in &picture.groups {
            table.row(row(picture, group));
        }
        out.table(&table)?;
    }
    match quiet {
        0 => {}
        1 => out.line("One more is quiet: --all lists it.")?,
        count => out.line(&format!("{count} more are quiet: --all lists them."))?,
    }
    Ok(())
}

fn row(picture: &Picture, group: &ConflictGroup) -> Vec<Cell> {
    let tone = match group.severity {
        Severity::SameLine => Tone::Bad,
        Severity::AdjacentLine | Severity::Breaks => Tone::Urgent,
        Severity::DifferentArea | Severity::Identical => Tone::Faint,
    };
    let merge = match (group.would_conflict, group.quiet) {
        (true, false) => Cell::new("conflict").tone(Tone::Bad),
        (true, true) => Cell::new("conflict, quiet").tone(Tone::Faint),
        (false, false) => Cell::new("clean"),
        (false, true) => Cell::new("clean, quiet").tone(Tone::Faint),
    };
    let named = picture
        .worktrees
        .iter()
        .filter(|info| group.worktrees.contains(&info.id));
    let mut names: Vec<_> = named.map(|info| (&info.id, info.name.as_str())).collect();
    names.sort();
    let names: Vec<_> = names.into_iter().map(|(_, name)| name).collect();
    let worktrees = match names.len().checked_sub(NAMED) {
        Some(more) if more > 1 => format!("{} and {more} more", names[..NAMED].join(", ")),
        _ => names.join(", "),
    };
    vec![
        Cell::new(group.severity.as_str()).tone(tone),
        merge,
        Cell::new(group.path.to_string()),
        Cell::new(
            group
                .note
                .clone()
                .unwrap_or_else(|| conflicts::lines_in_words(&group.lines)),
        ),
        Cell::new(worktrees),
    ]
}

fn tell(answer: &CheckAnswer, out: &mut Output<'_>) -> Result<(), Failure> {
    for note in &answer.notes {
        out.error(note);
    }
    if answer.touches.is_empty() {
        let limits = match answer.incomplete {
            true => ", as far as they could be compared",
            false => "",
        };
        out.line(&format!(
            "No other worktree changes {}{limits}.",
            answer.path
        ))?;
    }
    for touch in &answer.touches {
        let side = &touch.side;
        let who = match &side.agent {
            Some(agent) => format!("{agent} in {}", side.name),
            None => side.name.clone(),
        };
        let (does, lines) = touch.in_words();
        let path = &answer.path;
        let what = match touch.breaks.first() {
            Some(broken) => format!("{} ({} line {})", broken.does(), broken.path, broken.line),
            None => format!("{does} {path}{lines}"),
        };
        out.line(&format!("{}: {who} {what}", touch.severity))?;
    }
    Ok(())
}

async fn watch(
    config: WatchConfig,
    directory: &Path,
    filter: &ConflictFilter,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let watcher = ConflictWatcher::open(directory, config)
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
    fn the_setting_of_an_agent_is_shown_written_and_taken_out_again() {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q"]);
        let repository = dir.path().to_string_lossy().into_owned();
        let hook = |more: &[&str]| {
            let told = run(&[&["hook", "--repository", &repository, "--yes"], more].concat());
            told.replace(
                &dir.path()
                    .canonicalize()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
                "DIR",
            )
        };
        insta::assert_snapshot!(hook(&["--install"]), @r"
        2
        switchyard: no agent has settings in `DIR`; name one: --agent claude, codex, gemini or opencode
        ");
        let settings = dir.path().join(".claude/settings.json");
        std::fs::create_dir(dir.path().join(".claude")).unwrap();
        let before = "{\n  \"model\": \"opus\"\n}\n";
        std::fs::write(&settings, before).unwrap();
        insta::assert_snapshot!(hook(&["--install"]), @r#"
        0
        .claude/settings.json
          {
        -   "model": "opus"
        +   "model": "opus",
        +   "hooks": {
        +     "PreToolUse": [
        +       {
        +         "matcher": "Edit|Write|MultiEdit|NotebookEdit",
        +         "hooks": [
        +           {
        +             "type": "command",
        +             "command": "switchyard conflicts hook",
        +             "timeout": 5
        +           }
        +         ]
        +       }
        +     ]
        +   }
          }
        Done.
        "#);
        insta::assert_snapshot!(hook(&["--install"]), @r"
        0
        .claude/settings.json has it already.
        ");
        assert!(hook(&["--uninstall"]).starts_with("0\n.claude/settings.json\n"));
        assert_eq!(std::fs::read_to_string(&settings).unwrap(), before);
        insta::assert_snapshot!(hook(&["--uninstall"]), @r"
        0
        .claude/settings.json has no setting for it.
        ");
    }

    #[test]
    fn what_cannot_be_compared_is_no_all_clear() {
        let dir = tempfile::tempdir().unwrap();
        let main = dir.path().canonicalize().unwrap().join("main");
        git(dir.path(), &["init", "-q", "main"]);
        std::fs::write(main.join("f"), "1\n").unwrap();
        git(&main, &["add", "-A"]);
        git(&main, &["commit", "-q", "-m", "x"]);
        git(&main, &["worktree", "add", "-q", "-b", "one", "../one"]);
        std::fs::write(main.join(".git/worktrees/one/index"), "garbage").unwrap();
        let place = main.to_string_lossy().into_owned();
        let parent = dir
            .path()
            .canonicalize()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        insta::assert_snapshot!(run(&["--repository", &place]).replace(&parent, "DIR"), @r"
        2
        No conflicts between 2 worktrees, as far as they could be compared.
        switchyard: could not read worktree `DIR/one`: its index is damaged: File is too small even for header with zero entries and smallest hash
        ");
        let checked = run(&["check", "f:1", "--worktree", &place]);
        insta::assert_snapshot!(checked.replace(&parent, "DIR"), @r"
        2
        No other worktree changes f, as far as they could be compared.
        switchyard: could not read worktree `DIR/one`: its index is damaged: File is too small even for header with zero entries and smallest hash
        ");
    }

    #[test]
    fn what_breaks_is_listed_when_it_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let main = dir.path().join("main");
        std::fs::create_dir(&main).unwrap();
        git(&main, &["init", "-q"]);
        std::fs::write(main.join("store.py"), "def open_store(path): pass\n").unwrap();
        let user = "from store import open_store\n\n\n# nothing\n";
        std::fs::write(main.join("main.py"), user).unwrap();
        git(&main, &["add", "-A"]);
        git(&main, &["commit", "-q", "-m", "x"]);
        for name in ["one", "two"] {
            git(
                &main,
                &["worktree", "add", "-q", "-b", name, &format!("../{name}")],
            );
        }
        let tree = |name: &str, file: &str| dir.path().join(name).join(file);
        std::fs::write(
            tree("one", "store.py"),
            "def open_store(path, mode): pass\n",
        )
        .unwrap();
        std::fs::write(tree("two", "main.py"), format!("{user}open_store(1)\n")).unwrap();
        let repository = main.to_string_lossy().into_owned();
        insta::assert_snapshot!(run(&["--repository", &repository]), @"
        0
        No conflicts between 3 worktrees.
        ");
        insta::assert_snapshot!(run(&["--breaks", "--repository", &repository]), @"
        1
        SEVERITY  MERGE  FILE     LINES                                                                                   WORKTREES
        breaks    clean  main.py  one changes the parameters of `open_store` (store.py line 1), which two uses in line 5  one, two
        ");
        let file = tree("two", "main.py").to_string_lossy().into_owned();
        let check = format!("{file}:5");
        insta::assert_snapshot!(run(&["check", &check]), @"
        0
        No other worktree changes main.py.
        ");
        insta::assert_snapshot!(run(&["check", &check, "--breaks"]), @"
        1
        breaks: one changes the parameters of `open_store` (store.py line 1)
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
        // Each place of the text counts, whatever it begins with; and lines are told as they are counted there.
        std::fs::write(one.join("f"), format!("- 3\n{}- 3\n", lines("one"))).unwrap();
        insta::assert_snapshot!(run(&["check", &place("f"), "--replacing", "- 3"]), @r"
        1
        adjacent_line: two changes f line 4 (3 at the merge base)
        ");
        let part = dir.path().join("part");
        std::fs::write(&part, "11\n12\n").unwrap();
        let part = part.to_string_lossy().into_owned();
        insta::assert_snapshot!(run(&["check", &place("f"), "--replacing-from", &part]), @r"
        0
        different_area: two changes f line 4 (3 at the merge base)
        ");
        for tree in ["one", "two"] {
            std::fs::write(dir.path().join(tree).join("f:3"), tree).unwrap();
        }
        insta::assert_snapshot!(run(&["check", &place("f:3")]), @r"
        1
        same_line: two creates f:3
        ");
        insta::assert_snapshot!(check(".git/config"), @r"
        2
        switchyard: `.git/config` belongs to git itself: no worktree keeps it
        ");
        std::fs::create_dir(main.join("src")).unwrap();
        insta::assert_snapshot!(check("src"), @r"
        2
        switchyard: `src` is a directory: a check is about one file, and `switchyard conflicts src` lists all
        ");
        insta::assert_snapshot!(check("src/*.rs"), @r"
        2
        switchyard: `src/*.rs` is a glob: a check is about one file, and `switchyard conflicts 'src/*.rs'` lists all
        ");
        insta::assert_snapshot!(check("f:0-3"), @r"
        2
        switchyard: lines `0-3` are not `LINE` or `START-END`, counted from 1
        ");
    }
}
