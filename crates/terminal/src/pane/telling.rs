//! What others are told of a pane: what its program said, and what is known of it.

use std::time::{Duration, Instant};

use super::marks::MAX_MARKS;
use super::{Core, Pane};
use crate::osc::{self, Osc};
use crate::pty;
use crate::screen::Said;
use crate::types::{CommandMark, LineId, PaneEvent, PaneInfo, PaneRole, PaneState};

/// A pane tells of its changes no more often than this.
const TELL: Duration = Duration::from_millis(50);

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
                core.changed = true;
            }
            Said::ScrollbackCleared => core.floor = line,
            Said::Osc(osc) => self.heard_osc(core, osc, line, now),
        }
    }

    fn heard_osc(&self, core: &mut Core, osc: Osc, line: LineId, now: u64) {
        core.changed = true;
        match osc {
            Osc::Title(title) => core.title = title,
            Osc::Cwd { host, path } => {
                // A shell on another machine says where it is there.
                if pty::is_this_host(&host) {
                    core.cwd = Some(path);
                }
            }
            Osc::Notify { title, body } => {
                core.watch.notified(&title, &body);
                if core.may_speak(now) {
                    self.send(PaneEvent::Notified {
                        id: self.id,
                        title,
                        body,
                    });
                }
            }
            Osc::Clipboard(text) => {
                if self.role != PaneRole::Agent && core.may_speak(now) {
                    self.send(PaneEvent::ClipboardWrite { id: self.id, text });
                }
            }
            Osc::PromptStart => {
                core.watch.prompt();
                if core.marks.len() == MAX_MARKS {
                    core.marks.pop_front();
                }
                core.marks.push_back(CommandMark::at(line));
            }
            Osc::PromptEnd => {}
            Osc::CommandLine(command) => {
                let command = Some(command).filter(|command| !command.is_empty());
                core.mark(line).command.clone_from(&command);
                core.command = command;
            }
            Osc::CommandStart(command) => {
                core.watch.command_started(now);
                let mark = core.mark(line);
                mark.output_from = Some(line);
                mark.started_at = Some(now);
                if command.is_some() {
                    mark.command.clone_from(&command);
                    core.command = command;
                }
            }
            Osc::CommandEnd(exit) => {
                // Shells say so before every prompt, even when nothing was run.
                let mark = core.mark(line);
                if mark.started_at.is_some() && mark.ended_at.is_none() {
                    mark.output_to = Some(line);
                    mark.exit = exit;
                    mark.ended_at = Some(now);
                    core.last_exit = exit;
                    let command = core.command.clone();
                    core.watch.command_ended(exit, command.as_deref(), now);
                }
            }
            Osc::Emulator | Osc::Ignored => {}
        }
    }

    pub(super) fn send(&self, event: PaneEvent) {
        // Nobody listening is not an error.
        let _ = self.common.events.send(event);
    }

    /// Tells of changes, now or a little later.
    pub(super) fn tell(&self) {
        let mut core = self.core.lock();
        if !core.changed || core.telling || core.closed {
            return;
        }
        let wait = core
            .told_at
            .and_then(|at| TELL.checked_sub(at.elapsed()))
            .filter(|wait| !wait.is_zero());
        match wait {
            None => self.tell_now(&mut core),
            Some(wait) => {
                core.telling = true;
                let me = self.me.clone();
                self.common.timer.after(wait, move || {
                    let Some(pane) = me.upgrade() else { return };
                    let mut core = pane.core.lock();
                    core.telling = false;
                    if !core.closed {
                        pane.tell_now(&mut core);
                    }
                });
            }
        }
    }

    pub(super) fn tell_now(&self, core: &mut Core) {
        core.changed = false;
        core.told_at = Some(Instant::now());
        let pane = self.info_of(core);
        core.told = (pane.cwd.clone(), pane.busy);
        if let Some(history) = &core.history {
            history.describe(|kept| kept.follow(&pane));
        }
        self.send(PaneEvent::Changed { pane });
    }

    /// The directory that is worked in, and whether a program other than the shell works there.
    ///
    /// A shell says where it is, with the names that the person typed, but only before a prompt: while a program
    /// runs, as after `cd there && agent`, the program itself is asked.
    pub(super) fn works_in(&self, core: &Core) -> (String, bool) {
        let running = matches!(core.state, PaneState::Running { .. });
        let foreground = running.then(|| self.pty.foreground()).flatten();
        let busy = running
            && (!self.is_shell || foreground.is_some_and(|leader| leader != self.pty.pid()));
        let asked = |process: Option<u32>| process.and_then(pty::cwd_of);
        let own = || asked(running.then(|| self.pty.pid()));
        let cwd = if busy {
            asked(foreground).or_else(|| core.cwd.clone()).or_else(own)
        } else {
            core.cwd.clone().or_else(own)
        };
        let cwd = cwd.unwrap_or_else(|| core.started_in.clone());
        (osc::clean(&cwd, 4096), busy)
    }

    pub(super) fn info_of(&self, core: &Core) -> PaneInfo {
        let (cwd, busy) = self.works_in(core);
        PaneInfo {
            id: self.id,
            program: self.program.clone(),
            role: self.role,
            cwd,
            title: core.title.clone(),
            name: core.name.clone(),
            size: core.screen.size(),
            private: self.private,
            state: core.state.clone(),
            busy,
            attention: core.watch.value(),
            attention_message: core.watch.message().map(str::to_owned),
            command: core.command.clone(),
            last_exit: core.last_exit,
            opened_at: self.opened_at,
            ended_at: core.ended_at,
        }
    }
}

impl Core {
    /// Whether another notification may go out: ten a second are enough for anybody.
    fn may_speak(&mut self, now: u64) -> bool {
        if now.saturating_sub(self.words_at) >= 1_000 || now < self.words_at {
            self.words_at = now;
            self.words = 10;
        }
        self.words = self.words.saturating_sub(1);
        self.words > 0
    }
}
