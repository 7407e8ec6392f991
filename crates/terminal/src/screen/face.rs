//! What is on a screen, written down as a person or a program would tell it apart: for comparisons.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Line as Row;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Term, TermMode};
use serde::{Deserialize, Serialize};

use super::cells::{HALVES, Half, half, style_of, wraps};
use super::leaving::with_primary;
use super::{Events, Screen};
use crate::styled::{Color, Style};

/// A screen as text: each row begins with `+` when it goes on with the one above, a change of style is in braces, and
/// `»` follows what is two cells wide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Face {
    /// The rows above the screen that the emulator holds.
    pub above: Vec<String>,
    /// The rows on screen.
    pub screen: Vec<String>,
    /// The cursor's row and column, from 0.
    pub cursor: (usize, usize),
    /// A full-screen program has the screen.
    pub full_screen: bool,
    /// Application cursor keys, application keypad, bracketed paste, focus reports, mouse reports, the flags of the kitty
    /// keyboard protocol, the level of modifyOtherKeys.
    pub modes: String,
}

fn color(color: Color) -> String {
    match color {
        Color::Default => "-".into(),
        Color::Indexed(index) => index.to_string(),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
    }
}

fn look(style: Style) -> String {
    const UNDERLINES: u16 = Style::UNDERLINE
        | Style::DOUBLE_UNDERLINE
        | Style::UNDERCURL
        | Style::DOTTED_UNDERLINE
        | Style::DASHED_UNDERLINE;
    let flags: String = [
        (Style::BOLD, 'b'),
        (Style::DIM, 'd'),
        (Style::ITALIC, 'i'),
        (Style::INVERSE, 'r'),
        (Style::HIDDEN, 'h'),
        (Style::STRIKE, 's'),
        (UNDERLINES, 'u'),
    ]
    .into_iter()
    .filter(|(flag, _)| style.flags & flag != 0)
    .map(|(_, name)| name)
    .collect();
    format!("{}/{}/{flags}", color(style.fg), color(style.bg))
}

fn row(cells: &[Cell], continues: bool) -> String {
    let mut text = String::from(if continues { "+" } else { " " });
    let mut kept = text.len();
    let plain = look(Style::default());
    let mut now = plain.clone();
    for (at, cell) in cells.iter().enumerate() {
        let halves = cell.flags.intersects(HALVES).then(|| half(cells, at));
        let blank = match halves {
            Some(Half::Spacer) if cell.flags.contains(Flags::WIDE_CHAR_SPACER) => continue,
            Some(Half::Spacer | Half::Orphan) => true,
            Some(Half::Whole) | None => false,
        };
        let mut style = style_of(cell);
        if matches!(halves, Some(Half::Spacer)) {
            // Nothing was written there: it has a colour behind it, at most.
            style = Style {
                bg: style.bg,
                ..Style::default()
            };
        } else if cell.hyperlink().is_some() {
            // A window underlines it.
            style.flags |= Style::UNDERLINE;
        }
        let style = look(style);
        if style != now {
            text.push_str(&format!("{{{style}}}"));
            now.clone_from(&style);
        }
        if blank || cell.c == '\t' {
            text.push(' ');
        } else {
            text.push(cell.c);
            text.extend(cell.zerowidth().unwrap_or_default());
        }
        if matches!(halves, Some(Half::Whole)) {
            text.push('»');
        }
        if style != plain || !text.ends_with(' ') {
            kept = text.len();
        }
    }
    text.truncate(kept);
    text
}

fn rows(term: &Term<Events>) -> Vec<String> {
    let grid = term.grid();
    let top = -(grid.history_size() as i32);
    let mut continues = false;
    (top..grid.screen_lines() as i32)
        .map(|at| {
            let cells = &grid[Row(at)];
            row(&cells[..], std::mem::replace(&mut continues, wraps(cells)))
        })
        .collect()
}

impl Screen {
    /// What is on screen, and above it, as text.
    pub(crate) fn face(&mut self) -> Face {
        let mode = *self.term.mode();
        let mut screen = rows(&self.term);
        let mut above = Vec::new();
        let lines = usize::from(self.size.rows);
        with_primary(&mut self.term, |term| above = rows(term));
        above.truncate(above.len() - lines);
        screen.drain(..screen.len() - lines);
        let point = self.term.grid().cursor.point;
        let mouse = match self.told.mouse {
            Some(9) => "x10",
            Some(1000) => "vt200",
            Some(1002) => "drag",
            Some(1003) => "any",
            _ => "none",
        };
        Face {
            above,
            screen,
            cursor: (point.line.0.max(0) as usize, point.column.0),
            full_screen: self.full_screen(),
            modes: format!(
                "{},{},{},{},{mouse},{},{}",
                mode.contains(TermMode::APP_CURSOR),
                mode.contains(TermMode::APP_KEYPAD),
                mode.contains(TermMode::BRACKETED_PASTE),
                mode.contains(TermMode::FOCUS_IN_OUT),
                self.told.keys.flags(self.full_screen()),
                self.told.keys.other,
            ),
        }
    }
}
