import { describe, expect, it } from "vitest";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  multiplyQuantity,
  parseQuantity,
  type QuantityFormat,
  quantityFloat,
  quantityMilliNumber,
  quantityMilliValue,
  quantityNumber,
  quantityOf,
  quantityValue,
  roundQuantityUp,
  subtractQuantities,
  tryParseQuantity,
} from "./quantity.ts";

describe("canonicalQuantity", () => {
  it.each([
    ["0", "0"],
    ["0Ki", "0"],
    ["1000m", "1"],
    ["0.5", "500m"],
    ["1.5", "1500m"],
    [".5", "500m"],
    ["1.", "1."],
    ["100000", "100k"],
    ["1024Mi", "1Gi"],
    ["1536Mi", "1536Mi"],
    ["1.5Gi", "1536Mi"],
    ["1000Mi", "1000Mi"],
    ["1024", "1024"],
    ["0.5Ki", "512"],
    ["0.1Mi", "104857600m"],
    ["0.0001Ki", "102400u"],
    ["1e9", "1e9"],
    ["1000e6", "1e9"],
    ["15e2", "1500"],
    ["1E", "1E"],
    ["1000E", "1e21"],
    ["1n", "1n"],
    ["0.1n", "1n"],
    ["-0.1n", "-1n"],
    ["1e-10", "1e-9"],
    ["-1500m", "-1500m"],
    ["100Ei", "9223372036854775807"],
    ["9999999999999999999999", "9999999999999999999999"],
    ["1.500", "1.500"],
    ["+5", "+5"],
    [".", "0"],
    ["-", "0"],
    ["Ki", "0"],
    ["00", "0"],
    ["100.035Ki", "102435840m"],
    ["0.025Ti", "27487790694400m"],
    ["3.001n", "4n"],
    ["0.000000000001Ki", "2n"],
    ["1.1E-9", "2e-9"],
    ["9Ei", "9223372036854775807"],
    ["0.001e0", "1e-3"],
    [".001e12", "1e9"],
    ["1025024Mi", "1001Gi"],
  ])("prints %s as %s", (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it.each(["", "x", "1x", "1.2.3", "1 Gi", "--1", "1Kib", "1e", "1ee3", "1e3k", "Ei", "e-10", " 1", ".5i", "-3.01e-"])(
    "refuses %j",
    (text) => {
      expect(tryParseQuantity(text)).toBeUndefined();
    },
  );

  it("explains text of the wrong form with the pattern", () => {
    expect(() => parseQuantity("one")).toThrow(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  });
});

describe("quantity arithmetic", () => {
  it("compares by value across formats", () => {
    expect(compareQuantities(parseQuantity("1"), parseQuantity("1000m"))).toBe(0);
    expect(compareQuantities(parseQuantity("1Gi"), parseQuantity("1G"))).toBe(1);
    expect(compareQuantities(parseQuantity("-1"), parseQuantity("1n"))).toBe(-1);
    expect(compareQuantities(parseQuantity("9223372036854775807"), parseQuantity("9223372036854775.806k"))).toBe(1);
  });

  it("keeps the format of the first operand unless it is zero", () => {
    expect(formatQuantity(addQuantities(parseQuantity("1Gi"), parseQuantity("512Mi")))).toBe("1536Mi");
    expect(formatQuantity(addQuantities(parseQuantity("0"), parseQuantity("2Ki")))).toBe("2Ki");
    expect(formatQuantity(subtractQuantities(parseQuantity("1"), parseQuantity("250m")))).toBe("750m");
  });

  it("stays exact beyond the safe integers", () => {
    const large = parseQuantity("9007199254740993");
    expect(quantityValue(addQuantities(large, parseQuantity("2")))).toBe(9007199254740995n);
    expect(quantityValue(multiplyQuantity(large, 3))).toBe(27021597764222979n);
  });

  it("rounds units away from zero", () => {
    expect(quantityValue(parseQuantity("1500m"))).toBe(2n);
    expect(quantityNumber(parseQuantity("1001m"))).toBe(2);
    expect(quantityNumber(parseQuantity("-1500m"))).toBe(-2);
    expect(quantityMilliValue(parseQuantity("100u"))).toBe(1n);
    expect(quantityMilliNumber(parseQuantity("2"))).toBe(2000);
    expect(quantityNumber(parseQuantity("8Ei"))).toBe(2 ** 63);
    expect(quantityFloat(parseQuantity("250m"))).toBe(0.25);
    expect(formatQuantity(roundQuantityUp(parseQuantity("1100100n"), -3))).toBe("2m");
  });
});

describe("quantity round trip", () => {
  const seed = Number(process.env["SEED"] ?? 20260731);

  it(`keeps value and text of what it prints (seed ${seed})`, () => {
    let state = seed;
    const random = (bound: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state % bound;
    };
    const formats: QuantityFormat[] = ["DecimalSI", "BinarySI", "DecimalExponent"];
    for (let round = 0; round < 2000; round++) {
      const format = formats[random(3)] ?? "DecimalSI";
      const magnitude = BigInt(random(1 << 30)) * BigInt(10 ** random(6)) * (1n << BigInt(random(20)));
      const value = quantityOf(random(2) === 0 ? magnitude : -magnitude, format, random(10) - 9);

      const text = formatQuantity(value);
      const parsed = parseQuantity(text);

      expect(`${text} ${compareQuantities(parsed, value)}`).toBe(`${text} 0`);
      expect(canonicalQuantity(formatQuantity(parsed))).toBe(formatQuantity(parsed));
    }
  });
});
