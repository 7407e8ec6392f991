//! Steps that are done in rounds: what each round sees, what is kept of it, and what a person may do in the midst of one.

use super::*;

/// An agent, and what says whether it is done; `test` fails twice.
const GREEN: [&str; 4] = [
    "id: fix, run: x, idempotent: true, env: { SAW: \"{{ last.test.output | default('nothing') }} in round {{ rounds.green }}\" }",
    "id: test, run: x, idempotent: true, needs: [fix]",
    "id: green, repeat: { steps: [fix, test], until: 'results.test.state == \"succeeded\"', times: 5 }",
    "id: ship, needs: [green], value: 'after {{ rounds.green }} rounds: {{ results.test.output }}'",
];

fn fails_twice() -> Machine {
    Machine::new().does("test", Does::FailsFirst(2, 1, "all passed"))
}

/// A `repeat` with its rounds, told in lines.
fn rounds_of(view: &RunView, id: &str) -> String {
    let step = view.step_list.iter().find(|step| step.id == id).unwrap();
    let mut text = String::new();
    for attempt in &step.attempts {
        let round = attempt.round.as_ref().unwrap();
        let came: Vec<String> = round
            .steps
            .iter()
            .map(|came| format!("{} {:?} #{}", came.step, came.state, came.attempt))
            .collect();
        let tried = &attempt.decision.as_ref().unwrap().tried[0];
        let _ = writeln!(
            text,
            "{}: {}; {:?}; {:?}",
            round.number,
            came.join(", "),
            tried.holds,
            attempt.message
        );
    }
    text
}

fn saw(machine: &Machine) -> Vec<String> {
    let jobs = machine.world.prompts.lock().unwrap();
    let of_fix = jobs.iter().filter(|job| job.key.step == "fix");
    of_fix.map(|job| job.env["SAW"].clone()).collect()
}

#[tokio::test]
async fn steps_are_done_again_until_the_condition_holds_and_see_the_round_before() {
    let mut machine = fails_twice();
    let flows = machine.process(None);
    let run = start(&flows, &GREEN).await;
    let view = settled(&flows, &run).await;
    insta::assert_snapshot!(told(&view), @r#"
    succeeded
    fix Succeeded #3
    test Succeeded #3 "all passed"
    green Succeeded #3 "3"
    ship Succeeded #1 "after 3 rounds: all passed"
    "#);
    insta::assert_snapshot!(rounds_of(&view, "green"), @r#"
    1: fix Succeeded #1, test Failed #1; Some(false); Some("round 1 of 5: `until` does not hold")
    2: fix Succeeded #2, test Failed #2; Some(false); Some("round 2 of 5: `until` does not hold")
    3: fix Succeeded #3, test Succeeded #3; Some(true); None
    "#);
    insta::assert_snapshot!(flows.why(&run, "green").await.unwrap(), @r#"
    `green` ran and succeeded.
      round 1: `results.test.state == "succeeded"` was false; it saw results.test.state = "failed"; `test` failed
      round 2: `results.test.state == "succeeded"` was false; it saw results.test.state = "failed"; `test` failed
      round 3: `results.test.state == "succeeded"` was true; it saw results.test.state = "succeeded"
    "#);
    insta::assert_snapshot!(flows.why(&run, "test").await.unwrap(), @r"
    `test` ran and succeeded.
    It was tried 3 times.
    This is round 3 of 5 of `green`.
    ");
    assert_eq!(
        saw(&machine),
        ["nothing in round 1", " in round 2", " in round 3"]
    );
    assert_eq!(
        machine.log(),
        [
            "start fix #1",
            "start test #1",
            "start fix #2",
            "start test #2",
            "start fix #3",
            "start test #3"
        ]
    );
}

#[tokio::test]
async fn rounds_that_do_not_do_are_a_failure_and_the_next_ones_begin_anew() {
    let mut machine = fails_twice();
    let flows = machine.process(None);
    let mut steps = GREEN;
    steps[2] =
        "id: green, repeat: { steps: [fix, test], until: 'results.test.exit_code == 0', times: 2 }";
    let run = start(&flows, &steps).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    failed
    fix Succeeded #2
    test Failed #2 (exit code 1)
    green Failed #2 "2" (`until` does not hold after 2 rounds)
    ship Skipped UpstreamFailed from green
    "#);
    flows.retry_failed(&run).await.unwrap();
    let view = settled(&flows, &run).await;
    insta::assert_snapshot!(told(&view), @r#"
    succeeded
    fix Succeeded #2
    test Succeeded #3 "all passed"
    green Succeeded #3 "1"
    ship Succeeded #1 "after 1 rounds: all passed"
    "#);
    insta::assert_snapshot!(rounds_of(&view, "green"), @r#"
    1: fix Succeeded #1, test Failed #1; Some(false); Some("round 1 of 2: `until` does not hold")
    2: fix Succeeded #2, test Failed #2; Some(false); Some("`until` does not hold after 2 rounds")
    1: fix Succeeded #2, test Succeeded #3; Some(true); None
    "#);
}

#[tokio::test]
async fn a_failure_in_a_round_is_none_of_the_run_when_a_later_one_does() {
    // `fix` fails in the first round, so that `test` does not run and has no exit status to look at.
    let mut machine = Machine::new().does("fix", Does::FailsFirst(1, 7, ""));
    let flows = machine.process(None);
    let mut steps = GREEN;
    steps[2] =
        "id: green, repeat: { steps: [fix, test], until: 'results.test.exit_code == 0', times: 3 }";
    let run = start(&flows, &steps).await;
    let view = settled(&flows, &run).await;
    assert_eq!(view.info.state, RunState::Succeeded);
    insta::assert_snapshot!(rounds_of(&view, "green"), @r#"
    1: fix Failed #1, test Skipped #0; None; Some("round 1 of 3: `fix` did not succeed")
    2: fix Succeeded #2, test Succeeded #1; Some(true); None
    "#);
}

#[tokio::test]
async fn what_failed_is_never_told_as_done() {
    let mut machine = Machine::new().does("lint", Does::Ends(1, ""));
    let flows = machine.process(None);
    let steps = [
        "id: lint, run: x",
        "id: test, run: x",
        "id: green, repeat: { steps: [lint, test], until: results.test.exit_code == 0, times: 3 }",
        "id: ship, needs: [green], value: x",
    ];
    let run = start(&flows, &steps).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    failed
    lint Failed #1 (exit code 1)
    test Succeeded #1
    green Failed #1 "1" (`until` holds, and yet `lint` did not succeed; say `allow_failure: true` there if that does not count)
    ship Skipped UpstreamFailed from green
    "#);
    // An error is no answer.
    let steps = [
        "id: test, run: x",
        "id: green, repeat: { steps: [test], until: results.test.data.green, times: 3 }",
    ];
    let run = start(&flows, &steps).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    failed
    test Succeeded #1
    green Failed #1 "1" (its `until`: `.data.green` has no value)
    "#);
}

#[tokio::test]
async fn what_never_began_has_no_rounds() {
    let mut machine = Machine::new().does("plan", Does::Ends(1, ""));
    let flows = machine.process(None);
    let steps = [
        "id: plan, run: x",
        "id: fix, run: x",
        "id: green, needs: [plan], repeat: { steps: [fix], until: results.fix.exit_code == 9, times: 3 }",
        "id: no_, value: x, when: 1 == 2 or run.id == ''",
        "id: other, needs: [no_], value: x",
        "id: none, repeat: { steps: [other], until: results.other.output == 'y', times: 3 }",
    ];
    let run = start(&flows, &steps).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r"
    failed
    plan Failed #1 (exit code 1)
    fix Skipped UpstreamFailed from plan
    green Skipped UpstreamFailed from plan
    no_ Skipped GuardFalse from no_
    other Skipped AllInputsDead from no_
    none Skipped AllInputsDead from no_
    ");
}

#[tokio::test]
async fn a_branch_that_was_not_taken_takes_its_rounds_along() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let steps = [
        "id: S, switch: [{ case: a, when: run.flow == 'test', steps: [x] }], default: [green]",
        "id: x, value: x",
        "id: fix, value: x",
        "id: green, repeat: { steps: [fix], until: results.fix.output == 'y', times: 3 }",
        "id: j, needs: [x, green], value: x",
    ];
    let run = start(&flows, &steps).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    succeeded
    S Succeeded #1 "branch:a"
    x Succeeded #1 "x"
    fix Skipped BranchNotTaken from S
    green Skipped BranchNotTaken from S
    j Succeeded #1 "x"
    "#);
}

#[tokio::test]
async fn a_person_ends_a_round_and_there_is_no_further_one() {
    let mut machine = Machine::new().does("test", Does::Hangs);
    let flows = machine.process(None);
    let mut events = flows.events();
    let run = start(&flows, &GREEN).await;
    let begun =
        |what: &Happened| matches!(what, Happened::StepAttached { step, .. } if step == "test");
    wait_for(&mut events, begun).await;
    insta::assert_snapshot!(flows.why(&run, "green").await.unwrap(), @r"`green` is in round 1 of 5 at most. That is judged once these have ended: `test` (running).");
    flows.cancel_step(&run, "test").await.unwrap();
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    cancelled
    fix Succeeded #1
    test Cancelled #1
    green Cancelled #1 "1" (a person ended `test`, so there is no further round)
    ship Skipped UpstreamFailed from green
    "#);

    flows.rerun_from(&run, "test").await.unwrap();
    wait_for(&mut events, begun).await;
    flows.cancel_step(&run, "green").await.unwrap();
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    cancelled
    fix Succeeded #1
    test Cancelled #2
    green Cancelled #1 "1" (a person ended `test`, so there is no further round)
    ship Skipped UpstreamFailed from green
    "#);

    flows.rerun_from(&run, "test").await.unwrap();
    wait_for(&mut events, begun).await;
    // A person's word on the whole.
    flows
        .mark_succeeded(&run, "green", "by hand")
        .await
        .unwrap();
    flows.cancel_step(&run, "test").await.unwrap();
    let view = settled(&flows, &run).await;
    let state = |id: &str| {
        view.step_list
            .iter()
            .find(|step| step.id == id)
            .unwrap()
            .state
    };
    assert_eq!(state("green"), StepState::Succeeded);
    assert_eq!(
        state("ship"),
        StepState::Failed,
        "`test` gave nothing to look at"
    );
}

#[tokio::test]
async fn a_review_that_rejects_is_another_round() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let steps = [
        "id: write, value: 'draft {{ rounds.good }}'",
        "id: review, needs: [write], approval: { message: \"{{ results.write.output }}, was {{ last.review.output | default('new') }}\" }",
        "id: good, repeat: { steps: [write, review], until: 'results.review.state == \"succeeded\"', times: 9 }",
    ];
    let mut events = flows.events();
    let run = start(&flows, &steps).await;
    for (answer, message) in [
        (no(), "draft 1, was new"),
        (no(), "draft 2, was rejected"),
        (yes(), "draft 3, was rejected"),
    ] {
        let event = wait_for(&mut events, asked).await;
        let Happened::StepAsked { question, .. } = event.what else {
            unreachable!()
        };
        assert_eq!(question.message, message);
        flows.answer(&run, "review", answer).await.unwrap();
    }
    assert_eq!(settled(&flows, &run).await.info.state, RunState::Succeeded);
}

/// All that a run comes to, its rounds included.
async fn whole(flows: &Flows, run: &str) -> String {
    let view = settled(flows, run).await;
    told(&view) + &rounds_of(&view, "green")
}

#[tokio::test]
async fn rounds_go_on_where_they_were_wherever_the_process_ends() {
    let mut machine = fails_twice();
    let flows = machine.process(None);
    let run = start(&flows, &GREEN).await;
    let (expected, seen) = (whole(&flows, &run).await, saw(&machine));
    for writes in 0_i64.. {
        let mut machine = fails_twice();
        let flows = machine.process(Some(writes));
        let run = start(&flows, &GREEN).await;
        let all_written = settled(&flows, &run).await.info.ended_at.is_some();
        let flows = machine.restart(None);
        flows.resume_interrupted().await.unwrap();
        // What was begun and not written down as begun is begun again: it is found by its key.
        assert_eq!(whole(&flows, &run).await, expected, "after {writes} writes");
        let mut again = saw(&machine);
        again.dedup();
        assert_eq!(again, seen, "after {writes} writes");
        if all_written {
            assert!(writes > 10, "{writes}");
            return;
        }
    }
}

#[tokio::test]
async fn what_is_cut_off_in_a_round_counts_as_none() {
    let mut machine = Machine::new().does("fix", Does::CutOff);
    let flows = machine.process(None);
    let mut steps = GREEN;
    steps[2] = "id: green, repeat: { steps: [fix, test], until: rounds.green == 2, times: 2 }";
    let run = start(&flows, &steps).await;
    let view = settled(&flows, &run).await;
    assert_eq!(view.info.state, RunState::Succeeded);
    insta::assert_snapshot!(rounds_of(&view, "green"), @r#"
    1: fix Succeeded #2, test Succeeded #1; Some(false); Some("round 1 of 2: `until` does not hold")
    2: fix Succeeded #3, test Succeeded #2; Some(true); None
    "#);
}

#[tokio::test]
async fn rounds_of_a_run_that_was_cancelled_begin_anew_when_it_goes_on() {
    let mut machine = Machine::new().does("test", Does::Hangs);
    let flows = machine.process(None);
    let mut events = flows.events();
    let run = start(&flows, &GREEN).await;
    wait_for(
        &mut events,
        |what| matches!(what, Happened::StepAttached { step, .. } if step == "test"),
    )
    .await;
    flows.cancel(&run).await.unwrap();
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r"
    cancelled
    fix Succeeded #1
    test Cancelled #1
    green Skipped RunCancelled from green
    ship Skipped RunCancelled from ship
    ");
    machine.world.does.lock().unwrap().clear();
    flows.resume(&run).await.unwrap();
    let view = settled(&flows, &run).await;
    assert_eq!(view.info.state, RunState::Succeeded);
    insta::assert_snapshot!(rounds_of(&view, "green"), @r"1: fix Succeeded #1, test Succeeded #2; Some(true); None");
}
