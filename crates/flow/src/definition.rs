//! What the user writes: steps, cases, batches; read, checked, and made ready for decisions.
//!
//! [`Flow::read`] turns the text of a file into a [`Flow`], or into the list of what is wrong with it.
//! In a `Flow` every name has become an index, every default has been filled in, and none of the
//! mistakes that can be seen without running it is left.

mod check;
mod duration;
mod file;
mod graph;
pub(crate) mod items;
pub(crate) mod outside;
mod problem;
pub(crate) mod template;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use specta::Type;

pub use file::{InputType, OnInterrupt, OnTimeout, OutputType, Position, PromptBy, Trigger};
pub use graph::{
    FlowGraph, GraphBatch, GraphCase, GraphEdge, GraphEdgeKind, GraphList, GraphNode, GraphRepeat,
    StepDefinition,
};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
// The window knows the severity of conflicts too: this one has a name of its own there.
#[serde(rename = "FindingSeverity", rename_all = "snake_case")]
pub enum Severity {
    /// The flow is refused.
    Error,
    /// It runs, and may not do what its author meant.
    Warning,
}

/// Something that is wrong with a flow's file, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub at: Position,
    /// What is wrong.
    pub message: String,
    /// What would be right, when that can be said.
    pub hint: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(
            f,
            "{}:{}: {severity}: {}",
            self.at.line, self.at.column, self.message
        )?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

/// A flow's file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the flow is refused: {}", .findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct FlowRefused {
    /// What is wrong with it; at least one is an error.
    pub findings: Vec<Finding>,
}

/// A step's place in its flow.
pub(crate) type StepIndex = usize;
/// A batch's place in its flow.
pub(crate) type BatchIndex = usize;

/// A flow that was read and checked.
#[derive(Debug, Clone)]
pub struct Flow {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) text: String,
    pub(crate) hash: String,
    pub(crate) inputs: BTreeMap<String, Input>,
    pub(crate) max_concurrent: u32,
    pub(crate) batches: Vec<Batch>,
    pub(crate) steps: Vec<Step>,
    pub(crate) output: Option<RunOutput>,
    pub(crate) warnings: Vec<Finding>,
    index: HashMap<String, StepIndex>,
}

#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// Where the file has it.
    pub(crate) at: Position,
    pub(crate) kind: InputType,
    pub(crate) required: bool,
    pub(crate) default: Option<serde_json::Value>,
    pub(crate) values: Vec<String>,
    pub(crate) description: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) name: String,
    pub(crate) max_concurrent: u32,
    pub(crate) join: Trigger,
    pub(crate) members: Vec<StepIndex>,
    /// It is none of the file: it limits the items of a list.
    pub(crate) own: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) at: Position,
    /// Its place in an order in which every step comes after all that it waits for.
    pub(crate) rank: usize,
    pub(crate) kind: Kind,
    pub(crate) needs: Vec<Need>,
    /// The switches whose cases list it, with those cases.
    pub(crate) gates: Vec<Gate>,
    /// The `repeat` whose rounds it is done in.
    pub(crate) repeat: Option<StepIndex>,
    /// It is done for each item of a list.
    pub(crate) foreach: Option<Foreach>,
    /// It is one of those: what a step with `foreach` does for one item.
    pub(crate) item: Option<Item>,
    /// Its number among the steps of a run, as the journal knows it.
    pub(crate) place: usize,
    pub(crate) trigger: Trigger,
    pub(crate) when: Option<String>,
    pub(crate) bands: Option<Vec<String>>,
    pub(crate) batch: Option<BatchIndex>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) total_timeout: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) retry: Retry,
    pub(crate) allow_failure: bool,
    pub(crate) on_interrupt: OnInterrupt,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) cwd: Option<String>,
    pub(crate) worktree: Option<String>,
    pub(crate) output: OutputType,
    pub(crate) schema: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Step(StepIndex),
    Batch(BatchIndex),
}

#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) switch: StepIndex,
    pub(crate) branches: Vec<Branch>,
}

/// A way out of a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Branch {
    Case(usize),
    Default,
}

#[derive(Debug, Clone)]
pub(crate) struct Retry {
    pub(crate) retries: u32,
    pub(crate) backoff: Duration,
    /// Only after these exit codes; none: after any failure.
    pub(crate) only: Option<Vec<i32>>,
    pub(crate) after_timeout: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Agent(Box<Agent>),
    Run { script: String },
    Value { template: String },
    Approval(Box<Approval>),
    Switch(Switch),
    Repeat(Repeat),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Agent {
    /// Empty: neither the step nor the flow says one.
    pub(crate) backend: String,
    pub(crate) provider: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) mode: Option<String>,
    pub(crate) program: Vec<String>,
    pub(crate) prompt_by: PromptBy,
    pub(crate) prompt: String,
    /// Who it is to be.
    pub(crate) persona: Option<String>,
    /// The step itself says no agent: this is the flow's, or none's.
    pub(crate) inherited: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Approval {
    pub(crate) message: String,
    pub(crate) form: BTreeMap<String, Input>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) on_timeout: OnTimeout,
    pub(crate) goto: Option<StepIndex>,
}

#[derive(Debug, Clone)]
pub(crate) struct Switch {
    pub(crate) cases: Vec<Case>,
    /// The steps of the default branch; none: the switch has none.
    pub(crate) default: Option<Vec<StepIndex>>,
    pub(crate) required: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) label: String,
    pub(crate) when: String,
    pub(crate) steps: Vec<StepIndex>,
}

/// A list, for each item of which a step is done.
#[derive(Debug, Clone)]
pub(crate) struct Foreach {
    /// An expression.
    pub(crate) of: String,
    /// How many items may be at work at once.
    pub(crate) max_concurrent: Option<u32>,
    /// When the whole has succeeded, given its items.
    pub(crate) join: Trigger,
    /// What has not begun does not begin once an item is bad.
    pub(crate) fail_fast: bool,
    /// What the file has the step wait for.
    pub(crate) needs: Vec<Need>,
    /// The steps of the items, in their order; none: the list is not known yet.
    pub(crate) items: Option<Vec<StepIndex>>,
}

/// One item of a list, as a step.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// The step with the list.
    pub(crate) of: StepIndex,
    /// Which item, from 1.
    pub(crate) index: u32,
    pub(crate) value: serde_json::Value,
}

/// Steps that are done in rounds; they are all that the step itself needs.
#[derive(Debug, Clone)]
pub(crate) struct Repeat {
    /// In the order of the list.
    pub(crate) steps: Vec<StepIndex>,
    /// Those of them that begin a round: they need none of the others.
    pub(crate) first: Vec<StepIndex>,
    pub(crate) until: String,
    /// How many rounds there may be.
    pub(crate) times: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct RunOutput {
    pub(crate) file: Option<String>,
    pub(crate) render: String,
}

/// A step whose agent is found outside of the flow's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAgent {
    /// The step.
    pub step: String,
    /// Where the file has it.
    pub at: Position,
    /// Who it is to be.
    pub persona: Option<String>,
    /// Neither the step nor the flow says an agent.
    pub says_none: bool,
}

/// Whether a persona can be called that: its name is a file's.
#[must_use]
pub fn is_persona_name(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= 100 && name.chars().all(fits)
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// An agent answers a prompt.
    Agent,
    /// A script runs in a pane.
    Run,
    /// A template is folded in place.
    Value,
    /// A person decides.
    Approval,
    /// A branch is chosen.
    Switch,
    /// Steps are done again until a condition holds.
    Repeat,
}

impl Kind {
    pub(crate) fn step_kind(&self) -> StepKind {
        match self {
            Self::Agent(_) => StepKind::Agent,
            Self::Run { .. } => StepKind::Run,
            Self::Value { .. } => StepKind::Value,
            Self::Approval(_) => StepKind::Approval,
            Self::Switch(_) => StepKind::Switch,
            Self::Repeat(_) => StepKind::Repeat,
        }
    }
}

impl Step {
    /// Its list is known.
    pub(crate) fn is_opened(&self) -> bool {
        self.foreach
            .as_ref()
            .is_some_and(|list| list.items.is_some())
    }
}

impl Flow {
    /// Reads the text of a flow's file and checks everything that can be checked without running it.
    ///
    /// # Errors
    ///
    /// [`FlowRefused`] with every finding that could be made, each with line, column and, where it can
    /// be said, what would be right.
    pub fn read(text: &str) -> Result<Self, FlowRefused> {
        check::read(text)
    }

    /// The JSON Schema of the file, for editors.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        let schema = schemars::schema_for!(file::FlowFile);
        serde_json::to_value(schema).unwrap_or_default()
    }

    /// What the flow is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text that it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it does, in its author's words.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What may not do what its author meant.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// What the inputs take, in the order in which the file has them.
    #[must_use]
    pub fn input_list(&self) -> Vec<InputInfo> {
        as_in_file(&self.inputs)
    }

    /// The steps whose agents are found outside of the file: by a persona, or in the settings.
    #[must_use]
    pub fn open_agents(&self) -> Vec<OpenAgent> {
        let open = self.steps.iter().filter_map(|step| match &step.kind {
            Kind::Agent(agent) if agent.persona.is_some() || agent.backend.is_empty() => {
                Some(OpenAgent {
                    step: step.id.clone(),
                    at: step.at,
                    persona: agent.persona.clone(),
                    says_none: agent.backend.is_empty(),
                })
            }
            _ => None,
        });
        open.collect()
    }

    pub(crate) fn step(&self, id: &str) -> Option<StepIndex> {
        self.index.get(id).copied()
    }

    /// Checks what a person gave against the inputs that the flow declares, and fills in the defaults.
    ///
    /// # Errors
    ///
    /// [`BadInput`] for the first that is missing, unknown or of the wrong type.
    pub fn inputs(
        &self,
        given: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<serde_json::Map<String, serde_json::Value>, BadInput> {
        fill(&self.inputs, given)
    }
}

/// What an input or a field of a form takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct InputInfo {
    /// Its name.
    pub name: String,
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub kind: InputType,
    /// Whether it must be given.
    pub required: bool,
    /// Its value when none is given.
    pub default: Option<serde_json::Value>,
    /// The values that it may have, for `enum`.
    pub values: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
}

/// Why an input was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("input `{name}` {message}")]
pub struct BadInput {
    /// Which input.
    pub name: String,
    /// What is wrong with it, and what would be right.
    pub message: String,
}

impl Input {
    pub(crate) fn info(&self, name: &str) -> InputInfo {
        InputInfo {
            name: name.to_owned(),
            kind: self.kind,
            required: self.required,
            default: self.default.clone(),
            values: self.values.clone(),
            description: self.description.clone(),
        }
    }

    /// Reads one value as this input's type; a text is read as a person on a command line means it.
    pub(crate) fn read(&self, given: &serde_json::Value) -> Result<serde_json::Value, String> {
        use serde_json::Value;
        let shown = || match given {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match (self.kind, given) {
            (InputType::Text | InputType::Secret, Value::String(_)) => Ok(given.clone()),
            (InputType::Text, Value::Number(_) | Value::Bool(_)) => Ok(Value::String(shown())),
            (InputType::Text, _) => Err("must be text".to_owned()),
            (InputType::Secret, _) => Err("must be the name of an environment variable".to_owned()),
            (InputType::Number, Value::Number(_)) => Ok(given.clone()),
            (InputType::Number, Value::String(text)) => number(text.trim())
                .map(Value::Number)
                .ok_or_else(|| format!("must be a number, not `{text}`")),
            (InputType::Number, _) => Err(format!("must be a number, not `{}`", shown())),
            (InputType::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => {
                Ok(given.clone())
            }
            (InputType::Integer, Value::String(text)) => number(text.trim())
                .filter(|number| number.is_i64() || number.is_u64())
                .map(Value::Number)
                .ok_or_else(|| format!("must be a whole number, not `{text}`")),
            (InputType::Integer, _) => Err(format!("must be a whole number, not `{}`", shown())),
            (InputType::Boolean, Value::Bool(_)) => Ok(given.clone()),
            (InputType::Boolean, Value::String(text)) if text == "true" || text == "false" => {
                Ok(Value::Bool(text == "true"))
            }
            (InputType::Boolean, _) => Err(format!("must be `true` or `false`, not `{}`", shown())),
            (InputType::Enum, _) => {
                let text = shown();
                if self.values.contains(&text) {
                    Ok(Value::String(text))
                } else {
                    Err(format!(
                        "must be one of {}, not `{text}`",
                        quoted(&self.values)
                    ))
                }
            }
        }
    }
}

/// Reads a number as a person writes it; a whole one keeps its digits.
fn number(text: &str) -> Option<serde_json::Number> {
    let whole = text.parse::<i64>().map(serde_json::Number::from);
    let whole = whole.or_else(|_| text.parse::<u64>().map(serde_json::Number::from));
    whole.ok().or_else(|| {
        // A whole number that is too large would be rounded without a word.
        let is_whole = text
            .trim_start_matches(['-', '+'])
            .bytes()
            .all(|byte| byte.is_ascii_digit());
        let number = text.parse::<f64>().ok().filter(|_| !is_whole)?;
        serde_json::Number::from_f64(number)
    })
}

/// What fields take, in the order in which the file has them.
pub(crate) fn as_in_file(fields: &BTreeMap<String, Input>) -> Vec<InputInfo> {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(_, input)| input.at);
    let infos = fields.into_iter().map(|(name, input)| input.info(name));
    infos.collect()
}

pub(crate) fn quoted(values: &[String]) -> String {
    values
        .iter()
        .map(|value| format!("`{value}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

pub(crate) fn fill(
    declared: &BTreeMap<String, Input>,
    given: &serde_json::Map<String, serde_json::Value>,
) -> Result<serde_json::Map<String, serde_json::Value>, BadInput> {
    if let Some(name) = given.keys().find(|name| !declared.contains_key(*name)) {
        let known: Vec<String> = declared.keys().cloned().collect();
        let message = if known.is_empty() {
            "is unknown; there are none".to_owned()
        } else {
            format!("is unknown; there are {}", quoted(&known))
        };
        return Err(BadInput {
            name: name.clone(),
            message,
        });
    }
    let mut filled = serde_json::Map::new();
    for (name, input) in declared {
        let value = match given.get(name) {
            Some(value) => Some(input.read(value)),
            None => input.default.as_ref().map(|value| input.read(value)),
        };
        match value {
            Some(Ok(value)) => {
                filled.insert(name.clone(), value);
            }
            Some(Err(message)) => {
                return Err(BadInput {
                    name: name.clone(),
                    message,
                });
            }
            None if input.required => {
                return Err(BadInput {
                    name: name.clone(),
                    message: "is required".to_owned(),
                });
            }
            None => {}
        }
    }
    Ok(filled)
}

pub(crate) fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(declared: &str, given: serde_json::Value) -> Result<String, String> {
        let text = format!("name: x\ninputs:\n{declared}\nsteps: [{{ id: a, value: x }}]\n");
        let flow = Flow::read(&text).map_err(|refused| refused.to_string())?;
        let given = given.as_object().unwrap().clone();
        let filled = flow.inputs(&given).map_err(|bad| bad.to_string())?;
        Ok(serde_json::Value::from(filled).to_string())
    }

    #[test]
    fn inputs_and_fields_are_listed_as_the_file_has_them() {
        let fields = "{ zone: { type: text }, area: { type: text }, much: { type: number } }";
        let flow = Flow::read(&format!(
            "name: x\ninputs:\n  version: {{ type: text }}\n  also: {{ type: text }}\n\
             steps: [{{ id: a, approval: {{ message: go, form: {fields} }} }}]\n"
        ));
        let flow = flow.expect("a good flow");
        let names = |infos: Vec<InputInfo>| -> Vec<String> {
            infos.into_iter().map(|info| info.name).collect()
        };
        assert_eq!(names(flow.input_list()), ["version", "also"]);
        let Kind::Approval(approval) = &flow.steps[0].kind else {
            panic!("an approval");
        };
        assert_eq!(names(as_in_file(&approval.form)), ["zone", "area", "much"]);
    }

    #[test]
    fn a_prompt_goes_to_the_flows_own_agent_unless_the_step_says_another() {
        let text = "name: x\ndefaults: { agent: { backend: acp, name: codex, model: big } }\nsteps:\n  - { id: a, prompt: one }\n  \
                    - { id: b, prompt: two, agent: { backend: acp, name: claude } }\n  - { id: c, value: x }\n";
        let flow = Flow::read(text).unwrap();
        let agents: Vec<_> = flow
            .steps
            .iter()
            .map(|step| match &step.kind {
                Kind::Agent(agent) => (agent.name.as_deref(), agent.model.as_deref()),
                _ => (None, None),
            })
            .collect();
        assert_eq!(
            agents,
            [
                (Some("codex"), Some("big")),
                (Some("claude"), None),
                (None, None)
            ]
        );
    }

    #[test]
    fn who_works_on_a_step_may_be_found_outside_of_the_file() {
        let text = "name: x\nsteps:\n  - { id: a, prompt: one, persona: reviewer }\n  - { id: b, prompt: two }\n  \
                    - { id: c, prompt: three, persona: writer, agent: { backend: acp } }\n";
        let flow = Flow::read(text).unwrap();
        let open: Vec<_> = flow
            .open_agents()
            .into_iter()
            .map(|open| (open.step, open.persona, open.says_none))
            .collect();
        let open: Vec<_> = open
            .iter()
            .map(|(step, persona, none)| (step.as_str(), persona.as_deref(), *none))
            .collect();
        assert_eq!(
            open,
            [
                ("a", Some("reviewer"), true),
                ("b", None, true),
                ("c", Some("writer"), false)
            ]
        );
        let warned: Vec<_> = flow.warnings().iter().map(ToString::to_string).collect();
        assert_eq!(
            warned,
            [
                "4:22: warning: `b` says no agent: the one of the settings (`flows.agent`) works on it (say `agent:` or \
                 `persona:`, or `agent:` in the flow's `defaults`)"
            ]
        );
    }

    #[test]
    fn a_persona_belongs_to_a_prompt_and_has_the_name_of_a_file() {
        let wrong = |step: &str| {
            let text = format!("name: x\nsteps:\n  - {{ id: a, {step} }}\n");
            Flow::read(&text).unwrap_err().findings[0].message.clone()
        };
        assert_eq!(
            wrong("prompt: x, persona: ../secret"),
            "`../secret` can't be the name of a persona"
        );
        assert_eq!(
            wrong("run: 'true', persona: reviewer"),
            "`persona` belongs to `prompt`, which the step `a` does not have"
        );
    }

    #[test]
    fn text_that_looks_like_a_number_keeps_its_letters() {
        for letters in [
            "3.10",
            "007",
            "0xFF",
            "1e3",
            "1_000",
            "+5",
            "-0",
            "true",
            "True",
            "0o17",
            "12345678901234567890123",
        ] {
            for declared in [
                format!("  v: {{ type: text, default: {letters} }}"),
                format!("  v:\n    type: text\n    default: {letters}   # so it is\n"),
                format!("  v: {{ type: enum, values: ['{letters}', b], default: {letters} }}"),
                format!("  v: {{ type: enum, values: [{letters}, b], default: '{letters}' }}"),
                format!("  v: {{ type: enum, values: {letters}, default: {letters} }}"),
                format!(
                    "  v:\n    type: enum\n    values: {letters} # one\n    default: {letters}\n"
                ),
            ] {
                let expected = format!("{{\"v\":\"{letters}\"}}");
                assert_eq!(
                    inputs(&declared, serde_json::json!({})),
                    Ok(expected),
                    "{declared}"
                );
            }
        }
        // What is no text stays what it is, and what is nothing is no text.
        let number = inputs(
            "  v: { type: number, default: 3.10 }",
            serde_json::json!({}),
        );
        assert_eq!(number, Ok("{\"v\":3.1}".to_owned()));
        let nothing = inputs("  v: { type: text, default: null }", serde_json::json!({}));
        assert!(nothing.is_ok_and(|filled| filled == "{}"));
    }

    #[test]
    fn a_whole_number_keeps_its_digits_or_is_refused() {
        let read = |kind: &str, given: &str| {
            inputs(
                &format!("  v: {{ type: {kind} }}"),
                serde_json::json!({ "v": given }),
            )
        };
        for kind in ["number", "integer"] {
            for digits in [
                "9007199254740993",
                "18446744073709551615",
                "-9223372036854775808",
                "0",
            ] {
                assert_eq!(
                    read(kind, digits),
                    Ok(format!("{{\"v\":{digits}}}")),
                    "{kind}"
                );
            }
            assert!(read(kind, "18446744073709551616").is_err(), "{kind}");
            let default = inputs(
                &format!("  v: {{ type: {kind}, default: 123456789012345678901 }}"),
                serde_json::json!({}),
            );
            assert!(default.is_err(), "{kind}: {default:?}");
        }
        assert_eq!(read("number", "1.5"), Ok("{\"v\":1.5}".to_owned()));
        assert!(read("integer", "1.5").is_err());
    }
}
