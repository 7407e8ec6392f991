//! What a step does: one of the six kinds, and the keys that belong to it.

use std::collections::HashMap;

use super::Checker;
use crate::definition::file::{AgentFile, ApprovalFile, At, CaseFile, Position, StepFile};
use crate::definition::template::{self, Form};
use crate::definition::{Agent, Approval, Case, Kind, Switch, is_persona_name};

pub(super) const BACKENDS: [&str; 4] = ["paseo", "acp", "opencode", "command"];

impl Checker<'_> {
    pub(super) fn kind(&mut self, step: &StepFile, at: Position) -> Kind {
        self.one_kind(step, at);
        self.strays(step);
        let nothing = || Kind::Value {
            template: String::new(),
        };
        if let Some(agent) = &step.agent {
            let Some(prompt) = &step.prompt else {
                self.error(
                    agent.at,
                    format!("the agent of `{}` has no `prompt`", step.id.value),
                    Some("add `prompt:`".to_owned()),
                );
                return nothing();
            };
            let mut agent = self.agent(&agent.value, &prompt.value);
            agent.inherited = step.says_no_agent;
            agent.persona = self.persona(step);
            Kind::Agent(Box::new(agent))
        } else if let (Some(prompt), true) = (&step.prompt, step.says_no_agent) {
            let persona = self.persona(step);
            if persona.is_none() {
                self.warn(
                    prompt.at,
                    format!(
                        "`{}` says no agent: the one of the settings (`flows.agent`) works on it",
                        step.id.value
                    ),
                    "say `agent:` or `persona:`, or `agent:` in the flow's `defaults`",
                );
            }
            Kind::Agent(Box::new(Agent {
                prompt: prompt.value.clone(),
                inherited: true,
                persona,
                ..Agent::default()
            }))
        } else if let Some(script) = &step.run {
            self.script(&step.id.value, script);
            Kind::Run {
                script: script.value.clone(),
            }
        } else if let Some(template) = &step.value {
            Kind::Value {
                template: template.value.clone(),
            }
        } else if let Some(approval) = &step.approval {
            Kind::Approval(Box::new(self.approval(step, &approval.value)))
        } else if let Some(cases) = &step.switch {
            Kind::Switch(self.switch(step, cases))
        } else if let Some(repeat) = &step.repeat {
            Kind::Repeat(self.repeat(step, repeat))
        } else {
            nothing()
        }
    }

    /// Refuses a step that says not one thing that it does, but none or several.
    fn one_kind(&mut self, step: &StepFile, at: Position) {
        let id = &step.id.value;
        let said: Vec<(&str, Position)> = [
            (
                "agent",
                step.agent.as_ref().map(|key| key.at).or_else(|| {
                    let prompt = step.prompt.as_ref().filter(|_| step.says_no_agent);
                    prompt.map(|key| key.at)
                }),
            ),
            ("run", step.run.as_ref().map(|key| key.at)),
            ("value", step.value.as_ref().map(|key| key.at)),
            ("approval", step.approval.as_ref().map(|key| key.at)),
            ("switch", step.switch.as_ref().map(|key| key.at)),
            ("repeat", step.repeat.as_ref().map(|key| key.at)),
        ]
        .into_iter()
        .filter_map(|(name, at)| Some((name, at?)))
        .collect();
        let all = "one of `agent`, `run`, `value`, `approval`, `switch` and `repeat` says what the step does";
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
    }

    /// Refuses keys of kinds that the step is not of.
    fn strays(&mut self, step: &StepFile) {
        let id = &step.id.value;
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
                step.agent.is_some() || step.says_no_agent,
            ),
            belongs(
                "persona",
                step.persona.as_ref().map(|key| key.at),
                "prompt",
                step.prompt.is_some(),
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
    }

    fn script(&mut self, id: &str, script: &At<String>) {
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
                format!(
                    "a script is never a template, so `{name}` would reach the shell as it stands"
                ),
                Some(format!(
                    "add `env: {{ VALUE: \"{{{{ {name} }}}}\" }}` and write `\"$VALUE\"`"
                )),
            );
        }
    }

    fn approval(&mut self, step: &StepFile, approval: &ApprovalFile) -> Approval {
        let form = self.inputs("a field", &approval.form);
        let timeout = self.duration(approval.timeout.as_ref().or(step.timeout.as_ref()));
        if let (None, Some(on_timeout)) = (timeout, &approval.on_timeout) {
            self.error(
                on_timeout.at,
                "`on_timeout` without a `timeout`",
                Some("add `timeout:`, or leave it out".to_owned()),
            );
        }
        Approval {
            message: approval.message.value.clone(),
            form,
            timeout,
            on_timeout: approval
                .on_timeout
                .as_ref()
                .map(|key| key.value)
                .unwrap_or_default(),
            goto: None,
        }
    }

    fn switch(&mut self, step: &StepFile, cases: &At<Vec<At<CaseFile>>>) -> Switch {
        let id = &step.id.value;
        if cases.value.is_empty() && step.default.is_none() {
            self.error(
                cases.at,
                format!("the switch `{id}` has no cases"),
                Some("add at least one".to_owned()),
            );
        }
        let always = self.cases(id, &cases.value);
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
        Switch {
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
        }
    }

    /// Looks at cases, each with those before it. Gives the one that is always true.
    fn cases<'f>(&mut self, id: &str, cases: &'f [At<CaseFile>]) -> Option<&'f str> {
        let mut labels: HashMap<&str, u32> = HashMap::new();
        let mut always: Option<&str> = None;
        for case in cases {
            let label = &case.value.case;
            if label.value == "default" {
                self.error(
                    label.at,
                    "`default` can't be the label of a case",
                    Some("the steps when no case matches stand under the key `default`".to_owned()),
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
        always
    }

    /// Who an agent is to be; refuses what can't be the name of a file.
    fn persona(&mut self, step: &StepFile) -> Option<String> {
        let name = step.persona.as_ref()?;
        if !is_persona_name(&name.value) {
            self.error(
                name.at,
                format!("`{}` can't be the name of a persona", name.value),
                Some(
                    "letters, digits, `-` and `_`, as the file in `.switchyard/personas` is called"
                        .to_owned(),
                ),
            );
        }
        Some(name.value.clone())
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
            persona: None,
            inherited: false,
        }
    }
}
