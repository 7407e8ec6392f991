//! `search`: finds what panes printed and showed, in memory and on disk.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::pin::pin;

use app::{App, MachineId};
use clap::Args;
use serde::Serialize;
use terminal::ask::{Closed, List};
use terminal::{
    Case, Line, Match, Order, PaneId, Scope, SearchAnswer, SearchProgress, SearchRequest,
};
use tokio::sync::mpsc;
use transcripts::{TranscriptAnswer, TranscriptConversation, TranscriptHit};

use crate::failure::Failure;
use crate::machines::On;
use crate::output::Output;
use crate::panes::PaneName;
use crate::when::{local, moment};

const PANE: &str = "\x1b[35m";
const NUMBER: &str = "\x1b[32m";
const FOUND: &str = "\x1b[1;31m";
const FAINT: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// Find text that panes printed or full-screen programs showed
#[derive(Debug, Args)]
#[command(after_help = "\
The pattern is a regular expression as in Rust and ripgrep, without look-around and
back-references.
Case matters when the pattern has an uppercase letter. What is in memory comes first; when that
holds fewer matches than --limit, the history on disk is searched as well, for ten seconds at most.

Examples:
  switchyard search 'error\\[E\\d+\\]'
  switchyard search -F 'a[0]' --pane build -C 2
  switchyard search --all --since 2h --directory . 'panicked at'
  switchyard search --conversations --since 3d 'rate limit'
  switchyard search --all --limit 500 --json 'panicked at' | jq -r '.matches[].content'

Exit status: 0 found, 1 not found or could not search, 2 the pattern or an option is wrong.")]
pub(crate) struct Search {
    /// What to look for: 1 to 200 characters
    #[arg(allow_hyphen_values = true)]
    pattern: String,
    /// Only this pane, open or closed: its number or its name
    #[arg(long, conflicts_with_all = ["all", "closed"])]
    pane: Option<PaneName>,
    /// All panes, the closed ones too, and what agents wrote down of their conversations
    #[arg(long, conflicts_with = "closed")]
    all: bool,
    /// Only what agents wrote down: Claude Code, Codex, Gemini CLI, Qwen Code, OpenCode
    #[arg(long, conflicts_with_all = ["pane", "all", "closed", "context"])]
    conversations: bool,
    /// Only the panes that are closed
    #[arg(long)]
    closed: bool,
    /// Upper and lower case are the same
    #[arg(short, long, conflicts_with = "case_sensitive")]
    ignore_case: bool,
    /// Upper and lower case are not the same
    #[arg(short = 's', long)]
    case_sensitive: bool,
    /// Only whole words
    #[arg(short, long)]
    word_regexp: bool,
    /// The pattern is text, not a regular expression
    #[arg(short = 'F', long)]
    fixed_strings: bool,
    /// Show so many lines around each match, 0 to 50
    #[arg(short = 'C', long, value_name = "N", default_value_t = 0)]
    context: u32,
    /// Show so many matches at most, 1 to 500
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// Begin with what was printed first
    #[arg(long)]
    oldest_first: bool,
    /// Only what came since: `2h`, `3d`, `14:00`, `2026-03-01 14:00`
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<u64>,
    /// Only what came earlier
    #[arg(long, value_name = "TIME", value_parser = moment)]
    before: Option<u64>,
    /// Only panes that work in this directory or below it, a worktree say, or did when they were closed
    #[arg(long, value_name = "DIR", conflicts_with = "pane")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    on: On,
}

impl Search {
    pub(crate) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let machine = self.on.reached(app, out).await?;
        if machine.is_some() && (self.conversations || self.pane.is_some()) {
            return Err(Failure::usage(
                "`--on` searches the panes of that machine: name one of them as `--pane build:3`; conversations of agents are searched here alone",
            ));
        }
        let scope = match &self.pane {
            Some(pane) => Scope::Pane {
                id: pane.find_also_closed(app).await?,
            },
            None if self.all => Scope::All,
            None if self.closed => Scope::Closed,
            None => Scope::Live,
        };
        let request = SearchRequest {
            limit: self.limit,
            context: self.context,
            regex: !self.fixed_strings,
            case: if self.ignore_case {
                Case::Ignore
            } else if self.case_sensitive {
                Case::Match
            } else {
                Case::Smart
            },
            whole_word: self.word_regexp,
            order: if self.oldest_first {
                Order::OldestFirst
            } else {
                Order::NewestFirst
            },
            since: self.since,
            before: self.before,
            directory: match (machine, &self.directory) {
                // Of that machine: nothing is known of it here.
                (Some(_), directory) => directory
                    .as_deref()
                    .map(|it| it.to_string_lossy().into_owned()),
                (None, directory) => directory.as_deref().map(self::directory).transpose()?,
            },
            ..SearchRequest::new(&self.pattern, scope)
        };
        let refused = |error: app::Error, json: bool| match error.position {
            Some(at) if error.code == app::Code::BadQuery && !json => {
                Failure::usage(format!("{}\n{}", error.message, mark(&self.pattern, at)))
            }
            _ => Failure::from(error),
        };
        if self.conversations {
            let json = out.json();
            let answer = conversations(app, request, out).await;
            let answer = answer?.map_err(|error| refused(error, json))?;
            if json {
                out.value(&answer)?;
            }
            return if answer.total == 0 {
                Err(Failure::silent())
            } else {
                Ok(())
            };
        }
        let again = (self.all && machine.is_none()).then(|| request.clone());
        let names = names(app, machine).await?;
        let mut printer = Printer::new(app, out, names, self.context > 0);
        // What is found is printed at once: the rest of the history may take seconds.
        let (send, mut progress) = mpsc::unbounded_channel();
        let told = move |progress| {
            // Printing has failed when nobody listens; the loop below has ended then.
            let _ = send.send(progress);
        };
        let mut searching = pin!(async {
            match machine {
                Some(machine) => app.search_on(machine, request, told).await,
                None => app.search(request, told).await,
            }
        });
        let answer = loop {
            tokio::select! {
                biased;
                Some(progress) = progress.recv() => printer.take(progress)?,
                answer = &mut searching => break answer,
            }
        };
        while let Ok(progress) = progress.try_recv() {
            printer.take(progress)?;
        }
        let answer = answer.map_err(|error| refused(error, out.json()))?;
        let mut total = answer.total;
        if !out.json() {
            summary(&answer, out);
        }
        let mut answered = None;
        if let Some(request) = again {
            if total > 0 {
                out.text("\n")?;
            }
            let json = out.json();
            let found = conversations(app, request, out).await;
            let found = found?.map_err(|error| refused(error, json))?;
            total += found.total;
            answered = Some(found);
        }
        if out.json() {
            out.value(&Both {
                panes: &answer,
                conversations: answered.as_ref(),
            })?;
        }
        if total == 0 {
            return Err(Failure::silent());
        }
        Ok(())
    }
}

/// What was found in panes, and in conversations where these were searched.
#[derive(Serialize)]
struct Both<'a> {
    #[serde(flatten)]
    panes: &'a SearchAnswer,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversations: Option<&'a TranscriptAnswer>,
}

/// Searches what agents wrote down, and prints it as it is found; a program gets it in one piece.
async fn conversations(
    app: &App,
    request: SearchRequest,
    out: &mut Output<'_>,
) -> Result<Result<TranscriptAnswer, app::Error>, Failure> {
    let (send, mut progress) = mpsc::unbounded_channel();
    let mut searching = pin!(app.search_transcripts(request, move |progress| {
        // Printing has failed when nobody listens; the loop below has ended then.
        let _ = send.send(progress);
    }));
    let mut heading = None;
    let answer = loop {
        tokio::select! {
            biased;
            Some(progress) = progress.recv() => said(&progress.hits, &mut heading, out)?,
            answer = &mut searching => break answer,
        }
    };
    while let Ok(progress) = progress.try_recv() {
        said(&progress.hits, &mut heading, out)?;
    }
    if let Ok(answer) = &answer
        && let Some(reason) = &answer.reason
        && !out.json()
    {
        let (shown, total) = (answer.hits.len(), answer.total);
        out.error(&format!("{shown} of {total} in conversations: {reason}"));
    }
    Ok(answer)
}

/// Prints lines of conversations: a heading for each of them, then who says what.
fn said(
    hits: &[TranscriptHit],
    heading: &mut Option<TranscriptConversation>,
    out: &mut Output<'_>,
) -> std::io::Result<()> {
    if out.json() {
        return Ok(());
    }
    let mut text = String::new();
    for hit in hits {
        let about = &hit.conversation;
        if heading.as_ref() != Some(about) {
            if heading.is_some() {
                text.push('\n');
            }
            let mut line = format!("{} {}", about.agent.title(), clean(&about.session));
            let further = [&about.directory, &about.title];
            let further: Vec<String> = further.into_iter().flatten().map(|it| clean(it)).collect();
            if !further.is_empty() {
                line.push_str(&format!(" ({})", further.join(": ")));
            }
            text.push_str(&toned(out, PANE, &line));
            text.push('\n');
            *heading = Some(about.clone());
        }
        let when = hit
            .when
            .map(|at| format!("{} ", local(at)))
            .unwrap_or_default();
        text.push_str(&toned(out, NUMBER, &format!("{when}{}", hit.role.word())));
        text.push(':');
        let ranges = hit.ranges.iter().map(|range| (range.start, range.end));
        coloured(&mut text, &hit.content, ranges, out.colour());
        text.push('\n');
    }
    out.text(&text)
}

/// A directory by the name that panes have for it.
fn directory(path: &Path) -> Result<String, Failure> {
    let found = path
        .canonicalize()
        .map_err(|error| Failure::usage(format!("`--directory {}`: {error}", path.display())))?;
    Ok(found.to_string_lossy().into_owned())
}

/// The pattern with a mark under the place.
fn mark(pattern: &str, at: u32) -> String {
    let mut units = 0;
    let before: String = pattern
        .chars()
        .take_while(|c| {
            units += c.len_utf16() as u32;
            units <= at
        })
        .collect();
    let width = unicode_width::UnicodeWidthStr::width(before.as_str());
    format!("  {pattern}\n  {}^", " ".repeat(width))
}

fn summary(answer: &SearchAnswer, out: &mut Output<'_>) {
    let shown = answer.matches.len();
    if answer.truncated {
        let panes = if answer.panes == 1 { "pane" } else { "panes" };
        let reason = answer.reason.as_deref().unwrap_or("there may be more");
        out.error(&format!(
            "{shown} of {} in {} {panes}: {reason}",
            answer.total, answer.panes
        ));
    }
}

/// What each pane is called, open or closed.
async fn names(app: &App, machine: Option<MachineId>) -> Result<HashMap<PaneId, String>, Failure> {
    let mut names = HashMap::new();
    let (closed, open) = match machine {
        Some(machine) => (
            app.ask_on(machine, Closed).await?,
            app.ask_on(machine, List).await?,
        ),
        None => (app.ask(Closed).await?, app.ask(List).await?),
    };
    for pane in closed {
        let name = pane.name.unwrap_or_else(|| pane.program.join(" "));
        names.insert(pane.id, format!("{name}, closed"));
    }
    for pane in open {
        names.insert(pane.id, pane.name.unwrap_or_else(|| pane.program.join(" ")));
    }
    Ok(names)
}

/// Prints matches as ripgrep does: a heading for each pane, then numbered lines.
struct Printer<'a, 'b> {
    app: &'a App,
    out: &'a mut Output<'b>,
    names: HashMap<PaneId, String>,
    context: bool,
    pane: Option<PaneId>,
}

impl<'a, 'b> Printer<'a, 'b> {
    fn new(
        app: &'a App,
        out: &'a mut Output<'b>,
        names: HashMap<PaneId, String>,
        context: bool,
    ) -> Self {
        Self {
            app,
            out,
            names,
            context,
            pane: None,
        }
    }

    fn take(&mut self, progress: SearchProgress) -> std::io::Result<()> {
        match progress {
            // A program gets the answer in one piece.
            SearchProgress::Found { matches } if !self.out.json() => self.print(&matches),
            SearchProgress::Found { .. } | SearchProgress::Count { .. } => Ok(()),
        }
    }

    fn print(&mut self, matches: &[Match]) -> std::io::Result<()> {
        let mut text = String::new();
        for found in matches {
            if self.pane != Some(found.pane) {
                if self.pane.is_some() {
                    text.push('\n');
                }
                let name = self.names.get(&found.pane).map_or("", String::as_str);
                let number = self.app.number_to_type(found.pane);
                let heading = format!("pane {number} ({})", clean(name));
                text.push_str(&self.toned(PANE, &heading));
                text.push('\n');
            } else if self.context {
                text.push_str(&self.toned(FAINT, "--"));
                text.push('\n');
            }
            self.pane = Some(found.pane);
            for line in &found.context_before {
                self.around(&mut text, line);
            }
            let number = if found.full_screen {
                "screen".to_owned()
            } else {
                found.line_number.to_string()
            };
            text.push_str(&self.toned(NUMBER, &number));
            text.push(':');
            self.content(&mut text, found);
            text.push('\n');
            for line in &found.context_after {
                self.around(&mut text, line);
            }
        }
        self.out.text(&text)
    }

    fn around(&mut self, text: &mut String, line: &Line) {
        let number = if line.id.is_full_screen() {
            "screen".to_owned()
        } else {
            (line.id.0 + 1).to_string()
        };
        text.push_str(&self.toned(FAINT, &format!("{number}-{}", clean(&line.text))));
        text.push('\n');
    }

    /// The line with what was found in it highlighted.
    fn content(&self, text: &mut String, found: &Match) {
        let ranges = found.ranges.iter().map(|range| (range.start, range.end));
        coloured(text, &found.content, ranges, self.out.colour());
    }

    fn toned(&self, tone: &str, text: &str) -> String {
        toned(self.out, tone, text)
    }
}

fn coloured(
    text: &mut String,
    content: &str,
    ranges: impl Iterator<Item = (u32, u32)>,
    colour: bool,
) {
    if !colour {
        text.push_str(&clean(content));
        return;
    }
    let mut ranges = ranges.peekable();
    let (mut units, mut within) = (0, false);
    for c in content.chars() {
        if within && ranges.peek().is_some_and(|range| range.1 <= units) {
            ranges.next();
            within = false;
            text.push_str(PLAIN);
        }
        if !within && ranges.peek().is_some_and(|range| range.0 <= units) {
            within = true;
            text.push_str(FOUND);
        }
        units += c.len_utf16() as u32;
        text.push(if c.is_control() { ' ' } else { c });
    }
    if within {
        text.push_str(PLAIN);
    }
}

fn toned(out: &Output<'_>, tone: &str, text: &str) -> String {
    if out.colour() {
        format!("{tone}{text}{PLAIN}")
    } else {
        text.to_owned()
    }
}

/// What a program printed must not reach the terminal as an order.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
