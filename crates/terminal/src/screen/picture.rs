//! The picture: all that a snapshot has to say again, in words that are not the emulator's.

use std::sync::Arc;

use alacritty_terminal::grid::{Cursor, Dimensions};
use alacritty_terminal::index::{Column, Line as Row};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Term, TermMode};
use alacritty_terminal::vte::ansi::{CharsetIndex, CursorShape, CursorStyle, Rgb, StandardCharset};

use super::cells::{append_row, link_of, style_of, wraps};
use super::intake::default_tabs;
use super::leaving::with_primary;
use super::{Events, Screen};
use crate::styled::{Link, Style, StyledLine};
use crate::types::PaneSize;

/// All that a snapshot has to say again, in words that are not the emulator's.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    pub(crate) size: PaneSize,
    /// The beginning of the first line in the grid, when it has been taken out already.
    pub(crate) partial: StyledLine,
    /// The rows after `partial` begin at the first column when it is printed before them.
    pub(crate) aligned: bool,
    /// How many of the primary screen's rows are above the screen.
    pub(crate) history: usize,
    pub(crate) primary: HalfPicture,
    /// The full-screen program's screen, when there is one.
    pub(crate) alternate: Option<HalfPicture>,
    /// The tab stops, when they are not the usual ones.
    pub(crate) tabs: Option<Vec<bool>>,
    /// The scroll region, first and last row from 1.
    pub(crate) region: Option<(usize, usize)>,
    /// Which character set is in use, 0 to 3.
    pub(crate) charset: usize,
    pub(crate) title: String,
    pub(crate) origin: bool,
    pub(crate) modes: Vec<(ModeKind, u16, bool)>,
    /// The parameter of DECSCUSR.
    pub(crate) cursor_shape: Option<u8>,
    /// Changed colours of the palette; 256 and on: foreground, background, cursor.
    pub(crate) colors: Vec<(usize, (u8, u8, u8))>,
}

/// How a mode is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModeKind {
    /// `CSI ? n h`.
    Private,
    /// `CSI n h`.
    Ansi,
    /// `ESC =`.
    Keypad,
}

/// One of the two screens: its rows, and its cursors.
#[derive(Debug, Default)]
pub(crate) struct HalfPicture {
    /// The rows, the history's first; the text of a row that wraps is as wide as the screen.
    pub(crate) rows: Vec<PictureRow>,
    pub(crate) cursor: PictureCursor,
    pub(crate) saved: PictureCursor,
}

/// One row of a screen.
#[derive(Debug, Default)]
pub(crate) struct PictureRow {
    pub(crate) line: StyledLine,
    /// It goes on in the next row.
    pub(crate) wraps: bool,
    /// Its last column is free because a wide character did not fit.
    pub(crate) gap: bool,
    /// It begins with a wide character.
    pub(crate) wide_first: bool,
}

/// A cursor, with all that printing at it depends on.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct PictureCursor {
    /// From 0.
    pub(crate) row: usize,
    /// From 0.
    pub(crate) column: usize,
    /// It waits to wrap: the column and the content of the cell that it stands on.
    pub(crate) pending: Option<(usize, StyledLine)>,
    pub(crate) pen: Style,
    /// The link that is being written.
    pub(crate) link: Option<Arc<Link>>,
    /// Which of the four character sets draw lines.
    pub(crate) drawing: [bool; 4],
}

fn half_picture(term: &Term<Events>) -> HalfPicture {
    let grid = term.grid();
    let top = -(grid.history_size() as i32);
    let rows = (top..grid.screen_lines() as i32)
        .map(|row| {
            let row = &grid[Row(row)];
            let wraps = wraps(row);
            let mut line = StyledLine::default();
            append_row(&mut line, &row[..], wraps);
            let flags = |column: usize| row[Column(column)].flags;
            PictureRow {
                line,
                wraps,
                gap: flags(row.len() - 1).contains(Flags::LEADING_WIDE_CHAR_SPACER),
                wide_first: flags(0).contains(Flags::WIDE_CHAR)
                    && flags(1).contains(Flags::WIDE_CHAR_SPACER),
            }
        })
        .collect();
    let cursor = |cursor: &Cursor<Cell>| {
        let row = &grid[cursor.point.line];
        let column = cursor.point.column.0;
        // Printing the cell again would undo that its row wraps, which is seen more often than a saved cursor.
        let pending = (cursor.input_needs_wrap && !wraps(row)).then(|| {
            let wide = row[Column(column)].flags.contains(Flags::WIDE_CHAR_SPACER) && column > 0;
            let from = if wide { column - 1 } else { column };
            let mut line = StyledLine::default();
            append_row(&mut line, &row[..][from..], true);
            (from, line)
        });
        PictureCursor {
            row: cursor.point.line.0.max(0) as usize,
            column,
            pending,
            pen: style_of(&cursor.template),
            link: cursor
                .template
                .hyperlink()
                .map(|link| Arc::new(link_of(&link))),
            drawing: CHARSETS.map(|index| {
                cursor.charsets[index] == StandardCharset::SpecialCharacterAndLineDrawing
            }),
        }
    };
    HalfPicture {
        rows,
        cursor: cursor(&grid.cursor),
        saved: cursor(&grid.saved_cursor),
    }
}

const CHARSETS: [CharsetIndex; 4] = [
    CharsetIndex::G0,
    CharsetIndex::G1,
    CharsetIndex::G2,
    CharsetIndex::G3,
];

impl Screen {
    /// All that a snapshot has to say again.
    pub(crate) fn picture(&mut self) -> Picture {
        let mode = *self.term.mode();
        let mut primary = None;
        let history = {
            let mut rows = 0;
            with_primary(&mut self.term, |term| {
                rows = term.grid().history_size();
                primary = Some(half_picture(term));
            });
            rows
        };
        let alternate = self.full_screen().then(|| half_picture(&self.term));
        let colors = self.term.colors();
        Picture {
            size: self.size,
            partial: self.leaving.partial.clone(),
            aligned: self.leaving.partial.text.is_empty()
                || self.leaving.width == usize::from(self.size.cols),
            history,
            primary: primary.unwrap_or_default(),
            alternate,
            tabs: (self.told.tabs != default_tabs(0, self.told.tabs.len()))
                .then(|| self.told.tabs.clone()),
            region: self.told.region,
            charset: self.told.charset as usize,
            title: self.told.title.clone(),
            origin: mode.contains(TermMode::ORIGIN),
            modes: self.modes(),
            cursor_shape: self.cursor_shape(),
            colors: (0..269)
                .filter_map(|index| colors[index].map(|Rgb { r, g, b }| (index, (r, g, b))))
                .collect(),
        }
    }

    /// The modes that differ from those after a reset, in an order in which they can be set: `?7` as -7.
    fn modes(&self) -> Vec<(ModeKind, u16, bool)> {
        let mode = *self.term.mode();
        let fresh = TermMode::default();
        let mut modes: Vec<(ModeKind, u16, bool)> = Vec::new();
        for (flag, kind, number) in [
            (TermMode::APP_CURSOR, ModeKind::Private, 1),
            (TermMode::MOUSE_REPORT_CLICK, ModeKind::Private, 1000),
            (TermMode::MOUSE_DRAG, ModeKind::Private, 1002),
            (TermMode::MOUSE_MOTION, ModeKind::Private, 1003),
            (TermMode::FOCUS_IN_OUT, ModeKind::Private, 1004),
            (TermMode::UTF8_MOUSE, ModeKind::Private, 1005),
            (TermMode::SGR_MOUSE, ModeKind::Private, 1006),
            (TermMode::ALTERNATE_SCROLL, ModeKind::Private, 1007),
            (TermMode::URGENCY_HINTS, ModeKind::Private, 1042),
            (TermMode::BRACKETED_PASTE, ModeKind::Private, 2004),
            (TermMode::APP_KEYPAD, ModeKind::Keypad, 0),
            (TermMode::LINE_FEED_NEW_LINE, ModeKind::Ansi, 20),
            (TermMode::INSERT, ModeKind::Ansi, 4),
            (TermMode::LINE_WRAP, ModeKind::Private, 7),
            (TermMode::SHOW_CURSOR, ModeKind::Private, 25),
        ] {
            if mode.contains(flag) != fresh.contains(flag) {
                modes.push((kind, number, mode.contains(flag)));
            }
        }
        for number in &self.told.other_modes {
            modes.push((ModeKind::Private, *number, true));
        }
        modes
    }

    /// The parameter of DECSCUSR, when the program chose a shape.
    fn cursor_shape(&self) -> Option<u8> {
        let CursorStyle { shape, blinking } = self.term.cursor_style();
        if !self.told.shaped {
            return None;
        }
        let steady = match shape {
            CursorShape::Underline => 4,
            CursorShape::Beam => 6,
            CursorShape::Block | CursorShape::HollowBlock | CursorShape::Hidden => 2,
        };
        Some(if blinking { steady - 1 } else { steady })
    }
}
