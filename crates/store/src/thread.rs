//! The thread that owns the connection.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::StoreError;
use crate::file::{DatabaseFile, Use};

/// All that can wake the thread. Its end is the end of the channel.
enum Request {
    /// Work on the file; it answers to whoever asked.
    Work(Box<dyn FnOnce(&mut DatabaseFile) + Send>),
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
    pub(crate) fn start(file: DatabaseFile) -> io::Result<Self> {
        let (requests, inbox) = channel();
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(file, &inbox))?;
        Ok(Self {
            requests,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(crate) async fn ask<T, F>(&self, to: Use, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.ask_file(move |file| file.connection(to).and_then(work))
            .await
    }

    /// As [`Worker::ask`], of the file, whatever can be done with it.
    pub(crate) async fn ask_file<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut DatabaseFile) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(move |file| {
            // Whoever asked may have gone; the work was done all the same.
            let _ = reply.send(work(file));
        })?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    pub(crate) fn ask_blocking<T, F>(&self, to: Use, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = sync_channel(1);
        self.send(move |file| {
            let _ = reply.send(file.connection(to).and_then(work));
        })?;
        answer.recv().unwrap_or(Err(StoreError::Closed))
    }

    fn send(
        &self,
        work: impl FnOnce(&mut DatabaseFile) + Send + 'static,
    ) -> Result<(), StoreError> {
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

fn serve(mut file: DatabaseFile, inbox: &Receiver<Request>) {
    while let Ok(request) = inbox.recv() {
        match request {
            Request::Work(work) => {
                // A mistake in one piece of work is its own: the transaction is undone when it
                // unwinds, whoever asked is told `Closed`, and the next one is served.
                if catch_unwind(AssertUnwindSafe(|| work(&mut file))).is_err() {
                    let path = file.path().display();
                    tracing::error!(%path, "work on the database panicked; it was undone");
                }
            }
            Request::Close => break,
        }
    }
    let path = file.path().to_owned();
    if let Err(error) = file.close() {
        tracing::warn!(path = %path.display(), %error, "the database did not close cleanly");
    }
}
