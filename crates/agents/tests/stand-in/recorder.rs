//! What an agent of the Agent Client Protocol and its client say to each other: written down by standing between them, and played again in
//! the agent's place.
//!
//! `record FILE PROGRAM ARGS…` runs the agent and passes on what is said; `play FILE` is the agent. A line of the file is one message and
//! who sent it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what this program is for"
)]

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio, exit};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (what, file) = (args.next(), args.next());
    match (what.as_deref(), file) {
        (Some("record"), Some(file)) => record(&file, args),
        (Some("play"), Some(file)) => play(&file),
        _ => {
            eprintln!("record FILE PROGRAM ARGS…, or play FILE");
            exit(2);
        }
    }
}

fn record(file: &str, mut program: impl Iterator<Item = String>) -> io::Result<()> {
    let file = File::options().create(true).append(true).open(file)?;
    let file = Arc::new(Mutex::new(file));
    let name = program.next().unwrap_or_default();
    let mut agent = Command::new(name)
        .args(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (to_agent, from_agent) = (agent.stdin.take(), agent.stdout.take());
    if let Some(to_agent) = to_agent {
        let file = Arc::clone(&file);
        // Ends with this process, or with what the client says: the agent then hears the end as well.
        thread::Builder::new()
            .name("client".to_owned())
            .spawn(move || pass("client", io::stdin().lock(), to_agent, &file))?;
    }
    if let Some(from_agent) = from_agent {
        pass("agent", BufReader::new(from_agent), io::stdout(), &file);
    }
    exit(agent.wait()?.code().unwrap_or(1));
}

/// Passes on lines until one side is gone, and writes those down that are messages.
fn pass(who: &str, from: impl BufRead, mut to: impl Write, file: &Mutex<File>) {
    for line in from.lines() {
        let Ok(line) = line else { return };
        if let Ok(message) = serde_json::from_str::<Value>(&line) {
            let said = json!({ "from": who, "message": message });
            // Written before it is passed on: what answers it comes behind it.
            if let Ok(mut file) = file.lock() {
                let _ = writeln!(file, "{said}");
            }
        }
        if writeln!(to, "{line}").and_then(|()| to.flush()).is_err() {
            return;
        }
    }
}

fn play(file: &str) -> io::Result<()> {
    let text = fs::read_to_string(file)?;
    // The ids of now for those of then, and where the session works.
    let (mut ids, mut home) = (HashMap::new(), String::new());
    for line in text.lines() {
        let line = line.replace("{home}", &home);
        let mut said: Value = serde_json::from_str(&line).map_err(io::Error::other)?;
        let recorded = said["message"].take();
        if said["from"] == "agent" {
            let mut message = recorded;
            if message.get("method").is_none()
                && let Some(id) = ids.get(&message["id"].to_string())
            {
                message["id"] = Value::clone(id);
            }
            println!("{message}");
            continue;
        }
        let now = receive();
        if now["method"] != recorded["method"] {
            eprintln!("`{recorded}` was said when this was recorded, and now: `{now}`");
            exit(9);
        }
        if recorded.get("method").is_some() {
            ids.insert(recorded["id"].to_string(), now["id"].clone());
        }
        if let Some(cwd) = now["params"]["cwd"].as_str() {
            home = cwd.trim_end_matches("/tree").to_owned();
        }
    }
    // There is nothing more to say; a client that goes is heard.
    loop {
        receive();
    }
}

fn receive() -> Value {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(1..) => serde_json::from_str(&line).unwrap_or_default(),
        _ => exit(0),
    }
}
