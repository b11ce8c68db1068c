import { describe, expect, it } from "vitest";
import type { InterpreterClientConfig } from "../../../../api/config.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { webhookTarget } from "./webhook-target.ts";

function service(spec: Record<string, unknown>): KubeObject {
  return { apiVersion: "v1", kind: "Service", metadata: { name: "hook", namespace: "tools" }, spec };
}

const ASKED = { service: { namespace: "tools", name: "hook", path: "/interpret", port: 8443 } };

async function targetOf(config: InterpreterClientConfig, found?: KubeObject) {
  return webhookTarget(config, 5_000, async (namespace, name) =>
    namespace === "tools" && name === "hook" ? found : undefined,
  );
}

describe("webhookTarget", () => {
  it("calls a url as it stands, and says how long it waits", async () => {
    const { url, address, ca } = await targetOf({ url: "https://example.com:8443/x", caBundle: btoa("PEM") });

    expect(String(url)).toBe("https://example.com:8443/x?timeout=5s");
    expect(address).toBeUndefined();
    expect(ca).toBe("PEM");
  });

  it.each(["", "http://example.com", "example.com"])("refuses the url %j", async (url) => {
    await expect(targetOf({ url })).rejects.toThrow("is not an address that begins with https");
  });

  it.each(["ClusterIP", "LoadBalancer", "NodePort", undefined])(
    "goes to the cluster address of a Service of type %s, by its name",
    async (type) => {
      const found = service({ type, clusterIP: "10.0.0.7", ports: [{ port: 8443 }] });

      const { url, address } = await targetOf(ASKED, found);

      expect(String(url)).toBe("https://hook.tools.svc:8443/interpret?timeout=5s");
      expect(address).toEqual({ host: "10.0.0.7", port: 8443 });
    },
  );

  it("goes to the name that a Service of type ExternalName stands for", async () => {
    const { address } = await targetOf(ASKED, service({ type: "ExternalName", externalName: "hooks.example.com" }));

    expect(address).toEqual({ host: "hooks.example.com", port: 8443 });
  });

  it("goes to the name inside the cluster when there is no such Service, at port 443 unless told otherwise", async () => {
    const { url, address } = await targetOf({ service: { namespace: "tools", name: "other" } });

    expect(String(url)).toBe("https://other.tools.svc/?timeout=5s");
    expect(address).toEqual({ host: "other.tools.svc", port: 443 });
  });

  it.each<[Record<string, unknown>, string]>([
    [
      { type: "ClusterIP", clusterIP: "None", ports: [{ port: 8443 }] },
      'cannot route to service with ClusterIP "None"',
    ],
    [{ type: "ClusterIP", clusterIP: "10.0.0.7", ports: [] }, 'no service port 8443 found for service "hook"'],
    [{ type: "ClusterIP", ports: [{ port: 8443 }] }, 'service "hook" has no cluster address yet'],
    [{ type: "Sidecar" }, 'unsupported service type "Sidecar"'],
  ])("refuses a Service that leads nowhere: %j", async (spec, message) => {
    await expect(targetOf(ASKED, service(spec))).rejects.toThrow(message);
  });
});
