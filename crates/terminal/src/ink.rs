//! Escape sequences as a window is sent them: the few that every terminal reads the same.
//!
//! A window lays nothing out for itself. Positions are absolute, styles are said in full, and where a character does
//! not take one cell, [`Layout`] says before it how many it takes: a window needs no table of widths of its own.

use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;

use unicode_width::UnicodeWidthChar as _;

use crate::styled::{Color, Link, Style, StyledLine};

/// How many cells the characters take that follow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Each takes one.
    #[default]
    Narrow,
    /// Each takes two.
    Wide,
    /// Together they take one.
    NarrowTogether,
    /// Together they take two.
    WideTogether,
}

/// Writes escape sequences into memory, which does not fail.
#[derive(Debug, Default)]
pub(crate) struct Ink {
    pub(crate) out: Vec<u8>,
    style: Style,
    link: Option<Arc<Link>>,
    layout: Layout,
}

impl Ink {
    /// Writes `bytes` as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// A control sequence, from its first parameter on.
    pub(crate) fn csi(&mut self, rest: std::fmt::Arguments<'_>) {
        let _ = write!(self.out, "\x1b[{rest}");
    }

    /// Puts the cursor there; both from 0.
    pub(crate) fn goto(&mut self, row: usize, column: usize) {
        self.csi(format_args!("{};{}H", row + 1, column + 1));
    }

    /// Nothing that was said before matters for what follows.
    pub(crate) fn plain(&mut self) {
        self.pen(Style::default());
        self.link(None);
        self.layout(Layout::Narrow);
    }

    fn layout(&mut self, layout: Layout) {
        let together = matches!(layout, Layout::NarrowTogether | Layout::WideTogether);
        if self.layout != layout || together {
            self.layout = layout;
            self.csi(format_args!("={}w", layout as u8));
        }
    }

    /// A character with what is joined to it, in two cells or in one.
    pub(crate) fn character(&mut self, first: char, joined: &[char], wide: bool) {
        self.layout(match (joined.is_empty(), wide) {
            (true, false) => Layout::Narrow,
            (true, true) => Layout::Wide,
            (false, false) => Layout::NarrowTogether,
            (false, true) => Layout::WideTogether,
        });
        let mut utf8 = [0; 4];
        self.raw(first.encode_utf8(&mut utf8).as_bytes());
        for char in joined {
            self.raw(char.encode_utf8(&mut utf8).as_bytes());
        }
    }

    /// A line in its styles and with its links; it wraps where it does.
    pub(crate) fn line(&mut self, line: &StyledLine) {
        let mut at = 0;
        for run in &line.links {
            let (start, end) = (run.start as usize, run.end as usize);
            self.link(None);
            self.styled(line, at..start);
            self.link(Some(&run.link));
            self.styled(line, start..end);
            at = end;
        }
        self.link(None);
        self.styled(line, at..line.text.len());
    }

    fn styled(&mut self, line: &StyledLine, range: Range<usize>) {
        let first = line
            .runs
            .partition_point(|run| run.start as usize <= range.start);
        let mut style = match first.checked_sub(1) {
            Some(before) => line.runs[before].style,
            None => Style::default(),
        };
        let mut from = range.start;
        for run in &line.runs[first..] {
            let start = (run.start as usize).min(range.end);
            if start > from {
                self.pen(style);
                self.text(&line.text[from..start]);
                from = start;
            }
            if start == range.end {
                return;
            }
            style = run.style;
        }
        if from < range.end {
            self.pen(style);
            self.text(&line.text[from..range.end]);
        }
    }

    /// Text that is no longer in cells, as the screen laid it out.
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            // Most of all text.
            let ascii = rest
                .bytes()
                .position(|byte| !byte.is_ascii())
                .unwrap_or(rest.len());
            // Something may be joined to the last of them.
            let sure = if ascii == rest.len() {
                ascii
            } else {
                ascii.saturating_sub(1)
            };
            if sure > 0 {
                self.layout(Layout::Narrow);
                self.raw(&rest.as_bytes()[..sure]);
                rest = &rest[sure..];
            }
            let mut chars = rest.chars();
            let Some(first) = chars.next() else { return };
            let joined: Vec<char> = chars.take_while(|char| char.width() == Some(0)).collect();
            self.character(first, &joined, first.width() == Some(2));
            let length =
                first.len_utf8() + joined.iter().map(|char| char.len_utf8()).sum::<usize>();
            rest = &rest[length..];
        }
    }

    /// Begins a link, or ends the one that was begun.
    pub(crate) fn link(&mut self, link: Option<&Arc<Link>>) {
        if self.link.as_ref() == link {
            return;
        }
        self.link = link.cloned();
        let _ = match link {
            Some(link) => write!(self.out, "\x1b]8;id={};{}\x1b\\", link.id, link.target),
            None => write!(self.out, "\x1b]8;;\x1b\\"),
        };
    }

    /// Takes a style, said in full.
    pub(crate) fn pen(&mut self, style: Style) {
        if self.style == style {
            return;
        }
        self.style = style;
        let sgr = sgr(style);
        self.csi(format_args!(
            "{}m",
            if sgr == "0" { "" } else { sgr.as_str() }
        ));
    }
}

/// The parameters of SGR that say a style in full.
pub(crate) fn sgr(style: Style) -> String {
    let mut sgr = String::from("0");
    for (flag, code) in [
        (Style::BOLD, "1"),
        (Style::DIM, "2"),
        (Style::ITALIC, "3"),
        (Style::UNDERLINE, "4"),
        (Style::DOUBLE_UNDERLINE, "4:2"),
        (Style::UNDERCURL, "4:3"),
        (Style::DOTTED_UNDERLINE, "4:4"),
        (Style::DASHED_UNDERLINE, "4:5"),
        (Style::INVERSE, "7"),
        (Style::HIDDEN, "8"),
        (Style::STRIKE, "9"),
    ] {
        if style.flags & flag != 0 {
            sgr.push(';');
            sgr.push_str(code);
        }
    }
    push_color(&mut sgr, style.fg, 30);
    push_color(&mut sgr, style.bg, 40);
    match style.underline {
        Color::Default => {}
        Color::Indexed(index) => sgr.push_str(&format!(";58:5:{index}")),
        Color::Rgb(r, g, b) => sgr.push_str(&format!(";58:2::{r}:{g}:{b}")),
    }
    sgr
}

/// `base` is 30 for the foreground, 40 for the background.
fn push_color(sgr: &mut String, color: Color, base: u16) {
    match color {
        Color::Default => {}
        Color::Indexed(index @ 0..8) => sgr.push_str(&format!(";{}", base + u16::from(index))),
        Color::Indexed(index @ 8..16) => {
            sgr.push_str(&format!(";{}", base + 60 + u16::from(index) - 8));
        }
        Color::Indexed(index) => sgr.push_str(&format!(";{};5;{index}", base + 8)),
        Color::Rgb(r, g, b) => sgr.push_str(&format!(";{};2;{r};{g};{b}", base + 8)),
    }
}

/// How many cells of its last row a line takes on a screen of `cols` columns, where it wraps by itself.
pub(crate) fn cells_in_last_row(text: &str, cols: usize) -> usize {
    let mut column = 0;
    for char in text.chars() {
        let width = char.width().unwrap_or(0);
        if width > 0 && column + width > cols {
            column = 0;
        }
        column += width;
    }
    column
}
