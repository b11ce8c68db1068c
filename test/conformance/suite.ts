// A conformance suite reads recorded cases from a folder and says of each whether we answer the same.

export interface SuiteOptions {
  /** Folder in the suite's documented format. */
  readonly vectors: string;
  /** Run only the case with this id, or the cases of a topic when it ends in `/`. */
  readonly only?: string | undefined;
  /** Kubeconfig of a server to ask instead of our own (suites of the API server). */
  readonly server?: string | undefined;
  /** URL of that server's etcd, for cases that need its history to be compacted. */
  readonly etcd?: string | undefined;
}

export interface CaseResult {
  readonly id: string;
  readonly passed: boolean;
  /** For a failure: what was expected and what came, readable. */
  readonly details?: string;
  /** A passed case whose answer differs on purpose: the reason. */
  readonly deviates?: string;
  /** Why the case could not be played; it then counts neither as passed nor as failed. */
  readonly skipped?: string;
  /** How much the case matters, for suites that tell. */
  readonly level?: "must" | "should";
}

/** True when `--only` asks for the case. */
export function isChosen(id: string, only: string | undefined): boolean {
  if (only === undefined) return true;
  return only.endsWith("/") ? id.startsWith(only) : id === only;
}

export interface Suite {
  run(options: SuiteOptions): AsyncIterable<CaseResult>;
}
