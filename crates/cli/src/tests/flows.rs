//! Flows on the command line: what people and programs read, and the exit status.

use super::*;

const GOOD: &str = "\
name: greet
inputs:
  who: { type: text, default: you }
  loud: { type: boolean, default: false }
steps:
  - { id: look, run: 'echo found; exit 0' }
  - id: route
    needs: [look]
    switch: [{ case: loudly, when: inputs.loud, steps: [shout] }]
    default: [say]
  - { id: shout, value: 'HELLO {{ inputs.who }}' }
  - { id: say, value: 'hello {{ inputs.who }}' }
  - { id: extra, needs: [say], value: x, when: inputs.who == 'nobody' }
  - { id: end, needs: [shout, say], value: '{{ results.say.output | default(results.shout.output | default(\"\")) }}' }
output: { render: '{{ results.end.output }}' }
";

const FAILS: &str = "\
name: fails
steps:
  - { id: flaky, run: 'exit 3', retries: 1, backoff: 1ms }
  - { id: after, needs: [flaky], run: 'true' }
";

const BAD: &str = "\
name: bad
steps:
  - { id: a, needs: [b], run: x }
  - { id: b, needs: [a], runs: x }
";

const ASKS: &str = "\
name: asks
steps:
  - { id: ship, approval: { message: Ship it? } }
";

impl User {
    /// A run that waits for an answer, and that no process drives.
    fn waiting(&self, file: &str) -> String {
        let paths = Paths::below(self.home.path());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let app = app::App::start(app::AppConfig {
                paths,
                host: app::HostMode::Detached {
                    program: "/no/program".into(),
                },
            })
            .await
            .unwrap();
            let mut changes = app.follow_runs().await.unwrap();
            let cwd = self.home.path().display().to_string();
            let run = app
                .start_flow(file, serde_json::Map::new(), cwd)
                .await
                .unwrap();
            while app.run_outline(&run).await.unwrap().info.asks.is_empty() {
                changes.next().await.unwrap();
            }
            app.shutdown().await;
            run
        })
    }

    fn flow(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(format!("{name}.flow.yaml"));
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Runs a command on flows; ids of runs and times are always the same ones in what is shown.
    fn flows(&self, arguments: &[&str]) -> String {
        let arguments: Vec<&str> = ["flow"].iter().chain(arguments).copied().collect();
        steady(&self.run(&arguments).shown(self.home.path()))
    }

    fn only_run(&self) -> String {
        let runs: Value = serde_json::from_str(&self.run(&["flow", "list", "--json"]).out).unwrap();
        runs[0]["id"].as_str().unwrap().to_owned()
    }
}

/// The text with `RUN` for the id of its run and `0.0s` for times.
fn steady(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let id = first.strip_prefix("run ").unwrap_or("no id").to_owned();
    let word = |word: &str| {
        let number = word.strip_suffix('s').unwrap_or_default();
        if number.contains('.') && number.parse::<f64>().is_ok() {
            "0.0s".to_owned()
        } else {
            word.replace(&id, "RUN")
        }
    };
    let date =
        |text: &str| text.len() == 10 && text.starts_with("20") && text.as_bytes()[4] == b'-';
    let line = |line: &str| {
        let mut words: Vec<String> = line.split(' ').map(word).collect();
        if let Some(at) = words.iter().position(|word| date(word)) {
            "2026-01-05".clone_into(&mut words[at]);
            "09:00".clone_into(&mut words[at + 1]);
        }
        words.join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_flow_is_checked_without_anything_else() {
    let home = tempfile::tempdir().unwrap();
    let check = |name: &str, text: &str, more: &[&str]| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        let file = path.display().to_string();
        run_in(home.path(), &[&["flow", "check", &file], more].concat()).shown(home.path())
    };
    insta::assert_snapshot!(check("good.flow.yaml", GOOD, &[]), @r#"
    greet: 6 steps, good
    [0]
    "#);
    insta::assert_snapshot!(check("bad.flow.yaml", BAD, &[]), @r#"
    /home/me/bad.flow.yaml:4:26: error: unknown key `runs` (did you mean `run`?)
    [1]
    "#);
    insta::assert_snapshot!(check("bad.flow.yaml", BAD, &["--json"]), @r#"
    {
      "good": false,
      "findings": [
        {
          "severity": "error",
          "at": {
            "line": 4,
            "column": 26
          },
          "message": "unknown key `runs`",
          "hint": "did you mean `run`?"
        }
      ],
      "flow": null
    }
    [1]
    "#);
    insta::assert_snapshot!(alone(&["flow", "check", "/no/such/file"]), @r#"
    switchyard: could not read `/no/such/file`: No such file or directory (os error 2)
    [2]
    "#);
}

#[test]
fn a_flow_is_simulated_and_drawn_without_anything_else() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("good.flow.yaml");
    std::fs::write(&path, GOOD).unwrap();
    let stubs = home.path().join("stubs.json");
    std::fs::write(&stubs, r#"{"steps": {"look": {"state": "failed"}}}"#).unwrap();
    let (file, stubs) = (path.display().to_string(), stubs.display().to_string());
    let run = |arguments: &[&str]| run_in(home.path(), arguments).shown(home.path());
    insta::assert_snapshot!(run(&["flow", "simulate", &file]), @r#"
    STEP   STATE      WHY
    end    succeeded
    extra  succeeded
    look   succeeded
    route  succeeded
    say    succeeded
    shout  skipped    branch not taken, from route
    succeeded: look → route → say → extra → end
    [0]
    "#);
    insta::assert_snapshot!(run(&["flow", "simulate", &file, "--stubs", &stubs]), @r#"
    STEP   STATE    WHY
    end    skipped  upstream failed, from look
    extra  skipped  upstream failed, from look
    look   failed
    route  skipped  upstream failed, from look
    say    skipped  upstream failed, from look
    shout  skipped  upstream failed, from look
    failed: look
    [0]
    "#);
    insta::assert_snapshot!(run(&["flow", "export", &file, "--to", "mermaid"]), @r#"
    flowchart TD
      s_look["look"]
      s_route{"route"}
      s_shout[/"shout"/]
      s_say[/"say"/]
      s_extra[/"extra"/]
      s_end[/"end"/]
      s_look --> s_route
      s_route -->|"loudly"| s_shout
      s_route -->|"default"| s_say
      s_say --> s_extra
      s_shout --> s_end
      s_say --> s_end
    [0]
    "#);
    insta::assert_snapshot!(run(&["flow", "export", &file, "--to", "dot"]), @r#"
    digraph "greet" {
      rankdir=TB;
      "look" [shape=box];
      "route" [shape=diamond];
      "shout" [shape=parallelogram];
      "say" [shape=parallelogram];
      "extra" [shape=parallelogram];
      "end" [shape=parallelogram];
      "look" -> "route";
      "route" -> "shout" [label="loudly"];
      "route" -> "say" [label="default"];
      "say" -> "extra";
      "shout" -> "end";
      "say" -> "end";
    }
    [0]
    "#);
}

#[test]
fn a_run_is_watched_listed_shown_and_explained() {
    let user = User::new();
    let file = user.flow("good", GOOD);
    insta::assert_snapshot!(user.flows(&["list"]), @r#"
    No runs. `switchyard flow run FILE` starts one.
    [0]
    "#);
    let cwd = user.home.path().display().to_string();
    insta::assert_snapshot!(user.flows(&["run", &file, "--input", "who=Ada", "--cwd", &cwd]), @r#"
    run RUN
    · look started
    ✓ look  0.0s
    · route started
    ✓ route → default  0.0s
    - shout skipped: branch not taken, from route
    · say started
    ✓ say  0.0s
    - extra skipped: guard false, from extra
    · end started
    ✓ end  0.0s
    ✓ succeeded

    hello Ada
    [0]
    "#);
    let run = user.only_run();
    let told = |arguments: &[&str]| user.flows(arguments).replace(&run, "RUN-ID-8");
    insta::assert_snapshot!(told(&["list"]), @r#"
    RUN       STATE      STEPS  BEGAN             TOOK  FLOW   WAITS FOR YOU
    RUN-ID-8  succeeded    6/6  2026-01-05 09:00  0.0s  greet
    [0]
    "#);
    insta::assert_snapshot!(told(&["show", &run]), @r#"
    greet · run RUN-ID-8 · succeeded
    STEP   STATE      TIME  PANE  WHY
    look   succeeded  0.0s     1
    route  succeeded  0.0s
    shout  skipped                branch not taken, from route
    say    succeeded  0.0s
    extra  skipped                guard false, from extra
    end    succeeded  0.0s

    hello Ada
    [0]
    "#);
    insta::assert_snapshot!(told(&["why", &run, "shout"]), @r#"
    `shout` did not run, because the switch `route` took the case `default`.
      case `loudly`: `inputs.loud` was false; it saw inputs.loud = false
    [0]
    "#);
    insta::assert_snapshot!(told(&["why", &run, "extra"]), @r#"
    `extra` did not run, because its condition was false: `inputs.who == 'nobody'`.
    [0]
    "#);
    insta::assert_snapshot!(told(&["why", &run, "nothing"]), @r#"
    switchyard: the flow has no step `nothing`
    [1]
    "#);
    insta::assert_snapshot!(told(&["approve", &run, "end"]), @r#"
    switchyard: `end` does not wait for an answer
    [1]
    "#);
    insta::assert_snapshot!(told(&["resume", &run]), @r#"
    switchyard: the run has ended already
    [1]
    "#);
    insta::assert_snapshot!(told(&["show", "no-such-run"]), @r#"
    switchyard: there is no run `no-such-run`; `switchyard flow list` shows them
    [1]
    "#);
    assert_eq!(told(&["show", "latest"]), told(&["show", &run]));
    assert_eq!(
        told(&["why", &run[..5], "end"]),
        told(&["why", &run, "end"])
    );
    insta::assert_snapshot!(told(&["list", "--state", "failed"]), @"
    No such runs.
    [0]
    ");
    assert_eq!(
        told(&[
            "list",
            "--state",
            "failed",
            "--state",
            "succeeded",
            "--flow",
            "greet"
        ]),
        told(&["list"])
    );
    insta::assert_snapshot!(told(&["logs", "latest", "look"]), @"
    found
    [0]
    ");
    insta::assert_snapshot!(told(&["logs", &run]), @"
    ── look
    found
    ── route
    branch:default
    ── say
    hello Ada
    ── end
    hello Ada
    [0]
    ");
    insta::assert_snapshot!(told(&["logs", &run, "nothing"]), @"
    switchyard: the flow has no step `nothing`
    [1]
    ");
}

#[test]
fn a_step_that_fails_shows_the_end_of_what_it_printed() {
    let user = User::new();
    let file = user.flow(
        "tail",
        "name: tail\nsteps:\n  - { id: noisy, run: 'seq 30; echo it broke >&2; exit 3' }\n",
    );
    let told = user.flows(&["run", &file]);
    let (before, after) = told.split_once("exit code 3\n").unwrap();
    assert!(before.ends_with("✗ noisy failed  0.0s  "), "{told}");
    insta::assert_snapshot!(after, @"
        22
        23
        24
        25
        26
        27
        28
        29
        30
        it broke
      switchyard flow logs RUN noisy   has all that it printed
    ✗ failed
    [1]
    ");
}

#[test]
fn a_run_in_the_background_is_watched_to_its_end() {
    let user = User::new();
    let file = user.flow("good", GOOD);
    let told = user
        .run(&["flow", "watch", "latest"])
        .shown(user.home.path());
    assert!(told.contains("there are no runs yet"), "{told}");
    user.flows(&["run", &file]);
    let ran = user.flows(&["watch", "latest"]);
    assert!(ran.contains("✓ succeeded") && ran.ends_with("[0]"), "{ran}");
}

#[test]
fn an_input_is_read_from_a_file_and_a_flow_from_standard_input() {
    let user = User::new();
    let file = user.flow("good", GOOD);
    let who = user.home.path().join("who.txt");
    std::fs::write(&who, "Grace").unwrap();
    let input = format!("who=@{}", who.display());
    let told = user.flows(&["run", &file, "--input", &input]);
    assert!(told.contains("hello Grace"), "{told}");
    let told = user.flows(&["run", &file, "--input", "who=@/no/such/file"]);
    assert!(
        told.contains("could not read `/no/such/file`") && told.ends_with("[2]"),
        "{told}"
    );
}

#[test]
fn what_was_done_is_said() {
    let user = User::new();
    let file = user.flow("asks", ASKS);
    let (run, other) = (user.waiting(&file), user.waiting(&file));
    let told = |arguments: &[&str]| {
        user.flows(arguments)
            .replace(&run, "ONE")
            .replace(&other, "TWO")
    };
    let rejected = told(&["reject", &run, "ship"]);
    assert!(
        rejected.starts_with("rejected `ship` of the run ONE\n"),
        "{rejected}"
    );
    insta::assert_snapshot!(told(&["cancel", &other]), @"
    cancelled the run TWO
    [0]
    ");
}

#[test]
fn programs_are_told_of_errors_as_json() {
    let user = User::new();
    let said = |arguments: &[&str]| {
        let ran = user.run(arguments);
        assert_eq!(ran.err, "", "{arguments:?}");
        let error: Value = serde_json::from_str(&ran.out).unwrap();
        (
            ran.status,
            error["error"]["code"].as_str().unwrap().to_owned(),
        )
    };
    let code = |status: u8, code: &str| (status, code.to_owned());
    assert_eq!(said(&["search", "--json", "("]), code(2, "bad_query"));
    assert_eq!(
        said(&["flow", "show", "nothing", "--json"]),
        code(1, "bad_id")
    );
    assert_eq!(
        said(&["flow", "check", "/no/such/file", "--json"]),
        code(2, "usage")
    );
    assert_eq!(said(&["flow", "nonsense", "--json"]), code(2, "usage"));
    assert_eq!(said(&["read", "77", "--json"]), code(1, "bad_id"));
}

#[test]
fn a_run_that_fails_says_so_and_can_be_taken_up_again() {
    let user = User::new();
    let file = user.flow("fails", FAILS);
    insta::assert_snapshot!(user.flows(&["run", &file]), @r#"
    run RUN
    · flaky started
    ↻ flaky failed (attempt 1)  0.0s  exit code 3; again in 0.0s
    · flaky started, attempt 2
    ✗ flaky failed  0.0s  exit code 3
    - after skipped: upstream failed, from flaky
    ✗ failed
    [1]
    "#);
    let run = user.only_run();
    let told = |arguments: &[&str]| user.flows(arguments).replace(&run, "RUN-ID-8");
    insta::assert_snapshot!(told(&["mark", &run, "flaky", "succeeded", "--output", "by hand"]), @r#"
    run RUN
    ↻ begun anew: flaky, after
    · flaky started, attempt 3
    ✓ flaky  0.0s  marked by a person
    · after started
    ✓ after  0.0s
    ✓ succeeded
    [0]
    "#);
}

#[test]
fn a_run_is_gone_on_with_as_it_was_begun_and_says_so() {
    let user = User::new();
    let file = user.flow("fails", FAILS);
    user.flows(&["run", &file]);
    user.flow("fails", &FAILS.replace("exit 3", "exit 4"));
    let told = user.flows(&["resume", "latest", "--failed"]);
    assert!(
        told.contains("fails.flow.yaml` was changed since the run began"),
        "{told}"
    );
    assert!(
        told.contains("exit code 3") && !told.contains("exit code 4"),
        "{told}"
    );
}

#[test]
fn a_run_that_is_forgotten_leaves_nothing() {
    let user = User::new();
    let file = user.flow("fails", FAILS);
    user.flows(&["run", &file]);
    let run = user.only_run();
    let steps = user.home.path().join("data/steps").join(&run);
    assert!(steps.is_dir());
    insta::assert_snapshot!(user.flows(&["forget", &run]), @r#"
    forgotten: 1
    [0]
    "#);
    assert!(!steps.exists());
    insta::assert_snapshot!(user.flows(&["worktrees"]), @"
    No worktrees of runs.
    [0]
    ");
    insta::assert_snapshot!(user.flows(&["forget", "--older-than", "0d"]), @r#"
    forgotten: 0
    [0]
    "#);
    insta::assert_snapshot!(user.flows(&["list"]), @r#"
    No runs. `switchyard flow run FILE` starts one.
    [0]
    "#);
}

#[test]
fn what_is_refused_is_refused_before_anything_runs() {
    let user = User::new();
    let bad = user.flow("bad", BAD);
    let good = user.flow("good", GOOD);
    insta::assert_snapshot!(user.flows(&["run", &bad]), @r#"
    /home/me/bad.flow.yaml:4:26: error: unknown key `runs` (did you mean `run`?)
    [2]
    "#);
    insta::assert_snapshot!(user.flows(&["run", &good, "--input", "whom=x"]), @r#"
    switchyard: input `whom` is unknown; there are `loud`, `who`
    [2]
    "#);
    insta::assert_snapshot!(user.flows(&["run", &good, "--input", "loud=perhaps"]), @r#"
    switchyard: input `loud` must be `true` or `false`, not `perhaps`
    [2]
    "#);
    insta::assert_snapshot!(user.flows(&["list"]), @r#"
    No runs. `switchyard flow run FILE` starts one.
    [0]
    "#);
}

#[test]
fn programs_read_an_event_a_line() {
    let user = User::new();
    let file = user.flow("fails", FAILS);
    let ran = user.run(&["flow", "run", &file, "--json"]);
    assert_eq!((ran.status, ran.err.as_str()), (1, ""));
    let events: Vec<String> = ran
        .out
        .lines()
        .map(|line| {
            let event: Value = serde_json::from_str(line).unwrap();
            let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            let state = event["ended"]["state"].as_str().or(event["state"].as_str());
            format!(
                "{} {} {}",
                word("event"),
                word("step"),
                state.unwrap_or_default()
            )
        })
        .collect();
    insta::assert_debug_snapshot!(events, @r#"
    [
        "run_started  ",
        "step_queued flaky ",
        "step_started flaky ",
        "step_attached flaky ",
        "step_retries flaky failed",
        "step_queued flaky ",
        "step_started flaky ",
        "step_attached flaky ",
        "step_ended flaky failed",
        "step_skipped after ",
        "run_ended  failed",
    ]
    "#);
}
