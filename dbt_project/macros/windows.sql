{#- Merges windows that touch or overlap, per key. Sources write whole seconds, so a window that ends at 23:59:59 and
    one that begins at 00:00:00 touch. Expects covered_from and covered_to. -#}
{% macro merged_windows(windows, keys) -%}
{%- set key = keys | join(', ') -%}
(
    with ordered as (
        select *, max(covered_to) over (
            partition by {{ key }} order by covered_from, covered_to
            rows between unbounded preceding and 1 preceding
        ) as covered_so_far
        from {{ windows }}
        where covered_from <= covered_to
    ),

    numbered as (
        select *, sum(case when covered_from <= covered_so_far + interval 1 second then 0 else 1 end) over (
            partition by {{ key }} order by covered_from, covered_to rows unbounded preceding
        ) as island
        from ordered
    )

    select {{ key }}, min(covered_from) as covered_from, max(covered_to) as covered_to
    from numbered
    group by {{ key }}, island
)
{%- endmacro %}


{#- How long a stretch is known to have been open: to its last sighting or use, and on from there for as long as a log
    that would have shown it close was collected without a gap. Adds known_open_until to stretches that have system,
    instance, subject_id, opened_by, closed_at, is_close_exact, last_seen_open_at. -#}
{% macro with_known_open_until(stretches, input, uses) -%}
(
    with last_uses as (
        select stretch.system, stretch.instance, stretch.subject_id, stretch.opened_by, max(used.used_at) as last_used_at
        from {{ stretches }} as stretch
        inner join {{ uses }} as used
            on stretch.system = used.system and stretch.instance = used.instance
            and stretch.subject_id = used.subject_id and used.used_at >= stretch.opened_by
            and (stretch.closed_at is null or used.used_at < stretch.closed_at)
        group by stretch.system, stretch.instance, stretch.subject_id, stretch.opened_by
    ),

    seen as (
        select
            stretch.*,
            greatest(stretch.last_seen_open_at, coalesce(last_uses.last_used_at, stretch.last_seen_open_at)) as seen_open_at
        from {{ stretches }} as stretch
        left join last_uses using (system, instance, subject_id, opened_by)
    )

    select
        seen.* exclude (seen_open_at),
        case
            when seen.is_close_exact then seen.closed_at
            else least(
                greatest(seen.seen_open_at, coalesce(watched.covered_to, seen.seen_open_at)),
                coalesce(seen.closed_at, timestamp '9999-01-01')
            )
        end as known_open_until
    from seen
    left join {{ ref('fct_observed_windows') }} as watched
        on watched.input = '{{ input }}' and seen.system = watched.system and seen.instance = watched.instance
        and watched.covered_from <= seen.seen_open_at and watched.covered_to > seen.seen_open_at
)
{%- endmacro %}


{#- The start of the n-th slot of a period: local midnights where a slot is whole days, else exact lengths. -#}
{% macro slot_start(number, slot_hours='slot_hours') -%}
(case
    when {{ slot_hours }} % 24 = 0 then
        (timezone(timezone, ((period_start_at at time zone 'UTC') at time zone timezone)
            + to_days(cast(({{ number }}) * ({{ slot_hours }} / 24) as integer))) at time zone 'UTC')
    else period_start_at + {{ hours('(' ~ number ~ ') * ' ~ slot_hours) }}
end)
{%- endmacro %}
