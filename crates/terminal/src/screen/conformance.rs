//! Which control functions there are: what each is, where it is laid down, and what comes of it.
//!
//! Each is played on a screen of ten columns and four rows; what is expected are the rows with the cursor as `|` before
//! the cell that it is on, or the answer that the program gets.

use super::*;

/// What comes of a control function.
enum Comes {
    /// The rows, joined by `/`, without those at the end that are empty and without the cursor.
    Screen(&'static str),
    /// The program's input.
    Answer(&'static str),
}
use Comes::{Answer, Screen as Shows};

/// What it is, where it is laid down, what a program writes, and what comes of it.
const FUNCTIONS: &[(&str, &str, &str, Comes)] = &[
    ("BS", "ECMA-48", "abc\x08x", Shows("abx|")),
    ("HT", "ECMA-48", "a\tx", Shows("a       x|")),
    ("VT", "ECMA-48", "a\x0bx", Shows("a/ x|")),
    ("FF", "ECMA-48", "a\x0cx", Shows("a/ x|")),
    ("CR", "ECMA-48", "abc\rx", Shows("x|bc")),
    ("IND", "DEC", "a\x1bDx", Shows("a/ x|")),
    ("NEL", "ECMA-48", "a\x1bEx", Shows("a/x|")),
    ("RI", "ECMA-48", "a\r\nb\x1bMx", Shows("ax|/b")),
    ("RI at the top", "ECMA-48", "a\x1bMx", Shows(" x|/a")),
    ("CUU", "ECMA-48", "\r\n\r\n\x1b[2Ax", Shows("x|")),
    ("CUD", "ECMA-48", "\x1b[2Bx", Shows("//x|")),
    ("CUF", "ECMA-48", "\x1b[3Cx", Shows("   x|")),
    ("CUB", "ECMA-48", "abcd\x1b[3Dx", Shows("ax|cd")),
    ("CNL", "ECMA-48", "ab\x1b[2Ex", Shows("ab//x|")),
    ("CPL", "ECMA-48", "\r\nab\x1b[Fx", Shows("x|/ab")),
    ("CHA", "ECMA-48", "abcd\x1b[2Gx", Shows("ax|cd")),
    ("HPA", "ECMA-48", "abcd\x1b[2`x", Shows("ax|cd")),
    ("HPR", "ECMA-48", "ab\x1b[2ax", Shows("ab  x|")),
    ("VPA", "ECMA-48", "ab\x1b[3dx", Shows("ab//  x|")),
    ("VPR", "ECMA-48", "ab\x1b[2ex", Shows("ab//  x|")),
    ("CUP", "ECMA-48", "\x1b[2;3Hx", Shows("/  x|")),
    ("HVP", "ECMA-48", "\x1b[2;3fx", Shows("/  x|")),
    ("CHT", "ECMA-48", "\x1b[Ix", Shows("        x|")),
    ("CBT", "ECMA-48", "\x1b[10G\x1b[Zx", Shows("        x|")),
    ("HTS", "ECMA-48", "ab\x1bH\r\tx", Shows("abx|")),
    ("TBC", "ECMA-48", "\x1b[3g\tx", Shows("         x|")),
    ("ICH", "ECMA-48", "abc\x1b[2G\x1b[2@", Shows("a|  bc")),
    ("DCH", "ECMA-48", "abcd\x1b[2G\x1b[2P", Shows("a|d")),
    ("ECH", "ECMA-48", "abcd\x1b[2G\x1b[2X", Shows("a|  d")),
    ("IL", "ECMA-48", "a\r\nb\x1b[1;2H\x1b[L", Shows("|/a/b")),
    ("DL", "ECMA-48", "a\r\nb\x1b[1;2H\x1b[M", Shows("|b")),
    ("REP", "ECMA-48", "a\x1b[3b", Shows("aaaa|")),
    ("SU", "ECMA-48", "a\r\nb\x1b[S", Shows("b/ |")),
    ("SD", "ECMA-48", "a\x1b[T", Shows(" |/a")),
    ("SL", "ECMA-48", "abcd\r\nefgh\x1b[2 @", Shows("cd/gh  |")),
    (
        "SR",
        "ECMA-48",
        "abcd\r\nefgh\x1b[2 A",
        Shows("  abcd/  ef|gh"),
    ),
    (
        "ED 0",
        "ECMA-48",
        "ab\r\ncd\r\nef\x1b[2;2H\x1b[J",
        Shows("ab/c|"),
    ),
    (
        "ED 1",
        "ECMA-48",
        "ab\r\ncd\r\nef\x1b[2;1H\x1b[1J",
        Shows("/| d/ef"),
    ),
    (
        "ED 1 in the third row",
        "ECMA-48",
        "ab\r\ncd\r\nef\x1b[3;1H\x1b[1J",
        Shows("//| f"),
    ),
    ("EL 0", "ECMA-48", "abcd\x1b[2G\x1b[K", Shows("a|")),
    ("EL 1", "ECMA-48", "abcd\x1b[2G\x1b[1K", Shows(" | cd")),
    ("EL 2", "ECMA-48", "abcd\x1b[2G\x1b[2K", Shows(" |")),
    ("IRM", "ECMA-48", "abc\r\x1b[4hx", Shows("x|abc")),
    ("LNM", "ECMA-48", "\x1b[20hab\nx", Shows("ab/x|")),
    (
        "DECSC, DECRC",
        "DEC",
        "ab\x1b7\r\ncd\x1b8x",
        Shows("abx|/cd"),
    ),
    (
        "DECSC with a wrap pending",
        "DEC",
        "0123456789\x1b7\r\x1b8x",
        Shows("0123456789/x|"),
    ),
    (
        "DECRC of the origin",
        "DEC",
        "\x1b[2;3r\x1b[?6h\x1b7\x1b[?6l\x1b8\x1b[Hx",
        Shows("/x|"),
    ),
    (
        "SCOSC, SCORC",
        "SCO",
        "ab\x1b[s\r\ncd\x1b[ux",
        Shows("abx|/cd"),
    ),
    (
        "1048",
        "xterm",
        "ab\x1b[?1048h\r\ncd\x1b[?1048lx",
        Shows("abx|/cd"),
    ),
    (
        "DECAWM off",
        "DEC",
        "\x1b[?7l0123456789ab",
        Shows("012345678b|"),
    ),
    ("DECOM", "DEC", "\x1b[2;3r\x1b[?6h\x1b[Hx", Shows("/x|")),
    (
        "DECOM off",
        "DEC",
        "\x1b[2;3r\x1b[?6h\x1b[?6lx",
        Shows("x|"),
    ),
    (
        "DECSTBM",
        "DEC",
        "a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[3;1H\nx",
        Shows("a/c/x|/d"),
    ),
    (
        "DECALN",
        "DEC",
        "\x1b[2;3r\x1b[3;3H\x1b#8\x1b[2;2H\x1b[J",
        Shows("EEEEEEEEEE/E|"),
    ),
    (
        "DECALN, the cursor",
        "DEC",
        "\x1b[3;3H\x1b#8\x1b[6n",
        Answer("\x1b[1;1R"),
    ),
    (
        "DECSTR",
        "DEC",
        "ab\x1b[2;3r\x1b[4h\x1b[?6h\x1b[!p\x1b[Hx",
        Shows("x|b"),
    ),
    (
        "DECSED",
        "DEC",
        "a\x1b[1\"qb\x1b[0\"qc\x1b[?2J",
        Shows(" b |"),
    ),
    (
        "DECSEL",
        "DEC",
        "a\x1b[1\"qb\x1b[0\"qc\x1b[?1K",
        Shows(" b |"),
    ),
    (
        "DECSCA outlives SGR",
        "DEC",
        "\x1b[1\"q\x1b[mb\x1b[?2J",
        Shows("b|"),
    ),
    (
        "DECIC",
        "DEC",
        "abc\r\ndef\x1b[1;2H\x1b[2'}",
        Shows("a|  bc/d  ef"),
    ),
    (
        "DECDC",
        "DEC",
        "abc\r\ndef\x1b[1;2H\x1b['~",
        Shows("a|c/df"),
    ),
    (
        "47 off keeps the cursor",
        "xterm",
        "ab\x1b[?47h\x1b[3;3H\x1b[?47lx",
        Shows("ab//  x|"),
    ),
    (
        "1047 off keeps the cursor",
        "xterm",
        "ab\x1b[?1047h\x1b[3;3H\x1b[?1047lx",
        Shows("ab//  x|"),
    ),
    (
        "1049 off restores the cursor",
        "xterm",
        "ab\x1b[?1049h\x1b[3;3H\x1b[?1049lx",
        Shows("abx|"),
    ),
    (
        "a C1 control in UTF-8",
        "none: ignored",
        "a\u{9b}31mb",
        Shows("a31mb|"),
    ),
    ("DA1", "DEC", "\x1b[c", Answer("\x1b[?62;4;22;52c")),
    ("DA3", "DEC", "\x1b[=c", Answer("\x1bP!|00000000\x1b\\")),
    ("DSR 5", "ECMA-48", "\x1b[5n", Answer("\x1b[0n")),
    ("CPR", "ECMA-48", "ab\x1b[6n", Answer("\x1b[1;3R")),
    ("DECXCPR", "DEC", "ab\x1b[?6n", Answer("\x1b[?1;3R")),
    ("the theme", "contour", "\x1b[?996n", Answer("\x1b[?997;1n")),
    (
        "XTVERSION",
        "xterm",
        "\x1b[>q",
        Answer(concat!(
            "\x1bP>|Switchyard(",
            env!("CARGO_PKG_VERSION"),
            ")\x1b\\"
        )),
    ),
    ("XTWINOPS 14", "xterm", "\x1b[14t", Answer("\x1b[4;72;90t")),
    ("XTWINOPS 16", "xterm", "\x1b[16t", Answer("\x1b[6;18;9t")),
    ("XTWINOPS 18", "xterm", "\x1b[18t", Answer("\x1b[8;4;10t")),
    (
        "DECRQM, a mode that is set",
        "DEC",
        "\x1b[?7$p",
        Answer("\x1b[?7;1$y"),
    ),
    (
        "DECRQM, X10 mouse",
        "DEC",
        "\x1b[?9h\x1b[?9$p",
        Answer("\x1b[?9;1$y"),
    ),
    (
        "DECRQM, one mouse mode ends another",
        "DEC",
        "\x1b[?1000h\x1b[?9h\x1b[?1000$p",
        Answer("\x1b[?1000;2$y"),
    ),
    (
        "DECRQM, alternate screen",
        "DEC",
        "\x1b[?1047h\x1b[?1047$p",
        Answer("\x1b[?1047;1$y"),
    ),
    (
        "DECRQM, synchronized update",
        "DEC",
        "\x1b[?2026h\x1b[?2026$p",
        Answer("\x1b[?2026;1$y"),
    ),
    (
        "DECRQM, clusters: not known",
        "DEC",
        "\x1b[?2027$p",
        Answer("\x1b[?2027;0$y"),
    ),
    (
        "DECRQM, theme reports",
        "DEC",
        "\x1b[?2031h\x1b[?2031$p",
        Answer("\x1b[?2031;1$y"),
    ),
    (
        "DECRQSS of SGR",
        "DEC",
        "\x1b[1;31m\x1bP$qm\x1b\\",
        Answer("\x1bP1$r0;1;31m\x1b\\"),
    ),
    (
        "DECRQSS of DECSTBM",
        "DEC",
        "\x1b[2;3r\x1bP$qr\x1b\\",
        Answer("\x1bP1$r2;3r\x1b\\"),
    ),
    (
        "DECRQSS of DECSCUSR",
        "DEC",
        "\x1b[5 q\x1bP$q q\x1b\\",
        Answer("\x1bP1$r5 q\x1b\\"),
    ),
    (
        "DECRQSS of DECSCA",
        "DEC",
        "\x1b[1\"q\x1bP$q\"q\x1b\\",
        Answer("\x1bP1$r1\"q\x1b\\"),
    ),
    (
        "DECRQSS of what is not known",
        "DEC",
        "\x1bP$qz\x1b\\",
        Answer("\x1bP0$r\x1b\\"),
    ),
    (
        "XTGETTCAP",
        "xterm",
        "\x1bP+q436f;7a7a\x1b\\",
        Answer("\x1bP1+r436f=323536\x1b\\\x1bP0+r\x1b\\"),
    ),
    ("DECFI", "DEC", "ab\x1b9x", Shows("ab x|")),
    (
        "DECFI at the edge",
        "DEC",
        "abc\r\nde\x1b[1;10H\x1b9",
        Shows("bc       |/e"),
    ),
    ("DECBI", "DEC", "ab\x1b6x", Shows("ax|")),
    (
        "DECBI at the edge",
        "DEC",
        "abc\r\nde\r\x1b6",
        Shows(" abc/| de"),
    ),
    ("DECFRA", "DEC", "\x1b[88;2;3;3;5$x", Shows("|/  XXX/  XXX")),
    (
        "DECFRA of all that is left out",
        "DEC",
        "\x1b[46$x",
        Shows("|........../........../........../.........."),
    ),
    (
        "DECFRA beyond the edges",
        "DEC",
        "\x1b[88;4;9;90;90$x",
        Shows("|///        XX"),
    ),
    (
        "DECFRA with its corners the wrong way round",
        "DEC",
        "a\x1b[88;3;3;2;2$x",
        Shows("a|"),
    ),
    (
        "DECFRA in the region",
        "DEC",
        "\x1b[2;3r\x1b[?6h\x1b[88;1;1;9;2$x",
        Shows("/|XX/XX"),
    ),
    (
        "DECFRA of a control",
        "DEC",
        "a\x1b[7;1;1;2;2$x",
        Shows("a|"),
    ),
    (
        "DECERA",
        "DEC",
        "abcd\r\nefgh\r\nijkl\x1b[1;2;2;3$z",
        Shows("a  d/e  h/ijkl|"),
    ),
    (
        "DECERA of what is protected",
        "DEC",
        "a\x1b[1\"qb\x1b[0\"qc\x1b[$z",
        Shows("   |"),
    ),
    (
        "DECSERA",
        "DEC",
        "a\x1b[1\"qb\x1b[0\"qc\x1b[1;1;1;3${",
        Shows(" b |"),
    ),
    (
        "DECCRA",
        "DEC",
        "abc\r\ndef\x1b[1;1;2;2;1;2;3;1$v",
        Shows("abc/dea|b/  de"),
    ),
    (
        "DECCRA over itself",
        "DEC",
        "abcdef\x1b[1;1;1;5;1;1;2;1$v",
        Shows("aabcde|"),
    ),
    (
        "DECCRA beyond the edge",
        "DEC",
        "abc\r\ndef\x1b[1;1;2;3;1;4;9;1$v",
        Shows("abc/def|//        ab"),
    ),
    ("DECST8C", "DEC", "\x1b[3g\x1b[?5W\tx", Shows("        x|")),
    (
        "DECDSR 15, no printer",
        "DEC",
        "\x1b[?15n",
        Answer("\x1b[?13n"),
    ),
    ("DECDSR 25, keys", "DEC", "\x1b[?25n", Answer("\x1b[?20n")),
    (
        "DECDSR 26, keyboard",
        "DEC",
        "\x1b[?26n",
        Answer("\x1b[?27;1;0;0n"),
    ),
    (
        "DECDSR 53 and 55, no locator",
        "DEC",
        "\x1b[?53n\x1b[?55n",
        Answer("\x1b[?50n\x1b[?50n"),
    ),
    (
        "DECDSR 56, kind of locator",
        "DEC",
        "\x1b[?56n",
        Answer("\x1b[?57;0n"),
    ),
    ("DECMSR", "DEC", "\x1b[?62n", Answer("\x1b[0*{")),
    (
        "DECCKSR",
        "DEC",
        "\x1b[?63;12n",
        Answer("\x1bP12!~0000\x1b\\"),
    ),
    ("DECDSR 75, data", "DEC", "\x1b[?75n", Answer("\x1b[?70n")),
    (
        "DECDSR 85, sessions",
        "DEC",
        "\x1b[?85n",
        Answer("\x1b[?83n"),
    ),
    ("XTWINOPS 11", "xterm", "\x1b[11t", Answer("\x1b[1t")),
    ("XTWINOPS 13", "xterm", "\x1b[13t", Answer("\x1b[3;0;0t")),
    ("XTWINOPS 15", "xterm", "\x1b[15t", Answer("\x1b[5;72;90t")),
    ("XTWINOPS 19", "xterm", "\x1b[19t", Answer("\x1b[9;4;10t")),
    (
        "XTGETTCAP of what is there or not",
        "xterm",
        "\x1bP+q5463\x1b\\",
        Answer("\x1bP1+r5463\x1b\\"),
    ),
    (
        "XTGETTCAP of styles of underlines",
        "xterm",
        "\x1bP+q536D756C78\x1b\\",
        Answer("\x1bP1+r536D756C78=1B5B343A25703125646D\x1b\\"),
    ),
    (
        "OSC 4, a colour of the theme",
        "xterm",
        "\x1b]4;1;?\x07",
        Answer("\x1b]4;1;rgb:e0e0/6c6c/7575\x07"),
    ),
    (
        "OSC 4, several at once",
        "xterm",
        "\x1b]4;16;?;255;?\x1b\\",
        Answer("\x1b]4;16;rgb:0000/0000/0000\x1b\\\x1b]4;255;rgb:eeee/eeee/eeee\x1b\\"),
    ),
    (
        "OSC 4, set by the program",
        "xterm",
        "\x1b]4;1;rgb:12/34/56\x07\x1b]4;1;?\x07",
        Answer("\x1b]4;1;rgb:1212/3434/5656\x07"),
    ),
    (
        "OSC 104 of one colour",
        "xterm",
        "\x1b]4;1;#123456;2;#123456\x07\x1b]104;1\x07\x1b]4;1;?;2;?\x07",
        Answer("\x1b]4;1;rgb:e0e0/6c6c/7575\x07\x1b]4;2;rgb:1212/3434/5656\x07"),
    ),
    (
        "OSC 104 of all",
        "xterm",
        "\x1b]4;1;#123456;200;#123456\x07\x1b]104\x07\x1b]4;1;?;200;?\x07",
        Answer("\x1b]4;1;rgb:e0e0/6c6c/7575\x07\x1b]4;200;rgb:ffff/0000/d7d7\x07"),
    ),
    (
        "OSC 10, 11 and 12",
        "xterm",
        "\x1b]10;?\x07\x1b]11;?\x07\x1b]12;?\x07",
        Answer(
            "\x1b]10;rgb:d4d4/d4d4/d8d8\x07\x1b]11;rgb:1616/1717/1a1a\x07\x1b]12;rgb:d4d4/d4d4/d8d8\x07",
        ),
    ),
    (
        "OSC 10 of several",
        "xterm",
        "\x1b]10;?;?\x07",
        Answer("\x1b]10;rgb:d4d4/d4d4/d8d8\x07\x1b]11;rgb:1616/1717/1a1a\x07"),
    ),
    (
        "OSC 11, set and reset",
        "xterm",
        "\x1b]11;#ffffff\x07\x1b]11;?\x07\x1b]111\x07\x1b]11;?\x07",
        Answer("\x1b]11;rgb:ffff/ffff/ffff\x07\x1b]11;rgb:1616/1717/1a1a\x07"),
    ),
    (
        "OSC 10 and 12, set and reset",
        "xterm",
        "\x1b]10;#010203\x07\x1b]12;#040506\x07\x1b]110\x07\x1b]112\x07\x1b]10;?\x07\x1b]12;?\x07",
        Answer("\x1b]10;rgb:d4d4/d4d4/d8d8\x07\x1b]12;rgb:d4d4/d4d4/d8d8\x07"),
    ),
    (
        "the flags of keys",
        "kitty",
        "\x1b[?u\x1b[>5u\x1b[=2;2u\x1b[=1;3u\x1b[?u\x1b[<u\x1b[?u",
        Answer("\x1b[?0u\x1b[?6u\x1b[?0u"),
    ),
    (
        "the flags of keys, back two layers",
        "kitty",
        "\x1b[=8u\x1b[>1u\x1b[>3u\x1b[<2u\x1b[?u",
        Answer("\x1b[?8u"),
    ),
    (
        "the flags of keys, back beyond the first layer",
        "kitty",
        "\x1b[=8u\x1b[>1u\x1b[<2u\x1b[?u",
        Answer("\x1b[?0u"),
    ),
    (
        "the flags of keys are the screen's own",
        "kitty",
        "\x1b[>1u\x1b[?1049h\x1b[?u\x1b[>3u\x1b[?u\x1b[?1049l\x1b[?u",
        Answer("\x1b[?0u\x1b[?3u\x1b[?1u"),
    ),
    (
        "RIS ends the flags of keys",
        "kitty",
        "\x1b[>1u\x1b[>4;1m\x1bc\x1b[?u\x1b[?4m",
        Answer("\x1b[?0u\x1b[>4;0m"),
    ),
    (
        "what was left behind ends with the command",
        "FinalTerm",
        "\x1b[>1u\x1b[>4;2m\x1b]133;D\x07\x1b[?u\x1b[?4m",
        Answer("\x1b[?0u\x1b[>4;0m"),
    ),
    (
        "modifyOtherKeys",
        "xterm",
        "\x1b[>4;2m\x1b[?4m\x1b[>4m\x1b[?4m",
        Answer("\x1b[>4;2m\x1b[>4;0m"),
    ),
    (
        "answers in the order of questions",
        "–",
        "\x1b[5n\x1b[=c\x1b[6n",
        Answer("\x1b[0n\x1bP!|00000000\x1b\\\x1b[1;1R"),
    ),
];

fn shown(screen: &Screen) -> String {
    let text = screen.text();
    let mut rows = text.rows;
    let cursor = &mut rows[usize::from(text.cursor_row)];
    let column = usize::from(text.cursor_col) + usize::from(text.cursor_waits);
    while cursor.chars().count() < column {
        cursor.push(' ');
    }
    let at = cursor
        .char_indices()
        .nth(column)
        .map_or(cursor.len(), |(at, _)| at);
    cursor.insert(at, '|');
    rows.join("/").trim_end_matches('/').to_owned()
}

#[test]
fn each_control_function_does_what_its_standard_says() {
    let mut wrong = String::new();
    for (name, standard, bytes, comes) in FUNCTIONS {
        for cut in [usize::MAX, 1] {
            let mut screen = Screen::new(PaneSize { cols: 10, rows: 4 }, Colours::default());
            let mut out = super::tests::Out::default();
            for part in bytes.as_bytes().chunks(cut.min(bytes.len())) {
                screen.feed(part, &mut out);
            }
            let answer: Vec<u8> = out
                .said
                .iter()
                .filter_map(|(said, _)| match said {
                    Said::Reply(bytes) => Some(bytes.clone()),
                    _ => None,
                })
                .flatten()
                .collect();
            let (is, wanted) = match comes {
                Shows(rows) => (shown(&screen), *rows),
                Answer(answered) => (String::from_utf8(answer).unwrap(), *answered),
            };
            if is != wanted {
                wrong.push_str(&format!(
                    "{name} ({standard}), cut {cut}: {is:?}, not {wanted:?}\n"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
