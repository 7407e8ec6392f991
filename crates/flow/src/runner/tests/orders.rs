//! Random flows through the real runner: whatever ends first, whatever is done again, and wherever the
//! process ends, what comes of them is what a slow reading of the rules says.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use tokio::sync::{Notify, oneshot};

use super::*;
use crate::plans::{Came, Plan, picks, plan};

/// What `run` steps of plans are: cut off, they may be done again.
const KIND: &str = "run: x, idempotent: true";

/// The same, for each item of a list.
const LISTS: &str = "run: x, idempotent: true, foreach: { of: '[1, 2]', max_concurrent: 1 }";

/// A world in which steps are at work until one of them is picked to end.
struct Held {
    ends: Mutex<BTreeMap<String, StepState>>,
    at_work: Mutex<Vec<(String, oneshot::Sender<()>)>>,
    more: Notify,
}

impl Held {
    fn new(plan: &Plan) -> Arc<Self> {
        let held = Arc::new(Self {
            ends: Mutex::default(),
            at_work: Mutex::default(),
            more: Notify::new(),
        });
        held.come_to(plan);
        held
    }

    fn come_to(&self, plan: &Plan) {
        let steps = plan.steps.iter().enumerate();
        *self.ends.lock().unwrap() = steps
            .map(|(number, step)| (format!("s{number}"), step.ends.state()))
            .collect();
    }

    /// Ends what is at work, one step after the other, in an order of its own.
    async fn pick(self: Arc<Self>, seed: u64) {
        let mut pick = picks(seed);
        loop {
            self.more.notified().await;
            // What was set off together is there together, more or less: any order is as good.
            for _ in 0..pick(7) {
                tokio::task::yield_now().await;
            }
            let mut at_work = self.at_work.lock().unwrap();
            if at_work.is_empty() {
                continue;
            }
            let picked = pick(at_work.len());
            let (_, end) = at_work.swap_remove(picked);
            // Nobody waits for it any more when its process has ended.
            let _ = end.send(());
            if !at_work.is_empty() {
                self.more.notify_one();
            }
        }
    }
}

struct HeldActions(Arc<Held>);

impl Actions for HeldActions {
    fn start(&self, job: Job) -> Answer<'_, Result<Activity, ActionError>> {
        let (end, ended) = oneshot::channel();
        let step = job.key.step.clone();
        let whole = step.split('.').next().unwrap();
        let well = self.0.ends.lock().unwrap()[whole] == StepState::Succeeded;
        self.0.at_work.lock().unwrap().push((step, end));
        self.0.more.notify_one();
        Box::pin(async move {
            let ended = async move {
                let _ = ended.await;
                Ended::Finished(Finished {
                    exit_code: Some(i32::from(!well)),
                    ..Finished::default()
                })
            };
            Ok(Activity::new(job.key.to_string(), ended))
        })
    }
    fn find(&self, _: Job, _: Option<String>) -> Answer<'_, Found> {
        Box::pin(async { Found::Gone })
    }
    fn end(&self, _: JobKey, _: String) -> Answer<'_, ()> {
        Box::pin(async {})
    }
    fn write_output(&self, _: String, _: String, _: String) -> Answer<'_, Result<(), ActionError>> {
        Box::pin(async { Ok(()) })
    }
    fn conflicts(&self, _: String, _: Option<String>) -> Answer<'_, Result<String, ActionError>> {
        Box::pin(async { Ok("none".to_owned()) })
    }
    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

/// One database and one world, on which a process comes after the other.
struct Place {
    machine: Machine,
    held: Arc<Held>,
}

impl Place {
    fn new(plan: &Plan) -> Self {
        Self {
            machine: Machine::new(),
            held: Held::new(plan),
        }
    }

    /// All processes end, with all that they had started; a new one begins.
    fn restart(&mut self, stop_after: Option<i64>) -> Flows {
        self.held.at_work.lock().unwrap().clear();
        let actions = Arc::new(HeldActions(Arc::clone(&self.held)));
        self.machine.alive.lock().unwrap().clear();
        self.machine.process_in(stop_after, actions)
    }
}

async fn begin(flows: &Flows, text: &str) -> String {
    let start = StartRun {
        text: text.to_owned(),
        cwd: "/work".to_owned(),
        ..StartRun::default()
    };
    flows.start(start).await.unwrap()
}

async fn came(flows: &Flows, run: &str) -> BTreeMap<String, Came> {
    let view = settled(flows, run).await;
    let steps = view.step_list.into_iter();
    let of_file = steps.filter(|step| step.item.is_none());
    of_file
        .map(|step| {
            let came = Came {
                state: step.state,
                skip: step.skip,
            };
            (step.id, came)
        })
        .collect()
}

/// The plan when what failed is mended: programs are, the condition of a switch is not.
fn mended(plan: &Plan) -> Plan {
    let mut mended = plan.clone();
    for step in mended.steps.iter_mut().filter(|step| step.switch.is_none()) {
        step.ends = StubState::Succeeded;
    }
    mended
}

fn failed(came: &BTreeMap<String, Came>) -> Option<&String> {
    let mut steps = came.iter();
    steps.find_map(|(id, came)| (came.state == StepState::Failed).then_some(id))
}

/// Runs a plan, mends it, does again what failed; then does any step again, and says of one that it succeeded.
async fn goes_as_read(plan: &Plan, kind: &str, seed: u64) {
    let text = plan.write(kind);
    let mut place = Place::new(plan);
    let picking = tokio::spawn(Arc::clone(&place.held).pick(seed));
    let flows = place.restart(None);
    let run = begin(&flows, &text).await;
    let first = came(&flows, &run).await;
    assert_eq!(first, plan.read(), "{text}");

    let any = format!(
        "s{}",
        usize::try_from(seed >> 40).unwrap() % plan.steps.len()
    );
    flows.rerun_from(&run, &any).await.unwrap();
    assert_eq!(
        came(&flows, &run).await,
        first,
        "{any} was done again\n{text}"
    );

    if let Some(one) = failed(&first) {
        let number: usize = one[1..].parse().unwrap();
        let mut marked = plan.clone();
        if marked.steps[number].switch.is_none() {
            marked.steps[number].ends = StubState::Succeeded;
            flows.mark_succeeded(&run, one, "").await.unwrap();
            assert_eq!(
                came(&flows, &run).await,
                marked.read(),
                "{one} was marked\n{text}"
            );
        }
        let mended = mended(plan);
        place.held.come_to(&mended);
        let answer = flows.retry_failed(&run).await;
        if failed(&marked.read()).is_none() {
            assert!(matches!(answer, Err(RequestError::NothingFailed)));
        } else {
            answer.unwrap();
            assert_eq!(
                came(&flows, &run).await,
                mended.read(),
                "what failed was mended\n{text}"
            );
        }
    }
    picking.abort();
}

proptest! {
    // Of plans that are no flows there may be as many, and no more.
    #![proptest_config(ProptestConfig { cases: 48, max_global_rejects: 48, ..ProptestConfig::default() })]

    #[test]
    fn runs_go_as_a_slow_reading_of_the_rules_says(plan in plan(), seed in any::<u64>()) {
        let plan = plan.without_people();
        prop_assume!(Flow::read(&plan.write(KIND)).is_ok());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(goes_as_read(&plan, KIND, seed));
    }

    #[test]
    fn steps_that_are_done_for_each_of_a_list_come_to_what_they_come_to_alone(
        plan in plan(), seed in any::<u64>(), writes in 0..60i64,
    ) {
        let mut plan = plan.without_people();
        for step in &mut plan.steps {
            // What is in a batch has no list.
            (step.batch, step.needs_batch) = (None, false);
        }
        let text = plan.write(LISTS);
        prop_assume!(Flow::read(&text).is_ok());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(goes_as_read(&plan, LISTS, seed));
        runtime.block_on(async {
            let mut place = Place::new(&plan);
            let picking = tokio::spawn(Arc::clone(&place.held).pick(seed));
            let flows = place.restart(Some(writes));
            let run = begin(&flows, &text).await;
            settled(&flows, &run).await;
            let flows = place.restart(None);
            flows.resume_interrupted().await.unwrap();
            assert_eq!(came(&flows, &run).await, plan.read(), "after {writes} writes\n{text}");
            picking.abort();
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_global_rejects: 48, ..ProptestConfig::default() })]

    #[test]
    fn rounds_come_to_the_same_wherever_their_process_ends(
        plan in plan(), seed in any::<u64>(), rounds in 1..4u32, writes in 0..60i64,
    ) {
        let plan = plan.without_people();
        let text = plan.write_rounds(KIND, rounds, 3);
        prop_assume!(Flow::read(&text).is_ok());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut place = Place::new(&plan);
            let picking = tokio::spawn(Arc::clone(&place.held).pick(seed));
            let flows = place.restart(Some(writes));
            let run = begin(&flows, &text).await;
            settled(&flows, &run).await;
            let flows = place.restart(None);
            flows.resume_interrupted().await.unwrap();
            let mut came = came(&flows, &run).await;
            let (of_rounds, judged) = plan.read_rounds(rounds, 3);
            assert_eq!(came.remove("rounds").unwrap(), of_rounds, "after {writes} writes\n{text}");
            came.remove("after");
            assert_eq!(came, plan.read(), "after {writes} writes\n{text}");
            let view = flows.show(&run).await.unwrap();
            let step = view.step_list.iter().find(|step| step.id == "rounds").unwrap();
            let numbers: Vec<u32> = step.attempts.iter().filter_map(|attempt| Some(attempt.round.as_ref()?.number)).collect();
            let expected: Vec<u32> = (1..=judged).filter(|_| of_rounds.skip.is_none()).collect();
            assert_eq!(numbers, expected, "{text}");
            picking.abort();
        });
    }
}

/// Ends the process after its nth write, for every n: of the run itself, and of what failed when it is done
/// again.
async fn survives(plan: &Plan) {
    let (text, first, mended) = (plan.write(KIND), plan.read(), mended(plan));
    for writes in 0_i64.. {
        let mut place = Place::new(plan);
        let picking = tokio::spawn(Arc::clone(&place.held).pick(writes.unsigned_abs() + 3));
        let flows = place.restart(Some(writes));
        let run = begin(&flows, &text).await;
        let all_written = settled(&flows, &run).await.info.ended_at.is_some();
        let flows = place.restart(None);
        flows.resume_interrupted().await.unwrap();
        assert_eq!(
            came(&flows, &run).await,
            first,
            "after {writes} writes\n{text}"
        );

        let mut all_again = true;
        if failed(&first).is_some() {
            place.held.come_to(&mended);
            let flows = place.restart(Some(writes));
            // Its process may end before the answer.
            let _ = flows.retry_failed(&run).await;
            all_again = came(&flows, &run).await == mended.read();
            let flows = place.restart(None);
            flows.resume_interrupted().await.unwrap();
            let mut again = came(&flows, &run).await;
            if again == first && again != mended.read() {
                // What was asked for was not written down: it never was asked for.
                flows.retry_failed(&run).await.unwrap();
                again = came(&flows, &run).await;
            }
            assert_eq!(
                again,
                mended.read(),
                "mended, after {writes} writes\n{text}"
            );
        }
        picking.abort();
        if all_written && all_again {
            return;
        }
    }
}

#[tokio::test]
async fn runs_come_to_the_same_wherever_their_process_ends() {
    let mut runner = TestRunner::deterministic();
    let mut tried = 0;
    while tried < 12 {
        let plan = plan()
            .new_tree(&mut runner)
            .unwrap()
            .current()
            .without_people();
        let is_long = plan.steps.len() >= 6 && failed(&plan.read()).is_some();
        if is_long && Flow::read(&plan.write(KIND)).is_ok() {
            survives(&plan).await;
            tried += 1;
        }
    }
}

#[tokio::test]
async fn what_a_failure_led_to_is_taken_back_when_it_is_mended() {
    let mut machine = Machine::new().does("t", Does::Ends(1, ""));
    let flows = machine.process(None);
    let steps = [
        "id: t, run: x",
        "id: r, needs: [t], run: x",
        "id: h, needs: [t], trigger: one_failed, run: x",
        "id: hh, needs: [h], value: 'sorry for {{ results.t.state }}'",
        "id: beside, run: x",
    ];
    let run = start(&flows, &steps).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    failed
    t Failed #1 (exit code 1)
    r Skipped UpstreamFailed from t
    h Succeeded #1
    hh Succeeded #1 "sorry for failed"
    beside Succeeded #1
    "#);
    machine.world.does.lock().unwrap().clear();
    flows.retry_failed(&run).await.unwrap();
    let view = settled(&flows, &run).await;
    let states: Vec<String> = view
        .step_list
        .iter()
        .map(|step| {
            let cause = step
                .skip
                .as_ref()
                .map(|skip| (skip.cause, skip.origin.as_str()));
            format!(
                "{} {:?} {cause:?} {}",
                step.id,
                step.state,
                step.attempts.len()
            )
        })
        .collect();
    insta::assert_snapshot!(states.join("\n"), @r#"
    t Succeeded None 2
    r Succeeded None 1
    h Skipped Some((RuleNotMet, "h")) 1
    hh Skipped Some((AllInputsDead, "h")) 1
    beside Succeeded None 1
    "#);

    // Saying that it failed after all is not possible, saying that it never was is: all of it is decided again.
    flows.mark_skipped(&run, "t").await.unwrap();
    let view = settled(&flows, &run).await;
    assert_eq!(view.step_list[1].state, StepState::Skipped);
    assert_eq!(
        view.step_list[1].skip.as_ref().unwrap().cause,
        SkipCause::AllInputsDead
    );
    assert_eq!(view.step_list[1].attempts.len(), 1, "what ran is kept");
}

#[tokio::test]
async fn the_result_of_a_mended_run_is_not_told_from_what_failed() {
    let text = std::fs::read_to_string(format!(
        "{}/../../examples/build-and-test.flow.yaml",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap()
    .replace("backoff: 100ms", "backoff: 1ms");
    let mut machine = Machine::new().does("test", Does::Ends(1, ""));
    let flows = machine.process(None);
    let run = begin(&flows, &text).await;
    let view = settled(&flows, &run).await;
    assert_eq!((view.info.state, view.output), (RunState::Failed, None));
    machine.world.does.lock().unwrap().clear();
    flows.retry_failed(&run).await.unwrap();
    let view = settled(&flows, &run).await;
    assert_eq!(view.info.state, RunState::Succeeded);
    insta::assert_snapshot!(view.output.unwrap().trim_end(), @r"
    build: succeeded
    test: succeeded
    lint: succeeded
    ");
    let attempts: Vec<_> = view
        .step_list
        .iter()
        .map(|step| step.attempts.len())
        .collect();
    assert_eq!(
        attempts,
        [1, 3, 1, 2],
        "only what followed from the failure ran again"
    );
}

#[tokio::test]
async fn what_is_outside_of_the_band_stays_outside_when_what_it_needs_is_marked() {
    let mut machine = Machine::new().does("t", Does::Ends(1, ""));
    let flows = machine.process(None);
    let band = "inputs: { band: { type: enum, values: [small, large], default: small } }\n";
    let steps = [
        "id: t, run: x",
        "id: big, needs: [t], run: x, bands: [large]",
    ];
    let run = start_with(&flows, band, &steps, serde_json::json!({})).await;
    settled(&flows, &run).await;
    flows.mark_succeeded(&run, "t", "").await.unwrap();
    let view = settled(&flows, &run).await;
    let skip = view.step_list[1].skip.as_ref();
    assert_eq!(skip.map(|skip| skip.cause), Some(SkipCause::Band));
}

#[tokio::test]
async fn why_tells_of_a_step_that_will_not_run_before_all_is_known_of_it() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let mut events = flows.events();
    let steps = [
        "id: ask, approval: { message: Go on }",
        "id: fine, value: x",
        "id: k, needs: [fine, ask], trigger: all_failed, value: x",
        "id: bad, run: x",
        "id: d, needs: [ask, bad], value: x",
        "id: j, needs: [k], value: x",
    ];
    machine
        .world
        .does
        .lock()
        .unwrap()
        .insert("bad", Does::Ends(1, ""));
    let run = start(&flows, &steps).await;
    wait_for(
        &mut events,
        |what| matches!(what, Happened::StepEnded { step, .. } if step == "bad"),
    )
    .await;
    let why = async |step: &str| flows.why(&run, step).await.unwrap();
    insta::assert_snapshot!(why("k").await, @"`k` will not run: its trigger `all_failed` can't be met any more. Whether a failure lies behind that is known once these have ended: `ask` (awaiting approval).");
    insta::assert_snapshot!(why("d").await, @"`d` will not run, for `bad` did not succeed. Which failure came first in the file is known once these have ended: `ask` (awaiting approval).");
    insta::assert_snapshot!(why("j").await, @"`j` waits. It runs once these have ended: `k` (pending).");
    flows.answer(&run, "ask", no()).await.unwrap();
    settled(&flows, &run).await;
    insta::assert_snapshot!(why("k").await, @"
    `k` did not run, because its trigger `all_failed` can't be met any more; that began with `ask`.
    ");
    insta::assert_snapshot!(why("d").await, @"`d` did not run, because `ask`, which it depends on, did not succeed.");
    insta::assert_snapshot!(why("j").await, @"`j` did not run, because `ask`, which it depends on, did not succeed.");
}
