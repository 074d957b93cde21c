-- Stretches in which a key (or another way into an account that is not versioned) was active, with the key's creation:
-- being activated tells nothing about its age.
with

observations as (
    select system, instance, subject_id, incarnation, observed_at, is_open, is_exact, source_rank, tie_order, evidence
    from {{ ref('int_credential_observations') }}
),

stretches as (
    select * from {{ open_stretches('observations', ['system', 'instance', 'subject_id', 'incarnation']) }}
),

creations as (
    select system, instance, subject_id, incarnation, min_by(observed_at, (source_rank, observed_at)) as created_at
    from {{ ref('int_credential_observations') }}
    where is_creation
    group by system, instance, subject_id, incarnation
),

-- Where a slot of an inventory held several keys in turn, its last use does not say which of them it was.
uses as (
    select system, instance, credential_id as subject_id, last_success_at as used_at
    from {{ ref('int_usage') }}
    semi join (
        select system, instance, subject_id as credential_id
        from observations
        group by all
        having count(distinct incarnation) = 1
    ) as lone_keys using (system, instance, credential_id)
    where last_success_at is not null
)

select stretches.*, creations.created_at
from {{ with_known_open_until('stretches', 'credential_state', 'uses') }} as stretches
left join creations using (system, instance, subject_id, incarnation)
