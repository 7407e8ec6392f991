//! One control connection, as its client sees it: questions, their answers, and what is told unasked.

use std::collections::HashMap;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use terminal::ask::Ask;
use terminal::{Refusal, SearchProgress};
use tokio::io::{AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::{ANSWER_DEADLINE, HostError, HostEvent};
use crate::protocol::{self, HostHealth, MAX_REPLY, MAX_REQUEST, ToClient, ToHost, Welcome};

/// One control connection: what was asked and not answered yet, and the tasks that move messages.
pub(super) struct Connection {
    pub(super) welcome: Welcome,
    shared: Arc<Waiting>,
    /// Messages as they travel.
    outgoing: mpsc::UnboundedSender<Vec<u8>>,
    next: AtomicU64,
    tasks: [AbortHandle; 2],
}

/// An answer as it travels.
type Reply = Result<Box<RawValue>, Refusal>;

/// Who waits for one answer.
struct Answer {
    reply: oneshot::Sender<Reply>,
    found: Option<mpsc::UnboundedSender<SearchProgress>>,
}

/// What the reading task needs; it must not keep the connection alive.
#[derive(Default)]
struct Waiting {
    asked: Mutex<HashMap<u64, Answer>>,
    /// How the connection ended, once it has.
    down: Mutex<Option<String>>,
}

/// A question under way, to which the answer is an `A`. Dropped before the answer, it is withdrawn.
pub(super) struct Asked<'a, A> {
    connection: &'a Connection,
    id: u64,
    reply: oneshot::Receiver<Reply>,
    answered: bool,
    answer: PhantomData<fn() -> A>,
}

impl<A: DeserializeOwned> Asked<'_, A> {
    /// Waits for the answer.
    pub(super) async fn answer(mut self) -> Result<A, HostError> {
        let reply = match timeout(ANSWER_DEADLINE, &mut self.reply).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) => return Err(self.connection.down()),
            Err(_) => {
                return Err(HostError::NoAnswer {
                    after: ANSWER_DEADLINE,
                });
            }
        };
        self.answered = true;
        serde_json::from_str(reply?.get()).map_err(|error| HostError::Protocol {
            message: error.to_string(),
        })
    }
}

impl<A> Drop for Asked<'_, A> {
    fn drop(&mut self) {
        if !self.answered {
            self.connection.shared.asked.lock().remove(&self.id);
            // Gone: then so is what was asked.
            let _ = self.connection.send(&ToHost::Cancel { id: self.id });
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

    /// Asks a question; what a search finds on its way goes to `found`.
    pub(super) fn ask<A: Ask>(
        &self,
        question: A,
        found: Option<mpsc::UnboundedSender<SearchProgress>>,
    ) -> Result<Asked<'_, A::Answer>, HostError> {
        let question = question.into();
        self.wait_for(found, |id| ToHost::Ask { id, question })
    }

    /// Asks how the host is.
    pub(super) fn health(&self) -> Result<Asked<'_, HostHealth>, HostError> {
        self.wait_for(None, |id| ToHost::Health { id })
    }

    /// Sends what is spoken of only when it is refused.
    pub(super) fn tell(&self, question: impl Ask<Answer = ()>) -> Result<(), HostError> {
        self.send(&ToHost::Tell {
            question: question.into(),
        })
    }

    fn wait_for<A>(
        &self,
        found: Option<mpsc::UnboundedSender<SearchProgress>>,
        message: impl FnOnce(u64) -> ToHost,
    ) -> Result<Asked<'_, A>, HostError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, reply) = oneshot::channel();
        let answer = Answer {
            reply: sender,
            found,
        };
        self.shared.asked.lock().insert(id, answer);
        let mut asked = Asked {
            connection: self,
            id,
            reply,
            answered: false,
            answer: PhantomData,
        };
        // Sent after the question is in the table: the end of the connection empties the table last.
        if let Err(error) = self.send(&message(id)) {
            self.shared.asked.lock().remove(&id);
            asked.answered = true;
            return Err(error);
        }
        Ok(asked)
    }

    fn send(&self, message: &ToHost) -> Result<(), HostError> {
        let message =
            protocol::encode(message, MAX_REQUEST).map_err(|error| Refusal::BadParams {
                field: "request".to_owned(),
                message: error.to_string(),
            })?;
        if self.is_down() || self.outgoing.send(message).is_err() {
            return Err(self.down());
        }
        Ok(())
    }

    pub(super) fn is_down(&self) -> bool {
        self.shared.down.lock().is_some()
    }

    fn down(&self) -> HostError {
        HostError::Down {
            message: self
                .shared
                .down
                .lock()
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
            ToClient::Reply { id, reply } => waiting.settle(id, Ok(reply)),
            ToClient::Refused { id, refusal } => waiting.settle(id, Err(refusal)),
            ToClient::Progress { id, progress } => {
                if let Some(Answer {
                    found: Some(found), ..
                }) = waiting.asked.lock().get(&id)
                {
                    let _ = found.send(progress);
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
    Refused { id: u64 },
    Progress {},
    Event(serde::de::IgnoredAny),
}

impl Waiting {
    /// Notes how the connection ended and lets go of all who wait for an answer.
    fn end(&self, message: &str) {
        *self.down.lock() = Some(message.to_owned());
        self.asked.lock().clear();
    }

    /// Passes over a message that is not understood; who waits for it is told so.
    fn leave_out(&self, bytes: &[u8], error: &serde_json::Error) -> io::Result<()> {
        tracing::warn!(%error, "a message of the pane host was not understood");
        match serde_json::from_slice(bytes)? {
            Unknown::Refused { id } => {
                let message = format!("the pane host refused, why was not understood: {error}");
                self.settle(id, Err(Refusal::Failed { message }));
            }
            Unknown::Progress {} | Unknown::Event(_) => {}
        }
        Ok(())
    }

    fn settle(&self, id: u64, result: Reply) {
        // None: it was withdrawn.
        if let Some(answer) = self.asked.lock().remove(&id) {
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
