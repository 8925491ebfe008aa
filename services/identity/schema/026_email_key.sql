-- Addresses are compared without regard to case. Where several users have the same one but for that, one of them (who
-- writes it in small letters, else who was there first) is found by it however it is written; the others, as before, by
-- their own spelling alone. identity says at its start who they are.
alter table "user" add column email_key text;
with placed as (
  select id,
    row_number() over (partition by lower(email) order by email = lower(email) desc, id) as place
  from "user" where email is not null
)
update "user" set email_key = case when place = 1 then lower(email) else email end
from placed where placed.id = "user".id;
alter table "user"
  drop constraint user_email_unique,
  add constraint user_email_unique unique (email_key);

create function set_email_key() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' or new.email is distinct from old.email then
    new.email_key := lower(new.email);
  end if;
  return new;
end $$;
create trigger user_email_key before insert or update of email on "user"
  for each row execute function set_email_key();
