import { describe, expect, it } from "vitest";
import { AppError } from "../runtime/errors.ts";
import { MemoryTree, type TreeFiles } from "./memory-tree.ts";
import { renderPlain } from "./plain.ts";

const CONFIG = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

function rendered(files: TreeFiles, path = ""): string[] {
  return renderPlain(new MemoryTree(files), path).objects.map(
    ({ object, origin }) => `${object.kind}/${object.metadata.name} ${origin.file}:${origin.line}`,
  );
}

function failureOf(files: TreeFiles, path = ""): AppError {
  try {
    rendered(files, path);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("nothing failed");
}

describe("renderPlain", () => {
  it("leaves names that are made later to whoever makes them, however often their beginning is there", () => {
    const job = "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: smoke-}\n";

    expect(rendered({ "a.yaml": `${job}---\n${job}` })).toHaveLength(2);
    expect(failureOf({ "a.yaml": job.replace("smoke-", "''") }).message).toContain("has no metadata.name");
  });

  it("leaves out fleet tests, whatever is in them", () => {
    const files = { "web.yaml": CONFIG("web"), "web.fleet.yaml": "kind: FleetTest", "a/b.fleet.yml": "{" };

    expect(rendered(files)).toEqual(["ConfigMap/web web.yaml:1"]);
  });

  it("reads manifests of all folders below in the order of their paths, with file and line", () => {
    const files = {
      "b.yaml": `# top\n---\n${CONFIG("one")}---\n\n# nothing\n---\n${CONFIG("two")}`,
      "a/z.yml": CONFIG("three"),
      "a/b/c.json": JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name: "four" } }),
      "readme.md": "kind: Nothing",
    };

    expect(rendered(files)).toEqual([
      "Secret/four a/b/c.json:1",
      "ConfigMap/three a/z.yml:1",
      "ConfigMap/one b.yaml:3",
      "ConfigMap/two b.yaml:10",
    ]);
  });

  it("reads one folder only, or a single file", () => {
    const files = { "a/x.yaml": CONFIG("x"), "b/z.yaml": CONFIG("z") };

    expect(rendered(files, "a")).toEqual(["ConfigMap/x a/x.yaml:1"]);
    expect(rendered(files, "./b/z.yaml")).toEqual(["ConfigMap/z b/z.yaml:1"]);
  });

  it("takes lists apart, whatever their kind, at any depth", () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- apiVersion: v1\n  kind: SecretList\n  items:\n  - {apiVersion: v1, kind: Secret, metadata: {name: b}}\n`;

    expect(rendered({ "l.yaml": list })).toEqual(["ConfigMap/a l.yaml:1", "Secret/b l.yaml:1"]);
  });

  it("leaves out names with a dot and what .sourceignore lists", () => {
    const files = {
      ".github/workflow.yaml": "on: push\n",
      ".sourceignore": "# not ours\n*.tmp.yaml\n/docs/\nkeep/**/no.yaml\n!special.tmp.yaml\n",
      "docs/x.yaml": "nonsense: true\n",
      "a.tmp.yaml": "nonsense: true\n",
      "special.tmp.yaml": CONFIG("special"),
      "keep/deep/er/no.yaml": "nonsense: true\n",
      "keep/docs/kept.yaml": CONFIG("kept"),
    };

    expect(rendered(files)).toEqual(["ConfigMap/kept keep/docs/kept.yaml:1", "ConfigMap/special special.tmp.yaml:1"]);
  });

  it("applies the ignore file of the root when a folder below is rendered", () => {
    expect(rendered({ ".sourceignore": "no.yaml\n", "a/no.yaml": "x: 1", "a/b.yaml": CONFIG("b") }, "a")).toHaveLength(
      1,
    );
  });

  it("follows links inside the source, once, and none that leads out", () => {
    const inside = { "real/a.yaml": CONFIG("a"), linked: { link: "real" }, "round/loop": { link: ".." } };

    expect(rendered(inside)).toEqual(["ConfigMap/a real/a.yaml:1"]);
    expect(failureOf({ "x.yaml": { link: "../../etc/passwd" } }).code).toBe("render-outside-root");
    expect(failureOf({ "x.yaml": { link: "/etc/passwd" } }).code).toBe("render-outside-root");
  });

  it("leaves a kustomization file out and says so", () => {
    const kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: x}\n";

    const result = renderPlain(new MemoryTree({ "kustomization.yaml": kustomization, "a.yaml": CONFIG("a") }), "");

    expect(result.objects).toHaveLength(1);
    expect(result.warnings.map((warning) => warning.code)).toEqual(["ignored-kustomization"]);
  });

  it("warns when a folder holds no objects", () => {
    expect(renderPlain(new MemoryTree({ "a.md": "" }), "").warnings.map((warning) => warning.code)).toEqual([
      "nothing-rendered",
    ]);
  });

  it.each([
    ["a: [1\n", "render-yaml-invalid", 2],
    ["kind: A\nkind: B\n", "render-yaml-invalid", 2],
    ["a: &a [x]\nb: [*a, *missing]\n", "render-yaml-invalid", 2],
    ["# top\napiVersion: v1\nmetadata: {name: x}\n", "render-invalid-resource", 2],
    ["apiVersion: v1\nkind: ConfigMap\n", "render-invalid-resource", 1],
    ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: on}\n", "render-invalid-resource", 1],
    ["kind: ConfigMap\nmetadata: {name: x}\n", "render-invalid-resource", 1],
    ["- a\n- b\n", "render-invalid-resource", 1],
    [`${CONFIG("x")}---\n${CONFIG("x")}`, "render-duplicate-id", 5],
  ])("refuses %j", (text, code, line) => {
    const error = failureOf({ "apps/web.yaml": text });

    expect(error.code).toBe(code);
    expect(error.recovery).toBe("stall");
    expect(error.details).toMatchObject({ file: "apps/web.yaml", line });
    expect(error.message.startsWith(`apps/web.yaml:${line}`)).toBe(true);
  });

  it("refuses an alias bomb, bytes that are no text, and a folder that is not there", () => {
    let bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (let i = 1; i < 9; i++)
      bomb += `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(", ")}]\n`;

    expect(failureOf({ "x.yaml": bomb }).code).toBe("render-yaml-invalid");
    expect(failureOf({ "x.yaml": new Uint8Array([0xff, 0xfe, 0x00]) }).code).toBe("render-yaml-invalid");
    expect(failureOf({}, "nowhere").code).toBe("render-missing-directory");
    expect(failureOf({}, "../up").code).toBe("render-outside-root");
  });
});
