//! Flows with real programs in real panes: the samples, and what goes wrong with programs.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use app::{App, AppConfig, HostMode, Paths};
use flow::{FlowEvent, Given, Happened, RunState, RunView, StepState};
use serde_json::json;
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(60);

struct Desk {
    home: TempDir,
    app: App,
}

impl Desk {
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let app = Self::open(&home).await;
        Self { home, app }
    }

    async fn open(home: &TempDir) -> App {
        App::start(AppConfig {
            paths: Paths::below(home.path()),
            host: HostMode::InProcess,
        })
        .await
        .unwrap()
    }

    fn write(&self, steps: &[&str]) -> PathBuf {
        let mut text = "name: test\nsteps:\n".to_owned();
        for step in steps {
            text += &format!("  - {{ {step} }}\n");
        }
        let path = self.home.path().join("test.flow.yaml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs a flow to its end, saying yes to whatever it asks.
    async fn run(&self, file: &Path, inputs: serde_json::Value) -> RunView {
        let mut events = self.app.flow_events();
        let run = self
            .app
            .start_flow(
                &file.display().to_string(),
                inputs.as_object().unwrap().clone(),
                self.home.path().display().to_string(),
            )
            .await
            .unwrap();
        let settled = self.app.run_settled(&run);
        tokio::pin!(settled);
        tokio::time::timeout(DEADLINE, async {
            loop {
                tokio::select! {
                    () = &mut settled => return,
                    event = events.recv() => {
                        if let Ok(FlowEvent { what: Happened::StepAsked { step, .. }, .. }) = event {
                            let yes = Given { approved: true, form: serde_json::Map::new(), comment: None, by_timeout: false };
                            self.app.answer_approval(&run, &step, yes).await.unwrap();
                        }
                    }
                }
            }
        })
        .await
        .expect("the run ends in time");
        self.app.show_run(&run).await.unwrap()
    }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../examples/{name}.flow.yaml"))
}

fn last<'v>(view: &'v RunView, step: &str) -> &'v flow::AttemptView {
    let step = view
        .step_list
        .iter()
        .find(|known| known.id == step)
        .unwrap();
    step.attempts.last().unwrap_or_else(|| panic!("{step:?}"))
}

fn states(view: &RunView) -> String {
    let told: Vec<String> = view
        .step_list
        .iter()
        .map(|step| format!("{} {:?} {}", step.id, step.state, step.attempts.len()))
        .collect();
    format!("{:?}: {}", view.info.state, told.join(", "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_samples_run() {
    let desk = Desk::new().await;
    for (name, inputs, output) in [
        ("hello", json!({"name": "Ada"}), "Ada!"),
        (
            "build-and-test",
            json!({"lint": "exit 3"}),
            "build: succeeded\ntest: succeeded\nlint: failed",
        ),
        ("triage", json!({}), "# Done\n\nall good"),
        (
            "triage",
            json!({"question": "the docs are old"}),
            "# Done\n\nno tests were needed",
        ),
        ("reviews", json!({}), "- the change is slow (failed)"),
        ("retry", json!({}), "third time lucky, after 3 attempts"),
        ("nested", json!({}), "and checked twice"),
        (
            "each-part",
            json!({}),
            "part 1, docs, is fine\npart 2, src, is fine\npart 3, tests, is fine",
        ),
        (
            "until-green",
            json!({}),
            "green after 3 rounds; at last: I looked into: Make the tests pass. They said: 1 tests fail",
        ),
    ] {
        let view = desk.run(&sample(name), inputs).await;
        assert_eq!(
            view.info.state,
            RunState::Succeeded,
            "{name}: {}\n{view:#?}",
            states(&view)
        );
        let said = view.output.clone().unwrap_or_default();
        assert!(said.contains(output), "{name}: {said}");
    }
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sample_is_read_without_a_finding() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut samples = 0;
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        if path.to_string_lossy().ends_with(".flow.yaml") {
            let checked = app::check_flow_text(&std::fs::read_to_string(&path).unwrap());
            assert!(
                checked.good && checked.findings.is_empty(),
                "{}: {:?}",
                path.display(),
                checked.findings
            );
            samples += 1;
        }
    }
    assert!(samples >= 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn output_is_what_was_printed_and_structured_output_has_a_file() {
    let desk = Desk::new().await;
    let file = desk.write(&[
        r#"id: out, run: 'printf "\033[31mred\033[0m\n"; echo aside >&2; echo $SWITCHYARD_STEP $SWITCHYARD_ATTEMPT'"#,
        r#"id: data, run: 'echo "{\"n\": 3}" > $SWITCHYARD_OUTPUT; echo said', output: { type: json }"#,
        r#"id: sum, needs: [data], value: '{{ results.data.data.n + 1 }} {{ results.data.output }}'"#,
        r#"id: big, run: 'head -c 9000000 /dev/zero | tr "\\0" x'"#,
    ]);
    let view = desk.run(&file, json!({})).await;
    assert_eq!(
        last(&view, "out").output.as_deref(),
        Some("red\nout 1"),
        "{}",
        states(&view)
    );
    assert_eq!(last(&view, "sum").output.as_deref(), Some("4 said"));
    let big = std::fs::read_to_string(last(&view, "big").output_file.as_ref().unwrap()).unwrap();
    assert!(big.contains("bytes were left out"), "{}", big.len());
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_fail_say_how() {
    let desk = Desk::new().await;
    let file = desk.write(&[
        "id: code, run: 'echo before; false; echo after'",
        "id: missing, run: no_such_program_anywhere",
        "id: signal, run: 'kill -9 $$'",
        "id: nowhere, run: 'true', cwd: no/such/directory",
        "id: agent, agent: { backend: acp, name: no-such-agent }, prompt: p",
        "id: hangs, run: 'sleep 600 & sleep 600', timeout: 300ms",
        "id: silent, run: 'sleep 600', idle_timeout: 500ms",
    ]);
    let view = desk.run(&file, json!({})).await;
    assert_eq!(last(&view, "code").output.as_deref(), Some("before"));
    assert_eq!(last(&view, "code").exit_code, Some(1));
    for (step, words) in [
        ("missing", "a program was not found"),
        ("signal", "signal 9 ended it"),
        ("nowhere", "there is no directory"),
        ("agent", "of the backend `acp`"),
        ("hangs", "longer than its `timeout`"),
        ("silent", "printed nothing for longer"),
    ] {
        let message = last(&view, step).message.clone().unwrap_or_default();
        assert!(message.contains(words), "{step}: {message}");
    }
    assert_eq!(last(&view, "hangs").state, StepState::TimedOut);
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_whose_answer_does_not_fit_is_asked_once_more() {
    let desk = Desk::new().await;
    let judge = desk.home.path().join("judge");
    std::fs::write(
        &judge,
        "cat > heard; pwd > place; grep -q 'be used' heard && echo '{\"kind\": \"bug\"}' || echo A bug.",
    )
    .unwrap();
    let file = desk.write(&[
        &format!(
            "id: judge, agent: {{ backend: command, program: [sh, '{}'] }}, prompt: Which?, output: {{ type: json }}",
            judge.display()
        ),
        "id: next, needs: [judge], value: '{{ results.judge.data.kind }}'",
    ]);
    let view = desk.run(&file, json!({})).await;
    assert_eq!(
        states(&view),
        "Succeeded: judge Succeeded 1, next Succeeded 1"
    );
    let heard = std::fs::read_to_string(desk.home.path().join("heard")).unwrap();
    insta::assert_snapshot!(heard, @r"
    Which?

    You have worked on this already, and answered:

    A bug.

    Your answer can't be used: the output is no JSON: expected value at line 1 column 1

    Do no further work; give your answer once more, as JSON and nothing else.
    ");
    let piece = desk
        .app
        .step_output(&view.info.id, "judge", 1, 0)
        .await
        .unwrap();
    assert_eq!(piece.text.trim_end(), "{\"kind\": \"bug\"}");
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_agent_gets_its_prompt_in_the_way_it_wants() {
    let desk = Desk::new().await;
    let file = desk.write(&[
        "id: stdin, agent: { backend: command, program: [cat] }, prompt: 'one \"; touch pwned'",
        "id: arg, agent: { backend: command, program: [printf, '%s'], prompt_by: arg }, prompt: '$(touch pwned)'",
        "id: file, agent: { backend: command, program: [cat], prompt_by: file }, prompt: three",
    ]);
    let view = desk.run(&file, json!({})).await;
    assert_eq!(
        last(&view, "stdin").output.as_deref(),
        Some("one \"; touch pwned")
    );
    assert_eq!(last(&view, "arg").output.as_deref(), Some("$(touch pwned)"));
    assert_eq!(last(&view, "file").output.as_deref(), Some("three"));
    assert!(!desk.home.path().join("pwned").exists());
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_worktree_is_made_for_a_step_and_kept() {
    let desk = Desk::new().await;
    let git = |arguments: &[&str]| {
        let done = std::process::Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@t"])
            .args(arguments)
            .current_dir(desk.home.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&["init", "-q"]);
    git(&["commit", "-q", "--allow-empty", "-m", "first"]);
    let file = desk.write(&[
        "id: work, run: 'echo new > file; pwd', worktree: new",
        "id: look, needs: [work], run: 'cat file', worktree: '{{ results.work.worktree }}'",
    ]);
    let view = desk.run(&file, json!({})).await;
    assert_eq!(
        last(&view, "look").output.as_deref(),
        Some("new"),
        "{view:#?}"
    );
    assert_eq!(last(&view, "work").output, last(&view, "work").worktree);
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_looks_at_the_other_worktrees() {
    let desk = Desk::new().await;
    let main = desk.home.path().join("main");
    std::fs::create_dir(&main).unwrap();
    let git = |cwd: &Path, arguments: &[&str]| {
        let done = std::process::Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@t"])
            .args(arguments)
            .current_dir(cwd)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&main, &["init", "-q"]);
    std::fs::write(main.join("a.txt"), "one\ntwo\n").unwrap();
    git(&main, &["add", "."]);
    git(&main, &["commit", "-q", "-m", "first"]);
    git(&main, &["worktree", "add", "-q", "../other"]);
    let flow = desk.write(&[
        r#"id: any, run: 'true', cwd: main, when: 'conflicts("*.txt") < "same_line"'"#,
        r#"id: elsewhere, run: 'true', cwd: main, when: 'conflicts("docs") == "none"'"#,
    ]);
    let view = desk.run(&flow, json!({})).await;
    assert_eq!(view.info.state, RunState::Succeeded, "{view:#?}");
    assert_eq!(last(&view, "any").state, StepState::Succeeded);

    std::fs::write(main.join("a.txt"), "one\n2\n").unwrap();
    std::fs::write(desk.home.path().join("other/a.txt"), "one\nzwei\n").unwrap();
    let view = desk.run(&flow, json!({})).await;
    let any = &view.step_list[0];
    assert_eq!(any.state, StepState::Skipped, "{view:#?}");
    let seen = &any.guard.as_ref().unwrap().saw;
    assert_eq!(seen["conflicts(\"*.txt\")"], json!("same_line"));
    assert_eq!(last(&view, "elsewhere").state, StepState::Succeeded);
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_looked_at_without_its_bulk_and_a_step_in_full_with_its_colours() {
    let desk = Desk::new().await;
    let file = desk.write(&[
        r#"id: out, run: 'printf "\033[31mred\033[0m\n"', env: { WHAT: "{{ run.flow }}" }, timeout: 10m"#,
        "id: fold, needs: [out], value: '{{ results.out.output }}!'",
    ]);
    let view = desk.run(&file, json!({})).await;
    let run = view.info.id.clone();

    let outline = desk.app.run_outline(&run).await.unwrap();
    assert_eq!(states(&outline), states(&view));
    assert_eq!(last(&outline, "out").output, None);

    let step = desk.app.run_step(&run, "out").await.unwrap();
    assert_eq!(step.definition.env["WHAT"], "{{ run.flow }}");
    assert_eq!(step.definition.timeout, Some(600_000));
    assert!(step.why.contains("succeeded"), "{}", step.why);
    let piece = desk.app.step_output(&run, "out", 1, 0).await.unwrap();
    assert_eq!(piece.text, "\u{1b}[31mred\u{1b}[0m\n");
    assert_eq!(piece.next, piece.total);
    // What was folded in place was never printed: it comes from the journal.
    let piece = desk.app.step_output(&run, "fold", 1, 0).await.unwrap();
    assert_eq!(piece.text, "red!");
    let unknown = desk.app.step_output(&run, "../out", 1, 0).await;
    assert_eq!(unknown.unwrap_err().code, app::Code::BadId);
    desk.app.shutdown().await;
}

/// Reads what a step printed, piece by piece.
async fn printed(app: &App, run: &str, step: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut next = 0;
    loop {
        let piece = app.step_output(run, step, 1, next).await.unwrap();
        pieces.push(piece.text);
        next = piece.next;
        if next >= piece.total {
            return pieces;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_covered_in_what_a_step_printed_also_where_it_lies_across_two_pieces() {
    let desk = Desk::new().await;
    let file = desk.home.path().join("secret.flow.yaml");
    // A piece has 262,144 bytes.
    std::fs::write(
        &file,
        r#"name: secret
inputs: { key: { type: secret, required: true } }
steps:
  - id: out
    run: |
      printf '%262140s' ''
      printf '<%s>and <%s>' "$KEY" "$KEY"
    env: { KEY: "{{ inputs.key }}" }
"#,
    )
    .unwrap();
    // A variable that every test has.
    let view = desk
        .run(&file, json!({ "key": "CARGO_MANIFEST_DIR" }))
        .await;
    assert_eq!(view.info.state, RunState::Succeeded, "{view:#?}");
    let pieces = printed(&desk.app, &view.info.id, "out").await;
    assert!(pieces.len() > 1);
    assert_eq!(pieces.concat().trim_start(), "<•••>and <•••>");
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_of_a_run_adds_up_to_what_a_look_at_it_gives() {
    let desk = Desk::new().await;
    let mut followed = desk.app.follow_runs().await.unwrap();
    let file = desk.write(&["id: a, value: x", "id: b, needs: [a], run: 'echo y'"]);
    let run = desk.run(&file, json!({})).await.info.id;
    let outline = desk.app.run_outline(&run).await.unwrap();
    let mut steps = std::collections::BTreeMap::new();
    let info = tokio::time::timeout(DEADLINE, async {
        loop {
            for change in followed.next().await.unwrap() {
                steps.extend(change.steps.into_iter().map(|step| (step.id.clone(), step)));
                if change.seq == outline.seq {
                    return change.info;
                }
            }
        }
    })
    .await
    .expect("all is told in time");
    assert_eq!(info, outline.info);
    assert_eq!(steps.into_values().collect::<Vec<_>>(), outline.step_list);
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_is_written_only_over_the_text_that_it_was_edited_from() {
    let desk = Desk::new().await;
    let file = desk.write(&["id: a, value: x"]);
    let path = file.display().to_string();
    let text = desk.app.read_flow(&path).await.unwrap();
    let mut watch = desk.app.follow_flow_file(&path).await.unwrap();

    let mine = text.replace("value: x", "value: mine");
    desk.app.write_flow(&path, &mine, &text).await.unwrap();
    let seen = tokio::time::timeout(DEADLINE, watch.changed()).await;
    assert_eq!(
        seen.expect("the change is seen in time"),
        Some(mine.clone())
    );

    let theirs = text.replace("value: x", "value: theirs");
    std::fs::write(&file, &theirs).unwrap();
    let refused = desk.app.write_flow(&path, "mine again", &mine).await;
    assert_eq!(refused.unwrap_err().code, app::Code::Refused);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), theirs);
    let elsewhere = desk.app.read_flow("/etc/passwd").await;
    assert_eq!(elsewhere.unwrap_err().code, app::Code::BadFile);
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worktree_that_vanished_fails_its_step_and_nothing_else() {
    let desk = Desk::new().await;
    std::fs::create_dir(desk.home.path().join("tree")).unwrap();
    let flow = desk.write(&[
        "id: rm, run: 'rmdir ../tree', worktree: tree",
        "id: gone, needs: [rm], run: 'true', worktree: tree",
        "id: asks, needs: [rm], run: 'true', cwd: tree, allow_failure: true",
        "id: other, needs: [rm], run: 'echo fine'",
    ]);
    let view = desk.run(&flow, json!({})).await;
    for step in ["gone", "asks"] {
        let message = last(&view, step).message.clone().unwrap_or_default();
        assert!(message.starts_with("there is no directory"), "{message}");
        assert!(message.contains("/tree` to work in"), "{message}");
    }
    assert_eq!(last(&view, "other").output.as_deref(), Some("fine"));
    desk.app.shutdown().await;
}

/// Every file below a directory that contains `wanted`.
fn files_with(directory: &Path, wanted: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_with(&path, wanted));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(wanted.len()).any(|window| window == wanted)
        {
            found.push(path);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_stands_nowhere_on_disk_however_programs_print_it() {
    let desk = Desk::new().await;
    let file = desk.home.path().join("secret.flow.yaml");
    // A variable that every test has; it is printed letter by letter.
    std::fs::write(
        &file,
        r#"name: secret
inputs: { key: { type: secret, required: true } }
steps:
  - id: pieces
    run: |
      pieces() {
        rest=$KEY
        while [ -n "$rest" ]; do
          tail=${rest#?}
          printf %s "${rest%"$tail"}"
          rest=$tail
        done
      }
      pieces
      pieces >&2
      echo ok
      printf '{"key": "%s"}' "$KEY" > "$SWITCHYARD_OUTPUT"
      echo "the key is $KEY" > /dev/tty
      seq 3000 | sed "s|\$| and the key is $KEY|" > /dev/tty
      exit 3
    env: { KEY: "{{ inputs.key }}" }
    allow_failure: true
  - { id: text, needs: [pieces], value: "{{ inputs.key }} and {{ results.pieces.output }}" }
"#,
    )
    .unwrap();
    let view = desk
        .run(&file, json!({ "key": "CARGO_MANIFEST_DIR" }))
        .await;
    assert_eq!(view.info.state, RunState::Succeeded, "{view:#?}");
    let pieces = last(&view, "pieces");
    assert_eq!(pieces.output.as_deref(), Some("•••ok"));
    assert_eq!(pieces.data, Some(json!({ "key": "•••" }).into()));
    let pane = terminal::PaneId(pieces.pane.unwrap().into());
    let lines = desk.app.ask(terminal::ask::Read {
        pane,
        lines: terminal::ReadLines::Newest { count: 50 },
    });
    let shown: Vec<String> = lines
        .await
        .unwrap()
        .into_iter()
        .map(|line| line.text)
        .collect();
    let secret = env!("CARGO_MANIFEST_DIR");
    assert!(!shown.concat().contains(secret), "{shown:?}");
    assert!(shown.concat().contains("the key is •••"), "{shown:?}");
    desk.app.shutdown().await;
    let found = files_with(desk.home.path(), secret.as_bytes());
    assert_eq!(found, Vec::<PathBuf>::new());
    // Most of the history is compressed: whoever can read it finds what is in it.
    let app = Desk::open(&desk.home).await;
    let in_history = async |pattern: &str| {
        let request = terminal::SearchRequest {
            limit: 500,
            case: terminal::Case::Match,
            ..terminal::SearchRequest::new(pattern, terminal::Scope::All)
        };
        app.search(request, |_| {}).await.unwrap().total
    };
    assert!(in_history("and the key is •••").await >= 2_000);
    assert_eq!(in_history(secret).await, 0);
    app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_stands_nowhere_on_disk_whenever_everything_is_killed() {
    let desk = Desk::new().await;
    let file = desk.home.path().join("secret.flow.yaml");
    std::fs::write(
        &file,
        r#"name: secret
inputs: { key: { type: secret, required: true } }
steps:
  - id: held
    run: |
      echo "the key is $KEY"
      echo "the key is $KEY" >&2
      printf '{"key": "%s"}' "$KEY" > "$SWITCHYARD_OUTPUT"
      cat "$SWITCHYARD_OUTPUT"
      touch written
      sleep 600
    env: { KEY: "{{ inputs.key }}" }
"#,
    )
    .unwrap();
    let inputs = json!({ "key": "CARGO_MANIFEST_DIR" });
    let inputs = inputs.as_object().unwrap().clone();
    let cwd = desk.home.path().display().to_string();
    let run = desk
        .app
        .start_flow(&file.display().to_string(), inputs, cwd)
        .await
        .unwrap();
    let written = desk.home.path().join("written");
    tokio::time::timeout(DEADLINE, async {
        while !written.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the step comes there in time");
    // What is on disk now is what a kill would leave.
    let secret = env!("CARGO_MANIFEST_DIR").as_bytes();
    let now = files_with(desk.home.path(), secret);
    desk.app
        .cancel_run(&run, app::CancelWhat::Run)
        .await
        .unwrap();
    desk.app.run_settled(&run).await;
    desk.app.shutdown().await;
    let after = files_with(desk.home.path(), secret);
    assert_eq!((now, after), (Vec::new(), Vec::new()));
}

/// Starts a flow of these steps and waits until `wanted` holds of it.
async fn started(desk: &Desk, steps: &[&str], wanted: impl AsyncFn(&RunView) -> bool) -> String {
    let file = desk.write(steps).display().to_string();
    let mut changes = desk.app.follow_runs().await.unwrap();
    let cwd = desk.home.path().display().to_string();
    let run = desk
        .app
        .start_flow(&file, serde_json::Map::new(), cwd)
        .await
        .unwrap();
    tokio::time::timeout(DEADLINE, async {
        while !wanted(&desk.app.run_outline(&run).await.unwrap()).await {
            // A program that ends is no change of its run.
            let _ = tokio::time::timeout(Duration::from_millis(100), changes.next()).await;
        }
    })
    .await
    .expect("the run comes there in time");
    run
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_something_left_behind_holds_open_says_so() {
    let desk = Desk::new().await;
    let run = started(
        &desk,
        &["id: held, run: 'sleep 600 & echo done'"],
        async |view| {
            let held = view.step_list[0].attempts.last();
            held.is_some_and(|attempt| attempt.held.is_some())
        },
    )
    .await;
    let why = desk.app.why(&run, "held").await.unwrap();
    let said = why
        .strip_prefix(
            "`held` is held open: its program has ended with exit code 0, but `sleep` (process ",
        )
        .and_then(|rest| {
            rest.strip_suffix(") that it left in the background still has its output open.")
        });
    assert!(said.is_some_and(|pid| pid.parse::<u32>().is_ok()), "{why}");
    desk.app
        .cancel_run(&run, app::CancelWhat::Run)
        .await
        .unwrap();
    desk.app.run_settled(&run).await;
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_step_started_ends_with_it_in_whatever_session_it_is() {
    let desk = Desk::new().await;
    // In a session of its own; without its parent; without the mark of the step in its environment.
    let left = [
        "setsid sh",
        "sh -c 'setsid sh \"$@\" &' sh",
        "env -i setsid sh",
    ];
    let steps: Vec<String> = left
        .iter()
        .enumerate()
        .map(|(number, left)| {
            let daemon = format!("{left} ./daemon pid{number} & sleep 600");
            format!("id: s{number}, run: {}", json!(daemon))
        })
        .collect();
    let daemon = "echo $$ > $1.new; mv $1.new $1; exec sleep 600";
    std::fs::write(desk.home.path().join("daemon"), daemon).unwrap();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let pids: Vec<_> = (0..left.len())
        .map(|number| desk.home.path().join(format!("pid{number}")))
        .collect();
    let run = started(&desk, &steps, async |_| pids.iter().all(|pid| pid.exists())).await;
    let running = || -> Vec<&str> {
        let runs = |pid: &std::path::PathBuf| {
            let pid = std::fs::read_to_string(pid).unwrap();
            std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
                .is_ok_and(|stat| !stat[stat.rfind(')').unwrap()..].starts_with(") Z"))
        };
        let left = left.iter().zip(&pids);
        left.filter(|(_, pid)| runs(pid))
            .map(|(left, _)| *left)
            .collect()
    };
    assert_eq!(running(), left);
    desk.app
        .cancel_run(&run, app::CancelWhat::Run)
        .await
        .unwrap();
    desk.app.run_settled(&run).await;
    assert_eq!(running(), Vec::<&str>::new());
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_is_over_when_nothing_of_it_runs_however_late_the_rest_is_reaped() {
    // Whatever loses its parent comes to this process, which reaps none of it.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let desk = Desk::new().await;
    let file = desk.write(&["id: slow, run: 'sleep 600 | sleep 600', timeout: 300ms"]);
    let view = desk.run(&file, json!({})).await;
    let slow = last(&view, "slow");
    assert_eq!(slow.state, StepState::TimedOut);
    let took = slow.ended_at.unwrap() - slow.started_at;
    assert!(took < 1_300, "{took} ms");
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_works_inside_its_worktree_where_it_says() {
    let desk = Desk::new().await;
    std::fs::create_dir_all(desk.home.path().join("tree/inner")).unwrap();
    let file = desk.write(&[
        "id: in, run: pwd, worktree: tree, cwd: inner",
        "id: missing, run: pwd, worktree: tree, cwd: nowhere, allow_failure: true",
    ]);
    let view = desk.run(&file, json!({})).await;
    let inner = desk.home.path().join("tree/inner");
    assert_eq!(last(&view, "in").output.as_deref(), inner.to_str());
    let why = last(&view, "missing").message.clone().unwrap();
    assert!(
        why.starts_with("there is no directory `nowhere` in the worktree "),
        "{why}"
    );
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persona_is_told_first_and_a_run_keeps_the_one_it_began_with() {
    let desk = Desk::new().await;
    let folder = desk.home.path().join(".switchyard/personas");
    std::fs::create_dir_all(&folder).unwrap();
    let persona = folder.join("reviewer.md");
    std::fs::write(&persona, "---\nmodel: pro\n---\nYou review.\n").unwrap();
    // The first step changes the file under its own run.
    let agent = "agent: { backend: command, program: [cat] }, persona: reviewer";
    let file = desk.write(&[
        &format!("id: before, prompt: One., {agent}"),
        &format!(
            "id: change, needs: [before], env: {{ FILE: '{}' }}, run: 'echo You write. > \"$FILE\"'",
            persona.display()
        ),
        &format!("id: after, needs: [change], prompt: Two., {agent}"),
    ]);
    let view = desk.run(&file, json!({})).await;
    assert_eq!(view.info.state, RunState::Succeeded, "{}", states(&view));
    let said = |step| last(&view, step).output.clone().unwrap_or_default();
    assert_eq!(said("before").trim(), "You review.\n\nOne.");
    assert_eq!(said("after").trim(), "You review.\n\nTwo.");
    desk.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_whose_persona_or_agent_is_nobody_is_refused_before_its_first_step() {
    let desk = Desk::new().await;
    let folder = desk.home.path().join(".switchyard/personas");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("bad.md"), "---\nmodle: pro\n---\nHm.\n").unwrap();
    std::fs::write(folder.join("anyone.md"), "Anyone may.\n").unwrap();
    let mut told = Vec::new();
    for step in [
        "persona: bad",
        "persona: none",
        "persona: anyone",
        "description: x",
    ] {
        let file = desk.write(&[&format!("id: a, prompt: One., {step}")]);
        let file = file.display().to_string();
        let started = desk.app.start_flow(
            &file,
            serde_json::Map::new(),
            desk.home.path().display().to_string(),
        );
        let refused = started.await.expect_err("it is refused").message;
        told.push(refused.replace(&desk.home.path().display().to_string(), ""));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    the flow is refused: 3:5: error: the persona of `a`: `/.switchyard/personas/bad.md`: line 2: unknown field `modle`, there are `description`, `agent`, `provider`, `model` and `mode`
    the flow is refused: 3:5: error: the persona of `a`: there is no persona `none`; there are `anyone`
    the flow is refused: 3:5: error: neither the step `a` nor its persona `anyone` says an agent, and the settings say none (say `agent:` in the persona or the step, or set `flows.agent` in settings.json)
    the flow is refused: 3:5: error: the step `a` says no agent, and the settings say none (say `agent:` or `persona:`, or set `flows.agent` in settings.json)
    ");
    desk.app.shutdown().await;
}
