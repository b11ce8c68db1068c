// The differential fuzz of kustomize: inputs of all areas, built by kustomize and by us, compared, and what differs made small.
import { Random } from "../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "./area.ts";
import { compareOutcomes, type Difference, type Outcome } from "./comparison.ts";
import { minimiseFiles } from "./minimise-files.ts";

/** A builder of inputs: the real program, or ours. */
export type Builder = (input: GeneratedKustomization) => Outcome | Promise<Outcome>;

export interface KustomizeFuzzOptions {
  readonly areas: readonly Area[];
  readonly cases: number;
  /** Case `i` of the run has the seed `seed + i`. */
  readonly seed: number;
  readonly real: Builder;
  readonly ours: Builder;
  /** How many differences are made small; the rest is only counted. Default 10. */
  readonly mostShown?: number;
  /** Hears of each difference as soon as it is made small. */
  readonly onFound?: (found: FoundDifference) => void;
}

export interface FoundDifference {
  readonly area: string;
  /** Of this one case. */
  readonly seed: number;
  readonly difference: Difference;
  readonly input: GeneratedKustomization;
  readonly real: Outcome;
}

export interface KustomizeFuzzReport {
  readonly passed: number;
  readonly failed: number;
  /** Of those that passed, how many the real program refused. */
  readonly refused: number;
  /** Inputs to which the real program answers now this, now that, or dies: they count as passed. */
  readonly undecided: number;
  /** At most `mostShown`, made small. */
  readonly found: readonly FoundDifference[];
}

/** Processes of the real program at once. */
const PARALLEL = 2;
/** Builds by the real program to make one input small. */
const MOST_BUILDS = 300;
/** How often the real program must repeat an answer that differs from ours. */
const REPEATS = 3;

/** Builds random inputs on both sides. Each case depends on its area and seed alone. */
export async function fuzzKustomize(options: KustomizeFuzzOptions): Promise<KustomizeFuzzReport> {
  const counts = { passed: 0, failed: 0, refused: 0, undecided: 0 };
  const found: FoundDifference[] = [];
  let next = 0;
  let shown = 0;
  const work = async (): Promise<void> => {
    while (next < options.cases) {
      const at = next++;
      const area = options.areas[at % options.areas.length]!;
      const seed = (options.seed + at) >>> 0;
      const input = area.generate(new Random(seed));
      const real = await options.real(input);
      const difference = compareOutcomes(real, await options.ours(input));
      if (difference === undefined) {
        counts.passed++;
        if (real.failure?.category === "crash") counts.undecided++;
        else if (real.failure !== undefined) counts.refused++;
        continue;
      }
      if (!(await repeats(input, real, options.real))) {
        counts.passed++;
        counts.undecided++;
        continue;
      }
      counts.failed++;
      if (shown++ >= (options.mostShown ?? 10)) continue;
      const small = await shrink({ area: area.name, seed, difference, input, real }, options);
      found.push(small);
      options.onFound?.(small);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return { ...counts, found };
}

async function repeats(input: GeneratedKustomization, first: Outcome, real: Builder): Promise<boolean> {
  for (let i = 0; i < REPEATS; i++) {
    const again = await real(input);
    if (again.output !== first.output || again.failure?.category !== first.failure?.category) return false;
  }
  return true;
}

async function shrink(found: FoundDifference, options: KustomizeFuzzOptions): Promise<FoundDifference> {
  const whole = await options.ours(found.input);
  let best = found;
  let builds = 0;
  const input = await minimiseFiles(found.input, async (smaller) => {
    const ours = await options.ours(smaller);
    // Ours is asked first: it is the quicker one.
    if (ours.failure?.category !== whole.failure?.category || builds++ >= MOST_BUILDS) return false;
    const real = await options.real(smaller);
    const difference = compareOutcomes(real, ours);
    if (difference?.kind !== found.difference.kind) return false;
    best = { ...found, difference, input: smaller, real };
    return true;
  });
  return { ...best, input };
}
