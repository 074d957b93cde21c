-- EVD: evidence of every required feed was collected in every whole slot of its cadence.
with

required as (
    select *, cadence_days * 24 as slot_hours
    from {{ ref('dim_required_feeds') }}
    where cadence_days > 0
),

numbered as (
    select
        *,
        unnest(generate_series(
            0, cast(floor({{ seconds_between('period_start_at', 'period_end_at') }} / (slot_hours * 3600)) + 1 as bigint)
        )) as slot_number
    from required
),

slots as (
    select
        * exclude (slot_number),
        {{ slot_start('slot_number') }} as slot_start,
        {{ slot_start('slot_number + 1') }} as slot_end,
        system || '/' || feed || '/' || instance as subject_id
    from numbered
),

-- A last partial slot is not counted.
population as (
    select *
    from slots
    where slot_start >= required_from and slot_end <= required_until
),

-- What a query narrowed down covers nothing and is no collection of the feed.
deliveries as (
    select
        source_system as system,
        source_feed as feed,
        source_instance as instance,
        sha256,
        collected_at,
        covered_from,
        covered_to,
        {{ evidence_ref('sha256', '1') }} as evidence,
        records_parsed + records_rejected as records
    from {{ ref('int_deliveries') }}
    where status = 'accepted' and not is_filtered
),

collected as (
    select
        population.*,
        count(deliveries.sha256) as files_collected,
        min(deliveries.collected_at) as first_collected_at,
        min_by(case when deliveries.records > 0 then deliveries.evidence end, (deliveries.collected_at, deliveries.sha256))
            as first_evidence
    from population
    left join deliveries
        on population.system = deliveries.system and population.feed = deliveries.feed
        and population.instance = deliveries.instance
        and deliveries.collected_at >= population.slot_start and deliveries.collected_at < population.slot_end
    group by all
),

collected_afterwards as (
    select
        collected.*,
        windows.covered_from is not null as is_covered,
        -- The first file that covers the slot alone, else the last of those that cover it together.
        coalesce(
            min(deliveries.collected_at) filter (
                deliveries.covered_from <= collected.slot_start
                and deliveries.covered_to >= collected.slot_end - interval 1 second
            ),
            max(deliveries.collected_at)
        ) as late_collected_at,
        min_by(case when deliveries.records > 0 then deliveries.evidence end, (deliveries.collected_at, deliveries.sha256))
            as late_evidence
    from collected
    left join {{ ref('fct_feed_windows') }} as windows
        on collected.files_collected = 0
        and collected.system = windows.system and collected.feed = windows.feed and collected.instance = windows.instance
        and windows.covered_from <= collected.slot_start
        and windows.covered_to >= collected.slot_end - interval 1 second
    left join deliveries
        on windows.covered_from is not null
        and collected.system = deliveries.system and collected.feed = deliveries.feed
        and collected.instance = deliveries.instance and deliveries.collected_at >= collected.slot_end
        and deliveries.covered_from < collected.slot_end and deliveries.covered_to > collected.slot_start
    group by all
),

operations as (
    select
        *,
        case
            when files_collected > 0 then 'in time'
            when slot_end > cutoff_at then 'not due'
            when late_collected_at is not null then 'collected_late'
            else 'not_collected'
        end as finding
    from collected_afterwards
),

described as (
    select
        *,
        'feed' as subject_type,
        subject_id as subject_name,
        cast(null as varchar) as identity_id,
        '' as entitlement,
        strftime({{ local_time('slot_start', 'timezone') }}, '%Y-%m-%d') as cycle,
        '' as distinguished_by,
        slot_start as opened_at,
        slot_end as due_at,
        coalesce(first_collected_at, case when finding = 'collected_late' then late_collected_at end) as performed_at,
        'lag_days' as measure_name,
        case when finding = 'collected_late'
            then round({{ seconds_between('slot_end', 'late_collected_at') }} / 86400, 6) end as measure_value,
        cadence_days as threshold_value,
        'days' as unit,
        case
            when finding = 'in time' then 'operated'
            when finding = 'not due' then 'pending'
            else 'deviation'
        end as verdict,
        case when finding in ('collected_late', 'not_collected') then finding end as reason,
        case finding
            when 'in time' then cast(files_collected as varchar) || ' collected, the first on ' || {{ said('first_collected_at') }} || '.'
            when 'not due' then 'To be collected by ' || {{ said('slot_end') }} || '.'
            when 'collected_late' then 'Due by ' || {{ said('slot_end') }} || '; what covers it was collected '
                || {{ said('late_collected_at') }} || '.'
            else 'Nothing was collected from ' || {{ said('slot_start') }} || ' to ' || {{ said('slot_end') }} || '.'
        end as reason_text,
        slot_end - interval 1 microsecond as began_at,
        [coalesce(first_evidence, late_evidence, decision_evidence)] as evidence
    from operations
),

judged as (
    select * from {{ judged_operations('described', 'EVD') }}
)

select * from judged
