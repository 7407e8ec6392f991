//! Lists: what their items wait for, and what they come to as a whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::rules::{Edge, Verdict, judge};
use super::{Change, Guarded, Guards, Progress, Skip, SkipCause, StepState};
use crate::definition::{Flow, Item, StepIndex};

/// What there is to say of an item that its list does not have, or not yet.
pub(super) enum WithoutList {
    /// The list is not known.
    Waits,
    Skipped(Skip),
}

impl Progress {
    /// The list of a step is known, by this form of the flow: its items are begun anew, and the step waits for them.
    pub(crate) fn opened(
        &mut self,
        number: StepIndex,
        flow: Arc<Flow>,
        guards: &mut dyn Guards,
    ) -> Vec<Change> {
        // To look at a list is no attempt.
        self.steps[number].attempts -= 1;
        let earlier = self.steps[number].earlier;
        let steps = self.links.items[number]
            .iter()
            .copied()
            .chain([number])
            .collect();
        *self = self.in_flow(flow, &steps, self.cancelled);
        self.steps[number].earlier = earlier;
        self.start(guards)
    }

    /// The list of steps is to be read again, by this form of the flow. Follow with [`Progress::start`].
    pub(crate) fn closed(&self, flow: Arc<Flow>) -> Self {
        self.in_flow(flow, &BTreeSet::new(), self.cancelled)
    }

    /// Whether the items of a list came to what its rule wants.
    pub(crate) fn joined(&self, number: StepIndex) -> Result<(), String> {
        let Some(list) = &self.flow.steps[number].foreach else {
            return Ok(());
        };
        if judge(list.join, &self.steps[number].tally) == Verdict::Run {
            return Ok(());
        }
        let items = list.items.as_deref().unwrap_or_default();
        let bad: Vec<StepIndex> = items
            .iter()
            .copied()
            .filter(|item| self.edge(*item) == Edge::Bad)
            .collect();
        let first = bad
            .first()
            .map(|item| self.flow.steps[self.origin_of(*item)].id.clone());
        Err(match first {
            Some(first) => format!(
                "{} of {} items did not succeed, the first of them `{first}`",
                bad.len(),
                items.len()
            ),
            None => format!("none of its {} items did what `join` wants", items.len()),
        })
    }

    pub(super) fn guard(&self, number: StepIndex, guards: &mut dyn Guards) -> Guarded {
        if self.flow.steps[number].is_opened() {
            // It was asked before the list was read.
            return Guarded::Holds;
        }
        guards.guard(self, number)
    }

    /// What becomes of an item as long as its list is not known, or when the list has no such item any more; none: it is
    /// decided like every step.
    pub(super) fn without_list(&self, number: StepIndex, item: &Item) -> Option<WithoutList> {
        let whole = &self.steps[item.of];
        match self.flow.steps[item.of].foreach.as_ref()?.items.as_ref() {
            Some(items) if item.index as usize <= items.len() => None,
            Some(_) => Some(WithoutList::Skipped(self.skip(
                SkipCause::NotListed,
                number,
                false,
                None,
            ))),
            None if !whole.state.is_terminal() => Some(WithoutList::Waits),
            None => Some(WithoutList::Skipped(whole.skip.clone().unwrap_or_else(
                || {
                    let bad = self.edge(item.of) == Edge::Bad;
                    let cause = if bad {
                        SkipCause::UpstreamFailed
                    } else {
                        SkipCause::NotListed
                    };
                    self.skip(cause, item.of, bad, None)
                },
            ))),
        }
    }

    /// Of a list that fails fast, one bad item keeps those from beginning that have not.
    pub(super) fn fail_fast(&mut self, number: StepIndex, changes: &mut Vec<Change>) {
        let flow = Arc::clone(&self.flow);
        let list = flow.steps[number]
            .item
            .as_ref()
            .and_then(|item| flow.steps[item.of].foreach.as_ref());
        let Some(list) = list.filter(|list| list.fail_fast && self.edge(number) == Edge::Bad)
        else {
            return;
        };
        for item in list.items.iter().flatten() {
            if matches!(
                self.steps[*item].state,
                StepState::Pending | StepState::Queued
            ) {
                let skip = self.skip(SkipCause::UpstreamFailed, number, true, None);
                self.mark_skipped(*item, skip, changes);
                self.propagate(*item, &mut Vec::new());
            }
        }
    }
}
