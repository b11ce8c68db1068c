// Ranges of IPv4 addresses. Pure.

/** The first address of a range, as a number, and how many there are. */
export function addressesOf(cidr: string): { readonly first: number; readonly count: number } {
  const [ip = "", bits = "32"] = cidr.split("/");
  const first = addressNumber(ip);
  const count = 2 ** (32 - Number(bits));
  return { first: first - (first % count), count };
}

/** An IPv4 address as a number. */
export function addressNumber(ip: string): number {
  return ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The IPv4 address of a number. */
export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
