//! `flow logs`: what the steps of a run printed.

use std::collections::BTreeMap;

use app::App;
use clap::Args;
use flow::{AttemptView, StepView, plain_text};
use terminal::ask::Read;
use terminal::{LineId, PaneId, ReadLines};

use super::follow::Followed;
use crate::failure::Failure;
use crate::output::Output;

/// How many lines are read at once.
const LINES: u32 = 5_000;

#[derive(Debug, Args)]
pub(super) struct Logs {
    /// The run
    run: String,
    /// The step; none: all of them, each under its name
    step: Option<String>,
    /// Which attempt; none: the last one
    #[arg(long, value_name = "N", requires = "step")]
    attempt: Option<u32>,
    /// Go on with what is printed, until the run has ended
    #[arg(short, long)]
    follow: bool,
}

/// How far an attempt was printed.
#[derive(Debug, Clone, Copy)]
enum Printed {
    /// Up to this line of its pane.
    Lines(LineId),
    /// Up to this byte of its output.
    Bytes(u64),
}

impl Logs {
    pub(super) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let run = app.find_run(&self.run).await?;
        let mut followed = Followed::new(app).await?;
        let mut printed = BTreeMap::new();
        let mut named = None;
        loop {
            let view = app.run_outline(&run).await?;
            if let Some(step) = &self.step
                && !view.step_list.iter().any(|known| known.id == *step)
            {
                return Err(Failure::failed(format!("the flow has no step `{step}`")));
            }
            for (step, attempt) in self.wanted(&view.step_list)? {
                let at = printed.entry((step.id.clone(), attempt.attempt));
                let at = at.or_insert_with(|| begin(attempt));
                let key = (step.id.clone(), attempt.attempt);
                loop {
                    let lines = more(app, &run, &step.id, attempt, at).await?;
                    if lines.is_empty() {
                        break;
                    }
                    for line in lines {
                        self.print(&key, &mut named, &line, out)?;
                    }
                }
            }
            if !self.follow || view.info.ended_at.is_some() {
                return Ok(());
            }
            tokio::select! {
                changes = followed.next() => if changes.is_none() { return Ok(()) },
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// The attempts that are printed, in the order in which they began.
    fn wanted<'v>(
        &self,
        steps: &'v [StepView],
    ) -> Result<Vec<(&'v StepView, &'v AttemptView)>, Failure> {
        let mut wanted = Vec::new();
        for step in steps {
            if self.step.as_ref().is_some_and(|only| *only != step.id) {
                continue;
            }
            match self.attempt {
                // While it is followed, each attempt is.
                None if self.follow => wanted.extend(step.attempts.iter().map(|one| (step, one))),
                None => wanted.extend(step.attempts.last().map(|last| (step, last))),
                Some(number) => {
                    let mut attempts = step.attempts.iter();
                    let attempt = attempts.find(|one| one.attempt == number).ok_or_else(|| {
                        Failure::failed(format!("`{}` has no attempt {number}", step.id))
                    })?;
                    wanted.push((step, attempt));
                }
            }
        }
        wanted.sort_by_key(|(_, attempt)| attempt.started_at);
        Ok(wanted)
    }

    fn print(
        &self,
        key: &(String, u32),
        named: &mut Option<(String, u32)>,
        line: &str,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let (step, attempt) = key;
        if out.json() {
            let line = serde_json::json!({ "step": step, "attempt": attempt, "line": line });
            return Ok(out.json_line(&line)?);
        }
        if (self.step.is_none() || self.follow) && named.as_ref() != Some(key) {
            let again = if *attempt > 1 {
                format!(", attempt {attempt}")
            } else {
                String::new()
            };
            out.line(&format!("── {step}{again}"))?;
            *named = Some(key.clone());
        }
        Ok(out.line(line)?)
    }
}

/// How often a pane is looked at while it is followed.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(200);

/// A pane has all that a program printed, its standard error as well; where there is none, its output is printed.
fn begin(attempt: &AttemptView) -> Printed {
    match attempt.pane {
        Some(_) => Printed::Lines(LineId(0)),
        None => Printed::Bytes(0),
    }
}

/// The next lines of what an attempt printed, without what could drive a terminal.
async fn more(
    app: &App,
    run: &str,
    step: &str,
    attempt: &AttemptView,
    at: &mut Printed,
) -> Result<Vec<String>, Failure> {
    let ended = attempt.ended_at.is_some();
    if let (Printed::Lines(next), Some(pane)) = (&mut *at, attempt.pane) {
        let lines = app
            .ask(Read {
                pane: PaneId(pane),
                lines: ReadLines::After {
                    line: *next,
                    count: LINES,
                },
            })
            .await;
        match lines {
            Ok(mut lines) if *next != LineId(0) || !lines.is_empty() => {
                // What the last line says is not known before another one follows.
                if !ended {
                    lines.pop();
                }
                while lines.last().is_some_and(|line| line.text.trim().is_empty()) {
                    lines.pop();
                }
                if let Some(last) = lines.last() {
                    *next = LineId(last.id.0 + 1);
                }
                return Ok(lines
                    .into_iter()
                    .map(|line| plain_text(line.text.as_bytes()))
                    .collect());
            }
            Ok(_) if !ended => return Ok(Vec::new()),
            // The pane and its history are gone, or it never printed: what was recorded is left.
            Ok(_) | Err(_) => *at = Printed::Bytes(0),
        }
    }
    let Printed::Bytes(from) = at else {
        return Ok(Vec::new());
    };
    let piece = app.step_output(run, step, attempt.attempt, *from).await?;
    *from = piece.next;
    Ok(plain_text(piece.text.as_bytes())
        .lines()
        .map(str::to_owned)
        .collect())
}

/// The last `count` lines of what an attempt printed.
pub(super) async fn tail(
    app: &App,
    run: &str,
    step: &str,
    attempt: u32,
    count: u32,
) -> Vec<String> {
    let Ok(view) = app.run_outline(run).await else {
        return Vec::new();
    };
    let mut steps = view.step_list.into_iter();
    let Some(attempt) = steps.find(|known| known.id == step).and_then(|step| {
        step.attempts
            .into_iter()
            .find(|known| known.attempt == attempt)
    }) else {
        return Vec::new();
    };
    let mut at = begin(&attempt);
    let mut lines = Vec::new();
    while let Ok(more) = more(app, run, step, &attempt, &mut at).await {
        if more.is_empty() {
            break;
        }
        lines.extend(more);
        let surplus = lines.len().saturating_sub(count as usize);
        lines.drain(..surplus);
    }
    lines
}
