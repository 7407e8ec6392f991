import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { useWindowState } from "../shared/window-state";
import { freshBackend } from "../test-support";
import { askForFolder, FolderDialog } from "./FolderDialog";

const WAIT = { timeout: 10_000 };
const opened: string[] = [];

beforeEach(() => {
  opened.length = 0;
  freshBackend({
    folders: ["/home/you", "/home/you/api", "/home/you/app", "/home/you/web"],
  });
});

function dialog() {
  render(
    <FolderDialog
      home="/home/you"
      onFolder={async (path) => {
        if (path.endsWith("gone")) return `there is no ${path}`;
        opened.push(path);
        return null;
      }}
    />,
  );
  act(askForFolder);
  return screen.getByTestId("folder-path");
}

const rows = () =>
  screen.queryAllByTestId("folder-row").map(({ textContent }) => textContent);

test("a path is completed, gone into by Tab and opened by Enter", async () => {
  const field = dialog();
  await userEvent.type(field, "~/ap");
  await waitFor(() => expect(rows()).toEqual(["~/api", "~/app"]), WAIT);
  await userEvent.keyboard("{ArrowDown}{ArrowDown}");
  expect(field).toHaveAttribute(
    "aria-activedescendant",
    screen.getAllByTestId("folder-row")[1]?.id,
  );
  await userEvent.keyboard("{Tab}");
  expect(field).toHaveValue("~/app/");
  expect(field).toHaveFocus();
  await userEvent.keyboard("{Enter}");
  expect(opened).toEqual(["/home/you/app/"]);
  expect(screen.queryByTestId("folder-dialog")).toBeNull();
});

test("a mistake is said at the field, and goes when the path is changed", async () => {
  const field = dialog();
  await userEvent.type(field, "/home/you/gone{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent(
    "there is no /home/you/gone",
  );
  expect(field).toHaveAttribute("aria-invalid", "true");
  expect(opened).toEqual([]);
  await userEvent.keyboard("{Backspace}");
  expect(screen.getByRole("alert")).toBeEmptyDOMElement();
});

test("folders that were opened before are a key or a click away", async () => {
  useWindowState.setState({ folders: ["/srv/site", "/home/you/api"] });
  dialog();
  expect(rows()).toEqual(["/srv/site", "~/api"]);
  await userEvent.keyboard("{ArrowDown}{ArrowDown}{Enter}");
  expect(opened).toEqual(["/home/you/api"]);
  act(askForFolder);
  await userEvent.click(screen.getByText("/srv/site"));
  expect(opened).toEqual(["/home/you/api", "/srv/site"]);
});
