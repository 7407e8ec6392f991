//! `ConflictWatcher`: the survey, kept up to date by a thread of its own.

mod filter;
mod thread;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use clock::Clock;
use tokio::sync::broadcast;

use filter::filtered;
use thread::Loop;

use crate::git::{OpenError, Program};
use crate::groups::grouped;
use crate::quiet::{BadGlob, Quiet, QuietAbout};
use crate::survey::{AskError, Survey};
use crate::types::{
    CheckAnswer, ConflictEvent, ConflictFilter, Health, HealthState, Picture, ProposedChange,
    Verdict, VerdictDetails, VerdictKey, WorktreeId, WorktreeInfo,
};
use crate::watch::{Batch, Notice, Notifier, Places, SystemNotifier, Watches};

/// How to watch. The default suits a person's desktop.
#[derive(Clone)]
pub struct WatchConfig {
    /// Tells the time that is written into entries and verdicts.
    pub clock: Clock,
    /// Where notices of changes come from.
    pub notifier: Arc<dyn Notifier>,
    /// How often to look at everything while the picture may be stale.
    pub heal_every: Duration,
    /// How often to look at everything when nothing is known to be wrong.
    pub verify_every: Duration,
    /// Files larger than this many bytes are not compared by lines.
    pub max_text: u64,
    /// The program git, for merges that hang on more than one file: renamed directories, several merge bases. It is
    /// asked in a place of our own, and the repository is only read.
    pub git: PathBuf,
    /// How long git may take for one question.
    pub git_deadline: Duration,
    /// Announcements older than this many milliseconds are dropped.
    pub announce_age: u64,
    /// Looks for what one worktree changes or removes and another one's change uses: [`Severity::Breaks`].
    ///
    /// [`Severity::Breaks`]: crate::Severity::Breaks
    pub breaks: bool,
    /// What a person does not want to hear of, as it was stored.
    pub quiets: Vec<Quiet>,
}

impl WatchConfig {
    /// Watches with the system's own notification.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            notifier: Arc::new(SystemNotifier),
            heal_every: Duration::from_secs(2),
            verify_every: Duration::from_secs(60),
            max_text: 16 * 1024 * 1024,
            git: PathBuf::from("git"),
            git_deadline: Duration::from_secs(20),
            announce_age: 10 * 60 * 1000,
            breaks: false,
            quiets: Vec::new(),
        }
    }
}

/// Why watching did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The repository can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The system gave no thread.
    #[error("could not start the thread that watches `{path}`")]
    Thread {
        /// The repository.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

enum Message {
    Notice(Notice),
    /// Something else than the disk changed: settle.
    Settle,
    Rescan(Sender<()>),
    Stop,
}

struct Shared {
    survey: Mutex<Survey>,
    health: Mutex<Health>,
    events: broadcast::Sender<ConflictEvent>,
    touched: broadcast::Sender<Vec<WorktreeId>>,
}

impl Shared {
    fn survey(&self) -> MutexGuard<'_, Survey> {
        self.survey.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn health(&self) -> Health {
        self.health
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn send(&self, events: Vec<ConflictEvent>) {
        for event in events {
            // Nobody listens: the picture can still be asked for.
            let _ = self.events.send(event);
        }
    }

    /// Settles, and tells of it while nobody else can read the survey or settle it: who sees a picture has been told of it,
    /// and what two callers change is told in the order in which it came to be.
    fn settle(&self, mut survey: MutexGuard<'_, Survey>) {
        let events = survey.settle();
        self.send(events);
    }

    fn tell_touched(&self, worktrees: Vec<WorktreeId>) {
        if !worktrees.is_empty() {
            // Nobody listens: nobody reads them.
            let _ = self.touched.send(worktrees);
        }
    }
}

/// Watches all worktrees of one repository, and says what each pair of them makes of a file.
///
/// It only reads: no lock is taken in the repository, and nothing is written. Git itself is asked where it alone can say.
/// Dropping it ends its thread.
pub struct ConflictWatcher {
    shared: Arc<Shared>,
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl ConflictWatcher {
    /// Looks at all worktrees of the repository that `path` is in, and keeps watching them.
    ///
    /// Returns once the first picture stands, which takes as long as looking at every file once.
    ///
    /// # Errors
    ///
    /// [`StartError::Open`] when `path` is in no repository. A bare repository is fine: its linked
    /// worktrees are watched.
    pub fn open(path: &Path, config: WatchConfig) -> Result<Self, StartError> {
        let survey = survey(path, &config)?;
        let (messages, inbox) = channel();
        let notices = messages.clone();
        let started = config.notifier.start(Box::new(move |notice| {
            // The watcher ended: nobody needs the notice.
            let _ = notices.send(Message::Notice(notice));
        }));
        let health = Health {
            state: HealthState::Live,
            reasons: Vec::new(),
            watches: 0,
            scanned_at: 0,
        };
        let shared = Arc::new(Shared {
            survey: Mutex::new(survey),
            health: Mutex::new(health),
            events: broadcast::channel(4096).0,
            touched: broadcast::channel(256).0,
        });
        let mut watch = Loop {
            path: path.to_owned(),
            config,
            shared: shared.clone(),
            watches: Watches::new(started),
            places: Places::default(),
            batch: Batch::default(),
            gone: false,
            settled_at: 0,
        };
        watch.rescan();
        let thread = std::thread::Builder::new()
            .name("conflicts".to_owned())
            .spawn(move || watch.run(&inbox))
            .map_err(|source| StartError::Thread {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            shared,
            messages,
            thread: Some(thread),
        })
    }

    /// Tells everything that is known now.
    pub fn picture(&self) -> Picture {
        let health = self.shared.health();
        self.shared.survey().picture(health)
    }

    /// Tells of the worktrees alone, the main one first.
    pub fn worktrees(&self) -> Vec<WorktreeInfo> {
        self.shared.survey().worktrees()
    }

    /// Tells of the verdicts alone, in no order: quiet ones and those for information, too.
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.shared.survey().verdicts()
    }

    /// Tells which pairs and files could not be compared, and why, for a person.
    pub fn notes(&self) -> Vec<String> {
        self.shared.survey().notes()
    }

    /// Lists the verdicts that pass the filter, the worst first.
    ///
    /// # Errors
    ///
    /// When the filter names a worktree that there is not, or a glob that can't be matched.
    pub fn conflicts(&self, filter: &ConflictFilter) -> Result<Vec<Verdict>, AskError> {
        let survey = self.shared.survey();
        let picture = survey.picture(self.shared.health());
        filtered(&survey, picture, filter)
    }

    /// Says what the other worktrees do where somebody is about to change a file.
    ///
    /// # Errors
    ///
    /// When the worktree is unknown, the file lies outside of it, or the lines are no range.
    pub fn check(&self, change: &ProposedChange) -> Result<CheckAnswer, AskError> {
        self.shared.survey().check(change)
    }

    /// Takes note of a change that is about to be made; others hear of it as `pending`.
    ///
    /// # Errors
    ///
    /// As [`ConflictWatcher::check`].
    pub fn announce(&self, change: &ProposedChange, agent: Option<String>) -> Result<(), AskError> {
        self.shared.survey().announce(change, agent)?;
        self.settle();
        Ok(())
    }

    /// Says who works in a worktree; nobody, when `agent` is none.
    ///
    /// # Errors
    ///
    /// When the worktree is unknown.
    pub fn set_agent(&self, worktree: &str, agent: Option<String>) -> Result<(), AskError> {
        self.shared.survey().set_agent(worktree, agent)?;
        self.settle();
        Ok(())
    }

    /// Shows both sides of a verdict with some lines around them, and what a merge would write.
    ///
    /// # Errors
    ///
    /// [`AskError::NoVerdict`] when nothing is said of the file any more.
    pub fn details(&self, key: &VerdictKey) -> Result<VerdictDetails, AskError> {
        self.shared.survey().details(key)
    }

    /// Lists what a person does not want to hear of, to be stored.
    pub fn quiets(&self) -> Vec<Quiet> {
        self.shared.survey().quiets.list()
    }

    /// Adds a wish for quiet, in place of one about the same.
    ///
    /// # Errors
    ///
    /// When its glob can't be matched.
    pub fn quiet(&self, quiet: Quiet) -> Result<(), BadGlob> {
        self.shared.survey().quiets.add(quiet)?;
        self.settle();
        Ok(())
    }

    /// Takes a wish for quiet back; says whether there was one.
    pub fn unquiet(&self, about: &QuietAbout) -> bool {
        let removed = self.shared.survey().quiets.remove(about);
        self.settle();
        removed
    }

    /// Looks for breaks from now on, or no more.
    pub fn set_breaks(&self, on: bool) {
        self.shared.survey().set_breaks(on);
        self.settle();
    }

    /// Looks at everything again, and returns when that is done.
    pub fn rescan(&self) {
        let (done, wait) = channel();
        if self.messages.send(Message::Rescan(done)).is_ok() {
            // The thread ended: there is nothing to wait for.
            let _ = wait.recv();
        }
    }

    /// Hears of every change from now on. A listener that falls behind asks for the picture again.
    pub fn events(&self) -> broadcast::Receiver<ConflictEvent> {
        self.shared.events.subscribe()
    }

    /// Hears from now on in which worktrees something was touched: a file, also one that is as it was, an index, a HEAD, what git is to ignore.
    ///
    /// It is told before the picture is brought up to date, for who reads a worktree for themselves. A listener that falls behind
    /// takes all of them for touched.
    pub fn touched(&self) -> broadcast::Receiver<Vec<WorktreeId>> {
        self.shared.touched.subscribe()
    }

    /// Says whether the picture can be trusted to be fresh.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    fn settle(&self) {
        self.shared.settle(self.shared.survey());
        let _ = self.messages.send(Message::Settle);
    }
}

impl Drop for ConflictWatcher {
    fn drop(&mut self) {
        let _ = self.messages.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            // It only panics with a bug, which its own message told of.
            let _ = thread.join();
        }
    }
}

/// Looks at a repository once, without watching it: for the command line.
///
/// # Errors
///
/// When `path` is in no repository, or the filter can't be understood.
pub fn look(
    path: &Path,
    config: &WatchConfig,
    filter: &ConflictFilter,
) -> Result<Picture, LookError> {
    let mut survey = survey(path, config)?;
    look_through(&mut survey)?;
    let health = Health {
        state: HealthState::Live,
        reasons: Vec::new(),
        watches: 0,
        scanned_at: 0,
    };
    let mut picture = survey.picture(health);
    picture.verdicts = filtered(&survey, picture.clone(), filter)?;
    picture.groups = grouped(&picture.verdicts);
    Ok(picture)
}

/// Looks at everything, until nothing is left to be found out.
fn look_through(survey: &mut Survey) -> Result<(), OpenError> {
    survey.rescan(&mut |_| {})?;
    survey.settle();
    while let Some(work) = survey.work() {
        survey.learn(work.run());
        survey.settle();
    }
    Ok(())
}

/// Looks at one file in all worktrees once, without watching: for an agent that is about to edit.
///
/// Only that file is looked at, on disk and in the commits; of everything else, the worktrees' indexes
/// are read. A worktree in which the file came or went is looked through, so that a rename is told as one:
/// the answer is the one that [`ConflictWatcher::check`] would give. To find what breaks, everything is looked at.
///
/// # Errors
///
/// When `path` is in no repository, the worktree is unknown, the file lies outside of it, or the lines
/// are no range.
pub fn look_at(
    path: &Path,
    config: &WatchConfig,
    change: &ProposedChange,
) -> Result<CheckAnswer, LookError> {
    let mut survey = survey(path, config)?;
    if config.breaks {
        // What the file uses is changed in others.
        look_through(&mut survey)?;
        return Ok(survey.check(change)?);
    }
    survey.look_at_no_file()?;
    let (worktree, file) = survey.locate(change)?;
    survey.look_at_file(&worktree, &file);
    while let Some(work) = survey.work() {
        survey.learn(work.run());
    }
    Ok(survey.check(change)?)
}

/// Why a look failed.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The repository can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The question can't be answered.
    #[error(transparent)]
    Ask(#[from] AskError),
}

fn survey(path: &Path, config: &WatchConfig) -> Result<Survey, OpenError> {
    let mut survey = Survey::open(
        path,
        config.clock.clone(),
        config.max_text,
        config.announce_age,
        Program {
            path: config.git.clone(),
            deadline: config.git_deadline,
        },
    )?;
    survey.set_breaks(config.breaks);
    for quiet in &config.quiets {
        if let Err(error) = survey.quiets.add(quiet.clone()) {
            // Stored by another version, perhaps: the others still count.
            tracing::warn!(%error, "a stored wish for quiet was left out");
        }
    }
    Ok(survey)
}
