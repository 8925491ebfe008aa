-- The Merkle tree over the audit record (RFC 9162; see shared/storage/audit_tree.ts). Of a tree only
-- the hashes of complete subtrees are kept, in tiles of 256 (after c2sp.org/tlog-tiles): at level 0
-- those of records, at level 1 those of 256 records each, and so on. A tile only grows.

create table audit_tile (
  level integer not null,
  number bigint not null,
  hashes bytea not null constraint audit_tile_hashes check (
    octet_length(hashes) % 32 = 0 and octet_length(hashes) between 32 and 256 * 32),
  primary key (level, number)
);
create function audit_tile_grows() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.level = old.level and new.number = old.number
    and substring(new.hashes from 1 for octet_length(old.hashes)) = old.hashes then
    return new;
  end if;
  raise exception 'audit records are final';
end $$;
create trigger audit_tile_grows before update or delete on audit_tile
  for each row execute function audit_tile_grows();
create trigger audit_tile_not_emptied before truncate on audit_tile
  for each statement execute function audit_is_final();

-- What the tree was at each seal. Seals of the version before have none.
create table audit_tree_head (
  seal bigint primary key,
  -- How many records it covers, and the root in base64.
  size bigint not null,
  root text not null
);
create trigger audit_tree_head_final before update or delete on audit_tree_head
  for each statement execute function audit_is_final();
create trigger audit_tree_head_not_emptied before truncate on audit_tree_head
  for each statement execute function audit_is_final();
