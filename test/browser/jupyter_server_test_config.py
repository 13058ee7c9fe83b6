"""The server of the browser tests: no token, a temporary root folder. Never use it for anything else."""

from jupyterlab.galata import configure_jupyter_server

configure_jupyter_server(c)  # noqa: F821
