-- Entitlements as each inventory lists them: one row per account, entitlement and delivery.
with

listed as (
    select *
    from {{ delivered([
        'stg_generic__entitlement_snapshots',
        'stg_aws__entitlement_snapshots',
    ]) }}
),

resolved as (
    select
        listed.* replace (
            coalesce(native_accounts.native_id, listed.account_id) as account_id,
            coalesce(described.entitlement, listed.entitlement) as entitlement,
            coalesce(described.is_privileged, listed.is_privileged) as is_privileged
        )
    from listed
    left join {{ ref('int_aws_entitlements') }} as described
        on listed.system = 'aws' and listed.instance = described.instance and listed.entitlement = described.named
    left join {{ ref('int_native_ids') }} as native_accounts
        on listed.system = native_accounts.system and listed.instance = native_accounts.instance
        and listed.account_id = native_accounts.alias
        and listed.collected_at >= native_accounts.holds_from and listed.collected_at < native_accounts.holds_until
)

select
    *,
    account_id || chr(31) || entitlement as subject_id
from resolved
