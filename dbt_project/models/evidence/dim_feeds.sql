-- Every kind of export that can be read, from the feeds' own descriptions.
{% set feeds = described_feeds() %}
with

described as (
    {% for feed in feeds %}
    select '{{ feed.system }}' as system, '{{ feed.feed }}' as feed, '{{ feed.kind }}' as kind,
        cast({{ feed.provides }} as varchar[]) as provides
    {{ 'union all' if not loop.last }}
    {% else %}
    select cast(null as varchar) as system, cast(null as varchar) as feed, cast(null as varchar) as kind,
        cast(null as varchar[]) as provides
    where false
    {% endfor %}
)

select * from described
