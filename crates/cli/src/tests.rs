//! The command line against a real host with real programs: what is printed, and the exit status.

mod changes;
mod flows;
mod worktrees;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use app::{Paths, Served};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{Output, command};

/// Far more than anything here takes; reached only when something never happens.
const DEADLINE: Duration = Duration::from_secs(60);

/// A user with a pane host, which serves in this process.
struct User {
    home: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    host: Option<std::thread::JoinHandle<Served>>,
}

/// What a command printed, and how it ended.
struct Ran {
    status: u8,
    out: String,
    err: String,
}

impl User {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let paths = Paths::below(home.path());
        let serve = move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let stop = async move {
                let _ = stopped.await;
            };
            runtime
                .block_on(app::serve_host_until(&paths, app::IDLE_AFTER, stop))
                .unwrap()
        };
        let host = std::thread::Builder::new()
            .name("host".into())
            .spawn(serve)
            .unwrap();
        let user = Self {
            home,
            stop: Some(stop),
            host: Some(host),
        };
        user.until("the host answers", &["host", "--status", "--json"], |ran| {
            ran.out != "null\n"
        });
        user
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        run_in(self.home.path(), arguments)
    }

    /// Runs a command again until what it prints is as wanted.
    fn until(&self, what: &str, arguments: &[&str], good: impl Fn(&Ran) -> bool) -> Ran {
        let began = Instant::now();
        loop {
            let ran = self.run(arguments);
            if good(&ran) {
                return ran;
            }
            assert!(
                began.elapsed() < DEADLINE,
                "never: {what}: {}{}",
                ran.out,
                ran.err
            );
            std::thread::yield_now();
        }
    }

    /// Opens a pane with a program, in this user's home.
    fn open(&self, options: &[&str], program: &[&str]) -> String {
        let home = self.home.path().to_str().unwrap();
        let ran = self.run(&[&["open", "--cwd", home], options, &["--"], program].concat());
        assert_eq!((ran.status, ran.err.as_str()), (0, ""));
        ran.out.trim().to_owned()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(host) = self.host.take() {
            let served = host.join();
            if !std::thread::panicking() {
                assert_eq!(served.unwrap(), Served::Ended);
            }
        }
    }
}

impl Ran {
    /// As a person would see it, with `home` for the directory of the test.
    fn shown(&self, home: &Path) -> String {
        let home = home.to_str().unwrap();
        let text = format!("{}{}[{}]", self.out, self.err, self.status);
        text.replace(home, "/home/me")
    }
}

fn run_in(home: &Path, arguments: &[&str]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = ["switchyard"].iter().chain(arguments).map(OsString::from);
    let paths = || Ok(Paths::below(home).with_transcripts(home.join("person")));
    let status = command::run(arguments, paths, &mut Output::to(&mut out, &mut err));
    Ran {
        status,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

/// A command that needs no host.
fn alone(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    run_in(home.path(), arguments).shown(home.path())
}

#[test]
fn panes_are_listed_for_people() {
    let user = User::new();
    insta::assert_snapshot!(user.run(&["panes"]).shown(user.home.path()), @"
    No panes. `switchyard open -- PROGRAM` starts one.
    [0]
    ");
    user.open(&["--name", "notes"], &["cat"]);
    let ended = user.open(&[], &["sh", "-c", "exit 3"]);
    user.until("it ends", &["panes"], |ran| ran.out.contains("ended"));
    assert_eq!(ended, "2");
    insta::assert_snapshot!(user.run(&["panes"]).shown(user.home.path()), @"
    PANE  STATE    NAME   PROGRAM       DIRECTORY
       1  running  notes  cat           /home/me
       2  ended 3         sh -c exit 3  /home/me
    [0]
    ");
}

#[test]
fn a_shell_that_waits_is_listed_as_a_shell() {
    let user = User::new();
    user.open(&["--name", "shell"], &["bash"]);
    assert_eq!(
        user.run(&["send", "shell", "echo $((40 + 2))", "--enter"])
            .status,
        0
    );
    user.until("it answers", &["read", "shell"], |ran| {
        ran.out.lines().any(|line| line == "42")
    });
    let listed = user.run(&["panes"]).out;
    assert!(!listed.contains("echo"), "{listed}");
    assert!(listed.contains("bash"), "{listed}");
}

#[test]
fn panes_are_listed_for_programs() {
    let user = User::new();
    assert_eq!(user.run(&["panes", "--json"]).out, "[]\n");
    user.open(&["--name", "notes", "--size", "100x30"], &["cat"]);
    let panes: Value = serde_json::from_str(&user.run(&["panes", "--json"]).out).unwrap();
    assert_eq!(panes[0]["id"], 1);
    assert_eq!(panes[0]["name"], "notes");
    assert_eq!(panes[0]["size"]["cols"], 100);
    assert_eq!(panes[0]["state"]["state"], "running");
}

#[test]
fn what_is_sent_is_answered_and_read_back() {
    let user = User::new();
    let pane = user.open(
        &[],
        &["sh", "-c", "read word; echo \"you said $word\"; cat"],
    );
    let sent = user.run(&["send", &pane, "hello", "--enter"]);
    assert_eq!(
        (sent.status, sent.out.as_str(), sent.err.as_str()),
        (0, "", "")
    );
    let read = user.until("the answer", &["read", &pane], |ran| {
        ran.out.contains("you said")
    });
    insta::assert_snapshot!(read.out.trim_end(), @"
    hello
    you said hello
    ");
    let read = user.run(&["read", &pane, "--lines", "1000", "--json"]);
    let lines: Value = serde_json::from_str(&read.out).unwrap();
    assert_eq!(lines[1]["text"], "you said hello");
    assert_eq!(lines[1]["id"], 1);
}

#[test]
fn more_than_a_program_reads_at_once_arrives_whole() {
    let user = User::new();
    let count = "stty raw -echo; echo ready; head -c 100000 | wc -c";
    let pane = user.open(&[], &["sh", "-c", count]);
    user.until("it is ready", &["read", &pane], |ran| {
        ran.out.contains("ready")
    });
    let text = "x".repeat(100_000);
    assert_eq!(user.run(&["send", &pane, &text]).status, 0);
    user.until("it has counted", &["read", &pane], |ran| {
        ran.out.contains("100000")
    });
}

#[test]
fn a_pane_can_be_called_by_its_name() {
    let user = User::new();
    user.open(&["--name", "one"], &["cat"]);
    user.open(&["--name", "two"], &["cat"]);
    assert_eq!(user.run(&["send", "two", "hello", "--enter"]).status, 0);
    user.until("it echoes", &["read", "two"], |ran| {
        ran.out.contains("hello")
    });
    assert_eq!(user.run(&["read", "one"]).out.trim(), "");
    user.open(&["--name", "two"], &["cat"]);
    insta::assert_snapshot!(user.run(&["kill", "two"]).shown(user.home.path()), @"
    switchyard: several panes are called `two`: 2, 3; say which by its number
    [1]
    ");
}

#[test]
fn panes_are_closed_all_or_none() {
    let user = User::new();
    for name in ["a", "b", "c"] {
        user.open(&["--name", name], &["cat"]);
    }
    insta::assert_snapshot!(user.run(&["kill", "a", "2", "nobody"]).shown(user.home.path()), @"
    switchyard: there is no pane `nobody`: `switchyard panes` lists them
    [1]
    ");
    let ids = |user: &User| {
        let panes: Value = serde_json::from_str(&user.run(&["panes", "--json"]).out).unwrap();
        panes
            .as_array()
            .unwrap()
            .iter()
            .map(|pane| pane["id"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&user), ["1", "2", "3"]);
    assert_eq!(user.run(&["kill", "a", "2"]).status, 0);
    assert_eq!(ids(&user), ["3"]);
}

#[test]
fn a_closed_pane_can_be_read_until_its_history_is_purged() {
    let user = User::new();
    user.open(
        &["--name", "gone"],
        &["sh", "-c", "echo remember me; exec cat"],
    );
    user.until("it prints", &["read", "gone"], |ran| {
        ran.out.contains("remember me")
    });
    assert_eq!(user.run(&["kill", "gone"]).status, 0);
    let listed = user.until("it is listed", &["panes", "--closed"], |ran| {
        ran.out.contains("gone")
    });
    insta::assert_snapshot!(listed.shown(user.home.path()), @"
    PANE  ENDED     NAME  PROGRAM                           DIRECTORY
       1  just now  gone  sh -c echo remember me; exec cat  /home/me
    [0]
    ");
    let read = user.until("it is in history", &["read", "gone"], |ran| ran.status == 0);
    insta::assert_snapshot!(read.out.trim_end(), @"remember me");
    assert_eq!(
        user.run(&["history", "purge", "--pane", "gone"])
            .shown(user.home.path()),
        "[0]"
    );
    insta::assert_snapshot!(user.run(&["read", "gone"]).shown(user.home.path()), @"
    switchyard: there is no pane `gone`: `switchyard panes` lists them
    [1]
    ");
    assert_eq!(
        user.run(&["history", "purge"]).shown(user.home.path()),
        "[0]"
    );
    insta::assert_snapshot!(user.run(&["panes", "--closed"]).shown(user.home.path()), @"
    No closed panes in history.
    [0]
    ");
}

#[test]
fn what_can_not_be_done_is_said_in_a_line_with_status_1() {
    let user = User::new();
    let shown = |arguments: &[&str]| user.run(arguments).shown(user.home.path());
    insta::assert_snapshot!(shown(&["read", "77"]), @"
    switchyard: there is no pane `77`: `switchyard panes` lists them
    [1]
    ");
    insta::assert_snapshot!(shown(&["send", "build", "x"]), @"
    switchyard: there is no pane `build`: `switchyard panes` lists them
    [1]
    ");
    insta::assert_snapshot!(shown(&["open", "--cwd", "/", "--", "no-such-program"]), @"
    switchyard: `program`: found no program `no-such-program`; give the path of an executable file, or the name of one on the PATH
    [1]
    ");
    insta::assert_snapshot!(shown(&["open", "--cwd", "/no/such/place", "--", "cat"]), @"
    switchyard: `cwd`: `/no/such/place` is not a directory; name one that exists
    [1]
    ");
}

#[test]
fn a_wrong_command_line_has_status_2() {
    insta::assert_snapshot!(alone(&["frobnicate"]), @"
    switchyard: unrecognized subcommand 'frobnicate'

      tip: a similar subcommand exists: 'conflicts'

    Usage: switchyard [OPTIONS] [COMMAND]

    For more information, try '--help'.
    [2]
    ");
    insta::assert_snapshot!(alone(&["read", "1", "--lines", "0"]), @"
    switchyard: invalid value '0' for '--lines <N>': 0 is not in 1..=1000000

    For more information, try '--help'.
    [2]
    ");
    insta::assert_snapshot!(alone(&["open", "--size", "80"]), @"
    switchyard: invalid value '80' for '--size <COLSxROWS>': it is not of the form COLSxROWS, as in 120x40

    For more information, try '--help'.
    [2]
    ");
    insta::assert_snapshot!(alone(&["kill"]), @"
    switchyard: the following required arguments were not provided:
      <PANE>...

    Usage: switchyard kill <PANE>...

    For more information, try '--help'.
    [2]
    ");
    let user = User::new();
    let ran = user.run(&["open", "--cwd", "/", "--size", "1x5", "--", "cat"]);
    insta::assert_snapshot!(ran.shown(user.home.path()), @"
    switchyard: bad `size.cols`: 1; it must be from 2 to 1000
    [2]
    ");
}

#[test]
fn the_help_teaches() {
    insta::assert_snapshot!(alone(&["--help"]), @r#"
    A workspace for shells and coding agents whose programs outlive their window

    Usage: switchyard [OPTIONS] [COMMAND]

    Commands:
      panes        List the panes: what runs in them, where, and who needs you
      open         Start a program in a pane of its own, and print the pane's number
      send         Type into a pane
      read         Read what a pane printed last; a closed one's too
      kill         Close panes: end their programs (hang up first, kill after a grace period)
      search       Find text that panes printed or full-screen programs showed
      history      What is kept on disk of what panes printed
      layouts      List the arrangements of panes that were saved by name; `switchyard open --layout
                   NAME` opens one
      machines     Other machines whose panes are reached from here, by your own ssh
      window       Open one more window, with tabs of its own
      import       Take over what another program holds
      agents       List coding agents on all hosts, read them, talk to them
      conflicts    Where worktrees of a repository change the same lines
      changes      What a worktree changed: staged, unstaged, new, and committed since it began; and
                   what becomes of it
      worktrees    The worktrees of this repository: list, make, rename, remove
      host         Run the pane host, the background process that the panes live in
      flow         Check, run, watch and answer flows of agents, scripts, approvals and switches
      mcp          Serve a coding agent over the Model Context Protocol
      completions  Print what makes a shell complete this command line
      man          Print the manual page, or write the pages of all commands into a directory

    Options:
          --json        Print for programs: JSON on standard output
          --in-process  Open the window with the panes in its own process: they end with it
      -h, --help        Print help
      -V, --version     Print version

    Without a command, the window opens.

    Examples:
      switchyard open --name build -- cargo watch   Start a program in a pane of its own
      switchyard panes                              See what runs, and who needs you
      switchyard read build --lines 20              Read what it printed last
      switchyard search 'error\[E'                  Find what any of them printed
      switchyard send build 'q' --enter             Type into it
      switchyard kill build                         End it

    Panes live in a background process, the pane host: they go on when this command ends and when
    the window is closed. Exit status: 0 done, 1 could not be done, 2 the command line is wrong.
    [0]
    "#);
    insta::assert_snapshot!(alone(&["send", "--help"]), @r"
    Type into a pane

    Usage: switchyard send [OPTIONS] <PANE> <TEXT>

    Arguments:
      <PANE>  The pane: its number or its name; on another machine, `build:3`
      <TEXT>  What to type; `-`: what comes on standard input

    Options:
          --enter  Press Enter after it
          --json   Print for programs: JSON on standard output
      -h, --help   Print help

    Examples:
      switchyard send 3 'make test' --enter
      switchyard send build $'\x03'          Control-C
      git diff | switchyard send 3 -         What comes on standard input
    [0]
    ");
}

#[test]
fn without_its_program_the_window_is_not_opened_and_the_missing_program_named() {
    let told = alone(&[]);
    assert!(told.contains("switchyard-window`: No such file"), "{told}");
    assert!(told.ends_with("[1]"), "{told}");
}

#[test]
fn what_is_said_of_the_window_and_of_a_command_does_not_mix() {
    insta::assert_snapshot!(alone(&["--in-process", "panes"]), @"
    switchyard: `--in-process` is said of the window: no command goes with it
    [2]
    ");
    let told = alone(&["--json"]);
    let (error, status) = told.split_once('\n').unwrap();
    let error: Value = serde_json::from_str(error).unwrap();
    assert_eq!(
        (error["error"]["message"].as_str(), status),
        (
            Some("`--json` is said of a command: without one, the window opens"),
            "[2]"
        )
    );
}

#[test]
fn without_a_host_there_is_nothing_to_stop_and_no_status() {
    insta::assert_snapshot!(alone(&["host", "--stop"]), @"
    No pane host is running.
    [0]
    ");
    insta::assert_snapshot!(alone(&["host", "--status"]), @"
    No pane host is running.
    [0]
    ");
}

#[test]
fn a_second_host_is_refused() {
    let user = User::new();
    let ran = user.run(&["host"]);
    let words = ran.err.replace(&std::process::id().to_string(), "PID");
    assert_eq!(
        (ran.status, words.as_str()),
        (1, "switchyard: a pane host runs already, as process PID\n")
    );
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let user = User::new();
    let mut err = Vec::new();
    let arguments = ["switchyard", "panes"].map(OsString::from);
    let paths = || Ok(Paths::below(user.home.path()));
    let status = command::run(arguments, paths, &mut Output::to(Closed, &mut err));
    assert_eq!((status, err.as_slice()), (0, b"".as_slice()));
}

#[test]
fn a_search_finds_what_agents_wrote_down_beside_what_panes_printed() {
    let user = User::new();
    let folder = user.home.path().join("person/.claude/projects/-work");
    std::fs::create_dir_all(&folder).unwrap();
    let said = [
        r#"{"type":"user","message":{"role":"user","content":"Find the rate limit.\nNow."},"uuid":"a","timestamp":"2026-03-01T12:00:00.000Z","cwd":"/work","sessionId":"s-1"}"#,
        r#"{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"The rate limit is 5."}]},"uuid":"b","timestamp":"2026-03-01T12:00:09.000Z","cwd":"/work","sessionId":"s-1"}"#,
    ];
    std::fs::write(folder.join("s-1.jsonl"), said.join("\n")).unwrap();
    let pane = user.open(
        &["--name", "build"],
        &["sh", "-c", "echo the rate limit; exec sleep 600"],
    );
    user.until("the words", &["search", "rate limit"], |ran| {
        ran.status == 0
    });
    // The clock of the reader is wherever the test runs.
    let times = [1_772_366_400_000, 1_772_366_409_000].map(crate::when::local);
    let shown = |arguments: &[&str]| {
        let shown = user.run(arguments).shown(user.home.path());
        times
            .iter()
            .fold(shown, |shown, at| shown.replace(at, "THEN"))
    };
    insta::assert_snapshot!(shown(&["search", "--all", "rate limit"]), @"
    pane 1 (build)
    1:the rate limit

    Claude Code s-1 (/work: Find the rate limit.)
    THEN agent:The rate limit is 5.
    THEN person:Find the rate limit.
    [0]
    ");
    insta::assert_snapshot!(shown(&["search", "--conversations", "limit is"]), @"
    Claude Code s-1 (/work: Find the rate limit.)
    THEN agent:The rate limit is 5.
    [0]
    ");
    insta::assert_snapshot!(shown(&["search", "--conversations", "a("]), @"
    switchyard: bad pattern: unclosed group
      a(
       ^
    [2]
    ");
    insta::assert_snapshot!(shown(&["search", "--conversations", "--since", "1h", "limit is"]), @"[1]");
    user.run(&["kill", &pane]);
}

#[test]
fn a_search_finds_what_open_and_closed_panes_printed() {
    let user = User::new();
    let script = "for n in 1 2 3; do echo line $n of the log; done; sleep 600";
    let pane = user.open(&["--name", "build"], &["sh", "-c", script]);
    user.until("the log", &["search", "line 3"], |ran| ran.status == 0);
    insta::assert_snapshot!(user.run(&["search", r"line \d", "-C", "1"]).shown(user.home.path()), @"
    pane 1 (build)
    3:line 3 of the log
    --
    2:line 2 of the log
    --
    1:line 1 of the log
    [0]
    ");
    insta::assert_snapshot!(user.run(&["search", "LOG", "--limit", "1", "-i"]).shown(user.home.path()), @"
    pane 1 (build)
    3:line 3 of the log
    switchyard: 1 of 3 in 1 pane: these are the first 1 matches; history was not searched, since there are enough matches in memory
    [0]
    ");
    assert_eq!(user.run(&["search", "LOG"]).status, 1);
    assert_eq!(user.run(&["search", "--closed", "log"]).status, 1);
    assert_eq!(user.run(&["kill", &pane]).status, 0);
    insta::assert_snapshot!(user.run(&["search", "--closed", "-F", "2 of"]).shown(user.home.path()), @"
    pane 1 (build, closed)
    2:line 2 of the log
    [0]
    ");
    let json = user.run(&["search", "--all", "2 of", "--json"]);
    let answer: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(answer["total"], 1);
    assert_eq!(answer["matches"][0]["source"], "history");
}

#[test]
fn a_search_that_can_not_be_says_where_the_pattern_is_wrong() {
    let user = User::new();
    insta::assert_snapshot!(user.run(&["search", "漢a(?=b)"]).shown(user.home.path()), @"
    switchyard: look-around is not supported: every search takes linear time, and look-around does not
      漢a(?=b)
         ^
    [2]
    ");
    insta::assert_snapshot!(user.run(&["search", "x", "--limit", "501"]).shown(user.home.path()), @"
    switchyard: bad `limit`: 501; it must be from 1 to 500
    [2]
    ");
}

/// A user with this `agents.json`.
fn with_agents(file: &str) -> User {
    let user = User::new();
    let config = Paths::below(user.home.path());
    std::fs::write(config.config().join("agents.json"), file).unwrap();
    user
}

/// The only agent is a shell that runs what it is told.
const SHELL_AGENT: &str =
    r#"{ "paseo": [], "command": [{ "name": "sh", "program": ["sh", "-c", "{prompt}"] }] }"#;

#[test]
fn an_agent_is_started_prompted_and_its_answer_printed() {
    let user = with_agents(SHELL_AGENT);
    let home = user.home.path().display().to_string();
    let ran = user.run(&[
        "agents",
        "new",
        "--host",
        "sh",
        "--cwd",
        &home,
        "echo one; echo two",
    ]);
    let mut lines = ran.out.lines();
    assert_eq!(
        lines.next().map(str::len),
        Some(36),
        "its id: {}{}",
        ran.out,
        ran.err
    );
    assert_eq!(
        lines.collect::<Vec<_>>(),
        ["> echo one; echo two", "one", "two"]
    );
    assert_eq!(ran.status, 0);
    let id = ran.out.lines().next().unwrap();
    let fork = user.run(&["agents", "fork", id]);
    assert_eq!(fork.status, 1);
    insta::assert_snapshot!(fork.err, @"switchyard: command:sh can't fork a conversation: start a new one");
    let failed = user.run(&[
        "agents",
        "new",
        "--host",
        "sh",
        "--cwd",
        &home,
        "echo no; exit 3",
    ]);
    assert_eq!(
        (failed.status, failed.err.as_str()),
        (1, "switchyard: the program ended with exit status 3\n")
    );
    let json = user.run(&[
        "agents", "new", "--json", "--host", "sh", "--cwd", &home, "echo hi",
    ]);
    let result: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (
            result["answer"].as_str(),
            result["outcome"]["outcome"].as_str()
        ),
        (Some("hi"), Some("completed"))
    );
}

#[test]
fn what_is_wrong_about_agents_is_said_with_what_would_be_right() {
    let user = with_agents(SHELL_AGENT);
    let said = [
        user.run(&["agents", "show", "nobody"]),
        user.run(&["agents", "--host", "mars", "ls"]),
        user.run(&["agents", "archive", ""]),
        user.run(&["agents", "ls"]),
    ]
    .map(|ran| format!("{}{}[{}]", ran.out, ran.err, ran.status));
    insta::assert_debug_snapshot!(said, @r#"
    [
        "switchyard: no agent is named `nobody`\n[1]",
        "switchyard: there is no host `mars`; there are: command:sh\n[1]",
        "switchyard: `agent` is empty; give an id, the beginning of one, or a title\n[2]",
        "no agents\n[0]",
    ]
    "#);
    let help = user.run(&["agents", "send", "nobody", "--help"]);
    assert_eq!(help.status, 0, "{}", help.err);
    assert!(help.out.contains("Prompt an agent"), "{}", help.out);
    let prompt = user.run(&["agents", "send", "nobody", "--", "--help"]);
    assert_eq!(
        prompt.err, "switchyard: no agent is named `nobody`\n",
        "what follows `--` is said"
    );
    let health = user.run(&["agents", "health", "--host", "sh", "--json"]);
    let health: Value = serde_json::from_str(&health.out).unwrap();
    assert_eq!(health[0]["health"]["state"], "up");
    let wrong = with_agents("{ \"paseo\": 3 }");
    assert_eq!(wrong.run(&["agents"]).status, 1);
}
