-- The roll call of logs: where each one has records, in quarter hours, once however many files repeat them.
select
    presence.source_system as system,
    presence.source_feed as feed,
    deliveries.source_instance as instance,
    quarter_hour,
    min(presence.first_event_at) as first_event_at,
    min_by({{ evidence_ref('presence.sha256', 'first_record_number') }}, (presence.first_event_at, presence.sha256)) as evidence
from (
    {% for name in roll_call([
        'stg_hashicorp_vault__log_presence',
        'stg_aws__log_presence',
        'stg_gcp__log_presence',
        'stg_azure_key_vault__log_presence',
        'stg_okta__log_presence',
        'stg_entra__directory_audits_presence',
        'stg_entra__sign_ins_presence',
        'stg_github__log_presence',
        'stg_kubernetes__log_presence',
        'stg_generic__log_presence',
    ]) %}
    select * from {{ ref(name) }}
    {{ 'union all by name' if not loop.last }}
    {% endfor %}
) as presence
inner join {{ ref('int_deliveries') }} as deliveries
    on presence.sha256 = deliveries.sha256 and presence.source_system = deliveries.source_system
    and presence.source_feed = deliveries.source_feed
group by all
