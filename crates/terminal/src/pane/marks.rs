//! The commands that a pane's shell marked (OSC 133, OSC 633), and the one at hand.

use std::collections::VecDeque;

use crate::types::{CommandMark, LineId};

/// How many commands are remembered.
const MAX_MARKS: usize = 2_000;

/// What a shell told of its commands. Times are handed in, in milliseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Oldest first.
    marks: VecDeque<CommandMark>,
    /// The command that runs or ran last.
    command: Option<String>,
    /// How the command that ended last did.
    last_exit: Option<i32>,
}

impl Marks {
    /// A prompt is drawn at `line`.
    pub(super) fn prompt(&mut self, line: LineId) {
        if self.marks.len() == MAX_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back(CommandMark::at(line));
    }

    /// The shell says what was typed at the prompt.
    pub(super) fn typed(&mut self, line: LineId, command: String) {
        let command = Some(command).filter(|command| !command.is_empty());
        self.last(line).command.clone_from(&command);
        self.command = command;
    }

    /// The command runs; its output begins at `line`.
    pub(super) fn started(&mut self, line: LineId, command: Option<String>, now: u64) {
        let mark = self.last(line);
        mark.output_from = Some(line);
        mark.started_at = Some(now);
        if command.is_some() {
            mark.command.clone_from(&command);
            self.command = command;
        }
    }

    /// The command has ended; says whether one ran: shells say so before every prompt, even when nothing was run.
    pub(super) fn ended(&mut self, line: LineId, exit: Option<i32>, now: u64) -> bool {
        let ran = self.runs();
        if ran {
            let mark = self.last(line);
            mark.output_to = Some(line);
            mark.exit = exit;
            mark.ended_at = Some(now);
            self.last_exit = exit;
        }
        ran
    }

    /// Whether a command was started, and nothing told of its end.
    pub(super) fn runs(&self) -> bool {
        self.marks
            .back()
            .is_some_and(|mark| mark.started_at.is_some() && mark.ended_at.is_none())
    }

    pub(super) fn all(&self) -> Vec<CommandMark> {
        self.marks.iter().cloned().collect()
    }

    pub(super) fn command(&self) -> Option<&str> {
        self.command.as_deref()
    }

    pub(super) fn last_exit(&self) -> Option<i32> {
        self.last_exit
    }

    /// The mark of the command at hand.
    fn last(&mut self, line: LineId) -> &mut CommandMark {
        if self.marks.is_empty() {
            self.marks.push_back(CommandMark::at(line));
        }
        let last = self.marks.len() - 1;
        &mut self.marks[last]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_marked_from_its_prompt_to_its_end() {
        let mut marks = Marks::default();
        marks.prompt(LineId(3));
        marks.typed(LineId(3), "make".to_owned());
        marks.started(LineId(4), None, 1_000);
        assert!(marks.ended(LineId(9), Some(2), 5_000));
        let wanted = CommandMark {
            prompt: LineId(3),
            command: Some("make".to_owned()),
            output_from: Some(LineId(4)),
            output_to: Some(LineId(9)),
            exit: Some(2),
            started_at: Some(1_000),
            ended_at: Some(5_000),
        };
        assert_eq!(marks.all(), std::slice::from_ref(&wanted));
        assert_eq!(
            (marks.command(), marks.last_exit()),
            (Some("make"), Some(2))
        );

        // Enter on an empty line: nothing was run, so nothing ended.
        assert!(!marks.ended(LineId(10), Some(0), 6_000));
        assert_eq!((marks.all(), marks.last_exit()), (vec![wanted], Some(2)));
    }

    #[test]
    fn a_shell_that_marks_no_prompts_has_its_commands_marked_all_the_same() {
        let mut marks = Marks::default();
        marks.started(LineId(1), Some("ls".to_owned()), 1);
        assert_eq!(marks.all()[0].prompt, LineId(1));
        for line in 0..3_000 {
            marks.prompt(LineId(line));
        }
        assert_eq!(marks.all().len(), MAX_MARKS);
        assert_eq!(marks.all()[0].prompt, LineId(1_000));
    }
}
