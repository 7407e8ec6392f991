//! The stream of one pane, over a data connection of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use terminal::Frame;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

use crate::protocol::{self, MAX_FRAME};

/// The stream of one pane, from the host.
///
/// Dropping it ends the stream; the pane goes on.
#[derive(Debug)]
pub struct HostAttachment {
    frames: mpsc::Receiver<Received>,
    acks: AckHandle,
    /// The reading and the acknowledging task; with them goes the connection.
    tasks: [AbortHandle; 2],
    lost: bool,
}

#[derive(Debug)]
enum Received {
    Frame(Vec<u8>),
    Lost,
}

/// Tells the host how much of a stream its view has parsed. Clones are the same handle.
#[derive(Debug, Clone)]
pub struct AckHandle(Arc<Acks>);

#[derive(Debug, Default)]
struct Acks {
    bytes: AtomicU64,
    added: Notify,
}

impl AckHandle {
    /// Notes that the view has parsed so many more payload bytes. Never waits.
    pub fn ack(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.0.added.notify_one();
    }
}

impl HostAttachment {
    pub(super) fn begin(stream: UnixStream) -> Self {
        let (read, mut write) = stream.into_split();
        let acks = AckHandle(Arc::default());
        let handle = acks.clone();
        let acking = tokio::spawn(async move {
            loop {
                handle.0.added.notified().await;
                let bytes = handle.0.bytes.swap(0, Ordering::Relaxed);
                if bytes > 0 && write.write_u64_le(bytes).await.is_err() {
                    return;
                }
            }
        });
        // Few: what may be under way is bounded by what is not acknowledged, not by this queue.
        let (sender, frames) = mpsc::channel(4);
        let reading = tokio::spawn(read_frames(read, sender));
        Self {
            frames,
            acks,
            tasks: [acking.abort_handle(), reading.abort_handle()],
            lost: false,
        }
    }

    /// The next frame, decoded; `None` when the pane was closed or the host is gone.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Frame> {
        let bytes = self.next_encoded().await?;
        match Frame::decode(&bytes) {
            Ok(frame) => Some(frame),
            Err(error) => {
                tracing::warn!(%error, "a frame of a pane can't be read");
                self.lost = true;
                None
            }
        }
    }

    /// The next frame as it travels, ready to be handed on.
    pub async fn next_encoded(&mut self) -> Option<Vec<u8>> {
        match self.frames.recv().await? {
            Received::Frame(bytes) => Some(bytes),
            Received::Lost => {
                self.lost = true;
                None
            }
        }
    }

    /// Whether the stream ended because the host is gone, not because the pane was closed.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Notes that the view has parsed so many more payload bytes. Never waits.
    pub fn ack(&self, bytes: u64) {
        self.acks.ack(bytes);
    }

    /// A handle that can be given to another task.
    pub fn ack_handle(&self) -> AckHandle {
        self.acks.clone()
    }
}

impl Drop for HostAttachment {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn read_frames(read: OwnedReadHalf, frames: mpsc::Sender<Received>) {
    let mut read = BufReader::with_capacity(256 * 1024, read);
    loop {
        let mut bytes = Vec::new();
        let received = match protocol::receive_bytes(&mut read, MAX_FRAME, &mut bytes).await {
            // A frame of no bytes says that the pane is gone.
            Ok(true) if bytes.is_empty() => return,
            Ok(true) => Received::Frame(bytes),
            Ok(false) | Err(_) => Received::Lost,
        };
        let over = matches!(received, Received::Lost);
        if frames.send(received).await.is_err() || over {
            return;
        }
    }
}
