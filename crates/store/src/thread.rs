//! The thread that owns the connection.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::StoreError;

/// All that can wake the thread. Its end is the end of the channel.
enum Request {
    /// Work on the connection; it answers to whoever asked.
    Work(Box<dyn FnOnce(&mut Connection) + Send>),
    /// End, after all that was asked before.
    Close,
}

/// The handle of the thread; dropping it ends the thread and waits.
#[derive(Debug)]
pub(crate) struct Worker {
    requests: Sender<Request>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Worker {
    pub(crate) fn start(connection: Connection, path: &Path) -> io::Result<Self> {
        let (requests, inbox) = channel();
        let path = path.display().to_string();
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(connection, &inbox, &path))?;
        Ok(Self {
            requests,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(crate) async fn ask<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(move |connection| {
            // Whoever asked may have gone; the work was done all the same.
            let _ = reply.send(work(connection));
        })?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    pub(crate) fn ask_blocking<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = sync_channel(1);
        self.send(move |connection| {
            let _ = reply.send(work(connection));
        })?;
        answer.recv().unwrap_or(Err(StoreError::Closed))
    }

    fn send(&self, work: impl FnOnce(&mut Connection) + Send + 'static) -> Result<(), StoreError> {
        self.requests
            .send(Request::Work(Box::new(work)))
            .map_err(|_| StoreError::Closed)
    }

    pub(crate) fn close(&self) {
        // The thread may have ended already.
        let _ = self.requests.send(Request::Close);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            // The last handle may have lived in a piece of work: a thread can't wait for itself.
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the store's thread ended badly");
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.close();
    }
}

fn serve(mut connection: Connection, inbox: &Receiver<Request>, path: &str) {
    while let Ok(request) = inbox.recv() {
        match request {
            Request::Work(work) => {
                // A mistake in one piece of work is its own: the transaction is undone when it
                // unwinds, whoever asked is told `Closed`, and the next one is served.
                if catch_unwind(AssertUnwindSafe(|| work(&mut connection))).is_err() {
                    tracing::error!(path, "work on the database panicked; it was undone");
                }
            }
            Request::Close => break,
        }
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(path, %error, "the database did not close cleanly");
    }
}
