-- Groups and managed policies as the account authorization details describe them: whether their own documents allow
-- everything, and which policies are attached to a group.
with

described as (
    select
        *,
        from_json(policy_versions, '[{"VersionId": "VARCHAR", "IsDefaultVersion": "BOOLEAN", "Document": "JSON"}]') as versions,
        from_json(inline_policies, '[{"PolicyName": "VARCHAR", "PolicyDocument": "JSON"}]') as inline
    from {{ evidence_records('aws', 'account_authorization_details') }}
    where group_name is not null or policy_name is not null
),

documents as (
    select sha256, record_number, unnest(
        list_transform(coalesce(inline, []), lambda policy: policy.PolicyDocument) || list_transform(
            list_filter(versions, lambda version: coalesce(version.IsDefaultVersion, version.VersionId = default_version_id)),
            lambda version: version.Document
        )
    ) as document
    from described
),

documents_read as (
    select sha256, record_number, {{ policy_document('document') }} as document
    from documents
),

allowing as (
    select sha256, record_number, bool_or({{ allows_everything('document') }}) as allows_everything
    from documents_read
    group by sha256, record_number
)

select
    described.sha256,
    described.record_number,
    'aws' as source_system,
    'account_authorization_details' as source_feed,
    described.arn as entitlement,
    coalesce(described.group_name, described.policy_name) as entitlement_name,
    case when described.policy_name is null then 'group' else 'policy' end as entitlement_type,
    case
        when {{ is_administrator_policy('described.arn') }} then true
        when described.policy_name is null then coalesce(allowing.allows_everything, false)
        else allowing.allows_everything
    end as is_privileged,
    list_transform(coalesce(described.attached_policies, []), lambda policy: policy.arn) as attached_policies
from described
left join allowing using (sha256, record_number)
