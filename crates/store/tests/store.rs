//! The store as its users meet it: a real file, opened, spoiled, opened again.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;

use store::{OpenStoreError, Schema, Store, StoreError};
use tempfile::TempDir;

const NOTES: Schema = Schema {
    room: "notes",
    migrations: &["CREATE TABLE notes (text TEXT NOT NULL) STRICT"],
};
const NOTES_WITH_TIME: Schema = Schema {
    room: "notes",
    migrations: &[
        "CREATE TABLE notes (text TEXT NOT NULL) STRICT",
        "ALTER TABLE notes ADD COLUMN at INTEGER",
    ],
};

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/switchyard.db");
    (directory, path)
}

fn open(path: &Path, schemas: &[Schema]) -> Store {
    Store::open(path, schemas).unwrap().store
}

fn notes(store: &Store) -> Vec<String> {
    store
        .read_blocking(|connection| {
            let mut statement = connection.prepare("SELECT text FROM notes ORDER BY rowid")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .unwrap()
}

fn note(store: &Store, text: &'static str) -> Result<(), StoreError> {
    store.write_blocking(move |transaction| {
        transaction.execute("INSERT INTO notes (text) VALUES (?1)", [text])?;
        Ok(())
    })
}

#[test]
fn a_value_is_there_after_the_store_was_closed_and_opened() {
    let (_directory, path) = place();
    let store = open(&path, &[]);
    store.put_blocking("session", "{}").unwrap();
    store.put_blocking("session", r#"{"tabs":[]}"#).unwrap();
    drop(store);
    let store = open(&path, &[]);
    assert_eq!(
        store.get_blocking("session").unwrap().as_deref(),
        Some(r#"{"tabs":[]}"#)
    );
    assert_eq!(store.get_blocking("settings").unwrap(), None);
}

#[tokio::test]
async fn values_can_be_awaited() {
    let store = Store::in_memory(&[]).unwrap();
    store.put("a", "1").await.unwrap();
    assert_eq!(store.get("a").await.unwrap().as_deref(), Some("1"));
    store.remove("a").await.unwrap();
    assert_eq!(store.get("a").await.unwrap(), None);
}

#[test]
fn the_files_are_their_owners_alone() {
    let (directory, path) = place();
    let store = open(&path, &[]);
    store.put_blocking("a", "1").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for file in fs::read_dir(directory.path().join("deep")).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[test]
fn a_file_with_wide_rights_is_narrowed() {
    let (_directory, path) = place();
    drop(open(&path, &[]));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let _store = open(&path, &[]);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_room_brings_its_tables_up_to_date_and_keeps_what_is_in_them() {
    let (_directory, path) = place();
    let store = open(&path, &[NOTES]);
    note(&store, "kept").unwrap();
    drop(store);
    let store = open(&path, &[NOTES_WITH_TIME]);
    store
        .write_blocking(|transaction| {
            transaction.execute("INSERT INTO notes (text, at) VALUES ('new', 7)", [])?;
            Ok(())
        })
        .unwrap();
    assert_eq!(notes(&store), ["kept", "new"]);
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let (_directory, path) = place();
    drop(open(&path, &[NOTES_WITH_TIME]));
    let error = Store::open(&path, &[NOTES]).unwrap_err();
    assert!(
        matches!(
            error,
            OpenStoreError::Newer {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("newer version"), "{error}");
    drop(open(&path, &[NOTES_WITH_TIME]));
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    const BROKEN: Schema = Schema {
        room: "notes",
        migrations: &[
            "CREATE TABLE notes (text TEXT NOT NULL) STRICT",
            "CREATE TABLE more (id); INSERT INTO nowhere VALUES (1)",
        ],
    };
    let (_directory, path) = place();
    drop(open(&path, &[NOTES]));
    let error = Store::open(&path, &[BROKEN]).unwrap_err();
    assert!(
        matches!(
            error,
            OpenStoreError::Migrate {
                room: "notes",
                version: 2,
                ..
            }
        ),
        "{error:?}"
    );
    let store = open(&path, &[NOTES]);
    note(&store, "still works").unwrap();
    assert_eq!(notes(&store), ["still works"]);
}

#[test]
fn a_transaction_is_kept_whole_or_not_at_all() {
    let store = Store::in_memory(&[NOTES]).unwrap();
    let failed = store.write_blocking(|transaction| {
        transaction.execute("INSERT INTO notes (text) VALUES ('half')", [])?;
        transaction.execute("INSERT INTO notes (text) VALUES (NULL)", [])?;
        Ok(())
    });
    assert!(matches!(failed, Err(StoreError::Sql(_))), "{failed:?}");
    assert_eq!(notes(&store), [""; 0]);
}

#[test]
fn work_that_panics_is_undone_and_the_next_is_served() {
    let store = Store::in_memory(&[NOTES]).unwrap();
    let answer: Result<(), _> = store.write_blocking(|transaction| {
        transaction.execute("INSERT INTO notes (text) VALUES ('half')", [])?;
        panic!("a mistake in the work");
    });
    assert!(matches!(answer, Err(StoreError::Closed)), "{answer:?}");
    note(&store, "next").unwrap();
    assert_eq!(notes(&store), ["next"]);
}

#[test]
fn two_processes_may_have_the_file_open() {
    let (_directory, path) = place();
    let (one, two) = (open(&path, &[NOTES]), open(&path, &[NOTES]));
    for _ in 0..20 {
        note(&one, "one").unwrap();
        note(&two, "two").unwrap();
    }
    assert_eq!(notes(&one).len(), 40);
}

#[test]
fn many_processes_may_open_it_at_once_while_others_close_it() {
    for _ in 0..40 {
        let (_directory, path) = place();
        let start = Barrier::new(6);
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..5 {
                        note(&open(&path, &[NOTES]), "here").unwrap();
                    }
                });
            }
        });
        assert_eq!(notes(&open(&path, &[NOTES])).len(), 30);
    }
}

#[test]
fn a_file_that_is_no_database_is_set_aside_and_kept() {
    let (_directory, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for round in 1..=2 {
        fs::write(
            &path,
            format!("my notes, not a database {round}\n").repeat(100),
        )
        .unwrap();
        let opened = Store::open(&path, &[]).unwrap();
        let aside = opened.set_aside.as_ref().unwrap();
        assert!(
            aside.ends_with(format!("switchyard.db.damaged-{round}")),
            "{aside:?}"
        );
        assert!(fs::read_to_string(aside).unwrap().starts_with("my notes"));
        opened.store.put_blocking("works", "again").unwrap();
        drop(opened);
        let _ = fs::remove_file(path.with_extension("db-wal"));
        let _ = fs::remove_file(path.with_extension("db-shm"));
    }
}

#[test]
fn a_damaged_database_is_set_aside() {
    let (_directory, path) = place();
    let store = open(&path, &[NOTES]);
    store
        .write_blocking(|transaction| {
            for _ in 0..2_000 {
                transaction
                    .execute("INSERT INTO notes (text) VALUES (hex(randomblob(100)))", [])?;
            }
            Ok(())
        })
        .unwrap();
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4_096..40_960].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    let opened = Store::open(&path, &[NOTES]).unwrap();
    assert!(opened.set_aside.is_some());
    assert_eq!(notes(&opened.store), [""; 0]);
}

#[test]
fn a_directory_in_its_place_is_an_error_that_names_the_path() {
    let directory = tempfile::tempdir().unwrap();
    let error = Store::open(directory.path(), &[]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&directory.path().display().to_string()),
        "{error}"
    );
}

#[test]
fn a_full_database_says_so_and_goes_on_when_there_is_room() {
    let (_directory, path) = place();
    let store = open(&path, &[NOTES]);
    let limit = |pages: u32| {
        store
            .read_blocking(move |connection| {
                Ok(connection
                    .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?)
            })
            .unwrap();
    };
    limit(12);
    let full = store.write_blocking(|transaction| {
        transaction.execute(
            "INSERT INTO notes (text) VALUES (hex(zeroblob(1000000)))",
            [],
        )?;
        Ok(())
    });
    assert!(matches!(full, Err(StoreError::DiskFull(_))), "{full:?}");
    limit(1_000_000);
    note(&store, "fits").unwrap();
    assert_eq!(notes(&store), ["fits"]);
}

#[test]
fn a_closed_store_answers_that_it_is_closed() {
    let store = Store::in_memory(&[]).unwrap();
    let other = store.clone();
    store.close();
    assert!(matches!(other.get_blocking("a"), Err(StoreError::Closed)));
}

#[test]
fn work_asked_for_before_the_close_is_done() {
    let (_directory, path) = place();
    let store = open(&path, &[]);
    for number in 0..100 {
        store.put_blocking("last", &number.to_string()).unwrap();
    }
    store.close();
    drop(store);
    assert_eq!(
        open(&path, &[]).get_blocking("last").unwrap().as_deref(),
        Some("99")
    );
}

#[test]
fn a_file_that_can_t_be_opened_now_can_be_read_as_it_is_and_be_written_once_it_can() {
    let (_directory, path) = place();
    let store = open(&path, &[NOTES]);
    note(&store, "before").unwrap();
    drop(store);
    // What SQLite wants to make beside the file, as on a full disk, it can't.
    let in_the_way = path.with_extension("db-shm");
    fs::create_dir(&in_the_way).unwrap();
    let store = Store::lazily(&path, &[NOTES]).unwrap();
    assert_eq!(notes(&store), ["before"]);
    let error = note(&store, "lost").unwrap_err();
    assert!(
        matches!(error, StoreError::NotOpen(_)) && error.is_passing(),
        "{error:?}"
    );
    assert_eq!(notes(&store), ["before"]);
    fs::remove_dir(&in_the_way).unwrap();
    note(&store, "after").unwrap();
    assert_eq!(notes(&store), ["before", "after"]);
}

#[test]
fn where_nothing_can_be_written_nothing_is_read() {
    let (_directory, path) = place();
    let store = Store::lazily(&path, &[NOTES]).unwrap();
    // A file is where its directory would be.
    let directory = path.parent().unwrap();
    fs::write(directory, "").unwrap();
    assert_eq!(notes(&store), [""; 0]);
    note(&store, "lost").unwrap_err();
    assert_eq!(store.get_blocking("key").unwrap(), None);
    fs::remove_file(directory).unwrap();
    note(&store, "kept").unwrap();
    assert_eq!(notes(&store), ["kept"]);
}

#[tokio::test]
async fn a_store_is_opened_when_it_is_used_and_says_what_it_found() {
    let (_directory, path) = place();
    let store = Store::lazily(&path, &[NOTES]).unwrap();
    assert!(!path.exists(), "nobody has used it");
    assert_eq!(store.opened().await.unwrap(), None);
    store.put("key", "value").await.unwrap();
    drop(store);
    fs::write(
        &path,
        "this is no database, but long enough to be taken for one".repeat(20),
    )
    .unwrap();
    let store = Store::lazily(&path, &[NOTES]).unwrap();
    assert_eq!(store.get("key").await.unwrap(), None);
    let aside = store.opened().await.unwrap().unwrap();
    assert!(aside.to_string_lossy().ends_with(".damaged-1"), "{aside:?}");
    drop(store);

    drop(open(&path, &[NOTES_WITH_TIME]));
    let store = Store::lazily(&path, &[NOTES]).unwrap();
    let error = store.opened().await.unwrap_err();
    assert!(!error.is_passing());
    store.put("key", "value").await.unwrap_err();
    store.get("key").await.unwrap_err();
}
