-- Each inventory's own count beside the subjects that reached the population from it.
with

-- A record lists one subject; in some inventories one version of it, in others all of its versions.
records as (
    select source_system, source_feed, instance, sha256, collected_at, record_number,
        min(subject_id) as subject_id, case when count(*) = 1 then min(version) end as version
    from (
        select source_system, source_feed, instance, sha256, collected_at, record_number, subject_id,
            cast(null as bigint) as version
        from {{ ref('int_account_listings') }}
        union all
        select source_system, source_feed, instance, sha256, collected_at, record_number, subject_id, version
        from {{ ref('int_credential_listings') }}
        -- The credential report lists users; their keys are read from the same records.
        where source_feed <> 'credential_report'
        -- What accounts are in, or may do, is described in records of its own.
        union all
        select source_system, source_feed, instance, sha256, collected_at, record_number, entitlement, null
        from {{ delivered(['stg_aws__entitlement_definitions']) }}
    )
    group by all
),

listed as (
    select source_system, source_feed, instance, sha256, collected_at,
        count(distinct {'subject_id': subject_id, 'version': version}) as subjects
    from records
    group by all
)

select
    deliveries.source_system as system,
    deliveries.source_feed as feed,
    deliveries.source_instance as instance,
    deliveries.sha256,
    deliveries.collected_at,
    coalesce(deliveries.declared_record_count, deliveries.records_parsed + deliveries.records_rejected) as records_in_source,
    coalesce(listed.subjects, 0) as subjects_in_population,
    deliveries.original_name || ' (' || left(deliveries.sha256, 12) || '): '
        || cast(coalesce(deliveries.declared_record_count, deliveries.records_parsed + deliveries.records_rejected) as varchar)
        || ' in the source, ' || cast(coalesce(listed.subjects, 0) as varchar) || ' in the population' as detail
from {{ ref('int_deliveries') }} as deliveries
inner join {{ ref('dim_feeds') }} as feeds
    on deliveries.source_system = feeds.system and deliveries.source_feed = feeds.feed
left join listed
    on deliveries.source_system = listed.source_system and deliveries.source_feed = listed.source_feed
    and deliveries.source_instance = listed.instance and deliveries.sha256 = listed.sha256
    and deliveries.collected_at = listed.collected_at
where feeds.kind = 'snapshot' and deliveries.status = 'accepted'
    and (list_contains(feeds.provides, 'account_state') or list_contains(feeds.provides, 'credential_state'))
