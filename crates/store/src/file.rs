//! The file behind a store, open as far as it can be.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::schema::{self, Schema};
use crate::{OpenStoreError, StoreError};

/// A file that could not be opened is tried again for a reader after this; a writer tries each time.
const AGAIN: Duration = Duration::from_secs(1);

/// What work is to be done on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Read,
    Write,
}

/// One SQLite file, opened when it is first used, and again when that failed.
pub(crate) struct DatabaseFile {
    path: PathBuf,
    schemas: Vec<Schema>,
    state: State,
    /// Where the earlier file is, if it was damaged.
    set_aside: Option<PathBuf>,
}

enum State {
    /// Nobody has used it yet.
    Untried,
    Open(Connection),
    /// It can't be opened as it should be, but perhaps be read as it is.
    Refused {
        as_it_is: Option<Connection>,
        why: Arc<OpenStoreError>,
        at: Instant,
    },
}

impl DatabaseFile {
    pub(crate) fn new(path: &Path, schemas: Vec<Schema>) -> Self {
        Self {
            path: path.to_owned(),
            schemas,
            state: State::Untried,
            set_aside: None,
        }
    }

    /// One that is open already.
    pub(crate) fn of(path: &Path, connection: Connection) -> Self {
        Self {
            path: path.to_owned(),
            schemas: Vec::new(),
            state: State::Open(connection),
            set_aside: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the earlier file is, when it was damaged and a new one was begun.
    pub(crate) fn set_aside(&self) -> Option<PathBuf> {
        self.set_aside.clone()
    }

    /// The connection, if there is one that will do.
    pub(crate) fn connection(&mut self, to: Use) -> Result<&mut Connection, StoreError> {
        let again = match &self.state {
            State::Untried => true,
            State::Open(_) => false,
            State::Refused { at, .. } => to == Use::Write || at.elapsed() >= AGAIN,
        };
        if again {
            let _ = self.open();
        }
        match &mut self.state {
            State::Open(connection) => Ok(connection),
            State::Refused {
                as_it_is: Some(connection),
                ..
            } if to == Use::Read => Ok(connection),
            State::Refused { why, .. } => Err(StoreError::NotOpen(Arc::clone(why))),
            State::Untried => Err(StoreError::Closed),
        }
    }

    /// Opens it now; what stands in the way otherwise.
    pub(crate) fn open(&mut self) -> Result<(), Arc<OpenStoreError>> {
        if let State::Open(_) = self.state {
            return Ok(());
        }
        match schema::open_file(&self.path, &self.schemas) {
            Ok((connection, set_aside)) => {
                self.set_aside = set_aside.or(self.set_aside.take());
                self.state = State::Open(connection);
                Ok(())
            }
            Err(error) => {
                let why = Arc::new(error);
                let passing = why.is_passing();
                self.state = State::Refused {
                    as_it_is: passing
                        .then(|| schema::open_as_it_is(&self.path, &self.schemas))
                        .flatten(),
                    why: Arc::clone(&why),
                    at: Instant::now(),
                };
                Err(why)
            }
        }
    }

    /// Closes it; what stood in the way of that.
    pub(crate) fn close(self) -> Result<(), rusqlite::Error> {
        match self.state {
            State::Open(connection)
            | State::Refused {
                as_it_is: Some(connection),
                ..
            } => connection.close().map_err(|(_, error)| error),
            State::Untried | State::Refused { as_it_is: None, .. } => Ok(()),
        }
    }
}
