// Addresses of load balancers in the form of programs that decode them into the types of their kind: what says nothing is
// left out, and so is what the kind does not know.

import { type Fields, fieldsAt, integerAt, objectsAt, present, textAt } from "./field-access.ts";

/** What makes an address of each kind the one it is, in the order in which they are sorted. */
export const ADDRESS_OF_SERVICE: readonly string[] = ["hostname", "ip", "ipMode"];
export const ADDRESS_OF_INGRESS: readonly string[] = ["hostname", "ip"];

/** The load balancer in a Service's status. Throws `interpreter-field-malformed`. */
export function encodeServiceLoadBalancer(status: Fields): Fields {
  const ingress = objectsAt(fieldsAt(status, "loadBalancer"), "ingress").map((entry) => {
    const ports = objectsAt(entry, "ports").map(encodePort);
    return { ...encodeAddress(entry, ADDRESS_OF_SERVICE), ...(ports.length === 0 ? {} : { ports }) };
  });
  return ingress.length === 0 ? {} : { ingress };
}

/** The parts of an address, without its ports. */
export function encodeAddress(entry: Fields, parts: readonly string[]): Fields {
  return present(Object.fromEntries(parts.map((part) => [part, addressPart(entry, part)])));
}

/** Undefined where nothing is said; an empty mode says something, an empty name or address does not. */
function addressPart(entry: Fields, field: string): string | undefined {
  const text = textAt(entry, field);
  return text === "" && (field !== "ipMode" || entry[field] == null) ? undefined : text;
}

/** A port with its protocol, and what is wrong with it. */
export function encodePort(port: Fields): Fields {
  return present({
    port: integerAt(port, "port"),
    protocol: textAt(port, "protocol"),
    error: port["error"] == null ? undefined : textAt(port, "error"),
  });
}
