//! Agents: every backend that the person has, their sessions in the store, their programs in panes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use agents::{
    Acp, AcpConfig, AgentBackend, AgentError, AgentId, AgentInfo, Agents, AgentsConfig,
    AgentsEvent, Answer, Archived, BackendAgents, BackendId, BackendInfo, Command, CommandConfig,
    ImportSession, Kept, ListAgents, NewAgent, Paseo, PaseoConfig, PasswordRef, PermissionAnswer,
    Prompt, SessionRow, SessionStatus, Sessions, Terminal, TerminalEvent, Terminals, TimelineEntry,
    Transport, Turn,
};
use serde::{Deserialize, Serialize};
use store::sql::{OptionalExtension as _, Row, params};
use store::{Schema, Store};
use terminal::{Attention, OpenPane, PaneEvent, PaneId, PaneRole, PaneState, ReadLines};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{App, AppEvent, Code, Error, Inner, Paths};

/// Where sessions are kept: one row per (chat or run, agent).
pub(crate) const SCHEMA: Schema = Schema {
    room: "agents",
    migrations: &["CREATE TABLE agent_sessions (
        owner TEXT NOT NULL,
        agent TEXT NOT NULL,
        backend TEXT NOT NULL,
        session TEXT NOT NULL,
        worktree TEXT NOT NULL,
        open INTEGER NOT NULL,
        last_activity INTEGER NOT NULL,
        PRIMARY KEY (owner, agent)
    ) WITHOUT ROWID"],
};

/// What the person wrote in `agents.json`: hosts and programs beside those that are found by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentsFile {
    /// Paseo daemons; missing: the one at `localhost:6767`.
    pub paseo: Option<Vec<PaseoHost>>,
    /// ACP agents beside the well-known ones on the PATH.
    pub acp: Vec<AcpProgram>,
    /// Programs that answer a prompt.
    pub command: Vec<CommandProgram>,
}

/// One Paseo daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaseoHost {
    /// Where it listens, without a password.
    pub address: String,
    /// Where its password is kept.
    #[serde(default)]
    pub password: Option<PasswordRef>,
    /// How it is reached.
    #[serde(default)]
    pub transport: Transport,
    /// The `paseo` program; missing: the one on the PATH.
    #[serde(default)]
    pub program: Option<PathBuf>,
}

/// One ACP agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcpProgram {
    /// Its name.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Added to its environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// One program that answers a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandProgram {
    /// Its name.
    pub name: String,
    /// The program and its arguments; `{prompt}` is where the prompt goes, else it is the last.
    pub program: Vec<String>,
}

impl AgentsFile {
    /// Reads `agents.json`; a missing one is the default.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when it is not JSON or has a field that is unknown or wrong.
    pub fn load(paths: &Paths) -> Result<Self, Error> {
        Ok(crate::settings::read(&agents_file(paths))?.unwrap_or_default())
    }

    /// The backends that the file and the PATH give; a wrong entry is refused as a whole.
    fn backends(
        &self,
        file: &Path,
        panes: &Arc<PaneTerminals>,
    ) -> Result<Vec<Arc<dyn AgentBackend>>, Error> {
        let wrong =
            |what: String| Error::new(Code::BadFile, format!("`{}`: {what}", file.display()));
        let mut backends: Vec<Arc<dyn AgentBackend>> = Vec::new();
        let local = [PaseoHost {
            address: "localhost:6767".into(),
            password: None,
            transport: Transport::Auto,
            program: None,
        }];
        for host in self.paseo.as_deref().unwrap_or(&local) {
            let address = host
                .address
                .parse()
                .map_err(|error: agents::AddressError| {
                    wrong(format!("`paseo.address`: {error}"))
                })?;
            let mut config = PaseoConfig::new(address);
            config.password = host.password.clone();
            config.transport = host.transport;
            if let Some(program) = &host.program {
                config.program.clone_from(program);
            }
            backends.push(Arc::new(Paseo::new(config)));
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        for preset in agents::presets(&path) {
            backends.push(Arc::new(Acp::new(AcpConfig::new(
                preset.name,
                preset.program,
                preset.args,
            ))));
        }
        for program in &self.acp {
            if program.name.trim().is_empty() {
                return Err(wrong("`acp.name` is empty; give the agent a name".into()));
            }
            let mut config = AcpConfig::new(&program.name, &program.program, &[]);
            config.args.clone_from(&program.args);
            config.env.clone_from(&program.env);
            backends.push(Arc::new(Acp::new(config)));
        }
        for program in &self.command {
            if program.name.trim().is_empty() {
                return Err(wrong(
                    "`command.name` is empty; give the program a name".into(),
                ));
            }
            let config = CommandConfig {
                name: program.name.clone(),
                program: program.program.clone(),
                silent_turn: std::time::Duration::from_secs(30 * 60),
            };
            let command = Command::new(config, panes.clone())
                .map_err(|error| wrong(format!("`command` `{}`: {error}", program.name)))?;
            backends.push(Arc::new(command));
        }
        Ok(backends)
    }
}

fn agents_file(paths: &Paths) -> PathBuf {
    paths.config().join("agents.json")
}

impl App {
    /// The agents' backends. Made at the first call: whoever never asks for agents starts nothing for them.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when `agents.json` can't be used.
    pub async fn agents(&self) -> Result<&Agents, Error> {
        self.0
            .agents
            .get_or_try_init(|| async {
                let file = AgentsFile::load(&self.0.paths)?;
                let panes = Arc::new(PaneTerminals {
                    app: Arc::downgrade(&self.0),
                });
                let backends = file.backends(&agents_file(&self.0.paths), &panes)?;
                let sessions = Arc::new(StoredSessions(self.0.store.clone()));
                let agents = Agents::new(AgentsConfig::default(), sessions, Arc::new(now));
                for backend in backends {
                    agents.add(backend);
                }
                Ok(agents)
            })
            .await
    }

    /// Tells what happens to agents and backends from now on.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when `agents.json` can't be used.
    pub async fn agent_events(&self) -> Result<broadcast::Receiver<AgentsEvent>, Error> {
        Ok(self.agents().await?.events())
    }

    /// Every backend as it was when last asked. Never waits for one.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when `agents.json` can't be used.
    pub async fn list_backends(&self) -> Result<Vec<BackendInfo>, Error> {
        Ok(self.agents().await?.backends())
    }

    /// Asks every backend how it is, all at once.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when `agents.json` can't be used. A backend that is down is no error.
    pub async fn check_backends(&self) -> Result<Vec<BackendInfo>, Error> {
        Ok(self.agents().await?.check().await)
    }

    /// Lists the agents of every backend; one that is down says why in its own entry.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when `agents.json` can't be used.
    pub async fn list_agents(&self, which: ListAgents) -> Result<Vec<BackendAgents>, Error> {
        Ok(self.agents().await?.list(which).await)
    }

    /// Finds an agent by its id, a unique prefix of it, or its exact title; at `backend`, or wherever it is.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when none or several agents answer to `name`.
    pub async fn find_agent(
        &self,
        backend: Option<&BackendId>,
        name: &str,
    ) -> Result<AgentInfo, Error> {
        let agents = self.agents().await?;
        Ok(match backend {
            Some(backend) => agents.inspect(backend, name).await?,
            None => agents.find(name).await?,
        })
    }

    /// Makes a new agent.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] for a wrong field, [`Code::NotStarted`] when its program can't be started.
    pub async fn start_agent(
        &self,
        backend: &BackendId,
        agent: NewAgent,
    ) -> Result<AgentInfo, Error> {
        Ok(self.agents().await?.start(backend, agent).await?)
    }

    /// Takes over a conversation that a provider already has.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] for a wrong field, [`Code::Refused`] with the backend's words.
    pub async fn import_agent(
        &self,
        backend: &BackendId,
        session: ImportSession,
    ) -> Result<AgentInfo, Error> {
        Ok(self.agents().await?.import(backend, session).await?)
    }

    /// Says something to an agent, and streams what it does.
    ///
    /// # Errors
    ///
    /// [`Code::Refused`] when it works and [`Prompt::replace`] was not said.
    pub async fn prompt_agent(
        &self,
        backend: &BackendId,
        agent: &AgentId,
        prompt: Prompt,
    ) -> Result<Turn, Error> {
        Ok(self.agents().await?.prompt(backend, agent, prompt).await?)
    }

    /// Stops the turn that runs; `false` if none did.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is no such agent.
    pub async fn stop_agent(&self, backend: &BackendId, agent: &AgentId) -> Result<bool, Error> {
        Ok(self.agents().await?.stop(backend, agent).await?)
    }

    /// Answers what an agent asked.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when it is no longer asked for.
    pub async fn answer_agent(
        &self,
        backend: &BackendId,
        agent: &AgentId,
        permission: &str,
        answer: PermissionAnswer,
    ) -> Result<(), Error> {
        Ok(self
            .agents()
            .await?
            .answer(backend, agent, permission, answer)
            .await?)
    }

    /// Reads a conversation back, oldest first.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is no such agent.
    pub async fn agent_timeline(
        &self,
        backend: &BackendId,
        agent: &AgentId,
    ) -> Result<Vec<TimelineEntry>, Error> {
        Ok(self.agents().await?.timeline(backend, agent).await?)
    }

    /// Puts an agent away; `force` ends a turn that runs.
    ///
    /// # Errors
    ///
    /// [`Code::Refused`] when it works and `force` was not said.
    pub async fn archive_agent(
        &self,
        backend: &BackendId,
        agent: &AgentId,
        force: bool,
    ) -> Result<Archived, Error> {
        Ok(self.agents().await?.archive(backend, agent, force).await?)
    }
}

impl From<AgentError> for Error {
    fn from(error: AgentError) -> Self {
        let code = match &error {
            AgentError::UnknownBackend { .. }
            | AgentError::UnknownAgent { .. }
            | AgentError::Ambiguous { .. }
            | AgentError::PermissionGone { .. } => Code::BadId,
            AgentError::BadRequest { .. } => Code::BadParams,
            AgentError::Busy { .. }
            | AgentError::Unsupported { .. }
            | AgentError::Refused { .. }
            | AgentError::Password { .. }
            | AgentError::Secret { .. }
            | AgentError::Cancelled { .. } => Code::Refused,
            AgentError::ProgramMissing { .. } => Code::NotStarted,
            AgentError::Sessions { .. } => Code::Store,
            AgentError::Unreachable { .. }
            | AgentError::Protocol { .. }
            | AgentError::Timeout { .. }
            | AgentError::Program { .. }
            | AgentError::Garbled { .. }
            | AgentError::Lost { .. } => Code::Failed,
        };
        Error::from_chain(code, &error)
    }
}

fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// The rows of sessions, in the database.
struct StoredSessions(Store);

impl Sessions for StoredSessions {
    fn find<'a>(&'a self, owner: &'a str, agent: &'a str) -> Kept<'a, Option<SessionRow>> {
        let key = (owner.to_owned(), agent.to_owned());
        Box::pin(async move {
            let read = self.0.read(move |connection| {
                Ok(connection
                    .query_row(
                        "SELECT owner, agent, backend, session, worktree, open, last_activity
                         FROM agent_sessions WHERE owner = ?1 AND agent = ?2",
                        params![key.0, key.1],
                        read_row,
                    )
                    .optional()?)
            });
            read.await.map_err(|error| error.to_string())
        })
    }

    fn put(&self, row: SessionRow) -> Kept<'_, ()> {
        Box::pin(async move {
            let written = self.0.write(move |transaction| {
                transaction.execute(
                    "INSERT OR REPLACE INTO agent_sessions
                     (owner, agent, backend, session, worktree, open, last_activity) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        row.owner,
                        row.agent,
                        row.backend.0,
                        row.session.0,
                        row.worktree,
                        row.status == SessionStatus::Open,
                        i64::try_from(row.last_activity).unwrap_or(i64::MAX),
                    ],
                )?;
                Ok(())
            });
            written.await.map_err(|error| error.to_string())
        })
    }

    fn all(&self) -> Kept<'_, Vec<SessionRow>> {
        Box::pin(async move {
            let read = self.0.read(|connection| {
                let mut statement = connection.prepare(
                    "SELECT owner, agent, backend, session, worktree, open, last_activity
                     FROM agent_sessions ORDER BY last_activity DESC",
                )?;
                let rows = statement.query_map([], read_row)?;
                Ok(rows.collect::<Result<Vec<_>, _>>()?)
            });
            read.await.map_err(|error| error.to_string())
        })
    }
}

fn read_row(row: &Row<'_>) -> Result<SessionRow, store::sql::Error> {
    Ok(SessionRow {
        owner: row.get(0)?,
        agent: row.get(1)?,
        backend: BackendId(row.get(2)?),
        session: AgentId(row.get(3)?),
        worktree: row.get(4)?,
        status: if row.get(5)? {
            SessionStatus::Open
        } else {
            SessionStatus::Closed
        },
        last_activity: u64::try_from(row.get::<_, i64>(6)?).unwrap_or(0),
    })
}

/// Panes, for programs that answer prompts.
struct PaneTerminals {
    app: Weak<Inner>,
}

impl Terminals for PaneTerminals {
    fn open<'a>(
        &'a self,
        program: &'a [String],
        cwd: &'a str,
        name: &'a str,
    ) -> Answer<'a, Box<dyn Terminal>> {
        Box::pin(async move {
            let inner = self.app.upgrade().ok_or_else(|| ended("opening a pane"))?;
            let app = App(inner);
            // Listening begins before the pane opens: a quick program may have ended by then.
            let events = app.events();
            let pane = app
                .open_pane(OpenPane {
                    program: program.first().cloned(),
                    args: program.iter().skip(1).cloned().collect(),
                    cwd: Some(cwd.to_owned()),
                    name: Some(name.to_owned()),
                    role: PaneRole::Agent,
                    no_shell_integration: true,
                    ..OpenPane::default()
                })
                .await
                .map_err(|error| AgentError::ProgramMissing {
                    program: name.to_owned(),
                    reason: error.message,
                })?;
            Ok(Box::new(PaneTerminal {
                app: self.app.clone(),
                pane: pane.id,
                events,
                attention: Attention::Idle,
                looked: false,
                left: Vec::new(),
            }) as Box<dyn Terminal>)
        })
    }
}

fn ended(what: &str) -> AgentError {
    AgentError::Lost {
        host: "the pane host".into(),
        what: what.into(),
        reason: "Switchyard is ending".into(),
    }
}

/// A program in a pane, followed by the pane's events.
struct PaneTerminal {
    app: Weak<Inner>,
    pane: PaneId,
    events: broadcast::Receiver<AppEvent>,
    attention: Attention,
    /// The state at the start was looked at; from there on the events tell.
    looked: bool,
    /// What is still to be told, last first.
    left: Vec<TerminalEvent>,
}

impl PaneTerminal {
    async fn step(&mut self) -> Option<TerminalEvent> {
        loop {
            if let Some(event) = self.left.pop() {
                return Some(event);
            }
            let changed = if self.looked {
                match self.events.recv().await {
                    Ok(AppEvent::Pane(PaneEvent::Changed { pane })) if pane.id == self.pane => {
                        Some(pane)
                    }
                    Ok(AppEvent::Pane(PaneEvent::Closed { id })) if id == self.pane => return None,
                    Ok(AppEvent::Pane(PaneEvent::Lagged)) | Err(RecvError::Lagged(_)) => None,
                    Err(RecvError::Closed) => return None,
                    Ok(_) => continue,
                }
            } else {
                None
            };
            self.looked = true;
            let app = App(self.app.upgrade()?);
            let pane = match changed {
                Some(pane) => pane,
                None => app.pane_info(self.pane).await.ok()?,
            };
            if let PaneState::Exited { code, signal } = pane.state {
                let lines = app
                    .read_lines(self.pane, ReadLines::Newest { count: 100_000 })
                    .await
                    .unwrap_or_default();
                let text: Vec<_> = lines.into_iter().map(|line| line.text).collect();
                self.left.push(TerminalEvent::Exited { code, signal });
                let text = text.join("\n");
                if !text.trim().is_empty() {
                    return Some(TerminalEvent::Output(text.trim_end().to_owned()));
                }
                continue;
            }
            if pane.attention != self.attention {
                self.attention = pane.attention;
                match pane.attention {
                    Attention::NeedsYou => {
                        return Some(TerminalEvent::NeedsYou(
                            pane.attention_message.unwrap_or_default(),
                        ));
                    }
                    Attention::Working | Attention::Idle => return Some(TerminalEvent::Working),
                    Attention::Done | Attention::Failed => {}
                }
            }
        }
    }
}

impl Terminal for PaneTerminal {
    fn pane(&self) -> u32 {
        self.pane.0
    }

    fn next(
        &mut self,
    ) -> std::pin::Pin<Box<dyn Future<Output = Option<TerminalEvent>> + Send + '_>> {
        Box::pin(self.step())
    }

    fn stop(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let app = App(self
                .app
                .upgrade()
                .ok_or_else(|| ended("stopping a program"))?);
            let running = app
                .pane_info(self.pane)
                .await
                .is_ok_and(|pane| matches!(pane.state, PaneState::Running { .. }));
            if running {
                app.close_pane(self.pane)
                    .await
                    .map_err(|error| AgentError::Refused {
                        what: format!("stopping the program in pane {}", self.pane),
                        code: "pane".into(),
                        message: error.message,
                    })?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AppConfig, HostMode};
    use agents::{BackendKind, Outcome};

    async fn app_with(file: &str) -> (tempfile::TempDir, App) {
        let home = tempfile::tempdir().expect("a directory");
        let paths = Paths::below(home.path());
        paths.create().expect("created");
        std::fs::write(agents_file(&paths), file).expect("written");
        let app = App::start(AppConfig {
            paths,
            host: HostMode::InProcess,
        })
        .await
        .expect("started");
        (home, app)
    }

    const SHELL: &str =
        r#"{ "paseo": [], "command": [{ "name": "sh", "program": ["sh", "-c", "{prompt}"] }] }"#;

    async fn soon<T>(future: impl Future<Output = T>) -> T {
        tokio::time::timeout(std::time::Duration::from_secs(20), future)
            .await
            .expect("it did not happen in time")
    }

    #[tokio::test]
    async fn a_program_in_a_pane_answers_a_prompt() {
        let (home, app) = app_with(SHELL).await;
        let at = BackendId::new(BackendKind::Command, "sh");
        let new = NewAgent {
            cwd: home.path().display().to_string(),
            ..NewAgent::default()
        };
        let agent = soon(app.start_agent(&at, new)).await.expect("started");
        let turn = soon(app.prompt_agent(&at, &agent.id, Prompt::new("echo one; echo two")))
            .await
            .expect("prompted");
        let result = soon(turn.result()).await;
        assert_eq!(result.outcome, Outcome::Completed);
        assert_eq!(result.answer, "one\ntwo");
        let turn = soon(app.prompt_agent(&at, &agent.id, Prompt::new("exit 3")))
            .await
            .expect("prompted");
        assert_eq!(
            soon(turn.result()).await.outcome,
            Outcome::Failed {
                message: "the program ended with exit status 3".into()
            }
        );
        let turn = soon(app.prompt_agent(&at, &agent.id, Prompt::new("sleep 600")))
            .await
            .expect("prompted");
        assert!(soon(app.stop_agent(&at, &agent.id)).await.expect("stopped"));
        assert_eq!(soon(turn.result()).await.outcome, Outcome::Cancelled);
        soon(app.shutdown()).await;
    }

    #[tokio::test]
    async fn sessions_are_found_again_after_a_restart() {
        let (home, app) = app_with(SHELL).await;
        let at = BackendId::new(BackendKind::Command, "sh");
        let new = || NewAgent {
            cwd: home.path().display().to_string(),
            ..NewAgent::default()
        };
        let agents = app.agents().await.expect("agents");
        let first = agents
            .ensure("chat:1", "main", &at, new())
            .await
            .expect("made");
        soon(app.shutdown()).await;
        drop(app);
        let again = App::start(AppConfig {
            paths: Paths::below(home.path()),
            host: HostMode::InProcess,
        })
        .await
        .expect("started");
        let agents = again.agents().await.expect("agents");
        let found = agents
            .ensure("chat:1", "main", &at, new())
            .await
            .expect("found");
        assert_eq!(found.id, first.id);
        assert_eq!(agents.rows().await.expect("rows").len(), 1);
        soon(again.shutdown()).await;
    }

    #[tokio::test]
    async fn a_wrong_file_is_told_with_its_field() {
        for (file, field) in [
            (
                r#"{ "paseo": [{ "address": "h:1?password=x" }] }"#,
                "must not hold a password",
            ),
            (
                r#"{ "paseo": [{ "address": "nowhere" }] }"#,
                "`paseo.address`",
            ),
            (
                r#"{ "acp": [{ "name": "", "program": "x" }] }"#,
                "`acp.name`",
            ),
            (
                r#"{ "command": [{ "name": "x", "program": [] }] }"#,
                "`program` is empty",
            ),
            (r#"{ "paseos": [] }"#, "paseos"),
        ] {
            let (_home, app) = app_with(file).await;
            let error = app.list_backends().await.expect_err("refused");
            assert_eq!(error.code, Code::BadFile);
            assert!(error.message.contains(field), "{error}");
            soon(app.shutdown()).await;
        }
    }
}
