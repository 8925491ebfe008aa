-- Creates that may be repeated (see shared/storage/idempotency.ts). Nothing in a row can be read without the client's key.
-- The table that task had before this one held keys and answers in the clear. They are forgotten.
drop table if exists idempotency;
create table idempotency (
  caller text not null,
  key_digest bytea not null,
  request_mac bytea not null,
  answer bytea, -- encrypted; null only inside the transaction of the work
  created_at timestamptz not null default now(),
  constraint idempotency_once primary key (caller, key_digest)
);
create index idempotency_age on idempotency (created_at);
