//! The append-only record of runs, and the state that it adds up to.
//!
//! One [`Journal::commit`] is one transaction: the events are appended and the tables that sum them up
//! are brought along, or nothing of it happened. Long outputs lie beside the database.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use specta::Type;
use store::sql::{Connection, OptionalExtension as _, Transaction, params};
use store::{Schema, Store, StoreError};

use crate::action::StepAgent;
use crate::decide::{Decision, Outcome, Skip, StepState, Tried};
use crate::definition::{Branch, InputInfo};
use crate::owner::{Owner, Owners};

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
    "],
};

/// Outputs up to this size are kept in the database, longer ones in a file beside it.
const INLINE_OUTPUT: usize = 64 << 10;

/// Something that happened to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct FlowEvent {
    /// Which run.
    pub run: String,
    /// Its place in the journal: greater than that of everything before it.
    #[specta(type = u32)]
    pub seq: u64,
    /// When, in milliseconds since 1970.
    #[specta(type = u32)]
    pub at: u64,
    /// What.
    #[serde(flatten)]
    pub what: Happened,
}

/// What happened to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happened {
    /// A run began.
    RunStarted {
        /// Of which flow.
        flow: String,
    },
    /// A process took the run over and went on with it.
    RunResumed,
    /// A person ended the run.
    RunCancelled,
    /// The run ended.
    RunEnded {
        /// How.
        state: Outcome,
        /// Whether every step was skipped.
        nothing_ran: bool,
        /// What a person should know: a mistake of the engine, an output that could not be written.
        message: Option<String>,
        /// The output of the run, if it has one.
        output: Option<String>,
    },
    /// A step could run and waits for a place.
    StepQueued {
        /// Which step.
        step: String,
    },
    /// A step did not run.
    StepSkipped {
        /// Which step.
        step: String,
        /// Why.
        skip: Skip,
    },
    /// An attempt began. Written before it acts.
    StepStarted {
        /// Which step.
        step: String,
        /// Which attempt.
        attempt: u32,
        /// What an agent is asked.
        prompt: Option<String>,
    },
    /// An attempt is at work in the world, and can be found there.
    StepAttached {
        /// Which step.
        step: String,
        /// Which attempt.
        attempt: u32,
        /// What finds it again.
        handle: String,
        /// The pane that it runs in.
        pane: Option<u32>,
        /// The worktree that it works in.
        worktree: Option<String>,
        /// The agent that works on it.
        agent: Option<StepAgent>,
    },
    /// The agent of a step asks a person for something in the middle of its work, or no longer does.
    StepNeedsYou {
        /// Which step.
        step: String,
        /// Which attempt.
        attempt: u32,
        /// What it asks; none: that is settled, and it works on.
        message: Option<String>,
    },
    /// The condition of a step was looked at, together with what it asked about the world. Never again.
    StepGuarded {
        /// Which step.
        step: String,
        /// The condition, what it saw, and what it said.
        guard: Tried,
    },
    /// A person is asked.
    StepAsked {
        /// Which step.
        step: String,
        /// Which attempt.
        attempt: u32,
        /// What is asked.
        question: Question,
    },
    /// A person answered, or the time for it was over.
    StepAnswered {
        /// Which step.
        step: String,
        /// Which attempt.
        attempt: u32,
        /// What was answered.
        answer: Given,
    },
    /// An attempt ended and another one follows.
    StepRetries {
        /// Which step.
        step: String,
        /// Which attempt ended.
        attempt: u32,
        /// How.
        ended: AttemptEnd,
        /// When the next one begins, in milliseconds since 1970.
        #[specta(type = u32)]
        due: u64,
    },
    /// A step ended, for good.
    StepEnded {
        /// Which step.
        step: String,
        /// Which attempt; 0 when there was none.
        attempt: u32,
        /// How.
        ended: AttemptEnd,
    },
    /// An attempt was cut off, and the step is run again.
    StepInterrupted {
        /// Which step.
        step: String,
        /// Which attempt.
        attempt: u32,
    },
    /// The result of an attempt came when the step had gone on without it.
    StepLate {
        /// Which step.
        step: String,
        /// Which attempt.
        attempt: u32,
        /// How it ended.
        ended: AttemptEnd,
    },
    /// Steps are begun anew; their earlier attempts are kept.
    StepsReset {
        /// Which steps.
        steps: Vec<String>,
    },
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct AttemptEnd {
    /// How.
    pub state: StepState,
    /// Its exit status.
    pub exit_code: Option<i32>,
    /// Why, for a person.
    pub message: Option<String>,
    /// For a switch: the branch that was taken.
    pub branch: Option<String>,
    /// What it decided, and what it saw.
    pub decision: Option<Decision>,
    /// Its output. Not in the event when it is long: see [`AttemptView`].
    #[serde(skip)]
    pub(crate) output: Option<String>,
    #[serde(skip)]
    pub(crate) data: Option<serde_json::Value>,
    #[serde(skip)]
    pub(crate) chosen: Option<Branch>,
}

impl AttemptEnd {
    pub(crate) fn new(state: StepState) -> Self {
        Self {
            state,
            exit_code: None,
            message: None,
            branch: None,
            decision: None,
            output: None,
            data: None,
            chosen: None,
        }
    }

    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }
}

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Question {
    /// Why.
    pub kind: QuestionKind,
    /// The question.
    pub message: String,
    /// Fields to fill in.
    pub form: Vec<InputInfo>,
    /// Until when, in milliseconds since 1970; none: for ever.
    #[specta(type = Option<u32>)]
    pub due: Option<u64>,
}

/// Why a person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// The flow has an approval there.
    Approval,
    /// A crash cut the step off: approving runs it again, rejecting lets it have failed.
    Interrupted,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Given {
    /// Yes or no.
    pub approved: bool,
    /// The fields.
    pub form: serde_json::Map<String, serde_json::Value>,
    /// What the person wrote.
    pub comment: Option<String>,
    /// Nobody answered in time, and this is what that means.
    pub by_timeout: bool,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// A process drives it.
    Running,
    /// Nothing happens until a person has answered.
    Waiting,
    /// The process that drove it is gone; it can be resumed.
    Interrupted,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// A person ended it.
    Cancelled,
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct RunInfo {
    /// Its id.
    pub id: String,
    /// The name of its flow.
    pub flow: String,
    /// The file that it was read from.
    pub path: Option<String>,
    /// Where it stands.
    pub state: RunState,
    /// When it began, in milliseconds since 1970.
    #[specta(type = u32)]
    pub started_at: u64,
    /// When it ended.
    #[specta(type = Option<u32>)]
    pub ended_at: Option<u64>,
    /// How many steps it has.
    pub steps: u32,
    /// How many of them have ended or were skipped.
    pub done: u32,
    /// The steps that wait for a person's answer: approvals, and what a crash cut off.
    pub asks: Vec<String>,
    /// The running steps whose agents ask a person for something: a permission, mostly.
    pub needs_you: Vec<String>,
    /// What a person should know.
    pub message: Option<String>,
    /// Whether every step was skipped.
    pub nothing_ran: bool,
}

/// A run with its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct RunView {
    /// The run.
    #[serde(flatten)]
    pub info: RunInfo,
    /// Its inputs; of a secret, the name only.
    pub inputs: serde_json::Map<String, serde_json::Value>,
    /// The directory that it works in.
    pub cwd: String,
    /// The output of the run, if it has one.
    pub output: Option<String>,
    /// The steps, in the order of the file.
    pub step_list: Vec<StepView>,
    /// The place in the journal of the newest event in this view.
    #[specta(type = u32)]
    pub seq: u64,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct StepView {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: StepState,
    /// Why it was skipped, if it was.
    pub skip: Option<Skip>,
    /// For a switch that has decided: the branch that was taken.
    pub branch: Option<String>,
    /// Its condition and what that saw, when it asked about the world.
    pub guard: Option<Tried>,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptView>,
}

/// An attempt at a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct AttemptView {
    /// Its number, from 1.
    pub attempt: u32,
    /// Where it stands, or how it ended. `skipped`: it was cut off.
    pub state: StepState,
    /// When it began, in milliseconds since 1970.
    #[specta(type = u32)]
    pub started_at: u64,
    /// When it ended.
    #[specta(type = Option<u32>)]
    pub ended_at: Option<u64>,
    /// The pane that it ran in.
    pub pane: Option<u32>,
    /// The worktree that it worked in.
    pub worktree: Option<String>,
    /// The agent that worked on it.
    pub agent: Option<StepAgent>,
    /// What its agent asks a person for at the moment.
    pub needs_you: Option<String>,
    /// Its exit status.
    pub exit_code: Option<i32>,
    /// Why it ended so.
    pub message: Option<String>,
    /// Its output, at most the first 64 KB.
    pub output: Option<String>,
    /// The file with the whole output, when it is longer than that.
    pub output_file: Option<String>,
    /// Its structured output.
    pub data: Option<serde_json::Value>,
    /// What an agent was asked.
    pub prompt: Option<String>,
    /// What it decided, and what it saw.
    pub decision: Option<Decision>,
    /// What a person was asked.
    pub question: Option<Question>,
    /// What was answered.
    pub answer: Option<Given>,
    /// When the next attempt begins, or until when an answer is awaited.
    #[specta(type = Option<u32>)]
    pub due: Option<u64>,
    #[serde(skip)]
    pub(crate) handle: Option<String>,
    #[serde(skip)]
    pub(crate) awake: u64,
    #[serde(skip)]
    pub(crate) boot: String,
}

/// A run as it is begun.
#[derive(Debug, Clone)]
pub(crate) struct NewRun {
    pub(crate) id: String,
    pub(crate) flow: String,
    pub(crate) path: Option<String>,
    pub(crate) text: String,
    pub(crate) hash: String,
    pub(crate) inputs: serde_json::Map<String, serde_json::Value>,
    pub(crate) cwd: String,
    pub(crate) steps: Vec<String>,
}

/// A run as it was recorded.
#[derive(Debug, Clone)]
pub(crate) struct StoredRun {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) inputs: serde_json::Map<String, serde_json::Value>,
    pub(crate) cwd: String,
    pub(crate) started_at: u64,
    pub(crate) cancelled: bool,
    pub(crate) ended: bool,
    pub(crate) steps: Vec<StoredStep>,
}

#[derive(Debug, Clone)]
pub(crate) struct StoredStep {
    pub(crate) state: StepState,
    pub(crate) skip: Option<Skip>,
    pub(crate) branch: Option<Branch>,
    pub(crate) attempts: u32,
    pub(crate) earlier: u32,
    pub(crate) guard: Option<Tried>,
    /// All its attempts, oldest first.
    pub(crate) history: Vec<AttemptView>,
}

/// What came of claiming a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    Ours,
    Unknown,
    OwnedBy(Owner),
}

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
                        run.id, run.flow, run.path, run.text, run.hash, text(&run.inputs)?, run.cwd,
                        signed(at), text(&owner)?
                    ],
                )?;
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO steps (run, number, id, state, attempts, earlier) VALUES (?1, ?2, ?3, 'pending', 0, 0)",
                )?;
                for (number, id) in run.steps.iter().enumerate() {
                    insert.execute(params![run.id, signed(number as u64), id])?;
                }
                append(transaction, &run.id, at, Happened::RunStarted { flow: run.flow.clone() })
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
    /// in all runs of all processes: when that is more than there is room for, nothing is written.
    pub(crate) async fn commit(
        &self,
        run: &str,
        at: u64,
        awake: u64,
        entries: Arc<Vec<(usize, Happened)>>,
        agents: Option<(u32, u32)>,
    ) -> Result<Option<Vec<FlowEvent>>, StoreError> {
        #[cfg(test)]
        if let Some(left) = &self.stop_after
            && left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) <= 0
        {
            return Err(StoreError::Closed);
        }
        let run = run.to_owned();
        let journal = self.clone();
        // Long outputs first: a file that nothing speaks of does no harm, the other way round would.
        let mut files = BTreeMap::new();
        for (position, (step, what)) in entries.iter().enumerate() {
            if let Happened::StepEnded { attempt, ended, .. }
            | Happened::StepRetries { attempt, ended, .. }
            | Happened::StepLate { attempt, ended, .. } = what
                && let Some(output) = ended
                    .output
                    .as_ref()
                    .filter(|output| output.len() > INLINE_OUTPUT)
            {
                let path = self
                    .outputs
                    .join(&run)
                    .join(format!("{step}-{attempt}.txt"));
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
                    journal.project(transaction, &run, at, awake, *step, what, files.get(&position))?;
                    events.push(append(transaction, &run, at, what.clone())?);
                }
                Ok(Some(events))
            })
            .await
    }

    #[allow(
        clippy::too_many_arguments,
        clippy::too_many_lines,
        reason = "one arm per event"
    )]
    fn project(
        &self,
        transaction: &Transaction<'_>,
        run: &str,
        at: u64,
        awake: u64,
        step: usize,
        what: &Happened,
        file: Option<&String>,
    ) -> Result<(), StoreError> {
        let number = signed(step as u64);
        let state = |state: StepState| -> Result<(), StoreError> {
            transaction
                .prepare_cached("UPDATE steps SET state = ?3 WHERE run = ?1 AND number = ?2")?
                .execute(params![run, number, state.name()])?;
            Ok(())
        };
        let begin = |attempt: u32, name: &str, prompt: Option<&String>| -> Result<(), StoreError> {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO attempts (run, step, attempt, state, started_at, awake, boot, prompt)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![run, number, attempt, name, signed(at), signed(awake), self.boot, prompt])?;
            transaction
                .prepare_cached(
                    "UPDATE steps SET state = ?3, attempts = ?4 WHERE run = ?1 AND number = ?2",
                )?
                .execute(params![run, number, name, attempt])?;
            Ok(())
        };
        let end = |attempt: u32, ended: &AttemptEnd, due: Option<u64>| -> Result<(), StoreError> {
            if attempt == 0 {
                return Ok(());
            }
            let output = ended.output.as_ref().map(|output| head(output));
            let data = ended.data.as_ref().map(text).transpose()?;
            let decision = ended.decision.as_ref().map(text).transpose()?;
            transaction
                .prepare_cached(
                    "UPDATE attempts SET state = ?4, ended_at = ?5, exit_code = ?6, message = ?7, output = ?8,
                         output_file = ?9, data = ?10, decision = ?11, due = ?12, needs_you = NULL
                     WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                )?
                .execute(params![
                    run, number, attempt, ended.state.name(), signed(at), ended.exit_code, ended.message,
                    output, file, data, decision, due.map(signed)
                ])?;
            Ok(())
        };
        match what {
            Happened::RunStarted { .. } => {}
            Happened::RunResumed => {
                transaction
                    .prepare_cached(
                        "UPDATE runs SET outcome = NULL, ended_at = NULL, message = NULL, cancelled = 0 WHERE id = ?1",
                    )?
                    .execute([run])?;
            }
            Happened::RunCancelled => {
                transaction
                    .prepare_cached("UPDATE runs SET cancelled = 1 WHERE id = ?1")?
                    .execute([run])?;
            }
            Happened::RunEnded {
                state,
                nothing_ran,
                message,
                output,
            } => {
                transaction
                    .prepare_cached(
                        "UPDATE runs SET outcome = ?2, nothing_ran = ?3, message = ?4, output = ?5, ended_at = ?6,
                             owner = NULL WHERE id = ?1",
                    )?
                    .execute(params![run, text(state)?, nothing_ran, message, output, signed(at)])?;
            }
            Happened::StepQueued { .. } => state(StepState::Queued)?,
            Happened::StepSkipped { skip, .. } => {
                transaction
                    .prepare_cached("UPDATE steps SET state = 'skipped', skip = ?3 WHERE run = ?1 AND number = ?2")?
                    .execute(params![run, number, text(skip)?])?;
            }
            Happened::StepStarted {
                attempt, prompt, ..
            } => begin(*attempt, "running", prompt.as_ref())?,
            Happened::StepAttached {
                attempt,
                handle,
                pane,
                worktree,
                agent,
                ..
            } => {
                let agent = agent.as_ref().map(text).transpose()?;
                transaction
                    .prepare_cached(
                        "UPDATE attempts SET handle = ?4, pane = ?5, worktree = ?6, agent = ?7, needs_you = NULL
                         WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                    )?
                    .execute(params![run, number, attempt, handle, pane, worktree, agent])?;
            }
            Happened::StepNeedsYou {
                attempt, message, ..
            } => {
                transaction
                    .prepare_cached(
                        "UPDATE attempts SET needs_you = ?4 WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                    )?
                    .execute(params![run, number, attempt, message])?;
            }
            Happened::StepGuarded { guard, .. } => {
                transaction
                    .prepare_cached("UPDATE steps SET guard = ?3 WHERE run = ?1 AND number = ?2")?
                    .execute(params![run, number, text(guard)?])?;
            }
            Happened::StepAsked {
                attempt, question, ..
            } => {
                if question.kind == QuestionKind::Approval {
                    begin(*attempt, "awaiting_approval", None)?;
                } else {
                    state(StepState::AwaitingApproval)?;
                }
                transaction
                    .prepare_cached(
                        "UPDATE attempts SET state = 'awaiting_approval', question = ?4, due = ?5
                         WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                    )?
                    .execute(params![
                        run,
                        number,
                        attempt,
                        text(question)?,
                        question.due.map(signed)
                    ])?;
            }
            Happened::StepAnswered {
                attempt, answer, ..
            } => {
                transaction
                    .prepare_cached(
                        "UPDATE attempts SET answer = ?4 WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                    )?
                    .execute(params![run, number, attempt, text(answer)?])?;
            }
            Happened::StepRetries {
                attempt,
                ended,
                due,
                ..
            } => {
                end(*attempt, ended, Some(*due))?;
                state(StepState::RetryWait)?;
            }
            Happened::StepEnded { attempt, ended, .. } => {
                end(*attempt, ended, None)?;
                let branch = ended.chosen.as_ref().map(text).transpose()?;
                transaction
                    .prepare_cached(
                        "UPDATE steps SET state = ?3, branch = ?4 WHERE run = ?1 AND number = ?2",
                    )?
                    .execute(params![run, number, ended.state.name(), branch])?;
            }
            Happened::StepInterrupted { attempt, .. } => {
                transaction
                    .prepare_cached(
                        "UPDATE attempts SET state = 'skipped', ended_at = ?4, message = 'cut off', needs_you = NULL
                         WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                    )?
                    .execute(params![run, number, attempt, signed(at)])?;
                transaction
                    .prepare_cached(
                        "UPDATE steps SET state = 'queued', earlier = earlier + 1 WHERE run = ?1 AND number = ?2",
                    )?
                    .execute(params![run, number])?;
            }
            Happened::StepLate { attempt, ended, .. } => end(*attempt, ended, None)?,
            Happened::StepsReset { steps } => {
                let mut reset = transaction.prepare_cached(
                    "UPDATE steps SET state = 'pending', skip = NULL, branch = NULL, guard = NULL, earlier = attempts
                     WHERE run = ?1 AND id = ?2",
                )?;
                for id in steps {
                    reset.execute(params![run, id])?;
                }
            }
        }
        Ok(())
    }

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
                let mut history = attempts(connection, &run)?;
                let mut statement = connection.prepare_cached(
                    "SELECT number, state, skip, branch, attempts, earlier, guard FROM steps WHERE run = ?1 ORDER BY number",
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

    /// One run with its steps and attempts.
    pub(crate) async fn show(
        &self,
        run: &str,
        owners: std::sync::Arc<dyn Owners>,
    ) -> Result<Option<(RunView, String)>, StoreError> {
        let run = run.to_owned();
        self.store
            .read(move |connection| {
                let Some(info) = info(connection, &run, owners.as_ref())? else {
                    return Ok(None);
                };
                let (inputs, cwd, output, flow_text, seq): (
                    String,
                    String,
                    Option<String>,
                    String,
                    i64,
                ) = connection.query_row(
                    "SELECT inputs, cwd, output, text, (SELECT max(seq) FROM events WHERE run = ?1)
                         FROM runs WHERE id = ?1",
                    [&run],
                    |row| {
                        Ok((
                            row.get(0)?,
                            row.get(1)?,
                            row.get(2)?,
                            row.get(3)?,
                            row.get::<_, Option<i64>>(4)?.unwrap_or(0),
                        ))
                    },
                )?;
                let mut history = attempts(connection, &run)?;
                let mut statement = connection.prepare_cached(
                    "SELECT number, id, state, skip, guard FROM steps WHERE run = ?1 ORDER BY number",
                )?;
                let mut rows = statement.query([&run])?;
                let mut step_list = Vec::new();
                while let Some(row) = rows.next()? {
                    let number: i64 = row.get(0)?;
                    let attempts = history.remove(&number).unwrap_or_default();
                    let branch = attempts
                        .last()
                        .and_then(|attempt| attempt.decision.as_ref())
                        .and_then(|decision| decision.taken.clone());
                    step_list.push(StepView {
                        id: row.get(1)?,
                        state: state_of(&row.get::<_, String>(2)?)?,
                        skip: optional(row.get(3)?)?,
                        guard: optional(row.get(4)?)?,
                        branch,
                        attempts,
                    });
                }
                let view = RunView {
                    info,
                    inputs: value(&inputs)?,
                    cwd,
                    output,
                    step_list,
                    seq: unsigned(seq),
                };
                Ok(Some((view, flow_text)))
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

    /// What happened to any run after the event with the number `seq`, oldest first, whoever drove it.
    pub(crate) async fn events_of_all(&self, seq: u64) -> Result<Vec<FlowEvent>, StoreError> {
        self.store
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT seq, at, event, run FROM events WHERE seq > ?1 ORDER BY seq LIMIT 1000",
                )?;
                let mut rows = statement.query([signed(seq)])?;
                let mut events = Vec::new();
                while let Some(row) = rows.next()? {
                    events.push(FlowEvent {
                        run: row.get(3)?,
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

    /// Answers a request.
    pub(crate) async fn respond(&self, id: i64, answer: String) -> Result<(), StoreError> {
        self.store
            .write(move |transaction| {
                transaction.execute(
                    "UPDATE requests SET answer = ?2 WHERE id = ?1",
                    params![id, answer],
                )?;
                Ok(())
            })
            .await
    }
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

fn attempts(
    connection: &Connection,
    run: &str,
) -> Result<BTreeMap<i64, Vec<AttemptView>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT step, attempt, state, started_at, ended_at, pane, worktree, exit_code, message, output, output_file,
                data, prompt, decision, question, answer, due, handle, awake, boot, agent, needs_you
         FROM attempts WHERE run = ?1 ORDER BY step, attempt",
    )?;
    let mut rows = statement.query([run])?;
    let mut found: BTreeMap<i64, Vec<AttemptView>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        found.entry(row.get(0)?).or_default().push(AttemptView {
            attempt: row.get(1)?,
            state: state_of(&row.get::<_, String>(2)?)?,
            started_at: unsigned(row.get(3)?),
            ended_at: row.get::<_, Option<i64>>(4)?.map(unsigned),
            pane: row.get(5)?,
            worktree: row.get(6)?,
            exit_code: row.get(7)?,
            message: row.get(8)?,
            output: row.get(9)?,
            output_file: row.get(10)?,
            data: optional(row.get(11)?)?,
            prompt: row.get(12)?,
            decision: optional(row.get(13)?)?,
            question: optional(row.get(14)?)?,
            answer: optional(row.get(15)?)?,
            due: row.get::<_, Option<i64>>(16)?.map(unsigned),
            handle: row.get(17)?,
            awake: unsigned(row.get(18)?),
            boot: row.get(19)?,
            agent: optional(row.get(20)?)?,
            needs_you: row.get(21)?,
        });
    }
    Ok(found)
}

fn head(output: &str) -> &str {
    let end = (0..=output.len().min(INLINE_OUTPUT))
        .rev()
        .find(|end| output.is_char_boundary(*end))
        .unwrap_or(0);
    &output[..end]
}

impl AttemptView {
    /// The whole output, from the file when it is long.
    pub(crate) fn whole_output(&self) -> Option<String> {
        match &self.output_file {
            Some(file) => fs::read_to_string(file)
                .ok()
                .or_else(|| self.output.clone()),
            None => self.output.clone(),
        }
    }
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
