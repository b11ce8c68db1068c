// The messages of Karmada's estimators, as they travel (pkg/estimator/pb/estimator.proto of Karmada 1.18).
import type { NodeSelector, ReplicaRequirements } from "../../api/work.ts";
import { equalJson, type JsonObject, setOwn } from "../../kube/object.ts";
import { canonicalQuantity } from "../../kube/quantity.ts";
import { decodeBareMessage } from "../apiserver/kinds/protobuf.ts";
import { ProtobufError, readFields, type WireField } from "../apiserver/kinds/protobuf-wire.ts";
import { ProtobufWriter } from "../apiserver/kinds/protobuf-writer.ts";

/** Pods that are on their way to a cluster. */
export interface PendingWorkload {
  readonly namespace: string;
  readonly components: readonly PendingComponent[];
}

export interface PendingComponent {
  readonly name: string;
  readonly replicas: number;
  readonly replicaRequirements?: Omit<ReplicaRequirements, "namespace"> | undefined;
}

export interface ReplicasRequest {
  readonly cluster: string;
  readonly requirements: ReplicaRequirements | undefined;
  readonly assumed: readonly PendingWorkload[];
}

export interface SetsRequest {
  readonly cluster: string;
  readonly namespace: string;
  readonly components: readonly PendingComponent[];
  readonly assumed: readonly PendingWorkload[];
}

export interface UnschedulableRequest {
  readonly cluster: string;
  readonly workload: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  };
  readonly thresholdMs: number;
}

const NANOS_PER_MS = 1_000_000;

// ---- writing. Empty texts and zeros are left out, as in all messages of proto3.

export function encodeReplicasRequest({ cluster, requirements, assumed }: ReplicasRequest): Uint8Array {
  const writer = new ProtobufWriter();
  text(writer, 1, cluster);
  if (requirements !== undefined) {
    writer.message(2, (inner) => {
      writeNeeds(inner, requirements, { claim: 1, old: 2, priority: 4, bytes: 5 });
    });
  }
  writeAssumed(writer, 3, assumed);
  return writer.finish();
}

export function encodeSetsRequest({ cluster, namespace, components, assumed }: SetsRequest): Uint8Array {
  const writer = new ProtobufWriter();
  text(writer, 1, cluster);
  for (const component of components) writer.message(2, (inner) => writeComponent(inner, component));
  text(writer, 3, namespace);
  writeAssumed(writer, 4, assumed);
  return writer.finish();
}

export function encodeUnschedulableRequest({ cluster, workload, thresholdMs }: UnschedulableRequest): Uint8Array {
  const writer = new ProtobufWriter();
  text(writer, 1, cluster);
  writer.message(2, (inner) => {
    for (const [index, value] of [workload.apiVersion, workload.kind, workload.namespace, workload.name].entries())
      text(inner, index + 1, value);
  });
  // A time in whole milliseconds is a safe number of nanoseconds up to a hundred days.
  const nanos = Math.max(0, Math.round(thresholdMs * NANOS_PER_MS));
  if (nanos > 0) writer.integer(3, nanos);
  return writer.finish();
}

/** The one number that every answer is. */
export function encodeCount(count: number): Uint8Array {
  const writer = new ProtobufWriter();
  if (count > 0) writer.integer(1, count);
  return writer.finish();
}

function text(writer: ProtobufWriter, number: number, value: string | undefined): void {
  if (value !== undefined && value !== "") writer.text(number, value);
}

function writeAssumed(writer: ProtobufWriter, number: number, assumed: readonly PendingWorkload[]): void {
  for (const workload of assumed) {
    writer.message(number, (inner) => {
      text(inner, 1, workload.namespace);
      for (const component of workload.components) inner.message(2, (own) => writeComponent(own, component));
    });
  }
}

function writeComponent(writer: ProtobufWriter, { name, replicas, replicaRequirements }: PendingComponent): void {
  text(writer, 1, name);
  if (replicaRequirements !== undefined) {
    writer.message(2, (inner) => writeNeeds(inner, replicaRequirements, { claim: 1, old: 2, priority: 3, bytes: 4 }));
  }
  if (replicas > 0) writer.integer(3, replicas);
}

/** Numbers of the fields, which differ between a replica's and a component's requirements. */
interface NeedsFields {
  readonly claim: number;
  readonly old: number;
  readonly priority: number;
  readonly bytes: number;
}

/** Quantities, affinity and tolerations travel twice: as servers before Karmada 1.17 read them, and as bytes. */
function writeNeeds(writer: ProtobufWriter, needs: ReplicaRequirements, fields: NeedsFields): void {
  const { nodeClaim, resourceRequest, namespace, priorityClassName } = needs;
  if (nodeClaim !== undefined) writer.message(fields.claim, (inner) => writeClaim(inner, nodeClaim));
  const quantities = Object.entries(resourceRequest ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, value]) =>
        [name, new ProtobufWriter().text(1, canonicalQuantity(String(value).trim())).finish()] as const,
    );
  writeMap(writer, fields.old, quantities);
  if (fields.priority === 4) text(writer, 3, namespace);
  text(writer, fields.priority, priorityClassName);
  writeMap(writer, fields.bytes, quantities);
}

function writeMap(writer: ProtobufWriter, number: number, entries: readonly (readonly [string, Uint8Array])[]): void {
  for (const [key, value] of entries) writer.message(number, (entry) => entry.text(1, key).bytes(2, value));
}

function writeClaim(writer: ProtobufWriter, claim: NonNullable<ReplicaRequirements["nodeClaim"]>): void {
  const affinity = claim.hardNodeAffinity === undefined ? undefined : encodeNodeSelector(claim.hardNodeAffinity);
  const tolerations = (claim.tolerations ?? []).map(encodeToleration);
  if (affinity !== undefined) writer.bytes(1, affinity);
  for (const [key, value] of Object.entries(claim.nodeSelector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))
    writer.message(2, (entry) => entry.text(1, key).text(2, value));
  for (const toleration of tolerations) writer.bytes(3, toleration);
  if (affinity !== undefined && affinity.length > 0) writer.bytes(4, affinity);
  for (const toleration of tolerations) writer.bytes(5, toleration);
}

function encodeNodeSelector({ nodeSelectorTerms }: NodeSelector): Uint8Array {
  const writer = new ProtobufWriter();
  for (const term of nodeSelectorTerms) {
    writer.message(1, (inner) => {
      for (const [number, requirements] of [
        [1, term.matchExpressions],
        [2, term.matchFields],
      ] as const) {
        for (const { key, operator, values } of requirements ?? [])
          inner.message(number, (own) => {
            own.text(1, key).text(2, operator);
            for (const value of values ?? []) own.text(3, value);
          });
      }
    });
  }
  return writer.finish();
}

type Toleration = NonNullable<NonNullable<ReplicaRequirements["nodeClaim"]>["tolerations"]>[number];

/** Kubernetes' own messages have empty texts, too. */
function encodeToleration({ key, operator, value, effect, tolerationSeconds }: Toleration): Uint8Array {
  const writer = new ProtobufWriter();
  for (const [index, part] of [key, operator, value, effect].entries()) writer.text(index + 1, part ?? "");
  if (tolerationSeconds !== undefined) writer.integer(5, Math.max(0, Number(tolerationSeconds)));
  return writer.finish();
}

// ---- reading. Unknown fields are passed over. Throws `ProtobufError` for what is no message.

export function decodeReplicasRequest(bytes: Uint8Array): ReplicasRequest {
  let cluster = "";
  let requirements: ReplicaRequirements | undefined;
  const assumed: PendingWorkload[] = [];
  for (const field of readFields(bytes, "MaxAvailableReplicasRequest")) {
    if (field.number === 1) cluster = textOf(field);
    else if (field.number === 2) requirements = readNeeds(bytesOf(field), { claim: 1, old: 2, priority: 4, bytes: 5 });
    else if (field.number === 3) assumed.push(readAssumed(bytesOf(field)));
  }
  return { cluster, requirements, assumed };
}

export function decodeSetsRequest(bytes: Uint8Array): SetsRequest {
  let [cluster, namespace] = ["", ""];
  const components: PendingComponent[] = [];
  const assumed: PendingWorkload[] = [];
  for (const field of readFields(bytes, "MaxAvailableComponentSetsRequest")) {
    if (field.number === 1) cluster = textOf(field);
    else if (field.number === 2) components.push(readComponent(bytesOf(field)));
    else if (field.number === 3) namespace = textOf(field);
    else if (field.number === 4) assumed.push(readAssumed(bytesOf(field)));
  }
  return { cluster, namespace, components, assumed };
}

/** A request without a workload answers with one whose kind is empty. */
export function decodeUnschedulableRequest(bytes: Uint8Array): UnschedulableRequest {
  let cluster = "";
  let thresholdMs = 0;
  const workload = { apiVersion: "", kind: "", namespace: "", name: "" };
  for (const field of readFields(bytes, "UnschedulableReplicasRequest")) {
    if (field.number === 1) cluster = textOf(field);
    else if (field.number === 3) thresholdMs = Number(field.integer) / NANOS_PER_MS;
    else if (field.number === 2) {
      for (const part of readFields(bytesOf(field), "ObjectReference")) {
        const name = (["apiVersion", "kind", "namespace", "name"] as const)[part.number - 1];
        if (name !== undefined) workload[name] = textOf(part);
      }
    }
  }
  return { cluster, workload, thresholdMs };
}

/** The number that an answer is; it may be negative. */
export function decodeCount(bytes: Uint8Array): number {
  let count = 0;
  for (const field of readFields(bytes, "Response")) {
    if (field.number !== 1) continue;
    if (field.wireType !== 0) throw new ProtobufError("the count is no number");
    count = Number(BigInt.asIntN(32, field.integer));
  }
  return count;
}

const utf8 = new TextDecoder();

function bytesOf(field: WireField): Uint8Array {
  if (field.wireType !== 2) throw new ProtobufError(`field ${field.number} is a number where a message should be`);
  return field.bytes;
}

function textOf(field: WireField): string {
  return utf8.decode(bytesOf(field));
}

function readAssumed(bytes: Uint8Array): PendingWorkload {
  let namespace = "";
  const components: PendingComponent[] = [];
  for (const field of readFields(bytes, "AssumedWorkload")) {
    if (field.number === 1) namespace = textOf(field);
    else if (field.number === 2) components.push(readComponent(bytesOf(field)));
  }
  return { namespace, components };
}

function readComponent(bytes: Uint8Array): PendingComponent {
  let name = "";
  let replicas = 0;
  let replicaRequirements: PendingComponent["replicaRequirements"];
  for (const field of readFields(bytes, "Component")) {
    if (field.number === 1) name = textOf(field);
    else if (field.number === 2)
      replicaRequirements = readNeeds(bytesOf(field), { claim: 1, old: 2, priority: 3, bytes: 4 });
    else if (field.number === 3) replicas = Number(BigInt.asIntN(32, field.integer));
  }
  return { name, replicas, ...(replicaRequirements === undefined ? {} : { replicaRequirements }) };
}

/** Bytes count where there are any, else the old fields. */
function readNeeds(bytes: Uint8Array, fields: NeedsFields): ReplicaRequirements {
  const needs: { -readonly [K in keyof ReplicaRequirements]: ReplicaRequirements[K] } = {};
  const quantities: Record<string, string> = {};
  const oldQuantities: Record<string, string> = {};
  for (const field of readFields(bytes, "ReplicaRequirements")) {
    if (field.number === fields.claim) needs.nodeClaim = readClaim(bytesOf(field));
    else if (field.number === fields.old) addQuantity(oldQuantities, bytesOf(field));
    else if (field.number === fields.bytes) addQuantity(quantities, bytesOf(field));
    else if (field.number === fields.priority) needs.priorityClassName = textOf(field);
    else if (field.number === 3) needs.namespace = textOf(field);
  }
  const known = Object.keys(quantities).length > 0 ? quantities : oldQuantities;
  if (Object.keys(known).length > 0) needs.resourceRequest = known;
  return needs;
}

function addQuantity(quantities: Record<string, string>, entry: Uint8Array): void {
  const [key, value] = readEntry(entry);
  let quantity = "0";
  for (const field of readFields(value, "Quantity")) if (field.number === 1) quantity = textOf(field);
  setOwn(quantities, key, quantity);
}

function readEntry(entry: Uint8Array): [key: string, value: Uint8Array] {
  let key = "";
  let value: Uint8Array = new Uint8Array(0);
  for (const field of readFields(entry, "entry")) {
    if (field.number === 1) key = textOf(field);
    else if (field.number === 2) value = bytesOf(field);
  }
  return [key, value];
}

function readClaim(bytes: Uint8Array): NonNullable<ReplicaRequirements["nodeClaim"]> {
  let affinity: JsonObject | undefined;
  let oldAffinity: JsonObject | undefined;
  const nodeSelector: Record<string, string> = {};
  const tolerations: JsonObject[] = [];
  const oldTolerations: JsonObject[] = [];
  for (const field of readFields(bytes, "NodeClaim")) {
    const own = bytesOf(field);
    if (field.number === 1) oldAffinity = decodeBareMessage("core/v1.NodeSelector", own);
    else if (field.number === 2) {
      const [key, value] = readEntry(own);
      setOwn(nodeSelector, key, utf8.decode(value));
    } else if (field.number === 3) oldTolerations.push(decodeBareMessage("core/v1.Toleration", own));
    else if (field.number === 4 && own.length > 0) affinity = decodeBareMessage("core/v1.NodeSelector", own);
    else if (field.number === 5) tolerations.push(decodeBareMessage("core/v1.Toleration", own));
  }
  const selector = affinity ?? oldAffinity;
  const tolerated = tolerations.length > 0 ? tolerations : oldTolerations;
  // The tables that these were read by have the fields of these types.
  return {
    ...(selector === undefined ? {} : { hardNodeAffinity: { nodeSelectorTerms: [], ...selector } as NodeSelector }),
    ...(equalJson(nodeSelector, {}) ? {} : { nodeSelector }),
    ...(tolerated.length === 0 ? {} : { tolerations: tolerated as Toleration[] }),
  };
}
