//! Panes, wherever they live: in the pane host's process or in this one.

use std::sync::Arc;

use host::{ConnectError, HostClient, HostError, HostEvent, Refusal};
use terminal::{
    AttachOptions, ClosedPane, CommandMark, Line, OpenPane, PaneEvent, PaneId, PaneInfo, PaneSize,
    Panes, ReadLines, Recording, Theme,
};
use tokio::sync::broadcast::error::RecvError;

use crate::{App, AppEvent, Code, Error, HostState};

/// How long to wait between attempts to reach a host that went away.
const RECONNECT_EVERY: std::time::Duration = std::time::Duration::from_millis(500);

/// What belongs to the session in which a person sits now. The pane host may have been started in
/// another one, whose display and keys are gone.
const OF_THE_SESSION: [&str; 9] = [
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "SSH_AGENT_PID",
    "SSH_AUTH_SOCK",
    "SSH_CONNECTION",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_CURRENT_DESKTOP",
    "XDG_SESSION_TYPE",
];

/// Where the panes are.
pub(crate) enum PaneHost {
    Detached(HostClient),
    InProcess(Panes),
}

/// The same question to either place: the client is asked, or the `Panes` on a thread for blocking work.
macro_rules! ask {
    ($app:expr, $method:ident($($argument:expr),*)) => {
        match &$app.0.panes {
            PaneHost::Detached(client) => Ok(client.$method($($argument),*).await?),
            PaneHost::InProcess(panes) => {
                let panes = panes.clone();
                blocking(move || panes.$method($($argument),*)).await
            }
        }
    };
}

impl App {
    /// Opens a pane; what is not said comes from the settings: the shell, the scrollback, the shell integration.
    /// Its program sees the display and the keys of our session, whichever the pane host was started in.
    ///
    /// # Errors
    ///
    /// [`Code::NotStarted`] when the program or the directory can't be used, [`Code::BadParams`]
    /// for a size out of range, [`Code::HostDown`].
    pub async fn open_pane(&self, request: OpenPane) -> Result<PaneInfo, Error> {
        let request = self.as_we_open(request);
        ask!(self, open(request))
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
        let request = self.as_we_open(request);
        ask!(self, open_recorded(request, recording))
    }

    fn as_we_open(&self, mut request: OpenPane) -> OpenPane {
        let settings = self.settings();
        if request.program.is_none() {
            request.program = settings.shell;
        }
        request.scrollback_lines = request.scrollback_lines.or(Some(settings.scrollback_lines));
        request.no_shell_integration |= !settings.shell_integration;
        request.private |= settings.history.keep_days == 0;
        for name in OF_THE_SESSION {
            if let Ok(value) = std::env::var(name) {
                request.env.entry(name.to_owned()).or_insert(value);
            }
        }
        request
    }

    /// Every open pane, oldest first.
    ///
    /// # Errors
    ///
    /// [`Code::HostDown`].
    pub async fn list_panes(&self) -> Result<Vec<PaneInfo>, Error> {
        match &self.0.panes {
            PaneHost::Detached(client) => Ok(client.list().await?),
            PaneHost::InProcess(panes) => Ok(panes.list()),
        }
    }

    /// What is known of one pane.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is no such pane, [`Code::HostDown`].
    pub async fn pane_info(&self, pane: PaneId) -> Result<PaneInfo, Error> {
        ask!(self, info(pane))
    }

    /// Writes to the program of a pane, as typed.
    ///
    /// # Errors
    ///
    /// [`Code::NotReading`] when the program has not read what was written before, [`Code::BadId`],
    /// [`Code::HostDown`].
    pub async fn write_pane(&self, pane: PaneId, bytes: Vec<u8>) -> Result<(), Error> {
        match &self.0.panes {
            PaneHost::Detached(client) => Ok(client.write(pane, bytes).await?),
            // It only queues; a thread per key would cost more, and could turn two keys around.
            PaneHost::InProcess(panes) => Ok(panes.write(pane, bytes).map_err(Refusal::from)?),
        }
    }

    /// Gives a pane another size.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] for a size out of range, [`Code::BadId`], [`Code::HostDown`].
    pub async fn resize_pane(&self, pane: PaneId, size: PaneSize) -> Result<(), Error> {
        ask!(self, resize(pane, size))
    }

    /// Gives a pane a name, or takes it away.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::HostDown`].
    pub async fn rename_pane(&self, pane: PaneId, name: Option<String>) -> Result<(), Error> {
        ask!(self, rename(pane, name))
    }

    /// Says that the person looks at a pane: what was done or failed is seen.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::HostDown`].
    pub async fn seen_pane(&self, pane: PaneId) -> Result<(), Error> {
        ask!(self, seen(pane))
    }

    /// Closes a pane: its programs are hung up and, after a grace period, killed. Its history stays.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::HostDown`].
    pub async fn close_pane(&self, pane: PaneId) -> Result<(), Error> {
        ask!(self, close(pane))
    }

    /// Shows a pane: a snapshot first, then what it prints.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::HostDown`].
    pub async fn attach_pane(
        &self,
        pane: PaneId,
        options: AttachOptions,
    ) -> Result<PaneStream, Error> {
        Ok(match &self.0.panes {
            PaneHost::Detached(client) => PaneStream::Detached(client.attach(pane, options).await?),
            PaneHost::InProcess(panes) => {
                PaneStream::InProcess(panes.attach(pane, options).map_err(Refusal::from)?)
            }
        })
    }

    /// Reads lines of a pane from its history, its scrollback and its screen; also of a closed pane.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::BadParams`], [`Code::HostDown`].
    pub async fn read_lines(&self, pane: PaneId, lines: ReadLines) -> Result<Vec<Line>, Error> {
        ask!(self, read(pane, lines))
    }

    /// The commands that the shell of a pane marked: where each begins, what it printed, how it ended.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::HostDown`].
    pub async fn pane_marks(&self, pane: PaneId) -> Result<Vec<CommandMark>, Error> {
        ask!(self, marks(pane))
    }

    /// The panes that only live in history, newest first.
    ///
    /// # Errors
    ///
    /// [`Code::HostDown`].
    pub async fn closed_panes(&self) -> Result<Vec<ClosedPane>, Error> {
        match &self.0.panes {
            PaneHost::Detached(client) => Ok(client.closed().await?),
            PaneHost::InProcess(panes) => Ok(panes.closed()),
        }
    }

    /// Removes history from disk, of one pane or of all; open panes go on and write new history.
    ///
    /// # Errors
    ///
    /// [`Code::Failed`] when a file can't be removed, [`Code::HostDown`].
    pub async fn purge_history(&self, pane: Option<PaneId>) -> Result<(), Error> {
        ask!(self, purge(pane))
    }

    /// Sets the colours that programs are told when they ask (dark or light?), in all panes and those to
    /// come. A host that was started anew must be told again.
    ///
    /// # Errors
    ///
    /// [`Code::HostDown`].
    pub async fn set_theme(&self, theme: Theme) -> Result<(), Error> {
        match &self.0.panes {
            PaneHost::Detached(client) => client.set_theme(theme).await?,
            PaneHost::InProcess(panes) => panes.set_theme(theme),
        }
        Ok(())
    }

    /// Whether panes go on when this process ends.
    pub fn panes_outlive_us(&self) -> bool {
        matches!(self.0.panes, PaneHost::Detached(_))
    }

    /// Carries the events of the panes to the readers of [`App::events`], and keeps the connection to the host.
    pub(crate) fn follow_panes(&self) {
        let app = Arc::downgrade(&self.0);
        match &self.0.panes {
            PaneHost::InProcess(panes) => {
                let mut events = panes.events();
                self.spawn(async move {
                    loop {
                        let event = match events.recv().await {
                            Ok(event) => event,
                            Err(RecvError::Lagged(_)) => PaneEvent::Lagged,
                            Err(RecvError::Closed) => break,
                        };
                        let Some(inner) = app.upgrade() else { break };
                        App(inner).emit(AppEvent::Pane(event));
                    }
                });
            }
            PaneHost::Detached(client) => {
                let mut events = client.events();
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
                            HostEvent::Pane(event) => app.emit(AppEvent::Pane(event)),
                            HostEvent::Up { restarted } => app.host_is_up(restarted),
                            HostEvent::Down { message } => {
                                app.emit(AppEvent::Host(HostState::Down { message }));
                                app.spawn_reconnect();
                            }
                        }
                    }
                });
            }
        }
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
        self.emit(AppEvent::Host(state));
        self.emit(AppEvent::Pane(PaneEvent::Lagged));
    }

    /// Tries to reach the host again until it answers or we end.
    fn spawn_reconnect(&self) {
        let app = Arc::downgrade(&self.0);
        self.spawn(async move {
            loop {
                {
                    let Some(inner) = app.upgrade() else { return };
                    let PaneHost::Detached(client) = &inner.panes else {
                        return;
                    };
                    match client.reconnect().await {
                        Ok(()) => return,
                        Err(error) => tracing::warn!("the pane host can't be reached: {error}"),
                    }
                }
                tokio::time::sleep(RECONNECT_EVERY).await;
            }
        });
    }
}

impl PaneHost {
    /// Ends panes that live in this process; panes in a host go on.
    pub(crate) async fn shutdown(&self) {
        if let Self::InProcess(panes) = self {
            let panes = panes.clone();
            let _ = tokio::task::spawn_blocking(move || panes.shutdown()).await;
        }
    }
}

/// The stream of one pane to one view; dropping it ends the stream, not the pane.
pub enum PaneStream {
    /// From the pane host.
    Detached(host::HostAttachment),
    /// From this process.
    InProcess(terminal::Attachment),
}

impl PaneStream {
    /// The next frame, encoded as [`terminal::Frame`] says; none when the pane was closed or the host is gone.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Detached(stream) => stream.next_encoded().await,
            Self::InProcess(stream) => Some(stream.next().await?.encode()),
        }
    }

    /// The handle by which the view says what it has parsed.
    pub fn acks(&self) -> Acks {
        match self {
            Self::Detached(stream) => Acks::Detached(stream.ack_handle()),
            Self::InProcess(stream) => Acks::InProcess(stream.ack_handle()),
        }
    }
}

/// Says how much of a stream its view has parsed.
pub enum Acks {
    /// To the pane host.
    Detached(host::AckHandle),
    /// In this process.
    InProcess(terminal::AckHandle),
}

impl Acks {
    /// Notes that the view has parsed so many more payload bytes. Never waits.
    pub fn ack(&self, bytes: u64) {
        match self {
            Self::Detached(acks) => acks.ack(bytes),
            Self::InProcess(acks) => acks.ack(bytes),
        }
    }
}

/// Runs what may take its time on a thread for it.
async fn blocking<T, E>(ask: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Error>
where
    T: Send + 'static,
    E: Into<Refusal> + Send + 'static,
{
    match tokio::task::spawn_blocking(ask).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(refusal)) => Err(refusal.into().into()),
        Err(error) => Err(Error::new(Code::Failed, error.to_string())),
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
