// Native rules: how the statuses of Pods add up.

import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { reportedStatuses, withStatus } from "./aggregation.ts";
import { type Fields, fieldsAt, objectsAt, optionalFieldsAt, present, textAt } from "./field-access.ts";
import { NOTHING_REPORTED } from "./interpreter.ts";

const PHASES: readonly string[] = ["Failed", "Pending", "Running", "Succeeded"];

/** The worst phase of all copies, and the state of every container. A copy that reports nothing is Pending. */
export function aggregatePod(object: KubeObject, items: readonly AggregatedStatusItem[]): KubeObject {
  // As Karmada: with no list of copies at all, the status stays as it is.
  if (items === NOTHING_REPORTED) return object;
  const members = reportedStatuses(items);
  const phases = new Set(members.map(({ status }) => textAt(status, "phase")));
  if (members.length < items.length) phases.add("Pending");
  const containerStatuses = members.flatMap(({ status }) => containerStates(status, "containerStatuses"));
  const initContainerStatuses = members.flatMap(({ status }) => containerStates(status, "initContainerStatuses"));
  return withStatus(
    object,
    present({
      phase: PHASES.find((phase) => phases.has(phase)),
      initContainerStatuses: initContainerStatuses.length === 0 ? undefined : initContainerStatuses,
      containerStatuses: containerStatuses.length === 0 ? undefined : containerStatuses,
    }),
  );
}

// As Karmada: names and images are dropped, but the fields that the kind requires have to be there.
function containerStates(status: Fields, key: string): readonly Fields[] {
  return objectsAt(status, key).map((container) => ({
    name: "",
    state: encodeState(fieldsAt(container, "state")),
    lastState: {},
    ready: container["ready"] === true,
    restartCount: 0,
    image: "",
    imageID: "",
  }));
}

function encodeState(state: Fields): Fields {
  const waiting = optionalFieldsAt(state, "waiting");
  const running = optionalFieldsAt(state, "running");
  const terminated = optionalFieldsAt(state, "terminated");
  return present({
    waiting,
    running: running === undefined ? undefined : { startedAt: running["startedAt"] ?? null },
    terminated:
      terminated === undefined
        ? undefined
        : {
            ...terminated,
            exitCode: terminated["exitCode"] ?? 0,
            startedAt: terminated["startedAt"] ?? null,
            finishedAt: terminated["finishedAt"] ?? null,
          },
  });
}
