//! Steps that no run could ever reach.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Checker;
use super::shape::{in_order, predecessors};
use crate::definition::file::{FlowFile, Trigger};
use crate::definition::template;
use crate::definition::{Batch, Branch, Need, Step, StepIndex};

/// The branches that must have been taken for a step to run, by switch.
type Demand = BTreeMap<StepIndex, BTreeSet<Branch>>;

impl Checker<'_> {
    /// Refuses steps that no run could ever reach.
    pub(super) fn never_runs(&mut self, file: &FlowFile, steps: &[Step], batches: &[Batch]) {
        let nothing = May {
            ok: false,
            bad: false,
            dead: false,
        };
        let mut prospects = Prospects {
            steps,
            batches,
            may: vec![nothing; steps.len()],
            demands: vec![Demand::new(); steps.len()],
            unreachable: HashSet::new(),
        };
        for number in in_order(&predecessors(steps, batches)) {
            let step = &steps[number];
            if let Some(why) = prospects.look(number) {
                self.error(
                    file.steps.value[number].value.id.at,
                    format!("the step `{}` can never run: {why}", step.id),
                    Some("change it, or leave the step out".to_owned()),
                );
            }
        }
    }
}

/// What may come of each step, in any run; looked at in an order in which each comes after all that it
/// waits for.
struct Prospects<'s> {
    steps: &'s [Step],
    batches: &'s [Batch],
    may: Vec<May>,
    demands: Vec<Demand>,
    /// Steps that can never run, and those that wait for one.
    unreachable: HashSet<StepIndex>,
}

impl Prospects<'_> {
    /// Looks at a step. Gives why it can never run, when that is its own fault.
    fn look(&mut self, number: StepIndex) -> Option<String> {
        let step = &self.steps[number];
        let edges = self.edges(step);
        let (demand, mut why) = self.demand(step);
        if step.when.as_deref().and_then(template::constant) == Some(false) {
            why = Some("its condition is always false".to_owned());
        }
        let why = why
            .or_else(|| self.against_its_trigger(step, &edges))
            .or_else(|| self.wants_both(step));

        let mut waits_for = step
            .gates
            .iter()
            .map(|gate| gate.switch)
            .chain(needed(step));
        let derived = waits_for.any(|other| self.unreachable.contains(&other));
        let can_run = why.is_none() && !derived;
        if !can_run {
            self.unreachable.insert(number);
        }
        let need_bad = edges.iter().any(|(_, edge)| edge.bad)
            || step.gates.iter().any(|gate| self.may[gate.switch].bad);
        self.may[number] = May {
            ok: can_run,
            bad: (can_run && !step.allow_failure) || need_bad,
            dead: !can_run
                || step.when.is_some()
                || step.bands.is_some()
                || !step.gates.is_empty()
                || !step.needs.is_empty(),
        };
        self.demands[number] = demand;
        why
    }

    /// The branches that must have been taken for a step to run; with the reason when that can't be.
    fn demand(&self, step: &Step) -> (Demand, Option<String>) {
        let mut demand = Demand::new();
        let mut why = None;
        for gate in &step.gates {
            let own = [(
                gate.switch,
                gate.branches.iter().copied().collect::<BTreeSet<_>>(),
            )];
            let inherited = self.demands[gate.switch].clone();
            for (switch, branches) in own.into_iter().chain(inherited) {
                let entry = demand.entry(switch).or_insert_with(|| branches.clone());
                *entry = entry.intersection(&branches).copied().collect();
                if entry.is_empty() {
                    why = Some(format!(
                        "it is listed in cases of `{}` that exclude one another",
                        self.steps[switch].id
                    ));
                }
            }
        }
        (demand, why)
    }

    fn edges(&self, step: &Step) -> Vec<(Need, May)> {
        let edge = |need: &Need| match need {
            Need::Step(needed) => self.may[*needed],
            Need::Batch(batch) => {
                let batch = &self.batches[*batch];
                let any = |f: fn(&May) -> bool| batch.members.iter().any(|m| f(&self.may[*m]));
                May {
                    ok: batch.members.is_empty()
                        || any(|may| may.ok)
                        || batch.join != Trigger::AllSuccess,
                    bad: any(|may| may.bad),
                    dead: true,
                }
            }
        };
        step.needs.iter().map(|need| (*need, edge(need))).collect()
    }

    /// Why the trigger of a step never lets it run, if that is so.
    fn against_its_trigger(&self, step: &Step, edges: &[(Need, May)]) -> Option<String> {
        // What a switch that has both in its cases may take away does not count then.
        let stays = |need: &Need| match need {
            Need::Step(need) => !may_drop(step, &self.steps[*need]),
            Need::Batch(_) => true,
        };
        let all: Vec<May> = edges.iter().map(|(_, may)| *may).collect();
        let kept = edges.iter().filter(|(need, _)| stays(need));
        let kept: Vec<May> = kept.map(|(_, may)| *may).collect();
        let fits = |edges: &[May]| match edges {
            // A step without needs runs at the start; one that its switch lets through has that to be judged.
            [] if step.gates.is_empty() => true,
            [] => trigger_fits(step.trigger, &[PASSED]),
            edges => trigger_fits(step.trigger, edges),
        };
        let why = if edges.is_empty() {
            "all that it waits for is its switch, and its `trigger` wants something to fail"
        } else {
            "its needs can never end as its `trigger` wants"
        };
        (!fits(&all) && !fits(&kept)).then(|| why.to_owned())
    }

    /// Why a step that wants all of its needs can't have them, if that is so.
    fn wants_both(&self, step: &Step) -> Option<String> {
        let wants_all = [Trigger::AllSuccessStrict, Trigger::NoneSkipped].contains(&step.trigger);
        let (a, b) = self.exclusive_pair(step).filter(|_| wants_all)?;
        Some(format!(
            "it wants both `{}` and `{}`, which are in cases that exclude one another",
            self.steps[a].id, self.steps[b].id
        ))
    }

    /// Two needs that a step can never have both, because a switch chooses between them.
    fn exclusive_pair(&self, step: &Step) -> Option<(StepIndex, StepIndex)> {
        let gated_by = |step: &Step, switch| step.gates.iter().any(|gate| gate.switch == switch);
        let needed: Vec<StepIndex> = needed(step).collect();
        for (position, a) in needed.iter().enumerate() {
            if self.demands[*a].is_empty() {
                continue;
            }
            for b in &needed[position + 1..] {
                for (switch, branches) in &self.demands[*a] {
                    // Of two cases that both list the step, it does without what only the other one lists.
                    let does_without = gated_by(step, *switch)
                        && (gated_by(&self.steps[*a], *switch)
                            || gated_by(&self.steps[*b], *switch));
                    let other = self.demands[*b].get(switch);
                    if !does_without && other.is_some_and(|other| branches.is_disjoint(other)) {
                        return Some((*a, *b));
                    }
                }
            }
        }
        None
    }
}

fn needed(step: &Step) -> impl Iterator<Item = StepIndex> {
    step.needs.iter().filter_map(|need| match need {
        Need::Step(need) => Some(*need),
        Need::Batch(_) => None,
    })
}

/// What may come of a step, as an edge.
#[derive(Clone, Copy)]
struct May {
    ok: bool,
    bad: bool,
    dead: bool,
}

/// A gate that lets a step through.
const PASSED: May = May {
    ok: true,
    bad: false,
    dead: false,
};

/// Whether needs that may come to this may come to what a trigger wants.
fn trigger_fits(trigger: Trigger, edges: &[May]) -> bool {
    let all = |f: fn(&May) -> bool| edges.iter().all(f);
    let any = |f: fn(&May) -> bool| edges.iter().any(f);
    match trigger {
        Trigger::AllSuccess => any(|e| e.ok) && all(|e| e.ok || e.dead),
        Trigger::AllSuccessStrict => all(|e| e.ok),
        Trigger::OneSuccess => any(|e| e.ok),
        Trigger::AllDone => any(|e| e.ok || e.bad),
        Trigger::AllSettled => true,
        Trigger::OneFailed => any(|e| e.bad),
        Trigger::AllFailed => all(|e| e.bad),
        Trigger::NoneSkipped => all(|e| e.ok || e.bad),
    }
}

/// Whether a switch that lists both may choose `step` without `needed`, which is then not needed.
fn may_drop(step: &Step, needed: &Step) -> bool {
    step.gates.iter().any(|own| {
        needed.gates.iter().any(|gate| {
            let without = |branch| !gate.branches.contains(branch);
            gate.switch == own.switch && own.branches.iter().any(without)
        })
    })
}
