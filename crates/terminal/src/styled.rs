//! What a line looks like: its text, and where its style changes.
//!
//! The screen makes [`StyledLine`]s out of its cells, the ring keeps them, and the snapshot turns them back
//! into escape sequences. Nobody else needs to know how either side stores them.

use std::sync::Arc;

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

/// How a cell is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Style {
    /// The colour of the text.
    pub fg: Color,
    /// The colour behind it.
    pub bg: Color,
    /// The colour of its underline; [`Color::Default`]: the colour of the text.
    pub underline: Color,
    /// Bold, italic and so on: a union of the constants of [`Style`].
    pub flags: u16,
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

    /// Whether this is the style of plain text.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A colour as the program named it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Color {
    /// The theme's own foreground or background.
    #[default]
    Default,
    /// One of the 256 colours of the palette.
    Indexed(u8),
    /// A colour of its own.
    Rgb(u8, u8, u8),
}
