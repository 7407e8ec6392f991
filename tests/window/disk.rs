//! A window whose disk is full.

use anyhow::Result;
use support::{Home, Out, SmallDisk, Window, wait_for};

use crate::{at_a_prompt, ctrl, enter_line, other_than, says, scenario, shift};

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

#[tokio::test]
async fn a_tab_that_was_opened_on_a_full_disk_is_there_after_a_restart() -> Result<()> {
    let Some(disk) = SmallDisk::mount()? else {
        eprintln!("skipped: this user may not mount a file system");
        return Ok(());
    };
    let home = disk.home()?;
    let (window, pane) = at_a_prompt(&home).await?;
    window.session_holds(&format!("\"pane\":{pane}")).await?;
    disk.fill(Out::Bytes)?;
    window.chord(&[ctrl(), shift()], 't').await?;
    let opened = other_than(&window, pane).await?;
    enter_line(&window, opened, "echo meanwhile-$((40 + 2))").await?;
    window
        .see(opened, "what was printed", |screen| {
            screen.contains("\nmeanwhile-42")
        })
        .await?;
    disk.empty()?;
    // Once there is room again it is written down, whatever the person does meanwhile.
    window.session_holds(&format!("\"pane\":{opened}")).await?;
    for pid in home.windows() {
        Home::kill(pid);
    }
    drop(window);
    home.ok(&["host", "--stop"])?;

    let window = Window::open(&home).await?;
    scenario("full-disk-tabs", window, async |window| {
        window.find("[data-testid=\"tab-welcome\"]").await?;
        wait_for("both tabs", || async {
            match window.count(".dv-tab [data-testid^=\"tab-\"]").await {
                Ok(3) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await
    })
    .await
}
