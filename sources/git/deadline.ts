import { AppError } from "../../runtime/errors.ts";
import { gitTimeout } from "../errors.ts";

/** Aborts the work on a repository after `timeoutMs`, which then is a `git-timeout`, and when `outer` aborts. */
export async function withinDeadline<T>(
  url: string,
  timeoutMs: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    outer.throwIfAborted();
    return await work(AbortSignal.any([outer, deadline]));
  } catch (error) {
    if (deadline.aborted && !outer.aborted && !(error instanceof AppError)) throw gitTimeout(url, timeoutMs);
    throw error;
  }
}
