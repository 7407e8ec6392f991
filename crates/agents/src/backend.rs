//! What every backend can be asked.

use std::future::Future;
use std::pin::Pin;

use futures_util::stream::BoxStream;

use crate::error::AgentError;
use crate::news::News;
use crate::sessions::SessionRow;
use crate::turn::Turn;
use crate::types::{
    AgentId, AgentInfo, Archived, BackendId, BackendKind, Health, ImportSession, KnownSession,
    ListAgents, NewAgent, PermissionAnswer, Prompt, TimelineEntry,
};

/// An answer that is on its way.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, AgentError>> + Send + 'a>>;

/// A way to drive coding agents.
///
/// Every call has a deadline of its own and may be dropped at any time; whatever it had started, a
/// process or a request, ends with it. A backend that is down fails each call with one line that
/// says so, and disturbs nothing else.
pub trait AgentBackend: Send + Sync {
    /// What kind it is.
    fn kind(&self) -> BackendKind;

    /// Its name among the others.
    fn id(&self) -> &BackendId;

    /// How it was when last asked. Never waits.
    fn health(&self) -> Health;

    /// Asks it now, within a deadline, and remembers the answer.
    fn check(&self) -> Pin<Box<dyn Future<Output = Health> + Send + '_>>;

    /// Whether a turn runs that was started from here. A busy backend is never evicted.
    fn busy(&self) -> bool;

    /// Lists its agents, those that need a person first.
    fn list(&self, which: ListAgents) -> Answer<'_, Vec<AgentInfo>>;

    /// Lists its agents, and from then on tells every change of them as [`AgentBackend::news`], for as long
    /// as the connection stands; [`News::ListAgain`] says that it was lost.
    fn watch(&self) -> Answer<'_, Vec<AgentInfo>> {
        self.list(ListAgents::default())
    }

    /// Whether [`AgentBackend::news`] tells every change. Where it does not, each listing costs a process.
    fn live(&self) -> bool {
        true
    }

    /// Knows a session of an earlier run again, without starting anything for it.
    fn recall(&self, _session: &SessionRow) {}

    /// Looks at one agent. `name` is an id, a prefix of one that is unique, or an exact title.
    fn inspect<'a>(&'a self, name: &'a str) -> Answer<'a, AgentInfo>;

    /// Makes a new session.
    fn start(&self, agent: NewAgent) -> Answer<'_, AgentInfo>;

    /// Makes the session `agent` ready again after a restart of this process, of the backend, or of both.
    ///
    /// # Errors
    ///
    /// [`AgentError::UnknownAgent`] when it is gone for good.
    fn resume<'a>(&'a self, agent: &'a AgentId, cwd: &'a str) -> Answer<'a, AgentInfo>;

    /// Takes over a conversation that the provider already has.
    fn import(&self, session: ImportSession) -> Answer<'_, AgentInfo>;

    /// The conversations that the provider remembers of a directory, as it orders them.
    ///
    /// # Errors
    ///
    /// [`AgentError::Unsupported`] where they can't be listed.
    fn sessions<'a>(&'a self, _cwd: &'a str) -> Answer<'a, Vec<KnownSession>> {
        Box::pin(async {
            Err(AgentError::Unsupported {
                backend: self.id().0.clone(),
                what: "list conversations".into(),
                reason: "name the one that is to be taken over by its provider's id".into(),
            })
        })
    }

    /// Says something to an agent, and streams what it does.
    ///
    /// # Errors
    ///
    /// [`AgentError::Busy`] when a turn runs and [`Prompt::replace`] was not said.
    fn prompt<'a>(&'a self, agent: &'a AgentId, prompt: Prompt) -> Answer<'a, Turn>;

    /// Chooses one of what an agent offers: its model, its mode, and what else it has ([`AgentInfo::offers`]). Names of
    /// settings and choices are taken as well as their ids.
    ///
    /// # Errors
    ///
    /// [`AgentError::BadRequest`] with what is offered; [`AgentError::Unsupported`] where nothing can be chosen.
    fn choose<'a>(
        &'a self,
        _agent: &'a AgentId,
        _setting: &'a str,
        _value: &'a str,
    ) -> Answer<'a, AgentInfo> {
        Box::pin(async {
            Err(AgentError::Unsupported {
                backend: self.id().0.clone(),
                what: "choose a setting".into(),
                reason: "its agents take their settings when they are begun".into(),
            })
        })
    }

    /// Makes another agent that knows what this one knows, and goes its own way from here on.
    ///
    /// # Errors
    ///
    /// [`AgentError::Unsupported`] where that can't be done; [`AgentError::Busy`] while a turn runs.
    fn fork<'a>(&'a self, _agent: &'a AgentId) -> Answer<'a, AgentInfo> {
        Box::pin(async {
            Err(AgentError::Unsupported {
                backend: self.id().0.clone(),
                what: "fork a conversation".into(),
                reason: "start a new one".into(),
            })
        })
    }

    /// Stops the turn that runs; `false` if none did.
    fn stop<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, bool>;

    /// Answers what an agent asked.
    ///
    /// # Errors
    ///
    /// [`AgentError::PermissionGone`] when someone else was faster.
    fn answer<'a>(
        &'a self,
        agent: &'a AgentId,
        permission: &'a str,
        answer: PermissionAnswer,
    ) -> Answer<'a, ()>;

    /// Reads the conversation back, oldest first.
    fn timeline<'a>(&'a self, agent: &'a AgentId) -> Answer<'a, Vec<TimelineEntry>>;

    /// Puts an agent away. `force` ends a turn that runs.
    ///
    /// # Errors
    ///
    /// [`AgentError::Busy`] when a turn runs and `force` was not said.
    fn close<'a>(&'a self, agent: &'a AgentId, force: bool) -> Answer<'a, Archived>;

    /// Ends every connection and process that this value started; agents of a daemon go on.
    fn dispose(&self) -> Answer<'_, ()>;

    /// What happens at it from now on.
    fn news(&self) -> BoxStream<'static, News>;
}

/// Finds the one agent that `name` means: its id, a unique prefix of it, or its exact title.
pub(crate) fn resolve<'a>(
    agents: &'a [AgentInfo],
    name: &str,
) -> Result<&'a AgentInfo, AgentError> {
    if name.trim().is_empty() {
        return Err(AgentError::BadRequest {
            field: "agent".into(),
            message: "is empty; give an id, the beginning of one, or a title".into(),
        });
    }
    if let Some(agent) = agents.iter().find(|agent| agent.id.0 == name) {
        return Ok(agent);
    }
    let by_title: Vec<_> = agents
        .iter()
        .filter(|agent| agent.title.as_deref() == Some(name))
        .collect();
    let mut found = agents
        .iter()
        .filter(|agent| agent.id.0.starts_with(name))
        .collect::<Vec<_>>();
    if found.is_empty() {
        found = by_title;
    }
    match found.as_slice() {
        [] => Err(AgentError::UnknownAgent { agent: name.into() }),
        [agent] => Ok(agent),
        several => Err(AgentError::Ambiguous {
            prefix: name.into(),
            matches: several.iter().map(|agent| agent.id.0.clone()).collect(),
        }),
    }
}

/// Refuses a prompt that says nothing.
pub(crate) fn check_prompt(prompt: &Prompt) -> Result<(), AgentError> {
    if prompt.text.trim().is_empty() {
        return Err(AgentError::BadRequest {
            field: "prompt".into(),
            message: "is blank; say something to the agent".into(),
        });
    }
    Ok(())
}

/// Refuses images where they can't be passed on.
pub(crate) fn no_images(backend: &BackendId, prompt: &Prompt) -> Result<(), AgentError> {
    if prompt.images.is_empty() {
        return Ok(());
    }
    Err(AgentError::Unsupported {
        backend: backend.0.clone(),
        what: "be shown an image".into(),
        reason: "put it into a file, and name that".into(),
    })
}

/// Brings those that need a person to the front, then those at work; otherwise as the backend had them.
pub(crate) fn sort_for_people(agents: &mut [AgentInfo]) {
    use crate::types::AgentStatus as S;
    agents.sort_by_key(|agent| match agent.status {
        S::NeedsYou => 0,
        S::Working | S::Starting => 1,
        S::Failed => 2,
        S::Done => 3,
        S::Idle | S::Unknown { .. } => 4,
        S::Asleep => 5,
        S::Archived => 6,
    });
}
