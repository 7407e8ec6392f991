//! What may start now: limits that are never exceeded, and nothing that waits without need.

use super::*;

#[tokio::test]
async fn a_successor_starts_whatever_else_runs() {
    let mut machine = Machine::new().does("long", Does::Hangs);
    let flows = machine.process(None);
    let mut events = flows.events();
    let run = start(
        &flows,
        &[
            "id: top, run: x",
            "id: long, needs: [top], run: x",
            "id: quick, needs: [top], run: x",
            "id: next, needs: [quick], run: x",
            "id: bottom, needs: [long, next], run: x",
        ],
    )
    .await;
    wait_for(
        &mut events,
        |what| matches!(what, Happened::StepEnded { step, .. } if step == "next"),
    )
    .await;
    assert!(!machine.log().contains(&"end long #1".to_owned()));
    flows.cancel(&run).await.unwrap();
    settled(&flows, &run).await;
}

#[tokio::test]
async fn agents_of_all_processes_share_one_limit() {
    let mut machine = Machine::new().does("a", Does::Hangs);
    machine.agents = 1;
    let (one, two) = (machine.process(None), machine.process(None));
    let agent = "agent: { backend: command, program: [x] }, prompt: p";
    let mut events = one.events();
    let first = start(&one, &[&format!("id: a, {agent}")]).await;
    wait_for(&mut events, |what| {
        matches!(what, Happened::StepAttached { .. })
    })
    .await;
    let second = start(&two, &[&format!("id: b, {agent}"), "id: c, run: x"]).await;
    let mut others = two.events();
    wait_for(
        &mut others,
        |what| matches!(what, Happened::StepEnded { step, .. } if step == "c"),
    )
    .await;
    assert_eq!(machine.log(), ["start a #1", "start c #1"]);
    one.cancel(&first).await.unwrap();
    assert_eq!(settled(&two, &second).await.info.state, RunState::Succeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_members_run_than_their_limit_and_nothing_starves() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let steps: Vec<String> = (0..60)
        .map(|n| format!("id: s{n}, run: x, batch: few"))
        .collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let view = start_and_settle(&flows, "batches: { few: { max_concurrent: 3 } }\n", &steps).await;
    assert_eq!(view.info.done, 60);
    // What the journal says is what was so: between start and end, never more than three.
    let (mut now, mut most) = (0, 0);
    for event in flows.events_after(&view.info.id, 0).await.unwrap() {
        match event.what {
            Happened::StepStarted { .. } => now += 1,
            Happened::StepEnded { .. } => now -= 1,
            _ => {}
        }
        most = most.max(now);
    }
    assert_eq!((now, most), (0, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_with_many_agents_never_exceed_their_common_limit() {
    let mut machine = Machine::new();
    machine.agents = 2;
    let processes = [machine.process(None), machine.process(None)];
    let agent = "agent: { backend: command, program: [x] }, prompt: p";
    let steps: Vec<String> = (0..6).map(|n| format!("id: s{n}, {agent}")).collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let mut runs = Vec::new();
    for flows in processes.iter().chain(&processes) {
        runs.push((flows, start(flows, &steps).await));
    }
    let mut events = Vec::new();
    for (flows, run) in &runs {
        let view = settled(flows, run).await;
        assert_eq!(view.info.state, RunState::Succeeded, "nothing starves");
        events.extend(flows.events_after(run, 0).await.unwrap());
    }
    // The journal has one order over all runs and processes.
    events.sort_by_key(|event| event.seq);
    let (mut now, mut most) = (0, 0);
    for event in events {
        match event.what {
            Happened::StepStarted { .. } => now += 1,
            Happened::StepEnded { .. } => now -= 1,
            _ => {}
        }
        most = most.max(now);
    }
    assert_eq!((now, most), (0, 2));
}

#[tokio::test]
async fn on_either_side_of_a_diamond_what_can_start_has_started_before_anything_else_ends() {
    let mut machine = Machine::new().does("long", Does::Hangs);
    let flows = machine.process(None);
    let mut events = flows.events();
    let run = start(
        &flows,
        &[
            "id: top, run: x",
            "id: long, needs: [top], run: x",
            "id: quick, needs: [top], run: x",
            "id: next, needs: [quick], run: x",
        ],
    )
    .await;
    wait_for(
        &mut events,
        |what| matches!(what, Happened::StepEnded { step, .. } if step == "next"),
    )
    .await;
    flows.cancel(&run).await.unwrap();
    settled(&flows, &run).await;
    // Between the end of what it needs and its own start there is nothing but its being queued.
    let events = flows.events_after(&run, 0).await.unwrap();
    let position = |wanted: &dyn Fn(&Happened) -> bool| {
        events.iter().position(|event| wanted(&event.what)).unwrap()
    };
    let ended =
        position(&|what| matches!(what, Happened::StepEnded { step, .. } if step == "quick"));
    let started =
        position(&|what| matches!(what, Happened::StepStarted { step, .. } if step == "next"));
    let between: Vec<_> = events[ended + 1..started]
        .iter()
        .map(|event| &event.what)
        .collect();
    assert!(
        matches!(between.as_slice(), [Happened::StepQueued { step }] if step == "next"),
        "{between:?}"
    );
}
