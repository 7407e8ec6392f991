import type {
  CancelWhat,
  ExportTo,
  FlowCheck,
  FlowFile,
  FlowGraph,
  Given,
  Mark,
  OutputPiece,
  RunChange,
  RunInfo,
  RunView,
  Simulation,
  StepDetail,
  Stubs,
  Value,
} from "../bindings";
import type { Result, Stop } from "./result";

/** What the page may ask about flows and their runs. */
export interface FlowsBackend {
  listRuns(): Promise<Result<RunInfo[]>>;
  runGraph(run: string): Promise<Result<FlowGraph>>;
  runOutline(run: string): Promise<Result<RunView>>;
  runText(run: string): Promise<Result<string>>;
  runStep(run: string, step: string): Promise<Result<StepDetail>>;
  stepOutput(
    run: string,
    step: string,
    attempt: number,
    from: number,
  ): Promise<Result<OutputPiece>>;
  startFlow(
    path: string,
    inputs: Record<string, Value>,
    cwd: string | null,
  ): Promise<Result<string>>;
  cancelRun(run: string, what: CancelWhat): Promise<Result<null>>;
  resumeRun(run: string): Promise<Result<null>>;
  retryFailed(run: string): Promise<Result<null>>;
  rerunFrom(run: string, step: string): Promise<Result<null>>;
  markStep(run: string, step: string, mark: Mark): Promise<Result<null>>;
  answerApproval(
    run: string,
    step: string,
    given: Given,
  ): Promise<Result<null>>;
  exportRun(run: string, to: ExportTo): Promise<Result<string>>;
  flowFiles(directories: string[]): Promise<Result<FlowFile[]>>;
  writeSamples(): Promise<Result<string>>;
  readFlow(path: string): Promise<Result<string>>;
  writeFlow(
    path: string,
    text: string,
    expected: string,
  ): Promise<Result<null>>;
  /** Tells the text of a flow's file whenever it changes on disk. */
  followFlow(path: string, listener: (text: string) => void): Stop;
  checkFlow(text: string): Promise<Result<FlowCheck>>;
  simulateFlow(text: string, stubs: Stubs): Promise<Result<Simulation>>;
  savePicture(name: string, bytes: Uint8Array): Promise<Result<string>>;

  /** What changes about runs, whoever drives them; what changed together is told at once. */
  onRuns(listener: (changes: RunChange[]) => void): Stop;
}
