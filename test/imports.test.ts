// Who may import whom (ARCHITECTURE.md). A rule names a folder and the folders it may import from, beside itself.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

interface Rule {
  readonly folder: string;
  readonly mayImport: readonly string[];
}

const PURE = [
  "runtime/errors.ts",
  "runtime/clock.ts",
  "runtime/duration.ts",
  "runtime/content-cache.ts",
  "runtime/once-each.ts",
  "kube",
  "api",
];
/** Names and metadata keys that all decisions share. */
const VOCABULARY = ["reconciler/works/naming.ts", "reconciler/works/metadata-keys.ts"];

/** The first rule whose folder holds the file counts, so the narrower ones come first. */
const RULES: readonly Rule[] = [
  { folder: "runtime", mayImport: [] },
  { folder: "kube", mayImport: ["runtime"] },
  { folder: "api", mayImport: ["kube", "runtime"] },
  { folder: "sources", mayImport: ["api", "kube", "runtime"] },
  { folder: "renderers", mayImport: ["api", "kube", "runtime", "sources/tree.ts"] },
  { folder: "fleets/apiserver", mayImport: ["kube", "runtime"] },
  { folder: "fleets", mayImport: ["api", "kube", "runtime"] },
  { folder: "reconciler/policies", mayImport: [...PURE, ...VOCABULARY] },
  { folder: "reconciler/scheduler", mayImport: [...PURE, ...VOCABULARY, "reconciler/policies"] },
  { folder: "reconciler/overrides", mayImport: [...PURE, ...VOCABULARY, "reconciler/policies"] },
  { folder: "reconciler/interpreter", mayImport: [...PURE, ...VOCABULARY] },
  {
    folder: "reconciler/works",
    mayImport: [
      ...PURE,
      "reconciler/policies",
      "reconciler/scheduler",
      "reconciler/overrides",
      "reconciler/interpreter",
    ],
  },
  { folder: "reconciler/failover", mayImport: [...PURE, ...VOCABULARY, "reconciler/policies", "reconciler/scheduler"] },
  {
    folder: "reconciler/rollout",
    mayImport: [
      ...PURE,
      "reconciler/policies",
      "reconciler/overrides",
      "reconciler/interpreter",
      "reconciler/works/prune.ts",
    ],
  },
  { folder: "reconciler/agents", mayImport: [...PURE, ...VOCABULARY] },
  { folder: "reconciler", mayImport: ["api", "kube", "runtime", "sources", "renderers", "fleets"] },
];

const PURE_FOLDERS = [
  "reconciler/policies",
  "reconciler/scheduler",
  "reconciler/overrides",
  "reconciler/interpreter",
  "reconciler/works",
  "reconciler/failover",
  "reconciler/rollout",
  "reconciler/agents",
];
const IMPURE = [
  /from "node:(fs|http|https|http2|net|tls|timers|child_process)/,
  /\bDate\.now\(/,
  /\bMath\.random\(/,
  /\bsetTimeout\(/,
];

/** Each package is used in one folder, behind our own functions. */
const PACKAGE_HOMES: Readonly<Record<string, readonly string[]>> = {
  "isomorphic-git": ["sources/git"],
  yaml: ["kube"],
  undici: ["kube/client"],
  "@kubernetes/client-node": ["kube/client"],
  "@peculiar/x509": ["fleets/apiserver/http"],
  "reflect-metadata": ["fleets/apiserver/http"],
  "prom-client": ["runtime"],
  cron: ["sources"],
  zod: ["api"],
};

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    if (name === "testdata" || name === "vectors" || name === "node_modules") return [];
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : path.endsWith(".ts") ? [path] : [];
  });
}

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Files of the project, relative to its root, and names of packages. */
  readonly local: readonly string[];
  readonly packages: readonly string[];
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|(?:^|\n)import\s+"([^"]+)"/g;

function read(file: string): SourceFile {
  const text = readFileSync(file, "utf8");
  const names = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
  return {
    path: relative(root, file),
    text,
    local: names
      .filter((name) => name.startsWith("."))
      .map((name) => relative(root, normalize(join(dirname(file), name)))),
    packages: names.filter((name) => !name.startsWith(".") && !name.startsWith("node:")),
  };
}

const FILES = ["runtime", "kube", "api", "sources", "renderers", "fleets", "reconciler"]
  .flatMap((folder) => filesUnder(join(root, folder)))
  .map(read);
const PRODUCT = FILES.filter((file) => !file.path.endsWith(".test.ts"));

function within(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

describe("imports", () => {
  it("go only where the architecture allows", () => {
    const offences = PRODUCT.flatMap((file) => {
      const rule = RULES.find((candidate) => within(file.path, candidate.folder));
      if (rule === undefined) return [`${file.path}: in no room`];
      return file.local
        .filter((target) => ![rule.folder, ...rule.mayImport].some((place) => within(target, place)))
        .map((target) => `${file.path} -> ${target}`);
    });

    expect(offences).toEqual([]);
  });

  it("of pure folders bring no input, output, clock or chance", () => {
    const offences = PRODUCT.filter((file) => PURE_FOLDERS.some((folder) => within(file.path, folder))).flatMap(
      (file) => [
        ...IMPURE.filter((pattern) => pattern.test(file.text)).map((pattern) => `${file.path}: ${pattern.source}`),
        ...file.local.filter((target) => within(target, "kube/client")).map((target) => `${file.path} -> ${target}`),
      ],
    );

    expect(offences).toEqual([]);
  });

  it("of a package stand in its one folder", () => {
    const offences = PRODUCT.flatMap((file) =>
      file.packages.flatMap((name) => {
        const packageName = name.startsWith("@") ? name.split("/").slice(0, 2).join("/") : (name.split("/")[0] ?? name);
        const homes = PACKAGE_HOMES[packageName];
        if (homes === undefined) return [`${file.path}: ${packageName} has no home; add it to the rules`];
        return homes.some((home) => within(file.path, home))
          ? []
          : [`${file.path}: ${packageName} belongs in ${homes.join(", ")}`];
      }),
    );

    expect(offences).toEqual([]);
  });

  it("form no cycle", () => {
    const byPath = new Map(PRODUCT.map((file) => [file.path, file]));
    const state = new Map<string, "open" | "done">();
    const cycles: string[] = [];
    function visit(path: string, trail: readonly string[]): void {
      if (state.get(path) === "done") return;
      if (state.get(path) === "open") {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
        return;
      }
      state.set(path, "open");
      for (const target of byPath.get(path)?.local ?? []) visit(target, [...trail, path]);
      state.set(path, "done");
    }
    for (const file of PRODUCT) visit(file.path, []);

    expect(cycles).toEqual([]);
  });

  it("sees the whole tree", () => {
    expect(PRODUCT.length).toBeGreaterThan(50);
  });
});
