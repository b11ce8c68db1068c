// A conformance suite reads recorded cases from a folder and says of each whether we answer the same.

export interface SuiteOptions {
  /** Folder in the suite's documented format. */
  readonly vectors: string;
  /** Run only the case with this id. */
  readonly only?: string | undefined;
  /** Kubeconfig of a server to ask instead of our own (suites of the API server). */
  readonly server?: string | undefined;
}

export interface CaseResult {
  readonly id: string;
  readonly passed: boolean;
  /** For a failure: what was expected and what came, readable. */
  readonly details?: string;
  /** A passed case whose answer differs on purpose: the reason. */
  readonly deviates?: string;
}

export interface Suite {
  run(options: SuiteOptions): AsyncIterable<CaseResult>;
}
