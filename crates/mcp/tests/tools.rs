//! The tools as an agent meets them: over the SDK's own client, with real panes, repositories and flows.

#![allow(clippy::unwrap_used)] // helpers of tests may panic, too

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use app::{App, AppConfig, HostMode, Paths};
use mcp::{Options, serve};
use rmcp::model::CallToolRequestParams;
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use terminal::OpenPane;

struct Agent {
    app: App,
    client: RunningService<RoleClient, ()>,
    place: TempDir,
}

impl Agent {
    async fn begun(write: bool) -> Self {
        let place = tempfile::tempdir().unwrap();
        let config = AppConfig {
            paths: Paths::below(place.path().join("home")),
            host: HostMode::InProcess,
        };
        let app = App::start(config).await.unwrap();
        let options = Options {
            write,
            pane: None,
            cwd: place.path().to_owned(),
            program: PathBuf::from("/nowhere/switchyard"),
        };
        let (here, there) = tokio::io::duplex(1 << 16);
        let (hear, say) = tokio::io::split(there);
        tokio::spawn(serve(app.clone(), options, hear, say));
        let client = ().serve(tokio::io::split(here)).await.unwrap();
        Self { app, client, place }
    }

    /// What a tool answers; `!` before what it refuses.
    async fn asks(&self, tool: &'static str, arguments: Value) -> String {
        let Value::Object(arguments) = arguments else {
            panic!("arguments are an object");
        };
        let asked = CallToolRequestParams::new(tool).with_arguments(arguments);
        let answer = match self.client.call_tool(asked).await {
            Ok(answer) => answer,
            Err(error) => return format!("!! {error}"),
        };
        let text: String = answer
            .content
            .iter()
            .filter_map(|content| Some(content.as_text()?.text.as_str()))
            .collect();
        match answer.is_error {
            Some(true) => format!("! {text}"),
            _ => text,
        }
    }

    async fn runs(&self, name: &str, script: &str) {
        let opened = self.app.open_pane(OpenPane {
            program: Some("/bin/sh".to_owned()),
            args: vec!["-c".to_owned(), script.to_owned()],
            cwd: Some(self.place.path().to_string_lossy().into_owned()),
            name: Some(name.to_owned()),
            ..OpenPane::default()
        });
        opened.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_few_tools_that_say_little_and_those_that_write_are_asked_for() {
    let names = async |agent: &Agent| -> (Vec<String>, usize) {
        let tools = agent.client.list_all_tools().await.unwrap();
        let bytes = serde_json::to_string(&tools).unwrap().len();
        let names = tools.into_iter().map(|tool| tool.name.into_owned());
        (names.collect(), bytes)
    };
    let (reading, _) = names(&Agent::begun(false).await).await;
    insta::assert_snapshot!(reading.join(" "), @"agents conflicts flow pane_read pane_wait panes search");
    let (all, bytes) = names(&Agent::begun(true).await).await;
    insta::assert_snapshot!(all.join(" "), @"agent_send agents conflicts flow pane_close pane_open pane_read pane_send pane_wait panes search");
    // A token of JSON is four bytes and more: within 2,500 tokens.
    assert!(bytes < 10_000, "{bytes} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pane_is_opened_typed_into_waited_for_read_and_closed() {
    let agent = Agent::begun(true).await;
    let opened = agent
        .asks("pane_open", json!({ "program": "cat", "name": "echo" }))
        .await;
    assert_eq!(opened, "Pane 1 is open.");
    let from = agent
        .asks(
            "pane_send",
            json!({ "pane": "echo", "text": "the signal is green", "enter": true }),
        )
        .await;
    let from = from.strip_prefix("next: ").unwrap();
    let waited = agent
        .asks(
            "pane_wait",
            json!({ "pane": "echo", "for": "text", "pattern": "green$", "after": from, "seconds": 20 }),
        )
        .await;
    assert!(waited.starts_with("| the signal is green\n"), "{waited}");
    let read = agent.asks("pane_read", json!({ "pane": "1" })).await;
    assert!(read.contains("| the signal is green\n"), "{read}");
    assert_eq!(
        agent.asks("pane_close", json!({ "pane": "echo" })).await,
        "Pane 1 is closed."
    );
    let found = agent.asks("search", json!({ "pattern": "signal" })).await;
    assert!(
        found.contains("pane 1, line 1:\n| the signal is green\n"),
        "{found}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_screen_program_shows_is_waited_for_and_read_on_from() {
    let agent = Agent::begun(true).await;
    let lines: Vec<_> = (1..=200).map(|line| format!("line {line} of it")).collect();
    std::fs::write(agent.place.path().join("text"), lines.join("\n")).unwrap();
    let opened = json!({ "program": "less", "args": ["text"], "name": "pager" });
    agent.asks("pane_open", opened).await;
    let wait = async |pattern: &str, after: &str| {
        let waiting = json!({ "pane": "pager", "for": "text", "pattern": pattern, "after": after, "seconds": 20 });
        agent.asks("pane_wait", waiting).await
    };
    let first = wait("^line 9 of", "0").await;
    assert!(first.starts_with("| line 9 of it\n"), "{first}");
    let to_the_end = json!({ "pane": "pager", "text": "G" });
    let typed = agent.asks("pane_send", to_the_end).await;
    let place = typed.strip_prefix("next: ").unwrap();
    let last = wait("^line 200 of", place).await;
    assert!(last.starts_with("| line 200 of it\n"), "{last}");
    // What stood there before is not read again.
    let on = agent
        .asks("pane_read", json!({ "pane": "pager", "after": place }))
        .await;
    assert!(
        on.contains("| line 200 of it\n") && !on.contains("| line 2 of it\n"),
        "{on}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_program_is_waited_for_and_a_wait_has_an_end() {
    let agent = Agent::begun(false).await;
    agent.runs("tests", "read line; exit 3").await;
    let ends = json!({ "pane": "tests", "for": "exit", "seconds": 1 });
    assert_eq!(agent.asks("pane_wait", ends).await, "Not within 1 seconds.");
    let pane = agent.app.find_pane("tests").await.unwrap();
    let waiting = agent.asks(
        "pane_wait",
        json!({ "pane": "tests", "for": "exit", "seconds": 20 }),
    );
    let typing = agent.app.type_into(pane, b"go\r");
    let (waited, typed) = tokio::join!(waiting, typing);
    typed.unwrap();
    assert!(waited.starts_with("1: ended 3, named tests"), "{waited}");
    let ended = json!({ "pane": "tests", "for": "text", "pattern": "never", "seconds": 20 });
    assert_eq!(
        agent.asks("pane_wait", ended).await,
        "Its program ended without it."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_person_is_not_answered_by_an_agent() {
    let agent = Agent::begun(true).await;
    // What programs say when they want somebody: a notification of the terminal.
    agent
        .runs(
            "asks",
            r"printf '\033]777;notify;agent;Allow rm -rf?\007'; read line",
        )
        .await;
    let asks = json!({ "pane": "asks", "for": "person", "seconds": 20 });
    let waited = agent.asks("pane_wait", asks).await;
    assert!(waited.starts_with("1: needs you"), "{waited}");
    insta::assert_snapshot!(
        agent.asks("pane_send", json!({ "pane": "asks", "text": "y", "enter": true })).await,
        @"! pane 1 waits for a person: what it asks is theirs to answer"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_with_its_field() {
    let agent = Agent::begun(true).await;
    agent.runs("a", "read line").await;
    let mut said = Vec::new();
    for (tool, arguments) in [
        ("pane_read", json!({ "pane": "gone" })),
        ("pane_read", json!({ "pane": "a", "lines": 0 })),
        ("pane_read", json!({ "pane": "a", "lines": 1_000_000_000 })),
        ("pane_wait", json!({ "pane": "a", "for": "text" })),
        (
            "pane_wait",
            json!({ "pane": "a", "for": "exit", "pattern": "x" }),
        ),
        (
            "pane_wait",
            json!({ "pane": "a", "for": "text", "pattern": "(" }),
        ),
        (
            "pane_wait",
            json!({ "pane": "a", "for": "exit", "seconds": 0 }),
        ),
        ("search", json!({ "pattern": "(", "regex": true })),
        ("search", json!({ "pattern": "x", "limit": 201 })),
        ("pane_read", json!({ "pane": "a", "after": "soon" })),
        ("conflicts", json!({ "first": 3 })),
        ("conflicts", json!({ "file": "f", "first": 3, "last": 2 })),
        ("conflicts", json!({ "file": "f" })),
        ("flow", json!({ "do": "check" })),
        ("flow", json!({ "do": "show", "run": "gone" })),
    ] {
        let answer = agent.asks(tool, arguments).await;
        let answer = answer.replace(&agent.place.path().display().to_string(), "DIR");
        said.push(format!(
            "{tool}: {}",
            answer.lines().next().unwrap_or_default()
        ));
    }
    insta::assert_snapshot!(said.join("\n"), @"
    pane_read: ! there is no pane `gone`: `switchyard panes` lists them
    pane_read: ! `lines` is 0, not 1 to 1000
    pane_read: ! `lines` is 1000000000, not 1 to 1000
    pane_wait: ! `pattern` is missing: to wait for a text, say which
    pane_wait: ! `pattern` goes with `for`: `text` only
    pane_wait: ! `pattern`: regex parse error:
    pane_wait: ! `seconds` is 0, not 1 to 3600
    search: ! unclosed group
    search: ! `limit` is 201, not 1 to 200
    pane_read: ! `after` is `soon`, not the `next` of an earlier answer
    conflicts: ! `file` is missing: lines and `announce` are about one file
    conflicts: ! `first` and `last` are lines of the file, from 1, the first one first
    conflicts: ! `DIR/f` is in no git worktree
    flow: ! `file` is missing
    flow: ! there is no run `gone`; `switchyard flow list` shows them
    ");
    // Misspelt is refused, not passed over.
    let misspelt = agent
        .asks("pane_read", json!({ "pane": "a", "line": 3 }))
        .await;
    assert!(misspelt.contains("unknown field `line`"), "{misspelt}");
}

/// A repository with the worktrees `main` and `other`, of which the other one has changed line 9 of `f`.
fn two_worktrees(place: &Path) {
    let main = place.join("main");
    let git = |directory: &Path, arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(directory)
            .args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        assert!(
            git.args(arguments).output().unwrap().status.success(),
            "{arguments:?}"
        );
    };
    git(place, &["init", "-q", "-b", "main", "main"]);
    let text: String = (1..=20).map(|line| format!("line {line}\n")).collect();
    std::fs::write(main.join("f"), &text).unwrap();
    git(&main, &["add", "-A"]);
    git(&main, &["commit", "-q", "-m", "x"]);
    git(&main, &["worktree", "add", "-q", "-b", "fix", "../other"]);
    std::fs::write(place.join("other/f"), text.replace("line 9\n", "nine\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_asked_about_before_it_is_made() {
    let agent = Agent::begun(false).await;
    two_worktrees(agent.place.path());
    let near = agent
        .asks("conflicts", json!({ "file": "main/f", "first": 9 }))
        .await;
    assert!(
        near.starts_with(
            "On the same lines: The worktree `other` (branch `fix`) changes it, line 9\n"
        ),
        "{near}"
    );
    assert!(near.contains("| -line 9\n| +nine\n"), "{near}");
    let far = agent
        .asks(
            "conflicts",
            json!({ "file": "main/f", "first": 19, "last": 20 }),
        )
        .await;
    assert!(far.starts_with("Elsewhere in the file: "), "{far}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_checked_and_not_run_without_leave() {
    let agent = Agent::begun(false).await;
    let file = agent.place.path().join("a.flow.yaml");
    std::fs::write(&file, "name: a\nsteps:\n  - id: one\n    run: true\n").unwrap();
    let checked = agent
        .asks("flow", json!({ "do": "check", "file": "a.flow.yaml" }))
        .await;
    assert!(checked.ends_with("a: 1 steps, good"), "{checked}");
    assert_eq!(
        agent.asks("flow", json!({ "do": "runs" })).await,
        "There are no runs."
    );
    insta::assert_snapshot!(
        agent.asks("flow", json!({ "do": "run", "file": "a.flow.yaml" })).await,
        @"! to run a flow, this server must be started with `--allow write`"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_is_announced_is_known_to_the_others() {
    let agent = Agent::begun(false).await;
    let place = agent.place.path();
    two_worktrees(place);
    let edit = json!({ "file": "main/f", "first": 3, "announce": true });
    let alone = agent.asks("conflicts", edit.clone()).await;
    assert!(
        alone.ends_with("It could not be announced: no window watches this repository."),
        "{alone}"
    );
    let mut news = agent.app.news();
    agent.app.answer_checks();
    agent
        .app
        .watch_repository(place.join("main"))
        .await
        .unwrap();
    // The window's door opens a moment after it was asked to.
    let announced = async {
        while !agent
            .asks("conflicts", edit.clone())
            .await
            .ends_with("It was announced.")
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), announced)
        .await
        .unwrap();
    let heard = async {
        loop {
            let there = json!({ "file": "other/f", "first": 3 });
            let answer = agent.asks("conflicts", there).await;
            if answer.contains("is about to change it, line 3") {
                break;
            }
            news.next().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), heard)
        .await
        .unwrap();
}
