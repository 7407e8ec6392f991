//! What `switchyard flow` says and does at a terminal, by the real program.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;
use support::{Home, git, wait_for};

/// A flow whose step prints two lines, waits for the file `go`, and prints `done`.
const WAITS: &str = "
name: waits
steps:
  - { id: wait, idempotent: true, run: 'echo begun; echo waits; until [ -e go ]; do sleep 0.02; done; echo done' }
  - { id: end, needs: [wait], value: 'it is {{ results.wait.output[-4:] }}' }
output: { render: '{{ results.end.output }}' }
";

fn write(home: &Home, name: &str, text: &str) -> Result<String> {
    let path = home.path().join(name);
    std::fs::write(&path, text)?;
    Ok(path.display().to_string())
}

fn go(home: &Home) -> Result<()> {
    Ok(std::fs::write(home.path().join("go"), "")?)
}

/// Starts the program; what it prints goes to the files `out` and `err` of the home.
fn start(home: &Home, program: &mut Command) -> Result<(Child, PathBuf, PathBuf)> {
    let (out, err) = (home.path().join("out"), home.path().join("err"));
    let child = program
        .current_dir(home.path())
        .envs(home.environment())
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&out)?)
        .stderr(std::fs::File::create(&err)?)
        .spawn()
        .context("the program is built by `cargo build --bin switchyard`")?;
    Ok((child, out, err))
}

async fn see(file: &PathBuf, text: &str) -> Result<String> {
    wait_for(&format!("`{text}` in {}", file.display()), || async {
        let seen = std::fs::read_to_string(file).unwrap_or_default();
        if seen.contains(text) {
            Ok(seen)
        } else {
            Err(seen)
        }
    })
    .await
}

fn latest(home: &Home) -> Result<Value> {
    let shown = home.ok(&["flow", "show", "latest", "--json"])?;
    Ok(serde_json::from_str(&shown)?)
}

async fn ends(home: &Home, state: &str) -> Result<Value> {
    wait_for(&format!("a run that {state}"), || async {
        let run = latest(home).map_err(|error| error.to_string())?;
        if run["state"] == state {
            Ok(run)
        } else {
            Err(run.to_string())
        }
    })
    .await
}

fn pid(child: &Child) -> Result<Pid> {
    let pid = i32::try_from(child.id())?;
    Pid::from_raw(pid).context("a process has a number")
}

/// Runs the program with `input` as its standard input.
fn run_with(home: &Home, args: &[&str], input: &str) -> Result<Output> {
    let mut child = Command::new(Home::program())
        .args(args)
        .current_dir(home.path())
        .envs(home.environment())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut typed = child.stdin.take().context("it has an input")?;
    typed.write_all(input.as_bytes())?;
    drop(typed);
    Ok(child.wait_with_output()?)
}

#[tokio::test]
async fn a_detached_run_goes_on_without_its_command() -> Result<()> {
    let home = Home::new()?;
    let file = write(&home, "waits.flow.yaml", WAITS)?;
    let begun: Value =
        serde_json::from_str(&home.ok(&["flow", "run", &file, "--detach", "--json"])?)?;
    let run = latest(&home)?;
    assert_eq!(begun["run"], run["id"]);
    assert_eq!(run["state"], "running");
    go(&home)?;
    let run = ends(&home, "succeeded").await?;
    assert_eq!(run["output"], "it is done");
    assert_eq!(
        run["step_list"][0]["attempts"].as_array().map(Vec::len),
        Some(1)
    );
    Ok(())
}

#[tokio::test]
async fn a_run_outlives_the_terminal_that_it_was_started_in() -> Result<()> {
    let home = Home::new()?;
    let file = write(&home, "waits.flow.yaml", WAITS)?;
    let mut command = Command::new(Home::program());
    let (mut child, out, _) = start(&home, command.args(["flow", "run", &file]))?;
    see(&out, "wait started").await?;
    kill_process(pid(&child)?, Signal::HUP)?;
    go(&home)?;
    let run = ends(&home, "succeeded").await?;
    assert_eq!(
        run["step_list"][0]["attempts"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(child.wait()?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_run_is_watched_and_its_steps_are_read_while_they_print() -> Result<()> {
    let home = Home::new()?;
    let file = write(&home, "waits.flow.yaml", WAITS)?;
    home.ok(&["flow", "run", &file, "--detach"])?;
    let mut command = Command::new(Home::program());
    let (mut watch, watched, _) = start(&home, command.args(["flow", "watch", "latest"]))?;
    see(&watched, "wait started").await?;
    let logged = home.path().join("logged");
    let mut logs = Command::new(Home::program())
        .args(["flow", "logs", "latest", "wait", "--follow"])
        .current_dir(home.path())
        .envs(home.environment())
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&logged)?)
        .spawn()?;
    // The newest line is shown though nothing follows it yet.
    assert_eq!(see(&logged, "waits").await?, "── wait\nbegun\nwaits\n");
    go(&home)?;
    assert_eq!(logs.wait()?.code(), Some(0));
    assert_eq!(
        std::fs::read_to_string(&logged)?,
        "── wait\nbegun\nwaits\ndone\n"
    );
    assert_eq!(watch.wait()?.code(), Some(0));
    let watched = std::fs::read_to_string(&watched)?;
    assert!(
        watched.contains("✓ end") && watched.contains("it is done"),
        "{watched}"
    );
    Ok(())
}

/// Starts a run, and follows what it prints once it has one: who drives it, who follows it, and what that one says.
async fn followed(home: &Home) -> Result<(Child, Child, PathBuf)> {
    let file = write(home, "waits.flow.yaml", WAITS)?;
    let driver = Command::new(Home::program())
        .args(["flow", "run", &file])
        .current_dir(home.path())
        .envs(home.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    wait_for("a run", || async {
        latest(home).map_err(|error| error.to_string())
    })
    .await?;
    let mut command = Command::new(Home::program());
    let (logs, out, err) = start(home, command.args(["flow", "logs", "latest", "--follow"]))?;
    see(&out, "waits").await?;
    Ok((driver, logs, err))
}

#[tokio::test]
async fn logs_are_followed_no_longer_than_somebody_drives_the_run() -> Result<()> {
    let home = Home::new()?;
    let (mut driver, mut logs, said) = followed(&home).await?;
    driver.kill()?;
    driver.wait()?;
    see(&said, "nobody drives the run").await?;
    assert_eq!(logs.wait()?.code(), Some(1));
    go(&home)
}

#[tokio::test]
async fn a_run_is_driven_and_followed_no_longer_than_there_is_a_database() -> Result<()> {
    let home = Home::new()?;
    let (mut driver, mut logs, said) = followed(&home).await?;
    std::fs::remove_file(home.path().join("data/switchyard.db"))?;
    see(&said, "is gone").await?;
    assert_eq!(logs.wait()?.code(), Some(1));
    assert_eq!(driver.wait()?.code(), Some(1));
    go(&home)
}

#[tokio::test]
async fn a_flow_is_checked_from_the_standard_input() -> Result<()> {
    let home = Home::new()?;
    let good = run_with(&home, &["flow", "check", "-"], WAITS)?;
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    let bad = run_with(
        &home,
        &["flow", "check", "-"],
        "name: x\nsteps:\n  - { id: a, run: make, retry: 2 }\n",
    )?;
    assert_eq!(bad.status.code(), Some(1), "{bad:?}");
    let said = String::from_utf8(bad.stdout)?;
    assert!(
        said.contains("3:") && said.contains("did you mean `retries`?"),
        "{said}"
    );
    Ok(())
}

/// What a run can't write is told where it is followed, and it goes on by itself.
#[tokio::test]
async fn a_run_that_can_t_be_written_down_says_so_where_it_is_followed() -> Result<()> {
    let home = Home::new()?;
    let long = "
name: long
steps:
  - { id: long, value: '{% for i in range(40000) %}0123456789012345678901234567890123456789{% endfor %}' }
  - { id: end, needs: [long], value: '{{ results.long.output | length }}' }
output: { render: '{{ results.end.output }}' }
";
    let file = write(&home, "long.flow.yaml", long)?;
    home.ok(&["panes"])?;
    // No file of this process may be larger than half a megabyte: to a writer that is a full disk.
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "ulimit -S -f 1024; trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(Home::program())
        .args(["flow", "run", &file]);
    let (mut child, out, err) = start(&home, &mut command)?;
    see(&err, "the run stands still, its journal can't be written").await?;
    let without = Rlimit {
        current: None,
        maximum: None,
    };
    let hard = prlimit(Some(pid(&child)?), Resource::Fsize, without);
    hard.context("the limit is raised")?;
    see(&out, "1600000").await?;
    assert_eq!(child.wait()?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn an_approval_is_answered_at_the_terminal_of_the_run() -> Result<()> {
    let home = Home::new()?;
    let asks = "
name: asks
steps:
  - id: ask
    approval: { message: 'Which kind?', form: { kind: { type: enum, values: [bug, docs], required: true } } }
  - { id: end, needs: [ask], value: 'it is {{ results.ask.data.kind }}' }
output: { render: '{{ results.end.output }}' }
";
    let file = write(&home, "asks.flow.yaml", asks)?;
    let program = Home::program().display().to_string();
    // A pane is a terminal as real as any.
    let opened = home.ok(&["open", "--json", "--", &program, "flow", "run", &file])?;
    let pane: Value = serde_json::from_str(&opened)?;
    let pane = pane["id"]
        .as_u64()
        .context("the pane has a number")?
        .to_string();
    let shows = async |text: &str| {
        wait_for(&format!("`{text}`"), || async {
            let seen = home
                .ok(&["read", &pane, "--lines", "60"])
                .map_err(|error| error.to_string())?;
            if seen.contains(text) {
                Ok(())
            } else {
                Err(seen)
            }
        })
        .await
    };
    shows("Which kind?").await?;
    for typed in ["yes", "tea"] {
        home.ok(&["send", &pane, typed, "--enter"])?;
    }
    shows("must be one of `bug`, `docs`").await?;
    for typed in ["yes", "docs"] {
        home.ok(&["send", &pane, typed, "--enter"])?;
    }
    shows("it is docs").await?;
    assert_eq!(latest(&home)?["state"], "succeeded");
    Ok(())
}

#[tokio::test]
async fn worktrees_of_runs_stay_while_they_hold_work() -> Result<()> {
    let home = Home::new()?;
    let repository = home.path().join("repository");
    std::fs::create_dir(&repository)?;
    for arguments in [
        &["init", "-q", "-b", "main"][..],
        &["commit", "-q", "--allow-empty", "-m", "first"],
    ] {
        git(&repository, arguments)?;
    }
    let text = |script: &str| {
        format!("name: w\nsteps: [{{ id: make, worktree: new, run: '{script}' }}]\n")
    };
    let file = write(&home, "w.flow.yaml", &text("echo x > made"))?;
    let cwd = repository.display().to_string();
    home.ok(&["flow", "run", &file, "--cwd", &cwd])?;
    let busy = latest(&home)?["id"].as_str().context("an id")?.to_owned();
    write(&home, "w.flow.yaml", &text("true"))?;
    home.ok(&["flow", "run", &file, "--cwd", &cwd])?;
    let idle = latest(&home)?["id"].as_str().context("an id")?.to_owned();
    let listed = || -> Result<Vec<(String, bool)>> {
        let listed: Vec<Value> =
            serde_json::from_str(&home.ok(&["flow", "worktrees", "--json"])?)?;
        let mut found: Vec<_> = listed
            .iter()
            .map(|one| {
                (
                    one["run"].as_str().unwrap_or_default().to_owned(),
                    one["holds"].is_string(),
                )
            })
            .collect();
        found.sort();
        Ok(found)
    };
    let mut expected = vec![(busy.clone(), true), (idle.clone(), false)];
    expected.sort();
    assert_eq!(listed()?, expected);
    let kept = home.run(&["flow", "forget", &busy, &idle, "--worktrees"])?;
    assert!(kept.status.success());
    let said = String::from_utf8(kept.stderr)?;
    assert!(
        said.contains("it holds 1 files that are not committed"),
        "{said}"
    );
    assert_eq!(listed()?, [(busy.clone(), true)]);
    Ok(())
}

/// The words of Rust and of its libraries, which are no words for a person.
const FOREIGN: [&str; 16] = [
    "Some(",
    "None",
    "Ok(",
    "Err(",
    "unwrap",
    "panicked",
    "struct ",
    "invalid type",
    "unit value",
    "newtype",
    "i64",
    "u64",
    "f64",
    "::",
    "Os {",
    "PathBuf",
];

/// Whatever is wrong with a command is said in words, with `--json` as JSON, and never in those of Rust.
#[tokio::test]
async fn every_command_says_what_is_wrong_for_people_and_for_programs() -> Result<()> {
    let home = Home::new()?;
    let good = write(
        &home,
        "good.flow.yaml",
        "name: good\ninputs: { n: { type: integer } }\nsteps: [{ id: a, value: x }]\n",
    )?;
    let bad = write(
        &home,
        "bad.flow.yaml",
        "name: bad\nsteps: [{ id: a, run: [] }]\n",
    )?;
    let stubs = write(&home, "stubs.json", "{\"steps\": {\"a\": {\"state\": 5}}}")?;
    home.ok(&["flow", "run", &good])?;
    let commands: Vec<Vec<&str>> = vec![
        vec!["flow", "check", "nowhere.yaml"],
        vec!["flow", "run", "nowhere.yaml"],
        vec!["flow", "run", &good, "--input", "n=x"],
        vec!["flow", "run", &good, "--input", "m=1"],
        vec!["flow", "run", &good, "--input", "n"],
        vec!["flow", "run", &good, "--input", "n=@nowhere"],
        vec!["flow", "simulate", &bad],
        vec!["flow", "simulate", &good, "--stubs", "nowhere"],
        vec!["flow", "simulate", &good, "--stubs", &stubs],
        vec!["flow", "export", &bad, "--to", "dot"],
        vec!["flow", "export", &good, "--to", "png"],
        vec!["flow", "list", "--limit", "0"],
        vec!["flow", "list", "--state", "odd"],
        vec!["flow", "show", "nothing"],
        vec!["flow", "show"],
        vec!["flow", "watch", "nothing"],
        vec!["flow", "logs", "nothing"],
        vec!["flow", "logs", "latest", "nothing"],
        vec!["flow", "logs", "latest", "a", "--attempt", "x"],
        vec!["flow", "logs", "latest", "a", "--attempt", "7"],
        vec!["flow", "why", "latest", "nothing"],
        vec!["flow", "why", "nothing", "a"],
        vec!["flow", "resume", "latest"],
        vec!["flow", "resume", "latest", "--failed"],
        vec!["flow", "resume", "latest", "--from", "nothing"],
        vec!["flow", "resume", "latest", "--with-new-definition"],
        vec!["flow", "resume", "nothing"],
        vec!["flow", "cancel", "latest"],
        vec!["flow", "cancel", "latest", "--step", "nothing"],
        vec!["flow", "cancel", "latest", "--batch", "nothing"],
        vec!["flow", "approve", "latest", "a"],
        vec!["flow", "approve", "latest", "a", "--set", "x"],
        vec!["flow", "reject", "latest", "nothing"],
        vec!["flow", "mark", "latest", "nothing", "skipped"],
        vec!["flow", "mark", "latest", "a", "odd"],
        vec!["flow", "forget"],
        vec!["flow", "forget", "nothing"],
        vec!["flow", "forget", "--older-than", "soon"],
        vec!["flow", "worktrees", "nothing"],
        vec!["flow", "nothing"],
        vec!["search", "("],
        vec!["search", "x", "--pane", "nothing"],
        vec!["read", "nothing"],
        vec!["read", "999"],
        vec!["send", "999", "x"],
        vec!["kill", "999"],
        vec!["open", "--cwd", "/nowhere", "--", "true"],
        vec!["open", "--", "/nowhere/program"],
        vec!["agents", "read", "nothing"],
        vec!["agents", "stop", "nothing"],
        vec!["agents", "prompt", "nothing", "x"],
        vec!["conflicts", "--severity", "odd"],
        vec!["history", "nothing"],
        vec!["nothing"],
    ];
    let mut wrong = Vec::new();
    let mut told = |command: &[&str], output: &Output, json: bool| {
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        let said = if json { &out } else { &err };
        let line = format!("{command:?} {}: {}", output.status, said.trim());
        if output.status.success() || output.status.code().is_none_or(|code| code > 2) {
            wrong.push(format!("exit status: {line}{err}"));
        }
        if json {
            let value: Value = serde_json::from_str(&out).unwrap_or_default();
            if !(value["error"]["message"].is_string() && value["error"]["code"].is_string()) {
                wrong.push(format!("no error as JSON: {line} {err}"));
            }
        } else if !err.starts_with("switchyard: ") {
            wrong.push(format!("nothing said: {line}"));
        }
        if let Some(word) = FOREIGN
            .iter()
            .find(|word| out.contains(**word) || err.contains(**word))
        {
            wrong.push(format!("`{word}`: {line}"));
        }
    };
    for command in &commands {
        told(command, &home.run(command)?, false);
        let with_json = [command.as_slice(), &["--json"]].concat();
        // What is behind `--` is the program's.
        let with_json = match command.iter().position(|part| *part == "--") {
            Some(_) => [&["--json"], command.as_slice()].concat(),
            None => with_json,
        };
        told(&with_json, &home.run(&with_json)?, true);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
