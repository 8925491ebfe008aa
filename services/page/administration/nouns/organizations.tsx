import type { Organization } from "../../../../shared/contract/organization.ts";
import { mayOrganization, type Principal } from "../../../../shared/contract/permissions.ts";
import { useAsked } from "../../parts/loading.tsx";
import { Plain } from "../../parts/plain.tsx";
import { client, may } from "../../session/session.ts";
import { administration } from "../../texts/administration.ts";
import { Fact, Facts, ListLink, Text } from "../facts.tsx";
import { type FieldDescription, givenText, textOf, type Values } from "../form_values.ts";
import { holding } from "../names.ts";
import { type Noun, PER_PAGE } from "../noun.ts";
import { keyFingerprint, PublicKeyControl } from "../public_key.tsx";

const words = administration.nouns.organizations;
const { fields: labels, list } = words;

const ADDRESS = ["domain", "address1", "address2", "zipcode", "country"] as const;

function fieldsFor(withKey: boolean): FieldDescription[] {
  return [
    { kind: "text", name: "name", label: labels.name, required: true },
    ...ADDRESS.map((name) => ({ kind: "text", name, label: labels[name] }) as const),
    ...(withKey
      ? [
        {
          kind: "own",
          name: "public_key",
          label: labels.public_key,
          help: words.keyHelp,
          Control: PublicKeyControl,
        } as const,
      ]
      : []),
  ];
}

function bodyOf(values: Values) {
  const address = Object.fromEntries(ADDRESS.map((name) => [name, textOf(values, name)]));
  return { name: textOf(values, "name"), ...address };
}

/** Whoever sets the key reads what is encrypted for the organization: its own members do. */
const mayKey = (who: Principal, id: number) => who.organization_id === id;

export const organizations: Noun<Organization> = {
  path: "organizations",
  words,
  isShown: () => may("organization:VIEW"),
  titleOf: ({ name }) => name,
  list: ({ page, search, signal }) =>
    client.organizations.list({ name: holding(search), sort: "name" }, {
      signal,
      perPage: PER_PAGE,
    }).page(page),
  get: (id, signal) => client.organizations.get(id, { signal }),
  columns: [
    { label: labels.name, show: ({ name }) => <Plain text={name} /> },
    { label: labels.domain, show: ({ domain }) => <Text text={domain} /> },
    { label: labels.country, show: ({ country }) => <Text text={country} /> },
    { label: labels.public_key, show: ({ public_key }) => public_key ? list.key : list.noKey },
  ],
  create: {
    may: (who) => who.rules.includes("organization:CREATE:GLOBAL"),
    form: () => ({
      fields: fieldsFor(false),
      initial: {},
      send: async (values, idempotencyKey) =>
        (await client.organizations.create(bodyOf(values), { idempotencyKey })).id,
    }),
  },
  change: {
    may: (who, { id }) => mayOrganization(who, "organization:EDIT", id),
    form: (who, before) => ({
      fields: fieldsFor(mayKey(who, before.id)),
      initial: {
        name: before.name,
        ...Object.fromEntries(ADDRESS.map((name) => [name, before[name] ?? ""])),
        public_key: before.public_key ?? "",
      },
      async send(values) {
        const key = givenText(values, "public_key");
        const changesKey = mayKey(who, before.id) && key !== (before.public_key || undefined);
        await client.organizations.change(before.id, {
          ...bodyOf(values),
          ...(changesKey ? { public_key: key ?? "" } : {}),
        });
        return before.id;
      },
    }),
  },
  remove: {
    may: (who, { id }) =>
      mayOrganization(who, "organization:DELETE", id) && id !== who.organization_id,
    send: ({ id }, { dependents }) => client.organizations.delete(id, { dependents }),
  },
  Details: ({ item }) => {
    const { id } = item;
    const fingerprint = useAsked(() => keyFingerprint(item.public_key), [item.public_key]).value;
    return (
      <>
        <Facts>
          {ADDRESS.map((name) => (
            <Fact key={name} label={labels[name]}>
              <Text text={item[name]} />
            </Fact>
          ))}
          <Fact label={labels.public_key}>
            {item.public_key ? <code>{fingerprint}</code> : list.noKey}
          </Fact>
        </Facts>
        <p class="ways">
          {may("user:VIEW") && (
            <ListLink
              path="users"
              query={{ organization_id: id }}
              label={administration.nouns.users.many}
            />
          )}
          {may("node:VIEW") && (
            <ListLink
              path="nodes"
              query={{ organization_id: id }}
              label={administration.nouns.nodes.many}
            />
          )}
        </p>
      </>
    );
  },
};
