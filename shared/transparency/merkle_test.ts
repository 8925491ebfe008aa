/**
 * Leaves, roots and proofs of transparency-dev/merkle (proof/verify_test.go), and of RFC 6962's
 * log.
 */
import assert from "node:assert/strict";
import {
  completeSpans,
  consistencySpans,
  EMPTY_ROOT,
  type Hash,
  isConsistent,
  leafHash,
  rootOf,
  rootOfSpans,
  type Span,
} from "./merkle.ts";

const hex = (text: string) => Uint8Array.fromHex(text);
const LEAVES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map((entry) => leafHash(hex(entry)));
const ROOTS = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
].map(hex);
const rootAt = (size: number) => size === 0 ? EMPTY_ROOT : ROOTS[size - 1]!;

const CONSISTENCIES: [first: number, second: number, proof: string[]][] = [
  [1, 1, []],
  [1, 8, [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
  ]],
  [6, 8, [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  ]],
  [2, 5, [
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
  ]],
  [6, 7, [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  ]],
];

/** The root of a span, of complete trees alone, as a tree that is kept has them. */
function hashOf(leaves: Hash[], span: Span): Hash {
  return rootOfSpans(
    completeSpans(span).map(({ start, end }) => rootOf(leaves.slice(start, end))),
  );
}

function changed(hash: Hash): Hash {
  const other = new Uint8Array(hash);
  other[0]! ^= 8;
  return other;
}

/**
 * Proofs that are not quite one: a bit flipped, something missing, too much, or in another order.
 */
function damaged(proof: Hash[], garbage: Hash[]): Hash[][] {
  return [
    ...proof.map((hash, at) => proof.with(at, changed(hash))),
    ...garbage.flatMap((hash) => [[hash, ...proof], [...proof, hash]]),
    ...(proof.length > 0 ? [proof.slice(1), proof.slice(0, -1), []] : []),
    ...(proof.length > 1 ? [proof.toReversed()] : []),
    [...proof, new Uint8Array()],
  ];
}

Deno.test("roots are those of the vectors, from all leaves and from complete trees", () => {
  for (let size = 0; size <= 8; size++) {
    assert.deepEqual(new Uint8Array(rootOf(LEAVES.slice(0, size))), new Uint8Array(rootAt(size)));
    assert.deepEqual(hashOf(LEAVES, { start: 0, end: size }), Buffer.from(rootAt(size)));
  }
});

Deno.test("consistency proofs are those of the vectors, and prove nothing else", () => {
  for (const [first, second, texts] of CONSISTENCIES) {
    const proof = consistencySpans(first, second).map((span) => hashOf(LEAVES, span));
    assert.deepEqual(proof.map((hash) => hash.toHex()), texts);
    const before = { size: first, root: rootAt(first) };
    const after = { size: second, root: rootAt(second) };
    assert.ok(isConsistent(before, after, proof));
    const wrong = [
      [{ ...before, root: changed(before.root) }, after],
      [before, { ...after, root: changed(after.root) }],
      [{ ...before, size: first + 1 }, after],
      [{ ...before, size: first - 1 }, after],
      [before, { ...after, size: second * 2 }],
      [before, { ...after, size: first - 1 }],
      [{ size: first, root: after.root }, { size: second, root: before.root }],
    ].slice(0, first === second ? 2 : undefined) as [typeof before, typeof after][];
    for (const [one, other] of wrong) assert.ok(!isConsistent(one, other, proof));
    for (const other of damaged(proof, [before.root, after.root])) {
      assert.ok(!isConsistent(before, after, other), `${first} to ${second}: ${other.length}`);
    }
  }
});

Deno.test("every tree up to 40 leaves is proven to be the beginning of every later one", () => {
  const leaves = Array.from({ length: 40 }, (_, n) => leafHash(`entry ${n}`));
  const roots = Array.from({ length: 41 }, (_, size) => rootOf(leaves.slice(0, size)));
  for (let size = 0; size <= 40; size++) {
    const head = { size, root: roots[size]! };
    for (let first = 0; first <= size; first++) {
      const proof = consistencySpans(first, size).map((span) => hashOf(leaves, span));
      assert.ok(isConsistent({ size: first, root: roots[first]! }, head, proof));
      if (first === 0) continue;
      const other = { size: first, root: changed(roots[first]!) };
      assert.ok(!isConsistent(other, head, proof), `${first} to ${size}`);
    }
  }
});

Deno.test("what is no hash, and what is no number of entries, proves nothing", () => {
  const root = ROOTS[0]!;
  assert.ok(isConsistent({ size: 0, root: EMPTY_ROOT }, { size: 1, root }, []));
  assert.ok(!isConsistent({ size: 0, root }, { size: 1, root }, []), "another empty tree");
  assert.ok(!isConsistent({ size: 1, root: new Uint8Array() }, { size: 1, root }, []));
  assert.ok(!isConsistent({ size: 2, root }, { size: 1, root }, []));
  for (const size of [NaN, -1, 1.5, Infinity]) {
    assert.ok(!isConsistent({ size, root }, { size, root }, []));
  }
});
