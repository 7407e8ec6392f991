//! One run, driven: choose the next step, write it down, act, write down what came of it.
//!
//! A [`Driver`] is one loop over one closed enum, [`Wake`]: everything that can move a run is an arm of
//! it. Each pass works out what follows from what woke it, commits that as one transaction, and only
//! then acts. What an attempt does in the world happens in a task of its own, which reports back.

mod looking;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::StoreError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::action::{
    ActionError, Activity, Answer, Finished, Found, Job, JobKey, StepAgent, Work, WorktreeWish,
};
use crate::clock::jitter;
use crate::decide::{Change, Guarded, Guards, Outcome, Progress, Recorded, SkipCause, StepState};
use crate::definition::outside::{self, Answers, Outside};
use crate::definition::{Flow, Kind, OnInterrupt, OnTimeout, OutputType, StepIndex, fill};
use crate::flows::{Inner, RequestError};
use crate::journal::{AttemptEnd, FlowEvent, Given, Happened, Question, QuestionKind, StoredRun};
use crate::scope::{self, StepResult, Values};
use looking::Look;

/// How often a place among the agents is asked for again, when another process may hold it.
const AGENT_POLL_MS: u64 = 200;
/// The longest wait between two attempts.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);
/// People's clocks jump: no wait trusts them for longer than this.
const CLOCK_TRUST_MS: u64 = 30_000;
/// How often a journal that can't be written is tried again.
const JOURNAL_AGAIN: Duration = Duration::from_secs(1);

/// What a person asks of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub(crate) enum Request {
    Resume,
    CancelRun,
    CancelStep { step: String },
    CancelBatch { batch: String },
    Answer { step: String, given: Given },
    MarkSucceeded { step: String, output: String },
    MarkSkipped { step: String },
    RetryFailed,
    RerunFrom { step: String, following: bool },
}

/// All that can wake a run.
pub(crate) enum Wake {
    /// An attempt is at work and can be found again.
    Attached {
        step: StepIndex,
        attempt: u32,
        handle: String,
        pane: Option<u32>,
        worktree: Option<String>,
        agent: Option<StepAgent>,
    },
    /// The agent of an attempt asks a person for something, or no longer does.
    NeedsYou {
        step: StepIndex,
        attempt: u32,
        message: Option<String>,
    },
    /// The world was looked at for a condition.
    Looked {
        step: StepIndex,
        number: u64,
        answers: Answers,
    },
    /// An attempt has ended.
    Ended {
        step: StepIndex,
        attempt: u32,
        how: How,
    },
    /// A person asks for something.
    Asked {
        request: Request,
        reply: oneshot::Sender<Result<(), RequestError>>,
    },
    /// The process ends; the run goes on in the next.
    Pause,
}

/// How an attempt came to its end.
#[derive(Debug)]
pub(crate) enum How {
    Finished(Finished),
    TimedOut(&'static str),
    Cancelled,
    NotStarted(ActionError),
}

/// Why a run is not driven any further by this process.
#[derive(Debug)]
pub(crate) enum Stopped {
    Ended,
    Paused,
    Journal(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Journal(error)
    }
}

/// What templates see, besides where the run stands.
struct Known {
    inner: Arc<Inner>,
    flow: Arc<Flow>,
    inputs: serde_json::Map<String, serde_json::Value>,
    run: serde_json::Map<String, serde_json::Value>,
    results: Vec<StepResult>,
}

struct Eyes<'k> {
    known: &'k Known,
    progress: &'k Progress,
    outside: Outside,
}

impl Values for Eyes<'_> {
    fn inputs(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.known.inputs
    }
    fn result(&self, step: StepIndex) -> StepResult {
        let now = self.progress.step(step);
        StepResult {
            state: Some(now.state),
            attempt: now.attempts,
            ..self.known.results[step].clone()
        }
    }
    fn run(&self) -> serde_json::Map<String, serde_json::Value> {
        self.known.run.clone()
    }
    fn env(&self, name: &str) -> Option<String> {
        self.known.inner.actions.env(name)
    }
    fn outside(&self) -> Outside {
        self.outside.clone()
    }
}

struct RunGuards<'k>(&'k Known);

impl Guards for RunGuards<'_> {
    fn guard(&mut self, progress: &Progress, step: StepIndex) -> Guarded {
        let Some(when) = &self.0.flow.steps[step].when else {
            return Guarded::Holds;
        };
        // What asks about the world is decided when the step could start: see `looking`.
        if outside::mentions(when) {
            return Guarded::Holds;
        }
        let eyes = Eyes {
            known: self.0,
            progress,
            outside: Outside::default(),
        };
        let answer = match scope::holds(&self.0.flow, &eyes, when, None) {
            Ok((answer, _)) => answer,
            Err(_) => return Guarded::Holds,
        };
        match answer {
            Ok(true) => Guarded::Holds,
            Ok(false) => Guarded::False,
            Err(message) => Guarded::Error(format!("its condition: {message}")),
        }
    }
}

/// An attempt that is at work.
struct Active {
    attempt: u32,
    stop: Option<oneshot::Sender<()>>,
}

/// What happens at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Retry(StepIndex, u32),
    Deadline(StepIndex, u32),
    AgentPlace,
}

pub(crate) struct Driver {
    id: String,
    known: Known,
    cwd: String,
    /// Values that are never written down.
    masks: Vec<String>,
    progress: Progress,
    active: HashMap<StepIndex, Active>,
    /// When the first attempt of the present series began, on the clock that stands still in sleep.
    series: HashMap<StepIndex, u64>,
    questions: HashMap<StepIndex, QuestionKind>,
    /// The steps for which the world is looked at now, and what was answered.
    looking: HashMap<StepIndex, Look>,
    answers: HashMap<StepIndex, Answers>,
    looks: u64,
    /// The steps whose condition asked about the world and was decided.
    guarded: HashSet<StepIndex>,
    /// What has a time on people's clocks.
    dues: BTreeSet<(u64, Due)>,
    /// What has a time on the clock that only goes forward, and stands still in sleep.
    waits: BTreeSet<(u64, Due)>,
    /// What woke the run while its journal could not be written.
    backlog: VecDeque<Wake>,
    agents_full: bool,
    freed_agents: bool,
    entries: Vec<(usize, Happened)>,
    acts: Vec<(StepIndex, Job)>,
    tasks: JoinSet<()>,
    ended: bool,
    tx: mpsc::UnboundedSender<Wake>,
    rx: mpsc::UnboundedReceiver<Wake>,
}

impl Driver {
    pub(crate) fn new(
        inner: Arc<Inner>,
        stored: &StoredRun,
        flow: Arc<Flow>,
    ) -> (Self, mpsc::UnboundedSender<Wake>) {
        let (tx, rx) = mpsc::unbounded_channel();
        let mut masks = Vec::new();
        let mut inputs = stored.inputs.clone();
        for (name, input) in &flow.inputs {
            if input.kind == crate::InputType::Secret
                && let Some(variable) = stored.inputs.get(name).and_then(|value| value.as_str())
                && let Some(secret) = inner.actions.env(variable)
            {
                masks.push(secret.clone());
                inputs.insert(name.clone(), secret.into());
            }
        }
        masks.extend(inner.secrets.iter().cloned());
        masks.retain(|mask| mask.len() >= 6);
        masks.sort_by_key(|mask| std::cmp::Reverse(mask.len()));
        masks.dedup();
        let mut run = serde_json::Map::new();
        run.insert("id".to_owned(), stored.id.as_str().into());
        run.insert("flow".to_owned(), flow.name.as_str().into());
        let started =
            jiff::Timestamp::from_millisecond(i64::try_from(stored.started_at).unwrap_or(0))
                .map(|time| time.to_string())
                .unwrap_or_default();
        run.insert("started_at".to_owned(), started.into());
        let results = stored
            .steps
            .iter()
            .map(|step| match step.history.last() {
                Some(last) if step.state.is_terminal() && step.state != StepState::Skipped => {
                    StepResult {
                        state: Some(step.state),
                        output: last.whole_output(),
                        data: last.data.clone(),
                        exit_code: last.exit_code,
                        worktree: last.worktree.clone(),
                        attempt: last.attempt,
                    }
                }
                Some(last) => StepResult {
                    worktree: last.worktree.clone(),
                    ..StepResult::default()
                },
                None => StepResult::default(),
            })
            .collect();
        let guarded = (0..stored.steps.len())
            .filter(|step| stored.steps[*step].guard.is_some())
            .collect();
        let recorded = stored
            .steps
            .iter()
            .map(|step| Recorded {
                state: step.state,
                skip: step.skip.clone(),
                branch: step.branch,
                attempts: step.attempts,
                earlier: step.earlier,
            })
            .collect();
        let driver = Self {
            id: stored.id.clone(),
            cwd: stored.cwd.clone(),
            masks,
            progress: Progress::restore(Arc::clone(&flow), recorded, stored.cancelled),
            known: Known {
                inner,
                flow,
                inputs,
                run,
                results,
            },
            active: HashMap::new(),
            series: HashMap::new(),
            questions: HashMap::new(),
            looking: HashMap::new(),
            answers: HashMap::new(),
            looks: 0,
            guarded,
            dues: BTreeSet::new(),
            waits: BTreeSet::new(),
            backlog: VecDeque::new(),
            agents_full: false,
            freed_agents: false,
            entries: Vec::new(),
            acts: Vec::new(),
            tasks: JoinSet::new(),
            ended: stored.ended,
            tx: tx.clone(),
            rx,
        };
        (driver, tx)
    }

    fn inner(&self) -> &Arc<Inner> {
        &self.known.inner
    }

    fn flow(&self) -> Arc<Flow> {
        Arc::clone(&self.known.flow)
    }

    fn step_id(&self, step: StepIndex) -> String {
        self.known.flow.steps[step].id.clone()
    }

    fn note(&mut self, step: StepIndex, what: Happened) {
        self.entries.push((step, what));
    }

    fn mask(&self, text: String) -> String {
        self.masks.iter().fold(text, |text, mask| {
            if text.contains(mask.as_str()) {
                text.replace(mask.as_str(), "•••")
            } else {
                text
            }
        })
    }

    /// Drives the run until it has ended, or until this process lets go of it.
    pub(crate) async fn drive(mut self, stored: StoredRun) -> Stopped {
        let stopped = match self.go(stored).await {
            Ok(stopped) => stopped,
            Err(stopped) => stopped,
        };
        // Whoever still asks is told; whatever still runs in the world goes on without us.
        self.rx.close();
        while let Ok(wake) = self.rx.try_recv() {
            if let Wake::Asked { reply, .. } = wake {
                let _ = reply.send(Err(RequestError::Stopping));
            }
        }
        stopped
    }

    async fn go(&mut self, stored: StoredRun) -> Result<Stopped, Stopped> {
        if !self.ended {
            self.pick_up(stored).await;
            self.begin();
        }
        loop {
            self.dispatch().await?;
            if !self.ended && self.is_over() {
                self.end_run().await?;
            }
            let idle = self.backlog.is_empty() && self.rx.is_empty();
            if self.ended && idle && self.tasks.is_empty() {
                return Ok(Stopped::Ended);
            }
            let wait = self.next_wait();
            let inner = Arc::clone(self.inner());
            let wake = tokio::select! {
                biased;
                () = std::future::ready(()), if !self.backlog.is_empty() => self.backlog.pop_front(),
                wake = self.rx.recv() => wake,
                () = inner.agent_ended.notified(), if self.agents_full => {
                    self.agents_full = false;
                    None
                }
                () = tokio::time::sleep(wait) => None,
                Some(_) = self.tasks.join_next(), if !self.tasks.is_empty() => None,
            };
            match wake {
                Some(Wake::Pause) => return Ok(Stopped::Paused),
                Some(wake) => self.handle(wake).await?,
                None => {}
            }
            self.due();
        }
    }

    fn begin(&mut self) {
        let band = self
            .known
            .inputs
            .get("band")
            .and_then(|band| band.as_str())
            .map(str::to_owned);
        let changes = self
            .progress
            .start(band.as_deref(), &mut RunGuards(&self.known));
        self.apply(changes);
    }

    fn is_over(&self) -> bool {
        self.active.is_empty() && (self.progress.is_complete() || self.progress.is_stuck())
    }

    /// What was at work when the last process ended: recorded, adopted, or treated as its author said.
    async fn pick_up(&mut self, stored: StoredRun) {
        let flow = self.flow();
        for (number, step) in stored.steps.into_iter().enumerate() {
            let Some(last) = step.history.last() else {
                continue;
            };
            // The limit across attempts counts from the first of the present series.
            let first = step
                .history
                .iter()
                .find(|known| known.attempt > step.earlier);
            if let Some(first) = first {
                self.series.insert(number, self.awake_of(first));
            }
            match step.state {
                StepState::Running => {
                    let job = match flow.steps[number].kind {
                        Kind::Run { .. } | Kind::Agent(_) => self.job(number, step.attempts).ok(),
                        _ => None,
                    };
                    let found = match job {
                        Some(job) => {
                            let inner = Arc::clone(self.inner());
                            inner.actions.find(job, last.handle.clone()).await
                        }
                        None => Found::Gone,
                    };
                    match found {
                        Found::Ended(finished) => {
                            self.active.insert(
                                number,
                                Active {
                                    attempt: step.attempts,
                                    stop: None,
                                },
                            );
                            self.attempt_ended(number, step.attempts, How::Finished(finished));
                        }
                        Found::Alive(activity) => {
                            let started = self.awake_of(last);
                            self.watch(
                                number,
                                step.attempts,
                                Box::pin(async { Ok(activity) }),
                                started,
                            );
                        }
                        Found::Gone => self.interrupted(number, step.attempts),
                    }
                }
                StepState::RetryWait => {
                    let clock = &self.inner().clock;
                    let left = last.due.unwrap_or(0).saturating_sub(clock.now());
                    // Whatever the clock says now: no wait was ever longer.
                    let left = left.min(millis(LONGEST_BACKOFF) * 2);
                    let due = clock.awake() + left;
                    self.waits.insert((due, Due::Retry(number, step.attempts)));
                }
                StepState::AwaitingApproval => {
                    let kind = last
                        .question
                        .as_ref()
                        .map_or(QuestionKind::Approval, |question| question.kind);
                    self.questions.insert(number, kind);
                    if let Some(due) = last.due {
                        self.dues
                            .insert((due, Due::Deadline(number, step.attempts)));
                    }
                }
                _ => {}
            }
        }
    }

    /// When an attempt began, on our clock: within one boot that is exact and leaves sleep out.
    fn awake_of(&self, attempt: &crate::AttemptView) -> u64 {
        let inner = self.inner();
        if attempt.boot == inner.boot {
            attempt.awake
        } else {
            inner
                .clock
                .awake()
                .saturating_sub(inner.clock.now().saturating_sub(attempt.started_at))
        }
    }

    fn interrupted(&mut self, step: StepIndex, attempt: u32) {
        let flow = self.flow();
        let definition = &flow.steps[step];
        let then = match definition.kind {
            Kind::Run { .. } | Kind::Agent(_) => definition.on_interrupt,
            _ => OnInterrupt::Rerun,
        };
        match then {
            OnInterrupt::Rerun => self.run_again(step, attempt),
            OnInterrupt::Fail => {
                let ended = AttemptEnd::new(StepState::Failed)
                    .with_message("it was cut off when the program that drove it ended");
                self.finish(step, attempt, ended);
            }
            OnInterrupt::Ask => {
                let question = Question {
                    kind: QuestionKind::Interrupted,
                    message: format!(
                        "`{}` was cut off, and nothing is known of what it had done. Run it again?",
                        definition.id
                    ),
                    form: Vec::new(),
                    due: None,
                };
                self.questions.insert(step, QuestionKind::Interrupted);
                self.progress.await_person(step);
                self.note(
                    step,
                    Happened::StepAsked {
                        step: definition.id.clone(),
                        attempt,
                        question,
                    },
                );
            }
        }
    }

    fn run_again(&mut self, step: StepIndex, attempt: u32) {
        self.progress.forgive(step);
        self.note(
            step,
            Happened::StepInterrupted {
                step: self.step_id(step),
                attempt,
            },
        );
        let changes = self.progress.requeue(step);
        self.apply(changes);
    }

    async fn handle(&mut self, wake: Wake) -> Result<(), Stopped> {
        match wake {
            Wake::Attached {
                step,
                attempt,
                handle,
                pane,
                worktree,
                agent,
            } => {
                if self.is_active(step, attempt) {
                    self.known.results[step].worktree.clone_from(&worktree);
                    let id = self.step_id(step);
                    self.note(
                        step,
                        Happened::StepAttached {
                            step: id,
                            attempt,
                            handle,
                            pane,
                            worktree,
                            agent,
                        },
                    );
                }
            }
            Wake::NeedsYou {
                step,
                attempt,
                message,
            } => {
                if self.is_active(step, attempt) {
                    let id = self.step_id(step);
                    let message = message.map(|message| self.mask(message));
                    self.note(
                        step,
                        Happened::StepNeedsYou {
                            step: id,
                            attempt,
                            message,
                        },
                    );
                }
            }
            Wake::Looked {
                step,
                number,
                answers,
            } => self.looked(step, number, answers),
            Wake::Ended { step, attempt, how } => self.attempt_ended(step, attempt, how),
            Wake::Asked { request, reply } => {
                let answer = self.request(request);
                // What was asked for is written down before whoever asked hears of it.
                if answer.is_ok() {
                    self.flush(None).await?;
                }
                let _ = reply.send(answer);
            }
            Wake::Pause => {}
        }
        Ok(())
    }

    fn is_active(&self, step: StepIndex, attempt: u32) -> bool {
        self.active
            .get(&step)
            .is_some_and(|active| active.attempt == attempt)
    }

    fn next_wait(&self) -> Duration {
        let clock = &self.inner().clock;
        let left = |dues: &BTreeSet<(u64, Due)>, now: u64| {
            let first = dues.first().map(|(due, _)| due.saturating_sub(now));
            first.unwrap_or(CLOCK_TRUST_MS)
        };
        let wait = left(&self.dues, clock.now()).min(left(&self.waits, clock.awake()));
        Duration::from_millis(wait.clamp(1, CLOCK_TRUST_MS))
    }

    /// Whatever time has come for.
    fn due(&mut self) {
        let clock = Arc::clone(&self.inner().clock);
        let next = |dues: &mut BTreeSet<(u64, Due)>, now: u64| {
            dues.first().filter(|(at, _)| *at <= now)?;
            dues.pop_first().map(|(_, due)| due)
        };
        while let Some(due) =
            next(&mut self.dues, clock.now()).or_else(|| next(&mut self.waits, clock.awake()))
        {
            match due {
                Due::AgentPlace => self.agents_full = false,
                Due::Retry(step, attempt) => {
                    let current = self.progress.step(step);
                    if current.state == StepState::RetryWait && current.attempts == attempt {
                        let changes = self.progress.requeue(step);
                        self.apply(changes);
                    }
                }
                Due::Deadline(step, attempt) => {
                    let current = self.progress.step(step);
                    if current.state == StepState::AwaitingApproval && current.attempts == attempt {
                        self.unanswered(step);
                    }
                }
            }
        }
    }

    fn unanswered(&mut self, step: StepIndex) {
        let flow = self.flow();
        let Kind::Approval(approval) = &flow.steps[step].kind else {
            return;
        };
        let given = |approved| Given {
            approved,
            form: serde_json::Map::new(),
            comment: None,
            by_timeout: true,
        };
        match approval.on_timeout {
            OnTimeout::Approve => self.answered(step, given(true)),
            OnTimeout::Reject => self.answered(step, given(false)),
            OnTimeout::Fail => {
                let attempt = self.progress.step(step).attempts;
                let ended =
                    AttemptEnd::new(StepState::TimedOut).with_message("nobody answered in time");
                self.questions.remove(&step);
                self.finish(step, attempt, ended);
            }
        }
    }

    // ---- starting ---------------------------------------------------------------------------

    /// Starts everything that may start now.
    async fn dispatch(&mut self) -> Result<(), Stopped> {
        if self.ended {
            return self.flush(None).await;
        }
        loop {
            let agents = if self.agents_full { 0 } else { u32::MAX };
            let Some(step) = self.progress.admit(agents) else {
                break;
            };
            if !self.may_start(step) {
                continue;
            }
            let attempt = self.progress.step(step).attempts;
            let flow = self.flow();
            let definition = &flow.steps[step];
            let id = definition.id.clone();
            let awake = self.inner().clock.awake();
            if attempt == self.progress.step(step).earlier + 1 {
                self.series.insert(step, awake);
            }
            let started = |prompt| Happened::StepStarted {
                step: id.clone(),
                attempt,
                prompt,
            };
            match &definition.kind {
                Kind::Approval(approval) => {
                    match scope::render(&flow, &self.eyes(), &approval.message) {
                        Ok(message) => {
                            let due = approval.timeout.map(|timeout| {
                                self.inner().clock.now().saturating_add(millis(timeout))
                            });
                            let question = Question {
                                kind: QuestionKind::Approval,
                                message: self.mask(message),
                                form: approval
                                    .form
                                    .iter()
                                    .map(|(name, input)| input.info(name))
                                    .collect(),
                                due,
                            };
                            self.questions.insert(step, QuestionKind::Approval);
                            self.note(
                                step,
                                Happened::StepAsked {
                                    step: id,
                                    attempt,
                                    question,
                                },
                            );
                            if let Some(due) = due {
                                self.dues.insert((due, Due::Deadline(step, attempt)));
                            }
                        }
                        Err(message) => {
                            self.note(step, started(None));
                            self.finish(
                                step,
                                attempt,
                                AttemptEnd::new(StepState::Failed).with_message(message),
                            );
                        }
                    }
                }
                Kind::Switch(switch) => {
                    let (taken, decision) = match scope::choose(&flow, &self.eyes_of(step), switch)
                    {
                        Ok(decided) => decided,
                        Err(unknown) => {
                            self.look(step, unknown);
                            continue;
                        }
                    };
                    self.answers.remove(&step);
                    self.note(step, started(None));
                    let ended = match taken {
                        Ok(branch) => AttemptEnd {
                            branch: branch.map(|branch| flow.branch_label(step, branch)),
                            chosen: branch,
                            output: Some(scope::branch_output(&flow, step, branch)),
                            decision: Some(decision),
                            ..AttemptEnd::new(StepState::Succeeded)
                        },
                        Err(message) => AttemptEnd {
                            decision: Some(decision),
                            ..AttemptEnd::new(StepState::Failed).with_message(message)
                        },
                    };
                    self.settle(step, attempt, ended);
                    self.flush(None).await?;
                }
                Kind::Value { template } => {
                    self.note(step, started(None));
                    let ended = match scope::render(&flow, &self.eyes(), template) {
                        Ok(text) => self.read_output(
                            step,
                            Finished {
                                output: text,
                                ..Finished::default()
                            },
                        ),
                        Err(message) => AttemptEnd::new(StepState::Failed).with_message(message),
                    };
                    self.settle(step, attempt, ended);
                    self.flush(None).await?;
                }
                Kind::Run { .. } | Kind::Agent(_) => match self.job(step, attempt) {
                    Err(message) => {
                        self.note(step, started(None));
                        self.settle(
                            step,
                            attempt,
                            AttemptEnd::new(StepState::Failed).with_message(message),
                        );
                    }
                    Ok(job) => {
                        let prompt = match &job.work {
                            Work::Agent { prompt, .. } => Some(self.mask(prompt.clone())),
                            Work::Script { .. } => None,
                        };
                        if prompt.is_some() {
                            self.flush(None).await?;
                            self.note(step, started(prompt));
                            if !self.flush_agent().await? {
                                self.progress.put_back(step);
                                self.agents_full = true;
                                let again = self.inner().clock.awake() + AGENT_POLL_MS;
                                self.waits.insert((again, Due::AgentPlace));
                                continue;
                            }
                        } else {
                            self.note(step, started(None));
                        }
                        self.active.insert(
                            step,
                            Active {
                                attempt,
                                stop: None,
                            },
                        );
                        self.acts.push((step, job));
                    }
                },
            }
        }
        self.flush(None).await
    }

    fn eyes(&self) -> Eyes<'_> {
        Eyes {
            known: &self.known,
            progress: &self.progress,
            outside: Outside::default(),
        }
    }

    /// Where a step works: a directory, and the worktree in place of it.
    fn directory(&self, step: StepIndex) -> Result<(String, Option<WorktreeWish>), String> {
        let flow = &self.known.flow;
        let definition = &flow.steps[step];
        let optional = |what: &str, source: &Option<String>| {
            source
                .as_deref()
                .map(|source| {
                    scope::render(flow, &self.eyes(), source)
                        .map_err(|message| format!("`{what}`: {message}"))
                })
                .transpose()
        };
        let below = |path: String| {
            std::path::Path::new(&self.cwd)
                .join(path)
                .display()
                .to_string()
        };
        let cwd = optional("cwd", &definition.cwd)?.map_or_else(|| self.cwd.clone(), below);
        let worktree = optional("worktree", &definition.worktree)?.map(|worktree| {
            if worktree == "new" {
                WorktreeWish::New
            } else {
                WorktreeWish::Path(below(worktree))
            }
        });
        Ok((cwd, worktree))
    }

    /// Folds everything that an attempt takes with it into the world.
    fn job(&self, step: StepIndex, attempt: u32) -> Result<Job, String> {
        let flow = &self.known.flow;
        let definition = &flow.steps[step];
        let eyes = self.eyes();
        let fold = |what: &str, source: &str| {
            scope::render(flow, &eyes, source).map_err(|message| format!("`{what}`: {message}"))
        };
        let optional = |what: &str, source: &Option<String>| {
            source
                .as_deref()
                .map(|source| fold(what, source))
                .transpose()
        };
        let work = match &definition.kind {
            Kind::Run { script } => Work::Script {
                script: script.clone(),
            },
            Kind::Agent(agent) => Work::Agent {
                backend: agent.backend.clone(),
                provider: optional("provider", &agent.provider)?,
                name: optional("name", &agent.name)?,
                model: optional("model", &agent.model)?,
                mode: optional("mode", &agent.mode)?,
                program: agent
                    .program
                    .iter()
                    .map(|part| fold("program", part))
                    .collect::<Result<_, _>>()?,
                prompt_by: agent.prompt_by,
                prompt: fold("prompt", &agent.prompt)?,
            },
            Kind::Value { .. } | Kind::Approval(_) | Kind::Switch(_) => {
                return Err("this kind of step does nothing outside".to_owned());
            }
        };
        let mut env = BTreeMap::new();
        for (name, source) in &definition.env {
            let value = fold(&format!("env.{name}"), source)?;
            if value.contains('\0') {
                return Err(format!("`env.{name}`: a zero byte can't reach a program"));
            }
            env.insert(name.clone(), value);
        }
        let (cwd, worktree) = self.directory(step)?;
        let key = JobKey {
            run: self.id.clone(),
            step: definition.id.clone(),
            attempt,
        };
        Ok(Job {
            key,
            work,
            env,
            cwd,
            worktree,
            watch_output: definition.idle_timeout.is_some(),
        })
    }

    /// Follows an attempt in a task of its own, which ends it when its time is over or it is stopped.
    fn watch(
        &mut self,
        step: StepIndex,
        attempt: u32,
        activity: Answer<'static, Result<Activity, ActionError>>,
        started_awake: u64,
    ) {
        let flow = self.flow();
        let definition = &flow.steps[step];
        let now = self.inner().clock.awake();
        let series = self.series.get(&step).copied().unwrap_or(started_awake);
        let left = |limit: Option<Duration>, since: u64| {
            limit
                .map(|limit| limit.saturating_sub(Duration::from_millis(now.saturating_sub(since))))
        };
        let limits = Limits {
            timeout: left(definition.timeout, started_awake),
            total: left(definition.total_timeout, series),
            idle: definition.idle_timeout,
        };
        let (stop, stopped) = oneshot::channel();
        self.active.insert(
            step,
            Active {
                attempt,
                stop: Some(stop),
            },
        );
        let key = JobKey {
            run: self.id.clone(),
            step: definition.id.clone(),
            attempt,
        };
        let inner = Arc::clone(self.inner());
        let tx = self.tx.clone();
        self.tasks.spawn(async move {
            let attached = |activity: &Activity| {
                let _ = tx.send(Wake::Attached {
                    step,
                    attempt,
                    handle: activity.handle.clone(),
                    pane: activity.pane,
                    worktree: activity.worktree.clone(),
                    agent: activity.agent.clone(),
                });
            };
            let asks = |message| {
                let _ = tx.send(Wake::NeedsYou {
                    step,
                    attempt,
                    message,
                });
            };
            let how = follow(&inner, key, activity, limits, stopped, attached, asks).await;
            // The run may have been let go of; the next process finds the attempt again.
            let _ = tx.send(Wake::Ended { step, attempt, how });
        });
    }

    // ---- writing ----------------------------------------------------------------------------

    /// Writes down what has come about, tells those who watch, and only then acts.
    async fn flush(&mut self, agents: Option<(u32, u32)>) -> Result<(), Stopped> {
        self.write(agents).await?;
        for (step, job) in std::mem::take(&mut self.acts) {
            let attempt = job.key.attempt;
            let inner = Arc::clone(self.inner());
            let activity: Answer<'static, _> =
                Box::pin(async move { inner.actions.start(job).await });
            let awake = self.inner().clock.awake();
            self.watch(step, attempt, activity, awake);
        }
        Ok(())
    }

    async fn flush_agent(&mut self) -> Result<bool, Stopped> {
        let limit = self.inner().limits.agents;
        let written = self.write(Some((1, limit))).await?;
        if !written {
            self.entries.clear();
        }
        Ok(written)
    }

    async fn write(&mut self, agents: Option<(u32, u32)>) -> Result<bool, Stopped> {
        if self.entries.is_empty() {
            return Ok(true);
        }
        let entries = Arc::new(std::mem::take(&mut self.entries));
        let inner = Arc::clone(self.inner());
        let mut in_trouble = false;
        let events = loop {
            let (now, awake) = (inner.clock.now(), inner.clock.awake());
            let written = inner
                .journal
                .commit(&self.id, now, awake, Arc::clone(&entries), agents);
            match written.await {
                Ok(events) => break events,
                Err(error) if error.is_passing() => {
                    in_trouble = true;
                    self.stand_still(error).await?;
                }
                Err(error) => return Err(error.into()),
            }
        };
        if in_trouble {
            inner.trouble(&self.id, None);
        }
        let Some(events) = events else {
            return Ok(false);
        };
        for event in events {
            inner.tell(event);
        }
        if std::mem::take(&mut self.freed_agents) {
            inner.agent_ended.notify_waiters();
        }
        Ok(true)
    }

    /// Nothing more is done while it can't be written down: says why, and waits a while.
    async fn stand_still(&mut self, error: StoreError) -> Result<(), Stopped> {
        let mut why = format!("the run stands still, its journal can't be written: {error}");
        if let Some(source) = std::error::Error::source(&error) {
            why = format!("{why}: {source}");
        }
        tracing::warn!(run = self.id, why);
        let inner = Arc::clone(self.inner());
        inner.trouble(&self.id, Some(why));
        tokio::select! {
            () = tokio::time::sleep(JOURNAL_AGAIN) => Ok(()),
            wake = self.rx.recv() => match wake {
                Some(Wake::Pause) => {
                    inner.trouble(&self.id, None);
                    Err(Stopped::Paused)
                }
                wake => {
                    self.backlog.extend(wake);
                    Ok(())
                }
            },
        }
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Queued(step) => self.note(
                    step,
                    Happened::StepQueued {
                        step: self.step_id(step),
                    },
                ),
                Change::Skipped(step, skip) => {
                    self.known.results[step] = StepResult::default();
                    self.note(
                        step,
                        Happened::StepSkipped {
                            step: self.step_id(step),
                            skip,
                        },
                    );
                }
                Change::Failed(step, message) => {
                    let ended = AttemptEnd::new(StepState::Failed).with_message(message);
                    self.note(
                        step,
                        Happened::StepEnded {
                            step: self.step_id(step),
                            attempt: 0,
                            ended,
                        },
                    );
                }
            }
        }
    }

    // ---- ending -----------------------------------------------------------------------------

    fn attempt_ended(&mut self, step: StepIndex, attempt: u32, how: How) {
        let ours = self
            .active
            .get(&step)
            .is_some_and(|active| active.attempt == attempt)
            && self.progress.step(step).state == StepState::Running;
        let ended = match how {
            How::Finished(finished) => self.read_output(step, finished),
            How::TimedOut(why) => AttemptEnd::new(StepState::TimedOut).with_message(why),
            How::Cancelled => AttemptEnd::new(StepState::Cancelled),
            How::NotStarted(error) => {
                AttemptEnd::new(StepState::Failed).with_message(self.mask(error.message))
            }
        };
        if matches!(self.known.flow.steps[step].kind, Kind::Agent(_)) {
            // Its place is free, here and in our other runs, once this is written.
            self.agents_full = false;
            self.freed_agents = true;
        }
        if ours {
            self.active.remove(&step);
            self.settle(step, attempt, ended);
        } else {
            let id = self.step_id(step);
            self.note(
                step,
                Happened::StepLate {
                    step: id,
                    attempt,
                    ended,
                },
            );
        }
    }

    /// Another attempt, or the end of the step.
    fn settle(&mut self, step: StepIndex, attempt: u32, ended: AttemptEnd) {
        let flow = self.flow();
        let definition = &flow.steps[step];
        if self.progress.may_retry(step, ended.state, ended.exit_code) {
            let before = attempt
                .saturating_sub(self.progress.step(step).earlier)
                .saturating_sub(1);
            let backoff = definition
                .retry
                .backoff
                .saturating_mul(1 << before.min(16))
                .min(LONGEST_BACKOFF);
            // Between three quarters and five quarters of it, so that many do not come back at once.
            let backoff = backoff
                .mul_f64(0.75 + 0.5 * jitter(&format!("{} {} {attempt}", self.id, definition.id)));
            let inner = self.inner();
            let elapsed = Duration::from_millis(
                inner
                    .clock
                    .awake()
                    .saturating_sub(self.series.get(&step).copied().unwrap_or(0)),
            );
            if definition
                .total_timeout
                .is_none_or(|total| elapsed + backoff < total)
            {
                let due = inner.clock.now() + millis(backoff);
                let wait = inner.clock.awake() + millis(backoff);
                self.progress.retry_later(step);
                self.waits.insert((wait, Due::Retry(step, attempt)));
                let id = definition.id.clone();
                self.note(
                    step,
                    Happened::StepRetries {
                        step: id,
                        attempt,
                        ended,
                        due,
                    },
                );
                return;
            }
        }
        self.finish(step, attempt, ended);
    }

    fn finish(&mut self, step: StepIndex, attempt: u32, ended: AttemptEnd) {
        self.known.results[step] = StepResult {
            state: Some(ended.state),
            output: ended.output.clone(),
            data: ended.data.clone(),
            exit_code: ended.exit_code,
            worktree: self.known.results[step].worktree.clone(),
            attempt,
        };
        let (state, chosen) = (ended.state, ended.chosen);
        let id = self.step_id(step);
        self.note(
            step,
            Happened::StepEnded {
                step: id,
                attempt,
                ended,
            },
        );
        let changes = self
            .progress
            .ended(step, state, chosen, &mut RunGuards(&self.known));
        self.apply(changes);
    }

    /// Whether what a step gave is what it must give.
    fn read_output(&self, step: StepIndex, finished: Finished) -> AttemptEnd {
        let definition = &self.known.flow.steps[step];
        let output = self.mask(finished.output.trim_end_matches(['\n', '\r']).to_owned());
        let structured = finished.structured.map(|text| self.mask(text));
        let mut ended = AttemptEnd {
            exit_code: finished.exit_code,
            output: Some(output),
            ..AttemptEnd::new(StepState::Succeeded)
        };
        if let Some(error) = finished.error {
            ended.state = StepState::Failed;
            ended.message = Some(self.mask(error));
        } else if let Some(code) = finished.exit_code.filter(|code| *code != 0) {
            ended.state = StepState::Failed;
            ended.message = Some(format!("exit code {code}"));
        }
        let source = structured
            .as_deref()
            .or(ended.output.as_deref())
            .unwrap_or_default();
        match (
            definition.output,
            serde_json::from_str::<serde_json::Value>(source.trim()),
        ) {
            (OutputType::Json, Ok(data)) => {
                if let Some(schema) = &definition.schema
                    && let Ok(validator) = jsonschema::validator_for(schema)
                    && let Err(error) = validator.validate(&data)
                    && ended.state == StepState::Succeeded
                {
                    ended.state = StepState::Failed;
                    ended.message = Some(format!("the output does not fit its schema: {error}"));
                }
                ended.data = Some(data);
            }
            (OutputType::Json, Err(error)) if ended.state == StepState::Succeeded => {
                ended.state = StepState::Failed;
                ended.message = Some(format!("the output is no JSON: {error}"));
            }
            (OutputType::Text, Ok(data)) if structured.is_some() => ended.data = Some(data),
            _ => {}
        }
        ended
    }

    async fn end_run(&mut self) -> Result<(), Stopped> {
        let flow = self.flow();
        let mut state = self.progress.outcome();
        let mut message = None;
        let mut output = None;
        if !self.progress.is_complete() {
            let waits: Vec<String> = flow
                .steps
                .iter()
                .enumerate()
                .filter(|(step, _)| !self.progress.step(*step).state.is_terminal())
                .map(|(_, step)| format!("`{}`", step.id))
                .collect();
            state = Outcome::Failed;
            message = Some(format!(
                "a mistake of the engine: nothing runs, and nothing could make {} run",
                waits.join(", ")
            ));
        }
        if let (Outcome::Succeeded, Some(wanted)) = (state, &flow.output) {
            let eyes = self.eyes();
            let rendered = scope::render(&flow, &eyes, &wanted.render).and_then(|text| {
                let file = wanted
                    .file
                    .as_deref()
                    .map(|file| scope::render(&flow, &eyes, file))
                    .transpose()?;
                Ok((file, text))
            });
            match rendered {
                Ok((file, text)) => {
                    let text = self.mask(text);
                    if let Some(file) = file {
                        let inner = Arc::clone(self.inner());
                        let written = inner
                            .actions
                            .write_output(self.cwd.clone(), file.clone(), text.clone())
                            .await;
                        if let Err(error) = written {
                            state = Outcome::Failed;
                            message = Some(format!(
                                "the output could not be written to `{file}`: {error}"
                            ));
                        }
                    }
                    output = Some(text);
                }
                Err(problem) => {
                    state = Outcome::Failed;
                    message = Some(format!("the output of the run: {problem}"));
                }
            }
        }
        let nothing_ran = self.progress.nothing_ran();
        if nothing_ran && message.is_none() {
            message = Some("nothing ran".to_owned());
        }
        self.note(
            0,
            Happened::RunEnded {
                state,
                nothing_ran,
                message,
                output,
            },
        );
        self.ended = true;
        self.flush(None).await
    }

    // ---- what a person asks for ---------------------------------------------------------------

    fn find(&self, id: &str) -> Result<StepIndex, RequestError> {
        self.known
            .flow
            .step(id)
            .ok_or_else(|| RequestError::UnknownStep {
                step: id.to_owned(),
            })
    }

    fn request(&mut self, request: Request) -> Result<(), RequestError> {
        match request {
            Request::Resume => {
                let cut: BTreeSet<StepIndex> = self
                    .states(|now| {
                        now.state == StepState::Cancelled
                            || now
                                .skip
                                .as_ref()
                                .is_some_and(|skip| skip.cause == SkipCause::RunCancelled)
                    })
                    .collect();
                if self.ended {
                    if cut.is_empty() {
                        return Err(RequestError::Ended);
                    }
                    let all = self.with_skipped_after(cut);
                    self.reset(&all);
                }
                Ok(())
            }
            Request::CancelRun => {
                if self.ended {
                    return Err(RequestError::Ended);
                }
                self.note(0, Happened::RunCancelled);
                let changes = self.progress.cancel();
                self.apply(changes);
                for step in 0..self.known.flow.steps.len() {
                    self.cancel_step(step);
                }
                Ok(())
            }
            Request::CancelStep { step } => {
                let step = self.find(&step)?;
                if self.progress.step(step).state.is_terminal() {
                    return Err(RequestError::StepEnded {
                        step: self.step_id(step),
                    });
                }
                self.cancel_step(step);
                Ok(())
            }
            Request::CancelBatch { batch } => {
                let flow = self.flow();
                let found = flow
                    .batches
                    .iter()
                    .find(|known| known.name == batch)
                    .ok_or(RequestError::UnknownBatch { batch })?;
                for step in &found.members {
                    self.cancel_step(*step);
                }
                Ok(())
            }
            Request::Answer { step, mut given } => {
                let number = self.find(&step)?;
                if self.progress.step(number).state != StepState::AwaitingApproval {
                    return Err(RequestError::NotAsked { step });
                }
                let flow = self.flow();
                if let (Kind::Approval(approval), true) = (&flow.steps[number].kind, given.approved)
                {
                    given.form = fill(&approval.form, &given.form).map_err(|error| {
                        RequestError::BadForm {
                            field: error.name,
                            message: error.message,
                        }
                    })?;
                }
                self.answered(number, given);
                Ok(())
            }
            Request::MarkSucceeded { step, output } => {
                let number = self.find(&step)?;
                let attempt = self.set_aside(number);
                self.note(
                    number,
                    Happened::StepStarted {
                        step,
                        attempt,
                        prompt: None,
                    },
                );
                let mut ended = self.read_output(
                    number,
                    Finished {
                        output,
                        ..Finished::default()
                    },
                );
                if ended.state != StepState::Succeeded {
                    ended.state = StepState::Succeeded;
                }
                ended.message = Some("marked by a person".to_owned());
                self.finish(number, attempt, ended);
                self.begin();
                Ok(())
            }
            Request::MarkSkipped { step } => {
                let number = self.find(&step)?;
                self.set_aside(number);
                let changes = self
                    .progress
                    .skipped_by_user(number, &mut RunGuards(&self.known));
                self.apply(changes);
                self.begin();
                Ok(())
            }
            Request::RetryFailed => {
                let failed: BTreeSet<StepIndex> = self
                    .states(|now| {
                        matches!(
                            now.state,
                            StepState::Failed
                                | StepState::TimedOut
                                | StepState::Rejected
                                | StepState::Cancelled
                        )
                    })
                    .collect();
                if failed.is_empty() {
                    return Err(RequestError::NothingFailed);
                }
                let all = self.with_skipped_after(failed);
                self.reset(&all);
                Ok(())
            }
            Request::RerunFrom { step, following } => {
                let number = self.find(&step)?;
                let steps = if following {
                    self.progress.downstream(number)
                } else {
                    BTreeSet::from([number])
                };
                self.reset(&steps);
                Ok(())
            }
        }
    }

    fn states(
        &self,
        wanted: impl Fn(&crate::decide::StepNow) -> bool,
    ) -> impl Iterator<Item = StepIndex> {
        let found: Vec<StepIndex> = (0..self.known.flow.steps.len())
            .filter(|step| wanted(self.progress.step(*step)))
            .collect();
        found.into_iter()
    }

    /// `steps`, and what was skipped after them: what ran in spite of them keeps its result.
    fn with_skipped_after(&self, steps: BTreeSet<StepIndex>) -> BTreeSet<StepIndex> {
        let mut all = steps.clone();
        for step in steps {
            all.extend(
                self.progress
                    .downstream(step)
                    .into_iter()
                    .filter(|after| self.progress.step(*after).state == StepState::Skipped),
            );
        }
        all
    }

    /// Makes way for what a person says of a step. Gives the number of the attempt that stands for it.
    fn set_aside(&mut self, step: StepIndex) -> u32 {
        let steps = self.with_skipped_after(BTreeSet::from([step]));
        self.forget(&steps);
        self.progress.forced_attempt(step)
    }

    /// Begins steps anew; earlier attempts are kept.
    fn reset(&mut self, steps: &BTreeSet<StepIndex>) {
        self.forget(steps);
        self.begin();
    }

    fn forget(&mut self, steps: &BTreeSet<StepIndex>) {
        if self.ended || self.progress.is_cancelled() {
            self.ended = false;
            self.note(0, Happened::RunResumed);
        }
        self.forget_looks(steps);
        for step in steps {
            // Its result will be late, and be recorded as that.
            if let Some(mut active) = self.active.remove(step)
                && let Some(stop) = active.stop.take()
            {
                let _ = stop.send(());
            }
            self.questions.remove(step);
            self.known.results[*step] = StepResult::default();
        }
        let ids = steps.iter().map(|step| self.step_id(*step)).collect();
        self.note(0, Happened::StepsReset { steps: ids });
        self.progress = Progress::restore(self.flow(), self.progress.recorded(steps), false);
    }

    fn cancel_step(&mut self, step: StepIndex) {
        match self.progress.step(step).state {
            StepState::Running | StepState::AwaitingApproval
                if self.looking.contains_key(&step) =>
            {
                if let Some(look) = self.looking.get_mut(&step) {
                    look.cancelled = true;
                }
            }
            StepState::Running => {
                if let Some(active) = self.active.get_mut(&step)
                    && let Some(stop) = active.stop.take()
                {
                    // Written down when it is gone.
                    let _ = stop.send(());
                }
            }
            StepState::Pending
            | StepState::Queued
            | StepState::RetryWait
            | StepState::AwaitingApproval => {
                self.questions.remove(&step);
                let attempt = self.progress.step(step).attempts;
                self.finish(step, attempt, AttemptEnd::new(StepState::Cancelled));
            }
            _ => {}
        }
    }

    fn answered(&mut self, step: StepIndex, given: Given) {
        let flow = self.flow();
        let attempt = self.progress.step(step).attempts;
        let id = self.step_id(step);
        self.note(
            step,
            Happened::StepAnswered {
                step: id.clone(),
                attempt,
                answer: given.clone(),
            },
        );
        let kind = self
            .questions
            .remove(&step)
            .unwrap_or(QuestionKind::Approval);
        match (kind, &flow.steps[step].kind) {
            (QuestionKind::Interrupted, _) if given.approved => self.run_again(step, attempt),
            (QuestionKind::Interrupted, _) => {
                let ended = AttemptEnd::new(StepState::Failed)
                    .with_message("it was cut off, and a person let it be");
                self.finish(step, attempt, ended);
            }
            (QuestionKind::Approval, Kind::Approval(approval)) => {
                if let (false, Some(goto)) = (given.approved, approval.goto) {
                    let ended = AttemptEnd {
                        message: given.comment.clone(),
                        ..AttemptEnd::new(StepState::Rejected)
                    };
                    self.note(
                        step,
                        Happened::StepLate {
                            step: id,
                            attempt,
                            ended,
                        },
                    );
                    let steps = self.progress.downstream(goto);
                    self.reset(&steps);
                    return;
                }
                let state = if given.approved {
                    StepState::Succeeded
                } else {
                    StepState::Rejected
                };
                let ended = AttemptEnd {
                    output: Some(
                        if given.approved {
                            "approved"
                        } else {
                            "rejected"
                        }
                        .to_owned(),
                    ),
                    data: Some(serde_json::Value::Object(given.form)),
                    message: given.comment.or_else(|| {
                        given
                            .by_timeout
                            .then(|| "nobody answered in time".to_owned())
                    }),
                    ..AttemptEnd::new(state)
                };
                self.finish(step, attempt, ended);
            }
            (QuestionKind::Approval, _) => {}
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

struct Limits {
    timeout: Option<Duration>,
    total: Option<Duration>,
    idle: Option<Duration>,
}

/// Waits for an attempt, and ends it when its time is over or it is stopped. What is reported as ended is gone.
async fn follow(
    inner: &Arc<Inner>,
    key: JobKey,
    activity: Answer<'static, Result<Activity, ActionError>>,
    limits: Limits,
    mut stopped: oneshot::Receiver<()>,
    attached: impl FnOnce(&Activity),
    asks: impl Fn(Option<String>),
) -> How {
    // Not raced against the stop: what is being started must be known before it can be ended.
    let mut activity = match activity.await {
        Ok(activity) => activity,
        Err(error) => return How::NotStarted(error),
    };
    attached(&activity);
    let over = async |limit: Option<Duration>| match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    };
    let mut asked = activity.asks.clone();
    let needs_you = async {
        let Some(asked) = &mut asked else {
            return std::future::pending().await;
        };
        let mut told = None;
        loop {
            let now = asked.borrow_and_update().clone();
            if now != told {
                asks(now.clone());
                told = now;
            }
            if asked.changed().await.is_err() {
                return std::future::pending::<()>().await;
            }
        }
    };
    let mut person = activity.asks.clone();
    let idle = async {
        match (limits.idle, &mut activity.output) {
            (Some(limit), Some(output)) => loop {
                // A person who is asked may take their time.
                if let Some(person) = &mut person {
                    let _ = person.wait_for(Option::is_none).await;
                }
                match tokio::time::timeout(limit, output.changed()).await {
                    Err(_) if person.as_ref().is_some_and(|asks| asks.borrow().is_some()) => {}
                    Err(_) => break,
                    Ok(Ok(())) => {}
                    // Nothing more will be printed; it ends soon, or its other limits end it.
                    Ok(Err(_)) => std::future::pending().await,
                }
            },
            _ => std::future::pending().await,
        }
    };
    let how = tokio::select! {
        biased;
        finished = &mut activity.ended => return How::Finished(finished),
        stop = &mut stopped => match stop {
            Ok(()) => How::Cancelled,
            // The run was let go of: so is the attempt.
            Err(_) => std::future::pending().await,
        },
        () = over(limits.timeout) => How::TimedOut("it took longer than its `timeout`"),
        () = over(limits.total) => How::TimedOut("it took longer than its `total_timeout`"),
        () = needs_you => std::future::pending().await,
        () = idle => How::TimedOut("it printed nothing for longer than its `idle_timeout`"),
    };
    inner.actions.end(key, activity.handle.clone()).await;
    how
}

/// The event as those who watch get it.
impl Inner {
    fn tell(&self, event: FlowEvent) {
        // Nobody may be watching.
        let _ = self.events.send(event);
    }
}

#[cfg(test)]
mod tests;
