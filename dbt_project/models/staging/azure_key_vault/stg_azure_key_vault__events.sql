-- Versions and deletions of Key Vault's secrets, keys and certificates. The HTTP status tells whether a call succeeded.
-- Records have no id of their own: the hash of the record is it.
with

calls as (
    select
        log.*,
        meanings.action,
        -- A restore is called without a name (/secrets/restore): what came back is known by its id alone.
        case when meanings.vendor_action not like '%restore' then request_uri end as named_uri
    from {{ evidence_records('azure_key_vault', 'audit_event') }} as log
    inner join {{ vendor_actions('azure_key_vault', 'audit_event') }} as meanings
        on {{ vendor_word('log.operation_name') }} = meanings.vendor_action
    where {{ key_vault_succeeded() }}
),

named as (
    select
        *,
        {{ key_vault_object("coalesce(nullif(object_id_uri, ''), named_uri)") }} as credential_id,
        {{ key_vault_version('object_id_uri', 'named_uri') }} as version_id
    from calls
)

select
    sha256,
    record_number,
    'azure_key_vault' as source_system,
    'audit_event' as source_feed,
    'azure_key_vault' as system,
    record_hash as event_id,
    {{ instant('time') }} as occurred_at,
    3004 as ocsf_class,
    action,
    cast(null as varchar) as account_id,
    cast(null as varchar) as account_name,
    cast(null as varchar) as account_scope,
    credential_id,
    'key_vault_' || rtrim(split_part(credential_id, '/', 4), 's') as credential_type,
    cast(null as bigint) as version,
    case when action = 'version_created' then version_id end as version_id,
    coalesce(nullif(caller_object_id, ''), nullif(caller_upn, ''), nullif(caller_app_id, '')) as actor_id
from named
where credential_id is not null
