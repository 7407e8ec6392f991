//! Steps that are done for each item of a list: one by one, together, and as a whole.

use super::*;

const REVIEWS: [&str; 3] = [
    "id: plan, run: x, output: { type: json }",
    "id: review, needs: [plan], foreach: { of: results.plan.data, max_concurrent: 2 }, run: x, idempotent: true, env: { IT: '{{ index }}: {{ item.name }}' }",
    "id: all, needs: [review], value: '{{ results.review.data | map(attribute=\"state\") | join(\" \") }}: {{ results.review.output }}'",
];

fn three() -> Machine {
    let list = r#"[{"name": "a"}, {"name": "b"}, {"name": "c"}]"#;
    Machine::new().does("plan", Does::Ends(0, list))
}

fn saw(machine: &Machine) -> Vec<String> {
    let jobs = machine.world.prompts.lock().unwrap();
    let of_items = jobs
        .iter()
        .filter(|job| job.key.step.starts_with("review."));
    of_items.map(|job| job.env["IT"].clone()).collect()
}

#[tokio::test]
async fn a_step_is_done_for_each_item_and_hands_on_what_they_gave_in_order() {
    let mut machine = three()
        .does("review.1", Does::Ends(0, "one"))
        .does("review.2", Does::Ends(0, "two"))
        .does("review.3", Does::Ends(0, "three"));
    let flows = machine.process(None);
    let run = start(&flows, &REVIEWS).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    succeeded
    plan Succeeded #1 "[{\"name\": \"a\"}, {\"name\": \"b\"}, {\"name\": \"c\"}]"
    review Succeeded #1 "one\ntwo\nthree"
    all Succeeded #1 "succeeded succeeded succeeded: one\ntwo\nthree"
    review.1 Succeeded #1 "one"
    review.2 Succeeded #1 "two"
    review.3 Succeeded #1 "three"
    "#);
    assert_eq!(saw(&machine), ["1: a", "2: b", "3: c"]);
    insta::assert_snapshot!(flows.why(&run, "review").await.unwrap(), @r"
    `review` ran and succeeded.
    Its 3 items: 3 succeeded.
    ");
    insta::assert_snapshot!(flows.why(&run, "review.2").await.unwrap(), @r#"
    `review.2` ran and succeeded.
    It is item 2 of `review`: {"name":"b"}
    "#);
}

#[tokio::test]
async fn an_item_that_failed_is_retried_alone() {
    let mut machine = three().does("review.2", Does::FailsFirst(1, 3, "two"));
    let flows = machine.process(None);
    let run = start(&flows, &REVIEWS).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    failed
    plan Succeeded #1 "[{\"name\": \"a\"}, {\"name\": \"b\"}, {\"name\": \"c\"}]"
    review Failed #1 (1 of 3 items did not succeed, the first of them `review.2`)
    all Skipped UpstreamFailed from review
    review.1 Succeeded #1
    review.2 Failed #1 (exit code 3)
    review.3 Succeeded #1
    "#);
    insta::assert_snapshot!(flows.why(&run, "review").await.unwrap(), @r"
    `review` ran and failed: 1 of 3 items did not succeed, the first of them `review.2`.
    Its 3 items: 2 succeeded, 1 failed (`review.2`).
    ");
    flows.retry_failed(&run).await.unwrap();
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    succeeded
    plan Succeeded #1 "[{\"name\": \"a\"}, {\"name\": \"b\"}, {\"name\": \"c\"}]"
    review Succeeded #2 "two"
    all Succeeded #1 "succeeded succeeded succeeded: two"
    review.1 Succeeded #1
    review.2 Succeeded #2 "two"
    review.3 Succeeded #1
    "#);
    assert_eq!(saw(&machine), ["1: a", "2: b", "3: c", "2: b"]);
    // The whole is done again from its list on.
    machine
        .world
        .does
        .lock()
        .unwrap()
        .insert("plan", Does::Ends(0, r#"[{"name": "d"}, {"name": "e"}]"#));
    flows.rerun_from(&run, "plan").await.unwrap();
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    succeeded
    plan Succeeded #2 "[{\"name\": \"d\"}, {\"name\": \"e\"}]"
    review Succeeded #3 "two"
    all Succeeded #2 "succeeded succeeded: two"
    review.1 Succeeded #2
    review.2 Succeeded #3 "two"
    review.3 Skipped NotListed from review.3 #1
    "#);
}

#[tokio::test]
async fn items_are_joined_by_a_rule_and_may_fail_fast() {
    let mut machine = three().does("review.1", Does::Ends(1, ""));
    let flows = machine.process(None);
    let mut steps = REVIEWS;
    steps[1] =
        "id: review, needs: [plan], foreach: { of: results.plan.data, join: one_success }, run: x";
    let run = start(&flows, &steps).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    succeeded
    plan Succeeded #1 "[{\"name\": \"a\"}, {\"name\": \"b\"}, {\"name\": \"c\"}]"
    review Succeeded #1
    all Succeeded #1 "failed succeeded succeeded: "
    review.1 Failed #1 (exit code 1)
    review.2 Succeeded #1
    review.3 Succeeded #1
    "#);
    let nothing = flows.retry_failed(&run).await;
    assert!(matches!(nothing, Err(RequestError::NothingFailed)));
    steps[1] = "id: review, needs: [plan], foreach: { of: results.plan.data, max_concurrent: 1, fail_fast: true }, run: x";
    let run = start(&flows, &steps).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    failed
    plan Succeeded #1 "[{\"name\": \"a\"}, {\"name\": \"b\"}, {\"name\": \"c\"}]"
    review Failed #1 (3 of 3 items did not succeed, the first of them `review.1`)
    all Skipped UpstreamFailed from review
    review.1 Failed #1 (exit code 1)
    review.2 Skipped UpstreamFailed from review.1
    review.3 Skipped UpstreamFailed from review.1
    "#);
}

#[tokio::test]
async fn a_list_that_is_none_or_too_long_fails_its_step_and_an_empty_one_is_done() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let steps = [
        "id: none, foreach: { of: run.flow }, value: x",
        "id: many, foreach: { of: range(1001) }, value: x",
        "id: empty, foreach: { of: '[]' }, value: x",
        "id: skipped, when: run.flow == '', foreach: { of: '[1]' }, value: x",
        "id: after, needs: [empty], value: '{{ results.empty.data | length }}'",
    ];
    let run = start(&flows, &steps).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    failed
    none Failed #1 (`foreach`: `run.flow` is the text `test` and no list)
    many Failed #1 (`foreach`: `range(1001)` has 1001 items, and 1000 are the most)
    empty Succeeded #1
    skipped Skipped GuardFalse from skipped
    after Succeeded #1 "0"
    "#);
}

#[tokio::test]
async fn every_item_asks_a_person_of_its_own() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let steps =
        ["id: ask, foreach: { of: '[1, 2]' }, approval: { message: 'Is {{ item }} good?' }"];
    let mut events = flows.events();
    let run = start(&flows, &steps).await;
    for item in ["ask.1", "ask.2"] {
        wait_for(&mut events, asked).await;
        flows.answer(&run, item, yes()).await.unwrap();
    }
    assert_eq!(settled(&flows, &run).await.info.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_list_goes_on_where_it_was_wherever_the_process_ends() {
    let new = || three().does("review.2", Does::Ends(0, "two"));
    let mut machine = new();
    let flows = machine.process(None);
    let run = start(&flows, &REVIEWS).await;
    // How often what was cut off was begun is another matter.
    let came = async |flows: &Flows, run: &str| {
        let view = settled(flows, run).await;
        let steps = view.step_list.iter().map(|step| {
            let output = step.attempts.last().and_then(|last| last.output.clone());
            (step.id.clone(), step.state, output, step.item.clone())
        });
        (view.info.state, steps.collect::<Vec<_>>())
    };
    let expected = came(&flows, &run).await;
    for writes in 0_i64.. {
        let mut machine = new();
        let flows = machine.process(Some(writes));
        let run = start(&flows, &REVIEWS).await;
        let all_written = settled(&flows, &run).await.info.ended_at.is_some();
        let flows = machine.restart(None);
        flows.resume_interrupted().await.unwrap();
        assert_eq!(came(&flows, &run).await, expected, "after {writes} writes");
        let mut seen = saw(&machine);
        seen.sort();
        seen.dedup();
        assert_eq!(seen, ["1: a", "2: b", "3: c"], "after {writes} writes");
        if all_written {
            assert!(writes > 8, "{writes}");
            return;
        }
    }
}

#[tokio::test]
async fn a_run_that_is_ended_ends_its_items() {
    let mut machine = three().does("review.1", Does::Hangs);
    let flows = machine.process(None);
    let mut events = flows.events();
    let run = start(&flows, &REVIEWS).await;
    wait_for(
        &mut events,
        |what| matches!(what, Happened::StepAttached { step, .. } if step == "review.1"),
    )
    .await;
    flows.cancel(&run).await.unwrap();
    let view = settled(&flows, &run).await;
    assert_eq!(view.info.state, RunState::Cancelled);
    machine.world.does.lock().unwrap().remove("review.1");
    flows.resume(&run).await.unwrap();
    assert_eq!(settled(&flows, &run).await.info.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_list_of_a_thousand_is_no_slower_per_item_than_steps_are() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let steps = ["id: all, foreach: { of: range(1000) | list, max_concurrent: 50 }, run: x"];
    let run = start(&flows, &steps).await;
    let view = settled(&flows, &run).await;
    assert_eq!(
        (view.info.state, view.info.steps),
        (RunState::Succeeded, 1001)
    );
    let data = view.step_list[0].attempts[0].data.as_ref().unwrap().value();
    let items: Vec<u64> = data
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["item"].as_u64().unwrap())
        .collect();
    assert_eq!(items, (0..1000).collect::<Vec<u64>>());
}
