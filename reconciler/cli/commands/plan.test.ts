import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PlanReport } from "../../../api/plan-report.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { writeFleetSnapshot } from "../../../test/fleet-snapshot.ts";
import { GitFixture } from "../../../test/git-fixture.ts";
import { runFlaghoist } from "../../../test/run-flaghoist.ts";
import { EXIT } from "../command.ts";

const LONG = 60_000;

const scratch = mkdtempSync(join(tmpdir(), "flaghoist-plan-"));
const snapshot = join(scratch, "fleet.snapshot");
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
beforeAll(() => writeFleetSnapshot(snapshot, [{ name: "paris" }, { name: "oregon" }]));

function sync(name: string, path: string): { plural: string; object: KubeObject } {
  return {
    plural: "syncs",
    object: {
      apiVersion: "gitops.flaghoist.io/v1alpha1",
      kind: "Sync",
      metadata: { name, namespace: "default" },
      spec: { sourceRef: { kind: "GitRepository", name: "shop" }, path },
    },
  };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(scratch, path)), { recursive: true });
  writeFileSync(join(scratch, path), text);
}

function settings(level: string, name = "settings"): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: default}\ndata: {level: ${level}}\n`;
}

const EVERYWHERE = `apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata: {name: all, namespace: default}
spec:
  resourceSelectors: [{apiVersion: v1, kind: ConfigMap}]
`;

function plan(...args: readonly string[]): ReturnType<typeof runFlaghoist> {
  return runFlaghoist(["plan", "--snapshot", snapshot, "--no-drift", ...args], { cwd: scratch });
}

async function report(...args: readonly string[]): Promise<PlanReport> {
  const { out, err } = await plan(...args, "-o", "json");
  expect(err).toBe("");
  return JSON.parse(out) as PlanReport;
}

describe("flaghoist plan OLD NEW", () => {
  beforeAll(() => {
    for (const [folder, level] of [
      ["old", "info"],
      ["new", "debug"],
    ] as const) {
      write(`${folder}/policy.yaml`, EVERYWHERE);
      write(`${folder}/settings.yaml`, settings(level));
      write(`${folder}/same.yaml`, settings("warn", "same"));
    }
    write("old/gone.yaml", settings("info", "gone"));
    write("new/come.yaml", settings("info", "come"));
  });

  it(
    "says what differs between two folders, the first of which is the base",
    async () => {
      const { objects, subject } = await report("old", "new");

      expect(subject).toMatchObject({ base: { name: "old" }, head: { name: "new" } });
      expect(
        objects.map(({ object, change, place, copies }) => [
          object.name,
          change,
          place?.file,
          copies.flatMap(({ clusters }) => clusters),
        ]),
      ).toEqual([
        ["come", "created", "new/come.yaml", ["oregon", "paris"]],
        ["settings", "changed", "new/settings.yaml", ["oregon", "paris"]],
        ["gone", "deleted", "old/gone.yaml", ["oregon", "paris"]],
      ]);
      const settled = objects.find(({ object }) => object.name === "settings");
      expect(settled?.fields).toMatchObject([{ path: "data.level", before: "info", after: "debug" }]);
    },
    LONG,
  );

  it(
    "compares folders of two checkouts, each with what it refers to in its own",
    async () => {
      const checkouts = [new GitFixture(), new GitFixture()] as const;
      for (const [at, level] of ["info", "debug"].entries())
        checkouts[at]?.commit("Everything", {
          "base/kustomization.yaml": "resources: [settings.yaml]\n",
          "base/settings.yaml": settings(level),
          "apps/shop/kustomization.yaml": "resources: [../../base]\n",
        });
      const [old, fresh] = checkouts.map(({ work }) => join(work, "apps/shop")) as [string, string];

      const { objects, subject } = await report(old, fresh);
      for (const checkout of checkouts) checkout.remove();

      expect(subject.path).toBe("apps/shop");
      expect(objects.map(({ object, change, place }) => [object.name, change, place?.file])).toEqual([
        ["settings", "changed", "base/settings.yaml"],
      ]);
    },
    LONG,
  );

  it(
    "follows the Syncs that apply folders in the two, and no others",
    async () => {
      const withSyncs = join(scratch, "syncs.snapshot");
      const syncs = [sync("shop", "prod/shop"), sync("else", "prod/else")];
      await writeFleetSnapshot(withSyncs, [{ name: "paris" }], syncs);
      write("staging/shop/settings.yaml", settings("info"));
      write("prod/shop/settings.yaml", settings("debug"));

      const { objects, subject } = await report("staging", "prod", "--snapshot", withSyncs);

      expect(subject.syncs).toEqual(["default/shop"]);
      expect(objects.map(({ object, change, fields }) => [object.name, change, fields[0]?.before])).toEqual([
        ["settings", "changed", "info"],
      ]);
    },
    LONG,
  );

  it(
    "says why a cluster has an object, or has it no longer",
    async () => {
      for (const [folder, name] of [
        ["moved-old", "paris"],
        ["moved-new", "oregon"],
      ] as const) {
        write(`${folder}/policy.yaml`, `${EVERYWHERE}  placement: {clusterAffinity: {clusterNames: [${name}]}}\n`);
        write(`${folder}/settings.yaml`, settings(name));
      }

      const { objects } = await report("moved-old", "moved-new");
      const { out } = await plan("moved-old", "moved-new");

      expect(objects.find(({ object }) => object.name === "settings")?.placement).toEqual({
        policyBefore: "default/all",
        policyAfter: "default/all",
        policyPlace: { file: "moved-new/policy.yaml", line: 1 },
        summary: "policy default/all changes its spec.placement.clusterAffinity",
        clusters: [
          { cluster: "oregon", there: "came", reason: "before: is not in the list of names" },
          { cluster: "paris", there: "goes", reason: "is not in the list of names" },
        ],
      });
      expect(out).toContain("gone from paris: is not in the list of names");
    },
    LONG,
  );

  it(
    "points to the line of the field that a finding is about",
    async () => {
      for (const [folder, level] of [
        ["fixed-old", "info"],
        ["fixed-new", "debug"],
      ] as const) {
        write(`${folder}/policy.yaml`, EVERYWHERE);
        write(`${folder}/settings.yaml`, `# Fixed.\nimmutable: true\n${settings(level)}`);
      }

      const { findings } = await report("fixed-old", "fixed-new");

      expect(findings).toMatchObject([
        { rule: "immutable-field", field: "data", place: { file: "fixed-new/settings.yaml", line: 6 } },
      ]);
    },
    LONG,
  );

  it(
    "tests what folders have that the change leaves alone and nobody has applied yet",
    async () => {
      const withSyncs = join(scratch, "untouched.snapshot");
      const syncs = [sync("shop", "live/shop"), sync("else", "live/else"), sync("bad", "live/bad")];
      await writeFleetSnapshot(withSyncs, [{ name: "paris" }], syncs);
      const checkout = new GitFixture();
      const base = checkout.commit("Everything", {
        "live/shop/settings.yaml": settings("info"),
        "live/else/policy.yaml": EVERYWHERE,
        "live/else/other.yaml": settings("warn", "other"),
        "live/bad/kustomization.yaml": "resources: [absent.yaml]\n",
        "live/placed.fleet.yaml": `apiVersion: test.flaghoist.io/v1alpha1
kind: FleetTest
metadata: {name: placed}
tests:
  - name: other is in paris
    objects: {kind: ConfigMap, namespace: default, name: other}
    expect: {presentOn: {names: paris}}
`,
      });
      const head = checkout.commit("More", { "live/shop/settings.yaml": settings("debug") });

      const live = join(checkout.work, "live");
      const { tests, objects } = await report(live, "--base", `${base}..${head}`, "--snapshot", withSyncs);
      checkout.remove();

      expect(tests).toMatchObject([{ name: "other is in paris", outcome: "passed", base: "passed" }]);
      expect(objects.map(({ object }) => object.name)).toEqual(["settings"]);
    },
    LONG,
  );

  it("exits as a plan of one folder does", async () => {
    expect((await plan("old", "new", "--exit-code")).code).toBe(EXIT.differences);
    expect((await plan("old", "old", "--exit-code")).code).toBe(EXIT.ok);
  });

  it.each([
    [["old", "absent"], EXIT.failed, `${join(scratch, "absent")} is no folder`],
    [["absent", "new"], EXIT.failed, `${join(scratch, "absent")} is no folder`],
    [
      ["old", "new", "--base", "main"],
      EXIT.usage,
      "old is the base of new already: leave out --base, or name one folder",
    ],
    [["old", "new", "newer"], EXIT.usage, "name one folder, or two to compare: not 3"],
  ])("says what is wrong with %j", async (args, code, words) => {
    const ran = await plan(...args);

    expect(ran.code).toBe(code);
    expect(ran.err).toContain(words);
  });
});
