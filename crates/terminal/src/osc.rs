//! Operating system commands: the strings with which programs tell a terminal more than text.
//!
//! The emulator neither knows most of them nor bounds their length, so they are cut out of the stream before
//! it sees them: [`Scanner`] finds them wherever chunk borders fall, [`parse`] says what they mean. It finds the control
//! sequences as well that the emulator does not know.

use base64::Engine as _;

use crate::control::Control;
use crate::image::MAX_STRING as MAX_IMAGE;
use crate::types::{Progress, ProgressState};

/// No string but a clipboard's may be longer; a longer one is dropped as a whole, but for a title, of which the beginning says
/// enough.
const MAX_STRING: usize = 4 * 1024;
/// The longest OSC 52, in bytes of base64.
const MAX_CLIPBOARD: usize = 1024 * 1024;

/// The strings of OSC 1337 that bring a file.
const FILES: [&[u8]; 2] = [b"1337;File=", b"1337;FilePart="];

/// No control sequence is longer: what goes on has no meaning.
const MAX_CONTROL: usize = 64;

/// What the scanner found in a chunk, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Bytes for the emulator.
    Bytes(&'a [u8]),
    /// A whole OSC, without its introducer and terminator.
    Osc {
        /// What stood between the two.
        payload: &'a [u8],
        /// Ended by BEL instead of ST, as an answer must be too.
        bel: bool,
    },
    /// A control sequence that the emulator does not know.
    Control(Control),
    /// A question in a string (DECRQSS, XTGETTCAP), without its introducer and terminator.
    Question(&'a [u8]),
    /// Sixels, without what introduces and ends them.
    Sixels(&'a [u8]),
    /// An image, or what is to be done with one, as kitty has it: without its introducer and terminator.
    Graphics(&'a [u8]),
    /// A string that was too long or was cut off: the emulator only has to leave what it was in.
    Dropped,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    /// Within what ESC began: `held` has it from there on, and it may be for us.
    Escape,
    /// Within an OSC.
    Osc,
    /// Within a question.
    Question,
    /// Within sixels.
    Sixels,
    /// Within a string about images, as kitty has them.
    Graphics,
}

/// What a sequence is, as far as it is known.
enum Kind {
    /// More of it is needed.
    Open,
    /// It is the emulator's.
    Theirs,
    /// A string begins behind these bytes.
    String(State, usize),
    /// A control sequence of ours, of so many bytes.
    Ours(Control, usize),
}

/// Finds what the emulator is not to see in a stream that is cut anywhere.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    state: State,
    /// A sequence from its ESC on that the chunk before ended in.
    held: Vec<u8>,
    payload: Vec<u8>,
    too_long: bool,
}

impl Scanner {
    /// Hands `bytes` on in pieces.
    pub(crate) fn scan(&mut self, bytes: &[u8], mut found: impl FnMut(Piece<'_>)) {
        let joined;
        let mut rest = bytes;
        if !self.held.is_empty() {
            self.held.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.held);
            rest = &joined;
        }
        while !rest.is_empty() {
            match self.state {
                State::Ground | State::Escape => rest = self.ground(rest, &mut found),
                State::Osc | State::Question | State::Sixels | State::Graphics => {
                    rest = self.string(rest, &mut found);
                }
            }
        }
    }

    /// Hands on what is the emulator's up to what is not; what is left.
    fn ground<'b>(&mut self, bytes: &'b [u8], found: &mut impl FnMut(Piece<'_>)) -> &'b [u8] {
        self.state = State::Ground;
        for at in memchr::memchr_iter(0x1b, bytes) {
            let sequence = &bytes[at..];
            let kind = kind_of(sequence);
            if matches!(kind, Kind::Theirs) {
                continue;
            }
            if at > 0 {
                found(Piece::Bytes(&bytes[..at]));
            }
            return match kind {
                Kind::Open | Kind::Theirs => {
                    self.state = State::Escape;
                    self.held = sequence.to_vec();
                    &[]
                }
                Kind::String(state, length) => {
                    self.state = state;
                    self.payload.clear();
                    self.too_long = false;
                    &sequence[length..]
                }
                Kind::Ours(control, length) => {
                    found(Piece::Control(control));
                    &sequence[length..]
                }
            };
        }
        found(Piece::Bytes(bytes));
        &[]
    }

    /// Collects a string; what is left behind it, its own ESC included when it ends in one.
    fn string<'b>(&mut self, bytes: &'b [u8], found: &mut impl FnMut(Piece<'_>)) -> &'b [u8] {
        let stop = bytes
            .iter()
            .position(|byte| matches!(byte, 0x07 | 0x18 | 0x1a | 0x1b));
        let Some(stop) = stop else {
            self.collect(bytes);
            return &[];
        };
        self.collect(&bytes[..stop]);
        let end = bytes[stop];
        let cancelled = matches!(end, 0x18 | 0x1a);
        found(match self.state {
            _ if self.too_long || cancelled => Piece::Dropped,
            State::Question => Piece::Question(&self.payload),
            State::Sixels => Piece::Sixels(&self.payload),
            State::Graphics => Piece::Graphics(&self.payload),
            _ => Piece::Osc {
                payload: &self.payload,
                bel: end == 0x07,
            },
        });
        self.state = State::Ground;
        self.payload.clear();
        if self.payload.capacity() > MAX_STRING {
            self.payload.shrink_to(MAX_STRING);
        }
        // The ESC ends this string and begins whatever comes next: usually `\`, of ST.
        &bytes[if end == 0x1b { stop } else { stop + 1 }..]
    }

    #[cfg(test)]
    /// The bytes that a string still being collected holds.
    pub(crate) fn held(&self) -> usize {
        self.payload.capacity()
    }

    fn collect(&mut self, bytes: &[u8]) {
        if self.too_long {
            return;
        }
        let mut head = [0; 14];
        for (byte, of) in head.iter_mut().zip(self.payload.iter().chain(bytes)) {
            *byte = *of;
        }
        let most = match self.state {
            State::Sixels | State::Graphics => MAX_IMAGE,
            _ if FILES.iter().any(|file| head.starts_with(file)) => MAX_IMAGE,
            _ if head.starts_with(b"52;") => MAX_CLIPBOARD,
            _ => MAX_STRING,
        };
        let room = most - self.payload.len();
        if bytes.len() <= room {
            self.payload.extend_from_slice(bytes);
        } else if self.state == State::Osc && (head.starts_with(b"0;") || head.starts_with(b"2;")) {
            self.payload.extend_from_slice(&bytes[..room]);
        } else {
            self.too_long = true;
            self.payload = Vec::new();
        }
    }
}

/// What the sequence is that begins with this ESC.
fn kind_of(sequence: &[u8]) -> Kind {
    match sequence.get(1) {
        None => Kind::Open,
        Some(b']') => Kind::String(State::Osc, 2),
        Some(b'P') => {
            let body = &sequence[2..];
            let last = body
                .iter()
                .position(|byte| !matches!(byte, b'0'..=b'9' | b';'));
            match last.map(|at| (at, &body[at..])) {
                None if body.len() < MAX_CONTROL => Kind::Open,
                Some((at, [b'q', ..])) => Kind::String(State::Sixels, at + 3),
                Some((0, [b'$' | b'+', b'q', ..])) => Kind::String(State::Question, 2),
                Some((0, [b'$' | b'+'])) => Kind::Open,
                _ => Kind::Theirs,
            }
        }
        Some(b'_') => match sequence.get(2) {
            None => Kind::Open,
            Some(b'G') => Kind::String(State::Graphics, 3),
            Some(_) => Kind::Theirs,
        },
        Some(b'[') => {
            let body = &sequence[2..];
            let end = body.iter().position(|byte| !matches!(byte, 0x20..=0x3f));
            match end {
                None if body.len() < MAX_CONTROL => Kind::Open,
                Some(end) => match Control::parse(&body[..end], body[end]) {
                    Some(control) => Kind::Ours(control, end + 3),
                    None => Kind::Theirs,
                },
                None => Kind::Theirs,
            }
        }
        Some(&byte) => match Control::of_escape(byte) {
            Some(control) => Kind::Ours(control, 2),
            None => Kind::Theirs,
        },
    }
}

/// What an OSC means to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Osc {
    /// 0, 2: the title, cleaned.
    Title(String),
    /// 7, and others: where the program is.
    Cwd {
        /// The host, which is another one when the shell runs there; may be empty.
        host: String,
        /// The directory.
        path: String,
    },
    /// 9, 99, 777: the person is wanted.
    Notify {
        /// May be empty.
        title: String,
        /// The text.
        body: String,
    },
    /// 9;4: how far the program is; none: it is at nothing any more.
    Progress(Option<Progress>),
    /// 52: text for the clipboard.
    Clipboard(String),
    /// 133 or 633, A: a prompt begins here.
    PromptStart,
    /// B: the prompt ends; what the person types follows.
    PromptEnd,
    /// C: the command runs; its output follows. Some shells say here which command it is.
    CommandStart(Option<String>),
    /// D: the command ended.
    CommandEnd(Option<i32>),
    /// 633;E: the command as it was typed.
    CommandLine(String),
    /// The shell does not know what was typed: this, which was run last, or something that it was not to remember. The
    /// screen knows, and makes a [`Osc::CommandLine`] of it.
    CommandAgain(String),
    /// The emulator's business: colours, hyperlinks.
    Emulator,
    /// Nobody's business.
    Ignored,
}

/// Removes what may not be in a title or a message: control characters, and directions that make text lie.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let mut clean = String::new();
    for c in text.chars() {
        let c = if c == '\n' || c == '\t' { ' ' } else { c };
        let hidden = c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if hidden {
            continue;
        }
        if clean.len() + c.len_utf8() > most {
            break;
        }
        clean.push(c);
    }
    clean
}

/// Says what the OSC with this payload means.
pub(crate) fn parse(payload: &[u8], pending: &mut PendingNotification) -> Osc {
    let (number, rest) = match memchr::memchr(b';', payload) {
        Some(at) => (&payload[..at], &payload[at + 1..]),
        None => (payload, &b""[..]),
    };
    match number {
        b"0" | b"2" => Osc::Title(clean(&String::from_utf8_lossy(rest), 1024)),
        b"7" => file_url(rest).unwrap_or(Osc::Ignored),
        b"9" => iterm(rest),
        b"52" => clipboard(rest).map_or(Osc::Ignored, Osc::Clipboard),
        b"99" => pending.add(rest),
        b"133" | b"633" => mark(rest),
        b"777" => {
            let text = String::from_utf8_lossy(rest);
            let mut parts = text.splitn(3, ';');
            if parts.next() != Some("notify") {
                return Osc::Ignored;
            }
            notify(
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
            )
        }
        b"4" | b"8" | b"10" | b"11" | b"12" | b"104" | b"110" | b"111" | b"112" => Osc::Emulator,
        _ => Osc::Ignored,
    }
}

fn notify(title: &str, body: &str) -> Osc {
    Osc::Notify {
        title: clean(title, 256),
        body: clean(body, 1024),
    }
}

/// OSC 9 is a notification to some terminals, and a family of other things (progress, directory) to others.
fn iterm(rest: &[u8]) -> Osc {
    let text = String::from_utf8_lossy(rest);
    let (head, tail) = text.split_once(';').unwrap_or((&text, ""));
    match head {
        "4" => progress(tail),
        "9" => here(tail.trim_matches('"')),
        _ if !head.is_empty() && head.len() <= 2 && head.bytes().all(|b| b.is_ascii_digit()) => {
            Osc::Ignored
        }
        _ => notify("", &text),
    }
}

/// What is behind `9;4;`: how it goes, and how much is done.
fn progress(rest: &str) -> Osc {
    let (state, percent) = rest.split_once(';').unwrap_or((rest, ""));
    let percent = percent.parse::<u32>().ok().map(|done| done.min(100) as u8);
    let of = |state, percent| Osc::Progress(Some(Progress { state, percent }));
    match state {
        "" | "0" => Osc::Progress(None),
        "1" => of(ProgressState::Running, percent.or(Some(0))),
        "2" => of(ProgressState::Failed, percent),
        "3" => of(ProgressState::Running, None),
        "4" => of(ProgressState::Paused, percent),
        _ => Osc::Ignored,
    }
}

fn mark(rest: &[u8]) -> Osc {
    let text = String::from_utf8_lossy(rest);
    let (kind, args) = text.split_once(';').unwrap_or((&text, ""));
    match kind {
        // A continuation prompt (`k=s`, `k=c`) belongs to the command that is being typed.
        "A" if args.split(';').any(|arg| arg == "k=s" || arg == "k=c") => Osc::Ignored,
        "A" => Osc::PromptStart,
        "B" => Osc::PromptEnd,
        "C" => Osc::CommandStart(args.split(';').find_map(|arg| {
            let command = percent_decode(arg.strip_prefix("cmdline_url=")?.as_bytes());
            Some(command_text(&String::from_utf8_lossy(&command)))
        })),
        "D" => Osc::CommandEnd(args.split(';').next().and_then(|exit| exit.parse().ok())),
        "E" => {
            let (command, more) = args.split_once(';').unwrap_or((args, ""));
            let command = command_text(&unescape(command));
            if more == "again" {
                Osc::CommandAgain(command)
            } else {
                Osc::CommandLine(command)
            }
        }
        "P" => match args.strip_prefix("Cwd=") {
            Some(cwd) => here(&unescape(cwd)),
            None => Osc::Ignored,
        },
        _ => Osc::Ignored,
    }
}

/// A command as it is shown: on one line, and not endless.
fn command_text(command: &str) -> String {
    clean(&command.trim_end().replace('\n', " ⏎ "), 2048)
}

/// Undoes the escaping of OSC 633: `\\` is a backslash, `\x3b` a semicolon.
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'\\' && bytes.get(at + 1) == Some(&b'x'))
            .then(|| bytes.get(at + 2..at + 4))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(byte) => {
                plain.push(byte);
                at += 4;
            }
            None if bytes[at] == b'\\' && bytes.get(at + 1) == Some(&b'\\') => {
                plain.push(b'\\');
                at += 2;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn here(path: &str) -> Osc {
    Osc::Cwd {
        host: String::new(),
        path: clean(path, 4096),
    }
}

/// The host and the path of `file://host/path`, percent-decoded.
fn file_url(url: &[u8]) -> Option<Osc> {
    let rest = url.strip_prefix(b"file://")?;
    let (host, path) = rest.split_at(memchr::memchr(b'/', rest)?);
    let path = String::from_utf8(percent_decode(path)).ok()?;
    (!path.chars().any(char::is_control)).then(|| Osc::Cwd {
        host: clean(&String::from_utf8_lossy(host), 255),
        path,
    })
}

fn percent_decode(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let byte = (text[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        plain.push(byte.unwrap_or(text[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    plain
}

/// The text of `c;BASE64`. A request to read the clipboard (`?`) is nothing at all.
fn clipboard(rest: &[u8]) -> Option<String> {
    let at = memchr::memchr(b';', rest)?;
    let data = &rest[at + 1..];
    if data == b"?" || data.is_empty() {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(data)
        .ok()?;
    String::from_utf8(bytes).ok()
}

/// A notification of OSC 99, which may come in several pieces.
#[derive(Debug, Default)]
pub(crate) struct PendingNotification {
    id: String,
    title: String,
    body: String,
}

impl PendingNotification {
    fn add(&mut self, rest: &[u8]) -> Osc {
        let text = String::from_utf8_lossy(rest);
        let Some((keys, payload)) = text.split_once(';') else {
            return Osc::Ignored;
        };
        let key = |name: &str| {
            keys.split(':')
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let id = key("i").unwrap_or_default();
        if self.id != id {
            *self = Self {
                id: id.chars().take(64).collect(),
                ..Self::default()
            };
        }
        let payload = if key("e") == Some("1") {
            base64::engine::general_purpose::STANDARD
                .decode(payload)
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .unwrap_or_default()
        } else {
            payload.to_owned()
        };
        match key("p").unwrap_or("title") {
            "title" => push_capped(&mut self.title, &payload),
            "body" => push_capped(&mut self.body, &payload),
            // Icons, buttons, queries: nothing that is shown here.
            _ => return Osc::Ignored,
        }
        if key("d") == Some("0") {
            return Osc::Ignored;
        }
        let Self { title, body, .. } = std::mem::take(self);
        if body.is_empty() {
            notify("", &title)
        } else {
            notify(&title, &body)
        }
    }
}

fn push_capped(text: &mut String, more: &str) {
    if text.len() + more.len() <= MAX_STRING {
        text.push_str(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The pieces of `chunks`, joined where they are bytes.
    fn pieces(chunks: &[&[u8]]) -> Vec<String> {
        let mut scanner = Scanner::default();
        let mut all: Vec<String> = Vec::new();
        for chunk in chunks {
            scanner.scan(chunk, |piece| match piece {
                Piece::Bytes(bytes) => {
                    let text = bytes.escape_ascii().to_string();
                    match all.last_mut() {
                        Some(last) if last.starts_with("text ") => last.push_str(&text),
                        _ => all.push(format!("text {text}")),
                    }
                }
                Piece::Osc { payload, bel } => all.push(format!(
                    "osc {} {}",
                    if bel { "bel" } else { "st" },
                    payload.escape_ascii()
                )),
                Piece::Control(control) => all.push(format!("{control:?}")),
                Piece::Question(question) => {
                    all.push(format!("question {}", question.escape_ascii()));
                }
                Piece::Dropped => all.push("dropped".into()),
                Piece::Sixels(data) | Piece::Graphics(data) => {
                    all.push(format!("image {}", String::from_utf8_lossy(data)))
                }
            });
        }
        all
    }

    fn meaning(payload: &str) -> Osc {
        parse(payload.as_bytes(), &mut PendingNotification::default())
    }

    #[test]
    fn an_osc_is_cut_out_of_the_text_around_it() {
        insta::assert_debug_snapshot!(pieces(&[b"a\x1b]2;hi\x07b\x1b[1mc\x1b]7;x\x1b\\d"]), @r#"
        [
            "text a",
            "osc bel 2;hi",
            "text b\\x1b[1mc",
            "osc st 7;x",
            "text \\x1b\\\\d",
        ]
        "#);
    }

    #[test]
    fn an_escape_ends_a_string_and_begins_the_next_sequence() {
        insta::assert_debug_snapshot!(pieces(&[b"\x1b]2;hi\x1b[1mx"]), @r#"
        [
            "osc st 2;hi",
            "text \\x1b[1mx",
        ]
        "#);
    }

    #[test]
    fn a_string_that_is_too_long_is_dropped_and_not_kept_in_memory() {
        let long = vec![b'x'; MAX_STRING + 1];
        let mut scanner = Scanner::default();
        scanner.scan(b"\x1b]7;", |_| {});
        for _ in 0..100 {
            scanner.scan(&long, |_| {});
        }
        assert_eq!(scanner.held(), 0);
        let mut found = Vec::new();
        scanner.scan(b"\x07after", |piece| found.push(format!("{piece:?}")));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], "Dropped");
    }

    #[test]
    fn of_a_title_that_is_too_long_the_beginning_is_kept() {
        for kind in ["0", "2"] {
            let whole = format!("\x1b]{kind};the beginning {}\x07after", "é".repeat(40_000));
            let mut scanner = Scanner::default();
            let mut titles = Vec::new();
            for chunk in whole.as_bytes().chunks(1_000) {
                scanner.scan(chunk, |piece| match piece {
                    Piece::Osc { payload, .. } => {
                        titles.push(parse(payload, &mut PendingNotification::default()));
                    }
                    piece => assert_eq!(piece, Piece::Bytes(b"after")),
                });
            }
            let title = format!("the beginning {}", "é".repeat(505));
            assert_eq!(titles, [Osc::Title(title)]);
        }
    }

    #[test]
    fn a_clipboard_text_may_be_long() {
        let text = "y".repeat(300_000);
        let payload = format!(
            "52;c;{}",
            base64::engine::general_purpose::STANDARD.encode(&text)
        );
        let whole = format!("\x1b]{payload}\x07");
        let mut found = None;
        let mut scanner = Scanner::default();
        for chunk in whole.as_bytes().chunks(1000) {
            scanner.scan(chunk, |piece| {
                if let Piece::Osc { payload, .. } = piece {
                    found = Some(parse(payload, &mut PendingNotification::default()));
                }
            });
        }
        assert_eq!(found, Some(Osc::Clipboard(text)));
    }

    #[test]
    fn what_the_strings_mean() {
        let progress = |state, percent| Osc::Progress(Some(Progress { state, percent }));
        for (payload, expected) in [
            ("2;a\x01b", Osc::Title("ab".into())),
            ("0;x;y", Osc::Title("x;y".into())),
            (
                "7;file://box/home/a%20b",
                Osc::Cwd {
                    host: "box".into(),
                    path: "/home/a b".into(),
                },
            ),
            ("7;nonsense", Osc::Ignored),
            (
                "9;done",
                Osc::Notify {
                    title: String::new(),
                    body: "done".into(),
                },
            ),
            ("9;4;1;50", progress(ProgressState::Running, Some(50))),
            ("9;4;1;900", progress(ProgressState::Running, Some(100))),
            ("9;4;1", progress(ProgressState::Running, Some(0))),
            ("9;4;2", progress(ProgressState::Failed, None)),
            ("9;4;3;7", progress(ProgressState::Running, None)),
            ("9;4;4;20", progress(ProgressState::Paused, Some(20))),
            ("9;4;0;", Osc::Progress(None)),
            ("9;4", Osc::Progress(None)),
            ("9;4;8", Osc::Ignored),
            ("9;4;x;1", Osc::Ignored),
            ("9;9;/srv", here("/srv")),
            (
                "777;notify;t;b;c",
                Osc::Notify {
                    title: "t".into(),
                    body: "b;c".into(),
                },
            ),
            (
                "99;i=1:d=1;hello",
                Osc::Notify {
                    title: String::new(),
                    body: "hello".into(),
                },
            ),
            ("52;c;aGk=", Osc::Clipboard("hi".into())),
            ("52;c;?", Osc::Ignored),
            ("52;c;!!", Osc::Ignored),
            ("133;A", Osc::PromptStart),
            ("133;A;k=s", Osc::Ignored),
            ("133;D;1", Osc::CommandEnd(Some(1))),
            ("133;D", Osc::CommandEnd(None)),
            (
                r"633;E;echo a\x3b\\b;nonce",
                Osc::CommandLine(r"echo a;\b".into()),
            ),
            ("633;P;Cwd=/tmp", here("/tmp")),
            (
                "133;C;cmdline_url=echo%20a",
                Osc::CommandStart(Some("echo a".into())),
            ),
            ("133;C", Osc::CommandStart(None)),
            ("4;1;?", Osc::Emulator),
            ("1337;File=x", Osc::Ignored),
            ("", Osc::Ignored),
        ] {
            assert_eq!(meaning(payload), expected, "{payload:?}");
        }
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_depend_on_where_chunks_are_cut(
            parts in prop::collection::vec(prop::sample::select(vec![
                "\x1b", "]", "\\", "\x07", "\x18", "2;t", "text", "\x1b]", "\x1b[m", "52;c;aGk=", "é",
            ]), 0..40),
            cut in 1usize..7,
        ) {
            let text = parts.concat();
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(cut).collect();
            let mut whole = pieces(&[text.as_bytes()]);
            let mut cut = pieces(&chunks);
            // An ESC at the very end is held back by both.
            whole.retain(|piece| piece != "text ");
            cut.retain(|piece| piece != "text ");
            prop_assert_eq!(whole, cut);
        }
    }
}
