//! Search: found in the panel, shown where it is.

use anyhow::Result;
use support::Home;

use crate::{at_a_prompt, ctrl, enter_line, says, scenario, shift};

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
