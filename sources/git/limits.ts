/** Bounds on what a repository, which is untrusted input, may make this process do. */
export interface GitLimits {
  /** Bytes received for one fetch over http(s), of which isomorphic-git holds up to three copies in memory. */
  readonly maxPackBytes: number;
  /** Bytes of the answer that lists references. */
  readonly maxRefsBytes: number;
  /** Bytes of one object after inflating; also of one file. */
  readonly maxObjectBytes: number;
  /** Bytes of all objects of one fetch after inflating. */
  readonly maxInflatedBytes: number;
  /** Of one fetch. */
  readonly maxObjects: number;
  /** Files of one revision. */
  readonly maxFiles: number;
  readonly maxPathBytes: number;
}

export const DEFAULT_LIMITS: GitLimits = {
  maxPackBytes: 256 << 20,
  maxRefsBytes: 64 << 20,
  maxObjectBytes: 128 << 20,
  maxInflatedBytes: 2 * 2 ** 30,
  maxObjects: 1_000_000,
  maxFiles: 250_000,
  maxPathBytes: 4096,
};

/** Deltas on deltas; Git itself never writes more than 4095. */
export const MAX_DELTA_DEPTH = 4095;

/** Files of a sort, for messages: `512 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}
