// Templates by the policy that has them, and those that none has: so that a policy's change costs by what it is about.
import type { Change } from "../../../kube/client/informer.ts";
import { type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import { type Claim, readClaim } from "../../policies/claim.ts";
import { belongsToApiServer, whyNotTemplate } from "../../policies/considered.ts";
import { ObjectIndex } from "../../policies/object-index.ts";
import { type Policy, policyKey } from "../../policies/policy-index.ts";
import type { TemplateWatch } from "./template-watch.ts";

export class TemplateIndex {
  /** Templates that no policy has claimed. */
  readonly unclaimed = new ObjectIndex();
  /**
   * Objects of templates' kinds that are never propagated although policies may select them, less those that an API server
   * made for itself, which nobody expects to be.
   */
  readonly kept = new ObjectIndex();
  /** Marked objects, by kind and key of the policy and by their own key. */
  readonly #claimed = new Map<string, Map<string, KubeObject>>();
  readonly #claims = new Map<string, string>();
  readonly #watch: TemplateWatch;

  /** To be made before the watch is started, and before whoever reads it subscribes. */
  constructor(watch: TemplateWatch) {
    this.#watch = watch;
    watch.subscribe((change) => this.#follow(change));
    watch.onKindGone((apiVersion, kind) => this.#forgetKind(apiVersion, kind));
  }

  /** Objects whose marks name the policy. */
  claimedBy(policy: Policy): KubeObject[] {
    return [...(this.#claimed.get(`${policy.kind}/${policyKey(policy)}`)?.values() ?? [])];
  }

  #follow(change: Change<KubeObject>): void {
    const { object } = change;
    const claim = change.type === "deleted" ? undefined : readClaim(object.metadata);
    this.#setClaim(object, claim);
    const isKept = change.type !== "deleted" && whyNotTemplate(object, this.#watch.skipped) !== undefined;
    if (isKept && !belongsToApiServer(object)) this.kept.set(object);
    else this.kept.delete(object);
    if (!isKept && claim === undefined && change.type !== "deleted") this.unclaimed.set(object);
    else this.unclaimed.delete(object);
  }

  #setClaim(object: KubeObject, claim: Claim | undefined): void {
    const key = refKey(refOf(object));
    const before = this.#claims.get(key);
    const after = claim === undefined ? undefined : `${claim.kind}/${claim.namespace}/${claim.name}`;
    if (before !== undefined && before !== after) {
      const objects = this.#claimed.get(before);
      objects?.delete(key);
      if (objects?.size === 0) this.#claimed.delete(before);
    }
    if (after === undefined) {
      this.#claims.delete(key);
      return;
    }
    this.#claims.set(key, after);
    const objects = this.#claimed.get(after);
    if (objects === undefined) this.#claimed.set(after, new Map([[key, object]]));
    else objects.set(key, object);
  }

  #forgetKind(apiVersion: string, kind: string): void {
    this.unclaimed.deleteKind(apiVersion, kind);
    this.kept.deleteKind(apiVersion, kind);
    for (const [policy, objects] of this.#claimed) {
      for (const [key, object] of objects) {
        if (object.apiVersion !== apiVersion || object.kind !== kind) continue;
        objects.delete(key);
        this.#claims.delete(key);
      }
      if (objects.size === 0) this.#claimed.delete(policy);
    }
  }
}
