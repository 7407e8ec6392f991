//! One turn through the program: `send` and `wait` for how it ends, `attach` for what is said meanwhile.

use std::collections::HashSet;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::AgentError;
use crate::paseo::attach::AttachReader;
use crate::paseo::process::{Call, Cli};
use crate::paseo::turns::until;
use crate::paseo::{Inner, Route, frames, wire};
use crate::process::{Limits, sleep};
use crate::turn::TurnWriter;
use crate::types::{AgentEvent, AgentId, Outcome, Prompt};

/// One turn through the program: `attach` for the text, `send` and `wait` for the end.
pub(super) async fn program_turn(
    inner: &Inner,
    cli: &Cli,
    agent: &AgentId,
    prompt: &Prompt,
    writer: &TurnWriter,
) {
    let deadlines = &inner.config.deadlines;
    writer.best_effort();
    let stop_reading = CancellationToken::new();
    let broke = CancellationToken::new();
    let begun = CancellationToken::new();
    let settled = CancellationToken::new();
    let reading = read_attach(
        cli,
        agent,
        &prompt.text,
        deadlines,
        writer,
        (&settled, &begun, &stop_reading, &broke),
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
    // A program that connects again finds an agent that is idle, whatever became of the turn meanwhile.
    writer.end(match outcome {
        Outcome::Completed if broke.is_cancelled() => Outcome::Failed {
            message: "the connection was lost in mid-turn: the daemon may have been restarted, and the turn cut off; \
                      its conversation shows what was said"
                .into(),
        },
        outcome => outcome,
    });
}

/// A turn at an agent that is driven by one call after the other.
struct Driven<'a> {
    inner: &'a Inner,
    cli: &'a Cli,
    agent: &'a AgentId,
    writer: &'a TurnWriter,
    /// When the turn has taken too long.
    ends: Option<Instant>,
    /// The questions that were told.
    asked: HashSet<String>,
}

async fn drive(
    inner: &Inner,
    cli: &Cli,
    agent: &AgentId,
    prompt: &Prompt,
    writer: &TurnWriter,
) -> Outcome {
    let mut driven = Driven {
        inner,
        cli,
        agent,
        writer,
        ends: prompt
            .timeout_ms
            .map(|ms| Instant::now() + Duration::from_millis(ms)),
        asked: HashSet::new(),
    };
    writer.push(AgentEvent::Prompt {
        text: prompt.text.clone(),
    });
    writer.push(AgentEvent::Started);
    let outcome = driven.follow_through(prompt).await;
    if matches!(outcome, Outcome::Cancelled | Outcome::TimedOut) {
        driven.stop().await;
    }
    outcome
}

impl Driven<'_> {
    async fn follow_through(&mut self, prompt: &Prompt) -> Outcome {
        let mut call = Call {
            command: &["send"],
            operands: vec![self.agent.0.clone()],
            prompt: Some(&prompt.text),
            ..Call::default()
        };
        loop {
            let said = match self.ask(&call).await {
                Ok(said) => said,
                Err(outcome) => return outcome,
            };
            call = Call {
                command: &["wait"],
                operands: vec![self.agent.0.clone()],
                ..Call::default()
            };
            if let Some(text) = said.text.filter(|text| !text.is_empty()) {
                self.writer.push(AgentEvent::Text { text });
            }
            match said.status.as_str() {
                "completed" | "idle" => return Outcome::Completed,
                "error" => {
                    return Outcome::Failed {
                        message: frames::readable(said.message),
                    };
                }
                "permission" => {
                    self.tell_questions().await;
                    if prompt.stop_at_permission {
                        return Outcome::NeedsPermission;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(self.inner.config.deadlines.poll) => {}
                        () = until(self.ends) => return Outcome::TimedOut,
                        () = self.writer.cancelled().cancelled() => return Outcome::Cancelled,
                    }
                }
                // The program waits for ten minutes at most; the turn goes on.
                "timeout" | "sent" | "running" => {}
                other => {
                    return Outcome::Failed {
                        message: format!(
                            "the program ended with the status `{other}` {}",
                            said.message
                        ),
                    };
                }
            }
        }
    }

    /// One call, and what it says; or how the turn ended with it.
    async fn ask(&self, call: &Call<'_>) -> Result<wire::Said, Outcome> {
        let what = call.command[0];
        let limits = Limits {
            deadline: Some(self.inner.config.deadlines.silent_turn),
            cancel: self.writer.cancelled().clone(),
        };
        let output = tokio::select! {
            output = self.cli.run(call, &limits) => output,
            () = until(self.ends) => return Err(Outcome::TimedOut),
        };
        let about = wire::Asked {
            command: what,
            host: &self.inner.host,
            about: &self.agent.0,
        };
        output
            .and_then(|output| wire::document(about, &output))
            .and_then(|value| wire::said(what, value))
            .map_err(|error| match error {
                AgentError::Cancelled { .. } => Outcome::Cancelled,
                error => Outcome::Failed {
                    message: error.to_string(),
                },
            })
    }

    /// Tells of the questions that are new, and of those that were answered elsewhere.
    async fn tell_questions(&mut self) {
        let route = Route::Program(self.cli.clone());
        let Ok(known) = self.inner.get(&route, &self.agent.0).await else {
            return;
        };
        let pending: HashSet<_> = known
            .permissions
            .iter()
            .map(|request| request.id.clone())
            .collect();
        for id in self.asked.extract_if(|id| !pending.contains(id)) {
            self.writer
                .push(AgentEvent::PermissionResolved { id, answer: None });
        }
        for request in known.permissions {
            if self.asked.insert(request.id.clone()) {
                self.writer.push(AgentEvent::Permission { request });
            }
        }
    }

    /// Ending `send` does not end the turn; only `stop` does.
    async fn stop(&self) {
        let call = Call {
            command: &["stop"],
            operands: vec![self.agent.0.clone()],
            ..Call::default()
        };
        if let Err(error) = self.cli.run(&call, &self.inner.limits()).await {
            self.writer.push(AgentEvent::Notice {
                text: format!("the agent could not be told to stop: {error}"),
            });
        }
    }
}

/// Reads `paseo attach` while the turn runs. Whatever goes wrong here costs the text, not the turn.
async fn read_attach(
    cli: &Cli,
    agent: &AgentId,
    prompt: &str,
    deadlines: &crate::paseo::Deadlines,
    writer: &TurnWriter,
    (settled, begun, stop, broke): (
        &CancellationToken,
        &CancellationToken,
        &CancellationToken,
        &CancellationToken,
    ),
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
                    Ok(0) | Err(_) => {
                        // It stays for as long as the daemon does, and is ended by us.
                        if ours && seen {
                            broke.cancel();
                        }
                        break;
                    }
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
