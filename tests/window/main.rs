//! The real window, used as a person uses it: keys, mouse, and what is on screen.

use anyhow::{Context, Result};
use fantoccini::key::Key;
use serde_json::Value;
use support::{Home, Window, wait_for};

mod access;
mod acp;
mod agents;
mod blocks;
mod changes;
mod conflicts;
mod disk;
mod drafts;
mod flow;
mod images;
mod layouts;
mod machines;
mod notices;
mod panes;
mod reach;
mod search;
mod settings;
mod tour;
mod windows;
mod workspace;

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
        .click(&format!("[data-testid=\"pane-{pane}\"] .terminal-screen"))
        .await?;
    window.type_keys(line).await?;
    window.type_keys(&enter().to_string()).await
}

/// The numbers of the panes on show.
async fn shown(window: &Window) -> Result<Vec<u64>> {
    let ids = window
        .script(
            "return Array.from(document.querySelectorAll('[data-pane]'))
                .filter((pane) => pane.checkVisibility({ visibilityProperty: true }))
                .filter((pane) => pane.clientWidth > 0 && pane.clientHeight > 0)
                .map((pane) => Number(pane.dataset.pane));",
        )
        .await?;
    let ids = ids.as_array().context("a list of panes")?;
    Ok(ids.iter().filter_map(Value::as_u64).collect())
}

/// Waits until a script gives what is wanted, and returns that.
async fn gives(
    window: &Window,
    what: &str,
    script: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Result<Value> {
    wait_for(what, || async {
        match window.script(script).await {
            Ok(value) if wanted(&value) => Ok(value),
            other => Err(format!("{other:?}")),
        }
    })
    .await
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

/// Waits until another pane than this one is on show, and returns its number.
async fn other_than(window: &Window, pane: u64) -> Result<u64> {
    wait_for("another pane", || async {
        let panes = shown(window).await.map_err(|error| error.to_string())?;
        let other = panes.into_iter().find(|one| *one != pane);
        other.ok_or_else(|| "none".to_owned())
    })
    .await
}

/// Acts in a window and closes it; a failure leaves a picture of the window in `artifacts/NAME.png`.
async fn scenario(
    name: &str,
    window: Window,
    acts: impl AsyncFnOnce(&Window) -> Result<()>,
) -> Result<()> {
    let outcome = acts(&window).await;
    if outcome.is_err() {
        window.picture(name).await.ok();
    }
    let closed = window.close().await;
    outcome.and(closed)
}

/// Kills the window as a power cut would, and opens it again.
async fn killed_and_opened_again(home: &Home, window: Window) -> Result<Window> {
    for pid in home.windows() {
        Home::kill(pid);
    }
    drop(window);
    Window::open(home).await
}

/// The text of the page, or of the part that `css` selects.
async fn text_of(window: &Window, css: &str) -> Result<String> {
    let script = format!("return document.querySelector({css:?})?.textContent ?? '';");
    let text = window.script(&script).await?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

/// Waits until the part of the page that `css` selects says `wanted`, and returns what it says.
async fn says(window: &Window, css: &str, wanted: &str) -> Result<String> {
    wait_for(&format!("`{wanted}` in {css}"), || async {
        let text = text_of(window, css)
            .await
            .map_err(|error| error.to_string())?;
        if text.contains(wanted) {
            Ok(text)
        } else {
            Err(text)
        }
    })
    .await
}

/// What a command of the window answers.
async fn asked(window: &Window, command: &str) -> Result<serde_json::Value> {
    let script = format!(
        "const done = arguments[arguments.length - 1];
         window.__TAURI_INTERNALS__.invoke('{command}').then(done, (error) => done(JSON.stringify(error)));"
    );
    Ok(window.client.execute_async(&script, Vec::new()).await?)
}
