{#- The last two steps of every control: excuse what an approved waiver covered at the instant the deviation began, and
    give each operation its one outcome. Expects the columns of an operation plus verdict, reason, began_at. A waived
    row keeps its reason. -#}
{% macro judged_operations(operations, control) -%}
(
    with excused as (
        select
            operation.*,
            waiver.waiver_id as matched_waiver_id,
            waiver.waiver_evidence
        from {{ operations }} as operation
        left join lateral (
            select candidate.waiver_id, candidate.waiver_evidence
            from {{ ref('dim_waivers') }} as candidate
            where candidate.control_id = '{{ control }}' and candidate.period_id = operation.period_id
                and candidate.subject_id = operation.subject_id
                and (candidate.system is null or candidate.system = operation.system)
                and operation.verdict = 'deviation'
                and candidate.in_force_from <= operation.began_at and candidate.in_force_until > operation.began_at
            order by candidate.waiver_id
            limit 1
        ) as waiver on true
    )

    select
        period_id,
        '{{ control }}' as control_id,
        subject_type,
        subject_id,
        subject_name,
        system,
        instance,
        identity_id,
        entitlement,
        cycle,
        distinguished_by,
        cast(opened_at as timestamp) as opened_at,
        cast(due_at as timestamp) as due_at,
        cast(performed_at as timestamp) as performed_at,
        measure_name,
        cast(measure_value as double) as measure_value,
        cast(threshold_value as double) as threshold_value,
        unit,
        case when matched_waiver_id is not null then 'waived' else verdict end as outcome,
        reason,
        case when matched_waiver_id is not null then reason_text || ' Waived by ' || matched_waiver_id || '.' else reason_text end
            as reason_text,
        matched_waiver_id as waiver_id,
        case when verdict = 'deviation' then cast(began_at as timestamp) end as began_at,
        list_sort(list_distinct(list_filter(
            evidence || case when waiver_evidence is null then cast([] as varchar[]) else [waiver_evidence] end,
            record -> record is not null
        ))) as evidence
    from excused
)
{%- endmacro %}
