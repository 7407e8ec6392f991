//! One SQLite file for everything that must survive the process.
//!
//! [`Store`] is a handle that may be cloned; behind it one named thread owns the connection, so that
//! writes come one after another and nobody waits on a lock while holding another. A room hands in its
//! [`Schema`] when the file is opened and owns the tables in it; [`Store::write`] runs a closure in one
//! transaction, which is kept whole or not at all.
//!
//! It promises: the file is the owner's alone; a file that can't be read is set aside, never deleted;
//! several processes may have the same file open; what was written survives the end of the process at
//! any moment. It leaves to others what the tables mean.

mod error;
mod file;
mod schema;
mod thread;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::{OpenStoreError, StoreError};
use file::{DatabaseFile, Use};
/// The SQL library, re-exported so that rooms with tables of their own share this room's version of it.
pub use rusqlite as sql;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
pub use schema::Schema;
use thread::Worker;

/// The tables of this room: values by key.
const OWN: Schema = Schema {
    room: "store",
    migrations: &[
        "CREATE TABLE key_values (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    ],
};

/// One SQLite file, open. Clones share it; the last one dropped closes it and waits for that.
#[derive(Debug, Clone)]
pub struct Store {
    worker: Arc<Worker>,
}

/// A store that was opened, and what had to be done for it.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Where the earlier file is now, when it was damaged and a new one was begun.
    pub set_aside: Option<PathBuf>,
}

impl Store {
    /// Opens the file at `path`, creating it and its directory when missing, and brings its tables up to date.
    ///
    /// A file that is no database, or a damaged one, is renamed to `….damaged-N` beside it and a new
    /// one is begun: [`Opened::set_aside`] says so, for a person to be told. The file and what SQLite
    /// keeps beside it can be read by their owner only.
    ///
    /// # Errors
    ///
    /// When the file can't be created, another process keeps it locked, the disk is full, or a newer
    /// version of the program has written it.
    pub fn open(path: &Path, schemas: &[Schema]) -> Result<Opened, OpenStoreError> {
        let (connection, set_aside) = schema::open_file(path, &with_own(schemas))?;
        let store = Self::of(DatabaseFile::of(path, connection), path)?;
        Ok(Opened { store, set_aside })
    }

    /// A store whose file is opened by the first who uses it, as [`Store::open`] would; whoever only talks to the pane host
    /// waits for no disk.
    ///
    /// While that fails for a reason that passes (the disk is full), writing answers [`StoreError::NotOpen`] and tries again
    /// each time; what is in the file can be read all the same.
    ///
    /// # Errors
    ///
    /// When the system gives no more threads.
    pub fn lazily(path: &Path, schemas: &[Schema]) -> Result<Self, OpenStoreError> {
        Self::of(DatabaseFile::new(path, with_own(schemas)), path)
    }

    /// Opens a store that lives as long as its handle, for tests and for private work.
    ///
    /// # Errors
    ///
    /// When a migration of `schemas` does not run.
    pub fn in_memory(schemas: &[Schema]) -> Result<Self, OpenStoreError> {
        let connection = schema::open_memory(&with_own(schemas))?;
        let path = Path::new(":memory:");
        Self::of(DatabaseFile::of(path, connection), path)
    }

    fn of(file: DatabaseFile, path: &Path) -> Result<Self, OpenStoreError> {
        let worker = Worker::start(file).map_err(|source| OpenStoreError::Create {
            path: path.to_path_buf(),
            source,
        })?;
        Ok(Self {
            worker: Arc::new(worker),
        })
    }

    /// Opens the file, if nobody has, and says where the earlier one is now, when it was damaged and a new one was begun.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotOpen`], and why.
    pub async fn opened(&self) -> Result<Option<PathBuf>, StoreError> {
        let open = |file: &mut DatabaseFile| {
            file.open().map_err(StoreError::NotOpen)?;
            Ok(file.set_aside())
        };
        self.worker.ask_file(open).await
    }

    /// Runs `work` in one transaction: committed when it returns `Ok`, undone otherwise.
    ///
    /// When this returns `Ok`, what was written survives the end of the process.
    ///
    /// # Errors
    ///
    /// What `work` returned, or why it could not be committed.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.worker
            .ask(Use::Write, move |connection| {
                in_transaction(connection, work)
            })
            .await
    }

    /// As [`Store::write`], for threads that may wait. Not for async code: it blocks.
    ///
    /// # Errors
    ///
    /// As [`Store::write`].
    pub fn write_blocking<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.worker.ask_blocking(Use::Write, move |connection| {
            in_transaction(connection, work)
        })
    }

    /// Runs `work`, which only reads.
    ///
    /// # Errors
    ///
    /// What `work` returned.
    pub async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.worker
            .ask(Use::Read, move |connection| work(connection))
            .await
    }

    /// As [`Store::read`], for threads that may wait. Not for async code: it blocks.
    ///
    /// # Errors
    ///
    /// What `work` returned.
    pub fn read_blocking<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.worker
            .ask_blocking(Use::Read, move |connection| work(connection))
    }

    /// Gives the value that was put under `key`, if any.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        let key = key.to_owned();
        self.read(move |connection| get(connection, &key)).await
    }

    /// As [`Store::get`], for threads that may wait.
    ///
    /// # Errors
    ///
    /// As [`Store::get`].
    pub fn get_blocking(&self, key: &str) -> Result<Option<String>, StoreError> {
        let key = key.to_owned();
        self.read_blocking(move |connection| get(connection, &key))
    }

    /// Puts `value` under `key`, in place of what was there.
    ///
    /// # Errors
    ///
    /// When the file can't be written; then the earlier value is still there.
    pub async fn put(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |transaction| put(transaction, &key, &value))
            .await
    }

    /// As [`Store::put`], for threads that may wait.
    ///
    /// # Errors
    ///
    /// As [`Store::put`].
    pub fn put_blocking(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write_blocking(move |transaction| put(transaction, &key, &value))
    }

    /// Puts what `change` makes of the value under `key` in its place, and returns it. Nobody writes in between.
    ///
    /// # Errors
    ///
    /// As [`Store::put`].
    pub async fn change<F>(&self, key: &str, change: F) -> Result<String, StoreError>
    where
        F: FnOnce(Option<String>) -> String + Send + 'static,
    {
        let key = key.to_owned();
        self.write(move |transaction| {
            let value = change(get(transaction, &key)?);
            put(transaction, &key, &value)?;
            Ok(value)
        })
        .await
    }

    /// Removes what is under `key`; nothing happens when nothing is.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub async fn remove(&self, key: &str) -> Result<(), StoreError> {
        let key = key.to_owned();
        self.write(move |transaction| {
            transaction.execute("DELETE FROM key_values WHERE key = ?1", [key])?;
            Ok(())
        })
        .await
    }

    /// Ends the work that was asked for before, then closes the file. Later requests answer [`StoreError::Closed`].
    ///
    /// Blocks until the file is closed.
    pub fn close(&self) {
        self.worker.close();
    }
}

fn with_own(schemas: &[Schema]) -> Vec<Schema> {
    std::iter::once(OWN)
        .chain(schemas.iter().copied())
        .collect()
}

fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // Immediate: a transaction that reads first and writes later would fail, not wait, when
    // another process writes in between.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

fn get(connection: &Connection, key: &str) -> Result<Option<String>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT value FROM key_values WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?)
}

fn put(transaction: &Transaction<'_>, key: &str, value: &str) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO key_values (key, value) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )?
        .execute([key, value])?;
    Ok(())
}
