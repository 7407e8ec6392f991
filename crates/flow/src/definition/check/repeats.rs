//! Steps that are done in rounds: which they are, what begins a round, and what may look at one.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Checker;
use super::names::Known;
use crate::definition::file::{At, FlowFile, Position, RepeatFile, StepFile};
use crate::definition::template;
use crate::definition::{Batch, Gate, Kind, Need, Repeat, Step, StepIndex};

/// The most rounds that a `repeat` may have.
const MOST_ROUNDS: u32 = 1_000;

impl Checker<'_> {
    pub(super) fn repeat(&mut self, step: &StepFile, repeat: &At<RepeatFile>) -> Repeat {
        let id = &step.id.value;
        let RepeatFile {
            steps,
            until,
            times,
        } = &repeat.value;
        let times = match u32::try_from(times.value) {
            Ok(rounds) if (1..=MOST_ROUNDS).contains(&rounds) => rounds,
            _ => {
                self.error(
                    times.at,
                    format!("`times` is {}", times.value),
                    Some(format!("must be between 1 and {MOST_ROUNDS}")),
                );
                1
            }
        };
        if steps.value.names.is_empty() {
            self.error(
                steps.at,
                format!("`{id}` repeats no steps"),
                Some("list at least one".to_owned()),
            );
        }
        if template::constant(&until.value) == Some(false) {
            self.error(
                until.at,
                format!("the rounds of `{id}` never do: `until` is always false"),
                Some(
                    "say what is to be reached, as in `results.test.state == \"succeeded\"`"
                        .to_owned(),
                ),
            );
        }
        self.not_of_a_repeat(step);
        Repeat {
            steps: Vec::new(),
            first: Vec::new(),
            until: until.value.clone(),
            times,
        }
    }

    /// Refuses keys that say something of a step which is at work itself: those of the rounds are.
    fn not_of_a_repeat(&mut self, step: &StepFile) {
        let text = |key: &Option<At<String>>| key.as_ref().map(|key| key.at);
        let keys = [
            ("when", text(&step.when)),
            ("trigger", step.trigger.as_ref().map(|key| key.at)),
            ("bands", step.bands.as_ref().map(|key| key.at)),
            ("batch", text(&step.batch)),
            ("retries", step.retries.as_ref().map(|key| key.at)),
            ("retry_on", step.retry_on.as_ref().map(|key| key.at)),
            ("backoff", text(&step.backoff)),
            ("timeout", text(&step.timeout)),
            ("total_timeout", text(&step.total_timeout)),
            ("idle_timeout", text(&step.idle_timeout)),
            ("on_interrupt", step.on_interrupt.as_ref().map(|key| key.at)),
            ("env", step.env.values().next().map(|key| key.at)),
            ("cwd", text(&step.cwd)),
            ("worktree", text(&step.worktree)),
            ("output", step.output.as_ref().map(|key| key.at)),
        ];
        for (key, at) in keys {
            if let Some(at) = at {
                self.error(
                    at,
                    format!("`{key}` is not for a `repeat`, as `{}` is", step.id.value),
                    Some(format!("say `{key}` at the steps that it repeats")),
                );
            }
        }
    }

    /// Names of repeated steps become indexes; what a `repeat` needs, and the switches that list it, are those of the
    /// steps that begin a round.
    pub(super) fn link_repeats(
        &mut self,
        file: &FlowFile,
        steps: &mut [Step],
        batches: &[Batch],
        index: &HashMap<String, StepIndex>,
    ) {
        for (number, step) in file.steps.value.iter().enumerate() {
            let Some(repeat) = &step.value.repeat else {
                continue;
            };
            let listed = self.repeated(number, &repeat.value, steps, index);
            let inside: HashSet<StepIndex> = listed.iter().copied().collect();
            for need in step.value.needs.iter().flat_map(At::list) {
                if index
                    .get(&need.value)
                    .is_some_and(|need| inside.contains(need))
                {
                    self.error(
                        need.at,
                        format!(
                            "`{}` waits for `{}` already, which it repeats",
                            step.value.id.value, need.value
                        ),
                        Some("leave it out of the needs".to_owned()),
                    );
                }
            }
            let of_batch = |batch: usize| {
                batches[batch]
                    .members
                    .iter()
                    .any(|step| inside.contains(step))
            };
            let first: Vec<StepIndex> = listed
                .iter()
                .copied()
                .filter(|step| {
                    !steps[*step]
                        .gates
                        .iter()
                        .any(|gate| inside.contains(&gate.switch))
                        && !steps[*step].needs.iter().any(|need| match need {
                            Need::Step(step) => inside.contains(step),
                            Need::Batch(batch) => of_batch(*batch),
                        })
                })
                .collect();
            let mut needs = std::mem::take(&mut steps[number].needs);
            needs.retain(|need| !matches!(need, Need::Step(step) if inside.contains(step)));
            let gates = steps[number].gates.clone();
            for step in &first {
                let step = &mut steps[*step];
                for need in &needs {
                    if !step.needs.contains(need) {
                        step.needs.push(*need);
                    }
                }
                for gate in &gates {
                    join_gate(&mut step.gates, gate);
                }
            }
            steps[number].needs = listed.iter().map(|step| Need::Step(*step)).collect();
            if let Kind::Repeat(repeat) = &mut steps[number].kind {
                repeat.steps = listed;
                repeat.first = first;
            }
        }
        self.outside_of_rounds(file, steps, batches);
    }

    /// The steps that a `repeat` lists.
    fn repeated(
        &mut self,
        number: StepIndex,
        repeat: &RepeatFile,
        steps: &mut [Step],
        index: &HashMap<String, StepIndex>,
    ) -> Vec<StepIndex> {
        let mut listed = Vec::new();
        for name in repeat.steps.list() {
            let id = &name.value;
            let Some(target) = index.get(id).copied() else {
                self.unknown("step", id, name.at, index.keys().map(String::as_str));
                continue;
            };
            let (message, hint) = if listed.contains(&target) {
                (format!("`{id}` is listed twice"), "list it once")
            } else if target == number {
                (
                    format!("`{id}` can't repeat itself"),
                    "list the steps of a round",
                )
            } else if matches!(steps[target].kind, Kind::Repeat(_)) {
                (
                    format!("`{id}` is a `repeat`, and rounds within rounds there are not"),
                    "list steps of the other kinds",
                )
            } else if let Some(other) = steps[target].repeat {
                (
                    format!("`{id}` is repeated by `{}` already", steps[other].id),
                    "a step is done in the rounds of one `repeat`",
                )
            } else {
                steps[target].repeat = Some(number);
                listed.push(target);
                continue;
            };
            self.error(name.at, message, Some(hint.to_owned()));
        }
        listed
    }

    /// Refuses what would go on from the middle of a round: there may be another one.
    fn outside_of_rounds(&mut self, file: &FlowFile, steps: &[Step], batches: &[Batch]) {
        for (number, step) in steps.iter().enumerate() {
            let apart = |other: StepIndex| {
                let repeat = steps[other].repeat;
                repeat.filter(|repeat| step.repeat != Some(*repeat) && *repeat != number)
            };
            let needs: Vec<At<String>> = file.steps.value[number]
                .value
                .needs
                .iter()
                .flat_map(At::list)
                .collect();
            for need in &step.needs {
                let inside = match need {
                    Need::Step(other) => apart(*other).map(|repeat| (repeat, *other)),
                    Need::Batch(batch) => batches[*batch]
                        .members
                        .iter()
                        .find_map(|member| Some((apart(*member)?, *member))),
                };
                let Some((repeat, member)) = inside else {
                    continue;
                };
                let (written, what) = match need {
                    Need::Step(_) => (steps[member].id.clone(), String::new()),
                    Need::Batch(batch) => {
                        let name = format!("batch:{}", batches[*batch].name);
                        let what = format!(" of `{name}`");
                        (name, what)
                    }
                };
                let at = needs.iter().find(|need| need.value == written);
                self.error(
                    at.map_or(step.at, |need| need.at),
                    format!(
                        "`{}` needs `{}`{what}, which `{}` may do again",
                        step.id, steps[member].id, steps[repeat].id
                    ),
                    Some(format!(
                        "need `{0}`, which has ended when its last round has: `needs: [{0}]`",
                        steps[repeat].id
                    )),
                );
            }
            let from_within = step
                .gates
                .iter()
                .find_map(|gate| Some((apart(gate.switch)?, gate.switch)));
            if let Some((repeat, switch)) = from_within {
                self.error(
                    step.at,
                    format!(
                        "`{}` is in a case of `{}`, which `{}` may do again",
                        step.id, steps[switch].id, steps[repeat].id
                    ),
                    Some(format!(
                        "list `{}` in the `steps` of `{}` as well",
                        step.id, steps[repeat].id
                    )),
                );
            }
        }
    }

    /// A name of what a step came to in the round before: both are done in the rounds of the same `repeat`.
    pub(super) fn last(
        &mut self,
        id: &str,
        field: Option<&str>,
        at: Position,
        reader: Option<(&str, &HashSet<StepIndex>)>,
        known: &Known<'_>,
    ) {
        let Some(target) = known.index.get(id).copied() else {
            self.unknown("step", id, at, known.index.keys().map(String::as_str));
            return;
        };
        let own = reader
            .and_then(|(step, _)| known.index.get(step).copied())
            .and_then(|step| match known.steps[step].kind {
                Kind::Repeat(_) => Some(step),
                _ => known.steps[step].repeat,
            });
        match (own, known.steps[target].repeat) {
            (None, _) => self.error(
                at,
                "`last` is what a step came to in the round before, and here are no rounds",
                Some(format!("did you mean `results.{id}`?")),
            ),
            (Some(own), of) if of != Some(own) => self.error(
                at,
                format!(
                    "`{id}` is not done in the rounds of `{}`",
                    known.steps[own].id
                ),
                Some(format!("did you mean `results.{id}`?")),
            ),
            _ => self.field(field, at),
        }
    }

    /// A name of the number of a round: its `repeat` is this step's own, or has come before.
    pub(super) fn rounds(
        &mut self,
        id: &str,
        at: Position,
        reader: Option<(&str, &HashSet<StepIndex>)>,
        known: &Known<'_>,
    ) {
        let repeats: BTreeSet<&str> = known
            .steps
            .iter()
            .filter(|step| matches!(step.kind, Kind::Repeat(_)))
            .map(|step| step.id.as_str())
            .collect();
        if !repeats.contains(id) {
            return self.unknown("`repeat`", id, at, repeats.into_iter());
        }
        let (Some((step, before)), Some(repeat)) = (reader, known.index.get(id)) else {
            return;
        };
        let own = known.index.get(step).copied();
        let is_own =
            own.is_some_and(|own| own == *repeat || known.steps[own].repeat == Some(*repeat));
        if !is_own && !before.contains(repeat) {
            self.error(
                at,
                format!("`{id}` does not come before `{step}`, so it may have no rounds yet"),
                Some(format!("add it to the needs: `needs: [{id}]`")),
            );
        }
    }
}

/// Adds what another step's gate lets through.
fn join_gate(gates: &mut Vec<Gate>, gate: &Gate) {
    match gates.iter_mut().find(|own| own.switch == gate.switch) {
        Some(own) => {
            own.branches.extend(&gate.branches);
            own.branches.sort_unstable();
            own.branches.dedup();
        }
        None => {
            gates.push(gate.clone());
            gates.sort_by_key(|gate| gate.switch);
        }
    }
}
