/**
 * Lists that many principals have in common, kept once: a collaboration of ten thousand
 * organizations names all of them to each of ten thousand nodes, which was two gigabytes.
 * @module
 */
import type { Principal } from "../../../shared/contract/permissions.ts";

export interface SharedLists {
  /** The same principal, with lists that were seen before in place of equal ones. */
  in(principal: Principal): Principal;
  /** Drops all of them. */
  forget(): void;
}

export function createSharedLists(): SharedLists {
  const known = new Map<string, unknown[]>();

  function shared<T>(name: string, list: T[]): T[] {
    const earlier = known.get(name) as T[] | undefined;
    if (earlier?.length === list.length && earlier.every((one, i) => one === list[i])) {
      return earlier;
    }
    known.set(name, list);
    return list;
  }

  return {
    in(principal) {
      const { kind, rules } = principal;
      return {
        ...principal,
        // Each user has rules of its own.
        ...(kind === "user" ? {} : { rules: shared(`rules of a ${kind}`, rules) }),
        collaborations: principal.collaborations.map(({ id, organization_ids }) => ({
          id,
          organization_ids: shared(`members of ${id}`, organization_ids),
        })),
      };
    },
    forget: () => known.clear(),
  };
}
