//! Conflicts between worktrees, as a person sees them come and go.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use support::Home;

use crate::{at_a_prompt, ctrl, enter_line, says, scenario, shift, shows};

fn git(directory: &Path, arguments: &[&str]) -> Result<()> {
    let output = std::process::Command::new("git")
        .current_dir(directory)
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(arguments)
        .output()?;
    ensure!(output.status.success(), "git {arguments:?}: {output:?}");
    Ok(())
}

/// A repository with a file `list` of 20 lines, and the worktrees `one` and `two` beside it.
fn worktrees(home: &Home) -> Result<[PathBuf; 2]> {
    let main = home.path().join("shop");
    std::fs::create_dir(&main)?;
    git(&main, &["init", "-q", "-b", "main"])?;
    let lines: String = (1..=20).map(|line| format!("line {line}\n")).collect();
    std::fs::write(main.join("list"), lines)?;
    git(&main, &["add", "-A"])?;
    git(&main, &["commit", "-q", "-m", "x"])?;
    for name in ["one", "two"] {
        let place = format!("../{name}");
        git(&main, &["worktree", "add", "-q", "-b", name, &place])?;
    }
    Ok(["one", "two"].map(|name| home.path().join(name)))
}

#[tokio::test]
async fn the_same_line_in_two_worktrees_is_shown_side_by_side_until_one_is_undone() -> Result<()> {
    let home = Home::new()?;
    let [one, two] = worktrees(&home)?;
    let (window, first) = at_a_prompt(&home).await?;
    scenario("conflicts", window, async |window| {
        enter_line(window, first, &format!("cd {}", one.display())).await?;
        window.chord(&[ctrl(), shift()], 'd').await?;
        let panes = shows(window, 2).await?;
        let second = *panes.iter().find(|pane| **pane != first).context("two")?;
        window
            .see(second, "a prompt", |screen| screen.contains("ready>"))
            .await?;
        enter_line(window, second, &format!("cd {}", two.display())).await?;
        says(window, "[data-testid=status-conflicts]", "No conflicts").await?;

        enter_line(window, first, "sed -i 's/line 7$/seven/' list").await?;
        enter_line(window, second, "sed -i 's/line 7$/SEVEN/' list").await?;
        says(window, "[data-testid=status-conflicts]", "1 conflict").await?;
        for pane in [first, second] {
            let badge = format!("[data-testid=tab-{pane}] [data-testid=conflict-badge]");
            says(window, &badge, "1").await?;
        }
        let worktrees = window.count("nav [data-testid=conflict-badge]").await?;
        ensure!(worktrees == 2, "{worktrees} worktrees have a badge");

        // The panel lists it, and opens both sides.
        window.chord(&[ctrl(), shift()], 'x').await?;
        says(window, "[data-testid=verdict-row]", "list").await?;
        says(window, "[data-testid=verdict-row]", "no clean merge").await?;
        window.click("[data-testid=verdict-row]").await?;
        says(window, "[data-testid=region] [data-side=left]", "+seven").await?;
        says(window, "[data-testid=region] [data-side=right]", "+SEVEN").await?;
        window.picture("conflict").await?;
        window.click("[data-testid=verdict-merge]").await?;
        says(window, "[data-testid=merge-preview]", "<<<<<<< one").await?;
        window.click("[data-testid=verdict-merge]").await?;

        // What is shown follows the file.
        std::fs::write(
            one.join("list"),
            std::fs::read_to_string(one.join("list"))?.replace("seven", "7th"),
        )?;
        says(window, "[data-testid=region] [data-side=left]", "+7th").await?;

        // One is undone: nothing is left of it.
        git(&two, &["checkout", "-q", "--", "list"])?;
        window.find("[data-testid=verdict-resolved]").await?;
        says(window, "[data-testid=status-conflicts]", "No conflicts").await?;
        window.gone("[data-testid=conflict-badge]").await?;
        window.gone("[data-testid=verdict-row]").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_other_side_is_told_in_its_pane_and_a_muted_pair_stays_muted() -> Result<()> {
    let home = Home::new()?;
    let [one, two] = worktrees(&home)?;
    for (place, text) in [(&one, "seven"), (&two, "SEVEN")] {
        let list = place.join("list");
        let changed = std::fs::read_to_string(&list)?.replace("line 7\n", &format!("{text}\n"));
        std::fs::write(list, changed)?;
    }
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("tell", window, async |window| {
        enter_line(window, pane, &format!("cd {}", one.display())).await?;
        // A program that reads what is typed, as an agent would.
        enter_line(window, pane, "cat").await?;
        says(window, "[data-testid=status-conflicts]", "1 conflict").await?;
        window.click("[data-testid=status-conflicts]").await?;
        window.click("[data-testid=verdict-row]").await?;
        window.click("[data-testid=tell-left]").await?;
        window.click("[data-testid=tell-type]").await?;
        let screen = window
            .see(pane, "the message", |screen| screen.contains("A heads-up"))
            .await?;
        // Typed, not entered: `cat` has not answered with the same.
        ensure!(screen.matches("A heads-up").count() == 1, "{screen}");

        window.click("[data-testid=verdict-row]").await?;
        says(window, "[data-testid=verdict]", "Both change line 7").await?;
        window.find("[data-testid=verdict-row]").await?;
        window
            .script("document.querySelector('[data-testid=verdict-row]').focus();")
            .await?;
        window.type_keys("m").await?;
        says(window, "[data-testid=conflicts-none]", "No conflicts").await?;
        says(window, "[data-testid=wishes]", "1").await?;
        Ok(())
    })
    .await?;

    // The repository comes back with its pane, and what was muted stays muted.
    let window = support::Window::open(&home).await?;
    scenario("muted", window, async |window| {
        says(window, "[data-testid=status-conflicts]", "No conflicts").await?;
        window.click("[data-testid=status-conflicts]").await?;
        says(window, "[data-testid=wishes]", "1").await?;
        Ok(())
    })
    .await
}
