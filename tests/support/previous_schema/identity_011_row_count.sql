-- How many rows the tables of long lists have, so that a list of everything need not count them each time. Every
-- change adds a row with its difference: nobody waits for anybody. Now and then the differences are added up.

create table row_count (
  table_name text not null,
  rows bigint not null
);

create function count_rows() returns trigger language plpgsql set search_path from current as $$
declare
  difference bigint;
begin
  if tg_op = 'TRUNCATE' then
    delete from row_count where table_name = tg_table_name;
    return null;
  end if;
  select case tg_op when 'INSERT' then count(*) else -count(*) end into difference from changed;
  if difference <> 0 then
    insert into row_count values (tg_table_name, difference);
  end if;
  if random() < 0.02 then
    -- Rows that another transaction is adding up are skipped, not waited for.
    with own as (
      select ctid from row_count where table_name = tg_table_name for update skip locked
    ), gone as (
      delete from row_count where ctid in (select ctid from own) returning rows
    )
    insert into row_count select tg_table_name, sum(rows) from gone having count(*) > 0;
  end if;
  return null;
end $$;

create trigger organization_inserted after insert on organization
  referencing new table as changed for each statement execute function count_rows();
create trigger organization_deleted after delete on organization
  referencing old table as changed for each statement execute function count_rows();
create trigger organization_truncated after truncate on organization
  for each statement execute function count_rows();
insert into row_count select 'organization', count(*) from organization;

create trigger user_inserted after insert on "user"
  referencing new table as changed for each statement execute function count_rows();
create trigger user_deleted after delete on "user"
  referencing old table as changed for each statement execute function count_rows();
create trigger user_truncated after truncate on "user"
  for each statement execute function count_rows();
insert into row_count select 'user', count(*) from "user";

create trigger role_inserted after insert on role
  referencing new table as changed for each statement execute function count_rows();
create trigger role_deleted after delete on role
  referencing old table as changed for each statement execute function count_rows();
create trigger role_truncated after truncate on role
  for each statement execute function count_rows();
insert into row_count select 'role', count(*) from role;
