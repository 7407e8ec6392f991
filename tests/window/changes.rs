//! What a worktree changed, as a person reviews it while an agent writes.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use support::{Home, PaseoDaemon, Window, git, wait_for};

use crate::{at_a_prompt, ctrl, enter, enter_line, gives, says, scenario, shift};

/// A repository with a file of 60 lines, and a worktree `topic` of it beside it.
fn worktree(home: &Home) -> Result<PathBuf> {
    let main = home.path().join("shop");
    std::fs::create_dir_all(main.join("src/deep"))?;
    git(&main, &["init", "-q", "-b", "main"])?;
    let lines: String = (1..=60).map(|line| format!("line {line}\n")).collect();
    std::fs::write(main.join("src/deep/list.rs"), lines)?;
    std::fs::write(main.join("README.md"), "# Shop\n")?;
    git(&main, &["add", "-A"])?;
    git(&main, &["commit", "-q", "-m", "x"])?;
    git(&main, &["worktree", "add", "-q", "-b", "topic", "../topic"])?;
    Ok(home.path().join("topic"))
}

/// That worktree, with a line of its file changed.
pub(crate) fn changed_worktree(home: &Home) -> Result<PathBuf> {
    let topic = worktree(home)?;
    let list = topic.join("src/deep/list.rs");
    let text = std::fs::read_to_string(&list)?;
    std::fs::write(&list, text.replace("line 7\n", "seven\n"))?;
    Ok(topic)
}

#[tokio::test]
async fn what_is_written_is_shown_line_by_line_while_it_is_written() -> Result<()> {
    let home = Home::new()?;
    let topic = worktree(&home)?;
    let list = topic.join("src/deep/list.rs");
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("changes", window, async |window| {
        enter_line(window, pane, &format!("cd {}", topic.display())).await?;
        enter_line(window, pane, "sed -i 's/line 7$/seven/' src/deep/list.rs").await?;
        // The count in the sidebar leads to the files.
        says(window, "[data-testid=changed-topic]", "1 file").await?;
        window.click("[data-testid=changed-topic]").await?;
        says(window, "[data-testid=changes]", "no commits since main").await?;
        says(window, "[data-testid=diff-lines]", "seven").await?;
        says(window, "[data-testid=changes-file]", "list.rs").await?;

        // Somebody writes on: the same lines, another file; part of it is staged, part of it committed.
        let text = std::fs::read_to_string(&list)?;
        std::fs::write(
            &list,
            text.replace("seven", "7th")
                .replace("line 50\n", &format!("fifty{}\n", ", and on".repeat(60))),
        )?;
        says(window, "[data-testid=diff-lines]", "7th").await?;
        says(window, "[data-testid=diff-lines]", "fifty").await?;
        // However far one goes along a long line, what can be done with it is in reach.
        gives(
            window,
            "the buttons of a hunk beside the end of a long line",
            "const lines = document.querySelector('[data-testid=diff-lines]');
             lines.scrollLeft = lines.scrollWidth;
             const button = lines.querySelector('[data-testid=hunk-discard]').getBoundingClientRect();
             const { left, right } = lines.getBoundingClientRect();
             return lines.scrollLeft > 0 && left <= button.left && button.right <= right;",
            |is| is == true,
        )
        .await?;
        std::fs::write(topic.join("notes.md"), "one\ntwo\n")?;
        says(window, "[data-testid=changes-tree]", "Not tracked").await?;
        git(&topic, &["mv", "README.md", "READ.md"])?;
        says(window, "[data-testid=changes-tree]", "READ.md").await?;
        git(&topic, &["commit", "-q", "-m", "x"])?;
        says(window, "[data-testid=changes-tree]", "Committed since main").await?;
        says(window, "[data-testid=changes]", "1 commit since main").await?;
        git(&topic, &["add", "src"])?;
        says(window, "[data-testid=changes-tree]", "Staged").await?;
        window.picture("changes").await?;

        // By keys, which are with the files since it was opened: to the file, into its lines, a fold opened.
        window
            .type_keys(&char::from(fantoccini::key::Key::Home).to_string())
            .await?;
        for _ in 0..2 {
            window
                .type_keys(&char::from(fantoccini::key::Key::Down).to_string())
                .await?;
        }
        window.type_keys(&enter().to_string()).await?;
        gives(
            window,
            "the keys are with the lines",
            "return document.activeElement.dataset.testid ?? null;",
            |at| at == "diff-lines",
        )
        .await?;
        window.click("[data-testid=diff-fold]").await?;
        says(window, "[data-testid=diff-lines]", "line 2").await?;

        // All is taken back: there is nothing left to show.
        git(&topic, &["reset", "-q", "--hard", "main"])?;
        std::fs::remove_file(topic.join("notes.md"))?;
        window.find("[data-testid=changes-none]").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn ten_thousand_files_and_a_hundred_thousand_lines_are_scrolled_through() -> Result<()> {
    let home = Home::new()?;
    let topic = worktree(&home)?;
    for part in 0..100 {
        let place = topic.join(format!("many/part-{part}"));
        std::fs::create_dir_all(&place)?;
        for file in 0..100 {
            std::fs::write(place.join(format!("file-{file}")), "one line\n")?;
        }
    }
    let mut text = String::new();
    for line in 0..100_000 {
        writeln!(text, "    let value_{line} = compute(\"{line}\", {line});")?;
    }
    std::fs::write(topic.join("a-large-one.rs"), text)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("changes-large", window, async |window| {
        enter_line(window, pane, &format!("cd {}", topic.display())).await?;
        window.find("[data-testid=changed-topic]").await?;
        window.chord(&[ctrl(), shift()], 'm').await?;
        says(window, "[data-testid=changes]", "10001 files").await?;
        // Only what is in view is in the page.
        gives(
            window,
            "some rows are drawn",
            "return document.querySelectorAll('[data-testid=changes-tree] [role=treeitem]').length;",
            |rows| rows.as_u64().is_some_and(|rows| (5..200).contains(&rows)),
        )
        .await?;
        window
            .script("const found = document.querySelector('[data-testid=changes-filter]'); found.focus();")
            .await?;
        window.type_keys("large").await?;
        gives(
            window,
            "one file is left",
            "return document.querySelectorAll('[data-testid=changes-file]').length;",
            |files| files == 1,
        )
        .await?;
        window.click("[data-testid=changes-file]").await?;
        says(window, "[data-testid=diff-lines]", "value_0 ").await?;
        gives(
            window,
            "some lines are drawn",
            "return document.querySelectorAll('[data-testid=diff-lines] .changes-diff-line').length;",
            |lines| lines.as_u64().is_some_and(|lines| (5..200).contains(&lines)),
        )
        .await?;
        window
            .script("document.querySelector('[data-testid=diff-lines]').scrollTop = 1e9;")
            .await?;
        says(window, "[data-testid=diff-lines]", "value_99999 ").await?;
        window.picture("changes-large").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hunk_is_staged_another_one_discarded_and_taken_back() -> Result<()> {
    let home = Home::new()?;
    let topic = worktree(&home)?;
    let list = topic.join("src/deep/list.rs");
    let before = std::fs::read_to_string(&list)?;
    let changed = before
        .replace("line 7\n", "seven\n")
        .replace("line 50\n", "fifty\n");
    std::fs::write(&list, &changed)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("changes-acting", window, async |window| {
        enter_line(window, pane, &format!("cd {}", topic.display())).await?;
        window.find("[data-testid=changed-topic]").await?;
        window.chord(&[ctrl(), shift()], 'm').await?;
        says(window, "[data-testid=diff-lines]", "fifty").await?;
        window.picture("changes-acting").await?;
        // The first hunk into the index.
        window.click("[data-testid=hunk-stage]").await?;
        says(window, "[data-testid=changes-tree]", "Staged").await?;
        let staged = std::process::Command::new("git")
            .current_dir(&topic)
            .args(["show", ":src/deep/list.rs"])
            .output()?;
        ensure!(staged.stdout == before.replace("line 7\n", "seven\n").into_bytes());

        // The other one away, and back.
        window
            .script(
                "const rows = [...document.querySelectorAll('[data-testid=changes-file]')];
                 rows.at(-1).click();",
            )
            .await?;
        window.click("[data-testid=hunk-discard]").await?;
        says(window, ".notices", "Discarded a part of").await?;
        wait_for("the hunk to be gone", || async {
            let text = std::fs::read_to_string(&list).map_err(|error| error.to_string())?;
            let gone = text == before.replace("line 7\n", "seven\n");
            gone.then_some(()).ok_or(text)
        })
        .await?;
        window.picture("changes-discarded").await?;
        window.click(".notices .link-button").await?;
        wait_for("the hunk to be back", || async {
            let text = std::fs::read_to_string(&list).map_err(|error| error.to_string())?;
            (text == changed).then_some(()).ok_or(text)
        })
        .await?;
        says(window, "[data-testid=diff-lines]", "fifty").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_was_discarded_comes_back_after_a_restart_and_is_committed() -> Result<()> {
    let home = Home::new()?;
    let topic = worktree(&home)?;
    for (name, value) in [("user.name", "you"), ("user.email", "you@example.com")] {
        git(&topic, &["config", name, value])?;
    }
    let list = topic.join("src/deep/list.rs");
    let before = std::fs::read_to_string(&list)?;
    let changed = before.replace("line 7\n", "seven\n");
    std::fs::write(&list, &changed)?;
    std::fs::write(topic.join("notes.md"), "one\n")?;
    let hook = home.path().join("shop/.git/hooks/pre-commit");
    std::fs::write(
        &hook,
        "#!/bin/sh\ntest -e .agreed || { echo 'not yet'; exit 1; }\n",
    )?;
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("changes-discarded-list", window, async |window| {
        enter_line(window, pane, &format!("cd {}", topic.display())).await?;
        window.find("[data-testid=changed-topic]").await?;
        window.chord(&[ctrl(), shift()], 'm').await?;
        says(window, "[data-testid=diff-lines]", "seven").await?;
        window.click("[data-testid=diff-discard]").await?;
        // It is said to be as it was, and there is nothing left to press.
        says(
            window,
            "[data-testid=diff-empty]",
            "does not differ any more",
        )
        .await?;
        gives(
            window,
            "no button is left",
            "return document.querySelectorAll('[data-testid=diff-discard]').length;",
            |buttons| buttons == 0,
        )
        .await?;
        ensure!(std::fs::read_to_string(&list)? == before);
        window.session_holds("changes-").await
    })
    .await?;

    // The next window has the tab, and knows of it.
    let window = Window::open(&home).await?;
    scenario("changes-committed", window, async |window| {
        window.click("[data-testid=changes-more]").await?;
        window.click("[role=menuitem]").await?;
        says(window, "[data-testid=snapshots]", "src/deep/list.rs").await?;
        window.picture("changes-snapshots").await?;
        window.click("[data-testid=snapshot-restore]").await?;
        wait_for("the file to be back", || async {
            let text = std::fs::read_to_string(&list).map_err(|error| error.to_string())?;
            (text == changed).then_some(()).ok_or(text)
        })
        .await?;
        window
            .type_keys(&char::from(fantoccini::key::Key::Escape).to_string())
            .await?;

        // A hook says no, and is heard; then it agrees.
        says(window, "[data-testid=commit-button]", "Commit all 2 files").await?;
        window
            .script("document.querySelector('[data-testid=commit-message]').focus();")
            .await?;
        window.type_keys("Count in words").await?;
        window.click("[data-testid=commit-button]").await?;
        says(window, "[data-testid=commit-said]", "not yet").await?;
        window.picture("changes-commit").await?;
        std::fs::write(topic.join(".agreed"), "")?;
        says(window, "[data-testid=commit-button]", "Commit all 3 files").await?;
        window.click("[data-testid=commit-button]").await?;
        says(window, "[data-testid=changes-tree]", "Committed since main").await?;
        says(window, "[data-testid=changes]", "1 commit since main").await?;
        Ok(())
    })
    .await
}

/// Three worktrees of it, each with a commit: the first and the last one changed the same line.
fn three_with_commits(home: &Home) -> Result<[PathBuf; 3]> {
    let one = worktree(home)?;
    let main = home.path().join("shop");
    for (name, value) in [("user.name", "you"), ("user.email", "you@example.com")] {
        git(&main, &["config", name, value])?;
    }
    for name in ["two", "three"] {
        let place = format!("../{name}");
        git(&main, &["worktree", "add", "-q", "-b", name, &place])?;
    }
    let [two, three] = ["two", "three"].map(|name| home.path().join(name));
    for (place, line, text) in [
        (&one, "line 7\n", "seven\n"),
        (&two, "line 50\n", "fifty\n"),
        (&three, "line 7\n", "SEVEN\n"),
    ] {
        let list = place.join("src/deep/list.rs");
        let before = std::fs::read_to_string(&list)?;
        std::fs::write(&list, before.replace(line, text))?;
        git(place, &["commit", "-qam", "Count in words"])?;
    }
    Ok([one, two, three])
}

#[tokio::test]
async fn two_of_three_worktrees_land_and_the_third_goes_to_the_conflict_view() -> Result<()> {
    let home = Home::new()?;
    let [one, _, three] = three_with_commits(&home)?;
    let main = home.path().join("shop");
    let list = main.join("src/deep/list.rs");
    let before = std::fs::read_to_string(&list)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("changes-landing", window, async |window| {
        enter_line(window, pane, &format!("cd {}", one.display())).await?;
        window.find("[data-testid=changed-topic]").await?;
        window.click("[data-testid=changed-topic]").await?;
        let mut own = String::new();
        // That another one changed the same line is said, and stops nothing.
        says(window, "[data-testid=land-way]", "main gets 1 commit").await?;
        says(
            window,
            "[data-testid=land-near]",
            "three changed the same lines",
        )
        .await?;
        window.picture("changes-landing").await?;
        // In the one that is left nobody works, so that it is folded away.
        let unfolded = "const button = [...document.querySelectorAll('nav button')]
                 .find((one) => /more worktree/.test(one.textContent));
             button?.click();
             return document.querySelector('[data-testid=changed-two]') !== null;";
        gives(window, "all worktrees", unfolded, |there| there == true).await?;
        for (name, merged) in [("topic", "seven\n"), ("two", "fifty\n")] {
            if name != "topic" {
                window
                    .click(&format!("[data-testid=changed-{name}]"))
                    .await?;
            }
            own = format!("[data-testid=changes][aria-label='Changes of {name}']");
            says(
                window,
                &format!("{own} [data-testid=land-way]"),
                "main gets 1 commit",
            )
            .await?;
            window.click(&format!("{own} [data-testid=land]")).await?;
            says(window, ".notices", &format!("{name} is in main now.")).await?;
            ensure!(std::fs::read_to_string(&list)?.contains(merged));
            window
                .gone(&format!("{own} [data-testid=land-way]"))
                .await?;
        }

        // The third one would stop: its files are told, and both sides are shown.
        window.click("[data-testid=changed-three]").await?;
        own = own.replace("two", "three");
        let stops = "would stop at src/deep/list.rs";
        says(window, &format!("{own} [data-testid=land-way]"), stops).await?;
        says(window, &format!("{own} [data-testid=update-way]"), stops).await?;
        window.picture("changes-landing-stops").await?;
        window
            .click(&format!("{own} [data-testid=land-conflicts]"))
            .await?;
        says(window, "[data-testid=verdict] [data-side=left]", "seven").await?;
        says(window, "[data-testid=verdict] [data-side=right]", "SEVEN").await?;
        window.picture("changes-landing-conflict").await?;
        ensure!(!std::fs::read_to_string(&list)?.contains("SEVEN"));

        // It is resolved where it was made, and lands as well.
        window.click("[data-testid=changed-three]").await?;
        window
            .click(&format!("{own} [data-testid=update-here]"))
            .await?;
        says(window, &format!("{own} [data-testid=changes-tree]"), "!").await?;
        let resolved = before
            .replace("line 7\n", "seven, as SEVEN\n")
            .replace("line 50\n", "fifty\n");
        std::fs::write(three.join("src/deep/list.rs"), &resolved)?;
        git(&three, &["commit", "-qam", "Both"])?;
        says(
            window,
            &format!("{own} [data-testid=land-way]"),
            "main gets 2 commits",
        )
        .await?;
        window.click(&format!("{own} [data-testid=land]")).await?;
        says(window, ".notices", "three is in main now.").await?;
        ensure!(std::fs::read_to_string(&list)? == resolved);

        // The last one is taken back where it was said.
        window
            .script(
                "const notice = [...document.querySelectorAll('.notice')]
                     .find((one) => one.textContent.includes('three is in main now.'));
                 notice.querySelector('.link-button').click();",
            )
            .await?;
        wait_for("main to be as before", || async {
            let text = std::fs::read_to_string(&list).map_err(|error| error.to_string())?;
            let was = before
                .replace("line 7\n", "seven\n")
                .replace("line 50\n", "fifty\n");
            (text == was).then_some(()).ok_or(text)
        })
        .await?;
        says(
            window,
            &format!("{own} [data-testid=land-way]"),
            "main gets 2 commits",
        )
        .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_remark_on_a_line_goes_to_the_agent_that_works_there_and_is_answered() -> Result<()> {
    let home = Home::new()?;
    let topic = changed_worktree(&home)?;
    let list = topic.join("src/deep/list.rs");
    let mut daemon = PaseoDaemon::start()?;
    daemon.add("Count in words", &topic.to_string_lossy())?;
    daemon.in_settings(&home)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("changes-remarks", window, async |window| {
        enter_line(window, pane, &format!("cd {}", topic.display())).await?;
        window.find("[data-testid=changed-topic]").await?;
        window.click("[data-testid=changed-topic]").await?;
        says(window, "[data-testid=diff-lines]", "seven").await?;
        // By the mouse: the number of a line. By keys: that line and the one below it.
        window
            .click(".changes-diff-line[data-change=added] .changes-diff-numbers")
            .await?;
        says(window, "[data-testid=remark-form]", "On line 7").await?;
        window.type_keys("Why not 7th?").await?;
        window.picture("changes-remark-form").await?;
        window.click("[data-testid=remark-keep]").await?;
        says(window, "[data-testid=remark]", "Not sent").await?;
        let down = char::from(fantoccini::key::Key::Down);
        window.chord(&[shift()], down).await?;
        window.type_keys("r").await?;
        says(window, "[data-testid=remark-form]", "On lines 7–8").await?;
        window.type_keys("And these two?").await?;
        window.chord(&[ctrl()], enter()).await?;
        says(window, "[data-testid=remarks-bar]", "2 remarks not sent").await?;

        // The agent writes on above: the remarks stay with their lines.
        let text = std::fs::read_to_string(&list)?;
        std::fs::write(&list, format!("a new first line\n{text}"))?;
        says(window, "[data-testid=diff-lines]", "a new first line").await?;
        gives(
            window,
            "the remark below the line that it is about",
            "const row = document.querySelector('[data-testid=remark]')?.closest('.printed-row');
             return row?.querySelector('.changes-diff-text')?.textContent ?? null;",
            |line| line == "seven",
        )
        .await?;
        window.picture("changes-remarks").await?;
        // Side by side, the remark is below both.
        window.type_keys("v").await?;
        gives(
            window,
            "what was beside what is",
            "const halves = [...document.querySelectorAll('.changes-diff-pair')]
                 .map((pair) => [...pair.querySelectorAll('.changes-diff-text')].map((half) => half.textContent));
             return halves.some(([was, is]) => was === 'line 7' && is === 'seven');",
            |beside| beside == true,
        )
        .await?;
        says(window, "[data-testid=remark]", "Why not 7th?").await?;
        window.picture("changes-beside").await?;
        window.type_keys("v").await?;

        window.click("[data-testid=remarks-send]").await?;
        says(
            window,
            "[data-testid=remarks-dialog]",
            "goes to the agent as a prompt",
        )
        .await?;
        window.picture("changes-remarks-send").await?;
        window.click("[data-testid=tell-send]").await?;
        let timeline = "[data-testid=\"agent-timeline\"]";
        let said = says(window, timeline, "The answer is 42.").await?;
        ensure!(
            said.contains("src/deep/list.rs, line 8:") && said.contains("Why not 7th?"),
            "{said}"
        );
        window.click("[data-testid=changed-topic]").await?;
        says(window, "[data-testid=remarks-bar]", "2 remarks answered").await?;
        window.gone("[data-testid=remark]").await?;
        window.click("[data-testid=remarks-all]").await?;
        says(
            window,
            "[data-testid=remarks-list]",
            "Answered by Count in words",
        )
        .await?;
        window.picture("changes-remarks-answered").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_remark_is_typed_into_the_pane_and_not_entered_unless_the_person_says_so() -> Result<()> {
    let home = Home::new()?;
    let topic = changed_worktree(&home)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("changes-remark-typed", window, async |window| {
        enter_line(window, pane, &format!("cd {}", topic.display())).await?;
        window.find("[data-testid=changed-topic]").await?;
        // A program that reads what is typed, as an agent would.
        enter_line(window, pane, "cat").await?;
        window.click("[data-testid=changed-topic]").await?;
        window
            .click(".changes-diff-line[data-change=added] .changes-diff-numbers")
            .await?;
        says(window, "[data-testid=remark-form]", "On line 7").await?;
        window.type_keys("Why not 7th?").await?;
        window.click("[data-testid=remark-keep]").await?;
        window.click("[data-testid=remarks-send]").await?;
        window.click("[data-testid=tell-type]").await?;
        let screen = window
            .see(pane, "the remark", |screen| screen.contains("Why not 7th?"))
            .await?;
        // Typed, not entered: `cat` has not answered with the same.
        ensure!(screen.matches("Why not 7th?").count() == 1, "{screen}");
        window.click("[data-testid=changed-topic]").await?;
        says(window, "[data-testid=remarks-bar]", "1 remark waits").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_changed_since_a_prompt_is_shown_and_made_what_it_was_and_back() -> Result<()> {
    let home = Home::new()?;
    let topic = changed_worktree(&home)?;
    let list = topic.join("src/deep/list.rs");
    let mut daemon = PaseoDaemon::start()?;
    let id = daemon.add("Count in words", &topic.to_string_lossy())?;
    daemon.in_settings(&home)?;
    let before = std::fs::read_to_string(&list)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("changes-since", window, async |window| {
        enter_line(window, pane, &format!("cd {}", topic.display())).await?;
        window.find("[data-testid=changed-topic]").await?;
        // A prompt is told; what the worktree is by then is remembered.
        window.click("[data-testid=open-hub]").await?;
        window
            .click(&format!(
                "[data-testid=\"agents-hub\"] [data-testid=\"agent-{id}\"]"
            ))
            .await?;
        window.click("[data-testid=composer]").await?;
        window.type_keys("go on").await?;
        window.type_keys(&enter().to_string()).await?;
        says(window, "[data-testid=agent-timeline]", "The answer is 42.").await?;
        let after = before.replace("line 50\n", "fifty\n");
        std::fs::write(&list, &after)?;
        std::fs::write(topic.join("theirs.md"), "new\n")?;

        window.click("[data-testid=changed-topic]").await?;
        says(window, "[data-testid=diff-lines]", "fifty").await?;
        let since = "[data-testid=changes-since]";
        says(window, since, "Since a prompt to Count in words").await?;
        window
            .script(
                "const since = document.querySelector('[data-testid=changes-since]');
                 since.selectedIndex = 1;
                 since.dispatchEvent(new Event('change', { bubbles: true }));",
            )
            .await?;
        says(window, "[data-testid=changes-totals]", "2 files").await?;
        let lines = says(window, "[data-testid=diff-lines]", "fifty").await?;
        ensure!(!lines.contains("seven"), "that was there before: {lines}");
        window.picture("changes-since").await?;
        window.click("[data-testid=diff-restore]").await?;
        wait_for("the file to be what it was", || async {
            let text = std::fs::read_to_string(&list).map_err(|error| error.to_string())?;
            (text == before).then_some(()).ok_or(text)
        })
        .await?;
        says(window, ".notices", "is what it was then").await?;
        window.click(".notices .link-button").await?;
        wait_for("the file to be what it had become", || async {
            let text = std::fs::read_to_string(&list).map_err(|error| error.to_string())?;
            (text == after).then_some(()).ok_or(text)
        })
        .await?;
        window.click("[data-testid=changes-more]").await?;
        window.choose("Restore everything to that moment").await?;
        window.find("[data-testid=changes-none]").await?;
        ensure!(!topic.join("theirs.md").exists());
        ensure!(std::fs::read_to_string(&list)? == before);
        Ok(())
    })
    .await
}

/// Opens the menu of a row as the menu key does: the driver's right button now and then presses the row as well, which folds it.
async fn menu_of(window: &Window, css: &str) -> Result<()> {
    window.find(css).await?;
    let script = format!(
        "const row = document.querySelector({css:?});
         const {{ left, bottom }} = row.getBoundingClientRect();
         row.dispatchEvent(new MouseEvent('contextmenu',
             {{ bubbles: true, cancelable: true, clientX: left + 20, clientY: bottom - 4 }}));"
    );
    window.script(&script).await?;
    Ok(())
}

#[tokio::test]
async fn a_worktree_is_made_set_up_looked_through_and_removed() -> Result<()> {
    let home = Home::new()?;
    worktree(&home)?;
    let main = home.path().join("shop");
    std::fs::create_dir(main.join(".switchyard"))?;
    std::fs::write(
        main.join(".switchyard/worktree.yaml"),
        "copy: [.env]\nrun: [cp .env made]\n",
    )?;
    std::fs::write(main.join(".env"), "KEY=1\n")?;
    let made = home.path().join("shop-login");
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("worktrees", window, async |window| {
        enter_line(window, pane, &format!("cd {}", main.display())).await?;
        window.find("[data-testid=repository-shop]").await?;
        menu_of(window, "[data-testid=repository-shop] .tree-heading").await?;
        window.choose("New worktree…").await?;
        window.click("[data-testid=worktree-branch]").await?;
        window.type_keys("login").await?;
        window.picture("worktrees-new").await?;
        window.click("[data-testid=worktree-make]").await?;
        // It is set up in a pane, where one sees it.
        wait_for("the worktree to be set up", || async {
            let text = std::fs::read_to_string(made.join("made"));
            text.map_err(|error| error.to_string())
        })
        .await?;
        window.find("[data-testid=worktree-shop-login]").await?;

        // What it holds is looked at, file by file.
        window.find("[data-testid=changed-shop-login]").await?;
        window.click("[data-testid=changed-shop-login]").await?;
        says(window, "[data-testid=changes-totals]", "2 files").await?;
        window.type_keys("l").await?;
        says(window, "[data-testid=changes-totals]", "1 of 2 looked at").await?;
        window.type_keys("l").await?;
        says(window, "[data-testid=changes-totals]", "2 of 2 looked at").await?;
        std::fs::write(made.join("made"), "another\n")?;
        says(window, "[data-testid=changes-totals]", "1 of 2 looked at").await?;
        says(window, "[data-testid=changes-tree]", "changed since").await?;
        window.picture("changes-looked").await?;

        // Its end says what would be lost, and takes that along when it is told to.
        menu_of(window, "[data-testid=worktree-shop-login] .tree-heading").await?;
        window.choose("Remove this worktree…").await?;
        says(
            window,
            "[data-testid=remove-worktree]",
            "2 files that are not committed",
        )
        .await?;
        window.picture("worktrees-remove").await?;
        gives(
            window,
            "nothing goes before it was said",
            "return document.querySelector('[data-testid=remove-really]').disabled;",
            |disabled| disabled == true,
        )
        .await?;
        window.click("[data-testid=remove-files]").await?;
        window.click("[data-testid=remove-branch]").await?;
        window.click("[data-testid=remove-really]").await?;
        window.gone("[data-testid=remove-worktree]").await?;
        ensure!(!made.exists());
        window.gone("[data-testid=worktree-shop-login]").await
    })
    .await
}
