//! The file as it is written: plain values with the place where each was found.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use specta::Type;

/// A place in the text, counted from 1. Columns count characters.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type,
)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// A value, where it was written, and the bytes of the text that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) at: Position,
    /// From where in the text; 0 when not known.
    pub(crate) offset: usize,
    /// How many; 0 when not known.
    pub(crate) length: usize,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = |count: Option<u64>| {
            count
                .and_then(|count| usize::try_from(count).ok())
                .unwrap_or(0)
        };
        let spanned = serde_saphyr::Spanned::<T>::deserialize(deserializer)?;
        let place = spanned.referenced;
        Ok(Self {
            value: spanned.value,
            at: Position {
                line: u32::try_from(place.line()).unwrap_or(u32::MAX),
                column: u32::try_from(place.column()).unwrap_or(u32::MAX),
            },
            offset: bytes(place.span().byte_offset()),
            length: bytes(place.span().byte_len()),
        })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// One name, or a list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) names: Vec<At<String>>,
    /// It is one that looks like a number or like `true`, and was read as that.
    pub(crate) alone: bool,
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamesVisitor(PhantomData<()>);
        impl<'de> Visitor<'de> for NamesVisitor {
            type Value = Names;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Names, E> {
                Ok(Names::one(name, false))
            }
            fn visit_bool<E: de::Error>(self, name: bool) -> Result<Names, E> {
                Ok(Names::one(name, true))
            }
            fn visit_i64<E: de::Error>(self, name: i64) -> Result<Names, E> {
                Ok(Names::one(name, true))
            }
            fn visit_u64<E: de::Error>(self, name: u64) -> Result<Names, E> {
                Ok(Names::one(name, true))
            }
            fn visit_i128<E: de::Error>(self, name: i128) -> Result<Names, E> {
                Ok(Names::one(name, true))
            }
            fn visit_u128<E: de::Error>(self, name: u128) -> Result<Names, E> {
                Ok(Names::one(name, true))
            }
            fn visit_f64<E: de::Error>(self, name: f64) -> Result<Names, E> {
                Ok(Names::one(name, true))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                Ok(Names {
                    names,
                    alone: false,
                })
            }
        }
        deserializer.deserialize_any(NamesVisitor(PhantomData))
    }
}

impl Names {
    fn one(name: impl ToString, alone: bool) -> Self {
        let name = At {
            value: name.to_string(),
            at: Position::default(),
            offset: 0,
            length: 0,
        };
        Self {
            names: vec![name],
            alone,
        }
    }
}

impl JsonSchema for Names {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Names".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
        })
    }
}

impl At<Names> {
    /// The names, each with its place.
    pub(crate) fn list(&self) -> impl Iterator<Item = At<String>> + '_ {
        self.value.names.iter().map(|name| {
            let mut name = name.clone();
            if name.at.line == 0 {
                (name.at, name.offset) = (self.at, self.offset);
            }
            name
        })
    }
}

/// A flow: typed inputs, and steps of kind agent, code, approval or switch.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Switchyard flow", rename = "Flow")]
pub(crate) struct FlowFile {
    /// What the flow is called.
    pub(crate) name: At<String>,
    /// What it does, for a person.
    pub(crate) description: Option<String>,
    /// What must be given when it starts, by name.
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, At<InputFile>>,
    /// What holds for every step that does not say otherwise.
    #[serde(default)]
    pub(crate) defaults: DefaultsFile,
    /// How many steps of one run may be at work at once; 64 when not said.
    pub(crate) max_concurrent: Option<At<i64>>,
    /// Groups of steps that share a concurrency limit, by name.
    #[serde(default)]
    pub(crate) batches: BTreeMap<String, At<BatchFile>>,
    /// The steps.
    pub(crate) steps: At<Vec<At<StepFile>>>,
    /// What is written when the run has succeeded.
    pub(crate) output: Option<At<RunOutputFile>>,
}

/// One input of the flow.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Input")]
pub(crate) struct InputFile {
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub(crate) kind: InputType,
    /// Whether the run is refused without it.
    #[serde(default)]
    pub(crate) required: bool,
    /// Its value when none is given.
    pub(crate) default: Option<At<serde_json::Value>>,
    /// The values that it may have, for `enum`.
    pub(crate) values: Option<At<Names>>,
    /// What it is for, for a person.
    pub(crate) description: Option<String>,
}

/// What kind of value an input or a field of a form takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum InputType {
    /// Any text.
    Text,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// One of `values`.
    Enum,
    /// The name of an environment variable that holds a secret: the name is kept, the value never is.
    Secret,
}

/// What holds for every step that does not say otherwise.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Defaults")]
pub(crate) struct DefaultsFile {
    /// The limit of one attempt: `30s`, `10m`, `1h30m`, `2d`.
    pub(crate) timeout: Option<At<String>>,
    /// The limit across all attempts and the waits between them.
    pub(crate) total_timeout: Option<At<String>>,
    /// The limit without any output.
    pub(crate) idle_timeout: Option<At<String>>,
    /// Further attempts after a failure or a timeout.
    pub(crate) retries: Option<At<i64>>,
    /// The wait before the second attempt.
    pub(crate) backoff: Option<At<String>>,
    /// Environment of every `run` and `agent` step; the values are templates.
    pub(crate) env: BTreeMap<String, At<String>>,
    /// The directory that steps work in; a template.
    pub(crate) cwd: Option<At<String>>,
    /// Who works on steps that have a `prompt` and do not say which agent.
    pub(crate) agent: Option<At<AgentFile>>,
}

impl FlowFile {
    /// Gives the flow's own agent to the steps that have a prompt and nothing that says what they do.
    pub(crate) fn inherit_agent(&mut self) {
        for step in &mut self.steps.value {
            let step = &mut step.value;
            if step.prompt.is_some() && !step.has_kind() {
                step.agent.clone_from(&self.defaults.agent);
                step.says_no_agent = true;
            }
        }
    }
}

impl StepFile {
    fn has_kind(&self) -> bool {
        self.agent.is_some()
            || self.run.is_some()
            || self.value.is_some()
            || self.approval.is_some()
            || self.switch.is_some()
            || self.repeat.is_some()
    }
}

/// Steps that share a concurrency limit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Batch")]
pub(crate) struct BatchFile {
    /// How many members may be at work at once; at least 1.
    pub(crate) max_concurrent: At<i64>,
    /// The limit of one attempt of each member that has none of its own.
    pub(crate) timeout: Option<At<String>>,
    /// When a need of `batch:NAME` counts as met, once every member has ended.
    #[serde(default)]
    pub(crate) join: Trigger,
}

/// When a step runs, given the steps that it needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// None failed and at least one succeeded; branches that were not taken do not count.
    #[default]
    AllSuccess,
    /// Every one succeeded.
    AllSuccessStrict,
    /// One succeeded; runs at once.
    OneSuccess,
    /// All have ended, and at least one ran.
    AllDone,
    /// All have ended or were skipped, whatever came of them.
    AllSettled,
    /// One failed; runs at once.
    OneFailed,
    /// All failed.
    AllFailed,
    /// None was skipped.
    NoneSkipped,
}

/// One step. Its kind is told by the one key of `agent`, `run`, `value`, `approval`, `switch` and `repeat` that it has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Step")]
pub(crate) struct StepFile {
    /// Its name in the flow: letters, digits and `_`.
    pub(crate) id: At<String>,
    /// What it does, for a person.
    pub(crate) description: Option<String>,

    /// An agent answers a prompt; its answer is the output.
    pub(crate) agent: Option<At<AgentFile>>,
    /// What the agent is asked; a template.
    pub(crate) prompt: Option<At<String>>,
    /// Who the agent is to be: a file of `.switchyard/personas`, or of the personas beside the settings, without its `.md`.
    pub(crate) persona: Option<At<String>>,
    /// It has a prompt, and does not itself say which agent.
    #[serde(skip)]
    pub(crate) says_no_agent: bool,
    /// A shell script, run in a pane; its standard output is the output.
    pub(crate) run: Option<At<String>>,
    /// A template, folded in place; its text is the output.
    pub(crate) value: Option<At<String>>,
    /// A person decides.
    pub(crate) approval: Option<At<ApprovalFile>>,
    /// Ordered cases; the first whose condition is true is taken.
    pub(crate) switch: Option<At<Vec<At<CaseFile>>>>,
    /// The steps of the switch when no case matches.
    pub(crate) default: Option<At<Names>>,
    /// The switch fails when no case matches.
    pub(crate) required: Option<At<bool>>,

    /// Steps that are done again, in rounds, until a condition holds.
    pub(crate) repeat: Option<At<RepeatFile>>,

    /// The step is done for each item of a list.
    pub(crate) foreach: Option<At<ForeachFile>>,

    /// The steps, or `batch:NAME`, that it waits for.
    pub(crate) needs: Option<At<Names>>,
    /// When it runs, given what became of its needs.
    pub(crate) trigger: Option<At<Trigger>>,
    /// A condition, evaluated once the step could run; when false, the step is skipped.
    pub(crate) when: Option<At<String>>,
    /// The step takes part only when `inputs.band` is one of these.
    pub(crate) bands: Option<At<Names>>,
    /// The batch whose limit it counts against.
    pub(crate) batch: Option<At<String>>,

    /// The limit of one attempt: `30s`, `10m`, `1h30m`, `2d`.
    pub(crate) timeout: Option<At<String>>,
    /// The limit across all attempts and the waits between them.
    pub(crate) total_timeout: Option<At<String>>,
    /// The limit without any output.
    pub(crate) idle_timeout: Option<At<String>>,
    /// Further attempts after a failure or a timeout.
    pub(crate) retries: Option<At<i64>>,
    /// The wait before the second attempt; it doubles with each further one, with jitter.
    pub(crate) backoff: Option<At<String>>,
    /// Retries only after these exit codes, and after `timeout` when it is listed.
    pub(crate) retry_on: Option<At<Names>>,
    /// A failure of this step does not count as one, neither downstream nor for the run.
    #[serde(default)]
    pub(crate) allow_failure: bool,
    /// What a crash in the middle of it means.
    pub(crate) on_interrupt: Option<At<OnInterrupt>>,
    /// Running the script twice does no harm, so a crash in the middle reruns it.
    pub(crate) idempotent: Option<At<bool>>,

    /// Added to its environment; the values are templates.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, At<String>>,
    /// The directory that it works in; a template.
    pub(crate) cwd: Option<At<String>>,
    /// The git worktree that it works in: `new`, or a path; a template.
    pub(crate) worktree: Option<At<String>>,
    /// What its output must be.
    pub(crate) output: Option<At<StepOutputFile>>,
}

/// Which agent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Agent")]
pub(crate) struct AgentFile {
    /// What drives it: `paseo`, `acp`, `opencode` or `command`.
    pub(crate) backend: At<String>,
    /// Which of the backend's providers.
    pub(crate) provider: Option<At<String>>,
    /// Which of the agents that the backend knows by name.
    pub(crate) name: Option<At<String>>,
    /// Which model.
    pub(crate) model: Option<At<String>>,
    /// Which of the agent's modes.
    pub(crate) mode: Option<At<String>>,
    /// For `command`: the program and its arguments; each a template.
    pub(crate) program: Option<At<Vec<At<String>>>>,
    /// For `command`: how the prompt reaches the program.
    pub(crate) prompt_by: Option<At<PromptBy>>,
    /// The git worktree that it works in: `new`, or a path; a template.
    pub(crate) worktree: Option<At<String>>,
}

/// How a prompt reaches a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum PromptBy {
    /// On its standard input.
    #[default]
    Stdin,
    /// As its last argument.
    Arg,
    /// As a file, whose path is the last argument.
    File,
}

/// What a person is asked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Approval")]
pub(crate) struct ApprovalFile {
    /// The question; a template.
    pub(crate) message: At<String>,
    /// Fields that the person fills in, by name.
    #[serde(default)]
    pub(crate) form: BTreeMap<String, At<InputFile>>,
    /// How long to wait; for ever when not said.
    pub(crate) timeout: Option<At<String>>,
    /// What it means when nobody answered in time.
    pub(crate) on_timeout: Option<At<OnTimeout>>,
    /// What a rejection means: `fail`, or `goto: STEP`.
    pub(crate) on_reject: Option<At<OnRejectFile>>,
}

/// What it means when nobody answered in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    /// As if rejected.
    Reject,
    /// As if approved.
    Approve,
    /// The step has timed out.
    #[default]
    Fail,
}

/// What a rejection means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OnReject")]
pub(crate) enum OnRejectFile {
    /// The step was rejected, which is a failure to what needs it.
    Fail,
    /// The run goes back to this step; what followed it is done again.
    Goto(String),
}

/// What a crash in the middle of a step means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum OnInterrupt {
    /// It is run again, as a new attempt.
    Rerun,
    /// It has failed.
    Fail,
    /// A person is asked.
    Ask,
}

/// One case of a switch.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Case")]
pub(crate) struct CaseFile {
    /// Its label, for people.
    pub(crate) case: At<String>,
    /// Its condition.
    pub(crate) when: At<String>,
    /// The steps that run only when it is taken.
    #[serde(default)]
    pub(crate) steps: Option<At<Names>>,
}

/// Steps that are done again, in rounds, until a condition holds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Repeat")]
pub(crate) struct RepeatFile {
    /// The steps of a round. What comes after them needs the `repeat`.
    pub(crate) steps: At<Names>,
    /// A condition, evaluated at the end of every round: when true, there is no further one.
    pub(crate) until: At<String>,
    /// How many rounds there may be, from 1 to 1000; when the last one does not do, the step has failed.
    pub(crate) times: At<i64>,
}

/// A list, for each item of which a step is done: `item` and `index` are the item and its number, from 1.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Foreach")]
pub(crate) struct ForeachFile {
    /// An expression that comes to a list of at most 1000 items: `inputs.files`, `results.plan.data.files`.
    pub(crate) of: At<String>,
    /// How many items may be at work at once; at least 1.
    pub(crate) max_concurrent: Option<At<i64>>,
    /// When the whole has succeeded, once every item has ended.
    pub(crate) join: Option<At<Trigger>>,
    /// What has not begun does not begin once an item has failed.
    #[serde(default)]
    pub(crate) fail_fast: bool,
}

/// What the output of a step must be.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StepOutput")]
pub(crate) struct StepOutputFile {
    /// `text`, or `json`, which is read into `data`.
    #[serde(rename = "type", default)]
    pub(crate) kind: OutputType,
    /// A JSON Schema that the data must satisfy.
    pub(crate) schema: Option<At<serde_json::Value>>,
}

/// How the output of a step is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum OutputType {
    /// As it is.
    #[default]
    Text,
    /// As JSON, into `data`.
    Json,
}

/// What is written when the run has succeeded.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RunOutput")]
pub(crate) struct RunOutputFile {
    /// Where, below the directory of the run; a template.
    pub(crate) file: Option<At<String>>,
    /// What; a template.
    pub(crate) render: At<String>,
}
