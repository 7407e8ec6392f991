//! Where the window that watches answers a check before an edit: a socket that only its owner can open.
//!
//! One question and one answer per connection, a line of JSON each. Whatever goes wrong, the one who asks hears
//! nothing and looks for itself: the door makes an answer faster and fuller, and is needed for none.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::conflicts::{CheckAnswer, ProposedChange};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use super::{check, look_at, looks_for_breaks};
use crate::{App, Error, Paths};

/// How long to wait for the running window: half of what a hook may take, so that looking still fits in.
const PATIENCE: Duration = Duration::from_millis(25);

/// How long a connection may stay.
const ASKED_WITHIN: Duration = Duration::from_secs(1);

/// The longest question: two paths, and a text that is longer than what is read of one.
const LONGEST: u64 = 1024 * 1024;

/// The longest answer that is read.
const LONGEST_ANSWER: u64 = 16 * 1024 * 1024;

/// How many may be asked at once; more wait in the system's queue.
const AT_ONCE: usize = 8;

impl App {
    /// Answers checks of the command line from the running index until [`App::shutdown`].
    ///
    /// The newest window answers: it takes the place of the socket that it finds.
    pub fn answer_checks(&self) {
        let app = Arc::downgrade(&self.0);
        let paths = self.paths().clone();
        self.spawn(async move {
            let door = match Door::open(&socket(&paths)) {
                Ok(door) => door,
                Err(error) => {
                    tracing::warn!("checks before edits look for themselves: {error}");
                    return;
                }
            };
            let places = Arc::new(Semaphore::new(AT_ONCE));
            while let Ok(place) = places.clone().acquire_owned().await {
                let asking = match door.listener.accept().await {
                    Ok((asking, _)) => asking,
                    Err(error) => {
                        tracing::warn!("checks before edits look for themselves: {error}");
                        return;
                    }
                };
                let Some(inner) = app.upgrade() else { return };
                let app = App(inner);
                tokio::spawn(async move {
                    // Nobody waits any more, or never asked: nothing to tell anyone.
                    let _ = tokio::time::timeout(ASKED_WITHIN, answer(&app, asking)).await;
                    drop(place);
                });
            }
        });
    }
}

/// Says what the other worktrees do where somebody is about to change a file: from the index of the window that
/// watches them, which knows what agents announced, too; by looking at that one file when there is none.
///
/// `breaks`: looks for what others changed that it uses, also where that is not set.
///
/// # Errors
///
/// [`Code::BadParams`](crate::Code::BadParams) when the worktree is in no repository, the file lies outside of it,
/// or the lines are no range.
pub fn check_change(
    paths: Option<&Paths>,
    change: &ProposedChange,
    breaks: bool,
) -> Result<CheckAnswer, Error> {
    let set = looks_for_breaks(paths);
    let question = Question::Check(change.clone());
    // A window looks for what is set.
    let window = paths.filter(|_| set || !breaks);
    let answered = window.and_then(|paths| put(&socket(paths), &question).ok());
    answered.map_or_else(|| look_at(change, breaks || set), Ok)
}

/// Tells the window that watches of a change that somebody is about to make, for ten minutes; says whether one heard.
pub fn announce_from_outside(paths: &Paths, change: &ProposedChange, by: Option<&str>) -> bool {
    let question = Question::Announce {
        announce: change.clone(),
        by: by.map(str::to_owned),
    };
    put::<bool>(&socket(paths), &question).unwrap_or(false)
}

/// What may be asked.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Question {
    /// Somebody is about to make this change.
    Announce {
        announce: ProposedChange,
        by: Option<String>,
    },
    /// What do others do there?
    Check(ProposedChange),
}

fn socket(paths: &Paths) -> PathBuf {
    paths.runtime().join("conflicts.sock")
}

/// A socket that goes with its owner, unless another one took its place.
struct Door {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl Door {
    fn open(path: &Path) -> io::Result<Self> {
        // Made aside and moved, so that there is no moment without one. The directory is its owner's alone.
        let draft = path.with_extension(format!("{}.new", std::process::id()));
        let _ = std::fs::remove_file(&draft);
        let listener = UnixListener::bind(&draft)?;
        let inode = std::fs::metadata(&draft)?.ino();
        std::fs::rename(&draft, path)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            inode,
        })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let ours = std::fs::metadata(&self.path).is_ok_and(|about| about.ino() == self.inode);
        if ours {
            // Left behind, it would only refuse whoever asks.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

async fn answer(app: &App, asking: UnixStream) -> io::Result<()> {
    let (read, mut write) = asking.into_split();
    let mut question = Vec::new();
    let mut read = BufReader::new(read.take(LONGEST));
    read.read_until(b'\n', &mut question).await?;
    let mut line = match serde_json::from_slice(&question)? {
        Question::Announce { announce, by } => {
            let heard = app.announce_change(announce, by).await.is_ok();
            serde_json::to_vec(&heard)?
        }
        Question::Check(change) => {
            let watchers = app.watchers();
            let checked = super::blocking(move || Ok(check(&watchers, &change))).await;
            // A refusal is not passed on: who looks for itself comes to the same, and says why.
            let Ok(Some(Ok(answer))) = checked else {
                return Ok(());
            };
            serde_json::to_vec(&answer)?
        }
    };
    line.push(b'\n');
    write.write_all(&line).await
}

fn put<T: DeserializeOwned>(socket: &Path, question: &Question) -> io::Result<T> {
    let mut asking = BlockingStream::connect(socket)?;
    asking.set_read_timeout(Some(PATIENCE))?;
    asking.set_write_timeout(Some(PATIENCE))?;
    let mut question = serde_json::to_vec(question)?;
    question.push(b'\n');
    asking.write_all(&question)?;
    let mut answer = String::new();
    io::BufReader::new(asking.take(LONGEST_ANSWER)).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}
