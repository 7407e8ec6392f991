//! Lists: read when their step could run, and summed up when all of their items have ended.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Driver, For, RunGuards};
use crate::data::Json;
use crate::decide::StepState;
use crate::definition::StepIndex;
use crate::definition::items::MOST_ITEMS;
use crate::definition::template::MOST_TEXT;
use crate::journal::{AttemptEnd, Happened, ListItem};
use crate::scope::{self, StepResult};

impl Driver {
    /// Goes on with a step that is done for each item of a list: reads the list, or sums up what came of it.
    pub(super) fn list(&mut self, step: StepIndex, attempt: u32) {
        if self.known.flow.steps[step].is_opened() {
            return self.sum_up(step, attempt);
        }
        match self.items(step) {
            Ok(items) => self.open(step, &items),
            Err(message) => {
                self.note_started(step, attempt, None);
                let ended = AttemptEnd::new(StepState::Failed).with_message(message);
                self.finish(step, attempt, ended);
            }
        }
    }

    fn items(&self, step: StepIndex) -> Result<Vec<Value>, String> {
        let flow = &self.known.flow;
        let Some(list) = &flow.steps[step].foreach else {
            return Ok(Vec::new());
        };
        let items = scope::list(flow, &self.eyes_at(step, For::Work), &list.of)
            .map_err(|message| format!("`foreach`: {message}"))?;
        if items.len() > MOST_ITEMS {
            return Err(format!(
                "`foreach`: `{}` has {} items, and {MOST_ITEMS} are the most",
                list.of,
                items.len()
            ));
        }
        let text = Value::from(items.clone()).to_string();
        if self.known.handed.occur_in(&text) {
            return Err(
                "`foreach`: the list is kept, and a secret must not be: hand it on in `env`"
                    .to_owned(),
            );
        }
        Ok(items)
    }

    fn open(&mut self, step: StepIndex, items: &[Value]) {
        let flow = Arc::new(self.known.flow.opened(step, items));
        let known: BTreeSet<StepIndex> = (0..self.known.flow.steps.len()).collect();
        self.known
            .results
            .resize_with(flow.steps.len(), StepResult::default);
        self.known
            .last
            .resize_with(flow.steps.len(), StepResult::default);
        let list = flow.steps[step].foreach.as_ref();
        let list = list
            .and_then(|list| list.items.as_deref())
            .unwrap_or_default();
        let all: Vec<ListItem> = list
            .iter()
            .zip(items)
            .map(|(item, value)| ListItem {
                step: flow.steps[*item].id.clone(),
                place: flow.steps[*item].place,
                value: value.clone(),
                known: known.contains(item),
            })
            .collect();
        self.forget_looks(&list.iter().copied().collect());
        self.known.flow = Arc::clone(&flow);
        let id = self.step_id(step);
        self.note(
            step,
            Happened::ListOpened {
                step: id,
                items: all,
            },
        );
        let changes = self
            .progress
            .opened(step, flow, &mut RunGuards(&self.known));
        self.apply(changes);
    }

    fn sum_up(&mut self, step: StepIndex, attempt: u32) {
        self.note_started(step, attempt, None);
        let flow = self.flow();
        let list = flow.steps[step].foreach.as_ref();
        let items = list
            .and_then(|list| list.items.as_deref())
            .unwrap_or_default();
        let mut outputs = Vec::new();
        let mut data = Vec::new();
        for item in items {
            let result = &self.known.results[*item];
            let mut one = Map::new();
            if let Some(item) = &flow.steps[*item].item {
                one.insert("item".to_owned(), item.value.clone());
            }
            let state = self.progress.step(*item).state;
            one.insert("state".to_owned(), state.name().into());
            if let Some(output) = &result.output {
                one.insert("output".to_owned(), output.as_str().into());
                if !output.is_empty() {
                    outputs.push(output.as_str());
                }
            }
            if let Some(data) = &result.data {
                one.insert("data".to_owned(), data.value());
            }
            if let Some(code) = result.exit_code {
                one.insert("exit_code".to_owned(), code.into());
            }
            if let Some(worktree) = &result.worktree {
                one.insert("worktree".to_owned(), worktree.as_str().into());
            }
            data.push(Value::from(one));
        }
        let output = outputs.join("\n");
        let data = Json::from(Value::from(data));
        let mut ended = match self.progress.joined(step) {
            Ok(()) => AttemptEnd::new(StepState::Succeeded),
            Err(why) => {
                // What a person ended is no failure of its own.
                let cancelled =
                    |item: &StepIndex| self.progress.step(*item).state == StepState::Cancelled;
                let state = if items.iter().any(cancelled) {
                    StepState::Cancelled
                } else {
                    StepState::Failed
                };
                AttemptEnd::new(state).with_message(why)
            }
        };
        if output.len().max(data.text().len()) > MOST_TEXT {
            ended = AttemptEnd::new(StepState::Failed).with_message(format!(
                "what its items gave is larger than {} MB together: write it to files, and print where they are",
                MOST_TEXT >> 20
            ));
        } else {
            ended.output = Some(output);
            ended.data = Some(data);
        }
        self.finish(step, attempt, ended);
    }

    /// The lists of which every item is begun anew are read again.
    pub(super) fn close_lists(&mut self, steps: &BTreeSet<StepIndex>) {
        let flow = self.flow();
        for step in steps {
            let list = flow.steps[*step].foreach.as_ref();
            let Some(items) = list.and_then(|list| list.items.as_deref()) else {
                continue;
            };
            if items.iter().all(|item| steps.contains(item)) {
                self.known.flow = Arc::new(self.known.flow.closed(*step));
                self.progress = self.progress.closed(Arc::clone(&self.known.flow));
                let id = self.step_id(*step);
                self.note(*step, Happened::ListClosed { step: id });
            }
        }
    }

    /// A step, and the items of its list if it has one: what is done again when it is done again as a whole.
    pub(super) fn whole(&self, step: StepIndex) -> BTreeSet<StepIndex> {
        let list = self.known.flow.steps[step].foreach.as_ref();
        let items = list
            .and_then(|list| list.items.as_deref())
            .unwrap_or_default();
        items.iter().copied().chain([step]).collect()
    }
}
