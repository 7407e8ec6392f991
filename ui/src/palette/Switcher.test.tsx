import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { useVisited } from "../shared/destinations";
import { freshBackend } from "../test-support";
import { openSwitcher, Switcher } from "./Switcher";

const gone = vi.fn();

const many = Array.from({ length: 300 }, (_, at) => ({
  key: `pane-${at}`,
  kind: "Pane",
  title: `bash ${at}`,
  detail: "~/code",
  open: () => gone(at),
}));

beforeEach(() => {
  freshBackend();
  gone.mockClear();
  useVisited.setState({ visited: [] });
});

test("of hundreds only some are drawn, and all are found", async () => {
  render(<Switcher useDestinations={() => many} />);
  act(openSwitcher);
  const box = await screen.findByTestId("switcher-input");
  expect(screen.getAllByRole("option")).toHaveLength(50);
  expect(screen.getByTestId("switcher-more")).toHaveTextContent("250 more");
  await userEvent.type(box, "code 299");
  expect(screen.getAllByRole("option")).toHaveLength(1);
  await userEvent.keyboard("{Enter}");
  await vi.waitFor(() => expect(gone).toHaveBeenCalledWith(299));
  expect(screen.queryByTestId("switcher")).toBeNull();
});
