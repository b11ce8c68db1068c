import type { Cluster } from "../../../api/cluster.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { describeRef, type ObjectRef } from "../../../kube/object.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { formatDuration } from "../../../runtime/duration.ts";
import { AppError } from "../../../runtime/errors.ts";
import { type RolloutReport, reportRollout } from "../../plan/rollout-report.ts";
import { table } from "../../reports/table.ts";
import { ABORT_ANNOTATION, PAUSED_ANNOTATION, RETRY_ANNOTATION } from "../../rollout/revision.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import { bindingName } from "../../works/naming.ts";
import {
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  NAMESPACE_OPTION,
  OUTPUT_OPTION,
  READING_OPTIONS,
  SERVER_OPTIONS,
  stringOption,
} from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { findObject } from "../find-kind.ts";
import { print } from "../output.ts";

const OBJECT = "KIND/NAME [-n NAMESPACE]";

/** `flaghoist rollout status`. */
export const rolloutStatusCommand: Command = {
  name: "rollout status",
  summary: "show how far a change of an object has come, cluster by cluster",
  usage: OBJECT,
  description:
    "Shows which clusters have the present revision of the object, which are on the way to it, and which wait for their turn, by the waves of placement.flaghoist.rollout. Exits 4 while the rollout is held for a person: paused, stopped, or taken back.",
  options: { ...NAMESPACE_OPTION, ...READING_OPTIONS, ...OUTPUT_OPTION },
  examples: [
    ["rollout status deployment/web -n shop", "where web stands"],
    ["rollout status deploy/web -n shop -o json", "as data"],
  ],
  run: (invocation) => withRollout(invocation, showStatus),
};

/** `flaghoist rollout pause`. */
export const rolloutPauseCommand: Command = {
  name: "rollout pause",
  summary: "let no further cluster get a change of an object",
  usage: OBJECT,
  description: `Sets annotation ${PAUSED_ANNOTATION} on the object. Clusters that are on the way to the new revision keep it; none fails meanwhile.`,
  options: { ...NAMESPACE_OPTION, ...SERVER_OPTIONS },
  examples: [["rollout pause deployment/web -n shop", "stop where it is"]],
  run: (invocation) =>
    withRollout(invocation, async ({ client, object, words }) => {
      await annotate(client, object, { [PAUSED_ANNOTATION]: "true" });
      return done(invocation, `${words} is paused; to go on: flaghoist rollout resume ${words}`);
    }),
};

/** `flaghoist rollout resume`. */
export const rolloutResumeCommand: Command = {
  name: "rollout resume",
  summary: "go on with a rollout that was paused",
  usage: OBJECT,
  description: `Takes annotation ${PAUSED_ANNOTATION} off the object. What the policy itself pauses (placement.flaghoist.rollout.paused) stays paused.`,
  options: { ...NAMESPACE_OPTION, ...SERVER_OPTIONS },
  examples: [["rollout resume deployment/web -n shop", "go on"]],
  run: (invocation) =>
    withRollout(invocation, async ({ client, object, words, binding }) => {
      await annotate(client, object, { [PAUSED_ANNOTATION]: null });
      const stays = binding.spec.placement?.flaghoist?.rollout?.paused === true;
      return done(
        invocation,
        stays
          ? `${words} stays paused by its policy: placement.flaghoist.rollout.paused is true there`
          : `${words} goes on`,
      );
    }),
};

/** `flaghoist rollout abort`. */
export const rolloutAbortCommand: Command = {
  name: "rollout abort",
  summary: "take a change back in every cluster that has it",
  usage: OBJECT,
  description: `Sets annotation ${ABORT_ANNOTATION} on the object to its present revision: every cluster returns to the last healthy one, and stays there until the object changes or 'flaghoist rollout retry'.`,
  options: { ...NAMESPACE_OPTION, ...SERVER_OPTIONS },
  examples: [["rollout abort deployment/web -n shop", "back to what was healthy"]],
  run: (invocation) =>
    withRollout(invocation, async ({ client, object, words, report }) => {
      const { revision, lastHealthy } = report;
      if (revision === lastHealthy)
        throw new AppError(
          "rollout-nothing-to-abort",
          `revision ${revision} of ${words} is rolled out already: to go back, revert it in Git`,
          { recovery: "stall" },
        );
      await annotate(client, object, { [ABORT_ANNOTATION]: revision });
      const outcome =
        lastHealthy === undefined
          ? "there is no healthy revision to return to, so nothing further is sent"
          : `every cluster returns to revision ${lastHealthy}`;
      return done(invocation, `revision ${revision} of ${words} is aborted: ${outcome}`);
    }),
};

/** `flaghoist rollout retry`. */
export const rolloutRetryCommand: Command = {
  name: "rollout retry",
  summary: "try a revision again that failed or was aborted",
  usage: OBJECT,
  description: `Sets annotation ${RETRY_ANNOTATION} on the object to the present time, and takes ${ABORT_ANNOTATION} off: the rollout begins again with the first wave, and failures are forgotten.`,
  options: { ...NAMESPACE_OPTION, ...SERVER_OPTIONS },
  examples: [["rollout retry deployment/web -n shop", "once more"]],
  run: (invocation) =>
    withRollout(invocation, async ({ client, object, words, report }) => {
      const retry = new Date(systemClock.now()).toISOString();
      await annotate(client, object, { [RETRY_ANNOTATION]: retry, [ABORT_ANNOTATION]: null });
      return done(invocation, `revision ${report.revision} of ${words} is tried again`);
    }),
};

interface FoundRollout {
  readonly client: KubeClient;
  readonly object: ObjectRef;
  /** `deployment/web -n shop`. */
  readonly words: string;
  readonly binding: AnyBinding;
  readonly report: RolloutReport;
  readonly invocation: Invocation;
}

function withRollout(invocation: Invocation, act: (found: FoundRollout) => Promise<ExitCode>): Promise<ExitCode> {
  return withControlPlane(invocation, async ({ client }) => {
    const object = await findObject(client, invocation.positionals, stringOption(invocation, "namespace"));
    if ((await client.find(object, invocation.signal)) === undefined)
      throw new AppError("object-unknown", `there is no ${describeRef(object)} in the control plane`, {
        recovery: "stall",
      });
    const binding = await client.find<AnyBinding>({
      apiVersion: BINDING_API_VERSION,
      kind: object.namespace === undefined ? "ClusterResourceBinding" : "ResourceBinding",
      namespace: object.namespace,
      name: bindingName(object.kind, object.name),
    });
    if (binding === undefined)
      throw new AppError("rollout-no-binding", `no policy places ${describeRef(object)}: flaghoist explain says why`, {
        recovery: "stall",
      });
    const clusters = (await client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster")).items;
    const report = reportRollout(binding, clusters);
    if (report === undefined)
      throw new AppError(
        "rollout-none",
        binding.spec.placement?.flaghoist?.rollout == null
          ? `changes of ${describeRef(object)} reach all clusters at once: its policy has no placement.flaghoist.rollout`
          : `nothing is recorded yet of the rollout of ${describeRef(object)}`,
        { recovery: "stall" },
      );
    const { namespace, kind, name } = object;
    const words = `${kind.toLowerCase()}/${name}${namespace === undefined ? "" : ` -n ${namespace}`}`;
    return act({ client, object, words, binding, report, invocation });
  });
}

const HELD: readonly string[] = ["Paused", "Stopped", "Returning", "Returned"];

async function showStatus({ invocation, object, report }: FoundRollout): Promise<ExitCode> {
  print(invocation, { object, ...report }, () => {
    const now = systemClock.now();
    const rows = report.clusters.map(({ wave, cluster, state, revision, since, why }) => [
      wave,
      cluster,
      state,
      revision ?? "-",
      since === undefined ? "-" : formatDuration(Math.max(0, Math.round((now - Date.parse(since)) / 1_000)) * 1_000),
      why ?? "",
    ]);
    return [
      `${describeRef(object)}: ${report.message}`,
      "",
      table([["WAVE", "CLUSTER", "STATE", "REVISION", "FOR", "WHY"], ...rows]),
    ].join("\n");
  });
  return HELD.includes(report.phase) ? EXIT.held : EXIT.ok;
}

async function annotate(
  client: KubeClient,
  object: ObjectRef,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  await client.patch(object, { metadata: { annotations } }, "merge", { fieldManager: "flaghoist-rollout" });
}

function done({ io }: Invocation, words: string): ExitCode {
  io.out(`${words}\n`);
  return EXIT.ok;
}
