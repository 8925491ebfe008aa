-- Second factor, recovery by mail, refresh tokens that rotate.

alter table "user"
  add column last_email_recover_two_factor_sent timestamptz,
  -- False while the address was set by somebody with fewer rights: whoever reads its mail could take the account.
  add column recoverable boolean not null default true,
  -- Time steps whose code was used: a code opens the door once.
  add column otp_used_steps bigint[] not null default '{}';
-- While there are any, a failing log-in does the work of both kinds of hash.
create index user_bcrypt on "user" (id) where password_hash like '$2%';
create index user_username_pattern on "user" (username text_pattern_ops);

-- Where failed log-ins of unknown users are counted: the same work as for known ones, to no effect.
create table stranger (
  id integer primary key,
  failed_login_attempts integer not null default 0,
  last_login_attempt timestamptz
);
insert into stranger (id) select generate_series(0, 63);

alter table refresh_token
  -- The log-in it descends from.
  add column chain uuid not null default gen_random_uuid(),
  -- When it was exchanged for the next one.
  add column used_at timestamptz;
create index refresh_token_chain on refresh_token (chain);
create index refresh_token_expiry on refresh_token (expires_at);

create table reset_token (
  sha256 text primary key,
  user_id integer not null references "user" on delete cascade,
  purpose text not null constraint reset_token_purpose check (purpose in ('password', 'two_factor')),
  expires_at timestamptz not null
);
create index reset_token_user on reset_token (user_id);
