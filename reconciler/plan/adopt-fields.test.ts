import { describe, expect, it } from "vitest";
import { MemoryTree } from "../../renderers/memory-tree.ts";
import { adoptFields, type FieldToAdopt } from "./adopt-fields.ts";

const WEB = `# the shop
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3   # three
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        resources: {limits: {memory: 512Mi}}
`;
const SETTINGS = `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  color: "blue"
`;
const LIMITS = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: web
        resources: {limits: {memory: 1Gi}}   # big
`;
const OVERLAY = `namePrefix: eu-
resources: [../base]
images:
- name: web
  newTag: "2"   # the tag
replicas:
- name: web
  count: 5
patches:
- path: limits.yaml
- target: {kind: Deployment}
  patch: |-
    - op: add
      path: /metadata/annotations
      value: {team: a}
    - op: replace
      path: /spec/template/spec/containers/0/name
      value: main
`;

const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment", name: "web", namespace: "shop" };
const CONTAINER = ["f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"web"}'];
const MEMORY = [...CONTAINER, "f:resources", "f:limits", "f:memory"];

function field(fieldPath: readonly string[], found: unknown): FieldToAdopt {
  return { fieldPath, path: fieldPath.join(" "), found };
}

describe("adoptFields, of plain files", () => {
  const tree = new MemoryTree({ "apps/all.yaml": `${SETTINGS}---\n${WEB}` });

  function adopt(...fields: FieldToAdopt[]) {
    return adoptFields(tree, "apps", DEPLOYMENT, fields);
  }

  it("changes the field where it stands and leaves the rest as its author wrote it", () => {
    const { files, adopted, refused } = adopt(field(["f:spec", "f:replicas"], 7), field(MEMORY, "1Gi"));

    expect(refused).toEqual([]);
    expect(adopted.map(({ file, line }) => [file, line])).toEqual([
      ["apps/all.yaml", 13],
      ["apps/all.yaml", 21],
    ]);
    expect(files.get("apps/all.yaml")).toBe(
      `${SETTINGS}---\n${WEB}`.replace("replicas: 3   #", "replicas: 7   #").replace("512Mi", "1Gi"),
    );
  });

  it("adds and takes away fields", () => {
    const { files, refused } = adopt(
      field(["f:metadata", "f:labels"], { team: "a" }),
      field([...CONTAINER, "f:resources", "f:limits"], undefined),
    );

    expect(refused).toEqual([]);
    expect(files.get("apps/all.yaml")).toContain("resources: {}");
    expect(files.get("apps/all.yaml")).toMatch(/labels: *\{ *team: a *\}/);
  });

  it("says when the files do not have the object, or have the value already", () => {
    const other = adoptFields(tree, "apps", { ...DEPLOYMENT, name: "other" }, [field(["f:spec", "f:replicas"], 7)]);

    expect(other.refused[0]?.reason).toBe("apps renders no Deployment other");
    expect(adopt(field(["f:spec", "f:replicas"], 3)).refused[0]?.reason).toBe("the files say so already");
    expect(adopt(field(["f:spec", "f:nothing", "f:here"], 3)).refused).toHaveLength(1);
  });
});

describe("adoptFields, of a kustomization", () => {
  const files = {
    "apps/base/web.yaml": WEB,
    "apps/base/kustomization.yaml": "resources: [web.yaml]\n",
    "apps/eu/limits.yaml": LIMITS,
    "apps/eu/kustomization.yaml": OVERLAY,
  };
  const target = { ...DEPLOYMENT, name: "eu-web" };
  const main = ["f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"main"}'];

  function adopt(...fields: FieldToAdopt[]) {
    return adoptFields(new MemoryTree(files), "apps/eu", target, fields);
  }

  it.each<[string, string[], unknown, string, string, string]>([
    [
      "a resource",
      ["f:spec", "f:selector", "f:matchLabels", "f:app"],
      "www",
      "apps/base/web.yaml",
      "{app: web}}\n  template",
      "{app: www}}\n  template",
    ],
    ["replicas", ["f:spec", "f:replicas"], 9, "apps/eu/kustomization.yaml", "count: 5", "count: 9"],
    ["images", [...main, "f:image"], "web:hotfix", "apps/eu/kustomization.yaml", '"2"   #', "hotfix   #"],
    [
      "an inline patch",
      ["f:metadata", "f:annotations", "f:team"],
      "b",
      "apps/eu/kustomization.yaml",
      "{team: a}",
      "{team: b}",
    ],
  ])("changes %s where it is written", (_, path, found, file, before, after) => {
    const { adopted, refused, files: changed } = adopt(field(path, found));

    if (refused.length > 0) {
      // What cannot be done in the author's form is told with its place.
      expect(refused[0]?.reason).toContain(file);
      return;
    }
    expect(adopted[0]?.file).toBe(file);
    expect(changed.get(file)).toBe(files[file as keyof typeof files].replace(before, after));
  });

  it("changes a patch in its own file", () => {
    const tree = new MemoryTree({
      ...files,
      "apps/eu/kustomization.yaml": OVERLAY.slice(0, OVERLAY.indexOf("- target")),
    });
    const { files: changed, refused } = adoptFields(tree, "apps/eu", target, [field(MEMORY, "2Gi")]);

    expect(refused).toEqual([]);
    expect([...changed]).toEqual([["apps/eu/limits.yaml", LIMITS.replace("1Gi", "2Gi")]]);
  });

  it("refuses what would change more than the field, and says who writes it", () => {
    const { files: changed, refused } = adopt(field(["f:metadata", "f:name"], "other"));

    expect(changed.size).toBe(0);
    expect(refused[0]?.reason).toBe("it is written by namePrefix of apps/eu/kustomization.yaml:1: change it there");
  });
});
