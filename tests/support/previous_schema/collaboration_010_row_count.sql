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

create trigger collaboration_inserted after insert on collaboration
  referencing new table as changed for each statement execute function count_rows();
create trigger collaboration_deleted after delete on collaboration
  referencing old table as changed for each statement execute function count_rows();
create trigger collaboration_truncated after truncate on collaboration
  for each statement execute function count_rows();
insert into row_count select 'collaboration', count(*) from collaboration;

create trigger study_inserted after insert on study
  referencing new table as changed for each statement execute function count_rows();
create trigger study_deleted after delete on study
  referencing old table as changed for each statement execute function count_rows();
create trigger study_truncated after truncate on study
  for each statement execute function count_rows();
insert into row_count select 'study', count(*) from study;

create trigger node_inserted after insert on node
  referencing new table as changed for each statement execute function count_rows();
create trigger node_deleted after delete on node
  referencing old table as changed for each statement execute function count_rows();
create trigger node_truncated after truncate on node
  for each statement execute function count_rows();
insert into row_count select 'node', count(*) from node;

-- For names given as a pattern.
create index collaboration_name_pattern on collaboration (name text_pattern_ops);
create index node_name_pattern on node (name text_pattern_ops);
