-- Every account is linked to an identity or listed as unlinked; nothing falls between.
select
    accounts.system,
    accounts.instance,
    accounts.account_id,
    accounts.identity_id,
    accounts.link_rule,
    unlinked.native_id is not null as listed_as_unlinked,
    accounts.identity_id is not null or unlinked.native_id is not null as accounted_for,
    case
        when accounts.identity_id is not null then accounts.account_id || ' is linked by ' || accounts.link_rule
        when unlinked.native_id is not null then accounts.account_id || ' is listed as unlinked'
        else accounts.account_id || ' is neither linked nor listed'
    end as detail
from {{ ref('dim_accounts') }} as accounts
left join {{ ref('fct_unlinked') }} as unlinked
    on unlinked.kind = 'account' and accounts.system = unlinked.system and accounts.instance = unlinked.instance
    and accounts.account_id = unlinked.native_id
