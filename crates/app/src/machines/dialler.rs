//! Connections to the pane host of a machine: over the link that there is, or one that is made for them.

use std::io;
use std::sync::Arc;

use ::machines::{Asks, Link, LinkError, Programs, Stage, Urgency, Way};
use host::{Dial, Dialled, DialledStream};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use terminal::Environment;
use tokio::net::UnixStream;

use crate::{Code, Error};

/// What the far end tells of itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct About {
    /// The environment of whoever comes by ssh, which panes have that are opened from here.
    pub(super) environment: Environment,
    /// The home there.
    pub(super) home: Option<String>,
    /// The version of the program there.
    pub(super) version: String,
}

/// The way to the pane host of one machine.
pub(super) struct Dialler {
    name: String,
    way: Way,
    programs: Programs,
    /// Who is asked when the next link is made.
    asks: Mutex<Asks>,
    /// Held while a link is made.
    making: tokio::sync::Mutex<()>,
    link: Mutex<Option<Arc<Link>>>,
    /// Why the last link did not come about, whole: what travels as an I/O error is its text alone.
    failed: Mutex<Option<Error>>,
    about: Mutex<Arc<About>>,
    stage: Box<dyn Fn(Stage) + Send + Sync>,
}

impl std::fmt::Debug for Dialler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialler")
            .field("name", &self.name)
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}

impl Dialler {
    /// `stage` is told what is being done while a link is made.
    pub(super) fn new(
        name: &str,
        way: Way,
        programs: Programs,
        stage: impl Fn(Stage) + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            way,
            programs,
            asks: Mutex::new(Asks::Nobody),
            making: tokio::sync::Mutex::default(),
            link: Mutex::default(),
            failed: Mutex::default(),
            about: Mutex::default(),
            stage: Box::new(stage),
        }
    }

    /// Who is asked when the next link is made.
    pub(super) fn ask(&self, asks: Asks) {
        *self.asks.lock() = asks;
    }

    /// What the far end told of itself last.
    pub(super) fn about(&self) -> Arc<About> {
        Arc::clone(&self.about.lock())
    }

    /// Why there is no link, if that is why there is no connection.
    pub(super) fn failed(&self) -> Option<Error> {
        self.failed.lock().clone()
    }

    /// Lets go of the link.
    pub(super) fn hang_up(&self) {
        self.link.lock().take();
    }

    async fn control(&self) -> io::Result<UnixStream> {
        let _making = self.making.lock().await;
        if let Ok(stream) = self.over_the_link(Urgency::Urgent) {
            return Ok(stream);
        }
        // The former process ends before the next one begins.
        self.hang_up();
        let asks = self.asks.lock().clone();
        let mut stage = |at| (self.stage)(at);
        let opened = Link::open(&self.way, &self.programs, &asks, &mut stage).await;
        let opened = opened.map_err(|error| self.note(error))?;
        *self.failed.lock() = None;
        match serde_json::from_value(opened.about().clone()) {
            Ok(about) => *self.about.lock() = Arc::new(about),
            Err(error) => tracing::warn!(%error, "what a machine tells of itself can't be read"),
        }
        *self.link.lock() = Some(Arc::new(opened));
        self.over_the_link(Urgency::Urgent)
    }

    fn over_the_link(&self, urgency: Urgency) -> io::Result<UnixStream> {
        let link = self.link.lock().clone();
        let link = link.filter(|link| link.over().is_none());
        link.ok_or(io::ErrorKind::NotConnected)?.connect(urgency)
    }

    fn note(&self, error: LinkError) -> io::Error {
        let code = match error.wants_person() {
            true => Code::MachineRefused,
            false => Code::MachineDown,
        };
        let error = Error::from_chain(code, &error);
        *self.failed.lock() = Some(error.clone());
        io::Error::other(error.message)
    }
}

impl Dial for Dialler {
    fn name(&self) -> String {
        format!("the machine {}", self.name)
    }

    fn dial(&self, purpose: Dialled) -> DialledStream<'_> {
        Box::pin(async move {
            match purpose {
                Dialled::Control => self.control().await,
                // Until there is a link, there is nothing to be shown.
                Dialled::Stream => self.over_the_link(Urgency::Usual),
            }
        })
    }
}
