// What the render pool and its workers say to each other.

import type { TreeEntry } from "../sources/tree.ts";
import type { RenderOptions, RenderOutcome } from "./render.ts";

/** Starts one render. Files come through `port` as they are asked for. */
export interface RenderRequest {
  readonly port: MessagePort;
  /** One 32-bit word that wakes the worker when an answer is in the port. */
  readonly signal: SharedArrayBuffer;
  readonly revision: string;
  readonly path: string;
  readonly options: RenderOptions;
  /** What the worker will surely need, so that it need not ask. */
  readonly folders: ReadonlyMap<string, readonly TreeEntry[]>;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export type TreeQuestion = { readonly ask: "list" | "read"; readonly path: string };

export type TreeAnswer = { readonly value: readonly TreeEntry[] | Uint8Array | undefined };

export type RenderReply =
  | { readonly type: "done"; readonly outcome: RenderOutcome }
  | {
      readonly type: "failed";
      readonly code: string;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    }
  | { readonly type: "bug"; readonly message: string };
