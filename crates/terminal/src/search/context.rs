//! The lines around matches.

use pattern::MAX_LINE;

use super::contract::Match;
use crate::lines::{Lines, PaneText};
use crate::styled::cut_spans;
use crate::types::Line;

/// Gives each match the lines around it. A line between two matches belongs to one of them only, and to
/// the earlier one first.
pub(super) fn add_context(panes: &[PaneText], matches: &mut [Match], context: u32) {
    let context = u64::from(context);
    for pane in panes {
        let mut at: Vec<(u64, usize)> = Vec::new();
        let mut lines: Option<Lines<'_>> = None;
        for (index, found) in matches.iter().enumerate() {
            if found.pane == pane.pane {
                let lines = lines.get_or_insert_with(|| Lines::new(pane));
                if let Some(position) = lines.find_id(found.line) {
                    at.push((position, index));
                }
            }
        }
        let Some(mut lines) = lines else { continue };
        at.sort_unstable();
        let mut free_from = 0;
        for (nth, (position, index)) in at.iter().copied().enumerate() {
            let before = free_from.max(position.saturating_sub(context))..position;
            let next = at.get(nth + 1).map_or(u64::MAX, |(next, _)| *next);
            let end = (position + 1 + context).min(next).min(lines.len());
            let found = &mut matches[index];
            found.context_before = before.filter_map(|at| lines.line(at)).map(short).collect();
            found.context_after = (position + 1..end)
                .filter_map(|at| lines.line(at))
                .map(short)
                .collect();
            free_from = end.max(position + 1);
        }
    }
}

fn short(mut line: Line) -> Line {
    if line.text.len() > MAX_LINE {
        line.text.truncate(line.text.floor_char_boundary(MAX_LINE));
        let length = line.text.chars().map(|char| char.len_utf16() as u32).sum();
        cut_spans(&mut line.spans, length);
        line.text.push('…');
    }
    line
}
