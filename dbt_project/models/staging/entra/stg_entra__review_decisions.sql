-- Decision items of access reviews. A decision is what a reviewer said, whether or not it was applied; the machine's
-- recommendation is none, and all zeros is nobody.
select
    sha256,
    record_number,
    'entra' as source_system,
    'access_review_decisions' as source_feed,
    review_id as campaign_id,
    nullif(review_name, '') as campaign_name,
    {{ instant('started') }} as launched_at,
    cast(null as date) as launched_on,
    {{ instant('ended') }} as due_at,
    cast(null as date) as due_on,
    'entra' as system,
    cast(null as varchar) as account_instance,
    coalesce({{ object_id('principal_id') }}, nullif(regexp_extract(principal_link, '/([^/?]+)/?$', 1), '')) as account_id,
    coalesce({{ object_id('resource_id') }}, nullif(regexp_extract(resource_link, '/([^/?]+)/?$', 1), ''), '') as entitlement,
    -- Graph writes a display name where it knows no principal name; the id is the better name then.
    case when {{ object_id('reviewer_id') }} is not null or reviewer_id is null then coalesce(
        case when reviewer_name like '%_@_%' then lower(trim(reviewer_name)) end,
        {{ object_id('reviewer_id') }},
        lower(nullif(trim(reviewer_name), ''))
    ) end as reviewer_email,
    {{ object_id('reviewer_id') }} as reviewer_id,
    case lower(decision) when 'approve' then 'approve' when 'deny' then 'revoke' when 'dontknow' then 'defer' end as decision,
    case when lower(decision) in ('approve', 'deny', 'dontknow') then {{ instant('reviewed') }} end as decided_at,
    cast(null as date) as decided_on
from {{ evidence_records('entra', 'access_review_decisions') }}
where decision is not null and review_id is not null
