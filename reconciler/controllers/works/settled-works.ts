// Works that were found as they should be: as long as neither the Work nor its copies have changed, there is nothing to look at.
import type { Work } from "../../../api/work.ts";
import type { Member } from "../../../fleets/member.ts";
import { refOf } from "../../../kube/object.ts";
import { manifestsOf } from "./work-status.ts";

interface Settled {
  readonly member: Member;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  /** Of the rules by which copies are read and kept. */
  readonly rulesVersion: number;
  /** What was last seen of each copy. */
  readonly copies: readonly (string | undefined)[];
}

/**
 * Remembers the Works of which a step found everything as it is to be. A cluster that comes back has each of its Works looked at,
 * and for most of them that is all there is to do. What no watch shows is found by the periodic dry run, which asks nothing here.
 */
export class SettledWorks {
  readonly #known = new Map<string, Settled>();

  /** Whether nothing has changed since `settle`. */
  has(work: Work, member: Member, rulesVersion: number): boolean {
    const known = this.#known.get(keyOf(work));
    if (known === undefined) return false;
    const { uid, resourceVersion } = work.metadata;
    return (
      known.member === member &&
      known.uid === uid &&
      known.resourceVersion === resourceVersion &&
      known.rulesVersion === rulesVersion &&
      manifestsOf(work).every((manifest, i) => {
        const seen = known.copies[i];
        return seen !== undefined && stateOf(member, manifest) === seen;
      })
    );
  }

  /**
   * To be called when a step begins. The returned function is to be called when it has changed nothing, failed at nothing and
   * left no drift, with the Work as it is by then: what the step began with is what it has looked at.
   */
  begin(work: Work, member: Member, rulesVersion: number): (present: Work) => void {
    const copies = manifestsOf(work).map((manifest) => stateOf(member, manifest));
    return (present) => {
      const { uid, resourceVersion, generation } = present.metadata;
      if (generation !== work.metadata.generation) return;
      this.#known.set(keyOf(work), { member, uid, resourceVersion, rulesVersion, copies });
    };
  }

  forget(work: Work): void {
    this.#known.delete(keyOf(work));
  }
}

function keyOf({ metadata }: Work): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function stateOf(member: Member, manifest: Parameters<typeof refOf>[0]): string | undefined {
  const cached = member.cached(refOf(manifest));
  return cached === undefined ? undefined : `${cached.metadata.uid}/${cached.metadata.resourceVersion}`;
}
