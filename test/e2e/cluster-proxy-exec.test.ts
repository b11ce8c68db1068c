// kubectl exec, attach and port-forward through the control plane: the connection is handed over to the member, in the
// protocol that kubectl and the member agree on.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, duplexPair } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Listener, listen } from "../../fleets/apiserver/http/listener.ts";
import { type ApiServer, createApiServer } from "../../fleets/apiserver/server.ts";
import type { Connector, ConnectRequest } from "../../fleets/apiserver/server-context.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { parseYaml, stringifyYaml } from "../../kube/yaml.ts";
import { runCli } from "../../reconciler/cli/main.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { hasKubectl, Kubectl } from "./support/kubectl.ts";
import { engines, type Plane, startPlane } from "./support/plane.ts";

const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const STDOUT = 1;
const STATUS = 3;

/** A member whose Pods answer `exec` with what they were asked; `protocols` are those that it upgrades to. */
class ExecMember {
  readonly seen: { readonly upgrade: string | undefined; readonly query: string; readonly user: string }[] = [];
  protocols: readonly string[] = ["websocket"];

  readonly answer: Connector = async ({ request, query, user }: ConnectRequest) => {
    const { upgrade, "sec-websocket-key": key, "sec-websocket-protocol": offered } = request.headers ?? {};
    this.seen.push({ upgrade, query, user: user.name });
    if (upgrade === undefined || !this.protocols.includes(upgrade.toLowerCase())) {
      return { status: 400, headers: { "content-type": "text/plain" }, body: Buffer.from("unable to upgrade\n") };
    }
    const [tunnel, own] = duplexPair();
    const accept = createHash("sha1").update(`${key}${WEBSOCKET_GUID}`).digest("base64");
    speak(own, new URLSearchParams(query).getAll("command").join(" "));
    return {
      status: 101,
      headers: { upgrade, "sec-websocket-accept": accept, "sec-websocket-protocol": offered!.split(",")[0]!.trim() },
      body: Buffer.alloc(0),
      tunnel,
    };
  };
}

/** The member's side of a session: echoes the command, reports success, closes. */
function speak(socket: Duplex, command: string): void {
  socket.on("error", () => undefined);
  socket.write(frame(2, STDOUT, `ran: ${command}\n`));
  socket.write(frame(2, STATUS, '{"metadata":{},"status":"Success"}'));
  socket.write(Buffer.from([0x88, 2, 3, 0xe8]));
  socket.resume();
  socket.on("end", () => socket.end());
}

/** A WebSocket frame from the server: short, not masked, the channel's number before the text. */
function frame(opcode: number, channel: number, text: string): Buffer {
  const payload = Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
  return Buffer.concat([Buffer.from([0x80 | opcode, payload.byteLength]), payload]);
}

const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default" },
  spec: { containers: [{ name: "main", image: "nginx" }] },
};

describe.runIf(hasKubectl()).each(engines())("kubectl exec through clusters/proxy, store: %s", (engine) => {
  const exec = new ExecMember();
  let plane: Plane;
  let member: ApiServer;
  let listener: Listener;
  let kubectl: Kubectl;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-e2e-"));
    plane = await startPlane({ engine, members: {} });
    const connectors = { "/pods/exec": exec.answer, "/pods/attach": exec.answer };
    const authorization = "rbac";
    member = await createApiServer({ name: "m", clock: systemClock, logger: silentLogger, connectors, authorization });
    listener = await listen(member, {
      host: "127.0.0.1",
      port: 0,
      directory: join(folder, "pki"),
      clock: systemClock,
      logger: silentLogger,
    });
    const client = new KubeClient(member.handle);
    const pod = await client.create(POD);
    await client.update({ ...pod, status: { phase: "Running" } }, { subresource: "status" });
    const memberKubeconfig = join(folder, "member.kubeconfig");
    writeFileSync(memberKubeconfig, listener.adminKubeconfig());
    const said: string[] = [];
    const say = (text: string): void => void said.push(text);
    const io = { out: say, err: say, env: {}, cwd: folder, isTerminal: false };
    const args = ["join", "m", "--cluster-kubeconfig", memberKubeconfig, "--kubeconfig", plane.kubeconfig];
    expect([await runCli(args, io, new AbortController().signal), said.join("")]).toEqual([0, expect.anything()]);
    const config = parseYaml(readFileSync(plane.kubeconfig, "utf8")) as { clusters: { cluster: { server: string } }[] };
    for (const { cluster } of config.clusters) {
      cluster.server += "/apis/cluster.karmada.io/v1alpha1/clusters/m/proxy";
    }
    const through = join(folder, "through.kubeconfig");
    writeFileSync(through, stringifyYaml(config));
    kubectl = new Kubectl(through, folder);
  }, 120_000);

  beforeEach(() => {
    exec.seen.length = 0;
    exec.protocols = ["websocket"];
  });

  afterAll(async () => {
    await plane?.close();
    await listener?.close();
    await member?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("runs over a WebSocket, in the name of the caller", async () => {
    expect(await kubectl.run("exec", "web", "--", "echo", "hello")).toBe("ran: echo hello\n");

    expect(exec.seen).toEqual([
      { upgrade: "websocket", query: expect.stringContaining("command=echo&command=hello"), user: "admin" },
    ]);
  });

  it("lets kubectl fall back to SPDY when the member speaks no WebSocket", async () => {
    exec.protocols = [];

    const { err, code } = await kubectl.try(["exec", "web", "--", "ls"]);

    expect([code, err]).toEqual([1, expect.stringContaining("unable to upgrade")]);
    expect(exec.seen.map(({ upgrade }) => upgrade)).toEqual(["websocket", "SPDY/3.1"]);
  });

  it("refuses who has no right on clusters/proxy", async () => {
    const { err } = await kubectl.try(["--as", "bob", "exec", "web", "--", "ls"]);

    expect(err).toContain('User "bob" cannot get resource "clusters/proxy"');
    expect(exec.seen).toEqual([]);
  });
});
