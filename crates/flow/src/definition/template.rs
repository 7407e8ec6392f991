//! The one language for text and for conditions: Jinja, strict and bounded. With what is beneath it and
//! `outside`, the only file that names minijinja.

mod asks;
mod json;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, merge_maps};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value, machinery};
use serde::Serialize;

use super::outside::{self, Outside};
pub(crate) use super::problem::Problem;
use asks::Asks;

/// What one rendering may cost: about a tenth of a second, and 64 bytes of memory for each.
const FUEL: u64 = 1_000_000;

/// The stack of what is folded with namespaces; only what is used of it takes memory.
const DEEP_STACK: usize = 256 << 20;

/// The longest text that a template may fold into.
pub(crate) const MOST_TEXT: usize = 4 << 20;

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
    /// What steps came to in the round before.
    pub(crate) last: serde_json::Map<String, serde_json::Value>,
    /// The numbers of rounds.
    pub(crate) rounds: serde_json::Map<String, serde_json::Value>,
    /// What a step with a list is done for, and its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<u32>,
    pub(crate) run: serde_json::Map<String, serde_json::Value>,
    pub(crate) env: serde_json::Map<String, serde_json::Value>,
    /// By step: the text that its `data` was read from, where reading it may have rounded an integer; of the results, and
    /// of those of the round before.
    #[serde(skip)]
    pub(crate) texts: BTreeMap<String, String>,
    #[serde(skip)]
    pub(crate) last_texts: BTreeMap<String, String>,
    /// What conditions may ask about the world.
    #[serde(skip)]
    pub(crate) outside: Outside,
}

impl Scope {
    fn names(&self) -> Value {
        let mut names = Value::from(Serde(self));
        for (space, results, texts) in [
            ("results", &self.results, &self.texts),
            ("last", &self.last, &self.last_texts),
        ] {
            if texts.is_empty() {
                continue;
            }
            let results = results.iter().map(|(step, fields)| {
                let fields = Value::from(Serde(fields));
                let data = texts.get(step).and_then(|text| json::exact(text).ok());
                let data = data.map(|data| Value::from_pairs([("data", data)]));
                (step.as_str(), merge_maps([fields].into_iter().chain(data)))
            });
            let results = Value::from_pairs(results.collect::<Vec<_>>());
            names = merge_maps([names, Value::from_pairs([(space, results)])]);
        }
        names
    }
}

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_debug(true);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_formatter(json::print);
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
    asks(source, form).map(|asks| asks.names)
}

/// What `source` asks for.
fn asks(source: &str, form: Form) -> Result<Asks, Problem> {
    match form {
        Form::Text => {
            let asks = machinery::parse(source, "<text>", SyntaxConfig::default())
                .map(|template| Asks::of_template(&template))
                .map_err(|error| problem(&error, source))?;
            match asks.loose_namespace {
                Some(name) => Err(Problem {
                    message: "a namespace may hold no other and not itself: make it by `{% set ns = namespace() %}`, and use its fields alone, as `ns.count`".to_owned(),
                    fragment: Some(name),
                }),
                None => Ok(asks),
            }
        }
        Form::Condition => {
            if source.trim_start().starts_with("{{") {
                return Err(Problem {
                    message: "a condition is an expression already; leave out the `{{ }}`"
                        .to_owned(),
                    fragment: Some("{{".to_owned()),
                });
            }
            outside::ranked(source)?;
            machinery::parse_expr(source)
                .map(|expression| Asks::of_expression(&expression))
                .map_err(|error| problem(&error, source))
        }
    }
}

/// The filters and tests that `source` names and that do not exist.
pub(crate) fn unknown_filters(source: &str, form: Form) -> Vec<(&'static str, String)> {
    let Ok(asks) = asks(source, form) else {
        return Vec::new();
    };
    let filters = asks.filters.into_iter().map(|name| ("filter", name));
    let tests = asks.tests.into_iter().map(|name| ("test", name));
    filters
        .chain(tests)
        .filter(|(what, name)| !exists(what, name))
        .collect()
}

fn exists(what: &str, name: &str) -> bool {
    environment()
        .compile_expression_owned(format!("'{name}' is {what}"))
        .and_then(|expression| expression.eval(()))
        .is_ok_and(|value| value.is_true())
}

/// Folds a template into text.
pub(crate) fn render(source: &str, scope: &Scope) -> Result<String, Problem> {
    // Most texts have nothing to fold.
    if !source.contains('{') {
        return Ok(source.to_owned());
    }
    let text = if asks(source, Form::Text)?.has_namespaces {
        render_deep(source, scope)
    } else {
        render_in(environment(), source, scope)
    }?;
    if text.len() > MOST_TEXT {
        return Err(Problem {
            message: format!("the text grew beyond {} MB", MOST_TEXT >> 20),
            fragment: None,
        });
    }
    Ok(text)
}

fn render_in(
    environment: &Environment<'_>,
    source: &str,
    scope: &Scope,
) -> Result<String, Problem> {
    environment
        .template_from_str(source)
        .and_then(|template| template.render(scope.names()))
        .map_err(|error| problem(&error, source))
}

/// Folds a template whose loops may nest values ever deeper in a namespace: with less fuel, and on a stack that holds
/// what can be made of that.
fn render_deep(source: &str, scope: &Scope) -> Result<String, Problem> {
    let mut frugal = environment().clone();
    frugal.set_fuel(Some(FUEL / 10));
    let folded = std::thread::scope(|threads| {
        let thread = std::thread::Builder::new()
            .name("template".to_owned())
            .stack_size(DEEP_STACK)
            .spawn_scoped(threads, || render_in(&frugal, source, scope));
        thread.ok().and_then(|thread| thread.join().ok())
    });
    folded.unwrap_or_else(|| {
        Err(Problem {
            message: "the template could not be folded: there is no memory for it".to_owned(),
            fragment: None,
        })
    })
}

/// Evaluates a condition. Only `true` and `false` are answers: an unknown name, a missing value or a
/// text is an error, never "false".
pub(crate) fn holds(source: &str, scope: &Scope) -> Result<bool, Problem> {
    let ranked = outside::ranked(source)?;
    let mut names = scope.names();
    if outside::mentions(source) {
        names = merge_maps([names, scope.outside.functions()]);
    }
    let value = environment()
        .compile_expression(&ranked)
        .and_then(|expression| expression.eval(names))
        .map_err(|error| problem(&error, &ranked))?;
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

/// The list that an expression comes to.
pub(crate) fn list(source: &str, scope: &Scope) -> Result<Vec<serde_json::Value>, Problem> {
    let value = environment()
        .compile_expression(source)
        .and_then(|expression| expression.eval(scope.names()))
        .map_err(|error| problem(&error, source))?;
    match serde_json::to_value(&value) {
        Ok(serde_json::Value::Array(items)) => Ok(items),
        _ => Err(Problem {
            message: format!("`{source}` is {} and no list", describe(&value)),
            fragment: None,
        }),
    }
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
    let root = scope.names();
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

fn problem(error: &minijinja::Error, source: &str) -> Problem {
    let source = error.template_source().unwrap_or(source);
    let fragment = error
        .range()
        .and_then(|range| Some(source.get(range)?.trim().to_owned()))
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

    fn ask(condition: &str, known: &[(&str, &str)]) -> (Result<bool, String>, Outside) {
        let known = known
            .iter()
            .map(|(question, word)| ((*question).to_owned(), Ok((*word).to_owned())))
            .collect();
        let scope = Scope {
            outside: Outside::new(known),
            ..Scope::default()
        };
        let answer = holds(condition, &scope).map_err(|problem| problem.message);
        (answer, scope.outside)
    }

    #[test]
    fn severities_have_an_order_of_their_own() {
        let condition = "conflicts(\"src/**\") < 'adjacent_line'";
        for (word, expected) in [
            ("none", true),
            ("identical", true),
            ("different_area", true),
            ("adjacent_line", false),
            ("same_line", false),
        ] {
            let (answer, _) = ask(condition, &[("src/**", word)]);
            assert_eq!(answer, Ok(expected), "{word}");
        }
        let all = "'same_line' == conflicts() and not (conflicts() != \"same_line\")";
        assert_eq!(ask(all, &[("", "same_line")]).0, Ok(true));
    }

    #[test]
    fn what_is_not_known_is_asked_for_and_what_is_known_was_seen() {
        let condition = "conflicts('a' ~ '/b') == 'none' or conflicts(\"c\") == 'none'";
        let (answer, outside) = ask(condition, &[]);
        assert!(answer.is_err());
        assert_eq!(outside.missing(), BTreeSet::from(["a/b".to_owned()]));
        let (answer, outside) = ask(condition, &[("a/b", "same_line"), ("c", "none")]);
        assert_eq!(answer, Ok(true));
        assert!(outside.missing().is_empty());
        insta::assert_debug_snapshot!(outside.seen(), @r#"
        {
            "conflicts(\"a/b\")": String("same_line"),
            "conflicts(\"c\")": String("none"),
        }
        "#);
    }

    #[test]
    fn a_slug_is_a_name_for_a_file() {
        insta::assert_snapshot!(slug("../../etc/passwd & Ünïcode"), @"etc-passwd-ünïcode");
        insta::assert_snapshot!(slug("///"), @"untitled");
    }

    /// Every form of expression, and what it names.
    #[test]
    fn names_are_found_in_every_form() {
        for source in [
            "{{ results.m.output[:3] }}",
            "{{ results.m.output[1:] }}",
            "{{ 'abc'[:results.m.attempt] }}",
            "{{ 'abc'[0:2:results.m.attempt] }}",
            "{{ results['m'].output }}",
            "{{ results['m']['output'][0] }}",
            "{{ 'a' if results.m.output else 'b' }}",
            "{{ 'a' ~ results.m.output }}",
            "{{ [results.m.output, 1] | first }}",
            "{{ {'k': results.m.output}.k }}",
            "{{ {results.m.output: 1} }}",
            "{{ -results.m.attempt }}",
            "{{ 1 < results.m.attempt < 3 }}",
            "{{ 'a' in results.m.output }}",
            "{{ results.m.output is defined }}",
            "{{ 'a' is in(results.m.output) }}",
            "{{ 'a' | default(results.m.output) }}",
            "{{ dict(k=results.m.output).k }}",
            "{{ range(*[results.m.attempt]) }}",
            "{% set x = results.m.output %}{{ x }}",
            "{% set results = results.m %}{{ results.output }}",
            "{% with x = results.m.output %}{{ x }}{% endwith %}",
            "{% for x in [1] if results.m.output %}{{ x }}{% endfor %}",
            "{% for x in [] %}{% else %}{{ results.m.output }}{% endfor %}",
            "{% if 1 %}{% elif results.m.output %}{% endif %}",
            "{% filter default(results.m.output) %}x{% endfilter %}",
            "{% set x | default(results.m.output) %}x{% endset %}",
            "{% set ns = namespace(x=results.m.output) %}{{ ns.x }}",
            "{% do dict(x=results.m.output) %}",
        ] {
            let names = names(source, Form::Text).unwrap();
            let named = names.iter().any(|name| name.starts_with("results.m."))
                || source.contains("results.m %}") && names.contains("results.m");
            assert!(named, "{source}: {names:?}");
        }
    }

    #[test]
    fn a_namespace_holds_no_namespace() {
        for source in [
            "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
            "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns.x == ns.x }}",
            "{% set ns = namespace() %}{% set ns.x = [ns] %}{{ ns.x | tojson }}",
            "{% set ns = namespace() %}{% set other = ns %}{% set ns.x = other %}",
            "{% set ns = namespace() %}{% set ns.x = {'k': ns} %}",
            "{% set make = namespace %}{% set ns = make() %}{% set ns.x = ns %}",
            "{% set ns = namespace() | default(1) %}{{ ns.x }}",
            "{% with ns = namespace() %}{% set ns.x = ns %}{% endwith %}",
            "{% for ns in [namespace()] %}{% set ns.x = ns %}{% endfor %}",
            "{% set ns = namespace(namespace()) %}",
            "{% set a = namespace() %}{% set b = namespace(x=a) %}",
            "{% set a, b = [namespace(), 1] %}{{ a.x }}",
        ] {
            let refused = names(source, Form::Text).and_then(|_| render(source, &scope()));
            let message = refused.unwrap_err().message;
            assert!(
                message.contains("a namespace may hold"),
                "{source}: {message}"
            );
        }
        let counts = "{% set ns = namespace(n=0, all=[]) %}{% for i in range(2000) %}{% set ns.n = ns.n + i %}{% set ns.all = ns.all + [i] if i < 3 else ns.all %}{% endfor %}{{ ns.n }} {{ ns.all }}";
        assert_eq!(render(counts, &scope()).unwrap(), "1999000 [0,1,2]");
    }

    #[test]
    fn what_nests_without_end_ends_in_words() {
        for (last, told) in [
            ("{{ ns.x }}", "nested too deep"),
            ("{{ ns.x == ns.y }}", ""),
            ("{{ ns.x in [ns.y] }}", ""),
            ("{{ ns.x | string | length }}", ""),
            ("{{ ns.x | tojson | length }}", ""),
            ("{{ (ns.x ~ '') | length }}", ""),
            ("{{ [ns.x, ns.y] | unique | length }}", ""),
            ("", ""),
        ] {
            for size in [1_000, 3_000, 5_000, 10_000, 1_000_000] {
                let source = format!(
                    "{{% set ns = namespace(x=[], y=[]) %}}{{% for i in range({size}) %}}{{% set ns.x = [ns.x] %}}{{% set ns.y = [ns.y] %}}{{% endfor %}}{last}"
                );
                let folded = render(&source, &scope());
                if let Err(problem) = folded {
                    assert!(!told.is_empty() || size > 1_000, "{}", problem.message);
                }
            }
        }
    }

    #[test]
    fn json_is_printed_as_json_and_keeps_its_digits() {
        let text = r#"{"b": [1, "x", null, true, 1.5], "a": {}, "n": 123456789012345678901234567890, "huge": -1234567890123456789012345678901234567890123, "u": 18446744073709551615}"#;
        let mut scope = scope();
        let data: serde_json::Value = serde_json::from_str(text).unwrap();
        scope.results.insert(
            "m".to_owned(),
            serde_json::json!({ "data": data, "output": text }),
        );
        scope.texts.insert("m".to_owned(), text.to_owned());
        let render = |source: &str| render(source, &scope).unwrap();
        assert_eq!(
            render("{{ results.m.data }}"),
            text.replace(": ", ":").replace(", ", ",")
        );
        assert_eq!(
            render("{{ results.m.data.n }} {{ results.m.data.huge }}"),
            "123456789012345678901234567890 -1234567890123456789012345678901234567890123"
        );
        assert_eq!(
            render("{{ results.m.data.b[2] }} {{ results.m.data.b[3] }} {{ results.m.data.b[1] }}"),
            "null true x"
        );
        assert_eq!(
            render("{{ results.m.output[:4] }} {{ results.m.data.n > 5 }}"),
            "{\"b\" true"
        );
        // What else is known of the step is still there, and so are the others.
        assert_eq!(render("{{ results.plan.data }}"), r#"{"kind":"bug"}"#);
    }
}
