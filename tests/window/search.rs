//! Search: found in the panel, shown where it is.

use anyhow::Result;
use support::{Home, Window, wait_for};

use crate::changes::changed_worktree;
use crate::{
    at_a_prompt, ctrl, enter, enter_line, gives, killed_and_opened_again, says, scenario, shift,
    shown, shows,
};

#[tokio::test]
async fn a_line_far_up_is_found_and_shown_where_it_is() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("search", window, async |window| {
        enter_line(
            window,
            pane,
            "seq -f 'line number %.0f.' 1 60000; echo all printed",
        )
        .await?;
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
        says(
            window,
            "[data-testid=\"search-results\"]",
            "line number 12.",
        )
        .await?;
        window.click("[data-testid^=\"search-result-\"]").await?;
        says(
            window,
            &format!("[data-testid=\"history-{pane}\"]"),
            "line number 12.",
        )
        .await?;
        Ok(())
    })
    .await
}

/// Opens the search panel and looks for `pattern`; returns what its results say once they say `wanted`.
async fn search_for(window: &Window, pattern: &str, wanted: &str) -> Result<String> {
    window.chord(&[ctrl(), shift()], 'g').await?;
    window.find("[data-testid=\"search-panel\"]").await?;
    window
        .script("document.querySelector('[data-testid=\"search-panel\"] input').select();")
        .await?;
    window.type_keys(pattern).await?;
    says(window, "[data-testid=\"search-results\"]", wanted).await
}

#[tokio::test]
async fn what_a_pane_printed_is_found_after_it_was_closed_and_after_the_window_was_killed()
-> Result<()> {
    let home = Home::new()?;
    let (window, first) = at_a_prompt(&home).await?;
    // The words are put together by the shell, so that only its output has them whole.
    enter_line(&window, first, "echo left-behind-$((40 + 2))").await?;
    window
        .see(first, "the words", |screen| {
            screen.contains("left-behind-42")
        })
        .await?;
    window.chord(&[ctrl(), shift()], 't').await?;
    wait_for("the second pane alone", || async {
        match shown(&window).await {
            Ok(panes) if panes.len() == 1 && panes[0] != first => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await?;
    home.ok(&["kill", &first.to_string()])?;
    window
        .gone(&format!("[data-testid=\"tab-{first}\"]"))
        .await?;

    // A closed pane's result says which program it was, where, and when.
    search_for(&window, "left-behind-42", "left-behind-42").await?;
    says(&window, "[data-testid=\"search-results\"]", "bash").await?;
    let window = killed_and_opened_again(&home, window).await?;
    scenario("found-again", window, async |window| {
        window.first_pane().await?;
        search_for(window, "left-behind-42", "left-behind-42").await?;
        says(window, "[data-testid=\"search-results\"]", "bash").await?;
        window.click("[data-testid^=\"search-result-\"]").await?;
        says(
            window,
            &format!("[data-testid=\"history-{first}\"]"),
            "left-behind-42",
        )
        .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_full_screen_program_showed_and_cleared_is_found_and_said_to_be_from_one()
-> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("full-screen", window, async |window| {
        enter_line(
            window,
            pane,
            r"printf '\033[?1049h\033[Hshown-for-%s-moment' a; sleep 0.1; read go; printf '\033[2J\033[?1049l'; echo over",
        )
        .await?;
        window
            .see(pane, "the full screen", |screen| {
                screen.starts_with("shown-for-a-moment")
            })
            .await?;
        window.type_keys(&enter().to_string()).await?;
        window
            .see(pane, "the shell", |screen| {
                screen.contains("\nover") && !screen.contains("shown-for-a-moment")
            })
            .await?;
        let found = search_for(window, "shown-for-a-moment", "shown-for-a-moment").await?;
        assert!(found.contains("screen"), "{found}");
        window.click("[data-testid^=\"search-result-\"]").await?;
        says(
            window,
            &format!("[data-testid=\"history-{pane}\"]"),
            "shown-for-a-moment",
        )
        .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn results_are_narrowed_to_a_worktree_and_a_time() -> Result<()> {
    let home = Home::new()?;
    let topic = changed_worktree(&home)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("search-narrowed", window, async |window| {
        enter_line(window, pane, &format!("cd {}", topic.display())).await?;
        enter_line(window, pane, "echo there-$((40 + 2))").await?;
        says(window, "[data-testid=changed-topic]", "1 file").await?;
        search_for(window, "there-42", "there-42").await?;
        let count = "[data-testid=search-count]";
        window.pick("[data-testid=search-when]", "hour").await?;
        says(window, count, "1 match").await?;
        let worktree = topic.canonicalize()?;
        let main = worktree.with_file_name("shop");
        let folders = "[data-testid=search-directory]";
        window.pick(folders, &main.to_string_lossy()).await?;
        says(window, count, "No matches").await?;
        window.pick(folders, &worktree.to_string_lossy()).await?;
        says(window, count, "1 match").await?;
        window.picture("search-narrowed").await
    })
    .await
}

/// What is at the top of the results, and how far below their edge it is.
const AT_THE_TOP: &str = "
    const list = document.querySelector('[data-testid=search-results]');
    const edge = list.getBoundingClientRect().top;
    const rows = Array.from(list.querySelectorAll('[data-testid^=search-result-]'), (row) => {
        const { top, bottom } = row.getBoundingClientRect();
        return { text: row.textContent, at: Math.round(top - edge), bottom: bottom - edge };
    });
    rows.sort((a, b) => a.at - b.at);
    const first = rows.find(({ bottom }) => bottom > 0);
    return { first: first?.text ?? null, at: first?.at ?? null, height: list.scrollHeight };
";

#[tokio::test]
async fn results_that_are_read_stay_where_they_are_while_more_is_found() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("results-stay", window, async |window| {
        enter_line(
            window,
            pane,
            "seq -f 'needle %0.f of the stack' 1 3000; echo all printed",
        )
        .await?;
        window
            .see(pane, "the end", |screen| screen.contains("\nall printed"))
            .await?;
        search_for(window, "stack", "needle 2501 of the stack").await?;
        says(window, "[data-testid=\"search-panel\"]", "matches").await?;
        // Neighbours are one block: there is nothing between them.
        let gaps = window
            .count("[data-testid=\"search-results\"] .result-gap")
            .await?;
        assert!(
            gaps <= 1,
            "{gaps} gaps between lines that follow one another"
        );

        // Down to what was found last: the next ones are found then, and come before it.
        let down = "
            const list = document.querySelector('[data-testid=search-results]');
            list.scrollTop = list.scrollHeight - list.clientHeight - 60;";
        let before = window.script(AT_THE_TOP).await?["height"].clone();
        window.script(down).await?;
        let first = gives(window, "results at the top", AT_THE_TOP, |now| {
            now["first"].is_string()
        })
        .await?;
        let after = gives(window, "more results", AT_THE_TOP, |now| {
            now["height"].as_f64() > before.as_f64()
        })
        .await?;
        let place = |of: &serde_json::Value| (of["first"].clone(), of["at"].clone());
        assert_eq!(place(&after), place(&first), "the results have jumped");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_pane_printed_opens_where_two_columns_have_room() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("history-roomy", window, async |window| {
        window.click("[aria-label=\"Close Welcome\"]").await?;
        for panes in [2, 3] {
            window.chord(&[ctrl(), shift()], 'd').await?;
            shows(window, panes).await?;
        }
        enter_line(window, pane, "echo to-be-$((2 * 21))-read").await?;
        window
            .see(pane, "the line", |screen| {
                screen.contains("\nto-be-42-read")
            })
            .await?;
        let (_, _, narrow, _) = window
            .find(&format!("[data-testid=\"pane-{pane}\"]"))
            .await?
            .rectangle()
            .await?;
        assert!(narrow < 560.0, "a narrow group: {narrow}");
        window.chord(&[ctrl(), shift()], 'p').await?;
        window.find("[data-testid=\"palette\"]").await?;
        window.type_keys("search.history").await?;
        window
            .click("[data-testid=\"command-search.history\"]")
            .await?;
        let history = format!("[data-testid=\"history-{pane}\"]");
        says(window, &history, "to-be-42-read").await?;
        let (_, _, width, _) = window.find(&history).await?.rectangle().await?;
        assert!(width >= 560.0, "{width}");
        window.picture("history-roomy").await?;
        window.chord(&[ctrl(), shift()], 'w').await?;
        window.gone(&history).await?;
        shows(window, 3).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_an_agent_wrote_down_is_found_in_the_panel_and_opens_at_its_message() -> Result<()> {
    let home = Home::new()?;
    write_a_conversation(&home)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("conversation", window, async |window| {
        enter_line(window, pane, "echo the-needle-$((2 * 21))").await?;
        window
            .see(pane, "the line", |screen| {
                screen.contains("\nthe-needle-42")
            })
            .await?;
        search_for(window, "the-needle", "and the-needle-17").await?;
        says(
            window,
            "[data-testid=\"search-count\"]",
            "in 1 pane and 1 conversation",
        )
        .await?;
        window
            .pick("[data-testid=\"search-scope\"]", "conversations")
            .await?;
        says(
            window,
            "[data-testid=\"search-count\"]",
            "1 match in 1 conversation",
        )
        .await?;
        window.click("[data-testid^=\"search-result-\"]").await?;
        let view = "[data-testid=\"transcript\"]";
        says(window, view, "and the-needle-17").await?;
        let found = gives(window, "what was found, in view", IN_VIEW, |now| {
            now["seen"] == true
        })
        .await?;
        assert_eq!(found["text"], "the-needle");
        // What the agent says beside it is read as Markdown.
        window.find(&format!("{view} .prose li")).await?;
        window.picture("conversation").await?;

        // What came long before is read on when one goes there, and what one reads stays where it is.
        gives(window, "the beginning", TO_THE_TOP, |begins| begins == true).await?;
        says(window, view, "Question number 0 about the shop").await?;
        Ok(())
    })
    .await
}

const IN_VIEW: &str = "
    const view = document.querySelector('[data-testid=transcript] .transcript');
    const mark = view?.querySelector('mark');
    if (!mark) return { seen: false };
    const { top, bottom } = mark.getBoundingClientRect();
    const outer = view.getBoundingClientRect();
    return { seen: top >= outer.top && bottom <= outer.bottom, text: mark.textContent };";

const TO_THE_TOP: &str = "
    const view = document.querySelector('[data-testid=transcript] .transcript');
    view.dispatchEvent(new WheelEvent('wheel', { bubbles: true }));
    view.scrollTop = 0;
    return view.textContent.includes('The conversation begins here.');";

/// A conversation of two hundred messages, as Claude Code writes one down; what is looked for is said in the middle.
fn write_a_conversation(home: &Home) -> Result<()> {
    let directory = home.user().join(".claude/projects/-work-shop");
    std::fs::create_dir_all(&directory)?;
    let line = |index: usize| {
        let (role, text) = match index {
            120 => ("user", "first line\nand the-needle-17".to_owned()),
            _ if index.is_multiple_of(2) => {
                ("user", format!("Question number {index} about the shop"))
            }
            _ => (
                "assistant",
                format!("Answer {index}\n\n- one\n- two\n\n```\ncode\n```"),
            ),
        };
        let said = serde_json::json!({
            "type": role,
            "sessionId": "6b1d0a52-0000-4000-8000-000000000000",
            "uuid": format!("message-{index}"),
            "cwd": "/work/shop",
            "timestamp": "2026-03-01T14:00:00.000Z",
            "message": { "role": role, "content": [{ "type": "text", "text": text }] },
        });
        format!("{said}\n")
    };
    let lines: String = (0..200).map(line).collect();
    std::fs::write(directory.join("6b1d0a52.jsonl"), lines)?;
    Ok(())
}
