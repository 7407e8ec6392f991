import { type FormEvent, useState } from "react";
import { create } from "zustand";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";

export const useFolderDialog = create<{ open: boolean }>(() => ({
  open: false,
}));

export function askForFolder(): void {
  useFolderDialog.setState({ open: true });
}

/** Asks for a folder by its path. */
export function FolderDialog({
  home,
  onFolder,
}: {
  home: string;
  onFolder: (path: string) => void;
}) {
  const open = useFolderDialog((state) => state.open);
  const [path, setPath] = useState("");
  if (!open) return null;
  const close = () => useFolderDialog.setState({ open: false });
  function submit(event: FormEvent) {
    event.preventDefault();
    const full = path.trim().replace(/^~(?=\/|$)/, home);
    if (full === "") return;
    close();
    setPath("");
    onFolder(full);
  }
  return (
    <Dialog
      title="Open a folder"
      description="A terminal starts there. You can also drop a folder on the sidebar."
      onClose={close}
      testId="folder-dialog"
    >
      <form onSubmit={submit}>
        <input
          className="text-input"
          aria-label="Path of the folder"
          placeholder="~/code/project"
          value={path}
          onChange={(event) => setPath(event.target.value)}
        />
        <div className="dialog-buttons">
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" look="primary" disabled={path.trim() === ""}>
            Open
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
