import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { freshBackend } from "../../test-support";
import type { MemoryBackend } from "../../twin/memory-backend";
import { Prose } from "./Prose";

const WAIT = { timeout: 10_000 };

let twin: MemoryBackend;
// It is loaded when the first words are to be shown: the tests are about what it shows then.
beforeAll(() => import("./Markdown"), 60_000);
beforeEach(() => {
  twin = freshBackend();
});

it("shows lists, tables and code as such", async () => {
  render(
    <Prose
      text={[
        "# Done",
        "- one",
        "- two **bold** and `code`",
        "",
        "| file | lines |",
        "|---|---|",
        "| a.rs | 12 |",
        "",
        "```rust",
        "fn main() {}",
        "```",
      ].join("\n")}
    />,
  );
  expect(
    await screen.findByRole("heading", { name: "Done" }, WAIT),
  ).toBeVisible();
  expect(screen.getAllByRole("listitem")).toHaveLength(2);
  expect(screen.getByRole("cell", { name: "a.rs" })).toBeVisible();
  expect(screen.getByText("fn").closest("pre")?.dataset.language).toBe("rust");
});

it("shows code whose fence is not closed yet", async () => {
  render(<Prose text={"soon:\n```\nhalf a li"} />);
  const code = await screen.findByText("half a li", {}, WAIT);
  expect(code.closest("pre")).toBeVisible();
});

it("opens only links of the web, and shows where they go", async () => {
  render(
    <Prose text="[good](https://example.org/a) [bad](javascript:alert(1)) [file](file:///etc/passwd)" />,
  );
  expect(await screen.findAllByRole("link", {}, WAIT)).toHaveLength(1);
  const link = screen.getByRole("link", { name: "good" });
  expect(link).toHaveAttribute("title", "https://example.org/a");
  await userEvent.click(link);
  expect(twin.state.opened).toEqual(["https://example.org/a"]);
});

it("colours code whose language is named, and copies it as it is", async () => {
  const { container } = render(
    <Prose text={"```rust\nfn main() {}\n```\n\n```\nfn plain() {}\n```"} />,
  );
  const copy = await screen.findAllByRole(
    "button",
    { name: "Copy the code" },
    WAIT,
  );
  const coloured = container.querySelectorAll(".hljs-keyword");
  expect([...coloured].map((one) => one.textContent)).toEqual(["fn"]);
  await userEvent.click(copy[0] as HTMLElement);
  expect(twin.state.clipboard).toBe("fn main() {}\n");
});

it("colours no code that is very large", async () => {
  const code = "let x = 1;\n".repeat(2000);
  const { container } = render(<Prose text={`\`\`\`js\n${code}\`\`\``} />);
  await screen.findByRole("button", { name: "Copy the code" }, WAIT);
  expect(container.querySelector(".hljs-keyword")).toBeNull();
  expect(container.querySelector("pre")).toHaveTextContent("let x = 1;");
});

it("loads no picture and makes no HTML of what an agent says", async () => {
  const { container } = render(
    <Prose
      text={'![plan](https://example.org/p.png)\n\n<b onclick="x()">hi</b>'}
    />,
  );
  expect(await screen.findByRole("link", { name: "plan" }, WAIT)).toBeVisible();
  expect(container.querySelector("img, b")).toBeNull();
  expect(container).toHaveTextContent('<b onclick="x()">hi</b>');
});

it("shows a very long text as it came", () => {
  const text = "*".repeat(200_001);
  const { container } = render(<Prose text={text} />);
  expect(container.textContent).toBe(text);
});
