// Changes of a binding's status, which several loops write.
import type { ResourceBindingStatus } from "../../../api/work.ts";
import { isConflict } from "../../../kube/client/status-error.ts";
import { setCondition } from "../../../kube/conditions.ts";
import { equalJson, type ObjectRef, refOf } from "../../../kube/object.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";

const STATUS_ATTEMPTS = 5;

/**
 * Merges changes into the status of a binding; nothing is sent when it says so already. Several loops write there: of
 * the conditions only those are touched that `changes` has otherwise than `binding`, which it was made from. Answers with
 * the binding as it is then.
 */
export async function writeBindingStatus(
  context: ControllerContext,
  binding: AnyBinding,
  changes: Partial<ResourceBindingStatus> | undefined,
): Promise<AnyBinding> {
  const { client, informers } = context;
  if (changes === undefined) return binding;
  const informer = informers.of<AnyBinding>(BINDING_API_VERSION, binding.kind);
  const ref: ObjectRef = refOf(binding);
  let current = informer.get(ref.namespace, ref.name) ?? binding;
  for (let attempt = 0; ; attempt++) {
    if (current.metadata.uid !== binding.metadata.uid) return binding;
    const status = notOlder(withConditions(changes, binding, current), current);
    if (equalJson(current.status ?? {}, { ...current.status, ...status })) return binding;
    const { resourceVersion } = current.metadata;
    try {
      const stored = await client.patch<AnyBinding>(ref, { metadata: { resourceVersion }, status }, "merge", {
        subresource: "status",
        fieldManager: "flaghoist",
      });
      informer.adopt(stored);
      return stored;
    } catch (error) {
      if (!isConflict(error) || attempt >= STATUS_ATTEMPTS) throw error;
      current = await client.get<AnyBinding>(ref);
    }
  }
}

/** Whoever observed a later generation meanwhile has the last word on which one was observed. */
function notOlder(changes: Partial<ResourceBindingStatus>, current: AnyBinding): Partial<ResourceBindingStatus> {
  const { schedulerObservedGeneration: observed, ...others } = changes;
  const later = (current.status?.schedulerObservedGeneration ?? 0) > (observed ?? Number.POSITIVE_INFINITY);
  return later ? others : changes;
}

function withConditions(
  changes: Partial<ResourceBindingStatus>,
  base: AnyBinding,
  current: AnyBinding,
): Partial<ResourceBindingStatus> {
  if (changes.conditions === undefined) return changes;
  let conditions = current.status?.conditions ?? [];
  for (const condition of changes.conditions) {
    const before = base.status?.conditions?.find((other) => other.type === condition.type);
    if (!equalJson(before, condition)) conditions = setCondition(conditions, condition);
  }
  return { ...changes, conditions };
}
