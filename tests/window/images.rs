//! Images that programs print: drawn where their cells are, whatever becomes of these.

use anyhow::Result;
use fantoccini::key::Key;
use serde_json::{Value, json};
use support::{Home, Window};

use crate::{at_a_prompt, enter_line, gives, scenario, shift};

/// The colours of the middles of some cells as they are drawn by images, each as red, green, blue and how opaque.
async fn colours(
    window: &Window,
    pane: u64,
    what: &str,
    cells: &[(u32, u32)],
    wanted: &[[u8; 4]],
) -> Result<()> {
    let script = format!(
        "const root = document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root').shadowRoot;
         const canvas = root.querySelector('.terminal-images');
         if (!canvas?.isConnected) return null;
         const rows = root.querySelectorAll('.xterm-rows > div').length;
         const context = canvas.getContext('2d');
         const down = canvas.height / rows;
         return {}.map(([row, x]) => Array.from(context.getImageData(x, Math.floor((row + 0.5) * down), 1, 1).data));",
        json!(cells)
    );
    let wanted = json!(wanted);
    gives(window, what, &script, |value: &Value| *value == wanted).await?;
    Ok(())
}

const NOTHING: [u8; 4] = [0; 4];
const RED: [u8; 4] = [255, 0, 0, 255];
const GREEN: [u8; 4] = [0, 255, 0, 255];

#[tokio::test]
async fn an_image_is_drawn_over_its_cells_and_goes_where_they_go() -> Result<()> {
    let home = Home::new()?;
    let (window, pane) = at_a_prompt(&home).await?;
    scenario("images", window, async |window| {
        window.click("[aria-label=\"Close Welcome\"]").await?;
        // Red, as sixels; green, as kitty has it.
        enter_line(
            window,
            pane,
            r"clear; printf '\ePq#1;2;100;0;0#1!60~-!60~-!60~-!60~-!60~-!60~-!60~-!60~\e\\\n'",
        )
        .await?;
        colours(window, pane, "sixels", &[(0, 20), (0, 70)], &[RED, NOTHING]).await?;
        enter_line(
            window,
            pane,
            r"clear; printf '\n\e_Ga=T,q=2,f=24,s=1,v=1,c=10,r=3;AP8A\e\\\n'",
        )
        .await?;
        let green = [(0, 20), (1, 20), (3, 20), (4, 20)];
        let shown = [NOTHING, GREEN, GREEN, NOTHING];
        colours(window, pane, "a green image", &green, &shown).await?;
        window.picture("image").await?;
        enter_line(window, pane, "seq 1 200").await?;
        colours(window, pane, "no image", &green, &[NOTHING; 4]).await?;
        // The shell's first rows, with the image among them, are above.
        for _ in 0..20 {
            window.chord(&[shift()], Key::PageUp.into()).await?;
        }
        colours(window, pane, "the image above", &green, &shown).await?;
        Ok(())
    })
    .await
}
