//! Agents: listed from every host, talked to, asked by them, stopped; and hosts that go away and come back.

use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::Value;
use support::{Home, PaseoDaemon, Window, wait_for};

use crate::{at_a_prompt, ctrl, enter, enter_line, killed_and_opened_again, says, scenario, shift};

pub(crate) const HUB: &str = "[data-testid=\"agents-hub\"]";
const DOWN: &str = "[data-testid=\"agent-down\"]";
pub(crate) const NEEDS: &str = "[data-testid=\"needs-you\"]";
pub(crate) const TIMELINE: &str = "[data-testid=\"agent-timeline\"]";
const QUEUED: &str = "[data-testid=\"queued\"]";

/// A window whose only host is a daemon of its own, with the hub open.
async fn at_the_hub(home: &Home) -> Result<Window> {
    let (window, _) = at_a_prompt(home).await?;
    window.click("[data-testid=\"open-hub\"]").await?;
    window.find(HUB).await?;
    Ok(window)
}

/// Opens an agent from the hub.
pub(crate) async fn open_agent(window: &Window, id: &str) -> Result<()> {
    window
        .click(&format!("{HUB} [data-testid=\"agent-{id}\"]"))
        .await?;
    window.find(TIMELINE).await.map(drop)
}

/// Writes to the agent in front.
pub(crate) async fn say(window: &Window, text: &str) -> Result<()> {
    window.click("[data-testid=\"composer\"]").await?;
    window.type_keys(text).await?;
    window.type_keys(&enter().to_string()).await
}

#[tokio::test]
async fn a_prompt_streams_into_the_timeline_and_a_permission_is_answered() -> Result<()> {
    let home = Home::new()?;
    let mut daemon = PaseoDaemon::start()?;
    let login = daemon.add("Fix the login", "/srv/demo/login")?;
    daemon.add("Write the docs", "/srv/demo/docs")?;
    daemon.in_settings(&home)?;
    let window = at_the_hub(&home).await?;
    scenario("agents", window, async |window| {
        says(window, HUB, "Fix the login").await?;
        says(window, HUB, "Write the docs").await?;
        open_agent(window, &login).await?;
        say(window, "what is the answer").await?;
        let said = says(window, TIMELINE, "The answer is 42.").await?;
        assert!(said.contains("what is the answer") && said.contains("thought"));
        assert!(said.contains("README.md"), "{said}");
        says(window, "[data-testid=\"tab-agents\"]", "Agents").await?;

        say(window, "PERMIT").await?;
        says(window, "[data-testid=\"permission\"]", "rm -rf build/").await?;
        says(window, NEEDS, "Fix the login").await?;
        window.click("[data-testid=\"permission-allow\"]").await?;
        says(window, TIMELINE, "Permission outcome: opt-allow").await?;
        window.gone("[data-testid=\"permission\"]").await
    })
    .await
}

#[tokio::test]
async fn an_agent_that_works_is_stopped_and_not_cancelled_unasked() -> Result<()> {
    let home = Home::new()?;
    let mut daemon = PaseoDaemon::start()?;
    let id = daemon.add("Count", "/srv/demo/a")?;
    daemon.in_settings(&home)?;
    let window = at_the_hub(&home).await?;
    scenario("agents-stop", window, async |window| {
        open_agent(window, &id).await?;
        say(window, "SLEEP").await?;
        says(window, TIMELINE, "tick 3/20").await?;
        say(window, "something else").await?;
        says(window, QUEUED, "something else").await?;
        window.click(&format!("{QUEUED} .button")).await?;
        says(window, "[data-testid=\"replace-question\"]", "cancels").await?;
        window
            .click("[data-testid=\"replace-question\"] .button")
            .await?;
        assert_eq!(daemon.tell(&format!("status {id}"))?, "running");
        window.click("[data-testid=\"agent-stop\"]").await?;
        says(window, TIMELINE, "Stopped.").await?;
        assert_eq!(daemon.tell(&format!("status {id}"))?, "idle");
        // What was to follow a turn that was stopped waits for the person's word, who gives it.
        says(window, ".queue", "Waits for your word").await?;
        window.click(&format!("{QUEUED} .button")).await?;
        says(window, TIMELINE, "something else").await?;
        window.gone(QUEUED).await
    })
    .await
}

#[tokio::test]
async fn a_host_that_goes_away_is_said_in_a_line_and_comes_back_by_itself() -> Result<()> {
    let home = Home::new()?;
    let mut daemon = PaseoDaemon::start()?;
    let id = daemon.add("Count", "/srv/demo/a")?;
    daemon.in_settings(&home)?;
    let window = at_the_hub(&home).await?;
    open_agent(&window, &id).await?;
    say(&window, "hello").await?;
    says(&window, TIMELINE, "The answer is 42.").await?;
    // The conversation is in its tab again after the window was killed.
    window.session_holds(&id).await?;
    let window = killed_and_opened_again(&home, window).await?;
    scenario("agents-host", window, async |window| {
        says(window, TIMELINE, "The answer is 42.").await?;
        daemon.tell("stop")?;
        says(window, DOWN, "does not answer").await?;
        says(window, "[data-testid=\"status-agents\"]", "1 host down").await?;
        // Panes go on as if nothing had happened.
        window.click("[data-testid^=\"sidebar-pane-\"]").await?;
        let pane = window.first_pane().await?;
        enter_line(window, pane, "echo still $((6 * 7))").await?;
        window
            .see(pane, "the answer", |screen| screen.contains("\nstill 42"))
            .await?;
        window
            .click("[data-testid^=\"tab-agent-\"] .tab-title")
            .await?;
        daemon.tell("start")?;
        window.gone(DOWN).await?;
        let other = daemon.add("Another", "/srv/demo/b")?;
        window.click("[data-testid=\"open-hub\"]").await?;
        window
            .find(&format!("{HUB} [data-testid=\"agent-{other}\"]"))
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_flow_whose_agent_waits_survives_a_kill_of_the_window() -> Result<()> {
    let home = Home::new()?;
    let daemon = PaseoDaemon::start()?;
    daemon.in_settings(&home)?;
    let file = home.path().join("ask.flow.yaml");
    std::fs::write(
        &file,
        "name: ask\nsteps:\n  - { id: ask, agent: { backend: paseo, provider: fake }, prompt: PERMIT }\n",
    )?;
    // Begun by somebody who is killed with the agent at work; the window goes on with it.
    let mut begun = tokio::process::Command::new(Home::program())
        .args(["flow", "run"])
        .arg(&file)
        .current_dir(home.path())
        .envs(home.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let run = wait_for("the run to need a person", || async {
        let listed = home.ok(&["flow", "list", "--json"]);
        let listed = listed.map_err(|error| error.to_string())?;
        let runs: Value = serde_json::from_str(&listed).map_err(|error| error.to_string())?;
        match &runs[0] {
            run if run["needs_you"][0] == "ask" => Ok(run["id"].as_str().map(str::to_owned)),
            run => Err(run.to_string()),
        }
    })
    .await?
    .context("the id of the run")?;
    begun.kill().await?;
    let (window, _) = at_a_prompt(&home).await?;
    says(&window, NEEDS, "rm -rf build/").await?;
    let window = killed_and_opened_again(&home, window).await?;
    scenario("agents-flow", window, async |window| {
        says(window, NEEDS, "rm -rf build/").await?;
        // One key goes to who waits longest, wherever its row stands by now.
        window.chord(&[ctrl(), shift()], 'a').await?;
        window.click("[data-testid=\"permission-allow\"]").await?;
        says(window, TIMELINE, "Permission outcome: opt-allow").await?;
        wait_for("the run to succeed", || async {
            match home.ok(&["flow", "show", &run]) {
                Ok(shown) if shown.contains("succeeded") => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await
    })
    .await
}
