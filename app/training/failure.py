"""Failures of a training job that its log explains in one line."""


class JobError(Exception):
    """The job cannot go on; the message says why."""

    #: The exit code of the job.
    code = 1
