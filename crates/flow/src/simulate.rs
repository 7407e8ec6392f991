//! A run with nothing of the outside world: the real decisions over results that are given beforehand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::data::Json;
use crate::decide::{Change, Guarded, Guards, Outcome, Progress, SkipCause, StepState};
use crate::definition::outside::Outside;
use crate::definition::{Branch, Flow, Kind, StepIndex};
use crate::scope::{self, StepResult, Values};

/// What steps come to, given beforehand. What is not named succeeds with empty output; guards hold;
/// conditions of switches that are not named are evaluated.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
#[serde(deny_unknown_fields, default)]
pub struct Stubs {
    /// The inputs.
    pub inputs: serde_json::Map<String, serde_json::Value>,
    /// What steps come to, by id.
    pub steps: BTreeMap<String, StepStub>,
    /// What switches choose: a case by its position from 0, `"default"`, or null for none.
    pub switches: BTreeMap<String, serde_json::Value>,
    /// What guards say.
    pub guards: BTreeMap<String, bool>,
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
    /// How it ended.
    pub state: Outcome,
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
    /// How it ended.
    pub state: StepState,
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
}

impl Values for World {
    fn inputs(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.inputs
    }
    fn result(&self, step: StepIndex) -> StepResult {
        self.results[step].clone()
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
            },
            progress: Progress::new(Arc::clone(&flow), band),
            flow,
            stubs,
            chosen,
            errors: BTreeMap::new(),
            running: VecDeque::new(),
            order: Vec::new(),
        };
        Ok(simulator.run())
    }
}

struct StubGuards<'s>(&'s BTreeMap<String, bool>);

impl Guards for StubGuards<'_> {
    fn guard(&mut self, progress: &Progress, step: StepIndex) -> Guarded {
        match self.0.get(&progress.flow().steps[step].id) {
            Some(false) => Guarded::False,
            _ => Guarded::Holds,
        }
    }
}

struct Simulator<'s> {
    flow: Arc<Flow>,
    world: World,
    progress: Progress,
    stubs: &'s Stubs,
    chosen: BTreeMap<StepIndex, Option<Branch>>,
    errors: BTreeMap<StepIndex, String>,
    running: VecDeque<StepIndex>,
    order: Vec<StepIndex>,
}

impl Simulator<'_> {
    fn run(&mut self) -> Simulation {
        let changes = self.progress.start(&mut StubGuards(&self.stubs.guards));
        self.apply(changes);
        loop {
            while let Some(number) = self.progress.admit(u32::MAX) {
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
        let steps = self
            .flow
            .steps
            .iter()
            .enumerate()
            .map(|(number, step)| {
                let now = self.progress.step(number);
                let result = &self.world.results[number];
                let skip = now.skip.as_ref();
                let simulated = SimulatedStep {
                    state: now.state,
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
        Simulation {
            state: self.progress.outcome(),
            nothing_ran: self.progress.nothing_ran(),
            steps,
            order: self
                .order
                .iter()
                .map(|number| self.flow.steps[*number].id.clone())
                .collect(),
        }
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Skipped(number, _) => {
                    self.world.results[number].state = Some(StepState::Skipped)
                }
                Change::Failed(number, message) => {
                    self.world.results[number].state = Some(StepState::Failed);
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
        let mut state = stub.state.map_or(StepState::Succeeded, StubState::state);
        let mut branch = None;
        let mut output = stub.output.clone().unwrap_or_default();
        if let (Kind::Switch(switch), StepState::Succeeded) = (&step.kind, state) {
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
        if self.progress.may_retry(number, state, None) {
            self.progress.retry_later(number);
            let changes = self.progress.requeue(number);
            self.apply(changes);
            return;
        }
        self.world.results[number] = StepResult {
            state: Some(state),
            data: stub.data.or_else(|| Json::read(&output).ok()),
            output: Some(output),
            exit_code: None,
            worktree: None,
            attempt: self.progress.step(number).attempts,
        };
        let changes =
            self.progress
                .ended(number, state, branch, &mut StubGuards(&self.stubs.guards));
        self.apply(changes);
    }
}

#[cfg(test)]
mod tests;
