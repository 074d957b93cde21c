-- Reads of key/value secrets per file, secret, version and day. A read counts as success only when the answer
-- names the version it gave out: reading what does not exist is answered without an error.
with

reads as (
    select
        sha256,
        record_number,
        coalesce(nullif(rtrim(namespace_path, '/'), '') || '/', '')
            || regexp_extract(path, '^(.+?)/data/(.+)$', 1) || '/' || regexp_extract(path, '^(.+?)/data/(.+)$', 2)
            as credential_id,
        cast(response_read_version as bigint) as version,
        {{ instant('time') }} as event_at,
        has_error is distinct from 'true' as succeeded
    from {{ evidence_records('hashicorp_vault', 'audit_log') }}
    where type = 'response' and operation = 'read' and regexp_matches(path, '^.+?/data/.+$')
        and coalesce(mount_type, '') in ('', 'kv')
        and (response_read_version is not null or has_error = 'true')
),

labelled as (
    select
        *,
        'hashicorp_vault' as source_system,
        'audit_log' as source_feed,
        'hashicorp_vault' as system,
        cast(null as varchar) as account_id,
        'kv_secret' as credential_type
    from reads
)

{{ usage_per_day('labelled', ['source_system', 'source_feed', 'system', 'account_id', 'credential_id', 'credential_type', 'version']) }}
