//! A server of OpenCode: what a real one said is replayed, and then it does what servers do on bad days.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use agents::{
    AgentBackend, AgentError, AgentEvent, AgentId, AgentInfo, AgentStatus, Health, ListAgents,
    NewAgent, News, OpenCode, OpenCodeConfig, Outcome, PasswordRef, PermissionAnswer, Prompt,
    PromptImage, ToolStatus, Turn,
};
use clock::Clock;
use futures_util::StreamExt;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long anything may take here.
const SOON: Duration = Duration::from_secs(20);
/// How long a server takes to listen to who listens.
const GREETS_AFTER: Duration = Duration::from_millis(50);
const CWD: &str = "/home/me/project";
const RECORDING: &str = include_str!("recordings/opencode/serve.jsonl");

/// A request that changes something, its answer, and what happened until the next one.
struct Step {
    ask: String,
    status: u64,
    answer: Value,
    events: Vec<Value>,
}

#[derive(Default)]
struct State {
    steps: VecDeque<Step>,
    /// What is answered to a question that changes nothing, by its path.
    gets: BTreeMap<String, Value>,
    listeners: Vec<mpsc::UnboundedSender<Value>>,
    /// Every request, with its directory and its body.
    asked: Vec<(String, Option<String>, Value)>,
    password: Option<String>,
    silent: bool,
}

/// A server that answers as it is told to.
#[derive(Clone)]
struct Server {
    address: String,
    state: Arc<Mutex<State>>,
    changed: Arc<tokio::sync::Notify>,
    stop: tokio_util::sync::CancellationToken,
}

impl Server {
    async fn start(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap().to_string(),
            state: Arc::new(Mutex::new(state)),
            changed: Arc::default(),
            stop: tokio_util::sync::CancellationToken::new(),
        };
        server.serve(listener);
        server
    }

    fn serve(&self, listener: TcpListener) {
        let (server, stop) = (self.clone(), self.stop.clone());
        tokio::spawn(self.stop.clone().run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                let talk = async move {
                    let _ = server.talk(stream).await;
                };
                tokio::spawn(stop.clone().run_until_cancelled_owned(talk));
            }
        }));
    }

    /// It goes away with all its connections, and comes back at the same address.
    async fn restarted(self, state: State) -> Self {
        let address = self.address.clone();
        self.end();
        let again = Self {
            address,
            state: Arc::new(Mutex::new(state)),
            changed: Arc::default(),
            stop: tokio_util::sync::CancellationToken::new(),
        };
        let listener = loop {
            match TcpListener::bind(&again.address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        again.serve(listener);
        again
    }

    fn end(self) {
        self.state.lock().listeners.clear();
        self.stop.cancel();
    }

    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let header = |name: &str| {
            head.iter().find_map(|line| {
                let (known, value) = line.split_once(": ")?;
                known.eq_ignore_ascii_case(name).then(|| value.to_owned())
            })
        };
        let length: usize = header("content-length").map_or(0, |text| text.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let mut words = head[0].split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let path = target.split('?').next().unwrap();
        let ask = format!("{method} {path}");
        let allowed = {
            let mut state = self.state.lock();
            let directory = header("x-opencode-directory");
            state.asked.push((ask.clone(), directory, body));
            let wanted = state.password.clone();
            wanted.is_none() || header("authorization") == wanted
        };
        self.changed.notify_waiters();
        if !allowed {
            return answer(&mut stream, 401, &json!({ "message": "Unauthorized" })).await;
        }
        if self.state.lock().silent {
            std::future::pending::<()>().await;
        }
        if path == "/global/event" {
            return self.stream(stream).await;
        }
        if method == "GET" {
            let found = self.state.lock().gets.get(path).cloned();
            return match found {
                Some(value) => answer(&mut stream, 200, &value).await,
                None => {
                    let why = json!({ "data": { "message": format!("not found: {path}") } });
                    answer(&mut stream, 404, &why).await
                }
            };
        }
        let step = {
            let mut state = self.state.lock();
            let next = state.steps.front().is_some_and(|step| step.ask == ask);
            next.then(|| state.steps.pop_front()).flatten()
        };
        let Some(step) = step else {
            let why = json!({ "data": { "message": format!("nobody said what comes of {ask}") } });
            return answer(&mut stream, 500, &why).await;
        };
        answer(&mut stream, step.status, &step.answer).await?;
        for event in step.events {
            self.say(event);
        }
        Ok(())
    }

    async fn stream(&self, mut stream: BufReader<TcpStream>) -> std::io::Result<()> {
        let (sender, mut events) = mpsc::unbounded_channel();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        // Who listens before the greeting hears nothing, as at the real one.
        self.changed.notify_waiters();
        tokio::time::sleep(GREETS_AFTER).await;
        self.state.lock().listeners.push(sender);
        let greeting = r#"data: {"payload":{"type":"server.connected","properties":{}}}"#;
        stream
            .write_all(format!("{greeting}\n\n").as_bytes())
            .await?;
        self.changed.notify_waiters();
        while let Some(event) = events.recv().await {
            stream
                .write_all(format!("data: {event}\n\n").as_bytes())
                .await?;
        }
        Ok(())
    }

    fn say(&self, event: Value) {
        let mut state = self.state.lock();
        state
            .listeners
            .retain(|listener| listener.send(event.clone()).is_ok());
    }

    /// An event of a session, in the envelope of the stream.
    fn tell(&self, kind: &str, properties: Value) {
        self.say(json!({ "payload": { "type": kind, "properties": properties } }));
    }

    /// Waits until `wanted` was asked so often.
    async fn asked(&self, wanted: &str, times: usize) -> (Option<String>, Value) {
        timeout(SOON, async {
            loop {
                let changed = self.changed.notified();
                {
                    let state = self.state.lock();
                    let mut found = state.asked.iter().filter(|(ask, ..)| ask == wanted);
                    if let Some((_, directory, body)) = found.nth(times - 1) {
                        return (directory.clone(), body.clone());
                    }
                }
                changed.await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{wanted} was not asked {times} times"))
    }

    /// A client that gives up soon.
    fn client(&self) -> OpenCode {
        let mut config = OpenCodeConfig::new(self.address.parse().unwrap());
        config.deadlines.request = Duration::from_secs(5);
        config.deadlines.reconnect = Duration::from_secs(5);
        OpenCode::new(config, Clock::new(|| 1_795_920_956_833)).unwrap()
    }
}

async fn answer(
    stream: &mut BufReader<TcpStream>,
    status: u64,
    value: &Value,
) -> std::io::Result<()> {
    let body = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.flush().await
}

/// What the real server said, in the order in which it said it.
fn recorded() -> State {
    let mut state = State::default();
    for line in RECORDING.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        match line["ask"].as_str() {
            Some(ask) if ask.starts_with("GET ") => {
                let path = ask.trim_start_matches("GET ").to_owned();
                if line["status"] == 200 {
                    state.gets.insert(path, line["answer"].clone());
                }
            }
            Some(ask) => state.steps.push_back(Step {
                ask: ask.to_owned(),
                status: line["status"].as_u64().unwrap(),
                answer: line["answer"].clone(),
                events: Vec::new(),
            }),
            None => {
                if let Some(step) = state.steps.back_mut() {
                    step.events.push(line["event"].clone());
                }
            }
        }
    }
    state.gets.insert("/permission".into(), json!([]));
    state.gets.insert("/question".into(), json!([]));
    state.gets.insert("/session/status".into(), json!({}));
    state
}

/// A server with one session, which is idle.
fn one_session() -> State {
    let mut state = recorded();
    state.steps.clear();
    state
}

fn step(ask: &str) -> Step {
    Step {
        ask: ask.into(),
        status: 200,
        answer: json!(true),
        events: Vec::new(),
    }
}

fn busy() -> Value {
    json!({ "sessionID": "ses_0001", "status": { "type": "busy" } })
}

fn idle() -> Value {
    json!({ "sessionID": "ses_0001", "status": { "type": "idle" } })
}

fn id() -> AgentId {
    AgentId("ses_0001".into())
}

fn shown(event: &AgentEvent) -> String {
    match event {
        AgentEvent::Text { text } => format!("says {text:?}"),
        AgentEvent::Prompt { text } => format!("is asked {text:?}"),
        AgentEvent::Tool { call } => {
            let detail = call.detail.as_ref().unwrap();
            let changes: Vec<_> = detail
                .changes
                .iter()
                .map(|change| change.path.clone())
                .collect();
            format!(
                "{} {:?} {:?} {changes:?} {:?}",
                call.name, call.status, detail.command, call.error
            )
        }
        AgentEvent::Permission { request } => format!(
            "wants {:?}, offers {:?}",
            request.title,
            request
                .options
                .iter()
                .map(|option| &*option.name)
                .collect::<Vec<_>>()
        ),
        AgentEvent::Usage { usage } => format!("uses {:?}", usage.context_used),
        other => format!("{other:?}"),
    }
}

/// Follows a turn to its end; what is asked is answered with `answer`.
async fn follow(server: &OpenCode, mut turn: Turn, answer: PermissionAnswer) -> Vec<String> {
    let mut events: Vec<AgentEvent> = Vec::new();
    let all = async {
        while let Some(event) = turn.next().await {
            // In how many pieces a text comes is the machine's business.
            match (events.last_mut(), &event) {
                (Some(AgentEvent::Text { text: said }), AgentEvent::Text { text }) => {
                    said.push_str(text)
                }
                _ => events.push(event.clone()),
            }
            if let AgentEvent::Permission { request } = &event {
                let answered = server.answer(&id(), &request.id, answer.clone()).await;
                answered.unwrap();
            }
            if matches!(&event, AgentEvent::Text { text } if text.contains("Thinking")) {
                turn.canceller().cancel();
            }
        }
    };
    timeout(SOON, all).await.unwrap();
    events.iter().map(shown).collect()
}

async fn begun(server: &OpenCode) -> AgentInfo {
    let labels = BTreeMap::from([("origin".to_owned(), "switchyard".to_owned())]);
    let new = NewAgent {
        cwd: CWD.into(),
        title: Some("First".into()),
        labels,
        ..NewAgent::default()
    };
    server.start(new).await.unwrap()
}

async fn say(client: &OpenCode, text: &str, answer: PermissionAnswer) -> String {
    let turn = client.prompt(&id(), Prompt::new(text)).await.unwrap();
    follow(client, turn, answer).await.join("\n")
}

#[tokio::test]
async fn a_recorded_server_is_understood_from_the_first_prompt_to_the_fork() {
    let server = Server::start(recorded()).await;
    let client = server.client();
    let agent = begun(&client).await;
    assert_eq!(agent.labels["origin"], "switchyard");
    assert_eq!(agent.status, AgentStatus::Idle);
    let (directory, body) = server.asked("POST /session", 1).await;
    assert_eq!(directory.as_deref(), Some(CWD));
    assert_eq!(body["metadata"]["switchyard"]["origin"], "switchyard");

    insta::assert_snapshot!(say(&client, "Say it.", PermissionAnswer::Allow).await, @r#"
    is asked "Say it."
    Started
    says "Here is the streamed answer."
    uses Some(127)
    Ended { outcome: Completed }
    "#);
    insta::assert_snapshot!(say(&client, "DO write made.txt", PermissionAnswer::Allow).await, @r#"
    is asked "DO write made.txt"
    Started
    write Running None [] None
    write Running None [Some("made.txt")] None
    write Running None [Some("/home/me/project/made.txt")] None
    wants Some("edit made.txt"), offers ["Allow once", "Allow always: *", "Reject"]
    PermissionResolved { id: "per_0001", answer: Some("allowed once") }
    write Completed None [Some("/home/me/project/made.txt")] None
    uses Some(127)
    says "The tool said: Wrote file successfully."
    uses Some(127)
    Ended { outcome: Completed }
    "#);
    let deny = PermissionAnswer::Deny {
        message: Some("not now".into()),
        interrupt: false,
    };
    insta::assert_snapshot!(say(&client, "DO shell echo hi > no.txt", deny).await, @r#"
    is asked "DO shell echo hi > no.txt"
    Started
    bash Running None [] None
    wants Some("bash echo hi > no.txt"), offers ["Allow once", "Allow always: echo *", "Reject"]
    bash Running Some("echo hi > no.txt") [] None
    PermissionResolved { id: "per_0002", answer: Some("rejected") }
    bash Failed Some("echo hi > no.txt") [] Some("The user rejected permission to use this specific tool call with the following feedback: not now")
    uses Some(127)
    says "The tool said: The user rejected permission to use this specific tool call with the following feedback: not now"
    uses Some(127)
    Ended { outcome: Completed }
    "#);
    insta::assert_snapshot!(say(&client, "DO hang", PermissionAnswer::Allow).await, @r#"
    is asked "DO hang"
    Started
    says "Thinking "
    Ended { outcome: Cancelled }
    "#);
    insta::assert_snapshot!(say(&client, "DO fail", PermissionAnswer::Allow).await, @r#"
    is asked "DO fail"
    Started
    Ended { outcome: Failed { message: "the script says so" } }
    "#);
    client.choose(&id(), "mode", "plan").await.unwrap();
    client.choose(&id(), "model", "Two").await.unwrap();
    insta::assert_snapshot!(say(&client, "DO plan", PermissionAnswer::Allow).await, @r#"
    is asked "DO plan"
    Started
    todowrite Running None [] None
    Plan { items: [PlanItem { text: "the content", state: Waiting }, PlanItem { text: "the content", state: Waiting }] }
    todowrite Running None [] None
    todowrite Completed None [] None
    uses Some(127)
    says "The tool said: [\n  {\n    \"content\": \"the content\",\n    \"status\": \"the status\",\n    \"priority\": \"the priority\"\n  },\n  {\n    \"content\": \"the content\",\n    \"status\": \"the status\",\n    \"priority\": \"the priority\"\n  }\n]"
    uses Some(127)
    Ended { outcome: Completed }
    "#);
    let (_, body) = server.asked("POST /session/ses_0001/prompt_async", 6).await;
    assert_eq!(
        body,
        json!({
            "agent": "plan",
            "model": { "providerID": "standin", "modelID": "stand-in-2" },
            "parts": [{ "type": "text", "text": "DO plan" }],
        })
    );

    let fork = client.fork(&id()).await.unwrap();
    assert_eq!(fork.title.as_deref(), Some("First (fork #1)"));
    let closed = client.close(&fork.id, false).await.unwrap();
    assert!(!closed.already);
    let left = client.list(ListAgents::default()).await.unwrap();
    let left: Vec<_> = left.iter().map(|agent| &*agent.id.0).collect();
    assert_eq!(left, ["ses_0001"]);
    assert!(server.state.lock().steps.is_empty(), "all was asked");
}

#[tokio::test]
async fn what_was_said_before_is_read_back_whoever_said_it() {
    let server = Server::start(one_session()).await;
    let client = server.client();
    let listed = client.list(ListAgents::default()).await.unwrap();
    assert_eq!(listed[0].title.as_deref(), Some("First"));
    let entries = client.timeline(&id()).await.unwrap();
    let lines: Vec<_> = entries.iter().map(|entry| shown(&entry.event)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    is asked "Say it."
    says "Here is the streamed answer."
    Ended { outcome: Completed }
    is asked "DO write made.txt"
    write Completed None [Some("made.txt")] None
    says "The tool said: Wrote file successfully."
    Ended { outcome: Completed }
    is asked "DO shell echo hi > no.txt"
    bash Failed Some("echo hi > no.txt") [] Some("The user rejected permission to use this specific tool call with the following feedback: not now")
    says "The tool said: The user rejected permission to use this specific tool call with the following feedback: not now"
    Ended { outcome: Completed }
    is asked "DO hang"
    says "Thinking "
    Ended { outcome: Cancelled }
    is asked "DO fail"
    Ended { outcome: Failed { message: "the script says so" } }
    is asked "DO plan"
    todowrite Completed None [] None
    says "The tool said: [\n  {\n    \"content\": \"the content\",\n    \"status\": \"the status\",\n    \"priority\": \"the priority\"\n  },\n  {\n    \"content\": \"the content\",\n    \"status\": \"the status\",\n    \"priority\": \"the priority\"\n  }\n]"
    Ended { outcome: Completed }
    "#);
    let agent = client.inspect("ses_0001").await.unwrap();
    let offers: Vec<_> = agent
        .offers
        .settings
        .iter()
        .map(|setting| {
            let choices: Vec<_> = setting
                .choices
                .iter()
                .map(|choice| &*choice.value)
                .collect();
            format!("{} {} of {choices:?}", setting.id, setting.current)
        })
        .collect();
    insta::assert_snapshot!(offers.join("\n"), @r#"
    model standin/stand-in-2 of ["standin/stand-in-1", "standin/stand-in-2"]
    mode plan of ["build", "plan"]
    "#);
    assert!(!agent.offers.images, "the second model sees none");
    let usage = agent.usage.unwrap();
    assert!(usage.input_tokens > 0, "{usage:?}");
}

#[tokio::test]
async fn who_else_talks_to_it_is_heard_and_may_be_answered_from_here() {
    let server = Server::start(one_session()).await;
    let client = server.client();
    let mut news = client.news();
    client.watch().await.unwrap();
    client.timeline(&id()).await.unwrap();
    server.tell(
        "message.updated",
        json!({ "info": { "id": "msg_9", "role": "user", "sessionID": "ses_0001" } }),
    );
    server.tell("message.part.updated", json!({ "part": { "id": "prt_9", "type": "text", "text": "From the terminal", "messageID": "msg_9", "sessionID": "ses_0001" } }));
    server.tell("session.status", busy());
    // What an agent's own agents ask is the person's to answer as well.
    server.tell(
        "session.created",
        json!({ "info": { "id": "ses_child", "parentID": "ses_0001", "directory": CWD } }),
    );
    server.tell("permission.asked", json!({ "id": "per_9", "sessionID": "ses_child", "permission": "edit", "patterns": ["a.txt", "b.txt"], "always": ["*"],
        "metadata": { "filepath": "a.txt, b.txt", "diff": "both", "files": [
            { "filePath": "/home/me/project/a.txt", "type": "update", "patch": "@@ -1 +1 @@\n-one\n+1\n" },
            { "filePath": "/home/me/project/b.txt", "type": "add", "patch": "@@ -0,0 +1 @@\n+two\n" },
        ] } }));
    let request = timeout(SOON, async {
        loop {
            if let Some(News::Changed(agent)) = news.next().await
                && let Some(request) = agent.permissions.first()
            {
                assert_eq!(agent.status, AgentStatus::NeedsYou);
                return request.clone();
            }
        }
    })
    .await
    .unwrap();
    let changes = request.detail.unwrap().changes;
    let paths: Vec<_> = changes
        .iter()
        .map(|change| change.path.as_deref().unwrap())
        .collect();
    assert_eq!(
        paths,
        ["/home/me/project/a.txt", "/home/me/project/b.txt"],
        "all of them are on the card"
    );
    assert!(changes[1].new_text.as_deref().unwrap().contains("+two"));
    let busy = client
        .prompt(&id(), Prompt::new("me too"))
        .await
        .err()
        .unwrap();
    assert!(matches!(busy, AgentError::Busy { .. }), "{busy}");

    server
        .state
        .lock()
        .steps
        .push_back(step("POST /permission/per_9/reply"));
    let allow = PermissionAnswer::Choose {
        option: "Allow always: *".into(),
    };
    client.answer(&id(), "per_9", allow).await.unwrap();
    let (_, body) = server.asked("POST /permission/per_9/reply", 1).await;
    assert_eq!(body, json!({ "reply": "always" }));
    server.tell(
        "permission.replied",
        json!({ "sessionID": "ses_child", "requestID": "per_9", "reply": "always" }),
    );
    server.tell("message.updated", json!({ "info": { "id": "msg_10", "role": "assistant", "sessionID": "ses_0001", "time": { "completed": 2 } } }));
    server.tell("session.status", idle());
    let end = async {
        loop {
            if let Some(News::Event { event, .. }) = news.next().await
                && matches!(*event, AgentEvent::Ended { .. })
            {
                return *event;
            }
        }
    };
    let end = timeout(SOON, end).await.unwrap();
    assert_eq!(
        end,
        AgentEvent::Ended {
            outcome: Outcome::Completed
        }
    );
    let lines: Vec<_> = client.timeline(&id()).await.unwrap();
    let last: Vec<_> = lines
        .iter()
        .rev()
        .take(5)
        .rev()
        .map(|entry| shown(&entry.event))
        .collect();
    insta::assert_snapshot!(last.join("\n"), @r#"
    is asked "From the terminal"
    Started
    wants Some("edit a.txt, b.txt"), offers ["Allow once", "Allow always: *", "Reject"]
    PermissionResolved { id: "per_9", answer: Some("allowed always") }
    Ended { outcome: Completed }
    "#);
    let again = client
        .answer(&id(), "per_9", PermissionAnswer::Allow)
        .await
        .unwrap_err();
    assert!(
        matches!(again, AgentError::PermissionGone { .. }),
        "{again}"
    );
}

#[tokio::test]
async fn a_question_with_several_parts_is_asked_one_after_the_other() {
    let mut state = one_session();
    let mut prompt = step("POST /session/ses_0001/prompt_async");
    prompt.events = vec![
        json!({ "payload": { "type": "session.status", "properties": busy() } }),
        json!({ "payload": { "type": "question.asked", "properties": { "id": "que_1", "sessionID": "ses_0001", "questions": [
            { "question": "Which one?", "header": "One", "options": [{ "label": "Left", "description": "The left one" }, { "label": "Right", "description": "" }] },
            { "question": "How many?", "header": "Two", "options": [{ "label": "All", "description": "" }] },
        ] } } }),
    ];
    let mut reply = step("POST /question/que_1/reply");
    reply.events = vec![
        json!({ "payload": { "type": "question.replied", "properties": { "sessionID": "ses_0001", "requestID": "que_1", "answers": [["Right"], ["All"]] } } }),
        json!({ "payload": { "type": "session.status", "properties": idle() } }),
    ];
    state.steps.extend([prompt, reply]);
    let server = Server::start(state).await;
    let client = server.client();
    let mut turn = client.prompt(&id(), Prompt::new("Ask me")).await.unwrap();
    let mut picks = ["Right", "All"].into_iter();
    let mut titles = Vec::new();
    let all = async {
        while let Some(event) = turn.next().await {
            if let AgentEvent::Permission { request } = event {
                titles.push(request.title.unwrap());
                let option = picks.next().unwrap().to_owned();
                let pick = PermissionAnswer::Choose { option };
                client.answer(&id(), &request.id, pick).await.unwrap();
            }
        }
    };
    timeout(SOON, all).await.unwrap();
    assert_eq!(titles, ["Which one?", "How many?"]);
    let (_, body) = server.asked("POST /question/que_1/reply", 1).await;
    assert_eq!(body, json!({ "answers": [["Right"], ["All"]] }));
}

/// A turn that has begun to say something.
async fn talking(server: &Server, client: &OpenCode) -> Turn {
    server
        .state
        .lock()
        .steps
        .push_back(step("POST /session/ses_0001/prompt_async"));
    let mut turn = client.prompt(&id(), Prompt::new("Say much")).await.unwrap();
    server.tell("session.status", busy());
    server.tell(
        "message.updated",
        json!({ "info": { "id": "msg_8", "role": "assistant", "sessionID": "ses_0001" } }),
    );
    server.tell("message.part.updated", json!({ "part": { "id": "prt_8", "type": "text", "text": "", "messageID": "msg_8", "sessionID": "ses_0001" } }));
    server.tell(
        "message.part.delta",
        json!({ "sessionID": "ses_0001", "partID": "prt_8", "field": "text", "delta": "It was " }),
    );
    let said = async {
        while let Some(event) = turn.next().await {
            if matches!(&event, AgentEvent::Text { text } if text == "It was ") {
                return;
            }
        }
    };
    timeout(SOON, said).await.unwrap();
    turn
}

fn last_message(told: Value) -> State {
    let mut state = one_session();
    let messages = json!([{ "info": told, "parts": [{ "id": "prt_8", "type": "text", "text": "It was long." }] }]);
    state
        .gets
        .insert("/session/ses_0001/message".into(), messages);
    state
}

#[tokio::test]
async fn a_turn_that_a_restart_cut_off_is_no_success() {
    let server = Server::start(one_session()).await;
    let client = server.client();
    let turn = talking(&server, &client).await;
    let cut = json!({ "id": "msg_8", "role": "assistant", "time": { "created": 1 } });
    let server = server.restarted(last_message(cut)).await;
    let result = timeout(SOON, turn.result()).await.unwrap();
    insta::assert_debug_snapshot!(result.outcome, @r#"
    Failed {
        message: "the server went away in the middle of the turn, and does not go on with it",
    }
    "#);
    let agent = client.inspect("ses_0001").await.unwrap();
    assert_eq!(agent.status, AgentStatus::Failed);
    drop(server);
}

#[tokio::test]
async fn a_turn_that_ended_while_the_stream_was_lost_has_ended_as_it_did() {
    let server = Server::start(one_session()).await;
    let client = server.client();
    let turn = talking(&server, &client).await;
    let done = json!({ "id": "msg_8", "role": "assistant", "finish": "stop", "time": { "created": 1, "completed": 2 } });
    let server = server.restarted(last_message(done)).await;
    let result = timeout(SOON, turn.result()).await.unwrap();
    assert_eq!(result.outcome, Outcome::Completed);
    let entries = client.timeline(&id()).await.unwrap();
    assert_eq!(
        shown(&entries[0].event),
        "says \"It was long.\"",
        "all of it, once"
    );
    drop(server);
}

#[tokio::test]
async fn a_server_that_stays_away_fails_the_turn_and_is_found_again() {
    let server = Server::start(one_session()).await;
    let mut config = OpenCodeConfig::new(server.address.parse().unwrap());
    config.deadlines.reconnect = Duration::from_millis(300);
    let client = OpenCode::new(config, Clock::system()).unwrap();
    let mut news = client.news();
    let turn = talking(&server, &client).await;
    let address = server.address.clone();
    server.end();
    let result = timeout(SOON, turn.result()).await.unwrap();
    let Outcome::Failed { message } = result.outcome else {
        panic!("{result:?}");
    };
    insta::assert_snapshot!(message.replace(&address, "HOST"), @"`HOST` went away while `the turn` was awaited: the server stays away; start it again, and prompt the agent once more");
    let lost = async { while !matches!(news.next().await, Some(News::ListAgain)) {} };
    timeout(SOON, lost).await.unwrap();
    let down = client.list(ListAgents::default()).await.unwrap_err();
    insta::assert_snapshot!(down.to_string().replace(&address, "HOST"), @"`HOST` does not answer: Connection refused (os error 111); is the server running? `opencode serve --port 4096` starts it");
    assert!(matches!(client.check().await, Health::Down { .. }));

    let back = Server {
        address: address.clone(),
        state: Arc::new(Mutex::new(one_session())),
        changed: Arc::default(),
        stop: tokio_util::sync::CancellationToken::new(),
    };
    back.serve(TcpListener::bind(&address).await.unwrap());
    assert_eq!(client.watch().await.unwrap().len(), 1);
    let Health::Up { version, transport } = client.check().await else {
        panic!("it is there");
    };
    assert_eq!((version.as_deref(), &*transport), (Some("1.18.33"), "http"));
}

#[tokio::test]
async fn a_text_of_which_the_beginning_was_missed_is_read_back_whole() {
    let server = Server::start(one_session()).await;
    let client = server.client();
    let mut news = client.news();
    client.watch().await.unwrap();
    client.timeline(&id()).await.unwrap();
    server.tell("session.status", busy());
    server.tell(
        "message.part.delta",
        json!({ "sessionID": "ses_0001", "partID": "prt_7", "field": "text", "delta": "the end" }),
    );
    server.tell("message.part.updated", json!({ "part": { "id": "prt_7", "type": "text", "text": "First the end", "messageID": "msg_7", "sessionID": "ses_0001" } }));
    let again = async { while !matches!(news.next().await, Some(News::ListAgain)) {} };
    timeout(SOON, again).await.unwrap();
    let messages = json!([{ "info": { "id": "msg_7", "role": "assistant", "time": { "created": 1 } }, "parts": [{ "id": "prt_7", "type": "text", "text": "First the end" }] }]);
    server
        .state
        .lock()
        .gets
        .insert("/session/ses_0001/message".into(), messages);
    let entries = client.timeline(&id()).await.unwrap();
    let lines: Vec<_> = entries.iter().map(|entry| shown(&entry.event)).collect();
    assert_eq!(lines, ["says \"First the end\""]);
}

#[tokio::test]
async fn a_turn_that_takes_too_long_is_stopped_at_the_server() {
    let mut state = one_session();
    let mut abort = step("POST /session/ses_0001/abort");
    abort.events = vec![json!({ "payload": { "type": "session.status", "properties": idle() } })];
    let mut prompt = step("POST /session/ses_0001/prompt_async");
    prompt.events = vec![json!({ "payload": { "type": "session.status", "properties": busy() } })];
    state.steps.extend([prompt, abort]);
    let server = Server::start(state).await;
    let client = server.client();
    let prompt = Prompt {
        timeout_ms: Some(200),
        ..Prompt::new("Take your time")
    };
    let turn = client.prompt(&id(), prompt).await.unwrap();
    let result = timeout(SOON, turn.result()).await.unwrap();
    assert_eq!(result.outcome, Outcome::TimedOut);
    server.asked("POST /session/ses_0001/abort", 1).await;
    assert!(!client.stop(&id()).await.unwrap(), "nothing runs any more");
}

#[tokio::test]
async fn commands_and_images_go_as_what_they_are() {
    let mut state = one_session();
    let mut command = step("POST /session/ses_0001/command");
    command.events = vec![
        json!({ "payload": { "type": "session.status", "properties": busy() } }),
        json!({ "payload": { "type": "session.status", "properties": idle() } }),
    ];
    let mut prompt = step("POST /session/ses_0001/prompt_async");
    prompt.events = command.events.clone();
    state.steps.extend([command, prompt]);
    let server = Server::start(state).await;
    let client = server.client();
    let turn = client
        .prompt(&id(), Prompt::new("/review main.."))
        .await
        .unwrap();
    timeout(SOON, turn.result()).await.unwrap();
    let (_, body) = server.asked("POST /session/ses_0001/command", 1).await;
    assert_eq!(
        (&body["command"], &body["arguments"]),
        (&json!("review"), &json!("main.."))
    );
    let prompt = Prompt {
        images: vec![PromptImage::new("image/png", b"dot")],
        ..Prompt::new("/no such command")
    };
    let turn = client.prompt(&id(), prompt).await.unwrap();
    timeout(SOON, turn.result()).await.unwrap();
    let (_, body) = server.asked("POST /session/ses_0001/prompt_async", 1).await;
    assert_eq!(body["parts"][0]["text"], "/no such command");
    assert_eq!(body["parts"][1]["url"], "data:image/png;base64,ZG90");
}

#[tokio::test]
async fn a_password_is_sent_and_a_wrong_one_is_said_to_be_so() {
    let mut state = one_session();
    state.password = Some("Basic b3BlbmNvZGU6c2VjcmV0".into());
    let server = Server::start(state).await;
    let error = server
        .client()
        .list(ListAgents::default())
        .await
        .unwrap_err();
    insta::assert_snapshot!(error.to_string().replace(&server.address, "HOST"), @"`HOST` refused the password: it wants the one that it was started with, as OPENCODE_SERVER_PASSWORD");
    let mut config = OpenCodeConfig::new(server.address.parse().unwrap());
    config.password = Some(PasswordRef::Environment {
        name: "SWITCHYARD_TEST_OPENCODE_PASSWORD".into(),
    });
    let client = OpenCode::new(config, Clock::system()).unwrap();
    let error = client.list(ListAgents::default()).await.unwrap_err();
    assert!(matches!(error, AgentError::Secret { .. }), "{error}");
}

#[tokio::test]
async fn bad_names_unknown_models_and_lost_sessions_are_refused_with_words() {
    let server = Server::start(one_session()).await;
    let client = server.client();
    for name in ["ses_nobody", "ses_../../global", "nobody"] {
        let agent = AgentId(name.into());
        let error = client
            .prompt(&agent, Prompt::new("Hello"))
            .await
            .err()
            .unwrap();
        assert!(
            matches!(error, AgentError::UnknownAgent { .. }),
            "{name}: {error}"
        );
    }
    let asked = server.state.lock().asked.clone();
    assert!(
        asked.iter().all(|(ask, ..)| !ask.contains("..")),
        "{asked:?}"
    );
    let error = client
        .choose(&id(), "model", "stand-in-9")
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @"`model` is `stand-in-9`, which is not offered; there are `standin/stand-in-1`, `standin/stand-in-2`");
    let new = NewAgent {
        cwd: CWD.into(),
        model: Some("nobody/none".into()),
        ..NewAgent::default()
    };
    let error = client.start(new).await.unwrap_err();
    assert!(matches!(error, AgentError::BadRequest { .. }), "{error}");
    let relative = NewAgent {
        cwd: "project".into(),
        ..NewAgent::default()
    };
    let error = client.start(relative).await.unwrap_err();
    insta::assert_snapshot!(error, @"`cwd` is `project`; give an absolute path");
    let encrypted = OpenCodeConfig::new("tcp://far:1?ssl=true".parse().unwrap());
    assert!(OpenCode::new(encrypted, Clock::system()).is_err());
}

#[tokio::test]
async fn a_server_that_hangs_or_talks_nonsense_costs_its_own_calls_only() {
    let server = Server::start(one_session()).await;
    let client = server.client();
    client.watch().await.unwrap();
    for event in [
        json!(3),
        json!({}),
        json!({ "payload": { "type": "message.part.updated" } }),
        json!({ "payload": { "type": "message.part.updated", "properties": { "part": { "sessionID": "ses_0001", "type": "tool" } } } }),
        json!({ "payload": { "type": "permission.asked", "properties": { "sessionID": "ses_0001" } } }),
        json!({ "payload": { "type": "session.status", "properties": { "sessionID": "ses_0001", "status": 3 } } }),
        json!({ "payload": { "type": "session.deleted", "properties": {} } }),
    ] {
        server.say(event);
    }
    let mut turn = talking(&server, &client).await;
    let part = json!({ "part": { "id": "prt_new", "type": "hologram", "sessionID": "ses_0001" } });
    server.tell("message.part.updated", part);
    let other = async {
        while let Some(event) = turn.next().await {
            if let AgentEvent::Other { kind, .. } = event {
                return kind;
            }
        }
        String::new()
    };
    assert_eq!(
        timeout(SOON, other).await.unwrap(),
        "hologram",
        "it is kept"
    );
    let tool = json!({ "part": { "id": "prt_t", "type": "tool", "tool": "bash", "callID": "c", "state": { "status": "running", "input": { "command": "ls" } }, "sessionID": "ses_0001" } });
    server.tell("message.part.updated", tool);
    server.tell("session.deleted", json!({ "info": { "id": "ses_0001" } }));
    let mut statuses = Vec::new();
    let rest = async {
        while let Some(event) = turn.next().await {
            if let AgentEvent::Tool { call } = event {
                statuses.push(call.status);
            }
        }
    };
    timeout(SOON, rest).await.unwrap();
    assert_eq!(statuses, [ToolStatus::Running, ToolStatus::Cancelled]);
    assert!(matches!(turn.so_far().outcome, Outcome::Failed { .. }));

    server.state.lock().silent = true;
    let mut config = OpenCodeConfig::new(server.address.parse().unwrap());
    config.deadlines.request = Duration::from_millis(300);
    let slow = OpenCode::new(config, Clock::system()).unwrap();
    let error = slow.list(ListAgents::default()).await.unwrap_err();
    assert!(matches!(error, AgentError::Timeout { .. }), "{error}");
}
