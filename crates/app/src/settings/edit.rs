//! Changes one field of a file of settings and leaves the rest of its text as the person wrote it: order, comments,
//! blank lines. The only file of this room that names jsonc_parser's concrete tree.

use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use serde_json::Value;

/// The text with a field set, found or put at the end; `path` leads to it.
///
/// # Errors
///
/// When the text is no JSON with comments, or something on the way is no object.
pub(super) fn with(text: &str, path: &[&str], value: &Value) -> Result<String, String> {
    let (root, mut object) = read(text)?;
    let (name, way) = path.split_last().ok_or("a field has a name")?;
    for step in way {
        let inner = object.object_value_or_create(step);
        object = inner.ok_or_else(|| format!("its `{step}` is not an object"))?;
    }
    // Of several the last one counts.
    match last(&object, name) {
        Some(property) => property.set_value(input(value)),
        None => drop(object.append(name, input(value))),
    }
    Ok(root.to_string())
}

/// The text without a field, wherever it is there; an object that held nothing else goes with it.
///
/// # Errors
///
/// When the text is no JSON with comments.
pub(super) fn without(text: &str, path: &[&str]) -> Result<String, String> {
    let (root, object) = read(text)?;
    remove(&object, path);
    Ok(root.to_string())
}

fn remove(object: &CstObject, path: &[&str]) {
    let Some((name, below)) = path.split_first() else {
        return;
    };
    while let Some(property) = last(object, name) {
        if !below.is_empty() {
            let Some(inner) = property.object_value() else {
                return;
            };
            remove(&inner, below);
            let holds_more = inner
                .children()
                .iter()
                .any(|child| child.is_comment() || child.as_object_prop().is_some());
            if holds_more {
                return;
            }
        }
        property.remove();
    }
}

fn last(object: &CstObject, name: &str) -> Option<jsonc_parser::cst::CstObjectProp> {
    let named = |property: &jsonc_parser::cst::CstObjectProp| {
        property.decoded_name().as_deref() == Some(name)
    };
    object.properties().into_iter().rfind(named)
}

fn read(text: &str) -> Result<(CstRootNode, CstObject), String> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let root = CstRootNode::parse(text, &Default::default()).map_err(|error| error.to_string())?;
    let object = root
        .object_value_or_create()
        .ok_or("it must be one object, in braces")?;
    Ok((root, object))
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(all) => CstInputValue::Array(all.iter().map(input).collect()),
        Value::Object(all) => {
            let all = all.iter().map(|(name, value)| (name.clone(), input(value)));
            CstInputValue::Object(all.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WRITTEN: &str = r#"// Mine.
{
  "theme": "dark", // at night

  /* how large */
  "font_size": 14,
  "history": { "keep_days": 90 } // long
  // "editor": "nvim"
}
"#;

    #[test]
    fn what_the_person_wrote_stays_around_what_is_changed() {
        let text = with(WRITTEN, &["font_size"], &json!(15)).expect("changed");
        let text = with(&text, &["history", "max_mb"], &json!(10)).expect("changed");
        let text = with(&text, &["font_family"], &json!("a \"b\"")).expect("changed");
        insta::assert_snapshot!(text, @r#"
        // Mine.
        {
          "theme": "dark", // at night

          /* how large */
          "font_size": 15,
          "history": {
            "keep_days": 90,
            "max_mb": 10
          }, // long
          "font_family": "a \"b\""
          // "editor": "nvim"
        }
        "#);
    }

    #[test]
    fn what_goes_back_to_its_default_leaves_the_file() {
        let text = without(WRITTEN, &["font_size"]).expect("changed");
        let text = without(&text, &["history", "keep_days"]).expect("changed");
        let text = without(&text, &["history", "keep_days"]).expect("changed again");
        insta::assert_snapshot!(text, @r#"
        // Mine.
        {
          "theme": "dark" // at night

          /* how large */
          // "editor": "nvim"
        }
        "#);
    }

    #[test]
    fn a_field_that_is_there_twice_is_changed_where_it_counts_and_goes_everywhere() {
        let twice = r#"{ "a": 1, "a": 2 }"#;
        assert_eq!(
            with(twice, &["a"], &json!(3)).as_deref(),
            Ok(r#"{ "a": 1, "a": 3 }"#)
        );
        let none = without(twice, &["a"]).expect("changed");
        assert!(!none.contains('a'), "{none}");
    }

    #[test]
    fn a_file_begins_with_its_first_field() {
        insta::assert_snapshot!(with("", &["pane.new"], &json!("F2")).expect("made"), @r#"
        {
          "pane.new": "F2"
        }
        "#);
        insta::assert_snapshot!(
            with(super::super::SETTINGS_TEMPLATE, &["theme"], &json!("dark")).expect("made"), @r#"
        {
          "$schema": "./settings.schema.json",
          "theme": "dark"
          // Everything has a default; what you set here is applied when you save. An editor that knows
          // JSON Schema completes the names and says what they mean. For example:
          //
          // "theme": "dark",
          // "font_family": "JetBrains Mono, monospace",
          // "font_size": 14,
          // "shell": "/usr/bin/fish",
          // "editor": "nvim",
          // "snippets": { "deploy": "make deploy ENV=staging" },
          // "profiles": { "database": { "program": "psql", "args": ["shop"], "cwd": "~/shop", "theme": "Ember", "icon": "DB" } },
          // "history": { "keep_days": 90, "max_mb": 4096 },
          // "flows": { "max_agents": 4, "agent": "acp:gemini", "step_minutes": 60 },
          // "conflicts": { "breaks": true }
        }
        "#);
        insta::assert_snapshot!(
            with(super::super::KEYS_TEMPLATE, &["pane.close"], &Value::Null).expect("made"), @r#"
        {
          // The key of a command, by the command's id; null takes a key away. The palette shows each
          // command with its key and its id. For example:
          //
          // "pane.new": "Ctrl+Shift+T",
          // "pane.close": null
          "pane.close": null
        }
        "#);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["[1]", "3", "{ \"a\": ", "{ \"history\": 3 }"] {
            assert!(
                with(text, &["history", "max_mb"], &json!(1)).is_err(),
                "{text}"
            );
        }
    }
}
