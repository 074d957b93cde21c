-- The stretches that a rotation has to end: one per key, from creation to the closing after which it was never active
-- again; one per version of a versioned secret, from its creation to its successor's or its end. closed_at is the
-- first instant at which it is known to be over, known_open_until the last at which it is known not to be.
with

stretches_in_turn as (
    select *, lead(opened_by) over (
        partition by system, instance, subject_id, incarnation order by opened_by
    ) as active_again_at
    from {{ ref('int_key_stretches') }}
),

keys as (
    select
        system,
        instance,
        subject_id,
        incarnation,
        any_value(created_at) as opened_at,
        min(opened_by) as opened_by,
        case when bool_or(closed_at is null) then null else max(closed_at) end as closed_at,
        max_by(known_open_until, opened_by) as known_open_until,
        list({
            'inactive_from': closed_at,
            'active_again_at': active_again_at,
            'known_open_until': known_open_until,
            'evidence': closed_evidence
        } order by opened_by) filter (active_again_at is not null) as pauses,
        min_by(opened_evidence, opened_by) as opened_evidence,
        max_by(seen_evidence, opened_by) as seen_evidence,
        max_by(coalesce(closed_evidence, cast([] as varchar[])), opened_by) as closed_evidence
    from stretches_in_turn
    group by system, instance, subject_id, incarnation
),

key_intervals as (
    select
        keys.* exclude (subject_id, incarnation),
        keys.subject_id as credential_id,
        cast(null as bigint) as version,
        cast(null as varchar) as version_id,
        case when closed_at is not null then 'deactivated' end as ending
    from keys
    inner join {{ ref('dim_credentials') }} as credentials
        on keys.system = credentials.system and keys.instance = credentials.instance
        and keys.subject_id = credentials.credential_id
    -- Passwords of people are out (NIST SP 800-63B-4 3.1.1.2).
    where credentials.custody = 'key' and credentials.credential_type not in ('console_password', 'signing_certificate')
        and not (
            credentials.credential_type = 'password'
            and coalesce(credentials.identity_type in ('employee', 'contractor'), false)
        )
),

version_sightings as (
    select system, instance, credential_id as secret_id, version, version_id, last_success_at as seen_at, false as is_listed,
        [last_success_evidence] as evidence
    from {{ ref('int_usage') }}
    where (version is not null or version_id is not null) and last_success_at is not null
    union all
    select system, instance, subject_id, version, version_id, collected_at, true, [evidence]
    from {{ ref('int_credential_listings') }}
    where custody = 'versioned' and is_active
),

-- A version that was read or listed, though nothing shows it being made. A read of a lower number than one already
-- known is a read of an old version; ids have no order, so of those only an inventory's current one counts.
beginnings as (
    select *, max(version) over (
            partition by system, instance, secret_id order by turned_at, turn
            rows between unbounded preceding and 1 preceding
        ) as highest_before,
        lag(version_id) over (partition by system, instance, secret_id order by turned_at, turn) as id_before,
        row_number() over (partition by system, instance, secret_id order by turned_at, turn) as place
    from (
        select system, instance, secret_id, version, version_id, created_at as turned_at, 'created' as turn, evidence
        from {{ ref('int_secret_versions') }}
        union all
        select system, instance, secret_id, version, version_id, min(seen_at), 'seen', min_by(evidence, (seen_at, evidence))
        from version_sightings
        where is_listed or version_id is null
        group by system, instance, secret_id, version, version_id
    )
    qualify turn = 'created' or place = 1 or version > highest_before
        or (version_id is not null and version_id is distinct from id_before)
),

turns as (
    select system, instance, secret_id, version, version_id, turned_at, 0 as turn_order, turn, evidence from beginnings
    union all
    select system, instance, secret_id, version, version_id, ended_at, 1,
        case when is_exact then ending else 'gone by then' end, evidence
    from {{ ref('int_secret_endings') }}
),

current_versions as (
    select
        *,
        last_value(case when turn in ('created', 'seen') then version end ignore nulls) over (
            partition by system, instance, secret_id order by turned_at, turn_order, version
            rows between unbounded preceding and 1 preceding
        ) as version_before,
        last_value(case when turn in ('created', 'seen') then version_id end ignore nulls) over (
            partition by system, instance, secret_id order by turned_at, turn_order, version
            rows between unbounded preceding and 1 preceding
        ) as id_before
    from turns
),

-- The end of a version that is not current ends nothing: only the current one's counts, or the whole secret's.
turns_that_count as (
    select
        *,
        lead(turned_at) over timeline as next_at,
        lead(turn) over timeline as next_turn,
        lead(version) over timeline as next_version,
        lead(version_id) over timeline as next_version_id,
        lead(evidence) over timeline as next_evidence
    from current_versions
    where turn in ('created', 'seen') or version = version_before or version_id = id_before
        or (version is null and version_id is null)
    window timeline as (partition by system, instance, secret_id order by turned_at, turn_order, version)
),

last_version_sightings as (
    select begun.system, begun.instance, begun.secret_id, begun.turned_at,
        max(sighting.seen_at) as seen_at,
        max_by(sighting.evidence, (sighting.seen_at, sighting.evidence)) as seen_evidence
    from turns_that_count as begun
    inner join version_sightings as sighting
        on begun.system = sighting.system and begun.instance = sighting.instance
        and begun.secret_id = sighting.secret_id and begun.version is not distinct from sighting.version
        and coalesce(begun.version_id = sighting.version_id, true)
        and sighting.seen_at >= begun.turned_at
        and (begun.next_at is null or sighting.seen_at < begun.next_at)
    where begun.turn in ('created', 'seen')
    group by begun.system, begun.instance, begun.secret_id, begun.turned_at
),

-- Which version with an id an inventory names as the one before the current one.
successions as (
    select distinct held.system, held.instance, held.subject_id as secret_id, held.version_id, previous.version_id as previous_id,
        held.evidence
    from {{ ref('int_credential_listings') }} as held
    inner join {{ ref('int_credential_listings') }} as previous
        on held.system = previous.system and held.instance = previous.instance and held.subject_id = previous.subject_id
        and held.snapshot_key = previous.snapshot_key and held.evidence = previous.evidence
        and held.is_active and not previous.is_active and not previous.is_destroyed
    where held.version_id is not null and previous.version_id is not null
),

version_stretches as (
    select
        system,
        instance,
        secret_id as subject_id,
        version,
        version_id,
        case when turn = 'created' then turned_at end as opened_at,
        turned_at as opened_by,
        next_at as closed_at,
        -- The very next number proves that no version was written in between, a leap the opposite; without numbers, or
        -- where they start again, only a log without gaps can tell. Of ids, an inventory may name the one before.
        case
            when next_turn = 'created' then coalesce(next_version = version + 1, false) or exists (
                select 1
                from successions
                where successions.system = turns_that_count.system and successions.instance = turns_that_count.instance
                    and successions.secret_id = turns_that_count.secret_id
                    and successions.version_id = turns_that_count.next_version_id
                    and successions.previous_id = turns_that_count.version_id
            )
            else coalesce(next_turn not in ('seen', 'gone by then'), false)
        end as is_close_exact,
        coalesce(sighting.seen_at, turned_at) as last_seen_open_at,
        case when next_turn in ('created', 'seen') then 'next version' else next_turn end as ending,
        evidence as opened_evidence,
        coalesce(seen_evidence, evidence) as seen_evidence,
        coalesce(next_evidence, cast([] as varchar[])) as closed_evidence
    from turns_that_count
    left join last_version_sightings as sighting using (system, instance, secret_id, turned_at)
    where turn in ('created', 'seen')
),

no_further_uses as (
    select system, instance, subject_id, last_seen_open_at as used_at from version_stretches where false
),

version_intervals as (
    select system, instance, subject_id as credential_id, version, version_id, opened_at, opened_by, closed_at,
        known_open_until, ending, opened_evidence, seen_evidence, closed_evidence
    from {{ with_known_open_until('version_stretches', 'credential_state', 'no_further_uses') }}
),

-- The version before one that was made, where nothing shows it: the number proves that it was there until then.
unseen_intervals as (
    select system, instance, secret_id as credential_id, version - 1 as version, cast(null as timestamp) as opened_at,
        turned_at as opened_by, turned_at as closed_at, turned_at as known_open_until, 'next version' as ending,
        cast([] as varchar[]) as opened_evidence, evidence as seen_evidence, evidence as closed_evidence
    from current_versions
    where turn = 'created' and version > 1 and coalesce(version_before < version - 1, version_before is null)
),

-- The same of ids: the one before that an inventory names, where nothing else shows it.
unseen_ids as (
    select made.system, made.instance, made.secret_id as credential_id, cast(null as bigint) as version,
        successions.previous_id as version_id, cast(null as timestamp) as opened_at, made.created_at as opened_by,
        made.created_at as closed_at, made.created_at as known_open_until, 'next version' as ending,
        cast([] as varchar[]) as opened_evidence, [min(successions.evidence)] as seen_evidence,
        any_value(made.evidence) as closed_evidence
    from {{ ref('int_secret_versions') }} as made
    inner join successions
        on made.system = successions.system and made.instance = successions.instance
        and made.secret_id = successions.secret_id and made.version_id = successions.version_id
    where not exists (
        select 1
        from beginnings
        where beginnings.system = made.system and beginnings.instance = made.instance
            and beginnings.secret_id = made.secret_id
            and coalesce(beginnings.version_id = successions.previous_id, beginnings.turned_at < made.created_at)
    )
    group by made.system, made.instance, made.secret_id, successions.previous_id, made.created_at
),

all_intervals as (
    select * from key_intervals
    union all by name
    select * from version_intervals
    union all by name
    select * from unseen_intervals
    union all by name
    select * from unseen_ids
)

select
    intervals.*,
    credentials.account_id,
    credentials.credential_type,
    credentials.custody,
    credentials.credential_name,
    credentials.identity_id,
    credentials.identity_type,
    coalesce(credentials.tags, {{ no_tags() }}) as tags
from all_intervals as intervals
left join {{ ref('dim_credentials') }} as credentials using (system, instance, credential_id)
