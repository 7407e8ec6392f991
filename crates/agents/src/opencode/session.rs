//! One session of the server: what is known of it, what it asks, what is being said in it.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::error::capped;
use crate::held::Held;
use crate::news::News;
use crate::opencode::wire::{self, Info};
use crate::tools::word;
use crate::turn::TurnWriter;
use crate::types::{
    AgentEvent, AgentId, AgentInfo, AgentStatus, BackendId, Offers, Outcome, PermissionRequest,
    TimelineEntry, ToolCall, ToolDetail, ToolStatus, Usage,
};

/// How much of a part that is not known is kept.
const OTHER_LIMIT: usize = 4 << 10;
/// Parts of messages that only keep the server's books.
const BOOKS: [&str; 8] = [
    "step-start",
    "patch",
    "snapshot",
    "compaction",
    "agent",
    "subtask",
    "file",
    "retry",
];

/// One conversation.
pub(super) struct Session {
    pub(super) info: Info,
    pub(super) held: Held,
    pub(super) usage: Usage,
    pub(super) offers: Offers,
    pub(super) asked: Vec<Asked>,
    pub(super) run: Option<Run>,
    /// What was said before was read back.
    pub(super) read: bool,
    /// What happened while it was being read back, with the part that it belongs to.
    reading: Option<Vec<(Option<String>, AgentEvent)>>,
    /// The texts that are being said, by their part.
    parts: BTreeMap<String, Part>,
    calls: HashMap<String, ToolCall>,
    /// What a call would change, as it was shown to whoever was asked.
    shown: HashMap<String, ToolDetail>,
    /// The messages of the turn, and which of them are a person's.
    messages: HashMap<String, bool>,
    /// Those of the turn before: a server that was told to stop goes on to speak of them when the next has begun.
    before: HashMap<String, bool>,
    failure: Option<Outcome>,
    /// Cancelled when the server is done with a turn that failed or was stopped: a prompt before that it takes, and forgets.
    pub(super) settled: Option<CancellationToken>,
}

#[derive(Debug, Default)]
struct Part {
    text: String,
    /// It was heard from its beginning on.
    whole: bool,
    thought: bool,
    prompt: bool,
    /// It belongs to the turn before.
    old: bool,
}

/// What waits for an answer, and whom the answer is for.
pub(super) struct Asked {
    pub(super) request: PermissionRequest,
    pub(super) question: Option<Question>,
}

/// Questions that the server asks at once, and we one after the other.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) told: Value,
    pub(super) answers: Vec<Vec<String>>,
}

/// A turn that runs, whoever began it.
pub(super) struct Run {
    /// Cancelled when it is over.
    pub(super) over: CancellationToken,
    /// Somebody stopped it: how it is to end.
    pub(super) stopped: Option<Outcome>,
    pub(super) stop_at_permission: bool,
    /// The server works at it.
    busy: bool,
    /// An answer was said to be complete, or that there will be none.
    answered: bool,
    /// The last message is whole.
    whole: bool,
}

/// What is to be told once the sessions are free again.
#[derive(Default)]
pub(super) struct Told {
    pub(super) news: Vec<News>,
    pub(super) ends: Vec<(TurnWriter, Outcome)>,
    /// Something was missed: what was said has to be read back once more.
    pub(super) again: bool,
    /// The turn may be over, or an earlier one was meant: the server is to be asked.
    pub(super) doubt: bool,
}

impl Session {
    pub(super) fn new(info: Info) -> Self {
        let held = Held::new(info.title.clone(), info.labels.clone());
        Self {
            usage: info.usage.clone(),
            info,
            held,
            offers: Offers::default(),
            asked: Vec::new(),
            run: None,
            read: false,
            reading: None,
            parts: BTreeMap::new(),
            calls: HashMap::new(),
            shown: HashMap::new(),
            messages: HashMap::new(),
            before: HashMap::new(),
            failure: None,
            settled: None,
        }
    }

    /// Takes what the server tells of the session as a whole.
    pub(super) fn know(&mut self, info: Info) {
        self.held.title = info.title.clone().or(self.held.title.take());
        if !info.labels.is_empty() {
            self.held.labels = info.labels.clone();
        }
        let before = std::mem::take(&mut self.usage);
        self.usage = before.and(info.usage.clone());
        let (model, mode) = (self.info.model.take(), self.info.mode.take());
        self.info = info;
        self.info.model = self.info.model.take().or(model);
        self.info.mode = self.info.mode.take().or(mode);
    }

    pub(super) fn agent(&self, backend: &BackendId) -> AgentInfo {
        let mut agent = AgentInfo {
            model: self.info.model.clone(),
            created_at: self.info.created.clone(),
            updated_at: self.info.updated.clone(),
            permissions: self
                .asked
                .iter()
                .map(|asked| asked.request.clone())
                .collect(),
            session: Some(self.info.id.clone()),
            offers: self.offers.clone(),
            usage: (self.usage != Usage::default()).then(|| self.usage.clone()),
            ..self
                .held
                .info(backend, &self.info.id, "opencode", &self.info.cwd)
        };
        if self.info.archived {
            agent.status = AgentStatus::Archived;
        }
        agent
    }

    pub(super) fn changed(&self, backend: &BackendId, told: &mut Told) {
        told.news.push(News::Changed(Box::new(self.agent(backend))));
    }

    fn happened(&mut self, part: Option<&str>, event: AgentEvent, told: &mut Told) {
        let position = self.held.add(&event);
        if let Some(reading) = &mut self.reading {
            reading.push((part.map(str::to_owned), event.clone()));
        }
        told.news.push(News::Event {
            agent: AgentId(self.info.id.clone()),
            event: Box::new(event),
            position: Some(position),
        });
    }

    /// A turn is begun from here.
    pub(super) fn begin(&mut self, writer: &TurnWriter, prompt: &str, stop_at_permission: bool) {
        self.held.begin(writer, prompt);
        self.failure = None;
        self.run = Some(Run {
            over: CancellationToken::new(),
            stopped: None,
            stop_at_permission,
            busy: false,
            answered: false,
            whole: false,
        });
    }

    /// The server did not take the prompt.
    pub(super) fn not_begun(&mut self) {
        self.held.writer = None;
        self.held.status = AgentStatus::Idle;
        if let Some(run) = self.run.take() {
            run.over.cancel();
        }
    }

    /// Takes one event of the server; what is not this session's business changes nothing.
    pub(super) fn take(&mut self, kind: &str, told: &Value, backend: &BackendId, out: &mut Told) {
        match kind {
            "message.updated" => {
                let message = &told["info"];
                let Some(id) = word(&message["id"]).filter(|id| !self.before.contains_key(id))
                else {
                    return;
                };
                self.messages.insert(id, message["role"] == "user");
                let failed = message["error"].is_object();
                if failed {
                    self.failure = Some(wire::failure(&message["error"]));
                }
                let whole = !message["time"]["completed"].is_null();
                if let Some(run) = &mut self.run {
                    run.answered |= failed || whole;
                    run.whole = whole;
                }
            }
            "message.part.updated" => self.part(&told["part"], backend, out),
            "message.part.delta" => self.delta(told, out),
            "session.status" => match told["status"]["type"].as_str() {
                Some("idle") => {
                    if self.run.is_none()
                        && let Some(settled) = self.settled.take()
                    {
                        settled.cancel();
                    }
                    self.idle(backend, out);
                }
                Some("retry") => {
                    self.working(backend, out);
                    let why = told["status"]["message"].as_str().unwrap_or("it failed");
                    let text = format!("{}; it tries again", capped(why, 500));
                    self.happened(None, AgentEvent::Notice { text }, out);
                }
                Some(_) => self.working(backend, out),
                None => {}
            },
            "session.idle" => self.idle(backend, out),
            "session.error" => {
                self.failure = Some(wire::failure(&told["error"]));
                if let Some(run) = &mut self.run {
                    run.answered = true;
                    // A turn that fails before the server works at it is never said to end.
                    if !run.busy {
                        self.finish(backend, out);
                    }
                }
            }
            "todo.updated" => {
                let items = wire::plan(&told["todos"]);
                self.happened(None, AgentEvent::Plan { items }, out);
            }
            "permission.replied" => {
                let words = match told["reply"].as_str() {
                    Some("once") => "allowed once",
                    Some("always") => "allowed always",
                    Some("reject") => "rejected",
                    _ => "answered",
                };
                self.answered(&told["requestID"], words, backend, out);
            }
            "question.replied" => {
                let answers = told["answers"].as_array().into_iter().flatten();
                let answers: Vec<_> = answers
                    .flat_map(|answer| answer.as_array().into_iter().flatten())
                    .filter_map(Value::as_str)
                    .collect();
                self.answered(&told["requestID"], &answers.join(", "), backend, out);
            }
            "question.rejected" => {
                self.answered(&told["requestID"], "not answered", backend, out);
            }
            "session.compacted" => {
                let text = "what was said before was summed up, to make room".into();
                self.happened(None, AgentEvent::Notice { text }, out);
            }
            _ => {}
        }
    }

    fn part(&mut self, part: &Value, backend: &BackendId, out: &mut Told) {
        let Some(id) = part["id"].as_str() else {
            return;
        };
        match part["type"].as_str().unwrap_or_default() {
            "text" | "reasoning" if part["synthetic"] == true || part["ignored"] == true => {}
            kind @ ("text" | "reasoning") => {
                let message = part["messageID"].as_str().unwrap_or_default();
                let known = self.messages.get(message).or(self.before.get(message));
                let prompt = known == Some(&true);
                let text = part["text"].as_str().unwrap_or_default();
                self.text(id, text, kind == "reasoning", prompt, out);
            }
            "tool" => {
                if let Some(call) = wire::tool(part) {
                    self.call(call, out);
                }
            }
            "step-finish" => {
                let usage = wire::step(part);
                self.usage = std::mem::take(&mut self.usage).and(usage);
                let usage = self.usage.clone();
                self.happened(None, AgentEvent::Usage { usage }, out);
                self.changed(backend, out);
            }
            kind if BOOKS.contains(&kind) => {}
            kind => {
                let event = other(kind, part);
                self.happened(Some(id), event, out);
            }
        }
    }

    /// A part's whole text: what of it was not told yet is told.
    fn text(&mut self, id: &str, text: &str, thought: bool, prompt: bool, out: &mut Told) {
        let known = self.parts.contains_key(id);
        let part = self.parts.entry(id.to_owned()).or_default();
        part.whole |= !known;
        (part.thought, part.prompt) = (thought, prompt);
        let Some(rest) = text.strip_prefix(part.text.as_str()).map(str::to_owned) else {
            out.again |= !part.whole || !part.text.starts_with(text);
            return;
        };
        part.text = text.to_owned();
        if !rest.is_empty() {
            self.happened(Some(id), said(rest, thought, prompt), out);
        }
    }

    fn delta(&mut self, told: &Value, out: &mut Told) {
        let (Some(id), Some(text)) = (told["partID"].as_str(), told["delta"].as_str()) else {
            return;
        };
        if told["field"] != "text" {
            return;
        }
        let part = self.parts.entry(id.to_owned()).or_default();
        part.text.push_str(text);
        let event = said(text.to_owned(), part.thought, part.prompt);
        self.happened(Some(id), event, out);
    }

    fn call(&mut self, mut call: ToolCall, out: &mut Told) {
        // What it would change is told when it asks, and not again when it is done.
        if let Some(shown) = self.shown.get(&call.id) {
            let detail = call.detail.get_or_insert_default();
            detail.changes.clone_from(&shown.changes);
            detail.paths.clone_from(&shown.paths);
        }
        self.calls.insert(call.id.clone(), call.clone());
        self.happened(None, AgentEvent::Tool { call }, out);
    }

    /// It asks; `call` is the tool call that it is about.
    pub(super) fn asks(
        &mut self,
        asked: Asked,
        call: Option<&str>,
        backend: &BackendId,
        out: &mut Told,
    ) {
        let known = |known: &Asked| known.request.id == asked.request.id;
        if self.asked.iter().any(known) {
            return;
        }
        if let Some(call) = call.and_then(|call| self.calls.get(call).cloned())
            && let Some(shown) = asked.request.detail.clone()
            && !shown.changes.is_empty()
        {
            self.shown.insert(call.id.clone(), shown);
            self.call(call, out);
        }
        let request = asked.request.clone();
        self.asked.push(asked);
        self.held.status = AgentStatus::NeedsYou;
        self.happened(None, AgentEvent::Permission { request }, out);
        self.changed(backend, out);
        if self.run.as_ref().is_some_and(|run| run.stop_at_permission)
            && let Some(writer) = self.held.writer.take()
        {
            out.ends.push((writer, Outcome::NeedsPermission));
        }
    }

    /// A question was answered, here or elsewhere.
    pub(super) fn answered(
        &mut self,
        id: &Value,
        words: &str,
        backend: &BackendId,
        out: &mut Told,
    ) {
        let id = id.as_str().unwrap_or_default();
        let is = |asked: &Asked| asked.request.id.split('#').next() == Some(id);
        let Some(at) = self.asked.iter().position(is) else {
            return;
        };
        let asked = self.asked.remove(at);
        let event = AgentEvent::PermissionResolved {
            id: asked.request.id,
            answer: Some(words.to_owned()),
        };
        self.happened(None, event, out);
        if self.asked.is_empty() && self.held.status == AgentStatus::NeedsYou {
            self.held.status = AgentStatus::Working;
        }
        self.changed(backend, out);
    }

    /// The server works at it.
    pub(super) fn working(&mut self, backend: &BackendId, out: &mut Told) {
        let run = self.run.get_or_insert_with(|| Run {
            over: CancellationToken::new(),
            stopped: None,
            stop_at_permission: false,
            busy: false,
            answered: false,
            whole: false,
        });
        if std::mem::replace(&mut run.busy, true) {
            return;
        }
        self.failure = None;
        if self.held.status != AgentStatus::NeedsYou {
            self.held.status = AgentStatus::Working;
        }
        self.happened(None, AgentEvent::Started, out);
        self.changed(backend, out);
    }

    fn idle(&mut self, backend: &BackendId, out: &mut Told) {
        // The end of the turn before may come after a prompt, once more.
        match &self.run {
            Some(run) if run.busy && (run.answered || run.stopped.is_some()) => {
                self.finish(backend, out);
            }
            Some(run) => out.doubt |= run.busy,
            None => {}
        }
    }

    /// The turn is over: as the server told, or as somebody wanted.
    pub(super) fn finish(&mut self, backend: &BackendId, out: &mut Told) {
        let Some(run) = self.run.take() else {
            return;
        };
        let failure = self.failure.take();
        self.settled = (run.busy && !run.whole).then(CancellationToken::new);
        let outcome = run.stopped.or(failure).unwrap_or(Outcome::Completed);
        for asked in std::mem::take(&mut self.asked) {
            let event = AgentEvent::PermissionResolved {
                id: asked.request.id,
                answer: None,
            };
            self.happened(None, event, out);
        }
        let mut open: Vec<_> = std::mem::take(&mut self.calls).into_values().collect();
        open.retain(|call| call.status == ToolStatus::Running);
        for mut call in open {
            call.status = ToolStatus::Cancelled;
            self.happened(None, AgentEvent::Tool { call }, out);
        }
        self.parts
            .retain(|_, part| !std::mem::replace(&mut part.old, true));
        self.before = std::mem::take(&mut self.messages);
        self.shown.clear();
        let writer = self.held.finish(&outcome);
        let ended = AgentEvent::Ended {
            outcome: outcome.clone(),
        };
        self.happened(None, ended, out);
        self.changed(backend, out);
        run.over.cancel();
        out.ends.extend(writer.map(|writer| (writer, outcome)));
    }

    /// The turn was cut off.
    pub(super) fn cut_off(&mut self, message: &str, backend: &BackendId, out: &mut Told) {
        self.failure = Some(Outcome::Failed {
            message: message.to_owned(),
        });
        self.finish(backend, out);
    }

    /// How the turn ended while nobody heard, by the last message.
    pub(super) fn missed_end(&mut self, messages: &Value, backend: &BackendId, out: &mut Told) {
        let last = messages.as_array().and_then(|messages| messages.last());
        let info = last.map_or(&Value::Null, |message| &message["info"]);
        if info["error"].is_object() {
            self.failure = Some(wire::failure(&info["error"]));
        } else if info["role"] != "assistant" || info["time"]["completed"].is_null() {
            self.failure = Some(Outcome::Failed {
                message:
                    "the server went away in the middle of the turn, and does not go on with it"
                        .into(),
            });
        }
        self.finish(backend, out);
    }

    /// Something may have been missed.
    pub(super) fn forget_texts(&mut self) {
        self.read = false;
        self.parts.clear();
    }

    /// What was said is about to be read back.
    pub(super) fn reads(&mut self) {
        self.reading = Some(Vec::new());
    }

    /// What was said was read back, or could not be.
    pub(super) fn has_read(&mut self, messages: Option<&Value>) {
        let during = self.reading.take().unwrap_or_default();
        let Some(messages) = messages else {
            return;
        };
        let mut entries = entries(messages, &self.parts);
        let known = |id: &str| has_part(messages, id);
        for (id, part) in self.parts.iter().filter(|(_, part)| !part.old) {
            if !known(id) && !part.text.is_empty() {
                let event = said(part.text.clone(), part.thought, part.prompt);
                entries.push(entry(None, event));
            }
        }
        self.held.timeline.replace(entries);
        for (part, event) in during {
            let told = part.is_some_and(|part| known(&part) || self.parts.contains_key(&part));
            if !told && !matches!(event, AgentEvent::Ended { .. }) {
                self.held.timeline.add(&event);
            }
        }
        self.read = true;
    }
}

fn said(text: String, thought: bool, prompt: bool) -> AgentEvent {
    match (prompt, thought) {
        (true, _) => AgentEvent::Prompt { text },
        (false, true) => AgentEvent::Reasoning { text },
        (false, false) => AgentEvent::Text { text },
    }
}

fn other(kind: &str, part: &Value) -> AgentEvent {
    AgentEvent::Other {
        kind: kind.to_owned(),
        text: capped(&format!("{part:#}"), OTHER_LIMIT),
    }
}

fn entry(at: Option<String>, event: AgentEvent) -> TimelineEntry {
    TimelineEntry {
        at,
        event,
        position: None,
    }
}

fn all_parts(messages: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let messages = messages.as_array().into_iter().flatten();
    messages.flat_map(|message| {
        let parts = message["parts"].as_array().into_iter().flatten();
        parts.map(move |part| (&message["info"], part))
    })
}

fn has_part(messages: &Value, id: &str) -> bool {
    all_parts(messages).any(|(_, part)| part["id"] == id)
}

/// A conversation, read back; of a text that is still being said, what was heard of it.
fn entries(messages: &Value, heard: &BTreeMap<String, Part>) -> Vec<TimelineEntry> {
    let mut entries = Vec::new();
    for message in messages.as_array().into_iter().flatten() {
        let info = &message["info"];
        let at = wire::at(&info["time"]["created"]);
        let prompt = info["role"] == "user";
        for part in message["parts"].as_array().into_iter().flatten() {
            let event = match part["type"].as_str().unwrap_or_default() {
                "text" | "reasoning" if part["synthetic"] == true || part["ignored"] == true => {
                    None
                }
                kind @ ("text" | "reasoning") => {
                    let told = part["text"].as_str().unwrap_or_default();
                    let heard = part["id"].as_str().and_then(|id| heard.get(id));
                    let text = heard
                        .filter(|heard| heard.whole && heard.text.len() > told.len())
                        .map_or(told, |heard| &heard.text);
                    (!text.is_empty()).then(|| said(text.to_owned(), kind == "reasoning", prompt))
                }
                "tool" => wire::tool(part).map(|call| AgentEvent::Tool { call }),
                "step-finish" => None,
                kind if BOOKS.contains(&kind) => None,
                kind => Some(other(kind, part)),
            };
            entries.extend(event.map(|event| entry(at.clone(), event)));
        }
        let over = !info["time"]["completed"].is_null() && info["finish"] != "tool-calls";
        let outcome = if info["error"].is_object() {
            Some(wire::failure(&info["error"]))
        } else {
            (!prompt && over).then_some(Outcome::Completed)
        };
        if let Some(outcome) = outcome {
            let at = wire::at(&info["time"]["completed"]);
            entries.push(entry(at, AgentEvent::Ended { outcome }));
        }
    }
    entries
}
