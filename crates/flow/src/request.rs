//! What a person asks of a run, and why it may be refused.

use std::fmt;

use serde::{Deserialize, Serialize};
use store::StoreError;

use crate::definition::{BadInput, FlowRefused};
use crate::journal::Given;

/// What a person asks of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub(crate) enum Request {
    Resume,
    CancelRun,
    CancelStep { step: String },
    CancelBatch { batch: String },
    Answer { step: String, given: Given },
    MarkSucceeded { step: String, output: String },
    MarkSkipped { step: String },
    RetryFailed,
    RerunFrom { step: String },
}

/// A secret input that can't be had. What was given for it is not told: it may be the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret input `{input}` {message}")]
pub struct BadSecret {
    /// Which input.
    pub input: String,
    /// What would be right.
    pub message: String,
}

/// A step that ran, and for which the new definition has no room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The step.
    pub step: String,
    /// What of it, or of what it was decided from, is other than it was.
    pub why: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.step, self.why)
    }
}

/// Why a run did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// There is no such run.
    #[error("there is no run `{run}`; `switchyard flow list` shows them")]
    UnknownRun {
        /// What was asked for.
        run: String,
    },
    /// Several runs are meant.
    #[error("several runs begin with `{run}`: {}", .runs.join(", "))]
    SeveralRuns {
        /// What was asked for.
        run: String,
        /// Those that begin so, newest first.
        runs: Vec<String>,
    },
    /// No run was ever started.
    #[error("there are no runs yet; `switchyard flow run FILE` starts one")]
    NoRuns,
    /// The flow has no such step.
    #[error("the flow has no step `{step}`")]
    UnknownStep {
        /// What was asked for.
        step: String,
    },
    /// The flow has no such batch.
    #[error("the flow has no batch `{batch}`")]
    UnknownBatch {
        /// What was asked for.
        batch: String,
    },
    /// The step does not wait for an answer.
    #[error("`{step}` does not wait for an answer")]
    NotAsked {
        /// The step.
        step: String,
    },
    /// The step has ended.
    #[error("`{step}` has ended already")]
    StepEnded {
        /// The step.
        step: String,
    },
    /// A field of the form is missing, unknown or of the wrong type.
    #[error("the field `{field}` {message}")]
    BadForm {
        /// The field.
        field: String,
        /// What would be right.
        message: String,
    },
    /// The run has ended.
    #[error("the run has ended already")]
    Ended,
    /// The run has not ended.
    #[error("the run has not ended; cancel it first")]
    NotEnded,
    /// No step of the run failed.
    #[error("no step of the run has failed")]
    NothingFailed,
    /// This process is about to end.
    #[error("the run is being let go of; ask again")]
    Stopping,
    /// Another process drives the run, and does not answer.
    #[error("process {pid} drives the run and does not answer")]
    OtherProcess {
        /// Its id.
        pid: u32,
    },
    /// Another process drives the run, and was stopped by a signal.
    #[error(
        "process {pid} drives the run and was stopped; `kill -CONT {pid}` lets it go on, or end it, and the run can be resumed"
    )]
    StoppedProcess {
        /// Its id.
        pid: u32,
    },
    /// A process drives the run, so that it can't be given another definition.
    #[error(
        "process {pid} drives the run; it can be given its new definition once nothing of it is at work"
    )]
    Driven {
        /// Its id.
        pid: u32,
    },
    /// The new definition is refused.
    #[error(transparent)]
    Definition(FlowRefused),
    /// The new definition has no room for an input of the run.
    #[error(transparent)]
    Input(#[from] BadInput),
    /// The new definition is another one for steps that ran.
    #[error("the new definition does not fit what ran: {}; `--from STEP` does a step again, with all that follows", .misfits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    DoesNotFit {
        /// Those steps.
        misfits: Vec<Misfit>,
    },
    /// The process that drives the run refused.
    #[error("{message}")]
    Refused {
        /// What it said.
        message: String,
    },
    /// A secret input can't be had.
    #[error(transparent)]
    Secret(#[from] BadSecret),
    /// The flow as it was recorded can't be read by this version.
    #[error("the run was written by another version")]
    Flow(#[from] FlowRefused),
    /// The journal can't be read or written.
    #[error("the journal of the run can't be used")]
    Journal(#[from] StoreError),
}
