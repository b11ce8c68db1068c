import type { Sync } from "../../../api/gitops.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { OverrideFinding } from "../../overrides/lint.ts";
import { desiredObjects, renderFolder } from "../../plan/desired-objects.ts";
import type { Origin } from "../../plan/origin.ts";
import { findOverridePolicy } from "../../plan/overridden-fields.ts";
import { overrideFindings } from "../../plan/override-findings.ts";
import { runRiver } from "../../plan/river.ts";
import { changeWorld, loadWorld, type World } from "../../plan/world.ts";
import type { WorldInterpreters } from "../../plan/world-interpreters.ts";
import { findingsText } from "../../reports/findings-text.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  READING_OPTIONS,
} from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { originFinder } from "../origins.ts";
import { paint, print } from "../output.ts";
import { REMOTE_OPTIONS, withRemoteBases } from "../remote-settings.ts";
import { openSourceFolder } from "../source-folder.ts";
import { INTERPRETATION_OPTIONS, withInterpreters } from "../world-interpretation.ts";

export const lintCommand: Command = {
  name: "lint",
  summary: "find overrides that never apply",
  usage: "[PATH] [--exit-code]",
  description:
    "Says which override policies are written in vain: selectors that select nothing, rules for clusters that do not exist or that none of the objects goes to, overriders without effect, that fail, or that another policy writes over. Looks at what the control plane has, with PATH as it would be with the objects of that folder. Writes nothing.",
  options: {
    "exit-code": { type: "boolean", help: "exit 3 when something is found" },
    ...REMOTE_OPTIONS,
    ...INTERPRETATION_OPTIONS,
    ...READING_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["lint", "the policies that are stored"],
    ["lint apps/shop --exit-code", "with the files on disk; exit 3 when something is found"],
  ],
  run: (invocation) =>
    withControlPlane(invocation, ({ client }) =>
      withInterpreters(client, invocation, (interpreters) => lint(invocation, client, interpreters)),
    ),
};

/** A finding with where its policy is written. */
export interface LocatedFinding extends OverrideFinding {
  readonly origin: Origin | undefined;
}

async function lint(invocation: Invocation, client: KubeClient, interpreters: WorldInterpreters): Promise<ExitCode> {
  const stored = await loadWorld(client);
  const [path] = invocation.positionals;
  const files = new Map<string, string>();
  const world = path === undefined ? stored : changeWorld(stored, await objectsOf(invocation, client, path, files), []);
  const outcomes = await interpreters
    .of(world.interpretation)
    .decide(
      (interpreter) =>
        runRiver(world, { interpreter, now: systemClock.now(), compatibility: interpreters.compatibility }),
      { signal: invocation.signal },
    );
  const originOf = await originFinder(client, invocation.io.cwd);
  const findings = overrideFindings(world, outcomes, interpreters.compatibility).map((finding): LocatedFinding => {
    const policy = findOverridePolicy(policiesOf(world), finding.policy);
    const file = policy === undefined ? undefined : files.get(refKey(refOf(policy)));
    return { ...finding, origin: file !== undefined || policy === undefined ? { file } : originOf(policy) };
  });
  print(invocation, { findings }, () => findingsText(findings, policiesOf(world).length, paint(invocation)));
  return booleanOption(invocation, "exit-code") && findings.length > 0 ? EXIT.differences : EXIT.ok;
}

function policiesOf(world: World): readonly KubeObject[] {
  return [...world.clusterOverridePolicies, ...world.overridePolicies];
}

async function objectsOf(
  invocation: Invocation,
  client: KubeClient,
  path: string,
  files: Map<string, string>,
): Promise<readonly KubeObject[]> {
  const folder = openSourceFolder(invocation.io.cwd, path, undefined);
  try {
    const syncs = (await client.list<Sync>("gitops.flaghoist.io/v1alpha1", "Sync")).items;
    const sync = syncs.find(({ spec }) => (spec.path ?? "").replace(/^\.?\/+|\/+$/g, "") === folder.path);
    const rendered = await withRemoteBases(invocation, (remotes) =>
      renderFolder(client, folder.head, folder.path, { sync, remotes, signal: invocation.signal }),
    );
    const made = await desiredObjects(client, rendered.objects, invocation.signal);
    const problems = [...rendered.problems, ...made.problems].filter(({ severity }) => severity === "error");
    if (problems.length > 0) {
      const texts = problems.slice(0, 5).map(({ origin, message }) => `${origin}: ${message}`);
      throw new AppError("folder-invalid", texts.join("; "), { recovery: "stall" });
    }
    for (const { object, origin } of made.desired) files.set(refKey(refOf(object)), origin);
    return made.desired.map(({ object }) => object);
  } finally {
    folder.close();
  }
}
