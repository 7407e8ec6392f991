//! `flow logs`: what the steps of a run printed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use app::{App, Code};
use clap::Args;
use flow::{AttemptView, RunState, StepView, plain_text};
use terminal::ask::Read;
use terminal::{LineId, PaneId, ReadLines};

use super::followed::{Followed, nobody_drives};
use crate::failure::Failure;
use crate::output::Output;

/// How many lines are read at once.
const LINES: u32 = 5_000;

#[derive(Debug, Args)]
pub(super) struct Logs {
    /// The run
    run: String,
    /// The step; none: all of them, each under its name
    step: Option<String>,
    /// Which attempt; none: the last one
    #[arg(long, value_name = "N", requires = "step")]
    attempt: Option<u32>,
    /// Go on with what is printed, until the run has ended or nobody drives it
    #[arg(short, long)]
    follow: bool,
}

/// How far an attempt was printed.
#[derive(Debug)]
enum Printed {
    /// Up to a line of its pane.
    Lines(PaneLines),
    /// Up to a byte of its output.
    Recorded(RecordedLines),
}

impl Logs {
    pub(super) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let run = app.find_run(&self.run).await?;
        let mut followed = Followed::new(app).await?;
        let mut printed = BTreeMap::new();
        let mut named = None;
        loop {
            let view = app.awaited_outline(&run).await?;
            // Where nobody looks again, the newest line is printed as it is.
            let last_look = !self.follow || view.info.state == RunState::Interrupted;
            if let Some(step) = &self.step
                && !view.step_list.iter().any(|known| known.id == *step)
            {
                return Err(Failure::failed(format!("the flow has no step `{step}`")));
            }
            for (step, attempt) in self.wanted(&view.step_list)? {
                let at = printed.entry((step.id.clone(), attempt.attempt));
                let at = at.or_insert_with(|| begin(attempt));
                let key = (step.id.clone(), attempt.attempt);
                loop {
                    let lines = more(app, &run, &step.id, attempt, last_look, at).await?;
                    if lines.is_empty() {
                        break;
                    }
                    for line in lines {
                        self.print(&key, &mut named, &line, out)?;
                    }
                }
            }
            if !self.follow {
                return Ok(());
            }
            match view.info.state {
                RunState::Succeeded | RunState::Failed | RunState::Cancelled => return Ok(()),
                RunState::Interrupted => return Err(nobody_drives(&run)),
                RunState::Running | RunState::Waiting => {}
            }
            tokio::select! {
                changes = followed.next() => if changes.is_none() { return Ok(()) },
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// The attempts that are printed, in the order in which they began.
    fn wanted<'v>(
        &self,
        steps: &'v [StepView],
    ) -> Result<Vec<(&'v StepView, &'v AttemptView)>, Failure> {
        let mut wanted = Vec::new();
        for step in steps {
            if self.step.as_ref().is_some_and(|only| *only != step.id) {
                continue;
            }
            match self.attempt {
                // While it is followed, each attempt is.
                None if self.follow => wanted.extend(step.attempts.iter().map(|one| (step, one))),
                None => wanted.extend(step.attempts.last().map(|last| (step, last))),
                Some(number) => {
                    let mut attempts = step.attempts.iter();
                    let attempt = attempts.find(|one| one.attempt == number).ok_or_else(|| {
                        Failure::failed(format!("`{}` has no attempt {number}", step.id))
                    })?;
                    wanted.push((step, attempt));
                }
            }
        }
        wanted.sort_by_key(|(_, attempt)| attempt.started_at);
        Ok(wanted)
    }

    fn print(
        &self,
        key: &(String, u32),
        named: &mut Option<(String, u32)>,
        line: &str,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let (step, attempt) = key;
        if out.json() {
            let line = serde_json::json!({ "step": step, "attempt": attempt, "line": line });
            return Ok(out.json_line(&line)?);
        }
        if (self.step.is_none() || self.follow) && named.as_ref() != Some(key) {
            let again = if *attempt > 1 {
                format!(", attempt {attempt}")
            } else {
                String::new()
            };
            out.line(&format!("── {step}{again}"))?;
            *named = Some(key.clone());
        }
        Ok(out.line(line)?)
    }
}

/// How often a pane is looked at while it is followed.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How long the newest line of a pane stays as it is before it is printed, though its program may still be at it.
const RESTS: Duration = Duration::from_millis(400);

/// How far the lines of a pane were printed.
#[derive(Debug)]
struct PaneLines {
    /// The line that is read next.
    next: LineId,
    /// The newest line, and since when it has been as it is.
    newest: Option<((LineId, String), Instant)>,
    /// The newest line as it was printed while its program may have been at it.
    told: Option<(LineId, String)>,
}

impl PaneLines {
    fn new() -> Self {
        Self {
            next: LineId(0),
            newest: None,
            told: None,
        }
    }

    fn have_begun(&self) -> bool {
        self.next != LineId(0) || self.told.is_some()
    }

    /// What is to be printed of the `lines` from `next` on.
    ///
    /// Whether the newest line is whole shows only when another one follows: until then it is printed once it rests, and
    /// again if its program goes on with it.
    fn take(
        &mut self,
        mut lines: Vec<(LineId, String)>,
        ended: bool,
        now: Instant,
    ) -> Vec<(LineId, String)> {
        let newest = if ended { None } else { lines.pop() };
        let mut resting = None;
        if let Some(newest) = newest {
            let since = match self.newest.take() {
                Some((before, since)) if before == newest => since,
                _ => now,
            };
            if now.duration_since(since) >= RESTS {
                resting = Some(newest.clone());
            }
            self.newest = Some((newest, since));
        }
        lines.extend(resting.clone());
        // Blank lines come with the one that follows them.
        while lines.last().is_some_and(|(_, text)| text.trim().is_empty()) {
            lines.pop();
        }
        if self.told.is_some() && lines.first() == self.told.as_ref() {
            lines.remove(0);
        }
        if let Some(last) = lines.last() {
            if Some(last) == resting.as_ref() {
                self.next = last.0;
                self.told = resting;
            } else {
                self.next = LineId(last.0.0 + 1);
                self.told = None;
            }
        }
        lines
    }
}

/// How far the lines of a recorded output were printed.
#[derive(Debug, Default)]
struct RecordedLines {
    /// The byte that is read next.
    from: u64,
    /// The line that has no end yet, and since when it has been as it is.
    open: Option<(String, Instant)>,
    /// That line as it was printed.
    told: Option<String>,
}

impl RecordedLines {
    /// What is to be printed of the whole `lines` that follow, and of the one behind them that is `open`: that one once it
    /// rests, and again if its program goes on with it.
    fn take(
        &mut self,
        mut lines: Vec<String>,
        open: String,
        ended: bool,
        now: Instant,
    ) -> Vec<String> {
        if !lines.is_empty() {
            self.open = None;
            if self.told.take().as_ref() == lines.first() {
                lines.remove(0);
            }
        }
        let since = match self.open.take() {
            Some((before, since)) if before == open => since,
            _ => now,
        };
        let rests = ended || now.duration_since(since) >= RESTS;
        if rests && !open.is_empty() && self.told.as_ref() != Some(&open) {
            lines.push(open.clone());
            self.told = Some(open.clone());
        }
        self.open = Some((open, since));
        lines
    }
}

/// A pane has all that a program printed, its standard error as well; where there is none, its output is printed.
fn begin(attempt: &AttemptView) -> Printed {
    match attempt.pane {
        Some(_) => Printed::Lines(PaneLines::new()),
        None => Printed::Recorded(RecordedLines::default()),
    }
}

/// What a pane that could not be read means for what is printed of it.
#[derive(Debug, PartialEq, Eq)]
enum Unread {
    /// It is read again.
    Later,
    /// What was recorded of it is printed instead.
    Recorded,
    /// There is nothing more to print.
    Over,
    /// The person is told.
    Failed,
}

impl Unread {
    /// `begun`: some of it is printed already, and must not come again.
    fn because(code: Code, begun: bool, ended: bool) -> Self {
        match code {
            Code::BadId if begun => Self::Over,
            Code::BadId => Self::Recorded,
            _ if !ended => Self::Later,
            _ if begun => Self::Failed,
            _ => Self::Recorded,
        }
    }
}

/// The next lines of what an attempt printed, without what could drive a terminal.
async fn more(
    app: &App,
    run: &str,
    step: &str,
    attempt: &AttemptView,
    last_look: bool,
    at: &mut Printed,
) -> Result<Vec<String>, Failure> {
    let ended = last_look || attempt.ended_at.is_some();
    if let (Printed::Lines(printed), Some(pane)) = (&mut *at, attempt.pane) {
        let lines = app
            .ask(Read {
                pane: PaneId(pane.into()),
                lines: ReadLines::After {
                    line: printed.next,
                    count: LINES,
                },
            })
            .await;
        let begun = printed.have_begun();
        match lines {
            Ok(lines) if begun || !lines.is_empty() => {
                let lines = lines.into_iter().map(|line| (line.id, line.text));
                return Ok(printed
                    .take(lines.collect(), ended, Instant::now())
                    .into_iter()
                    .map(|(_, text)| plain_text(text.as_bytes()))
                    .collect());
            }
            Ok(_) if !ended => return Ok(Vec::new()),
            // It never printed: what was recorded is left.
            Ok(_) => {}
            Err(error) => match Unread::because(error.code, begun, ended) {
                Unread::Later | Unread::Over => return Ok(Vec::new()),
                Unread::Recorded => {}
                Unread::Failed => return Err(error.into()),
            },
        }
        *at = Printed::Recorded(RecordedLines::default());
    }
    let Printed::Recorded(printed) = at else {
        return Ok(Vec::new());
    };
    let piece = app
        .step_output(run, step, attempt.attempt, printed.from)
        .await?;
    printed.from = piece.next;
    let lines = plain_text(piece.text.as_bytes());
    let lines = lines.lines().map(str::to_owned).collect();
    let open = plain_text(piece.open.as_bytes());
    Ok(printed.take(lines, open, ended, Instant::now()))
}

/// The last `count` lines of what an attempt printed.
pub(super) async fn tail(
    app: &App,
    run: &str,
    step: &str,
    attempt: u32,
    count: u32,
) -> Vec<String> {
    let Ok(view) = app.run_outline(run).await else {
        return Vec::new();
    };
    let mut steps = view.step_list.into_iter();
    let Some(attempt) = steps.find(|known| known.id == step).and_then(|step| {
        step.attempts
            .into_iter()
            .find(|known| known.attempt == attempt)
    }) else {
        return Vec::new();
    };
    let mut at = begin(&attempt);
    let mut lines = Vec::new();
    while let Ok(more) = more(app, run, step, &attempt, true, &mut at).await {
        if more.is_empty() {
            break;
        }
        lines.extend(more);
        let surplus = lines.len().saturating_sub(count as usize);
        lines.drain(..surplus);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at a pane that shows `lines`, and tells what is printed then.
    fn look(printed: &mut PaneLines, lines: &[&str], ended: bool, now: Instant) -> Vec<String> {
        let lines = (0..).map(LineId).zip(lines.iter().copied());
        let from_next = lines.filter(|(id, _)| *id >= printed.next);
        let from_next = from_next.map(|(id, text)| (id, text.to_owned())).collect();
        let told = printed.take(from_next, ended, now);
        told.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn the_newest_line_is_printed_once_it_rests_and_again_only_when_it_changes() {
        let mut printed = PaneLines::new();
        let begin = Instant::now();
        let later = begin + RESTS;
        let nothing: [&str; 0] = [];
        assert_eq!(look(&mut printed, &["a", "", "b"], false, begin), ["a"]);
        assert_eq!(look(&mut printed, &["a", "", "b"], false, begin), nothing);
        assert_eq!(look(&mut printed, &["a", "", "b"], false, later), ["", "b"]);
        assert_eq!(look(&mut printed, &["a", "", "b"], false, later), nothing);
        // It was whole: it does not come again with the line after it.
        let lines = ["a", "", "b", "10%"];
        assert_eq!(look(&mut printed, &lines, false, later), nothing);
        let later = later + RESTS;
        assert_eq!(look(&mut printed, &lines, false, later), ["10%"]);
        let lines = ["a", "", "b", "20%"];
        assert_eq!(look(&mut printed, &lines, false, later), nothing);
        assert_eq!(look(&mut printed, &lines, true, later), ["20%"]);
        assert_eq!(look(&mut printed, &lines, true, later), nothing);
    }

    #[test]
    fn the_line_of_an_output_that_has_no_end_yet_is_printed_once_it_rests() {
        let mut printed = RecordedLines::default();
        let begin = Instant::now();
        let mut look = |lines: &[&str], open: &str, ended, now| {
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            printed.take(lines, open.to_owned(), ended, now)
        };
        let nothing: [&str; 0] = [];
        assert_eq!(look(&["a"], "Go on?", false, begin), ["a"]);
        let later = begin + RESTS;
        assert_eq!(look(&[], "Go on?", false, later), ["Go on?"]);
        assert_eq!(look(&[], "Go on?", false, later + RESTS), nothing);
        // It does not come again when it ends as it was, nor as another line when it did not.
        assert_eq!(look(&["Go on?", "b"], "", false, later), ["b"]);
        assert_eq!(look(&[], "10%", false, later), nothing);
        let later = later + RESTS;
        assert_eq!(look(&[], "10%", false, later), ["10%"]);
        assert_eq!(look(&[], "20%", false, later), nothing);
        assert_eq!(look(&[], "20%", true, later), ["20%"]);
        assert_eq!(look(&[], "20%", true, later), nothing);
    }

    #[test]
    fn what_is_printed_does_not_come_again_because_a_pane_could_not_be_read() {
        let (begun, ended) = (true, true);
        for (code, begun, ended, then) in [
            (Code::HostDown, begun, !ended, Unread::Later),
            (Code::HostDown, !begun, !ended, Unread::Later),
            (Code::HostDown, begun, ended, Unread::Failed),
            (Code::HostDown, !begun, ended, Unread::Recorded),
            (Code::BadId, begun, !ended, Unread::Over),
            (Code::BadId, begun, ended, Unread::Over),
            (Code::BadId, !begun, ended, Unread::Recorded),
        ] {
            assert_eq!(Unread::because(code, begun, ended), then, "{code:?}");
        }
    }

    #[test]
    fn a_line_that_rested_until_the_end_is_printed_once() {
        let mut printed = PaneLines::new();
        let begin = Instant::now();
        let nothing: [&str; 0] = [];
        assert_eq!(look(&mut printed, &["a"], false, begin), nothing);
        assert_eq!(look(&mut printed, &["a"], false, begin + RESTS), ["a"]);
        assert!(printed.have_begun());
        assert_eq!(look(&mut printed, &["a"], true, begin + RESTS), nothing);
        assert_eq!(look(&mut printed, &["a", "b"], true, begin + RESTS), ["b"]);
    }
}
