import { describe, expect, it } from "vitest";
import { Random } from "../../../runtime/random.ts";
import { testSeed } from "../../../test/seed.ts";
import { encodeFrame, FrameError, FrameReader, MOST_HEADER_BYTES } from "./frames.ts";

function bytesOf(...frames: readonly (readonly Uint8Array[])[]): Buffer {
  return Buffer.concat(frames.flat());
}

describe("FrameReader", () => {
  it("puts frames together however they are split", () => {
    const frames = [
      { header: { type: "request", id: 1 }, payload: Buffer.from("päyload") },
      { header: {}, payload: Buffer.alloc(0) },
      { header: { type: "answer" }, payload: Buffer.alloc(3_000, 7) },
    ];
    const bytes = bytesOf(...frames.map(({ header, payload }) => encodeFrame(header, payload)));
    const random = new Random(testSeed());

    for (let run = 0; run < 200; run++) {
      const reader = new FrameReader(3_000);
      const read = [];
      for (let at = 0; at < bytes.length; ) {
        const length = 1 + random.below(40);
        read.push(...reader.push(bytes.subarray(at, at + length)));
        at += length;
      }
      expect(read.map(({ header, payload }) => ({ header, payload: Buffer.from(payload) }))).toEqual(frames);
    }
  });

  it.each([
    ["a payload that is too large", bytesOf(encodeFrame({}, Buffer.alloc(101))), true],
    ["a header that is too large", bytesOf(encodeFrame({ text: "x".repeat(MOST_HEADER_BYTES) })), true],
    ["a header that is no object", Buffer.from([0, 0, 0, 2, 0, 0, 0, 0, 0x5b, 0x5d]), false],
    ["a header that is no JSON", Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0x7b]), false],
  ])("refuses %s before it comes whole", (_, bytes, isTooLarge) => {
    const reader = new FrameReader(100);
    const act = (): unknown => reader.push(isTooLarge ? bytes.subarray(0, 8) : bytes);

    expect(act).toThrow(FrameError);
    expect(act).toThrow(expect.objectContaining({ isTooLarge }));
  });
});
