//! Edges, and the table of trigger rules.

use super::SkipCause;
use crate::definition::{StepIndex, Trigger};

/// How an edge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Open,
    Ok,
    Bad,
    Dead,
}

/// How many edges stand how, and where the failures and the dead ends began: the first in the file of each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) open: u32,
    pub(super) ok: u32,
    pub(super) bad: u32,
    pub(super) dead: u32,
    pub(super) first_bad: Option<StepIndex>,
    pub(super) first_dead: Option<StepIndex>,
}

impl Tally {
    pub(super) fn of(edges: usize) -> Self {
        Self {
            open: u32::try_from(edges).unwrap_or(u32::MAX),
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open + self.ok + self.bad + self.dead == 0
    }

    /// One of the open edges has come to this, and that began with `origin`.
    pub(super) fn settle(&mut self, edge: Edge, origin: Option<StepIndex>) {
        let mut first = None;
        match edge {
            Edge::Open => return,
            Edge::Ok => self.ok += 1,
            Edge::Bad => {
                self.bad += 1;
                first = Some(&mut self.first_bad);
            }
            Edge::Dead => {
                self.dead += 1;
                first = Some(&mut self.first_dead);
            }
        }
        if let (Some(first), Some(origin)) = (first, origin) {
            *first = Some(first.map_or(origin, |first| first.min(origin)));
        }
        self.open = self.open.saturating_sub(1);
    }

    /// One of the open edges does not count any more.
    pub(super) fn drop_one(&mut self) {
        self.open = self.open.saturating_sub(1);
    }
}

/// What a rule says of a tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Wait,
    Run,
    Skip(SkipCause),
}

/// The table of trigger rules.
pub(super) fn judge(rule: Trigger, tally: &Tally) -> Verdict {
    use SkipCause::{AllInputsDead, RuleNotMet, UpstreamFailed};
    use Verdict::{Run, Skip, Wait};
    let Tally {
        open,
        ok,
        bad,
        dead,
        ..
    } = *tally;
    // A step without needs runs at the start.
    if tally.is_empty() {
        return Run;
    }
    match rule {
        Trigger::AllSuccess => match (open, ok, bad) {
            (_, _, 1..) => Skip(UpstreamFailed),
            (1.., _, _) => Wait,
            (_, 0, _) => Skip(AllInputsDead),
            _ => Run,
        },
        Trigger::AllSuccessStrict => match (open, bad, dead) {
            (_, 1.., _) => Skip(UpstreamFailed),
            (_, _, 1..) => Skip(AllInputsDead),
            (0, ..) => Run,
            _ => Wait,
        },
        Trigger::OneSuccess => match (ok, open, bad) {
            (1.., _, _) => Run,
            (_, 1.., _) => Wait,
            (_, _, 1..) => Skip(UpstreamFailed),
            _ => Skip(AllInputsDead),
        },
        Trigger::AllDone => match (open, ok + bad) {
            (1.., _) => Wait,
            (_, 0) => Skip(AllInputsDead),
            _ => Run,
        },
        Trigger::AllSettled => {
            if open == 0 {
                Run
            } else {
                Wait
            }
        }
        Trigger::OneFailed => match (bad, open) {
            (1.., _) => Run,
            (_, 1..) => Wait,
            _ => Skip(RuleNotMet),
        },
        Trigger::AllFailed => match (ok, open, dead, bad) {
            (1.., ..) => Skip(RuleNotMet),
            (_, 1.., ..) => Wait,
            (_, _, _, 0) => Skip(AllInputsDead),
            (_, _, 0, _) => Run,
            // Some failed, some never ran: not all failed.
            _ => Skip(UpstreamFailed),
        },
        Trigger::NoneSkipped => match (dead, bad, open) {
            (1.., 1.., _) => Skip(UpstreamFailed),
            (1.., ..) => Skip(RuleNotMet),
            (.., 0) => Run,
            _ => Wait,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// The picture in the guide shows this table.
    #[test]
    fn every_rule_over_two_needs() {
        let pairs = [
            "ok ok",
            "ok dead",
            "ok bad",
            "bad bad",
            "bad dead",
            "dead dead",
            "ok open",
            "bad open",
            "dead open",
        ];
        let rules = [
            Trigger::AllSuccess,
            Trigger::AllSuccessStrict,
            Trigger::OneSuccess,
            Trigger::AllDone,
            Trigger::AllSettled,
            Trigger::OneFailed,
            Trigger::AllFailed,
            Trigger::NoneSkipped,
        ];
        let mut table = String::new();
        for rule in rules {
            let name = serde_json::to_value(rule).unwrap();
            let _ = write!(table, "{:<18}", name.as_str().unwrap());
            for pair in pairs {
                let mut tally = Tally::of(2);
                for edge in pair.split(' ') {
                    let edge = match edge {
                        "ok" => Edge::Ok,
                        "bad" => Edge::Bad,
                        "dead" => Edge::Dead,
                        _ => Edge::Open,
                    };
                    tally.settle(edge, Some(0));
                }
                let word = match judge(rule, &tally) {
                    Verdict::Run => "run",
                    Verdict::Wait => "wait",
                    Verdict::Skip(_) => "skip",
                };
                let _ = write!(table, " {word}");
            }
            table.push('\n');
        }
        insta::assert_snapshot!(table, @r"
        all_success        run run skip skip skip skip wait skip wait
        all_success_strict run skip skip skip skip skip wait skip skip
        one_success        run run run skip skip skip run wait wait
        all_done           run run run run run skip wait wait wait
        all_settled        run run run run run run wait wait wait
        one_failed         skip skip run run run skip wait run wait
        all_failed         skip skip skip run skip skip skip wait wait
        none_skipped       run skip run run skip skip wait wait skip
        ");
    }
}
