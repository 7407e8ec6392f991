//! What is around the panes: settings, the sidebar, the status bar.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;
use support::{Home, Window, wait_for};

use crate::{asked, at_a_prompt, ctrl, enter, enter_line, says, scenario, shift, text_of};

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
            r#"{ "renderer": "dom", "tour": false, "shell": "/bin/bash", "font_size": 21, "theme": "light" }"#,
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

#[tokio::test]
async fn mistakes_in_the_texts_are_told_with_their_line_until_they_are_mended() -> Result<()> {
    const NOTICES: &str = ".notices";
    let home = Home::new()?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("mistakes", window, async |window| {
        let config = home.path().join("config");
        let (keys, settings) = (config.join("keys.json"), config.join("settings.json"));
        std::fs::write(
            &keys,
            "{\n  \"pane.zoom\": \"F9\",\n  \"pane.clsoe\": \"F2\",\n  \"pane.new\": \"Ctrl+Banana\",\n  \"search.find\": \"F9\"\n}\n",
        )?;
        says(window, NOTICES, "Line 3: No command is called “pane.clsoe”; did you mean “pane.close”?").await?;
        says(window, NOTICES, "Line 4: “Ctrl+Banana” for “pane.new” is no key").await?;
        says(window, NOTICES, "Line 5: F9 is given to “pane.zoom” and to “search.find”.").await?;
        assert_eq!(window.count(".notice").await?, 1, "one notice for one file");

        // One wrong setting refuses none of the others.
        std::fs::write(
            &settings,
            "{\n  \"renderer\": \"dom\",\n  \"shell\": \"/bin/bash\",\n  \"theme\": \"light\",\n  \"font_size\": \"huge\"\n}\n",
        )?;
        let told = says(window, NOTICES, "font_size").await?;
        assert!(told.contains("line 5") && told.contains("huge"), "{told}");
        assert!(!told.contains('`'), "no marks of our own: {told}");
        window.find("[data-theme=\"light\"]").await?;
        assert_eq!(window.count(".notice").await?, 2);
        window.picture("mistakes").await?;
        window.chord(&[ctrl()], ',').await?;
        says(window, "[data-testid=\"setting-font_size\"]", "huge").await?;
        window.picture("mistakes-settings").await?;

        // Each leaves when its reason does.
        std::fs::write(&keys, "{ \"pane.zoom\": \"F9\" }\n")?;
        says_no_longer(window, NOTICES, "keys.json").await?;
        says(window, NOTICES, "font_size").await?;
        std::fs::write(
            &settings,
            r#"{ "renderer": "dom", "tour": false, "shell": "/bin/bash", "theme": "dark", "font_size": 14 }"#,
        )?;
        window.gone(".notice").await
    })
    .await
}

/// Waits until the part of the page that `css` selects no longer says `unwanted`.
async fn says_no_longer(window: &Window, css: &str, unwanted: &str) -> Result<()> {
    wait_for(&format!("no `{unwanted}` in {css}"), || async {
        match text_of(window, css).await {
            Ok(text) if !text.contains(unwanted) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

/// Every file below a directory.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(self::files(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    Ok(files)
}

#[tokio::test]
async fn two_homes_of_one_user_share_nothing_and_leave_nothing_in_theirs() -> Result<()> {
    let home = Home::new()?;
    let other = home.of_the_same_user()?;
    let sidebar = "nav[data-place=\"sidebar\"]";
    let new = json!({ "searches": [], "folders": [], "frame": null, "drawing": null });

    let (window, pane) = at_a_prompt(&home).await?;
    scenario("one-home", window, async |window| {
        assert_eq!(asked(window, "window_state").await?, new);
        enter_line(window, pane, "echo needle-$((40 + 2))").await?;
        window.find(sidebar).await?;
        window.chord(&[ctrl(), shift()], 'b').await?;
        window.gone(sidebar).await?;
        window.chord(&[ctrl(), shift()], 'g').await?;
        window.find("[data-testid=\"search-input\"]").await?;
        window.type_keys("needle-42").await?;
        says(window, "[data-testid=\"search-results\"]", "needle-42").await?;
        window.type_keys(&enter().to_string()).await?;
        // Whatever a page would keep for itself goes to where everything is.
        window
            .script("localStorage.setItem('mark', 'of one home');")
            .await?;
        wait_for("what was changed to be kept", || async {
            let state = asked(window, "window_state")
                .await
                .map_err(|error| error.to_string())?;
            let kept = state["searches"] == json!(["needle-42"])
                && state["frame"]["sidebar"] == json!(false);
            if kept { Ok(()) } else { Err(state.to_string()) }
        })
        .await
    })
    .await?;

    let (window, _) = at_a_prompt(&other).await?;
    scenario("another-home", window, async |window| {
        assert_eq!(asked(window, "window_state").await?, new);
        window.find(sidebar).await?;
        let mark = window
            .script("return localStorage.getItem('mark');")
            .await?;
        assert_eq!(mark, json!(null), "the web view of another home");
        Ok(())
    })
    .await?;

    home.ok(&["history", "purge"])?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("one-home-again", window, async |window| {
        window.gone(sidebar).await?;
        let state = asked(window, "window_state").await?;
        assert_eq!(state["searches"], json!([]), "gone with the history");
        let mark = window
            .script("return localStorage.getItem('mark');")
            .await?;
        assert_eq!(mark, json!("of one home"), "the web view of the same home");
        Ok(())
    })
    .await?;

    let mut left = files(home.user())?;
    // The desktop's settings, which GTK reads, have a file here where there is no runtime directory; it is empty.
    left.retain(|file| !file.ends_with(".cache/dconf/user"));
    assert_eq!(left, [home.user().join(".bashrc")]);
    Ok(())
}
