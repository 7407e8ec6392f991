//! A window's hold on a pane: what it is shown, frame by frame.

use std::sync::Arc;
use std::time::Duration;

use crate::attach::{Awaited, Frame, Next, Stream};
use crate::pane::{Drawing, Pane};

/// A window's hold on a pane; dropping it detaches.
pub struct Attachment {
    pane: Arc<Pane>,
    stream: Arc<Stream>,
}

/// Acknowledges for an [`Attachment`] from another task.
#[derive(Clone)]
pub struct AckHandle(Arc<Stream>);

impl AckHandle {
    /// Says that the window has parsed `bytes` more bytes of payload.
    pub fn ack(&self, bytes: u64) {
        self.0.ack(bytes);
    }
}

impl Attachment {
    pub(crate) fn new(pane: Arc<Pane>, stream: Arc<Stream>) -> Self {
        Self { pane, stream }
    }

    /// The next frame, when there is one: a snapshot first, then output. `None`: the pane was closed.
    ///
    /// Nothing is lost when the future is dropped before it is done.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            match self.stream.take() {
                Next::Frame(frame) => return Some(frame),
                Next::Changes => match self.pane.draw_for(&self.stream, Awaited::Changes) {
                    Drawing::Made(frame) => return Some(frame),
                    Drawing::Nothing => {}
                    Drawing::Amid(left) => self.woken_within(left).await,
                },
                Next::Snapshot { light } => {
                    match self
                        .pane
                        .draw_for(&self.stream, Awaited::Snapshot { light })
                    {
                        Drawing::Made(frame) => return Some(frame),
                        Drawing::Nothing => {}
                        Drawing::Amid(left) => self.woken_within(left).await,
                    }
                }
                Next::Closed => return None,
                Next::Later(wait) => self.woken_within(wait).await,
                Next::Wait => self.stream.wake.notified().await,
            }
        }
    }

    /// Waits for news, or for the end of the wait: either way there is something to look at.
    async fn woken_within(&self, wait: Duration) {
        let _ = tokio::time::timeout(wait, self.stream.wake.notified()).await;
    }

    /// Says that the window has parsed `bytes` more bytes of payload (see [`Frame::payload`]).
    pub fn ack(&self, bytes: u64) {
        self.stream.ack(bytes);
    }

    /// A handle that acknowledges from another task.
    pub fn ack_handle(&self) -> AckHandle {
        AckHandle(Arc::clone(&self.stream))
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.pane.detach(&self.stream);
    }
}
