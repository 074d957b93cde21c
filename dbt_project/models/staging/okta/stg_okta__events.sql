-- What happened to Okta users, API tokens, application secrets and access. A target is picked by its type, never by its
-- place in the list. Only successes count.
with

-- A CSV download has the first targets in columns of their own.
records as (
    select
        * replace (
            coalesce(targets, list_filter([
                {%- for place in range(4) %}
                {
                    'id': target{{ place }}_id, 'type': target{{ place }}_type,
                    'alternate_id': target{{ place }}_alternate_id, 'display_name': target{{ place }}_display_name
                }{{ ',' if not loop.last }}
                {%- endfor %}
            ], target -> target.id is not null)) as targets
        )
    from {{ evidence_records('okta', 'system_log') }}
),

meant as (
    select records.*, acts.action
    from records
    inner join {{ vendor_actions('okta', 'system_log') }} as acts
        on {{ vendor_word('records.event_type') }} = acts.vendor_action
    where coalesce(outcome_result, 'SUCCESS') = 'SUCCESS'
),

targeted as (
    select
        *,
        list_filter(targets, target -> target.type = 'User')[1] as subject,
        list_filter(targets, target -> target.type = 'UserGroup')[1] as user_group,
        list_filter(targets, target -> target.type = 'AppInstance')[1] as application,
        list_filter(targets, target -> target.type = 'Token')[1] as token,
        list_filter(targets, target -> target.type in ('PublicClientApp', 'OAuth2Client', 'OAuth2ClientSecretEntity'))[1]
            as client,
        list_filter(targets, target -> regexp_matches(target.type, '(?i)secret|jwk|jsonwebkey|credential'))[1] as secret
    from meant
),

accounts as (
    select *, 3001 as ocsf_class, subject.id as account_id, subject.alternate_id as account_name,
        cast(null as varchar) as listing_scope
    from targeted
    where event_type like 'user.lifecycle.%' and subject.id is not null
),

-- An application that signs in by itself is an account, too; it has the id of the client.
clients as (
    select *, 3001 as ocsf_class, coalesce(application.id, client.id) as account_id,
        coalesce(application.display_name, client.display_name) as account_name,
        cast(null as varchar) as listing_scope
    from targeted
    where event_type like 'app.oauth2.client.lifecycle.%' and coalesce(application.id, client.id) is not null
),

-- A token has the rights of the user who makes it. Okta rolls its own keys as the system; that is nobody's rotation.
tokens as (
    select *, 3004 as ocsf_class, 'api_token' as credential_type, token.id as credential_id,
        case when action = 'credential_created' and actor_type = 'User' then actor_id end as account_id,
        case when action = 'credential_created' and actor_type = 'User' then actor_alternate_id end as account_name,
        'api_tokens' as listing_scope
    from targeted
    where event_type like 'system.api\_token.%' escape '\' and token.id is not null
),

-- Secrets and keys of an application open the application's own account, which has the id of the client.
client_secrets as (
    select *, 3004 as ocsf_class, 'client_secret' as credential_type,
        coalesce(application.id, client.id) as account_id,
        coalesce(application.display_name, client.display_name) as account_name,
        case when secret.id <> coalesce(application.id, client.id, '') then secret.id end as credential_id,
        'client_secrets' as listing_scope
    from targeted
    where event_type like 'app.oauth2.credentials.%' and coalesce(actor_type, '') <> 'SystemPrincipal'
        and coalesce(application.id, client.id, secret.id) is not null
),

memberships as (
    select *,
        case when event_type like 'group.%' then 3006 else 3005 end as ocsf_class,
        subject.id as account_id,
        subject.alternate_id as account_name,
        case when event_type like 'group.%' then user_group.id else application.id end as entitlement,
        case when event_type like 'group.%' then user_group.display_name else application.display_name end as entitlement_name,
        case when event_type like 'group.%' then 'group' else 'application' end as entitlement_type,
        cast(null as boolean) as is_privileged
    from targeted
    where event_type like '%.user\_membership.%' escape '\' and subject.id is not null
),

-- One event may give several administrator roles; a comma within brackets lists what a role is for.
privileges as (
    select *,
        unnest(list_filter(
            list_transform(
                regexp_extract_all(coalesce(
                    case when action = 'entitlement_granted' then privileges_granted else privileges_revoked end, 'administrator'
                ), '(?:[^,(]|\([^)]*\))+'),
                privilege -> trim(privilege)
            ),
            privilege -> privilege <> ''
        )) as entitlement,
        3005 as ocsf_class,
        coalesce(subject.id, client.id, application.id) as account_id,
        coalesce(subject.alternate_id, client.display_name, application.display_name) as account_name
    from targeted
    where event_type like '%.privilege.%' and coalesce(subject.id, client.id, application.id) is not null
),

numbered_privileges as (
    select * replace (case when count(*) over (partition by sha256, record_number) > 1
            then uuid || ':' || entitlement else uuid end as uuid),
        entitlement as entitlement_name, 'role' as entitlement_type, true as is_privileged
    from privileges
),

together as (
    {% for kind in ['accounts', 'clients', 'tokens', 'client_secrets', 'memberships', 'numbered_privileges'] %}
    select * from {{ kind }}
    {{ 'union all by name' if not loop.last }}
    {% endfor %}
)

select
    sha256,
    record_number,
    'okta' as source_system,
    'system_log' as source_feed,
    'okta' as system,
    uuid as event_id,
    {{ instant('published') }} as occurred_at,
    ocsf_class,
    action,
    account_id,
    account_name,
    cast(null as varchar) as account_scope,
    credential_id,
    credential_type,
    cast(null as bigint) as version,
    actor_id,
    entitlement,
    entitlement_name,
    entitlement_type,
    is_privileged,
    listing_scope
from together
where ocsf_class not in (3005, 3006) or entitlement is not null
