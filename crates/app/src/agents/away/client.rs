//! The agent host from the other side: found, or started when it is needed, and asked.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use agents::{
    AcpConfig, AgentBackend, AgentError, AgentEvent, AgentId, AgentInfo, AgentStatus, Answer,
    Archived, BackendId, BackendKind, Health, ImportSession, KnownSession, ListAgents, NewAgent,
    News, Outcome, PermissionAnswer, Prompt, Relay, SessionRow, SessionStatus, TimelineEntry, Turn,
};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use host::{ConnectError, Hears, HostPaths, Says};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::Value;
use terminal::Environment;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::AbortHandle;

use super::{AGENTS, Ask, Made, Placed, ToClient, ToHost};

/// The one way to the agent host, for all its backends.
pub(crate) struct AgentHost {
    paths: HostPaths,
    exe: PathBuf,
    /// What is to be there, told at every connection.
    used: Mutex<BTreeMap<BackendId, Used>>,
    link: tokio::sync::Mutex<Option<Arc<Link>>>,
    news: broadcast::Sender<(BackendId, News)>,
    /// Whoever is here stays: the host is started for lists as well, so that what others do is heard.
    stays: AtomicBool,
}

struct Used {
    made: Made,
    known: Vec<SessionRow>,
    /// Its agents at which a turn runs.
    at_work: HashSet<AgentId>,
    /// Those whose turn was cut when the host ended, until they are at work again.
    cut: HashSet<AgentId>,
}

/// One connection.
struct Link {
    outgoing: mpsc::UnboundedSender<ToHost>,
    waiting: Arc<Waiting>,
    next: AtomicU64,
    tasks: [AbortHandle; 2],
}

#[derive(Default)]
struct Waiting {
    answers: Mutex<HashMap<u64, oneshot::Sender<Result<Value, AgentError>>>>,
    turns: Mutex<HashMap<u64, mpsc::UnboundedSender<AgentEvent>>>,
    over: AtomicBool,
}

impl Drop for Link {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn lost(what: &str) -> AgentError {
    AgentError::Lost {
        host: "the agent host".into(),
        what: what.into(),
        reason: "it hung up; what it held is found again when it is asked next".into(),
    }
}

/// What is said of a turn that ran when the host ended.
const CUT_OFF: &str = "The turn was cut off: the agent host ended in the midst of it. What you say next goes on with the conversation";

/// How such a turn ended.
fn cut_off() -> Outcome {
    Outcome::Failed {
        message: CUT_OFF.to_owned(),
    }
}

impl AgentHost {
    pub(crate) fn new(paths: HostPaths, exe: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            paths,
            exe,
            used: Mutex::default(),
            link: tokio::sync::Mutex::new(None),
            news: broadcast::Sender::new(4_096),
            stays: AtomicBool::new(false),
        })
    }

    /// Somebody stays, and wants to hear what others do.
    pub(crate) fn stay(&self) {
        self.stays.store(true, Ordering::Relaxed);
    }

    /// A connection that stands; none when no host runs and `start` was not said.
    async fn link(self: &Arc<Self>, start: bool) -> Result<Option<Arc<Link>>, AgentError> {
        let mut held = self.link.lock().await;
        if let Some(link) = held
            .as_ref()
            .filter(|link| !link.waiting.over.load(Ordering::Acquire))
        {
            return Ok(Some(Arc::clone(link)));
        }
        let start = start || self.stays.load(Ordering::Relaxed);
        let exe = start.then_some(self.exe.as_path());
        let (hears, says) = match AGENTS.connect(&self.paths, exe).await {
            Ok(ends) => ends,
            Err(ConnectError::NotRunning { .. }) if !start => return Ok(None),
            Err(error) => {
                return Err(AgentError::Unreachable {
                    host: "the agent host".into(),
                    reason: error.to_string(),
                });
            }
        };
        let link = Arc::new(self.begin(hears, says));
        // Gone: the next connection is told.
        let _ = link.outgoing.send(ToHost::Here {
            environment: Environment::here(),
        });
        for used in self.used.lock().values() {
            link.uses(used);
        }
        *held = Some(Arc::clone(&link));
        Ok(Some(link))
    }

    /// Notes a session, for the next host: this one may die, and its agents can load what they said.
    fn know(&self, backend: &BackendId, row: SessionRow) {
        if let Some(used) = self.used.lock().get_mut(backend) {
            used.known.retain(|known| known.session != row.session);
            used.known.push(row);
        }
    }

    fn forget(&self, backend: &BackendId, agent: &AgentId) {
        if let Some(used) = self.used.lock().get_mut(backend) {
            used.known.retain(|known| known.session != *agent);
            used.at_work.remove(agent);
            used.cut.remove(agent);
        }
    }

    /// Notes what is told of an agent, and says of one whose turn was cut that it has failed.
    fn note(&self, backend: &BackendId, news: &mut News) {
        match news {
            News::Changed(agent) if agent.status == AgentStatus::Archived => {
                self.forget(backend, &agent.id);
            }
            News::Changed(agent) => {
                self.know(backend, row_of(agent));
                self.see(backend, agent);
            }
            News::Removed(agent) => self.forget(backend, agent),
            News::ListAgain | News::Event { .. } => {}
        }
    }

    /// Notes whether an agent is at work. One whose turn was cut has failed, until it is at work again: the host that holds it now was not
    /// there.
    fn see(&self, backend: &BackendId, agent: &mut AgentInfo) {
        let mut used = self.used.lock();
        let Some(used) = used.get_mut(backend) else {
            return;
        };
        if agent.status.is_busy() {
            used.at_work.insert(agent.id.clone());
            used.cut.remove(&agent.id);
            return;
        }
        used.at_work.remove(&agent.id);
        let at_rest = matches!(agent.status, AgentStatus::Idle | AgentStatus::Asleep);
        if at_rest && used.cut.contains(&agent.id) {
            agent.status = AgentStatus::Failed;
            agent.last_error = Some(CUT_OFF.to_owned());
        }
    }

    /// The host has ended: whatever was at work there is cut.
    fn ended(&self) {
        for used in self.used.lock().values_mut() {
            let cut = used.at_work.drain();
            used.cut.extend(cut);
        }
    }

    fn is_cut(&self, backend: &BackendId, agent: &AgentId) -> bool {
        let used = self.used.lock();
        used.get(backend)
            .is_some_and(|used| used.cut.contains(agent))
    }

    fn begin(self: &Arc<Self>, mut hears: Hears, mut says: Says) -> Link {
        let (outgoing, mut queue) = mpsc::unbounded_channel::<ToHost>();
        let waiting = Arc::new(Waiting::default());
        let writer = tokio::spawn(async move {
            while let Some(message) = queue.recv().await {
                if says.say(&message).await.is_err() {
                    // The reading side tells everybody.
                    return;
                }
            }
        });
        let (told, heard) = (Arc::downgrade(self), Arc::clone(&waiting));
        let reader = tokio::spawn(async move {
            loop {
                match hears.hear::<ToClient>().await {
                    Ok(Some(message)) => {
                        let Some(host) = told.upgrade() else { return };
                        if let Some((backend, mut news)) = heard.take(message) {
                            host.note(&backend, &mut news);
                            let _ = host.news.send((backend, news));
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(%error, "the agent host was not understood");
                        break;
                    }
                }
            }
            heard.end();
            if let Some(host) = told.upgrade() {
                host.ended();
                let _ = host.news.send((BackendId(String::new()), News::ListAgain));
            }
        });
        Link {
            outgoing,
            waiting,
            next: AtomicU64::new(1),
            tasks: [reader.abort_handle(), writer.abort_handle()],
        }
    }
}

impl Waiting {
    /// Gives a message to who waits for it; what nobody waits for is news for all.
    fn take(&self, message: ToClient) -> Option<(BackendId, News)> {
        match message {
            ToClient::Done { id, value } => self.settle(id, Ok(value)),
            ToClient::Refused { id, error } => self.settle(id, Err(error)),
            ToClient::Turn { id, event } => {
                let ended = matches!(event, AgentEvent::Ended { .. });
                let mut turns = self.turns.lock();
                if let Some(turn) = turns.get(&id) {
                    let _ = turn.send(event);
                }
                if ended {
                    turns.remove(&id);
                }
            }
            ToClient::News { backend, news } => return Some((backend, news)),
        }
        None
    }

    fn settle(&self, id: u64, answer: Result<Value, AgentError>) {
        if answer.is_err() {
            self.turns.lock().remove(&id);
        }
        // None: nobody waits any more.
        if let Some(waiting) = self.answers.lock().remove(&id) {
            let _ = waiting.send(answer);
        }
    }

    /// Lets go of all who wait.
    fn end(&self) {
        self.over.store(true, Ordering::Release);
        self.answers.lock().clear();
        self.turns.lock().clear();
    }
}

impl Link {
    fn uses(&self, used: &Used) {
        // Gone: the next connection is told.
        let _ = self.outgoing.send(ToHost::Use {
            made: used.made.clone(),
            known: used.known.clone(),
        });
    }

    fn id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        id: u64,
        backend: &BackendId,
        ask: Ask,
    ) -> Result<T, AgentError> {
        let (answer, answered) = oneshot::channel();
        self.waiting.answers.lock().insert(id, answer);
        let backend = backend.clone();
        let sent = self.outgoing.send(ToHost::Ask { id, backend, ask });
        if sent.is_err() || self.waiting.over.load(Ordering::Acquire) {
            self.waiting.answers.lock().remove(&id);
            return Err(lost("a question"));
        }
        let value = answered.await.map_err(|_| lost("an answer"))??;
        serde_json::from_value(value).map_err(|error| AgentError::Garbled {
            what: "an answer of the agent host".into(),
            reason: error.to_string(),
            got: String::new(),
        })
    }
}

/// One kind of ACP agent, held by the agent host.
pub(crate) struct Away {
    host: Arc<AgentHost>,
    id: BackendId,
    config: AcpConfig,
    health: Mutex<Health>,
}

impl Away {
    pub(crate) fn new(host: &Arc<AgentHost>, config: AcpConfig) -> Self {
        let id = config.id();
        let used = Used {
            made: Made::from(&config),
            known: Vec::new(),
            at_work: HashSet::new(),
            cut: HashSet::new(),
        };
        host.used.lock().insert(id.clone(), used);
        Self {
            host: Arc::clone(host),
            id,
            config,
            health: Mutex::new(Health::Unknown),
        }
    }

    async fn ask<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, AgentError> {
        let link = self
            .host
            .link(true)
            .await?
            .ok_or_else(|| lost("starting it"))?;
        link.ask(link.id(), &self.id, ask).await
    }

    /// The sessions of earlier days, as far as they are known without a process.
    fn asleep(&self) -> Vec<AgentInfo> {
        let used = self.host.used.lock();
        let rows = used.get(&self.id).map_or(&[][..], |used| &used.known);
        rows.iter()
            .map(|row| AgentInfo {
                title: row.title.clone(),
                provider: self.config.name.clone(),
                cwd: row.worktree.clone(),
                session: Some(row.session.0.clone()),
                ..AgentInfo::asleep(self.id.clone(), row.session.clone())
            })
            .collect()
    }
}

/// What the next host is told of an agent.
fn row_of(agent: &AgentInfo) -> SessionRow {
    SessionRow {
        owner: String::new(),
        agent: String::new(),
        backend: agent.backend.clone(),
        session: agent.id.clone(),
        worktree: agent.cwd.clone(),
        title: agent.title.clone(),
        status: SessionStatus::Open,
        last_activity: 0,
    }
}

/// What is told of one backend.
fn told(host: &AgentHost, id: &BackendId) -> BoxStream<'static, News> {
    let heard = host.news.subscribe();
    let id = id.clone();
    stream::unfold((heard, id), |(mut heard, id)| async move {
        loop {
            match heard.recv().await {
                Ok((backend, news)) if backend == id || backend.0.is_empty() => {
                    return Some((news, (heard, id)));
                }
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    return Some((News::ListAgain, (heard, id)));
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    })
    .boxed()
}

/// Passes on what is heard of a turn, and a wish to stop it.
async fn relay(
    link: Arc<Link>,
    id: u64,
    relay: Relay,
    mut heard: mpsc::UnboundedReceiver<AgentEvent>,
) {
    let mut told_to_stop = false;
    loop {
        tokio::select! {
            event = heard.recv() => match event {
                Some(event) => {
                    let ended = matches!(event, AgentEvent::Ended { .. });
                    relay.tell(event);
                    if ended {
                        return;
                    }
                }
                None => {
                    relay.tell(AgentEvent::Ended { outcome: cut_off() });
                    return;
                }
            },
            () = relay.cancelled(), if !told_to_stop => {
                told_to_stop = true;
                let _ = link.outgoing.send(ToHost::Cancel { id });
            }
        }
    }
}

impl AgentBackend for Away {
    fn kind(&self) -> BackendKind {
        BackendKind::Acp
    }

    fn id(&self) -> &BackendId {
        &self.id
    }

    fn health(&self) -> Health {
        self.health.lock().clone()
    }

    fn check(&self) -> Pin<Box<dyn Future<Output = Health> + Send + '_>> {
        Box::pin(async {
            let health = match self.config.missing() {
                Some(reason) => Health::Down { reason },
                None => match self.host.link(false).await {
                    Ok(Some(link)) => link
                        .ask(link.id(), &self.id, Ask::Check)
                        .await
                        .unwrap_or_else(|error| Health::Down {
                            reason: error.to_string(),
                        }),
                    // It is started when it is needed.
                    Ok(None) => Health::Up {
                        version: None,
                        transport: "stdio".into(),
                    },
                    Err(error) => Health::Down {
                        reason: error.to_string(),
                    },
                },
            };
            *self.health.lock() = health.clone();
            health
        })
    }

    fn busy(&self) -> bool {
        let used = self.host.used.lock();
        used.get(&self.id)
            .is_some_and(|used| !used.at_work.is_empty())
    }

    fn list(&self, which: ListAgents) -> Answer<'_, Vec<AgentInfo>> {
        Box::pin(async move {
            let mut agents: Vec<AgentInfo> = match self.host.link(false).await? {
                Some(link) => link.ask(link.id(), &self.id, Ask::List(which)).await?,
                None => {
                    let mut agents = self.asleep();
                    agents.retain(|_| which.labels.is_empty());
                    agents
                }
            };
            for agent in &mut agents {
                if agent.status != AgentStatus::Archived {
                    self.host.know(&self.id, row_of(agent));
                }
                self.host.see(&self.id, agent);
            }
            Ok(agents)
        })
    }

    fn recall(&self, row: &SessionRow) {
        self.host.know(&self.id, row.clone());
        let (host, id) = (Arc::clone(&self.host), self.id.clone());
        // A connection that is being made may have been told already.
        tokio::spawn(async move {
            if let Some(link) = host.link.lock().await.as_ref()
                && let Some(used) = host.used.lock().get(&id)
            {
                link.uses(used);
            }
        });
    }

    fn inspect<'a>(&'a self, name: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(async move {
            let known = self
                .asleep()
                .iter()
                .any(|agent| agent.id.0.starts_with(name) || agent.title.as_deref() == Some(name));
            match self.host.link(known).await? {
                Some(link) => {
                    let asked = Ask::Inspect(name.to_owned());
                    let mut agent = link.ask(link.id(), &self.id, asked).await?;
                    self.host.see(&self.id, &mut agent);
                    Ok(agent)
                }
                None => Err(AgentError::UnknownAgent { agent: name.into() }),
            }
        })
    }

    fn start(&self, agent: NewAgent) -> Answer<'_, AgentInfo> {
        Box::pin(self.ask(Ask::Start(agent)))
    }

    fn resume<'a>(&'a self, agent: &'a AgentId, cwd: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(self.ask(Ask::Resume {
            agent: agent.clone(),
            cwd: cwd.to_owned(),
        }))
    }

    fn import(&self, session: ImportSession) -> Answer<'_, AgentInfo> {
        Box::pin(self.ask(Ask::Import(session)))
    }

    fn sessions<'a>(&'a self, cwd: &'a str) -> Answer<'a, Vec<KnownSession>> {
        Box::pin(self.ask(Ask::Sessions {
            cwd: cwd.to_owned(),
        }))
    }

    fn fork<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, AgentInfo> {
        Box::pin(self.ask(Ask::Fork(agent.clone())))
    }

    fn prompt<'a>(&'a self, agent: &'a AgentId, prompt: Prompt) -> Answer<'a, Turn> {
        Box::pin(async move {
            let link = self
                .host
                .link(true)
                .await?
                .ok_or_else(|| lost("starting it"))?;
            let id = link.id();
            // Listened for before it is asked for: its first words may be faster than the answer.
            let (tell, heard) = mpsc::unbounded_channel();
            link.waiting.turns.lock().insert(id, tell);
            let asked = Ask::Prompt {
                agent: agent.clone(),
                prompt,
            };
            let _: Value = link.ask(id, &self.id, asked).await?;
            let (turn, told) = Turn::relayed();
            tokio::spawn(relay(link, id, told, heard));
            Ok(turn)
        })
    }

    fn choose<'a>(
        &'a self,
        agent: &'a AgentId,
        setting: &'a str,
        value: &'a str,
    ) -> Answer<'a, AgentInfo> {
        Box::pin(self.ask(Ask::Choose {
            agent: agent.clone(),
            setting: setting.to_owned(),
            value: value.to_owned(),
        }))
    }

    fn stop<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, bool> {
        Box::pin(self.ask(Ask::Stop(agent.clone())))
    }

    fn answer<'a>(
        &'a self,
        agent: &'a AgentId,
        permission: &'a str,
        answer: PermissionAnswer,
    ) -> Answer<'a, ()> {
        Box::pin(self.ask(Ask::Answer {
            agent: agent.clone(),
            permission: permission.to_owned(),
            answer,
        }))
    }

    fn timeline<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, Vec<TimelineEntry>> {
        Box::pin(async move {
            let placed: Vec<Placed> = self.ask(Ask::Timeline(agent.clone())).await?;
            let placed = placed.into_iter().map(|placed| TimelineEntry {
                position: placed.position,
                ..placed.entry
            });
            // The agent may tell what was said, and can't tell that it was cut.
            let cut = self.host.is_cut(&self.id, agent);
            let cut = cut.then(|| TimelineEntry {
                at: None,
                event: AgentEvent::Ended { outcome: cut_off() },
                position: None,
            });
            Ok(placed.chain(cut).collect())
        })
    }

    fn close<'a>(&'a self, agent: &'a AgentId, force: bool) -> Answer<'a, Archived> {
        Box::pin(async move {
            let closed = self
                .ask(Ask::Close {
                    agent: agent.clone(),
                    force,
                })
                .await?;
            self.host.forget(&self.id, agent);
            Ok(closed)
        })
    }

    /// The agents go on: whoever ends here only looked at them.
    fn dispose(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.host.used.lock().remove(&self.id);
            Ok(())
        })
    }

    fn news(&self) -> BoxStream<'static, News> {
        told(&self.host, &self.id)
    }
}
