// Works of objects whose clusters may have different revisions of them.
import type { TargetCluster, Work } from "../../../api/work.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { listedOverridePolicies } from "../../overrides/override-policies.ts";
import { type RevisionContent, templateOfRevision, withReplicas } from "../../rollout/revision.ts";
import { REVISION_ANNOTATION, type RolloutState, UNKNOWN_REVISION } from "../../rollout/rollout-state.ts";
import type { AnyBinding } from "../../works/binding.ts";
import { clusterOf } from "../../works/targets.ts";
import {
  type BuiltWork,
  type FailedWork,
  isDispatchingSuspended,
  isWorkload,
  type PreparedWorks,
  prepareWorks,
} from "../../works/work.ts";
import type { Asking } from "../interpretation/interpretation.ts";
import { buildInTurns } from "./build-works.ts";
import type { RevisionStore } from "./revision-store.ts";
import type { NeedsDeps } from "./rollout-needs.ts";
import { manifestsOf } from "./work-status.ts";

export interface StagingDeps extends NeedsDeps {
  readonly revisions: RevisionStore;
}

export interface StagingRequest {
  readonly binding: AnyBinding;
  /** With what people ask of its rollout. */
  readonly template: KubeObject;
  /** Of the template as it is now, without that. */
  readonly prepared: PreparedWorks;
  /** The Works of the binding that there are. */
  readonly present: readonly Work[];
}

/** Whether changes of the binding's object go in waves. */
export function isStaged(binding: AnyBinding): boolean {
  return binding.spec.placement?.flaghoist?.rollout != null;
}

/** The Works by what was decided, each from the revision that its cluster is to have. */
export async function buildStaged(
  deps: StagingDeps,
  request: StagingRequest,
  state: RolloutState,
  asking: Asking,
): Promise<{ readonly works: readonly BuiltWork[]; readonly failures: readonly FailedWork[] }> {
  const { interpretation } = deps;
  const { prepared } = request;
  const works: BuiltWork[] = [];
  const failures: FailedWork[] = [];
  const byRevision = new Map<string, TargetCluster[]>();
  for (const target of prepared.targets) {
    const revision = state.clusters[target.name]?.revision;
    if (revision === undefined) continue;
    byRevision.set(revision, [...(byRevision.get(revision) ?? []), target]);
  }
  for (const [revision, targets] of byRevision) {
    const of = revision === state.target ? prepared : await prepareRevision(deps, request, revision, asking);
    const built =
      of === undefined
        ? await keepWorks(deps, request, targets, revision, asking)
        : await buildInTurns(of, targets, interpretation, asking);
    works.push(...built.works.map((each) => ({ ...each, work: withRevision(each.work, revision) })));
    failures.push(...built.failures);
  }
  return { works, failures };
}

/** As the present template, from the content of an earlier revision; undefined when nobody has that any more. */
async function prepareRevision(
  { revisions, interpretation }: StagingDeps,
  { binding, prepared }: StagingRequest,
  revision: string,
  asking: Asking,
): Promise<PreparedWorks | undefined> {
  const content = revision === UNKNOWN_REVISION ? undefined : await revisions.load(binding, revision);
  if (content === undefined) return undefined;
  return prepareRevisionContent({ interpretation }, { binding, prepared, content }, asking);
}

/** As the present template, from what it was in a revision. */
export async function prepareRevisionContent(
  { interpretation }: Pick<StagingDeps, "interpretation">,
  { binding, prepared, content }: Pick<StagingRequest, "binding" | "prepared"> & { readonly content: RevisionContent },
  asking: Asking,
): Promise<PreparedWorks> {
  const template = await interpretation.decide(
    (interpreter) => templateOfRevision(content, prepared.template, interpreter),
    asking,
  );
  const clusterWide = content.overrides.filter((policy) => policy.kind === "ClusterOverridePolicy");
  const namespaced = content.overrides.filter((policy) => policy.kind === "OverridePolicy");
  return prepareWorks({
    ...prepared,
    binding,
    template,
    overridePolicies: listedOverridePolicies(clusterWide, namespaced),
  });
}

/** Works of which only the content is known that they have: that stays, with the replicas of now. */
async function keepWorks(
  { interpretation }: StagingDeps,
  { binding, present }: StagingRequest,
  targets: readonly TargetCluster[],
  revision: string,
  asking: Asking,
): Promise<{ readonly works: readonly BuiltWork[]; readonly failures: readonly FailedWork[] }> {
  const works: BuiltWork[] = [];
  const failures: FailedWork[] = [];
  for (const { name, replicas = 0 } of targets) {
    const work = present.find((each) => clusterOf(each) === name);
    if (work === undefined || (work.metadata.annotations?.[REVISION_ANNOTATION] ?? UNKNOWN_REVISION) !== revision) {
      failures.push({ cluster: name, error: revisionLost(revision) });
      continue;
    }
    const manifests = isWorkload(binding)
      ? await interpretation.decide(
          (interpreter) => manifestsOf(work).map((manifest) => withReplicas(manifest, replicas, interpreter)),
          asking,
        )
      : manifestsOf(work);
    const spec = {
      ...work.spec,
      suspendDispatching: isDispatchingSuspended(binding, name),
      preserveResourcesOnDeletion: binding.spec.preserveResourcesOnDeletion === true,
      // Manifests are objects as the server keeps them.
      workload: { manifests: manifests as unknown as Record<string, unknown>[] },
    };
    works.push({
      cluster: name,
      work: { ...work, spec },
      overrides: { object: manifests[0] ?? work, applied: [], appliedAnnotations: {}, provenance: [] },
    });
  }
  return { works, failures };
}

function revisionLost(revision: string): AppError {
  const message = `the content of revision ${revision} is gone: push a change, or take the rollout out of the policy to send the present one`;
  return new AppError("rollout-revision-lost", message, { recovery: "stall" });
}

/** Marked as being of that revision. */
export function withRevision(work: Work, revision: string): Work {
  const annotations = { ...work.metadata.annotations, [REVISION_ANNOTATION]: revision };
  return { ...work, metadata: { ...work.metadata, annotations } };
}
