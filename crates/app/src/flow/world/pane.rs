//! The pane that an attempt runs in: what runs there, how it is found again, when it is over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::Duration;

use ::flow::{ActionError, JobKey, PromptBy, Work};
use terminal::ask::{Info, List, Read};
use terminal::{Held, PaneId, PaneInfo, PaneRole, PaneState, ReadLines};
use tokio::sync::watch;

use super::kept::{Over, private_file};
use crate::one_pane::{OnePane, Seen};
use crate::{App, Code, Error, Inner};

/// How long to wait before a pane is asked for again, when it could not be.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How often a step with a limit without output is looked at.
const LOOK_FOR_OUTPUT: Duration = Duration::from_millis(200);

/// How many of those that keep a step open are named.
const MOST_NAMED: usize = 3;

pub(super) fn pane_name(key: &JobKey) -> String {
    let again = if key.turn > 1 { " again" } else { "" };
    format!("{} · {} #{}{again}", key.step, key.run, key.attempt)
}

pub(super) fn pane_of(handle: &str) -> Option<PaneId> {
    handle.strip_prefix("pane ")?.parse().ok().map(PaneId)
}

/// What runs in the pane of a step.
pub(super) struct Program {
    pub(super) program: String,
    pub(super) args: Vec<String>,
    /// The file that is its standard input; none: the terminal.
    pub(super) stdin: Option<PathBuf>,
    pub(super) role: PaneRole,
}

/// Writes down the script or the prompt of a step, and says what runs.
pub(super) fn program(directory: &Path, work: &Work) -> Result<Program, ActionError> {
    match work {
        Work::Script { script } => {
            let path = directory.join("script");
            private_file(&path, 0o700, script)?;
            let path = path.display().to_string();
            let (program, args) = if script.starts_with("#!") {
                (path, Vec::new())
            } else {
                // The first command that fails ends the script, as everywhere where scripts are steps.
                ("/bin/sh".to_owned(), vec!["-e".to_owned(), path])
            };
            Ok(Program {
                program,
                args,
                stdin: None,
                role: PaneRole::Step,
            })
        }
        Work::Agent {
            backend,
            program,
            prompt_by,
            prompt,
            ..
        } if backend == "command" => {
            let Some((program, args)) = program.split_first() else {
                return Err(ActionError::new(
                    "`program` is empty: there is nothing to run",
                ));
            };
            let mut args = args.to_vec();
            let mut stdin = None;
            match prompt_by {
                PromptBy::Arg => args.push(prompt.clone()),
                PromptBy::Stdin | PromptBy::File => {
                    let path = directory.join("prompt");
                    private_file(&path, 0o600, prompt)?;
                    if *prompt_by == PromptBy::Stdin {
                        stdin = Some(path);
                    } else {
                        args.push(path.display().to_string());
                    }
                }
            }
            Ok(Program {
                program: program.clone(),
                args,
                stdin,
                role: PaneRole::Agent,
            })
        }
        Work::Agent { backend, .. } => Err(ActionError::new(format!(
            "an agent of the backend `{backend}` does not run in a pane"
        ))),
    }
}

/// The pane of a step: by its id, or by its name when that is not known. None: there is no such pane.
pub(super) async fn find_pane(
    app: &App,
    pane: Option<PaneId>,
    name: &str,
) -> Result<Option<PaneInfo>, Error> {
    match pane {
        Some(pane) => match app.ask(Info(pane)).await {
            Err(error) if error.code == Code::BadId => Ok(None),
            found => found.map(Some),
        },
        None => {
            let panes = app.ask(List).await?;
            Ok(panes
                .into_iter()
                .find(|pane| pane.name.as_deref() == Some(name)))
        }
    }
}

/// What keeps a step from ending although its program has ended, for a person.
pub(super) fn held_open(held: &Held) -> String {
    let by: Vec<String> = held
        .by
        .iter()
        .take(MOST_NAMED)
        .map(|holder| format!("`{}` (process {})", holder.name, holder.pid))
        .collect();
    let (who, has) = match (by.as_slice(), held.by.len()) {
        ([], _) => ("something".to_owned(), "has"),
        ([one], _) => (one.clone(), "has"),
        ([others @ .., last], count) if count == by.len() => {
            (format!("{} and {last}", others.join(", ")), "have")
        }
        (named, count) => (
            format!("{} and {} more", named.join(", "), count - named.len()),
            "have",
        ),
    };
    format!(
        "its program has ended with exit code {}, but {who} that it left in the background still {has} its output open",
        held.status
    )
}

/// Waits until nothing runs in the pane of a step any more, and tells of what keeps it open. `awaited` is told of it
/// since before it was looked for.
pub(super) async fn until_over(
    app: &Weak<Inner>,
    mut pane: Option<PaneId>,
    name: &str,
    mut awaited: OnePane,
    held: watch::Sender<Option<String>>,
) -> Over {
    let mut missed = 0;
    // One of which not even the id is known is looked for at once.
    let mut look = pane.is_none();
    loop {
        let seen = awaited.seen();
        if let Some(by) = &seen.held {
            held.send_replace(Some(held_open(by)));
        }
        pane = seen.pane.or(pane);
        match seen {
            Seen {
                ended: Some(state), ..
            } => return Over::Exited(state),
            Seen { closed: true, .. } => return Over::Closed,
            _ => look |= seen.missed != missed,
        }
        missed = seen.missed;
        if !look {
            awaited.changed().await;
            continue;
        }
        let Some(inner) = app.upgrade() else {
            // We are ending; the next process finds the pane again.
            return std::future::pending().await;
        };
        match find_pane(&App(inner), pane, name).await {
            Ok(None) => return Over::Gone,
            Ok(Some(PaneInfo {
                state: state @ PaneState::Exited { .. },
                ..
            })) => return Over::Exited(state),
            Ok(Some(found)) => {
                if let Some(by) = &found.held {
                    held.send_replace(Some(held_open(by)));
                }
                awaited.is(found.id);
                pane = Some(found.id);
                look = false;
            }
            Err(error) => {
                tracing::debug!(%error, "a pane can't be asked for now");
                let _ = tokio::time::timeout(LOOK_AGAIN, awaited.changed()).await;
            }
        }
    }
}

/// Tells when a pane shows something new.
pub(super) fn watch_output(app: Weak<Inner>, pane: PaneId) -> watch::Receiver<u64> {
    let (changes, receiver) = watch::channel(0);
    tokio::spawn(async move {
        let mut newest = BTreeMap::new();
        loop {
            tokio::select! {
                () = changes.closed() => return,
                () = tokio::time::sleep(LOOK_FOR_OUTPUT) => {}
            }
            let Some(inner) = app.upgrade() else { return };
            let Ok(lines) = App(inner)
                .ask(Read {
                    pane,
                    lines: ReadLines::Newest { count: 3 },
                })
                .await
            else {
                continue;
            };
            let now: BTreeMap<_, _> = lines.into_iter().map(|line| (line.id, line.text)).collect();
            if now != newest {
                newest = now;
                changes.send_modify(|changes| *changes += 1);
            }
        }
    });
    receiver
}
