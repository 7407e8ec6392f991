//! Random flows, and a slow reading of the rules that says what must come of them: what simulations,
//! decisions in any order and real runs are compared with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::prelude::*;

use crate::decide::{Skip, SkipCause, StepState};
use crate::definition::{Branch, Flow};
use crate::simulate::{StepStub, StubState, Stubs};

pub(crate) const TRIGGERS: [&str; 8] = [
    "all_success",
    "all_success_strict",
    "one_success",
    "all_done",
    "all_settled",
    "one_failed",
    "all_failed",
    "none_skipped",
];

/// Picks one of so many that look random, the same for the same seed.
pub(crate) fn picks(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |of| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % of
    }
}

/// A flow, and what comes of those of its steps that run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// Each after all that it waits for; `s3` is the one at 3.
    pub(crate) steps: Vec<PlanStep>,
    /// Where each stands in the file.
    pub(crate) places: Vec<usize>,
    pub(crate) limits: [u32; 2],
    /// The rule by which the batch `b0` is joined.
    pub(crate) join: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct PlanStep {
    pub(crate) needs: BTreeSet<usize>,
    pub(crate) needs_batch: bool,
    pub(crate) trigger: usize,
    pub(crate) allow_failure: bool,
    pub(crate) batch: Option<usize>,
    pub(crate) guard: bool,
    /// Whether it takes part in the band of the run.
    pub(crate) in_band: bool,
    pub(crate) ends: StubState,
    pub(crate) switch: Option<PlanSwitch>,
}

impl Default for PlanStep {
    fn default() -> Self {
        Self {
            needs: BTreeSet::new(),
            needs_batch: false,
            trigger: 0,
            allow_failure: false,
            batch: None,
            guard: true,
            in_band: true,
            ends: StubState::Succeeded,
            switch: None,
        }
    }
}

/// The steps of two cases and of the default, and which of them is taken.
#[derive(Debug, Clone)]
pub(crate) struct PlanSwitch {
    pub(crate) cases: [BTreeSet<usize>; 3],
    pub(crate) chosen: Option<usize>,
}

impl PlanSwitch {
    fn lists(&self, step: usize) -> bool {
        self.cases.iter().any(|case| case.contains(&step))
    }

    fn chose(&self, step: usize) -> bool {
        self.chosen
            .is_some_and(|case| self.cases[case].contains(&step))
    }
}

/// A step with its needs and its place in the file still as any numbers.
fn raw_step() -> impl Strategy<Value = (PlanStep, Vec<prop::sample::Index>, Option<RawSwitch>)> {
    let ends = prop_oneof![
        8 => Just(StubState::Succeeded),
        3 => Just(StubState::Failed),
        1 => Just(StubState::TimedOut),
        1 => Just(StubState::Rejected),
        1 => Just(StubState::Cancelled),
    ];
    (
        proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
        prop_oneof![2 => Just(0), 5 => 0..TRIGGERS.len()],
        prop::bool::weighted(0.15),
        prop::option::weighted(0.4, 0..2usize),
        prop::bool::weighted(0.85),
        prop::bool::weighted(0.93),
        ends,
        prop::option::weighted(0.3, raw_switch()),
        prop::bool::weighted(0.15),
    )
        .prop_map(
            |(needs, trigger, allow_failure, batch, guard, in_band, ends, switch, needs_batch)| {
                let step = PlanStep {
                    needs_batch,
                    trigger,
                    allow_failure,
                    batch,
                    guard,
                    in_band,
                    ends,
                    ..PlanStep::default()
                };
                (step, needs, switch)
            },
        )
}

/// Steps that are listed, each with the cases that list it; and the case that is taken.
type RawSwitch = (Vec<(prop::sample::Index, u8)>, Option<usize>);

fn raw_switch() -> impl Strategy<Value = RawSwitch> {
    (
        proptest::collection::vec((any::<prop::sample::Index>(), 1..8u8), 1..5),
        prop::option::weighted(0.85, 0..3usize),
    )
}

/// Any flow of up to 13 steps. Some are refused, and rightly: they hold steps that can never run.
pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    (
        proptest::collection::vec((raw_step(), any::<u32>()), 1..14),
        [1..3u32, 1..3u32],
        0..TRIGGERS.len(),
    )
        .prop_map(|(raw, limits, join)| {
            let count = raw.len();
            let half = count / 2;
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by_key(|step| raw[*step].1);
            let mut places = vec![0; count];
            for (place, step) in order.into_iter().enumerate() {
                places[step] = place;
            }
            let mut steps = Vec::new();
            for (number, ((mut step, needs, switch), _)) in raw.into_iter().enumerate() {
                if number > 0 {
                    step.needs = needs.iter().map(|index| index.index(number)).collect();
                }
                // Cases list later steps only, so that there is no circle.
                step.switch = switch
                    .filter(|_| number + 1 < count)
                    .map(|(listed, chosen)| {
                        let mut cases: [BTreeSet<usize>; 3] = Default::default();
                        for (index, in_cases) in listed {
                            let listed = number + 1 + index.index(count - number - 1);
                            for (case, steps) in cases.iter_mut().enumerate() {
                                if in_cases & (1 << case) != 0 {
                                    steps.insert(listed);
                                }
                            }
                        }
                        // A default that lists steps is taken when nothing else is.
                        let otherwise = (!cases[2].is_empty()).then_some(2);
                        let chosen = chosen.or(otherwise);
                        PlanSwitch { cases, chosen }
                    });
                // The second half of the flow may need the batch of the first.
                step.needs_batch &= number >= half;
                step.batch = step.batch.filter(|batch| *batch == 1 || number < half);
                steps.push(step);
            }
            let mut plan = Plan {
                steps,
                places,
                limits,
                join,
            };
            plan.mend();
            plan
        })
}

impl Plan {
    /// A flow whose file has its steps in the order given.
    pub(crate) fn of(steps: Vec<PlanStep>) -> Self {
        Self {
            places: (0..steps.len()).collect(),
            steps,
            limits: [64, 64],
            join: 0,
        }
    }

    /// Takes out what is always refused, so that many flows are not.
    fn mend(&mut self) {
        let first_has_members = self.steps.iter().any(|step| step.batch == Some(0));
        let switches: Vec<PlanSwitch> =
            self.steps.iter().filter_map(|s| s.switch.clone()).collect();
        for (number, step) in self.steps.iter_mut().enumerate() {
            step.needs_batch &= first_has_members;
            step.needs.retain(|need| {
                switches.iter().all(|switch| {
                    let both =
                        |case: &BTreeSet<usize>| case.contains(&number) && case.contains(need);
                    !(switch.lists(number) && switch.lists(*need)) || switch.cases.iter().any(both)
                })
            });
        }
    }

    /// The same flow, whose steps come to an end by themselves only: well, or by failing.
    pub(crate) fn without_people(mut self) -> Self {
        for step in &mut self.steps {
            if step.ends != StubState::Succeeded {
                step.ends = StubState::Failed;
            }
        }
        self
    }

    /// Writes the flow. A step that is no switch does what `kind` says; what switches choose and what guards
    /// say stands in inputs, as their defaults.
    pub(crate) fn write(&self, kind: &str) -> String {
        let mut text = format!(
            "name: random\nbatches: {{ b0: {{ max_concurrent: {}, join: {} }}, b1: {{ max_concurrent: {} }} }}\ninputs:\n  band: {{ type: enum, values: [near, far], default: near }}\n",
            self.limits[0], TRIGGERS[self.join], self.limits[1]
        );
        let mut by_place: Vec<usize> = (0..self.steps.len()).collect();
        by_place.sort_by_key(|step| self.places[*step]);
        for number in &by_place {
            let step = &self.steps[*number];
            let _ = writeln!(
                text,
                "  g{number}: {{ type: boolean, default: {} }}",
                step.guard
            );
            if let Some(switch) = &step.switch {
                let choice = match (step.ends, switch.chosen) {
                    (StubState::Failed, _) => "nonsense".to_owned(),
                    (_, Some(case)) => case.to_string(),
                    (_, None) => "9".to_owned(),
                };
                let _ = writeln!(text, "  c{number}: {{ type: text, default: '{choice}' }}");
            }
        }
        text.push_str("steps:\n");
        for number in by_place {
            self.write_step(&mut text, number, kind);
        }
        text
    }

    fn write_step(&self, text: &mut String, number: usize, kind: &str) {
        let step = &self.steps[number];
        let list = |steps: &BTreeSet<usize>| {
            let ids: Vec<String> = steps.iter().map(|step| format!("s{step}")).collect();
            ids.join(", ")
        };
        let mut needs = list(&step.needs);
        if step.needs_batch {
            let comma = if needs.is_empty() { "" } else { ", " };
            let _ = write!(needs, "{comma}'batch:b0'");
        }
        let _ = write!(
            text,
            "  - {{ id: s{number}, when: inputs.g{number}, needs: [{needs}], trigger: {}, allow_failure: {}, bands: [{}]",
            TRIGGERS[step.trigger],
            step.allow_failure,
            if step.in_band { "near" } else { "far" },
        );
        if let Some(batch) = step.batch {
            let _ = write!(text, ", batch: b{batch}");
        }
        match &step.switch {
            Some(PlanSwitch { cases, chosen }) => {
                let _ = write!(
                    text,
                    ", switch: [{{ case: a, when: inputs.c{number} | int == 0, steps: [{}] }}, {{ case: b, when: inputs.c{number} | int == 1, steps: [{}] }}]",
                    list(&cases[0]),
                    list(&cases[1]),
                );
                if !cases[2].is_empty() || *chosen == Some(2) {
                    let _ = write!(text, ", default: [{}]", list(&cases[2]));
                }
            }
            None => {
                let _ = write!(text, ", {kind}");
            }
        }
        text.push_str(" }\n");
    }

    /// The same flow, all of it done again until its round has this number, and a step after it.
    pub(crate) fn write_rounds(&self, kind: &str, rounds: u32, times: u32) -> String {
        let ids: Vec<String> = (0..self.steps.len())
            .map(|step| format!("s{step}"))
            .collect();
        format!(
            "{}  - {{ id: rounds, repeat: {{ steps: [{}], until: rounds.rounds == {rounds}, times: {times} }} }}\n  - {{ id: after, needs: [rounds], value: x }}\n",
            self.write(kind),
            ids.join(", ")
        )
    }

    /// What must come of these rounds, and how many there are; what their steps come to says [`Plan::read`].
    pub(crate) fn read_rounds(&self, rounds: u32, times: u32) -> (Came, u32) {
        let came = self.read();
        let ran = |state: StepState| came.values().any(|came| came.state == state);
        let mut reading = Reading::new(self);
        for number in 0..self.steps.len() {
            reading.came[number] = came.get(&format!("s{number}")).cloned();
        }
        let edges: Vec<Edge> = (0..self.steps.len())
            .map(|step| reading.edge(step))
            .collect();
        let bad = reading.first_bad(&edges);
        if came.values().all(|came| came.state == StepState::Skipped) {
            let origin = bad.or(reading.first_dead(&edges)).unwrap_or_default();
            let skip = Skip {
                cause: if bad.is_some() {
                    SkipCause::UpstreamFailed
                } else {
                    SkipCause::AllInputsDead
                },
                origin: format!("s{origin}"),
                tainted: bad.is_some(),
                taken: None,
            };
            let state = StepState::Skipped;
            return (
                Came {
                    state,
                    skip: Some(skip),
                },
                1,
            );
        }
        let (state, judged) = if ran(StepState::Cancelled) {
            (StepState::Cancelled, 1)
        } else if rounds > times {
            (StepState::Failed, times)
        } else if bad.is_some() {
            (StepState::Failed, rounds)
        } else {
            (StepState::Succeeded, rounds)
        };
        (Came { state, skip: None }, judged)
    }

    /// What the steps come to; switches that succeed or fail do so by their conditions.
    pub(crate) fn stubs(&self) -> Stubs {
        let mut stubs = Stubs::default();
        for (number, step) in self.steps.iter().enumerate() {
            if step.switch.is_none() || !matches!(step.ends, StubState::Failed) {
                let stub = StepStub {
                    state: Some(step.ends),
                    ..StepStub::default()
                };
                stubs.steps.insert(format!("s{number}"), stub);
            }
            stubs.guards.insert(format!("s{number}"), step.guard);
        }
        stubs
    }

    /// What a switch chooses, as decisions know it.
    pub(crate) fn branch(&self, number: usize) -> Option<Branch> {
        match self.steps[number].switch.as_ref()?.chosen? {
            2 => Some(Branch::Default),
            case => Some(Branch::Case(case)),
        }
    }

    /// What must come of the flow, whatever the order in which its steps end.
    pub(crate) fn read(&self) -> BTreeMap<String, Came> {
        let mut reading = Reading::new(self);
        for number in 0..self.steps.len() {
            reading.came[number] = Some(reading.comes_to(number));
        }
        let came = reading.came.into_iter().enumerate();
        came.filter_map(|(number, came)| Some((format!("s{number}"), came?)))
            .collect()
    }
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Came {
    pub(crate) state: StepState,
    pub(crate) skip: Option<Skip>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Open,
    Ok,
    /// With the step where it began.
    Bad(usize),
    Dead(Option<usize>),
}

/// The rules of edges, gates and triggers over what is known of each step, read word by word: every
/// question is answered from the plan and what has come, and nothing is kept.
pub(crate) struct Reading<'p> {
    plan: &'p Plan,
    pub(crate) came: Vec<Option<Came>>,
}

impl<'p> Reading<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        Self {
            came: vec![None; plan.steps.len()],
            plan,
        }
    }

    fn place(&self, step: &usize) -> usize {
        self.plan.places[*step]
    }

    fn edge(&self, needed: usize) -> Edge {
        let Some(came) = &self.came[needed] else {
            return Edge::Open;
        };
        match (&came.skip, came.state) {
            (Some(skip), _) => {
                let origin = skip.origin[1..].parse().unwrap();
                if skip.tainted {
                    Edge::Bad(origin)
                } else {
                    Edge::Dead(Some(origin))
                }
            }
            (None, StepState::Succeeded) => Edge::Ok,
            (None, _) if self.plan.steps[needed].allow_failure => Edge::Ok,
            (None, _) => Edge::Bad(needed),
        }
    }

    fn batch_edge(&self) -> Edge {
        let members =
            (0..self.plan.steps.len()).filter(|step| self.plan.steps[*step].batch == Some(0));
        let members: Vec<Edge> = members.map(|step| self.edge(step)).collect();
        if members.contains(&Edge::Open) {
            Edge::Open
        } else if runs(TRIGGERS[self.plan.join], &members) {
            Edge::Ok
        } else if let Some(origin) = self.first_bad(&members) {
            Edge::Bad(origin)
        } else {
            Edge::Dead(self.first_dead(&members))
        }
    }

    fn first_bad(&self, edges: &[Edge]) -> Option<usize> {
        let bad = edges.iter().filter_map(|edge| match edge {
            Edge::Bad(origin) => Some(*origin),
            _ => None,
        });
        bad.min_by_key(|step| self.place(step))
    }

    fn first_dead(&self, edges: &[Edge]) -> Option<usize> {
        let dead = edges.iter().filter_map(|edge| match edge {
            Edge::Dead(origin) => *origin,
            _ => None,
        });
        dead.min_by_key(|step| self.place(step))
    }

    fn switches_of(&self, step: usize) -> impl Iterator<Item = (usize, &'p PlanSwitch)> {
        let all = self.plan.steps.iter().enumerate();
        all.filter_map(|(number, step)| Some((number, step.switch.as_ref()?)))
            .filter(move |(_, switch)| switch.lists(step))
    }

    /// Whether `needed` was skipped by a switch that lists both, so that `step` does without it.
    fn drops(&self, step: usize, needed: usize) -> bool {
        let skip = self.came[needed]
            .as_ref()
            .and_then(|came| came.skip.as_ref());
        skip.is_some_and(|skip| skip.cause == SkipCause::BranchNotTaken)
            && self
                .switches_of(step)
                .any(|(_, switch)| switch.lists(needed) && !switch.chose(needed))
    }

    /// The edges that the rule of a step is asked about.
    fn edges(&self, step: usize) -> Vec<Edge> {
        let plan = &self.plan.steps[step];
        let needs = plan.needs.iter().filter(|need| !self.drops(step, **need));
        let mut edges: Vec<Edge> = needs.map(|need| self.edge(*need)).collect();
        if plan.needs_batch {
            edges.push(self.batch_edge());
        }
        if edges.is_empty() && self.switches_of(step).next().is_some() {
            edges.push(Edge::Ok);
        }
        edges
    }

    /// None: a switch has not decided. Otherwise the skip, if the gates do not let the step through.
    fn gates(&self, step: usize) -> Option<Option<Skip>> {
        let (mut bad, mut not_taken, mut dead) = (Vec::new(), Vec::new(), Vec::new());
        for (number, switch) in self.switches_of(step) {
            let came = self.came[number].as_ref()?;
            match self.edge(number) {
                _ if came.state == StepState::Succeeded && switch.chose(step) => {}
                Edge::Bad(origin) => bad.push(origin),
                Edge::Dead(origin) => dead.extend(origin),
                _ => not_taken.push(number),
            }
        }
        let first = |steps: Vec<usize>| steps.into_iter().min_by_key(|step| self.place(step));
        let skip = |cause, origin: usize, tainted, taken| Skip {
            cause,
            origin: format!("s{origin}"),
            tainted,
            taken,
        };
        if let Some(origin) = first(bad) {
            return Some(Some(skip(SkipCause::UpstreamFailed, origin, true, None)));
        }
        if let Some(switch) = first(not_taken) {
            let succeeded = self.came[switch].as_ref()?.state == StepState::Succeeded;
            let chosen = self.plan.steps[switch].switch.as_ref()?.chosen;
            let taken = chosen.filter(|_| succeeded);
            let taken = taken.map(|case| ["a", "b", "default"][case].to_owned());
            return Some(Some(skip(SkipCause::BranchNotTaken, switch, false, taken)));
        }
        Some(first(dead).map(|origin| skip(SkipCause::AllInputsDead, origin, false, None)))
    }

    /// Whether a step may run, as far as is known now; its guard is another matter.
    pub(crate) fn may_run(&self, step: usize) -> bool {
        let plan = &self.plan.steps[step];
        plan.in_band
            && self.gates(step) == Some(None)
            && (self.edges(step).is_empty() || runs(TRIGGERS[plan.trigger], &self.edges(step)))
    }

    /// What comes of a step when all that it waits for has ended.
    fn comes_to(&self, number: usize) -> Came {
        let step = &self.plan.steps[number];
        let skipped = |cause, origin: usize, tainted| Came {
            state: StepState::Skipped,
            skip: Some(Skip {
                cause,
                origin: format!("s{origin}"),
                tainted,
                taken: None,
            }),
        };
        if !step.in_band {
            return skipped(SkipCause::Band, number, false);
        }
        if let Some(Some(skip)) = self.gates(number) {
            return Came {
                state: StepState::Skipped,
                skip: Some(skip),
            };
        }
        if self.may_run(number) {
            if !step.guard {
                return skipped(SkipCause::GuardFalse, number, false);
            }
            return Came {
                state: step.ends.state(),
                skip: None,
            };
        }
        let edges = self.edges(number);
        let (bad, dead) = (self.first_bad(&edges), self.first_dead(&edges));
        let any_ok = edges.contains(&Edge::Ok);
        let any_dead = edges.iter().any(|edge| matches!(edge, Edge::Dead(_)));
        let cause = match TRIGGERS[step.trigger] {
            "all_failed" if any_ok => SkipCause::RuleNotMet,
            "one_failed" => SkipCause::RuleNotMet,
            "none_skipped" if any_dead && bad.is_none() => SkipCause::RuleNotMet,
            _ if bad.is_some() => SkipCause::UpstreamFailed,
            _ => SkipCause::AllInputsDead,
        };
        skipped(cause, bad.or(dead).unwrap_or(number), bad.is_some())
    }
}

/// When a rule lets a step run.
fn runs(trigger: &str, edges: &[Edge]) -> bool {
    let is_ok = |edge: &Edge| *edge == Edge::Ok;
    let is_bad = |edge: &Edge| matches!(edge, Edge::Bad(_));
    let is_dead = |edge: &Edge| matches!(edge, Edge::Dead(_));
    let none_open = !edges.contains(&Edge::Open);
    match trigger {
        "all_success" => none_open && !edges.iter().any(is_bad) && edges.iter().any(is_ok),
        "all_success_strict" => edges.iter().all(is_ok),
        "one_success" => edges.iter().any(is_ok),
        "all_done" => none_open && edges.iter().any(|edge| is_ok(edge) || is_bad(edge)),
        "all_settled" => none_open,
        "one_failed" => edges.iter().any(is_bad),
        "all_failed" => edges.iter().all(is_bad),
        "none_skipped" => none_open && !edges.iter().any(is_dead),
        other => unreachable!("{other} is no trigger"),
    }
}

/// Reads a flow that must be right.
pub(crate) fn written(text: &str) -> Flow {
    Flow::read(text).unwrap_or_else(|refused| panic!("{text}\n{refused}"))
}
