import { render, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { TranscriptHit } from "../bindings";
import { freshBackend } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { type MemoryTranscript, transcript } from "../twin/memory-transcripts";
import { rangesOf, TranscriptView } from "./TranscriptView";
import { add } from "./use-transcript";

let twin: MemoryBackend;

beforeEach(() => {
  twin = freshBackend();
});

function hitOf(
  { conversation }: MemoryTranscript,
  change: Partial<TranscriptHit>,
): TranscriptHit {
  return {
    conversation,
    message: "1.0",
    role: "agent",
    when: null,
    content: "the needle was bent",
    ranges: [{ start: 4, end: 10 }],
    ...change,
  };
}

test("a hit opens its conversation with what was found marked, as text", async () => {
  const told = transcript("one", [
    "mend the shop",
    "I looked.\nthe needle was bent\n<b>so</b> I bent it back",
    "thanks",
  ]);
  twin.transcripts.push(told);
  render(<TranscriptView hit={hitOf(told, {})} visit={0} />);
  const mark = await screen.findByText("needle");
  expect(mark.tagName).toBe("MARK");
  expect(mark.closest("article")).toHaveTextContent("<b>so</b> I bent it back");
  expect(mark.closest("article")).toHaveAttribute("data-target", "true");
  expect(await screen.findByText("thanks")).toBeInTheDocument();
  expect(screen.getByText("The conversation begins here.")).toBeInTheDocument();
});

test("what a tool was told is folded, unless it is what was found", async () => {
  const told = transcript("one", ["go"]);
  told.messages.push({
    key: "1.0",
    when: null,
    parts: [
      { role: "tool", name: "Bash", text: "make" },
      { role: "output", name: null, text: "the needle was bent" },
    ],
  });
  twin.transcripts.push(told);
  render(<TranscriptView hit={hitOf(told, { role: "output" })} visit={0} />);
  const mark = await screen.findByText("needle");
  expect(mark.closest("details")).toHaveAttribute("open");
  const tool = screen.getByText("tool · Bash").closest("details");
  expect(tool).not.toHaveAttribute("open");
});

test("who goes on to another message is not taken back to the one before by a late answer", async () => {
  const told = transcript("one", ["first needle", "second needle"]);
  twin.transcripts.push(told);
  const { readTranscript } = twin;
  let answerLate = () => {};
  twin.readTranscript = async (place) => {
    const answer = await readTranscript({ ...place, before: 0, after: 0 });
    if (place.message === "0.0")
      await new Promise<void>((resolve) => {
        answerLate = resolve;
      });
    return answer;
  };
  const at = (message: string) => hitOf(told, { message });
  const { rerender } = render(<TranscriptView hit={at("0.0")} visit={0} />);
  rerender(<TranscriptView hit={at("1.0")} visit={1} />);
  expect(await screen.findByText("second needle")).toBeInTheDocument();
  answerLate();
  await new Promise((resolve) => setTimeout(resolve));
  expect(screen.getByText("second needle")).toBeInTheDocument();
});

test("a message that is gone is told, and nothing else is shown", async () => {
  const told = transcript("one", ["go"]);
  render(<TranscriptView hit={hitOf(told, {})} visit={0} />);
  await waitFor(() =>
    expect(screen.getByRole("status")).toHaveTextContent("there is no message"),
  );
});

test("a line that was cut is found by what is left of it", () => {
  const text = `first\n${"x".repeat(300)}needle${"y".repeat(300)}`;
  const hit = hitOf(transcript("one", []), {
    content: `…${"x".repeat(20)}needle${"y".repeat(20)}…`,
    ranges: [{ start: 21, end: 27 }],
  });
  const part = { role: "agent", name: null, text } as const;
  const [range] = rangesOf(part, hit) ?? [];
  expect(text.slice(range?.start, range?.end)).toBe("needle");
  expect(rangesOf({ ...part, role: "person" }, hit)).toBeNull();
});

test("what is read on is put to its side once, and its end is known", () => {
  const { conversation, messages } = transcript("one", ["a", "b", "c", "d"]);
  const page = (from: number, to: number, earlier: boolean) => ({
    conversation,
    messages: messages.slice(from, to),
    earlier,
    later: to < messages.length,
  });
  const now = add(page(2, 3, true), page(0, 3, false), "earlier");
  expect(now.messages.map(({ key }) => key)).toEqual(["0.0", "1.0", "2.0"]);
  expect([now.earlier, now.later]).toEqual([false, true]);
  const all = add(now, page(2, 4, true), "later");
  expect(all.messages).toHaveLength(4);
  expect([all.earlier, all.later]).toEqual([false, false]);
});
