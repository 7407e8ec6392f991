import { type FormEvent, useEffect, useRef, useState } from "react";
import { create } from "zustand";
import { backend } from "../backend/backend";
import type { FlowCheck, Value } from "../bindings";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { useDraftFields } from "../shared/drafts";
import { Sentence } from "../shared/Sentence";
import { showFlow, startRun } from "./actions";
import { Fields, type Typed, typedFrom, valuesOf } from "./Fields";
import { baseName } from "./words";

const useStartDialog = create<{ path: string | null }>(() => ({ path: null }));

/** Asks for the inputs of a flow and starts a run of it. */
export function askToStart(path: string): void {
  useStartDialog.setState({ path });
}

export function StartDialog() {
  const path = useStartDialog((state) => state.path);
  if (path === null) return null;
  return <StartForm key={path} path={path} />;
}

/** What a flow was given last. */
async function lastInputs(path: string): Promise<Record<string, Value>> {
  const runs = await backend.listRuns();
  const last =
    runs.status === "ok" && runs.data.find((run) => run.path === path);
  if (!last) return {};
  const outline = await backend.runOutline(last.id);
  return outline.status === "ok"
    ? (outline.data.inputs as Record<string, Value>)
    : {};
}

/** What a flow asks for when it is started, and with what its fields begin. */
function useQuestions(path: string) {
  const [check, setCheck] = useState<FlowCheck | null>(null);
  const [begun, setBegun] = useState<Typed>({});
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    void (async () => {
      const text = await backend.readFlow(path);
      if (text.status === "error") {
        if (wanted) setProblem(text.error.message);
        return;
      }
      const [checked, last] = await Promise.all([
        backend.checkFlow(text.data),
        lastInputs(path),
      ]);
      if (!wanted) return;
      if (checked.status === "error") setProblem(checked.error.message);
      else {
        setBegun(typedFrom(checked.data.flow?.inputs ?? [], last));
        setCheck(checked.data);
      }
    })();
    return () => {
      wanted = false;
    };
  }, [path]);
  return { check, begun, problem, setProblem };
}

/** Gives the keys to the first field once there is one, or else to what starts the run: they come after the dialog. */
function useFirstField(there: boolean) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (!there) return;
    const first = form.current?.querySelector<HTMLElement>(
      "input, textarea, select",
    );
    const start = form.current?.querySelector<HTMLElement>(
      'button[type="submit"]',
    );
    (first ?? start)?.focus();
  }, [there]);
  return form;
}

function StartForm({ path }: { path: string }) {
  const { check, begun, problem, setProblem } = useQuestions(path);
  const draft = useDraftFields(`start:${path}`, begun);
  const [busy, setBusy] = useState(false);
  const close = () => useStartDialog.setState({ path: null });
  const flow = check?.flow ?? null;
  const form = useFirstField(flow !== null);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!flow || busy) return;
    setBusy(true);
    const wrong = await startRun(path, valuesOf(flow.inputs, draft.fields));
    setBusy(false);
    if (wrong !== null) return setProblem(wrong);
    draft.forget();
    close();
  }
  const refused = check !== null && !check.good;
  return (
    <Dialog
      title={`Start ${flow?.name ?? baseName(path)}`}
      description={
        flow?.description ?? (check || problem ? path : "Reading the flow…")
      }
      onClose={close}
      testId="start-dialog"
    >
      <form
        ref={form}
        className="fields"
        onSubmit={(event) => void submit(event)}
      >
        {flow && (
          <Fields
            fields={flow.inputs}
            typed={draft.fields}
            onTyped={draft.setFields}
          />
        )}
        {flow && draft.changed && (
          <p className="field-help" data-testid="draft-kept">
            What you type is kept until the run starts.{" "}
            <button
              type="button"
              className="link-button"
              onClick={draft.forget}
            >
              Begin anew
            </button>
          </p>
        )}
        {flow && flow.inputs.length === 0 && (
          <p className="faint">This flow takes no inputs.</p>
        )}
        {refused && (
          <p className="form-problem" role="alert">
            The flow can't be run:{" "}
            <Sentence text={check.findings[0]?.message ?? ""} />
          </p>
        )}
        {problem !== null && (
          <p className="form-problem" role="alert">
            <Sentence text={problem} />
          </p>
        )}
        <div className="dialog-buttons">
          <Button
            onClick={() => {
              close();
              showFlow(path);
            }}
          >
            Look at the flow
          </Button>
          <span className="spacer" />
          <Button onClick={close}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            disabled={!flow || busy}
            data-testid="start-run"
          >
            Start
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
