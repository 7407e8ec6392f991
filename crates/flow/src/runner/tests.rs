//! Runs against a world of a few lines, with a process that can end after any write.

mod admission;
mod durability;
mod faults;
mod lists;
mod orders;
mod recordings;
mod redefine;
mod rounds;
mod secrets;
mod window;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clock::Clock;
use store::Store;
use tokio::sync::{broadcast, watch};

use crate::journal::Journal;
use crate::*;

const DEADLINE: Duration = Duration::from_secs(30);

/// What a step does in the fake world.
#[derive(Debug, Clone, PartialEq)]
enum Does {
    /// Ends with this exit status and output.
    Ends(i32, &'static str),
    /// Fails so many times with this exit status, then succeeds with this output.
    FailsFirst(u32, i32, &'static str),
    /// Fails as long as its `LEFT` is not 0.
    UntilNoneIsLeft,
    /// Runs until it is ended.
    Hangs,
    /// Answers this at first, and that when it is asked once more.
    AnswersAgain(&'static str, &'static str),
    /// Is cut off the first time, as by the end of the pane host, then succeeds.
    CutOff,
}

#[derive(Default)]
struct World {
    does: Mutex<BTreeMap<&'static str, Does>>,
    log: Mutex<Vec<String>>,
    known: Mutex<HashMap<JobKey, Option<Finished>>>,
    stops: Mutex<HashMap<JobKey, watch::Sender<bool>>>,
    written: Mutex<BTreeMap<String, String>>,
    prompts: Mutex<Vec<Job>>,
    /// The variable with the secret is not set any more.
    unset: std::sync::atomic::AtomicBool,
}

impl World {
    fn activity(self: &Arc<Self>, key: &JobKey, ended: Option<Ended>) -> Activity {
        let (stop, mut stopped) = watch::channel(false);
        self.stops.lock().unwrap().insert(key.clone(), stop);
        let ended = async move {
            match ended {
                Some(ended) => ended,
                None => {
                    let _ = stopped.wait_for(|stopped| *stopped).await;
                    std::future::pending().await
                }
            }
        };
        Activity {
            pane: Some(7),
            ..Activity::new(format!("handle of {key}"), ended)
        }
    }
}

struct Fake(Arc<World>);

impl Actions for Fake {
    fn start(&self, job: Job) -> Answer<'_, Result<Activity, ActionError>> {
        Box::pin(async move {
            let does = self
                .0
                .does
                .lock()
                .unwrap()
                .get(job.key.step.as_str())
                .cloned();
            let mut finished = Finished {
                exit_code: Some(0),
                ..Finished::default()
            };
            let finished = match does.clone().unwrap_or(Does::Ends(0, "")) {
                Does::Ends(code, output) => {
                    finished.exit_code = Some(code);
                    finished.output = output.to_owned();
                    Some(finished)
                }
                Does::FailsFirst(times, code, output) => {
                    let fails = job.key.attempt <= times;
                    finished.exit_code = Some(if fails { code } else { 0 });
                    finished.output = if fails {
                        String::new()
                    } else {
                        output.to_owned()
                    };
                    Some(finished)
                }
                Does::UntilNoneIsLeft => {
                    finished.exit_code = job.env["LEFT"].parse().ok();
                    Some(finished)
                }
                Does::AnswersAgain(first, second) => {
                    finished.exit_code = None;
                    let output = if job.key.turn == 1 { first } else { second };
                    finished.output = output.to_owned();
                    Some(finished)
                }
                Does::Hangs => None,
                Does::CutOff => Some(finished),
            };
            self.0
                .log
                .lock()
                .unwrap()
                .push(format!("start {} #{}", job.key.step, job.key.attempt));
            self.0
                .known
                .lock()
                .unwrap()
                .insert(job.key.clone(), finished.clone());
            let ended = match finished {
                Some(_) if does == Some(Does::CutOff) && job.key.attempt == 1 => Some(Ended::Gone),
                finished => finished.map(Ended::Finished),
            };
            let activity = self.0.activity(&job.key, ended);
            self.0.prompts.lock().unwrap().push(job);
            Ok(activity)
        })
    }

    fn find(&self, job: Job, _: Option<String>) -> Answer<'_, Found> {
        Box::pin(async move {
            match self.0.known.lock().unwrap().get(&job.key) {
                Some(Some(finished)) => Found::Ended(finished.clone()),
                Some(None) => Found::Alive(self.0.activity(&job.key, None)),
                None => Found::Gone,
            }
        })
    }

    fn end(&self, key: JobKey, _: String) -> Answer<'_, ()> {
        Box::pin(async move {
            self.0
                .log
                .lock()
                .unwrap()
                .push(format!("end {} #{}", key.step, key.attempt));
            self.0.known.lock().unwrap().remove(&key);
        })
    }

    fn write_output(
        &self,
        _: String,
        file: String,
        text: String,
    ) -> Answer<'_, Result<(), ActionError>> {
        Box::pin(async move {
            self.0.written.lock().unwrap().insert(file, text);
            Ok(())
        })
    }

    fn conflicts(
        &self,
        place: String,
        glob: Option<String>,
    ) -> Answer<'_, Result<String, ActionError>> {
        Box::pin(async move {
            let mut log = self.0.log.lock().unwrap();
            log.push(format!(
                "conflicts {place} {}",
                glob.as_deref().unwrap_or("all")
            ));
            match glob.as_deref() {
                Some("bad/**") => Ok("same_line".to_owned()),
                Some("broken") => Err(ActionError::new("no repository there")),
                _ => Ok("different_area".to_owned()),
            }
        })
    }

    fn env(&self, name: &str) -> Option<String> {
        let unset = self.0.unset.load(std::sync::atomic::Ordering::SeqCst);
        (name == "TOKEN" && !unset).then(|| "hunter2-secret".to_owned())
    }
}

/// Processes by number; those in the first set are alive, those in the second one are stopped.
struct FakeOwners(u32, Arc<Mutex<BTreeSet<u32>>>, Arc<Mutex<BTreeSet<u32>>>);

impl Owners for FakeOwners {
    fn me(&self) -> Owner {
        Owner {
            pid: self.0,
            started: "1".to_owned(),
            boot: "boot".to_owned(),
        }
    }
    fn is_alive(&self, owner: &Owner) -> bool {
        self.1.lock().unwrap().contains(&owner.pid)
    }
    fn is_stopped(&self, owner: &Owner) -> bool {
        self.2.lock().unwrap().contains(&owner.pid)
    }
}

/// A machine with one database, on which processes come and go.
struct Machine {
    store: Store,
    world: Arc<World>,
    alive: Arc<Mutex<BTreeSet<u32>>>,
    stopped: Arc<Mutex<BTreeSet<u32>>>,
    next: u32,
    outputs: tempfile::TempDir,
    agents: u32,
    step_limit: Option<Duration>,
}

impl Machine {
    fn new() -> Self {
        Self {
            store: Store::in_memory(&[SCHEMA]).unwrap(),
            world: Arc::default(),
            alive: Arc::default(),
            stopped: Arc::default(),
            next: 1,
            outputs: tempfile::tempdir().unwrap(),
            agents: 16,
            step_limit: None,
        }
    }

    fn does(self, step: &'static str, does: Does) -> Self {
        self.world.does.lock().unwrap().insert(step, does);
        self
    }

    /// A new process; the earlier ones are still alive.
    fn process(&mut self, stop_after: Option<i64>) -> Flows {
        let actions = Arc::new(Fake(Arc::clone(&self.world)));
        self.process_in(stop_after, actions)
    }

    /// A new process in a world of its own.
    fn process_in(&mut self, stop_after: Option<i64>, actions: Arc<dyn Actions>) -> Flows {
        let number = self.next;
        self.next += 1;
        self.alive.lock().unwrap().insert(number);
        let mut journal = Journal::new(
            self.store.clone(),
            self.outputs.path().to_owned(),
            "boot".to_owned(),
        );
        journal.stop_after = stop_after.map(|writes| Arc::new(AtomicI64::new(writes)));
        Flows::with_journal(
            journal,
            actions,
            Clock::system(),
            Arc::new(FakeOwners(
                number,
                Arc::clone(&self.alive),
                Arc::clone(&self.stopped),
            )),
            RunLimits {
                agents: self.agents,
                step: self.step_limit,
            },
            Vec::new(),
        )
    }

    /// All processes end; a new one begins.
    fn restart(&mut self, stop_after: Option<i64>) -> Flows {
        self.alive.lock().unwrap().clear();
        self.process(stop_after)
    }

    fn log(&self) -> Vec<String> {
        self.world.log.lock().unwrap().clone()
    }
}

async fn start(flows: &Flows, steps: &[&str]) -> String {
    start_with(flows, "", steps, serde_json::json!({})).await
}

async fn start_with(
    flows: &Flows,
    head: &str,
    steps: &[&str],
    inputs: serde_json::Value,
) -> String {
    let mut text = format!("name: test\n{head}steps:\n");
    for step in steps {
        let _ = writeln!(text, "  - {{ {step} }}");
    }
    let inputs = inputs.as_object().unwrap().clone();
    flows
        .start(StartRun {
            text,
            inputs,
            cwd: "/work".to_owned(),
            path: None,
        })
        .await
        .unwrap()
}

/// Waits for an event of the run that satisfies `wanted`.
async fn wait_for(
    events: &mut broadcast::Receiver<FlowEvent>,
    wanted: impl Fn(&Happened) -> bool,
) -> FlowEvent {
    tokio::time::timeout(DEADLINE, async {
        loop {
            let event = events.recv().await.unwrap();
            if wanted(&event.what) {
                return event;
            }
        }
    })
    .await
    .expect("the event comes in time")
}

async fn settled(flows: &Flows, run: &str) -> RunView {
    tokio::time::timeout(DEADLINE, flows.settled(run))
        .await
        .expect("the run ends in time");
    flows.show(run).await.unwrap()
}

fn told(view: &RunView) -> String {
    let mut text = format!("{:?}\n", view.info.state).to_lowercase();
    for step in &view.step_list {
        let _ = write!(text, "{} {:?}", step.id, step.state);
        if let Some(skip) = &step.skip {
            let _ = write!(text, " {:?} from {}", skip.cause, skip.origin);
        }
        if let Some(last) = step.attempts.last() {
            let _ = write!(text, " #{}", last.attempt);
            if let Some(output) = last.output.as_ref().filter(|output| !output.is_empty()) {
                let _ = write!(text, " {output:?}");
            }
            if let Some(message) = &last.message {
                let _ = write!(text, " ({message})");
            }
        }
        text.push('\n');
    }
    text
}

fn yes() -> Given {
    Given {
        approved: true,
        form: serde_json::Map::new(),
        comment: None,
        by_timeout: false,
    }
}

fn no() -> Given {
    Given {
        approved: false,
        ..yes()
    }
}

fn asked(what: &Happened) -> bool {
    matches!(what, Happened::StepAsked { .. })
}

#[tokio::test]
async fn a_chain_hands_its_results_on() {
    let mut machine = Machine::new().does("build", Does::Ends(0, "built 3\n"));
    let flows = machine.process(None);
    let run = start(&flows, &[
        "id: build, run: make",
        "id: note, needs: [build], value: '{{ results.build.output }} things, exit {{ results.build.exit_code }}'",
        "id: S, needs: [note], default: [no_], switch: [{ case: yes, when: results.build.exit_code == 0, steps: [yes_] }]",
        "id: yes_, value: 'took {{ results.S.output }}'",
        "id: no_, value: no",
    ]).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    succeeded
    build Succeeded #1 "built 3"
    note Succeeded #1 "built 3 things, exit 0"
    S Succeeded #1 "branch:yes"
    yes_ Succeeded #1 "took branch:yes"
    no_ Skipped BranchNotTaken from S
    "#);
}

#[tokio::test]
async fn a_step_that_takes_too_long_is_gone_before_it_is_written_down() {
    let mut machine = Machine::new().does("slow", Does::Hangs);
    let flows = machine.process(None);
    let run = start(
        &flows,
        &[
            "id: slow, run: sleep, timeout: 20ms",
            "id: after, needs: [slow], value: x",
        ],
    )
    .await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r"
    failed
    slow TimedOut #1 (it took longer than its `timeout`)
    after Skipped UpstreamFailed from slow
    ");
    assert_eq!(machine.log(), ["start slow #1", "end slow #1"]);
}

#[tokio::test]
async fn a_step_that_says_no_limit_has_the_one_of_the_settings() {
    let mut machine = Machine::new().does("slow", Does::Hangs);
    machine.step_limit = Some(Duration::from_millis(20));
    let flows = machine.process(None);
    let run = start(&flows, &["id: slow, run: sleep"]).await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r"
    failed
    slow TimedOut #1 (it took longer than a step may by the settings (`flows.step_minutes`))
    ");
}

#[tokio::test]
async fn retries_are_numbered_and_kept() {
    let mut machine = Machine::new().does("flaky", Does::FailsFirst(2, 1, ""));
    let flows = machine.process(None);
    let run = start(&flows, &["id: flaky, run: x, retries: 2, backoff: 1ms"]).await;
    let view = settled(&flows, &run).await;
    let states: Vec<_> = view.step_list[0]
        .attempts
        .iter()
        .map(|attempt| attempt.state)
        .collect();
    assert_eq!(
        states,
        [StepState::Failed, StepState::Failed, StepState::Succeeded]
    );
}

#[tokio::test]
async fn an_agent_is_asked_once_more_when_its_answer_does_not_fit() {
    let schema = "output: { type: json, schema: { type: object, required: [kind] } }";
    let agent = "agent: { backend: acp, name: x }";
    let mut machine = Machine::new()
        .does(
            "mended",
            Does::AnswersAgain("It is a bug.", "{\"kind\": \"bug\"}"),
        )
        .does("never", Does::AnswersAgain("{}", "{\"kinds\": 1}"))
        .does("program", Does::AnswersAgain("{}", "{\"kind\": 2}"))
        .does("failed", Does::Ends(1, "{}"));
    let flows = machine.process(None);
    let run = start(
        &flows,
        &[
            &format!("id: mended, {agent}, prompt: Which?, {schema}"),
            &format!("id: never, {agent}, prompt: Which?, {schema}"),
            &format!("id: program, agent: {{ backend: command, program: [x] }}, prompt: Which?, {schema}"),
            &format!("id: failed, {agent}, prompt: Which?, {schema}"),
            "id: next, needs: [mended], value: '{{ results.mended.data.kind }}, attempt {{ results.mended.attempt }}'",
        ],
    )
    .await;
    let view = settled(&flows, &run).await;
    insta::assert_snapshot!(told(&view), @r#"
    failed
    mended Succeeded #1 "{\"kind\": \"bug\"}"
    never Failed #1 "{\"kinds\": 1}" (the output does not fit its schema: "kind" is a required property)
    program Succeeded #1 "{\"kind\": 2}"
    failed Failed #1 "{}" (exit code 1)
    next Succeeded #1 "bug, attempt 1"
    "#);
    let asked = |step: usize| view.step_list[step].attempts[0].asked_again.clone();
    insta::assert_snapshot!(asked(0).unwrap(), @r#"
    Your answer can't be used: the output is no JSON: expected value at line 1 column 1

    Do no further work; give your answer once more, as JSON and nothing else. It must fit this JSON Schema:
    {"type":"object","required":["kind"]}
    "#);
    insta::assert_snapshot!(asked(2).unwrap(), @r#"
    Which?

    Answer with JSON and nothing else. It must fit this JSON Schema:
    {"type":"object","required":["kind"]}

    You have worked on this already, and answered:

    {}

    Your answer can't be used: the output does not fit its schema: "kind" is a required property

    Do no further work; give your answer once more, as JSON and nothing else. It must fit this JSON Schema:
    {"type":"object","required":["kind"]}
    "#);
    assert_eq!(asked(3), None);
    let mut log = machine.log();
    log.sort();
    assert_eq!(
        log,
        [
            "failed", "mended", "mended", "never", "never", "program", "program"
        ]
        .map(|step| format!("start {step} #1"))
    );
}

#[tokio::test]
async fn integers_of_any_size_keep_their_digits_through_the_journal() {
    const LONG: &str = "123456789012345678901234567890";
    let mut machine = Machine::new().does(
        "fenced",
        Does::Ends(
            0,
            "So:\n```json\n{\"n\": 123456789012345678901234567890}\n```\nDone.",
        ),
    );
    let flows = machine.process(None);
    let run = start(
        &flows,
        &[
            "id: fenced, run: x, output: { type: json, schema: { required: [n] } }",
            "id: ask, needs: [fenced], approval: { message: '{{ results.fenced.data.n }}?' }",
            "id: next, needs: [ask], value: '{{ results.fenced.data }}'",
        ],
    )
    .await;
    let mut events = flows.events();
    if flows.show(&run).await.unwrap().info.asks.is_empty() {
        wait_for(&mut events, asked).await;
    }
    // Another process reads it back.
    flows.shutdown().await;
    let flows = machine.restart(None);
    flows.answer(&run, "ask", yes()).await.unwrap();
    let view = settled(&flows, &run).await;
    let next = view.step_list[2].attempts[0].output.clone().unwrap();
    assert_eq!(next, format!("{{\"n\":{LONG}}}"));
    let question = view.step_list[1].attempts[0].question.clone().unwrap();
    assert_eq!(question.message, format!("{LONG}?"));
    let shown = serde_json::to_string(&view).unwrap();
    assert!(
        shown.contains(&format!("\"data\":{{\"n\": {LONG}}}")),
        "{shown}"
    );
}

#[tokio::test]
async fn only_the_named_exit_codes_are_retried() {
    let mut machine = Machine::new()
        .does("a", Does::Ends(2, ""))
        .does("b", Does::Ends(75, ""));
    let flows = machine.process(None);
    let run = start(
        &flows,
        &[
            "id: a, run: x, retries: 1, backoff: 1ms, retry_on: [75]",
            "id: b, run: x, retries: 1, backoff: 1ms, retry_on: [75]",
        ],
    )
    .await;
    let view = settled(&flows, &run).await;
    assert_eq!(
        view.step_list
            .iter()
            .map(|step| step.attempts.len())
            .collect::<Vec<_>>(),
        [1, 2]
    );
}

#[tokio::test]
async fn cancelling_a_run_ends_what_runs_and_skips_the_rest() {
    let mut machine = Machine::new().does("slow", Does::Hangs);
    let flows = machine.process(None);
    let mut events = flows.events();
    let run = start(
        &flows,
        &[
            "id: slow, run: x",
            "id: ask, approval: { message: Well }",
            "id: after, needs: [slow], value: x",
        ],
    )
    .await;
    wait_for(&mut events, |what| {
        matches!(what, Happened::StepAttached { .. })
    })
    .await;
    flows.cancel(&run).await.unwrap();
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r"
    cancelled
    slow Cancelled #1
    ask Cancelled #1
    after Skipped RunCancelled from after
    ");
    assert_eq!(machine.log().last().unwrap(), "end slow #1");

    // A person may think better of it.
    machine
        .world
        .does
        .lock()
        .unwrap()
        .insert("slow", Does::Ends(0, ""));
    flows.resume(&run).await.unwrap();
    wait_for(&mut events, asked).await;
    flows.answer(&run, "ask", yes()).await.unwrap();
    assert_eq!(settled(&flows, &run).await.info.state, RunState::Succeeded);
}

#[tokio::test]
async fn what_tidies_up_does_so_when_the_run_is_cancelled() {
    let mut machine = Machine::new().does("slow", Does::Hangs);
    let flows = machine.process(None);
    let mut events = flows.events();
    let attached = |what: &Happened| matches!(what, Happened::StepAttached { .. });
    let run = start(
        &flows,
        &[
            "id: slow, run: x",
            "id: next, needs: [slow], run: x",
            "id: tidy, needs: [slow, next], trigger: all_settled, run: x",
            "id: report, needs: [tidy], value: x",
            "id: told, needs: [tidy], trigger: all_settled, value: '{{ results.tidy.state }}'",
        ],
    )
    .await;
    wait_for(&mut events, attached).await;
    flows.cancel(&run).await.unwrap();
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    cancelled
    slow Cancelled #1
    next Skipped RunCancelled from next
    tidy Succeeded #1
    report Skipped RunCancelled from report
    told Succeeded #1 "succeeded"
    "#);
    assert_eq!(
        machine.log(),
        ["start slow #1", "end slow #1", "start tidy #1"]
    );

    // Whoever does not want to wait for that says so again.
    machine
        .world
        .does
        .lock()
        .unwrap()
        .insert("tidy", Does::Hangs);
    flows.resume(&run).await.unwrap();
    wait_for(&mut events, attached).await;
    flows.cancel(&run).await.unwrap();
    let tidies =
        |what: &Happened| matches!(what, Happened::StepAttached { step, .. } if step == "tidy");
    wait_for(&mut events, tidies).await;
    flows.cancel(&run).await.unwrap();
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    cancelled
    slow Cancelled #2
    next Skipped RunCancelled from next
    tidy Cancelled #2
    report Skipped RunCancelled from report
    told Skipped RunCancelled from told #1 "succeeded"
    "#);
}

#[tokio::test]
async fn a_condition_that_can_t_be_evaluated_is_no_run_of_its_step() {
    let mut machine = Machine::new().does("a", Does::Ends(0, "text"));
    let flows = machine.process(None);
    let run = start(
        &flows,
        &[
            "id: a, run: x",
            "id: b, needs: [a], when: results.a.output, run: x",
            "id: c, needs: [b], run: x",
        ],
    )
    .await;
    let view = settled(&flows, &run).await;
    assert_eq!(view.step_list[1].attempts.len(), 0);
    insta::assert_snapshot!(flows.why(&run, "b").await.unwrap(), @r#"`b` failed without having run: its condition: `results.a.output` is the text `text` and not `true` or `false`; compare it, as in `… == "yes"`."#);
    insta::assert_snapshot!(flows.why(&run, "c").await.unwrap(), @r#"
    `c` did not run, because `b`, which it depends on, did not succeed.
    `b` failed without having run: its condition: `results.a.output` is the text `text` and not `true` or `false`; compare it, as in `… == "yes"`.
    "#);
    // Once it is done again, it is no longer said.
    machine.world.does.lock().unwrap().insert("a", Does::Hangs);
    flows.rerun_from(&run, "a").await.unwrap();
    assert_eq!(
        flows.show(&run).await.unwrap().step_list[1].guard_error,
        None
    );
}

#[tokio::test]
async fn approvals_take_forms_and_several_are_open_at_once() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let mut events = flows.events();
    let run = start(&flows, &[
        "id: one, approval: { message: 'Which of {{ run.flow }}?', form: { kind: { type: enum, values: [bug, docs], required: true } } }",
        "id: two, approval: { message: Two }",
        "id: end, needs: [one, two], value: '{{ results.one.data.kind }} {{ results.two.output }}'",
    ]).await;
    wait_for(&mut events, asked).await;
    wait_for(&mut events, asked).await;
    let view = flows.show(&run).await.unwrap();
    assert_eq!(
        (view.info.state, view.info.asks),
        (RunState::Waiting, vec!["one".to_owned(), "two".to_owned()])
    );
    let question = view.step_list[0].attempts[0]
        .question
        .as_ref()
        .unwrap()
        .message
        .clone();
    assert_eq!(question, "Which of test?");

    let missing = flows
        .answer(&run, "one", yes())
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(missing, "the field `kind` is required");
    let mut given = yes();
    given.form.insert("kind".to_owned(), "tea".into());
    let wrong = flows
        .answer(&run, "one", given.clone())
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        wrong,
        "the field `kind` must be one of `bug`, `docs`, not `tea`"
    );
    given.form.insert("kind".to_owned(), "docs".into());
    flows.answer(&run, "two", yes()).await.unwrap();
    flows.answer(&run, "one", given).await.unwrap();
    let view = settled(&flows, &run).await;
    assert_eq!(
        view.step_list[2].attempts[0].output.as_deref(),
        Some("docs approved")
    );
    assert!(matches!(
        flows.answer(&run, "two", yes()).await,
        Err(RequestError::NotAsked { .. })
    ));
}

#[tokio::test]
async fn an_approval_that_nobody_answers_means_what_its_author_said() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let run = start(
        &flows,
        &[
            "id: fail, approval: { message: x, timeout: 5ms }",
            "id: reject, approval: { message: x, timeout: 5ms, on_timeout: reject }",
            "id: approve, approval: { message: x, timeout: 5ms, on_timeout: approve }",
        ],
    )
    .await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    failed
    fail TimedOut #1 (nobody answered in time)
    reject Rejected #1 "rejected" (nobody answered in time)
    approve Succeeded #1 "approved" (nobody answered in time)
    "#);
}

#[tokio::test]
async fn a_rejection_may_go_back_and_do_it_again() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let mut events = flows.events();
    let run = start(
        &flows,
        &[
            "id: before, run: x",
            "id: work, needs: [before], run: x",
            "id: ok, needs: [work], approval: { message: Fine, on_reject: { goto: work } }",
            "id: end, needs: [ok], value: done",
        ],
    )
    .await;
    wait_for(&mut events, asked).await;
    flows.answer(&run, "ok", no()).await.unwrap();
    wait_for(&mut events, asked).await;
    flows.answer(&run, "ok", yes()).await.unwrap();
    let view = settled(&flows, &run).await;
    assert_eq!(
        machine.log(),
        ["start before #1", "start work #1", "start work #2"]
    );
    let states: Vec<_> = view.step_list[2]
        .attempts
        .iter()
        .map(|attempt| attempt.state)
        .collect();
    assert_eq!(states, [StepState::Rejected, StepState::Succeeded]);
    assert_eq!(view.info.state, RunState::Succeeded);
}

#[tokio::test]
async fn what_failed_can_be_retried_and_marked_and_run_again() {
    let mut machine = Machine::new().does("bad", Does::Ends(1, ""));
    let flows = machine.process(None);
    let run = start(
        &flows,
        &[
            "id: good, run: x",
            "id: bad, needs: [good], run: x",
            "id: end, needs: [bad], run: x",
        ],
    )
    .await;
    assert_eq!(settled(&flows, &run).await.info.state, RunState::Failed);

    flows.retry_failed(&run).await.unwrap();
    assert_eq!(settled(&flows, &run).await.info.state, RunState::Failed);
    flows.mark_succeeded(&run, "bad", "by hand").await.unwrap();
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    succeeded
    good Succeeded #1
    bad Succeeded #3 "by hand" (marked by a person)
    end Succeeded #1
    "#);
    assert!(matches!(
        flows.retry_failed(&run).await,
        Err(RequestError::NothingFailed)
    ));

    flows.rerun_from(&run, "bad").await.unwrap();
    let view = settled(&flows, &run).await;
    assert_eq!(view.info.state, RunState::Failed);
    let attempts: Vec<_> = view
        .step_list
        .iter()
        .map(|step| step.attempts.len())
        .collect();
    assert_eq!(attempts, [1, 4, 1], "earlier attempts are kept");
    flows.rerun_from(&run, "good").await.unwrap();
    let view = settled(&flows, &run).await;
    let attempts: Vec<_> = view
        .step_list
        .iter()
        .map(|step| step.attempts.len())
        .collect();
    assert_eq!(attempts, [2, 5, 1], "what follows is done again");

    flows.mark_skipped(&run, "bad").await.unwrap();
    let view = settled(&flows, &run).await;
    assert_eq!(
        view.step_list[1].skip.as_ref().unwrap().cause,
        SkipCause::User
    );
    assert_eq!(
        view.step_list[2].skip.as_ref().unwrap().cause,
        SkipCause::AllInputsDead
    );
}

#[tokio::test]
async fn json_output_is_checked_and_a_mismatch_fails_the_step() {
    let mut machine = Machine::new()
        .does("good", Does::Ends(0, r#"{"kind": "bug"}"#))
        .does("text", Does::Ends(0, "no json"))
        .does("other", Does::Ends(0, "{}"));
    let flows = machine.process(None);
    let output = "output: { type: json, schema: { required: [kind] } }";
    let run = start(
        &flows,
        &[
            &format!("id: good, run: x, {output}"),
            &format!("id: text, run: x, {output}"),
            &format!("id: other, run: x, {output}"),
        ],
    )
    .await;
    let view = told(&settled(&flows, &run).await);
    assert!(view.contains("good Succeeded"), "{view}");
    assert!(
        view.contains("text Failed #1 \"no json\" (the output is no JSON"),
        "{view}"
    );
    assert!(
        view.contains(
            "other Failed #1 \"{}\" (the output does not fit its schema: \"kind\" is a required"
        ),
        "{view}"
    );
}

#[tokio::test]
async fn a_long_output_lies_beside_the_database() {
    static LONG: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| "0123456789".repeat(50_000));
    let mut machine = Machine::new().does("long", Does::Ends(0, &LONG));
    let flows = machine.process(None);
    let run = start(
        &flows,
        &[
            "id: long, run: x",
            "id: length, needs: [long], value: '{{ results.long.output | length }}'",
        ],
    )
    .await;
    let view = settled(&flows, &run).await;
    let attempt = &view.step_list[0].attempts[0];
    assert_eq!(attempt.output.as_ref().unwrap().len(), 64 << 10);
    assert_eq!(
        std::fs::read_to_string(attempt.output_file.as_ref().unwrap())
            .unwrap()
            .len(),
        500_000
    );
    assert_eq!(
        view.step_list[1].attempts[0].output.as_deref(),
        Some("500000")
    );
}

#[tokio::test]
async fn the_output_of_the_run_is_written_when_it_succeeded() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    start_and_settle(
        &flows,
        "output: { file: '{{ run.flow }}.md', render: 'said {{ results.v.output }}' }\n",
        &["id: v, value: x"],
    )
    .await;
    assert_eq!(machine.world.written.lock().unwrap()["test.md"], "said x");
}

async fn start_and_settle(flows: &Flows, head: &str, steps: &[&str]) -> RunView {
    let run = start_with(flows, head, steps, serde_json::json!({})).await;
    settled(flows, &run).await
}

#[tokio::test]
async fn a_cut_off_step_is_treated_as_its_author_said() {
    let mut machine = Machine::new();
    for step in ["ask", "fail", "rerun", "idem", "alive"] {
        machine = machine.does(step, Does::Hangs);
    }
    let flows = machine.process(None);
    let mut events = flows.events();
    let run = start(
        &flows,
        &[
            "id: ask, run: x",
            "id: fail, run: x, on_interrupt: fail",
            "id: rerun, run: x, on_interrupt: rerun",
            "id: idem, run: x, idempotent: true",
            "id: alive, run: x",
        ],
    )
    .await;
    for _ in 0..5 {
        wait_for(&mut events, |what| {
            matches!(what, Happened::StepAttached { .. })
        })
        .await;
    }
    flows.shutdown().await;
    drop(flows);
    {
        // The programs are gone, but for one.
        let mut known = machine.world.known.lock().unwrap();
        known.retain(|key, _| key.step == "alive");
        let mut does = machine.world.does.lock().unwrap();
        for step in ["ask", "rerun", "idem"] {
            does.insert(step, Does::Ends(0, ""));
        }
    }
    let flows = machine.restart(None);
    assert_eq!(
        flows.show(&run).await.unwrap().info.state,
        RunState::Interrupted
    );
    let mut events = flows.events();
    flows.resume_interrupted().await.unwrap();
    wait_for(&mut events, asked).await;
    flows.answer(&run, "ask", yes()).await.unwrap();
    wait_for(
        &mut events,
        |what| matches!(what, Happened::StepEnded { step, .. } if step == "ask"),
    )
    .await;
    flows.cancel_step(&run, "alive").await.unwrap();
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r"
    failed
    ask Succeeded #2
    fail Failed #1 (it was cut off, and nothing is known of what it had done)
    rerun Succeeded #2
    idem Succeeded #2
    alive Cancelled #1
    ");
    assert!(
        machine.log().contains(&"end alive #1".to_owned()),
        "it was adopted, and so could be ended"
    );
}

#[tokio::test]
async fn a_step_that_is_cut_off_while_its_run_goes_on_is_treated_as_its_author_said() {
    let mut machine = Machine::new();
    for step in ["ask", "fail", "rerun"] {
        machine = machine.does(step, Does::CutOff);
    }
    let flows = machine.process(None);
    let mut events = flows.events();
    let run = start(
        &flows,
        &[
            "id: ask, run: x",
            "id: fail, run: x, on_interrupt: fail, retries: 1",
            "id: rerun, run: x, on_interrupt: rerun",
        ],
    )
    .await;
    wait_for(&mut events, asked).await;
    flows.answer(&run, "ask", yes()).await.unwrap();
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r"
    failed
    ask Succeeded #2
    fail Failed #1 (it was cut off, and nothing is known of what it had done)
    rerun Succeeded #2
    ");
}

#[tokio::test]
async fn a_run_has_one_driver_and_other_processes_can_ask_it() {
    let mut machine = Machine::new();
    let (one, two) = (machine.process(None), machine.process(None));
    let mut events = one.events();
    let run = start(
        &one,
        &[
            "id: ask, approval: { message: Well }",
            "id: end, needs: [ask], value: x",
        ],
    )
    .await;
    wait_for(&mut events, asked).await;
    assert_eq!(two.resume_interrupted().await.unwrap(), [""; 0]);
    assert_eq!(two.show(&run).await.unwrap().info.state, RunState::Waiting);
    let refused = two.answer(&run, "end", yes()).await.unwrap_err();
    assert_eq!(refused.to_string(), "`end` does not wait for an answer");
    two.answer(&run, "ask", yes()).await.unwrap();
    assert_eq!(settled(&one, &run).await.info.state, RunState::Succeeded);
}

#[tokio::test]
async fn an_agent_is_told_the_schema_of_its_answer() {
    let mut machine = Machine::new().does("a", Does::Ends(0, "So:\n```json\n{\"kind\": 1}\n```\n"));
    let flows = machine.process(None);
    let view = start_and_settle(
        &flows,
        "",
        &["id: a, agent: { backend: command, program: [x] }, prompt: what?, output: { type: json, schema: { required: [kind] } }"],
    )
    .await;
    assert_eq!(view.info.state, RunState::Succeeded, "{view:?}");
    let jobs = machine.world.prompts.lock().unwrap();
    let Work::Agent { prompt, .. } = &jobs[0].work else {
        panic!("{jobs:?}")
    };
    assert!(prompt.starts_with("what?\n\nAnswer with JSON"), "{prompt}");
    assert!(prompt.contains(r#"{"required":["kind"]}"#), "{prompt}");
}

#[tokio::test]
async fn what_is_too_long_for_a_program_says_what_to_do() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let long = "{{ 'x' * 140000 }}";
    let view = start_and_settle(
        &flows,
        "",
        &[
            &format!("id: a, run: x, env: {{ LONG: \"{long}\" }}, allow_failure: true"),
            &format!("id: b, agent: {{ backend: command, program: [x], prompt_by: arg }}, prompt: \"{long}\", allow_failure: true"),
        ],
    )
    .await;
    let view = told(&view);
    assert!(view.contains("`env.LONG` is 136 KB long, and a program takes no more than 128 KB at once: write it to a file"), "{view}");
    assert!(view.contains("`prompt` is 136 KB long, and a program takes no more than 128 KB at once: say `prompt_by: stdin`"), "{view}");
}

#[tokio::test]
async fn a_process_that_was_stopped_keeps_nobody_waiting() {
    let mut machine = Machine::new();
    let (theirs, ours) = (machine.process(None), machine.process(None));
    let mut events = theirs.events();
    let run = start(&theirs, &["id: ask, approval: { message: go }"]).await;
    wait_for(&mut events, asked).await;
    // Nothing of a process that is stopped runs; its run is still its own.
    theirs.shutdown().await;
    let owner = FakeOwners(1, Arc::clone(&machine.alive), Arc::default()).me();
    let owners: Arc<dyn Owners> =
        Arc::new(FakeOwners(1, Arc::clone(&machine.alive), Arc::default()));
    theirs
        .inner
        .shared
        .journal
        .claim(&run, owner, owners)
        .await
        .unwrap();
    machine.stopped.lock().unwrap().insert(1);
    let began = std::time::Instant::now();
    let refused = ours.answer(&run, "ask", yes()).await.unwrap_err();
    assert!(
        matches!(refused, RequestError::StoppedProcess { pid: 1 }),
        "{refused}"
    );
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_directory_beside_a_worktree_is_inside_of_it() {
    let mut machine = Machine::new();
    let flows = machine.process(None);
    let run = start(
        &flows,
        &[
            "id: a, run: x, worktree: tree, cwd: crates/app",
            "id: b, run: x, worktree: new",
            "id: c, run: x, worktree: tree, cwd: ../elsewhere, allow_failure: true",
        ],
    )
    .await;
    let view = told(&settled(&flows, &run).await);
    assert!(
        view.contains("`../elsewhere` is not inside the worktree"),
        "{view}"
    );
    let jobs = machine.world.prompts.lock().unwrap();
    let places: BTreeMap<_, _> = jobs
        .iter()
        .map(|job| {
            (
                job.key.step.as_str(),
                (job.cwd.as_str(), &job.worktree, job.inside.as_deref()),
            )
        })
        .collect();
    let tree = Some(WorktreeWish::Path("/work/tree".to_owned()));
    assert_eq!(places["a"], ("/work", &tree, Some("crates/app")));
    assert_eq!(places["b"], ("/work", &Some(WorktreeWish::New), None));
    assert!(!places.contains_key("c"));
}

#[tokio::test]
async fn why_a_step_did_not_run_is_said_in_sentences() {
    let mut machine = Machine::new().does("bad", Does::Ends(3, ""));
    let flows = machine.process(None);
    let run = start_with(
        &flows,
        "inputs: { kind: { type: text, default: bug } }\n",
        &[
            "id: bad, run: x",
            "id: after, needs: [bad], value: x",
            "id: S, default: [y], switch: [{ case: a, when: inputs.kind == 'bug', steps: [x] }]",
            "id: x, value: x",
            "id: y, value: y",
            "id: g, value: g, when: inputs.kind == 'docs'",
        ],
        serde_json::json!({}),
    )
    .await;
    settled(&flows, &run).await;
    let mut text = String::new();
    for step in ["after", "y", "g", "x"] {
        text += &flows.why(&run, step).await.unwrap();
        text.push('\n');
    }
    insta::assert_snapshot!(text, @r#"
    `after` did not run, because `bad`, which it depends on, did not succeed.
    `bad` failed: exit code 3.
    `y` did not run, because the switch `S` took the case `a`.
      case `a`: `inputs.kind == 'bug'` was true; it saw inputs.kind = "bug"
    `g` did not run, because its condition was false: `inputs.kind == 'docs'`.
    `x` ran and succeeded.
    "#);
}

// ---- conditions that ask about the world -----------------------------------------------------

#[tokio::test]
async fn a_condition_may_ask_about_conflicts_and_is_decided_once() {
    let mut machine = Machine::new().does("slow", Does::FailsFirst(1, 1, ""));
    let flows = machine.process(None);
    let run = start(
        &flows,
        &[
            "id: slow, run: x, retries: 1, backoff: 1ms, when: 'conflicts(\"src/**\") < \"same_line\"'",
            "id: bad, run: x, cwd: tree, when: 'conflicts(\"bad/**\") < \"same_line\"'",
            "id: after, needs: [bad], run: x",
            "id: error, run: x, when: 'conflicts(\"broken\") == \"none\"'",
            "id: S, default: [no_], switch: [{ case: yes, when: 'conflicts() >= \"different_area\"', steps: [yes_] }]",
            "id: yes_, value: x",
            "id: no_, value: x",
        ],
    )
    .await;
    insta::assert_snapshot!(told(&settled(&flows, &run).await), @r#"
    failed
    slow Succeeded #2
    bad Skipped GuardFalse from bad
    after Skipped AllInputsDead from bad
    error Failed
    S Succeeded #1 "branch:yes"
    yes_ Succeeded #1 "x"
    no_ Skipped BranchNotTaken from S
    "#);
    let looks: Vec<_> = machine
        .log()
        .into_iter()
        .filter(|line| line.starts_with("conflicts"))
        .collect();
    assert_eq!(
        looks,
        [
            "conflicts /work src/**",
            "conflicts /work/tree bad/**",
            "conflicts /work broken",
            "conflicts /work all"
        ]
    );
    insta::assert_snapshot!(flows.why(&run, "bad").await.unwrap(), @r#"
    `bad` did not run, because its condition was false: `conflicts("bad/**") < "same_line"`.
      its condition: `conflicts("bad/**") < "same_line"` was false; it saw conflicts("bad/**") = "same_line"
    "#);
}
