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
    /// XTWINOPS 15: how large is the screen, in pixels?
    AskScreenPixels,
    /// XTWINOPS 11, 13 and 19: is the window open, where is it, how large is the screen in cells? It is open, and its own
    /// screen, whatever there is around it.
    AskWindow(u16),
    /// DECDSR about what there is not: printers, locators, macros, sessions.
    AskDevice(Device),
    /// DECFI: one column right; at the edge the columns move left.
    ForwardIndex,
    /// DECBI: one column left; at the edge the columns move right.
    BackIndex,
    /// DECFRA: fills a rectangle with a character.
    Fill(u16, Area),
    /// DECERA: erases a rectangle.
    Erase(Area),
    /// DECSERA: erases what is not protected of a rectangle.
    SelectiveErase(Area),
    /// DECCRA: copies a rectangle to this row and column.
    Copy(Area, (u16, u16)),
    /// DECCARA, DECRARA: changes attributes, or turns them round.
    ChangeAttributes(Area, Attributes),
    /// DECSACE: whether the two change a rectangle, or all from its first corner to its last.
    Rectangles(bool),
}

/// A rectangle as a program says it: from 1 on, 0 for what it did not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) top: u16,
    pub(crate) left: u16,
    pub(crate) bottom: u16,
    pub(crate) right: u16,
}

/// Which attributes become what, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attributes {
    /// These are set, those are not.
    Change { on: u8, off: u8 },
    /// Each of these becomes what it is not.
    Reverse(u8),
}

impl Attributes {
    pub(crate) const BOLD: u8 = 1;
    pub(crate) const UNDERLINE: u8 = 1 << 1;
    pub(crate) const INVERSE: u8 = 1 << 2;
    pub(crate) const HIDDEN: u8 = 1 << 3;
    const ALL: u8 = Self::BOLD | Self::UNDERLINE | Self::INVERSE | Self::HIDDEN;

    fn bit(number: u16) -> u8 {
        match number {
            1 => Self::BOLD,
            4 => Self::UNDERLINE,
            7 => Self::INVERSE,
            8 => Self::HIDDEN,
            _ => 0,
        }
    }

    /// What DECCARA says, one number after another as SGR does; nothing said is 0.
    fn change(numbers: &[u16]) -> Self {
        let (mut on, mut off) = (0, 0);
        for &number in if numbers.is_empty() { &[0] } else { numbers } {
            let (sets, unsets) = match number {
                0 => (0, Self::ALL),
                22 | 24 | 27 | 28 => (0, Self::bit(if number == 22 { 1 } else { number - 20 })),
                _ => (Self::bit(number), 0),
            };
            on = (on & !unsets) | sets;
            off = (off & !sets) | unsets;
        }
        Attributes::Change { on, off }
    }

    fn reverse(numbers: &[u16]) -> Self {
        let all = |number: &u16| {
            if *number == 0 {
                // What is hidden stays so.
                Self::ALL & !Self::HIDDEN
            } else {
                Self::bit(*number)
            }
        };
        Attributes::Reverse(
            if numbers.is_empty() { &[0] } else { numbers }
                .iter()
                .map(all)
                .fold(0, |these, bit| these ^ bit),
        )
    }
}

/// A device that terminals had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    Printer,
    UserKeys,
    Keyboard,
    Locator,
    LocatorType,
    MacroSpace,
    /// Its checksum, under this number.
    Memory(u16),
    Integrity,
    Sessions,
}

impl Device {
    fn of(numbers: &[u16]) -> Option<Self> {
        Some(match numbers.first()? {
            15 => Self::Printer,
            25 => Self::UserKeys,
            26 => Self::Keyboard,
            53 | 55 => Self::Locator,
            56 => Self::LocatorType,
            62 => Self::MacroSpace,
            63 => Self::Memory(numbers.get(1).copied().unwrap_or(0)),
            75 => Self::Integrity,
            85 => Self::Sessions,
            _ => return None,
        })
    }

    /// What a terminal answers that has nothing of it.
    pub(crate) fn answer(self) -> String {
        match self {
            Self::Printer => "\x1b[?13n".into(),
            Self::UserKeys => "\x1b[?20n".into(),
            Self::Keyboard => "\x1b[?27;1;0;0n".into(),
            Self::Locator => "\x1b[?50n".into(),
            Self::LocatorType => "\x1b[?57;0n".into(),
            Self::MacroSpace => "\x1b[0*{".into(),
            Self::Memory(number) => format!("\x1bP{number}!~0000\x1b\\"),
            Self::Integrity => "\x1b[?70n".into(),
            Self::Sessions => "\x1b[?83n".into(),
        }
    }
}

/// No sequence of ours has more parameters that count.
const MAX_NUMBERS: usize = 16;

/// The parameters of a sequence as numbers; 0 for what is not said. Nothing when one is no number, or there are too many.
fn numbers(params: &[u8], room: &mut [u16; MAX_NUMBERS]) -> Option<usize> {
    if params.is_empty() {
        return Some(0);
    }
    let mut count = 0;
    for param in params.split(|byte| *byte == b';') {
        let number = match param {
            b"" => 0,
            digits => std::str::from_utf8(digits).ok()?.parse().ok()?,
        };
        *room.get_mut(count)? = number;
        count += 1;
    }
    Some(count)
}

impl Control {
    /// The sequence that is an ESC with this byte alone.
    pub(crate) fn of_escape(byte: u8) -> Option<Control> {
        match byte {
            b'6' => Some(Control::BackIndex),
            b'9' => Some(Control::ForwardIndex),
            _ => None,
        }
    }

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
        let mut room = [0; MAX_NUMBERS];
        let numbers = numbers(params, &mut room).map_or(&[][..], |count| &room[..count]);
        let area = |from: usize| {
            let at = |place: usize| numbers.get(from + place).copied().unwrap_or(0);
            Area {
                top: at(0),
                left: at(1),
                bottom: at(2),
                right: at(3),
            }
        };
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
            (Some(b'?'), b"", b'n') => Device::of(numbers).map(Control::AskDevice),
            (None, b"", b't') if number == 16 => Some(Control::AskCellSize),
            (None, b"", b't') if number == 15 => Some(Control::AskScreenPixels),
            (None, b"", b't') if matches!(number, 11 | 13 | 19) => Some(Control::AskWindow(number)),
            (None, b"$", b'x') => Some(Control::Fill(number, area(1))),
            (None, b"$", b'z') => Some(Control::Erase(area(0))),
            (None, b"$", b'{') => Some(Control::SelectiveErase(area(0))),
            (None, b"$", b'v') => {
                // Between the two stand the pages, of which there is one.
                let Area { left, bottom, .. } = area(4);
                Some(Control::Copy(area(0), (left, bottom)))
            }
            (None, b"$", b'r') => {
                let said = Attributes::change(numbers.get(4..).unwrap_or_default());
                Some(Control::ChangeAttributes(area(0), said))
            }
            (None, b"$", b't') => {
                let said = Attributes::reverse(numbers.get(4..).unwrap_or_default());
                Some(Control::ChangeAttributes(area(0), said))
            }
            (None, b"*", b'x') => Some(Control::Rectangles(number == 2)),
            _ => None,
        }
    }
}
