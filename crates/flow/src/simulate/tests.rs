//! The decisions, by table and by property: every flow here is written in a line, run with nothing of the
//! outside world, and told in a line.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::{Simulation, StepStub, StubState, Stubs};
use crate::{Flow, StepState};

/// Reads a flow of `value` steps from its steps' lines.
fn flow(head: &str, steps: &[&str]) -> Flow {
    let mut text = format!("name: test\n{head}steps:\n");
    for step in steps {
        let _ = writeln!(text, "  - {{ {step} }}");
    }
    Flow::read(&text).unwrap_or_else(|refused| panic!("{text}\n{refused}"))
}

fn told(simulation: &Simulation) -> String {
    let mut text = format!("{:?}", simulation.state).to_lowercase();
    if simulation.nothing_ran {
        text.push_str(", nothing ran");
    }
    let _ = writeln!(text, "; order {}", simulation.order.join(" "));
    for (id, step) in &simulation.steps {
        let _ = write!(text, "{id} {}", step.state.name());
        if let (Some(cause), Some(origin)) = (step.cause, &step.origin) {
            let taint = if step.tainted == Some(true) {
                ", tainted"
            } else {
                ""
            };
            let _ = write!(text, " {cause:?} from {origin}{taint}");
        }
        if step.attempts > 1 {
            let _ = write!(text, " after {}", step.attempts);
        }
        text.push('\n');
    }
    text
}

/// Simulates and tells how it went.
fn simulate(steps: &[&str], stubs: &str) -> String {
    let stubs: Stubs = serde_json::from_str(stubs).unwrap();
    told(&flow("", steps).simulate(&stubs).unwrap())
}

const SWITCH: &str = "id: S, switch: [{ case: a, when: 1 == 1, steps: [x] }]";

fn two_cases(a: &str, b: &str) -> String {
    format!(
        "id: S, required: true, switch: [{{ case: a, when: results.seed.output == 'a', steps: [{a}] }}, {{ case: b, when: results.seed.output != 'a', steps: [{b}] }}], needs: [seed]"
    )
}

const SEED: &str = "id: seed, value: a";
const CHOOSE_A: &str = r#"{"switches": {"S": 0}}"#;

#[test]
fn the_join_after_a_switch_runs_under_the_default_rule() {
    let s = two_cases("x", "y");
    insta::assert_snapshot!(
        simulate(&[SEED, &s, "id: x, value: x", "id: y, value: y", "id: j, value: j, needs: [x, y]"], CHOOSE_A),
        @r"
    succeeded; order seed S x j
    S succeeded
    j succeeded
    seed succeeded
    x succeeded
    y skipped BranchNotTaken from S
    "
    );
}

#[test]
fn the_tail_of_a_branch_that_was_not_taken_is_skipped_as_a_whole() {
    let s = two_cases("x", "y");
    insta::assert_snapshot!(
        simulate(&[
            SEED, &s, "id: x, value: x", "id: y, value: y", "id: y2, value: y, needs: [y]",
            "id: y3, value: y, needs: [y2]", "id: j, value: j, needs: [x, y3]",
        ], CHOOSE_A),
        @r"
    succeeded; order seed S x j
    S succeeded
    j succeeded
    seed succeeded
    x succeeded
    y skipped BranchNotTaken from S
    y2 skipped AllInputsDead from S
    y3 skipped AllInputsDead from S
    "
    );
}

#[test]
fn a_step_listed_in_several_cases_runs_when_any_is_taken() {
    let s = two_cases("x, z", "y, z");
    let answer = simulate(
        &[
            SEED,
            &s,
            "id: x, value: x",
            "id: y, value: y",
            "id: z, value: z",
        ],
        CHOOSE_A,
    );
    assert!(answer.contains("z succeeded"), "{answer}");
}

#[test]
fn a_nested_switch_goes_with_its_branch() {
    let s = two_cases("x", "T");
    insta::assert_snapshot!(
        simulate(&[
            SEED, &s, "id: x, value: x",
            "id: T, default: [v], switch: [{ case: p, when: results.seed.output == 'p', steps: [u] }]",
            "id: u, value: u", "id: v, value: v", "id: j, value: j, needs: [x, u, v]",
        ], CHOOSE_A),
        @r"
    succeeded; order seed S x j
    S succeeded
    T skipped BranchNotTaken from S
    j succeeded
    seed succeeded
    u skipped AllInputsDead from S
    v skipped AllInputsDead from S
    x succeeded
    "
    );
}

#[test]
fn a_timeout_is_a_failure_to_everything_that_needs_the_step() {
    insta::assert_snapshot!(
        simulate(&["id: t, value: t", "id: d, value: d, needs: [t]"], r#"{"steps": {"t": {"state": "timed_out"}}}"#),
        @r"
    failed; order t
    d skipped UpstreamFailed from t, tainted
    t timed_out
    "
    );
}

#[test]
fn a_failure_is_never_laundered_into_a_harmless_skip() {
    insta::assert_snapshot!(
        simulate(
            &["id: g, value: g", "id: o, value: o", "id: m, value: m, needs: [g]", "id: j, value: j, needs: [m, o]"],
            r#"{"steps": {"g": {"state": "failed"}}}"#,
        ),
        @r"
    failed; order g o
    g failed
    j skipped UpstreamFailed from g, tainted
    m skipped UpstreamFailed from g, tainted
    o succeeded
    "
    );
}

#[test]
fn a_false_guard_does_not_hold_up_what_comes_after() {
    insta::assert_snapshot!(
        simulate(
            &["id: lint, value: l, when: 1 == 1", "id: build, value: b", "id: d, value: d, needs: [lint, build]"],
            r#"{"guards": {"lint": false}}"#,
        ),
        @r"
    succeeded; order build d
    build succeeded
    d succeeded
    lint skipped GuardFalse from lint
    "
    );
}

#[test]
fn all_done_runs_after_a_failure() {
    let answer = simulate(
        &[
            "id: x, value: x",
            "id: c, value: c, needs: [x], trigger: all_done",
        ],
        r#"{"steps": {"x": {"state": "failed"}}}"#,
    );
    insta::assert_snapshot!(answer, @r"
    failed; order x c
    c succeeded
    x failed
    ");
}

#[test]
fn a_batch_admits_as_many_as_its_limit_and_the_oldest_first() {
    let flow = flow(
        "batches: { few: { max_concurrent: 2 } }\n",
        &[
            "id: a, value: a, batch: few",
            "id: b, value: b, batch: few",
            "id: c, value: c, batch: few",
            "id: free, value: f",
            "id: all, value: all, needs: ['batch:few']",
        ],
    );
    assert_eq!(
        flow.simulate(&Stubs::default()).unwrap().order,
        ["a", "b", "free", "c", "all"]
    );
}

#[test]
fn retries_are_further_attempts() {
    insta::assert_snapshot!(
        simulate(&["id: t, value: t, retries: 2"], r#"{"steps": {"t": {"state": "failed"}}}"#),
        @r"
    failed; order t
    t failed after 3
    "
    );
}

#[test]
fn an_allowed_failure_counts_as_none() {
    let answer = simulate(
        &[
            "id: t, value: t, allow_failure: true",
            "id: d, value: d, needs: [t]",
        ],
        r#"{"steps": {"t": {"state": "failed"}}}"#,
    );
    insta::assert_snapshot!(answer, @r"
    succeeded; order t d
    d succeeded
    t failed
    ");
}

#[test]
fn a_condition_that_cannot_be_evaluated_fails_the_switch() {
    let answer = simulate(
        &[
            "id: p, value: p",
            "id: S, needs: [p], default: [y], switch: [{ case: a, when: results.p.data.kind == 'a', steps: [x] }]",
            "id: x, value: x",
            "id: y, value: y",
        ],
        "{}",
    );
    insta::assert_snapshot!(answer, @r"
    failed; order p S
    S failed
    p succeeded
    x skipped UpstreamFailed from S, tainted
    y skipped UpstreamFailed from S, tainted
    ");
}

#[test]
fn a_band_gates_at_launch_and_a_run_in_which_nothing_ran_says_so() {
    let flow = flow(
        "inputs: { band: { type: enum, values: [small, large], default: small } }\n",
        &[
            "id: a, value: a, bands: [large]",
            "id: b, value: b, needs: [a]",
        ],
    );
    insta::assert_snapshot!(told(&flow.simulate(&Stubs::default()).unwrap()), @r"
    succeeded, nothing ran; order 
    a skipped Band from a
    b skipped AllInputsDead from a
    ");
}

/// What `j` does under each trigger when its needs `p` and `q` have come to: ok ok, ok bad, ok dead, bad bad,
/// bad dead, dead dead. `!` says that the skip is tainted.
#[test]
fn every_trigger_does_what_its_row_says() {
    let mut table = String::new();
    for trigger in TRIGGERS {
        let _ = write!(table, "{trigger:20}");
        for (p, q) in [
            ("ok", "ok"),
            ("ok", "bad"),
            ("ok", "dead"),
            ("bad", "bad"),
            ("bad", "dead"),
            ("dead", "dead"),
        ] {
            let mut stubs = Stubs::default();
            for (id, edge) in [("p", p), ("q", q)] {
                match edge {
                    "bad" => drop(stubs.steps.insert(
                        id.to_owned(),
                        StepStub {
                            state: Some(StubState::Failed),
                            ..StepStub::default()
                        },
                    )),
                    "dead" => drop(stubs.guards.insert(id.to_owned(), false)),
                    _ => {}
                }
            }
            let simulation = flow(
                "",
                &[
                    "id: p, value: p",
                    "id: q, value: q",
                    &format!("id: j, value: j, needs: [p, q], trigger: {trigger}"),
                ],
            )
            .simulate(&stubs)
            .unwrap();
            let j = &simulation.steps["j"];
            let said = match j.cause {
                None => "runs".to_owned(),
                Some(cause) => format!(
                    "{cause:?}{}",
                    if j.tainted == Some(true) { "!" } else { "" }
                ),
            };
            let _ = write!(table, " {said:16}");
        }
        table = table.trim_end().to_owned() + "\n";
    }
    insta::assert_snapshot!(table, @r"
    all_success          runs             UpstreamFailed!  runs             UpstreamFailed!  UpstreamFailed!  AllInputsDead
    all_success_strict   runs             UpstreamFailed!  AllInputsDead    UpstreamFailed!  AllInputsDead    AllInputsDead
    one_success          runs             runs             runs             UpstreamFailed!  UpstreamFailed!  AllInputsDead
    all_done             runs             runs             runs             runs             runs             AllInputsDead
    all_settled          runs             runs             runs             runs             runs             runs
    one_failed           RuleNotMet       runs             RuleNotMet       runs             runs             RuleNotMet
    all_failed           RuleNotMet       RuleNotMet       RuleNotMet       runs             UpstreamFailed!  AllInputsDead
    none_skipped         runs             runs             RuleNotMet       runs             RuleNotMet       RuleNotMet
    ");
}

const TRIGGERS: [&str; 8] = [
    "all_success",
    "all_success_strict",
    "one_success",
    "all_done",
    "all_settled",
    "one_failed",
    "all_failed",
    "none_skipped",
];

// ---------------------------------------------------------------------------------------------
// The property: random flows against a slow reference that derives everything from the definitions.

#[derive(Debug, Clone)]
struct Plan {
    /// Needs (of earlier steps), trigger, allow_failure, batch, guard, what it comes to.
    steps: Vec<PlanStep>,
    limits: [u32; 2],
}

#[derive(Debug, Clone)]
struct PlanStep {
    needs: BTreeSet<usize>,
    needs_batch: bool,
    trigger: usize,
    allow_failure: bool,
    batch: Option<usize>,
    guard: bool,
    ends: u8,
    /// For a switch: the steps of its two cases and the default, and what it chooses.
    switch: Option<([BTreeSet<usize>; 3], Option<usize>)>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let step = (
        proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
        0..8usize,
        prop::bool::weighted(0.2),
        prop::option::weighted(0.4, 0..2usize),
        prop::bool::weighted(0.85),
        0..12u8,
        prop::option::weighted(
            0.3,
            (
                proptest::collection::vec((any::<prop::sample::Index>(), 0..3usize), 1..5),
                0..4usize,
            ),
        ),
        prop::bool::weighted(0.1),
    );
    (proptest::collection::vec(step, 1..14), [1..3u32, 1..3u32]).prop_map(|(raw, limits)| {
        let count = raw.len();
        let mut steps = Vec::new();
        for (number, (needs, trigger, allow_failure, batch, guard, ends, switch, needs_batch)) in
            raw.into_iter().enumerate()
        {
            let needs: BTreeSet<usize> = if number == 0 {
                BTreeSet::new()
            } else {
                needs.iter().map(|index| index.index(number)).collect()
            };
            // Cases list later steps only, so that there is no circle.
            let switch = switch
                .filter(|_| number + 1 < count)
                .map(|(listed, chosen)| {
                    let mut cases: [BTreeSet<usize>; 3] = Default::default();
                    for (index, case) in listed {
                        cases[case].insert(number + 1 + index.index(count - number - 1));
                    }
                    (cases, (chosen < 3).then_some(chosen))
                });
            // The second half of the flow may need the batch of the first.
            let half = count / 2;
            steps.push(PlanStep {
                needs,
                needs_batch: needs_batch && number >= half,
                trigger,
                allow_failure,
                batch: batch.filter(|batch| *batch == 1 || number < half),
                guard,
                ends,
                switch,
            });
        }
        let first_has_members = steps.iter().any(|step| step.batch == Some(0));
        for step in &mut steps {
            step.needs_batch &= first_has_members;
        }
        Plan { steps, limits }
    })
}

impl Plan {
    fn write(&self) -> String {
        let mut text = format!(
            "name: random\nbatches: {{ b0: {{ max_concurrent: {} }}, b1: {{ max_concurrent: {} }} }}\nsteps:\n",
            self.limits[0], self.limits[1]
        );
        for (number, step) in self.steps.iter().enumerate() {
            let list = |steps: &BTreeSet<usize>| {
                steps
                    .iter()
                    .map(|step| format!("s{step}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let mut needs = list(&step.needs);
            if step.needs_batch {
                needs = if needs.is_empty() {
                    "'batch:b0'".to_owned()
                } else {
                    format!("{needs}, 'batch:b0'")
                };
            }
            let _ = write!(
                text,
                "  - {{ id: s{number}, when: env.G == 'g', needs: [{needs}], trigger: {}, allow_failure: {}",
                TRIGGERS[step.trigger], step.allow_failure
            );
            if let Some(batch) = step.batch {
                let _ = write!(text, ", batch: b{batch}");
            }
            match &step.switch {
                Some((cases, _)) => {
                    let _ = write!(
                        text,
                        ", switch: [{{ case: a, when: env.A == 'a', steps: [{}] }}, {{ case: b, when: env.A == 'b', steps: [{}] }}], default: [{}]",
                        list(&cases[0]),
                        list(&cases[1]),
                        list(&cases[2])
                    );
                }
                None => text.push_str(", value: x"),
            }
            text.push_str(" }\n");
        }
        text
    }

    fn stubs(&self) -> Stubs {
        let mut stubs = Stubs::default();
        for (number, step) in self.steps.iter().enumerate() {
            let id = format!("s{number}");
            let state = self.state(number);
            stubs.steps.insert(
                id.clone(),
                StepStub {
                    state: Some(state),
                    ..StepStub::default()
                },
            );
            stubs.guards.insert(id.clone(), step.guard);
            if let Some((_, chosen)) = &step.switch {
                stubs.switches.insert(
                    id,
                    match chosen {
                        None => serde_json::Value::Null,
                        Some(2) => "default".into(),
                        Some(case) => (*case).into(),
                    },
                );
            }
        }
        stubs
    }

    fn state(&self, number: usize) -> StubState {
        match self.steps[number].ends {
            0 | 1 => StubState::Failed,
            2 => StubState::TimedOut,
            3 => StubState::Rejected,
            _ => StubState::Succeeded,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Open,
    Ok,
    Bad,
    Dead,
}

/// What a step is in the reference: not yet known, how it ended, or skipped with or without taint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Open,
    Ended(StubState),
    Skipped {
        tainted: bool,
        cause: crate::SkipCause,
    },
}

/// Derives a run from the definitions of sections 3 and 4, by asking every step anew until nothing
/// changes; steps end in the order in which the engine says that they were admitted.
struct Reference<'p> {
    plan: &'p Plan,
    known: Vec<Known>,
}

impl Reference<'_> {
    fn edge(&self, needed: usize) -> Edge {
        match self.known[needed] {
            Known::Open => Edge::Open,
            Known::Ended(StubState::Succeeded) => Edge::Ok,
            Known::Ended(_) if self.plan.steps[needed].allow_failure => Edge::Ok,
            Known::Ended(_) => Edge::Bad,
            Known::Skipped { tainted: true, .. } => Edge::Bad,
            Known::Skipped { tainted: false, .. } => Edge::Dead,
        }
    }

    fn batch_edge(&self) -> Edge {
        let members: Vec<Edge> = (0..self.plan.steps.len())
            .filter(|step| self.plan.steps[*step].batch == Some(0))
            .map(|step| self.edge(step))
            .collect();
        if members.contains(&Edge::Open) {
            Edge::Open
        } else if members.contains(&Edge::Bad) {
            Edge::Bad
        } else if members.contains(&Edge::Ok) {
            Edge::Ok
        } else {
            Edge::Dead
        }
    }

    /// None: not yet. `Ok`: it may run. `Err`: it is skipped.
    fn decide(&self, number: usize) -> Option<Result<(), Known>> {
        use crate::SkipCause::{AllInputsDead, BranchNotTaken, RuleNotMet, UpstreamFailed};
        let step = &self.plan.steps[number];
        let skipped = |cause, tainted| Some(Err(Known::Skipped { tainted, cause }));
        let mut waits = false;
        for (switch, other) in self.plan.steps.iter().enumerate() {
            let Some((cases, chosen)) = &other.switch else {
                continue;
            };
            if !cases.iter().any(|case| case.contains(&number)) {
                continue;
            }
            match self.known[switch] {
                Known::Open => waits = true,
                Known::Ended(StubState::Succeeded) => {
                    if !chosen.is_some_and(|case| cases[case].contains(&number)) {
                        return skipped(BranchNotTaken, false);
                    }
                }
                Known::Ended(_) if other.allow_failure => return skipped(BranchNotTaken, false),
                Known::Ended(_) | Known::Skipped { tainted: true, .. } => {
                    return skipped(UpstreamFailed, true);
                }
                Known::Skipped { tainted: false, .. } => return skipped(AllInputsDead, false),
            }
        }
        if waits {
            return None;
        }
        let mut edges: Vec<Edge> = step.needs.iter().map(|need| self.edge(*need)).collect();
        if step.needs_batch {
            edges.push(self.batch_edge());
        }
        if edges.is_empty() {
            return Some(Ok(()));
        }
        let open = edges.contains(&Edge::Open);
        let any = |edge: Edge| edges.contains(&edge);
        let all = |edge: Edge| edges.iter().all(|e| *e == edge);
        let tainted = any(Edge::Bad);
        let runs = match TRIGGERS[step.trigger] {
            "all_success" => !open && !any(Edge::Bad) && any(Edge::Ok),
            "all_success_strict" => all(Edge::Ok),
            "one_success" => any(Edge::Ok),
            "all_done" => !open && (any(Edge::Ok) || any(Edge::Bad)),
            "all_settled" => !open,
            "one_failed" => any(Edge::Bad),
            "all_failed" => all(Edge::Bad),
            _ => !open && !any(Edge::Dead),
        };
        if runs {
            return Some(Ok(()));
        }
        let cause = match TRIGGERS[step.trigger] {
            "all_success" if any(Edge::Bad) => UpstreamFailed,
            "all_success_strict" if any(Edge::Bad) => UpstreamFailed,
            "all_success_strict" if any(Edge::Dead) => AllInputsDead,
            "all_failed" if any(Edge::Ok) => RuleNotMet,
            "none_skipped" if any(Edge::Dead) => RuleNotMet,
            _ if open => return None,
            "one_failed" => RuleNotMet,
            _ if tainted => UpstreamFailed,
            _ => AllInputsDead,
        };
        skipped(cause, tainted)
    }

    /// Skips whatever is skipped now, until nothing more is.
    fn settle(&mut self, started: &BTreeSet<usize>) {
        loop {
            let mut changed = false;
            for number in 0..self.known.len() {
                if self.known[number] != Known::Open || started.contains(&number) {
                    continue;
                }
                let skip = match self.decide(number) {
                    Some(Err(skip)) => skip,
                    Some(Ok(())) if !self.plan.steps[number].guard => Known::Skipped {
                        tainted: false,
                        cause: crate::SkipCause::GuardFalse,
                    },
                    _ => continue,
                };
                self.known[number] = skip;
                changed = true;
            }
            if !changed {
                return;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn random_flows_go_as_a_slow_reading_of_the_rules_says(plan in plan()) {
        let text = plan.write();
        // Some plans are refused, and rightly: they hold steps that can never run.
        let Ok(flow) = Flow::read(&text) else { return Ok(()) };
        let simulation = flow.simulate(&plan.stubs()).unwrap();

        let count = plan.steps.len();
        let mut reference = Reference { plan: &plan, known: vec![Known::Open; count] };
        let mut started = BTreeSet::new();
        let admitted: Vec<usize> = simulation.order.iter().map(|id| id[1..].parse().unwrap()).collect();
        prop_assert_eq!(admitted.iter().collect::<BTreeSet<_>>().len(), admitted.len());
        reference.settle(&started);
        // Steps end in the order of their admission, and whatever is decided at once is decided then.
        for number in admitted {
            prop_assert_eq!(reference.decide(number), Some(Ok(())), "s{} ran\n{}", number, text);
            prop_assert!(plan.steps[number].guard, "s{} ran against its guard\n{}", number, text);
            started.insert(number);
            reference.known[number] = Known::Ended(plan.state(number));
            reference.settle(&started);
        }

        for number in 0..count {
            let step = &simulation.steps[&format!("s{number}")];
            prop_assert!(step.state.is_terminal(), "s{} is {:?}\n{}", number, step.state, text);
            match reference.known[number] {
                Known::Open => prop_assert!(false, "s{number} should have run\n{text}"),
                Known::Ended(state) => {
                    prop_assert_eq!(step.state, state.state(), "s{}\n{}", number, text);
                }
                Known::Skipped { cause, tainted } => {
                    prop_assert_eq!(step.state, StepState::Skipped, "s{}\n{}", number, text);
                    prop_assert!(step.origin.is_some());
                    prop_assert_eq!((step.cause, step.tainted), (Some(cause), Some(tainted)), "s{}\n{}", number, text);
                }
            }
        }
        prop_assert_eq!(simulation.nothing_ran, started.is_empty());
    }
}

#[test]
fn stubs_that_name_what_is_not_there_are_refused() {
    let flow = flow("", &["id: x, value: x", SWITCH]);
    for (stubs, words) in [
        (r#"{"steps": {"y": {}}}"#, "`y`, which is no step"),
        (r#"{"guards": {"y": true}}"#, "`y`, which is no step"),
        (r#"{"inputs": {"y": 1}}"#, "`y`, which is no input"),
        (r#"{"switches": {"x": 0}}"#, "`x`, which is no switch"),
        (
            r#"{"switches": {"S": 1}}"#,
            "`S`, which chooses one of 0 to 0",
        ),
        (
            r#"{"switches": {"S": "default"}}"#,
            "`S`, which has no default",
        ),
    ] {
        let error = flow
            .simulate(&serde_json::from_str(stubs).unwrap())
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{error}");
    }
}
