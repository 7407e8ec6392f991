//! Other machines, from outside: the command line here, a real sshd as the other machine, and a relay between them.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use support::{Home, Sshd, Unusual, wait_for};

/// What a pane on the machine has printed by now.
fn read(near: &Home, pane: &str) -> Result<String, String> {
    near.ok(&["read", pane]).map_err(|error| error.to_string())
}

/// Waits until a pane on the machine has printed `text`.
async fn printed(near: &Home, pane: &str, text: &str) -> Result<String> {
    wait_for(&format!("`{text}` in {pane}"), async || {
        let all = read(near, pane)?;
        if all.contains(text) {
            Ok(all)
        } else {
            Err(all)
        }
    })
    .await
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).with_context(|| text.to_owned())
}

/// What a command says that can't be done.
fn refused(near: &Home, args: &[&str]) -> Result<String> {
    let output = near.run(args)?;
    ensure!(!output.status.success(), "it was done: {output:?}");
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn a_program_on_a_machine_outlives_the_link_and_the_next_command_finds_it() -> Result<()> {
    let build = Sshd::start()?;
    let near = build.near()?;
    let script = "echo at $HOME; while read line; do echo got $line; done";
    let pane = near.ok(&[
        "open", "--on", "build", "--name", "loop", "--", "sh", "-c", script,
    ])?;
    let pane = pane.trim();
    assert_eq!(pane, "build:1");
    printed(&near, pane, &format!("at {}", build.far().user().display())).await?;
    // Each command has a link of its own; the program has none.
    wait_for("the link of the command is gone", async || {
        match build.relay().passing() {
            0 => Ok(()),
            _ => {
                build.relay().cut();
                Err("it passes".to_owned())
            }
        }
    })
    .await?;

    let listed = json(&near.ok(&["panes", "--on", "build", "--json"])?)?;
    assert_eq!(listed[0]["name"], "loop");
    assert_eq!(near.ok(&["panes", "--json"])?.trim(), "[]");
    near.ok(&["send", "build:loop", "a needle", "--enter"])?;
    printed(&near, "build:loop", "got a needle").await?;
    let found = near.ok(&["search", "--on", "build", "got a n"])?;
    assert!(found.contains("pane build:1 (loop)\n"), "{found}");
    assert!(refused(&near, &["search", "got a n"])?.is_empty());
    assert!(refused(&near, &["read", "build:7"])?.contains("no pane `build:7`"));

    near.ok(&["kill", "build:loop"])?;
    assert_eq!(near.ok(&["panes", "--on", "build", "--json"])?.trim(), "[]");
    let closed = near.ok(&["panes", "--on", "build", "--closed"])?;
    assert!(closed.contains("build:1"), "{closed}");
    assert!(near.ok(&["read", "build:1"])?.contains("got a needle"));
    Ok(())
}

#[tokio::test]
async fn our_program_is_put_on_a_machine_once_and_is_closed_to_others() -> Result<()> {
    let unusual = Unusual {
        own_programs: true,
        ..Unusual::default()
    };
    let build = Sshd::start_unusual(&unusual)?;
    let near = build.near()?;
    near.ok(&["machines", "check", "build"])?;
    let programs = build.far().user().join(".local/share/switchyard/programs");
    let all = || -> Result<Vec<_>> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir(&programs)? {
            let program = entry?.path().join("switchyard");
            let about = std::fs::metadata(&program)?;
            let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777;
            all.push((program, about.modified()?, mode));
        }
        Ok(all)
    };
    let first = all()?;
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(first[0].2, 0o700);
    near.ok(&["machines", "check", "build"])?;
    assert_eq!(all()?, first);
    Ok(())
}

#[tokio::test]
async fn any_login_shell_will_do_and_what_it_prints_is_in_nobodys_way() -> Result<()> {
    let logins = [
        r#"echo Welcome to build; printf 'no newline'; exec bash -c "$SSH_ORIGINAL_COMMAND""#,
        r#"seq 1 20000; exec dash -c "$SSH_ORIGINAL_COMMAND""#,
        r#"exec fish -c "$SSH_ORIGINAL_COMMAND""#,
        r#"exec csh -c "$SSH_ORIGINAL_COMMAND""#,
        r#"exec zsh -c "$SSH_ORIGINAL_COMMAND""#,
    ];
    for login in logins {
        let unusual = Unusual {
            login: Some(login.to_owned()),
            ..Unusual::default()
        };
        let build = Sshd::start_unusual(&unusual)?;
        let near = build.near()?;
        near.ok(&[
            "open",
            "--on",
            "build",
            "--",
            "sh",
            "-c",
            "echo here; exec cat",
        ])
        .with_context(|| login.to_owned())?;
        printed(&near, "build:1", "here").await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_ssh_says_is_what_a_person_is_told() -> Result<()> {
    let build = Sshd::start()?;
    let near = build.near()?;
    let check = || refused_check(&near, "build");

    build.another_key("other_key")?;
    build.configure_client("other_key")?;
    let said = check()?;
    assert!(said.contains("Permission denied (publickey)"), "{said}");
    build.configure_client("client_key")?;

    build.knows_host_key("other_key")?;
    let said = check()?;
    assert!(said.contains("Host key verification failed"), "{said}");
    build.knows_host_key("host_key")?;

    near.ok(&[
        "machines",
        "add",
        "nowhere",
        "--ssh",
        "no-such-host.invalid",
    ])?;
    let said = refused_check(&near, "nowhere")?;
    assert!(said.contains("Could not resolve hostname"), "{said}");

    near.ok(&["machines", "add", "missing", "--", "/no/such/program"])?;
    let said = refused_check(&near, "missing")?;
    assert!(
        said.contains("could not start `/no/such/program`"),
        "{said}"
    );

    // One of them that can't be reached is no reason not to reach another one.
    near.ok(&["machines", "check", "build"])?;
    near.ok(&["machines", "forget", "nowhere"])?;
    let said = refused(&near, &["panes", "--on", "nowhere"])?;
    assert!(said.contains("there is no machine `nowhere`"), "{said}");
    Ok(())
}

/// What is said of a machine that can't be reached.
fn refused_check(near: &Home, machine: &str) -> Result<String> {
    let output = near.run(&["machines", "check", machine])?;
    ensure!(!output.status.success(), "it was reached: {output:?}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn a_machine_of_another_processor_is_told_what_is_missing() -> Result<()> {
    let fake = tempfile::tempdir()?;
    let uname = fake.path().join("uname");
    std::fs::write(
        &uname,
        "#!/bin/sh\ncase $1 in -m) echo riscv64 ;; *) echo Linux ;; esac\n",
    )?;
    std::fs::set_permissions(&uname, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let unusual = Unusual {
        login: Some(format!(
            "PATH={}:$PATH exec sh -c \"$SSH_ORIGINAL_COMMAND\"",
            fake.path().display()
        )),
        ..Unusual::default()
    };
    let build = Sshd::start_unusual(&unusual)?;
    let said = refused_check(&build.near()?, "build")?;
    assert!(said.contains("the machine is Linux on riscv64"), "{said}");
    assert!(said.contains("programs/switchyard-linux-riscv64"), "{said}");
    Ok(())
}

#[tokio::test]
async fn where_home_takes_no_program_another_place_does() -> Result<()> {
    let runtime = tempfile::tempdir()?;
    let unusual = Unusual {
        environment: vec![
            // Nothing can be made there, whoever tries.
            ("XDG_DATA_HOME".to_owned(), "/proc/data".to_owned()),
            (
                "XDG_RUNTIME_DIR".to_owned(),
                runtime.path().display().to_string(),
            ),
        ],
        own_programs: true,
        ..Unusual::default()
    };
    let build = Sshd::start_unusual(&unusual)?;
    build.near()?.ok(&["machines", "check", "build"])?;
    let put = std::fs::read_dir(runtime.path().join("switchyard-programs"))?.count();
    assert_eq!(put, 1);
    Ok(())
}

#[tokio::test]
async fn a_program_that_was_cut_short_is_never_taken_for_whole() -> Result<()> {
    let unusual = Unusual {
        own_programs: true,
        ..Unusual::default()
    };
    let build = Sshd::start_unusual(&unusual)?;
    let near = build.near()?;
    build.relay().cut_after(8 * 1024 * 1024);
    refused_check(&near, "build")?;
    let programs = build.far().user().join(".local/share/switchyard/programs");
    wait_for("what came is taken away", async || {
        let left: Vec<_> = std::fs::read_dir(&programs)
            .map_err(|error| error.to_string())?
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    })
    .await?;
    near.ok(&["machines", "check", "build"])?;
    assert_eq!(std::fs::read_dir(&programs)?.count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_host_that_was_killed_there_is_begun_anew_and_what_was_printed_is_still_found()
-> Result<()> {
    let build = Sshd::start()?;
    let near = build.near()?;
    let script = "echo before the crash; exec cat";
    near.ok(&["open", "--on", "build", "--", "sh", "-c", script])?;
    printed(&near, "build:1", "before the crash").await?;
    // What is kept is written a moment after it was printed.
    let closed = ["search", "--on", "build", "--all", "before the crash"];
    wait_for("the history is there", async || {
        near.ok(&closed).map_err(|error| error.to_string())
    })
    .await?;
    let hosts = build.far().hosts();
    assert_eq!(hosts.len(), 1);
    hosts.into_iter().for_each(Home::kill);
    assert_eq!(near.ok(&["panes", "--on", "build", "--json"])?.trim(), "[]");
    // What joined the link to it ends with the link, a moment after the command.
    wait_for("one host there", async || match build.far().hosts()[..] {
        [_] => Ok(()),
        ref hosts => Err(format!("{hosts:?}")),
    })
    .await
}
