//! Flows: checked, started, looked at. What a run asks is a person's to answer.

use std::fmt::Write as _;

use flow::{RunInfo, RunView};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::process::Command;

use crate::caller::Caller;
use crate::words::{Answer, Printed, Refused, cut, listed, word};

/// Runs that are listed at once.
const MOST: usize = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Do {
    Check,
    Run,
    Runs,
    Show,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlowAsk {
    #[serde(rename = "do")]
    what: Do,
    /// For check and run
    file: Option<String>,
    /// For run, by name
    #[serde(default)]
    inputs: Map<String, Value>,
    /// For show: the beginning of an id, or `latest`
    run: Option<String>,
    step: Option<String>,
}

pub(crate) async fn flow(caller: &Caller, asked: FlowAsk) -> Answer {
    match (asked.what, asked.file, asked.run) {
        (Do::Check, Some(file), _) => check(caller, &file).await,
        (Do::Run, Some(file), _) => run(caller, &file, asked.inputs).await,
        (Do::Check | Do::Run, None, _) => Err(Refused("`file` is missing".to_owned())),
        (Do::Runs, ..) => {
            let runs = caller.app.list_runs().await?;
            Ok(listed(runs.iter().map(row), MOST, "There are no runs."))
        }
        (Do::Show, _, Some(run)) => show(caller, &run, asked.step.as_deref()).await,
        (Do::Show, _, None) => Err(Refused("`run` is missing".to_owned())),
    }
}

fn row(run: &RunInfo) -> String {
    let mut row = format!(
        "{}: {}, {}, {} of {} steps",
        run.id,
        cut(&run.flow),
        word(&run.state),
        run.done,
        run.steps
    );
    let waits = [run.asks.as_slice(), &run.needs_you].concat();
    if !waits.is_empty() {
        let _ = write!(row, "; a person is asked by {}", waits.join(", "));
    }
    row
}

async fn check(caller: &Caller, file: &str) -> Answer {
    let path = caller.options.cwd.join(file);
    let checked = caller.app.check_flow(&path.to_string_lossy()).await?;
    let mut text = String::new();
    for finding in &checked.findings {
        let _ = writeln!(text, "{file}:{finding}");
    }
    match checked.flow {
        Some(flow) => {
            let steps = flow.graph.nodes.len();
            let _ = write!(text, "{}: {steps} steps, good", flow.name);
        }
        None => text.push_str("It can't be run."),
    }
    Ok(text)
}

/// Starts a run that goes on when its asker ends.
async fn run(caller: &Caller, file: &str, inputs: Map<String, Value>) -> Answer {
    if !caller.options.write {
        return Err(Refused(
            "to run a flow, this server must be started with `--allow write`".to_owned(),
        ));
    }
    let mut command = Command::new(&caller.options.program);
    command
        .args(["--json", "flow", "run", "--detach"])
        .current_dir(&caller.options.cwd)
        .stdin(std::process::Stdio::null());
    for (name, value) in &inputs {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        command.arg("--input").arg(format!("{name}={value}"));
    }
    let ran = command.arg("--").arg(file).output().await;
    let ran =
        ran.map_err(|error| Refused(format!("`switchyard` could not be started: {error}")))?;
    // With `--json` both are said on standard output.
    let said: Value = serde_json::from_slice(&ran.stdout).unwrap_or_default();
    match (said["run"].as_str(), said["error"]["message"].as_str()) {
        (Some(run), _) => Ok(format!("The run {run} has begun.")),
        (None, Some(message)) => Err(Refused(message.to_owned())),
        (None, None) => Err(Refused(format!("`switchyard` ended with {}", ran.status))),
    }
}

async fn show(caller: &Caller, run: &str, step: Option<&str>) -> Answer {
    let run = caller.app.find_run(run).await?;
    let Some(step) = step else {
        return Ok(whole(&caller.app.show_run(&run).await?));
    };
    let why = caller.app.why(&run, step).await?;
    let detail = caller.app.show_run(&run).await?;
    let last = detail
        .step_list
        .iter()
        .find(|one| one.id == step)
        .and_then(|step| step.attempts.last());
    let mut text = format!("{why}\n");
    if let Some(output) = last.and_then(|attempt| attempt.output.as_deref()) {
        let mut printed = Printed::default();
        output.lines().for_each(|line| printed.line(line));
        text.push_str(&printed.told());
    }
    Ok(text)
}

fn whole(run: &RunView) -> String {
    let mut text = format!("{}\n", row(&run.info));
    for step in &run.step_list {
        let _ = write!(text, "{}: {}", step.id, word(&step.state));
        if let Some(branch) = &step.branch {
            let _ = write!(text, ", took {branch}");
        }
        text.push('\n');
    }
    text
}
