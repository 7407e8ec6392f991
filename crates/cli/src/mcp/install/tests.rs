//! Settings of every look, with the entry put in and taken out again.

use std::fs;

use super::*;

fn entry(agent: Agent) -> Entry {
    Entry::new(agent, Path::new("/"), false)
}

#[test]
fn each_agent_is_told_in_its_own_form() {
    let told: Vec<_> = Agent::ALL
        .map(|agent| {
            let entry = entry(agent);
            format!("{}\n{}", entry.file, entry.with(None).unwrap())
        })
        .into();
    insta::assert_snapshot!(told.join("\n"), @r#"
    .mcp.json
    {
      "mcpServers": {
        "switchyard": {
          "command": "switchyard",
          "args": ["mcp"]
        }
      }
    }

    .codex/config.toml
    [mcp_servers.switchyard]
    command = "switchyard"
    args = ["mcp"]

    .gemini/settings.json
    {
      "mcpServers": {
        "switchyard": {
          "command": "switchyard",
          "args": ["mcp"]
        }
      }
    }

    opencode.json
    {
      "mcp": {
        "switchyard": {
          "type": "local",
          "command": ["switchyard", "mcp"]
        }
      }
    }

    .qwen/settings.json
    {
      "mcpServers": {
        "switchyard": {
          "command": "switchyard",
          "args": ["mcp"]
        }
      }
    }
    "#);
    let writes = Entry::new(Agent::Claude, Path::new("/"), true);
    assert!(writes.with(None).unwrap().contains(r#""--allow", "write""#));
}

#[test]
fn what_was_put_in_is_taken_out_exactly() {
    let json = [
        "{}",
        "{\n  // mine\n  \"model\": \"x\",\n}\n",
        "{\n\t\"model\": \"x\"\n}",
        "{\n  \"mcpServers\": {\n    \"other\": { \"command\": \"x\" }\n  },\n  \"mcp\": {\n    \"other\": {}\n  }\n}\n",
    ];
    let toml = [
        "",
        "# mine\nmodel = \"x\"\n",
        "model = \"x\"",
        "[mcp_servers.other]\ncommand = \"x\" # note\n\n[profiles.a]\nb = 1\n",
    ];
    for agent in Agent::ALL {
        let entry = entry(agent);
        let texts = if agent == Agent::Codex { &toml } else { &json };
        for text in texts {
            let with = entry.with(Some(text)).unwrap();
            assert_ne!(&with, text);
            assert_eq!(entry.with(Some(&with)).unwrap(), with, "put in once");
            let without = entry.without(&with).unwrap().unwrap_or_default();
            assert_eq!(without.trim_end(), text.trim_end(), "{with}");
            assert_eq!(entry.without(text).unwrap().as_deref(), Some(*text));
        }
    }
}

#[test]
fn what_is_no_settings_or_another_server_is_left_alone() {
    let refused = |agent: Agent, text: &str| entry(agent).with(Some(text)).unwrap_err();
    let taken = r#"{ "mcpServers": { "switchyard": { "command": "node" } } }"#;
    insta::assert_snapshot!(refused(Agent::Gemini, taken), @"its `mcpServers.switchyard` starts something else; remove or rename that entry first");
    insta::assert_snapshot!(refused(Agent::Claude, "[]"), @"it is not an object of settings");
    insta::assert_snapshot!(refused(Agent::Codex, "mcp_servers = 1"), @"its `mcp_servers` is not a table");
    insta::assert_snapshot!(refused(Agent::Codex, "model = "), @"
    TOML parse error at line 1, column 9
      |
    1 | model = 
      |         ^
    string values must be quoted, expected literal string
    ");
}

#[test]
fn a_repository_is_told_what_changes_and_has_its_files_back() {
    let dir = tempfile::tempdir().unwrap();
    let (home, root) = (dir.path().join("home"), dir.path().join("root"));
    fs::create_dir_all(root.join(".gemini")).unwrap();
    let paths = Paths::below(&home);
    let run_on = |remove| {
        let wanted = Wanted {
            agent: None,
            write: false,
            remove,
            yes: true,
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        run(
            &root,
            &wanted,
            Some(&paths),
            &mut Output::to(&mut out, &mut err),
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    };
    insta::assert_snapshot!(run_on(false), @r#"
    .gemini/settings.json (new)
    + {
    +   "mcpServers": {
    +     "switchyard": {
    +       "command": "switchyard",
    +       "args": ["mcp"]
    +     }
    +   }
    + }
    Gemini CLI starts it in folders that you trust.
    Done.
    "#);
    insta::assert_snapshot!(run_on(false), @".gemini/settings.json has it already.");
    run_on(true);
    assert!(!root.join(".gemini/settings.json").exists());
    assert!(root.join(".gemini").exists());
}
