//! The text that `paseo attach` prints for people, cut into events. Best effort: the text of an
//! agent can't be told from a marker with certainty.

use crate::types::{AgentEvent, ToolCall, ToolStatus};

/// Reads the output of `attach`, piece by piece.
///
/// A marker is a line of its own in front of which the program puts a newline that does not belong
/// to the text; so newlines are held back until the line after them is known.
#[derive(Debug, Default)]
pub(crate) struct AttachReader {
    /// The bytes of an unfinished character.
    partial: Vec<u8>,
    /// The line that is being printed, as far as it could still be a marker.
    line: String,
    /// The line is known to be text, and what it held was told.
    telling: bool,
    /// Newlines of the text that may belong to a marker.
    held: usize,
    /// Our own prompt was seen; all before it is history.
    ours: bool,
    /// Someone else's prompt was seen after ours; nothing from there on is ours.
    over: bool,
    /// The first line of our prompt.
    prompt: String,
    /// How many further lines our own prompt has, and how many of them are still to come.
    prompt_lines: usize,
    to_skip: usize,
    tools: u32,
}

impl AttachReader {
    /// Takes what was printed and returns what it means. Nothing before [`Self::begin`] means anything.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Vec<AgentEvent> {
        let mut events = Vec::new();
        self.partial.extend_from_slice(bytes);
        let text = match std::str::from_utf8(&self.partial) {
            Ok(text) => {
                let text = text.to_owned();
                self.partial.clear();
                text
            }
            Err(error) => {
                let valid = error.valid_up_to();
                let (end, skip) = match error.error_len() {
                    None => (valid, 0),
                    Some(bad) => (valid, bad),
                };
                let text = String::from_utf8_lossy(&self.partial[..end + skip]).into_owned();
                self.partial.drain(..end + skip);
                text
            }
        };
        for c in text.chars() {
            if self.to_skip > 0 {
                self.to_skip -= usize::from(c == '\n');
            } else if c == '\n' {
                self.end_line(&mut events);
            } else {
                self.line.push(c);
                if !self.telling && !could_be_marker(&self.line) {
                    self.telling = true;
                }
            }
        }
        if self.telling && !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.text(&line, &mut events);
        }
        events
    }

    /// Everything from here on belongs to our turn, from the line that repeats its prompt on.
    pub(crate) fn begin(&mut self, prompt: &str) {
        *self = Self {
            partial: std::mem::take(&mut self.partial),
            prompt: first_line(prompt).to_owned(),
            prompt_lines: prompt.trim().split('\n').count() - 1,
            ..Self::default()
        };
    }

    /// Nothing more will come: an unfinished line is text.
    pub(crate) fn finish(&mut self) -> Vec<AgentEvent> {
        let mut events = Vec::new();
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.text(&line, &mut events);
        }
        events
    }

    fn end_line(&mut self, events: &mut Vec<AgentEvent>) {
        let line = std::mem::take(&mut self.line);
        if self.telling {
            self.telling = false;
            self.text(&line, events);
            self.held += 1;
            return;
        }
        if line.is_empty() {
            self.held += 1;
            return;
        }
        let Some((name, rest)) = marker(&line) else {
            self.text(&line, events);
            self.held += 1;
            return;
        };
        // The newline in front of a marker is the marker's, and so is the one behind it.
        self.held = self.held.saturating_sub(1);
        if name == "User" {
            self.over = self.ours;
            // History may still be coming: only what repeats our own prompt begins our turn.
            self.ours |= first_line(rest) == self.prompt;
            self.to_skip = if self.ours && !self.over {
                self.prompt_lines
            } else {
                0
            };
            self.held = 0;
            return;
        }
        if name == "Detached" {
            self.held = self.held.saturating_sub(1);
        }
        if !self.ours || self.over {
            return;
        }
        let held = std::mem::take(&mut self.held);
        if held > 0 {
            events.push(AgentEvent::Text {
                text: "\n".repeat(held),
            });
        }
        match name {
            "Reasoning" => events.push(AgentEvent::Reasoning { text: rest.into() }),
            _ if name.starts_with("Tool: ") => {
                self.tools += u32::from(rest == "running");
                events.push(AgentEvent::Tool {
                    call: ToolCall {
                        id: format!("attach-{}", self.tools),
                        name: name["Tool: ".len()..].into(),
                        title: None,
                        status: match rest {
                            "completed" => ToolStatus::Completed,
                            "failed" => ToolStatus::Failed,
                            "canceled" | "cancelled" => ToolStatus::Cancelled,
                            _ => ToolStatus::Running,
                        },
                        detail: None,
                        error: None,
                    },
                });
            }
            // Plans are told as a count only, permissions by the call that waits for the turn.
            _ => {}
        }
    }

    fn text(&mut self, text: &str, events: &mut Vec<AgentEvent>) {
        if !self.ours || self.over {
            self.held = 0;
            return;
        }
        let mut piece = "\n".repeat(std::mem::take(&mut self.held));
        piece.push_str(text);
        events.push(AgentEvent::Text { text: piece });
    }
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default().trim()
}

const MARKERS: [&str; 8] = [
    "[User]",
    "[Reasoning]",
    "[Tool: ",
    "[Todo]",
    "[Permission Required]",
    "[Permission ",
    "[Attention Required: ",
    "Detaching from agent...",
];

fn could_be_marker(line: &str) -> bool {
    MARKERS
        .iter()
        .any(|marker| marker.starts_with(line) || line.starts_with(marker))
}

/// The name between the brackets and what follows them.
fn marker(line: &str) -> Option<(&str, &str)> {
    if line == "Detaching from agent..." {
        return Some(("Detached", ""));
    }
    if !MARKERS.iter().any(|marker| line.starts_with(marker)) {
        return None;
    }
    let (name, rest) = line.strip_prefix('[')?.split_once(']')?;
    Some((name, rest.strip_prefix(' ').unwrap_or(rest)))
}
