import { useEffect } from "react";
import { backend } from "../backend/backend";
import { Palette } from "../palette/Palette";
import { Picker } from "../palette/Picker";
import { Switcher } from "../palette/Switcher";
import { Dock } from "../shared/dock/Dock";
import { useDock } from "../shared/dock/dock";
import { Notices } from "../shared/Notices";
import { useSettings, useTextScale, useTheme } from "../shared/settings-store";
import { Tooltips } from "../shared/Tooltips";
import { wearTheme } from "../shared/theme-tokens";
import { paneTitle, usePanes } from "../terminal/pane-store";
import { paneOfParams } from "../terminal/pane-tabs";
import { FolderDialog } from "../workspace/FolderDialog";
import { Frame } from "../workspace/Frame";
import { Tour } from "../workspace/Tour";
import { Welcome } from "../workspace/Welcome";
import { useDestinations } from "./destinations";
import { startDock } from "./dock-session";
import { features, views } from "./features";
import { openFolder } from "./folders";
import { GroupActions } from "./GroupActions";
import { LayoutDialog } from "./LayoutDialog";
import { Sidebar } from "./Sidebar";
import { StatusBar } from "./StatusBar";
import { useStart } from "./start";

const asides = Object.fromEntries(
  features.flatMap((feature) =>
    Object.entries(feature.asides ?? {}).map(([name, Aside]) => [
      name,
      <Aside key={name} />,
    ]),
  ),
);

/** The window: the frame, and in it what every feature brings. */
export function App() {
  const ready = useStart();
  const theme = useTheme();
  const home = useSettings((state) => state.platform?.home ?? "");
  useEffect(() => wearTheme(theme, document.documentElement), [theme]);
  const zoom = useSettings((state) => state.settings?.window_zoom ?? 100);
  useEffect(() => backend.setZoom(zoom / 100), [zoom]);
  const scale = useTextScale();
  useEffect(() => {
    document.documentElement.style.setProperty("--text-scale", `${scale}`);
  }, [scale]);
  useWindowTitle();
  if (!ready) return null;
  return (
    <>
      <Frame sidebar={<Sidebar />} asides={asides} status={<StatusBar />}>
        <Dock
          views={views}
          empty={EmptyDock}
          actions={GroupActions}
          onReady={(api) => void startDock(api)}
        />
      </Frame>
      <Palette />
      <Switcher useDestinations={useDestinations} />
      <Picker />
      {features.map(
        ({ dialogs: Dialogs, name }) => Dialogs && <Dialogs key={name} />,
      )}
      <LayoutDialog />
      <Tour />
      <FolderDialog home={home} onFolder={openFolder} />
      <Notices />
      <Tooltips />
    </>
  );
}

/** The window is called after the pane that is in front. */
function useWindowTitle(): void {
  const activeId = useDock((state) => state.activeId);
  const api = useDock((state) => state.api);
  const title = usePanes((state) => {
    const panel = activeId === null ? undefined : api?.getPanel(activeId);
    const pane = paneOfParams(panel?.params);
    const info = pane === null ? undefined : state.panes[pane];
    return info ? paneTitle(info) : "";
  });
  useEffect(() => {
    backend.setTitle(title === "" ? "Switchyard" : `${title} · Switchyard`);
  }, [title]);
}

function EmptyDock() {
  return useDock((state) => state.settled) ? <Welcome /> : null;
}
