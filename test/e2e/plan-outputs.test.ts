// What `plan -o` prints: each form is what its readers expect, and none of them tells a Secret's value.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { stringifyYaml } from "../../kube/yaml.ts";
import { deployment, policy } from "../builders.ts";
import { htmlStructure } from "../html-structure.ts";
import { markdownStructure } from "../markdown-structure.ts";
import { type Ran, runFlaghoist } from "../run-flaghoist.ts";
import { eventually } from "./support/eventually.ts";
import { type Plane, startPlane, THREE_CLUSTERS } from "./support/plane.ts";

const FORMATS = [
  undefined,
  "json",
  "yaml",
  "html",
  "markdown",
  "annotations",
  "code-quality",
  "sarif",
  "junit",
] as const;

let plane: Plane;
let folder: string;

beforeAll(async () => {
  plane = await startPlane({ engine: "embedded", members: THREE_CLUSTERS });
  folder = mkdtempSync(join(tmpdir(), "flaghoist-outputs-"));
}, 60_000);

afterAll(async () => {
  await plane.close();
  rmSync(folder, { recursive: true, force: true });
});

function flaghoist(...args: string[]): Promise<Ran> {
  return runFlaghoist(args, { cwd: folder, env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig } });
}

function plan(path: string, format: (typeof FORMATS)[number]): Promise<Ran> {
  return flaghoist("plan", path, "--no-drift", ...(format === undefined ? [] : ["-o", format]));
}

function write(path: string, ...objects: readonly KubeObject[]): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), objects.map((object) => stringifyYaml(asWritten(object))).join("---\n"));
}

/** As written in files: without what only a server knows. */
function asWritten(object: KubeObject): KubeObject {
  const { name = "", namespace } = object.metadata;
  return { ...object, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}

const BEFORE = "correct-horse-battery-staple";
const AFTER = "hunter2-but-rather-longer";
const TEXT = "a-token-as-plain-text-0451";
/** Everything by which somebody could know the values. */
const SECRETS = [BEFORE, AFTER, TEXT].flatMap((value) => [value, Buffer.from(value).toString("base64")]);

function secret(password: string, stringData?: Record<string, string>): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "db", namespace: "shop" },
    data: { password: Buffer.from(password).toString("base64") },
    ...(stringData === undefined ? {} : { stringData }),
  } as KubeObject;
}

const namespace: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const everywhere = policy({
  name: "all",
  clusters: ["tokyo-1", "paris-1"],
  selects: [
    { apiVersion: "v1", kind: "Secret" },
    { apiVersion: "apps/v1", kind: "Deployment" },
  ],
});

describe("plan -o", () => {
  beforeAll(async () => {
    for (const object of [namespace, everywhere, secret(BEFORE)])
      await plane.client.apply(asWritten(object), { fieldManager: "flaghoist", force: true });
    const binding = {
      apiVersion: "work.karmada.io/v1alpha2",
      kind: "ResourceBinding",
      namespace: "shop",
      name: "db-secret",
    };
    await eventually(async () => expect(await plane.client.find(binding)).toBeDefined());
    const web = deployment({ replicas: 2 });
    write("apps/shop.yaml", namespace, everywhere, secret(AFTER, { token: TEXT }), web);
    const broken = { ...secret(AFTER), data: { password: AFTER } } as KubeObject;
    write("broken/secret.yaml", broken);
  }, 60_000);

  it.each([
    ["apps", 0],
    ["broken", 1],
  ])("tells in no form what a Secret's values are: %s", async (path, ends) => {
    for (const format of FORMATS) {
      const { code, out, err } = await plan(path, format);

      expect(code, out).toBe(ends);
      // Nothing was found that could stand on a line.
      expect(out === "", String(format)).toBe(format === "annotations" && path === "apps");
      expect(
        SECRETS.filter((value) => `${out}${err}`.includes(value)),
        String(format),
      ).toEqual([]);
    }
  });

  it("is a comment as Markdown, within what the host takes", async () => {
    const { out, code } = await plan("apps", "markdown");

    expect(code, out).toBe(0);
    expect(markdownStructure(out).headings[0]).toMatch(/^### \d objects? /);
    expect(out).toContain("<code>Secret shop/db</code> changes in 2 clusters");
    const bitbucket = await flaghoist("plan", "apps", "--no-drift", "-o", "markdown", "--dialect", "bitbucket-cloud");
    expect(markdownStructure(bitbucket.out).tags).toEqual([]);
  });

  it("is a page as HTML, of one file that asks for nothing", async () => {
    const { out } = await plan("apps", "html");
    const { faults, tags, text } = htmlStructure(out);

    expect(faults).toEqual([]);
    expect(tags.filter(({ name, attributes }) => name === "link" || "src" in attributes)).toEqual([]);
    expect(text).toContain("Secret shop/db changes in 2 clusters");
  });

  it("is written to files beside what is printed", async () => {
    const { code, out } = await flaghoist(
      "plan",
      "apps",
      "--no-drift",
      "--report",
      "html=plan.html",
      "--report=json=plan.json",
    );

    expect(code, out).toBe(0);
    expect(out).toMatch(/^\d objects? /);
    expect(readFileSync(join(folder, "plan.html"), "utf8")).toMatch(/^<!doctype html>/);
    expect(JSON.parse(readFileSync(join(folder, "plan.json"), "utf8"))).toMatchObject({ valid: true, changes: true });
    expect(await flaghoist("plan", "apps", "--no-drift", "--report", "html=nowhere/plan.html")).toMatchObject({
      code: 1,
      err: expect.stringContaining("the report could not be written to"),
    });
  });

  it("is XML and JSON of the forms that others read", async () => {
    expect((await plan("broken", "junit")).out).toMatch(
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="flaghoist">/,
    );
    expect(JSON.parse((await plan("apps", "sarif")).out)).toMatchObject({
      version: "2.1.0",
      runs: [{ tool: { driver: { name: "Flaghoist" } } }],
    });
    expect(JSON.parse((await plan("apps", "code-quality")).out)).toEqual(expect.any(Array));
  });

  it("refuses a form or host that there is none of before it plans", async () => {
    expect(await flaghoist("plan", "nowhere", "--report", "plan.html")).toMatchObject({
      code: 2,
      err: expect.stringContaining('--report takes FORMAT=FILE such as html=plan.html, not "plan.html"'),
    });
    expect(await flaghoist("plan", "nowhere", "-o", "pdf")).toMatchObject({
      code: 2,
      err: expect.stringContaining('markdown, annotations, code-quality, sarif, junit, not "pdf"'),
    });
    expect(await flaghoist("plan", "nowhere", "-o", "markdown", "--dialect", "cvs")).toMatchObject({
      code: 2,
      err: expect.stringContaining('not "cvs"'),
    });
  });
});
