//! Commands with what they printed: selected, walked, copied, run again; and what stands above a shell that took the place
//! of one that is gone.

use anyhow::{Context, Result};
use fantoccini::key::Key;
use serde_json::Value;
use support::{Home, Window, wait_for};

use crate::{
    asked, at_a_prompt, ctrl, enter_line, gives, killed_and_opened_again, says, scenario, shift,
    text_of,
};

const PAGE_UP: Key = Key::PageUp;
const PAGE_DOWN: Key = Key::PageDown;

/// What is on the clipboard, once that is wanted.
async fn clipboard(window: &Window, what: &str, wanted: impl Fn(&str) -> bool) -> Result<String> {
    wait_for(&format!("{what} on the clipboard"), || async {
        match asked(window, "read_clipboard").await {
            Ok(Value::String(text)) if wanted(&text) => Ok(text),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

/// Where the selected command is, in pixels of its pane: from, to.
async fn frame(
    window: &Window,
    what: &str,
    wanted: impl Fn(f64, f64) -> bool,
) -> Result<(f64, f64)> {
    let script = "const frame = document.querySelector('.block-frame');
        return frame ? [frame.offsetTop, frame.offsetTop + frame.offsetHeight] : null;";
    let place = |value: &Value| Some((value.get(0)?.as_f64()?, value.get(1)?.as_f64()?));
    let value = gives(window, what, script, |value| {
        place(value).is_some_and(|(from, to)| wanted(from, to))
    })
    .await?;
    place(&value).context("a place")
}

/// Where a row of a pane is that reads so, in pixels of the window: its left end, its middle.
async fn row(window: &Window, pane: u64, text: &str) -> Result<(f64, f64)> {
    let script = format!(
        "const root = document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root');
         const rows = Array.from(root.shadowRoot.querySelectorAll('.xterm-rows > div'));
         const row = rows.find((row) => row.textContent.replaceAll('\\u00a0', ' ').trim() === '{text}');
         const box = row?.getBoundingClientRect();
         return box ? [box.x, box.y + box.height / 2] : null;"
    );
    let value = gives(window, text, &script, Value::is_array).await?;
    let at = |index: usize| value.get(index).and_then(Value::as_f64).context("a place");
    Ok((at(0)?, at(1)?))
}

#[tokio::test]
async fn a_command_is_selected_by_keys_and_copied_with_its_output() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("block", window, async |window| {
        window.click("[aria-label=\"Close Welcome\"]").await?;
        enter_line(window, pane, "cd /tmp; echo first").await?;
        enter_line(window, pane, r"printf '\e[31mred\e[0m\nno end'; (exit 3)").await?;
        enter_line(window, pane, "seq 1 200").await?;
        window
            .see(pane, "the last of the numbers", |screen| {
                screen.contains("\n200\nready>")
            })
            .await?;
        // The output of what one reads says whose it is; what is at the end is not covered.
        assert_eq!(window.count(".block-sticky").await?, 0);
        window.chord(&[shift()], PAGE_UP.into()).await?;
        says(window, ".block-sticky", "seq 1 200ok after").await?;
        window.picture("block-sticky").await?;

        window.chord(&[ctrl(), shift()], PAGE_UP.into()).await?;
        says(window, ".block-bar", "seq 1 200, ok after").await?;
        let (from, to) = frame(window, "the frame of a long command", |_, to| to > 200.0).await?;
        assert!(from < 40.0 && to > from, "{from} to {to}");
        window.picture("block-long").await?;
        window.chord(&[ctrl(), shift()], PAGE_UP.into()).await?;
        says(window, ".block-bar", "exit status 3 after").await?;
        window.picture("block-selected").await?;
        window
            .click(".block-bar [aria-label=\"Copy its output\"]")
            .await?;
        clipboard(window, "the output", |text| text == "red\nno end").await?;
        window
            .click(".block-bar [aria-label^=\"Copy to share\"]")
            .await?;
        let shared = clipboard(window, "what is shared", |text| text.contains("exit")).await?;
        let (printed, facts) = shared.split_once("\n\n[").context("facts")?;
        assert_eq!(
            printed,
            "$ printf '\\e[31mred\\e[0m\\nno end'; (exit 3)\nred\nno end"
        );
        assert!(facts.starts_with("exit status 3 after "), "{facts}");
        assert!(facts.contains(" · in /tmp · "), "{facts}");

        // Down again, past the last one, and the keys are the shell's.
        window.chord(&[ctrl(), shift()], PAGE_DOWN.into()).await?;
        says(window, ".block-bar", "seq 1 200, ok after").await?;
        window.chord(&[ctrl(), shift()], PAGE_DOWN.into()).await?;
        window.gone(".block-bar").await?;
        window.type_keys("echo typed").await?;
        window.chord(&[ctrl(), shift()], PAGE_UP.into()).await?;
        window.find(".block-bar").await?;
        window
            .click(".block-bar [aria-label=\"Run it again\"]")
            .await?;
        // What was typed at the prompt is not run, nor a part of what is.
        window
            .see(pane, "the numbers once more", |screen| {
                screen.contains("\n200\nready>") && !screen.contains("typed")
            })
            .await?;
        window.gone(".block-bar").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_command_is_taken_by_its_mark_and_by_the_menu_of_what_it_printed() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("block-menu", window, async |window| {
        window.click("[aria-label=\"Close Welcome\"]").await?;
        enter_line(window, pane, "echo one; echo two").await?;
        enter_line(window, pane, "false").await?;
        let mark = format!(
            "const root = document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root');
             const mark = root.shadowRoot.querySelector('.command-mark[data-exit=failed]');
             const box = mark?.getBoundingClientRect();
             return box && box.height > 0 ? [box.x + 1, box.y + box.height / 2] : null;"
        );
        let place = gives(window, "the mark of a failure", &mark, Value::is_array).await?;
        let at = |index: usize| place.get(index).and_then(Value::as_f64).context("a place");
        window.click_at(at(0)?, at(1)?).await?;
        says(window, ".block-bar", "false, exit status 1 after").await?;
        window
            .type_keys(&char::from(Key::Escape).to_string())
            .await?;
        window.gone(".block-bar").await?;

        let (x, y) = row(window, pane, "two").await?;
        window.right_click_at(x + 200.0, y).await?;
        says(window, ".menu", "Copy its output").await?;
        window.picture("block-menu").await?;
        window.choose("Copy the command").await?;
        clipboard(window, "the command", |text| text == "echo one; echo two").await?;

        // What runs is stuck to the top while one scrolls, and is not run a second time.
        enter_line(window, pane, "seq 1 90; read -r line").await?;
        window
            .see(pane, "the last number", |screen| screen.contains("\n90\n"))
            .await?;
        window.chord(&[shift()], PAGE_UP.into()).await?;
        says(window, ".block-sticky", "seq 1 90; read -r lineruns").await?;
        window.click(".block-sticky").await?;
        window
            .see(pane, "where it was typed", |screen| {
                screen.starts_with("ready> seq 1 90; read -r line\n1\n2\n")
            })
            .await?;
        window.gone(".block-sticky").await?;
        window.chord(&[ctrl(), shift()], PAGE_UP.into()).await?;
        window.chord(&[ctrl(), shift()], PAGE_DOWN.into()).await?;
        says(window, ".block-bar", "seq 1 90; read -r line, runs").await?;
        window
            .click(".block-bar [aria-label=\"Run it again\"]")
            .await?;
        says(window, ".notices", "can be run again when it has ended").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_was_printed_before_a_restart_stands_dimmed_above_the_new_shell() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    window.click("[aria-label=\"Close Welcome\"]").await?;
    enter_line(&window, pane, "seq 1 60; echo needle-$((40 + 2))").await?;
    window
        .see(pane, "the answer", |screen| screen.contains("\nneedle-42"))
        .await?;
    window.session_holds(&format!("terminal-{pane}")).await?;
    // As when the machine goes down: nobody gets to say goodbye. What is on screen is noted a little after it came, so a
    // note from now on has all of it.
    let mark = home.path().join("seen");
    std::fs::write(&mark, "")?;
    let seen = std::fs::metadata(&mark)?.modified()?;
    window.type_keys("t").await?;
    let noted = home.path().join(format!("data/history/{pane}/screen"));
    wait_for("the screen to be noted on disk", || async {
        let written = std::fs::metadata(&noted).and_then(|noted| noted.modified());
        match written {
            Ok(written) if written > seen => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await?;
    for host in home.hosts() {
        Home::kill(host);
    }
    let window = killed_and_opened_again(&home, window).await?;
    scenario("earlier", window, async |window| {
        let again = window.first_pane().await?;
        assert_ne!(again, pane, "its program is gone");
        says(window, ".notices", "stands above, dimmed").await?;
        let screen = window
            .see(again, "what was, and a prompt below", |screen| {
                screen.contains("\nneedle-42\n") && screen.trim_end().ends_with("ready>")
            })
            .await?;
        assert!(screen.contains("\n60\n"), "{screen}");
        let label = format!(
            "return document.querySelector('[data-testid=\"pane-{again}\"] .terminal-root')
                .shadowRoot.querySelector('.earlier-end')?.textContent ?? '';"
        );
        gives(window, "until when that was", &label, |label| {
            label.as_str().is_some_and(|label| label.starts_with("What was until "))
        })
        .await?;
        let dim = format!(
            "const root = document.querySelector('[data-testid=\"pane-{again}\"] .terminal-root').shadowRoot;
             const rows = Array.from(root.querySelectorAll('.xterm-rows > div'));
             return rows.filter((row) => row.querySelector('.xterm-dim')).map((row) => row.textContent.trim());"
        );
        let dimmed = window.script(&dim).await?.to_string();
        assert!(dimmed.contains("\"needle-42\"") && dimmed.contains("\"60\""), "{dimmed}");
        window.picture("earlier-dark").await?;
        // No command is marked there; the first one that is, is the new shell's.
        enter_line(window, again, "echo new").await?;
        window
            .see(again, "its answer", |screen| screen.contains("\nnew\n"))
            .await?;
        window.chord(&[ctrl(), shift()], PAGE_UP.into()).await?;
        says(window, ".block-bar", "echo new").await?;
        window.chord(&[ctrl(), shift()], PAGE_UP.into()).await?;
        says(window, ".block-bar", "echo new").await?;
        // It is found as before, in its place.
        window.chord(&[ctrl(), shift()], 'f').await?;
        window.find("[data-testid=\"find-input\"]").await?;
        window.type_keys("needle-4").await?;
        says(window, "[data-testid=\"find-count\"]", "1 match").await?;
        window.type_keys(&crate::enter().to_string()).await?;
        let marked = format!(
            "return document.querySelector('[data-testid=\"pane-{again}\"] .terminal-root')
                .shadowRoot.querySelectorAll('.match-current').length;"
        );
        gives(window, "the match on its row", &marked, |count| {
            count.as_u64() > Some(0)
        })
        .await?;
        assert!(!text_of(window, "body").await?.contains("History:"));
        std::fs::write(
            home.path().join("config/settings.json"),
            r#"{ "renderer": "dom", "tour": false, "shell": "/bin/bash", "theme": "light" }"#,
        )?;
        window.find("[data-theme=\"light\"]").await?;
        window.picture("earlier-light").await
    })
    .await
}
