//! JSON in templates: its integers keep their digits, and what is printed of it is JSON again.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Output, State, Value, escape_formatter};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::data::MANY_DIGITS;

/// How deep that may be nested which is printed as JSON; what is read is no deeper.
const DEEPEST: usize = 128;

/// An integer of any size. It can be printed, and compared with its like.
#[derive(Debug, PartialEq, Eq)]
struct Integer(String);

impl Object for Integer {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn custom_cmp(
        self: &Arc<Self>,
        other: &minijinja::value::DynObject,
    ) -> Option<std::cmp::Ordering> {
        let other = &other.downcast_ref::<Self>()?.0;
        let (own, other_digits) = (
            self.0.trim_start_matches('-'),
            other.trim_start_matches('-'),
        );
        let by_size = (own.len(), own).cmp(&(other_digits.len(), other_digits));
        Some(match (self.0.starts_with('-'), other.starts_with('-')) {
            (false, false) => by_size,
            (true, true) => by_size.reverse(),
            (negative, _) => negative.cmp(&!negative).reverse(),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a JSON text with every digit of its integers. The text has been read as JSON before, so it is not
/// nested without end.
pub(super) fn exact(text: &str) -> serde_json::Result<Value> {
    let text = text.trim();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let Pairs(pairs) = serde_json::from_str(text)?;
            let pairs = pairs.into_iter();
            let pairs = pairs.map(|(key, value)| Ok((key, exact(value.get())?)));
            Value::from_pairs(pairs.collect::<serde_json::Result<Vec<_>>>()?)
        }
        Some(b'[') => {
            let values: Vec<&RawValue> = serde_json::from_str(text)?;
            let values = values.into_iter().map(|value| exact(value.get()));
            Value::from(values.collect::<serde_json::Result<Vec<_>>>()?)
        }
        Some(b'-' | b'0'..=b'9')
            if text.len() >= MANY_DIGITS && !text.contains(['.', 'e', 'E']) =>
        {
            match text.parse::<i128>() {
                Ok(integer) => Value::from(integer),
                Err(_) => Value::from_object(Integer(text.to_owned())),
            }
        }
        _ => Value::from(minijinja::value::Serde(serde_json::from_str::<
            serde_json::Value,
        >(text)?)),
    })
}

/// The fields of a JSON object in their order, each value as it stands in the text.
struct Pairs<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = fields.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// Prints a value where a template asks for it: text as it is, everything else as JSON.
pub(super) fn print(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Map
        | ValueKind::Seq
        | ValueKind::Iterable
        | ValueKind::Bool
        | ValueKind::None => {
            let mut text = String::new();
            write_json(&mut text, value, 0)?;
            out.write_str(&text).map_err(Error::from)
        }
        _ => escape_formatter(out, state, value),
    }
}

/// A namespace may hold itself, and a list that is short to write may be long to print.
fn write_json(out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
    if depth > DEEPEST || out.len() > super::MOST_TEXT {
        let message = "this is too large, or nested too deep, to be printed";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    match value.kind() {
        ValueKind::Map => {
            let mut open = '{';
            for key in value.try_iter()? {
                out.push(std::mem::replace(&mut open, ','));
                write_plain(out, &key.to_string())?;
                out.push(':');
                write_json(out, &value.get_item(&key)?, depth + 1)?;
            }
            out.push_str(if open == '{' { "{}" } else { "}" });
        }
        // What is made of lists, by `+` and by filters, is one to whoever reads it.
        ValueKind::Seq | ValueKind::Iterable => {
            let mut open = '[';
            for item in value.try_iter()? {
                out.push(std::mem::replace(&mut open, ','));
                write_json(out, &item, depth + 1)?;
            }
            out.push_str(if open == '[' { "[]" } else { "]" });
        }
        _ => match value.downcast_object_ref::<Integer>() {
            Some(integer) => out.push_str(&integer.0),
            None => write_plain(out, value)?,
        },
    }
    Ok(())
}

fn write_plain<T: serde::Serialize + ?Sized>(out: &mut String, value: &T) -> Result<(), Error> {
    let text = serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::BadSerialization, "this can't be printed as JSON").with_source(error)
    })?;
    out.push_str(&text);
    Ok(())
}
