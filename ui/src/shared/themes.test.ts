import { expect, test } from "vitest";
import { defaultSettings } from "../twin/memory-backend";
import { tokensOf, wearTheme } from "./theme-tokens";
import {
  builtInThemes,
  missingThemes,
  themeInForce,
  themesOf,
  usualThemes,
} from "./themes";

const own = { ...usualThemes.dark, name: "Paper" };

test("the theme follows the setting, or the system where that decides", () => {
  const settings = { ...defaultSettings, light_theme: "Paper" };
  expect(themeInForce(settings, true)).toBe(usualThemes.dark);
  expect(themeInForce(settings, false).name).toBe("Paper");
  expect(themeInForce({ ...settings, theme: "light" }, true).name).toBe(
    "Paper",
  );
  expect(themeInForce(null, false)).toBe(usualThemes.light);
});

test("a theme of one's own hides ours of the same name", () => {
  const settings = { ...defaultSettings, dark_theme: "Paper", themes: [own] };
  expect(themeInForce(settings, true)).toBe(own);
  expect(themesOf(settings)).toHaveLength(builtInThemes.length);
});

test("a theme that there is not is told, and the usual one is shown", () => {
  const settings = { ...defaultSettings, dark_theme: "Papre" };
  expect(missingThemes(settings)).toEqual(["Papre"]);
  expect(themeInForce(settings, true)).toBe(usualThemes.dark);
});

test("the window takes off what it wore before", () => {
  const root = document.createElement("div");
  const paper = builtInThemes.find(({ name }) => name === "Paper");
  if (!paper) throw new Error("there is no Paper");
  wearTheme(paper, root);
  expect(root.dataset.theme).toBe("light");
  expect(root.style.getPropertyValue("--pane")).toBe(paper.background);
  wearTheme(usualThemes.dark, root);
  expect(tokensOf(usualThemes.dark)).toEqual({});
  expect([root.dataset.theme, root.style.length]).toEqual(["dark", 0]);
});
