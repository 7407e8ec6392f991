//! How steps hang together: circles, branches that exclude one another, steps that can never run.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Checker;
use crate::definition::file::{At, FlowFile, Names, OnRejectFile, Trigger};
use crate::definition::template;
use crate::definition::{Batch, Branch, Gate, Input, Kind, Need, Step, StepIndex};

impl Checker<'_> {
    /// Names of cases' steps become indexes, and each listed step learns its switches.
    pub(super) fn link_cases(&mut self, file: &FlowFile, steps: &mut [Step]) {
        let index: HashMap<String, StepIndex> = file
            .steps
            .value
            .iter()
            .enumerate()
            .rev()
            .map(|(n, step)| (step.value.id.value.clone(), n))
            .collect();
        let mut gates: Vec<BTreeMap<StepIndex, Vec<Branch>>> = vec![BTreeMap::new(); steps.len()];
        for (number, step) in file.steps.value.iter().enumerate() {
            let Some(cases) = &step.value.switch else {
                continue;
            };
            let mut lists: Vec<(Branch, Option<&At<Names>>)> = cases
                .value
                .iter()
                .enumerate()
                .map(|(position, case)| (Branch::Case(position), case.value.steps.as_ref()))
                .collect();
            lists.push((Branch::Default, step.value.default.as_ref()));
            for (branch, names) in lists {
                let mut listed = Vec::new();
                for name in names.into_iter().flat_map(At::list) {
                    match index.get(&name.value) {
                        None => self.unknown(
                            "step",
                            &name.value,
                            name.at,
                            index.keys().map(String::as_str),
                        ),
                        Some(target) if listed.contains(target) => self.error(
                            name.at,
                            format!("`{}` is listed twice", name.value),
                            Some("list it once".to_owned()),
                        ),
                        Some(target) => {
                            listed.push(*target);
                            gates[*target].entry(number).or_default().push(branch);
                        }
                    }
                }
                if let Kind::Switch(switch) = &mut steps[number].kind {
                    match branch {
                        Branch::Case(position) => switch.cases[position].steps = listed,
                        Branch::Default => {
                            if let Some(default) = &mut switch.default {
                                *default = listed;
                            }
                        }
                    }
                }
            }
        }
        for (step, gates) in steps.iter_mut().zip(gates) {
            step.gates = gates
                .into_iter()
                .map(|(switch, branches)| Gate { switch, branches })
                .collect();
        }
    }

    pub(super) fn goto_targets(
        &mut self,
        file: &FlowFile,
        steps: &mut [Step],
        index: &HashMap<String, StepIndex>,
    ) {
        for (number, step) in file.steps.value.iter().enumerate() {
            let Some(on_reject) = step
                .value
                .approval
                .as_ref()
                .and_then(|approval| approval.value.on_reject.as_ref())
            else {
                continue;
            };
            let OnRejectFile::Goto(target) = &on_reject.value else {
                continue;
            };
            match index.get(target) {
                None => self.unknown(
                    "step",
                    target,
                    on_reject.at,
                    index.keys().map(String::as_str),
                ),
                Some(target) => {
                    if let Kind::Approval(approval) = &mut steps[number].kind {
                        approval.goto = Some(*target);
                    }
                }
            }
        }
    }

    /// Refuses what waits for itself. True when nothing does.
    pub(super) fn cycles(&mut self, file: &FlowFile, steps: &[Step], batches: &[Batch]) -> bool {
        let before = predecessors(steps, batches);
        let mut after: Vec<Vec<StepIndex>> = vec![Vec::new(); steps.len()];
        let mut waits: Vec<usize> = before.iter().map(Vec::len).collect();
        for (step, before) in before.iter().enumerate() {
            for predecessor in before {
                after[*predecessor].push(step);
            }
        }
        let mut free: Vec<StepIndex> = (0..steps.len()).filter(|step| waits[*step] == 0).collect();
        let mut done = 0;
        while let Some(step) = free.pop() {
            done += 1;
            for next in &after[step] {
                waits[*next] -= 1;
                if waits[*next] == 0 {
                    free.push(*next);
                }
            }
        }
        if done == steps.len() {
            return true;
        }
        // Every step that still waits has a predecessor that still waits: walking back closes a circle.
        let mut seen: HashMap<StepIndex, usize> = HashMap::new();
        let mut path = Vec::new();
        let mut step = (0..steps.len())
            .find(|step| waits[*step] > 0)
            .unwrap_or_default();
        while !seen.contains_key(&step) {
            seen.insert(step, path.len());
            path.push(step);
            match before[step]
                .iter()
                .find(|predecessor| waits[**predecessor] > 0)
            {
                Some(predecessor) => step = *predecessor,
                None => break,
            }
        }
        let circle = &path[seen.get(&step).copied().unwrap_or_default()..];
        let names: Vec<String> = circle
            .iter()
            .chain(circle.first())
            .map(|step| format!("`{}`", steps[*step].id))
            .collect();
        let first = circle.iter().min().copied().unwrap_or_default();
        let at = file.steps.value[first]
            .value
            .needs
            .as_ref()
            .map_or(file.steps.value[first].at, |needs| needs.at);
        self.error(
            at,
            format!(
                "these steps wait for one another: {}",
                names.join(" waits for ")
            ),
            Some("take one of the needs out".to_owned()),
        );
        false
    }

    /// A step of one case that needs a step of other cases only waits for what is never there.
    pub(super) fn sibling_cases(&mut self, file: &FlowFile, steps: &[Step]) {
        for (number, step) in steps.iter().enumerate() {
            for gate in &step.gates {
                for need in &step.needs {
                    let Need::Step(need) = need else { continue };
                    let Some(other) = steps[*need]
                        .gates
                        .iter()
                        .find(|other| other.switch == gate.switch)
                    else {
                        continue;
                    };
                    if other
                        .branches
                        .iter()
                        .any(|branch| gate.branches.contains(branch))
                    {
                        continue;
                    }
                    let switch = &steps[gate.switch];
                    let (own, sibling) = (
                        label(switch, gate.branches[0]),
                        label(switch, other.branches[0]),
                    );
                    let needs = &file.steps.value[number].value.needs;
                    let at = needs
                        .iter()
                        .flat_map(At::list)
                        .find(|name| name.value == steps[*need].id)
                        .map_or(step.at, |name| name.at);
                    self.error(
                        at,
                        format!(
                            "`{}` runs in the case `{own}` of `{}` and needs `{}`, which runs in the case `{sibling}` only",
                            step.id, switch.id, steps[*need].id
                        ),
                        Some("list it in both cases, or in none".to_owned()),
                    );
                }
            }
        }
    }

    /// Refuses steps that no run could ever reach.
    pub(super) fn never_runs(
        &mut self,
        file: &FlowFile,
        steps: &[Step],
        batches: &[Batch],
        _: &BTreeMap<String, Input>,
    ) {
        let before = predecessors(steps, batches);
        let order = in_order(&before);
        let mut may = vec![
            May {
                ok: false,
                bad: false,
                dead: false
            };
            steps.len()
        ];
        // For each step, the branches that must have been taken for it to run.
        let mut demands: Vec<BTreeMap<StepIndex, BTreeSet<Branch>>> =
            vec![BTreeMap::new(); steps.len()];
        let mut unreachable = HashSet::new();
        for number in order {
            let step = &steps[number];
            let mut why: Option<String> = None;
            let mut derived = false;

            let mut demand: BTreeMap<StepIndex, BTreeSet<Branch>> = BTreeMap::new();
            for gate in &step.gates {
                let own = [(
                    gate.switch,
                    gate.branches.iter().copied().collect::<BTreeSet<_>>(),
                )];
                let inherited = demands[gate.switch].clone();
                for (switch, branches) in own.into_iter().chain(inherited) {
                    let entry = demand.entry(switch).or_insert_with(|| branches.clone());
                    *entry = entry.intersection(&branches).copied().collect();
                    if entry.is_empty() {
                        why = Some(format!(
                            "it is listed in cases of `{}` that exclude one another",
                            steps[switch].id
                        ));
                    }
                }
                derived |= unreachable.contains(&gate.switch);
            }
            if step.when.as_deref().and_then(template::constant) == Some(false) {
                why = Some("its condition is always false".to_owned());
            }

            let edges: Vec<(Need, May)> = step
                .needs
                .iter()
                .map(|need| match need {
                    Need::Step(needed) => (*need, may[*needed]),
                    Need::Batch(batch) => {
                        let members = &batches[*batch].members;
                        let may = May {
                            ok: members.is_empty()
                                || members.iter().any(|member| may[*member].ok)
                                || batches[*batch].join != Trigger::AllSuccess,
                            bad: members.iter().any(|member| may[*member].bad),
                            dead: true,
                        };
                        (*need, may)
                    }
                })
                .collect();
            // What a switch that has both in its cases may take away does not count then.
            let kept: Vec<(Need, May)> = edges
                .iter()
                .filter(
                    |(need, _)| !matches!(need, Need::Step(need) if may_drop(step, &steps[*need])),
                )
                .copied()
                .collect();
            let gate_alone = May {
                ok: true,
                bad: false,
                dead: false,
            };
            let needed: Vec<StepIndex> = step
                .needs
                .iter()
                .filter_map(|need| match need {
                    Need::Step(need) => Some(*need),
                    Need::Batch(_) => None,
                })
                .collect();
            derived |= needed.iter().any(|need| unreachable.contains(need));
            let exclusive = exclusive_pair(step, &needed, &demands, steps);
            let fits = |edges: &[(Need, May)]| {
                let gated = !step.gates.is_empty();
                let edges: Vec<May> = edges.iter().map(|(_, may)| *may).collect();
                match edges.is_empty() {
                    // A step without needs runs at the start.
                    true if !gated => true,
                    true => trigger_fits(step.trigger, &[gate_alone]),
                    false => trigger_fits(step.trigger, &edges),
                }
            };
            if !fits(&edges) && !fits(&kept) {
                let message = if edges.is_empty() {
                    "all that it waits for is its switch, and its `trigger` wants something to fail"
                } else {
                    "its needs can never end as its `trigger` wants"
                };
                why = why.or_else(|| Some(message.to_owned()));
            }
            if matches!(
                step.trigger,
                Trigger::AllSuccessStrict | Trigger::NoneSkipped
            ) && let Some((a, b)) = exclusive
            {
                why = why.or_else(|| {
                    Some(format!(
                        "it wants both `{}` and `{}`, which are in cases that exclude one another",
                        steps[a].id, steps[b].id
                    ))
                });
            }

            let can_run = why.is_none() && !derived;
            let need_bad = edges.iter().any(|(_, edge)| edge.bad)
                || step.gates.iter().any(|gate| may[gate.switch].bad);
            may[number] = May {
                ok: can_run,
                bad: (can_run && !step.allow_failure) || need_bad,
                dead: !can_run
                    || step.when.is_some()
                    || step.bands.is_some()
                    || !step.gates.is_empty()
                    || !step.needs.is_empty(),
            };
            if why.is_some() || derived {
                unreachable.insert(number);
            }
            if let Some(why) = why {
                let at = file.steps.value[number].value.id.at;
                self.error(
                    at,
                    format!("the step `{}` can never run: {why}", step.id),
                    Some("change it, or leave the step out".to_owned()),
                );
            }
            demands[number] = demand;
        }
    }
}

pub(super) fn label(switch: &Step, branch: Branch) -> String {
    match (&switch.kind, branch) {
        (Kind::Switch(switch), Branch::Case(position)) => switch.cases[position].label.clone(),
        _ => "default".to_owned(),
    }
}

/// For each step, all that it waits for: its needs, the members of the batches it needs, its switches.
pub(super) fn predecessors(steps: &[Step], batches: &[Batch]) -> Vec<Vec<StepIndex>> {
    steps
        .iter()
        .map(|step| {
            let mut before: Vec<StepIndex> = step.gates.iter().map(|gate| gate.switch).collect();
            for need in &step.needs {
                match need {
                    Need::Step(step) => before.push(*step),
                    Need::Batch(batch) => before.extend(&batches[*batch].members),
                }
            }
            before.sort_unstable();
            before.dedup();
            before
        })
        .collect()
}

/// The steps, each after all that it waits for. There is no circle.
pub(super) fn in_order(before: &[Vec<StepIndex>]) -> Vec<StepIndex> {
    let mut after: Vec<Vec<StepIndex>> = vec![Vec::new(); before.len()];
    let mut waits: Vec<usize> = before.iter().map(Vec::len).collect();
    for (step, before) in before.iter().enumerate() {
        for predecessor in before {
            after[*predecessor].push(step);
        }
    }
    let mut order: Vec<StepIndex> = (0..before.len()).filter(|step| waits[*step] == 0).collect();
    let mut next = 0;
    while next < order.len() {
        for successor in &after[order[next]] {
            waits[*successor] -= 1;
            if waits[*successor] == 0 {
                order.push(*successor);
            }
        }
        next += 1;
    }
    order
}

/// What may come of a step, as an edge.
#[derive(Clone, Copy)]
struct May {
    ok: bool,
    bad: bool,
    dead: bool,
}

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

/// Two of `needed` that `step` can never have both, because a switch chooses between them.
fn exclusive_pair(
    step: &Step,
    needed: &[StepIndex],
    demands: &[BTreeMap<StepIndex, BTreeSet<Branch>>],
    steps: &[Step],
) -> Option<(StepIndex, StepIndex)> {
    let gated_by = |step: &Step, switch| step.gates.iter().any(|gate| gate.switch == switch);
    for (position, a) in needed.iter().enumerate() {
        if demands[*a].is_empty() {
            continue;
        }
        for b in &needed[position + 1..] {
            for (switch, branches) in &demands[*a] {
                // Of two cases that both list the step, it does without what only the other one lists.
                let does_without = gated_by(step, *switch)
                    && (gated_by(&steps[*a], *switch) || gated_by(&steps[*b], *switch));
                let other = demands[*b].get(switch);
                if !does_without && other.is_some_and(|other| branches.is_disjoint(other)) {
                    return Some((*a, *b));
                }
            }
        }
    }
    None
}
