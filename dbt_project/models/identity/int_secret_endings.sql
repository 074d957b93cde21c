-- What ends a version other than its successor: destruction of that version, deletion of the whole secret, or absence
-- from a complete inventory. A soft delete ends nothing: it can be undone.
with

listings as (
    select * from {{ ref('int_credential_listings') }} where custody = 'versioned'
),

destroyed_by_log as (
    select system, instance, credential_id as secret_id, version, occurred_at as ended_at, true as is_exact,
        'destroyed' as ending, evidence
    from {{ ref('int_events') }}
    where action = 'version_destroyed'
),

-- The inventory confirms destruction; where the log names no version (its values are hashed), the last destroy call
-- before the confirmation is the instant.
destroyed_by_inventory as (
    select system, instance, subject_id as secret_id, version, min(collected_at) as ended_at, [min(evidence)] as evidence
    from listings
    where is_destroyed
    group by system, instance, subject_id, version
),

destroyed as (
    select system, instance, secret_id, version, ended_at, is_exact, ending, evidence
    from destroyed_by_log
    where version is not null
    union all
    select
        inventory.system,
        inventory.instance,
        inventory.secret_id,
        inventory.version,
        coalesce(max(call.ended_at), inventory.ended_at),
        max(call.ended_at) is not null,
        'destroyed',
        coalesce(max_by(call.evidence, call.ended_at), []) || inventory.evidence
    from destroyed_by_inventory as inventory
    left join destroyed_by_log as call
        on inventory.system = call.system and inventory.instance = call.instance
        and inventory.secret_id = call.secret_id and call.version is null and call.ended_at <= inventory.ended_at
    where not exists (
        select 1
        from destroyed_by_log as named
        where named.system = inventory.system and named.instance = inventory.instance
            and named.secret_id = inventory.secret_id and named.version = inventory.version
    )
    group by inventory.system, inventory.instance, inventory.secret_id, inventory.version, inventory.ended_at,
        inventory.evidence
),

deleted as (
    select system, instance, credential_id as secret_id, cast(null as bigint) as version, occurred_at as ended_at,
        true as is_exact, 'deleted' as ending, evidence
    from {{ ref('int_events') }}
    where action = 'credential_deleted' and credential_id in (
        select secret_id from {{ ref('int_secret_versions') }}
    )
),

known as (
    select system, instance, subject_id, subject_id as scope_hint, collected_at as seen_at from listings
    union all
    select system, instance, secret_id, secret_id, created_at from {{ ref('int_secret_versions') }}
),

absent as (
    select system, instance, subject_id as secret_id, cast(null as bigint) as version, observed_at as ended_at,
        false as is_exact, 'absent' as ending, evidence
    from {{ absences('listings', 'known') }}
)

select * from destroyed
union all by name
select * from deleted
union all by name
select * from absent
