//! What the window tells by itself, in a corner.

use anyhow::Result;
use support::Home;

use crate::{at_a_prompt, ctrl, gives, says, scenario, shift};

/// The buttons and fields on show over which something of a notice lies.
const COVERED: &str = "
    const pressed = 'button, input, textarea, select, a[href]';
    return Array.from(document.querySelectorAll(pressed)).filter((one) => {
        if (one.closest('.notices') || !one.checkVisibility({ visibilityProperty: true })) return false;
        const { left, top, width, height } = one.getBoundingClientRect();
        if (width === 0 || height === 0) return false;
        const corners = [[1, 1], [width - 1, 1], [1, height - 1], [width - 1, height - 1], [width / 2, height / 2]];
        return corners.some(([x, y]) => document.elementFromPoint(left + x, top + y)?.closest('.notice'));
    }).map((one) => one.getAttribute('aria-label') ?? one.textContent);
";

#[tokio::test]
async fn a_notice_lies_over_nothing_that_can_be_pressed_and_goes_with_its_reason() -> Result<()> {
    let home = Home::new()?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("notices", window, async |window| {
        let config = home.path().join("config/settings.json");
        let settings = std::fs::read_to_string(&config)?;
        let wrong = settings.replacen('{', "{ \"themme\": \"dark\",", 1);
        for (width, height) in [(900, 600), (1400, 860)] {
            window.client.set_window_size(width, height).await?;
            std::fs::write(&config, &wrong)?;
            says(window, ".notices", "themme").await?;
            for view in ["settings.open", "agents.hub", "pane.new"] {
                window.chord(&[ctrl(), shift()], 'p').await?;
                window.find("[data-testid=\"palette\"]").await?;
                window.type_keys(view).await?;
                window
                    .click(&format!("[data-testid=\"command-{view}\"]"))
                    .await?;
                window.gone("[data-testid=\"palette\"]").await?;
                gives(
                    window,
                    &format!("nothing under a notice in {view} at {width} x {height}"),
                    COVERED,
                    |covered| covered.as_array().is_some_and(Vec::is_empty),
                )
                .await?;
                window.picture(&format!("notices-{width}-{view}")).await?;
            }
            std::fs::write(&config, &settings)?;
            window.gone(".notice.error").await?;
        }
        Ok(())
    })
    .await
}
