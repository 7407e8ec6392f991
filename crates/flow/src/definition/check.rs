//! From the file to the flow: every mistake that can be seen without running it, with its place.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::file::{
    AgentFile, At, FlowFile, InputFile, InputType, Names, OnInterrupt, OnRejectFile, OutputType,
    Position, StepFile, Trigger,
};
use super::outside;
use super::template::{self, Form};
use super::{
    Agent, Approval, Batch, BatchIndex, Branch, Case, Finding, Flow, FlowRefused, Gate, Input,
    Kind, Need, Retry, RunOutput, Severity, Step, StepIndex, Switch, duration, hash, quoted,
};

/// Texts longer than this are no flows.
const MOST_TEXT: usize = 4 << 20;
const MOST_STEPS: usize = 20_000;
const BACKENDS: [&str; 3] = ["paseo", "acp", "command"];

pub(super) fn read(text: &str) -> Result<Flow, FlowRefused> {
    if text.len() > MOST_TEXT {
        return Err(refusal(
            Position { line: 1, column: 1 },
            "the file is larger than 4 MB",
            None,
        ));
    }
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    let file: FlowFile = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| yaml_refusal(text, &error))?;
    let mut checker = Checker {
        text,
        findings: Vec::new(),
    };
    let flow = checker.flow(&file);
    let mut findings = checker.findings;
    findings.sort_by_key(|finding| finding.at);
    findings.dedup();
    if findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
    {
        return Err(FlowRefused { findings });
    }
    Ok(Flow {
        warnings: findings,
        ..flow
    })
}

fn refusal(at: Position, message: &str, hint: Option<String>) -> FlowRefused {
    FlowRefused {
        findings: vec![Finding {
            severity: Severity::Error,
            at,
            message: message.to_owned(),
            hint,
        }],
    }
}

/// What the reader of the YAML refused, in our words.
fn yaml_refusal(text: &str, error: &serde_saphyr::Error) -> FlowRefused {
    use serde_saphyr::Error as E;
    let error = error.without_snippet();
    let at = error
        .location()
        .map_or(Position { line: 1, column: 1 }, |place| Position {
            line: u32::try_from(place.line()).unwrap_or(1).max(1),
            column: u32::try_from(place.column()).unwrap_or(1).max(1),
        });
    let listed = |names: &[&str]| {
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (message, hint) = match error {
        E::SerdeUnknownField {
            field, expected, ..
        } => (
            format!("unknown key `{field}`"),
            Some(match nearest(field, expected.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", listed(expected)),
            }),
        ),
        E::SerdeUnknownVariant {
            variant, expected, ..
        } => (
            format!("`{variant}` is not allowed here"),
            Some(match nearest(variant, expected.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? there are {}", listed(expected)),
                None => format!("one of {}", listed(expected)),
            }),
        ),
        E::SerdeMissingField { field, .. } => (
            format!("the key `{field}` is missing"),
            Some(format!("add `{field}:`")),
        ),
        E::DuplicateMappingKey { key, .. } => (
            format!("the key `{}` is there twice", key.as_deref().unwrap_or("?")),
            Some("leave one of the two out".to_owned()),
        ),
        E::SerdeInvalidType {
            unexpected,
            expected,
            ..
        } => (
            format!("this is {unexpected}"),
            Some(format!("must be {expected}")),
        ),
        E::SerdeInvalidValue {
            unexpected,
            expected,
            ..
        } => (
            format!("this is {unexpected}"),
            Some(format!("must be {expected}")),
        ),
        E::InvalidScalar { ty, .. } => (
            "this value has the wrong type".to_owned(),
            Some(format!("must be {}", plainly(ty))),
        ),
        E::Unexpected { expected, .. } => (
            "this value has the wrong type".to_owned(),
            Some(format!("must be {}", plainly(expected))),
        ),
        E::Eof { .. } if text.trim().is_empty() => (
            "the file is empty".to_owned(),
            Some("a flow has a `name` and `steps`".to_owned()),
        ),
        E::MultipleDocuments { .. } => (
            "there is more than one document in the file".to_owned(),
            Some("a file holds one flow; leave out the `---`".to_owned()),
        ),
        other => {
            let message = first_line(&other.to_string());
            // The place is said apart.
            let end = message.find(" at line ").unwrap_or(message.len());
            (message[..end].to_owned(), None)
        }
    };
    refusal(at, &message, hint)
}

/// The YAML reader's name of a type, in words.
fn plainly(expected: &str) -> &str {
    match expected {
        "i64" | "u64" | "i32" | "u32" => "a whole number",
        "bool" => "`true` or `false`",
        "string scalar" => "text",
        "sequence start" => "a list",
        "mapping start" => "keys with values",
        other => other,
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// The known name that was probably meant.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| {
            let length = candidate.len().max(name.len());
            *distance <= (length / 3).max(usize::from(length > 3) * 2)
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters must change to make one name the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

struct Checker<'t> {
    text: &'t str,
    findings: Vec<Finding>,
}

/// What a step's templates may look at.
struct Reach {
    /// For each step, the steps that come before it: what it needs, its switches, and theirs.
    before: Vec<Vec<StepIndex>>,
}

impl Reach {
    fn all_before(&self, step: StepIndex) -> HashSet<StepIndex> {
        let mut found = HashSet::new();
        let mut open = self.before[step].clone();
        while let Some(next) = open.pop() {
            if found.insert(next) {
                open.extend(&self.before[next]);
            }
        }
        found
    }
}

impl Checker<'_> {
    fn error(&mut self, at: Position, message: impl Into<String>, hint: Option<String>) {
        self.findings.push(Finding {
            severity: Severity::Error,
            at,
            message: message.into(),
            hint,
        });
    }

    fn warn(&mut self, at: Position, message: impl Into<String>, hint: &str) {
        self.findings.push(Finding {
            severity: Severity::Warning,
            at,
            message: message.into(),
            hint: Some(hint.to_owned()),
        });
    }

    /// Where `fragment` first stands in the scalar that starts at `source`.
    fn place<T>(&self, source: &At<T>, fragment: &str) -> Position {
        let Some(rest) = self.text.get(source.offset..) else {
            return source.at;
        };
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let found = rest.match_indices(fragment).find(|(index, _)| {
            let before = rest[..*index].chars().next_back();
            let after = rest[index + fragment.len()..].chars().next();
            let cut_before =
                before.is_some_and(|c| is_word(c) || c == '.') && fragment.starts_with(is_word);
            let cut_after = after.is_some_and(is_word) && fragment.ends_with(is_word);
            !cut_before && !cut_after
        });
        match found {
            Some((index, _)) if !fragment.is_empty() => {
                let before = &self.text[..source.offset + index];
                let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
                Position {
                    line: u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX),
                    column: u32::try_from(before[line_start..].chars().count() + 1)
                        .unwrap_or(u32::MAX),
                }
            }
            _ => source.at,
        }
    }

    fn duration(&mut self, text: Option<&At<String>>) -> Option<Duration> {
        let text = text?;
        match duration::parse(&text.value) {
            Ok(duration) => Some(duration),
            Err(message) => {
                self.error(text.at, message, None);
                None
            }
        }
    }

    fn identifier(&mut self, what: &str, name: &str, at: Position) {
        let mut chars = name.chars();
        let good = chars
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
            && name.len() <= 64;
        if !good {
            let mended: String = name
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                .collect();
            self.error(
                at,
                format!("`{name}` can't be the name of {what}"),
                Some(format!(
                    "a name starts with a letter and has letters, digits and `_` only, 64 at most, so that templates can say it, as in `{mended}`"
                )),
            );
        }
    }

    fn flow(&mut self, file: &FlowFile) -> Flow {
        if file.name.value.trim().is_empty() {
            self.error(
                file.name.at,
                "the name is empty",
                Some("say what the flow is called".to_owned()),
            );
        }
        let inputs = self.inputs("an input", &file.inputs);
        let max_concurrent = file
            .max_concurrent
            .as_ref()
            .map_or(64, |limit| self.at_least_one(limit));

        let mut batches = Vec::new();
        let mut batch_index: HashMap<&str, BatchIndex> = HashMap::new();
        let mut batch_timeouts = Vec::new();
        for (name, batch) in &file.batches {
            self.identifier("a batch", name, batch.at);
            let limit = self.at_least_one(&batch.value.max_concurrent);
            batch_timeouts.push(self.duration(batch.value.timeout.as_ref()));
            batch_index.insert(name, batches.len());
            batches.push(Batch {
                name: name.clone(),
                max_concurrent: limit,
                join: batch.value.join,
                members: Vec::new(),
            });
        }

        if file.steps.value.is_empty() {
            self.error(
                file.steps.at,
                "there are no steps",
                Some("add at least one".to_owned()),
            );
        }
        if file.steps.value.len() > MOST_STEPS {
            self.error(
                file.steps.at,
                format!("there are more than {MOST_STEPS} steps"),
                None,
            );
        }
        let mut index: HashMap<String, StepIndex> = HashMap::new();
        for (number, step) in file.steps.value.iter().enumerate() {
            let id = &step.value.id;
            self.identifier("a step", &id.value, id.at);
            if let Some(first) = index.get(&id.value) {
                let line = file.steps.value[*first].value.id.at.line;
                self.error(
                    id.at,
                    format!("there is a step `{}` already", id.value),
                    Some(format!(
                        "the first is on line {line}; every step has an id of its own"
                    )),
                );
            } else {
                index.insert(id.value.clone(), number);
            }
        }

        let mut steps: Vec<Step> = Vec::new();
        for step in &file.steps.value {
            steps.push(self.step(file, step, &inputs, &index, &batch_index, &batch_timeouts));
        }
        for (number, step) in steps.iter().enumerate() {
            if let Some(batch) = step.batch {
                batches[batch].members.push(number);
            }
        }
        self.link_cases(file, &mut steps);
        self.goto_targets(file, &mut steps, &index);

        let reach = Reach {
            before: predecessors(&steps, &batches),
        };
        let structure_is_sound = !self.has_errors();
        let sound_graph = self.cycles(file, &steps, &batches);
        if sound_graph {
            for (rank, step) in in_order(&reach.before).into_iter().enumerate() {
                steps[step].rank = rank;
            }
        }
        if structure_is_sound && sound_graph {
            self.sibling_cases(file, &steps);
            self.never_runs(file, &steps, &batches, &inputs);
        }
        if sound_graph {
            self.templates(file, &steps, &inputs, &index, &reach);
        }
        for step in &file.steps.value {
            for need in step.value.needs.iter().flat_map(At::list) {
                if let Some(batch) = need
                    .value
                    .strip_prefix("batch:")
                    .and_then(|name| batch_index.get(name))
                    && batches[*batch].members.is_empty()
                {
                    self.error(
                        need.at,
                        format!("no step is in the batch `{}`", batches[*batch].name),
                        Some("put steps into it, or leave the need out".to_owned()),
                    );
                }
            }
        }
        let output = file.output.as_ref().map(|output| RunOutput {
            file: output.value.file.as_ref().map(|file| file.value.clone()),
            render: output.value.render.value.clone(),
        });
        Flow {
            name: file.name.value.clone(),
            description: file.description.clone(),
            text: self.text.to_owned(),
            hash: hash(self.text),
            inputs,
            max_concurrent,
            batches,
            steps,
            output,
            warnings: Vec::new(),
            index,
        }
    }

    fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }

    fn at_least_one(&mut self, limit: &At<i64>) -> u32 {
        match u32::try_from(limit.value) {
            Ok(limit) if limit >= 1 => limit,
            _ => {
                self.error(
                    limit.at,
                    format!("`max_concurrent` is {}", limit.value),
                    Some("must be at least 1, or no step could ever run".to_owned()),
                );
                1
            }
        }
    }

    fn inputs(
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
    fn step(
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

    fn unknown<'k>(
        &mut self,
        what: &str,
        name: &str,
        at: Position,
        known: impl Iterator<Item = &'k str>,
    ) {
        let known: BTreeSet<&str> = known.collect();
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if known.is_empty() => Some(format!("there is no {what} to name")),
            None if known.len() <= 12 => Some(format!(
                "there are {}",
                known
                    .iter()
                    .map(|name| format!("`{name}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
            None => None,
        };
        self.error(at, format!("there is no {what} `{name}`"), hint);
    }

    fn kind(&mut self, step: &StepFile, at: Position) -> Kind {
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

    fn agent(&mut self, agent: &AgentFile, prompt: &str) -> Agent {
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

    /// Names of cases' steps become indexes, and each listed step learns its switches.
    fn link_cases(&mut self, file: &FlowFile, steps: &mut [Step]) {
        let index: HashMap<String, StepIndex> = file
            .steps
            .value
            .iter()
            .enumerate()
            .rev()
            .map(|(n, step)| (step.value.id.value.clone(), n))
            .collect();
        let mut gates: Vec<BTreeMap<StepIndex, Vec<Branch>>> = vec![BTreeMap::new(); steps.len()];
        for (number, step) in file.steps.value.iter().enumerate() {
            let Some(cases) = &step.value.switch else {
                continue;
            };
            let mut lists: Vec<(Branch, Option<&At<Names>>)> = cases
                .value
                .iter()
                .enumerate()
                .map(|(position, case)| (Branch::Case(position), case.value.steps.as_ref()))
                .collect();
            lists.push((Branch::Default, step.value.default.as_ref()));
            for (branch, names) in lists {
                let mut listed = Vec::new();
                for name in names.into_iter().flat_map(At::list) {
                    match index.get(&name.value) {
                        None => self.unknown(
                            "step",
                            &name.value,
                            name.at,
                            index.keys().map(String::as_str),
                        ),
                        Some(target) if listed.contains(target) => self.error(
                            name.at,
                            format!("`{}` is listed twice", name.value),
                            Some("list it once".to_owned()),
                        ),
                        Some(target) => {
                            listed.push(*target);
                            gates[*target].entry(number).or_default().push(branch);
                        }
                    }
                }
                if let Kind::Switch(switch) = &mut steps[number].kind {
                    match branch {
                        Branch::Case(position) => switch.cases[position].steps = listed,
                        Branch::Default => {
                            if let Some(default) = &mut switch.default {
                                *default = listed;
                            }
                        }
                    }
                }
            }
        }
        for (step, gates) in steps.iter_mut().zip(gates) {
            step.gates = gates
                .into_iter()
                .map(|(switch, branches)| Gate { switch, branches })
                .collect();
        }
    }

    fn goto_targets(
        &mut self,
        file: &FlowFile,
        steps: &mut [Step],
        index: &HashMap<String, StepIndex>,
    ) {
        for (number, step) in file.steps.value.iter().enumerate() {
            let Some(on_reject) = step
                .value
                .approval
                .as_ref()
                .and_then(|approval| approval.value.on_reject.as_ref())
            else {
                continue;
            };
            let OnRejectFile::Goto(target) = &on_reject.value else {
                continue;
            };
            match index.get(target) {
                None => self.unknown(
                    "step",
                    target,
                    on_reject.at,
                    index.keys().map(String::as_str),
                ),
                Some(target) => {
                    if let Kind::Approval(approval) = &mut steps[number].kind {
                        approval.goto = Some(*target);
                    }
                }
            }
        }
    }

    /// Refuses what waits for itself. True when nothing does.
    fn cycles(&mut self, file: &FlowFile, steps: &[Step], batches: &[Batch]) -> bool {
        let before = predecessors(steps, batches);
        let mut after: Vec<Vec<StepIndex>> = vec![Vec::new(); steps.len()];
        let mut waits: Vec<usize> = before.iter().map(Vec::len).collect();
        for (step, before) in before.iter().enumerate() {
            for predecessor in before {
                after[*predecessor].push(step);
            }
        }
        let mut free: Vec<StepIndex> = (0..steps.len()).filter(|step| waits[*step] == 0).collect();
        let mut done = 0;
        while let Some(step) = free.pop() {
            done += 1;
            for next in &after[step] {
                waits[*next] -= 1;
                if waits[*next] == 0 {
                    free.push(*next);
                }
            }
        }
        if done == steps.len() {
            return true;
        }
        // Every step that still waits has a predecessor that still waits: walking back closes a circle.
        let mut seen: HashMap<StepIndex, usize> = HashMap::new();
        let mut path = Vec::new();
        let mut step = (0..steps.len())
            .find(|step| waits[*step] > 0)
            .unwrap_or_default();
        while !seen.contains_key(&step) {
            seen.insert(step, path.len());
            path.push(step);
            match before[step]
                .iter()
                .find(|predecessor| waits[**predecessor] > 0)
            {
                Some(predecessor) => step = *predecessor,
                None => break,
            }
        }
        let circle = &path[seen.get(&step).copied().unwrap_or_default()..];
        let names: Vec<String> = circle
            .iter()
            .chain(circle.first())
            .map(|step| format!("`{}`", steps[*step].id))
            .collect();
        let first = circle.iter().min().copied().unwrap_or_default();
        let at = file.steps.value[first]
            .value
            .needs
            .as_ref()
            .map_or(file.steps.value[first].at, |needs| needs.at);
        self.error(
            at,
            format!(
                "these steps wait for one another: {}",
                names.join(" waits for ")
            ),
            Some("take one of the needs out".to_owned()),
        );
        false
    }

    /// A step of one case that needs a step of other cases only waits for what is never there.
    fn sibling_cases(&mut self, file: &FlowFile, steps: &[Step]) {
        for (number, step) in steps.iter().enumerate() {
            for gate in &step.gates {
                for need in &step.needs {
                    let Need::Step(need) = need else { continue };
                    let Some(other) = steps[*need]
                        .gates
                        .iter()
                        .find(|other| other.switch == gate.switch)
                    else {
                        continue;
                    };
                    if other
                        .branches
                        .iter()
                        .any(|branch| gate.branches.contains(branch))
                    {
                        continue;
                    }
                    let switch = &steps[gate.switch];
                    let (own, sibling) = (
                        label(switch, gate.branches[0]),
                        label(switch, other.branches[0]),
                    );
                    let needs = &file.steps.value[number].value.needs;
                    let at = needs
                        .iter()
                        .flat_map(At::list)
                        .find(|name| name.value == steps[*need].id)
                        .map_or(step.at, |name| name.at);
                    self.error(
                        at,
                        format!(
                            "`{}` runs in the case `{own}` of `{}` and needs `{}`, which runs in the case `{sibling}` only",
                            step.id, switch.id, steps[*need].id
                        ),
                        Some("list it in both cases, or in none".to_owned()),
                    );
                }
            }
        }
    }

    /// Refuses steps that no run could ever reach.
    fn never_runs(
        &mut self,
        file: &FlowFile,
        steps: &[Step],
        batches: &[Batch],
        _: &BTreeMap<String, Input>,
    ) {
        #[derive(Clone, Copy)]
        struct May {
            ok: bool,
            bad: bool,
            dead: bool,
        }
        let before = predecessors(steps, batches);
        let order = in_order(&before);
        let mut may = vec![
            May {
                ok: false,
                bad: false,
                dead: false
            };
            steps.len()
        ];
        // For each step, the branches that must have been taken for it to run.
        let mut demands: Vec<BTreeMap<StepIndex, BTreeSet<Branch>>> =
            vec![BTreeMap::new(); steps.len()];
        let mut unreachable = HashSet::new();
        for number in order {
            let step = &steps[number];
            let mut why: Option<String> = None;
            let mut derived = false;

            let mut demand: BTreeMap<StepIndex, BTreeSet<Branch>> = BTreeMap::new();
            for gate in &step.gates {
                let own = [(
                    gate.switch,
                    gate.branches.iter().copied().collect::<BTreeSet<_>>(),
                )];
                let inherited = demands[gate.switch].clone();
                for (switch, branches) in own.into_iter().chain(inherited) {
                    let entry = demand.entry(switch).or_insert_with(|| branches.clone());
                    *entry = entry.intersection(&branches).copied().collect();
                    if entry.is_empty() {
                        why = Some(format!(
                            "it is listed in cases of `{}` that exclude one another",
                            steps[switch].id
                        ));
                    }
                }
                derived |= unreachable.contains(&gate.switch);
            }
            if step.when.as_deref().and_then(template::constant) == Some(false) {
                why = Some("its condition is always false".to_owned());
            }

            let edges: Vec<May> = step
                .needs
                .iter()
                .map(|need| match need {
                    Need::Step(need) => may[*need],
                    Need::Batch(batch) => {
                        let members = &batches[*batch].members;
                        May {
                            ok: members.is_empty()
                                || members.iter().any(|member| may[*member].ok)
                                || batches[*batch].join != Trigger::AllSuccess,
                            bad: members.iter().any(|member| may[*member].bad),
                            dead: true,
                        }
                    }
                })
                .collect();
            let needed: Vec<StepIndex> = step
                .needs
                .iter()
                .filter_map(|need| match need {
                    Need::Step(need) => Some(*need),
                    Need::Batch(_) => None,
                })
                .collect();
            derived |= needed.iter().any(|need| unreachable.contains(need));
            let exclusive = exclusive_pair(&needed, &demands);
            if !edges.is_empty() {
                let all = |f: fn(&May) -> bool| edges.iter().all(f);
                let any = |f: fn(&May) -> bool| edges.iter().any(f);
                let trigger_fits = match step.trigger {
                    Trigger::AllSuccess => any(|e| e.ok) && all(|e| e.ok || e.dead),
                    Trigger::AllSuccessStrict => all(|e| e.ok),
                    Trigger::OneSuccess => any(|e| e.ok),
                    Trigger::AllDone => any(|e| e.ok || e.bad),
                    Trigger::AllSettled => true,
                    Trigger::OneFailed => any(|e| e.bad),
                    Trigger::AllFailed => all(|e| e.bad),
                    Trigger::NoneSkipped => all(|e| e.ok || e.bad),
                };
                if !trigger_fits {
                    why = why.or_else(|| {
                        Some("its needs can never end as its `trigger` wants".to_owned())
                    });
                }
                if matches!(
                    step.trigger,
                    Trigger::AllSuccessStrict | Trigger::NoneSkipped
                ) && let Some((a, b)) = exclusive
                {
                    why = why.or_else(|| {
                        Some(format!(
                            "it wants both `{}` and `{}`, which are in cases that exclude one another",
                            steps[a].id, steps[b].id
                        ))
                    });
                }
            }

            let can_run = why.is_none() && !derived;
            let need_bad = edges.iter().any(|edge| edge.bad)
                || step.gates.iter().any(|gate| may[gate.switch].bad);
            may[number] = May {
                ok: can_run,
                bad: (can_run && !step.allow_failure) || need_bad,
                dead: !can_run
                    || step.when.is_some()
                    || step.bands.is_some()
                    || !step.gates.is_empty()
                    || !step.needs.is_empty(),
            };
            if why.is_some() || derived {
                unreachable.insert(number);
            }
            if let Some(why) = why {
                let at = file.steps.value[number].value.id.at;
                self.error(
                    at,
                    format!("the step `{}` can never run: {why}", step.id),
                    Some("change it, or leave the step out".to_owned()),
                );
            }
            demands[number] = demand;
        }
    }

    fn templates(
        &mut self,
        file: &FlowFile,
        steps: &[Step],
        inputs: &BTreeMap<String, Input>,
        index: &HashMap<String, StepIndex>,
        reach: &Reach,
    ) {
        let names = Known {
            inputs,
            index,
            steps,
        };
        for (number, step) in file.steps.value.iter().enumerate() {
            let mut sources: Vec<(&At<String>, Form)> = Vec::new();
            let step = &step.value;
            sources.extend(step.when.iter().map(|when| (when, Form::Condition)));
            sources.extend(step.prompt.iter().map(|text| (text, Form::Text)));
            sources.extend(step.value.iter().map(|text| (text, Form::Text)));
            sources.extend(
                step.approval
                    .iter()
                    .map(|approval| (&approval.value.message, Form::Text)),
            );
            sources.extend(
                step.switch
                    .iter()
                    .flat_map(|cases| &cases.value)
                    .map(|case| (&case.value.when, Form::Condition)),
            );
            sources.extend(step.env.values().map(|text| (text, Form::Text)));
            sources.extend(
                step.cwd
                    .iter()
                    .chain(&step.worktree)
                    .map(|text| (text, Form::Text)),
            );
            if step.run.is_some() || step.agent.is_some() {
                sources.extend(file.defaults.env.values().map(|text| (text, Form::Text)));
                sources.extend(file.defaults.cwd.iter().map(|text| (text, Form::Text)));
            }
            if let Some(agent) = &step.agent {
                let agent = &agent.value;
                let texts = [
                    &agent.provider,
                    &agent.name,
                    &agent.model,
                    &agent.mode,
                    &agent.worktree,
                ];
                sources.extend(texts.into_iter().flatten().map(|text| (text, Form::Text)));
                sources.extend(
                    agent
                        .program
                        .iter()
                        .flat_map(|program| &program.value)
                        .map(|text| (text, Form::Text)),
                );
            }
            if sources.is_empty() {
                continue;
            }
            // All that comes before is only looked for where it is asked about: in a long chain it is long.
            let asked = step.approval.is_some()
                || sources
                    .iter()
                    .any(|(source, _)| source.value.contains("results"));
            let before = if asked {
                reach.all_before(number)
            } else {
                HashSet::new()
            };
            for (source, form) in sources {
                self.template(source, form, Some((&step.id.value, &before)), &names);
            }
            if let Kind::Approval(approval) = &steps[number].kind
                && let Some(goto) = approval.goto
                && !before.contains(&goto)
                && let Some(on_reject) = step
                    .approval
                    .as_ref()
                    .and_then(|approval| approval.value.on_reject.as_ref())
            {
                self.error(
                    on_reject.at,
                    format!(
                        "`{}` does not come before `{}`, so nothing can go back to it",
                        steps[goto].id, step.id.value
                    ),
                    Some("name a step that this one waits for".to_owned()),
                );
            }
        }
        if let Some(output) = &file.output {
            for source in output.value.file.iter().chain([&output.value.render]) {
                self.template(source, Form::Text, None, &names);
            }
        }
    }

    fn template(
        &mut self,
        source: &At<String>,
        form: Form,
        reader: Option<(&str, &HashSet<StepIndex>)>,
        known: &Known<'_>,
    ) {
        let what = if form == Form::Text {
            "template"
        } else {
            "condition"
        };
        let names = match template::names(&source.value, form) {
            Ok(names) => names,
            Err(problem) => {
                let at = problem
                    .fragment
                    .as_deref()
                    .map_or(source.at, |fragment| self.place(source, fragment));
                self.error(
                    at,
                    format!("this {what} can't be read: {}", problem.message),
                    None,
                );
                return;
            }
        };
        for (what, name) in template::unknown_filters(&source.value, form) {
            let at = self.place(source, &name);
            self.error(at, format!("there is no {what} `{name}`"), None);
        }
        for name in names {
            let parts: Vec<&str> = name.split('.').collect();
            let at = self.place(source, &name);
            match parts.as_slice() {
                ["inputs"] | ["run" | "env" | "inputs", "_"] => {}
                ["inputs", input, ..] => {
                    if !known.inputs.contains_key(*input) {
                        self.unknown("input", input, at, known.inputs.keys().map(String::as_str));
                    }
                }
                ["results"] | ["env"] => self.error(
                    at,
                    format!("`{name}` must be followed by a name that is known beforehand"),
                    Some(format!("as in `{name}.NAME`")),
                ),
                ["results", id, rest @ ..] => {
                    let Some(target) = known.index.get(*id).copied() else {
                        self.unknown("step", id, at, known.index.keys().map(String::as_str));
                        continue;
                    };
                    if let Some((step, before)) = reader
                        && !before.contains(&target)
                    {
                        let message = if *id == step {
                            format!("`{step}` can't look at its own result")
                        } else {
                            format!(
                                "`{id}` does not come before `{step}`, so its result may not be there"
                            )
                        };
                        self.error(
                            at,
                            message,
                            Some(format!("add it to the needs: `needs: [{id}]`")),
                        );
                    }
                    if let Some(field) = rest.first()
                        && !RESULT_FIELDS.contains(field)
                    {
                        self.error(
                            at,
                            format!("a result has no `{field}`"),
                            Some(match nearest(field, RESULT_FIELDS.into_iter()) {
                                Some(near) => format!("did you mean `{near}`?"),
                                None => format!(
                                    "there are {}",
                                    RESULT_FIELDS.map(|f| format!("`{f}`")).join(", ")
                                ),
                            }),
                        );
                    }
                    let free = matches!(rest.first(), Some(&"output"))
                        && matches!(known.steps[target].kind, Kind::Agent(_));
                    if form == Form::Condition && free {
                        self.warn(
                            at,
                            format!("this condition depends on the free text of the agent `{id}`"),
                            "let it answer JSON with `output: { type: json }` and look at its `data`",
                        );
                    }
                }
                ["run"] => {}
                ["run", field, ..] => {
                    if !["id", "flow", "started_at"].contains(field) {
                        self.error(
                            at,
                            format!("a run has no `{field}`"),
                            Some("there are `id`, `flow` and `started_at`".to_owned()),
                        );
                    }
                }
                [outside::CONFLICTS] if form == Form::Condition => {}
                [outside::CONFLICTS] => self.error(
                    at,
                    "`conflicts` can be asked for in conditions only".to_owned(),
                    Some("ask in a `when`, or in a case of a switch".to_owned()),
                ),
                ["env", ..] | ["range" | "dict" | "debug" | "namespace", ..] => {}
                [other, ..] => {
                    let hint = if known.inputs.contains_key(*other) {
                        format!("did you mean `inputs.{other}`?")
                    } else if known.index.contains_key(*other) {
                        format!("did you mean `results.{other}.output`?")
                    } else {
                        "there are `inputs`, `results`, `run` and `env`".to_owned()
                    };
                    self.error(at, format!("there is no `{other}`"), Some(hint));
                }
                [] => {}
            }
        }
    }
}

const RESULT_FIELDS: [&str; 6] = [
    "state",
    "output",
    "data",
    "exit_code",
    "worktree",
    "attempt",
];

struct Known<'f> {
    inputs: &'f BTreeMap<String, Input>,
    index: &'f HashMap<String, StepIndex>,
    steps: &'f [Step],
}

fn label(switch: &Step, branch: Branch) -> String {
    match (&switch.kind, branch) {
        (Kind::Switch(switch), Branch::Case(position)) => switch.cases[position].label.clone(),
        _ => "default".to_owned(),
    }
}

/// For each step, all that it waits for: its needs, the members of the batches it needs, its switches.
fn predecessors(steps: &[Step], batches: &[Batch]) -> Vec<Vec<StepIndex>> {
    steps
        .iter()
        .map(|step| {
            let mut before: Vec<StepIndex> = step.gates.iter().map(|gate| gate.switch).collect();
            for need in &step.needs {
                match need {
                    Need::Step(step) => before.push(*step),
                    Need::Batch(batch) => before.extend(&batches[*batch].members),
                }
            }
            before.sort_unstable();
            before.dedup();
            before
        })
        .collect()
}

/// The steps, each after all that it waits for. There is no circle.
fn in_order(before: &[Vec<StepIndex>]) -> Vec<StepIndex> {
    let mut after: Vec<Vec<StepIndex>> = vec![Vec::new(); before.len()];
    let mut waits: Vec<usize> = before.iter().map(Vec::len).collect();
    for (step, before) in before.iter().enumerate() {
        for predecessor in before {
            after[*predecessor].push(step);
        }
    }
    let mut order: Vec<StepIndex> = (0..before.len()).filter(|step| waits[*step] == 0).collect();
    let mut next = 0;
    while next < order.len() {
        for successor in &after[order[next]] {
            waits[*successor] -= 1;
            if waits[*successor] == 0 {
                order.push(*successor);
            }
        }
        next += 1;
    }
    order
}

/// Two of `needed` that never both run, because a switch chooses between them.
fn exclusive_pair(
    needed: &[StepIndex],
    demands: &[BTreeMap<StepIndex, BTreeSet<Branch>>],
) -> Option<(StepIndex, StepIndex)> {
    for (position, a) in needed.iter().enumerate() {
        if demands[*a].is_empty() {
            continue;
        }
        for b in &needed[position + 1..] {
            for (switch, branches) in &demands[*a] {
                if demands[*b]
                    .get(switch)
                    .is_some_and(|other| branches.is_disjoint(other))
                {
                    return Some((*a, *b));
                }
            }
        }
    }
    None
}
