//! A process that ends after any write, and another one that goes on.

use super::*;

/// Answers whatever the run asks with yes, until it has ended or this process has "ended".
async fn drive_to_end(flows: &Flows, run: &str) {
    let mut events = flows.events();
    for step in flows.show(run).await.unwrap().info.asks {
        let _ = flows.answer(run, &step, yes()).await;
    }
    let settled = flows.settled(run);
    tokio::pin!(settled);
    tokio::time::timeout(DEADLINE, async {
        loop {
            tokio::select! {
                () = &mut settled => return,
                event = events.recv() => {
                    if let Ok(FlowEvent { what: Happened::StepAsked { step, .. }, .. }) = event {
                        // The process may "end" before it has done so.
                        let _ = flows.answer(run, &step, yes()).await;
                    }
                }
            }
        }
    })
    .await
    .expect("the run ends in time");
}

fn results(view: &RunView) -> BTreeMap<String, (StepState, Option<Skip>, Option<String>)> {
    view.step_list
        .iter()
        .map(|step| {
            let output = step
                .attempts
                .last()
                .and_then(|attempt| attempt.output.clone());
            (step.id.clone(), (step.state, step.skip.clone(), output))
        })
        .collect()
}

/// Ends the process after its nth write, for every n, and goes on with another.
async fn survives_every_write(
    text: &str,
    inputs: serde_json::Value,
    does: &[(&'static str, Does)],
    world_is_lost: bool,
) {
    let new_machine = || {
        does.iter()
            .cloned()
            .fold(Machine::new(), |machine, (step, does)| {
                machine.does(step, does)
            })
    };
    let start = |flows: Flows| {
        let (text, inputs) = (text.to_owned(), inputs.as_object().unwrap().clone());
        async move {
            flows
                .start(StartRun {
                    text,
                    inputs,
                    cwd: "/work".to_owned(),
                    path: None,
                })
                .await
                .unwrap()
        }
    };
    // What is done in rounds is done again by right.
    let flow = Flow::read(text).unwrap();
    let in_rounds = |id: &str| {
        flow.step(id)
            .is_some_and(|step| flow.steps[step].repeat.is_some())
    };
    let mut machine = new_machine();
    let flows = machine.process(None);
    let run = start(flows.clone()).await;
    drive_to_end(&flows, &run).await;
    let expected = flows.show(&run).await.unwrap();
    assert!(expected.info.ended_at.is_some());

    for writes in 0.. {
        let mut machine = new_machine();
        let flows = machine.process(Some(writes));
        let run = start(flows.clone()).await;
        drive_to_end(&flows, &run).await;
        let before = flows.show(&run).await.unwrap();
        let finished_in_time = before.info.ended_at.is_some();
        drop(flows);
        if world_is_lost {
            machine.world.known.lock().unwrap().clear();
        }
        let recorded: BTreeSet<String> = before
            .step_list
            .iter()
            .filter(|step| step.state.is_terminal() && step.state != StepState::Skipped)
            .map(|step| step.id.clone())
            .filter(|id| !in_rounds(id))
            .collect();
        let log_before = machine.log().len();
        let flows = machine.restart(None);
        flows.resume_interrupted().await.unwrap();
        drive_to_end(&flows, &run).await;
        let after = flows.show(&run).await.unwrap();
        assert_eq!(
            after.info.state, expected.info.state,
            "after {writes} writes"
        );
        assert_eq!(results(&after), results(&expected), "after {writes} writes");
        for line in &machine.log()[log_before..] {
            let step = line.split(' ').nth(1).unwrap();
            assert!(
                !recorded.contains(step),
                "`{step}` had a result and ran again after {writes} writes"
            );
        }
        for (before, after) in before.step_list.iter().zip(&after.step_list) {
            for (before, after) in before.attempts.iter().zip(&after.attempts) {
                if before.decision.is_some() {
                    assert_eq!(
                        before.decision, after.decision,
                        "a decision changed after {writes} writes"
                    );
                }
            }
        }
        if finished_in_time {
            break;
        }
    }
}

const EVERYTHING: &str = "
name: everything
inputs: { band: { type: enum, values: [small, large], default: small } }
batches: { few: { max_concurrent: 1 } }
steps:
  - { id: plan, agent: { backend: command, program: [x] }, prompt: Plan, output: { type: json }, on_interrupt: rerun }
  - id: route
    needs: [plan]
    switch: [{ case: bug, when: results.plan.data.kind == 'bug', steps: [fix] }]
    default: [docs]
  - { id: fix, run: x, on_interrupt: rerun }
  - { id: docs, run: x }
  - { id: flaky, needs: [fix], run: x, retries: 2, backoff: 1ms, batch: few, on_interrupt: rerun }
  - { id: other, needs: [fix], run: x, batch: few, idempotent: true }
  - { id: ask, needs: [flaky, other, docs], approval: { message: 'Ship {{ results.plan.data.summary }}?' } }
  - { id: broken, needs: [ask], run: x, allow_failure: true, on_interrupt: rerun }
  - { id: guarded, needs: [ask], value: x, when: inputs.band == 'large' }
  - { id: end, needs: [broken, guarded, 'batch:few'], value: '{{ results.route.output }} done' }
output: { render: '{{ results.end.output }}' }
";

const PLAN: &str = r#"{"kind": "bug", "summary": "it"}"#;

fn everything() -> [(&'static str, Does); 3] {
    [
        ("plan", Does::Ends(0, PLAN)),
        ("flaky", Does::FailsFirst(1, 1, "")),
        ("broken", Does::Ends(1, "")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_ends_the_same_wherever_its_process_ended() {
    survives_every_write(EVERYTHING, serde_json::json!({}), &everything(), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_ends_the_same_when_its_programs_were_lost_too() {
    survives_every_write(EVERYTHING, serde_json::json!({}), &everything(), true).await;
}

/// A sample, as it is but for its waits.
fn sample(name: &str) -> String {
    let path = format!(
        "{}/../../examples/{name}.flow.yaml",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path)
        .unwrap()
        .replace("backoff: 100ms", "backoff: 1ms")
}

async fn sample_survives(name: &str, inputs: serde_json::Value, does: &[(&'static str, Does)]) {
    for world_is_lost in [false, true] {
        survives_every_write(&sample(name), inputs.clone(), does, world_is_lost).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hello_survives_every_write() {
    for hour in ["7", "14", "22"] {
        let does = [("hour", Does::Ends(0, hour)), ("look", Does::Ends(0, "up"))];
        sample_survives("hello", serde_json::json!({}), &does).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn build_and_test_survives_every_write() {
    let does = [
        ("test", Does::FailsFirst(1, 1, "12 tests passed")),
        ("lint", Does::Ends(3, "complaints")),
    ];
    sample_survives("build-and-test", serde_json::json!({}), &does).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nested_survives_every_write() {
    for inputs in [
        serde_json::json!({}),
        serde_json::json!({"size": "small"}),
        serde_json::json!({"risk": "low"}),
    ] {
        sample_survives("nested", inputs, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_survives_every_write() {
    let does = [("flaky", Does::FailsFirst(2, 75, "third time lucky"))];
    let text = sample("retry");
    survives_every_write(&text, serde_json::json!({}), &does, false).await;
    // An attempt that is lost with its program is one attempt more.
    let text = text.replace("{{ results.flaky.attempt }} attempts", "some attempts");
    survives_every_write(&text, serde_json::json!({}), &does, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reviews_survives_every_write() {
    sample_survives(
        "reviews",
        serde_json::json!({}),
        &[("speed", Does::Ends(1, "slow"))],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn triage_survives_every_write() {
    let docs = r#"{"kind": "docs", "summary": "it"}"#;
    let other = r#"{"kind": "tea", "summary": "it"}"#;
    for plan in [PLAN, docs, other] {
        sample_survives(
            "triage",
            serde_json::json!({}),
            &[("plan", Does::Ends(0, plan))],
        )
        .await;
    }
}

#[tokio::test]
async fn a_run_of_which_nothing_was_left_to_do_is_resumed_all_the_same() {
    // The process ends before it could write that the run has ended.
    let mut machine = Machine::new();
    let flows = machine.process(Some(2));
    let run = start(&flows, &["id: a, value: x", "id: b, needs: [a], value: x"]).await;
    settled(&flows, &run).await;
    drop(flows);
    let flows = machine.restart(None);
    flows.resume(&run).await.unwrap();
    assert_eq!(settled(&flows, &run).await.info.state, RunState::Succeeded);
    assert!(matches!(flows.resume(&run).await, Err(RequestError::Ended)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_survives_every_write() {
    let does = [
        ("list", Does::Ends(0, "[\"docs\", \"src\"]")),
        ("look.1", Does::Ends(0, "docs are fine")),
        ("look.2", Does::Ends(0, "sources are fine")),
    ];
    sample_survives("each-part", serde_json::json!({}), &does).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn until_green_survives_every_write() {
    let does = [
        ("fix", Does::Ends(0, "mended")),
        ("test", Does::UntilNoneIsLeft),
    ];
    sample_survives("until-green", serde_json::json!({}), &does).await;
}

/// A sample that nobody wrote a test for is a sample that nobody knows to survive.
#[test]
fn every_sample_has_its_test() {
    let directory = format!("{}/../../examples", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".flow.yaml").map(str::to_owned))
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "build-and-test",
            "each-part",
            "hello",
            "nested",
            "retry",
            "reviews",
            "triage",
            "until-green"
        ]
    );
}

#[tokio::test]
async fn an_agent_that_is_asked_once_more_survives_every_write() {
    let text = "
name: again
steps:
  - { id: ask, agent: { backend: command, program: [x] }, prompt: Plan, on_interrupt: rerun, output: { type: json, schema: { type: object } } }
  - { id: next, needs: [ask], value: '{{ results.ask.data.kind }}' }
";
    let does = [("ask", Does::AnswersAgain("no", "{\"kind\": 1}"))];
    for world_is_lost in [false, true] {
        survives_every_write(text, serde_json::json!({}), &does, world_is_lost).await;
    }
}
