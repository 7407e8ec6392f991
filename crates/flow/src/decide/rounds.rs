//! Rounds: when one has come to its end, and whether another one follows.

use std::collections::BTreeSet;

use super::rules::{Edge, Tally, Verdict};
use super::{Change, Guards, Progress, SkipCause, StepState};
use crate::definition::{Kind, Repeat, StepIndex};

/// What follows of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judged {
    /// It did.
    Done,
    /// There is another one; with what is to be said of this one.
    Again(String),
    /// There is none, and it did not; with the reason.
    Failed(String),
    /// There is none, for a person ended what was at work in it; with what they ended.
    Ended(String),
}

impl Progress {
    /// The number of the round that a `repeat` is in, or that it ended with; from 1.
    pub(crate) fn round(&self, repeat: StepIndex) -> u32 {
        let now = &self.steps[repeat];
        let judged = now.attempts.saturating_sub(now.earlier);
        match now.state {
            StepState::Pending | StepState::Queued => judged + 1,
            _ => judged,
        }
    }

    /// Whether a round has come to its end; one in which nothing ran is none.
    pub(super) fn judge_round(&self, repeat: &Repeat, tally: &Tally) -> Verdict {
        if tally.open > 0 {
            return Verdict::Wait;
        }
        let ran = |step: &StepIndex| self.steps[*step].state != StepState::Skipped;
        if repeat.steps.iter().any(ran) {
            Verdict::Run
        } else if tally.bad > 0 {
            Verdict::Skip(SkipCause::UpstreamFailed)
        } else {
            Verdict::Skip(SkipCause::AllInputsDead)
        }
    }

    /// What follows of the round of a `repeat` that has begun to judge it, by what its condition said.
    pub(crate) fn judged(&self, number: StepIndex, holds: Result<bool, String>) -> Judged {
        let Kind::Repeat(repeat) = &self.flow.steps[number].kind else {
            return Judged::Done;
        };
        let named = |step: StepIndex| format!("`{}`", self.flow.steps[step].id);
        let mut steps = repeat.steps.iter().copied();
        if let Some(ended) = steps
            .clone()
            .find(|step| self.steps[*step].state == StepState::Cancelled)
        {
            return Judged::Ended(format!(
                "a person ended {}, so there is no further round",
                named(ended)
            ));
        }
        let bad = steps
            .find(|step| self.edge(*step) == Edge::Bad)
            .map(|step| self.origin_of(step));
        let (round, times) = (self.round(number), repeat.times);
        let why = match (holds, bad) {
            (Ok(true), None) => return Judged::Done,
            (Ok(true), Some(bad)) => {
                return Judged::Failed(format!(
                    "`until` holds, and yet {} did not succeed; say `allow_failure: true` there if that does not count",
                    named(bad)
                ));
            }
            (Err(message), None) => return Judged::Failed(format!("its `until`: {message}")),
            // What did not come to its end is no answer, and none was to be had from it.
            (Err(_), Some(bad)) => format!("{} did not succeed", named(bad)),
            (Ok(false), _) => "`until` does not hold".to_owned(),
        };
        if round < times {
            Judged::Again(format!("round {round} of {times}: {why}"))
        } else {
            Judged::Failed(format!(
                "{why} after {times} round{}",
                if times == 1 { "" } else { "s" }
            ))
        }
    }

    /// Begins another round: the steps of the last one are begun anew, and what they came to is kept as earlier attempts.
    pub(crate) fn again(&mut self, number: StepIndex, guards: &mut dyn Guards) -> Vec<Change> {
        let Kind::Repeat(repeat) = &self.flow.steps[number].kind else {
            return Vec::new();
        };
        let steps: BTreeSet<StepIndex> = repeat.steps.iter().copied().chain([number]).collect();
        // The rounds go on being counted.
        let earlier = self.steps[number].earlier;
        *self = self.without(&steps);
        self.steps[number].earlier = earlier;
        self.start(guards)
    }
}
