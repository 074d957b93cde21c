-- Times in Entra's inventories and access reviews that are there and can't be read.
with

applications as (
    select sha256, record_number, 'applications' as source_feed, {{ credentials_in_any_spelling() }}
    from {{ evidence_records('entra', 'applications') }}
),

service_principals as (
    select sha256, record_number, 'service_principals' as source_feed, {{ credentials_in_any_spelling() }}
    from {{ evidence_records('entra', 'service_principals') }}
),

holders as (
    select * from applications
    union all by name
    select * from service_principals
),

credentials as (
    select sha256, record_number, source_feed, entry.valid_from, entry.valid_until
    from {{ listed_credentials('holders', ['sha256', 'record_number', 'source_feed']) }}
)

select * from {{ unread_times('entra', 'applications', evidence_records('entra', 'applications'), ['created']) }}
union all
select * from {{ unread_times('entra', 'service_principals', evidence_records('entra', 'service_principals'), ['created', 'deleted']) }}
union all
{% for feed in ['applications', 'service_principals'] %}
select * from {{ unread_times('entra', feed, "(select * from credentials where source_feed = '" ~ feed ~ "')", ['valid_from', 'valid_until']) }}
union all
{% endfor %}
select * from {{ unread_times('entra', 'access_review_decisions', evidence_records('entra', 'access_review_decisions'), [
    'started', 'ended', 'reviewed',
]) }}
