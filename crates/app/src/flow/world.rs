//! What the steps of flows do in the world: scripts and programs in panes of their own, agents of backends.
//!
//! A step's directory, owner-only, holds its script or prompt, what it printed on its standard output
//! (`out`), its exit status (`status`) and what it wrote to `$SWITCHYARD_OUTPUT` (`structured`). So how
//! it ended can be told even when this process and the pane host were gone at that moment.

mod agent;
mod conflict;
mod kept;
mod pane;
mod programs;
mod who;

use std::path::{Component, Path, PathBuf};
use std::sync::Weak;

use ::conflicts::{ConflictFilter, Severity};
use ::flow::{ActionError, Actions, Activity, Answer, Ended, Found, Job, JobKey, WorktreeWish};
use terminal::ask::Close;
use terminal::{AnswerFile, Held, OpenPane, PaneId, PaneInfo, PaneState, Recording};
use tokio::sync::watch;

use self::conflict::worst_conflict;
use self::kept::{Over, came_to, failed, private_dir};
use self::pane::{
    Program, find_pane, held_open, pane_name, pane_of, program, until_over, watch_output,
};
use crate::one_pane::OnePane;
use crate::{App, Code, Inner, worktrees};

/// Where in a step's directory is what it did when it was asked once more.
pub(super) const AGAIN: &str = "again";
/// The variable by which a step finds the file for its structured output.
const OUTPUT: &str = "SWITCHYARD_OUTPUT";

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
        let job = who::found(&app, &self.data, job).await?;
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
        // A secret is on no disk, so it is on none while the step runs either. Without one, a file that outlives the
        // pane host, and may be replaced by another, is the better one.
        let answer = (!job.secrets.is_empty()).then(|| AnswerFile {
            variable: OUTPUT.to_owned(),
            kept: structured.clone(),
        });
        let mut env = job.env.clone();
        let mut set = |name: &str, value: String| {
            env.insert(name.to_owned(), value);
        };
        set(OUTPUT, structured.display().to_string());
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
            answer,
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
            Ok(pane) => Ok(self.activity(&job, Some(pane.id), worktree, pane.held, awaited)),
            // Whether it was opened is not known before the pane host can be asked again.
            Err(error) if error.code == Code::HostDown => {
                Ok(self.activity(&job, None, worktree, None, awaited))
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
        held: Option<Held>,
        awaited: OnePane,
    ) -> Activity {
        let (app, directory) = (self.app.clone(), self.directory(&job.key));
        let output = pane
            .filter(|_| job.watch_output)
            .map(|pane| watch_output(self.app.clone(), pane));
        let name = pane_name(&job.key);
        let (tell_held, held) = watch::channel(held.as_ref().map(held_open));
        if let Some(pane) = pane {
            awaited.is(pane);
        }
        let handle = pane.map_or_else(String::new, |pane| format!("pane {pane}"));
        let ended = async move {
            let over = until_over(&app, pane, &name, awaited, tell_held).await;
            came_to(&directory, over)
        };
        Activity {
            // Steps run on this machine, where numbers are as short.
            pane: pane.and_then(|pane| u32::try_from(pane.0).ok()),
            worktree,
            held: Some(held),
            output,
            ..Activity::new(handle, ended)
        }
    }

    async fn look(&self, job: Job, handle: Option<String>) -> Found {
        let directory = self.directory(&job.key);
        let job = match self.app() {
            Ok(app) => match who::found(&app, &self.data, job).await {
                Ok(job) => job,
                Err(error) => {
                    tracing::info!(%error, "the agent of a step is not found any more");
                    return Found::Gone;
                }
            },
            Err(_) => job,
        };
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
                return Found::Alive(self.activity(
                    &job,
                    Some(pane.id),
                    worktree,
                    pane.held,
                    awaited,
                ));
            }
            Err(error) => {
                tracing::warn!(%error, "a pane can't be asked for now");
                let worktree = self.worktree_of(&job);
                return Found::Alive(self.activity(&job, pane, worktree, None, awaited));
            }
        };
        match came_to(&directory, over) {
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
        let leader = match state {
            PaneState::Running { pid } => Some(pid),
            PaneState::Exited { .. } => None,
        };
        // Looked for before their parents are gone; what they start until then is found again.
        let mut family = programs::Family::of(key, leader);
        family.ask_to_end();
        if let Err(error) = app.ask(Close(pane)).await {
            tracing::debug!(%error, "the pane of a step was closed already");
        }
        // Gone is only what the system does not know any more.
        if !family.end().await {
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
        worktrees::add(Path::new(&job.cwd), &branch, &path)
            .await
            .map_err(|error| {
                ActionError::new(format!("could not make a worktree: {}", error.message))
            })?;
        Ok(path.display().to_string())
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

/// Where an attempt works: in its worktree, if it has one.
fn working_directory(job: &Job, worktree: Option<&str>) -> String {
    match (worktree, &job.inside) {
        (None, _) => job.cwd.clone(),
        (Some(worktree), None) => worktree.to_owned(),
        (Some(worktree), Some(inside)) => Path::new(worktree).join(inside).display().to_string(),
    }
}
