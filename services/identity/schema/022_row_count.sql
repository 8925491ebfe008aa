select keep_row_count('organization');
select keep_row_count('user');
select keep_row_count('role');
