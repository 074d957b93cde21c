{#- State over time from observations. An observation says: at this instant the subject was open (enabled, active) or
    closed. Exact ones (events, dates that an inventory states) fix instants; a snapshot only says what it saw.

    Expects columns: the keys, observed_at, is_open, is_exact, source_rank (0 event, 1 date stated by a snapshot,
    2 seen in a snapshot, 3 absent from one), tie_order, evidence (VARCHAR[]).

    Gives one row per stretch in which the subject was open:
      opened_at          NULL where nothing shows the origin
      opened_by          the first instant at which it is known to be open
      closed_at          the first instant at which it is known to be closed again; NULL while open
      last_seen_open_at  the last observation that shows it open before it closed
      is_close_exact     whether closed_at is the very instant -#}
{% macro open_stretches(observations, keys) -%}
{%- set key = keys | join(', ') -%}
(
with

-- The log's own time of a change beats the date an inventory states for the same change.
without_echoes as (
    select *
    from {{ observations }} as observation
    where source_rank <> 1 or not exists (
        select 1
        from {{ observations }} as event
        where event.source_rank = 0 and event.is_open = observation.is_open
            {% for column in keys %}and event.{{ column }} = observation.{{ column }} {% endfor %}
            and abs(epoch_us(event.observed_at) - epoch_us(observation.observed_at)) <= 60000000
    )
),

distinct_observations as (
    select
        {{ key }},
        observed_at,
        is_open,
        is_exact,
        min(tie_order) as tie_order,
        min(source_rank) as source_rank,
        min_by(evidence, (source_rank, evidence)) as evidence
    from without_echoes
    group by {{ key }}, observed_at, is_open, is_exact
),

in_order as (
    select
        *,
        lag(is_open) over timeline as was_open,
        lag(observed_at) over timeline as previous_at,
        lag(evidence) over timeline as previous_evidence,
        max(observed_at) over (partition by {{ key }}) as last_observed_at,
        last_value(evidence) over (timeline rows between unbounded preceding and unbounded following) as last_evidence
    from distinct_observations
    window timeline as (partition by {{ key }} order by observed_at, tie_order, is_exact desc, is_open)
),

changes as (
    select
        *,
        lead(observed_at) over timeline as next_change_at,
        lead(is_exact) over timeline as is_next_exact,
        lead(source_rank) over timeline as next_source_rank,
        lead(previous_at) over timeline as last_seen_before_next,
        lead(evidence) over timeline as next_evidence,
        lead(previous_evidence) over timeline as evidence_before_next
    from in_order
    where is_open is distinct from was_open
    window timeline as (partition by {{ key }} order by observed_at, tie_order, is_exact desc, is_open)
),

opened_in_sight as (
    select
        {{ key }},
        case when is_exact or not was_open then observed_at end as opened_at,
        observed_at as opened_by,
        is_exact as is_open_exact,
        next_change_at as closed_at,
        coalesce(is_next_exact, false) as is_close_exact,
        coalesce(next_source_rank, 9) as close_source_rank,
        case
            when next_change_at is null then last_observed_at
            when is_next_exact then next_change_at
            else last_seen_before_next
        end as last_seen_open_at,
        evidence as opened_evidence,
        case when next_change_at is null then last_evidence else evidence_before_next end as seen_evidence,
        next_evidence as closed_evidence
    from changes
    where is_open
),

-- A first observation that closes it proves it had been open, since nobody knows when.
opened_out_of_sight as (
    select
        {{ key }},
        cast(null as timestamp) as opened_at,
        observed_at as opened_by,
        false as is_open_exact,
        observed_at as closed_at,
        is_exact as is_close_exact,
        source_rank as close_source_rank,
        observed_at as last_seen_open_at,
        cast([] as varchar[]) as opened_evidence,
        evidence as seen_evidence,
        evidence as closed_evidence
    from changes
    where not is_open and was_open is null and is_exact
)

select * from opened_in_sight
union all by name
select * from opened_out_of_sight
)
{%- endmacro %}


{#- Whether a snapshot scope (an AWS account or its roles, a Vault mount, a system, or '' for everything) names a
    subject. -#}
{% macro scope_names(scope, subject_id, system) -%}
({{ scope }} = '' or {{ scope }} = {{ system }} or {{ scope }} = split_part({{ subject_id }}, ':', 5)
    or starts_with({{ subject_id }}, {{ scope }} || '/') or starts_with({{ subject_id }}, {{ scope }} || ':'))
{%- endmacro %}


{#- Scopes that are one of several lists which a vendor has of a kind, each whole in itself: Entra's credentials lie on
    applications and on service principals, and users are not among the latter. -#}
{% macro whole_lists() -%}
{{ return(['applications', 'service_principals', 'api_tokens']) }}
{%- endmacro %}


{#- What tells which scope a subject falls in: its native id, behind the list it belongs to where there are several.
    Expects listing_scope. -#}
{% macro scope_hint(subject_id) -%}
coalesce(listing_scope || '/', '') || {{ subject_id }}
{%- endmacro %}


{#- What each complete snapshot speaks for: the scopes that its rows name. -#}
{% macro snapshot_scopes(listings) -%}
(
    select distinct snapshots.source_system, snapshots.source_feed, snapshots.source_instance, snapshots.snapshot_key,
        snapshots.collected_at, listing.system, listing.absence_scope
    from {{ ref('int_snapshots') }} as snapshots
    inner join {{ listings }} as listing
        on snapshots.snapshot_key = listing.snapshot_key
        and snapshots.source_system = listing.source_system and snapshots.source_feed = listing.source_feed
        and snapshots.source_instance = listing.instance
    where snapshots.is_complete
    -- A complete snapshot without a single row speaks for its whole instance or list, where that is what snapshots of
    -- this feed speak for.
    union
    select empty.source_system, empty.source_feed, empty.source_instance, empty.snapshot_key, empty.collected_at,
        listing.system, listing.absence_scope
    from {{ ref('int_snapshots') }} as empty
    inner join (
        select distinct source_system, source_feed, instance, system, absence_scope
        from {{ listings }}
        where absence_scope in ('', {{ "'" ~ whole_lists() | join("', '") ~ "'" }})
    ) as listing
        on empty.source_system = listing.source_system and empty.source_feed = listing.source_feed
        and empty.source_instance = listing.instance
    where empty.is_complete
)
{%- endmacro %}


{#- Subjects that a complete snapshot ought to list and does not: gone by then. Each time a subject is known to exist
    (listed, or created by an event), the next complete snapshot of each feed that lists its kind has to list it too.
    `scope_hint` is the native id that tells which scope a subject falls in. Gives system, instance, subject_id,
    observed_at, evidence. -#}
{% macro absences(listings, known) -%}
(
with

scopes as (
    select * from {{ snapshot_scopes(listings) }}
),

first_lines as (
    select snapshot_key, source_feed, instance, min(evidence) as evidence
    from {{ listings }}
    group by snapshot_key, source_feed, instance
),

sightings as (
    select distinct system, instance, subject_id, scope_hint, seen_at from {{ known }}
),

-- Every sighting has a next snapshot of its own: one that lists the subject says nothing about those that follow.
expected as (
    select
        sightings.system,
        sightings.instance,
        sightings.subject_id,
        scopes.source_feed,
        scopes.absence_scope,
        scopes.snapshot_key,
        scopes.collected_at as observed_at
    from sightings
    inner join (select distinct system, instance, subject_id, absence_scope, source_feed from (
        select known.system, known.instance, known.subject_id, scope.absence_scope, scope.source_feed
        from (select distinct system, instance, subject_id, scope_hint from sightings) as known
        inner join (select distinct system, source_instance, source_feed, absence_scope from scopes) as scope
            on known.system = scope.system and known.instance = scope.source_instance
            and ({{ scope_names('scope.absence_scope', 'known.scope_hint', 'known.system') }}
                or starts_with(known.subject_id, scope.absence_scope || '/'))
    )) as in_scope
        on sightings.system = in_scope.system and sightings.instance = in_scope.instance
        and sightings.subject_id = in_scope.subject_id
    asof inner join (
        select system, source_instance, source_feed, absence_scope, collected_at, min(snapshot_key) as snapshot_key
        from scopes
        group by all
    ) as scopes
        on in_scope.absence_scope = scopes.absence_scope and in_scope.source_feed = scopes.source_feed
        and sightings.system = scopes.system and sightings.instance = scopes.source_instance
        and sightings.seen_at < scopes.collected_at
    group by all
)

select
    expected.system,
    expected.instance,
    expected.subject_id,
    expected.observed_at,
    case when first_lines.evidence is null then cast([] as varchar[]) else [first_lines.evidence] end as evidence
from expected
left join first_lines
    on expected.snapshot_key = first_lines.snapshot_key and expected.source_feed = first_lines.source_feed
    and expected.instance = first_lines.instance
where not exists (
    select 1
    from {{ listings }} as listing
    where listing.snapshot_key = expected.snapshot_key and listing.source_feed = expected.source_feed
        and listing.instance = expected.instance and listing.subject_id = expected.subject_id
)
)
{%- endmacro %}


{#- Between which instants each subject that was first only seen came to be: after the last complete snapshot that
    speaks for it and does not list it, and no later than its first sighting; where a log that would have shown it was
    collected without a gap up to that sighting and is silent, before that log begins. Expects system, instance,
    subject_id, scope_hint, opened_by. Adds not_before (NULL where nothing was collected before) and not_after. -#}
{% macro with_bounds_of_beginning(beginnings, listings, input) -%}
(
    with before as (
        select beginning.system, beginning.instance, beginning.subject_id, beginning.opened_by,
            max(scope.collected_at) as not_before
        from {{ beginnings }} as beginning
        inner join {{ snapshot_scopes(listings) }} as scope
            on beginning.system = scope.system and beginning.instance = scope.source_instance
            and {{ scope_names('scope.absence_scope', 'beginning.scope_hint', 'beginning.system') }}
            and scope.collected_at < beginning.opened_by
        group by beginning.system, beginning.instance, beginning.subject_id, beginning.opened_by
    )

    select
        beginning.*,
        before.not_before,
        case when watched.covered_from > before.not_before or before.not_before is null
            then coalesce(watched.covered_from, beginning.opened_by) else beginning.opened_by end as not_after
    from {{ beginnings }} as beginning
    left join before using (system, instance, subject_id, opened_by)
    left join {{ ref('fct_observed_windows') }} as watched
        on watched.input = '{{ input }}' and beginning.system = watched.system and beginning.instance = watched.instance
        and watched.covered_from < beginning.opened_by and watched.covered_to >= beginning.opened_by
)
{%- endmacro %}
