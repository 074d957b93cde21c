-- IAM groups and managed policies as they were last described, with whether they make an administrator: a policy by its
-- own document, a group by its inline policies and those attached to it. Calls and user details name a group without its
-- path, so that is what it is looked up by.
with

described as (
    select *
    from {{ delivered(['stg_aws__entitlement_definitions']) }}
    qualify row_number() over (
        partition by instance, entitlement order by collected_at desc, sha256 desc, record_number desc
    ) = 1
),

attached_to_groups as (
    select instance, entitlement, unnest(attached_policies) as policy
    from described
    where entitlement_type = 'group'
),

through_policies as (
    select attached.instance, attached.entitlement,
        bool_or(coalesce(policies.is_privileged, {{ is_administrator_policy('attached.policy') }})) as is_privileged
    from attached_to_groups as attached
    left join described as policies on attached.instance = policies.instance and attached.policy = policies.entitlement
    group by attached.instance, attached.entitlement
)

select
    described.instance,
    case
        when described.entitlement_type = 'group'
            then regexp_replace(described.entitlement, ':group/.*$', ':group/') || described.entitlement_name
        else described.entitlement
    end as named,
    min(described.entitlement) as entitlement,
    bool_or(described.is_privileged or coalesce(through_policies.is_privileged, false)) as is_privileged
from described
left join through_policies using (instance, entitlement)
group by described.instance, named
