import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AppError } from "../../runtime/errors.ts";
import { Random } from "../../runtime/random.ts";
import { DirectoryTree } from "../../sources/directory.ts";
import type { SourceTree } from "../../sources/tree.ts";
import { testSeed } from "../../test/seed.ts";
import { MemoryTree } from "../memory-tree.ts";
import { type KustomizeOptions, renderKustomization } from "./render.ts";
import { RenderCache } from "./render-cache.ts";
import { emitYaml } from "./resources/emit.ts";

/** The printed objects, or the failure. */
function outcome(tree: SourceTree, path: string, options: KustomizeOptions): string {
  try {
    const { objects, warnings, origins } = renderKustomization(tree, path, options);
    return `${emitYaml(objects.map(({ object }) => object))}\n${JSON.stringify([warnings, origins])}`;
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.message}`;
    throw error;
  }
}

/** Lines of an overlay, each with a number that commits change. */
const OVERLAY: readonly ((value: number) => string)[] = [
  () => "resources: [../base]",
  (value) => `namespace: team${value}`,
  (value) => `namePrefix: p${value}-`,
  (value) => `labels: [{pairs: {a: b${value}}, includeTemplates: true}]`,
  (value) => `images: [{name: app, newTag: v${value}}]`,
  (value) =>
    `patches:\n- target: {kind: Deployment, labelSelector: shard=${value}}\n  patch: '[{"op": "add", "path": "/spec/paused", "value": ${value}}]'`,
  (value) => `replicas: [{name: d1, count: ${value}}]`,
  (value) => `configMapGenerator: [{name: made, literals: [k=v${value}]}]`,
  (value) => `commonAnnotations: {note: x${value}}`,
  (value) =>
    `patchesStrategicMerge:\n- '{apiVersion: apps/v1, kind: Deployment, metadata: {name: d0}, spec: {minReadySeconds: ${value}}}'`,
  (value) =>
    `replacements:\n- source: {kind: ConfigMap, name: c${value}, fieldPath: data.k}\n  targets: [{select: {kind: Deployment}, fieldPaths: [spec.serviceName], options: {create: true}}]`,
  (value) => `configurations: [names${value}.yaml]`,
  () => "buildMetadata: [transformerAnnotations]",
];

function group(index: number, text: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: d${index}, labels: {shard: "${index % 3}"}}
spec:
  template:
    spec:
      containers: [{name: main, image: "app:v1", envFrom: [{configMapRef: {name: c${index}}}, {configMapRef: {name: made}}]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c${index}}
data: {k: ${text}}
`;
}

/** A repository, and changes to it of the kind that commits make. */
class Repository {
  readonly files: Record<string, string> = {};
  private readonly random: Random;
  private readonly lines = new Map(OVERLAY.slice(0, 7).map((_line, index) => [index, 1]));

  constructor(random: Random) {
    this.random = random;
    for (const value of [0, 1, 2]) {
      this.files[`overlay/names${value}.yaml`] = `namePrefix: [{path: metadata/annotations/n${value}, create: true}]\n`;
    }
    for (let index = 0; index < 6; index++) this.files[`base/g${index}.yaml`] = group(index, "start");
    this.list();
  }

  change(): void {
    const index = this.random.below(7);
    switch (this.random.below(4)) {
      case 0:
        this.files[`base/g${index}.yaml`] = group(index, this.random.pick(["one", "two"]));
        break;
      case 1:
        delete this.files[`base/g${index}.yaml`];
        break;
      default: {
        const line = 1 + this.random.below(OVERLAY.length - 1);
        const value = this.random.below(4);
        if (value === 3) this.lines.delete(line);
        else this.lines.set(line, value);
      }
    }
    this.list();
  }

  private list(): void {
    const names = Object.keys(this.files).filter((file) => /^base\/g/.test(file));
    this.files["base/kustomization.yaml"] =
      `resources: [${names.map((file) => file.slice(5)).join(", ")}]\nnameSuffix: -s\n`;
    this.files["overlay/kustomization.yaml"] =
      `${[...this.lines].map(([line, value]) => OVERLAY[line]!(value)).join("\n")}\n`;
  }
}

describe("RenderCache", () => {
  it("never changes what a build gives, whatever commits came before", () => {
    const random = new Random(testSeed());
    const repository = new Repository(random);
    const cache = new RenderCache();
    for (let commit = 0; commit < 150; commit++) {
      const tree = new MemoryTree(repository.files);

      expect(outcome(tree, "overlay", { cache }), `commit ${commit}`).toBe(outcome(tree, "overlay", {}));
      repository.change();
    }
  });

  it("never changes what the recorded kustomizations give, when all of them share it", () => {
    const folder = join(import.meta.dirname, "../../test/conformance/vectors/kustomize");
    const cache = new RenderCache();
    for (const id of readdirSync(folder)) {
      if (!existsSync(join(folder, id, "case.json"))) continue;
      // The format of the folder.
      const { path } = JSON.parse(readFileSync(join(folder, id, "case.json"), "utf8")) as { path: string };
      const tree = new DirectoryTree(join(folder, id, "input"));
      const fresh = outcome(tree, path, {});

      expect(outcome(tree, path, { cache }), id).toBe(fresh);
      expect(outcome(tree, path, { cache }), `${id} again`).toBe(fresh);
    }
  });

  it("gives the very same objects for what a commit did not touch", () => {
    const repository = new Repository(new Random(1));
    const cache = new RenderCache();
    const before = renderKustomization(new MemoryTree(repository.files), "overlay", { cache });

    repository.files["base/g0.yaml"] = group(0, "changed");
    const after = renderKustomization(new MemoryTree(repository.files), "overlay", { cache });

    const kept = after.objects.filter(({ object }) => before.objects.some((old) => old.object === object));
    // The two objects of the file, and nothing that refers to them by an unchanged name.
    expect(after.objects.length - kept.length).toBe(2);
  });

  it("gives the same when it may keep few states, or none", () => {
    const random = new Random(testSeed());
    const repository = new Repository(random);
    const caches = [new RenderCache({ maxStates: 0 }), new RenderCache({ maxStates: 30 })];
    for (let commit = 0; commit < 30; commit++) {
      const tree = new MemoryTree(repository.files);
      const fresh = outcome(tree, "overlay", {});

      for (const cache of caches) expect(outcome(tree, "overlay", { cache }), `commit ${commit}`).toBe(fresh);
      repository.change();
    }
  });

  it("forgets all objects once there are too many states of them", () => {
    const repository = new Repository(new Random(1));
    const cache = new RenderCache({ maxStates: 20 });
    const objectsOf = () => renderKustomization(new MemoryTree(repository.files), "overlay", { cache }).objects;

    // A dozen objects in some five states each are too many, as the next build finds.
    const first = objectsOf();
    expect(objectsOf().filter(({ object }) => first.some((old) => old.object === object))).toEqual([]);
  });

  it("forgets what was used longest ago when it has read more than its size", () => {
    const cache = new RenderCache({ maxSize: 10 });
    const parsed: string[] = [];
    const parse = (text: string): [] => {
      parsed.push(text);
      return [];
    };

    for (const text of ["aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb"]) cache.parsed(text, "f", parse);

    expect(parsed).toEqual(["aaaa", "bbbb", "cccc", "bbbb"]);
  });
});
