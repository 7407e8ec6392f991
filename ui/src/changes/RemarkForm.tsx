import { useLayoutEffect, useRef } from "react";
import type { Remark, RemarkedLines } from "../bindings";
import { Button } from "../shared/Button";
import { useDraftText } from "../shared/drafts";
import { addRemark, changeRemarks, whereOf } from "./remarks";

/** What is written: a new remark on lines, or another text for one. */
export type Written = { about: RemarkedLines } | { remark: Remark };

/** Where a remark is written. What was typed stays until it is kept or thrown away. */
export function RemarkForm({
  worktree,
  written,
  onClose,
}: {
  worktree: string;
  written: Written;
  onClose: () => void;
}) {
  const about = "about" in written ? written.about : written.remark.about;
  const before = "remark" in written ? written.remark.text : "";
  const id = "remark" in written ? written.remark.id : about.path;
  const [text, setText] = useDraftText(`remark:${worktree}:${id}`, before);
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const { current } = field;
    current?.focus();
    // What is there is written on.
    current?.setSelectionRange(current.value.length, current.value.length);
  }, []);

  async function keep() {
    if (text.trim() === "") return;
    const kept =
      "about" in written
        ? await addRemark(worktree, about, text)
        : await changeRemarks(worktree, [written.remark], {
            change: "text",
            text,
          });
    if (!kept) return;
    setText(before);
    onClose();
  }

  return (
    <form
      className="changes-remark-form"
      data-testid="remark-form"
      onSubmit={(event) => {
        event.preventDefault();
        void keep();
      }}
    >
      <p className="faint">On {whereOf(about)}</p>
      <textarea
        ref={field}
        aria-label="Remark; Ctrl+Enter keeps it"
        data-testid="remark-text"
        rows={3}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onClose();
          else if (event.key === "Enter" && (event.ctrlKey || event.metaKey))
            void keep();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <div className="changes-remark-buttons">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          type="submit"
          look="primary"
          disabled={text.trim() === ""}
          data-testid="remark-keep"
        >
          {"about" in written ? "Add the remark" : "Keep"}
        </Button>
      </div>
    </form>
  );
}
