//! "Why did this step not run?", answered in sentences.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::decide::{Progress, Recorded, SkipCause, StepState};
use crate::definition::{Flow, Kind, Need, Repeat, Step};
use crate::journal::{RunState, RunView, StepView};

/// Says why a step is as it is; none when there is no such step.
pub(crate) fn explain(flow: &Flow, run: &RunView, id: &str) -> Option<String> {
    let number = flow.step(id)?;
    let definition = &flow.steps[number];
    let step = find(run, id)?;
    let last = step.attempts.last();
    let reason = last.and_then(|attempt| attempt.message.as_deref());
    let because = reason
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    let mut text = match step.state {
        StepState::Pending if definition.is_opened() => {
            format!(
                "`{id}` is done for each of {} items: {}.",
                step.items.unwrap_or(0),
                of_items(flow, run, number)
            )
        }
        StepState::Pending => match &definition.kind {
            Kind::Repeat(repeat) => in_rounds(flow, run, number, repeat),
            _ => waits(flow, run, number),
        },
        StepState::Queued => {
            let mut text = format!("`{id}` could run and waits for a place");
            if let Some(batch) = definition.batch.map(|batch| &flow.batches[batch]) {
                let _ = write!(
                    text,
                    " in the batch `{}`, which runs {} at once",
                    batch.name, batch.max_concurrent
                );
            }
            text + "."
        }
        StepState::Running => match last.and_then(|attempt| attempt.held.as_ref()) {
            Some(held) => format!("`{id}` is held open: {held}."),
            None => format!(
                "`{id}` runs: attempt {}.",
                last.map_or(1, |attempt| attempt.attempt)
            ),
        },
        StepState::RetryWait => {
            format!("`{id}` waits for its next attempt. The last one failed{because}.")
        }
        StepState::AwaitingApproval => {
            let question = last.and_then(|attempt| attempt.question.as_ref());
            format!(
                "`{id}` waits for a person: {}",
                question.map_or("an answer is needed.", |question| question.message.as_str())
            )
        }
        StepState::Succeeded => format!("`{id}` ran and succeeded{because}."),
        StepState::Failed => match &step.guard_error {
            Some(error) => format!("`{id}` failed without having run: {error}."),
            None => format!("`{id}` ran and failed{because}."),
        },
        StepState::TimedOut => format!("`{id}` timed out{because}."),
        StepState::Rejected => format!("`{id}` was rejected{because}."),
        StepState::Cancelled => format!("`{id}` was cancelled by a person."),
        StepState::Skipped => skipped(flow, run, step, number),
    };
    if run.info.state == RunState::Interrupted && !step.state.is_terminal() {
        let _ = write!(
            text,
            " Nothing drives the run at the moment: `switchyard flow resume {}` goes on with it.",
            run.info.id
        );
    }
    if matches!(definition.kind, Kind::Repeat(_)) {
        return Some(text + &rounds(step));
    }
    if let Some(decision) = last.and_then(|attempt| attempt.decision.as_ref()) {
        let _ = write!(text, "\n{}", decided(decision));
    }
    if let Some(guard) = &step.guard {
        let _ = write!(text, "\n{}", tried(guard));
    }
    if let Some(asks) = last.and_then(|attempt| attempt.needs_you.as_ref()) {
        let _ = write!(text, "\nIts agent needs you: {asks}");
    }
    if step.attempts.len() > 1 {
        let _ = write!(text, "\nIt was tried {} times.", step.attempts.len());
    }
    if let Some(item) = &definition.item {
        let whole = &flow.steps[item.of].id;
        let _ = write!(
            text,
            "\nIt is item {} of `{whole}`: {}",
            item.index,
            short(&item.value.to_string())
        );
    }
    if definition.is_opened() && step.state.is_terminal() {
        let _ = write!(
            text,
            "\nIts {} items: {}.",
            step.items.unwrap_or(0),
            of_items(flow, run, number)
        );
    }
    if let Some(repeat) = definition.repeat
        && let Kind::Repeat(rounds) = &flow.steps[repeat].kind
        && let Some(view) = find(run, &flow.steps[repeat].id)
    {
        let (id, round) = (&flow.steps[repeat].id, round_of(view));
        let _ = write!(
            text,
            "\nThis is round {round} of {} of `{id}`.",
            rounds.times
        );
    }
    Some(text)
}

/// How many items of a list came to what, and which did not come to a good end.
fn of_items(flow: &Flow, run: &RunView, number: usize) -> String {
    let list = flow.steps[number].foreach.as_ref();
    let items = list
        .and_then(|list| list.items.as_deref())
        .unwrap_or_default();
    let mut counts: std::collections::BTreeMap<StepState, u32> = std::collections::BTreeMap::new();
    let mut named = Vec::new();
    for item in items {
        let Some(view) = find(run, &flow.steps[*item].id) else {
            continue;
        };
        *counts.entry(view.state).or_default() += 1;
        let bad = matches!(
            view.state,
            StepState::Failed | StepState::TimedOut | StepState::Rejected | StepState::Cancelled
        );
        if bad && named.len() < MOST_ROUNDS {
            named.push(format!("`{}`", view.id));
        }
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(state, count)| format!("{count} {}", state.name().replace('_', " ")))
        .collect();
    let mut text = if counts.is_empty() {
        "none".to_owned()
    } else {
        counts.join(", ")
    };
    if !named.is_empty() {
        let _ = write!(text, " ({})", named.join(", "));
    }
    text
}

/// The beginning of a text that may be long.
fn short(text: &str) -> String {
    let mut short: String = text.chars().take(200).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The most rounds that are told one by one.
const MOST_ROUNDS: usize = 10;

/// The number of the round that a `repeat` is in, or ended with.
fn round_of(step: &StepView) -> u32 {
    let judged = step.attempts.last().map_or(0, |last| last.attempt);
    let waits = matches!(step.state, StepState::Pending | StepState::Queued);
    judged.saturating_sub(step.earlier) + u32::from(waits)
}

/// A `repeat` whose round has not come to its end.
fn in_rounds(flow: &Flow, run: &RunView, number: usize, repeat: &Repeat) -> String {
    let id = &flow.steps[number].id;
    let round = find(run, id).map_or(1, round_of);
    let open = open_needs(flow, run, number).join(", ");
    format!(
        "`{id}` is in round {round} of {} at most. That is judged once these have ended: {open}.",
        repeat.times
    )
}

/// What the rounds of a `repeat` came to since it was last begun anew, the last ones first to be told.
fn rounds(step: &StepView) -> String {
    let judged = step
        .attempts
        .iter()
        .filter(|attempt| attempt.attempt > step.earlier);
    let judged: Vec<_> = judged
        .filter_map(|attempt| Some((attempt.round.as_ref()?, attempt.decision.as_ref()?)))
        .collect();
    let left_out = judged.len().saturating_sub(MOST_ROUNDS);
    let mut text = String::new();
    if left_out > 0 {
        let _ = write!(text, "\n  {left_out} earlier rounds");
    }
    for (round, decision) in &judged[left_out..] {
        for tried in &decision.tried {
            let _ = write!(
                text,
                "\n{}",
                said(&format!("round {}", round.number), tried)
            );
        }
        let ended_badly = round
            .steps
            .iter()
            .filter(|came| !matches!(came.state, StepState::Succeeded | StepState::Skipped));
        for came in ended_badly {
            let _ = write!(
                text,
                "; `{}` {}",
                came.step,
                came.state.name().replace('_', " ")
            );
        }
    }
    text
}

fn find<'r>(run: &'r RunView, id: &str) -> Option<&'r StepView> {
    run.step_list.iter().find(|step| step.id == id)
}

fn skipped(flow: &Flow, run: &RunView, step: &StepView, number: usize) -> String {
    let id = &step.id;
    let Some(skip) = &step.skip else {
        return format!("`{id}` was skipped.");
    };
    let origin = &skip.origin;
    let definition = &flow.steps[number];
    let cause = match skip.cause {
        SkipCause::GuardFalse => format!(
            "its condition was false: `{}`",
            definition.when.as_deref().unwrap_or_default()
        ),
        SkipCause::BranchNotTaken => match &skip.taken {
            Some(taken) => format!("the switch `{origin}` took the case `{taken}`"),
            None => format!("the switch `{origin}` took no case"),
        },
        SkipCause::Band => format!(
            "it takes part only when `inputs.band` is {}",
            definition
                .bands
                .as_deref()
                .map(crate::definition::quoted)
                .unwrap_or_default()
        ),
        SkipCause::AllInputsDead => {
            format!("nothing that it needs ran; that began with `{origin}`")
        }
        SkipCause::UpstreamFailed => format!("`{origin}`, which it depends on, did not succeed"),
        SkipCause::RuleNotMet => format!(
            "its trigger `{}` can't be met any more{}",
            trigger(definition),
            if origin == id {
                String::new()
            } else {
                format!("; that began with `{origin}`")
            }
        ),
        SkipCause::User => "a person skipped it".to_owned(),
        SkipCause::NotListed => "the list that it was an item of no longer has it".to_owned(),
        SkipCause::RunCancelled => "the run was cancelled before its turn came".to_owned(),
    };
    let mut text = format!("`{id}` did not run, because {cause}.");
    if origin != id
        && let Some(origin) = find(run, origin)
        && let Some(error) = &origin.guard_error
    {
        let _ = write!(
            text,
            "\n`{}` failed without having run: {error}.",
            origin.id
        );
    } else if origin != id
        && let Some(origin) = find(run, origin)
        && let Some(last) = origin.attempts.last()
    {
        if let Some(message) = &last.message {
            let _ = write!(
                text,
                "\n`{}` {}: {message}.",
                origin.id,
                origin.state.name().replace('_', " ")
            );
        }
        if let Some(decision) = &last.decision {
            let _ = write!(text, "\n{}", decided(decision));
        }
    }
    text
}

fn decided(decision: &crate::decide::Decision) -> String {
    let lines: Vec<String> = decision.tried.iter().map(tried).collect();
    lines.join("\n")
}

fn tried(tried: &crate::decide::Tried) -> String {
    match &tried.case {
        Some(case) => said(&format!("case `{case}`"), tried),
        None => said("its condition", tried),
    }
}

fn said(what: &str, tried: &crate::decide::Tried) -> String {
    let saw = tried
        .saw
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect::<Vec<_>>()
        .join(", ");
    let said = match tried.holds {
        Some(true) => "was true",
        Some(false) => "was false",
        None => "could not be evaluated",
    };
    let saw = if saw.is_empty() {
        String::new()
    } else {
        format!("; it saw {saw}")
    };
    format!("  {what}: `{}` {said}{saw}", tried.when)
}

/// What a step waits for: to run, or for what there is to say of it.
fn waits(flow: &Flow, run: &RunView, number: usize) -> String {
    let definition = &flow.steps[number];
    let (id, open) = (&definition.id, open_needs(flow, run, number));
    if open.is_empty() {
        return format!("`{id}` waits. Everything that it needs has ended.");
    }
    let open = open.join(", ");
    match progress(flow, run).will_not_run(number) {
        Some(Some(failed)) => format!(
            "`{id}` will not run, for `{}` did not succeed. Which failure came first in the file is known once these have ended: {open}.",
            flow.steps[failed].id
        ),
        Some(None) => format!(
            "`{id}` will not run: its trigger `{}` can't be met any more. Whether a failure lies behind that is known once these have ended: {open}.",
            trigger(definition)
        ),
        None => {
            let kind = if matches!(definition.kind, Kind::Approval(_)) {
                "asks"
            } else {
                "runs"
            };
            format!("`{id}` waits. It {kind} once these have ended: {open}.")
        }
    }
}

/// Where the run stands, for the decisions.
fn progress(flow: &Flow, run: &RunView) -> Progress {
    let recorded = flow.steps.iter().enumerate().map(|(number, step)| {
        let view = find(run, &step.id);
        let branch = view.and_then(|view| flow.branch(number, view.branch.as_deref()?));
        Recorded {
            state: view.map_or(StepState::Pending, |view| view.state),
            skip: view.and_then(|view| view.skip.clone()),
            branch,
            attempts: 0,
            earlier: 0,
        }
    });
    let band = run.inputs.get("band").and_then(|band| band.as_str());
    let flow = Arc::new(flow.clone());
    Progress::restore(flow, band.map(str::to_owned), recorded.collect(), false)
}

fn trigger(step: &Step) -> String {
    let name = serde_json::to_string(&step.trigger).unwrap_or_default();
    name.trim_matches('"').to_owned()
}

fn open_needs(flow: &Flow, run: &RunView, number: usize) -> Vec<String> {
    let definition = &flow.steps[number];
    let mut open: Vec<String> = Vec::new();
    let mut look = |step: usize, how: &str| {
        let id = &flow.steps[step].id;
        if let Some(needed) = find(run, id).filter(|needed| !needed.state.is_terminal()) {
            open.push(format!(
                "`{id}` {how}({})",
                needed.state.name().replace('_', " ")
            ));
        }
    };
    for gate in &definition.gates {
        look(gate.switch, "to choose ");
    }
    for need in &definition.needs {
        match need {
            Need::Step(step) => look(*step, ""),
            Need::Batch(batch) => {
                for member in &flow.batches[*batch].members {
                    look(*member, "");
                }
            }
        }
    }
    open
}
