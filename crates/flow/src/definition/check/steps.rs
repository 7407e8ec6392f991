//! One step: its kind, its keys, and what each of them may be.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::Checker;
use crate::definition::file::{
    AgentFile, At, FlowFile, InputFile, InputType, OnInterrupt, OutputType, Position, StepFile,
    Trigger,
};
use crate::definition::template::{self, Form};
use crate::definition::{
    Agent, Approval, BatchIndex, Case, Input, Kind, Need, Retry, Step, StepIndex, Switch, quoted,
};

pub(super) const BACKENDS: [&str; 3] = ["paseo", "acp", "command"];

impl Checker<'_> {
    pub(super) fn inputs(
        &mut self,
        what: &str,
        files: &BTreeMap<String, At<InputFile>>,
    ) -> BTreeMap<String, Input> {
        let mut inputs = BTreeMap::new();
        for (name, file) in files {
            self.identifier(what, name, file.at);
            let values: Vec<String> = file
                .value
                .values
                .as_ref()
                .map(|values| values.list().map(|value| value.value).collect())
                .unwrap_or_default();
            match (file.value.kind, &file.value.values) {
                (InputType::Enum, None) => {
                    self.error(
                        file.at,
                        format!("`{name}` is an `enum` without `values`"),
                        Some("add `values: [one, two]`".to_owned()),
                    );
                }
                (InputType::Enum, Some(list)) if values.is_empty() => {
                    self.error(
                        list.at,
                        format!("`{name}` has no values"),
                        Some("list at least one".to_owned()),
                    );
                }
                (InputType::Enum, _) | (_, None) => {}
                (_, Some(list)) => self.error(
                    list.at,
                    format!("`{name}` has `values`, but is no `enum`"),
                    Some("say `type: enum`, or leave out `values`".to_owned()),
                ),
            }
            let input = Input {
                kind: file.value.kind,
                required: file.value.required,
                default: file.value.default.as_ref().map(|value| value.value.clone()),
                values,
                description: file.value.description.clone(),
            };
            if let Some(default) = &file.value.default
                && let Err(message) = input.read(&default.value)
            {
                self.error(
                    default.at,
                    format!("the default of `{name}` {message}"),
                    None,
                );
            }
            inputs.insert(name.clone(), input);
        }
        inputs
    }

    #[allow(clippy::too_many_lines, reason = "one step, key by key")]
    pub(super) fn step(
        &mut self,
        file: &FlowFile,
        at: &At<StepFile>,
        inputs: &BTreeMap<String, Input>,
        index: &HashMap<String, StepIndex>,
        batch_index: &HashMap<&str, BatchIndex>,
        batch_timeouts: &[Option<Duration>],
    ) -> Step {
        let step = &at.value;
        let id = step.id.value.clone();
        let kind = self.kind(step, at.at);

        let mut needs = Vec::new();
        for need in step.needs.iter().flat_map(At::list) {
            let found = match need.value.strip_prefix("batch:") {
                Some(name) => {
                    let found = batch_index.get(name).copied();
                    if found.is_none() {
                        self.unknown("batch", name, need.at, batch_index.keys().copied());
                    }
                    found.map(Need::Batch)
                }
                None => {
                    let found = index.get(&need.value).copied();
                    if found.is_none() {
                        self.unknown(
                            "step",
                            &need.value,
                            need.at,
                            index.keys().map(String::as_str),
                        );
                    }
                    found.map(Need::Step)
                }
            };
            if let Some(found) = found {
                if needs.contains(&found) {
                    self.error(
                        need.at,
                        format!("`{}` is needed twice", need.value),
                        Some("list it once".to_owned()),
                    );
                } else {
                    needs.push(found);
                }
            }
        }

        let batch = step.batch.as_ref().and_then(|batch| {
            let found = batch_index.get(batch.value.as_str()).copied();
            if found.is_none() {
                self.unknown("batch", &batch.value, batch.at, batch_index.keys().copied());
            }
            found
        });

        let bands = step.bands.as_ref().map(|bands| {
            match inputs.get("band") {
                None => self.error(
                    bands.at,
                    "`bands` needs an input `band`",
                    Some(
                        "add `band: { type: enum, values: [small, large] }` to `inputs`".to_owned(),
                    ),
                ),
                Some(input) if input.kind == InputType::Enum => {
                    for band in bands
                        .list()
                        .filter(|band| !input.values.contains(&band.value))
                    {
                        self.error(
                            band.at,
                            format!("`inputs.band` is never `{}`", band.value),
                            Some(format!("one of {}", quoted(&input.values))),
                        );
                    }
                }
                Some(_) => {}
            }
            if bands.value.0.is_empty() {
                self.error(
                    bands.at,
                    format!("the step `{id}` can never run: `bands` is empty"),
                    Some("list at least one band, or leave out `bands`".to_owned()),
                );
            }
            bands.list().map(|band| band.value).collect()
        });

        let retries = step
            .retries
            .as_ref()
            .or(file.defaults.retries.as_ref())
            .map_or(0, |retries| match u32::try_from(retries.value) {
                Ok(retries) if retries <= 1_000 => retries,
                _ => {
                    self.error(
                        retries.at,
                        format!("`retries` is {}", retries.value),
                        Some("must be between 0 and 1000".to_owned()),
                    );
                    0
                }
            });
        let mut retry = Retry {
            retries,
            backoff: self
                .duration(step.backoff.as_ref().or(file.defaults.backoff.as_ref()))
                .unwrap_or(Duration::from_secs(1)),
            only: None,
            after_timeout: true,
        };
        if let Some(only) = &step.retry_on {
            let mut codes = Vec::new();
            retry.after_timeout = false;
            for code in only.list() {
                if code.value == "timeout" {
                    retry.after_timeout = true;
                } else if let Ok(code) = code.value.parse() {
                    codes.push(code);
                } else {
                    self.error(
                        code.at,
                        format!("`{}` is no exit code", code.value),
                        Some("list exit codes, as in `[1, 75]`, and `timeout`".to_owned()),
                    );
                }
            }
            retry.only = Some(codes);
        }

        let mut env: BTreeMap<String, String> = file
            .defaults
            .env
            .iter()
            .map(|(name, value)| (name.clone(), value.value.clone()))
            .collect();
        for (name, value) in file.defaults.env.iter().chain(&step.env) {
            if name.is_empty()
                || name.contains(['=', '\0'])
                || name.starts_with(|c: char| c.is_ascii_digit())
            {
                self.error(
                    value.at,
                    format!("`{name}` can't be the name of an environment variable"),
                    Some("letters, digits and `_`".to_owned()),
                );
            }
        }
        if let Some(agent) = &step.agent
            && let backend = &agent.value.backend.value
            && ["paseo", "acp"].contains(&backend.as_str())
            && let Some((name, value)) = step.env.first_key_value()
        {
            self.warn(
                value.at,
                format!(
                    "`{name}` does not reach an agent of the backend `{backend}`: its process is not started for this step"
                ),
                "say it in the `prompt`, or use the backend `command`",
            );
        }
        env.extend(
            step.env
                .iter()
                .map(|(name, value)| (name.clone(), value.value.clone())),
        );

        if let (Some(_), Some(own)) = (
            step.agent
                .as_ref()
                .and_then(|agent| agent.value.worktree.as_ref()),
            &step.worktree,
        ) {
            self.error(
                own.at,
                "`worktree` is said twice",
                Some("leave one of the two out".to_owned()),
            );
        }
        let worktree = step
            .worktree
            .as_ref()
            .or_else(|| {
                step.agent
                    .as_ref()
                    .and_then(|agent| agent.value.worktree.as_ref())
            })
            .map(|worktree| worktree.value.clone());

        let idempotent = step
            .idempotent
            .as_ref()
            .is_some_and(|idempotent| idempotent.value);
        let on_interrupt = step.on_interrupt.as_ref().map_or(
            if matches!(kind, Kind::Value { .. }) || idempotent {
                OnInterrupt::Rerun
            } else {
                OnInterrupt::Ask
            },
            |on_interrupt| on_interrupt.value,
        );

        let schema = step.output.as_ref().and_then(|output| {
            let schema = output.value.schema.as_ref()?;
            if output.value.kind == OutputType::Text {
                self.error(
                    schema.at,
                    "a `schema` is for `json` only",
                    Some("say `type: json`, or leave out `schema`".to_owned()),
                );
            } else if let Err(error) = jsonschema::validator_for(&schema.value) {
                self.error(schema.at, format!("this is no JSON Schema: {error}"), None);
            }
            Some(schema.value.clone())
        });

        Step {
            id,
            description: step.description.clone(),
            at: at.at,
            rank: 0,
            kind,
            needs,
            gates: Vec::new(),
            trigger: step
                .trigger
                .as_ref()
                .map_or(Trigger::AllSuccess, |trigger| trigger.value),
            when: step.when.as_ref().map(|when| when.value.clone()),
            bands,
            batch,
            timeout: self
                .duration(step.timeout.as_ref())
                .or_else(|| batch.and_then(|batch| batch_timeouts[batch]))
                .or_else(|| self.duration(file.defaults.timeout.as_ref())),
            total_timeout: self.duration(
                step.total_timeout
                    .as_ref()
                    .or(file.defaults.total_timeout.as_ref()),
            ),
            idle_timeout: self.duration(
                step.idle_timeout
                    .as_ref()
                    .or(file.defaults.idle_timeout.as_ref()),
            ),
            retry,
            allow_failure: step.allow_failure,
            on_interrupt,
            env,
            cwd: step
                .cwd
                .as_ref()
                .or(file.defaults.cwd.as_ref())
                .map(|cwd| cwd.value.clone()),
            worktree,
            output: step
                .output
                .as_ref()
                .map_or(OutputType::Text, |output| output.value.kind),
            schema,
        }
    }

    pub(super) fn kind(&mut self, step: &StepFile, at: Position) -> Kind {
        let id = &step.id.value;
        let said: Vec<(&str, Position)> = [
            ("agent", step.agent.as_ref().map(|key| key.at)),
            ("run", step.run.as_ref().map(|key| key.at)),
            ("value", step.value.as_ref().map(|key| key.at)),
            ("approval", step.approval.as_ref().map(|key| key.at)),
            ("switch", step.switch.as_ref().map(|key| key.at)),
        ]
        .into_iter()
        .filter_map(|(name, at)| Some((name, at?)))
        .collect();
        let all = "one of `agent`, `run`, `value`, `approval` and `switch` says what the step does";
        match said.as_slice() {
            [] => self.error(
                at,
                format!("the step `{id}` does nothing"),
                Some(all.to_owned()),
            ),
            [_] => {}
            [(first, _), (second, at), ..] => self.error(
                *at,
                format!("the step `{id}` has both `{first}` and `{second}`"),
                Some(all.to_owned()),
            ),
        }
        let belongs = |key: &str, at: Option<Position>, owner: &str, has: bool| {
            at.filter(|_| !has).map(|at| {
                (
                    at,
                    format!("`{key}` belongs to `{owner}`, which the step `{id}` does not have"),
                )
            })
        };
        let stray = [
            belongs(
                "prompt",
                step.prompt.as_ref().map(|key| key.at),
                "agent",
                step.agent.is_some(),
            ),
            belongs(
                "default",
                step.default.as_ref().map(|key| key.at),
                "switch",
                step.switch.is_some(),
            ),
            belongs(
                "required",
                step.required.as_ref().map(|key| key.at),
                "switch",
                step.switch.is_some(),
            ),
            belongs(
                "idempotent",
                step.idempotent.as_ref().map(|key| key.at),
                "run",
                step.run.is_some(),
            ),
        ];
        for (at, message) in stray.into_iter().flatten() {
            self.error(at, message, Some("leave it out".to_owned()));
        }

        if let Some(agent) = &step.agent {
            let Some(prompt) = &step.prompt else {
                self.error(
                    agent.at,
                    format!("the agent of `{id}` has no `prompt`"),
                    Some("add `prompt:`".to_owned()),
                );
                return Kind::Value {
                    template: String::new(),
                };
            };
            Kind::Agent(Box::new(self.agent(&agent.value, &prompt.value)))
        } else if let Some(script) = &step.run {
            if script.value.trim().is_empty() {
                self.error(script.at, format!("the script of `{id}` is empty"), None);
            }
            if let Ok(names) = template::names(&script.value, Form::Text)
                && let Some(name) = names.iter().find(|name| {
                    ["inputs.", "results.", "run.", "env."]
                        .iter()
                        .any(|scope| name.starts_with(scope))
                })
            {
                let at = self.place(script, name);
                self.error(
                    at,
                    format!("a script is never a template, so `{name}` would reach the shell as it stands"),
                    Some(format!("add `env: {{ VALUE: \"{{{{ {name} }}}}\" }}` and write `\"$VALUE\"`")),
                );
            }
            Kind::Run {
                script: script.value.clone(),
            }
        } else if let Some(template) = &step.value {
            Kind::Value {
                template: template.value.clone(),
            }
        } else if let Some(approval) = &step.approval {
            let form = self.inputs("a field", &approval.value.form);
            let timeout = self.duration(approval.value.timeout.as_ref().or(step.timeout.as_ref()));
            if let (None, Some(on_timeout)) = (timeout, &approval.value.on_timeout) {
                self.error(
                    on_timeout.at,
                    "`on_timeout` without a `timeout`",
                    Some("add `timeout:`, or leave it out".to_owned()),
                );
            }
            Kind::Approval(Box::new(Approval {
                message: approval.value.message.value.clone(),
                form,
                timeout,
                on_timeout: approval
                    .value
                    .on_timeout
                    .as_ref()
                    .map(|key| key.value)
                    .unwrap_or_default(),
                goto: None,
            }))
        } else if let Some(cases) = &step.switch {
            if cases.value.is_empty() && step.default.is_none() {
                self.error(
                    cases.at,
                    format!("the switch `{id}` has no cases"),
                    Some("add at least one".to_owned()),
                );
            }
            let mut labels: HashMap<&str, u32> = HashMap::new();
            let mut always: Option<&str> = None;
            for case in &cases.value {
                let label = &case.value.case;
                if label.value == "default" {
                    self.error(
                        label.at,
                        "`default` can't be the label of a case",
                        Some(
                            "the steps when no case matches stand under the key `default`"
                                .to_owned(),
                        ),
                    );
                }
                if let Some(line) = labels.insert(&label.value, label.at.line) {
                    self.error(
                        label.at,
                        format!("the switch `{id}` has a case `{}` already", label.value),
                        Some(format!("the first is on line {line}")),
                    );
                }
                if let Some(always) = always {
                    self.error(
                        label.at,
                        format!(
                            "the case `{}` is never reached: `{always}` before it is always true",
                            label.value
                        ),
                        Some("put it before, or leave it out".to_owned()),
                    );
                }
                match template::constant(&case.value.when.value) {
                    Some(true) if always.is_none() => always = Some(&label.value),
                    Some(false) => self.error(
                        case.value.when.at,
                        format!(
                            "the case `{}` is never taken: its condition is always false",
                            label.value
                        ),
                        Some("leave the case out".to_owned()),
                    ),
                    _ => {}
                }
            }
            match (&step.default, always) {
                (Some(default), Some(always)) => self.error(
                    default.at,
                    format!("the default of `{id}` is never reached: the case `{always}` is always true"),
                    Some("leave one of the two out".to_owned()),
                ),
                (None, None) if !step.required.as_ref().is_some_and(|required| required.value) => self.warn(
                    cases.at,
                    format!("the switch `{id}` has no `default`: when no case matches, every branch is skipped"),
                    "add `default: [STEP]`, `default: []` to say that this is meant, or `required: true`",
                ),
                _ => {}
            }
            Kind::Switch(Switch {
                cases: cases
                    .value
                    .iter()
                    .map(|case| Case {
                        label: case.value.case.value.clone(),
                        when: case.value.when.value.clone(),
                        steps: Vec::new(),
                    })
                    .collect(),
                default: step.default.as_ref().map(|_| Vec::new()),
                required: step
                    .required
                    .as_ref()
                    .is_some_and(|required| required.value),
            })
        } else {
            Kind::Value {
                template: String::new(),
            }
        }
    }

    pub(super) fn agent(&mut self, agent: &AgentFile, prompt: &str) -> Agent {
        let backend = &agent.backend;
        if !BACKENDS.contains(&backend.value.as_str()) {
            self.unknown("backend", &backend.value, backend.at, BACKENDS.into_iter());
        }
        let is_command = backend.value == "command";
        match &agent.program {
            None if is_command => self.error(
                backend.at,
                "the backend `command` needs a `program`",
                Some("as in `program: [claude, -p]`".to_owned()),
            ),
            Some(program) if program.value.is_empty() => {
                self.error(
                    program.at,
                    "`program` is empty",
                    Some("as in `program: [claude, -p]`".to_owned()),
                );
            }
            Some(program) if !is_command => self.error(
                program.at,
                format!(
                    "`program` is for the backend `command`, not for `{}`",
                    backend.value
                ),
                None,
            ),
            _ => {}
        }
        if let Some(prompt_by) = agent.prompt_by.as_ref().filter(|_| !is_command) {
            self.error(
                prompt_by.at,
                "`prompt_by` is for the backend `command`",
                Some("leave it out".to_owned()),
            );
        }
        let text = |value: &Option<At<String>>| value.as_ref().map(|value| value.value.clone());
        Agent {
            backend: backend.value.clone(),
            provider: text(&agent.provider),
            name: text(&agent.name),
            model: text(&agent.model),
            mode: text(&agent.mode),
            program: agent
                .program
                .iter()
                .flat_map(|program| program.value.iter().map(|part| part.value.clone()))
                .collect(),
            prompt_by: agent
                .prompt_by
                .as_ref()
                .map(|key| key.value)
                .unwrap_or_default(),
            prompt: prompt.to_owned(),
        }
    }
}
