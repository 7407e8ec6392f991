//! Runs of the samples, recorded as a window is told of them, so that the page can be tested with what the engine says.
//!
//! A recording is made by the engine itself on a stage where nothing takes time: steps end when the script says so, and
//! the clock goes forward by a second for each line of it. `make schemas` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde_json::json;
use tokio::sync::oneshot;

use super::*;
use crate::request::Request;

/// One sample, and ways that runs of it went.
#[derive(Serialize)]
struct Recording {
    /// The file of the flow, from the root of the repository.
    file: String,
    text: String,
    description: Option<String>,
    inputs: Vec<InputInfo>,
    graph: FlowGraph,
    takes: Vec<Take>,
}

/// One run, from its start to where the script leaves it.
#[derive(Serialize)]
struct Take {
    name: &'static str,
    inputs: serde_json::Value,
    /// What a window that opens the run at once is given.
    opened: RunView,
    moments: Vec<Moment>,
    /// Each step in full, as it is at the end.
    steps: BTreeMap<String, Step>,
}

#[derive(Serialize)]
struct Moment {
    /// What moved the run: a step that ended, the time, or what a person asked for.
    by: serde_json::Value,
    change: RunChange,
}

#[derive(Serialize)]
struct Step {
    definition: StepDefinition,
    why: String,
    view: StepView,
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
    let form = form.as_object().unwrap().clone();
    let given = Given {
        approved,
        form,
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

fn takes(sample: &str) -> Vec<(&'static str, serde_json::Value, Vec<Line>)> {
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
                "the plan is no JSON",
                json!({}),
                vec![Ends("plan", 0, "I would rather not\n")],
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
        "retry" => vec![(
            "third time lucky",
            json!({}),
            vec![
                Ends("flaky", 75, ""),
                Passes(1),
                Ends("flaky", 75, "not yet\n"),
                Passes(1),
                Ends("flaky", 0, "third time lucky\n"),
            ],
        )],
        "nested" => vec![
            ("large and risky", json!({}), vec![]),
            ("small", json!({ "size": "small" }), vec![]),
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
        let place = self.panes.iter().position(|step| *step == job.key.step);
        Box::pin(async move {
            Ok(Activity {
                handle: key,
                pane: place.map(|place| u32::try_from(place).unwrap() + 1),
                worktree: None,
                agent: None,
                asks: None,
                output: None,
                ended: Box::pin(async move {
                    match told.await {
                        Ok(finished) => Ended::Finished(finished),
                        Err(_) => std::future::pending().await,
                    }
                }),
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

/// A clock that goes forward when the script says so.
struct Hands(AtomicU64);

impl Clock for Hands {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
    fn awake(&self) -> u64 {
        self.now()
    }
}

/// 2026-01-05, nine in the morning.
const MORNING: u64 = 1_767_603_600_000;
const RUN: &str = "recorded";

struct Scene {
    flows: Flows,
    stage: Arc<Stage>,
    hands: Arc<Hands>,
    read: u64,
}

impl Scene {
    fn new(flow: &Flow) -> Self {
        let panes = flow.graph().nodes.into_iter().map(|node| node.id).collect();
        let stage = Arc::new(Stage {
            panes,
            at_work: Mutex::default(),
        });
        let hands = Arc::new(Hands(AtomicU64::new(MORNING)));
        let flows = Flows::new(FlowsConfig {
            store: Store::in_memory(&[SCHEMA]).unwrap(),
            outputs: PathBuf::from("/nowhere"),
            actions: stage.clone(),
            clock: hands.clone(),
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
        self.hands.0.fetch_add(1_000, Ordering::SeqCst);
        let by = match line {
            Ends(step, code, output) => {
                let at_work = self.stage.at_work.lock().unwrap().remove(step);
                let finished = Finished {
                    exit_code: Some(code),
                    output: output.to_owned(),
                    ..Finished::default()
                };
                let attempt = self.attempts(step).await;
                at_work
                    .expect("the step is at work")
                    .send(finished)
                    .unwrap();
                while !self.has_ended(step, attempt).await {
                    tokio::task::yield_now().await;
                }
                json!({ "ended": step, "exit_code": code })
            }
            Passes(seconds) => {
                self.hands.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
                json!({ "seconds": seconds })
            }
            Asked(request) => {
                self.flows.ask(RUN, request.clone()).await.unwrap();
                json!({ "asked": request })
            }
        };
        Moment {
            by,
            change: self.rest().await,
        }
    }

    async fn attempts(&self, step: &str) -> usize {
        let view = self.flows.outline(RUN).await.unwrap();
        let mut steps = view.step_list.into_iter();
        steps.find(|one| one.id == step).unwrap().attempts.len()
    }

    async fn has_ended(&self, step: &str, attempt: usize) -> bool {
        let view = self.flows.outline(RUN).await.unwrap();
        let mut steps = view.step_list.into_iter();
        let step = steps.find(|one| one.id == step).unwrap();
        step.attempts[attempt - 1].ended_at.is_some()
    }
}

async fn record(file: &Path, sample: &str) -> Recording {
    let text = fs::read_to_string(file).unwrap();
    let flow = Flow::read(&text).unwrap();
    let mut recorded = Vec::new();
    for (name, inputs, script) in takes(sample) {
        let mut scene = Scene::new(&flow);
        let start = StartRun {
            text: text.clone(),
            path: Some(format!("/home/you/switchyard-samples/{sample}.flow.yaml")),
            inputs: inputs.as_object().unwrap().clone(),
            cwd: "/home/you".to_owned(),
        };
        scene.flows.start_as(RUN, start).await.unwrap();
        scene.rest().await;
        let opened = scene.flows.outline(RUN).await.unwrap();
        let mut moments = Vec::new();
        for line in script {
            moments.push(scene.play(line).await);
        }
        let mut steps = BTreeMap::new();
        for view in scene.flows.show(RUN).await.unwrap().step_list {
            let step = Step {
                definition: flow.step_definition(&view.id).unwrap(),
                why: scene.flows.why(RUN, &view.id).await.unwrap(),
                view,
            };
            steps.insert(step.view.id.clone(), step);
        }
        recorded.push(Take {
            name,
            inputs,
            opened,
            moments,
            steps,
        });
    }
    Recording {
        file: format!("examples/{sample}.flow.yaml"),
        description: flow.description().map(str::to_owned),
        inputs: flow.input_list(),
        graph: flow.graph(),
        text,
        takes: recorded,
    }
}

#[tokio::test]
async fn the_committed_recordings_of_the_samples_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut stale = Vec::new();
    for entry in fs::read_dir(root.join("examples")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(sample) = name.strip_suffix(".flow.yaml") else {
            continue;
        };
        let fresh = serde_json::to_value(record(&file, sample).await).unwrap();
        let path = root.join(format!("tests/recordings/runs/{sample}.json"));
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, serde_json::to_string_pretty(&fresh).unwrap() + "\n").unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        if serde_json::from_str::<serde_json::Value>(&committed).ok() != Some(fresh) {
            stale.push(format!("tests/recordings/runs/{sample}.json"));
        }
    }
    assert!(
        stale.is_empty(),
        "stale, `make schemas` writes them anew: {stale:?}"
    );
}
