-- The roll call of logs: where each one has records, in quarter hours, once however many files repeat them.
select
    presence.source_system as system,
    presence.source_feed as feed,
    deliveries.source_instance as instance,
    quarter_hour,
    min(presence.first_event_at) as first_event_at,
    min_by({{ evidence_ref('presence.sha256', 'first_record_number') }}, (presence.first_event_at, presence.sha256)) as evidence
from (
    {% for system in ['hashicorp_vault', 'aws', 'okta', 'github', 'generic'] %}
    select * from {{ ref('stg_' ~ system ~ '__log_presence') }}
    {{ 'union all by name' if not loop.last }}
    {% endfor %}
) as presence
inner join {{ ref('int_deliveries') }} as deliveries
    on presence.sha256 = deliveries.sha256 and presence.source_system = deliveries.source_system
    and presence.source_feed = deliveries.source_feed
group by all
