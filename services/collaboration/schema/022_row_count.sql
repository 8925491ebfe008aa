select keep_row_count('collaboration');
select keep_row_count('study');
select keep_row_count('node');
