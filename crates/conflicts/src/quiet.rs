//! What a person does not want to hear of: snoozed, acknowledged or muted verdicts.
//!
//! A plain value that whoever embeds the room stores and hands back at the next start.

use globset::{Glob, GlobMatcher};
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::types::{Severity, Verdict, WorktreeId};
use ::git::RepoPath;

/// One wish for quiet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Quiet {
    /// Which verdicts.
    pub about: QuietAbout,
    /// For how long.
    pub until: QuietUntil,
}

/// Which verdicts a wish for quiet is about; what is not said, does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct QuietAbout {
    /// Files that match this glob; `*` stays within a directory, `**` does not.
    pub glob: Option<String>,
    /// Verdicts that this worktree has a part in.
    pub left: Option<WorktreeId>,
    /// And this one.
    pub right: Option<WorktreeId>,
}

/// For how long to be quiet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "until", rename_all = "snake_case")]
pub enum QuietUntil {
    /// Until a time, in milliseconds since 1970: snoozed.
    Time {
        /// That time.
        #[specta(type = u32)]
        at: u64,
    },
    /// Until the verdict is worse than this: acknowledged.
    Worse {
        /// The severity that was acknowledged.
        severity: Severity,
        /// Whether a merge stopped then.
        would_conflict: bool,
    },
    /// For good: muted.
    Removed,
}

/// Why a wish for quiet was refused.
#[derive(Debug, thiserror::Error)]
#[error("glob `{glob}` is not one that can be matched, such as `src/**/*.rs`")]
pub struct BadGlob {
    /// As it was given.
    pub glob: String,
    /// What is wrong with it.
    #[source]
    pub source: globset::Error,
}

/// All wishes for quiet, ready to be asked.
#[derive(Debug, Default)]
pub(crate) struct Quiets {
    wishes: Vec<(Quiet, Option<GlobMatcher>)>,
}

impl Quiets {
    pub(crate) fn add(&mut self, quiet: Quiet) -> Result<(), BadGlob> {
        let matcher = quiet.about.glob.as_deref().map(glob).transpose()?;
        self.remove(&quiet.about);
        self.wishes.push((quiet, matcher));
        Ok(())
    }

    pub(crate) fn remove(&mut self, about: &QuietAbout) -> bool {
        let before = self.wishes.len();
        self.wishes.retain(|(quiet, _)| quiet.about != *about);
        self.wishes.len() != before
    }

    pub(crate) fn list(&self) -> Vec<Quiet> {
        self.wishes.iter().map(|(quiet, _)| quiet.clone()).collect()
    }

    /// The first time after `now` at which a verdict may become loud by itself.
    pub(crate) fn next(&self, now: u64) -> Option<u64> {
        let times = self
            .wishes
            .iter()
            .filter_map(|(quiet, _)| match quiet.until {
                QuietUntil::Time { at } => Some(at),
                _ => None,
            });
        times.filter(|at| *at > now).min()
    }

    pub(crate) fn covers(&self, verdict: &Verdict, now: u64) -> bool {
        self.wishes.iter().any(|(quiet, matcher)| {
            let has = |worktree: &Option<WorktreeId>| {
                worktree.as_ref().is_none_or(|worktree| {
                    [&verdict.left.worktree, &verdict.right.worktree].contains(&worktree)
                })
            };
            let about = has(&quiet.about.left)
                && has(&quiet.about.right)
                && matcher
                    .as_ref()
                    .is_none_or(|matcher| matches(matcher, &verdict.path));
            about
                && match quiet.until {
                    QuietUntil::Time { at } => now < at,
                    QuietUntil::Worse {
                        severity,
                        would_conflict,
                    } => (verdict.would_conflict, verdict.severity) <= (would_conflict, severity),
                    QuietUntil::Removed => true,
                }
        })
    }
}

pub(crate) fn glob(glob: &str) -> Result<GlobMatcher, BadGlob> {
    globset::GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .map(|glob| Glob::compile_matcher(&glob))
        .map_err(|source| BadGlob {
            glob: glob.to_owned(),
            source,
        })
}

pub(crate) fn matches(matcher: &GlobMatcher, path: &RepoPath) -> bool {
    matcher.is_match(path.to_path())
}
