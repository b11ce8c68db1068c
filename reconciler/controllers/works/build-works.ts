// Builds the Works of a binding in the turns of a loop.
import type { TargetCluster } from "../../../api/work.ts";
import { Turn } from "../../../runtime/turn.ts";
import { type BuiltWork, buildPreparedWorks, type FailedWork, type PreparedWorks } from "../../works/work.ts";
import type { Asking, Interpretation } from "../interpretation/interpretation.ts";

/** Clusters whose Works are built in one go, which takes a few milliseconds. */
const BUILT_AT_ONCE = 50;

/** As `buildPreparedWorks`, some at a time, so that a binding with very many clusters leaves room for others. */
export async function buildInTurns(
  prepared: PreparedWorks,
  targets: readonly TargetCluster[],
  interpretation: Interpretation,
  asking: Asking,
): Promise<{ readonly works: BuiltWork[]; readonly failures: FailedWork[] }> {
  const works: BuiltWork[] = [];
  const failures: FailedWork[] = [];
  const turn = new Turn();
  for (let from = 0; from < targets.length; from += BUILT_AT_ONCE) {
    if (turn.isOver) await turn.next();
    const some = targets.slice(from, from + BUILT_AT_ONCE);
    const built = await interpretation.decide((interpreter) => buildPreparedWorks(prepared, some, interpreter), asking);
    works.push(...built.works);
    failures.push(...built.failures);
  }
  return { works, failures };
}
