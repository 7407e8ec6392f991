import { Channel } from "@tauri-apps/api/core";
import { commands, events } from "../bindings";
import type { FlowsBackend } from "./flows-backend";
import { ask, subscription } from "./tauri-ask";

let nextFollowed = 1;

/** Flows and their runs, asked of Rust. */
export function tauriFlows(): FlowsBackend {
  return {
    listRuns: () => ask(() => commands.listRuns()),
    runGraph: (run) => ask(() => commands.runGraph(run)),
    runOutline: (run) => ask(() => commands.runOutline(run)),
    runText: (run) => ask(() => commands.runText(run)),
    runStep: (run, step) => ask(() => commands.runStep(run, step)),
    stepOutput: (run, step, attempt, from) =>
      ask(() => commands.stepOutput(run, step, attempt, from)),
    startFlow: (path, inputs, cwd) =>
      ask(() => commands.startFlow(path, inputs, cwd)),
    cancelRun: (run, what) => ask(() => commands.cancelRun(run, what)),
    resumeRun: (run) => ask(() => commands.resumeRun(run)),
    retryFailed: (run) => ask(() => commands.retryFailed(run)),
    rerunFrom: (run, step) => ask(() => commands.rerunFrom(run, step)),
    markStep: (run, step, mark) =>
      ask(() => commands.markStep(run, step, mark)),
    answerApproval: (run, step, given) =>
      ask(() => commands.answerApproval(run, step, given)),
    exportRun: (run, to) => ask(() => commands.exportRun(run, to)),
    flowFiles: (directories) => ask(() => commands.flowFiles(directories)),
    writeSamples: () => ask(() => commands.writeSamples()),
    readFlow: (path) => ask(() => commands.readFlow(path)),
    writeFlow: (path, text, expected) =>
      ask(() => commands.writeFlow(path, text, expected)),
    followFlow: (path, listener) => {
      const id = nextFollowed++;
      const channel = new Channel<string>();
      let wanted = true;
      channel.onmessage = (text) => {
        if (wanted) listener(text);
      };
      const started = ask(() => commands.followFlow(id, path, channel));
      return () => {
        wanted = false;
        void started.then(() => ask(() => commands.unfollowFlow(id)));
      };
    },
    checkFlow: (text) => ask(() => commands.checkFlow(text)),
    simulateFlow: (text, stubs) =>
      ask(() => commands.simulateFlow(text, stubs)),
    savePicture: (name, bytes) =>
      ask(() => commands.savePicture(name, [...bytes])),
    onRuns: (listener) =>
      subscription(events.runsChanged.listen((e) => listener(e.payload))),
  };
}
