//! Cells as text: rows of the emulator's grid become styled lines.

use std::sync::Arc;

use alacritty_terminal::grid::{Dimensions, Row as GridRow};
use alacritty_terminal::index::Line as Row;
use alacritty_terminal::term::Term;
use alacritty_terminal::term::cell::{Cell, Flags, Hyperlink};
use alacritty_terminal::vte::ansi::{Color as AnsiColor, NamedColor, Rgb};

use super::Events;
use super::tiles::image_of;
use crate::styled::{Color, Link, LinkRun, Style, StyleRun, StyledLine};

/// Whether the row goes on in the next one.
pub(super) fn wraps(row: &GridRow<Cell>) -> bool {
    row.last()
        .is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE))
}

/// Appends a row's text and styles to `line`; `whole`: with its trailing blanks, because the line goes on.
pub(super) fn append_row(line: &mut StyledLine, cells: &[Cell], whole: bool) {
    let end = if whole {
        cells.len()
    } else {
        (0..cells.len())
            .rev()
            .find(|&at| !is_blank(cells, at) && image_of(&cells[at]).is_none())
            .map_or(0, |at| at + 1)
    };
    let mut style = line
        .runs
        .last()
        .map_or_else(Style::default, |run| run.style);
    for (at, cell) in cells[..end].iter().enumerate() {
        if cell.flags.intersects(HALVES) {
            match half(cells, at) {
                Half::Whole => {}
                // The other half has been said, or comes in the next row.
                Half::Spacer => continue,
                Half::Orphan => {
                    set_style(line, &mut style, style_of(cell));
                    line.text.push(' ');
                    continue;
                }
            }
        }
        if image_of(cell).is_some() {
            set_style(line, &mut style, Style::default());
            line.text.push(' ');
            continue;
        }
        set_style(line, &mut style, style_of(cell));
        let start = line.text.len() as u32;
        line.text.push(if cell.c == '\t' { ' ' } else { cell.c });
        if cell.extra.is_some() {
            line.text.extend(cell.zerowidth().unwrap_or_default());
            if let Some(link) = cell.hyperlink() {
                set_link(line, start, &link);
            }
        }
    }
}

/// Makes the text from `start` on part of a link.
fn set_link(line: &mut StyledLine, start: u32, link: &Hyperlink) {
    let end = line.text.len() as u32;
    match line.links.last_mut() {
        Some(last) if last.end == start && is_same(&last.link, link) => last.end = end,
        _ => line.links.push(LinkRun {
            start,
            end,
            link: Arc::new(link_of(link)),
        }),
    }
}

fn is_same(ours: &Link, theirs: &Hyperlink) -> bool {
    ours.id == theirs.id() && ours.target == theirs.uri()
}

/// A link in our words.
pub(super) fn link_of(link: &Hyperlink) -> Link {
    Link {
        id: link.id().to_owned(),
        target: link.uri().to_owned(),
    }
}

pub(super) fn set_style(line: &mut StyledLine, style: &mut Style, new: Style) {
    if *style != new {
        *style = new;
        let start = line.text.len() as u32;
        if let Some(last) = line.runs.last_mut()
            && last.start == start
        {
            last.style = new;
        } else {
            line.runs.push(StyleRun { start, style: new });
        }
    }
}

/// Cells that are part of something wider.
pub(super) const HALVES: Flags = Flags::WIDE_CHAR
    .union(Flags::WIDE_CHAR_SPACER)
    .union(Flags::LEADING_WIDE_CHAR_SPACER);

/// What a cell with one of [`HALVES`] is.
pub(super) enum Half {
    /// A wide character, with its other half.
    Whole,
    /// The place that a wide character takes beside it, or left free before a line's end.
    Spacer,
    /// What editing left of a wide character: a blank.
    Orphan,
}

pub(super) fn half(cells: &[Cell], at: usize) -> Half {
    let flags = cells[at].flags;
    if flags.contains(Flags::WIDE_CHAR) {
        match cells.get(at + 1) {
            Some(next) if next.flags.contains(Flags::WIDE_CHAR_SPACER) => Half::Whole,
            _ => Half::Orphan,
        }
    } else if flags.contains(Flags::WIDE_CHAR_SPACER) {
        match at.checked_sub(1).map(|before| cells[before].flags) {
            Some(before) if before.contains(Flags::WIDE_CHAR) => Half::Spacer,
            _ => Half::Orphan,
        }
    } else if at + 1 == cells.len() && flags.contains(Flags::WRAPLINE) {
        Half::Spacer
    } else {
        Half::Orphan
    }
}

/// Whether a cell looks like one that nothing was written to.
pub(super) fn is_blank(cells: &[Cell], at: usize) -> bool {
    let cell = &cells[at];
    let half_of_nothing =
        || cell.flags.intersects(HALVES) && !matches!(half(cells, at), Half::Whole);
    (matches!(cell.c, ' ' | '\t') || half_of_nothing())
        && cell.fg == AnsiColor::Named(NamedColor::Foreground)
        && cell.bg == AnsiColor::Named(NamedColor::Background)
        && ((cell.flags - Flags::WRAPLINE).is_empty()
            || (half_of_nothing() && (cell.flags - HALVES - Flags::WRAPLINE).is_empty()))
        && cell.extra.is_none()
}

/// How a cell is drawn.
pub(super) fn style_of(cell: &Cell) -> Style {
    const KEPT: Flags = Flags::BOLD
        .union(Flags::DIM)
        .union(Flags::ITALIC)
        .union(Flags::INVERSE)
        .union(Flags::HIDDEN)
        .union(Flags::STRIKEOUT)
        .union(Flags::ALL_UNDERLINES);
    let plain = cell.fg == AnsiColor::Named(NamedColor::Foreground)
        && cell.bg == AnsiColor::Named(NamedColor::Background)
        && !cell.flags.intersects(KEPT)
        && cell.extra.is_none();
    if plain {
        return Style::default();
    }
    let mut flags = 0;
    for (theirs, ours) in [
        (Flags::BOLD, Style::BOLD),
        (Flags::DIM, Style::DIM),
        (Flags::ITALIC, Style::ITALIC),
        (Flags::INVERSE, Style::INVERSE),
        (Flags::HIDDEN, Style::HIDDEN),
        (Flags::STRIKEOUT, Style::STRIKE),
        (Flags::UNDERLINE, Style::UNDERLINE),
        (Flags::DOUBLE_UNDERLINE, Style::DOUBLE_UNDERLINE),
        (Flags::UNDERCURL, Style::UNDERCURL),
        (Flags::DOTTED_UNDERLINE, Style::DOTTED_UNDERLINE),
        (Flags::DASHED_UNDERLINE, Style::DASHED_UNDERLINE),
    ] {
        if cell.flags.contains(theirs) {
            flags |= ours;
        }
    }
    Style {
        fg: color_of(cell.fg),
        bg: color_of(cell.bg),
        underline: cell.underline_color().map_or(Color::Default, color_of),
        flags,
    }
}

pub(super) fn color_of(color: AnsiColor) -> Color {
    match color {
        AnsiColor::Named(name) => match name as usize {
            index @ 0..16 => Color::Indexed(index as u8),
            _ => Color::Default,
        },
        AnsiColor::Indexed(index) => Color::Indexed(index),
        AnsiColor::Spec(Rgb { r, g, b }) => Color::Rgb(r, g, b),
    }
}

/// The text of the rows that are on screen.
pub(super) fn shown(term: &Term<Events>) -> Vec<String> {
    let grid = term.grid();
    (0..grid.screen_lines() as i32)
        .map(|row| {
            let mut line = StyledLine::default();
            append_row(&mut line, &grid[Row(row)][..], false);
            line.text
        })
        .collect()
}
