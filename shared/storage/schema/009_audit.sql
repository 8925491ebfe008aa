-- Every change and every refused attempt (see shared/storage/audit.ts). Rows are added, never changed or deleted.

create table audit (
  id bigint generated always as identity primary key,
  -- Whole milliseconds: what a reader is shown must find the record again.
  at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
  request_id text,
  who_kind text,
  who_id integer,
  who_organization_id integer,
  what text not null,
  object text,
  object_id integer,
  outcome text not null constraint audit_outcome check (outcome in ('done', 'refused')),
  status integer,
  code text,
  method text,
  path text,
  data jsonb
);
create index audit_at on audit (at desc, id desc);
create index audit_who on audit (who_kind, who_id, at desc);
create index audit_object on audit (object, object_id, at desc);
create index audit_request on audit (request_id);

create function audit_is_final() returns trigger language plpgsql as $$
begin
  raise exception 'audit records are final';
end $$;
create trigger audit_final before update or delete on audit
  for each statement execute function audit_is_final();
