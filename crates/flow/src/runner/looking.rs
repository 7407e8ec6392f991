//! Conditions that ask about the world: looked up when their step could start, without holding up the rest.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::starting::Place;
use super::{Driver, Eyes, For, RunGuards, Wake};
use crate::action::WorktreeWish;
use crate::decide::Guarded;
use crate::definition::StepIndex;
use crate::definition::outside::{self, Answers, Outside};
use crate::journal::Happened;
use crate::scope::{self, Unknown};

/// A look at the world that is under way for a step.
pub(super) struct Look {
    number: u64,
    /// The step was ended meanwhile.
    pub(super) cancelled: bool,
}

impl Driver {
    /// What conditions of a step see: besides everything else, what was looked up for them.
    pub(super) fn eyes_of(&self, step: StepIndex) -> Eyes<'_> {
        let answers = self.answers.get(&step).cloned().unwrap_or_default();
        Eyes {
            outside: Outside::new(answers),
            ..self.eyes_at(step, For::Work)
        }
    }

    /// Whether a step that was admitted may start: its condition, if that asks about the world, holds.
    pub(super) fn may_start(&mut self, step: StepIndex) -> bool {
        let flow = self.flow();
        let Some(when) = flow.steps[step]
            .when
            .as_deref()
            .filter(|when| !self.guarded.contains(&step) && outside::mentions(when))
        else {
            return true;
        };
        let (answer, tried) = match scope::holds(&flow, &self.eyes_of(step), when, None) {
            Ok(decided) => decided,
            Err(unknown) => {
                self.look(step, unknown);
                return false;
            }
        };
        self.answers.remove(&step);
        let id = self.step_id(step);
        self.note(
            step,
            Happened::StepGuarded {
                step: id,
                guard: tried,
            },
        );
        self.guarded.insert(step);
        let guarded = match answer {
            Ok(true) => return true,
            Ok(false) => Guarded::False,
            Err(message) => Guarded::Error(format!("its condition: {message}")),
        };
        let changes = self
            .progress
            .guarded(step, guarded, &mut RunGuards(&self.known));
        self.apply(changes);
        false
    }

    /// Asks the world in a task of its own; the step keeps its place meanwhile, and nothing is written.
    pub(super) fn look(&mut self, step: StepIndex, Unknown(questions): Unknown) {
        let place = match self.place(step) {
            Ok(Place {
                worktree: Some(WorktreeWish::Path(path)),
                ..
            }) => path,
            Ok(place) => place.cwd,
            Err(_) => self.cwd.clone(),
        };
        self.looks += 1;
        let number = self.looks;
        self.looking.insert(
            step,
            Look {
                number,
                cancelled: false,
            },
        );
        let shared = Arc::clone(self.shared());
        let tx = self.tx.clone();
        self.tasks.spawn(async move {
            let mut answers = Answers::new();
            for question in questions {
                let glob = (!question.is_empty()).then(|| question.clone());
                let answer = shared.actions.conflicts(place.clone(), glob).await;
                answers.insert(question, answer.map_err(|error| error.message));
            }
            // The run may have been let go of; whoever goes on with it looks again.
            let _ = tx.send(Wake::Looked {
                step,
                number,
                answers,
            });
        });
    }

    /// The world was looked at: the step stands first in line again, and is decided with the answers.
    pub(super) fn looked(&mut self, step: StepIndex, number: u64, answers: Answers) {
        if self
            .looking
            .get(&step)
            .is_none_or(|look| look.number != number)
        {
            return;
        }
        let Some(look) = self.looking.remove(&step) else {
            return;
        };
        self.answers.entry(step).or_default().extend(answers);
        self.progress.put_back(step);
        if look.cancelled || self.progress.is_cancelled() && !self.tidies_up(step) {
            self.cancel_step(step);
        }
    }

    /// What was looked up or decided for steps that begin anew.
    pub(super) fn forget_looks(&mut self, steps: &BTreeSet<StepIndex>) {
        for step in steps {
            self.looking.remove(step);
            self.answers.remove(step);
            self.guarded.remove(step);
        }
    }
}
