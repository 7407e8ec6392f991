//! One control connection, as its client sees it: questions, their answers, and what is told unasked.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use terminal::SearchProgress;
use tokio::io::{AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::AbortHandle;

use super::{HostError, HostEvent, lock};
use crate::protocol::{self, MAX_REPLY, MAX_REQUEST, Reply, Request, ToClient, ToHost, Welcome};
use crate::refusal::Refusal;

/// One control connection: what was asked and not answered yet, and the tasks that move messages.
pub(super) struct Connection {
    pub(super) welcome: Welcome,
    shared: Arc<Waiting>,
    /// Messages as they travel.
    outgoing: mpsc::UnboundedSender<Vec<u8>>,
    next: AtomicU64,
    tasks: [AbortHandle; 2],
}

/// Who waits for one answer.
struct Answer {
    reply: oneshot::Sender<Result<Reply, Refusal>>,
    progress: Option<mpsc::UnboundedSender<SearchProgress>>,
}

/// What the reading task needs; it must not keep the connection alive.
#[derive(Default)]
struct Waiting {
    asked: Mutex<HashMap<u64, Answer>>,
    /// How the connection ended, once it has.
    down: Mutex<Option<String>>,
}

/// A question under way. Dropped before the answer, it is withdrawn.
pub(super) struct Asked<'a> {
    connection: &'a Connection,
    id: u64,
    search: bool,
    pub(super) reply: oneshot::Receiver<Result<Reply, Refusal>>,
    pub(super) answered: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        lock(&self.connection.shared.asked).remove(&self.id);
        if self.search {
            let cancel = ToHost::Cancel { id: self.id };
            if let Ok(message) = protocol::encode(&cancel, MAX_REQUEST) {
                let _ = self.connection.outgoing.send(message);
            }
        }
    }
}

impl Connection {
    pub(super) fn begin(
        stream: UnixStream,
        welcome: Welcome,
        events: broadcast::Sender<HostEvent>,
    ) -> Arc<Self> {
        let (read, write) = stream.into_split();
        let (outgoing, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Waiting::default());
        let waiting = Arc::clone(&shared);
        let reader = tokio::spawn(async move {
            let message = match read_messages(read, &waiting, &events).await {
                Ok(()) => "the host hung up".to_owned(),
                Err(error) => error.to_string(),
            };
            waiting.end(&message);
            let _ = events.send(HostEvent::Down { message });
        });
        let writer = tokio::spawn(write_messages(write, queue));
        Arc::new(Self {
            welcome,
            shared,
            outgoing,
            next: AtomicU64::new(1),
            tasks: [reader.abort_handle(), writer.abort_handle()],
        })
    }

    pub(super) fn ask(
        &self,
        request: Request,
        progress: Option<mpsc::UnboundedSender<SearchProgress>>,
    ) -> Result<Asked<'_>, HostError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let message =
            protocol::encode(&ToHost::Request { id, request }, MAX_REQUEST).map_err(|error| {
                Refusal::BadParams {
                    field: "request".to_owned(),
                    message: error.to_string(),
                }
            })?;
        let (sender, reply) = oneshot::channel();
        let search = progress.is_some();
        let answer = Answer {
            reply: sender,
            progress,
        };
        lock(&self.shared.asked).insert(id, answer);
        let asked = Asked {
            connection: self,
            id,
            search,
            reply,
            answered: false,
        };
        // Looked at after the question is in the table: the end of the connection empties the table last.
        if self.is_down() || self.outgoing.send(message).is_err() {
            return Err(self.down());
        }
        Ok(asked)
    }

    pub(super) fn is_down(&self) -> bool {
        lock(&self.shared.down).is_some()
    }

    pub(super) fn down(&self) -> HostError {
        HostError::Down {
            message: lock(&self.shared.down)
                .clone()
                .unwrap_or_else(|| "it was closed".to_owned()),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Waiting {
    /// Notes how the connection ended and lets go of all who wait for an answer.
    fn end(&self, message: &str) {
        *lock(&self.down) = Some(message.to_owned());
        lock(&self.asked).clear();
    }
}

async fn read_messages(
    read: OwnedReadHalf,
    waiting: &Waiting,
    events: &broadcast::Sender<HostEvent>,
) -> io::Result<()> {
    let mut read = BufReader::with_capacity(64 * 1024, read);
    let mut bytes = Vec::new();
    while protocol::receive_bytes(&mut read, MAX_REPLY, &mut bytes).await? {
        let message = match serde_json::from_slice(&bytes) {
            Ok(message) => message,
            Err(error) => {
                waiting.leave_out(&bytes, &error)?;
                continue;
            }
        };
        match message {
            ToClient::Reply { id, reply } => waiting.settle(id, Ok(*reply)),
            ToClient::Refused { id, refusal } => waiting.settle(id, Err(refusal)),
            ToClient::Progress { id, progress } => {
                if let Some(Answer {
                    progress: Some(reports),
                    ..
                }) = lock(&waiting.asked).get(&id)
                {
                    let _ = reports.send(progress);
                }
            }
            ToClient::Event(event) => {
                let _ = events.send(HostEvent::Pane(*event));
            }
        }
    }
    Ok(())
}

/// What is left of a message whose content is not understood: a newer host may know more than we do.
#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unknown {
    Reply { id: u64 },
    Refused { id: u64 },
    Progress {},
    Event(serde::de::IgnoredAny),
}

impl Waiting {
    /// Passes over a message that is not understood; who waits for it is told so.
    fn leave_out(&self, bytes: &[u8], error: &serde_json::Error) -> io::Result<()> {
        tracing::warn!(%error, "a message of the pane host was not understood");
        match serde_json::from_slice(bytes)? {
            Unknown::Reply { id } | Unknown::Refused { id } => {
                let message = format!("the pane host's answer was not understood: {error}");
                self.settle(id, Err(Refusal::Failed { message }));
            }
            Unknown::Progress {} | Unknown::Event(_) => {}
        }
        Ok(())
    }

    fn settle(&self, id: u64, result: Result<Reply, Refusal>) {
        // None: it was withdrawn.
        if let Some(answer) = lock(&self.asked).remove(&id) {
            let _ = answer.reply.send(result);
        }
    }
}

async fn write_messages(write: OwnedWriteHalf, mut queue: mpsc::UnboundedReceiver<Vec<u8>>) {
    let mut write = BufWriter::with_capacity(64 * 1024, write);
    while let Some(message) = queue.recv().await {
        let sent = async {
            write.write_all(&message).await?;
            if queue.is_empty() {
                write.flush().await?;
            }
            io::Result::Ok(())
        };
        if let Err(error) = sent.await {
            // The reading task sees the end of the connection, and tells everyone.
            tracing::debug!(%error, "could not send to the pane host");
            return;
        }
    }
}
