//! The names in templates and conditions: what is there when they are folded.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Checker, Reach};
use crate::definition::file::{At, FlowFile, Position};
use crate::definition::template::{self, Form};
use crate::definition::{Input, Kind, Step, StepIndex, outside};

pub(super) const RESULT_FIELDS: [&str; 6] = [
    "state",
    "output",
    "data",
    "exit_code",
    "worktree",
    "attempt",
];

pub(super) struct Known<'f> {
    pub(super) inputs: &'f BTreeMap<String, Input>,
    pub(super) index: &'f HashMap<String, StepIndex>,
    pub(super) steps: &'f [Step],
}

impl Checker<'_> {
    pub(super) fn templates(
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
            sources.extend(
                step.repeat
                    .iter()
                    .map(|repeat| (&repeat.value.until, Form::Condition)),
            );
            sources.extend(
                step.foreach
                    .iter()
                    .map(|list| (&list.value.of, Form::Condition)),
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
                || sources.iter().any(|(source, _)| {
                    ["results", "rounds"]
                        .iter()
                        .any(|space| source.value.contains(space))
                });
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

    pub(super) fn template(
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
                ["results" | "last" | "rounds"] | ["env"] => self.error(
                    at,
                    format!("`{name}` must be followed by a name that is known beforehand"),
                    Some(format!("as in `{name}.NAME`")),
                ),
                ["results", id, rest @ ..] => {
                    self.result(id, rest.first().copied(), at, form, reader, known);
                }
                ["last", id, rest @ ..] => {
                    self.last(id, rest.first().copied(), at, reader, known);
                }
                ["item", ..] | ["index"] => {
                    let step = reader.and_then(|(step, _)| known.index.get(step));
                    let list = step.and_then(|step| known.steps[*step].foreach.as_ref());
                    let of_when = step.is_some_and(|step| {
                        known.steps[*step].when.as_ref() == Some(&source.value)
                    });
                    match list {
                        Some(list) if list.of != source.value && !of_when => {}
                        _ => self.error(
                            at,
                            format!("there is no `{}` here", parts[0]),
                            Some("it is known in what a step with `foreach` does for each item, and not in its `when`".to_owned()),
                        ),
                    }
                }
                ["rounds", id, ..] => self.rounds(id, at, reader, known),
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
                [other, ..] => self.no_space(other, at, known),
                [] => {}
            }
        }
    }

    /// A name of a step's result: the step is there and comes before, and results have such a field.
    fn result(
        &mut self,
        id: &str,
        field: Option<&str>,
        at: Position,
        form: Form,
        reader: Option<(&str, &HashSet<StepIndex>)>,
        known: &Known<'_>,
    ) {
        let Some(target) = known.index.get(id).copied() else {
            self.unknown("step", id, at, known.index.keys().map(String::as_str));
            return;
        };
        if let Some((step, before)) = reader
            && !before.contains(&target)
        {
            let message = if id == step {
                format!("`{step}` can't look at its own result")
            } else {
                format!("`{id}` does not come before `{step}`, so its result may not be there")
            };
            self.error(
                at,
                message,
                Some(format!("add it to the needs: `needs: [{id}]`")),
            );
        }
        self.field(field, at);
        let free = field == Some("output") && matches!(known.steps[target].kind, Kind::Agent(_));
        if form == Form::Condition && free {
            self.warn(
                at,
                format!("this condition depends on the free text of the agent `{id}`"),
                "let it answer JSON with `output: { type: json }` and look at its `data`",
            );
        }
    }

    /// A field of a result: results have such a one.
    pub(super) fn field(&mut self, field: Option<&str>, at: Position) {
        if let Some(field) = field
            && !RESULT_FIELDS.contains(&field)
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
    }

    /// A name that begins with nothing that is there.
    fn no_space(&mut self, other: &str, at: Position, known: &Known<'_>) {
        let hint = if known.inputs.contains_key(other) {
            format!("did you mean `inputs.{other}`?")
        } else if known.index.contains_key(other) {
            format!("did you mean `results.{other}.output`?")
        } else {
            "there are `inputs`, `results`, `run` and `env`; in the steps of a `repeat` also `last`, and `rounds`".to_owned()
        };
        self.error(at, format!("there is no `{other}`"), Some(hint));
    }

    pub(super) fn unknown<'k>(
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
}

/// The known name that was probably meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
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
pub(super) fn distance(a: &str, b: &str) -> usize {
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
