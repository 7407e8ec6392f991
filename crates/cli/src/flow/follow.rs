//! How a run goes, line by line, while it goes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use app::{App, CancelWhat};
use flow::{FlowEvent, Happened, Outcome, RunState, StepState};
use tokio::sync::broadcast::error::RecvError;

use super::{elapsed, tone, word};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Tone, paint};

/// How often the line that tells what runs is drawn anew.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// What runs now, for the line at the bottom of a terminal.
struct Watched {
    running: BTreeMap<String, (u32, Instant)>,
    drawn: bool,
    frame: usize,
}

/// Shows how a run goes, from the event after `seen` on, until it has ended, or waits with nobody at the terminal. Control-C cancels it.
pub(super) async fn follow(
    app: &App,
    run: &str,
    mut seen: u64,
    events: &mut tokio::sync::broadcast::Receiver<FlowEvent>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    if !out.json() {
        out.line(&format!("run {run}"))?;
    }
    let mut watched = Watched {
        running: BTreeMap::new(),
        drawn: false,
        frame: 0,
    };
    let mut draw = tokio::time::interval(DRAW_EVERY);
    let settled = app.run_settled(run);
    tokio::pin!(settled);
    let mut over = false;
    loop {
        if !over {
            // What the channel brings is only a hint: the journal has it all, in order.
            tokio::select! {
                event = events.recv() => match event {
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => over = true,
                },
                _ = draw.tick(), if out.colour() && !out.json() => {
                    watched.draw(out)?;
                    continue;
                }
                signal = tokio::signal::ctrl_c() => {
                    signal?;
                    watched.clear(out)?;
                    out.error("cancelling the run; its programs are being ended");
                    if let Err(error) = app.cancel_run(run, CancelWhat::Run).await {
                        out.error(&error.message);
                    }
                }
                () = &mut settled => over = true,
            }
        }
        let news = app.run_events(run, seen).await?;
        for event in &news {
            seen = event.seq;
            if out.json() {
                let line = serde_json::to_string(event)
                    .map_err(|error| Failure::failed(error.to_string()))?;
                out.line(&line)?;
            } else {
                watched.tell(run, event, out)?;
            }
        }
        if over && news.is_empty() {
            break;
        }
    }
    watched.clear(out)?;
    let view = app.show_run(run).await?;
    match view.info.state {
        RunState::Succeeded => Ok(()),
        RunState::Cancelled => Err(Failure::status(130)),
        RunState::Failed => Err(Failure::status(1)),
        RunState::Running | RunState::Waiting | RunState::Interrupted => Err(Failure::failed(
            format!("the run stands; `switchyard flow resume {run}` goes on with it"),
        )),
    }
}

impl Watched {
    fn clear(&mut self, out: &mut Output<'_>) -> Result<(), Failure> {
        if std::mem::take(&mut self.drawn) {
            out.text("\r\u{1b}[K")?;
        }
        Ok(())
    }

    fn draw(&mut self, out: &mut Output<'_>) -> Result<(), Failure> {
        self.clear(out)?;
        if self.running.is_empty() {
            return Ok(());
        }
        const FRAMES: [&str; 8] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇", "⠏", "⠛"];
        self.frame = (self.frame + 1) % FRAMES.len();
        let mut line = FRAMES[self.frame].to_owned();
        for (step, (attempt, since)) in self.running.iter().take(4) {
            let again = if *attempt > 1 {
                format!(" #{attempt}")
            } else {
                String::new()
            };
            let _ = write!(line, " {step}{again} {}", elapsed(since.elapsed()));
        }
        if self.running.len() > 4 {
            let _ = write!(line, " and {} more", self.running.len() - 4);
        }
        self.drawn = true;
        Ok(out.text(&paint(&line, Tone::Active))?)
    }

    /// A line for what a person wants to know of.
    fn tell(&mut self, run: &str, event: &FlowEvent, out: &mut Output<'_>) -> Result<(), Failure> {
        let mut took = String::new();
        if let Happened::StepEnded { step, .. } | Happened::StepRetries { step, .. } = &event.what
            && let Some((_, since)) = self.running.remove(step)
        {
            took = format!("  {}", elapsed(since.elapsed()));
        }
        let why = |message: &Option<String>| {
            message
                .as_ref()
                .map(|text| format!("  {text}"))
                .unwrap_or_default()
        };
        let (mark, tone, text) = match &event.what {
            Happened::StepStarted { step, attempt, .. } => {
                self.running
                    .insert(step.clone(), (*attempt, Instant::now()));
                if out.colour() {
                    return Ok(());
                }
                let again = if *attempt > 1 {
                    format!(", attempt {attempt}")
                } else {
                    String::new()
                };
                ("·", Tone::Faint, format!("{step} started{again}"))
            }
            Happened::StepEnded { step, ended, .. } => {
                let branch = ended
                    .branch
                    .as_ref()
                    .map(|branch| format!(" → {branch}"))
                    .unwrap_or_default();
                let mark = if ended.state == StepState::Succeeded {
                    "✓"
                } else {
                    "✗"
                };
                let state = match ended.state {
                    StepState::Succeeded => String::new(),
                    state => format!(" {}", word(&state)),
                };
                (
                    mark,
                    tone(ended.state),
                    format!("{step}{state}{branch}{took}{}", why(&ended.message)),
                )
            }
            Happened::StepRetries {
                step,
                attempt,
                ended,
                due,
            } => {
                let wait = elapsed(Duration::from_millis(due.saturating_sub(event.at)));
                let text = format!(
                    "{step} {} (attempt {attempt}){took}{}; again in {wait}",
                    word(&ended.state),
                    why(&ended.message)
                );
                ("↻", Tone::Urgent, text)
            }
            Happened::StepSkipped { step, skip } => (
                "-",
                Tone::Faint,
                format!(
                    "{step} skipped: {}, from {}",
                    word(&skip.cause),
                    skip.origin
                ),
            ),
            Happened::StepAsked { step, question, .. } => {
                self.running.remove(step);
                let text = format!(
                    "{step} asks: {}\n  switchyard flow approve {run} {step}   or   reject",
                    question.message
                );
                ("?", Tone::Urgent, text)
            }
            Happened::StepNeedsYou {
                step,
                message: Some(asks),
                ..
            } => {
                let text = format!(
                    "{step} needs you, its agent asks: {asks}\n  switchyard agents ls   shows who asks, `answer` answers"
                );
                ("?", Tone::Urgent, text)
            }
            Happened::RunEnded {
                state,
                message,
                output,
                ..
            } => {
                let (mark, tone) = match state {
                    Outcome::Succeeded => ("✓", Tone::Good),
                    Outcome::Failed => ("✗", Tone::Bad),
                    Outcome::Cancelled => ("-", Tone::Faint),
                };
                let output = output
                    .as_ref()
                    .map(|output| format!("\n\n{}", output.trim_end()))
                    .unwrap_or_default();
                (
                    mark,
                    tone,
                    format!("{}{}{output}", word(state), why(message)),
                )
            }
            Happened::StepsReset { steps } => (
                "↻",
                Tone::Faint,
                format!("begun anew: {}", steps.join(", ")),
            ),
            _ => return Ok(()),
        };
        self.clear(out)?;
        let mark = if out.colour() {
            paint(mark, tone)
        } else {
            mark.to_owned()
        };
        // What programs and agents say must not drive the terminal.
        let text: String = text
            .chars()
            .filter(|c| *c == '\n' || !c.is_control())
            .collect();
        Ok(out.line(&format!("{mark} {text}"))?)
    }
}
