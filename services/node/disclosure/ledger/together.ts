/**
 * What follows from several selections together. Whoever knows sums over three of them may add and
 * subtract: of two groups without a common person, and of all of both and one more, that one is
 * what is left. So a new selection must not lie near to anything that the earlier ones span.
 *
 * A selection is a vector with an entry for each person, and what somebody can compute are the
 * combinations of these vectors. The nearest one to a new selection is looked for as codes are
 * decoded with information sets (Prange 1962): a set of as many persons as there are vectors, by
 * whose entries alone the combination is known that agrees with the selection on them. The few in
 * whom the two then differ are found by every set of which none of these few is a member; of as
 * many sets without a common member as there may not be persons, there is always one. In a table of
 * few persons and many selections sets have members in common, and something may be missed.
 *
 * Entries are numbers modulo 251, which a byte holds: 1, or of a person with several rows what
 * tells apart which of them are in, of which the sum over two groups of rows is that of all of
 * them.
 * @module
 */
export const MODULUS = 251;

/** More selections than this are not taken together. */
const MOST_SELECTIONS = 500;
/** Nor more bytes of them. */
const MOST_BYTES = 64 * 2 ** 20;
/** Sets beyond those that are needed where none have a common member. */
const MORE_SETS = 5;

export interface Together {
  /**
   * The few persons, fewer than the least, in whom the selection differs from something that
   * follows from those before, in each way that was found; none where it follows from them
   * altogether.
   */
  few(one: { bytes: Uint8Array }): number[][];
  /**
   * Takes it in, unless it follows from those before; false where there is no room for it, and from
   * then on for any.
   */
  add(one: { bytes: Uint8Array }): boolean;
  /** Returns a function that forgets what was taken in from now until it is called. */
  mark(): () => void;
}

interface InformationSet {
  /** A person for each selection. */
  members: number[];
  /**
   * By selection: of which selections it is made what is 1 at its member, and 0 at those before.
   */
  weights: Uint8Array[];
  /** By selection: the entries of that at the members that came later. */
  later: number[][];
}

/**
 * Takes selections of one database together of which none may differ by fewer persons than `least`.
 */
export function createTogether(
  least: number,
  { mostSelections = MOST_SELECTIONS, mostBytes = MOST_BYTES } = {},
): Together {
  const selections: Uint8Array[] = [];
  const taken = new Set<number>();
  const sets = Array.from({ length: least + MORE_SETS }, (): InformationSet => ({
    members: [],
    weights: [],
    later: [],
  }));
  let size = 0;
  let isFull = false;
  /** What was last seen to follow from them, which need not be looked at again. */
  let following: Uint8Array | undefined;

  /** The persons in whom the entries differ from a combination, from some person on and round. */
  function* differing(bytes: Uint8Array, combination: Float64Array, from = 0) {
    const used = [...combination.keys()].filter((s) => combination[s] !== 0);
    const sum: Term[] = [
      { bytes, times: 1 },
      ...used.map((s) => ({ bytes: selections[s]!, times: -combination[s]! })),
    ];
    const length = sum.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);
    for (const [begin, end] of [[from, length], [0, Math.min(from, length)]] as const) {
      for (let person = begin; (person = nextOf(sum, person, end)) < end; person++) yield person;
    }
  }

  return {
    few({ bytes }) {
      const found = new Map<string, number[]>();
      for (const set of sets) {
        const persons: number[] = [];
        for (const person of differing(bytes, combinationAt(bytes, set))) {
          if (persons.push(person) >= least) break;
        }
        if (persons.length === 0) {
          following = bytes;
          return [];
        }
        if (persons.length < least) found.set(persons.join(), persons);
      }
      return [...found.values()];
    },
    add({ bytes }) {
      if (isFull) return false;
      if (bytes === following) return true;
      const known = combinationAt(bytes, sets[0]!);
      if (differing(bytes, known).next().done) return true;
      isFull = selections.length >= mostSelections || size + bytes.length > mostBytes;
      if (isFull) return false;
      const ways = sets.map((set, i) => {
        const combination = combinationAt(bytes, set);
        // Each begins elsewhere, so that they have few members in common.
        const from = Math.floor(bytes.length * i / sets.length);
        let member: number | undefined;
        for (const person of differing(bytes, combination, from)) {
          member ??= person;
          if (taken.has(person)) continue;
          member = person;
          break;
        }
        taken.add(member!);
        return { set, combination, member: member! };
      });
      for (const { set, combination, member } of ways) {
        const entries = selections.map((one) => entry(one, member));
        // Where groups have few persons in common, the member is in few of them.
        const having = [...entries.keys()].filter((s) => entries[s] !== 0);
        let at = entry(bytes, member);
        for (const s of having) at -= combination[s]! * entries[s]!;
        const once = inverse(positive(at));
        for (const [t, weights] of set.weights.entries()) {
          let value = 0;
          for (const s of having) {
            if (s > t) break;
            value += weights[s]! * entries[s]!;
          }
          set.later[t]![set.members.length] = value % MODULUS;
        }
        set.members.push(member);
        set.weights.push(Uint8Array.from([
          ...combination.map((times) => positive(-times * once)),
          once,
        ]));
        set.later.push([]);
      }
      selections.push(bytes);
      size += bytes.length;
      return true;
    },
    mark() {
      const kept = selections.length;
      return () => {
        following = undefined;
        isFull = false;
        selections.length = kept;
        size = selections.reduce((sum, { length }) => sum + length, 0);
        taken.clear();
        for (const { members, weights, later } of sets) {
          members.length = weights.length = later.length = kept;
          for (const entries of later) entries.length = Math.min(entries.length, kept);
          for (const member of members) taken.add(member);
        }
      };
    },
  };
}

/** Entries, so many times. */
interface Term {
  bytes: Uint8Array;
  times: number;
}

/**
 * The first person from one on, below another, of whom a sum is not 0; else the other. Most of what
 * a decision takes is in these loops.
 */
function nextOf(sum: readonly Term[], from: number, to: number): number {
  const [{ bytes }] = sum as [Term, ...Term[]];
  if (sum.length === 1) {
    const end = Math.min(to, bytes.length);
    for (let person = from; person < end; person++) {
      if (bytes[person] !== 0 && bytes[person]! % MODULUS !== 0) return person;
    }
    return to;
  }
  // Some persons at a time, list by list, and more each time: most differ soon.
  let size = 4;
  for (let begin = from; begin < to;) {
    const end = Math.min(to, begin + size);
    rests.fill(0, 0, end - begin);
    for (const { bytes, times } of sum) {
      // What is beyond the end of a list is 0.
      const last = Math.min(end, bytes.length);
      for (let person = begin; person < last; person++) {
        rests[person - begin]! += times * bytes[person]!;
      }
    }
    for (let person = begin; person < end; person++) {
      const rest = rests[person - begin]!;
      if (rest !== 0 && rest % MODULUS !== 0) return person;
    }
    begin = end;
    size = Math.min(4 * size, rests.length);
  }
  return to;
}

/** Room for sums of some persons; of so few terms they are whole numbers of 32 bits. */
const rests = new Int32Array(8192);

/** How often each selection is in what agrees with these entries on the set's members. */
function combinationAt(bytes: Uint8Array, { members, weights, later }: InformationSet) {
  const found = new Float64Array(members.length);
  const used: { times: number; later: number[] }[] = [];
  for (const [i, member] of members.entries()) {
    let rest = entry(bytes, member);
    for (const { times, later } of used) rest -= times * later[i]!;
    const times = positive(rest);
    if (times === 0) continue;
    used.push({ times, later: later[i]! });
    for (let s = 0; s <= i; s++) found[s] = (found[s]! + times * weights[i]![s]!) % MODULUS;
  }
  return found;
}

function entry(bytes: Uint8Array, person: number): number {
  return person < bytes.length ? bytes[person]! % MODULUS : 0;
}

function positive(value: number): number {
  const rest = value % MODULUS;
  return rest < 0 ? rest + MODULUS : rest;
}

/** By Fermat: the power of the modulus, which is a prime, less two. */
function inverse(value: number): number {
  let found = 1;
  for (let power = 0; power < MODULUS - 2; power++) found = found * value % MODULUS;
  return found;
}
