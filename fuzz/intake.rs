//! Any bytes, cut anywhere, on screens of any size: the same lines and the same screen as in one piece, a snapshot
//! that can be taken in again, and no panic. `fuzz/run` builds and runs this.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terminal::{Frame, PaneSize, Playback, ScrollbackLimits};

const LIMITS: ScrollbackLimits = ScrollbackLimits {
    lines: 400,
    bytes: 64 * 1024,
};

fn size(cols: u8, rows: u8) -> PaneSize {
    PaneSize {
        cols: 2 + u16::from(cols) % 130,
        rows: 1 + u16::from(rows) % 50,
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(([cols, rows, wider, taller, cut], output)) = data.split_first_chunk() else {
        return;
    };
    let (first, then) = (size(*cols, *rows), size(*wider, *taller));
    let (before, after) = output.split_at(output.len() / 2);
    let cut = 1 + usize::from(*cut) % 64;

    let mut whole = Playback::new(first, LIMITS);
    whole.feed(before);
    whole.resize(then);
    whole.feed(after);

    let mut parts = Playback::new(first, LIMITS);
    before.chunks(cut).for_each(|part| parts.feed(part));
    parts.resize(then);
    after.chunks(cut).for_each(|part| parts.feed(part));

    assert_eq!(whole.text(), parts.text());
    assert_eq!(whole.lines(), parts.lines());

    let snapshot = whole.snapshot(u32::from(*cols));
    assert_eq!(snapshot.size, then);
    let frame = Frame::Snapshot(snapshot.clone());
    assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
    let mut again = Playback::new(then, LIMITS);
    again.feed(&snapshot.bytes);
    assert_eq!(again.text().rows.len(), usize::from(then.rows));
});
