import type { ReactElement } from "react";
import type { RunInfo } from "../bindings";
import { ContextMenu } from "../shared/ContextMenu";
import { copying } from "../shared/copying";
import {
  cancelRun,
  goToStep,
  resumeRun,
  retryFailed,
  showFlow,
  showRun,
} from "./actions";
import { hasEnded } from "./run-model";
import { askToStart } from "./StartDialog";

/** The menu of a run, wherever it has a row. */
export function RunMenu({
  run,
  children,
}: {
  run: RunInfo;
  children: ReactElement;
}) {
  const { id, path, state, asks } = run;
  const [asked] = asks;
  return (
    <ContextMenu
      items={() => [
        [
          { title: "Open the run", run: () => showRun(id) },
          asked !== undefined &&
            !hasEnded(state) && {
              title: `Answer ${asked}`,
              run: () => goToStep(id, asked),
            },
        ],
        [
          state === "interrupted" && {
            title: "Go on with it",
            run: () => void resumeRun(id),
          },
          state === "failed" && {
            title: "Retry what failed",
            run: () => void retryFailed(id),
          },
          !hasEnded(state) && {
            title: "Cancel it",
            run: () => void cancelRun(id),
          },
        ],
        [
          path !== null && {
            title: "Start its flow again…",
            run: () => askToStart(path),
          },
          path !== null && {
            title: "Open its flow",
            run: () => showFlow(path),
          },
          copying("Copy its id", id),
        ],
      ]}
    >
      {children}
    </ContextMenu>
  );
}
