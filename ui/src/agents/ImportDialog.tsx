import { type FormEvent, useState } from "react";
import { backend } from "../backend/backend";
import type { KnownSession } from "../bindings";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { Sentence } from "../shared/Sentence";
import { importAgent } from "./actions";
import { ago, useNow } from "./ago";
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
  const [known, setKnown] = useState<KnownSession[] | null>(null);

  async function find() {
    const listed = await backend.listAgentSessions(at, fullPath(folder));
    setFailed(listed.status === "error" ? listed.error.message : null);
    setKnown(listed.status === "ok" ? listed.data : null);
  }

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
        {!paseo && (
          <Button
            disabled={folder.trim() === "" || at === ""}
            onClick={() => void find()}
          >
            Show what it remembers of this folder
          </Button>
        )}
        {known && (
          <KnownSessions
            sessions={known}
            chosen={session}
            onChoose={setSession}
          />
        )}
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

/** The conversations that an agent remembers, to choose one. */
function KnownSessions({
  sessions,
  chosen,
  onChoose,
}: {
  sessions: KnownSession[];
  chosen: string;
  onChoose: (id: string) => void;
}) {
  const now = useNow();
  if (sessions.length === 0)
    return <p className="faint">It remembers none of this folder.</p>;
  return (
    <ul className="known-sessions" aria-label="What it remembers">
      {sessions.map(({ id, title, updated_at }) => (
        <li key={id}>
          <button
            type="button"
            aria-pressed={id === chosen}
            title={id}
            onClick={() => onChoose(id)}
          >
            <span>{title ?? id}</span>
            <span className="faint">
              {ago(Date.parse(updated_at ?? "") || null, now)}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
