// Services with their EndpointSlices, and claims with their volumes.
import {
  clusterScript,
  create,
  deployment,
  patch,
  pod,
  ref,
  remove,
  scale,
  script,
  service,
  setImage,
  step,
  stepFor,
} from "../builders.ts";
import type { Script } from "../script.ts";

function claim(name: string, spec: Readonly<Record<string, unknown>>): Parameters<typeof create>[0] {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "",
      resources: { requests: { storage: "1Gi" } },
      ...spec,
    },
  };
}

function volume(
  name: string,
  storage: string,
  spec: Readonly<Record<string, unknown>> = {},
): Parameters<typeof create>[0] {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      capacity: { storage },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: `/volumes/${name}` },
      ...spec,
    },
  };
}

function mounted(claimName: string): Readonly<Record<string, unknown>> {
  return { volumes: [{ name: "data", persistentVolumeClaim: { claimName } }] };
}

export const NETWORK_AND_VOLUME_SCRIPTS: readonly Script[] = [
  script(
    "network/endpoints",
    step("service", create(service("web"))),
    step("create", create(deployment("web"))),
    step("scale down", scale("Deployment", "web", 1)),
    step("failing image", setImage("Deployment", "web", "missing:1")),
    step("delete the service", remove(ref("Service", "web"))),
  ),
  script(
    "network/headless",
    step("create", create(service("web", { clusterIP: "None" })), create(deployment("web", { replicas: 2 }))),
    step("scale to none", scale("Deployment", "web", 0)),
  ),
  script(
    "network/not-ready-addresses",
    step("create", create(service("web")), create(deployment("web", { image: "missing:1", replicas: 2 }))),
    step("publish them", patch(ref("Service", "web"), { spec: { publishNotReadyAddresses: true } })),
  ),
  script(
    "network/named-ports",
    step(
      "create",
      create(service("web", { ports: [{ name: "http", port: 80, targetPort: "http" }] })),
      create({
        ...deployment("web", { replicas: 2 }),
        spec: {
          replicas: 2,
          selector: { matchLabels: { app: "web" } },
          template: {
            metadata: { labels: { app: "web" } },
            spec: {
              containers: [{ name: "main", image: "web:1", ports: [{ name: "http", containerPort: 8080 }] }],
            },
          },
        },
      }),
    ),
    step("other selector", patch(ref("Service", "web"), { spec: { selector: { app: "nobody" } } })),
    step("without selector", patch(ref("Service", "web"), { spec: { selector: null } })),
  ),
  clusterScript(
    "volumes/bind",
    step("volumes", create(volume("conformance-small", "1Gi")), create(volume("conformance-large", "5Gi"))),
    step("claim", create(claim("data", { resources: { requests: { storage: "2Gi" } } }))),
    step("use", create(pod("user", { pod: mounted("data") }))),
    step("delete the claim in use", remove(ref("PersistentVolumeClaim", "data"))),
    step("delete the Pod", remove(ref("Pod", "user"))),
    step(
      "delete the volumes",
      remove(ref("PersistentVolume", "conformance-small")),
      remove(ref("PersistentVolume", "conformance-large")),
    ),
  ),
  clusterScript(
    "volumes/none-fits",
    step("claim", create(claim("data", {}))),
    step("use", create(pod("user", { pod: mounted("data") }))),
    // The controller of volumes looks again every 15 seconds.
    stepFor(20_000, "a volume", create(volume("conformance-late", "1Gi"))),
    step("delete", remove(ref("Pod", "user")), remove(ref("PersistentVolumeClaim", "data"))),
    step("delete the volume", remove(ref("PersistentVolume", "conformance-late"))),
  ),
  script("volumes/missing-claim", step("create", create(pod("user", { pod: mounted("nothing") })))),
];
