-- Review instances: when each was launched and due. Decision items name their instance and nothing more of it.
select
    sha256,
    record_number,
    'entra' as source_system,
    'access_review_decisions' as source_feed,
    id as campaign_id,
    nullif(review_name, '') as campaign_name,
    {{ instant('started') }} as launched_at,
    {{ instant('ended') }} as due_at
from {{ evidence_records('entra', 'access_review_decisions') }}
where decision is null and {{ instant('started') }} is not null
