{{ log_presence('aws', 'cloudtrail', 'event_time') }}
