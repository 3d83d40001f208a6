"""The worker process: APScheduler ticks, and each tick drains one queue."""
