//! Real agents, as their makers ship them, through one script of behaviours. `make conformance` runs this: it installs
//! them, and starts the model server that they talk to.
//!
//! Each agent speaks through `tee`, so that what it offers is known from its own words: a behaviour that an agent does
//! not offer is told apart from one that we lack.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![allow(clippy::print_stdout, reason = "the table is what it is run for")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agents::{
    Acp, AcpConfig, AgentBackend, AgentEvent, AgentId, NewAgent, OpenCode, OpenCodeConfig, Outcome,
    PermissionAnswer, Prompt, PromptImage, ToolDetail, TurnResult, presets,
};
use clock::Clock;
use serde_json::{Value, json};
use tokio::time::timeout;

/// What is tried, in this order: the table's columns.
const BEHAVIOURS: [&str; 16] = [
    "found", "start", "stream", "edit", "diff", "allow", "deny", "cancel", "second", "go on",
    "modes", "models", "commands", "usage", "images", "hook",
];
/// How long an agent may take for one turn, on a machine that has other things to do.
const TURN: Duration = Duration::from_secs(90);

/// What the modes are called in which agents ask before they do anything.
const ASKING: [&str; 2] = ["default", "read-only"];

/// An agent, and what makes it talk to the model server.
struct Subject {
    name: &'static str,
    /// It is spoken to over HTTP.
    serves: bool,
    /// Files below its home.
    files: Vec<(&'static str, String)>,
    env: Vec<(&'static str, String)>,
}

impl Subject {
    /// Its name in the table.
    fn label(&self) -> &'static str {
        match self.serves {
            true => "served",
            false => self.name,
        }
    }
}

fn subjects(model: &str) -> Vec<Subject> {
    let own = |name, value: &str| (name, value.to_owned());
    let mut subjects = vec![
        Subject {
            name: "opencode",
            serves: false,
            files: vec![(
                ".config/opencode/opencode.json",
                json!({
                    "autoupdate": false, "share": "disabled", "model": "standin/stand-in-1", "small_model": "standin/stand-in-1",
                    "permission": {"edit": "ask", "bash": "ask"},
                    "provider": {"standin": {
                        "npm": "@ai-sdk/openai-compatible", "name": "Stand-in",
                        "options": {"baseURL": format!("{model}/v1"), "apiKey": "none"},
                        "models": {"stand-in-1": {"name": "One", "attachment": true, "modalities": {"input": ["text", "image"], "output": ["text"]}}, "stand-in-2": {"name": "Two"}},
                    }},
                })
                .to_string(),
            )],
            env: vec![own("OPENCODE_DISABLE_MODELS_FETCH", "1"), own("OPENCODE_DISABLE_AUTOUPDATE", "1")],
        },
        Subject {
            name: "gemini",
            serves: false,
            files: vec![(
                ".gemini/settings.json",
                json!({
                    "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": false}},
                    "model": {"name": "gemini-2.5-flash"}, "general": {"enableAutoUpdate": false}, "telemetry": {"enabled": false},
                    "privacy": {"usageStatisticsEnabled": false},
                })
                .to_string(),
            )],
            env: vec![own("GEMINI_API_KEY", "none"), own("GOOGLE_GEMINI_BASE_URL", model), own("GEMINI_CLI_NO_RELAUNCH", "true")],
        },
        Subject {
            name: "qwen",
            serves: false,
            files: vec![(
                ".qwen/settings.json",
                json!({
                    "security": {"auth": {"selectedType": "openai"}}, "general": {"enableAutoUpdate": false, "disableAutoUpdate": true},
                    "privacy": {"usageStatisticsEnabled": false}, "telemetry": {"enabled": false}, "model": {"name": "stand-in-1"},
                })
                .to_string(),
            )],
            env: vec![own("OPENAI_API_KEY", "none"), own("OPENAI_BASE_URL", &format!("{model}/v1")), own("OPENAI_MODEL", "stand-in-1")],
        },
        Subject {
            name: "codex",
            serves: false,
            files: vec![(
                ".codex/config.toml",
                format!(
                    "model = \"stand-in-1\"\nmodel_provider = \"standin\"\napproval_policy = \"on-request\"\nsandbox_mode = \"read-only\"\ncheck_for_update_on_startup = false\n\
                     [model_providers.standin]\nname = \"Stand-in\"\nbase_url = \"{model}/v1\"\nwire_api = \"responses\"\n\
                     [analytics]\nenabled = false\n"
                ),
            )],
            env: vec![own("OPENAI_API_KEY", "none"), own("CODEX_API_KEY", "none")],
        },
        Subject {
            name: "claude",
            serves: false,
            files: vec![(".claude/settings.json", "{}".to_owned())],
            env: vec![
                own("ANTHROPIC_BASE_URL", model),
                own("ANTHROPIC_API_KEY", "none"),
                own("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
                own("DISABLE_TELEMETRY", "1"),
                // It refuses to start as root otherwise, as which build machines run it.
                own("IS_SANDBOX", "1"),
                own("DISABLE_AUTOUPDATER", "1"),
            ],
        },
    ];
    let served = Subject {
        serves: true,
        files: subjects[0].files.clone(),
        env: subjects[0].env.clone(),
        name: "opencode",
    };
    subjects.insert(1, served);
    subjects
}

/// What was seen of one behaviour.
enum Seen {
    Works,
    NotOffered,
    /// It is offered, and we make nothing of it.
    Lacks(String),
    Fails(String),
}

impl Seen {
    /// `works`, or else why not, when the agent `offers` it.
    fn when(offers: bool, works: bool, why: impl Into<String>) -> Self {
        match (offers, works) {
            (_, true) => Self::Works,
            (false, false) => Self::NotOffered,
            (true, false) => Self::Lacks(why.into()),
        }
    }

    fn or_fails(works: bool, why: impl Into<String>) -> Self {
        if works {
            Self::Works
        } else {
            Self::Fails(why.into())
        }
    }
}

/// One agent on trial.
struct Trial {
    backend: Box<dyn AgentBackend>,
    /// It is a server, all of whose ways are known; of the others, their own words tell what they offer.
    serves: bool,
    /// It asks before it edits.
    asks: bool,
    agent: AgentId,
    cwd: PathBuf,
    said: PathBuf,
}

/// A turn to its end: every event, and what came of it.
struct Played {
    events: Vec<AgentEvent>,
    result: TurnResult,
    late: bool,
}

impl Played {
    fn has(&self, wanted: impl Fn(&AgentEvent) -> bool) -> bool {
        self.events.iter().any(wanted)
    }

    fn shown(&self) -> String {
        let late = if self.late { "no end; " } else { "" };
        format!(
            "{late}{:?}, said {:?}",
            self.result.outcome, self.result.text
        )
    }
}

impl Trial {
    /// Says something; every permission is answered with `answer`, and `stop` says after which event to cancel.
    async fn play(
        &self,
        text: &str,
        answer: &PermissionAnswer,
        stop: impl Fn(&AgentEvent) -> bool,
    ) -> Result<Played, String> {
        let asked = timeout(TURN, self.backend.prompt(&self.agent, Prompt::new(text))).await;
        let mut turn = asked
            .map_err(|_| "the prompt was not taken in time")?
            .map_err(|error| error.to_string())?;
        let mut events = Vec::new();
        let all = async {
            while let Some(event) = turn.next().await {
                if let AgentEvent::Permission { request } = &event {
                    let answered = self
                        .backend
                        .answer(&self.agent, &request.id, answer.clone())
                        .await;
                    answered.map_err(|error| error.to_string())?;
                }
                if stop(&event) {
                    turn.canceller().cancel();
                }
                events.push(event);
            }
            Ok::<_, String>(())
        };
        let late = match timeout(TURN, all).await {
            Ok(done) => {
                done?;
                false
            }
            Err(_) => true,
        };
        if late {
            let _ = timeout(TURN, self.backend.stop(&self.agent)).await;
        }
        Ok(Played {
            events,
            result: turn.so_far(),
            late,
        })
    }

    async fn ask(&self, text: &str) -> Result<Played, String> {
        self.play(text, &PermissionAnswer::Allow, |_| false).await
    }

    /// Chooses another value of a setting, and chooses the first again; why that was not possible.
    async fn choose_another(&self, category: &str) -> Result<(), String> {
        let words = |error: agents::AgentError| error.to_string();
        let info = self.backend.inspect(&self.agent.0).await.map_err(words)?;
        let setting = info
            .offers
            .settings
            .into_iter()
            .find(|setting| setting.category.as_deref() == Some(category))
            .ok_or("not shown")?;
        let other = setting
            .choices
            .iter()
            .find(|choice| choice.value != setting.current)
            .ok_or("there is one choice only")?;
        for value in [&other.value, &setting.current] {
            let chosen = self.backend.choose(&self.agent, category, value);
            timeout(TURN, chosen)
                .await
                .map_err(|_| "not chosen in time")?
                .map_err(words)?;
        }
        Ok(())
    }

    /// Chooses the mode in which it asks before it does anything, where it has one: many begin in one that decides by
    /// itself what is safe.
    async fn choose_to_be_asked(&self) -> Result<(), String> {
        let words = |error: agents::AgentError| error.to_string();
        let info = self.backend.inspect(&self.agent.0).await.map_err(words)?;
        let mut settings = info.offers.settings.iter();
        let modes = settings.find(|setting| setting.category.as_deref() == Some("mode"));
        let mut asking = ASKING.iter().filter(|mode| {
            modes.is_some_and(|modes| modes.choices.iter().any(|choice| choice.value == **mode))
        });
        let Some(mode) = asking.next() else {
            return Ok(());
        };
        let chosen = timeout(TURN, self.backend.choose(&self.agent, "mode", mode)).await;
        let chosen = chosen.map_err(|_| "the mode was not chosen in time")?;
        chosen.map(drop).map_err(words)
    }

    /// What the model says to an image.
    async fn look(&self) -> Result<String, String> {
        // A black dot.
        const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
        let prompt = Prompt {
            images: vec![PromptImage {
                mime_type: "image/png".into(),
                data: PNG.into(),
            }],
            ..Prompt::new("DO look")
        };
        let asked = timeout(TURN, self.backend.prompt(&self.agent, prompt)).await;
        let turn = asked
            .map_err(|_| "the prompt was not taken in time")?
            .map_err(|error| error.to_string())?;
        let result = timeout(TURN, turn.result())
            .await
            .map_err(|_| "the turn did not end in time")?;
        Ok(result.text.trim().to_owned())
    }

    /// What the agent itself said so far.
    fn said(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.said).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|said| said["from"] == "agent")
            .map(|mut said| said["message"].take())
            .collect()
    }

    fn updates(&self, kind: &str) -> bool {
        self.serves
            || self
                .said()
                .iter()
                .any(|message| message["params"]["update"]["sessionUpdate"] == kind)
    }

    /// Whether what made the session names choices of this kind.
    fn chooses(&self, list: &str, category: &str) -> bool {
        self.serves
            || self.said().iter().any(|message| {
                let made = &message["result"];
                let options = made["configOptions"].as_array().into_iter().flatten();
                made[list].is_object()
                    || options
                        .into_iter()
                        .any(|option| option["category"] == category)
            })
    }

    fn capable(&self, path: &str) -> bool {
        self.serves
            || self.said().iter().any(|message| {
                message["result"]["agentCapabilities"].pointer(path) == Some(&json!(true))
            })
    }
}

fn deny() -> PermissionAnswer {
    PermissionAnswer::Deny {
        message: None,
        interrupt: false,
    }
}

/// Runs the script, and says what was seen, in the order of [`BEHAVIOURS`], as far as it came.
async fn run(subject: &Subject, bin: &Path, home: &Path) -> Vec<Seen> {
    let mut seen = Vec::new();
    let Some(preset) = presets(bin.as_os_str())
        .into_iter()
        .find(|preset| preset.name == subject.name)
    else {
        seen.push(Seen::Fails("no preset finds its program".into()));
        return seen;
    };
    seen.push(Seen::Works);
    for (path, text) in &subject.files {
        let at = home.join(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, text).unwrap();
    }
    let cwd = home.join("tree");
    lay_out(&cwd);
    let program = PathBuf::from(std::env::var_os("CONFORMANCE_PROGRAM").expect("our program"));
    let asks = let_it_ask(&program, subject.name, &cwd);
    let said = home.join("said.jsonl");
    let mut config = AcpConfig::new(
        subject.name,
        env!("CARGO_BIN_EXE_stand-in-acp-recorder"),
        &[],
    );
    config.args = vec!["record".to_owned()];
    config
        .args
        .extend([&said, &preset.program].map(|path| path.display().to_string()));
    config
        .args
        .extend(preset.args.iter().map(|&arg| arg.to_owned()));
    config.deadlines.start = Duration::from_secs(90);
    let mut path = program.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    config.env = BTreeMap::from([
        ("HOME".to_owned(), home.display().to_string()),
        ("PATH".to_owned(), path.to_string_lossy().into_owned()),
    ]);
    for (name, path) in [
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_DATA_HOME", ".data"),
        ("XDG_CACHE_HOME", ".cache"),
        ("XDG_STATE_HOME", ".state"),
    ] {
        config
            .env
            .insert(name.to_owned(), home.join(path).display().to_string());
    }
    config.env.extend(
        subject
            .env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    let (backend, server): (Box<dyn AgentBackend>, _) = if subject.serves {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        // Whenever it is ended, it is started again.
        let script = r#"while :; do (cd "$1" && exec "$2" serve --port "$3"); sleep 0.2; done"#;
        let mut server = tokio::process::Command::new("/bin/sh");
        server
            .current_dir(home)
            .kill_on_drop(true)
            .envs(&config.env);
        server
            .args(["-c", script, "sh"])
            .arg(&cwd)
            .arg(&preset.program);
        server.arg(port.to_string());
        let log = std::fs::File::create(home.join("said.jsonl.err")).unwrap();
        server.stdout(log.try_clone().unwrap()).stderr(log);
        let server = server.spawn().unwrap();
        let mut at = OpenCodeConfig::new(format!("127.0.0.1:{port}").parse().unwrap());
        at.deadlines.request = Duration::from_secs(90);
        let backend = OpenCode::new(at, Clock::system()).unwrap();
        if !is_up(&backend).await {
            seen.push(Seen::Fails("its server does not answer".into()));
            return seen;
        }
        (Box::new(backend), Some(server))
    } else {
        (Box::new(Acp::new(config)), None)
    };
    let started = backend
        .start(NewAgent {
            cwd: cwd.display().to_string(),
            ..NewAgent::default()
        })
        .await;
    let agent = match started {
        Ok(info) => info.id,
        Err(error) => {
            seen.push(Seen::Fails(error.to_string()));
            return seen;
        }
    };
    seen.push(Seen::Works);
    let trial = Trial {
        backend,
        serves: subject.serves,
        asks,
        agent,
        cwd,
        said,
    };
    let behaved = match trial.choose_to_be_asked().await {
        Ok(()) => behave(&trial, &mut seen).await,
        unchosen => unchosen,
    };
    if let Err(error) = behaved {
        seen.push(Seen::Fails(error));
    }
    let _ = trial.backend.dispose().await;
    drop(server);
    if trial.serves {
        end_processes(&trial.cwd).await;
    }
    seen
}

/// Waits until a server answers.
async fn is_up(backend: &dyn AgentBackend) -> bool {
    let up = async {
        while !timeout(Duration::from_secs(5), backend.check())
            .await
            .is_ok_and(|health| health.is_up())
        {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(TURN, up).await.is_ok()
}

async fn behave(trial: &Trial, seen: &mut Vec<Seen>) -> Result<(), String> {
    let streamed = trial.ask("DO stream").await?;
    let pieces = streamed
        .events
        .iter()
        .filter(|event| matches!(event, AgentEvent::Text { .. }))
        .count();
    let whole = streamed.result.outcome == Outcome::Completed
        && streamed
            .result
            .text
            .trim()
            .ends_with("Here is the streamed answer.");
    seen.push(Seen::or_fails(
        whole && pieces > 1,
        format!("{pieces} pieces; {}", streamed.shown()),
    ));

    let file = trial.cwd.join("new.txt");
    let edited = trial.ask(&format!("DO write {}", file.display())).await?;
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    seen.push(Seen::or_fails(
        written.trim_end() == "one\ntwo",
        format!("it holds {written:?}; {}", edited.shown()),
    ));
    let told = edited.has(|event| match event {
        AgentEvent::Tool { call } => shows_change(call.detail.as_ref()),
        AgentEvent::Permission { request } => shows_change(request.detail.as_ref()),
        _ => false,
    });
    let offers = trial.serves
        || trial
            .said()
            .iter()
            .any(|message| message.to_string().contains(r#""type":"diff""#));
    seen.push(Seen::when(offers, told, "the change is not told"));

    for (answer, name) in [(PermissionAnswer::Allow, "allowed"), (deny(), "denied")] {
        let mark = trial.cwd.join(name);
        let played = trial
            .play(
                &format!("DO shell touch {}", mark.display()),
                &answer,
                |_| false,
            )
            .await?;
        let asked = played.has(|event| matches!(event, AgentEvent::Permission { .. }));
        let right = asked && !played.late && mark.exists() == (name == "allowed");
        seen.push(Seen::or_fails(
            right,
            format!(
                "asked: {asked}, done: {}; {}",
                mark.exists(),
                played.shown()
            ),
        ));
    }

    let said = |event: &AgentEvent| matches!(event, AgentEvent::Text { text } if text.contains("Thinking"));
    let stopped = trial
        .play("DO hang", &PermissionAnswer::Allow, said)
        .await?;
    seen.push(Seen::or_fails(
        stopped.result.outcome == Outcome::Cancelled && !stopped.late,
        stopped.shown(),
    ));
    let again = trial.ask("DO recall").await?;
    seen.push(Seen::or_fails(times(&again) >= 5, again.shown()));

    end_processes(&trial.cwd).await;
    if trial.serves && !is_up(trial.backend.as_ref()).await {
        return Err("its server did not come back".into());
    }
    let after = trial.ask("DO recall").await;
    let loads = trial.capable("/loadSession");
    seen.push(match after {
        Ok(after) => Seen::or_fails(times(&after) > times(&again), after.shown()),
        Err(why) => Seen::when(loads, false, why),
    });

    for (list, category) in [("modes", "mode"), ("models", "model")] {
        let chosen = trial.choose_another(category).await;
        seen.push(Seen::when(
            trial.chooses(list, category),
            chosen.is_ok(),
            chosen.err().unwrap_or_default(),
        ));
    }
    let info = trial
        .backend
        .inspect(&trial.agent.0)
        .await
        .map_err(|error| error.to_string())?;
    seen.push(Seen::when(
        trial.updates("available_commands_update"),
        !info.offers.commands.is_empty(),
        "not shown",
    ));
    let told = trial.said();
    let told = told
        .iter()
        .filter(|message| message["result"]["stopReason"].is_string());
    let used = trial.updates("usage_update")
        || told
            .into_iter()
            .any(|message| message["result"].to_string().contains("okens"));
    seen.push(Seen::when(used, info.usage.is_some(), "not shown"));
    let looked = trial.look().await;
    let sees = looked.as_deref() == Ok("I see an image.");
    seen.push(Seen::when(
        trial.capable("/promptCapabilities/image"),
        sees,
        format!("{looked:?}"),
    ));

    let file = trial.cwd.join("shared.txt");
    let edited = trial.ask(&format!("DO edit {}", file.display())).await?;
    let now = std::fs::read_to_string(&file).unwrap_or_default();
    let told = edited
        .result
        .text
        .contains("I was told of the other worktree.");
    seen.push(Seen::when(
        trial.asks,
        told && now == "one\n2\nthree\n",
        format!("the file holds {now:?}; {}", edited.shown()),
    ));
    Ok(())
}

/// A repository to work in, and a worktree of it in which somebody else changed the line that will be edited.
fn lay_out(cwd: &Path) {
    std::fs::create_dir_all(cwd).unwrap();
    let git = |arguments: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.current_dir(cwd);
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        assert!(git.args(arguments).status().unwrap().success());
    };
    git(&["init", "-q"]);
    std::fs::write(cwd.join("shared.txt"), "one\ntwo\nthree\n").unwrap();
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "x"]);
    git(&["worktree", "add", "-q", "-b", "other", "../other"]);
    std::fs::write(cwd.join("../other/shared.txt"), "one\nTWO\nthree\n").unwrap();
}

/// What was said up to the first turn that is cancelled, wherever it was said: what `recorded.rs` plays again.
fn to_be_played(said: &str, home: &Path) -> String {
    let lines = said.lines().take_while(|line| !line.contains("DO hang"));
    let lines = lines.map(|line| {
        let mut said: Value = serde_json::from_str(line).unwrap();
        // What is none of the protocol's may be half a megabyte: Qwen Code tells the text of each of its skills.
        if let Some(own) = said.pointer_mut("/message/params/update/_meta")
            && own.to_string().len() > 10_000
        {
            own.take();
        }
        format!("{said}\n").replace(&home.display().to_string(), "{home}")
    });
    lines.collect()
}

/// Writes the setting by which an agent asks before it edits; says whether there is one for it.
fn let_it_ask(program: &Path, name: &str, cwd: &Path) -> bool {
    let mut install = std::process::Command::new(program);
    install.args(["conflicts", "hook", "--install", "--yes", "--agent", name]);
    let output = install.current_dir(cwd).output().unwrap();
    let known = output.status.success();
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(known || why.contains("--agent"), "{why}");
    known
}

fn shows_change(detail: Option<&ToolDetail>) -> bool {
    let changes = detail.into_iter().flat_map(|detail| &detail.changes);
    changes
        .filter_map(|change| change.new_text.as_deref())
        .any(|text| text.contains("one") && text.contains("two"))
}

/// How often the model says it was asked; 0 when it does not.
fn times(played: &Played) -> u32 {
    let words = played.result.text.split_whitespace();
    words
        .filter_map(|word| word.parse().ok())
        .next()
        .unwrap_or(0)
}

/// Kills every process that works in `cwd`, as a machine that is short of memory would.
async fn end_processes(cwd: &Path) {
    let own = std::process::id();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let pid: Option<u32> = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let there = std::fs::read_link(entry.path().join("cwd")).is_ok_and(|at| at == cwd);
        if let Some(pid) = pid
            .filter(|&pid| there && pid != own)
            .and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()))
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
    // Their end is told of: the next prompt must not be the one that finds out.
    tokio::time::sleep(Duration::from_millis(500)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "`make conformance` installs the agents and starts the model server"]
async fn real_agents_behave() {
    let installed =
        PathBuf::from(std::env::var_os("CONFORMANCE_AGENTS").expect("where the agents are"));
    let model = std::env::var("CONFORMANCE_MODEL").expect("where the model server listens");
    let only = std::env::var("CONFORMANCE_ONLY").unwrap_or_default();
    println!(
        "{:<10}{}",
        "",
        BEHAVIOURS.map(|name| format!("{name:<10}")).concat()
    );
    let (mut notes, mut failed) = (Vec::new(), false);
    for subject in subjects(&model) {
        let bin = installed.join(subject.name).join("node_modules/.bin");
        if !bin.is_dir()
            || !only.is_empty()
                && !only
                    .split(',')
                    .any(|name| name == subject.name || name == subject.label())
        {
            continue;
        }
        // Not below /tmp: Codex keeps no helpers there.
        let home = tempfile::tempdir_in(&installed).unwrap();
        let seen = run(&subject, &bin, home.path()).await;
        let mut row = String::new();
        for (at, behaviour) in BEHAVIOURS.iter().enumerate() {
            let (word, why) = match seen.get(at) {
                Some(Seen::Works) => ("yes", None),
                Some(Seen::NotOffered) => ("-", None),
                Some(Seen::Lacks(why)) => ("LACKS", Some(why)),
                Some(Seen::Fails(why)) => ("FAILS", Some(why)),
                None => ("?", None),
            };
            failed |= word == "FAILS";
            row.push_str(&format!("{word:<10}"));
            if let Some(why) = why {
                notes.push(format!("{} {behaviour}: {why}", subject.label()));
            }
        }
        println!("{:<10}{row}", subject.label());
        if let Some(kept) =
            std::env::var_os("CONFORMANCE_KEEP").filter(|kept| !kept.is_empty() && !subject.serves)
        {
            let kept = Path::new(&kept);
            std::fs::create_dir_all(kept).unwrap();
            let said = std::fs::read_to_string(home.path().join("said.jsonl")).unwrap_or_default();
            let played = to_be_played(&said, home.path());
            std::fs::write(kept.join(format!("{}.jsonl", subject.name)), played).unwrap();
            std::fs::write(kept.join(format!("{}.all", subject.name)), said).unwrap();
        }
    }
    println!(
        "\nyes: works; -: the agent does not offer it; LACKS: it is offered, and we make nothing of it; FAILS: it goes wrong"
    );
    for note in &notes {
        println!("  {note}");
    }
    assert!(!failed, "an agent goes wrong: see the table");
}
