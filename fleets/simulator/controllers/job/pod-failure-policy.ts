// What a Job's failure policy says of a Pod that failed.
import type { ContainerStatus, Pod } from "../pod-object.ts";
import type { ExitCodesRequirement, JobSpec, PodFailurePolicyRule } from "./job-object.ts";

interface FailureVerdict {
  /** Why the whole Job fails; undefined when it does not. */
  readonly jobMessage?: string;
  /** Whether the failure counts towards the back-off limits. */
  readonly counts: boolean;
  /** The action of the rule that fits; undefined when none does. */
  readonly action?: PodFailurePolicyRule["action"];
}

/** The verdict of the first rule that fits. */
export function judgeFailure(policy: JobSpec["podFailurePolicy"], pod: Pod): FailureVerdict {
  const { namespace, name } = pod.metadata;
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const { action } = rule;
    const why = whyFits(rule, pod);
    if (why === undefined) continue;
    switch (action) {
      case "Ignore":
        return { counts: false, action };
      case "FailIndex":
      case "Count":
        return { counts: true, action };
      case "FailJob": {
        const jobMessage =
          why.container === undefined
            ? `Pod ${namespace}/${name} has condition ${why.condition} matching ${action} rule at index ${index}`
            : `Container ${why.container.name} for pod ${namespace}/${name} failed with exit code ${why.container.state?.terminated?.exitCode} matching ${action} rule at index ${index}`;
        return { jobMessage, counts: true, action };
      }
    }
  }
  return { counts: true };
}

type Fit = { readonly container: ContainerStatus } | { readonly container?: undefined; readonly condition: string };

function whyFits(rule: PodFailurePolicyRule, { status }: Pod): Fit | undefined {
  const { onExitCodes, onPodConditions } = rule;
  if (onExitCodes !== undefined) {
    const container =
      status.containerStatuses?.find((each) => hasExitCode(each, onExitCodes)) ??
      status.initContainerStatuses?.find((each) => hasExitCode(each, onExitCodes));
    return container === undefined ? undefined : { container };
  }
  const condition = status.conditions?.find((each) =>
    onPodConditions?.some((pattern) => pattern.type === each.type && pattern.status === each.status),
  );
  return condition === undefined ? undefined : { condition: condition.type };
}

function hasExitCode({ name, state }: ContainerStatus, requirement: ExitCodesRequirement): boolean {
  const code = state?.terminated?.exitCode ?? 0;
  const { containerName, operator, values } = requirement;
  if (code === 0 || (containerName !== undefined && containerName !== name)) return false;
  return operator === "In" ? values.includes(code) : operator === "NotIn" && !values.includes(code);
}
