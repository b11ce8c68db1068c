// JSON Web Tokens: their three parts, and whether a key signed them.
import { constants, type KeyObject, type VerifyKeyObjectInput, verify } from "node:crypto";
import { isObject } from "../../../kube/object.ts";

export interface Jwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** The text that is signed. */
  readonly signed: string;
  readonly signature: Buffer;
}

/** Signature algorithms that can be checked. `none` and shared secrets are not among them, on purpose. */
export const SIGNING_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** Longer texts are no tokens: every header of a request together is shorter. */
const MOST_LENGTH = 65_536;
const CURVES: Readonly<Record<string, string>> = { ES256: "prime256v1", ES384: "secp384r1", ES512: "secp521r1" };

/** The parts of a token; undefined for a text that is none. Nothing is verified yet. */
export function parseJwt(token: string): Jwt | undefined {
  if (token.length > MOST_LENGTH) return undefined;
  const parts = token.split(".");
  if (parts.length !== 3 || parts.some((part) => part === "" || /[^A-Za-z0-9_-]/.test(part))) return undefined;
  const [head = "", body = "", signature = ""] = parts;
  const header = decodePart(head);
  const claims = decodePart(body);
  if (header === undefined || claims === undefined) return undefined;
  return { header, claims, signed: `${head}.${body}`, signature: Buffer.from(signature, "base64url") };
}

function decodePart(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isSigningAlgorithm(name: unknown): name is SigningAlgorithm {
  return (SIGNING_ALGORITHMS as readonly unknown[]).includes(name);
}

/** Whether `key` signed the token, by the algorithm that its header names. A key of another kind never did. */
export function isSignedBy(jwt: Jwt, key: KeyObject): boolean {
  const { alg } = jwt.header;
  if (!isSigningAlgorithm(alg)) return false;
  const input = keyInput(key, alg);
  if (input === undefined) return false;
  try {
    return verify(`sha${alg.slice(2)}`, Buffer.from(jwt.signed), input, jwt.signature);
  } catch {
    return false;
  }
}

function keyInput(key: KeyObject, alg: SigningAlgorithm): VerifyKeyObjectInput | undefined {
  if (alg.startsWith("ES")) {
    const fits = key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === CURVES[alg];
    return fits ? { key, dsaEncoding: "ieee-p1363" } : undefined;
  }
  if (key.asymmetricKeyType !== "rsa") return undefined;
  return alg.startsWith("PS")
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { key };
}

/** The audiences of a token: one text or a list. */
export function audiencesOf(claims: Jwt["claims"]): readonly string[] {
  const { aud } = claims;
  const list: unknown[] = Array.isArray(aud) ? aud : [aud];
  return list.filter((each) => typeof each === "string");
}
