-- Tickets as ticket_rules read them: one row per ticket, kind and target it names, with the account or credential that
-- the target is and the rule that says so. Our own ticket CSV needs no rule: its columns are named for it.
{%- set clocks = ['detected', 'escalated', 'contained', 'recovered'] %}
with

rules as (
    select
        system,
        instance,
        kind,
        match_field,
        match_value,
        target_field,
        target_pattern,
        cast(null as varchar) as system_field,
        entitlement_field,
        {{ status_list('approved_status') }} as approved_statuses,
        {{ status_list('rejected_status') }} as rejected_statuses,
        {{ status_list('contained_status') }} as contained_statuses,
        detected_field,
        cast(null as varchar) as escalated_field,
        cast(null as varchar) as contained_field,
        cast(null as varchar) as recovered_field,
        decision_evidence as rule_evidence
    from {{ in_force('ticket_rules') }}
    union all by name
    select
        'generic' as system,
        unnest(['access_request', 'nhi_retirement', 'incident', 'change', 'log_outage']) as kind,
        'kind' as match_field,
        kind as match_value,
        'target_id' as target_field,
        'target_system' as system_field,
        'entitlement' as entitlement_field,
        cast([] as varchar[]) as approved_statuses,
        cast([] as varchar[]) as rejected_statuses,
        cast([] as varchar[]) as contained_statuses,
        'detected_at' as detected_field,
        'escalated_at' as escalated_field,
        'contained_at' as contained_field,
        'recovered_at' as recovered_field
),

matched as (
    select
        tickets.* exclude (kind),
        rules.* exclude (system, instance, match_field, match_value)
    from {{ ref('fct_tickets') }} as tickets
    inner join rules
        on tickets.source_system = rules.system and (rules.instance is null or tickets.instance = rules.instance)
        and list_contains(
            list_transform({{ ticket_texts('tickets.record', 'rules.match_field') }}, text -> lower(text)),
            lower(rules.match_value)
        )
),

-- One row per text that the target field holds; a ticket that names nothing keeps its row.
read_fields as (
    select
        *,
        unnest(case when len({{ ticket_texts('record', 'target_field') }}) = 0 then [null]
            else {{ ticket_texts('record', 'target_field') }} end) as target_text,
        {{ ticket_texts('record', 'system_field') }}[1] as named_system,
        {{ ticket_texts('record', 'entitlement_field') }} as entitlements_named,
        {%- for clock in clocks %}
        {{ ticket_texts('record', clock ~ '_field') }}[1] as {{ clock }}_text{{ ',' if not loop.last }}
        {%- endfor %}
    from matched
),

dated as (
    select
        *,
        {%- for clock in clocks %}
        {{ ticket_instant(clock ~ '_text') }} as {{ clock }}_at{{ ',' if not loop.last }}
        {%- endfor %}
    from read_fields
),

named as (
    select
        * exclude (target_text),
        {{ bounded('target_text') }} as target_text,
        unnest(case
            when target_text is null then [null]
            when target_pattern is null then [target_text]
            when len(regexp_extract_all({{ bounded('target_text') }}, target_pattern, 1)) = 0 then [null]
            else list_distinct(regexp_extract_all({{ bounded('target_text') }}, target_pattern, 1))
        end) as target
    from dated
),

systems as (
    select distinct system from {{ ref('dim_accounts') }}
    union
    select distinct system from {{ ref('dim_credentials') }}
),

-- `aws:svc-etl` means the svc-etl of aws, even where the pattern takes only the name.
placed as (
    select
        named.* exclude (target),
        nullif(trim(target), '') as target,
        coalesce(lower(named_system), systems.system) as target_system
    from named
    left join systems
        on systems.system = regexp_extract(
            lower(target_text), '([a-z0-9_]+)[:/] *' || regexp_escape(lower(trim(target))), 1
        )
),

names as (
    select system, instance, account_id, cast(null as varchar) as credential_id, account_id as name, 'native id' as rule
    from {{ ref('dim_accounts') }}
    union all
    select system, instance, account_id, null, user_name, 'user name' from {{ ref('dim_accounts') }}
    union all
    select system, instance, account_id, null, email, 'e-mail' from {{ ref('dim_accounts') }}
    union all
    select accounts.system, accounts.instance, accounts.account_id, null, identities.email, 'e-mail of the person'
    from {{ ref('dim_accounts') }} as accounts
    inner join {{ ref('dim_identities') }} as identities on accounts.identity_id = identities.identity_id
    union all
    select system, instance, account_id, null, identity_id, 'identity' from {{ ref('dim_accounts') }}
    union all
    select system, instance, account_id, credential_id, credential_id, 'credential id' from {{ ref('dim_credentials') }}
    union all
    select system, instance, account_id, credential_id, name, 'credential name' from {{ ref('dim_credentials') }}
),

subjects as (
    select system, instance, account_id, credential_id, lower(trim(name)) as name, min(rule) as rule
    from names
    where nullif(trim(name), '') is not null
    group by all
)

select
    placed.kind,
    placed.source_system,
    placed.source_feed,
    placed.instance as source_instance,
    placed.ticket_id,
    placed.status,
    placed.target,
    placed.target_system,
    subjects.system,
    subjects.instance,
    case when subjects.credential_id is not null then 'credential' when subjects.account_id is not null then 'account' end
        as subject_type,
    subjects.account_id,
    subjects.credential_id,
    subjects.rule as link_rule,
    nullif(unnest(case when len(entitlements_named) = 0 then [''] else entitlements_named end), '') as entitlement,
    placed.requester_id,
    placed.requester_email,
    placed.beneficiary_email,
    placed.created_at,
    placed.detected_at,
    placed.escalated_at,
    placed.contained_at,
    placed.recovered_at,
    placed.approved_statuses,
    placed.rejected_statuses,
    placed.contained_statuses,
    placed.is_history_complete,
    list_filter([
        {%- for clock in clocks %}
        case when placed.{{ clock }}_at is null and {{ states_a_time('placed.' ~ clock ~ '_text') }}
            then {'field': placed.{{ clock }}_field, 'text': placed.{{ clock }}_text} end{{ ',' if not loop.last }}
        {%- endfor %}
    ], unread -> unread is not null) as unread_fields,
    list_filter([placed.evidence, placed.rule_evidence], record -> record is not null) as evidence
from placed
left join subjects
    on lower(placed.target) = subjects.name
    and (placed.target_system is null or placed.target_system = subjects.system)
