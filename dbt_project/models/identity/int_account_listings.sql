-- Accounts as each inventory lists them: one row per account and delivery.
select
    * exclude (account_id),
    account_id as subject_id
from {{ delivered([
    'stg_okta__account_snapshots',
    'stg_aws__account_snapshots',
    'stg_generic__account_snapshots',
]) }}
