//! The real window, driven through WebDriver as WebKitGTK's own driver offers it.

use std::process::Stdio;

use anyhow::{Context, Result};
use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MOUSE_BUTTON_RIGHT, MouseActions,
    PointerAction,
};
use fantoccini::elements::Element;
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{Home, wait_for};

/// One open window of the program, and the driver that holds it.
pub struct Window {
    /// The WebDriver client, for what has no method of its own here.
    pub client: Client,
    _driver: Child,
}

impl Window {
    /// Opens the window of `home` and waits until its page is there.
    ///
    /// # Errors
    ///
    /// When the driver or the window does not start.
    pub async fn open(home: &Home) -> Result<Self> {
        let port = free_port()?;
        let mut driver = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .envs(home.environment())
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .current_dir(home.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("`WebKitWebDriver` comes with Debian's webkit2gtk-driver: `make setup`")?;
        if let Some(errors) = driver.stderr.take() {
            // Read on, so that the driver and the window never wait for us; shown when a test fails.
            tokio::spawn(async move {
                let mut lines = BufReader::new(errors).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    eprintln!("window: {line}");
                }
            });
        }
        wait_for("the driver to listen", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .map(drop)
                .map_err(|error| error.to_string())
        })
        .await?;
        let capabilities = json!({
            "browserName": "wry",
            "webkitgtk:browserOptions": { "binary": Home::program(), "args": [] },
        });
        let client = ClientBuilder::new(hyper_connector())
            .capabilities(capabilities.as_object().cloned().unwrap_or_default())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await?;
        Ok(Self {
            client,
            _driver: driver,
        })
    }

    /// Waits until so many windows are open, and returns how the driver calls them, in the order in which they came.
    ///
    /// # Errors
    ///
    /// When there are not so many in time.
    pub async fn windows(&self, count: usize) -> Result<Vec<WindowHandle>> {
        wait_for(&format!("{count} windows"), || async {
            match self.client.windows().await {
                Ok(open) if open.len() == count => Ok(open),
                other => Err(format!("{other:?}")),
            }
        })
        .await
    }

    /// Does what follows in another of the windows that are open.
    ///
    /// # Errors
    ///
    /// When the driver refuses.
    pub async fn turn_to(&self, window: &WindowHandle) -> Result<()> {
        Ok(self.client.switch_to_window(window.clone()).await?)
    }

    /// Closes the window as a person would.
    ///
    /// # Errors
    ///
    /// When the driver refuses.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.close().await?)
    }

    /// Waits for the first element that `css` selects.
    ///
    /// # Errors
    ///
    /// When there is none in time.
    pub async fn find(&self, css: &str) -> Result<Element> {
        wait_for(css, || async {
            self.client
                .find(Locator::Css(css))
                .await
                .map_err(|error| error.to_string())
        })
        .await
    }

    /// Waits until no element is selected by `css`.
    ///
    /// # Errors
    ///
    /// When one is still there at the deadline.
    pub async fn gone(&self, css: &str) -> Result<()> {
        wait_for(&format!("no {css}"), || async {
            match self.client.find_all(Locator::Css(css)).await {
                Ok(found) if found.is_empty() => Ok(()),
                Ok(found) => Err(format!("{} of them", found.len())),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    /// Clicks the first element that `css` selects.
    ///
    /// # Errors
    ///
    /// When there is none in time, or it can't be clicked.
    pub async fn click(&self, css: &str) -> Result<()> {
        Ok(self.find(css).await?.click().await?)
    }

    /// Presses the right button on the first element that `css` selects.
    ///
    /// # Errors
    ///
    /// When there is none in time, or the driver refuses.
    pub async fn right_click(&self, css: &str) -> Result<()> {
        let (left, top, width, height) = self.find(css).await?.rectangle().await?;
        self.right_click_at(left + width / 2.0, top + height / 2.0)
            .await
    }

    /// Clicks at a place of the page.
    ///
    /// # Errors
    ///
    /// When the driver refuses.
    pub async fn click_at(&self, x: f64, y: f64) -> Result<()> {
        self.press_at(MOUSE_BUTTON_LEFT, x, y).await
    }

    /// Clicks with the right button at a place of the page.
    ///
    /// # Errors
    ///
    /// When the driver refuses.
    pub async fn right_click_at(&self, x: f64, y: f64) -> Result<()> {
        self.press_at(MOUSE_BUTTON_RIGHT, x, y).await
    }

    async fn press_at(&self, button: u64, x: f64, y: f64) -> Result<()> {
        let mouse = mouse_at(x, y)
            .then(PointerAction::Down { button })
            .then(PointerAction::Up { button });
        self.perform(mouse).await
    }

    /// Chooses in the menu that is open.
    ///
    /// # Errors
    ///
    /// When it offers nothing of that name in time.
    pub async fn choose(&self, title: &str) -> Result<()> {
        let item = format!("//*[@role='menuitem'][contains(., \"{title}\")]");
        let item = Locator::XPath(&item);
        let found = self
            .client
            .wait()
            .at_most(crate::DEADLINE)
            .for_element(item);
        Ok(found.await?.click().await?)
    }

    /// Picks the option with this value of a list.
    ///
    /// # Errors
    ///
    /// When the list or the option does not come.
    pub async fn pick(&self, list: &str, value: &str) -> Result<()> {
        self.find(&format!("{list} option[value=\"{value}\"]"))
            .await?;
        let found = self.find(list).await?;
        Ok(found.select_by_value(value).await?)
    }

    /// Presses the first button whose words begin with these.
    ///
    /// # Errors
    ///
    /// When there is none in time.
    pub async fn press(&self, words: &str) -> Result<()> {
        let button = format!("//button[starts-with(normalize-space(.), \"{words}\")]");
        let button = Locator::XPath(&button);
        let found = self
            .client
            .wait()
            .at_most(crate::DEADLINE)
            .for_element(button);
        Ok(found.await?.click().await?)
    }

    /// Moves the mouse to a place of the page.
    ///
    /// # Errors
    ///
    /// When the driver refuses.
    pub async fn point_at(&self, x: f64, y: f64) -> Result<()> {
        self.perform(mouse_at(x, y)).await
    }

    /// Clicks where the mouse is while `modifier` is held.
    ///
    /// # Errors
    ///
    /// When the driver refuses.
    pub async fn click_with(&self, modifier: char, x: f64, y: f64) -> Result<()> {
        let keys = |action| KeyActions::new("keyboard".to_owned()).then(action);
        self.perform(keys(KeyAction::Down { value: modifier }))
            .await?;
        let button = MOUSE_BUTTON_LEFT;
        let mouse = mouse_at(x, y)
            .then(PointerAction::Down { button })
            .then(PointerAction::Up { button });
        let clicked = self.perform(mouse).await;
        self.perform(keys(KeyAction::Up { value: modifier }))
            .await?;
        clicked
    }

    /// Clicks twice at a place of the page, as one does on a word.
    ///
    /// # Errors
    ///
    /// When the driver refuses.
    pub async fn double_click_at(&self, x: f64, y: f64) -> Result<()> {
        let button = MOUSE_BUTTON_LEFT;
        let mut mouse = mouse_at(x, y);
        for _ in 0..2 {
            mouse = mouse
                .then(PointerAction::Down { button })
                .then(PointerAction::Up { button });
        }
        self.perform(mouse).await
    }

    /// How many elements `css` selects now.
    ///
    /// # Errors
    ///
    /// When the window does not answer.
    pub async fn count(&self, css: &str) -> Result<usize> {
        Ok(self.client.find_all(Locator::Css(css)).await?.len())
    }

    /// Runs a script in the page and returns what it returns.
    ///
    /// # Errors
    ///
    /// When the script throws.
    pub async fn script(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Types into whatever has the focus, as keys.
    ///
    /// # Errors
    ///
    /// When the driver refuses.
    pub async fn type_keys(&self, text: &str) -> Result<()> {
        let mut keys = KeyActions::new("keyboard".to_owned());
        for key in text.chars() {
            keys = keys
                .then(KeyAction::Down { value: key })
                .then(KeyAction::Up { value: key });
        }
        self.perform(keys).await
    }

    /// Presses `key` while the modifiers are held; `chord(&[CTRL, SHIFT], 'p')`.
    ///
    /// # Errors
    ///
    /// When the driver refuses.
    pub async fn chord(&self, modifiers: &[char], key: char) -> Result<()> {
        let mut keys = KeyActions::new("keyboard".to_owned());
        for modifier in modifiers {
            keys = keys.then(KeyAction::Down { value: *modifier });
        }
        keys = keys
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        for modifier in modifiers.iter().rev() {
            keys = keys.then(KeyAction::Up { value: *modifier });
        }
        self.perform(keys).await
    }

    /// Drags from the middle of `from` to a place inside `to`, given as fractions of its width and height: with the
    /// display's own mouse, so that everything between the hand and the page takes part.
    ///
    /// # Errors
    ///
    /// When an element is missing, or `xdotool` is.
    pub async fn drag(&self, from: &str, to: &str, x: f64, y: f64) -> Result<()> {
        let corner = self
            .script("return [window.screenX, window.screenY + window.outerHeight - window.innerHeight];")
            .await?;
        let corner = |index: usize| corner[index].as_f64().unwrap_or(0.0);
        let (left, top, width, height) = self.find(from).await?.rectangle().await?;
        let start = (left + width / 2.0, top + height / 2.0);
        let (left, top, width, height) = self.find(to).await?.rectangle().await?;
        let end = (left + width * x, top + height * y);
        let mut mouse = Command::new("xdotool");
        for step in 0..=10 {
            let at = |from: f64, to: f64| from + (to - from) * f64::from(step) / 10.0;
            let place = [
                corner(0) + at(start.0, end.0),
                corner(1) + at(start.1, end.1),
            ];
            mouse
                .arg("mousemove")
                .args(place.map(|pixels| pixels.round().to_string()))
                .args(["sleep", "0.03"]);
            if step == 0 {
                mouse.args(["mousedown", "1"]);
            }
        }
        mouse.args(["sleep", "0.1", "mouseup", "1"]);
        let done = mouse
            .output()
            .await
            .context("`xdotool` is missing: `make setup`")?;
        anyhow::ensure!(
            done.status.success(),
            "xdotool: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        Ok(())
    }

    /// Acts, and says so when the driver never answers: it waits for a focus that may be gone.
    async fn perform(&self, actions: impl Into<fantoccini::actions::Actions>) -> Result<()> {
        let acting = self.client.perform_actions(actions);
        Ok(tokio::time::timeout(crate::DEADLINE, acting)
            .await
            .context("the driver did not answer to keys or the mouse")??)
    }

    /// The pane that a new window opens by itself.
    ///
    /// # Errors
    ///
    /// When it opens none in time.
    pub async fn first_pane(&self) -> Result<u64> {
        let element = self.find("[data-testid^=\"pane-\"]").await?;
        let id = element.attr("data-testid").await?.unwrap_or_default();
        id.trim_start_matches("pane-")
            .parse()
            .with_context(|| format!("`{id}` names a pane"))
    }

    /// The text on the screen of a pane, as the DOM renderer drew it.
    ///
    /// # Errors
    ///
    /// When the window does not answer.
    pub async fn screen(&self, pane: u64) -> Result<String> {
        let script = format!(
            "const root = document.querySelector('[data-testid=\"pane-{pane}\"] .terminal-root');
             const rows = root?.shadowRoot.querySelectorAll('.xterm-rows > div') ?? [];
             return Array.from(rows, (row) => row.textContent.trimEnd()).join('\\n');"
        );
        let text = self.script(&script).await?;
        // Blanks are drawn as no-break spaces.
        Ok(text.as_str().unwrap_or_default().replace('\u{a0}', " "))
    }

    /// Waits until the screen of a pane satisfies `wanted`, and returns it.
    ///
    /// # Errors
    ///
    /// When it does not in time; the message shows the screen.
    pub async fn see(
        &self,
        pane: u64,
        what: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<String> {
        wait_for(what, || async {
            let screen = self.screen(pane).await.map_err(|error| error.to_string())?;
            if wanted(&screen) {
                Ok(screen)
            } else {
                Err(format!("\n{screen}"))
            }
        })
        .await
    }

    /// Waits until the session that the next window restores holds `wanted`: the page saves it a moment after a change.
    ///
    /// # Errors
    ///
    /// When it is not saved in time.
    pub async fn session_holds(&self, wanted: &str) -> Result<()> {
        let script = "const done = arguments[arguments.length - 1];
             window.__TAURI_INTERNALS__.invoke('load_session').then((saved) => done(saved ?? ''), (error) => done(String(error)));";
        wait_for(&format!("`{wanted}` in the saved session"), || async {
            let saved = self.client.execute_async(script, Vec::new()).await;
            let saved = saved.map_err(|error| error.to_string())?;
            let saved = saved.as_str().unwrap_or_default().to_owned();
            if saved.contains(wanted) {
                Ok(())
            } else {
                Err(saved)
            }
        })
        .await
    }

    /// Takes a picture of the window into `artifacts/NAME.png`.
    ///
    /// # Errors
    ///
    /// When the picture can't be taken or written.
    pub async fn picture(&self, name: &str) -> Result<()> {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../artifacts");
        std::fs::create_dir_all(&directory)?;
        // The driver waits for the next frame that is drawn, and a page at rest draws none: a pixel in the corner changes for a while.
        self.client
            .execute(
                "const dot = document.createElement('div');
                 dot.style.cssText = 'position: fixed; right: 0; bottom: 0; width: 1px; height: 1px;';
                 document.body.append(dot);
                 let left = 40;
                 const timer = setInterval(() => {
                     dot.style.background = left % 2 ? '#0001' : '#0002';
                     if (--left > 0) return;
                     clearInterval(timer);
                     dot.remove();
                 }, 50);",
                Vec::new(),
            )
            .await?;
        let png = self.client.screenshot().await?;
        Ok(std::fs::write(directory.join(format!("{name}.png")), png)?)
    }
}

fn mouse_at(x: f64, y: f64) -> MouseActions {
    MouseActions::new("mouse".to_owned()).then(PointerAction::MoveTo {
        duration: None,
        x,
        y,
    })
}

fn hyper_connector() -> hyper_util::client::legacy::connect::HttpConnector {
    hyper_util::client::legacy::connect::HttpConnector::new()
}

fn free_port() -> Result<u16> {
    // The port is free now, and nobody else here asks for it by number.
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}
