//! A pane's picture as bytes: what a window that attaches is sent, and what it makes the same screen of.
//!
//! In this order: a reset, the newest lines of the ring, the grid's rows, the full-screen program's screen, tab
//! stops and scroll region, the saved cursor, the cursor, modes. Rows that wrapped are printed so that the window
//! wraps them itself, and can lay them out anew when its width changes.

use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;

use crate::screen::{HalfPicture, ModeKind, Picture, PictureCursor, Screen};
use crate::scrollback::Scrollback;
use crate::styled::{Color, Link, Style, StyledLine};
use crate::types::{LineId, PaneSize};

/// A snapshot has no more scrollback than this, whatever was asked for.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// The beginning of an endless line is left out when it is longer than this.
const MAX_PARTIAL: usize = 64 * 1024;

/// A pane as it is now: bytes that give an empty terminal of the same size the same picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The size that the bytes are for.
    pub size: PaneSize,
    /// The id of the first line in `bytes`: with it a window knows which of its rows is which line.
    pub first_line: LineId,
    /// Escape sequences: a reset, scrollback with its colours, the screen, modes, the cursor.
    pub bytes: Vec<u8>,
}

/// Makes a snapshot with at most `rows` rows above the screen, and no line older than `floor`.
pub(crate) fn snapshot(
    screen: &mut Screen,
    ring: &Scrollback,
    floor: LineId,
    rows: u32,
) -> Snapshot {
    let picture = screen.picture();
    let mut printer = Printer::default();
    printer.out.extend_from_slice(b"\x1bc");
    let rows = rows as usize;
    let skipped = picture.history.saturating_sub(rows);
    let next = ring.next_id().0;
    let first_line = if skipped > 0 {
        let ended = picture.primary.rows[..skipped]
            .iter()
            .filter(|row| !row.wraps)
            .count();
        LineId(next + ended as u64)
    } else {
        let count = (rows - picture.history).min((next.saturating_sub(floor.0)) as usize);
        printer.ring(ring, count);
        let first = next - count.min(ring.len()) as u64;
        printer.partial(&picture);
        LineId(first)
    };
    printer.half(&picture.primary, skipped);
    if let Some(alternate) = &picture.alternate {
        printer.cursors(&picture.primary, None);
        // Only once this screen is left: its cursor keeps its pen, and the new screen has its colour.
        printer.out.extend_from_slice(b"\x1b[?1049h");
        printer.plain();
        printer.out.extend_from_slice(b"\x1b[2J\x1b[H");
        printer.half(alternate, 0);
    }
    printer.state(&picture);
    Snapshot {
        size: picture.size,
        first_line,
        bytes: printer.out,
    }
}

#[derive(Default)]
struct Printer {
    out: Vec<u8>,
    style: Style,
    link: Option<Arc<Link>>,
    drawing: [bool; 4],
}

impl Printer {
    fn ring(&mut self, ring: &Scrollback, count: usize) {
        if count == 0 {
            return;
        }
        for line in ring.styled_tail(count) {
            if self.out.len() > MAX_BYTES {
                // Too much to send: what follows is newer, so what is there goes.
                self.out.truncate(2);
            }
            self.line(&line);
            self.pen(Style::default());
            if !line.continues {
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    fn partial(&mut self, picture: &Picture) {
        let partial = &picture.partial;
        if partial.text.is_empty() || partial.text.len() > MAX_PARTIAL {
            return;
        }
        self.line(partial);
        self.pen(Style::default());
        match picture.primary.rows.first() {
            Some(row) if picture.aligned && !row.wide_first => self.out.extend_from_slice(b" \r"),
            _ => self.out.extend_from_slice(b"\r\n"),
        }
    }

    /// Prints rows from `skipped` on, and leaves the cursor in the last.
    fn half(&mut self, half: &HalfPicture, skipped: usize) {
        let rows = &half.rows[skipped..];
        let mut coloured = false;
        for (at, row) in rows.iter().enumerate() {
            self.line(&row.line);
            // Whatever scrolls in now takes the colour of the pen.
            self.pen(Style::default());
            if coloured && !row.wraps {
                self.out.extend_from_slice(b"\x1b[K");
            }
            coloured = row.wraps && row.gap;
            let Some(next) = rows.get(at + 1) else { break };
            self.out.extend_from_slice(match (row.wraps, row.gap) {
                (false, _) => b"\r\n".as_slice(),
                // A blank that makes the window wrap; the row is then printed over it.
                (true, false) => b" \r",
                // A wide character did not fit, and only itself will leave the same gap again.
                (true, true) if next.wide_first => b"".as_slice(),
                // It has been overwritten since: another one wraps, and goes.
                (true, true) => "\u{3000}\r\x1b[K".as_bytes(),
            });
        }
    }

    /// The saved cursor and the cursor; `origin`: the first row that positions count from, when not the screen's.
    fn cursors(&mut self, half: &HalfPicture, origin: Option<(usize, usize)>) {
        if half.saved != PictureCursor::default() {
            self.cursor(&half.saved, 0);
            self.out.extend_from_slice(b"\x1b7");
            self.charsets([false; 4]);
        }
        let Some((first, last)) = origin else {
            self.cursor(&half.cursor, 0);
            return;
        };
        if (first..=last).contains(&half.cursor.row) {
            self.out.extend_from_slice(b"\x1b[?6h");
            self.cursor(&half.cursor, first);
        } else {
            // Out of reach of positions: only a restored cursor can get there.
            self.cursor(&half.cursor, 0);
            self.out.extend_from_slice(b"\x1b7\x1b[?6h\x1b8");
        }
    }

    fn cursor(&mut self, cursor: &PictureCursor, first: usize) {
        let column = cursor
            .pending
            .as_ref()
            .map_or(cursor.column, |(column, _)| *column);
        self.csi(format_args!("{};{}H", cursor.row - first + 1, column + 1));
        if let Some((_, cell)) = &cursor.pending {
            self.line(cell);
        }
        self.pen(cursor.pen);
        self.link(cursor.link.as_ref());
        self.charsets(cursor.drawing);
    }

    fn charsets(&mut self, drawing: [bool; 4]) {
        for (index, draws) in drawing.into_iter().enumerate() {
            if self.drawing[index] != draws {
                self.out.push(0x1b);
                self.out.push(b"()*+"[index]);
                self.out.push(if draws { b'0' } else { b'B' });
            }
        }
        self.drawing = drawing;
    }

    fn plain(&mut self) {
        self.pen(Style::default());
        self.link(None);
        self.charsets([false; 4]);
    }

    fn state(&mut self, picture: &Picture) {
        if !picture.title.is_empty() {
            let _ = write!(self.out, "\x1b]2;{}\x07", picture.title);
        }
        for (index, (r, g, b)) in &picture.colors {
            let rgb = format!("rgb:{r:02x}/{g:02x}/{b:02x}");
            let _ = match index {
                0..256 => write!(self.out, "\x1b]4;{index};{rgb}\x07"),
                256..=258 => write!(self.out, "\x1b]{};{rgb}\x07", index - 246),
                _ => Ok(()),
            };
        }
        if let Some(tabs) = &picture.tabs {
            self.csi(format_args!("3g"));
            for (column, _) in tabs.iter().enumerate().filter(|(_, stop)| **stop) {
                self.csi(format_args!("1;{}H", column + 1));
                self.out.extend_from_slice(b"\x1bH");
            }
        }
        let rows = usize::from(picture.size.rows);
        let (first, last) = picture.region.unwrap_or((1, rows));
        if picture.region.is_some() {
            self.csi(format_args!("{first};{last}r"));
        }
        let half = picture.alternate.as_ref().unwrap_or(&picture.primary);
        self.cursors(half, picture.origin.then(|| (first - 1, last - 1)));
        match picture.charset {
            1 => self.out.push(0x0e),
            2 => self.out.extend_from_slice(b"\x1bn"),
            3 => self.out.extend_from_slice(b"\x1bo"),
            _ => {}
        }
        if let Some(shape) = picture.cursor_shape {
            self.csi(format_args!("{shape} q"));
        }
        for (kind, number, on) in &picture.modes {
            let end = if *on { 'h' } else { 'l' };
            match kind {
                ModeKind::Private => self.csi(format_args!("?{number}{end}")),
                ModeKind::Ansi => self.csi(format_args!("{number}{end}")),
                ModeKind::Keypad => self.out.extend_from_slice(b"\x1b="),
            }
        }
    }

    fn csi(&mut self, rest: std::fmt::Arguments<'_>) {
        // Writing to memory does not fail.
        let _ = write!(self.out, "\x1b[{rest}");
    }

    fn line(&mut self, line: &StyledLine) {
        let mut at = 0;
        for run in &line.links {
            let (start, end) = (run.start as usize, run.end as usize);
            self.text(line, at..start);
            self.link(Some(&run.link));
            self.styled(line, start..end);
            at = end;
        }
        self.text(line, at..line.text.len());
    }

    /// Prints a part of a line that is no link.
    fn text(&mut self, line: &StyledLine, range: Range<usize>) {
        self.link(None);
        self.styled(line, range);
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
                self.out
                    .extend_from_slice(&line.text.as_bytes()[from..start]);
                from = start;
            }
            if start == range.end {
                return;
            }
            style = run.style;
        }
        if from < range.end {
            self.pen(style);
            self.out
                .extend_from_slice(&line.text.as_bytes()[from..range.end]);
        }
    }

    /// Begins a link, or ends the one that was begun.
    fn link(&mut self, link: Option<&Arc<Link>>) {
        if self.link.as_ref() == link {
            return;
        }
        self.link = link.cloned();
        // Writing to memory does not fail.
        let _ = match link {
            Some(link) => write!(self.out, "\x1b]8;id={};{}\x1b\\", link.id, link.target),
            None => write!(self.out, "\x1b]8;;\x1b\\"),
        };
    }

    fn pen(&mut self, style: Style) {
        if self.style == style {
            return;
        }
        self.style = style;
        self.out.extend_from_slice(sgr(style).as_bytes());
    }
}

/// The sequence after which what is printed has this style.
pub(crate) fn sgr(style: Style) -> String {
    if style.is_default() {
        return "\x1b[m".to_owned();
    }
    let mut sgr = String::from("\x1b[0");
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
    sgr.push('m');
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::{Colours, Going, Said, Sink};
    use crate::scrollback::ScrollbackLimits;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    struct Ring(Scrollback);

    impl Sink for Ring {
        fn line(&mut self, line: &StyledLine) {
            self.0.push(line);
        }
        fn said(&mut self, _: Said, _: u64) {}
        fn picture_goes(&mut self, _: Going, _: impl FnOnce() -> Vec<String>) {}
    }

    fn screen(size: PaneSize, bytes: &[u8]) -> (Screen, Ring) {
        let mut screen = Screen::new(size, Colours::default());
        let mut ring = Ring(Scrollback::new(ScrollbackLimits::default()));
        screen.feed(bytes, &mut ring);
        (screen, ring)
    }

    /// Everything that a person or a program could tell two screens apart by.
    fn face(screen: &mut Screen) -> String {
        let mut picture = screen.picture();
        let halves = [Some(picture.primary), picture.alternate.take()];
        let mut face = String::new();
        for half in halves.into_iter().flatten() {
            let history = half.rows.len() - usize::from(picture.size.rows);
            let last = half.rows.len() - 1;
            for (at, row) in half.rows.iter().enumerate().skip(history) {
                // A last row that wraps into nothing can't be printed without scrolling.
                let wraps = row.wraps && at != last;
                let text = if at == last {
                    row.line.text.trim_end()
                } else {
                    &row.line.text
                };
                let (runs, links) = (&row.line.runs, &row.line.links);
                face.push_str(&format!("{text:?} {wraps} {runs:?} {links:?}\n"));
            }
            face.push_str(&format!("{:?}\n", half.cursor));
            // A cursor out of the reach of positions is brought back by way of the saved one.
            if !picture.origin {
                face.push_str(&format!("{:?}\n", half.saved));
            }
        }
        face.push_str(&format!(
            "{:?} {:?} {:?} {:?} {} {:?} {:?} {:?}\n",
            picture.tabs,
            picture.region,
            picture.charset,
            picture.title,
            picture.origin,
            picture.modes,
            picture.cursor_shape,
            picture.colors
        ));
        face
    }

    fn replayed(size: PaneSize, bytes: &[u8]) -> (String, String) {
        let (mut original, ring) = screen(size, bytes);
        let taken = snapshot(&mut original, &ring.0, LineId(0), 1_000);
        let (mut copy, _) = screen(size, &taken.bytes);
        (face(&mut original), face(&mut copy))
    }

    #[test]
    fn links_are_in_a_snapshot_wherever_they_are() {
        let size = PaneSize { cols: 20, rows: 4 };
        let mut bytes = Vec::new();
        for number in 0..400 {
            bytes.extend_from_slice(
                format!(
                    "see \x1b]8;id={number};https://example.org/{number}\x1b\\page \x1b[31m{number}\x1b[m, \
                     which goes on\x1b]8;;\x1b\\ here\r\n"
                )
                .as_bytes(),
            );
        }
        bytes.extend_from_slice(b"\x1b]8;id=open;file:///etc\x07written on");
        let (original, copy) = replayed(size, &bytes);
        assert_eq!(original, copy);

        let (mut screen, ring) = screen(size, &bytes);
        assert!(ring.0.len() > 30, "some lines are in the ring");
        let taken = snapshot(&mut screen, &ring.0, LineId(0), 1_000);
        let text = String::from_utf8(taken.bytes).unwrap();
        for number in [0, 200, 399] {
            let link = format!("\x1b]8;id={number};https://example.org/{number}\x1b\\page");
            assert!(text.contains(&link), "{number}");
        }
        // What is written next goes on being one.
        assert!(
            text.ends_with("\x1b]8;id=open;file:///etc\x1b\\"),
            "{text:?}"
        );
    }

    #[test]
    fn a_link_that_no_terminal_would_take_is_text() {
        let size = PaneSize { cols: 20, rows: 4 };
        let long = "x".repeat(3_000);
        for target in [long.as_str(), "https://a\u{85}b"] {
            let bytes = format!("\x1b]8;;{target}\x07text\x1b]8;;\x07");
            let (mut screen, ring) = screen(size, bytes.as_bytes());
            let taken = snapshot(&mut screen, &ring.0, LineId(0), 10);
            let text = String::from_utf8(taken.bytes).unwrap();
            assert!(
                text.contains("text") && !text.contains("\x1b]8"),
                "{text:?}"
            );
        }
    }

    /// Bytes as programs write them, and worse.
    fn output() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            6 => "[a-z ]{1,12}".prop_map(String::into_bytes),
            2 => Just(b"\r\n".to_vec()),
            1 => prop::sample::select(vec!["漢", "é", "e\u{301}", "\u{1f600}", "\t", "\n", "\r", "\x08"])
                .prop_map(|text| text.as_bytes().to_vec()),
            4 => (prop::sample::select(b"ABCDEFGHJKLPSTXdfmsu@`".to_vec()), 0u16..12, 0u16..12)
                .prop_map(|(end, a, b)| format!("\x1b[{a};{b}{}", end as char).into_bytes()),
            3 => (prop::sample::select(vec![0, 1, 2, 3, 4, 7, 8, 9, 21, 31, 42, 95, 103]))
                .prop_map(|n| format!("\x1b[{n}m").into_bytes()),
            1 => (0u8..=255).prop_map(|n| format!("\x1b[38;5;{n};48;2;1;2;{n}m").into_bytes()),
            2 => (prop::sample::select(vec![1, 6, 7, 25, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1049, 2004, 2026, 9]),
                  any::<bool>())
                .prop_map(|(n, on)| format!("\x1b[?{n}{}", if on { 'h' } else { 'l' }).into_bytes()),
            1 => prop::sample::select(vec![
                    "\x1b[4h", "\x1b[4l", "\x1b[20h", "\x1b7", "\x1b8", "\x1bM", "\x1bD", "\x1bE", "\x1bH", "\x1b[g",
                    "\x1b[3g", "\x1b(0", "\x1b(B", "\x1b)0", "\x0e", "\x0f", "\x1b=", "\x1b>", "\x1b[2;5r", "\x1b[r",
                    "\x1b[5 q", "\x1b]2;title\x07", "\x1b]4;1;#ff0000\x07", "\x1b[20b", "\x1b[3J", "\x1b#8",
                    "\x1b[4:3m", "\x1b[58:5:3m",
                ]).prop_map(|text| text.as_bytes().to_vec()),
        ];
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    fn sizes() -> impl Strategy<Value = PaneSize> {
        (4u16..30, 1u16..10).prop_map(|(cols, rows)| PaneSize { cols, rows })
    }

    proptest! {
        // The same cases each time: the corners of terminals are endless, and one more of them is not a
        // reason for an unrelated change to fail. Raise `cases` to look for more.
        #![proptest_config(ProptestConfig {
            cases: 150,
            rng_seed: RngSeed::Fixed(20),
            ..ProptestConfig::default()
        })]

        #[test]
        fn a_snapshot_makes_the_same_screen(size in sizes(), bytes in output()) {
            let (original, copy) = replayed(size, &bytes);
            prop_assert_eq!(original, copy);
        }

        #[test]
        fn bytes_cut_anywhere_make_the_same_lines_and_screen(
            size in sizes(), bytes in output(), cut in 1usize..9,
        ) {
            let (mut whole, ring) = screen(size, &bytes);
            let mut parts = Screen::new(size, Colours::default());
            let mut parts_ring = Ring(Scrollback::new(ScrollbackLimits::default()));
            for part in bytes.chunks(cut) {
                parts.feed(part, &mut parts_ring);
            }
            prop_assert_eq!(whole.lines(), parts.lines());
            prop_assert_eq!(face(&mut whole), face(&mut parts));
            let all: Vec<_> = ring.0.styled_tail(10_000).collect();
            let all_parts: Vec<_> = parts_ring.0.styled_tail(10_000).collect();
            prop_assert_eq!(all, all_parts);
        }

        #[test]
        fn any_bytes_and_any_sizes_are_survived(
            parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..200), output(), sizes()), 0..12),
        ) {
            let (mut screen, mut ring) = screen(PaneSize::default(), b"");
            for (noise, bytes, size) in parts {
                screen.feed(&noise, &mut ring);
                screen.feed(&bytes, &mut ring);
                screen.resize(size, &mut ring);
                prop_assert_eq!(screen.first_line(), ring.0.next_id().0);
                let taken = snapshot(&mut screen, &ring.0, LineId(0), 50);
                prop_assert!(taken.first_line.0 <= ring.0.next_id().0 + 1_000);
            }
        }
    }
}
