// The same command lines given to flaghoist and to the real kustomize, where there is one.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { KUSTOMIZATION_FILES } from "../../../renderers/kustomize/kustomization/kustomization.ts";
import type { TreeFiles } from "../../../renderers/memory-tree.ts";
import { findProgram, programPath } from "../../../test/find-program.ts";
import { findRealKustomize, NO_REAL_KUSTOMIZE, writeFiles } from "../../../test/fuzz/kustomize/real-kustomize.ts";
import { runFlaghoist } from "../../../test/run-flaghoist.ts";

const EXAMPLES = join(import.meta.dirname, "../../../examples");
const program = findRealKustomize();
if (program === undefined) console.warn(`skipped: ${NO_REAL_KUSTOMIZE}`);

interface Result {
  readonly status: number | null;
  readonly out: string;
  /** Lines on the standard error but for the error itself and for times. */
  readonly warnings: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

/** Holds helm too, where it is there. */
const PATH = programPath();

async function runOurs(cwd: string, args: readonly string[]): Promise<Result> {
  const { code, out, err } = await runFlaghoist(["render", ...args], { cwd, env: { PATH } });
  return { status: code, out, warnings: warningsOf(err), files: filesIn(cwd) };
}

function runReal(cwd: string, args: readonly string[]): Result {
  const { status, stdout, stderr } = spawnSync(program ?? "", ["build", ...args], {
    cwd,
    encoding: "utf8",
    env: { PATH },
  });
  return { status, out: stdout, warnings: warningsOf(stderr), files: filesIn(cwd) };
}

function warningsOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /, ""))
    .filter((line) => /^(?:# )?Warning: |^Flag /.test(line));
}

function filesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    names.map(({ parentPath, name }) => [
      relative(folder, join(parentPath, name)),
      readFileSync(join(parentPath, name), "utf8"),
    ]),
  );
}

function hasHelm(): boolean {
  const isFound = findProgram("helm") !== undefined;
  if (!isFound) console.warn("skipped: helm is neither in KUBEBUILDER_ASSETS nor on PATH");
  return isFound;
}

/** Runs both in folders of their own, with the same files. */
async function both(files: TreeFiles, cwd: string, args: readonly string[]): Promise<[ours: Result, real: Result]> {
  const root = mkdtempSync(join(tmpdir(), "beside-kustomize-"));
  try {
    for (const side of ["ours", "real"]) {
      writeFiles(join(root, side), files);
      mkdirSync(join(root, side, "out"));
    }
    return [await runOurs(join(root, "ours", cwd), args), runReal(join(root, "real", cwd), args)];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const FILES: TreeFiles = {
  "base/kustomization.yaml": "resources: [all.yaml]\nconfigMapGenerator: [{name: settings, literals: [a=1]}]\n",
  "base/all.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: Shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:reader"}
---
kind: Thing
metadata: {name: Bare}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
`,
  "overlay/kustomization.yml": "resources: [../base]\ncommonLabels: {a: b}\n",
  "sorted/Kustomization": "resources: [../base]\nsortOptions: {order: fifo}\n",
  "linked/kustomization.yaml": "resources: [base, ./link.yaml]\n",
  "linked/base": { link: "../base" },
  "linked/link.yaml": { link: "real.yaml" },
  "linked/real.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: linked}\n",
  "escaping/kustomization.yaml": "resources: [link.yaml]\n",
  "escaping/link.yaml": { link: "../linked/real.yaml" },
  "outside/kustomization.yaml": "resources: [../linked/real.yaml]\n",
  "double/kustomization.yaml": "resources: [../base]\n",
  "double/Kustomization": "resources: [../base]\n",
  "charted/kustomization.yaml":
    "helmCharts: [{name: small, releaseName: r, kubeVersion: v1.29.0, apiVersions: [own/v1]}]\n",
  "charted/charts/small/Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.0.0\n",
  "charted/charts/small/templates/map.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data:
  kube: {{ .Capabilities.KubeVersion.Version | quote }}
  own: {{ .Capabilities.APIVersions.Has "own/v1" | quote }}
  given: {{ .Capabilities.APIVersions.Has "given/v1" | quote }}
`,
  "broken/kustomization.yaml": "bases: [../base]\nvars: []\nresources: [nowhere.yaml]\n",
};

describe.runIf(program !== undefined)("flaghoist render beside kustomize build", () => {
  const examples = readdirSync(EXAMPLES, { recursive: true, encoding: "utf8" })
    .filter((path) => KUSTOMIZATION_FILES.some((name) => path.endsWith(`/${name}`)))
    .map((path) => dirname(path))
    // A component alone changes objects that are not there.
    .filter((path) => !path.includes("/components/"));

  it.each(examples)("prints the same for the example %s", async (path) => {
    const ours = await runOurs(join(EXAMPLES, path), []);

    expect(ours).toEqual(runReal(join(EXAMPLES, path), []));
    expect(ours.status).toBe(0);
  });

  it.each([
    ["overlay", []],
    ["overlay", ["."]],
    [".", ["overlay"]],
    [".", ["./overlay/"]],
    ["base", ["../overlay"]],
    [".", ["overlay", "--reorder", "none"]],
    [".", ["overlay", "--reorder=legacy"]],
    [".", ["--reorder", "legacy", "sorted"]],
    [".", ["sorted"]],
    [".", ["--reorder", "best", "overlay"]],
    [".", ["linked"]],
    [".", ["escaping"]],
    [".", ["escaping", "--load-restrictor", "LoadRestrictionsNone"]],
    [".", ["outside"]],
    [".", ["outside", "--load-restrictor=LoadRestrictionsNone"]],
    [".", ["outside", "--load-restrictor", ""]],
    [".", ["outside", "--load-restrictor", "none"]],
    [".", ["double"]],
    [".", ["broken"]],
    [".", ["nowhere"]],
    [".", ["overlay", "base"]],
    [".", ["overlay/kustomization.yml"]],
    [".", [""]],
    [".", ["overlay", "-o", "one.yaml"]],
    [".", ["overlay", "-o=one.yaml"]],
    [".", ["overlay", "-oone.yaml"]],
    [".", ["overlay", "--output", "out"]],
    [".", ["overlay", "-o", ""]],
    [".", ["overlay", "-o", "nowhere/one.yaml"]],
    [".", ["overlay", "-o"]],
    [".", ["overlay", "--enable-managedby-label"]],
    [".", ["overlay", "--enable-managedby-label=false"]],
    [".", ["overlay", "--enable-helm=maybe"]],
    [".", ["overlay", "--enable-star"]],
    [".", ["overlay", "--enable-alpha-plugins", "--enable-exec", "--network", "--network-name", "x", "--mount", "a"]],
    [".", ["overlay", "-e", "A=1", "-eB", "--as-current-user=true", "--", "base"]],
    [".", ["--", "overlay"]],
    [".", ["charted"]],
  ])("does the same in %s with %j", async (cwd, args) => {
    const [ours, real] = await both(FILES, cwd, args);

    expect(ours).toEqual(real);
  });

  it
    .runIf(hasHelm())
    .each([
      ["--enable-helm"],
      ["--enable-alpha-plugins"],
      ["--enable-helm", "--helm-kube-version", "v1.31.2", "--helm-api-versions", "given/v1"],
      ["--enable-helm", "--helm-api-versions=given/v1", "--helm-api-versions=own/v1", "--helm-command", "helm"],
      ["--enable-helm", "--helm-command", "./nowhere/helm"],
      ["--enable-helm", "--helm-command="],
    ])("inflates the same chart with %j %j %j", async (...args) => {
    const [ours, real] = await both(FILES, ".", ["charted", ...args]);

    expect(ours).toEqual(real);
  });

  it("does the same with an absolute path, and with links and files that are absolute", async () => {
    const root = mkdtempSync(join(tmpdir(), "beside-kustomize-"));
    try {
      writeFiles(root, {
        ...FILES,
        "absolute/kustomization.yaml": `resources: [base, link.yaml, ${join(root, "absolute/own.yaml")}]\n`,
        "absolute/base": { link: join(root, "base") },
        "absolute/link.yaml": { link: join(root, "absolute/own/other.yaml") },
        "absolute/own.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: own}\n",
        "absolute/own/other.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: other}\n",
      });

      const args = [join(root, "absolute")];
      const ours = await runOurs(root, args);

      expect(ours).toEqual(runReal(root, args));
      expect(ours.status).toBe(0);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
