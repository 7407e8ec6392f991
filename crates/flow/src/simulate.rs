//! A run with nothing of the outside world: the real decisions over results that are given beforehand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::data::Json;
use crate::decide::{Change, Guarded, Guards, Judged, Outcome, Progress, SkipCause, StepState};
use crate::definition::outside::{self, Outside};
use crate::definition::template::{self, Form};
use crate::definition::{Branch, Flow, Kind, Need, Repeat, StepIndex, Switch};
use crate::scope::{self, StepResult, Values};

/// What steps come to, given beforehand. What is not named succeeds, see [`Unnamed`]; conditions of switches that are
/// not named are evaluated.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(deny_unknown_fields, default)]
pub struct Stubs {
    /// The inputs.
    pub inputs: serde_json::Map<String, serde_json::Value>,
    /// What steps come to, by id.
    pub steps: BTreeMap<String, StepStub>,
    /// What switches choose: a case by its position from 0, `"default"`, or null for none.
    pub switches: BTreeMap<String, serde_json::Value>,
    /// What guards say, and the `until` of each `repeat`.
    pub guards: BTreeMap<String, bool>,
    /// What is supposed of everything else.
    pub unnamed: Unnamed,
}

/// What a simulation supposes of what nothing is said of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Unnamed {
    /// Outputs are empty, and guards hold.
    #[default]
    Empty,
    /// What steps give is not known: what depends on it is left open, and says so. Guards are evaluated.
    Unknown,
}

/// What a step comes to.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(deny_unknown_fields, default)]
pub struct StepStub {
    /// `succeeded` when not said.
    pub state: Option<StubState>,
    /// Its output.
    pub output: Option<String>,
    /// Its structured output.
    #[specta(type = Option<serde_json::Value>)]
    pub data: Option<Json>,
    /// For a step of a `repeat`: what it comes to in each round instead, from the first; the last of them stands for all
    /// further ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<RoundStub>,
}

/// What a step comes to in a round.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(deny_unknown_fields, default)]
pub struct RoundStub {
    /// `succeeded` when not said.
    pub state: Option<StubState>,
    /// Its output.
    pub output: Option<String>,
    /// Its structured output.
    #[specta(type = Option<serde_json::Value>)]
    pub data: Option<Json>,
}

impl StepStub {
    /// What is said of one round, counted from 1.
    fn in_round(&self, round: u32) -> RoundStub {
        let at = usize::try_from(round)
            .unwrap_or(usize::MAX)
            .saturating_sub(1);
        self.rounds
            .get(at)
            .or(self.rounds.last())
            .cloned()
            .unwrap_or_else(|| RoundStub {
                state: self.state,
                output: self.output.clone(),
                data: self.data.clone(),
            })
    }
}

/// How a step ends in a simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum StubState {
    /// Well.
    Succeeded,
    /// Badly.
    Failed,
    /// Too late.
    TimedOut,
    /// By a person's no.
    Rejected,
    /// By a person's hand.
    Cancelled,
}

impl StubState {
    pub(crate) fn state(self) -> StepState {
        match self {
            Self::Succeeded => StepState::Succeeded,
            Self::Failed => StepState::Failed,
            Self::TimedOut => StepState::TimedOut,
            Self::Rejected => StepState::Rejected,
            Self::Cancelled => StepState::Cancelled,
        }
    }
}

/// Why a simulation was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stubs name `{name}`, {message}")]
pub struct BadStubs {
    /// What they name.
    pub name: String,
    /// What is wrong with it.
    pub message: String,
}

/// How a simulated run went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Simulation {
    /// How it ended; none: that depends on what is not known.
    pub state: Option<Outcome>,
    /// What it depends on: `results.plan.data.kind`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub depends_on: Vec<String>,
    /// Whether every step was skipped.
    pub nothing_ran: bool,
    /// What became of every step.
    pub steps: BTreeMap<String, SimulatedStep>,
    /// The steps that ran, in the order in which they were admitted.
    pub order: Vec<String>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SimulatedStep {
    /// How it ended; `pending`: whether it runs, or which way it goes, depends on what is not known.
    pub state: StepState,
    /// What that depends on.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub depends_on: Vec<String>,
    /// Why it was skipped, if it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<SkipCause>,
    /// Where that began.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub origin: Option<String>,
    /// For a skipped step: whether a failure lies upstream.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tainted: Option<bool>,
    /// How often it was tried.
    pub attempts: u32,
    /// What it gave.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output: Option<String>,
    /// Why it failed, when the engine itself found out: a condition that can't be evaluated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

struct World {
    inputs: serde_json::Map<String, serde_json::Value>,
    flow: Arc<Flow>,
    results: Vec<StepResult>,
    last: Vec<StepResult>,
    /// By step: the number of the round that it is in.
    rounds: Vec<u32>,
    unnamed: Unnamed,
    /// Of which steps it is given what they give.
    given: Vec<bool>,
}

impl World {
    /// What a condition sees, and is not known.
    fn unknown(&self, when: &str) -> BTreeSet<String> {
        let known = |name: &str| {
            let mut parts = name.splitn(4, '.');
            let (Some("results" | "last"), Some(id)) = (parts.next(), parts.next()) else {
                return name != outside::CONFLICTS;
            };
            let Some(step) = self.flow.step(id) else {
                return true;
            };
            match parts.next() {
                Some("state" | "attempt") => true,
                Some("output" | "data") => self.given[step],
                _ => self.results[step].state == Some(StepState::Skipped),
            }
        };
        let names = template::names(when, Form::Condition).unwrap_or_default();
        match self.unnamed {
            Unnamed::Empty => BTreeSet::new(),
            Unnamed::Unknown => names.into_iter().filter(|name| !known(name)).collect(),
        }
    }

    /// What the first case of a switch depends on of which it can't be said whether it is taken; none: it can be said
    /// which one is.
    fn undecided(&self, switch: &Switch) -> Option<BTreeSet<String>> {
        for case in &switch.cases {
            let unknown = self.unknown(&case.when);
            if !unknown.is_empty() {
                return Some(unknown);
            }
            let holds = scope::holds(&self.flow, self, &case.when, Some(&case.label));
            if !matches!(holds, Ok((Ok(false), _))) {
                return None;
            }
        }
        None
    }
}

impl Values for World {
    fn inputs(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.inputs
    }
    fn result(&self, step: StepIndex) -> StepResult {
        self.results[step].clone()
    }
    fn last(&self, step: StepIndex) -> StepResult {
        self.last[step].clone()
    }
    fn round(&self, repeat: StepIndex) -> u32 {
        self.rounds[repeat]
    }
    fn run(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut run = serde_json::Map::new();
        run.insert("id".to_owned(), "simulation".into());
        run.insert("flow".to_owned(), self.flow.name.as_str().into());
        run.insert("started_at".to_owned(), "1970-01-01T00:00:00Z".into());
        run
    }
    fn env(&self, _: &str) -> Option<String> {
        None
    }
    fn outside(&self) -> Outside {
        Outside::nothing()
    }
}

impl Flow {
    /// Runs the flow with nothing of the outside world: the real decisions over `stubs`.
    ///
    /// Steps are admitted as the limits of their batches allow, and end in the order of their admission.
    ///
    /// # Errors
    ///
    /// [`BadStubs`] when they name what the flow does not have.
    pub fn simulate(&self, stubs: &Stubs) -> Result<Simulation, BadStubs> {
        let bad = |name: &str, message: &str| BadStubs {
            name: name.to_owned(),
            message: message.to_owned(),
        };
        let mut inputs = serde_json::Map::new();
        for (name, value) in &stubs.inputs {
            let input = self
                .inputs
                .get(name)
                .ok_or_else(|| bad(name, "which is no input"))?;
            let value = input
                .read(value)
                .map_err(|message| bad(name, &format!("which {message}")))?;
            inputs.insert(name.clone(), value);
        }
        for (name, input) in &self.inputs {
            if let (None, Some(default)) = (inputs.get(name), &input.default) {
                inputs.insert(name.clone(), default.clone());
            }
        }
        for name in stubs.steps.keys().chain(stubs.guards.keys()) {
            self.step(name)
                .ok_or_else(|| bad(name, "which is no step"))?;
        }
        let mut chosen: BTreeMap<StepIndex, Option<Branch>> = BTreeMap::new();
        for (name, choice) in &stubs.switches {
            let number = self
                .step(name)
                .ok_or_else(|| bad(name, "which is no step"))?;
            let Kind::Switch(switch) = &self.steps[number].kind else {
                return Err(bad(name, "which is no switch"));
            };
            let branch = match choice {
                serde_json::Value::Null => None,
                serde_json::Value::String(text) if text == "default" => {
                    if switch.default.is_none() {
                        return Err(bad(name, "which has no default"));
                    }
                    Some(Branch::Default)
                }
                serde_json::Value::Number(number)
                    if number
                        .as_u64()
                        .is_some_and(|n| (n as usize) < switch.cases.len()) =>
                {
                    number.as_u64().map(|n| Branch::Case(n as usize))
                }
                _ => {
                    return Err(bad(
                        name,
                        &format!(
                            "which chooses one of 0 to {}, \"default\" or null",
                            switch.cases.len().saturating_sub(1)
                        ),
                    ));
                }
            };
            chosen.insert(number, branch);
        }

        let flow = Arc::new(self.clone());
        let band = inputs
            .get("band")
            .and_then(|band| band.as_str())
            .map(str::to_owned);
        let mut simulator = Simulator {
            world: World {
                inputs,
                flow: Arc::clone(&flow),
                results: vec![StepResult::default(); self.steps.len()],
                last: vec![StepResult::default(); self.steps.len()],
                rounds: vec![1; self.steps.len()],
                unnamed: stubs.unnamed,
                given: vec![false; self.steps.len()],
            },
            progress: Progress::new(Arc::clone(&flow), band),
            flow,
            stubs,
            chosen,
            errors: BTreeMap::new(),
            open: BTreeMap::new(),
            running: VecDeque::new(),
            order: Vec::new(),
        };
        Ok(simulator.run())
    }
}

struct StubGuards<'s> {
    stubs: &'s Stubs,
    world: &'s World,
}

impl StubGuards<'_> {
    /// What the guard of a step depends on.
    fn unknown(&self, step: StepIndex) -> BTreeSet<String> {
        let step = &self.world.flow.steps[step];
        match &step.when {
            Some(when) if !self.stubs.guards.contains_key(&step.id) => self.world.unknown(when),
            _ => BTreeSet::new(),
        }
    }
}

impl Guards for StubGuards<'_> {
    fn guard(&mut self, progress: &Progress, step: StepIndex) -> Guarded {
        let definition = &progress.flow().steps[step];
        if matches!(definition.kind, Kind::Repeat(_)) {
            // What is said of one is said of its `until`.
            return Guarded::Holds;
        }
        match (self.stubs.guards.get(&definition.id), &definition.when) {
            (Some(false), _) => return Guarded::False,
            (None, Some(when))
                if self.stubs.unnamed == Unnamed::Unknown && self.unknown(step).is_empty() =>
            {
                match scope::holds(&self.world.flow, self.world, when, None) {
                    Ok((Ok(false), _)) => return Guarded::False,
                    Ok((Err(message), _)) => {
                        return Guarded::Error(format!("its condition: {message}"));
                    }
                    Ok((Ok(true), _)) | Err(_) => {}
                }
            }
            _ => {}
        }
        // What it depends on is looked at when the step could start.
        Guarded::Holds
    }
}

struct Simulator<'s> {
    flow: Arc<Flow>,
    world: World,
    progress: Progress,
    stubs: &'s Stubs,
    chosen: BTreeMap<StepIndex, Option<Branch>>,
    errors: BTreeMap<StepIndex, String>,
    /// The steps of which it can't be said what becomes of them, with what that depends on.
    open: BTreeMap<StepIndex, BTreeSet<String>>,
    running: VecDeque<StepIndex>,
    order: Vec<StepIndex>,
}

impl Simulator<'_> {
    fn run(&mut self) -> Simulation {
        let mut guards = StubGuards {
            stubs: self.stubs,
            world: &self.world,
        };
        let changes = self.progress.start(&mut guards);
        self.apply(changes);
        loop {
            while let Some(number) = self.progress.admit(u32::MAX) {
                let guards = StubGuards {
                    stubs: self.stubs,
                    world: &self.world,
                };
                let unknown = guards.unknown(number);
                if !unknown.is_empty() {
                    self.leave_open(number, unknown);
                    continue;
                }
                if !self.order.contains(&number) {
                    self.order.push(number);
                }
                self.running.push_back(number);
            }
            let Some(number) = self.running.pop_front() else {
                break;
            };
            self.end(number);
        }
        let depend = self.depend();
        let steps = self
            .flow
            .steps
            .iter()
            .enumerate()
            .map(|(number, step)| {
                let now = self.progress.step(number);
                let is_open = !now.state.is_terminal();
                let result = &self.world.results[number];
                let skip = now.skip.as_ref();
                let simulated = SimulatedStep {
                    state: if is_open {
                        StepState::Pending
                    } else {
                        now.state
                    },
                    depends_on: depend[number].iter().cloned().collect(),
                    cause: skip.map(|skip| skip.cause),
                    origin: skip.map(|skip| skip.origin.clone()),
                    tainted: skip.map(|skip| skip.tainted),
                    attempts: now.attempts,
                    output: result.output.clone(),
                    error: self.errors.get(&number).cloned(),
                };
                (step.id.clone(), simulated)
            })
            .collect();
        let outcome = self.progress.outcome();
        let is_settled = self.progress.is_complete() || outcome == Outcome::Failed;
        let all: BTreeSet<String> = depend.into_iter().flatten().collect();
        Simulation {
            state: is_settled.then_some(outcome),
            depends_on: all.into_iter().collect(),
            nothing_ran: self.progress.nothing_ran(),
            steps,
            order: self
                .order
                .iter()
                .map(|number| self.flow.steps[*number].id.clone())
                .collect(),
        }
    }

    /// What becomes of a step can't be said. It holds no place, so that others are not left open for that alone.
    fn leave_open(&mut self, number: StepIndex, unknown: BTreeSet<String>) {
        self.progress.await_person(number);
        self.open.insert(number, unknown);
    }

    /// For every step, what it depends on that is not known.
    fn depend(&self) -> Vec<BTreeSet<String>> {
        let steps = &self.flow.steps;
        let mut depend = vec![BTreeSet::new(); steps.len()];
        for (number, unknown) in &self.open {
            depend[*number].clone_from(unknown);
        }
        // Through steps that wait for steps, until nothing is added.
        loop {
            let mut added = false;
            for (number, step) in steps.iter().enumerate() {
                if self.progress.step(number).state.is_terminal() {
                    continue;
                }
                let needs = step.needs.iter().flat_map(|need| match need {
                    Need::Step(step) => std::slice::from_ref(step),
                    Need::Batch(batch) => self.flow.batches[*batch].members.as_slice(),
                });
                let before = needs
                    .copied()
                    .chain(step.gates.iter().map(|gate| gate.switch));
                let theirs: BTreeSet<String> = before
                    .flat_map(|before| depend[before].iter().cloned())
                    .collect();
                let known = depend[number].len();
                depend[number].extend(theirs);
                added |= depend[number].len() > known;
            }
            if !added {
                return depend;
            }
        }
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Skipped(number, _) => {
                    self.world.results[number].state = Some(StepState::Skipped);
                    self.world.given[number] = true;
                }
                Change::Failed(number, message) => {
                    self.world.results[number].state = Some(StepState::Failed);
                    self.world.given[number] = true;
                    self.errors.insert(number, message);
                }
                Change::Queued(_) => {}
            }
        }
    }

    fn end(&mut self, number: StepIndex) {
        let flow = Arc::clone(&self.flow);
        let step = &flow.steps[number];
        let stub = self.stubs.steps.get(&step.id).cloned().unwrap_or_default();
        let round = step.repeat.map_or(1, |repeat| self.progress.round(repeat));
        let stub = stub.in_round(round);
        let mut state = stub.state.map_or(StepState::Succeeded, StubState::state);
        let mut branch = None;
        let mut output = stub.output.clone().unwrap_or_default();
        if let (Kind::Switch(switch), StepState::Succeeded) = (&step.kind, state) {
            if !self.chosen.contains_key(&number)
                && let Some(unknown) = self.world.undecided(switch)
            {
                self.leave_open(number, unknown);
                return;
            }
            let choice = match self.chosen.get(&number) {
                Some(None) if switch.required => {
                    Err("no case matches, and one is required".to_owned())
                }
                Some(branch) => Ok(*branch),
                None => scope::choose(&flow, &self.world, switch).map_or_else(
                    |_| Err("there is no world to look at".to_owned()),
                    |(choice, _)| choice,
                ),
            };
            match choice {
                Ok(taken) => {
                    branch = taken;
                    output = scope::branch_output(&flow, number, taken);
                }
                Err(message) => {
                    state = StepState::Failed;
                    self.errors.insert(number, message);
                }
            }
        }
        if let (Kind::Repeat(repeat), None) = (&step.kind, stub.state) {
            let holds = match self.stubs.guards.get(&step.id) {
                Some(holds) => Ok(*holds),
                None => {
                    let unknown = self.world.unknown(&repeat.until);
                    if !unknown.is_empty() {
                        self.leave_open(number, unknown);
                        return;
                    }
                    scope::holds(&flow, &self.world, &repeat.until, None).map_or_else(
                        |_| Err("there is no world to look at".to_owned()),
                        |(holds, _)| holds,
                    )
                }
            };
            output = self.progress.round(number).to_string();
            match self.progress.judged(number, holds) {
                Judged::Done => {}
                Judged::Failed(why) => {
                    state = StepState::Failed;
                    self.errors.insert(number, why);
                }
                Judged::Ended(_) => state = StepState::Cancelled,
                Judged::Again(_) => return self.next_round(number, repeat),
            }
        } else if self.progress.may_retry(number, state, None) {
            self.progress.retry_later(number);
            let changes = self.progress.requeue(number);
            self.apply(changes);
            return;
        }
        self.world.given[number] =
            matches!(step.kind, Kind::Switch(_)) || stub.output.is_some() || stub.data.is_some();
        self.world.results[number] = StepResult {
            state: Some(state),
            data: stub.data.or_else(|| Json::read(&output).ok()),
            output: Some(output),
            exit_code: match (&step.kind, state) {
                (Kind::Run { .. }, StepState::Succeeded) => Some(0),
                (Kind::Run { .. }, StepState::Failed) => Some(1),
                _ => None,
            },
            worktree: None,
            attempt: self.progress.step(number).attempts,
        };
        let mut guards = StubGuards {
            stubs: self.stubs,
            world: &self.world,
        };
        let changes = self.progress.ended(number, state, branch, &mut guards);
        self.apply(changes);
    }

    fn next_round(&mut self, number: StepIndex, repeat: &Repeat) {
        for step in &repeat.steps {
            self.world.last[*step] = std::mem::take(&mut self.world.results[*step]);
            self.world.given[*step] = false;
        }
        self.world.rounds[number] += 1;
        let mut guards = StubGuards {
            stubs: self.stubs,
            world: &self.world,
        };
        let changes = self.progress.again(number, &mut guards);
        self.apply(changes);
    }
}

#[cfg(test)]
mod tests;
