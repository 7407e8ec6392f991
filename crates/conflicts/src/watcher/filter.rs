//! Which verdicts a filter lets through.

use std::path::Path;

use crate::quiet::{glob, matches};
use crate::survey::{AskError, Survey, path_in, rank};
use crate::types::{ConflictFilter, Picture, Severity, Verdict};

/// Says whether a verdict's file is among those asked for.
type Test = Box<dyn Fn(&Verdict) -> bool>;

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
    let mut tests: Vec<Test> = Vec::new();
    for path in &filter.paths {
        if Path::new(path).is_absolute() {
            // A root itself: everything in it.
            let whole = roots.iter().any(|root| {
                Path::new(path)
                    .canonicalize()
                    .is_ok_and(|path| path == *root)
            });
            let inside: Vec<_> = roots
                .iter()
                .filter_map(|root| path_in(root, Path::new(path)))
                .collect();
            tests.push(Box::new(move |verdict| {
                whole
                    || inside
                        .iter()
                        .any(|dir| verdict.path == *dir || verdict.path.is_below(dir))
            }));
        } else {
            let trimmed = path.trim_start_matches("./").trim_end_matches('/');
            let matcher = glob(trimmed)?;
            let dir = crate::path::RepoPath::new(trimmed);
            let whole = trimmed.is_empty() || trimmed == ".";
            tests.push(Box::new(move |verdict| {
                whole || matches(&matcher, &verdict.path) || verdict.path.is_below(&dir)
            }));
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
            && (tests.is_empty() || tests.iter().any(|test| test(verdict)))
    });
    rank(&mut verdicts);
    Ok(verdicts)
}
