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
