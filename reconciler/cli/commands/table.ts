// All commands, in the order in which help shows them.
import type { Command } from "../command.ts";
import { backupCommand } from "./backup.ts";
import { completionCommand } from "./completion.ts";
import { demoCommand } from "./demo.ts";
import { driftCommand } from "./drift.ts";
import { estimatorCommand } from "./estimator.ts";
import { explainCommand } from "./explain.ts";
import { fsckCommand } from "./fsck.ts";
import { getCommand } from "./get.ts";
import { interpretCommand } from "./interpret.ts";
import { joinCommand } from "./join.ts";
import { lintCommand } from "./lint.ts";
import { planCommand } from "./plan.ts";
import { reconcileCommand } from "./reconcile.ts";
import { renderCommand } from "./render.ts";
import { replayCommand } from "./replay.ts";
import { restoreCommand } from "./restore.ts";
import { unjoinCommand } from "./unjoin.ts";
import { upCommand } from "./up.ts";
import { versionCommand } from "./version.ts";

export const COMMANDS: readonly Command[] = [
  upCommand,
  demoCommand,
  renderCommand,
  planCommand,
  lintCommand,
  explainCommand,
  replayCommand,
  interpretCommand,
  driftCommand,
  reconcileCommand,
  getCommand,
  joinCommand,
  unjoinCommand,
  backupCommand,
  restoreCommand,
  fsckCommand,
  estimatorCommand,
  versionCommand,
  // Completion is made from this table, so it is handed the table when it runs.
  completionCommand(() => COMMANDS),
];
