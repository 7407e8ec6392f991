//! What goes to a program: a bounded queue, and the thread that empties it into the PTY.
//!
//! The thread begins with the first bytes: most steps of flows, and many agents, are never typed to.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use crate::types::PaneId;

/// How much may wait for a program that does not read, before more is refused.
const MAX_QUEUED: usize = 1024 * 1024;
/// The most that is taken at once: a large paste, when nothing waits.
const MAX_AT_ONCE: usize = 16 * 1024 * 1024;
/// A PTY takes a few KiB at a time; so does the thread, so that it notices an end soon.
const PART: usize = 16 * 1024;

struct Queue {
    parts: VecDeque<Vec<u8>>,
    bytes: usize,
    over: bool,
    /// The terminal, until the thread has it.
    to: Option<Arc<File>>,
}

/// The queue; its thread ends when the program does not take any more, or when the queue is closed.
#[derive(Clone)]
pub(crate) struct Input {
    pane: PaneId,
    queue: Arc<(Mutex<Queue>, Condvar)>,
}

/// The queue is full, or the program has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Over,
}

impl Input {
    /// A queue of what is to be written to the terminal `to`.
    pub(crate) fn new(pane: PaneId, to: Arc<File>) -> Self {
        let queue = Queue {
            parts: VecDeque::new(),
            bytes: 0,
            over: false,
            to: Some(to),
        };
        Self {
            pane,
            queue: Arc::new((Mutex::new(queue), Condvar::new())),
        }
    }

    fn start(&self, to: Arc<File>) -> io::Result<()> {
        let input = self.clone();
        std::thread::Builder::new()
            .name(format!("pty-writer {}", self.pane))
            .stack_size(128 * 1024)
            .spawn(move || {
                while let Some(part) = input.next() {
                    let done = (&*to).write_all(&part);
                    input.written(part.len());
                    if done.is_err() {
                        input.close();
                    }
                }
            })
            .map(drop)
    }

    /// Queues `bytes`, all of them or none.
    pub(crate) fn push(&self, bytes: &[u8]) -> Result<(), Refused> {
        let (queue, changed) = &*self.queue;
        let mut queue = queue.lock();
        if queue.over {
            return Err(Refused::Over);
        }
        let most = if queue.bytes == 0 {
            MAX_AT_ONCE
        } else {
            MAX_QUEUED
        };
        if queue.bytes + bytes.len() > most {
            return Err(Refused::Full);
        }
        if let Some(to) = queue.to.take()
            && let Err(error) = self.start(Arc::clone(&to))
        {
            tracing::warn!(pane = %self.pane, %error, "no thread to write to a program");
            queue.to = Some(to);
            return Err(Refused::Full);
        }
        queue.bytes += bytes.len();
        queue.parts.extend(bytes.chunks(PART).map(<[u8]>::to_vec));
        changed.notify_one();
        Ok(())
    }

    /// How many bytes wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.0.lock().bytes
    }

    /// Lets the thread end; what waits is not written any more.
    pub(crate) fn close(&self) {
        let (queue, changed) = &*self.queue;
        let mut queue = queue.lock();
        queue.over = true;
        queue.to = None;
        queue.parts.clear();
        queue.bytes = 0;
        changed.notify_one();
    }

    fn next(&self) -> Option<Vec<u8>> {
        let (queue, changed) = &*self.queue;
        let mut queue = queue.lock();
        loop {
            if queue.over {
                return None;
            }
            if let Some(part) = queue.parts.pop_front() {
                return Some(part);
            }
            changed.wait(&mut queue);
        }
    }

    fn written(&self, bytes: usize) {
        let mut queue = self.queue.0.lock();
        queue.bytes = queue.bytes.saturating_sub(bytes);
    }
}
