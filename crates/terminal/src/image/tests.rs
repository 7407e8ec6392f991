use super::*;
use proptest::prelude::*;

const CELL: CellSize = CellSize {
    width: 10,
    height: 20,
};
const SIZE: crate::types::PaneSize = crate::types::PaneSize { cols: 40, rows: 10 };
/// A GIF of one pixel.
const DOT: &str = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/// The pixels of an image that was made of pixels, row by row: `.` for one that shows what is behind, else red, green and blue as hexadecimal
/// digits.
fn pixels(file: &ImageFile) -> Vec<String> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(&file.bytes))
        .read_info()
        .unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    let channels = info.color_type.samples();
    let digit = |byte: u8| char::from_digit(u32::from(byte) * 15 / 255, 16).unwrap();
    bytes
        .chunks(info.width as usize * channels)
        .map(|row| {
            let pixel = |pixel: &[u8]| match pixel {
                [_, _, _, 0] => ".".to_owned(),
                pixel => pixel[..3].iter().map(|byte| digit(*byte)).collect(),
            };
            row.chunks(channels)
                .map(pixel)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[test]
fn sixels_are_six_pixels_one_below_the_other() {
    // The second and the fifth, then three times the first, in a colour of its own; a second line.
    let file = sixel::read(b"#1;2;100;0;0#1Q!3@$#2;2;0;100;0??A-#1~").unwrap();
    assert_eq!(
        pixels(&file),
        [
            ". f00 f00 f00",
            "f00 . 0f0 .",
            ". . . .",
            ". . . .",
            "f00 . . .",
            ". . . .",
            "f00 . . .",
            "f00 . . .",
            "f00 . . .",
            "f00 . . .",
            "f00 . . .",
            "f00 . . .",
        ]
    );
}

#[test]
fn colours_of_sixels_are_told_by_hue_as_well() {
    let hues = "#1;1;0;50;100#1@#2;1;120;50;100#2@#3;1;240;50;100#3@#4;1;0;100;0#4@";
    let file = sixel::read(hues.as_bytes()).unwrap();
    assert_eq!(pixels(&file), ["00f f00 0f0 fff"]);
}

#[test]
fn sixels_are_as_large_as_they_say_if_that_is_sound() {
    let file = sixel::read(b"\"1;1;3;8@").unwrap();
    assert_eq!((file.width, file.height), (3, 8));
    let file = sixel::read(b"\"1;1;99999999;99999999@@").unwrap();
    assert_eq!((file.width, file.height), (2, 1));
    assert_eq!(sixel::read(b"$$--#4"), None, "nothing is painted");
}

#[test]
fn sixels_that_paint_without_end_are_given_up() {
    for hostile in [
        "!16000~$".repeat(20_000),
        "!99999999999999~".to_owned(),
        "-".repeat(1_000_000),
        format!("{}!16000?", "-".repeat(2_700)),
    ] {
        let file = sixel::read(hostile.as_bytes());
        assert!(file.is_none_or(|file| file.width <= MAX_SIDE && file.height <= MAX_SIDE));
    }
}

fn inline(images: &mut Inline, payload: &str) -> Option<Placing> {
    images.take(payload.as_bytes(), CELL, SIZE)
}

#[test]
fn a_file_is_as_large_as_the_program_wants_it() {
    let cells = |about: &str| {
        let payload = format!("1337;File=inline=1{about}:{DOT}");
        let placing = inline(&mut Inline::default(), &payload)?;
        Some((placing.width, placing.height))
    };
    assert_eq!(cells(""), Some((0.1, 0.05)));
    assert_eq!(cells(";width=4"), Some((4.0, 2.0)));
    assert_eq!(cells(";width=50px;height=auto"), Some((5.0, 2.5)));
    assert_eq!(cells(";height=50%"), Some((10.0, 5.0)));
    assert_eq!(
        cells(";width=4;height=4"),
        Some((4.0, 2.0)),
        "it keeps its shape"
    );
    let wide = ";width=4;height=4;preserveAspectRatio=0";
    assert_eq!(cells(wide), Some((4.0, 4.0)));
    assert_eq!(cells(";width=-4;height=x"), Some((0.1, 0.05)));
}

#[test]
fn a_file_may_come_in_parts() {
    let mut images = Inline::default();
    assert!(inline(&mut images, "1337;MultipartFile=inline=1;width=2").is_none());
    for part in [&DOT[..7], &DOT[7..30], &DOT[30..]] {
        assert!(inline(&mut images, &format!("1337;FilePart={part}")).is_none());
    }
    assert_eq!(inline(&mut images, "1337;FileEnd").unwrap().width, 2.0);
    assert!(inline(&mut images, "1337;FileEnd").is_none());
    assert!(inline(&mut images, "1337;FilePart=AAAA").is_none());
}

#[test]
fn what_is_to_be_saved_or_is_no_image_is_left_alone() {
    for payload in [
        format!("1337;File=name=eA==:{DOT}"),
        "1337;File=inline=1:AAAA".to_owned(),
        "1337;File=inline=1:***".to_owned(),
        "1337;File=inline=1".to_owned(),
    ] {
        assert!(
            inline(&mut Inline::default(), &payload).is_none(),
            "{payload}"
        );
    }
}

/// What a program is told by kitty's protocol, and how large what is placed is.
fn kitty(images: &mut Kitty, payload: &str) -> (Option<(f32, f32)>, String) {
    let (wish, answer) = images.take(payload.as_bytes(), CELL);
    let placed = match wish {
        Some(Wish::Place(placing, name)) => {
            let size = (placing.width, placing.height);
            images.shown(name, 7);
            Some(size)
        }
        _ => None,
    };
    (placed, answer.unwrap_or_default())
}

#[test]
fn a_program_that_asks_whether_images_are_drawn_is_told() {
    let mut images = Kitty::default();
    let told = |images: &mut Kitty, payload| kitty(images, payload).1;
    assert_eq!(
        told(&mut images, "i=31,s=1,v=1,a=q,t=d,f=24;AAAA"),
        "\x1b_Gi=31;OK\x1b\\"
    );
    let shared = told(&mut images, "i=31,s=1,v=1,a=q,t=s,f=24;AAAA");
    assert!(shared.starts_with("\x1b_Gi=31;EINVAL:"), "{shared}");
    let short = told(&mut images, "i=31,s=2,v=1,a=q,f=24;AAAA");
    assert!(short.starts_with("\x1b_Gi=31;ENODATA:"), "{short}");
    let unknown = told(&mut images, "a=p,i=31");
    assert!(unknown.starts_with("\x1b_Gi=31;ENOENT:"), "{unknown}");
    assert_eq!(told(&mut images, "a=p,i=31,q=2"), "");
    assert_eq!(
        told(&mut images, "a=T,s=1,v=1,f=24;AAAA"),
        "",
        "it has no name"
    );
}

#[test]
fn an_image_is_sent_once_and_shown_as_often_as_is_wanted() {
    let mut images = Kitty::default();
    // Red, green; in parts, as some send them: one without anything, and each with an end of its own.
    for part in ["a=t,i=5,f=24,s=2,v=1,m=1", "m=1;/wA=", "m=1;AA=="] {
        assert_eq!(kitty(&mut images, part), (None, String::new()));
    }
    assert_eq!(
        kitty(&mut images, "m=0;AP8A"),
        (None, "\x1b_Gi=5;OK\x1b\\".to_owned())
    );
    let ok = "\x1b_Gi=5;OK\x1b\\".to_owned();
    assert_eq!(
        kitty(&mut images, "a=p,i=5"),
        (Some((0.2, 0.05)), ok.clone())
    );
    assert_eq!(
        kitty(&mut images, "a=p,i=5,c=4,r=3"),
        (Some((4.0, 3.0)), ok.clone())
    );
    assert_eq!(kitty(&mut images, "a=p,i=5,c=4"), (Some((4.0, 1.0)), ok));
    let (_, outside) = kitty(&mut images, "a=p,i=5,x=2");
    assert!(outside.contains("EINVAL"), "{outside}");
    kitty(&mut images, "a=d,d=I,i=5");
    let (placed, _) = kitty(&mut images, "a=p,i=5");
    assert_eq!(placed, None, "it was deleted, with what was sent");
}

#[test]
fn what_is_compressed_is_as_large_as_it_may_be() {
    let mut zeros = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut zeros, &[0; 3 * 4]).unwrap();
    let text = BASE64.encode(zeros.finish().unwrap());
    let mut images = Kitty::default();
    let payload = format!("a=T,i=1,f=24,s=2,v=2,o=z;{text}");
    assert_eq!(kitty(&mut images, &payload).0, Some((0.2, 0.1)));
    for (size, why) in [
        ("s=2,v=3", "ENODATA"),
        ("s=2,v=1", "ENODATA"),
        ("s=9999,v=9999", "EFBIG"),
    ] {
        let payload = format!("a=T,i=1,f=24,{size},o=z;{text}");
        let (_, told) = kitty(&mut images, &payload);
        assert!(told.contains(why), "{size}: {told}");
    }
}

#[test]
fn old_images_make_room_for_new_ones() {
    let mut images = Images::default();
    let file = Arc::new(ImageFile::of_pixels(1, 1, 3, &[1, 2, 3]).unwrap());
    let place = |images: &mut Images| {
        let file = Arc::clone(&file);
        let placing = Placing::new(file, None, Wanted::default(), CELL, CursorAfter::Below);
        images.place(placing)
    };
    let first = place(&mut images);
    assert!(images.get(first).is_some());
    let last = (0..MAX_PLACED).map(|_| place(&mut images)).last().unwrap();
    assert!(images.get(first).is_none());
    assert_eq!(images.get(last).unwrap().media_type, "image/png");
    assert_eq!(
        images.kept(),
        file.bytes.len(),
        "one file, however often it is shown"
    );
}

proptest! {
    #[test]
    fn whatever_is_sent_is_read_or_left_alone(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        keys in "[atTqfsvioImcrxyXYpdDU=,0-9;]{0,60}",
    ) {
        let _ = sixel::read(&bytes);
        let _ = Inline::default().take(&[b"1337;File=inline=1:", &bytes[..]].concat(), CELL, SIZE);
        let mut images = Kitty::default();
        let _ = images.take(&bytes, CELL);
        let _ = images.take(keys.as_bytes(), CELL);
        let _ = images.take(format!("a=T,{keys};AAAA").as_bytes(), CELL);
    }
}
