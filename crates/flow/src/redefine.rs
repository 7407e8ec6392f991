//! Another definition for a run that nobody drives: taken where all that ran still stands for the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::decide::{SkipCause, StepState};
use crate::definition::{Branch, Flow, Kind, Need, StepIndex, fill};
use crate::journal::{NewPlace, Redefined, StoredRun, StoredStep};
use crate::request::{Misfit, RequestError};

/// What of a run is done again once it has its new definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// What was cut off or cancelled.
    CutOff,
    /// What failed.
    Failed,
    /// A step, and all that was decided from what it came to.
    From(String),
}

/// Fits a new definition to what a run has come to.
///
/// # Errors
///
/// When a step that ran, and is not to be done again, is not the same in it; when it has no room for an input.
pub(crate) fn redefine(
    old: &Flow,
    new: &Flow,
    stored: &StoredRun,
    again: &BTreeSet<StepIndex>,
) -> Result<Redefined, RequestError> {
    let fitting = Fitting {
        old,
        new,
        steps: &stored.steps,
        again,
    };
    let stand = fitting.stand()?;
    let mut inputs = stored.inputs.clone();
    inputs.retain(|name, _| new.inputs.contains_key(name));
    let inputs = fill(&new.inputs, &inputs)?;
    let place = |id: &String| {
        let was = old.step(id);
        NewPlace {
            id: id.clone(),
            was,
            stands: was.is_some_and(|was| stand[was] || again.contains(&was)),
        }
    };
    Ok(Redefined {
        flow: new.name.clone(),
        text: new.text.clone(),
        hash: new.hash.clone(),
        inputs,
        steps: new.steps.iter().map(|step| place(&step.id)).collect(),
    })
}

struct Fitting<'f> {
    old: &'f Flow,
    new: &'f Flow,
    steps: &'f [StoredStep],
    again: &'f BTreeSet<StepIndex>,
}

impl Fitting<'_> {
    /// Which steps stand as they are: they have ended or are at work, they are the same in the new definition, and so is
    /// all that they were decided from.
    fn stand(&self) -> Result<Vec<bool>, RequestError> {
        let mut in_order: Vec<StepIndex> = (0..self.steps.len()).collect();
        in_order.sort_by_key(|step| self.old.steps[*step].rank);
        let mut stand = vec![false; self.steps.len()];
        let mut misfits = Vec::new();
        for step in in_order {
            let now = &self.steps[step];
            let came_about = !matches!(now.state, StepState::Pending | StepState::Queued);
            let ran = now.attempts > 0;
            let changed = self.changed(step);
            // A person's word stands, whatever the step would do.
            let by_hand = now
                .skip
                .as_ref()
                .is_some_and(|skip| skip.cause == SkipCause::User);
            let same = matches!(changed, Same::Yes) || by_hand && !matches!(changed, Same::Gone);
            let other = self.before(step).into_iter().find(|before| {
                !stand[*before]
                    && self.steps[*before].state != StepState::Pending
                    && !self.again.contains(before)
            });
            stand[step] = came_about && same && other.is_none();
            let at_work = matches!(
                now.state,
                StepState::Running | StepState::AwaitingApproval | StepState::RetryWait
            );
            let must_stand = at_work || ran && came_about && !self.again.contains(&step);
            let why = match (changed, other) {
                // What it did would belong to nothing.
                (Same::Gone, _) if ran => "ran, and is no longer there".to_owned(),
                (Same::No(key), _) if must_stand => format!("ran with another `{key}`"),
                (Same::Yes, Some(other)) if must_stand => {
                    let other = &self.old.steps[other].id;
                    format!("ran after `{other}`, which is another one now")
                }
                _ => continue,
            };
            misfits.push((step, why));
        }
        // What it got for the items of lists has no place in another definition.
        let opened = (0..self.old.of_file()).find(|step| self.old.steps[*step].is_opened());
        if let Some(step) = opened {
            misfits.push((step, "has read its list".to_owned()));
        }
        if misfits.is_empty() {
            return Ok(stand);
        }
        misfits.sort_by_key(|(step, _)| *step);
        let misfit = |(step, why): (StepIndex, String)| Misfit {
            step: self.old.steps[step].id.clone(),
            why,
        };
        Err(RequestError::DoesNotFit {
            misfits: misfits.into_iter().map(misfit).collect(),
        })
    }

    /// What a step was decided from.
    fn before(&self, step: StepIndex) -> Vec<StepIndex> {
        let step = &self.old.steps[step];
        let mut before: Vec<StepIndex> = step.gates.iter().map(|gate| gate.switch).collect();
        for need in &step.needs {
            match need {
                Need::Step(step) => before.push(*step),
                Need::Batch(batch) => before.extend(&self.old.batches[*batch].members),
            }
        }
        before
    }

    /// Whether a step is the same in the new definition.
    fn changed(&self, step: StepIndex) -> Same {
        let Some(new) = self.new.step(&self.old.steps[step].id) else {
            return Same::Gone;
        };
        let (before, after) = (meaning(self.old, step), meaning(self.new, new));
        let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        keys.into_iter()
            .find(|key| before.get(*key) != after.get(*key))
            .map_or(Same::Yes, |key| Same::No(key))
    }
}

enum Same {
    Yes,
    /// By this key it is another one.
    No(&'static str),
    Gone,
}

/// All of a step from which its result, and what follows of that, is made; by the keys of the file. Names stand for indexes.
fn meaning(flow: &Flow, step: StepIndex) -> BTreeMap<&'static str, String> {
    let name = |step: &StepIndex| flow.steps[*step].id.clone();
    let names = |steps: &[StepIndex]| steps.iter().map(name).collect::<Vec<_>>();
    let definition = &flow.steps[step];
    let needs = definition.needs.iter().map(|need| match need {
        Need::Step(step) => name(step),
        Need::Batch(batch) => {
            let batch = &flow.batches[*batch];
            format!(
                "{} {:?} {:?}",
                batch.name,
                batch.join,
                names(&batch.members)
            )
        }
    });
    let gates = definition.gates.iter().map(|gate| {
        let label = |branch: &Branch| flow.branch_label(gate.switch, *branch);
        let labels: Vec<String> = gate.branches.iter().map(label).collect();
        format!("{} {labels:?}", name(&gate.switch))
    });
    let mut meaning = BTreeMap::from([
        ("needs", format!("{:?}", needs.collect::<Vec<_>>())),
        ("switch", format!("{:?}", gates.collect::<Vec<_>>())),
        ("trigger", format!("{:?}", definition.trigger)),
        ("when", format!("{:?}", definition.when)),
        ("bands", format!("{:?}", definition.bands)),
        (
            "foreach",
            format!(
                "{:?}",
                definition.foreach.as_ref().map(|list| (
                    &list.of,
                    list.max_concurrent,
                    list.join,
                    list.fail_fast
                ))
            ),
        ),
        ("allow_failure", definition.allow_failure.to_string()),
        ("env", format!("{:?}", definition.env)),
        ("cwd", format!("{:?}", definition.cwd)),
        ("worktree", format!("{:?}", definition.worktree)),
        (
            "output",
            format!("{:?} {:?}", definition.output, definition.schema),
        ),
    ]);
    match &definition.kind {
        Kind::Run { script } => meaning.insert("run", script.clone()),
        Kind::Value { template } => meaning.insert("value", template.clone()),
        Kind::Agent(agent) => {
            meaning.insert("prompt", agent.prompt.clone());
            let which = (
                (&agent.backend, &agent.provider, &agent.name, &agent.model),
                (&agent.mode, &agent.program, agent.prompt_by),
                &agent.persona,
            );
            meaning.insert("agent", format!("{which:?}"))
        }
        Kind::Approval(approval) => {
            let back = approval.goto.as_ref().map(name);
            let form: Vec<_> = approval.form.iter().map(|(n, i)| i.info(n)).collect();
            let asked = (&approval.message, form, approval.on_timeout, back);
            meaning.insert("approval", format!("{asked:?}"))
        }
        Kind::Repeat(repeat) => {
            let rounds = (names(&repeat.steps), &repeat.until, repeat.times);
            meaning.insert("repeat", format!("{rounds:?}"))
        }
        Kind::Switch(switch) => {
            let cases = switch
                .cases
                .iter()
                .map(|case| (&case.label, &case.when, names(&case.steps)));
            let decides = (
                cases.collect::<Vec<_>>(),
                switch.default.as_deref().map(names),
                switch.required,
            );
            meaning.insert("switch", format!("{decides:?} {}", meaning["switch"]))
        }
    };
    meaning
}
