//! Keeps what is known of a backend true: its list of agents, and how it is.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{Notify, watch};

use crate::backend::AgentBackend;
use crate::error::AgentError;
use crate::happened::AgentsEvent;
use crate::news::News;
use crate::process::sleep;
use crate::shared::Shared;
use crate::types::AgentInfo;

/// Keeps the list of one backend's agents: listed once, then changed by its news; listed again when the connection was
/// lost or something was missed. One that hangs or is down holds up nobody else.
pub(crate) struct Keeper {
    pub(crate) inner: Weak<Shared>,
    pub(crate) backend: Arc<dyn AgentBackend>,
    pub(crate) news: BoxStream<'static, News>,
    pub(crate) again: Arc<Notify>,
    pub(crate) kept: watch::Receiver<bool>,
}

impl Keeper {
    pub(crate) async fn run(mut self) {
        if !self.wanted().await {
            return;
        }
        let mut failures = 0;
        loop {
            let Some(patience) = self.inner.upgrade().map(|inner| inner.config.patience) else {
                return;
            };
            let watched = tokio::time::timeout(patience, self.backend.watch())
                .await
                .unwrap_or_else(|_| {
                    Err(AgentError::Timeout {
                        what: format!("listing the agents of {}", self.backend.id()),
                        after: patience,
                    })
                });
            let Some(inner) = self.inner.upgrade() else {
                return;
            };
            let pause = self.listed(&inner, watched, &mut failures);
            drop(inner);
            if !self.follow(pause).await {
                return;
            }
        }
    }

    /// Passes news on until somebody wants the list to be kept; `false` when there is nobody to tell any more.
    async fn wanted(&mut self) -> bool {
        loop {
            let news = tokio::select! {
                wanted = self.kept.wait_for(|kept| *kept) => return wanted.is_ok(),
                news = self.news.next() => news,
            };
            match (self.inner.upgrade(), news) {
                (Some(inner), Some(news)) => inner.pass_on(self.backend.id(), news),
                _ => return false,
            }
        }
    }

    /// Takes what came of a listing; how long it is good for, if not for ever.
    fn listed(
        &mut self,
        inner: &Shared,
        watched: Result<Vec<AgentInfo>, AgentError>,
        failures: &mut u32,
    ) -> Option<Duration> {
        let now = inner.now();
        let id = self.backend.id();
        let pause = match watched {
            Ok(mut agents) => {
                *failures = 0;
                inner.roster().listed(id, &mut agents, &now);
                (!self.backend.live()).then_some(inner.config.relist)
            }
            Err(error) => {
                inner.roster().unlisted(id, error.to_string());
                let pause = inner.config.retry * 2u32.pow((*failures).min(16));
                *failures += 1;
                Some(pause.min(inner.config.tick))
            }
        };
        let _ = inner.events.send(AgentsEvent::Listed {
            listed: inner.known(self.backend.as_ref(), self.backend.live()),
        });
        // What was told while the list was on its way is in it, or follows from it; that the connection was made is
        // no reason to list once more.
        while let Some(Some(news)) = self.news.next().now_or_never() {
            inner.pass_on(id, news);
        }
        pause
    }

    /// Passes news on until it is time to list again; `false` when there is nobody to tell any more.
    async fn follow(&mut self, pause: Option<Duration>) -> bool {
        let over = sleep(pause);
        tokio::pin!(over);
        loop {
            let news = tokio::select! {
                news = self.news.next() => news,
                () = &mut over => return true,
                () = self.again.notified() => return true,
            };
            let Some(inner) = self.inner.upgrade() else {
                return false;
            };
            match news {
                None => return false,
                Some(News::ListAgain) => return true,
                Some(news) => inner.pass_on(self.backend.id(), news),
            }
        }
    }
}

/// Asks one backend, for ever, how it is; says so when it changed. One that hangs holds up nobody else.
pub(crate) async fn tick(inner: Weak<Shared>, backend: Arc<dyn AgentBackend>) {
    let mut before = None;
    loop {
        // Where asking costs a process, the listings tell.
        if backend.live() {
            backend.check().await;
        }
        let Some(inner) = inner.upgrade() else {
            return;
        };
        let now = inner.info(backend.as_ref());
        if before.as_ref() != Some(&now) {
            let _ = inner.events.send(AgentsEvent::Backend {
                backend: now.clone(),
            });
            before = Some(now);
        }
        let pause = inner.config.tick;
        drop(inner);
        tokio::time::sleep(pause).await;
    }
}
