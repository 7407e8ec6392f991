//! What conditions ask about the world: `conflicts("src/**") < "same_line"`.
//!
//! A condition is evaluated with the answers that are known. What it asked for and was not told is noted
//! in [`Outside`]; whoever evaluates it looks that up and evaluates it again, so arguments may be computed.
//!
//! Severities have an order of their own, which the text of their names has not. So next to `conflicts(…)`
//! a name in quotes is read as a severity, and anything else there is refused when the flow is loaded.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{DynObject, Object, ObjectRepr, Rest};
use minijinja::{Error, ErrorKind, Value};

use super::problem::Problem;

/// The function of conditions.
pub(crate) const CONFLICTS: &str = "conflicts";
/// What a comparison with a severity is, inside: never written by a person.
const SEVERITY: &str = "severity";
/// The severities, the harmless ones first.
const SEVERITIES: [&str; 6] = [
    "none",
    "identical",
    "different_area",
    "adjacent_line",
    "breaks",
    "same_line",
];

/// Answers by question; a question is the pattern of files, empty for all.
pub(crate) type Answers = BTreeMap<String, Result<String, String>>;

/// What is known of the world, and what was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outside {
    known: Arc<Answers>,
    asked: Arc<Mutex<BTreeSet<String>>>,
    /// There is no world: nothing conflicts with anything.
    empty: bool,
}

impl Outside {
    /// With these answers.
    pub(crate) fn new(known: Answers) -> Self {
        Self {
            known: Arc::new(known),
            ..Self::default()
        }
    }

    /// Without a world.
    pub(crate) fn nothing() -> Self {
        Self {
            empty: true,
            ..Self::default()
        }
    }

    fn asked(&self) -> BTreeSet<String> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What was asked and is not known.
    pub(crate) fn missing(&self) -> BTreeSet<String> {
        if self.empty {
            return BTreeSet::new();
        }
        let mut asked = self.asked();
        asked.retain(|question| !self.known.contains_key(question));
        asked
    }

    /// What was asked and answered, for the record of a decision.
    pub(crate) fn seen(&self) -> BTreeMap<String, serde_json::Value> {
        self.asked()
            .into_iter()
            .filter_map(|question| {
                let answer = self.known.get(&question)?.as_ref().ok()?.as_str().into();
                let call = if question.is_empty() {
                    format!("{CONFLICTS}()")
                } else {
                    format!("{CONFLICTS}({question:?})")
                };
                Some((call, answer))
            })
            .collect()
    }

    /// The functions that conditions can call.
    pub(super) fn functions(&self) -> Value {
        let outside = self.clone();
        let conflicts = Value::from_function(move |glob: Option<String>, rest: Rest<Value>| {
            if !rest.is_empty() {
                let said = "`conflicts` takes one pattern of files";
                return Err(Error::new(ErrorKind::TooManyArguments, said));
            }
            outside.conflicts(&glob.unwrap_or_default())
        });
        let severity = Value::from_function(|name: String| severity(&name));
        Value::from(BTreeMap::from([
            (CONFLICTS, conflicts),
            (SEVERITY, severity),
        ]))
    }

    fn conflicts(&self, question: &str) -> Result<Value, Error> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(question.to_owned());
        match self.known.get(question) {
            Some(Ok(word)) => severity(word),
            Some(Err(message)) => Err(Error::new(ErrorKind::InvalidOperation, message.clone())),
            None if self.empty => severity(SEVERITIES[0]),
            None => Err(Error::new(
                ErrorKind::InvalidOperation,
                "it is not known yet",
            )),
        }
    }
}

fn severity(word: &str) -> Result<Value, Error> {
    SEVERITIES
        .iter()
        .position(|known| *known == word)
        .map(|rank| Value::from_object(Severity(rank)))
        .ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOperation,
                format!("`{word}` is no severity"),
            )
        })
}

/// A severity, by its place among the others.
#[derive(Debug)]
struct Severity(usize);

impl Object for Severity {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.0.cmp(&other.downcast_ref::<Self>()?.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SEVERITIES[self.0])
    }
}

/// Whether a condition may ask about the world.
pub(crate) fn mentions(condition: &str) -> bool {
    condition.contains(CONFLICTS)
        && tokens(condition)
            .iter()
            .any(|token| token.what == What::Name && token.text == CONFLICTS)
}

/// The condition with what stands next to `conflicts(…)` read as a severity.
pub(crate) fn ranked(condition: &str) -> Result<Cow<'_, str>, Problem> {
    if !mentions(condition) {
        return Ok(Cow::Borrowed(condition));
    }
    let tokens = tokens(condition);
    let mut names: Vec<Range<usize>> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.what != What::Name || token.text != CONFLICTS {
            continue;
        }
        let wrong = |token: Option<&Token<'_>>| Problem {
            message: format!(
                "compare `conflicts(…)` with one of {}",
                SEVERITIES.map(|word| format!("\"{word}\"")).join(", ")
            ),
            fragment: Some(token.map_or(CONFLICTS, |token| token.text).to_owned()),
        };
        let end = call_end(&tokens, at).ok_or_else(|| wrong(None))?;
        let name = if tokens
            .get(end)
            .is_some_and(|token| token.what == What::Comparison)
        {
            tokens.get(end + 1)
        } else if at >= 2 && tokens[at - 1].what == What::Comparison {
            tokens.get(at - 2)
        } else {
            return Err(wrong(None));
        };
        let name = name
            .filter(|name| name.what == What::Text && SEVERITIES.contains(&name.inside()))
            .ok_or_else(|| wrong(name))?;
        names.push(name.range.clone());
    }
    names.sort_by_key(|range| std::cmp::Reverse(range.start));
    names.dedup();
    let mut ranked = condition.to_owned();
    for range in names {
        ranked.insert(range.end, ')');
        ranked.insert_str(range.start, "severity(");
    }
    Ok(Cow::Owned(ranked))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Name,
    Text,
    Comparison,
    Other,
}

#[derive(Debug)]
struct Token<'s> {
    what: What,
    text: &'s str,
    range: Range<usize>,
}

impl Token<'_> {
    /// A text without its quotes.
    fn inside(&self) -> &str {
        self.text
            .get(1..self.text.len().saturating_sub(1))
            .unwrap_or_default()
    }
}

/// Where the call that begins with the name at `at` has ended.
fn call_end(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let mut depth = 0;
    for (position, token) in tokens.iter().enumerate().skip(at + 1) {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (position > at + 1).then_some(position + 1);
        }
    }
    None
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = source.char_indices().peekable();
    while let Some((start, c)) = rest.next() {
        let mut end = start + c.len_utf8();
        let what = match c {
            _ if c.is_whitespace() => continue,
            '"' | '\'' => {
                let mut escaped = false;
                for (at, next) in rest.by_ref() {
                    end = at + next.len_utf8();
                    match next {
                        _ if escaped => escaped = false,
                        '\\' => escaped = true,
                        _ if next == c => break,
                        _ => {}
                    }
                }
                What::Text
            }
            _ if c.is_alphanumeric() || c == '_' => {
                while let Some((at, next)) =
                    rest.next_if(|(_, next)| next.is_alphanumeric() || *next == '_')
                {
                    end = at + next.len_utf8();
                }
                What::Name
            }
            '<' | '>' | '=' | '!' => match rest.next_if(|(_, next)| *next == '=') {
                Some((at, _)) => {
                    end = at + 1;
                    What::Comparison
                }
                None if c == '<' || c == '>' => What::Comparison,
                None => What::Other,
            },
            _ => What::Other,
        };
        tokens.push(Token {
            what,
            text: &source[start..end],
            range: start..end,
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_with_anything_else_is_refused() {
        for wrong in [
            "conflicts()",
            "conflicts('x') == 'bad'",
            "conflicts('x') < inputs.level",
            "conflicts",
            "3 > conflicts()",
            "not conflicts('x'",
        ] {
            let problem = ranked(wrong).unwrap_err();
            assert!(problem.message.starts_with("compare"), "{wrong}");
        }
        assert_eq!(
            ranked("inputs.conflicts_seen == 'none'").unwrap(),
            "inputs.conflicts_seen == 'none'"
        );
        assert_eq!(
            ranked("'conflicts' == inputs.a").unwrap(),
            "'conflicts' == inputs.a"
        );
    }
}
