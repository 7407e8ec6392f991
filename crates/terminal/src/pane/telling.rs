//! What others are told of a pane: what its program said, and what is known of it.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::marks::OutputEnd;
use super::{Core, Pane};
use crate::osc::{self, Osc};
use crate::pty;
use crate::screen::Said;
use crate::shells;
use crate::types::{
    EarlierEnd, Held, LineId, PaneEvent, PaneInfo, PaneRole, PaneState, Progress, ProgressState,
};

/// A pane tells of its changes no more often than this.
const TELL: Duration = Duration::from_millis(50);

/// So long after the last output the system is asked whether the shell waits for keys.
const LOOK: Duration = Duration::from_millis(300);

/// How many notifications a second are enough for anybody.
const WORDS: u32 = 10;

/// What is known of a pane, besides what its shell and its programs want.
#[derive(Debug)]
pub(super) struct About {
    pub(super) name: Option<String>,
    pub(super) title: String,
    pub(super) progress: Option<Progress>,
    /// As the shell told; none: it never did.
    pub(super) cwd: Option<String>,
    pub(super) same: SamePlace,
    pub(super) started_in: String,
    pub(super) state: PaneState,
    pub(super) held: Option<Held>,
    pub(super) ended_at: Option<u64>,
    /// Where the lines of closed panes end that stand above its own, until the program clears them away.
    pub(super) earlier: Vec<EarlierEnd>,
}

/// Whether two paths name the same directory, as it was found when it was asked of the two first: the disk that they are on
/// may be gone by the next time.
#[derive(Debug, Default)]
pub(super) struct SamePlace(RefCell<Option<(String, String, bool)>>);

impl SamePlace {
    fn names_one(&self, told: &str, is: &str) -> bool {
        // As the system says of a directory that was removed.
        if is
            .strip_prefix(told)
            .is_some_and(|rest| matches!(rest, "" | " (deleted)"))
        {
            return true;
        }
        let mut known = self.0.borrow_mut();
        match &*known {
            Some((a, b, same)) if a == told && b == is => *same,
            _ => {
                let same = pty::same_directory(told, is);
                *known = Some((told.to_owned(), is.to_owned(), same));
                same
            }
        }
    }
}

/// What others have been told of a pane, and what is to be told.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// Something that others are told of has changed, since when they were told last.
    pub(super) changed: bool,
    at: Option<Instant>,
    /// Where it worked, and whether it was busy, when others were told last.
    pub(super) told: (String, bool),
    /// The timer will tell.
    under_way: bool,
    /// Notifications left before the next second.
    words: u32,
    words_at: u64,
}

impl Telling {
    /// Whether another notification may go out.
    fn may_speak(&mut self, now: u64) -> bool {
        if now.saturating_sub(self.words_at) >= 1_000 || now < self.words_at {
            self.words_at = now;
            self.words = WORDS;
        }
        self.words = self.words.saturating_sub(1);
        self.words > 0
    }
}

impl Pane {
    pub(super) fn heard(&self, core: &mut Core, what: Said, line: LineId) {
        let now = self.common.clock.now_ms();
        match what {
            Said::Reply(bytes) => {
                // A program that asks and does not read gets no more answers.
                let _ = self.input.push(&bytes);
            }
            Said::Bell => {
                core.watch.bell(now);
                core.telling.changed = true;
            }
            Said::ScrollbackCleared => {
                core.floor = line;
                // What is on screen still is.
                if core.screen.top_line() >= core.own_from.0 {
                    core.telling.changed |= !core.about.earlier.is_empty();
                    core.about.earlier.clear();
                }
            }
            Said::CommandEnded { exit, rest } => {
                core.telling.changed = true;
                self.command_ended(core, OutputEnd { line, rest }, exit, now);
            }
            Said::Osc(osc) => self.heard_osc(core, osc, line, now),
        }
    }

    fn heard_osc(&self, core: &mut Core, osc: Osc, line: LineId, now: u64) {
        core.telling.changed = true;
        match osc {
            Osc::Title(title) => core.about.title = title,
            Osc::Cwd { host, path } => {
                // A shell on another machine says where it is there.
                if pty::is_this_host(&host) {
                    core.about.cwd = Some(path);
                }
            }
            Osc::Notify { title, body } => {
                core.watch.notified(&title, &body);
                if core.telling.may_speak(now) {
                    self.send(PaneEvent::Notified {
                        id: self.id,
                        title,
                        body,
                    });
                }
            }
            Osc::Progress(progress) => {
                core.about.progress = progress;
                let works = progress.is_some_and(|at| at.state == ProgressState::Running);
                core.watch.progressed(works);
            }
            Osc::Clipboard(text) => {
                if self.role != PaneRole::Agent && core.telling.may_speak(now) {
                    self.send(PaneEvent::ClipboardWrite { id: self.id, text });
                }
            }
            Osc::PromptStart => {
                // Whoever said so has ended.
                core.about.progress = None;
                core.watch.prompt();
                core.marks.prompt(line);
            }
            // The shell has lost what it says of a command's end, and its prompt still has the mark. A prompt of another shell
            // within it is not its own.
            Osc::PromptEnd => {
                if core.marks.runs() && self.shell_has_terminal() {
                    self.command_ended(core, OutputEnd { line, rest: 0 }, None, now);
                    self.heard_osc(core, Osc::PromptStart, line, now);
                }
            }
            Osc::CommandLine(command) => core.marks.typed(line, command),
            Osc::CommandStart(command) => {
                core.watch.command_started(now);
                let told = core.about.cwd.clone();
                let cwd = told.unwrap_or_else(|| self.works_in(core).0);
                core.marks.started(line, command, cwd, now);
            }
            // Said as [`Said::CommandEnded`].
            Osc::CommandEnd(_) => {}
            Osc::CommandAgain(_) | Osc::Emulator | Osc::Ignored => {}
        }
    }

    fn command_ended(&self, core: &mut Core, at: OutputEnd, exit: Option<i32>, now: u64) {
        if core.marks.ended(at, exit, now) {
            core.watch.command_ended(exit, core.marks.command(), now);
        }
    }

    pub(super) fn send(&self, event: PaneEvent) {
        // Nobody listening is not an error.
        let _ = self.common.events.send(event);
    }

    /// Tells of changes, now or a little later.
    pub(super) fn tell(&self) {
        let mut core = self.core.lock();
        if !core.telling.changed || core.telling.under_way || core.closed {
            return;
        }
        let wait = core
            .telling
            .at
            .and_then(|at| TELL.checked_sub(at.elapsed()))
            .filter(|wait| !wait.is_zero());
        match wait {
            None => self.tell_now(&mut core),
            Some(wait) => {
                core.telling.under_way = true;
                let me = self.me.clone();
                self.common.timer.after(wait, move || {
                    let Some(pane) = me.upgrade() else { return };
                    let mut core = pane.core.lock();
                    core.telling.under_way = false;
                    if !core.closed {
                        pane.tell_now(&mut core);
                    }
                });
            }
        }
    }

    pub(super) fn tell_now(&self, core: &mut Core) {
        core.telling.changed = false;
        core.telling.at = Some(Instant::now());
        let pane = self.info_of(core);
        core.telling.told = (pane.cwd.clone(), pane.busy);
        if let Some(history) = &core.history {
            history.describe(|kept| kept.follow(&pane));
        }
        self.send(PaneEvent::Changed { pane });
    }

    fn shell_has_terminal(&self) -> bool {
        self.is_shell && self.pty.foreground() == Some(self.pty.pid())
    }

    /// Asks the system whether the shell waits for keys, where something is said to be at work.
    pub(super) fn look(&self, core: &mut Core) {
        if !self.is_shell || !core.watch.claims_work() {
            return;
        }
        let waits = self.pty.awaits_keys() && shells::is_one(&self.pty.process_name());
        let before = core.watch.value();
        core.watch.shell_waits(waits);
        if waits {
            core.about.progress = None;
        }
        core.telling.changed |= before != core.watch.value();
    }

    /// Looks a little after the last output: a shell prints its prompt when it waits for keys.
    pub(super) fn look_later(&self) {
        let me = self.me.clone();
        self.common.timer.after(LOOK, move || {
            let Some(pane) = me.upgrade() else { return };
            let mut core = pane.core.lock();
            if core.quiet.came_within(LOOK) {
                pane.look_later();
            } else {
                core.quiet.looking = false;
            }
            pane.look(&mut core);
            drop(core);
            pane.tell();
        });
    }

    /// The directory that is worked in, and whether a program other than the shell works there.
    ///
    /// A shell says where it is, with the names that the person typed, but only before a prompt, and only as long as it marks
    /// them: what the system says of it counts, and the shell's own words only as a name for the same place. While a program
    /// runs, as after `cd there && agent`, the program itself is asked.
    pub(super) fn works_in(&self, core: &Core) -> (String, bool) {
        let running = matches!(core.about.state, PaneState::Running { .. });
        let foreground = running.then(|| self.pty.foreground()).flatten();
        let busy = running
            && (!self.is_shell || foreground.is_some_and(|leader| leader != self.pty.pid()));
        let asked = |process: Option<u32>| process.and_then(pty::cwd_of);
        let own = || asked(running.then(|| self.pty.pid()));
        let cwd = if busy {
            asked(foreground)
                .or_else(|| core.about.cwd.clone())
                .or_else(own)
        } else {
            match (core.about.cwd.clone(), own()) {
                (Some(told), Some(own)) if !core.about.same.names_one(&told, &own) => Some(own),
                (told, own) => told.or(own),
            }
        };
        let cwd = cwd.unwrap_or_else(|| core.about.started_in.clone());
        (osc::clean(&cwd, 4096), busy)
    }

    pub(super) fn info_of(&self, core: &Core) -> PaneInfo {
        let (cwd, busy) = self.works_in(core);
        PaneInfo {
            id: self.id,
            program: self.program.clone(),
            role: self.role,
            cwd,
            title: core.about.title.clone(),
            name: core.about.name.clone(),
            size: core.screen.size(),
            private: self.private,
            state: core.about.state.clone(),
            held: core.about.held.clone(),
            busy,
            attention: core.watch.value(),
            attention_message: core.watch.message().map(str::to_owned),
            progress: core.about.progress,
            command: core.marks.command().map(str::to_owned),
            last_exit: core.marks.last_exit(),
            marked: core.marks.marked(),
            earlier: core.about.earlier.clone(),
            profile: self.profile.clone(),
            opened_at: self.opened_at,
            ended_at: core.about.ended_at,
        }
    }
}
