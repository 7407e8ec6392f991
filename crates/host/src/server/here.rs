//! Panes that live in this process: the same host, reached over socket pairs instead of a socket.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use terminal::Panes;
use tokio::net::UnixStream;
use tokio::task::JoinSet;

use super::{Host, Shared, begin_connection, end_panes};

/// A host that serves its own process alone. Clones are the same host; its programs end with the last, or with
/// [`HostHere::end`].
#[derive(Clone)]
pub struct HostHere(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    /// The connections; none once it has ended.
    connections: Mutex<Option<JoinSet<()>>>,
    /// Held, so that no other host serves the same directory.
    claim: Mutex<Option<Host>>,
}

impl std::fmt::Debug for HostHere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostHere").finish_non_exhaustive()
    }
}

impl Host {
    /// Serves `panes` to this process, over no socket that another could find.
    pub fn serve_here(self, panes: Panes, started_at: u64) -> HostHere {
        HostHere(Arc::new(Inner {
            shared: Shared::new(panes, started_at),
            connections: Mutex::new(Some(JoinSet::new())),
            claim: Mutex::new(Some(self)),
        }))
    }
}

impl HostHere {
    /// A new connection; an error once it has ended.
    pub(crate) fn connect(&self) -> io::Result<UnixStream> {
        let mut connections = self.0.connections.lock();
        let connections = connections
            .as_mut()
            .ok_or(io::ErrorKind::ConnectionRefused)?;
        // Ended tasks are collected as new ones begin.
        while connections.try_join_next().is_some() {}
        let (ours, theirs) = UnixStream::pair()?;
        begin_connection(theirs, &self.0.shared, connections);
        Ok(ours)
    }

    /// Ends the programs, as [`Panes::shutdown`] does, and lets go of the directory.
    pub async fn end(&self) {
        let connections = self.0.connections.lock().take();
        if let Some(mut connections) = connections {
            connections.shutdown().await;
            end_panes(&self.0.shared).await;
        }
        self.0.claim.lock().take();
    }
}
