//! The commands that a pane's shell marked.

use super::{Core, Pane};
use crate::types::{CommandMark, LineId};

/// How many commands are remembered.
pub(super) const MAX_MARKS: usize = 2_000;

impl Pane {
    pub(crate) fn marks(&self) -> Vec<CommandMark> {
        self.core.lock().marks.iter().cloned().collect()
    }
}

impl Core {
    /// The mark of the command at hand.
    pub(super) fn mark(&mut self, line: LineId) -> &mut CommandMark {
        if self.marks.is_empty() {
            self.marks.push_back(CommandMark::at(line));
        }
        let last = self.marks.len() - 1;
        &mut self.marks[last]
    }
}
