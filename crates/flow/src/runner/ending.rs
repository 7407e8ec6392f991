//! What came of an attempt, of a step, of the run.

use std::sync::Arc;
use std::time::Duration;

use super::{Active, Driver, Due, For, How, LONGEST_BACKOFF, RunGuards, Stopped, millis};
use crate::action::{Ended, Finished};
use crate::chance::jitter;
use crate::data::Json;
use crate::decide::{Outcome, StepState};
use crate::definition::{Kind, OutputType, StepIndex};
use crate::journal::{AttemptEnd, Happened};
use crate::scope::{self, StepResult};

impl Driver {
    pub(super) fn attempt_ended(&mut self, step: StepIndex, attempt: u32, how: How) {
        let ours = self
            .active
            .get(&step)
            .is_some_and(|active| active.attempt == attempt)
            && self.progress.step(step).state == StepState::Running;
        let gone = matches!(how, How::Ended(Ended::Gone));
        let answered = matches!(how, How::Ended(Ended::Finished(_)));
        let ended = match how {
            How::Ended(Ended::Finished(finished)) => self.read_output(step, finished),
            How::Ended(Ended::Gone) => AttemptEnd::cut_off(),
            How::TimedOut(why) => AttemptEnd::new(StepState::TimedOut).with_message(why),
            How::Cancelled => AttemptEnd::new(StepState::Cancelled),
            How::NotStarted(error) => AttemptEnd::new(StepState::Failed)
                .with_message(self.known.secrets.cover(error.message)),
        };
        if matches!(self.known.flow.steps[step].kind, Kind::Agent(_)) {
            // Its place is free, here and in our other runs, once this is written.
            self.agents_full = false;
            self.freed_agents = true;
        }
        if ours {
            let since = self.active.remove(&step).and_then(|active| active.since);
            if gone {
                return self.interrupted(step, attempt);
            }
            if answered && self.ask_again(step, attempt, since, &ended) {
                return;
            }
            self.settle(step, attempt, ended);
        } else {
            self.note_late(step, attempt, ended);
        }
    }

    /// Asks an agent once more whose answer is not what it has to be, in the same attempt and within its limits. False: it is
    /// not asked.
    fn ask_again(
        &mut self,
        step: StepIndex,
        attempt: u32,
        since: Option<u64>,
        ended: &AttemptEnd,
    ) -> bool {
        let (true, Some(wrong), Some(answer)) = (ended.unfit, &ended.message, &ended.output) else {
            return false;
        };
        let is_agent = matches!(self.known.flow.steps[step].kind, Kind::Agent(_));
        // What was covered in the answer is not what it said.
        if !is_agent
            || self.again.contains_key(&(step, attempt))
            || self.progress.is_cancelled()
            || self.known.secrets.were_covered_in(answer)
        {
            return false;
        }
        let Ok(prompt) = self.second_prompt(step, wrong, answer) else {
            return false;
        };
        self.again.insert((step, attempt), prompt.clone());
        let Ok(job) = self.job(step, attempt) else {
            self.again.remove(&(step, attempt));
            return false;
        };
        let id = self.step_id(step);
        self.note(
            step,
            Happened::StepAskedAgain {
                step: id,
                attempt,
                message: wrong.clone(),
                prompt,
            },
        );
        let stop = None;
        self.active.insert(
            step,
            Active {
                attempt,
                since,
                attached: false,
                stop,
            },
        );
        self.acts.push((step, job));
        true
    }

    /// Another attempt, or the end of the step.
    pub(super) fn settle(&mut self, step: StepIndex, attempt: u32, ended: AttemptEnd) {
        let flow = self.flow();
        let definition = &flow.steps[step];
        if self.progress.may_retry(step, ended.state, ended.exit_code) {
            let before = attempt
                .saturating_sub(self.progress.step(step).earlier)
                .saturating_sub(1);
            let backoff = definition
                .retry
                .backoff
                .saturating_mul(1 << before.min(16))
                .min(LONGEST_BACKOFF);
            // Between three quarters and five quarters of it, so that many do not come back at once.
            let backoff = backoff
                .mul_f64(0.75 + 0.5 * jitter(&format!("{} {} {attempt}", self.id, definition.id)));
            let shared = self.shared();
            let elapsed = Duration::from_millis(
                shared
                    .clock
                    .awake_ms()
                    .saturating_sub(self.series.get(&step).copied().unwrap_or(0)),
            );
            if definition
                .total_timeout
                .is_none_or(|total| elapsed + backoff < total)
            {
                let due = shared.clock.now_ms() + millis(backoff);
                let wait = shared.clock.awake_ms() + millis(backoff);
                self.progress.retry_later(step);
                self.waits.insert((wait, Due::Retry(step, attempt)));
                let id = definition.id.clone();
                self.note(
                    step,
                    Happened::StepRetries {
                        step: id,
                        attempt,
                        ended,
                        due,
                    },
                );
                return;
            }
        }
        self.finish(step, attempt, ended);
    }

    pub(super) fn finish(&mut self, step: StepIndex, attempt: u32, ended: AttemptEnd) {
        self.known.results[step] = StepResult {
            state: Some(ended.state),
            output: ended.output.clone(),
            data: ended.data.clone(),
            exit_code: ended.exit_code,
            worktree: self.known.results[step].worktree.clone(),
            attempt,
        };
        let (state, chosen) = (ended.state, ended.chosen);
        let id = self.step_id(step);
        self.note(
            step,
            Happened::StepEnded {
                step: id,
                attempt,
                ended,
            },
        );
        let changes = self
            .progress
            .ended(step, state, chosen, &mut RunGuards(&self.known));
        self.apply(changes);
    }

    /// Whether what a step gave is what it must give.
    pub(super) fn read_output(&self, step: StepIndex, finished: Finished) -> AttemptEnd {
        let definition = &self.known.flow.steps[step];
        let output = self
            .known
            .secrets
            .cover(finished.output.trim_end_matches(['\n', '\r']).to_owned());
        let structured = finished
            .structured
            .map(|text| self.known.secrets.cover(text));
        let mut ended = AttemptEnd {
            exit_code: finished.exit_code,
            output: Some(output),
            ..AttemptEnd::new(StepState::Succeeded)
        };
        if let Some(error) = finished.error {
            ended.state = StepState::Failed;
            ended.message = Some(self.known.secrets.cover(error));
        } else if let Some(code) = finished.exit_code.filter(|code| *code != 0) {
            ended.state = StepState::Failed;
            ended.message = Some(format!("exit code {code}"));
        }
        let source = structured
            .as_deref()
            .or(ended.output.as_deref())
            .unwrap_or_default();
        match (definition.output, json_in(source)) {
            (OutputType::Json, Ok(data)) => {
                let value = data.value();
                if let Some(schema) = &definition.schema
                    && let Ok(validator) = jsonschema::validator_for(schema)
                    && let Err(error) = validator.validate(&value)
                    && ended.state == StepState::Succeeded
                {
                    ended.state = StepState::Failed;
                    ended.unfit = true;
                    ended.message = Some(format!("the output does not fit its schema: {error}"));
                }
                ended.data = Some(data);
            }
            (OutputType::Json, Err(error)) if ended.state == StepState::Succeeded => {
                ended.state = StepState::Failed;
                ended.unfit = finished.left_out == 0;
                ended.message = Some(match finished.left_out {
                    0 => format!("the output is no JSON: {error}"),
                    left_out => format!(
                        "the output is too long to be read as JSON, {left_out} bytes of it were left out: write it to a file, and print where that is"
                    ),
                });
            }
            (OutputType::Text, Ok(data)) if structured.is_some() => ended.data = Some(data),
            _ => {}
        }
        ended
    }

    pub(super) async fn end_run(&mut self) -> Result<(), Stopped> {
        let flow = self.flow();
        let mut state = self.progress.outcome();
        let mut message = None;
        let mut output = None;
        if !self.progress.is_complete() {
            let waits: Vec<String> = flow
                .steps
                .iter()
                .enumerate()
                .filter(|(step, _)| !self.progress.step(*step).state.is_terminal())
                .map(|(_, step)| format!("`{}`", step.id))
                .collect();
            state = Outcome::Failed;
            message = Some(format!(
                "a mistake of the engine: nothing runs, and nothing could make {} run",
                waits.join(", ")
            ));
        }
        if let (Outcome::Succeeded, Some(wanted)) = (state, &flow.output) {
            let eyes = self.eyes(For::People);
            let rendered = scope::render(&flow, &eyes, &wanted.render).and_then(|text| {
                let file = wanted
                    .file
                    .as_deref()
                    .map(|file| scope::render(&flow, &eyes, file))
                    .transpose()?;
                Ok((file, text))
            });
            match rendered {
                Ok((file, text)) => {
                    let text = self.known.secrets.cover(text);
                    if let Some(file) = file {
                        let shared = Arc::clone(self.shared());
                        let written = shared
                            .actions
                            .write_output(self.cwd.clone(), file.clone(), text.clone())
                            .await;
                        if let Err(error) = written {
                            state = Outcome::Failed;
                            message = Some(format!(
                                "the output could not be written to `{file}`: {error}"
                            ));
                        }
                    }
                    output = Some(text);
                }
                Err(problem) => {
                    state = Outcome::Failed;
                    message = Some(format!("the output of the run: {problem}"));
                }
            }
        }
        let nothing_ran = self.progress.nothing_ran();
        if nothing_ran && message.is_none() {
            message = Some("nothing ran".to_owned());
        }
        self.note(
            0,
            Happened::RunEnded {
                state,
                nothing_ran,
                message,
                output,
            },
        );
        self.ended = true;
        self.flush(None).await
    }
}

/// The JSON that a text is, or that stands in the last of its fences, as agents like to write it.
fn json_in(text: &str) -> Result<Json, serde_json::Error> {
    let whole = Json::read(text);
    if whole.is_ok() {
        return whole;
    }
    let mut found = None;
    let mut fence: Option<usize> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            fence = match fence {
                None => Some(at + line.len()),
                Some(start) => {
                    found = Json::read(&text[start..at]).ok().or(found);
                    None
                }
            };
        }
        at += line.len();
    }
    found.map_or(whole, Ok)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::json_in;

    #[test]
    fn json_is_read_as_it_is_and_from_the_last_fence_that_holds_some() {
        for (text, value) in [
            (" [1] \n", Some(json!([1]))),
            (
                "Here it is:\n```json\n{\"a\": 1}\n```\nI hope so.",
                Some(json!({ "a": 1 })),
            ),
            ("```\n1\n```\n  ```json\n2\n  ```\n", Some(json!(2))),
            (
                "```json\n{\"a\": 1}\n```\nRun it so:\n```sh\nmake\n```\n",
                Some(json!({ "a": 1 })),
            ),
            ("```json\n{\"a\": 1}", None),
            ("It is {\"a\": 1}.", None),
            ("```\n```", None),
        ] {
            assert_eq!(json_in(text).ok().map(|json| json.value()), value, "{text}");
        }
    }
}
