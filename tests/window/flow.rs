//! Flows: the graph of a run, live; answered, cut off, and asked why.

use anyhow::{Context, Result};
use serde_json::Value;
use support::{Home, Window, wait_for};

use crate::{at_a_prompt, killed_and_opened_again, scenario};

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
