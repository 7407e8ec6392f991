//! What can go wrong with the file, in words for the person who will read them.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{ErrorCode, ffi};

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// The file or its directory can't be created or read.
    #[error("could not open `{path}`")]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A damaged file could not be renamed, so it was left as it is.
    #[error("`{path}` is damaged and could not be set aside")]
    SetAside {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A newer version of the program has written the file.
    #[error(
        "`{path}` was written by a newer version: its `{room}` tables have version {found}, this version knows {known}; install the newer version, or move the file away"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Whose tables.
        room: String,
        /// Their version in the file.
        found: usize,
        /// The newest version that this program knows.
        known: usize,
    },
    /// A room's tables could not be brought up to date; nothing was changed.
    #[error("could not bring the `{room}` tables of `{path}` to version {version}")]
    Migrate {
        /// The file.
        path: PathBuf,
        /// Whose tables.
        room: &'static str,
        /// The version that was tried.
        version: usize,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// The file can't be used now: locked, disk full, no right to write.
    #[error("could not use `{path}`")]
    Use {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: StoreError,
    },
}

impl OpenStoreError {
    /// Whether the file may be opened later, once a person or another process has made way for it: the disk is full.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Create { .. } => true,
            Self::Migrate { source, .. } | Self::Use { source, .. } => source.is_passing(),
            Self::SetAside { .. } | Self::Newer { .. } => false,
        }
    }
}

/// Why a read or a write of the store failed. What was in the file before is still there.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process held the file longer than this one waits.
    #[error("the database is locked by another process")]
    Locked(#[source] rusqlite::Error),
    /// No room left to write.
    #[error("the disk that holds the database is full")]
    DiskFull(#[source] rusqlite::Error),
    /// The file or its directory may not be written.
    #[error("the database may not be written")]
    ReadOnly(#[source] rusqlite::Error),
    /// A file that belongs to what is in the database can't be written beside it.
    #[error("could not write `{path}`")]
    Beside {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is damaged; it is set aside at the next start.
    #[error("the database is damaged")]
    Damaged(#[source] rusqlite::Error),
    /// The store was closed.
    #[error("the database is closed")]
    Closed,
    /// The file could not be opened, or only to be read.
    #[error("the database can't be used")]
    NotOpen(#[source] Arc<OpenStoreError>),
    /// A value in the file does not mean what this version expects.
    #[error("the database holds something unexpected: {0}")]
    Unexpected(String),
    /// Anything else that SQLite said.
    #[error("the database refused")]
    Sql(#[source] rusqlite::Error),
}

impl StoreError {
    /// Whether the same write may succeed later, once a person or another process has made way for it.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Locked(_) | Self::DiskFull(_) | Self::ReadOnly(_) | Self::Beside { .. } => true,
            Self::NotOpen(error) => error.is_passing(),
            Self::Damaged(_) | Self::Closed | Self::Unexpected(_) | Self::Sql(_) => false,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked(error),
            Some(ErrorCode::DiskFull) => Self::DiskFull(error),
            // The index of the write-ahead log could not grow, for which SQLite knows no other reason
            // (<https://sqlite.org/rescode.html#ioerr_shmsize>).
            _ if code_in_full(&error) == Some(ffi::SQLITE_IOERR_SHMSIZE) => Self::DiskFull(error),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::ReadOnly(error)
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error),
            _ => Self::Sql(error),
        }
    }
}

fn code_in_full(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_whose_index_can_not_grow_says_that_the_disk_is_full() {
        let refused = ffi::Error::new(ffi::SQLITE_IOERR_SHMSIZE);
        let told = StoreError::from(rusqlite::Error::SqliteFailure(refused, None));
        assert!(matches!(told, StoreError::DiskFull(_)), "{told:?}");
        let refused = ffi::Error::new(ffi::SQLITE_IOERR_READ);
        let told = StoreError::from(rusqlite::Error::SqliteFailure(refused, None));
        assert!(matches!(told, StoreError::Sql(_)), "{told:?}");
    }
}
