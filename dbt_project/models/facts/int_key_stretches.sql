-- Stretches in which a key (or another way into an account that is not versioned) was active.
with

observations as (
    select system, instance, subject_id, incarnation, observed_at, is_open, is_exact, source_rank, tie_order, evidence
    from {{ ref('int_credential_observations') }}
),

stretches as (
    select * from {{ open_stretches('observations', ['system', 'instance', 'subject_id', 'incarnation']) }}
),

uses as (
    select system, instance, credential_id as subject_id, last_success_at as used_at
    from {{ ref('int_usage') }}
    where credential_id is not null and last_success_at is not null
)

select * from {{ with_known_open_until('stretches', 'credential_state', 'uses') }}
