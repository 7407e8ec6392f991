//! Who talks to which agent: one row per (chat or run, agent), kept by the app's store.

use std::collections::BTreeMap;
use std::pin::Pin;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::types::{AgentId, BackendId};

/// Whether a session is still used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// It is found again and used by the next prompt.
    Open,
    /// It was archived; the next prompt makes a new one.
    Closed,
}

/// One row: who talks, to which agent, where that conversation lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SessionRow {
    /// The chat or the flow run that the session belongs to.
    pub owner: String,
    /// The agent's name within it: a step's id, `main`.
    pub agent: String,
    /// The backend that drives it.
    pub backend: BackendId,
    /// Its id there.
    pub session: AgentId,
    /// The directory that it works in.
    pub worktree: String,
    /// What people call it.
    pub title: Option<String>,
    /// Whether it is still used.
    pub status: SessionStatus,
    /// When it was last used, in milliseconds since 1970.
    #[specta(type = u32)]
    pub last_activity: u64,
}

/// What the keeper of the rows says, or why it can't.
pub type Kept<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// Where the rows are kept. `app` answers with the store.
pub trait Sessions: Send + Sync {
    /// The row of (`owner`, `agent`), if there is one.
    fn find<'a>(&'a self, owner: &'a str, agent: &'a str) -> Kept<'a, Option<SessionRow>>;
    /// Writes a row in place of the one with the same owner and agent.
    fn put(&self, row: SessionRow) -> Kept<'_, ()>;
    /// All rows, most recently used first.
    fn all(&self) -> Kept<'_, Vec<SessionRow>>;
}

/// Rows that are forgotten with the process, for tests and for a first start without a disk.
#[derive(Debug, Default)]
pub struct MemorySessions {
    rows: Mutex<BTreeMap<(String, String), SessionRow>>,
}

impl Sessions for MemorySessions {
    fn find<'a>(&'a self, owner: &'a str, agent: &'a str) -> Kept<'a, Option<SessionRow>> {
        let rows = self.rows.lock();
        let row = rows.get(&(owner.to_owned(), agent.to_owned())).cloned();
        Box::pin(async { Ok(row) })
    }

    fn put(&self, row: SessionRow) -> Kept<'_, ()> {
        let mut rows = self.rows.lock();
        rows.insert((row.owner.clone(), row.agent.clone()), row);
        Box::pin(async { Ok(()) })
    }

    fn all(&self) -> Kept<'_, Vec<SessionRow>> {
        let rows = self.rows.lock();
        let mut rows: Vec<_> = rows.values().cloned().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.last_activity));
        Box::pin(async { Ok(rows) })
    }
}
