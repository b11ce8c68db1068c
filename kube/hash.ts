// Hashes as Kubernetes and Karmada put them into names.

const OFFSET = 2166136261;
const PRIME = 16777619;
const ENCODER = new TextEncoder();

/** 32-bit FNV-1a over the UTF-8 bytes of a text. */
export function fnv1a32(text: string): number {
  let hash = OFFSET;
  for (const byte of ENCODER.encode(text)) hash = Math.imul(hash ^ byte, PRIME);
  return hash >>> 0;
}

/** 32-bit FNV-1, which multiplies before it mixes in, over the UTF-8 bytes of a text. */
export function fnv1Of32(text: string): number {
  let hash = OFFSET;
  for (const byte of ENCODER.encode(text)) hash = Math.imul(hash, PRIME) ^ byte;
  return hash >>> 0;
}

// No vowels and no look-alikes, so that no words come out.
const SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** Maps each character of a text into an alphabet that makes no words; not reversible. */
export function encodeSafe(text: string): string {
  let encoded = "";
  for (const byte of ENCODER.encode(text)) encoded += SAFE_ALPHABET.charAt(byte % SAFE_ALPHABET.length);
  return encoded;
}

/** The suffix that names carry for a key: the decimal FNV-1a hash, encoded safely. */
export function hashSuffix(key: string): string {
  return encodeSafe(String(fnv1a32(key)));
}
