-- What ends a version other than its successor: destruction of that version, deletion of the whole secret, or absence
-- from a complete inventory. A soft delete ends nothing: it can be undone. Nor did anything end that an inventory still
-- holds afterwards, or that somebody recovered.
with

listings as (
    select * from {{ ref('int_credential_listings') }} where custody = 'versioned'
),

known as (
    select system, instance, subject_id, subject_id as scope_hint, collected_at as seen_at from listings
    union all
    select system, instance, secret_id, secret_id, created_at from {{ ref('int_secret_versions') }}
),

claimed as (
    select system, instance, credential_id as secret_id, version, version_id, occurred_at as ended_at, true as is_exact,
        'destroyed' as ending, evidence
    from {{ ref('int_events') }}
    where action = 'version_destroyed'
    union all
    select system, instance, credential_id, null, null, occurred_at, true, 'deleted', evidence
    from {{ ref('int_events') }} as event
    where action = 'credential_deleted' and ({{ is_versioned('credential_type') }} or exists (
        select 1
        from known
        where known.system = event.system and known.instance = event.instance and known.subject_id = event.credential_id
    ))
    union all
    select system, instance, subject_id, null, null, observed_at, false, 'absent', evidence
    from {{ absences('listings', 'known') }}
),

uncontradicted as (
    select *
    from claimed
    where not exists (
        select 1
        from listings
        where listings.system = claimed.system and listings.instance = claimed.instance
            and listings.subject_id = claimed.secret_id and listings.is_active
            and (claimed.version is null or claimed.version = listings.version)
            and (claimed.version_id is null or claimed.version_id = listings.version_id)
            and listings.created_at < claimed.ended_at and listings.collected_at > claimed.ended_at
    )
    and not exists (
        select 1
        from {{ ref('int_events') }} as recovered
        where recovered.system = claimed.system and recovered.instance = claimed.instance
            and recovered.credential_id = claimed.secret_id and recovered.action = 'credential_activated'
            and recovered.occurred_at >= claimed.ended_at
    )
),

destroyed_by_inventory as (
    select system, instance, subject_id as secret_id, version, version_id, min(collected_at) as ended_at,
        [min(evidence)] as evidence
    from listings
    where is_destroyed
    group by system, instance, subject_id, version, version_id
),

-- The inventory confirms destruction; where the log names no version (its values are hashed), the last destroy call
-- before the confirmation is the instant.
confirmed as (
    select
        inventory.system,
        inventory.instance,
        inventory.secret_id,
        inventory.version,
        inventory.version_id,
        coalesce(max(call.ended_at), inventory.ended_at) as ended_at,
        max(call.ended_at) is not null as is_exact,
        'destroyed' as ending,
        coalesce(max_by(call.evidence, call.ended_at), []) || inventory.evidence as evidence
    from destroyed_by_inventory as inventory
    left join uncontradicted as call
        on inventory.system = call.system and inventory.instance = call.instance
        and inventory.secret_id = call.secret_id and call.ending = 'destroyed' and call.version is null
        and call.version_id is null
        and call.ended_at <= inventory.ended_at
    where not exists (
        select 1
        from uncontradicted as named
        where named.system = inventory.system and named.instance = inventory.instance
            and named.secret_id = inventory.secret_id
            and (named.version = inventory.version or named.version_id = inventory.version_id)
    )
    group by inventory.system, inventory.instance, inventory.secret_id, inventory.version, inventory.version_id,
        inventory.ended_at, inventory.evidence
)

select * from uncontradicted
-- A destroy call that names no version ends whatever the inventory confirms, and nothing else.
where ending <> 'destroyed' or version is not null or version_id is not null
union all by name
select * from confirmed
