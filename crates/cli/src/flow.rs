//! `flow`: check, run, simulate, watch and answer flows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use app::{App, CancelWhat, ExportTo, Mark};
use clap::{Args, Subcommand, ValueEnum};
use flow::{FlowEvent, Given, Happened, Outcome, RunInfo, RunState, RunView, StepState, Stubs};
use tokio::sync::broadcast::error::RecvError;

use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table, Tone, paint};

/// How often the line that tells what runs is drawn anew.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// Check, run, watch and answer flows of agents, scripts, approvals and switches
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard flow check release.flow.yaml
  switchyard flow run release.flow.yaml --input version=1.2
  switchyard flow why k3v9x2mp deploy          Why did this step not run?
  switchyard flow approve k3v9x2mp ship --set notes=yes")]
pub(crate) struct Flow {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what is wrong with a flow, with line, column and what would be right
    Check {
        /// The flow's file
        file: PathBuf,
    },
    /// Run a flow, and show how it goes. Exit status: 0 succeeded, 1 failed, 2 refused, 130 cancelled
    Run {
        /// The flow's file
        file: PathBuf,
        /// An input of the flow
        #[arg(long = "input", value_name = "NAME=VALUE", value_parser = pair)]
        inputs: Vec<(String, String)>,
        /// Work in this directory instead of the present one
        #[arg(long, value_name = "DIR")]
        cwd: Option<PathBuf>,
    },
    /// Decide a flow with nothing of the outside world: what its steps come to is given beforehand
    Simulate {
        /// The flow's file
        file: PathBuf,
        /// What steps come to: `{"inputs": {…}, "steps": {…}, "switches": {…}, "guards": {…}}`
        #[arg(long, value_name = "FILE")]
        stubs: Option<PathBuf>,
    },
    /// List runs, newest first
    List,
    /// Show a run with its steps
    Show {
        /// The run
        run: String,
    },
    /// Say why a step is as it is
    Why {
        /// The run
        run: String,
        /// The step
        step: String,
    },
    /// Go on with a run that was cut off or cancelled, or do parts of it again
    Resume {
        /// The run
        run: String,
        /// Begin what failed anew
        #[arg(long, conflicts_with_all = ["from", "only"])]
        failed: bool,
        /// Begin this step and all that follows it anew
        #[arg(long, value_name = "STEP", conflicts_with = "only")]
        from: Option<String>,
        /// Begin this step anew, and nothing that follows it
        #[arg(long, value_name = "STEP")]
        only: Option<String>,
    },
    /// End a run, a step or a batch: programs, and all that they started
    Cancel {
        /// The run
        run: String,
        /// Only this step
        #[arg(long, conflicts_with = "batch")]
        step: Option<String>,
        /// Only the steps of this batch
        #[arg(long)]
        batch: Option<String>,
    },
    /// Say yes to a step that asks
    Approve(Answer),
    /// Say no to a step that asks
    Reject(Answer),
    /// Say that a step succeeded or is skipped, whatever came of it
    Mark {
        /// The run
        run: String,
        /// The step
        step: String,
        /// What it is
        #[arg(value_enum)]
        mark: MarkAs,
        /// For `succeeded`: its output
        #[arg(long, default_value = "")]
        output: String,
    },
    /// Remove runs that have ended: their journal, their outputs, what their steps left
    Forget {
        /// The runs
        #[arg(required_unless_present = "older_than")]
        runs: Vec<String>,
        /// All that ended so long ago: `30d`, `12h`
        #[arg(long, value_name = "AGE", value_parser = age, conflicts_with = "runs")]
        older_than: Option<Duration>,
    },
    /// Print the flow as a picture in Mermaid or DOT
    Export {
        /// The flow's file
        file: PathBuf,
        /// Which language
        #[arg(long, value_enum)]
        to: To,
    },
    /// Print the JSON Schema of a flow's file, for editors
    Schema,
}

#[derive(Debug, Args)]
struct Answer {
    /// The run
    run: String,
    /// The step
    step: String,
    /// A field of its form
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = pair)]
    fields: Vec<(String, String)>,
    /// Why
    #[arg(long)]
    comment: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MarkAs {
    Succeeded,
    Skipped,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum To {
    Mermaid,
    Dot,
}

fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "write NAME=VALUE".to_owned())
}

fn age(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number of days or hours: `30d`, `12h`".to_owned();
    let (number, seconds) = match text.split_at_checked(text.len().saturating_sub(1)) {
        Some((number, "d")) => (number, 24 * 60 * 60),
        Some((number, "h")) => (number, 60 * 60),
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

fn read(file: &PathBuf) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("could not read `{}`: {error}", file.display())))
}

impl Flow {
    /// Whether it needs no panes and no journal, so that none must be found or started.
    pub(crate) fn is_pure(&self) -> bool {
        matches!(
            self.command,
            Command::Check { .. }
                | Command::Simulate { .. }
                | Command::Export { .. }
                | Command::Schema
        )
    }

    /// Does what can be done with the file alone.
    pub(crate) fn run_pure(self, out: &mut Output<'_>) -> Result<(), Failure> {
        match self.command {
            Command::Check { file } => check(&file, out),
            Command::Simulate { file, stubs } => simulate(&file, stubs.as_ref(), out),
            Command::Export { file, to } => {
                let to = match to {
                    To::Mermaid => ExportTo::Mermaid,
                    To::Dot => ExportTo::Dot,
                };
                Ok(out.text(&app::export_flow_text(&read(&file)?, to).map_err(refused)?)?)
            }
            Command::Schema => Ok(out.value(&app::flow_schema())?),
            _ => Ok(()),
        }
    }

    pub(crate) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        match self.command {
            Command::Run { file, inputs, cwd } => {
                let here = std::env::current_dir()?;
                let cwd = cwd
                    .map_or_else(|| here.clone(), |cwd| here.join(cwd))
                    .display()
                    .to_string();
                let checked = app::check_flow_text(&read(&file)?);
                if !checked.good {
                    tell_findings(&file, &checked, out)?;
                    return Err(Failure::status(2));
                }
                let inputs = inputs
                    .into_iter()
                    .map(|(name, value)| (name, value.into()))
                    .collect();
                let mut events = app.flow_events();
                let run = app
                    .start_flow(&file.display().to_string(), inputs, cwd)
                    .await
                    .map_err(refused)?;
                follow(app, &run, 0, &mut events, out).await
            }
            Command::List => list(&app.list_runs().await?, out),
            Command::Show { run } => show(&app.show_run(&run).await?, out),
            Command::Why { run, step } => {
                let why = app.why(&run, &step).await?;
                if out.json() {
                    return Ok(
                        out.value(&serde_json::json!({ "run": run, "step": step, "why": why }))?
                    );
                }
                Ok(out.line(&why)?)
            }
            Command::Resume {
                run,
                failed,
                from,
                only,
            } => {
                let mut events = app.flow_events();
                let seen = app.show_run(&run).await?.seq;
                if failed {
                    app.retry_failed(&run).await?;
                } else if let Some(step) = from {
                    app.rerun_from(&run, &step, true).await?;
                } else if let Some(step) = only {
                    app.rerun_from(&run, &step, false).await?;
                } else {
                    app.resume_run(&run).await?;
                }
                follow(app, &run, seen, &mut events, out).await
            }
            Command::Cancel { run, step, batch } => {
                let what = match (step, batch) {
                    (Some(step), _) => CancelWhat::Step { step },
                    (None, Some(batch)) => CancelWhat::Batch { batch },
                    (None, None) => CancelWhat::Run,
                };
                app.cancel_run(&run, what).await?;
                app.run_settled(&run).await;
                Ok(())
            }
            Command::Forget { runs, older_than } => {
                let forgotten = match older_than {
                    Some(age) => app.forget_runs_older_than(age).await?,
                    None => {
                        for run in &runs {
                            app.forget_run(run).await?;
                        }
                        u32::try_from(runs.len()).unwrap_or(u32::MAX)
                    }
                };
                if out.json() {
                    return Ok(out.value(&serde_json::json!({ "forgotten": forgotten }))?);
                }
                Ok(out.line(&format!("forgotten: {forgotten}"))?)
            }
            Command::Approve(answer) => answer.give(true, app, out).await,
            Command::Reject(answer) => answer.give(false, app, out).await,
            Command::Mark {
                run,
                step,
                mark,
                output,
            } => {
                let mut events = app.flow_events();
                let seen = app.show_run(&run).await?.seq;
                let mark = match mark {
                    MarkAs::Succeeded => Mark::Succeeded { output },
                    MarkAs::Skipped => Mark::Skipped,
                };
                app.mark_step(&run, &step, mark).await?;
                follow(app, &run, seen, &mut events, out).await
            }
            Command::Check { .. }
            | Command::Simulate { .. }
            | Command::Export { .. }
            | Command::Schema => self.run_pure(out),
        }
    }
}

/// A flow or an input that is refused: exit status 2.
fn refused(error: app::Error) -> Failure {
    match error.code {
        app::Code::BadFile => Failure::usage(error.message),
        _ => error.into(),
    }
}

impl Answer {
    async fn give(self, approved: bool, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let mut events = app.flow_events();
        let seen = app.show_run(&self.run).await?.seq;
        let form = self
            .fields
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        let given = Given {
            approved,
            form,
            comment: self.comment,
            by_timeout: false,
        };
        app.answer_approval(&self.run, &self.step, given).await?;
        // When no other process drives the run, this one does now, to its end.
        if app.drives_run(&self.run) {
            return follow(app, &self.run, seen, &mut events, out).await;
        }
        Ok(())
    }
}

fn check(file: &PathBuf, out: &mut Output<'_>) -> Result<(), Failure> {
    let checked = app::check_flow_text(&read(file)?);
    if out.json() {
        out.value(&checked)?;
    } else {
        tell_findings(file, &checked, out)?;
        if let (true, Some(flow)) = (checked.good, &checked.flow) {
            out.line(&format!(
                "{}: {} steps, good",
                flow.name,
                flow.graph.nodes.len()
            ))?;
        }
    }
    if checked.good {
        Ok(())
    } else {
        Err(Failure::status(1))
    }
}

fn tell_findings(
    file: &std::path::Path,
    checked: &app::FlowCheck,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    for finding in &checked.findings {
        out.line(&format!("{}:{finding}", file.display()))?;
    }
    Ok(())
}

fn simulate(file: &PathBuf, stubs: Option<&PathBuf>, out: &mut Output<'_>) -> Result<(), Failure> {
    let text = read(file)?;
    let stubs: Stubs = match stubs {
        Some(path) => serde_json::from_str(&read(path)?)
            .map_err(|error| Failure::usage(format!("`{}`: {error}", path.display())))?,
        None => Stubs::default(),
    };
    let simulation = app::simulate_flow_text(&text, &stubs).map_err(refused)?;
    if out.json() {
        return Ok(out.value(&simulation)?);
    }
    let mut table = Table::new(["STEP", "STATE", "WHY"]);
    for (id, step) in &simulation.steps {
        let why = match (step.cause, &step.origin) {
            (Some(cause), Some(origin)) => format!("{}, from {origin}", word(&cause)),
            _ => step.error.clone().unwrap_or_default(),
        };
        table.row([
            Cell::new(id.as_str()),
            Cell::new(word(&step.state)).tone(tone(step.state)),
            Cell::new(why),
        ]);
    }
    out.table(&table)?;
    let ran = if simulation.nothing_ran {
        "nothing ran".to_owned()
    } else {
        simulation.order.join(" → ")
    };
    Ok(out.line(&format!("{}: {ran}", word(&simulation.state)))?)
}

/// The word that stands for a value in JSON, for people.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(|word| word.replace('_', " ")))
        .unwrap_or_default()
}

fn tone(state: StepState) -> Tone {
    match state {
        StepState::Succeeded => Tone::Good,
        StepState::Failed | StepState::TimedOut | StepState::Rejected => Tone::Bad,
        StepState::AwaitingApproval => Tone::Urgent,
        StepState::Running | StepState::Queued | StepState::RetryWait => Tone::Active,
        StepState::Pending | StepState::Cancelled | StepState::Skipped => Tone::Faint,
    }
}

fn run_tone(state: RunState) -> Tone {
    match state {
        RunState::Running => Tone::Active,
        RunState::Waiting | RunState::Interrupted => Tone::Urgent,
        RunState::Succeeded => Tone::Good,
        RunState::Failed => Tone::Bad,
        RunState::Cancelled => Tone::Faint,
    }
}

fn list(runs: &[RunInfo], out: &mut Output<'_>) -> Result<(), Failure> {
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

fn show(run: &RunView, out: &mut Output<'_>) -> Result<(), Failure> {
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

fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1}s", time.as_secs_f64()),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// What runs now, for the line at the bottom of a terminal.
struct Watched {
    running: BTreeMap<String, (u32, Instant)>,
    drawn: bool,
    frame: usize,
}

/// Shows how a run goes, from the event after `seen` on, until it has ended, or waits with nobody at the terminal. Control-C cancels it.
async fn follow(
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
