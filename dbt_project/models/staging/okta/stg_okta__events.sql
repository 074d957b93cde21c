-- What happened to Okta users. The target is picked by its type, never by its place in the list.
with

lifecycle as (
    select
        *,
        list_filter(targets, target -> target.type = 'User')[1] as subject,
        case event_type
            when 'user.lifecycle.activate' then 'account_enabled'
            when 'user.lifecycle.reactivate' then 'account_enabled'
            when 'user.lifecycle.unsuspend' then 'account_enabled'
            when 'user.lifecycle.suspend' then 'account_disabled'
            when 'user.lifecycle.deactivate' then 'account_disabled'
            when 'user.lifecycle.delete.initiated' then 'account_deleted'
            when 'user.lifecycle.delete.completed' then 'account_deleted'
            when 'user.lifecycle.delete' then 'account_deleted'
        end as action
    from {{ evidence_records('okta', 'system_log') }}
    where event_type like 'user.lifecycle.%' and coalesce(outcome_result, 'SUCCESS') = 'SUCCESS'
)

select
    sha256,
    record_number,
    'okta' as source_system,
    'system_log' as source_feed,
    'okta' as system,
    uuid as event_id,
    {{ instant('published') }} as occurred_at,
    3001 as ocsf_class,
    action,
    subject.id as account_id,
    subject.alternate_id as account_name,
    cast(null as varchar) as account_scope,
    cast(null as varchar) as credential_id,
    cast(null as varchar) as credential_type,
    cast(null as bigint) as version,
    actor_id
from lifecycle
where action is not null and subject.id is not null
