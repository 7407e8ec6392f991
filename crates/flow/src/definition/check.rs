//! From the file to the flow: every mistake that can be seen without running it, with its place.

mod kinds;
mod lists;
mod names;
mod never;
mod repeats;
mod shape;
mod steps;
mod yaml;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::file::{At, FlowFile, Position};
use super::{
    Batch, BatchIndex, Finding, Flow, FlowRefused, RunOutput, Severity, Step, StepIndex, duration,
    hash,
};
use shape::{in_order, predecessors};
use steps::Declared;
use yaml::{refusal, yaml_refusal};

/// Texts longer than this are no flows.
const MOST_TEXT: usize = 4 << 20;
const MOST_STEPS: usize = 20_000;

pub(super) fn read(text: &str) -> Result<Flow, FlowRefused> {
    if text.len() > MOST_TEXT {
        return Err(refusal(
            Position { line: 1, column: 1 },
            "the file is larger than 4 MB",
            None,
        ));
    }
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    let mut file: FlowFile = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| yaml_refusal(text, &error))?;
    file.inherit_agent();
    let mut checker = Checker {
        text,
        findings: Vec::new(),
    };
    if let Some(agent) = &file.defaults.agent {
        // Also when no step takes it; what is wrong with it is said once.
        checker.agent(&agent.value, "");
    }
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

        let (mut batches, batch_timeouts) = self.batches(file);
        let batch_index: HashMap<&str, BatchIndex> =
            file.batches.keys().map(String::as_str).zip(0..).collect();
        let index = self.step_index(file);
        let mut steps: Vec<Step> = Vec::new();
        let known = Declared {
            inputs: &inputs,
            steps: &index,
            batches: &batch_index,
            batch_timeouts: &batch_timeouts,
        };
        for step in &file.steps.value {
            steps.push(self.step(file, step, &known));
        }
        for (number, step) in steps.iter_mut().enumerate() {
            step.place = number;
            if let Some(batch) = step.batch {
                batches[batch].members.push(number);
            }
        }
        self.link_cases(file, &mut steps);
        self.lists_of_own(file, &steps);
        self.link_repeats(file, &mut steps, &batches, &index);
        for step in &mut steps {
            if let Some(list) = &mut step.foreach {
                list.needs.clone_from(&step.needs);
            }
        }
        self.goto_targets(file, &mut steps, &index);

        let reach = Reach {
            before: predecessors(&steps, &batches),
        };
        let structure_is_sound = !self.has_errors();
        let sound_graph = self.cycles(file, &steps, &batches);
        if sound_graph {
            for (rank, step) in in_order(&reach.before).into_iter().enumerate() {
                // Between two of them there is room for the items of a list.
                steps[step].rank = 2 * rank + 1;
            }
        }
        if structure_is_sound && sound_graph {
            self.sibling_cases(file, &steps);
            self.never_runs(file, &steps, &batches);
        }
        if sound_graph {
            self.templates(file, &steps, &inputs, &index, &reach);
        }
        self.empty_batches(file, &batches, &batch_index);
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

    /// The batches without their members, and the limit of one attempt that each gives to them.
    fn batches(&mut self, file: &FlowFile) -> (Vec<Batch>, Vec<Option<Duration>>) {
        let mut batches = Vec::new();
        let mut batch_timeouts = Vec::new();
        for (name, batch) in &file.batches {
            self.identifier("a batch", name, batch.at);
            let limit = self.at_least_one(&batch.value.max_concurrent);
            batch_timeouts.push(self.duration(batch.value.timeout.as_ref()));
            batches.push(Batch {
                name: name.clone(),
                max_concurrent: limit,
                join: batch.value.join,
                members: Vec::new(),
                own: false,
            });
        }
        (batches, batch_timeouts)
    }

    /// The steps by their names, each of which must be there once.
    fn step_index(&mut self, file: &FlowFile) -> HashMap<String, StepIndex> {
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
        index
    }

    /// Refuses needs of batches that have no members.
    fn empty_batches(
        &mut self,
        file: &FlowFile,
        batches: &[Batch],
        batch_index: &HashMap<&str, BatchIndex>,
    ) {
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
}
