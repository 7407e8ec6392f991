//! The screen: bytes in; the picture, the lines that left it, and what the program said, out.
//!
//! The only file that names the emulator. Its grid keeps a little history (enough for the window to grow and
//! for wrapped text to be laid out anew); older rows are taken out of it as logical lines, before it could
//! drop them. A logical line is what the program printed up to a newline: rows joined where the emulator wrapped.
//!
//! Every escape sequence passes through [`Intake`], which stands between parser and emulator: there rows are
//! taken out in time however much one sequence scrolls, and there is remembered what the emulator does not tell
//! (tab stops, the scroll region, titles), because a snapshot has to say it again.

use std::sync::Arc;
use std::time::Duration;

use alacritty_terminal::event::{Event, EventListener, WindowSize};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line as Row};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Config, Osc52, Term, TermMode};
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, Color as AnsiColor, CursorShape, CursorStyle, Handler,
    Hyperlink, KeyboardModes, KeyboardModesApplyBehavior, LineClearMode, Mode, NamedColor,
    NamedPrivateMode, PrivateMode, Processor, Rgb, StandardCharset, TabulationClearMode, Timeout,
};
use parking_lot::Mutex;

use crate::osc::{self, Osc, PendingNotification, Piece, Scanner};
use crate::styled::{Color, Style, StyleRun, StyledLine};
use crate::types::{PaneSize, ScreenText};

/// A line longer than this is handed on in pieces, so that no line can take all memory.
pub(crate) const MAX_LINE: usize = 1024 * 1024;
/// Rows between two collections: fewer would take rows out one by one, more would only cost memory.
const SLACK: usize = 400;
/// No program needs to remember more titles.
const MAX_TITLES: usize = 16;

/// What a program said apart from text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// BEL.
    Bell,
    /// Something for the program, as an answer to what it asked: goes to its input.
    Reply(Vec<u8>),
    /// One of the strings that [`osc`] knows.
    Osc(Osc),
    /// A full-screen program took the screen.
    FullScreen,
    /// A full-screen program gives the screen back; this is what it showed last.
    FullScreenEnds(Vec<StyledLine>),
    /// The scrollback is to be forgotten by whoever shows it; it is not forgotten here.
    ScrollbackCleared,
}

/// Where the screen's output goes.
pub(crate) trait Sink {
    /// A line left the screen for good. Called once per line, oldest first.
    fn line(&mut self, line: &StyledLine);
    /// The program said something while the cursor was in the line that has, or will get, the number `line`.
    fn said(&mut self, what: Said, line: u64);
}

/// The colours that programs may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Theme {
    pub(crate) foreground: (u8, u8, u8),
    pub(crate) background: (u8, u8, u8),
    pub(crate) cursor: (u8, u8, u8),
}

impl Default for Theme {
    fn default() -> Self {
        Self {
            foreground: (0xd4, 0xd4, 0xd8),
            background: (0x16, 0x17, 0x1a),
            cursor: (0xd4, 0xd4, 0xd8),
        }
    }
}

/// Collects what the emulator wants to tell, until the chunk is through.
#[derive(Debug, Clone, Default)]
struct Events(Arc<Mutex<Vec<Event>>>);

impl EventListener for Events {
    fn send_event(&self, event: Event) {
        if matches!(
            event,
            Event::Bell
                | Event::PtyWrite(_)
                | Event::ColorRequest(..)
                | Event::TextAreaSizeRequest(_)
        ) {
            let mut events = self.0.lock();
            // A flood of questions is not worth a flood of answers.
            if events.len() < 4096 {
                events.push(event);
            }
        }
    }
}

/// A synchronized update is for whoever draws; here every byte counts at once, and nothing waits for a timer.
#[derive(Debug, Default)]
struct AtOnce;

impl Timeout for AtOnce {
    fn set_timeout(&mut self, _: Duration) {}
    fn clear_timeout(&mut self) {}
    fn pending_timeout(&self) -> bool {
        false
    }
}

#[derive(Debug, Clone, Copy)]
struct Size(PaneSize);

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }
    fn screen_lines(&self) -> usize {
        usize::from(self.0.rows)
    }
    fn columns(&self) -> usize {
        usize::from(self.0.cols)
    }
}

/// What the emulator knows but does not tell.
#[derive(Debug)]
struct Told {
    /// Where the tab stops are, by column.
    tabs: Vec<bool>,
    /// The scroll region, first and last row from 1; none: all of the screen.
    region: Option<(usize, usize)>,
    /// Which of the four character sets text is written in.
    charset: CharsetIndex,
    /// The title that the program set.
    title: String,
    titles: Vec<String>,
    /// Mouse modes that the emulator does not know and a window does.
    other_modes: Vec<u16>,
    /// The program chose the cursor's shape.
    shaped: bool,
    /// Within a synchronized update: the picture is not whole.
    synchronized: bool,
}

impl Told {
    fn new(size: PaneSize) -> Self {
        Self {
            tabs: default_tabs(0, usize::from(size.cols)),
            region: None,
            charset: CharsetIndex::G0,
            title: String::new(),
            titles: Vec::new(),
            other_modes: Vec::new(),
            shaped: false,
            synchronized: false,
        }
    }
}

fn default_tabs(from: usize, to: usize) -> Vec<bool> {
    (from..to).map(|column| column % 8 == 0).collect()
}

/// The lines that are on their way from the grid to the ring.
#[derive(Debug, Default)]
struct Leaving {
    /// How many lines have left.
    count: u64,
    /// The beginning of a line whose end is still in the grid.
    partial: StyledLine,
    /// All rows in `partial` were this wide; 0: they were not all the same.
    width: usize,
}

/// One pane's screen.
pub(crate) struct Screen {
    term: Term<Events>,
    parser: Processor<AtOnce>,
    scanner: Scanner,
    /// The beginning of a character whose end has not come.
    cut: Vec<u8>,
    events: Events,
    told: Told,
    leaving: Leaving,
    notification: PendingNotification,
    theme: Theme,
    size: PaneSize,
    /// The lines of the primary screen, kept while a full-screen program runs: they can't change meanwhile.
    behind: Vec<StyledLine>,
}

impl Screen {
    /// An empty screen.
    pub(crate) fn new(size: PaneSize, theme: Theme) -> Self {
        let events = Events::default();
        let config = Config {
            scrolling_history: limit(size),
            // xterm.js has no such keys: a program that was told otherwise would misread every key.
            kitty_keyboard: false,
            // The clipboard is not the emulator's business.
            osc52: Osc52::Disabled,
            ..Config::default()
        };
        Self {
            term: Term::new(config, &Size(size), events.clone()),
            parser: Processor::new(),
            scanner: Scanner::default(),
            cut: Vec::new(),
            events,
            told: Told::new(size),
            leaving: Leaving::default(),
            notification: PendingNotification::default(),
            theme,
            size,
            behind: Vec::new(),
        }
    }

    /// Takes in what the program wrote, cut anywhere.
    pub(crate) fn feed(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        // The parser loses characters when one is cut and others follow; it is only given whole ones.
        let joined;
        let bytes = if self.cut.is_empty() {
            bytes
        } else {
            self.cut.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.cut);
            &joined
        };
        let (bytes, cut) = bytes.split_at(bytes.len() - cut_character(bytes));
        self.cut.extend_from_slice(cut);
        let mut scanner = std::mem::take(&mut self.scanner);
        scanner.scan(bytes, |piece| match piece {
            Piece::Bytes(bytes) => self.advance(bytes, sink),
            Piece::Dropped => self.advance(b"\x1b\\", sink),
            Piece::Osc { payload, bel } => match osc::parse(payload, &mut self.notification) {
                Osc::Emulator => {
                    let mut whole = b"\x1b]".to_vec();
                    whole.extend_from_slice(payload);
                    whole.extend_from_slice(if bel { b"\x07" } else { b"\x1b\\" });
                    self.advance(&whole, sink);
                }
                what => {
                    // The emulator never sees the string, and must leave what it interrupted.
                    self.advance(b"\x1b\\", sink);
                    if let Osc::Title(title) = &what {
                        self.told.title.clone_from(title);
                    }
                    if what != Osc::Ignored {
                        sink.said(Said::Osc(what), self.line_at_cursor());
                    }
                }
            },
        });
        self.scanner = scanner;
    }

    fn advance(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        let mut intake = Intake {
            term: &mut self.term,
            told: &mut self.told,
            leaving: &mut self.leaving,
            behind: &mut self.behind,
            sink,
            keep: keep(self.size),
            limit: limit(self.size),
        };
        self.parser.advance(&mut intake, bytes);
        let events = {
            let mut events = self.events.0.lock();
            if events.is_empty() {
                return;
            }
            std::mem::take(&mut *events)
        };
        let line = self.line_at_cursor();
        for event in events {
            match event {
                Event::Bell => sink.said(Said::Bell, line),
                Event::PtyWrite(text) => sink.said(Said::Reply(text.into_bytes()), line),
                Event::ColorRequest(index, answer) => {
                    let text = answer(self.color(index));
                    sink.said(Said::Reply(text.into_bytes()), line);
                }
                Event::TextAreaSizeRequest(answer) => {
                    // No cell has a size in pixels before a window shows it; this one is common.
                    let text = answer(WindowSize {
                        num_lines: self.size.rows,
                        num_cols: self.size.cols,
                        cell_width: 9,
                        cell_height: 18,
                    });
                    sink.said(Said::Reply(text.into_bytes()), line);
                }
                _ => {}
            }
        }
    }

    fn color(&self, index: usize) -> Rgb {
        if let Some(color) = (index < 269).then(|| self.term.colors()[index]).flatten() {
            return color;
        }
        let rgb = |(r, g, b)| Rgb { r, g, b };
        match index {
            0..16 => rgb(ANSI[index]),
            16..232 => {
                let level = |n: usize| if n == 0 { 0 } else { (n * 40 + 55) as u8 };
                let cube = index - 16;
                Rgb {
                    r: level(cube / 36),
                    g: level(cube / 6 % 6),
                    b: level(cube % 6),
                }
            }
            232..=255 => {
                let grey = ((index - 232) * 10 + 8) as u8;
                rgb((grey, grey, grey))
            }
            257 => rgb(self.theme.background),
            258 => rgb(self.theme.cursor),
            _ => rgb(self.theme.foreground),
        }
    }

    /// Takes the size of the window.
    pub(crate) fn resize(&mut self, size: PaneSize, sink: &mut impl Sink) {
        if size == self.size {
            return;
        }
        let (old, new) = (usize::from(self.size.cols), usize::from(size.cols));
        if old != new {
            self.leaving.width = 0;
        }
        // Narrower rows are more rows: room for all of them first, or the emulator drops the oldest.
        let rows = limit(self.size) + usize::from(self.size.rows);
        let most = rows * (old / new.max(1) + 2) + usize::from(size.rows);
        self.set_history(most.max(limit(size)));
        self.term.resize(Size(size));
        self.size = size;
        self.told.region = None;
        self.told.tabs.truncate(new);
        let from = self.told.tabs.len();
        self.told.tabs.extend(default_tabs(from, new));
        let (keep, limit) = (keep(size), limit(size));
        let leaving = &mut self.leaving;
        with_primary(&mut self.term, |term| {
            collect(term, leaving, (keep, limit), sink);
        });
        self.set_history(limit);
        if self.full_screen() {
            self.behind = self.primary_lines();
        }
        self.trim();
    }

    /// Gives memory back that a quiet screen does not need.
    pub(crate) fn trim(&mut self) {
        self.term.grid_mut().truncate();
    }

    fn set_history(&mut self, rows: usize) {
        self.term.set_options(Config {
            scrolling_history: rows,
            kitty_keyboard: false,
            osc52: Osc52::Disabled,
            ..Config::default()
        });
    }

    /// Its size.
    pub(crate) fn size(&self) -> PaneSize {
        self.size
    }

    /// Whether a full-screen program has the screen.
    pub(crate) fn full_screen(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
    }

    #[cfg(test)]
    /// How many lines have left: the number of the first line of [`Screen::lines`].
    pub(crate) fn first_line(&self) -> u64 {
        self.leaving.count
    }

    /// The number that the cursor's line has or will get.
    ///
    /// While a full-screen program runs, the line that follows all others.
    pub(crate) fn line_at_cursor(&self) -> u64 {
        if self.full_screen() {
            return self.leaving.count + self.behind.len() as u64;
        }
        let grid = self.term.grid();
        let top = -(grid.history_size() as i32);
        let before = (top..grid.cursor.point.line.0)
            .filter(|&row| !wraps(&grid[Row(row)]))
            .count();
        self.leaving.count + before as u64
    }

    /// The lines that have not left: the grid's history and the primary screen, oldest first, without the blank
    /// rows below the last text. The first has the number [`Screen::first_line`].
    ///
    /// A line whose beginning has been taken out of the grid is whole here.
    pub(crate) fn lines(&self) -> Vec<StyledLine> {
        if self.full_screen() {
            self.behind.clone()
        } else {
            self.primary_lines_of_active()
        }
    }

    fn primary_lines(&mut self) -> Vec<StyledLine> {
        let leaving = &self.leaving;
        let mut lines = Vec::new();
        with_primary(&mut self.term, |term| lines = lines_of(term, leaving));
        lines
    }

    fn primary_lines_of_active(&self) -> Vec<StyledLine> {
        lines_of(&self.term, &self.leaving)
    }

    /// What is on screen now, as plain text.
    pub(crate) fn text(&self) -> ScreenText {
        let grid = self.term.grid();
        let cursor = &grid.cursor;
        ScreenText {
            rows: shown(&self.term)
                .into_iter()
                .map(|line| line.text)
                .collect(),
            cursor_row: cursor.point.line.0.max(0) as u16,
            cursor_col: cursor.point.column.0 as u16,
            cursor_waits: cursor.input_needs_wrap,
            full_screen: self.full_screen(),
        }
    }

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

/// How many bytes at the end of `bytes` are the beginning of a character.
fn cut_character(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let tail = &bytes[bytes.len() - back..];
        match tail[0] {
            // One that is inside of a character.
            0x80..=0xbf => {}
            0xc2..=0xf4 => {
                return match std::str::from_utf8(tail) {
                    Err(error) if error.error_len().is_none() => back,
                    _ => 0,
                };
            }
            _ => return 0,
        }
    }
    0
}

/// How many rows of history stay in the grid, for the window to grow into.
fn keep(size: PaneSize) -> usize {
    (2 * usize::from(size.rows)).max(100)
}

/// How many rows of history the grid may have at most.
fn limit(size: PaneSize) -> usize {
    keep(size) + usize::from(size.rows) + SLACK
}

/// Runs `see` with the primary screen as the active one.
///
/// The emulator shows the inactive grid to nobody, and swapping screens clears the alternate one and resets the
/// keyboard; both are put back.
fn with_primary(term: &mut Term<Events>, see: impl FnOnce(&mut Term<Events>)) {
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

/// Whether the row goes on in the next one.
fn wraps(row: &alacritty_terminal::grid::Row<Cell>) -> bool {
    row.last()
        .is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE))
}

/// Takes the oldest rows out of the grid until it holds `keep` rows of history.
fn collect(
    term: &mut Term<Events>,
    leaving: &mut Leaving,
    (keep, limit): (usize, usize),
    sink: &mut impl Sink,
) {
    let grid = term.grid_mut();
    let history = grid.history_size();
    if history <= keep {
        return;
    }
    for row in -(history as i32)..-(keep as i32) {
        take_row(&grid[Row(row)], leaving, sink);
    }
    // Shrinks the history from its oldest end; the limit goes back up at once.
    grid.update_history(keep);
    grid.update_history(limit);
}

fn take_row(
    row: &alacritty_terminal::grid::Row<Cell>,
    leaving: &mut Leaving,
    sink: &mut impl Sink,
) {
    let wraps = wraps(row);
    if leaving.partial.text.is_empty() {
        leaving.width = row.len();
    } else if leaving.width != row.len() {
        leaving.width = 0;
    }
    append_row(&mut leaving.partial, &row[..], wraps);
    if !wraps {
        leaving.partial.continues = false;
        sink.line(&leaving.partial);
        leaving.count += 1;
        leaving.partial.text.clear();
        leaving.partial.runs.clear();
    } else if leaving.partial.text.len() >= MAX_LINE {
        leaving.partial.continues = true;
        sink.line(&leaving.partial);
        leaving.count += 1;
        leaving.partial = StyledLine::default();
    }
}

fn lines_of(term: &Term<Events>, leaving: &Leaving) -> Vec<StyledLine> {
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

/// Appends a row's text and styles to `line`; `whole`: with its trailing blanks, because the line goes on.
fn append_row(line: &mut StyledLine, cells: &[Cell], whole: bool) {
    let end = if whole {
        cells.len()
    } else {
        (0..cells.len())
            .rev()
            .find(|&at| !is_blank(cells, at))
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
        set_style(line, &mut style, style_of(cell));
        line.text.push(if cell.c == '\t' { ' ' } else { cell.c });
        if let Some(marks) = cell.zerowidth() {
            line.text.extend(marks);
        }
    }
}

fn set_style(line: &mut StyledLine, style: &mut Style, new: Style) {
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
const HALVES: Flags = Flags::WIDE_CHAR
    .union(Flags::WIDE_CHAR_SPACER)
    .union(Flags::LEADING_WIDE_CHAR_SPACER);

/// What a cell with one of [`HALVES`] is.
enum Half {
    /// A wide character, with its other half.
    Whole,
    /// The place that a wide character takes beside it, or left free before a line's end.
    Spacer,
    /// What editing left of a wide character: a blank.
    Orphan,
}

fn half(cells: &[Cell], at: usize) -> Half {
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
fn is_blank(cells: &[Cell], at: usize) -> bool {
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
fn style_of(cell: &Cell) -> Style {
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

fn color_of(color: AnsiColor) -> Color {
    match color {
        AnsiColor::Named(name) => match name as usize {
            index @ 0..16 => Color::Indexed(index as u8),
            _ => Color::Default,
        },
        AnsiColor::Indexed(index) => Color::Indexed(index),
        AnsiColor::Spec(Rgb { r, g, b }) => Color::Rgb(r, g, b),
    }
}

/// The sixteen named colours, as a dark theme has them.
const ANSI: [(u8, u8, u8); 16] = [
    (0x2b, 0x2d, 0x31),
    (0xe0, 0x6c, 0x75),
    (0x98, 0xc3, 0x79),
    (0xe5, 0xc0, 0x7b),
    (0x61, 0xaf, 0xef),
    (0xc6, 0x78, 0xdd),
    (0x56, 0xb6, 0xc2),
    (0xc8, 0xcc, 0xd4),
    (0x5c, 0x63, 0x70),
    (0xf0, 0x7b, 0x84),
    (0xa9, 0xd4, 0x8a),
    (0xf0, 0xd0, 0x8c),
    (0x72, 0xc0, 0xff),
    (0xd7, 0x89, 0xee),
    (0x67, 0xc7, 0xd3),
    (0xff, 0xff, 0xff),
];

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
    let cursor = |cursor: &alacritty_terminal::grid::Cursor<Cell>| {
        let row = &grid[cursor.point.line];
        let column = cursor.point.column.0;
        let pending = cursor.input_needs_wrap.then(|| {
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

fn shown(term: &Term<Events>) -> Vec<StyledLine> {
    let grid = term.grid();
    (0..grid.screen_lines() as i32)
        .map(|row| {
            let mut line = StyledLine::default();
            append_row(&mut line, &grid[Row(row)][..], false);
            line
        })
        .collect()
}

/// Stands between the parser and the emulator.
struct Intake<'a, S> {
    term: &'a mut Term<Events>,
    told: &'a mut Told,
    leaving: &'a mut Leaving,
    behind: &'a mut Vec<StyledLine>,
    sink: &'a mut S,
    keep: usize,
    limit: usize,
}

impl<S: Sink> Intake<'_, S> {
    /// To be called after whatever may have scrolled: at most one screen of rows can have joined the history.
    #[inline]
    fn scrolled(&mut self) {
        let grid = self.term.grid();
        if grid.history_size() + grid.screen_lines() >= self.limit {
            self.collect(self.keep);
        }
    }

    #[cold]
    fn collect(&mut self, keep: usize) {
        collect(self.term, self.leaving, (keep, self.limit), self.sink);
    }

    fn full_screen(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
    }

    fn line(&self) -> u64 {
        self.leaving.count
    }

    fn enter_full_screen(&mut self) {
        if !self.full_screen() {
            *self.behind = lines_of(self.term, self.leaving);
            let line = self.line();
            self.sink.said(Said::FullScreen, line);
        }
    }

    fn leave_full_screen(&mut self) {
        if self.full_screen() {
            self.behind.clear();
            let (shown, line) = (shown(self.term), self.line());
            self.sink.said(Said::FullScreenEnds(shown), line);
        }
    }
}

/// Hands a call on as it is.
macro_rules! hand_on {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {
        $(#[inline]
        fn $name(&mut self, $($arg: $type),*) {
            self.term.$name($($arg),*);
        })*
    };
}

/// Hands a call on that may scroll rows out of the screen.
macro_rules! hand_on_and_collect {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {
        $(#[inline]
        fn $name(&mut self, $($arg: $type),*) {
            self.term.$name($($arg),*);
            self.scrolled();
        })*
    };
}

impl<S: Sink> Handler for Intake<'_, S> {
    hand_on! {
        set_cursor_shape(shape: CursorShape);
        goto(line: i32, column: usize);
        goto_line(line: i32);
        goto_col(column: usize);
        insert_blank(count: usize);
        move_up(rows: usize);
        move_down(rows: usize);
        identify_terminal(intermediate: Option<char>);
        device_status(what: usize);
        move_forward(columns: usize);
        move_backward(columns: usize);
        move_down_and_cr(rows: usize);
        move_up_and_cr(rows: usize);
        backspace();
        carriage_return();
        bell();
        substitute();
        scroll_down(rows: usize);
        insert_blank_lines(rows: usize);
        erase_chars(count: usize);
        delete_chars(count: usize);
        move_backward_tabs(count: u16);
        move_forward_tabs(count: u16);
        save_cursor_position();
        restore_cursor_position();
        clear_line(mode: LineClearMode);
        reverse_index();
        terminal_attribute(attr: Attr);
        set_mode(mode: Mode);
        unset_mode(mode: Mode);
        report_mode(mode: Mode);
        report_private_mode(mode: PrivateMode);
        set_keypad_application_mode();
        unset_keypad_application_mode();
        configure_charset(index: CharsetIndex, charset: StandardCharset);
        set_color(index: usize, color: Rgb);
        dynamic_color_sequence(prefix: String, index: usize, terminator: &str);
        reset_color(index: usize);
        decaln();
        text_area_size_pixels();
        text_area_size_chars();
        set_hyperlink(link: Option<Hyperlink>);
        report_keyboard_mode();
        push_keyboard_mode(mode: KeyboardModes);
        pop_keyboard_modes(count: u16);
        set_keyboard_mode(mode: KeyboardModes, apply: KeyboardModesApplyBehavior);
    }

    hand_on_and_collect! {
        input(c: char);
        put_tab(count: u16);
        linefeed();
        newline();
        scroll_up(rows: usize);
        delete_lines(rows: usize);
    }

    fn clear_screen(&mut self, mode: ClearMode) {
        let forget = matches!(mode, ClearMode::Saved) && !self.full_screen();
        if forget {
            // The program clears what is shown of the past; the past itself is not its to clear.
            self.collect(0);
        }
        self.term.clear_screen(mode);
        self.scrolled();
        if forget {
            let line = self.line();
            self.sink.said(Said::ScrollbackCleared, line);
        }
    }

    fn reset_state(&mut self) {
        if self.full_screen() {
            self.leave_full_screen();
            self.term.swap_alt();
        }
        // What is on screen was printed, and a reset would lose it.
        self.term.clear_screen(ClearMode::All);
        self.collect(0);
        if !self.leaving.partial.text.is_empty() {
            self.sink.line(&self.leaving.partial);
            self.leaving.count += 1;
            self.leaving.partial = StyledLine::default();
        }
        self.term.reset_state();
        let size = PaneSize {
            cols: self.term.columns() as u16,
            rows: self.term.screen_lines() as u16,
        };
        *self.told = Told::new(size);
        let line = self.line();
        self.sink.said(Said::Osc(Osc::Title(String::new())), line);
        self.sink.said(Said::ScrollbackCleared, line);
    }

    fn set_horizontal_tabstop(&mut self) {
        let column = self.term.grid().cursor.point.column.0;
        self.told.tabs[column] = true;
        self.term.set_horizontal_tabstop();
    }

    fn clear_tabs(&mut self, mode: TabulationClearMode) {
        match mode {
            TabulationClearMode::Current => {
                let column = self.term.grid().cursor.point.column.0;
                self.told.tabs[column] = false;
            }
            TabulationClearMode::All => self.told.tabs.fill(false),
        }
        self.term.clear_tabs(mode);
    }

    fn set_scrolling_region(&mut self, top: usize, bottom: Option<usize>) {
        let rows = self.term.screen_lines();
        let end = bottom.unwrap_or(rows).min(rows);
        // Less than two rows is no region; and one below the screen would have the emulator scroll what is
        // not there.
        if top == 0 || top >= end {
            return;
        }
        self.told.region = (top != 1 || end != rows).then_some((top, end));
        self.term.set_scrolling_region(top, Some(end));
    }

    fn set_active_charset(&mut self, index: CharsetIndex) {
        self.told.charset = index;
        self.term.set_active_charset(index);
    }

    fn set_cursor_style(&mut self, style: Option<CursorStyle>) {
        self.told.shaped = style.is_some();
        self.term.set_cursor_style(style);
    }

    fn set_private_mode(&mut self, mode: PrivateMode) {
        match mode {
            PrivateMode::Named(NamedPrivateMode::SwapScreenAndSetRestoreCursor) => {
                self.enter_full_screen();
            }
            PrivateMode::Named(NamedPrivateMode::SyncUpdate) => self.told.synchronized = true,
            PrivateMode::Named(NamedPrivateMode::ColumnMode) => self.told.region = None,
            PrivateMode::Named(NamedPrivateMode::BlinkingCursor) => self.told.shaped = true,
            PrivateMode::Unknown(number)
                if OTHER_MODES.contains(&number) && !self.told.other_modes.contains(&number) =>
            {
                self.told.other_modes.push(number);
            }
            _ => {}
        }
        self.term.set_private_mode(mode);
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        match mode {
            PrivateMode::Named(NamedPrivateMode::SwapScreenAndSetRestoreCursor) => {
                self.leave_full_screen();
            }
            PrivateMode::Named(NamedPrivateMode::SyncUpdate) => self.told.synchronized = false,
            PrivateMode::Named(NamedPrivateMode::ColumnMode) => self.told.region = None,
            PrivateMode::Named(NamedPrivateMode::BlinkingCursor) => self.told.shaped = true,
            PrivateMode::Unknown(number) => {
                self.told.other_modes.retain(|other| *other != number);
            }
            _ => {}
        }
        self.term.unset_private_mode(mode);
    }

    fn set_title(&mut self, title: Option<String>) {
        self.told.title = osc::clean(&title.unwrap_or_default(), 1024);
    }

    fn push_title(&mut self) {
        if self.told.titles.len() == MAX_TITLES {
            self.told.titles.remove(0);
        }
        self.told.titles.push(self.told.title.clone());
    }

    fn pop_title(&mut self) {
        if let Some(title) = self.told.titles.pop() {
            self.told.title.clone_from(&title);
            let line = self.line();
            self.sink.said(Said::Osc(Osc::Title(title)), line);
        }
    }
}

/// Modes that only a window acts on: mouse as X10 reports it, and as others encode it; colour scheme reports.
const OTHER_MODES: [u16; 4] = [9, 1015, 1016, 2031];
