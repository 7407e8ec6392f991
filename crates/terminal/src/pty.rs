//! Programs in pseudo-terminals: start, resize, signal. The only file that names portable-pty.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal};

use crate::types::{PaneSize, PaneState};

/// What to start.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    pub(crate) cwd: PathBuf,
    /// Added to the environment that this process has.
    pub(crate) env: BTreeMap<String, String>,
}

/// A program that was started, in parts for those who own them.
pub(crate) struct Started {
    pub(crate) pty: Pty,
    pub(crate) reader: Box<dyn Read + Send>,
    pub(crate) writer: Box<dyn Write + Send>,
    pub(crate) child: Child,
}

/// The program's process, to be waited for.
pub(crate) struct Child(Box<dyn portable_pty::Child + Send + Sync>);

impl Child {
    /// Waits until the program has ended, and says how.
    pub(crate) fn wait(&mut self) -> PaneState {
        match self.0.wait() {
            Ok(status) => match status.signal() {
                Some(name) => PaneState::Exited {
                    code: None,
                    signal: Some(signal_name(name)),
                },
                None => PaneState::Exited {
                    code: i32::try_from(status.exit_code()).ok(),
                    signal: None,
                },
            },
            Err(error) => {
                tracing::warn!(%error, "could not wait for a program");
                PaneState::Exited {
                    code: None,
                    signal: None,
                }
            }
        }
    }
}

/// The system describes signals (`Killed`); people know their names.
fn signal_name(description: &str) -> String {
    let known = [
        ("Hangup", "SIGHUP"),
        ("Interrupt", "SIGINT"),
        ("Quit", "SIGQUIT"),
        ("Illegal instruction", "SIGILL"),
        ("Trace/breakpoint trap", "SIGTRAP"),
        ("Aborted", "SIGABRT"),
        ("Bus error", "SIGBUS"),
        ("Floating point exception", "SIGFPE"),
        ("Killed", "SIGKILL"),
        ("User defined signal 1", "SIGUSR1"),
        ("Segmentation fault", "SIGSEGV"),
        ("User defined signal 2", "SIGUSR2"),
        ("Broken pipe", "SIGPIPE"),
        ("Alarm clock", "SIGALRM"),
        ("Terminated", "SIGTERM"),
    ];
    known
        .iter()
        .find(|(text, _)| *text == description)
        .map_or_else(|| description.to_owned(), |(_, name)| (*name).to_owned())
}

/// The terminal's side of a running program.
pub(crate) struct Pty {
    master: Mutex<Box<dyn MasterPty + Send>>,
    pid: u32,
    /// The program has been waited for: the system may give its id to another process.
    reaped: AtomicBool,
}

impl Pty {
    /// Starts `command` as the leader of a session of its own.
    pub(crate) fn start(command: &Command, size: PaneSize) -> io::Result<Started> {
        let pair = native_pty_system()
            .openpty(pty_size(size))
            .map_err(io::Error::other)?;
        let mut builder = CommandBuilder::new(&command.program);
        builder.args(&command.args);
        builder.cwd(&command.cwd);
        // What another terminal said of itself does not hold here.
        for stale in [
            "VTE_VERSION",
            "WINDOWID",
            "TERM_PROGRAM_VERSION",
            "TERM_SESSION_ID",
            "KITTY_WINDOW_ID",
            "ALACRITTY_WINDOW_ID",
            "WEZTERM_PANE",
            "TMUX",
            "TMUX_PANE",
            "STY",
            "COLUMNS",
            "LINES",
        ] {
            builder.env_remove(stale);
        }
        for (name, value) in &command.env {
            builder.env(name, value);
        }
        let child = pair.slave.spawn_command(builder).map_err(|error| {
            match error.downcast::<io::Error>() {
                Ok(error) => error,
                Err(error) => io::Error::other(format!("{error:#}")),
            }
        })?;
        // Only the program may hold its side: the end of output is when it lets go of it.
        drop(pair.slave);
        let reader = pair.master.try_clone_reader().map_err(io::Error::other)?;
        let writer = pair.master.take_writer().map_err(io::Error::other)?;
        Ok(Started {
            pty: Pty {
                pid: child.process_id().unwrap_or_default(),
                master: Mutex::new(pair.master),
                reaped: AtomicBool::new(false),
            },
            reader,
            writer,
            child: Child(child),
        })
    }

    /// The id of the process that was started; its session and its group have the same.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Tells the program the size of its window.
    pub(crate) fn resize(&self, size: PaneSize) -> io::Result<()> {
        self.master
            .lock()
            .resize(pty_size(size))
            .map_err(io::Error::other)
    }

    /// The process group that has the terminal: the one that keys go to.
    pub(crate) fn foreground(&self) -> Option<u32> {
        self.master
            .lock()
            .process_group_leader()
            .and_then(|group| u32::try_from(group).ok())
    }

    /// Notes that the program has ended and was waited for.
    pub(crate) fn reaped(&self) {
        self.reaped.store(true, Ordering::Release);
    }

    /// Sends `signal` to every process of the program's session.
    pub(crate) fn signal(&self, signal: Signal) {
        let members = session_members(self.pid);
        if !self.reaped.load(Ordering::Acquire)
            && let Some(leader) = pid(self.pid)
        {
            // The group first: it is there even where the list of processes can't be read.
            let _ = rustix::process::kill_process_group(leader, signal);
        }
        for member in members.into_iter().filter_map(pid) {
            let _ = rustix::process::kill_process(member, signal);
        }
    }
}

fn pid(raw: u32) -> Option<Pid> {
    i32::try_from(raw).ok().and_then(Pid::from_raw)
}

fn pty_size(size: PaneSize) -> PtySize {
    PtySize {
        rows: size.rows,
        cols: size.cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

/// The processes of a session, without those that have ended and were not yet waited for.
fn session_members(session: u32) -> Vec<u32> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|process| {
            let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else {
                return false;
            };
            // The name, in parentheses, may hold anything; the fields after it do not.
            let Some((_, rest)) = stat.rsplit_once(')') else {
                return false;
            };
            let fields: Vec<&str> = rest.split_whitespace().collect();
            fields.first() != Some(&"Z")
                && fields.get(3).and_then(|id| id.parse::<u32>().ok()) == Some(session)
        })
        .collect()
}

/// The directory that a process works in.
pub(crate) fn cwd_of(process: u32) -> Option<String> {
    std::fs::read_link(format!("/proc/{process}/cwd"))
        .ok()?
        .into_os_string()
        .into_string()
        .ok()
}

/// Whether `host` names the machine that this runs on, as far as is known.
pub(crate) fn is_this_host(host: &str) -> bool {
    static NAME: OnceLock<String> = OnceLock::new();
    let own = NAME.get_or_init(|| {
        std::fs::read_to_string("/proc/sys/kernel/hostname")
            .map(|name| name.trim().to_owned())
            .unwrap_or_default()
    });
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
    host.is_empty() || host == "localhost" || own.is_empty() || short(host) == short(own)
}

/// The user's login shell.
pub(crate) fn login_shell() -> String {
    CommandBuilder::new_default_prog().get_shell()
}

/// Finds `program` as a shell would: by its path, or on `path`.
pub(crate) fn find_program(program: &str, cwd: &Path, path: Option<&str>) -> Option<PathBuf> {
    let runs = |file: &Path| {
        file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
    };
    if program.contains('/') {
        let file = cwd.join(program);
        return runs(&file).then_some(file);
    }
    let path = match path {
        Some(path) => path.to_owned(),
        None => std::env::var("PATH").unwrap_or_default(),
    };
    std::env::split_paths(&path)
        .map(|directory| cwd.join(directory).join(program))
        .find(|file| runs(file))
}
