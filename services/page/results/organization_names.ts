/**
 * Names of organizations where results have ids.
 * @module
 */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { visible } from "../parts/visible.ts";
import { texts } from "../texts.ts";

export type NameOf = (id: number) => string;

export function organizationNames(
  organizations: readonly { id: number; name: string }[],
): NameOf {
  const names = new Map(organizations.map(({ id, name }) => [id, visible(name)]));
  return (id) => names.get(id) ?? texts.results.organization(id);
}

export const NameContext = createContext<NameOf>((id) => texts.results.organization(id));

export function useNames(): NameOf {
  return useContext(NameContext);
}
