-- Times in the listing of service account keys that are there and can't be read.
select * from {{ unread_times('gcp', 'service_account_keys', evidence_records('gcp', 'service_account_keys'), ['valid_after', 'valid_before']) }}
