/**
 * What a run has been told so far, so that no answer beside the earlier ones gives away a group of
 * too few persons: by subtraction from a margin, by two conditions that differ by one person, or by
 * a tracker of several (Denning, Denning and Schwartz 1979, "The tracker").
 *
 * Everything told is a sum over a set of rows, so a vector of zeros and ones over the rows; what
 * can be computed of it are the vectors that these span. Rows that have been in the same sets
 * throughout are one atom. A new set is told only if no vector of the span rests on atoms of too
 * few persons alone: with the columns of the larger atoms first, those vectors are the last ones of
 * the reduced row echelon form (Chin and Özsoyoğlu 1982, "Auditing and inference control in
 * statistical databases"). Of these the sums may rest on fewer than each does: so a new set is
 * reduced by them in several ways, each with leading atoms of its own, as codes are decoded with
 * information sets (Prange 1962). Arithmetic is modulo a prime, which is exact.
 * @module
 */

/** The largest below 2^26: products of two residues are whole numbers that a float holds. */
const PRIME = 67_108_859;
/** More than this much work would take seconds. */
const MOST_WORK = 3e9;

/**
 * Ways to look at a new set beyond those that are needed where none have a leading atom in common.
 */
const MORE_WAYS = 3;

/** A run has asked about more different sets of rows than can be looked through. */
export class TooManySetsError extends Error {
  override name = "TooManySetsError";
}

export interface Released {
  /** Says how the sets that are told next are made up: of each row its cell, below 0 for none. */
  divide(cells: Int32Array): void;
  /** Whether a sum over these cells may be told beside all that has been. */
  mayTell(cells: readonly number[]): boolean;
  /** Notes that it has been. */
  tell(cells: readonly number[]): void;
  /**
   * The sets of rows of which a sum has been told or follows, as few as give all the others: those
   * of small atoms are among them wherever these follow alone.
   */
  derived(): Iterable<(row: number) => boolean>;
  /** Returns a function that forgets what has been told from now until it is called. */
  mark(): () => void;
}

export interface ReleasedOptions {
  rows: number;
  /** Of each row its person, counted from 0; without it every row is one of its own. */
  persons: Int32Array | undefined;
  /** The fewest persons of a group that may be told. */
  least: number;
}

interface State {
  /** Of each row its atom. */
  atoms: Int32Array;
  /** The persons of each atom. */
  sizes: Int32Array;
  /** The atoms, those of most persons first. */
  order: Int32Array;
  /** In reduced row echelon form. */
  basis: Vector[];
}

interface Vector {
  /** By atom. */
  values: Float64Array;
  /** The atom with its leading 1. */
  pivot: number;
}

export function createReleased({ rows, persons, least }: ReleasedOptions): Released {
  let { atoms, sizes, order, basis }: State = {
    atoms: new Int32Array(rows).fill(-1),
    sizes: new Int32Array(),
    order: new Int32Array(),
    basis: [],
  };
  /** Of each atom its cell in the last division. */
  let cellOf = new Int32Array();

  function divide(cells: Int32Array): void {
    const refined = refine(atoms, cells);
    const { parents } = refined;
    const count = parents.length;
    const isFiner = count !== sizes.length;
    atoms = refined.atoms;
    cellOf = new Int32Array(count);
    for (let row = 0; row < rows; row++) cellOf[atoms[row]!] = cells[row]!;
    if (!isFiner) return;
    if ((basis.length + 1) ** 2 * count > MOST_WORK) {
      throw new TooManySetsError(
        "This run has asked about too many different sets of rows to be told of another one.",
      );
    }
    sizes = sizesOf(atoms, count, persons);
    order = Int32Array.from({ length: count }, (_, atom) => atom)
      .sort((a, b) => sizes[b]! - sizes[a]! || a - b);
    const vectors = basis.map(({ values }) => Float64Array.from(parents, (one) => values[one]!));
    basis = [];
    for (const vector of vectors) insert(reduced(vector));
  }

  function vectorOf(cells: readonly number[]): Float64Array {
    const told = new Set(cells);
    return Float64Array.from(cellOf, (cell) => told.has(cell) ? 1 : 0);
  }

  /** What the basis does not give of a vector, with a leading 1; undefined if that is nothing. */
  function reduced(vector: Float64Array): Vector | undefined {
    for (const { values, pivot } of basis) subtract(vector, values, vector[pivot]!);
    const pivot = order.find((atom) => vector[atom] !== 0);
    if (pivot === undefined) return undefined;
    scale(vector, inverse(vector[pivot]!));
    return { values: vector, pivot };
  }

  function insert(vector: Vector | undefined): void {
    if (!vector) return;
    const { values, pivot } = vector;
    // Nothing is changed in place, so that a mark is cheap.
    basis = [
      ...basis.map((one) => one.values[pivot] === 0 ? one : { ...one, values: without(one) }),
      vector,
    ];
    function without(one: Vector): Float64Array {
      const found = one.values.slice();
      subtract(found, values, found[pivot]!);
      return found;
    }
  }

  return {
    divide,
    mayTell(cells) {
      const vector = reduced(vectorOf(cells));
      // With a large atom in front, nothing that rests on small ones alone has become known.
      if (!vector || sizes[vector.pivot]! >= least) return true;
      const small = basis.filter(({ pivot }) => sizes[pivot]! < least);
      const changed = small.filter(({ values }) => values[vector.pivot] !== 0);
      const discloses = (values: Float64Array) =>
        restsOnFew(values, { atoms, sizes, persons, least });
      for (const values of waysOf(vector, small, least)) if (discloses(values)) return false;
      return [
        vector.values,
        ...changed.map(({ values }) => {
          const found = values.slice();
          subtract(found, vector.values, values[vector.pivot]!);
          return found;
        }),
      ].every((values) => !discloses(values));
    },
    tell: (cells) => insert(reduced(vectorOf(cells))),
    *derived() {
      const of = atoms;
      for (const { values } of basis) {
        if (values.every((value) => value <= 1)) yield (row) => values[of[row]!] === 1;
      }
    },
    mark() {
      const kept = { atoms, sizes, order, basis, cellOf };
      return () => ({ atoms, sizes, order, basis, cellOf } = kept);
    },
  };
}

/**
 * A vector without large atoms, less what the small vectors of the basis give of it: in each way
 * these have other leading atoms, and a vector of few atoms is found by the way in which none of
 * these leads.
 */
function* waysOf({ values }: Vector, small: Vector[], least: number): Generator<Float64Array> {
  if (small.length === 0) return;
  const taken = new Set(small.map(({ pivot }) => pivot));
  for (let way = 0; way < least + MORE_WAYS; way++) {
    const rest = values.slice();
    const leading: Vector[] = [];
    for (const one of small) {
      const found = one.values.slice();
      for (const { values, pivot } of leading) subtract(found, values, found[pivot]!);
      const free = found.findIndex((value, atom) => value !== 0 && !taken.has(atom));
      const pivot = free >= 0 ? free : found.findIndex((value) => value !== 0);
      taken.add(pivot);
      scale(found, inverse(found[pivot]!));
      leading.push({ values: found, pivot });
      subtract(rest, found, rest[pivot]!);
    }
    yield rest;
  }
}

/** Whether the atoms of a vector are of fewer persons than `least`. */
function restsOnFew(
  values: Float64Array,
  { atoms, sizes, persons, least }:
    & Pick<State, "atoms" | "sizes">
    & Pick<ReleasedOptions, "persons" | "least">,
): boolean {
  let most = 0;
  for (let atom = 0; atom < values.length; atom++) if (values[atom] !== 0) most += sizes[atom]!;
  if (most < least || !persons) return most < least;
  const found = new Set<number>();
  for (let row = 0; row < atoms.length; row++) {
    if (values[atoms[row]!] === 0) continue;
    found.add(persons[row]!);
    if (found.size >= least) return false;
  }
  return true;
}

/** The atoms that come of dividing these by cells, and of which each is a part. */
function refine(atoms: Int32Array, cells: Int32Array) {
  const known = new Map<number, number>();
  const parents: number[] = [];
  const found = new Int32Array(atoms.length);
  let width = 1;
  for (const cell of cells) if (cell >= width) width = cell + 1;
  for (let row = 0; row < atoms.length; row++) {
    const key = (atoms[row]! + 1) * (width + 1) + Math.max(-1, cells[row]!) + 1;
    let atom = known.get(key);
    if (atom === undefined) {
      known.set(key, atom = parents.length);
      parents.push(atoms[row]!);
    }
    found[row] = atom;
  }
  return { atoms: found, parents };
}

/** The persons of each group of rows; of a row below 0 nothing is counted. */
export function sizesOf(
  groups: Int32Array,
  count: number,
  persons: Int32Array | undefined,
): Int32Array {
  const sizes = new Int32Array(count);
  if (!persons) {
    for (const group of groups) if (group >= 0) sizes[group]!++;
    return sizes;
  }
  const seen = new Set<number>();
  for (let row = 0; row < groups.length; row++) {
    const group = groups[row]!;
    if (group < 0) continue;
    const key = persons[row]! * count + group;
    if (seen.has(key)) continue;
    seen.add(key);
    sizes[group]!++;
  }
  return sizes;
}

// -- modulo the prime

function subtract(from: Float64Array, values: Float64Array, times: number): void {
  if (times === 0) return;
  for (let i = 0; i < from.length; i++) {
    const found = (from[i]! - times * values[i]!) % PRIME;
    from[i] = found < 0 ? found + PRIME : found;
  }
}

function scale(values: Float64Array, by: number): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * by % PRIME;
}

/** By Fermat: the power of the prime less two. */
function inverse(value: number): number {
  let [result, base] = [1, value];
  for (let power = PRIME - 2; power > 0; power = Math.floor(power / 2)) {
    if (power % 2 === 1) result = result * base % PRIME;
    base = base * base % PRIME;
  }
  return result;
}
