//! `changes looked`: what a person has looked at, which the window shows as well.

use std::collections::BTreeSet;

use app::{App, LookedAt};
use clap::Args;
use serde::Serialize;

use super::acting::Of;
use super::{USUAL, is_below, shown, worktree};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table, Tone};

/// Say that you have looked at files as they are now; without any, list those that you have
#[derive(Debug, Args)]
pub(super) struct Looked {
    /// These files, and all below these directories; relative to the root of the worktree, `.` for all
    #[arg(value_name = "PATH")]
    paths: Vec<String>,

    /// Say that you have not
    #[arg(long, requires = "paths")]
    not: bool,

    #[command(flatten)]
    of: Of,
}

/// For programs: so many files were looked at.
#[derive(Serialize)]
struct Done {
    files: usize,
}

impl Looked {
    pub(super) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let worktree = worktree(self.of.worktree.as_deref())?;
        let root = worktree.root().to_owned();
        if self.paths.is_empty() {
            return list(&app.looked_at(root).await?, out);
        }
        let listed = app::list_changes(&worktree, &USUAL, None)?;
        let mut all = BTreeSet::new();
        for view in &listed.views {
            let files = view.files.iter().filter(|file| is_below(file, &self.paths));
            let names: Vec<_> = files.map(|file| file.path.to_string()).collect();
            if names.is_empty() {
                continue;
            }
            all.extend(names.iter().cloned());
            app.look_at(root.clone(), view.view, names, !self.not)
                .await?;
        }
        let files = all.len();
        if files == 0 {
            let told = format!("nothing changed in `{}`", self.paths.join("`, `"));
            return Err(Failure::failed(told));
        }
        if out.json() {
            return Ok(out.value(&Done { files })?);
        }
        let count = match files {
            1 => "1 file".to_owned(),
            files => format!("{files} files"),
        };
        Ok(out.line(&match self.not {
            true => format!("Not looked at: {count}."),
            false => format!("Looked at {count}."),
        })?)
    }
}

fn list(all: &[LookedAt], out: &mut Output<'_>) -> Result<(), Failure> {
    if out.json() {
        return Ok(out.value(&all)?);
    }
    if all.is_empty() {
        return Ok(out.line("No file of this worktree was looked at.")?);
    }
    let mut table = Table::new(["FILE", "SINCE"]);
    for LookedAt { path, still } in all {
        let (since, tone) = match still {
            true => ("the same", Tone::Faint),
            false => ("changed", Tone::Urgent),
        };
        table.row([Cell::new(shown(path)), Cell::new(since).tone(tone)]);
    }
    Ok(out.table(&table)?)
}
