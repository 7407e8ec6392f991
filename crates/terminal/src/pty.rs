//! Programs in pseudo-terminals: start, resize, signal. The only file that names portable-pty and nix.
//!
//! portable-pty makes the terminal. The program is started by `posix_spawn`, which borrows this process's memory until the program is loaded. `fork`
//! would copy the page tables of every pane for each of them, which cost more than all the rest.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use nix::fcntl::OFlag;
use nix::libc;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal as SignalName};
use nix::sys::stat::Mode;
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};
use parking_lot::Mutex;
use portable_pty::{CommandBuilder, MasterPty, PtyPair, PtySize, native_pty_system};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open,
    waitid,
};

use crate::osc;
use crate::types::{CellSize, Holder, PaneSize, PaneState};

/// What a program finds at its default, whatever this process does with it.
const AT_DEFAULT: [SignalName; 7] = [
    SignalName::SIGHUP,
    SignalName::SIGINT,
    SignalName::SIGQUIT,
    SignalName::SIGPIPE,
    SignalName::SIGALRM,
    SignalName::SIGTERM,
    SignalName::SIGCHLD,
];

/// Where programs are looked for when nothing says where, as shells do.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The leader of the session of a program whose standard output is apart: it says on descriptor 3 how the program ended,
/// stays until that is closed at our end, then ends as the program did. The system hangs up on all programs of a
/// terminal when the leader of its session ends, and what the program itself left behind may still have something to write.
const LEADER: &str = r#""$@" >&4 3<&- 4>&-; status=$?; echo "$status" >&3; exec 4>&-; read -r go <&3; exit "$status""#;

/// What to start.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    pub(crate) cwd: PathBuf,
    /// All of its environment.
    pub(crate) env: BTreeMap<OsString, OsString>,
    /// The file that is its standard input; none: the terminal.
    pub(crate) stdin: Option<PathBuf>,
    /// Its standard output is [`Started::stdout`] instead of the terminal.
    pub(crate) stdout_apart: bool,
}

/// A program that was started, in parts for those who own them.
pub(crate) struct Started {
    pub(crate) pty: Pty,
    pub(crate) child: Child,
    /// Its standard output, if that is not the terminal.
    pub(crate) stdout: Option<Stdout>,
}

/// What a program, and those that it starts, write to a standard output that is not the terminal.
pub(crate) struct Stdout {
    /// The output itself.
    pub(crate) pipe: File,
    /// Tells the exit status of the program once it has ended, as a line. As long as this is held, none of those who
    /// write is hung up on because of that, nor is the end told by [`Child::wait`].
    pub(crate) leader: UnixStream,
}

/// The program's process, to be waited for. Its descriptor can be polled: it is readable once the program has ended.
pub(crate) struct Child(OwnedFd);

impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Child {
    /// Waits until the program has ended, and says how.
    pub(crate) fn wait(&self) -> PaneState {
        let status = loop {
            match waitid(WaitId::PidFd(self.0.as_fd()), WaitIdOptions::EXITED) {
                Err(rustix::io::Errno::INTR) => {}
                status => break status,
            }
        };
        match status {
            Ok(Some(status)) => PaneState::Exited {
                code: status.exit_status(),
                signal: status.terminating_signal().map(signal_name),
            },
            Ok(None) | Err(_) => {
                tracing::warn!(?status, "could not wait for a program");
                PaneState::Exited {
                    code: None,
                    signal: None,
                }
            }
        }
    }
}

fn signal_name(number: i32) -> String {
    SignalName::try_from(number).map_or_else(
        |_| format!("signal {number}"),
        |signal| signal.as_str().to_owned(),
    )
}

/// The number of a signal that [`PaneState::Exited`] names.
pub(crate) fn signal_number(name: &str) -> Option<i32> {
    match name.parse::<SignalName>() {
        Ok(signal) => Some(signal as i32),
        Err(_) => name.strip_prefix("signal ")?.parse().ok(),
    }
}

/// The terminal's side of a running program.
pub(crate) struct Pty {
    terminal: Mutex<Box<dyn MasterPty + Send>>,
    /// The same, to be read, written and polled.
    file: Arc<File>,
    /// The path by which its programs have it.
    name: PathBuf,
    pid: Pid,
    /// The program has been waited for: the system may give its id to another process.
    reaped: AtomicBool,
}

impl Pty {
    /// Starts `command` as the leader of a session of its own, whose terminal this is.
    pub(crate) fn start(command: &Command, size: PaneSize) -> io::Result<Started> {
        let PtyPair { slave, master } = native_pty_system()
            .openpty(pty_size(size, CellSize::default()))
            .map_err(io::Error::other)?;
        let nameless = || io::Error::other("the system made a terminal without a name");
        let terminal = master.tty_name().ok_or_else(nameless)?;
        let file = file_of(&*master)?;
        let (stdout, its) = if command.stdout_apart {
            let (pipe, its_stdout) = pipe_with(PipeFlags::CLOEXEC)?;
            let (leader, its_end) = UnixStream::pair()?;
            let pipe = File::from(pipe);
            // Beyond those that they become, so that neither takes the place of the other.
            let its = [
                fcntl_dupfd_cloexec(its_end, 10)?,
                fcntl_dupfd_cloexec(its_stdout, 10)?,
            ];
            (Some(Stdout { pipe, leader }), Some(its))
        } else {
            (None, None)
        };

        let mut actions = PosixSpawnFileActions::init()?;
        change_dir(&mut actions, &command.cwd)?;
        // The first terminal that the leader of a new session opens becomes its own.
        actions.add_open(2, &terminal, OFlag::O_RDWR, Mode::empty())?;
        match &command.stdin {
            Some(file) => actions.add_open(0, file, OFlag::O_RDONLY, Mode::empty())?,
            None => actions.add_dup2(2, 0)?,
        }
        actions.add_dup2(2, 1)?;
        let mut last = 2;
        for descriptor in its.iter().flatten() {
            last += 1;
            actions.add_dup2(descriptor.as_raw_fd(), last)?;
        }
        // What libraries and whoever started us left open is nothing to the program.
        for open in open_files().into_iter().filter(|open| *open > last) {
            actions.add_close(open)?;
        }
        let mut attributes = PosixSpawnAttr::init()?;
        let mut at_default = SigSet::empty();
        at_default.extend(AT_DEFAULT);
        attributes.set_sigdefault(&at_default)?;
        attributes.set_sigmask(&SigSet::empty())?;
        attributes.set_flags(
            PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF
                | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK
                | PosixSpawnFlags::from_bits_retain(libc::POSIX_SPAWN_SETSID.into()),
        )?;

        let leader: &[&str] = match its {
            Some(_) => &["/bin/sh", "-c", LEADER, "sh"],
            None => &[],
        };
        let command_line: Vec<&str> = leader
            .iter()
            .copied()
            .chain(std::iter::once(command.program.as_str()))
            .chain(command.args.iter().map(String::as_str))
            .collect();
        let program = find_program(command_line[0], &command.cwd, &command.env)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let arguments = command_line
            .into_iter()
            .map(CString::new)
            .collect::<Result<Vec<_>, _>>()?;
        let environment = environment(command)?;
        let pid = posix_spawn(&program, &actions, &attributes, &arguments, &environment)?;
        let pid = Pid::from_raw(pid.as_raw()).expect("a process that was started has an id");
        // Only the program may hold its side: the end of output is when it lets go of it.
        drop(slave);
        let child = pidfd_open(pid, PidfdFlags::empty()).inspect_err(|_| {
            let _ = kill_process(pid, Signal::KILL);
        })?;
        Ok(Started {
            pty: Pty {
                terminal: Mutex::new(master),
                file: Arc::new(file),
                name: terminal,
                pid,
                reaped: AtomicBool::new(false),
            },
            child: Child(child),
            stdout,
        })
    }

    /// The id of the process that was started; its session and its group have the same.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// The terminal as the other side of the program: what is written to it is typed, what is read from it was printed.
    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Reads what the program wrote to its terminal; nothing once nobody holds that any more.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match (&*self.file).read(buffer) {
            Err(error) if error.raw_os_error() == Some(libc::EIO) => Ok(0),
            read => read,
        }
    }

    /// Tells the program the size of its window.
    pub(crate) fn resize(&self, size: PaneSize, cell: CellSize) -> io::Result<()> {
        self.terminal
            .lock()
            .resize(pty_size(size, cell))
            .map_err(io::Error::other)
    }

    /// The process group that has the terminal: the one that keys go to.
    pub(crate) fn foreground(&self) -> Option<u32> {
        let group = self.terminal.lock().process_group_leader()?;
        u32::try_from(group).ok()
    }

    /// Whether the program itself has the terminal and waits for keys: it edits a line, or sleeps until there is one.
    pub(crate) fn awaits_keys(&self) -> bool {
        if self.foreground() != Some(self.pid()) {
            return false;
        }
        let edits = |modes: Termios| !modes.local_flags.contains(LocalFlags::ICANON);
        tcgetattr(&self.file).is_ok_and(edits) || self.sleeps_in_a_read()
    }

    fn sleeps_in_a_read(&self) -> bool {
        let process = PathBuf::from(format!("/proc/{}", self.pid()));
        let Ok(call) = std::fs::read_to_string(process.join("syscall")) else {
            return false;
        };
        // The number of the call, and what it was given.
        let mut words = call.split(' ');
        let number = words.next().and_then(|number| number.parse().ok());
        let file = words.next().and_then(|file| {
            let file = u32::from_str_radix(file.strip_prefix("0x")?, 16).ok()?;
            std::fs::read_link(process.join(format!("fd/{file}"))).ok()
        });
        number == Some(libc::SYS_read)
            && file.is_some_and(|file| file == self.name || file == Path::new("/dev/tty"))
    }

    /// What the process is called that the pane started, which may be another program by now.
    pub(crate) fn process_name(&self) -> String {
        let name = std::fs::read_to_string(format!("/proc/{}/comm", self.pid()));
        name.unwrap_or_default().trim_end().to_owned()
    }

    /// Notes that the program has ended and was waited for.
    pub(crate) fn reaped(&self) {
        self.reaped.store(true, Ordering::Release);
    }

    /// Sends `signals`, one after another, to every process of the program's session. Says whether there was any.
    pub(crate) fn signal(&self, signals: &[Signal]) -> bool {
        let reaped = self.reaped.load(Ordering::Acquire);
        let members = session_members(self.pid, reaped);
        for signal in signals {
            if !reaped {
                // The group first: it is there even where the list of processes can't be read.
                let _ = kill_process_group(self.pid, *signal);
            }
            for member in &members {
                let _ = kill_process(*member, *signal);
            }
        }
        !reaped || !members.is_empty()
    }
}

fn pty_size(size: PaneSize, cell: CellSize) -> PtySize {
    PtySize {
        rows: size.rows,
        cols: size.cols,
        pixel_width: size.cols.saturating_mul(cell.width),
        pixel_height: size.rows.saturating_mul(cell.height),
    }
}

/// The terminal as a file of its own, which portable-pty does not give.
fn file_of(master: &(dyn MasterPty + Send)) -> io::Result<File> {
    let descriptor = master
        .as_raw_fd()
        .ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
    #[allow(
        unsafe_code,
        reason = "portable-pty hands out its descriptor as a bare number"
    )]
    // SAFETY: the number is that of a descriptor that `master` holds open, and `master` is borrowed until it is copied.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    Ok(File::from(fcntl_dupfd_cloexec(borrowed, 3)?))
}

/// Makes the program begin in `cwd`.
fn change_dir(actions: &mut PosixSpawnFileActions, cwd: &Path) -> io::Result<()> {
    let cwd = CString::new(cwd.as_os_str().as_bytes())?;
    let actions = std::ptr::from_mut(actions).cast::<libc::posix_spawn_file_actions_t>();
    #[allow(
        unsafe_code,
        reason = "the one thing that nix has no word for; the alternative is a fork of this whole process"
    )]
    // SAFETY: nix's type is a transparent wrapper of libc's, initialised by its constructor; the text ends in a zero
    // byte, and is copied by the call.
    let failed = unsafe { libc::posix_spawn_file_actions_addchdir_np(actions, cwd.as_ptr()) };
    match failed {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// The descriptors that this process has open.
fn open_files() -> Vec<RawFd> {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    open.flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// The environment as a program is told it.
fn environment(command: &Command) -> io::Result<Vec<CString>> {
    let variables = command.env.iter();
    variables
        .map(|(name, value)| {
            let entry = [name.as_bytes(), b"=", value.as_bytes()].concat();
            Ok(CString::new(entry)?)
        })
        .collect()
}

/// The processes of a session. Of one whose leader was waited for, nothing when a process has the leader's id again:
/// then it is the session of somebody else.
fn session_members(session: Pid, reaped: bool) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let members: Vec<Pid> = processes
        .flatten()
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .filter(|process| is_of(*process, session))
        .filter(|process| !has_ended(*process))
        .collect();
    if reaped && members.contains(&session) {
        return Vec::new();
    }
    members
}

fn is_of(process: Pid, session: Pid) -> bool {
    let raw = |pid: Pid| nix::unistd::Pid::from_raw(pid.as_raw_nonzero().get());
    // Not rustix's: it does not expect that the kernel's own threads have none.
    nix::unistd::getsid(Some(raw(process))) == Ok(raw(session))
}

/// Whether a process has ended and was not yet waited for.
fn has_ended(process: Pid) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()))
    else {
        return true;
    };
    // The name, in parentheses, may hold anything; the fields after it do not.
    stat.rsplit_once(')')
        .is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// A file that lies in memory, and the path by which other processes find it while this one has it open.
pub(crate) fn in_memory(name: &str) -> io::Result<(File, String)> {
    let file = memfd_create(name, MemfdFlags::CLOEXEC)?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    Ok((File::from(file), path))
}

/// The processes that may write to a pipe, besides this one; those of other users are not seen.
pub(crate) fn writers(pipe: &File) -> Vec<Holder> {
    let (Ok(pipe), Ok(processes)) = (pipe.metadata(), std::fs::read_dir("/proc")) else {
        return Vec::new();
    };
    let pipe = PathBuf::from(format!("pipe:[{}]", pipe.ino()));
    let has_it = |process: &Path| {
        let open = std::fs::read_dir(process.join("fd")).into_iter().flatten();
        open.flatten()
            .any(|open| std::fs::read_link(open.path()).is_ok_and(|file| file == pipe))
    };
    let mut writers: Vec<Holder> = processes
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .filter(|(pid, process)| *pid != std::process::id() && has_it(process))
        .filter_map(|(pid, process)| {
            let name = std::fs::read_to_string(process.join("comm")).ok()?;
            Some(Holder {
                pid,
                name: osc::clean(name.trim_end(), 64),
            })
        })
        .collect();
    writers.sort_by_key(|holder| holder.pid);
    writers
}

/// The directory that a process works in.
pub(crate) fn cwd_of(process: u32) -> Option<String> {
    std::fs::read_link(format!("/proc/{process}/cwd"))
        .ok()?
        .into_os_string()
        .into_string()
        .ok()
}

/// Whether two paths lead to the same directory.
pub(crate) fn same_directory(one: &str, other: &str) -> bool {
    let place = |path: &str| {
        let about = std::fs::metadata(path).ok()?;
        Some((about.dev(), about.ino()))
    };
    place(one).is_some_and(|one| Some(one) == place(other))
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

/// The login shell of whoever has this environment.
pub(crate) fn login_shell(env: &BTreeMap<OsString, OsString>) -> String {
    let mut shell = CommandBuilder::new_default_prog();
    shell.env_clear();
    if let Some(theirs) = env.get(OsStr::new("SHELL")) {
        shell.env("SHELL", theirs);
    }
    shell.get_shell()
}

/// Finds `program` as a shell would that has this environment: by its path, or on the PATH.
pub(crate) fn find_program(
    program: &str,
    cwd: &Path,
    env: &BTreeMap<OsString, OsString>,
) -> Option<PathBuf> {
    let runs = |file: &Path| {
        file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
    };
    if program.contains('/') {
        let file = cwd.join(program);
        return runs(&file).then_some(file);
    }
    let path = env
        .get(OsStr::new("PATH"))
        .map_or(OsStr::new(PATH), OsString::as_os_str);
    std::env::split_paths(path)
        .map(|directory| cwd.join(directory).join(program))
        .find(|file| runs(file))
}
