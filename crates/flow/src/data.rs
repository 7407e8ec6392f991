//! The structured output of a step, as it was written: its numbers keep every digit.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// From how many digits on an integer may not fit into 64 bits.
pub(crate) const MANY_DIGITS: usize = 19;

/// A JSON value, kept as text.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Reads a text, nested no deeper than JSON is read anywhere.
    ///
    /// # Errors
    ///
    /// When it is no JSON.
    pub fn read(text: &str) -> serde_json::Result<Self> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        if has_long_integers(text) {
            return serde_json::from_str(text.trim()).map(Self);
        }
        Ok(Self::from(value))
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// The value; an integer that does not fit into 64 bits is rounded in it.
    #[must_use]
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_str(self.text()).unwrap_or_default()
    }

    /// Whether [`Json::value`] may have rounded an integer.
    pub(crate) fn may_be_rounded(&self) -> bool {
        has_long_integers(self.text())
    }

    /// The text as people read it, a field or an item to a line.
    #[must_use]
    pub fn pretty(&self) -> String {
        let mut pretty = String::with_capacity(self.text().len() * 2);
        let (mut depth, mut quoted, mut escaped, mut opened) = (0, false, false, false);
        for c in self.text().chars() {
            if quoted {
                quoted = escaped || c != '"';
                escaped = c == '\\' && !escaped;
                pretty.push(c);
                continue;
            }
            if c.is_ascii_whitespace() {
                continue;
            }
            let closes = matches!(c, '}' | ']');
            depth -= usize::from(closes);
            if closes != opened && (closes || opened) {
                new_line(&mut pretty, depth);
            }
            opened = matches!(c, '{' | '[');
            depth += usize::from(opened);
            quoted = c == '"';
            pretty.push(c);
            match c {
                ',' => new_line(&mut pretty, depth),
                ':' => pretty.push(' '),
                _ => {}
            }
        }
        pretty
    }
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

fn has_long_integers(text: &str) -> bool {
    let digits = text.as_bytes().split(|byte| !byte.is_ascii_digit());
    digits.map(<[u8]>::len).max().unwrap_or(0) >= MANY_DIGITS
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self(serde_json::value::to_raw_value(&value).unwrap_or_default())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_kept_wherever_it_is_written_again() {
        let text = r#"{"n": 123456789012345678901234567890, "a": [-18446744073709551616]}"#;
        let json = Json::read(text).unwrap();
        assert_eq!(json.text(), text);
        assert_eq!(serde_json::to_string(&json).unwrap(), text);
        let again: Json = serde_json::from_str(&serde_json::to_string(&json).unwrap()).unwrap();
        assert_eq!(again, json);
        assert!(json.may_be_rounded());
        assert!(!Json::read("[123456789012345678]").unwrap().may_be_rounded());
        assert!(Json::read(&"[".repeat(100_000)).is_err());
        assert!(Json::read(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
    }

    #[test]
    fn people_read_it_as_any_printer_writes_it() {
        for text in [
            r#"{"a": [1, {"b": "x, {y}: \"z\\"}, [], {}], "c": {}, "d": null}"#,
            "[[]]",
            "{}",
            "[{}]",
            "\"a\\\\\"",
            "5",
            "[1,2]",
        ] {
            let json = Json::read(text).unwrap();
            let expected = serde_json::to_string_pretty(&json.value()).unwrap();
            assert_eq!(json.pretty(), expected, "{text}");
        }
    }
}
