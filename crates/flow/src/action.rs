//! What a step may ask of the world. `app` answers; tests answer with a fake.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use secrets::Secrets;
use serde::{Deserialize, Serialize};
use specta::Type;
use tokio::sync::watch;

use crate::PromptBy;

/// A future that may be kept anywhere.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Names one attempt at one step of one run, everywhere and for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JobKey {
    /// The run.
    pub run: String,
    /// The step.
    pub step: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Its turn: 1, or 2 when an agent is asked once more because its answer was not what it has to be.
    pub turn: u32,
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} #{}", self.run, self.step, self.attempt)?;
        if self.turn > 1 {
            write!(f, ".{}", self.turn)?;
        }
        Ok(())
    }
}

/// What an attempt does in the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Which attempt.
    pub key: JobKey,
    /// What to do.
    pub work: Work,
    /// Added to its environment.
    pub env: BTreeMap<String, String>,
    /// The directory that it works in; with a worktree, the one whose repository that is of.
    pub cwd: String,
    /// The git worktree that it works in.
    pub worktree: Option<WorktreeWish>,
    /// Where in the worktree; none: at its root.
    pub inside: Option<String>,
    /// Whether it has a limit without output, so that [`Activity::output`] is wanted.
    pub watch_output: bool,
    /// What must stand in nothing that is kept of it.
    pub secrets: Secrets,
}

/// Which git worktree a step works in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorktreeWish {
    /// A new one of the repository at the job's directory. It is never removed with work in it.
    New,
    /// This one.
    Path(String),
}

/// The two kinds of work outside of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// A shell script, in a pane.
    Script {
        /// The script.
        script: String,
    },
    /// An agent, asked a prompt.
    Agent {
        /// `paseo`, `acp`, `opencode` or `command`; empty when the flow's file says none.
        backend: String,
        /// Which of the backend's providers.
        provider: Option<String>,
        /// Which of its agents.
        name: Option<String>,
        /// Which model.
        model: Option<String>,
        /// Which mode.
        mode: Option<String>,
        /// For `command`: the program and its arguments.
        program: Vec<String>,
        /// For `command`: how the prompt reaches the program.
        prompt_by: PromptBy,
        /// Who it is to be: the name of a persona.
        persona: Option<String>,
        /// The step itself says no agent: what stands here is the flow's, or none's.
        inherited: bool,
        /// The prompt.
        prompt: String,
    },
}

/// The agent that works on a step, as the agents' backends name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct StepAgent {
    /// Its backend: `paseo:localhost:6767`, `acp:codex`.
    pub backend: String,
    /// Its id there.
    pub id: String,
}

/// An attempt that is at work.
pub struct Activity {
    /// What finds it again after a restart; kept in the journal.
    pub handle: String,
    /// The pane that it runs in, if it does.
    pub pane: Option<u32>,
    /// The worktree that it works in, if it has one.
    pub worktree: Option<String>,
    /// The agent that works on it, if one does.
    pub agent: Option<StepAgent>,
    /// What it asks a person for in the middle of its work, while it does; none: it never asks.
    pub asks: Option<watch::Receiver<Option<String>>>,
    /// What keeps it from ending although its program has ended, while something does; none: that can't be told.
    pub held: Option<watch::Receiver<Option<String>>>,
    /// Resolves once it has ended and been reaped.
    pub ended: Answer<'static, Ended>,
    /// Changes whenever it prints something; none: that can't be told, and it is never idle.
    pub output: Option<watch::Receiver<u64>>,
}

impl Activity {
    /// An attempt that is found again by `handle`, and of which nothing more is told than how it ends.
    pub fn new(
        handle: impl Into<String>,
        ended: impl Future<Output = Ended> + Send + 'static,
    ) -> Self {
        Self {
            handle: handle.into(),
            pane: None,
            worktree: None,
            agent: None,
            asks: None,
            held: None,
            ended: Box::pin(ended),
            output: None,
        }
    }
}

impl fmt::Debug for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Activity")
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

/// What became of an attempt that was at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It has ended; this is how.
    Finished(Finished),
    /// It was cut off, and nothing is known of how it ended.
    Gone,
}

/// How an attempt ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// Its exit status; none: a signal ended it, or it has none.
    pub exit_code: Option<i32>,
    /// Why it failed, if it did for another reason than its exit status.
    pub error: Option<String>,
    /// Its output, clean of escape sequences.
    pub output: String,
    /// How many bytes were left out of the middle of it, because it was too long.
    pub left_out: u64,
    /// What it wrote to `$SWITCHYARD_OUTPUT`, if it did.
    pub structured: Option<String>,
}

/// What became of an attempt that was at work when the process ended.
#[derive(Debug)]
pub enum Found {
    /// It has ended; this is how.
    Ended(Finished),
    /// It is still at work.
    Alive(Activity),
    /// Nothing is known of it any more.
    Gone,
}

/// Why the world did not do what a step asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ActionError {
    /// What went wrong, for a person.
    pub message: String,
}

impl ActionError {
    /// An error in these words.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

/// What a step may ask of the world.
pub trait Actions: Send + Sync + 'static {
    /// Starts an attempt.
    fn start(&self, job: Job) -> Answer<'_, Result<Activity, ActionError>>;

    /// Finds an attempt that was started before, perhaps by an earlier process; `handle` is missing
    /// when that process ended before it could write it down.
    fn find(&self, job: Job, handle: Option<String>) -> Answer<'_, Found>;

    /// Ends an attempt and all that it started: asks, waits a while, kills, and resolves once it is gone.
    fn end(&self, key: JobKey, handle: String) -> Answer<'_, ()>;

    /// Writes the output of a run to `file`, which is below `cwd`.
    fn write_output(
        &self,
        cwd: String,
        file: String,
        text: String,
    ) -> Answer<'_, Result<(), ActionError>>;

    /// How bad the worst conflict is that the worktree at `place` has with another one: `none`,
    /// `identical`, `different_area`, `adjacent_line`, `breaks` or `same_line`; of all files, or of those that
    /// `glob` matches.
    fn conflicts(
        &self,
        place: String,
        glob: Option<String>,
    ) -> Answer<'_, Result<String, ActionError>>;

    /// The value of an environment variable.
    fn env(&self, name: &str) -> Option<String>;
}

/// What a program printed, as text: without escape sequences, and of lines that it wrote over only
/// what was there last.
#[must_use]
pub fn plain_text(printed: &[u8]) -> String {
    let text = String::from_utf8_lossy(printed);
    let stripped = anstream::adapter::strip_str(&text).to_string();
    let mut plain = String::with_capacity(stripped.len());
    for line in stripped.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line.trim_end_matches('\r'), "\n"),
            None => (line.trim_end_matches('\r'), ""),
        };
        plain.push_str(line.rsplit('\r').next().unwrap_or_default());
        plain.push_str(end);
    }
    plain.retain(|c| c == '\n' || c == '\t' || !c.is_control());
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_clean_of_escape_sequences_and_of_what_was_written_over() {
        let printed = b"\x1b[1;32mok\x1b[0m\r\n10%\r50%\r100%\n\x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x00end\xff";
        assert_eq!(plain_text(printed), "ok\n100%\nlink end\u{fffd}");
    }
}
