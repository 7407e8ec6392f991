//! What is looked for: the words of a request, checked, and compiled once.
//!
//! Many lines are searched at once, as one text. So what is compiled is not quite what was typed: `^` and `$`
//! are the line's, whatever flags the pattern sets, and nothing in it can match a line break. A pattern that
//! could match nothing but a line break, or nothing but the empty string, is refused.

use regex_automata::meta::{self, Cache};
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::{HalfMatch, Input, Match};
use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::{self, Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

use super::contract::{Case, SearchError, SearchRequest};
use crate::imprint::Needs;

/// A pattern that takes more memory than this when compiled is refused.
const MAX_COMPILED: usize = 10 * 1024 * 1024;
/// What the matcher may use beside, for each thread that searches.
const CACHE: usize = 8 * 1024 * 1024;
/// Groups within groups.
const MAX_NESTED: u32 = 100;
/// Characters in a pattern.
pub(super) const MAX_PATTERN: usize = 200;

/// A compiled pattern. It matches within one line, in linear time.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: meta::Regex,
    /// It may match the empty string, too; such a match is none.
    maybe_empty: bool,
    needs: Needs,
}

impl Pattern {
    /// Compiles what `request` looks for.
    pub(crate) fn new(request: &SearchRequest) -> Result<Self, SearchError> {
        let typed = request.pattern.as_str();
        let length = typed.chars().count();
        if length == 0 || length > MAX_PATTERN {
            return Err(SearchError::BadParams {
                field: "pattern".to_owned(),
                message: format!(
                    "it has {length} characters; it must have from 1 to {MAX_PATTERN}"
                ),
            });
        }
        let bad = |message: String, at: usize| SearchError::BadQuery {
            message,
            position: Some(utf16_position(typed, at)),
        };
        if let Some(at) = typed.find(['\n', '\r']) {
            return Err(bad(
                "a line holds no line break: search for one line at a time".to_owned(),
                at,
            ));
        }
        let escaped;
        let source = if request.regex {
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
        let ignore_case = match request.case {
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
        let hir = if request.whole_word {
            Hir::concat(vec![
                Hir::look(Look::WordStartHalfUnicode),
                hir,
                Hir::look(Look::WordEndHalfUnicode),
            ])
        } else {
            hir
        };
        let config = meta::Config::new()
            .nfa_size_limit(Some(MAX_COMPILED))
            .hybrid_cache_capacity(CACHE)
            .which_captures(WhichCaptures::Implicit);
        let regex = meta::Regex::builder()
            .configure(config)
            .build_from_hir(&hir)
            .map_err(|error| {
                let message = match error.size_limit() {
                    Some(limit) => format!(
                        "it becomes larger than {} MB when compiled: fewer or smaller repetitions would do",
                        limit / (1024 * 1024)
                    ),
                    None => error.to_string(),
                };
                bad(message, 0)
            })?;
        let needs = Needs::of(&hir);
        Ok(Self {
            regex,
            maybe_empty,
            needs,
        })
    }

    /// What a text must hold to be worth a look.
    pub(crate) fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What a thread needs to search.
    pub(crate) fn cache(&self) -> Cache {
        self.regex.create_cache()
    }

    /// Whether [`Pattern::find_end`] can be used.
    pub(crate) fn never_empty(&self) -> bool {
        !self.maybe_empty
    }

    /// The first match that is not empty in `text[from..to]`, seeing what is around it.
    pub(crate) fn find(
        &self,
        cache: &mut Cache,
        text: &[u8],
        from: usize,
        to: usize,
    ) -> Option<Match> {
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
    pub(crate) fn find_end(
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
