//! Conflicts between worktrees, as a person sees them come and go.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use support::{Home, Window, git, wait_for};

use crate::{at_a_prompt, ctrl, enter_line, killed_and_opened_again, says, scenario, shift, shows};

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

/// Points at each of the elements that `css` selects: what shows by that, as buttons do, must not lie over it.
async fn none_is_covered(window: &Window, css: &str) -> Result<()> {
    let count = window.count(css).await?;
    ensure!(count > 0, "there is no {css}");
    for at in 0..count {
        let middle = format!(
            "const {{ left, top, width, height }} = document.querySelectorAll({css:?})[{at}].getBoundingClientRect();
             return [left + width / 2, top + height / 2];"
        );
        let middle = window.script(&middle).await?;
        let [x, y] = [0, 1].map(|axis| middle[axis].as_f64().unwrap_or_default());
        window.point_at(x, y).await?;
        let there = format!(
            "const there = document.elementFromPoint({x}, {y});
             return there?.closest({css:?}) ? null : there?.outerHTML.slice(0, 120) ?? 'nothing';"
        );
        let over = window.script(&there).await?;
        ensure!(over.is_null(), "{over} lies over {css}");
    }
    Ok(())
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
        none_is_covered(window, "nav [data-testid=conflict-badge]").await?;
        none_is_covered(window, "nav [data-testid^=changed-]").await?;

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

/// Edits, commits and moves files in both worktrees until `stop`, as two agents at work would.
fn at_work(
    places: [PathBuf; 2],
    stop: Arc<AtomicBool>,
) -> Result<std::thread::JoinHandle<Result<()>>> {
    let thread = std::thread::Builder::new().name("at work".to_owned());
    let work = thread.spawn(move || {
        let mut round = 0;
        while !stop.load(Ordering::SeqCst) {
            round += 1;
            let place = &places[round % 2];
            let text = |line: usize| {
                (1..=20)
                    .map(|at| match at == line {
                        true => format!("round {round} in {}\n", place.display()),
                        false => format!("line {at}\n"),
                    })
                    .collect::<String>()
            };
            std::fs::write(place.join("list"), text(1 + round % 7))?;
            std::fs::write(place.join(format!("new-{}", round % 5)), text(round % 20))?;
            match round % 9 {
                0 => git(place, &["mv", "-f", "list", "moved"])?,
                1 => {
                    git(place, &["add", "-A"])?;
                    git(place, &["commit", "-q", "--allow-empty", "-m", "x"])?;
                }
                2 => drop(std::fs::remove_file(place.join("moved"))),
                _ => {}
            }
        }
        Ok(())
    })?;
    Ok(work)
}

/// What must be the same however the picture came about: worktrees, entries, verdicts; no times, nothing quiet.
fn essence(picture: &Value) -> Value {
    let only = |list: &str, fields: &[&str]| {
        let mut rows: Vec<_> = picture[list]
            .as_array()
            .into_iter()
            .flatten()
            .map(|row| {
                let field = |field: &&str| row.pointer(field).cloned().unwrap_or_default();
                Value::Array(fields.iter().map(field).collect())
            })
            .collect();
        rows.sort_by_key(Value::to_string);
        rows
    };
    json!({
        "worktrees": only("worktrees", &["/id", "/branch", "/head", "/changed_files", "/present"]),
        "entries": only("entries", &["/path", "/worktree", "/change", "/ranges", "/status", "/base"]),
        "verdicts": only(
            "verdicts",
            &["/path", "/left/worktree", "/right/worktree", "/severity", "/would_conflict", "/overlaps", "/note"],
        ),
    })
}

/// Asks the window for something, past its page.
async fn invoke(window: &Window, command: &str, arguments: Value) -> Result<Value> {
    let script = "const [command, given, done] = arguments;
         window.__TAURI_INTERNALS__.invoke(command, given).then(done, (error) => done({ error }));";
    let given = vec![json!(command), arguments];
    let answer = window.client.execute_async(script, given).await?;
    ensure!(answer.get("error").is_none(), "{command}: {answer}");
    Ok(answer)
}

#[tokio::test]
async fn a_window_that_is_killed_amid_edits_comes_back_with_the_picture_of_a_fresh_start()
-> Result<()> {
    let home = Home::new()?;
    let [one, two] = worktrees(&home)?;
    let (mut window, pane) = at_a_prompt(&home).await?;
    let main = home.path().join("shop").canonicalize()?;
    let repository = main.join(".git").display().to_string();
    let id = |place: &Path| -> Result<String> { Ok(place.canonicalize()?.display().to_string()) };
    enter_line(&window, pane, &format!("cd {}", one.display())).await?;
    says(&window, "[data-testid=status-conflicts]", "No conflicts").await?;

    // Muted, acknowledged, snoozed: three wishes that must not be lost.
    let wishes = json!([
        { "about": { "glob": "new-1", "left": null, "right": null }, "until": { "until": "removed" } },
        {
            "about": { "glob": "list", "left": id(&one)?, "right": id(&two)? },
            "until": { "until": "worse", "severity": "adjacent_line", "would_conflict": false },
        },
        { "about": { "glob": "moved", "left": null, "right": null }, "until": { "until": "time", "at": 4_000_000_000_000_u64 } },
    ]);
    for wish in wishes.as_array().into_iter().flatten() {
        let given = json!({ "repository": repository, "quiet": wish });
        invoke(&window, "quiet_conflicts", given).await?;
    }

    for _ in 0..3 {
        let stop = Arc::new(AtomicBool::new(false));
        let work = at_work([one.clone(), two.clone()], stop.clone())?;
        // In the middle of it: the window has seen some of the edits already.
        window.find("nav [data-testid=conflict-badge]").await?;
        window = killed_and_opened_again(&home, window).await?;
        stop.store(true, Ordering::SeqCst);
        work.join().ok().context("the edits failed")??;

        let arguments = [
            "conflicts",
            "--json",
            "--all",
            "--at-least",
            "identical",
            "--repository",
        ];
        let fresh = home.run(&[&arguments[..], &[&id(&main)?]].concat())?;
        let fresh = essence(&serde_json::from_slice(&fresh.stdout)?);
        ensure!(
            fresh["verdicts"] != json!([]),
            "nothing to compare: {fresh}"
        );
        wait_for("the picture of a fresh start", || async {
            let given = json!({ "repository": repository });
            let picture = invoke(&window, "repository_picture", given).await;
            let picture = essence(&picture.map_err(|error| error.to_string())?);
            if picture == fresh {
                Ok(())
            } else {
                Err(format!("{picture:#}\ninstead of\n{fresh:#}"))
            }
        })
        .await?;
        let listed = invoke(&window, "list_conflicts", json!({})).await?;
        ensure!(listed[0]["quiets"] == wishes, "{:#}", listed[0]["quiets"]);
    }
    window.close().await
}
