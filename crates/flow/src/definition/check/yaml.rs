//! What the reader of YAML says, in words for a person.

use super::names::nearest;
use crate::definition::file::Position;
use crate::definition::{Finding, FlowRefused, Severity};

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
            Some(match nearest(field, expected.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", listed(expected)),
            }),
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
        } => (
            format!("this is {unexpected}"),
            Some(format!("must be {expected}")),
        ),
        E::SerdeInvalidValue {
            unexpected,
            expected,
            ..
        } => (
            format!("this is {unexpected}"),
            Some(format!("must be {expected}")),
        ),
        E::InvalidScalar { ty, .. } => (
            "this value has the wrong type".to_owned(),
            Some(format!("must be {}", plainly(ty))),
        ),
        E::Unexpected { expected, .. } => (
            "this value has the wrong type".to_owned(),
            Some(format!("must be {}", plainly(expected))),
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
        "i64" | "u64" | "i32" | "u32" => "a whole number",
        "bool" => "`true` or `false`",
        "string scalar" => "text",
        "sequence start" => "a list",
        "mapping start" => "keys with values",
        other => other,
    }
}

pub(super) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
