/**
 * Who there is, and what they may do: organizations, users, roles, rules.
 * @module
 */
import { z } from "zod";
import {
  type newOrganization,
  type Organization,
  organization,
  type organizationChanges,
  type organizationList,
} from "../../../shared/contract/organization.ts";
import {
  type newRole,
  role,
  type roleChanges,
  type roleList,
} from "../../../shared/contract/role.ts";
import { rule, type ruleList } from "../../../shared/contract/rule.ts";
import {
  type newUser,
  user,
  type userChanges,
  type userList,
} from "../../../shared/contract/user.ts";
import type { Calls } from "../calls.ts";
import type { Filters, List, ListOptions } from "../lists.ts";
import { type CallSettings, type DeleteOptions, dependentsOf, nounParts } from "./noun.ts";

/** `look` is shown every organization, for its key. */
export function organizations(calls: Calls, look: (shown: Organization) => Promise<void>) {
  const parts = nounParts(calls, "/organization", organization);

  async function seen(one: Organization): Promise<Organization> {
    await look(one);
    return one;
  }

  async function* eachSeen(list: AsyncIterable<Organization>) {
    for await (const one of list) yield await seen(one);
  }

  async function allSeen<T extends Organization[]>(items: T): Promise<T> {
    for (const one of items) await look(one);
    return items;
  }

  return {
    list(
      filters?: Filters<typeof organizationList>,
      options?: ListOptions,
    ): List<Organization> {
      const list = parts.list(filters, options);
      return {
        [Symbol.asyncIterator]: () => eachSeen(list),
        all: async () => await allSeen(await list.all()),
        async first() {
          const one = await list.first();
          return one && await seen(one);
        },
        async page(number) {
          const page = await list.page(number);
          return { ...page, items: await allSeen(page.items) };
        },
      };
    },
    get: async (id: number, options?: CallSettings) =>
      await seen(await parts.get(id, undefined, options)),
    create: (body: z.input<typeof newOrganization>, options?: CallSettings) =>
      parts.create(body, organization, options),
    /** The public key is changed by the organization's own members alone. */
    change: (id: number, body: z.input<typeof organizationChanges>, options?: CallSettings) =>
      parts.change(id, body, options),
    delete: (id: number, options?: DeleteOptions) =>
      parts.delete(id, dependentsOf(options), options),
  };
}

export function users(calls: Calls) {
  const parts = nounParts(calls, "/user", user);
  return {
    list: (filters?: Filters<typeof userList>, options?: ListOptions) =>
      parts.list(filters, options),
    /** With `permissions` also by which roles and rules. */
    get: (id: number, { permissions, ...rest }: CallSettings & { permissions?: boolean } = {}) =>
      parts.get(id, { include_permissions: permissions || undefined }, rest),
    create: (body: z.input<typeof newUser>, options?: CallSettings) =>
      parts.create(body, user, options),
    /** One's own address with `current_password` only. */
    change: (id: number, body: z.input<typeof userChanges>, options?: CallSettings) =>
      calls.json("PATCH", `/user/${id}`, user, {
        ...options,
        body,
        proves: typeof body.current_password === "string",
      }),
    delete: (id: number, options?: DeleteOptions) =>
      parts.delete(id, dependentsOf(options), options),
  };
}

export function roles(calls: Calls) {
  const parts = nounParts(calls, "/role", role);
  const rulesOf = z.array(rule);
  return {
    list: (filters?: Filters<typeof roleList>, options?: ListOptions) =>
      parts.list(filters, options),
    get: (id: number, options?: CallSettings) => parts.get(id, undefined, options),
    create: (body: z.input<typeof newRole>, options?: CallSettings) =>
      parts.create(body, role, options),
    change: (id: number, body: z.input<typeof roleChanges>, options?: CallSettings) =>
      parts.change(id, body, options),
    delete: (id: number, options?: DeleteOptions) =>
      parts.delete(id, dependentsOf(options), options),
    /** The rules that it has then. */
    addRule: (id: number, ruleId: number, options?: CallSettings) =>
      calls.json("POST", `/role/${id}/rule/${ruleId}`, rulesOf, options),
    removeRule: (id: number, ruleId: number, options?: CallSettings) =>
      calls.json("DELETE", `/role/${id}/rule/${ruleId}`, rulesOf, options),
  };
}

export function rules(calls: Calls) {
  const parts = nounParts(calls, "/rule", rule);
  return {
    list: (filters?: Filters<typeof ruleList>, options?: ListOptions) =>
      parts.list(filters, options),
    get: (id: number, options?: CallSettings) => parts.get(id, undefined, options),
  };
}
