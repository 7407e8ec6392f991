//! A request that has been checked, and where it goes on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::contract::{Order, Scope, SearchError, SearchRequest};
use super::pattern::Pattern;

/// What a cursor says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) order: Order,
    /// The pane, tier, and key of the last match that was returned; none: all of the first tier is done.
    pub(super) pane: u32,
    pub(super) tier: u8,
    /// Anchor, whether it was printed, number.
    pub(super) key: (u64, bool, u64),
    /// For each pane that was searched: where its memory began, where its lines ended, and its sampled ones.
    pub(super) bounds: BTreeMap<u32, (u64, u64, u64)>,
}

/// A request whose fields are in range and whose pattern is compiled.
pub struct Query {
    pub(super) request: SearchRequest,
    pub(super) pattern: Pattern,
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
        let pattern = Pattern::new(request)?;
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
            position,
        })
    }

    /// Whether what was printed last comes first.
    pub(super) fn newest_first(&self) -> bool {
        self.request.order == Order::NewestFirst
    }
}
