import { act, render, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { useClosed } from "../shared/dock/closed";
import { useDock } from "../shared/dock/dock";
import { freshBackend } from "../test-support";
import { App } from "./App";

/** How long an event may take on a machine that is busy with other things. */
const WAIT = { timeout: 10_000 };

beforeEach(() => {
  useDock.setState({ settled: false });
  useClosed.setState({ closed: [] });
});

test("the first start shows around, and can be left at any step", async () => {
  freshBackend({ settings: { tour: true } });
  render(<App />);
  const tour = await screen.findByTestId("tour", {}, WAIT);
  expect(tour).toHaveTextContent("1 of 4");
  act(() => screen.getByTestId("tour-next").click());
  expect(screen.getByTestId("tour")).toHaveTextContent("2 of 4");
  act(() => screen.getByTestId("tour-skip").click());
  expect(screen.queryByTestId("tour")).toBeNull();
});

test("who had tabs before is not shown around", async () => {
  freshBackend({ settings: { tour: true }, session: "{}" });
  render(<App />);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  expect(screen.queryByTestId("tour")).toBeNull();
});
