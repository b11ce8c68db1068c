// Vectors that the simulator does not play as recorded, and what differs. What passes must leave the list.

const ORPHANS = "owners that leave orphans vanish before they have counted them down";
const VOLUME_MESSAGES = "when the volume controller looks again, and what it tells then";
const FOREGROUND = "an owner that is deleted in the foreground vanishes before its last status is written";

export const PENDING: Readonly<Record<string, string>> = {
  "deployment/delete-and-adopt": ORPHANS,
  "deployment/delete-in-foreground": FOREGROUND,
  "deployment/lose-pods":
    "a Pod deleted with grace 0 is gone before a controller's turn; the real one counts it as terminating for a moment",
  "job/lose-a-pod": "a Job's Pod on its way out is not counted as terminating",
  "job/missing-image": FOREGROUND,
  "replica-set/create-and-scale": ORPHANS,
  "stateful-set/claims-deleted-with-it": VOLUME_MESSAGES,
  "volumes/none-fits": VOLUME_MESSAGES,
};
