//! OpenCode: a database, `opencode.db`. A session has messages, and a message has parts, each with its JSON.
//!
//! It is opened for reading. Where nobody has it open, nothing is made beside it either.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use secrets::Secrets;
use serde_json::Value;

use crate::contract::{TranscriptAgent, TranscriptConversation, TranscriptRole};
use crate::format::{Piece, Said, within};
use crate::lines::Go;
use crate::search::title;

/// How long the database may be locked.
const BUSY: Duration = Duration::from_millis(500);

/// Why a database could not be read.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It has not the tables that are known here.
    Unknown,
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// A part of a message.
pub(crate) struct Row<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) message: &'a str,
    pub(crate) session: &'a str,
    pub(crate) when: Option<u64>,
}

/// A database that was opened.
pub(crate) struct Database(Connection);

impl Database {
    pub(crate) fn open(path: &Path) -> Result<Self, Failed> {
        let mut beside = path.as_os_str().to_owned();
        beside.push("-wal");
        let in_use = std::fs::metadata(beside).is_ok_and(|about| about.len() > 0);
        let mut address = String::from("file:");
        for byte in path.as_os_str().as_encoded_bytes() {
            match byte {
                b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                    address.push(char::from(*byte));
                }
                byte => address.push_str(&format!("%{byte:02X}")),
            }
        }
        address.push_str(if in_use {
            "?mode=ro"
        } else {
            "?mode=ro&immutable=1"
        });
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(address, flags)?;
        connection.busy_timeout(BUSY)?;
        let known = [
            "SELECT id, message_id, session_id, time_created, data FROM part LIMIT 0",
            "SELECT id, session_id, time_created, data FROM message LIMIT 0",
            "SELECT id, directory, title FROM session LIMIT 0",
        ];
        for question in known {
            match connection.prepare(question) {
                Ok(_) => {}
                Err(rusqlite::Error::SqliteFailure(about, Some(why)))
                    if about.code == rusqlite::ErrorCode::Unknown && why.contains("no such") =>
                {
                    return Err(Failed::Unknown);
                }
                Err(rusqlite::Error::SqlInputError { .. }) => return Err(Failed::Unknown),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self(connection))
    }

    /// Who says a message.
    pub(crate) fn role(&self, row: &Row<'_>) -> Result<TranscriptRole, Failed> {
        let mut ask = self
            .0
            .prepare_cached("SELECT data FROM message WHERE id = ?1")?;
        let data: Option<String> = ask.query_row([row.message], |row| row.get(0)).optional()?;
        Ok(role(data.as_deref()))
    }

    /// Which conversation a session is.
    pub(crate) fn conversation(
        &self,
        session: &str,
        secrets: &Secrets,
    ) -> Result<Option<TranscriptConversation>, Failed> {
        let mut ask = self
            .0
            .prepare_cached("SELECT directory, title FROM session WHERE id = ?1")?;
        let about = ask.query_row([session], |row| {
            Ok(TranscriptConversation {
                agent: TranscriptAgent::Opencode,
                file: self.0.path().unwrap_or_default().to_owned(),
                session: session.to_owned(),
                directory: row.get(0)?,
                title: row
                    .get::<_, Option<String>>(1)?
                    .map(|text| title(&text, secrets)),
            })
        });
        Ok(about.optional()?)
    }

    /// The session of a message, and how many messages of it come before.
    pub(crate) fn place(&self, message: &str) -> Result<Option<(String, u32)>, Failed> {
        let place = self.0.query_row(
            "SELECT m.session_id, (SELECT count(*) FROM message o WHERE o.session_id = m.session_id
                 AND (o.time_created, o.id) < (m.time_created, m.id))
             FROM message m WHERE m.id = ?1",
            [message],
            |row| Ok((row.get(0)?, row.get(1)?)),
        );
        Ok(place.optional()?)
    }

    /// Messages of a session: their ids, when, and who says them.
    pub(crate) fn messages(
        &self,
        session: &str,
        from: u32,
        count: u32,
    ) -> Result<Vec<(String, Option<u64>, TranscriptRole)>, Failed> {
        let mut ask = self.0.prepare(
            "SELECT id, time_created, data FROM message WHERE session_id = ?1
             ORDER BY time_created, id LIMIT ?2 OFFSET ?3",
        )?;
        let rows = ask.query_map(params![session, count, from], |row| {
            let data: Option<String> = row.get(2)?;
            let when: Option<i64> = row.get(1)?;
            Ok((
                row.get(0)?,
                when.and_then(|at| at.try_into().ok()),
                role(data.as_deref()),
            ))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The JSON of a message's parts.
    pub(crate) fn parts(&self, message: &str) -> Result<Vec<Value>, Failed> {
        let mut ask = self
            .0
            .prepare_cached("SELECT data FROM part WHERE message_id = ?1 ORDER BY id")?;
        let rows = ask.query_map([message], |row| row.get::<_, String>(0))?;
        let mut parts = Vec::new();
        for data in rows {
            // What is no JSON says nothing.
            parts.extend(serde_json::from_str::<Value>(&data?));
        }
        Ok(parts)
    }
}

fn role(message: Option<&str>) -> TranscriptRole {
    let message = message.and_then(|data| serde_json::from_str::<Value>(data).ok());
    let role = message.as_ref().and_then(|message| message.get("role"));
    match role.and_then(Value::as_str) {
        Some("user") => TranscriptRole::Person,
        Some("assistant") => TranscriptRole::Agent,
        _ => TranscriptRole::Context,
    }
}

/// Tells `see` of the parts of all messages, in the order in which they were written, or the other way round.
pub(crate) fn each(
    path: &Path,
    oldest_first: bool,
    see: &mut dyn FnMut(&Row<'_>, &Database) -> Result<Go, Failed>,
) -> Result<(), Failed> {
    let database = Database::open(path)?;
    let order = if oldest_first { "" } else { "DESC" };
    let question = format!(
        "SELECT message_id, session_id, time_created, data FROM part ORDER BY rowid {order}"
    );
    let mut ask = database.0.prepare(&question)?;
    let mut rows = ask.query([])?;
    while let Some(row) = rows.next()? {
        let (Ok(message), Ok(session), Ok(data)) = (
            row.get_ref(0)?.as_str(),
            row.get_ref(1)?.as_str(),
            row.get_ref(3)?.as_bytes(),
        ) else {
            continue;
        };
        let row = Row {
            data,
            message,
            session,
            when: row
                .get::<_, Option<i64>>(2)?
                .and_then(|at| at.try_into().ok()),
        };
        if see(&row, &database)? == Go::Stop {
            break;
        }
    }
    Ok(())
}

/// What a part says.
pub(crate) fn said(part: &Value, speaker: TranscriptRole, when: Option<u64>) -> Said<'_> {
    let mut said = Said {
        when,
        ..Said::default()
    };
    pieces(&mut said.parts, part, speaker);
    said
}

fn pieces<'a>(parts: &mut Vec<Piece<'a>>, part: &'a Value, speaker: TranscriptRole) {
    let text = part.get("text");
    match part.get("type").and_then(Value::as_str) {
        Some("text") => {
            let made_up = part.get("synthetic").and_then(Value::as_bool) == Some(true);
            let speaker = if made_up {
                TranscriptRole::Context
            } else {
                speaker
            };
            within(parts, speaker, None, text);
        }
        Some("reasoning") => within(parts, TranscriptRole::Thought, None, text),
        Some("tool") => {
            let tool = part.get("tool").and_then(Value::as_str);
            let state = |field: &str| part.get("state").and_then(|state| state.get(field));
            within(parts, TranscriptRole::Tool, tool, state("input"));
            within(parts, TranscriptRole::Output, None, state("output"));
            within(parts, TranscriptRole::Output, None, state("error"));
        }
        _ => {}
    }
}
