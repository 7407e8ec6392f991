//! The stream of a pane to one window, and its flood control: what is sent next, and when.
//!
//! A window gets a snapshot, then what changes on screen, drawn when there is room on the way: a window that is slow is
//! told less often. It acknowledges what it has parsed. When more lines scroll away than it can be told of, they are
//! forgotten, and a fresh snapshot is sent once the window has parsed all that was sent. So a slow or dead window costs
//! a bounded amount of memory, and nobody waits for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::ink::Ink;
use crate::screen::{Drawn, View};
use crate::snapshot::Snapshot;
use crate::types::{LineId, PaneSize};

/// Frames come no closer together than this: small ones are dear to the window.
const PACE: Duration = Duration::from_millis(4);
/// Nor than this behind one that was not small: a window draws no more often.
const PACE_OF_LARGE: Duration = Duration::from_millis(16);
/// So much is not small.
const LARGE: usize = 2 * 1024;

/// Snapshots come no closer together than this.
const CALM: Duration = Duration::from_millis(66);
/// Nor than so many times what the window took to show the last one: most of what a flood costs is drawing it, and the
/// processors are wanted for what the program does.
const REST: u32 = 3;
/// But a window that takes long is shown something as often as this.
const LONGEST_REST: Duration = Duration::from_millis(500);
/// A flood is over when nothing has come for this long.
const OVER: Duration = Duration::from_millis(200);
/// How many rows above the screen a snapshot has while a flood lasts.
const LIGHT: u32 = 100;
/// Of output faster than this (in bytes a second) a window is shown snapshots only.
const TORRENT: u128 = 2_000_000;

/// How a window wants a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachOptions {
    /// How many rows of scrollback a snapshot brings at most.
    pub scrollback_rows: u32,
    /// How many bytes may be on their way before the pane stops sending.
    pub high_water: u32,
}

impl Default for AttachOptions {
    fn default() -> Self {
        Self {
            scrollback_rows: 5_000,
            high_water: 128 * 1024,
        }
    }
}

/// One message to a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The whole picture: forget everything and show this.
    Snapshot(Snapshot),
    /// What has changed since: escape sequences that paint rows, and scroll those away that have scrolled away.
    Changes(Changes),
    /// The program ended; the pane is still there.
    Ended,
}

/// How a picture differs from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The line that the first row of the screen belongs to then, unless a full-screen program has it: with it a window
    /// knows which of its rows is which line, whatever scrolled.
    pub top_line: LineId,
    /// Escape sequences.
    pub bytes: Vec<u8>,
}

/// Why bytes are not a frame.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a frame: {reason}")]
pub struct FrameError {
    reason: &'static str,
}

impl Frame {
    /// The frame as it travels: a byte for its kind, a head, then the payload. The head of changes is their line; that
    /// of a snapshot its size, its first line, and whether it is a light one.
    pub fn encode(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(self.payload() as usize + 16);
        match self {
            Frame::Changes(changes) => {
                frame.push(0);
                frame.extend_from_slice(&changes.top_line.0.to_le_bytes());
                frame.extend_from_slice(&changes.bytes);
            }
            Frame::Snapshot(snapshot) => {
                frame.push(1);
                frame.extend_from_slice(&snapshot.size.cols.to_le_bytes());
                frame.extend_from_slice(&snapshot.size.rows.to_le_bytes());
                frame.extend_from_slice(&snapshot.first_line.0.to_le_bytes());
                frame.push(u8::from(snapshot.light));
                frame.extend_from_slice(&snapshot.bytes);
            }
            Frame::Ended => frame.push(2),
        }
        frame
    }

    /// Reads what [`Frame::encode`] wrote.
    ///
    /// # Errors
    ///
    /// When the bytes are empty, of an unknown kind, or too short for their kind.
    pub fn decode(bytes: &[u8]) -> Result<Frame, FrameError> {
        fn take<const N: usize>(
            rest: &mut &[u8],
            reason: &'static str,
        ) -> Result<[u8; N], FrameError> {
            let (head, tail) = rest.split_first_chunk().ok_or(FrameError { reason })?;
            *rest = tail;
            Ok(*head)
        }
        let mut rest = bytes;
        match take(&mut rest, "it is empty")? {
            [0] => {
                let reason = "the head of changes is 9 bytes";
                Ok(Frame::Changes(Changes {
                    top_line: LineId(u64::from_le_bytes(take(&mut rest, reason)?)),
                    bytes: rest.to_vec(),
                }))
            }
            [1] => {
                let reason = "the head of a snapshot is 14 bytes";
                Ok(Frame::Snapshot(Snapshot {
                    size: PaneSize {
                        cols: u16::from_le_bytes(take(&mut rest, reason)?),
                        rows: u16::from_le_bytes(take(&mut rest, reason)?),
                    },
                    first_line: LineId(u64::from_le_bytes(take(&mut rest, reason)?)),
                    light: take(&mut rest, reason)? != [0],
                    bytes: rest.to_vec(),
                }))
            }
            [2] => Ok(Frame::Ended),
            [_] => Err(FrameError {
                reason: "its first byte is not 0, 1 or 2",
            }),
        }
    }

    /// How many bytes the window acknowledges once it has parsed this frame, or shows it, if it is a snapshot.
    pub fn payload(&self) -> u64 {
        match self {
            Frame::Changes(changes) => changes.bytes.len() as u64,
            Frame::Snapshot(snapshot) => snapshot.bytes.len() as u64,
            Frame::Ended => 0,
        }
    }
}

/// What a pane and its attachment share.
pub(crate) struct Stream {
    options: AttachOptions,
    flow: Mutex<Flow>,
    /// There may be something to send.
    pub(crate) wake: Notify,
}

#[derive(Debug)]
struct Flow {
    /// What the window shows once it has parsed all that was drawn; none: nothing that could be added to.
    drawn: Option<Drawn>,
    /// What was drawn because it was about to leave, and has not been sent.
    ink: Ink,
    /// Something has changed since it was drawn.
    changed: bool,
    /// Bytes that were sent and not acknowledged, a snapshot's included.
    unacknowledged: u64,
    /// How many of those are a snapshot's: they do not count as a flood.
    of_snapshot: u64,
    /// The window can't be told of all that went: only a snapshot can go on from here.
    behind: bool,
    /// The last snapshot was a light one: a whole one is owed.
    flooded: bool,
    /// How much may be on its way now.
    limit: u64,
    /// When the last snapshot was sent, how much has come since, and when it came last.
    snapshot_at: Option<Instant>,
    since: u64,
    came_at: Instant,
    /// How long the window took to show the last snapshot, once it has said that it does.
    showing: Duration,
    /// A snapshot is the next thing to send.
    due: bool,
    /// The program ended, and the window has not been told.
    ended: bool,
    /// The pane is gone.
    closed: bool,
    /// When the last frame was sent, and how long it is to be the last one.
    sent: Option<(Instant, Duration)>,
    /// Something waits for the picture to be whole.
    awaited: Option<Awaited>,
    /// It was made when the picture was whole, and is the next thing to send.
    made: Option<Frame>,
}

/// What waits for the end of a synchronized update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// What has changed.
    Changes,
    /// A snapshot; `light`: with little above the screen.
    Snapshot { light: bool },
}

/// How far apart the snapshots of a flood are for a window that takes so long to show one.
fn calm(showing: Duration) -> Duration {
    (showing * REST).clamp(CALM, LONGEST_REST)
}

impl Flow {
    fn on_the_way(&self) -> u64 {
        self.unacknowledged - self.of_snapshot
    }

    fn fall_behind(&mut self) {
        self.behind = true;
        self.drawn = None;
        self.ink = Ink::default();
    }
}

impl Stream {
    pub(crate) fn new(options: AttachOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            flow: Mutex::new(Flow {
                drawn: None,
                ink: Ink::default(),
                changed: false,
                unacknowledged: 0,
                of_snapshot: 0,
                behind: false,
                flooded: false,
                limit: u64::from(options.high_water),
                snapshot_at: None,
                since: 0,
                came_at: Instant::now(),
                showing: Duration::ZERO,
                due: true,
                ended: false,
                closed: false,
                sent: None,
                awaited: None,
                made: None,
            }),
            wake: Notify::new(),
        })
    }

    /// So many bytes of output have come. Called under the pane's lock, like all that draws.
    pub(crate) fn output_came(&self, bytes: usize) {
        let mut flow = self.flow.lock();
        flow.came_at = Instant::now();
        flow.since += bytes as u64;
        let mut is_news = !flow.changed;
        flow.changed = true;
        if flow.drawn.is_some() && flow.limit == 0 {
            flow.fall_behind();
            is_news = true;
        }
        drop(flow);
        // Whoever knows already looks again by itself: a flood would wake it for every few KiB.
        if is_news {
            self.wake.notify_one();
        }
    }

    /// Rows are about to leave the emulator: they are drawn while they are there.
    pub(crate) fn rows_leave(&self, view: &View<'_>) {
        let mut flow = self.flow.lock();
        let flow = &mut *flow;
        let Some(drawn) = &mut flow.drawn else { return };
        let can_follow = view.draw(drawn, &mut flow.ink);
        if !can_follow || flow.on_the_way() + flow.ink.out.len() as u64 > flow.limit {
            flow.fall_behind();
        }
    }

    /// The rows were laid out anew: the window needs all of them.
    pub(crate) fn laid_out_anew(&self) {
        let mut flow = self.flow.lock();
        flow.drawn = None;
        flow.ink = Ink::default();
        flow.due = true;
        drop(flow);
        self.wake.notify_one();
    }

    /// Draws what has changed; nothing when nothing did, or when the window can't follow and a snapshot is next.
    pub(crate) fn draw(
        &self,
        top_line: u64,
        draw: impl FnOnce(&mut Drawn, &mut Ink) -> bool,
    ) -> Option<Frame> {
        let mut flow = self.flow.lock();
        let flow = &mut *flow;
        flow.changed = false;
        flow.awaited = None;
        let drawn = flow.drawn.as_mut()?;
        if !draw(drawn, &mut flow.ink) {
            flow.fall_behind();
            return None;
        }
        let bytes = std::mem::take(&mut flow.ink.out);
        if bytes.is_empty() {
            return None;
        }
        flow.unacknowledged += bytes.len() as u64;
        let pace = if bytes.len() < LARGE {
            PACE
        } else {
            PACE_OF_LARGE
        };
        flow.sent = Some((Instant::now(), pace));
        Some(Frame::Changes(Changes {
            top_line: LineId(top_line),
            bytes,
        }))
    }

    /// What is to be sent next waits for the end of a synchronized update.
    pub(crate) fn await_picture(&self, what: Awaited) {
        self.flow.lock().awaited = Some(what);
    }

    /// What waits for the end of a synchronized update.
    pub(crate) fn awaits_picture(&self) -> Option<Awaited> {
        self.flow.lock().awaited
    }

    /// What waited was made, and is the next thing to send.
    pub(crate) fn picture_is_whole(&self, made: Option<Frame>) {
        let Some(made) = made else { return };
        self.flow.lock().made = Some(made);
        self.wake.notify_one();
    }

    pub(crate) fn rows(&self, light: bool) -> u32 {
        let rows = self.options.scrollback_rows;
        if light { rows.min(LIGHT) } else { rows }
    }

    /// A snapshot was made, and is sent before anything that comes after it.
    pub(crate) fn snapshot_made(&self, mut snapshot: Snapshot, drawn: Drawn, light: bool) -> Frame {
        let mut flow = self.flow.lock();
        snapshot.light &= light;
        let bytes = snapshot.bytes.len() as u64;
        if let Some(older) = flow.made.take() {
            // It never went out.
            flow.unacknowledged -= older.payload();
            if let Frame::Snapshot(_) = older {
                flow.of_snapshot -= older.payload();
            }
        }
        let now = Instant::now();
        let rate = flow.snapshot_at.map_or(0, |at| {
            u128::from(flow.since) * 1_000 / now.duration_since(at).as_millis().max(1)
        });
        flow.limit = if light && rate > TORRENT {
            // It would be dropped anyway, after the window had worked through the beginning.
            0
        } else {
            u64::from(self.options.high_water)
        };
        flow.drawn = Some(drawn);
        flow.ink = Ink::default();
        flow.changed = false;
        flow.awaited = None;
        flow.due = false;
        flow.behind = false;
        flow.flooded = snapshot.light;
        flow.since = 0;
        flow.snapshot_at = Some(now);
        flow.unacknowledged += bytes;
        flow.of_snapshot += bytes;
        flow.sent = Some((now, PACE));
        Frame::Snapshot(snapshot)
    }

    /// What is to be sent next.
    pub(crate) fn take(&self) -> Next {
        let mut flow = self.flow.lock();
        if let Some(made) = flow.made.take() {
            return Next::Frame(made);
        }
        let left = |of: Duration, since: Option<Instant>| {
            since
                .and_then(|at| of.checked_sub(at.elapsed()))
                .filter(|left| !left.is_zero())
        };
        if flow.due && !flow.closed {
            return if flow.unacknowledged > 0 {
                Next::Wait
            } else {
                Next::Snapshot { light: false }
            };
        }
        if flow.behind && !flow.closed {
            return match left(calm(flow.showing), flow.snapshot_at) {
                _ if flow.unacknowledged > 0 => Next::Wait,
                Some(wait) => Next::Later(wait),
                None => Next::Snapshot { light: true },
            };
        }
        if flow.changed && flow.drawn.is_some() {
            if flow.closed {
                return Next::Changes;
            }
            let pace = flow.sent.and_then(|(at, pace)| left(pace, Some(at)));
            return match pace {
                _ if flow.on_the_way() > u64::from(self.options.high_water) / 4 => Next::Wait,
                Some(wait) => Next::Later(wait),
                None => Next::Changes,
            };
        }
        if flow.closed {
            return Next::Closed;
        }
        if flow.flooded {
            return match left(OVER, Some(flow.came_at)) {
                _ if flow.unacknowledged > 0 => Next::Wait,
                Some(wait) => Next::Later(wait),
                None => Next::Snapshot { light: false },
            };
        }
        if flow.ended {
            flow.ended = false;
            return Next::Frame(Frame::Ended);
        }
        Next::Wait
    }

    pub(crate) fn ended(&self) {
        self.flow.lock().ended = true;
        self.wake.notify_one();
    }

    pub(crate) fn closed(&self) {
        self.flow.lock().closed = true;
        self.wake.notify_one();
    }

    pub(crate) fn ack(&self, bytes: u64) {
        let mut flow = self.flow.lock();
        flow.unacknowledged = flow.unacknowledged.saturating_sub(bytes);
        if flow.of_snapshot > 0 {
            flow.of_snapshot = flow.of_snapshot.saturating_sub(bytes);
            if flow.of_snapshot == 0 {
                flow.showing = flow.snapshot_at.map_or(Duration::ZERO, |at| at.elapsed());
            }
        }
        let waited_for = flow.changed || flow.behind || flow.flooded || flow.due;
        drop(flow);
        if waited_for {
            self.wake.notify_one();
        }
    }
}

/// What a window is to be sent next.
pub(crate) enum Next {
    Frame(Frame),
    /// What has changed, once it is drawn.
    Changes,
    Snapshot {
        light: bool,
    },
    Closed,
    Later(Duration),
    Wait,
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;

    use super::*;
    use crate::screen::{Colours, Screen};
    use crate::scrollback::{Scrollback, ScrollbackLimits};
    use crate::snapshot::snapshot;

    #[test]
    fn a_frame_reads_back_as_it_was_written() {
        for frame in [
            Frame::Changes(Changes {
                top_line: LineId(1 << 40),
                bytes: b"abc".to_vec(),
            }),
            Frame::Snapshot(Snapshot {
                size: PaneSize { cols: 80, rows: 24 },
                first_line: LineId(1 << 40),
                light: true,
                bytes: b"abc".to_vec(),
            }),
            Frame::Ended,
        ] {
            assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
        }
    }

    /// A window that has been sent a screen, and shows it.
    fn shown() -> Arc<Stream> {
        let stream = Stream::new(AttachOptions::default());
        let mut screen = Screen::new(PaneSize::default(), Colours::default());
        let ring = Scrollback::new(ScrollbackLimits::default());
        let (snapshot, drawn) = snapshot(&mut screen, &ring, LineId(0), 10);
        let bytes = stream.snapshot_made(snapshot, drawn, false).payload();
        stream.ack(bytes);
        stream
    }

    fn was_woken(stream: &Stream) -> bool {
        let mut woken = std::pin::pin!(stream.wake.notified());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        woken.as_mut().poll(&mut context).is_ready()
    }

    #[test]
    fn a_window_is_woken_for_the_first_output_and_not_for_what_follows() {
        let stream = shown();
        // What the snapshot left.
        was_woken(&stream);
        stream.output_came(10);
        assert!(was_woken(&stream));
        stream.output_came(10);
        assert!(!was_woken(&stream), "it knows already");
        assert!(stream.draw(0, |_, _| true).is_none());
        stream.output_came(10);
        assert!(was_woken(&stream), "it had drawn what there was");
    }

    #[test]
    fn a_window_that_takes_long_is_sent_fewer_snapshots_of_a_flood() {
        let ms = Duration::from_millis;
        assert_eq!(calm(ms(0)), ms(66));
        assert_eq!(calm(ms(20)), ms(66));
        assert_eq!(calm(ms(50)), ms(150));
        assert_eq!(calm(ms(2000)), ms(500));
    }

    #[test]
    fn how_long_a_snapshot_took_is_known_once_it_is_shown() {
        let stream = shown();
        let at = stream.flow.lock().snapshot_at.unwrap();
        let showing = stream.flow.lock().showing;
        assert!(showing > Duration::ZERO && showing <= at.elapsed());
    }

    #[test]
    fn bytes_that_are_no_frame_are_refused() {
        insta::assert_snapshot!(Frame::decode(b"").unwrap_err(), @"not a frame: it is empty");
        insta::assert_snapshot!(Frame::decode(b"\x00abc").unwrap_err(), @"not a frame: the head of changes is 9 bytes");
        insta::assert_snapshot!(Frame::decode(b"\x01abc").unwrap_err(), @"not a frame: the head of a snapshot is 14 bytes");
        insta::assert_snapshot!(Frame::decode(b"\x09").unwrap_err(), @"not a frame: its first byte is not 0, 1 or 2");
    }
}
