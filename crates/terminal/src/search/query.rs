//! A request that has been checked, and where it goes on.

use std::collections::BTreeMap;
use std::path::Path;

use pattern::{Pattern, Sought};
use serde::{Deserialize, Serialize};

use super::contract::{Order, Scope, SearchError, SearchRequest};
use crate::history::Filter;
use crate::imprint::Needs;
use crate::lines::PaneText;

/// What a cursor says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) order: Order,
    /// The pane, tier, and key of the last match that was returned; none: all of the first tier is done.
    pub(super) pane: u64,
    pub(super) tier: u8,
    /// Anchor, whether it was printed, number.
    pub(super) key: (u64, bool, u64),
    /// For each pane that was searched: where its memory began, where its lines ended, and its sampled ones.
    pub(super) bounds: BTreeMap<u64, (u64, u64, u64)>,
}

/// A request whose fields are in range and whose pattern is compiled.
pub struct Query {
    pub(super) request: SearchRequest,
    pub(super) pattern: Pattern,
    /// What a text must hold to be worth a look.
    pub(super) needs: Needs,
    pub(super) position: Option<Position>,
}

impl Query {
    /// Checks a request and compiles its pattern.
    ///
    /// # Errors
    ///
    /// [`SearchError::BadParams`] names the field, [`SearchError::BadQuery`] the position in the pattern.
    pub fn new(request: &SearchRequest) -> Result<Self, SearchError> {
        let bad = |field: &str, message: String| {
            Err(SearchError::BadParams {
                field: field.to_owned(),
                message,
            })
        };
        let pattern = Pattern::new(&Sought {
            text: &request.pattern,
            regex: request.regex,
            case: request.case,
            whole_word: request.whole_word,
        })?;
        let needs = Needs::of(pattern.hir());
        if !(1..=500).contains(&request.limit) {
            let limit = request.limit;
            return bad("limit", format!("{limit}; it must be from 1 to 500"));
        }
        if request.context > 50 {
            let context = request.context;
            return bad("context", format!("{context}; it must be from 0 to 50"));
        }
        if let Some(lines) = request.lines {
            if !matches!(request.scope, Scope::Pane { .. }) {
                return bad("lines", "they are of one pane: name it as scope".to_owned());
            }
            if lines.from > lines.to {
                return bad(
                    "lines",
                    format!("from {} to {}; they must ascend", lines.from, lines.to),
                );
            }
        }
        if let (Some(since), Some(before)) = (request.since, request.before)
            && since >= before
        {
            return bad(
                "since",
                "nothing came since then and before `before`: it must be the earlier of the two"
                    .to_owned(),
            );
        }
        if let Some(directory) = &request.directory
            && !Path::new(directory).is_absolute()
        {
            return bad("directory", format!("`{directory}`; it must be absolute"));
        }
        if request.directory.is_some() && matches!(request.scope, Scope::Pane { .. }) {
            return bad("directory", "it chooses panes, and one is named".to_owned());
        }
        let position = match &request.cursor {
            None => None,
            Some(cursor) => match serde_json::from_str::<Position>(&cursor.0) {
                Ok(position) if position.order == request.order => Some(position),
                Ok(_) => {
                    return bad("cursor", "it is of a search in the other order".to_owned());
                }
                Err(_) => return bad("cursor", "it is not one that a search gave".to_owned()),
            },
        };
        Ok(Self {
            request: request.clone(),
            pattern,
            needs,
            position,
        })
    }

    /// Whether a pane that works in `cwd` is one of those that are searched.
    pub(crate) fn wants(&self, cwd: &str) -> bool {
        let Some(directory) = &self.request.directory else {
            return true;
        };
        let cwd = Path::new(cwd);
        // A shell says the names that a person went by.
        let real = || cwd.canonicalize().ok();
        cwd.starts_with(directory) || real().is_some_and(|real| real.starts_with(directory))
    }

    /// Which lines of a pane may be searched, for when they came.
    pub(super) fn came(&self, pane: &PaneText) -> Filter {
        let (since, before) = (self.request.since, self.request.before);
        match &pane.history {
            Some(history) if since.is_some() || before.is_some() => history.came(since, before),
            _ => Filter {
                printed: 0..u64::MAX,
                full_screen: 0..u64::MAX,
            },
        }
    }

    /// Whether what was printed last comes first.
    pub(super) fn newest_first(&self) -> bool {
        self.request.order == Order::NewestFirst
    }
}
