-- Each seal carries the digest of the records since the one before it and of that seal itself (see
-- shared/storage/audit_seal.ts): a record that is changed, removed or put in later breaks the chain.

create table audit_seal (
  number bigint primary key,
  -- The last record that it covers, and how many there are since the seal before.
  last_id bigint not null,
  records integer not null,
  records_sha256 text not null,
  -- Text, because the digest is of this text.
  sealed_at text not null,
  sha256 text not null
);
create trigger audit_seal_final before update or delete on audit_seal
  for each statement execute function audit_is_final();
create trigger audit_seal_not_emptied before truncate on audit_seal
  for each statement execute function audit_is_final();
create trigger audit_not_emptied before truncate on audit
  for each statement execute function audit_is_final();
