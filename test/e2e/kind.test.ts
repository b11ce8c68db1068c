// deploy/kind without Docker: the clusters' configuration by kind's schema, and the scripts with programs in the place of kind,
// kubectl and docker that write down how they are called and know documented flags only.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { parseYaml } from "../../kube/yaml.ts";
import { findProgram } from "../find-program.ts";

const KIND = join(import.meta.dirname, "../../deploy/kind");
const CLUSTERS = ["paris-1", "paris-2", "tokyo-1"];
const shellcheck = findProgram("shellcheck");

/** kind.x-k8s.io/v1alpha4, as far as clusters without patches and mounts need it. */
const kindConfig = z.strictObject({
  kind: z.literal("Cluster"),
  apiVersion: z.literal("kind.x-k8s.io/v1alpha4"),
  name: z.string().optional(),
  nodes: z.array(
    z.strictObject({
      role: z.enum(["control-plane", "worker"]).optional(),
      image: z.string().optional(),
      labels: z.record(z.string(), z.string()).optional(),
    }),
  ),
  networking: z.strictObject({
    ipFamily: z.enum(["ipv4", "ipv6", "dual"]).optional(),
    apiServerPort: z.int().optional(),
    apiServerAddress: z.string().optional(),
    podSubnet: z.cidrv4(),
    serviceSubnet: z.cidrv4(),
    disableDefaultCNI: z.boolean().optional(),
    kubeProxyMode: z.enum(["iptables", "ipvs", "nftables", "none"]).optional(),
  }),
});

/** The flags that the programs' own help lists for each of their commands. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  "kind get clusters": [],
  "kind create cluster": ["--name", "--config", "--kubeconfig", "--wait", "--image", "--retain"],
  "kind export kubeconfig": ["--name", "--kubeconfig", "--internal"],
  "kind delete cluster": ["--name", "--kubeconfig"],
  "kubectl get": ["--kubeconfig", "--raw", "--ignore-not-found", "--output"],
  "kubectl wait": ["--kubeconfig", "--for", "--all", "--timeout"],
  "flaghoist join": ["--cluster-kubeconfig", "--provider", "--region", "--kubeconfig"],
  "flaghoist unjoin": ["--force", "--kubeconfig"],
};

describe("deploy/kind: configuration", () => {
  it.each(CLUSTERS)("of %s is one that kind reads", (name) => {
    expect(() => kindConfig.parse(parseYaml(readFileSync(join(KIND, `${name}.yaml`), "utf8")))).not.toThrow();
  });

  it("gives no address to two of them", () => {
    const subnets = CLUSTERS.flatMap((name) => {
      const { networking } = kindConfig.parse(parseYaml(readFileSync(join(KIND, `${name}.yaml`), "utf8")));
      return [networking.podSubnet, networking.serviceSubnet];
    });

    expect(subnets.every((subnet) => subnet.endsWith(".0.0/16"))).toBe(true);
    expect(new Set(subnets).size).toBe(2 * CLUSTERS.length);
  });
});

describe("deploy/kind: scripts", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-kind-"));
    mkdirSync(join(folder, "bin"));
    for (const program of ["docker", "kind", "kubectl", "flaghoist"]) {
      const path = join(folder, "bin", program);
      // What a test has written into NAME.out is answered; NAME.fails fails.
      writeFileSync(
        path,
        `#!/bin/sh\necho "${program} $*" >> "${folder}/calls"\n[ "$1" = get ] && [ -f "${folder}/${program}.out" ] && cat "${folder}/${program}.out"\n[ ! -f "${folder}/${program}.fails" ]\n`,
      );
      chmodSync(path, 0o755);
    }
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function run(script: string): { readonly status: number | null; readonly err: string; readonly calls: string[] } {
    const path = `${join(folder, "bin")}:${process.env["PATH"]}`;
    const env = { ...process.env, PATH: path, FLAGHOIST: "flaghoist", FLAGHOIST_KUBECONFIG: "plane.kubeconfig" };
    const { status, stderr } = spawnSync(join(KIND, script), { cwd: folder, env, encoding: "utf8" });
    const calls = readdirSync(folder).includes("calls") ? readFileSync(join(folder, "calls"), "utf8") : "";
    return { status, err: stderr, calls: calls.split("\n").filter((line) => line !== "") };
  }

  it.each(["up", "down"])("%s calls programs with documented flags only", (script) => {
    const { status, calls, err } = run(script);

    expect([status, err]).toEqual([0, ""]);
    for (const call of calls) {
      const words = call.split(" ");
      const flags = words.filter((word) => word.startsWith("-")).map((word) => word.split("=")[0]);
      const plain = words.filter((word) => /^[a-z]+$/.test(word));
      const command = Object.keys(FLAGS).find((known) => plain.join(" ").startsWith(known));
      expect([call, flags.filter((flag) => !FLAGS[command ?? ""]?.includes(flag ?? ""))]).toEqual([call, []]);
    }
  });

  it("makes and joins three clusters", () => {
    const { calls } = run("up");

    expect(calls.filter((call) => call.startsWith("kind create")).map((call) => call.split(" ")[4])).toEqual([
      "tokyo-1",
      "paris-1",
      "paris-2",
    ]);
    expect(calls.filter((call) => call.startsWith("flaghoist join"))).toContain(
      "flaghoist join paris-1 --cluster-kubeconfig .flaghoist/kind/paris-1.kubeconfig --provider kind --region eu-west --kubeconfig plane.kubeconfig",
    );
  });

  it("keeps what is there already", () => {
    writeFileSync(join(folder, "kind.out"), "tokyo-1\nparis-1\nparis-2\n");
    writeFileSync(join(folder, "kubectl.out"), "cluster.cluster.karmada.io/any\n");
    // The programs above answer to a first word of get; kubectl's is a flag.
    writeFileSync(
      join(folder, "bin", "kubectl"),
      `#!/bin/sh\ncase "$*" in *"--output name"*) cat "${folder}/kubectl.out";; esac\n`,
    );

    const { status, calls } = run("up");

    expect(status).toBe(0);
    expect(calls.filter((call) => /create|join/.test(call))).toEqual([]);
  });

  it("makes nothing where no control plane answers", () => {
    writeFileSync(join(folder, "kubectl.fails"), "");

    const { status, err, calls } = run("up");

    expect(status).toBe(1);
    expect(err).toContain("start one with 'flaghoist up'");
    expect(calls.filter((call) => call.startsWith("kind"))).toEqual([]);
  });

  if (shellcheck === undefined) console.warn("skipped: shellcheck of deploy/kind: there is no shellcheck");
  it.runIf(shellcheck !== undefined).each(["up", "down"])("%s is as shellcheck wants it", (script) => {
    const { status, stdout } = spawnSync(shellcheck ?? "", [join(KIND, script)], { encoding: "utf8" });

    expect([status, stdout]).toEqual([0, ""]);
  });
});
