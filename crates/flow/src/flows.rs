//! The room's door: start, watch, answer, cancel, resume runs.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clock::Clock;
use secrets::Secrets;
use store::{Store, StoreError};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::action::Actions;
use crate::chance::run_id;
use crate::definition::{BadInput, Flow, FlowRefused};
use crate::journal::{Bulk, Claim, FlowEvent, Given, Journal, NewRun, RunInfo, RunView, StoredRun};
use crate::owner::Owners;
use crate::redefine::{Again, redefine};
use crate::request::{BadSecret, Request, RequestError};
use crate::runner::{Driver, Stopped, Wake};
use crate::shared::{RunLimits, Shared};
use crate::why;

/// How often requests of other processes are looked for.
const REQUEST_POLL: Duration = Duration::from_millis(150);
/// How long another process may take to answer one.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// What runs need.
pub struct FlowsConfig {
    /// Where they are recorded; opened with [`crate::SCHEMA`].
    pub store: Store,
    /// The directory for long outputs.
    pub outputs: PathBuf,
    /// What steps may ask of the world.
    pub actions: Arc<dyn Actions>,
    /// What time it is.
    pub clock: Clock,
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

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
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
        clock: Clock,
        owners: Arc<dyn Owners>,
        limits: RunLimits,
        secrets: Vec<String>,
    ) -> Self {
        let me = owners.me();
        let boot = me.boot.clone();
        let shared = Arc::new(Shared {
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
        });
        let inner = Arc::new(Inner {
            shared,
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
        self.inner.shared.events.subscribe()
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
        self.inner.shared.check_secrets(&flow, &inputs)?;
        let at = self.inner.shared.clock.now_ms();
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
            .shared
            .journal
            .begin(new, self.inner.shared.me.clone(), at)
            .await?;
        let _ = self.inner.shared.events.send(event);
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
            .shared
            .journal
            .interrupted(Arc::clone(&self.inner.shared.owners))
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
            .shared
            .journal
            .list(Arc::clone(&self.inner.shared.owners), limit)
            .await?;
        for run in &mut runs {
            self.inner.shared.tell_trouble(run);
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
        let mut found = self.inner.shared.journal.named(beginning).await?;
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
        let flow = view.grown(&Flow::read(&text)?);
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
        Ok(self
            .inner
            .shared
            .secrets_of(&Flow::read(&text)?, &view.inputs))
    }

    async fn stored(&self, run: &str, bulk: Bulk) -> Result<(RunView, String), RequestError> {
        let mut stored = self
            .inner
            .shared
            .journal
            .show(run, bulk, Arc::clone(&self.inner.shared.owners))
            .await?
            .ok_or_else(|| RequestError::UnknownRun {
                run: run.to_owned(),
            })?;
        self.inner.shared.tell_trouble(&mut stored.0.info);
        Ok(stored)
    }

    /// What happened to a run after the event with the number `seq`, oldest first.
    ///
    /// # Errors
    ///
    /// When the journal can't be read.
    pub async fn events_after(&self, run: &str, seq: u64) -> Result<Vec<FlowEvent>, StoreError> {
        self.inner.shared.journal.events(run, seq).await
    }

    /// Removes all that is kept of a run that has ended.
    ///
    /// # Errors
    ///
    /// When there is no such run, it has not ended, or the journal can't be written.
    pub async fn forget(&self, run: &str) -> Result<(), RequestError> {
        if self.inner.shared.journal.forget(run).await? {
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
        self.inner.shared.journal.ends().await
    }

    /// Goes on with a run that was cut off or cancelled.
    ///
    /// # Errors
    ///
    /// When there is no such run, it has ended, or another process drives it.
    pub async fn resume(&self, run: &str) -> Result<(), RequestError> {
        self.ask(run, Request::Resume).await
    }

    /// Goes on with a run that nobody drives, with another definition of its flow, and does parts of it again.
    ///
    /// What ran must be the same in it, and what that was decided from; everything else is decided by it. Nothing is
    /// changed when it does not fit.
    ///
    /// # Errors
    ///
    /// When there is no such run, somebody drives it, the definition is refused or does not fit, or there is nothing to
    /// do again.
    pub async fn resume_as(
        &self,
        run: &str,
        text: &str,
        again: &Again,
    ) -> Result<(), RequestError> {
        let new = Flow::read(text).map_err(RequestError::Definition)?;
        self.inner.redefine(run, &new, again).await?;
        let request = match again {
            Again::CutOff => Request::Resume,
            Again::Failed => Request::RetryFailed,
            Again::From(step) => Request::RerunFrom { step: step.clone() },
        };
        self.ask(run, request).await
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

    /// Begins the steps that failed anew, and all that was decided from their failure.
    ///
    /// # Errors
    ///
    /// When nothing failed.
    pub async fn retry_failed(&self, run: &str) -> Result<(), RequestError> {
        self.ask(run, Request::RetryFailed).await
    }

    /// Begins a step anew, and with it all that was decided from what it came to.
    ///
    /// # Errors
    ///
    /// When there is no such step.
    pub async fn rerun_from(&self, run: &str, step: &str) -> Result<(), RequestError> {
        let step = step.to_owned();
        self.ask(run, Request::RerunFrom { step }).await
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
        let id = self.shared.journal.ask(run, request).await?;
        let owner = self.shared.journal.owner(run).await?;
        let stopped = || {
            owner
                .as_ref()
                .is_some_and(|owner| self.shared.owners.is_stopped(owner))
        };
        let answered = tokio::time::timeout(REQUEST_TIMEOUT, async {
            loop {
                if let Some(answer) = self.shared.journal.answer_to(id).await? {
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
                None if self.shared.journal.withdraw(id).await? => {
                    Err(RequestError::StoppedProcess { pid })
                }
                None => Ok(()),
            },
            Err(_) if self.shared.journal.withdraw(id).await? => {
                Err(RequestError::OtherProcess { pid })
            }
            Err(_) => Ok(()),
        }
    }

    /// Gives a run that nobody drives another definition.
    async fn redefine(&self, run: &str, new: &Flow, again: &Again) -> Result<(), RequestError> {
        let driven = |pid| RequestError::Driven { pid };
        if self.driven(run).is_some() {
            return Err(driven(self.shared.me.pid));
        }
        let stored = match self.claim(run).await {
            Err(RequestError::OtherProcess { pid }) => return Err(driven(pid)),
            claimed => claimed?,
        };
        let redefined = async {
            let old = stored.grown(&Flow::read(&stored.text)?);
            let again = Driver::new(Arc::clone(&self.shared), &stored, Arc::new(old.clone()))
                .0
                .done_again(again)?;
            let redefined = redefine(&old, new, &stored, &again)?;
            self.shared.check_secrets(new, &redefined.inputs)?;
            let at = self.shared.clock.now_ms();
            let event = self.shared.journal.redefine(run, redefined, at).await?;
            self.shared.tell(event);
            Ok(())
        };
        let redefined = redefined.await;
        let me = self.shared.me.clone();
        self.shared.journal.release(run, me).await?;
        redefined
    }

    /// Makes a run ours that nobody drives, and reads it.
    async fn claim(&self, run: &str) -> Result<StoredRun, RequestError> {
        let unknown = || RequestError::UnknownRun {
            run: run.to_owned(),
        };
        let owners = Arc::clone(&self.shared.owners);
        let claim = self
            .shared
            .journal
            .claim(run, self.shared.me.clone(), owners);
        match claim.await? {
            Claim::Ours => {}
            Claim::Unknown => return Err(unknown()),
            Claim::OwnedBy(owner) => return Err(RequestError::OtherProcess { pid: owner.pid }),
        }
        self.shared.journal.load(run).await?.ok_or_else(unknown)
    }

    /// Makes sure that this process drives the run, and wakes it with `wake`.
    async fn drive(self: &Arc<Self>, run: &str, wake: Option<Wake>) -> Result<(), RequestError> {
        if let Some(wakes) = self.driven(run) {
            if let Some(wake) = wake {
                wakes.send(wake).map_err(|_| RequestError::Stopping)?;
            }
            return Ok(());
        }
        let stored = self.claim(run).await?;
        let flow = match Flow::read(&stored.text) {
            Ok(flow) => Arc::new(stored.grown(&flow)),
            Err(refused) => {
                self.shared
                    .journal
                    .release(run, self.shared.me.clone())
                    .await?;
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
        if !ends && let Err(error) = self.shared.check_secrets(&flow, &stored.inputs) {
            self.shared
                .journal
                .release(run, self.shared.me.clone())
                .await?;
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
        let (driver, wakes) = Driver::new(Arc::clone(&self.shared), &stored, flow);
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
            } else if let Err(error) = inner
                .shared
                .journal
                .release(&id, inner.shared.me.clone())
                .await
            {
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

    fn driven(&self, run: &str) -> Option<mpsc::UnboundedSender<Wake>> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.get(run)
            .filter(|driven| !driven.wakes.is_closed())
            .map(|driven| driven.wakes.clone())
    }
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
        let requests = match inner.shared.journal.requests().await {
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
            if let Err(error) = inner.shared.journal.refuse(id, refusal).await {
                tracing::warn!(%error, "a request of another process could not be answered");
            }
        }
    }
}
