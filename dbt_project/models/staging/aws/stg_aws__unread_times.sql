-- Times in AWS's inventories that are there and can't be read.
select * from {{ unread_times('aws', 'credential_report', evidence_records('aws', 'credential_report'), [
    'user_creation_time', 'password_last_used', 'access_key_1_last_rotated', 'access_key_1_last_used_date',
    'access_key_2_last_rotated', 'access_key_2_last_used_date', 'cert_1_last_rotated', 'cert_2_last_rotated',
]) }}
union all
select * from {{ unread_times('aws', 'account_authorization_details', evidence_records('aws', 'account_authorization_details'), [
    'create_date', 'role_last_used',
]) }}
union all
select * from {{ unread_times('aws', 'secretsmanager_list_secrets', evidence_records('aws', 'secretsmanager_list_secrets'), [
    'created_date', 'last_changed_date', 'last_accessed_date',
]) }}
