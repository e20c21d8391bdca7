"""A server's findings in Python: `Client` for programs that wait, `AsyncClient` for those that do not.

Needs ``pip install 'tumorscope[client]'``. Errors are those of `tumorscope.errors`; each is one line that says what to
do.
"""

from tumorscope.client.answers import LoadedModel, Progress, RemoteFindings
from tumorscope.client.asynchronous import AsyncClient, AsyncJob
from tumorscope.client.sources import Picture
from tumorscope.client.sync import Client, Job

__all__ = ["AsyncClient", "AsyncJob", "Client", "Job", "LoadedModel", "Picture", "Progress", "RemoteFindings"]
