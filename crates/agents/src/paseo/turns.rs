//! One prompt and what follows it, over each transport.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::AgentError;
use crate::paseo::attach::AttachReader;
use crate::paseo::frames::{self, StreamEvent};
use crate::paseo::process::{Call, Cli};
use crate::paseo::socket::{Heard, Listener};
use crate::paseo::{Inner, Route, wire};
use crate::process::{Limits, sleep};
use crate::secret::Secret;
use crate::turn::{Turn, TurnWriter, turn};
use crate::types::{AgentEvent, AgentId, AgentStatus, Outcome, Position, Prompt};

/// The event that a person sees, if the frame is one.
pub(super) fn event(event: StreamEvent) -> Option<AgentEvent> {
    Some(match event {
        StreamEvent::Said { text, .. } => AgentEvent::Prompt { text },
        StreamEvent::Started => AgentEvent::Started,
        StreamEvent::Event(event) => event,
        StreamEvent::Ended(outcome, _) => AgentEvent::Ended { outcome },
        StreamEvent::Other => return None,
    })
}

/// Counts a turn while it lives, so that its backend is known to be busy.
struct Running(Arc<Inner>);

impl Running {
    fn new(inner: &Arc<Inner>) -> Self {
        inner.turns.fetch_add(1, Ordering::Relaxed);
        Self(inner.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.turns.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends the prompt, and returns once the daemon has taken it (socket) or the program runs.
pub(super) async fn prompt(
    inner: Arc<Inner>,
    agent: AgentId,
    prompt: Prompt,
) -> Result<Turn, AgentError> {
    let route = inner.route().await?;
    let known = inner.get(&route, &agent.0).await?;
    if known.status.is_busy() && !prompt.replace {
        return Err(AgentError::Busy { agent });
    }
    let (turn, writer) = turn();
    let running = Running::new(&inner);
    match route {
        Route::Socket(secret) => {
            let message = uuid::Uuid::new_v4().to_string();
            // Listening begins before the prompt leaves: its answer may be faster than the reply.
            let listener = inner.socket.listen(&agent.0);
            let body = json!({"agentId": agent.0, "text": prompt.text, "messageId": message});
            let sent = inner
                .socket
                .request(
                    "send_agent_message_request",
                    body,
                    secret.as_ref(),
                    inner.config.deadlines.start,
                )
                .await;
            let unsure = match sent {
                Ok(payload) if payload.get("accepted") == Some(&Value::Bool(false)) => {
                    let error = payload
                        .get("error")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    return Err(if error.contains("not found") {
                        AgentError::UnknownAgent { agent: agent.0 }
                    } else {
                        AgentError::Refused {
                            what: "send_agent_message_request".into(),
                            code: "not accepted".into(),
                            message: frames::readable(error.to_owned()),
                        }
                    });
                }
                Ok(_) => false,
                // It may have been taken: that is found out once the connection is back, and the
                // prompt is never sent twice.
                Err(AgentError::Lost { .. }) => true,
                Err(error) => return Err(error),
            };
            let following = Following {
                inner: inner.clone(),
                agent,
                secret,
                message,
                text: prompt.text.clone(),
                writer,
                listener,
                accepted: !unsure,
                mine: false,
                started: false,
                position: None,
                asked: HashSet::new(),
                stop_at_permission: prompt.stop_at_permission,
            };
            tokio::spawn(async move {
                let _running = running;
                following.run(prompt.timeout_ms, unsure).await;
            });
        }
        Route::Program(cli) => {
            let writer = writer.told_to(agent.clone(), inner.program_told.clone());
            tokio::spawn(async move {
                let _running = running;
                program_turn(&inner, &cli, &agent, &prompt, &writer).await;
            });
        }
    }
    Ok(turn)
}

/// Follows one turn over the socket.
struct Following {
    inner: Arc<Inner>,
    agent: AgentId,
    secret: Option<Secret>,
    message: String,
    text: String,
    writer: TurnWriter,
    listener: Listener,
    /// The daemon said that it has taken the prompt.
    accepted: bool,
    /// Our own prompt came by in the stream.
    mine: bool,
    /// After it, a turn began: what comes now is ours.
    started: bool,
    position: Option<Position>,
    asked: HashSet<String>,
    stop_at_permission: bool,
}

/// Why a turn is being stopped from this side.
enum Stopping {
    Cancelled,
    TimedOut,
    Silent(Duration),
}

impl Following {
    async fn run(mut self, timeout: Option<u64>, lost: bool) {
        let deadlines = self.inner.config.deadlines.clone();
        let timeout = timeout.map(|ms| Instant::now() + Duration::from_millis(ms));
        if lost && !self.catch_up().await {
            return;
        }
        loop {
            let silent = if self.asked.is_empty() {
                Some(deadlines.silent_turn)
            } else {
                None // It waits for a person, who may take a night.
            };
            let stopping = tokio::select! {
                heard = self.listener.heard.recv() => match heard {
                    Some(Heard::Stream(stream)) => {
                        if stream.position.is_some() {
                            self.position = stream.position;
                        }
                        if self.take(stream.event) {
                            return;
                        }
                        continue;
                    }
                    Some(Heard::Lost) | None => {
                        if self.catch_up().await {
                            continue;
                        }
                        return;
                    }
                },
                () = self.writer.cancelled().clone().cancelled_owned() => Stopping::Cancelled,
                () = until(timeout) => Stopping::TimedOut,
                () = sleep(silent) => Stopping::Silent(deadlines.silent_turn),
            };
            self.stop(stopping).await;
            return;
        }
    }

    /// Takes one event; `true` when it ended the turn.
    fn take(&mut self, event: StreamEvent) -> bool {
        match event {
            StreamEvent::Said { text, message } => {
                let ours = match &message {
                    Some(message) => *message == self.message,
                    None => text == self.text,
                };
                if ours && !self.mine {
                    self.mine = true;
                    self.accepted = true;
                    self.writer.push(AgentEvent::Prompt { text });
                }
            }
            StreamEvent::Started if self.mine => {
                if !self.started {
                    self.started = true;
                    self.writer.push(AgentEvent::Started);
                }
            }
            // After our prompt and before our turn, an end is that of the turn which we replaced.
            StreamEvent::Ended(outcome, usage) if self.started => {
                if let Some(usage) = usage {
                    self.writer.push(AgentEvent::Usage { usage });
                }
                self.writer.end(outcome);
                return true;
            }
            StreamEvent::Event(event) if self.started => {
                let asks = match &event {
                    AgentEvent::Permission { request } => self.asked.insert(request.id.clone()),
                    AgentEvent::PermissionResolved { id } => {
                        self.asked.remove(id);
                        false
                    }
                    _ => false,
                };
                self.writer.push(event);
                if asks && self.stop_at_permission {
                    self.writer.end(Outcome::NeedsPermission);
                    return true;
                }
            }
            StreamEvent::Started
            | StreamEvent::Ended(..)
            | StreamEvent::Event(_)
            | StreamEvent::Other => {}
        }
        false
    }

    /// Tells the agent to stop, hears its last words, and ends the turn whatever it says.
    async fn stop(mut self, why: Stopping) {
        let within = self.inner.config.deadlines.stop;
        let inner = self.inner.clone();
        let body = json!({"agentId": self.agent.0});
        let secret = self.secret.clone();
        let cancel = inner.ask(secret.as_ref(), "cancel_agent_request", body);
        let (outcome, last) = match why {
            Stopping::Cancelled => (Outcome::Cancelled, false),
            Stopping::TimedOut => (Outcome::TimedOut, false),
            Stopping::Silent(after) => (
                Outcome::Failed {
                    message: format!(
                        "nothing was heard of the agent for {} s, so it was stopped; its process may have ended",
                        after.as_secs_f32()
                    ),
                },
                true,
            ),
        };
        let words = async {
            let mut told = false;
            tokio::pin!(cancel);
            loop {
                tokio::select! {
                    // An agent that was not stopped at the daemon is said to be so.
                    answer = &mut cancel, if !told => {
                        told = true;
                        if answer.is_err() || last {
                            return;
                        }
                    }
                    heard = self.listener.heard.recv() => match heard {
                        Some(Heard::Stream(stream)) => {
                            if let StreamEvent::Ended(..) = stream.event {
                                if told || self.started {
                                    return;
                                }
                            } else if let StreamEvent::Event(event) = stream.event {
                                self.writer.push(event);
                            }
                        }
                        Some(Heard::Lost) | None => return,
                    },
                }
            }
        };
        let _ = tokio::time::timeout(within, words).await;
        self.writer.end(outcome);
    }

    /// Connects again and reads what was missed; `false` when the turn ended thereby.
    async fn catch_up(&mut self) -> bool {
        let give_up = Instant::now() + self.inner.config.deadlines.reconnect;
        let mut pause = Duration::from_millis(50);
        let cancelled = self.writer.cancelled().clone();
        loop {
            match self.read_missed().await {
                Ok(goes_on) => return goes_on,
                Err(error) => {
                    let lasting = matches!(
                        error,
                        AgentError::Password { .. } | AgentError::UnknownAgent { .. }
                    );
                    if lasting || Instant::now() + pause > give_up {
                        self.writer.end(Outcome::Failed {
                            message: format!("the connection was lost in mid-turn: {error}"),
                        });
                        return false;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = cancelled.cancelled() => {
                            self.writer.end(Outcome::Cancelled);
                            return false;
                        }
                    }
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
            }
        }
    }

    async fn read_missed(&mut self) -> Result<bool, AgentError> {
        let inner = self.inner.clone();
        inner.socket.connect(self.secret.as_ref()).await?;
        // From here on new frames reach the listener; what they repeat is recognised by its number.
        let mut body = json!({"agentId": self.agent.0, "limit": 0, "projection": "canonical", "direction": "tail"});
        if let Some(position) = &self.position {
            body["direction"] = json!("after");
            body["cursor"] = json!({"epoch": position.epoch, "seq": position.seq});
        }
        let payload = inner
            .ask(self.secret.as_ref(), "fetch_agent_timeline_request", body)
            .await?;
        let timeline: frames::Timeline = serde_json::from_value(payload)
            .map_err(|error| inner.garbled("fetch_agent_timeline_request", error, &Value::Null))?;
        let continues = self.position.as_ref().is_none_or(|position| {
            timeline.epoch.as_ref() == Some(&position.epoch)
                && !timeline.reset
                && !timeline.stale_cursor
        });
        if continues {
            let after = self.position.as_ref().map_or(0, |position| position.seq);
            for entry in timeline
                .entries
                .iter()
                .filter(|entry| entry.seq_end > after)
            {
                let said = frames::item(&entry.item);
                // A timeline has no `turn_started`: whatever follows our prompt is ours.
                if self.mine && !self.started && matches!(said, StreamEvent::Event(_)) {
                    self.take(StreamEvent::Started);
                }
                if self.take(said) {
                    return Ok(false);
                }
                if let Some(epoch) = &timeline.epoch {
                    self.position = Some(Position {
                        epoch: epoch.clone(),
                        seq: entry.seq_end,
                    });
                }
            }
            if self.drop_repeated() {
                return Ok(false);
            }
        }
        let agent = match timeline.agent {
            Some(agent) if !agent.id.is_empty() => agent.info(&inner.id),
            _ => {
                inner
                    .get(&Route::Socket(self.secret.clone()), &self.agent.0)
                    .await?
            }
        };
        if !self.mine && !self.accepted {
            self.writer.end(Outcome::Failed {
                message: "the connection was lost before the prompt was taken; send it again"
                    .into(),
            });
            return Ok(false);
        }
        Ok(match agent.status {
            AgentStatus::Working
            | AgentStatus::NeedsYou
            | AgentStatus::Starting
            | AgentStatus::Unknown { .. } => {
                self.mine = true;
                self.take(StreamEvent::Started);
                for request in agent.permissions {
                    if !self.asked.contains(&request.id)
                        && self.take(StreamEvent::Event(AgentEvent::Permission { request }))
                    {
                        return Ok(false);
                    }
                }
                true
            }
            AgentStatus::Failed => {
                self.writer.end(Outcome::Failed {
                    message: frames::readable(agent.last_error.unwrap_or_default()),
                });
                false
            }
            AgentStatus::Asleep | AgentStatus::Archived => {
                self.writer.end(Outcome::Failed {
                    message: "the daemon was restarted in mid-turn, and the turn was cut off"
                        .into(),
                });
                false
            }
            AgentStatus::Idle | AgentStatus::Done => {
                self.writer.end(Outcome::Completed);
                false
            }
        })
    }

    /// Passes over frames that arrived while the same items were read back; `true` when one of the
    /// others ended the turn.
    fn drop_repeated(&mut self) -> bool {
        let Some(read) = self.position.clone() else {
            return false;
        };
        let mut fresh = Vec::new();
        while let Ok(heard) = self.listener.heard.try_recv() {
            match heard {
                Heard::Stream(stream) => {
                    let repeated = stream.position.as_ref().is_some_and(|position| {
                        position.epoch == read.epoch && position.seq <= read.seq
                    });
                    if !repeated {
                        fresh.push(stream);
                    }
                }
                // An older loss than the connection that stands now.
                Heard::Lost => {}
            }
        }
        for stream in fresh {
            if stream.position.is_some() {
                self.position = stream.position;
            }
            if self.take(stream.event) {
                return true;
            }
        }
        false
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// One turn through the program: `attach` for the text, `send` and `wait` for the end.
async fn program_turn(
    inner: &Inner,
    cli: &Cli,
    agent: &AgentId,
    prompt: &Prompt,
    writer: &TurnWriter,
) {
    let deadlines = &inner.config.deadlines;
    writer.best_effort();
    let stop_reading = CancellationToken::new();
    let begun = CancellationToken::new();
    let settled = CancellationToken::new();
    let reading = read_attach(
        cli,
        agent,
        &prompt.text,
        deadlines,
        writer,
        (&settled, &begun, &stop_reading),
    );
    let turn = async {
        // The text of earlier turns comes first; when it is through, ours may begin.
        tokio::select! {
            () = settled.cancelled() => {}
            () = tokio::time::sleep(deadlines.program) => {}
            () = writer.cancelled().cancelled() => {}
        }
        begun.cancel();
        let outcome = drive(inner, cli, agent, prompt, writer).await;
        stop_reading.cancel();
        outcome
    };
    let (outcome, ()) = tokio::join!(turn, reading);
    writer.end(outcome);
}

async fn drive(
    inner: &Inner,
    cli: &Cli,
    agent: &AgentId,
    prompt: &Prompt,
    writer: &TurnWriter,
) -> Outcome {
    let deadlines = &inner.config.deadlines;
    let ends = prompt
        .timeout_ms
        .map(|ms| Instant::now() + Duration::from_millis(ms));
    let cancel = writer.cancelled();
    writer.push(AgentEvent::Prompt {
        text: prompt.text.clone(),
    });
    writer.push(AgentEvent::Started);
    let mut asked = HashSet::new();
    let mut first = true;
    let outcome = loop {
        let call = if first {
            Call {
                command: &["send"],
                operands: vec![agent.0.clone()],
                prompt: Some(&prompt.text),
                ..Call::default()
            }
        } else {
            Call {
                command: &["wait"],
                operands: vec![agent.0.clone()],
                ..Call::default()
            }
        };
        let what = call.command[0];
        first = false;
        let limits = Limits {
            deadline: Some(deadlines.silent_turn),
            cancel: cancel.clone(),
        };
        let output = tokio::select! {
            output = cli.run(&call, &limits) => output,
            () = until(ends) => break Outcome::TimedOut,
        };
        let about = wire::Asked {
            command: what,
            host: &inner.host,
            about: &agent.0,
        };
        let said = match output
            .and_then(|output| wire::document(about, &output))
            .and_then(|value| wire::said(what, value))
        {
            Ok(said) => said,
            Err(AgentError::Cancelled { .. }) => break Outcome::Cancelled,
            Err(error) => {
                break Outcome::Failed {
                    message: error.to_string(),
                };
            }
        };
        if let Some(text) = said.text.filter(|text| !text.is_empty()) {
            writer.push(AgentEvent::Text { text });
        }
        match said.status.as_str() {
            "completed" | "idle" => break Outcome::Completed,
            "error" => {
                break Outcome::Failed {
                    message: frames::readable(said.message),
                };
            }
            "permission" => {
                if let Ok(known) = inner.get(&Route::Program(cli.clone()), &agent.0).await {
                    let pending: HashSet<_> = known
                        .permissions
                        .iter()
                        .map(|request| request.id.clone())
                        .collect();
                    for id in asked.difference(&pending).cloned().collect::<Vec<String>>() {
                        asked.remove(&id);
                        writer.push(AgentEvent::PermissionResolved { id });
                    }
                    for request in known.permissions {
                        if asked.insert(request.id.clone()) {
                            writer.push(AgentEvent::Permission { request });
                        }
                    }
                }
                if prompt.stop_at_permission {
                    break Outcome::NeedsPermission;
                }
                tokio::select! {
                    () = tokio::time::sleep(deadlines.poll) => {}
                    () = until(ends) => break Outcome::TimedOut,
                    () = cancel.cancelled() => break Outcome::Cancelled,
                }
            }
            // The program waits for ten minutes at most; the turn goes on.
            "timeout" | "sent" | "running" => {}
            other => {
                break Outcome::Failed {
                    message: format!(
                        "the program ended with the status `{other}` {}",
                        said.message
                    ),
                };
            }
        }
    };
    if matches!(outcome, Outcome::Cancelled | Outcome::TimedOut) {
        // Ending `send` does not end the turn; only `stop` does.
        let call = Call {
            command: &["stop"],
            operands: vec![agent.0.clone()],
            ..Call::default()
        };
        if let Err(error) = cli.run(&call, &inner.limits()).await {
            writer.push(AgentEvent::Notice {
                text: format!("the agent could not be told to stop: {error}"),
            });
        }
    }
    outcome
}

/// Reads `paseo attach` while the turn runs. Whatever goes wrong here costs the text, not the turn.
async fn read_attach(
    cli: &Cli,
    agent: &AgentId,
    prompt: &str,
    deadlines: &crate::paseo::Deadlines,
    writer: &TurnWriter,
    (settled, begun, stop): (&CancellationToken, &CancellationToken, &CancellationToken),
) {
    let call = Call {
        command: &["attach"],
        operands: vec![agent.0.clone()],
        ..Call::default()
    };
    let started = cli.follow(&call);
    let Ok(mut group) = started else {
        settled.cancel();
        return;
    };
    let Some(mut stdout) = group.child.stdout.take() else {
        settled.cancel();
        return;
    };
    let stderr = group.child.stderr.take();
    let drain = async {
        if let Some(mut stderr) = stderr {
            let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
        }
        std::future::pending::<()>().await;
    };
    let read = async {
        let mut reader = AttachReader::default();
        let mut buffer = vec![0; 16 << 10];
        let mut seen = false;
        let mut ours = false;
        let mut last: Option<Instant> = None;
        loop {
            // Before our turn: quiet after the first output means that history is through.
            let quiet = if !ours && seen {
                Some(deadlines.settle)
            } else {
                None
            };
            tokio::select! {
                read = stdout.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => break,
                    Ok(count) => {
                        seen = true;
                        for event in reader.read(&buffer[..count]) {
                            if ours {
                                writer.push(event);
                            }
                        }
                    }
                },
                () = sleep(quiet) => settled.cancel(),
                () = begun.cancelled(), if !ours => {
                    ours = true;
                    reader.begin(prompt);
                }
                () = stop.cancelled(), if last.is_none() => last = Some(Instant::now() + deadlines.settle),
                () = until(last) => break,
            }
        }
        settled.cancel();
        for event in reader.finish() {
            if ours {
                writer.push(event);
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = drain => {}
    }
    group.end().await;
}
