import type { Collaboration } from "../../../../shared/contract/collaboration.ts";
import { mayCollaboration, type Principal } from "../../../../shared/contract/permissions.ts";
import { mayAddOrganization } from "../../../../shared/contract/place_permissions.ts";
import { Plain } from "../../parts/plain.tsx";
import { client, may } from "../../session/session.ts";
import { administration } from "../../texts/administration.ts";
import { Fact, Facts, ListLink } from "../facts.tsx";
import { type FieldDescription, idsOf, textOf, tickOf } from "../form_values.ts";
import { Members } from "../members.tsx";
import { holding, membersOf, organizationOptions } from "../names.ts";
import { type Noun, PER_PAGE } from "../noun.ts";

const words = administration.nouns.collaborations;
const labels = words.fields;

const OWN: FieldDescription[] = [
  { kind: "text", name: "name", label: labels.name, required: true },
  { kind: "tick", name: "encrypted", label: labels.encrypted, help: words.encryptedHelp },
];

function encryptionWord({ encrypted }: Collaboration): string {
  return encrypted ? words.isEncrypted : words.isPlain;
}

export const collaborations: Noun<Collaboration> = {
  path: "collaborations",
  words,
  isShown: () => may("collaboration:VIEW"),
  titleOf: ({ name }) => name,
  list: ({ page, search, filters, signal }) =>
    client.collaborations.list({
      name: holding(search),
      encrypted: filters.encrypted,
      include: "organizations",
      sort: "name",
    }, { signal, perPage: PER_PAGE }).page(page),
  get: (id, signal) => client.collaborations.get(id, { organizations: true, signal }),
  columns: [
    { label: labels.name, show: ({ name }) => <Plain text={name} /> },
    { label: labels.encrypted, show: encryptionWord },
    {
      label: labels.organization_ids,
      show: (one) => membersOf(one).length,
    },
  ],
  filters: [{
    kind: "choice",
    name: "encrypted",
    label: labels.encrypted,
    options: [
      { value: "", text: administration.list.all },
      { value: "true", text: words.isEncrypted },
      { value: "false", text: words.isPlain },
    ],
  }],
  create: {
    may: (who) => who.rules.includes("collaboration:CREATE:GLOBAL"),
    form: () => ({
      fields: [...OWN, {
        kind: "choices",
        name: "organization_ids",
        label: labels.organization_ids,
        options: (_values, signal) => organizationOptions(signal),
      }],
      initial: { encrypted: true, organization_ids: [] },
      send: async (values, idempotencyKey) =>
        (await client.collaborations.create({
          name: textOf(values, "name"),
          encrypted: tickOf(values, "encrypted"),
          organization_ids: idsOf(values, "organization_ids"),
        }, { idempotencyKey })).id,
    }),
  },
  change: {
    may: (who, { id }) => mayCollaboration(who, "collaboration:EDIT", id),
    form: (_who, before) => ({
      fields: OWN,
      initial: { name: before.name, encrypted: before.encrypted },
      async send(values) {
        await client.collaborations.change(before.id, {
          name: textOf(values, "name"),
          encrypted: tickOf(values, "encrypted"),
        });
        return before.id;
      },
    }),
  },
  remove: {
    may: (who, { id }) => mayCollaboration(who, "collaboration:DELETE", id),
    send: ({ id }, { dependents }) => client.collaborations.delete(id, { dependents }),
  },
  Details: ({ item, who, again }) => {
    const query = { collaboration_id: item.id };
    return (
      <>
        <Facts>
          <Fact label={labels.encrypted}>{encryptionWord(item)}</Fact>
        </Facts>
        <Members
          members={membersOf(item)}
          goesAlong={words.memberGoesAlong}
          candidates={mayCollaboration(who, "collaboration:EDIT", item.id)
            ? (signal) => candidatesFor(who, item.id, signal)
            : undefined}
          add={(id) => client.collaborations.addOrganization(item.id, id)}
          remove={(id) => client.collaborations.removeOrganization(item.id, id)}
          onChanged={again}
        />
        <p class="ways">
          {may("study:VIEW") && (
            <ListLink path="studies" query={query} label={administration.nouns.studies.many} />
          )}
          {may("node:VIEW") && (
            <ListLink path="nodes" query={query} label={administration.nouns.nodes.many} />
          )}
          <ListLink
            path="algorithm-stores"
            query={query}
            label={administration.nouns.algorithmStores.many}
          />
        </p>
      </>
    );
  },
};

async function candidatesFor(who: Principal, id: number, signal: AbortSignal) {
  const all = await organizationOptions(signal);
  return all.filter(({ value }) => mayAddOrganization(who, id, Number(value)));
}
