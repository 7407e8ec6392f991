//! One pane: its PTY, screen and scrollback, and the threads it owns.
//!
//! Two threads: `pty-reader` takes what the program writes and notes its end, `pty-writer`, once something is typed,
//! gives it that. They meet in [`Core`], behind one lock that is held for a piece of a chunk at a time.

mod keys_first;
mod marks;
mod reading;
mod telling;
mod update;

use std::io;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::process::Signal;
use tokio::sync::broadcast;

pub(crate) use self::keys_first::LastKey;
use self::marks::Marks;
use self::reading::{Quiet, Taking};
use self::telling::{About, SamePlace, Telling};
use self::update::Update;
use crate::attach::{Awaited, Frame, Stream};
use crate::attention::Watch;
use crate::earlier::Earlier;
use crate::history::{ClosedPane, History, PaneHistory};
use crate::image::PlacedImage;
use crate::input::{Input, Refused};
use crate::lines::PaneText;
use crate::pty::{self, Child, Command, Pty, Started};
use crate::recorder::Recorder;
use crate::sample::Sampler;
use crate::screen::{Colours, Going, Said, Screen, Sink, View};
use crate::scrollback::{Scrollback, ScrollbackLimits};
use crate::snapshot::snapshot;
use crate::styled::StyledLine;
use crate::timer::Timer;
use crate::types::{
    CellSize, CommandMark, LineId, PaneEvent, PaneId, PaneInfo, PaneRole, PaneSize, PaneState,
    Recording, ScreenText,
};
use clock::Clock;

/// What all panes share.
pub(crate) struct Common {
    pub(crate) events: broadcast::Sender<PaneEvent>,
    pub(crate) timer: Timer,
    pub(crate) clock: Clock,
    pub(crate) grace: Duration,
    pub(crate) theme: Mutex<Colours>,
    pub(crate) last_key: LastKey,
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
    pub(crate) profile: Option<String>,
    pub(crate) size: PaneSize,
    pub(crate) limits: ScrollbackLimits,
    /// What stands above all that it prints.
    pub(crate) earlier: Earlier,
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
    profile: Option<String>,
    opened_at: u64,
}

/// What the lock guards.
struct Core {
    screen: Screen,
    ring: Scrollback,
    history: Option<PaneHistory>,
    sampler: Sampler,
    /// The first line that is the pane's own: those before are other panes', and only shown.
    own_from: LineId,
    /// No line before this one is shown again: the program cleared the scrollback.
    floor: LineId,
    marks: Marks,
    watch: Watch,
    about: About,
    streams: Vec<Arc<Stream>>,
    update: Update,
    closed: bool,
    telling: Telling,
    quiet: Quiet,
}

impl Pane {
    /// Starts the program.
    pub(crate) fn open(mut setup: Setup, common: Arc<Common>) -> io::Result<(Arc<Pane>, Running)> {
        let wanted = setup.recording.as_ref();
        let answer = match wanted.and_then(|recording| recording.answer.as_ref()) {
            Some(answer) => {
                let (file, path) = pty::in_memory(&answer.variable)?;
                let env = &mut setup.command.env;
                env.insert(answer.variable.clone().into(), path.into());
                Some(file)
            }
            None => None,
        };
        let Started { pty, child, stdout } = Pty::start(&setup.command, setup.size)?;
        let input = Input::new(setup.id, Arc::clone(pty.file()));
        let recorder = setup
            .recording
            .zip(stdout)
            .map(|(recording, stdout)| Recorder::new(recording, stdout, answer));
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
                continues: setup.earlier.ends.last().map(|end| end.pane),
                opened_at,
                ended_at: None,
            })
        });
        let own_from = setup.earlier.own_from();
        if let Some(history) = &history {
            history.begins_with(own_from);
        }
        let mut screen = Screen::new(setup.size, theme);
        let mut shown = Shown(Scrollback::new(setup.limits));
        screen.feed(&setup.earlier.bytes, &mut shown);
        let pane = Arc::new_cyclic(|me| Pane {
            id: setup.id,
            me: me.clone(),
            core: Mutex::new(Core {
                screen,
                ring: shown.0,
                history,
                sampler: Sampler::default(),
                own_from,
                floor: LineId(0),
                marks: Marks::default(),
                watch: Watch::default(),
                about: About {
                    name: setup.name,
                    title: String::new(),
                    progress: None,
                    cwd: None,
                    same: SamePlace::default(),
                    started_in: cwd,
                    state: PaneState::Running { pid: pty.pid() },
                    held: None,
                    ended_at: None,
                    earlier: setup.earlier.ends,
                },
                streams: Vec::new(),
                update: Update::default(),
                closed: false,
                telling: Telling::default(),
                quiet: Quiet::default(),
            }),
            common,
            ended: Condvar::new(),
            input,
            pty,
            is_shell: setup.is_shell,
            program: setup.program,
            role: setup.role,
            private: setup.private,
            profile: setup.profile,
            opened_at,
        });
        Ok((pane, Running { child, recorder }))
    }

    /// What is known of the pane.
    pub(crate) fn info(&self) -> PaneInfo {
        let mut core = self.core.lock();
        self.look(&mut core);
        self.info_of(&core)
    }

    /// Queues `bytes` for the program.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Refused> {
        self.common.last_key.typed(self.id, Instant::now());
        self.input.push(bytes)?;
        {
            let mut core = self.core.lock();
            let before = core.watch.value();
            core.watch.typed(self.common.clock.now_ms());
            core.telling.changed |= before != core.watch.value();
        }
        self.tell();
        Ok(())
    }

    pub(crate) fn seen(&self) {
        {
            let mut core = self.core.lock();
            let before = core.watch.value();
            core.watch.seen();
            core.telling.changed |= before != core.watch.value();
        }
        self.tell();
    }

    pub(crate) fn rename(&self, name: Option<String>) {
        {
            let mut core = self.core.lock();
            core.telling.changed |= core.about.name != name;
            core.about.name = name;
        }
        self.tell();
    }

    pub(crate) fn resize(&self, size: PaneSize) {
        let cell = {
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
                own_from: core.own_from,
                history: core.history.as_ref(),
                sampler: &mut core.sampler,
                streams: &[],
                now,
                said: Vec::new(),
            };
            core.screen.resize(size, &mut taking);
            for stream in &core.streams {
                stream.laid_out_anew();
            }
            core.telling.changed = true;
            core.screen.cell()
        };
        self.resize_terminal(size, cell);
        self.tell();
    }

    /// Takes the size of a cell, which the program is told when it asks, and by the terminal's size in pixels.
    pub(crate) fn set_cell(&self, cell: CellSize) {
        let size = {
            let mut core = self.core.lock();
            if core.screen.cell() == cell {
                return;
            }
            core.screen.set_cell(cell);
            core.screen.size()
        };
        self.resize_terminal(size, cell);
    }

    /// The image with this number.
    pub(crate) fn image(&self, number: u32) -> Option<PlacedImage> {
        self.core.lock().screen.image(number)
    }

    fn resize_terminal(&self, size: PaneSize, cell: CellSize) {
        if let Err(error) = self.pty.resize(size, cell) {
            // The program has just ended; its last picture still gets the new size.
            tracing::debug!(pane = %self.id, %error, "could not tell the program its size");
        }
    }

    /// Sets the colours that the program is told when it asks.
    pub(crate) fn set_colours(&self, theme: Colours) {
        let told = self.core.lock().screen.set_colours(theme);
        if let Some(told) = told {
            // A program that does not read is not told.
            let _ = self.input.push(told.as_bytes());
        }
    }

    /// Adds a stream to a window.
    pub(crate) fn attach(&self, stream: Arc<Stream>) {
        let mut core = self.core.lock();
        if core.closed {
            stream.closed();
        }
        if core.about.ended_at.is_some() {
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

    /// Makes what a window is to be sent next. Amid a synchronized update there is nothing yet: it is made when that is
    /// over, or of what there is once it has taken too long.
    pub(crate) fn draw_for(&self, stream: &Stream, what: Awaited) -> Drawing {
        let mut core = self.core.lock();
        if let Some(left) = core.update.left(Instant::now()) {
            stream.await_picture(what);
            return Drawing::Amid(left);
        }
        match core.draw(stream, what) {
            Some(frame) => Drawing::Made(frame),
            None => Drawing::Nothing,
        }
    }

    /// The commands that the shell marked, oldest first.
    pub(crate) fn marks(&self) -> Vec<CommandMark> {
        self.core.lock().marks.all()
    }

    /// The closed panes whose lines stand above its own.
    pub(crate) fn earlier_panes(&self) -> Vec<PaneId> {
        let core = self.core.lock();
        core.about.earlier.iter().map(|end| end.pane).collect()
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
            ring: core.ring.snapshot().without_before(core.own_from),
            screen: core.own_screen().1,
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
                kept = Some((history, core.own_screen().1));
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
        while core.about.ended_at.is_none() {
            if self.ended.wait_until(&mut core, deadline).timed_out() {
                return core.about.ended_at.is_some();
            }
        }
        true
    }
}

/// What drawing for a window came to.
pub(crate) enum Drawing {
    Made(Frame),
    /// Nothing has changed, or something else is to be sent.
    Nothing,
    /// The picture is half: for so long it may be.
    Amid(Duration),
}

/// Lines that are shown, and nothing else: other panes'.
struct Shown(Scrollback);

impl Sink for Shown {
    fn line(&mut self, line: &StyledLine) {
        self.0.push(line);
    }

    fn said(&mut self, _: Said, _: u64) {}

    fn picture_goes(&mut self, _: Going, _: impl FnOnce() -> Vec<String>) {}

    fn rows_leave(&mut self, _: &View<'_>) {}
}

impl Core {
    /// What the pane itself has on screen: the lines that have not left it, and the number of the first.
    fn own_screen(&self) -> (LineId, Vec<StyledLine>) {
        let next = self.ring.next_id();
        let others = self.own_from.0.saturating_sub(next.0) as usize;
        let lines = self.screen.lines().into_iter().skip(others).collect();
        (next.max(self.own_from), lines)
    }

    /// Draws for a window, whatever the screen shows.
    fn draw(&mut self, stream: &Stream, what: Awaited) -> Option<Frame> {
        match what {
            Awaited::Changes => stream.draw(self.screen.top_line(), |drawn, ink| {
                self.screen.draw(drawn, ink)
            }),
            Awaited::Snapshot { light } => {
                let rows = stream.rows(light);
                let (snapshot, drawn) = snapshot(&mut self.screen, &self.ring, self.floor, rows);
                Some(stream.snapshot_made(snapshot, drawn, light))
            }
        }
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
}
