//! `machines`, and `--on` of other commands: other machines, and what is asked of them.

use std::time::Instant;

use app::{App, MachineAsks, MachineId, MachineWay};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table, Tone};

/// Other machines whose panes are reached from here, by your own ssh
///
/// What `ssh NAME` reaches in a terminal is reached here; this program is put there at the first use.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard machines add build                       Reached by `ssh build`
  switchyard machines add gpu --ssh me@gpu.example.org
  switchyard machines add box -- docker exec -i box   By a command that runs what is added to it
  switchyard machines check build                     Reach it, and say how it went
  switchyard open --on build -- make
  switchyard panes --on build
  switchyard read build:3")]
pub(crate) struct Machines {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ls(Ls),
    Add(Add),
    Check(Check),
    Forget(Forget),
}

/// List the machines
#[derive(Debug, Args)]
struct Ls {}

/// Add a machine, or say anew how it is reached; it is not tried
#[derive(Debug, Args)]
struct Add {
    /// What it is called here, and to ssh where nothing else is said
    name: String,
    /// What `ssh` is to reach: a name of its configuration, or `user@host`
    #[arg(long, value_name = "DESTINATION", conflicts_with = "command")]
    ssh: Option<String>,
    /// A program that runs what is added to its arguments there, with its input and output as a pipe
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Reach machines, and say how it went
#[derive(Debug, Args)]
struct Check {
    /// Which; none: all of them
    names: Vec<String>,
}

/// Forget a machine; what runs there goes on
#[derive(Debug, Args)]
struct Forget {
    /// What it is called
    name: String,
}

/// On which machine.
#[derive(Debug, Args)]
pub(crate) struct On {
    /// On another machine; `switchyard machines` lists them
    #[arg(long, value_name = "MACHINE")]
    on: Option<String>,
}

impl On {
    /// The machine that is meant, once there is a link to it; none: this one. What ssh asks, it asks at the terminal.
    pub(crate) async fn reached(
        &self,
        app: &App,
        out: &mut Output<'_>,
    ) -> Result<Option<MachineId>, Failure> {
        let Some(name) = &self.on else {
            return Ok(None);
        };
        told_of_wrong(app, out);
        let machine = app.machine_named(name)?;
        app.reach_machine(machine, MachineAsks::Terminal).await?;
        Ok(Some(machine))
    }
}

/// What came of reaching a machine.
#[derive(Serialize)]
struct Checked {
    name: String,
    reached: bool,
    /// How long it took, in milliseconds.
    ms: u64,
    message: Option<String>,
}

impl Machines {
    pub(crate) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        match self.command {
            None | Some(Command::Ls(Ls {})) => list(app, out),
            Some(Command::Add(Add { name, ssh, command })) => {
                let command = (!command.is_empty()).then_some(command);
                let view = app.add_machine(&name, &MachineWay { ssh, command })?;
                if out.json() {
                    return Ok(out.value(&view)?);
                }
                Ok(out.line(&format!("`{name}` is reached by `{}`.", view.way))?)
            }
            Some(Command::Forget(Forget { name })) => Ok(app.forget_machine(&name)?),
            Some(Command::Check(Check { names })) => check(names, app, out).await,
        }
    }
}

fn list(app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
    told_of_wrong(app, out);
    let machines = app.machines();
    if out.json() {
        return Ok(out.value(&machines)?);
    }
    if machines.is_empty() {
        return Ok(out.line(
            "No other machines. `switchyard machines add NAME` adds what `ssh NAME` reaches.",
        )?);
    }
    let mut table = Table::new(["MACHINE", "REACHED BY"]);
    for machine in &machines {
        table.row([
            Cell::new(&machine.name),
            Cell::new(&machine.way).tone(Tone::Faint),
        ]);
    }
    Ok(out.table(&table)?)
}

async fn check(names: Vec<String>, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
    told_of_wrong(app, out);
    let names = if names.is_empty() {
        app.machines().into_iter().map(|it| it.name).collect()
    } else {
        names
    };
    let mut all = Vec::new();
    for name in names {
        let machine = app.machine_named(&name)?;
        let began = Instant::now();
        // One after another: two may want to ask something.
        let reached = app.reach_machine(machine, MachineAsks::Terminal).await;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let message = reached.err().map(|error| error.message);
        let checked = Checked {
            reached: message.is_none(),
            name,
            ms,
            message,
        };
        if !out.json() {
            let said = match &checked.message {
                None => format!("{}: reached in {ms} ms", checked.name),
                Some(message) => format!("{}: {message}", checked.name),
            };
            out.line(&said)?;
        }
        all.push(checked);
    }
    if out.json() {
        out.value(&all)?;
    }
    if all.iter().all(|checked| checked.reached) {
        Ok(())
    } else {
        Err(Failure::silent())
    }
}

/// Machines that can't be used are told of beside those that can.
fn told_of_wrong(app: &App, out: &mut Output<'_>) {
    for wrong in app.wrong_machines() {
        out.error(&wrong);
    }
}
