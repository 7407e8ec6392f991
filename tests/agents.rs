//! Agents by the real program: they outlive the command that began them, and anybody may answer them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;
use support::{Home, wait_for};

/// A home that has the scripted ACP agent, and no other.
fn home() -> Result<Home> {
    let home = Home::new()?;
    home.has_the_scripted_agent()?;
    Ok(home)
}

const AT: &str = "acp:scripted";

/// What is known of an agent, and what was said.
fn show(home: &Home, agent: &str) -> Result<Value> {
    let shown = home.ok(&["agents", "show", agent, "--host", AT, "--json"])?;
    Ok(serde_json::from_str(&shown)?)
}

/// All that an agent said, in one piece.
fn said(shown: &Value) -> String {
    let entries = shown["timeline"].as_array().into_iter().flatten();
    entries
        .filter(|entry| entry["event"]["event"] == "text")
        .filter_map(|entry| entry["event"]["text"].as_str())
        .collect()
}

async fn hears(home: &Home, agent: &str, words: &str) -> Result<()> {
    wait_for(&format!("`{words}` of the agent"), || async {
        let shown = show(home, agent).map_err(|error| format!("{error:#}"))?;
        let said = said(&shown);
        if said.contains(words) {
            Ok(())
        } else {
            Err(said)
        }
    })
    .await
}

#[tokio::test]
async fn an_agent_outlives_the_command_that_began_it_and_is_answered_from_another() -> Result<()> {
    let home = home()?;
    assert!(home.ok(&["agents", "ls"])?.contains("no agents"));
    assert!(home.agent_hosts().is_empty(), "looking starts nothing");

    let new = home.run(&["agents", "new", "--host", AT, "--model", "large", "PERMIT"])?;
    assert!(!new.status.success(), "it needs a person");
    let printed = String::from_utf8(new.stdout)?;
    let id = printed.lines().next().context("its id")?.to_owned();
    assert_eq!(home.agent_hosts().len(), 1);
    let listed = home.ok(&["agents", "ls"])?;
    assert!(listed.contains("needs you"), "{listed}");
    let shown = home.ok(&["agents", "show", &id])?;
    assert!(shown.contains("rm -rf build/"), "{shown}");
    assert!(
        shown.contains("`Allow once`, `Always allow`, `Reject`"),
        "{shown}"
    );

    home.ok(&["agents", "answer", &id, "--choose", "Always allow"])?;
    hears(&home, &id, "outcome: always").await?;
    let set = home.ok(&["agents", "set", &id, "mode", "plan", "--json"])?;
    let set: Value = serde_json::from_str(&set)?;
    assert_eq!(set["model"], "large", "{set}");
    let listed = home.ok(&["agents", "ls"])?;
    assert!(listed.contains("done"), "{listed}");

    // Its process may end: the session is listed, and found again when it is needed.
    home.ok(&["host", "--agents", "--stop"])?;
    assert!(home.agent_hosts().is_empty());
    let listed = home.ok(&["agents", "ls"])?;
    assert!(listed.contains("asleep"), "{listed}");
    assert!(home.agent_hosts().is_empty(), "looking starts nothing");
    let answer = home.ok(&["agents", "send", &id, "hello"])?;
    assert!(answer.contains("The answer is 42."), "{answer}");
    Ok(())
}

#[tokio::test]
async fn an_agent_has_the_environment_of_who_began_it_and_not_of_who_began_the_host() -> Result<()>
{
    let home = home()?;
    for who in ["one", "other"] {
        let new = Command::new(Home::program())
            .args(["agents", "new", "--host", AT, "ASKER"])
            .current_dir(home.path())
            .envs(home.environment())
            .env("ASKER", who)
            .stdin(Stdio::null())
            .output()?;
        let printed = String::from_utf8(new.stdout)?;
        assert!(
            printed.contains(&format!("asked by {who}, and more")),
            "{printed}"
        );
    }
    assert_eq!(home.agent_hosts().len(), 1);
    Ok(())
}

/// Says something in a process of its own.
fn sending(home: &Home, agent: &str, prompt: &str) -> Result<Child> {
    let sending = Command::new(Home::program())
        .args(["agents", "send", agent, prompt])
        .current_dir(home.path())
        .envs(home.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    Ok(sending)
}

async fn is(home: &Home, agent: &str, wanted: &str) -> Result<()> {
    wait_for(&format!("the agent to be {wanted}"), || async {
        let shown = show(home, agent).map_err(|error| format!("{error:#}"))?;
        match shown["agent"]["status"]["state"].as_str() {
            Some(state) if state == wanted => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

#[tokio::test]
async fn a_command_that_is_killed_in_mid_turn_ends_no_turn() -> Result<()> {
    let home = home()?;
    let id = home.ok(&["agents", "new", "--host", AT])?.trim().to_owned();
    let mut sending = sending(&home, &id, "HANG")?;
    is(&home, &id, "working").await?;
    Home::kill(sending.id());
    sending.wait()?;
    is(&home, &id, "working").await?;
    home.ok(&["agents", "stop", &id])?;
    let shown = show(&home, &id)?;
    assert_eq!(shown["agent"]["status"]["state"], "idle", "{shown}");
    Ok(())
}

#[tokio::test]
async fn a_conversation_that_an_agent_remembers_is_listed_and_taken_over() -> Result<()> {
    let home = home()?;
    let listed = home.ok(&["agents", "sessions", "--host", AT])?;
    assert!(
        listed.contains("s1") && listed.contains("The first"),
        "{listed}"
    );
    let id = home.ok(&["agents", "import", "s1", "--host", AT, "--cwd", "."])?;
    assert_eq!(id.trim(), "s1");
    let answer = home.ok(&["agents", "send", "s1", "hello"])?;
    assert!(answer.contains("The answer is 42."), "{answer}");
    Ok(())
}

/// Kills the agent host as a crash would, and waits until the agents have noticed.
async fn crash(home: &Home) -> Result<()> {
    let hosts = home.agent_hosts();
    anyhow::ensure!(hosts.len() == 1, "{hosts:?}");
    hosts.into_iter().for_each(Home::kill);
    wait_for("the end of the host and of its agents", || async {
        let left = (home.agent_hosts(), home.agents());
        match (left.0.is_empty(), left.1.is_empty()) {
            (true, true) => Ok(()),
            _ => Err(format!("{left:?}")),
        }
    })
    .await
}

#[tokio::test]
async fn an_agent_host_that_is_killed_fails_the_turn_and_loses_no_conversation() -> Result<()> {
    let home = home()?;
    let id = home.ok(&["agents", "new", "--host", AT])?.trim().to_owned();
    let sending = sending(&home, &id, "HANG")?;
    is(&home, &id, "working").await?;
    crash(&home).await?;
    let ended = tokio::task::spawn_blocking(move || sending.wait_with_output()).await??;
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success(), "a turn that was cut is no success");
    assert!(said.contains("the agent host"), "{said}");

    let listed = home.ok(&["agents", "ls"])?;
    assert!(listed.contains("asleep"), "{listed}");
    let answer = home.ok(&["agents", "send", &id, "hello"])?;
    assert!(answer.contains("The answer is 42."), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_question_that_went_with_its_host_is_said_to_be_gone() -> Result<()> {
    let home = home()?;
    let new = home.run(&["agents", "new", "--host", AT, "PERMIT"])?;
    let printed = String::from_utf8(new.stdout)?;
    let id = printed.lines().next().context("its id")?.to_owned();
    is(&home, &id, "needs_you").await?;
    crash(&home).await?;
    let answered = home.run(&["agents", "answer", &id, "--allow"])?;
    let said = String::from_utf8_lossy(&answered.stderr);
    assert!(!answered.status.success(), "{said}");
    assert!(
        said.contains("its process has ended, and what it asked with it"),
        "{said}"
    );
    let answer = home.ok(&["agents", "send", &id, "hello"])?;
    assert!(answer.contains("The answer is 42."), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_host_that_ends_takes_its_agents_with_it_and_is_closed_to_others() -> Result<()> {
    let home = home()?;
    home.ok(&["agents", "new", "--host", AT])?;
    assert_eq!(home.agents().len(), 1);
    let sockets = walk(&home.path().join("run/agents"))?;
    assert!(!sockets.is_empty(), "its socket");
    for (path, mode) in sockets {
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
    }
    home.ok(&["host", "--agents", "--stop"])?;
    assert!(home.agents().is_empty(), "{:?}", home.agents());
    Ok(())
}

/// A directory and what is in it, with their modes.
fn walk(directory: &Path) -> Result<Vec<(PathBuf, u32)>> {
    let mut found = vec![directory.to_owned()];
    for entry in std::fs::read_dir(directory)? {
        found.push(entry?.path());
    }
    found
        .into_iter()
        .map(|path| {
            let mode = std::fs::symlink_metadata(&path)?.permissions().mode();
            Ok((path, mode))
        })
        .collect()
}

#[tokio::test]
async fn a_step_whose_agent_asks_is_answered_from_another_terminal() -> Result<()> {
    let home = home()?;
    let flow = "name: asks\nsteps:\n  - { id: work, agent: { backend: acp, name: scripted }, prompt: PERMIT }\n";
    std::fs::write(home.path().join("asks.yaml"), flow)?;
    let running = Command::new(Home::program())
        .args(["flow", "run", "asks.yaml", "--json"])
        .current_dir(home.path())
        .envs(home.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let id = wait_for("the agent that asks", || async {
        let listed = home
            .ok(&["agents", "ls", "--json"])
            .map_err(|error| format!("{error:#}"))?;
        let listed: Value = serde_json::from_str(&listed).map_err(|error| error.to_string())?;
        let agents = listed[0]["agents"].as_array().cloned().unwrap_or_default();
        let asks = agents
            .iter()
            .find(|agent| agent["status"]["state"] == "needs_you");
        asks.and_then(|agent| Some(agent["id"].as_str()?.to_owned()))
            .ok_or_else(|| listed.to_string())
    })
    .await?;
    home.ok(&["agents", "answer", &id, "--allow"])?;
    let ended = tokio::task::spawn_blocking(move || running.wait_with_output()).await??;
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert!(told.contains(r#""event":"step_needs_you""#), "{told}");
    Ok(())
}
