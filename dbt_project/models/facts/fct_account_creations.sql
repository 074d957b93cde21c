-- When each account came to be, where evidence says: it was certainly not active before.
select system, instance, subject_id as account_id, min(observed_at) as created_at
from {{ ref('int_account_observations') }}
where is_open and is_exact and tie_order = 0
group by system, instance, subject_id
