//! `flow list` and `flow show`: runs, and one of them.

use std::fmt::Write as _;
use std::time::Duration;

use flow::{RunInfo, RunView, StepState};

use super::{elapsed, run_tone, tone, word};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table, Tone};

pub(super) fn list(runs: &[RunInfo], out: &mut Output<'_>) -> Result<(), Failure> {
    if out.json() {
        return Ok(out.value(&runs)?);
    }
    if runs.is_empty() {
        return Ok(out.line("No runs. `switchyard flow run FILE` starts one.")?);
    }
    let mut table = Table::new(["RUN", "STATE", "STEPS", "FLOW", "WAITS FOR YOU"]);
    for run in runs {
        table.row([
            Cell::new(run.id.as_str()),
            Cell::new(word(&run.state)).tone(run_tone(run.state)),
            Cell::new(format!("{}/{}", run.done, run.steps)).right(),
            Cell::new(run.flow.as_str()),
            Cell::new([run.asks.as_slice(), &run.needs_you].concat().join(", ")).tone(Tone::Urgent),
        ]);
    }
    Ok(out.table(&table)?)
}

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
            None => last
                .and_then(|attempt| attempt.message.clone())
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
        if step.attempts.len() > 1 {
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
