//! Agents and what they say, as text for people.

use ::agents::{AgentEvent, AgentInfo, AgentStatus, ToolStatus, Usage};

use crate::failure::Failure;
use crate::output::Output;
use crate::table::Tone;

/// Prints a conversation: the text as it comes, everything else on lines of its own.
#[derive(Default)]
pub(super) struct Telling {
    open: bool,
}

impl Telling {
    pub(super) fn tell(&mut self, event: AgentEvent, out: &mut Output<'_>) -> Result<(), Failure> {
        let line = match event {
            AgentEvent::Text { text } => {
                self.open = !text.ends_with('\n');
                return Ok(out.text(&printable(&text))?);
            }
            AgentEvent::Prompt { text } => format!("> {}", printable(&text)),
            AgentEvent::Tool { call } if call.status == ToolStatus::Running => return Ok(()),
            AgentEvent::Tool { call } => {
                let mark = match call.status {
                    ToolStatus::Completed => "✓",
                    ToolStatus::Cancelled => "-",
                    ToolStatus::Failed | ToolStatus::Running => "✗",
                };
                let what = call.title.or_else(|| {
                    let detail = call.detail?;
                    detail
                        .command
                        .or_else(|| (!detail.paths.is_empty()).then(|| detail.paths.join(", ")))
                });
                match what {
                    Some(what) => format!("{mark} {}: {}", call.name, printable(&what)),
                    None => format!("{mark} {}", call.name),
                }
            }
            AgentEvent::Permission { request } => format!(
                "? {} ({})",
                printable(&request.title.unwrap_or(request.tool)),
                short_id(&request.id)
            ),
            AgentEvent::PermissionResolved {
                answer: Some(answer),
                ..
            } => format!("  answered: {}", printable(&answer)),
            AgentEvent::Other { kind, .. } => format!(
                "! it told of `{}`, which is not known here",
                printable(&kind)
            ),
            AgentEvent::Notice { text } => format!("! {}", printable(&text)),
            AgentEvent::Started
            | AgentEvent::Reasoning { .. }
            | AgentEvent::Plan { .. }
            | AgentEvent::PermissionResolved { .. }
            | AgentEvent::Usage { .. }
            | AgentEvent::Missed { .. }
            | AgentEvent::Ended { .. } => return Ok(()),
        };
        if std::mem::take(&mut self.open) {
            out.line("")?;
        }
        Ok(out.line(&line)?)
    }

    pub(super) fn finish(&mut self, out: &mut Output<'_>) -> Result<(), Failure> {
        if std::mem::take(&mut self.open) {
            out.line("")?;
        }
        Ok(())
    }
}

/// What was used, in a line.
pub(super) fn used(usage: &Usage) -> String {
    let mut parts = Vec::new();
    if usage.input_tokens > 0 || usage.output_tokens > 0 {
        parts.push(format!(
            "{} tokens read, {} written",
            usage.input_tokens, usage.output_tokens
        ));
    }
    if let (Some(used), Some(size)) = (
        usage.context_used,
        usage.context_size.filter(|size| *size > 0),
    ) {
        parts.push(format!("context {}% of {size} full", used * 100 / size));
    }
    parts.extend(usage.cost.clone());
    parts.join(", ")
}

/// What an agent says must not move the cursor of the person who reads it.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .filter(|char| !char.is_control() || matches!(char, '\n' | '\t'))
        .collect()
}

pub(super) fn short_id(id: &str) -> String {
    id.chars().take(8).collect()
}

pub(super) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() > width {
        text.chars().take(width - 1).chain(['…']).collect()
    } else {
        text.to_owned()
    }
}

pub(super) fn provider(agent: &AgentInfo) -> String {
    match &agent.model {
        Some(model) => format!("{}/{model}", agent.provider),
        None => agent.provider.clone(),
    }
}

pub(super) fn tone(status: &AgentStatus) -> Tone {
    match status {
        AgentStatus::NeedsYou => Tone::Urgent,
        AgentStatus::Working | AgentStatus::Starting => Tone::Active,
        AgentStatus::Done => Tone::Good,
        AgentStatus::Failed => Tone::Bad,
        AgentStatus::Asleep | AgentStatus::Archived => Tone::Faint,
        AgentStatus::Idle | AgentStatus::Unknown { .. } => Tone::Plain,
    }
}
