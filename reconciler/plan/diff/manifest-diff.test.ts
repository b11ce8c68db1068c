import { describe, expect, it } from "vitest";
import type { ManifestDiff } from "../../../api/plan-report.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import { Random } from "../../../runtime/random.ts";
import { configMap, deployment } from "../../../test/builders.ts";
import { lineWriters } from "./line-writers.ts";
import { diffManifests } from "./manifest-diff.ts";
import { manifestLines } from "./manifest-lines.ts";
import { Mask } from "./mask.ts";

const mask = new Mask("key");

function shown({ hunks, writers }: ManifestDiff): string[] {
  return hunks.flatMap(({ before, after, lines }) => [
    `@@ ${before} ${after}`,
    ...lines.map(({ op, text, writer }) => `${op}${text}${writer === undefined ? "" : ` <- ${writers[writer]?.name}`}`),
  ]);
}

describe("manifestLines", () => {
  it("writes keys in the order in which people do", () => {
    const object = {
      spec: { template: { containers: [{ image: "a", name: "web", args: ["x", "z"] }] }, replicas: 2 },
      metadata: { labels: { app: "web" }, name: "web" },
      kind: "Deployment",
      apiVersion: "apps/v1",
    };

    expect(manifestLines(object).map(({ text }) => text)).toEqual([
      "apiVersion: apps/v1",
      "kind: Deployment",
      "metadata:",
      "  name: web",
      "  labels:",
      "    app: web",
      "spec:",
      "  replicas: 2",
      "  template:",
      "    containers:",
      "    - name: web",
      "      args:",
      "      - x",
      "      - z",
      "      image: a",
    ]);
  });

  it("knows the field of every line", () => {
    const lines = manifestLines({ data: { "a/b": "one\n\ntwo\n", c: ["x"] } });

    expect(lines.map(({ text, pointer }) => `${pointer} | ${text}`)).toEqual([
      "/data | data:",
      "/data/a~1b |   a/b: |",
      "/data/a~1b |     one",
      "/data/a~1b | ",
      "/data/a~1b |     two",
      "/data/c |   c:",
      "/data/c/0 |   - x",
    ]);
  });

  it("is YAML that reads as the same, whatever texts it has", () => {
    const random = new Random(11);
    const text = () =>
      random
        .list(6, () =>
          random.pick(["a", " ", "\n", ": ", "#", "'", '"', "\\", "- ", "é", "word ".repeat(30), "1", "|", "\t"]),
        )
        .join("");
    const value = (depth: number): unknown => {
      if (depth === 0 || random.chance(0.4)) return random.pick([text(), 7, true, null, {}, [], text()]);
      return random.chance(0.5)
        ? random.list(3, () => value(depth - 1))
        : Object.fromEntries(random.list(3, () => [text(), value(depth - 1)]));
    };
    for (let round = 0; round < 300; round++) {
      const object = { kind: "Any", spec: value(4) };
      const yaml = manifestLines(object)
        .map((line) => `${line.text}\n`)
        .join("");
      expect(parseYaml(yaml)).toEqual(object);
    }
  });
});

describe("diffManifests", () => {
  it("shows three lines around a change, and where it is", () => {
    const diff = diffManifests(deployment({ image: "web:1" }), deployment({ image: "web:2" }), { mask });

    const lines = shown(diff);
    expect(lines.filter((line) => /^[+-]/.test(line)).map((line) => line.trim().replace(/ +/g, " "))).toEqual([
      "- image: web:1",
      "+ image: web:2",
    ]);
    expect(diff).toMatchObject({ added: 1, removed: 1 });
    expect(diff.hunks).toHaveLength(1);
    const [hunk] = diff.hunks;
    const all = manifestLines(mask.object(deployment({ image: "web:1" })));
    expect(all[(hunk?.before ?? 0) - 1]?.text).toBe(hunk?.lines[0]?.text);
  });

  it("keeps changes that are far from each other apart", () => {
    const before = configMap("c", Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, "x"])));
    const after = { ...before, data: { ...(before["data"] as object), k3: "w", k30: "z" } };

    const diff = diffManifests(before, after, { mask, context: 1 });

    expect(shown(diff).map((line) => line.replace(/^@@.*/, "@@"))).toEqual([
      "@@",
      "   k2: x",
      "-  k3: x",
      "+  k3: w",
      "   k4: x",
      "@@",
      "   k29: x",
      "-  k30: x",
      "+  k30: z",
      "   k31: x",
    ]);
  });

  it("shows a new object whole, and counts what there is no room for", () => {
    const diff = diffManifests(undefined, configMap("c", { a: "1\n".repeat(50) }), { mask, most: 10 });

    expect(diff.hunks).toMatchObject([{ before: 0, after: 1 }]);
    expect(diff.hunks[0]?.lines).toHaveLength(10);
    expect(diff.added).toBe(10 + (diff.cut ?? 0));
  });

  it("shows a change far into a long line", () => {
    const json = (value: string) => configMap("c", { json: `{"a":"${"x".repeat(5_000)}","b":"${value}"}` });

    const lines = shown(diffManifests(json("old"), json("new"), { mask })).filter((line) => /^[+-]/.test(line));

    expect(lines).toEqual([expect.stringMatching(/^- {2}json: .*…/), expect.stringMatching(/^\+ {2}json: .*…/)]);
    expect(lines.map((line) => line.slice(-7))).toEqual([`"old"}'`, `"new"}'`]);
    for (const line of lines) expect(line.length).toBeLessThan(200);
  });

  it("names who wrote each changed line", () => {
    const before = deployment({ image: "web:1", replicas: 2 });
    const after = { ...deployment({ image: "eu/web:2", replicas: 3 }), data: { defaulted: true } };
    const writers = lineWriters({
      manifest: after,
      rendered: deployment({ image: "web:2", replicas: 3 }),
      origin: "apps/web.yaml:3",
      written: new Map([
        ["metadata.labels.app", { by: "LabelTransformer", file: "kustomization.yaml", field: "labels" }],
      ]),
      overrides: [
        {
          path: "spec.template.spec.containers[web].image",
          old: "web:2",
          value: "eu/web:2",
          policy: { kind: "OverridePolicy", namespace: "shop", name: "registry" },
          rule: 1,
          field: "spec.overrideRules[0].overriders.imageOverrider[0]",
          origin: { file: "policies.yaml:9" },
        },
      ],
      scheduler: { what: "scheduler", name: "scheduler, by policy shop/p" },
    });
    const labelled = { ...after, metadata: { ...after.metadata, labels: { app: "new" } } };

    const diff = diffManifests({ ...before, metadata: { ...before.metadata, labels: { app: "old" } } }, labelled, {
      mask,
      after: writers,
    });

    const named = Object.fromEntries(
      diff.hunks.flatMap(({ lines }) =>
        lines
          .filter(({ op }) => op === "+")
          .map(({ text, writer }) => [text.trim(), writer === undefined ? undefined : diff.writers[writer]?.name]),
      ),
    );
    expect(named).toMatchObject({
      "app: new": "labels",
      "replicas: 3": "scheduler, by policy shop/p",
      "image: eu/web:2": "override shop/registry, rule 1",
      "defaulted: true": undefined,
    });
    expect(lineWriters({ manifest: after, origin: "apps/web.yaml:3", rendered: after })("/spec/template")).toEqual({
      what: "file",
      name: "apps/web.yaml",
      place: { file: "apps/web.yaml", line: 3 },
    });
  });
});
