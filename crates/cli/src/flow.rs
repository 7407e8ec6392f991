//! `flow`: check, run, simulate, watch and answer flows.

mod answer;
mod ask;
mod check;
mod follow;
mod followed;
mod logs;
mod show;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use app::{App, CancelWhat, ExportTo, Mark, Paths};
use clap::{Args, Subcommand, ValueEnum};
use flow::{Again, RunState, RunView, StepState};

use self::answer::Answer;
use self::check::{check, simulate, tell_findings};
use self::follow::{follow, watch};
use self::followed::Followed;
use self::logs::Logs;
use self::show::{List, show, worktrees};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Tone;

/// How long a process in the background may take to have the run that is left to it.
const HANDED_OVER: Duration = Duration::from_secs(20);
/// How often it is looked whether it has.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Check, run, watch and answer flows of agents, scripts, approvals and switches
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard flow check release.flow.yaml
  switchyard flow run release.flow.yaml --input version=1.2
  switchyard flow logs latest build            What did this step print?
  switchyard flow why k3v9 deploy              Why did it not run?
  switchyard flow approve latest ship --set notes=yes

A run is named by its id, the beginning of it, or `latest`.")]
pub(crate) struct Flow {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what is wrong with a flow, with line, column and what would be right
    Check {
        /// The flow's file; `-`: what comes on standard input
        file: PathBuf,
    },
    /// Run a flow, and show how it goes. Exit status: 0 succeeded, 1 failed, 2 refused, 130 cancelled
    Run {
        /// The flow's file
        file: PathBuf,
        /// An input of the flow; `NAME=@FILE`: what is in the file
        #[arg(long = "input", value_name = "NAME=VALUE", value_parser = pair)]
        inputs: Vec<(String, String)>,
        /// Work in this directory instead of the present one
        #[arg(long, value_name = "DIR")]
        cwd: Option<PathBuf>,
        /// Leave it to a process in the background, and say which run it is
        #[arg(long)]
        detach: bool,
    },
    /// Show how a run goes, from here on, until it has ended; Control-C leaves it as it is
    Watch {
        /// The run
        run: String,
    },
    /// Print what steps of a run printed
    Logs(Logs),
    /// Decide a flow with nothing of the outside world: what its steps come to is given beforehand
    Simulate {
        /// The flow's file
        file: PathBuf,
        /// What steps come to: `{"inputs": {…}, "steps": {…}, "switches": {…}, "guards": {…}}`
        #[arg(long, value_name = "FILE")]
        stubs: Option<PathBuf>,
    },
    /// List runs, newest first
    List(List),
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
        #[arg(long, conflicts_with = "from")]
        failed: bool,
        /// Begin this step anew, and all that was decided from what it came to
        #[arg(long, value_name = "STEP", alias = "only")]
        from: Option<String>,
        /// Go on as the flow's file is now, where what ran is still the same; what failed is done again
        #[arg(long)]
        with_new_definition: bool,
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
        /// Their git worktrees as well, and the git branches of these: those that hold nothing which is nowhere else
        #[arg(long, conflicts_with = "older_than")]
        worktrees: bool,
    },
    /// List the git worktrees that steps of runs were given, and what they hold
    Worktrees {
        /// Of this run
        run: Option<String>,
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

fn read(file: &Path) -> Result<String, Failure> {
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    text.map_err(|error| Failure::usage(format!("could not read `{}`: {error}", file.display())))
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
    pub(crate) async fn run_pure(self, paths: &Paths, out: &mut Output<'_>) -> Result<(), Failure> {
        match self.command {
            Command::Check { file } => check(&file, paths, out).await,
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
            Command::Run {
                file,
                inputs,
                cwd,
                detach,
            } => begin(&file, inputs, cwd, detach, app, out).await,
            Command::Watch { run } => watch(app, &app.find_run(&run).await?, out).await,
            Command::Logs(logs) => logs.run(app, out).await,
            Command::List(list) => list.run(app, out).await,
            Command::Show { run } => show_run(&run, app, out).await,
            Command::Why { run, step } => why(&run, &step, app, out).await,
            Command::Resume {
                run,
                failed,
                from,
                with_new_definition,
            } => {
                let again = match (from, failed) {
                    (Some(step), _) => Again::From(step),
                    (None, true) => Again::Failed,
                    (None, false) => Again::CutOff,
                };
                resume(&run, again, with_new_definition, app, out).await
            }
            Command::Cancel { run, step, batch } => {
                let what = match (step, batch) {
                    (Some(step), _) => CancelWhat::Step { step },
                    (None, Some(batch)) => CancelWhat::Batch { batch },
                    (None, None) => CancelWhat::Run,
                };
                cancel(&run, what, app, out).await
            }
            Command::Worktrees { run } => {
                let run = match run {
                    Some(run) => Some(app.find_run(&run).await?),
                    None => None,
                };
                worktrees(&app.run_worktrees(run.as_deref()).await, out)
            }
            Command::Forget {
                runs,
                older_than,
                worktrees,
            } => forget(&runs, older_than, worktrees, app, out).await,
            Command::Approve(answer) => answer.give(true, app, out).await,
            Command::Reject(answer) => answer.give(false, app, out).await,
            Command::Mark {
                run,
                step,
                mark,
                output,
            } => {
                let mark = match mark {
                    MarkAs::Succeeded => Mark::Succeeded { output },
                    MarkAs::Skipped => Mark::Skipped,
                };
                say(&run, &step, mark, app, out).await
            }
            Command::Check { .. }
            | Command::Simulate { .. }
            | Command::Export { .. }
            | Command::Schema => self.run_pure(app.paths(), out).await,
        }
    }
}

/// Starts a run, and shows how it goes or leaves it to a process in the background.
async fn begin(
    file: &Path,
    inputs: Vec<(String, String)>,
    cwd: Option<PathBuf>,
    detach: bool,
    app: &App,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let here = std::env::current_dir()?;
    let cwd = cwd
        .map_or_else(|| here.clone(), |cwd| here.join(cwd))
        .display()
        .to_string();
    let checked = app::check_flow_in(app.paths(), Path::new(&cwd), &read(file)?).await;
    if !checked.good {
        tell_findings(file, &checked, out)?;
        return Err(Failure::status(2));
    }
    let inputs = inputs
        .into_iter()
        .map(|(name, value)| Ok((name, given(value)?.into())))
        .collect::<Result<_, Failure>>()?;
    let followed = Followed::new(app).await?;
    let run = app
        .start_flow(&file.display().to_string(), inputs, cwd)
        .await
        .map_err(refused)?;
    if detach {
        return detached(app, &run, out).await;
    }
    follow(app, &run, 0, followed, out).await
}

async fn show_run(run: &str, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
    let view = app.show_run(&app.find_run(run).await?).await?;
    show(&view, out)
}

async fn why(run: &str, step: &str, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
    let run = app.find_run(run).await?;
    let why = app.why(&run, step).await?;
    if out.json() {
        return Ok(out.value(&serde_json::json!({ "run": run, "step": step, "why": why }))?);
    }
    Ok(out.line(&why)?)
}

/// Goes on with a run, as it was begun or as its file is now, and shows how it goes.
async fn resume(
    run: &str,
    again: Again,
    with_new_definition: bool,
    app: &App,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let run = app.find_run(run).await?;
    let followed = Followed::new(app).await?;
    let before = app.run_outline(&run).await?;
    let seen = before.seq;
    if with_new_definition {
        // Of a run that failed, there is nothing else to go on with.
        let again = match again {
            Again::CutOff if before.info.state == RunState::Failed => Again::Failed,
            again => again,
        };
        app.resume_run_as_it_is(&run, &again).await?;
    } else {
        tell_changed_file(app, &before, out).await?;
        match again {
            Again::CutOff => app.resume_run(&run).await?,
            Again::Failed => app.retry_failed(&run).await?,
            Again::From(step) => app.rerun_from(&run, &step).await?,
        }
    }
    if !app.drives_run(&run) && app.run_outline(&run).await?.info.ended_at.is_none() {
        out.error("another process drives the run; this is how it goes there");
        return watch(app, &run, out).await;
    }
    follow(app, &run, seen, followed, out).await
}

async fn cancel(
    run: &str,
    what: CancelWhat,
    app: &App,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let run = app.find_run(run).await?;
    app.cancel_run(&run, what.clone()).await?;
    app.run_settled(&run).await;
    let words = match &what {
        CancelWhat::Run => format!("cancelled the run {run}"),
        CancelWhat::Step { step } => format!("cancelled `{step}` of the run {run}"),
        CancelWhat::Batch { batch } => format!("cancelled the batch `{batch}` of the run {run}"),
    };
    done(
        &words,
        serde_json::json!({ "run": run, "cancelled": what }),
        out,
    )
}

async fn forget(
    runs: &[String],
    older_than: Option<Duration>,
    worktrees: bool,
    app: &App,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut stay = Vec::new();
    let forgotten = match older_than {
        Some(age) => app.forget_runs_older_than(age).await?,
        None => {
            for run in runs {
                let run = app.find_run(run).await?;
                app.forget_run(&run).await?;
                if worktrees {
                    stay.extend(app.remove_run_worktrees(&run).await?);
                }
            }
            u32::try_from(runs.len()).unwrap_or(u32::MAX)
        }
    };
    if out.json() {
        let value = serde_json::json!({ "forgotten": forgotten, "worktrees_kept": stay });
        return Ok(out.value(&value)?);
    }
    for kept in &stay {
        let holds = kept.holds.as_deref().unwrap_or_default();
        out.error(&format!("kept `{}`: it holds {holds}", kept.path));
    }
    Ok(out.line(&format!("forgotten: {forgotten}"))?)
}

/// Says what a step is, whatever came of it, and shows how the run goes on.
async fn say(
    run: &str,
    step: &str,
    mark: Mark,
    app: &App,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let run = app.find_run(run).await?;
    let followed = Followed::new(app).await?;
    let seen = app.run_outline(&run).await?.seq;
    app.mark_step(&run, step, mark).await?;
    follow(app, &run, seen, followed, out).await
}

/// Says that the flow's file is another one by now: a run goes on as it was begun.
async fn tell_changed_file(app: &App, run: &RunView, out: &mut Output<'_>) -> Result<(), Failure> {
    let Some(path) = &run.info.path else {
        return Ok(());
    };
    let began = app.run_text(&run.info.id).await?;
    if std::fs::read_to_string(path).is_ok_and(|text| text != began) {
        out.error(&format!(
            "`{path}` was changed since the run began; the run goes on with the flow as it was then (`--with-new-definition`: as it is now)"
        ));
    }
    Ok(())
}

/// The value of an input: what was written, or what is in the file that it names.
fn given(value: String) -> Result<String, Failure> {
    match value.strip_prefix('@') {
        Some(file) => read(Path::new(file)),
        None => Ok(value),
    }
}

/// Says what was done.
fn done(words: &str, value: serde_json::Value, out: &mut Output<'_>) -> Result<(), Failure> {
    if out.json() {
        return Ok(out.value(&value)?);
    }
    Ok(out.line(words)?)
}

/// Leaves a run to a process of its own in the background.
async fn detached(app: &App, run: &str, out: &mut Output<'_>) -> Result<(), Failure> {
    app.let_go_of_runs().await;
    let program = std::env::current_exe()?;
    let mut command = tokio::process::Command::new(program);
    command
        .args(["flow", "resume", run])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .process_group(0)
        .current_dir("/");
    let mut driver = command.spawn()?;
    // Until it has the run, whoever looks at that is told that nobody drives it.
    let give_up = Instant::now() + HANDED_OVER;
    while app.run_outline(run).await?.info.state == RunState::Interrupted
        && driver.try_wait()?.is_none()
        && Instant::now() < give_up
    {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let words = format!(
        "run {run}\n  switchyard flow watch {run}   shows how it goes, `logs` what it prints, `cancel` ends it"
    );
    done(&words, serde_json::json!({ "run": run }), out)
}

/// A flow or an input that is refused: exit status 2.
fn refused(error: app::Error) -> Failure {
    match error.code {
        app::Code::BadFile => Failure::usage(error.message),
        _ => error.into(),
    }
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

fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1}s", time.as_secs_f64()),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}
