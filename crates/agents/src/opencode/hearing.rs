//! What is heard of a server: its stream of events, taken, lost and found again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::error::AgentError;
use crate::news::News;
use crate::opencode::http::Events;
use crate::opencode::session::Question;
use crate::opencode::{Inner, wire};

/// The stream of events, which a task listens to.
pub(super) struct Link {
    over: CancellationToken,
    _stop: DropGuard,
}

impl Inner {
    /// Hears what happens from here on, if that is not so already.
    pub(super) async fn link(self: &Arc<Self>) -> Result<(), AgentError> {
        let mut link = self.link.lock().await;
        if link.as_ref().is_some_and(|link| !link.over.is_cancelled()) {
            return Ok(());
        }
        let events = self.listen().await?;
        let (over, stop) = (CancellationToken::new(), CancellationToken::new());
        let hears = hear(Arc::downgrade(self), events, over.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(hears));
        *link = Some(Link {
            over,
            _stop: stop.drop_guard(),
        });
        Ok(())
    }

    async fn listen(&self) -> Result<Events, AgentError> {
        let password = self.password().await?;
        let mut events = self.http.events(password.as_ref()).await?;
        // Only from its greeting on does it tell all.
        let greeted = tokio::time::timeout(self.config.deadlines.request, events.next()).await;
        match greeted {
            Ok(Some(_)) => Ok(events),
            Ok(None) | Err(_) => Err(AgentError::Unreachable {
                host: self.config.address.to_string(),
                reason: "something listens there, but tells of no events".into(),
            }),
        }
    }

    /// Takes one event of the stream.
    pub(super) fn heard(self: &Arc<Self>, event: &Value) {
        // The stream of one directory has no envelope.
        let payload = match &event["payload"] {
            Value::Null => event,
            payload => payload,
        };
        let (kind, told) = (
            payload["type"].as_str().unwrap_or_default(),
            &payload["properties"],
        );
        match kind {
            "session.created" | "session.updated" => {
                if let Some(info) = wire::info(&told["info"]) {
                    self.know(info);
                }
            }
            "session.deleted" => {
                let id = told["info"]["id"].as_str().or(told["sessionID"].as_str());
                self.gone(id.unwrap_or_default());
            }
            "permission.asked" => self.asked(told, None),
            "question.asked" => self.asked(
                told,
                Some(Question {
                    told: told.clone(),
                    answers: Vec::new(),
                }),
            ),
            _ => {
                let Some(id) = told["sessionID"]
                    .as_str()
                    .or(told["info"]["sessionID"].as_str())
                    .or(told["part"]["sessionID"].as_str())
                else {
                    return;
                };
                let root = self.root(id);
                // Of what an agent has others do, a person is told what is asked, and what became of it.
                if root != id && !kind.ends_with(".replied") && !kind.ends_with(".rejected") {
                    return;
                }
                let backend = self.id.clone();
                let doubt = self.with(&root, |session, out| {
                    session.take(kind, told, &backend, out);
                    out.doubt
                });
                if doubt.unwrap_or(false) {
                    let inner = Arc::clone(self);
                    tokio::spawn(async move { inner.see_to(&root).await });
                }
            }
        }
    }

    /// The stream was lost: what is known may not be all.
    fn lost(&self) {
        for session in self.sessions.lock().values_mut() {
            session.forget_texts();
        }
        self.offered.lock().clear();
    }

    /// Tries to hear again, for as long as a turn may wait.
    async fn listen_again(&self) -> Option<Events> {
        let over = tokio::time::sleep(self.config.deadlines.reconnect);
        tokio::pin!(over);
        let mut pause = Duration::from_millis(200);
        loop {
            tokio::select! {
                () = &mut over => return None,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(Duration::from_secs(2));
            tokio::select! {
                () = &mut over => return None,
                events = self.listen() => if let Ok(events) = events {
                    return Some(events);
                }
            }
        }
    }

    /// After the stream was lost: how the turns ended that are over by now.
    async fn catch_up(&self) {
        for id in self.running() {
            self.see_to(&id).await;
        }
    }

    fn running(&self) -> Vec<String> {
        let sessions = self.sessions.lock();
        let running = sessions.iter().filter(|(_, session)| session.run.is_some());
        running.map(|(id, _)| id.clone()).collect()
    }

    /// Asks whether a turn is over of which that is not sure; if so, it ends as its last message did.
    async fn see_to(&self, id: &str) {
        let Ok(cwd) = self.cwd(id) else {
            return;
        };
        let state = self.get("/session/status", &cwd).await.unwrap_or_default();
        if state[id].is_object() && state[id]["type"] != "idle" {
            return;
        }
        let messages = self.get(&format!("/session/{id}/message"), &cwd).await;
        let _ = self.with(id, |session, out| {
            session.missed_end(&messages.unwrap_or_default(), &self.id, out);
        });
    }

    /// Nobody hears any more: every turn is cut off.
    pub(super) fn cut_off(&self, why: &str) {
        for id in self.running() {
            let _ = self.with(&id, |session, out| session.cut_off(why, &self.id, out));
        }
    }
}

/// Listens until nobody wants to be told any more, or the server stays away.
async fn hear(inner: Weak<Inner>, mut events: Events, over: CancellationToken) {
    let _over = over.drop_guard();
    loop {
        while let Some(event) = events.next().await {
            let Some(inner) = inner.upgrade() else {
                return;
            };
            inner.heard(&event);
        }
        let Some(inner) = inner.upgrade() else {
            return;
        };
        inner.lost();
        match inner.listen_again().await {
            Some(again) => {
                events = again;
                inner.catch_up().await;
                let _ = inner.news.send(News::ListAgain);
            }
            None => {
                let error = AgentError::Lost {
                    host: inner.config.address.to_string(),
                    what: "the turn".into(),
                    reason: "the server stays away; start it again, and prompt the agent once more"
                        .into(),
                };
                inner.cut_off(&error.to_string());
                inner.note_health(Some(&error));
                let _ = inner.news.send(News::ListAgain);
                return;
            }
        }
    }
}
