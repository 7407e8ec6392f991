//! `panes`, `open`, `send`, `read`, `kill`: what runs, and talking to it.

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::str::FromStr;

use app::{App, MachineAsks, MachineId};
use clap::Args;
use clock::Clock;
use terminal::ask;
use terminal::{Attention, ClosedPane, OpenPane, PaneId, PaneInfo, PaneSize, PaneState, ReadLines};

use crate::failure::Failure;
use crate::machines::On;
use crate::output::{Output, short};
use crate::table::{Cell, Table, Tone};

/// List the panes: what runs in them, where, and who needs you
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard panes
  switchyard panes --json | jq '.[] | select(.attention == \"needs_you\") | .id'
  switchyard panes --closed     What is gone; what it printed can still be read and searched
  switchyard panes --on build   What runs on another machine; `switchyard machines` lists these")]
pub(crate) struct List {
    /// List the panes that are closed, and only live in history
    #[arg(long)]
    closed: bool,
    #[command(flatten)]
    on: On,
}

/// Start a program in a pane of its own, and print the pane's number
///
/// The program has the environment of this command, as if it were started here.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard open                                  Your shell, in this directory
  switchyard open --name tests -- cargo test       A program, with a name to call it by
  switchyard open --cwd ~/src/app -- npm run dev
  switchyard open --profile database                A pane of a kind that the settings name
  switchyard open --layout shop --cwd ~/work/shop-2   All the panes of a layout, in the window
  pane=$(switchyard open -- bash); switchyard send $pane 'make' --enter")]
pub(crate) struct Open {
    /// Open an arrangement of panes that was saved by name, in the window; `switchyard layouts` lists them
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "private", "env", "size", "program", "profile", "on"])]
    layout: Option<String>,
    /// Open a pane of this kind: `profiles` in the settings says what runs in it, and where
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Start in this directory instead of the present one; on another machine, instead of home
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    #[command(flatten)]
    on: On,
    /// A name to call the pane by
    #[arg(long)]
    name: Option<String>,
    /// Keep nothing of what it prints on disk
    #[arg(long)]
    private: bool,
    /// Add to the program's environment
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// The size to start with
    #[arg(long, value_name = "COLSxROWS", value_parser = size)]
    size: Option<PaneSize>,
    /// The program and its arguments [default: your shell]
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<String>,
}

/// Type into a pane
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard send 3 'make test' --enter
  switchyard send build $'\\x03'          Control-C
  git diff | switchyard send 3 -         What comes on standard input")]
pub(crate) struct Send {
    /// The pane: its number or its name; on another machine, `build:3`
    pane: PaneName,
    /// What to type; `-`: what comes on standard input
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// Press Enter after it
    #[arg(long)]
    enter: bool,
}

/// Read what a pane printed last; a closed one's too
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard read build
  switchyard read 3 --lines 1000 | grep -i error
  switchyard read 3 --json               With line numbers that stay true")]
pub(crate) struct Read {
    /// The pane: its number or its name
    pane: PaneName,
    /// At most so many lines, the newest
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    lines: u32,
}

/// Close panes: end their programs (hang up first, kill after a grace period)
#[derive(Debug, Args)]
#[command(after_help = "\
What they printed stays searchable until it expires; `switchyard history purge` removes it at once.")]
pub(crate) struct Kill {
    /// The panes: their numbers or names
    #[arg(required = true, value_name = "PANE")]
    panes: Vec<PaneName>,
}

impl List {
    pub(crate) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let machine = self.on.reached(app, out).await?;
        if self.closed {
            let closed = match machine {
                Some(machine) => app.ask_on(machine, ask::Closed).await?,
                None => app.ask(ask::Closed).await?,
            };
            return list_closed(app, &closed, out);
        }
        let panes = match machine {
            Some(machine) => app.ask_on(machine, ask::List).await?,
            None => app.ask(ask::List).await?,
        };
        if out.json() {
            return Ok(out.value(&panes)?);
        }
        if panes.is_empty() {
            return Ok(out.line("No panes. `switchyard open -- PROGRAM` starts one.")?);
        }
        let mut table = Table::new(["PANE", "STATE", "NAME", "PROGRAM", "DIRECTORY"]);
        for pane in &panes {
            let (state, tone) = (pane.state_in_words(), tone(pane));
            table.row([
                Cell::new(app.number_to_type(pane.id)).right(),
                Cell::new(state).tone(tone),
                Cell::new(name(pane)),
                Cell::new(program(pane)),
                Cell::new(short(&pane.cwd)).tone(Tone::Faint),
            ]);
        }
        Ok(out.table(&table)?)
    }
}

fn list_closed(app: &App, panes: &[ClosedPane], out: &mut Output<'_>) -> Result<(), Failure> {
    if out.json() {
        return Ok(out.value(&panes)?);
    }
    if panes.is_empty() {
        return Ok(out.line("No closed panes in history.")?);
    }
    let now = Clock::system().now_ms();
    let mut table = Table::new(["PANE", "ENDED", "NAME", "PROGRAM", "DIRECTORY"]);
    for pane in panes {
        // None: the host ended before it.
        let ended = pane.ended_at.map(|ended| ago(now.saturating_sub(ended)));
        table.row([
            Cell::new(app.number_to_type(pane.id)).right(),
            Cell::new(ended.unwrap_or_default()),
            Cell::new(pane.name.clone().unwrap_or_default()),
            Cell::new(cut(pane.program.join(" "))),
            Cell::new(short(&pane.cwd)).tone(Tone::Faint),
        ]);
    }
    Ok(out.table(&table)?)
}

impl Open {
    pub(crate) async fn run(mut self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        if let Some(machine) = self.on.reached(app, out).await? {
            return self.run_on(machine, app, out).await;
        }
        let elsewhere = self.cwd.is_some();
        let cwd = match self.cwd.take() {
            Some(cwd) if cwd.is_absolute() => cwd,
            Some(cwd) => here()?.join(cwd),
            None => here()?,
        };
        let cwd = cwd.into_os_string().into_string().map_err(|cwd| {
            Failure::usage(format!(
                "the directory `{}` is not named in UTF-8",
                cwd.display()
            ))
        })?;
        if let Some(layout) = self.layout.take() {
            return crate::layouts::open(app, layout, elsewhere.then_some(cwd)).await;
        }
        let settings = app.settings();
        let profile = self.profile.as_ref();
        let profile = profile.and_then(|name| settings.profiles.get(name));
        let is_elsewhere = !elsewhere && profile.is_some_and(|profile| profile.cwd.is_some());
        let request = self.request((!is_elsewhere).then_some(cwd));
        opened(app, &app.open_pane(request).await?, out)
    }

    /// On another machine, of whose directories nothing is known here.
    async fn run_on(
        mut self,
        machine: MachineId,
        app: &App,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let cwd = match self
            .cwd
            .take()
            .map(|cwd| cwd.into_os_string().into_string())
        {
            None => None,
            Some(Ok(cwd)) if cwd.starts_with('/') => Some(cwd),
            Some(_) => {
                return Err(Failure::usage(
                    "`--cwd` with `--on` is a directory of that machine: name it in full, from `/` on, in UTF-8",
                ));
            }
        };
        let request = self.request(cwd);
        opened(app, &app.open_pane_on(machine, request).await?, out)
    }

    fn request(self, cwd: Option<String>) -> OpenPane {
        let mut program = self.program.into_iter();
        OpenPane {
            program: program.next(),
            args: program.collect(),
            cwd,
            profile: self.profile,
            env: self.env.into_iter().collect(),
            size: self.size.unwrap_or_default(),
            name: self.name,
            private: self.private,
            ..OpenPane::default()
        }
    }
}

fn opened(app: &App, pane: &PaneInfo, out: &mut Output<'_>) -> Result<(), Failure> {
    if out.json() {
        Ok(out.value(pane)?)
    } else {
        Ok(out.line(&app.number_to_type(pane.id))?)
    }
}

impl Send {
    pub(crate) async fn run(self, app: &App, _: &mut Output<'_>) -> Result<(), Failure> {
        let pane = self.pane.find(app).await?;
        let mut bytes = self.text.into_bytes();
        if bytes == b"-" {
            bytes = tokio::task::spawn_blocking(|| {
                let mut bytes = Vec::new();
                io::stdin().read_to_end(&mut bytes).map(|_| bytes)
            })
            .await
            .map_err(io::Error::other)??;
        }
        if self.enter {
            bytes.push(b'\r');
        }
        Ok(app.type_into(pane, &bytes).await?)
    }
}

impl Read {
    pub(crate) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let pane = self.pane.find_also_closed(app).await?;
        let lines = app
            .ask(ask::Read {
                pane,
                lines: ReadLines::Newest { count: self.lines },
            })
            .await?;
        if out.json() {
            return Ok(out.value(&lines)?);
        }
        let mut text = String::new();
        for line in &lines {
            text.push_str(&line.text);
            text.push('\n');
        }
        Ok(out.text(&text)?)
    }
}

impl Kill {
    pub(crate) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        // All are found before the first is closed: a mistyped name ends nothing.
        let mut panes = Vec::new();
        for pane in &self.panes {
            panes.push(pane.find(app).await?);
        }
        for pane in &panes {
            app.ask(ask::Close(*pane)).await?;
        }
        if out.json() {
            Ok(out.value(&panes)?)
        } else {
            Ok(())
        }
    }
}

/// What a person calls a pane: its number, or the name that it was given.
#[derive(Debug, Clone)]
pub(crate) struct PaneName(String);

impl FromStr for PaneName {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl PaneName {
    /// The open pane that is meant.
    pub(crate) async fn find(&self, app: &App) -> Result<PaneId, Failure> {
        self.reach(app).await?;
        Ok(app.find_pane(&self.0).await?)
    }

    /// The pane that is meant, be it open or only in history.
    pub(crate) async fn find_also_closed(&self, app: &App) -> Result<PaneId, Failure> {
        self.reach(app).await?;
        Ok(app.find_pane_also_closed(&self.0).await?)
    }
}

impl PaneName {
    /// Makes the link to the machine that it is on.
    async fn reach(&self, app: &App) -> Result<(), Failure> {
        if let Some((machine, _)) = app.on_a_machine(&self.0) {
            app.reach_machine(machine, MachineAsks::Terminal).await?;
        }
        Ok(())
    }
}

/// How a pane's state is shown.
fn tone(pane: &PaneInfo) -> Tone {
    match (&pane.state, pane.attention) {
        (PaneState::Exited { code: Some(0), .. }, _) => Tone::Faint,
        (
            PaneState::Exited {
                code: None,
                signal: None,
            },
            _,
        ) => Tone::Faint,
        (PaneState::Exited { .. }, _) => Tone::Bad,
        (PaneState::Running { .. }, Attention::NeedsYou) => Tone::Urgent,
        (PaneState::Running { .. }, Attention::Working) => Tone::Active,
        (PaneState::Running { .. }, Attention::Done) => Tone::Good,
        (PaneState::Running { .. }, Attention::Failed) => Tone::Bad,
        (PaneState::Running { .. }, Attention::Idle) if pane.busy => Tone::Active,
        (PaneState::Running { .. }, Attention::Idle) => Tone::Plain,
    }
}

fn name(pane: &PaneInfo) -> String {
    pane.name.clone().unwrap_or_else(|| pane.title.clone())
}

/// The command that the shell is at, or else what was started: not the last command of a shell that waits.
fn program(pane: &PaneInfo) -> String {
    cut(match &pane.command {
        Some(command) if pane.busy && !command.is_empty() => command.clone(),
        _ => pane.program.join(" "),
    })
}

fn ago(ms: u64) -> String {
    let minutes = ms / 60_000;
    match (minutes / 1440, minutes / 60, minutes) {
        (0, 0, 0) => "just now".to_owned(),
        (0, 0, minutes) => format!("{minutes} min ago"),
        (0, hours, _) => format!("{hours} h ago"),
        (days, _, _) => format!("{days} d ago"),
    }
}

fn cut(text: String) -> String {
    if text.chars().count() > 40 {
        text.chars().take(39).chain(['…']).collect()
    } else {
        text
    }
}

/// The directory that this command runs in.
fn here() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| {
        Failure::usage(format!(
            "the directory that this command runs in can't be used ({error}); name another one in full: `--cwd /path/of/it`"
        ))
    })
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is not of the form NAME=VALUE".to_owned()),
    }
}

fn size(text: &str) -> Result<PaneSize, String> {
    let wrong = || "it is not of the form COLSxROWS, as in 120x40".to_owned();
    let (cols, rows) = text.split_once('x').ok_or_else(wrong)?;
    Ok(PaneSize {
        cols: cols.parse().map_err(|_| wrong())?,
        rows: rows.parse().map_err(|_| wrong())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_told_in_its_largest_unit() {
        let told = [59_999, 60_000, 3_600_000, 49 * 3_600_000].map(ago);
        assert_eq!(told, ["just now", "1 min ago", "1 h ago", "2 d ago"]);
    }

    #[test]
    fn a_home_is_shortened_only_where_it_is_one() {
        let home = std::env::var("HOME").unwrap_or_default();
        if home.len() > 1 {
            assert_eq!(short(&format!("{home}/src")), "~/src");
            assert_eq!(short(&format!("{home}-old")), format!("{home}-old"));
        }
    }
}
