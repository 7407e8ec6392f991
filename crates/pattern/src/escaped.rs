//! A pattern for JSON as it was written: it finds every line that holds a match in one of its texts, and some others.

use regex_automata::{HalfMatch, Input, meta};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

use crate::{Cache, Pattern, compile};

/// Finds where a [`Pattern`] may match in the texts of JSON that nobody has parsed yet.
///
/// JSON writes a quotation mark, a backslash and what is no printable character in other letters; it may do so with
/// whatever is not ASCII. That it does so with no letter that it need not escape holds for every program that writes
/// JSON for itself.
#[derive(Debug)]
pub struct Escaped {
    /// None: any text may hold a match.
    regex: Option<meta::Regex>,
}

impl Escaped {
    /// What `pattern` becomes in JSON.
    #[must_use]
    pub fn new(pattern: &Pattern) -> Self {
        let hir = written(pattern.hir());
        let possible = hir
            .properties()
            .minimum_len()
            .is_some_and(|length| length > 0);
        Self {
            // What grows too large when written so is looked for in the texts alone.
            regex: possible.then(|| compile(&hir).ok()).flatten(),
        }
    }

    /// What a thread needs to search.
    #[must_use]
    pub fn cache(&self) -> Option<Cache> {
        self.regex.as_ref().map(meta::Regex::create_cache)
    }

    /// The end of the first place in `json[from..]` where the pattern may match; the end of what is there at once when any may.
    pub fn find_end(&self, cache: &mut Option<Cache>, json: &[u8], from: usize) -> Option<usize> {
        match (&self.regex, cache) {
            (Some(regex), Some(cache)) => {
                let input = Input::new(json).span(from..json.len());
                regex
                    .search_half_with(cache, &input)
                    .map(|found: HalfMatch| found.offset())
            }
            _ => (from < json.len()).then_some(from + 1),
        }
    }
}

/// Whether a character stands in JSON as it is, always.
fn plain(c: char) -> bool {
    matches!(c, ' '..='~') && c != '"' && c != '\\'
}

/// Any character that JSON escapes: `\n`, `\u00e9`, and two of the latter for what lies beyond them.
fn escape() -> Hir {
    let hex = || {
        Hir::class(Class::Unicode(ClassUnicode::new([
            ClassUnicodeRange::new('0', '9'),
            ClassUnicodeRange::new('A', 'F'),
            ClassUnicodeRange::new('a', 'f'),
        ])))
    };
    let coded = || {
        Hir::concat(vec![
            Hir::literal(*b"\\u"),
            Hir::repetition(Repetition {
                min: 4,
                max: Some(4),
                greedy: true,
                sub: Box::new(hex()),
            }),
        ])
    };
    let short = Hir::class(Class::Unicode(ClassUnicode::new(
        ['"', '\\', '/', 'b', 'f', 'n', 'r', 't'].map(|c| ClassUnicodeRange::new(c, c)),
    )));
    Hir::alternation(vec![
        Hir::concat(vec![Hir::literal(*b"\\"), short]),
        Hir::concat(vec![coded(), coded()]),
        coded(),
    ])
}

/// What matches wherever a text that `hir` matches is written in JSON.
fn written(hir: &Hir) -> Hir {
    match hir.kind() {
        // What is around a match is known only of the text.
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => Hir::concat(text.chars().map(character).collect()),
            Err(_) => Hir::literal(literal.0.clone()),
        },
        HirKind::Class(Class::Unicode(class)) => {
            let mut kept = class.clone();
            kept.difference(&ClassUnicode::new([
                ClassUnicodeRange::new('"', '"'),
                ClassUnicodeRange::new('\\', '\\'),
                ClassUnicodeRange::new('\0', '\x1f'),
            ]));
            let all_plain = class.ranges().iter().all(|range| {
                plain(range.start()) && plain(range.end()) && {
                    // Only these two lie between plain ones.
                    !(range.start()..=range.end()).contains(&'"')
                        && !(range.start()..=range.end()).contains(&'\\')
                }
            });
            if all_plain {
                return hir.clone();
            }
            // Of the letters, `k` and `s` have relatives outside of ASCII, which nobody escapes who needn't.
            if kept
                .ranges()
                .iter()
                .any(|range| range.start().is_ascii_alphabetic())
                && kept
                    .ranges()
                    .iter()
                    .all(|range| range.start() == range.end())
                && kept.ranges() == class.ranges()
            {
                return hir.clone();
            }
            if kept.ranges().is_empty() {
                return escape();
            }
            Hir::alternation(vec![Hir::class(Class::Unicode(kept)), escape()])
        }
        HirKind::Class(Class::Bytes(_)) => Hir::alternation(vec![hir.clone(), escape()]),
        HirKind::Repetition(repetition) => {
            Hir::repetition(repetition.with(written(&repetition.sub)))
        }
        HirKind::Capture(capture) => written(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(written).collect()),
        HirKind::Alternation(arms) => Hir::alternation(arms.iter().map(written).collect()),
    }
}

fn character(c: char) -> Hir {
    let mut buffer = [0; 4];
    let as_it_is = Hir::literal(c.encode_utf8(&mut buffer).as_bytes().to_vec());
    if plain(c) {
        as_it_is
    } else if matches!(c, '"' | '\\' | '\0'..='\x1f') {
        escape()
    } else {
        Hir::alternation(vec![as_it_is, escape()])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Case, Sought};

    fn both(text: &str, regex: bool) -> (Pattern, Escaped) {
        let pattern = Pattern::new(&Sought {
            text,
            regex,
            case: Case::Smart,
            whole_word: false,
        })
        .unwrap();
        let escaped = Escaped::new(&pattern);
        (pattern, escaped)
    }

    fn finds(escaped: &Escaped, json: &str) -> bool {
        escaped
            .find_end(&mut escaped.cache(), json.as_bytes(), 0)
            .is_some()
    }

    #[test]
    fn what_json_escapes_is_found_and_most_of_the_rest_is_not_read() {
        for (text, regex, json) in [
            (r#"say "hi""#, false, r#"{"a":"say \"hi\" twice"}"#),
            (r"C:\new", false, r#"{"a":"in C:\\new"}"#),
            ("naïve", false, r#"{"a":"na\u00EFve"}"#),
            ("naïve", false, r#"{"a":"naïve"}"#),
            ("a😀", false, r#"{"a":"a\ud83d\ude00"}"#),
            (r"a\s+b", true, r#"{"a":"a\t\tb"}"#),
            (r"^first$", true, r#"{"a":"none\nfirst\nnone"}"#),
            (r"x.y", true, r#"{"a":"x\"y"}"#),
            ("task", false, r#"{"a":"TASK"}"#),
        ] {
            let (_, escaped) = both(text, regex);
            assert!(finds(&escaped, json), "{text} in {json}");
        }
        assert!(!finds(&both("marigold", false).1, r#"{"a":"tulip"}"#));
        assert!(!finds(&both(r"a\s+b", true).1, r#"{"a":"a-b"}"#));
    }

    proptest! {
        #[test]
        fn no_match_is_passed_over(
            text in r#"[abk"\\é😀\t/ .]{1,12}"#,
            before in r#"[abk"\\é😀\t\n/]{0,6}"#,
            ascii in any::<bool>(),
        ) {
            let (_, escaped) = both(&text, false);
            let mut json = format!("{before}{text}{before}")
                .chars()
                .map(|c| match c {
                    '"' => "\\\"".to_owned(),
                    '\\' => "\\\\".to_owned(),
                    '\n' => "\\n".to_owned(),
                    '\t' => "\\t".to_owned(),
                    c if ascii && !c.is_ascii() => c
                        .encode_utf16(&mut [0; 2])
                        .iter()
                        .map(|unit| format!("\\u{unit:04x}"))
                        .collect(),
                    c => c.to_string(),
                })
                .collect::<String>();
            json.insert(0, '"');
            prop_assert!(finds(&escaped, &json), "{text:?} in {json}");
        }
    }
}
