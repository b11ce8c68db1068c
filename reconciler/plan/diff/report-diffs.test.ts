import { describe, expect, it } from "vitest";
import type { PlanReport } from "../../../api/plan-report.ts";
import { type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import { Random } from "../../../runtime/random.ts";
import type { SourceTree } from "../../../sources/tree.ts";
import {
  binding,
  claimed,
  cluster,
  configMap,
  deployment,
  overridePolicy,
  policy,
  weighted,
  world,
} from "../../../test/builders.ts";
import { createInterpreter } from "../../interpreter/levels.ts";
import { nativeLevel } from "../../interpreter/native.ts";
import { planMarkdown } from "../../reports/markdown/plan-markdown.ts";
import { comparePlans } from "../changes.ts";
import type { Comparison } from "../compare-worlds.ts";
import type { FolderChange } from "../folder-change.ts";
import { makeReport } from "../make-report.ts";
import { runRiver } from "../river.ts";
import { sourceChanges } from "../source-changes.ts";
import { changeWorld, type World } from "../world.ts";
import { withCleanMessages } from "./clean-messages.ts";
import { RUN_MASK } from "./mask.ts";
import { ReportDiffs } from "./report-diffs.ts";

const options = { interpreter: createInterpreter({ native: nativeLevel() }), now: 0 };
const names = ["a", "b", "c"];
const owner = policy({ name: "p", placement: weighted({ a: 1, b: 1, c: 1 }) });
const everywhere = policy({ name: "all", selects: [{ apiVersion: "v1", kind: "Secret" }], placement: {} });
const NO_HOOKS = { runs: [], onFailure: [], onDeletion: [], idle: undefined };

/** The report of these objects in place of what is there. */
function reportOf(
  before: World,
  put: readonly KubeObject[],
  { problems = [], trees }: { readonly problems?: readonly string[]; readonly trees?: FolderChange["trees"] } = {},
): PlanReport {
  const after = changeWorld(before, put, []);
  const decided = { before: runRiver(before, options), after: runRiver(after, options) };
  const plan = comparePlans(decided.before, decided.after, names, () => ({ file: "policies.yaml:9" }));
  const old = new Map(before.templates.map((object) => [refKey(refOf(object)), object]));
  const desired = put.map((object) => ({
    object,
    before: old.get(refKey(refOf(object))),
    origin: `apps/${object.metadata.name}.yaml:3`,
  }));
  const rendered = put.map((object) => ({ object, rendered: object, origin: "" }));
  // The parts of both that diffs are made of.
  const change = {
    desired,
    base: desired.flatMap(({ before: object, origin }) => (object ? [{ object, origin }] : [])),
    rendered,
    trees,
  };
  const compared = {
    before: { world: before, outcomes: decided.before },
    after: { world: after, outcomes: decided.after },
    plan,
    policyOrigin: () => ({ file: "policies.yaml:9" }),
  };
  const report = makeReport({
    subject: { path: "apps", head: { name: "head" }, fleet: { from: "live", clusters: 3 } },
    made: { at: "2026-01-01T00:00:00Z", tookMs: 1, version: "test" },
    renderHash: "sha256:0",
    clusters: before.clusters,
    plan,
    source: sourceChanges(desired, []),
    warnings: problems.map((message) => ({ origin: "apps/x.yaml:1", message, severity: "warning" })),
    drift: [],
    driftUnknown: [],
    held: undefined,
    kept: [],
    heldClusters: [],
    hooks: NO_HOOKS,
    deletionsUnknown: undefined,
    whatIf: [],
    findings: [],
    diffs: new ReportDiffs(compared as unknown as Comparison, change as unknown as FolderChange, RUN_MASK),
  });
  return withCleanMessages(report, () => put, RUN_MASK);
}

function fleet(parts: Partial<World>): World {
  return world({
    clusters: names.map((name) => cluster({ name, kinds: ["apps/v1 Deployment", "v1 ConfigMap", "v1 Secret"] })),
    ...parts,
  });
}

const web = claimed(deployment({ replicas: 6 }), owner);
const placed = fleet({
  policies: [owner],
  templates: [web],
  bindings: [
    binding({ template: web, policy: owner, replicas: 6, clusters: names.map((name) => ({ name, replicas: 2 })) }),
  ],
});

function changedLines(report: PlanReport): string[][] {
  return report.objects.flatMap(({ copies }) =>
    copies.map(({ clusters, diff }) => [
      clusters.join(),
      ...(diff?.hunks ?? []).flatMap(({ lines }) =>
        lines
          .filter(({ op }) => op !== " ")
          .map(({ op, text, writer }) => {
            const by = writer === undefined ? undefined : diff?.writers[writer];
            return `${op}${text.trim()} <- ${by?.name} ${by?.place?.file ?? ""}`;
          }),
      ),
    ]),
  );
}

describe("diffs of a report", () => {
  it("has equal changes of many clusters once, with who wrote them", () => {
    const report = reportOf(placed, [claimed(deployment({ replicas: 6, image: "shop/web:2" }), owner)]);

    expect(changedLines(report)).toEqual([
      [
        "a,b,c",
        "-image: shop/web:1 <- apps/web.yaml apps/web.yaml",
        "+image: shop/web:2 <- apps/web.yaml apps/web.yaml",
      ],
    ]);
    expect(report.objects[0]).not.toHaveProperty("diff");
  });

  it("points at the line of a field in its file", () => {
    const yaml = (image: string) =>
      [
        "kind: Deployment",
        "metadata: {name: web}",
        "spec:",
        "  template:",
        "    spec:",
        "      containers:",
        "      - name: web",
        `        image: ${image}`,
      ].join("\n");
    const treeOf = (image: string): SourceTree => ({
      revision: image,
      list: () => undefined,
      read: (path) => (path === "apps/web.yaml" ? Buffer.from(`# web\n---\n${yaml(image)}`) : undefined),
    });
    const trees = { head: treeOf("shop/web:2"), base: treeOf("shop/web:1") };

    const report = reportOf(placed, [claimed(deployment({ replicas: 6, image: "shop/web:2" }), owner)], { trees });

    expect(report.objects[0]?.copies[0]?.diff?.writers).toEqual([
      { what: "file", name: "apps/web.yaml", place: { file: "apps/web.yaml", line: 10 } },
    ]);
  });

  it("tells clusters apart where an override does", () => {
    const override = overridePolicy({
      name: "registry",
      rules: [
        {
          targetCluster: { clusterNames: ["b"] },
          overriders: { imageOverrider: [{ component: "Registry", operator: "replace", value: "eu.example" }] },
        },
      ],
    });

    const report = reportOf({ ...placed, overridePolicies: [override] }, [
      claimed(deployment({ replicas: 6, image: "shop/web:2" }), owner),
    ]);

    expect(changedLines(report)).toMatchObject([
      ["a,c", expect.stringContaining("shop/web:1"), expect.stringContaining("apps/web.yaml")],
      [
        "b",
        "-image: eu.example/shop/web:1 <- override shop/registry, rule 1 policies.yaml",
        "+image: eu.example/shop/web:2 <- override shop/registry, rule 1 policies.yaml",
      ],
    ]);
  });

  it("names the scheduler for replicas that change alike, and leaves out those that do not", () => {
    const alike = reportOf(placed, [claimed(deployment({ replicas: 9, image: "shop/web:2" }), owner)]);
    const unlike = reportOf(placed, [claimed(deployment({ replicas: 7, image: "shop/web:2" }), owner)]);

    expect(changedLines(alike)[0]).toContain("+replicas: 3 <- scheduler, by policy shop/p ");
    expect(JSON.stringify(changedLines(unlike))).not.toContain("replicas:");
  });

  it("shows a new copy whole and a deleted one not at all", () => {
    const report = reportOf(fleet({ policies: [owner] }), [claimed(deployment({ replicas: 6 }), owner)]);

    const [created] = report.objects.flatMap(({ copies }) => copies);
    expect(created).toMatchObject({ change: "created", clusters: names, diff: { removed: 0 } });
    expect(created?.diff?.hunks[0]?.lines[0]).toMatchObject({ op: "+", text: "apiVersion: apps/v1" });
    const moved = reportOf(placed, [policy({ name: "p", placement: weighted({ a: 1 }) })]);
    const gone = moved.objects.flatMap(({ copies }) => copies).filter(({ change }) => change === "deleted");
    for (const group of gone) expect(group).not.toHaveProperty("diff");
  });

  it("shows what has no copies in the control plane's own terms", () => {
    const report = reportOf(fleet({ templates: [configMap("c", { a: "1" })] }), [configMap("c", { a: "2" })]);

    expect(report.objects[0]?.diff).toMatchObject({ added: 1, removed: 1, writers: [{ name: "apps/c.yaml" }] });
  });

  it("never shows a byte of a Secret's values in any form of output", () => {
    const random = new Random(23);
    let withCopies = 0;
    for (let round = 0; round < 60; round++) {
      const values: string[] = [];
      const value = (): string => {
        const text = `qwX${random.list(8, () => random.pick([..."QWXZqwxz0123456789"])).join("")}Zq7`;
        values.push(text, Buffer.from(text).toString("base64"));
        return random.pick([text, Buffer.from(text).toString("base64")]);
      };
      const secret = (): KubeObject => ({
        apiVersion: "v1",
        kind: "Secret",
        metadata: {
          name: "s",
          namespace: "shop",
          annotations: {
            "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({ data: { a: value() } }),
            team: "shop",
          },
        },
        type: random.pick(["Opaque", "kubernetes.io/dockerconfigjson"]),
        ...(random.chance(0.8)
          ? { data: random.pick([{ a: value(), b: value() }, value(), [value()], { a: [value()] }]) }
          : {}),
        ...(random.chance(0.5) ? { stringData: { c: `line\n${value()}\n` } } : {}),
      });
      const [old, fresh] = [secret(), secret()];
      const before = fleet({
        policies: random.chance(0.7) ? [everywhere] : [],
        templates: random.chance(0.7) ? [claimed(old, everywhere)] : [],
        overridePolicies: [
          overridePolicy({
            name: "o",
            selects: [{ apiVersion: "v1", kind: "Secret" }],
            rules: [{ overriders: { plaintext: [{ path: "/data/a", operator: "replace", value: value() }] } }],
          }),
        ],
      });
      const texts = [fresh["data"], fresh["stringData"]].map((part) => `invalid: ${JSON.stringify(part)}`);

      const report = reportOf(before, [random.chance(0.5) ? claimed(fresh, everywhere) : fresh], { problems: texts });

      withCopies += report.objects.filter(({ copies }) => copies.some(({ diff }) => diff !== undefined)).length;
      const outputs = [
        JSON.stringify(report),
        ...(["github", "gitlab", "azure-devops"] as const).map((dialect) => planMarkdown(report, { dialect })),
      ];
      for (const output of outputs) for (const one of values) expect(output).not.toContain(one);
    }
    expect(withCopies).toBeGreaterThan(10);
  });
});
