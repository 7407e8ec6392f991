import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listenForKeys, registerCommands } from "../shared/commands";
import { startSettings } from "../shared/settings-store";
import { freshBackend } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { setOpener } from "./open-text";
import { SettingsPanel } from "./SettingsPanel";
import { emptySheet, useSheet } from "./sheet-store";

let twin: MemoryBackend;
let stops: (() => void)[] = [];
const closed = vi.fn();

beforeEach(async () => {
  twin = freshBackend();
  useSheet.setState(emptySheet, true);
  closed.mockClear();
  const group = "Panes";
  registerCommands([
    {
      ...{ id: "pane.new", title: "New terminal", group },
      key: "Ctrl+Shift+T",
      run() {},
    },
    {
      ...{ id: "pane.close", title: "Close", group },
      key: "Ctrl+Shift+W",
      run: closed,
    },
  ]);
  stops = [await startSettings(), listenForKeys(window)];
  render(<SettingsPanel active />);
  await screen.findByTestId("setting-theme");
});
afterEach(() => {
  for (const stop of stops) stop();
});

const keyOf = (id: string) =>
  within(screen.getByTestId(`key-${id}`))
    .getAllByText((_, element) => element?.tagName === "KBD")
    .map((kbd) => kbd.textContent)
    .join();

test("each setting has the control that fits it, and takes what is chosen at once", async () => {
  await userEvent.click(screen.getByTestId("set-theme-light"));
  await userEvent.click(screen.getByTestId("set-paste_guard"));
  await userEvent.clear(screen.getByTestId("set-font_size"));
  await userEvent.type(screen.getByTestId("set-font_size"), "16{Enter}");
  await userEvent.click(screen.getByLabelText("More: Line height"));
  await userEvent.type(screen.getByTestId("set-shell"), "/bin/fish{Enter}");
  await waitFor(() => expect(twin.state.settings.shell).toBe("/bin/fish"));
  const { theme, paste_guard, font_size, line_height } = twin.state.settings;
  expect([theme, paste_guard, font_size, line_height]).toEqual([
    "light",
    false,
    16,
    1.2,
  ]);
  await userEvent.clear(screen.getByTestId("set-shell"));
  await userEvent.tab();
  await waitFor(() => expect(twin.state.settings.shell).toBeNull());
});

test("each press counts, however long a change takes to be in force", async () => {
  const { changeSetting } = twin;
  const asked: (() => void)[] = [];
  twin.changeSetting = async (...given) => {
    await new Promise<void>((go) => asked.push(go));
    return changeSetting(...given);
  };
  const more = screen.getByLabelText("More: Font size");
  for (let press = 0; press < 3; press++) await userEvent.click(more);
  expect(screen.getByTestId("set-font_size")).toHaveValue("16");
  for (let answered = 0; answered < 3; answered++) {
    await waitFor(() => expect(asked).toHaveLength(answered + 1));
    asked[answered]?.();
  }
  await waitFor(() => expect(twin.state.settings.font_size).toBe(16));
  expect(screen.getByTestId("set-font_size")).toHaveValue("16");
});

test("what is refused is said at the field, and Escape takes back what was typed", async () => {
  const size = screen.getByTestId("set-font_size");
  await userEvent.clear(size);
  await userEvent.type(size, "500{Enter}");
  const row = screen.getByTestId("setting-font_size");
  expect(await within(row).findByRole("alert")).toHaveTextContent(
    "font_size is 500, but must be a whole number from 6 to 72",
  );
  expect(size).toHaveAttribute("aria-invalid", "true");
  await userEvent.type(size, "1{Escape}");
  expect(size).toHaveValue("13");
});

test("what was changed goes back to its default, and its text is opened at its line", async () => {
  const open = vi.fn();
  setOpener(open);
  expect(screen.queryByTestId("default-theme")).toBeNull();
  await userEvent.click(screen.getByTestId("set-theme-dark"));
  await userEvent.click(await screen.findByTestId("text-theme"));
  const path = "/home/you/.config/switchyard/settings.json";
  expect(open).toHaveBeenCalledWith(path, 2);
  await userEvent.click(screen.getByTestId("changed-only"));
  expect(screen.getAllByTestId(/^setting-/)).toHaveLength(1);
  await userEvent.click(screen.getByTestId("default-theme"));
  await waitFor(() => expect(twin.state.settings.theme).toBe("system"));
  expect(await screen.findByText("Nothing of that was changed.")).toBeVisible();
});

test("what a search finds nothing of is said, and only then", async () => {
  const none = "No setting is about that.";
  act(() => twin.tellSettings({ profiles: { shop: { icon: "SH" } } }));
  const search = screen.getByTestId("settings-search");
  await userEvent.type(search, "profiles shop");
  expect(screen.getByTestId("profile-shop")).toBeVisible();
  expect(screen.queryByText(none)).toBeNull();
  await userEvent.type(search, "ping");
  expect(await screen.findByText(none)).toBeVisible();
  expect(screen.queryByTestId("profiles")).toBeNull();
});

test("a name that there is not is told, and taken out", async () => {
  twin.spoil("settings", "fontsize", "there is no setting `fontsize`");
  act(() => twin.tellSettings({}));
  const told = await screen.findByTestId("file-mistakes");
  expect(told).toHaveTextContent("Line 2: there is no setting fontsize");
  await userEvent.click(within(told).getByText("Take it out"));
  await waitFor(() => expect(screen.queryByTestId("file-mistakes")).toBeNull());
});

test("a key is given by pressing it; who had it is told and loses it", async () => {
  await userEvent.click(screen.getByTestId("page-keys"));
  await userEvent.click(screen.getByTestId("record-pane.new"));
  await userEvent.keyboard("{Control>}{Shift>}W{/Shift}{/Control}");
  expect(closed).not.toHaveBeenCalled();
  expect(screen.getByTestId("key-conflict")).toHaveTextContent("“Close”");
  await userEvent.click(screen.getByTestId("key-give"));
  await waitFor(() => expect(keyOf("pane.new")).toBe("Ctrl+Shift+W"));
  expect(twin.state.settings.keys).toEqual({
    "pane.close": null,
    "pane.new": "Ctrl+Shift+W",
  });
  expect(keyOf("pane.close")).toBe("");
  await userEvent.click(screen.getByTestId("default-pane.close"));
  await userEvent.click(await screen.findByTestId("default-pane.new"));
  await waitFor(() => expect(twin.state.settings.keys).toEqual({}));
});

test("a key that one types with is refused, and Escape leaves everything as it was", async () => {
  await userEvent.click(screen.getByTestId("page-keys"));
  await userEvent.click(screen.getByTestId("record-pane.new"));
  await userEvent.keyboard("x");
  expect(screen.getByText(/no program would get it/)).toBeVisible();
  expect(screen.queryByTestId("key-give")).toBeNull();
  await userEvent.click(screen.getByText("Another"));
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByTestId("key-recorder")).toBeNull();
  expect(twin.state.settings.keys).toEqual({});
  // Keys are the commands' again.
  await userEvent.keyboard("{Control>}{Shift>}W{/Shift}{/Control}");
  expect(closed).toHaveBeenCalledOnce();
});

test("a theme is worn by a click, for the dark or for the light as it is itself", async () => {
  await userEvent.click(screen.getByTestId("page-themes"));
  await userEvent.click(screen.getByTestId("theme-Paper"));
  await waitFor(() => expect(twin.state.settings.light_theme).toBe("Paper"));
  expect(twin.state.settings.theme).toBe("system");
  act(() => twin.tellSettings({ theme: "dark" }));
  await userEvent.click(screen.getByTestId("theme-Morning"));
  await waitFor(() => expect(twin.state.settings.theme).toBe("light"));
  expect(screen.getByTestId("theme-Morning")).toHaveTextContent("in use");
});

test("a theme's file is taken over, or what is wrong with it is said", async () => {
  await userEvent.click(screen.getByTestId("page-themes"));
  const files = screen.getByTestId("theme-files");
  await userEvent.upload(files, new File(["hello"], "bad"));
  expect(await screen.findByRole("alert")).toHaveTextContent(
    "bad: it is no theme",
  );
  await userEvent.upload(files, new File(["palette = 0=#000"], "Mine"));
  await userEvent.click(await screen.findByTestId("theme-Mine"));
  await waitFor(() => expect(twin.state.settings.dark_theme).toBe("Mine"));
  await userEvent.click(screen.getByLabelText("Remove Mine"));
  await waitFor(() => expect(screen.queryByTestId("theme-Mine")).toBeNull());
});

test("the fonts of the system are offered", async () => {
  await userEvent.click(screen.getByTestId("fonts"));
  await userEvent.click(await screen.findByTestId("font-Iosevka"));
  await waitFor(() =>
    expect(twin.state.settings.font_family).toBe('"Iosevka", monospace'),
  );
  expect(screen.getByTestId("font-Iosevka")).toHaveAttribute(
    "aria-pressed",
    "true",
  );
});
