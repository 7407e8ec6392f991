//! The agent host itself: the backends that its clients name, and what they are asked.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use agents::{Acp, AcpConfig, AgentBackend, AgentError, BackendId, Canceller, News, SessionRow};
use futures_util::StreamExt as _;
use host::{Hears, Host, HostOptions, Says, ServeError};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{AGENTS, Ask, Made, Placed, ToClient, ToHost};

/// How many messages wait for a client that reads slowly; one that falls behind is told to list anew.
const NEWS: usize = 4_096;

/// Serves agents until `stop` is ready, or nobody needs it. See [`host::Service::serve`].
pub(crate) async fn serve(
    claim: Host,
    options: HostOptions,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let held = Arc::new(Held {
        backends: Mutex::default(),
        news: broadcast::Sender::new(NEWS),
        holds: watch::Sender::new(false),
    });
    let serving = Arc::clone(&held);
    let each = move |hears, says| {
        let held = Arc::clone(&serving);
        Box::pin(async move { held.serve(hears, says).await }) as _
    };
    let holds = held.holds.subscribe();
    let served = AGENTS
        .serve(&claim, options, Arc::new(each), holds, stop)
        .await;
    held.end().await;
    served
}

/// All that this process holds.
struct Held {
    backends: Mutex<BTreeMap<BackendId, Backend>>,
    news: broadcast::Sender<(BackendId, News)>,
    /// Whether something would be lost with this process.
    holds: watch::Sender<bool>,
}

struct Backend {
    made: Made,
    acp: Acp,
    _follow: DropGuard,
}

impl Held {
    /// Sees to it that there is the backend that a client means. One that is at work stays as it is until it is free.
    async fn take(self: &Arc<Self>, made: Made, known: &[SessionRow]) {
        let config = AcpConfig::from(made.clone());
        let id = config.id();
        let former = {
            let mut backends = self.backends.lock();
            let stays = backends
                .get(&id)
                .is_some_and(|backend| backend.made == made || backend.acp.holds());
            if stays {
                None
            } else {
                let acp = Acp::new(config);
                let follow = CancellationToken::new();
                let news = acp.news();
                let held = Arc::clone(self);
                let (from, stop) = (id.clone(), follow.clone());
                tokio::spawn(
                    stop.run_until_cancelled_owned(async move { held.follow(from, news).await }),
                );
                let backend = Backend {
                    made,
                    acp,
                    _follow: follow.drop_guard(),
                };
                backends.insert(id.clone(), backend)
            }
        };
        if let Some(backend) = self.backends.lock().get(&id) {
            for row in known {
                backend.acp.recall(row);
            }
        }
        if let Some(former) = former {
            let _ = former.acp.dispose().await;
        }
    }

    async fn follow(
        &self,
        backend: BackendId,
        mut news: futures_util::stream::BoxStream<'static, News>,
    ) {
        while let Some(news) = news.next().await {
            if matches!(news, News::Changed(_) | News::Removed(_)) {
                let holds = self
                    .backends
                    .lock()
                    .values()
                    .any(|backend| backend.acp.holds());
                self.holds.send_replace(holds);
            }
            // Nobody listens: that is what this process is for.
            let _ = self.news.send((backend.clone(), news));
        }
    }

    fn find(&self, backend: &BackendId) -> Result<Acp, AgentError> {
        self.backends
            .lock()
            .get(backend)
            .map(|backend| backend.acp.clone())
            .ok_or_else(|| AgentError::UnknownBackend {
                backend: backend.clone(),
            })
    }

    async fn end(&self) {
        let backends = std::mem::take(&mut *self.backends.lock());
        let ending = backends.values().map(|backend| backend.acp.dispose());
        futures_util::future::join_all(ending).await;
    }

    /// Serves one client until it hangs up. What it asked for goes on: a turn has no need of who began it.
    async fn serve(self: Arc<Self>, mut hears: Hears, mut says: Says) {
        let (outgoing, mut queue) = mpsc::channel::<ToClient>(64);
        let mut news = self.news.subscribe();
        let told = outgoing.clone();
        let forward = async move {
            loop {
                let (backend, news) = match news.recv().await {
                    Ok(news) => news,
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        // Which of them is not known, so all of them.
                        (BackendId(String::new()), News::ListAgain)
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                };
                if told.send(ToClient::News { backend, news }).await.is_err() {
                    return;
                }
            }
        };
        let write = async move {
            while let Some(message) = queue.recv().await {
                if says.say(&message).await.is_err() {
                    return;
                }
            }
        };
        let turns: Arc<Mutex<HashMap<u64, Canceller>>> = Arc::default();
        // Answers to questions are given up with their client.
        let mut asked = JoinSet::new();
        let mut here = None;
        let read = async {
            loop {
                match hears.hear::<ToHost>().await {
                    Ok(Some(ToHost::Here { environment })) => here = Some(environment),
                    Ok(Some(ToHost::Use { made, known })) => self.take(made, &known).await,
                    Ok(Some(ToHost::Cancel { id })) => {
                        if let Some(turn) = turns.lock().get(&id) {
                            turn.cancel();
                        }
                    }
                    Ok(Some(ToHost::Ask { id, backend, ask })) => {
                        while asked.try_join_next().is_some() {}
                        let (held, outgoing) = (Arc::clone(&self), outgoing.clone());
                        let turns = Arc::clone(&turns);
                        let here = here.clone();
                        asked.spawn(async move {
                            let answered = match held.find(&backend) {
                                Ok(acp) => {
                                    let acp = match here {
                                        Some(environment) => acp.asked_by(environment),
                                        None => acp,
                                    };
                                    put(&acp, id, ask, &outgoing, &turns).await
                                }
                                Err(error) => Err(error),
                            };
                            let message = match answered {
                                Ok(value) => ToClient::Done { id, value },
                                Err(error) => ToClient::Refused { id, error },
                            };
                            let _ = outgoing.send(message).await;
                        });
                    }
                    Ok(None) => return,
                    Err(error) => {
                        tracing::warn!(%error, "a client was not understood");
                        return;
                    }
                }
            }
        };
        tokio::select! {
            () = read => {}
            () = forward => {}
            () = write => {}
        }
    }
}

/// Asks one backend.
async fn put(
    acp: &Acp,
    id: u64,
    ask: Ask,
    outgoing: &mpsc::Sender<ToClient>,
    turns: &Arc<Mutex<HashMap<u64, Canceller>>>,
) -> Result<Value, AgentError> {
    match ask {
        Ask::List(which) => travels(&acp.list(which).await?),
        Ask::Inspect(name) => travels(&acp.inspect(&name).await?),
        Ask::Start(agent) => travels(&acp.start(agent).await?),
        Ask::Resume { agent, cwd } => travels(&acp.resume(&agent, &cwd).await?),
        Ask::Import(session) => travels(&acp.import(session).await?),
        Ask::Sessions { cwd } => travels(&acp.sessions(&cwd).await?),
        Ask::Fork(agent) => travels(&acp.fork(&agent).await?),
        Ask::Prompt { agent, prompt } => {
            let mut turn = acp.prompt(&agent, prompt).await?;
            turns.lock().insert(id, turn.canceller());
            let (outgoing, turns) = (outgoing.clone(), Arc::clone(turns));
            tokio::spawn(async move {
                while let Some(event) = turn.next().await {
                    if outgoing.send(ToClient::Turn { id, event }).await.is_err() {
                        return;
                    }
                }
                turns.lock().remove(&id);
            });
            Ok(Value::Null)
        }
        Ask::Choose {
            agent,
            setting,
            value,
        } => travels(&acp.choose(&agent, &setting, &value).await?),
        Ask::Stop(agent) => travels(&acp.stop(&agent).await?),
        Ask::Answer {
            agent,
            permission,
            answer,
        } => travels(&acp.answer(&agent, &permission, answer).await?),
        Ask::Timeline(agent) => {
            let entries = acp.timeline(&agent).await?;
            let placed: Vec<_> = entries
                .into_iter()
                .map(|entry| Placed {
                    position: entry.position.clone(),
                    entry,
                })
                .collect();
            travels(&placed)
        }
        Ask::Close { agent, force } => travels(&acp.close(&agent, force).await?),
        Ask::Check => travels(&acp.check().await),
    }
}

fn travels<T: Serialize>(value: &T) -> Result<Value, AgentError> {
    serde_json::to_value(value).map_err(|error| AgentError::Garbled {
        what: "an answer of the agent host".into(),
        reason: error.to_string(),
        got: String::new(),
    })
}
