// Admission of one write: the mutating half before defaults and validation, the validating half after them.
import type { UserInfo } from "../../../kube/client/transport.ts";
import {
  formatApiVersion,
  type GroupVersionKind,
  isObject,
  type JsonObject,
  type KubeObject,
} from "../../../kube/object.ts";
import { type Steps, waitFor } from "../../../runtime/steps.ts";
import type {
  AdmissionOperation,
  AdmissionPlugin,
  AdmissionRequest,
  AdmissionVerdict,
  MutationRounds,
} from "../registry/admission.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { forbidden, invalid, statusError } from "../registry/status-error.ts";
import type { RequestTrace } from "../request/trace.ts";
import type { ServerContext } from "../server-context.ts";

/** How a subresource with an object of its own shows a write to admission. */
export interface AdmissionView {
  /** The kind of what it shows, such as autoscaling/v1 Scale. */
  readonly kind: GroupVersionKind;
  show(object: KubeObject): KubeObject;
  /** `object` with what admission made of its view. May change `object`. */
  takeBack(object: KubeObject, view: KubeObject): KubeObject;
}

/** A write in progress: who, what kind, where. */
export interface WriteRequest {
  readonly server: ServerContext;
  readonly kind: KindStrategy;
  readonly user: UserInfo;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  /** Empty for the main resource. */
  readonly subresource: string;
  readonly dryRun: boolean;
  /** The server writes on its own account: programs beside it are not asked. */
  readonly internal?: boolean;
  /** The name that admission is told; absent: that of the object. */
  readonly name?: string;
  /** One deletion of many: admission is not told the name by the request, only by the object. */
  readonly isCollection?: boolean;
  /** The request's options as they were given, without kind and apiVersion. */
  readonly options?: JsonObject | undefined;
  /** Collects the texts of `Warning` headers. */
  readonly warnings?: string[];
  /** Collects what admission adds to the audit record. */
  readonly annotations?: Map<string, string> | undefined;
  /** The request that writes; absent for the server's own writes. */
  readonly trace?: RequestTrace | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly view?: AdmissionView;
}

function pluginsFor(
  request: WriteRequest,
  operation: AdmissionOperation,
  half: "mutate" | "validate",
): readonly AdmissionPlugin[] {
  const { kind, server, internal } = request;
  return server.admission.filter(
    (plugin) =>
      plugin[half] !== undefined && !(internal === true && plugin.remote === true) && plugin.handles(kind, operation),
  );
}

/** Whether anybody looks at such writes of a kind. */
export function isAdmitted(
  { server, kind }: { readonly server: ServerContext; readonly kind: KindStrategy },
  operation: AdmissionOperation,
): boolean {
  return server.admission.some((plugin) => plugin.handles(kind, operation));
}

/** What plugins are shown of a write. `object` is in the form that the view shows. */
function admissionRequest(
  request: WriteRequest,
  operation: AdmissionOperation,
  object: KubeObject,
  old: KubeObject | undefined,
  rounds: MutationRounds | undefined,
): AdmissionRequest {
  const { kind, view, warnings, annotations } = request;
  const { group, version } = kind;
  return {
    operation,
    kind: view?.kind ?? { group, version, kind: kind.kind },
    resource: kind.plural,
    subresource: request.subresource === "" ? undefined : request.subresource,
    namespace: kind.namespaced ? request.namespace : undefined,
    name: request.isCollection === true ? "" : (request.name ?? object.metadata.name ?? ""),
    object,
    oldObject: old,
    user: request.user,
    dryRun: request.dryRun,
    target: kind,
    options:
      OPTION_KINDS[operation] === undefined
        ? undefined
        : { kind: OPTION_KINDS[operation], apiVersion: "meta.k8s.io/v1", ...request.options },
    signal: request.signal,
    rounds,
    warn: (text) => {
      if (warnings !== undefined && !warnings.includes(text)) warnings.push(text);
    },
    annotate: (key, value) => annotations?.set(key, value),
  };
}

/** A patch is an update to admission, or a create. */
const OPTION_KINDS: Readonly<Record<AdmissionOperation, string | undefined>> = {
  CREATE: "CreateOptions",
  UPDATE: "UpdateOptions",
  DELETE: "DeleteOptions",
  CONNECT: undefined,
};

class Rounds implements MutationRounds {
  isSecond = false;
  wanted = false;
  readonly notes = new Map<AdmissionPlugin, unknown>();

  askForSecond(): void {
    this.wanted = true;
  }
}

/**
 * Runs the mutating half of admission: all plugins in order, and once more when one asks for it. Answers the object to go
 * on with, defaulted again after each change.
 */
export function* mutate(
  request: WriteRequest,
  operation: AdmissionOperation,
  object: KubeObject,
  old: KubeObject | undefined,
): Steps<KubeObject> {
  const plugins = pluginsFor(request, operation, "mutate");
  if (plugins.length === 0) return object;
  return yield* timed(request, operation, "admit", mutateWith(plugins, request, operation, object, old));
}

function* mutateWith(
  plugins: readonly AdmissionPlugin[],
  request: WriteRequest,
  operation: AdmissionOperation,
  object: KubeObject,
  old: KubeObject | undefined,
): Steps<KubeObject> {
  const { view, kind } = request;
  const show = (each: KubeObject): KubeObject => (view === undefined ? each : view.show(each));
  const shownOld = old === undefined ? undefined : show(old);
  const changes = operation === "CREATE" || operation === "UPDATE";
  const rounds = new Rounds();
  let current = object;
  for (;;) {
    for (const plugin of plugins) {
      const shown = show(current);
      const changed = yield* waitFor(plugin.mutate?.(admissionRequest(request, operation, shown, shownOld, rounds)));
      if (!changes || changed === undefined || changed === shown) continue;
      current = view === undefined ? changed : view.takeBack(current, changed);
      if (view === undefined) kind.applyDefaults(current, old);
    }
    if (rounds.isSecond || !rounds.wanted) return current;
    rounds.isSecond = true;
  }
}

/** Runs the validating half of admission; throws what it refuses. */
export function* admit(
  request: WriteRequest,
  operation: AdmissionOperation,
  object: KubeObject,
  old: KubeObject | undefined,
): Steps<void> {
  const plugins = pluginsFor(request, operation, "validate");
  if (plugins.length === 0) return;
  const { view } = request;
  const shown = view === undefined ? object : view.show(object);
  const shownOld = old === undefined || view === undefined ? old : view.show(old);
  const asked = admissionRequest(request, operation, shown, shownOld, undefined);
  yield* timed(request, operation, "validate", validateWith(plugins, request, asked));
}

function* validateWith(
  plugins: readonly AdmissionPlugin[],
  request: WriteRequest,
  asked: AdmissionRequest,
): Steps<void> {
  for (const plugin of plugins) {
    const verdict = yield* waitFor(plugin.validate?.(asked) ?? []);
    refuse(request, asked, verdict);
  }
}

/** Measures one half of admission, whatever comes of it. */
function* timed<T>(
  { server, trace }: WriteRequest,
  operation: AdmissionOperation,
  half: "admit" | "validate",
  steps: Steps<T>,
): Steps<T> {
  const start = performance.now();
  let rejected = true;
  try {
    const result = yield* steps;
    rejected = false;
    return result;
  } finally {
    const seconds = (performance.now() - start) / 1000;
    server.metrics.admitted(operation, half, rejected, seconds);
    if (trace !== undefined) trace.waitedSeconds += seconds;
  }
}

/**
 * Runs both halves on what is sent to a subresource and not stored, such as a Binding. Answers what mutation made of it.
 * `name` is that of the path; empty when it has none.
 */
export function* admitSubresource(
  request: WriteRequest,
  operation: "CREATE" | "CONNECT",
  kind: GroupVersionKind,
  name: string,
  json: JsonObject,
): Steps<KubeObject> {
  const asked = { ...request, name, view: { kind, show: asItIs, takeBack: (_: KubeObject, view: KubeObject) => view } };
  const given = isObject(json["metadata"]) ? json["metadata"] : {};
  const place = request.kind.namespaced && operation === "CREATE" ? { namespace: request.namespace } : {};
  // Kind, apiVersion and metadata are there; the rest is JSON data.
  const object = {
    ...json,
    apiVersion: formatApiVersion(kind.group, kind.version),
    kind: kind.kind,
    metadata: { ...place, ...given },
  } as KubeObject;
  const admitted = yield* mutate(asked, operation, object, undefined);
  yield* admit(asked, operation, admitted, undefined);
  return admitted;
}

function asItIs(object: KubeObject): KubeObject {
  return object;
}

function refuse({ kind }: WriteRequest, asked: AdmissionRequest, verdict: AdmissionVerdict): void {
  const name = asked.object.metadata.name ?? "";
  if ("code" in verdict) {
    const { code, message, reason } = verdict;
    if (code === 403) throw forbidden({ group: kind.group, resource: kind.plural }, name, message, undefined, reason);
    throw statusError(code, reason ?? (code === 400 ? "BadRequest" : undefined), message);
  }
  if (verdict.length > 0) throw invalid(asked.kind, name, verdict);
}
