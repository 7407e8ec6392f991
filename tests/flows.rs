//! Flows by the real program, which is killed at random moments: what has a result never runs again.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::{Home, wait_for};

/// Fifty steps: a chain, a fan, a switch with both branches, and a join, each leaving a line in `log`.
fn fifty_steps() -> String {
    let mut text = "name: fifty\nmax_concurrent: 6\nsteps:\n".to_owned();
    let mut step = |id: &str, needs: &str| {
        text += &format!(
            "  - {{ id: {id}, needs: [{needs}], idempotent: true, run: 'echo $SWITCHYARD_STEP >> log; sleep 0.05; echo $SWITCHYARD_STEP' }}\n"
        );
    };
    step("c0", "");
    for number in 1..10 {
        step(&format!("c{number}"), &format!("c{}", number - 1));
    }
    for number in 0..16 {
        step(&format!("f{number}"), "c2");
    }
    for number in 0..8 {
        step(
            &format!("g{number}"),
            &format!("f{number}, f{}", number + 8),
        );
    }
    for number in 0..4 {
        step(&format!("a{number}"), "");
        step(&format!("b{number}"), "");
    }
    let all = |prefix: &str, count: usize| {
        let names: Vec<_> = (0..count)
            .map(|number| format!("{prefix}{number}"))
            .collect();
        names.join(", ")
    };
    text += &format!(
        "  - {{ id: route, needs: [c9], switch: [{{ case: a, when: results.c9.output == 'c9', steps: [{}] }}], default: [{}] }}\n",
        all("a", 4),
        all("b", 4)
    );
    text += &format!(
        "  - {{ id: both, needs: [{}, {}], value: 'a {{{{ results.a0.output | default(0) }}}}' }}\n",
        all("a", 4),
        all("b", 4)
    );
    for number in 0..5 {
        text += &format!("  - {{ id: v{number}, needs: [both], value: '{number}' }}\n");
    }
    text += &format!(
        "  - {{ id: end, needs: [{}, {}], value: done }}\n",
        all("v", 5),
        all("g", 8)
    );
    text + "output: { render: '{{ results.end.output }} {{ results.both.output }}' }\n"
}

/// Numbers that look random and are the same in every run of the tests.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) % limit
    }
}

/// The value of the secret that flows may ask for, by the name of its variable.
const KEY: &str = "Kz7-the-key-of-these-tests-q0";

/// Starts the program on a flow; gives it with the id of the run, which the first event tells.
fn drive(home: &Home, args: &[&str]) -> Result<(Child, Option<String>)> {
    let mut child = Command::new(Home::program())
        .args(args)
        .current_dir(home.path())
        .envs(home.environment())
        .env("THE_KEY", KEY)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("the program is built by `cargo build --bin switchyard`")?;
    let mut lines = BufReader::new(child.stdout.take().context("it has an output")?);
    let mut first = String::new();
    lines.read_line(&mut first)?;
    // Whatever else it tells is read, so that it is never held up.
    std::thread::Builder::new()
        .name("reader".to_owned())
        .spawn(move || std::io::copy(&mut lines, &mut std::io::sink()))?;
    let run = serde_json::from_str::<Value>(&first)
        .ok()
        .and_then(|event| Some(event["run"].as_str()?.to_owned()));
    Ok((child, run))
}

fn show(home: &Home, run: &str) -> Result<Value> {
    Ok(serde_json::from_str(
        &home.ok(&["flow", "show", run, "--json"])?,
    )?)
}

/// What has a result: its state, its attempts, and when it ended.
fn results(view: &Value) -> BTreeMap<String, Value> {
    let steps = view["step_list"].as_array().cloned().unwrap_or_default();
    steps
        .into_iter()
        .filter(|step| {
            let state = step["state"].as_str().unwrap_or_default();
            ![
                "pending",
                "queued",
                "running",
                "retry_wait",
                "awaiting_approval",
            ]
            .contains(&state)
        })
        .map(|step| (step["id"].as_str().unwrap_or_default().to_owned(), step))
        .collect()
}

fn log(home: &Home) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(home.path().join("log")).unwrap_or_default();
    let mut times = BTreeMap::new();
    for step in text.lines() {
        *times.entry(step.to_owned()).or_default() += 1;
    }
    times
}

/// How many kills: a few in every run of the tests, as many as `KILLS` says where somebody wants to know.
fn wanted_kills() -> u64 {
    std::env::var("KILLS")
        .ok()
        .and_then(|kills| kills.parse().ok())
        .unwrap_or(5)
}

/// What had a result when the process was killed.
#[derive(Default)]
struct Recorded {
    steps: BTreeMap<String, Value>,
    /// How often their programs had run.
    times: BTreeMap<String, usize>,
}

impl Recorded {
    /// Everything that had a result has it still, and did not run again.
    fn check(&self, view: &Value, home: &Home) {
        let (now, times) = (results(view), log(home));
        for (step, before) in &self.steps {
            assert_eq!(now.get(step), Some(before), "`{step}` had a result");
        }
        for (step, before) in &self.times {
            assert_eq!(
                times.get(step),
                Some(before),
                "`{step}` had a result and ran again"
            );
        }
    }

    fn take(view: &Value, home: &Home) -> Self {
        let steps = results(view);
        let mut times = log(home);
        times.retain(|step, _| steps.contains_key(step));
        Self { steps, times }
    }
}

#[allow(
    clippy::print_stdout,
    reason = "how many kills it were is what one wants to know"
)]
async fn survives_kills(host_too: bool) -> Result<()> {
    let (wanted, mut kills, mut runs, mut again) = (wanted_kills(), 0, 0, 0);
    let mut random = Random(0x9e37_79b9_7f4a_7c15 + u64::from(host_too));
    while kills < wanted {
        let home = Home::new()?;
        std::fs::write(home.path().join("fifty.flow.yaml"), fifty_steps())?;
        let (mut child, run) = drive(&home, &["flow", "run", "fifty.flow.yaml", "--json"])?;
        let run = run.context("the run says its id")?;
        runs += 1;
        let mut recorded = Recorded::default();
        loop {
            tokio::time::sleep(Duration::from_millis(random.below(900))).await;
            if let Some(status) = child.try_wait()? {
                let told = || home.ok(&["flow", "show", &run]).unwrap_or_default();
                anyhow::ensure!(status.success(), "{status}\n{}", told());
                break;
            }
            child.kill()?;
            child.wait()?;
            kills += 1;
            if host_too {
                for host in home.hosts() {
                    Home::kill(host);
                }
            }
            let view = show(&home, &run)?;
            recorded.check(&view, &home);
            recorded = Recorded::take(&view, &home);
            // It had ended, and its process had not yet.
            if view["state"] == "succeeded" {
                break;
            }
            (child, _) = drive(&home, &["flow", "resume", &run, "--json"])?;
        }
        let view = show(&home, &run)?;
        recorded.check(&view, &home);
        assert_eq!(view["state"], "succeeded");
        assert_eq!(view["output"], "done a a0");
        let ran = log(&home);
        assert!(!ran.contains_key("b0"), "the switch changed its mind");
        again += ran.values().map(|times| times - 1).sum::<usize>();
    }
    println!(
        "{kills} kills over {runs} runs of 50 steps; {again} times an idempotent step ran once more"
    );
    Ok(())
}

#[tokio::test]
async fn a_run_survives_kills_of_its_process() -> Result<()> {
    survives_kills(false).await
}

#[tokio::test]
async fn a_run_survives_kills_of_its_process_and_of_the_pane_host() -> Result<()> {
    survives_kills(true).await
}

/// Prints a secret whole and in pieces, to all that a step can write to, again and again.
const PRINTS_A_SECRET: &str = r#"for round in 1 2 3 4 5 6 7 8; do
        echo "round $round: the key is $KEY"
        echo "it is $KEY" >&2
        rest=$KEY
        while [ -n "$rest" ]; do
          tail=${rest#?}
          printf %s "${rest%"$tail"}"
          rest=$tail
        done
        echo "and on the terminal $KEY" > /dev/tty
        printf '{"key": "%s"}' "$KEY" > "$SWITCHYARD_OUTPUT"
        sleep 0.05
      done"#;

/// Three steps that print a secret, and one that is told of it.
fn prints_a_secret() -> String {
    let mut text =
        "name: prints\ninputs: { key: { type: secret, required: true } }\nsteps:\n".to_owned();
    for (step, needs) in [("one", ""), ("two", ""), ("three", "one")] {
        text += &format!(
            "  - id: {step}\n    needs: [{needs}]\n    idempotent: true\n    env: {{ KEY: '{{{{ inputs.key }}}}' }}\n    run: |\n      {PRINTS_A_SECRET}\n"
        );
    }
    text + "  - { id: told, needs: [one, two, three], value: '{{ inputs.key }} {{ results.one.output }}' }\n"
}

/// The files below a directory that hold these bytes.
fn files_with(directory: &Path, wanted: &[u8]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(files_with(&entry.path(), wanted)?);
        } else if kind.is_file() {
            // What is gone meanwhile holds nothing.
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            if bytes.windows(wanted.len()).any(|window| window == wanted) {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}

#[tokio::test]
async fn a_secret_stands_nowhere_on_disk_wherever_the_process_and_its_host_are_killed() -> Result<()>
{
    let mut random = Random(0x51_7cc1_b727_2202);
    let home = Home::new()?;
    std::fs::write(home.path().join("prints.flow.yaml"), prints_a_secret())?;
    let args = [
        "flow",
        "run",
        "prints.flow.yaml",
        "--input",
        "key=THE_KEY",
        "--json",
    ];
    let (mut child, run) = drive(&home, &args)?;
    let run = run.context("the run says its id")?;
    let mut kills = 0;
    while kills < wanted_kills() {
        // Random, and never so late that the run can have ended: a round takes longer.
        tokio::time::sleep(Duration::from_millis(100 + random.below(250))).await;
        anyhow::ensure!(
            child.try_wait()?.is_none(),
            "the run ended before kill {kills}"
        );
        child.kill()?;
        child.wait()?;
        for host in home.hosts() {
            Home::kill(host);
        }
        kills += 1;
        assert_eq!(
            files_with(home.path(), KEY.as_bytes())?,
            Vec::<PathBuf>::new()
        );
        (child, _) = drive(&home, &["flow", "resume", &run, "--json"])?;
    }
    let status = child.wait()?;
    let view = show(&home, &run)?;
    anyhow::ensure!(status.success(), "{status}\n{view:#}");
    assert!(
        view["step_list"][0]["attempts"]
            .as_array()
            .is_some_and(|attempts| attempts.len() > 1),
        "no kill met a step at work: {view:#}"
    );
    let told = view["step_list"][3]["attempts"][0]["output"].as_str();
    assert!(
        told.is_some_and(|told| told.starts_with("•••") && told.contains("round 8")),
        "{told:?}"
    );
    home.ok(&["host", "--stop"])?;
    assert_eq!(
        files_with(home.path(), KEY.as_bytes())?,
        Vec::<PathBuf>::new()
    );
    // What is compressed is read by who can.
    let found = |text: &str| -> Result<usize> {
        let told = home.run(&["search", "--all", "-F", text, "--limit", "500", "--json"])?;
        let told: Value = serde_json::from_slice(&told.stdout)?;
        Ok(told["matches"].as_array().map_or(0, Vec::len))
    };
    assert_eq!(found(KEY)?, 0);
    assert!(found("round 8: the key is •••")? >= 3);
    Ok(())
}

/// Steps that wait for a file `go` when they run for the first time.
const CUT_OFF: &str = "
name: cut-off
steps:
  - { id: again, idempotent: true, run: 'echo $SWITCHYARD_STEP >> log; until [ -e go ]; do sleep 0.05; done; echo done' }
  - { id: fails, on_interrupt: fail, run: 'echo $SWITCHYARD_STEP >> log; until [ -e go ]; do sleep 0.05; done' }
";

#[tokio::test]
async fn the_death_of_the_pane_host_alone_interrupts_what_ran_in_it() -> Result<()> {
    let home = Home::new()?;
    std::fs::write(home.path().join("cut-off.flow.yaml"), CUT_OFF)?;
    let (mut child, run) = drive(&home, &["flow", "run", "cut-off.flow.yaml", "--json"])?;
    let run = run.context("the run says its id")?;
    wait_for("both steps at work", || async {
        match log(&home).len() {
            2 => Ok(()),
            steps => Err(format!("{steps} are")),
        }
    })
    .await?;
    for host in home.hosts() {
        Home::kill(host);
    }
    wait_for("the step again", || async {
        match log(&home).get("again") {
            Some(2) => Ok(()),
            times => Err(format!("{times:?} times")),
        }
    })
    .await?;
    std::fs::write(home.path().join("go"), "")?;
    assert_eq!(child.wait()?.code(), Some(1), "one of its steps failed");
    let view = show(&home, &run)?;
    let states: Vec<_> = view["step_list"]
        .as_array()
        .context("steps")?
        .iter()
        .map(|step| step["state"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(states, ["succeeded", "failed"]);
    let message = &view["step_list"][1]["attempts"][0]["message"];
    assert_eq!(
        message,
        "it was cut off, and nothing is known of what it had done"
    );
    assert_eq!(log(&home)["fails"], 1);
    Ok(())
}

const ASKS: &str = "
name: asks
steps:
  - id: ask
    approval:
      message: Which kind?
      form: { kind: { type: enum, values: [bug, docs], required: true } }
  - { id: end, needs: [ask], value: 'it is {{ results.ask.data.kind }}' }
output: { render: '{{ results.end.output }}' }
";

#[tokio::test]
async fn another_process_answers_with_a_form() -> Result<()> {
    let home = Home::new()?;
    std::fs::write(home.path().join("asks.flow.yaml"), ASKS)?;
    let (mut child, run) = drive(&home, &["flow", "run", "asks.flow.yaml", "--json"])?;
    let run = run.context("the run says its id")?;
    wait_for("the question", || async {
        let view = show(&home, &run).map_err(|error| error.to_string())?;
        match view["asks"].as_array() {
            Some(asks) if !asks.is_empty() => Ok(()),
            _ => Err(view.to_string()),
        }
    })
    .await?;
    for (fields, words) in [
        (vec![], "the field `kind` is required"),
        (vec!["--set", "kind=tea"], "must be one of `bug`, `docs`"),
    ] {
        let refused = home.run(&[&["flow", "approve", &run, "ask"], fields.as_slice()].concat())?;
        assert_eq!(refused.status.code(), Some(1));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains(words), "{said}");
    }
    home.ok(&["flow", "approve", &run, "ask", "--set", "kind=docs"])?;
    assert_eq!(child.wait()?.code(), Some(0));
    assert_eq!(show(&home, &run)?["output"], "it is docs");
    Ok(())
}

#[tokio::test]
async fn control_c_cancels_the_run_and_it_can_be_resumed() -> Result<()> {
    let home = Home::new()?;
    let flow = "name: long\nsteps:\n  - { id: work, run: 'until [ -e go ]; do echo at work; sleep 0.1; done', idempotent: true }\n  - { id: end, needs: [work], value: done }\n";
    std::fs::write(home.path().join("long.flow.yaml"), flow)?;
    let (mut child, run) = drive(&home, &["flow", "run", "long.flow.yaml", "--json"])?;
    let run = run.context("the run says its id")?;
    let step = || async {
        let view = show(&home, &run).map_err(|error| error.to_string())?;
        let pane = view["step_list"][0]["attempts"][0]["pane"].as_u64();
        pane.ok_or_else(|| view.to_string())
    };
    wait_for("the step at work", step).await?;
    let pid = Pid::from_raw(i32::try_from(child.id())?).context("a process id")?;
    kill_process(pid, Signal::INT)?;
    assert_eq!(child.wait()?.code(), Some(130));
    let view = show(&home, &run)?;
    assert_eq!(view["state"], "cancelled");
    assert_eq!(view["step_list"][0]["state"], "cancelled");
    let panes: Value = serde_json::from_str(&home.ok(&["panes", "--json"])?)?;
    assert_eq!(panes, Value::Array(Vec::new()), "its programs are gone");
    std::fs::write(home.path().join("go"), "")?;
    home.ok(&["flow", "resume", &run])?;
    assert_eq!(show(&home, &run)?["state"], "succeeded");
    Ok(())
}

/// Ten megabytes in every run of the tests, as many bytes as `BYTES` says where somebody wants to know.
#[tokio::test]
async fn a_flood_of_output_leaves_its_beginning_and_its_end() -> Result<()> {
    let bytes = std::env::var("BYTES").unwrap_or_else(|_| "10000000".to_owned());
    let home = Home::new()?;
    let flow = format!(
        "name: flood\nsteps:\n  - id: flood\n    run: 'echo first; yes | head -c {bytes}; echo last'\n"
    );
    std::fs::write(home.path().join("flood.flow.yaml"), flow)?;
    let (mut child, run) = drive(&home, &["flow", "run", "flood.flow.yaml", "--json"])?;
    let run = run.context("the run says its id")?;
    assert_eq!(child.wait()?.code(), Some(0));
    let view = show(&home, &run)?;
    let attempt = &view["step_list"][0]["attempts"][0];
    let file = attempt["output_file"].as_str().context("it is long")?;
    let kept = std::fs::read_to_string(file)?;
    assert!(kept.starts_with("first\ny\n") && kept.ends_with("y\nlast"));
    assert!(kept.contains("bytes were left out"));
    assert!(kept.len() < 5 << 20);
    let out = home.path().join(format!("data/steps/{run}/flood-1/out"));
    assert!(
        std::fs::metadata(out)?.len() < 5 << 20,
        "what is not kept does not fill the disk"
    );
    Ok(())
}
