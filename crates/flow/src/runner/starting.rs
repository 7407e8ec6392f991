//! Starting what may start: what an attempt takes with it into the world, and the task that follows it there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::{AGENT_POLL_MS, Active, Driver, Due, Eyes, For, How, Stopped, Wake, millis};
use crate::PromptBy;
use crate::action::{ActionError, Activity, Answer, Finished, Job, JobKey, Work, WorktreeWish};
use crate::decide::StepState;
use crate::definition::outside::Outside;
use crate::definition::{Agent, Approval, Kind, OutputType, Step, StepIndex, Switch, as_in_file};
use crate::journal::{AttemptEnd, Happened, Question, QuestionKind};
use crate::scope;
use crate::shared::Shared;

pub(super) struct Limits {
    pub(super) timeout: Option<Duration>,
    /// What the settings give to a step that has no `timeout`.
    pub(super) of_settings: Option<Duration>,
    pub(super) total: Option<Duration>,
    pub(super) idle: Option<Duration>,
}

/// Where a step works.
pub(super) struct Place {
    pub(super) cwd: String,
    pub(super) worktree: Option<WorktreeWish>,
    /// Where in the worktree.
    pub(super) inside: Option<String>,
}

/// The limit of a step that tidies up after a run that was ended, and has none of its own.
const CLEANUP_LIMIT: Duration = Duration::from_secs(60);

/// The longest text that the system hands to a program as one argument or variable.
const LONGEST_ARGUMENT: usize = 128 << 10;

fn check_length(what: &str, text: &str) -> Result<(), String> {
    if text.len() < LONGEST_ARGUMENT {
        return Ok(());
    }
    let hint = if what == "prompt" {
        "say `prompt_by: stdin` or `prompt_by: file`"
    } else {
        "write it to a file in a step before, and hand on where that is"
    };
    Err(format!(
        "`{what}` is {} KB long, and a program takes no more than 128 KB at once: {hint}",
        text.len() >> 10
    ))
}

/// A prompt with the schema that the answer must fit, so that whoever answers knows it.
fn with_schema(prompt: String, definition: &Step) -> String {
    match (definition.output, &definition.schema) {
        (OutputType::Json, Some(schema)) => format!(
            "{}\n\nAnswer with JSON and nothing else. It must fit this JSON Schema:\n{schema}\n",
            prompt.trim_end()
        ),
        _ => prompt,
    }
}

/// Whether a path leads nowhere but further in.
fn is_inside(path: &str) -> bool {
    use std::path::Component;
    std::path::Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

impl Driver {
    /// Starts everything that may start now.
    pub(super) async fn dispatch(&mut self) -> Result<(), Stopped> {
        if self.ended {
            return self.flush(None).await;
        }
        loop {
            let agents = if self.agents_full { 0 } else { u32::MAX };
            let Some(step) = self.progress.admit(agents) else {
                break;
            };
            if !self.may_start(step) {
                continue;
            }
            let attempt = self.progress.step(step).attempts;
            let awake = self.shared().clock.awake_ms();
            if attempt == self.progress.step(step).earlier + 1 {
                self.series.insert(step, awake);
            }
            let flow = self.flow();
            match &flow.steps[step].kind {
                _ if flow.steps[step].foreach.is_some() => {
                    self.list(step, attempt);
                    self.flush(None).await?;
                }
                Kind::Approval(approval) => self.ask_person(step, attempt, approval),
                Kind::Switch(switch) => {
                    if self.decide_switch(step, attempt, switch) {
                        self.flush(None).await?;
                    }
                }
                Kind::Repeat(repeat) => {
                    if self.end_round(step, attempt, repeat) {
                        self.flush(None).await?;
                    }
                }
                Kind::Value { template } => {
                    self.fold_value(step, attempt, template);
                    self.flush(None).await?;
                }
                Kind::Run { .. } | Kind::Agent(_) => self.set_to_work(step, attempt).await?,
            }
        }
        self.flush(None).await
    }

    /// Notes that an attempt begins; `prompt` is what an agent is asked.
    pub(super) fn note_started(&mut self, step: StepIndex, attempt: u32, prompt: Option<String>) {
        let id = self.step_id(step);
        self.note(
            step,
            Happened::StepStarted {
                step: id,
                attempt,
                prompt,
            },
        );
    }

    fn ask_person(&mut self, step: StepIndex, attempt: u32, approval: &Approval) {
        let flow = self.flow();
        let message =
            match scope::render(&flow, &self.eyes_at(step, For::People), &approval.message) {
                Ok(message) => message,
                Err(message) => {
                    self.note_started(step, attempt, None);
                    let ended = AttemptEnd::new(StepState::Failed).with_message(message);
                    return self.finish(step, attempt, ended);
                }
            };
        let due = approval
            .timeout
            .map(|timeout| self.shared().clock.now_ms().saturating_add(millis(timeout)));
        let question = Question {
            kind: QuestionKind::Approval,
            message: self.known.secrets.cover(message),
            form: as_in_file(&approval.form),
            due,
        };
        self.questions.insert(step, QuestionKind::Approval);
        let id = self.step_id(step);
        self.note(
            step,
            Happened::StepAsked {
                step: id,
                attempt,
                question,
            },
        );
        if let Some(due) = due {
            self.dues.insert((due, Due::Deadline(step, attempt)));
        }
    }

    /// Chooses a branch. False: the world must be looked at first.
    fn decide_switch(&mut self, step: StepIndex, attempt: u32, switch: &Switch) -> bool {
        let flow = self.flow();
        let (taken, decision) = match scope::choose(&flow, &self.eyes_of(step), switch) {
            Ok(decided) => decided,
            Err(unknown) => {
                self.look(step, unknown);
                return false;
            }
        };
        self.answers.remove(&step);
        self.note_started(step, attempt, None);
        let ended = match taken {
            Ok(branch) => AttemptEnd {
                branch: branch.map(|branch| flow.branch_label(step, branch)),
                chosen: branch,
                output: Some(scope::branch_output(&flow, step, branch)),
                decision: Some(decision),
                ..AttemptEnd::new(StepState::Succeeded)
            },
            Err(message) => AttemptEnd {
                decision: Some(decision),
                ..AttemptEnd::new(StepState::Failed).with_message(message)
            },
        };
        self.settle(step, attempt, ended);
        true
    }

    fn fold_value(&mut self, step: StepIndex, attempt: u32, template: &str) {
        self.note_started(step, attempt, None);
        let ended = match scope::render(&self.flow(), &self.eyes_at(step, For::People), template) {
            Ok(output) => {
                let finished = Finished {
                    output,
                    ..Finished::default()
                };
                self.read_output(step, finished)
            }
            Err(message) => AttemptEnd::new(StepState::Failed).with_message(message),
        };
        self.settle(step, attempt, ended);
    }

    /// Begins what is done in the world, once that is written down; an agent only where there is a place for one.
    async fn set_to_work(&mut self, step: StepIndex, attempt: u32) -> Result<(), Stopped> {
        let job = match self.job(step, attempt) {
            Ok(job) => job,
            Err(message) => {
                self.note_started(step, attempt, None);
                let ended = AttemptEnd::new(StepState::Failed).with_message(message);
                self.settle(step, attempt, ended);
                return Ok(());
            }
        };
        if let Work::Agent { prompt, .. } = &job.work {
            let prompt = self.known.secrets.cover(prompt.clone());
            self.flush(None).await?;
            self.note_started(step, attempt, Some(prompt));
            if !self.flush_agent().await? {
                self.progress.put_back(step);
                self.agents_full = true;
                let again = self.shared().clock.awake_ms() + AGENT_POLL_MS;
                self.waits.insert((again, Due::AgentPlace));
                return Ok(());
            }
        } else {
            self.note_started(step, attempt, None);
        }
        let active = Active {
            attempt,
            since: None,
            attached: false,
            stop: None,
        };
        self.active.insert(step, active);
        self.acts.push((step, job));
        Ok(())
    }

    pub(super) fn eyes(&self, seen_by: For) -> Eyes<'_> {
        Eyes {
            known: &self.known,
            progress: &self.progress,
            outside: Outside::default(),
            seen_by,
            step: None,
        }
    }

    /// What the templates of a step see.
    pub(super) fn eyes_at(&self, step: StepIndex, seen_by: For) -> Eyes<'_> {
        Eyes {
            step: Some(step),
            ..self.eyes(seen_by)
        }
    }

    /// Where a step works.
    pub(super) fn place(&self, step: StepIndex) -> Result<Place, String> {
        let definition = &self.known.flow.steps[step];
        let optional = |what: &str, source: &Option<String>| {
            source
                .as_deref()
                .map(|source| self.fold(step, what, source))
                .transpose()
        };
        let below = |path: &str| {
            std::path::Path::new(&self.cwd)
                .join(path)
                .display()
                .to_string()
        };
        let cwd = optional("cwd", &definition.cwd)?;
        let Some(worktree) = optional("worktree", &definition.worktree)? else {
            return Ok(Place {
                cwd: cwd.map_or_else(|| self.cwd.clone(), |cwd| below(&cwd)),
                worktree: None,
                inside: None,
            });
        };
        if let Some(cwd) = &cwd
            && !is_inside(cwd)
        {
            return Err(format!(
                "`cwd`: `{cwd}` is not inside the worktree; beside `worktree` it is a path from the root of that, as `crates/app`"
            ));
        }
        Ok(Place {
            cwd: self.cwd.clone(),
            worktree: Some(if worktree == "new" {
                WorktreeWish::New
            } else {
                WorktreeWish::Path(below(&worktree))
            }),
            inside: cwd,
        })
    }

    fn key(&self, step: StepIndex, attempt: u32) -> JobKey {
        JobKey {
            run: self.id.clone(),
            step: self.step_id(step),
            attempt,
            turn: 1 + u32::from(self.again.contains_key(&(step, attempt))),
        }
    }

    /// What an agent is asked at first.
    fn first_prompt(&self, step: StepIndex, agent: &Agent) -> Result<String, String> {
        let prompt = self.fold(step, "prompt", &agent.prompt)?;
        Ok(with_schema(prompt, &self.known.flow.steps[step]))
    }

    /// What an agent is asked when its answer was not what it has to be. A session knows what it was asked and what it
    /// answered; a program is told.
    pub(super) fn second_prompt(
        &self,
        step: StepIndex,
        wrong: &str,
        answer: &str,
    ) -> Result<String, String> {
        let definition = &self.known.flow.steps[step];
        let Kind::Agent(agent) = &definition.kind else {
            return Err("only an agent can be asked again".to_owned());
        };
        let before = if agent.backend == "command" {
            let first = self.first_prompt(step, agent)?;
            format!(
                "{}\n\nYou have worked on this already, and answered:\n\n{answer}\n\n",
                first.trim_end()
            )
        } else {
            String::new()
        };
        let ask = format!(
            "{before}Your answer can't be used: {wrong}\n\nDo no further work; give your answer once more, as JSON and nothing else."
        );
        Ok(match &definition.schema {
            Some(schema) => format!("{ask} It must fit this JSON Schema:\n{schema}\n"),
            None => format!("{ask}\n"),
        })
    }

    /// Folds everything that an attempt takes with it into the world.
    pub(super) fn job(&self, step: StepIndex, attempt: u32) -> Result<Job, String> {
        let flow = &self.known.flow;
        let definition = &flow.steps[step];
        let fold = |what: &str, source: &str| self.fold(step, what, source);
        let optional = |what: &str, source: &Option<String>| {
            source
                .as_deref()
                .map(|source| fold(what, source))
                .transpose()
        };
        let work = match &definition.kind {
            Kind::Run { script } => Work::Script {
                script: script.clone(),
            },
            Kind::Agent(agent) => Work::Agent {
                backend: agent.backend.clone(),
                provider: optional("provider", &agent.provider)?,
                name: optional("name", &agent.name)?,
                model: optional("model", &agent.model)?,
                mode: optional("mode", &agent.mode)?,
                program: agent
                    .program
                    .iter()
                    .map(|part| fold("program", part))
                    .collect::<Result<_, _>>()?,
                prompt_by: agent.prompt_by,
                persona: agent.persona.clone(),
                inherited: agent.inherited,
                prompt: match self.again.get(&(step, attempt)) {
                    Some(prompt) => prompt.clone(),
                    None => self.first_prompt(step, agent)?,
                },
            },
            Kind::Value { .. } | Kind::Approval(_) | Kind::Switch(_) | Kind::Repeat(_) => {
                return Err("this kind of step does nothing outside".to_owned());
            }
        };
        if let Work::Agent {
            backend,
            program,
            prompt,
            prompt_by,
            ..
        } = &work
            && backend == "command"
        {
            program
                .iter()
                .try_for_each(|part| check_length("program", part))?;
            if *prompt_by == PromptBy::Arg {
                check_length("prompt", prompt)?;
            }
        }
        let mut env = BTreeMap::new();
        for (name, source) in &definition.env {
            let value = scope::render(flow, &self.eyes_at(step, For::Work), source)
                .map_err(|message| format!("`env.{name}`: {message}"))?;
            if value.contains('\0') {
                return Err(format!("`env.{name}`: a zero byte can't reach a program"));
            }
            check_length(&format!("env.{name}"), &value)?;
            env.insert(name.clone(), value);
        }
        let Place {
            cwd,
            worktree,
            inside,
        } = self.place(step)?;
        Ok(Job {
            key: self.key(step, attempt),
            work,
            env,
            cwd,
            worktree,
            inside,
            watch_output: definition.idle_timeout.is_some(),
            secrets: self.known.secrets.clone(),
        })
    }

    /// Folds a template of what an attempt takes with it and what is kept of it: no secret may stand there.
    fn fold(&self, step: StepIndex, what: &str, source: &str) -> Result<String, String> {
        let folded = scope::render(&self.known.flow, &self.eyes_at(step, For::Work), source)
            .map_err(|message| format!("`{what}`: {message}"))?;
        if self.known.handed.occur_in(&folded) {
            return Err(format!(
                "`{what}` is kept, and a secret must not be: hand it on in `env`"
            ));
        }
        Ok(folded)
    }

    /// Follows an attempt in a task of its own, which ends it when its time is over or it is stopped.
    pub(super) fn watch(
        &mut self,
        step: StepIndex,
        attempt: u32,
        activity: Answer<'static, Result<Activity, ActionError>>,
        started_awake: u64,
    ) {
        let flow = self.flow();
        let definition = &flow.steps[step];
        let now = self.shared().clock.awake_ms();
        let series = self.series.get(&step).copied().unwrap_or(started_awake);
        let left = |limit: Option<Duration>, since: u64| {
            limit
                .map(|limit| limit.saturating_sub(Duration::from_millis(now.saturating_sub(since))))
        };
        // What tidies up after a run that a person has ended keeps them waiting no longer than this.
        let of_cleanup = self.progress.is_cancelled().then_some(CLEANUP_LIMIT);
        let own = definition.timeout.or(of_cleanup);
        let of_settings = self.shared().limits.step.filter(|_| own.is_none());
        let limits = Limits {
            timeout: left(own, started_awake),
            of_settings: left(of_settings, started_awake),
            total: left(definition.total_timeout, series),
            idle: definition.idle_timeout,
        };
        let (stop, stopped) = oneshot::channel();
        self.active.insert(
            step,
            Active {
                attempt,
                since: Some(started_awake),
                attached: false,
                stop: Some(stop),
            },
        );
        let key = self.key(step, attempt);
        let shared = Arc::clone(self.shared());
        let tx = self.tx.clone();
        self.tasks.spawn(async move {
            let attached = |activity: &Activity| {
                let _ = tx.send(Wake::Attached {
                    step,
                    attempt,
                    handle: activity.handle.clone(),
                    pane: activity.pane,
                    worktree: activity.worktree.clone(),
                    agent: activity.agent.clone(),
                });
            };
            let asks = |message| {
                let _ = tx.send(Wake::NeedsYou {
                    step,
                    attempt,
                    message,
                });
            };
            let held = |message: Option<String>| {
                if let Some(message) = message {
                    let _ = tx.send(Wake::Held {
                        step,
                        attempt,
                        message,
                    });
                }
            };
            let says = Says {
                attached,
                asks,
                held,
            };
            let how = follow(&shared, key, activity, limits, stopped, says).await;
            // The run may have been let go of; the next process finds the attempt again.
            let _ = tx.send(Wake::Ended { step, attempt, how });
        });
    }
}

/// Who is told of an attempt that is followed.
struct Says<A, B, C> {
    attached: A,
    asks: B,
    held: C,
}

/// Tells what is in `told` whenever that changes; for ever.
async fn tell(told: Option<watch::Receiver<Option<String>>>, say: impl Fn(Option<String>)) {
    let mut last = None;
    if let Some(mut told) = told {
        loop {
            let now = told.borrow_and_update().clone();
            if now != last {
                say(now.clone());
                last = now;
            }
            if told.changed().await.is_err() {
                break;
            }
        }
    }
    std::future::pending().await
}

/// Waits for an attempt, and ends it when its time is over or it is stopped. What is reported as ended is gone.
async fn follow(
    shared: &Arc<Shared>,
    key: JobKey,
    activity: Answer<'static, Result<Activity, ActionError>>,
    limits: Limits,
    mut stopped: oneshot::Receiver<()>,
    says: Says<impl FnOnce(&Activity), impl Fn(Option<String>), impl Fn(Option<String>)>,
) -> How {
    // Not raced against the stop: what is being started must be known before it can be ended.
    let mut activity = match activity.await {
        Ok(activity) => activity,
        Err(error) => return How::NotStarted(error),
    };
    (says.attached)(&activity);
    let needs_you = tell(activity.asks.clone(), says.asks);
    let held = tell(activity.held.clone(), says.held);
    let over = async |limit: Option<Duration>| match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    };
    let mut person = activity.asks.clone();
    let idle = async {
        match (limits.idle, &mut activity.output) {
            (Some(limit), Some(output)) => loop {
                // A person who is asked may take their time.
                if let Some(person) = &mut person {
                    let _ = person.wait_for(Option::is_none).await;
                }
                match tokio::time::timeout(limit, output.changed()).await {
                    Err(_) if person.as_ref().is_some_and(|asks| asks.borrow().is_some()) => {}
                    Err(_) => break,
                    Ok(Ok(())) => {}
                    // Nothing more will be printed; it ends soon, or its other limits end it.
                    Ok(Err(_)) => std::future::pending().await,
                }
            },
            _ => std::future::pending().await,
        }
    };
    let how = tokio::select! {
        biased;
        ended = &mut activity.ended => return How::Ended(ended),
        stop = &mut stopped => match stop {
            Ok(()) => How::Cancelled,
            // The run was let go of: so is the attempt.
            Err(_) => std::future::pending().await,
        },
        () = over(limits.timeout) => How::TimedOut("it took longer than its `timeout`"),
        () = over(limits.of_settings) => {
            How::TimedOut("it took longer than a step may by the settings (`flows.step_minutes`)")
        }
        () = over(limits.total) => How::TimedOut("it took longer than its `total_timeout`"),
        () = needs_you => std::future::pending().await,
        () = held => std::future::pending().await,
        () = idle => How::TimedOut("it printed nothing for longer than its `idle_timeout`"),
    };
    shared.actions.end(key, activity.handle.clone()).await;
    how
}
