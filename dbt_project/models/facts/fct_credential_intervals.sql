-- The stretches that a rotation has to end: one per key, from creation to the closing after which it was never active
-- again; one per version of a versioned secret, from its creation to its successor's or its end. closed_at is the
-- first instant at which it is known to be over, known_open_until the last at which it is known not to be.
with

keys as (
    select
        system,
        instance,
        subject_id,
        incarnation,
        min(opened_by) as opened_by,
        -- Age counts from creation; where the first stretch has no known beginning, nobody knows the age.
        min_by(coalesce(opened_at, timestamp '0001-01-01'), opened_by) as first_opened_at,
        case when bool_or(closed_at is null) then null else max(closed_at) end as closed_at,
        max_by(is_close_exact, opened_by) as is_close_exact,
        max_by(known_open_until, opened_by) as known_open_until,
        min_by(opened_evidence, opened_by) as opened_evidence,
        max_by(seen_evidence, opened_by) as seen_evidence,
        max_by(coalesce(closed_evidence, cast([] as varchar[])), opened_by) as closed_evidence
    from {{ ref('int_key_stretches') }}
    group by system, instance, subject_id, incarnation
),

key_intervals as (
    select
        keys.system,
        keys.instance,
        keys.subject_id as credential_id,
        cast(null as bigint) as version,
        nullif(first_opened_at, timestamp '0001-01-01') as opened_at,
        opened_by,
        closed_at,
        known_open_until,
        case when closed_at is not null then 'deactivated' end as ending,
        opened_evidence,
        seen_evidence,
        closed_evidence
    from keys
    inner join {{ ref('dim_credentials') }} as credentials
        on keys.system = credentials.system and keys.instance = credentials.instance
        and keys.subject_id = credentials.credential_id
    where credentials.custody = 'key' and credentials.credential_type not in ('console_password', 'signing_certificate')
),

turns as (
    select system, instance, secret_id, version, created_at as turned_at, 0 as turn_order, 'created' as turn, evidence
    from {{ ref('int_secret_versions') }}
    union all
    select system, instance, secret_id, version, ended_at, 1, case when is_exact then ending else 'gone by then' end, evidence
    from {{ ref('int_secret_endings') }}
),

-- The end of a version that is not current ends nothing: only the current one's counts, or the whole secret's.
current_versions as (
    select
        *,
        last_value(case when turn = 'created' then version end ignore nulls) over (
            partition by system, instance, secret_id order by turned_at, turn_order, version
            rows between unbounded preceding and 1 preceding
        ) as version_before
    from turns
),

turns_that_count as (
    select
        *,
        lead(turned_at) over timeline as next_at,
        lead(turn) over timeline as next_turn,
        lead(version) over timeline as next_version,
        lead(evidence) over timeline as next_evidence,
        lag(turn) over timeline as previous_turn
    from current_versions
    where turn = 'created' or version is null or version = version_before
    window timeline as (partition by system, instance, secret_id order by turned_at, turn_order, version)
),

version_sightings as (
    select system, instance, credential_id as secret_id, version, last_success_at as seen_at,
        [last_success_evidence] as evidence
    from {{ ref('int_usage') }}
    where version is not null and last_success_at is not null
    union all
    select system, instance, subject_id, version, collected_at, [evidence]
    from {{ ref('int_credential_listings') }}
    where custody = 'versioned' and is_active
),

created_versions as (
    select
        *,
        -- The next version number proves that none was written in between; a leap proves the opposite.
        case
            when next_turn = 'created' then next_version is null or version is null
                or next_version = version + 1 or next_version <= version
            else coalesce(next_turn <> 'gone by then', true)
        end as is_next_exact
    from turns_that_count
    where turn = 'created'
),

last_version_sightings as (
    select created.system, created.instance, created.secret_id, created.turned_at,
        max(sighting.seen_at) as seen_at,
        max_by(sighting.evidence, (sighting.seen_at, sighting.evidence)) as seen_evidence
    from created_versions as created
    inner join version_sightings as sighting
        on created.system = sighting.system and created.instance = sighting.instance
        and created.secret_id = sighting.secret_id and created.version = sighting.version
        and sighting.seen_at >= created.turned_at
        and (created.next_at is null or sighting.seen_at < created.next_at)
    group by created.system, created.instance, created.secret_id, created.turned_at
),

seen_versions as (
    select created.*, coalesce(sighting.seen_at, created.turned_at) as last_seen_open_at, sighting.seen_evidence
    from created_versions as created
    left join last_version_sightings as sighting using (system, instance, secret_id, turned_at)
),

version_stretches as (
    select
        system,
        instance,
        secret_id as subject_id,
        version,
        turned_at as opened_at,
        turned_at as opened_by,
        next_at as closed_at,
        next_at is not null and is_next_exact as is_close_exact,
        last_seen_open_at,
        case when next_turn = 'created' then 'next version' else next_turn end as ending,
        evidence as opened_evidence,
        coalesce(seen_evidence, evidence) as seen_evidence,
        coalesce(next_evidence, cast([] as varchar[])) as closed_evidence
    from seen_versions
),

no_further_uses as (
    select system, instance, subject_id, last_seen_open_at as used_at from version_stretches where false
),

version_intervals as (
    select system, instance, subject_id as credential_id, version, opened_at, opened_by, closed_at, known_open_until,
        ending, opened_evidence, seen_evidence, closed_evidence
    from {{ with_known_open_until('version_stretches', 'credential_state', 'no_further_uses') }}
),

-- Versions that nothing shows being made: a later number proves that they were there.
versions_unseen as (
    select
        system,
        instance,
        secret_id as credential_id,
        version - 1 as version,
        cast(null as timestamp) as opened_at,
        -- After a seen version they began later than it; before the first one, nobody knows.
        lag(turned_at) over (partition by system, instance, secret_id order by turned_at) as opened_after,
        turned_at as closed_at,
        evidence as closed_evidence,
        lag(version) over (partition by system, instance, secret_id order by turned_at) as seen_before
    from created_versions
    where version is not null
),

unseen_intervals as (
    select system, instance, credential_id, version, opened_at, closed_at as opened_by, closed_at,
        closed_at as known_open_until, 'next version' as ending, cast([] as varchar[]) as opened_evidence,
        closed_evidence as seen_evidence, closed_evidence
    from versions_unseen
    where version >= 1 and (seen_before is null or seen_before < version)
),

-- Secrets that were read, or are listed, though nothing shows any version being made.
only_seen as (
    select system, instance, secret_id as credential_id, max(version) as version, cast(null as timestamp) as opened_at,
        min(seen_at) as opened_by, cast(null as timestamp) as closed_at, max(seen_at) as known_open_until,
        cast(null as varchar) as ending, cast([] as varchar[]) as opened_evidence,
        max_by(evidence, (seen_at, evidence)) as seen_evidence, cast([] as varchar[]) as closed_evidence
    from version_sightings as sighting
    where secret_id not in (select secret_id from {{ ref('int_secret_versions') }})
    group by system, instance, secret_id
),

all_intervals as (
    select * from key_intervals
    union all by name
    select * from version_intervals
    union all by name
    select * from unseen_intervals
    union all by name
    select * from only_seen
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
