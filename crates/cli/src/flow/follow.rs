//! How a run goes, line by line, while it goes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use app::{App, CancelWhat};
use flow::{AttemptEnd, FlowEvent, Happened, Outcome, RunState, StepState};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use unicode_width::UnicodeWidthChar as _;

use super::ask::{self, Asking};
use super::followed::{Followed, LOOK_WHO_DRIVES, nobody_drives, until_gone};
use super::{elapsed, logs, tone, word};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Tone, paint};

/// How often the line that tells what runs is drawn anew.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// How often it is looked whether a run stands still, and why.
const LOOK_FOR_TROUBLE: Duration = Duration::from_secs(1);
/// How many lines of what a failed step printed are shown.
const TAIL: u32 = 10;

/// What runs now, for the line at the bottom of a terminal.
struct Watched {
    running: BTreeMap<String, (u32, Instant)>,
    drawn: bool,
    frame: usize,
}

/// Shows how a run goes that this process drives, from the event after `seen` on, until it has ended. Control-C cancels
/// it; when the terminal goes away, the run goes on without one.
pub(super) async fn follow(
    app: &App,
    run: &str,
    seen: u64,
    followed: Followed,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let over = async {
        tokio::select! {
            () = app.run_settled(run) => {}
            () = until_gone(app) => {}
        }
    };
    let mut shown = Shown::new(run, seen);
    shown
        .follow(app, followed, over, Leave::Cancelling, out)
        .await?;
    match app.awaited_outline(run).await?.info.state {
        RunState::Succeeded => Ok(()),
        RunState::Cancelled => Err(Failure::status(130)),
        RunState::Failed => Err(Failure::status(1)),
        RunState::Running | RunState::Waiting | RunState::Interrupted => Err(Failure::failed(
            format!("the run stands; `switchyard flow resume {run}` goes on with it"),
        )),
    }
}

/// Shows how a run goes, whichever process drives it, until it has ended or nobody drives it. Control-C leaves it alone.
pub(super) async fn watch(app: &App, run: &str, out: &mut Output<'_>) -> Result<(), Failure> {
    let followed = Followed::new(app).await?;
    let over = async {
        loop {
            match app.awaited_outline(run).await.map(|view| view.info.state) {
                Ok(RunState::Running | RunState::Waiting) => {}
                _ => return,
            }
            tokio::time::sleep(LOOK_WHO_DRIVES).await;
        }
    };
    let mut shown = Shown::new(run, 0);
    shown.follow(app, followed, over, Leave::Alone, out).await?;
    match app.awaited_outline(run).await?.info.state {
        RunState::Succeeded | RunState::Running | RunState::Waiting => Ok(()),
        RunState::Cancelled => Err(Failure::status(130)),
        RunState::Failed => Err(Failure::status(1)),
        RunState::Interrupted => Err(nobody_drives(run)),
    }
}

/// What Control-C means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leave {
    Cancelling,
    Alone,
}

/// A run as far as it was shown.
struct Shown<'r> {
    run: &'r str,
    seen: u64,
    watched: Watched,
    asking: Asking,
    /// Why the run stands still, as it was told.
    trouble: Option<String>,
}

/// The next line that is typed, where somebody can type; none: nobody types any more.
async fn next_line(typed: &mut Option<mpsc::UnboundedReceiver<String>>) -> Option<String> {
    match typed {
        Some(typed) => typed.recv().await,
        None => std::future::pending().await,
    }
}

impl<'r> Shown<'r> {
    fn new(run: &'r str, seen: u64) -> Self {
        Self {
            run,
            seen,
            watched: Watched {
                running: BTreeMap::new(),
                drawn: false,
                frame: 0,
            },
            asking: Asking::default(),
            trouble: None,
        }
    }

    /// Shows what happens until `over`.
    async fn follow(
        &mut self,
        app: &App,
        mut followed: Followed,
        over: impl Future<Output = ()>,
        leave: Leave,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        if !out.json() {
            out.line(&format!("run {}", self.run))?;
        }
        let mut draw = tokio::time::interval(DRAW_EVERY);
        let mut look = tokio::time::interval(LOOK_FOR_TROUBLE);
        let mut typed = out.has_person().then(ask::lines);
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::pin!(over);
        let (mut is_over, mut is_first) = (false, true);
        loop {
            // What happened before is shown at once: a run that is watched may do nothing for hours.
            if !is_over && !std::mem::take(&mut is_first) {
                // What comes there is only a hint: the journal has it all, in order.
                tokio::select! {
                    changes = followed.next() => is_over = changes.is_none(),
                    _ = draw.tick(), if out.colour() && !out.json() && self.asking.prompt().is_none() => {
                        self.watched.draw(out)?;
                        continue;
                    }
                    _ = look.tick() => {
                        self.tell_trouble(app, out).await?;
                        continue;
                    }
                    line = next_line(&mut typed) => {
                        match line {
                            Some(line) => self.answer(app, &line, out).await?,
                            None => typed = None,
                        }
                        continue;
                    }
                    signal = tokio::signal::ctrl_c() => {
                        signal?;
                        self.watched.clear(out)?;
                        if leave == Leave::Alone {
                            return Ok(());
                        }
                        out.error("cancelling the run; its programs are being ended, then steps with `all_settled` tidy up (Control-C again ends these too)");
                        if let Err(error) = app.cancel_run(self.run, CancelWhat::Run).await {
                            out.error(&error.message);
                        }
                    }
                    _ = hangup.recv() => {
                        if leave == Leave::Alone {
                            return Ok(());
                        }
                        // Nobody reads it any more; the run is not to end for that.
                        out.nowhere();
                    }
                    () = &mut over => is_over = true,
                }
            }
            let news = app.run_events(self.run, self.seen).await?;
            for event in &news {
                self.seen = event.seq;
                if out.json() {
                    out.json_line(event)?;
                    continue;
                }
                let asks = typed.is_some() && self.asking.note(&event.what);
                self.watched.tell(self.run, event, out)?;
                if asks {
                    self.ask(out)?;
                }
                if let Happened::StepEnded {
                    step,
                    attempt,
                    ended,
                } = &event.what
                    && matches!(ended.state, StepState::Failed | StepState::TimedOut)
                {
                    self.tell_tail(app, step, *attempt, out).await?;
                }
            }
            if is_over && news.is_empty() {
                return self.watched.clear(out);
            }
        }
    }

    fn ask(&mut self, out: &mut Output<'_>) -> Result<(), Failure> {
        match self.asking.prompt() {
            Some(prompt) => Ok(out.text(&prompt)?),
            None => Ok(()),
        }
    }

    /// Takes what a person typed at the terminal.
    async fn answer(&mut self, app: &App, line: &str, out: &mut Output<'_>) -> Result<(), Failure> {
        let question = self.asking.question();
        if let Some((step, given)) = self.asking.said(line)
            && let Err(error) = app.answer_approval(self.run, &step, given).await
        {
            out.error(&error.message);
            if let (app::Code::BadParams, Some(question)) = (error.code, question) {
                self.asking.again(step, question);
            }
        }
        self.ask(out)
    }

    /// Says why the run stands still, when it does.
    async fn tell_trouble(&mut self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let info = app.run_outline(self.run).await?.info;
        let trouble = info.message.filter(|_| info.ended_at.is_none());
        if let Some(trouble) = trouble
            .as_ref()
            .filter(|now| Some(*now) != self.trouble.as_ref())
        {
            self.watched.clear(out)?;
            out.error(trouble);
        }
        self.trouble = trouble;
        Ok(())
    }

    /// The last that a failed step printed, and how to read the rest.
    async fn tell_tail(
        &mut self,
        app: &App,
        step: &str,
        attempt: u32,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let tail = logs::tail(app, self.run, step, attempt, TAIL).await;
        if tail.is_empty() {
            return Ok(());
        }
        for line in tail {
            let line = format!("    {line}");
            out.line(&if out.colour() {
                paint(&line, Tone::Faint)
            } else {
                line
            })?;
        }
        Ok(out.line(&format!(
            "  switchyard flow logs {} {step}   has all that it printed",
            self.run
        ))?)
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
        let line = fitting(&line, out.columns().unwrap_or(80));
        Ok(out.text(&paint(&line, Tone::Active))?)
    }

    /// Prints a line for what a person wants to know of.
    fn tell(&mut self, run: &str, event: &FlowEvent, out: &mut Output<'_>) -> Result<(), Failure> {
        let Some(Told { mark, tone, text }) = self.told(run, event, out.colour()) else {
            return Ok(());
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

    /// What a person wants to know of; `drawn`: what runs is drawn at the bottom.
    fn told(&mut self, run: &str, event: &FlowEvent, drawn: bool) -> Option<Told> {
        let told = |mark, tone, text| Some(Told { mark, tone, text });
        match &event.what {
            Happened::StepStarted { step, attempt, .. } => {
                self.running
                    .insert(step.clone(), (*attempt, Instant::now()));
                let again = if *attempt > 1 {
                    format!(", attempt {attempt}")
                } else {
                    String::new()
                };
                told("·", Tone::Faint, format!("{step} started{again}")).filter(|_| !drawn)
            }
            Happened::StepEnded { step, ended, .. } => {
                Some(step_ended(step, ended, &self.took(step)))
            }
            Happened::StepRetries {
                step,
                attempt,
                ended,
                due,
            } => {
                let took = self.took(step);
                let wait = elapsed(Duration::from_millis(due.saturating_sub(event.at)));
                let text = format!(
                    "{step} {} (attempt {attempt}){took}{}; again in {wait}",
                    word(&ended.state),
                    because(ended.message.as_deref())
                );
                told("↻", Tone::Urgent, text)
            }
            Happened::StepSkipped { step, skip } => {
                let cause = word(&skip.cause);
                let text = format!("{step} skipped: {cause}, from {}", skip.origin);
                told("-", Tone::Faint, text)
            }
            Happened::StepAsked { step, question, .. } => {
                self.running.remove(step);
                let text = format!(
                    "{step} asks: {}\n  switchyard flow approve {run} {step}   or   reject",
                    question.message
                );
                told("?", Tone::Urgent, text)
            }
            Happened::StepNeedsYou {
                step,
                message: Some(asks),
                ..
            } => {
                let text = format!(
                    "{step} needs you, its agent asks: {asks}\n  switchyard agents ls   shows who asks, `answer` answers"
                );
                told("?", Tone::Urgent, text)
            }
            Happened::StepHeld { step, message, .. } => {
                told("!", Tone::Urgent, format!("{step} goes on: {message}"))
            }
            Happened::StepAskedAgain { step, message, .. } => {
                let text = format!("{step} is asked once more: {message}");
                told("↻", Tone::Urgent, text)
            }
            Happened::RunEnded {
                state,
                message,
                output,
                ..
            } => Some(run_ended(*state, message.as_deref(), output.as_deref())),
            Happened::RunRedefined { .. } => {
                told("↻", Tone::Faint, "it goes on as its file is now".to_owned())
            }
            Happened::StepRepeats { step, ended, .. } => {
                let said = ended.message.as_deref().unwrap_or_default();
                told(
                    "↻",
                    Tone::Urgent,
                    format!("{step}, {said}: another one begins"),
                )
            }
            Happened::StepsReset { steps } => told(
                "↻",
                Tone::Faint,
                format!("begun anew: {}", steps.join(", ")),
            ),
            _ => None,
        }
    }

    /// A step runs no more; how long it did, to be put behind what is said of it.
    fn took(&mut self, step: &str) -> String {
        self.running
            .remove(step)
            .map(|(_, since)| format!("  {}", elapsed(since.elapsed())))
            .unwrap_or_default()
    }
}

/// A line that tells what happened.
struct Told {
    mark: &'static str,
    tone: Tone,
    text: String,
}

fn because(message: Option<&str>) -> String {
    message.map(|text| format!("  {text}")).unwrap_or_default()
}

fn step_ended(step: &str, ended: &AttemptEnd, took: &str) -> Told {
    let branch = ended.branch.as_ref();
    let branch = branch
        .map(|branch| format!(" → {branch}"))
        .unwrap_or_default();
    let (mark, state) = match ended.state {
        StepState::Succeeded => ("✓", String::new()),
        state => ("✗", format!(" {}", word(&state))),
    };
    let why = because(ended.message.as_deref());
    Told {
        mark,
        tone: tone(ended.state),
        text: format!("{step}{state}{branch}{took}{why}"),
    }
}

fn run_ended(state: Outcome, message: Option<&str>, output: Option<&str>) -> Told {
    let (mark, tone) = match state {
        Outcome::Succeeded => ("✓", Tone::Good),
        Outcome::Failed => ("✗", Tone::Bad),
        Outcome::Cancelled => ("-", Tone::Faint),
    };
    let output = output
        .map(|output| format!("\n\n{}", output.trim_end()))
        .unwrap_or_default();
    Told {
        mark,
        tone,
        text: format!("{}{}{output}", word(&state), because(message)),
    }
}

/// As much of a line as fits beside each other, so that it is cleared as one.
fn fitting(line: &str, columns: usize) -> String {
    let width = |c: char| c.width().unwrap_or(0);
    if line.chars().map(width).sum::<usize>() < columns {
        return line.to_owned();
    }
    let mut left = columns.saturating_sub(2);
    let fits = line.chars().take_while(|c| {
        let fits = width(*c) <= left;
        left = left.saturating_sub(width(*c));
        fits
    });
    fits.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_what_runs_never_reaches_the_end_of_the_row() {
        let line = "⠋ correctness 1.2s security 1.2s 漢字 1.2s and 10 more";
        for columns in 1..80 {
            let shown = fitting(line, columns);
            let width: usize = shown.chars().map(|c| c.width().unwrap_or(0)).sum();
            assert!(width < columns.max(2), "{columns}: {shown}");
        }
        assert_eq!(fitting("short", 80), "short");
        assert_eq!(fitting("somewhat longer", 9), "somewha…");
    }
}
