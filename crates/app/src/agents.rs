//! Agents: every backend that the person has, their sessions in the store, their programs in panes.

mod away;
mod file;
mod personas;
mod rows;
mod terminals;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use agents::{
    Acp, AgentError, AgentId, AgentInfo, Agents, AgentsConfig, AgentsEvent, Archived,
    BackendAgents, BackendId, BackendInfo, Conversation, ImportSession, KnownSession, ListAgents,
    NewAgent, PermissionAnswer, Prompt, TimelineEntry, Turn,
};
use clock::Clock;
use conflicts::{LineRange, ProposedChange};
use terminal::PaneEvent;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::mpsc;

use crate::{App, Code, Error, News, Subject};
use away::Away;
use file::{AgentsFile, Configured};
use rows::StoredSessions;
use terminals::PaneTerminals;

pub(crate) use away::{AGENTS, AgentHost, serve};
pub(crate) use personas::persona;
pub use personas::{Persona, Personas, StartedAgent};
pub(crate) use rows::SCHEMA;

/// The largest file in which an announced edit is looked for.
const LOOKED_THROUGH: u64 = 4 << 20;

/// The backends, and what each was made from.
pub(crate) struct Backends {
    agents: Agents,
    from: parking_lot::Mutex<BTreeMap<BackendId, String>>,
    /// A change of the settings waits for a turn to end.
    waits: AtomicBool,
}

impl Backends {
    /// Adds what is new or changed, and removes what is gone; the rest is left as it is.
    async fn apply(&self, configured: Vec<Configured>) {
        let before = self.from.lock().clone();
        let mut kept: BTreeMap<BackendId, String> = BTreeMap::new();
        let mut fresh: BTreeMap<BackendId, Configured> = BTreeMap::new();
        // A later entry of the same name is the person's own, in place of one that was found.
        for one in configured {
            fresh.insert(one.backend.id().clone(), one);
        }
        for (id, from) in before {
            if fresh.get(&id).is_some_and(|one| one.from == from) {
                fresh.remove(&id);
                kept.insert(id, from);
            } else if let Err(error) = self.agents.remove(&id).await {
                tracing::info!(%error, "the settings of an agent apply when its turn has ended");
                self.waits.store(true, Ordering::Relaxed);
                fresh.remove(&id);
                kept.insert(id, from);
            }
        }
        for (id, one) in fresh {
            kept.insert(id, one.from);
            if one.found {
                self.agents.add_found(one.backend);
            } else {
                self.agents.add(one.backend);
            }
        }
        *self.from.lock() = kept;
    }

    pub(crate) async fn shutdown(&self) {
        self.agents.shutdown().await;
    }
}

/// A change of a file that an agent says it is about to make.
struct AnnouncedEdit {
    /// Whose.
    agent: String,
    file: PathBuf,
    /// What is to be replaced.
    old_text: Option<String>,
}

/// Where `text` stands in a file, as lines from 1; nowhere, when it is not there or there more than once.
fn lines_of(file: &Path, text: &str) -> Option<LineRange> {
    if text.is_empty() || std::fs::metadata(file).ok()?.len() > LOOKED_THROUGH {
        return None;
    }
    let whole = std::fs::read_to_string(file).ok()?;
    let (before, after) = whole.split_once(text)?;
    if after.contains(text) {
        return None;
    }
    let start = u32::try_from(before.matches('\n').count()).ok()? + 1;
    let lines = u32::try_from(text.trim_end_matches('\n').matches('\n').count()).ok()? + 1;
    Some(LineRange {
        start,
        end: start + lines,
    })
}

impl App {
    /// The agents' backends. Made at the first call: whoever never asks for agents starts nothing for them.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when `agents.json` can't be used.
    pub async fn agents(&self) -> Result<&Agents, Error> {
        let begun = self.0.agents.get_or_try_init(|| async {
            let configured = self.configured_agents()?;
            let sessions = Arc::new(StoredSessions(self.0.store.clone()));
            let agents = Agents::new(AgentsConfig::default(), sessions, Clock::system());
            let backends = Backends {
                agents,
                from: parking_lot::Mutex::default(),
                waits: AtomicBool::new(false),
            };
            backends.apply(configured).await;
            // Those of earlier days are in everybody's list.
            backends.agents.recall().await?;
            self.follow_agents(backends.agents.events());
            Ok::<_, Error>(backends)
        });
        Ok(&begun.await?.agents)
    }

    /// The agents for somebody who stays: their lists are kept, with the sessions of earlier runs in them.
    async fn kept_agents(&self) -> Result<&Agents, Error> {
        if let Some(host) = &self.0.agent_host {
            host.stay();
        }
        let agents = self.agents().await?;
        agents.keep_lists();
        Ok(agents)
    }

    fn configured_agents(&self) -> Result<Vec<Configured>, Error> {
        let file = AgentsFile::load(&self.0.paths)?;
        let panes = Arc::new(PaneTerminals {
            app: Arc::downgrade(&self.0),
        });
        let clock = Clock::system();
        file.backends(
            &self.0.paths.agents_file(),
            &panes,
            &clock,
            |config| match &self.0.agent_host {
                Some(host) => Arc::new(Away::new(host, config)),
                None => Arc::new(Acp::new(config)),
            },
        )
    }

    /// Applies what a person saved in `agents.json`. A backend at which a turn runs is changed when it has ended.
    pub(crate) async fn reload_agents(&self) {
        match (self.configured_agents(), self.0.agents.get()) {
            (Ok(_), None) if self.0.tells_of_agents.load(Ordering::Relaxed) => {
                self.begin_agents().await;
            }
            (Ok(_), None) => {}
            (Ok(configured), Some(backends)) => {
                backends.apply(configured).await;
                if let Err(error) = backends.agents.recall().await {
                    tracing::warn!(%error, "earlier sessions are not listed");
                }
            }
            (Err(error), _) => self.emit(News::SettingsRefused(error)),
        }
    }

    /// Tells of agents from now on, with [`News::Agents`]: their lists are kept. When `agents.json` can't be used,
    /// from when it can.
    pub async fn tell_of_agents(&self) {
        self.0.tells_of_agents.store(true, Ordering::Relaxed);
        self.begin_agents().await;
    }

    async fn begin_agents(&self) {
        match self.kept_agents().await {
            Ok(_) => self.emit(News::Missed(Subject::Agents)),
            // The page says what is wrong with the file.
            Err(error) => tracing::warn!("agents: {error}"),
        }
    }

    /// What is to be known of agents: to everybody, and to the index of conflicts the changes of files that they announce.
    fn follow_agents(&self, mut events: broadcast::Receiver<AgentsEvent>) {
        let (announced, mut edits) = mpsc::unbounded_channel();
        let app = Arc::downgrade(&self.0);
        // Beside the other one: looking at a file takes longer than hearing of the next.
        self.spawn(async move {
            while let Some(edit) = edits.recv().await {
                let Some(inner) = app.upgrade() else { return };
                Self(inner).announce_edit(edit).await;
            }
        });
        let app = Arc::downgrade(&self.0);
        self.spawn(async move {
            loop {
                let event = events.recv().await;
                let Some(inner) = app.upgrade() else { return };
                let app = Self(inner);
                match event {
                    Ok(AgentsEvent::Edit {
                        agent,
                        title,
                        cwd,
                        path,
                        old_text,
                        ..
                    }) => {
                        let edit = AnnouncedEdit {
                            agent: title.unwrap_or(agent.0),
                            file: Path::new(&cwd).join(path),
                            old_text,
                        };
                        if announced.send(edit).is_err() {
                            return;
                        }
                    }
                    Ok(AgentsEvent::Conversation { .. }) => {}
                    Ok(event) => {
                        let free =
                            matches!(&event, AgentsEvent::Backend { backend } if !backend.busy);
                        app.emit(News::Agents(Box::new(event)));
                        let waits = |backends: &Backends| backends.waits.swap(false, Ordering::Relaxed);
                        if free && app.0.agents.get().is_some_and(waits) {
                            app.reload_agents().await;
                        }
                    }
                    Err(RecvError::Lagged(missed)) => {
                        app.emit(News::Missed(Subject::Agents));
                        app.emit(News::Pane(PaneEvent::Warned {
                            id: None,
                            message: format!(
                                "agents told so much at once that {missed} of their messages were not heard: changes that they \
                                 announced in them are warned of once they are saved"
                            ),
                        }));
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }

    /// Tells the index of conflicts that an agent is about to change a file, where its worktree is watched.
    async fn announce_edit(&self, edit: AnnouncedEdit) {
        let AnnouncedEdit {
            agent,
            file,
            old_text,
        } = edit;
        let read = file.clone();
        let found = tokio::task::spawn_blocking(move || {
            let worktree = read.ancestors().find(|at| at.join(".git").exists())?;
            let lines = old_text.and_then(|old| lines_of(&read, &old));
            Some((worktree.to_owned(), lines))
        });
        let Ok(Some((worktree, lines))) = found.await else {
            return;
        };
        let change = ProposedChange {
            file: file.display().to_string(),
            lines: lines.into_iter().collect(),
            worktree: worktree.display().to_string(),
            new_text: None,
        };
        // A repository that nobody watches has nobody to tell.
        if let Err(error) = self.announce_change(change, Some(agent)).await {
            tracing::debug!(%error, "an announced edit was not taken note of");
        }
    }

    /// Tells what happens to agents and backends from now on.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when `agents.json` can't be used.
    pub async fn agent_events(&self) -> Result<broadcast::Receiver<AgentsEvent>, Error> {
        Ok(self.kept_agents().await?.events())
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

    /// The agents of every backend as far as they are known. Never waits for one.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when `agents.json` can't be used.
    pub async fn known_agents(&self) -> Result<Vec<BackendAgents>, Error> {
        Ok(self.kept_agents().await?.known())
    }

    /// Follows one agent's conversation: what was said, then what is being said.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when `agents.json` can't be used.
    pub async fn follow_agent(
        &self,
        backend: &BackendId,
        agent: &AgentId,
    ) -> Result<Conversation, Error> {
        Ok(self.agents().await?.follow(backend, agent))
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

    /// Makes a new agent, which is found again after a restart.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] for a wrong field, [`Code::NotStarted`] when its program can't be started.
    pub async fn start_agent(
        &self,
        backend: &BackendId,
        agent: NewAgent,
    ) -> Result<AgentInfo, Error> {
        let agents = self.agents().await?;
        let mut agent = agent;
        for (name, value) in origin(&agent.cwd).await {
            agent.labels.entry(name.to_owned()).or_insert(value);
        }
        let agent = agents.start(backend, agent).await?;
        agents.keep(&agent).await?;
        Ok(agent)
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
        let agents = self.agents().await?;
        let agent = agents.import(backend, session).await?;
        agents.keep(&agent).await?;
        Ok(agent)
    }

    /// Makes another agent that knows what this one knows, and goes its own way from here on.
    ///
    /// # Errors
    ///
    /// [`Code::Refused`] where its backend does not offer that, or while a turn runs.
    pub async fn fork_agent(
        &self,
        backend: &BackendId,
        agent: &AgentId,
    ) -> Result<AgentInfo, Error> {
        let agents = self.agents().await?;
        let fork = agents.fork(backend, agent).await?;
        agents.keep(&fork).await?;
        Ok(fork)
    }

    /// The conversations that a provider remembers of a directory, to be taken over.
    ///
    /// # Errors
    ///
    /// [`Code::Refused`] with the backend's words, also where it can't list them.
    pub async fn agent_sessions(
        &self,
        backend: &BackendId,
        cwd: &str,
    ) -> Result<Vec<KnownSession>, Error> {
        Ok(self.agents().await?.sessions(backend, cwd).await?)
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
        self.remember_before_prompt(backend, agent).await;
        Ok(self.agents().await?.prompt(backend, agent, prompt).await?)
    }

    /// Chooses one of what an agent offers: its model, its mode, and what else it has.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] with what is offered, [`Code::Refused`] where nothing can be chosen.
    pub async fn choose_for_agent(
        &self,
        backend: &BackendId,
        agent: &AgentId,
        setting: &str,
        value: &str,
    ) -> Result<AgentInfo, Error> {
        let agents = self.agents().await?;
        Ok(agents.choose(backend, agent, setting, value).await?)
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

/// What tells others, at a daemon that they share, where an agent was begun: by whom, and for which worktree of what.
async fn origin(cwd: &str) -> Vec<(&'static str, String)> {
    let mut labels = vec![("origin", "switchyard".to_owned())];
    let listed = ["worktree", "list", "--porcelain", "-z"];
    // Outside of a repository there is no more to tell.
    if let Ok(listed) = crate::worktrees::git(Path::new(cwd), &listed).await {
        let project = crate::worktrees::main_of(&listed).and_then(Path::file_name);
        labels.extend(project.map(|name| ("project", name.to_string_lossy().into_owned())));
        let top = crate::worktrees::git(Path::new(cwd), &["rev-parse", "--show-toplevel"]).await;
        labels.extend(top.ok().map(|top| ("worktree", top.trim_end().to_owned())));
    }
    labels
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Paths;
    use crate::testing::opened;
    use agents::{BackendKind, Outcome};

    async fn app_with(file: &str) -> (tempfile::TempDir, App) {
        let home = tempfile::tempdir().expect("a directory");
        let paths = Paths::below(home.path());
        paths.create().expect("created");
        std::fs::write(paths.agents_file(), file).expect("written");
        let app = opened(home.path()).await;
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
    async fn what_a_program_prints_is_heard_as_it_comes() {
        let (home, app) = app_with(SHELL).await;
        let at = BackendId::new(BackendKind::Command, "sh");
        let new = NewAgent {
            cwd: home.path().display().to_string(),
            ..NewAgent::default()
        };
        let agent = soon(app.start_agent(&at, new)).await.expect("started");
        let go = home.path().join("go");
        let prompt = format!(
            "mkfifo {0}; printf 'one\\n\\ntwo\\nhalf'; read x < {0}; echo ' whole'",
            go.display()
        );
        let mut turn = soon(app.prompt_agent(&at, &agent.id, Prompt::new(prompt)))
            .await
            .expect("prompted");
        let mut said = String::new();
        soon(async {
            while said != "one\n\ntwo" {
                if let Some(agents::AgentEvent::Text { text }) = turn.next().await {
                    said.push_str(&text);
                }
            }
        })
        .await;
        // The program still waits, and half a line is not told.
        soon(tokio::task::spawn_blocking(move || std::fs::write(go, "x")))
            .await
            .expect("not cancelled")
            .expect("written");
        let result = soon(turn.result()).await;
        assert_eq!(result.text, "one\n\ntwo\nhalf whole");
        soon(app.shutdown()).await;
    }

    #[tokio::test]
    async fn saving_the_file_adds_changes_and_removes_backends() {
        let (_home, app) = app_with(SHELL).await;
        let ids = async |app: &App| -> Vec<String> {
            let listed = app.list_backends().await.expect("listed");
            let mut ids: Vec<_> = listed
                .into_iter()
                .filter(|backend| backend.kind == BackendKind::Command)
                .map(|backend| backend.id.0)
                .collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&app).await, ["command:sh"]);
        let mut events = app.agent_events().await.expect("events");
        std::fs::write(
            app.paths().agents_file(),
            r#"{ "paseo": [], "command": [{ "name": "true", "program": ["true"] }] }"#,
        )
        .expect("written");
        soon(async {
            loop {
                if let Ok(AgentsEvent::Gone { backend }) = events.recv().await {
                    assert_eq!(backend.0, "command:sh");
                    break;
                }
            }
        })
        .await;
        soon(async {
            while ids(&app).await != ["command:true"] {
                tokio::task::yield_now().await;
            }
        })
        .await;
        // A mistake changes nothing.
        let mut told = app.news();
        std::fs::write(app.paths().agents_file(), "{ \"paseos\": [] }").expect("written");
        let refused = soon(async {
            loop {
                if let Some(News::SettingsRefused(error)) = told.next().await {
                    return error;
                }
            }
        })
        .await;
        assert!(refused.message.contains("paseos"), "{refused}");
        assert_eq!(ids(&app).await, ["command:true"]);
        soon(app.shutdown()).await;
    }

    #[tokio::test]
    async fn what_agents_said_too_fast_to_be_heard_is_owned_up_to() {
        let (_home, app) = app_with(SHELL).await;
        let mut news = app.news();
        let (agents, events) = broadcast::channel(1);
        for name in ["a", "b", "c"] {
            let backend = BackendId::new(BackendKind::Command, name);
            agents.send(AgentsEvent::Gone { backend }).expect("heard");
        }
        app.follow_agents(events);
        let told = soon(async { (news.next().await, news.next().await, news.next().await) });
        let (missed, warned, heard) = told.await;
        assert!(
            matches!(missed, Some(News::Missed(Subject::Agents))),
            "{missed:?}"
        );
        let Some(News::Pane(PaneEvent::Warned { id: None, message })) = warned else {
            panic!("{warned:?}");
        };
        assert!(message.contains("2 of their messages"), "{message}");
        assert!(
            matches!(&heard, Some(News::Agents(event)) if matches!(&**event, AgentsEvent::Gone { backend } if backend.0 == "command:c")),
            "{heard:?}"
        );
        soon(app.shutdown()).await;
    }

    #[tokio::test]
    async fn a_session_that_was_begun_by_hand_is_listed_after_a_restart() {
        let (home, app) = app_with(SHELL).await;
        let at = BackendId::new(BackendKind::Command, "sh");
        let new = NewAgent {
            cwd: home.path().display().to_string(),
            title: Some("mine".into()),
            ..NewAgent::default()
        };
        let agent = soon(app.start_agent(&at, new)).await.expect("started");
        soon(app.shutdown()).await;
        drop(app);
        let again = opened(home.path()).await;
        soon(again.known_agents()).await.expect("known");
        let found = soon(again.find_agent(Some(&at), "mine"))
            .await
            .expect("found");
        assert_eq!(found.id, agent.id);
        soon(again.archive_agent(&at, &agent.id, false))
            .await
            .expect("archived");
        soon(again.shutdown()).await;
        drop(again);
        let third = opened(home.path()).await;
        soon(third.known_agents()).await.expect("known");
        soon(third.find_agent(Some(&at), "mine"))
            .await
            .expect_err("put away");
        soon(third.shutdown()).await;
    }

    #[tokio::test]
    async fn an_agent_is_labelled_with_where_it_was_begun() {
        let (home, app) = app_with(SHELL).await;
        let at = BackendId::new(BackendKind::Command, "sh");
        let tree = home.path().canonicalize().expect("there").join("project");
        let inner = tree.join("src");
        std::fs::create_dir_all(&inner).expect("made");
        crate::worktrees::git(&tree, &["init", "-q"])
            .await
            .expect("git");
        let new = |cwd: &Path| NewAgent {
            cwd: cwd.display().to_string(),
            labels: BTreeMap::from([("origin".to_owned(), "mine".to_owned())]),
            ..NewAgent::default()
        };
        let agent = soon(app.start_agent(&at, new(&inner)))
            .await
            .expect("started");
        let labels: Vec<_> = agent
            .labels
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            labels,
            [
                "origin=mine".to_owned(),
                "project=project".to_owned(),
                format!("worktree={}", tree.display())
            ],
            "what the caller says stands"
        );
        let agent = soon(app.start_agent(
            &at,
            NewAgent {
                labels: BTreeMap::new(),
                ..new(Path::new("/"))
            },
        ))
        .await
        .expect("started");
        assert_eq!(
            agent.labels.into_iter().collect::<Vec<_>>(),
            [("origin".to_owned(), "switchyard".to_owned())]
        );
        soon(app.shutdown()).await;
    }

    #[test]
    fn an_announced_edit_is_found_in_its_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("a");
        std::fs::write(&file, "one\ntwo\nthree\ntwo and a half\n").expect("written");
        let lines = |text: &str| lines_of(&file, text).map(|lines| (lines.start, lines.end));
        assert_eq!(lines("three\n"), Some((3, 4)));
        assert_eq!(lines("two\nthree"), Some((2, 4)));
        assert_eq!(lines("two"), None, "it is there twice");
        assert_eq!(lines("four"), None);
        assert_eq!(lines(""), None);
        assert_eq!(lines_of(&dir.path().join("none"), "x"), None);
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
        let again = opened(home.path()).await;
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
