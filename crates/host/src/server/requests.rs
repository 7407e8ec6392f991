//! What one client asks: in order where the order matters, at once where it does not, never more than a few.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::value::RawValue;
use terminal::ask::{Asker, Question, travelling};
use terminal::{Cancel, Match, PaneEvent, Panes, Refusal, SearchProgress};
use tokio::io::BufReader;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::spawn_blocking;

use super::{Shared, health};
use crate::protocol::{self, MAX_REQUEST, ToClient, ToHost, VERSION};

/// How many questions of one client are worked on at a time.
const AT_A_TIME: usize = 32;

/// One client's questions.
pub(super) struct Session {
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<ToClient>,
    slots: Arc<Semaphore>,
    asked: Asked,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, outgoing: mpsc::Sender<ToClient>) -> Self {
        Self {
            shared,
            outgoing,
            slots: Arc::new(Semaphore::new(AT_A_TIME)),
            asked: Asked::default(),
        }
    }

    /// Reads questions until the client is gone.
    pub(super) async fn read(&self, read: OwnedReadHalf) -> io::Result<()> {
        let mut read = BufReader::with_capacity(64 * 1024, read);
        let mut bytes = Vec::new();
        while protocol::receive_bytes(&mut read, MAX_REQUEST, &mut bytes).await? {
            match serde_json::from_slice(&bytes) {
                Ok(ToHost::Ask { id, question }) => self.take(Some(id), question).await,
                Ok(ToHost::Tell { question }) => self.take(None, question).await,
                Ok(ToHost::Health { id }) => {
                    let health = travelling(&health(&self.shared));
                    self.send(answer(Some(id), health)).await;
                }
                Ok(ToHost::Cancel { id }) => self.asked.cancel(id),
                Err(error) => match serde_json::from_slice(&bytes) {
                    // A question that a newer client knows and we do not.
                    Ok(Unknown::Ask { id }) => self.send(not_known(Some(id), &error)).await,
                    Ok(Unknown::Tell {}) => self.send(not_known(None, &error)).await,
                    Err(_) => return Err(error.into()),
                },
            }
            // One big paste must not keep its memory for the life of the window.
            if bytes.capacity() > 1024 * 1024 {
                bytes = Vec::new();
            }
        }
        Ok(())
    }

    /// Starts on one question; without an id, only a refusal is spoken of. Waits when too many of this client's are
    /// under way.
    async fn take(&self, id: Option<u64>, question: Question) {
        if question.at_once() {
            let result = put_at_once(&self.shared.panes, question);
            self.send(answer(id, result)).await;
            return;
        }
        let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
            return;
        };
        // Known before the next message is read, which may be its cancellation.
        let cancel = self.asked.begin(id);
        let asked = self.asked.clone();
        let panes = self.shared.panes.clone();
        let outgoing = self.outgoing.clone();
        // Not of the session: an open or a close goes through even if its client is gone.
        tokio::spawn(async move {
            let result = put(panes, id, question, cancel, &outgoing).await;
            asked.end(id);
            if let Some(message) = answer(id, result) {
                let _ = outgoing.send(message).await;
            }
            drop(slot);
        });
    }

    async fn send(&self, message: Option<ToClient>) {
        if let Some(message) = message {
            // Gone: the session ends.
            let _ = self.outgoing.send(message).await;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.asked.cancel_all();
    }
}

/// What the client is told of a question: its answer, or, when it waits for none, why it was refused.
fn answer(id: Option<u64>, result: Result<Box<RawValue>, Refusal>) -> Option<ToClient> {
    match (id, result) {
        (Some(id), Ok(reply)) => Some(ToClient::Reply { id, reply }),
        (Some(id), Err(refusal)) => Some(ToClient::Refused { id, refusal }),
        (None, Ok(_)) => None,
        (None, Err(refusal)) => Some(ToClient::Event(Box::new(PaneEvent::Warned {
            id: refusal.pane(),
            message: refusal.to_string(),
        }))),
    }
}

fn not_known(id: Option<u64>, error: &serde_json::Error) -> Option<ToClient> {
    let message =
        format!("the pane host (Switchyard {VERSION}) does not know this request: {error}");
    answer(id, Err(Refusal::Failed { message }))
}

fn failed() -> Refusal {
    Refusal::Failed {
        message: "the pane host failed at this; its log says where".to_owned(),
    }
}

/// Asks what takes a moment only. A panic in it is an answer, as it is on a thread of its own.
fn put_at_once(panes: &Panes, question: Question) -> Result<Box<RawValue>, Refusal> {
    let mut asker = Asker {
        cancel: &Cancel::default(),
        found: &mut |_| (),
    };
    catch_unwind(AssertUnwindSafe(|| question.put(panes, &mut asker))).unwrap_or_else(|_| {
        tracing::error!("a request failed");
        Err(failed())
    })
}

/// Runs `work` where it may block. A panic in it is an answer, not the end of the host.
pub(super) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Refusal>
where
    T: Send + 'static,
    E: Into<Refusal> + Send + 'static,
{
    match spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(error) => {
            tracing::error!(%error, "a request failed");
            Err(failed())
        }
    }
}

/// What is left of a question whose content is not understood.
#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unknown {
    Ask { id: u64 },
    Tell {},
}

/// The questions of one client that are under way. They are cancelled when the client is gone.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<HashMap<u64, Cancel>>>);

impl Asked {
    fn begin(&self, id: Option<u64>) -> Cancel {
        let cancel = Cancel::default();
        if let Some(id) = id {
            self.0.lock().insert(id, cancel.clone());
        }
        cancel
    }

    fn end(&self, id: Option<u64>) {
        if let Some(id) = id {
            self.0.lock().remove(&id);
        }
    }

    fn cancel(&self, id: u64) {
        if let Some(cancel) = self.0.lock().get(&id) {
            cancel.cancel();
        }
    }

    fn cancel_all(&self) {
        for cancel in self.0.lock().values() {
            cancel.cancel();
        }
    }
}

/// Asks, and sends on what is found on the way as fast as the client takes it.
///
/// A search itself never waits for the client: what it finds meanwhile is put together, and can't
/// be more than its answer will hold.
async fn put(
    panes: Panes,
    id: Option<u64>,
    question: Question,
    cancel: Cancel,
    outgoing: &mpsc::Sender<ToClient>,
) -> Result<Box<RawValue>, Refusal> {
    let pending = Arc::new(Pending::default());
    let found = Arc::clone(&pending);
    let work = blocking(move || {
        let mut asker = Asker {
            cancel: &cancel,
            found: &mut |progress| found.add(progress),
        };
        question.put(&panes, &mut asker)
    });
    let Some(id) = id else { return work.await };
    let forward = async {
        loop {
            pending.added.notified().await;
            for progress in pending.take() {
                if outgoing
                    .send(ToClient::Progress { id, progress })
                    .await
                    .is_err()
                {
                    // Nobody listens any more; the session's end cancels the search.
                    std::future::pending::<()>().await;
                }
            }
        }
    };
    let result = tokio::select! {
        result = work => result,
        () = forward => Err(Refusal::Failed { message: "the search was given up".to_owned() }),
    };
    for progress in pending.take() {
        let _ = outgoing.send(ToClient::Progress { id, progress }).await;
    }
    result
}

/// What a search has found and its client was not told yet.
#[derive(Default)]
struct Pending {
    progress: Mutex<(Vec<Match>, Option<SearchProgress>)>,
    added: Notify,
}

impl Pending {
    fn add(&self, progress: SearchProgress) {
        {
            let mut pending = self.progress.lock();
            match progress {
                SearchProgress::Found { matches } => pending.0.extend(matches),
                // Only the latest count means anything.
                count @ SearchProgress::Count { .. } => pending.1 = Some(count),
            }
        }
        self.added.notify_one();
    }

    fn take(&self) -> Vec<SearchProgress> {
        let (matches, count) = std::mem::take(&mut *self.progress.lock());
        let mut progress = Vec::new();
        if !matches.is_empty() {
            progress.push(SearchProgress::Found { matches });
        }
        progress.extend(count);
        progress
    }
}
