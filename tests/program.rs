//! The program from outside: its command line, and the pane host that it starts.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use support::{Home, git, wait_for};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Opens a pane that runs a shell script and returns its number.
fn open(home: &Home, script: &str) -> Result<u64> {
    let printed = home.ok(&["open", "--json", "--", "/bin/sh", "-c", script])?;
    let pane: Value = serde_json::from_str(&printed)?;
    pane["id"].as_u64().context("the pane has a number")
}

/// What a pane shows and showed, as `switchyard read` prints it.
fn read(home: &Home, pane: u64) -> Result<String> {
    home.ok(&["read", &pane.to_string(), "--lines", "100"])
}

/// Waits until `switchyard read` shows `text`.
async fn see(home: &Home, pane: u64, text: &str) -> Result<String> {
    wait_for(&format!("`{text}` in pane {pane}"), || async {
        let seen = read(home, pane).map_err(|error| error.to_string())?;
        if seen.contains(text) {
            Ok(seen)
        } else {
            Err(seen)
        }
    })
    .await
}

fn panes(home: &Home) -> Result<BTreeSet<u64>> {
    let listed: Value = serde_json::from_str(&home.ok(&["panes", "--json"])?)?;
    let listed = listed.as_array().context("a list")?;
    Ok(listed
        .iter()
        .filter_map(|pane| pane["id"].as_u64())
        .collect())
}

#[tokio::test]
async fn a_pane_goes_on_after_the_command_that_opened_it() -> Result<()> {
    let home = Home::new()?;
    let pane = open(&home, "echo started; read line; echo got $line; sleep 600")?;
    see(&home, pane, "started").await?;
    home.ok(&["send", &pane.to_string(), "hello", "--enter"])?;
    see(&home, pane, "got hello").await?;
    assert_eq!(panes(&home)?, BTreeSet::from([pane]));
    home.ok(&["kill", &pane.to_string()])?;
    assert_eq!(panes(&home)?, BTreeSet::new());
    Ok(())
}

#[tokio::test]
async fn one_host_serves_however_many_commands_start_at_once() -> Result<()> {
    let home = Home::new()?;
    std::thread::scope(|scope| {
        let opening: Vec<_> = (0..6)
            .map(|number| {
                let home = &home;
                scope.spawn(move || open(home, &format!("echo number {number}; sleep 600")))
            })
            .collect();
        opening
            .into_iter()
            .map(|opened| opened.join().expect("the thread did not panic"))
            .collect::<Result<BTreeSet<_>>>()
    })
    .map(|opened| assert_eq!(opened.len(), 6, "six panes, each with a number of its own"))?;
    // Those that came too late are on their way out.
    wait_for("one host", || async {
        match home.hosts().as_slice() {
            [_] => Ok(()),
            hosts => Err(format!("{hosts:?}")),
        }
    })
    .await?;
    assert_eq!(panes(&home)?.len(), 6);
    Ok(())
}

#[tokio::test]
async fn all_that_a_killed_host_had_printed_is_still_in_the_history() -> Result<()> {
    let home = Home::new()?;
    let pane = open(&home, "seq 1 3000; echo the last of them; exec cat")?;
    see(&home, pane, "the last of them").await?;
    // Whatever is written from now on has all that was printed by now.
    let written =
        |file: &std::path::Path| std::fs::metadata(file).and_then(|about| about.modified());
    let mark = home.path().join("mark");
    std::fs::write(&mark, "")?;
    let now = written(&mark)?;
    home.ok(&["send", &pane.to_string(), "more", "--enter"])?;
    let noted = home.path().join(format!("data/history/{pane}/screen"));
    wait_for("what is on screen to be on disk", || async {
        match written(&noted) {
            Ok(written) if written > now => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await?;
    for host in home.hosts() {
        Home::kill(host);
    }
    // The next command starts another host; the pane is gone, its lines are not.
    assert_eq!(panes(&home)?, BTreeSet::new());
    let lines = home.ok(&["read", &pane.to_string(), "--lines", "5000"])?;
    let numbers: Vec<u32> = lines.lines().map_while(|line| line.parse().ok()).collect();
    assert_eq!(numbers, (1..=3000).collect::<Vec<_>>());
    assert!(lines.contains("the last of them"), "{lines}");
    Ok(())
}

#[tokio::test]
async fn a_pane_has_the_environment_of_whoever_opened_it_and_nothing_of_the_host_s() -> Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    let home = Home::new()?;
    let open_with = |variables: &[(&str, &[u8])]| -> Result<u64> {
        let mut open = std::process::Command::new(Home::program());
        open.args([
            "open",
            "--json",
            "--",
            "sh",
            "-c",
            "printenv ODD | od -An -tx1; printenv; exec cat",
        ])
        .current_dir(home.path())
        .envs(home.environment());
        for name in [
            "TOKEN",
            "VIRTUAL_ENV",
            "SSH_AUTH_SOCK",
            "DISPLAY",
            "WAYLAND_DISPLAY",
        ] {
            open.env_remove(name);
        }
        for (name, value) in variables {
            open.env(name, std::ffi::OsStr::from_bytes(value));
        }
        let output = open.output()?;
        anyhow::ensure!(output.status.success(), "{output:?}");
        let pane: Value = serde_json::from_slice(&output.stdout)?;
        pane["id"].as_u64().context("the pane has a number")
    };
    let own = format!("SWITCHYARD_HOME={}", home.path().display());
    let first = open_with(&[
        ("TOKEN", b"a secret"),
        ("VIRTUAL_ENV", b"/venv"),
        ("SSH_AUTH_SOCK", b"/run/agent"),
        ("DISPLAY", b":7"),
    ])?;
    let seen = see(&home, first, &own).await?;
    for variable in [
        "TOKEN=a secret",
        "VIRTUAL_ENV=/venv",
        "SSH_AUTH_SOCK=/run/agent",
        "DISPLAY=:7",
    ] {
        assert!(seen.contains(variable), "{variable}: {seen}");
    }
    // That command started the host; this one finds it.
    let second = open_with(&[("ODD", b"a\xff\xc3")])?;
    let seen = see(&home, second, &own).await?;
    assert!(seen.contains("61 ff c3 0a"), "{seen}");
    for name in ["TOKEN=", "VIRTUAL_ENV=", "SSH_AUTH_SOCK=", "DISPLAY="] {
        assert!(!seen.contains(name), "{name}: {seen}");
    }
    Ok(())
}

#[tokio::test]
async fn a_directory_that_is_gone_is_named_as_such() -> Result<()> {
    let home = Home::new()?;
    let gone = home.path().join("gone");
    std::fs::create_dir(&gone)?;
    // In a directory that is no more, and told of one that is no more.
    let script = "rmdir ../gone; exec \"$@\"";
    let open = |args: &[&str]| {
        std::fs::create_dir_all(&gone)?;
        std::process::Command::new("/bin/sh")
            .args(["-c", script, "sh"])
            .arg(Home::program())
            .arg("open")
            .args(args)
            .args(["--", "/bin/true"])
            .current_dir(&gone)
            .envs(home.environment())
            .output()
    };
    for args in [&[][..], &["--cwd", "below"]] {
        let output = open(args)?;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(
            errors.contains("this command runs in") && errors.contains("--cwd"),
            "{errors}"
        );
    }
    let output = open(&["--cwd", &gone.display().to_string()])?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("`cwd`: `") && errors.contains("is not a directory"),
        "{errors}"
    );
    let output = open(&["--cwd", &home.path().display().to_string()])?;
    assert!(output.status.success(), "{output:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_kept_is_for_its_owner_only() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new()?;
    let pane = open(&home, "seq 1 100; sleep 600")?;
    see(&home, pane, "\n100\n").await?;
    let mut left = vec![home.path().join("data"), home.path().join("run")];
    let mut looked_at = 0;
    while let Some(path) = left.pop() {
        let metadata = std::fs::symlink_metadata(&path)?;
        let mode = metadata.permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{} is open to others", path.display());
        looked_at += 1;
        if metadata.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        }
    }
    assert!(looked_at > 4, "only {looked_at} files and directories");
    Ok(())
}

#[tokio::test]
async fn a_mistake_is_answered_with_what_would_be_right() -> Result<()> {
    let home = Home::new()?;
    for (args, code, words) in [
        (&["read", "999"][..], 1, "there is no pane `999`"),
        (&["read", "nobody"][..], 1, "there is no pane `nobody`"),
        (
            &["read", "1", "--lines", "many"][..],
            2,
            "invalid value 'many'",
        ),
        (
            &["open", "--", "/no/such/program"][..],
            1,
            "/no/such/program",
        ),
        (
            &["open", "--cwd", "/no/such/place", "--", "/bin/sh"][..],
            1,
            "/no/such/place",
        ),
        (&["frobnicate"][..], 2, "unrecognized subcommand"),
    ] {
        let output = home.run(args)?;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {errors}");
        assert!(errors.contains(words), "{args:?}: {errors}");
        assert!(
            output.stdout.is_empty(),
            "{args:?} printed to standard output"
        );
    }
    Ok(())
}

#[tokio::test]
async fn without_a_display_the_window_says_so() -> Result<()> {
    let home = Home::new()?;
    let output = tokio::process::Command::new(Home::program())
        .envs(home.environment())
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .current_dir(home.path())
        .output()
        .await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("there is no display"), "{errors}");
    Ok(())
}

/// Starts `conflicts --watch --json` in a repository, and gives it with the lines that it prints.
fn watch_conflicts(
    home: &Home,
    repository: &std::path::Path,
) -> Result<(std::process::Child, std::sync::mpsc::Receiver<String>)> {
    use std::io::BufRead as _;
    let mut program = std::process::Command::new(Home::program())
        .args(["conflicts", "--watch", "--json"])
        .current_dir(repository)
        .envs(home.environment())
        .stdout(std::process::Stdio::piped())
        .spawn()?;
    let out = program.stdout.take().context("its standard output")?;
    let (sender, lines) = std::sync::mpsc::channel();
    let reader = std::thread::Builder::new().name("lines".to_owned());
    reader.spawn(move || {
        for line in std::io::BufReader::new(out).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    })?;
    Ok((program, lines))
}

#[test]
fn a_killed_watch_of_conflicts_starts_again_with_the_verdicts_of_a_fresh_look() -> Result<()> {
    let home = Home::new()?;
    let repository = home.path().join("shop");
    std::fs::create_dir(&repository)?;
    git(&repository, &["init", "-q", "-b", "main"])?;
    for file in 0..20 {
        std::fs::write(repository.join(format!("f{file}")), "1\n2\n3\n")?;
    }
    git(&repository, &["add", "-A"])?;
    git(&repository, &["commit", "-q", "-m", "x"])?;
    git(
        &repository,
        &["worktree", "add", "-q", "-b", "one", "../one"],
    )?;
    let edit = |worktree: &str, file: u32| {
        let file = home.path().join(worktree).join(format!("f{file}"));
        std::fs::write(file, format!("1\n{worktree}\n3\n"))
    };
    let verdict = |line: &str| -> Result<Option<String>> {
        let event: Value = serde_json::from_str(line)?;
        Ok(event["verdict"]["path"].as_str().map(str::to_owned))
    };
    let wait = std::time::Duration::from_secs(20);
    for file in 0..10 {
        edit("shop", file)?;
    }
    let (mut program, lines) = watch_conflicts(&home, &repository)?;
    for file in 0..10 {
        edit("one", file)?;
        if file == 5 {
            // It has begun to tell.
            lines.recv_timeout(wait)?;
            program.kill()?;
            program.wait()?;
        }
    }
    let listed: Value = serde_json::from_slice(
        &home
            .run(&["conflicts", "--json", "--repository", "shop"])?
            .stdout,
    )?;
    let listed = listed["verdicts"].as_array().context("verdicts")?;
    let mut fresh: BTreeSet<_> = listed
        .iter()
        .filter_map(|one| one["path"].as_str())
        .collect();
    assert_eq!(fresh.len(), 10);
    let (mut program, lines) = watch_conflicts(&home, &repository)?;
    while !fresh.is_empty() {
        if let Some(path) = verdict(&lines.recv_timeout(wait)?)? {
            assert!(
                fresh.remove(path.as_str()),
                "{path} is told twice, or is new"
            );
        }
    }
    // And it goes on.
    edit("shop", 15)?;
    edit("one", 15)?;
    assert_eq!(verdict(&lines.recv_timeout(wait)?)?.as_deref(), Some("f15"));
    program.kill()?;
    program.wait()?;
    Ok(())
}

#[test]
fn the_hook_tells_an_agent_of_the_lines_that_others_change() -> Result<()> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let home = Home::new()?;
    let shop = home.path().join("shop");
    std::fs::create_dir(&shop)?;
    let lines = |ninth: &str| {
        (1..=20)
            .map(|line| match line {
                9 => format!("{ninth}\n"),
                line => format!("line {line}\n"),
            })
            .collect::<String>()
    };
    std::fs::write(shop.join("f"), lines("line 9"))?;
    git(&shop, &["init", "-q"])?;
    git(&shop, &["add", "-A"])?;
    git(&shop, &["commit", "-q", "-m", "x"])?;
    git(&shop, &["worktree", "add", "-q", "-b", "one", "../one"])?;
    std::fs::write(home.path().join("one/f"), lines("ninth"))?;

    let told = |name: &str, tool: Value| -> Result<Option<String>> {
        let mut hook = Command::new(Home::program())
            .args(["conflicts", "hook"])
            .current_dir(home.path())
            .envs(home.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let event = serde_json::json!({
            "hook_event_name": "PreToolUse",
            "cwd": home.path(),
            "tool_name": name,
            "tool_input": tool,
        });
        let mut input = hook.stdin.take().context("its standard input")?;
        input.write_all(event.to_string().as_bytes())?;
        drop(input);
        let output = hook.wait_with_output()?;
        // Every edit may pass.
        anyhow::ensure!(output.status.success(), "{output:?}");
        if output.stdout.is_empty() {
            return Ok(None);
        }
        let answer: Value = serde_json::from_slice(&output.stdout)?;
        let text = &answer["hookSpecificOutput"]["additionalContext"];
        Ok(Some(text.as_str().context("a text")?.to_owned()))
    };
    let edit = |old: &str| {
        let tool = serde_json::json!({
            "file_path": shop.join("f"), "old_string": old, "new_string": "new",
        });
        told("Edit", tool)
    };
    let near = edit("line 7\nline 8")?.context("it is told")?;
    assert!(
        near.contains("The worktree `one` (branch `one`) changes it, line 9"),
        "{near}"
    );
    assert!(near.contains("+ninth"), "{near}");
    assert_eq!(edit("line 19")?, None);
    let whole = told(
        "Write",
        serde_json::json!({ "file_path": shop.join("f"), "content": "x" }),
    )?;
    assert!(whole.is_some_and(|text| text.contains("`one`")));
    let elsewhere =
        serde_json::json!({ "file_path": home.path().join("nowhere/new"), "content": "x" });
    assert_eq!(told("Write", elsewhere)?, None);
    assert_eq!(told("Bash", serde_json::json!({ "command": "ls" }))?, None);
    Ok(())
}

/// `switchyard mcp`, as an agent starts it.
struct Served {
    process: Child,
    say: ChildStdin,
    hear: Lines<BufReader<ChildStdout>>,
}

impl Served {
    async fn start(home: &Home, arguments: &[&str]) -> Result<Self> {
        let mut process = Command::new(Home::program())
            .arg("mcp")
            .args(arguments)
            .current_dir(home.path())
            .envs(home.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let say = process.stdin.take().context("it hears")?;
        let hear = process.stdout.take().context("it says")?;
        let hear = BufReader::new(hear).lines();
        let mut served = Self { process, say, hear };
        let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } });
        served.asks("initialize", hello).await?;
        let begun = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        served.says(&begun.to_string()).await?;
        Ok(served)
    }

    async fn says(&mut self, line: &str) -> Result<()> {
        Ok(self.say.write_all(format!("{line}\n").as_bytes()).await?)
    }

    async fn asks(&mut self, method: &str, params: Value) -> Result<Value> {
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.says(&question.to_string()).await?;
        let answer = timeout(Duration::from_secs(30), self.hear.next_line()).await??;
        Ok(serde_json::from_str(&answer.context("it goes on")?)?)
    }

    /// What a tool says, and whether it refused.
    async fn calls(&mut self, tool: &str, arguments: Value) -> Result<(String, bool)> {
        let call = json!({ "name": tool, "arguments": arguments });
        let answer = self.asks("tools/call", call).await?;
        let said = answer["result"]["content"][0]["text"].as_str();
        let refused = answer["result"]["isError"].as_bool();
        Ok((
            said.context("a text")?.to_owned(),
            refused.unwrap_or_default(),
        ))
    }
}

#[tokio::test]
async fn an_agent_is_served_until_it_hangs_up_and_a_run_that_it_began_goes_on() -> Result<()> {
    let home = Home::new()?;
    let flow = "name: waits\nsteps:\n  - { id: wait, run: 'until [ -e go ]; do sleep 0.02; done; echo gone' }\n";
    std::fs::write(home.path().join("waits.yaml"), flow)?;
    let mut agent = Served::start(&home, &["--allow", "write"]).await?;
    // What is no message is passed over.
    agent.says("no message").await?;
    let gone = json!({ "do": "run", "file": "gone.yaml" });
    let (said, refused) = agent.calls("flow", gone).await?;
    assert!(refused && said.contains("gone.yaml"), "{said}");
    let run = json!({ "do": "run", "file": "waits.yaml" });
    let (said, refused) = agent.calls("flow", run).await?;
    assert!(!refused && said.starts_with("The run "), "{said}");
    let Served {
        mut process,
        say,
        hear: _,
    } = agent;
    drop(say);
    let ended = timeout(Duration::from_secs(30), process.wait()).await??;
    assert!(ended.success(), "{ended}");
    std::fs::write(home.path().join("go"), "")?;
    wait_for("the end of the run", || async {
        let listed = home
            .ok(&["flow", "list", "--json"])
            .map_err(|error| error.to_string())?;
        if listed.contains("\"succeeded\"") {
            Ok(())
        } else {
            Err(listed)
        }
    })
    .await
}
