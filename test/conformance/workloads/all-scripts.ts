// Every script of the suite.
import type { Script } from "./script.ts";
import { DAEMON_SET_SCRIPTS } from "./scripts/daemon-sets.ts";
import { DEPLOYMENT_SCRIPTS } from "./scripts/deployments.ts";
import { DISRUPTION_SCRIPTS } from "./scripts/disruption.ts";
import { JOB_SCRIPTS } from "./scripts/jobs.ts";
import { NETWORK_AND_VOLUME_SCRIPTS } from "./scripts/network-and-volumes.ts";
import { SCHEDULING_SCRIPTS } from "./scripts/scheduling.ts";
import { SETS_IN_TROUBLE_SCRIPTS } from "./scripts/sets-in-trouble.ts";
import { STATEFUL_SET_SCRIPTS } from "./scripts/stateful-sets.ts";

export const SCRIPTS: readonly Script[] = [
  ...DEPLOYMENT_SCRIPTS,
  ...STATEFUL_SET_SCRIPTS,
  ...DAEMON_SET_SCRIPTS,
  ...SETS_IN_TROUBLE_SCRIPTS,
  ...JOB_SCRIPTS,
  ...DISRUPTION_SCRIPTS,
  ...SCHEDULING_SCRIPTS,
  ...NETWORK_AND_VOLUME_SCRIPTS,
];
