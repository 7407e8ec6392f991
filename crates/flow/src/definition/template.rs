//! The one language for text and for conditions: Jinja, strict and bounded. With `outside`, the only
//! file that names minijinja.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};
use serde::Serialize;

use super::outside::{self, Outside};

/// What one rendering may cost: about a tenth of a second, and 64 bytes of memory for each.
const FUEL: u64 = 1_000_000;

/// The longest text that a template may fold into.
pub(crate) const MOST_TEXT: usize = 4 << 20;

/// What is wrong with a template or a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Problem {
    pub(crate) message: String,
    /// The piece of the source that is wrong, when it is known.
    pub(crate) fragment: Option<String>,
}

/// Whether a source is text with `{{ … }}` in it, or one expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Condition,
}

/// The values that a template sees.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Scope {
    pub(crate) inputs: serde_json::Map<String, serde_json::Value>,
    pub(crate) results: serde_json::Map<String, serde_json::Value>,
    pub(crate) run: serde_json::Map<String, serde_json::Value>,
    pub(crate) env: serde_json::Map<String, serde_json::Value>,
    /// What conditions may ask about the world.
    #[serde(skip)]
    pub(crate) outside: Outside,
}

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_debug(true);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.add_filter("slug", |text: String| slug(&text));
        environment
    })
}

/// Lower case letters and digits, with single dashes between; never empty, never longer than a file's name.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 80 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "untitled".to_owned()
    } else {
        slug.to_owned()
    }
}

/// The dotted names that `source` takes from outside: `inputs.question`, `results.plan.data.kind`.
pub(crate) fn names(source: &str, form: Form) -> Result<BTreeSet<String>, Problem> {
    let found = match form {
        Form::Text => environment()
            .template_from_str(source)
            .map_err(problem)?
            .undeclared_variables(true),
        Form::Condition => {
            if source.trim_start().starts_with("{{") {
                return Err(Problem {
                    message: "a condition is an expression already; leave out the `{{ }}`"
                        .to_owned(),
                    fragment: Some("{{".to_owned()),
                });
            }
            outside::ranked(source)?;
            environment()
                .compile_expression(source)
                .map_err(problem)?
                .undeclared_variables(true)
        }
    };
    Ok(found.into_iter().collect())
}

/// The filters and tests that `source` names and that do not exist.
pub(crate) fn unknown_filters(source: &str, form: Form) -> Vec<(&'static str, String)> {
    let mut unknown = Vec::new();
    for code in code_of(source, form) {
        for (index, _) in code.match_indices('|') {
            let name = word(&code[index + 1..]);
            if !name.is_empty() && !exists("filter", name) {
                unknown.push(("filter", name.to_owned()));
            }
        }
        let mut words = code
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|w| !w.is_empty());
        while let Some(next) = words.next() {
            if next == "is" {
                let name = match words.next() {
                    Some("not") => words.next(),
                    other => other,
                };
                if let Some(name) = name.filter(|name| !exists("test", name)) {
                    unknown.push(("test", name.to_owned()));
                }
            }
        }
    }
    unknown
}

fn exists(what: &str, name: &str) -> bool {
    environment()
        .compile_expression_owned(format!("'{name}' is {what}"))
        .and_then(|expression| expression.eval(()))
        .is_ok_and(|value| value.is_true())
}

fn word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    &text[..end]
}

/// The parts of a source that are code, with what stands between quotes taken out.
fn code_of(source: &str, form: Form) -> Vec<String> {
    let mut parts = Vec::new();
    if form == Form::Condition {
        parts.push(source);
    } else {
        let mut rest = source;
        while let Some(open) = ["{{", "{%"].iter().filter_map(|open| rest.find(open)).min() {
            let inside = &rest[open + 2..];
            let close = ["}}", "%}"]
                .iter()
                .filter_map(|close| inside.find(close))
                .min()
                .unwrap_or(inside.len());
            parts.push(&inside[..close]);
            rest = &inside[close..];
        }
    }
    parts
        .into_iter()
        .map(|part| {
            let mut quote = None;
            let mut escaped = false;
            part.chars()
                .map(|c| {
                    match quote {
                        Some(open) => {
                            if escaped {
                                escaped = false;
                            } else if c == '\\' {
                                escaped = true;
                            } else if c == open {
                                quote = None;
                            }
                            // Keeps words apart without being one.
                            return ',';
                        }
                        None if c == '"' || c == '\'' => quote = Some(c),
                        None => {}
                    }
                    if quote.is_some() { ',' } else { c }
                })
                .collect()
        })
        .collect()
}

/// Folds a template into text.
pub(crate) fn render(source: &str, scope: &Scope) -> Result<String, Problem> {
    // Most texts have nothing to fold.
    if !source.contains('{') {
        return Ok(source.to_owned());
    }
    let text = environment()
        .template_from_str(source)
        .and_then(|template| template.render(Value::from(minijinja::value::Serde(scope))))
        .map_err(problem)?;
    if text.len() > MOST_TEXT {
        return Err(Problem {
            message: format!("the text grew beyond {} MB", MOST_TEXT >> 20),
            fragment: None,
        });
    }
    Ok(text)
}

/// Evaluates a condition. Only `true` and `false` are answers: an unknown name, a missing value or a
/// text is an error, never "false".
pub(crate) fn holds(source: &str, scope: &Scope) -> Result<bool, Problem> {
    let ranked = outside::ranked(source)?;
    let mut names = Value::from(minijinja::value::Serde(scope));
    if outside::mentions(source) {
        names = minijinja::value::merge_maps([names, scope.outside.functions()]);
    }
    let value = environment()
        .compile_expression(&ranked)
        .and_then(|expression| expression.eval(names))
        .map_err(problem)?;
    if value.is_undefined() {
        return Err(Problem {
            message: format!("`{source}` has no value"),
            fragment: None,
        });
    }
    bool::try_from(value.clone())
        .ok()
        .filter(|_| value.kind() == minijinja::value::ValueKind::Bool)
        .ok_or_else(|| Problem {
            message: format!(
                "`{source}` is {} and not `true` or `false`; compare it, as in `… == \"yes\"`",
                describe(&value)
            ),
            fragment: None,
        })
}

/// The value of a condition that depends on nothing, if it is one.
pub(crate) fn constant(source: &str) -> Option<bool> {
    if names(source, Form::Condition).ok()?.is_empty() {
        holds(source, &Scope::default()).ok()
    } else {
        None
    }
}

/// The values that the names in a condition have now, for the record.
pub(crate) fn seen(source: &str, scope: &Scope) -> BTreeMap<String, serde_json::Value> {
    let Ok(names) = names(source, Form::Condition) else {
        return BTreeMap::new();
    };
    let root = Value::from(minijinja::value::Serde(scope));
    let mut seen = scope.outside.seen();
    seen.extend(
        names
            .into_iter()
            .filter(|name| name != outside::CONFLICTS)
            .map(|name| {
                let value = name
                    .split('.')
                    .try_fold(root.clone(), |value, part| value.get_attr(part).ok());
                let value = value
                    .and_then(|value| serde_json::to_value(value).ok())
                    .map_or(serde_json::Value::Null, shorten);
                (name, value)
            }),
    );
    seen
}

/// Cuts long texts, so that a record of a decision stays small.
fn shorten(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::String(text) if text.len() > 500 => {
            let end = (0..=500)
                .rev()
                .find(|end| text.is_char_boundary(*end))
                .unwrap_or(0);
            serde_json::Value::String(format!("{}…", &text[..end]))
        }
        value => value,
    }
}

fn describe(value: &Value) -> String {
    let text = value.to_string();
    let shown: String = text.chars().take(40).collect();
    match value.kind() {
        minijinja::value::ValueKind::String => format!("the text `{shown}`"),
        minijinja::value::ValueKind::None => "`none`".to_owned(),
        kind => format!("the {kind} `{shown}`"),
    }
}

fn problem(error: minijinja::Error) -> Problem {
    let fragment = error
        .range()
        .and_then(|range| Some(error.template_source()?.get(range)?.trim().to_owned()))
        .filter(|fragment| !fragment.is_empty());
    let detail = error
        .detail()
        .map(str::to_owned)
        .filter(|detail| !detail.is_empty());
    let message = match error.kind() {
        ErrorKind::OutOfFuel => "the template does too much work, or grows too large".to_owned(),
        ErrorKind::UndefinedError => match &fragment {
            Some(fragment) => format!("`{fragment}` has no value"),
            None => detail.unwrap_or_else(|| "a name has no value".to_owned()),
        },
        kind => match detail {
            Some(detail) => detail,
            None => kind.to_string(),
        },
    };
    Problem { message, fragment }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        let mut scope = Scope::default();
        scope
            .inputs
            .insert("question".to_owned(), "Fix the Login!".into());
        scope.inputs.insert("yes".to_owned(), true.into());
        scope.results.insert(
            "plan".to_owned(),
            serde_json::json!({"data": {"kind": "bug"}}),
        );
        scope
    }

    #[test]
    fn text_folds_and_unknown_names_are_errors() {
        assert_eq!(
            render("a {{ inputs.question }}", &scope()).unwrap(),
            "a Fix the Login!"
        );
        assert_eq!(
            render("{{ inputs.question | slug }}", &scope()).unwrap(),
            "fix-the-login"
        );
        assert_eq!(
            render("{{ results.plan.output | default('none') }}", &scope()).unwrap(),
            "none"
        );
        let problem = render("{{ inputs.nothing }}", &scope()).unwrap_err();
        assert!(problem.message.contains("inputs.nothing"), "{problem:?}");
    }

    #[test]
    fn a_condition_is_true_or_false_and_nothing_else() {
        assert_eq!(holds("results.plan.data.kind == 'bug'", &scope()), Ok(true));
        assert_eq!(holds("not inputs.yes", &scope()), Ok(false));
        for wrong in [
            "inputs.question",
            "inputs.nothing",
            "results.none.data == 1",
            "1",
            "none",
        ] {
            assert!(holds(wrong, &scope()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn work_without_end_is_stopped() {
        let endless = "{% for a in range(100000) %}{% for b in range(100000) %}{{ a }}{% endfor %}{% endfor %}";
        assert!(
            render(endless, &scope())
                .unwrap_err()
                .message
                .contains("too much work")
        );
        assert!(render("{{ 'x' * 100000000 }}", &scope()).is_err());
    }

    #[test]
    fn names_and_unknown_filters_are_found() {
        let names = names(
            "{{ results.plan.data.kind }}{% for x in inputs.list %}{{ x }}{% endfor %}",
            Form::Text,
        );
        assert_eq!(
            names.unwrap().into_iter().collect::<Vec<_>>(),
            ["inputs.list", "results.plan.data.kind"]
        );
        assert_eq!(
            unknown_filters(
                "a | b {{ inputs.a | uper }} {{ 'x | y' | upper }}",
                Form::Text
            ),
            [("filter", "uper".to_owned())]
        );
        assert_eq!(
            unknown_filters("inputs.a is not stringy", Form::Condition),
            [("test", "stringy".to_owned())]
        );
    }

    #[test]
    fn a_slug_is_a_name_for_a_file() {
        insta::assert_snapshot!(slug("../../etc/passwd & Ünïcode"), @"etc-passwd-ünïcode");
        insta::assert_snapshot!(slug("///"), @"untitled");
    }
}
