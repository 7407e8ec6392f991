//! Panes: listed, read, waited for; opened, typed into and closed.

use std::fmt::{self, Write as _};
use std::time::Duration;

use app::{News, Subject};
use regex::RegexBuilder;
use schemars::JsonSchema;
use serde::Deserialize;
use terminal::ask::{self, Info, List};
use terminal::{
    Attention, Line, LineId, OpenPane, PaneEvent, PaneId, PaneInfo, PaneState, ReadLines,
};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use crate::caller::Caller;
use crate::words::{Answer, Refused, cut, listed, printed, within};

/// Panes that are told of at once.
const MOST: usize = 200;
/// Lines that are read at once.
const MOST_LINES: u32 = 1_000;
/// The longest wait.
const MOST_SECONDS: u32 = 3_600;
/// How often a pane is looked at while a text is waited for.
const LOOK: Duration = Duration::from_millis(150);
/// The largest program that a pattern may become.
const PATTERN: usize = 1 << 20;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Read {
    /// Number or name
    pane: String,
    /// How many lines, 1 to 1000
    #[serde(default = "hundred")]
    lines: u32,
    /// From this place on: an earlier answer's `next`
    after: Option<String>,
}

fn hundred() -> u32 {
    100
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum For {
    /// `pattern` is printed
    Text,
    /// its program ended
    Exit,
    /// no command runs in its shell
    Idle,
    /// it waits for a person
    Person,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    /// Number or name
    pane: String,
    #[serde(rename = "for")]
    what: For,
    /// For `text`: a regular expression
    pattern: Option<String>,
    /// For `text`: look from this place on, else from the newest line on
    after: Option<String>,
    /// At most so long, 1 to 3600
    #[serde(default = "minute")]
    seconds: u32,
}

fn minute() -> u32 {
    60
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Open {
    /// None: a shell
    program: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    /// None: where you are
    cwd: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Send {
    /// Number or name
    pane: String,
    text: String,
    /// Press Enter behind it
    #[serde(default)]
    enter: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Close {
    /// Number or name
    pane: String,
}

pub(crate) async fn list(caller: &Caller) -> Answer {
    let panes = caller.app.ask(List).await?;
    let here = caller.options.pane;
    let rows = panes.iter().map(|pane| row(pane, here));
    Ok(listed(rows, MOST, "No pane is open."))
}

fn row(pane: &PaneInfo, here: Option<PaneId>) -> String {
    let mut row = format!("{}: {}", pane.id, pane.state_in_words());
    if let Some(name) = &pane.name {
        let _ = write!(row, ", named {}", cut(name));
    }
    let program = match pane.command.as_deref() {
        Some(command) if !command.is_empty() => command.to_owned(),
        _ => pane.program.join(" "),
    };
    let _ = write!(row, ", `{}` in {}", cut(&program), cut(&pane.cwd));
    if let Some(message) = &pane.attention_message {
        let _ = write!(row, "\n| {}", cut(message));
    }
    if Some(pane.id) == here {
        row.push_str(" (you run in it)");
    }
    row
}

pub(crate) async fn read(caller: &Caller, asked: Read) -> Answer {
    let count = within("lines", asked.lines, MOST_LINES)?;
    let pane = caller.app.find_pane_also_closed(&asked.pane).await?;
    let (lines, next) = match asked.after {
        Some(after) => since(caller, pane, Place::read(&after)?, count).await?,
        None => {
            let lines = ReadLines::Newest { count };
            let lines = caller.app.ask(ask::Read { pane, lines }).await?;
            let next = newest(caller, pane).await?;
            (lines, next)
        }
    };
    let text = match lines.is_empty() {
        true => "Nothing was printed there.\n".to_owned(),
        false => printed(&lines),
    };
    Ok(format!("{text}next: {next}"))
}

/// A place in what a pane printed and showed. Lines that full-screen programs showed are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// The newest line that was printed: it may still grow, and is read again.
    printed: u64,
    /// How many lines were shown by full-screen programs.
    shown: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shown {
            0 => write!(f, "{}", self.printed),
            shown => write!(f, "{}:{shown}", self.printed),
        }
    }
}

impl Place {
    fn read(text: &str) -> Result<Self, Refused> {
        let (printed, shown) = text.split_once(':').unwrap_or((text, "0"));
        match (printed.parse(), shown.parse()) {
            (Ok(printed), Ok(shown))
                if printed < LineId::FULL_SCREEN && shown < LineId::FULL_SCREEN =>
            {
                Ok(Self { printed, shown })
            }
            _ => Err(Refused(format!(
                "`after` is `{}`, not the `next` of an earlier answer",
                cut(text)
            ))),
        }
    }

    /// The place behind these lines.
    fn behind(self, lines: &[Line]) -> Self {
        lines.iter().fold(self, |place, line| match line.id {
            id if id.is_full_screen() => Self {
                shown: place.shown.max(id.0 - LineId::FULL_SCREEN + 1),
                ..place
            },
            id => Self {
                printed: place.printed.max(id.0),
                ..place
            },
        })
    }
}

/// The place behind all that there is now.
async fn newest(caller: &Caller, pane: PaneId) -> Result<Place, Refused> {
    let lines = ReadLines::Newest { count: MOST_LINES };
    let lines = caller.app.ask(ask::Read { pane, lines }).await?;
    let nowhere = Place {
        printed: 0,
        shown: 0,
    };
    Ok(nowhere.behind(&lines))
}

/// The lines from a place on, and the place behind them.
async fn since(
    caller: &Caller,
    pane: PaneId,
    place: Place,
    count: u32,
) -> Result<(Vec<Line>, Place), Refused> {
    let mut lines = Vec::new();
    for from in [place.printed, LineId::FULL_SCREEN + place.shown] {
        let line = LineId(from);
        let after = ReadLines::After { line, count };
        let read = caller.app.ask(ask::Read { pane, lines: after }).await?;
        let alike = |found: &Line| found.id.is_full_screen() == line.is_full_screen();
        lines.extend(read.into_iter().filter(alike));
    }
    let behind = place.behind(&lines);
    Ok((lines, behind))
}

pub(crate) async fn wait(caller: &Caller, asked: Wait) -> Answer {
    let seconds = within("seconds", asked.seconds, MOST_SECONDS)?;
    let deadline = Instant::now() + Duration::from_secs(seconds.into());
    let pane = caller.app.find_pane(&asked.pane).await?;
    let met = match (asked.what, asked.pattern) {
        (For::Text, Some(pattern)) => {
            let waiting = text(caller, pane, &pattern, asked.after);
            match timeout_at(deadline, waiting).await {
                Ok(met) => Some(met?),
                Err(_) => None,
            }
        }
        (For::Text, None) => {
            return Err(Refused(
                "`pattern` is missing: to wait for a text, say which".to_owned(),
            ));
        }
        (what, None) => match timeout_at(deadline, state(caller, pane, what)).await {
            Ok(met) => Some(met?),
            Err(_) => None,
        },
        (_, Some(_)) => {
            return Err(Refused("`pattern` goes with `for`: `text` only".to_owned()));
        }
    };
    Ok(met.unwrap_or_else(|| format!("Not within {seconds} seconds.")))
}

/// Waits until a line from `after` on matches.
async fn text(
    caller: &Caller,
    pane: PaneId,
    pattern: &str,
    after: Option<String>,
) -> Result<String, Refused> {
    let pattern = RegexBuilder::new(pattern).size_limit(PATTERN).build();
    let pattern = pattern.map_err(|error| Refused(format!("`pattern`: {error}")))?;
    let mut from = match after {
        Some(after) => Place::read(&after)?,
        None => newest(caller, pane).await?,
    };
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let ended = !is_running(&caller.app.ask(Info(pane)).await?);
        let (lines, behind) = since(caller, pane, from, MOST_LINES).await?;
        if let Some(line) = lines.iter().find(|line| pattern.is_match(&line.text)) {
            let found = std::slice::from_ref(line);
            return Ok(format!("{}next: {}", printed(found), from.behind(found)));
        }
        if behind == from && ended {
            return Ok("Its program ended without it.".to_owned());
        }
        from = behind;
    }
}

/// Waits until the pane is in a state.
async fn state(caller: &Caller, pane: PaneId, what: For) -> Result<String, Refused> {
    let mut news = caller.app.news();
    let mut now = caller.app.ask(Info(pane)).await?;
    loop {
        let met = match what {
            For::Exit => !is_running(&now),
            For::Idle => !now.busy,
            For::Person => now.attention == Attention::NeedsYou,
            For::Text => true,
        };
        if met || !is_running(&now) {
            return Ok(row(&now, None));
        }
        now = loop {
            match news.next().await {
                Some(News::Pane(PaneEvent::Changed { pane: now })) if now.id == pane => break now,
                Some(News::Pane(PaneEvent::Closed { id })) if id == pane => {
                    return Ok("It was closed.".to_owned());
                }
                Some(News::Pane(PaneEvent::Lagged) | News::Missed(Subject::Panes)) => {
                    break caller.app.ask(Info(pane)).await?;
                }
                Some(_) => {}
                None => return Err(Refused("Switchyard ends".to_owned())),
            }
        };
    }
}

fn is_running(pane: &PaneInfo) -> bool {
    matches!(pane.state, PaneState::Running { .. })
}

pub(crate) async fn open(caller: &Caller, asked: Open) -> Answer {
    let here = &caller.options.cwd;
    let cwd = asked.cwd.map_or_else(|| here.clone(), |cwd| here.join(cwd));
    let pane = caller
        .app
        .open_pane(OpenPane {
            program: asked.program,
            args: asked.args,
            cwd: Some(cwd.to_string_lossy().into_owned()),
            name: asked.name,
            ..OpenPane::default()
        })
        .await?;
    Ok(format!("Pane {} is open.", pane.id))
}

pub(crate) async fn send(caller: &Caller, asked: Send) -> Answer {
    let pane = caller.app.find_pane(&asked.pane).await?;
    let info = caller.app.ask(Info(pane)).await?;
    if info.attention == Attention::NeedsYou {
        return Err(Refused(format!(
            "pane {pane} waits for a person: what it asks is theirs to answer"
        )));
    }
    let before = newest(caller, pane).await?;
    let mut bytes = asked.text.into_bytes();
    if asked.enter {
        bytes.push(b'\r');
    }
    caller.app.type_into(pane, &bytes).await?;
    Ok(format!("next: {before}"))
}

pub(crate) async fn close(caller: &Caller, asked: Close) -> Answer {
    let pane = caller.app.find_pane(&asked.pane).await?;
    if Some(pane) == caller.options.pane {
        return Err(Refused(
            "you run in that pane: closing it would end you".to_owned(),
        ));
    }
    caller.app.ask(ask::Close(pane)).await?;
    Ok(format!("Pane {pane} is closed."))
}
