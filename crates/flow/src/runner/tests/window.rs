//! What a window holds of a run, from one look and what changed since, is what a fresh look gives.

use super::*;

/// A window: it looked once, and replaces what changes name.
struct Window {
    flows: Flows,
    followed: RunsFollowed,
    held: RunView,
    /// How often it held what a fresh look gave.
    agreed: usize,
}

impl Window {
    async fn open(flows: &Flows, run: &str) -> Self {
        Self {
            followed: flows.follow().await.unwrap(),
            held: flows.outline(run).await.unwrap(),
            flows: flows.clone(),
            agreed: 0,
        }
    }

    fn replace(&mut self, change: RunChange) {
        if change.info.id != self.held.info.id || change.seq < self.held.seq {
            return;
        }
        self.held.info = change.info;
        self.held.output = change.output;
        self.held.seq = change.seq;
        for step in change.steps {
            let place = place_of(&self.held, &step.id);
            self.held.step_list[place] = step;
        }
    }

    /// Takes what changed, comparing with a fresh look whenever that is of the same moment, until `wanted` holds.
    async fn until(&mut self, wanted: impl Fn(&RunView) -> bool) {
        tokio::time::timeout(DEADLINE, async {
            loop {
                let fresh = self.flows.outline(&self.held.info.id).await.unwrap();
                if fresh.seq == self.held.seq {
                    assert_eq!(self.held, fresh);
                    self.agreed += 1;
                    if wanted(&fresh) {
                        return;
                    }
                }
                for change in self.followed.next().await.unwrap() {
                    self.replace(change);
                }
            }
        })
        .await
        .expect("the window sees it in time");
    }

    /// Until the step is in this state.
    async fn sees(&mut self, step: &str, state: StepState) {
        self.until(|view| of(view, step).state == state).await;
    }

    async fn ended(&mut self) {
        let settled = self.flows.clone();
        let run = self.held.info.id.clone();
        tokio::time::timeout(DEADLINE, settled.settled(&run))
            .await
            .expect("the run ends in time");
        self.until(|view| view.info.ended_at.is_some()).await;
    }
}

fn place_of(view: &RunView, step: &str) -> usize {
    let mut steps = view.step_list.iter();
    steps.position(|one| one.id == step).unwrap()
}

fn of<'v>(view: &'v RunView, step: &str) -> &'v StepView {
    &view.step_list[place_of(view, step)]
}

#[tokio::test]
async fn a_window_holds_what_a_fresh_look_gives_whatever_happens_to_a_run() {
    let mut machine = Machine::new()
        .does("flaky", Does::FailsFirst(1, 1, "done"))
        .does("broken", Does::Ends(3, ""))
        .does("hangs", Does::Hangs)
        .does("cut", Does::CutOff);
    let flows = machine.process(None);
    let run = start(
        &flows,
        &[
            "id: plan, value: bug",
            "id: route, needs: [plan], switch: [{ case: bug, when: 'results.plan.output == \"bug\"', steps: [fix] }, \
             { case: docs, when: 'results.plan.output == \"docs\"', steps: [write] }]",
            "id: fix, value: fixed",
            "id: write, value: wrote",
            "id: after, needs: [write], value: never",
            "id: guarded, needs: [plan], value: x, when: 'results.plan.output == \"other\"'",
            "id: flaky, run: x, retries: 1, backoff: 10ms",
            "id: broken, run: x",
            "id: rescue, needs: [broken], trigger: one_failed, value: rescued",
            "id: hangs, run: x",
            "id: cut, run: x, on_interrupt: ask",
            "id: late, needs: [hangs], value: x",
            "id: ask, needs: [fix], approval: { message: 'Ship it?' }",
        ],
    )
    .await;
    let mut window = Window::open(&flows, &run).await;
    window
        .until(|view| view.info.asks == ["cut", "ask"] && of(view, "flaky").state.is_terminal())
        .await;
    flows.answer(&run, "cut", yes()).await.unwrap();
    window.sees("cut", StepState::Succeeded).await;
    flows.answer(&run, "ask", no()).await.unwrap();
    window.sees("ask", StepState::Rejected).await;
    flows.cancel_step(&run, "hangs").await.unwrap();
    window.ended().await;
    flows.mark_succeeded(&run, "broken", "well").await.unwrap();
    window.sees("broken", StepState::Succeeded).await;
    flows.mark_skipped(&run, "flaky").await.unwrap();
    window.sees("flaky", StepState::Skipped).await;
    flows.retry_failed(&run).await.unwrap();
    window.sees("hangs", StepState::Running).await;
    flows.rerun_from(&run, "route").await.unwrap();
    window.sees("ask", StepState::AwaitingApproval).await;
    flows.cancel(&run).await.unwrap();
    window.ended().await;
    assert!(window.agreed > 8, "{} looks agreed", window.agreed);
}

#[tokio::test]
async fn another_process_s_window_holds_what_a_fresh_look_gives() {
    let mut machine = Machine::new();
    let (theirs, ours) = (machine.process(None), machine.process(None));
    let run = start(
        &theirs,
        &[
            "id: ask, approval: { message: go }",
            "id: then, needs: [ask], value: x",
        ],
    )
    .await;
    let mut window = Window::open(&ours, &run).await;
    window.sees("ask", StepState::AwaitingApproval).await;
    theirs.answer(&run, "ask", yes()).await.unwrap();
    window.ended().await;
}

#[tokio::test]
async fn a_switch_that_is_to_decide_again_shows_no_branch() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let run = start(
        &flows,
        &[
            "id: ask, approval: { message: go }",
            "id: route, needs: [ask], switch: [{ case: a, when: '1 == 1', steps: [x] }]",
            "id: x, value: x",
        ],
    )
    .await;
    let mut window = Window::open(&flows, &run).await;
    window.sees("ask", StepState::AwaitingApproval).await;
    flows.answer(&run, "ask", yes()).await.unwrap();
    window.ended().await;
    assert_eq!(of(&window.held, "route").branch.as_deref(), Some("a"));
    flows.rerun_from(&run, "ask").await.unwrap();
    window.sees("ask", StepState::AwaitingApproval).await;
    let route = of(&window.held, "route");
    assert_eq!((route.state, &route.branch), (StepState::Pending, &None));
    // What it decided before is told by its attempt.
    assert!(route.attempts[0].decision.is_some());
}

#[tokio::test]
async fn a_change_holds_what_changed_and_nothing_long() {
    let mut machine = Machine::new().does("long", Does::Ends(0, "a long output"));
    let flows = machine.process(None);
    let mut steps: Vec<String> = (0..500)
        .map(|n| format!("id: s{n}, needs: [ask], value: x"))
        .collect();
    steps.push("id: ask, approval: { message: go }".to_owned());
    steps.push("id: long, run: x".to_owned());
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let run = start(&flows, &steps).await;
    let mut window = Window::open(&flows, &run).await;
    window.sees("long", StepState::Succeeded).await;
    flows.cancel_step(&run, "s7").await.unwrap();
    let changes = window.followed.next().await.unwrap();
    let told: Vec<_> = changes
        .iter()
        .flat_map(|change| &change.steps)
        .map(|step| step.id.as_str())
        .collect();
    assert_eq!(told, ["s7"]);
    let size = serde_json::to_string(&changes).unwrap().len();
    assert!(size < 1_000, "{size} bytes");
    let long = of(&window.held, "long");
    assert_eq!(long.attempts[0].output, None);
}

#[tokio::test]
async fn a_step_says_since_when_it_waits_for_a_place_and_its_attempts_for_how_long_they_did() {
    let mut machine = Machine::new().does("one", Does::Hangs);
    let flows = machine.process(None);
    let run = start_with(
        &flows,
        "batches: { b: { max_concurrent: 1 } }\n",
        &["id: one, run: x, batch: b", "id: two, run: x, batch: b"],
        serde_json::json!({}),
    )
    .await;
    let mut window = Window::open(&flows, &run).await;
    window.sees("one", StepState::Running).await;
    let queued = of(&window.held, "two").queued_at.expect("it waits");
    flows.cancel_step(&run, "one").await.unwrap();
    window.ended().await;
    let two = of(&window.held, "two");
    assert_eq!(two.queued_at, None);
    assert_eq!(two.attempts[0].queued_at, Some(queued));
    assert!(two.attempts[0].started_at >= queued);
}
