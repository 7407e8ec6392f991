//! Search: found in the panel, shown where it is.

use anyhow::Result;
use support::{Home, Window, wait_for};

use crate::changes::changed_worktree;
use crate::{
    at_a_prompt, ctrl, enter, enter_line, killed_and_opened_again, says, scenario, shift, shown,
};

#[tokio::test]
async fn a_line_far_up_is_found_and_shown_where_it_is() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("search", window, async |window| {
        enter_line(
            window,
            pane,
            "seq -f 'line number %.0f.' 1 60000; echo all printed",
        )
        .await?;
        window
            .see(pane, "the end", |screen| screen.contains("\nall printed"))
            .await?;
        window.chord(&[ctrl(), shift()], 'g').await?;
        window.find("[data-testid=\"search-panel\"]").await?;
        window.type_keys("line number 57321.").await?;
        window
            .find("[data-testid=\"search-result-0\"], [data-testid^=\"search-result-\"]")
            .await?;
        window.click("[data-testid^=\"search-result-\"]").await?;
        window
            .see(pane, "the line that was found", |screen| {
                screen.contains("line number 57321.")
            })
            .await?;

        // What xterm.js no longer holds opens in a history view.
        window.chord(&[ctrl(), shift()], 'g').await?;
        window
            .script("document.querySelector('[data-testid=\"search-panel\"] input').select();")
            .await?;
        window.type_keys("line number 12.").await?;
        says(
            window,
            "[data-testid=\"search-results\"]",
            "line number 12.",
        )
        .await?;
        window.click("[data-testid^=\"search-result-\"]").await?;
        says(
            window,
            &format!("[data-testid=\"history-{pane}\"]"),
            "line number 12.",
        )
        .await?;
        Ok(())
    })
    .await
}

/// Opens the search panel and looks for `pattern`; returns what its results say once they say `wanted`.
async fn search_for(window: &Window, pattern: &str, wanted: &str) -> Result<String> {
    window.chord(&[ctrl(), shift()], 'g').await?;
    window.find("[data-testid=\"search-panel\"]").await?;
    window
        .script("document.querySelector('[data-testid=\"search-panel\"] input').select();")
        .await?;
    window.type_keys(pattern).await?;
    says(window, "[data-testid=\"search-results\"]", wanted).await
}

#[tokio::test]
async fn what_a_pane_printed_is_found_after_it_was_closed_and_after_the_window_was_killed()
-> Result<()> {
    let home = Home::new()?;
    let (window, first) = at_a_prompt(&home).await?;
    // The words are put together by the shell, so that only its output has them whole.
    enter_line(&window, first, "echo left-behind-$((40 + 2))").await?;
    window
        .see(first, "the words", |screen| {
            screen.contains("left-behind-42")
        })
        .await?;
    window.chord(&[ctrl(), shift()], 't').await?;
    wait_for("the second pane alone", || async {
        match shown(&window).await {
            Ok(panes) if panes.len() == 1 && panes[0] != first => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await?;
    home.ok(&["kill", &first.to_string()])?;
    window
        .gone(&format!("[data-testid=\"tab-{first}\"]"))
        .await?;

    // A closed pane's result says which program it was, where, and when.
    search_for(&window, "left-behind-42", "left-behind-42").await?;
    says(&window, "[data-testid=\"search-results\"]", "bash").await?;
    let window = killed_and_opened_again(&home, window).await?;
    scenario("found-again", window, async |window| {
        window.first_pane().await?;
        search_for(window, "left-behind-42", "left-behind-42").await?;
        says(window, "[data-testid=\"search-results\"]", "bash").await?;
        window.click("[data-testid^=\"search-result-\"]").await?;
        says(
            window,
            &format!("[data-testid=\"history-{first}\"]"),
            "left-behind-42",
        )
        .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_full_screen_program_showed_and_cleared_is_found_and_said_to_be_from_one()
-> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("full-screen", window, async |window| {
        enter_line(
            window,
            pane,
            r"printf '\033[?1049h\033[Hshown-for-%s-moment' a; sleep 0.1; read go; printf '\033[2J\033[?1049l'; echo over",
        )
        .await?;
        window
            .see(pane, "the full screen", |screen| {
                screen.starts_with("shown-for-a-moment")
            })
            .await?;
        window.type_keys(&enter().to_string()).await?;
        window
            .see(pane, "the shell", |screen| {
                screen.contains("\nover") && !screen.contains("shown-for-a-moment")
            })
            .await?;
        let found = search_for(window, "shown-for-a-moment", "shown-for-a-moment").await?;
        assert!(found.contains("screen"), "{found}");
        window.click("[data-testid^=\"search-result-\"]").await?;
        says(
            window,
            &format!("[data-testid=\"history-{pane}\"]"),
            "shown-for-a-moment",
        )
        .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn results_are_narrowed_to_a_worktree_and_a_time() -> Result<()> {
    let home = Home::new()?;
    let topic = changed_worktree(&home)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("search-narrowed", window, async |window| {
        enter_line(window, pane, &format!("cd {}", topic.display())).await?;
        enter_line(window, pane, "echo there-$((40 + 2))").await?;
        says(window, "[data-testid=changed-topic]", "1 file").await?;
        search_for(window, "there-42", "there-42").await?;
        let count = "[data-testid=search-count]";
        window.pick("[data-testid=search-when]", "hour").await?;
        says(window, count, "1 match").await?;
        let worktree = topic.canonicalize()?;
        let main = worktree.with_file_name("shop");
        let folders = "[data-testid=search-directory]";
        window.pick(folders, &main.to_string_lossy()).await?;
        says(window, count, "No matches").await?;
        window.pick(folders, &worktree.to_string_lossy()).await?;
        says(window, count, "1 match").await?;
        window.picture("search-narrowed").await
    })
    .await
}
