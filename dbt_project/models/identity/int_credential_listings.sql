-- Credentials as each inventory lists them, one row per credential and delivery. The credential report names a key or
-- certificate by its user and slot: it is matched to the one made for that user at that time, else it is
-- `<user arn>#<slot>`.
with

inventories as (
    select *
    from {{ delivered([
        'stg_hashicorp_vault__credential_snapshots',
        'stg_aws__credential_snapshots',
        'stg_gcp__credential_snapshots',
        'stg_okta__credential_snapshots',
        'stg_entra__credential_snapshots',
        'stg_generic__credential_snapshots',
    ]) }}
),

-- A holder that another id stands for, too, and what has run out lets nobody in, though it is still listed.
listed as (
    select inventories.* exclude (expires_at) replace (
        coalesce(native_accounts.native_id, inventories.account_id) as account_id,
        inventories.is_active and coalesce(inventories.expires_at > inventories.collected_at, true) as is_active,
        coalesce(inventories.deactivated_at,
            case when inventories.expires_at <= inventories.collected_at then inventories.expires_at end) as deactivated_at
    )
    from inventories
    left join {{ ref('int_native_ids') }} as native_accounts
        on inventories.system = native_accounts.system and inventories.instance = native_accounts.instance
        and inventories.account_id = native_accounts.alias
        and inventories.collected_at >= native_accounts.holds_from and inventories.collected_at < native_accounts.holds_until
),

slots as (
    select distinct instance, account_id, credential_type, slot, created_at
    from listed
    where slot is not null and credential_type in ('access_key', 'signing_certificate') and created_at is not null
),

created_keys as (
    select distinct instance, account_id, credential_type, credential_id, occurred_at
    from {{ ref('int_events') }}
    where action = 'credential_created' and credential_type in ('access_key', 'signing_certificate')
        and credential_id is not null
),

-- IAM writes whole seconds, and the call and the key's own date may differ by one or two. The nearest key to the slot's
-- date, where that date is the nearest to the key: one creation never stands for two keys.
matched as (
    select slots.instance, slots.account_id, slots.slot, slots.created_at, created_keys.credential_id
    from slots
    inner join created_keys
        on slots.instance = created_keys.instance and slots.account_id = created_keys.account_id
        and slots.credential_type = created_keys.credential_type
        and abs(epoch_us(slots.created_at) - epoch_us(created_keys.occurred_at)) <= 5000000
    qualify row_number() over (
        partition by slots.instance, slots.account_id, slots.slot, slots.created_at
        order by abs(epoch_us(slots.created_at) - epoch_us(created_keys.occurred_at)),
            -- Two keys made in one second: the first slot takes the one, the second the other.
            case when slots.slot in ('1', 'cert1') then created_keys.credential_id end, created_keys.credential_id desc
    ) = 1
    and rank() over (
        partition by slots.instance, slots.account_id, created_keys.credential_id
        order by abs(epoch_us(slots.created_at) - epoch_us(created_keys.occurred_at))
    ) = 1
)

select
    listed.* exclude (credential_id, slot),
    coalesce(
        listed.credential_id,
        matched.credential_id,
        listed.account_id || '#' || listed.slot
    ) as subject_id,
    -- Two keys that held one slot in turn share a name; their creation tells them apart.
    case when listed.slot is not null and matched.credential_id is null and listed.credential_type <> 'console_password'
        then coalesce(cast(listed.created_at as varchar), '') else '' end as incarnation
from listed
left join matched
    on listed.instance = matched.instance and listed.account_id = matched.account_id
    and listed.slot = matched.slot and listed.created_at = matched.created_at
