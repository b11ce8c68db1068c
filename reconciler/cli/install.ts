// What a control plane needs in its store before its loops start: definitions and namespaces.
import { karmadaCrds } from "../../api/crd.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isAlreadyExists } from "../../kube/client/status-error.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Clock } from "../../runtime/clock.ts";
import { sleep } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";
import { mapLimit } from "../../runtime/parallel.ts";

const NAMESPACES = ["karmada-system", "karmada-cluster"];
const ESTABLISH_TIMEOUT_MS = 30_000;

export interface InstallOptions {
  /** Names of definitions whose kinds the store serves without them. */
  readonly builtIn?: readonly string[];
  /** Further versions to serve, by the definition's name: the same schema under another version. */
  readonly furtherVersions?: Readonly<Record<string, string>>;
}

function withVersion(definition: KubeObject, further: string | undefined): KubeObject {
  if (further === undefined) return definition;
  // The generator of definitions writes one version each.
  const spec = definition["spec"] as { readonly versions: readonly object[] };
  const versions = [...spec.versions, { ...spec.versions[0], name: further, storage: false }];
  return { ...definition, spec: { ...spec, versions } };
}

/** Installs or updates our definitions and namespaces; resolves when every kind is served. Safe to repeat. */
export async function installDefinitions(
  client: KubeClient,
  clock: Clock,
  { builtIn = [], furtherVersions = {} }: InstallOptions = {},
): Promise<void> {
  await mapLimit(karmadaCrds(), 8, async (definition) => {
    const name = definition.metadata.name ?? "";
    if (!builtIn.includes(name)) {
      const whole = withVersion(definition, furtherVersions[name]);
      await client.apply(whole, { fieldManager: "flaghoist-install", force: true });
      return;
    }
    // Stores of earlier versions hold it; the objects stay, because the store does not serve them by it.
    const ref = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", name };
    if ((await client.find(ref)) !== undefined) await client.delete(ref);
  });
  await awaitEstablished(client, clock);
  await mapLimit(NAMESPACES, 2, (name) => ensureNamespace(client, name));
}

/** Makes a namespace of ours where it is missing. */
export async function ensureNamespace(client: KubeClient, name: string): Promise<void> {
  const namespace: KubeObject = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "karmada.io/system": "true" } },
  };
  try {
    await client.create(namespace, { fieldManager: "flaghoist-install" });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

async function awaitEstablished(client: KubeClient, clock: Clock): Promise<void> {
  const deadline = clock.now() + ESTABLISH_TIMEOUT_MS;
  for (;;) {
    await client.mapper.refresh();
    const missing = karmadaCrds().filter((definition) => {
      const spec = definition["spec"] as {
        group: string;
        names: { kind: string };
        versions: readonly { name: string }[];
      };
      return client.mapper.known(`${spec.group}/${spec.versions[0]?.name}`, spec.names.kind) === undefined;
    });
    if (missing.length === 0) return;
    if (clock.now() > deadline) {
      throw new AppError(
        "install-failed",
        `the API server does not serve ${missing.map((definition) => definition.metadata.name).join(", ")}`,
        { recovery: "retry" },
      );
    }
    await sleep(clock, 100);
  }
}
