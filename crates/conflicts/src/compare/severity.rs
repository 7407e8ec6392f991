//! Severities beside a slow reference that marks every line and every place between two lines of the merge base.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Changed, Text, compare};
use crate::diff::diff;
use crate::types::Severity;

/// How many lines the merge base has.
const LINES: usize = 60;

/// What one side does, by line of the merge base: replace it, or put lines before it.
#[derive(Debug, Clone, Default)]
struct Edits {
    replaced: BTreeSet<usize>,
    /// Before which line how many.
    inserted: BTreeMap<usize, usize>,
}

fn edits() -> impl Strategy<Value = Edits> {
    let replaced = prop::collection::vec((0..LINES, 1..4_usize), 0..4);
    let inserted =
        prop::collection::btree_map(0..=LINES, prop_oneof![Just(1_usize), Just(100)], 0..3);
    (replaced, inserted).prop_map(|(stretches, inserted)| Edits {
        replaced: stretches
            .into_iter()
            .flat_map(|(start, count)| start..(start + count).min(LINES))
            .collect(),
        inserted,
    })
}

fn base() -> String {
    (0..LINES).map(|line| format!("line {line}\n")).collect()
}

/// The merge base with one side's edits, in words of its own.
fn text(side: &str, edits: &Edits) -> String {
    let mut text = String::new();
    for line in 0..=LINES {
        for number in 0..edits.inserted.get(&line).copied().unwrap_or(0) {
            text += &format!("{side} inserts {number} before {line}\n");
        }
        if line == LINES {
            break;
        }
        text += &if edits.replaced.contains(&line) {
            format!("{side} replaces {line}\n")
        } else {
            format!("line {line}\n")
        };
    }
    text
}

/// Marks what a side touches: place `2n` lies before line `n`, place `2n + 1` is the line itself.
fn touched(edits: &Edits) -> BTreeSet<usize> {
    let lines = edits
        .replaced
        .iter()
        .flat_map(|line| 2 * line..=2 * line + 2);
    let places = edits.inserted.keys().map(|line| 2 * line);
    lines.chain(places).collect()
}

/// The severity by looking at every pair of marks, one after the other.
fn reference(left: &Edits, right: &Edits) -> Severity {
    let (left, right) = (touched(left), touched(right));
    let mut nearest = usize::MAX;
    for a in &left {
        for b in &right {
            // Whole lines strictly between the two marks.
            let between = (a.min(b) + 1..*a.max(b))
                .filter(|mark| mark % 2 == 1)
                .count();
            nearest = nearest.min(if a == b { 0 } else { between });
        }
    }
    match nearest {
        0 => Severity::SameLine,
        1..=5 => Severity::AdjacentLine,
        _ => Severity::DifferentArea,
    }
}

fn severity(left: &Edits, right: &Edits) -> Severity {
    let (base, left, right) = (base(), text("left", left), text("right", right));
    let [base, left, right] = [&base, &left, &right].map(|text| Text::new(text.as_bytes()));
    let (left_hunks, right_hunks) = (diff(&base, &left), diff(&base, &right));
    let left = Changed {
        text: left,
        hunks: &left_hunks,
    };
    let right = Changed {
        text: right,
        hunks: &right_hunks,
    };
    compare(&left, &right).severity
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_severity_is_what_a_look_at_every_line_says(left in edits(), right in edits()) {
        let touches = |edits: &Edits| !touched(edits).is_empty();
        prop_assume!(touches(&left) && touches(&right));
        prop_assert_eq!(severity(&left, &right), reference(&left, &right));
    }

    #[test]
    fn the_severity_is_the_same_from_both_sides(left in edits(), right in edits()) {
        prop_assert_eq!(severity(&left, &right), severity(&right, &left));
    }
}

#[test]
fn a_hundred_lines_at_the_top_are_far_from_an_edit_below() {
    let top = Edits {
        inserted: BTreeMap::from([(0, 100)]),
        ..Edits::default()
    };
    let below = Edits {
        replaced: BTreeSet::from([50]),
        ..Edits::default()
    };
    assert_eq!(severity(&top, &below), Severity::DifferentArea);
}
