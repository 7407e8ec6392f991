//! What one hears and reaches without a mouse: the order of Tab in each view, what is called how, a terminal that is read.

use anyhow::{Context, Result};
use fantoccini::key::Key;
use serde_json::{Value, json};
use support::{Home, PaseoDaemon, Window};

use crate::changes::changed_worktree;
use crate::{at_a_prompt, ctrl, enter, enter_line, gives, says, scenario, shift, text_of};

/// Gives the keys to what begins `part`, and presses Tab until they leave it or come round to where they began, as in a
/// dialog; what had them, as a screen reader names it. What is wrong on the way (no name, nothing to be seen, up and down) is told in its place.
async fn tabbed(window: &Window, part: &str) -> Result<Vec<String>> {
    let begin = format!(
        "const part = document.querySelector({part:?});
         const first = document.createElement('span');
         first.tabIndex = -1; first.id = 'begins'; part.prepend(first); first.focus();
         window.tabbed = new Set();"
    );
    window.script(&begin).await?;
    let look = format!(
        "const now = document.activeElement;
         if (!document.querySelector({part:?}).contains(now) || window.tabbed.has(now)) return null;
         window.tabbed.add(now);
         document.getElementById('begins')?.remove();
         const box = now.getBoundingClientRect();
         const named = now.getAttribute('aria-label')
            ?? (now.getAttribute('aria-labelledby') ?? '').split(' ')
                .map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim();
         const label = named || now.labels?.[0]?.textContent || now.textContent || now.placeholder || now.title || '';
         const seen = box.width > 0 && box.height > 0
            && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
         const name = label.replace(/\\s+/g, ' ').trim();
         return `${{name === '' ? 'NO NAME ' + now.outerHTML.slice(0, 80) : name}}${{seen ? '' : ' NOT SEEN'}}`;"
    );
    let mut all = Vec::new();
    while all.len() < 200 {
        window.type_keys(&char::from(Key::Tab).to_string()).await?;
        let Value::String(name) = window.script(&look).await? else {
            break;
        };
        all.push(name);
    }
    Ok(all)
}

#[tokio::test]
async fn tab_goes_through_each_view_in_the_order_in_which_it_is_read() -> Result<()> {
    let home = Home::new()?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("tab-order", window, async |window| {
        let mut order = Order {
            window,
            lines: Vec::new(),
        };
        order.note("sidebar", "[data-place=\"sidebar\"]").await?;
        order.note("status bar", "[data-place=\"status\"]").await?;
        order.note("welcome", "[data-testid=\"welcome\"]").await?;
        window.chord(&[ctrl(), shift()], 'g').await?;
        window.find("[data-testid=\"search-input\"]").await?;
        order.note("search", "[data-place=\"aside\"]").await?;
        window.chord(&[ctrl(), shift()], 'x').await?;
        window.find("[data-testid=\"conflicts-panel\"]").await?;
        order.note("conflicts", "[data-place=\"aside\"]").await?;
        window.chord(&[ctrl()], ',').await?;
        window.find("[data-testid=\"setting-theme\"]").await?;
        window.click("[data-testid=\"settings-search\"]").await?;
        window.type_keys("dark").await?;
        order.note("settings", "[data-testid=\"settings\"]").await?;
        window.click("[data-testid=\"page-keys\"]").await?;
        window.click("[data-testid=\"settings-search\"]").await?;
        window.type_keys("pane.zoom").await?;
        order.note("keys", "[data-testid=\"settings\"]").await?;
        window.click("[data-testid=\"page-themes\"]").await?;
        window.find("[data-testid=\"theme-Paper\"]").await?;
        order.note("themes", "[data-testid=\"settings\"]").await?;
        insta::assert_snapshot!(order.lines.join("\n"), @r#"
        sidebar: Open a folder or a repository | New terminal | bashidle | Agents | New agent | Flows | All runs | Try a sample
        status bar: Sidebar | SearchCtrl+Shift+G | CommandsCtrl+Shift+P
        welcome: Open a terminalIts program goes on when this window closes.Ctrl+Shift+T | Open a folder or a repositoryA terminal that starts there. A folder dropped on the sidebar does the same.Ctrl+Shift+K | Find anything that any pane printedLive panes, closed ones, and what full-screen programs showed.Ctrl+Shift+G | Try a flowSmall ones that need nothing but a shell, written to your home. | See every command and its keyA few letters find each of them.Ctrl+Shift+P | Make it yoursThemes, fonts, keys; behind them are text files.Ctrl+,
        search: Close the search | Search what was printed and said | Case matters when the pattern has a capital | Whole words | Regular expression | Where to look | Order | When it was | Results
        conflicts: Close | Add a folder…
        settings: Settings | Keys | Themes | Search | What I changed | Open the text | Back to default | Line 1 | Dark | Dark theme | Gallery
        keys: Settings | Keys | Themes | Search | What I changed | Open the text | Another key: Zoom the pane, or unzoom | No key: Zoom the pane, or unzoom
        themes: Settings | Keys | Themes | Search | Import a theme… | Switchyard dark | Harbour | Pine | Ember | Dusk | Slate | High contrast, dark | Switchyard light | Paper | Morning | Meadow | High contrast, light
        "#);
        Ok(())
    })
    .await
}

/// What `Tab` comes by in each of the parts, one after the other as they are noted.
struct Order<'a> {
    window: &'a Window,
    lines: Vec<String>,
}

impl Order<'_> {
    async fn note(&mut self, view: &str, part: &str) -> Result<()> {
        self.window.find(part).await?;
        let all = tabbed(self.window, part).await?;
        self.lines.push(format!("{view}: {}", all.join(" | ")));
        Ok(())
    }
}

/// The words of a line that have no digit.
fn without_numbers(line: &str) -> String {
    let words = line.split(' ');
    let steady = words.filter(|word| !word.contains(|letter: char| letter.is_ascii_digit()));
    steady.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn tab_goes_through_agents_flows_and_changes_in_the_order_in_which_they_are_read()
-> Result<()> {
    let home = Home::new()?;
    let mut daemon = PaseoDaemon::start()?;
    let login = daemon.add("Fix the login", "/srv/demo/login")?;
    daemon.in_settings(&home)?;
    let samples = home.user().join("switchyard-samples");
    std::fs::create_dir_all(&samples)?;
    std::fs::write(
        samples.join("ask.flow.yaml"),
        "name: ask\nsteps:\n  - { id: look, run: 'echo looked' }\n  \
         - { id: ship, needs: [look], approval: { message: Ship it? } }\n",
    )?;
    let topic = changed_worktree(&home)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("tab-order-work", window, async |window| {
        let mut order = Order { window, lines: Vec::new() };
        window.click("[aria-label=\"Close Welcome\"]").await?;
        enter_line(window, pane, &format!("cd {}", topic.display())).await?;
        window.click("[data-testid=changed-topic]").await?;
        says(window, "[data-testid=diff-lines]", "seven").await?;
        order.note("changes", "[data-testid=changes]").await?;

        window.click("[data-testid=\"open-hub\"]").await?;
        says(window, "[data-testid=\"agents-hub\"]", "Fix the login").await?;
        order.note("agents", "[data-testid=\"agents-hub\"]").await?;
        window
            .click(&format!(
                "[data-testid=\"agents-hub\"] [data-testid=\"agent-{login}\"]"
            ))
            .await?;
        window.click("[data-testid=\"composer\"]").await?;
        window.type_keys(&format!("PERMIT{}", enter())).await?;
        window.find("[data-testid=\"permission\"]").await?;
        order
            .note("conversation", "[data-testid=\"agent-timeline\"]")
            .await?;

        window.click("[data-testid=\"flow-ask\"]").await?;
        says(window, "[data-testid=\"flow-verdict\"]", "no mistakes").await?;
        // In the text itself, Tab indents.
        order.note("flow", "[data-testid=\"flow-canvas\"]").await?;
        window
            .click("[data-testid=\"start-flow\"]:not(:disabled)")
            .await?;
        window
            .click("[data-testid=\"start-run\"]:not(:disabled)")
            .await?;
        window
            .find("[data-testid^=\"run-\"] [data-testid=\"step-ship\"][data-state=\"awaiting_approval\"]")
            .await?;
        order.note("run", "[data-testid^=\"run-\"]").await?;
        window.click("[data-testid=\"answer-ship\"]").await?;
        order.note("approval", "[data-testid=\"step-aside\"]").await?;
        window.click("[aria-label=\"All runs\"]").await?;
        order.note("runs", "[data-testid=\"runs\"]").await?;
        // What differs from run to run: the run's id, times and counts.
        let run = window
            .find("[data-testid^=\"run-row-\"]")
            .await?
            .attr("data-testid")
            .await?
            .context("the row of the run")?;
        let run = run.trim_start_matches("run-row-");
        let steady = order.lines.join("\n").replace(run, "RUN");
        let steady: Vec<String> = steady.lines().map(without_numbers).collect();
        insta::assert_snapshot!(steady.join("\n"), @"
        changes: All in one | Ignore white space | More of this worktree | Only files whose path has this in it | Files that changed | Message of the commit; Ctrl+Enter commits | Amend | Looked at | Stage | Discard | Lines; N and P go to the next and the previous change, the arrow keys choose lines, R remarks on them, V shows both sides, L says that they were looked at | Show more lines | Stage | Discard | Show what follows
        agents: Find an agent | Import… | New agent… | All | Idle | Fix the loginfake d
        conversation: Stop | Archive | What was said | Allow once Alt+Enter | Always allow | Reject Alt+Backspace | Deny and stop | Say something to this agent
        flow: Find a step | Fit the whole graph | Closer | Further away | Follow what runs | Show what took longest | Draw long chains as one | Map | Steps; the arrow keys go from one to the next | React Flow attribution
        run: Graph | Timeline | Text | Cancel | Save the graph | Look and answer | Find a step | Fit the whole graph | Closer | Further away | Follow what runs | Show what took longest | Draw long chains as one | Map | Steps; the arrow keys go from one to the next | React Flow attribution
        approval: Close | Comment | Reject | Approve | Output of look | look | Find in the output | Previous match | Next match | Copy the output | Cancel the step | Mark as succeeded… | Skip
        runs: Flow, path or run | State | Compare ask, RUN | askneeds of
        ");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn each_dialog_that_is_left_gives_the_keys_back_to_the_terminal() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("dialogs", window, async |window| {
        let screen = format!("[data-testid=\"pane-{pane}\"] .terminal-screen");
        for (view, id, part) in [
            ("commands", "", "[data-testid=\"palette\"]"),
            ("switcher", "switcher.open", "[data-testid=\"switcher\"]"),
            ("folder", "workspace.open_folder", "[data-testid=\"folder-dialog\"]"),
            ("layout", "layout.save", "[data-testid=\"layout-dialog\"]"),
            ("new agent", "agents.new", "[role=\"dialog\"]"),
            ("import of agents", "agents.import", "[role=\"dialog\"]"),
            ("profile", "pane.new_profile", "[data-testid=\"picker\"]"),
        ] {
            window.click(&screen).await?;
            window.chord(&[ctrl(), shift()], 'p').await?;
            window.find("[data-testid=\"palette\"]").await?;
            if !id.is_empty() {
                window.type_keys(id).await?;
                window
                    .click(&format!("[data-testid=\"command-{id}\"]"))
                    .await?;
                window.gone("[data-testid=\"palette\"]").await?;
            }
            window.find(part).await?;
            window
                .type_keys(&char::from(Key::Escape).to_string())
                .await?;
            window.gone(part).await?;
            let back = "return document.activeElement?.closest('[data-pane]')?.dataset.pane ?? document.activeElement?.outerHTML.slice(0, 90);";
            gives(window, &format!("the keys back from {view}"), back, |here| {
                *here == json!(pane.to_string())
            })
            .await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tab_stays_within_a_dialog_which_begins_with_what_one_came_for() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("dialog-order", window, async |window| {
        let mut lines = Vec::new();
        // What can be chosen of agents is another on each machine.
        for (view, id, steady) in [
            ("folder", "workspace.open_folder", true),
            ("layout", "layout.save", true),
            ("new agent", "agents.new", false),
            ("import of agents", "agents.import", false),
            ("tour", "window.tour", true),
        ] {
            window
                .click(&format!("[data-testid=\"pane-{pane}\"] .terminal-screen"))
                .await?;
            window.chord(&[ctrl(), shift()], 'p').await?;
            window.find("[data-testid=\"palette\"]").await?;
            window.type_keys(id).await?;
            window
                .click(&format!("[data-testid=\"command-{id}\"]"))
                .await?;
            window.gone("[data-testid=\"palette\"]").await?;
            let part = "[role=\"dialog\"]";
            window.find(part).await?;
            let first = gives(
                window,
                &format!("the keys in {view}"),
                "const now = document.activeElement;
                 if (!now?.closest('[role=\"dialog\"]')) return null;
                 return now.getAttribute('aria-label') ?? now.labels?.[0]?.textContent ?? now.textContent;",
                Value::is_string,
            )
            .await?;
            let all = tabbed(window, part).await?;
            let within = "return document.activeElement?.closest('[role=\"dialog\"]') !== null;";
            assert_eq!(window.script(within).await?, json!(true), "{view}: {all:?}");
            if steady {
                let first = first.as_str().unwrap_or_default();
                lines.push(format!("{view} begins with {first}: {}", all.join(" | ")));
            }
            window
                .type_keys(&char::from(Key::Escape).to_string())
                .await?;
            window.gone(part).await?;
        }
        insta::assert_snapshot!(lines.join("\n"), @r"
        folder begins with Path of the folder: Path of the folder | Cancel
        layout begins with Name of the layout: Name of the layout | Cancel
        tour begins with Next: Skip | Next
        ");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_tab_is_closed_by_keys_and_has_its_button_in_what_is_heard() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("tab-keys", window, async |window| {
        let close = text_of(window, "[data-testid=\"close-front\"]").await?;
        assert_eq!(close, "Close the tab in front");
        let focus = "document.querySelector('.dv-tab[aria-label=\"Welcome\"]').focus();";
        window.script(focus).await?;
        window
            .type_keys(&char::from(Key::Delete).to_string())
            .await?;
        window.gone("[data-testid=\"welcome\"]").await?;
        window
            .find(&format!("[data-testid=\"pane-{pane}\"]"))
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_printed_is_told_to_a_screen_reader_once_and_politely() -> Result<()> {
    let home = Home::new()?;
    let settings = json!({
        "renderer": "dom", "tour": false, "shell": "/bin/bash", "theme": "dark", "screen_reader": true
    });
    std::fs::write(
        home.path().join("config/settings.json"),
        settings.to_string(),
    )?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("screen-reader", window, async |window| {
        let root = format!(
            "document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root').shadowRoot"
        );
        // All that is told, whether at once or one after the other: the prompt may come late.
        let listen = format!(
            "const log = {root}.querySelector('[role=\"log\"]');
            const told = (window.told = []);
            const heard = new MutationObserver(() => told.push(log.textContent));
            heard.observe(log, {{ childList: true, characterData: true, subtree: true }});"
        );
        window.script(&listen).await?;
        let told = "return window.told.join('\\n');";
        enter_line(window, pane, "echo heard-$((40 + 2))").await?;
        gives(window, "the line among what is told", told, |value| {
            value
                .as_str()
                .is_some_and(|text| text.contains("heard-42\nready>"))
        })
        .await?;
        let rows = format!(
            "return Array.from({root}.querySelectorAll('.xterm-accessibility-tree > div'))
                .map((row) => row.textContent.trim()).join('\\n');"
        );
        gives(window, "the line among the rows", &rows, |value| {
            value.as_str().is_some_and(|rows| rows.contains("heard-42"))
        })
        .await?;
        Ok(())
    })
    .await
}

/// The least contrast of the words in the rows that `css` selects, against what is really behind them.
fn contrast_of(css: &str) -> String {
    format!(
        "const parsed = (text) => text.match(/[\\d.]+/g).map(Number);
         const over = ([r, g, b, a = 1], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
         const behind = (element) => element === null ? [255, 255, 255]
            : over(parsed(getComputedStyle(element).backgroundColor), behind(element.parentElement));
         const light = (colour) => colour.map((part) => part / 255)
            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
            .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
         const contrast = (element) => {{
            const ground = behind(element);
            const [one, other] = [light(over(parsed(getComputedStyle(element).color), ground)), light(ground)];
            return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
         }};
         const words = Array.from(document.querySelectorAll({css:?}), (row) => [row, ...row.querySelectorAll('*')]).flat()
            .filter((element) => Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim() !== ''));
         return words.length === 0 ? null : Math.min(...words.map(contrast));"
    )
}

#[tokio::test]
async fn selected_rows_and_what_is_said_of_a_button_can_be_read_in_dark_and_in_light() -> Result<()>
{
    let home = Home::new()?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("contrast", window, async |window| {
        let readable = |value: &Value| value.as_f64().is_some_and(|contrast| contrast >= 4.5);
        for theme in ["dark", "light"] {
            let settings =
                json!({ "renderer": "dom", "tour": false, "shell": "/bin/bash", "theme": theme });
            std::fs::write(
                home.path().join("config/settings.json"),
                settings.to_string(),
            )?;
            window.find(&format!("[data-theme=\"{theme}\"]")).await?;
            let row = ".pane-row[data-active=\"true\"]";
            gives(window, "a selected row", &contrast_of(row), readable).await?;
            window.chord(&[ctrl(), shift()], 'p').await?;
            window.find("[data-testid=\"palette\"]").await?;
            let chosen = "[data-testid=\"palette\"] [aria-selected=\"true\"]";
            gives(window, "a chosen command", &contrast_of(chosen), readable).await?;
            window
                .type_keys(&char::from(Key::Escape).to_string())
                .await?;
            window.gone("[data-testid=\"palette\"]").await?;

            // What is said of a button has the window's own look, and is said once.
            let (left, top, width, height) = window
                .find("[data-testid=\"zoom\"]")
                .await?
                .rectangle()
                .await?;
            window
                .point_at(left + width / 2.0, top + height / 2.0)
                .await?;
            let tip = "[role=\"tooltip\"]";
            let said = window.find(tip).await?.text().await?;
            assert_eq!(said, "Zoom (Ctrl+Shift+Enter)");
            gives(window, "what is said", &contrast_of(tip), readable).await?;
            let title = window.find("[data-testid=\"zoom\"]").await?;
            assert_eq!(title.attr("title").await?.as_deref(), Some(""));
            window.point_at(2.0, 2.0).await?;
            window.gone(tip).await?;
        }
        Ok(())
    })
    .await
}
