// Tells the authors of policies, by events, what about these is odd.
import type { ResourceSelector } from "../../../api/policy.ts";
import { type KubeObject, parseApiVersion } from "../../../kube/object.ts";
import { Turn } from "../../../runtime/turn.ts";
import { WorkQueue } from "../../../runtime/work-queue.ts";
import { whyNotTemplate, whyNotTemplateKind } from "../../policies/considered.ts";
import { isDeleting } from "../../policies/match.ts";
import { adviseOnPolicy, type PolicySurroundings, type SelectedObjects } from "../../policies/policy-advice.ts";
import { type Policy, type PolicyIndex, policyKey } from "../../policies/policy-index.ts";
import { selectorMatches } from "../../policies/resource-selector.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import type { TemplateIndex } from "./template-index.ts";
import type { TemplateWatch } from "./template-watch.ts";
import { overrideExists } from "./templates.ts";

/** What is applied together with a policy comes within this. */
const GATHER_MS = 2_000;

export interface PolicyAdvisor extends Controller {
  /** Looks at a policy that is new or has changed, once what belongs to it has had time to come. */
  consider(policy: Policy): void;
}

export function startPolicyAdvisor(
  context: ControllerContext,
  templates: TemplateWatch,
  index: TemplateIndex,
  policies: PolicyIndex,
): PolicyAdvisor {
  const turn = new Turn();
  /** Policies that were written while this runs: of the others, only what is wrong is said again. */
  const news = new Set<string>();
  let isSettled = false;
  void templates.synced().then(() => {
    isSettled = true;
  });

  const queue = new WorkQueue(
    { name: "policy-advice", clock: context.clock, logger: context.logger, workers: 1 },
    async (key) => {
      const policy = policies.get(key);
      if (policy === undefined || isDeleting(policy)) return undefined;
      // What is not loaded yet is not missing.
      const { resourceSelectors } = policy.spec;
      if (!resourceSelectors.every(({ apiVersion, kind }) => templates.isLoaded(apiVersion, kind)))
        return { requeueAfterMs: GATHER_MS };
      for (const { type, reason, message } of adviseOnPolicy(policy, await surroundings(policy)))
        if (type === "Warning" || news.has(key)) context.events.record(subjectOf(policy), type, reason, message);
      news.delete(key);
      await turn.next();
      return undefined;
    },
  );

  async function surroundings(policy: Policy): Promise<PolicySurroundings> {
    const scope = policy.metadata.namespace ?? "";
    const selected = new Map<ResourceSelector, SelectedObjects>();
    const walk = new Turn();
    const anyOf = async (objects: Iterable<KubeObject>, selector: ResourceSelector): Promise<boolean> => {
      for (const object of objects) {
        if (selectorMatches(object, selector) > 0) return true;
        if (walk.isOver) await walk.next();
      }
      return false;
    };
    for (const selector of policy.spec.resourceSelectors) {
      const one = { ...policy, spec: { ...policy.spec, resourceSelectors: [selector] } } as Policy;
      selected.set(selector, {
        kept: [...index.kept.selected(selector, scope)],
        hasTemplates:
          isNamed(selector, scope) ||
          (await anyOf(index.unclaimed.candidates(one), selector)) ||
          (await anyOf(index.claimedBy(policy), selector)),
      });
      if (walk.isOver) await walk.next();
    }
    return {
      gates: context.profile.featureGates,
      overrideExists: overrideExists(context),
      priorityClassExists: (name) =>
        context.informers.of("scheduling.k8s.io/v1", "PriorityClass").get(undefined, name) !== undefined,
      whyNoKind,
      selected: (selector) => selected.get(selector) ?? { kept: [], hasTemplates: true },
      whyKept: (object) => whyNotTemplate(object, templates.skipped) ?? "",
    };
  }

  /** Whether the object that a selector names is there, whoever has it. */
  function isNamed({ apiVersion, kind, namespace, name }: ResourceSelector, scope: string): boolean {
    return name !== undefined && templates.find(apiVersion, kind, scope || namespace, name) !== undefined;
  }

  function whyNoKind(apiVersion: string, kind: string): string | undefined {
    if (templates.watches(apiVersion, kind)) return undefined;
    const never = whyNotTemplateKind(apiVersion, kind, templates.skipped);
    if (never !== undefined) return `${never}; take the selector out`;
    const version = templates.watchedVersion(parseApiVersion(apiVersion).group, kind);
    if (version !== undefined)
      return `selects ${apiVersion}, but policies see ${kind} as ${version}: write apiVersion ${version}`;
    return `the control plane serves no ${apiVersion} ${kind}, so it selects nothing: check apiVersion and kind, or install its definition`;
  }

  function consider(policy: Policy): void {
    if (isSettled) news.add(policyKey(policy));
    queue.addAfter(policyKey(policy), GATHER_MS);
  }

  return { consider, stop: () => queue.stop() };
}
