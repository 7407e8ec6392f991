//! Measures the live graph of a run with 500 steps in the real window: frames while it is panned and while states
//! change, and how long a change takes from the journal to the screen.
//!
//! Prints a table and asserts nothing. `benches/flow.sh` builds the optimised program and runs this under a
//! display; figures from a machine without a GPU are upper bounds.

#![allow(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde_json::Value;
use support::{Home, Window};

const STEPS: usize = 500;
const WIDE: usize = 20;
/// How many steps are answered, one after the other.
const ANSWERS: usize = 100;

/// Moves the canvas for two seconds, a little in each frame, and returns the milliseconds between frames.
/// With a run's name it answers a step every 50 ms meanwhile.
const PAN: &str = r#"
const [run, done] = arguments;
const pane = document.querySelector("section.run .react-flow__pane");
const frames = [];
let last = null;
let way = 1;
const begin = performance.now();
const answer = () => {
  if (!run || performance.now() - begin > 2000) return;
  const asks = document.querySelector('section.run [data-step][data-state="awaiting_approval"]');
  if (asks) window.__TAURI_INTERNALS__.invoke("answer_approval", { run, step: asks.dataset.step,
    given: { approved: true, form: {}, comment: null, by_timeout: false } }).catch(() => {});
  setTimeout(answer, 50);
};
answer();
const frame = (now) => {
  if (last !== null) frames.push(now - last);
  last = now;
  if (now - begin > 2000) { done(frames); return; }
  if (Math.floor((now - begin) / 500) % 2 === 0) way = 1; else way = -1;
  pane.dispatchEvent(new WheelEvent("wheel", { deltaY: 9 * way, deltaX: 7 * way, bubbles: true, cancelable: true, view: window }));
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"#;

/// Answers steps one by one and notes when each is on screen: from the journal's own time until the frame after.
const CHANGES: &str = r#"
const [run, count, done] = arguments;
const invoke = window.__TAURI_INTERNALS__.invoke;
const seen = {};
const finish = async () => {
  const { step_list } = await invoke("run_outline", { run });
  const at = Object.fromEntries(step_list.map((step) => [step.id, step.attempts.at(-1)?.ended_at]));
  done(Object.entries(seen).map(([step, time]) => time - at[step]));
};
const next = (left) => {
  const element = document.querySelector('section.run [data-step][data-state="awaiting_approval"]');
  if (left === 0 || !element) { finish(); return; }
  const step = element.dataset.step;
  const look = new MutationObserver(() => {
    if (element.dataset.state !== "succeeded") return;
    look.disconnect();
    requestAnimationFrame(() => { const channel = new MessageChannel();
      channel.port1.onmessage = () => { seen[step] = Date.now(); setTimeout(() => next(left - 1), 12); };
      channel.port2.postMessage(null); });
  });
  look.observe(element, { attributes: true, attributeFilter: ["data-state"] });
  invoke("answer_approval", { run, step, given: { approved: true, form: {}, comment: null, by_timeout: false } })
    .catch(() => { look.disconnect(); setTimeout(() => next(left - 1), 12); });
};
next(count);
"#;

/// Answers when the canvas has stayed where it is for ten frames.
const REST: &str = r#"
const [done] = arguments;
const canvas = document.querySelector("section.run .react-flow__viewport");
let last = null, still = 0;
const look = () => {
  const now = canvas.style.transform;
  still = now === last ? still + 1 : 0;
  last = now;
  if (still === 10) done(null);
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"#;

#[tokio::main]
async fn main() -> Result<()> {
    let home = Home::new()?;
    let directory = home.path().join("user/switchyard-samples");
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join("many.flow.yaml"), flow())?;
    let window = Window::open(&home).await?;
    window.first_pane().await?;
    window.click("[data-testid=\"flow-many\"]").await?;
    window
        .click("[data-testid=\"start-flow\"]:not(:disabled)")
        .await?;
    let begin = std::time::Instant::now();
    window
        .click("[data-testid=\"start-run\"]:not(:disabled)")
        .await?;
    window
        .find("section.run .step-card[data-state=\"awaiting_approval\"]")
        .await?;
    println!(
        "{:<58} {:>8.0}",
        "500 steps: start to the graph on screen (ms)",
        begin.elapsed().as_secs_f64() * 1000.0
    );
    let run = window
        .find("section.run")
        .await?
        .attr("data-testid")
        .await?
        .context("the run has a name")?
        .trim_start_matches("run-")
        .to_owned();
    println!(
        "{:<58} {:>8} {:>8} {:>8} {:>8}",
        "frames (ms)", "p50", "p95", "p99", "per s"
    );
    frames(&window, "panning, readable size", None).await?;
    frames(&window, "panning while states change", Some(&run)).await?;
    window
        .click("section.run [aria-label=\"Fit the whole graph\"]")
        .await?;
    settle(&window).await?;
    frames(&window, "panning, all 500 in view", None).await?;
    frames(
        &window,
        "panning, all in view, while states change",
        Some(&run),
    )
    .await?;
    let mut all = changes(&window, &run, ANSWERS).await?;

    println!(
        "\n{:<58} {:>8} {:>8} {:>8}",
        "journal to screen (ms)", "p50", "p95", "p99"
    );
    row("a change, all 500 in view", &mut all);
    window.close().await
}

/// 500 approvals: they change when they are answered, and cost nothing meanwhile.
fn flow() -> String {
    let mut text = "name: many\nsteps:\n".to_owned();
    for step in 0..STEPS {
        let mut needs = Vec::new();
        if step >= WIDE {
            needs.push(format!("s{}", step - WIDE));
            if step % 4 == 0 && step % WIDE + 1 < WIDE {
                needs.push(format!("s{}", step - WIDE + 1));
            }
        }
        let _ = writeln!(
            text,
            "  - {{ id: s{step}, needs: [{}], approval: {{ message: go on }} }}",
            needs.join(", ")
        );
    }
    text
}

async fn frames(window: &Window, what: &str, answering: Option<&str>) -> Result<()> {
    let run = answering.map_or(Value::Null, Value::from);
    let answer = window.client.execute_async(PAN, vec![run]).await?;
    let mut times = numbers(&answer)?;
    times.sort_by(f64::total_cmp);
    let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
    println!(
        "{what:<58} {:>8.1} {:>8.1} {:>8.1} {:>8.0}",
        at(&times, 50),
        at(&times, 95),
        at(&times, 99),
        1000.0 / mean
    );
    Ok(())
}

async fn changes(window: &Window, run: &str, count: usize) -> Result<Vec<f64>> {
    let answer = window
        .client
        .execute_async(CHANGES, vec![run.into(), count.into()])
        .await?;
    numbers(&answer)
}

/// Waits until the canvas has come to rest after a movement of its own.
async fn settle(window: &Window) -> Result<()> {
    window.client.execute_async(REST, Vec::new()).await?;
    Ok(())
}

fn numbers(value: &Value) -> Result<Vec<f64>> {
    Ok(value
        .as_array()
        .context("a list of times")?
        .iter()
        .filter_map(Value::as_f64)
        .collect())
}

fn row(label: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    println!(
        "{label:<58} {:>8.1} {:>8.1} {:>8.1}",
        at(times, 50),
        at(times, 95),
        at(times, 99)
    );
}

fn at(times: &[f64], percent: usize) -> f64 {
    match times.len() {
        0 => f64::NAN,
        count => times[(count * percent / 100).min(count - 1)],
    }
}
