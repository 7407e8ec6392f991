import { useEffect, useState } from "react";
import { backend } from "../backend/backend";
import { listenForKeys, registerCommands } from "../shared/commands";
import { followVisits } from "../shared/destinations";
import { startDrafts } from "../shared/drafts";
import type { Stop } from "../shared/feature";
import { startMachines } from "../shared/machines";
import { followNeeds } from "../shared/needs-you";
import { keepFocus } from "../shared/places";
import { startRepositories } from "../shared/repositories";
import { startSettings } from "../shared/settings-store";
import { startWindowState } from "../shared/window-state";
import { startWindows } from "../shared/windows";
import { focusInFront } from "./aside";
import { closingCommands, offerUndo } from "./closing";
import { commandsOfPaneCommands } from "./commands-of-pane";
import { hostIsBack, leaveSession } from "./dock-session";
import { features } from "./features";
import { dropped } from "./folders";
import { followWantedLayouts, layoutCommands } from "./layouts";
import { profileCommands } from "./profiles";
import { snippetCommands } from "./snippets";
import { windowCommands } from "./window-commands";
import { followWindows, windowsCommands } from "./windows";

/** Begins everything that lives as long as the page; says when there is something to show. */
export function useStart(): boolean {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    let stopped = false;
    const stops: Stop[] = [
      registerCommands([
        ...windowCommands(),
        ...windowsCommands(),
        ...commandsOfPaneCommands(),
        ...closingCommands(),
        ...layoutCommands(),
        ...snippetCommands(),
        ...profileCommands(),
        ...features.flatMap(({ commands }) => commands),
      ]),
      listenForKeys(window),
      withoutBrowserMenu(),
      leaveSession,
      backend.onDrop(dropped),
      followNeeds(),
      offerUndo(),
      followWantedLayouts(),
      followWindows(),
      followVisits(),
      keepFocus(focusInFront),
      backend.onHostChanged((host) => {
        if (host.state !== "down") void hostIsBack(host.state === "restarted");
      }),
    ];
    const own = (stop: Stop) => {
      if (stopped) stop();
      else stops.push(stop);
    };
    void startRepositories().then(own);
    for (const { start } of features) {
      const started = start?.();
      if (started instanceof Promise) void started.then(own);
      else if (started) own(started);
    }
    const prepared = features.map(({ prepare }) => prepare?.().then(own));
    void Promise.all([
      startSettings().then(own),
      startWindowState().then(own),
      startDrafts().then(own),
      startWindows().then(own),
      startMachines().then(own),
      ...prepared,
    ]).then(() => {
      if (!stopped) setReady(true);
    });
    return () => {
      stopped = true;
      for (const stop of stops) stop();
    };
  }, []);
  return ready;
}

/** The browser's menu is no menu of ours; texts that can be edited keep theirs. */
function withoutBrowserMenu(): () => void {
  const stop = (event: Event) => {
    if (!(event.target instanceof HTMLInputElement)) event.preventDefault();
  };
  window.addEventListener("contextmenu", stop);
  return () => window.removeEventListener("contextmenu", stop);
}
