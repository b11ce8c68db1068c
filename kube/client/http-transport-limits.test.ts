// What a kubeconfig from others may not do, and connections by way of a proxy.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Listener, listen } from "../../fleets/apiserver/http/listener.ts";
import { type ApiServer, createApiServer } from "../../fleets/apiserver/server.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { parseYaml } from "../yaml.ts";
import { openHttpTransport } from "./http-transport.ts";

const folder = mkdtempSync(join(tmpdir(), "flaghoist-limits-"));
let server: ApiServer;
let listener: Listener;
let proxy: Server;
const tunnels: string[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  server = await createApiServer({ name: "test", clock: systemClock, logger: silentLogger });
  listener = await listen(server, {
    host: "127.0.0.1",
    port: 0,
    directory: folder,
    clock: systemClock,
    logger: silentLogger,
  });
  proxy = createServer();
  proxy.on("connect", (request, client: Socket, head) => {
    tunnels.push(request.url ?? "");
    const [host = "", port] = (request.url ?? "").split(":");
    const target = connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      target.write(head);
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
  });
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((done) => proxy.close(done));
  await listener.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Config {
  users: { user: Record<string, unknown> }[];
  clusters: { cluster: Record<string, unknown> }[];
}

function changed(change: (config: Config) => void): string {
  // The listener's own kubeconfig has this shape.
  const config = parseYaml(listener.adminKubeconfig()) as Config;
  change(config);
  return JSON.stringify(config);
}

describe("a kubeconfig from others", () => {
  it.each([
    [
      "a command",
      (config: Config) => ({
        ...config.users[0]?.user,
        exec: { apiVersion: "client.authentication.k8s.io/v1", command: "touch", args: ["x"] },
      }),
      /runs a command/,
    ],
    [
      "a credential plug-in",
      () => ({ "auth-provider": { name: "tokenFile", config: { tokenFile: "/etc/hostname" } } }),
      /credential plug-in/,
    ],
    [
      "certificate files",
      () => ({ "client-certificate": "/etc/hostname", "client-key": "/etc/hostname" }),
      /names files/,
    ],
  ])("is refused with %s", async (_what, user, problem) => {
    const kubeconfig = changed((config) => {
      for (const entry of config.users) entry.user = user(config);
    });

    await expect(openHttpTransport({ kubeconfig, selfContained: true })).rejects.toMatchObject({
      code: "kubeconfig-invalid",
      message: expect.stringMatching(problem),
    });
  });

  it("is taken when it holds its certificates itself", async () => {
    const transport = await openHttpTransport({ kubeconfig: listener.adminKubeconfig(), selfContained: true });

    expect((await transport.send({ method: "GET", path: "/readyz" })).status).toBe(200);
    await transport.close();
  });
});

describe("a kubeconfig with a proxy-url", () => {
  it("reaches its server through the proxy, with its own certificates", async () => {
    const { port } = proxy.address() as AddressInfo;
    const kubeconfig = changed((config) => {
      for (const entry of config.clusters) entry.cluster["proxy-url"] = `http://127.0.0.1:${port}`;
    });
    const transport = await openHttpTransport({ kubeconfig });

    const answer = await transport.send({ method: "GET", path: "/api/v1/namespaces/default" });

    expect(answer.status).toBe(200);
    expect(tunnels).toEqual([new URL(listener.url).host]);
    await transport.close();
  });
});
