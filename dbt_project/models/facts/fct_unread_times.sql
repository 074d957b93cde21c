-- Times that the evidence states and that can't be read, or only by taking the day to come first: per feed and column how
-- many, with examples. A time that is not read is missing from every judgement, and nothing else would show it. It counts
-- until the ticket, or the inventory as a whole, was exported again later and could be read; what is neither counts for good.
with

staged as (
    select *
    from {{ delivered([
        'stg_aws__unread_times',
        'stg_entra__unread_times',
        'stg_gcp__unread_times',
        'stg_github__unread_times',
        'stg_hashicorp_vault__unread_times',
        'stg_hr__unread_times',
        'stg_jira__unread_times',
        'stg_kubernetes__unread_times',
        'stg_okta__unread_times',
        'stg_servicenow__unread_times',
    ]) }}
),

exported_again as (
    select source_system, source_feed, instance, ticket_id as record_key, max(collected_at) as collected_at
    from {{ ref('int_latest_tickets') }}
    group by all
    union all
    select source_system, source_feed, instance, history_id, max(collected_at)
    from {{ delivered(['stg_servicenow__ticket_transitions']) }}
    group by all
),

inventories as (
    select deliveries.source_system, deliveries.source_feed, deliveries.source_instance as instance,
        max(deliveries.collected_at) as collected_at
    from {{ ref('int_deliveries') }} as deliveries
    inner join {{ ref('dim_feeds') }} as feeds
        on deliveries.source_system = feeds.system and deliveries.source_feed = feeds.feed and feeds.kind = 'snapshot'
    anti join staged
        on deliveries.sha256 = staged.sha256 and deliveries.source_system = staged.source_system
        and deliveries.source_feed = staged.source_feed
    where deliveries.status = 'accepted' and deliveries.records_rejected = 0 and not deliveries.is_filtered
    group by all
),

standing as (
    select
        source_system as system,
        source_feed as feed,
        staged.instance,
        column_name,
        problem,
        text,
        staged.collected_at,
        evidence
    from staged
    left join exported_again using (source_system, source_feed, instance, record_key)
    left join inventories using (source_system, source_feed, instance)
    where coalesce(greatest(
        exported_again.collected_at, case when record_key is null then inventories.collected_at end
    ) <= staged.collected_at, true)
    union all by name
    -- What a ticket_rule says is the time of detection stands in a field of its own.
    select
        source_system as system,
        source_feed as feed,
        source_instance as instance,
        unread.field as column_name,
        'unreadable' as problem,
        left(unread.text, 80) as text,
        evidence[1] as evidence
    from (
        select distinct source_system, source_feed, source_instance, evidence, unnest(unread_fields) as unread
        from {{ ref('fct_ticket_targets') }}
    )
),

counted as (
    select
        system,
        feed,
        instance,
        column_name,
        problem,
        count(distinct (evidence, text)) as unread_times,
        min_by(text, evidence) as example,
        array_to_string(list_sort(list_distinct(list(evidence)))[1:3], ' ') as evidence
    from standing
    group by all
)

select
    *,
    system || '/' || feed || '/' || instance || ': ' || cast(unread_times as varchar) || ' '
        || case when unread_times = 1 then 'time' else 'times' end || ' in ' || column_name
        || case problem
            when 'unreadable' then ' can''t be read'
            when 'day_or_month' then ' may begin with the day or with the month, and no date in the file tells; the day was taken'
        end
        || coalesce(', for instance "' || regexp_replace(example, '[\x00-\x1f\x7f]', ' ', 'g') || '"', '')
        || ' in ' || evidence
        || '; expected an instant such as 2026-03-02T09:00:00Z or a form that the page of the feed names: export it again as JSON'
        || ' or with such dates' as detail
from counted
