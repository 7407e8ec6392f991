//! The sessions of agents, in the database.

use agents::{AgentId, BackendId, Kept, SessionRow, SessionStatus, Sessions};
use store::sql::{OptionalExtension as _, Row, params};
use store::{Schema, Store};

/// Where sessions are kept: one row per (chat or run, agent).
pub(crate) const SCHEMA: Schema = Schema {
    room: "agents",
    migrations: &[
        "CREATE TABLE agent_sessions (
        owner TEXT NOT NULL,
        agent TEXT NOT NULL,
        backend TEXT NOT NULL,
        session TEXT NOT NULL,
        worktree TEXT NOT NULL,
        open INTEGER NOT NULL,
        last_activity INTEGER NOT NULL,
        PRIMARY KEY (owner, agent)
    ) WITHOUT ROWID",
        "ALTER TABLE agent_sessions ADD COLUMN title TEXT",
    ],
};
/// The rows of sessions, in the database.
pub(crate) struct StoredSessions(pub(crate) Store);

impl Sessions for StoredSessions {
    fn find<'a>(&'a self, owner: &'a str, agent: &'a str) -> Kept<'a, Option<SessionRow>> {
        let key = (owner.to_owned(), agent.to_owned());
        Box::pin(async move {
            let read = self.0.read(move |connection| {
                Ok(connection
                    .query_row(
                        "SELECT owner, agent, backend, session, worktree, open, last_activity, title
                         FROM agent_sessions WHERE owner = ?1 AND agent = ?2",
                        params![key.0, key.1],
                        read_row,
                    )
                    .optional()?)
            });
            read.await.map_err(|error| error.to_string())
        })
    }

    fn put(&self, row: SessionRow) -> Kept<'_, ()> {
        Box::pin(async move {
            let written = self.0.write(move |transaction| {
                transaction.execute(
                    "INSERT OR REPLACE INTO agent_sessions
                     (owner, agent, backend, session, worktree, open, last_activity, title)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    params![
                        row.owner,
                        row.agent,
                        row.backend.0,
                        row.session.0,
                        row.worktree,
                        row.status == SessionStatus::Open,
                        i64::try_from(row.last_activity).unwrap_or(i64::MAX),
                        row.title,
                    ],
                )?;
                Ok(())
            });
            written.await.map_err(|error| error.to_string())
        })
    }

    fn all(&self) -> Kept<'_, Vec<SessionRow>> {
        Box::pin(async move {
            let read = self.0.read(|connection| {
                let mut statement = connection.prepare(
                    "SELECT owner, agent, backend, session, worktree, open, last_activity, title
                     FROM agent_sessions ORDER BY last_activity DESC",
                )?;
                let rows = statement.query_map([], read_row)?;
                Ok(rows.collect::<Result<Vec<_>, _>>()?)
            });
            read.await.map_err(|error| error.to_string())
        })
    }
}

fn read_row(row: &Row<'_>) -> Result<SessionRow, store::sql::Error> {
    Ok(SessionRow {
        owner: row.get(0)?,
        agent: row.get(1)?,
        backend: BackendId(row.get(2)?),
        session: AgentId(row.get(3)?),
        worktree: row.get(4)?,
        title: row.get(7)?,
        status: if row.get(5)? {
            SessionStatus::Open
        } else {
            SessionStatus::Closed
        },
        last_activity: u64::try_from(row.get::<_, i64>(6)?).unwrap_or(0),
    })
}
