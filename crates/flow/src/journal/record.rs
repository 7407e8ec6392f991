//! The values that the journal is made of: what happened, and the views that it adds up to.

use std::fs;

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::action::StepAgent;
use crate::data::Json;
use crate::decide::{Decision, Outcome, Skip, StepState, Tried};
use crate::definition::{Branch, Flow, InputInfo, StepIndex};
use crate::owner::Owner;

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
    /// The run goes on with another definition of its flow.
    RunRedefined {
        /// All steps of it.
        steps: Vec<String>,
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
    /// The program of a step has ended, and something that it left behind keeps the step from ending.
    StepHeld {
        /// Which step.
        step: String,
        /// Which attempt.
        attempt: u32,
        /// What does, for a person.
        message: String,
    },
    /// The answer of an agent was not what it has to be, and it is asked once more, in the same attempt.
    StepAskedAgain {
        /// Which step.
        step: String,
        /// Which attempt.
        attempt: u32,
        /// What is wrong with the answer.
        message: String,
        /// What it is asked.
        prompt: String,
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
    /// A round of a `repeat` ended and another one begins: its steps are begun anew, and their earlier attempts are kept.
    StepRepeats {
        /// Which `repeat`.
        step: String,
        /// Which of its attempts judged the round.
        attempt: u32,
        /// What it came to.
        ended: AttemptEnd,
        /// The `repeat`, and after it the steps that are begun anew.
        steps: Vec<String>,
    },
    /// The list of a step is known: each of its items is a step of the run from now on.
    ListOpened {
        /// Which step.
        step: String,
        /// Its items.
        items: Vec<ListItem>,
    },
    /// The list of a step is read again.
    ListClosed {
        /// Which step.
        step: String,
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

impl Happened {
    /// The steps that are other than before by it.
    pub(crate) fn touched(&self) -> &[String] {
        match self {
            Self::RunStarted { .. }
            | Self::RunResumed
            | Self::RunCancelled
            | Self::RunEnded { .. } => &[],
            Self::StepQueued { step }
            | Self::StepSkipped { step, .. }
            | Self::StepStarted { step, .. }
            | Self::StepAttached { step, .. }
            | Self::StepNeedsYou { step, .. }
            | Self::StepHeld { step, .. }
            | Self::StepAskedAgain { step, .. }
            | Self::StepGuarded { step, .. }
            | Self::ListOpened { step, .. }
            | Self::ListClosed { step }
            | Self::StepAsked { step, .. }
            | Self::StepAnswered { step, .. }
            | Self::StepRetries { step, .. }
            | Self::StepEnded { step, .. }
            | Self::StepInterrupted { step, .. }
            | Self::StepLate { step, .. } => std::slice::from_ref(step),
            Self::StepsReset { steps }
            | Self::RunRedefined { steps }
            | Self::StepRepeats { steps, .. } => steps,
        }
    }
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
    /// For a `repeat`: the round that it judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<Round>,
    /// Its output. Not in the event when it is long: see [`AttemptView`].
    #[serde(skip)]
    pub(crate) output: Option<String>,
    #[serde(skip)]
    pub(crate) data: Option<Json>,
    #[serde(skip)]
    pub(crate) chosen: Option<Branch>,
    /// It is no failure of its own: what it gave is not what it has to be.
    #[serde(skip)]
    pub(crate) unfit: bool,
}

impl AttemptEnd {
    pub(crate) fn new(state: StepState) -> Self {
        Self {
            state,
            exit_code: None,
            message: None,
            branch: None,
            decision: None,
            round: None,
            output: None,
            data: None,
            chosen: None,
            unfit: false,
        }
    }

    /// The end of an attempt of which nothing more is known.
    pub(crate) fn cut_off() -> Self {
        Self::new(StepState::Failed)
            .with_message("it was cut off, and nothing is known of what it had done")
    }

    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ListItem {
    /// The step that it is done by.
    pub step: String,
    /// What it is.
    pub value: serde_json::Value,
    #[serde(skip)]
    pub(crate) place: usize,
    /// The run had such a step already.
    #[serde(skip)]
    pub(crate) known: bool,
}

/// A round that a `repeat` judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Round {
    /// Its number, from 1.
    pub number: u32,
    /// What its steps came to.
    pub steps: Vec<RoundStep>,
}

/// What a step came to in a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RoundStep {
    /// Which step.
    pub step: String,
    /// How it ended.
    pub state: StepState,
    /// The last of its attempts by then; not one of this round when it was skipped.
    pub attempt: u32,
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

/// What of a run is other than before: whoever holds the run replaces the old by it.
///
/// It holds nothing that may be long: prompts, outputs and data of attempts are left out, as in
/// [`Flows::outline`](crate::Flows::outline).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct RunChange {
    /// The run as it is now.
    pub info: RunInfo,
    /// Its output, if it has one by now.
    pub output: Option<String>,
    /// The steps that changed, as they are now, in the order of the file.
    pub steps: Vec<StepView>,
    /// The run has another definition than before: its graph and its steps are to be had anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redefined: bool,
    /// The place in the journal of the newest event that this takes in. What a window holds of a later place is newer.
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
    /// Since when it waits for a place, in milliseconds since 1970, while it does.
    #[specta(type = Option<u32>)]
    pub queued_at: Option<u64>,
    /// Its condition and what that saw, when it asked about the world.
    pub guard: Option<Tried>,
    /// Why its condition could not be evaluated, if it failed by that: it has not run.
    pub guard_error: Option<String>,
    /// For what is done for an item of a list: the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<serde_json::Value>,
    /// For a step with a list: how many items that has, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u32>,
    /// How many of its attempts were before the last time that it was begun anew, or cut off. For a `repeat`, those after
    /// them are its rounds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub earlier: u32,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptView>,
}

// Serde hands it a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// An attempt at a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct AttemptView {
    /// Its number, from 1.
    pub attempt: u32,
    /// Where it stands, or how it ended. `skipped`: it was cut off.
    pub state: StepState,
    /// From when on it waited for a place, in milliseconds since 1970, if it had to be given one.
    #[specta(type = Option<u32>)]
    pub queued_at: Option<u64>,
    /// When it began.
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
    /// What keeps it from ending although its program has ended.
    pub held: Option<String>,
    /// Its exit status.
    pub exit_code: Option<i32>,
    /// Why it ended so.
    pub message: Option<String>,
    /// Its output, at most the first 64 KB.
    pub output: Option<String>,
    /// The file with the whole output, when it is longer than that.
    pub output_file: Option<String>,
    /// Its structured output.
    #[specta(type = Option<serde_json::Value>)]
    pub data: Option<Json>,
    /// What an agent was asked.
    pub prompt: Option<String>,
    /// What it was asked once more, when its answer was not what it has to be.
    pub asked_again: Option<String>,
    /// What it decided, and what it saw.
    pub decision: Option<Decision>,
    /// For a `repeat`: the round that it judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<Round>,
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

/// A run as it goes on with its new definition.
pub(crate) struct Redefined {
    pub(crate) flow: String,
    pub(crate) text: String,
    pub(crate) hash: String,
    pub(crate) inputs: serde_json::Map<String, serde_json::Value>,
    /// The steps of the new definition, in the order of its file.
    pub(crate) steps: Vec<NewPlace>,
}

/// Where a step of the new definition comes from.
pub(crate) struct NewPlace {
    pub(crate) id: String,
    /// Its number in the definition so far; none: it is new.
    pub(crate) was: Option<StepIndex>,
    /// What it came to stands; else it is decided anew.
    pub(crate) stands: bool,
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
    pub(crate) id: String,
    /// Of an item of a list: what it is.
    pub(crate) item: Option<serde_json::Value>,
    /// How many items its list has, when that is known.
    pub(crate) items: Option<u32>,
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

impl StoredRun {
    /// Its flow, with the steps that it got for the items of lists.
    pub(crate) fn grown(&self, flow: &Flow) -> Flow {
        let steps = self.steps.iter();
        flow.grown(steps.map(|step| (step.id.as_str(), step.item.as_ref(), step.items)))
    }
}

impl RunView {
    /// Its flow, with the steps that it got for the items of lists.
    pub(crate) fn grown(&self, flow: &Flow) -> Flow {
        let steps = self.step_list.iter();
        flow.grown(steps.map(|step| (step.id.as_str(), step.item.as_ref(), step.items)))
    }
}
