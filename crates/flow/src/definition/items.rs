//! Lists: the steps that a run gets for the items of one, once it is known.

use serde_json::Value;

use super::{Batch, Flow, Item, Need, Step, StepIndex, Trigger};

/// The most items that a list may have.
pub(crate) const MOST_ITEMS: usize = 1_000;
/// The items of a step have places of their own, after those of all steps that a file may have.
const FIRST_PLACE: usize = 20_000;

/// The id of the step that stands for an item.
pub(crate) fn item_id(step: &str, index: u32) -> String {
    format!("{step}.{index}")
}

/// The step and the item that such an id stands for.
pub(crate) fn item_of(id: &str) -> Option<(&str, u32)> {
    let (step, index) = id.split_once('.')?;
    Some((step, index.parse().ok().filter(|index| *index > 0)?))
}

impl Flow {
    /// The same flow, in which the list of a step is known: what is done for each item is a step. Those that there are
    /// already stay where they are, also when the list no longer has them.
    pub(crate) fn opened(&self, step: StepIndex, list: &[Value]) -> Self {
        let mut flow = self.clone();
        let mut items = Vec::with_capacity(list.len());
        for (index, value) in (1..).zip(list) {
            items.push(flow.add_item(step, index, value.clone()));
        }
        if let Some(limit) = flow.steps[step]
            .foreach
            .as_ref()
            .and_then(|list| list.max_concurrent)
        {
            let name = flow.steps[step].id.clone();
            let known = flow
                .batches
                .iter()
                .position(|batch| batch.own && batch.name == name);
            let batch = known.unwrap_or_else(|| {
                flow.batches.push(Batch {
                    name,
                    max_concurrent: limit,
                    join: Trigger::AllSettled,
                    members: Vec::new(),
                    own: true,
                });
                flow.batches.len() - 1
            });
            flow.batches[batch].members.clone_from(&items);
            for item in &items {
                flow.steps[*item].batch = Some(batch);
            }
        }
        let needs = items.iter().map(|item| Need::Step(*item)).collect();
        let whole = &mut flow.steps[step];
        whole.needs = needs;
        if let Some(list) = &mut whole.foreach {
            list.items = Some(items);
        }
        flow
    }

    /// The same flow, in which the list of a step is not known: it is read again.
    pub(crate) fn closed(&self, step: StepIndex) -> Self {
        let mut flow = self.clone();
        let whole = &mut flow.steps[step];
        if let Some(list) = &mut whole.foreach {
            list.items = None;
            whole.needs.clone_from(&list.needs);
        }
        flow
    }

    /// Adds the step for an item, if it is not there, and gives its number.
    pub(crate) fn add_item(&mut self, of: StepIndex, index: u32, value: Value) -> StepIndex {
        let id = item_id(&self.steps[of].id, index);
        let item = Some(Item { of, index, value });
        if let Some(known) = self.index.get(&id).copied() {
            self.steps[known].item = item;
            return known;
        }
        let whole = &self.steps[of];
        let needs = whole.foreach.as_ref().map(|list| list.needs.clone());
        let step = Step {
            id: id.clone(),
            rank: whole.rank.saturating_sub(1),
            needs: needs.unwrap_or_default(),
            when: None,
            foreach: None,
            item,
            allow_failure: false,
            place: FIRST_PLACE + of * MOST_ITEMS + index as usize - 1,
            ..whole.clone()
        };
        self.steps.push(step);
        self.index.insert(id, self.steps.len() - 1);
        self.steps.len() - 1
    }

    /// How many steps its file has.
    pub(crate) fn of_file(&self) -> usize {
        self.steps
            .iter()
            .take_while(|step| step.item.is_none())
            .count()
    }
}

impl Flow {
    /// The flow as a run has it: with the steps that it got for items, each with its item and with how many items its list
    /// has, in the order of their places.
    pub(crate) fn grown<'r>(
        &self,
        steps: impl Iterator<Item = (&'r str, Option<&'r Value>, Option<u32>)>,
    ) -> Self {
        let mut flow = self.clone();
        let mut known: Vec<(StepIndex, u32)> = Vec::new();
        for (id, item, items) in steps {
            match (item_of(id), self.step(id)) {
                (Some((of, index)), _) => {
                    if let (Some(of), Some(item)) = (self.step(of), item) {
                        flow.add_item(of, index, item.clone());
                    }
                }
                (None, Some(step)) => known.extend(items.map(|items| (step, items))),
                (None, None) => {}
            }
        }
        for (step, count) in known {
            let id = flow.steps[step].id.clone();
            let values = (1..=count).filter_map(|index| {
                let item = flow.step(&item_id(&id, index))?;
                Some(flow.steps[item].item.as_ref()?.value.clone())
            });
            let values: Vec<Value> = values.collect();
            flow = flow.opened(step, &values);
        }
        flow
    }
}
