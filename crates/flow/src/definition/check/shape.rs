//! How steps hang together: cases, circles, branches that exclude one another.

use std::collections::{BTreeMap, HashMap};

use super::Checker;
use crate::definition::file::{At, FlowFile, Names, OnRejectFile};
use crate::definition::{Batch, Branch, Gate, Kind, Need, Step, StepIndex};

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
