//! Panes: typed into, split, flooded, closed, and found again.

use anyhow::{Context, Result};
use fantoccini::key::Key;
use serde_json::json;
use support::{Home, Window, wait_for};

use crate::{
    at_a_prompt, ctrl, enter, enter_line, gives, killed_and_opened_again, other_than, says,
    scenario, shift, shown, shows,
};

#[tokio::test]
async fn a_command_typed_in_the_window_shows_its_output() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("command", window, async |window| {
        enter_line(window, pane, "echo $((6 * 7)) 漢字 é").await?;
        window
            .see(pane, "the answer", |screen| screen.contains("\n42 漢字 é"))
            .await?;
        // A shell that waits is called by its program, and one that is at something by that.
        let told = || home.ok(&["panes"]);
        wait_for("the shell in the list", || async {
            let told = told().map_err(|error| error.to_string())?;
            if told.contains("/bin/bash") && !told.contains("echo") {
                Ok(())
            } else {
                Err(told)
            }
        })
        .await?;
        enter_line(window, pane, "sleep 600").await?;
        wait_for("the command in the list", || async {
            let told = told().map_err(|error| error.to_string())?;
            if told.contains("sleep 600") {
                Ok(())
            } else {
                Err(told)
            }
        })
        .await?;
        window.chord(&[ctrl()], 'c').await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn keys_pressed_faster_than_they_are_taken_keep_their_order() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("burst", window, async |window| {
        let written = home.path().join("written");
        let read = format!("head -n 2000 > '{}'; echo all of it", written.display());
        enter_line(window, pane, &read).await?;
        // Each an event of its own, and none waits for what became of the one before.
        window
            .script(&format!(
                "const root = document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root').shadowRoot;
                const area = root.querySelector('.xterm-helper-textarea');
                for (let n = 0; n < 2000; n++)
                    for (const data of [...String(n), '\\r'])
                        area.dispatchEvent(new InputEvent('input', {{ data, inputType: 'insertText', bubbles: true }}));"
            ))
            .await?;
        window
            .see(pane, "the end", |screen| screen.contains("\nall of it"))
            .await?;
        let lines = std::fs::read_to_string(&written)?;
        let wanted: String = (0..2000).map(|n| format!("{n}\n")).collect();
        assert!(lines == wanted, "{lines}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_program_that_asks_is_told_the_size_of_a_cell_and_the_colours_of_the_theme() -> Result<()>
{
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("answers", window, async |window| {
        let cell = window
            .script(&format!(
                "const root = document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root').shadowRoot;
                const {{ width, height }} = root.querySelector('.xterm-screen').getBoundingClientRect();
                const rows = root.querySelector('.xterm-rows').children.length;
                return [rows, Math.round(height * devicePixelRatio / rows), Math.round(width * devicePixelRatio)];"
            ))
            .await?;
        let (rows, height, width) = (&cell[0], &cell[1], cell[2].as_u64().context("a width")?);
        // How large a cell is, the terminal in cells, and the terminal in pixels as the system has it.
        let ask = "clear; stty raw -echo; printf '\\033[16t'; IFS= read -rd t cell; printf '\\033]4;1;?\\007'; \
                   IFS= read -rd $'\\a' red; stty sane; echo \"cell ${cell#*[}, $(stty size), ${red#*]}\"";
        enter_line(window, pane, ask).await?;
        let screen = window
            .see(pane, "the answers", |screen| screen.contains("rgb:"))
            .await?;
        let told = screen.lines().find(|line| line.starts_with("cell ")).context("an answer")?;
        let rest = told.strip_prefix(&format!("cell 6;{height};")).context(told.to_owned())?;
        let (cell_width, rest) = rest.split_once(", ").context(told.to_owned())?;
        let (lines, rest) = rest.split_once(' ').context(told.to_owned())?;
        assert_eq!(lines, rows.to_string(), "{told}");
        let (cols, red) = rest.split_once(", ").context(told.to_owned())?;
        assert_eq!(width / cols.parse::<u64>()?, cell_width.parse::<u64>()?, "{told}");
        // Of the theme that the window begins with.
        assert!(red.starts_with("4;1;rgb:"), "{told}");
        assert_ne!(red, "4;1;rgb:e0e0/6c6c/7575", "what there is without a window: {told}");
        Ok(())
    })
    .await
}

/// Has a pane show the bytes of the next keys up to an `x`, once it has written `first`; and presses the keys.
async fn bytes_of(
    window: &Window,
    pane: u64,
    first: &str,
    chords: &[(&[char], char)],
) -> Result<String> {
    let read = format!(
        "clear; stty raw -echo; printf '{first}go\\r\\n'; \
         while IFS= read -rN1 c; do printf %q, \"$c\"; [ \"$c\" = x ] && break; done; stty sane; echo"
    );
    enter_line(window, pane, &read).await?;
    window
        .see(pane, "a program that reads keys", |screen| {
            screen.starts_with("go")
        })
        .await?;
    for (modifiers, key) in chords {
        window.chord(modifiers, *key).await?;
    }
    let read = |screen: &str| {
        let read = screen.replace('\n', "");
        let (read, _) = read.strip_prefix("go")?.split_once(",x,")?;
        Some(read.to_owned())
    };
    let screen = window
        .see(pane, "what it read", |screen| read(screen).is_some())
        .await?;
    read(&screen).context("what was read")
}

#[tokio::test]
async fn a_program_gets_the_keys_that_it_asks_for() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("keys", window, async |window| {
        let enter = enter();
        let chords: &[(&[char], char)] = &[
            (&[shift()], enter),
            (&[ctrl()], enter),
            (&[ctrl()], '.'),
            (&[ctrl()], ';'),
            (&[], 'x'),
        ];
        let plain = bytes_of(window, pane, "", chords).await?;
        assert_eq!(plain, r"$'\n',$'\n',.,\;");
        let kitty = bytes_of(window, pane, r"\e[>1u", chords).await?;
        let kitty = kitty.replace("$'\\E'", "ESC").replace([',', '\\'], "");
        assert_eq!(kitty, "ESC[13;2uESC[13;5uESC[46;5uESC[59;5u");
        Ok(())
    })
    .await
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

    let window = killed_and_opened_again(&home, window).await?;
    scenario("killed-window", window, async |window| {
        let again = window.first_pane().await?;
        assert_eq!(again, pane, "the same pane is in the same place");
        window
            .see(pane, "the counter, further on", |screen| {
                count(screen) > before + 5
            })
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn panes_split_zoom_and_close_by_keys() -> Result<()> {
    let home = Home::new()?;
    let (window, first) = at_a_prompt(&home).await?;
    scenario("split", window, async |window| {
        window
            .click(&format!("[data-testid=\"pane-{first}\"] .terminal-screen"))
            .await?;
        window.chord(&[ctrl(), shift()], 'd').await?;
        let panes = shows(window, 2).await?;
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
        shows(window, 1).await?;
        window.chord(&[ctrl(), shift()], enter()).await?;
        shows(window, 2).await?;

        // A shell at its prompt is closed without a question.
        window.chord(&[ctrl(), shift()], 'w').await?;
        assert_eq!(shows(window, 1).await?, [first]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_flood_in_one_pane_leaves_another_at_ones_fingertips() -> Result<()> {
    let home = Home::new()?;
    let (window, first) = at_a_prompt(&home).await?;
    scenario("flood", window, async |window| {
        window
            .click(&format!("[data-testid=\"pane-{first}\"] .terminal-screen"))
            .await?;
        window.chord(&[ctrl(), shift()], 'd').await?;
        let second = *shows(window, 2).await?.iter().max().context("two panes")?;
        window
            .see(second, "a prompt", |screen| screen.contains("ready>"))
            .await?;
        enter_line(window, second, "yes the yard is quiet").await?;
        window
            .see(second, "the flood", |screen| {
                screen.matches("the yard is quiet").count() > 5
            })
            .await?;
        enter_line(window, first, "echo still $((40 + 2)) here").await?;
        window
            .see(first, "the echo", |screen| {
                screen.contains("\nstill 42 here")
            })
            .await?;
        // And the flood stops when it is told to.
        window
            .click(&format!("[data-testid=\"pane-{second}\"] .terminal-screen"))
            .await?;
        window.chord(&[ctrl()], 'c').await?;
        window
            .see(second, "the prompt after the flood", |screen| {
                screen.trim_end().ends_with("ready>")
            })
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pane_whose_program_runs_is_closed_only_after_a_question() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("close-question", window, async |window| {
        enter_line(window, pane, "sleep 600").await?;
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
        assert_eq!(shown(window).await?, [pane]);
        Ok(())
    })
    .await
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

    let window = killed_and_opened_again(&home, window).await?;
    scenario("twenty-panes", window, async |window| {
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
    })
    .await
}

#[tokio::test]
async fn a_tab_dragged_to_the_edge_of_another_pane_becomes_a_split() -> Result<()> {
    let home = Home::new()?;
    let (window, first) = at_a_prompt(&home).await?;
    scenario("drag", window, async |window| {
        window
            .click(&format!("[data-testid=\"pane-{first}\"] .terminal-screen"))
            .await?;
        window.chord(&[ctrl(), shift()], 't').await?;
        let second = wait_for("the second pane alone", || async {
            match shown(window).await {
                Ok(panes) if panes.len() == 1 && panes[0] != first => Ok(panes[0]),
                other => Err(format!("{other:?}")),
            }
        })
        .await?;
        window
            .see(second, "a prompt", |screen| screen.contains("ready>"))
            .await?;
        window
            .drag(
                &format!("[data-testid=\"tab-{second}\"]"),
                &format!("[data-testid=\"pane-{second}\"]"),
                0.9,
                0.5,
            )
            .await?;
        shows(window, 2).await?;
        let left_of = |pane: u64| {
            let script = format!(
                "return document.querySelector('[data-testid=\"pane-{pane}\"]').getBoundingClientRect().left;"
            );
            async move { anyhow::Ok(window.script(&script).await?.as_f64().unwrap_or(-1.0)) }
        };
        assert!(left_of(first).await? < left_of(second).await?);
        // It goes on being typed into.
        window.type_keys("echo dragged $((6 * 7))").await?;
        window.type_keys(&enter().to_string()).await?;
        window
            .see(second, "its output", |screen| screen.contains("\ndragged 42"))
            .await?;
        Ok(())
    })
    .await
}

/// Draws 300 lines anew within a synchronized update, as agents do with all of their output: clears screen and
/// scrollback, and rests in the middle. Begins once the file `go` is there, and says with `done` when it is over.
const REDRAWS: &str = r#"
first=$(printf 'word %s\n' {1..150})
second=$(printf 'word %s\n' {151..300})
redraw() {
  printf '\e[?2026h\e[2J\e[3J\e[H%s\n' "$first"
  read -t 0.02 x < /dev/tty
  printf '%s\nframe %s \e[?2026l' "$second" "$1"
  read -t 0.03 x < /dev/tty
}
redraw 1
until [ -e "$1/go" ]; do read -t 0.05 x < /dev/tty; done
for n in $(seq 2 60); do redraw "$n"; done
touch "$1/done"
read x
"#;

/// Notes each picture of a pane that is drawn and differs from the one before.
async fn note_pictures(window: &Window, pane: u64) -> Result<()> {
    window
        .script(&format!(
            "const root = document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root').shadowRoot;
             window.pictures = [];
             const look = () => {{
               const rows = [...root.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent.trimEnd());
               const picture = rows.join('\\n').replaceAll('\\u00a0', ' ');
               if (window.pictures.at(-1) !== picture) window.pictures.push(picture);
               requestAnimationFrame(look);
             }};
             requestAnimationFrame(look);"
        ))
        .await?;
    Ok(())
}

async fn pictures(window: &Window) -> Result<Vec<String>> {
    Ok(serde_json::from_value(
        window.script("return window.pictures;").await?,
    )?)
}

/// Starts the program that draws all of its output again and again; it stops at its first frame.
async fn begin_to_redraw(home: &Home, window: &Window, pane: u64) -> Result<()> {
    let place = home.path().display();
    std::fs::write(home.path().join("redraws"), REDRAWS)?;
    let command = format!("clear; bash '{place}/redraws' '{place}'");
    enter_line(window, pane, &command).await?;
    window
        .see(pane, "a frame", |screen| screen.contains("\nframe 1"))
        .await?;
    Ok(())
}

/// Lets it go on, and waits until it has drawn its last frame.
async fn redraw_to_the_end(home: &Home) -> Result<()> {
    std::fs::write(home.path().join("go"), "")?;
    let done = home.path().join("done");
    wait_for("the last frame", || async {
        done.exists().then_some(()).ok_or("it draws".to_owned())
    })
    .await
}

#[tokio::test]
async fn an_agent_that_draws_all_anew_is_never_shown_half_way() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("redraws", window, async |window| {
        begin_to_redraw(&home, window, pane).await?;
        note_pictures(window, pane).await?;
        redraw_to_the_end(&home).await?;
        window
            .see(pane, "the last frame", |screen| {
                screen.contains("\nframe 60")
            })
            .await?;
        let pictures = pictures(window).await?;
        assert!(pictures.len() > 5, "{} pictures", pictures.len());
        for picture in &pictures {
            let whole = picture.contains("\nword 300\nframe ") && !picture.starts_with('\n');
            assert!(whole, "half a picture:\n{picture}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn somebody_who_reads_stays_at_the_line_while_all_is_drawn_anew() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("reading", window, async |window| {
        begin_to_redraw(&home, window, pane).await?;
        // Page up, twice.
        for _ in 0..2 {
            window.chord(&[shift()], '\u{e00e}').await?;
        }
        let read = window
            .see(pane, "older lines", |screen| !screen.contains("word 300"))
            .await?;
        note_pictures(window, pane).await?;
        redraw_to_the_end(&home).await?;
        for picture in pictures(window).await? {
            assert_eq!(picture, read);
        }
        // And back at the end there is the last one.
        window.chord(&[shift()], '\u{e010}').await?;
        window
            .see(pane, "the last frame", |screen| {
                screen.contains("\nframe 60")
            })
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_typed_goes_to_all_panes_that_were_chosen_until_it_is_ended() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("broadcast", window, async |window| {
        window.click("[aria-label=\"Close Welcome\"]").await?;
        window.chord(&[ctrl(), shift()], 'd').await?;
        let panes = shows(window, 2).await?;
        for pane in &panes {
            window
                .see(*pane, "a prompt", |screen| screen.contains("ready>"))
                .await?;
        }
        window.chord(&[ctrl(), shift()], 'p').await?;
        window.type_keys("pane.broadcast_shown").await?;
        window
            .click("[data-testid=\"command-pane.broadcast_shown\"]")
            .await?;
        says(window, "body", "goes to 1 other pane").await?;
        enter_line(window, pane, "echo both-$((40 + 2))").await?;
        for pane in &panes {
            window
                .see(*pane, "the answer", |screen| screen.contains("\nboth-42"))
                .await?;
        }
        window.picture("broadcast").await?;
        window
            .click(&format!(
                "[data-testid=\"broadcast-{pane}\"] button:last-child"
            ))
            .await?;
        window
            .gone(&format!("[data-testid=\"broadcast-{pane}\"]"))
            .await?;
        enter_line(window, pane, "echo alone-$((40 + 2))").await?;
        window
            .see(pane, "the answer", |screen| screen.contains("\nalone-42"))
            .await?;
        let other = panes
            .iter()
            .find(|one| **one != pane)
            .context("two panes")?;
        assert!(!window.screen(*other).await?.contains("alone"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tabs_move_by_keys_into_splits_between_groups_and_among_each_other() -> Result<()> {
    let home = Home::new()?;
    let (window, first) = at_a_prompt(&home).await?;
    scenario("move-tabs", window, async |window| {
        let moving = [char::from(Key::Alt), shift()];
        let order = "return Array.from(document.querySelectorAll('.dv-tab [data-testid^=\"tab-\"]'), (tab) => tab.dataset.testid);";
        let told = |panes: [u64; 2]| json!(panes.map(|pane| format!("tab-{pane}")));
        window.click("[aria-label=\"Close Welcome\"]").await?;
        window.chord(&[ctrl(), shift()], 't').await?;
        let second = other_than(window, first).await?;
        window
            .see(second, "a prompt", |screen| screen.contains("ready>"))
            .await?;

        // There is no group on the right: the tab gets a split of its own, and keeps the keys.
        window.chord(&moving, Key::Right.into()).await?;
        assert_eq!(shows(window, 2).await?, [first, second]);
        let left = |pane: u64| async move {
            let pane = format!("[data-testid=\"pane-{pane}\"]");
            Ok::<_, anyhow::Error>(window.find(&pane).await?.rectangle().await?.0)
        };
        assert!(left(first).await? < left(second).await?);
        window.type_keys(&format!("echo a$((1 + 1)){}", enter())).await?;
        window
            .see(second, "what was typed", |screen| screen.contains("\na2"))
            .await?;

        // And back, into the group that is there, which it shows.
        window.chord(&moving, Key::Left.into()).await?;
        assert_eq!(shows(window, 1).await?, [second]);
        gives(window, "the order of the tabs", order, |now| *now == told([first, second])).await?;
        window.chord(&moving, Key::PageUp.into()).await?;
        gives(window, "the other order", order, |now| *now == told([second, first])).await?;
        // Round the end.
        window.chord(&moving, Key::PageUp.into()).await?;
        gives(window, "the order as before", order, |now| *now == told([first, second])).await?;
        window.type_keys(&format!("echo b$((1 + 1)){}", enter())).await?;
        window
            .see(second, "what was typed", |screen| screen.contains("\nb2"))
            .await
            .map(drop)
    })
    .await
}
