//! A pane's picture as a whole: what a window that attaches is sent, and what it makes the same screen of.
//!
//! In this order: the newest lines of the ring, the grid's rows, the full-screen program's screen, and how the
//! window is to behave. From there on it is told what changes.

use crate::ink::{Ink, cells_in_last_row};
use crate::screen::{Drawn, LeadFor, LeadTail, Screen};
use crate::scrollback::Scrollback;
use crate::styled::StyledLine;
use crate::types::{LineId, PaneSize};

/// A snapshot has no more scrollback than this, whatever was asked for.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// The beginning of an endless line is left out when it is longer than this.
const MAX_PARTIAL: usize = 64 * 1024;

/// A pane as it is now: bytes that give an empty window of the same size the same picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The size that the bytes are for.
    pub size: PaneSize,
    /// The id of the first line in `bytes`: with it a window knows which of its rows is which line.
    pub first_line: LineId,
    /// There is more scrollback than is in `bytes`: while output floods, of what was asked for as well, and a whole
    /// snapshot follows.
    pub light: bool,
    /// Escape sequences: scrollback with its colours, the screen, modes, the cursor.
    pub bytes: Vec<u8>,
}

/// Makes a snapshot with at most `rows` rows above the screen, and no line older than `floor`, and says what a window
/// shows then.
pub(crate) fn snapshot(
    screen: &mut Screen,
    ring: &Scrollback,
    floor: LineId,
    rows: u32,
) -> (Snapshot, Drawn) {
    let mut ink = Ink::default();
    let above = screen.rows_above();
    let rows = rows as usize;
    let skipped = above.len().saturating_sub(rows);
    let next = ring.next_id().0;
    let mut first = next + above[..skipped].iter().filter(|ends| **ends).count() as u64;
    let there = (next.saturating_sub(floor.0) as usize).min(ring.len());
    let lines = there.min(rows - (above.len() - skipped));
    if skipped == 0 {
        first = next - print_lines(&mut ink, ring, lines);
    }
    let drawn = screen.draw_all(skipped, &mut ink, print_partial);
    let snapshot = Snapshot {
        size: screen.size(),
        first_line: LineId(first),
        light: skipped > 0 || lines < there,
        bytes: ink.out,
    };
    (snapshot, drawn)
}

/// Prints the newest `count` lines of the ring; says how many there are.
fn print_lines(ink: &mut Ink, ring: &Scrollback, count: usize) -> u64 {
    let from = ink.out.len();
    let mut lines = 0;
    for line in ring.styled_tail(count) {
        if ink.out.len() > MAX_BYTES {
            // Too much to send: what follows is newer, so what is there goes.
            ink.out.truncate(from);
            lines = 0;
        }
        ink.line(&line);
        ink.plain();
        ink.raw(b"\r\n");
        lines += 1;
    }
    lines
}

/// Prints the beginning of a line whose rest is in the rows that follow.
fn print_partial(ink: &mut Ink, lead: LeadFor<'_>) -> Option<LeadTail> {
    let partial: &StyledLine = lead.partial?;
    if partial.text.is_empty() || partial.text.len() > MAX_PARTIAL {
        return None;
    }
    ink.line(partial);
    ink.plain();
    let left = lead.cols - cells_in_last_row(&partial.text, lead.cols);
    if left == 1 && lead.wide_first {
        return Some(LeadTail::Gap);
    }
    // Rows of another width ended elsewhere; what follows has its own.
    for _ in 0..left {
        ink.raw(b" ");
    }
    Some(LeadTail::Waits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::{Colours, Face, Going, Said, Sink, View};
    use crate::scrollback::ScrollbackLimits;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    struct Ring(Scrollback);

    impl Sink for Ring {
        fn line(&mut self, line: &StyledLine) {
            self.0.push(line);
        }
        fn said(&mut self, _: Said, _: u64) {}
        fn rows_leave(&mut self, _: &View<'_>) {}
        fn picture_goes(&mut self, _: Going, _: impl FnOnce() -> Vec<String>) {}
    }

    fn screen(size: PaneSize, bytes: &[u8]) -> (Screen, Ring) {
        let mut screen = Screen::new(size, Colours::default());
        let mut ring = Ring(Scrollback::new(ScrollbackLimits::default()));
        screen.feed(bytes, &mut ring);
        (screen, ring)
    }

    fn replayed(size: PaneSize, bytes: &[u8]) -> (Face, Face) {
        let (mut original, ring) = screen(size, bytes);
        let (taken, _) = snapshot(&mut original, &ring.0, LineId(0), 1_000);
        let (mut copy, _) = screen(size, &taken.bytes);
        (seen(&mut original), seen(&mut copy))
    }

    /// What is seen of a screen: not what is above it, which is laid out from lines.
    fn seen(screen: &mut Screen) -> Face {
        Face {
            above: Vec::new(),
            ..screen.face()
        }
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
        let (taken, _) = snapshot(&mut screen, &ring.0, LineId(0), 1_000);
        let text = String::from_utf8(taken.bytes).unwrap();
        for number in [0, 200, 399] {
            let link = format!("\x1b]8;id={number};https://example.org/{number}\x1b\\page");
            assert!(text.contains(&link), "{number}");
        }
    }

    #[test]
    fn a_link_that_no_terminal_would_take_is_text() {
        let size = PaneSize { cols: 20, rows: 4 };
        let long = "x".repeat(3_000);
        for target in [long.as_str(), "https://a\u{85}b"] {
            let bytes = format!("\x1b]8;;{target}\x07text\x1b]8;;\x07");
            let (mut screen, ring) = screen(size, bytes.as_bytes());
            let (taken, _) = snapshot(&mut screen, &ring.0, LineId(0), 10);
            let text = String::from_utf8(taken.bytes).unwrap();
            assert!(
                text.contains("text") && !text.contains("\x1b]8"),
                "{text:?}"
            );
        }
    }

    include!("../tests/support/grammar.rs");

    proptest! {
        // The same cases each time: the corners of terminals are endless, and one more of them is not a
        // reason for an unrelated change to fail. Raise `cases` to look for more.
        #![proptest_config(ProptestConfig {
            cases: 150,
            rng_seed: RngSeed::Fixed(20),
            ..ProptestConfig::default()
        })]

        #[test]
        fn a_snapshot_makes_the_same_screen(size in sizes(), bytes in output_bytes()) {
            let (original, copy) = replayed(size, &bytes);
            prop_assert_eq!(original, copy);
        }

        #[test]
        fn bytes_cut_anywhere_make_the_same_lines_and_screen(
            size in sizes(), bytes in output_bytes(), cut in 1usize..9,
        ) {
            let (mut whole, ring) = screen(size, &bytes);
            let mut parts = Screen::new(size, Colours::default());
            let mut parts_ring = Ring(Scrollback::new(ScrollbackLimits::default()));
            for part in bytes.chunks(cut) {
                parts.feed(part, &mut parts_ring);
            }
            prop_assert_eq!(whole.lines(), parts.lines());
            prop_assert_eq!(seen(&mut whole), seen(&mut parts));
            let all: Vec<_> = ring.0.styled_tail(10_000).collect();
            let all_parts: Vec<_> = parts_ring.0.styled_tail(10_000).collect();
            prop_assert_eq!(all, all_parts);
        }

        #[test]
        fn any_bytes_and_any_sizes_are_survived(
            parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..200), output_bytes(), sizes()), 0..12),
        ) {
            let (mut screen, mut ring) = screen(PaneSize::default(), b"");
            for (noise, bytes, size) in parts {
                screen.feed(&noise, &mut ring);
                screen.feed(&bytes, &mut ring);
                screen.resize(size, &mut ring);
                prop_assert_eq!(screen.first_line(), ring.0.next_id().0);
                let (taken, _) = snapshot(&mut screen, &ring.0, LineId(0), 50);
                prop_assert!(taken.first_line.0 <= ring.0.next_id().0 + 1_000);
            }
        }
    }
}
