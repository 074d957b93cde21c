-- Accounts as each inventory lists them: one row per account and delivery.
with

listed as (
    select *
    from {{ delivered([
        'stg_okta__account_snapshots',
        'stg_entra__account_snapshots',
        'stg_aws__account_snapshots',
        'stg_gcp__account_snapshots',
        'stg_generic__account_snapshots',
    ]) }}
)

select
    listed.* exclude (account_id),
    coalesce(native_accounts.native_id, listed.account_id) as subject_id
from listed
left join {{ ref('int_native_ids') }} as native_accounts
    on listed.system = native_accounts.system and listed.instance = native_accounts.instance
    and listed.account_id = native_accounts.alias
    and listed.collected_at >= native_accounts.holds_from and listed.collected_at < native_accounts.holds_until
