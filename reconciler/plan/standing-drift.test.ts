import { describe, expect, it } from "vitest";
import type { Work } from "../../api/work.ts";
import { type KubeObject, refKey, refOf } from "../../kube/object.ts";
import { deployment } from "../../test/builders.ts";
import { DRIFT_FINDINGS_ANNOTATION, type StandingField } from "../works/drift-record.ts";
import { type StandingOptions, standingCopies } from "./standing-drift.ts";

const SEEN = "2026-01-01T00:00:00Z";
const LATER = Date.parse("2026-01-02T00:00:00Z");
const web = deployment();

function work(
  fields: readonly Partial<StandingField>[],
  { manifest = web, applied = "True", more }: { manifest?: KubeObject; applied?: string; more?: number } = {},
): Work {
  const record = fields.map((field) => ({
    object: refKey(refOf(manifest)),
    path: "spec.replicas",
    since: SEEN,
    ...field,
  }));
  return {
    apiVersion: "work.karmada.io/v1alpha1",
    kind: "Work",
    metadata: { name: "web", annotations: { [DRIFT_FINDINGS_ANNOTATION]: JSON.stringify({ fields: record, more }) } },
    spec: { workload: { manifests: [manifest] } },
    status: {
      conditions: [{ type: "Applied", status: applied, reason: "", message: "quota", lastTransitionTime: SEEN }],
    },
  } as unknown as Work;
}

function copiesOf(given: Work, options: Partial<StandingOptions> = {}) {
  return standingCopies(given, {
    cluster: "a",
    answers: true,
    syncOf: () => "shop/apps",
    seenUntilMs: LATER,
    hideLive: false,
    ...options,
  });
}

function valuesOf(path: string, wanted: unknown, found: unknown): readonly unknown[] {
  const [wantedText, foundText] = [wanted, found].map((value) => JSON.stringify(value));
  const [copy] = copiesOf(work([{ path, wanted: wantedText, found: foundText }])).copies;
  return copy?.fields.flatMap((field) => [field.path, field.wanted, field.found]) ?? [];
}

describe("standingCopies", () => {
  it("reads what was found, by whom and since when", () => {
    const given = work([{ wanted: "2", found: "5", manager: "kubectl-scale" }]);

    expect(copiesOf(given)).toMatchObject({
      young: 0,
      copies: [
        {
          cluster: "a",
          state: "drifted",
          sync: "shop/apps",
          fields: [
            { path: "spec.replicas", wanted: 2, found: 5, manager: "kubectl-scale", firstSeen: SEEN, mode: "report" },
          ],
        },
      ],
    });
  });

  it("counts what was seen first too lately, and does not call such a copy as wanted", () => {
    const given = work([{ wanted: "2", found: "5" }]);

    expect(copiesOf(given, { seenUntilMs: Date.parse(SEEN) - 1 })).toEqual({ copies: [], young: 1 });
  });

  it("calls a copy as wanted only when it is applied, and its cluster answers", () => {
    expect(copiesOf(work([])).copies).toMatchObject([{ state: "as-wanted" }]);
    expect(copiesOf(work([], { applied: "False" })).copies).toMatchObject([{ state: "waiting", message: "quota" }]);
    expect(copiesOf(work([]), { answers: false }).copies).toEqual([]);
    expect(copiesOf(work([{}]), { answers: false }).copies).toMatchObject([{ state: "drifted" }]);
  });

  it("leaves out objects of other sources, and those whose drift nobody looks for", () => {
    const paused = deployment();
    paused.metadata.annotations = { "gitops.flaghoist.io/drift": "pause" };

    expect(copiesOf(work([{}]), { syncOf: () => undefined }).copies).toEqual([]);
    expect(copiesOf(work([], { manifest: paused })).copies).toEqual([]);
  });

  it("says that there is more than the record names", () => {
    expect(copiesOf(work([{}], { more: 3 })).copies).toMatchObject([
      { state: "drifted" },
      { state: "unknown", message: "3 more fields differ (flaghoist drift)" },
    ]);
  });

  it.each([
    [
      "spec.containers[name=web].env[name=DB_PASSWORD].value",
      "old",
      "new",
      "spec.containers[web].env[DB_PASSWORD].value",
      "(hidden)",
      "(hidden)",
    ],
    [
      "spec.containers[name=web].env[name=LEVEL].value",
      "old",
      "new",
      "spec.containers[web].env[LEVEL].value",
      "old",
      "new",
    ],
    [
      "spec.containers[name=web].env[name=API_TOKEN]",
      undefined,
      { name: "API_TOKEN", value: "t" },
      "spec.containers[web].env[API_TOKEN]",
      undefined,
      { name: "API_TOKEN", value: "(hidden)" },
    ],
    ["data.url", "https://a:b@host/", "x", "data.url", "https://(hidden)@host/", "x"],
    [
      'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]',
      "{}",
      "{x}",
      'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]',
      "(hidden)",
      "(hidden)",
    ],
    ["spec.ports[port=80,protocol=TCP].name", "a", "b", "spec.ports[80,TCP].name", "a", "b"],
  ])("masks what may be a credential, the same in every process: %s", (path, wanted, found, ...expected) => {
    expect(valuesOf(path, wanted, found)).toEqual(expected);
  });

  it("shows nothing of a value that was cut", () => {
    const cut = (text: string) => copiesOf(work([{ wanted: "1", found: text }])).copies[0]?.fields[0]?.found;

    expect(cut('"https://user:passwo…')).toBe("(long text)");
    expect(cut('[{"name":"DB_PASSWORD","value":"hun…')).toBe("[…]");
    expect(cut('{"a":1…')).toBe("{…}");
  });

  it("tells neither value nor manager of clusters where that is hidden", () => {
    const [copy] = copiesOf(work([{ wanted: "2", found: "5", manager: "eve" }]), { hideLive: true }).copies;

    expect(copy?.fields).toMatchObject([{ wanted: 2, found: "(hidden)", manager: undefined }]);
  });
});
