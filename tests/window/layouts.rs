//! Arrangements of panes by name.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::Result;
use support::{Home, Window, wait_for};

use crate::{at_a_prompt, ctrl, enter, enter_line, says, scenario, shift, shows};

/// Does a command of the window by its name in the palette.
async fn command(window: &Window, id: &str) -> Result<()> {
    window.chord(&[ctrl(), shift()], 'p').await?;
    window.find("[data-testid=\"palette\"]").await?;
    window.type_keys(id).await?;
    window
        .click(&format!("[data-testid=\"command-{id}\"]"))
        .await
}

/// Waits until each of the panes has been asked where it is, and answers so.
async fn are_in(window: &Window, panes: &[u64], directories: &[String]) -> Result<()> {
    for (pane, directory) in panes.iter().zip(directories) {
        window
            .see(*pane, "a prompt", |screen| screen.contains("ready>"))
            .await?;
        enter_line(window, *pane, "pwd").await?;
        window
            .see(*pane, "its directory", |screen| {
                let screen = screen.replace('\n', "");
                screen.contains(&format!("pwd{directory}ready>"))
            })
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_arrangement_is_saved_by_name_and_opened_elsewhere_from_the_window_and_from_a_shell()
-> Result<()> {
    let home = Home::new()?;
    let user = home.user().canonicalize()?;
    for shop in ["one", "two"] {
        for part in ["api", "web"] {
            fs::create_dir_all(user.join(shop).join(part))?;
        }
    }
    let directories = |shop: &str| -> Vec<String> {
        ["api", "web"]
            .map(|part| user.join(shop).join(part).display().to_string())
            .into()
    };
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("layouts", window, async |window| {
        window.click("[aria-label=\"Close Welcome\"]").await?;
        enter_line(window, pane, "cd ~/one/api; clear").await?;
        window.chord(&[ctrl(), shift()], 'd').await?;
        let panes = shows(window, 2).await?;
        enter_line(window, panes[1], "cd ~/one/web; clear").await?;
        are_in(window, &panes, &directories("one")).await?;

        command(window, "layout.save").await?;
        window.find("[data-testid=\"layout-name\"]").await?;
        says(window, "[data-testid=\"layout-dialog\"]", "2 panes in").await?;
        window.type_keys("shop").await?;
        window.picture("layout-save").await?;
        window.type_keys(&enter().to_string()).await?;
        window.gone("[data-testid=\"layout-dialog\"]").await?;
        let listed = home.ok(&["layouts"])?;
        assert!(
            listed.contains("shop") && listed.contains("~/one"),
            "{listed}"
        );

        // Elsewhere, from a shell: what was there goes on, without a tab.
        let elsewhere = user.join("two").display().to_string();
        home.ok(&["open", "--layout", "shop", "--cwd", &elsewhere])?;
        let opened = wait_for("two other panes", || async {
            let now = shows(window, 2).await.map_err(|error| error.to_string())?;
            if now.iter().any(|one| panes.contains(one)) {
                Err(format!("{now:?}"))
            } else {
                Ok(now)
            }
        })
        .await?;
        are_in(window, &opened, &directories("two")).await?;
        says(window, "body", "goes on without tabs").await?;
        window.picture("layout-opened").await?;
        window
            .find(&format!("[data-testid=\"sidebar-pane-{pane}\"]"))
            .await?;

        // And back.
        command(window, "layout.open").await?;
        window.find("[data-testid=\"picker-input\"]").await?;
        window.picture("layout-open").await?;
        window.type_keys(&enter().to_string()).await?;
        wait_for("the layout where it was saved", || async {
            let now = shows(window, 2).await.map_err(|error| error.to_string())?;
            if now
                .iter()
                .any(|one| panes.contains(one) || opened.contains(one))
            {
                Err(format!("{now:?}"))
            } else {
                Ok(())
            }
        })
        .await?;
        home.ok(&["layouts", "remove", "shop"])?;
        let none = home.run(&["open", "--layout", "shop"])?;
        assert!(!none.status.success());
        let said = String::from_utf8_lossy(&none.stderr).into_owned();
        assert!(said.contains("no layout is called `shop`"), "{said}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_layout_opens_a_window_when_none_runs() -> Result<()> {
    let home = Home::new()?;
    let user = home.user().canonicalize()?;
    for directory in ["one/api", "one/web", "two/api", "two/web"] {
        fs::create_dir_all(user.join(directory))?;
    }
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("layout-kept", window, async |window| {
        window.click("[aria-label=\"Close Welcome\"]").await?;
        enter_line(window, pane, "cd ~/one/api; clear").await?;
        window.chord(&[ctrl(), shift()], 'd').await?;
        let panes = shows(window, 2).await?;
        enter_line(window, panes[1], "cd ~/one/web; clear").await?;
        let here = ["api", "web"].map(|part| user.join("one").join(part).display().to_string());
        are_in(window, &panes, &here).await?;
        command(window, "layout.save").await?;
        window.find("[data-testid=\"layout-name\"]").await?;
        window.type_keys(&format!("shop{}", enter())).await?;
        window.gone("[data-testid=\"layout-dialog\"]").await
    })
    .await?;
    // Its process may outlive its driver.
    for left in home.windows() {
        Home::kill(left);
    }

    let elsewhere = user.join("two");
    let mut opened = Command::new(Home::program())
        .args(["open", "--layout", "shop", "--cwd"])
        .arg(&elsewhere)
        .envs(home.environment())
        .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
        .current_dir(home.path())
        .stdin(Stdio::null())
        .spawn()?;
    let there = wait_for("a pane in each of its directories", || async {
        let panes = home.ok(&["panes", "--json"]);
        let panes = panes.map_err(|error| error.to_string())?;
        let wanted = ["api", "web"].map(|part| elsewhere.join(part).display().to_string());
        let all = wanted
            .iter()
            .all(|directory| panes.contains(directory.as_str()));
        if all { Ok(()) } else { Err(panes) }
    })
    .await;
    // The command has become the window.
    let windows = home.windows();
    opened.kill()?;
    opened.wait()?;
    there?;
    assert_eq!(windows, [opened.id()]);
    Ok(())
}
