//! A Paseo daemon that answers as a running one was recorded to, as a process of its own on this machine.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::Home;

/// The stand-in daemon; it ends with the value.
pub struct PaseoDaemon {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Where it listens, as `127.0.0.1:PORT`.
    pub address: String,
}

impl PaseoDaemon {
    /// Starts it on a free port.
    ///
    /// # Errors
    ///
    /// When it was not built, or does not listen.
    pub fn start() -> Result<Self> {
        let mut child = Command::new(program())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the daemon is built by `cargo build --bin stand-in-paseo-daemon`")?;
        let commands = child.stdin.take().context("its input")?;
        let answers = BufReader::new(child.stdout.take().context("its output")?);
        let mut daemon = Self {
            child,
            commands,
            answers,
            address: String::new(),
        };
        let port = daemon.answer()?;
        let port = port.strip_prefix("listening ").context("a port")?;
        daemon.address = format!("127.0.0.1:{port}");
        Ok(daemon)
    }

    /// Adds an agent and returns its id.
    ///
    /// # Errors
    ///
    /// When the daemon is gone.
    pub fn add(&mut self, title: &str, cwd: &str) -> Result<String> {
        self.add_with(&json!({ "title": title, "cwd": cwd }))
    }

    /// Adds an agent with any of its fields, and returns its id.
    ///
    /// # Errors
    ///
    /// When the daemon is gone.
    pub fn add_with(&mut self, fields: &Value) -> Result<String> {
        self.tell(&format!("add {fields}"))
    }

    /// Tells it to `stop`, to `start`, to `restart`, to be `silent`, or to `cut` its connections; what it answers.
    ///
    /// # Errors
    ///
    /// When the daemon is gone.
    pub fn tell(&mut self, command: &str) -> Result<String> {
        writeln!(self.commands, "{command}")?;
        self.answer()
    }

    fn answer(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "the stand-in daemon ended");
        Ok(line.trim_end().to_owned())
    }

    /// Names this daemon, and no other, in the `agents.json` of a home.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn in_settings(&self, home: &Home) -> Result<()> {
        let file = json!({ "paseo": [{ "address": self.address }] });
        std::fs::write(home.path().join("config/agents.json"), file.to_string())?;
        Ok(())
    }
}

impl Drop for PaseoDaemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    std::env::var_os("SWITCHYARD_STAND_IN_DAEMON").map_or_else(
        || Home::program().with_file_name("stand-in-paseo-daemon"),
        PathBuf::from,
    )
}
