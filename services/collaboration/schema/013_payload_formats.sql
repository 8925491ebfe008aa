-- The formats of encrypted payloads that a node's agent reads, as it says at each log-in; a program
-- that says nothing reads v6's alone. Unlike what a node shares of its configuration this outlives
-- its connection: others write to it while it is away.
alter table node add column payload_formats text[] not null default '{}';

-- A new key is for an agent that has not spoken yet.
create function forget_payload_formats() returns trigger language plpgsql as $$
begin
  new.payload_formats := '{}';
  return new;
end $$;
create trigger node_key_changed before update of api_key_sha256 on node
  for each row execute function forget_payload_formats();
