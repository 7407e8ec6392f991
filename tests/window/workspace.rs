//! What is around the panes: settings, the sidebar, the status bar.

use anyhow::Result;
use support::{Home, wait_for};

use crate::{at_a_prompt, says, scenario};

#[tokio::test]
async fn settings_apply_when_they_are_saved() -> Result<()> {
    let home = Home::new()?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("settings", window, async |window| {
        let size = || async {
            let size = window
                .script(
                    "const root = document.querySelector('.terminal-root').shadowRoot;
                     return getComputedStyle(root.querySelector('.xterm-rows')).fontSize;",
                )
                .await
                .map_err(|error| error.to_string())?;
            Ok::<_, String>(size.as_str().unwrap_or_default().to_owned())
        };
        let file = home.path().join("config/settings.json");
        std::fs::write(
            &file,
            r#"{ "renderer": "dom", "shell": "/bin/bash", "font_size": 21, "theme": "light" }"#,
        )?;
        wait_for("a larger font", || async {
            match size().await {
                Ok(size) if size == "21px" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await?;
        // A mistake changes nothing, and is said.
        std::fs::write(&file, r#"{ "font_size": "huge" }"#)?;
        says(window, "body", "settings.json").await?;
        says(window, "body", "huge").await?;
        assert_eq!(size().await.map_err(anyhow::Error::msg)?, "21px");
        Ok(())
    })
    .await
}
