//! Flows: the graph of a run, live; answered, cut off, and asked why.

use anyhow::{Context, Result};
use serde_json::Value;
use support::{Home, Window, git, wait_for};

use crate::{at_a_prompt, enter_line, killed_and_opened_again, says, scenario, shown, text_of};

/// The flows and their runs in the sidebar.
const FLOWS: &str = "[data-testid=\"flows\"]";

/// Writes a flow where the window looks for flows.
fn write_flow(home: &Home, name: &str, steps: &str) -> Result<()> {
    let directory = home.path().join("user/switchyard-samples");
    std::fs::create_dir_all(&directory)?;
    let text = format!("name: {name}\nsteps:\n{steps}");
    Ok(std::fs::write(
        directory.join(format!("{name}.flow.yaml")),
        text,
    )?)
}

/// Starts a run of a flow that the sidebar lists, through its file and the dialog.
async fn start(window: &Window, flow: &str) -> Result<()> {
    window
        .click(&format!("[data-testid=\"flow-{flow}\"]"))
        .await?;
    start_opened(window).await
}

async fn start_opened(window: &Window) -> Result<()> {
    window
        .click("[data-testid=\"start-flow\"]:not(:disabled)")
        .await?;
    window
        .click("[data-testid=\"start-run\"]:not(:disabled)")
        .await
}

fn step(id: &str) -> String {
    format!("[data-testid^=\"run-\"] [data-testid=\"step-{id}\"]")
}

/// Waits until a step on the canvas is in a state.
async fn comes_to(window: &Window, id: &str, state: &str) -> Result<()> {
    window
        .find(&format!("{}[data-state=\"{state}\"]", step(id)))
        .await
        .map(drop)
}

/// What a step is called by those who don't see the picture, and its classes.
async fn told(window: &Window, id: &str) -> Result<(String, String)> {
    let step = window.find(&step(id)).await?;
    Ok((
        step.attr("aria-label").await?.unwrap_or_default(),
        step.attr("class").await?.unwrap_or_default(),
    ))
}

#[tokio::test]
async fn the_sample_runs_lights_its_branch_and_ends_when_it_is_approved() -> Result<()> {
    let home = Home::new()?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("flow-triage", window, async |window| {
        window
            .click("[data-testid=\"welcome-flow.sample\"]")
            .await?;
        start_opened(window).await?;
        comes_to(window, "ship", "awaiting_approval").await?;
        // The page is never stopped by a layout, however large.
        window.find("[data-laid-out=\"worker\"]").await?;

        let (label, class) = told(window, "fix").await?;
        assert!(class.contains("lit"), "{class}");
        assert!(label.starts_with("fix, code, succeeded"), "{label}");
        let (label, class) = told(window, "write").await?;
        assert!(class.contains("dimmed"), "{class}");
        assert_eq!(label, "write, code, skipped: route took bug");
        let (label, _) = told(window, "route").await?;
        assert!(label.starts_with("route, switch, took bug"), "{label}");
        for (edge, look) in [
            ("route→fix", "lit"),
            ("fix→test", "lit"),
            ("test→ship", "lit"),
            ("route→write", "dimmed"),
        ] {
            window
                .find(&format!("[data-edge=\"{edge}\"][data-look=\"{look}\"]"))
                .await?;
        }
        let edge = window.find("[data-edge=\"route→fix\"]").await?;
        assert_eq!(
            edge.attr("aria-label").await?.as_deref(),
            Some("route, case bug, to fix: taken")
        );

        // It is among what needs the person, and is answered on the right side.
        window.click("[data-testid=\"answer-ship\"]").await?;
        let asked = window.find("[data-testid=\"approval\"]").await?;
        let asked = asked.text().await?;
        assert!(
            asked.contains("Ship The login button does nothing?"),
            "{asked}"
        );
        // With all the room there is, for those who look at the picture.
        window.click("[aria-label=\"Close Welcome\"]").await?;
        window.click("[aria-label=\"Dismiss\"]").await?;
        window.picture("flow-approval").await?;
        window.click("[data-testid=\"approve\"]").await?;
        window
            .find("[data-testid^=\"run-\"][data-state=\"succeeded\"]")
            .await?;
        comes_to(window, "done", "succeeded").await
    })
    .await
}

#[tokio::test]
async fn the_graph_goes_on_after_the_window_was_killed() -> Result<()> {
    let home = Home::new()?;
    let go = home.path().join("go");
    write_flow(
        &home,
        "waits",
        &format!(
            "  - {{ id: first, idempotent: true, run: 'until [ -e {} ]; do sleep 0.05; done; echo went on' }}\n  \
             - {{ id: second, needs: [first], value: '{{{{ results.first.output }}}}' }}\n",
            go.display()
        ),
    )?;
    let (window, _) = at_a_prompt(&home).await?;
    start(&window, "waits").await?;
    comes_to(&window, "first", "running").await?;
    window.session_holds("flow-run").await?;

    // The run's tab is the one in front again.
    let window = killed_and_opened_again(&home, window).await?;
    scenario("flow-killed", window, async |window| {
        comes_to(window, "first", "running").await?;
        std::fs::write(&go, "")?;
        comes_to(window, "second", "succeeded").await?;
        let (label, _) = told(window, "first").await?;
        assert!(label.starts_with("first, code, succeeded, took"), "{label}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn rounds_are_drawn_and_go_on_after_the_window_was_killed_in_the_midst_of_one() -> Result<()>
{
    let home = Home::new()?;
    let go = home.path().join("go");
    write_flow(
        &home,
        "green",
        &format!(
            "  - {{ id: fix, value: 'looked, for the tests said: {{{{ last.test.output | default(\"nothing\") }}}}' }}\n  \
             - {{ id: test, needs: [fix], idempotent: true, env: {{ ROUND: '{{{{ rounds.green }}}}' }},\n      \
                 run: 'test $ROUND = 1 || until [ -e {} ]; do sleep 0.05; done; echo round $ROUND; test $ROUND = 3' }}\n  \
             - {{ id: green, repeat: {{ steps: [fix, test], until: results.test.exit_code == 0, times: 4 }} }}\n  \
             - {{ id: done, needs: [green], value: 'after {{{{ rounds.green }}}}' }}\n",
            go.display()
        ),
    )?;
    let frame = "[data-testid^=\"run-\"] [data-testid=\"rounds-green\"]";
    let (window, _) = at_a_prompt(&home).await?;
    start(&window, "green").await?;
    says(&window, frame, "round 2 of 4").await?;
    comes_to(&window, "test", "running").await?;
    window.session_holds("flow-run").await?;

    let window = killed_and_opened_again(&home, window).await?;
    scenario("flow-rounds", window, async |window| {
        says(window, frame, "round 2 of 4").await?;
        comes_to(window, "test", "running").await?;
        window.picture("flow-rounds-running").await?;
        std::fs::write(&go, "")?;
        comes_to(window, "done", "succeeded").await?;
        says(window, frame, "done in round 3").await?;
        let (label, _) = told(window, "green").await?;
        assert!(label.starts_with("green, repeat, done in round 3"), "{label}");
        let marks = window
            .script(&format!(
                "return Array.from(document.querySelectorAll('{frame} .round-mark'), (one) => one.dataset.round).join(' ');"
            ))
            .await?;
        assert_eq!(marks, "missed missed done ahead");
        let edge = window.find("[data-edge=\"green→fix!\"]").await?;
        assert_eq!(
            edge.attr("aria-label").await?.as_deref(),
            Some("another round of green begins with fix")
        );

        // Every round is there, with what it saw.
        window.click(&step("green")).await?;
        let rounds = says(window, "[data-testid=\"rounds\"] tbody", "3").await?;
        assert_eq!(rounds.matches("test").count(), 3, "{rounds}");
        says(window, "[data-testid=\"why\"]", "green ran and succeeded").await?;
        window.picture("flow-rounds").await?;
        window.click("[data-testid=\"rounds\"] tbody tr:last-child .round-step").await?;
        says(window, "[data-testid=\"why\"]", "This is round 3 of 4 of green").await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_list_is_a_stack_that_opens_and_goes_on_after_the_window_was_killed() -> Result<()> {
    let home = Home::new()?;
    let go = home.path().join("go");
    write_flow(
        &home,
        "parts",
        &format!(
            "  - {{ id: list, run: 'echo \"[\\\"docs\\\", \\\"src\\\", \\\"tests\\\"]\"', output: {{ type: json }} }}\n  \
             - {{ id: look, needs: [list], foreach: {{ of: results.list.data, max_concurrent: 2 }}, idempotent: true,\n      \
                 env: {{ PART: '{{{{ item }}}}' }}, run: 'until [ -e {0} ]; do sleep 0.05; done; echo $PART; test $PART != src' }}\n  \
             - {{ id: sum, needs: [look], value: '{{{{ results.look.output }}}}' }}\n",
            go.display()
        ),
    )?;
    let (window, _) = at_a_prompt(&home).await?;
    start(&window, "parts").await?;
    says(&window, &step("look"), "0 of 3 done").await?;
    window.session_holds("flow-run").await?;

    let window = killed_and_opened_again(&home, window).await?;
    scenario("flow-list", window, async |window| {
        says(window, &step("look"), "0 of 3 done").await?;
        window.click(&step("look")).await?;
        let items = "[data-testid=\"items\"]";
        says(window, items, "docs").await?;
        wait_for("two items at work", || async {
            let css = format!("{items} button[data-state=\"running\"]");
            match window.count(&css).await {
                Ok(2) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await?;
        window.picture("flow-list-running").await?;
        std::fs::write(&go, "")?;
        says(window, &step("look"), "3 of 3 done, 1 failed").await?;
        says(
            window,
            "[data-testid=\"why\"]",
            "1 of 3 items did not succeed",
        )
        .await?;
        window.picture("flow-list").await?;
        window
            .click(&format!("{items} li:nth-child(2) button"))
            .await?;
        says(window, "[data-testid=\"why\"]", "It is item 2 of look").await?;
        says(window, "[data-testid=\"output\"]", "src")
            .await
            .map(drop)
    })
    .await
}

#[tokio::test]
async fn a_skipped_step_leads_to_the_failure_where_it_began() -> Result<()> {
    let home = Home::new()?;
    write_flow(
        &home,
        "breaks",
        "  - { id: build, run: 'printf \"\\033[31mno compiler\\033[0m\\n\"; exit 3' }\n  \
         - { id: test, needs: [build], run: 'true' }\n  \
         - { id: pack, needs: [test], run: 'true' }\n  \
         - { id: ship, needs: [pack], run: 'true' }\n",
    )?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("flow-why", window, async |window| {
        start(window, "breaks").await?;
        comes_to(window, "ship", "skipped").await?;
        let (label, _) = told(window, "ship").await?;
        assert_eq!(label, "ship, code, skipped: build did not succeed");
        window.click(&step("ship")).await?;
        let why = window.find("[data-testid=\"why\"]").await?.text().await?;
        assert!(
            why.contains("build, which it depends on, did not succeed"),
            "{why}"
        );
        let chain = window
            .script(
                "return Array.from(document.querySelectorAll('[data-testid^=\"cause-\"]'), (one) => one.dataset.testid);",
            )
            .await?;
        let chain: Vec<&str> = chain
            .as_array()
            .context("a list")?
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(chain, ["cause-pack", "cause-test", "cause-build"]);

        window.click("[data-testid=\"cause-build\"]").await?;
        wait_for("what the origin printed, in red", || async {
            let red = window
                .script("return document.querySelector('[data-testid=\"output\"] [style*=\"--c1\"]')?.textContent ?? '';")
                .await
                .map_err(|error| error.to_string())?;
            if red == "no compiler" { Ok(()) } else { Err(red.to_string()) }
        })
        .await?;
        let aside = window.find("[data-testid=\"step-aside\"]").await?;
        let aside = aside.text().await?;
        assert!(aside.contains("exit code 3"), "{aside}");
        window.picture("flow-why").await
    })
    .await
}

#[tokio::test]
async fn a_plan_leaves_open_what_nobody_knows_and_a_step_says_what_holds_it_open() -> Result<()> {
    let home = Home::new()?;
    write_flow(
        &home,
        "holds",
        "  - { id: look, run: 'echo 1; sleep 600 &', output: { type: json } }\n  \
         - { id: route, needs: [look], switch: [{ case: one, when: results.look.data == 1, steps: [yes] }], default: [no] }\n  \
         - { id: 'yes', run: 'true' }\n  \
         - { id: 'no', run: 'true' }\n",
    )?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("flow-holds", window, async |window| {
        window.click("[data-testid=\"flow-holds\"]").await?;
        let outcome = window.find("[data-testid=\"plan-outcome\"] code").await?;
        assert_eq!(outcome.text().await?, "results.look.data");
        window.picture("flow-plan").await?;

        start_opened(window).await?;
        window.find(&step("look")).await?;
        window.click(&step("look")).await?;
        wait_for("what holds it open", || async {
            let why = window
                .script(
                    "return document.querySelector('[data-testid=\"why\"]')?.textContent ?? '';",
                )
                .await
                .map_err(|error| error.to_string())?;
            let why = why.as_str().unwrap_or_default().to_owned();
            let held =
                "look is held open: its program has ended with exit code 0, but sleep (process ";
            if why.starts_with(held) {
                Ok(())
            } else {
                Err(why)
            }
        })
        .await?;
        let (label, _) = told(window, "look").await?;
        assert!(
            label.contains("held open by what it left running"),
            "{label}"
        );
        window.picture("flow-held").await
    })
    .await
}

#[tokio::test]
async fn the_flows_of_a_repository_are_listed_when_the_window_starts() -> Result<()> {
    let home = Home::new()?;
    let shop = home.path().join("shop");
    std::fs::create_dir_all(shop.join("flows"))?;
    std::fs::write(
        shop.join("flows/deliver.flow.yaml"),
        "name: deliver\nsteps:\n  - { id: pack, run: 'true' }\n",
    )?;
    git(&shop, &["init", "-q", "-b", "main"])?;
    git(&shop, &["add", "-A"])?;
    git(&shop, &["commit", "-q", "-m", "x"])?;
    let (window, pane) = at_a_prompt(&home).await?;
    says(&window, FLOWS, "No flow was found here.").await?;
    enter_line(&window, pane, &format!("cd {}", shop.display())).await?;
    window.find("[data-testid=\"flow-deliver\"]").await?;

    let window = killed_and_opened_again(&home, window).await?;
    scenario("flows-found", window, async |window| {
        window.find(FLOWS).await?;
        // All that the list says from now on, at whatever moment.
        let listen = format!(
            "const list = document.querySelector({FLOWS:?});
             const said = (window.said = [list.textContent]);
             new MutationObserver(() => said.push(list.textContent))
                .observe(list, {{ childList: true, characterData: true, subtree: true }});"
        );
        window.script(&listen).await?;
        window.find("[data-testid=\"flow-deliver\"]").await?;
        let said = window.script("return window.said.join('\\n');").await?;
        let said = said.as_str().unwrap_or_default();
        assert!(!said.contains("No flow was found"), "{said}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn panes_of_steps_lie_under_their_run_and_come_back_as_what_they_were() -> Result<()> {
    let home = Home::new()?;
    write_flow(
        &home,
        "three",
        "  - { id: one, run: 'echo first-$((40 + 2)) >&2; exit 1' }\n  \
         - { id: two, run: 'echo second-$((40 + 2)) >&2; exit 1' }\n  \
         - { id: three, approval: { message: Go on? } }\n",
    )?;
    let group = "[data-testid^=\"group-run-\"]";
    let heading = "[data-testid^=\"group-run-\"] .tree-heading";
    let unfolded = "[data-testid^=\"group-run-\"] [data-testid^=\"sidebar-pane-\"]";

    let (window, _) = at_a_prompt(&home).await?;
    start(&window, "three").await?;
    comes_to(&window, "three", "awaiting_approval").await?;
    says(&window, group, "2 panes").await?;
    assert_eq!(
        window.count(unfolded).await?,
        0,
        "folded until somebody asks"
    );
    window.click(heading).await?;
    window.find(unfolded).await?;
    assert_eq!(window.count(unfolded).await?, 2);
    window.picture("panes-in-run").await?;
    window.click(unfolded).await?;
    let printed = wait_for("what the step printed", || async {
        let shown = shown(&window).await.map_err(|error| error.to_string())?;
        for pane in shown {
            let screen = window
                .screen(pane)
                .await
                .map_err(|error| error.to_string())?;
            if screen.contains("first-42") || screen.contains("second-42") {
                return Ok(pane);
            }
        }
        Err("nothing yet".to_owned())
    })
    .await?;
    window.session_holds(&format!("\"pane\":{printed}")).await?;

    // The machine goes down: no window, and no host with panes.
    for pid in home.windows() {
        Home::kill(pid);
    }
    drop(window);
    home.ok(&["host", "--stop"])?;
    let window = Window::open(&home).await?;
    scenario("panes-of-steps", window, async |window| {
        wait_for("what the step printed, and no shell", || async {
            let history = text_of(window, "[data-testid^=\"history-\"]").await;
            let history = history.map_err(|error| error.to_string())?;
            if history.contains("first-42") || history.contains("second-42") {
                Ok(())
            } else {
                Err(history)
            }
        })
        .await?;
        window.picture("panes-of-steps").await?;
        let panes: Value = serde_json::from_str(&home.ok(&["panes", "--json"])?)?;
        let panes = panes.as_array().context("a list of panes")?;
        assert_eq!(panes.len(), 1, "the shell alone: {panes:?}");
        // The run goes on where it was.
        window.find("[data-testid=\"needs-you\"]").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn panes_that_have_ended_are_closed_together() -> Result<()> {
    let home = Home::new()?;
    write_flow(
        &home,
        "pair",
        "  - { id: one, run: 'false' }\n  - { id: two, run: 'false' }\n",
    )?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("close-ended", window, async |window| {
        start(window, "pair").await?;
        window
            .find("[data-testid^=\"run-\"][data-state=\"failed\"]")
            .await?;
        // Its row stays on top for a while, with how it went.
        says(window, FLOWS, "failed").await?;
        let group = "[data-testid^=\"group-run-\"]";
        says(window, group, "2 panes").await?;
        window
            .right_click(&format!("{group} .tree-heading"))
            .await?;
        window.choose("Close the panes that have ended").await?;
        window.gone(group).await?;
        window
            .find(&format!("[data-testid=\"sidebar-pane-{pane}\"]"))
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_form_asks_in_the_order_of_its_file() -> Result<()> {
    let home = Home::new()?;
    let directory = home.path().join("user/switchyard-samples");
    std::fs::create_dir_all(&directory)?;
    let text = "\
name: order
inputs:
  zone: { type: text, default: z }
  apples: { type: number, default: 3 }
  mode: { type: text, default: m }
steps:
  - { id: first, run: 'echo told' }
  - { id: second, needs: [first], approval: { message: Go on? } }
  - { id: third, needs: [second], run: 'true' }
";
    std::fs::write(directory.join("order.flow.yaml"), text)?;
    let (window, _) = at_a_prompt(&home).await?;
    scenario("form-order", window, async |window| {
        window.click("[data-testid=\"flow-order\"]").await?;
        window
            .click("[data-testid=\"start-flow\"]:not(:disabled)")
            .await?;
        window
            .find("[data-testid=\"start-dialog\"] [data-testid=\"field-zone\"]")
            .await?;
        let fields = window
            .script(
                "return Array.from(
                    document.querySelectorAll('[data-testid=\"start-dialog\"] [data-testid^=\"field-\"]'),
                    (field) => field.dataset.testid.slice(6));",
            )
            .await?;
        assert_eq!(fields, serde_json::json!(["zone", "apples", "mode"]));
        window
            .click("[data-testid=\"start-run\"]:not(:disabled)")
            .await?;
        comes_to(window, "second", "awaiting_approval").await?;

        window.click(&step("first")).await?;
        window.find("[aria-label=\"Step first\"]").await?;
        Ok(())
    })
    .await
}
