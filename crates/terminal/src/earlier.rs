//! What stands above a pane's own lines: the newest of a closed one in whose place it opened, dimmed, and of the one in
//! whose place that had opened.

use crate::history::History;
use crate::ink::Ink;
use crate::lines::PaneText;
use crate::styled::{Style, StyleRun, StyledLine};
use crate::types::{EarlierEnd, LineId, PaneId};

/// How many lines there are, over all panes: enough to know where one was, and little in memory for each of many panes.
const LINES: usize = 1_000;
/// How much text that may be.
const BYTES: usize = 256 * 1024;
/// So many panes that went on for one another, and no more: whoever writes these files may have them go in a circle.
const PANES: usize = 8;

/// Lines of panes that are gone, as they are printed before a program is started.
#[derive(Default)]
pub(crate) struct Earlier {
    /// Escape sequences, for an empty screen.
    pub(crate) bytes: Vec<u8>,
    /// Where each pane's end, oldest first.
    pub(crate) ends: Vec<EarlierEnd>,
}

struct Part {
    pane: PaneId,
    lines: Vec<StyledLine>,
    next: LineId,
    until: Option<u64>,
}

impl Earlier {
    /// The newest lines that a closed pane printed, and those of the panes that it had gone on for, as far as there is
    /// room. None when the pane lives, or nothing is kept of it.
    pub(crate) fn read(history: &History, pane: PaneId) -> Self {
        let mut parts = Vec::new();
        let (mut lines, mut bytes) = (LINES, BYTES);
        let mut next = Some(pane);
        while let Some(pane) = next
            && parts.len() < PANES
            && let Some((meta, until)) = history.closed_pane(pane)
            && let Some(reader) = history.reader(pane)
        {
            next = meta.continues;
            let (newest, number) = PaneText::closed(reader).newest(lines, bytes);
            if newest.is_empty() {
                continue;
            }
            lines -= newest.len();
            bytes -= newest.iter().map(|line| line.text.len()).sum::<usize>();
            parts.push(Part {
                pane,
                lines: newest,
                next: LineId(number),
                until,
            });
        }
        parts.reverse();
        print(parts)
    }

    /// The first line of the pane itself.
    pub(crate) fn own_from(&self) -> LineId {
        self.ends
            .last()
            .map_or(LineId(0), |end| LineId(end.line.0 + 1))
    }
}

/// Prints lines one below the other, with an empty one behind each pane's.
fn print(parts: Vec<Part>) -> Earlier {
    let mut ink = Ink::default();
    let mut ends = Vec::new();
    let mut line = 0;
    for part in parts {
        line += part.lines.len() as u64;
        for line in part.lines {
            ink.line(&dimmed(line));
            ink.plain();
            ink.raw(b"\r\n");
        }
        ink.raw(b"\r\n");
        ends.push(EarlierEnd {
            pane: part.pane,
            line: LineId(line),
            next: part.next,
            until: part.until,
        });
        line += 1;
    }
    Earlier {
        bytes: ink.out,
        ends,
    }
}

fn dimmed(mut line: StyledLine) -> StyledLine {
    if line.runs.first().is_none_or(|run| run.start > 0) {
        let style = Style::default();
        line.runs.insert(0, StyleRun { start: 0, style });
    }
    for run in &mut line.runs {
        run.style.flags |= Style::DIM;
    }
    line
}
