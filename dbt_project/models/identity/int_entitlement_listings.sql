-- Entitlements as each inventory lists them: one row per account, entitlement and delivery.
select
    *,
    account_id || chr(31) || entitlement as subject_id
from {{ delivered([
    'stg_generic__entitlement_snapshots',
]) }}
