//! Many connections over one pipe.
//!
//! What goes over it is one message after another: a kind, the number of a connection, a length, and so many bytes. Each
//! connection may have so much under way as its reader has made room for, so that one that nobody reads stops alone. What is
//! urgent is written before what is not: a key and its answer pass a flood.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// How much of one connection may be under way, in bytes.
const ROOM: usize = 256 * 1024;
/// The largest piece of it: what is urgent waits for one of them at most.
const PIECE: usize = 16 * 1024;
/// How many pieces that are not urgent wait to be written.
const PIECES: usize = 4;
/// How often an end says that it is there while there is nothing to say.
pub(crate) const BEAT: Duration = Duration::from_secs(2);
/// How long nothing may come before the near end takes the link for lost.
pub(crate) const NEAR_PATIENCE: Duration = Duration::from_secs(7);
/// And the far end, which can do nothing but make room: a machine that slept finds it again.
pub(crate) const FAR_PATIENCE: Duration = Duration::from_secs(30);

/// Whether a connection goes before others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Keys, and what is asked: little, and waited for.
    Urgent,
    /// What panes print.
    Usual,
}

const OPEN: u8 = 1;
const DATA: u8 = 2;
const ROOM_MADE: u8 = 3;
const CLOSE: u8 = 4;
const BEAT_MESSAGE: u8 = 5;

/// One message, as it travels.
struct Message {
    kind: u8,
    connection: u32,
    bytes: Vec<u8>,
}

/// One end of the pipe. Clones are the same end.
#[derive(Clone)]
pub(crate) struct Mux(Arc<Shared>);

impl std::fmt::Debug for Mux {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mux").finish_non_exhaustive()
    }
}

struct Shared {
    urgent: mpsc::UnboundedSender<Message>,
    usual: mpsc::Sender<Message>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u32,
    open: HashMap<u32, Open>,
    tasks: JoinSet<()>,
    over: bool,
}

/// One connection, as the reader of the pipe sees it.
struct Open {
    /// What came for it, to be written to its socket; never more than it has room for.
    came: mpsc::UnboundedSender<Vec<u8>>,
    /// How much came and is not written yet.
    under_way: Arc<AtomicUsize>,
    /// How much may be sent.
    room: Arc<Semaphore>,
}

/// What makes the connections at the far end.
pub(crate) type Connect =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = io::Result<UnixStream>> + Send>> + Send + Sync>;

impl Mux {
    /// Takes the pipe. What comes back runs it, and ends with the reason; dropped, all connections are over.
    ///
    /// `connect`: what makes a connection when the other end opens one; none: it may not. `patience`: how long nothing may come.
    pub(crate) fn begin(
        read: impl AsyncRead + Send + Unpin + 'static,
        write: impl AsyncWrite + Send + Unpin + 'static,
        connect: Option<Connect>,
        patience: Duration,
    ) -> (Self, impl Future<Output = String> + Send) {
        let (urgent, urgent_queue) = mpsc::unbounded_channel();
        let (usual, usual_queue) = mpsc::channel(PIECES);
        let mux = Self(Arc::new(Shared {
            urgent,
            usual,
            state: Mutex::default(),
        }));
        let run = run(
            mux.clone(),
            read,
            write,
            urgent_queue,
            usual_queue,
            connect,
            patience,
        );
        (mux, run)
    }

    /// A new connection to what the far end connects to. If that is not there, it ends at once.
    pub(crate) fn connect(&self, urgency: Urgency) -> io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        let number = {
            let mut state = self.0.state.lock();
            if state.over {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            state.next = state.next.wrapping_add(1);
            state.next
        };
        self.say(OPEN, number, vec![u8::from(urgency == Urgency::Urgent)]);
        self.carry(number, urgency, std::future::ready(Ok(theirs)));
        Ok(ours)
    }

    fn say(&self, kind: u8, connection: u32, bytes: Vec<u8>) {
        let message = Message {
            kind,
            connection,
            bytes,
        };
        // Over: then so is the connection.
        let _ = self.0.urgent.send(message);
    }

    /// Carries what is said on a socket, once there is one, to the other end, and back.
    fn carry(
        &self,
        number: u32,
        urgency: Urgency,
        socket: impl Future<Output = io::Result<UnixStream>> + Send + 'static,
    ) {
        let (came, queue) = mpsc::unbounded_channel();
        let open = Open {
            came,
            under_way: Arc::default(),
            room: Arc::new(Semaphore::new(ROOM)),
        };
        let (room, under_way) = (Arc::clone(&open.room), Arc::clone(&open.under_way));
        let mut state = self.0.state.lock();
        if state.over {
            return;
        }
        while state.tasks.try_join_next().is_some() {}
        state.open.insert(number, open);
        let mux = self.clone();
        state.tasks.spawn(async move {
            if let Ok(socket) = socket.await {
                let (read, write) = socket.into_split();
                let closed_there = tokio::select! {
                    () = mux.send_on(number, urgency, read, &room) => false,
                    handed_out = mux.hand_out(number, write, queue, &under_way) => handed_out.is_ok(),
                };
                if !closed_there {
                    mux.queue(CLOSE, number, urgency, Vec::new()).await;
                }
            } else {
                mux.queue(CLOSE, number, urgency, Vec::new()).await;
            }
            mux.0.state.lock().open.remove(&number);
        });
    }

    /// Sends what comes from a socket, as far as there is room for it at the other end.
    async fn send_on(
        &self,
        number: u32,
        urgency: Urgency,
        mut read: OwnedReadHalf,
        room: &Semaphore,
    ) {
        let mut buffer = vec![0; PIECE];
        loop {
            let Ok(one) = room.acquire().await else {
                return;
            };
            // What there is room for, this one byte included.
            let much = (room.available_permits() + 1).min(PIECE);
            let read = match read.read(&mut buffer[..much]).await {
                Ok(0) | Err(_) => break,
                Ok(read) => read,
            };
            one.forget();
            if read > 1 {
                room.forget_permits(read - 1);
            }
            if !self
                .queue(DATA, number, urgency, buffer[..read].to_vec())
                .await
            {
                return;
            }
        }
    }

    /// Behind what was queued before with this urgency.
    async fn queue(&self, kind: u8, connection: u32, urgency: Urgency, bytes: Vec<u8>) -> bool {
        let message = Message {
            kind,
            connection,
            bytes,
        };
        match urgency {
            Urgency::Urgent => self.0.urgent.send(message).is_ok(),
            Urgency::Usual => self.0.usual.send(message).await.is_ok(),
        }
    }

    /// Writes to a socket what came for it, and says how much room that made.
    async fn hand_out(
        &self,
        number: u32,
        mut write: OwnedWriteHalf,
        mut queue: mpsc::UnboundedReceiver<Vec<u8>>,
        under_way: &AtomicUsize,
    ) -> io::Result<()> {
        let mut made = 0;
        while let Some(bytes) = queue.recv().await {
            write.write_all(&bytes).await?;
            under_way.fetch_sub(bytes.len(), Ordering::Relaxed);
            made += bytes.len();
            if made >= ROOM / 4 {
                let room = u32::try_from(made).unwrap_or(u32::MAX);
                self.say(ROOM_MADE, number, room.to_le_bytes().to_vec());
                made = 0;
            }
        }
        write.shutdown().await
    }

    /// Does what a message says. An error ends the link: the other end is not what it should be.
    fn take(&self, message: Message, connect: Option<&Connect>) -> io::Result<()> {
        let Message {
            kind,
            connection,
            bytes,
        } = message;
        match kind {
            BEAT_MESSAGE => {}
            OPEN => {
                let Some(connect) = connect else {
                    return Err(wrong("it opened a connection to here"));
                };
                let urgency = match bytes.as_slice() {
                    [1] => Urgency::Urgent,
                    _ => Urgency::Usual,
                };
                // What comes on it waits until it is made.
                self.carry(connection, urgency, connect());
            }
            DATA => {
                let state = self.0.state.lock();
                // None: it was closed here, and that is on its way there.
                if let Some(open) = state.open.get(&connection) {
                    let before = open.under_way.fetch_add(bytes.len(), Ordering::Relaxed);
                    if before + bytes.len() > ROOM {
                        return Err(wrong("it sent more than there was room for"));
                    }
                    let _ = open.came.send(bytes);
                }
            }
            ROOM_MADE => {
                let Ok(room) = <[u8; 4]>::try_from(bytes.as_slice()) else {
                    return Err(wrong("a message about room has no number"));
                };
                let room = u32::from_le_bytes(room) as usize;
                let state = self.0.state.lock();
                if let Some(open) = state.open.get(&connection) {
                    if open.room.available_permits() + room > ROOM {
                        return Err(wrong("it made more room than there is"));
                    }
                    open.room.add_permits(room);
                }
            }
            // What came on it is handed out, and then that is over, too.
            CLOSE => drop(self.0.state.lock().open.remove(&connection)),
            _ => return Err(wrong("a message is of a kind that is not known")),
        }
        Ok(())
    }

    /// Ends every connection.
    fn end(&self) {
        let (tasks, open) = {
            let mut state = self.0.state.lock();
            state.over = true;
            (
                std::mem::take(&mut state.tasks),
                std::mem::take(&mut state.open),
            )
        };
        drop(open);
        drop(tasks);
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Ends the connections when the pipe is no longer run.
struct Ends(Mux);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end();
    }
}

async fn run(
    mux: Mux,
    read: impl AsyncRead + Send + Unpin,
    write: impl AsyncWrite + Send + Unpin,
    urgent: mpsc::UnboundedReceiver<Message>,
    usual: mpsc::Receiver<Message>,
    connect: Option<Connect>,
    patience: Duration,
) -> String {
    let ends = Ends(mux);
    let heard = Mutex::new(Instant::now());
    tokio::select! {
        read = read_messages(&ends.0, read, connect.as_ref(), &heard) => match read {
            Ok(()) => "the pipe was closed".to_owned(),
            Err(error) => error.to_string(),
        },
        written = write_messages(write, urgent, usual) => match written {
            Ok(()) => "it was let go of".to_owned(),
            Err(error) => error.to_string(),
        },
        () = silence(&heard, patience) => format!("nothing came for {} seconds", patience.as_secs()),
    }
}

/// Waits until nothing has come for so long.
///
/// A process that was stopped, or a machine that slept, has not listened in that time: it gives the other end another chance.
async fn silence(heard: &Mutex<Instant>, patience: Duration) {
    let mut woken = Instant::now();
    loop {
        let due = (*heard.lock()).max(woken) + patience;
        let now = Instant::now();
        if now >= due {
            return;
        }
        let next = due.min(now + Duration::from_secs(1));
        sleep_until(next).await;
        if next.elapsed() > Duration::from_secs(2) {
            woken = Instant::now();
        }
    }
}

async fn read_messages(
    mux: &Mux,
    read: impl AsyncRead + Unpin,
    connect: Option<&Connect>,
    heard: &Mutex<Instant>,
) -> io::Result<()> {
    let mut read = BufReader::with_capacity(64 * 1024, read);
    loop {
        let mut header = [0; 9];
        match read.read_exact(&mut header).await {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
        let number = |from: usize| {
            u32::from_le_bytes([
                header[from],
                header[from + 1],
                header[from + 2],
                header[from + 3],
            ])
        };
        let (kind, connection, length) = (header[0], number(1), number(5) as usize);
        if length > PIECE {
            return Err(wrong("a message is longer than any may be"));
        }
        let mut bytes = vec![0; length];
        read.read_exact(&mut bytes).await?;
        *heard.lock() = Instant::now();
        mux.take(
            Message {
                kind,
                connection,
                bytes,
            },
            connect,
        )?;
    }
}

async fn write_messages(
    mut write: impl AsyncWrite + Unpin,
    mut urgent: mpsc::UnboundedReceiver<Message>,
    mut usual: mpsc::Receiver<Message>,
) -> io::Result<()> {
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut packed = Vec::with_capacity(PIECE + 9);
    loop {
        let message = tokio::select! {
            biased;
            Some(message) = urgent.recv() => message,
            Some(message) = usual.recv() => message,
            _ = beat.tick() => Message { kind: BEAT_MESSAGE, connection: 0, bytes: Vec::new() },
            else => return Ok(()),
        };
        packed.clear();
        packed.push(message.kind);
        packed.extend_from_slice(&message.connection.to_le_bytes());
        let length = u32::try_from(message.bytes.len()).map_err(io::Error::other)?;
        packed.extend_from_slice(&length.to_le_bytes());
        packed.extend_from_slice(&message.bytes);
        write.write_all(&packed).await?;
        if urgent.is_empty() && usual.is_empty() {
            write.flush().await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{DuplexStream, duplex};
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_secs(20);

    /// Two ends of one pipe; the far one connects to what `connect` makes.
    fn joined(connect: Connect) -> Mux {
        let (near, far) = (duplex(64 * 1024), duplex(64 * 1024));
        let begin = |read: DuplexStream, write: DuplexStream, connect| {
            let (mux, run) = Mux::begin(read, write, connect, SOON);
            tokio::spawn(run);
            mux
        };
        // Kept by its own run.
        drop(begin(far.1, near.0, Some(connect)));
        begin(near.1, far.0, None)
    }

    /// Gives back what it is sent.
    fn echo() -> Connect {
        Arc::new(|| {
            Box::pin(async {
                let (ours, theirs) = UnixStream::pair()?;
                tokio::spawn(async move {
                    let (mut read, mut write) = ours.into_split();
                    tokio::io::copy(&mut read, &mut write).await
                });
                Ok(theirs)
            })
        })
    }

    /// Says much more than there is room for, whether it is read or not.
    fn flood() -> Connect {
        Arc::new(|| {
            Box::pin(async {
                let (mut ours, theirs) = UnixStream::pair()?;
                tokio::spawn(async move {
                    let flood = vec![b'x'; 8 * ROOM];
                    ours.write_all(&flood).await
                });
                Ok(theirs)
            })
        })
    }

    async fn said_back(stream: &mut UnixStream, said: &[u8]) {
        let mut heard = vec![0; said.len()];
        let (mut read, mut write) = stream.split();
        let both = async { tokio::try_join!(write.write_all(said), read.read_exact(&mut heard)) };
        timeout(SOON, both)
            .await
            .expect("in time")
            .expect("it goes on");
        assert!(heard == said);
    }

    #[tokio::test]
    async fn connections_carry_what_is_said_on_them_and_no_other() {
        let mux = joined(echo());
        let mut one = mux.connect(Urgency::Urgent).unwrap();
        let mut two = mux.connect(Urgency::Usual).unwrap();
        said_back(&mut one, b"one").await;
        said_back(&mut two, b"two").await;
        let much: Vec<u8> = (0..5 * ROOM).map(|at| (at % 251) as u8).collect();
        said_back(&mut two, &much).await;
        said_back(&mut one, b"still one").await;
    }

    #[tokio::test]
    async fn a_flood_that_nobody_reads_holds_up_no_other_connection() {
        let mux = joined(flood());
        let unread = mux.connect(Urgency::Usual).unwrap();
        let mut read = mux.connect(Urgency::Usual).unwrap();
        let mut all = vec![0; 8 * ROOM];
        timeout(SOON, read.read_exact(&mut all))
            .await
            .unwrap()
            .unwrap();
        let mut end = [0];
        assert_eq!(
            timeout(SOON, read.read(&mut end)).await.unwrap().unwrap(),
            0
        );
        drop(unread);
    }

    #[tokio::test]
    async fn what_is_not_there_is_a_connection_that_is_closed() {
        let mux = joined(Arc::new(|| {
            Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) })
        }));
        let mut none = mux.connect(Urgency::Urgent).unwrap();
        let mut end = [0];
        let read = timeout(SOON, none.read(&mut end)).await.unwrap();
        assert_eq!(read.unwrap_or(0), 0);
    }

    #[tokio::test]
    async fn an_end_that_says_nothing_is_lost_and_its_connections_end() {
        let (near, far) = (duplex(1024), duplex(1024));
        let (mux, run) = Mux::begin(near.1, far.0, None, Duration::from_millis(50));
        let mut waits = mux.connect(Urgency::Urgent).unwrap();
        let why = timeout(SOON, run).await.unwrap();
        assert_eq!(why, "nothing came for 0 seconds");
        let mut end = [0];
        assert_eq!(
            timeout(SOON, waits.read(&mut end))
                .await
                .unwrap()
                .unwrap_or(0),
            0
        );
        assert!(mux.connect(Urgency::Urgent).is_err());
        drop((near.0, far.1));
    }

    #[tokio::test]
    async fn an_end_that_sends_what_there_is_no_room_for_is_left() {
        let (near, far) = (duplex(1024 * 1024), duplex(1024 * 1024));
        let (mux, run) = Mux::begin(near.1, far.0, None, SOON);
        let _unread = mux.connect(Urgency::Urgent).unwrap();
        let mut rude = near.0;
        let sending = async {
            let mut message = vec![DATA];
            message.extend_from_slice(&1_u32.to_le_bytes());
            message.extend_from_slice(&(PIECE as u32).to_le_bytes());
            message.extend_from_slice(&vec![b'x'; PIECE]);
            // More than there is room for, what the socket holds included.
            for _ in 0..200 {
                if rude.write_all(&message).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        let why = tokio::select! {
            why = run => why,
            () = sending => unreachable!("it never ends"),
        };
        assert_eq!(why, "it sent more than there was room for");
        drop(far.1);
    }
}
