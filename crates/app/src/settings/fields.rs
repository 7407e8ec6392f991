//! A file of settings, field by field: what is wrong is told at its place, in words, and refuses nothing else. The only
//! file of this room that names jsonc_parser's tree, and strsim.

use jsonc_parser::ast::{Object, Value as Node};
use serde_json::{Map, Value};

/// A text shown in a message has at most so many letters.
const SHOWN: usize = 40;

/// What a file says: the fields that can be used, and what is wrong with the others.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) good: Map<String, Value>,
    /// In the order of the file, each with its line.
    pub(super) mistakes: Vec<String>,
}

/// Reads a file's text as its schema wants it; where a field is wrong, `before` says what it goes on to be.
///
/// # Errors
///
/// When the text is no JSON with comments, or no object: then nothing in it can be told apart.
pub(super) fn read(text: &str, schema: &Value, before: &Value) -> Result<Fields, String> {
    let mut fields = Fields::default();
    let parsed = jsonc_parser::parse_to_ast(text, &Default::default(), &Default::default());
    match parsed.map_err(|error| error.to_string())?.value {
        None => {}
        Some(Node::Object(object)) => {
            let reader = Reader { text, schema };
            reader.read(&object, schema, before, "", &mut fields);
        }
        Some(_) => return Err("it must be one object, in braces".to_owned()),
    }
    Ok(fields)
}

struct Reader<'a> {
    text: &'a str,
    /// The whole schema, in which references lead somewhere.
    schema: &'a Value,
}

impl Reader<'_> {
    /// Reads an object below `path` into `fields`, by the properties of its `kind`.
    fn read(
        &self,
        object: &Object<'_>,
        kind: &Value,
        before: &Value,
        path: &str,
        fields: &mut Fields,
    ) {
        for property in &object.properties {
            let name = property.name.as_str();
            let full = format!("{path}{name}");
            let line = self.line_of(property.range.start);
            let mut wrong = |what: String| fields.mistakes.push(format!("line {line}: {what}"));
            let Some(kind) = self.kind_of(kind, name) else {
                wrong(self.unknown(kind, name, &full));
                continue;
            };
            if fields.good.contains_key(name) {
                wrong(format!("`{full}` is there twice; this one counts"));
            }
            if let (Node::Object(inner), true) = (&property.value, kind["properties"].is_object()) {
                let mut below = Fields::default();
                let path = format!("{full}.");
                self.read(inner, kind, &before[name], &path, &mut below);
                fields.mistakes.append(&mut below.mistakes);
                fields
                    .good
                    .insert(name.to_owned(), Value::Object(below.good));
                continue;
            }
            let value = self.value_of(&property.value);
            let good = fits(kind, &value);
            if !good {
                let must = words(kind);
                wrong(format!("`{full}` is {}, but must be {must}", shown(&value)));
            }
            let value = if good {
                Some(value)
            } else {
                before.get(name).cloned()
            };
            fields
                .good
                .extend(value.map(|value| (name.to_owned(), value)));
        }
    }

    /// What a field takes, where there is one of that name.
    fn kind_of<'a>(&'a self, kind: &'a Value, name: &str) -> Option<&'a Value> {
        let property = kind["properties"].get(name);
        let property = property.or_else(|| kind.get("additionalProperties"));
        let property = property.filter(|property| property.is_object())?;
        match property["$ref"].as_str() {
            Some(reference) => self.schema.pointer(reference.trim_start_matches('#')),
            None => Some(property),
        }
    }

    fn unknown(&self, kind: &Value, name: &str, full: &str) -> String {
        if full == "keys" {
            return "`keys` belong into `keys.json` beside it".to_owned();
        }
        let known = kind["properties"].as_object();
        let near = known
            .into_iter()
            .flat_map(Map::keys)
            .map(|known| (strsim::damerau_levenshtein(known, name), known))
            .filter(|(distance, known)| *distance <= known.len() / 3)
            .min();
        match near {
            Some((_, near)) => format!("there is no setting `{full}`; did you mean `{near}`?"),
            None => format!("there is no setting `{full}`"),
        }
    }

    fn value_of(&self, node: &Node<'_>) -> Value {
        use jsonc_parser::common::Ranged;
        let range = node.range();
        let text = &self.text[range.start..range.end];
        jsonc_parser::parse_to_serde_value(text, &Default::default()).unwrap_or_default()
    }

    fn line_of(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or(self.text);
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }
}

/// The values that there are, where a field takes one out of a few.
fn choices(kind: &Value) -> Option<Vec<&Value>> {
    let one_of = kind["oneOf"].as_array();
    one_of
        .map(|choices| choices.iter().filter_map(|one| one.get("const")).collect())
        .or_else(|| kind["enum"].as_array().map(|all| all.iter().collect()))
}

/// The types that a field takes.
fn types(kind: &Value) -> Vec<&str> {
    match &kind["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn fits(kind: &Value, value: &Value) -> bool {
    if let Some(choices) = choices(kind) {
        return choices.contains(&value);
    }
    types(kind).into_iter().any(|one| match one {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.as_i64().is_some_and(|value| {
            kind["minimum"].as_i64().is_none_or(|low| low <= value)
                && kind["maximum"].as_i64().is_none_or(|high| value <= high)
        }),
        "object" => value.is_object(),
        _ => false,
    })
}

/// What a field takes, in words.
fn words(kind: &Value) -> String {
    if let Some(choices) = choices(kind) {
        let choices = choices.iter().filter_map(|one| one.as_str());
        let choices: Vec<String> = choices.map(|one| format!("`{one}`")).collect();
        return format!("one of {}", choices.join(", "));
    }
    let words = types(kind).into_iter().map(|one| match one {
        "string" => "a text".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "null" => "`null`".to_owned(),
        "integer" => match (kind["minimum"].as_i64(), kind["maximum"].as_i64()) {
            (Some(low), Some(high)) => format!("a whole number from {low} to {high}"),
            _ => "a whole number".to_owned(),
        },
        _ => "an object".to_owned(),
    });
    words.collect::<Vec<_>>().join(" or ")
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    let begin: String = text.chars().take(SHOWN).collect();
    format!("{begin}…")
}
