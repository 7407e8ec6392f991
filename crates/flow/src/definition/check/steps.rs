//! One step: its keys, and what each of them may be.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::Checker;
use crate::definition::file::{
    At, FlowFile, InputFile, InputType, Names, OnInterrupt, OutputType, StepFile, Trigger,
};
use crate::definition::{BatchIndex, Input, Kind, Need, Retry, Step, StepIndex, quoted};

/// What the file declares beside its steps, and the steps by their names.
pub(super) struct Declared<'f> {
    pub(super) inputs: &'f BTreeMap<String, Input>,
    pub(super) steps: &'f HashMap<String, StepIndex>,
    pub(super) batches: &'f HashMap<&'f str, BatchIndex>,
    pub(super) batch_timeouts: &'f [Option<Duration>],
}

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
                .map(|values| self.letters(values))
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
                at: file.at,
                kind: file.value.kind,
                required: file.value.required,
                default: file
                    .value
                    .default
                    .as_ref()
                    .map(|value| self.as_meant(file.value.kind, value)),
                values,
                description: file.value.description.clone(),
            };
            if let (Some(default), Some(value)) = (&file.value.default, &input.default)
                && let Err(message) = input.read(value)
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

    /// Names, letter by letter: a single one that looks like a number is no less of a name.
    fn letters(&self, names: &At<Names>) -> Vec<String> {
        let written = |name: At<String>| {
            let end = name.offset.saturating_add(names.length);
            let letters = self.text.get(name.offset..end).map(str::trim);
            match letters {
                Some(letters) if names.value.alone && !letters.is_empty() => letters.to_owned(),
                _ => name.value,
            }
        };
        names.list().map(written).collect()
    }

    /// A default as its author means it: what looks like a number, or like `true`, is text where text is
    /// wanted, letter by letter.
    fn as_meant(&self, kind: InputType, default: &At<serde_json::Value>) -> serde_json::Value {
        use serde_json::Value;
        let wants_text = matches!(kind, InputType::Text | InputType::Enum);
        let is_no_text = matches!(
            default.value,
            Value::Number(_) | Value::Bool(_) | Value::Null
        );
        let end = default.offset.saturating_add(default.length);
        let letters = self.text.get(default.offset..end).map(str::trim);
        let wants_number = matches!(kind, InputType::Number | InputType::Integer);
        match letters {
            // One that would be rounded is refused by its digits.
            Some(letters)
                if wants_number
                    && matches!(&default.value, Value::Number(number) if number.is_f64())
                    && letters
                        .trim_start_matches(['-', '+'])
                        .bytes()
                        .all(|c| c.is_ascii_digit()) =>
            {
                Value::String(letters.to_owned())
            }
            Some(letters)
                if wants_text
                    && is_no_text
                    && !["", "~", "null", "Null", "NULL"].contains(&letters)
                    && !letters.starts_with(['*', '&', '!']) =>
            {
                Value::String(letters.to_owned())
            }
            _ => default.value.clone(),
        }
    }

    pub(super) fn step(
        &mut self,
        file: &FlowFile,
        at: &At<StepFile>,
        known: &Declared<'_>,
    ) -> Step {
        let step = &at.value;
        let kind = self.kind(step, at.at);
        let needs = self.needs(step, known);
        let batch = step.batch.as_ref().and_then(|batch| {
            let found = known.batches.get(batch.value.as_str()).copied();
            if found.is_none() {
                self.unknown(
                    "batch",
                    &batch.value,
                    batch.at,
                    known.batches.keys().copied(),
                );
            }
            found
        });
        let bands = self.bands(step, known);
        let retry = self.retry(file, step);
        let env = self.env(file, step);
        let worktree = self.worktree(step);
        let on_interrupt = on_interrupt(step, &kind);
        let schema = self.schema(step);
        Step {
            id: step.id.value.clone(),
            description: step.description.clone(),
            at: at.at,
            rank: 0,
            kind,
            needs,
            gates: Vec::new(),
            repeat: None,
            foreach: self.foreach(step),
            item: None,
            place: 0,
            trigger: step
                .trigger
                .as_ref()
                .map_or(Trigger::AllSuccess, |trigger| trigger.value),
            when: step.when.as_ref().map(|when| when.value.clone()),
            bands,
            batch,
            timeout: self
                .duration(step.timeout.as_ref())
                .or_else(|| batch.and_then(|batch| known.batch_timeouts[batch]))
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

    fn needs(&mut self, step: &StepFile, known: &Declared<'_>) -> Vec<Need> {
        let mut needs = Vec::new();
        for need in step.needs.iter().flat_map(At::list) {
            let found = match need.value.strip_prefix("batch:") {
                Some(name) => {
                    let found = known.batches.get(name).copied();
                    if found.is_none() {
                        self.unknown("batch", name, need.at, known.batches.keys().copied());
                    }
                    found.map(Need::Batch)
                }
                None => {
                    let found = known.steps.get(&need.value).copied();
                    if found.is_none() {
                        self.unknown(
                            "step",
                            &need.value,
                            need.at,
                            known.steps.keys().map(String::as_str),
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
        needs
    }

    fn bands(&mut self, step: &StepFile, known: &Declared<'_>) -> Option<Vec<String>> {
        let bands = step.bands.as_ref()?;

        match known.inputs.get("band") {
            None => self.error(
                bands.at,
                "`bands` needs an input `band`",
                Some("add `band: { type: enum, values: [small, large] }` to `inputs`".to_owned()),
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
        if bands.value.names.is_empty() {
            self.error(
                bands.at,
                format!(
                    "the step `{}` can never run: `bands` is empty",
                    step.id.value
                ),
                Some("list at least one band, or leave out `bands`".to_owned()),
            );
        }
        Some(self.letters(bands))
    }

    fn retry(&mut self, file: &FlowFile, step: &StepFile) -> Retry {
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
        retry
    }

    fn env(&mut self, file: &FlowFile, step: &StepFile) -> BTreeMap<String, String> {
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
            && ["paseo", "acp", "opencode"].contains(&backend.as_str())
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
        env
    }

    fn worktree(&mut self, step: &StepFile) -> Option<String> {
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
        step.worktree
            .as_ref()
            .or_else(|| {
                step.agent
                    .as_ref()
                    .and_then(|agent| agent.value.worktree.as_ref())
            })
            .map(|worktree| worktree.value.clone())
    }

    fn schema(&mut self, step: &StepFile) -> Option<serde_json::Value> {
        let output = step.output.as_ref()?;
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
    }
}

/// What a crash in the middle of it means.
fn on_interrupt(step: &StepFile, kind: &Kind) -> OnInterrupt {
    let idempotent = step
        .idempotent
        .as_ref()
        .is_some_and(|idempotent| idempotent.value);
    step.on_interrupt.as_ref().map_or(
        if matches!(kind, Kind::Value { .. }) || idempotent {
            OnInterrupt::Rerun
        } else {
            OnInterrupt::Ask
        },
        |on_interrupt| on_interrupt.value,
    )
}
