//! `flow list` and `flow show`: runs, and one of them.

use std::fmt::Write as _;
use std::time::Duration;

use app::{App, RunWorktree};
use clap::{Args, ValueEnum};
use flow::{RunInfo, RunState, RunView, StepState};

use super::{elapsed, run_tone, tone, word};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table, Tone};
use crate::when::local;

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those in this state; may be said several times
    #[arg(long, value_enum, value_name = "STATE")]
    state: Vec<InState>,
    /// Only those of this flow
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
}

/// A state of a run, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InState {
    Running,
    Waiting,
    Interrupted,
    Succeeded,
    Failed,
    Cancelled,
}

impl InState {
    fn is(self, state: RunState) -> bool {
        matches!(
            (self, state),
            (Self::Running, RunState::Running)
                | (Self::Waiting, RunState::Waiting)
                | (Self::Interrupted, RunState::Interrupted)
                | (Self::Succeeded, RunState::Succeeded)
                | (Self::Failed, RunState::Failed)
                | (Self::Cancelled, RunState::Cancelled)
        )
    }
}

impl List {
    pub(super) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let all = app.list_runs().await?;
        let none = all.is_empty();
        let mut runs: Vec<RunInfo> = all
            .into_iter()
            .filter(|run| {
                self.state.is_empty() || self.state.iter().any(|state| state.is(run.state))
            })
            .filter(|run| self.flow.as_ref().is_none_or(|flow| *flow == run.flow))
            .collect();
        let found = runs.len();
        runs.truncate(self.limit as usize);
        if out.json() {
            return Ok(out.value(&runs)?);
        }
        if none {
            return Ok(out.line("No runs. `switchyard flow run FILE` starts one.")?);
        }
        if runs.is_empty() {
            return Ok(out.line("No such runs.")?);
        }
        let now = clock::Clock::system().now_ms();
        let mut table = Table::new([
            "RUN",
            "STATE",
            "STEPS",
            "BEGAN",
            "TOOK",
            "FLOW",
            "WAITS FOR YOU",
        ]);
        for run in &runs {
            let took = run.ended_at.unwrap_or(now).saturating_sub(run.started_at);
            table.row([
                Cell::new(run.id.as_str()),
                Cell::new(word(&run.state)).tone(run_tone(run.state)),
                Cell::new(format!("{}/{}", run.done, run.steps)).right(),
                Cell::new(local(run.started_at)),
                Cell::new(elapsed(Duration::from_millis(took))).right(),
                Cell::new(run.flow.as_str()),
                Cell::new([run.asks.as_slice(), &run.needs_you].concat().join(", "))
                    .tone(Tone::Urgent),
            ]);
        }
        out.table(&table)?;
        if found > runs.len() {
            out.error(&format!(
                "these are {} of {found} runs; `--limit {found}` lists them all",
                runs.len()
            ));
        }
        Ok(())
    }
}

/// Shows a run with its steps.
pub(super) fn show(run: &RunView, out: &mut Output<'_>) -> Result<(), Failure> {
    if out.json() {
        return Ok(out.value(run)?);
    }
    let info = &run.info;
    out.line(&format!(
        "{} · run {} · {}",
        info.flow,
        info.id,
        word(&info.state)
    ))?;
    if let Some(message) = &info.message {
        out.line(message)?;
    }
    let mut table = Table::new(["STEP", "STATE", "TIME", "PANE", "WHY"]);
    for step in &run.step_list {
        let last = step.attempts.last();
        let time = last
            .and_then(|attempt| Some(attempt.ended_at?.saturating_sub(attempt.started_at)))
            .map(|millis| elapsed(Duration::from_millis(millis)))
            .unwrap_or_default();
        let mut why = match &step.skip {
            Some(skip) => format!("{}, from {}", word(&skip.cause), skip.origin),
            None => step
                .guard_error
                .clone()
                .or_else(|| last.and_then(|attempt| attempt.message.clone()))
                .unwrap_or_default(),
        };
        if step.state == StepState::AwaitingApproval
            && let Some(question) = last.and_then(|attempt| attempt.question.as_ref())
        {
            why.clone_from(&question.message);
        }
        if let Some(asks) = last.and_then(|attempt| attempt.needs_you.as_ref()) {
            why = format!("its agent needs you: {asks}");
        }
        if let Some(held) = last.and_then(|attempt| attempt.held.as_ref()) {
            why.clone_from(held);
        }
        if let Some(items) = step.items
            && !step.state.is_terminal()
        {
            let of = format!("{}.", step.id);
            let done = run.step_list.iter();
            let done = done.filter(|item| item.id.starts_with(&of) && item.state.is_terminal());
            why = format!("{} of {items} items done", done.count());
        }
        if let Some(round) = last.and_then(|attempt| attempt.round.as_ref()) {
            if step.state == StepState::Succeeded {
                why = format!("done in round {}", round.number);
            }
        } else if step.attempts.len() > 1 {
            let _ = write!(why, " (attempt {})", step.attempts.len());
        }
        table.row([
            Cell::new(step.id.as_str()),
            Cell::new(word(&step.state)).tone(tone(step.state)),
            Cell::new(time).right(),
            Cell::new(
                last.and_then(|attempt| attempt.pane)
                    .map(|pane| pane.to_string())
                    .unwrap_or_default(),
            )
            .right(),
            Cell::new(why.trim()),
        ]);
    }
    out.table(&table)?;
    if let Some(output) = &run.output {
        out.line("")?;
        out.line(output.trim_end())?;
    }
    Ok(())
}

/// Lists the git worktrees of runs.
pub(super) fn worktrees(all: &[RunWorktree], out: &mut Output<'_>) -> Result<(), Failure> {
    if out.json() {
        return Ok(out.value(&all)?);
    }
    if all.is_empty() {
        return Ok(out.line("No worktrees of runs.")?);
    }
    let mut table = Table::new(["RUN", "STEP", "HOLDS", "DIRECTORY"]);
    for worktree in all {
        let holds = worktree.holds.as_deref();
        table.row([
            Cell::new(worktree.run.as_str()),
            Cell::new(worktree.step.as_str()),
            Cell::new(holds.unwrap_or("nothing that is nowhere else")).tone(match holds {
                Some(_) => Tone::Urgent,
                None => Tone::Faint,
            }),
            Cell::new(worktree.path.as_str()),
        ]);
    }
    Ok(out.table(&table)?)
}
