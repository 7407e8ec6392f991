//! Steps that an agent of a backend works on: a session for each attempt, found again after a restart.
//!
//! What the agent says goes to the step's file `out` as it is said; how the turn ended is written to
//! `answer` before anybody hears of it, so that an answer is not lost when this process ends meanwhile.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::Duration;

use ::flow::{ActionError, Activity, Ended, Finished, Found, Job, StepAgent, Work};
use agents::{
    AgentError, AgentEvent, AgentId, AgentInfo, AgentStatus, Agents, AgentsEvent, BackendId,
    BackendKind, ListAgents, NewAgent, Outcome, PermissionRequest, Prompt, TimelineEntry, Turn,
};
use secrets::{CoveredStream, Secrets};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::kept::{failed, private_dir, private_file};
use super::pane::pane_name;
use crate::{App, Inner};

/// How often an agent whose turn was begun by an earlier process is looked at, besides its events.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How often a backend that does not answer is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// How long an agent that was told to stop may take before its session is put away.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// What a session is asked that was cut off in the middle of its work.
const GO_ON: &str = "You were cut off while you worked on this. See what is done already, go on \
                     from there, and give the whole answer:\n\n";

/// The sessions of a run in the store belong to this.
fn owner(job: &Job) -> String {
    format!("run:{}", job.key.run)
}

/// The name of a session within its run: an attempt begins with an empty head.
fn session_name(job: &Job) -> String {
    format!("{} #{}", job.key.step, job.key.attempt)
}

/// Whether an agent of a backend works on it, and not a program in a pane.
pub(super) fn is_agent(work: &Work) -> bool {
    matches!(work, Work::Agent { backend, .. } if backend != "command")
}

/// The agent that a handle stands for, if it is one.
pub(super) fn agent_of(handle: &str) -> Option<StepAgent> {
    serde_json::from_str(handle).ok()
}

/// How a turn ended, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    output: String,
    error: Option<String>,
}

impl From<Kept> for Finished {
    fn from(kept: Kept) -> Self {
        Self {
            output: kept.output,
            error: kept.error,
            ..Self::default()
        }
    }
}

/// What is to be done with a session.
enum Next {
    /// Ask it this, and follow the answer.
    Prompt(String),
    /// Follow this turn.
    Turn(Turn),
    /// Follow the turn that an earlier process began.
    Attach,
    /// It ended while nobody looked.
    Over(Kept),
    /// Its backend does not answer yet.
    Reach(String),
}

/// A session that works on an attempt.
struct Session {
    app: Weak<Inner>,
    backend: BackendId,
    agent: AgentId,
    prompt: String,
    turn: u32,
    worktree: String,
    directory: PathBuf,
    secrets: Secrets,
    asks: watch::Sender<Option<String>>,
    output: watch::Sender<u64>,
}

/// Makes a session and asks it the prompt.
pub(super) async fn begin(
    app: &App,
    directory: PathBuf,
    job: &Job,
    cwd: String,
    worktree: Option<String>,
) -> Result<Activity, ActionError> {
    let Work::Agent {
        provider,
        model,
        mode,
        prompt,
        ..
    } = &job.work
    else {
        return Err(ActionError::new("only an agent can be asked a prompt"));
    };
    private_dir(&directory).map_err(|error| failed("create", &directory, &error))?;
    let agents = app.agents().await.map_err(action)?;
    let backend = backend_of(agents, &job.work)?;
    let new = NewAgent {
        provider: provider.clone().unwrap_or_default(),
        cwd: cwd.clone(),
        title: Some(pane_name(&job.key)),
        model: model.clone(),
        mode: mode.clone(),
        labels: labels(job),
    };
    let info = match job.key.turn {
        1 => {
            let (owner, name) = (owner(job), session_name(job));
            let ensured = agents.ensure(&owner, &name, &backend, new).await;
            ensured.map_err(action)?
        }
        // Only the session that gave the answer knows what it was about.
        _ => answering(agents, job).await?,
    };
    let next = Next::Prompt(prompt.clone());
    Ok(activity(app, directory, &info, job, cwd, worktree, next))
}

/// The session that has answered an attempt already.
async fn answering(agents: &Agents, job: &Job) -> Result<AgentInfo, ActionError> {
    let row = agents.row(&owner(job), &session_name(job)).await;
    let row = row.map_err(action)?.ok_or_else(|| {
        ActionError::new(
            "its answer can't be used, and its session is gone, so it can't be asked again",
        )
    })?;
    let backend = agents.backend(&row.backend).map_err(action)?;
    let resumed = backend.resume(&row.session, &row.worktree).await;
    resumed.map_err(action)
}

/// Finds the session of an attempt that an earlier process began.
pub(super) async fn find(
    app: &App,
    directory: PathBuf,
    job: &Job,
    cwd: String,
    worktree: Option<String>,
) -> Found {
    if let Some(kept) = kept(&directory) {
        return Found::Ended(kept.into());
    }
    let Work::Agent { prompt, .. } = &job.work else {
        return Found::Gone;
    };
    let Ok(agents) = app.agents().await else {
        return Found::Gone;
    };
    let row = match agents.row(&owner(job), &session_name(job)).await {
        Ok(Some(row)) => row,
        // It may have been made in the moment before it could be written down.
        Ok(None) => return orphan(app, agents, directory, job, cwd, worktree).await,
        Err(_) => return Found::Gone,
    };
    let Ok(backend) = agents.backend(&row.backend) else {
        return Found::Gone;
    };
    let (info, next) = match backend.resume(&row.session, &row.worktree).await {
        Ok(info) => match go_on(agents, &info, prompt, job.key.turn).await {
            Ok(next) => (info, next),
            Err(error) => return gone(job, &error),
        },
        Err(error) if is_passing(&error) => (
            AgentInfo::asleep(row.backend.clone(), row.session.clone()),
            Next::Reach(error.to_string()),
        ),
        Err(error) => return gone(job, &error),
    };
    Found::Alive(activity(app, directory, &info, job, cwd, worktree, next))
}

fn gone(job: &Job, error: &AgentError) -> Found {
    tracing::info!(%error, step = job.key.step, "the session of a step is gone");
    Found::Gone
}

/// How to go on with a session that was found again.
///
/// # Errors
///
/// When the session can't be gone on with.
async fn go_on(
    agents: &Agents,
    info: &AgentInfo,
    prompt: &str,
    turn: u32,
) -> Result<Next, AgentError> {
    match info.status {
        AgentStatus::Archived => {
            return Ok(Next::Over(wrong(
                "its session was put away before it had answered".to_owned(),
            )));
        }
        AgentStatus::Unknown { .. } => return Ok(Next::Attach),
        _ if info.status.is_busy() => return Ok(Next::Attach),
        _ => {}
    }
    // One that can't be read back, or is not loaded yet, may have been asked.
    let timeline = agents.timeline(&info.backend, &info.id).await;
    let timeline = timeline.unwrap_or_default();
    let said = since(&timeline, prompt, turn);
    // One that is idle may have ended its turn and been looked at, or have been cut off: that can't be told apart, and
    // half an answer must not pass for a whole one.
    let ended = matches!(info.status, AgentStatus::Done | AgentStatus::Failed);
    if let (true, Some(said)) = (ended, &said) {
        return Ok(Next::Over(answered(info, said.clone())));
    }
    let never_asked = said.is_none() && info.status == AgentStatus::Idle;
    let text = if never_asked {
        prompt.to_owned()
    } else {
        format!("{GO_ON}{prompt}")
    };
    match agents
        .prompt(&info.backend, &info.id, Prompt::new(text))
        .await
    {
        Ok(turn) => Ok(Next::Turn(turn)),
        Err(error) if is_passing(&error) => Ok(Next::Reach(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Looks for a session by what it was labelled with.
async fn orphan(
    app: &App,
    agents: &Agents,
    directory: PathBuf,
    job: &Job,
    cwd: String,
    worktree: Option<String>,
) -> Found {
    let (Ok(backend), Work::Agent { prompt, .. }) = (backend_of(agents, &job.work), &job.work)
    else {
        return Found::Gone;
    };
    let Ok(at) = agents.backend(&backend) else {
        return Found::Gone;
    };
    let which = ListAgents {
        archived: false,
        labels: labels(job),
    };
    match at.list(which).await {
        Ok(found) => match found.into_iter().next() {
            Some(info) => match go_on(agents, &info, prompt, job.key.turn).await {
                Ok(next) => Found::Alive(activity(app, directory, &info, job, cwd, worktree, next)),
                Err(error) => gone(job, &error),
            },
            None => Found::Gone,
        },
        Err(_) => Found::Gone,
    }
}

/// Stops the turn of an agent and returns once it is over; one that does not stop is put away.
pub(super) async fn stop(app: &App, agent: &StepAgent) {
    let (backend, id) = (BackendId(agent.backend.clone()), AgentId(agent.id.clone()));
    let Ok(agents) = app.agents().await else {
        return;
    };
    let mut events = agents.events();
    if let Err(error) = app.stop_agent(&backend, &id).await {
        tracing::warn!(%error, agent = agent.id, "the agent of a step could not be told to stop");
    }
    let over = async {
        loop {
            match agents.inspect(&backend, &id.0).await {
                Ok(info) if info.status.is_busy() => {}
                Ok(_) | Err(AgentError::UnknownAgent { .. }) => return,
                Err(error) => tracing::debug!(%error, "an agent can't be looked at now"),
            }
            let changed = async {
                loop {
                    match events.recv().await {
                        Ok(AgentsEvent::Changed { agent }) if agent.id == id => return,
                        Ok(AgentsEvent::Removed { agent, .. }) if agent == id => return,
                        Ok(_) => {}
                        Err(_) => return,
                    }
                }
            };
            // A backend that tells of nothing is looked at now and then.
            let _ = tokio::time::timeout(LOOK_AGAIN, changed).await;
        }
    };
    if tokio::time::timeout(STOP_WITHIN, over).await.is_err()
        && let Err(error) = agents.archive(&backend, &id, true).await
    {
        tracing::warn!(%error, agent = agent.id, "the agent of a step does not stop");
    }
}

fn action(error: impl Into<crate::Error>) -> ActionError {
    ActionError::new(error.into().message)
}

fn labels(job: &Job) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("origin".to_owned(), "switchyard".to_owned()),
        ("run".to_owned(), job.key.run.clone()),
        ("step".to_owned(), job.key.step.clone()),
        ("attempt".to_owned(), job.key.attempt.to_string()),
    ])
}

/// The backend that a step means: the one it names, or the only one of its kind.
fn backend_of(agents: &Agents, work: &Work) -> Result<BackendId, ActionError> {
    let Work::Agent { backend, name, .. } = work else {
        return Err(ActionError::new("only an agent has a backend"));
    };
    let kind = match backend.as_str() {
        "paseo" => BackendKind::Paseo,
        "acp" => BackendKind::Acp,
        "opencode" => BackendKind::OpenCode,
        other => return Err(ActionError::new(format!("there is no backend `{other}`"))),
    };
    let known: Vec<BackendId> = agents
        .backends()
        .into_iter()
        .filter(|info| info.kind == kind)
        .map(|info| info.id)
        .collect();
    let names = || {
        let names: Vec<_> = known.iter().map(|id| format!("`{}`", id.name())).collect();
        names.join(", ")
    };
    match (name, known.as_slice()) {
        (_, []) => Err(ActionError::new(format!(
            "there is no agent of the backend `{backend}` here; `switchyard agents health` shows what there is"
        ))),
        (Some(name), known) => known
            .iter()
            .find(|id| id.name() == name)
            .cloned()
            .ok_or_else(|| {
                ActionError::new(format!(
                    "the backend `{backend}` has no `{name}`; there are {}",
                    names()
                ))
            }),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(ActionError::new(format!(
            "the backend `{backend}` has several agents: say with `name` which of {}",
            names()
        ))),
    }
}

/// Whether it may work later, so that nothing can be concluded from it.
fn is_passing(error: &AgentError) -> bool {
    !matches!(
        error,
        AgentError::UnknownAgent { .. }
            | AgentError::UnknownBackend { .. }
            | AgentError::Unsupported { .. }
            | AgentError::BadRequest { .. }
            | AgentError::ProgramMissing { .. }
            | AgentError::Refused { .. }
    )
}

fn activity(
    app: &App,
    directory: PathBuf,
    info: &AgentInfo,
    job: &Job,
    cwd: String,
    worktree: Option<String>,
    next: Next,
) -> Activity {
    let (asks, asked) = watch::channel(None);
    let (output, printed) = watch::channel(0);
    let agent = StepAgent {
        backend: info.backend.0.clone(),
        id: info.id.0.clone(),
    };
    let session = Session {
        app: std::sync::Arc::downgrade(&app.0),
        backend: info.backend.clone(),
        agent: info.id.clone(),
        prompt: match &job.work {
            Work::Agent { prompt, .. } => prompt.clone(),
            Work::Script { .. } => String::new(),
        },
        turn: job.key.turn,
        worktree: cwd,
        directory,
        secrets: job.secrets.clone(),
        asks,
        output,
    };
    let handle = serde_json::to_string(&agent).unwrap_or_default();
    Activity {
        worktree,
        agent: Some(agent),
        asks: Some(asked),
        output: Some(printed),
        ..Activity::new(handle, session.work(next))
    }
}

impl Session {
    /// Waits for the answer, and keeps it before anybody hears of it.
    async fn work(self, next: Next) -> Ended {
        let mut kept = match next {
            Next::Reach(reason) => {
                self.tell(&reason);
                self.reach().await
            }
            next => self.follow(next).await,
        };
        kept.output = self.secrets.cover(kept.output);
        kept.error = kept.error.map(|error| self.secrets.cover(error));
        if let Err(error) = keep(&self.directory, &kept) {
            tracing::warn!(%error, "the answer of an agent could not be kept beside the journal");
        }
        Ended::Finished(kept.into())
    }

    /// Our process ends: the next one finds the session again.
    async fn app(&self) -> App {
        match self.app.upgrade() {
            Some(inner) => App(inner),
            None => std::future::pending().await,
        }
    }

    /// Shows that a person is needed.
    fn tell(&self, message: &str) {
        self.asks.send_replace(Some(message.to_owned()));
    }

    fn told(&self) {
        self.asks.send_if_modified(|asks| asks.take().is_some());
    }

    async fn follow(&self, next: Next) -> Kept {
        match next {
            Next::Prompt(text) => {
                let app = self.app().await;
                let asked = app
                    .prompt_agent(&self.backend, &self.agent, Prompt::new(text))
                    .await;
                drop(app);
                match asked {
                    Ok(turn) => self.hear(turn).await,
                    Err(error) => wrong(error.message),
                }
            }
            Next::Turn(turn) => self.hear(turn).await,
            Next::Attach => self.attach().await,
            Next::Over(kept) => kept,
            Next::Reach(reason) => wrong(reason),
        }
    }

    /// Follows a turn to its end.
    async fn hear(&self, mut turn: Turn) -> Kept {
        let mut out = self.out();
        let mut open: BTreeMap<String, String> = BTreeMap::new();
        while let Some(event) = turn.next().await {
            self.output.send_modify(|seen| *seen += 1);
            match event {
                AgentEvent::Text { text } => out.write(&text),
                AgentEvent::Permission { request } => {
                    open.insert(request.id.clone(), asks_for(&request));
                }
                AgentEvent::PermissionResolved { id, .. } => {
                    open.remove(&id);
                }
                _ => continue,
            }
            match open.values().next() {
                Some(message) => self.tell(message),
                None => self.told(),
            }
        }
        self.told();
        let result = turn.so_far();
        came_to(result.outcome, result.answer)
    }

    /// Tries to reach a backend until it answers: what has become of the agent is not known before.
    async fn reach(&self) -> Kept {
        loop {
            tokio::time::sleep(TRY_AGAIN).await;
            let app = self.app().await;
            let Ok(agents) = app.agents().await else {
                continue;
            };
            let Ok(backend) = agents.backend(&self.backend) else {
                continue;
            };
            let found = match backend.resume(&self.agent, &self.worktree).await {
                Ok(info) => go_on(agents, &info, &self.prompt, self.turn).await,
                Err(error) => Err(error),
            };
            match found {
                Ok(Next::Reach(reason)) => self.tell(&reason),
                Ok(next) => {
                    self.told();
                    drop(app);
                    return self.follow(next).await;
                }
                Err(error) if is_passing(&error) => self.tell(&error.to_string()),
                Err(error) => return wrong(format!("its session is gone: {error}")),
            }
        }
    }

    /// Follows a turn that an earlier process began.
    async fn attach(&self) -> Kept {
        let mut events = {
            let app = self.app().await;
            match app.agent_events().await {
                Ok(events) => events,
                Err(error) => return wrong(error.message),
            }
        };
        let mut out = self.out();
        // How the turn ended, once that was heard.
        let mut heard = None;
        loop {
            let app = self.app().await;
            let Ok(agents) = app.agents().await else {
                return wrong("the agents' backends can't be used".to_owned());
            };
            match agents.inspect(&self.backend, &self.agent.0).await {
                Ok(info) if info.status.is_busy() => match info.permissions.first() {
                    Some(request) => self.tell(&asks_for(request)),
                    None => self.told(),
                },
                // An agent that lies there as if nothing had been is no sign that its turn came to its end.
                Ok(info)
                    if heard.is_none()
                        && matches!(info.status, AgentStatus::Asleep | AgentStatus::Idle) =>
                {
                    match go_on(agents, &info, &self.prompt, self.turn).await {
                        Ok(Next::Turn(turn)) => {
                            self.told();
                            drop(app);
                            return self.hear(turn).await;
                        }
                        Ok(Next::Over(kept)) => return kept,
                        Ok(Next::Reach(reason)) => self.tell(&reason),
                        Ok(_) => {}
                        Err(error) => return wrong(format!("its session is gone: {error}")),
                    }
                }
                Ok(info) => {
                    self.told();
                    let said = agents.timeline(&self.backend, &self.agent).await;
                    let said = said
                        .ok()
                        .and_then(|timeline| since(&timeline, &self.prompt, self.turn))
                        .unwrap_or_default();
                    return match heard {
                        Some(outcome) => came_to(outcome, said),
                        None => answered(&info, said),
                    };
                }
                Err(error) if is_passing(&error) => self.tell(&error.to_string()),
                Err(error) => return wrong(format!("its session is gone: {error}")),
            }
            drop(app);
            let news = async {
                while let Ok(event) = events.recv().await {
                    match event {
                        AgentsEvent::Conversation {
                            agent, happened, ..
                        } if agent == self.agent => {
                            self.output.send_modify(|seen| *seen += 1);
                            match happened {
                                AgentEvent::Text { text } => out.write(&text),
                                AgentEvent::Permission { .. }
                                | AgentEvent::PermissionResolved { .. } => return,
                                AgentEvent::Ended { outcome } => {
                                    heard = Some(outcome);
                                    return;
                                }
                                _ => {}
                            }
                        }
                        AgentsEvent::Changed { agent } if agent.id == self.agent => return,
                        _ => {}
                    }
                }
            };
            let _ = tokio::time::timeout(LOOK_AGAIN, news).await;
        }
    }

    /// What the agent says, as it says it, for people who watch.
    fn out(&self) -> Said {
        use std::os::unix::fs::OpenOptionsExt as _;
        Said {
            file: std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(self.directory.join("out"))
                .ok(),
            cover: CoveredStream::new(self.secrets.clone()),
        }
    }
}

/// Where what an agent says is kept as it is said, without secrets.
struct Said {
    file: Option<std::fs::File>,
    cover: CoveredStream,
}

impl Said {
    fn write(&mut self, text: &str) {
        let shown = self.cover.push(text.as_bytes());
        self.put(&shown);
    }

    fn put(&mut self, bytes: &[u8]) {
        if let Some(file) = &mut self.file
            && file.write_all(bytes).is_err()
        {
            // The answer itself is kept elsewhere.
            self.file = None;
        }
    }
}

impl Drop for Said {
    fn drop(&mut self) {
        let rest = self.cover.finish();
        self.put(&rest);
    }
}

/// What a turn came to whose end was heard.
fn came_to(outcome: Outcome, output: String) -> Kept {
    let error = match outcome {
        Outcome::Completed => None,
        Outcome::Failed { message } => Some(message),
        Outcome::Cancelled => Some("the agent was stopped".to_owned()),
        Outcome::TimedOut => Some("the agent took too long and was stopped".to_owned()),
        Outcome::NeedsPermission => Some("the agent waits for a permission".to_owned()),
    };
    Kept { output, error }
}

/// What a turn came to that ended while nobody looked.
fn answered(info: &AgentInfo, output: String) -> Kept {
    let error = match info.status {
        AgentStatus::Failed => Some(
            info.last_error
                .clone()
                .unwrap_or_else(|| "the agent failed".to_owned()),
        ),
        _ if output.is_empty() => Some("the agent was stopped before it answered".to_owned()),
        _ => None,
    };
    Kept { output, error }
}

fn wrong(message: String) -> Kept {
    Kept {
        output: String::new(),
        error: Some(message),
    }
}

fn asks_for(request: &PermissionRequest) -> String {
    let what = request.title.as_ref().unwrap_or(&request.tool);
    format!("may it do this: {what}")
}

/// What the agent answered after it was asked `prompt`: what follows the last use of a tool.
/// None: it never was asked.
fn since(timeline: &[TimelineEntry], prompt: &str, turn: u32) -> Option<String> {
    let said = |entry: &TimelineEntry| match &entry.event {
        AgentEvent::Prompt { text } => Some(text.contains(prompt.trim())),
        _ => None,
    };
    // The session is ours alone, so whatever it was asked as often is our prompt in the backend's words.
    let nth = || {
        let mut prompts = (0..timeline.len()).filter(|entry| said(&timeline[*entry]).is_some());
        prompts.nth(turn.saturating_sub(1) as usize)
    };
    let asked = timeline
        .iter()
        .rposition(|entry| said(entry) == Some(true))
        .or_else(nth)?;
    let (mut all, mut last) = (String::new(), String::new());
    for entry in &timeline[asked + 1..] {
        match &entry.event {
            AgentEvent::Text { text } => {
                all.push_str(text);
                last.push_str(text);
            }
            AgentEvent::Tool { .. } => last.clear(),
            _ => {}
        }
    }
    let said = if last.trim().is_empty() { all } else { last };
    Some(said.trim().to_owned())
}

fn kept(directory: &Path) -> Option<Kept> {
    let text = std::fs::read_to_string(directory.join("answer")).ok()?;
    serde_json::from_str(&text).ok()
}

/// Written whole or not at all.
fn keep(directory: &Path, kept: &Kept) -> Result<(), ActionError> {
    let text = serde_json::to_string(kept).map_err(|error| ActionError::new(error.to_string()))?;
    let (new, path) = (directory.join("answer.new"), directory.join("answer"));
    private_file(&new, 0o600, &text)?;
    std::fs::rename(&new, &path).map_err(|error| failed("write", &path, &error))
}
