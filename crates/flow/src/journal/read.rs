//! Reading runs back: to go on with them, to list them, to show them.

use std::collections::{BTreeMap, BTreeSet};

use store::StoreError;
use store::sql::{Connection, OptionalExtension as _, params};

use super::record::{
    AttemptView, FlowEvent, Happened, RunChange, RunInfo, RunState, RunView, StepView, StoredRun,
    StoredStep,
};
use super::{Journal, optional, signed, state_of, unsigned, value};
use crate::decide::{Outcome, StepState};
use crate::owner::{Owner, Owners};

/// How many events are taken together at most.
const MOST_EVENTS: u32 = 1_000;

/// Whether what may be long is read: prompts, outputs, data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bulk {
    With,
    Without,
}

impl Journal {
    /// Reads a run with everything that is needed to go on with it.
    pub(crate) async fn load(&self, run: &str) -> Result<Option<StoredRun>, StoreError> {
        let run = run.to_owned();
        self.store
            .read(move |connection| {
                let stored = connection
                    .query_row(
                        "SELECT text, inputs, cwd, started_at, cancelled, outcome FROM runs WHERE id = ?1",
                        [&run],
                        |row| {
                            Ok((
                                row.get::<_, String>(0)?,
                                row.get::<_, String>(1)?,
                                row.get::<_, String>(2)?,
                                row.get::<_, i64>(3)?,
                                row.get::<_, bool>(4)?,
                                row.get::<_, Option<String>>(5)?,
                            ))
                        },
                    )
                    .optional()?;
                let Some((flow_text, inputs, cwd, started_at, cancelled, outcome)) = stored else {
                    return Ok(None);
                };
                let mut history = attempts(connection, &run, None, Bulk::With)?;
                let mut statement = connection.prepare_cached(
                    "SELECT number, state, skip, branch, attempts, earlier, guard, id, item, items FROM steps WHERE run = ?1 ORDER BY number",
                )?;
                let mut rows = statement.query([&run])?;
                let mut steps = Vec::new();
                while let Some(row) = rows.next()? {
                    let number: i64 = row.get(0)?;
                    steps.push(StoredStep {
                        state: state_of(&row.get::<_, String>(1)?)?,
                        skip: optional(row.get(2)?)?,
                        branch: optional(row.get(3)?)?,
                        attempts: row.get(4)?,
                        earlier: row.get(5)?,
                        guard: optional(row.get(6)?)?,
                        id: row.get(7)?,
                        item: optional(row.get(8)?)?,
                        items: row.get(9)?,
                        history: history.remove(&number).unwrap_or_default(),
                    });
                }
                Ok(Some(StoredRun {
                    text: flow_text,
                    inputs: value(&inputs)?,
                    cwd,
                    started_at: unsigned(started_at),
                    cancelled,
                    ended: outcome.is_some(),
                    steps,
                    id: run.clone(),
                }))
            })
            .await
    }

    /// Lists runs, newest first.
    pub(crate) async fn list(
        &self,
        owners: std::sync::Arc<dyn Owners>,
        limit: u32,
    ) -> Result<Vec<RunInfo>, StoreError> {
        self.store
            .read(move |connection| {
                let mut statement = connection
                    .prepare_cached("SELECT id FROM runs ORDER BY started_at DESC, id LIMIT ?1")?;
                let ids: Vec<String> = statement
                    .query_map([limit], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                ids.iter()
                    .filter_map(|id| info(connection, id, owners.as_ref()).transpose())
                    .collect()
            })
            .await
    }

    /// The ids of the runs that begin so, newest first; ten at most. None given: the newest run.
    pub(crate) async fn named(&self, beginning: Option<String>) -> Result<Vec<String>, StoreError> {
        self.store
            .read(move |connection| {
                let limit = if beginning.is_some() { 10 } else { 1 };
                let beginning = beginning.unwrap_or_default();
                let mut statement = connection.prepare_cached(
                    "SELECT id FROM runs WHERE substr(id, 1, length(?1)) = ?1
                     ORDER BY id = ?1 DESC, started_at DESC, id LIMIT ?2",
                )?;
                let ids = statement.query_map(params![beginning, limit], |row| row.get(0))?;
                Ok(ids.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Whose a run is; none: nobody's.
    pub(crate) async fn owner(&self, run: &str) -> Result<Option<Owner>, StoreError> {
        let run = run.to_owned();
        self.store
            .read(move |connection| {
                let owner = connection
                    .query_row("SELECT owner FROM runs WHERE id = ?1", [&run], |row| {
                        row.get::<_, Option<String>>(0)
                    })
                    .optional()?;
                optional(owner.flatten())
            })
            .await
    }

    /// The runs that were going on and that nobody drives.
    pub(crate) async fn interrupted(
        &self,
        owners: std::sync::Arc<dyn Owners>,
    ) -> Result<Vec<String>, StoreError> {
        self.store
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT id, owner FROM runs WHERE outcome IS NULL ORDER BY started_at",
                )?;
                let mut rows = statement.query([])?;
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    let owner: Option<Owner> = optional(row.get(1)?)?;
                    if !owner.is_some_and(|owner| owners.is_alive(&owner)) {
                        found.push(row.get(0)?);
                    }
                }
                Ok(found)
            })
            .await
    }

    /// One run with its steps and attempts, and the text of its flow.
    pub(crate) async fn show(
        &self,
        run: &str,
        bulk: Bulk,
        owners: std::sync::Arc<dyn Owners>,
    ) -> Result<Option<(RunView, String)>, StoreError> {
        let run = run.to_owned();
        self.store
            .read(move |connection| {
                // Another process may write meanwhile: all that is read is of one moment.
                let connection = connection.unchecked_transaction()?;
                let Some(info) = info(&connection, &run, owners.as_ref())? else {
                    return Ok(None);
                };
                let (inputs, cwd, output, flow_text) = connection.query_row(
                    "SELECT inputs, cwd, output, text FROM runs WHERE id = ?1",
                    [&run],
                    |row| {
                        Ok((
                            row.get::<_, String>(0)?,
                            row.get(1)?,
                            row.get(2)?,
                            row.get(3)?,
                        ))
                    },
                )?;
                let view = RunView {
                    info,
                    inputs: value(&inputs)?,
                    cwd,
                    output,
                    step_list: steps(&connection, &run, None, bulk)?,
                    seq: newest(&connection, &run)?,
                };
                Ok(Some((view, flow_text)))
            })
            .await
    }

    /// What changed about any run by the events after `seq`, whoever drove it, and the number of the newest event
    /// that was taken into account.
    pub(crate) async fn changes(
        &self,
        seq: u64,
        owners: std::sync::Arc<dyn Owners>,
    ) -> Result<(u64, Vec<RunChange>), StoreError> {
        self.store
            .read(move |connection| {
                let connection = connection.unchecked_transaction()?;
                let mut touched: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
                let mut redefined = BTreeSet::new();
                let mut read = seq;
                {
                    let mut statement = connection.prepare_cached(
                        "SELECT seq, run, event FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2",
                    )?;
                    let mut rows = statement.query(params![signed(seq), MOST_EVENTS])?;
                    while let Some(row) = rows.next()? {
                        read = unsigned(row.get(0)?);
                        let what: Happened = value(&row.get::<_, String>(2)?)?;
                        let run: String = row.get(1)?;
                        if matches!(what, Happened::RunRedefined { .. }) {
                            redefined.insert(run.clone());
                        }
                        let steps = touched.entry(run).or_default();
                        steps.extend(what.touched().iter().cloned());
                    }
                }
                let mut changes = Vec::with_capacity(touched.len());
                for (run, of) in touched {
                    // It may have been forgotten meanwhile.
                    let Some(info) = info(&connection, &run, owners.as_ref())? else {
                        continue;
                    };
                    changes.push(RunChange {
                        info,
                        output: connection
                            .prepare_cached("SELECT output FROM runs WHERE id = ?1")?
                            .query_row([&run], |row| row.get(0))?,
                        steps: steps(&connection, &run, Some(&of), Bulk::Without)?,
                        redefined: redefined.contains(&run),
                        seq: newest(&connection, &run)?,
                    });
                }
                Ok((read, changes))
            })
            .await
    }

    /// The events of a run after `seq`, oldest first.
    pub(crate) async fn events(&self, run: &str, seq: u64) -> Result<Vec<FlowEvent>, StoreError> {
        let run = run.to_owned();
        self.store
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT seq, at, event FROM events WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT 10000",
                )?;
                let mut rows = statement.query(params![run, signed(seq)])?;
                let mut events = Vec::new();
                while let Some(row) = rows.next()? {
                    events.push(FlowEvent {
                        run: run.clone(),
                        seq: unsigned(row.get(0)?),
                        at: unsigned(row.get(1)?),
                        what: value(&row.get::<_, String>(2)?)?,
                    });
                }
                Ok(events)
            })
            .await
    }

    /// The number of the newest event of all runs; 0 when nothing ever happened.
    pub(crate) async fn newest(&self) -> Result<u64, StoreError> {
        self.store
            .read(|connection| {
                let newest: Option<i64> =
                    connection.query_row("SELECT max(seq) FROM events", [], |row| row.get(0))?;
                Ok(newest.map_or(0, unsigned))
            })
            .await
    }

    /// The ids of all runs, each with when it ended.
    pub(crate) async fn ends(&self) -> Result<BTreeMap<String, Option<u64>>, StoreError> {
        self.store
            .read(|connection| {
                let mut statement = connection.prepare_cached("SELECT id, ended_at FROM runs")?;
                let rows = statement.query_map([], |row| {
                    Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(unsigned)))
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }
}

fn info(
    connection: &Connection,
    run: &str,
    owners: &dyn Owners,
) -> Result<Option<RunInfo>, StoreError> {
    let row = connection
        .prepare_cached(
            "SELECT flow, path, started_at, ended_at, outcome, message, nothing_ran, owner FROM runs WHERE id = ?1",
        )?
        .query_row([run], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, Option<i64>>(3)?,
                row.get::<_, Option<String>>(4)?,
                row.get::<_, Option<String>>(5)?,
                row.get::<_, bool>(6)?,
                row.get::<_, Option<String>>(7)?,
            ))
        })
        .optional()?;
    let Some((flow, path, started_at, ended_at, outcome, message, nothing_ran, owner)) = row else {
        return Ok(None);
    };
    let mut asks = Vec::new();
    let (mut steps, mut done, mut busy) = (0, 0, 0);
    let mut statement =
        connection.prepare_cached("SELECT id, state FROM steps WHERE run = ?1 ORDER BY number")?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        steps += 1;
        match state_of(&row.get::<_, String>(1)?)? {
            StepState::AwaitingApproval => asks.push(row.get(0)?),
            StepState::Queued | StepState::Running | StepState::RetryWait => busy += 1,
            state if state.is_terminal() => done += 1,
            _ => {}
        }
    }
    let needs_you: Vec<String> = connection
        .prepare_cached(
            "SELECT id FROM steps JOIN attempts ON attempts.run = steps.run AND attempts.step = steps.number
                 AND attempts.attempt = steps.attempts
             WHERE steps.run = ?1 AND steps.state = 'running' AND attempts.needs_you IS NOT NULL ORDER BY number",
        )?
        .query_map([run], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let state = match optional::<Outcome>(outcome)? {
        Some(Outcome::Succeeded) => RunState::Succeeded,
        Some(Outcome::Failed) => RunState::Failed,
        Some(Outcome::Cancelled) => RunState::Cancelled,
        None => match optional::<Owner>(owner)? {
            Some(owner) if owners.is_alive(&owner) => {
                if busy == needs_you.len() && !(asks.is_empty() && needs_you.is_empty()) {
                    RunState::Waiting
                } else {
                    RunState::Running
                }
            }
            _ => RunState::Interrupted,
        },
    };
    Ok(Some(RunInfo {
        id: run.to_owned(),
        flow,
        path,
        state,
        started_at: unsigned(started_at),
        ended_at: ended_at.map(unsigned),
        steps,
        done,
        asks,
        needs_you,
        message,
        nothing_ran,
    }))
}

/// The number of the newest event of a run.
fn newest(connection: &Connection, run: &str) -> Result<u64, StoreError> {
    let newest: Option<i64> = connection
        .prepare_cached("SELECT max(seq) FROM events WHERE run = ?1")?
        .query_row([run], |row| row.get(0))?;
    Ok(newest.map_or(0, unsigned))
}

/// The steps of a run in the order of the file: all of them, or those that are `wanted`.
fn steps(
    connection: &Connection,
    run: &str,
    wanted: Option<&BTreeSet<String>>,
    bulk: Bulk,
) -> Result<Vec<StepView>, StoreError> {
    let mut history = match wanted {
        None => attempts(connection, run, None, bulk)?,
        Some(_) => BTreeMap::new(),
    };
    let mut statement = connection.prepare_cached(
        "SELECT number, id, state, skip, guard, queued_at, branch IS NOT NULL, guard_error, earlier, item, items FROM steps WHERE run = ?1 ORDER BY number",
    )?;
    let mut rows = statement.query([run])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(1)?;
        if wanted.is_some_and(|wanted| !wanted.contains(&id)) {
            continue;
        }
        let number: i64 = row.get(0)?;
        if wanted.is_some() {
            history = attempts(connection, run, Some(number), bulk)?;
        }
        let attempts = history.remove(&number).unwrap_or_default();
        let state = state_of(&row.get::<_, String>(2)?)?;
        // What a switch decided before it was begun anew is told by its attempts.
        let decided: bool = row.get(6)?;
        let branch = attempts
            .last()
            .filter(|_| decided)
            .and_then(|attempt| attempt.decision.as_ref())
            .and_then(|decision| decision.taken.clone());
        found.push(StepView {
            id,
            state,
            skip: optional(row.get(3)?)?,
            branch,
            queued_at: row
                .get::<_, Option<i64>>(5)?
                .map(unsigned)
                .filter(|_| state == StepState::Queued),
            guard: optional(row.get(4)?)?,
            guard_error: row.get(7)?,
            earlier: row.get(8)?,
            item: optional(row.get(9)?)?,
            items: row.get(10)?,
            attempts,
        });
    }
    Ok(found)
}

/// The attempts at the steps of a run, by the number of the step: at all of them, or at one.
fn attempts(
    connection: &Connection,
    run: &str,
    step: Option<i64>,
    bulk: Bulk,
) -> Result<BTreeMap<i64, Vec<AttemptView>>, StoreError> {
    let long = match bulk {
        Bulk::With => "output, data, prompt, asked_again",
        Bulk::Without => "NULL, NULL, NULL, NULL",
    };
    let which = match step {
        Some(_) => "step = ?2",
        None => "?2 IS NULL",
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT step, attempt, state, started_at, ended_at, pane, worktree, exit_code, message, output_file,
                decision, question, answer, due, handle, awake, boot, agent, needs_you, queued_at, held, round, {long}
         FROM attempts WHERE run = ?1 AND {which} ORDER BY step, attempt",
    ))?;
    let mut rows = statement.query(params![run, step])?;
    let mut found: BTreeMap<i64, Vec<AttemptView>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let time = |column: usize| -> Result<Option<u64>, StoreError> {
            Ok(row.get::<_, Option<i64>>(column)?.map(unsigned))
        };
        found.entry(row.get(0)?).or_default().push(AttemptView {
            attempt: row.get(1)?,
            state: state_of(&row.get::<_, String>(2)?)?,
            queued_at: time(19)?,
            started_at: unsigned(row.get(3)?),
            ended_at: time(4)?,
            pane: row.get(5)?,
            worktree: row.get(6)?,
            agent: optional(row.get(17)?)?,
            needs_you: row.get(18)?,
            held: row.get(20)?,
            exit_code: row.get(7)?,
            message: row.get(8)?,
            output: row.get(22)?,
            output_file: row.get(9)?,
            data: optional(row.get(23)?)?,
            prompt: row.get(24)?,
            asked_again: row.get(25)?,
            decision: optional(row.get(10)?)?,
            round: optional(row.get(21)?)?,
            question: optional(row.get(11)?)?,
            answer: optional(row.get(12)?)?,
            due: time(13)?,
            handle: row.get(14)?,
            awake: unsigned(row.get(15)?),
            boot: row.get(16)?,
        });
    }
    Ok(found)
}
