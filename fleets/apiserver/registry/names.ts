// Which texts Kubernetes takes as names of objects, in the reference's words.
import type { KindStrategy } from "./kind.ts";

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;

const LABEL_TEXT = new RegExp(`^${LABEL}$`);
const SUBDOMAIN_TEXT = new RegExp(`^${SUBDOMAIN}$`);

const SUBDOMAIN_RULE = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`;
const LABEL_RULE = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`;

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** What is wrong with a DNS subdomain; empty when nothing is. */
export function checkSubdomain(name: string, limit = 253): readonly string[] {
  const errors: string[] = [];
  if (byteLength(name) > limit) errors.push(`must be no more than ${limit} characters`);
  if (!SUBDOMAIN_TEXT.test(name)) errors.push(SUBDOMAIN_RULE);
  return errors;
}

/** What is wrong with a DNS label. */
export function checkLabel(name: string): readonly string[] {
  const errors: string[] = [];
  if (byteLength(name) > 63) errors.push("must be no more than 63 characters");
  if (!LABEL_TEXT.test(name)) errors.push(SUBDOMAIN_TEXT.test(name) ? "must not contain dots" : LABEL_RULE);
  return errors;
}

/** What is wrong with a name that only has to fit into a path. */
export function checkPathSegment(name: string): readonly string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  const errors: string[] = [];
  for (const illegal of ["/", "%"]) if (name.includes(illegal)) errors.push(`may not contain '${illegal}'`);
  return errors;
}

/** What is wrong with the name of an object of a kind. */
export function checkName(rule: KindStrategy["nameRule"], name: string): readonly string[] {
  switch (rule) {
    case "label":
    case "service":
      return checkLabel(name);
    case "path-segment":
      return checkPathSegment(name);
    case "cronjob": {
      const errors = checkSubdomain(name);
      return name.length > 52 && errors.length === 0 ? ["must be no more than 52 characters"] : errors;
    }
    case "subdomain":
      return checkSubdomain(name);
  }
}
