use super::*;
use crate::styled::{Color, Style};
use alacritty_terminal::vte::ansi::Processor as Plain;
use proptest::prelude::*;

/// What came out of a screen.
#[derive(Default)]
pub(super) struct Out {
    lines: Vec<StyledLine>,
    pub(super) said: Vec<(Said, u64)>,
    pictures: Vec<(Going, Vec<String>)>,
}

impl Sink for Out {
    fn line(&mut self, line: &StyledLine) {
        self.lines.push(line.clone());
    }
    fn said(&mut self, what: Said, line: u64) {
        self.said.push((what, line));
    }
    fn rows_leave(&mut self, _: &View<'_>) {}

    fn picture_goes(&mut self, how: Going, rows: impl FnOnce() -> Vec<String>) {
        self.pictures.push((how, rows()));
    }
}

fn size(cols: u16, rows: u16) -> PaneSize {
    PaneSize { cols, rows }
}

fn fed(size: PaneSize, bytes: impl AsRef<[u8]>) -> (Screen, Out) {
    let mut screen = Screen::new(size, Colours::default());
    let mut out = Out::default();
    screen.feed(bytes.as_ref(), &mut out);
    (screen, out)
}

/// All lines, those that left and those that did not.
fn lines(screen: &Screen, out: &Out) -> Vec<String> {
    out.lines
        .iter()
        .cloned()
        .chain(screen.lines())
        .map(|line| line.text)
        .collect()
}

/// The lines that a screen of 10 × 3 makes of `bytes`.
fn of(bytes: &str) -> Vec<String> {
    let (screen, out) = fed(size(10, 3), bytes);
    lines(&screen, &out)
}

/// What the program is answered that writes `bytes`.
fn answered(screen: &mut Screen, bytes: &str) -> String {
    let mut out = Out::default();
    screen.feed(bytes.as_bytes(), &mut out);
    let answers = out.said.into_iter().filter_map(|(said, _)| match said {
        Said::Reply(bytes) => Some(String::from_utf8(bytes).unwrap()),
        _ => None,
    });
    answers.collect()
}

#[test]
fn colours_are_those_of_the_theme_unless_the_program_set_them() {
    let mut screen = Screen::new(size(10, 3), Colours::default());
    let mut theme = Colours {
        background: (1, 2, 3),
        ..Colours::default()
    };
    theme.palette[4] = (7, 8, 9);
    assert_eq!(screen.set_colours(theme), None);
    let ask = "\x1b]4;4;?\x07\x1b]11;?\x07";
    let themes = "\x1b]4;4;rgb:0707/0808/0909\x07\x1b]11;rgb:0101/0202/0303\x07";
    assert_eq!(answered(&mut screen, ask), themes);
    assert_eq!(
        answered(&mut screen, &format!("\x1b]4;4;#aabbcc\x07{ask}")),
        themes.replace("0707/0808/0909", "aaaa/bbbb/cccc")
    );
    assert_eq!(answered(&mut screen, &format!("\x1b]104\x07{ask}")), themes);
}

#[test]
fn a_program_that_wants_to_know_is_told_that_the_theme_is_another_one() {
    let light = Colours {
        foreground: (0, 0, 0),
        background: (255, 255, 255),
        ..Colours::default()
    };
    let mut screen = Screen::new(size(10, 3), Colours::default());
    assert_eq!(screen.set_colours(light), None, "it did not ask");
    assert_eq!(answered(&mut screen, "\x1b[?996n"), "\x1b[?997;2n");
    answered(&mut screen, "\x1b[?2031h");
    assert_eq!(screen.set_colours(light), None, "it is the same");
    assert_eq!(
        screen.set_colours(Colours::default()).as_deref(),
        Some("\x1b[?997;1n")
    );
    answered(&mut screen, "\x1b[?2031l");
    assert_eq!(screen.set_colours(light), None, "it asked no more");
}

/// The first two rows of a screen of four columns with their styles, once `bytes` were written.
fn faces(bytes: &str) -> String {
    let (mut screen, _) = fed(size(4, 2), format!("abcd\x1b[2;1Hefgh{bytes}"));
    screen.face().screen.join("/")
}

#[test]
fn attributes_are_changed_in_rectangles_or_from_place_to_place() {
    // DECCARA: bold and inverse, from the third of the first row to the second of the second.
    assert_eq!(
        faces("\x1b[1;3;2;2;1;7$r"),
        " ab{-/-/br}cd/ {-/-/br}ef{-/-/}gh"
    );
    // DECSACE: the columns between the two.
    assert_eq!(
        faces("\x1b[2*x\x1b[1;2;2;3;4$r"),
        " a{-/-/u}bc{-/-/}d/ e{-/-/u}fg{-/-/}h"
    );
    // The last of what is said counts, and 0 ends all.
    assert_eq!(
        faces("\x1b[2*x\x1b[1;1;2;4;1;4$r\x1b[1;1;1;4;0;7$r\x1b[2;1;2;4;22$r"),
        " {-/-/r}abcd/ {-/-/u}efgh"
    );
    // DECRARA: what is set is not set then.
    assert_eq!(
        faces("\x1b[2*x\x1b[1;1;1;2;1$r\x1b[1;2;1;3;1$t"),
        " {-/-/b}a{-/-/}b{-/-/b}c{-/-/}d/ efgh"
    );
}

#[test]
fn sizes_in_pixels_are_those_of_the_window() {
    let mut screen = Screen::new(size(10, 3), Colours::default());
    screen.set_cell(CellSize {
        width: 7,
        height: 15,
    });
    assert_eq!(
        answered(&mut screen, "\x1b[14t\x1b[16t\x1b[18t"),
        "\x1b[4;45;70t\x1b[6;15;7t\x1b[8;3;10t"
    );
}

#[test]
fn a_line_is_what_was_printed_up_to_a_newline() {
    assert_eq!(of("one\r\ntwo\r\n"), ["one", "two"]);
    assert_eq!(
        of("one\r\n\r\ntwo"),
        ["one", "", "two"],
        "the last is unfinished"
    );
    assert_eq!(
        of("one\ntwo"),
        ["one", "   two"],
        "without CR the column stays"
    );
    assert_eq!(of("100%\r 50%\r  7%"), ["  7%"], "CR overwrites");
    assert_eq!(of("abc\x08\x08X"), ["aXc"], "and so does BS");
    assert_eq!(of("a\tb"), ["a       b"]);
    assert_eq!(of("ends in blanks   \r\n"), ["ends in blanks"]);
    assert_eq!(of(""), Vec::<String>::new());
}

#[test]
fn a_wrapped_line_is_one_line() {
    assert_eq!(
        of("0123456789abcdefghijKLM\r\nnext"),
        ["0123456789abcdefghijKLM", "next"]
    );
    assert_eq!(
        of("0123456789\r\nnext"),
        ["0123456789", "next"],
        "exactly as wide"
    );
}

#[test]
fn wide_and_combining_characters_are_kept_whole() {
    assert_eq!(of("漢字漢字漢字漢字"), ["漢字漢字漢字漢字"]);
    assert_eq!(
        of("123456789漢字"),
        ["123456789漢字"],
        "the gap before a wide one is not text"
    );
    assert_eq!(of("e\u{301}tude"), ["e\u{301}tude"]);
    assert_eq!(of("👩\u{200d}💻"), ["👩\u{200d}💻"]);
}

#[test]
fn a_line_that_wraps_out_of_the_screen_stays_one_line() {
    let long = "x".repeat(50_000);
    let (screen, out) = fed(size(10, 3), format!("{long}\r\nend"));
    assert_eq!(lines(&screen, &out), [long.as_str(), "end"]);
    assert_eq!(screen.line_at_cursor(), 1);
}

#[test]
fn a_line_without_end_is_handed_on_in_pieces() {
    let (screen, out) = fed(size(80, 24), "y".repeat(3 * MAX_LINE));
    assert!(out.lines.len() >= 2);
    assert!(
        out.lines
            .iter()
            .all(|line| line.continues && line.text.len() < MAX_LINE + 80)
    );
    let total: usize = lines(&screen, &out).iter().map(String::len).sum();
    assert_eq!(total, 3 * MAX_LINE);
}

#[test]
fn colours_and_styles_come_with_the_line() {
    let (screen, _) = fed(
        size(40, 3),
        "plain \x1b[1;31mred\x1b[0m \x1b[38;2;1;2;3mrgb\x1b[m end",
    );
    let line = &screen.lines()[0];
    assert_eq!(line.text, "plain red rgb end");
    let styles: Vec<_> = line.runs.iter().map(|run| (run.start, run.style)).collect();
    let red = Style {
        fg: Color::Indexed(1),
        flags: Style::BOLD,
        ..Style::default()
    };
    let rgb = Style {
        fg: Color::Rgb(1, 2, 3),
        ..Style::default()
    };
    assert_eq!(
        styles,
        [
            (6, red),
            (9, Style::default()),
            (10, rgb),
            (13, Style::default())
        ]
    );
}

#[test]
fn a_full_screen_program_leaves_no_lines() {
    let (mut screen, mut out) = fed(size(10, 3), "before\r\n\x1b[?1049h\x1b[2J");
    assert!(screen.full_screen());
    for _ in 0..1_000 {
        screen.feed(b"full screen\r\n", &mut out);
    }
    assert_eq!(
        lines(&screen, &out),
        ["before"],
        "what is behind can still be read"
    );
    screen.feed(b"\x1b[?1049lafter", &mut out);
    assert_eq!(lines(&screen, &out), ["before", "after"]);
}

#[test]
fn a_full_screen_programs_picture_is_told_before_it_goes() {
    let pictures = |bytes: &str| {
        let (_, out) = fed(size(10, 2), format!("printed\x1b[?1049h{bytes}"));
        out.pictures
    };
    let row = |how, row: &str| (how, vec![row.to_owned(), String::new()]);
    assert_eq!(
        pictures("\x1b[Hone\x1b[2Jtwo\x1b[H\x1b[Jthree"),
        [
            row(Going::Next, "one"),
            (Going::Next, vec!["   two".to_owned(), String::new()])
        ]
    );
    assert_eq!(
        pictures("\x1b[Hlast\x1b[?1049l\x1b[2J"),
        [row(Going::Last, "last")]
    );
    assert_eq!(
        pictures("\x1b[Hlast\x1bc\x1b[2J"),
        [row(Going::Last, "last")]
    );
    // Amid an update it is not whole.
    assert_eq!(
        pictures("\x1b[Hone\x1b[?2026h\x1b[2J\x1b[Htwo\x1b[2J\x1b[Hthree\x1b[?2026l"),
        [row(Going::Next, "one")]
    );
}

#[test]
fn the_older_ways_to_the_alternate_screen_lead_there_too() {
    for mode in [47, 1047, 1049] {
        let (mut screen, mut out) = fed(size(10, 3), format!("before\x1b[?{mode}hfull"));
        assert!(screen.full_screen());
        screen.feed(format!("\x1b[?{mode}l").as_bytes(), &mut out);
        assert_eq!(lines(&screen, &out), ["before"]);
    }
}

#[test]
fn clearing_loses_nothing_that_was_printed() {
    assert_eq!(of("one\r\ntwo\x1b[2J\x1b[Hthree"), ["one", "two", "three"]);
    let (screen, out) = fed(size(10, 3), "1\r\n2\r\n3\r\n4\r\n5\x1b[H\x1b[2J\x1b[3Jnew");
    assert_eq!(lines(&screen, &out), ["1", "2", "3", "4", "5", "new"]);
    assert!(
        out.said
            .iter()
            .any(|(what, line)| *what == Said::ScrollbackCleared && *line == 5)
    );
    let (screen, out) = fed(size(10, 3), "one\r\ntwo\x1bcnew");
    assert_eq!(lines(&screen, &out), ["one", "two", "new"]);
}

#[test]
fn however_much_one_sequence_scrolls_no_line_is_lost() {
    let mut bytes = String::new();
    let mut expected = Vec::new();
    for round in 0..200 {
        for row in 0..24 {
            bytes.push_str(&format!("{round}.{row}\r\n"));
            expected.push(format!("{round}.{row}"));
        }
        // Scrolls all of it out at once; then fills the gap, which is as many empty lines.
        bytes.push_str("\x1b[24S\x1b[H");
    }
    let (screen, out) = fed(size(80, 24), &bytes);
    let all: Vec<_> = lines(&screen, &out)
        .into_iter()
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(all, expected);
}

#[test]
fn a_repeated_character_can_fill_a_thousand_screens() {
    let (screen, out) = fed(size(10, 3), "x\x1b[65535b\r\nend");
    assert_eq!(lines(&screen, &out), ["x".repeat(65_536).as_str(), "end"]);
}

#[test]
fn what_programs_say_is_told_with_its_line() {
    let (_, out) = fed(
        size(20, 5),
        "\x1b]133;A\x07$ \x1b]133;B\x07ls\r\n\x1b]133;C\x07a\r\nb\r\n\x1b]133;D;0\x07\x07",
    );
    insta::assert_debug_snapshot!(out.said, @r"
    [
        (
            Osc(
                PromptStart,
            ),
            0,
        ),
        (
            Osc(
                PromptEnd,
            ),
            0,
        ),
        (
            Osc(
                CommandStart(
                    None,
                ),
            ),
            1,
        ),
        (
            CommandEnded {
                exit: Some(
                    0,
                ),
                rest: 0,
            },
            3,
        ),
        (
            Bell,
            3,
        ),
    ]
    ");
}

#[test]
fn questions_are_answered_and_titles_are_never_reported() {
    let replies = |bytes: &str| -> String {
        let (_, out) = fed(size(20, 5), bytes);
        out.said
            .into_iter()
            .filter_map(|(what, _)| match what {
                Said::Reply(bytes) => Some(bytes.escape_ascii().to_string()),
                _ => None,
            })
            .collect()
    };
    assert_eq!(replies("ab\x1b[6n"), r"\x1b[1;3R");
    assert_eq!(replies("\x1b[c"), r"\x1b[?62;4;22;52c");
    assert_eq!(replies("\x1b[?2004h\x1b[?2004$p"), r"\x1b[?2004;1$y");
    assert_eq!(replies("\x1b[18t"), r"\x1b[8;5;20t");
    assert_eq!(replies("\x1b]11;?\x07"), r"\x1b]11;rgb:1616/1717/1a1a\x07");
    assert_eq!(
        replies("\x1b]4;1;#102030\x07\x1b]4;1;?\x1b\\"),
        r"\x1b]4;1;rgb:1010/2020/3030\x1b\\"
    );
    assert_eq!(replies("\x1b]2;rm -rf\x07\x1b[21t\x1b[20t\x05"), "");
    assert_eq!(replies("\x1b]52;c;?\x07"), "");
}

#[test]
fn a_character_has_no_endless_marks() {
    let (screen, _) = fed(
        size(20, 5),
        "a".to_owned() + &"\u{301}".repeat(100_000) + "b",
    );
    let line = &screen.lines()[0].text;
    assert!(line.len() < 200 && line.starts_with("a\u{301}") && line.ends_with('b'));
}

#[test]
fn margins_stop_the_cursor_and_lines_are_inserted_and_deleted_from_the_first_column() {
    let cursor = |bytes: &str| {
        let (screen, _) = fed(size(30, 8), bytes);
        let text = screen.text();
        (text.cursor_row, text.cursor_col)
    };
    assert_eq!(cursor("\x1b[2;6r\x1b[3;4H\x1b[9B"), (5, 3));
    assert_eq!(
        cursor("\x1b[2;6r\x1b[8;4H\x1b[9B"),
        (7, 3),
        "below the margin: the edge"
    );
    assert_eq!(cursor("\x1b[2;6r\x1b[3;4H\x1b[9A"), (1, 3));
    assert_eq!(
        cursor("\x1b[2;6r\x1b[?6h\x1b[2;2H\x1b[B"),
        (3, 1),
        "origin mode counts once"
    );
    assert_eq!(cursor("\x1b[2;6r\x1b[?6h\x1b[2;2H\x1b[5G"), (2, 4));
    assert_eq!(cursor("\x1b[3;4H\x1b[L"), (2, 0));
    assert_eq!(cursor("\x1b[3;4H\x1b[M"), (2, 0));
    assert_eq!(
        cursor("\x1b[3;4H\x1b7\x1b[5;6H\x1b[?1049l"),
        (2, 3),
        "restored all the same"
    );
    let (screen, _) = fed(size(10, 3), "abcdefgh\x1b[4P");
    assert_eq!(
        screen.text().rows[0],
        "abcdefgh",
        "nothing before the cursor is deleted"
    );
}

#[test]
fn hostile_sequences_are_survived() {
    for bytes in [
        "\x1b[>1u".repeat(10_000),
        "\x1b[22;0t".repeat(10_000) + &"\x1b[23;0t".repeat(20_000),
        "\x1b]2;".to_owned() + &"x".repeat(3_000_000),
        "\x1bP".to_owned() + &"q".repeat(3_000_000),
        "\x1b[".to_owned() + &"1;".repeat(100_000) + "m",
        "\x1b[99999999999999999999;99999999999999999999H".to_owned(),
        "\x1b[5;2r\x1b[0;0r\x1b[9999;99999r\x1b[99999T\x1b[99999L\x1b[99999@\x1b[99999P".to_owned(),
        "\x1b[?2026h".to_owned() + &"text\r\n".repeat(100_000),
        "a\u{301}".to_owned() + &"\u{301}".repeat(100_000),
        "\x1b[6n".repeat(100_000),
        "\x1b]8;;http://x/\x07link\x1b]8;;\x07".repeat(1_000),
    ] {
        let (mut screen, mut out) = fed(size(20, 5), &bytes);
        screen.feed(b"\x1b\\\x1bcstill there", &mut out);
        assert_eq!(screen.text().rows[0], "still there", "{:.20}", bytes);
    }
}

#[test]
fn a_window_that_grows_gets_its_lines_back() {
    let (mut screen, mut out) = fed(size(10, 3), "1\r\n2\r\n3\r\n4\r\n5\r\n6");
    assert_eq!(screen.text().rows, ["4", "5", "6"]);
    screen.resize(size(10, 5), &mut out);
    assert_eq!(screen.text().rows, ["2", "3", "4", "5", "6"]);
    screen.resize(size(20, 3), &mut out);
    assert_eq!(lines(&screen, &out), ["1", "2", "3", "4", "5", "6"]);
}

#[test]
fn a_window_that_gets_narrower_and_higher_shows_what_xterm_js_shows() {
    let line = "a line that is a good deal wider than the window will be";
    let (mut screen, mut out) = fed(size(60, 4), format!("{line}\r\n").repeat(8));
    screen.resize(size(30, 8), &mut out);
    // Eight rows of text, the last of them the cursor's: nothing is left blank below.
    let text = screen.text();
    assert_eq!(text.cursor_row, 7);
    assert_eq!(text.rows[5], "a line that is a good deal wid");
    assert_eq!(text.rows[6], "er than the window will be");
}

#[test]
fn a_resize_below_a_full_screen_program_keeps_the_lines_behind_it() {
    let text: Vec<String> = (0..300)
        .map(|n| format!("line {n} of some length"))
        .collect();
    let (mut screen, mut out) = fed(size(80, 24), text.join("\r\n"));
    screen.feed(b"\x1b[?1049hfull", &mut out);
    for (cols, rows) in [(5, 4), (200, 60), (3, 50), (80, 24)] {
        screen.resize(size(cols, rows), &mut out);
        assert_eq!(lines(&screen, &out), text, "{cols} × {rows}");
    }
    screen.feed(b"\x1b[?1049l", &mut out);
    assert_eq!(lines(&screen, &out), text);
}

/// Text without escape sequences, line by line.
fn printed() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-zA-Z漢é]{1,40}( [a-z]{1,9}){0,4}", 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn no_line_is_lost_or_doubled_however_the_window_changes(
        parts in prop::collection::vec((printed(), 2u16..60, 1u16..30), 1..6),
    ) {
        let (mut screen, mut out) = fed(size(20, 5), "");
        let mut expected: Vec<String> = Vec::new();
        for (printed, cols, rows) in parts {
            for line in printed {
                screen.feed(format!("{line}\r\n").as_bytes(), &mut out);
                expected.push(line);
            }
            screen.resize(size(cols, rows), &mut out);
            prop_assert_eq!(&lines(&screen, &out), &expected);
            prop_assert_eq!(screen.line_at_cursor(), expected.len() as u64);
        }
    }

    #[test]
    fn the_shortcut_for_plain_characters_writes_what_the_emulator_would(
        pieces in prop::collection::vec(prop_oneof![
            4 => "[ -~]{1,30}".prop_map(String::from),
            1 => prop::sample::select(vec![
                "漢", "e\u{301}", "\r\n", "\r", "\x1b[4h", "\x1b[4l", "\x1b(0", "\x1b(B", "\x1b[31m", "\x1b[m",
                "\x1b[5D", "\x1b[3C", "\x1b[?7l", "\x1b[?7h", "\x1b[4:3m\x1b[58:5:9m", "\x1b[3b", "\x0e", "\x0f",
                "\x1b)0", "\x1b[K", "\x1b[44m", "\x1b[2;4r", "\x1b[2@",
            ]).prop_map(String::from),
        ], 0..40),
    ) {
        let bytes = pieces.concat();
        let size = size(12, 5);
        let (ours, _) = fed(size, &bytes);
        let mut theirs = Term::new(Config { scrolling_history: limit(size), ..Config::default() }, &Size(size), Events::default());
        Plain::<AtOnce>::new().advance(&mut theirs, bytes.as_bytes());
        prop_assert_eq!(&ours.term.grid().cursor, &theirs.grid().cursor);
        for row in 0..5 {
            prop_assert_eq!(&ours.term.grid()[Row(row)][..], &theirs.grid()[Row(row)][..]);
        }
    }
}

#[test]
fn what_a_killed_program_left_behind_ends_when_its_shell_says_so() {
    let vim = "ready> vim\r\n\x1b[?1049h\x1b[?1;1002;1006;1004;2004h\x1b[?25l\x1b=\x1b[4h\x1b[>1u\x1b[>4;2m\x1b(0~~~";
    let killed = "Killed\r\n\x1b]133;D;137\x07";
    let prompt = "\x1b[?2004h\x1b]133;A\x07ready> q";
    let (mut screen, _) = fed(size(20, 4), format!("{vim}{killed}{prompt}"));
    let face = screen.face();
    assert_eq!(face.screen, [" ready> vim", " ready> q", " ", " "]);
    // What the shell itself asked for since is as it asked.
    assert_eq!(face.modes, "false,false,true,false,none,0,0");
    assert!(!face.full_screen);

    // A shell that never ran anything moves nothing.
    let (mut screen, _) = fed(size(20, 4), "\x1b7one\x1b]133;D\x07two");
    assert_eq!(screen.face().screen[0], " onetwo");
}

/// What the screen makes of a shell's word that its history is as it was, `last` being the newest command there.
fn named(typed: &str, last: &str) -> String {
    let bytes = format!("~ $ \x1b]133;B\x07{typed}\r\n\x1b]633;E;{last};again\x07");
    let (_, out) = fed(size(20, 3), bytes);
    match out.said.last() {
        Some((Said::Osc(Osc::CommandLine(command)), _)) => command.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_command_that_a_shell_can_t_name_is_looked_for_where_it_was_typed() {
    assert_eq!(named("make", "make"), "make");
    assert_eq!(named("make ", "make"), "make");
    assert_eq!(named(" make", "make"), "", "it begins with a blank");
    assert_eq!(named("cat secret", "make"), "");
    assert_eq!(named("make", "~ $ make"), "");
    let long = "echo 0123456789 0123456789 0123456789";
    assert_eq!(named(long, long), long, "over three rows");
    let (_, out) = fed(size(20, 3), "$ make\r\n\x1b]633;E;make;again\x07");
    let unnamed = Said::Osc(Osc::CommandLine(String::new()));
    assert_eq!(out.said, [(unnamed, 1)], "no prompt was marked");
}

/// Which tile of which image is in each cell of a row: `.` for none.
fn tiles(screen: &Screen, row: i32) -> String {
    let cells = &screen.term.grid()[Row(row)][..];
    let tile = |cell| match tiles::image_of(cell) {
        Some(image) => format!("{image}:{}", u32::from(cell.c) - 0x10_0000),
        None => ".".to_owned(),
    };
    cells.iter().map(tile).collect::<Vec<_>>().join(" ")
}

/// Sixels as large as two columns and two rows of cells.
const SIXELS: &str = "\x1bPq\"1;1;18;36~\x1b\\";

#[test]
fn an_image_stands_in_cells_and_moves_as_they_do() {
    let (mut screen, mut out) = fed(size(4, 3), format!("ab{SIXELS}c"));
    let at = |screen: &Screen| [0, 1, 2].map(|row| tiles(screen, row));
    // Its last row has the cursor, in the column in which it begins: `c` took its place.
    assert_eq!(at(&screen), [". . 1:0 1:1", ". . . 1:3", ". . . ."]);
    screen.feed(b"\x1b[H\x1b[L", &mut out);
    assert_eq!(at(&screen), [". . . .", ". . 1:0 1:1", ". . . 1:3"]);
    screen.feed(b"\x1b[2;1H\x1b[P", &mut out);
    assert_eq!(at(&screen)[1], ". 1:0 1:1 .");
    assert_eq!(screen.text().rows, ["", "b", "  c"], "it is no text");
    assert!(screen.image(1).is_some());
    assert!(screen.image(2).is_none());
}

#[test]
fn an_image_higher_than_the_screen_scrolls_it() {
    let (screen, _) = fed(size(4, 2), "\x1bPq\"1;1;9;72~\x1b\\x");
    assert_eq!(screen.rows(), ["", "x"]);
    assert_eq!(screen.term.grid().history_size(), 2);
    assert_eq!(tiles(&screen, -2), "1:0 . . .");
    assert_eq!(tiles(&screen, 0), "1:2 . . .");
}

#[test]
fn an_image_is_cut_at_the_edge() {
    let (screen, _) = fed(size(4, 3), format!("\x1b[1;4H{SIXELS}"));
    assert_eq!(tiles(&screen, 0), ". . . 1:0");
    assert_eq!(tiles(&screen, 1), ". . . 1:2");
}

#[test]
fn an_image_that_leaves_the_cursor_where_it_is_scrolls_nothing() {
    let place = "\x1b[3;1H\x1b_Ga=T,i=3,f=24,s=1,v=1,c=2,r=2,C=1;AAAA\x1b\\x";
    let (screen, _) = fed(size(4, 3), place);
    assert_eq!(tiles(&screen, 2), ". 1:1 . .");
    assert_eq!(screen.term.grid().history_size(), 0);
}

#[test]
fn an_image_is_deleted_by_its_name_or_its_place() {
    let show =
        |id, at| format!("\x1b[{at}H\x1b_Ga=T,q=2,i={id},f=24,s=1,v=1,c=1,r=2,C=1;AAAA\x1b\\");
    let two = [show(1, "1;1"), show(2, "1;3")].concat();
    let left = |delete: &str| {
        let (screen, _) = fed(size(4, 3), format!("{two}\x1b[1;1H\x1b_Ga=d{delete}\x1b\\"));
        tiles(&screen, 1)
    };
    assert_eq!(left(""), ". . . .");
    assert_eq!(left(",d=i,i=1"), ". . 2:1 .");
    assert_eq!(left(",d=c"), ". . 2:1 .");
    assert_eq!(left(",d=p,x=3,y=2"), "1:1 . . .");
    assert_eq!(left(",d=x,x=3"), "1:1 . . .");
    assert_eq!(left(",d=y,y=3"), "1:1 . 2:1 .");
    assert_eq!(left(",d=z,z=1"), "1:1 . 2:1 .");
}

#[test]
fn an_image_that_has_a_place_moves_when_it_is_shown_there_again() {
    let show = |at| format!("\x1b[{at}H\x1b_Ga=T,q=2,i=1,p=4,f=24,s=1,v=1,c=1,r=1,C=1;AAAA\x1b\\");
    let (screen, _) = fed(size(4, 3), [show("1;1"), show("2;3")].concat());
    assert_eq!(tiles(&screen, 0), ". . . .");
    assert_eq!(tiles(&screen, 1), ". . 2:0 .");
}

#[test]
fn sixels_are_found_wherever_they_are_cut() {
    let bytes = format!("ab{SIXELS}\x1b_Ga=T,q=2,f=24,s=1,v=1,c=1,r=1;AAAA\x1b\\");
    let (whole, _) = fed(size(6, 4), &bytes);
    for cut in 1..bytes.len() {
        let mut screen = Screen::new(size(6, 4), Colours::default());
        let mut out = Out::default();
        screen.feed(&bytes.as_bytes()[..cut], &mut out);
        screen.feed(&bytes.as_bytes()[cut..], &mut out);
        for row in 0..4 {
            assert_eq!(tiles(&screen, row), tiles(&whole, row), "cut at {cut}");
        }
    }
}
