//! The near end of a link: the process that gives the pipe, our program at its other end, and connections between.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::arrival::{NoArrival, arrive};
use crate::error::LinkError;
use crate::far::{Greeting, MAGIC, PROTOCOL, hear, say};
use crate::mux::{Mux, NEAR_PATIENCE, Urgency};
use crate::program::Programs;
use crate::way::{Asks, Way};

/// How long one step of the way may take, when nobody is asked anything.
const STEP: Duration = Duration::from_secs(30);
/// How long it may take until a shell is there, when a person may be asked something on the way.
const WITH_QUESTIONS: Duration = Duration::from_secs(10 * 60);
/// How much of what the command says is kept, its end.
const WORDS: usize = 4 * 1024;

/// What is being done while a link is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The machine is being reached.
    Reaching,
    /// A shell is there.
    There,
    /// Our program is being sent.
    Sending {
        /// So many bytes of it.
        sent: u64,
        /// Of so many.
        size: u64,
    },
    /// It is being started.
    Starting,
}

/// A link to a machine. Dropped, the pipe and all connections over it are over.
#[derive(Debug)]
pub struct Link {
    mux: Mux,
    about: serde_json::Value,
    over: watch::Receiver<Option<String>>,
    task: AbortHandle,
}

impl Link {
    /// Goes the way to a machine, puts our program there if it is missing, and has it run. `stage` is told of the progress.
    ///
    /// # Errors
    ///
    /// As [`LinkError`] has them; [`LinkError::wants_person`] says whether to try again makes sense.
    pub async fn open(
        way: &Way,
        programs: &Programs,
        asks: &Asks,
        stage: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<Self, LinkError> {
        stage(Stage::Reaching);
        let mut child = way
            .start(asks)
            .spawn()
            .map_err(|source| LinkError::NotStarted {
                program: way.program().to_owned(),
                source,
            })?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            unreachable!("all three were asked for as pipes");
        };
        let words = Words::follow(stderr);
        let mut write = stdin;
        let mut read = BufReader::with_capacity(64 * 1024, stdout);
        let first = if *asks == Asks::Nobody {
            STEP
        } else {
            WITH_QUESTIONS
        };
        // Moved on by each step that is done, so that a slow line may take its time for a large program.
        let deadline = watch::Sender::new((Instant::now() + first, "it is reached"));
        let mut on = |at: Stage| {
            let waits_for = match at {
                Stage::Reaching => "it is reached",
                Stage::There | Stage::Starting => "our program runs there",
                Stage::Sending { .. } => "our program is sent",
            };
            deadline.send_replace((Instant::now() + STEP, waits_for));
            stage(at);
        };
        let arriving = async {
            arrive(&mut read, &mut write, programs, &mut on).await?;
            greet(&mut read, &mut write).await
        };
        let arrived = tokio::select! {
            arrived = arriving => arrived,
            at = too_late(&deadline) => {
                return Err(LinkError::TooLong {
                    way: way.to_string(),
                    seconds: if at == "it is reached" { first } else { STEP }.as_secs(),
                    at,
                    said: words.said(),
                });
            }
        };
        let about = match arrived {
            Ok(about) => about,
            Err(NoArrival::Known(error)) => return Err(error),
            Err(NoArrival::Pipe(error)) => return Err(why(way, error, &mut child, words).await),
        };
        let (mux, run) = Mux::begin(read, write, None, NEAR_PATIENCE);
        let (tell, over) = watch::channel(None);
        let ssh = way.program().to_owned();
        let task = tokio::spawn(async move {
            let mut why = run.await;
            // What the command itself has to say of it is more than that its pipe was closed.
            if let Ok(Ok(status)) = timeout(Duration::from_millis(200), child.wait()).await {
                let said = words.said();
                why = if said.is_empty() {
                    format!("{ssh} ended ({status})")
                } else {
                    said
                };
            }
            drop(child);
            tell.send_replace(Some(why));
        });
        Ok(Self {
            mux,
            about,
            over,
            task: task.abort_handle(),
        })
    }

    /// What the far end told of itself.
    pub fn about(&self) -> &serde_json::Value {
        &self.about
    }

    /// A new connection to what the far end connects to; if that is not there, it is closed at once.
    ///
    /// # Errors
    ///
    /// When the link is over.
    pub fn connect(&self, urgency: Urgency) -> std::io::Result<UnixStream> {
        self.mux.connect(urgency)
    }

    /// Why it is over, if it is.
    pub fn over(&self) -> Option<String> {
        self.over.borrow().clone()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits until a deadline that may be moved on has passed; says what was waited for.
async fn too_late(deadline: &watch::Sender<(Instant, &'static str)>) -> &'static str {
    let mut moved = deadline.subscribe();
    loop {
        let (due, at) = *moved.borrow_and_update();
        if timeout_at(due, moved.changed()).await.is_err() {
            return at;
        }
    }
}

/// The first words of both ends, once our program runs there.
async fn greet(
    read: &mut (impl AsyncRead + Unpin),
    write: &mut (impl tokio::io::AsyncWrite + Unpin),
) -> Result<serde_json::Value, NoArrival> {
    let mut magic = [0; MAGIC.len()];
    read.read_exact(&mut magic).await?;
    if magic != *MAGIC {
        let said = String::from_utf8_lossy(&magic).into_owned();
        return Err(wrong(format!("it began with {said:?}")));
    }
    let far = hear(read).await?;
    if far.link != PROTOCOL {
        let message = format!(
            "it speaks version {} of links, and this is {PROTOCOL}",
            far.link
        );
        return Err(wrong(message));
    }
    let near = Greeting {
        link: PROTOCOL,
        about: serde_json::Value::Null,
    };
    say(write, &near).await?;
    Ok(far.about)
}

fn wrong(message: String) -> NoArrival {
    NoArrival::Pipe(std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        message,
    ))
}

/// Why the pipe broke: what the command says, or else what came over it.
async fn why(way: &Way, error: std::io::Error, child: &mut Child, words: Words) -> LinkError {
    if error.kind() == std::io::ErrorKind::InvalidData {
        return LinkError::Protocol {
            way: way.to_string(),
            message: error.to_string(),
        };
    }
    // It is ending, or holds a pipe of which the other half is gone.
    let ended = match timeout(Duration::from_secs(2), child.wait()).await {
        Ok(Ok(status)) => match status.code() {
            Some(code) => format!("ended with status {code}"),
            None => format!("ended ({status})"),
        },
        _ => "closed its pipe".to_owned(),
    };
    let said = words.ended().await;
    LinkError::NoPipe {
        way: way.to_string(),
        ended,
        wants_person: wants_person(&said),
        said,
    }
}

/// Whether ssh says what a person has to see to; all else may be otherwise in a minute.
fn wants_person(said: &str) -> bool {
    const SAYS: [&str; 5] = [
        "Host key verification failed",
        "Permission denied",
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "Too many authentication failures",
        "Bad configuration option",
    ];
    SAYS.iter().any(|says| said.contains(says))
}

/// What the command says on its standard error: the end of it.
struct Words {
    said: Arc<Mutex<Vec<u8>>>,
    following: tokio::task::JoinHandle<()>,
}

impl Words {
    fn follow(mut stderr: ChildStderr) -> Self {
        let said = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&said);
        let following = tokio::spawn(async move {
            let mut piece = [0; 1024];
            while let Ok(read @ 1..) = stderr.read(&mut piece).await {
                let mut kept = kept.lock();
                kept.extend_from_slice(&piece[..read]);
                let over = kept.len().saturating_sub(WORDS);
                kept.drain(..over);
            }
        });
        Self { said, following }
    }

    /// What it has said, in one line, without what would be an order to a terminal.
    fn said(&self) -> String {
        let said = self.said.lock();
        let said = String::from_utf8_lossy(&said);
        let lines = said.lines().map(str::trim).filter(|line| {
            // The frame of a warning.
            !line.is_empty() && !line.chars().all(|c| c == '@')
        });
        let text = lines.collect::<Vec<_>>().join(" ");
        text.chars().filter(|c| !c.is_control()).collect()
    }

    /// All that it says, once it has ended.
    async fn ended(mut self) -> String {
        let _ = timeout(Duration::from_millis(500), &mut self.following).await;
        self.said()
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        self.following.abort();
    }
}
