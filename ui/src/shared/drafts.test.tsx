import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { freshBackend } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import {
  setDraft,
  startDrafts,
  useDraftFields,
  useDrafts,
  useDraftText,
} from "./drafts";
import { useNotices } from "./notices";

let stop = () => {};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  stop();
  vi.useRealTimers();
});

async function started(twin: MemoryBackend): Promise<MemoryBackend> {
  stop = await startDrafts();
  return twin;
}

const said = () => useNotices.getState().notices.map(({ text }) => text);
const fullDisk = {
  status: "error",
  error: { code: "store", message: "the disk is full", position: null },
} as const;

test("what an earlier window left is there, and what is typed is kept a moment later", async () => {
  const left = { place: "agent:1", text: "look at", basis: null };
  const twin = await started(freshBackend({ drafts: [left] }));
  expect(useDrafts.getState().drafts).toEqual({ "agent:1": left });
  const keeps = vi.spyOn(twin, "keepDraft");
  for (const text of ["n", "na", "nam"]) setDraft("flow:/a", text, "disk");
  await vi.advanceTimersByTimeAsync(200);
  const flow = { place: "flow:/a", text: "nam", basis: "disk" };
  expect(keeps).toHaveBeenCalledExactlyOnceWith(flow);
  setDraft("agent:1", null);
  await vi.advanceTimersByTimeAsync(200);
  expect(twin.state.drafts).toEqual([flow]);
});

test("what was typed just before the page goes is kept, too", async () => {
  const twin = await started(freshBackend());
  setDraft("agent:1", "look at");
  window.dispatchEvent(new Event("pagehide"));
  expect(twin.state.drafts).toHaveLength(1);
});

test("one write comes after another, so that the last one stays", async () => {
  const twin = await started(freshBackend());
  const keep = twin.keepDraft;
  let finish = () => {};
  vi.spyOn(twin, "keepDraft").mockImplementationOnce(async (draft) => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return keep(draft);
  });
  setDraft("agent:1", "first");
  await vi.advanceTimersByTimeAsync(200);
  setDraft("agent:1", "second");
  await vi.advanceTimersByTimeAsync(1_000);
  finish();
  await vi.advanceTimersByTimeAsync(200);
  expect(twin.state.drafts.map(({ text }) => text)).toEqual(["second"]);
});

test("a disk that is full is told, and what was typed is written when it is not any more", async () => {
  const twin = await started(freshBackend());
  const full = vi.spyOn(twin, "keepDraft").mockResolvedValue(fullDisk);
  setDraft("agent:1", "look at");
  setDraft("agent:2", "and at");
  await vi.advanceTimersByTimeAsync(20_000);
  expect(said()).toEqual([
    "What you type is not kept at the moment: the disk is full",
  ]);
  full.mockRestore();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(twin.state.drafts.map(({ place }) => place).sort()).toEqual([
    "agent:1",
    "agent:2",
  ]);
  expect(said()).toEqual([]);
});

test("what is too large is told once, and keeps nothing else from being kept", async () => {
  const twin = await started(freshBackend());
  const tooLarge = {
    ...fullDisk,
    error: { ...fullDisk.error, code: "bad_params" as const },
  };
  const keeps = vi.spyOn(twin, "keepDraft").mockResolvedValueOnce(tooLarge);
  setDraft("flow:/large", "much");
  setDraft("agent:1", "look at");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(keeps).toHaveBeenCalledTimes(2);
  expect(twin.state.drafts.map(({ place }) => place)).toEqual(["agent:1"]);
});

test("a text is a draft as long as it is not what it began as", () => {
  freshBackend();
  const { result } = renderHook(() => useDraftText("tell:1", "prepared"));
  expect(result.current[0]).toBe("prepared");
  act(() => result.current[1]("changed"));
  expect(result.current[0]).toBe("changed");
  act(() => result.current[1]("prepared"));
  expect(useDrafts.getState().drafts).toEqual({});
});

test("of a form those fields are a draft that were changed; the others begin as they would", () => {
  freshBackend();
  const form = (initial: Record<string, string>) =>
    renderHook(() => useDraftFields("start:/a", initial)).result;
  const first = form({ question: "why?", tries: "3" });
  act(() => first.current.setFields({ question: "how?", tries: "3" }));
  const later = form({ question: "why?", tries: "5" });
  expect(later.current.fields).toEqual({ question: "how?", tries: "5" });
  expect(later.current.changed).toBe(true);
  act(() => later.current.forget());
  expect(later.current.fields).toEqual({ question: "why?", tries: "5" });
  setDraft("start:/a", "null");
  expect(form({ question: "why?" }).current.fields).toEqual({
    question: "why?",
  });
});
