-- API tokens as Okta lists them. Each use moves the expiry to the end of the token's window, which tells the last use.
with

tokens as (
    select
        *,
        {{ instant('created') }} as created_at,
        {{ instant('expires') }} as expires_at,
        try_cast(regexp_extract(token_window, '^P(\d+)D', 1) as integer) as days,
        try_cast(regexp_extract(token_window, '^P[^T]*T.*?(\d+)H', 1) as integer) as hours,
        try_cast(regexp_extract(token_window, '^P[^T]*T.*?(\d+)M', 1) as integer) as minutes
    from {{ evidence_records('okta', 'api_tokens') }}
),

used as (
    select
        *,
        case when coalesce(days, hours, minutes) is not null then
            expires_at - to_days(coalesce(days, 0)) - to_hours(coalesce(hours, 0)) - to_minutes(coalesce(minutes, 0))
        end as expiry_moved_at
    from tokens
)

select
    sha256,
    record_number,
    'okta' as source_system,
    'api_tokens' as source_feed,
    'okta' as system,
    nullif(user_id, '') as account_id,
    id as credential_id,
    cast(null as varchar) as slot,
    'api_token' as credential_type,
    'key' as custody,
    coalesce(nullif(name, ''), id) as name,
    cast(null as bigint) as version,
    true as is_active,
    false as is_destroyed,
    created_at,
    cast(null as timestamp) as deactivated_at,
    expires_at,
    coalesce({{ instant('last_used') }}, case when expiry_moved_at > created_at + interval 1 minute then expiry_moved_at end)
        as last_used_at,
    {{ no_tags() }} as tags,
    'api_tokens' as absence_scope,
    'api_tokens' as listing_scope
from used
