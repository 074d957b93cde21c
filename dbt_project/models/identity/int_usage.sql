-- Use of accounts and credentials per subject and day, from every log and from the last-use times of inventories.
with

logged as (
    select
        usage.* replace (
            coalesce(native_accounts.native_id, usage.account_id) as account_id,
            coalesce(native_credentials.native_id, usage.credential_id) as credential_id
        ),
        deliveries.source_instance as instance,
        {{ evidence_ref('usage.sha256', 'usage.last_success_record') }} as last_success_evidence,
        {{ evidence_ref('usage.sha256', 'usage.first_success_record') }} as first_success_evidence
    from (
        {% for name in roll_call([
            'stg_hashicorp_vault__usage',
            'stg_aws__usage',
            'stg_gcp__usage',
            'stg_azure_key_vault__usage',
            'stg_okta__usage',
            'stg_entra__directory_audits_usage',
            'stg_entra__sign_ins_usage',
            'stg_github__usage',
            'stg_kubernetes__usage',
            'stg_generic__usage',
        ]) %}
        select * from {{ ref(name) }}
        {{ 'union all by name' if not loop.last }}
        {% endfor %}
    ) as usage
    inner join {{ ref('int_deliveries') }} as deliveries
        on usage.sha256 = deliveries.sha256 and usage.source_system = deliveries.source_system
        and usage.source_feed = deliveries.source_feed
    left join {{ ref('int_native_ids') }} as native_accounts
        on usage.system = native_accounts.system and deliveries.source_instance = native_accounts.instance
        and usage.account_id = native_accounts.alias
        and coalesce(usage.last_success_at, usage.last_failure_at) >= native_accounts.holds_from
        and coalesce(usage.last_success_at, usage.last_failure_at) < native_accounts.holds_until
    left join {{ ref('int_native_ids') }} as native_credentials
        on usage.system = native_credentials.system and deliveries.source_instance = native_credentials.instance
        and usage.credential_id = native_credentials.alias
        and coalesce(usage.last_success_at, usage.last_failure_at) >= native_credentials.holds_from
        and coalesce(usage.last_success_at, usage.last_failure_at) < native_credentials.holds_until
),

stated as (
    select system, instance, subject_id as account_id, cast(null as varchar) as credential_id,
        cast(null as bigint) as version, cast(null as varchar) as version_id, last_used_at, min(evidence) as evidence
    from {{ ref('int_account_listings') }}
    where last_used_at <= collected_at
    group by all
    union all
    select system, instance, null, subject_id, version, version_id, last_used_at, min(evidence)
    from {{ ref('int_credential_listings') }}
    where last_used_at <= collected_at
    group by all
),

together as (
    select system, instance, account_id, credential_id, credential_type, version, version_id, usage_date, first_success_at, last_success_at,
        first_failure_at, last_failure_at, first_success_evidence, last_success_evidence, false as is_stated
    from logged
    union all by name
    select system, instance, account_id, credential_id, version, version_id, cast(last_used_at as date) as usage_date,
        last_used_at as first_success_at, last_used_at as last_success_at,
        evidence as first_success_evidence, evidence as last_success_evidence, true as is_stated
    from stated
)

-- Where a log and an inventory tell of the same use, the log's own record is the better evidence.
select
    system,
    instance,
    account_id,
    credential_id,
    max(credential_type) as credential_type,
    version,
    version_id,
    usage_date,
    min(first_success_at) as first_success_at,
    max(last_success_at) as last_success_at,
    min(first_failure_at) as first_failure_at,
    max(last_failure_at) as last_failure_at,
    min_by(first_success_evidence, (first_success_at, is_stated, first_success_evidence)) as first_success_evidence,
    max_by(last_success_evidence, (last_success_at, not is_stated, last_success_evidence)) as last_success_evidence
from together
group by system, instance, account_id, credential_id, version, version_id, usage_date
