-- Every account that evidence shows, with who it belongs to and the rule that says so.
select
    system,
    instance,
    account_id,
    coalesce(display_name, user_name, account_id) as account_name,
    user_name,
    email,
    account_type,
    identity_id,
    identity_type,
    link_rule,
    link_evidence,
    coalesce(identity_type in ('employee', 'contractor'), false) as is_human,
    coalesce(tags, {{ no_tags() }}) as tags,
    tried,
    evidence
from {{ ref('int_account_identities') }}
