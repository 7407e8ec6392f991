import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import { Sentence } from "./Sentence";
import { saidInLetters } from "./said-parts";

test.each([
  ["could not read `/a b`: gone", "could not read <code>/a b</code>: gone"],
  ["`a` and `b`", "<code>a</code> and <code>b</code>"],
  ["nothing", "nothing"],
  ["a lone ` tick", "a lone ` tick"],
  ["`a` and one ` alone", "<code>a</code> and one ` alone"],
  ["`<b>`", "<code>&lt;b&gt;</code>"],
  ["", ""],
])("%s is shown as it is meant", (text, shown) => {
  const { container } = render(<Sentence text={text} />);
  expect(container.innerHTML).toBe(shown);
});

test("where nothing but letters can be drawn, names are quoted", () => {
  expect(saidInLetters("`a` needs `b c`, not `d")).toBe(
    "“a” needs “b c”, not `d",
  );
});
