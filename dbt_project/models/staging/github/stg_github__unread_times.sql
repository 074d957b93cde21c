-- Times of reviews that are there and can't be read; those of a pull request itself ingest has checked.
with

submitted as (
    select sha256, record_number, unnest(reviews).submitted_at as submitted_at
    from {{ evidence_records('github', 'pull_requests') }}
)

select * from {{ unread_times('github', 'pull_requests', 'submitted', ['submitted_at']) }}
