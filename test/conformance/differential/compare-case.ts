// Plays one case on both servers and tells the first step that they answer differently.
import { randomBytes } from "node:crypto";
import { messageOf } from "../../../runtime/errors.ts";
import type { Target } from "../apiserver/case-client.ts";
import { differences } from "../compare.ts";
import type { DifferentialCase, DifferentialStep } from "./differential-case.ts";
import { playSteps } from "./play.ts";

export interface Servers {
  readonly embedded: Target;
  readonly remote: Target;
}

export interface Difference {
  /** What differs, without the values of this case: equal signatures are likely one cause. */
  readonly signature: string;
  readonly step: number;
  /** The requests up to the one answered differently. */
  readonly requests: readonly string[];
  /** `expected` is the answer of the other server, `got` ours. */
  readonly lines: readonly string[];
}

const SHORTEST_TRIES = 12;

/** Undefined when both answer every step alike. */
export async function compareCase(servers: Servers, made: DifferentialCase): Promise<Difference | undefined> {
  const token = randomBytes(4).toString("hex");
  const play = async (target: Target): Promise<unknown[]> => {
    try {
      return await playSteps(target, made, `d${token}`, token);
    } catch (error) {
      return [`the case could not be played: ${messageOf(error)}`];
    }
  };
  const [expected, actual] = await Promise.all([play(servers.remote), play(servers.embedded)]);
  for (let step = 0; step < Math.max(expected.length, actual.length); step++) {
    const lines = differences(expected[step], actual[step], 8);
    if (lines.length === 0) continue;
    const requests = made.steps.slice(0, step + 1).map(describe);
    return { signature: signatureOf(made.steps[step], lines), step, requests, lines };
  }
  return undefined;
}

/** The difference with as few steps before it as show it still. */
export async function shortest(servers: Servers, made: DifferentialCase, found: Difference): Promise<Difference> {
  let steps = made.steps.slice(0, found.step + 1);
  let least = found;
  let tries = 0;
  for (let at = steps.length - 2; at >= 0 && tries < SHORTEST_TRIES; at--) {
    if (steps[at]!.save !== undefined || steps[at]!.op !== "send") continue;
    tries++;
    const fewer = steps.toSpliced(at, 1);
    const difference = await compareCase(servers, { steps: fewer });
    if (difference?.signature !== found.signature || difference.step !== fewer.length - 1) continue;
    steps = fewer;
    least = difference;
  }
  return least;
}

function describe(step: DifferentialStep): string {
  const { request } = step;
  if (request === undefined) return step.op;
  const type = request.headers?.["Content-Type"] ?? request.headers?.["Accept"] ?? "";
  const body = request.readModifyWrite ?? request.body;
  return `${request.method} ${request.path} ${type} ${body === undefined ? "" : JSON.stringify(body)}`;
}

function signatureOf(step: DifferentialStep | undefined, lines: readonly string[]): string {
  const kind = /\/([a-z]+)(?:\/[^/?]+)?(?:\/(?:status|scale))?(?:\?|$)/.exec(step?.request?.path ?? "")?.[1] ?? "";
  const text = lines
    .slice(0, 3)
    .map((line) =>
      line
        .replace(/"[^"]{0,60}"/g, '""')
        .replace(/\d+/g, "N")
        .slice(0, 160),
    )
    .join(" ; ");
  return `${step?.request?.method ?? step?.op ?? ""} ${kind} ${text}`;
}
