//! What a pane wants from the person: one answer, from the most trustworthy of those who speak.

use crate::types::Attention;

/// A command that took less is not worth a word when it ends: somebody was there.
const WORTH_A_WORD_MS: u64 = 5_000;
/// A bell so soon after a key answers the key.
const TYPING_MS: u64 = 2_000;

/// Weighs what shell, program and person say.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    value: Attention,
    message: Option<String>,
    /// The shell marks its commands: since when one runs.
    running_since: Option<u64>,
    /// The shell marks its commands, so a bell at its prompt is only its line editor's.
    marks: bool,
    /// What the program says of itself, if it does: it works, or it is at nothing.
    works: Option<bool>,
    /// The system says that the shell waits for keys, whatever it marked.
    shell_waits: bool,
    /// The program itself asked for the person, in words.
    asked: bool,
    typed_at: Option<u64>,
}

impl Watch {
    pub(crate) fn value(&self) -> Attention {
        self.value
    }

    pub(crate) fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// A prompt is shown: no command runs.
    pub(crate) fn prompt(&mut self) {
        self.marks = true;
        self.running_since = None;
        self.works = None;
        self.shell_waits = false;
        if self.value == Attention::Working {
            self.set(Attention::Idle, None);
        }
    }

    /// Whether something is said to be at work, which only the system knows for sure.
    pub(crate) fn claims_work(&self) -> bool {
        self.running_since.is_some() || self.works == Some(true)
    }

    /// The system says whether the shell itself waits for keys. It has the last word: a shell may have lost its marks, or
    /// have made room for one that has none, and a program may have ended without a word.
    pub(crate) fn shell_waits(&mut self, waits: bool) {
        if !self.claims_work() {
            return;
        }
        let before = std::mem::replace(&mut self.shell_waits, waits);
        match self.value {
            Attention::Working if waits => self.set(Attention::Idle, None),
            Attention::Idle if before && !waits => self.set(Attention::Working, None),
            _ => {}
        }
    }

    pub(crate) fn command_started(&mut self, now: u64) {
        self.marks = true;
        self.running_since = Some(now);
        self.works = None;
        self.shell_waits = false;
        self.set(Attention::Working, None);
    }

    pub(crate) fn command_ended(&mut self, exit: Option<i32>, command: Option<&str>, now: u64) {
        self.marks = true;
        self.works = None;
        self.shell_waits = false;
        let Some(since) = self.running_since.take() else {
            return;
        };
        if now.saturating_sub(since) >= WORTH_A_WORD_MS {
            self.ended(exit.unwrap_or(0) == 0, command.map(str::to_owned));
        } else if !self.asked {
            self.set(Attention::Idle, None);
        }
    }

    /// OSC 9;4: the program is at work, or no longer. A shell only knows that it runs.
    pub(crate) fn progressed(&mut self, works: bool) {
        self.works = Some(works);
        self.shell_waits = false;
        match (self.value, works) {
            (Attention::Idle, true) => self.set(Attention::Working, None),
            (Attention::Working, false) => self.set(Attention::Idle, None),
            _ => {}
        }
    }

    /// OSC 9, 99, 777.
    pub(crate) fn notified(&mut self, title: &str, body: &str) {
        let message = match (title.is_empty(), body.is_empty()) {
            (false, false) => format!("{title}: {body}"),
            (false, true) => title.to_owned(),
            _ => body.to_owned(),
        };
        self.set(Attention::NeedsYou, Some(message));
        self.asked = true;
    }

    pub(crate) fn bell(&mut self, now: u64) {
        let at_prompt = self.marks && (self.running_since.is_none() || self.shell_waits);
        let typing = self
            .typed_at
            .is_some_and(|at| now.saturating_sub(at) < TYPING_MS);
        if !at_prompt && !typing && !self.asked {
            self.set(Attention::NeedsYou, None);
        }
    }

    /// The pane's program ended.
    pub(crate) fn exited(&mut self, well: bool) {
        self.running_since = None;
        self.works = None;
        self.ended(well, None);
    }

    /// The person typed: whatever was asked is being answered.
    pub(crate) fn typed(&mut self, now: u64) {
        self.typed_at = Some(now);
        self.seen();
    }

    /// The person looks at the pane.
    pub(crate) fn seen(&mut self) {
        if matches!(
            self.value,
            Attention::NeedsYou | Attention::Done | Attention::Failed
        ) {
            let works = self.works.unwrap_or(self.running_since.is_some());
            let value = if works && !self.shell_waits {
                Attention::Working
            } else {
                Attention::Idle
            };
            self.set(value, None);
        }
    }

    fn ended(&mut self, well: bool, message: Option<String>) {
        let value = if well {
            Attention::Done
        } else {
            Attention::Failed
        };
        self.set(value, message);
    }

    fn set(&mut self, value: Attention, message: Option<String>) {
        self.value = value;
        self.message = message;
        self.asked = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_works_and_then_a_long_one_is_done_or_failed() {
        let mut watch = Watch::default();
        watch.prompt();
        watch.command_started(0);
        assert_eq!(watch.value(), Attention::Working);
        watch.command_ended(Some(0), Some("make"), 10_000);
        assert_eq!(watch.value(), Attention::Done);
        assert_eq!(watch.message(), Some("make"));
        watch.prompt();
        assert_eq!(watch.value(), Attention::Done, "until somebody looks");
        watch.seen();
        assert_eq!(watch.value(), Attention::Idle);
        watch.command_started(20_000);
        watch.command_ended(Some(2), None, 30_000);
        assert_eq!(watch.value(), Attention::Failed);
    }

    #[test]
    fn a_short_command_says_nothing() {
        let mut watch = Watch::default();
        watch.command_started(0);
        watch.command_ended(Some(1), None, 100);
        assert_eq!(watch.value(), Attention::Idle);
    }

    #[test]
    fn a_notification_outweighs_a_bell_and_outlives_a_short_command() {
        let mut watch = Watch::default();
        watch.command_started(0);
        watch.notified("agent", "may I?");
        watch.bell(10);
        assert_eq!(watch.value(), Attention::NeedsYou);
        assert_eq!(watch.message(), Some("agent: may I?"));
        watch.command_ended(Some(0), None, 100);
        assert_eq!(watch.value(), Attention::NeedsYou);
        watch.typed(200);
        assert_eq!(watch.value(), Attention::Idle);
    }

    #[test]
    fn a_bell_counts_unless_it_is_a_line_editors() {
        let mut watch = Watch::default();
        watch.bell(0);
        assert_eq!(watch.value(), Attention::NeedsYou, "nothing else is known");
        watch.seen();
        watch.prompt();
        watch.bell(10);
        assert_eq!(watch.value(), Attention::Idle, "at a prompt");
        watch.command_started(20);
        watch.typed(30);
        watch.bell(40);
        assert_eq!(watch.value(), Attention::Working, "it answers a key");
        watch.bell(30 + TYPING_MS);
        assert_eq!(watch.value(), Attention::NeedsYou);
    }

    #[test]
    fn the_end_of_the_program_is_told_until_it_is_seen() {
        let mut watch = Watch::default();
        watch.exited(false);
        assert_eq!(watch.value(), Attention::Failed);
        watch.seen();
        assert_eq!(watch.value(), Attention::Idle);
    }

    #[test]
    fn the_system_knows_better_than_marks_that_are_lost() {
        let mut watch = Watch::default();
        watch.shell_waits(true);
        watch.command_started(0);
        watch.shell_waits(true);
        assert_eq!(watch.value(), Attention::Idle, "nothing says that it ended");
        watch.bell(10_000);
        assert_eq!(watch.value(), Attention::Idle, "its line editor's");
        watch.shell_waits(false);
        assert_eq!(watch.value(), Attention::Working, "something runs again");
        watch.notified("", "may I?");
        watch.shell_waits(true);
        assert_eq!(watch.value(), Attention::NeedsYou);
        watch.seen();
        assert_eq!(watch.value(), Attention::Idle);
        // A command that asks for a line, and then goes on, and ends as any other.
        watch.command_started(20_000);
        watch.shell_waits(true);
        watch.shell_waits(false);
        watch.command_ended(Some(1), None, 30_000);
        assert_eq!(watch.value(), Attention::Failed);
    }

    #[test]
    fn a_program_that_ended_amid_its_work_works_no_longer() {
        let mut watch = Watch::default();
        watch.progressed(true);
        watch.shell_waits(true);
        assert_eq!(watch.value(), Attention::Idle);
    }

    #[test]
    fn a_program_that_says_whether_it_works_knows_better_than_its_shell() {
        let mut watch = Watch::default();
        watch.command_started(0);
        watch.progressed(true);
        assert_eq!(watch.value(), Attention::Working);
        watch.progressed(false);
        assert_eq!(watch.value(), Attention::Idle, "it waits for a prompt");
        watch.progressed(true);
        watch.notified("", "may I?");
        watch.progressed(false);
        assert_eq!(watch.value(), Attention::NeedsYou, "until somebody looks");
        watch.seen();
        assert_eq!(watch.value(), Attention::Idle);
        // The next command is another one.
        watch.command_ended(Some(0), None, 1_000);
        watch.command_started(2_000);
        watch.notified("", "and now?");
        watch.typed(3_000);
        assert_eq!(watch.value(), Attention::Working);
    }
}
