//! What an event changes in the tables that sum a run up.

use store::StoreError;
use store::sql::{Transaction, params};

use super::record::{AttemptEnd, Happened, QuestionKind};
use super::{INLINE_OUTPUT, Journal, signed, text};
use crate::decide::StepState;

impl Journal {
    #[allow(
        clippy::too_many_arguments,
        clippy::too_many_lines,
        reason = "one arm per event"
    )]
    pub(super) fn project(
        &self,
        transaction: &Transaction<'_>,
        run: &str,
        at: u64,
        awake: u64,
        step: usize,
        what: &Happened,
        file: Option<&String>,
    ) -> Result<(), StoreError> {
        let number = signed(step as u64);
        let state = |state: StepState| -> Result<(), StoreError> {
            transaction
                .prepare_cached("UPDATE steps SET state = ?3 WHERE run = ?1 AND number = ?2")?
                .execute(params![run, number, state.name()])?;
            Ok(())
        };
        let begin = |attempt: u32, name: &str, prompt: Option<&String>| -> Result<(), StoreError> {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO attempts
                         (run, step, attempt, state, started_at, awake, boot, prompt, queued_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
                         (SELECT queued_at FROM steps WHERE run = ?1 AND number = ?2))",
                )?
                .execute(params![
                    run,
                    number,
                    attempt,
                    name,
                    signed(at),
                    signed(awake),
                    self.boot,
                    prompt
                ])?;
            transaction
                .prepare_cached(
                    "UPDATE steps SET state = ?3, attempts = ?4 WHERE run = ?1 AND number = ?2",
                )?
                .execute(params![run, number, name, attempt])?;
            Ok(())
        };
        let end = |attempt: u32, ended: &AttemptEnd, due: Option<u64>| -> Result<(), StoreError> {
            if attempt == 0 {
                return Ok(());
            }
            let output = ended.output.as_ref().map(|output| head(output));
            let data = ended.data.as_ref().map(text).transpose()?;
            let decision = ended.decision.as_ref().map(text).transpose()?;
            transaction
                .prepare_cached(
                    "UPDATE attempts SET state = ?4, ended_at = ?5, exit_code = ?6, message = ?7, output = ?8,
                         output_file = ?9, data = ?10, decision = ?11, due = ?12, needs_you = NULL, held = NULL
                     WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                )?
                .execute(params![
                    run, number, attempt, ended.state.name(), signed(at), ended.exit_code, ended.message,
                    output, file, data, decision, due.map(signed)
                ])?;
            Ok(())
        };
        match what {
            // The tables were given their new steps by whoever says so.
            Happened::RunStarted { .. } | Happened::RunRedefined { .. } => {}
            Happened::RunResumed => {
                transaction
                    .prepare_cached(
                        "UPDATE runs SET outcome = NULL, ended_at = NULL, message = NULL, cancelled = 0 WHERE id = ?1",
                    )?
                    .execute([run])?;
            }
            Happened::RunCancelled => {
                transaction
                    .prepare_cached("UPDATE runs SET cancelled = 1 WHERE id = ?1")?
                    .execute([run])?;
            }
            Happened::RunEnded {
                state,
                nothing_ran,
                message,
                output,
            } => {
                transaction
                    .prepare_cached(
                        "UPDATE runs SET outcome = ?2, nothing_ran = ?3, message = ?4, output = ?5, ended_at = ?6,
                             owner = NULL WHERE id = ?1",
                    )?
                    .execute(params![run, text(state)?, nothing_ran, message, output, signed(at)])?;
            }
            Happened::StepQueued { .. } => {
                transaction
                    .prepare_cached(
                        "UPDATE steps SET state = 'queued', queued_at = ?3 WHERE run = ?1 AND number = ?2",
                    )?
                    .execute(params![run, number, signed(at)])?;
            }
            Happened::StepSkipped { skip, .. } => {
                transaction
                    .prepare_cached("UPDATE steps SET state = 'skipped', skip = ?3 WHERE run = ?1 AND number = ?2")?
                    .execute(params![run, number, text(skip)?])?;
            }
            Happened::StepStarted {
                attempt, prompt, ..
            } => begin(*attempt, "running", prompt.as_ref())?,
            Happened::StepAttached {
                attempt,
                handle,
                pane,
                worktree,
                agent,
                ..
            } => {
                let agent = agent.as_ref().map(text).transpose()?;
                transaction
                    .prepare_cached(
                        "UPDATE attempts SET handle = ?4, pane = ?5, worktree = ?6, agent = ?7, needs_you = NULL, held = NULL
                         WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                    )?
                    .execute(params![run, number, attempt, handle, pane, worktree, agent])?;
            }
            Happened::StepNeedsYou {
                attempt, message, ..
            } => {
                transaction
                    .prepare_cached(
                        "UPDATE attempts SET needs_you = ?4 WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                    )?
                    .execute(params![run, number, attempt, message])?;
            }
            Happened::StepHeld {
                attempt, message, ..
            } => {
                transaction
                    .prepare_cached("UPDATE attempts SET held = ?4 WHERE run = ?1 AND step = ?2 AND attempt = ?3")?
                    .execute(params![run, number, attempt, message])?;
            }
            Happened::StepAskedAgain {
                attempt, prompt, ..
            } => {
                // What found the first turn finds nothing of this one.
                transaction
                    .prepare_cached(
                        "UPDATE attempts SET asked_again = ?4, handle = NULL, needs_you = NULL, held = NULL
                         WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                    )?
                    .execute(params![run, number, attempt, prompt])?;
            }
            Happened::StepGuarded { guard, .. } => {
                transaction
                    .prepare_cached("UPDATE steps SET guard = ?3 WHERE run = ?1 AND number = ?2")?
                    .execute(params![run, number, text(guard)?])?;
            }
            Happened::StepAsked {
                attempt, question, ..
            } => {
                if question.kind == QuestionKind::Approval {
                    begin(*attempt, "awaiting_approval", None)?;
                } else {
                    state(StepState::AwaitingApproval)?;
                }
                transaction
                    .prepare_cached(
                        "UPDATE attempts SET state = 'awaiting_approval', question = ?4, due = ?5
                         WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                    )?
                    .execute(params![
                        run,
                        number,
                        attempt,
                        text(question)?,
                        question.due.map(signed)
                    ])?;
            }
            Happened::StepAnswered {
                attempt, answer, ..
            } => {
                transaction
                    .prepare_cached(
                        "UPDATE attempts SET answer = ?4 WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                    )?
                    .execute(params![run, number, attempt, text(answer)?])?;
            }
            Happened::StepRetries {
                attempt,
                ended,
                due,
                ..
            } => {
                end(*attempt, ended, Some(*due))?;
                state(StepState::RetryWait)?;
            }
            Happened::StepEnded { attempt, ended, .. } => {
                end(*attempt, ended, None)?;
                let branch = ended.chosen.as_ref().map(text).transpose()?;
                // Without an attempt, it is its condition that could not be evaluated.
                let guard_error = ended.message.as_ref().filter(|_| *attempt == 0);
                transaction
                    .prepare_cached(
                        "UPDATE steps SET state = ?3, branch = ?4, guard_error = ?5 WHERE run = ?1 AND number = ?2",
                    )?
                    .execute(params![run, number, ended.state.name(), branch, guard_error])?;
            }
            Happened::StepInterrupted { attempt, .. } => {
                transaction
                    .prepare_cached(
                        "UPDATE attempts SET state = 'skipped', ended_at = ?4, message = 'cut off', needs_you = NULL, held = NULL
                         WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                    )?
                    .execute(params![run, number, attempt, signed(at)])?;
                transaction
                    .prepare_cached(
                        "UPDATE steps SET state = 'queued', queued_at = ?3, earlier = earlier + 1
                         WHERE run = ?1 AND number = ?2",
                    )?
                    .execute(params![run, number, signed(at)])?;
            }
            Happened::StepLate { attempt, ended, .. } => end(*attempt, ended, None)?,
            Happened::StepsReset { steps } => {
                let mut reset = transaction.prepare_cached(
                    "UPDATE steps SET state = 'pending', skip = NULL, branch = NULL, guard = NULL, guard_error = NULL,
                         queued_at = NULL, earlier = attempts
                     WHERE run = ?1 AND id = ?2",
                )?;
                for id in steps {
                    reset.execute(params![run, id])?;
                }
            }
        }
        Ok(())
    }
}

pub(super) fn head(output: &str) -> &str {
    let end = (0..=output.len().min(INLINE_OUTPUT))
        .rev()
        .find(|end| output.is_char_boundary(*end))
        .unwrap_or(0);
    &output[..end]
}
