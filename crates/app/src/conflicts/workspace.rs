//! Which repositories the workspace holds: those that panes work in, and those that a person added.
//!
//! One task tends them: it looks where the panes are, opens a watcher for a repository that is new, lets go of one
//! that nobody works in any more, says which agent works in which worktree, and tells the list when it changed.

mod named;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::conflicts::repository_at;
use named::{at_work, name_agents};
use serde::{Deserialize, Serialize};
use terminal::ask::List;
use terminal::{PaneEvent, PaneInfo};

pub use view::{RepositoryState, RepositoryView, WorktreeView};
use view::{tell_apart, view, watched_view};

use super::blocking;
use crate::{App, Code, Error, HostState, MachineId, News, Subject};

/// Under which key the repositories that a person added, and those left out, are kept.
const KEPT: &str = "conflicts.repositories";

/// How long to let things come to rest before looking again: a burst is one look.
const REST: Duration = Duration::from_millis(60);

/// How long a repository is watched on after the last pane left it: `cd` and back costs nothing.
const LINGER: Duration = Duration::from_secs(120);

/// How often to try again what could not be opened.
const RETRY: Duration = Duration::from_secs(10);

/// What the workspace knows of its repositories.
#[derive(Default)]
pub(super) struct Workspace {
    kept: Option<Kept>,
    /// Those that could not be opened, and those being opened.
    opening: BTreeMap<String, Opening>,
    /// By repository: since when no pane works in it.
    left: BTreeMap<String, Instant>,
    /// Roots, by repository, of those that are watched.
    roots: BTreeMap<String, PathBuf>,
    /// The agents that were said to work in worktrees because of panes.
    agents: BTreeMap<String, String>,
    told: Vec<RepositoryView>,
}

struct Opening {
    root: PathBuf,
    failed: Option<(String, Instant)>,
}

#[derive(Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    added: BTreeSet<PathBuf>,
    /// Repositories that a person took away although panes work in them.
    left_out: BTreeSet<String>,
}

impl App {
    /// Watches the repositories of the workspace from now on: those that panes work in, and those that were added.
    ///
    /// [`App::list_repositories`] tells which, and [`News::Repositories`] when that changes.
    pub fn watch_workspace(&self) {
        let app = Arc::downgrade(&self.0);
        let mut news = self.news();
        let stir = self.0.conflicts.stir.clone();
        self.spawn(async move {
            loop {
                let Some(inner) = app.upgrade() else { break };
                let next = App(inner).tend_workspace().await;
                loop {
                    let stirred = tokio::select! {
                        happened = news.next() => match happened {
                            Some(happened) => concerns_places(&happened),
                            None => return,
                        },
                        () = stir.notified() => true,
                        () = tokio::time::sleep(next) => true,
                    };
                    if stirred {
                        break;
                    }
                }
                tokio::time::sleep(REST).await;
                // What came meanwhile is seen by the look that follows.
                news.pass_over();
            }
        });
    }

    /// Lists the repositories of the workspace with their worktrees, by name.
    pub fn list_repositories(&self) -> Vec<RepositoryView> {
        self.0.conflicts.workspace.lock().told.clone()
    }

    /// Adds the repository that `path` is in to the workspace; it stays there over restarts.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when `path` is in no repository, [`Code::Store`] when it can't be kept.
    pub async fn add_repository(&self, path: PathBuf) -> Result<RepositoryView, Error> {
        let asked = path.clone();
        let place = blocking(move || Ok(repository_at(&asked))).await?;
        let Some(place) = place else {
            return Err(Error::new(
                Code::BadParams,
                format!("`{}` is not in a git repository", path.display()),
            ));
        };
        let repository = place.common_dir.to_string_lossy().into_owned();
        self.keep(|kept| {
            kept.left_out.remove(&repository);
            kept.added.insert(place.root.clone());
        })
        .await?;
        self.tend_workspace().await;
        let listed = self.list_repositories();
        let found = listed
            .into_iter()
            .find(|view| view.repository == repository);
        found.ok_or_else(|| Error::new(Code::Failed, format!("`{repository}` was not added")))
    }

    /// Takes a repository out of the workspace, also when panes work in it; nothing on disk changes.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when the workspace has no such repository, [`Code::Store`].
    pub async fn remove_repository(&self, repository: String) -> Result<(), Error> {
        let listed = self.list_repositories();
        let Some(view) = listed.iter().find(|view| view.repository == repository) else {
            return Err(Error::new(
                Code::BadId,
                format!("repository `{repository}` is not in the workspace"),
            ));
        };
        let root = PathBuf::from(&view.root);
        self.keep(|kept| {
            kept.added.remove(&root);
            kept.left_out.insert(repository.clone());
        })
        .await?;
        self.tend_workspace().await;
        Ok(())
    }

    /// Opens what is to be watched, lets go of the rest, and tells what changed; says when to look again.
    async fn tend_workspace(&self) -> Duration {
        let _tending = self.0.conflicts.tending.lock().await;
        let mut next = Duration::from_secs(3600);
        // Without an answer the panes are where they were.
        if let Ok(panes) = self.ask(List).await {
            match self.kept().await {
                Ok(kept) => next = self.tend(kept, &panes).await,
                Err(error) => {
                    tracing::warn!("the workspace's repositories can't be read: {error}");
                    next = RETRY;
                }
            }
        }
        self.tell_repositories().await;
        next
    }

    async fn tend(&self, kept: Kept, panes: &[PaneInfo]) -> Duration {
        let places: BTreeSet<PathBuf> = panes.iter().map(|pane| pane.cwd.clone().into()).collect();
        let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
        let looked = kept.clone();
        let Ok(wanted) = blocking(move || Ok(wanted(&looked, &places, home.as_deref()))).await
        else {
            return RETRY;
        };
        let now = Instant::now();
        let mut next = Duration::from_secs(3600);
        let watched: Vec<_> = self.0.conflicts.watchers.lock().keys().cloned().collect();
        let mut go = Vec::new();
        let mut open = Vec::new();
        {
            let mut workspace = self.0.conflicts.workspace.lock();
            workspace
                .left
                .retain(|repository, _| !wanted.contains_key(repository));
            for repository in watched.iter().filter(|one| !wanted.contains_key(*one)) {
                let since = *workspace.left.entry(repository.clone()).or_insert(now);
                let over = kept.left_out.contains(repository);
                match LINGER
                    .checked_sub(now - since)
                    .filter(|left| !over && !left.is_zero())
                {
                    Some(left) => next = next.min(left),
                    None => go.push(repository.clone()),
                }
            }
            workspace
                .opening
                .retain(|repository, _| wanted.contains_key(repository));
            for (repository, root) in &wanted {
                workspace.roots.insert(repository.clone(), root.clone());
                if watched.contains(repository) {
                    continue;
                }
                if let Some(opening) = workspace.opening.get(repository) {
                    match &opening.failed {
                        None => continue,
                        Some((_, at)) if now - *at < RETRY => {
                            next = next.min(RETRY - (now - *at));
                            continue;
                        }
                        Some(_) => {}
                    }
                }
                let opening = Opening {
                    root: root.clone(),
                    failed: None,
                };
                workspace.opening.insert(repository.clone(), opening);
                open.push((repository.clone(), root.clone()));
            }
        }
        for repository in go {
            self.forget_repository(&repository).await;
            let mut workspace = self.0.conflicts.workspace.lock();
            workspace.left.remove(&repository);
            workspace.roots.remove(&repository);
        }
        for (repository, root) in open {
            self.open_in_background(repository, root);
        }
        self.name_agents(panes).await;
        next
    }

    fn open_in_background(&self, repository: String, root: PathBuf) {
        let app = Arc::downgrade(&self.0);
        self.spawn(async move {
            let Some(inner) = app.upgrade() else { return };
            let app = Self(inner);
            let opened = app.watch_repository(root).await;
            {
                let mut workspace = app.0.conflicts.workspace.lock();
                match opened {
                    Ok(_) => drop(workspace.opening.remove(&repository)),
                    Err(error) => {
                        if let Some(opening) = workspace.opening.get_mut(&repository) {
                            opening.failed = Some((error.message, Instant::now()));
                        }
                    }
                }
            }
            app.0.conflicts.stir.notify_one();
        });
    }

    /// Says which agents work where, as the panes show it; what an agent said itself stays.
    async fn name_agents(&self, panes: &[PaneInfo]) {
        let working = at_work(panes);
        let watchers = self.watchers();
        let known = self.0.conflicts.workspace.lock().agents.clone();
        let named = blocking(move || Ok(name_agents(&watchers, &working, known))).await;
        if let Ok(named) = named {
            self.0.conflicts.workspace.lock().agents = named;
        }
    }

    async fn tell_repositories(&self) {
        let kept = self.kept().await.unwrap_or_default();
        let watchers: Vec<_> = self
            .0
            .conflicts
            .watchers
            .lock()
            .iter()
            .map(|(repository, watcher)| (repository.clone(), watcher.clone()))
            .collect();
        let (roots, opening) = {
            let workspace = self.0.conflicts.workspace.lock();
            let opening: Vec<_> = workspace
                .opening
                .iter()
                .map(|(repository, opening)| {
                    let failed = opening.failed.as_ref().map(|(message, _)| message.clone());
                    (repository.clone(), opening.root.clone(), failed)
                })
                .collect();
            (workspace.roots.clone(), opening)
        };
        let views = blocking(move || {
            let mut views: Vec<_> = watchers
                .iter()
                .map(|(repository, watcher)| watched_view(repository, watcher, &roots, &kept))
                .collect();
            for (repository, root, failed) in opening {
                if views.iter().any(|view| view.repository == repository) {
                    continue;
                }
                let state = match failed {
                    None => RepositoryState::Looking,
                    Some(message) => RepositoryState::Failed { message },
                };
                views.push(view(repository, &root, &kept, state, Vec::new()));
            }
            tell_apart(&mut views);
            views.sort_by(|a, b| (&a.name, &a.root).cmp(&(&b.name, &b.root)));
            Ok(views)
        });
        let Ok(views) = views.await else { return };
        {
            let mut workspace = self.0.conflicts.workspace.lock();
            if workspace.told == views {
                return;
            }
            workspace.told.clone_from(&views);
        }
        self.emit(News::Repositories(views));
    }

    async fn kept(&self) -> Result<Kept, Error> {
        if let Some(kept) = &self.0.conflicts.workspace.lock().kept {
            return Ok(kept.clone());
        }
        let stored = self.0.store.get(KEPT).await;
        let stored = stored.map_err(|error| Error::from_chain(Code::Store, &error))?;
        let kept: Kept = stored.map_or_else(Kept::default, |json| {
            serde_json::from_str(&json).unwrap_or_else(|error| {
                tracing::warn!("which repositories were added could not be read: {error}");
                Kept::default()
            })
        });
        self.0.conflicts.workspace.lock().kept = Some(kept.clone());
        Ok(kept)
    }

    async fn keep(&self, change: impl FnOnce(&mut Kept)) -> Result<(), Error> {
        let mut kept = self.kept().await?;
        change(&mut kept);
        let json = serde_json::to_string(&kept)
            .map_err(|error| Error::from_chain(Code::Failed, &error))?;
        let stored = self.0.store.put(KEPT, &json).await;
        stored.map_err(|error| Error::from_chain(Code::Store, &error))?;
        self.0.conflicts.workspace.lock().kept = Some(kept);
        Ok(())
    }
}

/// Whether panes may work elsewhere now, or others than before.
fn concerns_places(news: &News) -> bool {
    match news {
        // What a pane of another machine works in is not here.
        News::Pane(PaneEvent::Opened { pane } | PaneEvent::Changed { pane }) => {
            MachineId::of_pane(pane.id).is_none()
        }
        News::Pane(PaneEvent::Closed { id }) => MachineId::of_pane(*id).is_none(),
        News::Pane(_) => false,
        News::Host(state) => !matches!(state, HostState::Down { .. }),
        News::Conflicts(_) => true,
        News::Missed(subject) => matches!(subject, Subject::Panes | Subject::Conflicts),
        News::Machines(_)
        | News::Settings(_)
        | News::SettingsRefused(_)
        | News::Repositories(_)
        | News::Touched(_)
        | News::Agents(_)
        | News::Runs(_) => false,
    }
}

/// Which repositories are to be watched: their roots, by their shared directory.
fn wanted(
    kept: &Kept,
    places: &BTreeSet<PathBuf>,
    home: Option<&Path>,
) -> BTreeMap<String, PathBuf> {
    let mut wanted = BTreeMap::new();
    for root in &kept.added {
        let (repository, root) = match repository_at(root) {
            Some(place) => (place.common_dir, place.root),
            // It may come back; until then it is listed with the reason.
            None => (root.clone(), root.clone()),
        };
        let repository = repository.to_string_lossy().into_owned();
        wanted.insert(repository, root);
    }
    for place in places {
        let Some(place) = repository_at(place) else {
            continue;
        };
        // A home that is kept in git holds everything a person has: watched only when they say so.
        if home == Some(place.root.as_path()) || place.root.parent().is_none() {
            continue;
        }
        let repository = place.common_dir.to_string_lossy().into_owned();
        if !kept.left_out.contains(&repository) {
            wanted.entry(repository).or_insert(place.root);
        }
    }
    wanted
}
