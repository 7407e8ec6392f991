//! A file that a person edits, field by field: what is wrong is told at its place, in words, and refuses nothing else. The
//! only file of this room that names jsonc_parser's tree, and strsim.

use std::collections::BTreeMap;
use std::fmt;

use jsonc_parser::ast::{Array, Object, Value as Node};
use jsonc_parser::common::Ranged as _;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::colour::Colour;

/// A text shown in a message has at most so many letters.
const SHOWN: usize = 40;

/// What a file says: the fields that can be used, and what is wrong with the others.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) good: Map<String, Value>,
    /// In the order of the file.
    pub(crate) mistakes: Vec<Mistake>,
    /// The fields that are there by their full names (`history.keep_days`), right or wrong, each with its line.
    pub(crate) lines: BTreeMap<String, usize>,
}

/// What is wrong with one field.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) line: usize,
    /// Its full name.
    pub(crate) field: String,
    pub(crate) what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Reads a file's text as its schema wants it; where a field is wrong, `before` says what it goes on to be. What is wrong
/// in a list is left out of it.
///
/// # Errors
///
/// When the text is no JSON with comments, or no object: then nothing in it can be told apart.
pub(crate) fn read(text: &str, schema: &Value, before: &Value) -> Result<Fields, String> {
    let mut fields = Fields::default();
    let parsed = jsonc_parser::parse_to_ast(text, &Default::default(), &Default::default());
    match parsed.map_err(|error| error.to_string())?.value {
        None if schema["required"].is_array() => return Err("it is empty".to_owned()),
        None => {}
        Some(Node::Object(object)) => {
            let mut reader = Reader {
                text,
                schema,
                mistakes: Vec::new(),
                lines: BTreeMap::new(),
            };
            fields.good = reader.object(&object, schema, before, "");
            for name in missing(schema, &object) {
                reader.wrong(object.start(), &name, format!("there is no `{name}`"));
            }
            fields.mistakes = reader.mistakes;
            fields.lines = reader.lines;
        }
        Some(_) => return Err("it must be one object, in braces".to_owned()),
    }
    Ok(fields)
}

/// Reads a file's whole text as its schema wants it.
///
/// # Errors
///
/// All that is wrong, each with its line.
pub(crate) fn read_all<T: DeserializeOwned + JsonSchema>(text: &str) -> Result<T, String> {
    let schema = schemars::schema_for!(T).to_value();
    let fields = read(text, &schema, &Value::Null)?;
    if fields.mistakes.is_empty() {
        return serde_json::from_value(fields.good.into()).map_err(|error| error.to_string());
    }
    let mistakes: Vec<String> = fields.mistakes.iter().map(ToString::to_string).collect();
    Err(mistakes.join("\n"))
}

struct Reader<'a> {
    text: &'a str,
    /// The whole schema, in which references lead somewhere.
    schema: &'a Value,
    mistakes: Vec<Mistake>,
    lines: BTreeMap<String, usize>,
}

impl<'a> Reader<'a> {
    /// Reads the object at `path`, by the properties of its `kind`: those that are good, or were `before`.
    fn object(
        &mut self,
        object: &Object<'_>,
        kind: &'a Value,
        before: &Value,
        path: &str,
    ) -> Map<String, Value> {
        let mut good = Map::new();
        for property in &object.properties {
            let name = property.name.as_str();
            let full = match path {
                "" => name.to_owned(),
                path => format!("{path}.{name}"),
            };
            let at = property.range.start;
            self.lines.insert(full.clone(), self.line_of(at));
            let Some(kind) = kind_of(self.schema, kind, name) else {
                self.wrong(at, &full, unknown(kind, name, &full));
                continue;
            };
            if good.contains_key(name) {
                self.wrong(
                    at,
                    &full,
                    format!("`{full}` is there twice; this one counts"),
                );
            }
            let value = self.value(&property.value, kind, &before[name], &full, at);
            let value = value.or_else(|| before.get(name).cloned());
            good.extend(value.map(|value| (name.to_owned(), value)));
        }
        good
    }

    /// Reads the value at `path`, which begins `at` some place of the text; nothing, when it is wrong.
    fn value(
        &mut self,
        node: &Node<'_>,
        kind: &'a Value,
        before: &Value,
        path: &str,
        at: usize,
    ) -> Option<Value> {
        let kind = self.resolved(kind, node);
        match node {
            Node::Object(object) if kind["properties"].is_object() || of_names(kind).is_some() => {
                let missing = missing(kind, object);
                let good = self.object(object, kind, before, path);
                for name in &missing {
                    self.wrong(at, path, format!("`{path}` has no `{name}`"));
                }
                missing.is_empty().then_some(Value::Object(good))
            }
            Node::Array(array) if kind["items"].is_object() => {
                let list = self.list(array, &kind["items"], path);
                let count = array.elements.len() as u64;
                match kind["minItems"].as_u64() {
                    // Of those that have one length, it is the most as well.
                    Some(wanted) if wanted != count => {
                        let what = format!("`{path}` has {count} entries, but must have {wanted}");
                        self.wrong(at, path, what);
                        None
                    }
                    _ => Some(Value::Array(list)),
                }
            }
            _ => {
                let value = self.value_of(node);
                match refusal(path, kind, &value) {
                    None => Some(value),
                    Some(what) => {
                        self.wrong(at, path, what);
                        None
                    }
                }
            }
        }
    }

    fn list(&mut self, array: &Array<'_>, kind: &'a Value, path: &str) -> Vec<Value> {
        let mut good = Vec::new();
        for (index, element) in array.elements.iter().enumerate() {
            let path = format!("{path}[{index}]");
            good.extend(self.value(element, kind, &Value::Null, &path, element.start()));
        }
        good
    }

    fn wrong(&mut self, at: usize, field: &str, what: String) {
        self.mistakes.push(Mistake {
            line: self.line_of(at),
            field: field.to_owned(),
            what,
        });
    }

    fn line_of(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or(self.text);
        1 + before.bytes().filter(|byte| *byte == b'\n').count()
    }

    /// Where references lead, and of several forms the one that the value has.
    fn resolved(&self, kind: &'a Value, node: &Node<'_>) -> &'a Value {
        let kind = led_to(self.schema, kind);
        if let Some(forms) = kind["anyOf"].as_array() {
            // What may be null as well: what it is otherwise says more.
            let is_null = |form: &Value| form["type"] == "null";
            let form = forms
                .iter()
                .find(|form| is_null(form) == matches!(node, Node::NullKeyword(_)));
            return form.map_or(kind, |form| self.resolved(form, node));
        }
        match (kind["oneOf"].as_array(), node) {
            (Some(forms), Node::Object(object)) => {
                let form = forms.iter().find(|form| is_tagged(form, object));
                form.unwrap_or(kind)
            }
            _ => kind,
        }
    }

    fn value_of(&self, node: &Node<'_>) -> Value {
        let range = node.range();
        let text = &self.text[range.start..range.end];
        jsonc_parser::parse_to_serde_value(text, &Default::default()).unwrap_or_default()
    }
}

/// What a field of an object of that `kind` takes, where there is one of that name; `schema` is the whole of it.
pub(crate) fn kind_of<'s>(schema: &'s Value, kind: &'s Value, name: &str) -> Option<&'s Value> {
    let property = kind["properties"].get(name).or_else(|| of_names(kind))?;
    property.is_object().then(|| led_to(schema, property))
}

/// Where a reference leads; a kind that is none is itself.
fn led_to<'s>(schema: &'s Value, kind: &'s Value) -> &'s Value {
    let reference = kind["$ref"].as_str();
    let led_to = reference.and_then(|to| schema.pointer(to.trim_start_matches('#')));
    led_to.unwrap_or(kind)
}

/// What each field takes, of an object whose fields have any names.
fn of_names(kind: &Value) -> Option<&Value> {
    kind.get("additionalProperties")
        .filter(|kind| kind.is_object())
}

/// The fields that must be there and are not.
fn missing(kind: &Value, object: &Object<'_>) -> Vec<String> {
    let required = kind["required"].as_array().into_iter().flatten();
    required
        .filter_map(Value::as_str)
        .filter(|name| object.get(name).is_none())
        .map(str::to_owned)
        .collect()
}

/// The fields that tell forms of an object apart, each with what it says in this form.
fn tags(form: &Value) -> impl Iterator<Item = (&String, &str)> {
    let properties = form["properties"].as_object().into_iter().flatten();
    properties.filter_map(|(name, kind)| Some((name, kind["const"].as_str()?)))
}

/// Whether an object says by its fields that it is of this form.
fn is_tagged(form: &Value, object: &Object<'_>) -> bool {
    let says = |(name, tag): (&String, &str)| {
        object
            .get_string(name)
            .is_some_and(|said| said.value == tag)
    };
    tags(form).next().is_some() && tags(form).all(says)
}

fn unknown(kind: &Value, name: &str, full: &str) -> String {
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

/// The values that there are, where a field takes one out of a few.
fn choices(kind: &Value) -> Option<Vec<&Value>> {
    let one_of = kind["oneOf"].as_array();
    let one_of: Option<Vec<&Value>> =
        one_of.and_then(|forms| forms.iter().map(|one| one.get("const")).collect());
    one_of.or_else(|| kind["enum"].as_array().map(|all| all.iter().collect()))
}

/// The types that a field takes.
pub(crate) fn types(kind: &Value) -> Vec<&str> {
    match &kind["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// Why a field can't be this value; none: it can.
pub(crate) fn refusal(full: &str, kind: &Value, value: &Value) -> Option<String> {
    if fits(kind, value) {
        return None;
    }
    let must = words(kind);
    Some(format!("`{full}` is {}, but must be {must}", shown(value)))
}

fn fits(kind: &Value, value: &Value) -> bool {
    if let Some(choices) = choices(kind) {
        return choices.contains(&value);
    }
    types(kind).into_iter().any(|one| match one {
        "string" => value
            .as_str()
            .is_some_and(|text| !is_colour(kind) || Colour::parse(text).is_ok()),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.as_i64().is_some_and(|value| {
            kind["minimum"].as_i64().is_none_or(|low| low <= value)
                && kind["maximum"].as_i64().is_none_or(|high| value <= high)
        }),
        "number" => value.as_f64().is_some_and(|value| {
            kind["minimum"].as_f64().is_none_or(|low| low <= value)
                && kind["maximum"].as_f64().is_none_or(|high| value <= high)
        }),
        "object" => value.is_object(),
        "array" => value.is_array(),
        _ => false,
    })
}

/// What a field takes, in words.
fn words(kind: &Value) -> String {
    if let Some(choices) = choices(kind) {
        let choices = choices.iter().filter_map(|one| one.as_str());
        return format!("one of {}", listed(choices));
    }
    let forms = kind["oneOf"].as_array().into_iter().flatten();
    let tags: Vec<(&String, &str)> = forms.flat_map(tags).collect();
    if let Some((name, _)) = tags.first() {
        let said = tags.iter().filter(|(tag, _)| tag == name);
        let said = listed(said.map(|(_, said)| *said));
        return format!("an object whose `{name}` is one of {said}");
    }
    let words = types(kind).into_iter().map(|one| match one {
        "string" if is_colour(kind) => "a colour like `#1d2027`".to_owned(),
        "string" => "a text".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "null" => "`null`".to_owned(),
        "array" => "a list".to_owned(),
        "integer" | "number" => {
            let number = if one == "integer" {
                "a whole number"
            } else {
                "a number"
            };
            match (kind["minimum"].as_f64(), kind["maximum"].as_f64()) {
                (Some(low), Some(high)) => format!("{number} from {low} to {high}"),
                _ => number.to_owned(),
            }
        }
        _ => "an object".to_owned(),
    });
    words.collect::<Vec<_>>().join(" or ")
}

fn is_colour(kind: &Value) -> bool {
    kind["format"] == Colour::FORMAT
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    let begin: String = text.chars().take(SHOWN).collect();
    format!("{begin}…")
}
