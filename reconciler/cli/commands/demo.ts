import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { systemClock } from "../../../runtime/clock.ts";
import { createLogger } from "../../../runtime/logger.ts";
import { commitFiles, createRepository } from "../../../sources/git/write.ts";
import { DEFAULT_SAFE_FAILOVER } from "../../failover/failover-modes.ts";
import { booleanOption, type Command, EXIT, stringOption } from "../command.ts";
import { startControlPlane } from "../control-plane.ts";
import { startDemoMembers } from "../demo/members.ts";
import { runScenes } from "../demo/scenes.ts";
import { DemoStage } from "../demo/stage.ts";

/** Times that let a person watch: a cluster counts as lost after two seconds instead of half a minute. */
const DEMO_PROFILE = {
  clusterStatusIntervalMs: 250,
  clusterThresholds: { failureMs: 1_500, successMs: 1_000 },
  failover: true,
  safeFailover: {
    ...DEFAULT_SAFE_FAILOVER,
    guard: { ...DEFAULT_SAFE_FAILOVER.guard, unreachableAfterMs: 500, settleMs: 500 },
  },
  evictionRate: 20,
};

export const demoCommand: Command = {
  name: "demo",
  summary: "see it all at work on three simulated clusters",
  usage: "[--keep] [--port PORT]",
  description:
    "Starts a control plane and three simulated clusters in two regions and of three providers, makes a Git repository from examples/shop, and shows: a push, a change with its plan, drift that is mended, a cluster that fails and recovers. Takes less than a minute and leaves nothing behind.",
  options: {
    keep: { type: "boolean", help: "stay up at the end, to look around with kubectl" },
    port: { type: "string", value: "PORT", help: "port to listen on (default: any free one)" },
    "log-level": {
      type: "string",
      value: "LEVEL",
      help: "also show the control plane's log: debug, info, warn or error",
    },
  },
  examples: [
    ["demo", "the whole story"],
    ["demo --keep", "and stay up for kubectl"],
  ],
  run: async (invocation) => {
    const folder = mkdtempSync(join(tmpdir(), "flaghoist-demo-"));
    const level = stringOption(invocation, "log-level");
    const logger = createLogger({
      level: level === "debug" || level === "info" || level === "warn" ? level : "error",
      format: "text",
      write: level === undefined ? () => {} : invocation.io.err,
      now: () => systemClock.now(),
    });
    const stage = new DemoStage(invocation);
    const members = await startDemoMembers(logger);
    try {
      const plane = await startControlPlane({
        dataFolder: join(folder, "data"),
        port: Number(stringOption(invocation, "port") ?? 0),
        profile: DEMO_PROFILE,
        members,
        allowLocalSources: true,
        logger,
      });
      try {
        const repository = join(folder, "repository");
        await createRepository(repository);
        const push = async (message: string, change: (folder: string) => void): Promise<string> => {
          change(repository);
          return commitFiles(repository, readFolder(repository), { message, timeMs: systemClock.now() });
        };
        await runScenes({
          stage,
          plane,
          members,
          repository,
          url: pathToFileURL(repository).href,
          push,
          examples: join(import.meta.dirname, "../../../examples/shop"),
          copy,
        });
        if (booleanOption(invocation, "keep") && !invocation.signal.aborted) {
          stage.say("Still up. Ctrl-C ends it.");
          await new Promise<void>((done) => invocation.signal.addEventListener("abort", () => done(), { once: true }));
        }
      } finally {
        await plane.close();
      }
    } finally {
      for (const member of members.values()) await member.close();
      rmSync(folder, { recursive: true, force: true });
    }
    return EXIT.ok;
  },
};

function copy(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
}

/** All files of a working copy with their content. */
function readFolder(root: string): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  const visit = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (name === ".git") continue;
      if (statSync(path).isDirectory()) visit(path);
      else files[relative(root, path)] = readFileSync(path);
    }
  };
  visit(root);
  return files;
}
