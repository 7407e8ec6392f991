/// Bytes as programs write them, and worse.
fn output_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => "[a-z ]{1,12}".prop_map(String::into_bytes),
        3 => Just(b"\r\n".to_vec()),
        1 => prop::sample::select(vec![
                "漢", "é", "e\u{301}", "\u{1f600}", "\u{1f44d}\u{1f3fd}", "\u{2764}\u{fe0f}", "1\u{fe0f}\u{20e3}",
                "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", "\u{1f1e9}\u{1f1ea}", "\u{1fae8}", "\u{200d}", "\u{ad}",
            ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::sample::select(vec!["\t", "\n", "\r", "\x08", "\x0b", "\x0c", "\x0e", "\x0f", "\x07"])
            .prop_map(|text| text.as_bytes().to_vec()),
        4 => (prop::sample::select(b"ABCDEFGHIJKLMPSTXZ`abdefgrsu@".to_vec()), 0u16..12, 0u16..12)
            .prop_map(|(end, a, b)| format!("\x1b[{a};{b}{}", end as char).into_bytes()),
        3 => prop::sample::select(vec![0, 1, 2, 3, 4, 5, 7, 8, 9, 21, 22, 24, 27, 29, 31, 39, 42, 49, 53, 95, 103])
            .prop_map(|n| format!("\x1b[{n}m").into_bytes()),
        1 => (0u8..=255).prop_map(|n| format!("\x1b[38;5;{n};48;2;1;2;{n}m").into_bytes()),
        2 => (prop::sample::select(vec![
                1, 5, 6, 7, 9, 25, 45, 47, 66, 69, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1047, 1048, 1049, 2004,
                2026, 2027, 2031,
            ]), any::<bool>())
            .prop_map(|(n, on)| format!("\x1b[?{n}{}", if on { 'h' } else { 'l' }).into_bytes()),
        1 => prop::sample::select(vec![
                "\x1b[4h", "\x1b[4l", "\x1b[20h", "\x1b[20l", "\x1b7", "\x1b8", "\x1bM", "\x1bD", "\x1bE", "\x1bH", "\x1b[g",
                "\x1b[3g", "\x1b(0", "\x1b(B", "\x1b)0", "\x1b=", "\x1b>", "\x1b[2;5r", "\x1b[r", "\x1bc", "\x1b[!p",
                "\x1b[5 q", "\x1b]2;title\x07", "\x1b]4;1;#ff0000\x07", "\x1b[20b", "\x1b[3J", "\x1b[2J", "\x1b#8",
                "\x1b[4:3m", "\x1b[58:5:3m", "\x1b[38:2:1:2:3m", "\x1b[48:2::1:2:3m", "\x1b[?J", "\x1b[?2J", "\x1b[?K",
                "\x1b[1\"q", "\x1b[0\"q", "\x1b[2'}", "\x1b[2'~", "\x1b[2 @", "\x1b[2 A", "\x1b[88;2;2;4;9$x",
                "\x1b[;3;3;5$z", "\x1b[1;1;9;9${", "\x1b[1;1;3;5;1;2;4$v", "\x1b[1;2;2;9;7$r", "\x1b[1;;2;3;1;4$t", "\x1b[2*x", "\x1b[?5W",
                "\u{9b}31m", "\u{85}", "\x1b6", "\x1b9",
                "\x1bPq#1~~~~-!20~-~\x1b\\", "\x1bP0;1q\"1;1;90;40~\x1b\\", "\x1b_Ga=T,i=1,p=1,f=24,s=1,v=1,c=5,r=3;AAAA\x1b\\",
                "\x1b_Ga=p,i=1,c=30,r=2,C=1\x1b\\", "\x1b_Ga=d\x1b\\", "\x1b_Ga=d,d=i,i=1\x1b\\", "\x1b_Ga=d,d=c\x1b\\",
                "\x1b]1337;File=inline=1;width=3;height=20:R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7\x07",
                "\x1bP+q544e\x1b\\", "\x1b_Gi=1;AAAA\x1b\\", "\x1b^pm\x1b\\", "\x1b]8;;http://a\x07", "\x1b]8;;\x07", "\x1b]133;A\x07",
                "\x1b[>1u", "\x1b[>31u", "\x1b[<u", "\x1b[<9u", "\x1b[=2;2u", "\x1b[=1;3u", "\x1b[>4;1m", "\x1b[>4;2m", "\x1b[>4m",
            ]).prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn sizes() -> impl Strategy<Value = PaneSize> {
    (4u16..40, 2u16..12).prop_map(|(cols, rows)| PaneSize { cols, rows })
}
