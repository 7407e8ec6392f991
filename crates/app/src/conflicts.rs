//! Conflicts between worktrees: one watcher per repository that the workspace holds.

mod door;
mod workspace;

pub use door::{announce_from_outside, check_change};
pub use workspace::{RepositoryState, RepositoryView, WorktreeView};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::conflicts::{
    AskError, CheckAnswer, ConflictEvent, ConflictFilter, ConflictGroup, ConflictWatcher,
    HealthState, LookError, Picture, ProposedChange, Quiet, QuietAbout, StartError, Verdict,
    VerdictDetails, VerdictKey, WatchConfig, grouped, repository_at,
};
use clock::Clock;
use serde::{Deserialize, Serialize};
use specta::Type;
use store::Store;
use tokio::sync::broadcast::error::RecvError;

use crate::blocking::blocking;
use crate::{App, Code, Error, News, Paths, Settings};

/// Under which key the wishes for quiet of each repository are kept.
const QUIETS: &str = "conflicts.quiets";

/// Something changed about the conflicts of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ConflictNews {
    /// The repository, as [`App::watch_repository`] called it.
    pub repository: String,
    /// What changed.
    pub event: ConflictEvent,
}

/// What is said of one repository, and what a person does not want to hear of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RepositoryConflicts {
    /// The repository, as [`RepositoryView::repository`] calls it.
    pub repository: String,
    /// Every verdict: quiet ones and those for information, too.
    pub verdicts: Vec<Verdict>,
    /// The same verdicts, put together where they speak of the same lines; the worst first.
    pub groups: Vec<ConflictGroup>,
    /// The wishes for quiet that are in force.
    pub quiets: Vec<Quiet>,
    /// Pairs and files that could not be compared, and why, for a person.
    pub notes: Vec<String>,
}

/// The repositories that are watched.
#[derive(Default)]
pub(crate) struct Repositories {
    watchers: parking_lot::Mutex<BTreeMap<String, Arc<ConflictWatcher>>>,
    workspace: parking_lot::Mutex<workspace::Workspace>,
    /// Held while the workspace is tended, so that what is told last is what was seen last.
    tending: tokio::sync::Mutex<()>,
    /// Wakes the task that tends the workspace.
    stir: Arc<tokio::sync::Notify>,
}

type Quiets = BTreeMap<String, Vec<Quiet>>;

impl App {
    /// Watches all worktrees of the repository that `path` is in, and returns its first picture.
    ///
    /// A repository that is watched already is not watched twice, whichever worktree named it.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when `path` is in no repository.
    pub async fn watch_repository(&self, path: PathBuf) -> Result<Picture, Error> {
        let asked = path.clone();
        let place = blocking(move || Ok(repository_at(&asked))).await?;
        let repository = place.map(|place| place.common_dir.to_string_lossy().into_owned());
        let known = repository
            .as_deref()
            .and_then(|known| self.watcher(known).ok());
        if let Some(watcher) = known {
            return blocking(move || Ok(watcher.picture())).await;
        }
        let mut quiets = self.stored_quiets().await?;
        let quiets = repository.and_then(|repository| quiets.remove(&repository));
        let breaks = self.settings().conflicts.breaks;
        let opened = blocking(move || {
            let config = WatchConfig {
                breaks,
                quiets: quiets.unwrap_or_default(),
                ..WatchConfig::new(Clock::system())
            };
            let watcher = ConflictWatcher::open(&path, config).map_err(start_error)?;
            Ok((watcher.picture().repository, Arc::new(watcher)))
        });
        let (repository, watcher) = opened.await?;
        let (watcher, new) = {
            let mut watchers = self.0.conflicts.watchers.lock();
            match watchers.get(&repository) {
                // Somebody else was faster.
                Some(known) => (known.clone(), false),
                None => {
                    watchers.insert(repository.clone(), watcher.clone());
                    (watcher, true)
                }
            }
        };
        if new {
            self.follow_repository(repository, &watcher);
            // The setting may have changed while it was opened.
            self.look_for_breaks(self.settings().conflicts.breaks);
        }
        blocking(move || Ok(watcher.picture())).await
    }

    /// Stops watching a repository; says whether it was watched.
    pub async fn forget_repository(&self, repository: &str) -> bool {
        let watcher = self.0.conflicts.watchers.lock().remove(repository);
        let watched = watcher.is_some();
        // The last owner waits for the watcher's thread.
        let _ = blocking(move || {
            drop(watcher);
            Ok(())
        })
        .await;
        watched
    }

    /// Tells all that is known of every watched repository.
    ///
    /// # Errors
    ///
    /// [`Code::Failed`] when it can't be asked.
    pub async fn conflict_pictures(&self) -> Result<Vec<Picture>, Error> {
        let watchers = self.watchers();
        blocking(move || Ok(watchers.iter().map(|watcher| watcher.picture()).collect())).await
    }

    /// Lists what is said of every watched repository.
    ///
    /// # Errors
    ///
    /// [`Code::Failed`] when it can't be asked.
    pub async fn list_conflicts(&self) -> Result<Vec<RepositoryConflicts>, Error> {
        let watchers: Vec<_> = self
            .0
            .conflicts
            .watchers
            .lock()
            .iter()
            .map(|(repository, watcher)| (repository.clone(), watcher.clone()))
            .collect();
        blocking(move || {
            let all = watchers.into_iter().map(|(repository, watcher)| {
                let verdicts = watcher.verdicts();
                RepositoryConflicts {
                    repository,
                    groups: grouped(&verdicts),
                    verdicts,
                    quiets: watcher.quiets(),
                    notes: watcher.notes(),
                }
            });
            Ok(all.collect())
        })
        .await
    }

    /// Tells all that is known of one watched repository.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when it is not watched.
    pub async fn repository_picture(&self, repository: &str) -> Result<Picture, Error> {
        let watcher = self.watcher(repository)?;
        blocking(move || Ok(watcher.picture())).await
    }

    /// Looks at all files of a watched repository again, and returns when that is done.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when it is not watched.
    pub async fn rescan_repository(&self, repository: &str) -> Result<(), Error> {
        let watcher = self.watcher(repository)?;
        blocking(move || {
            watcher.rescan();
            Ok(())
        })
        .await
    }

    /// Lists the verdicts of every watched repository that pass the filter, the worst first.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] for a glob that can't be matched, or a worktree of no watched repository.
    pub async fn conflicts(&self, filter: ConflictFilter) -> Result<Vec<Verdict>, Error> {
        let watchers = self.watchers();
        blocking(move || {
            let mut verdicts = Vec::new();
            let mut unknown = None;
            for watcher in &watchers {
                match watcher.conflicts(&filter) {
                    Ok(found) => verdicts.extend(found),
                    // It may be a worktree of another repository.
                    Err(error @ AskError::UnknownWorktree { .. }) => unknown = Some(error),
                    Err(error) => return Err(ask_error(error)),
                }
            }
            match unknown {
                Some(error)
                    if watchers
                        .iter()
                        .all(|watcher| watcher.conflicts(&filter).is_err()) =>
                {
                    Err(ask_error(error))
                }
                _ => {
                    verdicts.sort_by_key(|verdict| {
                        std::cmp::Reverse((verdict.would_conflict, verdict.severity))
                    });
                    Ok(verdicts)
                }
            }
        })
        .await
    }

    /// Takes note of a change that an agent is about to make, in a watched repository.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when the file lies outside of the worktree or the lines are no range, [`Code::BadId`] when
    /// no watched repository has the worktree.
    pub async fn announce_change(
        &self,
        change: ProposedChange,
        agent: Option<String>,
    ) -> Result<(), Error> {
        let watchers = self.watchers();
        blocking(move || {
            first_that_knows(&watchers, |watcher| {
                watcher.announce(&change, agent.clone())
            })
        })
        .await
    }

    /// Says which agent works in a worktree; nobody, when `agent` is none.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when no watched repository has the worktree.
    pub async fn set_worktree_agent(
        &self,
        worktree: String,
        agent: Option<String>,
    ) -> Result<(), Error> {
        let watchers = self.watchers();
        blocking(move || {
            first_that_knows(&watchers, |watcher| {
                watcher.set_agent(&worktree, agent.clone())
            })
        })
        .await
    }

    /// Shows both sides of a verdict in their context, and what a merge would write.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when nothing is said of the file any more.
    pub async fn conflict_details(
        &self,
        repository: &str,
        key: VerdictKey,
    ) -> Result<VerdictDetails, Error> {
        let watcher = self.watcher(repository)?;
        blocking(move || watcher.details(&key).map_err(ask_error)).await
    }

    /// Snoozes, acknowledges or mutes verdicts of a repository; kept over restarts.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when the glob can't be matched, [`Code::BadId`] when the repository is
    /// not watched, [`Code::Store`] when the wish can't be kept.
    pub async fn quiet_conflicts(&self, repository: &str, quiet: Quiet) -> Result<(), Error> {
        let watcher = self.watcher(repository)?;
        let asked = watcher.clone();
        blocking(move || {
            let added = asked.quiet(quiet);
            added.map_err(|error| Error::from_chain(Code::BadParams, &error))
        })
        .await?;
        self.store_quiets(repository, &watcher).await
    }

    /// Takes a wish for quiet back; says whether there was one.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when the repository is not watched, [`Code::Store`].
    pub async fn unquiet_conflicts(
        &self,
        repository: &str,
        about: QuietAbout,
    ) -> Result<bool, Error> {
        let watcher = self.watcher(repository)?;
        let asked = watcher.clone();
        let removed = blocking(move || Ok(asked.unquiet(&about))).await?;
        self.store_quiets(repository, &watcher).await?;
        Ok(removed)
    }

    /// Looks for what breaks in every watched repository, or no more.
    pub(crate) fn look_for_breaks(&self, on: bool) {
        let watchers = self.watchers();
        self.spawn(async move {
            let told = blocking(move || {
                watchers.iter().for_each(|watcher| watcher.set_breaks(on));
                Ok(())
            });
            // It fails with a bug only, which its own message told of.
            let _ = told.await;
        });
    }

    fn watchers(&self) -> Vec<Arc<ConflictWatcher>> {
        self.0.conflicts.watchers.lock().values().cloned().collect()
    }

    fn watcher(&self, repository: &str) -> Result<Arc<ConflictWatcher>, Error> {
        let watchers = self.0.conflicts.watchers.lock();
        watchers.get(repository).cloned().ok_or_else(|| {
            let message = format!("repository `{repository}` is not watched");
            Error::new(Code::BadId, message)
        })
    }

    fn follow_repository(&self, repository: String, watcher: &ConflictWatcher) {
        self.follow_touched(watcher);
        let mut events = watcher.events();
        let app = Arc::downgrade(&self.0);
        self.spawn(async move {
            loop {
                let event = match events.recv().await {
                    Ok(event) => event,
                    // Too many at once: whoever listens asks for the picture anew.
                    Err(RecvError::Lagged(_)) => ConflictEvent::Worktrees,
                    Err(RecvError::Closed) => break,
                };
                let Some(inner) = app.upgrade() else { break };
                App(inner).emit(News::Conflicts(ConflictNews {
                    repository: repository.clone(),
                    event,
                }));
            }
        });
    }

    /// Tells in which worktrees something was touched.
    fn follow_touched(&self, watcher: &ConflictWatcher) {
        let mut touched = watcher.touched();
        let app = Arc::downgrade(&self.0);
        self.spawn(async move {
            loop {
                let worktrees = match touched.recv().await {
                    Ok(worktrees) => Some(worktrees.into_iter().map(|id| id.0).collect()),
                    Err(RecvError::Lagged(_)) => None,
                    Err(RecvError::Closed) => break,
                };
                let Some(inner) = app.upgrade() else { break };
                App(inner).emit(News::Touched(worktrees));
            }
        });
    }

    async fn stored_quiets(&self) -> Result<Quiets, Error> {
        let stored = self.0.store.get(QUIETS).await;
        let stored = stored.map_err(|error| Error::from_chain(Code::Store, &error))?;
        Ok(read_quiets(stored))
    }

    async fn store_quiets(&self, repository: &str, watcher: &ConflictWatcher) -> Result<(), Error> {
        let mut quiets = self.stored_quiets().await?;
        quiets.insert(repository.to_owned(), watcher.quiets());
        quiets.retain(|_, quiets| !quiets.is_empty());
        let json = serde_json::to_string(&quiets)
            .map_err(|error| Error::from_chain(Code::Failed, &error))?;
        let stored = self.0.store.put(QUIETS, &json).await;
        stored.map_err(|error| Error::from_chain(Code::Store, &error))
    }
}

/// Looks at one repository once, without watching it.
///
/// # Errors
///
/// [`Code::BadParams`] when `path` is in no repository, or the filter makes no sense.
pub fn look_for_conflicts(
    config: &WatchConfig,
    path: &Path,
    filter: &ConflictFilter,
) -> Result<Picture, Error> {
    ::conflicts::look(path, config, filter).map_err(look_error)
}

/// Says how to look at the repository that `path` is in, with what a person muted there in a window, and set.
///
/// `paths`: where that is kept.
pub fn watch_config(paths: Option<&Paths>, path: &Path) -> WatchConfig {
    let kept = || -> Option<Vec<Quiet>> {
        let file = paths?.database();
        let repository = repository_at(path)?.common_dir;
        // To look at conflicts makes no database.
        if !file.exists() {
            return None;
        }
        let store = Store::open(&file, &[]).ok()?.store;
        let kept = store.get_blocking(QUIETS);
        store.close();
        read_quiets(kept.ok()?).remove(repository.to_string_lossy().as_ref())
    };
    WatchConfig {
        breaks: looks_for_breaks(paths),
        quiets: kept().unwrap_or_default(),
        ..WatchConfig::new(Clock::system())
    }
}

/// What a person set; a file that can't be read sets nothing.
fn looks_for_breaks(paths: Option<&Paths>) -> bool {
    let read = |paths| Settings::load(paths, &Settings::default()).ok();
    let loaded = paths.and_then(read);
    loaded.is_some_and(|loaded| loaded.settings.conflicts.breaks)
}

/// Reads what was stored; what can't be read is told, and nothing is quiet.
fn read_quiets(stored: Option<String>) -> Quiets {
    let Some(json) = stored else {
        return Quiets::default();
    };
    serde_json::from_str(&json).unwrap_or_else(|error| {
        tracing::warn!("what is muted could not be read, and is not: {error}");
        Quiets::default()
    })
}

/// Asks the watcher that knows the worktree; none when there is none, or its picture may not be fresh.
fn check(
    watchers: &[Arc<ConflictWatcher>],
    change: &ProposedChange,
) -> Option<Result<CheckAnswer, AskError>> {
    let live = |watcher: &&Arc<ConflictWatcher>| watcher.health().state == HealthState::Live;
    let mut answers = watchers
        .iter()
        .filter(live)
        .map(|watcher| watcher.check(change));
    answers.find(|answer| !matches!(answer, Err(AskError::UnknownWorktree { .. })))
}

/// Looks at that one file in all worktrees now.
fn look_at(change: &ProposedChange, breaks: bool) -> Result<CheckAnswer, Error> {
    let worktree = PathBuf::from(&change.worktree);
    let config = WatchConfig {
        breaks,
        ..WatchConfig::new(Clock::system())
    };
    ::conflicts::look_at(&worktree, &config, change).map_err(look_error)
}

fn first_that_knows(
    watchers: &[Arc<ConflictWatcher>],
    ask: impl Fn(&ConflictWatcher) -> Result<(), AskError>,
) -> Result<(), Error> {
    let mut refused = Error::new(Code::BadId, "no repository is watched");
    for watcher in watchers {
        match ask(watcher) {
            Err(error @ AskError::UnknownWorktree { .. }) => {
                refused = Error::new(Code::BadId, error.to_string());
            }
            answer => return answer.map_err(ask_error),
        }
    }
    Err(refused)
}

fn ask_error(error: AskError) -> Error {
    let code = match error {
        AskError::NoVerdict { .. } => Code::BadId,
        _ => Code::BadParams,
    };
    Error::from_chain(code, &error)
}

fn look_error(error: LookError) -> Error {
    match error {
        LookError::Ask(error) => ask_error(error),
        LookError::Open(error) => Error::from_chain(Code::BadParams, &error),
    }
}

fn start_error(error: StartError) -> Error {
    let code = match error {
        StartError::Open(_) => Code::BadParams,
        StartError::Thread { .. } => Code::Failed,
    };
    Error::from_chain(code, &error)
}
