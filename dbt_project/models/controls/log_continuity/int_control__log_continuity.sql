-- LOG: every required log shows an event in every slot of the period; a sparse one need only have been watched.
with

operations as (
    select
        *,
        case
            when event_evidence is not null then 'event'
            when slot_end > cutoff_at then 'not due'
            when is_covered and is_sparse then 'watched'
            when is_covered then 'no_events'
            else 'not_collected'
        end as finding
    from {{ ref('fct_log_slots') }}
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
        first_event_at as performed_at,
        cast(null as varchar) as measure_name,
        cast(null as double) as measure_value,
        slot_hours as threshold_value,
        'hours' as unit,
        case
            when finding in ('event', 'watched') then 'operated'
            when finding = 'not due' then 'pending'
            when finding = 'no_events' then 'deviation'
            else 'indeterminate'
        end as verdict,
        case when finding in ('no_events', 'not_collected') then finding end as reason,
        case finding
            when 'event' then 'First event at ' || {{ said('first_event_at') }} || '.'
            when 'watched' then 'Collected and empty; this log may be silent.'
            when 'not due' then 'The slot ends ' || {{ said('slot_end') }} || '.'
            when 'no_events' then 'Collected from ' || {{ said('slot_start') }} || ' to ' || {{ said('slot_end') }} || ', and not one event.'
            else 'No collected file covers ' || {{ said('slot_start') }} || ' to ' || {{ said('slot_end') }} || '.'
        end as reason_text,
        slot_start as began_at,
        [coalesce(event_evidence, decision_evidence)] as evidence
    from operations
),

judged as (
    select * from {{ judged_operations('described', 'LOG') }}
)

select * from judged
