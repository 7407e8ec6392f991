//! Runs of the samples, recorded as a window is told of them, so that the page can be tested with what the engine says.
//!
//! A recording is made by the engine itself on a stage where nothing takes time: steps end when the script says so, and
//! the clock goes forward by a second for each line of it. Beside the runs there is what the engine says of the flow
//! before it runs: of texts with mistakes, and of plans. `make schemas` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde_json::json;
use tokio::sync::oneshot;

use super::*;
use crate::request::Request;
use crate::simulate::Unnamed;

/// One flow, what is said of it, and ways that runs of it went.
#[derive(Serialize)]
struct Recording {
    /// The file of the flow, from the root of the repository.
    file: String,
    text: String,
    description: Option<String>,
    inputs: Vec<InputInfo>,
    graph: FlowGraph,
    definitions: BTreeMap<String, StepDefinition>,
    looks: Vec<Look>,
    plans: Vec<Plan>,
    takes: Vec<Take>,
}

/// What a look at a text says.
#[derive(Serialize)]
struct Look {
    /// What was written at the end of the file.
    adds: &'static str,
    good: bool,
    findings: Vec<Finding>,
}

/// The way that a run would take.
#[derive(Serialize)]
struct Plan {
    stubs: Stubs,
    simulation: Simulation,
}

/// One run, from its start to where the script leaves it.
#[derive(Serialize)]
struct Take {
    name: &'static str,
    inputs: serde_json::Value,
    /// What a window that opens the run at once is given.
    opened: RunView,
    /// Why each step is as it is then.
    why: BTreeMap<String, String>,
    moments: Vec<Moment>,
    /// What a window that opens the run at the end is given.
    left: RunView,
    /// Each step in full, as it is at the end.
    steps: BTreeMap<String, StepView>,
}

#[derive(Serialize)]
struct Moment {
    /// What moved the run: a step that ended, the time, or what a person asked for.
    by: serde_json::Value,
    change: RunChange,
    /// The reasons that are others than before.
    why: BTreeMap<String, String>,
}

/// A line of a script.
enum Line {
    /// An attempt at this step ends with this exit status and output.
    Ends(&'static str, i32, &'static str),
    /// So many seconds pass.
    Passes(u64),
    Asked(Request),
}

use Line::{Asked, Ends, Passes};

fn answer(step: &str, approved: bool, form: serde_json::Value) -> Line {
    comment(step, approved, form, None)
}

fn comment(step: &str, approved: bool, form: serde_json::Value, said: Option<&str>) -> Line {
    let form = form.as_object().unwrap().clone();
    let given = Given {
        approved,
        form,
        comment: said.map(str::to_owned),
        ..no()
    };
    Asked(Request::Answer {
        step: step.to_owned(),
        given,
    })
}

const PLANS_BUG: Line = Ends(
    "plan",
    0,
    r#"{"kind": "bug", "summary": "The login button does nothing"}"#,
);

/// What a take is called, the inputs, and what happens.
type Script = (&'static str, serde_json::Value, Vec<Line>);

fn takes(sample: &str) -> Vec<Script> {
    match sample {
        "triage" => vec![
            (
                "a bug is fixed and shipped",
                json!({}),
                vec![
                    PLANS_BUG,
                    Ends("fix", 0, "fixed The login button does nothing\n"),
                    Ends(
                        "test",
                        0,
                        "\u{1b}[32m✔\u{1b}[0m 214 tests run: \u{1b}[1m214 passed\u{1b}[0m\nall good\n",
                    ),
                    answer("ship", true, json!({})),
                ],
            ),
            (
                "a fix fails, and what failed is tried again",
                json!({}),
                vec![
                    PLANS_BUG,
                    Ends("fix", 1, "no idea\n"),
                    Asked(Request::RetryFailed),
                    Ends("fix", 0, "fixed\n"),
                    Ends("test", 0, "all good\n"),
                    answer("ship", false, json!({})),
                    PLANS_BUG,
                ],
            ),
            (
                "docs are written",
                json!({ "question": "The docs say nothing of keys" }),
                vec![
                    Ends(
                        "plan",
                        0,
                        r#"{"kind": "docs", "summary": "The docs say nothing of keys"}"#,
                    ),
                    Ends("write", 0, "wrote\n"),
                    answer("ship", true, json!({})),
                ],
            ),
            (
                "a person is asked what it is",
                json!({}),
                vec![
                    Ends("plan", 0, r#"{"kind": "other", "summary": "Hm"}"#),
                    answer("ask", true, json!({ "kind": "docs" })),
                ],
            ),
            (
                "it is cancelled, and gone on with",
                json!({}),
                vec![PLANS_BUG, Asked(Request::CancelRun), Asked(Request::Resume)],
            ),
            (
                "the plan fails, is tried again, and the run is cancelled",
                json!({}),
                vec![
                    Ends("plan", 1, ""),
                    Asked(Request::RetryFailed),
                    Asked(Request::CancelRun),
                ],
            ),
            (
                "the plan is no JSON",
                json!({}),
                vec![
                    Ends("plan", 0, "I would rather not\n"),
                    // It is asked once more.
                    Ends("plan", 0, "No.\n"),
                ],
            ),
            (
                "steps are marked by a person, and run anew from one on",
                json!({}),
                vec![
                    PLANS_BUG,
                    Asked(Request::MarkSucceeded {
                        step: "fix".to_owned(),
                        output: "by hand".to_owned(),
                    }),
                    Asked(Request::MarkSkipped {
                        step: "test".to_owned(),
                    }),
                    Asked(Request::RerunFrom {
                        step: "route".to_owned(),
                    }),
                    Asked(Request::CancelStep {
                        step: "fix".to_owned(),
                    }),
                ],
            ),
        ],
        "reviews" => vec![(
            "two at once, one of them complains",
            json!({}),
            vec![
                Ends("correctness", 0, "the change is correct\n"),
                Ends("security", 0, "the change is safe\n"),
                Ends("speed", 1, "the change is slow\n"),
                Ends("style", 0, "the change reads well\n"),
                Ends("docs", 0, "the change is documented\n"),
            ],
        )],
        "build-and-test" => vec![
            (
                "all is well",
                json!({}),
                vec![
                    Ends("build", 0, "built\n"),
                    Ends("lint", 0, "no complaints\n"),
                    Ends("test", 0, "12 tests passed\n"),
                ],
            ),
            (
                "tests fail twice",
                json!({}),
                vec![
                    Ends("build", 0, "built\n"),
                    Ends("test", 101, "1 test failed\n"),
                    Ends("lint", 1, "a complaint\n"),
                    Ends("test", 101, "1 test failed\n"),
                ],
            ),
        ],
        "retry" => vec![
            (
                "third time lucky",
                json!({}),
                vec![
                    Ends("flaky", 75, ""),
                    Passes(1),
                    Ends("flaky", 75, "not yet\n"),
                    Passes(1),
                    Ends("flaky", 0, "third time lucky\n"),
                ],
            ),
            (
                "a person does not wait for the second try, and then tries again",
                json!({}),
                vec![
                    Ends("flaky", 75, ""),
                    Asked(Request::CancelStep {
                        step: "flaky".to_owned(),
                    }),
                    Asked(Request::RetryFailed),
                    Ends("flaky", 0, "lucky\n"),
                ],
            ),
        ],
        "release" => vec![
            (
                "a minor one",
                json!({}),
                vec![
                    Ends("test", 0, "all good\n"),
                    comment(
                        "ship",
                        true,
                        json!({ "version": "minor" }),
                        Some("well done"),
                    ),
                ],
            ),
            (
                "what is offered is taken",
                json!({}),
                vec![
                    Ends("test", 0, "all good\n"),
                    answer("ship", true, json!({ "version": "patch" })),
                ],
            ),
        ],
        "nested" => vec![
            ("large and risky", json!({}), vec![]),
            ("small", json!({ "size": "small" }), vec![]),
        ],
        "each-part" => vec![
            (
                "one of three is not fine, and is looked at again",
                json!({}),
                vec![
                    Ends("list", 0, "[\"docs\", \"src\", \"tests\"]"),
                    Ends("look.1", 0, "part 1, docs, is fine\n"),
                    Ends("look.2", 3, "no such part\n"),
                    Ends("look.3", 0, "part 3, tests, is fine\n"),
                    Asked(Request::RetryFailed),
                    Ends("look.2", 0, "part 2, src, is fine\n"),
                ],
            ),
            (
                "two are at work",
                json!({}),
                vec![Ends("list", 0, "[\"docs\", \"src\", \"tests\"]")],
            ),
        ],
        "until-green" => vec![
            (
                "green in the third round",
                json!({}),
                vec![
                    Ends("fix", 0, "I looked into it\n"),
                    Ends("test", 2, "2 tests fail\n"),
                    Ends("fix", 0, "I looked again\n"),
                    Ends("test", 1, "1 tests fail\n"),
                    Ends("fix", 0, "That was it\n"),
                    Ends("test", 0, "0 tests fail\n"),
                ],
            ),
            (
                "the second round is under way",
                json!({}),
                vec![
                    Ends("fix", 0, "I looked into it\n"),
                    Ends("test", 2, "2 tests fail\n"),
                    Ends("fix", 0, "I looked again\n"),
                ],
            ),
        ],
        "hello" => vec![(
            "in the evening",
            json!({ "name": "Ada" }),
            vec![
                Ends("look", 0, "this machine runs Linux\n"),
                Ends("hour", 0, "19\n"),
            ],
        )],
        other => panic!("no takes of {other}"),
    }
}

/// What is written at the end of a flow before it is looked at.
fn looks(sample: &str) -> &'static [&'static str] {
    match sample {
        "release" => &["", "  - { id: more, needs: [nowhere], run: echo more }"],
        _ => &[""],
    }
}

fn plans(sample: &str) -> Vec<serde_json::Value> {
    match sample {
        "triage" => vec![
            json!({ "inputs": { "question": "The login button does nothing" } }),
            json!({
                "inputs": { "question": "The login button does nothing" },
                "switches": { "route": 0 },
            }),
            json!({
                "inputs": { "question": "The login button does nothing" },
                "switches": { "route": 1 },
            }),
            json!({
                "inputs": { "question": "The login button does nothing" },
                "switches": { "route": 1 },
                "steps": { "write": { "state": "failed" } },
            }),
        ],
        _ => vec![json!({})],
    }
}

/// Where steps end when they are told to.
struct Stage {
    /// The panes are numbered as the steps are.
    panes: Vec<String>,
    at_work: Mutex<HashMap<String, oneshot::Sender<Finished>>>,
}

impl Actions for Stage {
    fn start(&self, job: Job) -> Answer<'_, Result<Activity, ActionError>> {
        let (tell, told) = oneshot::channel();
        let key = job.key.to_string();
        self.at_work
            .lock()
            .unwrap()
            .insert(job.key.step.clone(), tell);
        // Those of the items of a list come after those of all steps.
        let (whole, item) = job.key.step.split_once('.').unwrap_or((&job.key.step, "0"));
        let place = self.panes.iter().position(|step| step == whole);
        let place = place.map(|place| place + 100 * item.parse::<usize>().unwrap());
        Box::pin(async move {
            let ended = async move {
                match told.await {
                    Ok(finished) => Ended::Finished(finished),
                    Err(_) => std::future::pending().await,
                }
            };
            Ok(Activity {
                pane: place.map(|place| u32::try_from(place).unwrap() + 1),
                ..Activity::new(key, ended)
            })
        })
    }

    fn find(&self, _: Job, _: Option<String>) -> Answer<'_, Found> {
        Box::pin(async { Found::Gone })
    }

    fn end(&self, key: JobKey, _: String) -> Answer<'_, ()> {
        self.at_work.lock().unwrap().remove(&key.step);
        Box::pin(async {})
    }

    fn write_output(&self, _: String, _: String, _: String) -> Answer<'_, Result<(), ActionError>> {
        Box::pin(async { Ok(()) })
    }

    fn conflicts(&self, _: String, _: Option<String>) -> Answer<'_, Result<String, ActionError>> {
        Box::pin(async { Ok("none".to_owned()) })
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

/// 2026-01-05, nine in the morning.
const MORNING: u64 = 1_767_603_600_000;
const RUN: &str = "recorded";

struct Scene {
    flows: Flows,
    stage: Arc<Stage>,
    /// The time; it goes forward when the script says so.
    hands: Arc<AtomicU64>,
    read: u64,
    /// The reasons that were told last.
    said: BTreeMap<String, String>,
}

impl Scene {
    fn new(flow: &Flow) -> Self {
        let panes = flow.graph().nodes.into_iter().map(|node| node.id).collect();
        let stage = Arc::new(Stage {
            panes,
            at_work: Mutex::default(),
        });
        let hands = Arc::new(AtomicU64::new(MORNING));
        let told = Arc::clone(&hands);
        let flows = Flows::new(FlowsConfig {
            store: Store::in_memory(&[SCHEMA]).unwrap(),
            outputs: PathBuf::from("/nowhere"),
            actions: stage.clone(),
            clock: Clock::new(move || told.load(Ordering::SeqCst)),
            owners: Arc::new(FakeOwners(
                1,
                Arc::new(Mutex::new(BTreeSet::from([1]))),
                Arc::default(),
            )),
            limits: RunLimits::default(),
            secrets: Vec::new(),
        });
        Self {
            flows,
            stage,
            hands,
            read: 0,
            said: BTreeMap::new(),
        }
    }

    /// Waits until nothing moves any more, and gives what changed.
    async fn rest(&mut self) -> RunChange {
        // Several times in a row: what the time has come for is done after a question is answered, and what was
        // stopped tells of it later.
        let mut before = (0, 0);
        while before.1 < 6 {
            let view = self.flows.outline(RUN).await.unwrap();
            let mut at_work = view
                .step_list
                .iter()
                .filter(|step| step.state == StepState::Running);
            let found = at_work.all(|step| step.attempts.last().unwrap().pane.is_some());
            let still = found && before.0 == view.seq;
            before = (view.seq, if still { before.1 + 1 } else { 0 });
            if view.info.ended_at.is_some() {
                continue;
            }
            // Refused, but not before the run has done all that it was woken for earlier.
            let refused = self.flows.cancel_batch(RUN, "no such batch").await;
            assert!(
                matches!(refused, Err(RequestError::UnknownBatch { .. })),
                "{refused:?}"
            );
        }
        let owners = Arc::clone(&self.flows.inner.shared.owners);
        let (read, mut changes) = self
            .flows
            .inner
            .shared
            .journal
            .changes(self.read, owners)
            .await
            .unwrap();
        self.read = read;
        changes.pop().expect("the script moves the run")
    }

    async fn play(&mut self, line: Line) -> Moment {
        self.hands.fetch_add(1_000, Ordering::SeqCst);
        let by = match line {
            Ends(step, code, output) => {
                let at_work = self.stage.at_work.lock().unwrap().remove(step);
                let finished = Finished {
                    exit_code: Some(code),
                    output: output.to_owned(),
                    ..Finished::default()
                };
                let before = self.newest().await;
                at_work
                    .expect("the step is at work")
                    .send(finished)
                    .unwrap();
                while self.newest().await == before {
                    tokio::task::yield_now().await;
                }
                json!({ "ended": step, "exit_code": code, "output": output })
            }
            Passes(seconds) => {
                self.hands.fetch_add(seconds * 1_000, Ordering::SeqCst);
                json!({ "seconds": seconds })
            }
            Asked(request) => {
                self.flows.ask(RUN, request.clone()).await.unwrap();
                json!({ "asked": request })
            }
        };
        let change = self.rest().await;
        let mut why = self.why().await;
        why.retain(|step, said| self.said.get(step) != Some(said));
        self.said.extend(why.clone());
        Moment { by, change, why }
    }

    /// Why each step is as it is.
    async fn why(&self) -> BTreeMap<String, String> {
        let mut why = BTreeMap::new();
        for step in self.flows.outline(RUN).await.unwrap().step_list {
            let said = self.flows.why(RUN, &step.id).await.unwrap();
            why.insert(step.id, said);
        }
        why
    }

    async fn newest(&self) -> u64 {
        self.flows.outline(RUN).await.unwrap().seq
    }
}

async fn take(flow: &Flow, text: &str, sample: &str, (name, inputs, script): Script) -> Take {
    let mut scene = Scene::new(flow);
    let start = StartRun {
        text: text.to_owned(),
        path: Some(format!("/home/you/switchyard-samples/{sample}.flow.yaml")),
        inputs: inputs.as_object().unwrap().clone(),
        cwd: "/home/you".to_owned(),
    };
    scene.flows.start_as(RUN, start).await.unwrap();
    scene.rest().await;
    let opened = scene.flows.outline(RUN).await.unwrap();
    let why = scene.why().await;
    scene.said.clone_from(&why);
    let mut moments = Vec::new();
    for line in script {
        moments.push(scene.play(line).await);
    }
    let steps = scene.flows.show(RUN).await.unwrap().step_list;
    Take {
        name,
        inputs,
        opened,
        why,
        moments,
        left: scene.flows.outline(RUN).await.unwrap(),
        steps: steps
            .into_iter()
            .map(|step| (step.id.clone(), step))
            .collect(),
    }
}

async fn record(root: &Path, file: &str) -> Recording {
    let (_, name) = file.rsplit_once('/').unwrap();
    let sample = name.strip_suffix(".flow.yaml").unwrap();
    let text = fs::read_to_string(root.join(file)).unwrap();
    let flow = Flow::read(&text).unwrap();
    let mut recorded = Vec::new();
    for script in takes(sample) {
        recorded.push(take(&flow, &text, sample, script).await);
    }
    let ids = flow.graph().nodes.into_iter().map(|node| node.id);
    Recording {
        file: file.to_owned(),
        description: flow.description().map(str::to_owned),
        inputs: flow.input_list(),
        graph: flow.graph(),
        definitions: ids
            .map(|id| (id.clone(), flow.step_definition(&id).unwrap()))
            .collect(),
        looks: looks(sample)
            .iter()
            .map(|adds| {
                let read = Flow::read(&format!("{text}{adds}"));
                let good = read.is_ok();
                let findings = read.map_or_else(|no| no.findings, |flow| flow.warnings().to_vec());
                Look {
                    adds,
                    good,
                    findings,
                }
            })
            .collect(),
        plans: plans(sample)
            .into_iter()
            .map(|stubs| {
                let stubs = Stubs {
                    unnamed: Unnamed::Unknown,
                    ..serde_json::from_value(stubs).unwrap()
                };
                let simulation = flow.simulate(&stubs).unwrap();
                Plan { stubs, simulation }
            })
            .collect(),
        text,
        takes: recorded,
    }
}

/// The flows that are recorded: those that everyone begins with, and those that the page is tested with.
fn flows(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for directory in ["examples", "tests/recordings/flows"] {
        for entry in fs::read_dir(root.join(directory)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".flow.yaml") {
                files.push(format!("{directory}/{name}"));
            }
        }
    }
    files
}

#[tokio::test]
async fn the_committed_recordings_of_flows_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut stale = Vec::new();
    for file in flows(&root) {
        let fresh = serde_json::to_value(record(&root, &file).await).unwrap();
        let (_, name) = file.rsplit_once('/').unwrap();
        let name = name.replace(".flow.yaml", ".json");
        let path = root.join("tests/recordings/runs").join(&name);
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, serde_json::to_string_pretty(&fresh).unwrap() + "\n").unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        if serde_json::from_str::<serde_json::Value>(&committed).ok() != Some(fresh) {
            stale.push(name);
        }
    }
    assert!(
        stale.is_empty(),
        "stale, `make schemas` writes them anew: {stale:?}"
    );
}
