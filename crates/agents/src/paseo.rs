//! One Paseo daemon, through its WebSocket or through the `paseo` program: the same results and errors.

mod attach;
mod calls;
mod frames;
mod list;
mod process;
#[cfg(test)]
mod recorded;
mod socket;
mod turns;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{OnceCell, broadcast};

use crate::address::HostAddress;
use crate::backend::{AgentBackend, Answer, check_prompt, no_images};
use crate::error::AgentError;
use crate::news::{News, news_of};
use crate::process::Limits;
use crate::secret::{PasswordRef, Secret, read_password};
use crate::turn::Turn;
use crate::types::{
    AgentId, AgentInfo, Archived, BackendId, BackendKind, Health, ImportSession, ListAgents,
    NewAgent, PermissionAnswer, Prompt, TimelineEntry,
};
use process::{Call, Cli};
use socket::{Socket, Told};

/// How to reach a daemon.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    specta::Type,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// The socket; the program where the socket can't be used or is not understood.
    #[default]
    Auto,
    /// The socket only.
    Socket,
    /// The program only: seconds per call.
    Program,
}

/// How long each stage may take.
#[derive(Debug, Clone)]
pub struct Deadlines {
    /// Connecting, up to the daemon's greeting.
    pub connect: Duration,
    /// One request over the socket.
    pub request: Duration,
    /// Making or importing an agent, which starts a program at the daemon.
    pub start: Duration,
    /// One call of the `paseo` program.
    pub program: Duration,
    /// Silence on the socket, pings included, after which it counts as lost.
    pub quiet: Duration,
    /// How long a turn waits for a lost connection to come back.
    pub reconnect: Duration,
    /// How long an agent that was told to stop may take.
    pub stop: Duration,
    /// A turn of which nothing is heard for so long is stopped, and failed.
    pub silent_turn: Duration,
    /// How often the program is asked whether a permission was answered.
    pub poll: Duration,
    /// How long `paseo attach` may take to be quiet before, and to be complete after a turn.
    pub settle: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(15),
            start: Duration::from_secs(60),
            program: Duration::from_secs(45),
            quiet: Duration::from_secs(45),
            reconnect: Duration::from_secs(60),
            stop: Duration::from_secs(5),
            silent_turn: Duration::from_secs(30 * 60),
            poll: Duration::from_secs(10),
            settle: Duration::from_millis(600),
        }
    }
}

/// One daemon and how to reach it.
#[derive(Debug, Clone)]
pub struct PaseoConfig {
    /// Where it listens.
    pub address: HostAddress,
    /// Where its password is kept, if it has one.
    pub password: Option<PasswordRef>,
    /// How to reach it.
    pub transport: Transport,
    /// The `paseo` program.
    pub program: PathBuf,
    /// How long each stage may take.
    pub deadlines: Deadlines,
}

impl PaseoConfig {
    /// The daemon at `address`, with defaults for all the rest.
    pub fn new(address: HostAddress) -> Self {
        Self {
            address,
            password: None,
            transport: Transport::Auto,
            program: "paseo".into(),
            deadlines: Deadlines::default(),
        }
    }
}

/// A client of one Paseo daemon. Cheap to clone; all clones share one connection.
#[derive(Debug, Clone)]
pub struct Paseo {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    id: BackendId,
    host: String,
    config: PaseoConfig,
    socket: Socket,
    secret: OnceCell<Option<Secret>>,
    health: Mutex<Health>,
    turns: AtomicUsize,
    in_use: AtomicU8,
    /// What the turns over the program tell, which no socket does.
    program_told: broadcast::Sender<News>,
}

/// How a call goes.
enum Route {
    Socket(Option<Secret>),
    Program(Cli),
}

const UNDECIDED: u8 = 0;
const SOCKET: u8 = 1;
const PROGRAM: u8 = 2;

impl Paseo {
    /// Makes a client. Nothing is connected or started before it is needed.
    pub fn new(config: PaseoConfig) -> Self {
        let host = config.address.to_string();
        let first = match config.transport {
            Transport::Program => PROGRAM,
            Transport::Auto if !config.address.has_socket() => PROGRAM,
            Transport::Auto | Transport::Socket => UNDECIDED,
        };
        Self {
            inner: Arc::new(Inner {
                id: BackendId::new(BackendKind::Paseo, &host),
                socket: Socket::new(config.address.clone(), config.deadlines.clone()),
                host,
                config,
                secret: OnceCell::new(),
                health: Mutex::new(Health::Unknown),
                turns: AtomicUsize::new(0),
                in_use: AtomicU8::new(first),
                program_told: broadcast::channel(1024).0,
            }),
        }
    }

    /// How the daemon is reached at the moment: `socket` or `program`.
    pub fn transport(&self) -> &'static str {
        match self.inner.in_use.load(Ordering::Relaxed) {
            PROGRAM => "program",
            _ => "socket",
        }
    }
}

impl Inner {
    async fn secret(&self) -> Result<Option<Secret>, AgentError> {
        let read = async {
            match &self.config.password {
                Some(reference) => read_password(reference).await.map(Some),
                None => Ok(None),
            }
        };
        self.secret.get_or_try_init(|| read).await.cloned()
    }

    fn program(&self, secret: Option<&Secret>) -> Cli {
        Cli::new(&self.config.program, &self.config.address, secret)
    }

    /// Decides how this call goes; over the socket, the connection stands when this returns.
    async fn route(&self) -> Result<Route, AgentError> {
        let secret = self.secret().await?;
        if self.in_use.load(Ordering::Relaxed) == PROGRAM {
            return Ok(Route::Program(self.program(secret.as_ref())));
        }
        match self.socket.connect(secret.as_ref()).await {
            Ok(version) => {
                self.in_use.store(SOCKET, Ordering::Relaxed);
                self.remember(Health::Up {
                    version,
                    transport: "socket".into(),
                });
                Ok(Route::Socket(secret))
            }
            Err(error) if error.is_not_understood() && self.config.transport == Transport::Auto => {
                let program = self.program(secret.as_ref());
                // Where there is no program, the socket's own reason helps more.
                if program
                    .version(self.config.deadlines.program)
                    .await
                    .is_err()
                {
                    return Err(self.down(error));
                }
                tracing::warn!(host = self.host, %error, "the socket is not understood, so the program is used");
                self.in_use.store(PROGRAM, Ordering::Relaxed);
                Ok(Route::Program(program))
            }
            Err(error) => Err(self.down(error)),
        }
    }

    fn remember(&self, health: Health) {
        *self.health.lock() = health;
    }

    fn down(&self, error: AgentError) -> AgentError {
        self.remember(Health::Down {
            reason: error.to_string(),
        });
        error
    }

    fn limits(&self) -> Limits {
        Limits::within(self.config.deadlines.program)
    }

    async fn ask(
        &self,
        secret: Option<&Secret>,
        kind: &str,
        body: Value,
    ) -> Result<Value, AgentError> {
        self.socket
            .request(kind, body, secret, self.config.deadlines.request)
            .await
    }

    /// Runs a call of the program and reads the document that it prints.
    async fn call(&self, cli: &Cli, about: &str, call: Call<'_>) -> Result<Value, AgentError> {
        let command = call.command.join(" ");
        let output = cli.run(&call, &self.limits()).await?;
        wire::document(
            wire::Asked {
                command: &command,
                host: &self.host,
                about,
            },
            &output,
        )
        .inspect_err(|error| {
            if matches!(
                error,
                AgentError::Unreachable { .. } | AgentError::Password { .. }
            ) {
                self.remember(Health::Down {
                    reason: error.to_string(),
                });
            }
        })
    }

    fn garbled(&self, what: &str, reason: impl std::fmt::Display, got: &Value) -> AgentError {
        AgentError::Garbled {
            what: what.into(),
            reason: reason.to_string(),
            got: crate::redact::redacted(&crate::error::capped(&got.to_string(), 200)),
        }
    }

    fn read_agent(&self, what: &str, agent: Value) -> Result<AgentInfo, AgentError> {
        serde_json::from_value::<frames::Agent>(agent)
            .map_err(|error| self.garbled(what, error, &Value::Null))
            .and_then(|agent| {
                if agent.id.is_empty() {
                    Err(self.garbled(what, "an agent without an `id`", &Value::Null))
                } else {
                    Ok(agent.info(&self.id))
                }
            })
    }

    async fn check(&self) -> Health {
        let within = self.config.deadlines.connect;
        let asked = async {
            if self.config.address.has_socket() && self.config.transport != Transport::Program {
                socket::http_health(&self.config.address, within).await?;
                match self.route().await? {
                    Route::Socket(secret) => {
                        let version = self.socket.connect(secret.as_ref()).await?;
                        return Ok(Health::Up {
                            version,
                            transport: "socket".into(),
                        });
                    }
                    Route::Program(_) => {}
                }
            }
            let secret = self.secret().await?;
            let cli = self.program(secret.as_ref());
            self.call(
                &cli,
                "",
                Call {
                    command: &["ls"],
                    ..Call::default()
                },
            )
            .await?;
            let version = cli.version(self.config.deadlines.program).await.ok();
            Ok(Health::Up {
                version,
                transport: "program".into(),
            })
        };
        let health = asked
            .await
            .unwrap_or_else(|error: AgentError| Health::Down {
                reason: error.to_string(),
            });
        self.remember(health.clone());
        health
    }
}

impl AgentBackend for Paseo {
    fn kind(&self) -> BackendKind {
        BackendKind::Paseo
    }

    fn id(&self) -> &BackendId {
        &self.inner.id
    }

    fn health(&self) -> Health {
        self.inner.health.lock().clone()
    }

    fn check(&self) -> std::pin::Pin<Box<dyn Future<Output = Health> + Send + '_>> {
        Box::pin(self.inner.check())
    }

    fn busy(&self) -> bool {
        self.inner.turns.load(Ordering::Relaxed) > 0
    }

    fn list(&self, which: ListAgents) -> Answer<'_, Vec<AgentInfo>> {
        Box::pin(self.inner.list(which, false))
    }

    fn watch(&self) -> Answer<'_, Vec<AgentInfo>> {
        Box::pin(self.inner.list(ListAgents::default(), true))
    }

    fn live(&self) -> bool {
        self.inner.in_use.load(Ordering::Relaxed) != PROGRAM
    }

    fn inspect<'a>(&'a self, name: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(self.inner.inspect(name))
    }

    fn start(&self, agent: NewAgent) -> Answer<'_, AgentInfo> {
        Box::pin(self.inner.start(agent))
    }

    fn resume<'a>(&'a self, agent: &'a AgentId, _cwd: &'a str) -> Answer<'a, AgentInfo> {
        Box::pin(self.inner.inspect(&agent.0))
    }

    fn import(&self, session: ImportSession) -> Answer<'_, AgentInfo> {
        Box::pin(self.inner.import(session))
    }

    fn prompt<'a>(&'a self, agent: &'a AgentId, prompt: Prompt) -> Answer<'a, Turn> {
        Box::pin(async move {
            check_prompt(&prompt)?;
            no_images(&self.inner.id, &prompt)?;
            turns::prompt(self.inner.clone(), agent.clone(), prompt).await
        })
    }

    fn stop<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, bool> {
        Box::pin(self.inner.stop(agent))
    }

    fn answer<'a>(
        &'a self,
        agent: &'a AgentId,
        permission: &'a str,
        answer: PermissionAnswer,
    ) -> Answer<'a, ()> {
        Box::pin(self.inner.answer(agent, permission, answer))
    }

    fn timeline<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, Vec<TimelineEntry>> {
        Box::pin(self.inner.timeline(agent))
    }

    fn close<'a>(&'a self, agent: &'a AgentId, force: bool) -> Answer<'a, Archived> {
        Box::pin(self.inner.close(agent, force))
    }

    fn dispose(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.inner.socket.disconnect().await;
            Ok(())
        })
    }

    /// Over the program, only the turns that were begun here are told.
    fn news(&self) -> BoxStream<'static, News> {
        let backend = self.inner.id.clone();
        let told = self.inner.socket.subscribe();
        let socket = stream::unfold((told, backend), |(mut told, backend)| async move {
            loop {
                let news = match told.recv().await {
                    Ok(Told::Changed(agent)) => News::Changed(Box::new(agent.info(&backend))),
                    Ok(Told::Removed(id)) => News::Removed(AgentId(id)),
                    Ok(Told::Stream(stream)) => match turns::event(stream.event) {
                        Some(event) => News::Event {
                            agent: AgentId(stream.agent),
                            event: Box::new(event),
                            position: stream.position,
                        },
                        None => continue,
                    },
                    Ok(Told::Up | Told::Down) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        News::ListAgain
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                };
                return Some((news, (told, backend)));
            }
        });
        let program = news_of(self.inner.program_told.subscribe());
        stream::select(socket, program).boxed()
    }
}
