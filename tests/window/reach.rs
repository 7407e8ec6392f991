//! Everything within reach of the keys: places, splits, what was closed, what asks, folders.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context, Result};
use fantoccini::key::Key;
use serde_json::{Value, json};
use support::{Home, Window, wait_for};

use crate::{
    asked, at_a_prompt, ctrl, enter, enter_line, gives, other_than, says, scenario, shift, shows,
};

/// Where every pane on show lies, in pixels.
async fn places(window: &Window) -> Result<Value> {
    window
        .script(
            "return Object.fromEntries(Array.from(document.querySelectorAll('[data-pane]'))
                .map((pane) => [pane.dataset.pane, pane.getBoundingClientRect()])
                .filter(([, box]) => box.width > 0)
                .map(([id, { x, y, width, height }]) => [id, [x, y, width, height]]));",
        )
        .await
}

/// Waits until the panes lie where `wanted` says.
async fn lie(window: &Window, wanted: &Value) -> Result<()> {
    wait_for("the panes in their places", || async {
        match places(window).await {
            Ok(places) if places == *wanted => Ok(()),
            other => Err(format!("{other:?}, not {wanted}")),
        }
    })
    .await
}

/// Waits until the keys are in a part of the window.
async fn keys_in(window: &Window, place: &str) -> Result<()> {
    let script = "return document.activeElement?.closest('[data-place]')?.dataset.place ?? '';";
    gives(window, &format!("the keys in {place}"), script, |value| {
        value.as_str().is_some_and(|here| here == place)
    })
    .await
    .map(drop)
}

#[tokio::test]
async fn zoom_and_back_gives_the_same_pixels_whatever_opens_beside_the_dock() -> Result<()> {
    let home = Home::new()?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("zoom", window, async |window| {
        window.click("[aria-label=\"Close Welcome\"]").await?;
        window.chord(&[ctrl(), shift()], 'd').await?;
        shows(window, 2).await?;
        window.chord(&[ctrl(), shift()], 'e').await?;
        shows(window, 3).await?;
        let before = places(window).await?;
        let zoom = Key::Enter.into();
        window.chord(&[ctrl(), shift()], zoom).await?;
        shows(window, 1).await?;
        // A side comes and goes meanwhile.
        window.chord(&[ctrl(), shift()], 'g').await?;
        window.find("[data-testid=\"search-input\"]").await?;
        window
            .type_keys(&char::from(Key::Escape).to_string())
            .await?;
        window.gone("[data-testid=\"search-input\"]").await?;
        window.chord(&[ctrl(), shift()], zoom).await?;
        shows(window, 3).await?;
        lie(window, &before).await
    })
    .await
}

#[tokio::test]
async fn a_pane_that_was_closed_comes_back_with_its_directory_and_what_it_printed() -> Result<()> {
    let home = Home::new()?;
    let work = home.path().join("user/work");
    std::fs::create_dir_all(&work)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("reopen", window, async |window| {
        enter_line(
            window,
            pane,
            "cd ~/work; PS1='back> '; echo needle-$((40 + 2))",
        )
        .await?;
        window
            .see(pane, "the answer", |screen| {
                screen.contains("\nneedle-42") && screen.contains("back>")
            })
            .await?;
        window.chord(&[ctrl(), shift()], 'w').await?;
        window
            .gone(&format!("[data-testid=\"pane-{pane}\"]"))
            .await?;
        says(window, "body", "Closed ").await?;
        window.chord(&[ctrl(), shift()], 'z').await?;
        let again = window.first_pane().await?;
        assert_ne!(again, pane, "its program had ended");
        window
            .see(again, "a prompt", |screen| screen.contains("ready>"))
            .await?;
        enter_line(window, again, "pwd").await?;
        let work = work.canonicalize()?.display().to_string();
        window
            .see(again, "the directory", |screen| screen.contains(&work))
            .await?;
        // What it printed stands above.
        window
            .see(again, "what was printed before", |screen| {
                screen.contains("\nneedle-42\n")
            })
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_key_goes_round_the_window_and_back_into_the_terminal() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("f6", window, async |window| {
        let f6: char = Key::F6.into();
        window
            .click(&format!("[data-testid=\"pane-{pane}\"] .terminal-screen"))
            .await?;
        keys_in(window, "centre").await?;
        for place in ["status", "sidebar", "centre"] {
            window.type_keys(&f6.to_string()).await?;
            keys_in(window, place).await?;
        }
        for place in ["sidebar", "status", "centre"] {
            window.chord(&[shift()], f6).await?;
            keys_in(window, place).await?;
        }
        window
            .type_keys(&format!("echo a$((1 + 1)){}", enter()))
            .await?;
        window
            .see(pane, "the answer", |screen| screen.contains("\na2"))
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_approval_is_two_keys_away_from_a_terminal() -> Result<()> {
    let home = Home::new()?;
    let flow = home.path().join("asks.flow.yaml");
    std::fs::write(
        &flow,
        "name: asks\nsteps:\n  - { id: ship, approval: { message: Ship it? } }\n",
    )?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("approve-by-keys", window, async |window| {
        let path = flow.to_str().context("a path in UTF-8")?;
        home.ok(&["flow", "run", path, "--detach"])?;
        window.find("[data-testid=\"needs-you\"]").await?;
        window
            .click(&format!("[data-testid=\"pane-{pane}\"] .terminal-screen"))
            .await?;
        window.chord(&[ctrl(), shift()], 'a').await?;
        wait_for("the keys on what approves", || async {
            let script = "return document.activeElement?.dataset.testid ?? '';";
            match window.script(script).await {
                Ok(Value::String(id)) if id == "approve" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await?;
        window.type_keys(&enter().to_string()).await?;
        window
            .find("[data-testid^=\"run-\"][data-state=\"succeeded\"]")
            .await?;
        // The keys are somewhere, and one key brings them on.
        let body = "return document.activeElement === document.body;";
        gives(window, "the keys to be somewhere", body, |lost| {
            lost == false
        })
        .await
        .map(drop)
    })
    .await
}

#[tokio::test]
async fn a_folder_is_opened_by_typing_a_few_letters_of_it() -> Result<()> {
    let home = Home::new()?;
    let work = home.path().join("user/projects/switchboard");
    std::fs::create_dir_all(&work)?;
    std::fs::write(home.path().join("user/projects/notes"), "")?;
    let (window, first) = at_a_prompt(&home).await?;
    scenario("folder", window, async |window| {
        let path = "[data-testid=\"folder-path\"]";
        let row = "[data-testid=\"folder-row\"]";
        window.chord(&[ctrl(), shift()], 'k').await?;
        window.find(path).await?;
        window.type_keys("~/projects/notes").await?;
        window.type_keys(&enter().to_string()).await?;
        says(window, "[data-testid=\"folder-dialog\"]", "is not a folder").await?;
        window.picture("folder-mistake").await?;

        window.chord(&[ctrl()], 'a').await?;
        window.type_keys("~/proj").await?;
        says(window, row, "~/projects").await?;
        window.type_keys(&char::from(Key::Tab).to_string()).await?;
        says(
            window,
            "[data-testid=\"folder-dialog\"] .folder-rows",
            "switchboard",
        )
        .await?;
        window.type_keys("sw").await?;
        window.type_keys(&char::from(Key::Tab).to_string()).await?;
        window.picture("folder").await?;
        window.type_keys(&enter().to_string()).await?;
        window.gone(path).await?;
        let pane = other_than(window, first).await?;
        window
            .see(pane, "a prompt", |screen| screen.contains("ready>"))
            .await?;
        enter_line(window, pane, "pwd").await?;
        let work = work.canonicalize()?.display().to_string();
        window
            .see(pane, "the folder", |screen| screen.contains(&work))
            .await?;
        let state = asked(window, "window_state").await?;
        assert_eq!(state["folders"], json!([work]));

        // It is offered the next time.
        window.chord(&[ctrl(), shift()], 'k').await?;
        says(window, row, "~/projects/switchboard").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_right_click_offers_what_can_be_done_with_a_pane() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("menu", window, async |window| {
        let row = format!("[data-testid=\"sidebar-pane-{pane}\"]");
        window.right_click(&row).await?;
        says(window, ".menu", "Copy its directory").await?;
        window.picture("menu").await?;
        // The third of them: a terminal in the same directory.
        let down = char::from(Key::Down);
        window
            .type_keys(&format!("{down}{down}{down}{}", enter()))
            .await?;
        window
            .find(&format!("[data-testid=\"sidebar-pane-{}\"]", pane + 1))
            .await?;
        window.gone(".menu").await?;
        std::fs::write(
            home.path().join("config/settings.json"),
            r#"{ "renderer": "dom", "tour": false, "shell": "/bin/bash", "theme": "light" }"#,
        )?;
        window.find("[data-theme=\"light\"]").await?;
        window.right_click("[data-testid=\"tab-welcome\"]").await?;
        says(window, ".menu", "Zoom").await?;
        window.picture("menu-light").await
    })
    .await
}

#[tokio::test]
async fn a_file_that_a_pane_names_opens_at_its_line_in_the_editor() -> Result<()> {
    let home = Home::new()?;
    let sources = home.path().join("user/work/src");
    std::fs::create_dir_all(&sources)?;
    std::fs::write(sources.join("a.rs"), "")?;
    let editor = home.path().join("editor");
    std::fs::write(&editor, "#!/bin/sh\necho \"edits $*\"; exec cat\n")?;
    std::fs::set_permissions(&editor, Permissions::from_mode(0o700))?;
    let settings = json!({ "renderer": "dom", "tour": false, "shell": "/bin/bash", "theme": "dark", "editor": editor });
    std::fs::write(
        home.path().join("config/settings.json"),
        settings.to_string(),
    )?;

    let (window, pane) = at_a_prompt(&home).await?;
    scenario("file-link", window, async |window| {
        enter_line(
            window,
            pane,
            "cd ~/work; echo 'src/b.rs:1'; echo 'src/a.rs:3:14'",
        )
        .await?;
        let row = format!(
            "const root = document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root');
             const rows = Array.from(root.shadowRoot.querySelectorAll('.xterm-rows > div'));
             const row = rows.find((row) => row.textContent.trim() === 'src/a.rs:3:14');
             const box = row?.getBoundingClientRect();
             return box ? [box.x + 20, box.y + box.height / 2] : null;"
        );
        let place = gives(window, "the line", &row, Value::is_array).await?;
        let [x, y] = [0, 1].map(|index| place[index].as_f64().unwrap_or_default());
        window.point_at(x, y).await?;
        let file = sources.canonicalize()?.join("a.rs").display().to_string();
        says(window, "body", &format!("{file}:3:14")).await?;
        window.click_with(ctrl(), x, y).await?;
        let editing = other_than(window, pane).await?;
        window
            .see(editing, "the place", |screen| {
                screen
                    .replace('\n', "")
                    .contains(&format!("edits +3 {file}"))
            })
            .await?;
        window.picture("file-link").await?;

        // The same by its menu, which knows where it leads.
        window
            .click(&format!("[data-testid=\"tab-{pane}\"]"))
            .await?;
        let place = gives(window, "the line once more", &row, Value::is_array).await?;
        let [x, y] = [0, 1].map(|index| place[index].as_f64().unwrap_or_default());
        window.point_at(x, y).await?;
        says(window, ".link-target", &format!("{file}:3:14")).await?;
        window.right_click_at(x, y).await?;
        says(window, ".menu", "Copy the path").await?;
        window.picture("link-menu").await?;
        window.choose("Copy the path").await?;
        let path = json!(format!("{file}:3:14"));
        wait_for("the path on the clipboard", || async {
            match asked(window, "read_clipboard").await {
                Ok(text) if text == path => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await?;
        // A pointer that does not move finds no link.
        window.point_at(x + 300.0, y + 100.0).await?;
        window.point_at(x, y).await?;
        says(window, ".link-target", &file).await?;
        window.right_click_at(x, y).await?;
        window.choose("Search for it in all panes").await?;
        says(window, "[data-place=\"aside\"]", "src/a.rs").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_needs_room_opens_where_there_is_room_and_gives_it_back() -> Result<()> {
    let home = Home::new()?;
    let flow = home.path().join("small.flow.yaml");
    std::fs::write(
        &flow,
        "name: small\nsteps:\n  - { id: only, run: 'true' }\n",
    )?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("roomy", window, async |window| {
        let path = flow.to_str().context("a path in UTF-8")?;
        home.ok(&["flow", "run", path])?;
        window.click("[aria-label=\"Close Welcome\"]").await?;
        for panes in [2, 3] {
            window.chord(&[ctrl(), shift()], 'd').await?;
            shows(window, panes).await?;
        }
        window
            .click(&format!("[data-testid=\"pane-{pane}\"] .terminal-screen"))
            .await?;
        let before = places(window).await?;
        let narrow = before[pane.to_string()][2].as_f64().unwrap_or_default();
        assert!((1.0..560.0).contains(&narrow), "a narrow group: {before}");

        let run = "[data-testid^=\"run-\"][data-state=\"succeeded\"]";
        window.click("[data-testid^=\"sidebar-run-\"]").await?;
        let (_, _, width, _) = window.find(run).await?.rectangle().await?;
        assert!(width >= 560.0, "{width}");
        window.picture("roomy").await?;
        window.chord(&[ctrl(), shift()], 'w').await?;
        window.gone(run).await?;
        shows(window, 3).await?;
        lie(window, &before).await
    })
    .await
}

#[tokio::test]
async fn a_tab_of_a_flow_is_closed_by_key_and_comes_back_where_it_was_read() -> Result<()> {
    let home = Home::new()?;
    let directory = home.path().join("user/switchyard-samples");
    std::fs::create_dir_all(&directory)?;
    let steps: String = (1..=200)
        .map(|step| format!("  - {{ id: s{step}, run: 'true' }}\n"))
        .collect();
    std::fs::write(
        directory.join("long.flow.yaml"),
        format!("name: long\nsteps:\n{steps}"),
    )?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("reopen-flow", window, async |window| {
        window.click("[data-testid=\"flow-long\"]").await?;
        window.click("[data-testid=\"flow-text\"] .cm-line").await?;
        let place =
            "return document.querySelector('[data-testid=\"flow-file\"] .cm-scroller').scrollTop;";
        // To the end of the text, by its own key.
        window.chord(&[ctrl()], Key::End.into()).await?;
        let read = gives(window, "the end of the text", place, |top| {
            top.as_f64().is_some_and(|top| top > 1000.0)
        })
        .await?;
        window.chord(&[ctrl(), shift()], 'w').await?;
        window.gone("[data-testid=\"flow-text\"]").await?;
        window.chord(&[ctrl(), shift()], 'z').await?;
        gives(window, "the same place of the text", place, |top| {
            top.as_f64()
                .zip(read.as_f64())
                .is_some_and(|(now, read)| (now - read).abs() < 40.0)
        })
        .await
        .map(drop)
    })
    .await
}
