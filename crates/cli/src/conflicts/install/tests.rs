//! Settings of every look, with ours put in and taken out again.

use std::fs;

use app::Paths;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

#[test]
fn what_was_put_in_is_taken_out_exactly_without_a_record() {
    let files = [
        "{}",
        "{\n  // mine\n  \"model\": \"x\",\n}\n",
        "{\n\t\"model\": \"x\"\n}",
        "{\n  \"model\": \"x\"\n}\n",
        "{\n  \"hooks\": {\n    \"PreToolUse\": [\n      { \"matcher\": \"Bash\", \"hooks\": [] }\n    ]\n  }\n}\n",
        "{\n  \"hooks\": {\n    \"Stop\": []\n  },\n  \"permissions\": { \"allow\": [] }\n}\n",
    ];
    // What cannot be told from a file that had nothing.
    let empty = [
        "{}\n",
        "{\n  \"hooks\": {}\n}\n",
        "{ \"hooks\": { \"PreToolUse\": [] } }\n",
    ];
    for agent in [Agent::Claude, Agent::Codex, Agent::Gemini] {
        for text in files.into_iter().chain(empty) {
            let with = agent.with(Some(text)).unwrap();
            assert_ne!(with, text);
            assert_eq!(agent.with(Some(&with)).unwrap(), with, "put in once");
            let without = agent.without(&with).unwrap();
            assert_eq!(agent.with(without.as_deref()).unwrap(), with);
            if files.contains(&text) {
                assert_eq!(without.as_deref(), Some(text), "{with}");
            }
            assert_eq!(agent.without(text).unwrap().as_deref(), Some(text));
        }
    }
    for agent in Agent::ALL {
        let with = agent.with(None).unwrap();
        assert_eq!(agent.without(&with).unwrap(), None);
    }
}

#[test]
fn what_is_no_settings_is_left_alone() {
    let with = |text: &str| Agent::Claude.with(Some(text)).unwrap_err();
    insta::assert_snapshot!(with("[]"), @"it is not an object of settings");
    insta::assert_snapshot!(with(r#"{ "hooks": [] }"#), @"its `hooks` are not an object");
    insta::assert_snapshot!(with(r#"{ "hooks": { "PreToolUse": {} } }"#), @"its `hooks.PreToolUse` is not a list");
}

/// What may stand between two tokens.
fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just(""),
        4 => Just(" "),
        3 => Just("\n    "),
        1 => Just("\n\n\t"),
        1 => Just(" // a note, \"quoted\" {\n"),
        1 => Just(" /* [ */ "),
    ]
}

/// A value with anything around it.
fn value(depth: u32) -> BoxedStrategy<String> {
    let plain = prop_oneof![
        Just("null".to_owned()),
        Just("-1.5e3".to_owned()),
        Just("\"// \\\" é\"".to_owned()),
        Just("true".to_owned()),
    ];
    if depth == 0 {
        return plain.boxed();
    }
    let items = prop::collection::vec(value(depth - 1), 0..3);
    let list = (items, space(), any::<bool>()).prop_map(|(items, space, more)| {
        let end = if more && !items.is_empty() { "," } else { "" };
        format!("[{space}{}{end}{space}]", items.join(&format!(",{space}")))
    });
    let names = prop::sample::subsequence(vec!["a", "b", "matcher"], 0..3);
    let object = (names, value(depth - 1), space(), any::<bool>())
        .prop_map(|(names, value, space, more)| members(&names, &value, space, more));
    let around = (space(), prop_oneof![plain, list, object], space());
    around
        .prop_map(|(before, value, after)| format!("{before}{value}{after}"))
        .boxed()
}

fn members(names: &[&str], value: &str, space: &str, more: bool) -> String {
    let members: Vec<_> = names
        .iter()
        .map(|name| format!("\"{name}\":{space}{value}"))
        .collect();
    let end = if more && !members.is_empty() { "," } else { "" };
    format!(
        "{{{space}{}{end}{space}}}",
        members.join(&format!(",{space}"))
    )
}

/// Settings: with or without hooks of others, however they are laid out.
fn settings() -> impl Strategy<Value = String> {
    let hooks = prop_oneof![
        Just(None),
        Just(Some("{}".to_owned())),
        (space(), value(2))
            .prop_map(|(space, value)| Some(format!("{{{space}\"Stop\": [{value}]{space}}}"))),
        (space(), value(2)).prop_map(|(space, value)| Some(format!(
            "{{ \"PreToolUse\":{space}[{space}{value}{space}], \"AfterTool\": [{space}] }}"
        ))),
    ];
    let shape = (
        space(),
        space(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    (hooks, value(2), shape).prop_map(|(hooks, value, (around, space, more, windows, end))| {
        let mut text = vec![format!("\"model\":{space}{value}")];
        text.extend(hooks.map(|hooks| format!("\"hooks\":{hooks}")));
        let last = if more { "," } else { "" };
        let end = if end { "\n" } else { "" };
        let text = format!(
            "{around}{{{space}{}{last}{space}}}{end}",
            text.join(&format!(",{space}"))
        );
        match windows {
            true => text.replace('\n', "\r\n"),
            false => text,
        }
    })
}

fn read_value(text: &str) -> Value {
    jsonc_parser::parse_to_serde_value(text, &Default::default()).unwrap()
}

/// The comments of a text, each as often as it is there.
fn comments(text: &str) -> usize {
    text.matches("// a note").count() + text.matches("/* [ */").count()
}

/// Puts it in or takes it out, as the command does.
fn run_on(home: &Path, root: &Path, agent: Agent, remove: bool) {
    let paths = Paths::below(home);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut out = Output::to(&mut out, &mut err);
    run(root, Some(agent), remove, true, Some(&paths), &mut out).unwrap();
}

proptest! {
    #[test]
    fn settings_come_back_byte_by_byte(text in settings(), agent in prop::sample::select(vec![Agent::Claude, Agent::Codex, Agent::Gemini])) {
        let dir = tempfile::tempdir().unwrap();
        let (home, root) = (dir.path().join("home"), dir.path().join("root"));
        let file = root.join(agent.file());
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &text).unwrap();
        run_on(&home, &root, agent, false);
        let with = fs::read_to_string(&file).unwrap();
        prop_assert_ne!(&with, &text);
        prop_assert_eq!(comments(&with), comments(&text));
        run_on(&home, &root, agent, true);
        prop_assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }

    #[test]
    fn of_settings_that_were_changed_since_only_ours_goes(text in settings(), noted in any::<bool>()) {
        let agent = Agent::Claude;
        let with = agent.with(Some(&text)).unwrap();
        let later = "\"later\": [1, \"two\"]";
        let add = |text: &str| {
            let at = text.find("\"model\"").unwrap();
            let new = match noted {
                true => format!("{later}, // a note\n  "),
                false => format!("{later},\n"),
            };
            format!("{}{new}{}", &text[..at], &text[at..])
        };
        let changed = add(&with);
        let without = agent.without(&changed).unwrap().unwrap();
        let mut wanted = read_value(&text);
        wanted["later"] = serde_json::json!([1, "two"]);
        let mut found = read_value(&without);
        // A list of hooks that was empty can't be told from one that was made.
        for value in [&mut wanted, &mut found] {
            if let Some(hooks) = value.get_mut("hooks").and_then(Value::as_object_mut) {
                hooks.retain(|_, list| list.as_array().is_none_or(|list| !list.is_empty()));
                if hooks.is_empty() {
                    value.as_object_mut().unwrap().remove("hooks");
                }
            }
        }
        prop_assert_eq!(found, wanted, "{}", changed);
        prop_assert_eq!(comments(&without), comments(&changed));
        prop_assert!(!without.contains(COMMAND));
    }
}

#[test]
fn a_file_and_a_directory_that_were_made_go_again() {
    let dir = tempfile::tempdir().unwrap();
    let (home, root) = (dir.path().join("home"), dir.path().join("root"));
    fs::create_dir(&root).unwrap();
    for agent in Agent::ALL {
        run_on(&home, &root, agent, false);
        assert!(root.join(agent.file()).exists());
        run_on(&home, &root, agent, true);
    }
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
    // A directory that has something else by now stays.
    run_on(&home, &root, Agent::Opencode, false);
    fs::write(root.join(".opencode/mine"), "").unwrap();
    run_on(&home, &root, Agent::Opencode, true);
    assert!(!root.join(".opencode/plugins").exists());
    assert!(root.join(".opencode/mine").exists());
}
