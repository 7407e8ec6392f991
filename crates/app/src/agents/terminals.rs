//! Programs that answer prompts, in panes.

use std::collections::VecDeque;
use std::sync::Weak;
use std::time::Duration;

use agents::{AgentError, Answer, Terminal, TerminalEvent, Terminals};
use host::HostAttachment;
use terminal::ask::{Close, Info, Read};
use terminal::{
    AttachOptions, Attention, LineId, OpenPane, PaneEvent, PaneId, PaneInfo, PaneRole, PaneState,
    ReadLines,
};

use crate::{App, Inner, News, NewsReader, Subject};

/// What is printed within this time is told together.
const TOGETHER: Duration = Duration::from_millis(50);
/// How many lines are read at once.
const AT_ONCE: u32 = 2_000;

/// Panes, for programs that answer prompts.
pub(super) struct PaneTerminals {
    pub(super) app: Weak<Inner>,
}

impl Terminals for PaneTerminals {
    fn open<'a>(
        &'a self,
        program: &'a [String],
        cwd: &'a str,
        name: &'a str,
    ) -> Answer<'a, Box<dyn Terminal>> {
        Box::pin(async move {
            let inner = self.app.upgrade().ok_or_else(|| ended("opening a pane"))?;
            let app = App(inner);
            // Listening begins before the pane opens: a quick program may have ended by then.
            let news = app.news();
            let pane = app
                .open_pane(OpenPane {
                    program: program.first().cloned(),
                    args: program.iter().skip(1).cloned().collect(),
                    cwd: Some(cwd.to_owned()),
                    name: Some(name.to_owned()),
                    role: PaneRole::Agent,
                    no_shell_integration: true,
                    ..OpenPane::default()
                })
                .await
                .map_err(|error| AgentError::ProgramMissing {
                    program: name.to_owned(),
                    reason: error.message,
                })?;
            let options = AttachOptions {
                scrollback_rows: 0,
                ..AttachOptions::default()
            };
            // Without a stream, the output comes at the end.
            let stream = app.attach_pane(pane.id, options).await.ok();
            Ok(Box::new(PaneTerminal {
                app: self.app.clone(),
                pane: pane.id,
                news,
                stream,
                attention: Attention::Idle,
                looked: false,
                told_to: None,
                left: VecDeque::new(),
            }) as Box<dyn Terminal>)
        })
    }
}

fn ended(what: &str) -> AgentError {
    AgentError::Lost {
        host: "the pane host".into(),
        what: what.into(),
        reason: "Switchyard is ending".into(),
    }
}

/// A program in a pane, followed by the pane's events, and by what it prints.
struct PaneTerminal {
    app: Weak<Inner>,
    pane: PaneId,
    news: NewsReader,
    /// Says that something was printed; what, the lines say.
    stream: Option<HostAttachment>,
    attention: Attention,
    /// The state at the start was looked at; from there on the events tell.
    looked: bool,
    /// The last line that was told.
    told_to: Option<LineId>,
    /// What is still to be told.
    left: VecDeque<TerminalEvent>,
}

/// What a program in a pane woke us for.
enum Woke {
    Changed(Box<PaneInfo>),
    Look,
    Printed,
    Gone,
}

impl PaneTerminal {
    async fn step(&mut self) -> Option<TerminalEvent> {
        loop {
            if let Some(event) = self.left.pop_front() {
                return Some(event);
            }
            let woke = if self.looked {
                self.wait().await
            } else {
                Woke::Look
            };
            self.looked = true;
            let app = App(self.app.upgrade()?);
            let pane = match woke {
                Woke::Gone => return None,
                Woke::Changed(pane) => *pane,
                Woke::Look => app.ask(Info(self.pane)).await.ok()?,
                Woke::Printed => {
                    self.printed(&app, false).await;
                    continue;
                }
            };
            if let PaneState::Exited { code, signal } = pane.state {
                self.printed(&app, true).await;
                self.left.push_back(TerminalEvent::Exited { code, signal });
                continue;
            }
            if pane.attention != self.attention {
                self.attention = pane.attention;
                match pane.attention {
                    Attention::NeedsYou => {
                        return Some(TerminalEvent::NeedsYou(
                            pane.attention_message.unwrap_or_default(),
                        ));
                    }
                    Attention::Working | Attention::Idle => return Some(TerminalEvent::Working),
                    Attention::Done | Attention::Failed => {}
                }
            }
        }
    }

    async fn wait(&mut self) -> Woke {
        loop {
            let printed = async {
                match &mut self.stream {
                    Some(stream) => stream.next_encoded().await,
                    None => std::future::pending().await,
                }
            };
            let happened = tokio::select! {
                happened = self.news.next() => happened,
                frame = printed => {
                    let Some(frame) = frame else {
                        self.stream = None;
                        continue;
                    };
                    self.parsed(frame.len());
                    // What comes in a burst is told in one piece.
                    self.settle().await;
                    return Woke::Printed;
                }
            };
            match happened {
                Some(News::Pane(PaneEvent::Changed { pane })) if pane.id == self.pane => {
                    return Woke::Changed(Box::new(pane));
                }
                Some(News::Pane(PaneEvent::Closed { id })) if id == self.pane => {
                    return Woke::Gone;
                }
                Some(News::Missed(Subject::Panes)) => return Woke::Look,
                None => return Woke::Gone,
                Some(_) => {}
            }
        }
    }

    fn parsed(&self, bytes: usize) {
        if let Some(stream) = &self.stream {
            // The kind of the frame is no payload; a snapshot's few bytes more do no harm.
            stream.ack(bytes as u64);
        }
    }

    /// Takes what else is printed within a moment.
    async fn settle(&mut self) {
        let over = tokio::time::sleep(TOGETHER);
        tokio::pin!(over);
        while let Some(stream) = &mut self.stream {
            tokio::select! {
                () = &mut over => return,
                frame = stream.next_encoded() => match frame {
                    Some(frame) => self.parsed(frame.len()),
                    None => self.stream = None,
                },
            }
        }
    }

    /// Tells the lines that were printed since; while the program runs without the last one, which may be half a line.
    async fn printed(&mut self, app: &App, ended: bool) {
        loop {
            let lines = match self.told_to {
                Some(line) => ReadLines::After {
                    line,
                    count: AT_ONCE + 1,
                },
                None => ReadLines::Newest { count: 100_000 },
            };
            let Ok(mut lines) = app
                .ask(Read {
                    pane: self.pane,
                    lines,
                })
                .await
            else {
                return;
            };
            let read = lines.len();
            lines.retain(|line| Some(line.id) != self.told_to);
            let more = self.told_to.is_some() && read > AT_ONCE as usize;
            if ended && !more {
                // Below the last line that was printed, the screen is empty.
                while lines.last().is_some_and(|line| line.text.trim().is_empty()) {
                    lines.pop();
                }
            } else if !more {
                let blank = lines
                    .iter()
                    .rev()
                    .take_while(|line| line.text.is_empty())
                    .count();
                lines.truncate(lines.len().saturating_sub(blank.max(1)));
            }
            let Some(last) = lines.last() else {
                return;
            };
            let first = self.told_to.is_none();
            self.told_to = Some(last.id);
            let text: Vec<_> = lines.into_iter().map(|line| line.text).collect();
            let text = text.join("\n");
            // Pieces are joined without anything between them, so each but the first begins with its newline.
            self.left.push_back(TerminalEvent::Output(if first {
                text
            } else {
                format!("\n{text}")
            }));
            if !more {
                return;
            }
        }
    }
}

impl Terminal for PaneTerminal {
    fn pane(&self) -> u32 {
        // It was opened on this machine, where numbers are as short.
        u32::try_from(self.pane.0).unwrap_or(u32::MAX)
    }

    fn next(
        &mut self,
    ) -> std::pin::Pin<Box<dyn Future<Output = Option<TerminalEvent>> + Send + '_>> {
        Box::pin(self.step())
    }

    fn stop(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let app = App(self
                .app
                .upgrade()
                .ok_or_else(|| ended("stopping a program"))?);
            let running = app
                .ask(Info(self.pane))
                .await
                .is_ok_and(|pane| matches!(pane.state, PaneState::Running { .. }));
            if running {
                app.ask(Close(self.pane))
                    .await
                    .map_err(|error| AgentError::Refused {
                        what: format!("stopping the program in pane {}", self.pane),
                        code: "pane".into(),
                        message: error.message,
                    })?;
            }
            Ok(())
        })
    }
}
