//! A full disk: no byte of it is free, or no file can be made. Terminals need neither.

use anyhow::{Context, Result};
use serde_json::Value;
use support::{Home, Out, SmallDisk, wait_for};

fn open(home: &Home, name: &str, script: &str) -> Result<String> {
    let args = [
        "open", "--json", "--name", name, "--", "/bin/sh", "-c", script,
    ];
    let pane: Value = serde_json::from_str(&home.ok(&args)?)?;
    Ok(pane["id"]
        .as_u64()
        .context("the pane has a number")?
        .to_string())
}

async fn see(home: &Home, pane: &str, text: &str) -> Result<()> {
    wait_for(&format!("`{text}` in pane {pane}"), || async {
        let seen = home
            .ok(&["read", pane, "--lines", "1000"])
            .map_err(|error| error.to_string())?;
        if seen.contains(text) {
            Ok(())
        } else {
            Err(seen)
        }
    })
    .await
}

async fn terminals_work_when_a_disk_is_out_of(out: Out) -> Result<()> {
    let Some(disk) = SmallDisk::mount()? else {
        eprintln!("skipped: this user may not mount a file system");
        return Ok(());
    };
    let home = disk.home()?;
    let before = open(&home, "before", "seq 1 500; echo a needle; exec cat")?;
    see(&home, &before, "a needle").await?;
    let closed = open(&home, "closed", "echo an old needle; exec cat")?;
    see(&home, &closed, "an old needle").await?;
    home.ok(&["kill", "closed"])?;

    disk.fill(out)?;
    let panes = home.ok(&["panes"])?;
    assert!(panes.contains("before"), "{panes}");
    home.ok(&["send", "before", "typed on a full disk", "--enter"])?;
    see(&home, "before", "typed on a full disk").await?;
    let found = home.ok(&["search", "--all", "needle"])?;
    assert!(
        found.contains("a needle") && found.contains("an old needle"),
        "{found}"
    );
    let more = open(&home, "more", "echo opened meanwhile; exec cat")?;
    see(&home, &more, "opened meanwhile").await?;
    home.ok(&["kill", "more"])?;
    // A host that starts now does as well.
    home.ok(&["host", "--stop"])?;
    disk.fill(out)?;
    let after = open(&home, "after", "echo opened on a full disk; exec cat")?;
    see(&home, &after, "opened on a full disk").await?;
    assert_ne!(after, before);
    home.ok(&["kill", "after"])?;
    home.ok(&["history", "purge"])?;
    let listed = home.ok(&["panes", "--closed", "--json"])?;
    assert_eq!(
        serde_json::from_str::<Value>(&listed)?,
        Value::Array(Vec::new())
    );

    // And when there is room again, all is kept again.
    disk.empty()?;
    let last = open(&home, "last", "echo kept again; exec cat")?;
    see(&home, &last, "kept again").await?;
    home.ok(&["kill", "last"])?;
    let found = home.ok(&["search", "--all", "kept again"])?;
    assert!(found.contains("kept again"), "{found}");
    Ok(())
}

#[tokio::test]
async fn terminals_work_when_no_byte_is_free() -> Result<()> {
    terminals_work_when_a_disk_is_out_of(Out::Bytes).await
}

#[tokio::test]
async fn terminals_work_when_no_file_can_be_made() -> Result<()> {
    terminals_work_when_a_disk_is_out_of(Out::Files).await
}
