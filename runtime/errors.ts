/** What the owner of a work item should do after it failed. */
export type Recovery =
  | "retry" // transient: again, with back-off
  | "wait" // needs something else first: again after `afterMs`, without counting a failure
  | "stall"; // needs a person: not again until the object or its source changes

export interface AppErrorOptions {
  readonly recovery: Recovery;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly afterMs?: number;
  readonly cause?: unknown;
}

/**
 * An anticipated failure. `code` is stable, kebab-case and prefixed by its area; it becomes a condition's reason in
 * CamelCase. The message becomes the condition's message: what failed, on which object, what to do.
 */
export class AppError extends Error {
  readonly code: string;
  readonly recovery: Recovery;
  readonly details: Readonly<Record<string, unknown>>;
  readonly afterMs: number | undefined;

  constructor(code: string, message: string, options: AppErrorOptions) {
    super(message, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.recovery = options.recovery;
    this.details = options.details ?? {};
    this.afterMs = options.afterMs;
  }
}

/** The code in the form of a condition's reason: `git-auth-failed` is `GitAuthFailed`. */
export function reasonOf(code: string): string {
  return code
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

/** The text of anything thrown, for a message that a person reads. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Ends a `switch` over a union: the compiler refuses a missing case, and a value from outside throws. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
