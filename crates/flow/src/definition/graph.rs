//! The flow as a picture: nodes, edges, cases, batches; and as Mermaid and DOT.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use specta::Type;

use super::items::item_of;
use super::{Branch, Flow, Kind, Need, Repeat, StepIndex, StepKind, Trigger};

/// A flow as a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FlowGraph {
    /// What the flow is called.
    pub name: String,
    /// Its steps, in the order of the file.
    pub nodes: Vec<GraphNode>,
    /// What waits for what.
    pub edges: Vec<GraphEdge>,
    /// Its batches.
    pub batches: Vec<GraphBatch>,
}

/// A step in the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct GraphNode {
    /// The step.
    pub id: String,
    /// What it does.
    pub kind: StepKind,
    /// What it does, in its author's words.
    pub description: Option<String>,
    /// When it runs, given its needs.
    pub trigger: Trigger,
    /// Its guard.
    pub when: Option<String>,
    /// The batch that it is in.
    pub batch: Option<String>,
    /// Whether what needs it may go on when it fails.
    pub allow_failure: bool,
    /// For a switch: its cases in order, the default last.
    pub cases: Vec<GraphCase>,
    /// For what is done for each item of a list: the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreach: Option<GraphList>,
    /// For a `repeat`: what it does again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<GraphRepeat>,
    /// The line of the file that it starts on.
    pub line: u32,
}

/// A list in the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct GraphList {
    /// The expression that comes to it.
    pub of: String,
    /// How many of its items may be at work at once.
    pub max_concurrent: Option<u32>,
}

/// The rounds of a `repeat` in the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct GraphRepeat {
    /// The steps of a round.
    pub steps: Vec<String>,
    /// When there is no further one.
    pub until: String,
    /// How many there may be.
    pub times: u32,
}

/// A case of a switch in the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct GraphCase {
    /// Its label; `default` for the default.
    pub label: String,
    /// Its condition; none for the default.
    pub when: Option<String>,
    /// The steps that run only when it is taken.
    pub steps: Vec<String>,
}

/// What an edge of the picture means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum GraphEdgeKind {
    /// `to` needs `from`.
    Need,
    /// `to` is in a case of the switch `from`.
    Case,
    /// `to` needs the whole batch that `from` is in.
    Batch,
    /// A rejection of `from` goes back to `to`.
    Goto,
    /// Another round of `from` begins with `to`.
    Repeat,
}

/// An edge of the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct GraphEdge {
    /// Where it starts.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// What it means.
    pub kind: GraphEdgeKind,
    /// For a case: its label.
    pub label: Option<String>,
}

/// A batch in the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct GraphBatch {
    /// Its name.
    pub name: String,
    /// How many of its members may be at work at once.
    pub max_concurrent: u32,
    /// Its members.
    pub steps: Vec<String>,
}

/// What a flow says of one step, for a person who looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct StepDefinition {
    /// What it does.
    pub kind: StepKind,
    /// The script, the template, the prompt's template or the question's, the condition of rounds; none for a switch.
    pub text: Option<String>,
    /// For an agent: which one.
    pub agent: Option<String>,
    /// What is added to its environment, as templates.
    pub env: BTreeMap<String, String>,
    /// The directory that it works in, when it names one.
    pub cwd: Option<String>,
    /// The worktree that it works in, when it names one.
    pub worktree: Option<String>,
    /// The limit of one attempt, in milliseconds.
    #[specta(type = Option<u32>)]
    pub timeout: Option<u64>,
    /// How many attempts may follow a failed one.
    pub retries: u32,
    /// The line of the file that it starts on.
    pub line: u32,
}

impl Flow {
    /// What the flow says of a step; none when it has no such step.
    #[must_use]
    pub fn step_definition(&self, id: &str) -> Option<StepDefinition> {
        // What is done for an item is what its step says.
        let of = item_of(id).map_or(id, |(step, _)| step);
        let step = &self.steps[self.step(of)?];
        let (text, agent) = match &step.kind {
            Kind::Agent(agent) => {
                let which = agent.name.as_ref().or(agent.provider.as_ref());
                let which = which.map_or_else(
                    || agent.program.join(" "),
                    |which| format!("{} · {which}", agent.backend),
                );
                let which = match &agent.persona {
                    Some(persona) if which.is_empty() => format!("as {persona}"),
                    Some(persona) => format!("{which}, as {persona}"),
                    None => which,
                };
                (Some(agent.prompt.clone()), Some(which))
            }
            Kind::Run { script } => (Some(script.clone()), None),
            Kind::Value { template } => (Some(template.clone()), None),
            Kind::Approval(approval) => (Some(approval.message.clone()), None),
            Kind::Repeat(repeat) => (Some(repeat.until.clone()), None),
            Kind::Switch(_) => (None, None),
        };
        Some(StepDefinition {
            kind: step.kind.step_kind(),
            text,
            agent,
            env: step.env.clone(),
            cwd: step.cwd.clone(),
            worktree: step.worktree.clone(),
            timeout: step
                .timeout
                .map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
            retries: step.retry.retries,
            line: step.at.line,
        })
    }

    /// The flow as a picture.
    #[must_use]
    pub fn graph(&self) -> FlowGraph {
        let id = |step: &usize| self.steps[*step].id.clone();
        let mut edges = Vec::new();
        let mut nodes = Vec::new();
        for step in &self.steps {
            for gate in &step.gates {
                for branch in &gate.branches {
                    edges.push(GraphEdge {
                        from: id(&gate.switch),
                        to: step.id.clone(),
                        kind: GraphEdgeKind::Case,
                        label: Some(self.branch_label(gate.switch, *branch)),
                    });
                }
            }
            // A round ends with those of its steps that no other one waits for.
            let within = |need: &Need| match (&step.kind, need) {
                (Kind::Repeat(repeat), Need::Step(step)) => self.waits_in_round(repeat, *step),
                _ => false,
            };
            for need in step.needs.iter().filter(|need| !within(need)) {
                match need {
                    Need::Step(need) => edges.push(GraphEdge {
                        from: id(need),
                        to: step.id.clone(),
                        kind: GraphEdgeKind::Need,
                        label: None,
                    }),
                    Need::Batch(batch) => {
                        edges.extend(self.batches[*batch].members.iter().map(|member| GraphEdge {
                            from: id(member),
                            to: step.id.clone(),
                            kind: GraphEdgeKind::Batch,
                            label: None,
                        }));
                    }
                }
            }
            if let Kind::Approval(approval) = &step.kind
                && let Some(goto) = &approval.goto
            {
                edges.push(GraphEdge {
                    from: step.id.clone(),
                    to: id(goto),
                    kind: GraphEdgeKind::Goto,
                    label: None,
                });
            }
            let mut repeat = None;
            if let Kind::Repeat(rounds) = &step.kind {
                edges.extend(rounds.first.iter().map(|first| GraphEdge {
                    from: step.id.clone(),
                    to: id(first),
                    kind: GraphEdgeKind::Repeat,
                    label: None,
                }));
                repeat = Some(GraphRepeat {
                    steps: rounds.steps.iter().map(id).collect(),
                    until: rounds.until.clone(),
                    times: rounds.times,
                });
            }
            let mut cases = Vec::new();
            if let Kind::Switch(switch) = &step.kind {
                cases.extend(switch.cases.iter().map(|case| GraphCase {
                    label: case.label.clone(),
                    when: Some(case.when.clone()),
                    steps: case.steps.iter().map(id).collect(),
                }));
                cases.extend(switch.default.iter().map(|steps| GraphCase {
                    label: "default".to_owned(),
                    when: None,
                    steps: steps.iter().map(id).collect(),
                }));
            }
            nodes.push(GraphNode {
                id: step.id.clone(),
                kind: step.kind.step_kind(),
                description: step.description.clone(),
                trigger: step.trigger,
                when: step.when.clone(),
                batch: step.batch.map(|batch| self.batches[batch].name.clone()),
                allow_failure: step.allow_failure,
                cases,
                foreach: step.foreach.as_ref().map(|list| GraphList {
                    of: list.of.clone(),
                    max_concurrent: list.max_concurrent,
                }),
                repeat,
                line: step.at.line,
            });
        }
        FlowGraph {
            name: self.name.clone(),
            nodes,
            edges,
            batches: self
                .batches
                .iter()
                .map(|batch| GraphBatch {
                    name: batch.name.clone(),
                    max_concurrent: batch.max_concurrent,
                    steps: batch.members.iter().map(id).collect(),
                })
                .collect(),
        }
    }

    /// Whether another step of a round waits for this one.
    fn waits_in_round(&self, repeat: &Repeat, step: StepIndex) -> bool {
        repeat.steps.iter().any(|other| {
            let other = &self.steps[*other];
            other.needs.contains(&Need::Step(step))
                || other.gates.iter().any(|gate| gate.switch == step)
        })
    }

    /// The way out of a switch that a label stands for.
    pub(crate) fn branch(&self, switch: usize, label: &str) -> Option<Branch> {
        let Kind::Switch(switch) = &self.steps[switch].kind else {
            return None;
        };
        let case = switch.cases.iter().position(|case| case.label == label);
        case.map(Branch::Case)
            .or_else(|| switch.default.as_ref().map(|_| Branch::Default))
    }

    pub(crate) fn branch_label(&self, switch: usize, branch: Branch) -> String {
        match (&self.steps[switch].kind, branch) {
            (Kind::Switch(switch), Branch::Case(position)) => switch
                .cases
                .get(position)
                .map_or_else(|| position.to_string(), |case| case.label.clone()),
            _ => "default".to_owned(),
        }
    }
}

impl FlowGraph {
    /// The picture as a Mermaid flowchart.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let mut text = "flowchart TD\n".to_owned();
        let node = |text: &mut String, node: &GraphNode, indent: &str| {
            let (open, close) = match node.kind {
                StepKind::Agent => ("([", "])"),
                StepKind::Run => ("[", "]"),
                StepKind::Value => ("[/", "/]"),
                StepKind::Approval => ("[[", "]]"),
                StepKind::Switch => ("{", "}"),
                StepKind::Repeat => ("{{", "}}"),
            };
            let _ = writeln!(text, "{indent}s_{0}{open}\"{0}\"{close}", node.id);
        };
        for batch in &self.batches {
            let _ = writeln!(
                text,
                "  subgraph b_{0}[\"{0}: {1} at once\"]",
                batch.name, batch.max_concurrent
            );
            for step in self
                .nodes
                .iter()
                .filter(|step| step.batch.as_ref() == Some(&batch.name))
            {
                node(&mut text, step, "    ");
            }
            text.push_str("  end\n");
        }
        for step in self.nodes.iter().filter(|step| step.batch.is_none()) {
            node(&mut text, step, "  ");
        }
        for edge in &self.edges {
            let label = edge
                .label
                .as_deref()
                .unwrap_or_default()
                .replace(['"', '|'], "'");
            let _ = match edge.kind {
                GraphEdgeKind::Need | GraphEdgeKind::Batch => {
                    writeln!(text, "  s_{} --> s_{}", edge.from, edge.to)
                }
                GraphEdgeKind::Case => {
                    writeln!(text, "  s_{} -->|\"{label}\"| s_{}", edge.from, edge.to)
                }
                GraphEdgeKind::Goto => {
                    writeln!(text, "  s_{} -.->|\"rejected\"| s_{}", edge.from, edge.to)
                }
                GraphEdgeKind::Repeat => {
                    writeln!(text, "  s_{} -.->|\"again\"| s_{}", edge.from, edge.to)
                }
            };
        }
        text
    }

    /// The picture in Graphviz' language.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let mut text = format!("digraph {} {{\n  rankdir=TB;\n", quote(&self.name));
        let node = |text: &mut String, node: &GraphNode, indent: &str| {
            let shape = match node.kind {
                StepKind::Agent => "ellipse",
                StepKind::Run => "box",
                StepKind::Value => "parallelogram",
                StepKind::Approval => "octagon",
                StepKind::Switch => "diamond",
                StepKind::Repeat => "hexagon",
            };
            let _ = writeln!(text, "{indent}{} [shape={shape}];", quote(&node.id));
        };
        for (number, batch) in self.batches.iter().enumerate() {
            let label = quote(&format!("{}: {} at once", batch.name, batch.max_concurrent));
            let _ = writeln!(text, "  subgraph cluster_{number} {{\n    label={label};");
            for step in self
                .nodes
                .iter()
                .filter(|step| step.batch.as_ref() == Some(&batch.name))
            {
                node(&mut text, step, "    ");
            }
            text.push_str("  }\n");
        }
        for step in self.nodes.iter().filter(|step| step.batch.is_none()) {
            node(&mut text, step, "  ");
        }
        for edge in &self.edges {
            let (from, to) = (quote(&edge.from), quote(&edge.to));
            let style = match edge.kind {
                GraphEdgeKind::Need | GraphEdgeKind::Batch => String::new(),
                GraphEdgeKind::Case => format!(
                    " [label={}]",
                    quote(edge.label.as_deref().unwrap_or_default())
                ),
                GraphEdgeKind::Goto => {
                    " [style=dashed, label=\"rejected\", constraint=false]".to_owned()
                }
                GraphEdgeKind::Repeat => {
                    " [style=dashed, label=\"again\", constraint=false]".to_owned()
                }
            };
            let _ = writeln!(text, "  {from} -> {to}{style};");
        }
        text.push_str("}\n");
        text
    }
}
