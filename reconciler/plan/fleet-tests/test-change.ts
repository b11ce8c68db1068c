// Fleet tests of a change: how they end with it, and how they ended before it.
import type { ReportFinding, TestResult } from "../../../api/plan-report.ts";
import type { ResourceSelector } from "../../../api/policy.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { formatApiVersion, type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { Comparison } from "../compare-worlds.ts";
import type { FolderChange } from "../folder-change.ts";
import type { Origin } from "../origin.ts";
import { isPattern } from "./patterns.ts";
import { DEFAULT_TEST_LIMITS, runFleetTests, withBase } from "./run-fleet-tests.ts";
import type { FleetTestFile } from "./test-files.ts";
import { weakenedTests } from "./weakened-tests.ts";

/** How long the tests of one side may take before those that are left are skipped. */
const MOST_MS = 20_000;

/** What the tests look at, for loading no more than that. Kinds that the control plane does not have are passed over. */
export async function testedSelectors(
  client: KubeClient,
  files: readonly FleetTestFile[],
): Promise<readonly ResourceSelector[]> {
  const objects = files.flatMap(({ parsed }) => (parsed.tests ?? []).map(({ test }) => test.objects));
  if (objects.length === 0) return [];
  const kinds = Map.groupBy(await client.mapper.all(), ({ kind }) => kind);
  return objects.flatMap(({ apiVersion, kind, namespace, name }) => {
    const groups = new Map(
      (kinds.get(kind) ?? [])
        .map((info) => [info.group, formatApiVersion(info.group, info.version)] as const)
        .reverse(),
    );
    const versions = apiVersion === undefined ? [...groups.values()] : [apiVersion];
    const place = namespace === undefined || isPattern(namespace) ? {} : { namespace };
    // In no namespace in particular, a name may be in several.
    const one = name === undefined || isPattern(name) || !("namespace" in place) ? {} : { name };
    return versions.map((version) => ({ apiVersion: version, kind, ...place, ...one }));
  });
}

export interface TestSurroundings {
  readonly change: FolderChange;
  /** Where stored objects are written. */
  readonly originOf: (object: KubeObject) => Origin | undefined;
  readonly clock: Clock;
  readonly nowMs: number;
}

export interface TestedChange {
  /** Of the tests of the head. */
  readonly results: readonly TestResult[];
  /** About tests of the base that the head takes away or alters. */
  readonly findings: readonly ReportFinding[];
}

/** Runs the tests of the head, and those of the base that are not among them any more (`formerTests`). */
export async function testChange(
  files: readonly FleetTestFile[],
  former: readonly FleetTestFile[],
  { before, after, policyOrigin }: Comparison,
  { change, originOf, clock, nowMs }: TestSurroundings,
): Promise<TestedChange> {
  if (files.length === 0 && former.length === 0) return { results: [], findings: [] };
  const written = new Map(
    [...change.rendered, ...change.desired].map(({ object, origin }) => [refKey(refOf(object)), origin]),
  );
  const placeOf = (object: KubeObject): string | undefined =>
    written.get(refKey(refOf(object))) ?? originOf(object)?.file;
  const limits = () => {
    const end = clock.now() + MOST_MS;
    return { ...DEFAULT_TEST_LIMITS, isOver: () => clock.now() > end };
  };
  const now = await runFleetTests(files, { ...after, now: nowMs, originOf: placeOf, policyOrigin }, limits());
  const then = await runFleetTests(files, { ...before, now: nowMs, originOf: placeOf }, limits());
  const asBefore = await runFleetTests(former, { ...after, now: nowMs, originOf: placeOf, policyOrigin }, limits());
  return { results: withBase(now, then), findings: weakenedTests(asBefore, files) };
}
