//! Images in cells: each cell that an image covers is a tile of it, which scrolls, moves and is erased as a character is.
//!
//! A tile is a character that no text has (of the last private plane), hidden, with the number of its image for a colour. A window that
//! finds it draws that part of the image there; wherever text is read it is a blank.

use alacritty_terminal::grid::Dimensions as _;
use alacritty_terminal::index::{Column, Line as Row};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{Color, Handler as _, Rgb};

use super::Sink;
use super::intake::Intake;
use crate::image::{CursorAfter, Place, Placing, Which};

/// The first tile of an image.
const FIRST: u32 = 0x10_0000;
/// So many tiles has an image at most.
const MOST: u32 = 0xfffe;

/// The number of the image that a cell has a tile of.
pub(super) fn image_of(cell: &Cell) -> Option<u32> {
    if u32::from(cell.c) < FIRST || !cell.flags.contains(Flags::HIDDEN) {
        return None;
    }
    match cell.fg {
        Color::Spec(Rgb { r, g, b }) => Some(u32::from_be_bytes([0, r, g, b])),
        _ => None,
    }
}

impl<S: Sink> Intake<'_, S> {
    /// Puts an image into cells, from the cursor on.
    pub(super) fn place(&mut self, placing: &Placing, number: u32) {
        let (cols, rows) = placing.cells();
        let cols = u32::from(cols);
        let rows = u32::from(rows).min(MOST / cols);
        let [_, r, g, b] = number.to_be_bytes();
        let width = self.term.columns() as u32;
        let cursor = self.term.grid().cursor.clone();
        let left = cursor.point.column.0 as u32;
        let seen = cols.min(width.saturating_sub(left));
        let stays = placing.cursor == CursorAfter::Stays;
        let height = self.term.screen_lines() as u32;
        for row in 0..rows {
            let line = if stays {
                // What does not fit is not drawn: nothing scrolls.
                let line = cursor.point.line + row as i32;
                if line.0 as u32 >= height {
                    break;
                }
                line
            } else {
                if row > 0 {
                    self.linefeed();
                }
                self.term.grid().cursor.point.line
            };
            for col in 0..seen {
                let Some(tile) = char::from_u32(FIRST + row * cols + col) else {
                    break;
                };
                let cell = &mut self.term.grid_mut()[line][Column((left + col) as usize)];
                *cell = Cell {
                    c: tile,
                    fg: Color::Spec(Rgb { r, g, b }),
                    flags: Flags::HIDDEN,
                    ..Cell::default()
                };
            }
        }
        if stays {
            return;
        }
        let behind = match placing.cursor {
            CursorAfter::Behind => left + seen,
            CursorAfter::Below | CursorAfter::Stays => left,
        };
        let grid = self.term.grid_mut();
        grid.cursor.point.column = Column(behind.min(width - 1) as usize);
        grid.cursor.input_needs_wrap = behind >= width;
    }

    /// Takes images out of the cells.
    pub(super) fn erase_images(&mut self, which: &Which) {
        let grid = self.term.grid();
        let (height, width) = (grid.screen_lines(), grid.columns());
        let cursor = grid.cursor.point;
        let mut numbers = match which {
            Which::Numbered(numbers) => numbers.clone(),
            Which::OnScreen | Which::At { .. } => {
                let (column, row) = match which {
                    Which::At { column, row } => (*column, *row),
                    _ => (None, None),
                };
                let at = |place: Option<Place>, cursor: usize, all: usize| match place {
                    Some(Place::Cursor) => cursor..cursor + 1,
                    Some(Place::Number(number)) => number.min(all)..(number + 1).min(all),
                    None => 0..all,
                };
                let rows = at(row, cursor.line.0.max(0) as usize, height);
                let columns = at(column, cursor.column.0, width);
                rows.flat_map(|row| columns.clone().map(move |column| (row, column)))
                    .filter_map(|(row, column)| image_of(&grid[Row(row as i32)][Column(column)]))
                    .collect()
            }
        };
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.is_empty() {
            return;
        }
        let top = -(grid.history_size() as i32);
        let grid = self.term.grid_mut();
        for row in top..height as i32 {
            for column in 0..width {
                let cell = &grid[Row(row)][Column(column)];
                if image_of(cell).is_some_and(|number| numbers.binary_search(&number).is_ok()) {
                    grid[Row(row)][Column(column)] = Cell::default();
                }
            }
        }
    }
}
