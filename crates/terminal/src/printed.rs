//! What a program wrote to a file or a pipe, read as lines: for those who show it without a pane.

use crate::ink::sgr;
use crate::screen::{Colours, Going, Said, Screen, Sink, View};
use crate::styled::{Style, StyledLine};
use crate::types::PaneSize;

/// Wide enough that a bar which is drawn over itself seldom wraps, and as tall as a program may go back up.
const SIZE: PaneSize = PaneSize {
    cols: 240,
    rows: 24,
};

struct Gathered(Vec<StyledLine>);

impl Sink for Gathered {
    fn line(&mut self, line: &StyledLine) {
        self.0.push(line.clone());
    }

    fn said(&mut self, _: Said, _: u64) {}

    fn rows_leave(&mut self, _: &View<'_>) {}

    fn picture_goes(&mut self, _: Going, _: impl FnOnce() -> Vec<String>) {}
}

/// Reads what a program wrote as the lines that a terminal would show, and the style that goes on behind them.
///
/// A text in pieces is read piece by piece, each from the style that the one before ended with; cut between lines, they
/// make the lines of the whole, unless the program went back up over a cut.
pub fn printed_lines(text: &[u8], style: Style) -> (Vec<StyledLine>, Style) {
    let mut screen = Screen::new(SIZE, Colours::default());
    let mut lines = Gathered(Vec::new());
    screen.feed(format!("\x1b[{}m", sgr(style)).as_bytes(), &mut lines);
    // What a terminal's driver does on the way.
    let ended: Vec<u8> = text
        .iter()
        .flat_map(|byte| match byte {
            b'\n' => b"\r\n".as_slice(),
            byte => std::slice::from_ref(byte),
        })
        .copied()
        .collect();
    screen.feed(&ended, &mut lines);
    // Blank lines at the end are on no screen; they were printed all the same.
    let begun = !text.is_empty() && !text.ends_with(b"\n");
    let count = screen.line_at_cursor() as usize + usize::from(begun);
    let style = screen.pen();
    let mut lines = lines.0;
    lines.extend(screen.lines());
    if lines.len() < count {
        lines.resize_with(count, StyledLine::default);
    }
    (lines, style)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line with its spans.
    fn lines(text: &str) -> String {
        let (lines, _) = printed_lines(text.as_bytes(), Style::default());
        let told = lines.iter().map(|line| {
            let spans = serde_json::to_string(&line.spans()).unwrap();
            format!("{:?} {spans}\n", line.text)
        });
        told.collect()
    }

    #[test]
    fn lines_have_their_colours() {
        insta::assert_snapshot!(lines("plain\n\x1b[1;32mok\x1b[0m done\n\x1b[38;5;208mon\nand on"), @r#"
        "plain" []
        "ok done" [{"length":2,"style":{"fg":2,"flags":1}},{"length":5,"style":{}}]
        "on" [{"length":2,"style":{"fg":208}}]
        "and on" [{"length":6,"style":{"fg":208}}]
        "#);
    }

    #[test]
    fn a_line_that_was_drawn_over_is_what_it_was_last() {
        insta::assert_snapshot!(lines("10%\r50%\r100%\ndone\r\n"), @r#"
        "100%" []
        "done" []
        "#);
    }

    #[test]
    fn blank_lines_are_lines() {
        insta::assert_snapshot!(lines("\n\na\n\n\n"), @r#"
        "" []
        "" []
        "a" []
        "" []
        "" []
        "#);
        assert_eq!(lines(""), "");
    }

    #[test]
    fn a_long_line_is_one_and_many_lines_are_all_there() {
        let long = "x".repeat(5_000);
        let (read, _) = printed_lines(format!("{long}\nshort\n").as_bytes(), Style::default());
        assert_eq!((read[0].text == long, read.len()), (true, 2));
        let many: String = (0..3_000)
            .map(|number| format!("line {number}\n"))
            .collect();
        let (read, _) = printed_lines(many.as_bytes(), Style::default());
        assert_eq!(read.len(), 3_000);
        assert_eq!(read[2_999].text, "line 2999");
    }

    #[test]
    fn pieces_of_whole_lines_make_the_lines_of_the_whole() {
        let text = "a\x1b[31m\nb\n\n\x1b[1mc\x1b[0;4md\ne\n";
        let (whole, end) = printed_lines(text.as_bytes(), Style::default());
        let (mut pieces, mut style) = (Vec::new(), Style::default());
        for piece in text.split_inclusive('\n') {
            let (lines, after) = printed_lines(piece.as_bytes(), style);
            pieces.extend(lines);
            style = after;
        }
        assert_eq!((pieces, style), (whole, end));
        assert_eq!(end.flags, Style::UNDERLINE);
    }
}
