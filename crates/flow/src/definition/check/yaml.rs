//! What the reader of YAML says, in words for a person.

use super::names::nearest;
use crate::definition::file::Position;
use crate::definition::{Finding, FlowRefused, Severity};

/// What other systems call what a key of ours says.
const ELSEWHERE: [(&str, &str); 14] = [
    ("retry", "retries"),
    ("attempts", "retries"),
    ("depends_on", "needs"),
    ("after", "needs"),
    ("if", "when"),
    ("condition", "when"),
    ("shell", "run"),
    ("script", "run"),
    ("command", "run"),
    ("environment", "env"),
    ("working_directory", "cwd"),
    ("dir", "cwd"),
    ("continue_on_error", "allow_failure"),
    ("ignore_errors", "allow_failure"),
];

/// The key that a word of another system means, where it may stand.
fn elsewhere<'k>(word: &str, expected: &[&'k str]) -> Option<&'k str> {
    let word = word.replace('-', "_").to_lowercase();
    let (_, ours) = ELSEWHERE.iter().find(|(theirs, _)| *theirs == word)?;
    expected.iter().find(|key| *key == ours).copied()
}

pub(super) fn refusal(at: Position, message: &str, hint: Option<String>) -> FlowRefused {
    FlowRefused {
        findings: vec![Finding {
            severity: Severity::Error,
            at,
            message: message.to_owned(),
            hint,
        }],
    }
}

/// What the reader of the YAML refused, in our words.
pub(super) fn yaml_refusal(text: &str, error: &serde_saphyr::Error) -> FlowRefused {
    use serde_saphyr::Error as E;
    let error = error.without_snippet();
    let at = error
        .location()
        .map_or(Position { line: 1, column: 1 }, |place| Position {
            line: u32::try_from(place.line()).unwrap_or(1).max(1),
            column: u32::try_from(place.column()).unwrap_or(1).max(1),
        });
    let listed = |names: &[&str]| {
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (message, hint) = match error {
        E::SerdeUnknownField {
            field, expected, ..
        } => (
            format!("unknown key `{field}`"),
            Some(
                match elsewhere(field, expected).or(nearest(field, expected.iter().copied())) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", listed(expected)),
                },
            ),
        ),
        E::SerdeUnknownVariant {
            variant, expected, ..
        } => (
            format!("`{variant}` is not allowed here"),
            Some(match nearest(variant, expected.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? there are {}", listed(expected)),
                None => format!("one of {}", listed(expected)),
            }),
        ),
        E::SerdeMissingField { field, .. } => (
            format!("the key `{field}` is missing"),
            Some(format!("add `{field}:`")),
        ),
        E::DuplicateMappingKey { key, .. } => (
            format!("the key `{}` is there twice", key.as_deref().unwrap_or("?")),
            Some("leave one of the two out".to_owned()),
        ),
        E::SerdeInvalidType {
            unexpected,
            expected,
            ..
        }
        | E::SerdeInvalidValue {
            unexpected,
            expected,
            ..
        } => (
            format!("this is {}", found(unexpected)),
            Some(format!("must be {}", plainly(expected))),
        ),
        E::InvalidScalar { ty, .. } => (
            "this value has the wrong type".to_owned(),
            Some(format!("must be {}", plainly(ty))),
        ),
        E::Unexpected { expected, .. } => (
            "this value has the wrong type".to_owned(),
            Some(format!("must be {}", plainly(expected))),
        ),
        E::NullIntoString { .. } => (
            "there is nothing here".to_owned(),
            Some("must be text".to_owned()),
        ),
        E::InvalidBooleanStrict { .. } => (
            "this value has the wrong type".to_owned(),
            Some(format!("must be {}", plainly("bool"))),
        ),
        E::ExternallyTaggedEnumExpectedScalarOrMapping { .. }
        | E::ExpectedStringKeyForExternallyTaggedEnum { .. } => (
            "this value has the wrong type".to_owned(),
            Some(format!("must be {}", plainly("string or map"))),
        ),
        E::Eof { .. } if text.trim().is_empty() => (
            "the file is empty".to_owned(),
            Some("a flow has a `name` and `steps`".to_owned()),
        ),
        E::MultipleDocuments { .. } => (
            "there is more than one document in the file".to_owned(),
            Some("a file holds one flow; leave out the `---`".to_owned()),
        ),
        other => {
            let message = first_line(&other.to_string());
            // The place is said apart.
            let end = message.find(" at line ").unwrap_or(message.len());
            (message[..end].to_owned(), None)
        }
    };
    refusal(at, &message, hint)
}

/// The YAML reader's name of a type, in words.
pub(super) fn plainly(expected: &str) -> &str {
    match expected {
        "i64" | "u64" | "i32" | "u32" | "an integer" => "a whole number",
        "f64" | "f32" => "a number",
        "bool" | "a boolean" => "`true` or `false`",
        "string scalar" | "a string" | "str" => "text",
        "sequence start" | "a sequence" => "a list",
        "mapping start" | "a map" => "keys with values",
        "string or map" => "a word, or a key with a value",
        other if other.starts_with("struct ") => "keys with values",
        other if other.starts_with("enum ") || other.starts_with("variant ") => {
            "one of the words that are known here"
        }
        other => other,
    }
}

/// The YAML reader's name of what it found, in words.
fn found(unexpected: &str) -> String {
    let quoted = |of: &str| Some(unexpected.strip_prefix(of)?.trim_matches(['`', '"', ' ']));
    match unexpected {
        "sequence" => return "a list".to_owned(),
        "map" => return "a key with a value".to_owned(),
        "unit value" | "Option value" | "unit" => return "nothing".to_owned(),
        _ => {}
    }
    if let Some(number) = quoted("integer ").or_else(|| quoted("floating point ")) {
        format!("the number `{number}`")
    } else if let Some(answer) = quoted("boolean ") {
        format!("`{answer}`")
    } else if let Some(text) = quoted("string ") {
        format!("the text `{text}`")
    } else {
        unexpected.to_owned()
    }
}

pub(super) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
