//! The thread that keeps the survey up to date: notices in, batches looked at, events out.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::{Message, Shared, WatchConfig};
use crate::types::{ConflictEvent, Health, HealthState, WorktreeId};
use crate::watch::{Batch, Notice, Places, Watches};

/// The thread that keeps the survey up to date.
pub(super) struct Loop {
    pub(super) path: PathBuf,
    pub(super) config: WatchConfig,
    pub(super) shared: Arc<Shared>,
    pub(super) watches: Watches,
    pub(super) places: Places,
    pub(super) batch: Batch,
    pub(super) gone: bool,
    /// By the clock that was handed in.
    pub(super) settled_at: u64,
}

impl Loop {
    pub(super) fn run(mut self, inbox: &Receiver<Message>) {
        let mut looked = Instant::now();
        loop {
            let healthy = self.shared.health().state == HealthState::Live;
            let every = if healthy {
                self.config.verify_every
            } else {
                self.config.heal_every
            };
            let quiet_end = self.quiet_end();
            let whole = looked + every;
            let due = [self.batch.due(&self.places), quiet_end, Some(whole)];
            let due = due.into_iter().flatten().min().unwrap_or(whole);
            match inbox.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Message::Notice(notice)) => {
                    self.take_in(&notice);
                    // All that is there already, so that a flood is one batch.
                    while let Ok(message) = inbox.try_recv() {
                        match message {
                            Message::Notice(notice) => self.take_in(&notice),
                            Message::Settle => self.ask_git(),
                            Message::Rescan(done) => {
                                self.rescan();
                                looked = Instant::now();
                                let _ = done.send(());
                            }
                            Message::Stop => return,
                        }
                    }
                }
                Ok(Message::Settle) => self.ask_git(),
                Ok(Message::Rescan(done)) => {
                    self.rescan();
                    looked = Instant::now();
                    let _ = done.send(());
                }
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    if whole <= Instant::now() {
                        self.rescan();
                        looked = Instant::now();
                    } else if self
                        .batch
                        .due(&self.places)
                        .is_some_and(|due| due <= Instant::now())
                    {
                        if self.process() {
                            looked = Instant::now();
                        }
                    } else if quiet_end.is_some_and(|end| end <= Instant::now()) {
                        self.settle();
                    }
                }
            }
            // A steady stream of notices must not put a batch off.
            if self
                .batch
                .due(&self.places)
                .is_some_and(|due| due <= Instant::now())
                && self.process()
            {
                looked = Instant::now();
            }
        }
    }

    fn take_in(&mut self, notice: &Notice) {
        if let Notice::Gone(path) = notice {
            self.watches.forget(path);
        }
        self.batch.take_in(notice, &self.places, Instant::now());
    }

    /// When a snoozed verdict becomes loud again, of those that were not when we settled last.
    fn quiet_end(&self) -> Option<Instant> {
        let next = self.shared.survey().quiets.next(self.settled_at)?;
        let left = next.saturating_sub(self.config.clock.now_ms());
        Some(Instant::now() + Duration::from_millis(left))
    }

    /// Looks at what the batch names; says whether that was everything.
    fn process(&mut self) -> bool {
        let batch = std::mem::take(&mut self.batch);
        self.tell_touched(&batch);
        if let Some(why) = batch.lost {
            self.set_health(
                HealthState::Degraded,
                vec![format!("{why}; looking at all files again")],
            );
            self.rescan();
            return true;
        }
        if batch.rules || !self.places.common_dir.exists() {
            self.rescan();
            return true;
        }
        if batch.refs {
            // A branch may have come with a directory, whose next change must not be missed.
            self.arm_git();
        }
        let shared = self.shared.clone();
        let mut survey = shared.survey();
        let watches = &mut self.watches;
        let mut arm = |dir: &Path| watches.arm(dir);
        let mut relisted = false;
        if batch.refs || !batch.roots.is_empty() {
            match survey.refs_changed(&mut arm) {
                Ok(changed) => relisted = changed,
                Err(error) => {
                    drop(survey);
                    tracing::warn!(%error, "could not follow a change of refs");
                    self.rescan();
                    return true;
                }
            }
        }
        for id in &batch.roots {
            survey.scan(id, &mut arm);
            relisted = true;
        }
        for (id, paths) in &batch.files {
            survey.touched(id, paths, &mut arm);
        }
        // One that was checked out just now has a HEAD of its own.
        let submodules = survey.submodule_places() != self.places.submodules;
        drop(survey);
        if batch.refs || relisted || submodules {
            let before = self.watches.len();
            self.arm_git();
            if self.watches.len() != before {
                // What happened there before it was watched is read once more.
                self.batch.read_refs(Instant::now());
            }
        }
        self.settle();
        if relisted {
            self.shared.send(vec![ConflictEvent::Worktrees]);
        }
        self.tell_health();
        false
    }

    /// Tells which worktrees the batch is about: all of them, where it names none.
    fn tell_touched(&self, batch: &Batch) {
        let all = batch.lost.is_some() || batch.rules || batch.refs;
        let worktrees = self.places.worktrees.iter().map(|(id, ..)| id);
        let in_batch =
            |id: &&WorktreeId| all || batch.files.contains_key(*id) || batch.roots.contains(*id);
        self.shared
            .tell_touched(worktrees.filter(in_batch).cloned().collect());
    }

    /// Looks at everything, and renews all watches.
    pub(super) fn rescan(&mut self) {
        self.batch = Batch::default();
        let shared = self.shared.clone();
        let mut survey = shared.survey();
        self.gone = !survey.common_dir().exists();
        let before = survey.places();
        self.watches.begin();
        self.places.common_dir = survey.common_dir().to_owned();
        // Watched before they are read, so that nothing slips in between.
        self.places.worktrees = before.clone();
        self.places.submodules = survey.submodule_places();
        for dir in self.places.git_dirs() {
            self.watches.arm(&dir);
        }
        let watches = &mut self.watches;
        let mut arm = |dir: &Path| watches.arm(dir);
        let scanned = if self.gone {
            survey.clear();
            Ok(())
        } else {
            survey.rescan(&mut arm)
        };
        if let Err(error) = scanned {
            // It was removed and made again, perhaps: a fresh start sees what is there now.
            tracing::warn!(%error, "could not look through the repository");
            match super::survey(&self.path, &self.config) {
                Ok(mut fresh) => {
                    let agents = survey.take_agents();
                    let quiets = std::mem::take(&mut survey.quiets);
                    let index = survey.take_index();
                    fresh.set_breaks(survey.looks_for_breaks());
                    let tried = fresh.rescan(&mut arm);
                    self.gone = tried.is_err();
                    fresh.adopt(agents, quiets, index);
                    *survey = fresh;
                }
                Err(_) => {
                    self.gone = true;
                    survey.clear();
                }
            }
        }
        let relisted = survey.places() != before;
        drop(survey);
        self.arm_git();
        self.watches.end();
        self.settle();
        if relisted {
            self.shared.send(vec![ConflictEvent::Worktrees]);
        }
        self.tell_health();
    }

    fn arm_git(&mut self) {
        let survey = self.shared.survey();
        self.places = Places {
            common_dir: survey.common_dir().to_owned(),
            worktrees: survey.places(),
            submodules: survey.submodule_places(),
        };
        drop(survey);
        for dir in self.places.git_dirs() {
            self.watches.arm(&dir);
        }
    }

    fn settle(&mut self) {
        self.settled_at = self.config.clock.now_ms();
        self.shared.settle(self.shared.survey());
        self.ask_git();
    }

    /// Asks git what only it can say, while others ask the survey; then settles with its answers.
    fn ask_git(&mut self) {
        loop {
            let Some(work) = self.shared.survey().work() else {
                return;
            };
            let answers = work.run();
            let mut survey = self.shared.survey();
            survey.learn(answers);
            self.shared.settle(survey);
        }
    }

    fn tell_health(&mut self) {
        let mut reasons = self.watches.reasons();
        let absent = self.shared.survey().absent();
        reasons.extend(
            absent
                .iter()
                .map(|id| format!("worktree `{id}` is not there or can't be read")),
        );
        let state = if self.gone {
            reasons = vec![format!(
                "the repository `{}` is gone",
                self.places.common_dir.display()
            )];
            HealthState::Gone
        } else if reasons.is_empty() {
            HealthState::Live
        } else {
            HealthState::Degraded
        };
        self.set_health(state, reasons);
    }

    fn set_health(&mut self, state: HealthState, reasons: Vec<String>) {
        let health = Health {
            state,
            reasons,
            watches: u32::try_from(self.watches.len()).unwrap_or(u32::MAX),
            scanned_at: 0,
        };
        let mut current = self
            .shared
            .health
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let told = (current.state, &current.reasons) == (health.state, &health.reasons);
        *current = health.clone();
        drop(current);
        if !told {
            self.shared.send(vec![ConflictEvent::Health { health }]);
        }
    }
}
