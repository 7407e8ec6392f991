//! `worktrees`: the worktrees of a repository, a new one, the end of those that are not needed.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};

use app::{App, MadeWorktree, PrunedWorktree, RemoveWorktree};
use changes::{ListedWorktree, Merged, NewWorktree, Worktree};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{Output, short};
use crate::table::{Cell, Table, Tone};

/// The worktrees of this repository: list, make, rename, remove
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard worktrees                         List them, with what would be lost with each
  switchyard worktrees new fix-login           One beside the main worktree, on a branch of its own
  switchyard worktrees rm app-fix-login        Its end, unless something in it is nowhere else
  switchyard worktrees prune                   Which of them are merged; `--yes` ends those")]
pub(crate) struct Worktrees {
    /// A directory in the repository; the current one if not given
    #[arg(long, global = true, value_name = "DIRECTORY")]
    repository: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ls(Ls),
    New(New),
    Rename(Rename),
    Rm(Rm),
    Prune(Prune),
}

/// List the worktrees, with what would be lost with each
#[derive(Debug, Default, Args)]
struct Ls {
    /// Also what each takes on the disk, which may take a while
    #[arg(long)]
    sizes: bool,
}

/// Make a worktree, and set it up as `.switchyard/worktree.yaml` says
#[derive(Debug, Args)]
#[command(after_help = "\
`.switchyard/worktree.yaml` in the main worktree says what a new one gets:

  copy: [.env, config/local.yaml]   Files and directories that git does not have
  run:                              Command lines, one after the other
    - npm ci")]
struct New {
    /// Its branch, which is made, unless there is one that is called so
    branch: String,

    /// Where a new branch begins; where the main worktree is, if not given
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,

    /// Its directory; beside the main worktree, if not given
    #[arg(long, value_name = "DIRECTORY")]
    path: Option<String>,

    /// Leave out what `.switchyard/worktree.yaml` says
    #[arg(long)]
    no_set_up: bool,
}

/// Give a worktree's branch another name
#[derive(Debug, Args)]
struct Rename {
    /// The worktree: a directory in it, its name or its branch
    worktree: String,

    /// The name
    branch: String,
}

/// Remove a worktree; its branch stays
#[derive(Debug, Args)]
struct Rm {
    /// The worktree: a directory in it, its name or its branch
    worktree: String,

    /// Its branch, too
    #[arg(long)]
    branch: bool,

    /// Even what is nowhere else: commits with the branch, and files, which `changes undo` can give back for a month
    #[arg(long)]
    lose: bool,

    /// Close the panes in it, and stop the turns of agents there
    #[arg(long)]
    close: bool,
}

/// Say which worktrees are merged, also as other commits or squashed into one; and remove them
#[derive(Debug, Args)]
#[command(after_help = "\
Those stay that hold something which is nowhere else, that are locked, and in which something runs.")]
struct Prune {
    /// Remove them, with their branches
    #[arg(long)]
    yes: bool,
}

/// For programs: a worktree with its size.
#[derive(Serialize)]
struct Sized<'a> {
    #[serde(flatten)]
    worktree: &'a ListedWorktree,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

impl Worktrees {
    /// Whether it is about git alone: panes and agents have no part in it.
    pub(crate) fn is_pure(&self) -> bool {
        !matches!(&self.command, Some(Command::Rm(_) | Command::Prune(_)))
    }

    /// What needs no [`App`].
    pub(crate) fn run_pure(self, out: &mut Output<'_>) -> Result<(), Failure> {
        let here = self.here()?;
        match self.command {
            None => Ls::default().run(&here, out),
            Some(Command::Ls(ls)) => ls.run(&here, out),
            Some(Command::New(new)) => new.run(&here, out),
            Some(Command::Rename(Rename { worktree, branch })) => {
                app::rename_worktree(&named(&here, &worktree)?, &branch)?;
                Ok(())
            }
            Some(Command::Rm(_) | Command::Prune(_)) => Ok(()),
        }
    }

    pub(crate) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let here = self.here()?;
        match self.command {
            Some(Command::Rm(rm)) => rm.run(&here, app, out).await,
            Some(Command::Prune(prune)) => prune.run(&here, app, out).await,
            _ => self.run_pure(out),
        }
    }

    fn here(&self) -> Result<Worktree, Failure> {
        let current = std::env::current_dir()?;
        let directory = match &self.repository {
            Some(directory) => current.join(directory),
            None => current,
        };
        Ok(app::find_worktree(&directory, None)?)
    }
}

/// The worktree of the same repository that is called so.
fn named(here: &Worktree, name: &str) -> Result<Worktree, Failure> {
    Ok(app::find_worktree(here.root(), Some(name))?)
}

impl Ls {
    fn run(self, here: &Worktree, out: &mut Output<'_>) -> Result<(), Failure> {
        let listed = app::list_worktrees(here)?;
        let size = |one: &ListedWorktree| -> Result<Option<u64>, Failure> {
            if !self.sizes || !one.present {
                return Ok(None);
            }
            Ok(Some(named(here, &one.path)?.size()))
        };
        let sizes: Vec<_> = listed.iter().map(size).collect::<Result<_, _>>()?;
        if out.json() {
            let rows = listed.iter().zip(&sizes);
            let rows: Vec<_> = rows
                .map(|(worktree, bytes)| Sized {
                    worktree,
                    bytes: *bytes,
                })
                .collect();
            return Ok(out.value(&rows)?);
        }
        let mut titles = vec!["BRANCH", "COMMITS", "MERGED", "HOLDS"];
        if self.sizes {
            titles.push("SIZE");
        }
        titles.push("WORKTREE");
        let mut table = Table::new(titles);
        for (one, bytes) in listed.iter().zip(sizes) {
            let mut row = vec![
                Cell::new(one.branch.as_deref().unwrap_or("no branch")),
                Cell::new(commits(one)),
                merged(one),
                Cell::new(holds(one)).tone(Tone::Urgent),
            ];
            if self.sizes {
                row.push(Cell::new(bytes.map_or_else(String::new, in_words)).right());
            }
            row.push(Cell::new(short(&one.path)).tone(Tone::Faint));
            table.row(row);
        }
        Ok(out.table(&table)?)
    }
}

fn commits(one: &ListedWorktree) -> String {
    match &one.base {
        None => String::new(),
        Some(base) if one.main => format!("+{} −{} of {}", base.ahead, base.behind, base.name),
        Some(base) => format!("+{} −{}", base.ahead, base.behind),
    }
}

fn merged(one: &ListedWorktree) -> Cell {
    let (text, tone) = match one.merged {
        _ if one.main => ("main", Tone::Faint),
        _ if !one.present => ("gone", Tone::Bad),
        Merged::Nothing => ("", Tone::Plain),
        Merged::Yes => ("yes", Tone::Good),
        Merged::AsOthers => ("as others", Tone::Good),
        Merged::No => ("no", Tone::Plain),
    };
    Cell::new(text).tone(tone)
}

fn holds(one: &ListedWorktree) -> String {
    match &one.unknown {
        Some(why) => why.clone(),
        None => one.holds.to_string(),
    }
}

/// So many bytes, as people say it.
fn in_words(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut whole = bytes;
    while whole >= 10_240 && unit + 1 < units.len() {
        whole /= 1024;
        unit += 1;
    }
    format!("{whole} {}", units[unit])
}

impl New {
    fn run(self, here: &Worktree, out: &mut Output<'_>) -> Result<(), Failure> {
        // As a shell means it: from where one is.
        let path = match &self.path {
            Some(path) => {
                let path = std::env::current_dir()?.join(path);
                let Some(path) = path.to_str() else {
                    return Err(Failure::usage("`--path` is no text"));
                };
                Some(path.to_owned())
            }
            None => None,
        };
        let new = NewWorktree {
            branch: self.branch,
            base: self.base,
            path,
        };
        let made = app::make_worktree(here, &new, !self.no_set_up)?;
        if !out.json() {
            out.line(&format!("Made {} on {}.", short(&made.path), made.branch))?;
            for one in &made.copied {
                out.line(&format!("Copied {one}"))?;
            }
        }
        for one in &made.left_out {
            out.error(&format!("not copied: {one}"));
        }
        let set_up = set_up(&made);
        if out.json() {
            out.value(&made)?;
        }
        set_up
    }
}

/// Runs what is to be run in a new worktree; what it prints goes where errors go, since it is no answer.
fn set_up(made: &MadeWorktree) -> Result<(), Failure> {
    for line in &made.run {
        let failed = |why: String| {
            let place = &made.path;
            Failure::failed(format!("`{line}` {why}; the worktree `{place}` is there"))
        };
        let ended = Program::new("/bin/sh")
            .args(["-c", line])
            .current_dir(Path::new(&made.path))
            .stdin(Stdio::null())
            .stdout(io::stderr())
            .status()
            .map_err(|error| failed(format!("could not be started: {error}")))?;
        if !ended.success() {
            return Err(failed(format!("ended with {ended}")));
        }
    }
    Ok(())
}

impl Rm {
    async fn run(self, here: &Worktree, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let worktree = named(here, &self.worktree)?;
        let how = RemoveWorktree {
            branch: self.branch,
            lose: self.lose,
            close: self.close,
        };
        let removed = app.remove_worktree(worktree.root().to_owned(), how).await?;
        if out.json() {
            return Ok(out.value(&removed)?);
        }
        let branch = match &removed.branch {
            Some(branch) => format!(", and the branch {branch}"),
            None => String::new(),
        };
        out.line(&format!("Removed {}{branch}.", short(&removed.path)))?;
        if let Some(id) = &removed.snapshot {
            out.line(&format!(
                "What was not committed is kept for a month, to be given back to a worktree there: switchyard changes undo {id}"
            ))?;
        }
        Ok(())
    }
}

impl Prune {
    async fn run(self, here: &Worktree, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let all = app
            .prune_worktrees(here.root().to_owned(), self.yes)
            .await?;
        if out.json() {
            return Ok(out.value(&all)?);
        }
        if all.is_empty() {
            return Ok(out.line("No worktree is merged.")?);
        }
        for PrunedWorktree { path, stays, .. } in &all {
            let path = short(path);
            out.line(&match stays {
                Some(why) => format!("stays    {path}: {why}"),
                None if self.yes => format!("removed  {path}"),
                None => format!("merged   {path}"),
            })?;
        }
        if !self.yes && all.iter().any(|one| one.stays.is_none()) {
            out.line(
                "`switchyard worktrees prune --yes` removes what is merged, with its branch.",
            )?;
        }
        Ok(())
    }
}
