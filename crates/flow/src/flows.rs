//! The room's door: start, watch, answer, cancel, resume runs.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrets::Secrets;
use store::{Store, StoreError};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::action::Actions;
use crate::clock::{Clock, run_id};
use crate::definition::{BadInput, Flow, FlowRefused, InputType};
use crate::journal::{Bulk, Claim, FlowEvent, Given, Journal, NewRun, RunInfo, RunView};
use crate::owner::{Owner, Owners};
use crate::runner::{Driver, Request, Stopped, Wake};
use crate::why;

/// How often requests of other processes are looked for.
const REQUEST_POLL: Duration = Duration::from_millis(150);
/// How long another process may take to answer one.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// How much may go on at once, over all runs.
#[derive(Debug, Clone, Copy)]
pub struct RunLimits {
    /// Agent processes, over all runs of all processes.
    pub agents: u32,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self { agents: 16 }
    }
}

/// What runs need.
pub struct FlowsConfig {
    /// Where they are recorded; opened with [`crate::SCHEMA`].
    pub store: Store,
    /// The directory for long outputs.
    pub outputs: PathBuf,
    /// What steps may ask of the world.
    pub actions: Arc<dyn Actions>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Which process we are, and which others are alive.
    pub owners: Arc<dyn Owners>,
    /// How much may go on at once.
    pub limits: RunLimits,
    /// Values that are never written down.
    pub secrets: Vec<String>,
}

/// A run to start.
#[derive(Debug, Clone, Default)]
pub struct StartRun {
    /// The text of the flow.
    pub text: String,
    /// The file that it was read from.
    pub path: Option<String>,
    /// Its inputs.
    pub inputs: serde_json::Map<String, serde_json::Value>,
    /// The directory that it works in.
    pub cwd: String,
}

/// Why a run did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The flow is refused.
    #[error(transparent)]
    Refused(#[from] FlowRefused),
    /// An input is missing, unknown or of the wrong type.
    #[error(transparent)]
    Input(#[from] BadInput),
    /// A secret input can't be had.
    #[error(transparent)]
    Secret(#[from] BadSecret),
    /// It could not be written down.
    #[error("could not write the run down")]
    Journal(#[from] StoreError),
}

/// A secret input that can't be had. What was given for it is not told: it may be the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret input `{input}` {message}")]
pub struct BadSecret {
    /// Which input.
    pub input: String,
    /// What would be right.
    pub message: String,
}

/// Why a run did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// There is no such run.
    #[error("there is no run `{run}`; `switchyard flow list` shows them")]
    UnknownRun {
        /// What was asked for.
        run: String,
    },
    /// Several runs are meant.
    #[error("several runs begin with `{run}`: {}", .runs.join(", "))]
    SeveralRuns {
        /// What was asked for.
        run: String,
        /// Those that begin so, newest first.
        runs: Vec<String>,
    },
    /// No run was ever started.
    #[error("there are no runs yet; `switchyard flow run FILE` starts one")]
    NoRuns,
    /// The flow has no such step.
    #[error("the flow has no step `{step}`")]
    UnknownStep {
        /// What was asked for.
        step: String,
    },
    /// The flow has no such batch.
    #[error("the flow has no batch `{batch}`")]
    UnknownBatch {
        /// What was asked for.
        batch: String,
    },
    /// The step does not wait for an answer.
    #[error("`{step}` does not wait for an answer")]
    NotAsked {
        /// The step.
        step: String,
    },
    /// The step has ended.
    #[error("`{step}` has ended already")]
    StepEnded {
        /// The step.
        step: String,
    },
    /// A field of the form is missing, unknown or of the wrong type.
    #[error("the field `{field}` {message}")]
    BadForm {
        /// The field.
        field: String,
        /// What would be right.
        message: String,
    },
    /// The run has ended.
    #[error("the run has ended already")]
    Ended,
    /// The run has not ended.
    #[error("the run has not ended; cancel it first")]
    NotEnded,
    /// No step of the run failed.
    #[error("no step of the run has failed")]
    NothingFailed,
    /// This process is about to end.
    #[error("the run is being let go of; ask again")]
    Stopping,
    /// Another process drives the run, and does not answer.
    #[error("process {pid} drives the run and does not answer")]
    OtherProcess {
        /// Its id.
        pid: u32,
    },
    /// Another process drives the run, and was stopped by a signal.
    #[error(
        "process {pid} drives the run and was stopped; `kill -CONT {pid}` lets it go on, or end it, and the run can be resumed"
    )]
    StoppedProcess {
        /// Its id.
        pid: u32,
    },
    /// The process that drives the run refused.
    #[error("{message}")]
    Refused {
        /// What it said.
        message: String,
    },
    /// A secret input can't be had.
    #[error(transparent)]
    Secret(#[from] BadSecret),
    /// The flow as it was recorded can't be read by this version.
    #[error("the run was written by another version")]
    Flow(#[from] FlowRefused),
    /// The journal can't be read or written.
    #[error("the journal of the run can't be used")]
    Journal(#[from] StoreError),
}

pub(crate) struct Inner {
    pub(crate) journal: Journal,
    pub(crate) actions: Arc<dyn Actions>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) owners: Arc<dyn Owners>,
    pub(crate) me: Owner,
    pub(crate) boot: String,
    pub(crate) limits: RunLimits,
    pub(crate) secrets: Vec<String>,
    pub(crate) events: broadcast::Sender<FlowEvent>,
    /// Told when an agent of ours has ended, so that whoever waits for its place looks at once.
    pub(crate) agent_ended: Notify,
    /// Why the journals of runs can't be written at the moment.
    troubles: Mutex<HashMap<String, String>>,
    runs: Mutex<HashMap<String, Driven>>,
}

/// A run that this process drives.
struct Driven {
    wakes: mpsc::UnboundedSender<Wake>,
    stopped: watch::Receiver<bool>,
}

/// Durable runs of flows. Clones share them; dropping the last one lets go of them, without ending what
/// they have started in the world.
#[derive(Clone)]
pub struct Flows {
    pub(crate) inner: Arc<Inner>,
    _requests: Arc<AbortOnDrop>,
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Flows {
    /// Opens the journal. Nothing runs until a run is started or [`Flows::resume_interrupted`] is called.
    ///
    /// To be called within a tokio runtime.
    #[must_use]
    pub fn new(config: FlowsConfig) -> Self {
        let me = config.owners.me();
        let boot = me.boot.clone();
        let journal = Journal::new(config.store, config.outputs, boot.clone());
        Self::with_journal(
            journal,
            config.actions,
            config.clock,
            config.owners,
            config.limits,
            config.secrets,
        )
    }

    pub(crate) fn with_journal(
        journal: Journal,
        actions: Arc<dyn Actions>,
        clock: Arc<dyn Clock>,
        owners: Arc<dyn Owners>,
        limits: RunLimits,
        secrets: Vec<String>,
    ) -> Self {
        let me = owners.me();
        let boot = me.boot.clone();
        let inner = Arc::new(Inner {
            journal,
            actions,
            clock,
            owners,
            me,
            boot,
            limits,
            secrets,
            events: broadcast::channel(4_096).0,
            agent_ended: Notify::new(),
            troubles: Mutex::default(),
            runs: Mutex::new(HashMap::new()),
        });
        let requests = tokio::spawn(serve_requests(Arc::downgrade(&inner)));
        Self {
            inner,
            _requests: Arc::new(AbortOnDrop(requests)),
        }
    }

    /// What happens to the runs that this process drives, from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<FlowEvent> {
        self.inner.events.subscribe()
    }

    /// Starts a run: checks the flow and the inputs, writes the run down, and drives it. Gives its id.
    ///
    /// # Errors
    ///
    /// When the flow or an input is refused, or nothing could be written.
    pub async fn start(&self, start: StartRun) -> Result<String, StartError> {
        let id = run_id();
        self.start_as(&id, start).await?;
        Ok(id)
    }

    pub(crate) async fn start_as(&self, id: &str, start: StartRun) -> Result<(), StartError> {
        let flow = Flow::read(&start.text)?;
        let inputs = flow.inputs(&start.inputs)?;
        self.inner.check_secrets(&flow, &inputs)?;
        let at = self.inner.clock.now();
        let new = NewRun {
            id: id.to_owned(),
            flow: flow.name.clone(),
            path: start.path,
            text: start.text,
            hash: flow.hash.clone(),
            inputs,
            cwd: start.cwd,
            steps: flow.steps.iter().map(|step| step.id.clone()).collect(),
        };
        let event = self
            .inner
            .journal
            .begin(new, self.inner.me.clone(), at)
            .await?;
        let _ = self.inner.events.send(event);
        match self.inner.drive(id, None).await {
            Ok(()) => Ok(()),
            Err(RequestError::Journal(error)) => Err(StartError::Journal(error)),
            Err(RequestError::Flow(error)) => Err(StartError::Refused(error)),
            Err(RequestError::Secret(error)) => Err(StartError::Secret(error)),
            Err(error) => Err(StartError::Journal(StoreError::Unexpected(
                error.to_string(),
            ))),
        }
    }

    /// Goes on with every run that was cut off when its process ended. Gives their ids.
    ///
    /// # Errors
    ///
    /// When the journal can't be read.
    pub async fn resume_interrupted(&self) -> Result<Vec<String>, StoreError> {
        let mut resumed = Vec::new();
        for run in self
            .inner
            .journal
            .interrupted(Arc::clone(&self.inner.owners))
            .await?
        {
            match self.inner.drive(&run, None).await {
                Ok(()) => resumed.push(run),
                Err(error) => tracing::warn!(run, %error, "a run could not be resumed"),
            }
        }
        Ok(resumed)
    }

    /// Lists runs, newest first.
    ///
    /// # Errors
    ///
    /// When the journal can't be read.
    pub async fn list(&self, limit: u32) -> Result<Vec<RunInfo>, StoreError> {
        let mut runs = self
            .inner
            .journal
            .list(Arc::clone(&self.inner.owners), limit)
            .await?;
        for run in &mut runs {
            self.inner.tell_trouble(run);
        }
        Ok(runs)
    }

    /// The id of the run that a person means: its id, the beginning of it that no other run has, or `latest`.
    ///
    /// # Errors
    ///
    /// When none or several are meant, or the journal can't be read.
    pub async fn find_run(&self, name: &str) -> Result<String, RequestError> {
        let beginning = (name != "latest").then(|| name.to_owned());
        let mut found = self.inner.journal.named(beginning).await?;
        match found.as_slice() {
            [] if name == "latest" => Err(RequestError::NoRuns),
            [_] => Ok(found.remove(0)),
            [first, ..] if first == name => Ok(found.remove(0)),
            _ if found.is_empty() || name.is_empty() => Err(RequestError::UnknownRun {
                run: name.to_owned(),
            }),
            _ => Err(RequestError::SeveralRuns {
                run: name.to_owned(),
                runs: found,
            }),
        }
    }

    /// One run with its steps and their attempts.
    ///
    /// # Errors
    ///
    /// When there is no such run, or the journal can't be read.
    pub async fn show(&self, run: &str) -> Result<RunView, RequestError> {
        Ok(self.stored(run, Bulk::With).await?.0)
    }

    /// As [`Flows::show`], without what may be long: prompts, outputs and data of attempts.
    ///
    /// # Errors
    ///
    /// When there is no such run, or the journal can't be read.
    pub async fn outline(&self, run: &str) -> Result<RunView, RequestError> {
        Ok(self.stored(run, Bulk::Without).await?.0)
    }

    /// The flow of a run as it was when the run began, for its picture.
    ///
    /// # Errors
    ///
    /// When there is no such run, or the journal can't be read.
    pub async fn flow_of(&self, run: &str) -> Result<Flow, RequestError> {
        Ok(Flow::read(&self.stored(run, Bulk::Without).await?.1)?)
    }

    /// Why a step is as it is, in sentences.
    ///
    /// # Errors
    ///
    /// When there is no such run or step, or the journal can't be read.
    pub async fn why(&self, run: &str, step: &str) -> Result<String, RequestError> {
        let (view, text) = self.stored(run, Bulk::With).await?;
        let flow = Flow::read(&text)?;
        why::explain(&flow, &view, step).ok_or_else(|| RequestError::UnknownStep {
            step: step.to_owned(),
        })
    }

    /// The values that nothing which is shown of a run may contain: this process's, and those of the
    /// variables that its secret inputs name.
    ///
    /// # Errors
    ///
    /// When there is no such run, or the journal can't be read.
    pub async fn secrets_of(&self, run: &str) -> Result<Secrets, RequestError> {
        let (view, text) = self.stored(run, Bulk::Without).await?;
        Ok(self.inner.secrets_of(&Flow::read(&text)?, &view.inputs))
    }

    async fn stored(&self, run: &str, bulk: Bulk) -> Result<(RunView, String), RequestError> {
        let mut stored = self
            .inner
            .journal
            .show(run, bulk, Arc::clone(&self.inner.owners))
            .await?
            .ok_or_else(|| RequestError::UnknownRun {
                run: run.to_owned(),
            })?;
        self.inner.tell_trouble(&mut stored.0.info);
        Ok(stored)
    }

    /// What happened to a run after the event with the number `seq`, oldest first.
    ///
    /// # Errors
    ///
    /// When the journal can't be read.
    pub async fn events_after(&self, run: &str, seq: u64) -> Result<Vec<FlowEvent>, StoreError> {
        self.inner.journal.events(run, seq).await
    }

    /// Removes all that is kept of a run that has ended.
    ///
    /// # Errors
    ///
    /// When there is no such run, it has not ended, or the journal can't be written.
    pub async fn forget(&self, run: &str) -> Result<(), RequestError> {
        if self.inner.journal.forget(run).await? {
            return Ok(());
        }
        self.stored(run, Bulk::Without).await?;
        Err(RequestError::NotEnded)
    }

    /// The ids of all runs, each with when it ended, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// When the journal can't be read.
    pub async fn ends(&self) -> Result<BTreeMap<String, Option<u64>>, StoreError> {
        self.inner.journal.ends().await
    }

    /// Goes on with a run that was cut off or cancelled.
    ///
    /// # Errors
    ///
    /// When there is no such run, it has ended, or another process drives it.
    pub async fn resume(&self, run: &str) -> Result<(), RequestError> {
        self.ask(run, Request::Resume).await
    }

    /// Ends a run: what has not begun never will, what runs is ended, process groups and all.
    ///
    /// # Errors
    ///
    /// When there is no such run, or it has ended.
    pub async fn cancel(&self, run: &str) -> Result<(), RequestError> {
        self.ask(run, Request::CancelRun).await
    }

    /// Ends one step of a run.
    ///
    /// # Errors
    ///
    /// When there is no such step, or it has ended.
    pub async fn cancel_step(&self, run: &str, step: &str) -> Result<(), RequestError> {
        self.ask(
            run,
            Request::CancelStep {
                step: step.to_owned(),
            },
        )
        .await
    }

    /// Ends the steps of one batch of a run.
    ///
    /// # Errors
    ///
    /// When there is no such batch.
    pub async fn cancel_batch(&self, run: &str, batch: &str) -> Result<(), RequestError> {
        self.ask(
            run,
            Request::CancelBatch {
                batch: batch.to_owned(),
            },
        )
        .await
    }

    /// Answers a step that asks: an approval, or one that a crash cut off.
    ///
    /// # Errors
    ///
    /// When the step does not ask, or a field of its form is missing or wrong.
    pub async fn answer(&self, run: &str, step: &str, given: Given) -> Result<(), RequestError> {
        self.ask(
            run,
            Request::Answer {
                step: step.to_owned(),
                given,
            },
        )
        .await
    }

    /// Says that a step succeeded, with this output, whatever came of it.
    ///
    /// # Errors
    ///
    /// When there is no such step.
    pub async fn mark_succeeded(
        &self,
        run: &str,
        step: &str,
        output: &str,
    ) -> Result<(), RequestError> {
        self.ask(
            run,
            Request::MarkSucceeded {
                step: step.to_owned(),
                output: output.to_owned(),
            },
        )
        .await
    }

    /// Says that a step is skipped, whatever came of it.
    ///
    /// # Errors
    ///
    /// When there is no such step.
    pub async fn mark_skipped(&self, run: &str, step: &str) -> Result<(), RequestError> {
        self.ask(
            run,
            Request::MarkSkipped {
                step: step.to_owned(),
            },
        )
        .await
    }

    /// Begins the steps that failed anew, and what was skipped because of them.
    ///
    /// # Errors
    ///
    /// When nothing failed.
    pub async fn retry_failed(&self, run: &str) -> Result<(), RequestError> {
        self.ask(run, Request::RetryFailed).await
    }

    /// Begins a step anew, with all that follows it or by itself.
    ///
    /// # Errors
    ///
    /// When there is no such step.
    pub async fn rerun_from(
        &self,
        run: &str,
        step: &str,
        following: bool,
    ) -> Result<(), RequestError> {
        self.ask(
            run,
            Request::RerunFrom {
                step: step.to_owned(),
                following,
            },
        )
        .await
    }

    /// Whether this process drives the run.
    #[must_use]
    pub fn drives(&self, run: &str) -> bool {
        self.inner.driven(run).is_some()
    }

    /// Waits until this process does not drive the run any more: it has ended, or was let go of.
    pub async fn settled(&self, run: &str) {
        let stopped = {
            let runs = self
                .inner
                .runs
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            runs.get(run).map(|driven| driven.stopped.clone())
        };
        if let Some(mut stopped) = stopped {
            // An error means that the driver is gone, which is the same.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }
    }

    /// Lets go of all runs at a journaled point; what they started in the world goes on.
    pub async fn shutdown(&self) {
        let runs: Vec<String> = {
            let runs = self
                .inner
                .runs
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            for driven in runs.values() {
                let _ = driven.wakes.send(Wake::Pause);
            }
            runs.keys().cloned().collect()
        };
        for run in runs {
            self.settled(&run).await;
        }
    }

    pub(crate) async fn ask(&self, run: &str, request: Request) -> Result<(), RequestError> {
        self.inner.ask(run, request).await
    }
}

impl Inner {
    /// What must not be shown of a run.
    pub(crate) fn secrets_of(
        &self,
        flow: &Flow,
        inputs: &serde_json::Map<String, serde_json::Value>,
    ) -> Secrets {
        let own = self.secrets.iter().cloned();
        Secrets::new(own.chain(self.secret_inputs(flow, inputs).map(|(_, secret)| secret)))
    }

    /// Whether every secret input that was given names a variable which is set here.
    fn check_secrets(
        &self,
        flow: &Flow,
        inputs: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<(), BadSecret> {
        for (name, input) in &flow.inputs {
            let Some(variable) = inputs.get(name).and_then(|given| given.as_str()) else {
                continue;
            };
            if input.kind != InputType::Secret {
                continue;
            }
            let bad = |message: &str| BadSecret {
                input: name.clone(),
                message: message.to_owned(),
            };
            if !is_variable(variable) {
                return Err(bad(
                    "takes the name of an environment variable that holds the secret, as `DEPLOY_TOKEN`; what was given is no such name, and was not kept",
                ));
            }
            match self.actions.env(variable) {
                None => {
                    return Err(bad(
                        "names an environment variable that is not set; set it, and say its name",
                    ));
                }
                Some(value) if value.len() < secrets::SHORTEST => {
                    return Err(bad(
                        "is shorter than six bytes: too short to be told from other text, and so to be kept out of it",
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The secret inputs of a run with their values: what is kept of them is the name of a variable.
    pub(crate) fn secret_inputs<'a>(
        &'a self,
        flow: &'a Flow,
        inputs: &'a serde_json::Map<String, serde_json::Value>,
    ) -> impl Iterator<Item = (&'a str, String)> {
        flow.inputs
            .iter()
            .filter(|(_, input)| input.kind == InputType::Secret)
            .filter_map(|(name, _)| {
                let variable = inputs.get(name)?.as_str()?;
                Some((name.as_str(), self.actions.env(variable)?))
            })
    }

    /// Asks whoever drives a run; when nobody does, we do.
    async fn ask(self: &Arc<Self>, run: &str, request: Request) -> Result<(), RequestError> {
        // A driver that is about to stop answers so without having done anything: the next one does it.
        for _ in 0..5 {
            let (reply, answer) = oneshot::channel();
            let wake = Wake::Asked {
                request: request.clone(),
                left: None,
                reply,
            };
            match self.drive(run, Some(wake)).await {
                Ok(()) => match answer.await {
                    Ok(Err(RequestError::Stopping)) | Err(_) => tokio::task::yield_now().await,
                    Ok(answer) => return answer,
                },
                Err(RequestError::OtherProcess { pid }) => {
                    return self.ask_other(run, pid, &request).await;
                }
                Err(error) => return Err(error),
            }
        }
        Err(RequestError::Stopping)
    }

    /// Leaves the request in the journal, where the process that drives the run looks for it.
    async fn ask_other(&self, run: &str, pid: u32, request: &Request) -> Result<(), RequestError> {
        let request = serde_json::to_string(request)
            .map_err(|error| StoreError::Unexpected(error.to_string()))?;
        let id = self.journal.ask(run, request).await?;
        let owner = self.journal.owner(run).await?;
        let stopped = || {
            owner
                .as_ref()
                .is_some_and(|owner| self.owners.is_stopped(owner))
        };
        let answered = tokio::time::timeout(REQUEST_TIMEOUT, async {
            loop {
                if let Some(answer) = self.journal.answer_to(id).await? {
                    return Ok::<_, StoreError>(Some(answer));
                }
                if stopped() {
                    return Ok(None);
                }
                tokio::time::sleep(REQUEST_POLL / 3).await;
            }
        })
        .await;
        match answered {
            Ok(answer) => match answer?.as_deref() {
                Some("") => Ok(()),
                Some(message) => Err(RequestError::Refused {
                    message: message.to_owned(),
                }),
                None if self.journal.withdraw(id).await? => {
                    Err(RequestError::StoppedProcess { pid })
                }
                None => Ok(()),
            },
            Err(_) if self.journal.withdraw(id).await? => Err(RequestError::OtherProcess { pid }),
            Err(_) => Ok(()),
        }
    }

    /// Makes sure that this process drives the run, and wakes it with `wake`.
    async fn drive(self: &Arc<Self>, run: &str, wake: Option<Wake>) -> Result<(), RequestError> {
        if let Some(wakes) = self.driven(run) {
            if let Some(wake) = wake {
                wakes.send(wake).map_err(|_| RequestError::Stopping)?;
            }
            return Ok(());
        }
        match self
            .journal
            .claim(run, self.me.clone(), Arc::clone(&self.owners))
            .await?
        {
            Claim::Ours => {}
            Claim::Unknown => {
                return Err(RequestError::UnknownRun {
                    run: run.to_owned(),
                });
            }
            Claim::OwnedBy(owner) => return Err(RequestError::OtherProcess { pid: owner.pid }),
        }
        let stored = self
            .journal
            .load(run)
            .await?
            .ok_or_else(|| RequestError::UnknownRun {
                run: run.to_owned(),
            })?;
        let flow = match Flow::read(&stored.text) {
            Ok(flow) => Arc::new(flow),
            Err(refused) => {
                self.journal.release(run, self.me.clone()).await?;
                return Err(refused.into());
            }
        };
        // A run that is to end needs no secret for that.
        let ends = matches!(
            wake,
            Some(Wake::Asked {
                request: Request::CancelRun,
                ..
            })
        );
        if !ends && let Err(error) = self.check_secrets(&flow, &stored.inputs) {
            self.journal.release(run, self.me.clone()).await?;
            return Err(error.into());
        }
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have been faster while we read.
        if let Some(driven) = runs.get(run).filter(|driven| !driven.wakes.is_closed()) {
            if let Some(wake) = wake {
                driven
                    .wakes
                    .send(wake)
                    .map_err(|_| RequestError::Stopping)?;
            }
            return Ok(());
        }
        let (driver, wakes) = Driver::new(Arc::clone(self), &stored, flow);
        if let Some(wake) = wake {
            // Before it begins: a run that has ended stops at once when nobody wants anything of it.
            wakes.send(wake).map_err(|_| RequestError::Stopping)?;
        }
        let (stopping, stopped) = watch::channel(false);
        runs.insert(run.to_owned(), Driven { wakes, stopped });
        let inner = Arc::clone(self);
        let id = run.to_owned();
        tokio::spawn(async move {
            let stopped = driver.drive(stored).await;
            if let Stopped::Journal(error) = &stopped {
                tracing::error!(run = id, %error, "the run stops here: its journal can't be written");
            } else if let Err(error) = inner.journal.release(&id, inner.me.clone()).await {
                tracing::warn!(run = id, %error, "the run could not be let go of");
            }
            {
                let mut runs = inner.runs.lock().unwrap_or_else(PoisonError::into_inner);
                if runs.get(&id).is_some_and(|driven| driven.wakes.is_closed()) {
                    runs.remove(&id);
                }
            }
            // Whoever waits may be gone.
            let _ = stopping.send(true);
        });
        Ok(())
    }

    /// Says, or no longer says, why the journal of a run can't be written.
    pub(crate) fn trouble(&self, run: &str, why: Option<String>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => troubles.insert(run.to_owned(), why),
            None => troubles.remove(run),
        };
    }

    pub(crate) fn tell_trouble(&self, info: &mut RunInfo) {
        let troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = troubles.get(&info.id) {
            info.message = Some(why.clone());
        }
    }

    fn driven(&self, run: &str) -> Option<mpsc::UnboundedSender<Wake>> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.get(run)
            .filter(|driven| !driven.wakes.is_closed())
            .map(|driven| driven.wakes.clone())
    }
}

/// Whether a text can be the name of an environment variable.
fn is_variable(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

/// Answers the requests that other processes leave for the runs that we drive.
async fn serve_requests(inner: std::sync::Weak<Inner>) {
    loop {
        tokio::time::sleep(REQUEST_POLL).await;
        let Some(inner) = inner.upgrade() else { return };
        let drives_any = !inner
            .runs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty();
        if !drives_any {
            continue;
        }
        let requests = match inner.journal.requests().await {
            Ok(requests) => requests,
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, "requests of other processes can't be read");
                continue;
            }
        };
        for (id, run, request) in requests {
            let Some(wakes) = inner.driven(&run) else {
                continue;
            };
            let refusal = match serde_json::from_str::<Request>(&request) {
                Ok(request) => {
                    let (reply, answer) = oneshot::channel();
                    let left = Some(id);
                    let _ = wakes.send(Wake::Asked {
                        request,
                        left,
                        reply,
                    });
                    match answer.await {
                        // Answered in the transaction that carried it out.
                        Ok(Ok(())) => continue,
                        Ok(Err(error)) => error.to_string(),
                        Err(_) => RequestError::Stopping.to_string(),
                    }
                }
                Err(error) => format!("the request can't be read: {error}"),
            };
            if let Err(error) = inner.journal.refuse(id, refusal).await {
                tracing::warn!(%error, "a request of another process could not be answered");
            }
        }
    }
}
