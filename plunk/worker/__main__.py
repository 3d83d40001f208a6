"""`python -m plunk.worker`: one worker process."""

from plunk import logs
from plunk.config import read_settings
from plunk.worker.jobs import open_worker
from plunk.worker.schedule import work

if __name__ == "__main__":
    settings = read_settings()
    logs.configure(settings, worker=logs.worker_name())
    work(open_worker(settings), poll_seconds=settings.poll_seconds)
