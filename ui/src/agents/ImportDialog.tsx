import { type FormEvent, useState } from "react";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { Sentence } from "../shared/Sentence";
import { importAgent } from "./actions";
import {
  BackendField,
  TextField,
  useBackends,
  useFullPath,
  useProviders,
} from "./fields";

/** Asks which conversation of a provider is to be taken over. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const fits = (info: { kind: string }) => info.kind !== "command";
  const backends = useBackends(fits);
  const [at, setAt] = useState(() => backends[0]?.id ?? "");
  const [provider, setProvider] = useState("");
  const [session, setSession] = useState("");
  const [folder, setFolder] = useState("");
  const [failed, setFailed] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const fullPath = useFullPath();
  const providers = useProviders(at);
  const paseo = at.startsWith("paseo:");
  const ready =
    at !== "" &&
    session.trim() !== "" &&
    (paseo ? provider.trim() !== "" : folder.trim() !== "");

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    setFailed(null);
    const reason = await importAgent(at, {
      provider: provider.trim(),
      session: session.trim(),
      cwd: fullPath(folder) || null,
      labels: { origin: "switchyard" },
    });
    setBusy(false);
    if (reason === null) onClose();
    else setFailed(reason);
  }

  return (
    <Dialog
      title="Import a session"
      description="A conversation that was begun elsewhere, by its provider's own id, goes on here."
      onClose={onClose}
      testId="import-agent"
    >
      <form className="fields" onSubmit={(event) => void submit(event)}>
        <BackendField value={at} onChange={setAt} fits={fits} />
        {paseo && (
          <>
            <TextField
              label="Provider"
              list="import-providers"
              value={provider}
              placeholder="claude"
              onChange={(event) => setProvider(event.target.value)}
            />
            <datalist id="import-providers">
              {providers.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          </>
        )}
        <TextField
          label="Session"
          value={session}
          data-testid="import-session"
          onChange={(event) => setSession(event.target.value)}
        />
        <TextField
          label={paseo ? "Folder (the one it had, when empty)" : "Folder"}
          value={folder}
          onChange={(event) => setFolder(event.target.value)}
        />
        {failed && (
          <p className="field-error" role="alert">
            <Sentence text={failed} />
          </p>
        )}
        <div className="dialog-buttons">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!ready || busy}>
            {busy ? "Importing…" : "Import"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
