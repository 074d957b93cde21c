-- Use of accounts and credentials per subject and day, from every log and from the last-use times of inventories.
with

logged as (
    select
        usage.*,
        deliveries.source_instance as instance,
        {{ evidence_ref('usage.sha256', 'usage.last_success_record') }} as last_success_evidence,
        {{ evidence_ref('usage.sha256', 'usage.first_success_record') }} as first_success_evidence
    from (
        {% for name in roll_call([
            'stg_hashicorp_vault__usage',
            'stg_aws__usage',
            'stg_okta__usage',
            'stg_github__usage',
            'stg_generic__usage',
        ]) %}
        select * from {{ ref(name) }}
        {{ 'union all by name' if not loop.last }}
        {% endfor %}
    ) as usage
    inner join {{ ref('int_deliveries') }} as deliveries
        on usage.sha256 = deliveries.sha256 and usage.source_system = deliveries.source_system
        and usage.source_feed = deliveries.source_feed
),

stated as (
    select system, instance, subject_id as account_id, cast(null as varchar) as credential_id,
        cast(null as bigint) as version, last_used_at, min(evidence) as evidence
    from {{ ref('int_account_listings') }}
    where last_used_at <= collected_at
    group by all
    union all
    select system, instance, null, subject_id, version, last_used_at, min(evidence)
    from {{ ref('int_credential_listings') }}
    where last_used_at <= collected_at
    group by all
),

together as (
    select system, instance, account_id, credential_id, version, usage_date, first_success_at, last_success_at,
        first_failure_at, last_failure_at, first_success_evidence, last_success_evidence
    from logged
    union all by name
    select system, instance, account_id, credential_id, version, cast(last_used_at as date) as usage_date,
        last_used_at as first_success_at, last_used_at as last_success_at,
        evidence as first_success_evidence, evidence as last_success_evidence
    from stated
)

select
    system,
    instance,
    account_id,
    credential_id,
    version,
    usage_date,
    min(first_success_at) as first_success_at,
    max(last_success_at) as last_success_at,
    min(first_failure_at) as first_failure_at,
    max(last_failure_at) as last_failure_at,
    min_by(first_success_evidence, (first_success_at, first_success_evidence)) as first_success_evidence,
    max_by(last_success_evidence, (last_success_at, last_success_evidence)) as last_success_evidence
from together
group by system, instance, account_id, credential_id, version, usage_date
