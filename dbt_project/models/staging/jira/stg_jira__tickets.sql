-- Jira issues as the REST search lists them.
select
    sha256,
    record_number,
    'jira' as source_system,
    'issues' as source_feed,
    key as ticket_id,
    issue_type as kind,
    status,
    {{ instant('created') }} as created_at,
    {{ instant('updated') }} as updated_at,
    lower(reporter_email) as requester_email
from {{ evidence_records('jira', 'issues') }}
