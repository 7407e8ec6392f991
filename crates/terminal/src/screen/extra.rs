//! What the emulator does not do, and terminals do: see [`Control`].

use alacritty_terminal::event::{Event, EventListener as _};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line as Row, Point};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, CursorShape, Handler as _, Mode, NamedMode, NamedPrivateMode, PrivateMode,
    StandardCharset,
};

use super::cells::style_of;
use super::intake::Intake;
use super::{Colours, Sink};
use crate::control::Control;
use crate::ink::sgr;
use crate::types::CellSize;

/// A cell that a selective erase keeps; the emulator has no such flag, and keeps this one for us.
pub(super) const PROTECTED: Flags = Flags::from_bits_retain(1 << 15);

impl Colours {
    /// Whether text is lighter than what is behind it.
    pub(super) fn is_dark(&self) -> bool {
        let light =
            |(r, g, b): (u8, u8, u8)| u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114;
        light(self.background) < light(self.foreground)
    }

    /// What a program is told that asked for it (mode 2031), or asks (`CSI ? 996 n`).
    pub(super) fn report(&self) -> String {
        format!("\x1b[?997;{}n", if self.is_dark() { 1 } else { 2 })
    }
}

impl<S: Sink> Intake<'_, S> {
    /// Answers what the program asked, behind all that it was answered before.
    pub(super) fn answer(&self, text: String) {
        self.events.send_event(Event::PtyWrite(text));
    }

    pub(super) fn control(&mut self, control: Control, (theme, cell): (Colours, CellSize)) {
        match control {
            Control::SoftReset => self.soft_reset(),
            Control::Protect(on) => {
                self.told.protects = on;
                self.protect();
            }
            Control::SelectiveEraseInDisplay(what) => self.erase_in_display(what),
            Control::SelectiveEraseInLine(what) => {
                let row = self.term.grid().cursor.point.line;
                self.erase_in_row(row, what);
            }
            Control::InsertColumns(count) => self.shift(None, count, true),
            Control::DeleteColumns(count) => self.shift(None, count, false),
            Control::ShiftRight(count) => self.shift(Some(0), count, true),
            Control::ShiftLeft(count) => self.shift(Some(0), count, false),
            Control::AskVersion => self.answer(format!(
                "\x1bP>|Switchyard({})\x1b\\",
                env!("CARGO_PKG_VERSION")
            )),
            Control::AskUnit => self.answer("\x1bP!|00000000\x1b\\".into()),
            Control::AskCursor => {
                let Point { line, column } = self.term.grid().cursor.point;
                let first = if self.term.mode().contains(TermMode::ORIGIN) {
                    self.margins().0
                } else {
                    0
                };
                self.answer(format!("\x1b[?{};{}R", line.0 - first + 1, column.0 + 1));
            }
            Control::AskScreenPixels => {
                let (rows, columns) = (self.term.screen_lines(), self.term.columns());
                let height = rows * usize::from(cell.height);
                let width = columns * usize::from(cell.width);
                self.answer(format!("\x1b[5;{height};{width}t"));
            }
            Control::AskWindow(what) => {
                let (rows, columns) = (self.term.screen_lines(), self.term.columns());
                self.answer(match what {
                    11 => "\x1b[1t".into(),
                    13 => "\x1b[3;0;0t".into(),
                    _ => format!("\x1b[9;{rows};{columns}t"),
                });
            }
            Control::AskDevice(device) => self.answer(device.answer()),
            Control::ForwardIndex => {
                if self.term.grid().cursor.point.column.0 + 1 < self.term.columns() {
                    self.term.move_forward(1);
                } else {
                    self.shift(Some(0), 1, false);
                }
            }
            Control::BackIndex => {
                if self.term.grid().cursor.point.column.0 > 0 {
                    self.term.move_backward(1);
                } else {
                    self.shift(Some(0), 1, true);
                }
            }
            Control::Fill(with, area) => self.fill(with, area),
            Control::Erase(area) => self.erase_area(area, false),
            Control::SelectiveErase(area) => self.erase_area(area, true),
            Control::Copy(area, to) => self.copy(area, to),
            Control::ChangeAttributes(area, what) => self.change_attributes(area, what),
            Control::Rectangles(on) => self.told.rectangles = on,
            Control::AskTheme => self.answer(theme.report()),
            Control::AskCellSize => self.answer(format!("\x1b[6;{};{}t", cell.height, cell.width)),
        }
    }

    /// Keeps what is written now from selective erases, or no longer.
    pub(super) fn protect(&mut self) {
        let protects = self.told.protects;
        let pen = &mut self.term.grid_mut().cursor.template;
        pen.flags.set(PROTECTED, protects);
    }

    fn soft_reset(&mut self) {
        let point = self.term.grid().cursor.point;
        self.told.region = None;
        self.told.protects = false;
        self.told.rectangles = false;
        self.term.set_scrolling_region(1, None);
        self.term.unset_mode(Mode::Named(NamedMode::Insert));
        for mode in [NamedPrivateMode::Origin, NamedPrivateMode::CursorKeys] {
            self.term.unset_private_mode(PrivateMode::Named(mode));
        }
        for mode in [NamedPrivateMode::LineWrap, NamedPrivateMode::ShowCursor] {
            self.term.set_private_mode(PrivateMode::Named(mode));
        }
        self.term.unset_keypad_application_mode();
        self.term.terminal_attribute(Attr::Reset);
        for index in [
            CharsetIndex::G0,
            CharsetIndex::G1,
            CharsetIndex::G2,
            CharsetIndex::G3,
        ] {
            self.term.configure_charset(index, StandardCharset::Ascii);
        }
        self.set_active_charset(CharsetIndex::G0);
        let grid = self.term.grid_mut();
        grid.cursor.point = point;
        grid.saved_cursor = Default::default();
        self.told.saved = Default::default();
    }

    fn erase_in_display(&mut self, what: u16) {
        let row = self.term.grid().cursor.point.line.0;
        let rows = self.term.screen_lines() as i32;
        let (from, to) = match what {
            0 => (row, rows),
            1 => (0, row + 1),
            2 => (0, rows),
            _ => return,
        };
        for other in from..to {
            let what = if other == row { what } else { 2 };
            self.erase_in_row(Row(other), what);
        }
    }

    /// Erases what is not protected: from the cursor on (0), up to it (1), or all (2).
    fn erase_in_row(&mut self, row: Row, what: u16) {
        let cursor = &self.term.grid().cursor;
        let (column, bg) = (cursor.point.column.0, cursor.template.bg);
        let columns = self.term.columns();
        let range = match what {
            0 => column..columns,
            1 => 0..column + 1,
            2 => 0..columns,
            _ => return,
        };
        for cell in &mut self.term.grid_mut()[row][Column(range.start)..Column(range.end)] {
            if !cell.flags.contains(PROTECTED) {
                *cell = Cell::from(bg);
            }
        }
    }

    /// Moves columns of the scroll region right or left, from a column on: the cursor's, when none is given.
    fn shift(&mut self, from: Option<usize>, count: u16, right: bool) {
        let (first, last) = self.margins();
        let cursor = &self.term.grid().cursor;
        let (point, bg) = (cursor.point, cursor.template.bg);
        if !(first..=last).contains(&point.line.0) {
            return;
        }
        let from = from.unwrap_or(point.column.0);
        let columns = self.term.columns();
        let count = usize::from(count).min(columns - from);
        let grid = self.term.grid_mut();
        for row in first..=last {
            let cells = &mut grid[Row(row)][Column(0)..Column(columns)];
            cells[columns - 1].flags.remove(Flags::WRAPLINE);
            let cells = &mut cells[from..];
            let free = if right {
                cells.rotate_right(count);
                &mut cells[..count]
            } else {
                cells.rotate_left(count);
                let kept = cells.len() - count;
                &mut cells[kept..]
            };
            free.fill(Cell::from(bg));
        }
        grid.cursor.input_needs_wrap = false;
    }

    /// Answers a question that came as a string: DECRQSS about what is set, XTGETTCAP about what there is.
    pub(super) fn question(&mut self, question: &[u8]) {
        match question.split_at_checked(2) {
            Some((b"$q", about)) => {
                let answer = self.setting(about);
                let known = u8::from(answer.is_some());
                let answer = answer.unwrap_or_default();
                self.answer(format!("\x1bP{known}$r{answer}\x1b\\"));
            }
            Some((b"+q", names)) => {
                for name in names.split(|byte| *byte == b';') {
                    let Ok(hex) = std::str::from_utf8(name) else {
                        continue;
                    };
                    let answer = match capability(hex) {
                        Some("") => format!("\x1bP1+r{hex}\x1b\\"),
                        Some(value) => format!("\x1bP1+r{hex}={}\x1b\\", in_hex(value)),
                        None => "\x1bP0+r\x1b\\".into(),
                    };
                    self.answer(answer);
                }
            }
            _ => {}
        }
    }

    fn setting(&self, about: &[u8]) -> Option<String> {
        Some(match about {
            b"m" => {
                let style = style_of(&self.term.grid().cursor.template);
                format!("{}m", sgr(style))
            }
            b"r" => {
                let (first, last) = self.margins();
                format!("{};{}r", first + 1, last + 1)
            }
            b" q" => {
                let style = self.term.cursor_style();
                let steady = match style.shape {
                    CursorShape::Underline => 4,
                    CursorShape::Beam => 6,
                    _ => 2,
                };
                format!("{} q", steady - u8::from(style.blinking))
            }
            b"\"q" => format!("{}\"q", u8::from(self.told.protects)),
            b"\"p" => "62;1\"p".into(),
            _ => return None,
        })
    }
}

/// What a capability of terminfo is here, by its name in hexadecimal; nothing more to say of one that is there or not.
fn capability(hex: &str) -> Option<&'static str> {
    let known = [
        ("TN", "xterm-256color"),
        ("name", "xterm-256color"),
        ("Co", "256"),
        ("colors", "256"),
        ("RGB", "8/8/8"),
        // What editors and multiplexers look for beyond terminfo's own entry: colours of 24 bits, underlines in styles
        // and colours, the cursor's shape, the clipboard, synchronized updates.
        ("Tc", ""),
        ("Su", ""),
        ("Smulx", "\x1b[4:%p1%dm"),
        (
            "Setulc",
            "\x1b[58:2::%p1%{65536}%/%d:%p1%{256}%/%{255}%&%d:%p1%{255}%&%dm",
        ),
        ("Ss", "\x1b[%p1%d q"),
        ("Se", "\x1b[0 q"),
        ("Ms", "\x1b]52;%p1%s;%p2%s\x07"),
        ("Sync", "\x1b[?2026%?%p1%{1}%-%tl%eh%;"),
    ];
    known
        .iter()
        .find(|(name, _)| in_hex(name).eq_ignore_ascii_case(hex))
        .map(|(_, value)| *value)
}

fn in_hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}
