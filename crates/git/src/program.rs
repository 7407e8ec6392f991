//! The only file that starts the program `git` for what nobody else can say as it would.
//!
//! It runs beside the repository: no variable of git's comes through from outside, no hook and no monitor runs,
//! nothing is fetched, and after the deadline it is killed with all that it started.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::Builder;
use std::time::Duration;

/// Where git is, and how long it may take for one question.
#[derive(Debug, Clone)]
pub struct Program {
    /// Where git is; a bare name is looked for as the system does.
    pub path: PathBuf,
    /// After this long it is killed, with all that it started.
    pub deadline: Duration,
}

/// Settings that keep git from starting something else, and from writing where it was not told to.
const SETTINGS: [&str; 6] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "core.untrackedCache=false",
    "gc.auto=0",
    "advice.graftFileDeprecated=false",
];

/// The author of the commits that git makes up: the same each time, so that they have the same ids.
const AUTHOR: [(&str, &str); 6] = [
    ("GIT_AUTHOR_NAME", "switchyard"),
    ("GIT_AUTHOR_EMAIL", "switchyard@localhost"),
    ("GIT_AUTHOR_DATE", "@0 +0000"),
    ("GIT_COMMITTER_NAME", "switchyard"),
    ("GIT_COMMITTER_EMAIL", "switchyard@localhost"),
    ("GIT_COMMITTER_DATE", "@0 +0000"),
];

/// One question: where to ask it, with which variables and arguments, and what to hand in.
pub struct Question<'a> {
    /// Where it is asked.
    pub dir: &'a Path,
    /// Variables beside those of this process.
    pub env: Vec<(&'static str, &'a OsStr)>,
    /// Git's arguments.
    pub args: Vec<&'a OsStr>,
    /// What it reads on its standard input.
    pub input: &'a [u8],
}

impl Program {
    /// Asks, and gives what git printed when it succeeded.
    ///
    /// # Errors
    ///
    /// Says for a person why there is no answer: git is not there, took too long, or [refused](refusal).
    pub fn ask(&self, question: &Question<'_>) -> Result<Vec<u8>, String> {
        let output = self.run(question)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(refusal(&output))
    }

    /// Has git do something as the person would: with their hooks, their signing, and who they are. Gives what it printed.
    ///
    /// It asks nobody at a terminal.
    ///
    /// # Errors
    ///
    /// As [`Program::ask`].
    pub fn act(&self, question: &Question<'_>) -> Result<Vec<u8>, String> {
        let output = self.have_done(question)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(refusal(&output))
    }

    /// The same, with all that git and the person's hooks printed, also when it failed.
    ///
    /// They print into files: when this process is killed, nothing that git began ends for want of somebody who reads.
    ///
    /// # Errors
    ///
    /// As [`Program::run`].
    pub fn have_done(&self, question: &Question<'_>) -> Result<Output, String> {
        let mut command = self.command(question);
        command.args(&question.args);
        let printed = Printed::new()
            .map_err(|error| format!("there is no place for what git prints: {error}"))?;
        self.finish(&mut command, question, Some(printed))
    }

    /// Asks, and gives what git printed and how it ended.
    ///
    /// # Errors
    ///
    /// Says for a person why git did not come to an end: it is not there, or took too long.
    pub fn run(&self, question: &Question<'_>) -> Result<Output, String> {
        let mut command = self.command(question);
        command
            .env("LC_ALL", "C")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            // For a git that does not know the last one yet: no way to fetch is allowed.
            .env("GIT_ALLOW_PROTOCOL", "")
            .envs(AUTHOR);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(&question.args);
        self.finish(&mut command, question, None)
    }

    /// Git, where it is asked, without any of its variables from outside.
    fn command(&self, question: &Question<'_>) -> Command {
        let mut command = Command::new(&self.path);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"GIT_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(question.dir)
            .env("GIT_TERMINAL_PROMPT", "0")
            .envs(question.env.iter().copied());
        command
    }

    fn finish(
        &self,
        command: &mut Command,
        question: &Question<'_>,
        printed: Option<Printed>,
    ) -> Result<Output, String> {
        let begun = begin(command, printed).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("`{}` is not there", self.path.display()),
            _ => format!("`{}` could not be started: {error}", self.path.display()),
        });
        let output = begun?.finish(question.input, self.deadline);
        output.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => {
                format!("git took longer than {} s", self.deadline.as_secs_f32())
            }
            _ => format!("git could not be asked: {error}"),
        })
    }
}

/// Says why git would not: what it calls fatal, else the last line of what it said.
pub fn refusal(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr);
    let lines = told.lines().map(str::trim);
    let fatal = lines.clone().find(|line| line.starts_with("fatal: "));
    match fatal.or_else(|| lines.clone().rfind(|line| !line.is_empty())) {
        Some(line) => format!("git says: {}", line.trim_start_matches("fatal: ")),
        None => format!("git ended with {}", output.status),
    }
}

/// A program that leads a process group of its own.
struct Begun {
    child: std::process::Child,
    /// Where it prints to, when that is no pipe.
    printed: Option<Printed>,
}

/// Files without names, for what a program prints.
struct Printed {
    stdout: File,
    stderr: File,
}

impl Printed {
    fn new() -> io::Result<Self> {
        Ok(Self {
            stdout: tempfile::tempfile()?,
            stderr: tempfile::tempfile()?,
        })
    }

    fn read(mut self) -> io::Result<[Vec<u8>; 2]> {
        let (mut printed, mut said) = (Vec::new(), Vec::new());
        self.stdout.rewind()?;
        self.stdout.read_to_end(&mut printed)?;
        self.stderr.rewind()?;
        self.stderr.read_to_end(&mut said)?;
        Ok([printed, said])
    }
}

fn begin(command: &mut Command, printed: Option<Printed>) -> io::Result<Begun> {
    command.stdin(Stdio::piped());
    match &printed {
        Some(Printed { stdout, stderr }) => command
            .stdout(stdout.try_clone()?)
            .stderr(stderr.try_clone()?),
        None => command.stdout(Stdio::piped()).stderr(Stdio::piped()),
    };
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        command.process_group(0);
    }
    Ok(Begun {
        child: command.spawn()?,
        printed,
    })
}

impl Begun {
    /// Hands the input in and takes all that is printed; kills the group at the deadline.
    fn finish(mut self, input: &[u8], deadline: Duration) -> io::Result<Output> {
        let id = self.child.id();
        let (mut stdin, mut stdout, mut stderr) = (
            self.child.stdin.take(),
            self.child.stdout.take(),
            self.child.stderr.take(),
        );
        let (ended, wait) = channel::<()>();
        std::thread::scope(|scope| {
            let named = |name: &str| Builder::new().name(name.to_owned());
            named("git-input").spawn_scoped(scope, move || {
                // A program that needs no more of it has closed its end.
                let _ = stdin.as_mut().map(|stdin| stdin.write_all(input));
            })?;
            let late = named("git-deadline").spawn_scoped(scope, move || {
                let late = wait.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout);
                if late {
                    kill(id);
                }
                late
            })?;
            let said = named("git-errors").spawn_scoped(scope, move || {
                let mut said = Vec::new();
                stderr.as_mut().map(|stderr| stderr.read_to_end(&mut said));
                said
            })?;
            let mut printed = Vec::new();
            let read = stdout
                .as_mut()
                .map(|stdout| stdout.read_to_end(&mut printed));
            let stderr = said.join().unwrap_or_default();
            let status = self.child.wait();
            drop(ended);
            let late = late.join().unwrap_or_default();
            let status = status?;
            read.transpose()?;
            if late {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let [stdout, stderr] = match self.printed {
                Some(printed) => printed.read()?,
                None => [printed, stderr],
            };
            Ok(Output {
                status,
                stdout,
                stderr,
            })
        })
    }
}

/// Kills a program with all that it started.
fn kill(leader: u32) {
    let leader = i32::try_from(leader).ok();
    if let Some(leader) = leader.and_then(rustix::process::Pid::from_raw) {
        // A group that has ended is no error.
        let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
    }
}
