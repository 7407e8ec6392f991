//! More windows than one.

use anyhow::{Context, Result};
use fantoccini::key::Key;
use fantoccini::wd::WindowHandle;
use support::{Home, Window, wait_for};

use crate::{
    at_a_prompt, ctrl, enter_line, killed_and_opened_again, says, scenario, shift, shown, shows,
};

/// The window that came to be beside those that were there.
pub(crate) async fn new_beside(window: &Window, before: &[WindowHandle]) -> Result<WindowHandle> {
    let all = window.windows(before.len() + 1).await?;
    let new = all.into_iter().find(|one| !before.contains(one));
    new.context("one more window")
}

/// Waits until the window that has the keys shows this pane, and no other.
async fn shows_only(window: &Window, pane: u64) -> Result<()> {
    wait_for(&format!("pane {pane} alone"), || async {
        match shown(window).await {
            Ok(panes) if panes == [pane] => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

/// The window among these that shows a pane.
async fn with_pane(window: &Window, among: &[WindowHandle], pane: u64) -> Result<WindowHandle> {
    wait_for(&format!("a window with pane {pane}"), || async {
        for one in among {
            let turned = window.turn_to(one).await;
            turned.map_err(|error| error.to_string())?;
            if shown(window).await.is_ok_and(|panes| panes.contains(&pane)) {
                return Ok(one.clone());
            }
        }
        Err("in none".to_owned())
    })
    .await
}

#[tokio::test]
async fn a_second_window_has_tabs_of_its_own_and_both_come_back_after_a_crash() -> Result<()> {
    let home = Home::new()?;
    let (window, one) = at_a_prompt(&home).await?;
    window.click("[aria-label=\"Close Welcome\"]").await?;
    enter_line(&window, one, "cd /tmp; echo this is \"the first\"").await?;
    let there = window.windows(1).await?;

    // By its key: a terminal where the one in front is.
    window.chord(&[ctrl(), Key::Alt.into()], 'n').await?;
    let second = new_beside(&window, &there).await?;
    window.turn_to(&second).await?;
    let [two] = shows(&window, 1).await?[..] else {
        anyhow::bail!("one pane");
    };
    assert_ne!(two, one);
    enter_line(&window, two, "pwd; echo this is \"the second\"").await?;
    window
        .see(two, "its own terminal", |screen| {
            screen.contains("/tmp\nthis is the second")
        })
        .await?;
    // What is in the other window is seen here, and said to be there.
    says(
        &window,
        &format!("[data-testid=\"sidebar-pane-{one}\"]"),
        "other window",
    )
    .await?;

    // One more tab here, which goes to the first window by its menu; what it printed goes with it.
    window.chord(&[ctrl(), shift()], 't').await?;
    let three = crate::other_than(&window, two).await?;
    enter_line(&window, three, "echo this is \"the third\"").await?;
    window
        .see(three, "its line", |screen| {
            screen.contains("\nthis is the third")
        })
        .await?;
    window
        .right_click(&format!("[data-testid=\"tab-{three}\"]"))
        .await?;
    window.picture("windows-menu").await?;
    window.choose("Move to “bash”").await?;
    shows_only(&window, two).await?;
    window.turn_to(&there[0]).await?;
    window
        .see(three, "the tab that came", |screen| {
            screen.contains("\nthis is the third")
        })
        .await?;
    window.picture("windows-two").await?;

    // A pane of the other window is gone to there: no window shows it twice.
    window
        .click(&format!("[data-testid=\"sidebar-pane-{two}\"]"))
        .await?;
    shows_only(&window, three).await?;
    window.session_holds(&format!("terminal-{three}")).await?;
    window.turn_to(&second).await?;
    window.session_holds(&format!("terminal-{two}")).await?;

    // A crash: both are there again, each with its own.
    let window = killed_and_opened_again(&home, window).await?;
    let both = window.windows(2).await?;
    let first = with_pane(&window, &both, three).await?;
    let second = with_pane(&window, &both, two).await?;
    assert_ne!(first, second);
    window.turn_to(&first).await?;
    window.find(&format!("[data-testid=\"tab-{one}\"]")).await?;
    window
        .see(three, "what it printed", |screen| {
            screen.contains("\nthis is the third")
        })
        .await?;

    // Who closes one of two is told, in the other, how it comes back.
    window.turn_to(&second).await?;
    // A little later: who asks is gone by then.
    let close = "setTimeout(() => window.__TAURI_INTERNALS__.invoke('close_window'), 50);";
    window.script(close).await?;
    let left = window.windows(1).await?;
    scenario("windows-closed", window, async |window| {
        window.turn_to(&left[0]).await?;
        says(window, "body", "What runs in its tab goes on.").await?;
        window.picture("windows-closed").await?;
        says(
            window,
            &format!("[data-testid=\"sidebar-pane-{two}\"]"),
            "no tab",
        )
        .await?;
        window.click(".notice button").await?;
        let back = new_beside(window, &left).await?;
        window.turn_to(&back).await?;
        window
            .see(two, "the window as it was", |screen| {
                screen.contains("this is the second")
            })
            .await?;
        // From a shell: one more, where the shell is.
        window.turn_to(&left[0]).await?;
        let before = window.windows(2).await?;
        home.ok(&["window", "new", "--cwd", "/usr"])?;
        let third = new_beside(window, &before).await?;
        window.turn_to(&third).await?;
        let [four] = shows(window, 1).await?[..] else {
            anyhow::bail!("one pane");
        };
        enter_line(window, four, "pwd").await?;
        window
            .see(four, "its directory", |screen| screen.contains("\n/usr\n"))
            .await?;
        // The program itself, once more: the process that has the windows opens another one.
        let before = window.windows(3).await?;
        home.ok(&[])?;
        new_beside(window, &before).await?;
        assert_eq!(home.windows().len(), 1);
        window.turn_to(&before[0]).await
    })
    .await
}
