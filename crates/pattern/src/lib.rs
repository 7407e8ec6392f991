//! What is looked for: the words of a request, checked, and compiled once.
//!
//! Many lines are searched at once, as one text. So what is compiled is not quite what was typed: `^` and `$`
//! are the line's, whatever flags the pattern sets, and nothing in it can match a line break. A pattern that
//! could match nothing but a line break, or nothing but the empty string, is refused.
//!
//! What is searched may also lie in JSON as it was written: [`Escaped`] tells which of its lines are worth reading. How a line is
//! returned in which it was found, [`Excerpt`] says.

use regex_automata::meta;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::{HalfMatch, Input, Match};
use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::{self, Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

use serde::{Deserialize, Serialize};
use specta::Type;

mod escaped;
mod excerpt;

pub use escaped::Escaped;
pub use excerpt::{Excerpt, MAX_LINE};
pub use regex_automata::meta::Cache;

/// A pattern that takes more memory than this when compiled is refused.
const MAX_COMPILED: usize = 10 * 1024 * 1024;
/// What the matcher may use beside, for each thread that searches.
const CACHE: usize = 8 * 1024 * 1024;
/// Groups within groups.
const MAX_NESTED: u32 = 100;
/// Characters in a pattern.
pub const MAX_PATTERN: usize = 200;

/// Whether upper and lower case are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Case {
    /// They are, unless the pattern has an uppercase letter.
    #[default]
    Smart,
    /// They are.
    Ignore,
    /// They are not.
    Match,
}

/// What is looked for, as it was asked.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// 1 to 200 characters.
    pub text: &'a str,
    /// They are a regular expression, as Rust's `regex` has them; else they are looked for as they are.
    pub regex: bool,
    /// Whether `a` finds `A`.
    pub case: Case,
    /// A match must neither begin nor end within a word.
    pub whole_word: bool,
}

/// Why something can't be looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is empty, or too long.
    #[error("it has {0} characters; it must have from 1 to {MAX_PATTERN}")]
    Length(usize),
    /// It is no pattern, or none that could be searched for.
    #[error("bad pattern: {message}")]
    Bad {
        /// What is wrong.
        message: String,
        /// Where in the pattern, in UTF-16 code units from 0.
        position: u32,
    },
}

/// A compiled pattern. It matches within one line, in linear time.
#[derive(Debug)]
pub struct Pattern {
    regex: meta::Regex,
    hir: Hir,
    /// It may match the empty string, too; such a match is none.
    maybe_empty: bool,
}

impl Pattern {
    /// Compiles what is sought.
    ///
    /// # Errors
    ///
    /// [`PatternError`] says what would be right, or where the mistake is.
    pub fn new(sought: &Sought<'_>) -> Result<Self, PatternError> {
        let typed = sought.text;
        let length = typed.chars().count();
        if length == 0 || length > MAX_PATTERN {
            return Err(PatternError::Length(length));
        }
        let bad = |message: String, at: usize| PatternError::Bad {
            message,
            position: utf16_position(typed, at),
        };
        if let Some(at) = typed.find(['\n', '\r']) {
            return Err(bad(
                "a line holds no line break: search for one line at a time".to_owned(),
                at,
            ));
        }
        let escaped;
        let source = if sought.regex {
            typed
        } else {
            escaped = regex_syntax::escape(typed);
            &escaped
        };
        let ast = ast::parse::ParserBuilder::new()
            .nest_limit(MAX_NESTED)
            .build()
            .parse(source)
            .map_err(|error| bad(explain(error.kind()), error.span().start.offset))?;
        let ignore_case = match sought.case {
            Case::Ignore => true,
            Case::Match => false,
            Case::Smart => !has_uppercase(&ast),
        };
        let hir = hir::translate::TranslatorBuilder::new()
            .multi_line(true)
            .case_insensitive(ignore_case)
            .build()
            .translate(source, &ast)
            .map_err(|error| bad(error.kind().to_string(), error.span().start.offset))?;
        let hir = within_line(&hir).ok_or_else(|| {
            bad(
                "it can match nothing that a line holds: a line holds no line break".to_owned(),
                0,
            )
        })?;
        if hir.properties().maximum_len() == Some(0) {
            return Err(bad(
                "it matches only the empty string, which is everywhere".to_owned(),
                0,
            ));
        }
        let maybe_empty = hir.properties().minimum_len() == Some(0);
        let hir = if sought.whole_word {
            Hir::concat(vec![
                Hir::look(Look::WordStartHalfUnicode),
                hir,
                Hir::look(Look::WordEndHalfUnicode),
            ])
        } else {
            hir
        };
        let regex = compile(&hir).map_err(|error| {
                let message = match error.size_limit() {
                    Some(limit) => format!(
                        "it becomes larger than {} MB when compiled: fewer or smaller repetitions would do",
                        limit / (1024 * 1024)
                    ),
                    None => error.to_string(),
                };
                bad(message, 0)
            })?;
        Ok(Self {
            regex,
            hir,
            maybe_empty,
        })
    }

    /// What was compiled: for whoever wants to know what a text must hold to be worth a look.
    #[must_use]
    pub fn hir(&self) -> &Hir {
        &self.hir
    }

    /// What a thread needs to search.
    pub fn cache(&self) -> Cache {
        self.regex.create_cache()
    }

    /// Whether [`Pattern::find_end`] can be used.
    pub fn never_empty(&self) -> bool {
        !self.maybe_empty
    }

    /// The first match that is not empty in `text[from..to]`, seeing what is around it.
    pub fn find(&self, cache: &mut Cache, text: &[u8], from: usize, to: usize) -> Option<Match> {
        let mut input = Input::new(text).span(from..to);
        loop {
            let found = self.regex.search_with(cache, &input)?;
            if !found.is_empty() {
                return Some(found);
            }
            // The next character begins after the bytes that go on this one.
            let mut next = found.end() + 1;
            while next < to && text[next] & 0xC0 == 0x80 {
                next += 1;
            }
            if next >= to {
                return None;
            }
            input.set_start(next);
        }
    }

    /// The end of the first match in `text[from..to]`; cheaper than [`Pattern::find`].
    pub fn find_end(
        &self,
        cache: &mut Cache,
        text: &[u8],
        from: usize,
        to: usize,
    ) -> Option<usize> {
        let input = Input::new(text).span(from..to);
        self.regex
            .search_half_with(cache, &input)
            .map(|found: HalfMatch| found.offset())
    }
}

fn compile(hir: &Hir) -> Result<meta::Regex, Box<meta::BuildError>> {
    let config = meta::Config::new()
        .nfa_size_limit(Some(MAX_COMPILED))
        .hybrid_cache_capacity(CACHE)
        .which_captures(WhichCaptures::Implicit);
    meta::Regex::builder()
        .configure(config)
        .build_from_hir(hir)
        .map_err(Box::new)
}

/// The position of a byte, as the page counts: in UTF-16 code units.
fn utf16_position(text: &str, at: usize) -> u32 {
    text.char_indices()
        .take_while(|(index, _)| *index < at)
        .map(|(_, c)| c.len_utf16() as u32)
        .sum()
}

fn explain(kind: &ast::ErrorKind) -> String {
    match kind {
        ast::ErrorKind::UnsupportedLookAround => {
            "look-around is not supported: every search takes linear time, and look-around does not".to_owned()
        }
        ast::ErrorKind::UnsupportedBackreference => {
            "back-references are not supported: every search takes linear time, and back-references do not"
                .to_owned()
        }
        kind => kind.to_string(),
    }
}

/// Whether an uppercase letter was typed: then case matters, in a search whose case is smart.
fn has_uppercase(ast: &Ast) -> bool {
    struct Uppercase(bool);
    impl ast::Visitor for Uppercase {
        type Output = bool;
        type Err = std::convert::Infallible;

        fn finish(self) -> Result<bool, Self::Err> {
            Ok(self.0)
        }

        fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
            if let Ast::Literal(literal) = ast {
                self.0 |= literal.c.is_uppercase();
            }
            Ok(())
        }

        fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Self::Err> {
            match item {
                ast::ClassSetItem::Literal(literal) => self.0 |= literal.c.is_uppercase(),
                ast::ClassSetItem::Range(range) => {
                    self.0 |= range.start.c.is_uppercase() || range.end.c.is_uppercase();
                }
                _ => {}
            }
            Ok(())
        }
    }
    match ast::visit(ast, Uppercase(false)) {
        Ok(found) => found,
        Err(never) => match never {},
    }
}

/// The pattern without what could match a line break, and with the text's ends being the line's; nothing when
/// there is nothing left that could match.
fn within_line(hir: &Hir) -> Option<Hir> {
    Some(match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => {
            if literal.0.contains(&b'\n') {
                return None;
            }
            Hir::literal(literal.0.clone())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let mut class = class.clone();
            class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')]));
            if class.ranges().is_empty() {
                return None;
            }
            Hir::class(Class::Unicode(class))
        }
        HirKind::Class(Class::Bytes(class)) => {
            let mut class = class.clone();
            class.difference(&hir::ClassBytes::new([hir::ClassBytesRange::new(
                b'\n', b'\n',
            )]));
            if class.ranges().is_empty() {
                return None;
            }
            Hir::class(Class::Bytes(class))
        }
        HirKind::Look(look) => Hir::look(match look {
            Look::Start | Look::StartCRLF => Look::StartLF,
            Look::End | Look::EndCRLF => Look::EndLF,
            look => *look,
        }),
        HirKind::Repetition(repetition) => match within_line(&repetition.sub) {
            Some(sub) => Hir::repetition(repetition.with(sub)),
            None if repetition.min == 0 => Hir::empty(),
            None => return None,
        },
        // Nobody asks what a group matched.
        HirKind::Capture(capture) => within_line(&capture.sub)?,
        HirKind::Concat(parts) => {
            Hir::concat(parts.iter().map(within_line).collect::<Option<Vec<_>>>()?)
        }
        HirKind::Alternation(arms) => {
            let arms: Vec<_> = arms.iter().filter_map(within_line).collect();
            if arms.is_empty() {
                return None;
            }
            Hir::alternation(arms)
        }
    })
}
