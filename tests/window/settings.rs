//! The settings on their page, themes, keys; and copying by keys.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context, Result};
use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::{Value, json};
use support::{Home, Window, wait_for};

use crate::{
    asked, at_a_prompt, ctrl, enter, enter_line, gives, other_than, says, scenario, shift,
};

/// Waits until a file of the settings has what is wanted in it, and returns its text.
async fn file_says(home: &Home, name: &str, wanted: &str) -> Result<String> {
    let file = home.path().join("config").join(name);
    wait_for(&format!("`{wanted}` in {name}"), || async {
        let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        if text.contains(wanted) {
            Ok(text)
        } else {
            Err(text)
        }
    })
    .await
}

/// How high a line of a pane is, once it is on show.
async fn line_height(window: &Window, pane: u64) -> Result<f64> {
    let height = format!(
        "return document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root')
            ?.shadowRoot.querySelector('.xterm-rows > div')?.getBoundingClientRect().height;"
    );
    let drawn = |height: &Value| height.as_f64().is_some_and(|height| height > 0.0);
    let height = gives(window, "a line of the pane", &height, drawn).await?;
    Ok(height.as_f64().unwrap_or_default())
}

/// What is on the clipboard.
async fn clipboard(window: &Window, wanted: &str) -> Result<()> {
    wait_for(&format!("`{wanted}` on the clipboard"), || async {
        match asked(window, "read_clipboard").await {
            Ok(Value::String(text)) if text == wanted => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

#[tokio::test]
async fn a_setting_is_changed_on_its_page_and_its_text_keeps_what_the_person_wrote() -> Result<()> {
    let home = Home::new()?;
    let editor = home.path().join("editor");
    fs::write(&editor, "#!/bin/sh\necho \"edits $*\"; exec cat\n")?;
    fs::set_permissions(&editor, Permissions::from_mode(0o700))?;
    let editor = json!(editor);
    let text = format!(
        "{{\n  // mine\n  \"renderer\": \"dom\", \"tour\": false, \"shell\": \"/bin/bash\",\n  \"editor\": {editor},\n  \"fontsize\": 3, // a slip\n  \"theme\": \"dark\"\n}}\n"
    );
    fs::write(home.path().join("config/settings.json"), text)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("settings", window, async |window| {
        let before = line_height(window, pane).await?;
        window.chord(&[ctrl()], ',').await?;
        says(
            window,
            "[data-testid=\"file-mistakes\"]",
            "did you mean font_size?",
        )
        .await?;
        window.picture("settings").await?;
        window.click("[data-testid=\"set-theme-light\"]").await?;
        window.find("[data-theme=\"light\"]").await?;
        let text = file_says(&home, "settings.json", "\"theme\": \"light\"").await?;
        assert!(
            text.contains("// mine") && text.contains("// a slip"),
            "{text}"
        );

        window.picture("settings-light").await?;
        for _ in 0..4 {
            window.click("[aria-label=\"More: Font size\"]").await?;
        }
        file_says(&home, "settings.json", "\"font_size\": 17").await?;
        // The pane behind has the font by the time it is seen.
        window
            .click(&format!("[data-testid=\"tab-{pane}\"]"))
            .await?;
        let height = line_height(window, pane).await?;
        assert!(height > before + 2.0, "{height} after {before}");
        window.click("[data-testid=\"tab-settings\"]").await?;

        window.click("[data-testid=\"default-font_size\"]").await?;
        window.gone("[data-testid=\"default-font_size\"]").await?;
        window.click("[data-testid=\"text-editor\"]").await?;
        let editing = other_than(window, pane).await?;
        window
            .see(editing, "the line of the setting", |screen| {
                screen.replace('\n', "").contains("edits +4 ")
            })
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_key_is_recorded_and_taken_from_the_command_that_had_it() -> Result<()> {
    let home = Home::new()?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("keys", window, async |window| {
        window.chord(&[ctrl()], ',').await?;
        window.click("[data-testid=\"page-keys\"]").await?;
        window.click("[data-testid=\"settings-search\"]").await?;
        window.type_keys("pane.rename").await?;
        window.click("[data-testid=\"record-pane.rename\"]").await?;
        window.find("[data-testid=\"key-recorder\"]").await?;
        window.chord(&[ctrl(), shift()], 'd').await?;
        says(window, "[data-testid=\"key-conflict\"]", "Split right").await?;
        window.picture("keys").await?;
        window.click("[data-testid=\"key-give\"]").await?;
        let text = file_says(&home, "keys.json", "\"pane.rename\": \"Ctrl+Shift+D\"").await?;
        assert!(text.contains("\"pane.split_right\": null"), "{text}");
        assert!(text.contains("// The key of a command"), "{text}");
        says(window, "[data-testid=\"key-pane.rename\"]", "Ctrl+Shift+D").await?;
        Ok(())
    })
    .await
}

/// Clicks a theme in the gallery, in the middle of what is on show: at its end, notices lie over it.
async fn wear(window: &Window, name: &str) -> Result<()> {
    let theme = format!("[data-testid=\"theme-{name}\"]");
    window.find(&theme).await?;
    let show = format!("document.querySelector({theme:?}).scrollIntoView({{ block: 'center' }});");
    window.script(&show).await?;
    window.click(&theme).await
}

#[tokio::test]
async fn a_theme_of_another_terminal_is_imported_and_worn() -> Result<()> {
    let home = Home::new()?;
    let file = home.path().join("user/Harbour evening.ghostty");
    let sample = include_str!("../../crates/app/src/themes/samples/harbour.ghostty");
    fs::write(&file, sample)?;
    let bad = home.path().join("user/bad.ghostty");
    fs::write(&bad, sample.replace("palette = 3=", "palette = 3=x"))?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("themes", window, async |window| {
        window.chord(&[ctrl()], ',').await?;
        window.click("[data-testid=\"page-themes\"]").await?;
        window.find("[data-testid=\"theme-Paper\"]").await?;
        window.picture("themes").await?;
        let files = Locator::Css("[data-testid=\"theme-files\"]");
        let picker = window.client.find(files).await?;
        picker.send_keys(&bad.display().to_string()).await?;
        says(window, "[data-testid=\"settings\"]", "line 5: palette").await?;
        let picker = window.client.find(files).await?;
        picker.send_keys(&file.display().to_string()).await?;
        wear(window, "Harbour evening").await?;
        let pane = "return getComputedStyle(document.documentElement).getPropertyValue('--pane');";
        gives(window, "the colours of the theme", pane, |value| {
            value
                .as_str()
                .is_some_and(|colour| colour.trim() == "#1b2230")
        })
        .await?;
        window.picture("themes-imported").await?;
        wear(window, "Paper").await?;
        window.find("[data-theme=\"light\"]").await?;
        window.picture("themes-paper").await?;
        file_says(&home, "settings.json", "\"light_theme\": \"Paper\"").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_whole_window_is_zoomed_and_stays_so() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("zoomed", window, async |window| {
        let width = "return window.innerWidth;";
        let before = window.script(width).await?.as_f64().context("a width")?;
        for _ in 0..3 {
            window.chord(&[ctrl(), Key::Alt.into()], '=').await?;
        }
        file_says(&home, "settings.json", "\"window_zoom\": 130").await?;
        let fewer = |now: &Value| now.as_f64().is_some_and(|now| now < before / 1.25);
        gives(window, "fewer pixels of the page", width, fewer).await?;
        enter_line(window, pane, "echo $((40 + 2))").await?;
        window
            .see(pane, "the answer", |screen| screen.contains("\n42"))
            .await?;
        window.picture("zoomed").await
    })
    .await
}

#[tokio::test]
async fn what_was_printed_is_selected_found_and_copied_by_keys() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("copy-mode", window, async |window| {
        enter_line(
            window,
            pane,
            "for n in $(seq 200); do echo \"row $n of it\"; done",
        )
        .await?;
        window
            .see(pane, "the last row", |screen| {
                screen.contains("row 200 of it")
            })
            .await?;
        window.chord(&[ctrl(), shift()], ' ').await?;
        let status = format!(
            "return document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root')
                .shadowRoot.querySelector('.mode-status')?.textContent ?? '';"
        );
        let told = async |wanted: &str| {
            gives(window, wanted, &status, |value| {
                value.as_str().is_some_and(|text| text.contains(wanted))
            })
            .await
        };
        told("Copy mode").await?;
        // What is printed meanwhile waits.
        window.type_keys(&format!("?row 7 of{}", enter())).await?;
        told("row ").await?;
        window.type_keys("V").await?;
        told("by lines").await?;
        window.type_keys("j").await?;
        window.picture("copy-mode").await?;
        window.type_keys("y").await?;
        clipboard(window, "row 7 of it\nrow 8 of it").await?;
        // The keys are the shell's again.
        enter_line(window, pane, "echo a$((1 + 1))").await?;
        window
            .see(pane, "the answer", |screen| screen.contains("\na2"))
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_path_on_screen_is_copied_by_its_letters() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("quick-select", window, async |window| {
        enter_line(
            window,
            pane,
            "PS1='> '; clear; echo 'see src/main.rs:3:14, 9fceb02d0ae5 and 127.0.0.1:8080'",
        )
        .await?;
        window
            .see(pane, "the line", |screen| screen.contains("\nsee src") || screen.starts_with("see src"))
            .await?;
        window.chord(&[ctrl(), shift()], 'y').await?;
        let labels = format!(
            "return Array.from(document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root')
                .shadowRoot.querySelectorAll('.mode-label')).map((label) => label.textContent).join(' ');"
        );
        let labelled = |value: &Value| value == "a s d";
        gives(window, "three labels", &labels, labelled).await?;
        window.picture("quick-select").await?;
        window.type_keys("d").await?;
        clipboard(window, "src/main.rs:3:14").await?;
        says(window, "body", "Copied: src/main.rs:3:14").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_selection_is_sent_on_to_another_pane_from_its_menu() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("send", window, async |window| {
        window.chord(&[ctrl(), shift()], 'd').await?;
        let other = pane + 1;
        window
            .see(other, "a prompt", |screen| screen.contains("ready>"))
            .await?;
        enter_line(window, pane, "clear; echo needle").await?;
        window
            .see(pane, "the word", |screen| screen.starts_with("needle"))
            .await?;
        let word = format!(
            "const root = document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root');
             const box = root.shadowRoot.querySelector('.xterm-rows > div').getBoundingClientRect();
             return [box.x + 12, box.y + box.height / 2];"
        );
        let place = window.script(&word).await?;
        let [x, y] = [0, 1].map(|index| place[index].as_f64().unwrap_or_default());
        window.double_click_at(x, y).await?;
        window
            .right_click(&format!("[data-testid=\"pane-{pane}\"] .terminal-screen"))
            .await?;
        says(window, ".menu", "Send the selection to…").await?;
        window.picture("selection-menu").await?;
        let down = char::from(Key::Down);
        window.type_keys(&format!("{down}{}", enter())).await?;
        window.find("[data-testid=\"picker-input\"]").await?;
        window.picture("send-to").await?;
        window.type_keys(&enter().to_string()).await?;
        window
            .see(other, "the word at the prompt", |screen| {
                screen.contains("ready> needle")
            })
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pane_of_a_profile_has_its_program_directory_environment_and_look() -> Result<()> {
    let home = Home::new()?;
    let shop = home.user().join("shop");
    fs::create_dir_all(&shop)?;
    let script = "echo \"$KIND in $PWD\"; exec cat";
    let settings = json!({
        "renderer": "dom", "tour": false, "shell": "/bin/bash", "theme": "dark",
        "profiles": {
            "shop": {
                "program": "/bin/sh", "args": ["-c", script], "cwd": "~/shop",
                "env": { "KIND": "a shop" }, "theme": "Paper", "icon": "SH",
            },
        },
    });
    fs::write(
        home.path().join("config/settings.json"),
        settings.to_string(),
    )?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("profiles", window, async |window| {
        window.click("[aria-label=\"Close Welcome\"]").await?;
        window.chord(&[ctrl(), shift()], 'p').await?;
        window.find("[data-testid=\"palette\"]").await?;
        window.type_keys("pane.new_profile").await?;
        window
            .click("[data-testid=\"command-pane.new_profile\"]")
            .await?;
        window.find("[data-testid=\"go-profile-shop\"]").await?;
        window.picture("profile-picker").await?;
        window.click("[data-testid=\"go-profile-shop\"]").await?;
        let opened = crate::other_than(window, pane).await?;
        let directory = shop.canonicalize()?.display().to_string();
        window
            .see(opened, "what it runs, where, and with what", |screen| {
                screen.replace('\n', "").contains(&format!("a shop in {directory}"))
            })
            .await?;
        says(window, &format!("[data-testid=\"tab-{opened}\"]"), "SH").await?;
        // In its own theme, whatever the window wears.
        let colour = |pane: u64| {
            format!(
                "const root = document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root').shadowRoot;
                 return getComputedStyle(root.querySelector('.xterm-rows')).color;"
            )
        };
        let dark = |colour: &Value| {
            let text = colour.as_str().unwrap_or_default();
            text.starts_with("rgb(") && text[4..].split(',').next().is_some_and(|red| red.trim().parse::<u32>().is_ok_and(|red| red < 100))
        };
        gives(window, "dark letters of a theme for the light", &colour(opened), dark).await?;
        window.picture("profile-pane").await?;
        // And a shell opens one: what it says itself counts.
        let printed = home.ok(&["open", "--profile", "shop", "--env", "KIND=another"])?;
        let by_hand: u64 = printed.trim().parse()?;
        wait_for("what the other one printed", || async {
            let read = home.ok(&["read", &by_hand.to_string()]);
            let read = read.map_err(|error| error.to_string())?;
            let whole = read.replace('\n', "");
            let there = whole.contains(&format!("another in {directory}"));
            if there { Ok(()) } else { Err(read) }
        })
        .await?;
        let none = home.run(&["open", "--profile", "shpo"])?;
        let said = String::from_utf8_lossy(&none.stderr).into_owned();
        assert!(said.contains("there is no profile `shpo`; there are `shop`"), "{said}");
        window.chord(&[ctrl()], ',').await?;
        window.find("[data-testid=\"profile-shop\"]").await?;
        window.click("[data-testid=\"settings-search\"]").await?;
        window.type_keys("profiles").await?;
        says(window, "[data-testid=\"profile-shop\"]", "~/shop").await?;
        window.picture("profile-settings").await
    })
    .await
}
