//! HTTP to an OpenCode server: a connection per request, and one that streams events. The only file that names hyper.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::address::HostAddress;
use crate::error::{AgentError, capped};
use crate::opencode::events::EventLines;
use crate::redact::redacted;
use crate::secret::Secret;

/// The largest answer that is taken: a whole conversation read back.
const ANSWER_LIMIT: usize = 256 << 20;
/// Whom the server expects beside the password.
const USER: &str = "opencode";

/// A server, and how long it may take.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) address: HostAddress,
    pub(super) deadline: Duration,
    /// The server says something at least every ten seconds.
    pub(super) silence: Duration,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) method: &'static str,
    pub(super) path: &'a str,
    /// The directory that is meant; none: the server's own, or none in particular.
    pub(super) cwd: Option<&'a str>,
    pub(super) body: Option<&'a Value>,
}

impl Ask<'_> {
    fn what(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What the server tells, one event after the other.
#[derive(Debug)]
pub(super) struct Events {
    body: Incoming,
    lines: EventLines,
    ready: std::collections::VecDeque<String>,
    silence: Duration,
    _connection: DropGuard,
}

impl Events {
    /// The next event; `None` once the stream has ended, or nothing was heard for too long.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some(text) = self.ready.pop_front() {
                match serde_json::from_str(&text) {
                    Ok(event) => return Some(event),
                    Err(error) => {
                        tracing::debug!(%error, "an event that is no JSON is passed over")
                    }
                }
            }
            let frame = tokio::time::timeout(self.silence, self.body.frame()).await;
            let bytes = frame.ok()??.ok()?.into_data().ok();
            self.ready
                .extend(self.lines.read(&bytes.unwrap_or_default())?);
        }
    }
}

impl Http {
    /// Asks, and reads the answer. An answer without content is `null`.
    pub(super) async fn ask(
        &self,
        ask: Ask<'_>,
        password: Option<&Secret>,
    ) -> Result<Value, AgentError> {
        let exchange = self.exchange(ask, password);
        tokio::time::timeout(self.deadline, exchange)
            .await
            .unwrap_or_else(|_| {
                Err(AgentError::Timeout {
                    what: format!("{} at {}", ask.what(), self.address),
                    after: self.deadline,
                })
            })
    }

    /// As [`Http::ask`], for what takes as long as it takes.
    pub(super) async fn exchange(
        &self,
        ask: Ask<'_>,
        password: Option<&Secret>,
    ) -> Result<Value, AgentError> {
        let (response, _connection) = self.send(ask, password).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_LIMIT);
        let bytes = body
            .collect()
            .await
            .map_err(|error| self.lost(&ask, &*error))?
            .to_bytes();
        if !status.is_success() {
            return Err(self.refused(&ask, status, &bytes));
        }
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|error| AgentError::Protocol {
            host: self.address.to_string(),
            reason: format!(
                "the answer to `{}` is no JSON ({error}); is it an OpenCode server?",
                ask.what()
            ),
        })
    }

    /// Begins to hear what happens at the server.
    pub(super) async fn events(&self, password: Option<&Secret>) -> Result<Events, AgentError> {
        let ask = Ask {
            method: "GET",
            path: "/global/event",
            cwd: None,
            body: None,
        };
        let begun = tokio::time::timeout(self.deadline, self.send(ask, password)).await;
        let (response, connection) = begun.unwrap_or_else(|_| {
            Err(AgentError::Timeout {
                what: format!("{} at {}", ask.what(), self.address),
                after: self.deadline,
            })
        })?;
        let status = response.status();
        let stream = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if !status.is_success() {
            return Err(self.refused(&ask, status, b""));
        }
        if !stream {
            return Err(AgentError::Protocol {
                host: self.address.to_string(),
                reason: "it streams no events; is it an OpenCode server of version 1.0 or later?"
                    .into(),
            });
        }
        Ok(Events {
            body: response.into_body(),
            lines: EventLines::default(),
            ready: std::collections::VecDeque::new(),
            silence: self.silence,
            _connection: connection,
        })
    }

    async fn send(
        &self,
        ask: Ask<'_>,
        password: Option<&Secret>,
    ) -> Result<(Response<Incoming>, DropGuard), AgentError> {
        let mut request = Request::builder()
            .method(ask.method)
            .uri(ask.path)
            .header(HOST, self.address.http_host())
            .header(ACCEPT, "application/json, text/event-stream");
        if let Some(cwd) = ask.cwd {
            request = request.header("x-opencode-directory", encoded(cwd));
        }
        if let Some(password) = password {
            let both = BASE64_STANDARD.encode(format!("{USER}:{}", password.expose()));
            request = request.header(AUTHORIZATION, format!("Basic {both}"));
        }
        let bytes = match ask.body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let request = request
            .body(Full::new(bytes))
            .map_err(|error| AgentError::BadRequest {
                field: "request".into(),
                message: format!("`{}` can't be sent: {error}", ask.what()),
            })?;
        let channel = self.address.connect().await.map_err(|error| {
            self.unreachable(format!(
                "{error}; is the server running? `opencode serve --port 4096` starts it"
            ))
        })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(channel))
            .await
            .map_err(|error| self.unreachable(error.to_string()))?;
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        tokio::spawn(stop.run_until_cancelled_owned(connection));
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| self.lost(&ask, &error))?;
        Ok((response, guard))
    }

    fn unreachable(&self, reason: String) -> AgentError {
        AgentError::Unreachable {
            host: self.address.to_string(),
            reason: redacted(&reason),
        }
    }

    fn lost(&self, ask: &Ask<'_>, error: &dyn std::error::Error) -> AgentError {
        AgentError::Lost {
            host: self.address.to_string(),
            what: ask.what(),
            reason: redacted(&error.to_string()),
        }
    }

    fn refused(&self, ask: &Ask<'_>, status: StatusCode, body: &[u8]) -> AgentError {
        if status == StatusCode::UNAUTHORIZED {
            return AgentError::Password {
                host: self.address.to_string(),
                reason: "it wants the one that it was started with, as OPENCODE_SERVER_PASSWORD"
                    .into(),
            };
        }
        let told: Value = serde_json::from_slice(body).unwrap_or_default();
        let words = [&told["data"]["message"], &told["message"]];
        let message = words.iter().find_map(|word| word.as_str());
        AgentError::Refused {
            what: ask.what(),
            code: status.as_u16().to_string(),
            message: match message {
                Some(message) => capped(message, 1_000),
                None => capped(&String::from_utf8_lossy(body), 1_000),
            },
        }
    }
}

/// A path as a header can carry it: every byte but the plainest as `%XX`.
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_any_characters_fits_into_a_header() {
        assert_eq!(encoded("/home/me/été 1%"), "/home/me/%C3%A9t%C3%A9%201%25");
    }
}
