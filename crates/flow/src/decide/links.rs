//! What depends on what, by index: the fixed part of a run.

use crate::definition::{Flow, Need, StepIndex};

/// What depends on what, by index.
#[derive(Debug)]
pub(super) struct Links {
    pub(super) dependents: Vec<Vec<StepIndex>>,
    pub(super) gated: Vec<Vec<StepIndex>>,
    pub(super) batch_dependents: Vec<Vec<StepIndex>>,
    /// For each step with a list: the steps of its items, those that the list no longer has as well.
    pub(super) items: Vec<Vec<StepIndex>>,
    /// For each step with several needs: these, each with the first step of the file whose failure it
    /// could pass on, and the first of those first.
    pub(super) suspects: Vec<Vec<(StepIndex, Need)>>,
}

impl Links {
    pub(super) fn of(flow: &Flow) -> Self {
        let count = flow.steps.len();
        let mut links = Self {
            dependents: vec![Vec::new(); count],
            gated: vec![Vec::new(); count],
            batch_dependents: vec![Vec::new(); flow.batches.len()],
            items: vec![Vec::new(); count],
            suspects: Vec::new(),
        };
        for (number, step) in flow.steps.iter().enumerate() {
            for need in &step.needs {
                match need {
                    Need::Step(need) => links.dependents[*need].push(number),
                    Need::Batch(batch) => links.batch_dependents[*batch].push(number),
                }
            }
            if let Some(item) = &step.item {
                links.items[item.of].push(number);
            }
            for gate in &step.gates {
                links.gated[gate.switch].push(number);
            }
        }
        links.suspects = suspects(flow);
        links
    }
}

fn suspects(flow: &Flow) -> Vec<Vec<(StepIndex, Need)>> {
    let mut order: Vec<StepIndex> = (0..flow.steps.len()).collect();
    order.sort_unstable_by_key(|step| flow.steps[*step].rank);
    // The first step of the file whose failure comes out of each step, and out of each batch.
    let mut of_step = vec![StepIndex::MAX; flow.steps.len()];
    let mut of_batch = vec![StepIndex::MAX; flow.batches.len()];
    let mut suspects = vec![Vec::new(); flow.steps.len()];
    for number in order {
        let step = &flow.steps[number];
        let mut needs: Vec<(StepIndex, Need)> = step
            .needs
            .iter()
            .map(|need| match need {
                Need::Step(needed) => (of_step[*needed], *need),
                Need::Batch(batch) => (of_batch[*batch], *need),
            })
            .collect();
        let own = if step.allow_failure {
            StepIndex::MAX
        } else {
            number
        };
        let gates = step.gates.iter().map(|gate| of_step[gate.switch]);
        let first = needs.iter().map(|(first, _)| *first).chain(gates).min();
        of_step[number] = first.map_or(own, |first| first.min(own));
        if let Some(batch) = step.batch {
            of_batch[batch] = of_batch[batch].min(of_step[number]);
        }
        if needs.len() > 1 {
            needs.sort_by_key(|(first, _)| *first);
            suspects[number] = needs;
        }
    }
    suspects
}
