//! A colour as people write one.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A colour: `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(pub [u8; 3]);

impl JsonSchema for Colour {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Colour".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": Self::FORMAT })
    }
}

impl Colour {
    /// What a schema calls a text that is a colour.
    pub(crate) const FORMAT: &str = "colour";

    /// Reads `#rrggbb`, `rrggbb`, `#rgb` or `0xrrggbb`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no colour; one is written like `#1d2027`");
        let digits = text.trim();
        let digits = digits
            .strip_prefix('#')
            .or_else(|| digits.strip_prefix("0x"));
        let digits = digits.unwrap_or(text.trim());
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
        let [_, red, green, blue] = match digits.len() {
            6 => number,
            3 => [8, 4, 0]
                .map(|shift| ((number >> shift) & 0xf) * 0x11)
                .iter()
                .fold(0, |all, part| (all << 8) | part),
            _ => return Err(wrong()),
        }
        .to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

impl TryFrom<String> for Colour {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}
