// One request and one answer of a Kubernetes API, without saying how they travel. The embedded server answers these
// in-process; `http-transport.ts` sends them to a server by kubeconfig. Loops and tests use either.
import type { Duplex } from "node:stream";

/** Who asks, for transports that authenticate by trust (in-process). */
export interface UserInfo {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface ApiRequest {
  /** Upper case: GET, POST, PUT, PATCH, DELETE, HEAD. */
  readonly method: string;
  /** Path with query, starting with `/`. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Over HTTP only: headers with a line for each value. */
  readonly headerLists?: Readonly<Record<string, readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** In-process only, in place of `body`: the parsed JSON. The server copies what it keeps. */
  readonly object?: unknown;
  /** In-process only, in place of `body`: its parts as they come, for requests that are passed on. Read at most once. */
  readonly stream?: AsyncIterable<Uint8Array>;
  /** In-process only: the caller can hand its connection over, to an answer with a `tunnel`. */
  readonly canUpgrade?: boolean;
  /** Aborting ends the request, and a stream that it opened. */
  readonly signal?: AbortSignal;
  /** In-process only: the address from which a request came over the network; absent for callers in this process. */
  readonly peer?: string;
  /** In-process only: aborting asks a stream to end after what it has to say. */
  readonly drain?: AbortSignal;
  /** In-process only: the already authenticated user. Absent means a member of `system:masters`. */
  readonly user?: UserInfo;
}

export interface ApiResponse {
  readonly status: number;
  /** Names in lower case; several values of one name are a list. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Whole answers are bytes; watches and other streams are chunks that may split anywhere. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** In-process only: the same bytes as `body`, made while they are sent. Whoever takes it leaves `body` alone. */
  readonly source?: ByteSource;
  /**
   * In-process only: the same answer as `body`, parsed; frozen and shared, so copy before changing. Reading it saves
   * the encoding that reading `body` causes.
   */
  readonly parsed?: unknown;
  /** In-process only: the same events as `body` of a watch, parsed and frozen. Read one of the two. */
  readonly events?: AsyncIterable<TransportEvent>;
  /**
   * In-process only, with status 101: the connection beyond, in the protocol of the `upgrade` header. The caller owns it:
   * it joins its own connection to it, and destroys it.
   */
  readonly tunnel?: Duplex;
}

/** Bytes that are asked for when they can be sent. One reader, who closes it. */
export interface ByteSource {
  /** The next part; empty when it takes longer to find one, undefined when there is none, now or ever: see `state`. */
  read(): Uint8Array | undefined;
  /** `open`: more comes. `ended`: all was read. `cut`: the reader was too slow and is to be sent away. */
  readonly state: "open" | "ended" | "cut";
  /** Has `fn` called whenever something came to read, or the state changed. */
  onReady(fn: () => void): void;
  /** Nobody reads any more. */
  close(): void;
}

/** One event of a watch. BOOKMARK objects hold only kind and revision; ERROR objects are a Status. */
export interface TransportEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: Readonly<Record<string, unknown>>;
}

/** Sends one request. Rejects only when no answer came (refused, reset, timed out): an HTTP error is an answer. */
export type Transport = (request: ApiRequest) => Promise<ApiResponse>;
