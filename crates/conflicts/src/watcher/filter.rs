//! Which verdicts a filter lets through.

use std::path::Path;

use globset::GlobMatcher;

use crate::quiet::{BadGlob, glob, matches};
use crate::survey::{AskError, Survey, path_in, rank};
use crate::types::{ConflictFilter, Picture, Severity, Verdict};
use ::git::RepoPath;

/// Which files are asked for.
enum Wanted {
    All,
    Nothing,
    /// A file, a directory with all that is below, or a glob of such.
    Below(RepoPath, GlobMatcher),
}

impl Wanted {
    /// Reads a path of the repository.
    fn below(path: &str) -> Result<Self, BadGlob> {
        let path = path.trim_start_matches("./").trim_end_matches('/');
        Ok(match path {
            "" | "." => Self::All,
            path => Self::Below(RepoPath::new(path), glob(path)?),
        })
    }

    /// Says whether a verdict's file is among them, by any name that it has.
    fn covers(&self, verdict: &Verdict) -> bool {
        match self {
            Self::All => true,
            Self::Nothing => false,
            Self::Below(path, glob) => {
                let names = [&verdict.path, &verdict.left.path, &verdict.right.path];
                names.into_iter().any(|name| {
                    let mut dirs = name.parents();
                    name == path
                        || name.is_below(path)
                        || matches(glob, name)
                        || dirs.any(|dir| matches(glob, &dir))
                })
            }
        }
    }
}

pub(super) fn filtered(
    survey: &Survey,
    picture: Picture,
    filter: &ConflictFilter,
) -> Result<Vec<Verdict>, AskError> {
    let worktree = filter
        .worktree
        .as_deref()
        .map(|worktree| survey.find(worktree))
        .transpose()?;
    let roots: Vec<_> = survey
        .places()
        .into_iter()
        .map(|(_, root, _)| root)
        .collect();
    let mut wanted = Vec::new();
    for path in &filter.paths {
        if Path::new(path).is_absolute() {
            // A root itself: everything in it.
            let found = Path::new(path).canonicalize();
            if found.is_ok_and(|found| roots.contains(&found)) {
                wanted.push(Wanted::All);
            }
            for root in &roots {
                if let Some(inside) = path_in(root, Path::new(path)) {
                    wanted.push(Wanted::below(&inside.to_string())?);
                }
            }
            // Outside of all of them nothing is.
            wanted.push(Wanted::Nothing);
        } else {
            wanted.push(Wanted::below(path)?);
        }
    }
    let at_least = filter.at_least.unwrap_or(Severity::DifferentArea);
    let mut verdicts = picture.verdicts;
    verdicts.retain(|verdict| {
        let sides = [&verdict.left.worktree, &verdict.right.worktree];
        verdict.severity >= at_least
            && (filter.quiet_too || !verdict.quiet)
            && worktree
                .as_ref()
                .is_none_or(|worktree| sides.contains(&worktree))
            && (wanted.is_empty() || wanted.iter().any(|wanted| wanted.covers(verdict)))
    });
    rank(&mut verdicts);
    Ok(verdicts)
}
