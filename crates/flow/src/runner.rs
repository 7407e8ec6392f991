//! One run, driven: choose the next step, write it down, act, write down what came of it.
//!
//! A [`Driver`] is one loop over one closed enum, [`Wake`]: everything that can move a run is an arm of
//! it. Each pass works out what follows from what woke it, commits that as one transaction, and only
//! then acts. What an attempt does in the world happens in a task of its own, which reports back.

mod asked;
mod ending;
mod lists;
mod looking;
mod resuming;
mod rounds;
mod starting;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use looking::Look;
use secrets::Secrets;
use store::StoreError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::action::{ActionError, Answer, Ended, Job, StepAgent};
use crate::decide::{Change, Guarded, Guards, Progress, Recorded, StepState};
use crate::definition::outside::{self, Answers, Outside};
use crate::definition::{Flow, InputType, StepIndex};
use crate::journal::{AttemptEnd, Happened, QuestionKind, StoredRun, StoredStep};
use crate::request::{Request, RequestError};
use crate::scope::{self, StepResult, Values};
use crate::shared::Shared;

/// How often a place among the agents is asked for again, when another process may hold it.
const AGENT_POLL_MS: u64 = 200;
/// The longest wait between two attempts.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);
/// People's clocks jump: no wait trusts them for longer than this.
const CLOCK_TRUST_MS: u64 = 30_000;
/// How long it may take until what is begun in the world is known there.
const BEGINS_WITHIN: Duration = Duration::from_secs(5);
/// How often a journal that can't be written is tried again.
const JOURNAL_AGAIN: Duration = Duration::from_secs(1);

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
    /// The program of an attempt has ended, and something that it left behind keeps the attempt from ending.
    Held {
        step: StepIndex,
        attempt: u32,
        message: String,
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
        /// The number under which another process left it in the journal.
        left: Option<i64>,
        reply: oneshot::Sender<Result<(), RequestError>>,
    },
    /// The process ends; the run goes on in the next.
    Pause,
}

/// How an attempt came to its end.
#[derive(Debug)]
pub(crate) enum How {
    Ended(Ended),
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
    shared: Arc<Shared>,
    flow: Arc<Flow>,
    inputs: serde_json::Map<String, serde_json::Value>,
    run: serde_json::Map<String, serde_json::Value>,
    results: Vec<StepResult>,
    /// What steps came to in the round before.
    last: Vec<StepResult>,
    /// Values that are never written down: those of our environment, and those that the run was handed.
    secrets: Secrets,
    /// Those that the run was handed.
    handed: Secrets,
}

/// What templates are folded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// A text that people read, in which a secret may be covered.
    People,
    /// A program, an agent, a condition: what was covered is not what they would have to see.
    Work,
}

struct Eyes<'k> {
    known: &'k Known,
    progress: &'k Progress,
    outside: Outside,
    seen_by: For,
    /// Whose they are; none: the run's.
    step: Option<StepIndex>,
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
    fn last(&self, step: StepIndex) -> StepResult {
        self.known.last[step].clone()
    }
    fn round(&self, repeat: StepIndex) -> u32 {
        self.progress.round(repeat)
    }
    fn item(&self) -> Option<(serde_json::Value, u32)> {
        let item = self.known.flow.steps[self.step?].item.as_ref()?;
        Some((item.value.clone(), item.index))
    }
    fn run(&self) -> serde_json::Map<String, serde_json::Value> {
        self.known.run.clone()
    }
    fn env(&self, name: &str) -> Option<String> {
        self.known.shared.actions.env(name)
    }
    fn outside(&self) -> Outside {
        self.outside.clone()
    }
    fn withheld(&self, result: &StepResult) -> bool {
        let covered = |text: &str| self.known.secrets.were_covered_in(text);
        self.seen_by == For::Work
            && (result.output.as_deref().is_some_and(covered)
                || result
                    .data
                    .as_ref()
                    .is_some_and(|data| covered(data.text())))
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
            seen_by: For::Work,
            step: Some(step),
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

impl StoredStep {
    /// What templates see of it.
    fn result(&self) -> StepResult {
        match self.history.last() {
            Some(last) if self.state.is_terminal() && self.state != StepState::Skipped => {
                rounds::result_of(last, self.state)
            }
            Some(last) => StepResult {
                worktree: last.worktree.clone(),
                ..StepResult::default()
            },
            None => StepResult::default(),
        }
    }

    /// What decisions see of it.
    fn recorded(&self) -> Recorded {
        Recorded {
            state: self.state,
            skip: self.skip.clone(),
            branch: self.branch,
            attempts: self.attempts,
            earlier: self.earlier,
        }
    }
}

/// An attempt that is at work.
struct Active {
    attempt: u32,
    /// Since when, on the clock that stands still in sleep; none: it is about to begin.
    since: Option<u64>,
    /// It is known by what it is found again.
    attached: bool,
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
    progress: Progress,
    active: HashMap<StepIndex, Active>,
    /// When the first attempt of the present series began, on the clock that stands still in sleep.
    series: HashMap<StepIndex, u64>,
    questions: HashMap<StepIndex, QuestionKind>,
    /// What the agents of attempts were asked once more.
    again: HashMap<(StepIndex, u32), String>,
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
    /// The request of another process that the entries carry out.
    answered: Option<i64>,
    acts: Vec<(StepIndex, Job)>,
    tasks: JoinSet<()>,
    ended: bool,
    /// It had ended when this process took it up.
    came_ended: bool,
    tx: mpsc::UnboundedSender<Wake>,
    rx: mpsc::UnboundedReceiver<Wake>,
}

impl Driver {
    pub(crate) fn new(
        shared: Arc<Shared>,
        stored: &StoredRun,
        flow: Arc<Flow>,
    ) -> (Self, mpsc::UnboundedSender<Wake>) {
        let (tx, rx) = mpsc::unbounded_channel();
        let secrets = shared.secrets_of(&flow, &stored.inputs);
        let given: BTreeMap<&str, String> = shared.secret_inputs(&flow, &stored.inputs).collect();
        let handed = Secrets::new(given.values().cloned());
        let mut inputs = stored.inputs.clone();
        // What is kept of a secret is a name, which is no value of it.
        inputs.retain(|name, _| {
            let mut known = flow.inputs.iter();
            !known.any(|(known, input)| known == name && input.kind == InputType::Secret)
        });
        for (name, secret) in given {
            inputs.insert(name.to_owned(), secret.into());
        }
        let mut run = serde_json::Map::new();
        run.insert("id".to_owned(), stored.id.as_str().into());
        run.insert("flow".to_owned(), flow.name.as_str().into());
        let started =
            jiff::Timestamp::from_millisecond(i64::try_from(stored.started_at).unwrap_or(0))
                .map(|time| time.to_string())
                .unwrap_or_default();
        run.insert("started_at".to_owned(), started.into());
        let results = stored.steps.iter().map(StoredStep::result).collect();
        let last = rounds::last_of(&flow, &stored.steps);
        let guarded = (0..stored.steps.len())
            .filter(|step| stored.steps[*step].guard.is_some())
            .collect();
        let again = stored
            .steps
            .iter()
            .enumerate()
            .filter_map(|(number, step)| {
                let last = step.history.last()?;
                Some(((number, last.attempt), last.asked_again.clone()?))
            })
            .collect();
        let recorded = stored.steps.iter().map(StoredStep::recorded).collect();
        let band = inputs.get("band").and_then(|band| band.as_str());
        let band = band.map(str::to_owned);
        let driver = Self {
            id: stored.id.clone(),
            cwd: stored.cwd.clone(),
            progress: Progress::restore(Arc::clone(&flow), band, recorded, stored.cancelled),
            known: Known {
                shared,
                flow,
                inputs,
                run,
                results,
                last,
                secrets,
                handed,
            },
            active: HashMap::new(),
            series: HashMap::new(),
            questions: HashMap::new(),
            again,
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
            answered: None,
            acts: Vec::new(),
            tasks: JoinSet::new(),
            ended: stored.ended,
            came_ended: stored.ended,
            tx: tx.clone(),
            rx,
        };
        (driver, tx)
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.known.shared
    }

    fn flow(&self) -> Arc<Flow> {
        Arc::clone(&self.known.flow)
    }

    fn step_id(&self, step: StepIndex) -> String {
        self.known.flow.steps[step].id.clone()
    }

    fn note(&mut self, step: StepIndex, what: Happened) {
        self.entries.push((self.known.flow.steps[step].place, what));
    }

    /// Notes how an attempt ended that decides nothing any more.
    fn note_late(&mut self, step: StepIndex, attempt: u32, ended: AttemptEnd) {
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
            let shared = Arc::clone(self.shared());
            let wake = tokio::select! {
                biased;
                () = std::future::ready(()), if !self.backlog.is_empty() => self.backlog.pop_front(),
                wake = self.rx.recv() => wake,
                () = shared.agent_ended.notified(), if self.agents_full => {
                    self.agents_full = false;
                    None
                }
                () = tokio::time::sleep(wait) => None,
                Some(_) = self.tasks.join_next(), if !self.tasks.is_empty() => None,
            };
            match wake {
                Some(Wake::Pause) => {
                    // Longer than anything that begins takes; then it is as if this process had been killed.
                    let known = tokio::time::timeout(BEGINS_WITHIN, self.know_what_begins());
                    known.await.unwrap_or(Ok(()))?;
                    return Ok(Stopped::Paused);
                }
                Some(wake) => self.handle(wake).await?,
                None => {}
            }
            self.due();
        }
    }

    /// Waits until all that is being begun in the world is written down as begun: the next process would find nothing of it,
    /// and would have to take it for cut off.
    async fn know_what_begins(&mut self) -> Result<(), Stopped> {
        while self.active.values().any(|active| !active.attached) {
            match self.rx.recv().await {
                Some(Wake::Asked { reply, .. }) => {
                    let _ = reply.send(Err(RequestError::Stopping));
                }
                // How one ended that can be found is for the next process to see.
                Some(Wake::Ended { step, .. })
                    if self.active.get(&step).is_none_or(|active| active.attached) => {}
                Some(wake) => {
                    self.handle(wake).await?;
                    self.write(None).await?;
                }
                None => break,
            }
        }
        Ok(())
    }

    fn begin(&mut self) {
        let changes = self.progress.start(&mut RunGuards(&self.known));
        self.apply(changes);
    }

    fn is_over(&self) -> bool {
        self.active.is_empty() && (self.progress.is_complete() || self.progress.is_stuck())
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
                    if let Some(active) = self.active.get_mut(&step) {
                        active.attached = true;
                    }
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
                    let message = message.map(|message| self.known.secrets.cover(message));
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
            Wake::Held {
                step,
                attempt,
                message,
            } => {
                if self.is_active(step, attempt) {
                    let id = self.step_id(step);
                    self.note(
                        step,
                        Happened::StepHeld {
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
            Wake::Asked {
                request,
                left,
                reply,
            } => {
                let answer = self.request(request);
                // What was asked for is written down before whoever asked hears of it; another process hears of it
                // there, even when this one is gone by then.
                if answer.is_ok() {
                    self.answered = left;
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
        let clock = &self.shared().clock;
        let left = |dues: &BTreeSet<(u64, Due)>, now: u64| {
            let first = dues.first().map(|(due, _)| due.saturating_sub(now));
            first.unwrap_or(CLOCK_TRUST_MS)
        };
        let wait = left(&self.dues, clock.now_ms()).min(left(&self.waits, clock.awake_ms()));
        Duration::from_millis(wait.clamp(1, CLOCK_TRUST_MS))
    }

    /// Whatever time has come for.
    fn due(&mut self) {
        let clock = self.shared().clock.clone();
        let next = |dues: &mut BTreeSet<(u64, Due)>, now: u64| {
            dues.first().filter(|(at, _)| *at <= now)?;
            dues.pop_first().map(|(_, due)| due)
        };
        while let Some(due) =
            next(&mut self.dues, clock.now_ms()).or_else(|| next(&mut self.waits, clock.awake_ms()))
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

    /// Writes down what has come about, tells those who watch, and only then acts.
    async fn flush(&mut self, agents: Option<(u32, u32)>) -> Result<(), Stopped> {
        self.write(agents).await?;
        for (step, job) in std::mem::take(&mut self.acts) {
            let attempt = job.key.attempt;
            let shared = Arc::clone(self.shared());
            let activity: Answer<'static, _> =
                Box::pin(async move { shared.actions.start(job).await });
            let since = self.active.get(&step).and_then(|active| active.since);
            let since = since.unwrap_or_else(|| self.shared().clock.awake_ms());
            self.watch(step, attempt, activity, since);
        }
        Ok(())
    }

    async fn flush_agent(&mut self) -> Result<bool, Stopped> {
        let limit = self.shared().limits.agents;
        let written = self.write(Some((1, limit))).await?;
        if !written {
            self.entries.clear();
        }
        Ok(written)
    }

    async fn write(&mut self, agents: Option<(u32, u32)>) -> Result<bool, Stopped> {
        let answered = self.answered.take();
        if self.entries.is_empty() && answered.is_none() {
            return Ok(true);
        }
        let entries = Arc::new(std::mem::take(&mut self.entries));
        let shared = Arc::clone(self.shared());
        let mut in_trouble = false;
        let events = loop {
            let (now, awake) = (shared.clock.now_ms(), shared.clock.awake_ms());
            let written =
                shared
                    .journal
                    .commit(&self.id, now, awake, Arc::clone(&entries), agents, answered);
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
            shared.trouble(&self.id, None);
        }
        let Some(events) = events else {
            return Ok(false);
        };
        for event in events {
            shared.tell(event);
        }
        if std::mem::take(&mut self.freed_agents) {
            shared.agent_ended.notify_waiters();
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
        let shared = Arc::clone(self.shared());
        shared.trouble(&self.id, Some(why));
        tokio::select! {
            () = tokio::time::sleep(JOURNAL_AGAIN) => Ok(()),
            wake = self.rx.recv() => match wake {
                Some(Wake::Pause) => {
                    shared.trouble(&self.id, None);
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
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The event as those who watch get it.
#[cfg(test)]
mod tests;
