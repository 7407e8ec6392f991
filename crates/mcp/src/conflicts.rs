//! Conflicts between worktrees: listed, asked before an edit, announced.

use std::fmt::Write as _;
use std::path::PathBuf;

use conflicts::{ConflictFilter, LineRange, ProposedChange, Severity, worktree_of};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::caller::Caller;
use crate::words::{Answer, PRINTED, Refused, cut, listed};

/// Groups that are told of at once.
const MOST: usize = 100;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conflicts {
    /// The file that you are about to edit; none: list all conflicts
    file: Option<String>,
    /// The first line that you change
    first: Option<u32>,
    /// The last one
    last: Option<u32>,
    /// Tell the others of this edit
    #[serde(default)]
    announce: bool,
}

pub(crate) async fn conflicts(caller: &Caller, asked: Conflicts) -> Answer {
    let Some(file) = asked.file else {
        if asked.first.is_some() || asked.last.is_some() || asked.announce {
            return Err(Refused(
                "`file` is missing: lines and `announce` are about one file".to_owned(),
            ));
        }
        return list(caller).await;
    };
    let lines = match (asked.first, asked.last.or(asked.first)) {
        (None, None) => Vec::new(),
        (Some(start @ 1..), Some(last)) if last >= start && last < u32::MAX => vec![LineRange {
            start,
            end: last + 1,
        }],
        _ => {
            return Err(Refused(
                "`first` and `last` are lines of the file, from 1, the first one first".to_owned(),
            ));
        }
    };
    let file = caller.options.cwd.join(file);
    let nowhere = || Refused(format!("`{}` is in no git worktree", file.display()));
    let worktree = worktree_of(&file).ok().flatten().ok_or_else(nowhere)?;
    let change = ProposedChange {
        file: file.to_string_lossy().into_owned(),
        lines,
        worktree: worktree.to_string_lossy().into_owned(),
        new_text: None,
    };
    check(caller, change, asked.announce).await
}

async fn check(caller: &Caller, change: ProposedChange, announce: bool) -> Answer {
    let paths = caller.app.paths().clone();
    let by = caller.options.pane.map(|pane| format!("pane {pane}"));
    let (answer, announced) = blocking(move || {
        let announced = announce && app::announce_from_outside(&paths, &change, by.as_deref());
        let answer = app::check_change(Some(&paths), &change, false)?;
        Ok((answer, announced))
    })
    .await?;
    let mut text = String::new();
    for note in &answer.notes {
        let _ = writeln!(text, "{}", cut(note));
    }
    for touch in &answer.touches {
        let near = match touch.severity {
            Severity::SameLine => "On the same lines",
            Severity::AdjacentLine => "On lines nearby",
            Severity::Breaks => "What this uses",
            Severity::DifferentArea => "Elsewhere in the file",
            Severity::Identical => "The same change",
        };
        let _ = writeln!(text, "{near}: {}", set_apart(&touch.told()));
    }
    if answer.touches.is_empty() {
        let _ = writeln!(text, "No other worktree changes {}.", answer.path);
    }
    if announce {
        text.push_str(match announced {
            true => "It was announced.",
            false => "It could not be announced: no window watches this repository.",
        });
    }
    Ok(text)
}

/// What the other side does, with the lines of its file behind the mark: they may be anything.
fn set_apart(told: &str) -> String {
    let mark = |line: &str| match line.starts_with(['@', ' ', '+', '-', '…']) {
        true => format!("{PRINTED}{}", cut(line)),
        false => cut(line),
    };
    let lines: Vec<_> = told.lines().map(mark).collect();
    lines.join("\n")
}

async fn list(caller: &Caller) -> Answer {
    let paths = caller.app.paths().clone();
    let cwd: PathBuf = caller.options.cwd.clone();
    let picture = blocking(move || {
        let config = app::watch_config(Some(&paths), &cwd);
        app::look_for_conflicts(&config, &cwd, &ConflictFilter::default())
    })
    .await?;
    let rows = picture.groups.iter().map(|group| {
        let names = picture.worktrees.iter();
        let names: Vec<_> = names
            .filter(|info| group.worktrees.contains(&info.id))
            .map(|info| info.name.as_str())
            .collect();
        let merge = match group.would_conflict {
            true => "a merge would stop",
            false => "merges",
        };
        let lines = match (&group.note, group.lines.as_slice()) {
            (Some(note), _) => format!(", {note}"),
            (None, []) => String::new(),
            (None, lines) => format!(", lines {}", conflicts::lines_in_words(lines)),
        };
        format!(
            "{}: {}, {merge}{lines}; {}",
            group.path,
            group.severity,
            names.join(", ")
        )
    });
    Ok(listed(rows, MOST, "No conflicts."))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, app::Error> + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| Refused(error.to_string()))??)
}
