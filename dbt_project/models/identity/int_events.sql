-- What changed accounts and credentials, each event once: one source and one native id are one event, however many
-- exports repeat it. Every sighting stays in its evidence; where sightings disagree, the latest collected counts.
with

sighted as (
    select *
    from {{ delivered([
        'stg_hashicorp_vault__events',
        'stg_aws__events',
        'stg_okta__events',
        'stg_github__events',
        'stg_generic__events',
    ]) }}
),

resolved as (
    select
        sighted.* replace (coalesce(
            sighted.account_id,
            users.account_id,
            -- A user no evidence gives an ARN for: IAM's default path.
            case when sighted.system = 'aws' and sighted.account_name is not null
                then 'arn:aws:iam::' || sighted.account_scope || ':user/' || sighted.account_name end
        ) as account_id)
    from sighted
    left join {{ ref('int_aws_users') }} as users
        on sighted.system = 'aws' and sighted.instance = users.instance
        and sighted.account_scope = users.account_scope and sighted.account_name = users.user_name
),

named as (
    select
        * replace (case
            when credential_type = 'console_password' then account_id || '#password' else credential_id
        end as credential_id),
        md5(cast(row(occurred_at, action, account_id, credential_id, version, actor_id, entitlement) as varchar)) as content
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
    actor_id,
    entitlement,
    entitlement_name,
    entitlement_type,
    is_privileged,
    sightings,
    has_conflict,
    first_collected_at,
    evidence_records as evidence
from one_row_per_event
