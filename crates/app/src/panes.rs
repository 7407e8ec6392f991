//! Panes, wherever they live: in the pane host's process or in this one.

use std::sync::Arc;
use std::time::Duration;

use host::{ConnectError, HostAttachment, HostError, HostEvent};
use terminal::ask::{Ask, Open, OpenRecorded, Write};
use terminal::{AttachOptions, Environment, OpenPane, PaneEvent, PaneId, PaneInfo, Recording};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::machines::machine_of;
use crate::{App, Code, Error, HostState, MachineId, News, Subject, editing, profiles};

/// How long to wait between attempts to reach a host that went away.
const RECONNECT_EVERY: Duration = Duration::from_millis(500);

/// How much is typed at a time: less than a pane lets wait for its program.
const PIECE: usize = 16 * 1024;
/// How long a program may take to read one piece.
const PATIENCE: Duration = Duration::from_secs(10);
/// How soon a program that was slow to read is tried again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

impl App {
    /// Opens a pane; what is not said comes from its profile, if it names one, and then from the settings: the shell, the
    /// scrollback, the shell integration.
    /// Its program has the environment that this process has now, whatever the pane host was started with.
    ///
    /// # Errors
    ///
    /// [`Code::NotStarted`] when the program or the directory can't be used, [`Code::BadParams`]
    /// for a size out of range or an unknown profile, [`Code::HostDown`].
    pub async fn open_pane(&self, request: OpenPane) -> Result<PaneInfo, Error> {
        // In the place of a pane of another machine, it is one of that machine.
        if let Some(machine) = request.continues.and_then(MachineId::of_pane) {
            return self.open_pane_on(machine, request).await;
        }
        let request = self.as_we_open(request)?;
        self.ask(Open(request)).await
    }

    /// Opens a pane that is recorded, as [`App::open_pane`] would open it. See [`Panes::open_recorded`].
    ///
    /// # Errors
    ///
    /// As for [`App::open_pane`].
    pub(crate) async fn open_recorded(
        &self,
        request: OpenPane,
        recording: Recording,
    ) -> Result<PaneInfo, Error> {
        let request = self.as_we_open(request)?;
        self.ask(OpenRecorded {
            pane: request,
            recording,
        })
        .await
    }

    fn as_we_open(&self, mut request: OpenPane) -> Result<OpenPane, Error> {
        let settings = self.settings();
        let home = editing::home().unwrap_or_default();
        profiles::complete(&mut request, &settings, &home)?;
        if request.program.is_none() {
            request.program = settings.shell;
        }
        request.scrollback_lines = request.scrollback_lines.or(Some(settings.scrollback_lines));
        request.no_shell_integration |= !settings.shell_integration;
        request.private |= settings.history.keep_days == 0;
        request.environment = Environment::here();
        Ok(request)
    }

    /// Asks about panes: what [`terminal::ask`] has, wherever they live. To open one, see [`App::open_pane`].
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is no such pane, [`Code::BadParams`] for a value out of range, [`Code::HostDown`]; and
    /// what the question says.
    pub async fn ask<A: Ask>(&self, mut question: A) -> Result<A::Answer, Error> {
        if let Some(machine) = machine_of(&mut question) {
            return self.ask_on(machine, question).await;
        }
        Ok(self.0.panes.ask(question).await?)
    }

    /// Asks for something to be done to a pane, and does not wait for it. What is told and asked is done in that order.
    /// Refused, it is told of as [`PaneEvent::Warned`].
    ///
    /// # Errors
    ///
    /// [`Code::HostDown`] when the host is known to be gone, [`Code::BadParams`] when it is too long to be sent.
    pub fn tell(&self, question: impl Ask<Answer = ()>) -> Result<(), Error> {
        let mut question = question;
        if let Some(machine) = machine_of(&mut question) {
            return self.tell_on(machine, question);
        }
        Ok(self.0.panes.tell(question)?)
    }

    /// Types into a pane, however much it is: a program that is slow to read is waited for, 10 s at a time.
    ///
    /// # Errors
    ///
    /// [`Code::NotReading`] when its program does not read at all, [`Code::BadId`], [`Code::HostDown`].
    pub async fn type_into(&self, pane: PaneId, bytes: &[u8]) -> Result<(), Error> {
        for piece in bytes.chunks(PIECE) {
            let deadline = Instant::now() + PATIENCE;
            loop {
                let bytes = piece.to_vec();
                match self.ask(Write { pane, bytes }).await {
                    Err(error) if error.code == Code::NotReading && Instant::now() < deadline => {
                        tokio::time::sleep(LOOK_AGAIN).await;
                    }
                    Err(error) => return Err(error),
                    Ok(()) => break,
                }
            }
        }
        Ok(())
    }

    /// Shows a pane: a snapshot first, then what it prints. Dropping the stream ends it, not the pane.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::HostDown`].
    pub async fn attach_pane(
        &self,
        pane: PaneId,
        options: AttachOptions,
    ) -> Result<HostAttachment, Error> {
        if let Some(machine) = MachineId::of_pane(pane) {
            return self.attach_pane_on(machine, pane, options).await;
        }
        Ok(self.0.panes.attach(pane, options).await?)
    }

    /// Whether panes go on when this process ends.
    pub fn panes_outlive_us(&self) -> bool {
        self.0.here.is_none()
    }

    /// Carries the events of the panes to the readers of [`App::news`], and keeps the connection to the host.
    pub(crate) fn follow_panes(&self) {
        let app = Arc::downgrade(&self.0);
        let mut events = self.0.panes.events();
        self.spawn(async move {
            loop {
                let event = match events.recv().await {
                    Ok(event) => event,
                    Err(RecvError::Lagged(_)) => HostEvent::Pane(PaneEvent::Lagged),
                    Err(RecvError::Closed) => break,
                };
                let Some(inner) = app.upgrade() else { break };
                let app = App(inner);
                match event {
                    HostEvent::Pane(PaneEvent::Lagged) => app.panes_missed(),
                    HostEvent::Pane(event) => {
                        app.0.awaited.heard(&event);
                        app.emit(News::Pane(event));
                    }
                    HostEvent::Up { restarted } => app.host_is_up(restarted),
                    HostEvent::Down { message } => {
                        app.emit(News::Host(HostState::Down { message }));
                        app.spawn_reconnect();
                    }
                }
            }
        });
    }

    fn host_is_up(&self, restarted: bool) {
        let state = if restarted {
            HostState::Restarted {
                message: "the pane host ended, and with it the programs in its panes; \
                          what they printed is still in the history"
                    .to_owned(),
            }
        } else {
            HostState::Up
        };
        self.emit(News::Host(state));
        self.panes_missed();
    }

    /// What happened to panes was not all heard.
    fn panes_missed(&self) {
        self.0.awaited.missed();
        self.emit(News::Missed(Subject::Panes));
    }

    /// Whether the pane host can be reached.
    pub fn host_state(&self) -> HostState {
        match self.0.panes.is_down() {
            false => HostState::Up,
            true => HostState::Down {
                message: "the pane host can't be reached".to_owned(),
            },
        }
    }

    /// Tries to reach the host again until it answers or we end.
    fn spawn_reconnect(&self) {
        let app = Arc::downgrade(&self.0);
        self.spawn(async move {
            loop {
                {
                    let Some(inner) = app.upgrade() else { return };
                    match inner.panes.reconnect().await {
                        Ok(()) => return,
                        Err(error) => tracing::warn!("the pane host can't be reached: {error}"),
                    }
                }
                tokio::time::sleep(RECONNECT_EVERY).await;
            }
        });
    }
}

impl From<HostError> for Error {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Refused(refusal) => refusal.into(),
            other => Self::from_chain(Code::HostDown, &other),
        }
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        let code = match error {
            ConnectError::OtherVersion { .. } => Code::HostVersion,
            _ => Code::HostDown,
        };
        Self::from_chain(code, &error)
    }
}
