import type { AlgorithmStore } from "../../../../shared/contract/algorithm_store.ts";
import {
  mayCollaboration,
  type Principal,
  scopesOf,
} from "../../../../shared/contract/permissions.ts";
import { Plain } from "../../parts/plain.tsx";
import { client, may } from "../../session/session.ts";
import { administration } from "../../texts/administration.ts";
import { Fact, Facts, RecordLink } from "../facts.tsx";
import {
  type FieldDescription,
  givenText,
  idOf,
  textOf,
  tickOf,
  type Values,
} from "../form_values.ts";
import { collaborationNames, collaborationOptions, holding } from "../names.ts";
import { type Noun, PER_PAGE } from "../noun.ts";

const words = administration.nouns.algorithmStores;
const labels = words.fields;

type ShownStore = AlgorithmStore & { collaborationId: number | null; collaborationName: string };

/** The API names the collaboration by the address of a list: `…?algorithm_store_id=3`. */
async function withPlaces(stores: AlgorithmStore[], signal: AbortSignal): Promise<ShownStore[]> {
  const nameOf = await collaborationNames(signal);
  return await Promise.all(stores.map(async (store) => {
    if (store.collaborations === null) {
      return { ...store, collaborationId: null, collaborationName: words.all };
    }
    const one = await client.collaborations
      .list({ algorithm_store_id: store.id }, { signal }).first();
    const collaborationName = one ? nameOf(one.id) : "";
    return { ...store, collaborationId: one?.id ?? 0, collaborationName };
  }));
}

/** Of which collaborations somebody may edit the stores. */
async function placesFor(who: Principal, signal: AbortSignal) {
  const own = (await collaborationOptions(signal)).filter(({ value }) =>
    mayCollaboration(who, "collaboration:EDIT", Number(value))
  );
  const everywhere = mayCollaboration(who, "collaboration:EDIT", null);
  return everywhere ? [{ value: "all", text: words.all }, ...own] : own;
}

function placeField(who: Principal): FieldDescription {
  return {
    kind: "choice",
    name: "collaboration_id",
    label: labels.collaboration_id,
    required: true,
    options: (_values, signal) => placesFor(who, signal),
  };
}

function placeOf(values: Values): number | null | undefined {
  return textOf(values, "collaboration_id") === "all" ? null : idOf(values, "collaboration_id");
}

const NAME: FieldDescription = { kind: "text", name: "name", label: labels.name, required: true };

export const algorithmStores: Noun<ShownStore> = {
  path: "algorithm-stores",
  words,
  isShown: () => may("collaboration:VIEW"),
  titleOf: ({ name }) => name,
  async list({ page, search, filters, signal }) {
    const { items, ...rest } = await client.algorithmStores.list({
      name: holding(search),
      collaboration_id: filters.collaboration_id,
    }, { signal, perPage: PER_PAGE }).page(page);
    return { items: await withPlaces(items, signal), ...rest };
  },
  async get(id, signal) {
    return (await withPlaces([await client.algorithmStores.get(id, { signal })], signal))[0]!;
  },
  columns: [
    { label: labels.name, show: ({ name }) => <Plain text={name} /> },
    { label: labels.algorithm_store_url, show: ({ url }) => <Plain text={url} /> },
    {
      label: labels.collaboration_id,
      show: ({ collaborationName }) => <Plain text={collaborationName} />,
    },
  ],
  filters: [{
    kind: "choice",
    name: "collaboration_id",
    label: labels.collaboration_id,
    options: async (_values, signal) => [
      { value: "", text: administration.list.all },
      ...await collaborationOptions(signal),
    ],
  }],
  create: {
    may: (who) => scopesOf(who, "collaboration:EDIT").size > 0,
    form: (who) => ({
      fields: [
        NAME,
        {
          kind: "text",
          name: "algorithm_store_url",
          label: labels.algorithm_store_url,
          type: "url",
          required: true,
        },
        placeField(who),
        {
          kind: "text",
          name: "server_url",
          label: labels.server_url,
          help: words.serverUrlHelp,
          type: "url",
        },
        { kind: "tick", name: "force", label: labels.force, help: words.forceHelp },
      ],
      initial: {},
      send: async (values, idempotencyKey) =>
        (await client.algorithmStores.link({
          name: textOf(values, "name"),
          algorithm_store_url: textOf(values, "algorithm_store_url"),
          server_url: givenText(values, "server_url"),
          collaboration_id: placeOf(values),
          force: tickOf(values, "force"),
        }, { idempotencyKey })).id,
    }),
  },
  change: {
    may: (who, { collaborationId }) => mayCollaboration(who, "collaboration:EDIT", collaborationId),
    form: (who, before) => ({
      fields: [NAME, placeField(who)],
      initial: {
        name: before.name,
        collaboration_id: before.collaborationId === null ? "all" : String(before.collaborationId),
      },
      async send(values) {
        await client.algorithmStores.change(before.id, {
          name: textOf(values, "name"),
          collaboration_id: placeOf(values),
        });
        return before.id;
      },
    }),
  },
  remove: {
    may: (who, { collaborationId }) => mayCollaboration(who, "collaboration:EDIT", collaborationId),
    send: ({ id }) => client.algorithmStores.unlink(id),
  },
  Details: ({ item }) => (
    <Facts>
      <Fact label={labels.algorithm_store_url}>
        <Plain text={item.url} />
      </Fact>
      <Fact label={labels.collaboration_id}>
        {item.collaborationId === null ? words.all : (
          <RecordLink
            path="collaborations"
            id={item.collaborationId}
            name={item.collaborationName}
          />
        )}
      </Fact>
    </Facts>
  ),
};
