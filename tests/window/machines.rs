//! Another machine in the window: its panes beside ours, and what becomes of them when the link is cut, or says nothing.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use support::{Home, Sshd, Window, wait_for};

use crate::{at_a_prompt, enter_line, scenario, shown};

/// From here on, panes are of other machines.
const ELSEWHERE: u64 = 1 << 32;
/// How often the link is cut while a program counts.
const CUTS: usize = 50;

/// The pane of another machine that is on show.
async fn far_pane(window: &Window, but: &[u64]) -> Result<u64> {
    wait_for("a pane of another machine", async || {
        let shown = shown(window).await.map_err(|error| error.to_string())?;
        let far = shown
            .iter()
            .find(|pane| **pane > ELSEWHERE && !but.contains(pane));
        far.copied().ok_or_else(|| format!("{shown:?}"))
    })
    .await
}

/// Connects to the machine by a click, and opens a terminal there by another one.
async fn on_build(window: &Window) -> Result<u64> {
    window.click("[data-testid=\"machine-build\"]").await?;
    window.find(".tree-machine[data-link=\"up\"]").await?;
    window.click("[data-testid=\"machine-build\"]").await?;
    let far = far_pane(window, &[]).await?;
    window
        .see(far, "a prompt", |screen| screen.contains("ready>"))
        .await?;
    Ok(far)
}

/// Brings a pane forward by its row, and types a line there.
async fn enter_line_in(window: &Window, pane: u64, line: &str) -> Result<()> {
    window
        .click(&format!("[data-testid=\"sidebar-pane-{pane}\"]"))
        .await?;
    enter_line(window, pane, line).await
}

/// What the pane on the machine has printed, as the machine has it.
fn lines(home: &Home) -> Result<Vec<String>> {
    let read = home.ok(&["read", "build:1", "--lines", "1000000"])?;
    Ok(read.lines().map(str::to_owned).collect())
}

#[tokio::test]
async fn a_link_that_is_cut_fifty_times_loses_no_line_and_repeats_none() -> Result<()> {
    let build = Sshd::start()?;
    let home = build.near()?;
    let (window, here) = at_a_prompt(&home).await?;
    scenario("machine-cuts", window, async |window| {
        let far = on_build(window).await?;
        let stop = build.far().user().join("stop");
        let count = format!(
            "n=0; until [ -e '{}' ]; do n=$((n+1)); echo line $n; sleep 0.005; done; echo counted to $n",
            stop.display()
        );
        enter_line(window, far, &count).await?;
        window
            .see(far, "it counts", |screen| screen.contains("\nline "))
            .await?;
        window.picture("machine").await?;
        for _ in 0..CUTS {
            build.relay().cut();
            wait_for("another link", async || match build.relay().passing() {
                0 => Err("nothing passes".to_owned()),
                _ => Ok(()),
            })
            .await?;
            window.find(".tree-machine[data-link=\"up\"]").await?;
        }
        std::fs::write(&stop, "")?;
        window
            .see(far, "the end", |screen| screen.contains("\ncounted to "))
            .await?;
        let lines = lines(&home)?;
        let counted = lines
            .iter()
            .find_map(|line| line.strip_prefix("counted to "))
            .context("it counted")?;
        let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
        for line in &lines {
            if let Some(number) = line.strip_prefix("line ") {
                *seen.entry(number.parse()?).or_default() += 1;
            }
        }
        let counted: u64 = counted.parse()?;
        assert!(counted > 1000, "{counted}");
        let wanted: BTreeMap<u64, usize> = (1..=counted).map(|number| (number, 1)).collect();
        assert!(seen == wanted, "{seen:?}");
        // Nothing of it was a matter of this machine's pane.
        enter_line_in(window, here, "echo still $((40 + 2))").await?;
        window
            .see(here, "the answer", |screen| screen.contains("\nstill 42"))
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_link_that_says_nothing_is_seen_in_seconds_and_holds_up_nothing_here() -> Result<()> {
    let build = Sshd::start()?;
    let home = build.near()?;
    let (window, here) = at_a_prompt(&home).await?;
    scenario("machine-silent", window, async |window| {
        let far = on_build(window).await?;
        enter_line(window, far, "echo before").await?;
        window
            .see(far, "what came before", |screen| {
                screen.contains("\nbefore")
            })
            .await?;
        build.relay().stop();
        // Neither end can tell; what is typed here is answered all the same.
        enter_line_in(window, here, "echo still $((40 + 2))").await?;
        window
            .see(here, "the answer", |screen| screen.contains("\nstill 42"))
            .await?;
        window.find(".tree-machine[data-link=\"lost\"]").await?;
        window
            .click(&format!("[data-testid=\"sidebar-pane-{far}\"]"))
            .await?;
        window
            .find(&format!(
                "[data-testid=\"pane-{far}\"] [data-testid=\"far-pane\"]"
            ))
            .await?;
        // What it had shown stands there, dimmed.
        window
            .see(far, "what was seen last", |screen| {
                screen.contains("\nbefore")
            })
            .await?;
        window.picture("machine-lost").await?;
        build.relay().cut();
        build.relay().go_on();
        window.find(".tree-machine[data-link=\"up\"]").await?;
        enter_line(window, far, "echo after").await?;
        window
            .see(far, "what came after", |screen| {
                screen.contains("\nbefore") && screen.contains("\nafter")
            })
            .await?;
        Ok(())
    })
    .await
}
