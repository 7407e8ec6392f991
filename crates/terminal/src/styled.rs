//! What a line looks like: its text, and where its style changes.
//!
//! The screen makes [`StyledLine`]s out of its cells, the ring keeps them, and the snapshot turns them back
//! into escape sequences. Nobody else needs to know how either side stores them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use specta::Type;

/// One logical line: what the program printed up to a newline, however the screen wrapped it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StyledLine {
    /// Its text, without the newline and without trailing blanks of the default style.
    pub text: String,
    /// Where the style changes, in ascending order of `start`; text before the first run has the default
    /// style, so that a plain line has no runs at all.
    pub runs: Vec<StyleRun>,
    /// The parts of it that the program made links, in ascending order.
    pub links: Vec<LinkRun>,
    /// It was sampled from a full-screen program instead of having left the screen.
    pub full_screen: bool,
    /// It goes on in the next line: a line too long to be kept in one piece.
    pub continues: bool,
}

impl StyledLine {
    /// Its styles, for whoever reads its text outside of a terminal: spans that follow one another and are all of the
    /// text together. A plain line has none.
    pub fn spans(&self) -> Vec<Span> {
        if self.runs.is_empty() {
            return Vec::new();
        }
        let starts = self.runs.iter().map(|run| run.start as usize);
        let ends = starts.chain([self.text.len()]);
        let styles = [Style::default()].into_iter();
        let styles = styles.chain(self.runs.iter().map(|run| run.style));
        let mut at = 0;
        let spans = ends.zip(styles).filter_map(|(end, style)| {
            let text = self.text.get(at..end)?;
            at = end;
            (!text.is_empty()).then(|| Span {
                length: text.chars().map(|char| char.len_utf16() as u32).sum(),
                style,
            })
        });
        spans.collect()
    }
}

/// A part of a line in one style, as it is read outside of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Span {
    /// How long it is, in UTF-16 code units, by which a page counts.
    pub length: u32,
    /// What it looks like.
    pub style: Style,
}

/// Keeps what the first `length` code units of a text look like.
pub(crate) fn cut_spans(spans: &mut Vec<Span>, length: u32) {
    let mut left = length;
    spans.retain_mut(|span| {
        span.length = span.length.min(left);
        left -= span.length;
        span.length > 0
    });
}

/// From `start` to the next run, or to the end of the line, the text has `style`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StyleRun {
    /// A byte offset in the line's text, on a character's border.
    pub start: u32,
    /// What the text looks like from there.
    pub style: Style,
}

/// The text from `start` to `end` is a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRun {
    /// A byte offset in the line's text, on a character's border.
    pub start: u32,
    /// Another, after it.
    pub end: u32,
    /// Where it leads.
    pub link: Arc<Link>,
}

/// A link as a program gave it (OSC 8): nothing in it has been checked, and nobody follows it unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What the pieces of one link have in common.
    pub id: String,
    /// Where it leads.
    pub target: String,
}

/// How a cell is drawn. What is as in plain text is left out when it is written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct Style {
    /// The colour of the text.
    #[serde(skip_serializing_if = "Color::is_default")]
    pub fg: Color,
    /// The colour behind it.
    #[serde(skip_serializing_if = "Color::is_default")]
    pub bg: Color,
    /// The colour of its underline; [`Color::Default`]: the colour of the text.
    #[serde(skip_serializing_if = "Color::is_default")]
    pub underline: Color,
    /// Bold, italic and so on: a union of the constants of [`Style`].
    #[serde(skip_serializing_if = "no_flags")]
    pub flags: u16,
}

fn no_flags(flags: &u16) -> bool {
    *flags == 0
}

impl Style {
    /// Bold.
    pub const BOLD: u16 = 1;
    /// Faint.
    pub const DIM: u16 = 1 << 1;
    /// Italic.
    pub const ITALIC: u16 = 1 << 2;
    /// Foreground and background swapped.
    pub const INVERSE: u16 = 1 << 3;
    /// Not shown.
    pub const HIDDEN: u16 = 1 << 4;
    /// Struck through.
    pub const STRIKE: u16 = 1 << 5;
    /// Underlined once.
    pub const UNDERLINE: u16 = 1 << 6;
    /// Underlined twice.
    pub const DOUBLE_UNDERLINE: u16 = 1 << 7;
    /// Underlined with a wave.
    pub const UNDERCURL: u16 = 1 << 8;
    /// Underlined with dots.
    pub const DOTTED_UNDERLINE: u16 = 1 << 9;
    /// Underlined with dashes.
    pub const DASHED_UNDERLINE: u16 = 1 << 10;

    /// Every flag by its name, for pages.
    pub const FLAGS: [(&str, u16); 11] = [
        ("bold", Self::BOLD),
        ("dim", Self::DIM),
        ("italic", Self::ITALIC),
        ("inverse", Self::INVERSE),
        ("hidden", Self::HIDDEN),
        ("strike", Self::STRIKE),
        ("underline", Self::UNDERLINE),
        ("double-underline", Self::DOUBLE_UNDERLINE),
        ("undercurl", Self::UNDERCURL),
        ("dotted-underline", Self::DOTTED_UNDERLINE),
        ("dashed-underline", Self::DASHED_UNDERLINE),
    ];

    /// Whether this is the style of plain text.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A colour as the program named it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(untagged)]
pub enum Color {
    /// The theme's own foreground or background.
    #[default]
    Default,
    /// One of the 256 colours of the palette.
    Indexed(u8),
    /// A colour of its own.
    Rgb(u8, u8, u8),
}

impl Color {
    fn is_default(&self) -> bool {
        *self == Self::Default
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, runs: &[(u32, u8)]) -> StyledLine {
        StyledLine {
            text: text.to_owned(),
            runs: runs
                .iter()
                .map(|&(start, color)| StyleRun {
                    start,
                    style: Style {
                        fg: Color::Indexed(color),
                        ..Style::default()
                    },
                })
                .collect(),
            ..StyledLine::default()
        }
    }

    #[test]
    fn spans_are_all_of_the_text_in_its_order() {
        let read = |text, runs| serde_json::to_string(&line(text, runs).spans()).unwrap();
        assert_eq!(read("plain", &[]), "[]");
        // Before the first run it is plain; a page counts in halves of what lies outside of the first plane.
        insta::assert_snapshot!(
            read("a\u{1f600}é漢", &[(1, 2), (7, 3)]),
            @r#"[{"length":1,"style":{}},{"length":3,"style":{"fg":2}},{"length":1,"style":{"fg":3}}]"#
        );
        // A run at the end of the text, or beyond it, looks like nothing.
        insta::assert_snapshot!(
            read("ab", &[(0, 1), (2, 3), (9, 4)]),
            @r#"[{"length":2,"style":{"fg":1}}]"#
        );
    }

    #[test]
    fn spans_are_cut_with_their_text() {
        let mut spans = line("abcdef", &[(2, 1), (4, 2)]).spans();
        cut_spans(&mut spans, 3);
        let lengths: Vec<_> = spans.iter().map(|span| span.length).collect();
        assert_eq!(lengths, [2, 1]);
    }

    #[test]
    fn a_style_is_read_as_it_was_written() {
        let style = Style {
            fg: Color::Rgb(1, 2, 3),
            bg: Color::Indexed(200),
            underline: Color::Default,
            flags: Style::BOLD | Style::UNDERCURL,
        };
        let json = serde_json::to_string(&style).unwrap();
        insta::assert_snapshot!(json, @r#"{"fg":[1,2,3],"bg":200,"flags":257}"#);
        assert_eq!(serde_json::from_str::<Style>(&json).unwrap(), style);
    }
}
