//! A window whose disk is full.

use anyhow::Result;
use support::{Out, SmallDisk, wait_for};

use crate::{at_a_prompt, enter_line};

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
    enter_line(&window, pane, "echo $((40 + 2))").await?;
    window
        .see(pane, "what was printed", |screen| screen.contains("\n42"))
        .await?;
    wait_for("to be told of the disk", || async {
        let told = window
            .script("return document.querySelector('.notices')?.innerText ?? ''")
            .await
            .map_err(|error| error.to_string())?;
        let told = told.as_str().unwrap_or_default().to_owned();
        if told.contains("database can't be used") {
            Ok(())
        } else {
            Err(told)
        }
    })
    .await?;
    window.picture(&format!("full-disk-{out:?}")).await?;
    disk.empty()?;
    window.close().await
}

#[tokio::test]
async fn a_window_opens_when_no_byte_is_free_and_says_so() -> Result<()> {
    a_window_opens_when_the_disk_is_out_of(Out::Bytes).await
}

#[tokio::test]
async fn a_window_opens_when_no_file_can_be_made_and_says_so() -> Result<()> {
    a_window_opens_when_the_disk_is_out_of(Out::Files).await
}
