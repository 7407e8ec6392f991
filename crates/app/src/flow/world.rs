//! What the steps of flows do in the world: scripts and programs in panes of their own, agents of backends.
//!
//! A step's directory, owner-only, holds its script or prompt, what it printed on its standard output
//! (`out`), its exit status (`status`) and what it wrote to `$SWITCHYARD_OUTPUT` (`structured`). So how
//! it ended can be told even when this process and the pane host were gone at that moment.

mod agent;

use std::collections::BTreeMap;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Weak;
use std::time::Duration;

use ::conflicts::{ConflictFilter, Picture, Severity};
use ::flow::{
    ActionError, Actions, Activity, Answer, Finished, Found, Job, JobKey, PromptBy, Work,
    WorktreeWish, plain_text,
};
use terminal::{OpenPane, PaneEvent, PaneId, PaneInfo, PaneRole, PaneState, ReadLines};
use tokio::sync::{broadcast, watch};

use crate::{App, AppEvent, Code, Inner};

/// Runs the program that its arguments name, with its standard output both in the pane and in the file
/// `out`, and keeps its exit status in `status`, in one write. Built-in commands only: each program that is
/// started costs as much as all the rest.
const WRAPPER: &str = r#"dir=$1; stdin=$2; shift 2
{ if [ -n "$stdin" ]; then "$@" <"$stdin"; else "$@"; fi; echo $? >"$dir/status"; } | tee "$dir/out"
read -r status <"$dir/status"; exit "${status:-1}""#;

/// How programs end whose terminal is taken away: by SIGHUP, or by SIGPIPE when `tee` was faster.
const HUNG_UP: [i32; 2] = [128 + 1, 128 + 13];
/// The longest output that is kept; of a longer one, its beginning and its end.
const MOST_OUTPUT: u64 = 4 << 20;
/// How often the state of a pane is asked for, besides waiting for its events.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
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
        self.data
            .join("steps")
            .join(&key.run)
            .join(format!("{}-{}", key.step, key.attempt))
    }

    async fn begin(&self, job: Job) -> Result<Activity, ActionError> {
        let app = self.app()?;
        let directory = self.directory(&job.key);
        private_dir(&directory).map_err(|error| failed("create", &directory, &error))?;
        let (cwd, worktree) = match &job.worktree {
            None => (job.cwd.clone(), None),
            Some(WorktreeWish::Path(path)) => (path.clone(), Some(path.clone())),
            Some(WorktreeWish::New) => {
                let path = self.new_worktree(&job).await?;
                (path.clone(), Some(path))
            }
        };
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
        let (program, stdin, role) = command(&directory, &job.work)?;
        let mut args = vec![
            "-c".to_owned(),
            WRAPPER.to_owned(),
            "switchyard-step".to_owned(),
            directory.display().to_string(),
            stdin,
        ];
        args.extend(program);
        let pane = app
            .open_pane(OpenPane {
                program: Some("/bin/sh".to_owned()),
                args,
                cwd: Some(cwd),
                env,
                name: Some(pane_name(&job.key)),
                role,
                no_shell_integration: true,
                ..OpenPane::default()
            })
            .await
            .map_err(|error| ActionError::new(error.message))?;
        Ok(self.activity(&job, pane.id, worktree))
    }

    /// What follows a pane until its program has ended.
    fn activity(&self, job: &Job, pane: PaneId, worktree: Option<String>) -> Activity {
        let (app, directory) = (self.app.clone(), self.directory(&job.key));
        let output = job
            .watch_output
            .then(|| watch_output(self.app.clone(), pane));
        Activity {
            handle: format!("pane {pane}"),
            pane: Some(pane.0),
            worktree,
            agent: None,
            asks: None,
            output,
            ended: Box::pin(async move {
                let state = until_exit(&app, pane).await;
                let finished = finished(&directory, state.as_ref());
                // What went well is found in the history; what failed stays open for a person to look at.
                if finished.error.is_none()
                    && finished.exit_code == Some(0)
                    && let Some(inner) = app.upgrade()
                    && let Err(error) = App(inner).close_pane(pane).await
                {
                    tracing::debug!(%error, "the pane of a step was closed already");
                }
                finished
            }),
        }
    }

    async fn look(&self, job: Job, handle: Option<String>) -> Found {
        let directory = self.directory(&job.key);
        if agent::is_agent(&job.work) {
            let (cwd, worktree) = match self.worktree_of(&job) {
                Some(path) => (path.clone(), Some(path)),
                None => (job.cwd.clone(), None),
            };
            return match self.app() {
                Ok(app) => agent::find(&app, directory, &job, cwd, worktree).await,
                Err(_) => Found::Gone,
            };
        }
        let pane = match handle.as_deref().and_then(pane_of) {
            Some(pane) => self.pane(pane).await,
            None => self.pane_named(&pane_name(&job.key)).await,
        };
        if let Some(status) = read_status(&directory) {
            // It did not end by itself: the pane host went away, and its terminal with it.
            if pane.is_none() && HUNG_UP.contains(&status) {
                return Found::Gone;
            }
            return Found::Ended(finished(&directory, pane.as_ref().map(|pane| &pane.state)));
        }
        match pane {
            Some(pane) => match pane.state {
                PaneState::Running { .. } => {
                    let worktree = self.worktree_of(&job);
                    Found::Alive(self.activity(&job, pane.id, worktree))
                }
                PaneState::Exited { .. } => Found::Ended(finished(&directory, Some(&pane.state))),
            },
            None => Found::Gone,
        }
    }

    async fn pane(&self, pane: PaneId) -> Option<PaneInfo> {
        self.app().ok()?.pane_info(pane).await.ok()
    }

    async fn pane_named(&self, name: &str) -> Option<PaneInfo> {
        let panes = self.app().ok()?.list_panes().await.ok()?;
        panes
            .into_iter()
            .find(|pane| pane.name.as_deref() == Some(name))
    }

    async fn stop(&self, handle: &str) {
        if let (Some(agent), Ok(app)) = (agent::agent_of(handle), self.app()) {
            return agent::stop(&app, &agent).await;
        }
        let (Some(pane), Ok(app)) = (pane_of(handle), self.app()) else {
            return;
        };
        let group = match app.pane_info(pane).await {
            Ok(PaneInfo {
                state: PaneState::Running { pid },
                ..
            }) => i32::try_from(pid).ok(),
            _ => None,
        };
        if let Err(error) = app.close_pane(pane).await {
            tracing::debug!(%error, "the pane of a step was closed already");
        }
        // Gone is only what the system does not know any more.
        let Some(group) = group.and_then(rustix::process::Pid::from_raw) else {
            return;
        };
        let gone = async {
            while rustix::process::test_kill_process_group(group).is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(REAP_WITHIN, gone).await.is_err() {
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

    fn end(&self, _: JobKey, handle: String) -> Answer<'_, ()> {
        Box::pin(async move { self.stop(&handle).await })
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
) -> Result<Option<Severity>, crate::Error> {
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
        let picture = crate::look_for_conflicts(&place, &filter)?;
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
        .map_err(|error| crate::Error::from_chain(Code::Failed, &error))?
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

fn failed(what: &str, path: &Path, error: &io::Error) -> ActionError {
    ActionError::new(format!("could not {what} `{}`: {error}", path.display()))
}

fn pane_name(key: &JobKey) -> String {
    format!("{} · {} #{}", key.step, key.run, key.attempt)
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

/// What runs, and the file that is its standard input, if it has one.
fn command(directory: &Path, work: &Work) -> Result<(Vec<String>, String, PaneRole), ActionError> {
    match work {
        Work::Script { script } => {
            let path = directory.join("script");
            private_file(&path, 0o700, script)?;
            let path = path.display().to_string();
            let program = if script.starts_with("#!") {
                vec![path]
            } else {
                // The first command that fails ends the script, as everywhere where scripts are steps.
                vec!["/bin/sh".to_owned(), "-e".to_owned(), path]
            };
            Ok((program, String::new(), PaneRole::Step))
        }
        Work::Agent {
            backend,
            program,
            prompt_by,
            prompt,
            ..
        } if backend == "command" => {
            let mut program = program.clone();
            let mut stdin = String::new();
            match prompt_by {
                PromptBy::Arg => program.push(prompt.clone()),
                PromptBy::Stdin | PromptBy::File => {
                    let path = directory.join("prompt");
                    private_file(&path, 0o600, prompt)?;
                    let path = path.display().to_string();
                    if *prompt_by == PromptBy::Stdin {
                        stdin = path;
                    } else {
                        program.push(path);
                    }
                }
            }
            Ok((program, stdin, PaneRole::Agent))
        }
        Work::Agent { backend, .. } => Err(ActionError::new(format!(
            "an agent of the backend `{backend}` does not run in a pane"
        ))),
    }
}

/// Waits until the program of a pane has ended; none: the pane is gone.
async fn until_exit(app: &Weak<Inner>, pane: PaneId) -> Option<PaneState> {
    loop {
        let (mut events, known) = {
            let Some(inner) = app.upgrade() else {
                // We are ending; the next process finds the pane again.
                return std::future::pending().await;
            };
            let app = App(inner);
            (app.events(), app.pane_info(pane).await)
        };
        match known {
            Ok(PaneInfo {
                state: state @ PaneState::Exited { .. },
                ..
            }) => return Some(state),
            Ok(_) => {}
            Err(error) if error.code == Code::BadId => return None,
            Err(error) => tracing::debug!(%error, "a pane can't be asked for now"),
        }
        let news = async {
            loop {
                match events.recv().await {
                    Ok(AppEvent::Pane(PaneEvent::Changed { pane: info })) if info.id == pane => {
                        if matches!(info.state, PaneState::Exited { .. }) {
                            return;
                        }
                    }
                    Ok(AppEvent::Pane(PaneEvent::Closed { id })) if id == pane => return,
                    Ok(AppEvent::Pane(PaneEvent::Lagged) | AppEvent::Host(_))
                    | Err(broadcast::error::RecvError::Lagged(_)) => return,
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Closed) => {
                        return std::future::pending().await;
                    }
                }
            }
        };
        // Looked at now and then all the same, should an event get lost.
        let _ = tokio::time::timeout(LOOK_AGAIN, news).await;
    }
}

fn read_status(directory: &Path) -> Option<i32> {
    let text = std::fs::read_to_string(directory.join("status")).ok()?;
    text.trim().parse().ok()
}

/// How a program ended, from what it left behind and what the pane host knows.
fn finished(directory: &Path, state: Option<&PaneState>) -> Finished {
    let status = read_status(directory);
    let mut finished = Finished {
        exit_code: status,
        error: None,
        output: read_output(&directory.join("out")),
        structured: std::fs::read_to_string(directory.join("structured"))
            .ok()
            .filter(|text| !text.trim().is_empty()),
    };
    if status.is_none() {
        match state {
            Some(PaneState::Exited {
                signal: Some(signal),
                ..
            }) => {
                finished.error = Some(format!("{signal} ended it"));
            }
            Some(PaneState::Exited { code, .. }) => finished.exit_code = code.or(Some(1)),
            Some(PaneState::Running { .. }) | None => {
                finished.error = Some("its pane was closed before it had ended".to_owned());
            }
        }
    } else if let Some(signal) = status.filter(|status| *status > 128) {
        finished.error = Some(format!(
            "exit code {signal}: signal {} ended it",
            signal - 128
        ));
    } else if status == Some(127) {
        finished.error = Some("exit code 127: a program was not found".to_owned());
    }
    finished
}

/// What was printed; of more than is kept, the beginning and the end.
fn read_output(path: &Path) -> String {
    let read = || -> io::Result<String> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        let mut bytes = Vec::new();
        if length <= MOST_OUTPUT {
            file.read_to_end(&mut bytes)?;
            return Ok(plain_text(&bytes));
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
        Ok(kept)
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
                .read_lines(pane, ReadLines::Newest { count: 3 })
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
