// What befalls a chaotic fleet: a list of plain entries that the seed determines, so that any of them can be left out.
import type { Random } from "../../runtime/random.ts";

/** How often each thing happens, relative to the others. */
const WEIGHTS = {
  change: 10,
  scale: 6,
  create: 4,
  delete: 4,
  "delete-many": 3,
  recreate: 3,
  move: 5,
  mirror: 3,
  edit: 8,
  "edit-many": 2,
  "delete-copy": 4,
  "strip-label": 1,
  usurp: 2,
  "foreign-change": 2,
  down: 4,
  hang: 3,
  slow: 2,
  errors: 4,
  throttle: 3,
  "watch-drop": 4,
  unhealthy: 2,
  "expired-credentials": 2,
  partition: 3,
  outage: 2,
  "revision-reset": 2,
  "group-missing": 2,
  "lost-answers": 4,
  "half-bodies": 3,
  certificate: 2,
  refusals: 4,
  "stale-watches": 3,
  rotate: 2,
  crash: 12,
  "clock-jump": 3,
  "cut-store": 2,
  backup: 3,
  restore: 3,
  wipe: 2,
} as const;

export type ActionKind = keyof typeof WEIGHTS;

/** One thing that happens. What it strikes follows from its own seed and the state of the world at its time. */
export interface Action {
  readonly index: number;
  /** After the beginning. */
  readonly atMs: number;
  readonly kind: ActionKind;
  readonly seed: number;
}

/** The list of a seed, in order of time. */
export function planActions(random: Random, count: number, overMs: number): Action[] {
  const pool = Object.entries(WEIGHTS).flatMap(([kind, weight]) => Array<ActionKind>(weight).fill(kind as ActionKind));
  const times = Array.from({ length: count }, () => Math.floor(random.next() * overMs)).sort((a, b) => a - b);
  return times.map((atMs, index) => ({ index, atMs, kind: random.pick(pool), seed: random.below(2 ** 32) }));
}
