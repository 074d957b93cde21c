-- Access review items, each once however many exports of its campaign repeat it; an item decided later shows twice,
-- undecided and decided.
select
    source_system,
    source_feed,
    instance as source_instance,
    campaign_id,
    campaign_name,
    launched_at,
    launched_on,
    due_at,
    due_on,
    system,
    account_instance,
    account_id,
    entitlement,
    reviewer_email,
    decision,
    decided_at,
    decided_on,
    list_sort(list_distinct(list(evidence))) as evidence
from {{ delivered(['stg_generic__review_decisions']) }}
group by all
