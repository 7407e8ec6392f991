//! Agents over stdio: a scripted one as a program of its own.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agents::{
    Acp, AcpConfig, AgentBackend, AgentError, AgentEvent, AgentId, AgentStatus, Agents,
    AgentsConfig, AgentsEvent, Health, ImportSession, ListAgents, McpServer, MemorySessions,
    NewAgent, Outcome, PermissionAnswer, Prompt, PromptImage, SessionRow, SessionStatus, ToolCall,
    ToolStatus, presets,
};
use clock::Clock;
use serde_json::Value;
use support::soon;

fn config(faults: &[&str]) -> AcpConfig {
    let mut config = AcpConfig::new("scripted", env!("CARGO_BIN_EXE_stand-in-acp-agent"), faults);
    config.deadlines.start = Duration::from_secs(5);
    config.deadlines.stop = Duration::from_millis(300);
    config.deadlines.backoff = Duration::from_millis(10);
    config.deadlines.silent_turn = Duration::from_secs(10);
    config
}

async fn started(faults: &[&str], cwd: &Path) -> (Acp, AgentId) {
    let acp = Acp::new(config(faults));
    let agent = soon(acp.start(NewAgent {
        cwd: cwd.display().to_string(),
        ..NewAgent::default()
    }))
    .await
    .unwrap();
    (acp, agent.id)
}

async fn say(acp: &Acp, agent: &AgentId, text: &str) -> agents::TurnResult {
    let turn = soon(acp.prompt(agent, Prompt::new(text))).await.unwrap();
    soon(turn.result()).await
}

#[tokio::test]
async fn a_prompt_streams_text_thoughts_tools_and_plans() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&[], dir.path()).await;
    let result = say(&acp, &agent, "hello").await;
    assert_eq!(result.outcome, Outcome::Completed);
    assert_eq!(result.answer, "The answer is 42.");
    assert_eq!(result.text, "First I will read a file.\nThe answer is 42.");
    let timeline = soon(acp.timeline(&agent)).await.unwrap();
    let kinds: Vec<_> = timeline
        .iter()
        .map(|entry| match &entry.event {
            AgentEvent::Prompt { text } => format!("prompt {text}"),
            AgentEvent::Text { text } => format!("text {text:?}"),
            AgentEvent::Tool { call } => {
                format!("tool {} {:?} {:?}", call.name, call.status, call.title)
            }
            AgentEvent::Plan { items } => format!("plan {}", items.len()),
            other => format!("{other:?}")
                .split([' ', '{'])
                .next()
                .unwrap()
                .to_owned(),
        })
        .collect();
    insta::assert_debug_snapshot!(kinds, @r#"
    [
        "prompt hello",
        "Started",
        "Reasoning",
        "text \"First I will read a file.\\n\"",
        "tool read Completed Some(\"Read README.md\")",
        "plan 2",
        "text \"The answer is 42.\"",
        "Ended",
    ]
    "#);
    let info = soon(acp.inspect(&agent.0)).await.unwrap();
    assert_eq!(info.status, AgentStatus::Done);
    assert!(soon(acp.check()).await.is_up());
    // The same process answers the second prompt.
    assert_eq!(say(&acp, &agent, "again").await.outcome, Outcome::Completed);
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn files_are_read_and_written_in_the_worktree_only() {
    let outer = tempfile::tempdir().unwrap();
    let tree = outer.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("in.txt"), "inside").unwrap();
    std::fs::write(outer.path().join("out.txt"), "secret").unwrap();
    let (acp, agent) = started(&[], &tree).await;
    assert_eq!(
        say(
            &acp,
            &agent,
            &format!("READ {}", tree.join("in.txt").display())
        )
        .await
        .answer,
        "read: inside"
    );
    let outside = outer.path().join("out.txt").display().to_string();
    let refused = say(&acp, &agent, &format!("READ {outside}")).await.answer;
    assert!(
        refused.contains("is outside of the session's worktree"),
        "{refused}"
    );
    let refused = say(&acp, &agent, &format!("WRITE {outside}")).await.answer;
    assert!(refused.contains("is outside"), "{refused}");
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "secret");
    let new = tree.join("src/new.rs");
    say(&acp, &agent, &format!("WRITE {}", new.display())).await;
    assert_eq!(std::fs::read_to_string(new).unwrap(), "written\n");
    soon(acp.dispose()).await.unwrap();
}

/// The tool calls of a conversation, as they stand in the end.
async fn calls(acp: &Acp, agent: &AgentId) -> Vec<ToolCall> {
    let timeline = soon(acp.timeline(agent)).await.unwrap();
    timeline
        .into_iter()
        .filter_map(|entry| match entry.event {
            AgentEvent::Tool { call } => Some(call),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_file_that_is_missing_is_said_to_be_so_in_the_protocols_terms() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&[], dir.path()).await;
    let none = dir.path().join("none.txt").display().to_string();
    let answer = say(&acp, &agent, &format!("READ {none}")).await.answer;
    let error: Value = serde_json::from_str(answer.strip_prefix("refused: ").unwrap()).unwrap();
    assert_eq!(error["code"], -32002, "{error}");
    assert_eq!(
        error["message"],
        format!("Resource not found: `{none}` does not exist")
    );
    let answer = say(&acp, &agent, "READ /etc/hostname").await.answer;
    let error: Value = serde_json::from_str(answer.strip_prefix("refused: ").unwrap()).unwrap();
    assert_eq!(error["code"], -32602, "{error}");
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn every_write_comes_to_an_end_in_the_conversation() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&[], dir.path()).await;
    let inside = dir.path().join("a.txt").display().to_string();
    say(&acp, &agent, &format!("QUIETWRITE {inside}")).await;
    say(&acp, &agent, "QUIETWRITE /etc/switchyard-test").await;
    // One of which the agent tells itself is one line, not two.
    say(&acp, &agent, &format!("WRITE {inside}")).await;
    say(&acp, &agent, "LOOSE").await;
    let told: Vec<_> = calls(&acp, &agent)
        .await
        .into_iter()
        .map(|call| (call.id, call.status, call.error))
        .collect();
    let refused = told[1].2.clone().unwrap();
    assert!(refused.contains("is outside"), "{refused}");
    let ends: Vec<_> = told
        .iter()
        .map(|(id, status, _)| (id.as_str(), status))
        .collect();
    assert_eq!(
        ends,
        [
            (format!("write:{inside}").as_str(), &ToolStatus::Completed),
            ("write:/etc/switchyard-test", &ToolStatus::Failed),
            ("w1", &ToolStatus::Completed),
            ("l1", &ToolStatus::Completed),
        ]
    );
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn a_permission_shows_all_that_it_allows_and_that_stays_in_the_conversation() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&[], dir.path()).await;
    let mut turn = soon(acp.prompt(&agent, Prompt::new("EDITS")))
        .await
        .unwrap();
    let asked = loop {
        if let Some(AgentEvent::Permission { request }) = soon(turn.next()).await {
            break request;
        }
    };
    insta::assert_json_snapshot!(asked, @r#"
    {
      "id": "p1",
      "tool": "edit",
      "title": "Rename",
      "detail": {
        "kind": "edit",
        "paths": [
          "/w/a.rs",
          "/w/c.rs",
          "/w/b.rs"
        ],
        "command": null,
        "output": "in two files\nand no more",
        "changes": [
          {
            "path": "/w/a.rs",
            "old_text": "old",
            "new_text": "new"
          },
          {
            "path": "/w/b.rs",
            "old_text": null,
            "new_text": "made"
          }
        ],
        "input": "{\n  \"from\": \"old\",\n  \"to\": \"new\"\n}"
      },
      "options": [
        {
          "id": "all",
          "name": "Allow all edits",
          "kind": "allow_always"
        },
        {
          "id": "none",
          "name": "No",
          "kind": "reject_once"
        }
      ]
    }
    "#);
    // "Allow" is never more than this once.
    let refused = soon(acp.answer(&agent, &asked.id, PermissionAnswer::Allow))
        .await
        .unwrap_err();
    insta::assert_snapshot!(refused, @"`answer` is not among what it asks; it offers `Allow all edits`, `No`");
    let all = PermissionAnswer::Choose {
        option: "all".into(),
    };
    soon(acp.answer(&agent, &asked.id, all)).await.unwrap();
    let result = soon(turn.result()).await;
    assert!(
        result.text.ends_with(r#"outcome: "all""#),
        "{}",
        result.text
    );
    let kept = calls(&acp, &agent).await;
    assert_eq!(kept[0].detail, asked.detail);
    let told = soon(acp.timeline(&agent)).await.unwrap();
    let answers: Vec<_> = told
        .into_iter()
        .filter_map(|entry| match entry.event {
            AgentEvent::PermissionResolved { answer, .. } => answer,
            _ => None,
        })
        .collect();
    assert_eq!(answers, ["Allow all edits"]);
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn what_an_agent_offers_is_shown_and_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&["offers"], dir.path()).await;
    let shown = async || {
        let info = soon(acp.inspect(&agent.0)).await.unwrap();
        let settings: Vec<_> = info
            .offers
            .settings
            .iter()
            .map(|setting| format!("{}={}", setting.id, setting.current))
            .collect();
        (settings.join(" "), info.model.unwrap_or_default())
    };
    assert_eq!(shown().await, ("m=small mode=ask".into(), "small".into()));
    let info = soon(acp.choose(&agent, "model", "Large")).await.unwrap();
    assert_eq!(info.model.as_deref(), Some("large"));
    soon(acp.choose(&agent, "mode", "plan")).await.unwrap();
    assert_eq!(shown().await.0, "m=large mode=plan");
    let refused = soon(acp.choose(&agent, "model", "huge")).await.unwrap_err();
    insta::assert_snapshot!(refused, @"`model` is `huge`; this agent offers `small`, `large`");
    // The agent is asked with what was chosen, also by a process that was started again.
    let result = say(&acp, &agent, "CHOSEN").await;
    assert_eq!(result.answer, "large plan");
    let usage = result.usage.unwrap();
    assert_eq!(
        (
            usage.input_tokens,
            usage.context_size,
            usage.cost.as_deref()
        ),
        (7, Some(1_000), Some("0.25 USD"))
    );
    assert_ne!(say(&acp, &agent, "DIE").await.outcome, Outcome::Completed);
    assert_eq!(say(&acp, &agent, "CHOSEN").await.answer, "large plan");
    let info = soon(acp.inspect(&agent.0)).await.unwrap();
    assert_eq!(info.offers.commands[0].name, "review");
    assert_eq!(info.usage.unwrap().context_used, Some(120));
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn a_process_has_the_environment_of_who_asks() {
    let dir = tempfile::tempdir().unwrap();
    let acp = Acp::new(config(&[]));
    let asked_by = |who: &str| acp.asked_by([("ASKER".into(), who.into())]);
    let one = asked_by("one");
    let agent = soon(one.start(NewAgent {
        cwd: dir.path().display().to_string(),
        ..NewAgent::default()
    }))
    .await
    .unwrap()
    .id;
    let told = async |acp: &Acp| say(acp, &agent, "ASKER").await.answer;
    assert_eq!(told(&one).await, "asked by one, and nothing else");
    // A process that runs is as it is.
    let other = asked_by("other");
    assert_eq!(told(&other).await, "asked by one, and nothing else");
    assert_ne!(say(&one, &agent, "DIE").await.outcome, Outcome::Completed);
    assert_eq!(told(&other).await, "asked by other, and nothing else");
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn a_model_that_is_not_offered_begins_no_agent() {
    let dir = tempfile::tempdir().unwrap();
    let with = async |faults: &[&str], model: &str| {
        let acp = Acp::new(config(faults));
        let started = soon(acp.start(NewAgent {
            cwd: dir.path().display().to_string(),
            model: Some(model.into()),
            ..NewAgent::default()
        }))
        .await;
        let left = soon(acp.list(ListAgents::default())).await.unwrap().len();
        soon(acp.dispose()).await.unwrap();
        (started, left)
    };
    let (started, _) = with(&["offers"], "large").await;
    assert_eq!(started.unwrap().model.as_deref(), Some("large"));
    let (refused, left) = with(&["offers"], "huge").await;
    insta::assert_snapshot!(refused.unwrap_err(), @"`model` is `huge`; this agent offers `small`, `large`");
    assert_eq!(left, 0);
    let (refused, left) = with(&[], "large").await;
    insta::assert_snapshot!(refused.unwrap_err(), @"`model` can't be chosen: this agent offers no settings");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn what_is_not_known_is_kept_and_an_image_goes_only_to_who_looks_at_it() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&["offers"], dir.path()).await;
    say(&acp, &agent, "INVALID").await;
    let other = soon(acp.timeline(&agent)).await.unwrap();
    let other = other.into_iter().find_map(|entry| match entry.event {
        AgentEvent::Other { kind, text } => Some((kind, text)),
        _ => None,
    });
    let (kind, text) = other.unwrap();
    assert_eq!(kind, "something_new");
    assert!(text.contains("\"x\": 1"), "{text}");
    let image = || Prompt {
        images: vec![PromptImage::new("image/png", b"not really")],
        ..Prompt::new("LOOK")
    };
    let turn = soon(acp.prompt(&agent, image())).await.unwrap();
    assert_eq!(
        soon(turn.result()).await.answer,
        "image/png bm90IHJlYWxseQ=="
    );
    soon(acp.dispose()).await.unwrap();
    let (blind, agent) = started(&[], dir.path()).await;
    let refused = soon(blind.prompt(&agent, image())).await.unwrap_err();
    assert!(
        matches!(refused, AgentError::Unsupported { .. }),
        "{refused}"
    );
    soon(blind.dispose()).await.unwrap();
}

#[tokio::test]
async fn what_an_agent_remembers_is_listed_where_it_tells() {
    let dir = tempfile::tempdir().unwrap();
    let cwd = dir.path().display().to_string();
    let (acp, _) = started(&["offers"], dir.path()).await;
    let listed = soon(acp.sessions(&cwd)).await.unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|session| {
            (
                session.id.as_str(),
                session.title.as_deref(),
                session.cwd == cwd,
            )
        })
        .collect();
    assert_eq!(
        listed,
        [("s1", Some("The first"), true), ("s2", None, true)],
        "both pages, without the one that has no id"
    );
    soon(acp.dispose()).await.unwrap();
    let (silent, _) = started(&[], dir.path()).await;
    let error = soon(silent.sessions(&cwd)).await.unwrap_err();
    assert!(matches!(error, AgentError::Unsupported { .. }), "{error}");
    soon(silent.dispose()).await.unwrap();
}

#[tokio::test]
async fn a_fork_knows_what_was_said_and_goes_its_own_way() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&["offers"], dir.path()).await;
    soon(acp.choose(&agent, "model", "large")).await.unwrap();
    say(&acp, &agent, "hello").await;
    let before = soon(acp.timeline(&agent)).await.unwrap().len();
    let fork = soon(acp.fork(&agent)).await.unwrap();
    assert_eq!(fork.id.0, format!("fork-of-{agent}"));
    assert_eq!(fork.title.as_deref(), Some("hello"));
    assert_eq!(fork.model.as_deref(), Some("large"));
    assert_eq!(soon(acp.timeline(&fork.id)).await.unwrap().len(), before);
    assert_eq!(
        say(&acp, &fork.id, "and now?").await.outcome,
        Outcome::Completed
    );
    assert_eq!(soon(acp.timeline(&agent)).await.unwrap().len(), before);

    let turn = soon(acp.prompt(&agent, Prompt::new("HANG"))).await.unwrap();
    let error = soon(acp.fork(&agent)).await.unwrap_err();
    assert!(matches!(error, AgentError::Busy { .. }), "{error}");
    turn.canceller().cancel();
    soon(turn.result()).await;
    soon(acp.dispose()).await.unwrap();

    let (silent, agent) = started(&[], dir.path()).await;
    let error = soon(silent.fork(&agent)).await.unwrap_err();
    assert!(matches!(error, AgentError::Unsupported { .. }), "{error}");
    soon(silent.dispose()).await.unwrap();
}

#[tokio::test]
async fn every_session_is_told_of_the_servers_that_are_configured() {
    let dir = tempfile::tempdir().unwrap();
    let cwd = dir.path().display().to_string();
    let mut config = config(&["offers"]);
    config.mcp = vec![McpServer {
        name: "files".into(),
        program: "sh".into(),
        args: vec!["-c".into(), "true".into()],
        env: [("LEVEL".into(), "1".into())].into(),
    }];
    let acp = Acp::new(config);
    let new = NewAgent {
        cwd: cwd.clone(),
        ..NewAgent::default()
    };
    let begun = soon(acp.start(new)).await.unwrap().id;
    let forked = soon(acp.fork(&begun)).await.unwrap().id;
    let old = AgentId("acp-old".into());
    let loaded = soon(acp.resume(&old, &cwd)).await.unwrap().id;
    for agent in [begun, forked, loaded] {
        let told = say(&acp, &agent, "SERVERS").await.text;
        let told: Value = serde_json::from_str(&told).unwrap();
        let program = told[0]["command"].as_str().unwrap();
        assert!(
            program.starts_with('/') && program.ends_with("/sh"),
            "{program}"
        );
        let said = serde_json::json!([{
            "name": "files",
            "command": program,
            "args": ["-c", "true"],
            "env": [{"name": "LEVEL", "value": "1"}],
        }]);
        assert_eq!(told, said);
    }
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn an_announced_edit_is_told_with_its_worktree() {
    let dir = tempfile::tempdir().unwrap();
    let agents = Agents::new(
        AgentsConfig::default(),
        Arc::new(MemorySessions::default()),
        Clock::new(|| 1),
    );
    let acp = Acp::new(config(&[]));
    let at = AgentBackend::id(&acp).clone();
    agents.add(Arc::new(acp));
    let mut events = agents.events();
    let cwd = dir.path().display().to_string();
    let agent = soon(agents.start(
        &at,
        NewAgent {
            cwd: cwd.clone(),
            ..NewAgent::default()
        },
    ))
    .await
    .unwrap();
    let file = dir.path().join("a.rs").display().to_string();
    let turn = soon(agents.prompt(&at, &agent.id, Prompt::new(format!("WRITE {file}"))))
        .await
        .unwrap();
    soon(turn.result()).await;
    let edit = soon(async {
        loop {
            if let AgentsEvent::Edit { cwd, path, .. } = events.recv().await.unwrap() {
                return (cwd, path);
            }
        }
    })
    .await;
    assert_eq!(edit, (cwd, file));
    agents.shutdown().await;
}

#[tokio::test]
async fn a_permission_is_asked_and_answered() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&[], dir.path()).await;
    for (answer, said) in [
        (PermissionAnswer::Allow, "outcome: yes"),
        (PermissionAnswer::AllowAlways, "outcome: always"),
        (
            PermissionAnswer::Deny {
                message: None,
                interrupt: false,
            },
            "outcome: no",
        ),
    ] {
        let mut turn = soon(acp.prompt(&agent, Prompt::new("PERMIT")))
            .await
            .unwrap();
        let asked = loop {
            if let Some(AgentEvent::Permission { request }) = soon(turn.next()).await {
                break request;
            }
        };
        assert_eq!(asked.title.as_deref(), Some("rm -rf build/"));
        assert_eq!(
            asked.detail.unwrap().command.as_deref(),
            Some("rm -rf build/")
        );
        assert_eq!(
            soon(acp.inspect(&agent.0)).await.unwrap().status,
            AgentStatus::NeedsYou
        );
        soon(acp.answer(&agent, &asked.id, answer.clone()))
            .await
            .unwrap();
        let again = soon(acp.answer(&agent, &asked.id, answer))
            .await
            .unwrap_err();
        assert!(
            matches!(again, AgentError::PermissionGone { .. }),
            "{again}"
        );
        let result = soon(turn.result()).await;
        assert!(result.text.ends_with(said), "{}", result.text);
    }
    // A cancel takes the question back.
    let mut turn = soon(acp.prompt(&agent, Prompt::new("PERMIT")))
        .await
        .unwrap();
    while !matches!(soon(turn.next()).await, Some(AgentEvent::Permission { .. })) {}
    assert!(soon(acp.stop(&agent)).await.unwrap());
    assert_eq!(soon(turn.result()).await.outcome, Outcome::Cancelled);
    assert!(
        soon(acp.inspect(&agent.0))
            .await
            .unwrap()
            .permissions
            .is_empty()
    );
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn an_agent_that_dies_says_why_and_is_started_again() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&[], dir.path()).await;
    let result = say(&acp, &agent, "DIE").await;
    let Outcome::Failed { message } = result.outcome else {
        panic!("it did not fail");
    };
    assert!(message.contains("exit status 3"), "{message}");
    assert!(message.contains("out of cheese"), "{message}");
    assert_eq!(say(&acp, &agent, "hello").await.outcome, Outcome::Completed);
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn an_agent_that_can_not_load_sessions_says_so_after_a_death() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&["forgets"], dir.path()).await;
    say(&acp, &agent, "DIE").await;
    let error = soon(acp.prompt(&agent, Prompt::new("hello")))
        .await
        .unwrap_err();
    assert!(matches!(error, AgentError::Unsupported { .. }), "{error}");
}

#[tokio::test]
async fn a_flood_is_taken_without_holding_up_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&[], dir.path()).await;
    let turn = soon(acp.prompt(&agent, Prompt::new("FLOOD")))
        .await
        .unwrap();
    let result = soon(turn.result()).await;
    assert_eq!(result.outcome, Outcome::Completed);
    assert_eq!(result.text.len(), 2_000 * 2_000 * "flood ".len());
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn a_line_without_end_ends_the_agent() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&[], dir.path()).await;
    let Outcome::Failed { message } = say(&acp, &agent, "LONGLINE").await.outcome else {
        panic!("it did not fail");
    };
    assert!(message.contains("a line of more than 32 MB"), "{message}");
}

#[tokio::test]
async fn invalid_messages_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&[], dir.path()).await;
    let result = say(&acp, &agent, "INVALID").await;
    assert_eq!(
        (result.outcome, result.text.as_str()),
        (Outcome::Completed, "still here")
    );
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn an_error_and_a_refusal_keep_the_agents_words() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&[], dir.path()).await;
    let Outcome::Failed { message } = say(&acp, &agent, "FAIL").await.outcome else {
        panic!("it did not fail");
    };
    assert!(message.contains("the model is overloaded"), "{message}");
    assert_eq!(
        say(&acp, &agent, "REFUSE").await.outcome,
        Outcome::Failed {
            message: "the agent refused to go on".into()
        }
    );
    assert_eq!(
        soon(acp.inspect(&agent.0)).await.unwrap().status,
        AgentStatus::Failed
    );
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn a_cancel_and_a_timeout_stop_the_agent_even_if_it_does_not_listen() {
    let dir = tempfile::tempdir().unwrap();
    for faults in [&[][..], &["stubborn"][..]] {
        let (acp, agent) = started(faults, dir.path()).await;
        let turn = soon(acp.prompt(&agent, Prompt::new("HANG"))).await.unwrap();
        let busy = soon(acp.prompt(&agent, Prompt::new("hello")))
            .await
            .unwrap_err();
        assert_eq!(
            busy,
            AgentError::Busy {
                agent: agent.clone()
            }
        );
        assert!(acp.busy());
        turn.canceller().cancel();
        assert_eq!(soon(turn.result()).await.outcome, Outcome::Cancelled);
        let prompt = Prompt {
            timeout_ms: Some(30),
            ..Prompt::new("HANG")
        };
        let turn = soon(acp.prompt(&agent, prompt)).await.unwrap();
        assert_eq!(soon(turn.result()).await.outcome, Outcome::TimedOut);
        assert!(!acp.busy());
        soon(acp.dispose()).await.unwrap();
    }
}

#[tokio::test]
async fn what_goes_wrong_at_the_start_is_said_and_is_the_backends_health() {
    let dir = tempfile::tempdir().unwrap();
    let new = || NewAgent {
        cwd: dir.path().display().to_string(),
        ..NewAgent::default()
    };
    let acp = Acp::new(config(&["dies-at-start"]));
    let error = soon(acp.start(new())).await.unwrap_err();
    insta::assert_snapshot!(error, @"`scripted` went away while `starting it` was awaited: its process ended with exit status 7: cannot find my configuration");
    assert!(matches!(soon(acp.check()).await, Health::Down { .. }));

    let acp = Acp::new(config(&["version-9"]));
    let error = soon(acp.start(new())).await.unwrap_err();
    assert!(error.to_string().contains("version"), "{error}");

    let mut mute = config(&["mute"]);
    mute.deadlines.start = Duration::from_millis(100);
    let error = soon(Acp::new(mute).start(new())).await.unwrap_err();
    assert!(matches!(error, AgentError::Timeout { .. }), "{error}");

    let missing = Acp::new(AcpConfig::new("none", "an-agent-that-nobody-has", &[]));
    assert!(matches!(soon(missing.check()).await, Health::Down { .. }));
    let error = soon(missing.start(new())).await.unwrap_err();
    assert!(
        matches!(error, AgentError::ProgramMissing { .. }),
        "{error}"
    );

    let gone = Acp::new(config(&[]));
    let error = soon(gone.start(NewAgent {
        cwd: "/no/such/dir".into(),
        ..NewAgent::default()
    }))
    .await
    .unwrap_err();
    assert!(
        error.to_string().contains("`/no/such/dir` does not exist"),
        "{error}"
    );
    let error = soon(gone.start(NewAgent {
        cwd: "relative".into(),
        ..NewAgent::default()
    }))
    .await
    .unwrap_err();
    assert!(
        matches!(error, AgentError::BadRequest { ref field, .. } if field == "cwd"),
        "{error}"
    );
}

#[tokio::test]
async fn a_session_is_loaded_after_a_restart_and_one_that_is_gone_is_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let cwd = dir.path().display().to_string();
    let acp = Acp::new(config(&[]));
    let agent = soon(acp.resume(&AgentId("acp-old".into()), &cwd))
        .await
        .unwrap();
    let timeline = soon(acp.timeline(&agent.id)).await.unwrap();
    assert_eq!(
        timeline[0].event,
        AgentEvent::Prompt {
            text: "an old question".into()
        }
    );
    let old = &calls(&acp, &agent.id).await[0];
    assert_eq!(
        old.status,
        ToolStatus::Cancelled,
        "what was at work does not go on"
    );
    assert_eq!(
        say(&acp, &agent.id, "hello").await.outcome,
        Outcome::Completed
    );
    let gone = soon(acp.resume(&AgentId("gone-1".into()), &cwd))
        .await
        .unwrap_err();
    assert_eq!(
        gone,
        AgentError::UnknownAgent {
            agent: "gone-1".into()
        }
    );
    let imported = soon(acp.import(ImportSession {
        session: "acp-other".into(),
        cwd: Some(cwd),
        ..ImportSession::default()
    }))
    .await
    .unwrap();
    assert!(!soon(acp.close(&imported.id, false)).await.unwrap().already);
    assert!(soon(acp.close(&imported.id, false)).await.unwrap().already);
    soon(acp.dispose()).await.unwrap();
}

#[tokio::test]
async fn idle_processes_beyond_the_limit_end_and_come_back_when_needed() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = config(&[]);
    one.warm = 1;
    let acp = Acp::new(one);
    let new = || NewAgent {
        cwd: dir.path().display().to_string(),
        ..NewAgent::default()
    };
    let first = soon(acp.start(new())).await.unwrap();
    let turn = soon(acp.prompt(&first.id, Prompt::new("HANG")))
        .await
        .unwrap();
    let second = soon(acp.start(new())).await.unwrap();
    let third = soon(acp.start(new())).await.unwrap();
    let status = async |id: &AgentId| soon(acp.inspect(&id.0)).await.unwrap().status;
    assert_eq!(
        status(&first.id).await,
        AgentStatus::Working,
        "a busy one is never ended"
    );
    assert_eq!(status(&second.id).await, AgentStatus::Asleep);
    assert_eq!(status(&third.id).await, AgentStatus::Idle);
    assert_eq!(
        say(&acp, &second.id, "hello").await.outcome,
        Outcome::Completed
    );
    turn.canceller().cancel();
    soon(turn.result()).await;
    soon(acp.dispose()).await.unwrap();
}

#[test]
fn presets_are_those_whose_programs_are_found() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["codex-acp", "opencode", "not-an-agent"] {
        std::os::unix::fs::symlink(
            env!("CARGO_BIN_EXE_stand-in-acp-agent"),
            dir.path().join(name),
        )
        .unwrap();
    }
    std::fs::write(dir.path().join("gemini"), "not a program").unwrap();
    let found: Vec<_> = presets(dir.path().as_os_str())
        .into_iter()
        .map(|preset| preset.name)
        .collect();
    assert_eq!(found, ["codex", "opencode"]);
    assert!(presets("".as_ref()).is_empty());
}

#[tokio::test]
async fn a_session_of_an_earlier_run_is_listed_without_a_process_and_woken_when_needed() {
    let dir = tempfile::tempdir().unwrap();
    let (acp, agent) = started(&[], dir.path()).await;
    say(&acp, &agent, "hello").await;
    soon(acp.dispose()).await.unwrap();
    let again = Acp::new(config(&[]));
    again.recall(&SessionRow {
        owner: "chat:1".into(),
        agent: "main".into(),
        backend: AgentBackend::id(&again).clone(),
        session: agent.clone(),
        worktree: dir.path().display().to_string(),
        title: Some("mine".into()),
        status: SessionStatus::Open,
        last_activity: 1,
    });
    let listed = soon(again.list(ListAgents::default())).await.unwrap();
    assert_eq!(listed[0].status, AgentStatus::Asleep);
    assert_eq!(listed[0].title.as_deref(), Some("mine"));
    // Reading it back wakes it, and it goes on.
    soon(again.timeline(&agent)).await.unwrap();
    assert_eq!(
        soon(again.inspect(&agent.0)).await.unwrap().status,
        AgentStatus::Idle
    );
    assert_eq!(
        say(&again, &agent, "again").await.outcome,
        Outcome::Completed
    );
    soon(again.dispose()).await.unwrap();
}

#[tokio::test]
async fn a_session_that_its_agent_has_forgotten_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let acp = Acp::new(config(&["forgets"]));
    let agent = AgentId("s-1".into());
    acp.recall(&SessionRow {
        owner: "chat:1".into(),
        agent: "main".into(),
        backend: AgentBackend::id(&acp).clone(),
        session: agent.clone(),
        worktree: dir.path().display().to_string(),
        title: None,
        status: SessionStatus::Open,
        last_activity: 1,
    });
    let error = soon(acp.resume(&agent, "/tmp")).await.unwrap_err();
    assert!(matches!(error, AgentError::UnknownAgent { .. }), "{error}");
    assert_eq!(
        soon(acp.list(ListAgents::default())).await.unwrap().len(),
        0
    );
}
