//! What is typed outlives the window: a flow's text, and a form.

use anyhow::Result;
use fantoccini::key::Key;
use support::{Home, Window, wait_for};

use crate::{asked, at_a_prompt, killed_and_opened_again, says, scenario};

const FLOW: &str = "\
name: ask
inputs:
  question: { type: text, default: why }
steps:
  - { id: say, value: '{{ inputs.question }}' }
";

/// The field of the form in which a run is started; the plan of the flow has one, too.
const QUESTION: &str = "[data-testid=\"start-dialog\"] [data-testid=\"field-question\"]";

/// Waits until a text is kept, wherever it was typed.
async fn kept(window: &Window, text: &str) -> Result<()> {
    wait_for(&format!("`{text}` to be kept"), || async {
        let drafts = asked(window, "list_drafts").await;
        let drafts = drafts.map_err(|error| error.to_string())?.to_string();
        if drafts.contains(text) {
            Ok(())
        } else {
            Err(drafts)
        }
    })
    .await
}

/// What is in that field.
async fn question(window: &Window) -> Result<String> {
    let field = window.find(QUESTION).await?;
    Ok(field.prop("value").await?.unwrap_or_default())
}

#[tokio::test]
async fn what_was_typed_is_there_after_the_window_was_killed() -> Result<()> {
    let home = Home::new()?;
    let directory = home.path().join("user/switchyard-samples");
    std::fs::create_dir_all(&directory)?;
    let file = directory.join("ask.flow.yaml");
    std::fs::write(&file, FLOW)?;
    let flow = "[data-testid=\"flow-ask\"]";
    let start = "[data-testid=\"start-flow\"]:not(:disabled)";

    let (window, _) = at_a_prompt(&home).await?;
    window.click(flow).await?;
    window.click(start).await?;
    assert_eq!(question(&window).await?, "why");
    window.click(QUESTION).await?;
    let end = char::from(Key::End);
    window.type_keys(&format!("{end} not")).await?;
    kept(&window, "why not").await?;
    window
        .type_keys(&char::from(Key::Escape).to_string())
        .await?;
    window.gone("[data-testid=\"start-dialog\"]").await?;
    window.click("[data-testid=\"flow-text\"] .cm-line").await?;
    window.type_keys("# mine").await?;
    says(&window, "[data-testid=\"flow-text\"]", "# mine").await?;
    kept(&window, "# mine").await?;
    window.session_holds("flow-file").await?;

    let window = killed_and_opened_again(&home, window).await?;
    scenario("drafts", window, async |window| {
        says(window, "[data-testid=\"flow-text\"]", "# mine").await?;
        says(window, flow, "not saved").await?;
        window.find(".tab-unsaved").await?;
        window.picture("drafts").await?;
        assert_eq!(std::fs::read_to_string(&file)?, FLOW, "nothing was saved");

        // Closed, it is said to be kept, and it is.
        window.click("[aria-label=\"Close ask.flow.yaml\"]").await?;
        says(window, "body", "What you wrote there is kept.").await?;
        window.click(flow).await?;
        says(window, "[data-testid=\"flow-text\"]", "# mine").await?;
        // What is said of the text moves the buttons beside it.
        says(window, "[data-testid=\"flow-verdict\"]", "no mistakes").await?;
        window.click("[data-testid=\"save-flow\"]").await?;
        window.gone(".tab-unsaved").await?;
        assert!(std::fs::read_to_string(&file)?.contains("# mine"));

        window.click(start).await?;
        assert_eq!(question(window).await?, "why not");
        window.picture("drafts-form").await?;
        window
            .click("[data-testid=\"start-run\"]:not(:disabled)")
            .await?;
        wait_for("no draft any more", || async {
            match asked(window, "list_drafts").await {
                Ok(drafts) if drafts == serde_json::json!([]) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await
    })
    .await
}
