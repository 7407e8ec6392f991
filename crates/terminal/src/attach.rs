//! The stream of a pane to one window, and its flood control: what is sent next, and when.
//!
//! A window gets a snapshot, then what the program writes. It acknowledges what it has parsed. When too much is
//! on its way, the pane stops sending to this window (and goes on reading its program), forgets what it had not
//! sent, and sends a fresh snapshot once the window has parsed all that was sent. So a slow or dead window costs
//! a bounded amount of memory, and nobody waits for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::snapshot::Snapshot;
use crate::types::{LineId, PaneSize};

/// The most that one frame of output carries.
const FRAME: usize = 64 * 1024;
/// Frames of output come no closer together than this, unless they are full: small ones are dear to the window.
const PACE: Duration = Duration::from_millis(4);

/// Snapshots come no closer together than this.
const CALM: Duration = Duration::from_millis(66);
/// A flood is over when nothing has come for this long.
const OVER: Duration = Duration::from_millis(200);
/// How many rows above the screen a snapshot has while a flood lasts.
const LIGHT: u32 = 100;
/// Output faster than this (in bytes a second) is not streamed between the snapshots of a flood.
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
    /// What the program wrote since.
    Output(Vec<u8>),
    /// The program ended; the pane is still there.
    Ended,
}

/// Why bytes are not a frame.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a frame: {reason}")]
pub struct FrameError {
    reason: &'static str,
}

impl Frame {
    /// The frame as it travels: a byte for its kind, for a snapshot its size and first line, then the payload.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Frame::Output(bytes) => {
                let mut frame = Vec::with_capacity(bytes.len() + 1);
                frame.push(0);
                frame.extend_from_slice(bytes);
                frame
            }
            Frame::Snapshot(snapshot) => {
                let mut frame = Vec::with_capacity(snapshot.bytes.len() + 13);
                frame.push(1);
                frame.extend_from_slice(&snapshot.size.cols.to_le_bytes());
                frame.extend_from_slice(&snapshot.size.rows.to_le_bytes());
                frame.extend_from_slice(&snapshot.first_line.0.to_le_bytes());
                frame.extend_from_slice(&snapshot.bytes);
                frame
            }
            Frame::Ended => vec![2],
        }
    }

    /// Reads what [`Frame::encode`] wrote.
    ///
    /// # Errors
    ///
    /// When the bytes are empty, of an unknown kind, or too short for their kind.
    pub fn decode(bytes: &[u8]) -> Result<Frame, FrameError> {
        let error = |reason| FrameError { reason };
        match bytes.split_first() {
            None => Err(error("it is empty")),
            Some((0, payload)) => Ok(Frame::Output(payload.to_vec())),
            Some((1, rest)) => {
                let short = error("the head of a snapshot is 13 bytes");
                let (cols, rest) = rest.split_first_chunk().ok_or(short)?;
                let short = error("the head of a snapshot is 13 bytes");
                let (rows, rest) = rest.split_first_chunk().ok_or(short)?;
                let short = error("the head of a snapshot is 13 bytes");
                let (first, rest) = rest.split_first_chunk().ok_or(short)?;
                Ok(Frame::Snapshot(Snapshot {
                    size: PaneSize {
                        cols: u16::from_le_bytes(*cols),
                        rows: u16::from_le_bytes(*rows),
                    },
                    first_line: LineId(u64::from_le_bytes(*first)),
                    bytes: rest.to_vec(),
                }))
            }
            Some((2, _)) => Ok(Frame::Ended),
            Some(_) => Err(error("its first byte is not 0, 1 or 2")),
        }
    }

    /// How many bytes the window acknowledges once it has parsed this frame.
    pub fn payload(&self) -> u64 {
        match self {
            Frame::Output(bytes) => bytes.len() as u64,
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
    /// Output that has not been sent.
    pending: Vec<u8>,
    /// Bytes that were sent and not acknowledged, a snapshot's included.
    unacknowledged: u64,
    /// How many of those are a snapshot's: they do not count as a flood.
    of_snapshot: u64,
    /// Output was dropped: only a snapshot can go on from here.
    behind: bool,
    /// The last snapshot was a light one: a whole one is owed.
    flooded: bool,
    /// How much may be on its way now.
    limit: u64,
    /// When the last snapshot was sent, how much has come since, and when it came last.
    snapshot_at: Option<Instant>,
    since: u64,
    pushed_at: Instant,
    /// A snapshot is the next thing to send.
    due: bool,
    /// The program ended, and the window has not been told.
    ended: bool,
    /// The pane is gone.
    closed: bool,
    sent_at: Option<Instant>,
    /// A snapshot waits for the picture to be whole, and whether it is to be a light one.
    awaited: Option<bool>,
    /// It was made when the picture was whole, and is the next thing to send.
    made: Option<Snapshot>,
}

impl Stream {
    pub(crate) fn new(options: AttachOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            flow: Mutex::new(Flow {
                pending: Vec::new(),
                unacknowledged: 0,
                of_snapshot: 0,
                behind: false,
                flooded: false,
                limit: u64::from(options.high_water),
                snapshot_at: None,
                since: 0,
                pushed_at: Instant::now(),
                due: true,
                ended: false,
                closed: false,
                sent_at: None,
                awaited: None,
                made: None,
            }),
            wake: Notify::new(),
        })
    }

    /// Takes output for the window. Called under the pane's lock, so that it never races with a snapshot.
    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut flow = self.flow.lock();
        // A snapshot that is still to be made will show these bytes.
        if flow.due {
            return;
        }
        let now = Instant::now();
        flow.pushed_at = now;
        flow.since += bytes.len() as u64;
        if flow.behind {
            return;
        }
        let on_the_way = flow.unacknowledged - flow.of_snapshot + flow.pending.len() as u64;
        if on_the_way + bytes.len() as u64 > flow.limit {
            flow.behind = true;
            flow.pending = Vec::new();
        } else {
            flow.pending.extend_from_slice(bytes);
        }
        drop(flow);
        self.wake.notify_one();
    }

    /// A snapshot was made, and is sent before anything that comes after it.
    pub(crate) fn snapshot_sent(&self, bytes: usize, light: bool) {
        self.sent(&mut self.flow.lock(), bytes, light);
    }

    /// The snapshot that is due waits for the end of a synchronized update.
    pub(crate) fn await_picture(&self, light: bool) {
        self.flow.lock().awaited = Some(light);
    }

    /// Whether a snapshot waits for the end of a synchronized update.
    pub(crate) fn awaits_picture(&self) -> bool {
        self.flow.lock().awaited.is_some()
    }

    /// No synchronized update is under way: the snapshot that waited is made, of at most so many rows as `make` is
    /// told. Called under the pane's lock, like [`Stream::push`].
    pub(crate) fn picture_is_whole(&self, make: impl FnOnce(u32) -> Snapshot) {
        let mut flow = self.flow.lock();
        let Some(light) = flow.awaited.take() else {
            return;
        };
        let snapshot = make(self.rows(light));
        self.sent(&mut flow, snapshot.bytes.len(), light);
        flow.made = Some(snapshot);
        drop(flow);
        self.wake.notify_one();
    }

    pub(crate) fn rows(&self, light: bool) -> u32 {
        let rows = self.options.scrollback_rows;
        if light { rows.min(LIGHT) } else { rows }
    }

    fn sent(&self, flow: &mut Flow, bytes: usize, light: bool) {
        flow.awaited = None;
        if let Some(older) = flow.made.take() {
            // It never went out.
            flow.unacknowledged -= older.bytes.len() as u64;
            flow.of_snapshot -= older.bytes.len() as u64;
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
        flow.pending.clear();
        flow.due = false;
        flow.behind = false;
        flow.flooded = light;
        flow.since = 0;
        flow.snapshot_at = Some(now);
        flow.unacknowledged += bytes as u64;
        flow.of_snapshot += bytes as u64;
        flow.sent_at = Some(now);
    }

    /// What is to be sent next.
    pub(crate) fn take(&self) -> Next {
        let mut flow = self.flow.lock();
        if let Some(snapshot) = flow.made.take() {
            return Next::Frame(Frame::Snapshot(snapshot));
        }
        if flow.due && !flow.closed {
            return Next::Snapshot { light: false };
        }
        let left = |of: Duration, since: Option<Instant>| {
            since
                .and_then(|at| of.checked_sub(at.elapsed()))
                .filter(|left| !left.is_zero())
        };
        if flow.behind && !flow.closed {
            return match left(CALM, flow.snapshot_at) {
                _ if flow.unacknowledged > 0 => Next::Wait,
                Some(wait) => Next::Later(wait),
                None => Next::Snapshot { light: true },
            };
        }
        if !flow.pending.is_empty() {
            if flow.pending.len() < FRAME / 2
                && let Some(wait) = left(PACE, flow.sent_at)
            {
                return Next::Later(wait);
            }
            let bytes = if flow.pending.len() > FRAME {
                let rest = flow.pending.split_off(FRAME);
                std::mem::replace(&mut flow.pending, rest)
            } else {
                std::mem::take(&mut flow.pending)
            };
            flow.unacknowledged += bytes.len() as u64;
            flow.sent_at = Some(Instant::now());
            return Next::Frame(Frame::Output(bytes));
        }
        if flow.closed {
            return Next::Closed;
        }
        if flow.flooded {
            return match left(OVER, Some(flow.pushed_at)) {
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
        flow.of_snapshot = flow.of_snapshot.saturating_sub(bytes);
        let waited_for = flow.unacknowledged == 0 && (flow.behind || flow.flooded);
        drop(flow);
        if waited_for {
            self.wake.notify_one();
        }
    }
}

/// What a window is to be sent next.
pub(crate) enum Next {
    Frame(Frame),
    Snapshot { light: bool },
    Closed,
    Later(Duration),
    Wait,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_as_it_was_written() {
        for frame in [
            Frame::Output(b"abc".to_vec()),
            Frame::Snapshot(Snapshot {
                size: PaneSize { cols: 80, rows: 24 },
                first_line: LineId(1 << 40),
                bytes: b"\x1bc".to_vec(),
            }),
            Frame::Ended,
        ] {
            assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
        }
    }

    fn taken(stream: &Stream) -> Option<Frame> {
        match stream.take() {
            Next::Frame(frame) => Some(frame),
            _ => None,
        }
    }

    #[test]
    fn a_snapshot_that_waited_for_a_whole_picture_comes_before_what_follows_it() {
        let stream = Stream::new(AttachOptions::default());
        let picture = |text: &str| Snapshot {
            size: PaneSize { cols: 80, rows: 24 },
            first_line: LineId(0),
            bytes: text.as_bytes().to_vec(),
        };
        assert!(matches!(stream.take(), Next::Snapshot { light: false }));
        assert!(!stream.awaits_picture());
        stream.await_picture(false);
        stream.push(b"half of it");
        assert!(stream.awaits_picture());
        stream.picture_is_whole(|rows| {
            assert_eq!(rows, AttachOptions::default().scrollback_rows);
            picture("all of it")
        });
        stream.picture_is_whole(|_| panic!("nobody waits for another one"));
        stream.push(b" and more");
        assert_eq!(taken(&stream), Some(Frame::Snapshot(picture("all of it"))));
        let more = loop {
            match stream.take() {
                Next::Frame(frame) => break frame,
                Next::Later(wait) => std::thread::park_timeout(wait),
                _ => panic!("there is output"),
            }
        };
        assert_eq!(more, Frame::Output(b" and more".to_vec()));

        // One that was made otherwise meanwhile is the newer one, and the window owes an answer for that alone.
        let stream = Stream::new(AttachOptions::default());
        stream.await_picture(false);
        stream.picture_is_whole(|_| picture("old"));
        stream.snapshot_sent(5, false);
        assert_eq!(taken(&stream), None);
        stream.ack(5);
        assert_eq!(stream.flow.lock().unacknowledged, 0);
    }

    #[test]
    fn bytes_that_are_no_frame_are_refused() {
        insta::assert_snapshot!(Frame::decode(b"").unwrap_err(), @"not a frame: it is empty");
        insta::assert_snapshot!(Frame::decode(b"\x01abc").unwrap_err(), @"not a frame: the head of a snapshot is 13 bytes");
        insta::assert_snapshot!(Frame::decode(b"\x09").unwrap_err(), @"not a frame: its first byte is not 0, 1 or 2");
    }
}
