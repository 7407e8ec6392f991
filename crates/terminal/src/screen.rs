//! The screen: bytes in; the picture, the lines that left it, and what the program said, out.
//!
//! The only file that names the emulator. Its grid keeps a little history (enough for the window to grow and
//! for wrapped text to be laid out anew); older rows are taken out of it as logical lines, before it could
//! drop them. A logical line is what the program printed up to a newline: rows joined where the emulator wrapped.
//!
//! Every escape sequence passes through [`Intake`], which stands between parser and emulator: there rows are
//! taken out in time however much one sequence scrolls, and there is remembered what the emulator does not tell
//! (tab stops, the scroll region, titles), because a snapshot has to say it again.

mod cells;
#[cfg(test)]
mod conformance;
mod drawn;
mod extra;
mod face;
mod intake;
mod keys;
mod leaving;
mod rectangles;
mod tiles;

use std::sync::Arc;
use std::time::Duration;

use alacritty_terminal::event::{Event, EventListener, WindowSize};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line as Row};
use alacritty_terminal::term::{Config, Osc52, Term, TermMode};
use alacritty_terminal::vte::ansi::{Processor, Rgb, Timeout};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::image::{self, Images, PlacedImage, Placing, Which, Wish};
use crate::osc::{self, Osc, PendingNotification, Piece, Scanner};
use crate::styled::{Style, StyledLine};
use crate::types::{CellSize, PaneSize, ScreenText};
use cells::{append_row, shown, style_of, wraps};
use intake::{Intake, Told, default_tabs};
use keys::Keys;
pub(crate) use leaving::View;
use leaving::{Leaving, collect, keep, limit, lines_of, with_primary};

pub(crate) use drawn::{Drawn, LeadFor, LeadTail};
pub use face::Face;

/// A line longer than this is handed on in pieces, so that no line can take all memory.
pub(crate) const MAX_LINE: usize = 1024 * 1024;

/// Ends what a program may have begun and not ended, because it was killed: once its shell says that it has ended, before
/// the shell says what it wants itself.
const LEFT_BEHIND: &[u8] =
    b"\x1b[?1000;1006;1004;2004;2026;2031;1l\x1b[?25;7h\x1b[4;20l\x1b>\x0f\x1b(B";

/// What is typed at a prompt is looked for in so many rows and no more: whoever claims that prompts end costs little.
const TYPED_ROWS: i32 = 8;
/// And what a command printed without ending the line in so many; of a longer line all is taken for its output.
const UNENDED_ROWS: i32 = 64;

/// What a program said apart from text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// BEL.
    Bell,
    /// Something for the program, as an answer to what it asked: goes to its input.
    Reply(Vec<u8>),
    /// One of the strings that [`osc`] knows, but for the end of a command.
    Osc(Osc),
    /// The shell says that a command has ended; so many characters of it stand before the cursor in its line.
    CommandEnded { exit: Option<i32>, rest: u32 },
    /// The scrollback is to be forgotten by whoever shows it; it is not forgotten here.
    ScrollbackCleared,
}

/// Where the screen's output goes.
pub(crate) trait Sink {
    /// A line left the screen for good. Called once per line, oldest first.
    fn line(&mut self, line: &StyledLine);
    /// The program said something while the cursor was in the line that has, or will get, the number `line`.
    fn said(&mut self, what: Said, line: u64);
    /// A full-screen program's picture is whole and about to be taken away; `rows` tells what is on it.
    fn picture_goes(&mut self, how: Going, rows: impl FnOnce() -> Vec<String>);
    /// Rows are about to leave the emulator, or another screen to cover them: whoever draws them has to do so now.
    fn rows_leave(&mut self, view: &View<'_>);
}

/// How a full-screen program's picture goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Going {
    /// Another picture of the same program follows.
    Next,
    /// The program gives the screen back.
    Last,
}

/// The colours that programs are told when they ask, each as red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Colours {
    /// The colour of text.
    pub foreground: (u8, u8, u8),
    /// The colour behind it.
    pub background: (u8, u8, u8),
    /// The colour of the cursor.
    pub cursor: (u8, u8, u8),
    /// The first sixteen of the palette.
    #[serde(default = "usual_palette")]
    pub palette: [(u8, u8, u8); 16],
}

impl Default for Colours {
    fn default() -> Self {
        Self {
            foreground: (0xd4, 0xd4, 0xd8),
            background: (0x16, 0x17, 0x1a),
            cursor: (0xd4, 0xd4, 0xd8),
            palette: PALETTE,
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

/// A synchronized update is for whoever draws (see [`Screen::update`]); here every byte counts at once, and nothing
/// waits for a timer.
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
    theme: Colours,
    size: PaneSize,
    cell: CellSize,
    images: Images,
    /// The lines of the primary screen, kept while a full-screen program runs: they can't change meanwhile.
    behind: Vec<StyledLine>,
}

impl Screen {
    /// An empty screen.
    pub(crate) fn new(size: PaneSize, theme: Colours) -> Self {
        let events = Events::default();
        let config = Config {
            scrolling_history: limit(size),
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
            cell: CellSize::default(),
            images: Images::default(),
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
            Piece::Control(control) => {
                let facts = (self.theme, self.cell);
                self.take_in(sink, |intake, _| intake.control(control, facts));
            }
            Piece::Question(question) => self.take_in(sink, |intake, _| intake.question(question)),
            Piece::Sixels(data) => {
                self.advance(b"\x1b\\", sink);
                if let Some(placing) = Images::sixels(data, self.cell) {
                    self.place(placing, sink);
                }
            }
            Piece::Graphics(payload) => {
                self.advance(b"\x1b\\", sink);
                self.graphics(payload, sink);
            }
            Piece::Osc { payload, .. } if image::is_file(payload) => {
                self.advance(b"\x1b\\", sink);
                if let Some(placing) = self.images.inline.take(payload, self.cell, self.size) {
                    self.place(placing, sink);
                }
            }
            Piece::Osc { payload, bel } => match osc::parse(payload, &mut self.notification) {
                Osc::Emulator => {
                    let mut whole = b"\x1b]".to_vec();
                    whole.extend_from_slice(payload);
                    whole.extend_from_slice(if bel { b"\x07" } else { b"\x1b\\" });
                    self.advance(&whole, sink);
                }
                mut what => {
                    // The emulator never sees the string, and must leave what it interrupted.
                    self.advance(b"\x1b\\", sink);
                    match &mut what {
                        Osc::Title(title) => self.told.title.clone_from(title),
                        Osc::PromptEnd => {
                            let cursor = self.term.grid().cursor.point;
                            let before = self.text_up_to(cursor.line, cursor.column.0, TYPED_ROWS);
                            self.told.prompt = Some((self.line_at_cursor(), before));
                        }
                        Osc::CommandAgain(command) => {
                            let mut command = std::mem::take(command);
                            if !self.was_typed(&command) {
                                command.clear();
                            }
                            what = Osc::CommandLine(command);
                        }
                        Osc::CommandEnd(exit) => {
                            let exit = *exit;
                            if self.full_screen() {
                                self.advance(b"\x1b[?1049l", sink);
                            }
                            self.advance(LEFT_BEHIND, sink);
                            self.told.keys = Keys::default();
                            let rest = self.characters_before_cursor();
                            let ended = Said::CommandEnded { exit, rest };
                            sink.said(ended, self.line_at_cursor());
                            what = Osc::Ignored;
                        }
                        _ => {}
                    }
                    if what != Osc::Ignored {
                        sink.said(Said::Osc(what), self.line_at_cursor());
                    }
                }
            },
        });
        self.scanner = scanner;
    }

    /// Puts an image into cells; the number that it has.
    fn place(&mut self, placing: Placing, sink: &mut impl Sink) -> u32 {
        let number = self.images.place(placing.clone());
        self.take_in(sink, |intake, _| intake.place(&placing, number));
        number
    }

    /// Does what a string about images wishes.
    fn graphics(&mut self, payload: &[u8], sink: &mut impl Sink) {
        let (wish, answer) = self.images.kitty.take(payload, self.cell);
        match wish {
            Some(Wish::Place(placing, name)) => {
                let before = Which::Numbered(self.images.kitty.before(name));
                self.take_in(sink, |intake, _| intake.erase_images(&before));
                let number = self.place(placing, sink);
                self.images.kitty.shown(name, number);
            }
            Some(Wish::Erase(which)) => {
                self.take_in(sink, |intake, _| intake.erase_images(&which));
            }
            None => {}
        }
        if let Some(answer) = answer {
            sink.said(Said::Reply(answer.into_bytes()), self.line_at_cursor());
        }
    }

    /// The image that the tiles with this number are of, unless it is forgotten.
    pub(crate) fn image(&self, number: u32) -> Option<PlacedImage> {
        self.images.get(number)
    }

    fn advance(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        self.take_in(sink, |intake, parser| parser.advance(intake, bytes));
    }

    /// Lets something pass, and hands on what the emulator has to say of it.
    fn take_in<S: Sink>(
        &mut self,
        sink: &mut S,
        pass: impl FnOnce(&mut Intake<'_, S>, &mut Processor<AtOnce>),
    ) {
        let mut intake = Intake {
            term: &mut self.term,
            told: &mut self.told,
            leaving: &mut self.leaving,
            behind: &mut self.behind,
            sink,
            keep: keep(self.size),
            limit: limit(self.size),
            events: &self.events,
        };
        pass(&mut intake, &mut self.parser);
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
                    let text = answer(WindowSize {
                        num_lines: self.size.rows,
                        num_cols: self.size.cols,
                        cell_width: self.cell.width,
                        cell_height: self.cell.height,
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
            0..16 => rgb(self.theme.palette[index]),
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
        self.leaving.layouts += 1;
        let (old, new) = (usize::from(self.size.cols), usize::from(size.cols));
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

    /// Sets the colours that the program is told when it asks; what it is told now, if it wants to know of a change.
    pub(crate) fn set_colours(&mut self, theme: Colours) -> Option<String> {
        let changed = theme.is_dark() != self.theme.is_dark();
        self.theme = theme;
        (changed && self.told.theme_reports).then(|| theme.report())
    }

    /// How large a window draws a cell.
    pub(crate) fn cell(&self) -> CellSize {
        self.cell
    }

    /// Takes the size of a cell.
    pub(crate) fn set_cell(&mut self, cell: CellSize) {
        self.cell = cell;
    }

    /// Gives memory back that a quiet screen does not need.
    pub(crate) fn trim(&mut self) {
        self.term.grid_mut().truncate();
    }

    fn set_history(&mut self, rows: usize) {
        self.term.set_options(Config {
            scrolling_history: rows,
            osc52: Osc52::Disabled,
            ..Config::default()
        });
    }

    /// The style that what is printed next will have.
    pub(crate) fn pen(&self) -> Style {
        style_of(&self.term.grid().cursor.template)
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

    /// Whether `command`, and nothing else, was typed behind the end of the prompt that was marked last, in the line
    /// above the cursor.
    fn was_typed(&self, command: &str) -> bool {
        let Some((number, prompt)) = &self.told.prompt else {
            return false;
        };
        let row = self.term.grid().cursor.point.line - 1;
        self.line_at_cursor() == number + 1
            && self
                .text_up_to(row, usize::from(self.size.cols), TYPED_ROWS)
                .strip_prefix(prompt.as_str())
                .is_some_and(|typed| typed.trim_end() == command.trim_end())
    }

    /// The text of a line up to a column of one of its rows; of a line of many rows, of the last of them.
    fn text_up_to(&self, row: Row, column: usize, rows: i32) -> String {
        let grid = self.term.grid();
        let top = -(grid.history_size() as i32);
        let mut line = StyledLine::default();
        for row in self.line_begins(row.0, rows)..row.0 {
            append_row(&mut line, &grid[Row(row)][..], true);
        }
        if row.0 >= top {
            append_row(&mut line, &grid[row][..Column(column)], true);
        }
        line.text
    }

    /// The row in which the line of a row begins, or the one so many rows above.
    fn line_begins(&self, row: i32, rows: i32) -> i32 {
        let grid = self.term.grid();
        let top = -(grid.history_size() as i32);
        (top.max(row - rows)..row)
            .rev()
            .take_while(|&row| wraps(&grid[Row(row)]))
            .last()
            .unwrap_or(row)
    }

    /// How many characters stand before the cursor in its line; more than there are, when that begins too far above.
    fn characters_before_cursor(&self) -> u32 {
        let grid = self.term.grid();
        let cursor = &grid.cursor;
        let row = cursor.point.line;
        let column = cursor.point.column.0 + usize::from(cursor.input_needs_wrap);
        let first = self.line_begins(row.0, UNENDED_ROWS);
        let begins_above = if first > -(grid.history_size() as i32) {
            wraps(&grid[Row(first - 1)])
        } else {
            !self.leaving.partial.text.is_empty()
        };
        if begins_above {
            return u32::MAX;
        }
        self.text_up_to(row, column, UNENDED_ROWS).chars().count() as u32
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

    /// Which synchronized update (mode 2026) the program is within, counted from 1: what is on screen then is half of
    /// one picture and half of the next.
    pub(crate) fn update(&self) -> Option<u64> {
        self.told.update
    }

    /// The text of the rows that are on screen now.
    pub(crate) fn rows(&self) -> Vec<String> {
        shown(&self.term)
    }

    /// What is on screen now, as plain text.
    pub(crate) fn text(&self) -> ScreenText {
        let grid = self.term.grid();
        let cursor = &grid.cursor;
        ScreenText {
            rows: self.rows(),
            cursor_row: cursor.point.line.0.max(0) as u16,
            cursor_col: cursor.point.column.0 as u16,
            cursor_waits: cursor.input_needs_wrap,
            full_screen: self.full_screen(),
        }
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

fn usual_palette() -> [(u8, u8, u8); 16] {
    PALETTE
}

/// The sixteen named colours, as a dark theme has them.
const PALETTE: [(u8, u8, u8); 16] = [
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

#[cfg(test)]
mod tests;
