//! What an event changes in the tables that sum a run up.

use store::StoreError;
use store::sql::{Params, Transaction, params};

use super::record::{AttemptEnd, Happened, ListItem, Question, QuestionKind};
use super::{INLINE_OUTPUT, add_step, signed, text};
use crate::action::StepAgent;
use crate::decide::StepState;

/// Where and when an event happened, on its way into the tables.
pub(super) struct Projection<'t> {
    pub(super) transaction: &'t Transaction<'t>,
    pub(super) run: &'t str,
    /// The number of the step that it is about.
    pub(super) step: i64,
    pub(super) at: i64,
    pub(super) awake: i64,
    pub(super) boot: &'t str,
    /// The file that holds a long output.
    pub(super) file: Option<&'t String>,
}

type Done = Result<(), StoreError>;

impl Projection<'_> {
    /// Brings the tables along.
    pub(super) fn take_in(&self, what: &Happened) -> Done {
        let Self { run, step, at, .. } = *self;
        match what {
            // The tables were given their new steps by whoever says so.
            Happened::RunStarted { .. } | Happened::RunRedefined { .. } => Ok(()),
            Happened::RunResumed => self.write(
                "UPDATE runs SET outcome = NULL, ended_at = NULL, message = NULL, cancelled = 0 WHERE id = ?1",
                [run],
            ),
            Happened::RunCancelled => {
                self.write("UPDATE runs SET cancelled = 1 WHERE id = ?1", [run])
            }
            Happened::RunEnded {
                state,
                nothing_ran,
                message,
                output,
            } => self.write(
                "UPDATE runs SET outcome = ?2, nothing_ran = ?3, message = ?4, output = ?5, ended_at = ?6,
                     owner = NULL WHERE id = ?1",
                params![run, text(state)?, nothing_ran, message, output, at],
            ),
            Happened::StepQueued { .. } => self.write(
                "UPDATE steps SET state = 'queued', queued_at = ?3 WHERE run = ?1 AND number = ?2",
                params![run, step, at],
            ),
            Happened::StepSkipped { skip, .. } => self.write(
                "UPDATE steps SET state = 'skipped', skip = ?3 WHERE run = ?1 AND number = ?2",
                params![run, step, text(skip)?],
            ),
            Happened::StepGuarded { guard, .. } => self.write(
                "UPDATE steps SET guard = ?3 WHERE run = ?1 AND number = ?2",
                params![run, step, text(guard)?],
            ),
            Happened::StepStarted {
                attempt, prompt, ..
            } => self.begin(*attempt, "running", prompt.as_ref()),
            Happened::StepAttached {
                attempt,
                handle,
                pane,
                worktree,
                agent,
                ..
            } => self.attach(*attempt, handle, *pane, worktree.as_ref(), agent.as_ref()),
            Happened::StepNeedsYou {
                attempt, message, ..
            } => self.write(
                "UPDATE attempts SET needs_you = ?4 WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                params![run, step, attempt, message],
            ),
            Happened::StepHeld {
                attempt, message, ..
            } => self.write(
                "UPDATE attempts SET held = ?4 WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                params![run, step, attempt, message],
            ),
            // What found the first turn finds nothing of this one.
            Happened::StepAskedAgain {
                attempt, prompt, ..
            } => self.write(
                "UPDATE attempts SET asked_again = ?4, handle = NULL, needs_you = NULL, held = NULL
                 WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                params![run, step, attempt, prompt],
            ),
            Happened::StepAsked {
                attempt, question, ..
            } => self.ask(*attempt, question),
            Happened::StepAnswered {
                attempt, answer, ..
            } => self.write(
                "UPDATE attempts SET answer = ?4 WHERE run = ?1 AND step = ?2 AND attempt = ?3",
                params![run, step, attempt, text(answer)?],
            ),
            Happened::StepRetries {
                attempt,
                ended,
                due,
                ..
            } => {
                self.end(*attempt, ended, Some(*due))?;
                self.state(StepState::RetryWait)
            }
            Happened::StepEnded { attempt, ended, .. } => self.end_step(*attempt, ended),
            Happened::StepRepeats {
                attempt,
                ended,
                steps,
                ..
            } => self.repeat(*attempt, ended, steps),
            Happened::ListOpened { items, .. } => self.open(items),
            Happened::ListClosed { .. } => self.write(
                "UPDATE steps SET items = NULL WHERE run = ?1 AND number = ?2",
                params![run, step],
            ),
            Happened::StepInterrupted { attempt, .. } => self.interrupt(*attempt),
            Happened::StepLate { attempt, ended, .. } => self.end(*attempt, ended, None),
            Happened::StepsReset { steps } => self.reset(steps),
        }
    }

    fn write(&self, sql: &str, values: impl Params) -> Done {
        self.transaction.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    fn state(&self, state: StepState) -> Done {
        self.write(
            "UPDATE steps SET state = ?3 WHERE run = ?1 AND number = ?2",
            params![self.run, self.step, state.name()],
        )
    }

    fn begin(&self, attempt: u32, state: &str, prompt: Option<&String>) -> Done {
        let Self {
            run,
            step,
            at,
            awake,
            boot,
            ..
        } = *self;
        self.write(
            "INSERT OR REPLACE INTO attempts
                 (run, step, attempt, state, started_at, awake, boot, prompt, queued_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
                 (SELECT queued_at FROM steps WHERE run = ?1 AND number = ?2))",
            params![run, step, attempt, state, at, awake, boot, prompt],
        )?;
        self.write(
            "UPDATE steps SET state = ?3, attempts = ?4 WHERE run = ?1 AND number = ?2",
            params![run, step, state, attempt],
        )
    }

    fn attach(
        &self,
        attempt: u32,
        handle: &str,
        pane: Option<u32>,
        worktree: Option<&String>,
        agent: Option<&StepAgent>,
    ) -> Done {
        let agent = agent.map(text).transpose()?;
        self.write(
            "UPDATE attempts SET handle = ?4, pane = ?5, worktree = ?6, agent = ?7, needs_you = NULL, held = NULL
             WHERE run = ?1 AND step = ?2 AND attempt = ?3",
            params![self.run, self.step, attempt, handle, pane, worktree, agent],
        )
    }

    fn ask(&self, attempt: u32, question: &Question) -> Done {
        if question.kind == QuestionKind::Approval {
            self.begin(attempt, "awaiting_approval", None)?;
        } else {
            self.state(StepState::AwaitingApproval)?;
        }
        let due = question.due.map(signed);
        self.write(
            "UPDATE attempts SET state = 'awaiting_approval', question = ?4, due = ?5
             WHERE run = ?1 AND step = ?2 AND attempt = ?3",
            params![self.run, self.step, attempt, text(question)?, due],
        )
    }

    fn end(&self, attempt: u32, ended: &AttemptEnd, due: Option<u64>) -> Done {
        if attempt == 0 {
            return Ok(());
        }
        let output = ended.output.as_ref().map(|output| head(output));
        let data = ended.data.as_ref().map(text).transpose()?;
        let decision = ended.decision.as_ref().map(text).transpose()?;
        let round = ended.round.as_ref().map(text).transpose()?;
        self.write(
            "UPDATE attempts SET state = ?4, ended_at = ?5, exit_code = ?6, message = ?7, output = ?8,
                 output_file = ?9, data = ?10, decision = ?11, due = ?12, round = ?13, needs_you = NULL, held = NULL
             WHERE run = ?1 AND step = ?2 AND attempt = ?3",
            params![
                self.run,
                self.step,
                attempt,
                ended.state.name(),
                self.at,
                ended.exit_code,
                ended.message,
                output,
                self.file,
                data,
                decision,
                due.map(signed),
                round
            ],
        )
    }

    fn end_step(&self, attempt: u32, ended: &AttemptEnd) -> Done {
        self.end(attempt, ended, None)?;
        let branch = ended.chosen.as_ref().map(text).transpose()?;
        // Without an attempt, it is its condition that could not be evaluated.
        let guard_error = ended.message.as_ref().filter(|_| attempt == 0);
        self.write(
            "UPDATE steps SET state = ?3, branch = ?4, guard_error = ?5 WHERE run = ?1 AND number = ?2",
            params![self.run, self.step, ended.state.name(), branch, guard_error],
        )
    }

    fn interrupt(&self, attempt: u32) -> Done {
        self.write(
            "UPDATE attempts SET state = 'skipped', ended_at = ?4, message = 'cut off', needs_you = NULL, held = NULL
             WHERE run = ?1 AND step = ?2 AND attempt = ?3",
            params![self.run, self.step, attempt, self.at],
        )?;
        self.write(
            "UPDATE steps SET state = 'queued', queued_at = ?3, earlier = earlier + 1
             WHERE run = ?1 AND number = ?2",
            params![self.run, self.step, self.at],
        )
    }

    fn open(&self, items: &[ListItem]) -> Done {
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        self.write(
            "UPDATE steps SET state = 'pending', queued_at = NULL, items = ?3 WHERE run = ?1 AND number = ?2",
            params![self.run, self.step, count],
        )?;
        for item in items {
            let number = i64::try_from(item.place).unwrap_or(i64::MAX);
            if !item.known {
                add_step(self.transaction, self.run, number, &item.step)?;
            }
            self.write(
                "UPDATE steps SET state = 'pending', skip = NULL, guard_error = NULL, queued_at = NULL, earlier = attempts,
                     item = ?3
                 WHERE run = ?1 AND number = ?2",
                params![self.run, number, text(&item.value)?],
            )?;
        }
        Ok(())
    }

    /// Another round: the attempt that judged this one has ended, and its `repeat`, the first of `steps`, goes on counting.
    fn repeat(&self, attempt: u32, ended: &AttemptEnd, steps: &[String]) -> Done {
        self.end(attempt, ended, None)?;
        self.reset(steps.get(1..).unwrap_or_default())?;
        self.state(StepState::Pending)
    }

    fn reset(&self, steps: &[String]) -> Done {
        for id in steps {
            self.write(
                "UPDATE steps SET state = 'pending', skip = NULL, branch = NULL, guard = NULL, guard_error = NULL,
                     queued_at = NULL, earlier = attempts
                 WHERE run = ?1 AND id = ?2",
                params![self.run, id],
            )?;
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
