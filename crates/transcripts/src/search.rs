//! The search: files are cut into blocks, which the machine's cores search newest first; what is found is told in that order.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::File as Opened;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant, UNIX_EPOCH};

use memchr::{memchr, memrchr};
use pattern::{Cache, Escaped, Pattern, Sought};
use secrets::Secrets;
use serde_json::Value;

use crate::contract::{
    SearchError, TranscriptAgent, TranscriptAnswer, TranscriptConversation, TranscriptHit,
    TranscriptProgress, TranscriptRequest,
};
use crate::format;
use crate::hits::{Line, Looking};
use crate::lines::{self, Buffer, Go};
use crate::opencode;
use crate::places::{File, Places};

/// How long is searched.
const DEADLINE: Duration = Duration::from_secs(10);
/// A file is searched in blocks of this size.
const BLOCK: u64 = 2 * 1024 * 1024;
/// More threads do not help: they wait for memory.
const MAX_THREADS: usize = 8;
/// How many lines at the head of a file are read for what is known of its conversation, and how many bytes.
const HEAD_LINES: usize = 60;
const HEAD: u64 = 1024 * 1024;
/// So many letters of a title.
const TITLE: usize = 120;

/// Stops a search: from another thread, at the next keystroke.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Stops the searches that were given this value or a clone of it; they return what they have.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Searches the transcripts in `places`, and tells `found` what it finds while it goes on. Stopped, or out of time, it
/// returns what it has, and says so. What `secrets` holds is covered, and not found.
///
/// # Errors
///
/// [`SearchError`] names the field that is wrong, or the place in the pattern.
pub fn search(
    places: &Places,
    request: &TranscriptRequest,
    secrets: &Secrets,
    stop: &Stop,
    found: &mut dyn FnMut(TranscriptProgress),
) -> Result<TranscriptAnswer, SearchError> {
    let pattern = checked(request)?;
    let deadline = Instant::now() + DEADLINE;
    let (mut files, unknown) = places.files();
    if let Some(since) = request.since {
        // Nothing was said in a file after it was written last.
        files.retain(|file| {
            let written = file.written.duration_since(UNIX_EPOCH).unwrap_or_default();
            written.as_millis() as u64 + 1000 >= since
        });
    }
    if request.oldest_first {
        files.reverse();
    }
    let files: Vec<Known> = files.into_iter().map(Known::new).collect();
    let escaped = Escaped::new(&pattern);
    let worker = Worker {
        request,
        looking: Looking {
            pattern: &pattern,
            secrets,
            since: request.since,
            before: request.before,
        },
        escaped: &escaped,
        units: units(&files, request.oldest_first),
        files: &files,
        limit: request.limit as usize,
        next: AtomicUsize::new(0),
        enough: AtomicUsize::new(usize::MAX),
        stop,
        deadline,
    };
    let mut told = Told::new(&worker, found);
    told.run();
    Ok(told.answer(&unknown))
}

fn checked(request: &TranscriptRequest) -> Result<Pattern, SearchError> {
    let bad = |field, message| Err(SearchError::BadParams { field, message });
    if !(1..=500).contains(&request.limit) {
        let limit = request.limit;
        return bad("limit", format!("{limit}; it must be from 1 to 500"));
    }
    if let (Some(since), Some(before)) = (request.since, request.before)
        && since >= before
    {
        let message =
            "nothing came since then and before `before`: it must be the earlier of the two";
        return bad("since", message.to_owned());
    }
    if let Some(directory) = &request.directory
        && !Path::new(directory).is_absolute()
    {
        return bad("directory", format!("`{directory}`; it must be absolute"));
    }
    Ok(Pattern::new(&Sought {
        text: &request.pattern,
        regex: request.regex,
        case: request.case,
        whole_word: request.whole_word,
    })?)
}

/// A file, and what is known of the conversation in it once somebody asked.
struct Known {
    file: File,
    head: OnceLock<Head>,
}

/// What the head of a file says.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// It is of a version that is known here.
    pub(crate) known: bool,
    pub(crate) conversation: TranscriptConversation,
}

impl Known {
    fn new(file: File) -> Self {
        Self {
            file,
            head: OnceLock::new(),
        }
    }

    fn head(&self, secrets: &Secrets) -> &Head {
        self.head.get_or_init(|| head(&self.file, secrets))
    }
}

/// Reads the head of a file.
pub(crate) fn head(file: &File, secrets: &Secrets) -> Head {
    let agent = file.agent;
    let mut head = Head {
        known: false,
        conversation: TranscriptConversation {
            agent,
            file: file.path.to_string_lossy().into_owned(),
            session: String::new(),
            directory: format::directory_beside(agent, &file.path),
            title: None,
        },
    };
    let Ok(opened) = Opened::open(&file.path) else {
        return head;
    };
    let mut count = 0;
    let mut take = |line: &[u8]| {
        count += 1;
        let Ok(line) = serde_json::from_slice::<Value>(line) else {
            return count < HEAD_LINES;
        };
        let read = format::read(agent, &line);
        head.known |= read.known;
        let about = &mut head.conversation;
        if let (true, Some(session)) = (about.session.is_empty(), read.session) {
            session.clone_into(&mut about.session);
        }
        if let (None, Some(directory)) = (&about.directory, read.directory) {
            about.directory = Some(directory.to_owned());
        }
        if about.title.is_none() {
            let said = read.messages.iter().flat_map(|said| &said.parts);
            let mut asked =
                said.filter(|part| part.role == crate::contract::TranscriptRole::Person);
            about.title = asked.next().map(|part| title(part.text, secrets));
        }
        count < HEAD_LINES && (about.title.is_none() || about.directory.is_none())
    };
    let mut see = |_: u64, bytes: &[u8]| {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        if lines.all(|line| line.is_empty() || take(line)) {
            Go::On
        } else {
            Go::Stop
        }
    };
    // What can't be read says nothing.
    let _ = lines::each(&opened, 0, HEAD, &mut Buffer::default(), &mut see);
    if head.conversation.session.is_empty() {
        let stem = file.path.file_stem().unwrap_or_default();
        head.conversation.session = stem.to_string_lossy().into_owned();
    }
    head
}

/// The first line of a text, not too long.
pub(crate) fn title(text: &str, secrets: &Secrets) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut title: String = secrets
        .cover(line.chars().take(TITLE * 4).collect())
        .chars()
        .take(TITLE)
        .collect();
    if title.len() < line.len() && line.starts_with(&title) {
        title.push('…');
    }
    title
}

/// A piece of work: the lines that begin in a block of a file, or a database.
#[derive(Debug, Clone, Copy)]
struct Unit {
    file: usize,
    from: u64,
    to: u64,
}

fn units(files: &[Known], oldest_first: bool) -> Vec<Unit> {
    let mut units = Vec::new();
    for (number, known) in files.iter().enumerate() {
        let size = known.file.size;
        // Where a message is written again, it is told once: all of the file is looked at together.
        let whole =
            known.file.agent == TranscriptAgent::Opencode || format::repeats(known.file.agent);
        let block = if whole { size.max(1) } else { BLOCK };
        let mut blocks: Vec<Unit> = (0..size.div_ceil(block))
            .map(|at| Unit {
                file: number,
                from: at * block,
                to: ((at + 1) * block).min(size),
            })
            .collect();
        if !oldest_first {
            blocks.reverse();
        }
        units.append(&mut blocks);
    }
    units
}

/// What came of a unit.
#[derive(Default)]
struct Done {
    /// All lines that match.
    count: u64,
    hits: Vec<TranscriptHit>,
    /// The conversations that have one.
    sessions: HashSet<(usize, String)>,
    /// It was not searched to its end: stopped, out of time, or there is enough already.
    cut: bool,
    /// The file is of a version that is not known.
    unknown: bool,
    /// Lines that were left out for their length, or are no JSON.
    too_long: u64,
    torn: u64,
    failed: Option<String>,
}

/// What the threads of a search share.
struct Worker<'a> {
    request: &'a TranscriptRequest,
    looking: Looking<'a>,
    escaped: &'a Escaped,
    units: Vec<Unit>,
    files: &'a [Known],
    limit: usize,
    next: AtomicUsize,
    /// The units before this one have as many hits as were asked for.
    enough: AtomicUsize,
    stop: &'a Stop,
    deadline: Instant,
}

/// What a thread searches with.
struct Scratch {
    raw: Option<Cache>,
    cache: Cache,
    buffer: Buffer,
}

impl Worker<'_> {
    fn scratch(&self) -> Scratch {
        Scratch {
            raw: self.escaped.cache(),
            cache: self.looking.pattern.cache(),
            buffer: Buffer::default(),
        }
    }

    fn over(&self, number: usize) -> bool {
        self.stop.is_stopped()
            || number >= self.enough.load(Ordering::Relaxed)
            || Instant::now() >= self.deadline
    }

    fn step(&self, scratch: &mut Scratch) -> Option<(usize, Done)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let unit = *self.units.get(number)?;
        let mut done = Done::default();
        if self.over(number) {
            done.cut = true;
        } else if self.files[unit.file].file.agent == TranscriptAgent::Opencode {
            self.database(number, unit, scratch, &mut done);
        } else {
            self.block(number, unit, scratch, &mut done);
        }
        Some((number, done))
    }

    /// Whether a conversation is in the directory that was asked for.
    fn wants(&self, directory: Option<&str>) -> bool {
        let Some(wanted) = &self.request.directory else {
            return true;
        };
        directory.is_some_and(|directory| {
            let directory = Path::new(directory);
            let real = || directory.canonicalize().ok();
            directory.starts_with(wanted) || real().is_some_and(|real| real.starts_with(wanted))
        })
    }

    fn block(&self, number: usize, unit: Unit, scratch: &mut Scratch, done: &mut Done) {
        let known = &self.files[unit.file];
        let agent = known.file.agent;
        let opened = match Opened::open(&known.file.path) {
            Ok(opened) => opened,
            // It was removed in the meantime.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => {
                done.failed = Some(format!("{}: {error}", known.file.path.display()));
                return;
            }
        };
        let mut kept = Kept::new(self.limit, self.request.oldest_first);
        let mut again = format::repeats(agent).then(HashSet::new);
        let Scratch { raw, cache, buffer } = scratch;
        let mut see = |base: u64, bytes: &[u8]| {
            if self.over(number) {
                done.cut = true;
                return Go::Stop;
            }
            let mut at = 0;
            while let Some(place) = self.escaped.find_end(raw, bytes, at) {
                let place = place.saturating_sub(1);
                let start = memrchr(b'\n', &bytes[..place]).map_or(0, |newline| newline + 1);
                let end = memchr(b'\n', &bytes[place..]).map_or(bytes.len(), |next| place + next);
                at = end + 1;
                let line = &bytes[start..end];
                let begins = base + start as u64;
                if let Ok(value) = serde_json::from_slice::<Value>(line) {
                    let read = format::read(agent, &value);
                    for (index, said) in read.messages.iter().enumerate() {
                        let key = || key(begins, index);
                        for line in self.looking.lines(cache, said, &key) {
                            let again = again.as_mut().is_some_and(|again| {
                                let id = said.id.unwrap_or_default().to_owned();
                                !again.insert((id, line.part, line.line))
                            });
                            if !again {
                                kept.add(line, read.session.map(str::to_owned));
                            }
                        }
                    }
                } else if begins + (line.len() as u64) < known.file.size {
                    // The last line may still be written.
                    done.torn += 1;
                }
                if at >= bytes.len() {
                    break;
                }
            }
            Go::On
        };
        match lines::each(&opened, unit.from, unit.to, buffer, &mut see) {
            Ok(too_long) => done.too_long = too_long,
            Err(error) => {
                done.failed = Some(format!("{}: {error}", known.file.path.display()));
            }
        }
        if kept.count == 0 && done.torn == 0 {
            return;
        }
        let head = known.head(self.looking.secrets);
        if !head.known {
            *done = Done {
                unknown: true,
                cut: done.cut,
                ..Done::default()
            };
            return;
        }
        if !self.wants(head.conversation.directory.as_deref()) {
            done.torn = 0;
            return;
        }
        done.count = kept.count;
        if kept.count > 0 {
            done.sessions
                .insert((unit.file, head.conversation.session.clone()));
        }
        done.hits = kept.into_hits(|session| TranscriptConversation {
            session: session.unwrap_or_else(|| head.conversation.session.clone()),
            ..head.conversation.clone()
        });
    }

    fn database(&self, number: usize, unit: Unit, scratch: &mut Scratch, done: &mut Done) {
        let known = &self.files[unit.file];
        // Its rows come in the search's order.
        let mut kept = Kept::new(self.limit, true);
        let mut conversations: HashMap<String, Option<TranscriptConversation>> = HashMap::new();
        let Scratch { raw, cache, .. } = scratch;
        let result = opencode::each(
            &known.file.path,
            self.request.oldest_first,
            &mut |row, database| {
                if self.over(number) {
                    done.cut = true;
                    return Ok(Go::Stop);
                }
                if self.escaped.find_end(raw, row.data, 0).is_none() {
                    return Ok(Go::On);
                }
                let Ok(value) = serde_json::from_slice::<Value>(row.data) else {
                    done.torn += 1;
                    return Ok(Go::On);
                };
                let said = opencode::said(&value, database.role(row)?, row.when);
                let lines = self.looking.lines(cache, &said, &|| row.message.to_owned());
                if lines.is_empty() {
                    return Ok(Go::On);
                }
                if !conversations.contains_key(row.session) {
                    let about = database
                        .conversation(row.session, self.looking.secrets)?
                        .filter(|about| self.wants(about.directory.as_deref()));
                    conversations.insert(row.session.to_owned(), about);
                }
                if conversations.get(row.session).is_some_and(Option::is_some) {
                    done.sessions.insert((unit.file, row.session.to_owned()));
                    for line in lines {
                        kept.add(line, Some(row.session.to_owned()));
                    }
                }
                Ok(Go::On)
            },
        );
        match result {
            Ok(()) => {}
            Err(opencode::Failed::Unknown) => done.unknown = true,
            Err(opencode::Failed::Sqlite(error)) => {
                done.failed = Some(format!("{}: {error}", known.file.path.display()));
            }
        }
        done.count = kept.count;
        done.hits = kept.into_hits(|session| {
            let about = session.and_then(|session| conversations.get(&session).cloned().flatten());
            about.expect("a line is kept when its conversation is known")
        });
    }
}

/// What a message of a line of JSON is called: where the line begins, and which of its messages it is.
pub(crate) fn key(begins: u64, index: usize) -> String {
    match index {
        0 => begins.to_string(),
        index => format!("{begins}.{index}"),
    }
}

/// The lines of a unit that are wanted: the first in the search's order.
struct Kept {
    limit: usize,
    oldest_first: bool,
    count: u64,
    lines: VecDeque<(Line, Option<String>)>,
}

impl Kept {
    fn new(limit: usize, oldest_first: bool) -> Self {
        Self {
            limit,
            oldest_first,
            count: 0,
            lines: VecDeque::new(),
        }
    }

    /// Takes the next line of the file.
    fn add(&mut self, line: Line, session: Option<String>) {
        self.count += 1;
        if self.oldest_first {
            if self.lines.len() < self.limit {
                self.lines.push_back((line, session));
            }
        } else {
            self.lines.push_back((line, session));
            if self.lines.len() > self.limit {
                self.lines.pop_front();
            }
        }
    }

    fn into_hits(
        mut self,
        conversation: impl Fn(Option<String>) -> TranscriptConversation,
    ) -> Vec<TranscriptHit> {
        if !self.oldest_first {
            self.lines.make_contiguous().reverse();
        }
        self.lines
            .into_iter()
            .map(|(line, session)| line.of(&conversation(session)))
            .collect()
    }
}

/// What was found and told.
struct Told<'a, 'b> {
    worker: &'a Worker<'a>,
    found: &'b mut dyn FnMut(TranscriptProgress),
    done: Vec<Option<Done>>,
    /// So many units from the first on are done and told of.
    told: usize,
    hits: Vec<TranscriptHit>,
}

impl<'a, 'b> Told<'a, 'b> {
    fn new(worker: &'a Worker<'a>, found: &'b mut dyn FnMut(TranscriptProgress)) -> Self {
        let mut done = Vec::new();
        done.resize_with(worker.units.len(), || None);
        Self {
            worker,
            found,
            done,
            told: 0,
            hits: Vec::new(),
        }
    }

    fn run(&mut self) {
        let worker = self.worker;
        let threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MAX_THREADS)
            .min(worker.units.len());
        std::thread::scope(|scope| {
            let (send, receive) = mpsc::sync_channel(threads * 4 + 1);
            let mut started = 0;
            for number in 0..threads {
                let send = send.clone();
                let thread = std::thread::Builder::new().name(format!("transcripts {number}"));
                let spawned = thread.spawn_scoped(scope, move || {
                    let mut scratch = worker.scratch();
                    while let Some(done) = worker.step(&mut scratch) {
                        if send.send(done).is_err() {
                            break;
                        }
                    }
                });
                started += usize::from(spawned.is_ok());
            }
            drop(send);
            if started == 0 {
                let mut scratch = worker.scratch();
                while let Some((number, done)) = worker.step(&mut scratch) {
                    self.take(number, done);
                }
            }
            while let Ok((number, done)) = receive.recv() {
                self.take(number, done);
            }
        });
    }

    fn take(&mut self, number: usize, done: Done) {
        self.done[number] = Some(done);
        let before = self.hits.len();
        while let Some(Some(done)) = self.done.get_mut(self.told) {
            let room = self.worker.limit - self.hits.len();
            self.hits
                .extend(std::mem::take(&mut done.hits).into_iter().take(room));
            self.told += 1;
        }
        if self.hits.len() > before {
            let hits = self.hits[before..].to_vec();
            (self.found)(TranscriptProgress { hits });
        }
        if self.hits.len() >= self.worker.limit {
            self.worker.enough.fetch_min(self.told, Ordering::Relaxed);
        }
    }

    fn answer(self, unknown: &[(TranscriptAgent, std::path::PathBuf)]) -> TranscriptAnswer {
        let done = || self.done.iter().flatten();
        let total: u64 = done().map(|done| done.count).sum();
        let sessions: HashSet<_> = done().flat_map(|done| &done.sessions).collect();
        let cut = self
            .done
            .iter()
            .any(|done| done.as_ref().is_none_or(|done| done.cut));
        let full = self.hits.len() >= self.worker.limit;
        let mut reasons = Vec::new();
        if full && (cut || total > self.hits.len() as u64) {
            reasons.push(format!("these are the first {} lines", self.hits.len()));
        } else if self.worker.stop.is_stopped() {
            reasons.push("the search was stopped".to_owned());
        } else if cut {
            reasons.push(format!(
                "transcripts were searched for {} seconds, which did not do for all of them",
                DEADLINE.as_secs()
            ));
        }
        let too_long: u64 = done().map(|done| done.too_long).sum();
        if too_long > 0 {
            reasons.push(format!(
                "{} longer than {} MB {} left out",
                lines_of(too_long),
                lines::MAX_LINE / (1024 * 1024),
                was(too_long)
            ));
        }
        let torn: u64 = done().map(|done| done.torn).sum();
        if torn > 0 {
            let said = lines_of(torn);
            reasons.push(format!(
                "{said} could not be read, and {} left out",
                was(torn)
            ));
        }
        let mut strange: HashMap<TranscriptAgent, HashSet<&Path>> = HashMap::new();
        for (agent, path) in unknown {
            strange.entry(*agent).or_default().insert(path);
        }
        for (unit, done) in self.worker.units.iter().zip(&self.done) {
            if done.as_ref().is_some_and(|done| done.unknown) {
                let file = &self.worker.files[unit.file].file;
                strange.entry(file.agent).or_default().insert(&file.path);
            }
        }
        let mut strange: Vec<_> = strange.into_iter().collect();
        strange.sort_by_key(|(agent, _)| *agent);
        for (agent, files) in strange {
            let (count, agent) = (files.len() as u64, agent.title());
            let files = if count == 1 { "file" } else { "files" };
            reasons.push(format!(
                "{count} {files} of {agent} {} left out, of a version that is not known here",
                was(count)
            ));
        }
        let mut failed: Vec<String> = done().filter_map(|done| done.failed.clone()).collect();
        failed.dedup();
        failed.truncate(3);
        reasons.extend(failed);
        TranscriptAnswer {
            total,
            conversations: sessions.len() as u32,
            truncated: !reasons.is_empty(),
            reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            hits: self.hits,
        }
    }
}

fn lines_of(count: u64) -> String {
    format!("{count} {}", if count == 1 { "line" } else { "lines" })
}

fn was(count: u64) -> &'static str {
    if count == 1 { "was" } else { "were" }
}
