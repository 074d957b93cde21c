-- What changed accounts and credentials, each event once: one source and one native id are one event, however many
-- exports repeat it. Every sighting stays in its evidence; where sightings disagree, the latest collected counts.
with

sighted as (
    select *
    from {{ delivered([
        'stg_hashicorp_vault__events',
        'stg_aws__events',
        'stg_gcp__events',
        'stg_azure_key_vault__events',
        'stg_okta__events',
        'stg_github__events',
        'stg_entra__events',
        'stg_kubernetes__events',
        'stg_generic__events',
    ]) }}
),

resolved as (
    select
        sighted.* replace (
            coalesce(
                native_accounts.native_id,
                sighted.account_id,
                users.account_id,
                -- A user or role no evidence gives an ARN for: IAM's default path.
                case when sighted.system = 'aws' and sighted.account_name is not null
                    then 'arn:aws:iam::' || sighted.account_scope
                        || case when sighted.account_type = 'iam_role' then ':role/' else ':user/' end || sighted.account_name end
            ) as account_id,
            coalesce(native_credentials.native_id, sighted.credential_id) as credential_id,
            coalesce(described.entitlement, sighted.entitlement) as entitlement,
            coalesce(described.is_privileged, sighted.is_privileged) as is_privileged
        )
    from sighted
    left join {{ ref('int_aws_users') }} as users
        on sighted.system = 'aws' and sighted.instance = users.instance
        and sighted.account_scope = users.account_scope and sighted.account_name = users.user_name
        and coalesce(sighted.account_type, 'iam_user') = coalesce(users.account_type, 'iam_user')
    left join {{ ref('int_aws_entitlements') }} as described
        on sighted.system = 'aws' and sighted.instance = described.instance and sighted.entitlement = described.named
    left join {{ ref('int_native_ids') }} as native_accounts
        on sighted.system = native_accounts.system and sighted.instance = native_accounts.instance
        and sighted.account_id = native_accounts.alias
        and sighted.occurred_at >= native_accounts.holds_from and sighted.occurred_at < native_accounts.holds_until
    left join {{ ref('int_native_ids') }} as native_credentials
        on sighted.system = native_credentials.system and sighted.instance = native_credentials.instance
        and sighted.credential_id = native_credentials.alias
        and sighted.occurred_at >= native_credentials.holds_from and sighted.occurred_at < native_credentials.holds_until
),

named as (
    select
        * replace (case
            when credential_type = 'console_password' then account_id || '#password' else credential_id
        end as credential_id),
        md5(cast(row(
            occurred_at, action, account_id, credential_id, version, version_id, entitlement, actor_id
        ) as varchar)) as content
    from resolved
    where occurred_at is not null
),

one_row_per_event as (
    select
        *,
        list_sort(list_distinct(list(evidence) over same_event)) as evidence_records,
        count(*) over same_event as sightings,
        min(content) over same_event <> max(content) over same_event as has_conflict,
        min(collected_at) over same_event as first_collected_at
    from named
    window same_event as (partition by source_system, source_feed, instance, system, event_id)
    qualify row_number() over (
        partition by source_system, source_feed, instance, system, event_id
        order by collected_at desc, sha256 desc, record_number desc
    ) = 1
)

select
    source_system,
    source_feed,
    instance,
    system,
    event_id,
    occurred_at,
    ocsf_class,
    action,
    account_id,
    account_name,
    credential_id,
    credential_type,
    version,
    version_id,
    entitlement,
    entitlement_name,
    entitlement_type,
    is_privileged,
    actor_id,
    listing_scope,
    sightings,
    has_conflict,
    first_collected_at,
    evidence_records as evidence
from one_row_per_event
