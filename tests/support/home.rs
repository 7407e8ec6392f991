//! A home of its own for one scenario: directories, settings, the program, and what it left running.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::LOOK_AGAIN;

/// How long what was left running may take to end when it is told to.
const ENDING: Duration = Duration::from_secs(5);

/// Everything that Switchyard keeps, below a temporary directory; the pane host that was started in it ends with it.
pub struct Home {
    directory: tempfile::TempDir,
    /// Whose `$HOME` the programs see: our own, or another home's, when one user has both.
    user: PathBuf,
    /// Set beside the usual variables.
    further: Vec<(&'static str, String)>,
}

impl Home {
    /// An empty home with settings that make pictures repeatable: the DOM renderer, bash, a dark theme.
    ///
    /// # Errors
    ///
    /// When the directory can't be made.
    pub fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("switchyard-").tempdir()?;
        let user = directory.path().join("user");
        let home = Self {
            directory,
            user,
            further: Vec::new(),
        };
        let config = home.path().join("config");
        std::fs::create_dir_all(&config)?;
        std::fs::write(
            config.join("settings.json"),
            r#"{ "renderer": "dom", "tour": false, "shell": "/bin/bash", "theme": "dark" }"#,
        )?;
        std::fs::create_dir_all(&home.user)?;
        std::fs::write(home.user.join(".bashrc"), "PS1='ready> '\n")?;
        Ok(home)
    }

    /// Another empty home of the same user: everything but `$HOME` is its own.
    ///
    /// # Errors
    ///
    /// As for [`Home::new`].
    pub fn of_the_same_user(&self) -> Result<Self> {
        let mut home = Self::new()?;
        home.user.clone_from(&self.user);
        Ok(home)
    }

    /// Makes the scripted ACP agent the only one there is: `acp:scripted`.
    ///
    /// # Errors
    ///
    /// When it is not built, or the settings can't be written.
    pub fn has_the_scripted_agent(&self) -> Result<()> {
        let agent = Self::program().with_file_name("stand-in-acp-agent");
        anyhow::ensure!(
            agent.exists(),
            "it is built by `cargo build --bin stand-in-acp-agent`"
        );
        let file = serde_json::json!({
            "paseo": [],
            "acp": [{ "name": "scripted", "program": agent, "args": ["offers"] }],
        });
        std::fs::write(self.path().join("config/agents.json"), file.to_string())?;
        Ok(())
    }

    /// The same, with another variable in its environment.
    #[must_use]
    pub fn with(mut self, variable: (&'static str, String)) -> Self {
        self.further.push(variable);
        self
    }

    /// What the user's programs see as `$HOME`.
    pub fn user(&self) -> &Path {
        &self.user
    }

    /// Where everything is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The executable under test, the window's beside it: `SWITCHYARD_PROGRAM`, else what
    /// `cargo build --bin switchyard --bin switchyard-window` built.
    pub fn program() -> PathBuf {
        if let Some(program) = std::env::var_os("SWITCHYARD_PROGRAM") {
            return program.into();
        }
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
            PathBuf::from,
        );
        target.join("debug/switchyard")
    }

    /// The variables that make the program use this home.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.user.join(name).display().to_string();
        let mut all = vec![
            ("SWITCHYARD_HOME", self.path().display().to_string()),
            ("HOME", self.user.display().to_string()),
            ("XDG_CONFIG_HOME", path(".config")),
            ("XDG_DATA_HOME", path(".local/share")),
            ("XDG_CACHE_HOME", path(".cache")),
            ("HISTFILE", "/dev/null".to_owned()),
        ];
        all.extend(self.further.iter().cloned());
        all
    }

    /// Runs the program's command line and waits for its end.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn run(&self, args: &[&str]) -> Result<Output> {
        Command::new(Self::program())
            .args(args)
            .current_dir(self.path())
            .envs(self.environment())
            .stdin(Stdio::null())
            .output()
            .context("the program is built by `cargo build --bin switchyard`")
    }

    /// Runs the program's command line, which must succeed, and returns what it printed.
    ///
    /// # Errors
    ///
    /// When it fails, with all that it said.
    pub fn ok(&self, args: &[&str]) -> Result<String> {
        let output = self.run(args)?;
        anyhow::ensure!(
            output.status.success(),
            "switchyard {args:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The process ids of the windows that use this home.
    pub fn windows(&self) -> Vec<u32> {
        self.processes(|args| {
            args.first()
                .is_some_and(|arg| arg.ends_with("/switchyard-window"))
        })
    }

    /// The process ids of the pane hosts that use this home: at most one, unless something is wrong.
    pub fn hosts(&self) -> Vec<u32> {
        self.processes(|args| is_host(args) && !holds_agents(args))
    }

    /// The process ids of the agent hosts that use this home: at most one, unless something is wrong.
    pub fn agent_hosts(&self) -> Vec<u32> {
        self.processes(|args| is_host(args) && holds_agents(args))
    }

    /// The process ids of the scripted ACP agents that were started for this home.
    pub fn agents(&self) -> Vec<u32> {
        self.processes(|args| {
            args.first()
                .is_some_and(|arg| arg.ends_with("/stand-in-acp-agent"))
        })
    }

    /// The process ids of all that was started for this home and still runs, whatever it is.
    pub fn all(&self) -> Vec<u32> {
        self.processes(|_| true)
    }

    fn processes(&self, wanted: impl Fn(&[String]) -> bool) -> Vec<u32> {
        let marker = format!("SWITCHYARD_HOME={}", self.path().display());
        let Ok(entries) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| {
                let read = |name: &str| {
                    let bytes = std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
                    String::from_utf8_lossy(&bytes)
                        .split_terminator('\0')
                        .map(str::to_owned)
                        .collect::<Vec<_>>()
                };
                let args = read("cmdline");
                wanted(&args) && read("environ").contains(&marker)
            })
            .collect()
    }

    /// Kills a process as a crash would: it gets no chance to do anything.
    pub fn kill(pid: u32) {
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            // It may have ended by itself just now.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn is_host(args: &[String]) -> bool {
    args.first().is_some_and(|arg| arg.ends_with("switchyard"))
        && args.get(1).is_some_and(|arg| arg == "host")
}

fn holds_agents(args: &[String]) -> bool {
    args.iter().any(|arg| arg == "--agents")
}

impl Drop for Home {
    fn drop(&mut self) {
        let left = || {
            let hosts = self.hosts().into_iter().chain(self.agent_hosts());
            self.windows().into_iter().chain(hosts)
        };
        for pid in left().filter_map(|pid| Pid::from_raw(pid.try_into().ok()?)) {
            let _ = kill_process(pid, Signal::TERM);
        }
        // Who ends in peace has something to write down: the directory goes after that.
        let give_up = Instant::now() + ENDING;
        while left().next().is_some() {
            if Instant::now() > give_up {
                left().for_each(Self::kill);
                return;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}
