-- By which addresses, names and native ids people and machines are known. A name that two of them share stands for
-- both: nobody is taken for another, nor for somebody else. `system` is empty where the name holds everywhere.
with

names as (
    select cast(null as varchar) as system, email as name, identity_id, is_human from {{ ref('dim_identities') }}
    union all
    select null, unnest([email, user_name]), identity_id, is_human from {{ ref('dim_accounts') }}
    union all
    select system, unnest([account_id, user_name, email]), identity_id, is_human from {{ ref('dim_accounts') }}
    union all
    select links.system, links.native_id, links.identity_id,
        coalesce(identities.is_human, links.identity_type in ('employee', 'contractor'))
    from {{ in_force('identity_links') }} as links
    left join {{ ref('dim_identities') }} as identities on links.identity_id = identities.identity_id
)

select
    system,
    lower(trim(name)) as name,
    list_sort(list_distinct(list(identity_id))) as identity_ids,
    coalesce(bool_or(is_human), true) as is_human
from names
where nullif(trim(name), '') is not null and identity_id is not null
group by system, lower(trim(name))
