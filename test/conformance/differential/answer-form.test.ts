import { describe, expect, it } from "vitest";
import { Random } from "../../../runtime/random.ts";
import { AnswerForm } from "./answer-form.ts";

const ONE = "11111111-1111-4111-8111-111111111111";
const TWO = "22222222-2222-4222-8222-222222222222";

describe("AnswerForm", () => {
  it("names what a server makes by its first appearance", () => {
    const answer = { a: { uid: ONE, resourceVersion: "7" }, b: { uid: TWO, resourceVersion: "9" }, c: { uid: ONE } };

    expect(new AnswerForm().of(answer)).toEqual({
      a: { uid: "<uid:1>", resourceVersion: "<rv:1>" },
      b: { uid: "<uid:2>", resourceVersion: "<rv:2>" },
      c: { uid: "<uid:1>" },
    });
  });

  it("keeps times that clients sent", () => {
    const sent = "2024-01-01T00:00:00Z";

    expect(new AnswerForm().of([sent, new Date().toISOString()])).toEqual([sent, "<time>"]);
  });

  it("tells nothing of the revision of a list", () => {
    expect(new AnswerForm().of({ metadata: { resourceVersion: "5" }, items: [] })).toEqual({
      metadata: { resourceVersion: "<revision>" },
      items: [],
    });
  });
});

describe("Random", () => {
  it("draws the same from the same seed", () => {
    const draw = (): number[] => {
      const random = new Random(3);
      return [random.below(100), random.below(100), random.below(100)];
    };

    expect(draw()).toEqual(draw());
  });
});
