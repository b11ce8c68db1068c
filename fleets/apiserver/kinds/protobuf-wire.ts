// The wire format of protobuf, read as Go's generated code reads it, with its words for what is wrong.

/** A body that is no protobuf envelope of a known kind, or is cut short. */
export class ProtobufError extends Error {
  /** The kind that the envelope names; absent while the envelope itself is in question. */
  readonly of: { readonly apiVersion: string; readonly kind: string } | undefined;

  constructor(message: string, of?: ProtobufError["of"]) {
    super(message);
    this.name = "ProtobufError";
    this.of = of;
  }
}

/** One field of a message: its number and either a number or bytes. */
export interface WireField {
  readonly number: number;
  readonly wireType: number;
  readonly integer: bigint;
  readonly bytes: Uint8Array;
}

export const NO_BYTES: Uint8Array = new Uint8Array(0);

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const GROUP_START = 3;
const GROUP_END = 4;
const FIXED32 = 5;
/** Groups have not been written for twenty years; their nesting must not exhaust the stack. */
const MOST_GROUPS = 100;

/** The number at `start`, as a signed 64-bit integer, and where it ends. */
export function readVarint(bytes: Uint8Array, start: number): [value: bigint, next: number] {
  let low = 0;
  for (let at = start, shift = 0; at < bytes.length && shift < 28; at++, shift += 7) {
    const byte = bytes[at]!;
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [BigInt(low), at + 1];
  }
  return readLongVarint(bytes, start);
}

function readLongVarint(bytes: Uint8Array, start: number): [value: bigint, next: number] {
  let value = 0n;
  for (let at = start, shift = 0n; shift < 64n; at++, shift += 7n) {
    const byte = bytes[at];
    if (byte === undefined) throw new ProtobufError("unexpected EOF");
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return [BigInt.asIntN(64, value), at + 1];
  }
  throw new ProtobufError("proto: integer overflow");
}

/**
 * The fields of a message in their order; `message` is its name in refusals. `check` may refuse a field by its wire
 * type before its content is looked at.
 */
export function* readFields(
  bytes: Uint8Array,
  message: string,
  check?: (number: number, wireType: number) => void,
): Generator<WireField> {
  let at = 0;
  while (at < bytes.length) {
    const [tag, afterTag] = readVarint(bytes, at);
    const number = Number(BigInt.asIntN(32, tag >> 3n));
    const wireType = Number(tag & 7n);
    if (wireType === GROUP_END) throw new ProtobufError(`proto: ${message}: wiretype end group for non-group`);
    if (number <= 0) throw new ProtobufError(`proto: ${message}: illegal tag ${number} (wire type ${wireType})`);
    check?.(number, wireType);
    if (wireType === VARINT) {
      const [integer, next] = readVarint(bytes, afterTag);
      at = next;
      yield { number, wireType, integer, bytes: NO_BYTES };
      continue;
    }
    const [start, end] = payloadBounds(bytes, wireType, afterTag, 0);
    at = end;
    yield { number, wireType, integer: 0n, bytes: bytes.subarray(start, end) };
  }
}

function payloadBounds(bytes: Uint8Array, wireType: number, at: number, groups: number): [start: number, end: number] {
  const [start, end] = boundsOf(bytes, wireType, at, groups);
  // A length is a signed number: a negative one would lead back, and for ever.
  if (end < start) throw new ProtobufError("proto: negative length found during unmarshaling");
  if (end > bytes.length) throw new ProtobufError("unexpected EOF");
  return [start, end];
}

function boundsOf(bytes: Uint8Array, wireType: number, at: number, groups: number): [start: number, end: number] {
  switch (wireType) {
    case VARINT:
      return [at, readVarint(bytes, at)[1]];
    case FIXED64:
      return [at, at + 8];
    case FIXED32:
      return [at, at + 4];
    case GROUP_START:
      return [at, groupEnd(bytes, at, groups + 1)];
    case BYTES: {
      const [length, start] = readVarint(bytes, at);
      return [start, start + Number(length)];
    }
    default:
      throw new ProtobufError(`proto: illegal wireType ${wireType}`);
  }
}

function groupEnd(bytes: Uint8Array, start: number, groups: number): number {
  if (groups > MOST_GROUPS) throw new ProtobufError("proto: groups are nested too deep");
  for (let at = start; at < bytes.length; ) {
    const [tag, next] = readVarint(bytes, at);
    const wireType = Number(tag & 7n);
    if (wireType === GROUP_END) return next;
    at = payloadBounds(bytes, wireType, next, groups)[1];
  }
  throw new ProtobufError("unexpected EOF");
}

/** The wire type of a type code. */
function wireTypeOf(code: string): number {
  if (code === "i" || code === "b") return VARINT;
  return code === "d" ? FIXED64 : BYTES;
}

/** Refuses a field that is not written as its type is. `name` is the field's name in Go. */
export function checkWireType(wireType: number, code: string, name: string): void {
  const item = code.startsWith("[") ? code.slice(1) : code;
  const wanted = wireTypeOf(item);
  // Lists of numbers may come packed.
  const isPacked = item !== code && wanted === VARINT && wireType === BYTES;
  if (wireType === wanted || isPacked) return;
  throw new ProtobufError(`proto: wrong wireType = ${wireType} for field ${name}`);
}
