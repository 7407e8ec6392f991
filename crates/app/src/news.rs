//! What happened, for every face: one stream of it, and for a reader that fell behind, what to look at anew.

use std::collections::VecDeque;

use ::agents::AgentsEvent;
use ::flow::RunChange;
use terminal::PaneEvent;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::mpsc;

use crate::{App, ConflictNews, Error, HostState, MachineView, RepositoryView, Settings};

/// How far a reader may fall behind before it is told to look anew.
pub(crate) const KEPT: usize = 1024;
/// How many changes of runs are read ahead of their reader.
const RUNS_AHEAD: usize = 4;

/// What happened.
#[derive(Debug, Clone)]
pub enum News {
    /// Something happened to a pane.
    Pane(PaneEvent),
    /// The pane host went away or came back.
    Host(HostState),
    /// The person saved new settings, which are in force now.
    Settings(Settings),
    /// The person saved settings that can't be used; the last good ones stay in force.
    SettingsRefused(Error),
    /// The workspace holds other repositories or worktrees, or they are in another state: all of them, as they are now.
    Repositories(Vec<RepositoryView>),
    /// Something changed about the conflicts of one repository.
    Conflicts(ConflictNews),
    /// Something was touched in these worktrees, so that what was read of them may be old; none: perhaps in all.
    Touched(Option<Vec<String>>),
    /// Other machines are known, or the link to one is in another state: all of them, as they are now.
    Machines(Vec<MachineView>),
    /// Something happened to agents or their backends. What is said in a conversation is told to those who follow it.
    Agents(Box<AgentsEvent>),
    /// Runs changed, whichever process drives them. Only for a reader that [follows](NewsReader::with_runs) them, which
    /// misses none: they are read from the journal.
    Runs(Vec<RunChange>),
    /// More happened than could be told: look at this anew.
    Missed(Subject),
}

/// What a reader that missed something looks at anew, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The panes: [`terminal::ask::List`].
    Panes,
    /// Whether the pane host can be reached: [`App::host_state`].
    Host,
    /// The machines: [`App::machines`].
    Machines,
    /// The settings: [`App::settings`].
    Settings,
    /// The repositories of the workspace: [`App::list_repositories`].
    Repositories,
    /// The conflicts of every repository: [`App::list_conflicts`].
    Conflicts,
    /// What worktrees changed: [`App::worktree_changes`].
    Changes,
    /// The agents: [`App::known_agents`].
    Agents,
}

impl Subject {
    /// All of them. Whoever adds one is reminded by every `match` over [`Subject`].
    const ALL: [Self; 8] = [
        Self::Panes,
        Self::Host,
        Self::Machines,
        Self::Settings,
        Self::Repositories,
        Self::Conflicts,
        Self::Changes,
        Self::Agents,
    ];
}

/// Reads what happens from when it was made.
pub struct NewsReader {
    news: broadcast::Receiver<News>,
    missed: VecDeque<Subject>,
    runs: Option<mpsc::Receiver<Vec<RunChange>>>,
}

impl App {
    /// Tells what happens from now on.
    pub fn news(&self) -> NewsReader {
        NewsReader {
            news: self.0.news.subscribe(),
            missed: VecDeque::new(),
            runs: None,
        }
    }

    pub(crate) fn emit(&self, news: News) {
        // Nobody listening is fine: the command line rarely does.
        let _ = self.0.news.send(news);
    }
}

impl NewsReader {
    /// Reads of runs as well, from now on.
    ///
    /// # Errors
    ///
    /// [`Code::Store`](crate::Code::Store).
    pub async fn with_runs(mut self, app: &App) -> Result<Self, Error> {
        let mut runs = app.follow_runs().await?;
        let (sender, changes) = mpsc::channel(RUNS_AHEAD);
        app.spawn(async move {
            while let Some(changes) = runs.next().await {
                if sender.send(changes).await.is_err() {
                    return;
                }
            }
        });
        self.runs = Some(changes);
        Ok(self)
    }

    /// Passes over what has happened by now.
    pub(crate) fn pass_over(&mut self) {
        use broadcast::error::TryRecvError;
        self.missed.clear();
        while let Ok(_) | Err(TryRecvError::Lagged(_)) = self.news.try_recv() {}
    }

    /// What happened next; none when nothing will any more. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<News> {
        loop {
            if let Some(subject) = self.missed.pop_front() {
                return Some(News::Missed(subject));
            }
            let runs = async {
                match &mut self.runs {
                    Some(runs) => runs.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                news = self.news.recv() => match news {
                    Ok(news) => return Some(news),
                    Err(RecvError::Lagged(_)) => self.missed.extend(Subject::ALL),
                    Err(RecvError::Closed) => return None,
                },
                changes = runs => match changes {
                    Some(changes) => return Some(News::Runs(changes)),
                    None => self.runs = None,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::opened;

    #[tokio::test]
    async fn a_reader_that_fell_behind_is_told_what_to_look_at_anew() {
        let home = tempfile::tempdir().unwrap();
        let app = opened(home.path()).await;
        let mut news = app.news();
        for _ in 0..KEPT + 1 {
            app.emit(News::Host(HostState::Up));
        }
        let mut missed = Vec::new();
        let after = loop {
            match news.next().await {
                Some(News::Missed(subject)) => missed.push(subject),
                other => break other,
            }
        };
        assert_eq!(missed, Subject::ALL);
        assert!(
            matches!(after, Some(News::Host(HostState::Up))),
            "{after:?}"
        );
        app.shutdown().await;
    }
}
