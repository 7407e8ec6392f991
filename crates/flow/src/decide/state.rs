//! The words for where a step and a run stand, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use specta::Type;

/// Where a step stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type,
)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Something that it needs has not ended.
    Pending,
    /// It could run and waits for a place.
    Queued,
    /// An attempt is at work.
    Running,
    /// An attempt failed and the next one waits for its time.
    RetryWait,
    /// A person is asked.
    AwaitingApproval,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// It took too long.
    TimedOut,
    /// A person said no.
    Rejected,
    /// A person ended it.
    Cancelled,
    /// It did not run.
    Skipped,
}

impl StepState {
    /// Whether nothing more comes of it.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Succeeded
                | Self::Failed
                | Self::TimedOut
                | Self::Rejected
                | Self::Cancelled
                | Self::Skipped
        )
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::RetryWait => "retry_wait",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }
}

/// Why a step did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SkipCause {
    /// Its guard was false.
    GuardFalse,
    /// Its switch took another case.
    BranchNotTaken,
    /// It does not take part in this band.
    Band,
    /// Nothing that it needs ran.
    AllInputsDead,
    /// Something that it needs failed.
    UpstreamFailed,
    /// Its trigger rule can't be met any more.
    RuleNotMet,
    /// A person skipped it.
    User,
    /// The run was ended before its turn came.
    RunCancelled,
    /// The list that it was an item of no longer has it.
    NotListed,
}

/// Why a step did not run, and where that began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Skip {
    /// Why.
    pub cause: SkipCause,
    /// The step where it began.
    pub origin: String,
    /// Whether a failure lies upstream.
    pub tainted: bool,
    /// For a branch that was not taken: the case that was; none when no case was.
    pub taken: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
// The window knows the outcome of an agent's turn too: this one has a name of its own there.
#[serde(rename = "RunOutcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Every step that ran did what it should.
    Succeeded,
    /// A step failed, timed out or was rejected.
    Failed,
    /// A person ended it.
    Cancelled,
}

/// What of a switch's decision is kept: every condition that was tried, and what it saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Decision {
    /// The label of the case that was taken; `default`; none.
    pub taken: Option<String>,
    /// The conditions that were tried, in order.
    pub tried: Vec<Tried>,
}

/// A condition that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Tried {
    /// The label of its case; none for the guard of a step.
    pub case: Option<String>,
    /// The condition.
    pub when: String,
    /// What it said; none when it could not be evaluated.
    pub holds: Option<bool>,
    /// The values of the names in it.
    pub saw: BTreeMap<String, serde_json::Value>,
}
