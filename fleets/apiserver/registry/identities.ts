// Uids and the letters after generated names.
import { randomInt, randomUUID } from "node:crypto";

/** What tells new objects apart. */
export interface Identities {
  uid(): string;
  /** A whole number from 0 up to and without `bound`. */
  below(bound: number): number;
}

/** Those of the machine: nobody else has or will have them. */
export const uniqueIdentities: Identities = { uid: () => randomUUID(), below: (bound) => randomInt(bound) };

/** Those that `next`, a source of numbers from 0 up to and without 1, determines: for runs that can be had again. */
export function seededIdentities(next: () => number): Identities {
  return {
    uid: () => {
      const bytes = Array.from({ length: 16 }, () => Math.floor(next() * 256));
      // Version 4, variant 1: the form of random ones.
      bytes[6] = (bytes[6]! & 0x0f) | 0x40;
      bytes[8] = (bytes[8]! & 0x3f) | 0x80;
      const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
    below: (bound) => Math.floor(next() * bound),
  };
}
