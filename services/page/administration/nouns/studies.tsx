import { mayCollaboration, scopesOf } from "../../../../shared/contract/permissions.ts";
import { mayStudy, type StudyPlace } from "../../../../shared/contract/place_permissions.ts";
import type { Study } from "../../../../shared/contract/study.ts";
import { Plain } from "../../parts/plain.tsx";
import { client, may } from "../../session/session.ts";
import { administration } from "../../texts/administration.ts";
import { Fact, Facts, RecordLink } from "../facts.tsx";
import { idOf, idsOf, type Option, textOf } from "../form_values.ts";
import { Members } from "../members.tsx";
import {
  collaborationNames,
  collaborationOptions,
  holding,
  membersOf,
  optionsOf,
} from "../names.ts";
import { type Noun, PER_PAGE } from "../noun.ts";

const words = administration.nouns.studies;
const labels = words.fields;

type ShownStudy = Study & { collaborationName: string };

async function withNames(studies: Study[], signal: AbortSignal): Promise<ShownStudy[]> {
  const nameOf = await collaborationNames(signal);
  return studies.map((one) => ({ ...one, collaborationName: nameOf(one.collaboration.id) }));
}

function placeOf(study: Study): StudyPlace {
  return {
    collaboration_id: study.collaboration.id,
    organization_ids: membersOf(study).map(({ id }) => id),
  };
}

async function membersOfCollaboration(
  id: number | undefined,
  signal: AbortSignal,
): Promise<Option[]> {
  if (id === undefined) return [];
  return optionsOf(membersOf(await client.collaborations.get(id, { organizations: true, signal })));
}

export const studies: Noun<ShownStudy> = {
  path: "studies",
  words,
  isShown: () => may("study:VIEW"),
  titleOf: ({ name }) => name,
  async list({ page, search, filters, signal }) {
    const { items, ...rest } = await client.studies.list({
      name: holding(search),
      collaboration_id: filters.collaboration_id,
      include: "organizations",
    }, { signal, perPage: PER_PAGE }).page(page);
    return { items: await withNames(items, signal), ...rest };
  },
  async get(id, signal) {
    const study = await client.studies.get(id, { organizations: true, signal });
    return (await withNames([study], signal))[0]!;
  },
  columns: [
    { label: labels.name, show: ({ name }) => <Plain text={name} /> },
    {
      label: labels.collaboration_id,
      show: ({ collaborationName }) => <Plain text={collaborationName} />,
    },
    { label: labels.organization_ids, show: (one) => membersOf(one).length },
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
    may: (who) => scopesOf(who, "study:CREATE").size > 0,
    form: (who) => ({
      fields: [
        { kind: "text", name: "name", label: labels.name, required: true },
        {
          kind: "choice",
          name: "collaboration_id",
          label: labels.collaboration_id,
          required: true,
          options: async (_values, signal) =>
            (await collaborationOptions(signal)).filter(({ value }) =>
              mayCollaboration(who, "study:CREATE", Number(value))
            ),
        },
        {
          kind: "choices",
          name: "organization_ids",
          label: labels.organization_ids,
          help: words.membersHelp,
          dependsOn: ["collaboration_id"],
          options: (values, signal) =>
            membersOfCollaboration(idOf(values, "collaboration_id"), signal),
        },
      ],
      initial: { organization_ids: [] },
      send: async (values, idempotencyKey) =>
        (await client.studies.create({
          name: textOf(values, "name"),
          collaboration_id: idOf(values, "collaboration_id")!,
          organization_ids: idsOf(values, "organization_ids"),
        }, { idempotencyKey })).id,
    }),
  },
  change: {
    may: (who, study) => mayStudy(who, "study:EDIT", placeOf(study)),
    form: (_who, before) => ({
      fields: [{ kind: "text", name: "name", label: labels.name, required: true }],
      initial: { name: before.name },
      async send(values) {
        await client.studies.change(before.id, { name: textOf(values, "name") });
        return before.id;
      },
    }),
  },
  remove: {
    may: (who, study) => mayStudy(who, "study:DELETE", placeOf(study)),
    send: ({ id }, { dependents }) => client.studies.delete(id, { dependents }),
  },
  Details: ({ item, who, again }) => (
    <>
      <Facts>
        <Fact label={labels.collaboration_id}>
          <RecordLink
            path="collaborations"
            id={item.collaboration.id}
            name={item.collaborationName}
          />
        </Fact>
      </Facts>
      <Members
        members={membersOf(item)}
        goesAlong={words.memberGoesAlong}
        candidates={mayStudy(who, "study:EDIT", placeOf(item))
          ? (signal) => membersOfCollaboration(item.collaboration.id, signal)
          : undefined}
        add={(id) => client.studies.addOrganization(item.id, id)}
        remove={(id) => client.studies.removeOrganization(item.id, id)}
        onChanged={again}
      />
    </>
  ),
};
