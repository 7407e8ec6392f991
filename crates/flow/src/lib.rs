//! Flows: durable runs of agent, code, approval and switch steps.

mod decide;
mod definition;
mod scope;
mod simulate;

pub use decide::{Decision, Outcome, Skip, SkipCause, StepState, Tried};
pub use definition::{
    BadInput, Finding, Flow, FlowGraph, FlowRefused, GraphBatch, GraphCase, GraphEdge,
    GraphEdgeKind, GraphNode, InputInfo, InputType, OnInterrupt, OnTimeout, OutputType, Position,
    PromptBy, Severity, StepKind, Trigger,
};
pub use simulate::{BadStubs, SimulatedStep, Simulation, StepStub, StubState, Stubs};
