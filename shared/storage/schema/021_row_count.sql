-- How many rows the tables of long lists have, so that a list of everything need not count them each time. Every
-- change adds a row with its difference: nobody waits for anybody. Now and then the differences are added up.
--
-- A service names its tables with `keep_row_count` in a migration of its own. What services had for this before is
-- replaced: the counts are taken anew then.

drop table if exists row_count;
drop function if exists count_rows() cascade;

create table row_count (
  table_name text not null,
  -- The value of the column that the table's rows are grouped by; null where they are counted as a whole.
  group_id integer,
  rows bigint not null
);
create index row_count_place on row_count (table_name, group_id);

-- Has the rows of a table counted, from now on and those it has; by the values of an integer column, if one is named.
create function keep_row_count(counted text, grouped_by text default null) returns void
language plpgsql set search_path from current as $outer$
declare
  group_id text := coalesce(quote_ident(grouped_by), 'null::integer');
begin
  -- One function for each table: its statements are planned once.
  execute format($function$
    create function %1$I() returns trigger language plpgsql set search_path from current as $$
    begin
      if tg_op = 'TRUNCATE' then
        delete from row_count where table_name = %2$L;
        return null;
      end if;
      insert into row_count
      select %2$L, %3$s, case tg_op when 'INSERT' then count(*) else -count(*) end
      from changed group by 2;
      if random() < 0.02 then
        -- Rows that another transaction is adding up are skipped, not waited for.
        with own as (
          select ctid from row_count where table_name = %2$L for update skip locked
        ), gone as (
          delete from row_count where ctid in (select ctid from own) returning group_id, rows
        )
        insert into row_count
        select %2$L, group_id, sum(rows) from gone group by group_id having sum(rows) <> 0;
      end if;
      return null;
    end $$
  $function$, 'count_' || counted, counted, group_id);
  execute format($triggers$
    create trigger %1$I after insert on %4$I
      referencing new table as changed for each statement execute function %5$I();
    create trigger %2$I after delete on %4$I
      referencing old table as changed for each statement execute function %5$I();
    create trigger %3$I after truncate on %4$I for each statement execute function %5$I();
    insert into row_count select %6$L, %7$s, count(*) from %4$I group by 2;
  $triggers$, counted || '_inserted', counted || '_deleted', counted || '_truncated', counted,
    'count_' || counted, counted, group_id);
end $outer$;
