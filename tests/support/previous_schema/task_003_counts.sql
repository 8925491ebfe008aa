-- How many tasks and results each collaboration has, so that a page of a long list need not count them each time.
-- Every change adds a row with its difference: nobody waits for anybody. Now and then the differences are added up.

-- The task's own, kept here for lists of results; the task is gone already when its results go with it.
alter table result add column task_collaboration_id integer;
update result set task_collaboration_id = task.collaboration_id from task where task.id = task_id;
create function copy_collaboration() returns trigger language plpgsql set search_path from current as $$
begin
  select collaboration_id into new.task_collaboration_id from task where id = new.task_id;
  return new;
end $$;
create trigger result_collaboration before insert on result
  for each row execute function copy_collaboration();
alter table result alter column task_collaboration_id set not null;
create index result_collaboration on result (task_collaboration_id, id);

create table row_count (
  table_name text not null,
  collaboration_id integer not null,
  rows bigint not null
);
create index row_count_place on row_count (table_name, collaboration_id);

create function count_rows() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_table_name = 'task' then
    insert into row_count
    select 'task', collaboration_id, case tg_op when 'INSERT' then count(*) else -count(*) end
    from changed group by collaboration_id;
  else
    insert into row_count
    select 'result', task_collaboration_id, case tg_op when 'INSERT' then count(*) else -count(*) end
    from changed group by task_collaboration_id;
  end if;
  if random() < 0.02 then
    -- Rows that another transaction is adding up are skipped, not waited for.
    with own as (
      select ctid from row_count where table_name = tg_table_name for update skip locked
    ), gone as (
      delete from row_count where ctid in (select ctid from own) returning collaboration_id, rows
    )
    insert into row_count
    select tg_table_name, collaboration_id, sum(rows) from gone group by collaboration_id
    having sum(rows) <> 0;
  end if;
  return null;
end $$;

create trigger task_inserted after insert on task
  referencing new table as changed for each statement execute function count_rows();
create trigger task_deleted after delete on task
  referencing old table as changed for each statement execute function count_rows();
create trigger result_inserted after insert on result
  referencing new table as changed for each statement execute function count_rows();
create trigger result_deleted after delete on result
  referencing old table as changed for each statement execute function count_rows();
insert into row_count select 'task', collaboration_id, count(*) from task group by collaboration_id;
insert into row_count
select 'result', task_collaboration_id, count(*) from result group by task_collaboration_id;
