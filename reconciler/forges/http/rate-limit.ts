// When a provider wants to be left alone, and for how long: one rule for all of them.

const MINUTE_MS = 60_000;
const LONGEST_MS = 6 * 3_600_000;

export interface LimitedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The answer's own words, where it has some. */
  readonly message: string;
}

/**
 * How long to wait after this answer, in milliseconds; `undefined` when it is not about a limit.
 *
 * 429 always is; 403 when it says so by its headers (GitHub's primary limit) or words (secondary limits); 503 when it
 * names a time. `retry-after` counts first, then the reset of a limit that is used up, then a minute, as GitHub asks for.
 */
export function waitOf(answer: LimitedAnswer, now: number): number | undefined {
  const { status } = answer;
  if (status !== 429 && status !== 403 && status !== 503) return undefined;
  const asked = retryAfterMs(answer, now);
  const reset = resetMs(answer, now);
  if (status === 503) return asked;
  if (asked !== undefined) return asked;
  if (reset !== undefined) return reset;
  if (status === 429 || /secondary rate limit|rate limit exceeded|abuse detection/i.test(answer.message)) {
    return MINUTE_MS;
  }
  return undefined;
}

/**
 * How long to wait after an answer that was a success: when it used the last of a limit, or asks for a pause
 * (Azure DevOps slows down those who do not follow).
 */
export function pauseOf(answer: LimitedAnswer, now: number): number | undefined {
  return retryAfterMs(answer, now) ?? resetMs(answer, now);
}

function retryAfterMs({ headers }: LimitedAnswer, now: number): number | undefined {
  const text = first(headers["retry-after"]);
  if (text === undefined || text.trim() === "") return undefined;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - theirNow(headers, now);
  return Number.isFinite(ms) ? clamp(ms) : undefined;
}

/** Until the limit is full again, when it is used up. */
function resetMs({ headers }: LimitedAnswer, now: number): number | undefined {
  for (const prefix of ["x-ratelimit", "ratelimit"]) {
    const remaining = first(headers[`${prefix}-remaining`]);
    const reset = Number(first(headers[`${prefix}-reset`]) ?? Number.NaN);
    if (remaining === undefined || Number(remaining) > 0 || !Number.isFinite(reset)) continue;
    // A number of seconds, or a second since the epoch: of GitHub, GitLab and Azure DevOps.
    return clamp(reset < 1e9 ? reset * 1000 : reset * 1000 - theirNow(headers, now));
  }
  return undefined;
}

/** The provider's own clock, so that a wrong one of ours makes no wait longer. */
function theirNow(headers: LimitedAnswer["headers"], now: number): number {
  const date = Date.parse(first(headers["date"]) ?? "");
  return Number.isFinite(date) ? date : now;
}

function clamp(ms: number): number {
  return Math.min(Math.max(ms, 1000), LONGEST_MS);
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}
