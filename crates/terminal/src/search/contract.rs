//! What a search is asked, what it answers, and how it refuses: the same for the window, the command line and tests.

use pattern::{Case, PatternError};
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::types::{Line, LineId, PaneId, Source};

/// What to search for, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SearchRequest {
    /// What to look for: 1 to 200 characters.
    pub pattern: String,
    /// How many matches to return, 1 to 500.
    #[serde(default = "default_limit")]
    pub limit: u32,
    /// How many lines around each match to return, 0 to 50.
    #[serde(default)]
    pub context: u32,
    /// The pattern is a regular expression, as Rust's `regex` has them; else it is looked for as it is.
    #[serde(default)]
    pub regex: bool,
    /// Whether `a` finds `A`.
    #[serde(default)]
    pub case: Case,
    /// The match must neither begin nor end within a word.
    #[serde(default)]
    pub whole_word: bool,
    /// Which panes.
    pub scope: Scope,
    /// Which matches come first.
    #[serde(default)]
    pub order: Order,
    /// Goes on where an earlier answer to the same request ended.
    #[serde(default)]
    pub cursor: Option<SearchCursor>,
    /// Searches what is in memory only: the ring and the screen.
    #[serde(default)]
    pub ring_only: bool,
    /// Only these lines, of one pane: the output of one command.
    #[serde(default)]
    pub lines: Option<LineRange>,
    /// Only what came then or later, in milliseconds since 1970. It is known to a few seconds; of private panes it is not, and they
    /// are searched whole.
    #[serde(default)]
    #[specta(type = Option<u32>)]
    pub since: Option<u64>,
    /// Only what came earlier, in milliseconds since 1970.
    #[serde(default)]
    #[specta(type = Option<u32>)]
    pub before: Option<u64>,
    /// Only panes that work in this directory or below it, or did when they were closed; absolute.
    #[serde(default)]
    pub directory: Option<String>,
}

fn default_limit() -> u32 {
    50
}

impl SearchRequest {
    /// Looks for `pattern`, as it is, in the panes of `scope`; the newest 50 matches.
    pub fn new(pattern: impl Into<String>, scope: Scope) -> Self {
        Self {
            pattern: pattern.into(),
            limit: default_limit(),
            context: 0,
            regex: false,
            case: Case::default(),
            whole_word: false,
            scope,
            order: Order::default(),
            cursor: None,
            ring_only: false,
            lines: None,
            since: None,
            before: None,
            directory: None,
        }
    }
}

/// Which panes to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "panes", rename_all = "snake_case")]
pub enum Scope {
    /// One pane, live or closed; of a live one also the closed ones whose lines stand above its own, unless only some lines
    /// are searched.
    Pane {
        /// Which.
        id: PaneId,
    },
    /// All panes that are open.
    Live,
    /// All panes, the closed ones too.
    All,
    /// The panes that were closed.
    Closed,
}

/// Which matches come first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// What was printed last.
    #[default]
    NewestFirst,
    /// What was printed first.
    OldestFirst,
}

/// Lines of one pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct LineRange {
    /// The first line.
    pub from: LineId,
    /// The line after the last.
    pub to: LineId,
}

/// Where a search goes on. Its text means nothing to anybody but the search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct SearchCursor(pub String);

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SearchAnswer {
    /// The matches, in the order that was asked for.
    pub matches: Vec<Match>,
    /// All matches in what was searched, not only those returned.
    #[specta(type = u32)]
    pub total: u64,
    /// How many panes have a match.
    pub panes: u32,
    /// There are or may be more matches than are returned.
    pub truncated: bool,
    /// Why there are, and what was not searched.
    pub reason: Option<String>,
    /// Goes on behind the last match; none: there are no more.
    pub cursor: Option<SearchCursor>,
}

/// A line in which the pattern occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Match {
    /// In which pane.
    pub pane: PaneId,
    /// Which line.
    pub line: LineId,
    /// The line's number in its pane, from 1; for a line of a full-screen program, the number of the line that
    /// was printed next.
    #[specta(type = u32)]
    pub line_number: u64,
    /// The line's text; a very long one is cut around the first occurrence, and `…` stands for the rest.
    pub content: String,
    /// Where in it the pattern occurs.
    pub ranges: Vec<Range>,
    /// The lines before, oldest first; none is returned twice, also not as another's match or context.
    pub context_before: Vec<Line>,
    /// The lines after, oldest first.
    pub context_after: Vec<Line>,
    /// Where the line was found.
    pub source: Source,
    /// It was shown by a full-screen program.
    pub full_screen: bool,
}

/// Where in a line the pattern occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Range {
    /// Where it begins in the content, in UTF-16 code units.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// In which cell of the line it begins, from 0; a wide character has two.
    pub start_col: u32,
    /// The cell behind its last.
    pub end_col: u32,
}

/// What a search tells while it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "progress", rename_all = "snake_case")]
pub enum SearchProgress {
    /// The next matches of the answer, in order.
    Found {
        /// They are not told again before the answer, which has all of them.
        matches: Vec<Match>,
    },
    /// How many matches are known of by now.
    Count {
        /// In what was searched so far.
        #[specta(type = u32)]
        total: u64,
        /// How many panes have one.
        panes: u32,
    },
}

/// Why nothing was searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum SearchError {
    /// A field of the request is out of its range.
    #[error("bad `{field}`: {message}")]
    BadParams {
        /// Which field.
        field: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// There is no such pane, and no history of it.
    #[error("there is no pane `{pane}`, and no history of it")]
    BadId {
        /// The id that was given.
        pane: PaneId,
    },
    /// The pattern can't be searched for.
    #[error("bad pattern: {message}")]
    BadQuery {
        /// What is wrong.
        message: String,
        /// Where in the pattern, in UTF-16 code units from 0.
        position: Option<u32>,
    },
}

impl From<PatternError> for SearchError {
    fn from(error: PatternError) -> Self {
        match error {
            PatternError::Length(_) => Self::BadParams {
                field: "pattern".to_owned(),
                message: error.to_string(),
            },
            PatternError::Bad { message, position } => Self::BadQuery {
                message,
                position: Some(position),
            },
        }
    }
}
