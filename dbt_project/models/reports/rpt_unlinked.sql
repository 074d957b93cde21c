-- What nothing links, with what was tried.
select
    kind, system, instance, native_id, name, tried, evidence
from {{ ref('fct_unlinked') }}
