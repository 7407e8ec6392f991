//! One pane: its PTY, screen and scrollback, and the threads it owns.
//!
//! Two threads: `pty-reader` takes what the program writes and notes its end, `pty-writer`, once something is typed,
//! gives it that. They meet in [`Core`], behind one lock that is held for a piece of a chunk at a time.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use tokio::sync::broadcast;

use crate::attach::Stream;
use crate::attention::Watch;
use crate::clock::Clock;
use crate::history::{ClosedPane, History, PaneHistory};
use crate::input::{Input, Refused};
use crate::lines::PaneText;
use crate::osc::{self, Osc};
use crate::pty::{self, Child, Command, Pty, Started};
use crate::recorder::Recorder;
use crate::sample::Sampler;
use crate::screen::{Colours, Going, Said, Screen, Sink};
use crate::scrollback::{Scrollback, ScrollbackLimits};
use crate::snapshot::{Snapshot, snapshot};
use crate::styled::StyledLine;
use crate::timer::Timer;
use crate::types::{
    CommandMark, LineId, PaneEvent, PaneId, PaneInfo, PaneRole, PaneSize, PaneState, Recording,
    ScreenText,
};

/// What the reader reads at once.
const READ: usize = 64 * 1024;
/// What it hands on under one lock: others wait for so much at most.
const PIECE: usize = 8 * 1024;
/// A pane tells of its changes no more often than this.
const TELL: Duration = Duration::from_millis(50);
/// A pane this quiet gives memory back.
const QUIET: Duration = Duration::from_secs(3);
/// A program that has begun a synchronized update has this long for it: then its half picture is shown.
const UPDATE: Duration = Duration::from_millis(150);
/// What ends such an update.
const UPDATE_ENDS: &[u8] = b"\x1b[?2026l";
/// How many commands are remembered.
const MAX_MARKS: usize = 2_000;
/// How long the last words of a program that has ended are waited for, when another process holds its terminal.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// What all panes share.
pub(crate) struct Common {
    pub(crate) events: broadcast::Sender<PaneEvent>,
    pub(crate) timer: Timer,
    pub(crate) clock: Clock,
    pub(crate) grace: Duration,
    pub(crate) theme: Mutex<Colours>,
}

/// How a pane is set up.
pub(crate) struct Setup {
    pub(crate) id: PaneId,
    pub(crate) command: Command,
    /// As people know it: without what shell integration adds.
    pub(crate) program: Vec<String>,
    pub(crate) is_shell: bool,
    pub(crate) role: PaneRole,
    pub(crate) name: Option<String>,
    pub(crate) private: bool,
    pub(crate) size: PaneSize,
    pub(crate) limits: ScrollbackLimits,
    /// Where its lines are kept on disk; none: nowhere.
    pub(crate) history: Option<History>,
    /// What is kept of the program beside that.
    pub(crate) recording: Option<Recording>,
}

/// A program that runs, and that nobody reads and waits for yet: see [`Pane::follow`].
pub(crate) struct Running {
    child: Child,
    recorder: Option<Recorder>,
}

/// A pane. Its threads hold it too, until its program and all that it left behind have ended.
pub(crate) struct Pane {
    pub(crate) id: PaneId,
    me: Weak<Pane>,
    common: Arc<Common>,
    core: Mutex<Core>,
    /// Signalled when the program has ended.
    ended: Condvar,
    input: Input,
    pty: Pty,
    is_shell: bool,
    program: Vec<String>,
    role: PaneRole,
    private: bool,
    opened_at: u64,
}

/// What the lock guards.
struct Core {
    screen: Screen,
    ring: Scrollback,
    history: Option<PaneHistory>,
    sampler: Sampler,
    /// No line before this one is shown again: the program cleared the scrollback.
    floor: LineId,
    marks: VecDeque<CommandMark>,
    watch: Watch,
    name: Option<String>,
    title: String,
    /// As the shell told; none: it never did.
    cwd: Option<String>,
    started_in: String,
    command: Option<String>,
    last_exit: Option<i32>,
    state: PaneState,
    ended_at: Option<u64>,
    streams: Vec<Arc<Stream>>,
    /// The synchronized update that the program is within, and since when.
    update: Option<(u64, Instant)>,
    closed: bool,
    /// Something that others are told of has changed, since when they were told last.
    changed: bool,
    told_at: Option<Instant>,
    /// Where it worked, and whether it was busy, when others were told last.
    told: (String, bool),
    telling: bool,
    /// Notifications left before the next second.
    words: u32,
    words_at: u64,
    /// When output came last, and whether somebody will look whether it is over.
    output_at: Instant,
    trimming: bool,
}

/// The screen's output, on its way into a pane.
struct Taking<'a> {
    ring: &'a mut Scrollback,
    history: Option<&'a PaneHistory>,
    sampler: &'a mut Sampler,
    now: Instant,
    said: Vec<(Said, u64)>,
}

impl Sink for Taking<'_> {
    fn line(&mut self, line: &StyledLine) {
        let id = self.ring.push(line);
        if let Some(history) = self.history {
            history.append(id, line);
        }
    }

    fn said(&mut self, what: Said, line: u64) {
        self.said.push((what, line));
    }

    fn picture_goes(&mut self, how: Going, rows: impl FnOnce() -> Vec<String>) {
        let Some(history) = self.history else { return };
        match how {
            Going::Next => {
                if self.sampler.is_due_amid(self.now) {
                    history.append_full_screen(&self.sampler.look(self.now, rows()));
                }
            }
            Going::Last => {
                history.append_full_screen(&self.sampler.look_for_all(self.now, rows()));
                self.sampler.end();
            }
        }
    }
}

impl Pane {
    /// Starts the program.
    pub(crate) fn open(setup: Setup, common: Arc<Common>) -> io::Result<(Arc<Pane>, Running)> {
        let Started { pty, child, stdout } = Pty::start(&setup.command, setup.size)?;
        let input = Input::new(setup.id, Arc::clone(pty.file()));
        let recorder = setup
            .recording
            .zip(stdout)
            .map(|(recording, stdout)| Recorder::new(recording, stdout));
        let opened_at = common.clock.now_ms();
        let theme = *common.theme.lock();
        let cwd = setup.command.cwd.to_string_lossy().into_owned();
        let history = setup.history.map(|history| {
            history.begin(ClosedPane {
                id: setup.id,
                program: setup.program.clone(),
                role: setup.role,
                cwd: cwd.clone(),
                title: String::new(),
                name: setup.name.clone(),
                command: None,
                opened_at,
                ended_at: None,
            })
        });
        let pane = Arc::new_cyclic(|me| Pane {
            id: setup.id,
            me: me.clone(),
            core: Mutex::new(Core {
                screen: Screen::new(setup.size, theme),
                ring: Scrollback::new(setup.limits),
                history,
                sampler: Sampler::default(),
                floor: LineId(0),
                marks: VecDeque::new(),
                watch: Watch::default(),
                name: setup.name,
                title: String::new(),
                cwd: None,
                started_in: cwd,
                command: None,
                last_exit: None,
                state: PaneState::Running { pid: pty.pid() },
                ended_at: None,
                streams: Vec::new(),
                update: None,
                closed: false,
                changed: false,
                told_at: None,
                told: (String::new(), false),
                telling: false,
                words: 0,
                words_at: 0,
                output_at: Instant::now(),
                trimming: false,
            }),
            common,
            ended: Condvar::new(),
            input,
            pty,
            is_shell: setup.is_shell,
            program: setup.program,
            role: setup.role,
            private: setup.private,
            opened_at,
        });
        Ok((pane, Running { child, recorder }))
    }

    /// Starts the thread that reads what the program writes and waits for its end. `ended_well` is called when a
    /// recorded program has ended with status 0 and its recording is whole.
    ///
    /// # Errors
    ///
    /// The system gives no more threads; the program was killed then.
    pub(crate) fn follow(
        self: &Arc<Self>,
        running: Running,
        ended_well: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let pane = Arc::clone(self);
        std::thread::Builder::new()
            .name(format!("pty-reader {}", self.id))
            .stack_size(256 * 1024)
            .spawn(move || pane.read(running, ended_well))
            .map(drop)
            .inspect_err(|_| {
                self.pty.signal(&[Signal::KILL]);
            })
    }

    /// The reader's thread.
    fn read(&self, running: Running, ended_well: impl FnOnce()) {
        let Running {
            child,
            mut recorder,
        } = running;
        let mut buffer = Vec::new();
        // The terminal, as long as somebody has it, and the program's end.
        let (mut open, mut ended) = (true, None);
        let mut last_words = None;
        let state = loop {
            let stdout = recorder.as_ref().and_then(Recorder::stdout);
            let mut wait = None;
            if let Some(state) = &ended {
                let mut left = LAST_WORDS;
                if stdout.is_none() {
                    let until = *last_words.get_or_insert_with(|| Instant::now() + LAST_WORDS);
                    left = until.saturating_duration_since(Instant::now());
                    if !open || left.is_zero() {
                        break PaneState::clone(state);
                    }
                }
                wait = Some(left);
            }
            let terminal = open.then(|| self.pty.file().as_fd());
            let program = ended.is_none().then(|| child.as_fd());
            let [printed, written, gone] = readable([terminal, stdout, program], wait);
            if let Some(recorder) = &mut recorder {
                if written {
                    self.take_all(&recorder.read(room(&mut buffer)));
                } else if ended.is_some() && self.core.lock().closed {
                    // Another session may hold it for ever.
                    recorder.give_up();
                }
            }
            if printed {
                open = self.read_terminal(room(&mut buffer));
            }
            if gone {
                ended = Some(child.wait());
                self.pty.reaped();
            }
        };
        drop(child);
        if self.end(state, recorder) {
            ended_well();
        }
        // What it left behind may write on.
        while open {
            open = self.read_terminal(room(&mut buffer));
        }
    }

    /// Takes in what was printed, once something was. Says whether there may be more.
    fn read_terminal(&self, buffer: &mut [u8]) -> bool {
        match self.pty.read(buffer) {
            Ok(count) => {
                self.take_all(&buffer[..count]);
                count > 0
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => true,
            Err(error) => {
                tracing::debug!(pane = %self.id, %error, "reading ended");
                false
            }
        }
    }

    /// The program has ended: others are told. Says whether it did well and is recorded.
    fn end(&self, state: PaneState, recorder: Option<Recorder>) -> bool {
        let well = matches!(state, PaneState::Exited { code: Some(0), .. });
        let mut recorded = false;
        if let Some(mut recorder) = recorder
            && !self.core.lock().closed
        {
            match recorder.finish(&state) {
                Ok(()) => recorded = true,
                Err(error) => {
                    let out = recorder.out().display();
                    self.send(PaneEvent::Warned {
                        id: Some(self.id),
                        message: format!("what it printed could not be kept in `{out}`: {error}"),
                    });
                }
            }
        }
        {
            let mut core = self.core.lock();
            core.state = state;
            core.ended_at = Some(self.common.clock.now_ms());
            core.watch.exited(well);
            for stream in &core.streams {
                stream.ended();
            }
            // At once: somebody may wait for nothing but this, as the next step of a flow does.
            if !core.closed {
                self.tell_now(&mut core);
            }
        }
        self.input.close();
        self.ended.notify_all();
        recorded && well
    }

    /// Takes in what the program wrote.
    fn take_all(&self, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            let mut core = self.core.lock();
            self.take(&mut core, piece);
            // Somebody who waits for the lock is next, not this thread again.
            MutexGuard::unlock_fair(core);
        }
        self.tell();
    }

    fn take(&self, core: &mut Core, bytes: &[u8]) {
        if !core.streams.iter().any(|stream| stream.awaits_picture()) {
            self.take_in(core, bytes);
            return;
        }
        // Somebody waits for the end of an update: looked at where it is, for the next may begin right behind it.
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = memchr::memmem::find(rest, UPDATE_ENDS)
                .map_or(rest.len(), |at| at + UPDATE_ENDS.len());
            self.take_in(core, &rest[..end]);
            rest = &rest[end..];
            if core.update.is_none() {
                let Core {
                    screen,
                    ring,
                    floor,
                    streams,
                    ..
                } = core;
                for stream in streams.iter() {
                    stream.picture_is_whole(|rows| snapshot(screen, ring, *floor, rows));
                }
            }
        }
    }

    fn take_in(&self, core: &mut Core, bytes: &[u8]) {
        let now = Instant::now();
        if core.sampler.is_due(now) && !core.within_update(now) {
            core.sample(now, Sampler::look);
        }
        let mut taking = Taking {
            ring: &mut core.ring,
            history: core.history.as_ref(),
            sampler: &mut core.sampler,
            now,
            said: Vec::new(),
        };
        core.screen.feed(bytes, &mut taking);
        let said = taking.said;
        core.follow_update(now);
        if core.history.is_some() && core.screen.full_screen() {
            core.sampler.wrote(now);
        }
        for stream in &core.streams {
            stream.push(bytes);
        }
        for (what, line) in said {
            self.heard(core, what, LineId(line));
        }
        core.output_at = Instant::now();
        if !core.trimming {
            core.trimming = true;
            self.trim_later();
        }
    }

    /// Gives memory back once the pane has been quiet for a while; until then, and then, its screen is noted, and others
    /// are told if it works elsewhere than they think.
    fn trim_later(&self) {
        let me = self.me.clone();
        self.common.timer.after(QUIET, move || {
            let Some(pane) = me.upgrade() else { return };
            let mut core = pane.core.lock();
            if core.sampler.has_unseen() {
                core.sample(Instant::now(), Sampler::look);
            }
            if let Some(history) = &core.history {
                history.note_screen(core.ring.next_id(), &core.screen.lines());
            }
            if core.output_at.elapsed() < QUIET {
                pane.trim_later();
            } else {
                core.trimming = false;
                core.screen.trim();
            }
            // Nothing tells when a program begins or goes elsewhere; its output is the occasion to look.
            core.changed |= pane.works_in(&core) != core.told;
            drop(core);
            pane.tell();
        });
    }

    fn heard(&self, core: &mut Core, what: Said, line: LineId) {
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

    fn send(&self, event: PaneEvent) {
        // Nobody listening is not an error.
        let _ = self.common.events.send(event);
    }

    /// Tells of changes, now or a little later.
    fn tell(&self) {
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

    fn tell_now(&self, core: &mut Core) {
        core.changed = false;
        core.told_at = Some(Instant::now());
        let pane = self.info_of(core);
        core.told = (pane.cwd.clone(), pane.busy);
        if let Some(history) = &core.history {
            history.describe(|kept| kept.follow(&pane));
        }
        self.send(PaneEvent::Changed { pane });
    }

    /// What is known of the pane.
    pub(crate) fn info(&self) -> PaneInfo {
        self.info_of(&self.core.lock())
    }

    /// The directory that is worked in, and whether a program other than the shell works there.
    ///
    /// A shell says where it is, with the names that the person typed, but only before a prompt: while a program
    /// runs, as after `cd there && agent`, the program itself is asked.
    fn works_in(&self, core: &Core) -> (String, bool) {
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

    fn info_of(&self, core: &Core) -> PaneInfo {
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

    /// Queues `bytes` for the program.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Refused> {
        self.input.push(bytes)?;
        {
            let mut core = self.core.lock();
            let before = core.watch.value();
            core.watch.typed(self.common.clock.now_ms());
            core.changed |= before != core.watch.value();
        }
        self.tell();
        Ok(())
    }

    pub(crate) fn seen(&self) {
        {
            let mut core = self.core.lock();
            let before = core.watch.value();
            core.watch.seen();
            core.changed |= before != core.watch.value();
        }
        self.tell();
    }

    pub(crate) fn rename(&self, name: Option<String>) {
        {
            let mut core = self.core.lock();
            core.changed |= core.name != name;
            core.name = name;
        }
        self.tell();
    }

    pub(crate) fn resize(&self, size: PaneSize) {
        {
            let mut core = self.core.lock();
            if core.screen.size() == size {
                return;
            }
            let core = &mut *core;
            let now = Instant::now();
            // Narrower rows are cut.
            core.sample(now, Sampler::look_for_all);
            let mut taking = Taking {
                ring: &mut core.ring,
                history: core.history.as_ref(),
                sampler: &mut core.sampler,
                now,
                said: Vec::new(),
            };
            core.screen.resize(size, &mut taking);
            core.changed = true;
        }
        if let Err(error) = self.pty.resize(size) {
            // The program has just ended; its last picture still gets the new size.
            tracing::debug!(pane = %self.id, %error, "could not tell the program its size");
        }
        self.tell();
    }

    /// Sets the colours that the program is told when it asks.
    pub(crate) fn set_colours(&self, theme: Colours) {
        self.core.lock().screen.set_colours(theme);
    }

    /// Adds a stream to a window.
    pub(crate) fn attach(&self, stream: Arc<Stream>) {
        let mut core = self.core.lock();
        if core.closed {
            stream.closed();
        }
        if core.ended_at.is_some() {
            stream.ended();
        }
        core.streams.push(stream);
    }

    pub(crate) fn detach(&self, stream: &Arc<Stream>) {
        self.core
            .lock()
            .streams
            .retain(|other| !Arc::ptr_eq(other, stream));
    }

    /// Makes a snapshot; `sent` is called before any output can follow it. Amid a synchronized update there is none
    /// yet: `wait` is called instead, and the answer says how long to wait for [`Stream::picture_is_whole`].
    pub(crate) fn snapshot_for(
        &self,
        rows: u32,
        sent: impl FnOnce(&Snapshot),
        wait: impl FnOnce(),
    ) -> Result<Snapshot, Duration> {
        let mut core = self.core.lock();
        let core = &mut *core;
        if let Some(left) = core.update_left(Instant::now()) {
            wait();
            return Err(left);
        }
        let snapshot = snapshot(&mut core.screen, &core.ring, core.floor, rows);
        sent(&snapshot);
        Ok(snapshot)
    }

    pub(crate) fn marks(&self) -> Vec<CommandMark> {
        self.core.lock().marks.iter().cloned().collect()
    }

    /// What is on screen, as plain text.
    pub(crate) fn screen_text(&self) -> ScreenText {
        self.core.lock().screen.text()
    }

    /// What the pane holds now, for a search or a reader: no lock is held once it is made.
    pub(crate) fn content(&self) -> PaneText {
        let mut core = self.core.lock();
        core.sample(Instant::now(), Sampler::look_for_all);
        PaneText {
            pane: self.id,
            ring: core.ring.snapshot(),
            screen: core.screen.lines(),
            history: core.history.as_ref().map(PaneHistory::reader),
        }
    }

    /// Bytes that wait for the program.
    pub(crate) fn waiting(&self) -> usize {
        self.input.waiting()
    }

    /// Bytes that the scrollback takes.
    pub(crate) fn memory(&self) -> usize {
        self.core.lock().ring.memory()
    }

    /// Ends the program and all that it started: hangs up now, kills after the grace period.
    pub(crate) fn close(&self) {
        let mut kept = None;
        {
            let mut core = self.core.lock();
            if core.closed {
                return;
            }
            core.closed = true;
            core.sample(Instant::now(), Sampler::look_for_all);
            if let Some(history) = core.history.take() {
                history.describe(|kept| kept.follow(&self.info_of(&core)));
                kept = Some((history, core.screen.lines()));
            }
            for stream in core.streams.drain(..) {
                stream.closed();
            }
        }
        let left = self.hang_up();
        // Written without the lock, and after the hang-up: the disk may be slow.
        if let Some((history, screen)) = kept {
            history.close(&screen);
        }
        if left && let Some(pane) = self.me.upgrade() {
            self.common
                .timer
                .after(self.common.grace, move || pane.kill());
        }
    }

    /// Sends the hang-up, and wakes what is stopped so that it hears it. Says whether anybody is there to hear it.
    fn hang_up(&self) -> bool {
        self.pty.signal(&[Signal::HUP, Signal::CONT])
    }

    /// Kills what is left.
    pub(crate) fn kill(&self) {
        self.pty.signal(&[Signal::KILL]);
        self.input.close();
    }

    /// Waits until the program has ended and nothing of its session is left; says whether that was in time.
    pub(crate) fn wait_ended(&self, deadline: Instant) -> bool {
        let mut core = self.core.lock();
        while core.ended_at.is_none() {
            if self.ended.wait_until(&mut core, deadline).timed_out() {
                return core.ended_at.is_some();
            }
        }
        true
    }
}

/// Waits until something can be read, and says what of it; nothing once `wait` is over.
fn readable<const N: usize>(
    from: [Option<BorrowedFd<'_>>; N],
    wait: Option<Duration>,
) -> [bool; N] {
    let mut polled: Vec<_> = from
        .iter()
        .flatten()
        .map(|descriptor| PollFd::from_borrowed_fd(*descriptor, PollFlags::IN))
        .collect();
    let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
    match poll(&mut polled, wait.as_ref()) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return [false; N],
        Err(error) => {
            // Then they are read one after another, each for as long as it takes.
            tracing::warn!(%error, "could not wait for a program");
            return from.map(|descriptor| descriptor.is_some());
        }
    }
    let mut ready = polled.iter().map(|polled| !polled.revents().is_empty());
    from.map(|descriptor| descriptor.is_some() && ready.next().unwrap_or(false))
}

/// A buffer to read into, made when there is something to read.
fn room(buffer: &mut Vec<u8>) -> &mut [u8] {
    if buffer.is_empty() {
        buffer.resize(READ, 0);
    }
    buffer
}

impl Core {
    /// Notes whether the program is within a synchronized update, and since when.
    fn follow_update(&mut self, now: Instant) {
        self.update = self.screen.update().map(|update| match self.update {
            Some((known, since)) if known == update => (known, since),
            _ => (update, now),
        });
    }

    /// How long the picture may stay half for the sake of an update; nothing when it is whole, or that was too long.
    fn update_left(&self, now: Instant) -> Option<Duration> {
        let (_, since) = self.update?;
        UPDATE
            .checked_sub(now.saturating_duration_since(since))
            .filter(|left| !left.is_zero())
    }

    fn within_update(&self, now: Instant) -> bool {
        self.update_left(now).is_some()
    }

    /// Keeps what `look` finds worth keeping of what a full-screen program shows.
    fn sample(
        &mut self,
        now: Instant,
        look: fn(&mut Sampler, Instant, Vec<String>) -> Vec<StyledLine>,
    ) {
        if let Some(history) = &self.history
            && self.screen.full_screen()
        {
            history.append_full_screen(&look(&mut self.sampler, now, self.screen.rows()));
        }
    }

    /// The mark of the command at hand.
    fn mark(&mut self, line: LineId) -> &mut CommandMark {
        if self.marks.is_empty() {
            self.marks.push_back(CommandMark::at(line));
        }
        let last = self.marks.len() - 1;
        &mut self.marks[last]
    }

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
