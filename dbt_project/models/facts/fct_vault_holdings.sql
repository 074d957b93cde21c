-- What vaults hold: one row per vault item, credential that it names, and life of the item. An item names a credential where
-- the value of one of its tags is the credential's native id (Vault's custom_metadata, tags of Secrets Manager or of our own
-- CSV; under whichever key, such as `credential_id` or `access_key_id`). It holds it since the version that was current when
-- the name was first seen, and as long as the item lives: vaults keep earlier versions, so a successor takes nothing out.
with

named as (
    select
        listings.source_system,
        listings.source_feed,
        listings.system as vault_system,
        listings.instance as vault_instance,
        listings.subject_id as item_id,
        listings.version,
        listings.created_at,
        listings.collected_at,
        listings.evidence,
        unnest(map_values(listings.tags)) as named_id
    from {{ ref('int_credential_listings') }} as listings
    where listings.is_active and cardinality(listings.tags) > 0
),

sightings as (
    select named.*, credentials.system, credentials.instance, credentials.credential_id
    from named
    inner join {{ ref('dim_credentials') }} as credentials
        on named.named_id = credentials.credential_id
        and (named.vault_system <> credentials.system or named.item_id <> credentials.credential_id)
),

-- The end of the item's life after each sighting: gone with all its versions, or the version destroyed that was current.
lives as (
    select
        sightings.*,
        (
            select min_by({'ended_at': ending.ended_at, 'evidence': ending.evidence}, ending.ended_at)
            from {{ ref('int_secret_endings') }} as ending
            where ending.system = sightings.vault_system and ending.instance = sightings.vault_instance
                and ending.secret_id = sightings.item_id and ending.ended_at > sightings.collected_at
                and (ending.version is null or ending.version = sightings.version)
        ) as ending
    from sightings
)

select
    source_system,
    source_feed,
    vault_system,
    vault_instance,
    item_id,
    system,
    instance,
    credential_id,
    min_by(coalesce(created_at, collected_at), (collected_at, created_at)) as held_from,
    ending.ended_at as held_until,
    max(collected_at) as last_seen_at,
    list_sort(list_distinct([min_by(evidence, (collected_at, evidence)), max_by(evidence, (collected_at, evidence))]
        || coalesce(any_value(ending.evidence), cast([] as varchar[])))) as evidence
from lives
group by source_system, source_feed, vault_system, vault_instance, item_id, system, instance, credential_id, ending.ended_at
