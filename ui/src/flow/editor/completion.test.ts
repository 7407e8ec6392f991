import { expect, test } from "vitest";
import { completionsAt, stepsOf } from "./completion";

const FLOW = `name: f
inputs:
  question: { type: text }
batches:
  review: { max_concurrent: 2 }
steps:
  - id: plan
    run: echo
  - { id: fix, run: echo }
`;

/** What is offered at the `|` of a text, and what it would take the place of. */
function offered(text: string): { over: string; labels: string[] } | null {
  const at = text.indexOf("|");
  const whole = text.slice(0, at) + text.slice(at + 1);
  const result = completionsAt(whole, at);
  return (
    result && {
      over: whole.slice(result.from, at),
      labels: result.options.map(({ label }) => label),
    }
  );
}

test.each([
  ["bat|", "bat", "batches"],
  ["steps:\n  - ne|", "ne", "needs"],
  ["steps:\n- id: a\n  ne|", "ne", "needs"],
  ["steps:\n  - { id: a, tri|", "tri", "trigger"],
  ["steps:\n  - id: a\n    agent:\n      back|", "back", "backend"],
  ["batches:\n  review: { max|", "max", "max_concurrent"],
  ["inputs:\n  q:\n    ty|", "ty", "type"],
])("keys come from the schema: %j", (text, over, label) => {
  const found = offered(text);
  expect(found?.over).toBe(over);
  expect(found?.labels).toContain(label);
});

test.each([
  ["steps:\n  - id: a\n    trigger: one|", "one", "one_success"],
  ["steps:\n  - { id: a, allow_failure: |", "", "true"],
  ["inputs:\n  q: { type: |", "", "enum"],
])("values come from the schema: %j", (text, over, label) => {
  const found = offered(text);
  expect(found?.over).toBe(over);
  expect(found?.labels).toContain(label);
  expect(found?.labels).not.toContain("id");
});

test.each([
  ["needs: pl|", "pl", ["plan", "fix", "last", "batch:review"]],
  ["needs: [plan, |", "", ["plan", "fix", "last", "batch:review"]],
  ['needs: ["ba|', "ba", ["plan", "fix", "last", "batch:review"]],
  ["needs:\n      - |", "", ["plan", "fix", "last", "batch:review"]],
  ["batch: |", "", ["review"]],
  ["switch:\n      - { case: x, steps: [|", "", ["plan", "fix", "last"]],
  ["switch:\n      - { case: x, when: results.|", "", ["plan", "fix", "last"]],
  ["repeat: { steps: [|", "", ["plan", "fix", "last"]],
  ['repeat: { until: "last.|', "", ["plan", "fix", "last"]],
  ['value: "{{ inputs.qu|', "qu", ["question"]],
  ["run: |echo\n", "", []],
])("names come from the flow itself: %j", (text, over, labels) => {
  expect(offered(`${FLOW}  - id: last\n    ${text}`)).toEqual({ over, labels });
});

test("a batch is named in quotes, once", () => {
  const apply = (text: string) =>
    completionsAt(text, text.length)?.options.find(({ label }) =>
      label.startsWith("batch:"),
    )?.apply;
  const last = `${FLOW}  - id: last\n    needs: [`;
  expect(apply(last)).toBe('"batch:review"');
  expect(apply(`${last}"`)).toBe("batch:review");
});

test("a key that is there already is not offered again", () => {
  const besides = offered(
    "steps:\n  - id: a\n    run: x\n    |\n    when: y\n  - id: b\n    needs: [a]",
  );
  expect(besides?.labels).toContain("needs");
  for (const key of ["id", "run", "when"])
    expect(besides?.labels).not.toContain(key);
  expect(offered("steps:\n  - { id: a, |")?.labels).not.toContain("id");
});

test.each([
  "# a com|ment",
  "steps:\n  - id: a # a com|ment",
  "steps:\n  - id: a\n    run: >\n      echo |",
])("nothing is offered in %j", (text) => {
  expect(offered(text)).toBeNull();
});

test("a script of several lines knows steps where a template names them", () => {
  const script = `${FLOW}  - id: last\n    run: >\n      echo {{ results.plan.|`;
  expect(offered(script)?.labels).toEqual(["output", "data", "state"]);
});

test("steps are known in whichever way they are written", () => {
  expect(stepsOf(`${FLOW}  -  id: "last"\n    identity: no`)).toEqual([
    "plan",
    "fix",
    "last",
  ]);
});
