//! Flows: durable runs of agent, code, approval and switch steps.
//!
//! [`Flow`] is what a person wrote, read and checked: it can be refused with a place and a hint, drawn, and
//! simulated. [`Flows`] drives runs of it and records them; [`Actions`] is what their steps may ask of the
//! world, which this room does not know.
//!
//! It promises: what a run has come to is written down before anything follows from it, so a run that was
//! cut off at any moment goes on where it was; a decision is made once; no more steps run at once than
//! their limits say; every step that did not run says why. How a program is started, and what an agent is,
//! it leaves to others.

mod action;
mod chance;
mod data;
mod decide;
mod definition;
mod flows;
mod follow;
mod journal;
mod owner;
#[cfg(test)]
mod plans;
mod redefine;
mod request;
mod runner;
mod scope;
mod shared;
mod simulate;
mod why;

pub use action::{
    ActionError, Actions, Activity, Answer, Ended, Finished, Found, Job, JobKey, StepAgent, Work,
    WorktreeWish, plain_text,
};
pub use data::Json;
pub use decide::{Decision, Outcome, Skip, SkipCause, StepState, Tried};
pub use definition::{
    BadInput, Finding, Flow, FlowGraph, FlowRefused, GraphBatch, GraphCase, GraphEdge,
    GraphEdgeKind, GraphList, GraphNode, GraphRepeat, InputInfo, InputType, OnInterrupt, OnTimeout,
    OpenAgent, OutputType, Position, PromptBy, Severity, StepDefinition, StepKind, Trigger,
    is_persona_name,
};
pub use flows::{Flows, FlowsConfig, StartError, StartRun};
pub use follow::RunsFollowed;
pub use journal::{
    AttemptEnd, AttemptView, FlowEvent, Given, Happened, ListItem, Question, QuestionKind, Round,
    RoundStep, RunChange, RunInfo, RunState, RunView, SCHEMA, StepView,
};
pub use owner::{Owner, Owners, SystemOwners};
pub use redefine::Again;
pub use request::{BadSecret, Misfit, RequestError};
pub use shared::RunLimits;
pub use simulate::{
    BadStubs, RoundStub, SimulatedStep, Simulation, StepStub, StubState, Stubs, Unnamed,
};
