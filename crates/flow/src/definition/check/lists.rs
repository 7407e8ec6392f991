//! Steps that are done for each item of a list.

use super::Checker;
use crate::definition::file::{FlowFile, ForeachFile, StepFile, Trigger};
use crate::definition::{Foreach, Kind, Step};

impl Checker<'_> {
    pub(super) fn foreach(&mut self, step: &StepFile) -> Option<Foreach> {
        let list = step.foreach.as_ref()?;
        let ForeachFile {
            of,
            max_concurrent,
            join,
            fail_fast,
        } = &list.value;
        if let Some(batch) = &step.batch {
            self.error(
                batch.at,
                format!(
                    "`{}` is done for each item of a list, and is in a batch",
                    step.id.value
                ),
                Some("limit its items by `max_concurrent` in `foreach`".to_owned()),
            );
        }
        for (key, at) in [
            ("switch", step.switch.as_ref().map(|key| key.at)),
            ("repeat", step.repeat.as_ref().map(|key| key.at)),
        ] {
            if let Some(at) = at {
                self.error(
                    at,
                    format!(
                        "a `{key}` can't be done for each item of a list, as `{}` is",
                        step.id.value
                    ),
                    Some("`foreach` goes with `agent`, `run`, `value` and `approval`".to_owned()),
                );
            }
        }
        Some(Foreach {
            of: of.value.clone(),
            max_concurrent: max_concurrent
                .as_ref()
                .map(|limit| self.at_least_one(limit)),
            join: join.as_ref().map_or(Trigger::AllSuccess, |join| join.value),
            fail_fast: *fail_fast,
            needs: Vec::new(),
            items: None,
        })
    }

    /// Refuses lists where they can't be.
    pub(super) fn lists_of_own(&mut self, file: &FlowFile, steps: &[Step]) {
        for (step, written) in steps.iter().zip(&file.steps.value) {
            let (Kind::Repeat(_), Some(repeat)) = (&step.kind, &written.value.repeat) else {
                continue;
            };
            for name in repeat.value.steps.list() {
                let listed = steps.iter().find(|step| step.id == name.value);
                if listed.is_some_and(|step| step.foreach.is_some()) {
                    self.error(
                        name.at,
                        format!("`{}` is done for each item of a list, and that can't be done in rounds", name.value),
                        Some("repeat other steps".to_owned()),
                    );
                }
            }
        }
    }
}
