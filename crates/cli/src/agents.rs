//! `agents`: who works for you, on which host, and talking to them.

mod personas;
mod shown;

use std::io::{self, Read as _};

use ::agents::{
    AgentEvent, AgentInfo, AgentStatus, BackendAgents, BackendId, BackendInfo, BackendKind,
    FileChange, Health, ImportSession, ListAgents, NewAgent, Outcome, PermissionAnswer,
    PermissionRequest, Prompt, PromptImage,
};
use app::App;
use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table, Tone};
use personas::PersonasOf;
use shown::{Telling, printable, provider, short_id, shortened, tone, used};

/// List coding agents on all hosts, read them, talk to them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard agents                                Who works, who needs you
  switchyard agents show 75c0                      What it said; the beginning of its id is enough
  switchyard agents send 75c0 'now the tests'      Prompt it, and follow its answer
  switchyard agents answer 75c0 --allow            Let it do what it asks
  switchyard agents health                         Which hosts and programs answer
  switchyard agents --host build-machine:6767      Those of one host only

Hosts and programs are named in agents.json, beside settings.json.")]
pub(crate) struct Agents {
    /// Only this backend: a Paseo host as `host:port`, or an id as `agents health` prints it
    #[arg(long, global = true, value_name = "HOST")]
    host: Option<String>,

    #[command(subcommand)]
    command: Option<AgentsCommand>,
}

#[derive(Debug, Subcommand)]
enum AgentsCommand {
    /// List the agents, those that need you first
    Ls(Ls),
    /// Show one agent and what was said
    Show(Show),
    /// Prompt an agent, and follow its answer until it ends
    Send(Send),
    /// Start a new agent, and prompt it if there is something to say
    New(New),
    /// List the personas that an agent can be here: what `new --persona` and `persona:` in a flow name
    Personas(PersonasOf),
    /// Choose an agent's model, its mode, or what else it offers
    Set(Set),
    /// Make another agent that knows what this one knows, and print its id
    Fork(Named),
    /// Stop the turn that an agent is at
    Stop(Named),
    /// Answer what an agent asks
    Answer(AnswerIt),
    /// Put an agent away
    Archive(Archive),
    /// List the conversations that a program remembers of a directory, to be imported
    Sessions(SessionsOf),
    /// Take over a conversation that a provider already has
    Import(Import),
    /// Ask every host and program how it is
    Health,
}

#[derive(Debug, Args, Default)]
struct Ls {
    /// Archived ones too
    #[arg(long)]
    archived: bool,
    /// Only those with this label; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
}

#[derive(Debug, Args)]
struct Named {
    /// Its id, the beginning of it, or its exact title
    #[arg(value_name = "AGENT")]
    agent: String,
}

#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    named: Named,
    /// How many entries of the conversation, newest kept
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
}

#[derive(Debug, Args)]
struct Send {
    #[command(flatten)]
    named: Named,
    /// What to say; `-` reads it from standard input. One that begins with a dash comes after `--`
    #[arg(value_name = "PROMPT")]
    prompt: String,
    /// Show it this image, where it looks at images; may be given several times
    #[arg(long, value_name = "FILE")]
    image: Vec<std::path::PathBuf>,
    /// Cancel the turn that runs, if one does
    #[arg(long)]
    replace: bool,
    /// Do not wait for the answer
    #[arg(long)]
    no_wait: bool,
    /// Stop the agent after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=604_800))]
    timeout: Option<u64>,
}

#[derive(Debug, Args)]
struct New {
    /// Who makes it: claude, codex, …; for a Paseo host
    #[arg(long, default_value = "")]
    provider: String,
    /// The directory that it works in; else this one
    #[arg(long, value_name = "DIR")]
    cwd: Option<std::path::PathBuf>,
    /// A title to find it by
    #[arg(long)]
    title: Option<String>,
    /// The model
    #[arg(long)]
    model: Option<String>,
    /// The mode: what it may do without asking
    #[arg(long)]
    mode: Option<String>,
    /// Who it is to be: a file of `.switchyard/personas` or of the personas beside settings.json, without its `.md`
    #[arg(long, value_name = "NAME")]
    persona: Option<String>,
    /// What to say first
    #[arg(value_name = "PROMPT")]
    prompt: Option<String>,
}

#[derive(Debug, Args)]
struct Set {
    #[command(flatten)]
    named: Named,
    /// What to choose: `model`, `mode`, or another setting that `agents show` names
    #[arg(value_name = "SETTING")]
    setting: String,
    /// What it is to be
    #[arg(value_name = "VALUE")]
    value: String,
}

#[derive(Debug, Args)]
struct AnswerIt {
    #[command(flatten)]
    named: Named,
    /// The request's id, when it asks several things
    #[arg(value_name = "REQUEST")]
    request: Option<String>,
    /// Go ahead
    #[arg(long, conflicts_with = "deny", required_unless_present_any = ["deny", "choose"])]
    allow: bool,
    /// Go ahead, now and whenever it asks the like
    #[arg(long, requires = "allow")]
    always: bool,
    /// One of the answers that it offers, by its name as `agents show` prints it
    #[arg(long, value_name = "OPTION", conflicts_with_all = ["allow", "deny"])]
    choose: Option<String>,
    /// Don't; the words, if any, are told to the agent
    #[arg(long, value_name = "WHY", num_args = 0..=1, default_missing_value = "")]
    deny: Option<String>,
}

#[derive(Debug, Args)]
struct Archive {
    #[command(flatten)]
    named: Named,
    /// Even when it works; its turn is cancelled
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct SessionsOf {
    /// The directory that they work in; else this one
    #[arg(long, value_name = "DIR")]
    cwd: Option<std::path::PathBuf>,
}

#[derive(Debug, Args)]
struct Import {
    /// Who made it: claude, codex, opencode, …; for a Paseo host
    #[arg(long, default_value = "")]
    provider: String,
    /// The directory that it works in
    #[arg(long, value_name = "DIR")]
    cwd: Option<std::path::PathBuf>,
    /// A label to give it; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    /// The provider's id of the conversation
    #[arg(value_name = "SESSION")]
    session: String,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is not of the form NAME=VALUE".to_owned()),
    }
}

impl Agents {
    pub(crate) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let host = match &self.host {
            Some(host) => Some(backend(app, host).await?),
            None => None,
        };
        let at = &At { app, host };
        match self
            .command
            .unwrap_or_else(|| AgentsCommand::Ls(Ls::default()))
        {
            AgentsCommand::Ls(ls) => ls.run(at, out).await,
            AgentsCommand::Show(show) => show.run(at, out).await,
            AgentsCommand::Send(send) => send.run(at, out).await,
            AgentsCommand::New(new) => new.run(at, out).await,
            AgentsCommand::Personas(personas) => personas.run(app, out).await,
            AgentsCommand::Set(set) => {
                let agent = at.agent(&set.named).await?;
                let chosen = app
                    .choose_for_agent(&agent.backend, &agent.id, &set.setting, &set.value)
                    .await?;
                if out.json() {
                    out.value(&chosen)?;
                }
                Ok(())
            }
            AgentsCommand::Fork(named) => {
                let agent = at.agent(&named).await?;
                let fork = app.fork_agent(&agent.backend, &agent.id).await?;
                if out.json() {
                    Ok(out.value(&fork)?)
                } else {
                    Ok(out.line(&fork.id.0)?)
                }
            }
            AgentsCommand::Stop(named) => {
                let agent = at.agent(&named).await?;
                let stopped = app.stop_agent(&agent.backend, &agent.id).await?;
                if out.json() {
                    Ok(out.value(&serde_json::json!({"agent": agent.id, "stopped": stopped}))?)
                } else if stopped {
                    Ok(())
                } else {
                    Ok(out.line("it was not working")?)
                }
            }
            AgentsCommand::Answer(answer) => answer.run(at, out).await,
            AgentsCommand::Archive(archive) => {
                let agent = at.agent(&archive.named).await?;
                let archived = app
                    .archive_agent(&agent.backend, &agent.id, archive.force)
                    .await?;
                if out.json() {
                    Ok(out.value(&archived)?)
                } else if archived.already {
                    Ok(out.line("it was archived before")?)
                } else {
                    Ok(())
                }
            }
            AgentsCommand::Sessions(sessions) => sessions.run(at, out).await,
            AgentsCommand::Import(import) => import.run(at, out).await,
            AgentsCommand::Health => health(at, out).await,
        }
    }
}

/// Where a subcommand looks: everywhere, or at the one backend that `--host` names.
struct At<'a> {
    app: &'a App,
    host: Option<BackendId>,
}

impl At<'_> {
    async fn agent(&self, named: &Named) -> Result<AgentInfo, Failure> {
        Ok(self
            .app
            .find_agent(self.host.as_ref(), &named.agent)
            .await?)
    }

    fn covers(&self, backend: &BackendInfo) -> bool {
        self.host.as_ref().is_none_or(|host| backend.id == *host)
    }

    /// The backend that is meant when a new agent is made.
    async fn one_backend(&self) -> Result<BackendId, Failure> {
        if let Some(host) = &self.host {
            return Ok(host.clone());
        }
        let backends = self.app.list_backends().await?;
        let paseo: Vec<_> = backends
            .iter()
            .filter(|backend| backend.kind == BackendKind::Paseo)
            .collect();
        match (paseo.as_slice(), backends.as_slice()) {
            ([one], _) => Ok(one.id.clone()),
            ([], [one]) => Ok(one.id.clone()),
            _ => Err(Failure::usage(
                "say where with --host; `switchyard agents health` lists the hosts",
            )),
        }
    }
}

/// The backend that a person means: its id, its host, its name.
async fn backend(app: &App, name: &str) -> Result<BackendId, Failure> {
    let backends = app.list_backends().await?;
    let meant: Vec<_> = backends
        .iter()
        .filter(|backend| backend.id.0 == name || backend.id.name() == name)
        .collect();
    match meant.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => {
            let known: Vec<_> = backends
                .iter()
                .map(|backend| backend.id.0.as_str())
                .collect();
            Err(Failure::failed(format!(
                "there is no host `{name}`; there are: {}",
                if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                }
            )))
        }
        several => {
            let ids: Vec<_> = several
                .iter()
                .map(|backend| backend.id.0.as_str())
                .collect();
            Err(Failure::failed(format!(
                "`{name}` may mean {}; say which",
                ids.join(" or ")
            )))
        }
    }
}

impl Ls {
    async fn run(self, at: &At<'_>, out: &mut Output<'_>) -> Result<(), Failure> {
        let which = ListAgents {
            archived: self.archived,
            labels: self.label.into_iter().collect(),
        };
        let listed: Vec<BackendAgents> = at
            .app
            .list_agents(which)
            .await?
            .into_iter()
            .filter(|listed| at.covers(&listed.backend))
            .collect();
        if out.json() {
            return Ok(out.value(&listed)?);
        }
        let mut table = Table::new(["AGENT", "STATE", "TITLE", "PROVIDER", "DIRECTORY", "HOST"]);
        let mut any = false;
        for backend in &listed {
            for agent in &backend.agents {
                any = true;
                table.row([
                    Cell::new(short_id(&agent.id.0)),
                    Cell::new(agent.status.word()).tone(tone(&agent.status)),
                    Cell::new(shortened(agent.title.as_deref().unwrap_or("-"), 40)),
                    Cell::new(provider(agent)),
                    Cell::new(&agent.cwd).tone(Tone::Faint),
                    Cell::new(&backend.backend.id.0).tone(Tone::Faint),
                ]);
            }
        }
        if any {
            out.table(&table)?;
        }
        // Backends that are simply not there are no news; one that a person named is.
        for backend in &listed {
            if let Some(error) = &backend.error {
                out.error(error);
            }
        }
        if !any && listed.iter().all(|listed| listed.error.is_none()) {
            out.line("no agents")?;
        }
        Ok(())
    }
}

impl Show {
    async fn run(self, at: &At<'_>, out: &mut Output<'_>) -> Result<(), Failure> {
        let agent = at.agent(&self.named).await?;
        let timeline = at.app.agent_timeline(&agent.backend, &agent.id).await;
        if out.json() {
            return Ok(out.value(&serde_json::json!({
                "agent": agent,
                "timeline": timeline.ok(),
            }))?);
        }
        let mut facts = vec![
            ("agent", agent.id.0.clone()),
            ("title", agent.title.clone().unwrap_or_default()),
            ("state", agent.status.word().to_owned()),
            ("provider", provider(&agent)),
            ("directory", agent.cwd.clone()),
            ("host", agent.backend.0.clone()),
            ("failed with", agent.last_error.clone().unwrap_or_default()),
            ("used", agent.usage.as_ref().map(used).unwrap_or_default()),
        ];
        for setting in &agent.offers.settings {
            let others = setting.choices.iter().map(|choice| choice.value.as_str());
            let others: Vec<_> = others.filter(|value| *value != setting.current).collect();
            let what = format!(
                "{} = {} (or {})",
                setting.id,
                setting.current,
                others.join(", ")
            );
            facts.push(("setting", what));
        }
        if !agent.offers.commands.is_empty() {
            let names = agent
                .offers
                .commands
                .iter()
                .map(|command| format!("/{}", command.name));
            facts.push(("commands", names.collect::<Vec<_>>().join(" ")));
        }
        for request in &agent.permissions {
            facts.extend(asked(request));
        }
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            out.line(&format!("{name:<12} {}", printable(value)))?;
        }
        let timeline = match timeline {
            Ok(timeline) => timeline,
            Err(error) => {
                out.error(&error.message);
                return Ok(());
            }
        };
        let mut told = Telling::default();
        let from = timeline.len().saturating_sub(self.last);
        out.line("")?;
        for entry in timeline.into_iter().skip(from) {
            told.tell(entry.event, out)?;
        }
        told.finish(out)
    }
}

/// All that a request would do, and what may be answered.
fn asked(request: &PermissionRequest) -> Vec<(&'static str, String)> {
    let title = request.title.as_ref().unwrap_or(&request.tool);
    let mut facts = vec![("asks", format!("{title} ({})", short_id(&request.id)))];
    if let Some(detail) = &request.detail {
        let command = detail.command.as_ref().filter(|command| *command != title);
        facts.extend(command.map(|command| ("to run", command.clone())));
        let touched = detail.paths.iter().map(|path| {
            let of_it = |change: &&FileChange| change.path.as_ref() == Some(path);
            let lines: usize = detail
                .changes
                .iter()
                .filter(of_it)
                .filter_map(|change| change.new_text.as_ref())
                .map(|text| text.lines().count())
                .sum();
            let changed = detail.changes.iter().any(|change| of_it(&change));
            if changed {
                format!("{path} ({lines} lines then)")
            } else {
                path.clone()
            }
        });
        facts.extend(touched.map(|path| ("in", path)));
        facts.extend(detail.input.iter().map(|input| ("with", input.clone())));
    }
    let options = request.options.iter();
    let options: Vec<_> = options.map(|option| format!("`{}`", option.name)).collect();
    facts.push(("answers", options.join(", ")));
    facts
}

impl Send {
    async fn run(self, at: &At<'_>, out: &mut Output<'_>) -> Result<(), Failure> {
        let agent = at.agent(&self.named).await?;
        let text = if self.prompt == "-" {
            tokio::task::spawn_blocking(|| {
                let mut text = String::new();
                io::stdin().read_to_string(&mut text).map(|_| text)
            })
            .await
            .map_err(io::Error::other)??
        } else {
            self.prompt
        };
        let images = self.image.iter().map(|file| image(file));
        let prompt = Prompt {
            images: images.collect::<Result<_, _>>()?,
            replace: self.replace,
            timeout_ms: self.timeout.map(|seconds| seconds * 1_000),
            stop_at_permission: true,
            text,
        };
        follow(at.app, &agent, prompt, self.no_wait, out).await
    }
}

/// Reads an image that is to be part of a prompt.
fn image(file: &std::path::Path) -> Result<PromptImage, Failure> {
    let kind = file.extension().and_then(|end| end.to_str());
    let mime_type = match kind.map(str::to_ascii_lowercase).as_deref() {
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        _ => {
            return Err(Failure::usage(format!(
                "`{}` is no image that agents look at: png, jpg, gif or webp",
                file.display()
            )));
        }
    };
    let bytes = std::fs::read(file).map_err(|error| {
        Failure::failed(format!("could not read `{}`: {error}", file.display()))
    })?;
    Ok(PromptImage::new(mime_type, &bytes))
}

/// Prompts an agent and prints what it does.
async fn follow(
    app: &App,
    agent: &AgentInfo,
    prompt: Prompt,
    no_wait: bool,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut turn = app.prompt_agent(&agent.backend, &agent.id, prompt).await?;
    if no_wait {
        // Over a program the turn begins when the program has started; leaving earlier would lose it.
        while let Some(event) = turn.next().await {
            if matches!(event, AgentEvent::Started | AgentEvent::Ended { .. }) {
                break;
            }
        }
        return Ok(());
    }
    let mut told = Telling::default();
    let canceller = turn.canceller();
    let mut interrupted = false;
    loop {
        let event = tokio::select! {
            event = turn.next() => event,
            // A person who presses Ctrl+C means the agent, not only this command.
            _ = tokio::signal::ctrl_c(), if !interrupted => {
                interrupted = true;
                canceller.cancel();
                continue;
            }
        };
        let Some(event) = event else { break };
        if !out.json() {
            told.tell(event, out)?;
        }
    }
    let result = turn.so_far();
    if out.json() {
        out.value(&result)?;
    } else {
        told.finish(out)?;
    }
    match result.outcome {
        Outcome::Completed => Ok(()),
        Outcome::NeedsPermission => Err(Failure::failed(format!(
            "it needs you: `switchyard agents show {0}` says what it asks, `switchyard agents answer {0} --allow` lets it",
            short_id(&agent.id.0)
        ))),
        Outcome::Failed { message } => Err(Failure::failed(message)),
        Outcome::TimedOut => Err(Failure::failed("the time was over; the agent was stopped")),
        Outcome::Cancelled => Err(Failure::failed("it was stopped")),
    }
}

impl New {
    async fn run(self, at: &At<'_>, out: &mut Output<'_>) -> Result<(), Failure> {
        let new = NewAgent {
            provider: self.provider,
            cwd: directory(self.cwd)?,
            title: self.title,
            model: self.model,
            mode: self.mode,
            ..NewAgent::default()
        };
        let (agent, prompt) = match self.persona {
            Some(name) => {
                let persona = at.app.persona(&new.cwd, &name).await?;
                let backend = match persona.agent.filter(|_| at.host.is_none()) {
                    Some(meant) => meant,
                    None => at.one_backend().await?,
                };
                let prompt = self.prompt.unwrap_or_default();
                let started = at.app.start_persona(&backend, &name, new, &prompt).await?;
                let prompt = Some(started.prompt).filter(|prompt| !prompt.is_empty());
                (started.agent, prompt)
            }
            None => {
                let backend = at.one_backend().await?;
                (at.app.start_agent(&backend, new).await?, self.prompt)
            }
        };
        match prompt {
            Some(text) => {
                let prompt = Prompt {
                    stop_at_permission: true,
                    ..Prompt::new(text)
                };
                if !out.json() {
                    out.line(&agent.id.0)?;
                }
                follow(at.app, &agent, prompt, false, out).await
            }
            None if out.json() => Ok(out.value(&agent)?),
            None => Ok(out.line(&agent.id.0)?),
        }
    }
}

impl AnswerIt {
    async fn run(self, at: &At<'_>, out: &mut Output<'_>) -> Result<(), Failure> {
        let agent = at.agent(&self.named).await?;
        let asked = agent
            .permissions
            .iter()
            .filter(|request| {
                self.request
                    .as_ref()
                    .is_none_or(|id| request.id.starts_with(id.as_str()))
            })
            .collect::<Vec<_>>();
        let request = match asked.as_slice() {
            [request] => request.id.clone(),
            [] if agent.status == AgentStatus::Asleep => {
                return Err(Failure::failed(format!(
                    "it asks for nothing: its process has ended, and what it asked with it; go on with \
                     `switchyard agents send {}`",
                    agent.id
                )));
            }
            [] => return Err(Failure::failed("it does not ask for that (any more)")),
            several => {
                let ids: Vec<_> = several
                    .iter()
                    .map(|request| short_id(&request.id))
                    .collect();
                return Err(Failure::failed(format!(
                    "it asks several things; say which: {}",
                    ids.join(", ")
                )));
            }
        };
        let answer = match (self.deny, self.choose) {
            (Some(why), _) => PermissionAnswer::Deny {
                message: Some(why).filter(|why| !why.is_empty()),
                interrupt: false,
            },
            (None, Some(option)) => PermissionAnswer::Choose { option },
            (None, None) if self.always => PermissionAnswer::AllowAlways,
            (None, None) => PermissionAnswer::Allow,
        };
        at.app
            .answer_agent(&agent.backend, &agent.id, &request, answer)
            .await?;
        if out.json() {
            Ok(out.value(&serde_json::json!({"agent": agent.id, "request": request}))?)
        } else {
            Ok(())
        }
    }
}

impl SessionsOf {
    async fn run(self, at: &At<'_>, out: &mut Output<'_>) -> Result<(), Failure> {
        let backend = at.one_backend().await?;
        let cwd = directory(self.cwd)?;
        let sessions = at.app.agent_sessions(&backend, &cwd).await?;
        if out.json() {
            return Ok(out.value(&sessions)?);
        }
        if sessions.is_empty() {
            return Ok(out.line(&format!("{backend} remembers no conversation in {cwd}"))?);
        }
        let mut table = Table::new(["SESSION", "TITLE", "LAST"]);
        for session in &sessions {
            table.row([
                Cell::new(printable(&session.id)),
                Cell::new(printable(session.title.as_deref().unwrap_or_default())),
                Cell::new(printable(session.updated_at.as_deref().unwrap_or_default()))
                    .tone(Tone::Faint),
            ]);
        }
        Ok(out.table(&table)?)
    }
}

impl Import {
    async fn run(self, at: &At<'_>, out: &mut Output<'_>) -> Result<(), Failure> {
        let backend = at.one_backend().await?;
        let agent = at
            .app
            .import_agent(
                &backend,
                ImportSession {
                    provider: self.provider,
                    session: self.session,
                    cwd: self.cwd.map(|cwd| directory(Some(cwd))).transpose()?,
                    labels: self.label.into_iter().collect(),
                },
            )
            .await?;
        if out.json() {
            Ok(out.value(&agent)?)
        } else {
            Ok(out.line(&agent.id.0)?)
        }
    }
}

async fn health(at: &At<'_>, out: &mut Output<'_>) -> Result<(), Failure> {
    let backends: Vec<BackendInfo> = at
        .app
        .check_backends()
        .await?
        .into_iter()
        .filter(|backend| at.covers(backend))
        .collect();
    if out.json() {
        return Ok(out.value(&backends)?);
    }
    let mut table = Table::new(["HOST", "STATE", "HOW"]);
    for backend in &backends {
        let (state, tone, how) = match &backend.health {
            Health::Up { version, transport } => (
                "up",
                Tone::Good,
                format!(
                    "{transport}{}",
                    version
                        .as_ref()
                        .map(|version| format!(", version {version}"))
                        .unwrap_or_default()
                ),
            ),
            Health::Down { reason } => ("down", Tone::Bad, reason.clone()),
            Health::Unknown => ("unknown", Tone::Faint, String::new()),
        };
        table.row([
            Cell::new(&backend.id.0),
            Cell::new(state).tone(tone),
            Cell::new(how),
        ]);
    }
    Ok(out.table(&table)?)
}

fn directory(cwd: Option<std::path::PathBuf>) -> Result<String, Failure> {
    let here = std::env::current_dir()?;
    let cwd = cwd.map_or_else(|| here.clone(), |cwd| here.join(cwd));
    cwd.into_os_string().into_string().map_err(|cwd| {
        Failure::usage(format!(
            "the directory `{}` is not named in UTF-8",
            cwd.display()
        ))
    })
}
