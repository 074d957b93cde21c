-- What Okta users did, per file, user and day. Ending a session is no use.
with

actions as (
    select
        sha256,
        record_number,
        'okta' as source_system,
        'system_log' as source_feed,
        'okta' as system,
        actor_id as account_id,
        cast(null as varchar) as credential_id,
        cast(null as bigint) as version,
        {{ instant('published') }} as event_at,
        coalesce(outcome_result, 'SUCCESS') in ('SUCCESS', 'ALLOW') as succeeded
    from {{ evidence_records('okta', 'system_log') }}
    where actor_type = 'User' and actor_id is not null
        and event_type not in ('user.session.end', 'user.session.clear', 'user.authentication.slo')
)

{{ usage_per_day('actions', ['source_system', 'source_feed', 'system', 'account_id', 'credential_id', 'version']) }}
