-- What the audit log says about the protection of branches: a rule was made or removed, or somebody passed over one
-- that was there.
select
    sha256,
    record_number,
    'github' as source_system,
    'audit_log' as source_feed,
    'github' as system,
    {{ instant('occurred_at', feed='github/audit_log') }} as occurred_at,
    repository,
    regexp_replace(coalesce(nullif(branch, ''), nullif(name, '')), '^refs/heads/', '') as branch,
    meaning.action = 'branch_protected' as is_protected
from {{ evidence_records('github', 'audit_log') }} as records
inner join {{ vendor_actions('github', 'audit_log') }} as meaning on {{ vendor_word('records.action') }} = meaning.vendor_action
where meaning.action in ('branch_protected', 'branch_unprotected') and repository is not null
    and coalesce(nullif(branch, ''), nullif(name, '')) is not null
