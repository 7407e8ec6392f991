//! Opening the file, and bringing each room's tables up to date.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::{OpenStoreError, StoreError};

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(5);
/// The pause between two tries, where SQLite does not wait by itself.
const PAUSE: Duration = Duration::from_millis(2);

/// Files up to this size are checked as a whole when opened; it costs about a millisecond per MB.
const CHECKED_BYTES: u64 = 16 << 20;

/// The tables of one room, as the list of steps that make them.
///
/// The version of a room's tables is the number of steps that have run. A step that was ever released
/// is never edited: what changes is a further step.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Whose tables.
    pub room: &'static str,
    /// SQL, one batch of statements per version.
    pub migrations: &'static [&'static str],
}

pub(crate) fn open_file(
    path: &Path,
    schemas: &[Schema],
) -> Result<(Connection, Option<PathBuf>), OpenStoreError> {
    create_owned(path).map_err(|source| OpenStoreError::Create {
        path: path.to_path_buf(),
        source,
    })?;
    match connect(path, schemas) {
        Ok(connection) => Ok((connection, None)),
        Err(error) if is_damaged(&error) => {
            tracing::warn!(path = %path.display(), "the database is damaged; it is set aside");
            let aside = set_aside(path).map_err(|source| OpenStoreError::SetAside {
                path: path.to_path_buf(),
                source,
            })?;
            create_owned(path).map_err(|source| OpenStoreError::Create {
                path: path.to_path_buf(),
                source,
            })?;
            Ok((connect(path, schemas)?, Some(aside)))
        }
        Err(error) => Err(error),
    }
}

/// Opens the file only to read it, where it can't be opened otherwise: SQLite wants to make files beside it, for which a full
/// disk has no room.
///
/// What others write meanwhile may not be seen. A file that is not there, or in which nothing is yet, is read as one with
/// empty tables.
pub(crate) fn open_as_it_is(path: &Path, schemas: &[Schema]) -> Option<Connection> {
    let size = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
    if size(path) == 0 {
        return open_memory(schemas).ok();
    }
    // As SQLite wants it: everything but the slashes may mean something.
    let escaped = path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                char::from(*byte).to_string()
            }
            other => format!("%{other:02x}"),
        });
    // With a log beside it, the file alone is not all that there is.
    let alone = match size(&beside(path, "-wal")) {
        0 => "?immutable=1",
        _ => "",
    };
    let name = format!("file:{}{alone}", escaped.collect::<String>());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(name, flags).ok()?;
    let tables: u32 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .ok()?;
    if tables == 0 {
        // There was room for its first page, and for no more.
        return open_memory(schemas).ok();
    }
    Some(connection)
}

pub(crate) fn open_memory(schemas: &[Schema]) -> Result<Connection, OpenStoreError> {
    let path = Path::new(":memory:");
    let mut connection = Connection::open_in_memory().map_err(|error| OpenStoreError::Use {
        path: path.to_path_buf(),
        source: error.into(),
    })?;
    migrate(&mut connection, path, schemas)?;
    Ok(connection)
}

fn connect(path: &Path, schemas: &[Schema]) -> Result<Connection, OpenStoreError> {
    let used = |error: rusqlite::Error| OpenStoreError::Use {
        path: path.to_path_buf(),
        source: error.into(),
    };
    let mut connection = Connection::open(path).map_err(used)?;
    connection.busy_timeout(BUSY).map_err(used)?;
    connection.set_prepared_statement_cache_capacity(64);
    log_ahead(&connection).map_err(used)?;
    // In WAL mode NORMAL survives the end of the process at any moment; only a power cut may lose
    // the last transactions, and never damages the file. FULL costs an fsync per transition.
    connection
        .pragma_update(None, "synchronous", "NORMAL")
        .map_err(used)?;
    // Folding the log into the file waits for the disk: once in 16 MB, not in 4.
    connection
        .pragma_update(None, "wal_autocheckpoint", 4_000)
        .map_err(used)?;
    connection
        .pragma_update(None, "foreign_keys", true)
        .map_err(used)?;
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() <= CHECKED_BYTES) {
        check(&connection).map_err(used)?;
    }
    migrate(&mut connection, path, schemas)?;
    Ok(connection)
}

/// Makes the file one with a write-ahead log.
///
/// The lock that this takes is the one that SQLite does not wait for, whatever `busy_timeout` says.
fn log_ahead(connection: &Connection) -> Result<(), rusqlite::Error> {
    let until = Instant::now() + BUSY;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < until =>
            {
                thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

/// Reads the whole file; a mistake in it is an error like any other damage.
fn check(connection: &Connection) -> Result<(), rusqlite::Error> {
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if said == "ok" {
        return Ok(());
    }
    Err(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        Some(said),
    ))
}

/// Runs what is missing of every room's steps.
///
/// Each room has a version of its own, which SQLite's single `user_version` can't hold: rooms grow
/// independently, and a file may be opened by a program that knows some of them only.
fn migrate(
    connection: &mut Connection,
    path: &Path,
    schemas: &[Schema],
) -> Result<(), OpenStoreError> {
    let used = |error: rusqlite::Error| OpenStoreError::Use {
        path: path.to_path_buf(),
        source: error.into(),
    };
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(used)?;
    transaction
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS schemas (room TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID",
        )
        .map_err(used)?;
    for schema in schemas {
        let found: usize = transaction
            .query_row(
                "SELECT max(version) FROM schemas WHERE room = ?1",
                [schema.room],
                |row| Ok(row.get::<_, Option<u32>>(0)?.unwrap_or(0) as usize),
            )
            .map_err(used)?;
        let known = schema.migrations.len();
        if found > known {
            return Err(OpenStoreError::Newer {
                path: path.to_path_buf(),
                room: schema.room.to_owned(),
                found,
                known,
            });
        }
        for (version, sql) in schema.migrations.iter().enumerate().skip(found) {
            transaction
                .execute_batch(sql)
                .map_err(|error| OpenStoreError::Migrate {
                    path: path.to_path_buf(),
                    room: schema.room,
                    version: version + 1,
                    source: error.into(),
                })?;
        }
        if found < known {
            transaction
                .execute(
                    "INSERT INTO schemas (room, version) VALUES (?1, ?2)
                     ON CONFLICT (room) DO UPDATE SET version = excluded.version",
                    rusqlite::params![schema.room, known as u32],
                )
                .map_err(used)?;
        }
    }
    transaction.commit().map_err(used)
}

fn is_damaged(error: &OpenStoreError) -> bool {
    matches!(
        error,
        OpenStoreError::Use {
            source: StoreError::Damaged(_),
            ..
        } | OpenStoreError::Migrate {
            source: StoreError::Damaged(_),
            ..
        }
    )
}

/// Creates the file before SQLite does, so that it never exists with the rights of the umask.
/// SQLite gives the files that it keeps beside it the rights of the file.
fn create_owned(path: &Path) -> io::Result<()> {
    if let Some(directory) = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
    {
        create_private_dir(directory)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

fn create_private_dir(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(directory)
}

/// Renames the file and what SQLite keeps beside it to the first free `….damaged-N`.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let mut number = 1;
    while beside(path, &format!(".damaged-{number}")).exists() {
        number += 1;
    }
    let aside = beside(path, &format!(".damaged-{number}"));
    fs::rename(path, &aside)?;
    for suffix in ["-wal", "-shm"] {
        let from = beside(path, suffix);
        if from.exists() {
            fs::rename(from, beside(path, &format!(".damaged-{number}{suffix}")))?;
        }
    }
    Ok(aside)
}

/// The file whose name is that of another, and more.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
