// What the embedded server is compared with: a real kube-apiserver and the controllers that an API server without workloads needs.
import { dirname, join } from "node:path";
import { openHttpTransportFile } from "../../../kube/client/http-transport.ts";
import { eventually } from "../support/eventually.ts";
import { startRealApiServer } from "../support/real-api-server.ts";
import { CONTROLLERS_OF_THE_API, startControllerManager } from "./controller-manager.ts";

export interface ReferenceServer {
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** Starts it from the binaries in `assets`, and waits until it is as the embedded one is at its start. */
export async function startReferenceServer(assets: string): Promise<ReferenceServer> {
  const server = await startRealApiServer(assets);
  const pki = join(dirname(server.kubeconfig), "pki");
  const manager = startControllerManager({
    assets,
    kubeconfig: server.kubeconfig,
    controllers: CONTROLLERS_OF_THE_API,
    args: [
      "--leader-elect=false",
      ...["--service-account-private-key-file", join(pki, "sa.key"), "--root-ca-file", join(pki, "ca.crt")],
    ],
  });
  async function close(): Promise<void> {
    await manager.close();
    await server.close();
  }
  try {
    const transport = await openHttpTransportFile(server.kubeconfig);
    const wanted = [
      "/api/v1/namespaces/kube-node-lease/serviceaccounts/default",
      "/api/v1/namespaces/default/configmaps/kube-root-ca.crt",
    ];
    await eventually(
      async () => {
        for (const path of wanted) if ((await transport.send({ method: "GET", path })).status !== 200) return false;
        return true;
      },
      { withinMs: 60_000, what: "namespaces with service accounts" },
    );
    await transport.close();
  } catch (error) {
    await close();
    throw error;
  }
  return { kubeconfig: server.kubeconfig, close };
}
