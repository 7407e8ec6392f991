//! What a step costs the engine itself: chains and fans of a thousand steps, every transition on disk.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and ends at the first surprise"
)]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clock::{Clock, Time};
use flow::{
    ActionError, Actions, Activity, Answer, Ended, Finished, Flows, FlowsConfig, Found, Job,
    JobKey, RunLimits, StartRun, SystemOwners,
};
use store::Store;

const STEPS: usize = 1_000;

/// The moments at which steps began.
#[derive(Clone, Default)]
struct Marks(Arc<Mutex<Vec<Instant>>>);

impl Marks {
    fn mark(&self) {
        self.0.lock().unwrap().push(Instant::now());
    }

    /// The times from one mark to the next, shortest first.
    fn times(&self) -> Vec<Duration> {
        let marks = std::mem::take(&mut *self.0.lock().unwrap());
        let mut times: Vec<_> = marks.windows(2).map(|two| two[1] - two[0]).collect();
        times.sort_unstable();
        times
    }
}

/// The machine's clock; it is read for each transition that is written.
struct Watch(Marks);

impl Time for Watch {
    fn now_ms(&self) -> u64 {
        self.0.mark();
        Clock::system().now_ms()
    }
    fn awake_ms(&self) -> u64 {
        Clock::system().awake_ms()
    }
}

/// A world in which whatever is started has ended: what remains is the engine.
struct Nothing(Marks);

impl Actions for Nothing {
    fn start(&self, job: Job) -> Answer<'_, Result<Activity, ActionError>> {
        self.0.mark();
        Box::pin(async move {
            let ended = async {
                Ended::Finished(Finished {
                    exit_code: Some(0),
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

fn chain(kind: &str) -> String {
    let mut text = "name: chain\nsteps:\n".to_owned();
    for step in 0..STEPS {
        let needs = match step.checked_sub(1) {
            Some(before) => format!(", needs: [s{before}]"),
            None => String::new(),
        };
        let _ = writeln!(text, "  - {{ id: s{step}, {kind}{needs} }}");
    }
    text
}

fn fan(kind: &str) -> String {
    let mut text = "name: fan\nsteps:\n  - { id: first, value: x }\n".to_owned();
    for step in 0..STEPS {
        let _ = writeln!(text, "  - {{ id: s{step}, {kind}, needs: [first] }}");
    }
    text
}

/// One step that takes a second beside a chain: how soon each of the chain starts after its own need.
fn diamond() -> String {
    let mut text = "name: diamond\nsteps:\n  - { id: top, value: x }\n".to_owned();
    let _ = writeln!(
        text,
        "  - {{ id: long, approval: {{ message: x, timeout: 1s, on_timeout: approve }}, needs: [top] }}"
    );
    for step in 0..200 {
        let before = if step == 0 {
            "top".to_owned()
        } else {
            format!("s{}", step - 1)
        };
        let _ = writeln!(text, "  - {{ id: s{step}, run: x, needs: [{before}] }}");
    }
    text
}

async fn run(flows: &Flows, text: String) -> Duration {
    let begun = Instant::now();
    let start = StartRun {
        text,
        cwd: "/".to_owned(),
        ..StartRun::default()
    };
    let run = flows.start(start).await.unwrap();
    flows.settled(&run).await;
    begun.elapsed()
}

fn percentile(times: &[Duration], percent: usize) -> f64 {
    let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(&home.path().join("switchyard.db"), &[flow::SCHEMA])
            .unwrap()
            .store;
        let (writes, starts) = (Marks::default(), Marks::default());
        let flows = Flows::new(FlowsConfig {
            store,
            outputs: home.path().join("outputs"),
            actions: Arc::new(Nothing(starts.clone())),
            clock: Clock::new(Watch(writes.clone())),
            owners: Arc::new(SystemOwners),
            limits: RunLimits::default(),
            secrets: Vec::new(),
        });
        println!("{STEPS} steps, every transition on disk       whole ms    a step: mean     p50     p95 ms");
        for (name, text, marks) in [
            ("chain of `value` steps", chain("value: x"), &writes),
            ("fan of `value` steps", fan("value: x"), &writes),
            ("chain of `run` steps, no programs", chain("run: x"), &starts),
            ("fan of `run` steps, no programs", fan("run: x"), &starts),
        ] {
            // Once to warm up.
            run(&flows, text.clone()).await;
            writes.times();
            starts.times();
            let whole = run(&flows, text).await.as_secs_f64() * 1e3;
            let times = marks.times();
            println!(
                "{name:<42} {whole:>8.0} {:>15.3} {:>7.3} {:>7.3}",
                whole / STEPS as f64,
                percentile(&times, 50),
                percentile(&times, 95)
            );
        }
        starts.times();
        run(&flows, diamond()).await;
        let times = starts.times();
        println!(
            "a successor starts after its need, beside a long step: p50 {:.3}, p95 {:.3}, worst {:.3} ms",
            percentile(&times, 50),
            percentile(&times, 95),
            percentile(&times, 100)
        );
    });
}
