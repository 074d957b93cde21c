{{ log_presence('generic', 'events', 'occurred_at') }}
