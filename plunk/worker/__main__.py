"""`python -m plunk.worker`: one worker process."""

from plunk.config import read_settings
from plunk.worker.jobs import open_worker
from plunk.worker.schedule import work

if __name__ == "__main__":
    settings = read_settings()
    work(open_worker(settings), poll_seconds=settings.poll_seconds)
