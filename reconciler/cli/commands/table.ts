// All commands, in the order in which help shows them.
import type { Command } from "../command.ts";

/** A command whose code is read when it is called: one command does not wait for the code of all others. */
export interface CommandEntry {
  /** One word, or two: `fleet up`. */
  readonly name: string;
  readonly load: () => Promise<Command>;
}

export const COMMANDS: readonly CommandEntry[] = [
  { name: "up", load: async () => (await import("./up.ts")).upCommand },
  { name: "demo", load: async () => (await import("./demo.ts")).demoCommand },
  { name: "render", load: async () => (await import("./render.ts")).renderCommand },
  { name: "plan", load: async () => (await import("./plan.ts")).planCommand },
  { name: "test", load: async () => (await import("./test.ts")).testCommand },
  { name: "report", load: async () => (await import("./report.ts")).reportCommand },
  { name: "simulate", load: async () => (await import("./simulate.ts")).simulateCommand },
  { name: "lint", load: async () => (await import("./lint.ts")).lintCommand },
  { name: "explain", load: async () => (await import("./explain.ts")).explainCommand },
  { name: "replay", load: async () => (await import("./replay.ts")).replayCommand },
  { name: "interpret", load: async () => (await import("./interpret.ts")).interpretCommand },
  { name: "drift", load: async () => (await import("./drift.ts")).driftCommand },
  { name: "drift adopt", load: async () => (await import("./drift-adopt.ts")).driftAdoptCommand },
  { name: "drift ignore", load: async () => (await import("./drift-ignore.ts")).driftIgnoreCommand },
  { name: "rollout status", load: async () => (await import("./rollout.ts")).rolloutStatusCommand },
  { name: "rollout pause", load: async () => (await import("./rollout.ts")).rolloutPauseCommand },
  { name: "rollout resume", load: async () => (await import("./rollout.ts")).rolloutResumeCommand },
  { name: "rollout abort", load: async () => (await import("./rollout.ts")).rolloutAbortCommand },
  { name: "rollout retry", load: async () => (await import("./rollout.ts")).rolloutRetryCommand },
  { name: "reconcile", load: async () => (await import("./reconcile.ts")).reconcileCommand },
  { name: "get", load: async () => (await import("./get.ts")).getCommand },
  { name: "join", load: async () => (await import("./join.ts")).joinCommand },
  { name: "cordon", load: async () => (await import("./cordon.ts")).cordonCommand },
  { name: "uncordon", load: async () => (await import("./cordon.ts")).uncordonCommand },
  { name: "taint", load: async () => (await import("./taint.ts")).taintCommand },
  { name: "grant", load: async () => (await import("./grant.ts")).grantRightsCommand },
  { name: "unjoin", load: async () => (await import("./unjoin.ts")).unjoinCommand },
  { name: "token create", load: async () => (await import("./token-create.ts")).tokenCreateCommand },
  { name: "token list", load: async () => (await import("./token-list.ts")).tokenListCommand },
  { name: "token delete", load: async () => (await import("./token-delete.ts")).tokenDeleteCommand },
  { name: "register", load: async () => (await import("./register.ts")).registerCommand },
  { name: "unregister", load: async () => (await import("./unregister.ts")).unregisterCommand },
  { name: "agent", load: async () => (await import("./agent.ts")).agentCommand },
  { name: "snapshot", load: async () => (await import("./snapshot.ts")).snapshotCommand },
  { name: "backup", load: async () => (await import("./backup.ts")).backupCommand },
  { name: "restore", load: async () => (await import("./restore.ts")).restoreCommand },
  { name: "fsck", load: async () => (await import("./fsck.ts")).fsckCommand },
  { name: "fleet up", load: async () => (await import("./fleet-up.ts")).fleetUpCommand },
  { name: "fleet play", load: async () => (await import("./fleet-play.ts")).fleetPlayCommand },
  { name: "fleet validate", load: async () => (await import("./fleet-validate.ts")).fleetValidateCommand },
  { name: "fleet schema", load: async () => (await import("./fleet-schema.ts")).fleetSchemaCommand },
  { name: "fleet fault", load: async () => (await import("./fleet-fault.ts")).fleetFaultCommand },
  { name: "fleet faults", load: async () => (await import("./fleet-faults.ts")).fleetFaultsCommand },
  { name: "fleet status", load: async () => (await import("./fleet-status.ts")).fleetStatusCommand },
  { name: "fleet advance", load: async () => (await import("./fleet-advance.ts")).fleetAdvanceCommand },
  { name: "estimator", load: async () => (await import("./estimator.ts")).estimatorCommand },
  { name: "version", load: async () => (await import("./version.ts")).versionCommand },
  // Completion is made from this table, so it is handed the table.
  { name: "completion", load: async () => (await import("./completion.ts")).completionCommand(loadCommands) },
];

/** Every command, for what tells of all of them. */
export function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(COMMANDS.map(({ load }) => load()));
}
