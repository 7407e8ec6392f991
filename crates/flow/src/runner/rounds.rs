//! The rounds of a `repeat`: judged when all of their steps have ended, and begun anew.

use std::collections::BTreeSet;

use super::{Driver, RunGuards};
use crate::AttemptView;
use crate::decide::{Decision, Judged, StepState};
use crate::definition::{Flow, Kind, Repeat, StepIndex};
use crate::journal::{AttemptEnd, Happened, Round, RoundStep, StoredStep};
use crate::scope::{self, StepResult};

/// What templates see of an attempt.
pub(super) fn result_of(attempt: &AttemptView, state: StepState) -> StepResult {
    StepResult {
        state: Some(state),
        output: attempt.whole_output(),
        data: attempt.data.clone(),
        exit_code: attempt.exit_code,
        worktree: attempt.worktree.clone(),
        attempt: attempt.attempt,
    }
}

/// What steps came to in the round before the one that was going on, as it was recorded.
pub(super) fn last_of(flow: &Flow, steps: &[StoredStep]) -> Vec<StepResult> {
    let mut last = vec![StepResult::default(); steps.len()];
    for (definition, repeat) in flow.steps.iter().zip(steps) {
        if !matches!(definition.kind, Kind::Repeat(_)) {
            continue;
        }
        let waits = matches!(repeat.state, StepState::Pending | StepState::Queued);
        let now = repeat.attempts.saturating_sub(repeat.earlier) + u32::from(waits);
        let rounds = repeat
            .history
            .iter()
            .filter(|known| known.attempt > repeat.earlier);
        let before = rounds
            .filter_map(|known| known.round.as_ref())
            .find(|round| round.number + 1 == now);
        for came in before.into_iter().flat_map(|round| &round.steps) {
            let Some(step) = flow.step(&came.step) else {
                continue;
            };
            let attempt = steps[step]
                .history
                .iter()
                .find(|known| known.attempt == came.attempt);
            last[step] = match attempt {
                Some(attempt) if came.state != StepState::Skipped => result_of(attempt, came.state),
                _ => StepResult {
                    state: Some(came.state),
                    attempt: came.attempt,
                    ..StepResult::default()
                },
            };
        }
    }
    last
}

impl Driver {
    /// Judges a round, and begins the next one if there is to be one. False: the world must be looked at first.
    pub(super) fn end_round(&mut self, step: StepIndex, attempt: u32, repeat: &Repeat) -> bool {
        let flow = self.flow();
        let (holds, tried) = match scope::holds(&flow, &self.eyes_of(step), &repeat.until, None) {
            Ok(decided) => decided,
            Err(unknown) => {
                self.look(step, unknown);
                return false;
            }
        };
        self.answers.remove(&step);
        self.note_started(step, attempt, None);
        let came = |step: &StepIndex| RoundStep {
            step: self.step_id(*step),
            state: self.progress.step(*step).state,
            attempt: self.progress.step(*step).attempts,
        };
        let number = self.progress.round(step);
        let ended = |state| AttemptEnd {
            output: Some(number.to_string()),
            decision: Some(Decision {
                taken: None,
                tried: vec![tried],
            }),
            round: Some(Round {
                number,
                steps: repeat.steps.iter().map(came).collect(),
            }),
            ..AttemptEnd::new(state)
        };
        match self.progress.judged(step, holds) {
            Judged::Done => {
                let ended = ended(StepState::Succeeded);
                self.finish(step, attempt, ended);
            }
            Judged::Failed(why) => {
                let ended = ended(StepState::Failed).with_message(why);
                self.finish(step, attempt, ended);
            }
            Judged::Ended(why) => {
                let ended = ended(StepState::Cancelled).with_message(why);
                self.finish(step, attempt, ended);
            }
            Judged::Again(why) => {
                let ended = ended(StepState::Failed).with_message(why);
                self.next_round(step, attempt, repeat, ended);
            }
        }
        true
    }

    fn next_round(&mut self, step: StepIndex, attempt: u32, repeat: &Repeat, ended: AttemptEnd) {
        for member in &repeat.steps {
            let now = self.progress.step(*member);
            let result = std::mem::take(&mut self.known.results[*member]);
            self.known.last[*member] = match now.state {
                StepState::Skipped => StepResult::default(),
                _ => result,
            };
            self.known.last[*member].state = Some(now.state);
            self.known.last[*member].attempt = now.attempts;
        }
        let all = [step].into_iter().chain(repeat.steps.iter().copied());
        self.forget_looks(&all.clone().collect::<BTreeSet<_>>());
        let id = self.step_id(step);
        self.note(
            step,
            Happened::StepRepeats {
                step: id,
                attempt,
                ended,
                steps: all.map(|step| self.step_id(step)).collect(),
            },
        );
        let changes = self.progress.again(step, &mut RunGuards(&self.known));
        self.apply(changes);
    }

    /// What the rounds came to of which some steps are begun anew by a person: they begin anew as well.
    pub(super) fn forget_rounds(&mut self, steps: &BTreeSet<StepIndex>) {
        let flow = self.flow();
        for step in steps {
            if let Kind::Repeat(repeat) = &flow.steps[*step].kind {
                for member in &repeat.steps {
                    self.known.last[*member] = StepResult::default();
                }
            }
        }
    }
}
