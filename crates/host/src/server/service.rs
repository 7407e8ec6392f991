//! Serving something else than panes, with the same manners: one at a time for a directory, closed to others, told apart
//! by version, gone when nobody needs it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection::hear_out;
use super::{Counted, Door, Host, HostOptions, ServeError, accept};
use crate::paths::HostPaths;
use crate::protocol::{self, MAX_REPLY, Welcome};
use crate::start::{self, ConnectError, Service};

/// What serves one connection, for as long as the client stays.
pub type ServeEach =
    Arc<dyn Fn(Hears, Says) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The end of a connection that hears messages.
#[derive(Debug)]
pub struct Hears(BufReader<OwnedReadHalf>);

/// The end of a connection that says messages.
#[derive(Debug)]
pub struct Says(OwnedWriteHalf);

impl Hears {
    /// Waits for the next message; none when the other side has hung up.
    ///
    /// # Errors
    ///
    /// When it can't be read as a `T`, or is longer than 64 MB.
    pub async fn hear<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        protocol::receive(&mut self.0, MAX_REPLY).await
    }
}

impl Says {
    /// Says a message.
    ///
    /// # Errors
    ///
    /// When the other side has hung up.
    pub async fn say<T: Serialize>(&mut self, message: &T) -> io::Result<()> {
        protocol::send(&mut self.0, message).await
    }
}

fn halves(stream: UnixStream) -> (Hears, Says) {
    let (read, write) = stream.into_split();
    (Hears(BufReader::new(read)), Says(write))
}

impl Service {
    /// Connects to the process that serves this; `exe`: the program that is started when none does.
    ///
    /// # Errors
    ///
    /// [`ConnectError::NotRunning`] when none serves and none is to be started; otherwise as
    /// [`HostClient::connect_or_start`](crate::HostClient::connect_or_start).
    pub async fn connect(
        &'static self,
        paths: &HostPaths,
        exe: Option<&std::path::Path>,
    ) -> Result<(Hears, Says), ConnectError> {
        let (stream, _) = start::reach(self, paths, exe, &self.name.into()).await?;
        Ok(halves(stream))
    }

    /// Serves each connection with `each` until `stop` is ready, or until there was neither a connection nor anything at
    /// work (`busy`) for `idle_after`. Whoever holds `claim` then ends what it holds, and lets go of the claim last: the next
    /// one begins when this one has nothing any more.
    ///
    /// # Errors
    ///
    /// [`ServeError::Listen`] when the socket can't be made.
    pub async fn serve(
        &'static self,
        claim: &Host,
        options: HostOptions,
        each: ServeEach,
        busy: watch::Receiver<bool>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        // We hold the lock, so a socket that is there was left behind.
        claim.paths.remove();
        let door = Door::open(self, &claim.paths)?;
        let welcome = Welcome::of(self.protocol, options.started_at);
        claim.leave_note(&welcome);
        let count = watch::Sender::new(0);
        let mut connections = JoinSet::new();
        let begin = |mut stream: UnixStream, connections: &mut JoinSet<()>| {
            let counted = Counted::new(&count);
            let (welcome, each) = (welcome.clone(), Arc::clone(&each));
            connections.spawn(async move {
                match greet(self, &mut stream, &welcome).await {
                    Ok(true) => {
                        let (hears, says) = halves(stream);
                        each(hears, says).await;
                    }
                    Ok(false) => {}
                    Err(error) => tracing::warn!(%error, "a connection ended badly"),
                }
                drop(counted);
            });
        };
        tokio::select! {
            () = stop => tracing::info!("told to end"),
            () = unneeded(count.subscribe(), busy, options.idle_after) => {
                tracing::info!("nobody needs me: ending");
            }
            () = accept(door, begin, &mut connections) => {}
        }
        claim.paths.remove();
        connections.shutdown().await;
        Ok(())
    }
}

/// Whether a client has come for this, and was welcomed.
async fn greet(service: &Service, stream: &mut UnixStream, welcome: &Welcome) -> io::Result<bool> {
    if hear_out(stream, service.name, welcome).await?.is_none() {
        return Ok(false);
    }
    protocol::send(stream, welcome).await?;
    Ok(true)
}

async fn unneeded(
    mut count: watch::Receiver<u32>,
    mut busy: watch::Receiver<bool>,
    idle_after: Duration,
) {
    loop {
        if count.wait_for(|count| *count == 0).await.is_err()
            || busy.wait_for(|busy| !*busy).await.is_err()
        {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(idle_after) => return,
            _ = count.changed() => {}
            _ = busy.changed() => {}
        }
    }
}
