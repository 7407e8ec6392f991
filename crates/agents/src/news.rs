//! What a backend tells without being asked.

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::types::{AgentEvent, AgentId, AgentInfo, Position};

/// What happens at a backend, whoever caused it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// An agent appeared or changed.
    Changed(Box<AgentInfo>),
    /// An agent is gone.
    Removed(AgentId),
    /// Something happened in a conversation.
    Event {
        /// Whose.
        agent: AgentId,
        /// What.
        event: Box<AgentEvent>,
        /// Where it stands among what [`AgentBackend::timeline`](crate::AgentBackend::timeline) reads back; none for what is not read back.
        position: Option<Position>,
    },
    /// The connection was made or lost, or the reader was too slow: list anew.
    ListAgain,
}

/// Turns what is broadcast inside a backend into its news.
pub(crate) fn news_of(told: broadcast::Receiver<News>) -> BoxStream<'static, News> {
    stream::unfold(told, |mut told| async move {
        let news = match told.recv().await {
            Ok(news) => news,
            Err(broadcast::error::RecvError::Lagged(_)) => News::ListAgain,
            Err(broadcast::error::RecvError::Closed) => return None,
        };
        Some((news, told))
    })
    .boxed()
}
