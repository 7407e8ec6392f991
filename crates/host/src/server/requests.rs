//! What one client asks: in order where the order matters, at once where it does not, never more than a few.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use terminal::{Cancel, Match, Panes, SearchProgress, SearchRequest};
use tokio::io::BufReader;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::{JoinSet, spawn_blocking};

use super::{Shared, health};
use crate::protocol::{self, MAX_REQUEST, Reply, Request, ToClient, ToHost, VERSION};
use crate::refusal::Refusal;

/// How many requests of one client are worked on at a time.
const REQUESTS_AT_ONCE: usize = 32;

/// One client's requests.
pub(super) struct Session {
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<ToClient>,
    in_order: mpsc::Sender<(u64, Request)>,
    slots: Arc<Semaphore>,
    searches: Searches,
}

impl Session {
    /// Begins to serve the requests of one client; what works on them belongs to `tasks`.
    pub(super) fn start(
        shared: Arc<Shared>,
        outgoing: mpsc::Sender<ToClient>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let (in_order, requests) = mpsc::channel(REQUESTS_AT_ONCE);
        tasks.spawn(serve_in_order(
            Arc::clone(&shared),
            requests,
            outgoing.clone(),
        ));
        Self {
            shared,
            outgoing,
            in_order,
            slots: Arc::new(Semaphore::new(REQUESTS_AT_ONCE)),
            searches: Searches::default(),
        }
    }

    /// Reads requests until the client is gone.
    pub(super) async fn read(&self, read: OwnedReadHalf) -> io::Result<()> {
        let mut read = BufReader::with_capacity(64 * 1024, read);
        let mut bytes = Vec::new();
        while protocol::receive_bytes(&mut read, MAX_REQUEST, &mut bytes).await? {
            match serde_json::from_slice(&bytes) {
                Ok(ToHost::Request { id, request }) => self.take(id, request).await,
                Ok(ToHost::Cancel { id }) => self.searches.cancel(id),
                Err(error) => match serde_json::from_slice(&bytes) {
                    // A request that a newer client knows and we do not.
                    Ok(Unknown::Request { id }) => {
                        let refusal = Refusal::Failed {
                            message: format!(
                                "the pane host (Switchyard {VERSION}) does not know this request: {error}"
                            ),
                        };
                        let _ = self.outgoing.send(ToClient::Refused { id, refusal }).await;
                    }
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

    /// Starts on one request. Waits when too many of this client's are under way.
    async fn take(&self, id: u64, request: Request) {
        if matches!(
            request,
            Request::Write(..) | Request::Resize(..) | Request::Rename(..) | Request::Seen(..)
        ) {
            let _ = self.in_order.send((id, request)).await;
            return;
        }
        let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
            return;
        };
        let shared = Arc::clone(&self.shared);
        let outgoing = self.outgoing.clone();
        // Not in the session's set: an open or a close goes through even if its client is gone.
        if let Request::Search(request) = request {
            // Known before the next message is read, which may be its cancellation.
            let cancel = self.searches.begin(id);
            let searches = self.searches.clone();
            tokio::spawn(async move {
                let result = search(&shared.panes, id, *request, cancel, &outgoing).await;
                searches.end(id);
                let _ = outgoing.send(answer(id, result)).await;
                drop(slot);
            });
        } else {
            tokio::spawn(async move {
                let result = blocking(move || serve_request(&shared, request)).await;
                let _ = outgoing.send(answer(id, result)).await;
                drop(slot);
            });
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.searches.cancel_all();
    }
}

/// Works off the requests whose order matters (what is typed, above all), one after another.
async fn serve_in_order(
    shared: Arc<Shared>,
    mut requests: mpsc::Receiver<(u64, Request)>,
    outgoing: mpsc::Sender<ToClient>,
) {
    while let Some((id, request)) = requests.recv().await {
        let panes = shared.panes.clone();
        let done = blocking(move || match request {
            Request::Write(pane, bytes) => panes.write(pane, bytes),
            Request::Resize(pane, size) => panes.resize(pane, size),
            Request::Rename(pane, name) => panes.rename(pane, name),
            Request::Seen(pane) => panes.seen(pane),
            _ => Ok(()),
        });
        let message = answer(id, done.await.map(|()| Reply::Done));
        if outgoing.send(message).await.is_err() {
            return;
        }
    }
}

fn answer(id: u64, result: Result<Reply, Refusal>) -> ToClient {
    match result {
        Ok(reply) => ToClient::Reply {
            id,
            reply: Box::new(reply),
        },
        Err(refusal) => ToClient::Refused { id, refusal },
    }
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
            Err(Refusal::Failed {
                message: "the pane host failed at this; its log says where".to_owned(),
            })
        }
    }
}

/// What is left of a request whose content is not understood.
#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unknown {
    Request { id: u64 },
}

fn serve_request(shared: &Shared, request: Request) -> Result<Reply, Refusal> {
    let panes = &shared.panes;
    Ok(match request {
        Request::Open(request) => Reply::Pane(panes.open(*request)?),
        Request::OpenRecorded(request, recording) => {
            Reply::Pane(panes.open_recorded(*request, recording)?)
        }
        Request::List => Reply::Panes(panes.list()),
        Request::Info(pane) => Reply::Pane(panes.info(pane)?),
        Request::Close(pane) => {
            panes.close(pane)?;
            Reply::Done
        }
        Request::Read(pane, lines) => Reply::Lines(panes.read(pane, lines)?),
        Request::Marks(pane) => Reply::Marks(panes.marks(pane)?),
        Request::Closed => Reply::Closed(panes.closed()),
        Request::Purge(pane) => {
            panes.purge(pane)?;
            Reply::Done
        }
        Request::Theme(colours) => {
            panes.set_theme(colours.into());
            Reply::Done
        }
        Request::Health => Reply::Health(health(shared)),
        Request::Write(..)
        | Request::Resize(..)
        | Request::Rename(..)
        | Request::Seen(..)
        | Request::Search(..) => {
            return Err(Refusal::Failed {
                message: "this request goes another way".to_owned(),
            });
        }
    })
}

/// The searches of one client that are under way. They are cancelled when the client is gone.
#[derive(Clone, Default)]
struct Searches(Arc<Mutex<HashMap<u64, Cancel>>>);

impl Searches {
    fn begin(&self, id: u64) -> Cancel {
        let cancel = Cancel::default();
        lock(&self.0).insert(id, cancel.clone());
        cancel
    }

    fn end(&self, id: u64) {
        lock(&self.0).remove(&id);
    }

    fn cancel(&self, id: u64) {
        if let Some(cancel) = lock(&self.0).get(&id) {
            cancel.cancel();
        }
    }

    fn cancel_all(&self) {
        for cancel in lock(&self.0).values() {
            cancel.cancel();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Searches, and sends on what is found as fast as the client takes it.
///
/// The search itself never waits for the client: what it finds meanwhile is put together, and can't
/// be more than its answer will hold.
async fn search(
    panes: &Panes,
    id: u64,
    request: SearchRequest,
    cancel: Cancel,
    outgoing: &mpsc::Sender<ToClient>,
) -> Result<Reply, Refusal> {
    let pending = Arc::new(Pending::default());
    let panes = panes.clone();
    let found = Arc::clone(&pending);
    let work =
        blocking(move || panes.search(&request, &cancel, &mut |progress| found.add(progress)));
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
    result.map(Reply::Found)
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
            let mut pending = lock(&self.progress);
            match progress {
                SearchProgress::Found { matches } => pending.0.extend(matches),
                // Only the latest count means anything.
                count @ SearchProgress::Count { .. } => pending.1 = Some(count),
            }
        }
        self.added.notify_one();
    }

    fn take(&self) -> Vec<SearchProgress> {
        let (matches, count) = std::mem::take(&mut *lock(&self.progress));
        let mut progress = Vec::new();
        if !matches.is_empty() {
            progress.push(SearchProgress::Found { matches });
        }
        progress.extend(count);
        progress
    }
}
