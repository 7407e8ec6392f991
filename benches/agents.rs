//! Measures agents: a list of 200 over the socket; and what hosts that hang or are down cost the window.
//!
//! Prints a table and asserts nothing. `benches/agents.sh` builds the optimised programs and runs this under a display.

#![allow(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use agents::{AgentBackend, ListAgents, Paseo, PaseoConfig};
use anyhow::{Context, Result};
use serde_json::json;
use support::{Home, PaseoDaemon, Window};

/// How many keys, lists and commands make a percentile.
const TIMES: usize = 200;

/// Sends keys to a pane one by one, and returns the milliseconds until each was on screen.
const ECHO: &str = include_str!("echo.js");

/// Asks one command of the window after the other, and returns the milliseconds of each.
const COMMANDS: &str = r#"
const [count, done] = arguments;
const times = [];
const next = async () => {
  while (times.length < count) {
    const start = performance.now();
    await window.__TAURI_INTERNALS__.invoke("known_agents");
    times.push(performance.now() - start);
  }
  done(times);
};
next();
"#;

#[tokio::main]
async fn main() -> Result<()> {
    println!("{:<52} {:>9} {:>9} {:>9}", "", "p50", "p95", "max");
    let mut daemon = PaseoDaemon::start()?;
    for n in 0..200 {
        daemon.add(&format!("Task {n}"), &format!("/srv/demo/{}", n % 23))?;
    }
    lists(&daemon).await?;
    let home = Home::new()?;
    daemon.in_settings(&home)?;
    in_the_window(&home, "one host that answers").await?;
    let home = Home::new()?;
    let _silent = troubled(&home, &daemon)?;
    in_the_window(&home, "and four that hang or are down").await
}

/// A list of 200 agents, over a connection that stands and over a new one.
async fn lists(daemon: &PaseoDaemon) -> Result<()> {
    let client = || -> Result<Paseo> {
        let address = daemon.address.parse().map_err(anyhow::Error::from)?;
        Ok(Paseo::new(PaseoConfig::new(address)))
    };
    let open = client()?;
    let (mut warm, mut cold) = (Vec::new(), Vec::new());
    open.list(ListAgents::default()).await?;
    for _ in 0..TIMES {
        let begin = Instant::now();
        let listed = open.list(ListAgents::default()).await?;
        warm.push(millis(begin.elapsed()));
        anyhow::ensure!(listed.len() == 200, "{} agents", listed.len());
        let fresh = client()?;
        let begin = Instant::now();
        fresh.list(ListAgents::default()).await?;
        cold.push(millis(begin.elapsed()));
        fresh.dispose().await?;
    }
    row("list of 200 agents over the socket (ms)", &mut warm);
    row("the same with connecting and greeting (ms)", &mut cold);
    Ok(())
}

/// Beside the daemon that answers: one that takes connections and says nothing, one where nobody listens, and two
/// whose program never ends.
fn troubled(home: &Home, daemon: &PaseoDaemon) -> Result<PaseoDaemon> {
    let mut silent = PaseoDaemon::start()?;
    silent.tell("silent")?;
    let hanging = home.path().join("paseo-that-hangs");
    std::fs::write(&hanging, "#!/bin/sh\nexec sleep 600\n")?;
    std::fs::set_permissions(&hanging, std::fs::Permissions::from_mode(0o755))?;
    let program =
        |address: &str| json!({ "address": address, "transport": "program", "program": hanging });
    let file = json!({ "paseo": [
        { "address": daemon.address },
        { "address": silent.address },
        { "address": "127.0.0.1:9" },
        program("127.0.0.1:7"),
        program("127.0.0.1:8"),
    ]});
    std::fs::write(
        home.path().join("config/agents.json"),
        serde_json::to_string_pretty(&file)?,
    )?;
    Ok(silent)
}

async fn in_the_window(home: &Home, label: &str) -> Result<()> {
    let begin = Instant::now();
    let window = Window::open(home).await?;
    let pane = window.first_pane().await?;
    window
        .see(pane, "a prompt", |screen| screen.contains("ready>"))
        .await?;
    let mut start = [millis(begin.elapsed())];
    row(&format!("start to prompt, {label} (ms)"), &mut start);
    window.click("[data-testid=\"open-hub\"]").await?;
    window.find("[data-testid=\"agents-hub\"] li").await?;
    window
        .click(&format!("[data-testid=\"sidebar-pane-{pane}\"]"))
        .await?;
    home.ok(&["send", &pane.to_string(), "cat", "--enter"])?;
    let times = window
        .client
        .execute_async(ECHO, vec![pane.into(), TIMES.into()])
        .await?;
    row(&format!("key to echo, {label} (ms)"), &mut numbers(&times)?);
    let times = window
        .client
        .execute_async(COMMANDS, vec![TIMES.into()])
        .await?;
    row(
        &format!("a command with 200 agents, {label} (ms)"),
        &mut numbers(&times)?,
    );
    window.close().await
}

fn numbers(times: &serde_json::Value) -> Result<Vec<f64>> {
    let times = times.as_array().context("a list of times")?;
    Ok(times.iter().filter_map(serde_json::Value::as_f64).collect())
}

fn row(label: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| match times.len() {
        0 => f64::NAN,
        count => times[(count * percent / 100).min(count - 1)],
    };
    println!(
        "{label:<52} {:>9.1} {:>9.1} {:>9.1}",
        at(50),
        at(95),
        at(100)
    );
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
