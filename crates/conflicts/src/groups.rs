//! Pure: verdicts in, groups of them out, so that forty worktrees on one changelog are one thing to look at.

use std::collections::{BTreeMap, BTreeSet};

use crate::types::{ConflictGroup, LineRange, Verdict};
use ::git::RepoPath;

/// Puts together what is said of the same lines of a file, the worst first.
///
/// Verdicts belong together that speak of one file, come to the same for a merge, and meet in lines that overlap or
/// touch, at the same merge base or at another one that had the same lines there. Those that meet nowhere belong
/// together when they are as near. Each verdict is in one group; what is quiet is apart from what is not.
pub fn grouped(verdicts: &[Verdict]) -> Vec<ConflictGroup> {
    let mut alike = BTreeMap::<_, Vec<&Verdict>>::new();
    for verdict in verdicts {
        let same = (
            &verdict.path,
            verdict.quiet,
            verdict.would_conflict,
            verdict.severity,
            verdict.overlaps.is_empty().then_some(&verdict.note),
        );
        alike.entry(same).or_default().push(verdict);
    }
    let mut groups: Vec<_> = alike
        .into_iter()
        .flat_map(|((path, ..), verdicts)| by_lines(path, verdicts))
        .collect();
    groups.sort_by(|a, b| {
        let worth = |group: &ConflictGroup| (!group.quiet, group.would_conflict, group.severity);
        worth(b)
            .cmp(&worth(a))
            .then_with(|| (&a.path, &a.lines).cmp(&(&b.path, &b.lines)))
    });
    groups
}

/// Takes verdicts of one file apart where their lines do not hang together.
fn by_lines(path: &RepoPath, verdicts: Vec<&Verdict>) -> Vec<ConflictGroup> {
    let mut groups: Vec<(Vec<LineRange>, Vec<&Verdict>)> = Vec::new();
    for verdict in verdicts {
        let meets = |(lines, _): &(Vec<LineRange>, _)| {
            let mut pairs = lines
                .iter()
                .flat_map(|one| verdict.overlaps.iter().map(move |other| (one, other)));
            lines.is_empty()
                || pairs.any(|(one, other)| one.start <= other.end && other.start <= one.end)
        };
        let (met, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(meets);
        groups = apart;
        let mut lines = verdict.overlaps.clone();
        let mut together = vec![verdict];
        for (met_lines, met) in met {
            lines.extend(met_lines);
            together.extend(met);
        }
        groups.push((joined(lines), together));
    }
    let groups = groups.into_iter();
    groups
        .filter_map(|(lines, verdicts)| group(path, lines, &verdicts))
        .collect()
}

/// Makes one of those that overlap or touch.
fn joined(mut lines: Vec<LineRange>) -> Vec<LineRange> {
    lines.sort();
    let mut joined: Vec<LineRange> = Vec::new();
    for range in lines {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

fn group(path: &RepoPath, lines: Vec<LineRange>, verdicts: &[&Verdict]) -> Option<ConflictGroup> {
    let one = verdicts.first()?;
    let sides = verdicts
        .iter()
        .flat_map(|verdict| [&verdict.left.worktree, &verdict.right.worktree]);
    let worktrees: BTreeSet<_> = sides.cloned().collect();
    Some(ConflictGroup {
        path: path.clone(),
        lines,
        severity: one.severity,
        would_conflict: one.would_conflict,
        quiet: one.quiet,
        note: one.note.clone(),
        worktrees: worktrees.into_iter().collect(),
        verdicts: verdicts.iter().map(|verdict| verdict.key()).collect(),
        since: verdicts.iter().map(|verdict| verdict.since).min()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{ChangeKind, Severity, Side, Status, WorktreeId};

    fn side(name: &str) -> Side {
        Side {
            worktree: WorktreeId(name.to_owned()),
            name: name.to_owned(),
            branch: None,
            agent: None,
            path: "log".into(),
            change: ChangeKind::Modify,
            ranges: Vec::new(),
            status: Status::Applied,
            since: 0,
        }
    }

    fn verdict(sides: [&str; 2], severity: Severity, lines: &[(u32, u32)]) -> Verdict {
        Verdict {
            path: "log".into(),
            left: side(sides[0]),
            right: side(sides[1]),
            severity,
            would_conflict: severity == Severity::SameLine,
            overlaps: lines
                .iter()
                .map(|&(start, end)| LineRange { start, end })
                .collect(),
            base: "base".to_owned(),
            note: None,
            breaks: Vec::new(),
            since: 7,
            quiet: false,
        }
    }

    fn said(verdicts: &[Verdict]) -> String {
        let say = |group: &ConflictGroup| {
            let lines: Vec<_> = group.lines.iter().map(ToString::to_string).collect();
            let worktrees: Vec<_> = group.worktrees.iter().map(|id| id.0.as_str()).collect();
            let quiet = if group.quiet { ", quiet" } else { "" };
            format!(
                "{} {} [{}] {} of {}{quiet}",
                group.path,
                group.severity,
                lines.join(", "),
                group.verdicts.len(),
                worktrees.join(" "),
            )
        };
        grouped(verdicts)
            .iter()
            .map(say)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn forty_worktrees_on_one_line_are_one_group() {
        let names: Vec<_> = (0..40).map(|number| format!("w{number:02}")).collect();
        let mut verdicts = Vec::new();
        for (at, one) in names.iter().enumerate() {
            for other in &names[at + 1..] {
                verdicts.push(verdict([one, other], Severity::SameLine, &[(3, 4)]));
            }
        }
        let groups = grouped(&verdicts);
        assert_eq!(groups.len(), 1);
        assert_eq!(
            (groups[0].verdicts.len(), groups[0].worktrees.len()),
            (780, 40)
        );
    }

    #[test]
    fn what_meets_elsewhere_or_comes_to_something_else_is_apart() {
        let mut quiet = verdict(["a", "d"], Severity::SameLine, &[(3, 4)]);
        quiet.quiet = true;
        insta::assert_snapshot!(
            said(&[
                verdict(["a", "b"], Severity::SameLine, &[(3, 5)]),
                verdict(["b", "c"], Severity::SameLine, &[(5, 5), (90, 91)]),
                verdict(["c", "d"], Severity::SameLine, &[(200, 201)]),
                verdict(["a", "c"], Severity::DifferentArea, &[]),
                verdict(["b", "d"], Severity::DifferentArea, &[]),
                quiet,
            ]),
            @"
        log same_line [3-4, 90] 2 of a b c
        log same_line [200] 1 of c d
        log different_area [] 2 of a b c d
        log same_line [3] 1 of a d, quiet
        "
        );
    }
}
