-- Pull requests with their reviews. Where the export lists no reviews at all they are unknown; an empty list means that
-- there were none. A review that is not submitted yet has no instant.
with

pull_requests as (
    select
        *,
        coalesce(
            nullif(base_repository, ''),
            nullif(regexp_extract(url, '^https?://[^/]+/(?:api/v3/)?(?:repos/)?([^/]+/[^/]+)/pulls?/[0-9]+', 1), '')
        ) as repository
    from {{ evidence_records('github', 'pull_requests') }}
)

select
    sha256,
    record_number,
    'github' as source_system,
    'pull_requests' as source_feed,
    'github' as system,
    repository,
    coalesce(repository, '') || '#' || number as change_id,
    base_branch,
    case when base_protection = 'true' then true end as is_protected,
    nullif(author_login, '') as author_id,
    nullif(merged_by_login, '') as merged_by_id,
    {{ instant('created_at') }} as created_at,
    {{ instant('updated_at') }} as updated_at,
    {{ instant('merged_at') }} as merged_at,
    title,
    head_sha,
    list_transform(
        list_filter(reviews, review -> {{ instant('review.submitted_at') }} is not null),
        review -> {
            'reviewer_id': nullif(review.reviewer_id, ''),
            'state': upper(review.state),
            'submitted_at': {{ instant('review.submitted_at') }},
            'commit_id': review.commit_id
        }
    ) as reviews
from pull_requests
