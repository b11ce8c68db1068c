// The metrics of one API server, under the names that kube-apiserver gives them.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { type HistogramSeries, Metrics, type NumberSeries, processMetricsText } from "../../../runtime/metrics.ts";
import type { KindStrategy } from "../registry/kind.ts";
import type { Store } from "../storage/store.ts";
import type { RequestTrace } from "./trace.ts";

const REQUEST_LABELS = ["verb", "group", "version", "resource", "subresource", "scope", "component"] as const;
type RequestLabels = Readonly<Record<(typeof REQUEST_LABELS)[number], string>>;

const REQUEST_SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
const SLI_SECONDS = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const ADMISSION_SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const CHECK_SECONDS = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024];
const COMMIT_SECONDS = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024];
const COMMIT_CHANGES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const RESPONSE_BYTES = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
const METHOD_VERBS: Readonly<Record<string, string>> = {
  get: "GET",
  list: "LIST",
  watch: "WATCH",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
  deletecollection: "DELETECOLLECTION",
  head: "GET",
  post: "POST",
  put: "PUT",
};
const HEALTH = /^\/(?:healthz|livez|readyz)(?=\/|$)/;
const OPENAPI = /^\/(openapi\/v[23])(?=\/|$)/;
/** As the reference: other names are one, because there may be any number of them. */
const NAMED_USERS: ReadonlySet<string> = new Set([
  "admin",
  "client",
  "kube_proxy",
  "kubelet",
  "system:serviceaccount:kube-system:default",
]);

/** What is counted of requests that have all labels but the code in common. */
interface RequestSeries {
  readonly labels: RequestLabels & { readonly dry_run: string };
  readonly byCode: Map<number, NumberSeries>;
  readonly seconds: HistogramSeries;
  readonly sliSeconds: HistogramSeries;
}

/** Counts of what is going on right now, kept by the limits. */
export interface InFlight {
  readonly reading: number;
  readonly writing: number;
}

export class ServerMetrics {
  readonly #metrics = new Metrics();
  readonly #requests = this.#metrics.counter({
    name: "apiserver_request_total",
    help: "Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.",
    labels: [...REQUEST_LABELS, "dry_run", "code"] as const,
  });
  readonly #seconds = this.#metrics.histogram({
    name: "apiserver_request_duration_seconds",
    help: "Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.",
    labels: [...REQUEST_LABELS, "dry_run"] as const,
    buckets: REQUEST_SECONDS,
  });
  readonly #sliSeconds = this.#metrics.histogram({
    name: "apiserver_request_sli_duration_seconds",
    help: "Response latency distribution (not counting webhook duration and priority & fairness queue wait times) in seconds for each verb, group, version, resource, subresource, scope and component.",
    labels: REQUEST_LABELS,
    buckets: SLI_SECONDS,
  });
  readonly #sizes = this.#metrics.histogram({
    name: "apiserver_response_sizes",
    help: "Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.",
    labels: REQUEST_LABELS,
    buckets: RESPONSE_BYTES,
  });
  readonly #long = this.#metrics.gauge({
    name: "apiserver_longrunning_requests",
    help: "Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.",
    labels: REQUEST_LABELS,
  });
  readonly #terminations = this.#metrics.counter({
    name: "apiserver_request_terminations_total",
    help: "Number of requests which apiserver terminated in self-defense.",
    labels: [...REQUEST_LABELS, "code"] as const,
  });
  readonly #watchEvents = this.#metrics.counter({
    name: "apiserver_watch_events_total",
    help: "Number of events sent in watch clients",
    labels: ["group", "version", "resource"] as const,
  });
  readonly #authentications = this.#metrics.counter({
    name: "authentication_attempts",
    help: "Counter of authenticated attempts.",
    labels: ["result"] as const,
  });
  readonly #users = this.#metrics.counter({
    name: "authenticated_user_requests",
    help: "Counter of authenticated requests broken out by username.",
    labels: ["username"] as const,
  });
  readonly #authorizations = this.#metrics.counter({
    name: "authorization_attempts_total",
    help: "Counter of authorization attempts broken down by result. It can be either 'allowed', 'denied', 'no-opinion' or 'error'.",
    labels: ["result"] as const,
  });
  readonly #authorizationSeconds = this.#metrics.histogram({
    name: "authorization_duration_seconds",
    help: "Authorization duration in seconds broken out by result.",
    labels: ["result"] as const,
    buckets: CHECK_SECONDS,
  });
  readonly #admission = this.#metrics.histogram({
    name: "apiserver_admission_step_admission_duration_seconds",
    help: "Admission sub-step latency histogram in seconds, broken out for each operation and API resource and step type (validate or admit).",
    labels: ["operation", "rejected", "type"] as const,
    buckets: ADMISSION_SECONDS,
  });
  readonly #commitSeconds = this.#metrics.histogram({
    name: "apiserver_storage_commit_duration_seconds",
    help: "Time that the store's file took to commit a batch of changes, in seconds.",
    buckets: COMMIT_SECONDS,
  });
  readonly #commitChanges = this.#metrics.histogram({
    name: "apiserver_storage_commit_changes",
    help: "Changes that one commit of the store's file held.",
    buckets: COMMIT_CHANGES,
  });
  readonly #auditEvents = this.#metrics.counter({
    name: "apiserver_audit_event_total",
    help: "Counter of audit events generated and sent to the audit backend.",
  });
  readonly #auditErrors = this.#metrics.counter({
    name: "apiserver_audit_error_total",
    help: "Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected by the error.",
    labels: ["plugin"] as const,
  });
  readonly #auditLevels = this.#metrics.counter({
    name: "apiserver_audit_level_total",
    help: "Counter of policy levels for audit events (1 per request).",
    labels: ["level"] as const,
  });

  readonly #succeeded = this.#authentications.of({ result: "success" });
  readonly #failed = this.#authentications.of({ result: "failure" });
  readonly #otherUsers = this.#users.of({ username: "other" });
  readonly #decisions = {
    allowed: this.#decision("allowed"),
    denied: this.#decision("no-opinion"),
  };
  readonly #commitTime = this.#commitSeconds.of({});
  readonly #commitSize = this.#commitChanges.of({});
  /** Present from the start, so that rates of them are defined. */
  readonly #audited = this.#auditEvents.of({});
  readonly #auditLost = this.#auditErrors.of({ plugin: "log" });
  /** What is counted of requests of a kind, by verb and the like. */
  readonly #ofKinds = new WeakMap<KindStrategy, Map<string, RequestSeries>>();
  readonly #ofEvents = new WeakMap<KindStrategy, NumberSeries>();

  /** Of the program around the server. */
  readonly #further: readonly Metrics[];

  constructor(store: Store, inFlight: () => InFlight, further: readonly Metrics[] = []) {
    this.#further = further;
    const metrics = this.#metrics;
    metrics.readings(
      {
        name: "apiserver_current_inflight_requests",
        help: "Number of currently used inflight request limit of this apiserver per request kind.",
        labels: ["request_kind"] as const,
      },
      () => [
        [{ request_kind: "mutating" }, inFlight().writing],
        [{ request_kind: "readOnly" }, inFlight().reading],
      ],
    );
    metrics.readings(
      {
        name: "apiserver_storage_objects",
        help: "Number of stored objects at the time of last check split by kind.",
        labels: ["resource"] as const,
      },
      () => store.resources().map((key) => [{ resource: resourceName(key) }, store.count(key)] as const),
    );
    metrics.readings(
      {
        name: "apiserver_storage_size_bytes",
        help: "Size of the storage database file physically allocated in bytes.",
        labels: ["storage_cluster_id"] as const,
      },
      () => [[{ storage_cluster_id: store.uid }, store.fileSize]],
    );
    metrics.readings(
      { name: "apiserver_storage_revision", help: "Revision of the last write.", isCounter: true },
      () => [[{}, store.revision]],
    );
    metrics.readings(
      { name: "apiserver_storage_refuses_writes", help: "1 while the disk takes no writes, else 0." },
      () => [[{}, store.writeRefusal === undefined ? 0 : 1]],
    );
  }

  /** A long-running request has begun; it ends with the trace. */
  began(trace: RequestTrace): void {
    if (!trace.isLong) return;
    const labels = labelsOf(trace);
    const open = this.#long.of(labels);
    open.add(1);
    trace.onEnd(() => open.add(-1));
  }

  /** The answer is there; for streams its beginning. */
  answered(trace: RequestTrace, answer: ApiResponse): void {
    const series = this.#seriesOf(trace);
    const { status } = answer;
    let ofCode = series.byCode.get(status);
    if (ofCode === undefined) {
      ofCode = this.#requests.of({ ...series.labels, code: String(status) });
      series.byCode.set(status, ofCode);
    }
    ofCode.add(1);
    if (trace.isLong) return;
    const { seconds } = trace;
    series.seconds.observe(seconds);
    series.sliSeconds.observe(seconds - trace.waitedSeconds);
    // Bytes are not made for being counted: not of answers in-process, nor of those that are made while they are sent.
    if (trace.request.peer === undefined || answer.source !== undefined || series.labels.resource === "") return;
    if (answer.body instanceof Uint8Array) this.#sizes.of(series.labels).observe(answer.body.byteLength);
  }

  #seriesOf(trace: RequestTrace): RequestSeries {
    const dryRun = trace.query.includes("dryRun=All") ? "All" : "";
    const { kind, verb, target } = trace;
    if (kind === undefined || target === undefined) return this.#newSeries(trace, dryRun);
    let ofKind = this.#ofKinds.get(kind);
    if (ofKind === undefined) {
      ofKind = new Map();
      this.#ofKinds.set(kind, ofKind);
    }
    const scope = target.name === undefined ? (target.namespace === undefined ? "c" : "n") : "r";
    const key = `${verb} ${subresourceOf(kind, target.subresource)} ${scope}${dryRun}${isApply(trace) ? "+" : ""}`;
    let series = ofKind.get(key);
    if (series === undefined) {
      series = this.#newSeries(trace, dryRun);
      ofKind.set(key, series);
    }
    return series;
  }

  #newSeries(trace: RequestTrace, dryRun: string): RequestSeries {
    const labels = { ...labelsOf(trace), dry_run: dryRun };
    const { dry_run: _dryRun, ...sliLabels } = labels;
    return {
      labels,
      byCode: new Map(),
      seconds: this.#seconds.of(labels),
      sliSeconds: this.#sliSeconds.of(sliLabels),
    };
  }

  terminated(trace: RequestTrace, code: number): void {
    this.#terminations.of({ ...labelsOf(trace), code: String(code) }).add(1);
  }

  watchEvent(kind: KindStrategy): void {
    let events = this.#ofEvents.get(kind);
    if (events === undefined) {
      events = this.#watchEvents.of({ group: kind.group, version: kind.version, resource: kind.plural });
      this.#ofEvents.set(kind, events);
    }
    events.add(1);
  }

  authenticated(username: string | undefined): void {
    if (username === undefined) {
      this.#failed.add(1);
      return;
    }
    this.#succeeded.add(1);
    if (NAMED_USERS.has(username)) this.#users.of({ username }).add(1);
    else this.#otherUsers.add(1);
  }

  authorized(allowed: boolean, seconds: number): void {
    const { attempts, duration } = allowed ? this.#decisions.allowed : this.#decisions.denied;
    attempts.add(1);
    duration.observe(seconds);
  }

  #decision(result: string) {
    return { attempts: this.#authorizations.of({ result }), duration: this.#authorizationSeconds.of({ result }) };
  }

  admitted(operation: string, type: "admit" | "validate", rejected: boolean, seconds: number): void {
    this.#admission.of({ operation, type, rejected: String(rejected) }).observe(seconds);
  }

  committed(changes: number, seconds: number): void {
    this.#commitTime.observe(seconds);
    this.#commitSize.observe(changes);
  }

  /** An audit event was handed to the log. */
  audited(): void {
    this.#audited.add(1);
  }

  /** Audit events were lost. */
  auditLost(events = 1): void {
    this.#auditLost.add(events);
  }

  auditLevel(level: string): void {
    this.#auditLevels.of({ level }).add(1);
  }

  /** All of these, and those of the process. */
  async text(): Promise<string> {
    const parts = [this.#metrics.text(), ...this.#further.map((metrics) => metrics.text()), processMetricsText()];
    return (await Promise.all(parts)).join("\n");
  }
}

/** `apps/deployments` as the reference names it: `deployments.apps`. */
function resourceName(key: string): string {
  const at = key.indexOf("/");
  return at < 0 ? key : `${key.slice(at + 1)}.${key.slice(0, at)}`;
}

function labelsOf(trace: RequestTrace): RequestLabels {
  const { target, kind, verb } = trace;
  if (target === undefined || kind === undefined) {
    const path = HEALTH.exec(trace.path)?.[0] ?? OPENAPI.exec(trace.path)?.[1] ?? "";
    return {
      verb: METHOD_VERBS[verb] ?? "other",
      group: "",
      version: "",
      resource: "",
      subresource: path,
      scope: "",
      component: "",
    };
  }
  return {
    verb: isApply(trace) ? "APPLY" : (METHOD_VERBS[verb] ?? "other"),
    group: kind.group,
    version: kind.version,
    resource: kind.plural,
    subresource: subresourceOf(kind, target.subresource),
    scope:
      target.name !== undefined || verb === "create"
        ? "resource"
        : target.namespace === undefined
          ? "cluster"
          : "namespace",
    component: "apiserver",
  };
}

/** What the kind does not have may be any text. */
function subresourceOf(kind: KindStrategy, name: string | undefined): string {
  return name !== undefined && kind.subresources.some((each) => each.name === name) ? name : "";
}

function isApply({ verb, request }: RequestTrace): boolean {
  return verb === "patch" && request.headers?.["content-type"]?.startsWith("application/apply-patch") === true;
}
