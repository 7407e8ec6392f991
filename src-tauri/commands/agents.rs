//! Agents: who there is, what they say, what they ask.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use agents::{
    AgentId, AgentInfo, Archived, BackendAgents, BackendId, Conversation, ConversationStep,
    ImportSession, KnownSession, NewAgent, PermissionAnswer, Prompt,
};
use app::{App, Code, Error, MadeWorktree, Personas, StartedAgent, WindowId};
use tauri::{State, WebviewWindow};
use tokio::sync::Notify;

use crate::windows::id_of;

/// The agents of every backend as far as they are known; at once. See [`App::known_agents`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn known_agents(app: State<'_, App>) -> Result<Vec<BackendAgents>, Error> {
    app.known_agents().await
}

/// Asks every backend how it is; what changed is told as events. See [`App::check_backends`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn check_agents(app: State<'_, App>) -> Result<(), Error> {
    app.check_backends().await.map(drop)
}

/// Makes a new agent. See [`App::start_agent`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn start_agent(
    app: State<'_, App>,
    backend: BackendId,
    agent: NewAgent,
) -> Result<AgentInfo, Error> {
    app.start_agent(&backend, agent).await
}

/// The personas that an agent in `cwd` can be. See [`App::personas`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_personas(app: State<'_, App>, cwd: String) -> Result<Personas, Error> {
    Ok(app.personas(&cwd).await)
}

/// Makes a new agent as a persona. See [`App::start_persona`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn start_persona(
    app: State<'_, App>,
    backend: BackendId,
    persona: String,
    agent: NewAgent,
    prompt: String,
) -> Result<StartedAgent, Error> {
    app.start_persona(&backend, &persona, agent, &prompt).await
}

/// The conversations that a provider remembers of a directory. See [`App::agent_sessions`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_agent_sessions(
    app: State<'_, App>,
    backend: BackendId,
    cwd: String,
) -> Result<Vec<KnownSession>, Error> {
    app.agent_sessions(&backend, &cwd).await
}

/// Takes over a conversation that a provider has. See [`App::import_agent`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn import_agent(
    app: State<'_, App>,
    backend: BackendId,
    session: ImportSession,
) -> Result<AgentInfo, Error> {
    app.import_agent(&backend, session).await
}

/// Says something to an agent; what it answers comes to those who follow it. See [`App::prompt_agent`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn prompt_agent(
    app: State<'_, App>,
    backend: BackendId,
    agent: AgentId,
    prompt: Prompt,
) -> Result<(), Error> {
    app.prompt_agent(&backend, &agent, prompt).await.map(drop)
}

/// Stops the turn that runs; `false` if none did. See [`App::stop_agent`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn stop_agent(
    app: State<'_, App>,
    backend: BackendId,
    agent: AgentId,
) -> Result<bool, Error> {
    app.stop_agent(&backend, &agent).await
}

/// Chooses one of what an agent offers. See [`App::choose_for_agent`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn choose_for_agent(
    app: State<'_, App>,
    backend: BackendId,
    agent: AgentId,
    setting: String,
    value: String,
) -> Result<AgentInfo, Error> {
    app.choose_for_agent(&backend, &agent, &setting, &value)
        .await
}

/// Answers what an agent asked. See [`App::answer_agent`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn answer_agent(
    app: State<'_, App>,
    backend: BackendId,
    agent: AgentId,
    permission: String,
    answer: PermissionAnswer,
) -> Result<(), Error> {
    app.answer_agent(&backend, &agent, &permission, answer)
        .await
}

/// Puts an agent away. See [`App::archive_agent`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn archive_agent(
    app: State<'_, App>,
    backend: BackendId,
    agent: AgentId,
    force: bool,
) -> Result<Archived, Error> {
    app.archive_agent(&backend, &agent, force).await
}

/// Makes another agent that knows what this one knows. See [`App::fork_agent`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn fork_agent(
    app: State<'_, App>,
    backend: BackendId,
    agent: AgentId,
) -> Result<AgentInfo, Error> {
    app.fork_agent(&backend, &agent).await
}

/// The conversations that windows follow.
#[derive(Default)]
pub(crate) struct Followed {
    next: AtomicU32,
    open: Mutex<HashMap<u32, Arc<One>>>,
}

struct One {
    window: WindowId,
    conversation: tokio::sync::Mutex<Conversation>,
    over: Notify,
}

impl Followed {
    /// Ends what a window follows that is closed.
    pub(crate) fn end(&self, window: WindowId) {
        self.lock().retain(|_, one| {
            let goes_on = one.window != window;
            if !goes_on {
                one.over.notify_one();
            }
            goes_on
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Arc<One>>> {
        self.open.lock().unwrap_or_else(|lock| lock.into_inner())
    }
}

/// Follows an agent's conversation; its number is for [`next_of_agent`] and [`unfollow_agent`].
/// See [`App::follow_agent`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn follow_agent(
    window: WebviewWindow,
    app: State<'_, App>,
    followed: State<'_, Followed>,
    backend: BackendId,
    agent: AgentId,
) -> Result<u32, Error> {
    let conversation = app.follow_agent(&backend, &agent).await?;
    let number = followed.next.fetch_add(1, Ordering::Relaxed);
    let one = One {
        window: id_of(&window),
        conversation: tokio::sync::Mutex::new(conversation),
        over: Notify::new(),
    };
    followed.lock().insert(number, Arc::new(one));
    Ok(number)
}

/// Waits for what comes next in a conversation; none when it is not followed any more.
///
/// The page asks for each step: while it is busy with one, what follows is joined.
#[tauri::command]
#[specta::specta]
pub(crate) async fn next_of_agent(
    followed: State<'_, Followed>,
    number: u32,
) -> Result<Option<ConversationStep>, Error> {
    let one = followed.lock().get(&number).cloned().ok_or_else(|| {
        Error::new(
            Code::BadId,
            format!("no conversation is followed as `{number}`"),
        )
    })?;
    let mut conversation = one.conversation.lock().await;
    Ok(tokio::select! {
        step = conversation.next() => step,
        () = one.over.notified() => None,
    })
}

/// Ends the following of a conversation; the agent goes on.
#[tauri::command]
#[specta::specta]
pub(crate) async fn unfollow_agent(
    followed: State<'_, Followed>,
    number: u32,
) -> Result<(), Error> {
    if let Some(one) = followed.lock().remove(&number) {
        one.over.notify_one();
    }
    Ok(())
}

/// Makes a worktree with a branch of its own. See [`App::add_worktree`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn add_worktree(
    app: State<'_, App>,
    directory: String,
    name: String,
) -> Result<MadeWorktree, Error> {
    app.add_worktree(&directory, &name).await
}
