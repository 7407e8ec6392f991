//! One connection: greeted, then served for what it came for, the control of panes or the stream of one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use terminal::{AttachOptions, PaneEvent, PaneId, Refusal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::requests::{Session, blocking};
use super::{Shared, Tally};
use crate::protocol::{
    self, Hello, MAX_GREETING, MAX_REPLY, NotWelcome, Purpose, ToClient, VERSION, Welcome,
};
use crate::start::PANES;

/// How long a connection may take to say what it wants.
const GREETING_DEADLINE: Duration = Duration::from_secs(10);
/// How many messages wait for a client that reads slowly.
const OUTGOING: usize = 64;

/// Greets a client and serves what it came for.
pub(super) async fn serve_connection(
    mut stream: UnixStream,
    shared: &Arc<Shared>,
) -> io::Result<()> {
    let Some(purpose) = hear_out(&mut stream, PANES.name, &shared.welcome).await? else {
        return Ok(());
    };
    match serde_json::from_value(purpose)? {
        Purpose::Control => control(stream, shared).await,
        Purpose::Attach {
            pane,
            scrollback_rows,
            high_water,
        } => {
            let options = AttachOptions {
                scrollback_rows,
                high_water,
            };
            data(stream, shared, pane, options).await
        }
    }
}

/// Hears what a client of this user has come for; none when it only looked, or was refused for its protocol.
pub(super) async fn hear_out(
    stream: &mut UnixStream,
    name: &str,
    welcome: &Welcome,
) -> io::Result<Option<serde_json::Value>> {
    // The directory is closed to others already; this is the second door.
    let uid = stream.peer_cred()?.uid();
    if uid != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("a process of user {uid} connected"),
        ));
    }
    let hello = timeout(
        GREETING_DEADLINE,
        protocol::receive::<Hello>(stream, MAX_GREETING),
    );
    let hello = match hello.await {
        Ok(Ok(Some(hello))) => hello,
        // Only looked whether someone is there.
        Ok(Ok(None)) => return Ok(None),
        Ok(Err(error)) => return Err(error),
        Err(_) => return Err(io::Error::new(io::ErrorKind::TimedOut, "no greeting came")),
    };
    if hello.protocol != welcome.protocol {
        let refusal = NotWelcome::Protocol(format!(
            "this {name} is Switchyard {VERSION} and speaks protocol {}; the client is \
             Switchyard {} and speaks protocol {}",
            welcome.protocol, hello.version, hello.protocol
        ));
        refuse(stream, welcome, &refusal).await?;
        return Ok(None);
    }
    Ok(Some(hello.purpose))
}

async fn refuse(stream: &mut UnixStream, welcome: &Welcome, why: &NotWelcome) -> io::Result<()> {
    let welcome = Welcome {
        refused: Some(serde_json::to_value(why)?),
        ..welcome.clone()
    };
    protocol::send(stream, &welcome).await
}

/// The stream of one pane to one window.
async fn data(
    mut stream: UnixStream,
    shared: &Arc<Shared>,
    pane: PaneId,
    options: AttachOptions,
) -> io::Result<()> {
    let panes = shared.panes.clone();
    let mut attachment = match blocking(move || panes.attach(pane, options)).await {
        Ok(attachment) => attachment,
        Err(refusal) => {
            let refusal = NotWelcome::Pane(refusal);
            return refuse(&mut stream, &shared.welcome, &refusal).await;
        }
    };
    let _tally = Tally::new(&shared.attachments);
    protocol::send(&mut stream, &shared.welcome).await?;
    let (read, mut write) = stream.into_split();
    let handle = attachment.ack_handle();
    let acks = async move {
        let mut read = BufReader::new(read);
        // Ends when the window is gone, and the stream with it.
        while let Ok(bytes) = read.read_u64_le().await {
            handle.ack(bytes);
        }
    };
    let frames = async move {
        while let Some(frame) = attachment.next().await {
            let encoded = frame.encode();
            let length = u32::try_from(encoded.len()).map_err(io::Error::other)?;
            write_both(&mut write, &length.to_le_bytes(), &encoded).await?;
        }
        write.write_all(&0_u32.to_le_bytes()).await
    };
    tokio::select! {
        () = acks => Ok(()),
        sent = frames => match sent {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            sent => sent,
        },
    }
}

/// Writes a header and a body with one system call, as long as the socket takes them.
async fn write_both(to: &mut OwnedWriteHalf, header: &[u8], body: &[u8]) -> io::Result<()> {
    let mut sent = 0;
    while sent < header.len() {
        let parts = [io::IoSlice::new(&header[sent..]), io::IoSlice::new(body)];
        let wrote = to.write_vectored(&parts).await?;
        if wrote == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        sent += wrote;
    }
    to.write_all(&body[sent - header.len()..]).await
}

/// The control connection of one client.
async fn control(mut stream: UnixStream, shared: &Arc<Shared>) -> io::Result<()> {
    let _tally = Tally::new(&shared.clients);
    // Before the welcome: whoever lists the panes after it misses nothing.
    let events = shared.panes.events();
    protocol::send(&mut stream, &shared.welcome).await?;
    let (read, write) = stream.into_split();
    let (outgoing, queue) = mpsc::channel(OUTGOING);
    let session = Session::new(Arc::clone(shared), outgoing.clone());
    // When either ends, dropping `session` cancels its searches.
    tokio::select! {
        read = session.read(read) => read,
        () = forward_events(events, outgoing) => Ok(()),
        written = write_messages(write, queue) => match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        },
    }
}

/// Writes what is queued, and flushes when nothing is left.
async fn write_messages(
    write: OwnedWriteHalf,
    mut queue: mpsc::Receiver<ToClient>,
) -> io::Result<()> {
    let mut write = BufWriter::with_capacity(64 * 1024, write);
    while let Some(message) = queue.recv().await {
        let encoded = match (protocol::encode(&message, MAX_REPLY), &message) {
            (Ok(encoded), _) => encoded,
            (Err(error), ToClient::Reply { id, .. }) => {
                let refusal = Refusal::Failed {
                    message: format!("the answer is too long: {error}: ask for less at a time"),
                };
                protocol::encode(&ToClient::Refused { id: *id, refusal }, MAX_REPLY)?
            }
            (Err(error), _) => {
                tracing::warn!(%error, "left out of a client's stream");
                continue;
            }
        };
        write.write_all(&encoded).await?;
        if queue.is_empty() {
            write.flush().await?;
        }
    }
    Ok(())
}

/// Tells a client what happens to the panes; one that falls behind is told to list them anew.
async fn forward_events(
    mut events: tokio::sync::broadcast::Receiver<PaneEvent>,
    outgoing: mpsc::Sender<ToClient>,
) {
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(_)) => PaneEvent::Lagged,
            Err(RecvError::Closed) => return,
        };
        if outgoing
            .send(ToClient::Event(Box::new(event)))
            .await
            .is_err()
        {
            return;
        }
    }
}
