-- Every group, role, policy, scope or application that evidence names, and whether it gives administrative power: it
-- does where any evidence says so.
with

named as (
    select system, instance, entitlement, entitlement_name, entitlement_type, is_privileged, collected_at as named_at,
        evidence
    from {{ ref('int_entitlement_listings') }}
    union all
    select system, instance, entitlement, entitlement_name, entitlement_type, is_privileged, occurred_at, evidence[1]
    from {{ ref('int_events') }}
    where entitlement is not null
)

select
    system,
    instance,
    entitlement,
    coalesce(max_by(entitlement_name, (named_at, evidence)) filter (entitlement_name is not null), entitlement)
        as entitlement_name,
    max_by(entitlement_type, (named_at, evidence)) filter (entitlement_type is not null) as entitlement_type,
    bool_or(is_privileged) as is_privileged
from named
group by system, instance, entitlement
