import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChartInflation } from "../../renderers/kustomize/generators/helm-charts.ts";
import { MemoryTree } from "../../renderers/memory-tree.ts";
import { RenderPool } from "../../renderers/render-pool.ts";
import { failureOf } from "../../test/failure-of.ts";
import { findProgram, programPath } from "../../test/find-program.ts";
import { HelmProgram } from "./helm-program.ts";

const REQUEST: ChartInflation = {
  name: "web",
  files: new Map([["Chart.yaml", Buffer.from("apiVersion: v2\nname: web\nversion: 0.1.0\n")]]),
  values: ["a: 1\n"],
  releaseName: "shop",
  nameTemplate: "",
  namespace: "prod",
  apiVersions: [],
  kubeVersion: "",
  includeCRDs: true,
  skipTests: false,
  skipHooks: false,
  debug: false,
  devel: false,
  pulled: false,
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "helm-program-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A program that answers `version` and otherwise runs `script`. */
function fakeHelm(script: string): string {
  const file = join(folder, "helm");
  const version = 'if [ "$1" = version ]; then echo "${FAKE_VERSION:-v4.3.1+g1}"; exit 0; fi';
  writeFileSync(file, `#!/bin/sh\n${version}\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

const environment = { PATH: process.env["PATH"], SECRET_TOKEN: "s3cret", HTTPS_PROXY: "http://proxy:3128" };
const never = new AbortController().signal;

describe("HelmProgram", () => {
  it("passes arguments in kustomize's order", () => {
    const command = fakeHelm('for each in "$@"; do echo "$each"; done');
    const helm = new HelmProgram({ command, environment, kubeVersion: "1.30", apiVersions: ["x/v1"], debug: true });

    const told = helm.blocking.inflate(REQUEST).trim().split("\n");

    expect(told.map((argument) => argument.replace(/^\/.*\//, ""))).toEqual([
      "template",
      "shop",
      "chart",
      "--namespace",
      "prod",
      "-f",
      "values-0.yaml",
      "--api-versions",
      "x/v1",
      "--kube-version",
      "1.30",
      "--include-crds",
      "--debug",
    ]);
  });

  it("lets given versions win over an entry's own", () => {
    const command = fakeHelm('echo "$@"');
    const helm = new HelmProgram({ command, environment, kubeVersion: "1.30", apiVersions: ["x/v1"] });

    const told = helm.blocking.inflate({ ...REQUEST, kubeVersion: "1.22", apiVersions: ["y/v1"] });

    expect(told).toContain("--api-versions x/v1 --kube-version 1.30");
  });

  it("shows the program nothing of the environment but PATH", () => {
    const helm = new HelmProgram({ command: fakeHelm("env"), environment });

    const told = helm.blocking.inflate(REQUEST);

    expect(told).not.toContain("s3cret");
    expect(told).not.toContain("proxy:3128");
    expect(told).toContain("HTTPS_PROXY=http://127.0.0.1:9");
    expect(told).toContain("HELM_CONFIG_HOME=");
  });

  it("lets a pull reach the network", () => {
    const command = fakeHelm('mkdir -p "$4/far"; env > "$4/far/values.yaml"');
    const helm = new HelmProgram({ command, environment });

    const files = helm.blocking.pull({ repo: "https://example.org", name: "far", version: "", devel: false });

    const told = Buffer.from(files.get("values.yaml")!).toString();
    expect(told).toContain("HTTPS_PROXY=http://proxy:3128");
    expect(told).not.toContain("s3cret");
  });

  it("pulls an exact version once", () => {
    const command = fakeHelm(`echo pull >> ${folder}/log; mkdir -p "$4/far"; echo "a: 1" > "$4/far/values.yaml"`);
    const helm = new HelmProgram({ command, environment });
    const pull = (version: string) =>
      helm.blocking.pull({ repo: "https://example.org", name: "far", version, devel: false });

    pull("1.2.3");
    pull("1.2.3");
    pull("~1.2");
    pull("~1.2");

    expect(readFileSync(join(folder, "log"), "utf8")).toBe("pull\npull\npull\n");
  });

  it("leaves no file behind", () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("flaghoist-helm-"));
    const helm = new HelmProgram({ command: fakeHelm("exit 3"), environment });

    expect(() => helm.blocking.inflate(REQUEST)).toThrow();

    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("flaghoist-helm-"))).toEqual(before);
  });

  it("tells what the program says, without our folder", () => {
    const command = fakeHelm('echo "Error: cannot parse $3/values.yaml" >&2; exit 1');

    const error = failureOf(() => new HelmProgram({ command, environment }).blocking.inflate(REQUEST));

    expect([error.code, error.recovery, error.message]).toEqual([
      "render-plugin",
      "stall",
      "helm cannot render the chart web: cannot parse chart/values.yaml",
    ]);
  });

  it("will be asked again when the program is not there or a repository does not answer", () => {
    const absent = new HelmProgram({ command: join(folder, "nothing"), environment });
    const broken = new HelmProgram({ command: fakeHelm('echo "no route" >&2; exit 1'), environment });
    const pull = { repo: "https://user:word@example.org/x", name: "far", version: "", devel: false };

    expect(failureOf(() => absent.blocking.inflate(REQUEST)).recovery).toBe("retry");
    const failure = failureOf(() => broken.blocking.pull(pull));
    expect([failure.recovery, failure.message]).toEqual([
      "retry",
      "the chart far cannot be pulled from https://example.org/x: no route",
    ]);
  });

  it("refuses other major versions", () => {
    const command = fakeHelm("");
    writeFileSync(command, readFileSync(command, "utf8").replace("v4.3.1", "v2.17.0"));

    const error = failureOf(() => new HelmProgram({ command, environment }).blocking.inflate(REQUEST));

    expect(error.message).toBe(`charts need Helm 3 or 4, ${command} is v2.17.0`);
  });

  it("ends a program that takes too long or prints too much", async () => {
    const slow = new HelmProgram({ command: fakeHelm("exec sleep 60"), environment, deadlineMs: 50 });

    expect(failureOf(() => slow.blocking.inflate(REQUEST)).message).toContain("no answer within 50 ms");
    await expect(slow.aside.inflate(REQUEST, never)).rejects.toThrow("no answer within 50 ms");

    const loud = new HelmProgram({ command: fakeHelm("exec yes"), environment, maxBytes: 10_000 });
    expect(failureOf(() => loud.blocking.inflate(REQUEST)).code).toBe("render-too-large");
    await expect(loud.aside.inflate(REQUEST, never)).rejects.toMatchObject({ code: "render-too-large" });
  });

  it("ends the program when nobody waits any longer", async () => {
    const controller = new AbortController();
    const command = fakeHelm(`touch ${folder}/started; exec sleep 60`);
    const asked = new HelmProgram({ command, environment }).aside.inflate(REQUEST, controller.signal);

    while (!existsSync(join(folder, "started"))) await new Promise((done) => setImmediate(done));
    controller.abort(new Error("enough"));

    await expect(asked).rejects.toThrow("enough");
  });

  it("serves a render that waits in its thread", async () => {
    const command = fakeHelm('printf "apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: %s}\\n" "$2"');
    const helm = new HelmProgram({ command, environment });
    const tree = new MemoryTree({
      "kustomization.yaml": "namePrefix: p-\nhelmCharts: [{name: web, releaseName: shop}]\n",
      "charts/web/values.yaml": "a: 1\n",
    });
    const pool = new RenderPool();
    try {
      const { objects } = await pool.render(tree, "", { charts: helm.aside });
      expect(objects.map(({ object }) => object.metadata.name)).toEqual(["p-shop"]);
      await expect(pool.render(tree, "")).rejects.toMatchObject({ code: "render-plugin" });
    } finally {
      await pool.close();
    }
  });

  it("renders with the real program", ({ skip }) => {
    if (findProgram("helm") === undefined) skip("needs helm in PATH or KUBEBUILDER_ASSETS");
    const template =
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  a: {{ .Values.a | quote }}\n";
    const files = new Map([...REQUEST.files, ["templates/cm.yaml", Buffer.from(template)]]);

    const text = new HelmProgram({ environment: { PATH: programPath() } }).blocking.inflate({ ...REQUEST, files });

    expect(text).toContain('  name: shop\n  namespace: prod\ndata:\n  a: "1"\n');
  });

  it("lets no template read our environment", ({ skip }) => {
    if (findProgram("helm") === undefined) skip("needs helm in PATH or KUBEBUILDER_ASSETS");
    const files = new Map([
      ...REQUEST.files,
      ["templates/cm.yaml", Buffer.from("apiVersion: v1\nkind: A\nmetadata: {name: {{ .Release.Name }}}\n")],
    ]);
    const helm = new HelmProgram({ environment: { PATH: programPath(), SECRET_TOKEN: "s3cret" } });

    const text = helm.blocking.inflate({
      ...REQUEST,
      files,
      releaseName: "",
      nameTemplate: 'x{{ env "SECRET_TOKEN" }}',
    });

    expect(text).toContain("name: x}");
  });
});
