// The parts of a container image reference that an image overrider can change.

const ALPHANUMERIC = "[a-z0-9]+";
const PATH_COMPONENT = `${ALPHANUMERIC}(?:(?:[._]|__|-+)${ALPHANUMERIC})*`;
const DOMAIN_COMPONENT = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const HOST = `(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])`;
const TAG = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
const DIGEST = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";

const REFERENCE = new RegExp(
  `^((?:${HOST}(?::[0-9]+)?/)?(${PATH_COMPONENT}(?:/${PATH_COMPONENT})*))(?::(${TAG}))?(?:@(${DIGEST}))?$`,
);
const WHOLE_TAG = new RegExp(`^${TAG}$`);
const WHOLE_DIGEST = new RegExp(`^${DIGEST}$`);
/** Of what stands behind the first component that may be a host. */
const MAX_PATH_LENGTH = 255;

// Registries know these algorithms only, each with its length in lower-case hexadecimal digits.
const DIGEST_LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** An image reference in parts. At most one of `tag` and `digest` is set; empty strings stand for absent parts. */
export interface ImageReference {
  readonly hostname: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/**
 * Takes an image reference apart; undefined when it is not one.
 *
 * As Karmada: no default registry is filled in, and a reference with both tag and digest keeps the tag only.
 */
export function parseImage(image: string): ImageReference | undefined {
  const match = REFERENCE.exec(image);
  if (match === null) return undefined;
  const [, name = "", path = "", tag = "", digest = ""] = match;
  if (path.length > MAX_PATH_LENGTH || (digest !== "" && !isKnownDigest(digest))) return undefined;
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const hasHost = slash >= 0 && (first.includes(".") || first.includes(":") || first === "localhost");
  return {
    hostname: hasHost ? first : "",
    repository: hasHost ? name.slice(slash + 1) : name,
    tag,
    digest: tag === "" ? digest : "",
  };
}

function isKnownDigest(digest: string): boolean {
  const colon = digest.indexOf(":");
  const hex = digest.slice(colon + 1);
  return DIGEST_LENGTHS[digest.slice(0, colon)] === hex.length && /^[a-f0-9]+$/.test(hex);
}

export function formatImage(image: ImageReference): string {
  const name = image.hostname === "" ? image.repository : `${image.hostname}/${image.repository}`;
  if (image.tag !== "") return `${name}:${image.tag}`;
  return image.digest === "" ? name : `${name}@${image.digest}`;
}

/** Whether `withTagOrDigest` takes the text for anything. */
export function isTagOrDigest(value: string): boolean {
  return WHOLE_TAG.test(value) || WHOLE_DIGEST.test(value);
}

/** The image with `value` as its tag, or as its digest if it looks like one; unchanged if it is neither. */
export function withTagOrDigest(image: ImageReference, value: string): ImageReference {
  if (WHOLE_TAG.test(value)) return { ...image, tag: value, digest: "" };
  if (WHOLE_DIGEST.test(value)) return { ...image, tag: "", digest: value };
  return image;
}
