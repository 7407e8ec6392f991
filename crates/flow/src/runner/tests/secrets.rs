//! Secret inputs: had before anything starts, handed to programs, written nowhere.

use std::sync::atomic::Ordering;

use super::*;

const KEY: &str = "inputs: { key: { type: secret, required: true } }\n";

#[tokio::test]
async fn secrets_reach_the_program_and_are_never_written_down() {
    let mut machine = Machine::new().does("leak", Does::Ends(1, "the token is hunter2-secret!"));
    let flows = machine.process(None);
    let run = start_with(
        &flows,
        "inputs: { key: { type: secret, required: true } }\n",
        &[
            "id: leak, run: x, env: { KEY: '{{ inputs.key }}' }",
            "id: v, value: '{{ inputs.key }}'",
        ],
        serde_json::json!({"key": "TOKEN"}),
    )
    .await;
    let view = settled(&flows, &run).await;
    assert_eq!(
        machine.world.prompts.lock().unwrap()[0].env["KEY"],
        "hunter2-secret"
    );
    let events = flows.events_after(&run, 0).await.unwrap();
    let written = format!("{view:?} {events:?}");
    assert!(!written.contains("hunter2"), "{written}");
    assert!(written.contains("the token is •••!"), "{written}");
}

/// Why a run with this for its secret does not start; nothing of it was kept.
async fn refused(given: &str) -> String {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let text = format!("name: test\n{KEY}steps:\n  - {{ id: a, run: x }}\n");
    let inputs = serde_json::json!({ "key": given });
    let start = StartRun {
        text,
        inputs: inputs.as_object().unwrap().clone(),
        cwd: "/work".to_owned(),
        path: None,
    };
    let error = flows.start(start).await.unwrap_err();
    assert_eq!(flows.list(10).await.unwrap(), []);
    assert_eq!(machine.log(), Vec::<String>::new());
    error.to_string()
}

#[tokio::test]
async fn a_secret_that_can_t_be_had_is_refused_before_anything_starts_and_is_not_told() {
    let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    for given in [token, "sk-live/4eC39HqLyjWDarjtT1zdp7dc", "two words", ""] {
        let said = refused(given).await;
        assert!(said.starts_with("the secret input `key` "), "{said}");
        assert!(given.is_empty() || !said.contains(given), "{said}");
    }
    assert!(refused(token).await.contains("is not set"));
}

#[tokio::test]
async fn a_run_is_not_gone_on_with_without_its_secret_but_can_be_ended() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let run = start_with(
        &flows,
        KEY,
        &[
            "id: ask, approval: { message: go }",
            "id: a, needs: [ask], run: x, env: { KEY: '{{ inputs.key }}' }",
        ],
        serde_json::json!({ "key": "TOKEN" }),
    )
    .await;
    flows.shutdown().await;
    machine.world.unset.store(true, Ordering::SeqCst);
    let flows = machine.restart(None);
    let refused = flows.answer(&run, "ask", yes()).await.unwrap_err();
    assert!(matches!(refused, RequestError::Secret(_)), "{refused}");
    assert_eq!(
        flows.resume_interrupted().await.unwrap(),
        Vec::<String>::new()
    );
    let view = flows.show(&run).await.unwrap();
    assert_eq!(view.info.state, RunState::Interrupted);
    machine.world.unset.store(false, Ordering::SeqCst);
    flows.answer(&run, "ask", yes()).await.unwrap();
    settled(&flows, &run).await;
    assert_eq!(
        machine.world.prompts.lock().unwrap()[0].env["KEY"],
        "hunter2-secret"
    );
}

#[tokio::test]
async fn a_run_can_be_ended_without_its_secret() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let steps = ["id: ask, approval: { message: go }"];
    let inputs = serde_json::json!({ "key": "TOKEN" });
    let run = start_with(&flows, KEY, &steps, inputs).await;
    flows.shutdown().await;
    machine.world.unset.store(true, Ordering::SeqCst);
    let flows = machine.restart(None);
    flows.cancel(&run).await.unwrap();
    let view = settled(&flows, &run).await;
    assert_eq!(view.info.state, RunState::Cancelled);
}

#[tokio::test]
async fn what_was_covered_is_shown_to_people_and_handed_on_to_nothing_else() {
    let mut machine = Machine::new().does("leak", Does::Ends(0, "<hunter2-secret>"));
    let flows = machine.process(None);
    let run = start_with(
        &flows,
        KEY,
        &[
            "id: leak, run: x",
            "id: report, needs: [leak], value: 'it said {{ results.leak.output }}'",
            "id: program, needs: [leak], run: x, env: { SAID: '{{ results.leak.output }}' }, allow_failure: true",
            "id: later, needs: [report], run: x, env: { SAID: '{{ results.report.output }}' }, allow_failure: true",
            "id: state, needs: [leak], run: x, env: { STATE: '{{ results.leak.state }}' }",
            "id: route, needs: [leak], switch: [{ case: a, when: 'results.leak.output == \"<hunter2-secret>\"', steps: [] }], \
             default: [], allow_failure: true",
        ],
        serde_json::json!({ "key": "TOKEN" }),
    )
    .await;
    let view = settled(&flows, &run).await;
    let of = |step: &str| {
        let step = view.step_list.iter().find(|one| one.id == step).unwrap();
        let last = step.attempts.last().unwrap();
        (step.state, last.message.clone().unwrap_or_default())
    };
    assert_eq!(of("report").0, StepState::Succeeded, "{view:?}");
    assert_eq!(of("state").0, StepState::Succeeded, "{view:?}");
    for (step, source) in [("program", "leak"), ("later", "report"), ("route", "leak")] {
        let (state, message) = of(step);
        assert_eq!(state, StepState::Failed, "{step}");
        let why = format!("what `{source}` gave held a secret");
        assert!(message.contains(&why), "{step}: {message}");
    }
}

#[tokio::test]
async fn a_secret_is_handed_on_in_the_environment_and_nowhere_else() {
    for step in [
        "id: a, agent: { backend: command, program: [x] }, prompt: 'use {{ inputs.key }}'",
        "id: a, agent: { backend: command, program: [x, '{{ inputs.key }}'] }, prompt: x",
        "id: a, run: x, cwd: 'in-{{ inputs.key }}'",
    ] {
        let mut machine = Machine::new();
        let flows = machine.process(None);
        let inputs = serde_json::json!({ "key": "TOKEN" });
        let run = start_with(&flows, KEY, &[step], inputs).await;
        let view = told(&settled(&flows, &run).await);
        assert!(view.contains("hand it on in `env`"), "{view}");
        assert_eq!(machine.log(), Vec::<String>::new());
    }
}
