//! The tour of the first start.

use anyhow::Result;
use fantoccini::key::Key;
use support::{Home, Window};

use crate::{ctrl, enter, gives, killed_and_opened_again, says, scenario, shift};

/// Whose the keys are: the pane, or what has them instead.
const KEYS: &str = "return document.activeElement?.closest('[data-pane]')?.dataset.pane ?? document.activeElement?.outerHTML.slice(0, 90);";

#[tokio::test]
async fn the_first_start_is_shown_around_in_four_steps_at_most_and_no_other_is() -> Result<()> {
    let home = Home::new()?;
    let config = home.path().join("config/settings.json");
    let settings = std::fs::read_to_string(&config)?.replace("\"tour\": false, ", "");
    std::fs::write(&config, settings)?;
    let window = Window::open(&home).await?;
    let pane = window.first_pane().await?;
    let mut titles = Vec::new();
    for step in 1..=4 {
        says(&window, "[data-testid=\"tour\"]", &format!("{step} of 4")).await?;
        let title = window.find("[data-testid=\"tour\"] h2").await?;
        titles.push(title.text().await?);
        if step == 1 {
            window.picture("tour").await?;
        }
        // The button that goes on has the keys.
        window.type_keys(&enter().to_string()).await?;
    }
    window.gone("[data-testid=\"tour\"]").await?;
    insta::assert_snapshot!(titles.join("\n"), @r"
    Terminals that go on
    All of it, by directory
    Everything that was printed
    Anything by its name
    ");
    gives(&window, "the keys in the terminal", KEYS, |here| {
        *here == serde_json::json!(pane.to_string())
    })
    .await?;
    window.session_holds(&format!("terminal-{pane}")).await?;

    let window = killed_and_opened_again(&home, window).await?;
    scenario("tour", window, async |window| {
        window
            .see(pane, "the pane", |screen| screen.contains("ready>"))
            .await?;
        assert_eq!(window.count("[data-testid=\"tour\"]").await?, 0);
        // Who wants to see it again can, and leaves it when it is enough.
        window.chord(&[ctrl(), shift()], 'p').await?;
        window.find("[data-testid=\"palette\"]").await?;
        window.type_keys("window.tour").await?;
        window
            .click("[data-testid=\"command-window.tour\"]")
            .await?;
        says(window, "[data-testid=\"tour\"]", "1 of 4").await?;
        window
            .type_keys(&char::from(Key::Escape).to_string())
            .await?;
        window.gone("[data-testid=\"tour\"]").await
    })
    .await
}
