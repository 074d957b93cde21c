-- First and last success and failure per subject and day, with who it belongs to.
select
    usage.* exclude (credential_type),
    accounts.identity_id,
    accounts.account_id is not null as has_account_record
from {{ ref('int_usage') }} as usage
left join {{ ref('dim_accounts') }} as accounts
    on usage.system = accounts.system and usage.instance = accounts.instance and usage.account_id = accounts.account_id
