//! Control sequences that the emulator does not know, and that programs use: see [`Control`].
//!
//! What each does is in `screen/extra.rs`; which there are, with their standards and answers, in
//! `screen/conformance.rs`.

/// A control sequence beyond the emulator's, with its parameters as they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// DECSTR: all that a program sets is as after a reset; what is on screen stays.
    SoftReset,
    /// DECSCA: whether what is written from now on is kept by a selective erase.
    Protect(bool),
    /// DECSED: erases what is not protected, below (0), above (1) or on all of the screen (2).
    SelectiveEraseInDisplay(u16),
    /// DECSEL: the same in the line.
    SelectiveEraseInLine(u16),
    /// DECIC: columns move right from the cursor on.
    InsertColumns(u16),
    /// DECDC: columns move left, over the cursor's.
    DeleteColumns(u16),
    /// SL: all columns move left.
    ShiftLeft(u16),
    /// SR: all columns move right.
    ShiftRight(u16),
    /// XTVERSION: which program is this?
    AskVersion,
    /// DA3: which unit is it?
    AskUnit,
    /// DECXCPR: where is the cursor?
    AskCursor,
    /// Is the theme a dark one?
    AskTheme,
    /// XTWINOPS 16: how large is a cell?
    AskCellSize,
}

impl Control {
    /// The sequence with these parameters and intermediates and this final byte; nothing when it is the emulator's.
    pub(crate) fn parse(body: &[u8], last: u8) -> Option<Control> {
        let params = body
            .iter()
            .position(|byte| matches!(byte, 0x20..=0x2f))
            .unwrap_or(body.len());
        let (params, intermediates) = body.split_at(params);
        let (prefix, params) = match params.split_first() {
            Some((prefix @ b'<'..=b'?', rest)) => (Some(*prefix), rest),
            _ => (None, params),
        };
        // The usual ones are recognised by this alone.
        if prefix.is_none() && intermediates.is_empty() && last != b't' {
            return None;
        }
        let first = params.split(|byte| matches!(byte, b';' | b':')).next()?;
        let number = if first.is_empty() {
            0
        } else {
            std::str::from_utf8(first).ok()?.parse().ok()?
        };
        let count = number.max(1);
        match (prefix, intermediates, last) {
            (None, b"!", b'p') => Some(Control::SoftReset),
            (None, b"\"", b'q') => Some(Control::Protect(number == 1)),
            (Some(b'?'), b"", b'J') => Some(Control::SelectiveEraseInDisplay(number)),
            (Some(b'?'), b"", b'K') => Some(Control::SelectiveEraseInLine(number)),
            (None, b"'", b'}') => Some(Control::InsertColumns(count)),
            (None, b"'", b'~') => Some(Control::DeleteColumns(count)),
            (None, b" ", b'@') => Some(Control::ShiftLeft(count)),
            (None, b" ", b'A') => Some(Control::ShiftRight(count)),
            (Some(b'>'), b"", b'q') if number == 0 => Some(Control::AskVersion),
            (Some(b'='), b"", b'c') if number == 0 => Some(Control::AskUnit),
            (Some(b'?'), b"", b'n') if number == 6 => Some(Control::AskCursor),
            (Some(b'?'), b"", b'n') if number == 996 => Some(Control::AskTheme),
            (None, b"", b't') if number == 16 => Some(Control::AskCellSize),
            _ => None,
        }
    }
}
