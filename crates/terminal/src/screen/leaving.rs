//! Rows that leave the grid, and the logical lines that they make.

use alacritty_terminal::grid::{Dimensions, Row as GridRow};
use alacritty_terminal::index::Line as Row;
use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::{Term, TermMode};

use super::cells::{append_row, wraps};
use super::{Events, MAX_LINE, Sink};
use crate::styled::StyledLine;
use crate::types::PaneSize;

/// Rows between two collections: fewer would take rows out one by one, more would only cost memory.
const SLACK: usize = 400;

/// The lines that are on their way from the grid to the ring.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    /// How many lines have left.
    pub(super) count: u64,
    /// The beginning of a line whose end is still in the grid.
    pub(super) partial: StyledLine,
    /// How many rows have been taken out of the grid.
    pub(super) rows: u64,
    /// How often all rows were laid out anew or forgotten: a window that shows them can't follow row by row then.
    pub(super) layouts: u64,
}

/// What a screen shows at a moment when not all of it will be there later.
pub(crate) struct View<'a> {
    pub(super) term: &'a Term<Events>,
    pub(super) leaving: &'a Leaving,
}

/// How many rows of history stay in the grid, for the window to grow into.
pub(super) fn keep(size: PaneSize) -> usize {
    (2 * usize::from(size.rows)).max(100)
}

/// How many rows of history the grid may have at most.
pub(super) fn limit(size: PaneSize) -> usize {
    keep(size) + usize::from(size.rows) + SLACK
}

/// Runs `see` with the primary screen as the active one.
///
/// The emulator shows the inactive grid to nobody, and swapping screens clears the alternate one and resets the
/// keyboard; both are put back.
pub(super) fn with_primary(term: &mut Term<Events>, see: impl FnOnce(&mut Term<Events>)) {
    if !term.mode().contains(TermMode::ALT_SCREEN) {
        see(term);
        return;
    }
    let alternate = term.grid().clone();
    term.swap_alt();
    see(term);
    term.swap_alt();
    *term.grid_mut() = alternate;
}

/// Takes the oldest rows out of the grid until it holds `keep` rows of history.
pub(super) fn collect(
    term: &mut Term<Events>,
    leaving: &mut Leaving,
    (keep, limit): (usize, usize),
    sink: &mut impl Sink,
) {
    let history = term.grid().history_size();
    if history <= keep {
        return;
    }
    sink.rows_leave(&View { term, leaving });
    let grid = term.grid_mut();
    for row in -(history as i32)..-(keep as i32) {
        take_row(&grid[Row(row)], leaving, sink);
    }
    // Shrinks the history from its oldest end; the limit goes back up at once.
    grid.update_history(keep);
    grid.update_history(limit);
}

pub(super) fn take_row(row: &GridRow<Cell>, leaving: &mut Leaving, sink: &mut impl Sink) {
    let wraps = wraps(row);
    leaving.rows += 1;
    append_row(&mut leaving.partial, &row[..], wraps);
    if !wraps {
        leaving.partial.continues = false;
        sink.line(&leaving.partial);
        leaving.count += 1;
        leaving.partial.text.clear();
        leaving.partial.runs.clear();
        leaving.partial.links.clear();
    } else if leaving.partial.text.len() >= MAX_LINE {
        leaving.partial.continues = true;
        sink.line(&leaving.partial);
        leaving.count += 1;
        leaving.partial = StyledLine::default();
    }
}

pub(super) fn lines_of(term: &Term<Events>, leaving: &Leaving) -> Vec<StyledLine> {
    let grid = term.grid();
    let mut lines = Vec::new();
    let mut line = leaving.partial.clone();
    let mut open = false;
    let top = -(grid.history_size() as i32);
    for row in top..grid.screen_lines() as i32 {
        let row = &grid[Row(row)];
        open = wraps(row);
        append_row(&mut line, &row[..], open);
        if !open {
            lines.push(std::mem::take(&mut line));
        }
    }
    if open {
        lines.push(line);
    }
    // What is below the last text and below the cursor has not been printed.
    let cursor = (top..grid.cursor.point.line.0)
        .filter(|&row| !wraps(&grid[Row(row)]))
        .count();
    while lines.len() > cursor + 1 && lines.last().is_some_and(|line| line.text.is_empty()) {
        lines.pop();
    }
    if lines.len() == cursor + 1 && lines.last().is_some_and(|line| line.text.is_empty()) {
        lines.pop();
    }
    lines
}
