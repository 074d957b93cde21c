-- Use per file, subject and day: secrets, keys and certificates that were read or worked with, and the Entra principals
-- that called. A call without a token, as clients make first, is nobody's.
with

calls as (
    select
        log.*,
        {{ instant('time') }} as event_at,
        {{ key_vault_succeeded() }} as succeeded,
        uses.vendor_action is not null as is_use
    from {{ evidence_records('azure_key_vault', 'audit_event') }} as log
    left join {{ vendor_uses('azure_key_vault', 'audit_event') }} as uses
        on {{ vendor_word('log.operation_name') }} = uses.vendor_action
),

subjects as (
    select sha256, record_number, event_at, succeeded, 'azure_key_vault' as system, cast(null as varchar) as account_id,
        {{ key_vault_object("coalesce(nullif(object_id_uri, ''), request_uri)") }} as credential_id,
        {{ key_vault_version('object_id_uri', 'request_uri') }} as version_id
    from calls
    where is_use
    union all
    select sha256, record_number, event_at, succeeded, 'entra', lower(nullif(caller_object_id, '')), null, null
    from calls
),

labelled as (
    select
        *,
        'azure_key_vault' as source_system,
        'audit_event' as source_feed,
        cast(null as bigint) as version
    from subjects
    where account_id is not null or credential_id is not null
)

{{ usage_per_day('labelled', ['source_system', 'source_feed', 'system', 'account_id', 'credential_id', 'version', 'version_id']) }}
