// What the render pool and its workers say to each other.

import { AppError, type Recovery } from "../runtime/errors.ts";
import type { TreeEntry } from "../sources/tree.ts";
import type { ChartFiles, ChartInflation, ChartPull } from "./kustomize/generators/helm-charts.ts";
import type { RemoteReference } from "./kustomize/loading/remote.ts";
import type { RenderOptions, RenderOutcome } from "./render.ts";

/** Starts one render. Files come through `port` as they are asked for. */
export interface RenderRequest {
  readonly port: MessagePort;
  /** One 32-bit word that wakes the worker when an answer is in the port. */
  readonly signal: SharedArrayBuffer;
  readonly revision: string;
  readonly path: string;
  /** Without `charts`, which stay where programs may run. */
  readonly options: RenderOptions;
  /** Whether `pull` and `inflate` are answered. */
  readonly chartsAllowed: boolean;
  /** Whether `base` and `remote-file` are answered. */
  readonly remotesAllowed: boolean;
  /** What the worker will surely need, so that it need not ask. */
  readonly folders: ReadonlyMap<string, readonly TreeEntry[]>;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** `tree` is the number that a remote base was answered with; 0 is the source. */
export type TreeQuestion = { readonly ask: "list" | "read"; readonly tree: number; readonly path: string };

/** Charts are fetched and inflated outside of the thread, which waits for the answer. */
export type ChartQuestion =
  | { readonly ask: "pull"; readonly request: ChartPull }
  | { readonly ask: "inflate"; readonly request: ChartInflation };

/** What lies elsewhere is fetched outside of the thread, which waits for the answer. */
export type RemoteQuestion =
  | { readonly ask: "base"; readonly reference: RemoteReference }
  | { readonly ask: "remote-file"; readonly url: string };

export type Question = TreeQuestion | ChartQuestion | RemoteQuestion;

export type TreeAnswer = { readonly value: readonly TreeEntry[] | Uint8Array | undefined };

export type ChartAnswer = { readonly value: ChartFiles | string } | { readonly failed: FailedReply };

export type RemoteAnswer =
  | { readonly tree: number; readonly revision: string }
  | { readonly bytes: Uint8Array }
  | { readonly failed: FailedReply };

export type RenderReply =
  | { readonly type: "done"; readonly outcome: RenderOutcome }
  | FailedReply
  | { readonly type: "bug"; readonly message: string };

/** An `AppError` on its way between threads. */
export interface FailedReply {
  readonly type: "failed";
  readonly code: string;
  readonly message: string;
  readonly recovery: Recovery;
  readonly afterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

export function toFailedReply(error: AppError): FailedReply {
  const { code, message, recovery, afterMs } = error;
  const details = Object.fromEntries(Object.entries(error.details).filter(([, value]) => typeof value !== "object"));
  return { type: "failed", code, message, recovery, afterMs, details };
}

export function fromFailedReply({ code, message, recovery, afterMs, details }: FailedReply): AppError {
  return new AppError(code, message, { recovery, details, ...(afterMs === undefined ? {} : { afterMs }) });
}
