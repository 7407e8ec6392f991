//! What the steps of flows do in the world: scripts and programs in panes of their own, agents of backends.
//!
//! A step's directory, owner-only, holds its script or prompt, what it printed on its standard output
//! (`out`), its exit status (`status`) and what it wrote to `$SWITCHYARD_OUTPUT` (`structured`). So how
//! it ended can be told even when this process and the pane host were gone at that moment.

mod agent;
mod programs;

pub(super) use programs::waits_for_a_program;

use std::collections::BTreeMap;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Weak;
use std::time::Duration;

use ::conflicts::{ConflictFilter, Picture, Severity};
use ::flow::{
    ActionError, Actions, Activity, Answer, Ended, Finished, Found, Job, JobKey, PromptBy, Work,
    WorktreeWish, plain_text,
};
use secrets::Secrets;
use terminal::ask::{Close, Info, List, Read};
use terminal::{OpenPane, PaneId, PaneInfo, PaneRole, PaneState, ReadLines, Recording};
use tokio::sync::watch;

use crate::one_pane::{OnePane, Seen};
use crate::{App, Code, Error, Inner};

/// The longest output that is kept; of a longer one, its beginning and its end.
const MOST_OUTPUT: u64 = 4 << 20;
/// How long to wait before a pane is asked for again, when it could not be.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Where in a step's directory is what it did when it was asked once more.
pub(super) const AGAIN: &str = "again";
/// How often a step with a limit without output is looked at.
const LOOK_FOR_OUTPUT: Duration = Duration::from_millis(200);
/// How long the end of a process group may take after it was killed.
const REAP_WITHIN: Duration = Duration::from_secs(20);

/// The world of panes, agents and worktrees.
pub(super) struct World {
    app: Weak<Inner>,
    data: PathBuf,
}

impl World {
    pub(super) fn new(app: Weak<Inner>, data: &Path) -> Self {
        Self {
            app,
            data: data.to_owned(),
        }
    }

    fn app(&self) -> Result<App, ActionError> {
        self.app
            .upgrade()
            .map(App)
            .ok_or_else(|| ActionError::new("the program is about to end"))
    }

    fn directory(&self, key: &JobKey) -> PathBuf {
        let directory = self
            .data
            .join("steps")
            .join(&key.run)
            .join(format!("{}-{}", key.step, key.attempt));
        match key.turn {
            1 => directory,
            _ => directory.join(AGAIN),
        }
    }

    async fn begin(&self, job: Job) -> Result<Activity, ActionError> {
        let app = self.app()?;
        let directory = self.directory(&job.key);
        private_dir(&directory).map_err(|error| failed("create", &directory, &error))?;
        let worktree = match &job.worktree {
            None => None,
            Some(WorktreeWish::Path(path)) => Some(path.clone()),
            Some(WorktreeWish::New) if job.key.turn > 1 => self.worktree_of(&job),
            Some(WorktreeWish::New) => Some(self.new_worktree(&job).await?),
        };
        let cwd = working_directory(&job, worktree.as_deref());
        if let (Some(worktree), Some(inside)) = (&worktree, &job.inside)
            && Path::new(worktree).is_dir()
            && !Path::new(&cwd).is_dir()
        {
            return Err(ActionError::new(format!(
                "there is no directory `{inside}` in the worktree `{worktree}`"
            )));
        }
        if agent::is_agent(&job.work) {
            return agent::begin(&app, directory, &job, cwd, worktree).await;
        }
        if !Path::new(&cwd).is_dir() {
            return Err(ActionError::new(format!(
                "there is no directory `{cwd}` to work in"
            )));
        }
        let structured = directory.join("structured");
        let mut env = job.env.clone();
        let mut set = |name: &str, value: String| {
            env.insert(name.to_owned(), value);
        };
        set("SWITCHYARD_OUTPUT", structured.display().to_string());
        set("SWITCHYARD_RUN", job.key.run.clone());
        set("SWITCHYARD_STEP", job.key.step.clone());
        set("SWITCHYARD_ATTEMPT", job.key.attempt.to_string());
        let Program {
            program,
            args,
            stdin,
            role,
        } = program(&directory, &job.work)?;
        let recording = Recording {
            out: directory.join("out"),
            status: directory.join("status"),
            stdin,
            cover: job.secrets.clone(),
        };
        let request = OpenPane {
            program: Some(program),
            args,
            cwd: Some(cwd),
            env,
            name: Some(pane_name(&job.key)),
            role,
            no_shell_integration: true,
            ..OpenPane::default()
        };
        // Before it is opened, so that nothing of it is missed.
        let awaited = app.0.awaited.wait_for(&pane_name(&job.key));
        match app.open_recorded(request, recording).await {
            Ok(pane) => Ok(self.activity(&job, Some(pane.id), worktree, awaited)),
            // Whether it was opened is not known before the pane host can be asked again.
            Err(error) if error.code == Code::HostDown => {
                Ok(self.activity(&job, None, worktree, awaited))
            }
            Err(error) => Err(ActionError::new(error.message)),
        }
    }

    /// What follows a pane until its program has ended. One that is not known is found by its name.
    fn activity(
        &self,
        job: &Job,
        pane: Option<PaneId>,
        worktree: Option<String>,
        awaited: OnePane,
    ) -> Activity {
        let (app, directory) = (self.app.clone(), self.directory(&job.key));
        let secrets = job.secrets.clone();
        let output = pane
            .filter(|_| job.watch_output)
            .map(|pane| watch_output(self.app.clone(), pane));
        let name = pane_name(&job.key);
        if let Some(pane) = pane {
            awaited.is(pane);
        }
        Activity {
            handle: pane.map_or_else(String::new, |pane| format!("pane {pane}")),
            pane: pane.map(|pane| pane.0),
            worktree,
            agent: None,
            asks: None,
            output,
            ended: Box::pin(async move {
                let over = until_over(&app, pane, &name, awaited).await;
                came_to(&directory, over, &secrets)
            }),
        }
    }

    async fn look(&self, job: Job, handle: Option<String>) -> Found {
        let directory = self.directory(&job.key);
        if agent::is_agent(&job.work) {
            let worktree = self.worktree_of(&job);
            let cwd = working_directory(&job, worktree.as_deref());
            return match self.app() {
                Ok(app) => agent::find(&app, directory, &job, cwd, worktree).await,
                Err(_) => Found::Gone,
            };
        }
        let pane = handle.as_deref().and_then(pane_of);
        let Ok(app) = self.app() else {
            return Found::Gone;
        };
        let awaited = app.0.awaited.wait_for(&pane_name(&job.key));
        let over = match find_pane(&app, pane, &pane_name(&job.key)).await {
            Ok(None) => Over::Gone,
            Ok(Some(PaneInfo {
                state: state @ PaneState::Exited { .. },
                ..
            })) => Over::Exited(state),
            Ok(Some(pane)) => {
                let worktree = self.worktree_of(&job);
                return Found::Alive(self.activity(&job, Some(pane.id), worktree, awaited));
            }
            Err(error) => {
                tracing::warn!(%error, "a pane can't be asked for now");
                let worktree = self.worktree_of(&job);
                return Found::Alive(self.activity(&job, pane, worktree, awaited));
            }
        };
        match came_to(&directory, over, &job.secrets) {
            Ended::Finished(finished) => Found::Ended(finished),
            Ended::Gone => Found::Gone,
        }
    }

    async fn stop(&self, key: &JobKey, handle: &str) {
        if let (Some(agent), Ok(app)) = (agent::agent_of(handle), self.app()) {
            return agent::stop(&app, &agent).await;
        }
        let Ok(app) = self.app() else {
            return;
        };
        let found = find_pane(&app, pane_of(handle), &pane_name(key)).await;
        let Ok(Some(PaneInfo {
            id: pane, state, ..
        })) = found
        else {
            return;
        };
        let group = match state {
            PaneState::Running { pid } => i32::try_from(pid).ok(),
            PaneState::Exited { .. } => None,
        };
        // Looked for before their parents are gone; what they start until then is found again.
        let left = programs::Marked::of(key);
        left.ask_to_end();
        if let Err(error) = app.ask(Close(pane)).await {
            tracing::debug!(%error, "the pane of a step was closed already");
        }
        left.kill().await;
        // Gone is only what the system does not know any more.
        let Some(group) = group.and_then(rustix::process::Pid::from_raw) else {
            return;
        };
        if !programs::are_gone_within(group, REAP_WITHIN).await {
            tracing::warn!(%pane, "the programs of a step do not end");
        }
    }

    /// The worktree that an attempt works in, if it has one.
    fn worktree_of(&self, job: &Job) -> Option<String> {
        match &job.worktree {
            None => None,
            Some(WorktreeWish::Path(path)) => Some(path.clone()),
            Some(WorktreeWish::New) => Some(self.worktree_path(job).display().to_string()),
        }
    }

    fn worktree_path(&self, job: &Job) -> PathBuf {
        self.data.join("worktrees").join(format!(
            "{}-{}-{}",
            job.key.run, job.key.step, job.key.attempt
        ))
    }

    async fn new_worktree(&self, job: &Job) -> Result<String, ActionError> {
        let path = self.worktree_path(job);
        let branch = format!(
            "switchyard/{}-{}-{}",
            job.key.run, job.key.step, job.key.attempt
        );
        if let Some(parent) = path.parent() {
            private_dir(parent).map_err(|error| failed("create", parent, &error))?;
        }
        let made = tokio::process::Command::new("git")
            .args(["worktree", "add", "-b", &branch, "--"])
            .arg(&path)
            .current_dir(&job.cwd)
            .stdin(std::process::Stdio::null())
            .output()
            .await
            .map_err(|error| {
                ActionError::new(format!("could not run `git worktree add`: {error}"))
            })?;
        if made.status.success() {
            Ok(path.display().to_string())
        } else {
            let said = String::from_utf8_lossy(&made.stderr);
            Err(ActionError::new(format!(
                "could not make a worktree of `{}`: {}",
                job.cwd,
                said.trim().lines().last().unwrap_or_default()
            )))
        }
    }
}

impl Actions for World {
    fn start(&self, job: Job) -> Answer<'_, Result<Activity, ActionError>> {
        Box::pin(self.begin(job))
    }

    fn find(&self, job: Job, handle: Option<String>) -> Answer<'_, Found> {
        Box::pin(self.look(job, handle))
    }

    fn end(&self, key: JobKey, handle: String) -> Answer<'_, ()> {
        Box::pin(async move { self.stop(&key, &handle).await })
    }

    fn write_output(
        &self,
        cwd: String,
        file: String,
        text: String,
    ) -> Answer<'_, Result<(), ActionError>> {
        Box::pin(async move {
            let inside = !file.is_empty()
                && Path::new(&file)
                    .components()
                    .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
            if !inside {
                return Err(ActionError::new(format!(
                    "`{file}` is not below the directory of the run"
                )));
            }
            let path = Path::new(&cwd).join(&file);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)
                    .map_err(|error| failed("create", parent, &error))?;
            }
            std::fs::write(&path, text).map_err(|error| failed("write", &path, &error))
        })
    }

    fn conflicts(
        &self,
        place: String,
        glob: Option<String>,
    ) -> Answer<'_, Result<String, ActionError>> {
        Box::pin(async move {
            let filter = ConflictFilter {
                paths: glob.into_iter().collect(),
                at_least: Some(Severity::Identical),
                ..ConflictFilter::default()
            };
            let worst = worst_conflict(&self.app()?, place, filter).await;
            worst
                .map(|worst| worst.map_or("none", Severity::as_str).to_owned())
                .map_err(|error| {
                    ActionError::new(format!("could not look for conflicts: {}", error.message))
                })
        })
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// The worst conflict of the worktree that `place` is in: from memory where its repository is watched,
/// else by looking at the repository now.
async fn worst_conflict(
    app: &App,
    place: String,
    filter: ConflictFilter,
) -> Result<Option<Severity>, Error> {
    let place = std::fs::canonicalize(&place).unwrap_or_else(|_| PathBuf::from(place));
    for picture in app.conflict_pictures().await? {
        if let Some(worktree) = worktree_at(&picture, &place) {
            let filter = ConflictFilter {
                worktree: Some(worktree),
                ..filter
            };
            let verdicts = app.conflicts(filter).await?;
            return Ok(verdicts.iter().map(|verdict| verdict.severity).max());
        }
    }
    let looked = tokio::task::spawn_blocking(move || {
        let picture = crate::look_for_conflicts(None, &place, &filter)?;
        let worktree = worktree_at(&picture, &place);
        let ours = picture.verdicts.iter().filter(|verdict| {
            [&verdict.left, &verdict.right]
                .iter()
                .any(|side| Some(&side.worktree.0) == worktree.as_ref())
        });
        Ok(ours.map(|verdict| verdict.severity).max())
    });
    looked
        .await
        .map_err(|error| Error::from_chain(Code::Failed, &error))?
}

/// The root of the worktree that a directory is in.
fn worktree_at(picture: &Picture, place: &Path) -> Option<String> {
    picture
        .worktrees
        .iter()
        .map(|worktree| &worktree.id.0)
        .filter(|root| place.starts_with(root))
        .max_by_key(|root| root.len())
        .cloned()
}

/// Where an attempt works: in its worktree, if it has one.
fn working_directory(job: &Job, worktree: Option<&str>) -> String {
    match (worktree, &job.inside) {
        (None, _) => job.cwd.clone(),
        (Some(worktree), None) => worktree.to_owned(),
        (Some(worktree), Some(inside)) => Path::new(worktree).join(inside).display().to_string(),
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> ActionError {
    ActionError::new(format!("could not {what} `{}`: {error}", path.display()))
}

fn pane_name(key: &JobKey) -> String {
    let again = if key.turn > 1 { " again" } else { "" };
    format!("{} · {} #{}{again}", key.step, key.run, key.attempt)
}

fn pane_of(handle: &str) -> Option<PaneId> {
    handle.strip_prefix("pane ")?.parse().ok().map(PaneId)
}

fn private_dir(directory: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

fn private_file(path: &Path, mode: u32, text: &str) -> Result<(), ActionError> {
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| failed("write", path, &error))
}

/// What runs in the pane of a step.
struct Program {
    program: String,
    args: Vec<String>,
    /// The file that is its standard input; none: the terminal.
    stdin: Option<PathBuf>,
    role: PaneRole,
}

/// Writes down the script or the prompt of a step, and says what runs.
fn program(directory: &Path, work: &Work) -> Result<Program, ActionError> {
    match work {
        Work::Script { script } => {
            let path = directory.join("script");
            private_file(&path, 0o700, script)?;
            let path = path.display().to_string();
            let (program, args) = if script.starts_with("#!") {
                (path, Vec::new())
            } else {
                // The first command that fails ends the script, as everywhere where scripts are steps.
                ("/bin/sh".to_owned(), vec!["-e".to_owned(), path])
            };
            Ok(Program {
                program,
                args,
                stdin: None,
                role: PaneRole::Step,
            })
        }
        Work::Agent {
            backend,
            program,
            prompt_by,
            prompt,
            ..
        } if backend == "command" => {
            let Some((program, args)) = program.split_first() else {
                return Err(ActionError::new(
                    "`program` is empty: there is nothing to run",
                ));
            };
            let mut args = args.to_vec();
            let mut stdin = None;
            match prompt_by {
                PromptBy::Arg => args.push(prompt.clone()),
                PromptBy::Stdin | PromptBy::File => {
                    let path = directory.join("prompt");
                    private_file(&path, 0o600, prompt)?;
                    if *prompt_by == PromptBy::Stdin {
                        stdin = Some(path);
                    } else {
                        args.push(path.display().to_string());
                    }
                }
            }
            Ok(Program {
                program: program.clone(),
                args,
                stdin,
                role: PaneRole::Agent,
            })
        }
        Work::Agent { backend, .. } => Err(ActionError::new(format!(
            "an agent of the backend `{backend}` does not run in a pane"
        ))),
    }
}

/// What became of the pane of a step.
enum Over {
    /// Its program has ended.
    Exited(PaneState),
    /// It was closed.
    Closed,
    /// The pane host does not know it: it closed long ago, or another pane host had it.
    Gone,
}

/// The pane of a step: by its id, or by its name when that is not known. None: there is no such pane.
async fn find_pane(app: &App, pane: Option<PaneId>, name: &str) -> Result<Option<PaneInfo>, Error> {
    match pane {
        Some(pane) => match app.ask(Info(pane)).await {
            Err(error) if error.code == Code::BadId => Ok(None),
            found => found.map(Some),
        },
        None => {
            let panes = app.ask(List).await?;
            Ok(panes
                .into_iter()
                .find(|pane| pane.name.as_deref() == Some(name)))
        }
    }
}

/// Waits until nothing runs in the pane of a step any more. `awaited` is told of it since before it was looked for.
async fn until_over(
    app: &Weak<Inner>,
    mut pane: Option<PaneId>,
    name: &str,
    mut awaited: OnePane,
) -> Over {
    let mut missed = 0;
    // One of which not even the id is known is looked for at once.
    let mut look = pane.is_none();
    loop {
        let seen = awaited.seen();
        pane = seen.pane.or(pane);
        match seen {
            Seen {
                ended: Some(state), ..
            } => return Over::Exited(state),
            Seen { closed: true, .. } => return Over::Closed,
            _ => look |= seen.missed != missed,
        }
        missed = seen.missed;
        if !look {
            awaited.changed().await;
            continue;
        }
        let Some(inner) = app.upgrade() else {
            // We are ending; the next process finds the pane again.
            return std::future::pending().await;
        };
        match find_pane(&App(inner), pane, name).await {
            Ok(None) => return Over::Gone,
            Ok(Some(PaneInfo {
                state: state @ PaneState::Exited { .. },
                ..
            })) => return Over::Exited(state),
            Ok(Some(found)) => {
                awaited.is(found.id);
                pane = Some(found.id);
                look = false;
            }
            Err(error) => {
                tracing::debug!(%error, "a pane can't be asked for now");
                let _ = tokio::time::timeout(LOOK_AGAIN, awaited.changed()).await;
            }
        }
    }
}

fn read_status(directory: &Path) -> Option<i32> {
    let text = std::fs::read_to_string(directory.join("status")).ok()?;
    text.trim().parse().ok()
}

/// How a program ended, from what was kept of it and what became of its pane.
fn came_to(directory: &Path, over: Over, secrets: &Secrets) -> Ended {
    let status = read_status(directory);
    let (exit_code, error) = match (status, over) {
        (Some(127), _) => (
            status,
            Some("exit code 127: a program was not found".to_owned()),
        ),
        (Some(code), _) if code > 128 => {
            let signal = code - 128;
            let error = format!("exit code {code}: signal {signal} ended it");
            (status, Some(error))
        }
        (Some(_), _) => (status, None),
        (None, Over::Gone) => return Ended::Gone,
        (None, Over::Closed) => (
            None,
            Some("its pane was closed before it had ended".to_owned()),
        ),
        (
            None,
            Over::Exited(PaneState::Exited {
                signal: Some(signal),
                ..
            }),
        ) => (None, Some(format!("{signal} ended it"))),
        (None, Over::Exited(_)) => (
            None,
            Some("what it printed and how it ended could not be kept".to_owned()),
        ),
    };
    let (output, left_out) = read_output(&directory.join("out"));
    Ended::Finished(Finished {
        exit_code,
        error,
        output,
        left_out,
        structured: read_structured(&directory.join("structured"), secrets),
    })
}

/// What a program wrote as its structured output, once no secret stands in it any more.
fn read_structured(path: &Path, secrets: &Secrets) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let covered = secrets.cover(text.clone());
    if covered != text
        && let Err(error) = private_file(path, 0o600, &covered)
    {
        tracing::warn!(%error, "a secret could not be covered; the file is removed");
        let _ = std::fs::remove_file(path);
    }
    Some(covered).filter(|text| !text.trim().is_empty())
}

/// What was printed; of more than is kept, the beginning and the end.
fn read_output(path: &Path) -> (String, u64) {
    let read = || -> io::Result<(String, u64)> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        let mut bytes = Vec::new();
        if length <= MOST_OUTPUT {
            file.read_to_end(&mut bytes)?;
            return Ok((plain_text(&bytes), 0));
        }
        let half = MOST_OUTPUT / 2 - 100;
        (&mut file).take(half).read_to_end(&mut bytes)?;
        let beginning = plain_text(&bytes);
        bytes.clear();
        file.seek(io::SeekFrom::Start(length - half))?;
        file.take(half).read_to_end(&mut bytes)?;
        let left_out = length - 2 * half;
        let kept = format!(
            "{beginning}\n[… {left_out} bytes were left out …]\n{}",
            plain_text(&bytes)
        );
        // The rest is of no more use, and may be gigabytes.
        let new = path.with_extension("new");
        if private_file(&new, 0o600, &kept).is_ok() {
            let _ = std::fs::rename(&new, path);
        }
        Ok((kept, left_out))
    };
    // Nothing printed, nothing there.
    read().unwrap_or_default()
}

/// Tells when a pane shows something new.
fn watch_output(app: Weak<Inner>, pane: PaneId) -> watch::Receiver<u64> {
    let (changes, receiver) = watch::channel(0);
    tokio::spawn(async move {
        let mut newest = BTreeMap::new();
        loop {
            tokio::select! {
                () = changes.closed() => return,
                () = tokio::time::sleep(LOOK_FOR_OUTPUT) => {}
            }
            let Some(inner) = app.upgrade() else { return };
            let Ok(lines) = App(inner)
                .ask(Read {
                    pane,
                    lines: ReadLines::Newest { count: 3 },
                })
                .await
            else {
                continue;
            };
            let now: BTreeMap<_, _> = lines.into_iter().map(|line| (line.id, line.text)).collect();
            if now != newest {
                newest = now;
                changes.send_modify(|changes| *changes += 1);
            }
        }
    });
    receiver
}
