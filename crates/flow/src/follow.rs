//! What changes about runs, told to whoever holds pictures of them.

use std::sync::Arc;
use std::time::Duration;

use store::StoreError;
use tokio::sync::broadcast;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use crate::flows::Flows;
use crate::journal::{FlowEvent, RunChange};

/// How often the journal is asked what other processes have written to it.
const LOOK_FOR_OTHERS: Duration = Duration::from_millis(300);

/// Changes come no closer together than this, a frame of a screen: each costs a look at all steps of its run, and a run
/// may take thousands of steps a second.
const PACE: Duration = Duration::from_millis(16);

/// What changes about runs, whichever process drives them. See [`Flows::follow`].
pub struct RunsFollowed {
    flows: Flows,
    own: broadcast::Receiver<FlowEvent>,
    /// Up to where the journal was read.
    read: u64,
    look: Interval,
    /// The journal may have news that were not read: kept, since whoever waits may leave in between.
    news: bool,
    /// When the journal is read again at the earliest.
    next_at: Instant,
}

impl RunsFollowed {
    /// Waits for changes; those that came together are told together, one for each run. None: it is over.
    ///
    /// What this process does is told at once, at most once a frame; what others do within a third of a second. Nothing is
    /// lost when the future is dropped before it is done.
    pub async fn next(&mut self) -> Option<Vec<RunChange>> {
        use broadcast::error::{RecvError, TryRecvError};
        loop {
            // What this process tells says only that the journal has news: it has those of others as well, in order.
            if !self.news {
                tokio::select! {
                    event = self.own.recv() => match event {
                        Ok(_) | Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return None,
                    },
                    _ = self.look.tick() => {}
                }
                self.news = true;
            }
            sleep_until(self.next_at).await;
            while matches!(self.own.try_recv(), Ok(_) | Err(TryRecvError::Lagged(_))) {}
            match self.flows.changes(self.read).await {
                Ok((read, changes)) => {
                    self.read = read;
                    self.news = false;
                    self.next_at = Instant::now() + PACE;
                    if !changes.is_empty() {
                        return Some(changes);
                    }
                }
                Err(StoreError::Closed) => return None,
                Err(error) => {
                    self.news = false;
                    tracing::warn!(%error, "the journal can't be followed");
                }
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
            news: false,
            next_at: Instant::now(),
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
