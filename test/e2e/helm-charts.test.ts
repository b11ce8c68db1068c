// A Sync whose kustomization inflates a Helm chart: switched on, switched off, and with a chart that Helm refuses.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringifyYaml } from "../../kube/yaml.ts";
import { HelmProgram } from "../../reconciler/charts/helm-program.ts";
import { findProgram } from "../find-program.ts";
import { hasGit } from "../git-server.ts";
import { eventually } from "./support/eventually.ts";
import { gitRepository, namespaceObject, sync } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, conditionOf, readSync } from "./support/reading.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const NS = "shop";

const helm = findProgram("helm");
if (helm === undefined) process.stdout.write("skipped: charts of Syncs need helm in PATH or KUBEBUILDER_ASSETS\n");

function files(value: string, template = "{{ .Values.colour }}"): Record<string, string> {
  return {
    "app/kustomization.yaml": `namePrefix: my-
resources: [ns.yaml]
helmCharts:
- name: paint
  releaseName: paint
  namespace: ${NS}
  valuesInline: {colour: ${value}}
`,
    "app/ns.yaml": stringifyYaml(namespaceObject(NS)),
    "app/charts/paint/Chart.yaml": "apiVersion: v2\nname: paint\nversion: 0.1.0\n",
    "app/charts/paint/values.yaml": "colour: none\n",
    "app/charts/paint/templates/settings.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: {{ .Release.Namespace }}}
data: {colour: "${template}"}
`,
  };
}

describe.runIf(hasGit() && helm !== undefined).each([true, false])("a Sync with a chart, --enable-helm: %s", (isOn) => {
  let plane: Plane;
  let shop: ServedRepository;

  beforeAll(async () => {
    shop = await serveRepository();
    const program = isOn ? new HelmProgram({ command: helm!, environment: process.env }) : undefined;
    plane = await startPlane({ engine: "embedded", members: THREE_CLUSTERS, helm: program });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    await shop?.close();
  });

  async function untilReady(status: "True" | "False", message: unknown): Promise<void> {
    await eventually(async () => {
      expect(conditionOf(await readSync(plane, NS, "shop"), "Ready")).toMatchObject({ status, message });
    });
  }

  async function colour(): Promise<unknown> {
    const found = await plane.client.find(ref("v1 ConfigMap", NS, "my-settings"));
    return found && at(found, "data", "colour");
  }

  async function publish(value: string, template?: string): Promise<string> {
    const commit = shop.push(value, files(value, template));
    await applyAll(
      plane.client,
      namespaceObject(NS),
      gitRepository(NS, "shop", shop.url),
      sync(NS, "shop", { path: "app", pruneLimitPercent: 100 }),
    );
    return commit;
  }

  it.runIf(isOn)("applies what the chart makes of the values, and follows them", async () => {
    const red = await publish("red");
    await untilReady("True", `Applied revision: main@sha1:${red}`);
    expect(await colour()).toBe("red");

    const blue = await publish("blue");
    await untilReady("True", `Applied revision: main@sha1:${blue}`);
    expect(await colour()).toBe("blue");
  });

  it.runIf(isOn)("leaves what runs when Helm refuses the chart, and says why", async () => {
    await publish("green", '{{ fail "no green paint" }}');

    await untilReady("False", expect.stringContaining("no green paint"));
    expect(await colour()).toBe("blue");
  });

  it.runIf(!isOn)("is refused, and says how to allow charts", async () => {
    await publish("red");

    await untilReady("False", expect.stringContaining("app/kustomization.yaml:4:9"));
    await untilReady("False", expect.stringContaining("--enable-helm"));
    expect(await colour()).toBeUndefined();
  });
});
