//! Flows: what a person can do with them. Their steps' programs run in panes, see `world`.

mod files;
mod look;
mod tidy;
mod worktrees;
mod world;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::flow::{
    Again, Finding, Flow, FlowEvent, FlowGraph, Flows, FlowsConfig, Given, InputInfo, RequestError,
    RunInfo, RunLimits, RunView, Simulation, StartError, StartRun, Stubs, SystemOwners,
};
use clock::Clock;
use serde::{Deserialize, Serialize};
use specta::Type;
use tokio::sync::broadcast;

use crate::agents::persona;
use crate::{App, Code, Error, Inner, Paths};
pub use files::{FlowFile, FlowFileWatch};
pub use look::{OutputLine, OutputLines, OutputPiece, OutputPlace, StepDetail};
pub use worktrees::RunWorktree;
use world::World;

/// How many runs a list holds at most.
const MOST_RUNS: u32 = 500;

/// What a look at a flow's file says.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FlowCheck {
    /// Whether it can be run.
    pub good: bool,
    /// What is wrong with it, or may not do what its author meant; in the order of the file.
    pub findings: Vec<Finding>,
    /// The flow, when it can be run.
    pub flow: Option<FlowSummary>,
}

/// A flow that can be run.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FlowSummary {
    /// What it is called.
    pub name: String,
    /// What it does, in its author's words.
    pub description: Option<String>,
    /// What must be given when it starts.
    pub inputs: Vec<InputInfo>,
    /// Its picture.
    pub graph: FlowGraph,
}

/// Which picture language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ExportTo {
    /// Mermaid, as Markdown shows it.
    Mermaid,
    /// Graphviz' DOT.
    Dot,
}

/// What of a run is cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum CancelWhat {
    /// All of it.
    Run,
    /// One step.
    Step {
        /// Which.
        step: String,
    },
    /// The steps of a batch.
    Batch {
        /// Which.
        batch: String,
    },
}

/// What a person says of a step, whatever came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "mark", rename_all = "snake_case")]
pub enum Mark {
    /// It succeeded.
    Succeeded {
        /// With this output.
        output: String,
    },
    /// It is skipped.
    Skipped,
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        let code = match &error {
            StartError::Refused(_) => Code::BadFile,
            StartError::Input(_) | StartError::Secret(_) => Code::BadParams,
            StartError::Journal(_) => Code::Store,
        };
        Self::from_chain(code, &error)
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        let code = match &error {
            RequestError::UnknownRun { .. }
            | RequestError::SeveralRuns { .. }
            | RequestError::NoRuns
            | RequestError::UnknownStep { .. }
            | RequestError::UnknownBatch { .. } => Code::BadId,
            RequestError::BadForm { .. } | RequestError::Secret(_) | RequestError::Input(_) => {
                Code::BadParams
            }
            RequestError::Journal(_) => Code::Store,
            RequestError::Flow(_) | RequestError::Definition(_) => Code::BadFile,
            _ => Code::Refused,
        };
        Self::from_chain(code, &error)
    }
}

/// Looks at the text of a flow's file.
pub fn check_flow_text(text: &str) -> FlowCheck {
    match Flow::read(text) {
        Ok(flow) => FlowCheck {
            good: true,
            findings: flow.warnings().to_vec(),
            flow: Some(FlowSummary {
                name: flow.name().to_owned(),
                description: flow.description().map(str::to_owned),
                inputs: flow.input_list(),
                graph: flow.graph(),
            }),
        },
        Err(refused) => FlowCheck {
            good: false,
            findings: refused.findings,
            flow: None,
        },
    }
}

/// Looks at the text of a flow's file, and for the personas that it names, as a run in `cwd` would find them.
pub async fn check_flow_in(paths: &Paths, cwd: &Path, text: &str) -> FlowCheck {
    let mut checked = check_flow_text(text);
    if let Ok(flow) = Flow::read(text) {
        let wrong = wrong_personas(paths, cwd, &flow).await;
        if !wrong.is_empty() {
            checked.good = false;
            checked.flow = None;
            checked.findings.extend(wrong);
            checked.findings.sort_by_key(|finding| finding.at);
        }
    }
    checked
}

/// The steps of a flow whose personas are not there, or can't be used.
async fn wrong_personas(paths: &Paths, cwd: &Path, flow: &Flow) -> Vec<Finding> {
    let mut wrong = Vec::new();
    for open in flow.open_agents() {
        let Some(name) = &open.persona else { continue };
        if let Err(error) = persona(paths, cwd, name).await {
            wrong.push(Finding {
                severity: ::flow::Severity::Error,
                at: open.at,
                message: format!("the persona of `{}`: {}", open.step, error.message),
                hint: None,
            });
        }
    }
    wrong
}

/// Runs the text of a flow's file with nothing of the outside world. See [`Flow::simulate`].
///
/// # Errors
///
/// [`Code::BadFile`] when the flow is refused, [`Code::BadParams`] when the stubs name what it does not have.
pub fn simulate_flow_text(text: &str, stubs: &Stubs) -> Result<Simulation, Error> {
    let flow = Flow::read(text).map_err(|error| Error::from_chain(Code::BadFile, &error))?;
    flow.simulate(stubs)
        .map_err(|error| Error::from_chain(Code::BadParams, &error))
}

/// The picture of the text of a flow's file, as text.
///
/// # Errors
///
/// [`Code::BadFile`] when the flow is refused.
pub fn export_flow_text(text: &str, to: ExportTo) -> Result<String, Error> {
    let flow = Flow::read(text).map_err(|error| Error::from_chain(Code::BadFile, &error))?;
    let graph = flow.graph();
    Ok(match to {
        ExportTo::Mermaid => graph.to_mermaid(),
        ExportTo::Dot => graph.to_dot(),
    })
}

/// The JSON Schema of a flow's file, for editors.
pub fn flow_schema() -> serde_json::Value {
    Flow::json_schema()
}

/// The values of this process's environment that are secrets by their names; they are never shown.
fn secrets() -> Vec<String> {
    let secret_name = |name: &str| {
        let name = name.to_ascii_uppercase();
        [
            "TOKEN",
            "SECRET",
            "PASSWORD",
            "PASSWD",
            "API_KEY",
            "PRIVATE_KEY",
            "CREDENTIAL",
        ]
        .iter()
        .any(|word| name.contains(word))
    };
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| secret_name(name))
        .map(|(_, value)| value)
        .collect()
}

async fn read_file(path: &str) -> Result<String, Error> {
    tokio::fs::read_to_string(path)
        .await
        .map_err(|error| Error::new(Code::BadFile, format!("could not read `{path}`: {error}")))
}

impl App {
    /// The runs. They are driven from the first use on.
    pub(crate) fn flows(&self) -> &Flows {
        self.0.flows.get_or_init(|| {
            Flows::new(FlowsConfig {
                store: self.0.store.clone(),
                outputs: self.0.paths.data().join("outputs"),
                actions: Arc::new(World::new(Arc::downgrade(&self.0), self.0.paths.data())),
                clock: Clock::system(),
                owners: Arc::new(SystemOwners),
                limits: RunLimits {
                    agents: self.settings().flows.max_agents,
                    step: match self.settings().flows.step_minutes {
                        0 => None,
                        minutes => Some(Duration::from_secs(60 * u64::from(minutes))),
                    },
                },
                secrets: secrets(),
            })
        })
    }

    /// What happens to the runs that this process drives, from now on.
    pub fn flow_events(&self) -> broadcast::Receiver<FlowEvent> {
        self.flows().events()
    }

    /// Goes on with the runs that were cut off when their process ended; gives their ids.
    ///
    /// # Errors
    ///
    /// [`Code::Store`].
    pub async fn resume_flows(&self) -> Result<Vec<String>, Error> {
        if let Err(error) = self.tidy_runs().await {
            tracing::warn!(%error, "what steps left behind could not be tidied");
        }
        self.flows()
            .resume_interrupted()
            .await
            .map_err(|error| Error::from_chain(Code::Store, &error))
    }

    /// Looks at a flow's file.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when it can't be read at all; what is wrong in it is in the answer.
    pub async fn check_flow(&self, path: &str) -> Result<FlowCheck, Error> {
        let text = read_file(path).await?;
        let beside = Path::new(path).parent().unwrap_or_else(|| Path::new("."));
        Ok(check_flow_in(&self.0.paths, beside, &text).await)
    }

    /// The steps of a flow that nobody is there for.
    async fn steps_of_nobody(&self, cwd: &str, flow: &Flow) -> Vec<Finding> {
        let mut wrong = Vec::new();
        if self.settings().flows.agent.is_some() {
            return wrong;
        }
        for open in flow.open_agents().into_iter().filter(|open| open.says_none) {
            let (message, hint) = match &open.persona {
                None => (
                    format!(
                        "the step `{}` says no agent, and the settings say none",
                        open.step
                    ),
                    "say `agent:` or `persona:`, or set `flows.agent` in settings.json",
                ),
                Some(name) => match self.persona(cwd, name).await {
                    Ok(persona) if persona.agent.is_none() => (
                        format!(
                            "neither the step `{}` nor its persona `{name}` says an agent, and the settings say none",
                            open.step
                        ),
                        "say `agent:` in the persona or the step, or set `flows.agent` in settings.json",
                    ),
                    _ => continue,
                },
            };
            wrong.push(Finding {
                severity: ::flow::Severity::Error,
                at: open.at,
                message,
                hint: Some(hint.to_owned()),
            });
        }
        wrong
    }

    /// Starts a run of a flow's file, in `cwd`; gives its id.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when the flow is refused, [`Code::BadParams`] for an input, [`Code::Store`].
    pub async fn start_flow(
        &self,
        path: &str,
        inputs: serde_json::Map<String, serde_json::Value>,
        cwd: String,
    ) -> Result<String, Error> {
        let text = read_file(path).await?;
        if let Ok(flow) = Flow::read(&text) {
            let mut wrong = wrong_personas(&self.0.paths, Path::new(&cwd), &flow).await;
            wrong.extend(self.steps_of_nobody(&cwd, &flow).await);
            if !wrong.is_empty() {
                let refused = ::flow::FlowRefused { findings: wrong };
                return Err(Error::from_chain(Code::BadFile, &refused));
            }
        }
        let path = std::path::absolute(path)
            .map_or_else(|_| path.to_owned(), |path| path.display().to_string());
        Ok(self
            .flows()
            .start(StartRun {
                text,
                path: Some(path),
                inputs,
                cwd,
            })
            .await?)
    }

    /// Lists runs, newest first.
    ///
    /// # Errors
    ///
    /// [`Code::Store`].
    pub async fn list_runs(&self) -> Result<Vec<RunInfo>, Error> {
        self.flows()
            .list(MOST_RUNS)
            .await
            .map_err(|error| Error::from_chain(Code::Store, &error))
    }

    /// The id of the run that a person means: its id, the beginning of it, or `latest`.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when none or several are meant, [`Code::Store`].
    pub async fn find_run(&self, name: &str) -> Result<String, Error> {
        Ok(self.flows().find_run(name).await?)
    }

    /// One run with its steps and their attempts.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Store`].
    pub async fn show_run(&self, run: &str) -> Result<RunView, Error> {
        Ok(self.flows().show(run).await?)
    }

    /// The picture of a run's flow, as it was when the run began.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Store`].
    pub async fn run_graph(&self, run: &str) -> Result<FlowGraph, Error> {
        Ok(self.flows().flow_of(run).await?.graph())
    }

    /// What happened to a run after the event with the number `seq`, oldest first.
    ///
    /// # Errors
    ///
    /// [`Code::Store`].
    pub async fn run_events(&self, run: &str, seq: u64) -> Result<Vec<FlowEvent>, Error> {
        self.flows()
            .events_after(run, seq)
            .await
            .map_err(|error| Error::from_chain(Code::Store, &error))
    }

    /// Why a step is as it is, in sentences.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Store`].
    pub async fn why(&self, run: &str, step: &str) -> Result<String, Error> {
        Ok(self.flows().why(run, step).await?)
    }

    /// Ends a run, one step of it, or a batch: programs and all that they started.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Refused`] when it has ended already, [`Code::Store`].
    pub async fn cancel_run(&self, run: &str, what: CancelWhat) -> Result<(), Error> {
        match what {
            CancelWhat::Run => self.flows().cancel(run).await?,
            CancelWhat::Step { step } => self.flows().cancel_step(run, &step).await?,
            CancelWhat::Batch { batch } => self.flows().cancel_batch(run, &batch).await?,
        }
        Ok(())
    }

    /// Goes on with a run that was cut off or cancelled.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Refused`] when it has ended or another process drives it, [`Code::Store`].
    pub async fn resume_run(&self, run: &str) -> Result<(), Error> {
        Ok(self.flows().resume(run).await?)
    }

    /// Goes on with a run that nobody drives as its file is now, and does parts of it again. See [`Flows::resume_as`].
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::BadFile`] when the file can't be read or is refused, [`Code::Refused`] when it does not fit
    /// what ran or somebody drives the run, [`Code::Store`].
    pub async fn resume_run_as_it_is(&self, run: &str, again: &Again) -> Result<(), Error> {
        let Some(path) = self.run_outline(run).await?.info.path else {
            let message = "the run was started from no file, so there is no other definition of it";
            return Err(Error::new(Code::Refused, message));
        };
        let text = read_file(&path).await?;
        Ok(self.flows().resume_as(run, &text, again).await?)
    }

    /// Begins the steps that failed anew, and all that was decided from their failure.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Refused`] when nothing failed, [`Code::Store`].
    pub async fn retry_failed(&self, run: &str) -> Result<(), Error> {
        Ok(self.flows().retry_failed(run).await?)
    }

    /// Begins a step anew, and with it all that was decided from what it came to.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Store`].
    pub async fn rerun_from(&self, run: &str, step: &str) -> Result<(), Error> {
        Ok(self.flows().rerun_from(run, step).await?)
    }

    /// Says of a step that it succeeded or is skipped, whatever came of it.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Store`].
    pub async fn mark_step(&self, run: &str, step: &str, mark: Mark) -> Result<(), Error> {
        match mark {
            Mark::Succeeded { output } => self.flows().mark_succeeded(run, step, &output).await?,
            Mark::Skipped => self.flows().mark_skipped(run, step).await?,
        }
        Ok(())
    }

    /// Answers a step that asks.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Refused`] when it does not ask, [`Code::BadParams`] for a field, [`Code::Store`].
    pub async fn answer_approval(&self, run: &str, step: &str, given: Given) -> Result<(), Error> {
        Ok(self.flows().answer(run, step, given).await?)
    }

    /// Runs a flow's file with nothing of the outside world.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when the flow is refused, [`Code::BadParams`] when the stubs name what it does not have.
    pub async fn simulate_flow(&self, path: &str, stubs: &Stubs) -> Result<Simulation, Error> {
        simulate_flow_text(&read_file(path).await?, stubs)
    }

    /// The picture of a flow's file, as text.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`].
    pub async fn export_flow(&self, path: &str, to: ExportTo) -> Result<String, Error> {
        export_flow_text(&read_file(path).await?, to)
    }

    /// Removes all that is kept of a run that has ended: its journal, its outputs, what its steps left.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Refused`] when it has not ended, [`Code::Store`].
    pub async fn forget_run(&self, run: &str) -> Result<(), Error> {
        self.flows().forget(run).await?;
        tidy::remove(&self.0.paths.data().join("steps").join(run));
        Ok(())
    }

    /// Removes the runs that ended more than `age` ago; gives how many.
    ///
    /// # Errors
    ///
    /// [`Code::Store`].
    pub async fn forget_runs_older_than(&self, age: std::time::Duration) -> Result<u32, Error> {
        let before = tidy::ago(age);
        let ends = self.flows().ends().await;
        let ends = ends.map_err(|error| Error::from_chain(Code::Store, &error))?;
        let mut forgotten = 0;
        for (run, _) in ends
            .into_iter()
            .filter(|(_, ended)| ended.is_some_and(|ended| ended < before))
        {
            self.forget_run(&run).await?;
            forgotten += 1;
        }
        Ok(forgotten)
    }

    /// Removes what steps left behind of runs that ended longer ago than history is kept, and what
    /// belongs to no run at all. The journal and the outputs of runs stay until they are forgotten.
    ///
    /// # Errors
    ///
    /// [`Code::Store`].
    pub async fn tidy_runs(&self) -> Result<(), Error> {
        let days = u64::from(self.settings().history.keep_days.max(1));
        let before = tidy::ago(std::time::Duration::from_secs(days * 24 * 60 * 60));
        let ends = self.flows().ends().await;
        let ends = ends.map_err(|error| Error::from_chain(Code::Store, &error))?;
        let data = self.0.paths.data();
        tidy::tidy(&data.join("steps"), |run| match ends.get(run) {
            Some(ended) => ended.is_none_or(|ended| ended >= before),
            None => false,
        });
        tidy::tidy(&data.join("outputs"), |run| ends.contains_key(run));
        Ok(())
    }

    /// The picture of a run's flow, as text.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Store`].
    pub async fn export_run(&self, run: &str, to: ExportTo) -> Result<String, Error> {
        export_flow_text(&self.run_text(run).await?, to)
    }

    /// Lets go of the runs at a journaled point; the programs of their steps go on in their panes, and another process may
    /// take the runs over.
    pub async fn let_go_of_runs(&self) {
        self.0.stop_flows().await;
    }

    /// Whether this process drives the run.
    pub fn drives_run(&self, run: &str) -> bool {
        self.flows().drives(run)
    }

    /// Waits until this process does not drive the run any more.
    pub async fn run_settled(&self, run: &str) {
        self.flows().settled(run).await;
    }
}

impl Inner {
    /// Lets go of the runs at a journaled point; the programs of their steps go on in their panes.
    pub(crate) async fn stop_flows(&self) {
        if let Some(flows) = self.flows.get() {
            flows.shutdown().await;
        }
    }
}
