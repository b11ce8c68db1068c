// The state of the copies, back to the binding and to the template.

import type { Work } from "../../../api/work.ts";
import { isConflict, isInvalid, isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson, type KubeObject, refOf } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { STATUS_MANAGER } from "../../interpreter/generic-rules.ts";
import { NOTHING_REPORTED } from "../../interpreter/interpreter.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import { aggregateBindingStatus, aggregateTemplateStatus } from "../../works/status.ts";
import { statusInObject } from "../../works/status-in-object.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { concernedBindings, type Interpretation } from "../interpretation/interpretation.ts";
import { bindingKey, findBinding } from "../scheduling/binding-key.ts";
import { templateSubject } from "../scheduling/binding-writer.ts";
import { MissingTemplates } from "../templates/missing-templates.ts";
import type { TemplateWatch } from "../templates/template-watch.ts";
import type { WorkIndex } from "./work-index.ts";
import { bindingKeyOfWork } from "./works.ts";
import { writeBindingStatus } from "./write-binding-status.ts";

/** The Works of one binding change within moments of each other: one aggregation serves them all. */
const GATHER_MS = 10;

interface Deps {
  readonly context: ControllerContext;
  readonly templates: TemplateWatch;
  readonly interpretation: Interpretation;
  readonly index: WorkIndex;
}

export function startBindingStatusController(deps: Deps): Controller {
  const { context, index, templates, interpretation } = deps;
  const queue = new WorkQueue(
    {
      name: "binding-status",
      clock: context.clock,
      logger: context.logger,
      workers: 8,
      minBackoffMs: 200,
      maxBackoffMs: 30_000,
    },
    step,
  );
  const missing = new MissingTemplates(templates, (key) => queue.addAfter(key, GATHER_MS));

  context.informers.of<Work>(WORK_API_VERSION, "Work").subscribe((change) => {
    // A Work that is on its way out counts no more.
    const goes =
      change.type === "updated" &&
      change.previous.metadata.deletionTimestamp !== change.object.metadata.deletionTimestamp;
    if (change.type === "updated" && !goes && equalJson(change.previous["status"], change.object["status"])) return;
    const key = bindingKeyOfWork(change.object);
    if (key !== undefined) queue.addAfter(key, GATHER_MS);
  });
  for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) {
    context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
      if (change.type === "updated" && change.previous.metadata.generation !== change.object.metadata.generation)
        queue.addAfter(bindingKey(change.object), GATHER_MS);
    });
  }

  interpretation.subscribe((change) => {
    for (const binding of concernedBindings(context, change, ["AggregateStatus"])) queue.add(bindingKey(binding));
  });

  async function step(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    await context.urgent.passed();
    const binding = findBinding(context, key);
    if (binding === undefined || binding.metadata.deletionTimestamp !== undefined) return undefined;
    const now = rfc3339(context.clock.now());
    try {
      const { aggregatedStatus, conditions } = aggregateBindingStatus(binding, index.of(binding), now).status ?? {};
      const changes = { aggregatedStatus: aggregatedStatus ?? [], conditions: conditions ?? [] };
      const written = await writeBindingStatus(context, binding, changes);
      await writeTemplateStatus(written, now, signal);
      if (written !== binding) {
        for (const subject of [subjectOf(binding), templateSubject(binding)]) {
          context.events.record(
            subject,
            "Normal",
            "AggregateStatusSucceed",
            `Update ${binding.kind}(${binding.metadata.namespace ?? ""}/${binding.metadata.name}) with AggregatedStatus successfully.`,
          );
        }
      }
      return undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (isConflict(error)) return { requeueAfterMs: 20 };
      if (signal.aborted) throw error;
      for (const subject of [subjectOf(binding), templateSubject(binding)])
        context.events.record(subject, "Warning", "AggregateStatusFailed", messageOf(error));
      // The definition of the kind refuses what its copies say. The same again would be refused again.
      if (isInvalid(error)) return undefined;
      throw error;
    }
  }

  async function writeTemplateStatus(binding: AnyBinding, now: string, signal: AbortSignal): Promise<void> {
    const { apiVersion, kind, namespace, name } = binding.spec.resource;
    const template = templates.find(apiVersion, kind, namespace, name);
    if (template === undefined) missing.await(binding.spec.resource, bindingKey(binding));
    if (template === undefined || template.metadata.deletionTimestamp !== undefined) return;
    const items = binding.status?.aggregatedStatus ?? NOTHING_REPORTED;
    const aggregated = await interpretation.decide(
      (interpreter) => aggregateTemplateStatus(template, binding, items, interpreter, now),
      { signal, queue },
    );
    if (aggregated === undefined || equalJson(aggregated["status"], template["status"])) return;
    const info = await context.client.mapper.find(apiVersion, kind);
    const hasSubresource = info?.subresources.includes("status") === true;
    const status = hasSubresource ? aggregated["status"] : statusInObject(aggregated["status"]);
    if (equalJson(status, template["status"])) return;
    // What else a script made of the object is not asked for.
    const target: KubeObject = { ...template, apiVersion, kind, status };
    const written = hasSubresource
      ? await context.client.update(target, { subresource: "status", fieldManager: STATUS_MANAGER })
      : await context.client.update(target, { fieldManager: STATUS_MANAGER });
    context.informers.known(refOf(template).apiVersion, kind)?.adopt(written);
  }

  return { stop: () => queue.stop() };
}
