//! What goes wrong around a run: clocks that jump, databases that can't be written.

use std::sync::atomic::{AtomicU64, Ordering};

use clock::Time;

use super::*;

/// A clock whose hands people turn; the one that only goes forward does so by itself.
#[derive(Clone)]
struct Turned(Arc<AtomicU64>);

impl Time for Turned {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
    fn awake_ms(&self) -> u64 {
        Clock::system().awake_ms()
    }
}

const HOUR: u64 = 60 * 60 * 1_000;

fn turned() -> Turned {
    Turned(Arc::new(AtomicU64::new(1_000 * HOUR)))
}

impl Machine {
    fn process_with(&mut self, clock: Clock) -> Flows {
        let number = self.next;
        self.next += 1;
        self.alive.lock().unwrap().insert(number);
        Flows::new(FlowsConfig {
            store: self.store.clone(),
            outputs: self.outputs.path().to_owned(),
            actions: Arc::new(Fake(Arc::clone(&self.world))),
            clock,
            owners: Arc::new(FakeOwners(
                number,
                Arc::clone(&self.alive),
                Arc::clone(&self.stopped),
            )),
            limits: RunLimits::default(),
            secrets: Vec::new(),
        })
    }
}

#[tokio::test]
async fn a_clock_that_jumps_neither_shortens_nor_stretches_what_waits() {
    for jump in [-100, -1, 1, 100] {
        let mut machine = Machine::new()
            .does("flaky", Does::FailsFirst(2, 1, ""))
            .does("slow", Does::Hangs)
            .does("long", Does::Hangs);
        let clock = turned();
        let flows = machine.process_with(Clock::new(clock.clone()));
        let mut events = flows.events();
        let run = start(
            &flows,
            &[
                "id: flaky, run: x, retries: 2, backoff: 20ms",
                "id: slow, run: x, timeout: 80ms",
                "id: long, run: x, timeout: 30m, total_timeout: 30m",
            ],
        )
        .await;
        wait_for(&mut events, |what| {
            matches!(what, Happened::StepRetries { .. })
        })
        .await;
        let now = clock.now_ms().saturating_add_signed(jump * HOUR as i64);
        clock.0.store(now, Ordering::SeqCst);
        for _ in 0..2 {
            wait_for(
                &mut events,
                |what| matches!(what, Happened::StepEnded { step, .. } if step != "long"),
            )
            .await;
        }
        flows.cancel(&run).await.unwrap();
        let told = told(&settled(&flows, &run).await);
        insta::allow_duplicates! {
            insta::assert_snapshot!(told, @r"
            failed
            flaky Succeeded #3
            slow TimedOut #1 (it took longer than its `timeout`)
            long Cancelled #1
            ");
        }
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_while_nobody_drove_the_run_does_not_hold_up_a_retry() {
    let mut machine = Machine::new().does("flaky", Does::FailsFirst(1, 1, ""));
    let clock = turned();
    let flows = machine.process_with(Clock::new(clock.clone()));
    let mut events = flows.events();
    let run = start(&flows, &["id: flaky, run: x, retries: 1, backoff: 5m"]).await;
    wait_for(&mut events, |what| {
        matches!(what, Happened::StepRetries { .. })
    })
    .await;
    flows.shutdown().await;
    drop(flows);
    machine.alive.lock().unwrap().clear();
    // By the clock on the wall the wait is long over.
    clock.0.fetch_add(HOUR, Ordering::SeqCst);
    let flows = machine.process_with(Clock::new(clock));
    flows.resume_interrupted().await.unwrap();
    assert_eq!(settled(&flows, &run).await.info.state, RunState::Succeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_stands_still_while_the_disk_is_full_and_then_goes_on() {
    let mut machine = Machine::new().does("work", Does::Ends(0, "done"));
    let flows = machine.process(None);
    let mut events = flows.events();
    let run = start(
        &flows,
        &[
            "id: ask, approval: { message: Well }",
            "id: work, needs: [ask], run: x",
            "id: end, needs: [work], value: '{{ results.work.output }}'",
        ],
    )
    .await;
    wait_for(&mut events, asked).await;
    let limit = |pages: u32| {
        machine.store.write(move |transaction| {
            transaction.execute_batch("CREATE TABLE IF NOT EXISTS filler (bytes BLOB)")?;
            Ok(transaction.pragma_update(None, "max_page_count", pages)?)
        })
    };
    // It does not grow any more, and what is free inside is used up.
    limit(1).await.unwrap();
    let fill = || {
        machine.store.write(|transaction| {
            Ok(transaction.execute("INSERT INTO filler VALUES (zeroblob(50))", [])?)
        })
    };
    while fill().await.is_ok() {}
    let answer = tokio::spawn({
        let (flows, run) = (flows.clone(), run.clone());
        let long = Given {
            comment: Some("needs room ".repeat(5_000)),
            ..yes()
        };
        async move { flows.answer(&run, "ask", long).await }
    });
    let message = tokio::time::timeout(DEADLINE, async {
        loop {
            let view = flows.show(&run).await.unwrap();
            if let Some(message) = view.info.message {
                return message;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert!(
        message.starts_with(
            "the run stands still, its journal can't be written: the disk that holds the database is full"
        ),
        "{message}"
    );
    assert_eq!(
        machine.log(),
        [""; 0],
        "nothing was done that was not written"
    );
    limit(1_000_000).await.unwrap();
    answer.await.unwrap().unwrap();
    let view = settled(&flows, &run).await;
    assert_eq!(view.info.state, RunState::Succeeded);
    assert_eq!(view.info.message, None);
    assert_eq!(machine.log(), ["start work #1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_output_that_can_not_be_kept_holds_the_run_up_and_is_not_lost() {
    static LONG: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "x".repeat(100_000));
    let mut machine = Machine::new().does("work", Does::Ends(0, &LONG));
    // A file lies where the directory would be.
    let outputs = machine.outputs.path().join("taken");
    std::fs::write(&outputs, "").unwrap();
    let directory = std::mem::replace(&mut machine.outputs, tempfile::tempdir().unwrap());
    let journal = Journal::new(machine.store.clone(), outputs.clone(), "boot".to_owned());
    machine.alive.lock().unwrap().insert(1);
    let flows = Flows::with_journal(
        journal,
        Arc::new(Fake(Arc::clone(&machine.world))),
        Clock::system(),
        Arc::new(FakeOwners(1, Arc::clone(&machine.alive), Arc::default())),
        RunLimits::default(),
        Vec::new(),
    );
    let run = start(&flows, &["id: work, run: x"]).await;
    tokio::time::timeout(DEADLINE, async {
        while flows.show(&run).await.unwrap().info.message.is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    std::fs::remove_file(&outputs).unwrap();
    let view = settled(&flows, &run).await;
    let attempt = &view.step_list[0].attempts[0];
    let kept = std::fs::read_to_string(attempt.output_file.as_ref().unwrap()).unwrap();
    assert_eq!(kept, *LONG);
    drop(directory);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_waits_for_another_process_that_has_locked_the_database() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("switchyard.db");
    let mut machine = Machine::new();
    machine.store = Store::open(&file, &[SCHEMA]).unwrap().store;
    let other = Store::open(&file, &[SCHEMA]).unwrap().store;
    let flows = machine.process(None);
    let mut events = flows.events();
    let run = start(
        &flows,
        &[
            "id: ask, approval: { message: Well }",
            "id: work, needs: [ask], run: x",
        ],
    )
    .await;
    wait_for(&mut events, asked).await;
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let holding = tokio::task::spawn_blocking(move || {
        other.write_blocking(move |_| {
            let _ = hold.send(());
            // Longer than a writer waits by itself.
            let _ = released.recv();
            Ok(())
        })
    });
    held.recv().unwrap();
    let answer = tokio::spawn({
        let (flows, run) = (flows.clone(), run.clone());
        async move { flows.answer(&run, "ask", yes()).await }
    });
    let message = tokio::time::timeout(DEADLINE, async {
        loop {
            if let Some(message) = flows.show(&run).await.unwrap().info.message {
                return message;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert!(message.contains("locked by another process"), "{message}");
    release.send(()).unwrap();
    holding.await.unwrap().unwrap();
    answer.await.unwrap().unwrap();
    assert_eq!(settled(&flows, &run).await.info.state, RunState::Succeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_want_the_same_run_do_not_both_get_it() {
    for _ in 0..20 {
        let mut machine = Machine::new().does("work", Does::Ends(0, "once"));
        let flows = machine.process(Some(1));
        let steps = [
            "id: ask, approval: { message: x }",
            "id: work, needs: [ask], run: x",
        ];
        let run = start(&flows, &steps).await;
        drive_until_asked(&flows, &run).await;
        flows.shutdown().await;
        drop(flows);
        machine.alive.lock().unwrap().clear();
        let (one, two) = (machine.process(None), machine.process(None));
        let (first, second) = tokio::join!(one.resume_interrupted(), two.resume_interrupted());
        let driven = (first.unwrap().len(), second.unwrap().len());
        assert!(matches!(driven, (1, 0) | (0, 1)), "{driven:?}");
        // Both can answer all the same.
        two.answer(&run, "ask", yes()).await.unwrap();
        settled(&one, &run).await;
        let view = settled(&two, &run).await;
        assert_eq!(view.info.state, RunState::Succeeded);
        assert_eq!(machine.log(), ["start work #1"]);
    }
}

#[tokio::test]
async fn another_process_hears_that_it_was_heard_though_the_driver_is_gone_with_the_run() {
    let mut machine = Machine::new();
    let (one, two) = (machine.process(None), machine.process(None));
    let run = start(&one, &["id: ask, approval: { message: x }"]).await;
    drive_until_asked(&one, &run).await;
    let mut events = one.events();
    let asked = run.clone();
    let answer = tokio::spawn(async move { two.answer(&asked, "ask", yes()).await });
    wait_for(&mut events, |what| {
        matches!(what, Happened::RunEnded { .. })
    })
    .await;
    drop(one);
    answer.await.unwrap().unwrap();
}

async fn drive_until_asked(flows: &Flows, run: &str) {
    tokio::time::timeout(DEADLINE, async {
        while flows.show(run).await.unwrap().info.asks.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

/// A world in which what begins takes a while to be found.
struct SlowToBegin(Arc<World>, Arc<tokio::sync::Notify>);

impl Actions for SlowToBegin {
    fn start(&self, job: Job) -> Answer<'_, Result<Activity, ActionError>> {
        Box::pin(async move {
            self.1.notified().await;
            Fake(Arc::clone(&self.0)).start(job).await
        })
    }
    fn find(&self, job: Job, handle: Option<String>) -> Answer<'_, Found> {
        Box::pin(async move { Fake(Arc::clone(&self.0)).find(job, handle).await })
    }
    fn end(&self, key: JobKey, handle: String) -> Answer<'_, ()> {
        Box::pin(async move { Fake(Arc::clone(&self.0)).end(key, handle).await })
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

#[tokio::test]
async fn a_run_that_is_let_go_of_knows_what_was_just_begun() {
    let mut machine = Machine::new().does("slow", Does::Hangs);
    let begins = Arc::new(tokio::sync::Notify::new());
    let world = SlowToBegin(Arc::clone(&machine.world), Arc::clone(&begins));
    let flows = machine.process_in(None, Arc::new(world));
    let mut events = flows.events();
    let run = start(&flows, &["id: slow, run: x"]).await;
    wait_for(&mut events, |what| {
        matches!(what, Happened::StepStarted { .. })
    })
    .await;
    let letting_go = tokio::spawn({
        let flows = flows.clone();
        async move { flows.shutdown().await }
    });
    tokio::task::yield_now().await;
    begins.notify_one();
    letting_go.await.unwrap();
    // What nothing is known of would be asked about.
    let flows = machine.restart(None);
    flows.resume_interrupted().await.unwrap();
    let view = flows.show(&run).await.unwrap();
    assert_eq!(view.step_list[0].state, StepState::Running);
    flows.cancel(&run).await.unwrap();
    assert_eq!(settled(&flows, &run).await.step_list[0].attempts.len(), 1);
    assert_eq!(machine.log(), ["start slow #1", "end slow #1"]);
}
