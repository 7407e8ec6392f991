//! What changes about runs, told to whoever holds pictures of them.

use std::sync::Arc;
use std::time::Duration;

use store::StoreError;
use tokio::sync::broadcast;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::flows::Flows;
use crate::journal::{FlowEvent, RunChange};

/// How often the journal is asked what other processes have written to it.
const LOOK_FOR_OTHERS: Duration = Duration::from_millis(300);

/// What changes about runs, whichever process drives them. See [`Flows::follow`].
pub struct RunsFollowed {
    flows: Flows,
    own: broadcast::Receiver<FlowEvent>,
    /// Up to where the journal was read.
    read: u64,
    look: Interval,
}

impl RunsFollowed {
    /// Waits for changes; those that came together are told together, one for each run. None: it is over.
    ///
    /// What this process does is told at once, what others do within a third of a second.
    pub async fn next(&mut self) -> Option<Vec<RunChange>> {
        use broadcast::error::{RecvError, TryRecvError};
        loop {
            // What this process tells says only that the journal has news: it has those of others as well, in order.
            tokio::select! {
                event = self.own.recv() => match event {
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
                _ = self.look.tick() => {}
            }
            while matches!(self.own.try_recv(), Ok(_) | Err(TryRecvError::Lagged(_))) {}
            match self.flows.changes(self.read).await {
                Ok((read, changes)) => {
                    self.read = read;
                    if !changes.is_empty() {
                        return Some(changes);
                    }
                }
                Err(StoreError::Closed) => return None,
                Err(error) => tracing::warn!(%error, "the journal can't be followed"),
            }
        }
    }
}

impl Flows {
    /// Follows what changes about runs from now on, whichever process drives them.
    ///
    /// What is told adds up to what [`Flows::outline`] says at the same place in the journal: whoever holds an
    /// outline replaces the steps that a change names, and the rest by what it says of the run.
    ///
    /// # Errors
    ///
    /// When the journal can't be read.
    pub async fn follow(&self) -> Result<RunsFollowed, StoreError> {
        let own = self.events();
        let read = self.inner.shared.journal.newest().await?;
        let mut look = interval(LOOK_FOR_OTHERS);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(RunsFollowed {
            flows: self.clone(),
            own,
            read,
            look,
        })
    }

    async fn changes(&self, seq: u64) -> Result<(u64, Vec<RunChange>), StoreError> {
        let owners = Arc::clone(&self.inner.shared.owners);
        let (read, mut changes) = self.inner.shared.journal.changes(seq, owners).await?;
        for change in &mut changes {
            self.inner.shared.tell_trouble(&mut change.info);
        }
        Ok((read, changes))
    }
}
