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
    /// How often a command began or ended.
    marked: u32,
}

/// Where a command's output ended: before this line, but for so many characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutputEnd {
    pub(super) line: LineId,
    pub(super) rest: u32,
}

impl Marks {
    /// A prompt is drawn at `line`. What was marked there or below was drawn over.
    pub(super) fn prompt(&mut self, line: LineId) {
        while self.marks.back().is_some_and(|mark| mark.prompt >= line) {
            self.marks.pop_back();
        }
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

    /// The command runs in `cwd`; its output begins at `line`.
    pub(super) fn started(&mut self, line: LineId, command: Option<String>, cwd: String, now: u64) {
        self.marked = self.marked.wrapping_add(1);
        let mark = self.last(line);
        mark.output_from = Some(line);
        mark.started_at = Some(now);
        mark.cwd = Some(cwd);
        if command.is_some() {
            mark.command.clone_from(&command);
            self.command = command;
        }
    }

    /// The command has ended; says whether one ran: shells say so before every prompt, even when nothing was run.
    pub(super) fn ended(&mut self, at: OutputEnd, exit: Option<i32>, now: u64) -> bool {
        let ran = self.runs();
        if ran {
            self.marked = self.marked.wrapping_add(1);
            let mark = self.last(at.line);
            mark.output_to = Some(at.line);
            mark.output_rest = at.rest;
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

    pub(super) fn marked(&self) -> u32 {
        self.marked
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
        marks.started(LineId(4), None, "/src".to_owned(), 1_000);
        let (line, rest) = (LineId(9), 3);
        assert!(marks.ended(OutputEnd { line, rest }, Some(2), 5_000));
        let wanted = CommandMark {
            prompt: LineId(3),
            command: Some("make".to_owned()),
            output_from: Some(LineId(4)),
            output_to: Some(LineId(9)),
            output_rest: 3,
            cwd: Some("/src".to_owned()),
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
        let (line, rest) = (LineId(10), 0);
        assert!(!marks.ended(OutputEnd { line, rest }, Some(0), 6_000));
        assert_eq!((marks.all(), marks.last_exit()), (vec![wanted], Some(2)));
        assert_eq!(marks.marked(), 2);
    }

    #[test]
    fn what_a_prompt_is_drawn_over_is_no_command_any_more() {
        let mut marks = Marks::default();
        for line in [3, 7, 7, 9] {
            marks.prompt(LineId(line));
        }
        let lines =
            |marks: &Marks| -> Vec<u64> { marks.all().iter().map(|mark| mark.prompt.0).collect() };
        assert_eq!(lines(&marks), [3, 7, 9]);
        // The screen was emptied, and written from its top again.
        marks.prompt(LineId(5));
        assert_eq!(lines(&marks), [3, 5]);
    }

    #[test]
    fn a_shell_that_marks_no_prompts_has_its_commands_marked_all_the_same() {
        let mut marks = Marks::default();
        marks.started(LineId(1), Some("ls".to_owned()), "/".to_owned(), 1);
        assert_eq!(marks.all()[0].prompt, LineId(1));
        for line in 2..3_002 {
            marks.prompt(LineId(line));
        }
        assert_eq!(marks.all().len(), MAX_MARKS);
        assert_eq!(marks.all()[0].prompt, LineId(1_002));
    }
}
