import { describe, expect, it } from "vitest";
import { failureOf } from "../../../test/failure-of.ts";
import { MemoryTree, type TreeFiles } from "../../memory-tree.ts";
import { renderKustomization } from "../render.ts";
import { emitYaml } from "../resources/emit.ts";
import type { ChartFiles, ChartInflation, ChartInflator, ChartPull } from "./helm-charts.ts";

/** Answers every chart with one ConfigMap, and keeps what it was asked. */
class FakeHelm implements ChartInflator {
  readonly pulls: ChartPull[] = [];
  readonly inflations: ChartInflation[] = [];

  pull(request: ChartPull): ChartFiles {
    this.pulls.push(request);
    return new Map([
      ["Chart.yaml", Buffer.from("name: far\n")],
      ["values.yaml", Buffer.from("from: afar\n")],
    ]);
  }

  inflate(request: ChartInflation): string {
    this.inflations.push(request);
    const { releaseName, namespace } = request;
    return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${releaseName}, namespace: ${namespace || "default"}}\n`;
  }
}

const CHART: TreeFiles = {
  "charts/web/Chart.yaml": "name: web\n",
  "charts/web/values.yaml": "replicas: 1\nimage: {name: nginx, tag: '1'}\nports: [80, 443]\n",
  "charts/web/templates/a.yaml": "kind: A\n",
};

function inflate(files: TreeFiles, path = ""): { helm: FakeHelm; text: string; asked: ChartInflation } {
  const helm = new FakeHelm();
  const { objects } = renderKustomization(new MemoryTree({ ...CHART, ...files }), path, { charts: helm });
  return { helm, text: emitYaml(objects.map(({ object }) => object)), asked: helm.inflations[0]! };
}

describe("helmCharts", () => {
  it("are refused unless they are enabled", () => {
    const tree = new MemoryTree({ ...CHART, "kustomization.yaml": "helmCharts: [{name: web, releaseName: r}]\n" });

    const error = failureOf(() => renderKustomization(tree, ""));

    expect([error.code, error.message]).toEqual([
      "render-plugin",
      "kustomization.yaml:1:21: the Helm chart web is not inflated unless charts are enabled (--enable-helm)",
    ]);
  });

  it("hand over the chart's files, links followed", () => {
    const { asked } = inflate({
      "kustomization.yaml": "helmCharts: [{name: link, releaseName: r}]\n",
      "charts/link": { link: "web" },
      "charts/web/crds": { link: "../../definitions" },
      "definitions/crd.yaml": "kind: B\n",
    });

    expect([...asked.files.keys()].sort()).toEqual(["Chart.yaml", "crds/crd.yaml", "templates/a.yaml", "values.yaml"]);
    expect(asked.pulled).toBe(false);
  });

  it("refuse a link that leads out of the source or in a circle", () => {
    const files = { "kustomization.yaml": "helmCharts: [{name: web, releaseName: r}]\n" };

    const out = failureOf(() => inflate({ ...files, "charts/web/x": { link: "/etc/passwd" } }));
    const circle = failureOf(() => inflate({ ...files, "charts/web/x": { link: "../web" } }));

    expect(out.message).toContain("leads out of the source");
    expect(circle.message).toContain("leads in a circle");
  });

  it("get the chart's own values as they are when nothing is inline", () => {
    const { asked } = inflate({ "kustomization.yaml": "helmCharts: [{name: web, releaseName: r}]\n" });

    expect(asked.values).toEqual([CHART["charts/web/values.yaml"]]);
  });

  it.each([
    ["override", "image:\n  name: nginx\n  tag: 2\nmore: 0.5\nports:\n- 8080\nreplicas: 1\n"],
    ["merge", 'image:\n  name: nginx\n  tag: "1"\nmore: 0.5\nports:\n- 80\n- 443\nreplicas: 1\n'],
    ["replace", "image:\n  tag: 2\nmore: 0.5\nports:\n- 8080\n"],
  ])("merge inline values by %s", (how, expected) => {
    const inline = "valuesInline: {image: {tag: 2}, ports: [8080], more: 0.5}";
    const { asked } = inflate({
      "kustomization.yaml": `helmCharts:\n- name: web\n  releaseName: r\n  valuesMerge: ${how}\n  ${inline}\n`,
    });

    expect(asked.values).toEqual([expected]);
  });

  it("put further files of values behind", () => {
    const { asked } = inflate({
      "kustomization.yaml":
        "helmCharts: [{name: web, releaseName: r, valuesFile: v.yaml, additionalValuesFiles: [w.yaml]}]\n",
      "v.yaml": "a: 1\n",
      "w.yaml": "a: 2\n",
    });

    expect(asked.values).toEqual(["a: 1\n", "a: 2\n"]);
  });

  it("pull what the source does not hold, into a folder of its version", () => {
    const { helm, asked } = inflate({
      "kustomization.yaml":
        "helmCharts: [{name: far, version: 1.2.3, repo: 'https://charts.example.org', releaseName: r}]\n",
    });

    expect(helm.pulls).toEqual([{ repo: "https://charts.example.org", name: "far", version: "1.2.3", devel: false }]);
    expect([asked.pulled, asked.values]).toEqual([true, ["from: afar\n"]]);
  });

  it("take a chart of that version from the source where it is", () => {
    const { helm } = inflate({
      "kustomization.yaml":
        "helmCharts: [{name: far, version: 1.2.3, repo: 'https://charts.example.org', releaseName: r}]\n",
      "charts/far-1.2.3/far/values.yaml": "a: 1\n",
    });

    expect(helm.pulls).toEqual([]);
  });

  it("release into the nearest namespace above and are not moved afterwards", () => {
    const { asked, text } = inflate(
      {
        "top/kustomization.yaml": "namespace: top\nresources: [../middle]\n",
        "middle/kustomization.yaml": "resources: [../base]\n",
        "base/kustomization.yaml":
          "helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: web, releaseName: r, valuesFile: v.yaml}]\n",
        "base/v.yaml": "a: 1\n",
      },
      "top",
    );

    expect(asked.namespace).toBe("top");
    expect(text).toContain("namespace: top");
  });

  it("keep a namespace of their own", () => {
    const { text } = inflate({
      "kustomization.yaml": "namespace: outer\nhelmCharts: [{name: web, releaseName: r, namespace: own}]\n",
    });

    expect(text).toContain("namespace: own");
  });

  it("are renamed and labelled like any object", () => {
    const { text } = inflate({
      "kustomization.yaml": "namePrefix: p-\nlabels: [{pairs: {a: b}}]\nhelmCharts: [{name: web, releaseName: r}]\n",
    });

    expect(text).toContain("    a: b\n  name: p-r\n");
  });

  it("know the form before them", () => {
    const { asked } = inflate({
      "kustomization.yaml":
        "helmChartInflationGenerator: [{chartName: web, chartHome: charts, values: v.yaml, releaseName: r, valuesLocal: {b: 1}}]\n",
      "v.yaml": "a: 1\n",
    });

    expect([asked.name, asked.values]).toEqual(["web", ["a: 1\nb: 1\n"]]);
  });

  it.each([
    ["{releaseName: r}", "a chart of helmCharts has no name"],
    ["{name: web, releaseName: -r}", "the releaseName -r must not start with -"],
    ["{name: -web}", "the chart name -web must not start with -"],
    ["{name: web, valuesMerge: mix}", "valuesMerge must be merge, override or replace, not mix"],
    ["{name: gone}", "there is no chart charts/gone, and no repo to pull it from"],
    ["{name: ../../web}", "the chart charts/../../web lies outside of the source"],
  ])("refuse the entry %s", (entry, message) => {
    const error = failureOf(() => inflate({ "kustomization.yaml": `helmCharts: [${entry}]\n` }));

    expect([error.code, error.message.replace(/^[^ ]+ /, "")]).toEqual(["render-plugin", message]);
  });

  it("come as a generator as well", () => {
    const { asked } = inflate({
      "kustomization.yaml": "namespace: outer\ngenerators: [g.yaml]\n",
      "g.yaml":
        "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: any}\nname: web\nreleaseName: r\n",
    });

    // As kustomize: only the field takes the kustomization's namespace.
    expect([asked.name, asked.namespace]).toEqual(["web", ""]);
  });
});
