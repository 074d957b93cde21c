-- Times in the metadata of secrets that are there and can't be read.
with

listed as (
    select sha256, record_number, unnest(map_values(versions)).created_time as created_time
    from {{ evidence_records('hashicorp_vault', 'kv_metadata') }}
)

select * from {{ unread_times('hashicorp_vault', 'kv_metadata', 'listed', ['created_time']) }}
