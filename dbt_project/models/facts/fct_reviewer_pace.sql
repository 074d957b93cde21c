-- How reviewers decide: one row per campaign and reviewer. Who decides faster than anybody can read has approved a list
-- and not reviewed it. Only decisions with a time of day count for the pace; a day alone says nothing.
with

decided as (
    select distinct
        source_system,
        source_instance,
        campaign_id,
        reviewer_email,
        system,
        account_instance,
        account_id,
        entitlement,
        decision,
        decided_at,
        decided_on is null and decided_at is not null as is_timed,
        launched_at
    from {{ ref('fct_review_decisions') }}
    where decision in ('approve', 'revoke') and reviewer_email is not null
),

per_minute as (
    select source_system, source_instance, campaign_id, reviewer_email,
        date_trunc('minute', decided_at) as minute, count(*) as decisions
    from decided
    where is_timed
    group by all
),

busiest as (
    select source_system, source_instance, campaign_id, reviewer_email, max(decisions) as most_in_a_minute
    from per_minute
    group by all
)

select
    decided.source_system,
    decided.source_instance,
    decided.campaign_id,
    decided.reviewer_email,
    count(*) as decisions,
    count(*) filter (decision = 'approve') as approvals,
    count(*) filter (decision = 'revoke') as revocations,
    round(count(*) filter (decision = 'approve') / count(*), 6) as approved_share,
    count(*) filter (is_timed) as timed_decisions,
    min(decided_at) filter (is_timed) as first_decided_at,
    max(decided_at) filter (is_timed) as last_decided_at,
    -- The first decision takes time as well: n decisions span n - 1 intervals.
    case
        when count(*) filter (is_timed) > 1 then round(
            (count(*) filter (is_timed) - 1) * 60.0
            / greatest({{ seconds_between('min(decided_at) filter (is_timed)', 'max(decided_at) filter (is_timed)') }}, 1), 6)
    end as decisions_per_minute,
    any_value(busiest.most_in_a_minute) as most_in_a_minute
from decided
left join busiest using (source_system, source_instance, campaign_id, reviewer_email)
group by all
