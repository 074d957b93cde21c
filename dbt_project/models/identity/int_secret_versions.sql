-- Each version of a versioned secret once, with the instant it became current. The log's answer gives the instant;
-- where the log is silent, the creation time that the inventory states. Deleting a secret and writing it anew starts
-- the numbers again, so a version is its number and its time; some secrets have no numbers. Where versions have ids
-- instead, a version is its id.
with

written as (
    select system, instance, credential_id as secret_id, any_value(credential_type) as credential_type, version, version_id,
        occurred_at as created_at, list_sort(flatten(list(evidence))) as evidence
    from {{ ref('int_events') }}
    where action = 'version_created' and credential_id is not null
    group by system, instance, credential_id, version, version_id, occurred_at
),

-- A rotation that a service reports without its version's id: what the next inventory holds, if nothing was written in
-- between.
identified as (
    select written.* exclude (next_at) replace (
        coalesce(written.version_id, case when held.collected_at < coalesce(written.next_at, timestamp '9999-01-01')
            then held.version_id end) as version_id
    )
    from (
        select *, lead(created_at) over (partition by system, instance, secret_id order by created_at) as next_at
        from written
    ) as written
    asof left join (
        select system, instance, subject_id as secret_id, version_id, collected_at
        from {{ ref('int_credential_listings') }}
        where custody = 'versioned' and is_active and version_id is not null
    ) as held
        on written.system = held.system and written.instance = held.instance and written.secret_id = held.secret_id
        and written.created_at <= held.collected_at
),

-- The service reports a rotation moments after the call that made the version current, not always with its id.
logged as (
    select *
    from identified as reported
    where reported.version is not null or not exists (
        select 1
        from identified as earlier
        where earlier.system = reported.system and earlier.instance = reported.instance
            and earlier.secret_id = reported.secret_id and earlier.version_id is not null
            and earlier.version_id is not distinct from coalesce(reported.version_id, earlier.version_id)
            and (earlier.created_at < reported.created_at
                or (earlier.created_at = reported.created_at and reported.version_id is null))
            and epoch_us(reported.created_at) - epoch_us(earlier.created_at) <= 60000000
    )
),

-- An inventory dates a version with an id by the last change, of which there may be others later.
listed as (
    select system, instance, subject_id as secret_id, any_value(credential_type) as credential_type, version, version_id,
        min(created_at) as created_at, [min_by(evidence, (created_at, evidence))] as evidence
    from {{ ref('int_credential_listings') }}
    where custody = 'versioned' and created_at is not null
    group by system, instance, subject_id, version, version_id, case when version_id is null then created_at end
),

-- The log's answer comes moments after the creation time of the same version.
only_listed as (
    select *
    from listed
    where not exists (
        select 1
        from logged
        where logged.system = listed.system and logged.instance = listed.instance
            and logged.secret_id = listed.secret_id
            and case
                when logged.version_id is not null and listed.version_id is not null
                    then logged.version_id = listed.version_id
                else coalesce(logged.version, listed.version) is not distinct from listed.version
                    and abs(epoch_us(logged.created_at) - epoch_us(listed.created_at)) <= 60000000
            end
    )
)

select *, 'log' as time_from from logged
union all by name
select *, 'inventory' as time_from from only_listed
