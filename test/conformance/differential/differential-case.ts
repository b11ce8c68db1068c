// What the generators make: requests that are played on two servers.

import type { Random } from "../../../runtime/random.ts";
import type { PollCondition, RecordedRequest } from "../apiserver/recorded.ts";

export interface DifferentialStep {
  /** `watch` opens a stream under `id`; `collect` compares what it brought. */
  readonly op: "send" | "watch" | "collect";
  readonly request?: RecordedRequest;
  readonly id?: string;
  readonly save?: Readonly<Record<string, string>>;
  readonly poll?: PollCondition;
  /** Sent but not compared. */
  readonly silent?: boolean;
}

export interface DifferentialCase {
  readonly steps: readonly DifferentialStep[];
}

/** Makes one case; the same draws make the same case. */
export type CaseGenerator = (random: Random) => DifferentialCase;

export function send(
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
): DifferentialStep {
  const request: RecordedRequest = {
    method,
    path,
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
  };
  return { op: "send", request };
}

export const PATCH_TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

export function patch(type: keyof typeof PATCH_TYPES, path: string, body: unknown): DifferentialStep {
  return send("PATCH", path, body, { "Content-Type": PATCH_TYPES[type] });
}
