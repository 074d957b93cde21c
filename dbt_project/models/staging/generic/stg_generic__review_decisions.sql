-- Access review items in our own CSV: an item without a decision was listed and left undecided. The days are there
-- for what is dated without a time.
select
    sha256,
    record_number,
    'generic' as source_system,
    'review_decisions' as source_feed,
    campaign_id,
    nullif(campaign_name, '') as campaign_name,
    {{ instant('launched_at') }} as launched_at,
    {{ bare_day('launched_at') }} as launched_on,
    {{ instant('due_at') }} as due_at,
    {{ bare_day('due_at') }} as due_on,
    system,
    coalesce(nullif(instance, ''), 'main') as account_instance,
    account_id,
    coalesce(entitlement, '') as entitlement,
    lower(nullif(trim(reviewer_email), '')) as reviewer_email,
    cast(null as varchar) as reviewer_id,
    case
        when lower(trim(decision)) in ('approve', 'certify', 'keep', 'maintain') then 'approve'
        when lower(trim(decision)) in ('revoke', 'deny', 'remove') then 'revoke'
        when lower(trim(decision)) = 'defer' then 'defer'
    end as decision,
    {{ instant('decided_at') }} as decided_at,
    {{ bare_day('decided_at') }} as decided_on
from {{ evidence_records('generic', 'review_decisions') }}
