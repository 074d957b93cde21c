-- What users and service accounts asked of the cluster, per file, account, credential and day. Who impersonates is who
-- used their account; nobody is behind system:anonymous.
with

actions as (
    select
        sha256,
        record_number,
        'kubernetes' as source_system,
        'audit_log' as source_feed,
        'kubernetes' as system,
        user_name as account_id,
        case when json_type(credential_ids) = 'ARRAY' then credential_ids ->> '$[0]' else credential_ids ->> '$' end as credential_id,
        cast(null as bigint) as version,
        {{ instant('occurred_at', feed='kubernetes/audit_log') }} as event_at,
        coalesce(try_cast(response_code as integer), 200) < 400 and {{ gke_succeeded() }} as succeeded
    from {{ evidence_records('kubernetes', 'audit_log') }}
    where coalesce(stage, 'ResponseComplete') = 'ResponseComplete' and user_name <> 'system:anonymous'
)

{{ usage_per_day('actions', ['source_system', 'source_feed', 'system', 'account_id', 'credential_id', 'version']) }}
