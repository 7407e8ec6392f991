import { backend } from "../backend/backend";
import type { Way } from "../bindings";
import { notify, reportFailure, withdraw } from "../shared/notices";
import { touched } from "./touched-store";

/** Takes the last landing or update of a worktree back, as long as nothing else happened to the branch. */
export async function takeBack(worktree: string, way: Way): Promise<void> {
  const done = await backend.takeBackLanding(worktree, way);
  touched(worktree);
  if (reportFailure(done) || done.status !== "ok") return;
  withdraw(`${way} ${worktree}`);
  const { branch, now } = done.data;
  notify("info", `${branch} is at ${now.slice(0, 10)} again.`);
}
