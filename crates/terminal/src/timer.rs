//! One thread that does things later, for all panes: nobody else waits for time to pass.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

type Task = Box<dyn FnOnce() + Send>;

struct Later {
    at: Instant,
    number: u64,
    task: Task,
}

impl PartialEq for Later {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Later {}
impl PartialOrd for Later {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Later {
    /// The heap's greatest is what is due first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

#[derive(Default)]
struct Agenda {
    heap: BinaryHeap<Later>,
    count: u64,
    over: bool,
}

/// The thread's handle; dropping it ends the thread, and what was still to be done is not done.
pub(crate) struct Timer {
    shared: Arc<(Mutex<Agenda>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Timer {
    pub(crate) fn start() -> io::Result<Self> {
        let shared = Arc::new((Mutex::new(Agenda::default()), Condvar::new()));
        let thread = std::thread::Builder::new()
            .name("pane-timer".into())
            .spawn({
                let shared = Arc::clone(&shared);
                move || run(&shared)
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Does `task` after `wait`. It should be short.
    pub(crate) fn after(&self, wait: Duration, task: impl FnOnce() + Send + 'static) {
        let (agenda, changed) = &*self.shared;
        let mut agenda = agenda.lock();
        agenda.count += 1;
        let number = agenda.count;
        agenda.heap.push(Later {
            at: Instant::now() + wait,
            number,
            task: Box::new(task),
        });
        changed.notify_one();
    }
}

fn run((agenda, changed): &(Mutex<Agenda>, Condvar)) {
    let mut now = agenda.lock();
    loop {
        if now.over {
            return;
        }
        let due = match now.heap.peek() {
            None => {
                changed.wait(&mut now);
                continue;
            }
            Some(next) => next.at,
        };
        if due > Instant::now() {
            changed.wait_until(&mut now, due);
            continue;
        }
        if let Some(next) = now.heap.pop() {
            drop(now);
            (next.task)();
            now = agenda.lock();
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.shared.0.lock().over = true;
        self.shared.1.notify_one();
        if let Some(thread) = self.thread.take()
            // The last owner may be a task of the timer itself.
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}
