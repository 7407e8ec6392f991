//! Agents that speak the Agent Client Protocol: begun in a terminal or in the window, asked and answered in both.

use std::process::Stdio;

use anyhow::{Context, Result};
use fantoccini::key::Key;
use support::{Home, Window};

use crate::agents::{self, NEEDS, TIMELINE, say};
use crate::windows::new_beside;
use crate::{at_a_prompt, ctrl, gives, says, scenario};

const AT: &str = "acp:scripted";
const CARD: &str = "[data-testid=\"permission\"]";

/// A window beside an agent that was begun in a terminal, and the agent's id; its conversation is in front.
async fn beside_an_agent(home: &Home) -> Result<(Window, String)> {
    home.has_the_scripted_agent()?;
    let id = home.ok(&["agents", "new", "--host", AT])?.trim().to_owned();
    let (window, _) = at_a_prompt(home).await?;
    open_agent(&window, &id).await?;
    Ok((window, id))
}

/// Opens the hub, and an agent from there.
async fn open_agent(window: &Window, id: &str) -> Result<()> {
    window.click("[data-testid=\"open-hub\"]").await?;
    agents::open_agent(window, id).await
}

#[tokio::test]
async fn a_card_shows_every_file_and_the_agents_own_answers() -> Result<()> {
    let home = Home::new()?;
    let (window, _) = beside_an_agent(&home).await?;
    scenario("acp-card", window, async |window| {
        say(window, "EDITS").await?;
        let card = says(window, CARD, "Allow all edits").await?;
        for told in ["/w/a.rs", "/w/b.rs", "made", "in two files", "and no more"] {
            assert!(card.contains(told), "{told} in {card}");
        }
        window.picture("acp-card").await?;
        window.press("Allow all edits").await?;
        says(window, TIMELINE, "outcome: \"all\"").await?;
        window.gone(CARD).await
    })
    .await
}

#[tokio::test]
async fn what_an_agent_asks_is_answered_in_the_window_or_in_a_terminal() -> Result<()> {
    let home = Home::new()?;
    let (window, id) = beside_an_agent(&home).await?;
    scenario("acp-answers", window, async |window| {
        say(window, "PERMIT").await?;
        says(window, CARD, "rm -rf build/").await?;
        home.ok(&["agents", "answer", &id, "--choose", "Always allow"])?;
        says(window, TIMELINE, "outcome: always").await?;
        window.gone(CARD).await?;

        // Asked by who speaks from a terminal, answered here.
        let mut sending = tokio::process::Command::new(Home::program())
            .args(["agents", "send", &id, "PERMIT"])
            .current_dir(home.path())
            .envs(home.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        says(window, CARD, "rm -rf build/").await?;
        window.press("Reject").await?;
        says(window, TIMELINE, "outcome: no").await?;
        sending.wait().await.context("who sent it")?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_an_agent_asks_is_said_in_every_window_until_it_is_answered_in_one() -> Result<()> {
    let home = Home::new()?;
    let (window, id) = beside_an_agent(&home).await?;
    let there = window.windows(1).await?;
    window.chord(&[ctrl(), Key::Alt.into()], 'n').await?;
    let second = new_beside(&window, &there).await?;
    home.run(&["agents", "send", &id, "PERMIT"])?;
    window.turn_to(&second).await?;
    says(&window, NEEDS, "rm -rf build/").await?;
    window.turn_to(&there[0]).await?;
    scenario("acp-two-windows", window, async |window| {
        says(window, NEEDS, "rm -rf build/").await?;
        window.press("Allow once").await?;
        says(window, TIMELINE, "outcome: yes").await?;
        window.gone(NEEDS).await?;
        window.turn_to(&second).await?;
        window.gone(NEEDS).await
    })
    .await
}

#[tokio::test]
async fn a_turn_that_was_cut_is_said_to_have_failed_and_the_conversation_goes_on() -> Result<()> {
    let home = Home::new()?;
    let (window, _) = beside_an_agent(&home).await?;
    scenario("acp-cut", window, async |window| {
        say(window, "HANG").await?;
        says(window, TIMELINE, "working").await?;
        home.agent_hosts().into_iter().for_each(Home::kill);
        says(window, TIMELINE, "The turn was cut off").await?;
        says(window, TIMELINE, "failed").await?;
        window.picture("acp-cut").await?;
        say(window, "hello").await?;
        says(window, TIMELINE, "The answer is 42.").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_conversation_of_two_hundred_turns_opens_at_its_end_and_earlier_ones_are_shown_on_demand()
-> Result<()> {
    let home = Home::new()?;
    home.has_the_scripted_agent()?;
    let id = home.ok(&["agents", "new", "--host", AT])?.trim().to_owned();
    home.ok(&["agents", "send", &id, "TURNS 200"])?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("acp-two-hundred", window, async |window| {
        open_agent(window, &id).await?;
        says(window, TIMELINE, "Answer 200").await?;
        window.find(&format!("{TIMELINE} table")).await?;
        window.picture("acp-two-hundred").await?;
        home.run(&["agents", "send", &id, "EDITS"])?;
        window.find(CARD).await?;
        let settings = home.path().join("config/settings.json");
        let light = std::fs::read_to_string(&settings)?.replace("dark", "light");
        std::fs::write(settings, light)?;
        window.find("html[data-theme=light]").await?;
        window.picture("acp-two-hundred-light").await?;
        let first =
            "[...document.querySelectorAll('[data-testid=said]')].map((one) => one.textContent)[0]";
        let before = window.script(&format!("return {first};")).await?;
        window.press("Show earlier").await?;
        gives(
            window,
            "earlier turns",
            &format!("return {first};"),
            |now| *now != before,
        )
        .await?;
        Ok(())
    })
    .await
}
