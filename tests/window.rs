//! The real window, used as a person uses it: keys, mouse, and what is on screen.

use anyhow::{Context, Result};
use fantoccini::key::Key;
use support::{Home, Window, wait_for};

/// The modifier keys, as WebDriver numbers them.
fn ctrl() -> char {
    Key::Control.into()
}

fn shift() -> char {
    Key::Shift.into()
}

fn enter() -> char {
    Key::Enter.into()
}

/// Opens a window with one shell at its prompt.
async fn at_a_prompt(home: &Home) -> Result<(Window, u64)> {
    let window = Window::open(home).await?;
    let pane = window.first_pane().await?;
    window
        .see(pane, "a prompt", |screen| screen.contains("ready>"))
        .await?;
    Ok((window, pane))
}

/// Types a line into a pane and presses Enter.
async fn enter_line(window: &Window, pane: u64, line: &str) -> Result<()> {
    window
        .click(&format!("[data-testid=\"pane-{pane}\"] .xterm-screen"))
        .await?;
    window.type_keys(line).await?;
    window.type_keys(&enter().to_string()).await
}

/// The numbers of the panes on show.
async fn shown(window: &Window) -> Result<Vec<u64>> {
    let ids = window
        .script(
            "return Array.from(document.querySelectorAll('[data-pane]'))
                .filter((pane) => pane.checkVisibility({ visibilityProperty: true }) && pane.getBoundingClientRect().width > 0)
                .map((pane) => Number(pane.dataset.pane));",
        )
        .await?;
    let ids = ids.as_array().context("a list of panes")?;
    Ok(ids.iter().filter_map(serde_json::Value::as_u64).collect())
}

/// Waits until so many panes are on show, and returns their numbers.
async fn shows(window: &Window, count: usize) -> Result<Vec<u64>> {
    wait_for(&format!("{count} panes on show"), || async {
        match shown(window).await {
            Ok(panes) if panes.len() == count => Ok(panes),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

/// Runs a scenario; when it fails, leaves a picture of the window in `artifacts/`.
async fn pictured(name: &str, window: &Window, outcome: Result<()>) -> Result<()> {
    if outcome.is_err() {
        window.picture(name).await.ok();
    }
    outcome
}

#[tokio::test]
async fn a_command_typed_in_the_window_shows_its_output() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    let outcome = async {
        enter_line(&window, pane, "echo $((6 * 7)) 漢字 é").await?;
        window
            .see(pane, "the answer", |screen| screen.contains("\n42 漢字 é"))
            .await?;
        Ok(())
    }
    .await;
    pictured("command", &window, outcome).await?;
    window.close().await
}

#[tokio::test]
async fn a_killed_window_loses_nothing_and_its_programs_go_on() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    enter_line(
        &window,
        pane,
        "for i in $(seq 1 100000); do echo tick $i; read -t 0.05 x < /dev/tty; done",
    )
    .await?;
    let count = |screen: &str| -> u64 {
        screen
            .lines()
            .filter_map(|line| line.strip_prefix("tick ")?.trim().parse().ok())
            .max()
            .unwrap_or(0)
    };
    let screen = window
        .see(pane, "the counter at 20", |screen| count(screen) >= 20)
        .await?;
    let before = count(&screen);
    for pid in home.windows() {
        Home::kill(pid);
    }
    drop(window);

    let window = Window::open(&home).await?;
    let outcome = async {
        let again = window.first_pane().await?;
        assert_eq!(again, pane, "the same pane is in the same place");
        window
            .see(pane, "the counter, further on", |screen| {
                count(screen) > before + 5
            })
            .await?;
        Ok(())
    }
    .await;
    pictured("killed-window", &window, outcome).await?;
    window.close().await
}

#[tokio::test]
async fn panes_split_zoom_and_close_by_keys() -> Result<()> {
    let home = Home::new()?;
    let (window, first) = at_a_prompt(&home).await?;
    let outcome = async {
        window
            .click(&format!("[data-testid=\"pane-{first}\"] .xterm-screen"))
            .await?;
        window.chord(&[ctrl(), shift()], 'd').await?;
        let panes = shows(&window, 2).await?;
        let second = *panes.iter().max().context("two panes")?;
        window
            .see(second, "a prompt in the new pane", |screen| {
                screen.contains("ready>")
            })
            .await?;
        // The new pane has the focus: what is typed goes there.
        window.type_keys("echo in the second").await?;
        window.type_keys(&enter().to_string()).await?;
        window
            .see(second, "its output", |screen| {
                screen.contains("\nin the second")
            })
            .await?;
        assert!(!window.screen(first).await?.contains("in the second"));

        window.chord(&[ctrl(), shift()], enter()).await?;
        shows(&window, 1).await?;
        window.chord(&[ctrl(), shift()], enter()).await?;
        shows(&window, 2).await?;

        // A shell at its prompt is closed without a question.
        window.chord(&[ctrl(), shift()], 'w').await?;
        assert_eq!(shows(&window, 1).await?, [first]);
        Ok(())
    }
    .await;
    pictured("split", &window, outcome).await?;
    window.close().await
}

#[tokio::test]
async fn a_flood_in_one_pane_leaves_another_at_ones_fingertips() -> Result<()> {
    let home = Home::new()?;
    let (window, first) = at_a_prompt(&home).await?;
    let outcome = async {
        window
            .click(&format!("[data-testid=\"pane-{first}\"] .xterm-screen"))
            .await?;
        window.chord(&[ctrl(), shift()], 'd').await?;
        let second = *shows(&window, 2).await?.iter().max().context("two panes")?;
        window
            .see(second, "a prompt", |screen| screen.contains("ready>"))
            .await?;
        enter_line(&window, second, "yes the yard is quiet").await?;
        window
            .see(second, "the flood", |screen| {
                screen.matches("the yard is quiet").count() > 5
            })
            .await?;
        enter_line(&window, first, "echo still $((40 + 2)) here").await?;
        window
            .see(first, "the echo", |screen| {
                screen.contains("\nstill 42 here")
            })
            .await?;
        // And the flood stops when it is told to.
        window
            .click(&format!("[data-testid=\"pane-{second}\"] .xterm-screen"))
            .await?;
        window.chord(&[ctrl()], 'c').await?;
        window
            .see(second, "the prompt after the flood", |screen| {
                screen.trim_end().ends_with("ready>")
            })
            .await?;
        Ok(())
    }
    .await;
    pictured("flood", &window, outcome).await?;
    window.close().await
}

#[tokio::test]
async fn a_line_far_up_is_found_and_shown_where_it_is() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    let outcome = async {
        enter_line(&window, pane, "seq -f 'line number %.0f.' 1 60000; echo all printed").await?;
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
        wait_for("the old line among the results", || async {
            let text = window
                .script("return document.querySelector('[data-testid=\"search-results\"]')?.textContent ?? '';")
                .await
                .map_err(|error| error.to_string())?;
            let text = text.as_str().unwrap_or_default().to_owned();
            if text.contains("line number 12.") { Ok(()) } else { Err(text) }
        })
        .await?;
        window.click("[data-testid^=\"search-result-\"]").await?;
        let history = window.find(&format!("[data-testid=\"history-{pane}\"]")).await?;
        wait_for("the line in the history view", || async {
            let text = history.text().await.map_err(|error| error.to_string())?;
            if text.contains("line number 12.") { Ok(()) } else { Err(text) }
        })
        .await?;
        Ok(())
    }
    .await;
    pictured("search", &window, outcome).await?;
    window.close().await
}

#[tokio::test]
async fn settings_apply_when_they_are_saved() -> Result<()> {
    let home = Home::new()?;
    let (window, _) = at_a_prompt(&home).await?;
    let outcome = async {
        let size = || async {
            let size = window
                .script("return getComputedStyle(document.querySelector('.xterm-rows')).fontSize;")
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
        wait_for("the mistake to be told", || async {
            let page = window
                .script("return document.body.textContent;")
                .await
                .map_err(|error| error.to_string())?;
            let page = page.as_str().unwrap_or_default();
            if page.contains("settings.json") && page.contains("huge") {
                Ok(())
            } else {
                Err(page.to_owned())
            }
        })
        .await?;
        assert_eq!(size().await.map_err(anyhow::Error::msg)?, "21px");
        Ok(())
    }
    .await;
    pictured("settings", &window, outcome).await?;
    window.close().await
}

#[tokio::test]
async fn a_pane_whose_program_runs_is_closed_only_after_a_question() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    let outcome = async {
        enter_line(&window, pane, "sleep 600").await?;
        wait_for("the pane to be busy", || async {
            let panes = home
                .ok(&["panes", "--json"])
                .map_err(|error| error.to_string())?;
            if panes.contains("\"busy\":true") || panes.contains("\"busy\": true") {
                Ok(())
            } else {
                Err(panes)
            }
        })
        .await?;
        window.chord(&[ctrl(), shift()], 'w').await?;
        window.find("[data-testid=\"close-question\"]").await?;
        window
            .type_keys(&char::from(Key::Escape).to_string())
            .await?;
        window.gone("[data-testid=\"close-question\"]").await?;
        assert_eq!(shown(&window).await?, [pane]);
        Ok(())
    }
    .await;
    pictured("close-question", &window, outcome).await?;
    window.close().await
}

#[tokio::test]
async fn twenty_panes_are_there_again_after_the_window_was_killed() -> Result<()> {
    let home = Home::new()?;
    for number in 1..=20 {
        let script = format!(
            "printf '\\033[3{}mpane number {number}\\033[0m\\n'; exec sleep 600",
            number % 8
        );
        home.ok(&["open", "--", "/bin/sh", "-c", &script])?;
    }
    let (window, _) = at_a_prompt(&home).await?;
    window.find("[data-testid=\"sidebar-pane-20\"]").await?;
    for pid in home.windows() {
        Home::kill(pid);
    }
    drop(window);

    let (window, _) = at_a_prompt(&home).await?;
    let outcome = async {
        for pane in 1..=20_u64 {
            window
                .click(&format!("[data-testid=\"sidebar-pane-{pane}\"]"))
                .await?;
            window
                .see(pane, "what the pane printed", |screen| {
                    screen.starts_with(&format!("pane number {pane}\n"))
                })
                .await?;
        }
        Ok(())
    }
    .await;
    pictured("twenty-panes", &window, outcome).await?;
    window.close().await
}
