//! The same results give the same run: flows of every shape, whose steps end in any order.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::plans::{Came, Plan, PlanStep, Reading, TRIGGERS, picks, plan, written};
use crate::simulate::StubState;

struct PlanGuards<'p>(&'p Plan);

impl Guards for PlanGuards<'_> {
    fn guard(&mut self, progress: &Progress, step: StepIndex) -> Guarded {
        if self.0.steps[number_of(progress, step)].guard {
            Guarded::Holds
        } else {
            Guarded::False
        }
    }
}

/// Which step of its plan a step of the flow is.
fn number_of(progress: &Progress, step: StepIndex) -> usize {
    progress.flow().steps[step].id[1..].parse().unwrap()
}

fn came(progress: &Progress) -> BTreeMap<String, Came> {
    let steps = progress.flow().steps.iter().enumerate();
    steps
        .map(|(step, definition)| {
            let now = progress.step(step);
            let came = Came {
                state: now.state,
                skip: now.skip.clone(),
            };
            (definition.id.clone(), came)
        })
        .collect()
}

/// Drives a plan to its end. Of the steps at work, `next` picks the one that ends. What waits and what
/// starts is compared with a slow reading of the rules, after everything that happens.
fn drive(
    flow: &Arc<Flow>,
    plan: &Plan,
    mut next: impl FnMut(usize) -> usize,
) -> BTreeMap<String, Came> {
    let mut progress = Progress::new(Arc::clone(flow), Some("near".to_owned()));
    let mut guards = PlanGuards(plan);
    let mut changes = progress.start(&mut guards);
    let mut working = Vec::new();
    loop {
        follow(&progress, plan, &changes);
        while let Some(step) = progress.admit(u32::MAX) {
            working.push(step);
        }
        if working.is_empty() {
            break;
        }
        let step = working.swap_remove(next(working.len()) % working.len());
        let number = number_of(&progress, step);
        let ends = plan.steps[number].ends.state();
        let branch = plan.branch(number).filter(|_| ends == StepState::Succeeded);
        changes = progress.ended(step, ends, branch, &mut guards);
    }
    assert!(progress.is_complete(), "{}", plan.write("value: x"));
    came(&progress)
}

/// What was queued could run, and what could run does not wait.
fn follow(progress: &Progress, plan: &Plan, changes: &[Change]) {
    let mut reading = Reading::new(plan);
    for (step, definition) in progress.flow().steps.iter().enumerate() {
        let now = progress.step(step);
        let number: usize = definition.id[1..].parse().unwrap();
        reading.came[number] = now.state.is_terminal().then(|| Came {
            state: now.state,
            skip: now.skip.clone(),
        });
    }
    for step in 0..progress.flow().steps.len() {
        let number = number_of(progress, step);
        let text = || plan.write("value: x");
        if changes.contains(&Change::Queued(step)) {
            assert!(
                reading.may_run(number),
                "s{number} runs too early\n{}",
                text()
            );
        }
        if progress.step(step).state == StepState::Pending {
            assert!(
                !reading.may_run(number),
                "s{number} waits for nothing\n{}",
                text()
            );
        }
    }
}

proptest! {
    // Of plans that are no flows there may be as many, and no more.
    #![proptest_config(ProptestConfig { cases: 600, max_global_rejects: 600, ..ProptestConfig::default() })]

    #[test]
    fn the_same_results_give_the_same_run_in_any_order(plan in plan(), seeds in any::<[u64; 4]>()) {
        let text = plan.write("value: x");
        let flow = Flow::read(&text);
        prop_assume!(flow.is_ok());
        let flow = Arc::new(flow.unwrap());
        let expected = plan.read();
        for seed in seeds {
            prop_assert_eq!(&drive(&flow, &plan, picks(seed)), &expected, "{}", text);
        }
        // Whatever ends first, and whatever ends last.
        prop_assert_eq!(&drive(&flow, &plan, |_| 0), &expected, "{}", text);
        prop_assert_eq!(&drive(&flow, &plan, |of| of - 1), &expected, "{}", text);
    }
}

/// Drives rounds of a plan to their end. Gives what came of them, and the attempts at each step.
fn drive_rounds(
    flow: &Arc<Flow>,
    plan: &Plan,
    rounds: u32,
    mut next: impl FnMut(usize) -> usize,
) -> (BTreeMap<String, Came>, BTreeMap<String, u32>) {
    struct OfPlan<'p>(&'p Plan);
    impl Guards for OfPlan<'_> {
        fn guard(&mut self, progress: &Progress, step: StepIndex) -> Guarded {
            match progress.flow().steps[step].id.strip_prefix('s') {
                Some(_) => PlanGuards(self.0).guard(progress, step),
                None => Guarded::Holds,
            }
        }
    }
    let mut progress = Progress::new(Arc::clone(flow), Some("near".to_owned()));
    let mut guards = OfPlan(plan);
    progress.start(&mut guards);
    let mut working = Vec::new();
    loop {
        while let Some(step) = progress.admit(u32::MAX) {
            working.push(step);
        }
        if working.is_empty() {
            break;
        }
        let step = working.swap_remove(next(working.len()) % working.len());
        match flow.steps[step].id.as_str() {
            "rounds" => {
                assert!(
                    working.is_empty(),
                    "a round is judged when all of it has ended"
                );
                let holds = progress.round(step) == rounds;
                match progress.judged(step, Ok(holds)) {
                    Judged::Done => progress.ended(step, StepState::Succeeded, None, &mut guards),
                    Judged::Failed(_) => progress.ended(step, StepState::Failed, None, &mut guards),
                    Judged::Ended(_) => {
                        progress.ended(step, StepState::Cancelled, None, &mut guards)
                    }
                    Judged::Again(_) => progress.again(step, &mut guards),
                };
            }
            "after" => {
                progress.ended(step, StepState::Succeeded, None, &mut guards);
            }
            _ => {
                let number = number_of(&progress, step);
                let ends = plan.steps[number].ends.state();
                let branch = plan.branch(number).filter(|_| ends == StepState::Succeeded);
                progress.ended(step, ends, branch, &mut guards);
            }
        }
    }
    assert!(progress.is_complete());
    let attempts = flow.steps.iter().enumerate();
    let attempts = attempts.map(|(step, of)| (of.id.clone(), progress.step(step).attempts));
    (came(&progress), attempts.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_global_rejects: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_round_comes_to_what_its_steps_come_to_once(plan in plan(), seed in any::<u64>(), rounds in 1..5u32, times in 1..4u32) {
        let text = plan.write_rounds("value: x", rounds, times);
        let flow = Flow::read(&text);
        prop_assume!(flow.is_ok());
        let flow = Arc::new(flow.unwrap());
        let (of_rounds, judged) = plan.read_rounds(rounds, times);
        let (came, attempts) = drive_rounds(&flow, &plan, rounds, picks(seed));
        for (id, once) in plan.read() {
            prop_assert_eq!(&came[&id], &once, "{}: {}", id, text);
            let ran = u32::from(once.state != StepState::Skipped);
            prop_assert_eq!(attempts[&id], ran * judged, "{}: {}", id, text);
        }
        prop_assert_eq!(&came["rounds"], &of_rounds, "{}", text);
        let after = came["after"].state == StepState::Succeeded;
        prop_assert_eq!(after, of_rounds.state == StepState::Succeeded);
    }
}

/// Two steps of which one needs the other: under every pair of triggers, over needs that come to
/// everything that needs can come to, in every order.
#[test]
fn every_pair_of_triggers_over_every_edge() {
    let leaf = |edge: &str| PlanStep {
        guard: edge != "dead",
        ends: if edge == "bad" {
            StubState::Failed
        } else {
            StubState::Succeeded
        },
        ..PlanStep::default()
    };
    let edges = ["ok", "bad", "dead"];
    let pairs = TRIGGERS.len() * TRIGGERS.len();
    let mut looked_at = 0;
    for pair in 0..pairs {
        let (first, second) = (pair / TRIGGERS.len(), pair % TRIGGERS.len());
        for each in 0..27 {
            let (p, q, o) = (edges[each / 9], edges[each / 3 % 3], edges[each % 3]);
            let plan = Plan::of(vec![
                leaf(p),
                leaf(q),
                leaf(o),
                PlanStep {
                    needs: [0, 1].into(),
                    trigger: first,
                    ..PlanStep::default()
                },
                PlanStep {
                    needs: [2, 3].into(),
                    trigger: second,
                    ..PlanStep::default()
                },
            ]);
            let flow = Arc::new(written(&plan.write("value: x")));
            let expected = plan.read();
            // Each of the six orders of the three that need nothing.
            for order in 0..6 {
                let mut left = order;
                let next = |of: usize| {
                    let picked = left % of;
                    left /= of;
                    picked
                };
                assert_eq!(
                    drive(&flow, &plan, next),
                    expected,
                    "{} over {p}, {q}; {} over that and {o}",
                    TRIGGERS[first],
                    TRIGGERS[second]
                );
            }
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, pairs * 27);
}

#[test]
fn a_failure_that_is_named_at_once_is_the_first_in_the_file_whatever_may_come() {
    // `d` needs `a`, `b` and `c`, of which `b` fails first: `a` may still fail, and would be named instead.
    let failing = || PlanStep {
        ends: StubState::Failed,
        ..PlanStep::default()
    };
    let plan = Plan::of(vec![
        failing(),
        failing(),
        PlanStep::default(),
        PlanStep {
            needs: [0, 1, 2].into(),
            ..PlanStep::default()
        },
    ]);
    let flow = Arc::new(written(&plan.write("value: x")));
    let mut guards = PlanGuards(&plan);
    let mut progress = Progress::new(flow, Some("near".to_owned()));
    progress.start(&mut guards);
    while progress.admit(u32::MAX).is_some() {}
    progress.ended(1, StepState::Failed, None, &mut guards);
    assert_eq!(progress.step(3).state, StepState::Pending);
    // Nothing that is still open stands before `a`: it is skipped, though `c` still runs.
    progress.ended(0, StepState::Failed, None, &mut guards);
    let skip = progress.step(3).skip.clone().unwrap();
    assert_eq!(
        (skip.cause, skip.origin.as_str(), skip.tainted),
        (SkipCause::UpstreamFailed, "s0", true)
    );
    assert_eq!(progress.step(2).state, StepState::Running);
}
