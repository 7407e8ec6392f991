//! The append-only record of runs, and the state that it adds up to.
//!
//! One [`Journal::commit`] is one transaction: the events are appended and the tables that sum them up
//! are brought along, or nothing of it happened. Long outputs lie beside the database.

mod project;
mod read;
mod record;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use store::sql::{OptionalExtension as _, Transaction, params};
use store::{Schema, Store, StoreError};

use crate::decide::StepState;
use crate::owner::{Owner, Owners};
use project::Projection;
pub(crate) use read::Bulk;
pub use record::{
    AttemptEnd, AttemptView, FlowEvent, Given, Happened, ListItem, Question, QuestionKind, Round,
    RoundStep, RunChange, RunInfo, RunState, RunView, StepView,
};
pub(crate) use record::{Claim, NewPlace, NewRun, Redefined, StoredRun, StoredStep};

/// The tables of runs; to be handed in when the store is opened.
pub const SCHEMA: Schema = Schema {
    room: "flow",
    migrations: &["
        CREATE TABLE runs (
            id TEXT PRIMARY KEY, flow TEXT NOT NULL, path TEXT, text TEXT NOT NULL, hash TEXT NOT NULL,
            inputs TEXT NOT NULL, cwd TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER,
            outcome TEXT, nothing_ran INTEGER NOT NULL DEFAULT 0, cancelled INTEGER NOT NULL DEFAULT 0,
            message TEXT, output TEXT, owner TEXT
        ) WITHOUT ROWID;
        CREATE TABLE steps (
            run TEXT NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL,
            skip TEXT, branch TEXT, attempts INTEGER NOT NULL, earlier INTEGER NOT NULL,
            PRIMARY KEY (run, number)
        ) WITHOUT ROWID;
        CREATE TABLE attempts (
            run TEXT NOT NULL, step INTEGER NOT NULL, attempt INTEGER NOT NULL, state TEXT NOT NULL,
            started_at INTEGER NOT NULL, ended_at INTEGER, awake INTEGER NOT NULL, boot TEXT NOT NULL,
            handle TEXT, pane INTEGER, worktree TEXT, exit_code INTEGER, message TEXT,
            output TEXT, output_file TEXT, data TEXT, prompt TEXT, decision TEXT, question TEXT, answer TEXT,
            due INTEGER,
            PRIMARY KEY (run, step, attempt)
        ) WITHOUT ROWID;
        CREATE TABLE events (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL
        );
        CREATE INDEX events_of_run ON events (run, seq);
        CREATE TABLE requests (
            id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, request TEXT NOT NULL, answer TEXT
        );
    ", "
        ALTER TABLE attempts ADD COLUMN agent TEXT;
        ALTER TABLE attempts ADD COLUMN needs_you TEXT;
        ALTER TABLE steps ADD COLUMN guard TEXT;
    ", "
        ALTER TABLE attempts ADD COLUMN queued_at INTEGER;
        ALTER TABLE steps ADD COLUMN queued_at INTEGER;
    ", "
        ALTER TABLE attempts ADD COLUMN asked_again TEXT;
        ALTER TABLE steps ADD COLUMN guard_error TEXT;
    ", "
        ALTER TABLE attempts ADD COLUMN held TEXT;
    ", "
        ALTER TABLE attempts ADD COLUMN round TEXT;
    ", "
        ALTER TABLE steps ADD COLUMN item TEXT;
        ALTER TABLE steps ADD COLUMN items INTEGER;
    "],
};

/// Outputs up to this size are kept in the database, longer ones in a file beside it.
const INLINE_OUTPUT: usize = 64 << 10;

/// Where runs are recorded.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    store: Store,
    outputs: PathBuf,
    boot: String,
    /// For tests: the process "ends" once so many more transactions were written.
    #[cfg(test)]
    pub(crate) stop_after: Option<std::sync::Arc<std::sync::atomic::AtomicI64>>,
}

fn text<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unexpected(error.to_string()))
}

fn value<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unexpected(error.to_string()))
}

fn optional<T: serde::de::DeserializeOwned>(text: Option<String>) -> Result<Option<T>, StoreError> {
    text.map(|text| value(&text)).transpose()
}

fn state_of(name: &str) -> Result<StepState, StoreError> {
    value(&format!("\"{name}\""))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

impl Journal {
    pub(crate) fn new(store: Store, outputs: PathBuf, boot: String) -> Self {
        Self {
            store,
            outputs,
            boot,
            #[cfg(test)]
            stop_after: None,
        }
    }

    /// Writes down that a run begins, and that it is ours.
    pub(crate) async fn begin(
        &self,
        run: NewRun,
        owner: Owner,
        at: u64,
    ) -> Result<FlowEvent, StoreError> {
        self.store
            .write(move |transaction| {
                transaction.execute(
                    "INSERT INTO runs (id, flow, path, text, hash, inputs, cwd, started_at, owner)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                    params![
                        run.id,
                        run.flow,
                        run.path,
                        run.text,
                        run.hash,
                        text(&run.inputs)?,
                        run.cwd,
                        signed(at),
                        text(&owner)?
                    ],
                )?;
                for (number, id) in run.steps.iter().enumerate() {
                    add_step(transaction, &run.id, signed(number as u64), id)?;
                }
                append(
                    transaction,
                    &run.id,
                    at,
                    Happened::RunStarted {
                        flow: run.flow.clone(),
                    },
                )
            })
            .await
    }

    /// Makes a run ours, if nobody drives it.
    pub(crate) async fn claim(
        &self,
        run: &str,
        me: Owner,
        owners: std::sync::Arc<dyn Owners>,
    ) -> Result<Claim, StoreError> {
        let run = run.to_owned();
        self.store
            .write(move |transaction| {
                let owner: Option<Option<String>> = transaction
                    .query_row("SELECT owner FROM runs WHERE id = ?1", [&run], |row| {
                        row.get(0)
                    })
                    .optional()?;
                let Some(owner) = owner else {
                    return Ok(Claim::Unknown);
                };
                if let Some(owner) = optional::<Owner>(owner)?
                    && owner != me
                    && owners.is_alive(&owner)
                {
                    return Ok(Claim::OwnedBy(owner));
                }
                transaction.execute(
                    "UPDATE runs SET owner = ?2 WHERE id = ?1",
                    params![run, text(&me)?],
                )?;
                Ok(Claim::Ours)
            })
            .await
    }

    /// Lets go of a run that this process does not drive any more.
    pub(crate) async fn release(&self, run: &str, me: Owner) -> Result<(), StoreError> {
        let run = run.to_owned();
        self.store
            .write(move |transaction| {
                transaction.execute(
                    "UPDATE runs SET owner = NULL WHERE id = ?1 AND owner = ?2",
                    params![run, text(&me)?],
                )?;
                Ok(())
            })
            .await
    }

    /// Appends events and brings along what they add up to; one transaction.
    ///
    /// `agents` are the steps among them that begin to run an agent, with how many agents there may be
    /// in all runs of all processes: when that is more than there is room for, nothing is written. `answered` is the
    /// request of another process that all this carries out.
    pub(crate) async fn commit(
        &self,
        run: &str,
        at: u64,
        awake: u64,
        entries: Arc<Vec<(usize, Happened)>>,
        agents: Option<(u32, u32)>,
        answered: Option<i64>,
    ) -> Result<Option<Vec<FlowEvent>>, StoreError> {
        #[cfg(test)]
        if let Some(left) = &self.stop_after
            && left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) <= 0
        {
            return Err(StoreError::Closed);
        }
        let run = run.to_owned();
        let boot = self.boot.clone();
        // Long outputs first: a file that nothing speaks of does no harm, the other way round would.
        let mut files = BTreeMap::new();
        for (position, (_, what)) in entries.iter().enumerate() {
            if let Happened::StepEnded {
                step: id,
                attempt,
                ended,
            }
            | Happened::StepRetries {
                step: id,
                attempt,
                ended,
                ..
            }
            | Happened::StepLate {
                step: id,
                attempt,
                ended,
            } = what
                && let Some(output) = ended
                    .output
                    .as_ref()
                    .filter(|output| output.len() > INLINE_OUTPUT)
            {
                let path = self.outputs.join(&run).join(format!("{id}.{attempt}.txt"));
                write_private(&path, output).map_err(|source| StoreError::Beside {
                    path: path.clone(),
                    source,
                })?;
                files.insert(position, path.display().to_string());
            }
        }
        self.store
            .write(move |transaction| {
                if let Some((starting, limit)) = agents {
                    let running: u32 = transaction.query_row(
                        "SELECT count(*) FROM attempts JOIN runs ON runs.id = attempts.run
                         WHERE attempts.state = 'running' AND attempts.prompt IS NOT NULL AND runs.outcome IS NULL",
                        [],
                        |row| row.get(0),
                    )?;
                    if running + starting > limit {
                        return Ok(None);
                    }
                }
                let mut events = Vec::with_capacity(entries.len());
                for (position, (step, what)) in entries.iter().enumerate() {
                    let projection = Projection {
                        transaction,
                        run: &run,
                        step: signed(*step as u64),
                        at: signed(at),
                        awake: signed(awake),
                        boot: &boot,
                        file: files.get(&position),
                    };
                    projection.take_in(what)?;
                    events.push(append(transaction, &run, at, what.clone())?);
                }
                if let Some(request) = answered {
                    respond(transaction, request, "")?;
                }
                Ok(Some(events))
            })
            .await
    }

    /// Gives a run another definition of its flow: its steps get the places that they have there, and with them what they
    /// came to, as far as it stands.
    pub(crate) async fn redefine(
        &self,
        run: &str,
        redefined: Redefined,
        at: u64,
    ) -> Result<FlowEvent, StoreError> {
        let run = run.to_owned();
        self.store
            .write(move |transaction| {
                transaction.execute(
                    "UPDATE runs SET flow = ?2, text = ?3, hash = ?4, inputs = ?5 WHERE id = ?1",
                    params![run, redefined.flow, redefined.text, redefined.hash, text(&redefined.inputs)?],
                )?;
                // Out of the way first: the old places and the new ones are the same numbers.
                for (table, place) in [("steps", "number"), ("attempts", "step")] {
                    transaction.execute(
                        &format!("UPDATE {table} SET {place} = -1 - {place} WHERE run = ?1"),
                        [&run],
                    )?;
                }
                for (number, step) in redefined.steps.iter().enumerate() {
                    let number = signed(number as u64);
                    let Some(was) = step.was else {
                        add_step(transaction, &run, number, &step.id)?;
                        continue;
                    };
                    let place = params![run, -1 - signed(was as u64), number];
                    transaction.execute("UPDATE steps SET number = ?3 WHERE run = ?1 AND number = ?2", place)?;
                    transaction.execute("UPDATE attempts SET step = ?3 WHERE run = ?1 AND step = ?2", place)?;
                    if !step.stands {
                        transaction.execute(
                            "UPDATE steps SET state = 'pending', skip = NULL, branch = NULL, guard = NULL, guard_error = NULL,
                                 queued_at = NULL, earlier = attempts
                             WHERE run = ?1 AND number = ?2",
                            params![run, number],
                        )?;
                    }
                }
                // What has no place any more never ran.
                transaction.execute("DELETE FROM steps WHERE run = ?1 AND number < 0", [&run])?;
                let steps = redefined.steps.into_iter().map(|step| step.id).collect();
                append(transaction, &run, at, Happened::RunRedefined { steps })
            })
            .await
    }

    /// Removes all that is kept of a run that has ended, and of its outputs. False: it has not ended.
    pub(crate) async fn forget(&self, run: &str) -> Result<bool, StoreError> {
        let id = run.to_owned();
        let forgotten = self
            .store
            .write(move |transaction| {
                let ended = transaction.execute(
                    "DELETE FROM runs WHERE id = ?1 AND outcome IS NOT NULL AND owner IS NULL",
                    [&id],
                )?;
                if ended == 0 {
                    return Ok(false);
                }
                for table in ["steps", "attempts", "events", "requests"] {
                    transaction.execute(&format!("DELETE FROM {table} WHERE run = ?1"), [&id])?;
                }
                Ok(true)
            })
            .await?;
        if forgotten {
            // What remains of it does no harm, and is tidied with what nothing speaks of.
            let _ = fs::remove_dir_all(self.outputs.join(run));
        }
        Ok(forgotten)
    }

    /// Leaves a request for the process that drives the run.
    pub(crate) async fn ask(&self, run: &str, request: String) -> Result<i64, StoreError> {
        let run = run.to_owned();
        self.store
            .write(move |transaction| {
                transaction.execute(
                    "INSERT INTO requests (run, request) VALUES (?1, ?2)",
                    params![run, request],
                )?;
                Ok(transaction.last_insert_rowid())
            })
            .await
    }

    /// The answer to a request; it is forgotten with that. None: not yet.
    pub(crate) async fn answer_to(&self, id: i64) -> Result<Option<String>, StoreError> {
        self.store
            .write(move |transaction| {
                let answer: Option<String> = transaction
                    .query_row("SELECT answer FROM requests WHERE id = ?1", [id], |row| {
                        row.get(0)
                    })
                    .optional()?
                    .flatten();
                if answer.is_some() {
                    transaction.execute("DELETE FROM requests WHERE id = ?1", [id])?;
                }
                Ok(answer)
            })
            .await
    }

    /// Takes a request back. True when it was not answered in the meantime.
    pub(crate) async fn withdraw(&self, id: i64) -> Result<bool, StoreError> {
        self.store
            .write(move |transaction| {
                Ok(transaction.execute(
                    "DELETE FROM requests WHERE id = ?1 AND answer IS NULL",
                    [id],
                )? > 0)
            })
            .await
    }

    /// The requests that nobody answered yet.
    pub(crate) async fn requests(&self) -> Result<Vec<(i64, String, String)>, StoreError> {
        self.store
            .read(|connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT id, run, request FROM requests WHERE answer IS NULL ORDER BY id",
                )?;
                let rows =
                    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Answers a request that was not carried out with the reason.
    pub(crate) async fn refuse(&self, id: i64, reason: String) -> Result<(), StoreError> {
        self.store
            .write(move |transaction| Ok(respond(transaction, id, &reason).map(drop)?))
            .await
    }
}

fn add_step(
    transaction: &Transaction<'_>,
    run: &str,
    number: i64,
    id: &str,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO steps (run, number, id, state, attempts, earlier) VALUES (?1, ?2, ?3, 'pending', 0, 0)",
        )?
        .execute(params![run, number, id])?;
    Ok(())
}

/// Answers a request: nothing means that it was carried out.
fn respond(
    transaction: &Transaction<'_>,
    id: i64,
    answer: &str,
) -> Result<usize, store::sql::Error> {
    transaction.execute(
        "UPDATE requests SET answer = ?2 WHERE id = ?1",
        params![id, answer],
    )
}

fn append(
    transaction: &Transaction<'_>,
    run: &str,
    at: u64,
    what: Happened,
) -> Result<FlowEvent, StoreError> {
    transaction
        .prepare_cached("INSERT INTO events (run, at, event) VALUES (?1, ?2, ?3)")?
        .execute(params![run, signed(at), text(&what)?])?;
    Ok(FlowEvent {
        run: run.to_owned(),
        seq: unsigned(transaction.last_insert_rowid()),
        at,
        what,
    })
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    if let Some(directory) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}
