//! What a window shows of a screen, and what it has to be told to show what there is now.
//!
//! A window is told rows, never what the program wrote. [`Drawn`] is what it shows after all that it was told; rows that
//! have scrolled away since are finished first and scroll there too, so that its scrollback is the emulator's, row by row.

use std::collections::VecDeque;
use std::fmt::Write as _;

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Line as Row;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Term, TermMode};
use alacritty_terminal::vte::ansi::{CursorShape, CursorStyle, Rgb};

use super::cells::{HALVES, Half, half, is_blank, link_of, style_of};
use super::leaving::{Leaving, View, with_primary};
use super::{Events, Screen};
use crate::ink::Ink;
use crate::styled::{Style, StyledLine};

/// What a window shows.
#[derive(Debug)]
pub(crate) struct Drawn {
    /// Which layout of the rows it is of: see [`Leaving::layouts`].
    layout: u64,
    /// The number of the first row of the primary screen, counted over all rows of this layout.
    top: u64,
    primary: VecDeque<DrawnRow>,
    /// The full-screen program's rows, when it shows them.
    alternate: Option<VecDeque<DrawnRow>>,
    cursor: Option<(usize, usize)>,
    manner: Manner,
}

#[derive(Debug, Clone)]
struct DrawnRow {
    cells: Vec<Cell>,
    /// It goes on with the line of the row above.
    continues: bool,
}

/// How a window behaves, apart from what it shows: each entry as the sequence that sets it and the one that undoes that.
#[derive(Debug, Default, PartialEq, Eq)]
struct Manner(Vec<(String, String)>);

/// Tells a window that cells may be tiles of images; none is told that there are no more.
const IMAGES: &str = "\x1b]7718;1\x07";

/// Where the cursor is after a row was painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// Behind the last column: what comes next wraps.
    Waits,
    /// On the last column, which is left free, with this behind it, because a wide character did not fit.
    Gap(Style),
    /// Before the end.
    Short,
}

/// The colour behind a cell, as a style.
fn behind(cell: &Cell) -> Style {
    Style {
        bg: style_of(cell).bg,
        ..Style::default()
    }
}

fn wraps(cells: &[Cell]) -> bool {
    cells
        .last()
        .is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE))
}

/// Paints the cells from a column on, at the cursor; `over` what may be there.
fn paint(ink: &mut Ink, cells: &[Cell], from: usize, over: bool) -> Tail {
    let wraps = wraps(cells);
    let last = &cells[cells.len() - 1];
    let gap = wraps && last.flags.contains(Flags::LEADING_WIDE_CHAR_SPACER);
    let end = if gap {
        cells.len() - 1
    } else if wraps {
        cells.len()
    } else {
        (from..cells.len())
            .rev()
            .find(|&at| !is_blank(cells, at))
            .map_or(from, |at| at + 1)
    };
    for (at, cell) in cells.iter().enumerate().take(end).skip(from) {
        let mut wide = false;
        let mut blank = false;
        if cell.flags.intersects(HALVES) {
            match half(cells, at) {
                Half::Whole => wide = true,
                Half::Spacer => continue,
                Half::Orphan => blank = true,
            }
        }
        ink.pen(style_of(cell));
        let link = cell.extra.is_some().then(|| cell.hyperlink()).flatten();
        ink.link(
            link.map(|link| std::sync::Arc::new(link_of(&link)))
                .as_ref(),
        );
        if blank || cell.c < ' ' {
            ink.character(' ', &[], false);
        } else {
            ink.character(cell.c, cell.zerowidth().unwrap_or_default(), wide);
        }
    }
    if end == cells.len() {
        return Tail::Waits;
    }
    if over {
        ink.plain();
        if gap {
            ink.pen(behind(last));
            ink.raw(b"\x1b[K");
        } else if end == 0 {
            // To erase a line from its start would also undo that it goes on with the one above.
            ink.csi(format_args!("{}X", cells.len()));
        } else {
            ink.raw(b"\x1b[K");
        }
    }
    if gap {
        Tail::Gap(behind(last))
    } else {
        Tail::Short
    }
}

/// Goes to the next row so that the window knows it to go on with this one.
fn wrap(ink: &mut Ink, tail: Tail, cols: usize) {
    ink.plain();
    match tail {
        Tail::Gap(style) => {
            // What a wide character leaves free takes the pen's style, and so does a row that scrolls in.
            ink.pen(style);
            ink.character('\u{3000}', &[], true);
            ink.plain();
            ink.raw(b"\r");
            ink.csi(format_args!("{cols}X"));
        }
        Tail::Waits | Tail::Short => ink.raw(b" \r"),
    }
}

/// The first column in which two rows differ to the eye.
fn differ_from(old: &[Cell], new: &[Cell]) -> Option<usize> {
    let at = old.iter().zip(new).position(|(old, new)| old != new)?;
    let before = at
        .checked_sub(1)
        .filter(|&before| (old[before].flags | new[before].flags).contains(Flags::WIDE_CHAR));
    Some(before.unwrap_or(at))
}

/// Where a wrapped row's last character begins.
fn last_character(cells: &[Cell]) -> usize {
    let last = cells.len() - 1;
    if last > 0
        && matches!(half(cells, last), Half::Spacer)
        && cells[last].flags.contains(Flags::WIDE_CHAR_SPACER)
    {
        last - 1
    } else {
        last
    }
}

fn blank_rows(term: &Term<Events>) -> VecDeque<DrawnRow> {
    let row = DrawnRow {
        cells: vec![Cell::default(); term.columns()],
        continues: false,
    };
    vec![row; term.screen_lines()].into()
}

impl View<'_> {
    /// Draws the rows for a window that shows `drawn`, as [`Screen::draw`] does; the rest can wait.
    pub(crate) fn draw(&self, drawn: &mut Drawn, ink: &mut Ink) -> bool {
        draw_rows(self.term, self.leaving, drawn, ink)
    }
}

/// Draws the rows of the active screen; says whether the window could follow.
///
/// It can't when the rows were laid out anew, or when some left the emulator before they were drawn.
pub(super) fn draw_rows(
    term: &Term<Events>,
    leaving: &Leaving,
    drawn: &mut Drawn,
    ink: &mut Ink,
) -> bool {
    let grid = term.grid();
    let history = grid.history_size();
    let full_screen = term.mode().contains(TermMode::ALT_SCREEN);
    if drawn.layout != leaving.layouts || (!full_screen && drawn.top < leaving.rows) {
        return false;
    }
    let top = if full_screen {
        if drawn.alternate.is_none() {
            ink.plain();
            ink.raw(b"\x1b[?1047h");
            drawn.alternate = Some(blank_rows(term));
            drawn.cursor = None;
        }
        drawn.top
    } else {
        if drawn.alternate.take().is_some() {
            ink.plain();
            ink.raw(b"\x1b[?1047l");
            drawn.cursor = None;
        }
        leaving.rows + history as u64
    };
    let rows = drawn.alternate.as_mut().unwrap_or(&mut drawn.primary);
    let height = rows.len();
    // The row that was painted last, and where that left the cursor.
    let mut painted: Option<(usize, Tail)> = None;
    let before = ink.out.len();
    for number in drawn.top..top + height as u64 {
        let at = number as i64 - top as i64;
        let cells = &grid[Row(at as i32)][..];
        let position = (number - drawn.top) as usize;
        let is_new = position >= height;
        let continues = if position == 0 {
            // Of what is above nothing can change.
            rows[0].continues
        } else {
            at > -(history as i64) && wraps(&grid[Row(at as i32 - 1)][..])
        };
        let mut from = 0;
        if !is_new {
            let old = &rows[position];
            match differ_from(&old.cells, cells) {
                _ if old.continues != continues => {}
                None => continue,
                Some(column) => from = column,
            }
        }
        let line = position.min(height - 1);
        let above = if is_new {
            height - 1
        } else {
            position.wrapping_sub(1)
        };
        let flag_changes = is_new || rows[position].continues != continues;
        if flag_changes && continues {
            let tail = match painted {
                Some((row, tail)) if row == above && tail != Tail::Short => tail,
                _ => {
                    let cells = &rows[above].cells;
                    let last = last_character(cells);
                    ink.goto(above, last);
                    paint(ink, cells, last, true)
                }
            };
            wrap(ink, tail, cells.len());
        } else if is_new {
            ink.plain();
            if !matches!(painted, Some((row, _)) if row == above) {
                ink.goto(above, 0);
            }
            ink.raw(b"\r\n");
        } else {
            ink.goto(line, from);
            if flag_changes {
                ink.plain();
                ink.raw(b"\x1b[K");
            }
        }
        painted = Some((line, paint(ink, cells, from, !is_new)));
        let mut row = if is_new {
            rows.pop_front()
        } else {
            rows.get_mut(position).map(|row| DrawnRow {
                cells: std::mem::take(&mut row.cells),
                continues: false,
            })
        }
        .expect("a screen has rows");
        row.cells.clone_from_slice(cells);
        row.continues = continues;
        if is_new {
            rows.push_back(row);
        } else {
            rows[position] = row;
        }
    }
    if !full_screen {
        drawn.top = top;
    }
    if ink.out.len() > before {
        drawn.cursor = None;
    }
    true
}

/// Prints rows one below the other on an empty screen, from `first` on; what a window shows then.
fn print_rows(
    term: &Term<Events>,
    first: i32,
    mut above: Option<Tail>,
    ink: &mut Ink,
) -> VecDeque<DrawnRow> {
    let grid = term.grid();
    let height = grid.screen_lines();
    let mut rows = VecDeque::with_capacity(height);
    let mut continues = above.is_some();
    for at in first..height as i32 {
        let cells = &grid[Row(at)][..];
        if let Some(tail) = above.filter(|_| continues) {
            wrap(ink, tail, cells.len());
        } else if at > first {
            ink.plain();
            ink.raw(b"\r\n");
        }
        above = Some(paint(ink, cells, 0, false));
        if at >= 0 {
            rows.push_back(DrawnRow {
                cells: cells.to_vec(),
                continues,
            });
        }
        continues = wraps(cells);
    }
    ink.plain();
    rows
}

impl Screen {
    /// Draws what there is now for a window that shows `drawn`; says whether it can follow: else it needs all anew.
    pub(crate) fn draw(&self, drawn: &mut Drawn, ink: &mut Ink) -> bool {
        if !draw_rows(&self.term, &self.leaving, drawn, ink) {
            return false;
        }
        self.draw_manner(drawn, ink);
        true
    }

    /// Draws the grid's rows on an empty screen, but for the first `skipped` of those above the screen. `lead` writes
    /// what comes before them: it gets how many columns there are, and says where it left the cursor when the first row
    /// goes on with that.
    pub(crate) fn draw_all(
        &mut self,
        skipped: usize,
        ink: &mut Ink,
        lead: impl FnOnce(&mut Ink, LeadFor<'_>) -> Option<LeadTail>,
    ) -> Drawn {
        let full_screen = self.full_screen();
        let leaving = &self.leaving;
        let mut primary = None;
        with_primary(&mut self.term, |term| {
            let history = term.grid().history_size();
            let first = skipped as i32 - history as i32;
            let tail = lead(
                ink,
                LeadFor {
                    partial: (skipped == 0).then_some(&leaving.partial),
                    cols: term.columns(),
                    wide_first: term.grid()[Row(first)][..][0]
                        .flags
                        .contains(Flags::WIDE_CHAR),
                },
            );
            let rows = print_rows(
                term,
                first,
                tail.map(|tail| match tail {
                    LeadTail::Waits => Tail::Waits,
                    LeadTail::Gap => Tail::Gap(Style::default()),
                }),
                ink,
            );
            primary = Some((rows, leaving.rows + history as u64));
        });
        let (primary, top) = primary.expect("the primary screen was seen");
        let mut drawn = Drawn {
            layout: leaving.layouts,
            top,
            primary,
            alternate: None,
            cursor: None,
            manner: Manner::default(),
        };
        if full_screen {
            draw_rows(&self.term, &self.leaving, &mut drawn, ink);
        }
        self.draw_manner(&mut drawn, ink);
        drawn
    }

    /// How many rows the primary screen has above it in the emulator.
    pub(crate) fn rows_above(&mut self) -> Vec<bool> {
        let mut ends = Vec::new();
        with_primary(&mut self.term, |term| {
            let grid = term.grid();
            ends = (-(grid.history_size() as i32)..0)
                .map(|at| !wraps(&grid[Row(at)][..]))
                .collect();
        });
        ends
    }

    /// The number of the line that the first row of the primary screen belongs to, while no full-screen program runs.
    pub(crate) fn top_line(&self) -> u64 {
        if self.full_screen() {
            return self.leaving.count;
        }
        let grid = self.term.grid();
        let ended = (-(grid.history_size() as i32)..0)
            .filter(|&at| !wraps(&grid[Row(at)][..]))
            .count();
        self.leaving.count + ended as u64
    }

    fn draw_manner(&self, drawn: &mut Drawn, ink: &mut Ink) {
        let manner = self.manner();
        if manner != drawn.manner {
            ink.plain();
            let Manner(old) = std::mem::take(&mut drawn.manner);
            for (_, undo) in old.iter().filter(|entry| !manner.0.contains(entry)) {
                ink.raw(undo.as_bytes());
            }
            for (set, _) in manner.0.iter().filter(|entry| !old.contains(entry)) {
                ink.raw(set.as_bytes());
            }
            drawn.manner = manner;
        }
        let point = self.term.grid().cursor.point;
        let cursor = (point.line.0.max(0) as usize, point.column.0);
        if drawn.cursor != Some(cursor) || !ink.out.is_empty() {
            ink.plain();
            ink.goto(cursor.0, cursor.1);
            drawn.cursor = Some(cursor);
        }
    }

    /// What a window has to know besides what it shows: how keys and the mouse are reported, the cursor, colours.
    fn manner(&self) -> Manner {
        let mode = *self.term.mode();
        let fresh = TermMode::default();
        let mut manner = Vec::new();
        for (flag, number) in [
            (TermMode::APP_CURSOR, 1),
            (TermMode::FOCUS_IN_OUT, 1004),
            (TermMode::ALTERNATE_SCROLL, 1007),
            (TermMode::BRACKETED_PASTE, 2004),
            (TermMode::SHOW_CURSOR, 25),
        ] {
            if mode.contains(flag) != fresh.contains(flag) {
                let (on, off) = if mode.contains(flag) {
                    ('h', 'l')
                } else {
                    ('l', 'h')
                };
                manner.push((
                    format!("\x1b[?{number}{on}"),
                    format!("\x1b[?{number}{off}"),
                ));
            }
        }
        for number in self.told.mouse.iter().chain(&self.told.mouse_encoding) {
            manner.push((format!("\x1b[?{number}h"), format!("\x1b[?{number}l")));
        }
        if mode.contains(TermMode::APP_KEYPAD) {
            manner.push(("\x1b=".into(), "\x1b>".into()));
        }
        let flags = self.told.keys.flags(self.full_screen());
        if flags != 0 {
            manner.push((format!("\x1b[={flags};1u"), "\x1b[=0;1u".into()));
        }
        let level = self.told.keys.other;
        if level != 0 {
            manner.push((format!("\x1b[>4;{level}m"), "\x1b[>4m".into()));
        }
        if self.images.any() {
            manner.push((IMAGES.into(), String::new()));
        }
        if self.told.shaped {
            let CursorStyle { shape, blinking } = self.term.cursor_style();
            let steady = match shape {
                CursorShape::Underline => 4,
                CursorShape::Beam => 6,
                CursorShape::Block | CursorShape::HollowBlock | CursorShape::Hidden => 2,
            };
            let shape = if blinking { steady - 1 } else { steady };
            manner.push((format!("\x1b[{shape} q"), "\x1b[0 q".into()));
        }
        let colors = self.term.colors();
        for index in 0..259 {
            let Some(Rgb { r, g, b }) = colors[index] else {
                continue;
            };
            let (mut set, mut undo) = (String::new(), String::new());
            // Writing to a string does not fail.
            let _ = match index {
                0..256 => write!(set, "\x1b]4;{index};").and(write!(undo, "\x1b]104;{index}\x07")),
                _ => write!(set, "\x1b]{};", index - 246).and(write!(
                    undo,
                    "\x1b]{}\x07",
                    index - 146
                )),
            };
            let _ = write!(set, "rgb:{r:02x}/{g:02x}/{b:02x}\x07");
            manner.push((set, undo));
        }
        Manner(manner)
    }
}

/// What the lead of a drawing is given.
pub(crate) struct LeadFor<'a> {
    /// The beginning of the first row's line, if that is in no row any more; it may be empty.
    pub(crate) partial: Option<&'a StyledLine>,
    /// How many columns there are.
    pub(crate) cols: usize,
    /// The first row begins with a wide character.
    pub(crate) wide_first: bool,
}

/// Where a lead that the first row goes on with left the cursor.
pub(crate) enum LeadTail {
    /// Behind the last column.
    Waits,
    /// On the last column, which stays free.
    Gap,
}
