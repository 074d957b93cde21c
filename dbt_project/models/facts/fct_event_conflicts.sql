-- Events that exports repeat with the same id and different content. The latest collected counts.
select
    source_system as system,
    source_feed as feed,
    instance,
    event_id,
    sightings,
    'event ' || event_id || ' appears ' || cast(sightings as varchar) || ' times with different content: '
        || array_to_string(evidence, ' ') as detail
from {{ ref('int_events') }}
where has_conflict
