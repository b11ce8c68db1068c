// The seed of random tests: the same each time, so that a suite that passed passes again, unless TEST_SEED says otherwise.

const EVERYDAY_SEED = 20_261_128;

/** `TEST_SEED` as a number, or another at each run where it says `random`; whoever fails names the seed. */
export function testSeed(): number {
  const wished = process.env["TEST_SEED"];
  if (wished === undefined) return EVERYDAY_SEED;
  return wished === "random" ? Date.now() % 1_000_000_000 : Number(wished);
}
