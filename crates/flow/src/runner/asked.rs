//! What a person asks of a run, and what an answer means.

use std::collections::BTreeSet;

use super::{Driver, RunGuards};
use crate::action::Finished;
use crate::decide::{SkipCause, StepState};
use crate::definition::{Kind, OnTimeout, StepIndex, fill};
use crate::journal::{AttemptEnd, Given, Happened, QuestionKind};
use crate::redefine::Again;
use crate::request::{Request, RequestError};
use crate::scope::StepResult;

impl Driver {
    pub(super) fn find(&self, id: &str) -> Result<StepIndex, RequestError> {
        self.known
            .flow
            .step(id)
            .ok_or_else(|| RequestError::UnknownStep {
                step: id.to_owned(),
            })
    }

    pub(super) fn request(&mut self, request: Request) -> Result<(), RequestError> {
        match request {
            Request::Resume => self.go_on(),
            Request::CancelRun => self.cancel_run(),
            Request::CancelStep { step } => {
                let step = self.find(&step)?;
                if self.progress.step(step).state.is_terminal() {
                    return Err(RequestError::StepEnded {
                        step: self.step_id(step),
                    });
                }
                self.cancel_step(step);
                // With a `repeat` ends its round, with a list its items.
                for item in self.whole(step) {
                    self.cancel_step(item);
                }
                if let Kind::Repeat(repeat) = &self.flow().steps[step].kind {
                    for step in &repeat.steps {
                        self.cancel_step(*step);
                    }
                }
                Ok(())
            }
            Request::CancelBatch { batch } => {
                let flow = self.flow();
                let mut batches = flow.batches.iter();
                let found = batches
                    .find(|known| known.name == batch)
                    .ok_or(RequestError::UnknownBatch { batch })?;
                for step in &found.members {
                    self.cancel_step(*step);
                }
                Ok(())
            }
            Request::Answer { step, given } => self.answer(step, given),
            Request::MarkSucceeded { step, output } => self.mark_succeeded(&step, output),
            Request::MarkSkipped { step } => {
                let number = self.find(&step)?;
                self.set_aside(number);
                let changes = self
                    .progress
                    .skipped_by_user(number, &mut RunGuards(&self.known));
                self.apply(changes);
                self.begin();
                Ok(())
            }
            Request::RetryFailed => {
                let failed = self.failed()?;
                self.reset(&failed);
                Ok(())
            }
            Request::RerunFrom { step } => {
                let number = self.find(&step)?;
                self.reset(&self.whole(number));
                Ok(())
            }
        }
    }

    fn go_on(&mut self) -> Result<(), RequestError> {
        let cut = self.cut_off();
        // What was left of it may be done by the time that it is asked to go on.
        if self.ended && (self.came_ended || !cut.is_empty()) {
            if cut.is_empty() {
                return Err(RequestError::Ended);
            }
            self.reset(&cut);
        }
        Ok(())
    }

    fn cancel_run(&mut self) -> Result<(), RequestError> {
        if self.ended {
            return Err(RequestError::Ended);
        }
        let again = self.progress.is_cancelled();
        self.note(0, Happened::RunCancelled);
        let changes = self.progress.cancel();
        self.apply(changes);
        for step in 0..self.known.flow.steps.len() {
            if again || !self.tidies_up(step) {
                self.cancel_step(step);
            }
        }
        self.begin();
        Ok(())
    }

    fn answer(&mut self, step: String, mut given: Given) -> Result<(), RequestError> {
        let number = self.find(&step)?;
        if self.progress.step(number).state != StepState::AwaitingApproval {
            return Err(RequestError::NotAsked { step });
        }
        let flow = self.flow();
        if let (Kind::Approval(approval), true) = (&flow.steps[number].kind, given.approved) {
            given.form =
                fill(&approval.form, &given.form).map_err(|error| RequestError::BadForm {
                    field: error.name,
                    message: error.message,
                })?;
        }
        self.answered(number, given);
        Ok(())
    }

    fn mark_succeeded(&mut self, step: &str, output: String) -> Result<(), RequestError> {
        let number = self.find(step)?;
        let attempt = self.set_aside(number);
        self.note_started(number, attempt, None);
        let finished = Finished {
            output,
            ..Finished::default()
        };
        let mut ended = self.read_output(number, finished);
        ended.state = StepState::Succeeded;
        ended.message = Some("marked by a person".to_owned());
        self.finish(number, attempt, ended);
        self.begin();
        Ok(())
    }

    /// The steps that a run which is gone on with does again, and all that was decided from them.
    ///
    /// # Errors
    ///
    /// When there is nothing to do.
    pub(crate) fn done_again(&self, again: &Again) -> Result<BTreeSet<StepIndex>, RequestError> {
        let steps = match again {
            Again::CutOff => self.cut_off(),
            Again::Failed => self.failed()?,
            Again::From(step) => self.whole(self.find(step)?),
        };
        if self.ended && steps.is_empty() {
            return Err(RequestError::Ended);
        }
        Ok(self.progress.downstream(&steps))
    }

    fn cut_off(&self) -> BTreeSet<StepIndex> {
        self.states(|now| {
            let skip = now.skip.as_ref().map(|skip| skip.cause);
            now.state == StepState::Cancelled || skip == Some(SkipCause::RunCancelled)
        })
    }

    fn failed(&self) -> Result<BTreeSet<StepIndex>, RequestError> {
        let failed = self.states(|now| {
            matches!(
                now.state,
                StepState::Failed
                    | StepState::TimedOut
                    | StepState::Rejected
                    | StepState::Cancelled
            )
        });
        if failed.is_empty() {
            return Err(RequestError::NothingFailed);
        }
        Ok(failed)
    }

    fn states(&self, wanted: impl Fn(&crate::decide::StepNow) -> bool) -> BTreeSet<StepIndex> {
        let steps = &self.known.flow.steps;
        // What came of an item of a list that has succeeded as a whole is as it may be.
        let may_be = |step: &StepIndex| {
            let item = steps[*step].item.as_ref();
            item.is_some_and(|item| self.progress.step(item.of).state == StepState::Succeeded)
        };
        (0..steps.len())
            .filter(|step| wanted(self.progress.step(*step)) && !may_be(step))
            .collect()
    }

    /// Makes way for what a person says of a step. Gives the number of the attempt that stands for it.
    pub(super) fn set_aside(&mut self, step: StepIndex) -> u32 {
        self.take_back(&BTreeSet::from([step]));
        self.progress.forced_attempt(step)
    }

    /// Begins steps anew, and whatever was decided from their results; earlier attempts are kept.
    pub(super) fn reset(&mut self, steps: &BTreeSet<StepIndex>) {
        self.take_back(steps);
        self.begin();
    }

    /// Takes back what steps came to, and with that everything that was decided from it, directly or not:
    /// what ran there, what was skipped, what handled a failure.
    fn take_back(&mut self, steps: &BTreeSet<StepIndex>) {
        let steps = self.progress.downstream(steps);
        if self.ended || self.progress.is_cancelled() {
            self.ended = false;
            self.note(0, Happened::RunResumed);
        }
        self.forget_looks(&steps);
        self.forget_rounds(&steps);
        for step in &steps {
            // Its result will be late, and be recorded as that.
            if let Some(mut active) = self.active.remove(step)
                && let Some(stop) = active.stop.take()
            {
                let _ = stop.send(());
            }
            self.questions.remove(step);
            self.known.results[*step] = StepResult::default();
        }
        let ids = steps.iter().map(|step| self.step_id(*step)).collect();
        self.note(0, Happened::StepsReset { steps: ids });
        self.progress = self.progress.without(&steps);
        self.close_lists(&steps);
    }

    /// Whether a step has yet to tidy up after the others, and does so when the run is ended.
    pub(super) fn tidies_up(&self, step: StepIndex) -> bool {
        let state = self.progress.step(step).state;
        self.progress.is_cleanup(step) && matches!(state, StepState::Pending | StepState::Queued)
    }

    pub(super) fn cancel_step(&mut self, step: StepIndex) {
        match self.progress.step(step).state {
            StepState::Running | StepState::AwaitingApproval
                if self.looking.contains_key(&step) =>
            {
                if let Some(look) = self.looking.get_mut(&step) {
                    look.cancelled = true;
                }
            }
            StepState::Running => {
                if let Some(active) = self.active.get_mut(&step)
                    && let Some(stop) = active.stop.take()
                {
                    // Written down when it is gone.
                    let _ = stop.send(());
                }
            }
            // None of its attempts ends by this: those that it has are earlier ones.
            StepState::Pending | StepState::Queued => {
                self.finish(step, 0, AttemptEnd::new(StepState::Cancelled));
            }
            StepState::RetryWait | StepState::AwaitingApproval => {
                self.questions.remove(&step);
                let attempt = self.progress.step(step).attempts;
                self.finish(step, attempt, AttemptEnd::new(StepState::Cancelled));
            }
            _ => {}
        }
    }

    pub(super) fn answered(&mut self, step: StepIndex, given: Given) {
        let flow = self.flow();
        let attempt = self.progress.step(step).attempts;
        let id = self.step_id(step);
        self.note(
            step,
            Happened::StepAnswered {
                step: id,
                attempt,
                answer: given.clone(),
            },
        );
        let kind = self
            .questions
            .remove(&step)
            .unwrap_or(QuestionKind::Approval);
        match (kind, &flow.steps[step].kind) {
            (QuestionKind::Interrupted, _) if given.approved => self.run_again(step, attempt),
            (QuestionKind::Interrupted, _) => {
                let ended = AttemptEnd::new(StepState::Failed)
                    .with_message("it was cut off, and a person let it be");
                self.finish(step, attempt, ended);
            }
            (QuestionKind::Approval, Kind::Approval(approval)) => {
                if let (false, Some(goto)) = (given.approved, approval.goto) {
                    let ended = AttemptEnd {
                        message: given.comment.clone(),
                        ..AttemptEnd::new(StepState::Rejected)
                    };
                    self.note_late(step, attempt, ended);
                    self.reset(&BTreeSet::from([goto]));
                    return;
                }
                let state = if given.approved {
                    StepState::Succeeded
                } else {
                    StepState::Rejected
                };
                let ended = AttemptEnd {
                    output: Some(
                        if given.approved {
                            "approved"
                        } else {
                            "rejected"
                        }
                        .to_owned(),
                    ),
                    data: Some(serde_json::Value::Object(given.form).into()),
                    message: given.comment.or_else(|| {
                        given
                            .by_timeout
                            .then(|| "nobody answered in time".to_owned())
                    }),
                    ..AttemptEnd::new(state)
                };
                self.finish(step, attempt, ended);
            }
            (QuestionKind::Approval, _) => {}
        }
    }

    pub(super) fn unanswered(&mut self, step: StepIndex) {
        let flow = self.flow();
        let Kind::Approval(approval) = &flow.steps[step].kind else {
            return;
        };
        let given = |approved| Given {
            approved,
            form: serde_json::Map::new(),
            comment: None,
            by_timeout: true,
        };
        match approval.on_timeout {
            OnTimeout::Approve => self.answered(step, given(true)),
            OnTimeout::Reject => self.answered(step, given(false)),
            OnTimeout::Fail => {
                let attempt = self.progress.step(step).attempts;
                let ended =
                    AttemptEnd::new(StepState::TimedOut).with_message("nobody answered in time");
                self.questions.remove(&step);
                self.finish(step, attempt, ended);
            }
        }
    }
}
