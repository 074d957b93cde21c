-- When changes of a kind could have been seen in a system: a gap is a gap only where every log that would show it
-- has one. A generic log shows the systems its inventories and events name.
with

named_by_generic as (
    select distinct system, instance from {{ ref('int_account_listings') }} where source_system = 'generic'
    union
    select distinct system, instance from {{ ref('int_credential_listings') }} where source_system = 'generic'
    union
    select distinct system, instance from {{ ref('int_events') }} where source_system = 'generic'
),

shown as (
    select windows.system, windows.instance, unnest(feeds.provides) as input, windows.covered_from, windows.covered_to
    from {{ ref('fct_feed_windows') }} as windows
    inner join {{ ref('dim_feeds') }} as feeds on windows.system = feeds.system and windows.feed = feeds.feed
    where windows.system <> 'generic'
    union all
    select named_by_generic.system, windows.instance, unnest(feeds.provides), windows.covered_from, windows.covered_to
    from {{ ref('fct_feed_windows') }} as windows
    inner join {{ ref('dim_feeds') }} as feeds on windows.system = feeds.system and windows.feed = feeds.feed
    inner join named_by_generic on windows.instance = named_by_generic.instance
    where windows.system = 'generic'
)

select * from {{ merged_windows('shown', ['system', 'instance', 'input']) }}
