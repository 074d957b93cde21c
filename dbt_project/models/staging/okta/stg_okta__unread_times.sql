-- Times in Okta's inventories that are there and can't be read.
select * from {{ unread_times('okta', 'users', evidence_records('okta', 'users'), [
    'created', 'activated', 'status_changed', 'last_login',
]) }}
union all
select * from {{ unread_times('okta', 'api_tokens', evidence_records('okta', 'api_tokens'), ['created', 'expires', 'last_used']) }}
