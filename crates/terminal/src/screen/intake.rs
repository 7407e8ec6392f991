//! [`Intake`]: between the parser and the emulator, where every escape sequence passes.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line as Row, Point};
use alacritty_terminal::term::{Term, TermMode};
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, CursorShape, CursorStyle, Handler, Hyperlink, KeyboardModes,
    KeyboardModesApplyBehavior, LineClearMode, Mode, ModifyOtherKeys, NamedPrivateMode,
    PrivateMode, Rgb, StandardCharset, TabulationClearMode,
};
use unicode_width::UnicodeWidthChar as _;

use super::cells::{HALVES, shown};
use super::keys::Keys;
use super::leaving::View;
use super::leaving::{Leaving, collect, lines_of};
use super::{Events, Going, Said, Sink};
use crate::osc::{self, Osc};
use crate::styled::StyledLine;
use crate::types::PaneSize;

/// No program needs to remember more titles.
const MAX_TITLES: usize = 16;
/// Bytes of a link's target, as other terminals have it, and of its id.
const MAX_LINK: usize = 2083;
const MAX_LINK_ID: usize = 250;
/// No character has more combining marks.
const MAX_MARKS: usize = 32;

/// What the emulator knows but does not tell.
#[derive(Debug)]
pub(super) struct Told {
    /// Where the tab stops are, by column.
    pub(super) tabs: Vec<bool>,
    /// The scroll region, first and last row from 1; none: all of the screen.
    pub(super) region: Option<(usize, usize)>,
    /// Which of the four character sets text is written in.
    pub(super) charset: CharsetIndex,
    /// The title that the program set.
    pub(super) title: String,
    pub(super) titles: Vec<String>,
    /// What of the mouse is reported: the mode that was set last, of those that exclude each other.
    pub(super) mouse: Option<u16>,
    /// How it is reported, likewise.
    pub(super) mouse_encoding: Option<u16>,
    /// The program chose the cursor's shape.
    pub(super) shaped: bool,
    /// Which synchronized update the program is within: the picture is not whole.
    pub(super) update: Option<u64>,
    /// How many such updates have begun.
    pub(super) updates: u64,
    /// What is written is kept by selective erases.
    pub(super) protects: bool,
    /// Attributes are changed in rectangles, and not from one place to another.
    pub(super) rectangles: bool,
    /// How the program wants its keys.
    pub(super) keys: Keys,
    /// The program is to be told when the theme turns dark or light.
    pub(super) theme_reports: bool,
    /// The line in which the prompt that was marked last ends, and what stands there before its end.
    pub(super) prompt: Option<(u64, String)>,
    /// What of the saved cursor the emulator does not save: whether positions count from the region, and the character
    /// set in use.
    pub(super) saved: (bool, CharsetIndex),
    /// How many links without an id have been given one.
    links: u64,
}

impl Told {
    pub(super) fn new(size: PaneSize) -> Self {
        Self {
            tabs: default_tabs(0, usize::from(size.cols)),
            region: None,
            charset: CharsetIndex::G0,
            title: String::new(),
            titles: Vec::new(),
            mouse: None,
            mouse_encoding: None,
            shaped: false,
            update: None,
            updates: 0,
            protects: false,
            rectangles: false,
            keys: Keys::default(),
            theme_reports: false,
            prompt: None,
            saved: Default::default(),
            links: 0,
        }
    }
}

pub(super) fn default_tabs(from: usize, to: usize) -> Vec<bool> {
    (from..to).map(|column| column % 8 == 0).collect()
}

/// Stands between the parser and the emulator.
pub(super) struct Intake<'a, S> {
    pub(super) term: &'a mut Term<Events>,
    pub(super) told: &'a mut Told,
    pub(super) leaving: &'a mut Leaving,
    pub(super) behind: &'a mut Vec<StyledLine>,
    pub(super) sink: &'a mut S,
    pub(super) keep: usize,
    pub(super) limit: usize,
    pub(super) events: &'a Events,
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

    /// Writes a character of one byte where nothing special is: what almost all output is made of, in half of the
    /// time that the emulator takes, which looks at every case each time. Says whether it did.
    #[inline(always)]
    fn input_plainly(&mut self, c: char) -> bool {
        if !matches!(c, ' '..='~') || self.term.mode().contains(TermMode::INSERT) {
            return false;
        }
        let charset = self.told.charset;
        let grid = self.term.grid_mut();
        let last = grid.columns() - 1;
        let cursor = &grid.cursor;
        let pen = &cursor.template;
        if cursor.input_needs_wrap
            || cursor.charsets[charset] != StandardCharset::Ascii
            || pen.extra.is_some()
        {
            return false;
        }
        let (fg, bg, flags, point) = (pen.fg, pen.bg, pen.flags, cursor.point);
        let cell = &mut grid[point.line][point.column];
        if cell.flags.intersects(HALVES) {
            return false;
        }
        cell.c = c;
        cell.fg = fg;
        cell.bg = bg;
        cell.flags = flags;
        if cell.extra.is_some() {
            cell.extra = None;
        }
        if point.column.0 < last {
            grid.cursor.point.column.0 += 1;
        } else {
            grid.cursor.input_needs_wrap = true;
        }
        true
    }

    /// Whether `c` is a combining mark for a character that has more than enough of them: the emulator would
    /// keep them all, in one cell.
    fn is_one_mark_too_many(&self, c: char) -> bool {
        if c.width() != Some(0) {
            return false;
        }
        let grid = self.term.grid();
        let cursor = &grid.cursor;
        let row = &grid[cursor.point.line];
        let at = cursor.point.column.0;
        // Where the emulator puts it: on the character before, on the first half of a wide one.
        [at, at.saturating_sub(1), at.saturating_sub(2)]
            .into_iter()
            .any(|column| {
                row[Column(column)]
                    .zerowidth()
                    .is_some_and(|marks| marks.len() >= MAX_MARKS)
            })
    }

    /// The scroll region: its first and last row, from 0.
    pub(super) fn margins(&self) -> (i32, i32) {
        let rows = self.term.screen_lines();
        let (first, last) = self.told.region.unwrap_or((1, rows));
        (first as i32 - 1, last as i32 - 1)
    }

    /// Moves the cursor up or down, as far as the margin that it has not passed, or the screen's edge.
    fn move_vertically(&mut self, by: i32) {
        let (first, last) = self.margins();
        let bottom = self.term.screen_lines() as i32 - 1;
        let cursor = &mut self.term.grid_mut().cursor;
        let row = cursor.point.line.0;
        let lowest = if row <= last { last } else { bottom };
        let highest = if row >= first { first } else { 0 };
        cursor.point.line = Row((row + by).clamp(highest, lowest));
        cursor.input_needs_wrap = false;
    }

    /// Inserting and deleting lines leaves the cursor in the first column, when it is where that can be done.
    fn return_to_margin(&mut self) {
        let (first, last) = self.margins();
        if (first..=last).contains(&self.term.grid().cursor.point.line.0) {
            self.term.carriage_return();
        }
    }

    /// Of the modes that say what of the mouse is reported one at most is set, and of those that say how: `set` instead of
    /// whichever was, if `number` is one of them.
    fn exclude(&mut self, number: u16, set: Option<u16>) {
        use NamedPrivateMode::{
            ReportAllMouseMotion, ReportCellMouseMotion, ReportMouseClicks, SgrMouse, Utf8Mouse,
        };
        match number {
            // Clicks as the first terminals did, buttons, dragging, every movement.
            9 | 1000 | 1002 | 1003 => {
                self.told.mouse = set;
                for other in [
                    ReportMouseClicks,
                    ReportCellMouseMotion,
                    ReportAllMouseMotion,
                ] {
                    self.term.unset_private_mode(PrivateMode::Named(other));
                }
            }
            // In UTF-8, in decimal, in decimal of another kind, in pixels.
            1005 | 1006 | 1015 | 1016 => {
                self.told.mouse_encoding = set;
                for other in [Utf8Mouse, SgrMouse] {
                    self.term.unset_private_mode(PrivateMode::Named(other));
                }
            }
            _ => {}
        }
    }

    fn full_screen(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
    }

    fn line(&self) -> u64 {
        self.leaving.count
    }

    fn enter_full_screen(&mut self) {
        if !self.full_screen() {
            self.sink.rows_leave(&View {
                term: self.term,
                leaving: self.leaving,
            });
            *self.behind = lines_of(self.term, self.leaving);
        }
    }

    fn leave_full_screen(&mut self) {
        if self.full_screen() {
            self.behind.clear();
            self.sink.picture_goes(Going::Last, || shown(self.term));
        }
    }

    /// To be called before what takes a whole picture away.
    fn picture_goes(&mut self) {
        // Within an update the picture is not whole; the one before it went when the update began.
        if self.full_screen() && self.told.update.is_none() {
            self.sink.picture_goes(Going::Next, || shown(self.term));
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
        insert_blank(count: usize);
        device_status(what: usize);
        move_forward(columns: usize);
        move_backward(columns: usize);
        backspace();
        carriage_return();
        bell();
        substitute();
        scroll_down(rows: usize);
        erase_chars(count: usize);
        move_backward_tabs(count: u16);
        move_forward_tabs(count: u16);
        clear_line(mode: LineClearMode);
        reverse_index();
        set_mode(mode: Mode);
        unset_mode(mode: Mode);
        report_mode(mode: Mode);
        set_keypad_application_mode();
        unset_keypad_application_mode();
        configure_charset(index: CharsetIndex, charset: StandardCharset);
        set_color(index: usize, color: Rgb);
        dynamic_color_sequence(prefix: String, index: usize, terminator: &str);
        reset_color(index: usize);
        text_area_size_pixels();
        text_area_size_chars();
    }

    #[inline]
    fn input(&mut self, c: char) {
        if !self.input_plainly(c) && !self.is_one_mark_too_many(c) {
            self.term.input(c);
            self.scrolled();
        }
    }

    hand_on_and_collect! {
        put_tab(count: u16);
        newline();
        scroll_up(rows: usize);
    }

    // What follows differs in the emulator from what terminals do, and so from what the window shows: margins did
    // not stop the cursor, origin mode was counted twice, and a deletion took characters before the cursor.

    fn move_up(&mut self, rows: usize) {
        self.move_vertically(-(rows.min(10_000) as i32));
    }

    fn move_down(&mut self, rows: usize) {
        self.move_vertically(rows.min(10_000) as i32);
    }

    fn move_up_and_cr(&mut self, rows: usize) {
        self.move_up(rows);
        self.term.carriage_return();
    }

    fn move_down_and_cr(&mut self, rows: usize) {
        self.move_down(rows);
        self.term.carriage_return();
    }

    fn goto_col(&mut self, column: usize) {
        let last = self.term.columns() - 1;
        let cursor = &mut self.term.grid_mut().cursor;
        cursor.point.column = Column(column.min(last));
        cursor.input_needs_wrap = false;
    }

    fn linefeed(&mut self) {
        self.term.linefeed();
        if self.term.mode().contains(TermMode::LINE_FEED_NEW_LINE) {
            self.term.carriage_return();
        }
        self.scrolled();
    }

    fn identify_terminal(&mut self, intermediate: Option<char>) {
        match intermediate {
            // A terminal of the second level, with sixels, colours and the clipboard.
            None => self.answer("\x1b[?62;4;22;52c".into()),
            Some(_) => self.term.identify_terminal(intermediate),
        }
    }

    fn terminal_attribute(&mut self, attr: Attr) {
        let resets = matches!(attr, Attr::Reset);
        self.term.terminal_attribute(attr);
        if resets && self.told.protects {
            self.protect();
        }
    }

    fn decaln(&mut self) {
        self.told.region = None;
        self.term.set_scrolling_region(1, None);
        self.term.decaln();
    }

    fn save_cursor_position(&mut self) {
        self.told.saved = (
            self.term.mode().contains(TermMode::ORIGIN),
            self.told.charset,
        );
        self.term.save_cursor_position();
    }

    fn restore_cursor_position(&mut self) {
        let (origin, charset) = self.told.saved;
        let mode = PrivateMode::Named(NamedPrivateMode::Origin);
        if origin {
            self.term.set_private_mode(mode);
        } else {
            self.term.unset_private_mode(mode);
        }
        self.term.restore_cursor_position();
        self.set_active_charset(charset);
    }

    fn report_private_mode(&mut self, mode: PrivateMode) {
        let is_set = match mode.raw() {
            number @ (9 | 1000 | 1002 | 1003) => self.told.mouse == Some(number),
            number @ (1005 | 1006 | 1015 | 1016) => self.told.mouse_encoding == Some(number),
            47 | 1047 => self.full_screen(),
            2026 => self.told.update.is_some(),
            2031 => self.told.theme_reports,
            _ => {
                self.term.report_private_mode(mode);
                return;
            }
        };
        let state = if is_set { 1 } else { 2 };
        self.answer(format!("\x1b[?{};{state}$y", mode.raw()));
    }

    fn insert_blank_lines(&mut self, rows: usize) {
        self.term.insert_blank_lines(rows);
        self.return_to_margin();
    }

    fn delete_lines(&mut self, rows: usize) {
        self.term.delete_lines(rows);
        self.scrolled();
        self.return_to_margin();
    }

    fn delete_chars(&mut self, count: usize) {
        let left = self.term.columns() - self.term.grid().cursor.point.column.0;
        self.term.delete_chars(count.min(left));
    }

    fn clear_screen(&mut self, mode: ClearMode) {
        let forget = matches!(mode, ClearMode::Saved) && !self.full_screen();
        if forget {
            // The program clears what is shown of the past; the past itself is not its to clear.
            self.collect(0);
        }
        if matches!(mode, ClearMode::Above) && self.term.grid().cursor.point.line == 1 {
            // The emulator leaves out the one row that is above.
            let bg = self.term.grid().cursor.template.bg;
            for cell in &mut self.term.grid_mut()[Row(0)][..] {
                *cell = bg.into();
            }
        }
        let at_home = self.term.grid().cursor.point == Point::default();
        if matches!(mode, ClearMode::All) || matches!(mode, ClearMode::Below) && at_home {
            self.picture_goes();
        }
        self.term.clear_screen(mode);
        self.scrolled();
        if forget {
            self.leaving.layouts += 1;
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
        self.leaving.layouts += 1;
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

    fn set_tabs(&mut self, interval: u16) {
        self.clear_tabs(TabulationClearMode::All);
        let back = self.term.grid().cursor.point.column;
        for column in (0..self.term.columns()).step_by(usize::from(interval).max(1)) {
            self.term.grid_mut().cursor.point.column = Column(column);
            self.set_horizontal_tabstop();
        }
        self.term.grid_mut().cursor.point.column = back;
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
        match mode.raw() {
            1048 => self.save_cursor_position(),
            2031 => self.told.theme_reports = true,
            _ => {}
        }
        let mode = as_known(mode);
        match mode {
            PrivateMode::Named(NamedPrivateMode::SwapScreenAndSetRestoreCursor) => {
                self.enter_full_screen();
            }
            PrivateMode::Named(NamedPrivateMode::SyncUpdate) => {
                self.picture_goes();
                self.told.updates += 1;
                self.told.update = Some(self.told.updates);
            }
            PrivateMode::Named(NamedPrivateMode::ColumnMode) => self.told.region = None,
            PrivateMode::Named(NamedPrivateMode::BlinkingCursor) => self.told.shaped = true,
            _ => {}
        }
        self.exclude(mode.raw(), Some(mode.raw()));
        self.term.set_private_mode(mode);
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        if mode == PrivateMode::Named(NamedPrivateMode::SwapScreenAndSetRestoreCursor)
            && !self.full_screen()
        {
            // There is no screen to leave, but there is a cursor to restore.
            self.restore_cursor_position();
            return;
        }
        match mode.raw() {
            47 | 1047 if self.full_screen() => {
                // These two are one cursor for both screens.
                let cursor = self.term.grid().cursor.clone();
                self.leave_full_screen();
                self.term.swap_alt();
                self.term.grid_mut().cursor = cursor;
                return;
            }
            1048 => self.restore_cursor_position(),
            2031 => self.told.theme_reports = false,
            _ => {}
        }
        let mode = as_known(mode);
        match mode {
            PrivateMode::Named(NamedPrivateMode::SwapScreenAndSetRestoreCursor) => {
                self.leave_full_screen();
            }
            PrivateMode::Named(NamedPrivateMode::SyncUpdate) => self.told.update = None,
            PrivateMode::Named(NamedPrivateMode::ColumnMode) => self.told.region = None,
            PrivateMode::Named(NamedPrivateMode::BlinkingCursor) => self.told.shaped = true,
            _ => {}
        }
        self.exclude(mode.raw(), None);
        self.term.unset_private_mode(mode);
        if mode == PrivateMode::Named(NamedPrivateMode::Origin) {
            self.term.goto(0, 0);
        }
    }

    fn report_keyboard_mode(&mut self) {
        let flags = self.told.keys.flags(self.full_screen());
        self.answer(format!("\x1b[?{flags}u"));
    }

    fn push_keyboard_mode(&mut self, flags: KeyboardModes) {
        self.told.keys.push(self.full_screen(), flags);
    }

    fn pop_keyboard_modes(&mut self, count: u16) {
        self.told.keys.pop(self.full_screen(), count);
    }

    fn set_keyboard_mode(&mut self, flags: KeyboardModes, how: KeyboardModesApplyBehavior) {
        self.told.keys.set(self.full_screen(), flags, how);
    }

    fn set_modify_other_keys(&mut self, level: ModifyOtherKeys) {
        self.told.keys.set_other(level);
    }

    fn report_modify_other_keys(&mut self) {
        self.answer(format!("\x1b[>4;{}m", self.told.keys.other));
    }

    fn set_hyperlink(&mut self, link: Option<Hyperlink>) {
        let sound = |text: &str, most| text.len() <= most && !text.contains(char::is_control);
        let mut link = link.filter(|link| {
            sound(&link.uri, MAX_LINK) && link.id.as_ref().is_none_or(|id| sound(id, MAX_LINK_ID))
        });
        if let Some(link) = &mut link
            && link.id.is_none()
        {
            // The emulator's own would be another one for the same bytes each time.
            self.told.links += 1;
            link.id = Some(format!("link-{}", self.told.links));
        }
        self.term.set_hyperlink(link);
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

/// The older ways to ask for the alternate screen are not known to the emulator, but to windows.
fn as_known(mode: PrivateMode) -> PrivateMode {
    match mode {
        PrivateMode::Unknown(47 | 1047) => {
            PrivateMode::Named(NamedPrivateMode::SwapScreenAndSetRestoreCursor)
        }
        other => other,
    }
}
