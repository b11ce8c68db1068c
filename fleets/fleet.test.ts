import { afterEach, describe, expect, it } from "vitest";
import type { Cluster } from "../api/cluster.ts";
import type { Transport } from "../kube/client/transport.ts";
import { FakeClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/logger.ts";
import { type ApiServer, createApiServer } from "./apiserver/server.ts";
import { decodeSecret, memberKubeconfig } from "./connect.ts";
import { Fleet } from "./fleet.ts";

const clock = new FakeClock();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function cluster(spec: Partial<Cluster["spec"]> = {}, uid = "u-1"): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name: "paris-1", uid },
    spec: { syncMode: "Push", apiEndpoint: "https://paris-1.example:6443", ...spec },
  };
}

function secret(data: Record<string, string>) {
  const encoded = Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]),
  );
  return decodeSecret({ apiVersion: "v1", kind: "Secret", metadata: { name: "paris-1" }, data: encoded });
}

describe("memberKubeconfig", () => {
  it("is made of a token and an authority, as Karmada keeps them", () => {
    const config = JSON.parse(memberKubeconfig(cluster(), secret({ token: "abc\n", caBundle: "CA" })));

    expect(config.clusters[0].cluster).toEqual({
      server: "https://paris-1.example:6443",
      "certificate-authority-data": Buffer.from("CA").toString("base64"),
    });
    expect(config.users[0].user).toEqual({ token: "abc" });
  });

  it("is made of a client's certificate, and without checking when told so", () => {
    const config = JSON.parse(
      memberKubeconfig(cluster({ insecureSkipTLSVerification: true }), secret({ "tls.crt": "CRT", "tls.key": "KEY" })),
    );

    expect(config.clusters[0].cluster).toMatchObject({ "insecure-skip-tls-verify": true });
    expect(config.users[0].user).toEqual({
      "client-certificate-data": Buffer.from("CRT").toString("base64"),
      "client-key-data": Buffer.from("KEY").toString("base64"),
    });
  });

  it("is a whole one where the Secret holds one", () => {
    expect(memberKubeconfig(cluster(), secret({ kubeconfig: "apiVersion: v1", token: "x" }))).toBe("apiVersion: v1");
  });

  it.each<[string, Partial<Cluster["spec"]>, Record<string, string>]>([
    ["spec.apiEndpoint", { apiEndpoint: "" }, { token: "abc" }],
    ["neither token nor", {}, {}],
    ["neither token nor", {}, { "tls.crt": "CRT" }],
  ])("says that %s is missing, and no secret", (words, spec, data) => {
    expect(() => memberKubeconfig(cluster(spec), secret(data))).toThrow(
      expect.objectContaining({ code: "cluster-not-configured", message: expect.stringContaining(words) }),
    );
    expect(() => memberKubeconfig(cluster(spec), secret(data))).not.toThrow(/abc|CRT/);
  });
});

describe("Fleet", () => {
  async function start(): Promise<{ fleet: Fleet; server: ApiServer; connected: string[] }> {
    const server = await createApiServer({ name: "member", clock, logger: silentLogger });
    const local = (name: string): Transport | undefined => (name === "paris-1" ? server.handle : undefined);
    const fleet = new Fleet({ clock, logger: silentLogger, local });
    const connected: string[] = [];
    fleet.onConnect((member) => connected.push(member.name));
    closers.push(async () => {
      await fleet.close();
      await server.close();
    });
    return { fleet, server, connected };
  }

  it("connects once while address and credentials stay", async () => {
    const { fleet, connected } = await start();

    const first = await fleet.connect(cluster(), secret({ token: "a" }));
    const second = await fleet.connect(cluster(), secret({ token: "a" }));

    expect(second).toBe(first);
    expect(connected).toEqual(["paris-1"]);
    expect(fleet.get("paris-1")).toBe(first);
    expect(fleet.members().map((member) => member.name)).toEqual(["paris-1"]);
  });

  it.each<[string, Cluster, Record<string, string>]>([
    ["the address", cluster({ apiEndpoint: "https://elsewhere.example" }), { token: "a" }],
    ["the credentials", cluster(), { token: "b" }],
    ["the cluster itself, under its name", cluster({}, "u-2"), { token: "a" }],
  ])("connects anew when %s changes", async (_what, changed, data) => {
    const { fleet, connected } = await start();
    const first = await fleet.connect(cluster(), secret({ token: "a" }));

    const second = await fleet.connect(changed, secret(data));

    expect(second.member).not.toBe(first.member);
    expect(fleet.get("paris-1")).toBe(second);
    expect(connected).toEqual(["paris-1", "paris-1"]);
  });

  it("tells a late listener of who is connected", async () => {
    const { fleet } = await start();
    await fleet.connect(cluster(), secret({ token: "a" }));
    const heard: string[] = [];

    fleet.onConnect((member) => heard.push(member.name));

    expect(heard).toEqual(["paris-1"]);
  });

  it("lets go of a cluster", async () => {
    const { fleet } = await start();
    await fleet.connect(cluster(), secret({ token: "a" }));

    await fleet.disconnect("paris-1");
    await fleet.disconnect("paris-1");

    expect(fleet.get("paris-1")).toBeUndefined();
  });
});
