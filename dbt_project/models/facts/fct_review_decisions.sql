-- Access review items, each once however many exports of its campaign repeat it; an item decided later shows twice,
-- undecided and decided. Entra's items name their review and not its dates; those come from the review itself. A reviewer
-- whom an item names by account alone is known by what that account is called.
with

items as (
    select *
    from {{ delivered([
        'stg_generic__review_decisions',
        'stg_entra__review_decisions',
    ]) }}
),

reviews as (
    select source_system, instance, campaign_id,
        max_by(campaign_name, (collected_at, evidence)) filter (campaign_name is not null) as campaign_name,
        max_by(launched_at, (collected_at, evidence)) as launched_at,
        max_by(due_at, (collected_at, evidence)) as due_at
    from {{ delivered(['stg_entra__review_instances']) }}
    group by source_system, instance, campaign_id
)

select
    items.source_system,
    items.source_feed,
    items.instance as source_instance,
    items.campaign_id,
    coalesce(items.campaign_name, reviews.campaign_name) as campaign_name,
    coalesce(items.launched_at, reviews.launched_at) as launched_at,
    items.launched_on,
    coalesce(items.due_at, reviews.due_at) as due_at,
    items.due_on,
    items.system,
    coalesce(items.account_instance, items.instance) as account_instance,
    items.account_id,
    items.entitlement,
    case when items.reviewer_email = items.reviewer_id
        then lower(coalesce(reviewers.email, reviewers.user_name, items.reviewer_email)) else items.reviewer_email end
        as reviewer_email,
    reviewers.identity_id as reviewer_identity_id,
    reviewers.identity_type is not null and not reviewers.is_human as is_by_machine,
    coalesce(items.source_system = items.system and items.instance = coalesce(items.account_instance, items.instance)
        and items.reviewer_id = items.account_id, false) as is_about_own_account,
    items.decision,
    items.decided_at,
    items.decided_on,
    list_sort(list_distinct(list(items.evidence))) as evidence
from items
left join reviews
    on items.source_system = reviews.source_system and items.instance = reviews.instance
    and items.campaign_id = reviews.campaign_id
left join {{ ref('dim_accounts') }} as reviewers
    on items.source_system = reviewers.system and items.instance = reviewers.instance
    and items.reviewer_id = reviewers.account_id
group by all
