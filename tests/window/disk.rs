//! A window whose disk is full.

use anyhow::Result;
use support::{Out, SmallDisk};

use crate::{at_a_prompt, enter_line, says, scenario};

async fn a_window_opens_when_the_disk_is_out_of(out: Out) -> Result<()> {
    let Some(disk) = SmallDisk::mount()? else {
        eprintln!("skipped: this user may not mount a file system");
        return Ok(());
    };
    let home = disk.home()?;
    // It was used before, and nothing of it runs.
    home.ok(&["panes"])?;
    home.ok(&["host", "--stop"])?;
    disk.fill(out)?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario(&format!("full-disk-{out:?}"), window, async |window| {
        enter_line(window, pane, "echo $((40 + 2))").await?;
        window
            .see(pane, "what was printed", |screen| screen.contains("\n42"))
            .await?;
        says(window, ".notices", "database can't be used").await?;
        window.picture(&format!("full-disk-{out:?}")).await?;
        disk.empty()
    })
    .await
}

#[tokio::test]
async fn a_window_opens_when_no_byte_is_free_and_says_so() -> Result<()> {
    a_window_opens_when_the_disk_is_out_of(Out::Bytes).await
}

#[tokio::test]
async fn a_window_opens_when_no_file_can_be_made_and_says_so() -> Result<()> {
    a_window_opens_when_the_disk_is_out_of(Out::Files).await
}
