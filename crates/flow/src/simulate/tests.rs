//! The decisions, by table and by property: every flow here is written in a line, run with nothing of the
//! outside world, and told in a line.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{Simulation, StepStub, StubState, Stubs, Unnamed};
use crate::Flow;
use crate::plans::{TRIGGERS, plan};

/// Reads a flow of `value` steps from its steps' lines.
fn flow(head: &str, steps: &[&str]) -> Flow {
    let mut text = format!("name: test\n{head}steps:\n");
    for step in steps {
        let _ = writeln!(text, "  - {{ {step} }}");
    }
    Flow::read(&text).unwrap_or_else(|refused| panic!("{text}\n{refused}"))
}

fn told(simulation: &Simulation) -> String {
    let mut text = match simulation.state {
        Some(state) => format!("{state:?}").to_lowercase(),
        None => "open".to_owned(),
    };
    if !simulation.depends_on.is_empty() {
        let _ = write!(text, ", depends on {}", simulation.depends_on.join(", "));
    }
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
        if !step.depends_on.is_empty() {
            let _ = write!(text, " depends on {}", step.depends_on.join(", "));
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
fn a_step_in_several_cases_does_without_what_its_switch_did_not_choose() {
    let s = two_cases("a, m", "b, m");
    let simulate = |m: &str| {
        let steps = [SEED, &s, "id: a, value: a", "id: b, value: b", m];
        simulate(&steps, r#"{"switches": {"S": 1}}"#)
    };
    insta::assert_snapshot!(simulate("id: m, value: m, needs: [a]"), @"
    succeeded; order seed S b m
    S succeeded
    a skipped BranchNotTaken from S
    b succeeded
    m succeeded
    seed succeeded
    ");
    // What is left counts as it always does; under every rule.
    for trigger in TRIGGERS {
        let answer = simulate(&format!(
            "id: m, value: m, needs: [a, b], trigger: {trigger}"
        ));
        let runs = !["one_failed", "all_failed"].contains(&trigger);
        assert_eq!(answer.contains("m succeeded"), runs, "{trigger}: {answer}");
    }
}

#[test]
fn a_skip_by_a_rule_waits_for_a_failure_that_may_still_come() {
    for (first, second) in [("ok", "bad"), ("bad", "ok")] {
        let answer = simulate(
            &[
                &format!("id: {first}, value: x"),
                &format!("id: {second}, value: x"),
                "id: o, value: o",
                "id: k, value: k, needs: [ok, bad], trigger: all_failed",
                "id: j, value: j, needs: [k, o]",
            ],
            r#"{"steps": {"bad": {"state": "failed"}}}"#,
        );
        assert!(
            answer.contains("k skipped RuleNotMet from bad, tainted"),
            "{answer}"
        );
        assert!(
            answer.contains("j skipped UpstreamFailed from bad, tainted"),
            "{answer}"
        );
    }
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
    all_success_strict   runs             UpstreamFailed!  AllInputsDead    UpstreamFailed!  UpstreamFailed!  AllInputsDead
    one_success          runs             runs             runs             UpstreamFailed!  UpstreamFailed!  AllInputsDead
    all_done             runs             runs             runs             runs             runs             AllInputsDead
    all_settled          runs             runs             runs             runs             runs             runs
    one_failed           RuleNotMet       runs             RuleNotMet       runs             runs             RuleNotMet
    all_failed           RuleNotMet       RuleNotMet!      RuleNotMet       runs             UpstreamFailed!  AllInputsDead
    none_skipped         runs             runs             RuleNotMet       runs             UpstreamFailed!  RuleNotMet
    ");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_global_rejects: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_flows_go_as_a_slow_reading_of_the_rules_says(plan in plan()) {
        let text = plan.write("value: x");
        // Some plans are refused, and rightly: they hold steps that can never run.
        let flow = Flow::read(&text);
        prop_assume!(flow.is_ok());
        let flow = flow.unwrap();
        let simulation = flow.simulate(&plan.stubs()).unwrap();
        for (id, came) in plan.read() {
            let step = &simulation.steps[&id];
            let skip = came.skip.as_ref();
            prop_assert_eq!(step.state, came.state, "{}\n{}", id, text);
            prop_assert_eq!(step.cause, skip.map(|skip| skip.cause), "{}\n{}", id, text);
            prop_assert_eq!(&step.origin, &skip.map(|skip| skip.origin.clone()), "{}\n{}", id, text);
            prop_assert_eq!(step.tainted, skip.map(|skip| skip.tainted), "{}\n{}", id, text);
            prop_assert_eq!(simulation.order.contains(&id), skip.is_none(), "{}\n{}", id, text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_global_rejects: 400, ..ProptestConfig::default() })]

    #[test]
    fn rounds_are_simulated_as_they_are_run(plan in plan(), rounds in 1..4u32) {
        let text = plan.write_rounds("value: x", rounds, 2);
        let flow = Flow::read(&text);
        prop_assume!(flow.is_ok());
        let simulation = flow.unwrap().simulate(&plan.stubs()).unwrap();
        for (id, came) in plan.read() {
            prop_assert_eq!(simulation.steps[&id].state, came.state, "{}\n{}", id, text);
        }
        let (of_rounds, judged) = plan.read_rounds(rounds, 2);
        let simulated = &simulation.steps["rounds"];
        prop_assert_eq!(simulated.state, of_rounds.state, "{}", text);
        prop_assert_eq!(&simulated.origin, &of_rounds.skip.as_ref().map(|skip| skip.origin.clone()), "{}", text);
        if of_rounds.skip.is_none() {
            prop_assert_eq!(simulated.attempts, judged, "{}", text);
        }
    }
}

#[test]
fn rounds_may_be_told_one_by_one() {
    let green = [
        "id: fix, value: \"{{ last.test.output | default('') }}\"",
        "id: test, run: x, needs: [fix]",
        "id: green, repeat: { steps: [fix, test], until: 'results.test.state == \"succeeded\"', times: 4 }",
        "id: ship, needs: [green], value: x",
    ];
    insta::assert_snapshot!(simulate(&green, r#"{ "steps": { "test": { "rounds": [{ "state": "failed" }, { "state": "timed_out" }, {}] } } }"#), @r"
    succeeded; order fix test green ship
    fix succeeded after 3
    green succeeded after 3
    ship succeeded
    test succeeded after 3
    ");
    insta::assert_snapshot!(simulate(&green, r#"{ "steps": { "test": { "state": "failed" } } }"#), @r"
    failed; order fix test green
    fix succeeded after 4
    green failed after 4
    ship skipped UpstreamFailed from green, tainted
    test failed after 4
    ");
    insta::assert_snapshot!(simulate(&green, r#"{ "guards": { "green": false }, "steps": { "ship": {} } }"#), @r"
    failed; order fix test green
    fix succeeded after 4
    green failed after 4
    ship skipped UpstreamFailed from green, tainted
    test succeeded after 4
    ");
    let unknown = [
        "id: test, run: x",
        "id: green, repeat: { steps: [test], until: results.test.output == 'x', times: 4 }",
        "id: ship, needs: [green], value: x",
    ];
    insta::assert_snapshot!(simulate_unknown(&unknown, "{}"), @r"
    open, depends on results.test.output; order test green
    green pending depends on results.test.output
    ship pending depends on results.test.output
    test succeeded
    ");
}

/// As [`simulate`], where what is not named is not known.
fn simulate_unknown(steps: &[&str], stubs: &str) -> String {
    let stubs: Stubs = serde_json::from_str(stubs).unwrap();
    let unnamed = Unnamed::Unknown;
    let head = "inputs: { fast: { type: boolean, default: false } }\n";
    let simulation = flow(head, steps).simulate(&Stubs { unnamed, ..stubs });
    told(&simulation.unwrap())
}

const ROUTE: [&str; 6] = [
    "id: plan, run: make, output: { type: json }",
    "id: S, needs: [plan], required: true, switch: [{ case: a, when: results.plan.data.kind == 'a', steps: [x] }, { case: b, when: inputs.fast, steps: [y] }]",
    "id: x, value: x",
    "id: y, value: y",
    "id: j, needs: [x, y], value: j",
    "id: other, needs: [plan], value: o",
];

#[test]
fn what_depends_on_what_is_not_known_is_left_open_and_says_so() {
    insta::assert_snapshot!(simulate_unknown(&ROUTE, "{}"), @"
    open, depends on results.plan.data.kind; order plan S other
    S pending depends on results.plan.data.kind
    j pending depends on results.plan.data.kind
    other succeeded
    plan succeeded
    x pending depends on results.plan.data.kind
    y pending depends on results.plan.data.kind
    ");
    insta::assert_snapshot!(simulate_unknown(&ROUTE, r#"{"steps": {"plan": {"data": {"kind": "a"}}}}"#), @"
    succeeded; order plan S other x j
    S succeeded
    j succeeded
    other succeeded
    plan succeeded
    x succeeded
    y skipped BranchNotTaken from S
    ");
    insta::assert_snapshot!(simulate_unknown(&ROUTE, r#"{"switches": {"S": 1}}"#), @"
    succeeded; order plan S other y j
    S succeeded
    j succeeded
    other succeeded
    plan succeeded
    x skipped BranchNotTaken from S
    y succeeded
    ");
    // A case that is known to be taken makes no difference of those behind it.
    let mut turned = ROUTE;
    turned[1] = "id: S, needs: [plan], switch: [{ case: b, when: not inputs.fast, steps: [y] }, { case: a, when: results.plan.data.kind == 'a', steps: [x] }]";
    insta::assert_snapshot!(simulate_unknown(&turned, "{}"), @"
    succeeded; order plan S other y j
    S succeeded
    j succeeded
    other succeeded
    plan succeeded
    x skipped BranchNotTaken from S
    y succeeded
    ");
    // Whatever is chosen, a run with a failure has failed.
    insta::assert_snapshot!(simulate_unknown(&ROUTE, r#"{"steps": {"other": {"state": "failed"}}}"#), @"
    failed, depends on results.plan.data.kind; order plan S other
    S pending depends on results.plan.data.kind
    j pending depends on results.plan.data.kind
    other failed
    plan succeeded
    x pending depends on results.plan.data.kind
    y pending depends on results.plan.data.kind
    ");
    // As ever, when nothing is said of what is not named.
    insta::assert_snapshot!(told(&flow("inputs: { fast: { type: boolean, default: false } }\n", &ROUTE).simulate(&Stubs::default()).unwrap()), @"
    failed; order plan S other
    S failed
    j skipped UpstreamFailed from S, tainted
    other succeeded
    plan succeeded
    x skipped UpstreamFailed from S, tainted
    y skipped UpstreamFailed from S, tainted
    ");
}

#[test]
fn guards_are_evaluated_as_far_as_they_see_what_is_known() {
    let steps = [
        "id: a, run: make",
        "id: slow, needs: [a], when: not inputs.fast, value: x",
        "id: quick, needs: [a], when: inputs.fast, value: x",
        "id: one, needs: [a], when: results.a.exit_code == 0, value: x, batch: b",
        "id: two, needs: [a], value: x, batch: b",
        "id: good, needs: [a], when: results.a.state == 'succeeded', value: x",
        "id: end, needs: ['batch:b', slow], value: x",
    ];
    let head = "inputs: { fast: { type: boolean, default: false } }\nbatches: { b: { max_concurrent: 1 } }\n";
    let unnamed = Unnamed::Unknown;
    let mut stubs = Stubs {
        unnamed,
        ..Stubs::default()
    };
    // What is left open takes nobody's place.
    insta::assert_snapshot!(told(&flow(head, &steps).simulate(&stubs).unwrap()), @"
    open, depends on results.a.exit_code; order a slow two good
    a succeeded
    end pending depends on results.a.exit_code
    good succeeded
    one pending depends on results.a.exit_code
    quick skipped GuardFalse from quick
    slow succeeded
    two succeeded
    ");
    stubs.guards.insert("one".to_owned(), false);
    insta::assert_snapshot!(told(&flow(head, &steps).simulate(&stubs).unwrap()), @"
    succeeded; order a slow two good end
    a succeeded
    end succeeded
    good succeeded
    one skipped GuardFalse from one
    quick skipped GuardFalse from quick
    slow succeeded
    two succeeded
    ");
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
