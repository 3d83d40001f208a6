"""`python -m plunk.worker`: one worker process."""

from plunk import logs
from plunk.config import read_settings
from plunk.worker.jobs import open_worker
from plunk.worker.metrics_port import answering
from plunk.worker.schedule import work

if __name__ == "__main__":
    settings = read_settings()
    logs.configure(settings, worker=logs.worker_name())
    worker = open_worker(settings)
    with answering(settings, worker.meter):
        work(worker, poll_seconds=settings.poll_seconds)
