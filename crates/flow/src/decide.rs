//! Pure decisions: what is ready, what is skipped and why, what a switch chose, what may start now.
//!
//! [`Progress`] is where a run stands. Whoever drives it says what happened ([`Progress::start`],
//! [`Progress::ended`] …) and gets back what follows from it. There is no clock and no
//! outside here, so a run is decided the same way when it is simulated, resumed or replayed. An ending
//! costs what depends on the step that ended, not what the flow holds.

mod links;
mod lists;
mod rounds;
mod rules;
mod state;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::definition::{Branch, Flow, Gate, Kind, Need, StepIndex, StepKind, Trigger};
use links::Links;
use lists::WithoutList;
pub(crate) use rounds::Judged;
use rules::{Edge, Tally, Verdict, judge};
pub use state::{Decision, Outcome, Skip, SkipCause, StepState, Tried};

/// What follows from what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// All that the step waited for is there, and its guard holds: it waits for a place.
    Queued(StepIndex),
    /// It did not run.
    Skipped(StepIndex, Skip),
    /// Its guard could not be evaluated, so it has failed.
    Failed(StepIndex, String),
}

/// What a step's guard said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Guarded {
    Holds,
    False,
    Error(String),
}

/// Evaluates the guard of a step that could run; without one, it holds.
///
/// It is asked in the middle of a transition, when everything upstream is settled: what came of a step
/// never depends on the order in which the consequences of one ending are worked out.
pub(crate) trait Guards {
    fn guard(&mut self, progress: &Progress, step: StepIndex) -> Guarded;
}

/// How the gates of a step stand, all together.
#[derive(Debug, Clone, PartialEq, Eq)]
enum GatesNow {
    Open,
    Passed,
    Closed(Skip),
}

/// One step, now.
#[derive(Debug, Clone)]
pub(crate) struct StepNow {
    pub(crate) state: StepState,
    pub(crate) skip: Option<Skip>,
    /// For a switch that has decided: the branch that was taken.
    pub(crate) branch: Option<Branch>,
    /// Attempts so far.
    pub(crate) attempts: u32,
    /// How many of them were before the last time that the step was begun anew.
    pub(crate) earlier: u32,
    tally: Tally,
    /// How many of its suspects are known to have ended; see [`Links`].
    cleared: usize,
}

/// Where a queued step stands in line, and what it needs a place in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Lane {
    batch: Option<usize>,
    agent: bool,
    /// Holds no place: an approval.
    free: bool,
}

/// Where a run stands.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    flow: Arc<Flow>,
    /// The band of the run: steps of others do not take part.
    band: Option<String>,
    links: Arc<Links>,
    steps: Vec<StepNow>,
    /// Per batch: its members as edges, and whether its own edge was told to those who need it.
    batches: Vec<(Tally, bool)>,
    lanes: BTreeMap<Lane, VecDeque<(u64, StepIndex)>>,
    next_place: u64,
    running: u32,
    running_in_batch: Vec<u32>,
    /// Steps that are not terminal.
    open: usize,
    /// Steps that are queued, running, waiting or retrying.
    alive: usize,
    cancelled: bool,
}

impl Progress {
    /// A run in which nothing has happened.
    pub(crate) fn new(flow: Arc<Flow>, band: Option<String>) -> Self {
        let steps = flow
            .steps
            .iter()
            .map(|step| StepNow {
                state: StepState::Pending,
                skip: None,
                branch: None,
                attempts: 0,
                earlier: 0,
                tally: Tally::of(step.needs.len()),
                cleared: 0,
            })
            .collect();
        let batches = flow
            .batches
            .iter()
            .map(|batch| (Tally::of(batch.members.len()), false))
            .collect();
        Self {
            links: Arc::new(Links::of(&flow)),
            band,
            steps,
            batches,
            lanes: BTreeMap::new(),
            next_place: 0,
            running: 0,
            running_in_batch: vec![0; flow.batches.len()],
            open: flow.steps.len(),
            alive: 0,
            cancelled: false,
            flow,
        }
    }

    /// A run as it was recorded. Follow with [`Progress::start`], which says what could run now.
    pub(crate) fn restore(
        flow: Arc<Flow>,
        band: Option<String>,
        recorded: Vec<Recorded>,
        cancelled: bool,
    ) -> Self {
        let mut progress = Self::new(flow, band);
        progress.cancelled = cancelled;
        for (number, recorded) in recorded.into_iter().enumerate() {
            let step = &mut progress.steps[number];
            step.skip = recorded.skip;
            step.branch = recorded.branch;
            step.attempts = recorded.attempts;
            step.earlier = recorded.earlier;
            progress.enter(number, recorded.state);
        }
        for number in 0..progress.steps.len() {
            if progress.steps[number].state.is_terminal() {
                // What follows of it was recorded with it, so nothing new comes of this.
                progress.propagate(number, &mut Vec::new());
            }
        }
        progress
    }

    pub(crate) fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    pub(crate) fn step(&self, step: StepIndex) -> &StepNow {
        &self.steps[step]
    }

    /// Nothing more comes of the run.
    pub(crate) fn is_complete(&self) -> bool {
        self.open == 0
    }

    /// A step is pending and nothing is left that could make it run: a mistake of the engine.
    pub(crate) fn is_stuck(&self) -> bool {
        self.open > 0 && self.alive == 0
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// How the run ended; to be asked when it is complete.
    pub(crate) fn outcome(&self) -> Outcome {
        let counted = |state: &[StepState]| {
            self.steps.iter().zip(&self.flow.steps).any(|(now, step)| {
                // What items come to is told by their list as a whole.
                step.item.is_none() && !step.allow_failure && state.contains(&now.state)
            })
        };
        if counted(&[StepState::Failed, StepState::TimedOut, StepState::Rejected]) {
            Outcome::Failed
        } else if self.cancelled || counted(&[StepState::Cancelled]) {
            Outcome::Cancelled
        } else {
            Outcome::Succeeded
        }
    }

    /// Whether every step was skipped.
    pub(crate) fn nothing_ran(&self) -> bool {
        self.steps
            .iter()
            .all(|step| step.state == StepState::Skipped)
    }

    /// Begins the run, or goes on with a restored one: what could run is queued.
    pub(crate) fn start(&mut self, guards: &mut dyn Guards) -> Vec<Change> {
        let mut changes = Vec::new();
        let pending: Vec<StepIndex> = (0..self.steps.len())
            .filter(|step| self.steps[*step].state == StepState::Pending)
            .collect();
        self.cascade(pending, guards, &mut changes);
        changes
    }

    /// Gives the next step that may start now, oldest ready first, and reserves its place.
    ///
    /// `agents` is how many more agent processes there may be.
    pub(crate) fn admit(&mut self, agents: u32) -> Option<StepIndex> {
        let full = self.running >= self.flow.max_concurrent;
        let lane = self
            .lanes
            .iter()
            .filter(|(lane, _)| {
                lane.free
                    || !full
                        && (!lane.agent || agents > 0)
                        && lane.batch.is_none_or(|batch| {
                            self.running_in_batch[batch] < self.flow.batches[batch].max_concurrent
                        })
            })
            .filter_map(|(lane, queue)| Some((queue.front()?.0, *lane)))
            .min()?
            .1;
        let (_, number) = self.lanes.get_mut(&lane)?.pop_front()?;
        self.steps[number].attempts += 1;
        self.enter(
            number,
            if lane.free {
                StepState::AwaitingApproval
            } else {
                StepState::Running
            },
        );
        Some(number)
    }

    /// Puts a step that was admitted back in line, without an attempt: there was no place after all.
    pub(crate) fn put_back(&mut self, number: StepIndex) {
        self.steps[number].attempts -= 1;
        self.enter(number, StepState::Queued);
        let lane = self.lane(number);
        if let Some(queue) = self.lanes.get_mut(&lane)
            && let Some((_, last)) = queue.pop_back()
        {
            queue.push_front((0, last));
        }
    }

    /// Whether another attempt follows one that ended so.
    pub(crate) fn may_retry(
        &self,
        number: StepIndex,
        state: StepState,
        exit_code: Option<i32>,
    ) -> bool {
        let step = &self.flow.steps[number];
        let retry = &step.retry;
        if self.cancelled
            || matches!(step.kind, Kind::Approval(_))
            || self.steps[number].attempts - self.steps[number].earlier > retry.retries
        {
            return false;
        }
        match state {
            StepState::Failed => retry
                .only
                .as_ref()
                .is_none_or(|codes| exit_code.is_some_and(|code| codes.contains(&code))),
            StepState::TimedOut => retry.after_timeout,
            _ => false,
        }
    }

    /// The condition of a step that was admitted turned out not to hold once the world was looked at:
    /// it has not run, and there was no attempt.
    pub(crate) fn guarded(
        &mut self,
        number: StepIndex,
        guarded: Guarded,
        guards: &mut dyn Guards,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        if guarded == Guarded::Holds {
            return changes;
        }
        self.steps[number].attempts -= 1;
        match guarded {
            Guarded::Holds => {}
            Guarded::False => {
                let skip = self.skip(SkipCause::GuardFalse, number, false, None);
                self.mark_skipped(number, skip, &mut changes);
            }
            Guarded::Error(message) => {
                self.enter(number, StepState::Failed);
                changes.push(Change::Failed(number, message));
            }
        }
        self.follow(number, guards, &mut changes);
        changes
    }

    /// The step waits for its next attempt.
    pub(crate) fn retry_later(&mut self, number: StepIndex) {
        self.enter(number, StepState::RetryWait);
    }

    /// The wait is over, or an interrupted step is to run again.
    pub(crate) fn requeue(&mut self, number: StepIndex) -> Vec<Change> {
        self.enter(number, StepState::Queued);
        vec![Change::Queued(number)]
    }

    /// The last attempt was cut off through no fault of its own: it does not count against the retries.
    pub(crate) fn forgive(&mut self, number: StepIndex) {
        self.steps[number].earlier += 1;
    }

    /// An attempt that a person makes by saying how it ended. Gives its number.
    pub(crate) fn forced_attempt(&mut self, number: StepIndex) -> u32 {
        self.steps[number].attempts += 1;
        self.steps[number].attempts
    }

    /// An interrupted step waits for a person.
    pub(crate) fn await_person(&mut self, number: StepIndex) {
        self.enter(number, StepState::AwaitingApproval);
    }

    /// A step has ended, for good.
    pub(crate) fn ended(
        &mut self,
        number: StepIndex,
        state: StepState,
        branch: Option<Branch>,
        guards: &mut dyn Guards,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.steps[number].state.is_terminal() {
            return changes;
        }
        self.steps[number].branch = branch;
        self.enter(number, state);
        self.fail_fast(number, &mut changes);
        self.follow(number, guards, &mut changes);
        changes
    }

    /// A person skips a step that has not ended.
    pub(crate) fn skipped_by_user(
        &mut self,
        number: StepIndex,
        guards: &mut dyn Guards,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        if !self.steps[number].state.is_terminal() {
            let skip = self.skip(SkipCause::User, number, false, None);
            self.mark_skipped(number, skip, &mut changes);
            self.follow(number, guards, &mut changes);
        }
        changes
    }

    /// Whether a step tidies up after others, whatever came of them: it does so for a run that is ended as well.
    pub(crate) fn is_cleanup(&self, number: StepIndex) -> bool {
        let step = &self.flow.steps[number];
        step.trigger == Trigger::AllSettled && !step.needs.is_empty()
    }

    /// The run is ended: what has not begun never will, except what tidies up; ended once more, that neither. What runs
    /// must be ended by whoever drives, who then says [`Progress::start`].
    pub(crate) fn cancel(&mut self) -> Vec<Change> {
        let again = std::mem::replace(&mut self.cancelled, true);
        let mut changes = Vec::new();
        for number in 0..self.steps.len() {
            if matches!(
                self.steps[number].state,
                StepState::Pending | StepState::Queued
            ) && (again || !self.is_cleanup(number))
            {
                let skip = self.skip(SkipCause::RunCancelled, number, false, None);
                self.mark_skipped(number, skip, &mut changes);
                self.propagate(number, &mut Vec::new());
            }
        }
        changes
    }

    /// `steps`, and all that wait for any of them, directly or not.
    pub(crate) fn downstream(&self, steps: &BTreeSet<StepIndex>) -> BTreeSet<StepIndex> {
        let mut found = steps.clone();
        let mut open: Vec<StepIndex> = steps.iter().copied().collect();
        while let Some(step) = open.pop() {
            let batch = self.flow.steps[step].batch;
            let next = self.links.dependents[step]
                .iter()
                .chain(&self.links.gated[step])
                .chain(
                    batch
                        .iter()
                        .flat_map(|batch| &self.links.batch_dependents[*batch]),
                );
            for next in next {
                if found.insert(*next) {
                    open.push(*next);
                }
            }
        }
        found
    }

    /// The same run with `steps` begun anew, and not cancelled. Follow with [`Progress::start`].
    pub(crate) fn without(&self, steps: &BTreeSet<StepIndex>) -> Self {
        self.in_flow(Arc::clone(&self.flow), steps, false)
    }

    /// The same run by another form of its flow, which may have steps more, and with `steps` begun anew.
    fn in_flow(&self, flow: Arc<Flow>, steps: &BTreeSet<StepIndex>, cancelled: bool) -> Self {
        let recorded = self.steps.iter().enumerate().map(|(number, step)| {
            if steps.contains(&number) {
                Recorded {
                    state: StepState::Pending,
                    skip: None,
                    branch: None,
                    attempts: step.attempts,
                    earlier: step.attempts,
                }
            } else {
                Recorded {
                    state: step.state,
                    skip: step.skip.clone(),
                    branch: step.branch,
                    attempts: step.attempts,
                    earlier: step.earlier,
                }
            }
        });
        Self::restore(flow, self.band.clone(), recorded.collect(), cancelled)
    }

    fn lane(&self, number: StepIndex) -> Lane {
        let step = &self.flow.steps[number];
        let kind = step.kind.step_kind();
        // A list is opened and summed up; its items are what is at work.
        let free = kind == StepKind::Approval && step.foreach.is_none();
        Lane {
            batch: if free { None } else { step.batch },
            agent: kind == StepKind::Agent && step.foreach.is_none(),
            free,
        }
    }

    /// Moves a step to a state and keeps the counts.
    fn enter(&mut self, number: StepIndex, state: StepState) {
        let before = self.steps[number].state;
        let batch = self.flow.steps[number].batch;
        if before == StepState::Running {
            self.running -= 1;
            if let Some(batch) = batch {
                self.running_in_batch[batch] -= 1;
            }
        }
        if before == StepState::Queued && state != StepState::Running {
            let lane = self.lane(number);
            if let Some(queue) = self.lanes.get_mut(&lane) {
                queue.retain(|(_, queued)| *queued != number);
            }
        }
        let alive = |state: StepState| !state.is_terminal() && state != StepState::Pending;
        self.alive = self.alive + usize::from(alive(state)) - usize::from(alive(before));
        self.open =
            self.open + usize::from(!state.is_terminal()) - usize::from(!before.is_terminal());
        self.steps[number].state = state;
        if state == StepState::Running {
            self.running += 1;
            if let Some(batch) = batch {
                self.running_in_batch[batch] += 1;
            }
        }
        if state == StepState::Queued {
            let lane = self.lane(number);
            self.next_place += 1;
            self.lanes
                .entry(lane)
                .or_default()
                .push_back((self.next_place, number));
        }
    }

    fn skip(
        &self,
        cause: SkipCause,
        origin: StepIndex,
        tainted: bool,
        taken: Option<String>,
    ) -> Skip {
        Skip {
            cause,
            origin: self.flow.steps[origin].id.clone(),
            tainted,
            taken,
        }
    }

    /// Where it began that this step is as it is.
    fn origin_of(&self, number: StepIndex) -> StepIndex {
        self.steps[number]
            .skip
            .as_ref()
            .and_then(|skip| self.flow.step(&skip.origin))
            .unwrap_or(number)
    }

    fn mark_skipped(&mut self, number: StepIndex, skip: Skip, changes: &mut Vec<Change>) {
        self.steps[number].skip = Some(skip.clone());
        self.enter(number, StepState::Skipped);
        changes.push(Change::Skipped(number, skip));
    }

    /// Tells everything that waits for a step that it has ended, and everything that waits for that.
    fn follow(&mut self, number: StepIndex, guards: &mut dyn Guards, changes: &mut Vec<Change>) {
        let mut touched = Vec::new();
        self.propagate(number, &mut touched);
        self.cascade(touched, guards, changes);
    }

    /// Decides about `touched` and whatever that touches, each after all that it waits for.
    fn cascade(
        &mut self,
        touched: Vec<StepIndex>,
        guards: &mut dyn Guards,
        changes: &mut Vec<Change>,
    ) {
        let flow = Arc::clone(&self.flow);
        let ranked = |step: StepIndex| (flow.steps[step].rank, step);
        let mut open: BTreeSet<(usize, StepIndex)> = touched.into_iter().map(ranked).collect();
        while let Some((_, number)) = open.pop_first() {
            match self.decide(number) {
                None => continue,
                Some(Err(skip)) => self.mark_skipped(number, skip, changes),
                Some(Ok(())) => match self.guard(number, guards) {
                    Guarded::Holds => {
                        self.enter(number, StepState::Queued);
                        changes.push(Change::Queued(number));
                        continue;
                    }
                    Guarded::False => {
                        let skip = self.skip(SkipCause::GuardFalse, number, false, None);
                        self.mark_skipped(number, skip, changes);
                    }
                    Guarded::Error(message) => {
                        self.enter(number, StepState::Failed);
                        changes.push(Change::Failed(number, message));
                    }
                },
            }
            let mut touched = Vec::new();
            self.propagate(number, &mut touched);
            open.extend(touched.into_iter().map(ranked));
        }
    }

    /// Settles the edges from a step that has ended, and lists whom that touches.
    fn propagate(&mut self, number: StepIndex, touched: &mut Vec<StepIndex>) {
        let links = Arc::clone(&self.links);
        let flow = Arc::clone(&self.flow);
        let edge = self.edge(number);
        let origin = Some(self.origin_of(number));
        touched.extend(&links.gated[number]);
        touched.extend(&links.items[number]);
        for dependent in &links.dependents[number] {
            if self.drops(*dependent, number) {
                self.steps[*dependent].tally.drop_one();
            } else {
                self.steps[*dependent].tally.settle(edge, origin);
            }
            touched.push(*dependent);
        }
        if let Some(batch) = flow.steps[number].batch {
            self.batches[batch].0.settle(edge, origin);
            let (tally, told) = self.batches[batch];
            if tally.open == 0 && !told {
                self.batches[batch].1 = true;
                let (edge, origin) = match judge(flow.batches[batch].join, &tally) {
                    Verdict::Run => (Edge::Ok, None),
                    _ if tally.bad > 0 => (Edge::Bad, tally.first_bad),
                    _ => (Edge::Dead, tally.first_dead),
                };
                for dependent in &links.batch_dependents[batch] {
                    self.steps[*dependent].tally.settle(edge, origin);
                    touched.push(*dependent);
                }
            }
        }
    }

    /// Whether `dependent` does without `needed`: a switch that has both in its cases did not choose
    /// `needed`, and may have chosen `dependent` for another of its cases.
    fn drops(&self, dependent: StepIndex, needed: StepIndex) -> bool {
        let not_taken = self.steps[needed]
            .skip
            .as_ref()
            .is_some_and(|skip| skip.cause == SkipCause::BranchNotTaken);
        not_taken
            && self.flow.steps[dependent].gates.iter().any(|own| {
                let mut gates = self.flow.steps[needed].gates.iter();
                gates.any(|gate| gate.switch == own.switch && !self.chose(gate))
            })
    }

    /// Whether a switch chose what this gate stands for.
    fn chose(&self, gate: &Gate) -> bool {
        let switch = &self.steps[gate.switch];
        switch.state == StepState::Succeeded
            && switch
                .branch
                .is_some_and(|taken| gate.branches.contains(&taken))
    }

    /// How the edges from this step stand.
    fn edge(&self, number: StepIndex) -> Edge {
        let now = &self.steps[number];
        match now.state {
            StepState::Succeeded => Edge::Ok,
            StepState::Failed
            | StepState::TimedOut
            | StepState::Rejected
            | StepState::Cancelled => {
                if self.flow.steps[number].allow_failure {
                    Edge::Ok
                } else {
                    Edge::Bad
                }
            }
            StepState::Skipped => {
                if now.skip.as_ref().is_some_and(|skip| skip.tainted) {
                    Edge::Bad
                } else {
                    Edge::Dead
                }
            }
            _ => Edge::Open,
        }
    }

    /// What the gates of a step say together, once all of them are known: a switch that went bad outweighs
    /// one that chose otherwise, and that outweighs one that did not run.
    fn gates(&self, gates: &[Gate]) -> GatesNow {
        let mut first: [Option<StepIndex>; 3] = [None; 3];
        for gate in gates {
            let (weight, origin) = match self.edge(gate.switch) {
                Edge::Open => return GatesNow::Open,
                _ if self.chose(gate) => continue,
                // It succeeded with another choice, or it failed and that was allowed: nothing was chosen.
                Edge::Ok => (1, gate.switch),
                Edge::Bad => (0, self.origin_of(gate.switch)),
                Edge::Dead => (2, self.origin_of(gate.switch)),
            };
            let first = &mut first[weight];
            *first = Some(first.map_or(origin, |first| first.min(origin)));
        }
        match first {
            [Some(origin), ..] => {
                GatesNow::Closed(self.skip(SkipCause::UpstreamFailed, origin, true, None))
            }
            [None, Some(switch), _] => {
                let taken = self.steps[switch].branch;
                let taken = taken.map(|branch| self.flow.branch_label(switch, branch));
                GatesNow::Closed(self.skip(SkipCause::BranchNotTaken, switch, false, taken))
            }
            [None, None, Some(origin)] => {
                GatesNow::Closed(self.skip(SkipCause::AllInputsDead, origin, false, None))
            }
            [None, None, None] => GatesNow::Passed,
        }
    }

    /// Decides about a step that waits: nothing yet, it could run, or it is skipped.
    fn decide(&mut self, number: StepIndex) -> Option<Result<(), Skip>> {
        if self.steps[number].state != StepState::Pending {
            return None;
        }
        let flow = Arc::clone(&self.flow);
        let step = &flow.steps[number];
        if let Some(item) = &step.item
            && let Some(without) = self.without_list(number, item)
        {
            return match without {
                WithoutList::Waits => None,
                WithoutList::Skipped(skip) => Some(Err(skip)),
            };
        }
        if let Some(bands) = &step.bands
            && !self.band.as_ref().is_some_and(|band| bands.contains(band))
        {
            return Some(Err(self.skip(SkipCause::Band, number, false, None)));
        }
        match self.gates(&step.gates) {
            GatesNow::Open => return None,
            GatesNow::Closed(skip) => return Some(Err(skip)),
            GatesNow::Passed => {}
        }
        let mut tally = self.steps[number].tally;
        if tally.is_empty() && !step.gates.is_empty() {
            // What lets it through is all that there is to judge.
            tally = Tally::of(1);
            tally.settle(Edge::Ok, None);
        }
        let verdict = match &step.kind {
            Kind::Repeat(repeat) => self.judge_round(repeat, &tally),
            _ if step.is_opened() && tally.open > 0 => Verdict::Wait,
            _ if step.is_opened() => Verdict::Run,
            _ => judge(step.trigger, &tally),
        };
        match verdict {
            Verdict::Wait => None,
            Verdict::Run => Some(Ok(())),
            Verdict::Skip(cause) => {
                if !self.is_final(number, &tally) {
                    return None;
                }
                let origin = tally.first_bad.or(tally.first_dead).unwrap_or(number);
                Some(Err(self.skip(cause, origin, tally.bad > 0, None)))
            }
        }
    }

    /// Whether a step that waits will be skipped whatever comes, though it is not yet known what there is to say
    /// of that; with the failure that is known already, if any is.
    pub(crate) fn will_not_run(&self, number: StepIndex) -> Option<Option<StepIndex>> {
        let now = &self.steps[number];
        let step = &self.flow.steps[number];
        if matches!(step.kind, Kind::Repeat(_)) || step.is_opened() {
            return None;
        }
        let waits = now.state == StepState::Pending
            && self.gates(&self.flow.steps[number].gates) == GatesNow::Passed;
        match judge(self.flow.steps[number].trigger, &now.tally) {
            Verdict::Skip(_) if waits && now.tally.open > 0 => Some(now.tally.first_bad),
            _ => None,
        }
    }

    /// Whether nothing that is still open can change what is said of a skip: it is tainted, and every
    /// failure that may yet come stands further down in the file than the one that it names.
    fn is_final(&mut self, number: StepIndex, tally: &Tally) -> bool {
        if tally.open == 0 {
            return true;
        }
        let Some(first) = tally.first_bad else {
            return false;
        };
        let suspects = &self.links.suspects[number];
        let mut cleared = self.steps[number].cleared;
        while suspects.get(cleared).is_some_and(|(_, need)| match need {
            Need::Step(step) => self.steps[*step].state.is_terminal(),
            Need::Batch(batch) => self.batches[*batch].1,
        }) {
            cleared += 1;
        }
        self.steps[number].cleared = cleared;
        suspects
            .get(cleared)
            .is_none_or(|(suspect, _)| *suspect > first)
    }
}

/// One step as it was recorded.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) state: StepState,
    pub(crate) skip: Option<Skip>,
    pub(crate) branch: Option<Branch>,
    pub(crate) attempts: u32,
    pub(crate) earlier: u32,
}

#[cfg(test)]
mod orders;
#[cfg(test)]
mod schedules;
