-- Log-ins. Every token names the one it came from, and is refused once that is gone.
create table session (
  id uuid primary key,
  client_type text not null constraint session_client_type check (client_type in ('user', 'node')),
  client_id integer not null,
  -- Of a node: the generation of the API key that it logged in with.
  key_generation integer,
  begun_at timestamptz not null default now(),
  -- Later with each refresh.
  expires_at timestamptz not null,
  -- The addresses it was used from, the newest last.
  networks text[] not null default '{}'
);
create index session_client on session (client_type, client_id);
create index session_expiry on session (expires_at);

-- Log-ins from before end with this: their tokens do not say which one they are of.
drop table refresh_token;
