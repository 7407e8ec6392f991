//! What a step costs the engine itself: chains and fans of a thousand steps, every transition on disk.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and ends at the first surprise"
)]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flow::{
    ActionError, Actions, Activity, Answer, Finished, FlowEvent, Flows, FlowsConfig, Found,
    Happened, Job, JobKey, RunLimits, StartRun, SystemClock, SystemOwners,
};
use store::Store;
use tokio::sync::broadcast::error::RecvError;

const STEPS: usize = 1_000;

/// A world in which whatever is started has ended: what remains is the engine.
struct Nothing;

impl Actions for Nothing {
    fn start(&self, job: Job) -> Answer<'_, Result<Activity, ActionError>> {
        Box::pin(async move {
            Ok(Activity {
                handle: job.key.to_string(),
                pane: None,
                worktree: None,
                agent: None,
                asks: None,
                output: None,
                ended: Box::pin(async {
                    Finished {
                        exit_code: Some(0),
                        ..Finished::default()
                    }
                }),
            })
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

struct Times {
    whole: Duration,
    /// From one end of a step to the next.
    steps: Vec<Duration>,
    /// From the end of a step to the start of the one that needs it.
    starts: Vec<Duration>,
}

async fn run(flows: &Flows, text: String) -> Times {
    let mut events = flows.events();
    let begun = Instant::now();
    let start = StartRun {
        text,
        cwd: "/".to_owned(),
        ..StartRun::default()
    };
    let run = flows.start(start).await.unwrap();
    let (mut steps, mut starts, mut last) = (Vec::new(), Vec::new(), Instant::now());
    loop {
        match events.recv().await {
            Ok(FlowEvent { what, .. }) => match what {
                Happened::StepEnded { .. } => {
                    steps.push(last.elapsed());
                    last = Instant::now();
                }
                Happened::StepStarted { .. } => starts.push(last.elapsed()),
                Happened::RunEnded { .. } => break,
                _ => {}
            },
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => break,
        }
    }
    let whole = begun.elapsed();
    flows.settled(&run).await;
    Times {
        whole,
        steps,
        starts,
    }
}

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
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
        let flows = Flows::new(FlowsConfig {
            store,
            outputs: home.path().join("outputs"),
            actions: Arc::new(Nothing),
            clock: Arc::new(SystemClock),
            owners: Arc::new(SystemOwners),
            limits: RunLimits::default(),
            secrets: Vec::new(),
        });
        println!("flow, {STEPS} steps, every transition on disk    whole ms   a step: mean ms     p50     p95");
        for (name, text) in [
            ("chain of `value` steps", chain("value: x")),
            ("fan of `value` steps", fan("value: x")),
            ("chain of `run` steps, without programs", chain("run: x")),
            ("fan of `run` steps, without programs", fan("run: x")),
        ] {
            // Once to warm up.
            run(&flows, text.clone()).await;
            let mut times = run(&flows, text).await;
            let whole = times.whole.as_secs_f64() * 1e3;
            println!(
                "{name:<46} {whole:>10.0} {:>18.3} {:>7.3} {:>7.3}",
                whole / STEPS as f64,
                percentile(&mut times.steps, 50),
                percentile(&mut times.steps, 95)
            );
        }
        let mut times = run(&flows, diamond()).await;
        println!(
            "a successor starts after its need, beside a long step: p50 {:.3} ms, p95 {:.3} ms, worst {:.3} ms",
            percentile(&mut times.starts, 50),
            percentile(&mut times.starts, 95),
            percentile(&mut times.starts, 100)
        );
    });
}
