-- Each version of a versioned secret once, with the instant it became current. The log's answer gives the instant;
-- where the log is silent, the creation time that the inventory states. Deleting a secret and writing it anew starts
-- the numbers again, so a version is its number and its time; some secrets have no numbers.
with

logged as (
    select system, instance, credential_id as secret_id, any_value(credential_type) as credential_type, version,
        occurred_at as created_at, list_sort(flatten(list(evidence))) as evidence
    from {{ ref('int_events') }}
    where action = 'version_created' and credential_id is not null
    group by system, instance, credential_id, version, occurred_at
),

listed as (
    select system, instance, subject_id as secret_id, any_value(credential_type) as credential_type, version,
        created_at, [min(evidence)] as evidence
    from {{ ref('int_credential_listings') }}
    where custody = 'versioned' and created_at is not null
    group by system, instance, subject_id, version, created_at
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
            and coalesce(logged.version, listed.version) is not distinct from listed.version
            and abs(epoch_us(logged.created_at) - epoch_us(listed.created_at)) <= 60000000
    )
)

select *, 'log' as time_from from logged
union all by name
select *, 'inventory' as time_from from only_listed
