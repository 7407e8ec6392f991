//! Measures the real window: start to prompt, twenty panes back after it was killed, key to echo idle and under flood,
//! memory by the number of panes.
//!
//! Prints a table and asserts nothing. `benches/window.sh` builds the optimised program and runs this under a
//! display; figures from a machine without a GPU are upper bounds.

#![allow(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use support::{Home, Window};

/// How many keys make a percentile.
const KEYS: usize = 200;

/// Sends keys one by one, each after the former was on screen, and returns the milliseconds of each: from the input
/// event until the frame that has its character in the pane's rows is drawn. Frames are not polled for: polling
/// rounds up to three of them.
const ECHO: &str = include_str!("echo.js");

#[tokio::main]
async fn main() -> Result<()> {
    println!("{:<44} {:>9} {:>9} {:>9}", "", "p50", "p95", "p99");
    start_to_prompt().await?;
    twenty_panes_again(4).await?;
    twenty_panes_again(20).await?;
    echo_and_memory().await
}

async fn start_to_prompt() -> Result<()> {
    let home = Home::new()?;
    let mut cold = Vec::new();
    let mut warm = Vec::new();
    for round in 0..6 {
        let begin = Instant::now();
        let window = Window::open(&home).await?;
        let pane = window.first_pane().await?;
        window
            .see(pane, "a prompt", |screen| screen.contains("ready>"))
            .await?;
        // The first start makes the directories, the database and the host.
        if round == 0 { &mut cold } else { &mut warm }.push(millis(begin.elapsed()));
        window.close().await?;
    }
    row("start to prompt, first, with WebDriver (ms)", &mut cold);
    row("start to prompt, warm, with WebDriver (ms)", &mut warm);
    Ok(())
}

/// From the start of a window, after the one before was killed, until those of twenty panes that are on show (in that
/// many splits, the others in tabs behind one of them) show what they printed; and until the one with the focus does.
async fn twenty_panes_again(on_show: u64) -> Result<()> {
    let home = Home::new()?;
    let window = Window::open(&home).await?;
    window.first_pane().await?;
    window
        .click("[data-testid=\"tab-welcome\"] .tab-close")
        .await?;
    for number in 2..=20_u64 {
        // Every pane that is there is halved, then every one of those: the smallest are 130 by 190 pixels.
        let half = 1 << (number - 1).ilog2();
        let chord = match half {
            _ if number > on_show => 't',
            1 | 2 | 16 => 'd',
            _ => 'e',
        };
        if number <= on_show {
            let halved = number - half;
            window
                .click(&format!("[data-testid=\"sidebar-pane-{halved}\"]"))
                .await?;
        }
        window.chord(&['\u{e009}', '\u{e008}'], chord).await?;
        support::wait_for("the next pane", || async {
            match window.count("[data-testid^='pane-']").await {
                Ok(count) if count as u64 == number.min(on_show) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await?;
        window
            .find(&format!("[data-testid=\"sidebar-pane-{number}\"]"))
            .await?;
    }
    window.session_holds("\"terminal-20\"").await?;
    let (mut first, mut all) = (Vec::new(), Vec::new());
    let mut window = window;
    for _ in 0..5 {
        for pid in home.windows() {
            Home::kill(pid);
        }
        drop(window);
        let begin = Instant::now();
        window = Window::open(&home).await?;
        let shows = async |what: &str, wanted: &str| {
            support::wait_for(what, || async {
                match window.script(&format!("{PROMPTS} return {wanted};")).await {
                    Ok(shown) if shown == true => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            })
            .await
        };
        shows(
            "a prompt where the keys go",
            "shows(document.activeElement)",
        )
        .await?;
        first.push(millis(begin.elapsed()));
        shows(
            "all prompts",
            &format!("roots.filter(shows).length === {on_show}"),
        )
        .await?;
        all.push(millis(begin.elapsed()));
    }
    let label = format!("20 panes again, {on_show} on show");
    row(&format!("{label}: with the focus (ms)"), &mut first);
    row(&format!("{label}: all of them (ms)"), &mut all);
    window.close().await
}

/// What asks which terminals show a prompt.
const PROMPTS: &str = r#"
const roots = Array.from(document.querySelectorAll(".terminal-root"));
const shows = (root) => root?.shadowRoot?.querySelector(".xterm-rows")?.textContent.includes("ready>") ?? false;
"#;

async fn echo_and_memory() -> Result<()> {
    let home = Home::new()?;
    let window = Window::open(&home).await?;
    let pane = window.first_pane().await?;
    window
        .see(pane, "a prompt", |screen| screen.contains("ready>"))
        .await?;
    home.ok(&["send", &pane.to_string(), "cat", "--enter"])?;
    row(
        "key to echo on screen, idle (ms)",
        &mut echo(&window, pane).await?,
    );

    let mut floods = Vec::new();
    for count in [1_usize, 8] {
        while floods.len() < count {
            let opened = home.ok(&["open", "--json", "--", "yes", "the yard is quiet"])?;
            let opened: serde_json::Value = serde_json::from_str(&opened)?;
            floods.push(opened["id"].as_u64().context("a pane")?);
        }
        let label = format!("key to echo, {count} other panes flood (ms)");
        row(&label, &mut echo(&window, pane).await?);
    }
    for flood in floods {
        home.ok(&["kill", &flood.to_string()])?;
    }

    println!(
        "\n{:<44} {:>9} {:>9}",
        "memory (MB, shared pages in parts)", "host", "window"
    );
    println!(
        "{:<44} {:>9} {:>9}",
        "1 pane",
        host_memory(&home),
        window_memory(&home)
    );
    for _ in 0..49 {
        home.ok(&[
            "open",
            "--",
            "/bin/bash",
            "-c",
            "seq 1 20000; exec sleep 600",
        ])?;
    }
    println!(
        "{:<44} {:>9} {:>9}",
        "50 panes, 5,000 lines of scrollback each",
        host_memory(&home),
        window_memory(&home)
    );
    window.close().await
}

async fn echo(window: &Window, pane: u64) -> Result<Vec<f64>> {
    let times = window
        .client
        .execute_async(ECHO, vec![pane.into(), KEYS.into()])
        .await?;
    Ok(times
        .as_array()
        .context("a list of times")?
        .iter()
        .filter_map(serde_json::Value::as_f64)
        .collect())
}

fn row(label: &str, times: &mut [f64]) {
    if std::env::var_os("RAW").is_some() {
        println!("{times:.0?}");
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| match times.len() {
        0 => f64::NAN,
        count => times[(count * percent / 100).min(count - 1)],
    };
    println!(
        "{label:<44} {:>9.1} {:>9.1} {:>9.1}",
        at(50),
        at(95),
        at(99)
    );
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn host_memory(home: &Home) -> u64 {
    home.hosts().into_iter().map(resident).sum()
}

/// The shell's process and WebKit's, which are its children.
fn window_memory(home: &Home) -> u64 {
    let windows = home.windows();
    let children = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| parent(*pid).is_some_and(|parent| windows.contains(&parent)));
    windows.iter().copied().chain(children).map(resident).sum()
}

fn status(pid: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn parent(pid: u32) -> Option<u32> {
    u32::try_from(status(pid, "PPid:")?).ok()
}

/// A process's part of memory: a page that several share counts once, in parts.
fn resident(pid: u32) -> u64 {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let part = maps.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kilobytes = part.and_then(|part| part.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}
