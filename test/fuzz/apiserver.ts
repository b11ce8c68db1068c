// The fuzzers of the embedded API server, from its parsers to whole requests.
import { bodyTargets } from "./apiserver-bodies.ts";
import { patchTargets } from "./apiserver-patches.ts";
import { queryTargets } from "./apiserver-queries.ts";
import { openRequestTarget } from "./apiserver-requests.ts";
import type { FuzzTarget } from "./fuzz-target.ts";

export async function open(): Promise<readonly FuzzTarget[]> {
  return [...bodyTargets, ...queryTargets, ...patchTargets, await openRequestTarget()];
}
