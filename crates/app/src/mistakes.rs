//! What is wrong with a file that a person edits, in words for a person. The only file that names serde_path_to_error.

use jsonc_parser::common::Ranged as _;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// Reads a value that a person wrote as JSON with comments.
///
/// # Errors
///
/// What is wrong, where, and what would be right.
pub(crate) fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let value: serde_json::Value =
        jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default())
            .map_err(|error| error.to_string())?;
    serde_path_to_error::deserialize(&value).map_err(|error| {
        let path: Vec<Segment> = error.path().iter().cloned().collect();
        let told = in_words(&named(&path), &error.inner().to_string());
        match line_of(text, &path) {
            Some(line) => format!("line {line}: {told}"),
            None => told,
        }
    })
}

/// `paseo[1].address`
fn named(path: &[Segment]) -> String {
    let mut name = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => name.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(key);
            }
            Segment::Unknown => {}
        }
    }
    name
}

/// The line on which the innermost thing stands that a path leads to.
fn line_of(text: &str, path: &[Segment]) -> Option<usize> {
    let parsed = jsonc_parser::parse_to_ast(
        text,
        &jsonc_parser::CollectOptions::default(),
        &jsonc_parser::ParseOptions::default(),
    );
    let mut value = parsed.ok()?.value?;
    let mut at = value.start();
    for segment in path {
        value = match (segment, value) {
            (Segment::Map { key }, jsonc_parser::ast::Value::Object(mut object)) => {
                let Some(place) = object
                    .properties
                    .iter()
                    .position(|one| one.name.as_str() == key)
                else {
                    break;
                };
                let property = object.properties.swap_remove(place);
                at = property.range.start;
                property.value
            }
            (Segment::Seq { index }, jsonc_parser::ast::Value::Array(mut array))
                if *index < array.elements.len() =>
            {
                let element = array.elements.swap_remove(*index);
                at = element.start();
                element
            }
            _ => break,
        };
    }
    Some(1 + text[..at].matches('\n').count())
}

/// What serde says of the value at `path`.
fn in_words(path: &str, message: &str) -> String {
    let its = if path.is_empty() {
        "the file".to_owned()
    } else {
        format!("`{path}`")
    };
    if let Some((field, known)) = between(message, "unknown field `", "`, ") {
        return format!(
            "`{}` is no key here; {}",
            innermost(path, field),
            there_are(known)
        );
    }
    if let Some((field, _)) = between(message, "missing field `", "`") {
        return format!("{its} has no `{field}`");
    }
    if let Some((variant, known)) = between(message, "unknown variant `", "`, ") {
        return format!("{its} is `{variant}`; {}", there_are(known));
    }
    for kind in ["invalid type: ", "invalid value: "] {
        if let Some((found, expected)) = between(message, kind, ", expected ") {
            return format!(
                "{its} is {}, but must be {}",
                found_words(found),
                plainly(expected)
            );
        }
    }
    format!("{its}: {message}")
}

/// An unknown key has a place in the path, or not, as serde happens to have got to it.
fn innermost<'f>(path: &str, field: &'f str) -> std::borrow::Cow<'f, str> {
    let before = path
        .strip_suffix(field)
        .map(|before| before.trim_end_matches('.'));
    match before.unwrap_or(path) {
        "" => field.into(),
        path => format!("{path}.{field}").into(),
    }
}

fn between<'m>(message: &'m str, before: &str, after: &str) -> Option<(&'m str, &'m str)> {
    message.strip_prefix(before)?.split_once(after)
}

/// `expected one of `a`, `b``
fn there_are(expected: &str) -> String {
    match expected.strip_prefix("expected ") {
        Some(known) => {
            let known = known.strip_prefix("one of ").unwrap_or(known);
            format!("there are {}", known.replace("` or `", "` and `"))
        }
        None => expected.to_owned(),
    }
}

fn found_words(found: &str) -> String {
    match found {
        "null" => "nothing".to_owned(),
        "map" => "an object".to_owned(),
        "sequence" => "a list".to_owned(),
        _ => match found.split_once(' ') {
            Some(("string", text)) => format!("the text {}", text.replace('"', "`")),
            Some(("integer" | "boolean", value)) => value.to_owned(),
            Some(("floating", number)) => number.trim_start_matches("point ").to_owned(),
            _ => found.to_owned(),
        },
    }
}

fn plainly(expected: &str) -> &str {
    match expected {
        "a string" | "path string" => "a text",
        "a sequence" => "a list",
        "a boolean" => "`true` or `false`",
        "a map" => "an object",
        "u32" | "u64" | "usize" | "u16" => "a whole number from 0 on",
        "f64" | "f32" => "a number",
        "string or map" => "one of the words that are known here",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    #[allow(dead_code, reason = "it is read, and that is all")]
    struct File {
        hosts: Vec<Host>,
        how: How,
        size: u32,
        keys: BTreeMap<String, Option<String>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "it is read, and that is all")]
    struct Host {
        address: String,
        #[serde(default)]
        args: Vec<String>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum How {
        #[default]
        Fast,
        Slow,
    }

    #[test]
    fn mistakes_are_told_with_their_line_and_what_would_be_right() {
        let told: Vec<String> = [
            "{\n  \"hosts\": [\n    { \"address\": \"a\" },\n    { \"adress\": \"b\" }\n  ]\n}",
            "{\n  \"hosts\": [\n    { \"address\": \"a\" },\n    // mine\n    { \"args\": [] }\n  ]\n}",
            "{\n  \"hosts\": [{ \"address\": 3 }] }",
            "{ \"hosts\": [{ \"address\": \"a\", \"args\": \"b\" }] }",
            "{ \"hosts\": {} }",
            "{ \"how\": \"slowly\" }",
            "{ \"how\": 3 }",
            "{ \"size\": -1 }",
            "{ \"size\": 1.5 }",
            "{ \"keys\": {\n  \"pane.close\": true } }",
            "3",
            "{\n \"how\": \n}",
        ]
        .iter()
        .map(|text| read_json::<File>(text).map(drop).unwrap_err())
        .map(|told| told.lines().next().unwrap_or_default().to_owned())
        .collect();
        insta::assert_debug_snapshot!(told, @r#"
        [
            "line 4: `hosts[1].adress` is no key here; there are `address` and `args`",
            "line 5: `hosts[1]` has no `address`",
            "line 2: `hosts[0].address` is `3`, but must be a text",
            "line 1: `hosts[0].args` is the text `b`, but must be a list",
            "line 1: `hosts` is an object, but must be a list",
            "line 1: `how` is `slowly`; there are `fast` and `slow`",
            "line 1: `how` is `3`, but must be one of the words that are known here",
            "line 1: `size` is `-1`, but must be a whole number from 0 on",
            "line 1: `size` is `1.5`, but must be a whole number from 0 on",
            "line 2: `keys.pane.close` is `true`, but must be a text",
            "line 1: the file is `3`, but must be an object",
            "Unexpected close brace on line 3 column 1",
        ]
        "#);
    }

    #[test]
    fn what_is_right_is_read() {
        let text = "{ /* mine */ \"hosts\": [{ \"address\": \"a\" },], \"how\": \"slow\", }";
        let file: File = read_json(text).expect("it is right");
        assert_eq!(file.hosts[0].address, "a");
        let none: Option<File> = read_json("// nothing").expect("it is empty");
        assert!(none.is_none());
    }
}
