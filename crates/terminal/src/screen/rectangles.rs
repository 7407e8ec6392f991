//! Rectangles of the screen, filled, erased, copied and given other attributes: see [`Control`](crate::control::Control).

use std::ops::Range;

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line as Row};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell, Flags};

use super::Sink;
use super::extra::PROTECTED;
use super::intake::Intake;
use crate::control::{Area, Attributes};

/// Rows and columns of the screen, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cells {
    rows: Range<usize>,
    columns: Range<usize>,
}

impl<S: Sink> Intake<'_, S> {
    /// The cells that a program means; nothing when its corners are the wrong way round.
    fn cells(&self, area: Area) -> Option<Cells> {
        self.corners(area).filter(|cells| !cells.columns.is_empty())
    }

    /// Where the first and the last cell are that a program means, which may be right of the last one's column.
    fn corners(&self, area: Area) -> Option<Cells> {
        let (first, rows) = self.origin();
        let columns = self.term.columns();
        let or = |told: u16, usual: usize| if told == 0 { usual } else { told.into() };
        let top = first + or(area.top, 1) - 1;
        let bottom = (first + or(area.bottom, rows)).min(first + rows);
        let left = or(area.left, 1) - 1;
        let right = or(area.right, columns).min(columns);
        (top < bottom && left < columns).then_some(Cells {
            rows: top..bottom,
            columns: left..right,
        })
    }

    /// The row that positions count from, and how many there are from it on.
    fn origin(&self) -> (usize, usize) {
        if self.term.mode().contains(TermMode::ORIGIN) {
            let (first, last) = self.margins();
            (first as usize, (last - first + 1) as usize)
        } else {
            (0, self.term.screen_lines())
        }
    }

    fn row(&mut self, row: usize, columns: Range<usize>) -> &mut [Cell] {
        &mut self.term.grid_mut()[Row(row as i32)][Column(columns.start)..Column(columns.end)]
    }

    /// DECFRA: fills with a character that is printed as the next one would be.
    pub(super) fn fill(&mut self, with: u16, area: Area) {
        let (Some(cells), 0x20..=0x7e | 0xa0..=0xff) = (self.cells(area), with) else {
            return;
        };
        let mut cell = self.term.grid().cursor.template.clone();
        cell.c = char::from(with as u8);
        for row in cells.rows {
            self.row(row, cells.columns.clone()).fill(cell.clone());
        }
    }

    /// DECERA and DECSERA: erases, all or what is not protected.
    pub(super) fn erase_area(&mut self, area: Area, selective: bool) {
        let Some(cells) = self.cells(area) else {
            return;
        };
        let blank = Cell::from(self.term.grid().cursor.template.bg);
        for row in cells.rows {
            for cell in self.row(row, cells.columns.clone()) {
                if !(selective && cell.flags.contains(PROTECTED)) {
                    *cell = blank.clone();
                }
            }
        }
    }

    /// DECCRA: copies to where the upper left corner is told to be, as much as there is room for.
    pub(super) fn copy(&mut self, area: Area, (top, left): (u16, u16)) {
        let Some(from) = self.cells(area) else { return };
        let to = Area {
            top,
            left,
            ..Area::default()
        };
        let Some(to) = self.cells(to) else { return };
        let width = from.columns.len().min(to.columns.len());
        let copied: Vec<Vec<Cell>> = from
            .rows
            .map(|row| {
                let start = from.columns.start;
                let cells = self.row(row, start..start + width);
                // That a row goes on in the next is not part of its last cell.
                let kept = |cell: &Cell| {
                    let mut cell = cell.clone();
                    cell.flags.remove(Flags::WRAPLINE);
                    cell
                };
                cells.iter().map(kept).collect()
            })
            .collect();
        for (row, cells) in to.rows.zip(copied) {
            let start = to.columns.start;
            self.row(row, start..start + width).clone_from_slice(&cells);
        }
    }

    /// DECCARA and DECRARA: sets attributes, or turns them round; of the cells of a rectangle, or of all from its first corner
    /// to its last (DECSACE).
    pub(super) fn change_attributes(&mut self, area: Area, what: Attributes) {
        let Some(cells) = self.corners(area) else {
            return;
        };
        let all = self.term.columns();
        let last = cells.rows.end - 1;
        for row in cells.rows.clone() {
            let columns = if self.told.rectangles {
                cells.columns.clone()
            } else {
                let start = if row == cells.rows.start {
                    cells.columns.start
                } else {
                    0
                };
                let end = if row == last { cells.columns.end } else { all };
                start..end
            };
            if columns.is_empty() {
                continue;
            }
            for cell in self.row(row, columns) {
                match what {
                    Attributes::Change { on, off } => {
                        cell.flags.remove(flags_of(off));
                        cell.flags.insert(flags_of(on));
                    }
                    Attributes::Reverse(these) => cell.flags.toggle(flags_of(these)),
                }
            }
        }
    }
}

/// The emulator's flags of attributes; it has none of its own for what blinks.
fn flags_of(attributes: u8) -> Flags {
    let mut flags = Flags::empty();
    for (attribute, flag) in [
        (Attributes::BOLD, Flags::BOLD),
        (Attributes::UNDERLINE, Flags::UNDERLINE),
        (Attributes::INVERSE, Flags::INVERSE),
        (Attributes::HIDDEN, Flags::HIDDEN),
    ] {
        flags.set(flag, attributes & attribute != 0);
    }
    flags
}
