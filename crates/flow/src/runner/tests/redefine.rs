//! Runs that go on with another definition of their flow.

use super::*;

fn text(steps: &[&str]) -> String {
    let mut text = "name: test\nsteps:\n".to_owned();
    for step in steps {
        let _ = writeln!(text, "  - {{ {step} }}");
    }
    text
}

/// A run of `steps` that has ended, in which `fails` failed; it would succeed by now.
async fn failed(machine: &mut Machine, steps: &[&str], fails: &'static str) -> (Flows, String) {
    let does = |does| machine.world.does.lock().unwrap().insert(fails, does);
    does(Does::Ends(1, "no"));
    let world = Arc::clone(&machine.world);
    let flows = machine.process(None);
    let run = start(&flows, steps).await;
    let view = settled(&flows, &run).await;
    assert_eq!(view.info.state, RunState::Failed);
    world
        .does
        .lock()
        .unwrap()
        .insert(fails, Does::Ends(0, "yes"));
    (flows, run)
}

const BEFORE: [&str; 4] = [
    "id: build, run: make",
    "id: test, needs: [build], run: make test",
    "id: mend, needs: [test], trigger: one_failed, value: mended",
    "id: end, needs: [test], value: '{{ results.test.output }}'",
];

#[tokio::test]
async fn what_failed_is_done_again_as_the_new_definition_says() {
    let mut machine = Machine::new();
    let (flows, run) = failed(&mut machine, &BEFORE, "test").await;
    // In another order, with a step more in front of all, and one that did not run left out.
    let new = text(&[
        "id: first, value: one",
        "id: end, needs: [test, first], value: '{{ results.test.output }} {{ results.first.output }}'",
        "id: test, needs: [build], run: make check",
        "id: build, run: make",
    ]);
    flows
        .resume_as(&run, &new, &Again::Failed)
        .await
        .unwrap_err();
    // `mend` ran.
    let new = format!("{new}  - {{ {} }}\n", BEFORE[2]);
    flows.resume_as(&run, &new, &Again::Failed).await.unwrap();
    let view = settled(&flows, &run).await;
    insta::assert_snapshot!(told(&view), @r#"
    succeeded
    first Succeeded #1 "one"
    end Succeeded #1 "yes one"
    test Succeeded #2 "yes"
    build Succeeded #1
    mend Skipped RuleNotMet from mend #1 "mended"
    "#);
    let attempts: Vec<_> = view
        .step_list
        .iter()
        .map(|step| (step.id.as_str(), step.attempts.len()))
        .collect();
    assert_eq!(
        attempts,
        [
            ("first", 1),
            ("end", 1),
            ("test", 2),
            ("build", 1),
            ("mend", 1)
        ]
    );
    assert_eq!(flows.flow_of(&run).await.unwrap().text(), new);
    assert_eq!(
        machine.log(),
        ["start build #1", "start test #1", "start test #2"]
    );
}

#[tokio::test]
async fn a_definition_that_does_not_fit_what_ran_changes_nothing() {
    let steps = [
        BEFORE[0],
        BEFORE[1],
        BEFORE[3],
        "id: guarded, when: run.flow == 'other', value: x",
        "id: after, needs: [build, guarded], value: after",
    ];
    let mut machine = Machine::new();
    let (flows, run) = failed(&mut machine, &steps, "test").await;
    let before = flows.show(&run).await.unwrap();
    for (number, step, why) in [
        (
            0,
            "id: build, run: make all",
            "`build` ran with another `run`",
        ),
        (
            0,
            "id: build, run: make, env: { A: b }",
            "`build` ran with another `env`",
        ),
        (
            0,
            "id: build, value: make",
            "`build` ran with another `run`",
        ),
        (
            0,
            "id: other, value: x }\n  - { id: build, needs: [other], run: make",
            "`build` ran with another `needs`",
        ),
        (
            3,
            "id: guarded, value: x",
            "`after` ran after `guarded`, which is another one now",
        ),
        (
            4,
            "id: before, value: x",
            "`after` ran, and is no longer there",
        ),
    ] {
        let mut steps = steps;
        steps[number] = step;
        let refused = flows.resume_as(&run, &text(&steps), &Again::Failed).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
        let now = flows.show(&run).await.unwrap();
        assert_eq!(now, before, "{step}");
    }
    // It is done again, and so it may be another one.
    let mut steps = steps;
    steps[0] = "id: build, run: make all";
    let from = Again::From("build".to_owned());
    flows.resume_as(&run, &text(&steps), &from).await.unwrap();
    assert_eq!(settled(&flows, &run).await.info.state, RunState::Succeeded);
    // Nothing is left to do.
    let nothing = flows.resume_as(&run, &text(&steps), &Again::CutOff).await;
    assert!(matches!(nothing, Err(RequestError::Ended)), "{nothing:?}");
    let refused = flows.resume_as(&run, "name: x", &Again::CutOff).await;
    assert!(
        matches!(refused, Err(RequestError::Definition(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_run_that_is_driven_keeps_its_definition() {
    let mut machine = Machine::new().does("slow", Does::Hangs);
    let flows = machine.process(None);
    let steps = ["id: slow, run: x"];
    let run = start(&flows, &steps).await;
    for flows in [flows.clone(), machine.process(None)] {
        let refused = flows.resume_as(&run, &text(&steps), &Again::CutOff).await;
        assert!(
            matches!(refused, Err(RequestError::Driven { pid: 1 })),
            "{refused:?}"
        );
    }
    flows.cancel(&run).await.unwrap();
    settled(&flows, &run).await;
    // What was cancelled may be another one: it is done again.
    let new = text(&["id: slow, value: quick"]);
    flows.resume_as(&run, &new, &Again::CutOff).await.unwrap();
    assert_eq!(settled(&flows, &run).await.info.state, RunState::Succeeded);
}

#[tokio::test]
async fn long_outputs_keep_their_place_when_steps_change_theirs() {
    let long: &'static str = "long ".repeat(20_000).leak();
    let mut machine = Machine::new().does("build", Does::Ends(0, long));
    let (flows, run) = failed(&mut machine, &BEFORE, "test").await;
    machine
        .world
        .does
        .lock()
        .unwrap()
        .insert("test", Does::Ends(0, "short".repeat(20_000).leak()));
    let new = text(&[
        BEFORE[1],
        BEFORE[0],
        BEFORE[2],
        "id: end, needs: [test], value: '{{ results.build.output | length }}'",
    ]);
    flows.resume_as(&run, &new, &Again::Failed).await.unwrap();
    let view = settled(&flows, &run).await;
    let end = view.step_list.last().unwrap().attempts.last().unwrap();
    assert_eq!(end.output.as_deref(), Some("100000"));
    let file = view.step_list[1].attempts[0].output_file.clone().unwrap();
    assert_eq!(std::fs::read_to_string(file).unwrap(), long);
}
