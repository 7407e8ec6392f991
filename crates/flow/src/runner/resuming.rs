//! What was at work when the last process ended: recorded, adopted, or treated as its author said.

use std::sync::Arc;

use super::{Active, Driver, Due, How, LONGEST_BACKOFF, millis};
use crate::action::{Ended, Found};
use crate::decide::StepState;
use crate::definition::{Kind, OnInterrupt, StepIndex};
use crate::journal::{AttemptEnd, Happened, Question, QuestionKind, StoredRun};

impl Driver {
    /// What was at work when the last process ended: recorded, adopted, or treated as its author said.
    pub(super) async fn pick_up(&mut self, stored: StoredRun) {
        let flow = self.flow();
        for (number, step) in stored.steps.into_iter().enumerate() {
            let Some(last) = step.history.last() else {
                continue;
            };
            // The limit across attempts counts from the first of the present series.
            let first = step
                .history
                .iter()
                .find(|known| known.attempt > step.earlier);
            if let Some(first) = first {
                self.series.insert(number, self.awake_of(first));
            }
            match step.state {
                StepState::Running => {
                    let job = match flow.steps[number].kind {
                        Kind::Run { .. } | Kind::Agent(_) => self.job(number, step.attempts).ok(),
                        _ => None,
                    };
                    let found = match job {
                        Some(job) => {
                            let shared = Arc::clone(self.shared());
                            shared.actions.find(job, last.handle.clone()).await
                        }
                        None => Found::Gone,
                    };
                    match found {
                        Found::Ended(finished) => {
                            self.active.insert(
                                number,
                                Active {
                                    attempt: step.attempts,
                                    since: Some(self.awake_of(last)),
                                    attached: false,
                                    stop: None,
                                },
                            );
                            let how = How::Ended(Ended::Finished(finished));
                            self.attempt_ended(number, step.attempts, how);
                        }
                        Found::Gone => self.interrupted(number, step.attempts),
                        Found::Alive(activity) => {
                            let started = self.awake_of(last);
                            self.watch(
                                number,
                                step.attempts,
                                Box::pin(async { Ok(activity) }),
                                started,
                            );
                        }
                    }
                }
                StepState::RetryWait => {
                    let clock = &self.shared().clock;
                    let left = last.due.unwrap_or(0).saturating_sub(clock.now_ms());
                    // Whatever the clock says now: no wait was ever longer.
                    let left = left.min(millis(LONGEST_BACKOFF) * 2);
                    let due = clock.awake_ms() + left;
                    self.waits.insert((due, Due::Retry(number, step.attempts)));
                }
                StepState::AwaitingApproval => {
                    let kind = last
                        .question
                        .as_ref()
                        .map_or(QuestionKind::Approval, |question| question.kind);
                    self.questions.insert(number, kind);
                    if let Some(due) = last.due {
                        self.dues
                            .insert((due, Due::Deadline(number, step.attempts)));
                    }
                }
                _ => {}
            }
        }
    }

    /// When an attempt began, on our clock: within one boot that is exact and leaves sleep out.
    pub(super) fn awake_of(&self, attempt: &crate::AttemptView) -> u64 {
        let shared = self.shared();
        if attempt.boot == shared.boot {
            attempt.awake
        } else {
            shared
                .clock
                .awake_ms()
                .saturating_sub(shared.clock.now_ms().saturating_sub(attempt.started_at))
        }
    }

    pub(super) fn interrupted(&mut self, step: StepIndex, attempt: u32) {
        let flow = self.flow();
        let definition = &flow.steps[step];
        let then = match definition.kind {
            // Nobody waits for a run that was ended to ask them something.
            _ if self.progress.is_cancelled() => OnInterrupt::Fail,
            Kind::Run { .. } | Kind::Agent(_) => definition.on_interrupt,
            _ => OnInterrupt::Rerun,
        };
        match then {
            OnInterrupt::Rerun => self.run_again(step, attempt),
            OnInterrupt::Fail => {
                self.finish(step, attempt, AttemptEnd::cut_off());
            }
            OnInterrupt::Ask => {
                let question = Question {
                    kind: QuestionKind::Interrupted,
                    message: format!(
                        "`{}` was cut off, and nothing is known of what it had done. Run it again?",
                        definition.id
                    ),
                    form: Vec::new(),
                    due: None,
                };
                self.questions.insert(step, QuestionKind::Interrupted);
                self.progress.await_person(step);
                self.note(
                    step,
                    Happened::StepAsked {
                        step: definition.id.clone(),
                        attempt,
                        question,
                    },
                );
            }
        }
    }

    pub(super) fn run_again(&mut self, step: StepIndex, attempt: u32) {
        self.progress.forgive(step);
        self.note(
            step,
            Happened::StepInterrupted {
                step: self.step_id(step),
                attempt,
            },
        );
        let changes = self.progress.requeue(step);
        self.apply(changes);
    }
}
