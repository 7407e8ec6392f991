//! Arrangements of panes by name.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
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

/// A tmux server of its own, with what was begun there; it ends with this.
struct Tmux(std::path::PathBuf);

impl Tmux {
    fn says(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new("tmux")
            .env_remove("TMUX")
            .arg("-S")
            .arg(&self.0)
            .args(["-f", "/dev/null"])
            .args(arguments)
            .current_dir("/")
            .output()
            .context("`tmux` is missing: `make setup`")?;
        ensure!(output.status.success(), "tmux {arguments:?}: {output:?}");
        Ok(String::from_utf8(output.stdout)?)
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.says(&["kill-server"]);
    }
}

#[tokio::test]
async fn windows_of_tmux_are_tabs_that_attach_to_what_runs_there() -> Result<()> {
    let home = Home::new()?;
    let api = home.user().join("api");
    fs::create_dir_all(&api)?;
    let api = api.canonicalize()?.display().to_string();
    let tmux = Tmux(home.path().join("tmux.sock"));
    let socket = tmux.0.display().to_string();
    let cat = "echo in-$PWD; exec cat";
    tmux.says(&[
        "new-session",
        "-d",
        "-s",
        "shop",
        "-n",
        "logs",
        "-c",
        "/usr",
        cat,
    ])?;
    tmux.says(&["new-window", "-t", "shop", "-n", "api: v2", "-c", &api, cat])?;
    tmux.says(&["split-window", "-t", "shop", "-c", "/etc", cat])?;

    let (window, pane) = at_a_prompt(&home).await?;
    scenario("tmux", window, async |window| {
        let import = ["import", "tmux", "shop", "--socket", &socket];
        let printed = home.ok(&import)?;
        assert_eq!(
            printed,
            "2 windows of tmux, kept as the layout `tmux shop`\n"
        );
        // The window that tmux had in front, with both of its panes as tmux draws them.
        let front = crate::other_than(window, pane).await?;
        window
            .see(front, "both panes of the window", |screen| {
                let text = screen.replace('\n', "");
                text.contains("in-/etc") && text.contains(&format!("in-{}", &api[..20]))
            })
            .await?;
        says(window, &format!("[data-testid=\"tab-{front}\"]"), "api: v2").await?;
        window.picture("tmux").await?;
        enter_line(window, front, "typed here").await?;
        wait_for("what was typed, in tmux", || async {
            let seen = tmux.says(&["capture-pane", "-p", "-t", "shop:api: v2"]);
            let seen = seen.map_err(|error| error.to_string())?;
            if seen.contains("typed here") {
                Ok(())
            } else {
                Err(seen)
            }
        })
        .await?;
        // The other tab shows the other window, and leaves this one where it is.
        window
            .click(&format!("[data-testid=\"tab-{}\"]", front - 1))
            .await?;
        window
            .see(front - 1, "the other window", |screen| {
                screen.contains("in-/usr")
            })
            .await?;

        // A tab that is closed ends nothing there, and leaves nothing behind.
        home.ok(&["kill", &front.to_string(), &(front - 1).to_string()])?;
        wait_for("the sessions of the tabs to go", || async {
            match tmux.says(&["list-sessions", "-F", "#{session_name}"]) {
                Ok(sessions) if sessions == "shop\n" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await?;
        let panes = tmux.says(&["list-panes", "-a", "-F", "#{pane_current_command}"])?;
        assert_eq!(panes, "cat\ncat\ncat\n");
        let none = home.run(&["import", "tmux", "shpo", "--socket", &socket])?;
        let said = String::from_utf8_lossy(&none.stderr).into_owned();
        assert!(
            said.contains("tmux has no session `shpo`; there are `shop`"),
            "{said}"
        );
        Ok(())
    })
    .await
}
